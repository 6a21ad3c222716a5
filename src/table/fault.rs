//! Faults that tests put into tables. Not in a server that is built for play: the
//! feature `faults` is off by default.

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

/// The faults of a shard's tables.
#[derive(Default)]
pub struct Faults(Mutex<BTreeMap<TableId, Fault>>);

impl Faults {
    /// Puts a fault into a table.
    pub fn put(&self, table: TableId, fault: Fault) {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(table, fault);
    }

    /// Panics if it is time to.
    pub(super) fn strike(&self, table: TableId) {
        let fault = {
            let mut faults = self
                .0
                .lock()
                .expect("no code panics while it holds this lock");
            let fault = faults.get(&table).copied().unwrap_or(Fault::None);
            if fault == Fault::PanicOnce {
                faults.remove(&table);
            }
            fault
        };
        assert!(fault == Fault::None, "a fault was put into this table");
    }
}
