//! A player at a table: his chips between hands, and what he owes before he is dealt in again.

use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::PlayerId;

/// A taken seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// Who sits here.
    pub player: PlayerId,
    /// What the others call him.
    pub name: Name,
    /// His chips as of the end of the last hand. While he is dealt in, his chips are in the hand: `Table::stack`.
    pub stack: u64,
    /// Chips that he brought during a hand; they join the stack after it (R17).
    pub queued_top_up: u64,
    /// Why he is not dealt in; `None` if he plays.
    pub away: Option<Away>,
    /// What he must post before he is dealt in elsewhere than in the big blind (R11).
    pub owes: Owes,
    /// How he comes in when he owes.
    pub entry: Entry,
    /// Asked to leave; gone after the hand (R18).
    pub leaving: bool,
    /// Whether he has a connection, as far as the table was told.
    pub connected: bool,
    /// Time-outs since he last decided by himself (R19).
    pub timeouts_in_row: u8,
    /// How often the button passed while he was away (R11).
    pub absent_buttons: u8,
    /// What is left of his time bank.
    pub bank_ms: u32,
    /// Straddles where he may (R13).
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub straddles: bool,
}

/// The name that a player shows at the table: 1 to 32 bytes, no control characters, no blanks at its ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// What is not a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "a name has 1 to {} bytes, no control characters and no blanks at its ends",
    Name::BYTES_MAX
)]
pub struct NameError;

/// Why a player is not dealt in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Away {
    /// He asked for it.
    Asked,
    /// Too many time-outs in a row (R19); until the hand ends he checks or folds at once.
    TimedOut,
    /// He has no chips.
    Broke,
}

/// How a player who owes a blind comes in (R11). Nobody can buy the button: its buyer would be the only blind of a hand, and
/// then the big blind would not move one seat a hand (R10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Entry {
    /// He waits until the big blind reaches him.
    #[default]
    WaitForBigBlind,
    /// He posts as soon as the rules let him.
    PostNow,
}

/// What a player owes (R11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum Owes {
    /// Nothing.
    #[default]
    Nothing,
    /// He missed the small blind: that, dead.
    SmallBlind,
    /// He is new: a live big blind.
    BigBlind,
    /// He missed both: a live big blind and a dead small blind.
    Both,
}

impl Seat {
    /// Whether he can be dealt in, as far as it is up to him.
    pub fn ready(&self) -> bool {
        self.away.is_none() && !self.leaving && self.stack > 0
    }
}

impl Name {
    /// The longest name.
    pub const BYTES_MAX: usize = 32;

    /// A name, if it is one.
    pub fn new(text: &str) -> Result<Name, NameError> {
        let fits = (1..=Name::BYTES_MAX).contains(&text.len());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Name(text.into()))
        } else {
            Err(NameError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Name, NameError> {
        Name::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.as_str().into()
    }
}

#[cfg(test)]
mod tests;
