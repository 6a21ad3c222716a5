//! What a run says at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use openrustpoker::client::bots::Report;

use super::Play;
use super::nodes::{Cluster, Totals};
use super::rows::Told;
use super::rows::kinds::{self, Kind};
use crate::chaos::report::Spread;

/// The rounds, and the verdict.
pub struct Chronicle {
    seed: u64,
    /// What a run that is long enough plays.
    kinds: Vec<Kind>,
    rounds: Vec<Told>,
    sums: String,
    violations: Vec<String>,
}

impl Chronicle {
    pub fn new(seed: u64, kinds: Vec<Kind>) -> Self {
        Self {
            seed,
            kinds,
            rounds: Vec::new(),
            sums: String::new(),
            violations: Vec::new(),
        }
    }

    pub fn add(&mut self, told: Told) {
        self.violations.extend(told.violations.iter().cloned());
        self.rounds.push(told);
    }

    /// Waits until all is well again, ends the play, and prints the verdict.
    pub async fn end(mut self, cluster: Cluster, play: Play) {
        cluster.is_whole().await;
        play.is_busy().await;
        let reports = play.end().await;
        let totals = cluster.totals().await;
        let logs = cluster.verify().await;
        self.close(&reports, totals, logs, cluster.complaints());
        println!("{self}");
        assert!(self.violations.is_empty(), "SEED={}", self.seed);
    }

    /// Compares what the bots saw with what the nodes and their logs say.
    fn close(
        &mut self,
        bots: &[Report],
        totals: Totals,
        logs: Vec<String>,
        complaints: Vec<String>,
    ) {
        let sum = |of: fn(&Report) -> u64| bots.iter().map(of).sum::<u64>();
        self.sums = format!(
            "{} tables, {} actions acknowledged, {} hands, {} streams opened again, {} resets, {} unverified",
            totals.tables,
            sum(|report| report.actions),
            sum(|report| report.hands),
            sum(|report| report.reconnects),
            sum(|report| report.resets),
            sum(|report| report.unverified),
        );
        for report in bots {
            self.violations.extend(report.examples.iter().cloned());
            let counted = &report.violations;
            self.violations.extend(
                counted
                    .iter()
                    .map(|(name, times)| format!("{name}: {times}")),
            );
        }
        let mut hold = |what: &str, holds: bool| {
            if !holds {
                self.violations.push(format!("{what}: {totals:?}"));
            }
        };
        hold("P8: the bots missed events", sum(|report| report.gaps) == 0);
        hold("calls without an answer", sum(|report| report.unknown) == 0);
        hold(
            "P1: what went in",
            totals.chips_in == sum(|report| report.chips_in),
        );
        hold(
            "P1: the nodes' books",
            totals.chips_in == totals.chips_out + totals.on_tables + totals.rake,
        );
        hold("tables are parked", totals.parked == 0);
        hold(
            "P7: chips stay when everybody has left",
            totals.on_tables == 0,
        );
        self.violations.extend(logs);
        self.violations.extend(complaints);
        let idle = self
            .rounds
            .iter()
            .filter(|told| told.recovered.is_empty() && told.kills == 0)
            .count();
        // A round now and then may hit nothing; a run of those proves nothing.
        if 5 * idle > self.rounds.len() {
            let of = self.rounds.len();
            self.violations.push(format!(
                "{idle} of {of} faults hit no table that was played at"
            ));
        }
    }
}

impl fmt::Display for Chronicle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: u32 = self.rounds.iter().map(|told| told.faults).sum();
        let kills: u32 = self.rounds.iter().map(|told| told.kills).sum();
        writeln!(
            f,
            "seed {}, {} rounds, {faults} faults, {kills} of them kills of nodes, {} takeovers; {}",
            self.seed,
            self.rounds.len(),
            self.rounds.iter().map(|told| told.takeovers).sum::<u64>(),
            self.sums
        )?;
        let mut kinds: BTreeMap<Kind, (u32, Vec<Duration>)> = BTreeMap::new();
        let mut rows: BTreeMap<u32, Vec<Duration>> = BTreeMap::new();
        for told in self.rounds.iter().filter(|told| told.faults > 0) {
            let (count, recovered) = kinds.entry(told.kind).or_default();
            *count += told.faults;
            recovered.extend(&told.recovered);
            let row = rows.entry(told.kind.row()).or_default();
            row.extend(&told.recovered);
        }
        for (row, mut recovered) in rows {
            recovered.sort_unstable();
            write!(f, "row {row}: tables act again: {}", Spread(&recovered))?;
            match kinds::bound_of_row(row) {
                Some(bound) => writeln!(f, " (p99 is to be below {} ms)", bound.as_millis())?,
                None => writeln!(f)?,
            }
            for (kind, (count, recovered)) in &mut kinds {
                if kind.row() == row {
                    recovered.sort_unstable();
                    writeln!(f, "  {kind}: {count} faults; {}", Spread(recovered))?;
                }
            }
        }
        let missing = self.kinds.iter().filter(|kind| !kinds.contains_key(kind));
        let missing: Vec<String> = missing.map(Kind::to_string).collect();
        if !missing.is_empty() {
            writeln!(f, "not reached: {}", missing.join("; "))?;
        }
        write!(f, "violations {}", self.violations.len())?;
        for violation in self.violations.iter().take(SHOWN) {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}

/// How many violations a report shows.
const SHOWN: usize = 20;
