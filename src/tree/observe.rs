//! The supervision tree as it is, drawn without stopping anything in it.
//!
//! Every supervisor is asked for a copy of what it knows, and every worker that has a probe is sent one. Siblings are asked
//! side by side, and whoever does not answer in time is drawn as silent: a stuck actor is what somebody looks for. Tables
//! are too many for a line each: a supervisor of more than a few is summed up, unless its shard is asked for by its number;
//! and where there are many shards, so is each of them.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use supervisors::{
    ChildInfo, ChildState, Kind, Observer, Overview, Prober, Restart, Strategy, SupervisorHandle,
};
use tokio::{sync::watch, time::Instant};

use crate::{
    grpc::{Mailbox, Tree, TreeKind, TreeLine},
    ids::ShardId,
};

/// The tree of a node, through a handle that exists once it has started.
pub(super) fn observe(handle: watch::Receiver<Option<SupervisorHandle>>) -> Tree {
    Arc::new(move |shard| {
        let handle = handle.borrow().clone();
        Box::pin(async move {
            let Some(handle) = handle else {
                return Vec::new();
            };
            let look = Look {
                in_full: shard.map(branch_name),
                probes: AtomicUsize::new(PROBES_MAX),
            };
            let root = TreeLine {
                name: "node".into(),
                state: "running",
                ..unseen(0)
            };
            look.supervisor(root, handle.observer(), false).await
        })
    })
}

/// The name of a shard's branch.
fn branch_name(shard: ShardId) -> String {
    format!("shard-{:04}", shard.0)
}

/// One look.
struct Look {
    in_full: Option<String>,
    /// Probes that may still be sent for sums.
    probes: AtomicUsize,
}

type Lines<'a> = Pin<Box<dyn Future<Output = Vec<TreeLine>> + Send + 'a>>;

impl Look {
    /// The line of a supervisor and of what is below it. `asked_for`: it is in the branch of the shard that was asked for.
    async fn supervisor(
        &self,
        line: TreeLine,
        observer: Observer,
        asked_for: bool,
    ) -> Vec<TreeLine> {
        let asked = Instant::now();
        let overview = match tokio::time::timeout(LOOK_MAX, observer.look(DRAWN_MAX)).await {
            Ok(Ok(overview)) => overview,
            // It has ended since.
            Ok(Err(_gone)) => return vec![line],
            Err(_elapsed) => {
                let mailbox = Mailbox::Silent(asked.elapsed());
                return vec![TreeLine { mailbox, ..line }];
            }
        };
        let depth = line.depth + 1;
        let mut lines = vec![TreeLine {
            kind: kind(&overview),
            age: line.age.or(Some(overview.age)),
            mailbox: Mailbox::Waits(overview.delay),
            ..line
        }];
        let few = overview.census.all <= FEW;
        if overview.strategy.is_none() && !few && !asked_for && !is_of_branches(&overview) {
            lines.push(self.sum(&overview, depth).await);
            return lines;
        }
        let left_out = overview.census.all.saturating_sub(overview.children.len());
        let mut children = overview.children;
        if overview.strategy.is_none() {
            children.sort_by(|a, b| a.id.cmp(&b.id));
        }
        let branches = children.iter().filter(|child| is_branch(&child.id)).count();
        let below = children
            .into_iter()
            .map(|child| self.child(child, depth, asked_for, branches > FEW));
        lines.extend(join_all(below).await.into_iter().flatten());
        if left_out > 0 {
            lines.push(TreeLine {
                name: "not drawn".into(),
                kind: TreeKind::Children {
                    all: left_out as u64,
                    probed: 0,
                },
                ..unseen(depth)
            });
        }
        lines
    }

    fn child(
        &self,
        child: ChildInfo<String>,
        depth: u32,
        asked_for: bool,
        many: bool,
    ) -> Lines<'_> {
        Box::pin(async move {
            let this_one = self.in_full.as_ref() == Some(&child.id);
            let line = of_child(&child, depth);
            let Some(observer) = child.observer else {
                let (mailbox, waiting) = pulse(child.prober.as_ref()).await;
                return vec![TreeLine {
                    mailbox,
                    waiting,
                    ..line
                }];
            };
            let branch = is_branch(&child.id);
            let lines = self.supervisor(line, observer, asked_for || this_one).await;
            if branch && many && !this_one {
                return folded(lines);
            }
            lines
        })
    }

    /// A line for all children of a dynamic supervisor; some of them are probed.
    async fn sum(&self, overview: &Overview<String>, depth: u32) -> TreeLine {
        let probers = overview
            .children
            .iter()
            .filter_map(|child| child.prober.as_ref());
        let mut allowed = 0;
        let within = |left: usize| {
            allowed = left.min(PROBED_MAX);
            Some(left - allowed)
        };
        if self.probes.fetch_update(Relaxed, Relaxed, within).is_err() {
            tracing::trace!("no more probes in this look");
        }
        let pulses = join_all(probers.take(allowed).map(|prober| pulse(Some(prober)))).await;
        let worst = pulses.iter().map(|(mailbox, _)| *mailbox).reduce(worse);
        let ages = overview.children.iter().filter_map(|child| child.age);
        TreeLine {
            name: "children".into(),
            kind: TreeKind::Children {
                all: overview.census.all as u64,
                probed: u32::try_from(pulses.len()).unwrap_or(u32::MAX),
            },
            state: if overview.census.all == overview.census.running {
                "running"
            } else {
                "not all up"
            },
            restarts: overview.census.restarts,
            age: ages.max(),
            mailbox: worst.unwrap_or(Mailbox::NotProbed),
            waiting: pulses
                .iter()
                .filter_map(|(_, waiting)| *waiting)
                .reduce(u32::saturating_add),
            ..unseen(depth)
        }
    }
}

async fn pulse(prober: Option<&Prober>) -> (Mailbox, Option<u32>) {
    let Some(prober) = prober else {
        return (Mailbox::NotProbed, None);
    };
    let sent = Instant::now();
    match prober.pulse(LOOK_MAX).await {
        Some(pulse) => (Mailbox::Waits(pulse.delay), Some(pulse.waiting)),
        None if sent.elapsed() < LOOK_MAX => (Mailbox::NotProbed, None),
        None => (Mailbox::Silent(LOOK_MAX), None),
    }
}

/// A shard's branch in one line: its own, with the worst mailbox and all that waits below it.
fn folded(lines: Vec<TreeLine>) -> Vec<TreeLine> {
    let mailbox = lines.iter().map(|line| line.mailbox).reduce(worse);
    let waiting = lines
        .iter()
        .filter_map(|line| line.waiting)
        .reduce(u32::saturating_add);
    let restarts = lines.iter().map(|line| line.restarts).sum();
    let up = lines.iter().all(|line| line.state == "running");
    lines
        .into_iter()
        .take(1)
        .map(|line| TreeLine {
            mailbox: mailbox.unwrap_or(Mailbox::NotProbed),
            waiting,
            restarts,
            state: if up { line.state } else { "not all up" },
            ..line
        })
        .collect()
}

/// Of two mailboxes the one where a message waits longer.
fn worse(a: Mailbox, b: Mailbox) -> Mailbox {
    let rank = |mailbox| match mailbox {
        Mailbox::NotProbed => (0, Duration::ZERO),
        Mailbox::Waits(time) => (1, time),
        Mailbox::Silent(time) => (2, time),
    };
    std::cmp::max_by_key(a, b, |mailbox| rank(*mailbox))
}

fn is_branch(name: &str) -> bool {
    name.starts_with("shard-")
}

/// Whether these are shards, each of which has a line of its own at least.
fn is_of_branches(overview: &Overview<String>) -> bool {
    overview.children.iter().all(|child| is_branch(&child.id))
}

fn kind(overview: &Overview<String>) -> TreeKind {
    TreeKind::Supervisor {
        strategy: match overview.strategy {
            Some(Strategy::OneForOne) => "one_for_one",
            Some(Strategy::OneForAll) => "one_for_all",
            Some(Strategy::RestForOne) => "rest_for_one",
            None => "dynamic",
        },
        recent: u32::try_from(overview.recent).unwrap_or(u32::MAX),
        max: overview.intensity.max_restarts.into(),
        period: overview.intensity.period,
        restarts_below: overview.restarts,
    }
}

fn of_child(child: &ChildInfo<String>, depth: u32) -> TreeLine {
    TreeLine {
        name: child.id.clone(),
        kind: match child.kind {
            Kind::Worker => TreeKind::Worker,
            // What is not known of one that is down, or does not answer.
            Kind::Supervisor => TreeKind::Supervisor {
                strategy: "",
                recent: 0,
                max: 0,
                period: Duration::ZERO,
                restarts_below: 0,
            },
        },
        restart: match child.restart {
            Restart::Permanent => "permanent",
            Restart::Transient => "transient",
            Restart::Temporary => "temporary",
        },
        state: match child.state {
            ChildState::Starting => "starting",
            ChildState::Running => "running",
            ChildState::Restarting => "restarting",
            ChildState::Stopping => "stopping",
            ChildState::Stopped => "stopped",
        },
        restarts: child.restarts.into(),
        age: child.age,
        ..unseen(depth)
    }
}

fn unseen(depth: u32) -> TreeLine {
    TreeLine {
        name: String::new(),
        kind: TreeKind::Worker,
        restart: "",
        state: "",
        restarts: 0,
        age: None,
        mailbox: Mailbox::NotProbed,
        waiting: None,
        depth,
    }
}

/// Whoever does not answer within this is drawn as silent. A busy log answers in milliseconds.
const LOOK_MAX: Duration = Duration::from_millis(500);
/// Lines for the children of one supervisor.
const DRAWN_MAX: usize = 2_000;
/// More tables, or shards, than this are summed up.
const FEW: usize = 16;
/// Children of one supervisor that are probed for its sum, and of all together: a look costs a node a few milliseconds, and
/// a table one message of some hundred nanoseconds.
const PROBED_MAX: usize = 256;
const PROBES_MAX: usize = 4_096;

#[cfg(test)]
mod tests;
