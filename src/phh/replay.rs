//! Playing a hand history through the rules that serve players.
//!
//! A [`Script`] is what the file says in the engine's terms: settings, stacks, a deck in which the known cards lie
//! where the engine will deal them, and the decisions. [`Script::play`] sends it through `engine::decide` and
//! `engine::evolve`. Only the seating is different: a file starts in the middle of a game with stacks that no buy-in
//! allows, so its players are seated by events, not by commands.

mod cards;
mod refusal;
mod terms;

use engine::{
    Action, Command, Deck, Entry, Event, Fact, Name, Owes, PlayerId, Reject, SeatNo, Settings,
    Table,
};

use self::cards::{BOARD, Cards};
pub use self::refusal::{Illegal, ReplayError, Unplayable};
use super::decimal::Decimal;
use super::model::Hand;
use super::variant::Code;

/// What the house takes, as told by whoever replays: files do not state it.
#[derive(Debug, Clone, Default)]
pub struct RakeSchedule {
    /// Hundredths of a percent of the pots.
    pub per_10_000: u32,
    /// The most for two players dealt in, for three, and so on; the last one repeats.
    pub caps: Vec<Decimal>,
}

/// A hand that can be played: a file in the engine's terms.
#[derive(Clone)]
pub struct Script {
    places: u8,
    settings: Settings,
    straddler: Option<usize>,
    stacks: Vec<u64>,
    deck: Deck,
    steps: Vec<(usize, Move)>,
    /// Whether all cards that a showdown would need of this place are known.
    known: Vec<bool>,
    board_known: bool,
}

/// What came out of a hand. Amounts are in the script's unit: `10^-places` of the file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// How many decimal places of the file's amounts the unit stands for.
    pub places: u8,
    /// What each place has at the end.
    pub stacks: Vec<u64>,
    /// What each place got out of the pots, after rake.
    pub collected: Vec<u64>,
    /// What went back to each place uncalled.
    pub returned: Vec<u64>,
    /// What the house took.
    pub rake: u64,
    /// Whether a flop was dealt.
    pub flop: bool,
    /// How many decisions were made.
    pub decisions: usize,
    /// Whether the winner hangs on cards that the file does not know.
    pub guessed: bool,
}

/// Plays a hand of a file.
pub fn replay(hand: &Hand, rake: &RakeSchedule) -> Result<Played, ReplayError> {
    Script::new(hand, rake)?.play(|_| ())
}

/// An entry of `actions` that the engine is asked for, or that is compared with what it did.
#[derive(Debug, Clone, Copy)]
enum Move {
    Fold(usize),
    CheckOrCall(usize),
    RaiseTo(usize, u64),
    /// So many cards of the board are dealt in the file from here on.
    Board(usize),
}

impl Script {
    /// The hand in the engine's terms.
    pub fn new(hand: &Hand, rake: &RakeSchedule) -> Result<Script, ReplayError> {
        let code: Result<Code, _> = hand.variant.parse();
        let code = code.or(Err(Unplayable::Variant(hand.variant.clone())))?;
        let places = terms::places(hand, rake);
        let unit = |amount: Decimal| {
            let chips = amount
                .scaled(places)
                .filter(|chips| *chips <= Settings::CHIPS_MAX);
            chips.ok_or(Unplayable::Amounts)
        };
        let mut stacks = Vec::with_capacity(hand.starting_stacks.len());
        for (place, stack) in hand.starting_stacks.iter().enumerate() {
            stacks.push(unit(stack.ok_or(Unplayable::Stack(place + 1))?)?);
        }
        let cards = Cards::of(hand, code.variant)?;
        Ok(Script {
            places,
            straddler: terms::straddler(hand),
            settings: terms::settings(hand, code, rake, &stacks, unit)?,
            deck: cards.deck()?,
            steps: terms::steps(hand, unit)?,
            known: cards
                .holes
                .iter()
                .map(|hole| hole.iter().all(Option::is_some))
                .collect(),
            board_known: cards.board.len() == BOARD && cards.board.iter().all(Option::is_some),
            stacks,
        })
    }

    /// The settings that it is played by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Plays it. `witness` is shown every fact from the start of the hand to its end.
    pub fn play(&self, mut witness: impl FnMut(&Fact)) -> Result<Played, ReplayError> {
        let mut game = Game {
            table: self.table()?,
            events: Vec::with_capacity(EVENTS),
            played: self.before(),
            folded: 0,
        };
        let button = SeatNo((self.stacks.len() - 1) as u8);
        let deal = Command::Deal {
            deck: self.deck.clone(),
            first_button: button,
        };
        game.tell(&deal, &mut witness).map_err(Illegal::Deal)?;
        let mut board = 0;
        for (number, step) in &self.steps {
            game.step(*number, *step, &mut board, &mut witness)?;
        }
        if game.table.hand().is_some() {
            return Err(Unplayable::Unfinished.into());
        }
        let mut played = game.played;
        let live = |place: &usize| game.folded & bit(*place) == 0;
        let contenders: Vec<usize> = (0..self.stacks.len()).filter(live).collect();
        played.guessed = contenders.len() > 1
            && !(self.board_known && contenders.iter().all(|place| self.known[*place]));
        for (place, stack) in played.stacks.iter_mut().enumerate() {
            *stack = game.table.stack(SeatNo(place as u8)).unwrap_or(0);
        }
        Ok(played)
    }

    /// The table before the hand: everybody sits where his place is, and nobody owes anything.
    fn table(&self) -> Result<Table, Unplayable> {
        let mut table = Table::new(self.settings.clone())?;
        let name = Name::new("player").expect("a short name");
        for (place, stack) in self.stacks.iter().enumerate() {
            let taken = Fact::SeatTaken {
                seat: SeatNo(place as u8),
                player: player(place),
                name: name.clone(),
                buy_in: *stack,
                entry: Entry::default(),
                owes: Owes::Nothing,
            };
            engine::evolve(&mut table, &Event::Public(taken));
        }
        if let Some(place) = self.straddler {
            let seat = SeatNo(place as u8);
            let chosen = Fact::StraddleChosen { seat, on: true };
            engine::evolve(&mut table, &Event::Public(chosen));
        }
        Ok(table)
    }

    fn before(&self) -> Played {
        let none = vec![0; self.stacks.len()];
        let [stacks, collected, returned] = [self.stacks.clone(), none.clone(), none];
        Played {
            places: self.places,
            stacks,
            collected,
            returned,
            rake: 0,
            flop: false,
            decisions: 0,
            guessed: false,
        }
    }
}

/// A hand that is being played.
struct Game {
    table: Table,
    /// Room for those of one command.
    events: Vec<Event>,
    played: Played,
    /// A bit for each place.
    folded: u16,
}

impl Game {
    fn step(
        &mut self,
        number: usize,
        step: Move,
        board: &mut usize,
        witness: &mut impl FnMut(&Fact),
    ) -> Result<(), Illegal> {
        let Some(hand) = self.table.hand() else {
            // Cards that come after all hands are up: the engine has dealt them already.
            return if let Move::Board(_) = step {
                Ok(())
            } else {
                Err(Illegal::Over(number))
            };
        };
        let engine = hand.board().len();
        if let Move::Board(cards) = step {
            *board = cards;
        }
        if *board != engine {
            return Err(Illegal::Board {
                action: number,
                file: *board,
                engine,
            });
        }
        let (place, action) = match step {
            Move::Board(_) => return Ok(()),
            Move::Fold(place) => (place, Action::Fold),
            Move::CheckOrCall(place) => (place, self.check_or_call()),
            Move::RaiseTo(place, to) => (place, Action::RaiseTo { to }),
        };
        let (_, turn) = hand
            .turn()
            .expect("a hand waits for a decision between commands");
        let act = Command::Act {
            player: player(place),
            hand: hand.no(),
            turn,
            action,
            bank_used_ms: 0,
        };
        self.played.decisions += 1;
        self.tell(&act, witness).map_err(|reject| Illegal::Refused {
            action: number,
            reject,
        })
    }

    /// PHH has one word for both.
    fn check_or_call(&self) -> Action {
        match engine::legal(&self.table).and_then(|legal| legal.call) {
            Some(_) => Action::Call,
            None => Action::Check,
        }
    }

    fn tell(&mut self, command: &Command, witness: &mut impl FnMut(&Fact)) -> Result<(), Reject> {
        let mut events = std::mem::take(&mut self.events);
        engine::carry_out(&mut self.table, command, &mut events)?;
        for event in events.drain(..) {
            if let Event::Public(fact) = &event {
                self.note(fact);
                witness(fact);
            }
        }
        self.events = events;
        Ok(())
    }

    fn note(&mut self, fact: &Fact) {
        if let Fact::Acted {
            seat,
            action: Action::Fold,
            ..
        } = fact
        {
            self.folded |= bit(seat.0.into());
        }
        self.played.flop |= matches!(fact, Fact::StreetDealt { .. });
        if let Fact::UncalledReturned { seat, amount } = fact {
            self.played.returned[usize::from(seat.0)] += amount;
        }
        if let Fact::PotAwarded { rake, shares, .. } = fact {
            self.played.rake += rake;
            for (seat, share) in shares {
                self.played.collected[usize::from(seat.0)] += share;
            }
        }
    }
}

/// A table has ten seats at most.
fn bit(place: usize) -> u16 {
    1 << place
}

fn player(place: usize) -> PlayerId {
    PlayerId(place as u128 + 1)
}

/// A deal has five, and few decisions have more.
const EVENTS: usize = 8;
#[cfg(test)]
mod tests;
