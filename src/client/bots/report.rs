//! What the bots saw, in one object.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;
use super::player::Outcome;
use super::violation::{Finding, Violation};

/// What was played and what was found. `Serialize` makes the object that `orp bots --json` prints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Hands that ended.
    pub hands: u64,
    /// Acknowledged actions.
    pub actions: u64,
    /// Acknowledged actions a second, the leaving at the end included.
    pub actions_per_s: u64,
    /// From the first attempt of an action to its answer, repeats included.
    pub latency_ms: LatencyMs,
    /// Chips that players brought with acknowledged calls.
    pub chips_in: u64,
    /// Chips that players took away.
    pub chips_out: u64,
    /// Chips that the house took.
    pub rake: u64,
    /// Chips still on the tables.
    pub on_tables: u64,
    /// Chips that left in events that a snapshot replaced: rake and cash-outs that nobody saw.
    pub unseen: u64,
    /// Times that events were missing in a stream.
    pub gaps: u64,
    /// Streams opened again.
    pub reconnects: u64,
    /// Times that a snapshot replaced events, since the server kept them no more.
    pub resets: u64,
    /// Calls that the server refused.
    pub refused: u64,
    /// Calls without an answer.
    pub unknown: u64,
    /// Acknowledged actions whose event was replaced by a snapshot.
    pub unverified: u64,
    /// Seconds of play.
    pub seconds: u64,
    /// Refusals by rule.
    pub refused_rules: BTreeMap<String, u64>,
    /// Broken promises by name.
    pub violations: BTreeMap<&'static str, u64>,
    /// The first broken promises in words.
    pub examples: Vec<String>,
    #[serde(skip)]
    latency: Histogram,
    #[serde(skip)]
    leaked: bool,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LatencyMs {
    /// Half are faster.
    pub p50: f64,
    /// All but one of a hundred are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Report {
    /// Whether every promise was kept, as far as it was seen.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.gaps == 0
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.hands += outcome.hands;
        self.actions += outcome.latency.count();
        self.latency.merge(&outcome.latency);
        self.chips_in += outcome.chips_in;
        self.chips_out += outcome.chips_out;
        self.rake += outcome.rake;
        self.on_tables += outcome.on_tables;
        self.gaps += outcome.gaps;
        self.reconnects += outcome.reconnects;
        self.resets += outcome.resets;
        self.unknown += outcome.unknown;
        self.unverified += outcome.unverified;
        self.leaked |= outcome.leaked;
        for (rule, count) in outcome.refused {
            self.refused += count;
            *self.refused_rules.entry(rule).or_default() += count;
        }
        for finding in outcome.findings {
            self.found(finding);
        }
    }

    pub(super) fn found(&mut self, finding: Finding) {
        *self.violations.entry(finding.violation.name()).or_default() += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(finding.to_string());
        }
    }

    /// Closes the books.
    pub(super) fn finish(&mut self, elapsed: Duration) {
        self.seconds = elapsed.as_secs();
        let millis = elapsed.as_millis().max(1);
        let per_second = u128::from(self.actions) * 1_000 / millis;
        self.actions_per_s = u64::try_from(per_second).unwrap_or(u64::MAX);
        let in_ms = |latency: Duration| latency.div_duration_f64(Duration::from_millis(1));
        self.latency_ms = LatencyMs {
            p50: in_ms(self.latency.percentile(50)),
            p99: in_ms(self.latency.percentile(99)),
            max: in_ms(self.latency.max()),
        };
        let accounted = self.chips_out + self.rake + self.on_tables;
        match self.chips_in.checked_sub(accounted) {
            Some(0) => {}
            Some(missing) if self.leaked => self.unseen = missing,
            Some(_) | None => self.found(Finding {
                violation: Violation::ChipDifference,
                table: "all".into(),
                detail: format!(
                    "{} in; {} out, {} rake and {} on the tables",
                    self.chips_in, self.chips_out, self.rake, self.on_tables
                ),
            }),
        }
    }
}

/// Broken promises told in words: enough to begin the search with.
const EXAMPLES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Report;
    use crate::client::bots::player::Outcome;

    fn check(books: [u64; 4], leaked: bool, unseen: u64, violations: usize) {
        let [chips_in, chips_out, rake, on_tables] = books;
        let mut report = Report::default();
        report.add(Outcome {
            chips_in,
            chips_out,
            rake,
            on_tables,
            leaked,
            ..Outcome::default()
        });
        report.finish(Duration::from_secs(1));
        assert_eq!(
            (report.unseen, report.violations.len()),
            (unseen, violations)
        );
        assert_eq!(report.is_clean(), violations == 0);
    }

    #[test]
    fn books_that_close_and_books_that_do_not() {
        check([1_000, 900, 60, 40], false, 0, 0);
        check([1_000, 900, 60, 39], false, 0, 1);
        check([1_000, 900, 60, 41], false, 0, 1);
        check([1_000, 900, 60, 39], true, 1, 0);
        check([1_000, 900, 60, 41], true, 0, 1);
    }

    #[test]
    fn the_json_object_has_the_promised_fields() {
        let mut report = Report::default();
        report.finish(Duration::from_secs(2));
        let json = serde_json::to_value(&report).unwrap();
        for field in [
            "hands",
            "actions",
            "actions_per_s",
            "chips_in",
            "chips_out",
            "gaps",
            "reconnects",
        ] {
            assert!(json[field].is_u64(), "{field}");
        }
        for field in ["p50", "p99", "max"] {
            assert!(json["latency_ms"][field].is_f64(), "{field}");
        }
    }
}
