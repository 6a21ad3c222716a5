//! A sound store is sound, beside a server that goes on; each kind of damage is found, by its name and at its place.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use engine::HandNo;
use tokio::time::Duration;

use super::stage::*;
use crate::{
    ids::{ShardId, TableId},
    keep::verify::{Line, Options, Summary, verify},
    store::{
        Cas, HandRecord, Row, SegmentId, Store,
        memory::{FaultRates, MemoryStore},
    },
    table::seal::Keyring,
};

pub async fn check(store: &dyn Store, options: &Options) -> (Summary, Vec<String>) {
    let mut said = Vec::new();
    let mut tell = |line| match line {
        Line::Shard(_) => {}
        Line::Flaw(flaw) => said.push(flaw.to_string()),
        Line::Unread { what, cause } => said.push(format!("{what} not read: {cause}")),
    };
    let summary = verify(store, options, &mut tell)
        .await
        .expect("it was used");
    (summary, said)
}

pub fn with_keys() -> Options {
    Options {
        keys: Some(keys()),
        ..Options::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_sound_store_is_sound() {
    let store = played(36).await;
    let (summary, said) = check(&store, &with_keys()).await;
    assert_eq!(said, Vec::<String>::new());
    assert!(summary.sound());
    assert_eq!(
        (summary.shards, summary.tables, summary.open_hands),
        (2, 3, 3)
    );
    assert_eq!(
        (summary.chips_in, summary.on_tables, summary.rake),
        (90_000, 90_000, 0)
    );
    assert_eq!((summary.archived_hands, summary.sessions), (3 * 35, 5));
    assert!(
        summary.snapshots > 0 && summary.unproven_snapshots == 3,
        "{summary:?}"
    );
    assert!(
        summary.decks_opened > 3 * 35 && summary.decks_closed == 0,
        "{summary:?}"
    );
    // Something was pruned, or the checks of the archive would prove nothing.
    let (row, _) = chain(&store, 0).await;
    assert!(row.low.k > 0, "{row:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_key_all_but_the_decks_is_checked() {
    let store = played(36).await;
    let (summary, said) = check(&store, &Options::default()).await;
    assert_eq!(said, Vec::<String>::new());
    assert!(
        summary.decks_closed > 3 * 35 && summary.decks_opened == 0,
        "{summary:?}"
    );
    assert!(summary.snapshots > 0, "{summary:?}");
}

#[tokio::test(start_paused = true)]
async fn a_running_server_is_not_disturbed() {
    let store = Arc::new(MemoryStore::new());
    let house = House::open(store.clone(), SHARDS, 1).await;
    house.furnish(3).await;
    // Statements take time, so that checks fall between the commits, the rotations and the pruning.
    store.seed(1, SLOW);
    let mut checks = 0;
    let epochs_before = epochs(&*store).await;
    let play = async {
        for hands in 1..=30 {
            for n in 0..3 {
                house.play(table(n), hands).await;
            }
        }
    };
    let mut play = Box::pin(play);
    let mut lows = BTreeSet::new();
    loop {
        let check = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            check(&*store, &Options::default()).await
        };
        let mut check = std::pin::pin!(check);
        let (summary, said) = tokio::select! {
            biased;
            () = &mut play => break,
            checked = &mut check => checked,
        };
        assert_eq!((said, summary.tables), (Vec::new(), 3), "check {checks}");
        lows.insert(chain(&*store, 0).await.0.low);
        checks += 1;
    }
    drop(play);
    assert_eq!(epochs(&*store).await, epochs_before);
    assert!(checks > 50 && lows.len() > 3, "{checks} checks, {lows:?}");
    house.stop().await;
}

const SLOW: FaultRates = FaultRates {
    refuse: 0,
    lose_request: 0,
    lose_answer: 0,
    late: 0,
    late_calls: 0,
    max_delay: Duration::from_millis(2),
};

async fn epochs(store: &dyn Store) -> Vec<u64> {
    let mut epochs = Vec::new();
    for shard in 0..SHARDS {
        let row = store.shard(ShardId(shard)).await.expect("no faults");
        epochs.push(row.expect("owned").epoch.0);
    }
    epochs
}

/// Damages a copy, and expects exactly these flaws among what is said first.
pub async fn seen(sound: &MemoryStore, expected: &str, damage: impl AsyncFnOnce(&MemoryStore)) {
    let store = sound.photograph();
    damage(&store).await;
    let (summary, said) = check(&store, &with_keys()).await;
    assert!(!summary.sound(), "nobody saw: {expected}");
    assert!(
        said.iter().any(|it| it.contains(expected)),
        "{expected}: {said:#?}"
    );
}

/// A segment in the middle of a chain with several rows, and the open one at its end.
async fn segments(store: &MemoryStore) -> ((SegmentId, Vec<Row>), (SegmentId, Vec<Row>)) {
    let (_, mut segments) = chain(store, 0).await;
    let last = segments.pop().expect("a chain has an end");
    let long = segments.into_iter().find(|(_, rows)| rows.len() > 6);
    (long.expect("a segment holds hands"), last)
}

fn at(segment: SegmentId, row: u64, what: &str) -> String {
    format!(
        "shard {}, segment {}, row {row}: {what}",
        segment.shard, segment.key
    )
}

#[tokio::test(start_paused = true)]
async fn damage_to_rows_and_segments_is_found() {
    // Restarts, so that there are segments of two reigns.
    let store = played(24).await;
    let house = House::open(Arc::new(store.clone()), SHARDS, 2).await;
    for n in 0..3 {
        house.play(table(n), 25).await;
    }
    house.stop().await;
    let ((segment, rows), (last, last_rows)) = segments(&store).await;
    let n = 3;
    let flip = |row: Option<Row>| {
        let mut row = row.expect("it is there");
        let mut bytes = row.payload.to_vec();
        bytes[9] ^= 1;
        row.payload = Bytes::from(bytes);
        Some(row)
    };

    let wrong = at(segment, n, "the checksum is wrong");
    seen(&store, &wrong, async |store| {
        store.damage_row(segment, n, flip)
    })
    .await;

    let wrong = at(
        segment,
        rows.len() as u64,
        "the segment does not end with the hash",
    );
    let forge = |row: Option<Row>| {
        let mut row = flip(row).expect("it is there");
        row.crc = crc32fast::hash(&row.payload);
        Some(row)
    };
    seen(&store, &wrong, async |store| {
        store.damage_row(segment, n, forge)
    })
    .await;

    let wrong = at(segment, n, "the row is missing");
    seen(&store, &wrong, async |store| {
        store.damage_row(segment, n, |_| None)
    })
    .await;

    let swap = async |store: &MemoryStore| {
        let [here, there] = [n, n + 1].map(|n| rows[n as usize].clone());
        store.damage_row(segment, n, |_| Some(Row { n, ..there }));
        store.damage_row(segment, n + 1, |_| Some(Row { n: n + 1, ..here }));
    };
    let wrong = at(
        segment,
        rows.len() as u64,
        "the segment does not end with the hash",
    );
    seen(&store, &wrong, swap).await;
    seen(&store, &at(segment, n, "table"), swap).await;

    let cut = async |segment: SegmentId, store: &MemoryStore| {
        for n in 2..1_000 {
            store.damage_row(segment, n, |_| None);
        }
    };
    let wrong = at(segment, 2, "the row is missing");
    seen(&store, &wrong, async |store| cut(segment, store).await).await;
    let wrong = at(last, 2, "the row is missing");
    assert!(last_rows.len() > 2);
    seen(&store, &wrong, async |store| cut(last, store).await).await;

    let wrong = at(segment, rows.len() as u64, "there are more rows");
    let more = rows[1].clone();
    let extra = Row {
        n: rows.len() as u64,
        ..more
    };
    seen(&store, &wrong, async |store| {
        store.damage_row(segment, extra.n, |_| Some(extra))
    })
    .await;

    let wrong = at(segment, 0, "the segment is missing");
    seen(&store, &wrong, async |store| {
        store.damage_segment(segment, |_| None)
    })
    .await;

    let wrong = at(
        segment,
        rows.len() as u64,
        "the segment is open in the middle of the chain",
    );
    let reopen = async |store: &MemoryStore| {
        store.damage_segment(segment, |state| {
            Some(crate::store::SegmentState {
                seal: None,
                ..state?
            })
        });
    };
    seen(&store, &wrong, reopen).await;

    // Low moved beyond what a checkpoint replaces.
    let (row, segments) = chain(&store, 0).await;
    let plain = segments
        .iter()
        .skip(1)
        .find(|(segment, _)| segment.key.k == 0);
    let plain = plain.expect("a reign begins without a checkpoint").0;
    let wrong = at(
        plain,
        0,
        "the segment does not begin with a complete checkpoint",
    );
    let advance = async |store: &MemoryStore| {
        let moved = store.advance_low(ShardId(0), row.low, plain.key).await;
        assert_eq!(moved.expect("no faults"), Cas::Applied);
    };
    seen(&store, &wrong, advance).await;
}

#[tokio::test(start_paused = true)]
async fn decks_that_do_not_open_are_found() {
    let store = played(24).await;
    let with = |keys: Keyring| Options {
        keys: Some(keys),
        ..Options::default()
    };
    let (summary, said) = check(&store, &with(Keyring::single([8; 32]))).await;
    assert!(
        said[0].contains("a sealed deck does not open for"),
        "{said:?}"
    );
    assert!(summary.decks_opened == 0 && !summary.sound(), "{summary:?}");
    let other: Keyring = format!("2:{}", "07".repeat(32)).parse().expect("a ring");
    let (_, said) = check(&store, &with(other)).await;
    assert!(
        said[0].contains("a deck is sealed with key 1, which is not in the key file"),
        "{said:?}"
    );
    // Only the decks are wrong: the snapshots are not called forged for it.
    assert!(
        said.iter()
            .all(|it| it.contains("deck") || it.contains("more")),
        "{said:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_archive_is_found() {
    let store = played(40).await;
    let id = table(1);
    let hands = archived(&store).await;
    let hand = |no: u64| {
        let found = hands
            .iter()
            .find(|hand| hand.table == id && hand.hand_no.0 == no);
        found.expect("it is archived").clone()
    };
    let place = |no: u64| format!("archive, table {id}, hand {no}: ");

    // The oldest of all are gone.
    let first = hands
        .iter()
        .filter(|hand| hand.table == id)
        .map(|hand| hand.ended_ms)
        .min();
    let before = first.expect("hands were played") + 1;
    let forget = async |store: &MemoryStore| {
        assert!(store.forget_hands(before, 1_000).await.expect("no faults") > 0);
    };
    seen(
        &store,
        &(place(1) + "the hand is not in the archive"),
        forget,
    )
    .await;
    // With a retention they may be gone, but none in the middle.
    let aged = store.photograph();
    forget(&aged).await;
    let forgets = Options {
        forgets: true,
        ..with_keys()
    };
    assert_eq!(check(&aged, &forgets).await.1, Vec::<String>::new());
    let holed = holed(&hands, id, 2).await;
    copy_logs(&store, &holed).await;
    let (_, said) = check(&holed, &forgets).await;
    assert_eq!(
        said,
        [place(2) + "the hand is not in the archive, and its log is pruned"]
    );

    let ahead = HandRecord {
        hand_no: HandNo(40),
        ..hand(39)
    };
    let wrong = place(40) + "the archived hand is another one: its number differs";
    seen(&store, &wrong, async |store| {
        store
            .archive_hands(std::slice::from_ref(&ahead))
            .await
            .expect("no faults")
    })
    .await;
    let wrong = place(40) + "the archive has the hand, and its table's log ends with hand 39";
    seen(&store, &wrong, async |store| {
        store
            .archive_hands(std::slice::from_ref(&ahead))
            .await
            .expect("no faults")
    })
    .await;

    let stranger = TableId(5);
    let strange = HandRecord {
        table: stranger,
        ..hand(7)
    };
    let wrong = format!(
        "archive, table {stranger}, hand 7: the archive has the hand, and no log has its table"
    );
    seen(&store, &wrong, async |store| {
        store
            .archive_hands(std::slice::from_ref(&strange))
            .await
            .expect("no faults")
    })
    .await;
}

/// An archive without one hand.
async fn holed(hands: &[HandRecord], table: TableId, without: u64) -> MemoryStore {
    let store = MemoryStore::new();
    let kept: Vec<HandRecord> = hands
        .iter()
        .filter(|hand| hand.table != table || hand.hand_no.0 != without)
        .cloned()
        .collect();
    store.archive_hands(&kept).await.expect("no faults");
    store
}

/// Nothing but the store's own statements.
async fn copy_logs(from: &MemoryStore, to: &MemoryStore) {
    let cluster = from
        .cluster()
        .await
        .expect("no faults")
        .expect("it was used");
    let created = to.create_cluster(&cluster).await.expect("no faults");
    assert_eq!(created, Cas::Applied);
    for shard in 0..SHARDS {
        let (row, segments) = chain(from, shard).await;
        let id = ShardId(shard);
        for (segment, rows) in segments {
            let state = from
                .segment(segment)
                .await
                .expect("no faults")
                .expect("it exists");
            let created = to
                .create_segment(segment, state.writer)
                .await
                .expect("no faults");
            assert_eq!(created, Cas::Applied);
            for row in rows {
                to.damage_row(segment, row.n, |_| Some(row));
            }
            to.damage_segment(segment, |_| Some(state));
        }
        let won = to
            .win_epoch(id, None, row.epoch, "a")
            .await
            .expect("no faults");
        assert_eq!(won, Cas::Applied);
        let moved = to
            .advance_low(id, crate::store::SegmentKey::ROOT, row.low)
            .await;
        assert_eq!(moved.expect("no faults"), Cas::Applied);
    }
}
