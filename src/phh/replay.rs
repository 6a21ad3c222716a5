//! Playing a hand history through the rules that serve players.
//!
//! A [`Script`] is what the file says in the engine's terms: settings, stacks, a deck in which the known cards lie
//! where the engine will deal them, and the decisions. [`Script::play`] sends it through `engine::decide` and
//! `engine::evolve`. Only the seating is different: a file starts in the middle of a game with stacks that no buy-in
//! allows, so its players are seated by events, not by commands.

use engine::{
    Action, Ante, Card, Command, Deck, Entry, Event, Fact, Name, Owes, PlayerId, Rake, Reject,
    SeatNo, Settings, SettingsError, Table,
};

use super::decimal::Decimal;
use super::model::{Hand, Known, Showing, Step};

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
    /// How many decisions were made.
    pub decisions: usize,
    /// Whether the winner hangs on cards that the file does not know.
    pub guessed: bool,
}

/// Why a hand cannot be played here: it is another game, or it leaves out what would be needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// Not no-limit Hold'em.
    #[error("variant {0} is not played here")]
    Variant(String),
    /// The antes are neither equal nor the big blind's alone.
    #[error("antes that are neither equal nor the big blind's")]
    Antes,
    /// Not a small and a big blind only.
    #[error("blinds other than a small and a big one")]
    Blinds,
    /// The smallest bet is not the big blind.
    #[error("a smallest bet that is not the big blind")]
    MinBet,
    /// A stack that the file does not know.
    #[error("the stack of p{0} is not known")]
    Stack(usize),
    /// The amounts of the hand do not fit together into integers.
    #[error("amounts too large or too fine")]
    Amounts,
    /// A table of such settings is refused.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The file ends before the hand does.
    #[error("the file ends before the hand")]
    Unfinished,
}

/// What the rules do not allow, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The table cannot begin the hand.
    #[error("the hand cannot begin: {0}")]
    Deal(Reject),
    /// A decision was refused.
    #[error("action {action} is refused: {reject}")]
    Refused {
        /// Which entry of `actions`, from 1.
        action: usize,
        /// By which rule.
        reject: Reject,
    },
    /// A decision after the end.
    #[error("action {0}: the hand is over")]
    Over(usize),
    /// Cards of the board while players are still to act, or the other way round.
    #[error(
        "action {action}: {file} cards of the board are dealt in the file and {engine} by the rules"
    )]
    Board {
        /// Which entry of `actions`, from 1.
        action: usize,
        /// The board in the file.
        file: usize,
        /// The board by the rules.
        engine: usize,
    },
    /// A card occurs twice, or a player shows other cards than he was dealt.
    #[error("the cards of the file contradict each other")]
    Cards,
}

/// Why a hand was not played to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Nothing can be said about it.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// The file does what the rules do not allow.
    #[error(transparent)]
    Illegal(#[from] Illegal),
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
        if hand.variant != NO_LIMIT_HOLDEM {
            return Err(Unplayable::Variant(hand.variant.clone()).into());
        }
        let places = places(hand, rake);
        let unit = |amount: Decimal| amount.scaled(places).ok_or(Unplayable::Amounts);
        let stacks = hand
            .starting_stacks
            .iter()
            .enumerate()
            .map(|(place, stack)| unit(stack.ok_or(Unplayable::Stack(place + 1))?));
        let stacks = stacks.collect::<Result<Vec<u64>, _>>()?;
        let cards = Cards::of(hand)?;
        Ok(Script {
            places,
            settings: settings(hand, rake, &stacks, unit)?,
            deck: cards.deck(stacks.len())?,
            steps: steps(hand, unit)?,
            known: cards
                .holes
                .iter()
                .map(|hole| hole.iter().all(Option::is_some))
                .collect(),
            board_known: cards.board.len() == BOARD && cards.board.iter().all(Option::is_some),
            stacks,
        })
    }

    /// Plays it. `witness` is shown every fact from the start of the hand to its end.
    pub fn play(&self, mut witness: impl FnMut(&Fact)) -> Result<Played, ReplayError> {
        let mut game = Game {
            table: self.table()?,
            played: self.before(),
            folded: vec![false; self.stacks.len()],
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
        let live = |place: &usize| !game.folded[*place];
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
        for (place, stack) in self.stacks.iter().enumerate() {
            let taken = Fact::SeatTaken {
                seat: SeatNo(place as u8),
                player: player(place),
                name: Name::new(&format!("p{}", place + 1)).expect("a short name"),
                buy_in: *stack,
                entry: Entry::default(),
                owes: Owes::Nothing,
            };
            engine::evolve(&mut table, &Event::Public(taken));
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
            decisions: 0,
            guessed: false,
        }
    }
}

/// A hand that is being played.
struct Game {
    table: Table,
    played: Played,
    folded: Vec<bool>,
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
        for event in engine::decide(&self.table, command)? {
            engine::evolve(&mut self.table, &event);
            if let Event::Public(fact) = &event {
                self.note(fact);
                witness(fact);
            }
        }
        Ok(())
    }

    fn note(&mut self, fact: &Fact) {
        if let Fact::Acted {
            seat,
            action: Action::Fold,
            ..
        } = fact
        {
            self.folded[usize::from(seat.0)] = true;
        }
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

/// The cards of a file.
struct Cards {
    holes: Vec<[Known; HOLE]>,
    board: Vec<Known>,
}

impl Cards {
    fn of(hand: &Hand) -> Result<Cards, Illegal> {
        let mut holes = vec![Vec::new(); hand.starting_stacks.len()];
        let mut board = Vec::new();
        for step in &hand.actions {
            match step {
                Step::DealHole(place, cards) => holes[*place].extend_from_slice(cards),
                Step::DealBoard(cards) => board.extend_from_slice(cards),
                Step::Fold(_) | Step::CheckOrCall(_) | Step::RaiseTo(..) => {}
                Step::Show(..) | Step::Foreign(_) | Step::Comment => {}
            }
        }
        if board.len() > BOARD || holes.iter().any(|hole| hole.len() > HOLE) {
            return Err(Illegal::Cards);
        }
        let hole = |cards: &Vec<Known>| [0, 1].map(|n| cards.get(n).copied().flatten());
        let mut cards = Cards {
            holes: holes.iter().map(hole).collect(),
            board,
        };
        for step in &hand.actions {
            if let Step::Show(place, Showing::Cards(shown)) = step {
                cards.show(*place, shown)?;
            }
        }
        Ok(cards)
    }

    /// What a player shows fills in what was not known when it was dealt.
    fn show(&mut self, place: usize, shown: &[Known]) -> Result<(), Illegal> {
        let hole = &mut self.holes[place];
        for card in shown.iter().flatten() {
            if hole.contains(&Some(*card)) {
                continue;
            }
            *hole
                .iter_mut()
                .find(|known| known.is_none())
                .ok_or(Illegal::Cards)? = Some(*card);
        }
        Ok(())
    }

    /// The known cards where the engine deals them, and the others where there is room.
    fn deck(&self, players: usize) -> Result<Deck, Illegal> {
        let rounds = (0..HOLE).flat_map(|round| self.holes.iter().map(move |hole| hole[round]));
        let mut wanted: Vec<Known> = rounds.chain(self.board.iter().copied()).collect();
        debug_assert_eq!(wanted.len(), HOLE * players + self.board.len());
        wanted.resize(Card::COUNT, None);
        let mut rest = Card::all().filter(|card| !wanted.contains(&Some(*card)));
        let cards: Option<Vec<Card>> = wanted
            .iter()
            .map(|known| known.or_else(|| rest.next()))
            .collect();
        let cards = cards
            .and_then(|cards| cards.try_into().ok())
            .ok_or(Illegal::Cards)?;
        Deck::new(cards).or(Err(Illegal::Cards))
    }
}

/// The decimal places that hold every amount that is played with. What the file states as its result is not among
/// them: a half chip there is not a chip that could have been bet.
fn places(hand: &Hand, rake: &RakeSchedule) -> u8 {
    let bets = hand.actions.iter().filter_map(|step| {
        if let Step::RaiseTo(_, to) = step {
            Some(*to)
        } else {
            None
        }
    });
    let stacks = hand.starting_stacks.iter().flatten().copied();
    let posts = hand
        .antes
        .iter()
        .chain(&hand.blinds)
        .chain(&hand.min_bet)
        .chain(&rake.caps)
        .copied();
    bets.chain(stacks)
        .chain(posts)
        .map(Decimal::places)
        .max()
        .unwrap_or(0)
}

fn settings(
    hand: &Hand,
    rake: &RakeSchedule,
    stacks: &[u64],
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Settings, Unplayable> {
    let [small, big, others @ ..] = hand.blinds.as_slice() else {
        return Err(Unplayable::Blinds);
    };
    if others.iter().any(|post| !post.is_zero()) {
        return Err(Unplayable::Blinds);
    }
    if hand.min_bet != Some(*big) {
        return Err(Unplayable::MinBet);
    }
    let seats = u8::try_from(stacks.len()).or(Err(Unplayable::Amounts))?;
    let caps = rake
        .caps
        .iter()
        .map(|cap| unit(*cap))
        .collect::<Result<_, _>>()?;
    let mut settings = Settings::new(seats, unit(*small)?, unit(*big)?);
    settings.ante = ante(hand, unit)?;
    settings.rake = Rake {
        per_10_000: rake.per_10_000,
        caps,
    };
    Ok(settings)
}

/// The antes of the file. Heads-up they are reversed like the blinds, so the second is the big blind's always.
fn ante(
    hand: &Hand,
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Ante, Unplayable> {
    let [first, second, others @ ..] = hand.antes.as_slice() else {
        return Err(Unplayable::Antes);
    };
    let rest = others.iter().find(|ante| !ante.is_zero());
    if hand.antes.iter().all(|ante| ante.is_zero()) {
        Ok(Ante::None)
    } else if hand.antes.iter().all(|ante| ante == first) {
        Ok(Ante::Each(unit(*first)?))
    } else if first.is_zero() && rest.is_none() {
        Ok(Ante::BigBlind(unit(*second)?))
    } else {
        Err(Unplayable::Antes)
    }
}

fn steps(
    hand: &Hand,
    unit: impl Fn(Decimal) -> Result<u64, Unplayable>,
) -> Result<Vec<(usize, Move)>, ReplayError> {
    let mut board = 0;
    let mut steps = Vec::with_capacity(hand.actions.len());
    for (at, step) in hand.actions.iter().enumerate() {
        let step = match step {
            Step::Fold(place) => Move::Fold(*place),
            Step::CheckOrCall(place) => Move::CheckOrCall(*place),
            Step::RaiseTo(place, to) => Move::RaiseTo(*place, unit(*to)?),
            Step::DealBoard(cards) => {
                board += cards.len();
                Move::Board(board)
            }
            Step::Foreign(verb) => return Err(Unplayable::Variant(format!("with {verb}")).into()),
            // The engine deals the hole cards and turns the hands up by itself.
            Step::DealHole(..) | Step::Show(..) | Step::Comment => continue,
        };
        steps.push((at + 1, step));
    }
    Ok(steps)
}

fn player(place: usize) -> PlayerId {
    PlayerId(place as u128 + 1)
}

/// The PHH code of the game that is played here.
const NO_LIMIT_HOLDEM: &str = "NT";
/// Cards of a player.
const HOLE: usize = 2;
/// Cards of a full board.
const BOARD: usize = 5;
