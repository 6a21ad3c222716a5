//! What the handle of a static supervisor does.

use std::time::Duration;

use supervisors::{
    Backoff, ChildState, HandleError, Kind, Restart, StartError, Strategy, SupervisorHandle,
    SupervisorSpec,
};

use crate::stage::{Birth, Death, Do, Stage, tell};
use crate::strategies::find;

async fn start(stage: &Stage, strategy: Strategy) -> SupervisorHandle {
    SupervisorSpec::new(strategy)
        .backoff(Backoff::new(Duration::from_secs(5), Duration::from_secs(5)))
        .child(stage.good("a"))
        .child(stage.good("b").restart(Restart::Transient))
        .start()
        .await
        .expect("all start")
}

async fn states(supervisor: &SupervisorHandle) -> Vec<(String, ChildState)> {
    let children = supervisor.children().await.expect("alive");
    children
        .into_iter()
        .map(|child| (child.id.to_string(), child.state))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn children_tells_who_is_there() {
    let stage = Stage::new();
    let supervisor = start(&stage, Strategy::OneForOne).await;
    let children = supervisor.children().await.expect("alive");
    assert_eq!(children.len(), 2);
    for (child, id) in children.iter().zip(["a", "b"]) {
        let cell = find(&supervisor, id).await;
        assert_eq!(child.id.as_str(), id);
        assert_eq!(
            (child.actor, child.state),
            (Some(cell.get_id()), ChildState::Running)
        );
        assert_eq!((child.restarts, child.kind), (0, Kind::Worker));
    }
}

#[tokio::test(start_paused = true)]
async fn a_terminated_child_stays_down_until_it_is_restarted_or_deleted() {
    let stage = Stage::new();
    let supervisor = start(&stage, Strategy::OneForAll).await;
    stage.clear();
    supervisor.terminate_child("a").await.expect("known");
    assert_eq!(
        stage.quiet().await,
        ["a down"],
        "not restarted, nor the others with it"
    );
    assert_eq!(
        states(&supervisor).await[0],
        ("a".to_owned(), ChildState::Stopped)
    );
    assert!(supervisor.find("a").await.expect("known").is_none());
    supervisor
        .terminate_child("a")
        .await
        .expect("it is down already");

    supervisor.restart_child("a").await.expect("starts");
    assert_eq!(stage.quiet().await, ["a down", "a up"]);
    assert!(matches!(
        supervisor.restart_child("a").await,
        Err(HandleError::StillRunning(_))
    ));
    assert!(matches!(
        supervisor.delete_child("a").await,
        Err(HandleError::StillRunning(_))
    ));

    supervisor.terminate_child("a").await.expect("known");
    supervisor.delete_child("a").await.expect("it is down");
    assert!(matches!(
        supervisor.terminate_child("a").await,
        Err(HandleError::UnknownChild(_))
    ));
    assert_eq!(
        states(&supervisor).await,
        [("b".to_owned(), ChildState::Running)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_terminated_temporary_child_is_forgotten() {
    let stage = Stage::new();
    let supervisor = start(&stage, Strategy::OneForOne).await;
    supervisor
        .start_child(stage.good("t").restart(Restart::Temporary))
        .await
        .expect("starts");
    supervisor.terminate_child("t").await.expect("known");
    assert_eq!(states(&supervisor).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_child_is_added_at_the_right_end_or_not_at_all() {
    let stage = Stage::new();
    let supervisor = start(&stage, Strategy::OneForOne).await;
    let cell = supervisor
        .start_child(stage.good("c"))
        .await
        .expect("starts");
    assert_eq!(find(&supervisor, "c").await, cell);
    assert!(matches!(
        supervisor.start_child(stage.good("c")).await,
        Err(HandleError::AlreadyPresent(_))
    ));
    let bad = stage.child("d", |_| Birth::Fails, Death::Fine);
    let error = supervisor.start_child(bad).await.expect_err("fails");
    assert!(
        matches!(error, HandleError::Start(StartError::Spawn(_))),
        "{error:?}"
    );
    let ids: Vec<_> = states(&supervisor)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
    stage.clear();
    supervisor.stop().await;
    assert_eq!(stage.lines(3).await, ["c down", "b down", "a down"]);
}

#[tokio::test(start_paused = true)]
async fn two_children_of_one_id_are_refused() {
    let stage = Stage::new();
    let spec = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(stage.good("a"));
    assert!(matches!(spec.start().await, Err(StartError::DuplicateChild(id)) if id == "a"));
    assert!(stage.quiet().await.is_empty(), "nothing was started");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_waits_for_its_restart_can_be_terminated() {
    let stage = Stage::new();
    let supervisor = start(&stage, Strategy::OneForOne).await;
    let cell = find(&supervisor, "b").await;
    tell(&cell, Do::Panic);
    cell.wait(None).await.expect("it ends");
    assert!(matches!(
        supervisor.restart_child("b").await,
        Err(HandleError::Restarting(_))
    ));
    supervisor.terminate_child("b").await.expect("known");
    assert_eq!(
        stage.quiet().await,
        ["a up", "b up"],
        "the timer found nobody who waits"
    );
    supervisor.restart_child("b").await.expect("starts");
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_up_between_the_members_of_a_group_that_is_down() {
    for (strategy, refused) in [
        (Strategy::OneForOne, false),
        (Strategy::RestForOne, true),
        (Strategy::OneForAll, true),
    ] {
        let stage = Stage::new();
        let supervisor = start(&stage, strategy).await;
        let cell = find(&supervisor, "a").await;
        tell(&cell, Do::Panic);
        cell.wait(None).await.expect("it ends");
        let result = supervisor.start_child(stage.good("c")).await;
        assert_eq!(
            matches!(result, Err(HandleError::Restarting(_))),
            refused,
            "{strategy:?} {result:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_supervisor_takes_its_children_along() {
    let stage = Stage::new();
    let supervisor = start(&stage, Strategy::OneForOne).await;
    let child = find(&supervisor, "a").await;
    supervisor.cell().kill();
    assert_eq!(supervisor.wait().await, supervisors::ExitReason::Killed);
    child.wait(None).await.expect("it ends");
    assert_eq!(
        stage.quiet().await,
        ["a up", "b up"],
        "ractor kills them without post_stop"
    );
}
