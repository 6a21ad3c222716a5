//! A recorded run as data: what was asked of a store, in the order in which it was asked and answered.
//!
//! One [`Line`] for each question and one for each answer, so that the order of the lines says which calls overlapped. A
//! question without an answer was not answered: the process died, or stopped waiting. On disk it is a JSON object a line.
//! Hashes, tokens and bodies are cut to eight bytes: enough to tell them apart, and no card can be read from it.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::words::{Answer, Fold, Key, Keys, Link, Payload, Rows, Statement, Words};

/// The words of recorded runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recorded;

/// One question or answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The call: one question and at most one answer have this number.
    pub call: u64,
    /// Who asks: one takeover and the reign that follows, so that its calls are one after the other.
    pub client: u64,
    /// The shard.
    pub shard: u16,
    /// What happened.
    pub event: Event,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// This is asked. The link is the one that the shard's very first row hashes over.
    Asked(Statement<Recorded>, Link),
    /// This is answered.
    Answered(Answer<Recorded>),
    /// The store promises that it was not applied and never will be.
    Never,
    /// The store does not know.
    Unknown,
}

/// A row's content, as far as the protocol is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Body {
    /// The beginning of the SHA-256 of the payload.
    pub digest: u64,
    /// The beginning of what the row's hash has to be, by its payload and the hash before it. Not known of rows that are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// A list of segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Chain(pub Vec<Key>);

/// Nothing: which rows a segment holds follows from its last hash and what was appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nothing;

impl Words for Recorded {
    type Body = Body;
    type Keys = Chain;
    type Rows = Nothing;
    type Fold = Nothing;

    fn link(_previous: Link, _n: u32, row: &Payload<Self>) -> Link {
        row.body.link.unwrap_or(Link::EMPTY)
    }
}

impl Keys for Chain {
    fn push(&mut self, key: Key) {
        self.0.push(key);
    }

    fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    fn has(&self, key: Key) -> bool {
        self.0.contains(&key)
    }

    fn last(&self) -> Option<Key> {
        self.0.last().copied()
    }

    fn remove(&mut self, key: Key) {
        self.0.retain(|other| *other != key);
    }

    fn pop(&mut self) {
        self.0.pop();
    }

    fn take_before(&mut self, key: Key) -> Self {
        let (before, kept) = self.0.iter().partition(|other| **other < key);
        self.0 = kept;
        Self(before)
    }
}

impl Rows<Recorded> for Nothing {
    fn row(&self, _n: u32) -> Option<&Payload<Recorded>> {
        None
    }

    fn write(&mut self, _n: u32, _row: Payload<Recorded>) {}

    fn clear(&mut self) {}
}

impl Fold<Recorded> for Nothing {
    fn begin(&mut self) {}

    fn row(&mut self, _row: &Payload<Recorded>) -> bool {
        true
    }
}

/// Writes a trace, a JSON object a line.
pub fn write(mut to: impl Write, lines: &[Line]) -> io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut to, line)?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// Reads what [`write`] wrote. A last line that was cut off, by a process that was killed, is left out.
pub fn read(from: impl BufRead) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut texts = from.lines().peekable();
    while let Some(text) = texts.next() {
        match serde_json::from_str(&text?) {
            Ok(line) => lines.push(line),
            Err(_) if texts.peek().is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(lines)
}
