//! The only door out: what one viewer may know of a table and of each of its events (R22).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use crate::bet::{Legal, legal};
use crate::cards::Cards;
use crate::deck::HoleCards;
use crate::event::{Event, Fact, Secret};
use crate::hand::{Hand, Positions, Street};
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::seat::{Away, Name, Owes};
use crate::settings::Settings;
use crate::showdown::collected;
use crate::table::{RunningClock, Table};

/// Who looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Viewer {
    /// A player, seated or not.
    Player(PlayerId),
    /// Anybody else.
    Spectator,
}

/// A table as one viewer may see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct View {
    /// The table's settings.
    pub settings: Arc<Settings>,
    /// Where the viewer sits.
    pub you: Option<SeatNo>,
    /// Every seat, empty ones too, in order.
    pub seats: Vec<Option<SeatView>>,
    /// How many hands were started.
    pub hands_started: HandNo,
    /// The hand that is being played.
    pub hand: Option<HandView>,
    /// Whether the table is closed for good.
    pub closed: bool,
}

/// A taken seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SeatView {
    /// Which.
    pub seat: SeatNo,
    /// Who.
    pub player: PlayerId,
    /// What the others call him.
    pub name: Name,
    /// His chips that are not bet.
    pub stack: u64,
    /// Chips that join the stack after the hand.
    pub queued_top_up: u64,
    /// Why he is not dealt in.
    pub away: Option<Away>,
    /// What he must post first.
    pub owes: Owes,
    /// Gone after the hand.
    pub leaving: bool,
    /// Has a connection.
    pub connected: bool,
    /// What is left of his time bank.
    pub bank_ms: u32,
    /// Straddles where he may.
    pub straddles: bool,
}

/// The hand that is being played.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HandView {
    /// Its number.
    pub hand: HandNo,
    /// Where button and blinds are.
    pub positions: Positions,
    /// The street.
    pub street: Street,
    /// The board so far.
    pub board: Cards,
    /// The second board so far, with the cards that both have in common, if the hand is run twice.
    pub second_board: Option<Cards>,
    /// Who is asked whether to run it twice and has not answered yet, and the question's number.
    pub run_twice_asked: Option<(Vec<SeatNo>, Turn)>,
    /// All chips that are bet or posted and not paid out yet.
    pub pot: u64,
    /// What the streets before this one, antes and dead blinds left in the pots, the main pot first (R7).
    pub pots: Vec<PotView>,
    /// The bet to match on this street.
    pub current_bet: u64,
    /// Everybody who was dealt in, from the left of the button clockwise.
    pub players: Vec<PlayerView>,
    /// Whose turn it is, and the clock that runs.
    pub clock: Option<RunningClock>,
    /// What the player to act may do.
    pub legal: Option<Legal>,
}

/// A pot, before rake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PotView {
    /// How many chips are in it.
    pub amount: u64,
    /// Who may win it.
    pub contenders: Vec<SeatNo>,
}

/// A player in a hand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PlayerView {
    /// Where.
    pub seat: SeatNo,
    /// His chips that are not bet.
    pub stack: u64,
    /// His bet on this street.
    pub bet: u64,
    /// All that he put into the pots as bets and antes.
    pub paid: u64,
    /// Gave up.
    pub folded: bool,
    /// In the hand without chips left to bet.
    pub all_in: bool,
    /// His cards, once turned up.
    pub shown: Option<Cards>,
    /// His cards, if the viewer is he.
    pub own: Option<OwnCards>,
}

/// A player's cards on the way to himself: serialised, but never printed. Only this module makes them.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OwnCards(Cards);

/// An event as one viewer may see it: exactly one for every event and viewer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub enum Seen<'a> {
    /// What everybody sees.
    Public(&'a Fact),
    /// The viewer's own cards.
    HoleCards {
        /// His seat.
        seat: SeatNo,
        /// His cards.
        cards: OwnCards,
    },
    /// Something that is not for this viewer.
    Nothing,
}

/// The table as this viewer may see it.
pub fn view(table: &Table, viewer: Viewer) -> View {
    let seats = (0u8..)
        .map(SeatNo)
        .zip(table.seats.iter())
        .map(|(no, seat)| {
            let seat = seat.as_ref()?;
            Some(SeatView {
                seat: no,
                player: seat.player,
                name: seat.name.clone(),
                stack: table.stack(no).unwrap_or(seat.stack),
                queued_top_up: seat.queued_top_up,
                away: seat.away,
                owes: seat.owes,
                leaving: seat.leaving,
                connected: seat.connected,
                bank_ms: seat.bank_ms,
                straddles: seat.straddles,
            })
        });
    View {
        settings: Arc::clone(&table.settings),
        you: viewer
            .player()
            .and_then(|player| Some(table.seat_of(player)?.0)),
        seats: seats.collect(),
        hands_started: table.hands_started,
        hand: table.hand().map(|hand| hand_view(table, hand, viewer)),
        closed: table.closed,
    }
}

/// The event as this viewer may see it, where `table` is the table right after it.
pub fn see<'a>(table: &Table, event: &'a Event, viewer: Viewer) -> Seen<'a> {
    match event {
        Event::Public(fact) => Seen::Public(fact),
        Event::Private(Secret::Deck(_)) => own_cards(table, viewer),
    }
}

impl OwnCards {
    /// The cards. The caller sends them to their owner and to nobody else.
    pub fn cards(&self) -> &[crate::card::Card] {
        &self.0
    }
}

impl From<HoleCards> for OwnCards {
    fn from(cards: HoleCards) -> OwnCards {
        OwnCards(Cards::default().and(cards.cards()))
    }
}

impl fmt::Debug for OwnCards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnCards")
    }
}

impl Viewer {
    fn player(self) -> Option<PlayerId> {
        match self {
            Viewer::Player(player) => Some(player),
            Viewer::Spectator => None,
        }
    }
}

fn hand_view(table: &Table, hand: &Hand, viewer: Viewer) -> HandView {
    let players = hand.players.iter().map(|p| PlayerView {
        seat: p.seat,
        stack: p.stack,
        bet: p.bet,
        paid: p.bets.saturating_add(p.ante),
        folded: p.folded,
        all_in: p.all_in(),
        shown: p.shown,
        own: hand
            .hole(p.seat, table.settings.game.variant)
            .filter(|_| viewer.player() == Some(p.player))
            .map(OwnCards::from),
    });
    HandView {
        hand: hand.no,
        positions: hand.positions,
        street: hand.street,
        board: hand.board,
        second_board: hand.second_board(),
        run_twice_asked: hand
            .run_twice_asked()
            .map(|(open, turn)| (open.into(), turn)),
        pot: hand.pot(),
        pots: pots(hand),
        current_bet: hand.current_bet,
        players: players.collect(),
        clock: table.clock(),
        legal: legal(table),
    }
}

fn pots(hand: &Hand) -> Vec<PotView> {
    let seat = |place: &usize| hand.players.get(*place).map(|p| p.seat);
    let pots = collected(hand).into_iter();
    pots.map(|pot| PotView {
        amount: pot.amount,
        contenders: pot.contenders.iter().filter_map(seat).collect(),
    })
    .collect()
}

fn own_cards<'a>(table: &Table, viewer: Viewer) -> Seen<'a> {
    let own = || {
        let hand = table.hand()?;
        let player = viewer.player()?;
        let seat = hand.players.iter().find(|p| p.player == player)?.seat;
        Some(Seen::HoleCards {
            seat,
            cards: hand.hole(seat, table.settings.game.variant)?.into(),
        })
    };
    own().unwrap_or(Seen::Nothing)
}
