//! Reading the log from `low` to its own segment.

use super::{At, Checkpoint, End, Finding, Owner, Rules};
use crate::words::{Chunk, Fixed, Fold, Key, Keys, Kind, Link, Payload, ShardRow, Words};

impl<W: Words> Owner<W>
where
    W::Fold: Ord,
{
    /// A fresh `low`: where reading begins, or begins again.
    pub(super) fn begins(
        &mut self,
        row: Option<ShardRow>,
        damage: Option<(Key, Finding)>,
        rules: &Rules,
    ) -> At<W> {
        let Some(row) = row else {
            return At::Ended(End::Damaged(Finding::MissingShard));
        };
        if let Some((low, finding)) = damage
            && low == row.low
        {
            return At::Ended(End::Damaged(finding));
        }
        if row.low > self.open {
            return At::Ended(End::Superseded);
        }
        self.low = row.low;
        self.chain = W::Keys::default();
        self.checkpoints = W::Keys::default();
        self.leftovers = W::Keys::default();
        self.link = self.genesis;
        self.fold.begin();
        let begin = if rules.missing_is_tail && row.low == Key::ROOT {
            self.open
        } else {
            row.low
        };
        self.enters(begin, (row.low == Key::ROOT).then_some(self.genesis))
    }

    pub(super) fn enters(&mut self, segment: Key, known: Option<Link>) -> At<W> {
        self.chain.push(segment);
        At::Read {
            segment,
            n: 0,
            known,
            checkpoint: Checkpoint::Open,
        }
    }

    pub(super) fn reads(
        &mut self,
        segment: Key,
        mut n: u32,
        mut known: Option<Link>,
        mut checkpoint: Checkpoint,
        chunk: Option<Chunk<W>>,
        rules: &Rules,
    ) -> Result<At<W>, Finding> {
        let Some((fixed, rows)) = chunk else {
            return Err(Finding::MissingSegment);
        };
        if n < fixed.next_n && rows.is_empty() {
            return Err(Finding::MissingRow);
        }
        for (number, row) in rows {
            if n >= fixed.next_n {
                return Err(Finding::ExtraRow);
            }
            if number != n {
                return Err(Finding::MissingRow);
            }
            if (n == 0) != row.previous.is_some() {
                return Err(Finding::BadFrame);
            }
            if let Some(previous) = row.previous {
                if known.is_some_and(|known| known != previous) {
                    return Err(Finding::BrokenChain);
                }
                self.link = previous;
            }
            self.link = W::link(self.link, n, &row);
            known = Some(self.link);
            checkpoint = self.kind(segment, &row, checkpoint, rules)?;
            if !self.fold.row(&row) {
                return Err(Finding::DoesNotFold);
            }
            n += 1;
        }
        if n < fixed.next_n {
            return Ok(At::Read {
                segment,
                n,
                known,
                checkpoint,
            });
        }
        if fixed.last != if n == 0 { Link::EMPTY } else { self.link } {
            return Err(Finding::WrongEnd);
        }
        if segment == self.open {
            return self.arrives(&fixed, rules);
        }
        let Some(seal) = fixed.seal else {
            return Err(Finding::OpenSegment);
        };
        if seal.next <= segment {
            return Err(Finding::ChainFalls);
        }
        if segment == self.low && segment != Key::ROOT && checkpoint != Checkpoint::Complete {
            return Err(Finding::NoCheckpoint);
        }
        Ok(self.enters(seal.next, known))
    }

    pub(super) fn kind(
        &mut self,
        segment: Key,
        row: &Payload<W>,
        checkpoint: Checkpoint,
        rules: &Rules,
    ) -> Result<Checkpoint, Finding> {
        match (&row.kind, checkpoint) {
            (Kind::Commit, Checkpoint::Open) => Ok(Checkpoint::None),
            (Kind::Commit, Checkpoint::Complete | Checkpoint::None) => Ok(checkpoint),
            (Kind::Part, Checkpoint::Open) if rules.trusts_parts => {
                self.checkpoints.push(segment);
                Ok(Checkpoint::Complete)
            }
            (Kind::Part, Checkpoint::Open) => Ok(Checkpoint::Open),
            (Kind::End(before), Checkpoint::Open) => {
                self.checkpoints.push(segment);
                if segment == self.low {
                    self.leftovers = before.clone();
                }
                Ok(Checkpoint::Complete)
            }
            (Kind::Part | Kind::End(_), _) if rules.trusts_parts => Ok(checkpoint),
            (Kind::Part | Kind::End(_), Checkpoint::Complete | Checkpoint::None) => {
                Err(Finding::BadFrame)
            }
        }
    }

    pub(super) fn arrives(&mut self, fixed: &Fixed, rules: &Rules) -> Result<At<W>, Finding> {
        let shared = rules.shares_segments;
        if (fixed.writer != self.token || fixed.next_n != 0) && !shared {
            return Err(Finding::ForeignState);
        }
        if fixed.seal.is_some() {
            return Ok(At::Ended(End::Superseded));
        }
        self.n = fixed.next_n;
        self.stored = fixed.last;
        Ok(At::Reign)
    }
}
