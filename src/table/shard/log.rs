//! The shard log: the only appender of a shard's segment, with group commit.
//!
//! What the shard's tables propose while a commit is in flight becomes the next
//! commit. A proposal's table hears of it only when it is durable; then, and only
//! then, is the state in the [`Book`] replaced. A log that is refused, or that does
//! not know, ends: its restart takes the shard over anew.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use bytes::Bytes;
use engine::{Settings, SettingsError};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisors::{ChildSpec, StartFn};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Duration, Instant},
};

use super::{
    Shard,
    recovery::{Book, Brief, Held, Reader, Recovered, Woken},
};
use crate::{
    ids::{Seq, TableId},
    store::{
        HandRecord, StoreError, WriterToken,
        log::{AppendError, ConfirmError, Progress, PruneError, ShardLog, TakeoverError},
    },
    table::{
        actor::TableMsg,
        codec::{self, CodecError, Record},
        state::{FinishedHand, TableState, Told},
    },
};

/// The actor.
pub struct Log;

/// What a shard log is told.
pub enum LogMsg {
    /// The takeover ended.
    TakenOver(Box<Result<(ShardLog, Recovered), TakeoverError>>),
    /// A table proposes what it decided.
    Propose(Box<Proposal>),
    /// Opens a table; a repeat with the same content is done already.
    Open(Box<NewTable>, oneshot::Sender<Result<(), OpenError>>),
    /// The commit in flight ended; the log comes back.
    Committed(Box<ShardLog>, Result<(), AppendError>),
    /// The pause between commits is over.
    CommitDue,
    /// A table's state, for an actor that starts. Answered after what the table proposed before.
    Load(TableId, oneshot::Sender<Result<Woken, LoadError>>),
    /// A table that stands at this event needs no actor any more.
    Rest(TableId, Seq),
    /// Answers when the fold is done: which tables have something to do now, players first.
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
    Archived(usize, Result<(), StoreError>),
    /// It is time to try the archive again.
    ArchiveDue,
    /// A prune ended; the log comes back.
    Pruned(Box<ShardLog>, Result<(), PruneError>),
    /// What the store protocol says of its progress.
    Progress(Progress),
    /// Tables after this one, by id, at most so many.
    List(
        Option<TableId>,
        usize,
        oneshot::Sender<Vec<(TableId, Brief, bool)>>,
    ),
    /// One table.
    Find(TableId, oneshot::Sender<Option<Brief>>),
    /// The sums over all tables.
    Sums(oneshot::Sender<Sums>),
}

/// What is called once ownership is confirmed.
pub type Release = Box<dyn FnOnce() + Send>;

/// What a table decided and wants to be durable.
pub struct Proposal {
    /// Its state after it.
    pub next: Arc<TableState>,
    /// The encoded records.
    pub records: Vec<Vec<u8>>,
    /// The events, ready to be told.
    pub told: Vec<Arc<Told>>,
    /// The hand that ended with it.
    pub finished: Option<FinishedHand>,
    /// Whether a player's request is behind it.
    pub requested: bool,
    /// Who hears when it is durable.
    pub from: Proposer,
}

/// Who proposed.
pub enum Proposer {
    /// A table's actor.
    Table(ActorRef<TableMsg>),
    /// Those who wait for a table that is being opened.
    Opening(Vec<oneshot::Sender<Result<(), OpenError>>>),
}

/// A table to be.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// Its id, chosen by the caller, so that a repeat opens nothing twice.
    pub table: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// What it plays.
    pub settings: Arc<Settings>,
}

/// Why a table is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is a table with this id that is not the same.
    #[error("there is another table with this id")]
    Taken,
    /// Settings that contradict themselves.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The record cannot be written.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Why a table's state cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such table in this shard.
    #[error("there is no such table")]
    NoSuchTable,
    /// Its bytes do not read.
    #[error(transparent)]
    Codec(#[from] CodecError),
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

/// The sums over a shard's tables (promise P1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Tables.
    pub tables: u64,
    /// Tables whose state is held encoded.
    pub asleep: u64,
    /// Buy-ins and top-ups.
    pub chips_in: u64,
    /// Cash-outs.
    pub chips_out: u64,
    /// Rake of finished hands.
    pub rake: u64,
    /// Chips on the tables.
    pub on_tables: u64,
}

impl Sums {
    /// Adds another shard's.
    pub fn add(&mut self, other: &Self) {
        self.tables += other.tables;
        self.asleep += other.asleep;
        self.chips_in += other.chips_in;
        self.chips_out += other.chips_out;
        self.rake += other.rake;
        self.on_tables += other.on_tables;
    }
}

/// The actor's state.
pub struct LogState {
    shard: Arc<Shard>,
    /// The log, while no statement is in flight.
    log: Option<Box<ShardLog>>,
    ready: bool,
    book: Book,
    /// Proposals for the next commit.
    queue: VecDeque<Box<Proposal>>,
    /// Proposals of the commit in flight.
    flying: Vec<Box<Proposal>>,
    /// Loads of tables that have a proposal under way, and loads before the fold is done.
    loads: Vec<(TableId, oneshot::Sender<Result<Woken, LoadError>>)>,
    busy_asked: Vec<oneshot::Sender<Vec<TableId>>>,
    /// Waiting for a confirmation that begins after them.
    unconfirmed: Vec<Release>,
    /// Waiting for the confirmation in flight.
    confirming: Vec<Release>,
    last_commit_start: Option<Instant>,
    last_confirmed: Option<Instant>,
    commit_timer: bool,
    /// Finished hands that the archive has not acknowledged, oldest first.
    outbox: VecDeque<FinishedHand>,
    archiving: bool,
    /// Hands of the outbox that must be archived before the prune that is due.
    prune_after: Option<usize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Log {
    /// The child spec.
    pub(super) fn child(shard: Arc<Shard>) -> ChildSpec {
        ChildSpec::from_start("log", StartFn::actor(move || (Log, Arc::clone(&shard))))
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
        shard.status.queued.store(0, Relaxed);
        shard.status.set_stalled(Some(Instant::now()));
        shard.log.set(myself.clone());
        let task = tokio::spawn(take_over(Arc::clone(&shard), myself));
        Ok(LogState {
            shard,
            log: None,
            ready: false,
            book: Book::default(),
            queue: VecDeque::new(),
            flying: Vec::new(),
            loads: Vec::new(),
            busy_asked: Vec::new(),
            unconfirmed: Vec::new(),
            confirming: Vec::new(),
            last_commit_start: None,
            last_confirmed: None,
            commit_timer: false,
            outbox: VecDeque::new(),
            archiving: false,
            prune_after: None,
            tasks: vec![task],
        })
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
        Ok(())
    }
}

impl Drop for LogState {
    /// A task that outlives its log could only report to nobody. Cutting a commit
    /// short is safe: its outcome is unknown to all, and the next takeover decides it.
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl LogState {
    fn handle(&mut self, myself: &ActorRef<LogMsg>, message: LogMsg) -> Result<(), LogError> {
        match message {
            LogMsg::TakenOver(outcome) => {
                let (log, recovered) = (*outcome)?;
                self.taken_over(myself, log, recovered);
            }
            LogMsg::Propose(proposal) => {
                self.queue.push_back(proposal);
                self.shard.status.queued.store(self.queue.len(), Relaxed);
            }
            LogMsg::Open(new, reply) => self.open(*new, reply),
            LogMsg::Committed(log, outcome) => {
                self.log = Some(log);
                self.committed(outcome)?;
            }
            LogMsg::CommitDue => self.commit_timer = false,
            LogMsg::Load(table, reply) => {
                self.loads.push((table, reply));
                self.answer_loads();
            }
            LogMsg::Rest(table, at) => self.rest(table, at),
            LogMsg::Busy(reply) => {
                self.busy_asked.push(reply);
                self.answer_busy();
            }
            LogMsg::Confirm { always, release } => self.confirm(always, release),
            LogMsg::Confirmed(log, outcome) => {
                self.log = Some(log);
                self.confirmed(outcome)?;
            }
            LogMsg::Archived(count, outcome) => self.archived(myself, count, outcome),
            LogMsg::ArchiveDue => self.archiving = false,
            LogMsg::Pruned(log, outcome) => {
                self.log = Some(log);
                if let Err(error) = outcome {
                    tracing::warn!(shard = %self.shard.id, %error, "old segments not pruned yet");
                }
            }
            LogMsg::Progress(progress) => self.progress(progress),
            LogMsg::List(after, limit, reply) => answer(reply, self.list(after, limit)),
            LogMsg::Find(table, reply) => answer(
                reply,
                self.book.tables().get(&table).map(|known| known.brief()),
            ),
            LogMsg::Sums(reply) => answer(reply, self.sums()),
        }
        self.go_on(myself)
    }

    /// Starts what is due. One statement of the log is in flight at a time.
    fn go_on(&mut self, myself: &ActorRef<LogMsg>) -> Result<(), LogError> {
        self.archive(myself);
        if !self.ready || self.log.is_none() {
            return Ok(());
        }
        if !self.unconfirmed.is_empty() && self.queue.is_empty() {
            self.start_confirm(myself);
            return Ok(());
        }
        if let Some(count) = self.prune_after
            && count == 0
        {
            self.prune_after = None;
            self.start_prune(myself);
            return Ok(());
        }
        if self.log.as_ref().is_some_and(|log| log.should_rotate()) {
            return self.start_rotation(myself);
        }
        if !self.queue.is_empty() && !self.commit_timer {
            self.start_commit(myself);
        }
        Ok(())
    }

    fn taken_over(&mut self, myself: &ActorRef<LogMsg>, log: ShardLog, recovered: Recovered) {
        let head = log.head();
        self.shard.status.reign(head.segment.epoch);
        self.shard.status.set_stalled(None);
        self.follow_progress(myself, &log);
        tracing::info!(
            shard = %self.shard.id,
            segment = %head.segment,
            tables = recovered.book.tables().len(),
            hands_to_archive = recovered.outbox.len(),
            "shard taken over"
        );
        self.log = Some(Box::new(log));
        self.book = recovered.book;
        self.outbox = recovered.outbox.into();
        self.last_confirmed = Some(Instant::now());
        self.ready = true;
        self.rest_idle();
        self.shard.status.ready.store(true, Relaxed);
        self.answer_loads();
        self.answer_busy();
    }

    /// Tables without anything to do are held in their small form from the start.
    fn rest_idle(&mut self) {
        let idle: Vec<(TableId, Seq)> = self
            .book
            .tables()
            .iter()
            .filter_map(|(table, committed)| match &committed.held {
                Held::Awake(state) if !has_work(state) => Some((*table, state.seq)),
                Held::Awake(_) | Held::Asleep(_) => None,
            })
            .collect();
        for (table, at) in idle {
            self.rest(table, at);
        }
    }

    fn follow_progress(&mut self, myself: &ActorRef<LogMsg>, log: &ShardLog) {
        let (mut progress, log_actor) = (log.progress(), myself.clone());
        self.spawn(async move {
            while progress.changed().await.is_ok() {
                let now = *progress.borrow_and_update();
                if log_actor.cast(LogMsg::Progress(now)).is_err() {
                    return;
                }
            }
        });
    }

    fn progress(&self, progress: Progress) {
        match progress {
            Progress::Running => self.shard.status.set_stalled(None),
            Progress::Stalled | Progress::Stopped => {
                tracing::warn!(shard = %self.shard.id, ?progress, "the shard cannot commit");
                self.shard.status.set_stalled(Some(Instant::now()));
            }
        }
    }

    fn open(&mut self, new: NewTable, reply: oneshot::Sender<Result<(), OpenError>>) {
        let same =
            |name: &str, settings: &Settings| *name == *new.name && *settings == *new.settings;
        if let Some(brief) = self
            .book
            .tables()
            .get(&new.table)
            .map(|known| known.brief())
        {
            let known = same(&brief.name, &brief.settings);
            answer(reply, if known { Ok(()) } else { Err(OpenError::Taken) });
            return;
        }
        let mut under_way = self.queue.iter_mut().chain(&mut self.flying);
        if let Some(proposal) = under_way.find(|proposal| proposal.next.id == new.table) {
            match &mut proposal.from {
                Proposer::Opening(waiting)
                    if same(&proposal.next.name, proposal.next.table.settings()) =>
                {
                    waiting.push(reply)
                }
                Proposer::Opening(_) | Proposer::Table(_) => answer(reply, Err(OpenError::Taken)),
            }
            return;
        }
        match self.opening(&new) {
            Ok((next, record)) => self.queue.push_back(Box::new(Proposal {
                next,
                records: vec![record],
                told: Vec::new(),
                finished: None,
                requested: false,
                from: Proposer::Opening(vec![reply]),
            })),
            Err(error) => answer(reply, Err(error)),
        }
    }

    fn opening(&self, new: &NewTable) -> Result<(Arc<TableState>, Vec<u8>), OpenError> {
        let next = TableState::new(
            new.table,
            Arc::clone(&new.name),
            Settings::clone(&new.settings),
        )?;
        let record = Record::Opened {
            table: new.table,
            name: Arc::clone(&new.name),
            settings: Arc::clone(&new.settings),
            at_ms: (self.shard.world.wall_ms)(),
        };
        Ok((
            Arc::new(next),
            codec::encode(&record, &self.shard.world.keys)?,
        ))
    }

    fn start_commit(&mut self, myself: &ActorRef<LogMsg>) {
        let interval = self.shard.options.commit_interval;
        let now = Instant::now();
        if let Some(wait) = self
            .last_commit_start
            .map(|start| interval.saturating_sub(now - start))
            .filter(|wait| !wait.is_zero())
        {
            self.commit_timer = true;
            self.after(wait, myself, || LogMsg::CommitDue);
            return;
        }
        self.last_commit_start = Some(now);
        let mut payload = codec::payload();
        while let Some(proposal) = self.queue.front() {
            let bytes: usize = proposal.records.iter().map(Vec::len).sum();
            let full = self.flying.len() >= self.shard.options.commit_tables
                || payload.len() + bytes > self.shard.options.commit_bytes;
            if full && !self.flying.is_empty() {
                break;
            }
            let proposal = self.queue.pop_front().expect("it was just looked at");
            proposal
                .records
                .iter()
                .for_each(|record| codec::push(&mut payload, record));
            self.flying.push(proposal);
        }
        self.shard.status.queued.store(self.queue.len(), Relaxed);
        let (mut log, reply) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = log.append(Bytes::from(payload)).await.map(drop);
            report(&reply, LogMsg::Committed(log, outcome));
        });
    }

    fn committed(&mut self, outcome: Result<(), AppendError>) -> Result<(), LogError> {
        if let Err(error) = outcome {
            // The proposals are dropped, their tables end with this log, and every
            // caller who waits asks the next owner, with the same request id.
            return Err(error.into());
        }
        self.last_confirmed = Some(Instant::now());
        if self.flying.is_empty() {
            return Ok(());
        }
        self.shard.status.commits.fetch_add(1, Relaxed);
        for proposal in std::mem::take(&mut self.flying) {
            let Proposal {
                next,
                told,
                finished,
                requested,
                from,
                ..
            } = *proposal;
            self.book.advance(&next, told);
            self.shard
                .status
                .actions
                .fetch_add(u64::from(requested), Relaxed);
            if let Some(hand) = finished {
                self.shard.status.hands.fetch_add(1, Relaxed);
                self.outbox.push_back(hand);
            }
            match from {
                // A table that died meanwhile finds its state when it is loaded again.
                Proposer::Table(table) => {
                    if table.cast(TableMsg::Durable).is_err() {
                        tracing::debug!(table = %next.id, "a table ended before its commit was known");
                    }
                }
                Proposer::Opening(waiting) => {
                    waiting.into_iter().for_each(|reply| answer(reply, Ok(())));
                    self.rest(next.id, next.seq);
                }
            }
        }
        self.answer_loads();
        Ok(())
    }

    /// Begins a new segment with a checkpoint: every table of the shard, sleeping ones included.
    fn start_rotation(&mut self, myself: &ActorRef<LogMsg>) -> Result<(), LogError> {
        let rows = self.checkpoint()?;
        self.prune_after = Some(self.outbox.len());
        let (mut log, reply) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = log.rotate(rows).await.map(drop);
            report(&reply, LogMsg::Committed(log, outcome));
        });
        Ok(())
    }

    fn checkpoint(&self) -> Result<Vec<Bytes>, CodecError> {
        let mut rows = Vec::new();
        let mut payload = codec::payload();
        for committed in self.book.tables().values() {
            let record = match &committed.held {
                Held::Awake(state) => codec::encode(
                    &Record::Snapshot(Box::new(TableState::clone(state))),
                    &self.shard.world.keys,
                )?,
                Held::Asleep(asleep) => codec::snapshot_record(&asleep.bytes)?,
            };
            if payload.len() + record.len() > self.shard.options.commit_bytes {
                rows.push(Bytes::from(std::mem::replace(
                    &mut payload,
                    codec::payload(),
                )));
            }
            codec::push(&mut payload, &record);
        }
        rows.push(Bytes::from(payload));
        Ok(rows)
    }

    fn start_prune(&mut self, myself: &ActorRef<LogMsg>) {
        let (mut log, reply) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = match log.prunable() {
                Some(up_to) => log.prune(up_to).await,
                None => Ok(()),
            };
            report(&reply, LogMsg::Pruned(log, outcome));
        });
    }

    fn confirm(&mut self, always: bool, release: Release) {
        let recent = self
            .last_confirmed
            .is_some_and(|at| at.elapsed() < CONFIRMED_FOR);
        if recent && !always && self.ready {
            release();
        } else {
            self.unconfirmed.push(release);
        }
    }

    fn start_confirm(&mut self, myself: &ActorRef<LogMsg>) {
        self.confirming = std::mem::take(&mut self.unconfirmed);
        let (mut log, reply) = (self.lend(), myself.clone());
        self.spawn(async move {
            let outcome = log.confirm().await;
            report(&reply, LogMsg::Confirmed(log, outcome));
        });
    }

    fn confirmed(&mut self, outcome: Result<(), ConfirmError>) -> Result<(), LogError> {
        match outcome {
            Ok(()) => {
                self.last_confirmed = Some(Instant::now());
                std::mem::take(&mut self.confirming)
                    .into_iter()
                    .for_each(|release| release());
                Ok(())
            }
            // The store did not say: whoever waits hears nothing, which means unknown.
            Err(ConfirmError::Unanswered(error)) => {
                tracing::warn!(shard = %self.shard.id, %error, "ownership not confirmed");
                self.confirming.clear();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn archive(&mut self, myself: &ActorRef<LogMsg>) {
        if self.archiving || self.outbox.is_empty() || !self.ready {
            return;
        }
        self.archiving = true;
        let hands: Vec<FinishedHand> = self.outbox.iter().take(ARCHIVE_HANDS).cloned().collect();
        let (shard, log) = (Arc::clone(&self.shard), myself.clone());
        self.spawn(async move {
            let mut records = Vec::with_capacity(hands.len());
            for hand in &hands {
                match archive_record(hand, &shard) {
                    Ok(record) => records.push(record),
                    Err(error) => tracing::error!(table = %hand.table, hand = %hand.hand, %error, "hand not archived"),
                }
            }
            let outcome = shard.world.store.archive_hands(&records).await;
            report(&log, LogMsg::Archived(hands.len(), outcome));
        });
    }

    fn archived(
        &mut self,
        myself: &ActorRef<LogMsg>,
        count: usize,
        outcome: Result<(), StoreError>,
    ) {
        match outcome {
            Ok(()) => {
                self.archiving = false;
                self.outbox.drain(..count);
                self.prune_after = self.prune_after.map(|due| due.saturating_sub(count));
            }
            Err(error) => {
                tracing::warn!(shard = %self.shard.id, %error, hands = self.outbox.len(), "hands not archived yet");
                self.after(ARCHIVE_PAUSE, myself, || LogMsg::ArchiveDue);
            }
        }
    }

    /// Answers loads whose table has nothing under way.
    fn answer_loads(&mut self) {
        if !self.ready {
            return;
        }
        for (table, reply) in std::mem::take(&mut self.loads) {
            let under_way = |proposal: &Box<Proposal>| proposal.next.id == table;
            if self.queue.iter().any(under_way) || self.flying.iter().any(under_way) {
                self.loads.push((table, reply));
                continue;
            }
            let woken = match self.book.wake(table, &self.shard.world.keys) {
                Ok(Some(woken)) => Ok(woken),
                Ok(None) => Err(LoadError::NoSuchTable),
                Err(error) => Err(error.into()),
            };
            answer(reply, woken);
        }
    }

    fn answer_busy(&mut self) {
        if !self.ready {
            return;
        }
        let busy: Vec<TableId> = self
            .book
            .tables()
            .iter()
            .filter(|(_, committed)| match &committed.held {
                Held::Awake(state) => has_work(state),
                Held::Asleep(_) => false,
            })
            .map(|(table, _)| *table)
            .collect();
        for reply in std::mem::take(&mut self.busy_asked) {
            answer(reply, busy.clone());
        }
    }

    fn rest(&mut self, table: TableId, at: Seq) {
        if let Err(error) = self.book.rest(table, at, &self.shard.world.keys) {
            tracing::error!(%table, %error, "a sleeping table stays in its large form");
        }
    }

    fn list(&self, after: Option<TableId>, limit: usize) -> Vec<(TableId, Brief, bool)> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.book
            .tables()
            .range((from, std::ops::Bound::Unbounded))
            .take(limit)
            .map(|(table, committed)| {
                (
                    *table,
                    committed.brief(),
                    matches!(committed.held, Held::Asleep(_)),
                )
            })
            .collect()
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for committed in self.book.tables().values() {
            let brief = committed.brief();
            sums.tables += 1;
            sums.asleep += u64::from(matches!(committed.held, Held::Asleep(_)));
            sums.chips_in += brief.ledger.chips_in;
            sums.chips_out += brief.ledger.chips_out;
            sums.rake += brief.ledger.rake;
            sums.on_tables += brief.chips;
        }
        sums
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

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(tokio::spawn(task));
    }
}

async fn take_over(shard: Arc<Shard>, log: ActorRef<LogMsg>) {
    let world = Arc::clone(&shard.world);
    let mut reader = Reader::new(&world.keys);
    let mut token = || WriterToken((world.token)());
    let taken = ShardLog::take_over(
        Arc::clone(&world.store),
        shard.id,
        &world.node,
        &mut token,
        &mut reader,
        shard.options.log.clone(),
    )
    .await;
    let recovered = reader.finish();
    report(
        &log,
        LogMsg::TakenOver(Box::new(taken.map(|taken| (taken, recovered)))),
    );
}

/// A hand as the archive keeps it.
fn archive_record(hand: &FinishedHand, shard: &Shard) -> Result<HandRecord, CodecError> {
    Ok(HandRecord {
        table: hand.table,
        hand_no: hand.hand,
        ended_ms: hand.events.last().map_or(0, |last| last.at_ms),
        players: hand.players(),
        body: codec::encode_hand(hand, &shard.world.keys)?.into(),
    })
}

/// Whether a table has something to do without being asked.
fn has_work(state: &TableState) -> bool {
    state.table.hand().is_some() || state.table.can_deal()
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

/// For so long a commit or a confirmation speaks for reads and refusals (design.md §4).
const CONFIRMED_FOR: Duration = Duration::from_millis(500);
/// Hands in one write of the archive.
const ARCHIVE_HANDS: usize = 64;
const ARCHIVE_PAUSE: Duration = Duration::from_millis(500);
