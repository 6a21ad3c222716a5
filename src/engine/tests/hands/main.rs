//! Plays the scenarios of `tests/hands` at the root of the repository: one file each, a rule test without Rust.
//!
//! A scenario is lines. `#` begins a comment. A line at the margin is a command; an indented line expects something of
//! it. Names stand for players.
//!
//! ```text
//! table seats=6 blinds=50/100 ante=each:10 rake=500:75,300 buy-in=100-10000 bank=60000+1000 reconnect=0
//!       show-all-in=no sit-out-buttons=2 timeouts=2       first, on one line; all but the blinds may be left out
//! sit 1 ann 1000 [wait|post]      deal [button=1] [ann=AsKd …] [board=2c3c4c5c6c]
//! ann folds | checks | calls | raises 600                 bets are raises; amounts are what one raises to
//! ann leaves | tops-up 100 | sits-out | sits-in wait|post | connects | disconnects
//! timeout      void      close      stale ann calls       stale: sent again with the turn before
//! of-hand 1 ann calls                                     sent for hand 1, whichever is played
//! ann raises 500 ! RaiseBelowMinimum min_to=600           refused, by this rule with these bounds
//!
//!   turn ann call 100 raise 200-1000      who is to act, and exactly what is legal (fold always is); or: turn none
//!   stacks ann 900 bob 1000               chips that are not bet
//!   pots 400 ann,bob 200 bob              what is in the pots without this street's bets, and who may win it
//!   pot 600                               all that is in the pots
//!   away ann Broke     owes ann Both      or: away ann no
//!   ledger in 2000 out 0 rake 5
//!   no mucks                              no event of the command begins with this
//!   mucks bob                             anything else is an event of the command, in order; see `story.rs`
//! ```
//!
//! The invariants are checked after every event, and at its end every scenario is folded again from its events.

mod scene;
mod story;

use std::path::{Path, PathBuf};
use std::{env, fs};

use scene::Scene;

#[test]
fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hands");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    assert!(
        files.len() >= SCENARIOS_AT_LEAST,
        "only {} scenarios in {}",
        files.len(),
        folder.display()
    );

    let failures: Vec<String> = files.iter().filter_map(|path| play(path).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} scenarios fail:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
}

fn play(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut scene = Scene::default();
    for (line, text) in (1..).zip(text.lines()) {
        scene
            .line(text)
            .map_err(|error| format!("{}:{line}: {error}", path.display()))?;
    }
    scene
        .finish()
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// So that a lost folder does not pass.
const SCENARIOS_AT_LEAST: usize = 60;
