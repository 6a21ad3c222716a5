//! The watches of this node: whose they are, what they watch, and how they end.
//!
//! A watch ends once: its client goes, it is slow, or the node drains. Then every table is told to stop, and hears that
//! the player is gone if it was the last of his streams there. A subscription that is under way meanwhile finds the
//! watch over and takes itself back.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::{PlayerId, Viewer};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

use super::{
    WatchLimits,
    entry::{Open, Watch, lock},
    presence::Presence,
    pulse::Finding,
    relay::{Proof, RELAYED_MAX},
    stream::{Ending, SessionStream},
};
use crate::{
    cluster::Place,
    grpc::forward::Ways,
    ids::{Seq, TableId},
    table::{
        Orphan, Tables,
        frame::{Frame, ResetReason, WatcherId},
        request::CallError,
    },
};

/// All watches of this node. Cheap to clone.
#[derive(Clone)]
pub struct Watches(Arc<Inner>);

/// Names a watch to its client. Random, so that nobody names another's by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WatchId(pub Uuid);

/// Why something is not watched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// It ended, or never was.
    #[error(
        "there is no such watch: open a stream with WatchSession and use the watch_id of its first frame"
    )]
    NoSuchWatch,
    /// It is another player's.
    #[error("the watch is another session's")]
    NotYours,
    /// The watch has as many tables as one may have.
    #[error("a watch has at most {max} tables; open another one")]
    TooManyTables {
        /// So many.
        max: usize,
    },
    /// The player has as many watches as one may have.
    #[error("a player has at most {max} watches; close one")]
    TooManyWatches {
        /// So many.
        max: usize,
    },
    /// The node has as many watches as it may have.
    #[error("this node has as many watches as it takes ({max}); try again later")]
    NodeFull {
        /// So many.
        max: usize,
    },
    /// The node is about to stop.
    #[error("this node stops; connect again")]
    Draining,
    /// The table said no.
    #[error(transparent)]
    Table(#[from] CallError),
}

impl Watches {
    /// No watches yet. Must be called within the runtime that the watches live in.
    pub fn new(tables: Tables, ways: Ways, limits: WatchLimits) -> Self {
        let watches = Self(Arc::new(Inner {
            tables,
            ways,
            limits,
            runtime: Handle::current(),
            watchers: AtomicU64::new(1),
            open: Mutex::default(),
            presence: Mutex::default(),
        }));
        if !watches.0.ways.routes.is_alone() {
            watches.0.runtime.spawn(follow(Arc::downgrade(&watches.0)));
        }
        watches
    }

    /// Opens a watch. These tables are added one after the other while the client reads; one that does not exist shows
    /// as a reset.
    ///
    /// # Errors
    /// When there are too many, or the node drains.
    pub fn open(
        &self,
        player: PlayerId,
        origin: Origin,
        tables: Vec<(TableId, Option<Seq>)>,
    ) -> Result<SessionStream, WatchError> {
        let max = self.0.limits.tables;
        if tables.len() > max {
            return Err(WatchError::TooManyTables { max });
        }
        let (queue, frames) = mpsc::channel(self.0.limits.queue);
        let (relayed, from_others) = mpsc::channel(RELAYED_MAX);
        // A node has one stream for each table that it relays.
        let (proof, per_player) = match origin {
            Origin::Client(proof) => (proof, self.0.limits.per_player),
            Origin::Node => (None, usize::MAX),
        };
        let (end, ending) = oneshot::channel();
        let watch = Arc::new(Watch {
            id: WatchId(Uuid::new_v4()),
            watcher: WatcherId(self.0.watchers.fetch_add(1, Relaxed)),
            player,
            proof,
            queue,
            relayed,
            taken: AtomicU64::new(0),
            end: Mutex::new(Some(end)),
            watched: Mutex::default(),
            pulse: Mutex::default(),
        });
        lock(&self.0.open).add(&watch, per_player)?;
        if !tables.is_empty() {
            let (watches, watch) = (self.clone(), Arc::clone(&watch));
            self.0
                .runtime
                .spawn(async move { watches.subscribe_all(&watch, tables).await });
        }
        let frames = (frames, from_others);
        Ok(SessionStream::new(self.clone(), watch, frames, ending))
    }

    /// Adds a table to a watch. A table that is watched already begins again, after the given event or with a snapshot.
    ///
    /// # Errors
    /// When the watch is gone, another's or full, or the table does not answer.
    pub async fn subscribe(
        &self,
        player: PlayerId,
        id: WatchId,
        table: TableId,
        after: Option<Seq>,
    ) -> Result<(), WatchError> {
        let (watches, watch) = (self.clone(), self.find(player, id)?);
        // A task of its own: a client that gives the call up must not leave half a subscription behind.
        let subscribed = self
            .0
            .runtime
            .spawn(async move { watches.add_table(&watch, table, after).await });
        subscribed.await.unwrap_or_else(|failed| {
            tracing::error!(%failed, "subscription failed");
            Err(WatchError::Table(CallError::starting()))
        })
    }

    /// Takes a table out of a watch; one that is not in it stays so.
    ///
    /// # Errors
    /// When the watch is gone or another's.
    pub fn unsubscribe(
        &self,
        player: PlayerId,
        id: WatchId,
        table: TableId,
    ) -> Result<(), WatchError> {
        let watch = self.find(player, id)?;
        self.drop_table(&watch, table);
        Ok(())
    }

    /// Looks once at every watch and ends those that are stuck. To be called about once a second.
    pub fn sweep(&self, now: Instant) {
        let watches: Vec<Arc<Watch>> = lock(&self.0.open).by_id.values().cloned().collect();
        for watch in watches {
            let finding = watch.look(now, SLOW_AFTER);
            let ending = finding.map(|finding| match finding {
                Finding::Slow => Ending::Slow,
                Finding::Lost => Ending::Lost,
            });
            if let Some(ending) = ending {
                tracing::info!(player = %watch.player, reason = ending.name(), "watch ended by the server");
                watch.end(ending);
                self.close(&watch, Announce::Presence);
            }
        }
    }

    /// Ends all watches, and takes no more. The tables are not told that their players are gone: the node is, and the
    /// players will be back.
    pub fn drain(&self) {
        let watches: Vec<Arc<Watch>> = {
            let mut open = lock(&self.0.open);
            open.draining = true;
            open.by_id.values().cloned().collect()
        };
        for watch in watches {
            watch.end(Ending::Draining);
            self.close(&watch, Announce::Nothing);
        }
    }

    /// The client is gone. After any other end this changes nothing.
    pub(super) fn gone(&self, watch: &Arc<Watch>) {
        self.close(watch, Announce::Presence);
    }

    /// A table does not exist: it is not watched either.
    pub(super) fn forget(&self, watch: &Arc<Watch>, table: TableId) {
        self.drop_table(watch, table);
    }

    fn find(&self, player: PlayerId, id: WatchId) -> Result<Arc<Watch>, WatchError> {
        let watch = lock(&self.0.open)
            .by_id
            .get(&id)
            .cloned()
            .ok_or(WatchError::NoSuchWatch)?;
        if watch.player == player {
            Ok(watch)
        } else {
            Err(WatchError::NotYours)
        }
    }

    async fn subscribe_all(&self, watch: &Arc<Watch>, tables: Vec<(TableId, Option<Seq>)>) {
        for (table, after) in tables {
            loop {
                // As fast as the client reads: a place must be free before the next snapshot is asked for.
                if watch.queue.reserve().await.is_err() {
                    return;
                }
                match self.add_table(watch, table, after).await {
                    Ok(()) => break,
                    Err(WatchError::Table(
                        CallError::Unknown { retry_after } | CallError::Busy { retry_after, .. },
                    )) => {
                        tokio::time::sleep(retry_after).await;
                    }
                    Err(WatchError::Table(CallError::NoSuchTable(_))) => {
                        let reset = Frame::Reset {
                            table,
                            reason: ResetReason::UnknownTable,
                        };
                        if watch.queue.send(reset).await.is_err() {
                            return;
                        }
                        break;
                    }
                    Err(error) => {
                        tracing::debug!(%error, %table, "watch cannot go on");
                        watch.end(Ending::Lost);
                        self.close(watch, Announce::Presence);
                        return;
                    }
                }
            }
        }
    }

    async fn add_table(
        &self,
        watch: &Arc<Watch>,
        table: TableId,
        after: Option<Seq>,
    ) -> Result<(), WatchError> {
        let limits = &self.0.limits;
        lock(&watch.watched).reserve(limits.tables)?;
        if self.0.ways.routes.of(table) != Place::Here && watch.proof.is_some() {
            lock(&watch.watched).pending -= 1;
            self.relay(watch, table, after);
            return Ok(());
        }
        self.add_here(watch, table, after).await
    }

    /// A relayed table that is served here now.
    pub(super) async fn come_home(
        &self,
        watch: &Arc<Watch>,
        table: TableId,
        after: Option<Seq>,
    ) -> Result<(), WatchError> {
        {
            let mut watched = lock(&watch.watched);
            // It keeps its own place.
            watched.relays.remove(&table);
            watched.reserve(usize::MAX)?;
        }
        match self.add_here(watch, table, after).await {
            Err(WatchError::Table(error)) if !matches!(error, CallError::NoSuchTable(_)) => {
                self.relay(watch, table, after);
                Ok(())
            }
            added => added,
        }
    }

    async fn add_here(
        &self,
        watch: &Arc<Watch>,
        table: TableId,
        after: Option<Seq>,
    ) -> Result<(), WatchError> {
        let viewer = Viewer::Player(watch.player);
        let answer = self
            .0
            .tables
            .watch(table, watch.watcher, viewer, after, watch.queue.clone())
            .await;
        let mut watched = lock(&watch.watched);
        watched.pending -= 1;
        if watched.over {
            drop(watched);
            self.0.tables.unwatch(table, watch.watcher);
            return Err(WatchError::NoSuchWatch);
        }
        if let Err(error) = answer {
            drop(watched);
            // A failed watch is none, also where there was one before.
            self.drop_table(watch, table);
            return Err(error.into());
        }
        if watched.tables.insert(table) {
            // Under the lock of the watch: whoever ends the watch finds the table in it, and leaves after this.
            let news = lock(&self.0.presence).enter(watch.player, table);
            self.tell(watch.player, table, news);
        }
        Ok(())
    }

    fn drop_table(&self, watch: &Arc<Watch>, table: TableId) {
        if let Some(relay) = lock(&watch.watched).relays.remove(&table) {
            relay.abort();
        }
        if lock(&watch.watched).tables.remove(&table) {
            self.0.tables.unwatch(table, watch.watcher);
            self.leave(watch.player, table);
        }
    }

    /// Takes a watch out of the registry and stops its tables; the second time there is nothing left to do.
    fn close(&self, watch: &Arc<Watch>, announce: Announce) {
        lock(&self.0.open).remove(watch);
        let tables = {
            let mut watched = lock(&watch.watched);
            watched.over = true;
            std::mem::take(&mut watched.relays)
                .into_values()
                .for_each(|relay| relay.abort());
            std::mem::take(&mut watched.tables)
        };
        for table in tables {
            self.0.tables.unwatch(table, watch.watcher);
            match announce {
                Announce::Presence => self.leave(watch.player, table),
                Announce::Nothing => {}
            }
        }
    }

    fn leave(&self, player: PlayerId, table: TableId) {
        let news = lock(&self.0.presence).leave(player, table);
        self.tell(player, table, news);
    }

    /// Tells a table about a player's streams, until it knows what is so.
    fn tell(&self, player: PlayerId, table: TableId, news: Option<bool>) {
        let Some(connected) = news else { return };
        let watches = self.clone();
        self.0.runtime.spawn(async move {
            let mut news = Some(connected);
            while let Some(connected) = news {
                watches.tell_once(player, table, connected).await;
                news = lock(&watches.0.presence).told(player, table, connected);
            }
        });
    }

    async fn tell_once(&self, player: PlayerId, table: TableId, connected: bool) {
        loop {
            match self.0.tables.presence(table, player, connected).await {
                Err(CallError::Unknown { retry_after } | CallError::Busy { retry_after, .. }) => {
                    tokio::time::sleep(retry_after).await;
                }
                // Parked: nobody acts there. Elsewhere: the stream is lost, and its next one tells the next owner. No such table, or refused: there is nobody to tell.
                Ok(())
                | Err(
                    CallError::Parked
                    | CallError::Elsewhere
                    | CallError::NoSuchTable(_)
                    | CallError::Refused { .. }
                    | CallError::Rejected(_),
                ) => {
                    return;
                }
            }
            if !lock(&self.0.presence).holds(player, table, connected) {
                return;
            }
        }
    }
}

impl Watches {
    pub(super) fn ways(&self) -> &Ways {
        &self.0.ways
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// Watches of tables that left this node go on from where their owner is now.
    fn adopt(&self, orphans: Vec<Orphan>) {
        let watches: HashMap<WatcherId, Arc<Watch>> = lock(&self.0.open)
            .by_id
            .values()
            .map(|watch| (watch.watcher, Arc::clone(watch)))
            .collect();
        for orphan in orphans {
            let Some(watch) = watches.get(&orphan.watcher) else {
                continue;
            };
            if !lock(&watch.watched).tables.remove(&orphan.table) {
                continue;
            }
            // The next owner hears of the player by the relay; this one is nobody's business any more.
            let _told_elsewhere = lock(&self.0.presence).leave(watch.player, orphan.table);
            if watch.proof.is_some() {
                self.relay(watch, orphan.table, orphan.after);
            } else {
                // It is itself a relay: the node at its other end finds the next owner.
                watch.end(Ending::Lost);
                self.close(watch, Announce::Nothing);
            }
        }
    }
}

/// Adopts the watches of shards that leave, as long as there are watches.
async fn follow(watches: Weak<Inner>) {
    let Some(orphanage) = watches.upgrade().map(|inner| inner.tables.orphanage()) else {
        return;
    };
    loop {
        orphanage.news().await;
        let Some(inner) = watches.upgrade() else {
            return;
        };
        Watches(inner).adopt(orphanage.take());
    }
}

/// Who opens a watch.
pub enum Origin {
    /// A client, with what he proved who he is.
    Client(Option<Proof>),
    /// Another node, for a client of its own.
    Node,
}

struct Inner {
    tables: Tables,
    ways: Ways,
    limits: WatchLimits,
    runtime: Handle,
    /// The next watcher's number.
    watchers: AtomicU64,
    open: Mutex<Open>,
    presence: Mutex<Presence>,
}

/// Whether the tables of a watch that ends hear that the player is gone.
#[derive(Clone, Copy)]
enum Announce {
    Presence,
    Nothing,
}

/// A client that took nothing out of a full queue for so long is slow. Less than the tables' own patience, so that a stream
/// ends with its reason before tables let go of it one by one.
pub(super) const SLOW_AFTER: Duration = Duration::from_secs(8);
