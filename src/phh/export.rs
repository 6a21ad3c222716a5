//! Writing a hand that was played here as PHH.
//!
//! The facts say everything but the hole cards: those of `HandRecord::known` are written, and those that were shown;
//! all others are `????`. Some things have no spelling in the format: a dead blind is written as an ante (and then
//! antes are not trimmed), a game without a code gets one of our own and is told in `_game`, and a voided hand is refused.

use std::fmt::{self, Write};

use engine::{
    Action, Ante, Betting, Card, Dealt, Fact, HandNo, HoleCards, Name, Post, SeatNo, Settings,
};

use super::variant::Code;

/// A finished hand, as far as one viewer may know it.
#[derive(Clone, Copy)]
pub struct HandRecord<'a> {
    /// The settings that the hand was played by.
    pub settings: &'a Settings,
    /// The table's name, if it is to be in the file.
    pub table: Option<&'a str>,
    /// What happened, from `HandStarted` to `HandEnded`. What comes before or after is left alone.
    pub facts: &'a [Fact],
    /// The names of the players dealt in, in their order.
    pub names: &'a [Name],
    /// The hole cards that the viewer may see besides those that were shown: his own, or all for an operator.
    pub known: &'a [(SeatNo, HoleCards)],
}

/// Why there is nothing to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// No `HandStarted` among the facts.
    #[error("the record has no start of a hand")]
    NoStart,
    /// No `HandEnded` among them.
    #[error("hand {0} is not finished")]
    Unfinished(HandNo),
    /// The format cannot say that a hand was given up.
    #[error("hand {0} was voided")]
    Voided(HandNo),
}

/// The text of a `.phh` file. Amounts are in the table's smallest unit.
pub fn export(record: &HandRecord<'_>) -> Result<String, ExportError> {
    Ok(Game::of(record)?.to_string())
}

/// A finished hand of a record.
pub(super) struct Game<'a> {
    pub(super) record: &'a HandRecord<'a>,
    pub(super) hand: HandNo,
    pub(super) button: SeatNo,
    /// Small and big; nobody who is dealt in has to sit at the small one.
    pub(super) blinds: [SeatNo; 2],
    pub(super) dealt: &'a [Dealt],
    /// From after its start to before its end.
    pub(super) facts: &'a [Fact],
}

impl<'a> Game<'a> {
    pub(super) fn of(record: &'a HandRecord<'a>) -> Result<Game<'a>, ExportError> {
        let start = record
            .facts
            .iter()
            .position(|fact| matches!(fact, Fact::HandStarted { .. }));
        let facts = &record.facts[start.ok_or(ExportError::NoStart)?..];
        let Some((
            Fact::HandStarted {
                hand,
                button,
                small_blind,
                big_blind,
                dealt,
            },
            facts,
        )) = facts.split_first()
        else {
            return Err(ExportError::NoStart);
        };
        let over = |fact: &Fact| matches!(fact, Fact::HandEnded { .. } | Fact::HandVoided { .. });
        let end = facts
            .iter()
            .position(over)
            .ok_or(ExportError::Unfinished(*hand))?;
        if let Fact::HandVoided { .. } = facts[end] {
            return Err(ExportError::Voided(*hand));
        }
        Ok(Game {
            record,
            hand: *hand,
            button: *button,
            blinds: [*small_blind, *big_blind],
            dealt,
            facts: &facts[..end],
        })
    }
}

impl fmt::Display for Game<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let money = self.money();
        let column =
            |amount: fn(&Money) -> u64| List(money.iter().map(|m| m.cell(amount)).collect());
        // Heads-up the format gives antes and blinds the other way round.
        let posted = |amount: fn(&Money) -> String| {
            let mut cells: Vec<String> = money.iter().map(amount).collect();
            if cells.len() == 2 {
                cells.reverse();
            }
            List(cells)
        };
        let dead_blinds = money.iter().any(|m| m.dead_blind > 0);
        let trimmed = matches!(self.record.settings.ante, Ante::Each(_)) && !dead_blinds;
        let code = Code::of(&self.record.settings.game);
        writeln!(f, "variant = \"{code}\"")?;
        writeln!(f, "ante_trimming_status = {trimmed}")?;
        writeln!(
            f,
            "antes = {}",
            posted(|m| (m.ante + m.dead_blind).to_string())
        )?;
        writeln!(f, "blinds_or_straddles = {}", posted(Money::blind))?;
        match self.record.settings.game.betting {
            Betting::NoLimit | Betting::PotLimit { .. } => {
                writeln!(f, "min_bet = {}", self.record.settings.big_blind)?;
            }
            Betting::FixedLimit(limits) => {
                writeln!(f, "small_bet = {}", self.record.settings.big_blind)?;
                writeln!(f, "big_bet = {}", limits.big_bet)?;
            }
        }
        writeln!(f, "starting_stacks = {}", column(|m| m.start))?;
        writeln!(
            f,
            "actions = {}",
            List(self.actions().into_iter().map(quoted).collect())
        )?;
        writeln!(f, "hand = {}", self.hand)?;
        writeln!(
            f,
            "seats = {}",
            List(
                self.dealt
                    .iter()
                    .map(|d| (d.seat.0 + 1).to_string())
                    .collect()
            )
        )?;
        writeln!(f, "seat_count = {}", self.record.settings.seats)?;
        if let Some(table) = self.record.table {
            writeln!(f, "table = {}", quoted(table.to_owned()))?;
        }
        let names = self
            .record
            .names
            .iter()
            .map(|name| quoted(name.as_str().to_owned()));
        writeln!(f, "players = {}", List(names.collect()))?;
        writeln!(f, "finishing_stacks = {}", column(Money::end))?;
        writeln!(f, "winnings = {}", column(|m| m.won))?;
        if !code.is_standard() {
            writeln!(f, "_game = {}", quoted(code.title()))?;
        }
        writeln!(f, "_rake = {}", self.rake())?;
        // The format has no spelling for a second board.
        let second = self.facts.iter().filter_map(|fact| {
            if let Fact::SecondBoardDealt { cards, .. } = fact {
                Some(text(cards))
            } else {
                None
            }
        });
        let second: String = second.collect();
        if !second.is_empty() {
            writeln!(f, "_second_board = {}", quoted(second))?;
        }
        Ok(())
    }
}

impl Game<'_> {
    /// The format wants all hands up before the cards that nobody bets on any more, whenever they were shown here.
    fn actions(&self) -> Vec<String> {
        let mut actions = Vec::with_capacity(self.dealt.len() + self.facts.len());
        for (place, dealt) in self.dealt.iter().enumerate() {
            actions.push(format!("d dh p{} {}", place + 1, self.hole(dealt.seat)));
        }
        let decided = self
            .facts
            .iter()
            .rposition(|fact| matches!(fact, Fact::Acted { .. }));
        let (betting, rest) = self.facts.split_at(decided.map_or(0, |last| last + 1));
        let showing = |fact: &&Fact| matches!(fact, Fact::Shown { .. } | Fact::Mucked { .. });
        let shows = rest.iter().filter(showing);
        let others = rest.iter().filter(|fact| !showing(fact));
        actions.extend(
            betting
                .iter()
                .chain(shows)
                .chain(others)
                .filter_map(|fact| self.action(fact)),
        );
        actions
    }

    fn action(&self, fact: &Fact) -> Option<String> {
        let player = |seat: SeatNo| Some(self.place(seat)? + 1);
        match fact {
            Fact::Acted { seat, action, .. } => {
                let player = player(*seat)?;
                Some(match action {
                    Action::Fold => format!("p{player} f"),
                    Action::Check | Action::Call => format!("p{player} cc"),
                    Action::RaiseTo { to } => format!("p{player} cbr {to}"),
                })
            }
            Fact::StreetDealt { cards, .. } => Some(format!("d db {}", text(cards))),
            Fact::Shown { seat, cards } => Some(format!("p{} sm {}", player(*seat)?, text(cards))),
            Fact::Mucked { seat } => Some(format!("p{} sm", player(*seat)?)),
            Fact::SeatTaken { .. }
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
            | Fact::Posted { .. }
            | Fact::TurnStarted { .. }
            | Fact::ReconnectTimeStarted { .. }
            | Fact::TimeBankStarted { .. }
            | Fact::TimedOut { .. }
            | Fact::UncalledReturned { .. }
            | Fact::PotAwarded { .. }
            | Fact::HandEnded { .. }
            | Fact::HandVoided { .. }
            | Fact::TableClosed
            | Fact::StraddleChosen { .. }
            | Fact::RunTwiceAsked { .. }
            | Fact::RunTwiceAnswered { .. }
            | Fact::RunTwiceSettled { .. }
            | Fact::SecondBoardDealt { .. } => None,
        }
    }

    fn hole(&self, seat: SeatNo) -> String {
        let shown = self.facts.iter().find_map(|fact| {
            let Fact::Shown { seat: whose, cards } = fact else {
                return None;
            };
            (*whose == seat).then_some(&cards[..])
        });
        let known = || {
            self.record
                .known
                .iter()
                .find(|(whose, _)| *whose == seat)
                .map(|(_, hole)| hole.cards())
        };
        let unknown = || "??".repeat(self.record.settings.game.variant.hole_len().into());
        shown.or_else(known).map_or_else(unknown, text)
    }

    /// What each place put in and got out.
    fn money(&self) -> Vec<Money> {
        let settings = self.record.settings;
        let begin = |dealt: &Dealt| Money {
            start: dealt.stack,
            blind: match self.blinds {
                [_, big] if big == dealt.seat => settings.big_blind,
                [small, _] if small == dealt.seat => settings.small_blind,
                _ => 0,
            },
            ..Money::default()
        };
        let mut money: Vec<Money> = self.dealt.iter().map(begin).collect();
        for fact in self.facts {
            if let Fact::Posted { seat, post, amount } = fact
                && let Some(place) = self.place(*seat)
            {
                money[place].post(*post, *amount, self.record.settings);
            }
            if let Fact::Acted { seat, added, .. } = fact
                && let Some(place) = self.place(*seat)
            {
                money[place].paid += added;
            }
            if let Fact::UncalledReturned { seat, amount } = fact
                && let Some(place) = self.place(*seat)
            {
                money[place].returned += amount;
            }
            if let Fact::PotAwarded { shares, .. } = fact {
                for (seat, share) in shares {
                    if let Some(place) = self.place(*seat) {
                        money[place].won += share;
                    }
                }
            }
        }
        money
    }

    fn rake(&self) -> u64 {
        let rake = |fact: &Fact| {
            if let Fact::PotAwarded { rake, .. } = fact {
                *rake
            } else {
                0
            }
        };
        self.facts.iter().map(rake).sum()
    }

    pub(super) fn place(&self, seat: SeatNo) -> Option<usize> {
        self.dealt.iter().position(|dealt| dealt.seat == seat)
    }
}

/// The money of one place.
#[derive(Default)]
struct Money {
    start: u64,
    /// Posted and bet.
    paid: u64,
    returned: u64,
    won: u64,
    /// What is posted as an ante: the full ante, whatever he had.
    ante: u64,
    dead_blind: u64,
    /// The full blind, whatever he had.
    blind: u64,
    /// The blind is posted out of turn.
    posted_live: bool,
}

impl Money {
    fn post(&mut self, post: Post, amount: u64, settings: &Settings) {
        self.paid += amount;
        match post {
            // Set from the start: who is all-in for the ante has the blind and posts none.
            Post::SmallBlind | Post::BigBlind => {}
            Post::Straddle => self.blind = amount,
            Post::LiveBlind => {
                self.blind = settings.big_blind;
                self.posted_live = true;
            }
            Post::Ante => {
                self.ante = match settings.ante {
                    Ante::Each(ante) => ante,
                    Ante::None | Ante::BigBlind(_) => amount,
                }
            }
            // The big blind comes first here and last in PokerKit: what was paid is the same for both.
            Post::BigBlindAnte => self.ante = amount,
            Post::DeadBlind => self.dead_blind = amount,
        }
    }

    /// A blind out of turn is negative: it does not make its poster the last to act.
    fn blind(&self) -> String {
        let sign = if self.posted_live { "-" } else { "" };
        format!("{sign}{}", self.blind)
    }

    fn end(&self) -> u64 {
        (self.start + self.returned + self.won).saturating_sub(self.paid)
    }

    fn cell(&self, amount: fn(&Money) -> u64) -> String {
        amount(self).to_string()
    }
}

/// A TOML array.
struct List(Vec<String>);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.join(", "))
    }
}

fn quoted(text: String) -> String {
    toml::Value::String(text).to_string()
}

fn text(cards: &[Card]) -> String {
    let mut text = String::with_capacity(2 * cards.len());
    for card in cards {
        write!(text, "{card}").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests;
