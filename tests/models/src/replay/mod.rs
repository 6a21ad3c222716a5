//! A recorded run against the model's two halves.
//!
//! - `partitions`: is there an order of the statements on each partition in which the store half gives exactly the answers
//!   that were heard? Statements without an answer may be applied at any time after they were asked, or never.
//! - `owners`: does every client ask only what the owner half would ask next, having heard what it heard?
//!
//! The first says that the store is what the model takes it for; the second that the code does what the model proves safe.

mod owners;
mod partitions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use crate::trace::{Event, Line, Recorded};
use crate::words::{Answer, Chunk, Key, Link, Partition, Payload, Statement, Values};

/// What was replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Calls in all.
    pub calls: usize,
    /// Calls without an answer.
    pub unanswered: usize,
    /// Conditional statements that the store said it applied.
    pub applied: usize,
    /// Epochs that were won and claimed.
    pub incarnations: usize,
}

/// What the model does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Contradiction {
    /// The shard.
    pub shard: u16,
    /// The client and its call.
    pub client: u64,
    /// The call.
    pub call: u64,
    /// What was asked.
    pub asked: Box<Statement<Recorded>>,
    /// What was answered, if it was.
    pub answered: Option<Box<Answer<Recorded>>>,
    /// Why the model does not allow it.
    pub why: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            shard,
            client,
            call,
            asked,
            answered,
            why,
        } = self;
        write!(f, "shard {shard}, client {client}, call {call}: {asked:?}")?;
        match answered {
            Some(answer) => write!(f, ", answered {answer:?}")?,
            None => write!(f, ", not answered")?,
        }
        write!(f, ": {why}")
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Answered(Answer<Recorded>),
    Never,
    Unknown,
}

/// A call, with the places of its lines in the trace.
#[derive(Clone, Debug)]
struct Call {
    number: u64,
    client: u64,
    shard: u16,
    genesis: Link,
    statement: Statement<Recorded>,
    outcome: Outcome,
    asked: usize,
    ended: Option<usize>,
}

impl Call {
    /// The copy whose answer was not heard. One of a statement that answered "applied" changes nothing any more.
    fn copy(&self) -> Option<Self> {
        let refused = matches!(self.outcome, Outcome::Answered(Answer::NotApplied(_)));
        refused.then(|| Self {
            outcome: Outcome::Unknown,
            ended: None,
            ..self.clone()
        })
    }

    fn contradicts(&self, why: impl Into<String>) -> Contradiction {
        let answered = match &self.outcome {
            Outcome::Answered(answer) => Some(Box::new(answer.clone())),
            Outcome::Never | Outcome::Unknown => None,
        };
        Contradiction {
            shard: self.shard,
            client: self.client,
            call: self.number,
            asked: Box::new(self.statement.clone()),
            answered,
            why: why.into(),
        }
    }
}

/// The rows that were appended to one segment, applied or not, by their hash.
#[derive(Clone, Debug, Default)]
struct Appended(HashMap<Link, (u32, Link, Payload<Recorded>)>);

impl Appended {
    /// The rows of a segment that ends with this hash, from the first to the last; `None` if that cannot be told.
    fn rows(&self, end: u32, mut last: Link) -> Option<Vec<&Payload<Recorded>>> {
        let mut rows = Vec::new();
        for number in (0..end).rev() {
            let (n, before, row) = self.0.get(&last)?;
            if *n != number {
                return None;
            }
            rows.push(row);
            last = *before;
        }
        rows.reverse();
        Some(rows)
    }
}

/// How often a statement that was asked once may get to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Once, or never.
    Once,
    /// Twice, too, and either copy's answer is the one that is heard: what a proxy may do. So whoever hears that his statement
    /// was not applied, may hear it because his other copy was.
    Twice,
}

/// Checks a run whose store was empty when it began.
///
/// It sees what no order of the statements explains, of those that are in the trace. What is not in it, and what nobody could
/// have seen, it does not miss: leave every attempt of a statement out, and it says so as soon as anybody heard of its effect;
/// leave one of two attempts out, and what is left may well have happened.
pub fn replay(lines: &[Line], delivery: Delivery) -> Result<Report, Contradiction> {
    let mut calls = calls(lines);
    let mut appended: BTreeMap<(u16, Key), Appended> = BTreeMap::new();
    for call in &calls {
        if let Statement::Append {
            segment,
            n,
            expected,
            row,
            link,
            ..
        } = &call.statement
        {
            let rows = appended.entry((call.shard, *segment)).or_default();
            rows.0.insert(*link, (*n, *expected, row.clone()));
        }
    }
    for call in &mut calls {
        let shard = call.shard;
        if let (
            Statement::Rows { segment, .. },
            Outcome::Answered(Answer::Read(Values::Rows(found))),
        ) = (&call.statement, &mut call.outcome)
        {
            let known = appended.get(&(shard, *segment));
            link_up(known, found);
        }
    }

    let copies = match delivery {
        Delivery::Once => Vec::new(),
        Delivery::Twice => calls.iter().filter_map(Call::copy).collect(),
    };
    let mut partitions: BTreeMap<(u16, Partition), Vec<&Call>> = BTreeMap::new();
    for call in calls.iter().chain(&copies) {
        let partition = (call.shard, call.statement.partition());
        partitions.entry(partition).or_default().push(call);
    }
    let mut clients: BTreeMap<(u16, u64), Vec<&Call>> = BTreeMap::new();
    for call in &calls {
        let client = (call.shard, call.client);
        clients.entry(client).or_default().push(call);
    }
    for ((shard, partition), calls) in &partitions {
        let rows = match partition {
            Partition::Shard => None,
            Partition::Segment(key) => appended.get(&(*shard, *key)),
        };
        partitions::find_order(calls, rows.unwrap_or(&Appended::default()))?;
    }
    let mut tokens = BTreeSet::new();
    let mut report = Report::default();
    for calls in clients.values() {
        report.incarnations += owners::follow(calls, &mut tokens)?;
    }
    report.calls = calls.len();
    for call in &calls {
        match &call.outcome {
            Outcome::Answered(Answer::Applied) => report.applied += 1,
            Outcome::Unknown => report.unanswered += 1,
            Outcome::Answered(Answer::NotApplied(_) | Answer::Read(_)) | Outcome::Never => {}
        }
    }
    Ok(report)
}

/// Rows that were read get the hashes that they were appended with.
fn link_up(known: Option<&Appended>, found: &mut Option<Chunk<Recorded>>) {
    let Some((fixed, rows)) = found else { return };
    let all = known.and_then(|known| known.rows(fixed.next_n, fixed.last));
    for (n, row) in rows {
        if let Some(appended) = all.as_ref().and_then(|all| all.get(*n as usize))
            && appended.body.digest == row.body.digest
        {
            row.body.link = appended.body.link;
        }
    }
}

/// Questions with their answers, in the order in which they were asked.
fn calls(lines: &[Line]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut places = HashMap::new();
    for (place, line) in lines.iter().enumerate() {
        if let Event::Asked(statement, genesis) = &line.event {
            places.insert(line.call, calls.len());
            calls.push(Call {
                number: line.call,
                client: line.client,
                shard: line.shard,
                genesis: *genesis,
                statement: statement.clone(),
                outcome: Outcome::Unknown,
                asked: place,
                ended: None,
            });
            continue;
        }
        // An answer to a question that is not in the trace says nothing.
        let Some(call) = places.get(&line.call).map(|i| &mut calls[*i]) else {
            continue;
        };
        match &line.event {
            Event::Answered(answer) => {
                call.outcome = Outcome::Answered(answer.clone());
                call.ended = Some(place);
            }
            Event::Never => call.outcome = Outcome::Never,
            Event::Asked(..) | Event::Unknown => {}
        }
    }
    calls
}
