//! Children that fail to start, start slowly, ignore a stop, or die in a burst.

use std::time::Duration;

use supervisors::{
    Backoff, ChildSpec, ChildState, ExitReason, Intensity, Shutdown, StartError, StartFn, Strategy,
    SupervisorSpec,
};
use tokio::time::Instant;

use crate::stage::{Birth, Death, Do, Stage, tell};
use crate::strategies::{GENEROUS, find};

const SECOND: Duration = Duration::from_secs(1);

/// Starts a, bad, c, where `bad` does not come up; returns the error.
async fn failed_start(stage: &Stage, bad: ChildSpec) -> StartError {
    let result = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(stage.good("b"))
        .child(bad)
        .child(stage.good("d"))
        .start()
        .await;
    let StartError::Child { id, error } = result.expect_err("a child did not start") else {
        panic!("not a child's failure")
    };
    assert_eq!(id, "bad");
    *error
}

#[tokio::test(start_paused = true)]
async fn a_first_start_that_fails_undoes_the_others() {
    for birth in [Birth::Fails, Birth::Panics] {
        let stage = Stage::new();
        let error = failed_start(&stage, stage.child("bad", move |_| birth, Death::Fine)).await;
        assert!(matches!(error, StartError::Spawn(_)), "{error:?}");
        let lines = stage.quiet().await;
        assert_eq!(lines[..2], ["a up", "b up"]);
        assert_eq!(
            lines[3..],
            ["b down", "a down"],
            "right to left, and d never starts"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_function_that_panics_is_a_failed_start() {
    async fn never() -> Result<ractor::ActorCell, StartError> {
        panic!("inside the future")
    }
    let cases = [
        StartFn::new(
            |_| -> std::future::Ready<Result<ractor::ActorCell, StartError>> {
                panic!("before the future")
            },
        ),
        StartFn::new(|_| never()),
    ];
    for start in cases {
        let error = failed_start(&Stage::new(), ChildSpec::from_start("bad", start)).await;
        assert!(matches!(error, StartError::Panicked(_)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_start_is_given_up() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let slow = stage
        .child("bad", |_| Birth::Slow(60 * SECOND), Death::Fine)
        .start_timeout(3 * SECOND);
    let error = failed_start(&stage, slow).await;
    assert!(
        matches!(error, StartError::TimedOut(limit) if limit == 3 * SECOND),
        "{error:?}"
    );
    assert_eq!(begin.elapsed(), 3 * SECOND);
    assert_eq!(
        stage.quiet().await,
        ["a up", "b up", "b down", "a down"],
        "it did not come up later"
    );
}

#[tokio::test(start_paused = true)]
async fn an_actor_whose_start_function_was_given_up_is_killed() {
    let stage = Stage::new();
    let births = |n| if n == 0 { Birth::Lost } else { Birth::Fine };
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .start()
        .await
        .expect("starts");
    let lost = stage.child("lost", births, Death::Fine);
    supervisor
        .start_child(lost.clone())
        .await
        .expect_err("times out");
    supervisor
        .start_child(lost)
        .await
        .expect("nothing is in its way");
    assert_eq!(stage.quiet().await, ["a up", "lost up", "lost up"]);
    assert_eq!(
        supervisor.cell().get_children().len(),
        2,
        "the first one is gone"
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_dies_before_its_start_returns_is_restarted() {
    let stage = Stage::new();
    let births = |n| {
        if n == 0 {
            Birth::PanicsAtOnce
        } else {
            Birth::Fine
        }
    };
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.child("hasty", births, Death::Fine))
        .start()
        .await
        .expect("it came up");
    assert_eq!(stage.quiet().await, ["hasty up", "hasty up"]);
    assert_eq!(supervisor.children().await.expect("alive")[0].restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_is_tried_again_with_back_off_until_it_works() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let births = |n| {
        if matches!(n, 1..=3) {
            Birth::Fails
        } else {
            Birth::Fine
        }
    };
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(Intensity::new(4, 60 * SECOND))
        .backoff(Backoff::new(SECOND, 4 * SECOND).healthy_after(100 * SECOND))
        .child(stage.child("a", births, Death::Fine))
        .start()
        .await
        .expect("the first start works");
    tell(&find(&supervisor, "a").await, Do::Panic);
    assert_eq!(
        stage.lines(5).await,
        ["a up", "a fails", "a fails", "a fails", "a up"]
    );
    assert_eq!(begin.elapsed(), (1 + 2 + 4 + 4) * SECOND);
    assert_eq!(supervisor.children().await.expect("alive")[0].restarts, 4);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_never_works_escalates() {
    let stage = Stage::new();
    let births = |n| if n == 0 { Birth::Fine } else { Birth::Panics };
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(Intensity::new(3, 60 * SECOND))
        .child(stage.good("a"))
        .child(stage.child("b", births, Death::Fine))
        .child(stage.good("c"))
        .start()
        .await
        .expect("the first start works");
    tell(&find(&supervisor, "b").await, Do::Panic);
    let reason = supervisor.wait().await;
    assert!(
        matches!(&reason, ExitReason::Failed(text) if text.contains("child b")),
        "{reason:?}"
    );
    let expected = [
        "a up", "b up", "c up", "b panics", "b panics", "b panics", "c down", "a down",
    ];
    assert_eq!(stage.quiet().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_restart_fails_half_way_starts_again_from_its_strategy() {
    let cases = [
        (
            Strategy::OneForAll,
            &[
                "c down", "a down", "a up", "b fails", "a down", "a up", "b up", "c up",
            ][..],
        ),
        (
            Strategy::RestForOne,
            &["c down", "b down", "a up", "b fails", "b up", "c up"][..],
        ),
    ];
    for (strategy, expected) in cases {
        let stage = Stage::new();
        let supervisor = SupervisorSpec::new(strategy)
            .intensity(GENEROUS)
            .child(stage.good("a"))
            .child(stage.child(
                "b",
                |n| if n == 1 { Birth::Fails } else { Birth::Fine },
                Death::Fine,
            ))
            .child(stage.good("c"))
            .start()
            .await
            .expect("all start");
        stage.clear();
        let victim = if strategy == Strategy::OneForAll {
            "b"
        } else {
            "a"
        };
        tell(&find(&supervisor, victim).await, Do::Panic);
        assert_eq!(stage.quiet().await, expected, "{strategy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_deaths_than_the_intensity_allows_escalate_and_fewer_do_not() {
    for (gap, survives) in [(SECOND, false), (6 * SECOND, true)] {
        let stage = Stage::new();
        let supervisor = SupervisorSpec::new(Strategy::OneForOne)
            .intensity(Intensity::new(2, 10 * SECOND))
            .child(stage.good("a"))
            .child(stage.good("b"))
            .start()
            .await
            .expect("all start");
        for round in 0..3 {
            tell(
                &find(&supervisor, if round == 1 { "b" } else { "a" }).await,
                Do::Panic,
            );
            tokio::time::sleep(gap).await;
        }
        assert_eq!(supervisor.children().await.is_ok(), survives, "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_in_one_group_counts_once() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForAll)
        .intensity(Intensity::new(1, 60 * SECOND))
        .child(stage.good("a"))
        .child(stage.good("b"))
        .child(stage.good("c"))
        .start()
        .await
        .expect("all start");
    let cells = [
        find(&supervisor, "a").await,
        find(&supervisor, "b").await,
        find(&supervisor, "c").await,
    ];
    stage.clear();
    for cell in &cells {
        tell(cell, Do::Panic);
    }
    assert_eq!(
        stage.quiet().await,
        ["a up", "b up", "c up"],
        "the others' events speak of the past"
    );
    assert_eq!(
        supervisor
            .children()
            .await
            .expect("one restart is allowed")
            .len(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_ignores_a_stop_is_killed_at_its_limit() {
    let cases = [
        (Shutdown::Timeout(3 * SECOND), 3 * SECOND),
        (Shutdown::BrutalKill, Duration::ZERO),
    ];
    for (shutdown, expected) in cases {
        let stage = Stage::new();
        let supervisor = SupervisorSpec::new(Strategy::OneForOne)
            .child(stage.good("a"))
            .child(stage.good("deaf").shutdown(shutdown))
            .start()
            .await
            .expect("all start");
        tell(&find(&supervisor, "deaf").await, Do::Hang);
        assert_eq!(stage.lines(3).await, ["a up", "deaf up", "deaf hangs"]);
        let begin = Instant::now();
        assert_eq!(supervisor.stop().await, ExitReason::Shutdown);
        assert_eq!(begin.elapsed(), expected);
        assert_eq!(
            stage.lines(4).await[3],
            "a down",
            "those before it are stopped as always"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_stop_is_waited_for_within_its_limit_or_without_one() {
    for shutdown in [Shutdown::Timeout(100 * SECOND), Shutdown::Infinity] {
        let (stage, begin) = (Stage::new(), Instant::now());
        let supervisor = SupervisorSpec::new(Strategy::OneForOne)
            .child(stage.good("a"))
            .child(
                stage
                    .child("slow", |_| Birth::Fine, Death::Slow(90 * SECOND))
                    .shutdown(shutdown),
            )
            .start()
            .await
            .expect("all start");
        supervisor.stop().await;
        assert_eq!(begin.elapsed(), 90 * SECOND);
        assert_eq!(
            stage.lines(4).await,
            ["a up", "slow up", "slow down", "a down"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_stopping_stops_nothing_else() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(stage.child("b", |_| Birth::Fine, Death::Panics))
        .start()
        .await
        .expect("all start");
    assert_eq!(supervisor.stop().await, ExitReason::Shutdown);
    assert_eq!(stage.quiet().await, ["a up", "b up", "b panics", "a down"]);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_waits_to_restart_stops_at_once() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .backoff(Backoff::new(60 * SECOND, 60 * SECOND))
        .child(stage.good("a"))
        .start()
        .await
        .expect("starts");
    let cell = find(&supervisor, "a").await;
    tell(&cell, Do::Panic);
    cell.wait(None).await.expect("it ends");
    let child = supervisor
        .children()
        .await
        .expect("it is not deaf")
        .remove(0);
    assert_eq!((child.state, child.actor), (ChildState::Restarting, None));
    assert_eq!(supervisor.stop().await, ExitReason::Shutdown);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(
        stage.quiet().await,
        ["a up"],
        "the timer fired into the void"
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_lived_long_starts_its_back_off_over() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(GENEROUS)
        .backoff(Backoff::new(SECOND, 60 * SECOND).healthy_after(10 * SECOND))
        .child(stage.good("a"))
        .start()
        .await
        .expect("starts");
    for (lived, expected) in [(0, 1), (9, 2), (9, 4), (10, 1), (0, 2)] {
        tokio::time::sleep(lived * SECOND).await;
        let begin = Instant::now();
        stage.clear();
        tell(&find(&supervisor, "a").await, Do::Panic);
        stage.lines(1).await;
        assert_eq!(begin.elapsed(), expected * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_further_left_takes_over_the_pending_restart_of_a_group() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let supervisor = SupervisorSpec::new(Strategy::RestForOne)
        .intensity(GENEROUS)
        .backoff(Backoff::new(10 * SECOND, 10 * SECOND))
        .child(stage.good("a"))
        .child(stage.good("b"))
        .child(stage.good("c"))
        .start()
        .await
        .expect("all start");
    stage.clear();
    tell(&find(&supervisor, "b").await, Do::Panic);
    stage.lines(1).await;
    tokio::time::sleep(7 * SECOND).await;
    tell(&find(&supervisor, "a").await, Do::Panic);
    let expected = ["c down", "a up", "b up", "c up"];
    assert_eq!(
        stage.lines(4).await,
        expected,
        "b's own timer found nobody who waits for it"
    );
    assert_eq!(begin.elapsed(), 17 * SECOND);
    assert_eq!(stage.quiet().await, expected);
}
