//! One request, one effect, one answer.

use super::*;

fn rule(answer: &Result<Done, CallError>) -> &'static str {
    match answer {
        Ok(_) => "done",
        Err(CallError::Refused { rule, .. }) => rule,
        Err(CallError::Rejected(reject)) => reject.name(),
        Err(CallError::NoSuchTable(_)) => "no such table",
        Err(_) => "unknown",
    }
}

fn sit() -> Order {
    Order::Sit {
        seat: None,
        name: "again".into(),
        buy_in: 5_000,
        post_now: true,
    }
}

#[tokio::test(start_paused = true)]
async fn a_player_has_one_seat() {
    let node = node(Arc::new(MemoryStore::new()), 1).await;
    node.open().await;
    assert_eq!(rule(&node.order(1, sit()).await), "AlreadySeated");
    let both = tokio::join!(node.order(9, sit()), node.order(9, sit()));
    let mut rules = [rule(&both.0), rule(&both.1)];
    rules.sort_unstable();
    assert_eq!(rules, ["AlreadySeated", "done"]);
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_copies_have_one_effect_and_one_answer() {
    let store = Arc::new(MemoryStore::new());
    let first = node(store.clone(), 1).await;
    first.open().await;
    let request = first.request(9, sit());
    let copy = || Request {
        first_attempt: false,
        ..request.clone()
    };
    let mut copies = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (tables, copy) = (first.tables.clone(), copy());
        copies.spawn(async move { tables.call(TABLE, copy).await });
    }
    let answers = copies.join_all().await;
    let done: Vec<Done> = answers.into_iter().filter_map(Result::ok).collect();
    assert!(!done.is_empty());
    assert!(done.iter().all(|other| *other == done[0]));
    first.tree.stop().await;

    let second = node(store, 2).await;
    let again = second.tables.call(TABLE, copy()).await.expect("the same");
    assert_eq!(again.position.seq, done[0].position.seq);
    assert_eq!(
        second.tables.totals().await.expect("totals").sums.chips_in,
        35_000
    );
    second.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_outlives_its_owner() {
    let store = Arc::new(MemoryStore::new());
    let first = node(store.clone(), 1).await;
    first.open().await;
    let (hand, legal, player) = first.turn().await;
    let waits = (1..=3).find(|other| *other != player.0).expect("two wait");
    let early = Order::Act {
        hand,
        turn: engine::Turn(legal.turn.0 + 1),
        action: Action::Fold,
    };
    let request = first.request(waits, early);
    let refused = first.tables.call(TABLE, request.clone()).await;
    assert_eq!(rule(&refused), "StaleTurn");
    let again = first.tables.call(TABLE, request.clone()).await;
    assert_eq!(again, refused, "a repeat hears the same words");
    first.act().await;
    first.tree.stop().await;

    // Now it would be this player's turn.
    let second = node(store, 2).await;
    let thawed = second.tables.call(TABLE, request.clone()).await;
    assert_eq!(rule(&thawed), "RefusedBefore");
    let older = Request {
        id: request.id - 1,
        ..request
    };
    assert_eq!(
        rule(&second.tables.call(TABLE, older).await),
        "StaleRequest"
    );
    second.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_possible_is_refused_by_name() {
    let node = node(Arc::new(MemoryStore::new()), 1).await;
    node.open().await;
    let (hand, legal, player) = node.turn().await;
    let act = |hand, turn, action| Order::Act { hand, turn, action };
    let check = async |player: u128, order, expected| {
        assert_eq!(rule(&node.order(player, order).await), expected);
    };
    let stale = engine::Turn(legal.turn.0.wrapping_sub(1));
    check(player.0, act(hand, stale, Action::Call), "StaleTurn").await;
    check(
        player.0,
        act(HandNo(77), legal.turn, Action::Call),
        "StaleHand",
    )
    .await;
    check(
        player.0,
        act(hand, legal.turn, Action::RaiseTo { to: u64::MAX }),
        "RaiseAboveStack",
    )
    .await;
    check(99, act(hand, legal.turn, Action::Call), "NotSeated").await;
    check(99, Order::Leave, "NotSeated").await;
    let nowhere = node.request(1, Order::Leave);
    let nowhere = node.tables.call(TableId(5), nowhere).await;
    assert_eq!(rule(&nowhere), "no such table");
    node.tree.stop().await;
}
