//! The three ways in which a call is not done, and the difference between them is promise P3.

use std::collections::BTreeMap;
use std::fmt;

/// Why a call is not done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    /// The server refused. It did not happen and never will.
    #[error("{0}")]
    Refused(Refusal),
    /// No attempt reached a server. It did not happen.
    #[error("no server answers at {addresses}: {reason}")]
    Unreachable {
        /// Where was tried.
        addresses: String,
        /// What the last attempt met.
        reason: String,
    },
    /// Attempts were sent and none was answered in time. It may have happened, or may still.
    #[error("no answer after {attempts} attempts; the outcome is not known ({reason})")]
    Unknown {
        /// How many were made.
        attempts: u32,
        /// What the last attempt met.
        reason: String,
    },
    /// The answer lacks what it must have.
    #[error("the server's answer lacks {0}")]
    Malformed(&'static str),
}

/// A refusal: a named rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The rule's name, `RaiseBelowMinimum`; the name of the status code if the server named no rule.
    pub rule: String,
    /// What a person reads.
    pub text: String,
    /// What the server added by name: bounds that would have been legal, for example.
    pub facts: BTreeMap<String, String>,
    /// An earlier attempt of the same request may have arrived.
    pub repeated: bool,
}

impl Refusal {
    /// Whether it only says that the moment has passed. For a repeated request the answer is then in the table's events.
    pub fn is_stale(&self) -> bool {
        STALE.contains(&self.rule.as_str())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.rule)
    }
}

/// Rules about the moment, not about the action.
const STALE: [&str; 5] = [
    "StaleTurn",
    "StaleHand",
    "StaleRequest",
    "NoHand",
    "NotYourTurn",
];
