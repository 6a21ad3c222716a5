//! Owners one after the other: what the next one reads, what the one before is answered.

use std::sync::Arc;

use bytes::Bytes;

use super::rivals::History;
use crate::ids::{Epoch, ShardId};
use crate::store::log::{AppendError, Claim, ConfirmError, LogOptions, PruneError, ShardLog};
use crate::store::{ReadLimit, SegmentKey, Store, WriterToken};

const SHARD: ShardId = ShardId(6);
const WORKS: &str = "nothing is in the way";

async fn take_over(store: &Arc<dyn Store>, incarnation: u8) -> (ShardLog, History) {
    let mut history = History::default();
    let mut token = || WriterToken([incarnation; 16]);
    let options = LogOptions {
        read_rows: 3,
        ..LogOptions::default()
    };
    let log = ShardLog::take_over(
        store.clone(),
        SHARD,
        "owner",
        &mut token,
        &mut history,
        options,
    )
    .await;
    (log.expect(WORKS), history)
}

async fn commit(log: &mut ShardLog, history: &mut History, text: &str) {
    log.append(Bytes::copy_from_slice(text.as_bytes()))
        .await
        .expect(WORKS);
    history.entries.push(text.to_owned());
}

/// A new owner, or the same one after a restart, has every commit in its order.
pub async fn takeover_reads_everything(store: Arc<dyn Store>) {
    let mut all = Vec::new();
    for incarnation in 1..6 {
        let (mut log, mut history) = take_over(&store, incarnation).await;
        assert_eq!(history.entries, all, "incarnation {incarnation}");
        assert_eq!(
            log.head().segment,
            SegmentKey::first_of(Epoch(u64::from(incarnation)))
        );
        log.confirm().await.expect(WORKS);
        // Some reigns write nothing at all; the chain passes through them.
        for n in 0..(incarnation % 3) * 4 {
            commit(&mut log, &mut history, &format!("{incarnation}:{n}")).await;
        }
        all = history.entries;
    }
}

/// The owner before is refused at its next append, and learns by asking.
pub async fn overtaken_owner_is_refused(store: Arc<dyn Store>) {
    let (mut first, mut history) = take_over(&store, 1).await;
    commit(&mut first, &mut history, "kept").await;
    let (mut second, read) = take_over(&store, 2).await;
    assert_eq!(read.entries, history.entries);
    assert!(matches!(
        first.append(Bytes::from("lost")).await,
        Err(AppendError::Refused { .. })
    ));
    assert!(matches!(
        first.append(Bytes::from("lost too")).await,
        Err(AppendError::Stopped)
    ));
    assert!(matches!(second.confirm().await, Ok(())));
    let (_third, read) = take_over(&store, 3).await;
    assert_eq!(read.entries, history.entries);
    assert!(matches!(second.confirm().await, Err(ConfirmError::Sealed)));
    assert!(matches!(
        second.rotate(read.checkpoint(1)).await,
        Err(AppendError::Stopped)
    ));
}

/// After a rotation recovery needs no more than the checkpoint; an owner who folded from an older `low` cannot move it.
pub async fn rotation_and_pruning(store: Arc<dyn Store>) {
    let (mut log, mut history) = take_over(&store, 1).await;
    for n in 0..7 {
        commit(&mut log, &mut history, &format!("a{n}")).await;
    }
    assert!(matches!(
        log.prune(SegmentKey::first_of(Epoch(1))).await,
        Err(PruneError::NoCheckpoint { .. })
    ));
    let rotated = log.rotate(history.checkpoint(3)).await.expect(WORKS);
    assert_eq!(
        rotated,
        SegmentKey {
            epoch: Epoch(1),
            k: 1
        }
    );
    commit(&mut log, &mut history, "b0").await;

    let (mut next, read) = take_over(&store, 2).await;
    assert_eq!(read.entries, history.entries);
    assert_eq!(
        (next.low(), next.prunable()),
        (SegmentKey::ROOT, Some(rotated))
    );
    next.prune(rotated).await.expect(WORKS);
    assert_eq!((next.low(), next.prunable()), (rotated, None));
    assert_rows(&store, SegmentKey::first_of(Epoch(1)), false).await;
    assert_rows(&store, rotated, true).await;
    assert!(
        matches!(log.prune(rotated).await, Ok(())),
        "to the same checkpoint: as good as done"
    );

    commit(&mut next, &mut history, "c0").await;
    let (mut last, read) = take_over(&store, 3).await;
    assert_eq!(read.entries, history.entries, "read from the checkpoint");
    let newest = last.rotate(read.checkpoint(1)).await.expect(WORKS);
    last.prune(newest).await.expect(WORKS);
    let (_, read) = take_over(&store, 4).await;
    assert_eq!(
        read.entries, history.entries,
        "read from the second checkpoint"
    );
}

/// Rows that an owner left behind when it died between "advance low" and "delete" go at the next owner's sweep.
pub async fn interrupted_prune_is_swept(store: Arc<dyn Store>) {
    let (mut log, mut history) = take_over(&store, 1).await;
    commit(&mut log, &mut history, "a").await;
    let first = log.head().segment;
    let rotated = log.rotate(history.checkpoint(2)).await.expect(WORKS);
    let advanced = store
        .advance_low(SHARD, SegmentKey::ROOT, rotated)
        .await
        .expect(WORKS);
    assert_eq!(advanced, crate::store::Cas::Applied);
    drop(log);
    let (mut next, read) = take_over(&store, 2).await;
    assert_eq!(read.entries, history.entries);
    assert_rows(&store, first, true).await;
    next.sweep().await.expect(WORKS);
    assert_rows(&store, first, false).await;
}

/// A planned handover: the claim first, then the owner's own seal, and nothing is lost or late.
pub async fn handover_keeps_every_commit(store: Arc<dyn Store>) {
    let (mut log, mut history) = take_over(&store, 1).await;
    commit(&mut log, &mut history, "before").await;
    let claim = Claim::win(
        store.clone(),
        SHARD,
        "next",
        WriterToken([2; 16]),
        LogOptions::default(),
    )
    .await;
    let claim = claim.expect(WORKS);
    commit(&mut log, &mut history, "while the other one prepares").await;
    log.hand_over(claim.segment()).await.expect(WORKS);
    assert!(matches!(
        log.append(Bytes::from("late")).await,
        Err(AppendError::Stopped)
    ));
    let mut read = History::default();
    let mut next = claim.complete(&mut read).await.expect(WORKS);
    assert_eq!(read.entries, history.entries);
    commit(&mut next, &mut read, "after").await;
    let (_, last) = take_over(&store, 3).await;
    assert_eq!(last.entries, read.entries);
}

async fn assert_rows(store: &Arc<dyn Store>, key: SegmentKey, expected: bool) {
    let limit = ReadLimit { rows: 1, bytes: 1 };
    let chunk = store
        .read_rows(key.of(SHARD), 0, limit)
        .await
        .expect(WORKS)
        .expect("static parts are kept");
    assert_eq!(!chunk.rows.is_empty(), expected, "rows of {key}");
}
