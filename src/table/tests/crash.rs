//! A node dies, and another goes on: same deck, same pot, same player to act (R20, P6).

use super::*;
use crate::store::{Statement, memory::Fault as StoreFault};

#[tokio::test(start_paused = true)]
async fn hands_are_played_and_survive_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let first = node(store.clone(), 1).await;
    first.open().await;
    first.play_to(40).await;
    let viewer = Viewer::Player(PlayerId(1));
    let before = first.tables.view(TABLE, viewer).await.expect("a view");
    first.tree.stop().await;

    let second = node(store, 2).await;
    let after = second.tables.view(TABLE, viewer).await.expect("a view");
    assert_eq!(after.view, before.view);
    assert!(after.position > before.position, "a higher epoch");
    second.play_to(60).await;
    let totals = second.tables.totals().await.expect("totals").sums;
    assert_eq!(totals.chips_in, 30_000);
    assert_eq!(totals.on_tables + totals.chips_out + totals.rake, 30_000);
    second.tree.stop().await;
}

/// A bet on every street, so that the pot and the winner matter.
async fn bet_once(node: &Node) {
    let (hand, legal, player) = node.turn().await;
    let action = match legal.raise_to {
        Some(bounds) if legal.check || legal.turn.0 % 5 == 1 => {
            Action::RaiseTo { to: bounds.min_to }
        }
        _ if legal.check => Action::Check,
        _ => Action::Call,
    };
    let order = Order::Act {
        hand,
        turn: legal.turn,
        action,
    };
    node.order(player.0, order).await.expect("a legal action");
}

/// Plays the rest of the hand; answers the stacks after it.
async fn finish(node: &Node, hand: HandNo) -> Vec<u64> {
    loop {
        let seen = node.look().await.view;
        let open = seen.hand.as_ref().is_some_and(|open| open.hand == hand);
        if !open && seen.hands_started >= hand {
            return seen.seats.iter().flatten().map(|seat| seat.stack).collect();
        }
        if open {
            bet_once(node).await;
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_commit_the_hand_ends_the_same() {
    let slow = Options {
        hand_pause: Duration::from_secs(30),
        ..options()
    };
    let store = Arc::new(MemoryStore::new());
    let first = node_with(store.clone(), 1, slow.clone()).await;
    first.open().await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    let hand = HandNo(1);
    let mut photos = Vec::new();
    while first.look().await.view.hand.is_some() {
        let own = Viewer::Player(PlayerId(2));
        let seen = first.tables.view(TABLE, own).await.expect("a view");
        photos.push((store.photograph(), seen));
        bet_once(&first).await;
    }
    let ends = finish(&first, hand).await;
    assert!(photos.len() > 8, "{} commits", photos.len());
    assert!(ends.iter().any(|stack| *stack != 10_000));

    for (index, (photo, before)) in photos.into_iter().enumerate() {
        let next = node_with(Arc::new(photo), 2 + index as u64, slow.clone()).await;
        let own = Viewer::Player(PlayerId(2));
        let after = next.tables.view(TABLE, own).await.expect("a view");
        assert_eq!(after.view, before.view, "commit {index}");
        let promised = Duration::from_millis(990);
        assert!(
            after.time_left >= Some(promised),
            "commit {index}: {:?}",
            after.time_left
        );
        assert_eq!(finish(&next, hand).await, ends, "commit {index}");
        next.tree.stop().await;
    }
    first.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_killed_with_a_commit_in_flight_does_not_lose_the_request() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store.clone(), 1).await;
    node.open().await;
    // Applied, and not answered before the log dies; then never applied.
    for (applied, (before, after)) in [(true, (0, 400)), (false, (400, 0))] {
        let delay = |ms| Duration::from_millis(ms);
        let fault = StoreFault::Delay {
            before: delay(before),
            after: delay(after),
        };
        let (hand, legal, player) = node.turn().await;
        let seq = node.look().await.position.seq;
        store.script(Statement::Append, fault);
        let order = Order::Act {
            hand,
            turn: legal.turn,
            action: Action::Call,
        };
        let request = node.request(player.0, order);
        let (tables, copy) = (node.tables.clone(), request.clone());
        let call = tokio::spawn(async move { tables.call(TABLE, copy).await });
        tokio::time::sleep(delay(100)).await;
        let shard = crate::ids::ShardId::of(TABLE, ShardCount::new(2).expect("not zero"));
        let log = node.tables.shards()[usize::from(shard.0)].log.find();
        log.expect("a log").kill();
        let done = call.await.expect("no panic").expect("done in the end");
        assert!(done.position.seq > seq, "applied first: {applied}");
        let again = Request {
            first_attempt: false,
            ..request
        };
        let again = node
            .tables
            .call(TABLE, again)
            .await
            .expect("the same answer");
        assert_eq!(again.position.seq, done.position.seq);
    }
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_orderly_stop_answers_the_commit_in_flight() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store.clone(), 1).await;
    node.open().await;
    let (hand, legal, player) = node.turn().await;
    let pause = Duration::from_millis(200);
    store.script(
        Statement::Append,
        StoreFault::Delay {
            before: pause,
            after: pause,
        },
    );
    let order = Order::Act {
        hand,
        turn: legal.turn,
        action: Action::Call,
    };
    let (tables, request) = (node.tables.clone(), node.request(player.0, order));
    let call = tokio::spawn(async move { tables.call(TABLE, request).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    node.tree.stop().await;
    call.await.expect("no panic").expect("it was durable");
}
