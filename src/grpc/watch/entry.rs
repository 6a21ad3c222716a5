//! One watch, and the list of those that are open: what is kept of them, and how many there may be.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::PlayerId;
use proto::v1;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::Instant,
};

use super::{
    pulse::{Finding, Look, Pulse},
    registry::{WatchError, WatchId},
    relay::Proof,
    stream::Ending,
};
use crate::{
    ids::TableId,
    table::frame::{FrameSender, WatcherId},
};

/// The open watches of this node.
#[derive(Default)]
pub struct Open {
    pub by_id: HashMap<WatchId, Arc<Watch>>,
    /// How many each player has; those with none are not in it.
    per_player: HashMap<PlayerId, usize>,
    /// Whether no more are taken.
    pub draining: bool,
}

impl Open {
    /// Takes a watch in, if there may be one more.
    pub fn add(&mut self, watch: &Arc<Watch>, per_player: usize) -> Result<(), WatchError> {
        if self.draining {
            return Err(WatchError::Draining);
        }
        if self.by_id.len() >= WATCHES_MAX {
            return Err(WatchError::NodeFull { max: WATCHES_MAX });
        }
        let of_player = self.per_player.get(&watch.player).copied().unwrap_or(0);
        if of_player >= per_player {
            return Err(WatchError::TooManyWatches { max: per_player });
        }
        self.per_player.insert(watch.player, of_player + 1);
        self.by_id.insert(watch.id, Arc::clone(watch));
        Ok(())
    }

    /// Takes a watch out; the second time nothing happens.
    pub fn remove(&mut self, watch: &Watch) {
        if self.by_id.remove(&watch.id).is_none() {
            return;
        }
        let left = self
            .per_player
            .get(&watch.player)
            .map_or(0, |of_player| of_player.saturating_sub(1));
        if left == 0 {
            self.per_player.remove(&watch.player);
        } else {
            self.per_player.insert(watch.player, left);
        }
    }
}

/// One watch.
pub struct Watch {
    /// What its client calls it.
    pub id: WatchId,
    /// What tables call it.
    pub watcher: WatcherId,
    /// Whose it is.
    pub player: PlayerId,
    /// What he proved that with, for the owners of tables elsewhere.
    pub proof: Option<Proof>,
    /// Where frames go.
    pub queue: FrameSender,
    /// Where frames of other nodes go.
    pub relayed: mpsc::Sender<v1::WatchSessionResponse>,
    /// Frames that the client took.
    pub taken: AtomicU64,
    /// Taken by whoever ends it first.
    pub end: Mutex<Option<oneshot::Sender<Ending>>>,
    /// What it watches.
    pub watched: Mutex<Watched>,
    /// What sweeps saw of it.
    pub pulse: Mutex<Pulse>,
}

/// The tables of a watch.
#[derive(Default)]
pub struct Watched {
    /// Those of this node that are watched.
    pub tables: BTreeSet<TableId>,
    /// Those of other nodes, with the task that relays each.
    pub relays: BTreeMap<TableId, AbortHandle>,
    /// Subscriptions under way.
    pub pending: usize,
    /// The watch ended: no table may be added.
    pub over: bool,
}

impl Watched {
    /// Makes room for one more.
    pub fn reserve(&mut self, max: usize) -> Result<(), WatchError> {
        if self.over {
            return Err(WatchError::NoSuchWatch);
        }
        if self.tables.len() + self.relays.len() + self.pending >= max {
            return Err(WatchError::TooManyTables { max });
        }
        self.pending += 1;
        Ok(())
    }
}

impl Watch {
    /// Tells the stream to end; the first reason counts.
    pub fn end(&self, ending: Ending) {
        let Some(end) = lock(&self.end).take() else {
            return;
        };
        if end.send(ending).is_err() {
            tracing::trace!(player = %self.player, "a stream ended by itself first");
        }
    }

    /// Looks at the queue once more.
    pub fn look(&self, now: Instant, slow_after: Duration) -> Option<Finding> {
        let look = {
            let watched = lock(&self.watched);
            Look {
                room: self.queue.capacity(),
                waiting: self.queue.max_capacity() - self.queue.capacity(),
                taken: self.taken.load(Relaxed),
                tables: watched.tables.len(),
                // One is the watch's own.
                senders: self.queue.strong_count().saturating_sub(1),
            }
        };
        lock(&self.pulse).look(look, now, slow_after)
    }
}

/// The lock of what is shared here: held for a few steps, never across an await.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds this lock")
}

/// Watches of a node: ten players at each of 20,000 tables, with a stream for each player and table.
const WATCHES_MAX: usize = 200_000;
