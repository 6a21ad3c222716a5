//! How fast the rules engine replays hand histories, beside PokerKit on the same files on the same machine.
//!
//! `cargo bench --bench engine -- [--python VENV/bin/python] FILES…` ; with a Python that has PokerKit, the ratio of the
//! two is printed too. Files are parsed before the clock starts; a replay makes the table, the deck and every decision.
//! The clock of both is processor time: what else runs on the machine hardly changes it.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use engine::Card;
use engine::eval::CardSet;
use openrustpoker::cli::phh::files;
use openrustpoker::phh::model::Hand;
use openrustpoker::phh::parse::parse;
use openrustpoker::phh::replay::{RakeSchedule, replay};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read()?;
    println!(
        "evaluator: {} seven-card hands/s on one core",
        evaluations_per_second()
    );
    if arguments.paths.is_empty() {
        println!("replay: no files named");
        return Ok(());
    }
    let hands = hands(&arguments.paths)?;
    let (hands_per_second, actions_per_second) = replays_per_second(&hands)?;
    println!(
        "replay: {} hands, {hands_per_second} hands/s, {actions_per_second} actions/s on one core",
        hands.len()
    );
    if let Some(python) = &arguments.python {
        let theirs = pokerkit(python, &arguments.paths)?;
        println!(
            "PokerKit: {theirs} hands/s on the same files; ratio {}",
            hands_per_second / u128::from(theirs.max(1))
        );
    }
    Ok(())
}

struct Arguments {
    python: Option<PathBuf>,
    paths: Vec<PathBuf>,
}

impl Arguments {
    fn read() -> anyhow::Result<Arguments> {
        let mut arguments = Arguments {
            python: None,
            paths: Vec::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                // Cargo says so to every benchmark.
                "--bench" => {}
                "--python" => {
                    arguments.python = Some(words.next().context("--python wants a path")?.into())
                }
                _ => arguments.paths.push(word.into()),
            }
        }
        Ok(arguments)
    }
}

/// Every hand of the files that is played here.
fn hands(paths: &[PathBuf]) -> anyhow::Result<Vec<Hand>> {
    let mut hands = Vec::new();
    for file in files(paths)? {
        for (_, hand) in parse(&std::fs::read_to_string(&file)?)? {
            let hand = hand?;
            if replay(&hand, &RakeSchedule::default()).is_ok() {
                hands.push(hand);
            }
        }
    }
    Ok(hands)
}

fn replays_per_second(hands: &[Hand]) -> anyhow::Result<(u128, u128)> {
    let rake = RakeSchedule::default();
    let (mut replayed, mut decisions) = (0, 0);
    let (start, used) = (Instant::now(), processor_nanos());
    while start.elapsed() < WARM {
        for hand in hands {
            decisions += black_box(replay(hand, &rake)?).decisions as u128;
            replayed += 1;
        }
    }
    let nanos = processor_nanos() - used;
    Ok((per_second(replayed, nanos), per_second(decisions, nanos)))
}

fn evaluations_per_second() -> u128 {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Card::new((state % Card::COUNT as u64) as u8).expect("below 52")
    };
    let mut seven = || {
        let mut cards: Vec<Card> = Vec::with_capacity(7);
        while cards.len() < 7 {
            let card = draw();
            if !cards.contains(&card) {
                cards.push(card);
            }
        }
        cards
    };
    let hands: Vec<[Card; 7]> = (0..100_000)
        .map(|_| seven().try_into().expect("seven"))
        .collect();
    let mut evaluated = 0;
    let (start, used) = (Instant::now(), processor_nanos());
    while start.elapsed() < WARM {
        for hand in &hands {
            black_box(hand.iter().copied().collect::<CardSet>().strength());
        }
        evaluated += hands.len() as u128;
    }
    per_second(evaluated, processor_nanos() - used)
}

/// The time that the main thread, which does all the work here, was on a processor.
fn processor_nanos() -> u128 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    let nanos = text.split_whitespace().next().map(str::parse);
    nanos
        .and_then(Result::ok)
        .expect("its first number is the time on a processor")
}

/// The hands per second that `tests/pokerkit/bench.py` prints.
fn pokerkit(python: &Path, paths: &[PathBuf]) -> anyhow::Result<u64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pokerkit/bench.py");
    let output = Command::new(python)
        .arg(script)
        .args(paths)
        .output()
        .context("cannot run Python")?;
    let text = String::from_utf8(output.stdout)?;
    let mut parts = text.trim().split(", ");
    let rate = parts.find_map(|part| part.strip_suffix(" hands/s"));
    match rate {
        Some(rate) => Ok(rate.parse()?),
        None => bail!(
            "PokerKit said: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

fn per_second(count: u128, nanos: u128) -> u128 {
    count * 1_000_000_000 / nanos.max(1)
}

/// Long enough that a slow start does not count.
const WARM: Duration = Duration::from_secs(2);
