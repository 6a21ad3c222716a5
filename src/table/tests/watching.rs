//! What watchers get: every event once, or a word that some are missing (P8).

use tokio::sync::mpsc;

use super::*;
use crate::{
    ids::Seq,
    table::frame::{Frame, ResetReason, WatcherId},
};

const ME: WatcherId = WatcherId(5);
const VIEWER: Viewer = Viewer::Player(PlayerId(1));

/// The numbers of the events; a snapshot counts as its last one.
fn numbers(queue: &mut mpsc::Receiver<Frame>) -> Vec<(char, u64)> {
    let mut seen = Vec::new();
    while let Ok(frame) = queue.try_recv() {
        seen.push(match frame {
            Frame::Snapshot(view) => ('s', view.position.seq.0),
            Frame::Event(event) => ('e', event.position.seq.0),
            Frame::Reset { .. } => ('r', 0),
        });
    }
    seen
}

async fn played() -> Node {
    let node = node(Arc::new(MemoryStore::new()), 1).await;
    node.open().await;
    node.play_to(2).await;
    node
}

async fn watch(node: &Node, after: Option<Seq>, room: usize) -> mpsc::Receiver<Frame> {
    let (queue, frames) = mpsc::channel(room);
    let watched = node.tables.watch(TABLE, ME, VIEWER, after, queue).await;
    watched.expect("watched");
    frames
}

#[tokio::test(start_paused = true)]
async fn a_watcher_gets_a_snapshot_and_then_every_event() {
    let node = played().await;
    let mut frames = watch(&node, None, 1_000).await;
    let start = node.look().await.position.seq.0;
    node.play_to(3).await;
    let end = node.look().await.position.seq.0;
    let seen = numbers(&mut frames);
    assert_eq!(seen[0].0, 's');
    let expected: Vec<_> = (seen[0].1 + 1..=end).map(|n| ('e', n)).collect();
    assert_eq!(seen[1..], expected);
    assert!(seen[0].1 <= start);

    // Resumed, nothing is missing; and a resume from the future begins anew.
    let mut resumed = watch(&node, Some(Seq(end - 7)), 1_000).await;
    let expected: Vec<_> = (end - 6..=end).map(|n| ('e', n)).collect();
    assert_eq!(numbers(&mut resumed), expected);
    for future in [end + 9, u64::MAX] {
        let mut made_up = watch(&node, Some(Seq(future)), 1_000).await;
        assert_eq!(numbers(&mut made_up), [('r', 0), ('s', end)]);
    }
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_gets_a_reset_and_then_is_dropped() {
    let node = played().await;
    let mut frames = watch(&node, None, 4).await;
    node.play_to(20).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before: Vec<(char, u64)> = numbers(&mut frames);
    assert_eq!(before.len(), 4);
    // Room again: what is kept follows at once, or a reset with a fresh snapshot.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let frame = frames.recv().await.expect("it goes on");
    match frame {
        Frame::Reset { reason, .. } => assert_eq!(reason, ResetReason::Slow),
        Frame::Event(event) => assert_eq!(event.position.seq.0, before[3].1 + 1),
        Frame::Snapshot(_) => panic!("a snapshot without a reset"),
    }
    // Never read again: the stream ends. A player's time-outs go on meanwhile.
    tokio::time::sleep(Duration::from_secs(30)).await;
    while frames.recv().await.is_some() {}
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_outlives_sleep_and_a_restart_of_the_table() {
    let node = played().await;
    node.sit_all_out().await;
    while node.look().await.view.hand.is_some() {
        node.act().await;
    }
    let mut frames = watch(&node, None, 1_000).await;
    let start = node.look().await.position.seq.0;
    assert_eq!(numbers(&mut frames), [('s', start)]);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(node.tables.totals().await.expect("totals").live, 0);
    for player in 1..=3 {
        let order = Order::SitIn { post_now: true };
        node.order(player, order).await.expect("they sit in again");
    }
    let fault = crate::table::fault::Fault::PanicOnce;
    node.tables.put_fault(TABLE, fault);
    node.play_to(4).await;
    let end = node.look().await.position.seq.0;
    let expected: Vec<_> = (start + 1..=end).map(|n| ('e', n)).collect();
    assert_eq!(numbers(&mut frames), expected);
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_begun_anew_is_not_ended_with_the_old_one() {
    let node = played().await;
    let old = watch(&node, None, 4).await;
    drop(old);
    let mut new = watch(&node, None, 1_000).await;
    node.play_to(3).await;
    assert!(numbers(&mut new).len() > 5);

    // Nobody watches a table that is not there, nor after a watch that was given up.
    let nowhere = TableId(3);
    let (queue, _frames) = mpsc::channel(4);
    let answer = node.tables.watch(nowhere, ME, VIEWER, None, queue).await;
    assert_eq!(answer, Err(CallError::NoSuchTable(nowhere)));
    let (queue, _frames) = mpsc::channel(4);
    drop(node.tables.watch(TABLE, WatcherId(6), VIEWER, None, queue));
    for shard in node.tables.shards() {
        assert!(shard.watchers.of(nowhere).is_empty());
        assert!(shard.watchers.of(TABLE).iter().all(|w| w.id == ME));
    }
    node.tree.stop().await;
}
