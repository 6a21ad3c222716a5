//! How much of the disk's own speed is left: `cargo test --lib store::embedded::measure -- --ignored --nocapture`.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{EmbeddedOptions, EmbeddedStore};
use crate::ids::ShardId;
use crate::store::conformance::rivals::History;
use crate::store::log::{LogOptions, ShardLog};
use crate::store::{Store, WriterToken};

/// 64 busy tables in 8 shards: each commit of a shard carries one event of each of its 8 tables.
const SHARDS: u16 = 8;
const COMMIT_BYTES: usize = 8 * 150;
const COMMITS: usize = 1_000;

/// The same bytes in the same batches, appended to a plain file.
fn raw(path: &Path) -> u128 {
    let mut file = File::create(path).unwrap();
    let batch = vec![7; COMMIT_BYTES * usize::from(SHARDS)];
    let start = Instant::now();
    for _ in 0..COMMITS {
        file.write_all(&batch).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed().as_nanos()
}

async fn embedded(path: &Path) -> u128 {
    let store: Arc<dyn Store> =
        Arc::new(EmbeddedStore::open(path, &EmbeddedOptions::default()).unwrap());
    let mut logs = Vec::new();
    for shard in 0..SHARDS {
        let mut token = || WriterToken([1; 16]);
        let (mut history, options) = (History::default(), LogOptions::default());
        let log = ShardLog::take_over(
            store.clone(),
            ShardId(shard),
            "a",
            &mut token,
            &mut history,
            options,
        );
        logs.push(log.await.unwrap());
    }
    let start = Instant::now();
    let shards = logs.into_iter().map(|mut log| {
        tokio::spawn(async move {
            for _ in 0..COMMITS {
                log.append(Bytes::from(vec![7; COMMIT_BYTES]))
                    .await
                    .unwrap();
            }
        })
    });
    for shard in shards.collect::<Vec<_>>() {
        shard.await.unwrap();
    }
    start.elapsed().as_nanos()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures the disk; its numbers mean something on a quiet machine only"]
async fn against_raw_append_and_fdatasync() {
    let folder = tempfile::tempdir_in(".").unwrap();
    for round in 0..3 {
        let raw = raw(&folder.path().join(format!("raw-{round}")));
        let embedded = embedded(&folder.path().join(format!("{round}.db"))).await;
        let per_second = |nanos: u128| COMMITS as u128 * u128::from(SHARDS) * 1_000_000_000 / nanos;
        let percent = 100 * raw / embedded;
        println!(
            "commits/s: raw {}, embedded {}, {percent} %",
            per_second(raw),
            per_second(embedded)
        );
        assert!(embedded < 20 * raw, "something is badly wrong");
    }
}
