//! What happened, as the wire says it.

use engine::eval::Made;
use engine::{
    Action, Away, Card, Cause, Dealt, Fact, LeaveReason, Owes, Post, Run, SeatNo, Side, Street,
    Turn,
};
use proto::v1;

use super::cards;

/// A public fact.
pub fn event(fact: &Fact) -> v1::TableEvent {
    v1::TableEvent {
        event: Some(public(fact)),
    }
}

/// A public fact, with what the winners hold if it pays a pot out, in the order of their shares.
pub fn won(fact: &Fact, hands: &[Option<Made>]) -> v1::TableEvent {
    let mut event = event(fact);
    if let (Some(v1::table_event::Event::PotAwarded(awarded)), Fact::PotAwarded { part, .. }) =
        (&mut event.event, fact)
    {
        for (share, made) in awarded.shares.iter_mut().zip(hands) {
            share.hand = made.map_or_else(String::new, |made| told(made, part.side));
        }
    }
    event
}

/// What a dealer would say of the hand that wins this half.
fn told(made: Made, side: Option<Side>) -> String {
    match (side, made.low) {
        (Some(Side::High), _) => made.high.to_string(),
        (Some(Side::Low), Some(low)) => low.to_string(),
        (Some(Side::Low) | None, _) => made.to_string(),
    }
}

/// The viewer's own cards.
pub fn own(seat: SeatNo, hole: &[Card]) -> v1::TableEvent {
    let own = v1::HoleCards {
        seat: seat.0.into(),
        cards: cards(hole),
    };
    v1::TableEvent {
        event: Some(v1::table_event::Event::HoleCards(own)),
    }
}

/// Something that this viewer may not see: always the same bytes, whatever it was (S6).
pub fn hidden() -> v1::TableEvent {
    v1::TableEvent { event: None }
}

/// A street.
pub fn street(street: Street) -> v1::Street {
    match street {
        Street::Preflop => v1::Street::Preflop,
        Street::Flop => v1::Street::Flop,
        Street::Turn => v1::Street::Turn,
        Street::River => v1::Street::River,
    }
}

/// A public fact from which a clock runs, with how long it runs.
pub fn timed(fact: &Fact, time_left_ms: u32) -> v1::TableEvent {
    let mut event = event(fact);
    if let Some(v1::table_event::Event::RunTwiceAsked(asked)) = &mut event.event {
        asked.time_left_ms = time_left_ms;
    }
    event
}

/// Who is asked whether to run it twice.
pub fn asked(turn: Turn, seats: &[SeatNo], time_left_ms: u32) -> v1::RunTwiceAsked {
    v1::RunTwiceAsked {
        turn: turn.0,
        seats: seats.iter().copied().map(no).collect(),
        time_left_ms,
    }
}

fn public(fact: &Fact) -> v1::table_event::Event {
    use v1::table_event::Event;
    match fact {
        Fact::SeatTaken {
            seat,
            player,
            name,
            buy_in,
            entry: _,
            owes: _,
        } => Event::SeatTaken(v1::SeatTaken {
            seat: no(*seat),
            player_id: player.to_string(),
            display_name: name.as_str().to_owned(),
            stack: *buy_in,
        }),
        Fact::SeatLeft {
            seat,
            player,
            cash_out,
            reason,
        } => Event::SeatLeft(v1::SeatLeft {
            seat: no(*seat),
            player_id: player.to_string(),
            cash_out: *cash_out,
            reason: left(*reason).to_owned(),
        }),
        Fact::LeaveAsked { seat } => Event::SeatChanged(v1::SeatChanged {
            leaving: Some(true),
            ..seat_changed(*seat)
        }),
        Fact::TopUpQueued { seat, amount } => Event::ChipsAdded(v1::ChipsAdded {
            seat: no(*seat),
            amount: *amount,
            queued: true,
            returned: 0,
        }),
        Fact::ToppedUp {
            seat,
            player: _,
            amount,
            returned,
        } => Event::ChipsAdded(v1::ChipsAdded {
            seat: no(*seat),
            amount: *amount,
            queued: false,
            returned: *returned,
        }),
        Fact::SatOut { seat, reason } => Event::SeatChanged(v1::SeatChanged {
            status: Some(v1::SeatStatus::SittingOut.into()),
            reason: away(*reason).to_owned(),
            ..seat_changed(*seat)
        }),
        Fact::SatIn { seat, entry: _ } => Event::SeatChanged(v1::SeatChanged {
            status: Some(v1::SeatStatus::Waiting.into()),
            ..seat_changed(*seat)
        }),
        Fact::ConnectionChanged { seat, connected } => Event::SeatChanged(v1::SeatChanged {
            connected: Some(*connected),
            ..seat_changed(*seat)
        }),
        Fact::BlindsMissed { seat, owes } => {
            let (small_blind, big_blind) = missed(*owes);
            Event::BlindsMissed(v1::BlindsMissed {
                seat: no(*seat),
                small_blind,
                big_blind,
            })
        }
        Fact::ButtonMissed { seat, times } => Event::ButtonMissed(v1::ButtonMissed {
            seat: no(*seat),
            times: u32::from(*times),
        }),
        Fact::HandStarted {
            hand,
            button,
            small_blind,
            big_blind,
            dealt,
        } => Event::HandStarted(v1::HandStarted {
            hand: hand.0,
            button: no(*button),
            small_blind: dealt
                .iter()
                .any(|dealt| dealt.seat == *small_blind && small_blind != big_blind)
                .then(|| no(*small_blind)),
            big_blind: no(*big_blind),
            dealt: dealt.iter().map(dealt_seat).collect(),
        }),
        Fact::Posted { seat, post, amount } => Event::Posted(v1::Posted {
            seat: no(*seat),
            kind: post_kind(*post).into(),
            amount: *amount,
        }),
        Fact::TurnStarted { seat, turn } => Event::TurnStarted(v1::Legal {
            seat: no(*seat),
            turn: turn.0,
            ..v1::Legal::default()
        }),
        Fact::ReconnectTimeStarted { seat, ms } => {
            Event::ReconnectTimeStarted(v1::ReconnectTimeStarted {
                seat: no(*seat),
                reconnect_ms: *ms,
            })
        }
        Fact::TimeBankStarted { seat, ms } => Event::TimeBankStarted(v1::TimeBankStarted {
            seat: no(*seat),
            bank_ms: *ms,
        }),
        Fact::TimedOut { seat } => Event::TimedOut(v1::TimedOut { seat: no(*seat) }),
        Fact::Acted {
            seat,
            turn,
            action,
            to,
            added,
            bank_used_ms,
            cause,
        } => Event::Acted(v1::Acted {
            seat: no(*seat),
            turn: turn.0,
            action: action_kind(*action).into(),
            to: *to,
            added: *added,
            bank_used_ms: *bank_used_ms,
            by: by(*cause).into(),
        }),
        Fact::UncalledReturned { seat, amount } => Event::UncalledReturned(v1::UncalledReturned {
            seat: no(*seat),
            amount: *amount,
        }),
        Fact::StreetDealt {
            street: of,
            cards: board,
        } => Event::StreetDealt(v1::StreetDealt {
            street: street(*of).into(),
            cards: cards(board),
        }),
        Fact::Shown { seat, cards: shown } => Event::Shown(v1::Shown {
            seat: no(*seat),
            cards: cards(shown),
        }),
        Fact::Mucked { seat } => Event::Mucked(v1::Mucked { seat: no(*seat) }),
        Fact::PotAwarded {
            pot,
            amount,
            rake,
            shares,
            part,
        } => Event::PotAwarded(v1::PotAwarded {
            side: side(part.side).into(),
            board: board(part.run),
            pot: (*pot).into(),
            amount: *amount,
            rake: *rake,
            shares: shares
                .iter()
                .map(|(seat, amount)| v1::PotShare {
                    seat: no(*seat),
                    amount: *amount,
                    hand: String::new(),
                })
                .collect(),
        }),
        Fact::RunTwiceAsked { turn, seats } => Event::RunTwiceAsked(asked(*turn, seats, 0)),
        Fact::RunTwiceAnswered { seat, agree } => Event::RunTwiceAnswered(v1::RunTwiceAnswered {
            seat: no(*seat),
            agree: *agree,
        }),
        Fact::RunTwiceSettled { twice } => {
            Event::RunTwiceSettled(v1::RunTwiceSettled { twice: *twice })
        }
        Fact::SecondBoardDealt {
            street: of,
            cards: board,
        } => Event::SecondBoardDealt(v1::SecondBoardDealt {
            street: street(*of).into(),
            cards: cards(board),
        }),
        Fact::HandEnded { hand } => Event::HandEnded(v1::HandEnded { hand: hand.0 }),
        Fact::HandVoided { hand } => Event::HandVoided(v1::HandVoided { hand: hand.0 }),
        Fact::TableClosed => Event::TableClosed(v1::TableClosed {}),
        Fact::StraddleChosen { seat, on } => Event::SeatChanged(v1::SeatChanged {
            straddles: Some(*on),
            ..seat_changed(*seat)
        }),
    }
}

fn no(seat: SeatNo) -> u32 {
    seat.0.into()
}

fn seat_changed(seat: SeatNo) -> v1::SeatChanged {
    v1::SeatChanged {
        seat: no(seat),
        ..v1::SeatChanged::default()
    }
}

fn dealt_seat(dealt: &Dealt) -> v1::DealtSeat {
    v1::DealtSeat {
        seat: no(dealt.seat),
        stack: dealt.stack,
    }
}

fn missed(owes: Owes) -> (bool, bool) {
    match owes {
        Owes::Nothing => (false, false),
        Owes::SmallBlind => (true, false),
        Owes::BigBlind => (false, true),
        Owes::Both => (true, true),
    }
}

fn left(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Asked => "asked",
        LeaveReason::Absent => "absent",
        LeaveReason::Closed => "closed",
    }
}

fn board(run: Option<Run>) -> u32 {
    match run {
        None => 0,
        Some(Run::First) => 1,
        Some(Run::Second) => 2,
    }
}

fn side(side: Option<Side>) -> v1::Side {
    match side {
        None => v1::Side::Unspecified,
        Some(Side::High) => v1::Side::High,
        Some(Side::Low) => v1::Side::Low,
    }
}

fn away(reason: Away) -> &'static str {
    match reason {
        Away::Asked => "asked",
        Away::TimedOut => "timeouts",
        Away::Broke => "broke",
    }
}

fn post_kind(post: Post) -> v1::PostKind {
    match post {
        Post::SmallBlind => v1::PostKind::SmallBlind,
        Post::BigBlind => v1::PostKind::BigBlind,
        Post::Ante => v1::PostKind::Ante,
        Post::BigBlindAnte => v1::PostKind::BigBlindAnte,
        Post::DeadBlind => v1::PostKind::DeadBlind,
        Post::LiveBlind => v1::PostKind::LiveBlind,
        Post::Straddle => v1::PostKind::Straddle,
    }
}

fn action_kind(action: Action) -> v1::ActionKind {
    match action {
        Action::Fold => v1::ActionKind::Fold,
        Action::Check => v1::ActionKind::Check,
        Action::Call => v1::ActionKind::Call,
        Action::RaiseTo { .. } => v1::ActionKind::RaiseTo,
    }
}

fn by(cause: Cause) -> v1::ActedBy {
    match cause {
        Cause::Player => v1::ActedBy::Player,
        Cause::TimeOut => v1::ActedBy::TimeOut,
        Cause::Away => v1::ActedBy::Away,
    }
}
