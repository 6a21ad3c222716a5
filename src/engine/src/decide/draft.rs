//! The events of a decision so far, and the table as it will be after them.

use alloc::vec::Vec;

use crate::deck::Deck;
use crate::event::{Event, Fact, Secret};
use crate::evolve::apply;
use crate::hand::Hand;
use crate::ids::{PlayerId, SeatNo};
use crate::reject::Reject;
use crate::seat::Seat;
use crate::table::Table;

/// Whoever drafts refuses before the first event: what was pushed is done.
pub(super) struct Draft<'t> {
    table: &'t mut Table,
    events: &'t mut Vec<Event>,
}

impl<'t> Draft<'t> {
    pub(super) fn new(table: &'t mut Table, events: &'t mut Vec<Event>) -> Draft<'t> {
        Draft { table, events }
    }

    pub(super) fn table(&self) -> &Table {
        self.table
    }

    pub(super) fn hand(&self) -> Option<&Hand> {
        self.table.hand()
    }

    pub(super) fn push(&mut self, fact: Fact) {
        apply(self.table, &fact);
        self.events.push(Event::Public(fact));
    }

    pub(super) fn push_deck(&mut self, deck: &Deck) {
        self.table.restore_secret(deck.clone());
        self.events.push(Event::Private(Secret::Deck(deck.clone())));
    }
}

/// The player's seat, or that he has none.
pub(super) fn seat_of(table: &Table, player: PlayerId) -> Result<(SeatNo, &Seat), Reject> {
    table.seat_of(player).ok_or(Reject::NotSeated)
}

/// The open hand with its deck.
pub(super) fn open_hand(table: &Table) -> Result<&Hand, Reject> {
    let hand = table.hand().ok_or(Reject::NoHand)?;
    if table.wants_secret() {
        return Err(Reject::DeckMissing);
    }
    Ok(hand)
}
