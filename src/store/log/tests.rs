//! The protocol's steps one by one, over the memory store.

use std::sync::Arc;

use bytes::Bytes;

use super::append::{Verdict, judge};
use super::frame::{Frame, Kind};
use super::*;
use crate::ids::Epoch;
use crate::store::memory::{Fault, MemoryStore};
use crate::store::{Append, Cas, Row, Seal, SegmentState};

mod edges;

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

#[test]
fn a_refused_append_is_judged_by_what_stood_there() {
    let (me, rival) = (WriterToken([1; 16]), WriterToken([2; 16]));
    let segment = SegmentKey::first_of(Epoch(4)).of(SHARD);
    let (before, mine, other) = (ChainHash([1; 32]), ChainHash([2; 32]), ChainHash([3; 32]));
    let row = Row {
        n: 5,
        payload: Bytes::new(),
        crc: 0,
    };
    let append = Append {
        segment,
        writer: me,
        row,
        expected_hash: before,
        new_hash: mine,
    };
    let seal = Some(Seal {
        by: rival,
        next: SegmentKey::first_of(Epoch(5)),
    });
    let check = |what: &str, writer, next_n, last_hash, seal, verdict| {
        let found = SegmentState {
            writer,
            next_n,
            last_hash,
            seal,
        };
        assert_eq!(judge(&append, Some(&found)), verdict, "{what}");
    };
    check("applied", me, 6, mine, None, Verdict::Mine);
    check("applied, then sealed", me, 6, mine, seal, Verdict::Mine);
    check("sealed before", me, 5, before, seal, Verdict::Never);
    check(
        "open, and yet not applied",
        me,
        5,
        before,
        None,
        Verdict::Undetermined,
    );
    check(
        "next_n alone proves nothing",
        me,
        6,
        other,
        None,
        Verdict::Undetermined,
    );
    check(
        "next_n alone, sealed",
        me,
        6,
        other,
        seal,
        Verdict::Undetermined,
    );
    check(
        "my hash in another's segment",
        rival,
        6,
        mine,
        None,
        Verdict::Undetermined,
    );
    check(
        "sealed elsewhere",
        me,
        4,
        before,
        seal,
        Verdict::Undetermined,
    );
    check(
        "sealed after another row",
        me,
        5,
        other,
        seal,
        Verdict::Undetermined,
    );
    assert_eq!(judge(&append, None), Verdict::Undetermined, "absent");
}

/// What an append of unknown outcome comes to: the faults that its attempts meet, whether a rival takes over after the
/// first one, the answer, and what the log holds in the end.
#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_resolved_right() {
    let check = async |faults: &[Fault], rival: bool, answer: &str, log_holds: &str| {
        let store = MemoryStore::new();
        let (mut log, _) = take_over(&store, 0).await.unwrap();
        log.append("first".into()).await.unwrap();
        for fault in faults {
            store.script(Statement::Append, *fault);
        }
        let overtake = async {
            if rival {
                tokio::time::sleep(Duration::from_millis(5)).await;
                take_over(&store, 10).await.unwrap();
            }
        };
        let (result, ()) = tokio::join!(log.append("second".into()), overtake);
        let got = match &result {
            Ok(_) => "acknowledged",
            Err(AppendError::Refused { .. }) => "refused",
            Err(AppendError::NotWritten(_)) => "not written",
            Err(AppendError::Undetermined { .. }) => "undetermined",
            Err(AppendError::Stopped) => "stopped",
            Err(AppendError::NoClaim { .. }) => "no claim",
        };
        assert_eq!(got, answer, "{faults:?}, rival: {rival}");
        assert_eq!(
            log.is_stopped(),
            rival || answer == "undetermined",
            "{faults:?}, rival: {rival}"
        );
        store.heal();
        store.release();
        let (_, rows) = take_over(&store, 20).await.unwrap();
        assert_eq!(rows.text(), log_holds, "{faults:?}, rival: {rival}");
    };
    check(&[Fault::LoseAnswer], false, "acknowledged", "first second").await;
    check(&[Fault::LoseRequest], false, "acknowledged", "first second").await;
    check(&[Fault::LoseAnswer], true, "acknowledged", "first second").await;
    check(&[Fault::LoseRequest], true, "refused", "first").await;
    check(&[Fault::Hold], true, "refused", "first").await;
    check(&[Fault::Hold], false, "acknowledged", "first second").await;
    check(
        &[Fault::Late { calls: 1 }],
        false,
        "acknowledged",
        "first second",
    )
    .await;
    check(
        &[Fault::LoseAnswer, Fault::Refuse, Fault::LoseRequest],
        false,
        "acknowledged",
        "first second",
    )
    .await;
    check(
        &[Fault::LoseRequest, Fault::Full],
        false,
        "acknowledged",
        "first second",
    )
    .await;
    check(&[Fault::Full], false, "not written", "first").await;
    check(&[Fault::Refuse; 100], false, "not written", "first").await;
    check(&[Fault::LoseRequest; 100], false, "undetermined", "first").await;
    let mut held_then_silent = [Fault::LoseRequest; 100];
    held_then_silent[0] = Fault::Hold;
    check(&held_then_silent, false, "undetermined", "first second").await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_append_ends_the_log() {
    let store = MemoryStore::new();
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    let delay = Fault::Delay {
        before: Duration::ZERO,
        after: Duration::from_secs(1),
    };
    store.script(Statement::Append, delay);
    let dropped = tokio::time::timeout(Duration::from_millis(10), log.append("maybe".into())).await;
    assert!(dropped.is_err());
    assert!(matches!(
        log.append("next".into()).await,
        Err(AppendError::Stopped)
    ));
    let (_, rows) = take_over(&store, 10).await.unwrap();
    assert_eq!(rows.text(), "maybe");
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_shown_while_it_lasts() {
    let store = MemoryStore::new();
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    let progress = log.progress();
    let delay = Fault::Delay {
        before: Duration::from_secs(1),
        after: Duration::ZERO,
    };
    store.script(Statement::Append, delay);
    let look = async {
        tokio::time::sleep(Duration::from_millis(240)).await;
        let early = *progress.borrow();
        tokio::time::sleep(Duration::from_millis(20)).await;
        (early, *progress.borrow())
    };
    let (appended, seen) = tokio::join!(log.append("slow".into()), look);
    appended.unwrap();
    assert_eq!(seen, (Progress::Running, Progress::Stalled));
    assert_eq!(*progress.borrow(), Progress::Running);
    take_over(&store, 10).await.unwrap();
    log.append("late".into()).await.unwrap_err();
    assert_eq!(*progress.borrow(), Progress::Stopped);
}

/// Every step of a takeover meets every fault, and the next takeover reads what was there.
#[tokio::test(start_paused = true)]
async fn a_takeover_survives_a_fault_at_every_step() {
    use Statement::{CreateSegment, ReadRows, Seal, SetTail, Shard, WinEpoch};
    for statement in [Shard, CreateSegment, WinEpoch, Seal, SetTail, ReadRows] {
        for fault in [
            Fault::Refuse,
            Fault::LoseRequest,
            Fault::LoseAnswer,
            Fault::Hold,
            Fault::Late { calls: 2 },
        ] {
            let store = MemoryStore::new();
            store.script(statement, fault);
            let (mut log, _) = take_over(&store, 0).await.unwrap();
            log.append("one".into()).await.unwrap();
            store.script(statement, fault);
            let (mut log, rows) = take_over(&store, 10).await.unwrap();
            assert_eq!(rows.text(), "one", "{statement}, {fault:?}");
            store.release();
            log.append("two".into()).await.unwrap();
            let (_, rows) = take_over(&store, 20).await.unwrap();
            assert_eq!(rows.text(), "one two", "{statement}, {fault:?}");
        }
    }
}

/// Every step of a rotation meets every fault.
#[tokio::test(start_paused = true)]
async fn a_rotation_survives_a_fault_at_every_step() {
    use Statement::{Append, CreateSegment, Seal, SetTail};
    for statement in [CreateSegment, Seal, Append, SetTail] {
        for fault in [
            Fault::Refuse,
            Fault::LoseRequest,
            Fault::LoseAnswer,
            Fault::Hold,
            Fault::Late { calls: 1 },
        ] {
            let store = MemoryStore::new();
            let (mut log, _) = take_over(&store, 0).await.unwrap();
            log.append("one".into()).await.unwrap();
            store.script(statement, fault);
            let rotated = log.rotate(["snap".into(), "shot".into()]).await.unwrap();
            store.release();
            assert_eq!(
                log.append("two".into()).await.unwrap(),
                at(1, 1, 2),
                "{statement}, {fault:?}"
            );
            log.prune(rotated).await.unwrap();
            let (_, rows) = take_over(&store, 10).await.unwrap();
            assert_eq!(rows.text(), "snap shot two", "{statement}, {fault:?}");
        }
    }
}

/// An owner that dies in the middle of a checkpoint leaves one that is never pruned to.
#[tokio::test(start_paused = true)]
async fn an_incomplete_checkpoint_is_not_used() {
    let store = MemoryStore::new();
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    log.append("one".into()).await.unwrap();
    store.script(Statement::Append, Fault::None);
    store.script(Statement::Append, Fault::Full);
    let error = log
        .rotate(["snap".into(), "shot".into()])
        .await
        .unwrap_err();
    assert!(
        matches!(error, AppendError::NotWritten(StoreError::Full { .. })),
        "{error:?}"
    );
    assert_eq!((log.prunable(), log.is_stopped()), (None, false));
    log.append("two".into()).await.unwrap();
    let (mut log, rows) = take_over(&store, 10).await.unwrap();
    assert_eq!(rows.text(), "one snap two");
    assert_eq!(log.prunable(), None);
    let rotated = log.rotate([Bytes::from("all")]).await.unwrap();
    assert_eq!(log.prunable(), Some(rotated));
}

/// The log is pruned while somebody reads it: reading begins again, from the new `low`.
#[tokio::test(start_paused = true)]
async fn a_reader_overtaken_by_pruning_begins_again() {
    let store = MemoryStore::new();
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    log.append("one".into()).await.unwrap();
    let rotated = log.rotate([Bytes::from("all")]).await.unwrap();
    let slow = Fault::Delay {
        before: Duration::from_millis(100),
        after: Duration::ZERO,
    };
    store.script(Statement::ReadRows, slow);
    let prune = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        log.prune(rotated).await.unwrap();
    };
    let (taken, ()) = tokio::join!(take_over(&store, 10), prune);
    let (log, rows) = taken.unwrap();
    assert_eq!((rows.text().as_str(), log.low()), ("all", rotated));
}

/// Damage that no statement can do, and the finding that refuses the shard.
#[tokio::test(start_paused = true)]
async fn damage_is_found_and_named() {
    let first = SegmentKey::first_of(Epoch(1)).of(SHARD);
    let check = async |what: &str,
                       damage: &dyn Fn(&MemoryStore),
                       segment: SegmentId,
                       n: u64,
                       finding: Finding| {
        let store = MemoryStore::new();
        let (mut log, _) = take_over(&store, 0).await.unwrap();
        for text in ["one", "two", "three"] {
            log.append(text.into()).await.unwrap();
        }
        take_over(&store, 10).await.unwrap();
        damage(&store);
        match take_over(&store, 20).await {
            Err(TakeoverError::Corrupt(found)) => assert_eq!(
                found,
                Corruption {
                    segment,
                    n,
                    finding
                },
                "{what}"
            ),
            Err(other) => panic!("{what}: {other:?}"),
            Ok((_, rows)) => panic!("{what}: served {}", rows.text()),
        }
    };
    let with = |payload: &[u8], row: Row| {
        let crc = crc32fast::hash(payload);
        Some(Row {
            payload: Bytes::copy_from_slice(payload),
            crc,
            ..row
        })
    };
    let lose = |store: &MemoryStore| store.damage_row(first, 1, |_| None);
    check("a row is gone", &lose, first, 1, Finding::MissingRow).await;
    let lose = |store: &MemoryStore| store.damage_row(first, 2, |_| None);
    check("the last row is gone", &lose, first, 2, Finding::MissingRow).await;
    let flip = |store: &MemoryStore| {
        store.damage_row(first, 1, |row| {
            Some(Row {
                crc: 7,
                ..row.unwrap()
            })
        })
    };
    check("a bit flipped", &flip, first, 1, Finding::BadChecksum).await;
    let forge =
        |store: &MemoryStore| store.damage_row(first, 1, |row| with(b"\x01owt", row.unwrap()));
    check(
        "a row was changed, with its checksum",
        &forge,
        first,
        3,
        Finding::WrongEnd,
    )
    .await;
    let strange =
        |store: &MemoryStore| store.damage_row(first, 1, |row| with(b"\x09two", row.unwrap()));
    check(
        "a row of no known kind",
        &strange,
        first,
        1,
        Finding::BadFrame,
    )
    .await;
    let rehash = |store: &MemoryStore| {
        store.damage_row(first, 0, |row| {
            with(
                &[b"\x01".as_slice(), &[7; 32], b"one"].concat(),
                row.unwrap(),
            )
        });
    };
    check(
        "the first row continues another log",
        &rehash,
        first,
        0,
        Finding::BrokenChain,
    )
    .await;
    let forget = |store: &MemoryStore| store.damage_segment(first, |_| None);
    check(
        "a segment is gone",
        &forget,
        first,
        0,
        Finding::MissingSegment,
    )
    .await;
    let root = SegmentKey::ROOT.of(SHARD);
    let forget = |store: &MemoryStore| store.damage_segment(root, |_| None);
    check(
        "the root is gone",
        &forget,
        root,
        0,
        Finding::MissingSegment,
    )
    .await;
    let extra = |store: &MemoryStore| {
        store.damage_row(first, 3, |_| {
            Some(Row {
                n: 3,
                payload: Bytes::new(),
                crc: 0,
            })
        });
    };
    check("a row too many", &extra, first, 3, Finding::ExtraRow).await;
}

#[test]
fn frames_read_back_and_strange_bytes_do_not() {
    let key = |epoch, k| SegmentKey {
        epoch: Epoch(epoch),
        k,
    };
    let kinds = [
        Kind::Commit,
        Kind::CheckpointPart,
        Kind::CheckpointEnd {
            replaced: Vec::new(),
        },
        Kind::CheckpointEnd {
            replaced: vec![key(0, 0), key(u64::MAX, u32::MAX)],
        },
    ];
    for kind in kinds {
        for n in [0, 1] {
            let previous = (n == 0).then_some(ChainHash([9; 32]));
            let frame = Frame {
                kind: kind.clone(),
                previous,
                body: "body".into(),
            };
            let bytes = frame.encode();
            assert_eq!(Frame::decode(n, bytes.clone()), Some(frame));
            let header = bytes.len() - "body".len();
            assert!(
                (0..header).all(|cut| Frame::decode(n, bytes.slice(..cut)).is_none()),
                "{kind:?}"
            );
        }
    }
    assert_eq!(
        Frame::decode(1, Bytes::from_static(&[3, 255, 255, 255, 255])),
        None
    );
    assert_eq!(
        &Frame {
            kind: Kind::Commit,
            previous: None,
            body: "x".into()
        }
        .encode()[..],
        b"\x01x"
    );
}

/// The overtaken owner's checkpoint is good, so it may still move `low`; then the present one, who folded from the value
/// before, may not move it until it has folded again.
#[tokio::test(start_paused = true)]
async fn low_is_moved_only_from_the_value_folded_from() {
    let store = MemoryStore::new();
    let (mut old, _) = take_over(&store, 0).await.unwrap();
    old.append("one".into()).await.unwrap();
    let rotated = old.rotate([Bytes::from("old")]).await.unwrap();
    let (mut new, _) = take_over(&store, 10).await.unwrap();
    let newer = new.rotate([Bytes::from("new")]).await.unwrap();
    old.prune(rotated).await.unwrap();
    assert!(matches!(new.prune(newer).await, Err(PruneError::LowMoved)));
    assert_eq!(new.low(), SegmentKey::ROOT);
    new.append("two".into()).await.unwrap();
    let (mut last, rows) = take_over(&store, 20).await.unwrap();
    assert_eq!((rows.text().as_str(), last.low()), ("old new two", rotated));
    last.prune(newer).await.unwrap();
    let (_, rows) = take_over(&store, 30).await.unwrap();
    assert_eq!(rows.text(), "new two");
}

/// A rival with a higher epoch is on the chain already: the lower one never seals it, and wins another.
#[tokio::test(start_paused = true)]
async fn a_lower_epoch_never_seals_a_higher_one() {
    let store = MemoryStore::new();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let win = async |token| {
        Claim::win(
            shared.clone(),
            SHARD,
            "a",
            WriterToken([token; 16]),
            LogOptions::default(),
        )
        .await
    };
    let (lower, higher) = (win(1).await.unwrap(), win(2).await.unwrap());
    assert_eq!(
        (lower.segment().epoch, higher.segment().epoch),
        (Epoch(1), Epoch(2))
    );
    let mut rows = Rows::default();
    let mut owner = higher.complete(&mut rows).await.unwrap();
    assert!(matches!(
        lower.complete(&mut rows).await,
        Err(TakeoverError::Outrun)
    ));
    owner.append("kept".into()).await.unwrap();
    owner.confirm().await.unwrap();
}

/// Both claims are linked, the lower first: the higher one seals it, and what it committed until then is read.
#[tokio::test(start_paused = true)]
async fn a_higher_epoch_seals_a_lower_one_and_reads_it() {
    let store = MemoryStore::new();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let win = async |token| {
        Claim::win(
            shared.clone(),
            SHARD,
            "a",
            WriterToken([token; 16]),
            LogOptions::default(),
        )
        .await
    };
    let (lower, higher) = (win(1).await.unwrap(), win(2).await.unwrap());
    let mut rows = Rows::default();
    let mut first = lower.complete(&mut rows).await.unwrap();
    first.append("kept".into()).await.unwrap();
    let mut second = higher.complete(&mut rows).await.unwrap();
    assert_eq!(rows.text(), "kept");
    assert!(matches!(
        first.append("late".into()).await,
        Err(AppendError::Refused { .. })
    ));
    second.append("on".into()).await.unwrap();
}

/// Cannot happen while epochs are won once; if it does all the same, the segment is left to whoever created it.
#[tokio::test(start_paused = true)]
async fn a_segment_that_exists_already_is_not_mine() {
    let store = MemoryStore::new();
    let theirs = SegmentKey::first_of(Epoch(1)).of(SHARD);
    assert_eq!(
        store
            .create_segment(theirs, WriterToken([99; 16]))
            .await
            .unwrap(),
        Cas::Applied
    );
    let (mut log, _) = take_over(&store, 0).await.unwrap();
    assert_eq!(log.append("mine".into()).await.unwrap(), at(2, 0, 0));
}

/// Takeovers without commits make the next one longer; a checkpoint makes it short again, also for the one after that.
#[tokio::test]
async fn a_checkpoint_shortens_what_is_read() {
    let store = MemoryStore::new();
    for reign in 1..=5 {
        let (log, _) = take_over(&store, reign).await.unwrap();
        // The root of the chain is read, too.
        assert_eq!(log.segments_to_read(), usize::from(reign) + 1);
    }
    let (mut log, _) = take_over(&store, 6).await.unwrap();
    log.rotate([Bytes::from_static(b"checkpoint")])
        .await
        .unwrap();
    assert_eq!(log.segments_to_read(), 1);
    let (log, _) = take_over(&store, 7).await.unwrap();
    assert_eq!(log.segments_to_read(), 2);
}
