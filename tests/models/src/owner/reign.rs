//! Commits, rotations and prunes of the owner.

use super::{At, End, Owner, Rules, Told};
use crate::words::{Answer, Fixed, Fold, Key, Keys, Kind, Link, Payload, Values, Words};

impl<W: Words> Owner<W>
where
    W::Fold: Ord,
{
    pub(super) fn appended(
        &mut self,
        row: Payload<W>,
        answer: Answer<W>,
        rules: &Rules,
    ) -> (At<W>, Told<W::Body>) {
        let found = match answer {
            Answer::Applied if rules.rechecks => return (At::Recheck { row }, Told::Nothing),
            Answer::Applied => {
                let told = self.wrote(&row);
                return (self.after(&row), told);
            }
            Answer::NotApplied(Values::Segment(Some(found))) if found.writer == self.token => found,
            Answer::NotApplied(_) | Answer::Read(_) => {
                return (At::Ended(End::Undetermined), Told::Nothing);
            }
        };
        let link = W::link(self.link, self.n, &row);
        let proven = found.last == link || rules.reuses_slots;
        if proven && found.next_n == self.n + 1 {
            let told = self.wrote(&row);
            let at = if found.seal.is_some() {
                At::Ended(End::Refused)
            } else {
                self.after(&row)
            };
            return (at, told);
        }
        if found.seal.is_some() && found.next_n == self.n && found.last == self.stored {
            let told = match row.kind {
                Kind::Commit => Told::Never(row.body),
                Kind::Part | Kind::End(_) => Told::Nothing,
            };
            return (At::Ended(End::Refused), told);
        }
        (At::Ended(End::Undetermined), Told::Nothing)
    }

    /// The row is in the log.
    pub(super) fn wrote(&mut self, row: &Payload<W>) -> Told<W::Body> {
        self.link = W::link(self.link, self.n, row);
        self.stored = self.link;
        self.n += 1;
        match row.kind {
            Kind::Commit => {
                self.fold.row(row);
                Told::Acknowledged(row.body)
            }
            Kind::Part | Kind::End(_) => Told::Nothing,
        }
    }

    pub(super) fn after(&mut self, row: &Payload<W>) -> At<W> {
        match row.kind {
            Kind::Commit => At::Reign,
            Kind::Part => At::Checkpoint,
            Kind::End(_) => {
                self.checkpoints.push(self.open);
                At::HintNext
            }
        }
    }

    pub(super) fn rotated(&mut self) -> At<W> {
        self.open = self.open.rotated();
        self.n = 0;
        self.stored = Link::EMPTY;
        self.chain.push(self.open);
        At::Checkpoint
    }

    pub(super) fn advanced(
        &mut self,
        from: Key,
        to: Key,
        answer: &Answer<W>,
        rules: &Rules,
    ) -> At<W> {
        match answer {
            Answer::Applied => {}
            Answer::NotApplied(Values::Shard(Some(row))) if row.low == to => {}
            // An earlier advance of mine was applied meanwhile.
            Answer::NotApplied(Values::Shard(Some(row)))
                if row.low < to && from == self.low && self.unheard.has(row.low) =>
            {
                return At::Advance { from: row.low, to };
            }
            Answer::NotApplied(_) | Answer::Read(_) => return At::Reign,
        }
        self.low = to;
        self.unheard.take_before(to);
        if self.unheard.has(to) {
            self.unheard.remove(to);
        }
        let before = self.chain.take_before(to);
        self.checkpoints.take_before(to);
        if rules.deletes_first {
            return At::Reign;
        }
        self.leftovers.extend(&before);
        self.sweeps()
    }

    pub(super) fn sweeps(&self) -> At<W> {
        match self.leftovers.last() {
            Some(_) => At::Sweep,
            None => At::Reign,
        }
    }

    /// Variant: the incarnation restarts, reads its open segment as it is, and goes on there.
    pub fn resumes(&mut self, fixed: &Fixed, rows: &[(u32, Payload<W>)]) {
        let mut link = self.link;
        for (n, row) in rows {
            link = W::link(
                if *n == 0 {
                    row.previous.unwrap_or(link)
                } else {
                    link
                },
                *n,
                row,
            );
            if *n >= self.n {
                self.fold.row(row);
            }
        }
        if fixed.next_n > 0 {
            self.link = fixed.last;
        }
        self.n = fixed.next_n;
        self.stored = fixed.last;
        self.at = At::Reign;
    }
}
