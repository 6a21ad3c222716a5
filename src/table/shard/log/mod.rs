//! The shard log: the only appender of a shard's segment, with group commit.
//!
//! What the shard's tables propose while a commit is in flight becomes the next
//! commit. A proposal's table hears of it only when it is durable; then, and only
//! then, is the state in the [`Book`] replaced. A log that is refused, or that does
//! not know, ends: its restart takes the shard over anew.
//!
//! - `reign`: the takeover, and what it means for clocks
//! - `commit`: proposals, commits, and the last one of an orderly stop
//! - `rotate`: checkpoints, and forgetting what they replace
//! - `confirm`: still the owner?
//! - `archive`: finished hands, until the archive has them
//! - `open`, `void`: what is decided here, since no table's actor is there to do it
//! - `leave`: handing the shard to another node
//! - `lookup`: states for actors that start; lists and sums

mod archive;
mod commit;
mod confirm;
mod leave;
mod lookup;
mod open;
mod reign;
mod rotate;
mod void;

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use engine::HandNo;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{ChildSpec, Echo, Probe, StartFn};
use tokio::{
    sync::oneshot,
    task::{AbortHandle, JoinSet},
    time::{Duration, Instant},
};

pub use commit::{Proposal, Proposer};
pub use confirm::Release;
pub use leave::Handover;
pub use lookup::{LoadError, Sums};
pub use open::{NewTable, OpenError};
pub use void::VoidError;

use self::{archive::Outbox, commit::Returned};
use super::{
    Shard,
    recovery::{Book, Brief, Listed, Recovered, Woken},
};
use crate::{
    ids::{Seq, TableId},
    store::{
        SegmentKey,
        log::{AppendError, ConfirmError, Progress, PruneError, ShardLog, TakeoverError},
    },
    table::codec::CodecError,
};

/// The actor.
pub struct Log;

impl Message for LogMsg {}

/// What a shard log is told.
pub enum LogMsg {
    /// There is a grant to take over, if the log still waits for one.
    Granted,
    /// Hand the shard over to the claim of this segment, at a commit boundary.
    Leave(SegmentKey, oneshot::Sender<Handover>),
    /// The handover ended; the log comes back.
    Left(
        Box<ShardLog>,
        Result<(), AppendError>,
        oneshot::Sender<Handover>,
    ),
    /// The takeover ended.
    TakenOver(Box<Result<(ShardLog, Recovered), TakeoverError>>),
    /// A table proposes what it decided.
    Propose(Box<Proposal>),
    /// Opens a table; a repeat with the same content is done already.
    Open(Box<NewTable>, oneshot::Sender<Result<(), OpenError>>),
    /// Voids the open hand of a table that has no actor.
    Void(
        TableId,
        HandNo,
        String,
        oneshot::Sender<Result<(), VoidError>>,
    ),
    /// The commit or rotation in flight ended; its outcome is where it was promised.
    Landed,
    /// The pause between commits is over.
    CommitDue,
    /// A table's state, for an actor that starts. Answered after what the table proposed before.
    Load(TableId, oneshot::Sender<Result<Woken, LoadError>>),
    /// A table that stands at this event needs no actor any more.
    Rest(TableId, Seq),
    /// Answers when the fold is done: which tables have something to do now, open hands first.
    Busy(oneshot::Sender<Vec<TableId>>),
    /// Calls the release once this log is known to own the shard as of now.
    Confirm {
        /// Also when the last commit or confirmation is recent.
        always: bool,
        /// What waits for it. Dropped if the log ends.
        release: Release,
    },
    /// A confirmation ended; the log comes back.
    Confirmed(Box<ShardLog>, Result<(), ConfirmError>),
    /// The archive took the first so many hands of the outbox, or not.
    Archived(Result<usize, archive::ArchiveError>),
    /// It is time to try the archive again.
    ArchiveDue,
    /// A prune ended; the log comes back.
    Pruned(Box<ShardLog>, Result<(), PruneError>),
    /// What the store protocol says of its progress.
    Progress(Progress),
    /// Tables after this one, by id, at most so many.
    List(Option<TableId>, usize, oneshot::Sender<Vec<Listed>>),
    /// One table.
    Find(TableId, oneshot::Sender<Option<Brief>>),
    /// The sums over all tables.
    Sums(oneshot::Sender<Sums>),
    /// Somebody looks how busy it is: how many proposals wait for a commit or are in one.
    Probe(Echo),
}

/// Why a shard log ends.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It could not take the shard over.
    #[error("takeover failed: {0}")]
    Takeover(#[from] TakeoverError),
    /// It is not the owner any more, or cannot tell.
    #[error("commit failed: {0}")]
    Commit(#[from] AppendError),
    /// It is not the owner any more, or cannot tell.
    #[error("ownership not confirmed: {0}")]
    Confirm(#[from] ConfirmError),
    /// A checkpoint cannot be encoded.
    #[error("checkpoint failed: {0}")]
    Checkpoint(#[from] CodecError),
}

/// The actor's state.
pub struct LogState {
    shard: Arc<Shard>,
    /// The log, while no statement is in flight.
    log: Option<Box<ShardLog>>,
    ready: bool,
    /// Without a grant; see [`super::tenure`].
    waits: bool,
    /// A handover that waits for the statement in flight.
    leaving: Option<leave::Leaving>,
    /// Handed over: nothing is started any more.
    left: bool,
    book: Book,
    /// What asks for the book before there is one.
    early: Vec<LogMsg>,
    /// Proposals for the next commit.
    queue: VecDeque<Box<Proposal>>,
    /// Proposals of the commit in flight.
    flying: Vec<Proposal>,
    /// The commit in flight, for an orderly stop.
    flight: Option<oneshot::Receiver<Returned>>,
    /// Loads of tables that have a proposal under way.
    loads: Vec<(TableId, oneshot::Sender<Result<Woken, LoadError>>)>,
    /// Waiting for a statement that begins after them.
    unconfirmed: Vec<Release>,
    /// Waiting for the statement in flight, which began after them.
    confirming: Vec<Release>,
    last_commit_start: Option<Instant>,
    last_confirmed: Option<Instant>,
    commit_timer: bool,
    outbox: Outbox,
    /// Hands of the outbox that must be archived before the prune that is due.
    prune_after: Option<usize>,
    /// Bytes that a takeover would read before the open segment.
    backlog: u64,
    /// Bytes of the last checkpoint that was written here.
    checkpoint_bytes: u64,
    /// They end with this state: a task that outlives its log could only report to
    /// nobody. Cutting a commit short is safe: its outcome is unknown to all, and the
    /// next takeover decides it.
    tasks: JoinSet<()>,
}

impl Log {
    /// The child spec.
    pub(super) fn child(shard: Arc<Shard>) -> ChildSpec {
        ChildSpec::from_start("log", StartFn::actor(move || (Log, Arc::clone(&shard))))
            .probe(Probe::new(LogMsg::Probe))
    }
}

impl Actor for Log {
    type Msg = LogMsg;
    type State = LogState;
    type Arguments = Arc<Shard>;

    async fn pre_start(
        &self,
        myself: ActorRef<LogMsg>,
        shard: Arc<Shard>,
    ) -> Result<LogState, ActorProcessingErr> {
        // Nothing of an earlier incarnation is valid any more.
        shard.status.ready.store(false, Relaxed);
        shard.status.full.store(false, Relaxed);
        shard.status.queued.store(0, Relaxed);
        shard.status.set_stalled(Some(Instant::now()));
        shard.log.set(myself.clone());
        let mut state = LogState::new(shard);
        state.start_takeover(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<LogMsg>,
        message: LogMsg,
        state: &mut LogState,
    ) -> Result<(), ActorProcessingErr> {
        Ok(state.handle(&myself, message)?)
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<LogMsg>,
        state: &mut LogState,
    ) -> Result<(), ActorProcessingErr> {
        state.shard.status.ready.store(false, Relaxed);
        state.finish_flight().await;
        Ok(())
    }
}

impl LogState {
    fn new(shard: Arc<Shard>) -> Self {
        Self {
            shard,
            log: None,
            ready: false,
            waits: false,
            leaving: None,
            left: false,
            book: Book::default(),
            early: Vec::new(),
            queue: VecDeque::new(),
            flying: Vec::new(),
            flight: None,
            loads: Vec::new(),
            unconfirmed: Vec::new(),
            confirming: Vec::new(),
            last_commit_start: None,
            last_confirmed: None,
            commit_timer: false,
            outbox: Outbox::default(),
            prune_after: None,
            backlog: 0,
            checkpoint_bytes: 0,
            tasks: JoinSet::new(),
        }
    }

    fn handle(&mut self, myself: &ActorRef<LogMsg>, message: LogMsg) -> Result<(), LogError> {
        self.take_in(myself, message)?;
        self.go_on(myself)
    }

    fn take_in(&mut self, myself: &ActorRef<LogMsg>, message: LogMsg) -> Result<(), LogError> {
        match message {
            LogMsg::TakenOver(outcome) => {
                let (log, recovered) = (*outcome)?;
                self.taken_over(myself, log, recovered);
                for message in std::mem::take(&mut self.early) {
                    self.take_in(myself, message)?;
                }
            }
            LogMsg::Granted => {
                if self.waits {
                    self.start_takeover(myself);
                }
            }
            LogMsg::Left(log, outcome, reply) => self.left(log, outcome, reply)?,
            LogMsg::Leave(_, reply) if !self.ready => answer(reply, Handover::StillHere),
            LogMsg::Leave(next, reply) => self.leave(next, reply),
            LogMsg::Landed => {
                if let Some(returned) = self
                    .flight
                    .take()
                    .and_then(|mut flight| flight.try_recv().ok())
                {
                    self.committed(returned)?;
                    self.rest_without_room(myself);
                }
            }
            LogMsg::CommitDue => self.commit_timer = false,
            LogMsg::Confirm { always, release } => self.confirm(always, release),
            LogMsg::Confirmed(log, outcome) => {
                self.log = Some(log);
                self.confirmed(outcome)?;
            }
            LogMsg::Archived(outcome) => self.archived(myself, outcome),
            LogMsg::ArchiveDue => self.outbox.rested(),
            LogMsg::Pruned(log, outcome) => self.pruned(log, outcome),
            LogMsg::Progress(progress) => self.progress(progress),
            LogMsg::Probe(echo) => {
                echo.answer(self.queue.len() + self.flying.len() + self.early.len());
            }
            // Before the fold is done the book is empty: an answer from it would be a lie, and a
            // table opened over it might be there already.
            early if !self.ready => {
                if self.early.len() < EARLY_MAX {
                    self.early.push(early);
                }
            }
            LogMsg::Propose(proposal) => self.enqueue(proposal),
            LogMsg::Open(new, reply) => self.open(*new, reply),
            LogMsg::Void(table, hand, note, reply) => self.void(table, hand, note, reply),
            LogMsg::Load(table, reply) => {
                self.loads.push((table, reply));
                self.answer_loads();
            }
            LogMsg::Rest(table, at) => self.rest(table, at),
            LogMsg::Busy(reply) => answer(reply, self.busy()),
            LogMsg::List(after, limit, reply) => answer(reply, self.list(after, limit)),
            LogMsg::Find(table, reply) => answer(
                reply,
                self.book.tables().get(&table).map(|known| known.brief()),
            ),
            LogMsg::Sums(reply) => answer(reply, self.sums()),
        }
        Ok(())
    }

    /// Starts what is due. One statement of the log is in flight at a time.
    fn go_on(&mut self, myself: &ActorRef<LogMsg>) -> Result<(), LogError> {
        if self.left {
            return Ok(());
        }
        self.archive(myself);
        if !self.ready || self.log.is_none() {
            return Ok(());
        }
        if let Some(leaving) = self.leaving.take() {
            self.start_leave(myself, leaving);
        } else if self.prune_after == Some(0) {
            self.prune_after = None;
            self.start_prune(myself);
        } else if self.should_rotate() && !self.commit_timer {
            self.start_rotation(myself)?;
        } else if !self.queue.is_empty() && !self.commit_timer && !self.outbox.is_full() {
            self.start_commit(myself);
        } else if !self.unconfirmed.is_empty() {
            self.start_confirm(myself);
        }
        Ok(())
    }

    /// The log, for one statement beside the actor; it comes back with the answer.
    fn lend(&mut self) -> Box<ShardLog> {
        self.log
            .take()
            .expect("go_on starts a statement only while none is in flight")
    }

    fn after(&mut self, wait: Duration, myself: &ActorRef<LogMsg>, message: fn() -> LogMsg) {
        let log = myself.clone();
        self.spawn(async move {
            tokio::time::sleep(wait).await;
            report(&log, message());
        });
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task)
    }
}

/// The log may have ended; then its successor finds out by itself.
fn report(log: &ActorRef<LogMsg>, message: LogMsg) {
    if log.cast(message).is_err() {
        tracing::debug!("a shard log ended before its statement did");
    }
}

/// The asker may have stopped waiting, which changes nothing.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::trace!("nobody waited for the answer");
    }
}

/// What may wait for the end of a takeover; whoever is beyond it is dropped and asks again.
const EARLY_MAX: usize = 10_000;
