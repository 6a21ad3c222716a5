//! What a run says at its end.

use std::fmt;
use std::time::Duration;

use openrustpoker::store::conformance::record::trace::Line;
use openrustpoker::store::conformance::record::{self, Contradiction};
use openrustpoker::store::conformance::rivals::Report;

use super::monkey::Blow;
use crate::proxy::Tally;

/// A run of rivals over all shards.
pub struct Run {
    pub seed: u64,
    pub lasted: Duration,
    pub fights: Vec<Report>,
    pub tally: Tally,
    pub blows: Vec<Blow>,
    /// What was asked of the stores, and answered.
    pub trace: Vec<Line>,
    /// What the model says of it.
    pub replayed: Result<record::Report, Contradiction>,
}

impl Run {
    pub fn violations(&self) -> Vec<&str> {
        let all = self.fights.iter().flat_map(|fight| &fight.violations);
        all.map(String::as_str).collect()
    }

    pub fn sum(&self, of: impl Fn(&Report) -> usize) -> usize {
        self.fights.iter().map(of).sum()
    }

    /// Faults of the database that came while it worked on conditional statements.
    pub fn busy_blows(&self) -> usize {
        self.blows.iter().filter(|blow| blow.in_flight > 0).count()
    }

    /// How long nodes that were killed took to start again, in all.
    pub fn starting(&self) -> Duration {
        let kills = self.blows.iter().filter(|blow| blow.kills);
        kills.map(|blow| blow.over - blow.at).sum()
    }

    /// From each fault of the database to the next acknowledgement of each shard, without the time that a quorum was missing:
    /// from the moment on that what was broken is whole again, if nothing was acknowledged before.
    pub fn recoveries(&self) -> Vec<Duration> {
        let mut all = Vec::new();
        for blow in &self.blows {
            for fight in &self.fights {
                let mut times = fight.acknowledged_at.iter();
                let Some(next) = times.find(|time| **time > blow.at) else {
                    continue;
                };
                let from = if *next > blow.over {
                    blow.over
                } else {
                    blow.at
                };
                all.push(*next - from);
            }
        }
        all.sort_unstable();
        all
    }

    pub fn takeovers(&self) -> Vec<Duration> {
        let mut all: Vec<_> = self
            .fights
            .iter()
            .flat_map(|fight| fight.takeover_times.clone())
            .collect();
        all.sort_unstable();
        all
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            lasted,
            fights,
            tally,
            blows,
            trace: _,
            replayed,
        } = self;
        writeln!(
            f,
            "seed {seed}, {} s, {} shards, 3 rivals each",
            lasted.as_secs(),
            fights.len()
        )?;
        writeln!(
            f,
            "faults: {} of statements, {} applied and unheard; {} of database nodes, {} at busy moments",
            tally.injected(),
            tally.applied_unheard,
            blows.len(),
            self.busy_blows(),
        )?;
        for ((name, kind), times) in &tally.faults {
            write!(f, "  {name} {kind:?} {times}")?;
        }
        writeln!(f)?;
        for blow in blows {
            write!(f, "  {} at {} ms", blow.what, blow.at.as_millis())?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "acknowledged {}, said never to be {}, unknown {}, takeovers {}, rotations {}, prunes {}",
            self.sum(|fight| fight.acknowledged),
            self.sum(|fight| fight.never),
            self.sum(|fight| fight.unknown),
            self.sum(|fight| fight.takeovers),
            self.sum(|fight| fight.rotations),
            self.sum(|fight| fight.prunes),
        )?;
        writeln!(f, "takeover {}", Spread(&self.takeovers()))?;
        writeln!(f, "recovery {}", Spread(&self.recoveries()))?;
        match replayed {
            Ok(record::Report {
                calls,
                unanswered,
                applied,
                incarnations,
            }) => writeln!(
                f,
                "replayed by the model: {calls} statements, {unanswered} unanswered, {applied} applied, {incarnations} incarnations"
            )?,
            Err(contradiction) => writeln!(f, "contradicted by the model: {contradiction}")?,
        }
        write!(f, "violations {}", self.violations().len())?;
        for violation in self.violations().iter().take(SHOWN) {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}

/// How many violations a report shows.
const SHOWN: usize = 20;

/// Sorted times.
pub struct Spread<'a>(pub &'a [Duration]);

impl Spread<'_> {
    /// The time that so many of a hundred do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }
}

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [50, 99, 100].map(|percent| self.percentile(percent).as_millis());
        write!(
            f,
            "p50 {p50} ms, p99 {p99} ms, max {max} ms, of {}",
            self.0.len()
        )
    }
}
