//! A table from what the wire tells of all of it.

use proto::v1;

use super::error::FoldError;
use super::{Options, RunTwice, SeatModel, Stakes, Status, Street, TableModel, Turn};
use crate::client::card::Card;

pub(super) fn model(view: &v1::TableView) -> Result<TableModel, FoldError> {
    let settings = view
        .settings
        .as_ref()
        .ok_or(FoldError::Meaningless("no settings"))?;
    if settings.seats > SEATS_MAX {
        return Err(FoldError::Seats(settings.seats));
    }
    let mut seats: Vec<Option<SeatModel>> = (0..settings.seats).map(|_| None).collect();
    for seat in &view.seats {
        // An empty seat may be told as one without a player.
        if seat.player_id.is_empty() {
            continue;
        }
        let index = usize::try_from(seat.seat).unwrap_or(usize::MAX);
        let space = seats
            .get_mut(index)
            .ok_or(FoldError::NoSuchSeat(seat.seat))?;
        if space.is_some() {
            return Err(FoldError::SeatTaken(seat.seat));
        }
        *space = Some(seat_model(seat)?);
    }
    let pot = view
        .pots
        .iter()
        .try_fold(0_u64, |sum, pot| sum.checked_add(pot.amount));
    Ok(TableModel {
        name: view.name.clone(),
        stakes: stakes(settings),
        seats,
        hand: view.hand,
        running: view.hand_running,
        street: street(view.street()).unwrap_or(Street::Preflop),
        board: cards(&view.board)?,
        second_board: cards(&view.second_board)?,
        run_twice: view.run_twice_asked.as_ref().map(run_twice),
        pot: pot.ok_or(FoldError::Overflow)?,
        button: view.button,
        turn: view.legal.as_ref().map(turn),
        rake: 0,
        chips_in: 0,
        chips_out: 0,
        parked: view.parked,
        closed: false,
        whole_hand: !view.hand_running,
    })
}

fn seat_model(seat: &v1::Seat) -> Result<SeatModel, FoldError> {
    Ok(SeatModel {
        player_id: seat.player_id.clone(),
        name: seat.display_name.clone(),
        stack: seat.stack,
        bet: seat.bet,
        queued: 0,
        status: status(seat.status()),
        connected: seat.connected,
        leaving: seat.leaving,
        straddles: seat.straddles,
        dealt: seat.dealt,
        in_hand: seat.in_hand,
        all_in: seat.all_in,
        cards: cards(&seat.cards)?,
        at_start: seat.stack,
    })
}

fn stakes(settings: &v1::Settings) -> Stakes {
    Stakes {
        small_blind: settings.small_blind,
        big_blind: settings.big_blind,
        ante: settings.ante.max(settings.big_blind_ante),
        buy_in_min: settings.buy_in_min,
        buy_in_max: settings.buy_in_max,
        rake_per_10000: settings.rake_per_10000,
        game: settings.game.unwrap_or_default(),
    }
}

pub(super) fn run_twice(asked: &v1::RunTwiceAsked) -> RunTwice {
    RunTwice {
        turn: asked.turn,
        open: asked.seats.clone(),
        time_left_ms: asked.time_left_ms,
    }
}

pub(super) fn turn(legal: &v1::Legal) -> Turn {
    Turn {
        seat: legal.seat,
        turn: legal.turn,
        options: Options {
            check: legal.check,
            call: (legal.call > 0).then_some(legal.call),
            raise_to: (legal.raise_to_max > 0).then_some((legal.raise_to_min, legal.raise_to_max)),
        },
        time_left_ms: legal.time_left_ms,
        bank_ms: legal.bank_ms,
    }
}

pub(super) fn status(status: v1::SeatStatus) -> Status {
    match status {
        v1::SeatStatus::Playing => Status::Playing,
        v1::SeatStatus::Waiting => Status::Waiting,
        v1::SeatStatus::SittingOut | v1::SeatStatus::Unspecified => Status::SittingOut,
    }
}

pub(super) fn street(street: v1::Street) -> Option<Street> {
    match street {
        v1::Street::Preflop => Some(Street::Preflop),
        v1::Street::Flop => Some(Street::Flop),
        v1::Street::Turn => Some(Street::Turn),
        v1::Street::River => Some(Street::River),
        v1::Street::Unspecified => None,
    }
}

pub(super) fn cards(texts: &[String]) -> Result<Vec<Card>, FoldError> {
    let cards = texts.iter().map(|text| text.parse());
    Ok(cards.collect::<Result<Vec<Card>, _>>()?)
}

/// What the wire promises.
const SEATS_MAX: u32 = 10;
