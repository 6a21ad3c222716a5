//! Forgets archived hands that are older than the configuration keeps them, as a child of the node.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{ChildSpec, StartFn};
use tokio::time::Duration;

use super::setup::wall_ms;
use crate::{keep::retention, store::Store};

/// The actor. Where the store forgets by itself it finds nothing to do.
pub(super) struct Retention;

/// It is time for a step.
pub(super) struct Due;

impl Message for Due {}

pub(super) struct Kept {
    store: Arc<dyn Store>,
    days: u32,
}

impl Retention {
    pub(super) fn child(store: Arc<dyn Store>, days: u32) -> ChildSpec {
        let start = StartFn::actor(move || (Retention, (Arc::clone(&store), days)));
        ChildSpec::from_start("retention", start)
    }
}

impl Actor for Retention {
    type Msg = Due;
    type State = Kept;
    type Arguments = (Arc<dyn Store>, u32);

    async fn pre_start(
        &self,
        myself: ActorRef<Due>,
        (store, days): Self::Arguments,
    ) -> Result<Kept, ActorProcessingErr> {
        myself.cast(Due)?;
        Ok(Kept { store, days })
    }

    async fn handle(
        &self,
        myself: ActorRef<Due>,
        Due: Due,
        kept: &mut Kept,
    ) -> Result<(), ActorProcessingErr> {
        let pause = match retention::step(&*kept.store, kept.days, wall_ms()).await {
            Ok(retention::HANDS_A_STEP..) => BETWEEN_STEPS,
            Ok(_) => BETWEEN_ROUNDS,
            // Nothing is lost by hands that are kept longer.
            Err(error) => {
                tracing::warn!(%error, "old hands not forgotten yet");
                BETWEEN_ROUNDS
            }
        };
        drop(myself.send_after(pause, || Due));
        Ok(())
    }
}

/// Players' commits come first.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);
const BETWEEN_ROUNDS: Duration = Duration::from_secs(600);
