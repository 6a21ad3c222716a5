//! Who is playing: sessions, and the guests that they are made for.
//!
//! A session is a random token; the store keeps only its SHA-256. A guest is a new player with such a token and nothing
//! else. Other ways to prove who one is come in as variants of [`Identity`]; what follows from a session does not change.
//!
//! - [`Sessions`]: makes guests, authenticates tokens
//! - [`token`]: the random bits, their text and their hash
//! - [`display_name`]: what a player may be called
//! - `cache`, `limit`: bounded memory of sessions, and how many guests an address may make

mod cache;
pub mod display_name;
pub mod limit;
pub mod sessions;
pub mod token;

pub use display_name::NameProblem;
pub use limit::{GuestLimit, network};
pub use sessions::{AccountsError, Identity, NewGuest, Session, SessionSettings, Sessions};
pub use token::Token;
