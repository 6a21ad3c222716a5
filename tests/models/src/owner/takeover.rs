//! What an owner makes of an answer, and the way to its segment at the end of the chain.

use super::{At, End, Finding, Owner, Rules, Told};
use crate::words::{Answer, Fixed, Key, Keys, Seal, ShardRow, Token, Values, Words};

impl<W: Words> Owner<W>
where
    W::Fold: Ord,
{
    /// It hears the answer of [`Owner::statement`].
    pub fn hears(&mut self, answer: Answer<W>, rules: &Rules) -> Told<W::Body> {
        let mut told = Told::Nothing;
        self.at = match (std::mem::replace(&mut self.at, At::Reign), answer) {
            (At::Start, Answer::Read(Values::Shard(row))) => self.started(row, rules),
            (At::CreateRoot, _) => At::Win { from: None },
            (At::Win { .. }, answer) => self.counted(&answer, rules),
            (At::Create, answer) => self.created(&answer, rules),
            (At::Claimed, Answer::Read(Values::Shard(row))) => match row {
                Some(row) if self.from_low => self.links(row.low, rules),
                Some(row) => self.links(row.tail, rules),
                None => At::Ended(End::Damaged(Finding::MissingShard)),
            },
            (At::Link { .. }, Answer::Applied) => At::Hint,
            (At::Link { tail }, Answer::NotApplied(Values::Segment(found))) => {
                self.follows(tail, found, rules)
            }
            (At::Hint, _) => At::ReadLow { damage: None },
            (At::ReadLow { damage }, Answer::Read(Values::Shard(row))) => {
                self.begins(row, damage, rules)
            }
            (
                At::Read {
                    segment,
                    n,
                    known,
                    checkpoint,
                },
                Answer::Read(Values::Rows(rows)),
            ) => match self.reads(segment, n, known, checkpoint, rows, rules) {
                Ok(At::Reign) => {
                    told = Told::Reigns;
                    At::Reign
                }
                Ok(at) => at,
                Err(finding) => At::ReadLow {
                    damage: Some((self.low, finding)),
                },
            },
            (At::Append { row, .. }, answer) => {
                let (at, said) = self.appended(row, answer, rules);
                told = said;
                at
            }
            (At::Recheck { row }, Answer::Read(Values::Segment(found))) => {
                if found.is_some_and(|found| found.seal.is_none() && found.writer == self.token) {
                    told = self.wrote(&row);
                    self.after(&row)
                } else {
                    At::Ended(End::Undetermined)
                }
            }
            (At::CreateNext, Answer::Applied) => At::SealNext { doubt: false },
            (At::CreateNext, Answer::NotApplied(Values::Segment(Some(found))))
                if found.writer == self.token && found.next_n == 0 && found.seal.is_none() =>
            {
                At::SealNext { doubt: false }
            }
            (At::SealNext { .. }, Answer::Applied) => self.rotated(),
            (At::SealNext { .. }, Answer::NotApplied(Values::Segment(Some(found)))) => {
                match found.seal {
                    Some(seal) if self.is_mine(seal, self.open.rotated(), rules) => self.rotated(),
                    Some(_) => At::Ended(End::Refused),
                    None => At::Ended(End::Undetermined),
                }
            }
            (At::HintNext, _) => At::Reign,
            (At::FreshLow { to }, Answer::Read(Values::Shard(Some(row)))) => {
                At::Advance { from: row.low, to }
            }
            (At::Advance { from, to }, answer) => self.advanced(from, to, &answer, rules),
            (At::Sweep, Answer::Applied) => {
                self.leftovers.pop();
                self.sweeps()
            }
            (At::DeleteFirst { to, mut left }, Answer::Applied) => {
                left.pop();
                match left.last() {
                    Some(_) => At::DeleteFirst { to, left },
                    None => At::Advance { from: self.low, to },
                }
            }
            (At::FindClaim { next }, Answer::Read(Values::Segment(found))) => match found {
                Some(found) if found.seal.is_none() => At::HandOver { next, doubt: false },
                Some(_) | None => At::Reign,
            },
            (At::HandOver { .. }, Answer::Applied) => At::Ended(End::HandedOver),
            (At::HandOver { next, .. }, Answer::NotApplied(Values::Segment(Some(found)))) => {
                match found.seal {
                    Some(seal) if self.is_mine(seal, next, rules) => At::Ended(End::HandedOver),
                    Some(_) => At::Ended(End::Refused),
                    None => At::Ended(End::Undetermined),
                }
            }
            (At::Confirm, Answer::Read(Values::Segment(found))) => match found {
                Some(found) if self.expects(&found) && found.seal.is_none() => At::Reign,
                Some(found) if self.expects(&found) => At::Ended(End::Refused),
                Some(_) | None => At::Ended(End::Damaged(Finding::ForeignState)),
            },
            (_, _) => At::Ended(End::Undetermined),
        };
        told
    }

    /// Whether the static part of its segment is what it believes.
    pub fn expects(&self, found: &Fixed) -> bool {
        found.writer == self.token && found.next_n == self.n && found.last == self.stored
    }

    pub(super) fn is_mine(&self, seal: Seal, next: Key, rules: &Rules) -> bool {
        seal.next == next && (seal.by == self.token || rules.shares_segments)
    }

    pub(super) fn started(&mut self, row: Option<ShardRow>, rules: &Rules) -> At<W> {
        self.epoch = row.map_or(0, |row| row.epoch) + 1;
        self.open = Key::first_of(self.epoch);
        match row {
            Some(row) => At::Win {
                from: Some(row.epoch),
            },
            None if rules.missing_is_tail => At::Win { from: None },
            None => At::CreateRoot,
        }
    }

    pub(super) fn counted(&mut self, answer: &Answer<W>, rules: &Rules) -> At<W> {
        let stands = match answer {
            Answer::Applied => return self.claims(rules),
            Answer::NotApplied(Values::Shard(Some(row))) => row.epoch,
            Answer::NotApplied(_) | Answer::Read(_) => 0,
        };
        if rules.shares_segments && stands == self.epoch {
            return self.claims(rules);
        }
        At::Ended(End::Outrun)
    }

    pub(super) fn claims(&mut self, rules: &Rules) -> At<W> {
        if rules.shares_segments {
            // Nothing tells the rivals of one epoch apart.
            self.token = Token(1_000 + u64::from(self.epoch));
        }
        At::Create
    }

    pub(super) fn created(&self, answer: &Answer<W>, rules: &Rules) -> At<W> {
        match answer {
            Answer::Applied => At::Claimed,
            Answer::NotApplied(Values::Segment(Some(found)))
                if found.writer == self.token || rules.shares_segments =>
            {
                At::Claimed
            }
            Answer::NotApplied(_) | Answer::Read(_) => At::Ended(End::Outrun),
        }
    }

    pub(super) fn links(&self, tail: Key, rules: &Rules) -> At<W> {
        if tail == self.open {
            // The chain leads to my segment: an attempt of mine won after all, or an owner handed over to me.
            return At::Hint;
        }
        if tail.epoch >= self.open.epoch && !rules.seals_higher {
            return At::Ended(End::Outrun);
        }
        At::Link { tail }
    }

    pub(super) fn follows(&self, tail: Key, found: Option<Fixed>, rules: &Rules) -> At<W> {
        let Some(found) = found else {
            if rules.missing_is_tail {
                return At::Hint;
            }
            return At::Ended(if self.from_low {
                End::Damaged(Finding::MissingSegment)
            } else {
                End::Outrun
            });
        };
        match found.seal {
            Some(seal) if seal.by == self.token && seal.next == self.open => At::Hint,
            Some(seal) if seal.next > tail || rules.seals_higher => self.links(seal.next, rules),
            Some(_) => At::Ended(End::Damaged(Finding::ChainFalls)),
            None => At::Ended(End::Outrun),
        }
    }
}
