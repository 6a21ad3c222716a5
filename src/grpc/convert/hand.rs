//! Finished hands as one viewer may see them: public facts, and his own cards if he was dealt in.

use std::sync::Arc;

use engine::eval::Made;
use engine::{Card, Dealt, Event, Fact, Game, HoleCards, Name, PlayerId, Run, SeatNo, Secret};
use proto::v1;

use super::{cards, fact, request::Format, settings};
use crate::{
    grpc::status::Invalid,
    ids::{HandNo, TableId},
    phh::{
        export::{self, ExportError},
        ohh,
    },
    store::HandRef,
    table::state::{FinishedHand, Stamped},
};

/// A line of the list.
pub fn summary(hand: &FinishedHand) -> v1::HandSummary {
    let mut board: Vec<Card> = Vec::new();
    let mut pot = 0_u64;
    for fact in facts(hand) {
        if let Fact::StreetDealt { cards, .. } = fact {
            board.extend_from_slice(cards);
        }
        if let Fact::PotAwarded { amount, .. } = fact {
            pot = pot.saturating_add(*amount);
        }
    }
    v1::HandSummary {
        table_id: hand.table.to_string(),
        hand: hand.hand.0,
        started_ms: hand.events.first().map_or(0, |stamped| stamped.at_ms),
        ended_ms: hand.events.last().map_or(0, |stamped| stamped.at_ms),
        board: cards(&board),
        pot,
        player_ids: dealt(hand)
            .iter()
            .map(|dealt| dealt.player.to_string())
            .collect(),
    }
}

/// The whole hand as this player may see it.
pub fn whole(hand: &FinishedHand, viewer: PlayerId) -> v1::GetHandResponse {
    v1::GetHandResponse {
        summary: Some(summary(hand)),
        settings: Some(settings::wire(&hand.settings)),
        players: dealt(hand)
            .iter()
            .map(|dealt| player(hand, dealt))
            .collect(),
        events: events(hand, viewer),
    }
}

/// The hand as a text for other programs, as this player may see it.
///
/// # Errors
/// When the format has no spelling for the hand.
pub fn export(
    hand: &FinishedHand,
    viewer: PlayerId,
    format: Format,
) -> Result<String, ExportError> {
    let facts: Vec<Fact> = facts(hand).cloned().collect();
    let names: Vec<Name> = dealt(hand)
        .iter()
        .filter_map(|dealt| name(hand, dealt.player))
        .cloned()
        .collect();
    let known: Vec<(SeatNo, HoleCards)> = own_cards(hand, viewer).into_iter().collect();
    let record = export::HandRecord {
        settings: &hand.settings,
        table: Some(&hand.name),
        facts: &facts,
        names: &names,
        known: &known,
    };
    match format {
        Format::Phh => export::export(&record),
        Format::Ohh => {
            let origin = ohh::Origin {
                game_number: &format!("{}-{}", hand.table, hand.hand),
                started_ms: hand.events.first().map_or(0, |stamped| stamped.at_ms),
                hero: known.first().map(|(seat, _)| *seat),
            };
            ohh::export(&record, origin)
        }
    }
}

/// Where a list of hands goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub HandRef);

impl Cursor {
    /// The text that a client sends back.
    pub fn token(self) -> String {
        let Self(HandRef {
            ended_ms,
            table,
            hand_no,
        }) = self;
        format!("{ended_ms}.{table}.{hand_no}")
    }

    /// The place of a token; none begins at the newest.
    pub fn parse(token: &str) -> Result<Option<Self>, Invalid> {
        if token.is_empty() {
            return Ok(None);
        }
        let bad = || {
            Invalid::new(
                "page_token",
                "BadPageToken",
                "send next_page_token of the page before",
            )
        };
        let parse = || {
            let mut parts = token.splitn(3, '.');
            let ended_ms: u64 = parts.next()?.parse().ok()?;
            let table: TableId = parts.next()?.parse().ok()?;
            let hand_no = HandNo(parts.next()?.parse().ok()?);
            Some(Self(HandRef {
                ended_ms,
                table,
                hand_no,
            }))
        };
        parse().map(Some).ok_or_else(bad)
    }
}

fn events(hand: &FinishedHand, viewer: PlayerId) -> Vec<v1::HandEvent> {
    let mut up = FaceUp::default();
    let told = |stamped: &Arc<Stamped>| {
        if let Event::Public(public) = &stamped.event {
            up.note(public);
        }
        let event = match &stamped.event {
            Event::Public(public @ Fact::PotAwarded { shares, part, .. }) => {
                let made =
                    |(seat, _): &(SeatNo, u64)| up.made(*seat, part.run, &hand.settings.game);
                let hands: Vec<Option<Made>> = shares.iter().map(made).collect();
                fact::won(public, &hands)
            }
            Event::Public(_) | Event::Private(_) => event(&stamped.event, hand, viewer),
        };
        v1::HandEvent {
            sequence: stamped.seq.0,
            at_ms: stamped.at_ms,
            event: Some(event),
        }
    };
    hand.events.iter().map(told).collect()
}

/// The cards of a hand that everybody saw, so far.
#[derive(Default)]
struct FaceUp {
    board: Vec<Card>,
    second: Vec<Card>,
    shown: Vec<(SeatNo, engine::Cards)>,
}

impl FaceUp {
    fn note(&mut self, fact: &Fact) {
        if let Fact::StreetDealt { cards, .. } = fact {
            self.board.extend_from_slice(cards);
        }
        if let Fact::RunTwiceSettled { twice: true } = fact {
            self.second = self.board.clone();
        }
        if let Fact::SecondBoardDealt { cards, .. } = fact {
            self.second.extend_from_slice(cards);
        }
        if let Fact::Shown { seat, cards } = fact {
            self.shown.push((*seat, *cards));
        }
    }

    fn made(&self, seat: SeatNo, run: Option<Run>, game: &Game) -> Option<Made> {
        let (_, hole) = self.shown.iter().find(|(of, _)| *of == seat)?;
        let board = match run {
            Some(Run::Second) => &self.second,
            Some(Run::First) | None => &self.board,
        };
        Some(Made::of(game, hole, board))
    }
}

fn event(event: &Event, hand: &FinishedHand, viewer: PlayerId) -> v1::TableEvent {
    match event {
        Event::Public(public) => fact::event(public),
        Event::Private(secret) => own(secret, hand, viewer)
            .map_or_else(fact::hidden, |(seat, hole)| fact::own(seat, hole.cards())),
    }
}

/// What of a secret is this player's: nothing, unless he was dealt in.
fn own(secret: &Secret, hand: &FinishedHand, viewer: PlayerId) -> Option<(SeatNo, HoleCards)> {
    let Secret::Deck(deck) = secret;
    let dealt = dealt(hand);
    let place = dealt.iter().position(|dealt| dealt.player == viewer)?;
    let hole = deck.hole(place, dealt.len(), hand.settings.game.variant)?;
    Some((dealt.get(place)?.seat, hole))
}

fn own_cards(hand: &FinishedHand, viewer: PlayerId) -> Option<(SeatNo, HoleCards)> {
    hand.events.iter().find_map(|stamped| match &stamped.event {
        Event::Public(_) => None,
        Event::Private(secret) => own(secret, hand, viewer),
    })
}

fn player(hand: &FinishedHand, dealt: &Dealt) -> v1::HandPlayer {
    v1::HandPlayer {
        seat: dealt.seat.0.into(),
        player_id: dealt.player.to_string(),
        display_name: name(hand, dealt.player)
            .map_or_else(String::new, |name| name.as_str().to_owned()),
        stack_before: dealt.stack,
        stack_after: stack_after(hand, dealt),
    }
}

/// What the hand left of a stack; chips that were brought during it are not counted.
fn stack_after(hand: &FinishedHand, dealt: &Dealt) -> u64 {
    let mine = |seat: &SeatNo| *seat == dealt.seat;
    let (mut paid, mut got) = (0_u64, 0_u64);
    for fact in facts(hand) {
        match fact {
            Fact::HandVoided { .. } => return dealt.stack,
            Fact::Posted { seat, amount, .. } if mine(seat) => paid = paid.saturating_add(*amount),
            Fact::Acted { seat, added, .. } if mine(seat) => paid = paid.saturating_add(*added),
            Fact::UncalledReturned { seat, amount } if mine(seat) => {
                got = got.saturating_add(*amount)
            }
            Fact::PotAwarded { shares, .. } => {
                let shares = shares
                    .iter()
                    .filter(|(seat, _)| mine(seat))
                    .map(|(_, amount)| *amount);
                got = shares.fold(got, u64::saturating_add);
            }
            Fact::Posted { .. }
            | Fact::Acted { .. }
            | Fact::UncalledReturned { .. }
            | Fact::SeatTaken { .. }
            | Fact::SeatLeft { .. }
            | Fact::LeaveAsked { .. }
            | Fact::TopUpQueued { .. }
            | Fact::ToppedUp { .. }
            | Fact::SatOut { .. }
            | Fact::SatIn { .. }
            | Fact::ConnectionChanged { .. }
            | Fact::BlindsMissed { .. }
            | Fact::ButtonMissed { .. }
            | Fact::HandStarted { .. }
            | Fact::TurnStarted { .. }
            | Fact::ReconnectTimeStarted { .. }
            | Fact::TimeBankStarted { .. }
            | Fact::TimedOut { .. }
            | Fact::StreetDealt { .. }
            | Fact::Shown { .. }
            | Fact::Mucked { .. }
            | Fact::HandEnded { .. }
            | Fact::TableClosed
            | Fact::StraddleChosen { .. }
            | Fact::RunTwiceAsked { .. }
            | Fact::RunTwiceAnswered { .. }
            | Fact::RunTwiceSettled { .. }
            | Fact::SecondBoardDealt { .. } => {}
        }
    }
    dealt.stack.saturating_add(got).saturating_sub(paid)
}

fn facts(hand: &FinishedHand) -> impl Iterator<Item = &Fact> {
    hand.events
        .iter()
        .filter_map(|stamped| match &stamped.event {
            Event::Public(fact) => Some(fact),
            Event::Private(_) => None,
        })
}

fn dealt(hand: &FinishedHand) -> &[Dealt] {
    let started = facts(hand).find_map(|fact| {
        if let Fact::HandStarted { dealt, .. } = fact {
            Some(dealt)
        } else {
            None
        }
    });
    started.map_or(&[], Vec::as_slice)
}

fn name(hand: &FinishedHand, player: PlayerId) -> Option<&Name> {
    hand.names
        .iter()
        .find(|(named, _)| *named == player)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
