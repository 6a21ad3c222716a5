//! A table: receive → decide → evolve a copy and check it → append → swap → tell → reply.
//!
//! One undecided append at a time; what comes meanwhile waits in a bounded queue.
//! The table never waits for a client and calls nobody: it casts.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use engine::{Command, Event, HandNo, Phase, PlayerId, Viewer};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisors::StartFn;
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use super::{
    clock::TurnClock,
    codec::{self, Record},
    decide::{Decided, refusal},
    request::{CallError, Done, Order, Position, Request, TableView},
    shard::{
        Shard,
        desk::DeskMsg,
        log::{LoadError, LogMsg, Proposal, Proposer, Release},
    },
    state::{Batch, Cause, Stamped, TableState, Told},
    watch::{Audience, Stage},
};
use crate::ids::{Seq, TableId};

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
    /// An operator gives up this hand.
    Void(HandNo, String, Reply<()>),
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
    /// The last refused request of each player: a repeat hears the same.
    refused: BTreeMap<PlayerId, (u64, CallError)>,
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
    reply: Option<(PlayerId, Reply<Done>)>,
    void: Option<Reply<()>>,
}

/// What waits until the append is decided.
enum Waiting {
    Call(Box<Request>, Reply<Done>),
    Presence(PlayerId, bool, Reply<()>),
    Void(HandNo, String, Reply<()>),
}

impl TableMsg {
    /// Answers whoever waits for this.
    pub fn turn_away(self, error: CallError) {
        match self {
            Self::Call(_, reply) => answer(reply, Err(error)),
            Self::Look(_, reply) => answer(reply, Err(error)),
            Self::WatchersChanged(reply) | Self::Presence(.., reply) | Self::Void(.., reply) => {
                answer(reply, Err(error))
            }
            Self::Durable | Self::TimerDue(_) | Self::Drain => {}
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
        let (reply, loaded) = oneshot::channel();
        if !shard.log.cast(LogMsg::Load(table, reply)) {
            return Err(TableError::NoLog.into());
        }
        let woken = loaded
            .await
            .or(Err(TableError::NoLog))?
            .map_err(TableError::Load)?;
        shard.falls.came_up(table, woken.state.seq);
        let mut run = TableRun {
            state: woken.state,
            ring: woken.ring,
            audience: Audience::default(),
            pending: None,
            waiting: VecDeque::new(),
            refused: BTreeMap::new(),
            clock: None,
            deal_at: None,
            idle_since: Instant::now(),
            timer: None,
            timer_no: 0,
            shard,
        };
        run.refresh_watchers();
        run.go_on(&myself)?;
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
        Ok(run.handle(&myself, message)?)
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
            TableMsg::Void(hand, note, reply) => self.admit(Waiting::Void(hand, note, reply)),
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
                Waiting::Void(hand, note, reply) => self.void(myself, hand, note, reply)?,
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
            Waiting::Presence(.., reply) | Waiting::Void(.., reply) => answer(reply, Err(busy)),
        }
    }

    fn call(
        &mut self,
        myself: &ActorRef<TableMsg>,
        request: Request,
        reply: Reply<Done>,
    ) -> Result<(), TableError> {
        if let Some(known) = self.known(&request) {
            self.refuse_or_repeat(&request, known, reply);
            return Ok(());
        }
        let command = self.command(&request);
        let decided = match command
            .and_then(|command| self.decide(&command).map_err(|reject| refusal(&reject)))
        {
            Ok(decided) => decided,
            Err(refused) => {
                self.refused
                    .insert(request.player, (request.id, refused.clone()));
                self.refuse_or_repeat(&request, Err(refused), reply);
                return Ok(());
            }
        };
        self.refused.remove(&request.player);
        let cause = Cause {
            player: request.player,
            request: request.id,
        };
        self.propose(myself, decided, Some(cause), None)?;
        if let Some(pending) = &mut self.pending {
            pending.reply = Some((request.player, reply));
        }
        Ok(())
    }

    /// The answer to a request that was answered before, or that is older than one that was.
    fn known(&self, request: &Request) -> Option<Result<Done, CallError>> {
        if let Some(recent) = self.state.recents.of(request.player) {
            if request.id == recent.request {
                let position = Position {
                    epoch: self.shard.status.epoch(),
                    seq: recent.seq,
                };
                return Some(Ok(Done {
                    position,
                    seat: recent.seat,
                }));
            }
            if request.id < recent.request {
                return Some(Err(stale_request()));
            }
        }
        match self.refused.get(&request.player) {
            Some((id, refused)) if *id == request.id => Some(Err(refused.clone())),
            Some((id, _)) if *id > request.id => Some(Err(stale_request())),
            Some(_) | None => None,
        }
    }

    /// A refusal depends on the state, so an owner who may be an old one confirms first;
    /// and always if an earlier attempt of the request may live elsewhere (promise P3).
    fn refuse_or_repeat(
        &self,
        request: &Request,
        outcome: Result<Done, CallError>,
        reply: Reply<Done>,
    ) {
        let release: Release = Box::new(move || answer(reply, outcome));
        self.confirm(!request.first_attempt, release);
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
        // A player who does not sit, or is known to be so, changes nothing.
        if let Ok(decided) = self.decide(&command) {
            self.propose(myself, decided, None, None)?;
        }
        answer(reply, Ok(()));
        Ok(())
    }

    fn void(
        &mut self,
        myself: &ActorRef<TableMsg>,
        hand: HandNo,
        note: String,
        reply: Reply<()>,
    ) -> Result<(), TableError> {
        if self.state.table.hand().map(|open| open.no()) != Some(hand) {
            let text = format!("hand {hand} is not being played");
            answer(
                reply,
                Err(CallError::Refused {
                    rule: "NoSuchHand",
                    text,
                }),
            );
            return Ok(());
        }
        match self.decide(&Command::Void) {
            Ok(decided) => {
                self.propose(myself, decided, None, Some(note))?;
                if let Some(pending) = &mut self.pending {
                    pending.void = Some(reply);
                }
            }
            Err(reject) => answer(reply, Err(refusal(&reject))),
        }
        Ok(())
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
        self.propose(myself, decided, None, None)
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
        note: Option<String>,
    ) -> Result<(), TableError> {
        let at_ms = (self.shard.world.wall_ms)();
        let numbered = (self.state.seq.0 + 1..).map(Seq).zip(decided.events);
        let events: Vec<Arc<Stamped>> = numbered
            .map(|(seq, event): (Seq, Event)| Arc::new(Stamped { seq, at_ms, event }))
            .collect();
        let batch = Batch {
            table: self.state.id,
            cause,
            note,
            events,
        };
        let mut next = TableState::clone(&self.state);
        let applied = next.apply(&batch);
        engine::check(&next.table).map_err(|broken| TableError::Broken {
            command: decided.command,
            broken,
        })?;

        let keys = &self.shard.world.keys;
        let mut records = vec![codec::encode(&Record::Batch(batch), keys)?];
        if self.snapshot_due(&next) {
            next.snapshot_seq = next.seq;
            records.push(codec::encode(
                &Record::Snapshot(Box::new(next.clone())),
                keys,
            )?);
        }
        let next = Arc::new(next);
        self.pending = Some(Pending {
            next: Arc::clone(&next),
            told: applied.told.clone(),
            reply: None,
            void: None,
        });
        let proposal = Proposal {
            next,
            records,
            told: applied.told,
            finished: applied.finished,
            requested: cause.is_some(),
            from: Proposer::Table(myself.clone()),
        };
        if self.shard.log.cast(LogMsg::Propose(Box::new(proposal))) {
            Ok(())
        } else {
            Err(TableError::NoLog)
        }
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

    /// What was proposed is in the log: swap, tell, reply.
    fn durable(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.state = pending.next;
        self.ring.extend(pending.told);
        let surplus = self.ring.len().saturating_sub(super::shard::RING_EVENTS);
        self.ring.drain(..surplus);
        self.tell_watchers();
        if let Some((player, reply)) = pending.reply {
            let position = Position {
                epoch: self.shard.status.epoch(),
                seq: self.state.seq,
            };
            let seat = self.state.table.seat_of(player).map(|(seat, _)| seat);
            answer(reply, Ok(Done { position, seat }));
        }
        if let Some(reply) = pending.void {
            answer(reply, Ok(()));
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
        };
        for gone in self.audience.catch_up(&stage) {
            self.shard.watchers.remove(self.state.id, gone);
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
        let due = [turn, lag, self.deal_at, self.sleeps_at()]
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

fn stale_request() -> CallError {
    let text = "a request with a higher id was answered before".into();
    CallError::Refused {
        rule: "StaleRequest",
        text,
    }
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
