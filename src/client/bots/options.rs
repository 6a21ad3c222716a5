//! What bots are told to do, and how they are told to stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use proto::v1::{Game, Settings};
use tokio::sync::watch;

use crate::client::address::Address;
use crate::client::game::usual_ante;

/// What to play.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses of one server or cluster.
    pub servers: Vec<Address>,
    /// Tables to make.
    pub tables: u32,
    /// Bots at each table, 2 to as many as the game has seats for.
    pub bots: u32,
    /// What they play.
    pub game: Game,
    /// Whether the button moves to the next player whoever left.
    pub moving_button: bool,
    /// Hands to play, all tables together.
    pub hands: u64,
    /// Actions a second, all bots together; flat out if not given.
    pub rate: Option<u32>,
    /// What every decision follows from, given the cards.
    pub seed: u64,
    /// Stay seated at the end.
    pub keep: bool,
    /// Rake of the tables in 1/10,000.
    pub rake_per_10000: u32,
    /// Give up when nothing at all happened for so long.
    pub patience: Duration,
}

/// Shared with whoever started the bots: counts to look at, and the way to stop them.
#[derive(Debug)]
pub struct Control {
    hands: AtomicU64,
    actions: AtomicU64,
    findings: AtomicU64,
    marked: Mutex<Option<Marked>>,
    stop: watch::Sender<bool>,
}

/// What was noted since somebody wanted to know.
#[derive(Debug)]
struct Marked {
    since: Instant,
    tables: HashMap<String, Noted>,
}

/// Of one table.
#[derive(Clone, Copy, Debug)]
struct Noted {
    /// When its first action was acknowledged, after the mark.
    first: Duration,
    /// What the slowest took.
    slowest: Duration,
}

impl Options {
    /// The settings of the tables. With a rate the clock is long enough for every table to get its turn.
    pub fn settings(&self) -> Settings {
        let round = match self.rate {
            Some(rate) => u64::from(self.tables) * 4_000 / u64::from(rate.max(1)),
            None => 0,
        };
        let action_ms = round.clamp(ACTION_MS_MIN, ACTION_MS_MAX);
        Settings {
            seats: self.bots.max(2),
            small_blind: 50,
            big_blind: BIG_BLIND,
            ante: usual_ante(&self.game, BIG_BLIND),
            game: Some(self.game),
            moving_button: self.moving_button,
            buy_in_min: 2_000,
            buy_in_max: 10_000,
            rake_per_10000: self.rake_per_10000,
            rake_caps: if self.rake_per_10000 > 0 {
                vec![300]
            } else {
                Vec::new()
            },
            action_ms: u32::try_from(action_ms).expect("it was clamped"),
            bank_ms: 10_000,
            reconnect_ms: 10_000,
            ..Settings::default()
        }
    }
}

impl Default for Control {
    fn default() -> Control {
        Control {
            hands: AtomicU64::new(0),
            actions: AtomicU64::new(0),
            findings: AtomicU64::new(0),
            marked: Mutex::new(None),
            stop: watch::Sender::new(false),
        }
    }
}

impl Control {
    /// Hands that are over.
    pub fn hands(&self) -> u64 {
        self.hands.load(Ordering::Relaxed)
    }

    /// Acknowledged actions.
    pub fn actions(&self) -> u64 {
        self.actions.load(Ordering::Relaxed)
    }

    /// Broken promises so far.
    pub fn findings(&self) -> u64 {
        self.findings.load(Ordering::Relaxed)
    }

    /// Lets the bots leave after the hands they are in.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether they are to leave.
    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    pub(super) fn hands_over(&self, count: u64, enough: u64) {
        if self
            .hands
            .fetch_add(count, Ordering::Relaxed)
            .saturating_add(count)
            >= enough
        {
            self.stop();
        }
    }

    /// From now on the acknowledged actions of each table are noted.
    pub fn mark(&self) {
        *self.lock() = Some(Marked {
            since: Instant::now(),
            tables: HashMap::new(),
        });
    }

    /// How long after the mark each table had its first acknowledged action.
    pub fn first_actions(&self) -> HashMap<String, Duration> {
        self.noted(|noted| noted.first)
    }

    /// How long the slowest action of each table took that was acknowledged since the mark, repeats included.
    pub fn slowest_actions(&self) -> HashMap<String, Duration> {
        self.noted(|noted| noted.slowest)
    }

    fn noted(&self, what: impl Fn(&Noted) -> Duration) -> HashMap<String, Duration> {
        let marked = self.lock();
        let tables = marked.iter().flat_map(|marked| &marked.tables);
        tables
            .map(|(table, noted)| (table.clone(), what(noted)))
            .collect()
    }

    pub(super) fn acted(&self, table: &str, took: Duration) {
        self.actions.fetch_add(1, Ordering::Relaxed);
        let mut marked = self.lock();
        let Some(Marked { since, tables }) = marked.as_mut() else {
            return;
        };
        if let Some(noted) = tables.get_mut(table) {
            noted.slowest = noted.slowest.max(took);
        } else {
            let first = since.elapsed();
            let slowest = took;
            tables.insert(table.into(), Noted { first, slowest });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Marked>> {
        self.marked
            .lock()
            .expect("no code panics while it holds this lock")
    }

    pub(super) fn found(&self, count: usize) {
        self.findings
            .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

const BIG_BLIND: u64 = 100;
/// Twenty seconds: a restart of the server costs no bot its turn.
const ACTION_MS_MIN: u64 = 20_000;
/// An hour.
const ACTION_MS_MAX: u64 = 3_600_000;
