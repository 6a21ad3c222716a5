use std::collections::BTreeSet;
use std::format;

use super::Reject;
use crate::command::Phase;
use crate::ids::{HandNo, SeatNo, Turn};

#[test]
fn every_refusal_has_its_own_name() {
    let all = [
        Reject::TableClosed,
        Reject::NotSeated,
        Reject::AlreadySeated { seat: SeatNo(0) },
        Reject::NoSuchSeat { seats: 2 },
        Reject::SeatOccupied,
        Reject::BuyInBelowMinimum { min: 1 },
        Reject::BuyInAboveMaximum { max: 1 },
        Reject::Rathole { must_bring: 1 },
        Reject::TopUpOfNothing,
        Reject::TopUpAboveMaximum { max: 1 },
        Reject::Leaving,
        Reject::AlreadySittingOut,
        Reject::AlreadyPlaying,
        Reject::NoChips,
        Reject::ConnectionUnchanged,
        Reject::HandInProgress { hand: HandNo(1) },
        Reject::NoHand,
        Reject::StaleHand { hand: HandNo(1) },
        Reject::StaleTurn { turn: Turn(1) },
        Reject::StaleClock { phase: Phase::Bank },
        Reject::NotYourTurn { seat: SeatNo(0) },
        Reject::CheckFacingBet { to_call: 1 },
        Reject::NothingToCall,
        Reject::RaiseBelowMinimum { min_to: 1 },
        Reject::RaiseAboveStack { max_to: 1 },
        Reject::RaiseNotReopened,
        Reject::RaiseUncallable,
        Reject::RaiseBeyondChips,
        Reject::RaiseAbovePot { max_to: 1 },
        Reject::RaiseNotTheLimit { to: 1 },
        Reject::RaisesCapped { raises_max: 4 },
        Reject::NoStraddles,
        Reject::StraddleUnchanged,
        Reject::NeverRunTwice,
        Reject::RunTwiceNotAsked,
        Reject::RunTwiceTooLate,
        Reject::RunTwiceAnswered,
        Reject::RunTwiceNotInvolved,
        Reject::NotEnoughPlayers,
        Reject::WrongDeck { cards: 36 },
        Reject::DeckMissing,
    ];
    let names: BTreeSet<&str> = all.iter().map(Reject::name).collect();
    assert_eq!(names.len(), all.len());
    for reject in all {
        let debug = format!("{reject:?}");
        assert_eq!(debug.split(' ').next(), Some(reject.name()));
        assert!(reject.rule().is_empty() || reject.rule().starts_with('R'));
    }
}
