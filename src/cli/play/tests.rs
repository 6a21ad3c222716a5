//! What a player reads, and what his lines come to.

use std::time::Duration;

use proto::v1::ActionKind;
use proto::v1::table_event::Event;

use super::command::parse;
use super::game::{Call, Deed, Game, Kind, Line};
use super::paint::Paint;
use crate::client::testing::{ME, TABLE, acted, event, hole, opening, street, turn, view};
use crate::client::{At, ForTurn, GameName, Move, Refusal, Update};

fn snapshot() -> Update {
    Update::Snapshot {
        table: TABLE.into(),
        at: At::default(),
        view: Box::new(view()),
    }
}

fn told(event_of: Event) -> Update {
    Update::Event {
        table: TABLE.into(),
        at: At::default(),
        at_ms: 0,
        event: event(event_of),
    }
}

/// A game in which Ann is to act, and what was said last.
fn at_turn() -> (Game, Vec<Line>) {
    let mut game = Game::new(ME);
    game.update(&snapshot());
    let mut last = Vec::new();
    for one in opening(1, 1_000, 1_000) {
        last = game.update(&told(one));
    }
    (game, last)
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn the_turn_is_told_with_what_may_be_done() {
    let (game, last) = at_turn();
    let prompt = last.last().unwrap();
    assert_eq!(prompt.kind, Kind::Prompt);
    assert_eq!(
        prompt.text,
        "Your turn (20 s): fold, call 5, raise 20 to 1,000"
    );
    assert!(
        texts(&last)
            .iter()
            .any(|line| line.contains("Ann (you)") && line.contains("[As Kd]")),
        "{last:?}"
    );
    assert_eq!(game.my_turn().map(|turn| turn.turn), Some(1));
}

#[test]
fn lines_become_calls() {
    let (game, _) = at_turn();
    let act = |what| Deed::Ask(Call::Act(ForTurn { hand: 1, turn: 1 }, what));
    let check =
        |line: &str, deed: Deed| assert_eq!(game.command(parse(line).unwrap()), deed, "{line}");
    check("f", act(Move::Fold));
    check("k", act(Move::Check));
    check("c", act(Move::Call));
    check("r 60", act(Move::RaiseTo(60)));
    check("a", act(Move::RaiseTo(1_000)));
    check("sit out", Deed::Ask(Call::SitOut));
    check("back", Deed::Ask(Call::SitIn));
    check("top up 50", Deed::Ask(Call::TopUp(50)));
    check("leave", Deed::Ask(Call::Leave));
    check("quit", Deed::Quit);
}

#[test]
fn all_in_is_a_call_when_nothing_else_is_possible() {
    let (mut game, _) = at_turn();
    let Event::TurnStarted(mut legal) = turn(0, 2) else {
        panic!("it is a turn")
    };
    (legal.raise_to_min, legal.raise_to_max, legal.call) = (0, 0, 995);
    game.update(&told(Event::TurnStarted(legal)));
    let all_in = game.command(parse("a").unwrap());
    assert_eq!(
        all_in,
        Deed::Ask(Call::Act(ForTurn { hand: 1, turn: 2 }, Move::Call))
    );
    legal.call = 5;
    game.update(&told(Event::TurnStarted(legal)));
    assert!(matches!(game.command(parse("a").unwrap()), Deed::Say(_)));
}

#[test]
fn out_of_turn_nothing_is_asked() {
    let (mut game, _) = at_turn();
    let said = game.update(&told(acted(0, 1, ActionKind::Call, 10, 5)));
    assert_eq!(texts(&said), ["You call 5."]);
    assert_eq!(
        game.command(parse("f").unwrap()),
        Deed::Say(vec!["It is not your turn.".into()])
    );
}

#[test]
fn a_refusal_is_told_with_its_bounds_and_the_choices() {
    let (game, _) = at_turn();
    let mut refusal = Refusal {
        rule: "RaiseBelowMinimum".into(),
        text: "bet or raise to at least 20".into(),
        facts: [("min_to".to_owned(), "20".to_owned())].into(),
        repeated: false,
    };
    let said = game.refused(&refusal);
    assert_eq!(
        said[0].text,
        "Refused: bet or raise to at least 20 (RaiseBelowMinimum) [min_to 20]"
    );
    assert_eq!(said[1].kind, Kind::Prompt);
    refusal.rule = "StaleTurn".into();
    refusal.repeated = true;
    assert!(game.refused(&refusal)[0].text.contains("may have counted"));
}

#[test]
fn a_lost_connection_is_told_once_and_what_was_missed_after_it() {
    let (mut game, _) = at_turn();
    let lost = Update::Lost {
        reason: "broken pipe".into(),
    };
    assert_eq!(game.update(&lost).len(), 1);
    assert_eq!(game.update(&lost).len(), 0);
    let again = Update::Connected {
        reconnects: 1,
        after: Duration::from_secs(3),
    };
    assert!(
        game.update(&again)[0]
            .text
            .starts_with("Connected again after 3 s")
    );
    let reset = Update::Reset {
        table: TABLE.into(),
        reason: "compacted".into(),
    };
    assert_eq!(game.update(&reset).len(), 0);
    let said = game.update(&snapshot());
    assert!(said[0].text.contains("not kept (compacted)"), "{said:?}");
    assert!(said.len() > 2);
}

/// A table of a game, seen for the first time; Ann is dealt these cards.
fn table_of(game: &str, cards: &str) -> (Game, Vec<Line>) {
    let mut view = view();
    let settings = view.settings.as_mut().expect("a table has settings");
    let mut rules = game.parse::<GameName>().expect("a game").game();
    rules.run_twice = true;
    settings.game = Some(rules);
    let mut game = Game::new(ME);
    let first = game.update(&Update::Snapshot {
        table: TABLE.into(),
        at: At::default(),
        view: Box::new(view),
    });
    let mut events = opening(1, 1_000, 1_000);
    events[1] = hole(0, cards);
    for one in events {
        game.update(&told(one));
    }
    (game, first)
}

#[test]
fn each_game_is_told_and_shown() {
    let check = |game: &str, cards: &str, rules: &str, board: &str, held: &str| {
        let (mut game, first) = table_of(game, cards);
        assert_eq!(first[0].text, rules);
        game.update(&told(acted(0, 1, ActionKind::Call, 10, 5)));
        game.update(&told(street(proto::v1::Street::Flop, board)));
        let picture = game.picture();
        let shows = |text: &str| picture.iter().any(|line| line.text.contains(text));
        assert!(shows(&format!("[{cards}]")), "{picture:?}");
        assert!(shows(&format!("you hold {held}")), "{picture:?}");
    };
    let twice = "the rest of the board is dealt twice if all want it";
    check(
        "nlhe",
        "As Kd",
        &format!("The game is no-limit Hold'em; {twice}."),
        "Ah 7c 2d",
        "pair of aces",
    );
    check(
        "plo8",
        "As 2d Kc Kd",
        &format!(
            "The game is pot-limit Omaha hi-lo; exactly two of your cards and three of the board count; half of each pot \
             is for the best low hand, eight or better; you may bet what is in the pot; {twice}."
        ),
        "3h 4c 8h",
        "pair of kings and eight-four low",
    );
    check(
        "plo6",
        "As Ad Kc Kd Qh Qs",
        &format!(
            "The game is pot-limit six-card Omaha; exactly two of your cards and three of the board count; you may bet \
             what is in the pot; {twice}."
        ),
        "Kh 4c 8h",
        "three of a kind, kings",
    );
    check(
        "short-deck",
        "As Kd",
        &format!(
            "The game is no-limit short-deck Hold'em; no card below six; a flush beats a full house; only the button posts \
             a blind; {twice}."
        ),
        "Ah Kh 6d",
        "two pair, aces and kings",
    );
}

#[test]
fn the_question_whether_to_run_it_twice_has_its_clock() {
    let (mut game, _) = table_of("plo", "As Ad Kc Kd");
    game.update(&told(acted(0, 1, ActionKind::RaiseTo, 1_000, 995)));
    let said = game.update(&told(Event::RunTwiceAsked(proto::v1::RunTwiceAsked {
        turn: 7,
        seats: vec![0, 1],
        time_left_ms: 20_000,
    })));
    assert_eq!(
        texts(&said),
        [
            "Deal the rest of the board twice? You decide, Bob decides.",
            "Deal the rest of the board twice (20 s)? twice or once"
        ]
    );
    assert_eq!(game.clock(), Some((7, Duration::from_secs(20))));
    let question = ForTurn { hand: 1, turn: 7 };
    assert_eq!(
        game.command(parse("once").unwrap()),
        Deed::Ask(Call::RunTwice(question, false))
    );
    let answered = proto::v1::RunTwiceAnswered {
        seat: 0,
        agree: true,
    };
    game.update(&told(Event::RunTwiceAnswered(answered)));
    assert_eq!(game.clock(), None);
    assert!(matches!(
        game.command(parse("twice").unwrap()),
        Deed::Say(_)
    ));
}

#[test]
fn names_cannot_paint_the_screen() {
    let line = Line {
        kind: Kind::Trouble,
        text: "a\x1b[2Jb\nc".into(),
    };
    assert_eq!(Paint::new(false).painted(&line), "a[2Jbc");
    assert_eq!(Paint::new(true).painted(&line), "\x1b[33ma[2Jbc\x1b[0m");
}
