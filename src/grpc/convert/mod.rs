//! Wire ↔ domain, both ways: parsed once at the edge, and prost types go no further than this folder and the services.
//!
//! - [`request`]: ids, marks, orders, pages
//! - [`settings`]: what a table plays
//! - [`view`], [`fact`], [`frame`]: what a viewer sees
//! - [`hand`]: finished hands

pub mod fact;
pub mod frame;
pub mod game;
pub mod hand;
pub mod request;
pub mod settings;
pub mod view;

use engine::Card;

/// Cards as text.
fn cards(cards: &[Card]) -> Vec<String> {
    cards.iter().map(Card::to_string).collect()
}
