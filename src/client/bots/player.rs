//! One session of bots: a player who sits at many tables.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::call::{Call, ask};
use super::check::{Checker, Deed};
use super::dice::Dice;
use super::histogram::Histogram;
use super::options::{Control, Options};
use super::pace::Pace;
use super::strategy::{Sight, Strategy};
use super::violation::{Finding, Violation};
use crate::client::calls::{Answer, ForTurn, RequestIds};
use crate::client::error::CallError;
use crate::client::model::{Move, SeatModel, Status, TableModel};
use crate::client::session::Player;
use crate::client::watch::{Update, Watch, WatchOptions};

/// What the sessions of a group share.
pub(super) struct Crew {
    pub(super) options: Options,
    pub(super) control: Arc<Control>,
    pub(super) pace: Arc<Pace>,
    /// The players of the group.
    pub(super) members: HashSet<String>,
    pub(super) in_flight: Semaphore,
    /// Calls under way.
    pub(super) asking: AtomicUsize,
}

/// The player's place at one table.
pub(super) struct Post {
    checker: Checker,
    strategy: Strategy,
    /// Straddles where the table lets one.
    straddles: bool,
    dice: Dice,
    ids: RequestIds,
    state: State,
    /// A call is under way: the next one waits, so that request ids arrive in order.
    busy: bool,
    /// After a refusal nothing but a move is asked before this.
    not_before: Option<Instant>,
    /// The last place that an answer to any player of the group named: what the stream does not show yet is not asked
    /// for again.
    reached: Arc<AtomicU64>,
    /// The turn that was acted on, and how often.
    tried: Option<(ForTurn, u32)>,
    acked_in: u64,
    unknown: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Standing,
    Seated,
    Gone,
}

struct Done {
    table: String,
    call: Call,
    result: Result<Answer, CallError>,
    elapsed: Duration,
}

/// A session at work.
pub(super) struct Seated {
    crew: Arc<Crew>,
    player: Player,
    /// Keeps the books of its tables.
    first: bool,
    posts: HashMap<String, Post>,
    outcome: Outcome,
    answers: mpsc::Sender<Done>,
    answered: mpsc::Receiver<Done>,
    heard: Instant,
    stopped: Option<Instant>,
}

/// What a session saw.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) hands: u64,
    pub(super) latency: Histogram,
    pub(super) chips_in: u64,
    pub(super) chips_out: u64,
    pub(super) rake: u64,
    pub(super) on_tables: u64,
    pub(super) gaps: u64,
    pub(super) reconnects: u64,
    pub(super) resets: u64,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) unknown: u64,
    pub(super) unverified: u64,
    pub(super) leaked: bool,
    pub(super) findings: Vec<Finding>,
}

impl Post {
    /// For the bot of this number at the table of this number.
    pub(super) fn new(
        table: &str,
        player: &str,
        no: u64,
        bot: u64,
        seed: u64,
        reached: Arc<AtomicU64>,
    ) -> (String, Post) {
        let post = Post {
            checker: Checker::new(table, player),
            strategy: Strategy::of(no, bot),
            straddles: bot.is_multiple_of(2),
            dice: Dice::new(seed, no, bot),
            ids: RequestIds::default(),
            state: State::Standing,
            busy: false,
            not_before: None,
            reached,
            tried: None,
            acked_in: 0,
            unknown: 0,
        };
        (table.into(), post)
    }

    /// What to ask for now, if anything.
    fn wants(&mut self, me: &str, stopping: bool, keep: bool) -> Option<Call> {
        let model = self.checker.model()?;
        if self.busy || model.closed || (stopping && keep) {
            return None;
        }
        let held = self
            .not_before
            .is_some_and(|moment| Instant::now() < moment);
        let Some((no, seat)) = model.seat_of(me) else {
            if held || !self.seen_all() {
                return None;
            }
            self.state = if stopping || self.state == State::Gone {
                State::Gone
            } else {
                State::Standing
            };
            let buy_in = model.stakes.buy_in_max;
            return (self.state == State::Standing).then_some(Call::Sit { buy_in });
        };
        self.state = State::Seated;
        if stopping && !seat.leaving && !held {
            return Some(Call::Leave);
        }
        if let Some(turn) = model.turn.filter(|turn| turn.seat == no && model.running) {
            let this = ForTurn {
                hand: model.hand,
                turn: turn.turn,
            };
            let times = self
                .tried
                .filter(|(tried, _)| *tried == this)
                .map_or(0, |(_, times)| times);
            // What was answered is on its way in the stream: the turn may be over.
            if times > 0 && !self.seen_all() {
                return None;
            }
            let sight = Sight::of(model, &turn, seat);
            let what = match times {
                0 => self.strategy.decide(&sight, &mut self.dice),
                // The first move was refused: one that cannot be wrong. After that the clock decides.
                1 if turn.options.check => Move::Check,
                1 => Move::Fold,
                _ => return None,
            };
            self.tried = Some((this, times + 1));
            return Some(Call::Act(Deed {
                hand: this.hand,
                turn: this.turn,
                what,
            }));
        }
        if let Some(question) = model.asks_to_run_twice(no)
            && self.tried.is_none_or(|(tried, _)| tried != question)
        {
            self.tried = Some((question, 1));
            return Some(Call::RunTwice(question));
        }
        if seat.leaving || stopping || held || !self.seen_all() {
            return None;
        }
        money_or_seat(model, seat, self.straddles)
    }

    /// Whether the stream shows everything that was answered.
    fn seen_all(&self) -> bool {
        self.checker.at().sequence >= self.reached.load(Ordering::SeqCst)
    }
}

/// Chips when short, back into the game when out of it, and a straddle for who likes one.
fn money_or_seat(model: &TableModel, seat: &SeatModel, straddles: bool) -> Option<Call> {
    if model.running && seat.dealt {
        return None;
    }
    let has = seat.stack.saturating_add(seat.queued);
    if has < model.stakes.buy_in_min / 2 {
        return Some(Call::TopUp {
            amount: model.stakes.buy_in_max.saturating_sub(has),
        });
    }
    if seat.status == Status::SittingOut && seat.stack > 0 {
        return Some(Call::SitIn);
    }
    let wants = straddles && !seat.straddles && model.stakes.game.straddle.is_some();
    wants.then_some(Call::Straddle)
}

impl Seated {
    pub(super) fn new(
        crew: Arc<Crew>,
        player: Player,
        first: bool,
        posts: Vec<(String, Post)>,
    ) -> Seated {
        // One call at a time for each table: nobody waits to hand in an answer.
        let (answers, answered) = mpsc::channel(posts.len().max(1));
        Seated {
            crew,
            player,
            first,
            posts: posts.into_iter().collect(),
            outcome: Outcome::default(),
            answers,
            answered,
            heard: Instant::now(),
            stopped: None,
        }
    }

    /// Plays until everybody left, or nothing happens any more.
    pub(super) async fn play(mut self) -> Outcome {
        let tables = self.posts.keys().cloned().collect();
        let mut watch = Watch::open(self.player.clone(), tables, WatchOptions::default());
        let mut stop = self.crew.control.stop_signal();
        let mut look = interval(LOOK_AROUND);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                update = watch.next() => match update {
                    Some(update) => self.update(update, &watch),
                    None => break,
                },
                Some(done) = self.answered.recv() => self.answer(done),
                _ = stop.changed() => self.look_around(),
                _ = look.tick() => {
                    self.look_around();
                    if self.is_over() {
                        break;
                    }
                }
            }
        }
        self.close()
    }

    fn update(&mut self, update: Update, watch: &Watch) {
        // Failing to connect is not hearing: a server that stays away must end the play.
        if !matches!(update, Update::Lost { .. }) {
            self.heard = Instant::now();
        }
        let table = match &update {
            Update::Snapshot { table, .. }
            | Update::Event { table, .. }
            | Update::Reset { table, .. }
            | Update::Gap { table, .. }
            | Update::Rewound { table, .. }
            | Update::Refused { table, .. } => table.clone(),
            Update::Connected { reconnects, .. } => {
                self.outcome.reconnects = *reconnects;
                return;
            }
            Update::Lost { reason } => {
                tracing::debug!(%reason, "stream lost");
                return;
            }
            Update::Over { refusal } => {
                self.found(
                    Violation::Forgotten,
                    format!("the stream is refused: {refusal}"),
                );
                return;
            }
        };
        self.outcome.gaps += u64::from(matches!(update, Update::Gap { .. }));
        let Some(post) = self.posts.get_mut(&table) else {
            return;
        };
        let hand_before = post
            .checker
            .model()
            .map(|model| (model.hand, model.running));
        post.checker.update(&update);
        let hand_now = post
            .checker
            .model()
            .map(|model| (model.hand, model.running));
        if self.first {
            // Others may have left before the first sight of the table: their chips are in nobody's books.
            let late = hand_before.is_none() && self.crew.control.stopping();
            self.outcome.leaked |= late && hand_now.is_some();
            let over = hands_over(hand_before, hand_now);
            self.outcome.hands += over;
            if over > 0 {
                self.crew.control.hands_over(over, self.crew.options.hands);
            }
        }
        if post.checker.takes_snapshot() {
            watch.remove(&table);
            watch.add(&table);
        }
        self.take_findings(&table);
        self.consider(&table);
    }

    fn answer(&mut self, done: Done) {
        let Done {
            table,
            call,
            result,
            elapsed,
        } = done;
        let Some(post) = self.posts.get_mut(&table) else {
            return;
        };
        post.busy = false;
        if let Ok(answer) = &result {
            post.reached.fetch_max(answer.at.sequence, Ordering::SeqCst);
        }
        self.crew.asking.fetch_sub(1, Ordering::SeqCst);
        match (&result, call) {
            (Ok(answer), Call::Act(deed)) => {
                self.outcome.latency.add(elapsed);
                self.crew.control.acted(&table, elapsed);
                post.checker.acknowledged(deed, answer.at);
            }
            (Ok(_), Call::Sit { buy_in: amount } | Call::TopUp { amount }) => {
                post.acked_in = post.acked_in.saturating_add(amount);
            }
            // Too late, or the hand was voided: nothing to try again.
            (Ok(_) | Err(CallError::Refused(_)), Call::RunTwice(_)) => {}
            (Ok(_), Call::SitIn | Call::Straddle | Call::Leave) => {
                post.not_before = Some(Instant::now() + AFTER_REFUSAL)
            }
            (Err(CallError::Refused(refusal)), _) => {
                *self
                    .outcome
                    .refused
                    .entry(refusal.rule.clone())
                    .or_default() += 1;
                match call {
                    Call::Act(deed) => post.checker.refused(deed),
                    Call::Sit { .. }
                    | Call::TopUp { .. }
                    | Call::SitIn
                    | Call::Straddle
                    | Call::Leave
                    | Call::RunTwice(_) => {
                        post.not_before = Some(Instant::now() + AFTER_REFUSAL);
                    }
                }
            }
            (Err(CallError::Unreachable { .. }), _) => {
                post.not_before = Some(Instant::now() + AFTER_REFUSAL)
            }
            (Err(CallError::Unknown { .. } | CallError::Malformed(_)), _) => {
                self.outcome.unknown += 1;
                post.unknown += 1;
                post.not_before = Some(Instant::now() + AFTER_REFUSAL);
            }
        }
        self.take_findings(&table);
        self.consider(&table);
    }

    fn look_around(&mut self) {
        let tables: Vec<String> = self.posts.keys().cloned().collect();
        for table in tables {
            self.consider(&table);
        }
    }

    fn consider(&mut self, table: &str) {
        let Some(post) = self.posts.get_mut(table) else {
            return;
        };
        // Counted before the control is read: whoever sees that none is under way after a stop, sees no new one either.
        self.crew.asking.fetch_add(1, Ordering::SeqCst);
        let stopping = self.crew.control.stopping();
        let Some(call) = post.wants(self.player.id(), stopping, self.crew.options.keep) else {
            self.crew.asking.fetch_sub(1, Ordering::SeqCst);
            return;
        };
        post.busy = true;
        let id = post.ids.next(0);
        let (crew, player) = (Arc::clone(&self.crew), self.player.clone());
        let (table, answers) = (table.to_owned(), self.answers.clone());
        tokio::spawn(async move {
            if let Call::Act(_) = call {
                crew.pace.turn().await;
            }
            let _permit = crew.in_flight.acquire().await;
            let begun = Instant::now();
            let result = ask(&player, &table, id, call).await;
            let done = Done {
                table,
                call,
                result,
                elapsed: begun.elapsed(),
            };
            if answers.send(done).await.is_err() {
                tracing::debug!("an answer came after the end");
            }
        });
    }

    fn is_over(&mut self) -> bool {
        let patience = self.crew.options.patience;
        if self.heard.elapsed() > patience {
            let detail = format!("nothing was heard for {} s", patience.as_secs());
            self.found(Violation::Stalled, detail);
            self.crew.control.stop();
            return true;
        }
        if !self.crew.control.stopping() {
            return false;
        }
        let stopped = *self.stopped.get_or_insert_with(Instant::now);
        let members = &self.crew.members;
        let asking = self.crew.asking.load(Ordering::SeqCst) > 0;
        let keep = self.crew.options.keep;
        let settled = self.posts.values().all(|post| {
            let empty = |model: &TableModel| {
                !model
                    .taken()
                    .any(|(_, seat)| members.contains(&seat.player_id))
            };
            post.seen_all() && (keep || post.checker.model().is_none_or(empty))
        });
        if settled && !asking {
            return true;
        }
        if stopped.elapsed() > patience {
            let detail = format!(
                "not everybody had left {} s after the end",
                patience.as_secs()
            );
            self.found(Violation::Stalled, detail);
            return true;
        }
        false
    }

    fn take_findings(&mut self, table: &str) {
        if let Some(post) = self.posts.get_mut(table) {
            let findings = post.checker.take_findings();
            self.crew.control.found(findings.len());
            self.outcome.findings.extend(findings);
        }
    }

    fn found(&mut self, violation: Violation, detail: String) {
        self.crew.control.found(1);
        self.outcome.findings.push(Finding {
            violation,
            table: "all".into(),
            detail,
        });
    }

    /// Closes the books of every table.
    fn close(mut self) -> Outcome {
        for (table, post) in &self.posts {
            let checker = &post.checker;
            self.outcome.unverified += checker.unverified();
            self.outcome.resets += checker.jumps();
            // A call without an answer may have brought chips: then the log says how many.
            let seen_all = checker.jumps() == 0 && checker.model().is_some();
            let brought = if post.unknown > 0 {
                post.acked_in.max(checker.own_in())
            } else {
                post.acked_in
            };
            self.outcome.chips_in += brought;
            if seen_all && brought != checker.own_in() {
                let detail = format!(
                    "{brought} were acknowledged and {} are in the log",
                    checker.own_in()
                );
                let finding = Finding {
                    violation: Violation::ChipsInDiffer,
                    table: table.clone(),
                    detail,
                };
                self.outcome.findings.push(finding);
            }
            if !self.first {
                continue;
            }
            self.outcome.leaked |= checker.leaked() || checker.model().is_none();
            if let Some(model) = checker.model() {
                self.outcome.chips_out += model.chips_out;
                self.outcome.rake += model.rake;
                self.outcome.on_tables += model.on_table();
            }
        }
        self.outcome
    }
}

/// Hands that ended between two looks at a table.
fn hands_over(before: Option<(u64, bool)>, now: Option<(u64, bool)>) -> u64 {
    let over = |(hand, running): (u64, bool)| hand.saturating_sub(u64::from(running));
    match (before, now) {
        (Some(before), Some(now)) => over(now).saturating_sub(over(before)),
        (None, _) | (_, None) => 0,
    }
}

/// How often every table is looked at, whether it said something or not.
const LOOK_AROUND: Duration = Duration::from_millis(500);
/// What was refused, or done and not seen yet, is not asked for again before this.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);
