//! Mistakes made on purpose: each must be found, or the checks see nothing.

use openrustpoker::table::fault::Defect;

use super::run::{Mistake, Nodes, run};

/// Within so many seeds a mistake must be found.
const SEEDS: u64 = 60;

/// Found, and as a broken promise that this mistake does break.
fn found(mistake: Mistake, promises: &[&str]) {
    found_by(Nodes::Alone, mistake, promises);
}

fn found_by(nodes: Nodes, mistake: Mistake, promises: &[&str]) {
    let first = (1..=SEEDS).find_map(|seed| {
        let violation = run(seed, nodes, Some(mistake)).err()?;
        Some((seed, violation))
    });
    let (seed, violation) = first.unwrap_or_else(|| panic!("{mistake:?} was not found"));
    println!("{mistake:?} found with SEED={seed}: {violation}");
    let broken = promises
        .iter()
        .any(|promise| violation.starts_with(promise));
    assert!(broken, "SEED={seed}: {violation}");
}

#[test]
fn a_forgotten_request_id() {
    found(Mistake::Table(Defect::ForgetsRequests), &["P2"]);
}

#[test]
fn a_forgotten_refusal() {
    found(Mistake::Table(Defect::ForgetsRefusals), &["P3"]);
}

#[test]
fn a_time_out_taken_as_a_refusal() {
    found(Mistake::Table(Defect::TimeOutIsRefusal), &["P3"]);
}

#[test]
fn an_acknowledgement_before_the_commit() {
    found(Mistake::Table(Defect::AcknowledgesEarly), &["P2"]);
}

#[test]
fn a_snapshot_without_its_deck() {
    found(Mistake::Table(Defect::SnapshotWithoutDeck), &["P6", "P7"]);
}

#[test]
fn a_log_that_goes_on_in_its_old_segment() {
    found(Mistake::Table(Defect::KeepsOldSegment), &["P4", "P7"]);
}

#[test]
fn a_slot_used_twice() {
    found(Mistake::Table(Defect::ReusesSlot), &["P2", "P8"]);
}

#[test]
fn an_unfenced_append() {
    found(Mistake::UnfencedAppend, &["P2"]);
}

#[test]
fn an_unfenced_append_among_several_nodes() {
    found_by(Nodes::Several, Mistake::UnfencedAppend, &["P2"]);
}

#[test]
fn a_log_of_several_nodes_that_goes_on_in_its_old_segment() {
    let mistake = Mistake::Table(Defect::KeepsOldSegment);
    found_by(Nodes::Several, mistake, &["P2", "P4", "P7"]);
}

#[test]
fn a_deck_in_clear() {
    found(Mistake::Table(Defect::ClearDeck), &["P5"]);
}

#[test]
fn frames_that_are_skipped() {
    found(Mistake::Table(Defect::SkipsFrames), &["P8"]);
}
