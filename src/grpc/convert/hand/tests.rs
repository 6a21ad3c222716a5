use std::{collections::BTreeSet, sync::Arc};

use engine::{Action, Command, Entry, Legal, Variant};
use proto::v1::table_event::Event as Wire;

use super::*;
use crate::{
    grpc::tests::stage,
    ids::Seq,
    table::{
        shuffle::shuffled,
        state::{Batch, Stamped, TableState},
    },
};

const TABLE: TableId = TableId(77);
const OUTSIDER: PlayerId = PlayerId(99);

/// A hand of three players who each do this at their turns.
fn played(mut action: impl FnMut(&Legal) -> Action) -> FinishedHand {
    let mut state =
        TableState::new(TABLE, "test".into(), stage::settings()).expect("sound settings");
    for player in 1..=3 {
        let name = Name::new(&format!("player {player}")).expect("a name");
        let sit = Command::Sit {
            player: PlayerId(player),
            name,
            seat: SeatNo(player as u8),
            buy_in: 5_000,
            entry: Entry::PostNow,
            must_bring: 0,
        };
        assert!(step(&mut state, &sit).is_none());
    }
    let deal = Command::Deal {
        deck: shuffled([3; 32], Variant::Holdem),
        first_button: SeatNo(1),
    };
    let mut finished = step(&mut state, &deal);
    while finished.is_none() {
        let legal = engine::legal(&state.table).expect("somebody is to act");
        let hand = state.table.hand().expect("a hand is played").no();
        let player = state.table.seat(legal.seat).expect("he sits there").player;
        let act = Command::Act {
            player,
            hand,
            turn: legal.turn,
            action: action(&legal),
            bank_used_ms: 0,
        };
        finished = step(&mut state, &act);
    }
    finished.expect("the loop ended")
}

fn step(state: &mut TableState, command: &Command) -> Option<FinishedHand> {
    let events = engine::decide(&state.table, command).expect("legal");
    let events = (state.seq.0 + 1..).zip(events);
    let events = events.map(|(seq, event)| {
        Arc::new(Stamped {
            seq: Seq(seq),
            at_ms: 1_000 + seq,
            event,
        })
    });
    let batch = Batch {
        table: TABLE,
        cause: None,
        note: None,
        events: events.collect(),
    };
    state.apply(&batch).finished
}

fn checked_down(legal: &Legal) -> Action {
    if legal.check {
        Action::Check
    } else {
        Action::Call
    }
}

fn folded(_legal: &Legal) -> Action {
    Action::Fold
}

fn hole_cards(hand: &FinishedHand, viewer: PlayerId) -> Vec<(u32, Vec<String>)> {
    let events = whole(hand, viewer)
        .events
        .into_iter()
        .filter_map(|event| event.event?.event);
    let own = |event| {
        if let Wire::HoleCards(own) = event {
            Some((own.seat, own.cards))
        } else {
            None
        }
    };
    events.filter_map(own).collect()
}

#[test]
fn own_cards_go_to_their_owner_and_to_nobody_else() {
    let hand = played(folded);
    let mut all = BTreeSet::new();
    for player in 1..=3_u8 {
        let own = hole_cards(&hand, PlayerId(player.into()));
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].0, u32::from(player));
        all.extend(own[0].1.iter().cloned());
    }
    assert_eq!(all.len(), 6, "each got two cards of his own: {all:?}");
    assert_eq!(hole_cards(&hand, OUTSIDER), []);
    // Everything else is the same for everybody.
    let public = |viewer| {
        let events = whole(&hand, viewer).events.into_iter();
        let public = |event: &v1::HandEvent| {
            !matches!(
                &event.event,
                Some(v1::TableEvent {
                    event: None | Some(Wire::HoleCards(_))
                })
            )
        };
        events.filter(public).collect::<Vec<_>>()
    };
    assert_eq!(public(OUTSIDER), public(PlayerId(1)));
    assert_eq!(
        public(OUTSIDER).len() + 1,
        hand.events.len(),
        "only the deck is hidden"
    );
}

#[test]
fn sequences_have_no_gap_for_any_viewer() {
    let hand = played(checked_down);
    for viewer in [PlayerId(2), OUTSIDER] {
        let sequences: Vec<u64> = whole(&hand, viewer)
            .events
            .iter()
            .map(|event| event.sequence)
            .collect();
        let first = hand.events[0].seq.0;
        assert_eq!(
            sequences,
            (first..first + hand.events.len() as u64).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_summary_adds_up() {
    let check = |hand: &FinishedHand, board: usize, pot: u64| {
        let wire = whole(hand, OUTSIDER);
        let summary = wire.summary.expect("always there");
        assert_eq!((summary.board.len(), summary.pot), (board, pot));
        assert_eq!(summary.player_ids.len(), 3);
        assert!(summary.started_ms < summary.ended_ms);
        let sum = |stack: fn(&v1::HandPlayer) -> u64| wire.players.iter().map(stack).sum::<u64>();
        assert_eq!(sum(|player| player.stack_before), 15_000);
        assert_eq!(sum(|player| player.stack_after), 15_000, "no chip is lost");
        let named = wire
            .players
            .iter()
            .all(|player| player.display_name.starts_with("player "));
        assert!(named);
    };
    check(&played(checked_down), 5, 300);
    // The big blind's upper half was called by nobody.
    check(&played(folded), 0, 100);
}

#[test]
fn what_wins_is_told_if_it_was_turned_up() {
    let hands = |hand: &FinishedHand| -> Vec<String> {
        let events = whole(hand, OUTSIDER).events.into_iter();
        let awards = events.filter_map(|event| {
            if let Wire::PotAwarded(awarded) = event.event?.event? {
                Some(awarded.shares)
            } else {
                None
            }
        });
        awards.flatten().map(|share| share.hand).collect()
    };
    assert_eq!(hands(&played(folded)), [""]);
    let won = hands(&played(checked_down));
    let board = summary(&played(checked_down)).board;
    assert_eq!(won, ["two pair, jacks and tens"], "{board:?}");
}

#[test]
fn an_export_shows_what_its_reader_may_see() {
    let hand = played(folded);
    let hidden = |viewer| {
        export(&hand, viewer, Format::Phh)
            .expect("a finished hand")
            .matches("????")
            .count()
    };
    assert_eq!(hidden(OUTSIDER), 3);
    assert_eq!(hidden(PlayerId(1)), 2);
    let dealt = |viewer| {
        let text = export(&hand, viewer, Format::Ohh).expect("a finished hand");
        text.matches("Dealt Cards").count()
    };
    assert_eq!((dealt(OUTSIDER), dealt(PlayerId(1))), (0, 1));
    let text = export(&hand, PlayerId(1), Format::Phh).expect("a finished hand");
    for card in &hole_cards(&hand, PlayerId(1))[0].1 {
        assert!(text.contains(card.as_str()), "{text}");
    }
}

#[test]
fn cursors_read_as_they_were_written() {
    let cursor = Cursor(HandRef {
        ended_ms: 1_234,
        table: TABLE,
        hand_no: HandNo(56),
    });
    assert_eq!(Cursor::parse(&cursor.token()), Ok(Some(cursor)));
    assert_eq!(Cursor::parse(""), Ok(None));
    for token in [
        "x",
        "1.2",
        "1..2",
        "1.2.3",
        "-1.00000000-0000-0000-0000-00000000004d.5",
        &format!("{}.", cursor.token()),
    ] {
        let refused = Cursor::parse(token).expect_err(token);
        assert_eq!(refused.reason, "BadPageToken", "{token}");
    }
}
