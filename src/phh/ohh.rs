//! Writing a hand that was played here as OHH, the Open Hand History JSON of hh-specs.handhistory.org that trackers read.
//!
//! Amounts are in the table's smallest unit, and the currency is play money (`XPM`). Where the specification is silent:
//! both boards of a hand that is run twice are rounds, the second board's after the first one's, with the flag
//! `Run_It_Twice`; a variant that has no game type of its own is named by `_variant`.

use engine::{Action, Ante, Betting, Card, Fact, Game as Rules, Post, SeatNo, Street, Variant};
use serde::Serialize;

use super::export::{ExportError, Game, HandRecord};

/// What a hand history says besides the hand.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// Names the hand among all hands.
    pub game_number: &'a str,
    /// When it began, milliseconds since 1970.
    pub started_ms: u64,
    /// Whose history it is, if he was dealt in.
    pub hero: Option<SeatNo>,
}

/// The hand as one JSON object. Amounts are in the table's smallest unit.
pub fn export(record: &HandRecord<'_>, origin: Origin<'_>) -> Result<String, ExportError> {
    let game = Game::of(record)?;
    let settings = record.settings;
    let file = File {
        ohh: History {
            spec_version: SPEC_VERSION,
            site_name: SITE,
            network_name: SITE,
            internal_version: env!("CARGO_PKG_VERSION"),
            tournament: false,
            game_number: origin.game_number,
            start_date_utc: utc(origin.started_ms),
            table_name: record.table.unwrap_or_default(),
            game_type: game_type(&settings.game),
            variant: variant(settings.game.variant),
            bet_limit: BetLimit {
                bet_type: bet_type(settings.game.betting),
                bet_cap: 0,
            },
            table_size: settings.seats,
            currency: PLAY_MONEY,
            dealer_seat: seat(game.button),
            small_blind_amount: settings.small_blind,
            big_blind_amount: settings.big_blind,
            ante_amount: match settings.ante {
                Ante::None => 0,
                Ante::Each(ante) | Ante::BigBlind(ante) => ante,
            },
            hero_player_id: origin.hero.and_then(|seat| game.place(seat)),
            flags: flags(&game),
            players: players(&game),
            rounds: rounds(&game),
            pots: pots(&game),
        },
    };
    Ok(serde_json::to_string_pretty(&file).expect("numbers and texts are JSON"))
}

#[derive(Serialize)]
struct File<'a> {
    ohh: History<'a>,
}

#[derive(Serialize)]
struct History<'a> {
    spec_version: &'static str,
    site_name: &'static str,
    network_name: &'static str,
    internal_version: &'static str,
    tournament: bool,
    game_number: &'a str,
    start_date_utc: String,
    table_name: &'a str,
    game_type: &'static str,
    #[serde(rename = "_variant", skip_serializing_if = "Option::is_none")]
    variant: Option<&'static str>,
    bet_limit: BetLimit,
    table_size: u8,
    currency: &'static str,
    dealer_seat: u8,
    small_blind_amount: u64,
    big_blind_amount: u64,
    ante_amount: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hero_player_id: Option<usize>,
    flags: Vec<&'static str>,
    players: Vec<Player<'a>>,
    rounds: Vec<Round>,
    pots: Vec<Pot>,
}

#[derive(Serialize)]
struct BetLimit {
    bet_type: &'static str,
    bet_cap: u64,
}

/// The id is the place in the order of dealing.
#[derive(Serialize)]
struct Player<'a> {
    id: usize,
    seat: u8,
    name: &'a str,
    starting_stack: u64,
}

#[derive(Serialize)]
struct Round {
    id: usize,
    street: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<String>,
    actions: Vec<Deed>,
}

#[derive(Serialize)]
struct Deed {
    action_number: usize,
    player_id: usize,
    action: &'static str,
    /// What he put in with it.
    amount: u64,
    is_allin: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<String>,
}

#[derive(Serialize)]
struct Pot {
    number: u8,
    amount: u64,
    rake: u64,
    player_wins: Vec<Win>,
}

#[derive(Serialize)]
struct Win {
    player_id: usize,
    win_amount: u64,
}

fn players<'a>(game: &Game<'a>) -> Vec<Player<'a>> {
    let names = game.record.names.iter().map(|name| name.as_str());
    let dealt = game.dealt.iter().zip(names.chain(std::iter::repeat("")));
    dealt
        .enumerate()
        .map(|(id, (dealt, name))| Player {
            id,
            seat: seat(dealt.seat),
            name,
            starting_stack: dealt.stack,
        })
        .collect()
}

/// The streets, a second board after them, and what was turned up last.
fn rounds(game: &Game<'_>) -> Vec<Round> {
    let mut book = Book {
        game,
        stacks: game.dealt.iter().map(|dealt| dealt.stack).collect(),
        bet: false,
        rounds: Vec::new(),
    };
    book.begin("Preflop", &[]);
    let acted = |fact: &Fact| matches!(fact, Fact::TurnStarted { .. } | Fact::StreetDealt { .. });
    let posted = game.facts.iter().position(acted);
    let (posts, play) = game.facts.split_at(posted.unwrap_or(game.facts.len()));
    posts.iter().for_each(|fact| book.note(fact));
    for (seat, hole) in game.record.known {
        book.deed(*seat, "Dealt Cards", 0, hole.cards());
    }
    play.iter().for_each(|fact| book.note(fact));
    let showing = |fact: &&Fact| matches!(fact, Fact::Shown { .. } | Fact::Mucked { .. });
    if game.facts.iter().any(|fact| showing(&fact)) {
        book.begin("Showdown", &[]);
    }
    for fact in game.facts.iter().filter(showing) {
        if let Fact::Shown { seat, cards } = fact {
            book.deed(*seat, "Shows Cards", 0, cards);
        }
        if let Fact::Mucked { seat } = fact {
            book.deed(*seat, "Mucks Cards", 0, &[]);
        }
    }
    book.rounds
}

/// The rounds so far, and what one has to know to write the next action.
struct Book<'a> {
    game: &'a Game<'a>,
    stacks: Vec<u64>,
    /// Whether there is a bet on this street; before the flop the blinds are one.
    bet: bool,
    rounds: Vec<Round>,
}

impl Book<'_> {
    fn begin(&mut self, street: &'static str, cards: &[Card]) {
        self.bet = self.rounds.is_empty();
        self.rounds.push(Round {
            id: self.rounds.len(),
            street,
            cards: texts(cards),
            actions: Vec::new(),
        });
    }

    fn note(&mut self, fact: &Fact) {
        if let Fact::Posted { seat, post, amount } = fact {
            self.deed(*seat, post_name(*post), *amount, &[]);
        }
        if let Fact::Acted {
            seat,
            action,
            added,
            ..
        } = fact
        {
            let name = match action {
                Action::Fold => "Fold",
                Action::Check => "Check",
                Action::Call => "Call",
                Action::RaiseTo { .. } if self.bet => "Raise",
                Action::RaiseTo { .. } => "Bet",
            };
            self.bet |= matches!(action, Action::RaiseTo { .. });
            self.deed(*seat, name, *added, &[]);
        }
        if let Fact::StreetDealt { street, cards } | Fact::SecondBoardDealt { street, cards } = fact
        {
            self.begin(street_name(*street), cards);
        }
    }

    fn deed(&mut self, seat: SeatNo, action: &'static str, amount: u64, cards: &[Card]) {
        let Some(player_id) = self.game.place(seat) else {
            return;
        };
        let stack = &mut self.stacks[player_id];
        *stack = stack.saturating_sub(amount);
        let is_allin = amount > 0 && *stack == 0;
        if let Some(round) = self.rounds.last_mut() {
            round.actions.push(Deed {
                action_number: round.actions.len() + 1,
                player_id,
                action,
                amount,
                is_allin,
                cards: texts(cards),
            });
        }
    }
}

/// Each pot once, whatever it was divided into.
fn pots(game: &Game<'_>) -> Vec<Pot> {
    let mut pots: Vec<Pot> = Vec::new();
    for fact in game.facts {
        let Fact::PotAwarded {
            pot: number,
            amount,
            rake,
            shares,
            ..
        } = fact
        else {
            continue;
        };
        let known = pots.iter().position(|pot| pot.number == *number);
        let place = known.unwrap_or(pots.len());
        if known.is_none() {
            pots.push(Pot {
                number: *number,
                amount: 0,
                rake: 0,
                player_wins: Vec::new(),
            });
        }
        let pot = &mut pots[place];
        pot.amount += amount;
        pot.rake += rake;
        for (seat, share) in shares {
            let Some(player_id) = game.place(*seat) else {
                continue;
            };
            match pot
                .player_wins
                .iter_mut()
                .find(|win| win.player_id == player_id)
            {
                Some(win) => win.win_amount += share,
                None => pot.player_wins.push(Win {
                    player_id,
                    win_amount: *share,
                }),
            }
        }
    }
    pots.sort_by_key(|pot| pot.number);
    pots
}

fn flags(game: &Game<'_>) -> Vec<&'static str> {
    let twice = |fact: &Fact| matches!(fact, Fact::RunTwiceSettled { twice: true });
    let twice = game.facts.iter().any(twice);
    twice.then_some("Run_It_Twice").into_iter().collect()
}

fn game_type(game: &Rules) -> &'static str {
    match (game.variant.omaha(), game.low) {
        (false, _) => "Holdem",
        (true, false) => "Omaha",
        (true, true) => "OmahaHiLo",
    }
}

fn variant(variant: Variant) -> Option<&'static str> {
    match variant {
        Variant::Holdem | Variant::Omaha4 => None,
        Variant::ShortDeck => Some("ShortDeck"),
        Variant::Omaha5 => Some("Omaha5"),
        Variant::Omaha6 => Some("Omaha6"),
    }
}

fn bet_type(betting: Betting) -> &'static str {
    match betting {
        Betting::NoLimit => "NL",
        Betting::PotLimit { .. } => "PL",
        Betting::FixedLimit(_) => "FL",
    }
}

fn post_name(post: Post) -> &'static str {
    match post {
        Post::SmallBlind => "Post SB",
        Post::BigBlind => "Post BB",
        Post::Ante | Post::BigBlindAnte => "Post Ante",
        Post::DeadBlind => "Post Dead",
        Post::LiveBlind => "Post Extra Blind",
        Post::Straddle => "Straddle",
    }
}

fn street_name(street: Street) -> &'static str {
    match street {
        Street::Preflop => "Preflop",
        Street::Flop => "Flop",
        Street::Turn => "Turn",
        Street::River => "River",
    }
}

/// Seats are counted from 1 there.
fn seat(seat: SeatNo) -> u8 {
    seat.0.saturating_add(1)
}

fn texts(cards: &[Card]) -> Vec<String> {
    cards.iter().map(Card::to_string).collect()
}

/// A moment as text. Years have 146,097 days in 400, and begin in March here, so that a leap day is the last one
/// (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn utc(since_1970_ms: u64) -> String {
    let seconds = since_1970_ms / 1_000;
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let day = day - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

const SPEC_VERSION: &str = "1.4.7";
const SITE: &str = "OpenRustPoker";
const PLAY_MONEY: &str = "XPM";

#[cfg(test)]
mod tests;
