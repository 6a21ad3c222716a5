//! What the exhaustive models in `tests/models` brought to light, and what they cannot show: wrong words from outside.

use std::sync::Arc;

use bytes::Bytes;

use super::super::*;
use super::{SHARD, at, take_over};
use crate::ids::Epoch;
use crate::store::memory::{Fault, MemoryStore};
use crate::store::{Cas, Seal};

/// A new owner reads so slowly that it is overtaken, and the next one prunes its segment: overtaken, not damaged.
#[tokio::test(start_paused = true)]
async fn a_reader_whose_own_segment_is_pruned_is_superseded() {
    let store = MemoryStore::new();
    let slow = Fault::Delay {
        before: Duration::from_millis(100),
        after: Duration::ZERO,
    };
    // The reads of the shard's row: to win, to find the tail, and `low`.
    for fault in [Fault::None, Fault::None, slow] {
        store.script(Statement::Shard, fault);
    }
    let overtake = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (mut log, _) = take_over(&store, 10).await.unwrap();
        let rotated = log.rotate([Bytes::from("all")]).await.unwrap();
        log.prune(rotated).await.unwrap();
    };
    let (taken, ()) = tokio::join!(take_over(&store, 0), overtake);
    assert!(
        matches!(
            taken.map(drop),
            Err(TakeoverError::Superseded { epoch: Epoch(1) })
        ),
        "it was overtaken, and nothing is damaged"
    );
}

/// An advance of `low` that was not answered is applied late, and finds the next one: it was mine, so pruning goes on.
#[tokio::test(start_paused = true)]
async fn an_unheard_advance_of_low_is_my_own() {
    let store = MemoryStore::new();
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    log.append("one".into()).await.unwrap();
    let first = log.rotate([Bytes::from("first")]).await.unwrap();
    store.script(Statement::AdvanceLow, Fault::Hold);
    for _ in 0..100 {
        store.script(Statement::AdvanceLow, Fault::LoseRequest);
    }
    assert!(matches!(log.prune(first).await, Err(PruneError::Store(_))));
    store.heal();
    let second = log.rotate([Bytes::from("second")]).await.unwrap();
    store.release();
    log.prune(second).await.unwrap();
    assert_eq!(log.low(), second);
    let (_, rows) = take_over(&store, 10).await.unwrap();
    assert_eq!(rows.text(), "second");
}

/// A segment that is not there, is not above, or is sealed already is no claim: the chain would end in it.
#[tokio::test(start_paused = true)]
async fn nothing_is_handed_over_to_no_claim() {
    let store = MemoryStore::new();
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let sealed = SegmentKey::first_of(Epoch(7));
    let seal = Seal {
        by: WriterToken([9; 16]),
        next: SegmentKey::first_of(Epoch(8)),
    };
    assert_eq!(
        store
            .create_segment(sealed.of(SHARD), WriterToken([9; 16]))
            .await
            .unwrap(),
        Cas::Applied
    );
    assert_eq!(
        store.seal(sealed.of(SHARD), seal).await.unwrap(),
        Cas::Applied
    );
    for next in [at(9, 0, 0), at(1, 1, 0), at(0, 0, 0), at(7, 0, 0)] {
        let next = next.segment;
        assert!(
            matches!(log.hand_over(next).await, Err(AppendError::NoClaim { .. })),
            "{next}"
        );
    }
    log.append("on".into()).await.unwrap();
    // And a claim that is never completed holds nobody up.
    let token = WriterToken([8; 16]);
    let claim = Claim::win(shared, SHARD, "b", token, LogOptions::default())
        .await
        .unwrap();
    log.hand_over(claim.segment()).await.unwrap();
    drop(claim);
    let (_, rows) = take_over(&store, 10).await.unwrap();
    assert_eq!(rows.text(), "on");
}
