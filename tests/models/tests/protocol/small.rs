//! Words as small as they can be: a few requests, a few segments.

use orp_models::words::{Fold, Key, Keys, Kind, Link, Payload, Rows, Words};
use serde::{Deserialize, Serialize};

/// The words of the explored models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Small;

/// What a row carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Body {
    /// A request's events, and which incarnation decided them.
    Request { request: u8, by: u8 },
    /// A piece of a snapshot: what stands from this place on.
    Snapshot { place: u8, story: Story },
}

/// Requests in the order in which they were done, four bits each.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Story(u16);

impl Story {
    pub fn len(self) -> u8 {
        (16 - self.0.leading_zeros() as u8).div_ceil(4)
    }

    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..self.len())
            .rev()
            .map(move |place| ((self.0 >> (4 * place)) & 15) as u8 - 1)
    }

    pub fn push(&mut self, request: u8) {
        self.0 = (self.0 << 4) | (u16::from(request) + 1);
    }

    pub fn has(self, request: u8) -> bool {
        self.iter().any(|one| one == request)
    }

    /// Piece `i` of `pieces`, and its place.
    pub fn piece(self, i: u32, pieces: u32) -> Body {
        let (len, i) = (u32::from(self.len()), i.min(pieces - 1));
        let (from, to) = (len * i / pieces, len * (i + 1) / pieces);
        let mut story = Self::default();
        for request in self.iter().skip(from as usize).take((to - from) as usize) {
            story.push(request);
        }
        Body::Snapshot {
            place: from as u8,
            story,
        }
    }
}

impl Fold<Small> for Story {
    fn begin(&mut self) {
        *self = Self::default();
    }

    fn row(&mut self, row: &Payload<Small>) -> bool {
        match row.body {
            Body::Request { request, .. } => {
                self.push(request);
                true
            }
            Body::Snapshot { place, story } => story.iter().zip(place..).all(|(request, place)| {
                match self.iter().nth(usize::from(place)) {
                    Some(known) => known == request,
                    None if self.len() == place => {
                        self.push(request);
                        true
                    }
                    None => false,
                }
            }),
        }
    }
}

/// Up to sixteen epochs of four segments.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct KeySet(u64);

fn bit(key: Key) -> u64 {
    assert!(
        key.epoch < 16 && key.k < 4,
        "{key:?} is beyond the model's size"
    );
    1 << (key.epoch * 4 + key.k)
}

impl KeySet {
    pub fn iter(self) -> impl Iterator<Item = Key> {
        (0..64).filter(move |i| self.0 >> i & 1 == 1).map(|i| Key {
            epoch: i / 4,
            k: i % 4,
        })
    }
}

impl Keys for KeySet {
    fn push(&mut self, key: Key) {
        self.0 |= bit(key);
    }

    fn extend(&mut self, others: &Self) {
        self.0 |= others.0;
    }

    fn has(&self, key: Key) -> bool {
        self.0 & bit(key) != 0
    }

    fn last(&self) -> Option<Key> {
        let i = 63_u32.checked_sub(self.0.leading_zeros())?;
        Some(Key {
            epoch: i / 4,
            k: i % 4,
        })
    }

    fn remove(&mut self, key: Key) {
        self.0 &= !bit(key);
    }

    fn pop(&mut self) {
        if let Some(last) = self.last() {
            self.0 &= !bit(last);
        }
    }

    fn take_before(&mut self, key: Key) -> Self {
        let before = Self(self.0 & (bit(key) - 1));
        self.0 &= !before.0;
        before
    }
}

/// Rows by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Few(Vec<Option<Payload<Small>>>);

impl Rows<Small> for Few {
    fn row(&self, n: u32) -> Option<&Payload<Small>> {
        self.0.get(n as usize)?.as_ref()
    }

    fn write(&mut self, n: u32, row: Payload<Small>) {
        let n = n as usize;
        if self.0.len() <= n {
            self.0.resize(n + 1, None);
        }
        self.0[n] = Some(row);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

impl Words for Small {
    type Body = Body;
    type Keys = KeySet;
    type Rows = Few;
    type Fold = Story;

    fn link(previous: Link, n: u32, row: &Payload<Self>) -> Link {
        let kind = match row.kind {
            Kind::Commit => 1,
            Kind::Part => 2,
            Kind::End(before) => mix(3, before.0),
        };
        let body = match row.body {
            Body::Request { request, by } => u64::from(request) << 8 | u64::from(by),
            Body::Snapshot { place, story } => {
                1 << 32 | u64::from(place) << 16 | u64::from(story.0)
            }
        };
        let own = row.previous.map_or(0, |previous| previous.0);
        [u64::from(n), kind, body, own]
            .into_iter()
            .fold(previous, |hash, next| Link(mix(hash.0, next)))
    }
}

/// Injective enough: two rounds of SplitMix64.
fn mix(hash: u64, next: u64) -> u64 {
    let x = (hash ^ next.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
