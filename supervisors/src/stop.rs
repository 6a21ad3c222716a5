//! Stopping children: ask, wait, kill, and wait again.

use std::time::Duration;

use ractor::ActorCell;
use tokio::time::Instant;

use crate::exit::{ExitReason, SHUTDOWN};
use crate::spec::Shutdown;

/// How long a killed actor is waited for. A kill takes effect at the actor's next await, so only code that blocks its thread
/// takes longer; waiting for that without limit would make one bad child stop the whole tree.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// Stops one child and returns when it is down, by the rules of its spec.
pub(crate) async fn stop(child: &ActorCell, shutdown: Shutdown) -> ExitReason {
    stop_together(std::slice::from_ref(child), shutdown).await
}

/// Stops children side by side, each with the whole time. `Killed` if one of them had to be.
pub(crate) async fn stop_together(children: &[ActorCell], shutdown: Shutdown) -> ExitReason {
    let limit = match shutdown {
        Shutdown::BrutalKill => {
            kill(children).await;
            return ExitReason::Killed;
        }
        Shutdown::Timeout(limit) => Some(limit),
        Shutdown::Infinity => None,
    };
    for child in children {
        child.stop(Some(SHUTDOWN.to_owned()));
    }
    let late = not_down_within(children, limit).await;
    if late.is_empty() {
        return ExitReason::Shutdown;
    }
    tracing::warn!(
        late = late.len(),
        "children did not stop in time, killing them"
    );
    kill(&late).await;
    ExitReason::Killed
}

/// The children of an actor in the order in which they were spawned; ractor's own order changes from run to run.
pub(crate) fn in_order(actor: &ActorCell) -> Vec<ActorCell> {
    let mut children = actor.get_children();
    children.sort_unstable_by_key(ActorCell::get_id);
    children
}

/// Kills these actors and all below them, and waits for all: ractor's kill reaches descendants but waits for none, and a
/// restart must not meet what is left of its predecessor.
async fn kill(actors: &[ActorCell]) {
    let mut all = actors.to_vec();
    let mut next = 0;
    while next < all.len() {
        let below = in_order(&all[next]);
        all.extend(below);
        next += 1;
    }
    for actor in &all {
        actor.kill();
    }
    for survivor in not_down_within(&all, Some(KILL_GRACE)).await {
        tracing::error!(actor = %survivor.get_id(), "blocks its thread and survived a kill; going on without it");
    }
}

async fn not_down_within(actors: &[ActorCell], limit: Option<Duration>) -> Vec<ActorCell> {
    let start = Instant::now();
    let mut late = Vec::new();
    for actor in actors {
        let left = limit.map(|limit| limit.saturating_sub(start.elapsed()));
        if actor.wait(left).await.is_err() {
            late.push(actor.clone());
        }
    }
    late
}
