//! The other side of the wire: what every client of a server shares.
//!
//! A `Link` finds a server among several addresses, a `Player` calls it and repeats what got no answer, a `Watch` keeps
//! one stream open for any number of tables and loses nothing, a `TableModel` folds what comes. `bots` plays, and checks
//! the promises while it does. No type of the transport leaves this module.

mod address;
mod admin;
mod backoff;
pub mod bots;
mod calls;
mod card;
mod error;
mod game;
pub mod house;
mod link;
mod model;
mod session;
mod status;
mod track;
mod watch;

#[cfg(test)]
mod link_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod watch_tests;

pub use address::{Address, AddressError};
pub use admin::Operator;
pub use backoff::{Backoff, Patience, jitter};
pub use calls::{Answer, ForTurn, RequestIds};
pub use card::{Card, CardError};
pub use error::{CallError, Refusal};
pub use game::{GameName, NoGame, holding, notes, seats_max, title, usual_ante};
pub use link::Link;
pub use model::{
    FoldError, Move, Options, SeatChange, SeatModel, Stakes, Status, Street, TableModel, Turn,
};
pub use session::{Player, Session, SessionError};
pub use track::{At, Step, Track};
pub use watch::{Update, Watch, WatchOptions};
