//! Fights over the memory store, replayed by the model; and traces that no sound run can give, rejected by it.

use std::array::from_fn;
use std::sync::Arc;

use orp_models::trace::{Event, Line, read, write};
use orp_models::words::{self, Kind, Statement, Values};

use super::super::rivals::{self, Defect, History, Script, fight};
use super::super::tests::{FAULTS, ZOMBIES, hasty};
use super::{Delivery, Recorder, Report, replay};
use crate::ids::ShardId;
use crate::store::log::{LogOptions, PruneError, ShardLog};
use crate::store::memory::{Fault, FaultRates, MemoryStore};
use crate::store::{self, Store, WriterToken};

const SHARD: ShardId = ShardId(1);

/// A fight of rivals and their judge, each recorded as one client.
async fn record(seed: u64, faults: FaultRates, script: Script) -> (Vec<Line>, rivals::Report) {
    let memory = MemoryStore::new();
    memory.seed(seed, faults);
    if script.defect == Some(Defect::UnfencedAppend) {
        memory.ignore_append_conditions();
    }
    let recorder = Recorder::new(Arc::new(memory.clone()));
    let stores = from_fn(|_| Arc::new(recorder.client()) as Arc<dyn Store>);
    let report = fight(stores, &Some(memory), seed, script).await;
    (recorder.trace(), report)
}

#[tokio::test(start_paused = true)]
async fn fights_are_what_the_model_allows() {
    let mut all = Report::default();
    for seed in 0..100 {
        let script = if seed % 2 == 0 {
            Script::long()
        } else {
            hasty(None)
        };
        let faults = if seed % 4 < 2 { FAULTS } else { ZOMBIES };
        let (trace, fought) = record(seed, faults, script).await;
        assert!(fought.violations.is_empty(), "seed {seed}: {fought:#?}");
        let report =
            replay(&trace, Delivery::Once).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        all.calls += report.calls;
        all.unanswered += report.unanswered;
        all.applied += report.applied;
        all.incarnations += report.incarnations;
    }
    println!("{all:?}");
    assert!(all.calls > 20_000 && all.unanswered > 1_000, "{all:?}");
    assert!(all.applied > 5_000 && all.incarnations > 500, "{all:?}");
}

/// Each conditional statement that was not applied because it had been: only a second copy of it explains that.
#[tokio::test(start_paused = true)]
async fn a_statement_that_was_delivered_twice_is_known_as_such() {
    let mut seen = 0;
    for seed in 0..40 {
        let (mut trace, _) = record(seed, FAULTS, Script::long()).await;
        let Some(seal) = trace.iter().find_map(|line| match line.event {
            Event::Asked(Statement::Seal { seal, .. }, _) => Some((line.call, seal)),
            Event::Asked(..) | Event::Answered(_) | Event::Never | Event::Unknown => None,
        }) else {
            continue;
        };
        let fixed = |next_n, last| words::Fixed {
            writer: words::Token::ROOT,
            next_n,
            last,
            seal: Some(seal.1),
        };
        // The first seal of all is of the root, which has no rows.
        let Some(answer) = trace.iter_mut().find(|line| {
            line.call == seal.0 && line.event == Event::Answered(words::Answer::Applied)
        }) else {
            continue;
        };
        answer.event = Event::Answered(words::Answer::NotApplied(Values::Segment(Some(fixed(
            0,
            words::Link::EMPTY,
        )))));
        assert!(replay(&trace, Delivery::Once).is_err(), "seed {seed}");
        replay(&trace, Delivery::Twice).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} traces had it");
}

/// An owner who hears with the last row of its checkpoint that it is over asks nothing more.
#[tokio::test(start_paused = true)]
async fn a_rotation_that_ends_a_reign_is_what_the_model_allows() {
    let memory = MemoryStore::new();
    let recorder = Recorder::new(Arc::new(memory.clone()));
    let owner = async |writer| {
        let (mut token, mut read) = (|| WriterToken([writer; 16]), History::default());
        let store = Arc::new(recorder.client());
        let options = LogOptions::default();
        let taken =
            ShardLog::take_over(store, SHARD, "owner", &mut token, &mut read, options).await;
        (taken.unwrap(), read)
    };
    let (mut log, mut read) = owner(1).await;
    log.append("one".into()).await.unwrap();
    read.entries.push("one".to_owned());
    memory.script(store::Statement::Append, Fault::LoseAnswer);
    let next = async {
        // After the append that nobody heard of, before it is repeated.
        tokio::time::sleep(LogOptions::default().first_pause / 2).await;
        owner(2).await
    };
    let (rotated, (_, found)) = tokio::join!(log.rotate(read.checkpoint(1)), next);
    let rotated = rotated.unwrap();
    assert!(log.is_stopped());
    assert_eq!(log.prunable(), None);
    assert!(matches!(log.prune(rotated).await, Err(PruneError::Stopped)));
    assert_eq!(found.entries, read.entries);
    replay(&recorder.trace(), Delivery::Once).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_trace_reads_back() {
    let (trace, _) = record(1, FAULTS, Script::long()).await;
    let mut file = Vec::new();
    write(&mut file, &trace).unwrap();
    assert_eq!(read(&file[..]).unwrap(), trace);
    // A process that is killed leaves half a line; the call counts as unanswered.
    let cut = &file[..file.len() - 20];
    assert_eq!(read(cut).unwrap(), trace[..trace.len() - 1]);
    replay(&read(cut).unwrap(), Delivery::Once).unwrap();
}

/// What of a trace is falsified: answers whether there was anything to falsify.
type Tamper = fn(&mut Vec<Line>) -> bool;

/// Changes the last line that this finds something to change in.
fn last(trace: &mut [Line], change: impl Fn(&mut Event) -> bool) -> bool {
    trace.iter_mut().rev().any(|line| change(&mut line.event))
}

#[tokio::test(start_paused = true)]
async fn a_tampered_trace_is_rejected() {
    let tampers: [(&str, Tamper); 7] = [
        (
            "an acknowledged append is left out, with all its attempts",
            |trace| {
                let applied = |line: &&Line| line.event == Event::Answered(words::Answer::Applied);
                let asked: Vec<(u64, Event)> = trace
                    .iter()
                    .filter(|line| matches!(line.event, Event::Asked(Statement::Append { .. }, _)))
                    .map(|line| (line.call, line.event.clone()))
                    .collect();
                let mut acknowledged = trace.iter().filter(applied);
                let Some(append) = acknowledged.find_map(|line| {
                    let of_call = asked.iter().find(|(call, _)| *call == line.call);
                    of_call.map(|(_, append)| append.clone())
                }) else {
                    return false;
                };
                // One attempt of two that is left out leaves a run that may have been.
                let attempts: Vec<u64> = asked
                    .iter()
                    .filter(|(_, asked)| *asked == append)
                    .map(|(call, _)| *call)
                    .collect();
                trace.retain(|line| !attempts.contains(&line.call));
                true
            },
        ),
        (
            "a statement that was applied is answered as not applied",
            |trace| {
                last(trace, |event| {
                    let applied = *event == Event::Answered(words::Answer::Applied);
                    if applied {
                        *event = Event::Answered(words::Answer::NotApplied(Values::Shard(None)));
                    }
                    applied
                })
            },
        ),
        ("a row is read with other bytes", |trace| {
            last(trace, |event| match event {
                Event::Answered(words::Answer::Read(Values::Rows(Some((_, rows))))) => {
                    let row = rows.first_mut();
                    row.map(|(_, row)| row.body.digest ^= 1).is_some()
                }
                Event::Answered(_) | Event::Asked(..) | Event::Never | Event::Unknown => false,
            })
        }),
        ("a row that was there is not read", |trace| {
            last(trace, |event| match event {
                Event::Answered(words::Answer::Read(Values::Rows(Some((_, rows)))))
                    if rows.len() > 1 =>
                {
                    rows.remove(0);
                    true
                }
                Event::Answered(_) | Event::Asked(..) | Event::Never | Event::Unknown => false,
            })
        }),
        ("a segment is read as open that was sealed", |trace| {
            last(trace, |event| match event {
                Event::Answered(words::Answer::Read(Values::Rows(Some((fixed, _))))) => {
                    fixed.seal.take().is_some()
                }
                Event::Answered(_) | Event::Asked(..) | Event::Never | Event::Unknown => false,
            })
        }),
        (
            "an owner appends with a hash that is not its row's",
            |trace| {
                last(trace, |event| match event {
                    Event::Asked(Statement::Append { row, link, .. }, _) => {
                        link.0 ^= 1;
                        row.kind == Kind::Commit
                    }
                    Event::Answered(_) | Event::Asked(..) | Event::Never | Event::Unknown => false,
                })
            },
        ),
        (
            "an owner moves low from a value that it did not read",
            |trace| {
                last(trace, |event| match event {
                    Event::Asked(Statement::AdvanceLow { from, .. }, _) => {
                        from.k += 1;
                        true
                    }
                    Event::Answered(_) | Event::Asked(..) | Event::Never | Event::Unknown => false,
                })
            },
        ),
    ];
    for (what, tamper) in tampers {
        let mut seen = 0;
        for seed in 0..40 {
            let (mut trace, _) = record(seed, FAULTS, Script::long()).await;
            if !tamper(&mut trace) {
                continue;
            }
            for delivery in [Delivery::Once, Delivery::Twice] {
                match replay(&trace, delivery) {
                    Err(why) if seen == 0 => println!("{what}: {why}"),
                    Err(_) => {}
                    Ok(report) => {
                        panic!("{what}, seed {seed}, {delivery:?}: not seen in {report:?}")
                    }
                }
            }
            seen += 1;
        }
        assert!(seen >= 3, "{what}: only {seen} traces had it");
    }
}

/// Mistakes of owners and of a store contradict the model, also in runs in which no promise happens to be broken.
#[tokio::test(start_paused = true)]
async fn defects_contradict_the_model() {
    let half = [
        (Defect::SlotReuse, "no owner"),
        (Defect::OldSegmentAfterRestart, "no owner"),
        (Defect::UnfencedAppend, "no order"),
    ];
    for (defect, why) in half {
        let (mut contradicted, mut broken) = (0, 0);
        for seed in 0..30 {
            let (trace, report) = record(seed, ZOMBIES, hasty(Some(defect))).await;
            broken += usize::from(!report.violations.is_empty());
            if let Err(contradiction) = replay(&trace, Delivery::Twice) {
                assert!(
                    contradiction.why.contains(why),
                    "{defect:?}: {contradiction}"
                );
                contradicted += 1;
            }
        }
        println!(
            "{defect:?}: {contradicted} of 30 seeds contradict the model, {broken} break a promise"
        );
        assert!(contradicted >= 20, "{defect:?}: only {contradicted} of 30");
    }
}
