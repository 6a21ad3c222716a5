//! What a command does: the events that it causes, or the rule that refuses it. One file for each verb.

mod act;
mod between_hands;
mod close;
mod connection;
mod deal;
mod draft;
mod flow;
mod leave;
mod sit;
mod sit_out;
mod time_out;
mod top_up;
mod void;

use alloc::vec::Vec;

use crate::command::Command;
use crate::event::Event;
use crate::reject::Reject;
use crate::table::Table;

/// The events of a command, up to the next decision of a player; or why it is refused. Changes nothing: the caller
/// evolves a copy, checks it, keeps the events, and only then believes them.
pub fn decide(table: &Table, command: &Command) -> Result<Vec<Event>, Reject> {
    if table.closed {
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
        } => sit::sit(table, *player, name, *seat, (*buy_in, *must_bring), *entry),
        Command::Leave { player } => leave::leave(table, *player),
        Command::TopUp { player, amount } => top_up::top_up(table, *player, *amount),
        Command::SitOut { player } => sit_out::sit_out(table, *player),
        Command::SitIn { player, entry } => sit_out::sit_in(table, *player, *entry),
        Command::Act {
            player,
            hand,
            turn,
            action,
            bank_used_ms,
        } => act::act(table, *player, *hand, *turn, *action, *bank_used_ms),
        Command::TimeOut { hand, turn, phase } => time_out::time_out(table, *hand, *turn, *phase),
        Command::Connected { player } => connection::connection(table, *player, true),
        Command::Disconnected { player } => connection::connection(table, *player, false),
        Command::Deal { deck, first_button } => deal::deal(table, deck, *first_button),
        Command::Void => void::void(table),
        Command::Close => close::close(table),
    }
}
