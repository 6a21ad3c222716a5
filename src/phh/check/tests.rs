use super::*;
use crate::phh::parse::parse;

fn check_text(text: &str, rake: Option<&RakeSchedule>) -> Verdict {
    check(&parse(text).unwrap().remove(0).1.unwrap(), rake)
}

#[track_caller]
fn says(stated: &str, message: &str) {
    match check_text(&format!("{SPLIT}{stated}"), None) {
        Verdict::Exact => assert_eq!("exact", message, "{stated}"),
        Verdict::WithinHalf => assert_eq!("within half", message, "{stated}"),
        Verdict::Wrong(reason) => assert_eq!(format!("wrong: {reason}"), message, "{stated}"),
        Verdict::Skipped(reason) => assert_eq!(format!("skipped: {reason}"), message, "{stated}"),
    }
}

/// The board plays: 5 of the small blind are split among two.
const SPLIT: &str = "
variant = 'NT'
antes = [0, 0, 0]
blinds_or_straddles = [5, 10, 0]
min_bet = 10
starting_stacks = [100, 100, 100]
actions = ['d dh p1 2c3c', 'd dh p2 2d3d', 'd dh p3 2h3h', 'p3 cc', 'p1 f', 'p2 cc', 'd db AcAdAh', 'p2 cc', 'p3 cc',
    'd db Ks', 'p2 cc', 'p3 cc', 'd db Kh', 'p2 cc', 'p3 cc']
";

#[test]
fn end_stacks_are_compared_to_half_a_chip() {
    says("finishing_stacks = [95, 103, 102]", "exact");
    says("finishing_stacks = [95, 102.5, 102.5]", "within half");
    says(
        "finishing_stacks = [95, 102.4, 102.6]",
        "wrong: p2 has end stack 102.4 in the file and 103 by the rules",
    );
    says(
        "finishing_stacks = [95, 102, 103]",
        "wrong: p2 has end stack 102 in the file and 103 by the rules",
    );
    says(
        "",
        "skipped: all actions are legal, but the file states neither end stacks nor winnings",
    );
}

#[test]
fn winnings_are_compared_if_nothing_is_missing() {
    says("winnings = [0, 13, 12]", "exact");
    says("winnings = [0, 12.5, 12.5]", "within half");
    says(
        "winnings = [0, 12, 12]",
        "skipped: the right players won, but 1 of 25 was taken and the file does not state the rake",
    );
    says(
        "winnings = [0, 25, 0]",
        "wrong: p2 has winnings 25 in the file and 13 by the rules",
    );
    says(
        "winnings = [1, 12, 12]",
        "wrong: p1 has winnings 1 in the file and 0 by the rules",
    );
    says(
        "winnings = [0, 14, 12]",
        "wrong: p2 has winnings 14 in the file and 13 by the rules",
    );
}

/// Hand histories of Absolute Poker, R16: hand 3017249534, 394.00 heads-up, and 3017246606, 87.50 five-handed.
#[test]
fn the_rake_of_real_hands_comes_out() {
    let heads_up = "
variant = 'NT'
antes = [0, 0]
blinds_or_straddles = [5, 10]
min_bet = 10
starting_stacks = [2038.58, 1289.44]
actions = ['p2 cc', 'p1 cbr 30', 'p2 cc', 'd db 8d4d5d', 'p1 cbr 45', 'p2 cc', 'd db Tc', 'p1 cbr 122', 'p2 cc',
    'd db 8c', 'p1 cc', 'p2 cbr 394', 'p1 f']
winnings = [0, 393.25]
";
    let five_handed = "
variant = 'NT'
antes = [2.50, 2.50, 2.50, 2.50, 2.50]
blinds_or_straddles = [5, 10, 0, 0, 0]
min_bet = 10
starting_stacks = [1975, 1196, 1708, 1512.50, 2059.90]
actions = ['p3 cbr 35', 'p4 f', 'p5 f', 'p1 f', 'p2 cc', 'd db 7dQh6h', 'p2 cc', 'p3 cbr 65', 'p2 f']
winnings = [0, 0, 84.50, 0, 0]
";
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let schedule = RakeSchedule {
        per_10_000: 500,
        caps: ["0.75", "1", "2", "3"].map(decimal).to_vec(),
    };
    for (text, taken, pots) in [(heads_up, "0.75", "394"), (five_handed, "3", "87.5")] {
        let unstated = Skipped::UnstatedRake {
            taken: decimal(taken),
            pots: decimal(pots),
        };
        assert_eq!(check_text(text, None), Verdict::Skipped(unstated));
        assert_eq!(check_text(text, Some(&schedule)), Verdict::Exact);
    }
    let too_much = RakeSchedule {
        per_10_000: 500,
        caps: vec![decimal("1")],
    };
    assert!(matches!(
        check_text(heads_up, Some(&too_much)),
        Verdict::Wrong(Wrong::Amount { .. })
    ));
}

#[test]
fn without_a_flop_nothing_may_be_missing() {
    let blinds = |winnings: &str| {
        let hand = "
variant = 'NT'
antes = [0, 0]
blinds_or_straddles = [5, 10]
min_bet = 10
starting_stacks = [1284.44, 2043.58]
actions = ['p2 f']
";
        check_text(&format!("{hand}winnings = [{winnings}, 0]"), None)
    };
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(blinds("10"), Verdict::Exact);
    // The uncalled 5 counted in, as hand 3017249004 has it.
    assert_eq!(blinds("15"), Verdict::Exact);
    let missing = Skipped::Incomplete {
        taken: decimal("1"),
        pots: decimal("10"),
    };
    assert_eq!(blinds("9"), Verdict::Skipped(missing));
}

#[test]
fn a_tally_is_one_line() {
    let mut tally = Tally::default();
    for verdict in [
        Verdict::Exact,
        Verdict::Exact,
        Verdict::WithinHalf,
        Verdict::Skipped(Skipped::NothingStated),
    ] {
        tally.add(&verdict);
    }
    tally.add(&Verdict::Wrong(Wrong::Illegal(Illegal::Over(3))));
    assert_eq!(
        tally.to_string(),
        "5 hands, 2 exact, 1 within half a chip, 1 wrong, 1 skipped"
    );
}
