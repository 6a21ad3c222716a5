//! Faults and mistakes that tests put into tables. Not in a server that is built for
//! play: the feature `faults` is off by default.

use std::{collections::BTreeMap, sync::Mutex};

use crate::ids::TableId;

/// What goes wrong at a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It panics the next time that it works.
    PanicOnce,
    /// It panics whenever it works.
    PanicAlways,
    /// Nothing goes wrong any more.
    None,
}

/// A mistake that the code avoids, made on purpose: the simulation shows that its
/// checks see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A repeated request is done again.
    ForgetsRequests,
    /// The refusal of a repeated request is not kept in the log.
    ForgetsRefusals,
    /// A request without an answer is said to be refused.
    TimeOutIsRefusal,
    /// A request is acknowledged before it is durable.
    AcknowledgesEarly,
    /// A snapshot does not carry the deck of the open hand.
    SnapshotWithoutDeck,
    /// After a commit of unknown outcome the log goes on in its old segment.
    KeepsOldSegment,
    /// The slot of a commit of unknown outcome is given to the next one.
    ReusesSlot,
    /// A deck is written in clear.
    ClearDeck,
    /// A watcher that lagged goes on without the frames that it missed.
    SkipsFrames,
}

/// The faults of a shard's tables, and its mistake.
#[derive(Default)]
pub struct Faults {
    tables: Mutex<BTreeMap<TableId, Fault>>,
    defect: Mutex<Option<Defect>>,
}

impl Faults {
    /// Puts a fault into a table.
    pub fn put(&self, table: TableId, fault: Fault) {
        lock(&self.tables).insert(table, fault);
    }

    /// Makes a mistake from now on.
    pub fn make(&self, defect: Defect) {
        *lock(&self.defect) = Some(defect);
    }

    /// Whether this mistake is made.
    pub(super) fn makes(&self, defect: Defect) -> bool {
        *lock(&self.defect) == Some(defect)
    }

    /// Panics if it is time to.
    pub(super) fn strike(&self, table: TableId) {
        let fault = {
            let mut faults = lock(&self.tables);
            let fault = faults.get(&table).copied().unwrap_or(Fault::None);
            if fault == Fault::PanicOnce {
                faults.remove(&table);
            }
            fault
        };
        assert!(fault == Fault::None, "a fault was put into this table");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds this lock")
}
