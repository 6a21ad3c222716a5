//! The suite over the memory store, without faults and with them, and the proof that its checks see what is wrong.

use std::sync::Arc;
use std::time::Duration;

use super::patient::Patient;
use super::rivals::{Defect, Report, Script, play};
use super::{suite, suite_amid};
use crate::store::Store;
use crate::store::memory::{FaultRates, MemoryStore};

#[tokio::test(start_paused = true)]
async fn memory_store_conforms() {
    suite(|| async { Arc::new(MemoryStore::new()) as Arc<dyn Store> }).await;
}

/// Requests and answers are lost; nothing comes late, which would be a statement that nobody repeats any more.
const LOSSES: FaultRates = FaultRates {
    refuse: 100,
    lose_request: 100,
    lose_answer: 200,
    late: 0,
    late_calls: 0,
    max_delay: Duration::from_millis(2),
};

#[tokio::test(start_paused = true)]
async fn memory_store_conforms_while_it_loses_requests_and_answers() {
    for seed in 0..8 {
        suite_amid(|| async {
            let memory = MemoryStore::new();
            memory.seed(seed, LOSSES);
            let store = Patient::new(Arc::new(memory.clone()));
            (Arc::new(store) as Arc<dyn Store>, Some(memory))
        })
        .await;
    }
}

pub(super) const FAULTS: FaultRates = FaultRates {
    refuse: 20,
    lose_request: 30,
    lose_answer: 40,
    late: 40,
    late_calls: 30,
    max_delay: Duration::from_millis(10),
};

/// Many late statements: what the defects forget.
pub(super) const ZOMBIES: FaultRates = FaultRates {
    late: 200,
    late_calls: 8,
    ..FAULTS
};

/// Every second append is cut off.
pub(super) fn hasty(defect: Option<Defect>) -> Script {
    Script {
        cut_off: 2,
        defect,
        ..Script::long()
    }
}

async fn fight(seed: u64, faults: FaultRates, script: Script) -> Report {
    let memory = MemoryStore::new();
    memory.seed(seed, faults);
    play(Arc::new(memory.clone()), Some(memory), seed, script).await
}

#[tokio::test(start_paused = true)]
async fn rivals_over_a_misbehaving_store_break_nothing() {
    let mut all = Report::default();
    for seed in 0..400 {
        let report = fight(seed, FAULTS, Script::long()).await;
        assert!(report.violations.is_empty(), "seed {seed}: {report:#?}");
        all.acknowledged += report.acknowledged;
        all.never += report.never;
        all.unknown += report.unknown;
        all.takeovers += report.takeovers;
        all.rotations += report.rotations;
        all.prunes += report.prunes;
    }
    println!("{all:?}");
    // A run that hardly fought would prove nothing.
    assert!(
        all.acknowledged > 3_500 && all.never > 1_000 && all.unknown > 250,
        "{all:?}"
    );
    assert!(
        all.takeovers > 2_500 && all.rotations > 600 && all.prunes > 400,
        "{all:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_is_a_function_of_its_seed() {
    let (first, second) = (
        fight(7, FAULTS, Script::long()).await,
        fight(7, FAULTS, Script::long()).await,
    );
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

#[tokio::test(start_paused = true)]
async fn rivals_over_a_store_full_of_zombies_break_nothing() {
    for seed in 0..200 {
        let report = fight(seed, ZOMBIES, hasty(None)).await;
        assert!(report.violations.is_empty(), "seed {seed}: {report:#?}");
    }
}

async fn seen(defect: Defect) {
    let mut seeds = 0;
    for seed in 0..100 {
        seeds += usize::from(
            !fight(seed, ZOMBIES, hasty(Some(defect)))
                .await
                .violations
                .is_empty(),
        );
    }
    assert!(seeds >= 5, "only {seeds} of 100 seeds show {defect:?}");
    println!("{defect:?}: seen by {seeds} of 100 seeds");
}

#[tokio::test(start_paused = true)]
async fn an_unfenced_append_is_seen() {
    seen(Defect::UnfencedAppend).await;
}

#[tokio::test(start_paused = true)]
async fn going_on_in_the_old_segment_is_seen() {
    seen(Defect::OldSegmentAfterRestart).await;
}

#[tokio::test(start_paused = true)]
async fn a_time_out_taken_as_failure_is_seen() {
    seen(Defect::TimeOutTakenAsFailure).await;
}

#[tokio::test(start_paused = true)]
async fn a_reused_slot_is_seen() {
    seen(Defect::SlotReuse).await;
}
