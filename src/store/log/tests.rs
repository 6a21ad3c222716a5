//! The protocol's steps one by one, over the memory store.

use std::sync::Arc;

use bytes::Bytes;

use super::append::{Verdict, judge};
use super::frame::{Frame, Kind};
use super::*;
use crate::ids::Epoch;
use crate::store::memory::{Fault, MemoryStore};
use crate::store::{Append, Row, Seal, SegmentState};

const SHARD: ShardId = ShardId(3);

/// Keeps what it is given.
#[derive(Default)]
struct Rows(Vec<(Position, RowKind, Bytes)>);

impl Fold for Rows {
    fn begin(&mut self) {
        self.0.clear();
    }

    fn row(&mut self, at: Position, kind: RowKind, body: Bytes) -> Result<(), Cause> {
        self.0.push((at, kind, body));
        Ok(())
    }
}

impl Rows {
    fn text(&self) -> String {
        self.0
            .iter()
            .map(|(_, _, body)| String::from_utf8_lossy(body).into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

async fn take_over(store: &MemoryStore, token: u8) -> Result<(ShardLog, Rows), TakeoverError> {
    let mut rows = Rows::default();
    let mut next = token;
    let mut tokens = || {
        next += 1;
        WriterToken([next; 16])
    };
    let store: Arc<dyn Store> = Arc::new(store.clone());
    let log = ShardLog::take_over(
        store,
        SHARD,
        "a",
        &mut tokens,
        &mut rows,
        LogOptions::default(),
    )
    .await?;
    Ok((log, rows))
}

fn at(epoch: u64, k: u32, n: u64) -> Position {
    Position {
        segment: SegmentKey {
            epoch: Epoch(epoch),
            k,
        },
        n,
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_is_read_by_the_next_owner() {
    let store = MemoryStore::new();
    let (mut log, rows) = take_over(&store, 0).await.unwrap();
    assert_eq!(rows.text(), "");
    assert_eq!(log.append("one".into()).await.unwrap(), at(1, 0, 0));
    assert_eq!(log.append("two".into()).await.unwrap(), at(1, 0, 1));
    let (mut next, rows) = take_over(&store, 10).await.unwrap();
    assert_eq!(rows.text(), "one two");
    assert!(matches!(
        log.append("three".into()).await,
        Err(AppendError::Refused { .. })
    ));
    assert!(log.is_stopped());
    assert!(matches!(
        log.append("four".into()).await,
        Err(AppendError::Stopped)
    ));
    assert_eq!(next.append("five".into()).await.unwrap(), at(2, 0, 0));
    let (_, rows) = take_over(&store, 20).await.unwrap();
    assert_eq!(rows.text(), "one two five");
}
