//! The store has no room for a while: play pauses, nothing is lost, and it goes on by itself.

use super::*;
use crate::store::{Statement, memory::Fault};

/// Ten seconds, at four attempts a second.
const ATTEMPTS: u64 = 40;

#[tokio::test(start_paused = true)]
async fn play_pauses_without_room_and_goes_on_with_it() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store.clone(), 1).await;
    node.open().await;
    node.play_to(4).await;
    let (hand, legal, player) = node.turn().await;
    let before = node.look().await;
    for _ in 0..ATTEMPTS {
        store.script(Statement::Append, Fault::Full);
    }
    let action = if legal.check {
        Action::Check
    } else {
        Action::Call
    };
    let act = node.request(
        player.0,
        Order::Act {
            hand,
            turn: legal.turn,
            action,
        },
    );
    // Who finds out was taken in, and is not told that it failed.
    let first = node.tables.call(TABLE, act.clone()).await;
    assert!(matches!(first, Err(CallError::Unknown { .. })), "{first:?}");
    // Others are turned away at once, in words.
    let asked = Instant::now();
    let other = node.order(9, Order::Leave).await;
    let Err(error @ CallError::Busy { .. }) = other else {
        panic!("{other:?}")
    };
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert_eq!(asked.elapsed(), Duration::ZERO);
    // Looking goes on, and no clock runs: it would be over by now.
    let during = node.look().await;
    assert_eq!(during.view, before.view);
    assert_eq!(during.position, before.position);

    tokio::time::sleep(Duration::from_secs(6)).await;
    let repeat = Request {
        first_attempt: false,
        ..act
    };
    let done = node.tables.call(TABLE, repeat).await.expect("it was done");
    assert_eq!(done.position.epoch, before.position.epoch, "no takeover");
    node.play_to(8).await;
    let totals = node.tables.totals().await.expect("totals");
    assert_eq!(totals.sums.chips_in, 30_000);
    assert_eq!(
        totals.sums.on_tables + totals.sums.chips_out + totals.sums.rake,
        30_000
    );
    assert_eq!(totals.restarts, 0);
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_rotation_without_room_waits_too() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store.clone(), 1).await;
    node.open().await;
    let before = node.look().await.position.epoch;
    for _ in 0..ATTEMPTS {
        store.script(Statement::CreateSegment, Fault::Full);
    }
    // A stranger has no seat to leave. He is told so, or that there is no room.
    let stranger = async || match node.order(9, Order::Leave).await {
        Err(CallError::Busy { reason, .. }) => Some(reason),
        Err(CallError::Rejected(_)) => None,
        other => panic!("{other:?}"),
    };
    // Past the size at which a segment is followed by another.
    let mut acts = 0;
    let told = loop {
        if let Some(told) = stranger().await {
            break told;
        }
        assert!(acts < 2_000, "a rotation was due, and there was no room");
        acts += 1;
        tokio::select! {
            biased;
            _done = node.act() => {}
            // The next hand is not dealt.
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    };
    assert!(told.contains("disk is full"), "{told}");
    let hands = node.look().await.view.hands_started.0;
    let room = async {
        while stranger().await.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), room).await;
    in_time.expect("there is room again");
    node.play_to(hands + 3).await;
    assert_eq!(node.look().await.position.epoch, before, "no takeover");
    node.tree.stop().await;
}
