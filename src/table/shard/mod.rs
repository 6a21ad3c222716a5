//! One shard of tables: its log, its tables, and the desk that finds and wakes them.
//!
//! ```text
//! shard (rest_for_one)
//! ├── log      takes the shard over, folds it, commits for all its tables
//! ├── tables   dynamic supervisor of the table actors
//! └── desk     which table is awake, asleep, down or parked
//! ```
//!
//! A log that ends takes its tables and its desk with it, and its restart is a
//! takeover like any other. [`Shard`] is what the three share, and what outlives
//! them: the way to the present incarnation of each, and who watches.

pub mod desk;
mod falls;
pub mod log;
mod recovery;
mod status;
pub mod tenure;

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use ractor::{ActorRef, Message};
use supervisors::{
    Backoff, ChildExit, ChildSpec, Decision, DynamicHandle, DynamicSpec, Intensity, Probe, Restart,
    Shutdown, StartFn, Strategy, SupervisorSpec,
};
use tokio::sync::{Notify, oneshot};

pub use falls::Falls;
pub use recovery::{Book, Brief, Committed, Listed, RING_EVENTS, Recovered, Woken};
pub use status::Status;

use self::{
    desk::{Desk, DeskMsg, Ended},
    log::{Handover, Log, LogMsg},
    tenure::{Grant, Tenure},
};
use super::{
    actor::TableMsg,
    seal::Keyring,
    shuffle::Dealer,
    watch::{Orphanage, Watchers},
};
use crate::{
    ids::{ShardId, TableId},
    store::{
        SegmentKey, Store, WriterToken,
        log::{Claim, LogOptions, TakeoverError},
    },
};

/// The knobs of a shard and its tables. Times that a player sees belong to the
/// table's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Events of a table between two snapshots in the log.
    pub snapshot_interval: u64,
    /// A snapshot at the end of every hand.
    pub snapshot_every_hand: bool,
    /// The least time between the starts of two commits.
    pub commit_interval: Duration,
    /// How many tables may be in one commit.
    pub commit_tables: usize,
    /// How many bytes of records may be in one commit.
    pub commit_bytes: usize,
    /// How many proposals may wait for a commit before new calls are turned away.
    pub shard_queue: usize,
    /// How many calls may wait at one table.
    pub table_queue: usize,
    /// The pause between two hands.
    pub hand_pause: Duration,
    /// A table with nothing to do sleeps after this.
    pub sleep_after: Duration,
    /// How many tables start at a time after a takeover.
    pub recover_concurrency: usize,
    /// Failures at the same position before a table is parked.
    pub park_after: u32,
    /// How long a call may wait for its answer before it is told "unknown".
    pub call_timeout: Duration,
    /// The log's own knobs.
    pub log: LogOptions,
}

/// Where the world comes in; simulations bring their own.
pub struct World {
    /// Where truth is kept.
    pub store: Arc<dyn Store>,
    /// Keys that decks are sealed with.
    pub keys: Keyring,
    /// Where decks come from.
    pub dealer: Box<dyn Dealer>,
    /// Milliseconds since 1970, for stamps; decides nothing.
    pub wall_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    /// A token for each incarnation of a writer, never the same twice.
    pub token: Box<dyn Fn() -> [u8; 16] + Send + Sync>,
    /// This node's name, a hint in the store.
    pub node: String,
    /// Who grants shards to this node, and is woken when one of them changed; `None`: this node has them all.
    pub steward: Option<Arc<Notify>>,
}

/// What a shard's actors share, and what outlives them.
pub struct Shard {
    /// Which shard.
    pub id: ShardId,
    /// The knobs.
    pub options: Arc<Options>,
    /// The world.
    pub world: Arc<World>,
    /// The present log.
    pub log: Slot<LogMsg>,
    /// The present desk.
    pub desk: Slot<DeskMsg>,
    /// The way to tables that are awake: the fast path of every call.
    pub routes: papaya::HashMap<TableId, ActorRef<TableMsg>>,
    /// Who watches which table.
    pub watchers: Watchers,
    /// Where they go when the shard leaves this node.
    orphanage: Orphanage,
    /// Whether the shard can commit, and what it did.
    pub status: Status,
    /// Whether this node has the shard.
    pub tenure: Tenure,
    /// Which tables failed where.
    pub falls: Falls,
    /// The supervisor of the table actors.
    tables: RwLock<Option<DynamicHandle<TableId>>>,
    /// Faults that tests put into tables.
    #[cfg(feature = "faults")]
    pub faults: super::fault::Faults,
}

/// The way to the present incarnation of an actor.
pub struct Slot<M>(RwLock<Option<ActorRef<M>>>);

impl<M: Message> Slot<M> {
    fn empty() -> Self {
        Self(RwLock::new(None))
    }

    /// The actor, once there was one. It may have ended since.
    pub fn find(&self) -> Option<ActorRef<M>> {
        self.0
            .read()
            .expect("no code panics while it holds this lock")
            .clone()
    }

    /// Sends a message; `false` when nobody is there to get it.
    #[must_use]
    pub fn cast(&self, message: M) -> bool {
        self.find().is_some_and(|actor| actor.cast(message).is_ok())
    }

    pub(super) fn set(&self, actor: ActorRef<M>) {
        *self
            .0
            .write()
            .expect("no code panics while it holds this lock") = Some(actor);
    }
}

impl Shard {
    /// A shard without actors yet.
    pub fn new(
        id: ShardId,
        options: Arc<Options>,
        world: Arc<World>,
        orphanage: Orphanage,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            status: Status::new(),
            tenure: Tenure::new(world.steward.clone()),
            falls: Falls::new(options.park_after),
            options,
            world,
            log: Slot::empty(),
            desk: Slot::empty(),
            routes: papaya::HashMap::new(),
            watchers: Watchers::default(),
            orphanage,
            tables: RwLock::new(None),
            #[cfg(feature = "faults")]
            faults: super::fault::Faults::default(),
        })
    }

    /// The supervisor of the table actors, once it is up.
    pub(super) fn tables(&self) -> Option<DynamicHandle<TableId>> {
        self.tables
            .read()
            .expect("no code panics while it holds this lock")
            .clone()
    }

    /// Forgets the way to an actor that ended, unless there is a newer one.
    pub(super) fn forget_route(&self, table: TableId, ended: &ActorRef<TableMsg>) {
        if self
            .routes
            .pin()
            .remove_if(&table, |_, actor| actor.get_id() == ended.get_id())
            .is_err()
        {
            tracing::trace!(%table, "the table is up again already");
        }
    }

    /// The shard's branch of the supervision tree.
    pub fn spec(self: &Arc<Self>) -> ChildSpec {
        self.branch().into_child(format!("shard-{:04}", self.id.0))
    }

    /// How a dynamic supervisor starts the branch.
    pub fn start(self: &Arc<Self>) -> StartFn {
        let branch = self.branch();
        StartFn::new(move |supervisor| branch.clone().start_linked(supervisor))
    }

    /// Wins an epoch for this node and creates its segment: the first half of a takeover. The present owner goes on until
    /// it seals its segment in favour of this claim.
    ///
    /// # Errors
    /// As [`Claim::win`].
    pub async fn claim(&self) -> Result<Claim, TakeoverError> {
        let world = &self.world;
        let token = WriterToken((world.token)());
        let (store, log) = (Arc::clone(&world.store), self.options.log.clone());
        Claim::win(store, self.id, &world.node, token, log).await
    }

    /// Grants a takeover to the log that waits for one, or that is about to start.
    pub fn grant(&self, grant: Grant) {
        self.tenure.grant(grant);
        if !self.log.cast(LogMsg::Granted) {
            tracing::trace!(shard = %self.id, "granted before there is a log");
        }
    }

    /// Hands the shard over to the claim of another node, at a commit boundary. After [`Handover::Done`] nothing of it is
    /// decided here any more, and its branch is to be stopped.
    pub async fn hand_over(&self, next: SegmentKey) -> Handover {
        let (reply, outcome) = oneshot::channel();
        if !self.log.cast(LogMsg::Leave(next, reply)) {
            return Handover::StillHere;
        }
        // Dropped with the log that had it: then the log ended, and whoever takes over finds out.
        outcome.await.unwrap_or(Handover::Unknown)
    }

    /// Its branch has ended: nobody finds a way into it any more, and whoever watches a table hears that it is gone.
    pub fn closed(&self) {
        self.routes.pin().clear();
        self.orphanage.leave(self.watchers.let_go());
        self.tenure.left();
    }

    fn branch(self: &Arc<Self>) -> SupervisorSpec {
        SupervisorSpec::new(Strategy::RestForOne)
            .intensity(LOG_RESTARTS)
            .backoff(LOG_BACKOFF)
            .child(Log::child(Arc::clone(self)))
            .child(self.tables_child())
            .child(Desk::child(Arc::clone(self)))
    }

    fn tables_child(self: &Arc<Self>) -> ChildSpec {
        let (kept, shard) = (Arc::clone(self), Arc::clone(self));
        DynamicSpec::new(Restart::Transient)
            .shutdown(Shutdown::Timeout(TABLE_SHUTDOWN))
            // A table that failed with a commit in flight starts when that commit is decided, or
            // when its log gave up on it.
            .start_timeout(2 * self.options.log.give_up_after + TABLE_START)
            .max_children(TABLES_MAX)
            .name(TableId::to_string)
            .probe(Probe::new(TableMsg::Probe))
            .on_exit(move |exit| shard.table_ended(exit))
            .into_child("tables", move |handle| {
                *kept
                    .tables
                    .write()
                    .expect("no code panics while it holds this lock") = Some(handle);
            })
    }

    /// A table that ended: a failed one is started again after a pause, and parked
    /// when it fails again and again where it stands.
    fn table_ended(&self, exit: ChildExit<'_, TableId>) -> Decision {
        let table = *exit.key;
        self.routes.pin().remove(&table);
        let (ended, decision) = if exit.reason.is_normal() {
            (Ended::Asleep, Decision::Forget)
        } else {
            self.status.restarted();
            let pause = self.falls.fell(table, exit.reason.to_string());
            tracing::error!(%table, reason = %exit.reason, parked = pause.is_none(), "table failed");
            pause.map_or((Ended::Parked, Decision::Forget), |pause| {
                (Ended::Restarting, Decision::RestartAfter(pause))
            })
        };
        if !self.desk.cast(DeskMsg::Ended(table, ended)) {
            tracing::debug!(%table, "no desk to tell; the next one begins anew");
        }
        decision
    }
}

/// A log that cannot take over ten times in a minute cannot be helped by
/// another try: the node gives up with a clear word, and the platform starts it again.
const LOG_RESTARTS: Intensity = Intensity::new(10, Duration::from_secs(60));
const LOG_BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// Beside the log's own patience.
const TABLE_START: Duration = Duration::from_secs(10);
/// A table holds nothing that a stop must save: its log has it.
const TABLE_SHUTDOWN: Duration = Duration::from_secs(1);
/// At about 10 KB an actor, 2.5 GB a shard.
const TABLES_MAX: usize = 250_000;
