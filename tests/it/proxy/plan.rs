//! What happens to which statement: by script, statement by statement, or by a seed.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openrustpoker::store::memory::SplitMix;
use tokio::sync::watch;
use tokio::time::Instant;

use super::statements::Kind;

/// What happens to one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing wrong.
    None,
    /// It never gets to the database, and nobody says so.
    LoseRequest,
    /// The connection is cut instead.
    CutBefore,
    /// The database answers, and the client never hears it.
    LoseAnswer,
    /// When the answer comes the connection is cut.
    CutAfter,
    /// Nobody says anything, and it gets to the database after this time: a zombie.
    Late(Duration),
    /// Nobody says anything, and it gets to the database at [`Plan::release`]: a zombie that outlives its owners.
    Hold,
    /// Its answer is lost; it gets to the database again after this time, and that answer goes to the client.
    Twice(Duration),
    /// It gets to the database after the first time, its answer to the client after the second.
    Delay(Duration, Duration),
    /// The connection takes nothing more for so long.
    Stall(Duration),
}

impl Fault {
    /// How reports name it; `None` where nothing happens.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Delay(..) => None,
            Self::LoseRequest => Some("request lost"),
            Self::CutBefore => Some("cut before"),
            Self::LoseAnswer => Some("answer lost"),
            Self::CutAfter => Some("cut after"),
            Self::Late(_) => Some("late"),
            Self::Hold => Some("held"),
            Self::Twice(_) => Some("twice"),
            Self::Stall(_) => Some("stalled"),
        }
    }
}

/// How often a seeded plan does what, in conditional statements of ten thousand, and how long it takes. Other statements meet
/// a fifth of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub lose_request: u64,
    pub cut_before: u64,
    pub lose_answer: u64,
    pub cut_after: u64,
    pub late: u64,
    pub hold: u64,
    pub twice: u64,
    pub stall: u64,
    /// The longest that a late or repeated statement waits, and that a connection stalls.
    pub longest: Duration,
    /// Every statement is delayed by up to this, before and after: what shuffles rivals.
    pub delay: Duration,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Statements that came by, by kind.
    pub seen: BTreeMap<Kind, u64>,
    /// Faults, by their name and the kind of statement that they hit.
    pub faults: BTreeMap<(&'static str, Kind), u64>,
    /// Conditional statements that the database applied, and whose answer the client never heard.
    pub applied_unheard: u64,
}

impl Tally {
    /// What was done after `before`.
    pub fn since(mut self, before: &Self) -> Self {
        for (kind, times) in &before.seen {
            *self.seen.entry(*kind).or_default() -= times;
        }
        for (fault, times) in &before.faults {
            *self.faults.entry(*fault).or_default() -= times;
        }
        self.applied_unheard -= before.applied_unheard;
        self
    }

    /// All faults.
    pub fn injected(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Faults that hit this kind of statement.
    pub fn hit(&self, kind: Kind) -> u64 {
        let of_kind = self.faults.iter().filter(|((_, hit), _)| *hit == kind);
        of_kind.map(|(_, times)| times).sum()
    }
}

/// The plan that the proxies before all nodes share.
#[derive(Default)]
pub struct Plan {
    choice: Mutex<Choice>,
    tally: Mutex<Tally>,
    /// What each prepared statement is: a driver prepares on one connection and executes on another.
    prepared: Mutex<HashMap<Vec<u8>, Kind>>,
    in_flight: AtomicU64,
    waiting: AtomicU64,
    /// How often what is held was released.
    released: watch::Sender<u64>,
}

#[derive(Default)]
struct Choice {
    script: VecDeque<(Kind, Fault)>,
    seeded: Option<(SplitMix, Rates)>,
}

const UNPOISONED: &str = "nobody panics while it holds the plan";

impl Plan {
    /// The next statement of this kind meets this fault. Scripted faults come before seeded ones.
    pub fn script(&self, kind: Kind, fault: Fault) {
        let mut choice = self.choice.lock().expect(UNPOISONED);
        choice.script.push_back((kind, fault));
    }

    /// From now on a seed chooses. What it chooses is a function of it and of how many statements it chose for before.
    pub fn seed(&self, seed: u64, rates: Rates) {
        self.choice.lock().expect(UNPOISONED).seeded = Some((SplitMix(seed), rates));
    }

    /// No more faults. Late statements that are under way stay so.
    pub fn heal(&self) {
        *self.choice.lock().expect(UNPOISONED) = Choice::default();
    }

    /// What was held until now gets to the database.
    pub fn release(&self) {
        self.released.send_modify(|times| *times += 1);
    }

    pub(super) fn releases(&self) -> watch::Receiver<u64> {
        let mut releases = self.released.subscribe();
        releases.mark_unchanged();
        releases
    }

    /// Waits until no statement is under way any more. False if that takes too long.
    pub async fn settle(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while self.waiting.load(Ordering::SeqCst) + self.in_flight() > 0 {
            if Instant::now() > until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// What was done so far.
    pub fn tally(&self) -> Tally {
        self.tally.lock().expect(UNPOISONED).clone()
    }

    /// Conditional statements that the database has and has not answered.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(super) fn learn(&self, name: &[u8], text: &str) {
        let mut prepared = self.prepared.lock().expect(UNPOISONED);
        prepared.insert(name.to_owned(), Kind::of(text));
    }

    pub(super) fn kind_of(&self, name: &[u8]) -> Kind {
        let prepared = self.prepared.lock().expect(UNPOISONED);
        prepared.get(name).copied().unwrap_or(Kind::Other)
    }

    /// What happens to a statement that came by.
    pub(super) fn next(&self, kind: Kind) -> Fault {
        let fault = self.choice.lock().expect(UNPOISONED).next(kind);
        let mut tally = self.tally.lock().expect(UNPOISONED);
        *tally.seen.entry(kind).or_default() += 1;
        if let Some(name) = fault.name() {
            *tally.faults.entry((name, kind)).or_default() += 1;
        }
        fault
    }

    pub(super) fn applied_unheard(&self) {
        self.tally.lock().expect(UNPOISONED).applied_unheard += 1;
    }

    pub(super) fn sent(&self, kind: Kind) {
        if kind.is_conditional() {
            self.in_flight.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(super) fn answered(&self, kind: Kind) {
        if kind.is_conditional() {
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Counts a statement as under way until the guard is dropped.
    pub(super) fn wait(self: &Arc<Self>) -> Waiting {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(Arc::clone(self))
    }
}

pub(super) struct Waiting(Arc<Plan>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Choice {
    fn next(&mut self, kind: Kind) -> Fault {
        if let Some(at) = self.script.iter().position(|(of, _)| *of == kind) {
            let scripted = self.script.remove(at);
            return scripted.map_or(Fault::None, |(_, fault)| fault);
        }
        let Some((random, rates)) = &mut self.seeded else {
            return Fault::None;
        };
        if kind == Kind::Other {
            return Fault::None;
        }
        let mut up_to = |longest: Duration| {
            let micros = u64::try_from(longest.as_micros()).expect("no delay is that long");
            Duration::from_micros(random.below(micros + 1))
        };
        let (long, before, after) = (up_to(rates.longest), up_to(rates.delay), up_to(rates.delay));
        let mut dice = random.below(if kind.is_conditional() {
            10_000
        } else {
            50_000
        });
        for (rate, fault) in [
            (rates.lose_request, Fault::LoseRequest),
            (rates.cut_before, Fault::CutBefore),
            (rates.lose_answer, Fault::LoseAnswer),
            (rates.cut_after, Fault::CutAfter),
            (rates.late, Fault::Late(long)),
            (rates.hold, Fault::Hold),
            (rates.twice, Fault::Twice(long)),
            (rates.stall, Fault::Stall(long)),
        ] {
            if dice < rate {
                return fault;
            }
            dice -= rate;
        }
        Fault::Delay(before, after)
    }
}
