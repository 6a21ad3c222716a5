//! Plays the scenarios of `tests/hands` at the root of the repository: one file each, a rule test without Rust.
//!
//! The format is in `tests/hands/README.md`.
//!
//! The invariants are checked after every event, and at its end every scenario is folded again from its events.

mod rules;
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
