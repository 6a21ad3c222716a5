//! What only the embedded store has: files, locks, damage, a full disk. The rest is the conformance suite's.

use std::fs;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use rusqlite::ffi;

use super::commit::never_committed;
use super::*;
use crate::store::conformance::rivals::History;
use crate::store::conformance::suite;
use crate::store::log::{AppendError, LogOptions, ShardLog, TakeoverError};

const SHARD: ShardId = ShardId(0);

fn open(path: &Path) -> EmbeddedStore {
    EmbeddedStore::open(path, &EmbeddedOptions::default()).unwrap()
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("poker.db");
    (folder, path)
}

async fn take_over(
    store: &Arc<dyn Store>,
    token: u8,
) -> Result<(ShardLog, History), TakeoverError> {
    let mut history = History::default();
    let mut token = || WriterToken([token; 16]);
    let options = LogOptions::default();
    let log =
        ShardLog::take_over(store.clone(), SHARD, "a", &mut token, &mut history, options).await?;
    Ok((log, history))
}

/// A database with this many commits of this size, closed.
async fn filled(path: &Path, commits: usize, bytes: usize) {
    let store: Arc<dyn Store> = Arc::new(open(path));
    let (mut log, _) = take_over(&store, 1).await.unwrap();
    for n in 0..commits {
        log.append(Bytes::from(format!("{n:0bytes$}")))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn embedded_store_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicU32::new(0);
    suite(|| {
        let path = folder
            .path()
            .join(format!("{}.db", count.fetch_add(1, Ordering::Relaxed)));
        async move { Arc::new(open(&path)) as Arc<dyn Store> }
    })
    .await;
}

/// What a release of version 1 left behind is brought to this one's version by opening it.
#[tokio::test]
async fn a_database_of_version_1_is_upgraded() {
    let (_folder, path) = place();
    filled(&path, 3, 10).await;
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch("DROP INDEX hands_by_time; PRAGMA user_version = 1;")
        .unwrap();
    drop(database);
    let store: Arc<dyn Store> = Arc::new(open(&path));
    assert_eq!(take_over(&store, 2).await.unwrap().1.entries.len(), 3);
    assert_eq!(store.forget_hands(1, 1).await.unwrap(), 0);
    drop(store);
    let database = Connection::open(&path).unwrap();
    let indices: u32 = database
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'hands_by_time'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(indices, 1);
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let (_folder, path) = place();
    let mut all = Vec::new();
    for incarnation in 1..4 {
        let store: Arc<dyn Store> = Arc::new(open(&path));
        let (mut log, history) = take_over(&store, incarnation).await.unwrap();
        assert_eq!(history.entries, all);
        for n in 0..5 {
            let text = format!("{incarnation}:{n}");
            log.append(Bytes::from(text.clone())).await.unwrap();
            all.push(text);
        }
    }
}

/// What lies on the disk while the store is open is what a killed process leaves behind.
#[tokio::test]
async fn files_copied_while_open_hold_every_acknowledged_commit() {
    let (folder, path) = place();
    let store: Arc<dyn Store> = Arc::new(open(&path));
    let (mut log, _) = take_over(&store, 1).await.unwrap();
    let mut all = Vec::new();
    for n in 0..20 {
        let text = format!("commit {n}");
        log.append(Bytes::from(text.clone())).await.unwrap();
        all.push(text);
        let copy = folder.path().join(format!("copy-{n}.db"));
        fs::copy(&path, &copy).unwrap();
        fs::copy(
            folder.path().join("poker.db-wal"),
            folder.path().join(format!("copy-{n}.db-wal")),
        )
        .unwrap();
        let copied: Arc<dyn Store> = Arc::new(open(&copy));
        let (_, history) = take_over(&copied, 2).await.unwrap();
        assert_eq!(history.entries, all);
    }
}

/// Where this file is, a process may commit until it is killed.
const VICTIM: &str = "to-be-killed";

/// The other half of [`a_killed_process_loses_nothing_that_it_acknowledged`]: commits, and says so, until it is killed.
#[tokio::test]
#[ignore = "runs until it is killed; the next test starts it"]
async fn commits_until_killed() {
    if !Path::new(VICTIM).exists() {
        return;
    }
    let store: Arc<dyn Store> = Arc::new(open(Path::new("poker.db")));
    let (mut log, _) = take_over(&store, 1).await.unwrap();
    for n in 0.. {
        log.append(Bytes::from(format!("commit {n}")))
            .await
            .unwrap();
        println!("acknowledged {n}");
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let (folder, path) = place();
    fs::write(folder.path().join(VICTIM), "").unwrap();
    let child_test = concat!(module_path!(), "::commits_until_killed")
        .split_once("::")
        .unwrap()
        .1;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([child_test, "--exact", "--ignored", "--nocapture"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut acknowledged =
        lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<usize>().ok());
    assert_eq!(acknowledged.by_ref().take(50).last(), Some(49));
    child.kill().unwrap();
    child.wait().unwrap();
    let last = acknowledged.last().unwrap_or(49);

    let store: Arc<dyn Store> = Arc::new(open(&path));
    let (mut log, history) = take_over(&store, 2).await.unwrap();
    let expected = (0..history.entries.len())
        .map(|n| format!("commit {n}"))
        .collect::<Vec<_>>();
    assert_eq!(history.entries, expected);
    // One commit may have been applied and not said.
    assert!(
        (last + 1..=last + 2).contains(&expected.len()),
        "{last} acknowledged, {} there",
        expected.len()
    );
    log.append(Bytes::from("and on")).await.unwrap();
}

#[tokio::test]
async fn a_second_opener_is_refused_and_told_what_to_do() {
    let (_folder, path) = place();
    let first = open(&path);
    let error = EmbeddedStore::open(&path, &EmbeddedOptions::default())
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("poker.db is in use") && text.contains("poker.db.lock"),
        "{text}"
    );
    drop(first);
    open(&path);
}

#[tokio::test]
async fn statements_that_were_queued_together_are_all_answered() {
    let (_folder, path) = place();
    let store = Arc::new(open(&path));
    let calls = (0..200_u16).map(|shard| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .win_epoch(ShardId(shard % 100), None, Epoch(1), "a")
                .await
                .unwrap()
        })
    });
    let mut applied = 0;
    for call in calls.collect::<Vec<_>>() {
        applied += usize::from(call.await.unwrap() == Cas::Applied);
    }
    assert_eq!(applied, 100);
}

#[tokio::test]
async fn a_full_disk_is_said_and_passes() {
    let (_folder, path) = place();
    let limit = EmbeddedOptions {
        max_bytes: Some(200_000),
    };
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&path, &limit).unwrap());
    let (mut log, _) = take_over(&store, 1).await.unwrap();
    let mut written = 0;
    let error = loop {
        match log.append(Bytes::from("x".repeat(10_000))).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, AppendError::NotWritten(StoreError::Full { .. })),
        "{error:?}"
    );
    assert!(written > 5 && !log.is_stopped());
    drop((log, store));
    let store: Arc<dyn Store> = Arc::new(open(&path));
    let (mut log, history) = take_over(&store, 2).await.unwrap();
    assert_eq!(history.entries.len(), written);
    log.append(Bytes::from("there is space again"))
        .await
        .unwrap();
}

#[tokio::test]
async fn one_statement_that_fails_does_not_take_others_with_it() {
    let (_folder, path) = place();
    let limit = EmbeddedOptions {
        max_bytes: Some(200_000),
    };
    let store = Arc::new(EmbeddedStore::open(&path, &limit).unwrap());
    let hand = |no, bytes| HandRecord {
        table: TableId(1),
        hand_no: HandNo(no),
        ended_ms: 0,
        players: Vec::new(),
        body: Bytes::from(vec![0; bytes]),
    };
    let archive = |hand: HandRecord| {
        let store = store.clone();
        tokio::spawn(async move { store.archive_hands(&[hand]).await })
    };
    let calls = [
        archive(hand(1, 100)),
        archive(hand(2, 1_000_000)),
        archive(hand(3, 100)),
    ];
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    let [Ok(()), Err(StoreError::Full { .. }), Ok(())] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert_eq!(store.hand(TableId(1), HandNo(2)).await.unwrap(), None);
    assert!(store.hand(TableId(1), HandNo(3)).await.unwrap().is_some());
}

fn refused(path: &Path) -> OpenError {
    EmbeddedStore::open(path, &EmbeddedOptions::default())
        .err()
        .unwrap()
}

#[tokio::test]
async fn what_is_not_ours_is_refused() {
    let (_folder, path) = place();
    for text in [
        "x",
        "not a database at all\n",
        &"also not a database. ".repeat(1_000),
    ] {
        fs::write(&path, text).unwrap();
        let error = refused(&path);
        assert!(matches!(error, OpenError::NotOurs { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), *text, "left as it was");
    }
    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    assert!(matches!(refused(&path), OpenError::NotOurs { .. }));
    assert!(matches!(
        refused(Path::new("/nowhere/at/all.db")),
        OpenError::File { .. }
    ));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_folder, path) = place();
    drop(open(&path));
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 3)
        .unwrap();
    let error = refused(&path);
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 3,
                known: 2,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_database_that_became_empty_is_a_loss_not_a_beginning() {
    let (_folder, path) = place();
    filled(&path, 3, 10).await;
    fs::write(&path, "").unwrap();
    assert!(matches!(refused(&path), OpenError::Damaged { .. }));
    fs::remove_file(&path).unwrap();
    let text = refused(&path).to_string();
    assert!(text.contains("to begin anew delete"), "{text}");
}

/// What SQLite takes for a database of fewer rows would be a shard of fewer tables.
#[tokio::test]
async fn a_row_that_is_gone_is_a_loss_not_a_beginning() {
    let check = async |statement: &str, finding: &str| {
        let (_folder, path) = place();
        filled(&path, 3, 10).await;
        Connection::open(&path)
            .unwrap()
            .execute_batch(statement)
            .unwrap();
        let text = refused(&path).to_string();
        assert!(text.contains(finding), "{statement}: {text}");
    };
    check("DELETE FROM shards", "the row of a shard is missing").await;
    check(
        "UPDATE shards SET epoch = 0",
        "the row of a shard is older than its segments",
    )
    .await;
    check(
        "DELETE FROM segments",
        "the segments of a shard are missing",
    )
    .await;
}

#[tokio::test]
async fn damage_is_said_with_advice_and_never_panics() {
    let (_folder, path) = place();
    filled(&path, 200, 1_000).await;
    let whole = fs::read(&path).unwrap();
    let mut refusals = 0;
    for twentieth in 1..20 {
        let at = whole.len() * twentieth / 20;
        fs::write(&path, &whole[..at]).unwrap();
        let text = refused(&path).to_string();
        assert!(
            text.contains("is damaged") && text.contains("from a backup"),
            "cut at {at}: {text}"
        );

        fs::write(&path, &whole).unwrap();
        let mut file = fs::File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&[0xff; 600]).unwrap();
        drop(file);
        refusals += usize::from(refuses(&path).await);
    }
    // Some of these places hold nothing, such as the free part of a page.
    assert!(refusals >= 15, "{refusals} of 19");
}

/// Whether the damage is refused: at opening, or by the takeover's checksums and hash chain.
async fn refuses(path: &Path) -> bool {
    let store = match EmbeddedStore::open(path, &EmbeddedOptions::default()) {
        Ok(store) => Arc::new(store) as Arc<dyn Store>,
        Err(OpenError::Damaged { .. } | OpenError::NotOurs { .. }) => return true,
        Err(error) => panic!("{error:?}"),
    };
    match take_over(&store, 2).await {
        Ok((_, history)) => {
            assert_eq!(history.entries.len(), 200, "whatever is served is whole");
            false
        }
        Err(TakeoverError::Corrupt(_) | TakeoverError::Store(StoreError::Corrupt { .. })) => true,
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_failed_commit_is_unknown_unless_it_cannot_have_happened() {
    let check = |code: i32, never: bool| {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert_eq!(never_committed(&error), never, "{error}");
    };
    check(ffi::SQLITE_FULL, true);
    check(ffi::SQLITE_BUSY, true);
    check(ffi::SQLITE_IOERR_FSYNC, false);
    check(ffi::SQLITE_IOERR_WRITE, false);
    check(ffi::SQLITE_CORRUPT, false);
    check(ffi::SQLITE_NOMEM, false);
}

/// Beside a running server, beside what a killed one left, and after an orderly stop: everything is read, nothing changes.
#[tokio::test]
async fn a_reader_beside_changes_nothing() {
    let (folder, path) = place();
    let store: Arc<dyn Store> = Arc::new(open(&path));
    let (mut log, _) = take_over(&store, 1).await.unwrap();
    let segment = log.head().segment.of(SHARD);
    let limit = ReadLimit {
        rows: 100,
        bytes: 1 << 20,
    };
    let rows = async |path: &Path| {
        let reader = EmbeddedStore::open_to_read(path).unwrap();
        let chunk = reader.read_rows(segment, 0, limit).await.unwrap().unwrap();
        let refused = reader.delete_rows(segment).await.unwrap_err();
        assert!(matches!(refused, StoreError::Closed { .. }), "{refused}");
        chunk.rows.len()
    };
    for n in 0..5 {
        assert_eq!(rows(&path).await, n);
        log.append(Bytes::from_static(b"commit")).await.unwrap();
    }
    assert!(matches!(
        EmbeddedStore::open_to_move(&path),
        Err(OpenError::InUse { .. })
    ));

    let killed = folder.path().join("killed.db");
    fs::copy(&path, &killed).unwrap();
    let wal = |path: &Path| path.with_extension("db-wal");
    fs::copy(wal(&path), wal(&killed)).unwrap();
    let bytes = |path: &Path| (fs::read(path).unwrap(), fs::read(wal(path)).unwrap());
    let before = bytes(&killed);
    assert_eq!(rows(&killed).await, 5);
    assert_eq!(bytes(&killed), before);

    drop((log, store));
    let before = fs::read(&path).unwrap();
    assert_eq!(rows(&path).await, 5);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(
        EmbeddedStore::damaged_pages(&path).unwrap(),
        Vec::<String>::new()
    );
    // And it is served as before.
    let store: Arc<dyn Store> = Arc::new(open(&path));
    assert_eq!(take_over(&store, 2).await.unwrap().1.entries.len(), 5);

    let none = folder.path().join("none.db");
    assert!(matches!(
        EmbeddedStore::open_to_read(&none),
        Err(OpenError::Absent { .. })
    ));
    assert!(matches!(
        EmbeddedStore::open_to_move(&none),
        Err(OpenError::Absent { .. })
    ));
    assert!(!folder.path().join("none.db.lock").exists());
}

#[tokio::test]
async fn a_moved_database_is_not_served_by_mistake() {
    let (folder, path) = place();
    filled(&path, 3, 10).await;
    let moving = EmbeddedStore::open_to_move(&path).unwrap();
    assert!(matches!(refused(&path), OpenError::InUse { .. }));
    moving.mark_moved("keyspace poker").unwrap();
    drop(moving);
    let error = refused(&path);
    assert!(
        error.to_string().contains("was moved to keyspace poker"),
        "{error}"
    );
    // It can still be read, and moved again if the target was lost.
    drop(EmbeddedStore::open_to_read(&path).unwrap());
    drop(EmbeddedStore::open_to_move(&path).unwrap());
    fs::remove_file(folder.path().join("poker.db.moved")).unwrap();
    let store: Arc<dyn Store> = Arc::new(open(&path));
    assert_eq!(take_over(&store, 2).await.unwrap().1.entries.len(), 3);
}
