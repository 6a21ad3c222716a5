//! Whether an owner is gone. A lost link is a rumour; this is what counts.
//!
//! An owner's process is gone if dialling it again is refused, or if its node has started again. If neither is known, its
//! beat in the store decides: one that stood still in three looks of our own, each of them answered. Two healthy nodes
//! that cannot see each other both beat, and so do not steal from each other. One that answers and does not beat is cut off
//! from the store: it takes its announcements back, and its shards may be taken.

use std::collections::BTreeMap;

use super::peer::Peer;
use crate::store::NodeBeat;

/// What the store said about the beat of each life of a node, and how often it said the same.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    lives: BTreeMap<Peer, Seen>,
    looks: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    beat: u64,
    address: String,
    /// Looks in a row that found it unchanged.
    still: u32,
}

/// What is known of the link to an incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It answers.
    Up,
    /// It does not, or never did; nobody refused a dial since.
    Unknown,
    /// Nobody listens at its address.
    Refused,
}

/// The verdict on an incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its shards may be taken.
    Gone,
    /// It is there.
    Alive,
    /// Wait.
    Unsure,
}

impl Beats {
    /// One look at the store. Only looks that were answered count.
    pub fn look(&mut self, found: &[NodeBeat]) {
        self.looks = self.looks.saturating_add(1);
        for beat in found {
            let Ok(name) = beat.node.parse() else {
                continue;
            };
            let life = Peer {
                name,
                incarnation: beat.incarnation,
            };
            let still = match self.lives.get(&life) {
                Some(seen) if seen.beat == beat.beat => seen.still.saturating_add(1),
                Some(_) | None => 0,
            };
            let seen = Seen {
                beat: beat.beat,
                address: beat.address.clone(),
                still,
            };
            self.lives.insert(life, seen);
        }
    }

    /// Nodes whose beat moved lately, and where they can be reached.
    pub fn moving(&self) -> impl Iterator<Item = (&Peer, &str)> {
        let moving = self
            .lives
            .iter()
            .filter(|(_, seen)| seen.still < STILL_LOOKS);
        moving.map(|(life, seen)| (life, seen.address.as_str()))
    }

    /// Whether an owner is gone.
    pub fn judge(&self, owner: &Peer, link: Link) -> Verdict {
        let reborn = || {
            let mut lives = self.lives.keys();
            lives.any(|life| life.name == owner.name && life.incarnation > owner.incarnation)
        };
        match (link, self.lives.get(owner)) {
            // It is there, and cannot write: whatever it is asked it can decide nothing.
            (Link::Up, Some(seen)) if seen.still >= LINKED_STILL_LOOKS => Verdict::Gone,
            (Link::Up, _) => Verdict::Alive,
            (Link::Refused, _) => Verdict::Gone,
            (Link::Unknown, _) if reborn() => Verdict::Gone,
            (Link::Unknown, Some(seen)) if seen.still >= STILL_LOOKS => Verdict::Gone,
            (Link::Unknown, Some(_)) => Verdict::Unsure,
            // A node beats before it takes anything, so one that the store does not know is a name of long ago.
            (Link::Unknown, None) if self.looks > STILL_LOOKS => Verdict::Gone,
            (Link::Unknown, None) => Verdict::Unsure,
        }
    }
}

/// Answers that a peer did not give, in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed(u32);

impl Missed {
    /// Whether the last call was not answered.
    pub fn any(self) -> bool {
        self.0 > 0
    }

    /// One more call was answered in time, or not. Answers whether the link is to be closed.
    #[must_use]
    pub fn count(&mut self, answered: bool) -> bool {
        self.0 = if answered { 0 } else { self.0 + 1 };
        self.0 >= MISSED_MAX
    }
}

/// Looks at a beat that stands still before its node counts as gone.
pub const STILL_LOOKS: u32 = 3;
/// The same of a node that answers: a store that is slow for one of two nodes is more likely than one that is gone.
pub const LINKED_STILL_LOOKS: u32 = 5;
/// Calls in a row without an answer before a link is closed.
pub const MISSED_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Incarnation;

    fn beat(node: &str, incarnation: u64, beat: u64) -> NodeBeat {
        NodeBeat {
            node: node.into(),
            incarnation: Incarnation(incarnation),
            beat,
            address: "127.0.0.1:7000".into(),
            reads: None,
        }
    }

    fn owner(incarnation: u64) -> Peer {
        Peer {
            name: "a".parse().expect("a name"),
            incarnation: Incarnation(incarnation),
        }
    }

    /// Looks at these beats of node `a`, one look each, then judges its first incarnation.
    fn check(looks: &[(u64, u64)], link: Link, expected: Verdict) {
        let mut beats = Beats::default();
        for (incarnation, n) in looks {
            beats.look(&[beat("a", *incarnation, *n), beat("b", 9, 1)]);
        }
        assert_eq!(beats.judge(&owner(1), link), expected, "{looks:?} {link:?}");
    }

    #[test]
    fn a_beat_that_stands_still_or_a_refused_dial_is_the_end() {
        check(&[(1, 5)], Link::Unknown, Verdict::Unsure);
        check(&[(1, 5), (1, 5), (1, 5)], Link::Unknown, Verdict::Unsure);
        check(
            &[(1, 5), (1, 5), (1, 5), (1, 5)],
            Link::Unknown,
            Verdict::Gone,
        );
        check(
            &[(1, 5), (1, 5), (1, 5), (1, 6), (1, 6)],
            Link::Unknown,
            Verdict::Unsure,
        );
        check(&[(1, 5), (1, 6)], Link::Refused, Verdict::Gone);
        check(&[(1, 5), (2, 1)], Link::Unknown, Verdict::Gone);
        check(&[], Link::Unknown, Verdict::Unsure);
        let mut beats = Beats::default();
        (0..4).for_each(|_| beats.look(&[]));
        assert_eq!(beats.judge(&owner(1), Link::Unknown), Verdict::Gone);
    }

    #[test]
    fn who_answers_is_alive_unless_he_cannot_write() {
        check(&[(1, 5); 5], Link::Up, Verdict::Alive);
        check(&[(1, 5); 6], Link::Up, Verdict::Gone);
        check(&[], Link::Up, Verdict::Alive);
    }

    #[test]
    fn three_missed_answers_in_a_row_close_a_link() {
        let mut missed = Missed::default();
        let closes: Vec<bool> = [false, false, true, false, false, false]
            .map(|answered| missed.count(answered))
            .to_vec();
        assert_eq!(closes, [false, false, false, false, false, true]);
    }

    #[test]
    fn nodes_that_beat_can_be_reached() {
        let mut beats = Beats::default();
        for n in 0..5 {
            beats.look(&[beat("a", 1, n), beat("b", 2, 7)]);
        }
        let found: Vec<String> = beats
            .moving()
            .map(|(peer, _)| peer.name.to_string())
            .collect();
        assert_eq!(found, ["a"]);
    }
}
