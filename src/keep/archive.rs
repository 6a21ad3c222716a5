//! Which hands the archive has, and whether each is what its name says.

use std::collections::BTreeMap;

use engine::HandNo;

use super::{
    audit::Audited,
    flaw::{Flaw, Place, Wrong},
};
use crate::{
    ids::TableId,
    store::HandRecord,
    table::{codec, seal::Keyring},
};

/// The archive as a scan saw it.
pub struct ArchiveAudit<'a> {
    keys: Option<&'a Keyring>,
    tables: BTreeMap<TableId, Numbers>,
    /// Hands seen.
    pub hands: u64,
    /// Their decks that were opened.
    pub decks_opened: u64,
    /// Their decks that were left closed, since no key was given.
    pub decks_closed: u64,
    flaws: Vec<Flaw>,
    more_flaws: u64,
}

/// Numbers of hands as closed ranges, ascending and apart: hands come nearly in order, so these are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    /// Adds one.
    pub fn insert(&mut self, n: u64) {
        let at = self.0.partition_point(|(_, last)| *last < n);
        if self.0.get(at).is_some_and(|(first, _)| *first <= n) {
            return;
        }
        let joins_left = at > 0 && self.0[at - 1].1 + 1 == n;
        let joins_right = self.0.get(at).is_some_and(|(first, _)| *first == n + 1);
        match (joins_left, joins_right) {
            (true, true) => {
                self.0[at - 1].1 = self.0[at].1;
                self.0.remove(at);
            }
            (true, false) => self.0[at - 1].1 = n,
            (false, true) => self.0[at].0 = n,
            (false, false) => self.0.insert(at, (n, n)),
        }
    }

    /// The smallest.
    pub fn first(&self) -> Option<u64> {
        self.0.first().map(|(first, _)| *first)
    }

    /// The largest.
    pub fn last(&self) -> Option<u64> {
        self.0.last().map(|(_, last)| *last)
    }

    /// Those from `from` to `to` that are not here, ascending.
    pub fn missing(&self, from: u64, to: u64) -> impl Iterator<Item = u64> + '_ {
        let begins =
            std::iter::once(from).chain(self.0.iter().map(|(_, last)| last.saturating_add(1)));
        let ends = self
            .0
            .iter()
            .map(|(first, _)| *first)
            .chain([to.saturating_add(1)]);
        begins
            .zip(ends)
            .flat_map(move |(begin, end)| begin.max(from)..end.min(to.saturating_add(1)))
    }
}

impl<'a> ArchiveAudit<'a> {
    /// Without keys decks stay closed.
    pub fn new(keys: Option<&'a Keyring>) -> Self {
        Self {
            keys,
            tables: BTreeMap::new(),
            hands: 0,
            decks_opened: 0,
            decks_closed: 0,
            flaws: Vec::new(),
            more_flaws: 0,
        }
    }

    /// Takes one hand in.
    pub fn hand(&mut self, record: &HandRecord) {
        self.hands += 1;
        let place = Place::Hand {
            table: record.table,
            hand: record.hand_no,
        };
        if let Some(what) = self.wrong_with(record) {
            self.note(Flaw { place, what });
        }
        self.tables
            .entry(record.table)
            .or_default()
            .insert(record.hand_no.0);
    }

    /// Takes in a hand that was archived since its table was compared.
    pub fn hand_again(&mut self, record: &HandRecord) {
        self.hand(record);
        self.tables.remove(&record.table);
    }

    fn wrong_with(&mut self, record: &HandRecord) -> Option<Wrong> {
        let mut closed = None;
        let (keys, opened, left) = (self.keys, &mut self.decks_opened, &mut self.decks_closed);
        let hand = codec::decode_hand_with(&record.body, &mut |sealed, place| {
            let Some(keys) = keys else {
                *left += 1;
                return Ok(None);
            };
            match keys.open(sealed, place) {
                Ok(deck) => {
                    *opened += 1;
                    Ok(Some(deck))
                }
                Err(cause) => {
                    closed = Some(cause);
                    Ok(None)
                }
            }
        });
        let hand = match hand {
            Ok(hand) => hand,
            Err(cause) => return Some(Wrong::Unreadable(cause)),
        };
        if let Some(cause) = closed {
            let table = record.table;
            return Some(Wrong::Deck { table, cause });
        }
        let ended_ms = hand.events.last().map_or(0, |last| last.at_ms);
        let same = [
            ("table", hand.table == record.table),
            ("number", hand.hand == record.hand_no),
            ("end", ended_ms == record.ended_ms),
            ("list of players", hand.players() == record.players),
        ];
        let differs = same.into_iter().find(|(_, same)| !same);
        differs.map(|(what, _)| Wrong::HandDiffers(what))
    }

    /// Compares a table's archived hands with its log, and forgets them here. Answers the hands that should be in the
    /// archive and were not seen; at most some hundreds, then the rest is a flaw of its own.
    pub fn compare(&mut self, table: TableId, audited: &Audited, forgets: bool) -> Vec<HandNo> {
        let numbers = self.tables.remove(&table).unwrap_or_default();
        let ended = audited.state.hands_ended();
        if let Some(last) = numbers.last().filter(|last| *last > ended.0) {
            let place = Place::Hand {
                table,
                hand: HandNo(last),
            };
            let what = Wrong::HandAhead(ended);
            self.note(Flaw { place, what });
        }
        // What was forgotten by age are the first ones, and may be all.
        let from = match forgets {
            false => 1,
            true => numbers.first().unwrap_or(u64::MAX),
        };
        let mut missing = numbers.missing(from, audited.archived.0).map(HandNo);
        let some: Vec<HandNo> = missing.by_ref().take(MISSING_MAX).collect();
        if let Some(next) = missing.next() {
            let place = Place::Hand { table, hand: next };
            let what = Wrong::HandMissing;
            self.note(Flaw { place, what });
        }
        some
    }

    /// A hand that should be there is not.
    pub fn missing(&mut self, table: TableId, hand: HandNo) {
        let place = Place::Hand { table, hand };
        let what = Wrong::HandMissing;
        self.note(Flaw { place, what });
    }

    /// Every log was read: whatever was not compared has no table.
    pub fn finish(&mut self) {
        for (table, numbers) in std::mem::take(&mut self.tables) {
            let hand = HandNo(numbers.first().unwrap_or(0));
            let (place, what) = (Place::Hand { table, hand }, Wrong::TableUnknown);
            self.note(Flaw { place, what });
        }
    }

    /// What is wrong.
    pub fn take_flaws(&mut self) -> Vec<Flaw> {
        let mut flaws = std::mem::take(&mut self.flaws);
        if let Some(last) = flaws.last().filter(|_| self.more_flaws > 0) {
            let (place, what) = (last.place, Wrong::More(self.more_flaws));
            flaws.push(Flaw { place, what });
        }
        self.more_flaws = 0;
        flaws
    }

    fn note(&mut self, flaw: Flaw) {
        if self.flaws.len() < FLAWS_MAX {
            self.flaws.push(flaw);
        } else {
            self.more_flaws += 1;
        }
    }
}

/// Missing hands of one table that are looked for again, one by one.
const MISSING_MAX: usize = 256;
const FLAWS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Ranges say the same as a set.
        #[test]
        fn numbers_are_a_set(inserted in prop::collection::vec(0_u64..40, 0..60), from in 0_u64..45, to in 0_u64..45) {
            let (mut numbers, mut set) = (Numbers::default(), BTreeSet::new());
            for n in inserted {
                numbers.insert(n);
                set.insert(n);
            }
            prop_assert_eq!(numbers.first(), set.first().copied());
            prop_assert_eq!(numbers.last(), set.last().copied());
            let missing: Vec<u64> = (from..=to).filter(|n| !set.contains(n)).collect();
            prop_assert_eq!(numbers.missing(from, to).collect::<Vec<_>>(), missing);
        }
    }
}
