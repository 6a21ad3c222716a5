//! A backup is a prefix of every log; a restored store goes on; a file that is not as it was written is refused.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::time::Duration;

use super::{
    stage::*,
    verify::{check, with_keys},
};
use crate::{
    ids::{ShardCount, ShardId},
    keep::{
        backup::{BackupError, Contents, backup},
        file::{FileError, Reader, Writer},
        restore::{self, RestoreError, restore},
        verify::Summary,
    },
    store::{
        Cas, ClusterRecord, SerialDomain, Statement, Store,
        embedded::{EmbeddedOptions, EmbeddedStore},
        log::LogOptions,
        memory::{Fault, FaultRates, MemoryStore},
    },
};

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orp.backup");
    (folder, file)
}

async fn back_up(store: &dyn Store, file: &Path) -> Result<Contents, BackupError> {
    let writer = Writer::create(file)?;
    backup(store, &LogOptions::default(), writer, &mut |_| {}).await
}

fn options() -> restore::Options {
    restore::Options {
        log: LogOptions::default(),
        shards: ShardCount::new(SHARDS).expect("not zero"),
        serial_domain: SerialDomain::Serial,
        feature_level: 1,
        keys: Some(keys()),
    }
}

async fn bring_back(file: &Path, store: &dyn Store) -> Result<Summary, RestoreError> {
    restore(file, store, &options(), &mut |_| {}).await
}

/// Each table goes on in the middle of its hand: same cards, same pot, same player to act.
async fn goes_on(store: Arc<dyn Store>, views: &[Vec<engine::View>], hands: u64) {
    let house = House::open(store.clone(), SHARDS, 2).await;
    for (n, views) in (0..).zip(views) {
        assert!(house.views(table(n)).await == *views, "table {n}");
        house.play(table(n), hands + 12).await;
    }
    house.stop().await;
    let (_, said) = check(&*store, &with_keys()).await;
    assert_eq!(said, Vec::<String>::new());
}

/// A store that was played on, and what its players see.
async fn stage(hands: u64) -> (MemoryStore, Vec<Vec<engine::View>>) {
    let store = MemoryStore::new();
    let house = House::open(Arc::new(store.clone()), SHARDS, 1).await;
    house.furnish(3).await;
    let mut views = Vec::new();
    for n in 0..3 {
        house.play(table(n), hands).await;
        views.push(house.views(table(n)).await);
    }
    house.stop().await;
    (store, views)
}

/// In real time, since SQLite's threads know no other.
#[tokio::test]
async fn a_restored_store_goes_on_where_it_was() {
    let (_folder, file) = place();
    let (store, views) = stage(30).await;
    let contents = back_up(&store, &file).await.expect("it is sound");
    assert_eq!(
        (contents.tables, contents.hands, contents.sessions),
        (3, 3 * 29, 5)
    );
    assert_eq!(
        contents.bytes,
        fs::metadata(&file).expect("it is there").len()
    );

    let restored = Arc::new(MemoryStore::new());
    let summary = bring_back(&file, &*restored).await.expect("it is empty");
    assert_eq!(
        (summary.tables, summary.archived_hands, summary.sessions),
        (3, 3 * 29, 5)
    );
    for shard in 0..SHARDS {
        let ((old, logs), (new, copied)) =
            (chain(&store, shard).await, chain(&*restored, shard).await);
        assert_eq!((logs, old.low), (copied, new.low));
        assert!(new.epoch > old.epoch, "{new:?}");
    }
    goes_on(restored, &views, 30).await;

    let (folder, _) = place();
    let path = folder.path().join("orp.db");
    let open = || EmbeddedStore::open(&path, &EmbeddedOptions::default()).expect("it opens");
    let embedded = open();
    let same = bring_back(&file, &embedded).await.expect("it is empty");
    assert_eq!(same, summary);
    drop(embedded);
    goes_on(Arc::new(open()), &views, 30).await;
}

/// Made at any moment beside a server that commits, rotates and prunes, a backup is sound, and no hand that its logs do not
/// know is in its archive.
#[tokio::test(start_paused = true)]
async fn a_backup_beside_a_running_server_is_a_prefix() {
    let (folder, _) = place();
    let store = Arc::new(MemoryStore::new());
    let house = House::open(store.clone(), SHARDS, 1).await;
    house.furnish(3).await;
    let slow = FaultRates {
        max_delay: Duration::from_millis(4),
        ..FaultRates::default()
    };
    store.seed(5, slow);
    let play = async {
        for hands in 1..=24 {
            for n in 0..3 {
                house.play(table(n), hands).await;
            }
        }
    };
    let mut play = Box::pin(play);
    let mut files = Vec::new();
    loop {
        let file = folder.path().join(files.len().to_string());
        let copy = async {
            let contents = back_up(&*store, &file).await;
            tokio::time::sleep(Duration::from_millis(150)).await;
            contents
        };
        tokio::select! {
            biased;
            () = &mut play => break,
            contents = copy => contents.expect("it is sound"),
        };
        files.push(file);
    }
    drop(play);
    house.stop().await;
    assert!(files.len() > 10, "{}", files.len());
    for file in files.iter().step_by(3) {
        let restored = Arc::new(MemoryStore::new());
        // It refuses hands that are ahead of the logs, and finds those that are missing behind them.
        bring_back(file, &*restored).await.expect("it is sound");
        let (_, said) = check(&*restored, &with_keys()).await;
        assert_eq!(said, Vec::<String>::new());
        let house = House::open(restored.clone(), SHARDS, 2).await;
        for n in 0..3 {
            house.play(table(n), 30).await;
        }
        house.stop().await;
        let (_, said) = check(&*restored, &with_keys()).await;
        assert_eq!(said, Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_as_it_was_written_is_refused_before_anything_is_written() {
    let (folder, file) = place();
    let (store, _) = stage(4).await;
    back_up(&store, &file).await.expect("it is sound");
    let whole = fs::read(&file).expect("it reads");
    let other = folder.path().join("other");
    let refused = async |bytes: &[u8]| {
        fs::write(&other, bytes).expect("it is written");
        let store = MemoryStore::new();
        let error = bring_back(&other, &store).await.expect_err("it is refused");
        assert_eq!(store.calls(), 0, "{error}");
        error.to_string()
    };
    let steps = whole.len() / 200 + 1;
    for cut in (0..whole.len()).step_by(steps) {
        let error = refused(&whole[..cut]).await;
        let expected = match cut {
            0..16 => "is not a backup of this server",
            _ => "is cut short after",
        };
        assert!(error.contains(expected), "cut at {cut}: {error}");
    }
    for flip in (0..whole.len())
        .step_by(steps)
        .chain(whole.len() - 60..whole.len())
    {
        let mut bytes = whole.clone();
        bytes[flip] ^= 0x10;
        let error = refused(&bytes).await;
        let named = [
            "not a backup",
            "version",
            "is damaged at byte",
            "is cut short",
        ];
        assert!(
            named.iter().any(|name| error.contains(name)),
            "byte {flip}: {error}"
        );
    }
    let mut more = whole.clone();
    more.push(0);
    assert!(refused(&more).await.contains("something follows its end"));
    // Two records change places; each is whole.
    let mut reader = Reader::open(&file).expect("it opens");
    let mut ends = vec![16];
    while reader.entry().expect("it is whole").is_some() {
        ends.push(reader.bytes() as usize);
    }
    let [a, b, c] = [ends[4], ends[5], ends[6]];
    let swapped = [&whole[..a], &whole[b..c], &whole[a..b], &whole[c..]].concat();
    assert!(
        refused(&swapped)
            .await
            .contains("its end belongs to another backup")
    );
    let error = refused(b"SQLite format 3\0 and more").await;
    assert!(error.contains("is not a backup of this server"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn only_an_empty_store_is_filled() {
    let (folder, file) = place();
    let (store, _) = stage(3).await;
    back_up(&store, &file).await.expect("it is sound");
    let refused = async |store: &MemoryStore, expected: &str| {
        let before = store.raw_cells();
        let error = bring_back(&file, store).await.expect_err("it is not empty");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(store.raw_cells(), before);
    };
    refused(&store, "the store is not empty (it has a cluster's record)").await;
    let (hands, sessions, shards) = (MemoryStore::new(), MemoryStore::new(), MemoryStore::new());
    hands
        .archive_hands(&archived(&store).await)
        .await
        .expect("no faults");
    refused(&hands, "the store is not empty (it has archived hands)").await;
    let page = store.scan_sessions(None, 1).await.expect("no faults");
    let (token, session) = &page.items[0];
    sessions
        .put_session(*token, session)
        .await
        .expect("no faults");
    refused(&sessions, "the store is not empty (it has sessions)").await;
    let won = shards
        .win_epoch(ShardId(1), None, crate::ids::Epoch(1), "a")
        .await;
    assert_eq!(won.expect("no faults"), Cas::Applied);
    refused(&shards, "the store is not empty (it has a shard's row)").await;

    let fewer = restore::Options {
        shards: ShardCount::new(7).expect("not zero"),
        ..options()
    };
    let empty = MemoryStore::new();
    let error = restore(&file, &empty, &fewer, &mut |_| {})
        .await
        .expect_err("7 are not 2");
    assert!(
        error.to_string().contains("set server.shards to 2"),
        "{error}"
    );
    let older = restore::Options {
        feature_level: 0,
        ..options()
    };
    let error = restore(&file, &empty, &older, &mut |_| {})
        .await
        .expect_err("it is newer");
    assert!(
        error.to_string().contains("use the newer release"),
        "{error}"
    );
    assert_eq!(empty.calls(), 0);

    // An existing file is not written over, and a store that nobody used makes none.
    assert!(matches!(
        Writer::create(&file),
        Err(FileError::Exists { .. })
    ));
    let none = folder.path().join("none");
    assert!(matches!(
        back_up(&empty, &none).await,
        Err(BackupError::Empty)
    ));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

/// A restore that ends half-way leaves a store that no server and no other restore takes for whole.
#[tokio::test(start_paused = true)]
async fn a_half_filled_store_says_so() {
    let (_folder, file) = place();
    let (store, _) = stage(3).await;
    back_up(&store, &file).await.expect("it is sound");
    let half = MemoryStore::new();
    half.script(Statement::ArchiveHands, Fault::Full);
    let error = bring_back(&file, &half).await.expect_err("it is full");
    assert!(matches!(error, RestoreError::Store(_)), "{error}");
    let record = half
        .cluster()
        .await
        .expect("no faults")
        .expect("it is begun");
    assert_eq!(record.feature_level, ClusterRecord::HALF_FILLED);
    let error = bring_back(&file, &half)
        .await
        .expect_err("it is half filled");
    assert!(
        error.to_string().contains("empty it and begin anew"),
        "{error}"
    );
    let (_, said) = check(&half, &with_keys()).await;
    assert!(said[0].contains("the store is half filled"), "{said:?}");
    let error = back_up(&half, &file.with_extension("2"))
        .await
        .expect_err("it is half filled");
    assert!(matches!(error, BackupError::HalfFilled), "{error}");
}

/// Statements that are lost, late or refused are made again, and none is made twice.
#[tokio::test(start_paused = true)]
async fn a_store_that_loses_answers_is_filled_all_the_same() {
    let (_folder, file) = place();
    let (store, views) = stage(20).await;
    back_up(&store, &file).await.expect("it is sound");
    for seed in 0..20 {
        let restored = Arc::new(MemoryStore::new());
        for statement in [
            Statement::CreateSegment,
            Statement::Append,
            Statement::Append,
            Statement::Seal,
            Statement::WinEpoch,
            Statement::AdvanceLow,
            Statement::SetTail,
        ] {
            let fault = match seed % 3 {
                0 => Fault::LoseAnswer,
                1 => Fault::LoseRequest,
                _ => Fault::Refuse,
            };
            restored.script(statement, fault);
        }
        bring_back(&file, &*restored).await.expect("it is empty");
        if seed < 3 {
            goes_on(restored, &views, 20).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_log_is_not_backed_up() {
    let (_folder, file) = place();
    let (store, _) = stage(6).await;
    let (_, segments) = chain(&store, 0).await;
    let (segment, rows) = segments.last().expect("a chain has an end");
    let last = rows.last().expect("it has rows").n;
    store.damage_row(*segment, last, |row| {
        let mut row = row?;
        row.crc ^= 1;
        Some(row)
    });
    let error = back_up(&store, &file).await.expect_err("it is damaged");
    assert!(
        error.to_string().contains("the checksum is wrong"),
        "{error}"
    );
    assert!(!file.exists());
}
