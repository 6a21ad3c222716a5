//! The games by the names that people type, and in the words that they read.

use engine::eval::Made;
use proto::v1::{Betting, Game, Variant};

use super::card::Card;

/// A game by its short name. The betting and the cards of each; what else a house may choose is not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GameName(&'static Named);

#[derive(PartialEq, Eq, Debug)]
struct Named {
    name: &'static str,
    betting: Betting,
    variant: Variant,
    low: bool,
    /// Only the button posts, and everybody an ante.
    button_blind: bool,
}

/// Not the name of a game.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the games are {}", names())]
pub struct NoGame;

impl GameName {
    /// Every game.
    pub fn all() -> impl Iterator<Item = GameName> {
        GAMES.iter().map(GameName)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The game on the wire.
    pub fn game(self) -> Game {
        Game {
            variant: self.0.variant.into(),
            low: self.0.low,
            betting: self.0.betting.into(),
            button_blind: self.0.button_blind,
            ..Game::default()
        }
    }

    /// What each pays before the cards at a table of this game, if it has antes as a matter of course.
    pub fn ante(self, big_blind: u64) -> u64 {
        usual_ante(&self.game(), big_blind)
    }
}

/// No-limit Hold'em.
impl Default for GameName {
    fn default() -> GameName {
        GameName(&GAMES[0])
    }
}

impl std::str::FromStr for GameName {
    type Err = NoGame;

    fn from_str(text: &str) -> Result<GameName, NoGame> {
        GameName::all()
            .find(|game| game.name() == text)
            .ok_or(NoGame)
    }
}

/// What each pays before the cards where only the button posts a blind: else there would be little to play for.
pub fn usual_ante(game: &Game, big_blind: u64) -> u64 {
    if game.button_blind { big_blind } else { 0 }
}

/// The most seats: what the deck is enough for, and the table.
pub fn seats_max(game: &Game) -> u32 {
    let cards = engine::Game {
        run_twice: game.run_twice,
        ..cards_of(game)
    };
    cards.players_max().min(engine::Settings::SEATS_MAX).into()
}

/// A game as a sign over the table says it: "pot-limit Omaha hi-lo".
pub fn title(game: &Game) -> String {
    let betting = match game.betting() {
        Betting::Unspecified | Betting::NoLimit => "no-limit",
        Betting::PotLimit => "pot-limit",
        Betting::FixedLimit => "fixed-limit",
    };
    let cards = match game.variant() {
        Variant::Unspecified | Variant::Holdem => "Hold'em",
        Variant::ShortDeck => "short-deck Hold'em",
        Variant::Omaha => "Omaha",
        Variant::Omaha5 => "five-card Omaha",
        Variant::Omaha6 => "six-card Omaha",
    };
    let low = if game.low { " hi-lo" } else { "" };
    format!("{betting} {cards}{low}")
}

/// The cards of a game and what wins, for whoever weighs hands.
pub fn cards_of(game: &Game) -> engine::Game {
    engine::Game {
        variant: match game.variant() {
            Variant::Unspecified | Variant::Holdem => engine::Variant::Holdem,
            Variant::ShortDeck => engine::Variant::ShortDeck,
            Variant::Omaha => engine::Variant::Omaha4,
            Variant::Omaha5 => engine::Variant::Omaha5,
            Variant::Omaha6 => engine::Variant::Omaha6,
        },
        low: game.low,
        ..engine::Game::default()
    }
}

/// What these cards make with a board of three cards or more, as a dealer would say it.
pub fn holding(game: &Game, hole: &[Card], board: &[Card]) -> Option<String> {
    if hole.is_empty() || board.len() < 3 {
        return None;
    }
    let cards = |cards: &[Card]| -> Option<Vec<engine::Card>> {
        let cards = cards.iter().map(|card| card.to_string().parse().ok());
        cards.collect()
    };
    Some(Made::of(&cards_of(game), &cards(hole)?, &cards(board)?).to_string())
}

/// What a player has to know of the game besides its title.
pub fn notes(game: &Game) -> Vec<&'static str> {
    let omaha = match game.variant() {
        Variant::Unspecified | Variant::Holdem | Variant::ShortDeck => false,
        Variant::Omaha | Variant::Omaha5 | Variant::Omaha6 => true,
    };
    let notes = [
        (
            omaha,
            "exactly two of your cards and three of the board count",
        ),
        (
            game.low,
            "half of each pot is for the best low hand, eight or better",
        ),
        (
            game.variant() == Variant::ShortDeck,
            "no card below six; a flush beats a full house",
        ),
        (
            game.betting() == Betting::PotLimit,
            "you may bet what is in the pot",
        ),
        (
            game.betting() == Betting::FixedLimit,
            "bets and raises have one amount",
        ),
        (game.button_blind, "only the button posts a blind"),
        (
            game.straddle.is_some(),
            "you may straddle: straddle, straddle off",
        ),
        (
            game.run_twice,
            "the rest of the board is dealt twice if all want it",
        ),
    ];
    let told = notes.into_iter().filter(|(holds, _)| *holds);
    told.map(|(_, note)| note).collect()
}

fn names() -> String {
    let names: Vec<&str> = GAMES.iter().map(|game| game.name).collect();
    names.join(", ")
}

const fn named(name: &'static str, betting: Betting, variant: Variant, low: bool) -> Named {
    Named {
        name,
        betting,
        variant,
        low,
        button_blind: false,
    }
}

const GAMES: [Named; 11] = [
    named("nlhe", Betting::NoLimit, Variant::Holdem, false),
    named("plhe", Betting::PotLimit, Variant::Holdem, false),
    named("flhe", Betting::FixedLimit, Variant::Holdem, false),
    named("plo", Betting::PotLimit, Variant::Omaha, false),
    named("plo5", Betting::PotLimit, Variant::Omaha5, false),
    named("plo6", Betting::PotLimit, Variant::Omaha6, false),
    named("plo8", Betting::PotLimit, Variant::Omaha, true),
    named("plo5-8", Betting::PotLimit, Variant::Omaha5, true),
    named("plo6-8", Betting::PotLimit, Variant::Omaha6, true),
    named("flo8", Betting::FixedLimit, Variant::Omaha, true),
    Named {
        button_blind: true,
        ..named("short-deck", Betting::NoLimit, Variant::ShortDeck, false)
    },
];

#[cfg(test)]
mod tests {
    use super::{GameName, NoGame, holding, notes, seats_max, title};

    #[test]
    fn every_name_is_its_own() {
        for game in GameName::all() {
            assert_eq!(game.name().parse(), Ok(game));
        }
        for text in ["", "NLHE", "plo7", "badugi"] {
            assert_eq!(text.parse::<GameName>(), Err(NoGame), "{text}");
        }
    }

    #[test]
    fn as_many_players_as_the_deck_is_enough_for() {
        let check = |name: &str, run_twice, most| {
            let game = name.parse::<GameName>().expect("a game").game();
            let game = proto::v1::Game { run_twice, ..game };
            assert_eq!(seats_max(&game), most, "{name}");
        };
        check("nlhe", false, 10);
        check("short-deck", true, 10);
        check("plo5", false, 9);
        check("plo5", true, 8);
        check("plo6-8", false, 7);
    }

    #[test]
    fn what_one_holds() {
        let check = |name: &str, hole: &str, board: &str, held: Option<&str>| {
            let game = name.parse::<GameName>().expect("a game").game();
            let cards = |text: &str| -> Vec<_> {
                let words = text.split_whitespace();
                words.map(|card| card.parse().expect("a card")).collect()
            };
            let told = holding(&game, &cards(hole), &cards(board));
            assert_eq!(told.as_deref(), held, "{hole} on {board}");
        };
        check(
            "nlhe",
            "As Kd",
            "Ah Kc 2d",
            Some("two pair, aces and kings"),
        );
        check(
            "plo8",
            "As 2d Kc Kd",
            "3h 4c 8d Qs",
            Some("pair of kings and eight-four low"),
        );
        check("plo", "As Ad Kc Kd", "", None);
        check("short-deck", "", "6h 7c 8d", None);
    }

    #[test]
    fn signs_over_the_table() {
        let check = |name: &str, sign: &str, count: usize| {
            let game = name.parse::<GameName>().expect("a game").game();
            assert_eq!((title(&game).as_str(), notes(&game).len()), (sign, count));
        };
        check("nlhe", "no-limit Hold'em", 0);
        check("flhe", "fixed-limit Hold'em", 1);
        check("plo5-8", "pot-limit five-card Omaha hi-lo", 3);
        check("short-deck", "no-limit short-deck Hold'em", 2);
        assert_eq!(title(&proto::v1::Game::default()), "no-limit Hold'em");
    }
}
