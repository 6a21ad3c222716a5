#![no_std]
//! The rules of poker, and nothing else: no clock, no random numbers, no input or output.
//!
//! `decide` turns a command into events or refuses it by name, `evolve` folds an event into a table and cannot fail, `view` and
//! `see` are the only doors out. Time comes in as a `TimeOut` command and chance as the deck of a `Deal` command.
//! Rules are named by their number in `rules.md` (R1 …).

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bet;
mod button;
pub mod card;
mod cards;
mod command;
mod decide;
pub mod deck;
pub mod eval;
mod event;
mod evolve;
mod game;
mod hand;
mod ids;
mod invariants;
pub mod pot;
mod reject;
mod seat;
mod settings;
mod showdown;
mod table;
mod view;

pub use bet::{Legal, RaiseBounds, legal};
pub use card::{Card, CardError};
pub use cards::{Cards, TooManyCards};
pub use command::{Action, Command, Phase};
pub use decide::{carry_out, decide};
pub use deck::{Deck, DeckError, HoleCards};
pub use event::{Cause, Dealt, Event, Fact, LeaveReason, Part, Post, Run, Secret, Side};
pub use evolve::evolve;
pub use game::{
    Betting, Blinds, CapOff, Game, GameError, Limits, Straddle, StraddleFrom, StraddleRaise,
    Variant,
};
pub use hand::{Hand, InHand, Positions, Street};
pub use ids::{HandNo, IdError, PlayerId, SeatNo, Turn};
pub use invariants::{Broken, check};
pub use reject::Reject;
pub use seat::{Away, Entry, Name, NameError, Owes, Seat};
pub use settings::{Ante, ButtonRule, Clock, Rake, Settings, SettingsError};
pub use table::{Ledger, RunningClock, Table};
pub use view::{HandView, OwnCards, PlayerView, PotView, SeatView, Seen, View, Viewer, see, view};
