//! Plays random legal hands with the rules engine and prints each as a line of JSON, for another engine to replay.
//!
//! `cargo run --example differential -- HANDS TABLES SEED [GAME]`: so many hands with random stacks, most of them short, and so
//! many tables of 25 hands with players who come, sit out and go, in the game of that code (`NT` and so on); see
//! `tests/pokerkit`. A line holds what the hand began
//! with, what was legal at each decision and what was done, the end stacks, and the hand as PHH.

use std::env;
use std::io::{self, BufWriter, Write};

use anyhow::Context;
use engine::{
    Action, Ante, Betting, Blinds, CapOff, Card, Command, Deck, Entry, Event, Fact, Game,
    HoleCards, Legal, Limits, Name, Owes, PlayerId, Post, SeatNo, Settings, Straddle, StraddleFrom,
    StraddleRaise, Table, Variant, decide, evolve, legal,
};
use openrustpoker::phh::export::{HandRecord, export};
use openrustpoker::phh::variant::{Bets, Code};
use serde::Serialize;

#[derive(Serialize)]
struct Line {
    hand: u64,
    /// The game's code.
    game: String,
    button_blind: bool,
    /// Whether the big-blind ante counts to the pot before the flop.
    count_ante: bool,
    limits: Option<FixedLimits>,
    /// Who straddled, if the hand is not one of a game in which players come and go.
    straddle: Option<usize>,
    small_blind: u64,
    big_blind: u64,
    ante_each: u64,
    ante_big_blind: u64,
    stacks: Vec<u64>,
    holes: Vec<String>,
    board: String,
    /// What was posted, if the hand is one of a game in which players come and go: else it follows from the stakes.
    posted: Option<Posted>,
    steps: Vec<Decision>,
    end: Vec<u64>,
    phh: String,
}

#[derive(Serialize)]
struct FixedLimits {
    big_bet: u64,
    raises_max: u8,
    /// Where raises are not counted: `street`, `hand` or `never`.
    cap_off: &'static str,
}

#[derive(Serialize)]
struct Posted {
    /// Nobody if the seat is empty, or if only the button posts.
    small_blind_place: Option<usize>,
    big_blind_place: usize,
    antes: Vec<u64>,
    dead: Vec<u64>,
    live: Vec<u64>,
}

#[derive(Serialize)]
struct Decision {
    place: usize,
    /// What it takes to go on; 0 is a check.
    call: u64,
    min_to: Option<u64>,
    max_to: Option<u64>,
    action: String,
}

fn main() -> anyhow::Result<()> {
    let mut words = env::args().skip(1);
    let mut number = |default: u64| words.next().map_or(Ok(default), |text| text.parse());
    let (hands, tables, seed) = (number(2_000)?, number(40)?, number(1)?);
    let code = words.next().unwrap_or("NT".into());
    let code: Code = code.parse().with_context(|| code.clone())?;
    let mut out = BufWriter::new(io::stdout().lock());
    for hand in 0..hands {
        let mut dice = Dice::new(seed, hand);
        let table = short_stacks(code, &mut dice)?;
        let (line, _) = play(hand, table, false, &mut dice)?;
        write(&mut out, &line)?;
    }
    for game in 0..tables {
        let mut dice = Dice::new(seed ^ u64::MAX, game);
        let mut table = Table::new(settings(code, &mut dice))?;
        for hand in 0..HANDS_A_TABLE {
            while !come_and_go(&mut table, &mut dice)? {}
            let (line, after) = play(hands + game * HANDS_A_TABLE + hand, table, true, &mut dice)?;
            write(&mut out, &line)?;
            table = after;
        }
    }
    Ok(())
}

fn write(out: &mut impl Write, line: &Line) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)?;
    Ok(())
}

/// A full table whose players have anything, also less than a blind.
fn short_stacks(code: Code, dice: &mut Dice) -> anyhow::Result<Table> {
    let settings = settings(code, dice);
    let mut table = Table::new(settings.clone())?;
    for seat in 0..settings.seats {
        let taken = Fact::SeatTaken {
            seat: SeatNo(seat),
            player: PlayerId(seat.into()),
            name: name(seat)?,
            buy_in: stack(settings.big_blind, dice),
            entry: Entry::default(),
            owes: Owes::Nothing,
        };
        evolve(&mut table, &Event::Public(taken));
        if settings.game.straddle.is_some() {
            let wish = Fact::StraddleChosen {
                seat: SeatNo(seat),
                on: dice.one_in(2),
            };
            evolve(&mut table, &Event::Public(wish));
        }
    }
    Ok(table)
}

/// Players sit down, sit out, come back, bring chips and leave. Says whether a hand can begin.
fn come_and_go(table: &mut Table, dice: &mut Dice) -> anyhow::Result<bool> {
    let settings = table.settings().clone();
    for seat in (0..settings.seats).map(SeatNo) {
        let entry = if dice.one_in(3) {
            Entry::WaitForBigBlind
        } else {
            Entry::PostNow
        };
        let player = PlayerId(seat.0.into());
        let command = match table.seat(seat) {
            None if dice.one_in(4) => {
                let buy_in =
                    settings.buy_in_min + dice.below(settings.buy_in_max - settings.buy_in_min);
                Command::Sit {
                    player,
                    name: name(seat.0)?,
                    seat,
                    buy_in,
                    entry,
                    must_bring: 0,
                }
            }
            None => continue,
            Some(taken) if taken.stack < settings.buy_in_min => Command::TopUp {
                player,
                amount: settings.buy_in_min - taken.stack,
            },
            Some(taken) if taken.away.is_some() && dice.one_in(2) => {
                Command::SitIn { player, entry }
            }
            Some(_) if dice.one_in(25) => Command::Leave { player },
            Some(taken) if taken.away.is_none() && dice.one_in(12) => Command::SitOut { player },
            Some(_) => continue,
        };
        tell(table, &command, &mut Vec::new())?;
    }
    Ok(table.can_deal())
}

/// Plays the next hand of a table; returns it and the table after it. Places are the order of dealing.
fn play(
    number: u64,
    mut table: Table,
    posted: bool,
    dice: &mut Dice,
) -> anyhow::Result<(Line, Table)> {
    let settings = table.settings().clone();
    let deck = shuffled(settings.game.variant, dice)?;
    let mut facts = Vec::new();
    let deal = Command::Deal {
        deck: deck.clone(),
        first_button: SeatNo(settings.seats - 1),
    };
    tell(&mut table, &deal, &mut facts)?;
    let started = |fact: &Fact| {
        if let Fact::HandStarted { dealt, .. } = fact {
            Some(dealt.clone())
        } else {
            None
        }
    };
    let dealt = facts.iter().find_map(started).context("a hand was dealt")?;
    let place = |seat: SeatNo| {
        dealt
            .iter()
            .position(|d| d.seat == seat)
            .context("a seat that was not dealt in")
    };

    let mood = Mood::new(dice);
    let mut steps = Vec::new();
    while let Some(legal) = legal(&table) {
        let action = mood.choose(&legal, dice);
        steps.push(decision(place(legal.seat)?, &legal, action));
        let hand = table.hand().context("somebody is to act")?.no();
        let player = PlayerId(legal.seat.0.into());
        let act = Command::Act {
            player,
            hand,
            turn: legal.turn,
            action,
            bank_used_ms: 0,
        };
        tell(&mut table, &act, &mut facts)?;
    }

    let hole = |place| deck.hole(place, dealt.len(), settings.game.variant);
    let holes: Vec<HoleCards> = (0..dealt.len()).filter_map(hole).collect();
    let known: Vec<(SeatNo, HoleCards)> = dealt
        .iter()
        .map(|d| d.seat)
        .zip(holes.iter().copied())
        .collect();
    let names: Vec<Name> = dealt
        .iter()
        .map(|d| name(d.seat.0))
        .collect::<anyhow::Result<_>>()?;
    let record = HandRecord {
        settings: &settings,
        table: None,
        facts: &facts,
        names: &names,
        known: &known,
    };
    let straddled = facts.iter().find_map(|fact| {
        if let Fact::Posted {
            seat,
            post: Post::Straddle,
            ..
        } = fact
        {
            Some(*seat)
        } else {
            None
        }
    });
    let line = Line {
        hand: number,
        game: Code::of(&settings.game).to_string(),
        button_blind: settings.game.blinds == Blinds::Button,
        count_ante: settings.game.betting == Betting::PotLimit { count_ante: true },
        limits: fixed_limits(settings.game.betting),
        straddle: straddled.map(place).transpose()?,
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
        stacks: dealt.iter().map(|d| d.stack).collect(),
        holes: holes.iter().map(|hole| text(hole.cards())).collect(),
        board: text(
            &deck
                .board(dealt.len(), settings.game.variant)
                .context("a deck has room for the board")?,
        ),
        posted: posted
            .then(|| posts(&facts, dealt.len(), place))
            .transpose()?,
        steps,
        end: dealt.iter().filter_map(|d| table.stack(d.seat)).collect(),
        phh: export(&record)?,
    };
    Ok((line, table))
}

fn posts(
    facts: &[Fact],
    players: usize,
    place: impl Fn(SeatNo) -> anyhow::Result<usize>,
) -> anyhow::Result<Posted> {
    let [antes, dead, live] = [(); 3].map(|()| vec![0; players]);
    let mut posted = Posted {
        small_blind_place: None,
        big_blind_place: 0,
        antes,
        dead,
        live,
    };
    for fact in facts {
        if let Fact::HandStarted {
            small_blind,
            big_blind,
            ..
        } = fact
        {
            posted.big_blind_place = place(*big_blind)?;
            posted.small_blind_place = place(*small_blind)
                .ok()
                .filter(|_| small_blind != big_blind);
        }
        let Fact::Posted { seat, post, amount } = fact else {
            continue;
        };
        let row = match post {
            Post::Ante => &mut posted.antes,
            Post::BigBlindAnte | Post::DeadBlind => &mut posted.dead,
            Post::SmallBlind | Post::BigBlind | Post::LiveBlind | Post::Straddle => {
                &mut posted.live
            }
        };
        row[place(*seat)?] += amount;
    }
    Ok(posted)
}

fn name(seat: u8) -> anyhow::Result<Name> {
    Ok(Name::new(&format!("p{}", seat + 1))?)
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

fn decision(place: usize, legal: &Legal, action: Action) -> Decision {
    Decision {
        place,
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

fn settings(code: Code, dice: &mut Dice) -> Settings {
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
    settings.game = Game {
        variant: code.variant,
        low: code.low,
        ..Game::default()
    };
    settings.seats = players.min(settings.game.players_max());
    of_game(code, &mut settings, dice);
    settings
}

/// The house rules of a game. Those of plain no-limit Hold'em take no dice: its hands are those of its seed for ever.
fn of_game(code: Code, settings: &mut Settings, dice: &mut Dice) {
    if code.variant == Variant::ShortDeck && !dice.one_in(4) {
        settings.ante = Ante::Each(settings.big_blind);
        settings.game.blinds = Blinds::Button;
    }
    settings.game.betting = match code.bets {
        Bets::NoLimit => Betting::NoLimit,
        Bets::PotLimit => Betting::PotLimit {
            count_ante: dice.one_in(2) && matches!(settings.ante, Ante::BigBlind(_)),
        },
        Bets::FixedLimit => Betting::FixedLimit(Limits {
            big_bet: settings.big_blind * 2,
            raises_max: 2 + dice.below(3) as u8,
            cap_off: match dice.below(3) {
                0 => CapOff::StreetHeadsUp,
                1 => CapOff::HandHeadsUp,
                _ => CapOff::Never,
            },
        }),
    };
    if code.bets == Bets::PotLimit && settings.seats > 2 && dice.one_in(3) {
        settings.game.straddle = Some(Straddle {
            from: StraddleFrom::Either,
            // PokerKit knows no other.
            min_raise: StraddleRaise::ByBigBlind,
            players_min: Straddle::PLAYERS_MIN,
        });
    }
}

fn fixed_limits(betting: Betting) -> Option<FixedLimits> {
    let Betting::FixedLimit(limits) = betting else {
        return None;
    };
    Some(FixedLimits {
        big_bet: limits.big_bet,
        raises_max: limits.raises_max,
        cap_off: match limits.cap_off {
            CapOff::StreetHeadsUp => "street",
            CapOff::HandHeadsUp => "hand",
            CapOff::Never => "never",
        },
    })
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

fn shuffled(variant: Variant, dice: &mut Dice) -> anyhow::Result<Deck> {
    let mut cards: Vec<Card> = variant.cards().collect();
    for last in (1..cards.len()).rev() {
        cards.swap(last, dice.below(last as u64 + 1) as usize);
    }
    Ok(Deck::new(&cards)?)
}

fn text(cards: &[Card]) -> String {
    cards.iter().map(Card::to_string).collect()
}

/// Long enough for the button to go round.
const HANDS_A_TABLE: u64 = 25;

/// SplitMix64: the same hands for the same seed everywhere, and nothing that would do for a real shuffle.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, stream: u64) -> Dice {
        Dice(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(stream),
        )
    }

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
