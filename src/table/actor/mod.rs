//! A table: receive → decide → evolve a copy and check it → append → swap → tell → reply.
//!
//! One undecided append at a time; what comes meanwhile waits in a bounded queue.
//! The table never waits for a client and calls nobody: it casts.
//!
//! - `call`: a player's request
//! - `own`: what the table does by itself
//! - `propose`: to the log, and back
//! - `show`: what others may see
//! - `rest`: timers, and the end

mod call;
mod own;
mod propose;
mod rest;
mod show;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use engine::{PlayerId, Viewer};
use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{Echo, StartFn};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use self::propose::Answer;
use super::{
    clock::TurnClock,
    codec,
    refusals::Refusals,
    request::{CallError, Done, Request, TableView},
    shard::{
        Shard, Woken,
        desk::DeskMsg,
        log::{LoadError, LogMsg},
    },
    state::{TableState, Told},
    watch::Audience,
};
use crate::ids::TableId;

/// The actor.
pub struct TableActor;

impl Message for TableMsg {}

/// What a table is told.
pub enum TableMsg {
    /// A player wants something.
    Call(Box<Request>, Reply<Done>),
    /// Somebody looks.
    Look(Viewer, Reply<TableView>),
    /// The registered watchers changed.
    WatchersChanged(Reply<()>),
    /// A player's first stream began, or the last one ended (R18).
    Presence(PlayerId, bool, Reply<()>),
    /// What was proposed is durable.
    Durable,
    /// A timer fired; only the latest one counts.
    TimerDue(u64),
    /// Stop if there is nothing to do, and say so either way.
    Drain,
    /// Somebody looks how busy it is: how many requests it has taken in and not finished.
    Probe(Echo),
    /// A fault that a test put here.
    #[cfg(feature = "faults")]
    Fault(super::fault::Fault),
}

/// Where an answer goes. Dropped, it says: unknown, ask again.
pub type Reply<T> = oneshot::Sender<Result<T, CallError>>;

/// Why a table ends.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Its state cannot be had.
    #[error("state not loaded: {0}")]
    Load(#[from] LoadError),
    /// What was decided does not fold to a sound table. It does not enter the log.
    #[error("after {command} the table would be broken: {broken}")]
    Broken {
        /// The kind of command.
        command: &'static str,
        /// What would be wrong.
        broken: engine::Broken,
    },
    /// The engine refuses what it said is due.
    #[error("{command} is due and refused: {reject}")]
    Refused {
        /// The kind of command.
        command: &'static str,
        /// Why it is refused.
        reject: engine::Reject,
    },
    /// The records cannot be encoded.
    #[error(transparent)]
    Codec(#[from] codec::CodecError),
    /// The shard has no log any more.
    #[error("the shard has no log")]
    NoLog,
}

/// The actor's state.
pub struct TableRun {
    pub(super) shard: Arc<Shard>,
    pub(super) state: Arc<TableState>,
    ring: VecDeque<Arc<Told>>,
    audience: Audience,
    pending: Option<Pending>,
    waiting: VecDeque<Waiting>,
    refused: Refusals,
    /// It failed before: its progress is noted.
    fell: bool,
    pub(super) clock: Option<TurnClock>,
    /// When the next hand may begin.
    deal_at: Option<Instant>,
    /// By when the streams that ended with the owner before are here again, if ever.
    streams_due: Option<Instant>,
    idle_since: Instant,
    timer: Option<(Instant, JoinHandle<()>)>,
    timer_no: u64,
}

/// What is on its way into the log.
struct Pending {
    next: Arc<TableState>,
    told: Vec<Arc<Told>>,
}

/// What waits until the append is decided.
enum Waiting {
    Call(Box<Request>, Reply<Done>),
    Presence(PlayerId, bool, Reply<()>),
}

impl TableMsg {
    /// Answers whoever waits for this.
    pub fn turn_away(self, error: CallError) {
        match self {
            Self::Call(_, reply) => answer(reply, Err(error)),
            Self::Look(_, reply) => answer(reply, Err(error)),
            Self::WatchersChanged(reply) | Self::Presence(.., reply) => answer(reply, Err(error)),
            Self::Durable | Self::TimerDue(_) | Self::Drain | Self::Probe(_) => {}
            #[cfg(feature = "faults")]
            Self::Fault(_) => {}
        }
    }
}

impl TableActor {
    /// How its supervisor starts it, as often as needed.
    pub fn start(shard: Arc<Shard>, table: TableId) -> StartFn {
        StartFn::actor(move || (TableActor, (Arc::clone(&shard), table)))
    }
}

impl Actor for TableActor {
    type Msg = TableMsg;
    type State = TableRun;
    type Arguments = (Arc<Shard>, TableId);

    /// Waits for the state here: a dynamic supervisor starts its children side by
    /// side, so this delays nobody else, and there is no table without a state.
    async fn pre_start(
        &self,
        myself: ActorRef<TableMsg>,
        (shard, table): (Arc<Shard>, TableId),
    ) -> Result<TableRun, ActorProcessingErr> {
        let woken = match load(&shard, table).await {
            Ok(woken) => woken,
            Err(error) => return Err(excused(&shard, table, error).into()),
        };
        let fell = shard.falls.reached(table, woken.state.seq);
        let mut run = TableRun {
            state: woken.state,
            ring: woken.ring,
            audience: Audience::default(),
            pending: None,
            waiting: VecDeque::new(),
            refused: Refusals::default(),
            fell,
            clock: None,
            deal_at: None,
            streams_due: woken.inherited.then(|| Instant::now() + STREAMS_BACK),
            idle_since: Instant::now(),
            timer: None,
            timer_no: 0,
            shard,
        };
        run.refresh_watchers();
        if let Err(error) = run.go_on(&myself) {
            return Err(excused(&run.shard, table, error).into());
        }
        if !run.shard.desk.cast(DeskMsg::Up(table, myself)) {
            tracing::debug!(%table, "a table came up without a desk");
        }
        Ok(run)
    }

    async fn handle(
        &self,
        myself: ActorRef<TableMsg>,
        message: TableMsg,
        run: &mut TableRun,
    ) -> Result<(), ActorProcessingErr> {
        run.handle(&myself, message)
            .map_err(|error| excused(&run.shard, run.state.id, error).into())
    }
}

impl Drop for TableRun {
    fn drop(&mut self) {
        if let Some((_, timer)) = &self.timer {
            timer.abort();
        }
    }
}

impl TableRun {
    fn handle(&mut self, myself: &ActorRef<TableMsg>, message: TableMsg) -> Result<(), TableError> {
        match message {
            TableMsg::Call(request, reply) => self.admit(Waiting::Call(request, reply)),
            TableMsg::Presence(player, connected, reply) => {
                self.admit(Waiting::Presence(player, connected, reply))
            }
            TableMsg::Look(viewer, reply) => {
                let view = self.view(viewer);
                self.confirm(false, Box::new(move || answer(reply, Ok(view))));
            }
            TableMsg::WatchersChanged(reply) => {
                self.refresh_watchers();
                answer(reply, Ok(()));
            }
            TableMsg::Durable => self.durable(),
            TableMsg::TimerDue(no) => {
                if no == self.timer_no {
                    self.timer = None;
                    self.tell_watchers();
                }
            }
            TableMsg::Drain => return self.drain(myself),
            // Looked at, it does nothing that it would not have done.
            TableMsg::Probe(echo) => {
                echo.answer(self.waiting.len() + usize::from(self.pending.is_some()));
                return Ok(());
            }
            #[cfg(feature = "faults")]
            TableMsg::Fault(fault) => self.shard.faults.put(self.state.id, fault),
        }
        self.go_on(myself)
    }

    /// Works until an append is under way or nothing is left to do.
    fn go_on(&mut self, myself: &ActorRef<TableMsg>) -> Result<(), TableError> {
        #[cfg(feature = "faults")]
        self.shard.faults.strike(self.state.id);
        self.follow_clock();
        while self.pending.is_none() {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            self.idle_since = Instant::now();
            match waiting {
                Waiting::Call(request, reply) => self.call(myself, *request, reply)?,
                Waiting::Presence(player, connected, reply) => {
                    self.presence(myself, player, connected, reply)?
                }
            }
        }
        if self.pending.is_none() {
            self.own_doing(myself)?;
        }
        self.set_timer(myself);
        Ok(())
    }

    fn admit(&mut self, waiting: Waiting) {
        if self.waiting.len() < self.shard.options.table_queue {
            self.waiting.push_back(waiting);
            return;
        }
        let busy = CallError::Busy {
            reason: "its queue is full",
            retry_after: BUSY_PAUSE,
        };
        match waiting {
            Waiting::Call(_, reply) => answer(reply, Err(busy)),
            Waiting::Presence(.., reply) => answer(reply, Err(busy)),
        }
    }
}

async fn load(shard: &Shard, table: TableId) -> Result<Woken, TableError> {
    let (reply, loaded) = oneshot::channel();
    if !shard.log.cast(LogMsg::Load(table, reply)) {
        return Err(TableError::NoLog);
    }
    Ok(loaded.await.or(Err(TableError::NoLog))??)
}

/// The end of its log is not a table's own fault, and must not park it.
fn excused(shard: &Shard, table: TableId, error: TableError) -> TableError {
    if matches!(error, TableError::NoLog) {
        shard.falls.excuse(table);
    }
    error
}

/// The asker may have stopped waiting, which changes nothing.
fn answer<T>(reply: Reply<T>, value: Result<T, CallError>) {
    if reply.send(value).is_err() {
        tracing::trace!("nobody waited for the answer");
    }
}

/// Clients come back within a second; a player who does not is told to the others.
const STREAMS_BACK: Duration = Duration::from_secs(3);
const BUSY_PAUSE: Duration = Duration::from_millis(50);
