use engine::{Card, SettingsError};
use proptest::prelude::*;

use super::*;
use crate::phh::parse::parse;

/// A hand at 50/100; the first two cards, and so on, go to the first player, and so on.
fn text(stacks: &str, actions: &str) -> String {
    let players = stacks.split(' ').count();
    let zeros = |from: usize| ", 0".repeat(players - from);
    format!(
        "variant = 'NT'\nantes = [0{}]\nblinds_or_straddles = [50, 100{}]\nmin_bet = 100\nstarting_stacks = [{}]\nactions = ['{}']\n",
        zeros(1),
        zeros(2),
        stacks.replace(' ', ", "),
        actions.replace(", ", "', '"),
    )
}

fn hand(text: &str) -> Hand {
    parse(text).unwrap().remove(0).1.unwrap()
}

fn play(text: &str) -> Result<Played, ReplayError> {
    replay(&hand(text), &RakeSchedule::default())
}

#[track_caller]
fn check(text: &str, stacks: &[u64]) {
    let played = play(text).unwrap();
    assert_eq!(played.stacks, stacks, "{text}");
    let start: u64 = hand(text)
        .starting_stacks
        .iter()
        .flatten()
        .map(|stack| stack.scaled(played.places).unwrap())
        .sum::<u64>();
    assert_eq!(stacks.iter().sum::<u64>() + played.rake, start);
}

const DEALT: &str = "d dh p1 AsAd, d dh p2 KsKd, d dh p3 QsQd";

#[test]
fn the_first_is_the_small_blind_and_the_last_the_button() {
    check(&text("1000 1000 1000", "p3 f, p1 f"), &[950, 1050, 1000]);
    check(
        &text("1000 1000 1000", "p3 cbr 300, p1 f, p2 f"),
        &[950, 900, 1150],
    );
}

#[test]
fn heads_up_the_last_posts_the_small_blind() {
    check(&text("1000 1000", "p2 f"), &[1050, 950]);
    check(
        &text("1000 1000", "p2 cc, p1 cc, d db 2c3c4c, p1 cbr 100, p2 f"),
        &[1100, 900],
    );
}

#[test]
fn known_cards_win_where_they_were_dealt() {
    let all_in = "p3 cbr 1000, p1 cc, p2 f, p3 sm, p1 sm AsAd, d db 2c7h9s, d db Jc, d db 4h";
    check(
        &text("1000 1000 1000", &format!("{DEALT}, {all_in}")),
        &[2100, 900, 0],
    );
    let queens = all_in.replace("4h", "Qh");
    check(
        &text("1000 1000 1000", &format!("{DEALT}, {queens}")),
        &[0, 900, 2100],
    );
}

/// R7: the hand that rs_poker 5.0.0 gets wrong, at 5/10.
#[test]
fn a_side_pot_goes_to_who_is_in_it() {
    let hand = "
variant = 'NT'
antes = [0, 0, 0]
blinds_or_straddles = [5, 10, 0]
min_bet = 10
starting_stacks = [500, 500, 10]
actions = ['d dh p1 KsKd', 'd dh p2 QsQd', 'd dh p3 AsAd', 'p3 cc', 'p1 cbr 100', 'p2 cc', 'd db 2c7h9s', 'p1 cbr 100',
    'p2 f', 'd db Jc', 'd db 4h']";
    check(hand, &[580, 400, 30]);
}

#[test]
fn decimals_are_scaled() {
    let hand = text("10.25 10.5", "p2 cc, p1 cbr 3.5, p2 f")
        .replace("50, 100", "0.5, 1")
        .replace("min_bet = 100", "min_bet = 1.0");
    check(&hand, &[1125, 950]);
    assert_eq!(play(&hand).unwrap().places, 2);
}

#[test]
fn antes_are_each_players_or_the_big_blinds() {
    let each = text("1000 1000 1000", "p3 f, p1 f").replace("[0, 0, 0]", "[10, 10, 10]");
    check(&each, &[940, 1070, 990]);
    let big_blind = text(
        "1000 1000 1000",
        "p3 cc, p1 f, p2 cc, d db 2c3c4c, p2 cbr 100, p3 f",
    )
    .replace("[0, 0, 0]", "[0, 100, 0]");
    check(&big_blind, &[950, 1150, 900]);
}

#[test]
fn what_the_rules_forbid_has_a_number() {
    let check = |actions: &str, message: &str| {
        let error = play(&text("1000 1000 1000", actions)).unwrap_err();
        assert!(
            matches!(error, ReplayError::Illegal(_)),
            "{actions}: {error}"
        );
        assert_eq!(error.to_string(), message, "{actions}");
    };
    check("p1 f", "action 1 is refused: it is the turn of seat 2");
    check(
        "p3 cbr 150, p1 f",
        "action 1 is refused: bet or raise to at least 200",
    );
    check(
        "p3 cbr 2000",
        "action 1 is refused: bet or raise to at most 1000",
    );
    check("p3 f, p1 f, p2 cc", "action 3: the hand is over");
    check(
        "# one, p3 cc, d db 2c3c4c",
        "action 3: 3 cards of the board are dealt in the file and 0 by the rules",
    );
    check(
        "p3 cc, p1 cc, p2 cc, p1 cc",
        "action 4: 0 cards of the board are dealt in the file and 3 by the rules",
    );
    check(
        "d dh p1 AsAd, d dh p2 AsKd",
        "the cards of the file contradict each other",
    );
    check(
        "d dh p1 AsAd, p1 sm KsKd",
        "the cards of the file contradict each other",
    );
    check(
        "d dh p1 AsAdAh",
        "the cards of the file contradict each other",
    );
}

#[test]
fn what_is_not_played_here_is_said() {
    let check = |from: &str, to: &str, reason: Unplayable| {
        let text = text("1000 1000 1000", "p3 f, p1 f");
        assert!(text.contains(from), "{from}");
        assert_eq!(
            play(&text.replace(from, to)),
            Err(ReplayError::Unplayable(reason)),
            "{to}"
        );
    };
    check("'NT'", "'FR'", Unplayable::Variant("FR".to_owned()));
    check("50, 100, 0", "50, 100, 300", Unplayable::Blinds);
    check("50, 100, 0", "50, 100, -100", Unplayable::Post);
    check("min_bet = 100", "min_bet = 200", Unplayable::MinBet);
    check("antes = [0, 0, 0]", "antes = [1, 2, 3]", Unplayable::Antes);
    check("antes = [0, 0, 0]", "antes = [0, 0, 5]", Unplayable::Antes);
    check("1000, 1000, 1000", "1000, inf, 1000", Unplayable::Stack(2));
    check(
        "1000, 1000, 1000",
        "1000.5, 1000, 18446744073709551615",
        Unplayable::Amounts,
    );
    check(
        "1000, 1000, 1000",
        "1000, 1000, 70368744177665",
        Unplayable::Amounts,
    );
    check(", 'p1 f'", "", Unplayable::Unfinished);
    check(
        "50, 100, 0",
        "0, 100, 0",
        Unplayable::Settings(SettingsError::Blinds { small: 0, big: 100 }),
    );
}

#[test]
fn a_showdown_of_unknown_cards_is_a_guess() {
    let check = |actions: &str, guessed: bool| {
        assert_eq!(
            play(&text("1000 1000 1000", actions)).unwrap().guessed,
            guessed,
            "{actions}"
        );
    };
    let all_in = "p3 cbr 1000, p1 cc, p2 f";
    let board = "d db 2c7h9s, d db Jc, d db 4h";
    check(
        &format!("d dh p1 AsAd, d dh p2 ????, d dh p3 QsQd, {all_in}, {board}"),
        false,
    );
    check(
        &format!("d dh p1 AsAd, d dh p3 ????, {all_in}, {board}"),
        true,
    );
    check(
        &format!("d dh p1 AsAd, d dh p3 ????, {all_in}, p3 sm QsQd, {board}"),
        false,
    );
    check(
        &format!("d dh p1 AsAd, d dh p3 Qs??, {all_in}, p3 sm QdQs, {board}"),
        false,
    );
    check(
        &format!("d dh p1 AsAd, d dh p3 QsQd, {all_in}, d db 2c7h9s, d db Jc"),
        true,
    );
    check("p3 f, p1 f", false);
}

#[test]
fn rake_is_what_the_schedule_says() {
    let hand = hand(&text(
        "1000 1000 1000",
        "p3 cc, p1 cc, p2 cc, d db 2c3c4c, p1 cbr 100, p2 f, p3 f",
    ));
    let rake = |caps: &[&str]| RakeSchedule {
        per_10_000: 500,
        caps: caps.iter().map(|c| c.parse().unwrap()).collect(),
    };
    assert_eq!(replay(&hand, &rake(&[])).unwrap().collected, [285, 0, 0]);
    let played = replay(&hand, &rake(&["1", "2.5"])).unwrap();
    assert_eq!(
        (played.places, played.rake, played.collected),
        (1, 25, vec![2975, 0, 0])
    );
}

/// Actions in any order, legal or not, with cards that may repeat.
fn any_actions() -> impl Strategy<Value = Vec<String>> {
    let player = || 1usize..=3;
    let card = || (0u8..52).prop_map(|index| Card::new(index).expect("below 52"));
    let action = prop_oneof![
        4 => player().prop_map(|p| format!("p{p} f")),
        8 => player().prop_map(|p| format!("p{p} cc")),
        4 => (player(), 0u64..1200).prop_map(|(p, to)| format!("p{p} cbr {to}")),
        1 => player().prop_map(|p| format!("p{p} sm")),
        1 => (player(), card(), card()).prop_map(|(p, a, b)| format!("p{p} sm {a}{b}")),
        2 => prop::collection::vec(card(), 1..4)
            .prop_map(|cards| format!("d db {}", cards.iter().map(Card::to_string).collect::<String>())),
    ];
    prop::collection::vec(action, 0..12)
}

proptest! {
    #[test]
    fn any_file_is_played_or_refused(actions in any_actions()) {
        let hand = hand(&text("1000 150 60", &actions.join(", ")));
        match replay(&hand, &RakeSchedule { per_10_000: 333, caps: Vec::new() }) {
            Ok(played) => prop_assert_eq!(played.stacks.iter().sum::<u64>() + played.rake, 1210),
            Err(ReplayError::Illegal(_) | ReplayError::Unplayable(Unplayable::Unfinished)) => {}
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// A hand that goes on with each of these verbs that somebody may say, and with the board where it is due.
fn legal_actions(verbs: &[String]) -> String {
    let boards = ["d db 7c8d9h", "d db Ts", "d db 2c"];
    let mut actions = vec!["# a hand".to_owned()];
    let plays = |actions: &[String], next: &str| {
        let actions = format!("{}, {next}", actions.join(", "));
        let played = play(&text("1000 150 60", &actions));
        matches!(
            played,
            Ok(_) | Err(ReplayError::Unplayable(Unplayable::Unfinished))
        )
    };
    for verb in verbs {
        let dealt = actions
            .iter()
            .filter(|action| action.starts_with('d'))
            .count();
        let players = (1..=3).map(|p| format!("p{p} {verb}"));
        let next = players
            .chain(boards.get(dealt).map(ToString::to_string))
            .find(|next| plays(&actions, next));
        actions.extend(next);
    }
    actions.join(", ")
}

proptest! {
    #[test]
    fn a_legal_hand_keeps_its_chips(
        verbs in prop::collection::vec(
            prop_oneof![1 => Just("f".to_owned()), 6 => Just("cc".to_owned()), 3 => (0u64..1001).prop_map(|to| format!("cbr {to}"))],
            0..24,
        ),
    ) {
        let hand = hand(&text("1000 150 60", &legal_actions(&verbs)));
        match replay(&hand, &RakeSchedule { per_10_000: 333, caps: Vec::new() }) {
            Ok(played) => prop_assert_eq!(played.stacks.iter().sum::<u64>() + played.rake, 1210),
            Err(error) => prop_assert_eq!(error, ReplayError::Unplayable(Unplayable::Unfinished)),
        }
    }
}

const ANTONIUS_BLOM: &str = "
variant = 'PO'
antes = [0, 0]
blinds_or_straddles = [500, 1000]
min_bet = 1000
starting_stacks = [1259450.25, 678473.5]
actions = ['d dh p1 Ah3sKsKh', 'd dh p2 6d9s7d8h', 'p2 cbr 3000', 'p1 cbr 9000', 'p2 cbr 27000', 'p1 cbr 81000', 'p2 cc',
    'd db 4s5c2h', 'p1 cbr 91000', 'p2 cbr 435000', 'p1 cbr 779000', 'p2 cc', 'p1 sm Ah3sKsKh', 'p2 sm 6d9s7d8h',
    'd db 5h', 'd db 9c']
";

const PHUA_XUAN: &str = "
variant = 'NS'
antes = [3000, 3000, 3000, 3000, 3000, 3000]
blinds_or_straddles = [0, 0, 0, 0, 0, 3000]
min_bet = 3000
starting_stacks = [495000, 232000, 362000, 403000, 301000, 204000]
actions = ['d dh p1 Th8h', 'd dh p2 QsJd', 'd dh p3 QhQd', 'd dh p4 8d7c', 'd dh p5 KhKs', 'd dh p6 8c7h', 'p1 cc', 'p2 cc',
    'p3 cbr 35000', 'p4 f', 'p5 cbr 298000', 'p6 f', 'p1 f', 'p2 f', 'p3 cc', 'p5 sm KhKs', 'p3 sm QhQd', 'd db 9h6cKc',
    'd db Jh', 'd db Ts']
";

/// The end stacks are those of PokerKit 0.7.7; the files state none.
#[test]
fn famous_hands_of_other_games() {
    check(ANTONIUS_BLOM, &[193_792_375, 0]);
    check(PHUA_XUAN, &[489_000, 226_000, 684_000, 400_000, 0, 198_000]);
    // Half a chip above the pot is too much.
    let above = ANTONIUS_BLOM.replace("p1 cbr 9000", "p1 cbr 9001");
    assert!(matches!(
        play(&above),
        Err(ReplayError::Illegal(Illegal::Refused {
            reject: Reject::RaiseAbovePot { max_to: 900_000 },
            ..
        }))
    ));
    let low_card = PHUA_XUAN.replace("Th8h", "Th5h");
    assert!(matches!(
        play(&low_card),
        Err(ReplayError::Illegal(Illegal::Cards))
    ));
}

/// A hand of the World Series of 2023, cut short.
const LIMIT: &str = "
variant = 'FT'
antes = [0, 0, 0, 0, 0]
blinds_or_straddles = [100000, 200000, 0, 0, 0]
small_bet = 200000
big_bet = 400000
starting_stacks = [3175000, 10625000, 7750000, 4350000, 3800000]
actions = ['p3 f', 'p4 cbr 400000', 'p5 f', 'p1 f', 'p2 cc', 'd db Ts9d5d', 'p2 cc', 'p4 cbr 200000', 'p2 cbr 400000',
    'p4 cc', 'd db Kc', 'p2 cbr 400000', 'p4 f']
";

#[test]
fn fixed_limit() {
    check(
        LIMIT,
        &[3_075_000, 11_525_000, 7_750_000, 3_550_000, 3_800_000],
    );
    let other = LIMIT.replace("'d db Kc', 'p2 cbr 400000'", "'d db Kc', 'p2 cbr 200000'");
    assert!(matches!(
        play(&other),
        Err(ReplayError::Illegal(Illegal::Refused {
            reject: Reject::RaiseNotTheLimit { to: 400_000 },
            ..
        }))
    ));
    let unplayable = |from: &str, to: &str| match play(&LIMIT.replace(from, to)) {
        Err(ReplayError::Unplayable(reason)) => reason,
        Err(ReplayError::Illegal(reason)) => panic!("{reason}"),
        Ok(_) => panic!("played"),
    };
    assert_eq!(
        unplayable("small_bet = 200000", "small_bet = 100000"),
        Unplayable::Limits
    );
    assert_eq!(unplayable("big_bet = 400000\n", ""), Unplayable::Limits);
    assert_eq!(
        unplayable("'FT'", "'F7S'"),
        Unplayable::Variant("F7S".into())
    );
}

#[test]
fn one_straddle_of_two_big_blinds() {
    let straddled = |blinds: &str, actions: &str| {
        let text = text("1000 1000 1000 1000", actions);
        text.replace("[50, 100, 0, 0]", blinds)
    };
    let utg = straddled("[50, 100, 200, 0]", "p4 cc, p1 f, p2 f, p3 cbr 500, p4 f");
    check(&utg, &[950, 900, 1350, 800]);
    let button = straddled("[50, 100, 0, 200]", "p1 cc, p2 f, p3 f, p4 cbr 300, p1 f");
    check(&button, &[800, 900, 1000, 1300]);
    for blinds in [
        "[50, 100, 201, 0]",
        "[50, 100, 200, 400]",
        "[0, 0, 100, 200]",
    ] {
        assert!(
            matches!(
                play(&straddled(blinds, "p1 f")),
                Err(ReplayError::Unplayable(Unplayable::Blinds))
            ),
            "{blinds}"
        );
    }
    let short = text("1000 1000 199 1000", "p1 f").replace("[50, 100, 0, 0]", "[50, 100, 200, 0]");
    assert!(matches!(
        play(&short),
        Err(ReplayError::Unplayable(Unplayable::Blinds))
    ));
}
