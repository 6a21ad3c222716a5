//! `kill -9` of a single node of ours, its truth on Cassandra.

use std::path::Path;

use crate::node::{Keep, SEGMENT_BYTES, SHARDS};
use crate::recovery::{bots_go_on, number, the_hand_is_the_same};

use super::{fresh_keyspace, hosts, told};

/// A keyspace of our own and its name, and the keys of its decks.
pub async fn keep(folder: &Path) -> (Keep, String) {
    let keyspace = fresh_keyspace().await;
    let keys = folder.join("deck.key");
    std::fs::write(&keys, format!("1:{}\n", "5a".repeat(32))).expect("the folder can be written");
    (keep_in(&keyspace, &keys), keyspace)
}

/// A keyspace, and the file with the keys of its decks.
pub fn keep_in(keyspace: &str, keys: &Path) -> Keep {
    let hosts = hosts().join("\", \"");
    Keep {
        config: format!(
            "store: cassandra\ncassandra:\n  hosts: [\"{hosts}\"]\n  keyspace: {keyspace}\nsecrets:\n  deck_key_file: {}\n",
            keys.display()
        ),
        files: told("CASSANDRA_HOME").into(),
        shards: SHARDS,
        segment_bytes: SEGMENT_BYTES,
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn bots_go_on_through_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    bots_go_on(&keep(folder.path()).await.0, number("KILLS", 10)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn the_hand_is_the_same_after_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    the_hand_is_the_same(&keep(folder.path()).await.0, 1).await;
}
