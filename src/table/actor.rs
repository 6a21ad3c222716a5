//! A table: receive → decide → evolve a copy and check it → append → swap → tell → reply.
//!
//! One undecided append at a time; what comes meanwhile waits in a bounded queue.
//! The table never waits for a client and calls nobody: it casts.

use std::{collections::VecDeque, sync::Arc, time::Duration};

#[cfg(feature = "faults")]
use engine::Event;
use engine::{Command, HandNo, Phase, PlayerId, Viewer};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisors::StartFn;
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

#[cfg(feature = "faults")]
use super::fault::Defect;
use super::{
    clock::TurnClock,
    codec::{self, Record},
    decide::{Decided, refusal},
    refusals::Refusals,
    request::{CallError, Done, Order, Position, Request, TableView},
    shard::{
        Shard, Woken,
        desk::DeskMsg,
        log::{LoadError, LogMsg, Proposal, Proposer, Release},
    },
    state::{Cause, Step, TableState, Told},
    watch::{Audience, Stage},
};
use crate::ids::{Epoch, TableId};

/// The actor.
pub struct TableActor;

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
    idle_since: Instant,
    timer: Option<(Instant, JoinHandle<()>)>,
    timer_no: u64,
}

/// What is on its way into the log.
struct Pending {
    next: Arc<TableState>,
    told: Vec<Arc<Told>>,
}

/// Who hears of what is on its way, once it is durable.
enum Answer {
    /// A player whose request is done.
    Done(PlayerId, Reply<Done>),
    /// A player whose request is refused for good.
    Refused(CallError, Reply<Done>),
    /// A session whose word about a connection is noted.
    Noted(Reply<()>),
    /// The table did it by itself.
    Nobody,
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
            Self::Durable | Self::TimerDue(_) | Self::Drain => {}
            #[cfg(feature = "faults")]
            Self::Fault(_) => {}
        }
    }
}

impl Answer {
    fn release(self, next: &TableState, epoch: Epoch) -> Option<Release> {
        match self {
            Self::Done(player, reply) => {
                let position = Position {
                    epoch,
                    seq: next.seq,
                };
                let seat = next.table.seat_of(player).map(|(seat, _)| seat);
                Some(Box::new(move || answer(reply, Ok(Done { position, seat }))))
            }
            Self::Refused(refused, reply) => Some(Box::new(move || answer(reply, Err(refused)))),
            Self::Noted(reply) => Some(Box::new(move || answer(reply, Ok(())))),
            Self::Nobody => None,
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

    fn call(
        &mut self,
        myself: &ActorRef<TableMsg>,
        request: Request,
        reply: Reply<Done>,
    ) -> Result<(), TableError> {
        if let Some(known) = self.known(&request) {
            self.repeat(&request, known, reply);
            return Ok(());
        }
        let refused = match self.refused.of(&request) {
            Some(refused) => Err(refused),
            None => self
                .command(&request)
                .and_then(|command| self.decide(&command).map_err(|reject| refusal(&reject))),
        };
        let cause = Cause {
            player: request.player,
            request: request.id,
            refused: refused.is_err(),
        };
        match refused {
            Ok(decided) => {
                self.refused.forget(request.player);
                self.propose(
                    myself,
                    decided,
                    Some(cause),
                    Answer::Done(cause.player, reply),
                )
            }
            Err(refused) => self.refuse(myself, &request, cause, refused, reply),
        }
    }

    /// The answer to a request that the log knows, or that is older than one it knows.
    fn known(&self, request: &Request) -> Option<Result<Done, CallError>> {
        #[cfg(feature = "faults")]
        if self.shard.faults.makes(Defect::ForgetsRequests) {
            return None;
        }
        let recent = self.state.recents.of(request.player)?;
        if request.id < recent.request {
            return Some(Err(CallError::stale_request()));
        }
        if request.id > recent.request {
            return None;
        }
        if recent.refused {
            let remembered = self.refused.of(request);
            return Some(Err(remembered.unwrap_or_else(CallError::refused_before)));
        }
        let position = Position {
            epoch: self.shard.status.epoch(),
            seq: recent.seq,
        };
        Some(Ok(Done {
            position,
            seat: recent.seat,
        }))
    }

    /// What is said depends on the state, so an owner who may be an old one confirms
    /// first; and always if an earlier attempt of the request may live elsewhere.
    fn repeat(&self, request: &Request, outcome: Result<Done, CallError>, reply: Reply<Done>) {
        let release: Release = Box::new(move || answer(reply, outcome));
        self.confirm(!request.first_attempt, release);
    }

    /// Refuses for good (promise P3). Of a first attempt there is no other copy, and it
    /// ends here. An earlier attempt of a repeated one may still be on its way to this
    /// table or to its next owner, so the log keeps that this request is refused.
    fn refuse(
        &mut self,
        myself: &ActorRef<TableMsg>,
        request: &Request,
        cause: Cause,
        refused: CallError,
        reply: Reply<Done>,
    ) -> Result<(), TableError> {
        self.refused.note(request, &refused);
        #[cfg(feature = "faults")]
        if self.shard.faults.makes(Defect::ForgetsRefusals) {
            self.repeat(request, Err(refused), reply);
            return Ok(());
        }
        if request.first_attempt {
            self.repeat(request, Err(refused), reply);
            return Ok(());
        }
        let nothing = Decided {
            events: Vec::new(),
            command: "refuse",
        };
        self.propose(
            myself,
            nothing,
            Some(cause),
            Answer::Refused(refused, reply),
        )
    }

    fn confirm(&self, always: bool, release: Release) {
        if !self.shard.log.cast(LogMsg::Confirm { always, release }) {
            tracing::debug!(table = %self.state.id, "no log to confirm with");
        }
    }

    fn command(&self, request: &Request) -> Result<Command, CallError> {
        let player = request.player;
        Ok(match &request.order {
            Order::Sit {
                seat,
                name,
                buy_in,
                post_now,
            } => super::decide::sit(&self.state.table, player, *seat, name, *buy_in, *post_now)?,
            Order::Leave => Command::Leave { player },
            Order::TopUp { amount } => Command::TopUp {
                player,
                amount: *amount,
            },
            Order::SitOut => Command::SitOut { player },
            Order::SitIn { post_now } => Command::SitIn {
                player,
                entry: super::decide::entry(*post_now),
            },
            Order::Act { hand, turn, action } => {
                let bank = self
                    .clock
                    .filter(|clock| clock.running.phase == Phase::Bank);
                let used = bank.map_or(0, |clock| {
                    clock.used_ms(request.received, self.shard.status.stalled())
                });
                Command::Act {
                    player,
                    hand: *hand,
                    turn: *turn,
                    action: *action,
                    bank_used_ms: used,
                }
            }
        })
    }

    fn presence(
        &mut self,
        myself: &ActorRef<TableMsg>,
        player: PlayerId,
        connected: bool,
        reply: Reply<()>,
    ) -> Result<(), TableError> {
        let command = if connected {
            Command::Connected { player }
        } else {
            Command::Disconnected { player }
        };
        match self.decide(&command) {
            Ok(decided) => self.propose(myself, decided, None, Answer::Noted(reply)),
            // A player who does not sit, or is known to be so, changes nothing.
            Err(_unchanged) => {
                answer(reply, Ok(()));
                Ok(())
            }
        }
    }

    /// What the table does by itself: clocks that ran out, the next hand.
    fn own_doing(&mut self, myself: &ActorRef<TableMsg>) -> Result<(), TableError> {
        let now = Instant::now();
        if let Some(clock) = self.clock {
            let running = clock.running;
            if self.shard.status.is_stalled()
                || !clock.due_in(now, self.shard.status.stalled()).is_zero()
            {
                return Ok(());
            }
            let time_out = Command::TimeOut {
                hand: running.hand,
                turn: running.turn,
                phase: running.phase,
            };
            return self.propose_own(myself, &time_out);
        }
        if !self.state.table.can_deal() {
            self.deal_at = None;
            return Ok(());
        }
        let deal_at = *self
            .deal_at
            .get_or_insert(now + self.shard.options.hand_pause);
        if deal_at > now {
            return Ok(());
        }
        self.deal_at = None;
        match self.deal() {
            Ok(command) => self.propose_own(myself, &command),
            Err(error) => {
                tracing::error!(table = %self.state.id, %error, "no deck; trying again");
                self.deal_at = Some(now + ENTROPY_PAUSE);
                Ok(())
            }
        }
    }

    /// What the engine says is due, it must not refuse: trying again would go on for ever.
    fn propose_own(
        &mut self,
        myself: &ActorRef<TableMsg>,
        command: &Command,
    ) -> Result<(), TableError> {
        let decided = self.decide(command).map_err(|reject| TableError::Refused {
            command: super::decide::name(command),
            reject,
        })?;
        self.propose(myself, decided, None, Answer::Nobody)
    }

    fn deal(&self) -> Result<Command, super::shuffle::NoEntropy> {
        let (table, hand) = (
            self.state.id,
            HandNo(self.state.table.hands_started().0 + 1),
        );
        let dealer = &self.shard.world.dealer;
        let first_button = match hand {
            HandNo(1) => dealer.button(table, self.state.table.settings().seats)?,
            HandNo(_) => engine::SeatNo(0),
        };
        Ok(Command::Deal {
            deck: dealer.deck(table, hand)?,
            first_button,
        })
    }

    fn decide(&self, command: &Command) -> Result<Decided, engine::Reject> {
        engine::decide(&self.state.table, command).map(|events| Decided {
            events,
            command: super::decide::name(command),
        })
    }

    /// Evolves a copy, checks it, and hands it to the log. An event that does not
    /// fold to a sound table never enters the log.
    fn propose(
        &mut self,
        myself: &ActorRef<TableMsg>,
        decided: Decided,
        cause: Option<Cause>,
        answer: Answer,
    ) -> Result<(), TableError> {
        let at_ms = (self.shard.world.wall_ms)();
        #[cfg(not(feature = "faults"))]
        let note = None;
        #[cfg(feature = "faults")]
        let note = self.leaked(&decided);
        let Step {
            batch,
            mut next,
            applied,
        } = self.state.step(decided.events, cause, note, at_ms);
        engine::check(&next.table).map_err(|broken| TableError::Broken {
            command: decided.command,
            broken,
        })?;
        let keys = &self.shard.world.keys;
        let mut records = vec![codec::encode(&Record::Batch(batch), keys)?];
        if self.snapshot_due(&next) {
            next.snapshot_seq = next.seq;
            records.push(codec::encode(
                &Record::Snapshot(Box::new(self.for_snapshot(&next))),
                keys,
            )?);
        }
        let next = Arc::new(next);
        let done = answer.release(&next, self.shard.status.epoch());
        #[cfg(feature = "faults")]
        let done = done.filter(|_| !self.shard.faults.makes(Defect::AcknowledgesEarly));
        self.pending = Some(Pending {
            next: Arc::clone(&next),
            told: applied.told.clone(),
        });
        let proposal = Proposal {
            next,
            records,
            told: applied.told,
            finished: applied.finished,
            requested: cause.is_some_and(|cause| !cause.refused),
            from: Proposer::Table(myself.clone()),
            done,
        };
        if self.shard.log.cast(LogMsg::Propose(Box::new(proposal))) {
            Ok(())
        } else {
            Err(TableError::NoLog)
        }
    }

    /// A mistake made on purpose: the deck in clear, where a note would be.
    #[cfg(feature = "faults")]
    fn leaked(&self, decided: &Decided) -> Option<String> {
        let deck = decided.events.iter().find_map(|event| match event {
            Event::Private(engine::Secret::Deck(deck)) => Some(deck),
            Event::Public(_) => None,
        });
        deck.filter(|_| self.shard.faults.makes(Defect::ClearDeck))
            .map(|deck| deck.to_bytes().map(char::from).iter().collect())
    }

    fn for_snapshot(&self, next: &TableState) -> TableState {
        #[cfg(feature = "faults")]
        if self.shard.faults.makes(Defect::SnapshotWithoutDeck) {
            let mut state = next.clone();
            state
                .hand_log
                .retain(|stamped| matches!(stamped.event, Event::Public(_)));
            return state;
        }
        next.clone()
    }

    /// At the first end of a hand after the interval; in mid-hand only past twice that.
    fn snapshot_due(&self, next: &TableState) -> bool {
        let since = next.seq.0 - next.snapshot_seq.0;
        let interval = self.shard.options.snapshot_interval;
        if next.table.hand().is_some() {
            return since > 2 * interval;
        }
        let ended = self.state.table.hand().is_some();
        since >= interval || (ended && self.shard.options.snapshot_every_hand)
    }

    /// What was proposed is in the log, and whoever asked hears it from there: swap, tell.
    fn durable(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.state = pending.next;
        self.ring.extend(pending.told);
        let surplus = self.ring.len().saturating_sub(super::shard::RING_EVENTS);
        self.ring.drain(..surplus);
        self.tell_watchers();
        if self.fell {
            self.shard.falls.reached(self.state.id, self.state.seq);
        }
    }

    /// Keeps the clock in step with the engine's: a new turn or phase starts a new one.
    fn follow_clock(&mut self) {
        let running = self.state.table.clock();
        self.clock = running.map(|running| match self.clock {
            Some(clock) if clock.measures(&running) => clock,
            Some(_) | None => {
                TurnClock::start(running, Instant::now(), self.shard.status.stalled())
            }
        });
    }

    fn refresh_watchers(&mut self) {
        self.audience.refresh(self.shard.watchers.of(self.state.id));
        self.tell_watchers();
    }

    fn tell_watchers(&mut self) {
        if self.audience.is_empty() {
            return;
        }
        let (state, shard, clock) = (&self.state, &self.shard, self.clock);
        let stage = Stage {
            table: state.id,
            epoch: shard.status.epoch(),
            seq: state.seq,
            ring: &self.ring,
            snapshot: &|viewer| view(state, shard, clock, viewer),
            #[cfg(feature = "faults")]
            skips: shard.faults.makes(Defect::SkipsFrames),
        };
        for gone in self.audience.catch_up(&stage) {
            self.shard.watchers.forget(self.state.id, &gone);
        }
    }

    fn view(&self, viewer: Viewer) -> TableView {
        view(&self.state, &self.shard, self.clock, viewer)
    }

    /// Stops if nothing is going on. The log keeps the state, the registry the
    /// watchers; whoever still has this table's address asks the desk next.
    fn drain(&mut self, myself: &ActorRef<TableMsg>) -> Result<(), TableError> {
        let table = self.state.id;
        if self.sleeps_at().is_none() {
            if !self.shard.desk.cast(DeskMsg::Up(table, myself.clone())) {
                tracing::debug!(%table, "no desk to tell");
            }
            return self.go_on(myself);
        }
        if !self.shard.log.cast(LogMsg::Rest(table, self.state.seq)) {
            return Err(TableError::NoLog);
        }
        myself.stop(None);
        Ok(())
    }

    /// When this table may sleep, as things are; never with an open turn, an append
    /// under way or a hand to deal.
    fn sleeps_at(&self) -> Option<Instant> {
        let quiet = self.pending.is_none()
            && self.waiting.is_empty()
            && self.clock.is_none()
            && self.deal_at.is_none()
            && !self.audience.someone_lags();
        quiet.then(|| self.idle_since + self.shard.options.sleep_after)
    }

    /// One timer for whatever comes first.
    fn set_timer(&mut self, myself: &ActorRef<TableMsg>) {
        let now = Instant::now();
        let clock = self.clock.filter(|_| self.pending.is_none());
        let least = if self.shard.status.is_stalled() {
            STALL_PAUSE
        } else {
            Duration::ZERO
        };
        let turn =
            clock.map(|clock| now + clock.due_in(now, self.shard.status.stalled()).max(least));
        let lag = self.audience.someone_lags().then(|| now + LAG_PAUSE);
        let sleep = self.sleeps_at();
        if sleep.is_some_and(|at| at <= now) {
            if !self.shard.desk.cast(DeskMsg::MaySleep(self.state.id)) {
                tracing::debug!(table = %self.state.id, "no desk to ask");
            }
            self.idle_since = now;
        }
        // A deal that is due while an append is under way waits for it, not for a timer.
        let deal = self.deal_at.filter(|_| self.pending.is_none());
        let due = [turn, lag, deal, self.sleeps_at()]
            .into_iter()
            .flatten()
            .min();
        if due == self.timer.as_ref().map(|(at, _)| *at) {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
        self.timer_no += 1;
        self.timer = due.map(|at| {
            let (table, no) = (myself.clone(), self.timer_no);
            let timer = tokio::spawn(async move {
                tokio::time::sleep_until(at).await;
                if table.cast(TableMsg::TimerDue(no)).is_err() {
                    tracing::trace!("a table ended before its timer");
                }
            });
            (at, timer)
        });
    }
}

fn view(state: &TableState, shard: &Shard, clock: Option<TurnClock>, viewer: Viewer) -> TableView {
    let left = |clock: TurnClock| clock.left(Instant::now(), shard.status.stalled());
    TableView {
        table: state.id,
        name: Arc::clone(&state.name),
        position: Position {
            epoch: shard.status.epoch(),
            seq: state.seq,
        },
        view: engine::view(&state.table, viewer),
        time_left: clock.map(left),
        parked: false,
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

const BUSY_PAUSE: Duration = Duration::from_millis(50);
const LAG_PAUSE: Duration = Duration::from_millis(50);
const STALL_PAUSE: Duration = Duration::from_millis(100);
const ENTROPY_PAUSE: Duration = Duration::from_secs(1);
