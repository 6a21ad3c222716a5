//! Who watches which table: a registry that outlives the tables' actors.
//!
//! A table sends with `try_send` only. A watcher whose queue is full is skipped
//! until there is room; then it gets a reset and a fresh snapshot. One that is
//! still full after [`SLOW_MAX`] is dropped: its session ends the stream.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::Viewer;
use tokio::{
    sync::{Notify, mpsc::error::TrySendError},
    time::Instant,
};

use super::{
    frame::{EventFrame, Frame, FrameSender, ResetReason, WatcherId},
    request::{Position, TableView},
    state::Told,
};
use crate::ids::{Epoch, Seq, TableId};

/// The watchers of a shard's tables.
#[derive(Default)]
pub struct Watchers(Mutex<BTreeMap<TableId, Vec<Watcher>>>);

/// A watch of a table that left this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The table.
    pub table: TableId,
    /// Whose watch it was.
    pub watcher: WatcherId,
    /// The last event that was sent; `None`: not even a snapshot was.
    pub after: Option<Seq>,
}

/// Where watches of tables that left wait to be taken in again. Clones are the same.
#[derive(Clone, Default)]
pub struct Orphanage(Arc<(Mutex<Vec<Orphan>>, Notify)>);

impl Orphanage {
    pub(super) fn leave(&self, orphans: Vec<Orphan>) {
        if !orphans.is_empty() {
            self.lock().extend(orphans);
            self.0.1.notify_one();
        }
    }

    /// Returns when there is somebody to take.
    pub async fn news(&self) {
        self.0.1.notified().await;
    }

    /// Takes all.
    pub fn take(&self) -> Vec<Orphan> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Orphan>> {
        self.0
            .0
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

/// One watch of one session at one table. Clones are the same watch.
#[derive(Clone)]
pub struct Watcher {
    /// Which.
    pub id: WatcherId,
    /// Who looks.
    pub viewer: Viewer,
    /// One sender for all clones: a session counts its senders to see whether a table let go of it.
    queue: Arc<FrameSender>,
    /// The last event that was sent, plus one; 0 is none, a snapshot is due.
    sent: Arc<AtomicU64>,
}

impl Watchers {
    /// Registers a watch, which begins after the given event or with a snapshot.
    pub fn add(
        &self,
        table: TableId,
        id: WatcherId,
        viewer: Viewer,
        after: Option<Seq>,
        queue: FrameSender,
    ) {
        let sent = Arc::new(AtomicU64::new(
            after.map_or(0, |seq| seq.0.saturating_add(1)),
        ));
        let mut tables = self.lock();
        let watchers = tables.entry(table).or_default();
        watchers.retain(|watcher| watcher.id != id && !watcher.queue.is_closed());
        watchers.push(Watcher {
            id,
            viewer,
            queue: Arc::new(queue),
            sent,
        });
    }

    /// Ends a watch.
    pub fn remove(&self, table: TableId, id: WatcherId) {
        self.keep(table, |watcher| watcher.id != id);
    }

    /// Ends this very watch, not one that its session began anew under the same id.
    pub fn forget(&self, table: TableId, gone: &Watcher) {
        self.keep(table, |watcher| !Arc::ptr_eq(&watcher.sent, &gone.sent));
    }

    fn keep(&self, table: TableId, wanted: impl Fn(&Watcher) -> bool) {
        let mut tables = self.lock();
        if let Some(watchers) = tables.get_mut(&table) {
            watchers.retain(wanted);
            if watchers.is_empty() {
                tables.remove(&table);
            }
        }
    }

    /// Ends all watches, and says how far each was: the shard is served elsewhere.
    pub fn let_go(&self) -> Vec<Orphan> {
        let tables = std::mem::take(&mut *self.lock());
        let watches = tables.into_iter().flat_map(|(table, watchers)| {
            watchers.into_iter().map(move |watcher| (table, watcher))
        });
        watches
            .map(|(table, watcher)| Orphan {
                table,
                watcher: watcher.id,
                after: watcher.sent.load(Relaxed).checked_sub(1).map(Seq),
            })
            .collect()
    }

    /// Who watches a table.
    pub fn of(&self, table: TableId) -> Vec<Watcher> {
        self.lock().get(&table).cloned().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<TableId, Vec<Watcher>>> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

/// The watchers that a table's actor serves, with what it knows of each.
#[derive(Default)]
pub struct Audience {
    seats: Vec<(Watcher, Option<Instant>)>,
}

/// What an audience needs of its table.
pub struct Stage<'a> {
    /// The table.
    pub table: TableId,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// The table's last event.
    pub seq: Seq,
    /// The latest events, without a gap up to `seq`.
    pub ring: &'a std::collections::VecDeque<Arc<Told>>,
    /// Makes a snapshot.
    pub snapshot: &'a dyn Fn(Viewer) -> TableView,
    /// A mistake made on purpose: what does not fit into a queue counts as sent.
    #[cfg(feature = "faults")]
    pub skips: bool,
}

impl Audience {
    /// Takes over who is registered now; known ones keep their place.
    pub fn refresh(&mut self, registered: Vec<Watcher>) {
        let before = std::mem::take(&mut self.seats);
        self.seats = registered
            .into_iter()
            .map(|watcher| {
                let since = before
                    .iter()
                    .find(|(known, _)| Arc::ptr_eq(&known.sent, &watcher.sent))
                    .and_then(|(_, since)| *since);
                (watcher, since)
            })
            .collect();
    }

    /// Whether nobody watches.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Whether somebody waits for room in a queue.
    pub fn someone_lags(&self) -> bool {
        self.seats.iter().any(|(_, since)| since.is_some())
    }

    /// Brings everybody up to the table's last event. Answers who was too slow for
    /// too long, or is gone: they are to be removed.
    pub fn catch_up(&mut self, stage: &Stage<'_>) -> Vec<Watcher> {
        let mut gone = Vec::new();
        self.seats.retain_mut(
            |(watcher, since)| match watcher.catch_up(stage, since.is_some()) {
                Caught::Up => {
                    *since = None;
                    true
                }
                Caught::Full => {
                    let began = *since.get_or_insert_with(Instant::now);
                    let patient = began.elapsed() < SLOW_MAX;
                    if !patient {
                        gone.push(watcher.clone());
                    }
                    patient
                }
                Caught::Closed => {
                    gone.push(watcher.clone());
                    false
                }
            },
        );
        gone
    }
}

enum Caught {
    Up,
    Full,
    Closed,
}

impl Watcher {
    fn catch_up(&self, stage: &Stage<'_>, lagged: bool) -> Caught {
        loop {
            let sent = self.sent.load(Relaxed);
            if sent == stage.seq.0 + 1 {
                return Caught::Up;
            }
            let frame = match self.next(stage, sent, lagged) {
                Next::Event(frame) => (Frame::Event(frame), sent + 1),
                Next::Snapshot(reason) => {
                    // Both or neither: a reset without its snapshot would say nothing.
                    if self.queue.capacity() < 2 {
                        return if self.queue.is_closed() {
                            Caught::Closed
                        } else {
                            Caught::Full
                        };
                    }
                    if let Some(reason) = reason
                        && self
                            .queue
                            .try_send(Frame::Reset {
                                table: stage.table,
                                reason,
                            })
                            .is_err()
                    {
                        return Caught::Full;
                    }
                    (
                        Frame::Snapshot(Box::new((stage.snapshot)(self.viewer))),
                        stage.seq.0 + 1,
                    )
                }
            };
            match self.queue.try_send(frame.0) {
                Ok(()) => self.sent.store(frame.1, Relaxed),
                #[cfg(feature = "faults")]
                Err(TrySendError::Full(_)) if stage.skips => self.sent.store(frame.1, Relaxed),
                Err(TrySendError::Full(_)) => return Caught::Full,
                Err(TrySendError::Closed(_)) => return Caught::Closed,
            }
        }
    }

    /// What comes after `sent`: an event that is still kept, or the whole table.
    fn next(&self, stage: &Stage<'_>, sent: u64, lagged: bool) -> Next {
        let Some(last) = sent.checked_sub(1) else {
            return Next::Snapshot(None);
        };
        let reason = if lagged {
            ResetReason::Slow
        } else {
            ResetReason::Compacted
        };
        // What lies ahead of the log was seen from an owner that no longer counts, or is made up.
        let first_kept = stage.ring.front().map(|told| told.stamped.seq.0);
        let Some(first_kept) = first_kept.filter(|first| last < stage.seq.0 && last + 1 >= *first)
        else {
            return Next::Snapshot(Some(reason));
        };
        let told = &stage.ring[usize::try_from(last + 1 - first_kept).expect("the ring is short")];
        Next::Event(EventFrame {
            table: stage.table,
            position: Position {
                epoch: stage.epoch,
                seq: told.stamped.seq,
            },
            at_ms: told.stamped.at_ms,
            sight: told.sight(self.viewer),
        })
    }
}

enum Next {
    Event(EventFrame),
    Snapshot(Option<ResetReason>),
}

/// How long a queue may stay full before its watcher is dropped.
const SLOW_MAX: Duration = Duration::from_secs(10);
