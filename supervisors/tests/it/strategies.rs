//! Which children go down and come up, in which order, for each strategy and restart type.

use supervisors::{Intensity, Restart, Strategy, SupervisorHandle, SupervisorSpec};

use crate::stage::{Do, Stage, tell};
use std::time::Duration;

pub const GENEROUS: Intensity = Intensity::new(100, Duration::from_secs(60));

/// Starts a, b, c; makes b end; returns what happened after that.
async fn check(
    strategy: Strategy,
    restart: Restart,
    end: fn(&ractor::ActorCell),
    expected: &[&str],
) {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(strategy)
        .intensity(GENEROUS)
        .child(stage.good("a"))
        .child(stage.good("b").restart(restart))
        .child(stage.good("c"))
        .start()
        .await
        .expect("all start");
    assert_eq!(
        stage.lines(3).await,
        ["a up", "b up", "c up"],
        "left to right"
    );
    stage.clear();

    end(&find(&supervisor, "b").await);
    assert_eq!(stage.quiet().await, expected, "{strategy:?} {restart:?}");
    stage.clear();
    supervisor.stop().await;
}

pub async fn find(supervisor: &SupervisorHandle, id: &'static str) -> ractor::ActorCell {
    supervisor
        .find(id)
        .await
        .expect("the supervisor lives")
        .expect("the child is up")
}

fn panic(cell: &ractor::ActorCell) {
    tell(cell, Do::Panic);
}

fn fail(cell: &ractor::ActorCell) {
    tell(cell, Do::Fail);
}

fn stop(cell: &ractor::ActorCell) {
    cell.stop(None);
}

fn kill(cell: &ractor::ActorCell) {
    cell.kill();
}

#[tokio::test(start_paused = true)]
async fn one_for_one_restarts_the_failed_child_alone() {
    check(Strategy::OneForOne, Restart::Permanent, panic, &["b up"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_for_all_stops_right_to_left_and_starts_left_to_right() {
    check(
        Strategy::OneForAll,
        Restart::Permanent,
        panic,
        &["c down", "a down", "a up", "b up", "c up"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_leaves_those_before_alone() {
    check(
        Strategy::RestForOne,
        Restart::Permanent,
        panic,
        &["c down", "b up", "c up"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn permanent_children_come_back_after_any_end() {
    check(Strategy::OneForOne, Restart::Permanent, fail, &["b up"]).await;
    check(Strategy::OneForOne, Restart::Permanent, kill, &["b up"]).await;
    check(
        Strategy::OneForOne,
        Restart::Permanent,
        stop,
        &["b down", "b up"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn transient_children_come_back_after_an_abnormal_end() {
    check(
        Strategy::RestForOne,
        Restart::Transient,
        panic,
        &["c down", "b up", "c up"],
    )
    .await;
    check(Strategy::OneForOne, Restart::Transient, fail, &["b up"]).await;
    check(Strategy::OneForOne, Restart::Transient, kill, &["b up"]).await;
    check(Strategy::RestForOne, Restart::Transient, stop, &["b down"]).await;
}

#[tokio::test(start_paused = true)]
async fn temporary_children_never_come_back_and_touch_nobody() {
    check(Strategy::OneForAll, Restart::Temporary, panic, &[]).await;
    check(Strategy::OneForAll, Restart::Temporary, kill, &[]).await;
    check(Strategy::OneForAll, Restart::Temporary, stop, &["b down"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_restart_forgets_temporary_children_and_revives_ended_transient_ones() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForAll)
        .child(stage.good("a"))
        .child(stage.good("t").restart(Restart::Temporary))
        .child(stage.good("e").restart(Restart::Transient))
        .start()
        .await
        .expect("all start");
    find(&supervisor, "e").await.stop(None);
    assert_eq!(stage.lines(4).await, ["a up", "t up", "e up", "e down"]);
    stage.clear();

    tell(&find(&supervisor, "a").await, Do::Panic);
    assert_eq!(stage.quiet().await, ["t down", "a up", "e up"]);
    let ids: Vec<_> = supervisor
        .children()
        .await
        .expect("alive")
        .into_iter()
        .map(|child| child.id.to_string())
        .collect();
    assert_eq!(ids, ["a", "e"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_right_to_left() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(stage.good("b"))
        .child(stage.good("c"))
        .start()
        .await
        .expect("all start");
    stage.lines(3).await;
    stage.clear();
    assert_eq!(supervisor.stop().await, supervisors::ExitReason::Shutdown);
    assert_eq!(stage.lines(3).await, ["c down", "b down", "a down"]);
    assert!(matches!(
        supervisor.children().await,
        Err(supervisors::HandleError::Gone)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_bare_ractor_stop_is_orderly_too() {
    let stage = Stage::new();
    let supervisor = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(stage.good("b"))
        .start()
        .await
        .expect("all start");
    supervisor.cell().stop(None);
    supervisor.wait().await;
    assert_eq!(stage.lines(4).await, ["a up", "b up", "b down", "a down"]);
}
