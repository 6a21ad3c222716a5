//! Take, pull, hand over, give up. Each runs beside the steward and ends with a message.

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;
use supervisors::HandleError;
use tokio::sync::oneshot;

use super::{Branches, StewardMsg, StewardState, answer, tell};
use crate::{
    cluster::{
        fabric::{Answer, Ask},
        peer::{NodeName, Peer},
    },
    ids::{Epoch, ShardId},
    store::SegmentKey,
    table::shard::{
        Shard,
        log::Handover,
        tenure::{Grant, Phase},
    },
};

impl StewardState {
    /// Shards that are said to be somewhere on their way here, and have no branch: the supervisor of the branches was
    /// restarted before this steward.
    pub(super) async fn sweep(&mut self) {
        let children = match self.options.branches.find() {
            Some(branches) => branches.children().await.unwrap_or_default(),
            None => Vec::new(),
        };
        for shard in self.options.tables.shards() {
            let runs = children.iter().any(|child| child.id == shard.id);
            if !runs && shard.tenure.phase() != Phase::Away {
                shard.closed();
            }
        }
        // What an earlier steward said is said anew, or taken back.
        for shard in self.options.tables.shards() {
            self.options.registry.retract(shard.id);
        }
    }

    pub(super) fn look_up(&mut self, myself: &ActorRef<StewardMsg>, shard: ShardId) {
        self.begin(shard);
        let (store, myself) = (Arc::clone(&self.options.store), myself.clone());
        self.spawn(async move {
            let row = match tokio::time::timeout(LOOK_UP_MAX, store.shard(shard)).await {
                Ok(row) => row,
                Err(elapsed) => Err(crate::store::StoreError::Unavailable {
                    statement: crate::store::Statement::Shard,
                    source: elapsed.into(),
                }),
            };
            tell(&myself, StewardMsg::LookedUp(shard, row));
        });
    }

    pub(super) fn take(&mut self, myself: &ActorRef<StewardMsg>, id: ShardId) {
        let Some(shard) = self.shard(id) else { return };
        self.begin(id);
        let (branches, myself) = (self.options.branches.clone(), myself.clone());
        tracing::info!(shard = %id, "taking a shard over");
        self.spawn(async move {
            start(&branches, &shard, Grant::TakeOver).await;
            tell(&myself, StewardMsg::Over(id));
        });
    }

    pub(super) fn grant(&mut self, id: ShardId) {
        if let Some(shard) = self.shard(id) {
            shard.grant(Grant::TakeOver);
        }
    }

    pub(super) fn give_up(&mut self, myself: &ActorRef<StewardMsg>, id: ShardId) {
        let Some(shard) = self.shard(id) else { return };
        self.begin(id);
        let (branches, myself) = (self.options.branches.clone(), myself.clone());
        tracing::info!(shard = %id, "another node has the shard");
        self.spawn(async move {
            stop(&branches, &shard).await;
            tell(&myself, StewardMsg::Over(id));
        });
    }

    /// Wins an epoch, has the owner seal in its favour, and goes on from there.
    pub(super) fn pull(&mut self, myself: &ActorRef<StewardMsg>, id: ShardId, from: &NodeName) {
        let owner = self.views.get(&id).and_then(|view| view.owner());
        let Some(owner) = owner.filter(|herald| herald.peer.name == *from) else {
            return;
        };
        let (owner, Some(shard)) = (owner.peer.clone(), self.shard(id)) else {
            return;
        };
        self.begin(id);
        self.pulling += 1;
        let (options, myself) = (self.options.clone(), myself.clone());
        self.spawn(async move {
            let done = pull(&options, &shard, &owner).await;
            tracing::info!(shard = %id, from = %owner.name, done, "asked for a shard");
            tell(&myself, StewardMsg::Pulled(id, done));
        });
    }

    /// Another node asks for a shard.
    pub(super) fn hand_over(
        &mut self,
        myself: &ActorRef<StewardMsg>,
        id: ShardId,
        (epoch, k): (Epoch, u32),
        reply: oneshot::Sender<Answer>,
    ) {
        let shard = self.shard(id).filter(|shard| {
            let busy = self.views.get(&id).is_none_or(|view| view.busy);
            // A lower epoch cannot follow a higher one along the chain.
            !busy && matches!(shard.tenure.phase(), Phase::Here(mine) if mine < epoch)
        });
        let Some(shard) = shard else {
            return answer(reply, Answer::StillHere);
        };
        self.begin(id);
        let (branches, myself) = (self.options.branches.clone(), myself.clone());
        self.spawn(async move {
            match shard.hand_over(SegmentKey { epoch, k }).await {
                Handover::Done => {
                    answer(reply, Answer::HandedOver);
                    stop(&branches, &shard).await;
                }
                Handover::StillHere => answer(reply, Answer::StillHere),
                // Its log waits now, and is judged like any that ended.
                Handover::Unknown => answer(reply, Answer::Unknown),
            }
            tell(&myself, StewardMsg::Over(id));
        });
    }

    pub(super) fn over(&mut self, shard: ShardId) {
        if let Some(view) = self.views.get_mut(&shard) {
            view.busy = false;
        }
    }

    /// Whether nothing is left to give away, or nobody is there who could take it.
    pub(super) fn is_empty(&self) -> bool {
        let nobody = !self
            .peers
            .values()
            .any(|about| about.status.as_ref().is_some_and(|status| !status.draining));
        let none = self
            .options
            .tables
            .shards()
            .iter()
            .all(|shard| matches!(shard.tenure.phase(), Phase::Away));
        nobody || none
    }

    fn begin(&mut self, shard: ShardId) {
        if let Some(view) = self.views.get_mut(&shard) {
            view.busy = true;
        }
    }

    fn shard(&self, id: ShardId) -> Option<Arc<Shard>> {
        self.options.tables.shards().get(usize::from(id.0)).cloned()
    }
}

async fn pull(options: &super::StewardOptions, shard: &Arc<Shard>, owner: &Peer) -> bool {
    let claim = match tokio::time::timeout(CLAIM_MAX, shard.claim()).await {
        Ok(Ok(claim)) => claim,
        Ok(Err(error)) => {
            tracing::debug!(shard = %shard.id, %error, "no claim");
            return false;
        }
        Err(_elapsed) => return false,
    };
    let SegmentKey { epoch, k } = claim.segment();
    let ask = Ask::HandOver {
        shard: shard.id,
        epoch,
        k,
    };
    match options.fabric.ask(owner, ask, HAND_OVER_MAX).await {
        Ok(Answer::HandedOver) => {
            start(&options.branches, shard, Grant::Complete(Box::new(claim))).await;
            true
        }
        // If it did seal and could not say so, the shard becomes vacant with this node as its last owner.
        Ok(Answer::StillHere | Answer::Unknown | Answer::Status(_)) => false,
        Err(error) => {
            tracing::info!(shard = %shard.id, %error, "a shard was not handed over");
            false
        }
    }
}

async fn start(branches: &Branches, shard: &Arc<Shard>, grant: Grant) {
    let Some(supervisor) = branches.find() else {
        return;
    };
    shard.tenure.grant(grant);
    match supervisor.start_child_from(shard.id, shard.start()).await {
        Ok(_) => {}
        Err(HandleError::AlreadyPresent(_)) => {
            tracing::warn!(shard = %shard.id, "its branch is there already; ending it");
            stop(branches, shard).await;
        }
        Err(error) => {
            tracing::error!(shard = %shard.id, %error, "a shard's branch does not start");
            shard.closed();
        }
    }
}

async fn stop(branches: &Branches, shard: &Arc<Shard>) {
    if let Some(supervisor) = branches.find() {
        match supervisor.terminate_child(shard.id).await {
            Ok(()) | Err(HandleError::UnknownChild(_)) => {}
            Err(error) => tracing::error!(shard = %shard.id, %error, "a branch does not end"),
        }
    }
    shard.closed();
}

/// A read takes milliseconds; a store that is away is asked again.
const LOOK_UP_MAX: Duration = Duration::from_secs(2);
/// Three conditional statements.
const CLAIM_MAX: Duration = Duration::from_secs(3);
/// A commit in flight, and a seal.
const HAND_OVER_MAX: Duration = Duration::from_secs(3);
