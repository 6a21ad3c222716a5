//! From TOML to [`Hand`]s. Every refusal names what is wrong with the file; unknown fields are left alone.

use std::ops::Range;

use engine::{Card, CardError};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::decimal::{Decimal, DecimalError};
use super::model::{Hand, Known, Showing, Step};

/// Why a file or one hand of it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The file is not TOML.
    #[error("not TOML: {}", .0.message())]
    Toml(#[from] toml::de::Error),
    /// A required field is missing.
    #[error("no field {0:?}")]
    Missing(&'static str),
    /// A field has another type than the format says.
    #[error("field {field:?} is not {expected}")]
    Type {
        /// Which field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// An array of players does not have one value for each.
    #[error("field {field:?} has {count} values for {players} players")]
    Count {
        /// Which field.
        field: &'static str,
        /// How many values it has.
        count: usize,
        /// How many players there are.
        players: usize,
    },
    /// An amount of a field.
    #[error("field {field:?}: {source}")]
    Amount {
        /// Which field.
        field: &'static str,
        /// Why it is none.
        source: DecimalError,
    },
    /// An entry of `actions`.
    #[error("action {number} {text:?}: {source}")]
    Action {
        /// Which one, from 1.
        number: usize,
        /// The entry.
        text: String,
        /// What is wrong with it.
        source: ActionError,
    },
    /// A table of a `.phhs` file is not a table.
    #[error("a value that is not a hand")]
    NotAHand,
}

/// Why an entry of `actions` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Neither `d` nor `p1` to the last player.
    #[error("{0:?} is no player")]
    Actor(String),
    /// Not two characters for each card, or not a card.
    #[error("{0:?} are no cards")]
    Cards(String),
    /// The amount of a bet.
    #[error(transparent)]
    Amount(#[from] DecimalError),
    /// Words that make no action.
    #[error("not an action")]
    Verb,
}

/// A hand of a file: its table's header (empty in a file of one hand) and the hand.
pub type Named = (String, Result<Hand, ParseError>);

/// The hands of a file, in its order: one (`.phh`), or one for each table (`.phhs`). A hand that cannot be read does
/// not keep the others from being read.
pub fn parse(text: &str) -> Result<Vec<Named>, ParseError> {
    let file = DeTable::parse(text)?.into_inner();
    if file.contains_key("variant") {
        return Ok(vec![(String::new(), hand(&file))]);
    }
    let mut tables: Vec<(Range<usize>, Named)> = file
        .iter()
        .map(|(name, value)| {
            let read = value
                .get_ref()
                .as_table()
                .ok_or(ParseError::NotAHand)
                .and_then(hand);
            (name.span(), (name.get_ref().to_string(), read))
        })
        .collect();
    tables.sort_by_key(|(span, _)| span.start);
    Ok(tables.into_iter().map(|(_, named)| named).collect())
}

fn hand(table: &DeTable<'_>) -> Result<Hand, ParseError> {
    let field = |name| table.get(name).map(Spanned::get_ref);
    let variant = string(
        "variant",
        field("variant").ok_or(ParseError::Missing("variant"))?,
    )?;
    let starting_stacks = field("starting_stacks").ok_or(ParseError::Missing("starting_stacks"))?;
    let starting_stacks = array("starting_stacks", starting_stacks)?
        .map(stack)
        .collect::<Result<Vec<_>, _>>()?;
    let players = starting_stacks.len();
    let amounts = |name| {
        field(name)
            .map(|value| amounts(name, value, players))
            .transpose()
    };
    let bet = |name| field(name).map(|value| amount(name, value)).transpose();
    let actions = array(
        "actions",
        field("actions").ok_or(ParseError::Missing("actions"))?,
    )?;
    let (blinds, posts) = match field(BLINDS) {
        Some(value) => blinds(value, players)?,
        None => (Vec::new(), Vec::new()),
    };
    Ok(Hand {
        variant,
        antes: amounts("antes")?.ok_or(ParseError::Missing("antes"))?,
        blinds,
        posts,
        min_bet: bet("min_bet")?,
        small_bet: bet("small_bet")?,
        big_bet: bet("big_bet")?,
        actions: actions
            .enumerate()
            .map(|(at, value)| action(at + 1, value, players))
            .collect::<Result<_, _>>()?,
        finishing_stacks: amounts("finishing_stacks")?,
        winnings: amounts("winnings")?,
        players: match field("players") {
            Some(names) => array("players", names)?
                .map(|name| string("players", name))
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        },
        starting_stacks,
    })
}

fn string(field: &'static str, value: &DeValue<'_>) -> Result<String, ParseError> {
    value.as_str().map(str::to_owned).ok_or(ParseError::Type {
        field,
        expected: "a string",
    })
}

fn array<'a, 'i>(
    field: &'static str,
    value: &'a DeValue<'i>,
) -> Result<impl ExactSizeIterator<Item = &'a DeValue<'i>>, ParseError> {
    let array = value.as_array().ok_or(ParseError::Type {
        field,
        expected: "an array",
    })?;
    Ok(array.iter().map(Spanned::get_ref))
}

/// The blinds, and apart from them the negative ones: posts out of turn.
fn blinds(value: &DeValue<'_>, players: usize) -> Result<(Vec<Decimal>, Vec<Decimal>), ParseError> {
    let values = array(BLINDS, value)?;
    if values.len() != players {
        return Err(ParseError::Count {
            field: BLINDS,
            count: values.len(),
            players,
        });
    }
    let split = |value| {
        let text = number(value).ok_or(ParseError::Type {
            field: BLINDS,
            expected: "a number",
        })?;
        let (post, text) = text
            .strip_prefix('-')
            .map_or((false, text), |positive| (true, positive));
        let amount: Decimal = text.parse().map_err(|source| ParseError::Amount {
            field: BLINDS,
            source,
        })?;
        Ok(if post {
            (Decimal::default(), amount)
        } else {
            (amount, Decimal::default())
        })
    };
    values
        .map(split)
        .collect::<Result<Vec<_>, _>>()
        .map(|pairs| pairs.into_iter().unzip())
}

fn amounts(
    field: &'static str,
    value: &DeValue<'_>,
    players: usize,
) -> Result<Vec<Decimal>, ParseError> {
    let values = array(field, value)?;
    if values.len() != players {
        return Err(ParseError::Count {
            field,
            count: values.len(),
            players,
        });
    }
    values.map(|value| amount(field, value)).collect()
}

fn amount(field: &'static str, value: &DeValue<'_>) -> Result<Decimal, ParseError> {
    let text = number(value).ok_or(ParseError::Type {
        field,
        expected: "a number",
    })?;
    text.parse()
        .map_err(|source| ParseError::Amount { field, source })
}

fn stack(value: &DeValue<'_>) -> Result<Option<Decimal>, ParseError> {
    match number(value) {
        Some("inf" | "+inf") => Ok(None),
        _ => amount("starting_stacks", value).map(Some),
    }
}

/// A number as it is written.
fn number<'a>(value: &'a DeValue<'_>) -> Option<&'a str> {
    let integer = value
        .as_integer()
        .filter(|integer| integer.radix() == 10)
        .map(|integer| integer.as_str());
    integer.or_else(|| Some(value.as_float()?.as_str()))
}

fn action(number: usize, value: &DeValue<'_>, players: usize) -> Result<Step, ParseError> {
    let text = value.as_str().ok_or(ParseError::Type {
        field: "actions",
        expected: "an array of strings",
    })?;
    step(text, players).map_err(|source| ParseError::Action {
        number,
        text: text.to_owned(),
        source,
    })
}

fn step(text: &str, players: usize) -> Result<Step, ActionError> {
    let words: Vec<&str> = text
        .split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .collect();
    let player = |name: &str| {
        let number = name
            .strip_prefix('p')
            .and_then(|number| number.parse::<usize>().ok());
        let place = number
            .and_then(|number| number.checked_sub(1))
            .filter(|place| *place < players);
        place.ok_or_else(|| ActionError::Actor(name.to_owned()))
    };
    Ok(match *words.as_slice() {
        [] => Step::Comment,
        ["d", "dh", name, dealt] => Step::DealHole(player(name)?, cards(dealt)?),
        ["d", "db", dealt] => Step::DealBoard(cards(dealt)?),
        [name, "f"] => Step::Fold(player(name)?),
        [name, "cc"] => Step::CheckOrCall(player(name)?),
        [name, "cbr", to] => Step::RaiseTo(player(name)?, to.parse()?),
        [name, "sm"] => Step::Show(player(name)?, Showing::Muck),
        [name, "sm", "-"] => Step::Show(player(name)?, Showing::AsDealt),
        [name, "sm", shown] => Step::Show(player(name)?, Showing::Cards(cards(shown)?)),
        [name, verb @ ("pb" | "sd")] | [name, verb @ "sd", _] => {
            player(name)?;
            Step::Foreign(verb.to_owned())
        }
        _ => return Err(ActionError::Verb),
    })
}

/// Cards without blanks between them. A rank or a suit that is not known makes the card unknown.
fn cards(text: &str) -> Result<Vec<Known>, ActionError> {
    let refused = || ActionError::Cards(text.to_owned());
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(refused());
    }
    let pairs = (0..text.len())
        .step_by(2)
        .map(|start| &text[start..start + 2]);
    pairs
        .map(|pair| {
            if pair.contains('?') {
                Ok(None)
            } else {
                pair.parse::<Card>().map(Some)
            }
        })
        .collect::<Result<_, CardError>>()
        .or(Err(refused()))
}

const BLINDS: &str = "blinds_or_straddles";

#[cfg(test)]
mod tests;
