//! Played on for days, the embedded store stays as large as it was, and so does what a takeover reads.
//!
//! `DAYS=24 HANDS=180 cargo test --lib keep::tests::growth -- --nocapture` plays longer.

use std::{fs, path::Path, sync::Arc};

use super::{
    stage::*,
    verify::{check, with_keys},
};
use crate::{
    keep::{retention, verify},
    store::{
        Store,
        embedded::{EmbeddedOptions, EmbeddedStore},
        memory::MemoryStore,
    },
};

const TABLES: u128 = 2;

fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What there is at the end of a day.
#[derive(Debug)]
struct Evening {
    file: u64,
    log: u64,
    hands: u64,
}

/// A day of play after a restart, and in the evening hands of before yesterday are forgotten.
async fn day(path: &Path, day: u64, hands: u64) -> Evening {
    let store = Arc::new(EmbeddedStore::open(path, &EmbeddedOptions::default()).expect("it opens"));
    let house = House::open(store.clone(), SHARDS, day).await;
    if day == 1 {
        house.furnish(TABLES).await;
    }
    for n in 0..TABLES {
        house.play(table(n), day * hands).await;
    }
    house.stop().await;
    let now_ms = BEGIN_MS + (day + 1) * DAY_MS;
    for _ in 0..1_000 {
        let forgotten = retention::step(&*store, 2, now_ms)
            .await
            .expect("it is forgotten");
        if forgotten < retention::HANDS_A_STEP {
            break;
        }
    }
    let options = verify::Options {
        forgets: true,
        ..with_keys()
    };
    let (summary, said) = check(&*store, &options).await;
    assert_eq!(said, Vec::<String>::new(), "day {day}");
    let mut log = 0;
    for shard in 0..SHARDS {
        if store
            .shard(crate::ids::ShardId(shard))
            .await
            .expect("no faults")
            .is_none()
        {
            continue;
        }
        let (_, chain) = chain(&*store, shard).await;
        let rows = chain.iter().flat_map(|(_, rows)| rows);
        log += rows.map(|row| row.payload.len() as u64).sum::<u64>();
    }
    drop(store);
    Evening {
        file: fs::metadata(path).expect("it is there").len(),
        log,
        hands: summary.archived_hands,
    }
}

#[tokio::test]
async fn disk_and_recovery_stay_flat() {
    let (days, hands) = (number("DAYS", 8), number("HANDS", 16));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("orp.db");
    let mut evenings = Vec::new();
    for n in 1..=days {
        let evening = day(&path, n, hands).await;
        println!("day {n}: {evening:?}");
        evenings.push(evening);
    }
    let (early, late) = evenings.split_at(evenings.len() / 2);
    let most = |some: &[Evening], of: fn(&Evening) -> u64| some.iter().map(of).max().expect("days");
    // The static parts of pruned segments stay for ever, a hundred bytes each: hence the fifth.
    let (before, after) = (most(early, |it| it.file), most(late, |it| it.file));
    assert!(
        after <= before + before / 5,
        "{before} and then {after} bytes"
    );
    let (before, after) = (most(early, |it| it.log), most(late, |it| it.log));
    assert!(
        after <= before + 40_000,
        "{before} and then {after} bytes to read"
    );
    // Hands of two days are kept, and of those before none.
    let kept = evenings.last().expect("days").hands;
    assert!(kept <= 2 * TABLES as u64 * hands, "{kept} hands");
    assert!(kept >= TABLES as u64 * (hands - 1), "{kept} hands");
}

#[tokio::test(start_paused = true)]
async fn without_a_retention_every_hand_stays() {
    let store = MemoryStore::new();
    play_on(Arc::new(store.clone()), 6).await;
    let step = retention::step(&store, 0, u64::MAX)
        .await
        .expect("no faults");
    assert_eq!((step, archived(&store).await.len()), (0, 3 * 5));
    let step = retention::step(&store, 1, BEGIN_MS + DAY_MS)
        .await
        .expect("no faults");
    assert_eq!(step, 0, "they ended a moment ago");
    let step = retention::step(&store, 1, BEGIN_MS + 3 * DAY_MS)
        .await
        .expect("no faults");
    assert_eq!((step, archived(&store).await.len()), (15, 0));
}
