use super::*;

const HAND: &str = "
variant = 'NT'
antes = [0, 0.00]
blinds_or_straddles = [1.0, 2.50]
min_bet = 2.5
starting_stacks = [100, inf]
actions = ['d dh p1 AsKd', 'd dh p2 ??Qc', 'p2 cc # limps', 'p1 cbr 7.25', 'p2 f', '# done']
winnings = [5.00, 0]
_ours = { anything = true }
";

fn one(text: &str) -> Result<Hand, ParseError> {
    let mut hands = parse(text)?;
    assert_eq!(hands.len(), 1);
    hands.remove(0).1
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_hand_is_read() {
    let hand = one(HAND).unwrap();
    assert_eq!(hand.variant, "NT");
    assert_eq!(hand.blinds, [decimal("1"), decimal("2.5")]);
    assert_eq!(hand.min_bet, Some(decimal("2.5")));
    assert_eq!(hand.starting_stacks, [Some(decimal("100")), None]);
    assert_eq!(hand.winnings, Some(vec![decimal("5"), decimal("0")]));
    assert_eq!(hand.finishing_stacks, None);
    let card = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        hand.actions,
        [
            Step::DealHole(0, vec![card("As"), card("Kd")]),
            Step::DealHole(1, vec![None, card("Qc")]),
            Step::CheckOrCall(1),
            Step::RaiseTo(0, decimal("7.25")),
            Step::Fold(1),
            Step::Comment,
        ]
    );
}

#[test]
fn many_hands_keep_their_order_and_their_faults() {
    let table = |name: &str| format!("[{name}]\n{HAND}");
    let bad = "[3]\nvariant = 'NT'\n";
    let text = [table("2"), table("10"), bad.to_owned(), table("1")].concat();
    let hands = parse(&text).unwrap();
    let names: Vec<(&str, bool)> = hands
        .iter()
        .map(|(name, hand)| (name.as_str(), hand.is_ok()))
        .collect();
    assert_eq!(
        names,
        [("2", true), ("10", true), ("3", false), ("1", true)]
    );
}

#[test]
fn what_is_wrong_is_named() {
    let check = |from: &str, to: &str, message: &str| {
        assert!(HAND.contains(from), "{from}");
        let error = one(&HAND.replace(from, to)).unwrap_err().to_string();
        assert_eq!(error, message, "{from} as {to}");
    };
    check("antes = [0, 0.00]", "", "no field \"antes\"");
    check(
        "antes = [0, 0.00]",
        "antes = [0]",
        "field \"antes\" has 1 values for 2 players",
    );
    check(
        "antes = [0, 0.00]",
        "antes = 0",
        "field \"antes\" is not an array",
    );
    check(
        "[0, 0.00]",
        "[0, -2.50]",
        "field \"antes\": -2.50 is negative",
    );
    check(
        "[1.0, 2.50]",
        "[1.0]",
        "field \"blinds_or_straddles\" has 1 values for 2 players",
    );
    check(
        "[1.0, 2.50]",
        "[1.0, 0x10]",
        "field \"blinds_or_straddles\" is not a number",
    );
    check("'NT'", "7", "field \"variant\" is not a string");
    check(
        "p1 cbr 7.25",
        "p3 cbr 7.25",
        "action 4 \"p3 cbr 7.25\": \"p3\" is no player",
    );
    check(
        "p1 cbr 7.25",
        "p1 cbr x",
        "action 4 \"p1 cbr x\": \"x\" is not an amount",
    );
    check(
        "p1 cbr 7.25",
        "p1 jump",
        "action 4 \"p1 jump\": not an action",
    );
    check(
        "p1 AsKd",
        "p1 AsK",
        "action 1 \"d dh p1 AsK\": \"AsK\" are no cards",
    );
    check(
        "p1 AsKd",
        "p1 AsXx",
        "action 1 \"d dh p1 AsXx\": \"AsXx\" are no cards",
    );
}

#[test]
fn a_negative_blind_is_a_post() {
    let hand = one(&HAND.replace("[1.0, 2.50]", "[1.0, -2.50]")).unwrap();
    assert_eq!(hand.blinds, [decimal("1"), decimal("0")]);
    assert_eq!(hand.posts, [decimal("0"), decimal("2.5")]);
}

#[test]
fn showing_has_three_forms() {
    let check =
        |text: &str, showing| assert_eq!(step(text, 2), Ok(Step::Show(1, showing)), "{text}");
    check("p2 sm", Showing::Muck);
    check("p2 sm -", Showing::AsDealt);
    check(
        "p2 sm ??As",
        Showing::Cards(vec![None, Some("As".parse().unwrap())]),
    );
    assert_eq!(step("p1 sd", 2), Ok(Step::Foreign("sd".to_owned())));
    assert_eq!(step("p1 sd AsKs", 2), Ok(Step::Foreign("sd".to_owned())));
}
