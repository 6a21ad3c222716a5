//! States for actors that start; lists and sums.

use std::ops::Bound;

use super::{
    super::recovery::{Held, Listed},
    LogState, Proposal, answer,
};
use crate::{
    ids::{Seq, TableId},
    table::codec::CodecError,
};

/// Why a table's state cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such table in this shard.
    #[error("there is no such table")]
    NoSuchTable,
    /// Its bytes do not read.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// The sums over a shard's tables (promise P1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Tables.
    pub tables: u64,
    /// Tables whose state is held encoded.
    pub asleep: u64,
    /// Buy-ins and top-ups.
    pub chips_in: u64,
    /// Cash-outs.
    pub chips_out: u64,
    /// Rake of finished hands.
    pub rake: u64,
    /// Chips on the tables.
    pub on_tables: u64,
}

impl Sums {
    /// Adds another shard's.
    pub fn add(&mut self, other: &Self) {
        self.tables += other.tables;
        self.asleep += other.asleep;
        self.chips_in += other.chips_in;
        self.chips_out += other.chips_out;
        self.rake += other.rake;
        self.on_tables += other.on_tables;
    }
}

impl LogState {
    /// Answers loads whose table has nothing under way.
    pub(super) fn answer_loads(&mut self) {
        for (table, reply) in std::mem::take(&mut self.loads) {
            if self.under_way(table) {
                self.loads.push((table, reply));
                continue;
            }
            let woken = match self.book.wake(table, &self.shard.world.keys) {
                Ok(Some(woken)) => Ok(woken),
                Ok(None) => Err(LoadError::NoSuchTable),
                Err(error) => Err(error.into()),
            };
            answer(reply, woken);
        }
    }

    /// Whether a table has a proposal that is not decided yet.
    pub(super) fn under_way(&self, table: TableId) -> bool {
        let queued = self.queue.iter().map(AsRef::as_ref);
        let mut all = queued.chain(&self.flying);
        all.any(|proposal: &Proposal| proposal.next.id == table)
    }

    pub(super) fn rest(&mut self, table: TableId, at: Seq) {
        if let Err(error) = self.book.rest(table, at, &self.shard.world.keys) {
            tracing::error!(%table, %error, "a sleeping table stays in its large form");
        }
    }

    pub(super) fn list(&self, after: Option<TableId>, limit: usize) -> Vec<Listed> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.book
            .tables()
            .range((from, Bound::Unbounded))
            .take(limit)
            .map(|(table, committed)| Listed {
                table: *table,
                brief: committed.brief(),
                last_ms: committed.last_ms,
            })
            .collect()
    }

    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for committed in self.book.tables().values() {
            let brief = committed.brief();
            sums.tables += 1;
            sums.asleep += u64::from(matches!(committed.held, Held::Asleep(_)));
            sums.chips_in += brief.ledger.chips_in;
            sums.chips_out += brief.ledger.chips_out;
            sums.rake += brief.ledger.rake;
            sums.on_tables += brief.chips;
        }
        sums
    }
}
