//! Events folded into a table; events that do not fit.

use proto::v1::table_event::Event;
use proto::v1::{self, ActionKind, PostKind};

use super::{FoldError, Status, TableModel};
use crate::client::testing::{
    acted, added, award, back, ended, event, hole, left, opening, post, short_hand, shown, started,
    street, turn, view,
};

fn folded(events: &[Event]) -> Result<TableModel, FoldError> {
    let mut model = TableModel::new(&view()).unwrap();
    for one in events {
        model.apply(&event(one.clone()))?;
    }
    Ok(model)
}

fn check(events: &[Event], stacks: [u64; 2], middle: u64) -> TableModel {
    let model = folded(events).unwrap();
    let now: Vec<u64> = model.taken().map(|(_, seat)| seat.stack).collect();
    assert_eq!(
        (now.as_slice(), model.in_the_middle()),
        (stacks.as_slice(), middle)
    );
    assert_eq!(
        model.on_table() + model.chips_out + model.rake - model.chips_in,
        2_000
    );
    model
}

fn wrong(events: &[Event], expected: &FoldError) {
    assert_eq!(folded(events).as_ref().err(), Some(expected));
}

fn with(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

#[test]
fn blinds_and_cards() {
    let model = check(&opening(1, 1_000, 1_000), [995, 990], 15);
    assert_eq!(
        (model.hand, model.running, model.button),
        (1, true, Some(0))
    );
    assert_eq!(model.seat(0).map(|seat| seat.cards.len()), Some(2));
    let turn = model.turn.unwrap();
    assert_eq!(
        (
            turn.seat,
            turn.turn,
            turn.options.call,
            turn.options.raise_to
        ),
        (0, 1, Some(5), Some((20, 1_000)))
    );
}

#[test]
fn a_hand_that_nobody_calls() {
    let model = check(&short_hand(1, 1_000, 1_000), [995, 1_005], 0);
    assert!(!model.running);
    let twice = with(short_hand(1, 1_000, 1_000), short_hand(2, 995, 1_005));
    check(&twice, [990, 1_010], 0);
}

#[test]
fn a_hand_to_the_river_with_rake() {
    let all_in = [
        acted(0, 1, ActionKind::RaiseTo, 1_000, 995),
        turn(1, 2),
        acted(1, 2, ActionKind::Call, 1_000, 990),
        shown(0, "As Kd"),
        shown(1, "2c 2d"),
    ];
    let events = with(opening(1, 1_000, 1_000), all_in);
    let model = check(&events, [0, 0], 2_000);
    assert!(model.taken().all(|(_, seat)| seat.all_in));
    let rest = [
        street(v1::Street::Flop, "2h 3h 4h"),
        street(v1::Street::Turn, "5s"),
        street(v1::Street::River, "Qs"),
        award(2_000, 100, 1, 1_900),
        ended(1),
    ];
    let model = check(&with(events, rest), [0, 1_900], 0);
    assert_eq!((model.rake, model.board.len()), (100, 5));
}

#[test]
fn antes_and_dead_blinds_are_no_bets() {
    let posts = [
        post(0, PostKind::Ante, 1),
        post(1, PostKind::BigBlindAnte, 10),
        post(0, PostKind::DeadBlind, 5),
    ];
    let model = check(&with(vec![started(1, 1_000, 1_000)], posts), [994, 990], 16);
    assert_eq!(
        (model.pot, model.seat(0).map(|seat| seat.bet)),
        (16, Some(0))
    );
}

#[test]
fn seats_are_taken_and_left() {
    let taken = Event::SeatTaken(v1::SeatTaken {
        seat: 2,
        player_id: "eve".into(),
        display_name: "Eve".into(),
        stack: 500,
    });
    let left = |cash_out| left(2, "eve", cash_out);
    let model = folded(&[taken.clone(), left(500)]).unwrap();
    assert_eq!(
        (model.chips_in, model.chips_out, model.on_table()),
        (500, 500, 2_000)
    );
    wrong(&[taken.clone(), taken.clone()], &FoldError::SeatTaken(2));
    wrong(
        &[taken, left(499)],
        &FoldError::CashOutDiffers {
            seat: 2,
            told: 499,
            known: 500,
        },
    );
    wrong(&[left(0)], &FoldError::NoSuchSeat(2));
}

#[test]
fn chips_wait_for_the_end_of_the_hand_and_what_is_too_much_goes_back() {
    let added = |amount, queued| added(0, amount, queued);
    let model = folded(&[added(300, true)]).unwrap();
    assert_eq!((model.on_table(), model.chips_in), (2_300, 300));
    let model = folded(&[added(300, true), added(200, false)]).unwrap();
    assert_eq!(
        (model.on_table(), model.chips_in, model.chips_out),
        (2_200, 300, 100)
    );
    assert_eq!(
        model.seat(0).map(|seat| (seat.stack, seat.queued)),
        Some((1_200, 0))
    );
    let model = folded(&[added(200, false)]).unwrap();
    assert_eq!(
        (model.on_table(), model.chips_in, model.chips_out),
        (2_200, 200, 0)
    );
}

#[test]
fn a_void_hand_gives_the_chips_back() {
    let void = Event::HandVoided(v1::HandVoided { hand: 1 });
    let model = check(&with(opening(1, 1_000, 1_000), [void]), [1_000, 1_000], 0);
    assert!(!model.running);
}

#[test]
fn an_event_that_is_not_for_this_viewer_changes_nothing() {
    let mut model = TableModel::new(&view()).unwrap();
    let before = model.clone();
    model.apply(&v1::TableEvent { event: None }).unwrap();
    assert_eq!(model, before);
}

#[test]
fn what_does_not_fit_is_named() {
    wrong(
        &[started(2, 1_000, 1_000)],
        &FoldError::HandDiffers { told: 2, known: 0 },
    );
    wrong(
        &[started(1, 1_000, 999)],
        &FoldError::StackDiffers {
            seat: 1,
            told: 999,
            known: 1_000,
        },
    );
    wrong(&[ended(1)], &FoldError::HandDiffers { told: 1, known: 0 });
    let open = || opening(1, 1_000, 1_000);
    wrong(&with(open(), [ended(1)]), &FoldError::LeftInTheMiddle(15));
    let bet = FoldError::BetDiffers {
        seat: 0,
        bet: 5,
        added: 10,
        told: 20,
    };
    wrong(
        &with(open(), [acted(0, 1, ActionKind::RaiseTo, 20, 10)]),
        &bet,
    );
    let much = FoldError::NotEnough {
        what: "a bet",
        amount: 5_000,
        available: 995,
    };
    wrong(
        &with(open(), [acted(0, 1, ActionKind::RaiseTo, 5_005, 5_000)]),
        &much,
    );
    let pot = FoldError::PotDiffers {
        amount: 10,
        shares: 11,
        rake: 0,
    };
    wrong(&with(open(), [award(10, 0, 1, 11)]), &pot);
    let more = FoldError::NotEnough {
        what: "a pot",
        amount: 16,
        available: 15,
    };
    wrong(&with(open(), [award(16, 0, 1, 16)]), &more);
    let uncalled = FoldError::NotEnough {
        what: "an uncalled bet",
        amount: 11,
        available: 10,
    };
    wrong(&with(open(), [back(1, 11)]), &uncalled);
    wrong(&with(open(), [shown(1, "As 2c")]), &FoldError::CardTwice);
    wrong(
        &with(open(), [street(v1::Street::Unspecified, "")]),
        &FoldError::Meaningless("a street"),
    );
    assert!(matches!(
        folded(&[hole(0, "Xx Kd")]),
        Err(FoldError::Card(_))
    ));
    wrong(&[hole(5, "As Kd")], &FoldError::NoSuchSeat(5));
    wrong(&[turn(5, 1)], &FoldError::NoSuchSeat(5));
}

#[test]
fn a_snapshot_is_checked() {
    let mut many = view();
    many.settings.as_mut().unwrap().seats = 11;
    assert_eq!(TableModel::new(&many), Err(FoldError::Seats(11)));
    let mut outside = view();
    outside.seats[1].seat = 3;
    assert_eq!(TableModel::new(&outside), Err(FoldError::NoSuchSeat(3)));
    let mut twice = view();
    twice.seats[1].seat = 0;
    assert_eq!(TableModel::new(&twice), Err(FoldError::SeatTaken(0)));
    let mut full = view();
    full.pots = vec![
        v1::Pot {
            amount: u64::MAX,
            seats: vec![],
        },
        v1::Pot {
            amount: 1,
            seats: vec![],
        },
    ];
    assert_eq!(TableModel::new(&full), Err(FoldError::Overflow));
    let model = TableModel::new(&view()).unwrap();
    assert_eq!(
        model.seat_of("bob").map(|(no, seat)| (no, seat.status)),
        Some((1, Status::Playing))
    );
}
