//! Every violation is shown red on a fabricated history, and no honest history is.

use proto::v1::table_event::Event;
use proto::v1::{self, ActionKind};

use super::check::{Checker, Deed};
use super::violation::Violation;
use crate::client::error::Refusal;
use crate::client::model::Move;
use crate::client::testing::{
    ME, TABLE, acted, added, award, back, ended, event, hole, opening, short_hand, shown, started,
    street, turn, view, words,
};
use crate::client::track::At;
use crate::client::watch::Update;

/// One thing that the checker is told.
#[derive(Clone)]
enum Told {
    Event(Event),
    /// A snapshot at this sequence.
    Snapshot(u64, Box<v1::TableView>),
    Acknowledged(Deed, u64),
    Refused(Deed),
    Update(Update),
}
use Told::{Acknowledged, Refused, Snapshot};

/// Tells it all; events are numbered one after the other.
fn told(all: impl IntoIterator<Item = Told>) -> Checker {
    let mut checker = Checker::new(TABLE, ME);
    let mut sequence = 0;
    let at = |sequence| At { epoch: 1, sequence };
    checker.update(&Update::Snapshot {
        table: TABLE.into(),
        at: at(0),
        view: Box::new(view()),
    });
    for one in all {
        match one {
            Told::Event(of) => {
                sequence += 1;
                let update = Update::Event {
                    table: TABLE.into(),
                    at: at(sequence),
                    at_ms: 0,
                    event: event(of),
                };
                checker.update(&update);
            }
            Snapshot(to, view) => {
                sequence = to;
                checker.update(&Update::Snapshot {
                    table: TABLE.into(),
                    at: at(to),
                    view,
                });
            }
            Acknowledged(deed, to) => checker.acknowledged(deed, at(to)),
            Refused(deed) => checker.refused(deed),
            Told::Update(update) => checker.update(&update),
        }
    }
    checker
}

fn check(all: impl IntoIterator<Item = Told>, expected: &[Violation]) {
    let findings = told(all).take_findings();
    let found: Vec<Violation> = findings.iter().map(|finding| finding.violation).collect();
    assert_eq!(found, expected, "{findings:?}");
}

fn events(events: Vec<Event>) -> Vec<Told> {
    events.into_iter().map(Told::Event).collect()
}

/// The opening of hand 1 (events 1 to 5), and then this.
fn open(then: Vec<Told>) -> Vec<Told> {
    let mut all = events(opening(1, 1_000, 1_000));
    all.extend(then);
    all
}

fn fold() -> Event {
    acted(0, 1, ActionKind::Fold, 5, 0)
}

const FOLD: Deed = Deed {
    hand: 1,
    turn: 1,
    what: Move::Fold,
};
const CALL: Deed = Deed {
    hand: 1,
    turn: 1,
    what: Move::Call,
};

/// The table in mid-hand, as a snapshot right after the opening shows it.
fn mid_hand() -> v1::TableView {
    let mut view = view();
    view.hand = 1;
    view.hand_running = true;
    view.street = v1::Street::Preflop.into();
    view.button = Some(0);
    let Event::TurnStarted(legal) = turn(0, 1) else {
        panic!("it is a turn")
    };
    view.legal = Some(legal);
    for (seat, bet) in view.seats.iter_mut().zip([5, 10]) {
        seat.stack = 1_000 - bet;
        seat.bet = bet;
        seat.dealt = true;
        seat.in_hand = true;
    }
    view.seats[0].cards = words("As Kd");
    view
}

fn snapshot(sequence: u64, change: impl FnOnce(&mut v1::TableView)) -> Told {
    let mut view = mid_hand();
    change(&mut view);
    Snapshot(sequence, Box::new(view))
}

#[test]
fn honest_histories_are_clean() {
    check(events(short_hand(1, 1_000, 1_000)), &[]);
    let mut two = events(short_hand(1, 1_000, 1_000));
    two.extend(events(short_hand(2, 995, 1_005)));
    check(two, &[]);
    check(open(vec![Told::Event(fold()), Acknowledged(FOLD, 6)]), &[]);
    check(open(vec![Acknowledged(FOLD, 6), Told::Event(fold())]), &[]);
    check(
        open(vec![
            Refused(CALL),
            Told::Event(fold()),
            Acknowledged(FOLD, 6),
        ]),
        &[],
    );
    check(open(vec![snapshot(5, |_| {}), Told::Event(fold())]), &[]);
    check(
        open(vec![
            Told::Event(fold()),
            Told::Event(back(1, 5)),
            Told::Event(award(10, 0, 1, 10)),
            Told::Event(ended(1)),
        ]),
        &[],
    );
}

#[test]
fn p1_chips_that_do_not_add_up() {
    let lost = vec![Told::Event(fold()), Told::Event(award(15, 0, 1, 14))];
    check(open(lost), &[Violation::ChipsNotConserved]);
    let raised = vec![Told::Event(acted(0, 1, ActionKind::RaiseTo, 50, 40))];
    check(open(raised), &[Violation::ChipsNotConserved]);
    let mut richer = events(short_hand(1, 1_000, 1_000));
    richer.push(Told::Event(started(2, 996, 1_005)));
    check(richer, &[Violation::ChipsNotConserved]);
    check(
        open(vec![Told::Event(ended(1))]),
        &[Violation::ChipsNotConserved],
    );
    check(
        open(vec![snapshot(9, |view| view.seats[1].stack += 1)]),
        &[Violation::ChipsNotConserved],
    );
}

#[test]
fn p2_acknowledged_and_not_in_the_log() {
    let other = || Told::Event(acted(0, 1, ActionKind::Call, 10, 5));
    check(
        open(vec![Acknowledged(FOLD, 6), other()]),
        &[Violation::AcknowledgedLost],
    );
    check(
        open(vec![other(), Acknowledged(FOLD, 6)]),
        &[Violation::AcknowledgedLost],
    );
    check(
        open(vec![Acknowledged(FOLD, 5)]),
        &[Violation::AcknowledgedLost],
    );
}

#[test]
fn p2_what_a_snapshot_replaced_is_not_verified_and_not_accused() {
    let checker = told(open(vec![Acknowledged(FOLD, 6), snapshot(9, |_| {})]));
    assert_eq!((checker.unverified(), checker.jumps()), (1, 1));
    check(open(vec![Acknowledged(FOLD, 6), snapshot(9, |_| {})]), &[]);
    let waiting = told(open(vec![Acknowledged(FOLD, 6)]));
    assert_eq!(waiting.unverified(), 1);
}

#[test]
fn p2_one_turn_twice() {
    let again = vec![
        Told::Event(acted(0, 1, ActionKind::Call, 10, 5)),
        Told::Event(turn(0, 1)),
        Told::Event(acted(0, 1, ActionKind::Check, 10, 0)),
    ];
    check(open(again), &[Violation::ActedTwice]);
}

#[test]
fn p3_refused_and_in_the_log() {
    check(
        open(vec![Refused(FOLD), Told::Event(fold())]),
        &[Violation::RefusedHappened],
    );
    check(
        open(vec![Told::Event(fold()), Refused(FOLD)]),
        &[Violation::RefusedHappened],
    );
}

#[test]
fn p3_what_the_clock_did_is_not_what_was_refused() {
    let timed_out = || Told::Event(Event::TimedOut(v1::TimedOut { seat: 0 }));
    check(
        open(vec![Refused(FOLD), timed_out(), Told::Event(fold())]),
        &[],
    );
    check(
        open(vec![timed_out(), Told::Event(fold()), Refused(FOLD)]),
        &[],
    );
}

#[test]
fn p5_cards_of_others() {
    check(
        open(vec![Told::Event(hole(1, "2c 2d"))]),
        &[Violation::ForeignCards],
    );
    check(
        open(vec![snapshot(5, |view| {
            view.seats[1].cards = words("2c 2d")
        })]),
        &[Violation::ForeignCards],
    );
    // Once no bet is possible any more, all hands are shown.
    let all_in = |view: &mut v1::TableView| {
        view.legal = None;
        view.seats[1].cards = words("2c 2d");
    };
    check(open(vec![snapshot(9, all_in)]), &[]);
}

#[test]
fn p6_other_cards_than_before() {
    check(
        open(vec![Told::Event(hole(0, "As Kc"))]),
        &[Violation::CardsChanged],
    );
    check(
        open(vec![Told::Event(shown(0, "As Kc"))]),
        &[Violation::CardsChanged],
    );
    check(open(vec![Told::Event(shown(0, "As Kd"))]), &[]);
    check(
        open(vec![snapshot(9, |view| {
            view.seats[0].cards = words("As Kc")
        })]),
        &[Violation::CardsChanged],
    );
}

#[test]
fn p6_the_same_place_shows_another_table() {
    let differs = |change: fn(&mut v1::TableView)| {
        check(open(vec![snapshot(5, change)]), &[Violation::StateChanged])
    };
    differs(|view| view.seats[0].stack -= 1);
    differs(|view| view.seats[0].in_hand = false);
    differs(|view| view.legal.as_mut().unwrap().seat = 1);
    differs(|view| view.legal.as_mut().unwrap().turn = 2);
    differs(|view| view.legal.as_mut().unwrap().call = 6);
    differs(|view| view.board = words("2c 3c 4c"));
    differs(|view| view.hand_running = false);
}

#[test]
fn p6_a_board_that_changed_in_a_jump() {
    let flop = Told::Event(street(v1::Street::Flop, "2c 3c 4c"));
    let other = snapshot(20, |view| {
        view.board = words("2c 3c 5c 6c");
        view.street = v1::Street::Turn.into();
        view.pots = vec![v1::Pot {
            amount: 15,
            seats: vec![0, 1],
        }];
        for seat in &mut view.seats {
            seat.bet = 0;
        }
    });
    check(open(vec![flop, other]), &[Violation::StateChanged]);
}

#[test]
fn p6_somebody_acts_out_of_turn() {
    check(
        open(vec![Told::Event(acted(1, 1, ActionKind::Check, 10, 0))]),
        &[Violation::OutOfTurn],
    );
    check(
        open(vec![Told::Event(acted(0, 2, ActionKind::Fold, 5, 0))]),
        &[Violation::OutOfTurn],
    );
    let nobody = vec![
        Told::Event(acted(0, 1, ActionKind::Call, 10, 5)),
        Told::Event(acted(1, 2, ActionKind::Check, 10, 0)),
    ];
    check(open(nobody), &[Violation::OutOfTurn]);
}

#[test]
fn p7_a_hand_is_voided() {
    let void = Told::Event(Event::HandVoided(v1::HandVoided { hand: 1 }));
    check(open(vec![void]), &[Violation::HandVoided]);
}

#[test]
fn p8_missing_and_rewound() {
    let gap = Update::Gap {
        table: TABLE.into(),
        missing: 3,
    };
    check([Told::Update(gap)], &[Violation::Gap]);
    let rewound = Update::Rewound {
        table: TABLE.into(),
        by: 2,
    };
    check([Told::Update(rewound)], &[Violation::Rewound]);
    check(
        [Told::Event(started(2, 1_000, 1_000))],
        &[Violation::HandOutOfOrder],
    );
}

#[test]
fn nonsense_and_a_forgotten_table() {
    check(
        open(vec![Told::Event(hole(0, "Xx"))]),
        &[Violation::Malformed, Violation::Malformed],
    );
    check([Told::Event(turn(7, 1))], &[Violation::Malformed]);
    let refusal = Refusal {
        rule: "NoSuchTable".into(),
        text: String::new(),
        facts: Default::default(),
        repeated: false,
    };
    check(
        [Told::Update(Update::Refused {
            table: TABLE.into(),
            refusal,
        })],
        &[Violation::Forgotten],
    );
}

#[test]
fn after_a_contradiction_a_snapshot_is_asked_for_once() {
    let mut checker = told(open(vec![Told::Event(ended(1))]));
    assert!(checker.model().is_none());
    assert!(checker.takes_snapshot());
    assert!(!checker.takes_snapshot());
}

#[test]
fn chips_that_the_player_brought_are_counted_once() {
    let checker = told(events(vec![
        added(0, 300, true),
        added(0, 200, false),
        added(0, 50, false),
    ]));
    assert_eq!(checker.own_in(), 350);
    assert_eq!(checker.base(), 2_000);
}
