//! Which tables failed where, and when it is enough.
//!
//! A table that fails again and again at the same position of its log is parked:
//! starting it once more would do the same again. One that got further in between
//! is given a fresh chance. So one bad table never takes its shard down (R25).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use crate::ids::{Seq, TableId};

/// The falls of a shard's tables.
pub struct Falls {
    park_after: u32,
    tables: Mutex<BTreeMap<TableId, Fall>>,
}

/// How a table fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fall {
    /// Failures in a row at the same position.
    pub count: u32,
    /// Failures in all since the process started.
    pub total: u32,
    /// Where the table stood when it last came up or went on.
    pub at: Option<Seq>,
    /// Why it failed last.
    pub reason: String,
    /// No longer started.
    pub parked: bool,
    /// Its next end does not count.
    excused: bool,
}

impl Falls {
    pub(super) fn new(park_after: u32) -> Self {
        Self {
            park_after,
            tables: Mutex::new(BTreeMap::new()),
        }
    }

    /// A table failed. Answers the pause before it is started again; `None` parks it.
    pub(super) fn fell(&self, table: TableId, reason: String) -> Option<Duration> {
        let mut tables = self.lock();
        let fall = tables.entry(table).or_default();
        if std::mem::take(&mut fall.excused) {
            return Some(FIRST_PAUSE);
        }
        fall.count += 1;
        fall.total += 1;
        fall.reason = reason;
        fall.parked = fall.count >= self.park_after;
        (!fall.parked)
            .then(|| FIRST_PAUSE * 2_u32.saturating_pow((fall.count - 1).min(PAUSE_DOUBLINGS)))
    }

    /// The table's present end is not its own fault: its shard's log went away.
    pub fn excuse(&self, table: TableId) {
        self.lock().entry(table).or_default().excused = true;
    }

    /// A table that failed before stands at this position: one that got further is given
    /// a fresh chance. Answers whether it ever failed.
    pub fn reached(&self, table: TableId, at: Seq) -> bool {
        let mut tables = self.lock();
        let Some(fall) = tables.get_mut(&table) else {
            return false;
        };
        if fall.at.is_some_and(|before| before != at) {
            fall.count = 0;
        }
        fall.at = Some(at);
        fall.excused = false;
        true
    }

    /// Gives a parked table another chance.
    pub fn forgive(&self, table: TableId) {
        if let Some(fall) = self.lock().get_mut(&table) {
            fall.count = 0;
            fall.parked = false;
        }
    }

    /// How a table fared, if it ever failed.
    pub fn of(&self, table: TableId) -> Option<Fall> {
        self.lock().get(&table).cloned()
    }

    /// Whether a table is parked.
    pub fn parked(&self, table: TableId) -> bool {
        self.lock().get(&table).is_some_and(|fall| fall.parked)
    }

    /// How many tables are parked.
    pub fn count_parked(&self) -> u64 {
        self.lock().values().filter(|fall| fall.parked).count() as u64
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TableId, Fall>> {
        self.tables
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause is 20 ms · 2⁸, about five seconds.
const PAUSE_DOUBLINGS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: TableId = TableId(5);

    #[test]
    fn parked_after_so_many_failures_where_it_stands() {
        let falls = Falls::new(3);
        for pause in [20, 40] {
            assert_eq!(
                falls.fell(TABLE, "boom".into()),
                Some(Duration::from_millis(pause))
            );
            falls.reached(TABLE, Seq(9));
        }
        assert_eq!(falls.fell(TABLE, "boom".into()), None);
        assert!(falls.parked(TABLE));
        assert!(!falls.parked(TableId(6)));
        falls.forgive(TABLE);
        assert_eq!(falls.fell(TABLE, "boom".into()), Some(FIRST_PAUSE));
    }

    #[test]
    fn one_fall_after_it_went_on_is_the_first_again() {
        let falls = Falls::new(2);
        assert!(falls.fell(TABLE, "boom".into()).is_some());
        assert!(falls.reached(TABLE, Seq(9)));
        assert!(falls.reached(TABLE, Seq(10)));
        assert!(falls.fell(TABLE, "boom".into()).is_some());
        assert!(falls.fell(TABLE, "boom".into()).is_none());
    }

    #[test]
    fn a_log_that_went_away_is_not_the_tables_fault() {
        let falls = Falls::new(2);
        assert!(falls.fell(TABLE, "boom".into()).is_some());
        for _ in 0..9 {
            falls.excuse(TABLE);
            assert!(falls.fell(TABLE, "no log".into()).is_some());
        }
        assert!(falls.fell(TABLE, "boom".into()).is_none());
    }

    #[test]
    fn a_table_that_gets_further_is_not_parked() {
        let falls = Falls::new(3);
        for seq in 0..100 {
            assert!(falls.fell(TABLE, "boom".into()).is_some());
            falls.reached(TABLE, Seq(seq));
        }
    }
}
