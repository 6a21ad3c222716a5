//! Command lines, and tables and events in words.

use clap::{CommandFactory, Parser};
use proto::v1::table_event::Event;
use proto::v1::{self, ActionKind};

use super::exit::{self, Failure};
use super::hand::told;
use super::{Cli, say};
use crate::client::testing::{ME, acted, award, event, hole, opening, short_hand, street, view};
use crate::client::{CallError, Options, SessionError, TableModel};

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn command_lines() {
    let check = |line: &str, good: bool| {
        let parsed = Cli::try_parse_from(line.split_whitespace());
        assert_eq!(parsed.is_ok(), good, "{line}: {:?}", parsed.err());
    };
    check("orp play", true);
    check(
        "orp play --name Ann --table t --buy-in 500 --seat 3 --wait",
        true,
    );
    check("orp play --server a:1,b:2 --server c:3", true);
    check("orp play --server nonsense", false);
    check("orp play --no-color", true);
    check(
        "orp bots --server a:1,b:2 --tables 10 --bots 6 --hands 100 --rate 50 --json --seed 7 --keep",
        true,
    );
    check("orp bots --bots 11", false);
    check("orp bots --game plo5-8 --straddle utg --run-twice", true);
    check("orp bots --game plo7", false);
    check("orp dev --game flhe --raises 3 --cap-off never", true);
    check("orp dev --game nlhe --straddle nowhere", false);
    check("orp bots --bots 1", false);
    check("orp bots --hands 0", false);
    check("orp table list --open --json", true);
    check(
        "orp table create --name x --blinds 50/100 --seats 6 --buy-in 2000..10000 --rake 500 --rake-caps 1,2",
        true,
    );
    check("orp table create --name x --rathole 120", true);
    check("orp table create --name x --rathole 1441", false);
    check(
        "orp table create --name x --hide-all-in --timeouts 0 --sit-out-buttons 2 --bank-gain 1",
        true,
    );
    check("orp table create --name x --timeouts 256", false);
    check("orp admin level --raise --config x", true);
    check("orp table create --name x --blinds 50", false);
    check("orp table create --name x --seats 11", false);
    check(
        "orp table create --name x --ante 1 --big-blind-ante 1",
        false,
    );
    check("orp table create", false);
    check("orp hand list --table t --limit 3", true);
    check("orp hand show t 17 --json", true);
    check("orp hand show t 17 --phh", true);
    check("orp hand show t 17 --phh --json", false);
    check("orp hand show t 17 --ohh", true);
    check("orp hand show t 17 --ohh --phh", false);
    check("orp phh export t 17 --ohh", true);
    check("orp hand show t", false);
    check("orp hand replay t 17 --all", true);
    check("orp admin totals --json", true);
    check("orp admin tree --ops h:1", true);
    check(
        "orp admin tree node-1 --shard 3 --json --watch --ops h:1,i:1",
        true,
    );
    check("orp admin tree --watch=5 node-1", true);
    check("orp admin nodes --watch=0", false);
    check("orp admin table list --parked", true);
    check(
        "orp admin table list --state asleep --node n --shard 7 --watch",
        true,
    );
    check("orp admin table list --state dead", false);
    check("orp admin table resume t", true);
    check("orp admin table void t 17 --reason why", true);
    check("orp admin table void t 17", false);
    check("orp completions bash", true);
    check("orp completions nonsense", false);
    check("orp dance", false);
    check("orp", false);
}

#[test]
fn exit_codes_follow_from_what_happened() {
    let check = |error: anyhow::Error, code| assert_eq!(exit::code(&error), code, "{error}");
    let unreachable = || CallError::Unreachable {
        addresses: "a".into(),
        reason: "refused".into(),
    };
    let unknown = CallError::Unknown {
        attempts: 3,
        reason: "late".into(),
    };
    check(unreachable().into(), 3);
    check(SessionError::from(unreachable()).into(), 3);
    check(
        crate::client::bots::BotsError::from(SessionError::from(unreachable())).into(),
        3,
    );
    check(
        anyhow::Error::from(unreachable()).context("sitting down"),
        3,
    );
    check(unknown.into(), 5);
    check(CallError::Malformed("a position").into(), 1);
    check(Failure::NoTable.into(), 1);
    check(SessionError::Token.into(), 1);
}

#[test]
fn amounts() {
    let check = |amount, text: &str| assert_eq!(say::chips(amount), text);
    check(0, "0");
    check(999, "999");
    check(1_000, "1,000");
    check(1_234_567, "1,234,567");
}

#[test]
fn what_may_be_done() {
    let check = |check, call, raise_to, text: &str| {
        assert_eq!(
            say::choices(
                Options {
                    check,
                    call,
                    raise_to
                },
                880,
                20
            ),
            text
        );
    };
    check(true, None, Some((100, 900)), "check, bet 100 to 900");
    check(
        false,
        Some(50),
        Some((200, 900)),
        "fold, call 50, raise 200 to 900",
    );
    check(false, Some(880), None, "fold, call 880 (all-in)");
    check(
        false,
        Some(50),
        Some((900, 900)),
        "fold, call 50, all-in 900",
    );
    // Fixed limit has one amount.
    check(
        false,
        Some(50),
        Some((80, 80)),
        "fold, call 50, raise to 80",
    );
}

#[test]
fn events_in_words() {
    let check = |before: &[Event], last: Event, me: Option<u32>, text: Option<&str>| {
        let mut table = TableModel::new(&view()).unwrap();
        for one in before {
            table.apply(&event(one.clone())).unwrap();
        }
        assert_eq!(say::sentence(&table, &last, me).as_deref(), text);
    };
    let open = opening(1, 1_000, 1_000);
    check(
        &[],
        open[0].clone(),
        None,
        Some("--- Hand 1: 2 players, button Ann ---"),
    );
    check(
        &open,
        acted(0, 1, ActionKind::Fold, 5, 0),
        None,
        Some("Ann folds."),
    );
    check(
        &open,
        acted(0, 1, ActionKind::Fold, 5, 0),
        Some(0),
        Some("You fold."),
    );
    check(
        &open,
        acted(0, 1, ActionKind::Call, 10, 5),
        Some(1),
        Some("Ann calls 5."),
    );
    check(
        &open,
        acted(0, 1, ActionKind::RaiseTo, 1_000, 995),
        None,
        Some("Ann raises to 1,000 and is all-in."),
    );
    check(
        &open,
        acted(0, 1, ActionKind::RaiseTo, 1_000, 995),
        Some(0),
        Some("You raise to 1,000 and are all-in."),
    );
    check(
        &open[..1],
        hole(0, "As Kd"),
        Some(0),
        Some("You are dealt As Kd."),
    );
    check(
        &open,
        street(v1::Street::Flop, "2c 3c 4c"),
        None,
        Some("*** Flop: 2c 3c 4c   pot 15"),
    );
    check(
        &open,
        award(15, 1, 1, 14),
        Some(0),
        Some("Bob wins 14 of the pot (rake 1)."),
    );
    let Event::PotAwarded(mut shown) = award(15, 1, 1, 14) else {
        panic!("an award")
    };
    shown.shares[0].hand = "two pair, nines and fours".into();
    shown.set_side(v1::Side::High);
    shown.board = 2;
    check(
        &open,
        Event::PotAwarded(shown),
        Some(0),
        Some(
            "Bob wins 14 of the high half of the pot, second board (rake 1) with two pair, nines and fours.",
        ),
    );
    check(&open, open[4].clone(), None, None);
}

#[test]
fn a_finished_hand_in_words() {
    let player = |seat, id: &str, before, after| v1::HandPlayer {
        seat,
        player_id: id.into(),
        display_name: id.into(),
        stack_before: before,
        stack_after: after,
    };
    let events = short_hand(7, 1_000, 1_000);
    let hand = v1::GetHandResponse {
        summary: Some(v1::HandSummary {
            table_id: "t".into(),
            hand: 7,
            ..Default::default()
        }),
        settings: view().settings,
        players: vec![player(0, ME, 1_000, 995), player(1, "bob", 1_000, 1_005)],
        events: (1..)
            .zip(events)
            .map(|(sequence, one)| v1::HandEvent {
                sequence,
                at_ms: 0,
                event: Some(event(one)),
            })
            .collect(),
    };
    let steps = told(&hand, ME).unwrap();
    let lines: Vec<&str> = steps
        .iter()
        .flat_map(|step| step.lines.iter().map(String::as_str))
        .collect();
    assert!(lines.contains(&"You are dealt As Kd."), "{lines:?}");
    assert!(lines.contains(&"You fold."), "{lines:?}");
    assert!(lines.contains(&"bob wins 10 of the pot."), "{lines:?}");
    assert_eq!(lines.last(), Some(&"  1 bob: 1,000 -> 1,005"));
}
