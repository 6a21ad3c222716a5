//! Laws of the engine over random tables and random commands, legal and illegal ones (R22). Proptest replays a failure from
//! its seed; `PROPTEST_CASES` says how many runs.

mod game;
mod run;

use engine::eval::Made;
use engine::{
    Action, Blinds, Card, Command, Deck, Entry, Event, Fact, Hand, HandNo, Name, Phase, PlayerId,
    Reject, SeatNo, Side, Table, Viewer, check, decide, evolve, legal, see, view,
};
use proptest::prelude::*;
use run::{Mix, Run, Step, deck, play, settings, state};

proptest! {
    /// Chips are conserved after every event, and every other invariant holds (P1, R22).
    #[test]
    fn invariants_hold_after_every_event(mix in mix(), steps in steps()) {
        let run = play(mix, &steps);
        let mut table = Table::new(settings(mix)).unwrap();
        for event in &run.events {
            evolve(&mut table, event);
            prop_assert_eq!(check(&table), Ok(()));
        }
        prop_assert!(state(&table) == state(&run.table), "replay is not the state");
    }

    /// A snapshot and its deck, and the events after it, give the same state as all events.
    #[test]
    fn snapshot_and_tail_are_replay(mix in mix(), steps in steps(), at in any::<prop::sample::Index>()) {
        let run = play(mix, &steps);
        let at = at.index(run.events.len() + 1);
        let mut table = Table::new(settings(mix)).unwrap();
        for event in &run.events[..at] {
            evolve(&mut table, event);
        }
        let snapshot = serde_json::to_vec(&table).unwrap();
        let secret = table.secret().map(Deck::to_bytes);
        let mut again: Table = serde_json::from_slice(&snapshot).unwrap();
        prop_assert_eq!(again.wants_secret(), again.hand().is_some());
        if let Some(clock) = again.clock() {
            let time_out = Command::TimeOut { hand: clock.hand, turn: clock.turn, phase: clock.phase };
            prop_assert_eq!(decide(&again, &time_out).err(), Some(Reject::DeckMissing));
            prop_assert!(decide(&again, &Command::Void).is_ok());
        }
        if let Some(bytes) = secret {
            again.restore_secret(Deck::from_bytes(&bytes).unwrap());
        }
        for event in &run.events[at..] {
            evolve(&mut again, event);
        }
        prop_assert!(state(&again) == state(&run.table));
    }

    /// Facts survive being written and read.
    #[test]
    fn facts_read_back(mix in mix(), steps in steps()) {
        for event in play(mix, &steps).events {
            if let Event::Public(fact) = event {
                let written = serde_json::to_vec(&fact).unwrap();
                prop_assert_eq!(serde_json::from_slice::<Fact>(&written).unwrap(), fact);
            }
        }
    }

    /// Nobody sits down with less than he must bring, and that he always may, whatever others may (R17).
    #[test]
    fn who_comes_back_brings_what_he_took(mix in mix(), took in 2..=CHIPS_MAX, less: u64) {
        let table = Table::new(settings(mix)).unwrap();
        let sit = |buy_in| Command::Sit {
            player: PlayerId(1),
            name: Name::new("someone").unwrap(),
            seat: SeatNo(0),
            buy_in,
            entry: Entry::PostNow,
            must_bring: took,
        };
        prop_assert!(decide(&table, &sit(took)).is_ok());
        let short = 1 + less % (took - 1);
        prop_assert_eq!(decide(&table, &sit(short)).err(), Some(Reject::Rathole { must_bring: took }));
    }

    /// Every hand ends, whatever its players do.
    #[test]
    fn every_hand_ends(mix in mix(), steps in steps()) {
        let mut table = play(mix, &steps).table;
        for _ in 0..DECISIONS_MAX {
            let Some(clock) = table.clock() else { break };
            let time_out = Command::TimeOut { hand: clock.hand, turn: clock.turn, phase: clock.phase };
            for event in decide(&table, &time_out).unwrap() {
                evolve(&mut table, &event);
            }
        }
        prop_assert!(table.hand().is_none());
    }

    /// No order of events makes `evolve` or a look at the table panic, not even those of another table.
    #[test]
    fn evolve_is_total(mix in mix(), steps in steps(), other in mix(), others in steps(), seed: u64) {
        let mut events = play(mix, &steps).events;
        events.extend(play(other, &others).events);
        let mut table = Table::new(settings(mix)).unwrap();
        let mut seed = seed;
        while !events.is_empty() {
            let at = run::next(&mut seed) as usize % events.len();
            evolve(&mut table, &events.swap_remove(at));
            let looked = view(&table, Viewer::Player(PlayerId(1)));
            prop_assert_eq!(looked.seats.len(), usize::from(table.settings().seats));
            let _: (Result<(), engine::Broken>, Option<engine::Legal>) = (check(&table), legal(&table));
        }
    }

    /// What a viewer may not see makes no difference to what he sees (S1): with all cards that he may not know exchanged, his view
    /// and each event as he sees it are the same to the byte, and so is their debug text.
    #[test]
    fn views_tell_nothing_of_hidden_cards(mix in mix(), steps in steps()) {
        let run = play(mix, &steps);
        let mut table = Table::new(settings(mix)).unwrap();
        for event in &run.events {
            evolve(&mut table, event);
            for viewer in viewers() {
                let Some(other) = with_hidden_cards_exchanged(&table, viewer) else { continue };
                let looked = (view(&table, viewer), see(&table, event, viewer));
                let other = (view(&other, viewer), see(&other, event, viewer));
                prop_assert_eq!(serde_json::to_string(&looked).unwrap(), serde_json::to_string(&other).unwrap());
                prop_assert_eq!(format!("{looked:?}"), format!("{other:?}"));
            }
        }
    }

    /// Everybody dealt in sees his own cards, as many as the game has, all of them are distinct, and those of others only once they are up. Who
    /// folded is never shown.
    #[test]
    fn cards_are_distinct_and_ones_own(mix in mix(), steps in steps()) {
        let run = play(mix, &steps);
        let mut table = Table::new(settings(mix)).unwrap();
        for event in &run.events {
            if let Event::Public(Fact::Shown { seat, .. }) = event {
                prop_assert!(table.hand().unwrap().player(*seat).is_some_and(|player| !player.folded));
            }
            evolve(&mut table, event);
            let Some(hand) = table.hand().filter(|_| !table.wants_secret()) else { continue };
            let mut seen: Vec<Card> = hand.board().to_vec();
            seen.extend(&hand.second_board().unwrap_or_default()[shared(hand)..]);
            let boards = seen.len();
            for player in hand.players() {
                let looked = view(&table, Viewer::Player(player.player)).hand.unwrap();
                for other in looked.players {
                    prop_assert_eq!(other.own.is_some(), other.seat == player.seat);
                    seen.extend(other.own.iter().flat_map(|own| own.cards().to_vec()));
                }
            }
            let all = seen.len();
            seen.sort();
            seen.dedup();
            prop_assert_eq!(seen.len(), all);
            let each = usize::from(table.settings().game.variant.hole_len());
            prop_assert_eq!(all, boards + each * hand.players().len());
        }
    }

    /// What is told to be legal is accepted, and what is just beyond it is refused.
    #[test]
    fn legal_is_what_decide_accepts(mix in mix(), steps in steps()) {
        let run = play(mix, &steps);
        let mut table = Table::new(settings(mix)).unwrap();
        for event in &run.events {
            evolve(&mut table, event);
            let Some(legal) = legal(&table).filter(|_| !table.wants_secret()) else { continue };
            let player = table.seat(legal.seat).unwrap().player;
            let hand = table.hand().unwrap().no();
            let accepts = |action| {
                let act = Command::Act { player, hand, turn: legal.turn, action, bank_used_ms: 0 };
                decide(&table, &act).is_ok()
            };
            prop_assert!(accepts(Action::Fold));
            prop_assert_eq!(accepts(Action::Check), legal.check);
            prop_assert_eq!(accepts(Action::Call), legal.call.is_some());
            prop_assert_ne!(legal.check, legal.call.is_some());
            let to = |to| Action::RaiseTo { to };
            match legal.raise_to {
                Some(raise) => {
                    prop_assert!(accepts(to(raise.min_to)) && accepts(to(raise.max_to)));
                    prop_assert!(!accepts(to(raise.min_to - 1)) && !accepts(to(raise.max_to + 1)));
                }
                None => {
                    let all_in = table.stack(legal.seat).unwrap() + table.hand().unwrap().player(legal.seat).unwrap().bet;
                    prop_assert!(!accepts(to(all_in)) && !accepts(to(all_in + 1)) && !accepts(to(0)));
                }
            }
        }
    }

    /// Nobody posts the big blind twice running, and button, small blind and big blind lie in that order (R1, R10).
    #[test]
    fn blinds_move_on(mix in mix(), steps in steps()) {
        let run = play(mix, &steps);
        let mut last = None;
        let seats = settings(mix).seats;
        for event in &run.events {
            match event {
                Event::Public(Fact::HandStarted { button, small_blind, big_blind, dealt, .. }) => {
                    prop_assert_ne!(last, Some(*big_blind));
                    last = Some(*big_blind);
                    prop_assert!(dealt.len() >= 2);
                    prop_assert!(dealt.iter().any(|dealt| dealt.seat == *big_blind));
                    let after = |seat: u8| (seat + seats - button.0) % seats;
                    if settings(mix).game.blinds == Blinds::Button {
                        prop_assert!(button == small_blind && button == big_blind);
                    } else {
                        prop_assert_eq!(button == small_blind, dealt.len() == 2);
                        prop_assert!(after(small_blind.0) < after(big_blind.0));
                    }
                    prop_assert!(dealt.is_sorted_by_key(|dealt| (after(dealt.seat.0) + seats - 1) % seats));
                }
                Event::Public(Fact::HandVoided { .. }) => last = None,
                Event::Public(_) | Event::Private(_) => {}
            }
        }
    }

    /// The shares of a pot and its rake are the pot.
    #[test]
    fn awards_add_up(mix in mix(), steps in steps()) {
        for event in play(mix, &steps).events {
            if let Event::Public(Fact::PotAwarded { amount, rake, shares, .. }) = event {
                prop_assert_eq!(rake + shares.iter().map(|(_, share)| share).sum::<u64>(), amount);
            }
        }
    }

    /// Nobody wins who has less than somebody in the hand who paid as much: for high, for low, and for a pot that is not divided
    /// for both (R7, R8, R23).
    #[test]
    fn the_best_hand_wins(mix in mix(), steps in steps()) {
        let run = play(mix, &steps);
        let mut table = Table::new(settings(mix)).unwrap();
        for event in &run.events {
            if let Event::Public(Fact::PotAwarded { shares, part, .. }) = event {
                let hands = live_hands(&table, part.run);
                for (seat, _) in shares {
                    let (_, paid, won) = *hands.iter().find(|(of, ..)| of == seat).unwrap();
                    for (_, other_paid, other) in hands.iter().filter(|_| hands.len() > 1) {
                        let high = won.high >= other.high || paid > *other_paid;
                        let low = won.low >= other.low || paid > *other_paid;
                        prop_assert!(part.side == Some(Side::Low) || high);
                        prop_assert!(part.side == Some(Side::High) || low);
                    }
                }
            }
            evolve(&mut table, event);
        }
    }

    /// A command that was carried out is refused when it comes again, or does nothing that was not asked for (R21).
    #[test]
    fn an_action_counts_once(mix in mix(), steps in steps()) {
        let Run { mut table, .. } = play(mix, &steps);
        let Some(clock) = table.clock() else { return Ok(()) };
        let player = table.seat(clock.seat).unwrap().player;
        // One "once" settles the question, as a fold ends a turn.
        let (hand, turn) = (clock.hand, clock.turn);
        let act = if clock.phase == Phase::RunTwice {
            Command::RunTwice { player, hand, turn, agree: false }
        } else {
            Command::Act { player, hand, turn, action: Action::Fold, bank_used_ms: 0 }
        };
        for event in decide(&table, &act).unwrap() {
            evolve(&mut table, &event);
        }
        prop_assert!(decide(&table, &act).is_err());
        let time_out = Command::TimeOut { hand: clock.hand, turn: clock.turn, phase: clock.phase };
        prop_assert!(decide(&table, &time_out).is_err());
        let deal = Command::Deal { deck: deck(table.settings().game.variant, 7), first_button: clock.seat };
        prop_assert_eq!(decide(&table, &deal).is_ok(), table.can_deal());
        prop_assert!(table.hands_started() > HandNo(0));
    }
}

fn mix() -> impl Strategy<Value = Mix> {
    any::<[u8; 12]>().prop_map(Mix)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        (any::<u8>(), any::<u8>(), any::<u64>()).prop_map(|(kind, who, how)| Step {
            kind,
            who,
            how,
        }),
        1..160,
    )
}

fn viewers() -> impl Iterator<Item = Viewer> {
    (0..=run::PLAYERS)
        .map(|player| Viewer::Player(PlayerId(player.into())))
        .chain([Viewer::Spectator])
}

/// Who is still in, what he paid, and what he holds.
fn live_hands(table: &Table, run: Option<engine::Run>) -> Vec<(SeatNo, u64, Made)> {
    let hand = table.hand().expect("a hand is open");
    let live = hand.players().iter().filter(|player| !player.folded);
    live.map(|player| {
        let looked = view(table, Viewer::Player(player.player)).hand;
        let players = looked.expect("a hand is open").players;
        let own = players.iter().find_map(|player| player.own);
        let own = own.expect("he was dealt in");
        let board = match run {
            Some(engine::Run::Second) => hand.second_board().expect("it was dealt"),
            Some(engine::Run::First) | None => hand.board(),
        };
        let made = Made::of(&table.settings().game, own.cards(), &board);
        (player.seat, player.bets + player.ante, made)
    })
    .collect()
}

/// The same table with the cards in other places that this viewer may not know: all but his own, the board and what was
/// turned up.
fn with_hidden_cards_exchanged(table: &Table, viewer: Viewer) -> Option<Table> {
    let hand = table.hand()?;
    let mut bytes = table.secret()?.to_bytes();
    let count = hand.players().len();
    let each = usize::from(table.settings().game.variant.hole_len());
    let mut hidden: Vec<usize> = (0..bytes.len()).collect();
    hidden.retain(|card| match card.checked_sub(each * count) {
        Some(card) if card < BOARD => card >= hand.board().len(),
        Some(card) => {
            let second = hand.second_board().unwrap_or_default().len();
            card - BOARD >= second - shared(hand)
        }
        None => {
            let owner = &hand.players()[card % count];
            owner.shown.is_none() && viewer != Viewer::Player(owner.player)
        }
    });
    let exchanged: Vec<u8> = hidden
        .iter()
        .cycle()
        .skip(1)
        .take(hidden.len())
        .map(|card| bytes[*card])
        .collect();
    for (card, byte) in hidden.into_iter().zip(exchanged) {
        bytes[card] = byte;
    }
    let mut other = table.clone();
    other.restore_secret(Deck::from_bytes(&bytes).expect("cards only changed places"));
    Some(other)
}

/// How many cards both boards have in common; 0 if there is one.
fn shared(hand: &Hand) -> usize {
    let second = hand.second_board().unwrap_or_default();
    let boards = hand.board();
    let pairs = boards.iter().zip(second.iter());
    pairs.take_while(|(first, second)| first == second).count()
}

/// Cards of a whole board.
const BOARD: usize = 5;
/// Two decisions for each chip would be far more than any hand needs.
const DECISIONS_MAX: usize = 1_000;
const CHIPS_MAX: u64 = engine::Settings::CHIPS_MAX;
