//! Everything moves into another store with other shards: hands go on, archived hands and sessions are there.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::time::Duration;

use super::{
    stage::*,
    verify::{check, with_keys},
};
use crate::{
    ids::{ShardCount, ShardId},
    keep::{
        migrate::{self, MigrateError, migrate},
        verify::Summary,
    },
    store::{
        Cas, Cause, ClusterRecord, SerialDomain, Store, WriterToken,
        embedded::{EmbeddedOptions, EmbeddedStore},
        log::LogOptions,
        memory::{FaultRates, MemoryStore},
    },
    table::seal::Keyring,
};

const MORE_SHARDS: u16 = 16;

fn options() -> migrate::Options {
    migrate::Options {
        log: LogOptions::default(),
        shards: ShardCount::new(MORE_SHARDS).expect("not zero"),
        serial_domain: SerialDomain::Serial,
        feature_level: 1,
        source_keys: keys(),
        target_keys: keys(),
    }
}

async fn move_all(
    source: &dyn Store,
    target: Arc<dyn Store>,
    options: &migrate::Options,
    mark: impl FnOnce() -> Result<(), Cause> + Send,
) -> Result<Summary, MigrateError> {
    static TOKENS: AtomicU64 = AtomicU64::new(1 << 60);
    let mut token = || WriterToken(u128::from(TOKENS.fetch_add(1, Relaxed)).to_be_bytes());
    migrate(source, target, options, &mut token, mark, &mut |_| {}).await
}

/// Plays on the embedded store or another, and says what the players see.
async fn stage(store: Arc<dyn Store>, tables: u128, hands: u64) -> Vec<Vec<engine::View>> {
    let house = House::open(store, SHARDS, 1).await;
    house.furnish(tables).await;
    let mut views = Vec::new();
    for n in 0..tables {
        house.play(table(n), hands + n as u64).await;
        views.push(house.views(table(n)).await);
    }
    house.stop().await;
    views
}

async fn goes_on(store: Arc<dyn Store>, views: &[Vec<engine::View>]) {
    let house = House::open(store.clone(), MORE_SHARDS, 20).await;
    for (n, views) in (0..).zip(views) {
        assert_eq!(house.views(table(n)).await, *views, "table {n}");
        house.play(table(n), 26).await;
    }
    house.stop().await;
    let (_, said) = check(&*store, &with_keys()).await;
    assert_eq!(said, Vec::<String>::new());
}

/// In real time, since SQLite's threads know no other.
#[tokio::test]
async fn everything_moves_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |name: &str| -> Arc<dyn Store> {
        let path = folder.path().join(name);
        Arc::new(EmbeddedStore::open(path, &EmbeddedOptions::default()).expect("it opens"))
    };
    let source = open("source.db");
    let views = stage(source.clone(), 5, 14).await;
    let hands = archived(&*source).await;
    let (before, _) = check(&*source, &with_keys()).await;
    for target in [
        Arc::new(MemoryStore::new()) as Arc<dyn Store>,
        open("target.db"),
    ] {
        let moved = move_all(&*source, target.clone(), &options(), || Ok(())).await;
        let after = moved.expect("it is empty");
        assert_eq!(
            (
                after.tables,
                after.open_hands,
                after.archived_hands,
                after.sessions
            ),
            (5, 5, before.archived_hands, 5)
        );
        assert_eq!(
            (after.chips_in, after.on_tables),
            (before.chips_in, before.on_tables)
        );
        for hand in &hands {
            let found = target
                .hand(hand.table, hand.hand_no)
                .await
                .expect("no faults");
            assert_eq!(found.as_ref(), Some(hand));
        }
        // Clients take the higher epoch for the newer.
        let highest = source
            .shard(ShardId(0))
            .await
            .expect("no faults")
            .expect("owned")
            .epoch;
        for shard in 0..MORE_SHARDS {
            let row = target.shard(ShardId(shard)).await.expect("no faults");
            assert!(row.is_none_or(|row| row.epoch > highest), "shard {shard}");
        }
        goes_on(target, &views).await;
    }
    // The source is as it was.
    let (since, said) = check(&*source, &with_keys()).await;
    assert_eq!((since, said), (before, Vec::new()));
}

/// A hand that ended when the archive did not answer is in the log only, and moves from there.
#[tokio::test(start_paused = true)]
async fn hands_that_are_not_archived_yet_move_too() {
    let source = Arc::new(MemoryStore::new());
    let house = House::open(source.clone(), SHARDS, 1).await;
    house.furnish(1).await;
    let refuse = crate::store::memory::Fault::Refuse;
    for _ in 0..10_000 {
        source.script(crate::store::Statement::ArchiveHands, refuse);
    }
    house.play(table(0), 5).await;
    house.stop().await;
    source.heal();
    assert_eq!(archived(&*source).await, []);
    let target = Arc::new(MemoryStore::new());
    let moved = move_all(&*source, target.clone(), &options(), || Ok(())).await;
    assert_eq!(moved.expect("it is empty").archived_hands, 4);
}

/// Cut off anywhere, it goes on when it is begun again, also if the source was played on in between; and until it has ended
/// no server takes the target.
#[tokio::test(start_paused = true)]
async fn a_migration_that_is_cut_off_goes_on() {
    let source = Arc::new(MemoryStore::new());
    stage(source.clone(), 5, 12).await;
    let target = Arc::new(MemoryStore::new());
    let slow = FaultRates {
        max_delay: Duration::from_millis(2),
        lose_answer: 30,
        lose_request: 30,
        ..FaultRates::default()
    };
    target.seed(3, slow);
    let marked = AtomicU64::new(0);
    let mut cuts = 0;
    let moved = loop {
        let mark = || {
            marked.fetch_add(1, Relaxed);
            Ok(())
        };
        let options = options();
        let attempt = move_all(&*source, target.clone(), &options, mark);
        let patience = Duration::from_millis(3 + 11 * cuts);
        match tokio::time::timeout(patience, attempt).await {
            Ok(Ok(moved)) => break moved,
            Err(_) => cuts += 1,
            Ok(Err(error)) => panic!("{error}"),
        }
        assert!(cuts < 1_000 && marked.load(Relaxed) <= 1, "{cuts}");
        let record = target.cluster().await;
        assert!(
            record.is_err()
                || record.is_ok_and(|it| {
                    it.is_none_or(|it| it.feature_level == ClusterRecord::HALF_FILLED)
                })
        );
        if cuts == 6 {
            let house = House::open(source.clone(), SHARDS, 9).await;
            for n in 0..5 {
                house.play(table(n), 18 + n as u64).await;
            }
            house.stop().await;
        }
    };
    target.heal();
    assert!(cuts > 6, "{cuts}");
    assert_eq!((moved.tables, moved.open_hands), (5, 5));
    let house = House::open(source.clone(), SHARDS, 10).await;
    let mut views = Vec::new();
    for n in 0..5 {
        views.push(house.views(table(n)).await);
    }
    house.stop().await;
    goes_on(target, &views).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_in_use_is_refused() {
    let source = Arc::new(MemoryStore::new());
    stage(source.clone(), 3, 6).await;
    let refused = async |target: &MemoryStore, options: &migrate::Options, expected: &str| {
        let before = target.raw_cells();
        let error = move_all(&*source, Arc::new(target.clone()), options, || Ok(())).await;
        let error = error.expect_err("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(target.raw_cells(), before);
    };
    refused(&source, &options(), "the store is not empty").await;

    let foreign = MemoryStore::new();
    let record = |shards| ClusterRecord {
        shards: ShardCount::new(shards).expect("not zero"),
        serial_domain: SerialDomain::Serial,
        feature_level: ClusterRecord::HALF_FILLED,
    };
    let created = foreign.create_cluster(&record(4)).await.expect("no faults");
    assert_eq!(created, Cas::Applied);
    refused(
        &foreign,
        &options(),
        "half filled by something else (with 4 shards)",
    )
    .await;

    // Half filled with the tables of somebody else.
    let stranger = Arc::new(MemoryStore::new());
    let house = House::open(stranger.clone(), MORE_SHARDS, 1).await;
    house.furnish(9).await;
    house.stop().await;
    let lowered = stranger
        .raise_feature_level(1, ClusterRecord::HALF_FILLED)
        .await;
    assert_eq!(lowered.expect("no faults"), Cas::Applied);
    let error = move_all(&*source, stranger, &options(), || Ok(())).await;
    let error = error.expect_err("it is refused").to_string();
    assert!(
        error.contains("half filled by something else (it has table"),
        "{error}"
    );

    // The target's servers could not open what is archived.
    let other = migrate::Options {
        target_keys: Keyring::single([8; 32]),
        ..options()
    };
    let target = Arc::new(MemoryStore::new());
    let error = move_all(&*source, target.clone(), &other, || Ok(())).await;
    let error = error.expect_err("it is refused").to_string();
    assert!(
        error.contains("its key file must hold the source's keys, too"),
        "{error}"
    );
    // Both keys: the newer one seals what moves.
    let both = format!("1:{}\n2:{}", "07".repeat(32), "08".repeat(32));
    let both = migrate::Options {
        target_keys: both.parse().expect("a ring"),
        ..options()
    };
    let mark = || Err("no".into());
    let error = move_all(&*source, Arc::new(MemoryStore::new()), &both, mark).await;
    assert!(matches!(error, Err(MigrateError::Mark(_))));
    let target = Arc::new(MemoryStore::new());
    let moved = move_all(&*source, target, &both, || Ok(())).await;
    assert_eq!(moved.expect("it is empty").tables, 3);
}
