//! Each conditional statement by itself: when it applies, and what it says when it does not.

use bytes::Bytes;

use crate::ids::{Epoch, ShardCount, ShardId};
use crate::store::{
    Append, Cas, ChainHash, ClusterRecord, ReadLimit, Row, Seal, SegmentId, SegmentKey,
    SegmentState, SerialDomain, ShardRow, Store, WriterToken,
};

const SHARD: ShardId = ShardId(2);
const ME: WriterToken = WriterToken([1; 16]);
const RIVAL: WriterToken = WriterToken([2; 16]);
const ALL: ReadLimit = ReadLimit {
    rows: 1_000,
    bytes: 1 << 20,
};
const ANSWERS: &str = "a store without faults answers";

/// The n-th segment of a reign of SHARD.
fn key(epoch: u64, k: u32) -> SegmentKey {
    SegmentKey {
        epoch: Epoch(epoch),
        k,
    }
}

/// The append that puts `text` at row `n`, after a row with this hash.
fn append(segment: SegmentId, n: u64, before: ChainHash, text: &str) -> Append {
    let payload = Bytes::copy_from_slice(text.as_bytes());
    let expected_hash = if n == 0 { ChainHash::EMPTY } else { before };
    let new_hash = before.then(n, &payload);
    let crc = crc32fast::hash(&payload);
    Append {
        segment,
        writer: ME,
        row: Row { n, payload, crc },
        expected_hash,
        new_hash,
    }
}

/// Created if absent, read back, raised by comparison.
pub async fn cluster_record(store: &dyn Store) {
    let shards = ShardCount::new(8).expect("eight is above zero");
    let first = ClusterRecord {
        shards,
        serial_domain: SerialDomain::LocalSerial("dc1".into()),
        feature_level: 3,
    };
    let second = ClusterRecord {
        feature_level: 4,
        serial_domain: SerialDomain::Serial,
        ..first.clone()
    };
    assert_eq!(store.cluster().await.expect(ANSWERS), None);
    assert_eq!(
        store.raise_feature_level(3, 4).await.expect(ANSWERS),
        Cas::NotApplied(None)
    );
    assert_eq!(
        store.create_cluster(&first).await.expect(ANSWERS),
        Cas::Applied
    );
    assert_eq!(
        store.create_cluster(&second).await.expect(ANSWERS),
        Cas::NotApplied(first.clone())
    );
    assert_eq!(store.cluster().await.expect(ANSWERS), Some(first.clone()));
    assert_eq!(
        store.raise_feature_level(2, 9).await.expect(ANSWERS),
        Cas::NotApplied(Some(first.clone()))
    );
    assert_eq!(
        store.raise_feature_level(3, 4).await.expect(ANSWERS),
        Cas::Applied
    );
    assert_eq!(
        store.cluster().await.expect(ANSWERS),
        Some(ClusterRecord {
            feature_level: 4,
            ..first
        })
    );
}

/// An epoch is won once; `low` moves only from the value that is named; the tail's hint only within the epoch.
pub async fn shard_row(store: &dyn Store) {
    let row = |epoch, owner: &str, tail, low| ShardRow {
        epoch: Epoch(epoch),
        owner: owner.into(),
        tail,
        low,
    };
    let root = SegmentKey::ROOT;
    assert_eq!(store.shard(SHARD).await.expect(ANSWERS), None);
    assert_eq!(
        store
            .win_epoch(SHARD, Some(Epoch(1)), Epoch(2), "a")
            .await
            .expect(ANSWERS),
        Cas::NotApplied(None)
    );
    assert_eq!(
        store
            .set_tail(SHARD, Epoch(1), key(1, 0))
            .await
            .expect(ANSWERS),
        Cas::NotApplied(None)
    );
    assert_eq!(
        store
            .advance_low(SHARD, root, key(1, 0))
            .await
            .expect(ANSWERS),
        Cas::NotApplied(None)
    );

    assert_eq!(
        store
            .win_epoch(SHARD, None, Epoch(1), "a")
            .await
            .expect(ANSWERS),
        Cas::Applied
    );
    let first = row(1, "a", root, root);
    assert_eq!(
        store.shard(SHARD).await.expect(ANSWERS),
        Some(first.clone())
    );
    let lost = Cas::NotApplied(Some(first));
    assert_eq!(
        store
            .win_epoch(SHARD, None, Epoch(1), "b")
            .await
            .expect(ANSWERS),
        lost
    );
    assert_eq!(
        store
            .win_epoch(SHARD, Some(Epoch(2)), Epoch(3), "b")
            .await
            .expect(ANSWERS),
        lost
    );

    assert_eq!(
        store
            .win_epoch(SHARD, Some(Epoch(1)), Epoch(2), "b")
            .await
            .expect(ANSWERS),
        Cas::Applied
    );
    let second = row(2, "b", root, root);
    let lost = Cas::NotApplied(Some(second));
    assert_eq!(
        store
            .win_epoch(SHARD, Some(Epoch(1)), Epoch(2), "b")
            .await
            .expect(ANSWERS),
        lost
    );
    assert_eq!(
        store
            .set_tail(SHARD, Epoch(1), key(1, 0))
            .await
            .expect(ANSWERS),
        lost
    );
    assert_eq!(
        store
            .advance_low(SHARD, key(1, 0), key(2, 0))
            .await
            .expect(ANSWERS),
        lost
    );

    assert_eq!(
        store
            .set_tail(SHARD, Epoch(2), key(2, 1))
            .await
            .expect(ANSWERS),
        Cas::Applied
    );
    assert_eq!(
        store
            .advance_low(SHARD, root, key(2, 0))
            .await
            .expect(ANSWERS),
        Cas::Applied
    );
    assert_eq!(
        store.shard(SHARD).await.expect(ANSWERS),
        Some(row(2, "b", key(2, 1), key(2, 0)))
    );
    assert_eq!(
        store
            .win_epoch(SHARD, Some(Epoch(2)), Epoch(3), "c")
            .await
            .expect(ANSWERS),
        Cas::Applied
    );
    assert_eq!(
        store.shard(SHARD).await.expect(ANSWERS),
        Some(row(3, "c", key(2, 1), key(2, 0)))
    );
}

/// The second creation of a segment finds the first one's writer.
pub async fn segment_is_created_once(store: &dyn Store) {
    let segment = key(1, 0).of(SHARD);
    assert_eq!(store.segment(segment).await.expect(ANSWERS), None);
    assert_eq!(store.read_rows(segment, 0, ALL).await.expect(ANSWERS), None);
    assert_eq!(
        store.create_segment(segment, ME).await.expect(ANSWERS),
        Cas::Applied
    );
    let state = SegmentState::created_by(ME);
    assert_eq!(
        store.create_segment(segment, RIVAL).await.expect(ANSWERS),
        Cas::NotApplied(state)
    );
    assert_eq!(
        store.create_segment(segment, ME).await.expect(ANSWERS),
        Cas::NotApplied(state)
    );
    assert_eq!(store.segment(segment).await.expect(ANSWERS), Some(state));
}

/// Each condition of an append alone refuses it, and the identical statement made twice finds its own hash.
pub async fn append_names_everything(store: &dyn Store) {
    let segment = key(1, 0).of(SHARD);
    let start = ChainHash::genesis(SHARD);
    let first = append(segment, 0, start, "first");
    assert_eq!(
        store.append(&first).await.expect(ANSWERS),
        Cas::NotApplied(None),
        "absent segment"
    );
    assert_eq!(
        store.create_segment(segment, ME).await.expect(ANSWERS),
        Cas::Applied
    );
    let empty = SegmentState::created_by(ME);
    let refused = |what: &'static str, append: Append, current: SegmentState| async move {
        assert_eq!(
            store.append(&append).await.expect(ANSWERS),
            Cas::NotApplied(Some(current)),
            "{what}"
        );
    };
    refused(
        "another writer",
        Append {
            writer: RIVAL,
            ..first.clone()
        },
        empty,
    )
    .await;
    refused(
        "a later row",
        append(segment, 1, ChainHash::EMPTY, "x"),
        empty,
    )
    .await;
    refused(
        "another hash",
        Append {
            expected_hash: start,
            ..first.clone()
        },
        empty,
    )
    .await;

    assert_eq!(store.append(&first).await.expect(ANSWERS), Cas::Applied);
    let one = SegmentState {
        next_n: 1,
        last_hash: first.new_hash,
        ..empty
    };
    refused("made again", first.clone(), one).await;
    refused(
        "its slot for another payload",
        append(segment, 0, start, "other"),
        one,
    )
    .await;
    refused("another past", append(segment, 1, start, "second"), one).await;

    let second = append(segment, 1, first.new_hash, "second");
    assert_eq!(store.append(&second).await.expect(ANSWERS), Cas::Applied);
    let chunk = store
        .read_rows(segment, 0, ALL)
        .await
        .expect(ANSWERS)
        .expect("the segment exists");
    assert_eq!(chunk.rows, [first.row, second.row]);
    assert_eq!(
        chunk.state,
        SegmentState {
            next_n: 2,
            last_hash: second.new_hash,
            ..empty
        }
    );
}

/// A seal is given once, freezes the end, and refuses what comes late.
pub async fn seal_is_final(store: &dyn Store) {
    let segment = key(1, 0).of(SHARD);
    let mine = Seal {
        by: ME,
        next: key(2, 0),
    };
    let theirs = Seal {
        by: RIVAL,
        next: key(3, 0),
    };
    assert_eq!(
        store.seal(segment, mine).await.expect(ANSWERS),
        Cas::NotApplied(None),
        "absent segment"
    );
    assert_eq!(
        store.segment(segment).await.expect(ANSWERS),
        None,
        "a refused seal creates nothing"
    );
    assert_eq!(
        store.create_segment(segment, ME).await.expect(ANSWERS),
        Cas::Applied
    );
    let first = append(segment, 0, ChainHash::genesis(SHARD), "first");
    assert_eq!(store.append(&first).await.expect(ANSWERS), Cas::Applied);
    assert_eq!(
        store.seal(segment, mine).await.expect(ANSWERS),
        Cas::Applied
    );
    let state = SegmentState {
        writer: ME,
        next_n: 1,
        last_hash: first.new_hash,
        seal: Some(mine),
    };
    assert_eq!(
        store.seal(segment, theirs).await.expect(ANSWERS),
        Cas::NotApplied(Some(state))
    );
    assert_eq!(
        store.seal(segment, mine).await.expect(ANSWERS),
        Cas::NotApplied(Some(state))
    );
    let late = append(segment, 1, first.new_hash, "late");
    assert_eq!(
        store.append(&late).await.expect(ANSWERS),
        Cas::NotApplied(Some(state))
    );
    assert_eq!(
        store.create_segment(segment, RIVAL).await.expect(ANSWERS),
        Cas::NotApplied(state)
    );
    assert_eq!(store.segment(segment).await.expect(ANSWERS), Some(state));
}

/// A read brings rows in order, at least one, and not more than asked for.
pub async fn reads_are_bounded(store: &dyn Store) {
    let segment = key(1, 0).of(SHARD);
    assert_eq!(
        store.create_segment(segment, ME).await.expect(ANSWERS),
        Cas::Applied
    );
    let mut hash = ChainHash::genesis(SHARD);
    for n in 0..10 {
        let append = append(segment, n, hash, "ten bytes!");
        assert_eq!(store.append(&append).await.expect(ANSWERS), Cas::Applied);
        hash = append.new_hash;
    }
    let check = async |from, rows, bytes, expected: std::ops::Range<u64>| {
        let limit = ReadLimit { rows, bytes };
        let chunk = store
            .read_rows(segment, from, limit)
            .await
            .expect(ANSWERS)
            .expect("the segment exists");
        let numbers = chunk.rows.iter().map(|row| row.n).collect::<Vec<_>>();
        assert_eq!(
            numbers,
            expected.collect::<Vec<_>>(),
            "from {from}, {rows} rows, {bytes} bytes"
        );
        assert_eq!(chunk.state.next_n, 10);
    };
    check(0, 100, 1_000, 0..10).await;
    check(7, 100, 1_000, 7..10).await;
    check(0, 3, 1_000, 0..3).await;
    check(2, 100, 25, 2..5).await;
    check(4, 1, 1, 4..5).await;
    check(10, 100, 1_000, 10..10).await;
    check(u64::MAX, 100, 1_000, 10..10).await;
}

/// Pruning takes the rows of one segment; what is still under way finds it sealed.
pub async fn pruned_segment_stays_sealed(store: &dyn Store) {
    let (old, new) = (key(1, 0).of(SHARD), key(1, 1).of(SHARD));
    let first = append(old, 0, ChainHash::genesis(SHARD), "old");
    let second = append(new, 0, first.new_hash, "new");
    for (segment, append) in [(old, &first), (new, &second)] {
        assert_eq!(
            store.create_segment(segment, ME).await.expect(ANSWERS),
            Cas::Applied
        );
        assert_eq!(store.append(append).await.expect(ANSWERS), Cas::Applied);
    }
    let seal = Seal {
        by: ME,
        next: new.key,
    };
    assert_eq!(store.seal(old, seal).await.expect(ANSWERS), Cas::Applied);
    store.delete_rows(old).await.expect(ANSWERS);
    store
        .delete_rows(old)
        .await
        .expect("deleting twice is deleting once");
    store
        .delete_rows(key(7, 7).of(SHARD))
        .await
        .expect("deleting nothing is no error");
    let state = SegmentState {
        writer: ME,
        next_n: 1,
        last_hash: first.new_hash,
        seal: Some(seal),
    };
    let chunk = store
        .read_rows(old, 0, ALL)
        .await
        .expect(ANSWERS)
        .expect("the static part is kept");
    assert_eq!((chunk.state, chunk.rows), (state, Vec::new()));
    assert_eq!(
        store.create_segment(old, RIVAL).await.expect(ANSWERS),
        Cas::NotApplied(state)
    );
    let late = append(old, 1, first.new_hash, "late");
    assert_eq!(
        store.append(&late).await.expect(ANSWERS),
        Cas::NotApplied(Some(state))
    );
    let chunk = store
        .read_rows(new, 0, ALL)
        .await
        .expect(ANSWERS)
        .expect("the other segment stays");
    assert_eq!(chunk.rows, [second.row]);
}

/// The same segment key in two shards names two segments.
pub async fn shards_are_apart(store: &dyn Store) {
    let (here, there) = (key(1, 0).of(SHARD), key(1, 0).of(ShardId(3)));
    assert_eq!(
        store.create_segment(here, ME).await.expect(ANSWERS),
        Cas::Applied
    );
    assert_eq!(store.segment(there).await.expect(ANSWERS), None);
    assert_eq!(
        store.create_segment(there, RIVAL).await.expect(ANSWERS),
        Cas::Applied
    );
    let first = append(here, 0, ChainHash::genesis(SHARD), "here");
    assert_eq!(store.append(&first).await.expect(ANSWERS), Cas::Applied);
    assert_eq!(
        store.segment(there).await.expect(ANSWERS),
        Some(SegmentState::created_by(RIVAL))
    );
}
