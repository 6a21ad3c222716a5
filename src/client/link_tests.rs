//! Repeating a call: the same request id until there is an answer.

use std::time::{Duration, Instant};

use tonic::Code;

use super::calls::{Answer, ForTurn, RequestIds};
use super::error::CallError;
use super::link::Link;
use super::model::Move;
use super::session::Player;
use super::testing::{Say, Script, nobody, patience};
use super::track::At;

const TURN: ForTurn = ForTurn { hand: 7, turn: 3 };

async fn act(script: &Script) -> Result<Answer, CallError> {
    script
        .player()
        .await
        .act("t", 5, TURN, Move::RaiseTo(300))
        .await
}

/// Whether each attempt said that it was the first.
fn marks(script: &Script) -> Vec<bool> {
    let asked = script.asked.lock().unwrap();
    for act in &asked.acts {
        let mark = act.mark.as_ref().unwrap();
        assert_eq!(
            (mark.request_id, act.hand, act.turn, act.to),
            (5, 7, 3, 300)
        );
    }
    assert!(asked.tokens.iter().all(|token| token == "Bearer secret"));
    asked
        .acts
        .iter()
        .map(|act| act.mark.as_ref().unwrap().first_attempt)
        .collect()
}

fn done(attempts: u32) -> Result<Answer, CallError> {
    Ok(Answer {
        at: At {
            epoch: 2,
            sequence: 40,
        },
        attempts,
    })
}

#[tokio::test]
async fn what_has_no_answer_is_asked_again_with_the_same_id() {
    let transient = [
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Cancelled,
        Code::Unknown,
        Code::Internal,
    ];
    for code in transient {
        let script = Script::acts(vec![Say::Code(code), Say::Busy(None), Say::Done(2, 40)]);
        assert_eq!(act(&script).await, done(3));
        assert_eq!(marks(&script), [true, false, false]);
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_named() {
    let script = Script::acts(vec![Say::Refused("RaiseBelowMinimum")]);
    let Err(CallError::Refused(refusal)) = act(&script).await else {
        panic!("it was refused")
    };
    assert_eq!(
        (refusal.rule.as_str(), refusal.text.as_str()),
        ("RaiseBelowMinimum", "not so")
    );
    assert_eq!(refusal.facts.get("min_to").map(String::as_str), Some("200"));
    assert!(!refusal.repeated && !refusal.is_stale());
    assert_eq!(marks(&script), [true]);
}

#[tokio::test]
async fn a_refusal_without_a_rule_has_the_name_of_its_code() {
    let script = Script::acts(vec![Say::Code(Code::PermissionDenied)]);
    let Err(CallError::Refused(refusal)) = act(&script).await else {
        panic!("it was refused")
    };
    assert_eq!(refusal.rule, "PermissionDenied");
}

#[tokio::test]
async fn a_stale_answer_to_a_repeat_says_that_it_is_one() {
    let script = Script::acts(vec![
        Say::Code(Code::Unavailable),
        Say::Refused("StaleTurn"),
    ]);
    let Err(CallError::Refused(refusal)) = act(&script).await else {
        panic!("it was refused")
    };
    assert!(refusal.repeated && refusal.is_stale());
    assert_eq!(marks(&script), [true, false]);
}

#[tokio::test]
async fn the_server_says_when_to_ask_again() {
    let wait = Duration::from_millis(120);
    let script = Script::acts(vec![Say::Busy(Some(wait)), Say::Done(2, 40)]);
    let player = script.player().await;
    let start = Instant::now();
    assert_eq!(player.act("t", 5, TURN, Move::RaiseTo(300)).await, done(2));
    assert!(start.elapsed() >= wait);
}

#[tokio::test]
async fn an_attempt_without_any_answer_is_given_up_and_repeated() {
    let script = Script::acts(vec![Say::Nothing, Say::Done(2, 40)]);
    let mut short = patience();
    short.attempt = Duration::from_millis(200);
    let link = Link::new(&[script.serve().await], short).unwrap();
    let (player, _) = Player::guest(&link, "Ann").await.unwrap();
    assert_eq!(player.act("t", 5, TURN, Move::RaiseTo(300)).await, done(2));
    assert_eq!(marks(&script), [true, false]);
}

#[tokio::test]
async fn after_the_limit_it_is_unknown() {
    let script = Script::acts((0..10_000).map(|_| Say::Code(Code::Unavailable)).collect());
    let player = script.player().await;
    let mut short = patience();
    short.overall = Duration::from_millis(30);
    let link = Link::new(&[script.serve().await], short).unwrap();
    let (other, _) = Player::guest(&link, "Ann").await.unwrap();
    drop(player);
    let outcome = other.act("t", 5, TURN, Move::RaiseTo(300)).await;
    assert!(
        matches!(outcome, Err(CallError::Unknown { attempts, .. }) if attempts > 1),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_server_that_nothing_reached_did_nothing() {
    let mut short = patience();
    short.overall = Duration::from_millis(30);
    let link = Link::new(&[nobody().await], short).unwrap();
    let Err(error) = Player::guest(&link, "Ann").await else {
        panic!("nobody listens")
    };
    let unreachable = matches!(
        error,
        super::session::SessionError::Call(CallError::Unreachable { .. })
    );
    assert!(unreachable, "{error}");
}

#[tokio::test]
async fn the_next_address_is_tried_and_hears_a_first_attempt() {
    let script = Script::acts(vec![Say::Done(2, 40)]);
    let addresses = [nobody().await, script.serve().await];
    let link = Link::new(&addresses, patience()).unwrap();
    let session = Player::guest(&script_link(&script).await, "Ann")
        .await
        .unwrap()
        .1;
    let player = Player::resume(&link, &session).await.unwrap();
    link.turn_from(1);
    let answer = player.act("t", 5, TURN, Move::RaiseTo(300)).await;
    assert_eq!(answer, done(2));
    assert_eq!(marks(&script), [true]);
}

async fn script_link(script: &Script) -> Link {
    Link::new(&[script.serve().await], patience()).unwrap()
}

#[test]
fn request_ids_rise() {
    let mut ids = RequestIds::default();
    assert_eq!(
        [
            ids.next(0),
            ids.next(0),
            ids.next(100),
            ids.next(50),
            ids.next(0)
        ],
        [1, 2, 100, 101, 102]
    );
}
