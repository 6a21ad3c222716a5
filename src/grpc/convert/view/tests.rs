use engine::{PlayerId, Viewer};

use super::*;
use crate::{
    grpc::tests::stage::{Node, TABLE},
    table::request::Order,
};

#[tokio::test(start_paused = true)]
async fn a_view_says_what_its_viewer_may_see() {
    let node = Node::start().await;
    node.open(TABLE).await;
    let empty = node
        .tables
        .view(TABLE, Viewer::Spectator)
        .await
        .expect("a view");
    let wire = table(&empty);
    assert_eq!(
        (wire.seats.len(), wire.hand, wire.hand_running, wire.legal),
        (0, 0, false, None)
    );
    assert_eq!(
        (wire.button, wire.your_seat, wire.street),
        (None, None, v1::Street::Unspecified.into())
    );

    for player in 1..=2 {
        node.sit(TABLE, PlayerId(player)).await;
    }
    node.until(TABLE, "a hand is played", |seen| seen.view.hand.is_some())
        .await;
    // Dealt in or not: who comes now waits for the next hand.
    node.sit(TABLE, PlayerId(3)).await;
    for viewer in [
        Viewer::Player(PlayerId(1)),
        Viewer::Player(PlayerId(2)),
        Viewer::Spectator,
    ] {
        let seen = node.tables.view(TABLE, viewer).await.expect("a view");
        let wire = table(&seen);
        assert!(wire.hand_running && wire.hand == 1 && wire.pot == 150 && wire.current_bet == 100);
        assert_eq!(wire.pots, [], "all chips are bets of this street");
        let legal = wire.legal.expect("somebody is to act");
        assert_eq!(
            (
                legal.check,
                legal.call,
                legal.raise_to_min,
                legal.raise_to_max
            ),
            (false, 50, 200, 5_000)
        );
        assert!(legal.time_left_ms > 0 && legal.bank_ms == 2_000);
        for seat in &wire.seats {
            let mine = viewer == Viewer::Player(PlayerId(u128::from(seat.seat) + 1));
            assert_eq!(wire.your_seat == Some(seat.seat), mine);
            let dealt = seat.seat < 2;
            assert_eq!(
                seat.cards.len(),
                if mine && dealt { 2 } else { 0 },
                "{viewer:?} {seat:?}"
            );
            assert_eq!((seat.dealt, seat.in_hand), (dealt, dealt));
            let status = if dealt {
                v1::SeatStatus::Playing
            } else {
                v1::SeatStatus::Waiting
            };
            assert_eq!(seat.status, i32::from(status));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pots_are_those_of_the_streets_before() {
    let node = Node::start().await;
    node.open(TABLE).await;
    for player in 1..=2 {
        node.sit(TABLE, PlayerId(player)).await;
    }
    let seen = node
        .until(TABLE, "a hand is played", |seen| seen.view.hand.is_some())
        .await;
    for action in [engine::Action::Call, engine::Action::Check] {
        let hand = node
            .tables
            .view(TABLE, Viewer::Spectator)
            .await
            .expect("a view")
            .view
            .hand
            .expect("played");
        let legal = hand.legal.expect("somebody is to act");
        let player = PlayerId(u128::from(legal.seat.0) + 1);
        let order = Order::Act {
            hand: hand.hand,
            turn: legal.turn,
            action,
        };
        node.order(TABLE, player, order).await.expect("legal");
    }
    let flop = node
        .tables
        .view(TABLE, Viewer::Spectator)
        .await
        .expect("a view");
    let wire = table(&flop);
    assert_eq!(wire.street, i32::from(v1::Street::Flop));
    assert_eq!((wire.board.len(), wire.pot, wire.current_bet), (3, 200, 0));
    assert_eq!(wire.pots.len(), 1);
    assert_eq!(wire.pots[0].amount, 200);
    let mut seats = wire.pots[0].seats.clone();
    seats.sort_unstable();
    assert_eq!(seats, [0, 1]);
    assert!(flop.position > seen.position);
}
