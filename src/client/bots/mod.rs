//! Bots that play over the wire, and check the promises while they do.
//!
//! A session sits at many tables, with one stream for all of them. Every session folds every table it sits at; the first
//! session of each table also keeps its books.

mod call;
mod check;
mod dice;
mod histogram;
mod options;
mod pace;
mod player;
mod report;
mod sharp;
mod strategy;
mod violation;

#[cfg(test)]
mod check_tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::address::AddressError;
use super::backoff::{Backoff, Patience};
use super::error::CallError;
use super::link::Link;
use super::session::{Player, SessionError};

pub use check::{Checker, Deed};
pub use dice::Dice;
pub use histogram::Histogram;
pub use options::{Control, Options};
pub use report::{LatencyMs, Report};
pub use sharp::Temper;
pub use strategy::{Sight, Strategy};
pub use violation::{Finding, Violation};

use pace::Pace;
use player::{Crew, Post, Seated};

/// Why the bots did not play at all. Once they play, everything is told by the report.
#[derive(Debug, thiserror::Error)]
pub enum BotsError {
    /// Not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A guest could not be made.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A table could not be made.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Creates tables, plays until enough hands are over or the control says stop, leaves, and reports.
pub async fn run(options: Options, control: Arc<Control>) -> Result<Report, BotsError> {
    let patience = Patience {
        attempt: ATTEMPT,
        overall: options.patience,
        backoff: Backoff::default(),
    };
    let first = Link::new(&options.servers, patience)?;
    let sessions_a_group = options.bots;
    let groups = options.tables.div_ceil(TABLES_A_SESSION);
    let mut links = vec![first];
    let connections =
        number(groups.saturating_mul(sessions_a_group)).div_ceil(SESSIONS_A_CONNECTION);
    while links.len() < connections {
        links.push(links[0].another()?);
    }

    let mut crews = Vec::new();
    for group in 0..groups {
        let mut players = Vec::new();
        for bot in 0..sessions_a_group {
            let link = &links[number(group * sessions_a_group + bot) % links.len()];
            let (player, _session) = Player::guest(link, &format!("bot-{group}-{bot}")).await?;
            players.push(player);
        }
        let from = group * TABLES_A_SESSION;
        let until = options.tables.min(from + TABLES_A_SESSION);
        let tables = create_tables(&players, from..until, &options).await?;
        crews.push((players, tables));
    }

    let started = Instant::now();
    let pace = Arc::new(Pace::new(options.rate));
    let mut running = JoinSet::new();
    for (players, tables) in crews {
        let ids: HashSet<String> = players
            .iter()
            .map(|player| player.id().to_owned())
            .collect();
        let crew = Arc::new(Crew {
            options: options.clone(),
            control: Arc::clone(&control),
            pace: Arc::clone(&pace),
            members: ids,
            in_flight: Semaphore::new(CALLS_A_SESSION * number(sessions_a_group)),
            asking: AtomicUsize::new(0),
        });
        let reached = |(no, id)| (no, id, Arc::new(AtomicU64::new(0)));
        let tables: Vec<(u64, String, Arc<AtomicU64>)> = tables.into_iter().map(reached).collect();
        for (bot, player) in (0_u64..).zip(players) {
            let post = |(no, id, reached): &(u64, String, Arc<AtomicU64>)| {
                Post::new(id, player.id(), *no, bot, options.seed, Arc::clone(reached))
            };
            let posts = tables.iter().map(post).collect();
            let seated = Seated::new(Arc::clone(&crew), player, bot == 0, posts);
            running.spawn(seated.play());
        }
    }
    let mut report = Report::default();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(outcome) => report.add(outcome),
            Err(error) => report.found(Finding {
                violation: Violation::Stalled,
                table: String::new(),
                detail: format!("a bot ended early: {error}"),
            }),
        }
    }
    report.finish(started.elapsed());
    Ok(report)
}

/// Makes tables, some at a time. Gives their numbers and ids.
async fn create_tables(
    players: &[Player],
    numbers: std::ops::Range<u32>,
    options: &Options,
) -> Result<Vec<(u64, String)>, BotsError> {
    let Some(player) = players.first() else {
        return Ok(Vec::new());
    };
    let settings = options.settings();
    let mut tables = Vec::new();
    let mut making = JoinSet::new();
    for no in numbers {
        if making.len() >= MAKING_AT_ONCE
            && let Some(made) = making.join_next().await
        {
            tables.push(made.map_err(|error| lost(&error))??);
        }
        let (player, settings) = (player.clone(), settings.clone());
        making.spawn(async move {
            let id = uuid::Uuid::now_v7().to_string();
            let id = player
                .create_table(&id, &format!("bots {no}"), &settings)
                .await?;
            Ok::<_, CallError>((u64::from(no), id))
        });
    }
    while let Some(made) = making.join_next().await {
        tables.push(made.map_err(|error| lost(&error))??);
    }
    Ok(tables)
}

/// A task that was ended from outside did not do what it was for.
fn lost(error: &tokio::task::JoinError) -> CallError {
    CallError::Unknown {
        attempts: 1,
        reason: error.to_string(),
    }
}

fn number(of: u32) -> usize {
    usize::try_from(of).expect("a usize has at least 32 bits")
}

/// Tables of one session: enough that few streams are needed, few enough that one task folds them.
const TABLES_A_SESSION: u32 = 1_000;
/// Sessions that share a connection: a server lets a connection have 16 streams, and calls need some of them.
const SESSIONS_A_CONNECTION: usize = 4;
/// Calls under way at once for each session of a group. A connection has 16 streams; its four sessions watch with one
/// each and share the others. More calls would wait in the connection until they are too late, and a server closes a
/// connection on which many calls are given up.
const CALLS_A_SESSION: usize = 3;
/// Tables that are made at once.
const MAKING_AT_ONCE: usize = 32;
/// One attempt of a call. Longer than a commit ever takes, shorter than a clock.
const ATTEMPT: Duration = Duration::from_secs(5);
