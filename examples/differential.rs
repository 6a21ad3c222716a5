//! Plays random legal hands with the rules engine and prints each as a line of JSON, for another engine to replay.
//!
//! `cargo run --release --example differential -- HANDS SEED` ; see `tests/pokerkit`. A line holds what the hand began
//! with, what was legal at each decision and what was done, the end stacks, and the hand as PHH.

use std::env;
use std::io::{self, BufWriter, Write};

use engine::{
    Action, Ante, Card, Command, Deck, Entry, Event, Fact, Legal, Name, Owes, PlayerId, SeatNo,
    Settings, Table, decide, evolve, legal,
};
use openrustpoker::phh::export::{HandRecord, export};
use serde::Serialize;

#[derive(Serialize)]
struct Line {
    hand: u64,
    small_blind: u64,
    big_blind: u64,
    ante_each: u64,
    ante_big_blind: u64,
    stacks: Vec<u64>,
    holes: Vec<String>,
    board: String,
    steps: Vec<Decision>,
    end: Vec<u64>,
    phh: String,
}

#[derive(Serialize)]
struct Decision {
    place: u8,
    /// What it takes to go on; 0 is a check.
    call: u64,
    min_to: Option<u64>,
    max_to: Option<u64>,
    action: String,
}

fn main() -> anyhow::Result<()> {
    let mut numbers = env::args().skip(1).map(|text| text.parse::<u64>());
    let hands = numbers.next().transpose()?.unwrap_or(2_000);
    let seed = numbers.next().transpose()?.unwrap_or(1);
    let mut out = BufWriter::new(io::stdout().lock());
    for hand in 0..hands {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(hand));
        serde_json::to_writer(&mut out, &play(hand, &mut dice)?)?;
        writeln!(out)?;
    }
    Ok(())
}

fn play(hand: u64, dice: &mut Dice) -> anyhow::Result<Line> {
    let settings = settings(dice);
    let players = settings.seats;
    let mut table = Table::new(settings.clone())?;
    let stacks: Vec<u64> = (0..players)
        .map(|_| stack(settings.big_blind, dice))
        .collect();
    for (seat, buy_in) in (0..players).zip(&stacks) {
        let taken = Fact::SeatTaken {
            seat: SeatNo(seat),
            player: PlayerId(seat.into()),
            name: Name::new(&format!("p{}", seat + 1))?,
            buy_in: *buy_in,
            entry: Entry::default(),
            owes: Owes::Nothing,
        };
        evolve(&mut table, &Event::Public(taken));
    }
    let deck = shuffled(dice)?;
    let mut facts = Vec::new();
    let deal = Command::Deal {
        deck: deck.clone(),
        first_button: SeatNo(players - 1),
    };
    tell(&mut table, &deal, &mut facts)?;
    let mood = Mood::new(dice);
    let mut steps = Vec::new();
    while let Some(legal) = legal(&table) {
        let action = mood.choose(&legal, dice);
        steps.push(decision(&legal, action));
        let hand = table.hand().map(|hand| hand.no()).unwrap_or_default();
        let player = PlayerId(legal.seat.0.into());
        tell(
            &mut table,
            &Command::Act {
                player,
                hand,
                turn: legal.turn,
                action,
                bank_used_ms: 0,
            },
            &mut facts,
        )?;
    }
    let holes: Vec<[Card; 2]> = (0..players.into())
        .filter_map(|place| deck.hole(place, players.into())?.cards().try_into().ok())
        .collect();
    let names: Vec<Name> = table.seats().map(|(_, seat)| seat.name.clone()).collect();
    let known: Vec<(SeatNo, [Card; 2])> = (0..players)
        .map(SeatNo)
        .zip(holes.iter().copied())
        .collect();
    let record = HandRecord {
        settings: &settings,
        table: None,
        facts: &facts,
        names: &names,
        known: &known,
    };
    Ok(Line {
        hand,
        small_blind: settings.small_blind,
        big_blind: settings.big_blind,
        ante_each: if let Ante::Each(ante) = settings.ante {
            ante
        } else {
            0
        },
        ante_big_blind: if let Ante::BigBlind(ante) = settings.ante {
            ante
        } else {
            0
        },
        holes: holes.iter().map(|cards| text(cards)).collect(),
        board: text(&deck.board(players.into()).unwrap_or([holes[0][0]; 5])),
        steps,
        end: (0..players)
            .filter_map(|seat| table.stack(SeatNo(seat)))
            .collect(),
        stacks,
        phh: export(&record)?,
    })
}

fn tell(table: &mut Table, command: &Command, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
    for event in decide(table, command)? {
        evolve(table, &event);
        engine::check(table)?;
        if let Event::Public(fact) = event {
            facts.push(fact);
        }
    }
    Ok(())
}

fn decision(legal: &Legal, action: Action) -> Decision {
    Decision {
        place: legal.seat.0,
        call: legal.call.unwrap_or(0),
        min_to: legal.raise_to.map(|bounds| bounds.min_to),
        max_to: legal.raise_to.map(|bounds| bounds.max_to),
        action: match action {
            Action::Fold => "f".to_owned(),
            Action::Check | Action::Call => "cc".to_owned(),
            Action::RaiseTo { to } => format!("cbr {to}"),
        },
    }
}

fn settings(dice: &mut Dice) -> Settings {
    let blinds = [
        (1, 2),
        (50, 100),
        (25, 50),
        (5, 10),
        (1, 3),
        (100, 100),
        (2, 5),
    ];
    let (small, big) = blinds[dice.below(blinds.len() as u64) as usize];
    let players = 2 + dice.below(8) as u8;
    let mut settings = Settings::new(players, small, big);
    let ante = 1 + dice.below(big);
    settings.ante = match dice.below(4) {
        0 => Ante::Each(ante),
        1 => Ante::BigBlind(if dice.one_in(2) { big } else { ante }),
        _ => Ante::None,
    };
    settings
}

/// Mostly a few big blinds, sometimes less than one, sometimes many.
fn stack(big: u64, dice: &mut Dice) -> u64 {
    let most = match dice.below(10) {
        0..2 => big,
        2..5 => big * 4,
        5..8 => big * 20,
        _ => big * 200,
    };
    1 + dice.below(most)
}

/// How a table plays: the weights of its decisions.
struct Mood {
    fold: u64,
    call: u64,
    least: u64,
    raise: u64,
    all_in: u64,
}

impl Mood {
    fn new(dice: &mut Dice) -> Mood {
        let mut up_to = |most: u64| dice.below(most + 1);
        Mood {
            fold: up_to(4),
            call: 2 + up_to(8),
            least: up_to(4),
            raise: up_to(4),
            all_in: up_to(2),
        }
    }

    fn choose(&self, legal: &Legal, dice: &mut Dice) -> Action {
        let fold = if legal.call.is_some() { self.fold } else { 0 };
        let raises = if legal.raise_to.is_some() {
            [self.least, self.raise, self.all_in]
        } else {
            [0; 3]
        };
        let go_on = if legal.call.is_some() {
            Action::Call
        } else {
            Action::Check
        };
        let mut pick = dice.below(fold + self.call + raises.iter().sum::<u64>());
        if pick < fold {
            return Action::Fold;
        }
        pick -= fold;
        let Some(bounds) = legal.raise_to.filter(|_| pick >= self.call) else {
            return go_on;
        };
        pick -= self.call;
        let width = bounds.max_to - bounds.min_to;
        let to = if pick < raises[0] {
            bounds.min_to
        } else if pick < raises[0] + raises[1] {
            // Small raises leave room for more of them.
            bounds.min_to
                + dice
                    .below(width + 1)
                    .min(dice.below(width + 1))
                    .min(dice.below(width + 1))
        } else {
            bounds.max_to
        };
        Action::RaiseTo { to }
    }
}

fn shuffled(dice: &mut Dice) -> anyhow::Result<Deck> {
    let mut cards: Vec<Card> = Card::all().collect();
    for last in (1..cards.len()).rev() {
        cards.swap(last, dice.below(last as u64 + 1) as usize);
    }
    let cards: [Card; Card::COUNT] = cards.as_slice().try_into()?;
    Ok(Deck::new(cards)?)
}

fn text(cards: &[Card]) -> String {
    cards.iter().map(Card::to_string).collect()
}

/// SplitMix64: the same hands for the same seed everywhere, and nothing that would do for a real shuffle.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}
