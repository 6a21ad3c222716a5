//! The house bots know every game: hand for hand they win from who only calls and from who does anything.
//!
//! Each deck is played twice, with the seats changed, so that neither has the better cards. All follows from the seed.

use engine::{Action, Card, Command, Deck, Entry, HandNo, Name, PlayerId, SeatNo, Settings, Table};
use openrustpoker::{
    client::{
        GameName, Move, Options, Street,
        bots::{Dice, Sight, Strategy, Temper},
    },
    grpc::convert::settings::parse,
};

#[test]
fn house_bots_win_from_callers_and_from_dice() {
    std::thread::scope(|scope| {
        for name in GameName::all().map(GameName::name) {
            scope.spawn(move || {
                for other in [Strategy::Caller, Strategy::Random] {
                    let won = duel(name, Strategy::Sharp(Temper::Even), other, DECKS);
                    println!("{name}: {won} from {other:?}, in hundredths of a big blind a hand");
                    assert!(won > LEAST, "{name}: {won} from {other:?}");
                }
            });
        }
    });
}

#[test]
fn the_same_seed_plays_the_same() {
    let careful = Strategy::Sharp(Temper::Careful);
    let bold = Strategy::Sharp(Temper::Bold);
    let once = duel("plo8", careful, bold, 5);
    assert_eq!(once, duel("plo8", careful, bold, 5));
}

/// What the first wins from the second, in hundredths of a big blind a hand.
fn duel(game: &str, first: Strategy, second: Strategy, decks: u64) -> i64 {
    let game: GameName = game.parse().expect("a game");
    let mut wire = super::settings(game.game());
    wire.seats = 2;
    wire.ante = game.ante(BIG_BLIND);
    let settings = parse(Some(wire)).expect("sound settings");
    let mut won = 0;
    for deck in 0..decks {
        for swapped in [false, true] {
            let seats = if swapped {
                [second, first]
            } else {
                [first, second]
            };
            let won_by_first_seat = hand(&settings, seats, deck);
            won += if swapped {
                -won_by_first_seat
            } else {
                won_by_first_seat
            };
        }
    }
    let hands = i64::try_from(2 * decks).expect("a few");
    won * 100 / (hands * i64::try_from(BIG_BLIND).expect("small"))
}

/// One hand of two who sit down for it; what the first seat wins.
fn hand(settings: &Settings, seats: [Strategy; 2], seed: u64) -> i64 {
    let mut table = Table::new(settings.clone()).expect("sound settings");
    for seat in 0..2 {
        let sit = Command::Sit {
            player: PlayerId(seat.into()),
            name: Name::new("bot").expect("a name"),
            seat: SeatNo(seat),
            buy_in: STACK,
            entry: Entry::PostNow,
            must_bring: 0,
        };
        tell(&mut table, &sit);
    }
    let mut dice = Dice::new(seed, 1, 1);
    let mut cards: Vec<Card> = settings.game.variant.cards().collect();
    for last in (1..cards.len()).rev() {
        let other = dice.below(u64::try_from(last + 1).expect("52 at most"));
        cards.swap(last, usize::try_from(other).expect("52 at most"));
    }
    let deal = Command::Deal {
        deck: Deck::new(&cards).expect("each once"),
        first_button: SeatNo(0),
    };
    tell(&mut table, &deal);
    while let Some(legal) = engine::legal(&table) {
        let act = Command::Act {
            player: PlayerId(legal.seat.0.into()),
            hand: HandNo(1),
            turn: legal.turn,
            action: decide(&table, &legal, seats[usize::from(legal.seat.0)], &mut dice),
            bank_used_ms: 0,
        };
        tell(&mut table, &act);
    }
    let stack = table.stack(SeatNo(0)).expect("he sits");
    i64::try_from(stack).expect("small") - i64::try_from(STACK).expect("small")
}

/// What a player of this kind does, by what he may see.
fn decide(table: &Table, legal: &engine::Legal, strategy: Strategy, dice: &mut Dice) -> Action {
    let hand = table.hand().expect("a hand is open");
    let me = engine::Viewer::Player(PlayerId(legal.seat.0.into()));
    let view = engine::view(table, me).hand.expect("a hand is open");
    let own = view.players.iter().find_map(|player| player.own);
    let cards = |cards: &[Card]| -> Vec<openrustpoker::client::Card> {
        let texts = cards.iter().map(ToString::to_string);
        texts.map(|text| text.parse().expect("a card")).collect()
    };
    let (hole, board) = (cards(own.expect("his cards").cards()), cards(&hand.board()));
    let sight = Sight {
        options: Options {
            check: legal.check,
            call: legal.call,
            raise_to: legal.raise_to.map(|bounds| (bounds.min_to, bounds.max_to)),
        },
        hole: &hole,
        board: &board,
        street: match board.len() {
            0 => Street::Preflop,
            3 => Street::Flop,
            4 => Street::Turn,
            _ => Street::River,
        },
        pot: hand.pot(),
        game: table.settings().game,
        rivals: 1,
        last: hand.positions().button == legal.seat,
    };
    match strategy.decide(&sight, dice) {
        Move::Fold => Action::Fold,
        Move::Check => Action::Check,
        Move::Call => Action::Call,
        Move::RaiseTo(to) => Action::RaiseTo { to },
    }
}

fn tell(table: &mut Table, command: &Command) {
    for event in engine::decide(table, command).expect("a bot's move is legal") {
        engine::evolve(table, &event);
    }
}

const BIG_BLIND: u64 = 100;
/// Fifty big blinds.
const STACK: u64 = 5_000;
/// Each is played twice.
const DECKS: u64 = 60;
/// A fifth of a big blind a hand: good players win a tenth of that from each other.
const LEAST: i64 = 20;
