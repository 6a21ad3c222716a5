//! Three owners who fight over one shard, and the checker of P2, P3 and P4.
//!
//! Each rival takes the shard over, commits, rotates, prunes, is cut off in the middle of an append, and takes over
//! again. On the memory store, under paused time, a run is a function of its seed. [`play`] is for one store, [`fight`] for
//! rivals who each have their own way to it. What is checked:
//!
//! - an acknowledged commit is in the final log exactly once, and in every fold that began after the acknowledgement;
//! - a commit that was said never to be is not in the final log: one that was refused, and one of unknown outcome that
//!   a later owner did not find;
//! - no commit is there twice, and what any owner held as its state when it last acknowledged is a prefix of the final log;
//! - no takeover finds damage: the log is gap-free and its hash chain holds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use crate::ids::ShardId;
use crate::store::log::{Fold, LogOptions, Position, RowKind, ShardLog, TakeoverError};
use crate::store::memory::{MemoryStore, SplitMix};
use crate::store::{Cause, ChainHash, Store, WriterToken};

/// A mistake made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The store ignores the conditions of appends.
    UnfencedAppend,
    /// After a restart the owner goes on in its old segment.
    OldSegmentAfterRestart,
    /// An append without an answer is taken for one that failed.
    TimeOutTakenAsFailure,
    /// The slot of an append without an answer is given to another payload, and `next_n` taken for a proof.
    SlotReuse,
}

/// How long a fight is.
#[derive(Clone, Debug)]
pub struct Script {
    /// Which shard.
    pub shard: ShardId,
    /// How many reigns each rival tries.
    pub reigns: u32,
    /// How long the rivals go on at most.
    pub lasts: Duration,
    /// How many commits a reign tries at most.
    pub commits: u64,
    /// A rival rests up to this long between steps.
    pub rest: Duration,
    /// And up to this long between reigns.
    pub pause: Duration,
    /// An append is cut off after up to this long, one time in [`Self::cut_off`].
    pub patience: Duration,
    /// How seldom an append is cut off; at least 1.
    pub cut_off: u64,
    /// The knobs of their logs.
    pub options: LogOptions,
    /// Which mistake the rivals make.
    pub defect: Option<Defect>,
}

impl Script {
    /// For every store, in real time.
    pub fn quick() -> Self {
        let millisecond = Duration::from_millis(1);
        Self {
            shard: SHARD,
            reigns: 3,
            lasts: FOREVER,
            commits: 8,
            rest: millisecond,
            pause: millisecond,
            patience: millisecond,
            cut_off: 8,
            options: options(),
            defect: None,
        }
    }

    /// For the memory store, under paused time.
    pub fn long() -> Self {
        let (rest, patience) = (Duration::from_millis(30), Duration::from_millis(25));
        Self {
            shard: SHARD,
            reigns: 6,
            lasts: FOREVER,
            commits: 12,
            rest,
            pause: rest,
            patience,
            cut_off: 8,
            options: options(),
            defect: None,
        }
    }
}

/// What happened.
#[derive(Debug, Default)]
pub struct Report {
    /// Commits that were acknowledged.
    pub acknowledged: usize,
    /// Commits that were said never to be.
    pub never: usize,
    /// Commits whose outcome was not known to their owner.
    pub unknown: usize,
    /// Successful takeovers.
    pub takeovers: usize,
    /// Rotations with a complete checkpoint.
    pub rotations: usize,
    /// Times that `low` was moved.
    pub prunes: usize,
    /// How long each takeover took that succeeded.
    pub takeover_times: Vec<Duration>,
    /// When each commit was acknowledged, since the beginning of the fight.
    pub acknowledged_at: Vec<Duration>,
    /// What must not happen. Empty, or the protocol is broken.
    pub violations: Vec<String>,
}

/// A fold that keeps the texts of all commits in order.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The texts.
    pub entries: Vec<String>,
}

impl History {
    /// A checkpoint in this many rows: each row gives the place of its first text, then the texts.
    pub fn checkpoint(&self, rows: usize) -> Vec<Bytes> {
        let each = self.entries.len().div_ceil(rows).max(1);
        let rows = self.entries.chunks(each).enumerate();
        rows.map(|(i, texts)| Bytes::from(format!("{}\n{}", i * each, texts.join("\n"))))
            .collect()
    }

    /// A checkpoint repeats what is known already, or is where this reading begins.
    fn repeat(&mut self, body: &str) -> Result<(), Cause> {
        let mut lines = body.lines();
        let Some(first) = lines.next() else {
            return Ok(());
        };
        for (place, text) in (first.parse::<usize>()?..).zip(lines) {
            match self.entries.get(place) {
                Some(known) if known == text => {}
                None if self.entries.len() == place => self.entries.push(text.to_owned()),
                known => {
                    return Err(
                        format!("checkpoint says {text} at {place}, the log {known:?}").into(),
                    );
                }
            }
        }
        Ok(())
    }
}

impl Fold for History {
    fn begin(&mut self) {
        self.entries.clear();
    }

    fn row(&mut self, _at: Position, kind: RowKind, body: Bytes) -> Result<(), Cause> {
        let text = std::str::from_utf8(&body)?;
        match kind {
            RowKind::Commit => self.entries.push(text.to_owned()),
            RowKind::Checkpoint => self.repeat(text)?,
        }
        Ok(())
    }
}

/// What an owner holds: so many commits, and a hash over their texts in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    commits: u64,
    hash: ChainHash,
}

impl State {
    const NOTHING: Self = Self {
        commits: 0,
        hash: ChainHash::EMPTY,
    };

    fn of(texts: &[String]) -> Self {
        texts
            .iter()
            .fold(Self::NOTHING, |state, text| state.then(text))
    }

    fn then(self, text: &str) -> Self {
        Self {
            commits: self.commits + 1,
            hash: self.hash.then(self.commits, text.as_bytes()),
        }
    }
}

/// What all rivals were told, and what each of them held.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeSet<String>,
    never: BTreeSet<String>,
    unknown: BTreeSet<String>,
    /// Whose state, after which commit.
    states: Vec<(String, State)>,
    report: Report,
}

impl Ledger {
    fn violation(&mut self, what: String) {
        self.report.violations.push(what);
    }

    /// A fold that began when these were acknowledged, and these without an outcome and no longer tried.
    fn check_fold(
        &mut self,
        read: &[String],
        acknowledged: &BTreeSet<String>,
        given_up: &BTreeSet<String>,
    ) {
        let found = read.iter().cloned().collect::<BTreeSet<_>>();
        let mut once = BTreeSet::new();
        for twice in read.iter().filter(|text| !once.insert(*text)) {
            self.violation(format!("{twice} was read twice"));
        }
        for lost in acknowledged.difference(&found) {
            self.violation(format!(
                "{lost} was acknowledged, and the next owner did not read it"
            ));
        }
        // The segments in which they were tried are sealed now: what is not there will never be.
        self.never.extend(given_up.difference(&found).cloned());
    }

    fn check_final(&mut self, read: &[String]) {
        let none = BTreeSet::new();
        self.check_fold(read, &self.acknowledged.clone(), &none);
        let found = read.iter().cloned().collect::<BTreeSet<_>>();
        for text in self.never.intersection(&found).cloned().collect::<Vec<_>>() {
            self.violation(format!("{text} was said never to be, and is in the log"));
        }
        let mut prefix = State::NOTHING;
        let mut prefixes = BTreeSet::from([(prefix.commits, prefix.hash)]);
        for text in read {
            prefix = prefix.then(text);
            prefixes.insert((prefix.commits, prefix.hash));
        }
        for (last, state) in std::mem::take(&mut self.states) {
            if !prefixes.contains(&(state.commits, state.hash)) {
                self.violation(format!(
                    "an owner held {} commits up to {last}: not how the log begins",
                    state.commits
                ));
            }
        }
        let Self {
            acknowledged,
            never,
            unknown,
            report,
            ..
        } = self;
        (report.acknowledged, report.never, report.unknown) =
            (acknowledged.len(), never.len(), unknown.len());
    }
}

const RIVALS: u64 = 3;
const SHARD: ShardId = ShardId(1);

/// What goes on around a fight.
#[async_trait]
pub trait Ring: Send + Sync {
    /// No more faults, before the judge looks.
    async fn heal(&self);

    /// Statements that outlived every owner are let go, before the judge looks once more.
    async fn release(&self);
}

#[async_trait]
impl Ring for Option<MemoryStore> {
    async fn heal(&self) {
        if let Some(memory) = self {
            memory.heal();
        }
    }

    async fn release(&self) {
        if let Some(memory) = self {
            memory.release();
        }
    }
}

/// Plays one fight. `faults`, if the store is that memory store, is healed before the last takeover, which judges.
pub async fn play(
    store: Arc<dyn Store>,
    faults: Option<MemoryStore>,
    seed: u64,
    script: Script,
) -> Report {
    if let (Some(memory), Some(Defect::UnfencedAppend)) = (&faults, script.defect) {
        memory.ignore_append_conditions();
    }
    let stores = std::array::from_fn(|_| store.clone());
    fight(stores, &faults, seed, script).await
}

/// Rivals, and the judge.
const OWNERS: usize = 4;

/// Plays one fight of rivals who each have their own way to the store; the last one is the judge's, and sees no faults.
pub async fn fight(
    stores: [Arc<dyn Store>; OWNERS],
    ring: &dyn Ring,
    seed: u64,
    script: Script,
) -> Report {
    let ledger = Mutex::new(Ledger::default());
    let began = Instant::now();
    let rival = |(name, store): (u64, Arc<dyn Store>)| Rival {
        store,
        script: &script,
        name,
        random: SplitMix(seed.wrapping_mul(RIVALS).wrapping_add(name)),
        ledger: &ledger,
        began,
        count: 0,
        state: State::NOTHING,
    };
    let mut names = 0..;
    let [mut a, mut b, mut c, mut judge] =
        stores.map(|store| rival((names.next().expect("it never ends"), store)));
    tokio::join!(a.reign(), b.reign(), c.reign());

    ring.heal().await;
    let last = judge.take_over().await;
    // Zombies that outlived every owner must find every door shut. The judge looks once more.
    ring.release().await;
    if let Some((log, history)) = last {
        drop(log);
        if let Some((_, again)) = judge.take_over().await
            && again.entries != history.entries
        {
            ledger
                .lock()
                .expect(UNPOISONED)
                .violation("the log changed after the last owner had read it".to_owned());
        }
        ledger
            .lock()
            .expect(UNPOISONED)
            .check_final(&history.entries);
    } else {
        ledger
            .lock()
            .expect(UNPOISONED)
            .violation("the last takeover failed".to_owned());
    }
    ledger.into_inner().expect(UNPOISONED).report
}

const UNPOISONED: &str = "no rival panics while it holds the ledger";

struct Rival<'a> {
    store: Arc<dyn Store>,
    script: &'a Script,
    name: u64,
    random: SplitMix,
    ledger: &'a Mutex<Ledger>,
    began: Instant,
    count: u32,
    /// What it holds as the state of the shard.
    state: State,
}

/// How a commit ended.
enum Outcome {
    Acknowledged,
    Over,
    Restart,
}

impl Rival<'_> {
    async fn reign(&mut self) {
        for _ in 0..self.script.reigns {
            self.rest(self.script.pause).await;
            if self.began.elapsed() >= self.script.lasts {
                return;
            }
            let Some((mut log, mut history)) = self.take_over().await else {
                continue;
            };
            for _ in 0..self.random.below(self.script.commits + 1) {
                self.rest(self.script.rest).await;
                match self.commit(&mut log, &mut history).await {
                    Outcome::Acknowledged => {}
                    Outcome::Over => break,
                    Outcome::Restart => {
                        if !self.restart_wrongly(&mut log, &mut history).await {
                            break;
                        }
                    }
                }
                self.keep_house(&mut log, &history).await;
            }
        }
    }

    async fn rest(&mut self, longest: Duration) {
        let micros = self.random.below(longest.as_micros() as u64 + 1);
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }

    async fn take_over(&mut self) -> Option<(ShardLog, History)> {
        let (acknowledged, given_up) = {
            let ledger = self.ledger.lock().expect(UNPOISONED);
            (ledger.acknowledged.clone(), ledger.unknown.clone())
        };
        let mut history = History::default();
        let asked = Instant::now();
        let (store, owner, random) = (self.store.clone(), self.name.to_string(), &mut self.random);
        let mut token = || {
            let bytes = u128::from(random.number()) << 64 | u128::from(random.number());
            WriterToken(bytes.to_be_bytes())
        };
        let (shard, options) = (self.script.shard, self.script.options.clone());
        let result =
            ShardLog::take_over(store, shard, &owner, &mut token, &mut history, options).await;
        let mut ledger = self.ledger.lock().expect(UNPOISONED);
        match result {
            Ok(log) => {
                ledger.report.takeovers += 1;
                ledger.report.takeover_times.push(asked.elapsed());
                self.state = State::of(&history.entries);
                ledger.check_fold(&history.entries, &acknowledged, &given_up);
                Some((log, history))
            }
            Err(error @ (TakeoverError::Corrupt(_) | TakeoverError::Fold { .. })) => {
                ledger.violation(format!(
                    "takeover found: {error}, {:?}",
                    std::error::Error::source(&error)
                ));
                None
            }
            Err(
                TakeoverError::Store(_)
                | TakeoverError::Superseded { .. }
                | TakeoverError::Outrun
                | TakeoverError::Contended { .. },
            ) => None,
        }
    }

    async fn commit(&mut self, log: &mut ShardLog, history: &mut History) -> Outcome {
        self.count += 1;
        let text = format!("{}:{}", self.name, self.count);
        let cut_off = self.random.below(self.script.cut_off) == 0;
        let patience = if cut_off {
            self.random
                .below(self.script.patience.as_micros() as u64 + 1)
        } else {
            FOREVER.as_micros() as u64
        };
        let append = log.append(Bytes::from(text.clone()));
        let result = tokio::time::timeout(Duration::from_micros(patience), append).await;
        let mut ledger = self.ledger.lock().expect(UNPOISONED);
        match result {
            Ok(Ok(_)) => {
                self.learn(history, &text);
                ledger.states.push((text.clone(), self.state));
                ledger.report.acknowledged_at.push(self.began.elapsed());
                ledger.acknowledged.insert(text);
                Outcome::Acknowledged
            }
            Ok(Err(error)) if error.is_never() => {
                ledger.never.insert(text);
                if log.is_stopped() {
                    Outcome::Over
                } else {
                    Outcome::Acknowledged
                }
            }
            Ok(Err(_)) | Err(_) => {
                ledger.unknown.insert(text.clone());
                if self.script.defect == Some(Defect::TimeOutTakenAsFailure) {
                    ledger.never.insert(text);
                }
                Outcome::Restart
            }
        }
    }

    fn learn(&mut self, history: &mut History, text: &str) {
        self.state = self.state.then(text);
        history.entries.push(text.to_owned());
    }

    /// What a wrong owner does after an append without an answer. A right one does nothing, and takes over again.
    async fn restart_wrongly(&mut self, log: &mut ShardLog, history: &mut History) -> bool {
        let lost = format!("{}:{}", self.name, self.count);
        match self.script.defect {
            None | Some(Defect::UnfencedAppend | Defect::TimeOutTakenAsFailure) => false,
            Some(Defect::OldSegmentAfterRestart) => {
                let before = log.head();
                if !log.resume_in_old_segment().await {
                    return false;
                }
                if log.head() == before {
                    // It reads its log to the end, as a new owner would, and the commit is not there.
                    self.ledger.lock().expect(UNPOISONED).never.insert(lost);
                } else {
                    self.learn(history, &lost);
                }
                true
            }
            Some(Defect::SlotReuse) => {
                self.count += 1;
                let text = format!("{}:{}", self.name, self.count);
                if log
                    .append_into_same_slot(Bytes::from(text.clone()))
                    .await
                    .is_some()
                {
                    self.ledger
                        .lock()
                        .expect(UNPOISONED)
                        .acknowledged
                        .insert(text);
                }
                false
            }
        }
    }

    async fn keep_house(&mut self, log: &mut ShardLog, history: &History) {
        if log.is_stopped() {
            return;
        }
        if log.should_rotate() && self.random.below(2) == 0 {
            let rows = 1 + self.random.below(3) as usize;
            if log.rotate(history.checkpoint(rows)).await.is_ok() {
                self.ledger.lock().expect(UNPOISONED).report.rotations += 1;
            }
        }
        if let Some(up_to) = log.prunable()
            && self.random.below(2) == 0
            && log.prune(up_to).await.is_ok()
        {
            self.ledger.lock().expect(UNPOISONED).report.prunes += 1;
        }
    }
}

/// A time that nothing takes.
const FOREVER: Duration = Duration::from_secs(3_600);

/// Small segments and short patience, so that a short fight sees everything.
fn options() -> LogOptions {
    LogOptions {
        rotate_bytes: 200,
        read_rows: 2,
        statement_timeout: Duration::from_millis(500),
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(20),
        give_up_after: Duration::from_millis(200),
        ..LogOptions::default()
    }
}
