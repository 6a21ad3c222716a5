//! The handle to all tables of this node.
//!
//! A call goes straight to the table's actor if it is awake, else through its
//! shard's desk. A table that ends drops what it has not answered; then the call is
//! made again, with the same request id, until an answer comes or the time is over.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use engine::{HandNo, PlayerId, Viewer};
use tokio::{sync::oneshot, time::Instant};

#[cfg(feature = "faults")]
use super::fault::Defect;
pub use super::shard::log::NewTable;
use super::{
    actor::{Reply, TableMsg},
    frame::{FrameSender, WatcherId},
    level::{self, Level},
    request::{CallError, Done, Request, Summary, TableView},
    shard::{
        Listed, Options, Shard, World,
        desk::DeskMsg,
        log::{LogMsg, OpenError, Sums, VoidError},
    },
    watch::Orphanage,
};
use crate::ids::{Seq, ShardCount, ShardId, TableId};

/// All tables. Clones are the same tables.
#[derive(Clone)]
pub struct Tables {
    shards: Arc<[Arc<Shard>]>,
    orphanage: Orphanage,
    count: ShardCount,
    call_timeout: Duration,
    level: Level,
}

/// Sums over all tables, and counts since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sums over the tables.
    pub sums: Sums,
    /// Tables with an actor.
    pub live: u64,
    /// Parked tables.
    pub parked: u64,
    /// Players' requests done.
    pub actions: u64,
    /// Hands finished.
    pub hands: u64,
    /// Commits.
    pub commits: u64,
    /// Tables restarted after a failure.
    pub restarts: u64,
}

impl Tables {
    /// The shards of this node, without actors yet.
    pub fn new(count: ShardCount, options: Options, world: World) -> Self {
        let (options, world) = (Arc::new(options), Arc::new(world));
        let orphanage = Orphanage::default();
        let shard = |id| {
            let (options, world) = (Arc::clone(&options), Arc::clone(&world));
            Shard::new(id, options, world, orphanage.clone())
        };
        Self {
            shards: count.shards().map(shard).collect(),
            orphanage,
            count,
            call_timeout: options.call_timeout,
            level: Level::default(),
        }
    }

    /// How many shards all nodes together have.
    pub fn count(&self) -> ShardCount {
        self.count
    }

    /// Watches of tables that left this node.
    pub fn orphanage(&self) -> Orphanage {
        self.orphanage.clone()
    }

    /// The shards that are served here.
    pub(super) fn here(&self) -> impl Iterator<Item = &Arc<Shard>> {
        self.shards.iter().filter(|shard| shard.tenure.is_here())
    }

    /// All shards, for the supervision tree and the steward; those of other nodes have no actors here.
    pub fn shards(&self) -> &[Arc<Shard>] {
        &self.shards
    }

    /// Whether every shard is taken over.
    pub fn ready(&self) -> bool {
        self.shards
            .iter()
            .all(|shard| shard.status.ready.load(Relaxed))
    }

    /// Opens a table. A repeat with the same id and content changes nothing.
    ///
    /// # Errors
    /// `Refused` for settings that contradict themselves, for an id that is taken, and for a game whose forms the
    /// cluster does not allow yet; else as every call.
    pub async fn create(&self, new: NewTable) -> Result<(), CallError> {
        let shard = self.shard(new.table);
        let (needed, world) = (level::needed(&new.settings), &shard.world);
        let alone = world.steward.is_none();
        self.level.allow(needed, &*world.store, alone).await?;
        self.check_room(shard)?;
        let opened = self.until_answered(shard, |reply| {
            let (new, log) = (new.clone(), shard.log.find());
            log.is_some_and(|log| log.cast(LogMsg::Open(Box::new(new), reply)).is_ok())
        });
        match opened.await? {
            Ok(()) => Ok(()),
            Err(OpenError::Taken) => refused("TableIdTaken", OpenError::Taken.to_string()),
            Err(OpenError::Settings(error)) => refused("BadSettings", error.to_string()),
            Err(OpenError::Codec(error)) => {
                tracing::error!(table = %new.table, %error, "table not opened");
                Err(CallError::starting())
            }
        }
    }

    /// Does what a player wants of a table; returns once it is durable, or refused.
    ///
    /// # Errors
    /// See [`CallError`]: only `Refused` and `NoSuchTable` say that it never happens.
    pub async fn call(&self, table: TableId, request: Request) -> Result<Done, CallError> {
        let mut request = request;
        let mut attempts = u32::from(!request.first_attempt);
        let outcome = match self.check_room(self.shard(table)) {
            Ok(()) => {
                self.ask(table, |reply| {
                    attempts = attempts.saturating_add(1);
                    let message = TableMsg::Call(Box::new(request.clone()), reply);
                    // Should this attempt be dropped unanswered, it may still have been done.
                    request.first_attempt = false;
                    message
                })
                .await
            }
            Err(busy) => Err(busy),
        };
        match outcome {
            // This attempt was turned away; what became of an earlier one, only the table can tell.
            Err(CallError::Busy { retry_after, .. }) if attempts > 1 => {
                Err(CallError::Unknown { retry_after })
            }
            outcome => self.given_out(outcome),
        }
    }

    fn check_room(&self, shard: &Shard) -> Result<(), CallError> {
        if shard.status.full.load(Relaxed) {
            return Err(CallError::Busy {
                reason: "the server's disk is full; nothing is lost",
                retry_after: ROOM_PAUSE,
            });
        }
        if shard.status.queued.load(Relaxed) >= shard.options.shard_queue {
            return Err(CallError::Busy {
                reason: "its shard has too much to commit",
                retry_after: QUEUE_PAUSE,
            });
        }
        Ok(())
    }

    #[cfg(not(feature = "faults"))]
    fn given_out<T>(&self, outcome: Result<T, CallError>) -> Result<T, CallError> {
        outcome
    }

    #[cfg(feature = "faults")]
    fn given_out<T>(&self, outcome: Result<T, CallError>) -> Result<T, CallError> {
        let mistaken = self
            .shards
            .iter()
            .any(|shard| shard.faults.makes(Defect::TimeOutIsRefusal));
        match outcome {
            Err(CallError::Unknown { .. }) if mistaken => refused("TimedOut", "too late".into()),
            outcome => outcome,
        }
    }

    /// The table as a viewer may see it.
    ///
    /// # Errors
    /// As every call.
    pub async fn view(&self, table: TableId, viewer: Viewer) -> Result<TableView, CallError> {
        self.ask(table, |reply| TableMsg::Look(viewer, reply)).await
    }

    /// Tables after the given one, by id. `open_seats`: only those with an empty seat.
    ///
    /// # Errors
    /// When a shard does not answer in time.
    pub async fn list(
        &self,
        after: Option<TableId>,
        limit: usize,
        open_seats: bool,
    ) -> Result<Vec<Summary>, CallError> {
        let mut found = Vec::new();
        let mut after = after;
        while found.len() < limit {
            let page = self.page(after, limit.max(PAGE_MIN)).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.table);
            found.extend(
                page.into_iter()
                    .filter(|Listed { brief, .. }| {
                        !open_seats || brief.players < brief.settings.seats
                    })
                    .map(|Listed { table, brief, .. }| Summary {
                        table,
                        name: brief.name,
                        settings: brief.settings,
                        players: brief.players,
                        hand: brief.hand,
                    }),
            );
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Watches a table: frames go to `queue`, after the given event or from a snapshot on.
    ///
    /// # Errors
    /// As every call.
    pub async fn watch(
        &self,
        table: TableId,
        watcher: WatcherId,
        viewer: Viewer,
        after: Option<Seq>,
        queue: FrameSender,
    ) -> Result<(), CallError> {
        self.shard(table)
            .watchers
            .add(table, watcher, viewer, after, queue);
        let unless_watched = Unwatch {
            tables: self,
            table,
            watcher,
        };
        match self.ask(table, TableMsg::WatchersChanged).await {
            // A parked table shows itself to its watchers once it is resumed.
            Ok(()) | Err(CallError::Parked) => {
                std::mem::forget(unless_watched);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a watch.
    pub fn unwatch(&self, table: TableId, watcher: WatcherId) {
        let shard = self.shard(table);
        shard.watchers.remove(table, watcher);
        if let Some(actor) = shard.routes.pin().get(&table) {
            let (reply, _unneeded) = oneshot::channel();
            if actor.cast(TableMsg::WatchersChanged(reply)).is_err() {
                tracing::trace!(%table, "a table ended before it heard of its watchers");
            }
        }
    }

    /// Tells a table that a player's first stream began, or that the last one ended (R18).
    ///
    /// # Errors
    /// As every call. A player who does not sit there changes nothing.
    pub async fn presence(
        &self,
        table: TableId,
        player: PlayerId,
        connected: bool,
    ) -> Result<(), CallError> {
        self.ask(table, |reply| TableMsg::Presence(player, connected, reply))
            .await
    }

    /// Gives a parked table another chance.
    ///
    /// # Errors
    /// `Refused` when it is not parked.
    pub async fn resume(&self, table: TableId) -> Result<(), CallError> {
        let shard = self.shard(table);
        let resumed = self
            .until_answered(shard, |reply| {
                shard.desk.cast(DeskMsg::Resume(table, reply))
            })
            .await?;
        if resumed {
            Ok(())
        } else {
            refused("NotParked", format!("table {table} is not parked"))
        }
    }

    /// Voids a hand of a parked table, which then gets another chance: stacks as at the
    /// start of the hand, an event with the operator's words.
    ///
    /// # Errors
    /// `Refused` when the table is not parked or this hand is not being played; `Unknown`
    /// when the shard went away meanwhile.
    pub async fn void(
        &self,
        table: TableId,
        hand: HandNo,
        reason: String,
    ) -> Result<(), CallError> {
        let (reply, voided) = oneshot::channel();
        if !self
            .shard(table)
            .desk
            .cast(DeskMsg::Void(table, hand, reason, reply))
        {
            return Err(CallError::starting());
        }
        // Asked once: a repeat could not tell its own earlier success from another hand.
        let unknown = CallError::Unknown {
            retry_after: UNKNOWN_PAUSE,
        };
        match tokio::time::timeout(self.call_timeout, voided).await {
            Ok(Ok(Ok(()))) => self.resume(table).await,
            Ok(Ok(Err(error))) => Err(void_refused(error)),
            Ok(Err(_dropped)) => Err(unknown),
            Err(_elapsed) => Err(unknown),
        }
    }

    /// Sums and counts of the node.
    ///
    /// # Errors
    /// When a shard does not answer in time.
    pub async fn totals(&self) -> Result<Totals, CallError> {
        let mut totals = Totals::default();
        for shard in self.here() {
            let sum = |reply| shard.log.cast(LogMsg::Sums(reply));
            let sums = match self.until_answered(shard, sum).await {
                Err(CallError::Elsewhere) => continue,
                sums => sums?,
            };
            totals.sums.add(&sums);
            totals.live += shard.routes.len() as u64;
            totals.parked += shard.falls.count_parked();
            totals.actions += shard.status.actions.load(Relaxed);
            totals.hands += shard.status.hands.load(Relaxed);
            totals.commits += shard.status.commits.load(Relaxed);
            totals.restarts += shard.status.restarts.load(Relaxed);
        }
        Ok(totals)
    }

    /// Makes a mistake from now on, in every shard.
    #[cfg(feature = "faults")]
    pub fn make_mistake(&self, defect: Defect) {
        for shard in self.shards.iter() {
            shard.faults.make(defect);
        }
    }

    /// Puts a fault into a table.
    #[cfg(feature = "faults")]
    pub fn put_fault(&self, table: TableId, fault: super::fault::Fault) {
        let shard = self.shard(table);
        shard.faults.put(table, fault);
        if let Some(actor) = shard.routes.pin().get(&table)
            && actor.cast(TableMsg::Fault(fault)).is_err()
        {
            tracing::debug!(%table, "a table ended before its fault");
        }
    }

    fn shard(&self, table: TableId) -> &Arc<Shard> {
        &self.shards[usize::from(ShardId::of(table, self.count).0)]
    }

    /// The next tables by id over all shards: each gives as many as are wanted, since
    /// all of them could be the next ones.
    async fn page(&self, after: Option<TableId>, limit: usize) -> Result<Vec<Listed>, CallError> {
        let mut page = Vec::new();
        for shard in self.here() {
            let list = |reply| shard.log.cast(LogMsg::List(after, limit, reply));
            match self.until_answered(shard, list).await {
                Ok(tables) => page.extend(tables),
                // It left just now: its next owner lists them.
                Err(CallError::Elsewhere) => {}
                Err(error) => return Err(error),
            }
        }
        page.sort_by_key(|listed| listed.table);
        page.truncate(limit);
        Ok(page)
    }

    /// Asks a table until it answers.
    async fn ask<T>(
        &self,
        table: TableId,
        mut message: impl FnMut(Reply<T>) -> TableMsg,
    ) -> Result<T, CallError> {
        let shard = self.shard(table);
        self.until_answered(shard, |reply| {
            let awake = shard.routes.pin().get(&table).cloned();
            let Some(actor) = awake else {
                return shard.desk.cast(DeskMsg::Ask(table, message(reply)));
            };
            // What cannot be delivered is dropped, and its reply with it: the desk is asked next.
            if actor.cast(message(reply)).is_err() {
                shard.forget_route(table, &actor);
            }
            true
        })
        .await?
    }

    /// Sends until an answer comes or the time is over. A dropped answer means that
    /// whoever had it ended; its successor is asked next.
    pub(super) async fn until_answered<T>(
        &self,
        shard: &Shard,
        mut send: impl FnMut(oneshot::Sender<T>) -> bool,
    ) -> Result<T, CallError> {
        let deadline = Instant::now() + self.call_timeout;
        let mut pause = FIRST_PAUSE;
        let mut ever_sent = false;
        loop {
            if !shard.tenure.is_here() {
                return Err(CallError::Elsewhere);
            }
            let (reply, answer) = oneshot::channel();
            if send(reply) {
                ever_sent = true;
                match tokio::time::timeout_at(deadline, answer).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(_dropped)) => {}
                    Err(_elapsed) => {
                        return Err(CallError::Unknown {
                            retry_after: UNKNOWN_PAUSE,
                        });
                    }
                }
            }
            if Instant::now() + pause >= deadline {
                return Err(if ever_sent {
                    CallError::Unknown {
                        retry_after: UNKNOWN_PAUSE,
                    }
                } else {
                    CallError::starting()
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Ends a watch that its session did not wait for, or that did not begin.
struct Unwatch<'a> {
    tables: &'a Tables,
    table: TableId,
    watcher: WatcherId,
}

impl Drop for Unwatch<'_> {
    fn drop(&mut self) {
        self.tables.unwatch(self.table, self.watcher);
    }
}

fn void_refused(error: VoidError) -> CallError {
    let rule = match &error {
        VoidError::NoSuchTable(table) => return CallError::NoSuchTable(*table),
        VoidError::UnderWay => return CallError::starting(),
        VoidError::NotParked(_) => "NotParked",
        VoidError::NoSuchHand(_) => "NoSuchHand",
        VoidError::Refused(reject) => return CallError::Rejected(*reject),
        VoidError::Broken(_) => "TableBroken",
        VoidError::Codec(_) => "TableUnreadable",
    };
    CallError::Refused {
        rule,
        text: error.to_string(),
    }
}

fn refused<T>(rule: &'static str, text: String) -> Result<T, CallError> {
    Err(CallError::Refused { rule, text })
}

/// A page is looked through for tables that fit, so a short answer must not mean short pages.
const PAGE_MIN: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// An operator has to make room first.
const ROOM_PAUSE: Duration = Duration::from_secs(1);
const QUEUE_PAUSE: Duration = Duration::from_millis(200);
const UNKNOWN_PAUSE: Duration = Duration::from_millis(200);
