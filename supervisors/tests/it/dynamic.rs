//! The dynamic supervisor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use supervisors::{
    Backoff, ChildInfo, ChildState, Decision, DynamicHandle, DynamicSpec, ExitReason, HandleError,
    Intensity, Restart, Shutdown, StartError, StartFn,
};
use tokio::time::Instant;

use crate::stage::{Birth, Death, Do, Stage, tell};

const SECOND: Duration = Duration::from_secs(1);

type End = fn(&ractor::ActorCell);
type Expects = fn(&StartError) -> bool;

fn good(stage: &Stage, name: &str) -> StartFn {
    stage.start(name, |_| Birth::Fine, Death::Fine)
}

async fn only(supervisor: &DynamicHandle<u64>) -> ChildInfo<u64> {
    let mut children = supervisor.children().await.expect("alive");
    assert_eq!(children.len(), 1);
    children.remove(0)
}

#[tokio::test(start_paused = true)]
async fn exits_by_restart_type() {
    let cases: [(Restart, End, &[&str]); 6] = [
        (
            Restart::Permanent,
            |cell| tell(cell, Do::Panic),
            &["t up", "t up"],
        ),
        (
            Restart::Permanent,
            |cell| cell.stop(None),
            &["t up", "t down", "t up"],
        ),
        (Restart::Transient, |cell| cell.kill(), &["t up", "t up"]),
        (
            Restart::Transient,
            |cell| cell.stop(None),
            &["t up", "t down"],
        ),
        (Restart::Temporary, |cell| tell(cell, Do::Fail), &["t up"]),
        (
            Restart::Temporary,
            |cell| cell.stop(None),
            &["t up", "t down"],
        ),
    ];
    for (restart, end, expected) in cases {
        let stage = Stage::new();
        let supervisor = DynamicSpec::new(restart).start().await.expect("starts");
        end(&supervisor
            .start_child_from(1, good(&stage, "t"))
            .await
            .expect("starts"));
        assert_eq!(stage.quiet().await, expected, "{restart:?}");
        let left = supervisor.children().await.expect("alive").len();
        assert_eq!(
            left,
            usize::from(expected.last() == Some(&"t up") && expected.len() > 1)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn children_are_started_found_terminated_and_counted() {
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Transient)
        .max_children(2)
        .start()
        .await
        .expect("starts");
    let cell = supervisor
        .start_child_from(1, good(&stage, "one"))
        .await
        .expect("starts");
    assert_eq!(supervisor.find(1).await.expect("known"), Some(cell));
    supervisor
        .start_child_from(2, good(&stage, "two"))
        .await
        .expect("starts");
    let again = supervisor.start_child_from(1, good(&stage, "one")).await;
    assert!(matches!(again, Err(HandleError::AlreadyPresent(_))));
    let more = supervisor.start_child_from(3, good(&stage, "three")).await;
    assert!(matches!(more, Err(HandleError::TooManyChildren(2))));
    supervisor.terminate_child(1).await.expect("known");
    assert_eq!(
        stage.lines(3).await,
        ["one up", "two up", "one down"],
        "down when the answer comes"
    );
    assert!(matches!(
        supervisor.terminate_child(1).await,
        Err(HandleError::UnknownChild(_))
    ));
    assert_eq!(only(&supervisor).await.id, 2);
    supervisor.restart_child(2).await.expect("starts");
    assert_eq!(supervisor.stop().await, ExitReason::Shutdown);
    assert_eq!(stage.quiet().await[3..], ["two down", "two up", "two down"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_start_that_fails_is_the_askers_business() {
    let cases: [(Birth, Expects); 3] = [
        (Birth::Fails, |error| matches!(error, StartError::Spawn(_))),
        (Birth::Panics, |error| matches!(error, StartError::Spawn(_))),
        (Birth::Slow(60 * SECOND), |error| {
            matches!(error, StartError::TimedOut(_))
        }),
    ];
    for (birth, expected) in cases {
        let stage = Stage::new();
        let hook = |exit: supervisors::ChildExit<'_, u64>| panic!("not called for {exit:?}");
        let supervisor = DynamicSpec::new(Restart::Permanent)
            .on_exit(hook)
            .start()
            .await
            .expect("starts");
        let result = supervisor
            .start_child_from(1, stage.start("t", move |_| birth, Death::Fine))
            .await;
        assert!(
            matches!(&result, Err(HandleError::Start(error)) if expected(error)),
            "{result:?}"
        );
        assert!(supervisor.children().await.expect("alive").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn one_slow_child_delays_no_other() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let supervisor = DynamicSpec::new(Restart::Temporary)
        .start()
        .await
        .expect("starts");
    let slow = supervisor.clone();
    let birth = stage.start("slow", |_| Birth::Slow(5 * SECOND), Death::Slow(3 * SECOND));
    let starting = tokio::spawn(async move { slow.start_child_from(1, birth).await });
    tokio::task::yield_now().await;
    supervisor
        .start_child_from(2, good(&stage, "quick"))
        .await
        .expect("starts");
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(supervisor.children().await.expect("alive").len(), 2);
    starting.await.expect("no panic").expect("starts");
    assert_eq!(begin.elapsed(), 5 * SECOND);

    let slow = supervisor.clone();
    let stopping = tokio::spawn(async move { slow.terminate_child(1).await });
    tokio::task::yield_now().await;
    supervisor.terminate_child(2).await.expect("known");
    assert_eq!(begin.elapsed(), 5 * SECOND);
    assert_eq!(only(&supervisor).await.state, ChildState::Stopping);
    stopping.await.expect("no panic").expect("known");
    assert_eq!(begin.elapsed(), 8 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_child_is_terminated_while_it_starts() {
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Permanent)
        .start()
        .await
        .expect("starts");
    let asker = supervisor.clone();
    let birth = stage.start(
        "t",
        |n| {
            if n == 0 {
                Birth::Slow(5 * SECOND)
            } else {
                Birth::Fine
            }
        },
        Death::Fine,
    );
    let again = birth.clone();
    let starting = tokio::spawn(async move { asker.start_child_from(1, birth).await });
    while supervisor.children().await.expect("alive").is_empty() {
        tokio::task::yield_now().await;
    }
    supervisor.terminate_child(1).await.expect("known");
    assert!(matches!(
        starting.await.expect("no panic"),
        Err(HandleError::Terminated(_))
    ));
    supervisor
        .start_child_from(1, again)
        .await
        .expect("nothing is in its way");
    assert_eq!(stage.quiet().await, ["t up"]);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_dies_before_its_start_is_reported_is_restarted() {
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Transient)
        .start()
        .await
        .expect("starts");
    let births = |n| {
        if n == 0 {
            Birth::PanicsAtOnce
        } else {
            Birth::Fine
        }
    };
    supervisor
        .start_child_from(1, stage.start("t", births, Death::Fine))
        .await
        .expect("it came up");
    assert_eq!(stage.quiet().await, ["t up", "t up"]);
    assert_eq!(only(&supervisor).await.restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn an_actor_whose_start_function_was_given_up_is_killed() {
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Transient)
        .start()
        .await
        .expect("starts");
    let birth = stage.start("lost", |_| Birth::Lost, Death::Fine);
    supervisor
        .start_child_from(1, birth)
        .await
        .expect_err("times out");
    assert_eq!(stage.quiet().await, ["lost up"]);
    assert!(supervisor.cell().get_children().is_empty());
}

#[tokio::test(start_paused = true)]
async fn restarts_by_spec_back_off_and_escalate() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let supervisor = DynamicSpec::new(Restart::Transient)
        .intensity(Intensity::new(3, 60 * SECOND))
        .backoff(Backoff::new(SECOND, 10 * SECOND))
        .start()
        .await
        .expect("starts");
    supervisor
        .start_child_from(1, good(&stage, "good"))
        .await
        .expect("starts");
    let births = |n| if n == 0 { Birth::Fine } else { Birth::Fails };
    let bad = supervisor
        .start_child_from(2, stage.start("bad", births, Death::Fine))
        .await
        .expect("starts");
    tell(&bad, Do::Panic);
    assert!(
        matches!(supervisor.wait().await, ExitReason::Failed(text) if text.contains("child 2"))
    );
    assert_eq!(begin.elapsed(), (1 + 2 + 4) * SECOND);
    assert_eq!(
        stage.quiet().await,
        [
            "good up",
            "bad up",
            "bad fails",
            "bad fails",
            "bad fails",
            "good down"
        ]
    );
}

/// A hook that notes what it is told, and decides by the number of restarts.
async fn with_hook(
    restart: Restart,
    decide: impl Fn(u32) -> Decision + Send + Sync + 'static,
) -> (DynamicHandle<u64>, Arc<Mutex<Vec<(u64, ExitReason, u64)>>>) {
    let told: Arc<Mutex<Vec<_>>> = Arc::default();
    let notes = told.clone();
    let spec = DynamicSpec::new(restart)
        .intensity(Intensity::new(0, SECOND))
        .on_exit(move |exit| {
            let note = (*exit.key, exit.reason.clone(), exit.lived.as_secs());
            notes.lock().expect("not poisoned").push(note);
            decide(exit.restarts)
        });
    (spec.start().await.expect("starts"), told)
}

#[tokio::test(start_paused = true)]
async fn the_hook_restarts_with_its_own_delays_and_parks() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let (supervisor, told) = with_hook(Restart::Temporary, |restarts| match restarts {
        0..3 => Decision::RestartAfter((restarts + 1) * SECOND),
        _ => Decision::Forget,
    })
    .await;
    let births = |n| if n == 2 { Birth::Fails } else { Birth::Fine };
    let cell = supervisor
        .start_child_from(9, stage.start("t", births, Death::Fine))
        .await
        .expect("starts");
    tokio::time::sleep(10 * SECOND).await;
    tell(&cell, Do::Panic);
    stage.lines(2).await;
    assert_eq!(begin.elapsed(), 11 * SECOND);
    tell(
        &supervisor.find(9).await.expect("known").expect("up"),
        Do::Fail,
    );
    stage.lines(4).await;
    assert_eq!(begin.elapsed(), (11 + 2 + 3) * SECOND);
    supervisor.find(9).await.expect("known").expect("up").kill();
    assert_eq!(stage.quiet().await, ["t up", "t up", "t fails", "t up"]);
    assert!(
        supervisor
            .children()
            .await
            .expect("its intensity of 0 is untouched")
            .is_empty()
    );
    let told = told.lock().expect("not poisoned").clone();
    assert_eq!(
        told[0],
        (9, ExitReason::Panicked("told to panic".into()), 10)
    );
    assert_eq!(told[1], (9, ExitReason::Failed("told to fail".into()), 0));
    assert!(matches!(&told[2], (9, ExitReason::StartFailed(_), 0)));
    assert_eq!(told[3..], [(9, ExitReason::Killed, 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_informed_of_a_termination_and_cannot_undo_it() {
    let cases = [
        (Death::Fine, ExitReason::Shutdown, 0),
        (Death::Slow(60 * SECOND), ExitReason::Killed, 5),
        (
            Death::Panics,
            ExitReason::Panicked("dies as it lived".into()),
            0,
        ),
    ];
    for (death, expected, lived) in cases {
        let stage = Stage::new();
        let (supervisor, told) =
            with_hook(Restart::Permanent, |_| Decision::RestartAfter(SECOND)).await;
        supervisor
            .start_child_from(1, stage.start("t", |_| Birth::Fine, death))
            .await
            .expect("starts");
        supervisor.terminate_child(1).await.expect("known");
        assert_eq!(
            told.lock().expect("not poisoned")[..],
            [(1, expected, lived)]
        );
        stage.quiet().await;
        assert!(supervisor.children().await.expect("alive").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_leaves_it_to_the_spec() {
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Permanent)
        .on_exit(|_| panic!("bad hook"))
        .start()
        .await
        .expect("starts");
    tell(
        &supervisor
            .start_child_from(1_u64, good(&stage, "t"))
            .await
            .expect("starts"),
        Do::Panic,
    );
    assert_eq!(stage.quiet().await, ["t up", "t up"]);
}

#[tokio::test(start_paused = true)]
async fn all_are_stopped_side_by_side_and_the_deaf_are_killed() {
    let cases = [
        (Shutdown::Timeout(7 * SECOND), 7, 3),
        (Shutdown::BrutalKill, 0, 0),
    ];
    for (shutdown, seconds, orderly) in cases {
        let stage = Stage::new();
        let supervisor = DynamicSpec::new(Restart::Permanent)
            .shutdown(shutdown)
            .start()
            .await
            .expect("starts");
        for key in 0..3_u64 {
            let birth = stage.start("t", |_| Birth::Fine, Death::Slow(5 * SECOND));
            supervisor
                .start_child_from(key, birth)
                .await
                .expect("starts");
        }
        tell(
            &supervisor
                .start_child_from(3, good(&stage, "deaf"))
                .await
                .expect("starts"),
            Do::Hang,
        );
        stage.lines(5).await;
        stage.clear();
        let begin = Instant::now();
        assert_eq!(supervisor.stop().await, ExitReason::Shutdown);
        assert_eq!(
            begin.elapsed(),
            seconds * SECOND,
            "together, not one after the other"
        );
        assert_eq!(stage.quiet().await.len(), orderly);
        assert!(supervisor.cell().get_children().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_up_starts_and_pending_restarts() {
    let (stage, begin) = (Stage::new(), Instant::now());
    let supervisor = DynamicSpec::new(Restart::Permanent)
        .backoff(Backoff::new(60 * SECOND, 60 * SECOND))
        .start_timeout(60 * SECOND)
        .start()
        .await
        .expect("starts");
    let cell = supervisor
        .start_child_from(1, good(&stage, "waits"))
        .await
        .expect("starts");
    tell(&cell, Do::Panic);
    let asker = supervisor.clone();
    let birth = stage.start("slow", |_| Birth::Slow(50 * SECOND), Death::Fine);
    let starting = tokio::spawn(async move { asker.start_child_from(2, birth).await });
    while supervisor.children().await.expect("alive").len() < 2 {
        tokio::task::yield_now().await;
    }
    supervisor.stop().await;
    assert!(matches!(
        starting.await.expect("no panic"),
        Err(HandleError::Gone)
    ));
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(stage.quiet().await, ["waits up"]);
}

#[tokio::test(start_paused = true)]
async fn thousands_die_at_once_and_all_come_back() {
    const CHILDREN: u16 = 2_000;
    let stage = Stage::new();
    let intensity = Intensity::new(CHILDREN, SECOND);
    let supervisor = DynamicSpec::new(Restart::Transient)
        .intensity(intensity)
        .start()
        .await
        .expect("starts");
    let mut cells = Vec::new();
    for key in 0..CHILDREN {
        cells.push(
            supervisor
                .start_child_from(key, good(&stage, "t"))
                .await
                .expect("starts"),
        );
    }
    for cell in &cells {
        tell(cell, Do::Panic);
    }
    stage.lines(2 * usize::from(CHILDREN)).await;
    tokio::time::sleep(SECOND).await;
    let children = supervisor.children().await.expect("within the intensity");
    assert_eq!(children.len(), usize::from(CHILDREN));
    assert!(
        children
            .iter()
            .all(|child| child.state == ChildState::Running && child.restarts == 1)
    );
}

/// Real threads, so that ends overtake the reports of starts by chance too, and no timer is involved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_many_threads_every_child_comes_back_and_every_stop_is_complete() {
    const CHILDREN: u64 = 300;
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Transient)
        .on_exit(|exit| match exit.reason.is_normal() {
            true => Decision::BySpec,
            false => Decision::RestartAfter(Duration::ZERO),
        })
        .start()
        .await
        .expect("starts");
    let mut cells = Vec::new();
    for key in 0..CHILDREN {
        let name = format!("t{key}");
        let births = |n| {
            if n < 2 {
                Birth::PanicsAtOnce
            } else {
                Birth::Fine
            }
        };
        let start = stage.start(&name, births, Death::Fine);
        cells.push(
            supervisor
                .start_child_from(key, start)
                .await
                .expect("comes up"),
        );
    }
    stage
        .lines(3 * usize::try_from(CHILDREN).expect("small"))
        .await;
    loop {
        let children = supervisor.children().await.expect("alive");
        assert_eq!(children.len(), cells.len());
        if children
            .iter()
            .all(|child| child.state == ChildState::Running && child.restarts == 2)
        {
            break;
        }
        tokio::task::yield_now().await;
    }
    let living = supervisor.cell().get_children();
    assert_eq!(living.len(), cells.len());
    assert_eq!(supervisor.stop().await, ExitReason::Shutdown);
    assert!(
        living
            .iter()
            .all(|cell| cell.get_status() == ractor::ActorStatus::Stopped)
    );
}
