//! What a command does: the events that it causes, or the rule that refuses it. One file for each verb.

mod act;
mod between_hands;
mod close;
mod connection;
mod deal;
mod draft;
mod flow;
mod leave;
mod run_twice;
mod sit;
mod sit_out;
mod straddle;
mod time_out;
mod top_up;
mod void;

use alloc::vec::Vec;

use self::draft::Draft;
use crate::command::Command;
use crate::event::Event;
use crate::reject::Reject;
use crate::table::Table;

/// The events of a command, up to the next decision of a player; or why it is refused. Changes nothing: the caller
/// evolves a copy, checks it, keeps the events, and only then believes them.
pub fn decide(table: &Table, command: &Command) -> Result<Vec<Event>, Reject> {
    let mut events = Vec::new();
    carry_out(&mut table.clone(), command, &mut events)?;
    Ok(events)
}

/// `decide` and `evolve` in one, for who plays alone: the table is as after the events, which are added to `events`. A
/// refusal changes nothing.
pub fn carry_out(
    table: &mut Table,
    command: &Command,
    events: &mut Vec<Event>,
) -> Result<(), Reject> {
    draw_up(&mut Draft::new(table, events), command)
}

/// Refuses before the first event, or not at all.
fn draw_up(draft: &mut Draft, command: &Command) -> Result<(), Reject> {
    if draft.table().closed {
        return Err(Reject::TableClosed);
    }
    match command {
        Command::Sit {
            player,
            name,
            seat,
            buy_in,
            entry,
            must_bring,
        } => sit::sit(draft, *player, name, *seat, (*buy_in, *must_bring), *entry),
        Command::Leave { player } => leave::leave(draft, *player),
        Command::TopUp { player, amount } => top_up::top_up(draft, *player, *amount),
        Command::SitOut { player } => sit_out::sit_out(draft, *player),
        Command::SitIn { player, entry } => sit_out::sit_in(draft, *player, *entry),
        Command::Act {
            player,
            hand,
            turn,
            action,
            bank_used_ms,
        } => act::act(draft, *player, *hand, *turn, *action, *bank_used_ms),
        Command::RunTwice {
            player,
            hand,
            turn,
            agree,
        } => run_twice::run_twice(draft, *player, *hand, *turn, *agree),
        Command::TimeOut { hand, turn, phase } => time_out::time_out(draft, *hand, *turn, *phase),
        Command::Connected { player } => connection::connection(draft, *player, true),
        Command::Disconnected { player } => connection::connection(draft, *player, false),
        Command::Straddle { player, on } => straddle::straddle(draft, *player, *on),
        Command::Deal { deck, first_button } => deal::deal(draft, deck, *first_button),
        Command::Void => void::void(draft),
        Command::Close => close::close(draft),
    }
}
