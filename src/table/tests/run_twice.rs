//! The question whether to run it twice outlives the node that asked it.

use engine::Reject;

use super::*;

/// Waits until somebody is asked; the hand, the question and who has not answered.
async fn question(node: &Node) -> (HandNo, engine::Turn, Vec<PlayerId>) {
    for _ in 0..10_000 {
        let seen = node.look().await.view;
        let asked = seen.hand.as_ref().and_then(|hand| {
            let (open, turn) = hand.run_twice_asked.as_ref()?;
            Some((hand.hand, *turn, open.clone()))
        });
        if let Some((hand, turn, open)) = asked {
            let player = |seat: engine::SeatNo| {
                let seat = seen.seats[usize::from(seat.0)].as_ref();
                seat.expect("who is asked sits").player
            };
            return (hand, turn, open.into_iter().map(player).collect());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("nobody is asked");
}

/// Three players all-in before the flop at a table that runs twice.
async fn all_in(node: &Node) {
    let mut settings = settings();
    settings.game.run_twice = true;
    node.open_with(settings).await;
    for _ in 0..3 {
        let (hand, legal, player) = node.turn().await;
        let action = match legal.raise_to {
            Some(raise) => Action::RaiseTo { to: raise.max_to },
            None => Action::Call,
        };
        let turn = legal.turn;
        let order = Order::Act { hand, turn, action };
        node.order(player.0, order).await.expect("a legal action");
    }
}

#[tokio::test(start_paused = true)]
async fn the_question_is_still_open_after_a_restart() {
    let store = recorded(super::super::level::KNOWN).await;
    let first = node(store.clone(), 1).await;
    all_in(&first).await;
    let (hand, turn, open) = question(&first).await;
    assert_eq!(open.len(), 3);
    let answer = |agree| Order::RunTwice { hand, turn, agree };
    let agreed = first.order(open[0].0, answer(true)).await;
    agreed.expect("the first answer");
    let before = first.look().await.view;
    first.tree.stop().await;

    let second = node(store, 2).await;
    assert_eq!(second.look().await.view, before);
    let (_, _, left) = question(&second).await;
    assert_eq!(left, open[1..]);
    for player in left {
        let agreed = second.order(player.0, answer(true)).await;
        agreed.expect("the other answers");
    }
    let late = second.order(open[0].0, answer(false)).await;
    assert_eq!(late, Err(CallError::Rejected(Reject::RunTwiceTooLate)));
    let totals = second.tables.totals().await.expect("totals").sums;
    assert_eq!(totals.on_tables + totals.chips_out + totals.rake, 30_000);
    second.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_does_not_stop_the_hand() {
    let store = recorded(super::super::level::KNOWN).await;
    let node = node(store, 1).await;
    all_in(&node).await;
    let (hand, ..) = question(&node).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = node.look().await.view;
    assert!(seen.hand.is_none_or(|open| open.hand > hand));
    node.tree.stop().await;
}
