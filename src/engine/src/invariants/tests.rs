//! A forged event is noticed. Every table here is one hand of two players with 100 chips each, blinds 1 and 2.

use alloc::vec;
use alloc::vec::Vec;

use super::{Broken, check};
use crate::card::Card;
use crate::cards::Cards;
use crate::command::Command;
use crate::decide::decide;
use crate::deck::Deck;
use crate::event::{Event, Fact, LeaveReason, Part};
use crate::evolve::evolve;
use crate::hand::Street;
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::seat::{Entry, Name, Owes};
use crate::settings::Settings;
use crate::table::Table;

fn table() -> Table {
    let mut table = Table::new(Settings::new(3, 1, 2)).unwrap();
    let name = Name::new("someone").unwrap();
    let sit = |seat| {
        let (player, name, entry) = (PlayerId(seat), name.clone(), Entry::PostNow);
        Command::Sit {
            player,
            name,
            seat: SeatNo(seat as u8),
            buy_in: 100,
            entry,
            must_bring: 0,
        }
    };
    let cards: Vec<Card> = Card::all().collect();
    let deck = Deck::new(&cards).unwrap();
    for command in [
        sit(0),
        sit(1),
        Command::Deal {
            deck,
            first_button: SeatNo(0),
        },
    ] {
        for event in decide(&table, &command).unwrap() {
            evolve(&mut table, &event);
            assert_eq!(check(&table), Ok(()));
        }
    }
    table
}

fn forged(fact: Fact) -> Result<(), Broken> {
    let mut table = table();
    evolve(&mut table, &Event::Public(fact));
    check(&table)
}

#[test]
fn chips_from_nowhere_are_noticed() {
    let shares = vec![(SeatNo(0), 4)];
    let awarded = Fact::PotAwarded {
        pot: 0,
        amount: 3,
        rake: 0,
        shares,
        part: Part::default(),
    };
    assert_eq!(
        forged(awarded),
        Err(Broken::ChipsNotConserved {
            chips_in: 200,
            accounted: 201
        })
    );
    let returned = Fact::UncalledReturned {
        seat: SeatNo(0),
        amount: 2,
    };
    assert_eq!(
        forged(returned),
        Err(Broken::ChipsNotConserved {
            chips_in: 200,
            accounted: 201
        })
    );
}

#[test]
fn chips_that_vanish_are_noticed() {
    let shares = vec![(SeatNo(0), 1)];
    let awarded = Fact::PotAwarded {
        pot: 0,
        amount: 3,
        rake: 1,
        shares,
        part: Part::default(),
    };
    assert_eq!(
        forged(awarded),
        Err(Broken::ChipsNotConserved {
            chips_in: 200,
            accounted: 199
        })
    );
    let ended = Fact::HandEnded { hand: HandNo(1) };
    assert_eq!(
        forged(ended),
        Err(Broken::ChipsNotConserved {
            chips_in: 200,
            accounted: 197
        })
    );
}

#[test]
fn a_pot_is_not_paid_twice() {
    let mut table = table();
    for _ in 0..2 {
        let shares = vec![(SeatNo(0), 2)];
        let awarded = Fact::PotAwarded {
            pot: 0,
            amount: 2,
            rake: 0,
            shares,
            part: Part::default(),
        };
        evolve(&mut table, &Event::Public(awarded));
    }
    assert!(check(&table).is_err());
}

#[test]
fn a_card_is_in_one_place() {
    let ace: Card = "As".parse().unwrap();
    let cards = Cards::new(&[ace, ace, ace]).unwrap();
    let dealt = Fact::StreetDealt {
        street: Street::Flop,
        cards,
    };
    assert_eq!(forged(dealt), Err(Broken::CardTwice));
    let cards = Cards::new(&[ace]).unwrap();
    let dealt = Fact::StreetDealt {
        street: Street::Flop,
        cards,
    };
    assert_eq!(forged(dealt), Err(Broken::BoardLength { cards: 1 }));
}

#[test]
fn seats_and_turns_belong_to_players() {
    let left = Fact::SeatLeft {
        seat: SeatNo(0),
        player: PlayerId(0),
        cash_out: 0,
        reason: LeaveReason::Asked,
    };
    assert_eq!(forged(left), Err(Broken::SeatLost { seat: SeatNo(0) }));
    let turn = Fact::TurnStarted {
        seat: SeatNo(2),
        turn: Turn(2),
    };
    assert_eq!(forged(turn), Err(Broken::TurnOfNobody { seat: SeatNo(2) }));
    let twice = Fact::SeatTaken {
        seat: SeatNo(2),
        player: PlayerId(1),
        name: Name::new("someone").unwrap(),
        buy_in: 100,
        entry: Entry::PostNow,
        owes: Owes::Nothing,
    };
    assert_eq!(
        forged(twice),
        Err(Broken::SitsTwice {
            player: PlayerId(1)
        })
    );
}
