//! Straddles and boards that are dealt twice, as players see and choose them.

use openrustpoker::client::{Answer, CallError, ForTurn, Move};
use proto::v1::{Game, PostKind, StraddleRule, TableView, table_event::Event};

use super::{Stage, game, refused, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_straddle_is_chosen_posted_and_spoken_last() {
    let rule = StraddleRule {
        under_the_gun: true,
        button: true,
        ..StraddleRule::default()
    };
    let plo = Game {
        straddle: Some(rule),
        ..game("plo")
    };
    let mut stage = Stage::open(&settings(plo), 4).await;
    // All four want to from the second hand on; only one may, and the button comes first.
    for player in &stage.players {
        let chosen = player.straddle(&stage.table, stage.ids.next(0), true).await;
        chosen.expect("it is the table's custom");
    }
    let again = stage.players[0].straddle(&stage.table, stage.ids.next(0), true);
    assert_eq!(refused(again.await).0, "StraddleUnchanged");
    let seen = stage.look(0).await;
    assert!(seen.seats.iter().all(|seat| seat.straddles), "{seen:?}");

    // By the fourth hand all are dealt in, and nobody has a blind to post.
    stage.fold_until(4).await;
    let seen = stage.turn(4).await;
    let (button, legal) = (seen.button.expect("a button"), seen.legal.expect("a turn"));
    let bet = |no: u32| {
        seen.seats
            .iter()
            .find(|seat| seat.seat == no)
            .map(|seat| seat.bet)
    };
    assert_eq!((bet(button), seen.current_bet), (Some(200), 200));
    // First to act is the small blind, left of the straddler. It is 350 in the middle, and 200 to call: he has 50 in.
    assert_eq!(Some(legal.seat), seen.small_blind);
    assert_eq!((legal.call, legal.raise_to_min), (150, 400));
    assert_eq!(legal.raise_to_max, 200 + 350 + 150);
    // All call, and the straddler has the last word.
    for _ in 0..3 {
        let seen = stage.turn(4).await;
        assert_ne!(seen.legal.as_ref().map(|legal| legal.seat), Some(button));
        stage.act(&seen, Move::Call).await.expect("a call");
    }
    let seen = stage.turn(4).await;
    let legal = seen.legal.as_ref().expect("a turn");
    assert_eq!(
        (legal.seat, legal.check, legal.raise_to_min),
        (button, true, 400)
    );
    stage
        .act(&seen, Move::Fold)
        .await
        .expect("folding is legal");
    stage.fold_until(5).await;
    // The archive tells it.
    let told = finished(&stage, 4).await;
    let straddles = told.iter().filter(|event| {
        matches!(event, Event::Posted(posted) if posted.kind() == PostKind::Straddle && posted.amount == 200)
    });
    assert_eq!(straddles.count(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn straddles_where_there_are_none() {
    let stage = Stage::open(&settings(game("plo")), 2).await;
    let chosen = stage.players[0].straddle(&stage.table, 1_000, true).await;
    assert_eq!(refused(chosen).0, "NoStraddles");
    let answer = ForTurn { hand: 1, turn: 1 };
    let agreed = stage.players[0].run_twice(&stage.table, 1_001, answer, true);
    assert_eq!(refused(agreed.await).0, "NeverRunTwice");
}

/// Two boards are dealt once all agreed; who answers twice, is not asked, or comes too late is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_dealt_twice_if_all_agree_in_time() {
    let plo = Game {
        run_twice: true,
        ..game("plo")
    };
    let mut stage = Stage::open(&settings(plo), 3).await;
    // The first hand may have begun when only two were there.
    let (hand, question) = Box::pin(all_in(&mut stage)).await;
    let asked = question.run_twice_asked.as_ref().expect("a question");
    let mut seats = asked.seats.clone();
    seats.sort_unstable();
    assert_eq!(seats, [0, 1]);
    assert!(
        (1..=600_000).contains(&asked.time_left_ms),
        "the clock of a turn runs: {asked:?}"
    );
    let turn = ForTurn {
        hand,
        turn: asked.turn,
    };
    let early = ForTurn {
        turn: turn.turn + 1,
        ..turn
    };
    let answer = async |stage: &mut Stage, player: usize, turn| -> Result<Answer, CallError> {
        let id = stage.ids.next(0);
        let player = &stage.players[player];
        player.run_twice(&stage.table, id, turn, true).await
    };
    let (rule, _) = refused(answer(&mut stage, 0, early).await);
    assert_eq!(rule, "RunTwiceNotAsked");
    let (rule, _) = refused(answer(&mut stage, 2, turn).await);
    assert_eq!(rule, "RunTwiceNotInvolved");
    answer(&mut stage, 0, turn).await.expect("the first agrees");
    let (rule, _) = refused(answer(&mut stage, 0, turn).await);
    assert_eq!(rule, "RunTwiceAnswered");
    answer(&mut stage, 1, turn)
        .await
        .expect("the second agrees");
    // It is settled: whoever answers now is too late.
    let (rule, _) = refused(answer(&mut stage, 1, turn).await);
    assert_eq!(rule, "RunTwiceTooLate");

    let told = finished(&stage, hand).await;
    let awards: Vec<u32> = told
        .iter()
        .filter_map(|event| {
            if let Event::PotAwarded(awarded) = event {
                Some(awarded.board)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(awards, [1, 2], "{told:?}");
    let second = told.iter().map(|event| {
        if let Event::SecondBoardDealt(dealt) = event {
            dealt.cards.len()
        } else {
            0
        }
    });
    assert_eq!(second.sum::<usize>(), 5, "{told:?}");
}

/// The question has a clock: once it is over, the board is dealt once, and a vote is too late.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_after_the_clock_is_too_late() {
    let plo = Game {
        run_twice: true,
        ..game("plo")
    };
    let mut settings = settings(plo);
    settings.action_ms = 1_000;
    let mut stage = Stage::open(&settings, 3).await;
    let (hand, question) = Box::pin(all_in(&mut stage)).await;
    let turn = ForTurn {
        hand,
        turn: question.run_twice_asked.expect("a question").turn,
    };
    stage
        .until(0, "the question is over", |seen| {
            seen.hand > hand || seen.run_twice_asked.is_none()
        })
        .await;
    let late = stage.players[0].run_twice(&stage.table, stage.ids.next(0), turn, true);
    assert_eq!(refused(late.await).0, "RunTwiceTooLate");
    let told = finished(&stage, hand).await;
    let settled = told
        .iter()
        .any(|event| matches!(event, Event::RunTwiceSettled(settled) if !settled.twice));
    assert!(settled, "{told:?}");
}

/// Plays until seats 0 and 1 are all-in in a hand that seat 2 gave up; the hand, and the table as it asks.
async fn all_in(stage: &mut Stage) -> (u64, TableView) {
    for _ in 0..200 {
        let seen = stage
            .until(0, "somebody is to act, or asked", |seen| {
                seen.legal.is_some() || seen.run_twice_asked.is_some()
            })
            .await;
        if seen.run_twice_asked.is_some() {
            return (seen.hand, seen);
        }
        let legal = seen.legal.as_ref().expect("somebody is to act");
        let dealt = seen.seats.iter().filter(|seat| seat.dealt).count();
        let what = match legal.seat {
            2 => Move::Fold,
            _ if dealt < 3 => Move::Fold,
            _ if legal.raise_to_max > 0 => Move::RaiseTo(legal.raise_to_max),
            _ if legal.check => Move::Check,
            _ => Move::Call,
        };
        stage.act(&seen, what).await.expect("a legal action");
    }
    panic!("nobody is asked");
}

/// What is told of a finished hand. The archive comes after the answer.
async fn finished(stage: &Stage, hand: u64) -> Vec<Event> {
    let player = &stage.players[0];
    for _ in 0..10_000 {
        let hands = player.hands(&stage.table, "", 50).await.expect("a list");
        if hands.hands.iter().any(|found| found.hand == hand) {
            let whole = player.hand(&stage.table, hand).await.expect("a hand");
            let events = whole.events.into_iter();
            return events.filter_map(|event| event.event?.event).collect();
        }
    }
    panic!("hand {hand} is not archived");
}
