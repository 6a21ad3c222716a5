use std::sync::Arc;

use engine::{Card, Deck, Fact, HandNo, Legal, RaiseBounds, SeatNo, Secret, Turn, Variant};
use prost::Message;

use super::*;
use crate::{
    ids::{Epoch, Seq, TableId},
    table::{frame::ResetReason, request::Position, state::Stamped},
};

fn event(sight: Sight) -> Frame {
    Frame::Event(EventFrame {
        table: TableId(7),
        position: Position {
            epoch: Epoch(2),
            seq: Seq(40),
        },
        at_ms: 1_700_000_000_000,
        sight,
    })
}

fn deck(first: usize) -> Deck {
    let mut cards: Vec<Card> = Card::all().collect();
    cards.rotate_left(first);
    Deck::new(&cards).expect("each once")
}

fn stamped(event: Event) -> Arc<Stamped> {
    Arc::new(Stamped {
        seq: Seq(40),
        at_ms: 1,
        event,
    })
}

fn content(frame: Frame) -> Option<v1::table_event::Event> {
    let Some(Wire::Event(frame)) = wire(frame).frame else {
        panic!("an event frame")
    };
    assert_eq!(frame.table_id, TableId(7).to_string());
    assert_eq!(
        frame.position,
        Some(v1::Position {
            epoch: 2,
            sequence: 40
        })
    );
    frame.event.expect("always there").event
}

/// S6: neither what was hidden nor which cards were dealt shows in the length of a frame.
#[test]
fn lengths_say_nothing_about_cards() {
    let hidden = wire(event(Sight::Hidden)).encode_to_vec();
    let private = |first| {
        event(Sight::Public(stamped(Event::Private(Secret::Deck(deck(
            first,
        ))))))
    };
    for first in 0..52 {
        assert_eq!(
            wire(private(first)).encode_to_vec(),
            hidden,
            "a secret is hidden wherever it turns up"
        );
    }
    let own = |first| {
        let cards = deck(first)
            .hole(0, 2, Variant::Holdem)
            .expect("two players");
        wire(event(Sight::Own {
            seat: SeatNo(1),
            cards: cards.into(),
        }))
        .encode_to_vec()
    };
    for first in 1..52 {
        assert_eq!(own(first).len(), own(0).len());
        assert_ne!(own(first), own(0));
    }
}

#[test]
fn own_cards_and_facts_say_what_they_are() {
    let cards = deck(0).hole(0, 2, Variant::Holdem).expect("two players");
    let own = content(event(Sight::Own {
        seat: SeatNo(3),
        cards: cards.into(),
    }));
    let expected = v1::HoleCards {
        seat: 3,
        cards: vec!["2c".into(), "2h".into()],
    };
    assert_eq!(own, Some(v1::table_event::Event::HoleCards(expected)));
    let ended = content(event(Sight::Public(stamped(Event::Public(
        Fact::HandEnded { hand: HandNo(9) },
    )))));
    assert_eq!(
        ended,
        Some(v1::table_event::Event::HandEnded(v1::HandEnded { hand: 9 }))
    );
    assert_eq!(content(event(Sight::Hidden)), None);
}

#[test]
fn a_turn_carries_what_is_legal() {
    let check = |call, raise_to: Option<RaiseBounds>| {
        let legal = Legal {
            seat: SeatNo(4),
            turn: Turn(6),
            check: call == 0,
            call: (call > 0).then_some(call),
            raise_to,
        };
        let turn = content(event(Sight::Turn {
            legal,
            action_ms: 20_000,
            bank_ms: 60_000,
        }));
        let expected = v1::Legal {
            seat: 4,
            turn: 6,
            check: call == 0,
            call,
            raise_to_min: raise_to.map_or(0, |bounds| bounds.min_to),
            raise_to_max: raise_to.map_or(0, |bounds| bounds.max_to),
            time_left_ms: 20_000,
            bank_ms: 60_000,
            phase: v1::ClockPhase::Action.into(),
        };
        assert_eq!(turn, Some(v1::table_event::Event::TurnStarted(expected)));
    };
    check(0, None);
    check(
        300,
        Some(RaiseBounds {
            min_to: 600,
            max_to: 5_000,
        }),
    );
}

#[test]
fn resets_are_named() {
    for (reason, name) in [
        (ResetReason::Compacted, "compacted"),
        (ResetReason::Slow, "slow"),
        (ResetReason::UnknownTable, "unknown_table"),
    ] {
        let frame = wire(Frame::Reset {
            table: TableId(7),
            reason,
        })
        .frame;
        let expected = v1::TableReset {
            table_id: TableId(7).to_string(),
            reason: name.into(),
        };
        assert_eq!(frame, Some(Wire::Reset(expected)));
    }
}
