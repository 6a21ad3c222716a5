//! One arm for each event.

use proto::v1::table_event::Event;
use proto::v1::{self, ActionKind, PostKind};

use super::error::FoldError;
use super::snapshot::{cards, run_twice, street, turn};
use super::{SeatChange, SeatModel, Status, Street, TableModel};

pub(super) fn apply(table: &mut TableModel, event: &Event) -> Result<(), FoldError> {
    match event {
        Event::SeatTaken(taken) => seat_taken(table, taken),
        Event::SeatLeft(left) => seat_left(table, left),
        Event::SeatChanged(changed) => {
            let seat = seat_mut(table, changed.seat)?;
            let now = SeatChange::of(changed, seat);
            seat.status = now.status;
            seat.connected = now.connected;
            seat.leaving = now.leaving;
            seat.straddles = now.straddles;
            Ok(())
        }
        Event::ChipsAdded(added) => chips_added(table, added),
        Event::HandStarted(started) => hand_started(table, started),
        Event::Posted(posted) => post(table, posted),
        Event::HoleCards(hole) => {
            seat_mut(table, hole.seat)?.cards = cards(&hole.cards)?;
            distinct(table)
        }
        Event::TurnStarted(legal) => {
            seat_mut(table, legal.seat)?;
            table.turn = Some(turn(legal));
            Ok(())
        }
        Event::Acted(acted) => act(table, acted),
        Event::UncalledReturned(returned) => {
            let seat = seat_mut(table, returned.seat)?;
            seat.bet = less("an uncalled bet", seat.bet, returned.amount)?;
            seat.stack = more(seat.stack, returned.amount)?;
            seat.all_in = seat.in_hand && seat.stack == 0;
            Ok(())
        }
        Event::StreetDealt(dealt) => {
            table.street = street(dealt.street()).ok_or(FoldError::Meaningless("a street"))?;
            table.board.extend(cards(&dealt.cards)?);
            distinct(table)?;
            collect(table)
        }
        Event::RunTwiceAsked(asked) => {
            table.turn = None;
            table.run_twice = Some(run_twice(asked));
            Ok(())
        }
        Event::RunTwiceAnswered(answered) => {
            seat_mut(table, answered.seat)?;
            if let Some(asked) = &mut table.run_twice {
                asked.open.retain(|seat| *seat != answered.seat);
            }
            Ok(())
        }
        Event::RunTwiceSettled(settled) => {
            table.run_twice = None;
            if settled.twice {
                table.second_board = table.board.clone();
            }
            Ok(())
        }
        Event::SecondBoardDealt(dealt) => {
            table.second_board.extend(cards(&dealt.cards)?);
            distinct(table)
        }
        Event::Shown(shown) => {
            seat_mut(table, shown.seat)?.cards = cards(&shown.cards)?;
            distinct(table)
        }
        Event::PotAwarded(awarded) => award(table, awarded),
        Event::HandEnded(ended) => {
            same_hand(table, ended.hand)?;
            match table.in_the_middle() {
                0 => end(table),
                left => return Err(FoldError::LeftInTheMiddle(left)),
            }
            Ok(())
        }
        Event::HandVoided(voided) => {
            same_hand(table, voided.hand)?;
            void(table);
            Ok(())
        }
        Event::TableClosed(v1::TableClosed {}) => {
            table.closed = true;
            Ok(())
        }
        Event::Mucked(v1::Mucked { seat })
        | Event::TimedOut(v1::TimedOut { seat })
        | Event::BlindsMissed(v1::BlindsMissed { seat, .. })
        | Event::ReconnectTimeStarted(v1::ReconnectTimeStarted { seat, .. })
        | Event::ButtonMissed(v1::ButtonMissed { seat, .. })
        | Event::TimeBankStarted(v1::TimeBankStarted { seat, .. }) => {
            seat_mut(table, *seat).map(drop)
        }
    }
}

fn seat_taken(table: &mut TableModel, taken: &v1::SeatTaken) -> Result<(), FoldError> {
    let index = usize::try_from(taken.seat).unwrap_or(usize::MAX);
    let first_hand = table.hand == 0;
    let space = table
        .seats
        .get_mut(index)
        .ok_or(FoldError::NoSuchSeat(taken.seat))?;
    if space.is_some() {
        return Err(FoldError::SeatTaken(taken.seat));
    }
    *space = Some(SeatModel {
        player_id: taken.player_id.clone(),
        name: taken.display_name.clone(),
        stack: taken.stack,
        bet: 0,
        queued: 0,
        status: if first_hand {
            Status::Playing
        } else {
            Status::Waiting
        },
        connected: true,
        leaving: false,
        straddles: false,
        dealt: false,
        in_hand: false,
        all_in: false,
        cards: Vec::new(),
        at_start: taken.stack,
    });
    table.chips_in = more(table.chips_in, taken.stack)?;
    Ok(())
}

fn seat_left(table: &mut TableModel, left: &v1::SeatLeft) -> Result<(), FoldError> {
    let seat = seat_mut(table, left.seat)?;
    let known = more(seat.stack, seat.queued)?;
    if left.cash_out != known {
        return Err(FoldError::CashOutDiffers {
            seat: left.seat,
            told: left.cash_out,
            known,
        });
    }
    if let Some(space) = table
        .seats
        .get_mut(usize::try_from(left.seat).unwrap_or(usize::MAX))
    {
        *space = None;
    }
    table.chips_out = more(table.chips_out, left.cash_out)?;
    Ok(())
}

/// Chips are queued first and then join the stack, up to the table's limit; what is above it goes back.
fn chips_added(table: &mut TableModel, added: &v1::ChipsAdded) -> Result<(), FoldError> {
    let seat = seat_mut(table, added.seat)?;
    if added.queued {
        seat.queued = more(seat.queued, added.amount)?;
        table.chips_in = more(table.chips_in, added.amount)?;
        return Ok(());
    }
    seat.stack = more(seat.stack, added.amount)?;
    seat.at_start = more(seat.at_start, added.amount)?;
    let queued = std::mem::take(&mut seat.queued);
    if let Some(returned) = queued.checked_sub(added.amount) {
        table.chips_out = more(table.chips_out, returned)?;
    } else {
        table.chips_in = more(table.chips_in, added.amount - queued)?;
    }
    Ok(())
}

fn hand_started(table: &mut TableModel, started: &v1::HandStarted) -> Result<(), FoldError> {
    if table.running || started.hand != table.hand.saturating_add(1) {
        return Err(FoldError::HandDiffers {
            told: started.hand,
            known: table.hand,
        });
    }
    for seat in table.seats.iter_mut().flatten() {
        seat.dealt = false;
        seat.in_hand = false;
        seat.all_in = false;
        seat.bet = 0;
        seat.cards.clear();
        seat.at_start = seat.stack;
    }
    for dealt in &started.dealt {
        let seat = seat_mut(table, dealt.seat)?;
        if seat.stack != dealt.stack {
            return Err(FoldError::StackDiffers {
                seat: dealt.seat,
                told: dealt.stack,
                known: seat.stack,
            });
        }
        seat.dealt = true;
        seat.in_hand = true;
        seat.status = Status::Playing;
    }
    table.hand = started.hand;
    table.running = true;
    table.street = Street::Preflop;
    table.board.clear();
    table.second_board.clear();
    table.button = Some(started.button);
    table.turn = None;
    table.whole_hand = true;
    Ok(())
}

fn post(table: &mut TableModel, posted: &v1::Posted) -> Result<(), FoldError> {
    let kind = posted.kind();
    let seat = seat_mut(table, posted.seat)?;
    seat.stack = less("a post", seat.stack, posted.amount)?;
    seat.all_in = seat.in_hand && seat.stack == 0;
    match kind {
        PostKind::SmallBlind | PostKind::BigBlind | PostKind::LiveBlind | PostKind::Straddle => {
            seat.bet = more(seat.bet, posted.amount)?;
        }
        PostKind::Ante | PostKind::BigBlindAnte | PostKind::DeadBlind => {
            table.pot = more(table.pot, posted.amount)?;
        }
        PostKind::Unspecified => return Err(FoldError::Meaningless("a post")),
    }
    Ok(())
}

fn act(table: &mut TableModel, acted: &v1::Acted) -> Result<(), FoldError> {
    let action = acted.action();
    let seat = seat_mut(table, acted.seat)?;
    let bet = more(seat.bet, acted.added)?;
    if bet != acted.to {
        let (seat, bet) = (acted.seat, seat.bet);
        return Err(FoldError::BetDiffers {
            seat,
            bet,
            added: acted.added,
            told: acted.to,
        });
    }
    seat.stack = less("a bet", seat.stack, acted.added)?;
    seat.bet = bet;
    match action {
        ActionKind::Fold => seat.in_hand = false,
        ActionKind::Check | ActionKind::Call | ActionKind::RaiseTo => {}
        ActionKind::Unspecified => return Err(FoldError::Meaningless("an action")),
    }
    seat.all_in = seat.in_hand && seat.stack == 0;
    table.turn = None;
    Ok(())
}

fn award(table: &mut TableModel, awarded: &v1::PotAwarded) -> Result<(), FoldError> {
    collect(table)?;
    table.turn = None;
    let mut shares = 0;
    for share in &awarded.shares {
        let seat = seat_mut(table, share.seat)?;
        seat.stack = more(seat.stack, share.amount)?;
        shares = more(shares, share.amount)?;
    }
    if more(shares, awarded.rake)? != awarded.amount {
        return Err(FoldError::PotDiffers {
            amount: awarded.amount,
            shares,
            rake: awarded.rake,
        });
    }
    table.pot = less("a pot", table.pot, awarded.amount)?;
    table.rake = more(table.rake, awarded.rake)?;
    Ok(())
}

/// The bets of the street go into the middle.
fn collect(table: &mut TableModel) -> Result<(), FoldError> {
    for seat in table.seats.iter_mut().flatten() {
        table.pot = more(table.pot, std::mem::take(&mut seat.bet))?;
    }
    Ok(())
}

fn end(table: &mut TableModel) {
    table.run_twice = None;
    table.running = false;
    table.turn = None;
    for seat in table.seats.iter_mut().flatten() {
        seat.in_hand = false;
        seat.all_in = false;
    }
}

/// Stacks as at the start of the hand. What was paid out of it, rake included, is taken back.
fn void(table: &mut TableModel) {
    table.pot = 0;
    for seat in table.seats.iter_mut().flatten() {
        seat.bet = 0;
        if seat.dealt {
            seat.stack = seat.at_start;
        }
    }
    end(table);
}

fn same_hand(table: &TableModel, told: u64) -> Result<(), FoldError> {
    if table.running && table.hand == told {
        return Ok(());
    }
    Err(FoldError::HandDiffers {
        told,
        known: table.hand,
    })
}

/// No card on the board and in the hands that are known is there twice.
fn distinct(table: &TableModel) -> Result<(), FoldError> {
    let hands = table.seats.iter().flatten().flat_map(|seat| &seat.cards);
    // Both boards begin with the same cards.
    let second = table.second_board.iter().enumerate();
    let own = second.filter(|(place, card)| table.board.get(*place) != Some(card));
    let boards = table.board.iter().chain(own.map(|(_, card)| card));
    let known: Vec<_> = boards.chain(hands).collect();
    let twice = known
        .iter()
        .enumerate()
        .any(|(place, card)| known[..place].contains(card));
    if twice {
        Err(FoldError::CardTwice)
    } else {
        Ok(())
    }
}

fn seat_mut(table: &mut TableModel, no: u32) -> Result<&mut SeatModel, FoldError> {
    let seat = usize::try_from(no)
        .ok()
        .and_then(|index| table.seats.get_mut(index));
    seat.and_then(Option::as_mut)
        .ok_or(FoldError::NoSuchSeat(no))
}

fn more(amount: u64, by: u64) -> Result<u64, FoldError> {
    amount.checked_add(by).ok_or(FoldError::Overflow)
}

fn less(what: &'static str, available: u64, amount: u64) -> Result<u64, FoldError> {
    available.checked_sub(amount).ok_or(FoldError::NotEnough {
        what,
        amount,
        available,
    })
}
