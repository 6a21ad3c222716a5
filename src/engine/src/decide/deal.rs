//! The next hand: positions, antes and blinds, cards (R1, R10, R11, R12).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::draft::Draft;
use super::flow;
use super::straddle::straddler;
use crate::button::{Layout, layout};
use crate::deck::Deck;
use crate::event::{Dealt, Fact, Post};
use crate::game::Blinds;
use crate::ids::{HandNo, SeatNo};
use crate::reject::Reject;
use crate::seat::Owes;
use crate::settings::Ante;

pub(super) fn deal(draft: &mut Draft, deck: &Deck, first_button: SeatNo) -> Result<(), Reject> {
    let table = draft.table();
    if let Some(hand) = table.hand() {
        return Err(Reject::HandInProgress { hand: hand.no });
    }
    let variant = table.settings.game.variant;
    if !deck.is_of(variant) {
        return Err(Reject::WrongDeck {
            cards: variant.deck_len(),
        });
    }
    let layout = layout(table, first_button).ok_or(Reject::NotEnoughPlayers)?;
    let positions = layout.positions;
    let hand = HandNo(table.hands_started.0.saturating_add(1));
    let straddler = straddler(table, positions, &layout.dealt);
    let seated = layout
        .dealt
        .iter()
        .filter_map(|no| Some((*no, table.seat(*no)?)));
    let mut dealt = Vec::with_capacity(layout.dealt.len());
    dealt.extend(seated.map(|(seat, taken)| Dealt {
        seat,
        player: taken.player,
        stack: taken.stack,
    }));
    absences(draft, &layout);
    draft.push(Fact::HandStarted {
        hand,
        button: positions.button,
        small_blind: positions.small_blind,
        big_blind: positions.big_blind,
        dealt,
    });
    draft.push_deck(deck);
    post_all(draft, &layout);
    if let Some((seat, amount)) = straddler {
        post(draft, seat, Post::Straddle, amount);
    }
    // Who straddles has the last word (R13).
    let last = straddler.map_or(positions.big_blind, |(seat, _)| seat);
    flow::go_on_after(draft, last);
    Ok(())
}

fn absences(draft: &mut Draft, layout: &Layout) {
    for (seat, owes) in layout.missed.iter().copied() {
        draft.push(Fact::BlindsMissed { seat, owes });
    }
    for seat in layout.passed.iter().copied() {
        let times = draft
            .table()
            .seat(seat)
            .map_or(0, |taken| taken.absent_buttons)
            .saturating_add(1);
        draft.push(Fact::ButtonMissed { seat, times });
    }
}

fn post_all(draft: &mut Draft, layout: &Layout) {
    let settings = Arc::clone(&draft.table().settings);
    let Layout {
        positions,
        dealt,
        debts,
        ..
    } = layout;
    // One's own ante comes before the blind; the ante for all comes after it (R12).
    if let Ante::Each(ante) = settings.ante {
        for seat in dealt {
            post(draft, *seat, Post::Ante, ante);
        }
    }
    // The small blind's seat may be empty: then there is none (R10).
    if settings.game.blinds == Blinds::SmallAndBig {
        post(
            draft,
            positions.small_blind,
            Post::SmallBlind,
            settings.small_blind,
        );
    }
    post(
        draft,
        positions.big_blind,
        Post::BigBlind,
        settings.big_blind,
    );
    if let Ante::BigBlind(ante) = settings.ante {
        post(draft, positions.big_blind, Post::BigBlindAnte, ante);
    }
    for seat in dealt
        .iter()
        .copied()
        .filter(|seat| *debts && *seat != positions.big_blind)
    {
        let owes = draft
            .hand()
            .and_then(|hand| hand.player(seat))
            .map_or(Owes::Nothing, |player| player.owed);
        let (live, dead) = match owes {
            Owes::Nothing => continue,
            Owes::SmallBlind => (0, settings.small_blind),
            Owes::BigBlind => (settings.big_blind, 0),
            Owes::Both => (settings.big_blind, settings.small_blind),
        };
        post(draft, seat, Post::LiveBlind, live);
        post(draft, seat, Post::DeadBlind, dead);
    }
}

/// Posts so much, or what the player has left; nothing for a seat that is not in the hand.
fn post(draft: &mut Draft, seat: SeatNo, post: Post, amount: u64) {
    let stack = draft
        .hand()
        .and_then(|hand| hand.player(seat))
        .map_or(0, |player| player.stack);
    let amount = amount.min(stack);
    if amount > 0 {
        draft.push(Fact::Posted { seat, post, amount });
    }
}
