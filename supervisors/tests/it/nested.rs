//! Supervisors under supervisors.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use supervisors::{
    ChildInfo, ChildSpec, DynamicHandle, DynamicSpec, ExitReason, Intensity, Kind, Observer,
    Restart, Shutdown, StartError, Strategy, SupervisorHandle, SupervisorSpec,
};
use tokio::time::Instant;

use crate::stage::{Birth, Death, Do, Stage, tell};

const SECOND: Duration = Duration::from_secs(1);

type Slot = Arc<Mutex<Option<SupervisorHandle>>>;

/// A child supervisor that fails at its second failure in a minute, transient so that only a failure restarts it, and where to find its handle.
fn inner(stage: &Stage, slot: &Slot) -> ChildSpec {
    let spec = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(Intensity::new(1, 60 * SECOND))
        .child(stage.good("x"))
        .child(stage.good("y"));
    let slot = slot.clone();
    ChildSpec::new("inner", move |supervisor| {
        let (spec, slot) = (spec.clone(), slot.clone());
        async move {
            let handle = spec.start_linked(supervisor).await?;
            *slot.lock().expect("not poisoned") = Some(handle.clone());
            Ok(handle)
        }
    })
    .supervisor()
    .restart(Restart::Transient)
}

fn current(slot: &Slot) -> SupervisorHandle {
    slot.lock()
        .expect("not poisoned")
        .clone()
        .expect("it was started")
}

async fn panic_x(slot: &Slot) {
    let x = crate::strategies::find(&current(slot), "x").await;
    tell(&x, Do::Panic);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_gives_up_is_restarted_by_its_own() {
    let (stage, slot) = (Stage::new(), Slot::default());
    let outer = SupervisorSpec::new(Strategy::RestForOne)
        .intensity(Intensity::new(1, 60 * SECOND))
        .child(stage.good("a"))
        .child(inner(&stage, &slot))
        .child(stage.good("b"))
        .start()
        .await
        .expect("all start");
    assert_eq!(stage.lines(4).await, ["a up", "x up", "y up", "b up"]);
    stage.clear();

    panic_x(&slot).await;
    assert_eq!(stage.quiet().await, ["x up"], "within the inner intensity");
    stage.clear();

    panic_x(&slot).await;
    tokio::time::sleep(SECOND).await;
    let first = current(&slot);
    panic_x(&slot).await;
    assert!(matches!(first.wait().await, ExitReason::Failed(_)));
    let expected = ["x up", "y down", "b down", "x up", "y up", "b up"];
    assert_eq!(stage.lines(6).await, expected, "one level up, rest_for_one");
    stage.clear();

    panic_x(&slot).await;
    tokio::time::sleep(SECOND).await;
    panic_x(&slot).await;
    assert!(matches!(outer.wait().await, ExitReason::Failed(text) if text.contains("inner")));
    assert_eq!(
        stage.lines(4).await,
        ["x up", "y down", "b down", "a down"],
        "two levels up, in order"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_the_root_is_in_order_down_to_the_leaves() {
    let (stage, slot) = (Stage::new(), Slot::default());
    let outer = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(inner(&stage, &slot))
        .child(stage.good("b"))
        .start()
        .await
        .expect("all start");
    stage.clear();
    assert_eq!(outer.stop().await, ExitReason::Shutdown);
    assert_eq!(current(&slot).wait().await, ExitReason::Shutdown);
    assert_eq!(
        stage.quiet().await,
        ["b down", "y down", "x down", "a down"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_deep_down_names_the_way() {
    let stage = Stage::new();
    let result = SupervisorSpec::new(Strategy::OneForOne)
        .child(stage.good("a"))
        .child(
            SupervisorSpec::new(Strategy::OneForOne)
                .child(stage.good("x"))
                .child(stage.child("y", |_| Birth::Fails, Death::Fine))
                .into_child("inner"),
        )
        .start()
        .await;
    let StartError::Child { id: outer, error } = result.expect_err("y fails") else {
        panic!("no child")
    };
    let StartError::Child { id: inner, .. } = *error else {
        panic!("no grandchild: {error:?}")
    };
    assert_eq!((outer.as_str(), inner.as_str()), ("inner", "y"));
    assert_eq!(
        stage.quiet().await,
        ["a up", "x up", "y fails", "x down", "a down"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_killed_for_its_slowness_leaves_nobody_behind() {
    let (stage, slot, begin) = (Stage::new(), Slot::default(), Instant::now());
    let spec = SupervisorSpec::new(Strategy::OneForOne).child(
        stage
            .child("x", |_| Birth::Fine, Death::Slow(500 * SECOND))
            .shutdown(Shutdown::Infinity),
    );
    let keep = slot.clone();
    let child = ChildSpec::new("inner", move |supervisor| {
        let (spec, slot) = (spec.clone(), keep.clone());
        async move {
            let handle = spec.start_linked(supervisor).await?;
            *slot.lock().expect("not poisoned") = Some(handle.clone());
            Ok(handle)
        }
    });
    let outer = SupervisorSpec::new(Strategy::OneForOne)
        .child(child.supervisor().shutdown(Shutdown::Timeout(2 * SECOND)))
        .start()
        .await
        .expect("all start");
    let x = crate::strategies::find(&current(&slot), "x").await;
    outer.stop().await;
    assert_eq!(begin.elapsed(), 2 * SECOND);
    assert_eq!(
        x.get_status(),
        ractor::ActorStatus::Stopped,
        "down before its grandparent is"
    );
    assert_eq!(current(&slot).wait().await, ExitReason::Killed);
}

#[tokio::test(start_paused = true)]
async fn a_tree_can_be_looked_at_from_its_root() {
    let (stage, slot) = (Stage::new(), Slot::default());
    let tables: Arc<Mutex<Option<DynamicHandle<u64>>>> = Arc::default();
    let keep = tables.clone();
    let outer = SupervisorSpec::new(Strategy::OneForOne)
        .child(inner(&stage, &slot))
        .child(
            DynamicSpec::new(Restart::Temporary).into_child("tables", move |handle| {
                *keep.lock().expect("not poisoned") = Some(handle);
            }),
        )
        .start()
        .await
        .expect("all start");
    let dynamic = tables
        .lock()
        .expect("not poisoned")
        .clone()
        .expect("started");
    dynamic
        .start_child_from(7, stage.start("t", |_| Birth::Fine, Death::Fine))
        .await
        .expect("starts");
    assert_eq!(
        draw(&outer.observer()).await,
        [
            "inner Supervisor",
            " x Worker",
            " y Worker",
            "tables Supervisor",
            " 7 Worker"
        ]
    );
}

/// Two levels as indented lines.
async fn draw(root: &Observer) -> Vec<String> {
    let line = |child: &ChildInfo<String>| format!("{} {:?}", child.id, child.kind);
    let mut lines = Vec::new();
    for child in root.children().await.expect("alive") {
        lines.push(line(&child));
        let observer = child
            .observer
            .as_ref()
            .filter(|_| child.kind == Kind::Supervisor)
            .expect("a way down");
        let below = observer.children().await.expect("alive");
        lines.extend(below.iter().map(|child| format!(" {}", line(child))));
    }
    lines
}
