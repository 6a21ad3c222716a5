//! A hand as its file tells it, before any rule is applied.

use engine::Card;

use super::decimal::Decimal;

/// One hand history. Arrays have a place for each player: first left of the button, last the button.
#[derive(Debug, Clone)]
pub struct Hand {
    /// The game by its PHH code: `NT` is no-limit Hold'em.
    pub variant: String,
    /// What each player pays before the cards.
    pub antes: Vec<Decimal>,
    /// What each player posts; empty in games without blinds.
    pub blinds: Vec<Decimal>,
    /// What each player posts out of turn to come in; PokerKit writes it as a negative blind.
    pub posts: Vec<Decimal>,
    /// The smallest bet, in games without fixed limits.
    pub min_bet: Option<Decimal>,
    /// The bet of the early streets, in fixed limit.
    pub small_bet: Option<Decimal>,
    /// The bet of the late streets, in fixed limit.
    pub big_bet: Option<Decimal>,
    /// What each player has at the start; `None` is not known (`inf`).
    pub starting_stacks: Vec<Option<Decimal>>,
    /// What happened, in order.
    pub actions: Vec<Step>,
    /// What each player has at the end, if the file states it.
    pub finishing_stacks: Option<Vec<Decimal>>,
    /// What each player collected after rake, if the file states it.
    pub winnings: Option<Vec<Decimal>>,
    /// Who played, if the file names them.
    pub players: Vec<String>,
}

/// A card that may not be known.
pub type Known = Option<Card>;

/// One entry of `actions`. Players are places, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `d dh pN cards`
    DealHole(usize, Vec<Known>),
    /// `d db cards`
    DealBoard(Vec<Known>),
    /// `pN f`
    Fold(usize),
    /// `pN cc`
    CheckOrCall(usize),
    /// `pN cbr amount`: the whole bet of the street.
    RaiseTo(usize, Decimal),
    /// `pN sm cards`, with `-` for the cards as dealt; without cards it is a muck.
    Show(usize, Showing),
    /// A verb of another game, such as `pb` or `sd`.
    Foreign(String),
    /// Text only.
    Comment,
}

/// What a player does with his cards at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Showing {
    /// Nothing is shown.
    Muck,
    /// The cards as they were dealt.
    AsDealt,
    /// These cards, maybe not all of them known.
    Cards(Vec<Known>),
}
