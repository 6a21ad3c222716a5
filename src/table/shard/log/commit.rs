//! Group commit: what was proposed while a commit was in flight becomes the next one.

use std::{sync::Arc, sync::atomic::Ordering::Relaxed};

use bytes::Bytes;
use ractor::ActorRef;
use tokio::{
    sync::oneshot,
    time::{Duration, Instant},
};

use super::{
    LogError, LogMsg, LogState, Release, answer, open::OpenError, report, void::VoidError,
};
use crate::{
    store::{
        StoreError,
        log::{AppendError, ShardLog},
    },
    table::{
        actor::TableMsg,
        codec,
        state::{FinishedHand, TableState, Told},
    },
};

/// What somebody decided and wants to be durable.
pub struct Proposal {
    /// The table's state after it.
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
    /// Called when it is durable; dropped if that never happens here.
    pub done: Option<Release>,
}

/// Who proposed.
pub enum Proposer {
    /// A table's actor.
    Table(ActorRef<TableMsg>),
    /// Those who wait for a table that is being opened.
    Opening(Vec<oneshot::Sender<Result<(), OpenError>>>),
    /// An operator who voids a hand of a parked table.
    Voiding(oneshot::Sender<Result<(), VoidError>>),
}

/// The log, back from a commit or a rotation, with the outcome.
pub type Returned = (Box<ShardLog>, Result<(), AppendError>);

impl LogState {
    pub(super) fn enqueue(&mut self, proposal: Box<Proposal>) {
        self.queue.push_back(proposal);
        self.shard.status.queued.store(self.queue.len(), Relaxed);
    }

    pub(super) fn start_commit(&mut self, myself: &ActorRef<LogMsg>) {
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
        let payload = self.board();
        // This commit begins after they asked: if it is applied, it speaks for them, too.
        self.confirming = std::mem::take(&mut self.unconfirmed);
        let mut log = self.lend();
        #[cfg(feature = "faults")]
        let shard = Arc::clone(&self.shard);
        self.fly(myself, async move {
            #[cfg(feature = "faults")]
            let again = payload.clone();
            let outcome = log.append(payload).await.map(drop);
            #[cfg(feature = "faults")]
            let outcome = mistaken(&shard, &mut log, again, outcome).await;
            (log, outcome)
        });
    }

    /// Moves proposals from the queue into the next commit.
    fn board(&mut self) -> Bytes {
        let mut payload = codec::payload();
        let waiting = self.queue.iter().flat_map(|proposal| &proposal.records);
        let bytes: usize = waiting.map(|record| record.len() + size_of::<u32>()).sum();
        payload.reserve(bytes.min(self.shard.options.commit_bytes));
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
            self.flying.push(*proposal);
        }
        self.shard.status.queued.store(self.queue.len(), Relaxed);
        Bytes::from(payload)
    }

    /// Runs a commit or a rotation beside the actor. A message says that it ended; an
    /// orderly stop, which reads no more messages, waits for the end itself.
    pub(super) fn fly(
        &mut self,
        myself: &ActorRef<LogMsg>,
        flight: impl Future<Output = Returned> + Send + 'static,
    ) {
        let (landing, landed) = oneshot::channel();
        self.flight = Some(landed);
        let log = myself.clone();
        self.spawn(async move {
            if landing.send(flight.await).is_ok() {
                report(&log, LogMsg::Landed);
            }
        });
    }

    pub(super) fn committed(&mut self, (log, outcome): Returned) -> Result<(), LogError> {
        self.log = Some(log);
        match outcome {
            Ok(()) => self.has_room(),
            Err(AppendError::NotWritten(error @ StoreError::Full { .. })) => {
                self.has_no_room(&error);
                return Ok(());
            }
            // The proposals are dropped, their tables end with this log, and every caller
            // who waits asks the next owner, with the same request id.
            Err(error) => return Err(error.into()),
        }
        self.last_confirmed = Some(Instant::now());
        if !self.flying.is_empty() {
            self.shard.status.commits.fetch_add(1, Relaxed);
        }
        let mut flying = std::mem::take(&mut self.flying);
        for proposal in flying.drain(..) {
            self.landed(proposal);
        }
        self.flying = flying;
        std::mem::take(&mut self.confirming)
            .into_iter()
            .for_each(|release| release());
        self.answer_loads();
        Ok(())
    }

    /// Nothing of the commit is in the log, and nothing ever will be: the slot is free and
    /// the log goes on. So the proposals go back to where they were, their tables wait as
    /// for a slow store, clocks stand still, and new calls are turned away.
    fn has_no_room(&mut self, error: &StoreError) {
        if !self.shard.status.full.swap(true, Relaxed) {
            tracing::error!(shard = %self.shard.id, %error, "play pauses until there is room");
        }
        for proposal in std::mem::take(&mut self.flying).into_iter().rev() {
            self.queue.push_front(Box::new(proposal));
        }
        self.shard.status.queued.store(self.queue.len(), Relaxed);
        let since = std::mem::take(&mut self.unconfirmed);
        self.unconfirmed = std::mem::take(&mut self.confirming);
        self.unconfirmed.extend(since);
        self.shard.status.set_stalled(Some(Instant::now()));
    }

    fn has_room(&self) {
        if self.shard.status.full.swap(false, Relaxed) {
            tracing::info!(shard = %self.shard.id, "there is room again; play goes on");
            self.shard.status.set_stalled(None);
        }
    }

    /// Looks for room again in a while: what is in the queue is still to be written.
    pub(super) fn rest_without_room(&mut self, myself: &ActorRef<LogMsg>) {
        if self.shard.status.full.load(Relaxed) {
            self.commit_timer = true;
            self.after(ROOM_PAUSE, myself, || LogMsg::CommitDue);
        }
    }

    /// One proposal is durable: into the book, then to its table, then to whoever asked.
    fn landed(&mut self, proposal: Proposal) {
        let Proposal {
            next,
            told,
            finished,
            requested,
            from,
            done,
            records: _,
        } = proposal;
        self.book.advance(&next, told);
        self.shard
            .status
            .actions
            .fetch_add(u64::from(requested), Relaxed);
        if let Some(hand) = finished {
            self.shard.status.hands.fetch_add(1, Relaxed);
            self.outbox.push(hand);
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
            Proposer::Voiding(reply) => answer(reply, Ok(())),
        }
        if let Some(done) = done {
            done();
        }
    }

    /// An orderly stop lets the commit in flight end, so that who waits for it hears of
    /// it. A log that failed has none.
    pub(super) async fn finish_flight(&mut self) {
        let Some(landed) = self.flight.take() else {
            return;
        };
        match tokio::time::timeout(FLIGHT_GRACE, landed).await {
            Ok(Ok(returned)) => {
                if let Err(error) = self.committed(returned) {
                    tracing::warn!(shard = %self.shard.id, %error, "the last commit failed");
                }
            }
            Ok(Err(_ended)) => tracing::debug!(shard = %self.shard.id, "the last commit is over"),
            Err(_elapsed) => {
                tracing::warn!(shard = %self.shard.id, "the last commit was not answered in time")
            }
        }
    }
}

/// Two mistakes after a commit of unknown outcome, made on purpose.
#[cfg(feature = "faults")]
async fn mistaken(
    shard: &super::super::Shard,
    log: &mut ShardLog,
    payload: Bytes,
    outcome: Result<(), AppendError>,
) -> Result<(), AppendError> {
    use crate::table::fault::Defect;
    if !matches!(outcome, Err(AppendError::Undetermined { .. })) {
        return outcome;
    }
    let keeps = shard.faults.makes(Defect::KeepsOldSegment);
    let reuses = shard.faults.makes(Defect::ReusesSlot);
    if !keeps && !reuses {
        return outcome;
    }
    for _ in 0..8 {
        if keeps && log.resume_in_old_segment().await {
            return log.append(payload).await.map(drop);
        }
        let other = Bytes::from(codec::payload());
        if reuses && log.append_into_same_slot(other).await.is_some() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    outcome
}

/// Often enough that nobody waits long once an operator made room, and cheap for a full disk.
const ROOM_PAUSE: Duration = Duration::from_millis(250);
/// How long an orderly stop waits for the commit in flight; below the five seconds that
/// its supervisor gives it.
const FLIGHT_GRACE: Duration = Duration::from_secs(2);
