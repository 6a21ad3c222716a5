//! Looking at a tree changes nothing in it, and says how it is.

use std::time::Duration;

use supervisors::{
    Census, ChildInfo, DynamicSpec, Intensity, Probe, Pulse, Restart, Strategy, SupervisorHandle,
    SupervisorSpec,
};
use tokio::time::advance;

use crate::stage::{Birth, Death, Do, Stage, WAITING, tell};
use crate::strategies::find;

const SECOND: Duration = Duration::from_secs(1);

async fn fail(supervisor: &SupervisorHandle, id: &'static str) {
    let before = find(supervisor, id).await;
    tell(&before, Do::Fail);
    before.wait(None).await.expect("it ends");
    // Paused time stands still meanwhile, so what follows is exact.
    while find(supervisor, id).await.get_id() == before.get_id() {
        tokio::task::yield_now().await;
    }
}

async fn children(supervisor: &SupervisorHandle) -> Vec<ChildInfo<String>> {
    let observer = supervisor.observer();
    observer.look(usize::MAX).await.expect("alive").children
}

#[tokio::test(start_paused = true)]
async fn restarts_count_in_the_period_and_in_all_and_ages_begin_anew() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::RestForOne)
        .intensity(Intensity::new(3, 60 * SECOND))
        .child(stage.good("a"))
        .child(stage.good("b").restart(Restart::Transient))
        .start()
        .await
        .expect("all start");
    advance(10 * SECOND).await;
    fail(&supervisor, "b").await;
    advance(20 * SECOND).await;
    fail(&supervisor, "b").await;
    advance(5 * SECOND).await;

    let seen = supervisor.observer().look(usize::MAX).await.expect("alive");
    assert_eq!(seen.strategy, Some(Strategy::RestForOne));
    assert_eq!(seen.intensity, Intensity::new(3, 60 * SECOND));
    assert_eq!((seen.recent, seen.restarts), (2, 2));
    assert_eq!(seen.age, 35 * SECOND);
    let ages = |seen: &[ChildInfo<String>]| seen.iter().map(|child| child.age).collect::<Vec<_>>();
    assert_eq!(
        ages(&seen.children),
        [Some(35 * SECOND), Some(5 * SECOND)],
        "b began anew, a did not"
    );
    let types: Vec<Restart> = seen.children.iter().map(|child| child.restart).collect();
    assert_eq!(types, [Restart::Permanent, Restart::Transient]);

    advance(55 * SECOND).await;
    let later = supervisor.observer().look(usize::MAX).await.expect("alive");
    assert_eq!(
        (later.recent, later.restarts),
        (1, 2),
        "the first one is out of the period"
    );
    supervisor.terminate_child("b").await.expect("known");
    assert_eq!(ages(&children(&supervisor).await)[1], None, "it is down");
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_as_long_as_any_message_and_keeps_nobody_else() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("busy").probe(Probe::new(Do::Probe)))
        .child(stage.good("idle").probe(Probe::new(Do::Probe)))
        .child(stage.good("unknown"))
        .start()
        .await
        .expect("all start");
    let seen = children(&supervisor).await;
    let prober = |index: usize| seen[index].prober.clone().expect("its spec says how");
    let pulse = |delay| {
        let waiting = WAITING as u32;
        Some(Pulse { delay, waiting })
    };
    tell(&find(&supervisor, "busy").await, Do::Work(3 * SECOND));
    assert_eq!(prober(0).pulse(SECOND).await, None, "not in time");
    assert_eq!(prober(1).pulse(SECOND).await, pulse(Duration::ZERO));
    assert!(seen[2].prober.is_none(), "nobody said how");
    // One second of three is over.
    assert_eq!(prober(0).pulse(60 * SECOND).await, pulse(2 * SECOND));

    let looked = supervisor.observer().look(1).await.expect("alive");
    assert_eq!(
        looked.delay,
        Duration::ZERO,
        "a busy child is not its supervisor"
    );
    find(&supervisor, "busy").await.stop(None);
    stage.quiet().await;
    assert_eq!(
        prober(0).pulse(SECOND).await,
        None,
        "this incarnation is over"
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_an_actor_does_not_understand_is_not_sent() {
    struct Other;
    #[cfg(feature = "cluster")]
    impl ractor::Message for Other {}
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a").probe(Probe::new(|_| Other)))
        .start()
        .await
        .expect("starts");
    let seen = children(&supervisor).await;
    let prober = seen[0].prober.clone().expect("its spec says how");
    assert_eq!(prober.pulse(SECOND).await, None);
    assert_eq!(stage.quiet().await, ["a up"], "it goes on");
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_starting_a_child_answers_afterwards() {
    let stage = Stage::new();
    let slow = |n| match n {
        0 => Birth::Fine,
        _ => Birth::Slow(4 * SECOND),
    };
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.child("slow", slow, Death::Fine))
        .start()
        .await
        .expect("starts");
    tell(&find(&supervisor, "slow").await, Do::Fail);
    // It has heard of the end, and is starting the child again.
    tokio::time::sleep(SECOND).await;
    let seen = supervisor.observer().look(1).await.expect("alive");
    assert_eq!(seen.delay, 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn of_many_children_all_are_counted_and_some_are_shown() {
    let stage = Stage::new();
    let supervisor = DynamicSpec::new(Restart::Permanent)
        .name(|key: &u64| format!("table-{key}"))
        .intensity(Intensity::new(10, SECOND))
        .probe(Probe::new(Do::Probe))
        .start()
        .await
        .expect("starts");
    for key in 0..100_u64 {
        let start = stage.start("t", |_| Birth::Fine, Death::Fine);
        supervisor
            .start_child_from(key, start)
            .await
            .expect("starts");
    }
    for key in 0..4 {
        let child = supervisor.find(key).await.expect("known").expect("up");
        child.kill();
    }
    stage.lines(104).await;
    let seen = supervisor.observer().look(10).await.expect("alive");
    let named = |child: &ChildInfo<String>| child.id.starts_with("table-");
    assert!(seen.children.iter().all(named), "{:?}", seen.children);
    let census = Census {
        all: 100,
        running: 100,
        restarts: 4,
    };
    assert_eq!((seen.census, seen.children.len()), (census, 10));
    assert_eq!((seen.strategy, seen.recent, seen.restarts), (None, 4, 4));
    for child in seen.children {
        let prober = child.prober.expect("all of them have one");
        let pulse = prober.pulse(SECOND).await.expect("alive");
        assert_eq!(pulse.waiting, WAITING as u32);
    }
}
