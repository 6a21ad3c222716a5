//! Between a player's order and the engine's commands and refusals.

use engine::{Command, Entry, Event, Name, PlayerId, Reject, SeatNo, Table};

use super::request::CallError;

/// What the engine decided on a command.
pub struct Decided {
    /// The events.
    pub events: Vec<Event>,
    /// The kind of command, for errors.
    pub command: &'static str,
}

/// The command for taking a seat: the first empty one if none is named. What the player
/// must bring since he took it off the table not long ago is `must_bring` (R17).
///
/// # Errors
/// When the name is none, or no seat is empty.
pub fn sit(
    table: &Table,
    player: PlayerId,
    seat: Option<SeatNo>,
    name: &str,
    (buy_in, must_bring): (u64, u64),
    post_now: bool,
) -> Result<Command, CallError> {
    let name = Name::new(name).map_err(|error| CallError::Refused {
        rule: "BadName",
        text: error.to_string(),
    })?;
    let full = || CallError::Refused {
        rule: "TableFull",
        text: "no seat is empty".into(),
    };
    let seat = match seat {
        Some(seat) => seat,
        None => (0..table.settings().seats)
            .map(SeatNo)
            .find(|seat| table.seat(*seat).is_none())
            .ok_or_else(full)?,
    };
    Ok(Command::Sit {
        player,
        name,
        seat,
        buy_in,
        entry: entry(post_now),
        must_bring,
    })
}

/// How a player comes in.
pub fn entry(post_now: bool) -> Entry {
    if post_now {
        Entry::PostNow
    } else {
        Entry::WaitForBigBlind
    }
}

/// A refusal of the engine, as callers hear it.
pub fn refusal(reject: &Reject) -> CallError {
    CallError::Rejected(*reject)
}

/// The kind of a command: what errors and logs say of it, without its content.
pub fn name(command: &Command) -> &'static str {
    match command {
        Command::Sit { .. } => "sit",
        Command::Leave { .. } => "leave",
        Command::TopUp { .. } => "top up",
        Command::SitOut { .. } => "sit out",
        Command::SitIn { .. } => "sit in",
        Command::Straddle { .. } => "straddle",
        Command::RunTwice { .. } => "run twice",
        Command::Act { .. } => "act",
        Command::TimeOut { .. } => "time-out",
        Command::Connected { .. } => "connected",
        Command::Disconnected { .. } => "disconnected",
        Command::Deal { .. } => "deal",
        Command::Void => "void",
        Command::Close => "close",
    }
}
