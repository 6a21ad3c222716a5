//! A table: its seats, its button, its money, and the hand that is being played.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::command::Phase;
use crate::deck::Deck;
use crate::hand::{Hand, Positions};
use crate::ids::{HandNo, PlayerId, SeatNo, Turn};
use crate::seat::Seat;
use crate::settings::{Settings, SettingsError};

/// The state of a table: what its events fold to. It serialises as a snapshot without the deck of an open hand, which
/// has no serialised form: seal `secret`, and hand it back with `restore_secret`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub(crate) settings: Arc<Settings>,
    /// Shared between copies until one of them changes a seat, which few events of a hand do.
    pub(crate) seats: Arc<Vec<Option<Seat>>>,
    /// Button and blinds of the last hand.
    pub(crate) positions: Option<Positions>,
    pub(crate) hand: Option<Box<Hand>>,
    pub(crate) hands_started: HandNo,
    pub(crate) ledger: Ledger,
    pub(crate) closed: bool,
}

/// Where the chips of a table came from and went. At any moment `chips_in` is the sum of `chips_out`, `rake` and
/// `Table::chips` (P1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Buy-ins and top-ups, all hands.
    pub chips_in: u64,
    /// Cash-outs and returned top-ups.
    pub chips_out: u64,
    /// What the house took of finished hands.
    pub rake: u64,
}

/// The clock that runs for the player to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunningClock {
    /// Whose; the first of those who have not answered, while all are asked whether to run it twice.
    pub seat: SeatNo,
    /// In which hand.
    pub hand: HandNo,
    /// For which decision.
    pub turn: Turn,
    /// Which of the clocks.
    pub phase: Phase,
    /// How long it runs in all.
    pub ms: u32,
}

impl Table {
    /// An empty table; refuses settings that contradict themselves.
    pub fn new(settings: impl Into<Arc<Settings>>) -> Result<Table, SettingsError> {
        let settings = settings.into();
        settings.check()?;
        let seats: Vec<Option<Seat>> = (0..settings.seats).map(|_| None).collect();
        Ok(Table {
            settings,
            seats: Arc::new(seats),
            positions: None,
            hand: None,
            hands_started: HandNo(0),
            ledger: Ledger::default(),
            closed: false,
        })
    }

    /// Its settings.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The taken seats with their numbers, in order.
    pub fn seats(&self) -> impl Iterator<Item = (SeatNo, &Seat)> {
        (0u8..)
            .map(SeatNo)
            .zip(self.seats.iter())
            .filter_map(|(no, seat)| Some((no, seat.as_ref()?)))
    }

    /// Who sits there.
    pub fn seat(&self, seat: SeatNo) -> Option<&Seat> {
        self.seats.get(usize::from(seat.0))?.as_ref()
    }

    /// Where a player sits.
    pub fn seat_of(&self, player: PlayerId) -> Option<(SeatNo, &Seat)> {
        self.seats().find(|(_, seat)| seat.player == player)
    }

    /// The chips of a seat that are not bet, during a hand too.
    pub fn stack(&self, seat: SeatNo) -> Option<u64> {
        let taken = self.seat(seat)?;
        Some(
            self.hand()
                .and_then(|hand| hand.player(seat))
                .map_or(taken.stack, |p| p.stack),
        )
    }

    /// The hand that is being played.
    pub fn hand(&self) -> Option<&Hand> {
        self.hand.as_deref()
    }

    /// How many hands were started, the one that is being played included.
    pub fn hands_started(&self) -> HandNo {
        self.hands_started
    }

    /// Where the chips came from and went.
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// The rake of finished hands; an open hand's rake is still `chips`.
    pub fn rake(&self) -> u64 {
        self.ledger.rake
    }

    /// All chips on the table: stacks, pots, queued top-ups, and the rake of an open hand.
    pub fn chips(&self) -> u64 {
        let players = self.hand().map_or(&[][..], |hand| &hand.players);
        let dealt = players
            .iter()
            .fold(0u32, |dealt, player| dealt | seat_bit(player.seat));
        let seats = self.seats().map(|(no, seat)| match dealt & seat_bit(no) {
            0 => seat.stack.saturating_add(seat.queued_top_up),
            _ => seat.queued_top_up,
        });
        let chips = seats.chain(players.iter().map(|player| player.stack));
        let hand = self
            .hand()
            .map_or(0, |hand| hand.pot().saturating_add(hand.rake));
        chips.fold(hand, u64::saturating_add)
    }

    /// Whether the table is closed for good.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Whether a hand can begin now: none is going on and two players or more can be dealt in.
    pub fn can_deal(&self) -> bool {
        !self.closed
            && self.hand.is_none()
            && self
                .seats()
                .filter(|(_, seat)| seat.ready())
                .nth(1)
                .is_some()
    }

    /// The clock that runs, for the caller to time; `None` if nobody is to act. A TimeOut command names its hand, turn and phase.
    pub fn clock(&self) -> Option<RunningClock> {
        let hand = self.hand()?;
        let asked = || {
            let (open, turn) = hand.run_twice_asked()?;
            Some((*open.first()?, turn))
        };
        let (seat, turn) = hand.turn().or_else(asked)?;
        let clock = &self.settings.clock;
        let ms = match hand.phase {
            Phase::Action | Phase::RunTwice => clock.action_ms,
            Phase::Reconnect => clock.reconnect_ms,
            Phase::Bank => self.seat(seat)?.bank_ms,
        };
        Some(RunningClock {
            seat,
            hand: hand.no,
            turn,
            phase: hand.phase,
            ms,
        })
    }

    /// The deck of the open hand, for the caller to seal with a snapshot.
    pub fn secret(&self) -> Option<&Deck> {
        self.hand()?.deck.as_ref()
    }

    /// Whether an open hand has no deck, as after reading a snapshot: then `decide` refuses until it is restored.
    pub fn wants_secret(&self) -> bool {
        self.hand().is_some_and(|hand| hand.deck.is_none())
    }

    /// Puts the deck of the open hand back; nothing without an open hand.
    pub fn restore_secret(&mut self, deck: Deck) {
        if let Some(hand) = &mut self.hand {
            hand.deck = Some(deck);
        }
    }

    pub(crate) fn seat_mut(&mut self, seat: SeatNo) -> Option<&mut Seat> {
        self.space_mut(seat)?.as_mut()
    }

    /// A seat to change, taken or empty; `None` if there is no such seat.
    pub(crate) fn space_mut(&mut self, seat: SeatNo) -> Option<&mut Option<Seat>> {
        self.seats_mut().get_mut(usize::from(seat.0))
    }

    /// All seats to change; what other copies of the table share with this one is copied first.
    pub(crate) fn seats_mut(&mut self) -> &mut [Option<Seat>] {
        Arc::make_mut(&mut self.seats).as_mut_slice()
    }
}

fn seat_bit(seat: SeatNo) -> u32 {
    1u32.checked_shl(seat.0.into()).unwrap_or(0)
}
