//! What every store must pass, and the checks that prove the log protocol over it.
//!
//! [`suite`] is for all stores: each check gets a fresh one. [`rivals`] plays owners who fight over one shard, and is also
//! run over the memory store with faults, for hundreds of seeds; its checker is shown red on [`rivals::Defect`]s.
//! `record` writes such a fight down, for the model in `tests/models` to replay.
//! A check that fails panics with what it expected.

use std::future::Future;
use std::sync::Arc;

use super::Store;

pub mod archive;
pub mod owners;
#[cfg(feature = "conformance")]
pub mod record;
pub mod rivals;
pub mod statements;
#[cfg(test)]
mod tests;

/// Runs every check, each on a store that `make` has just made.
pub async fn suite<F, M>(make: F)
where
    F: Fn() -> M,
    M: Future<Output = Arc<dyn Store>>,
{
    statements::cluster_record(&*make().await).await;
    statements::shard_row(&*make().await).await;
    statements::segment_is_created_once(&*make().await).await;
    statements::append_names_everything(&*make().await).await;
    statements::seal_is_final(&*make().await).await;
    statements::reads_are_bounded(&*make().await).await;
    statements::pruned_segment_stays_sealed(&*make().await).await;
    statements::shards_are_apart(&*make().await).await;
    archive::hands(&*make().await).await;
    archive::sessions(&*make().await).await;
    archive::scans_see_everything(&*make().await).await;
    archive::forgetting_spares_what_is_younger(&*make().await).await;
    archive::beats(&*make().await).await;
    owners::takeover_reads_everything(make().await).await;
    owners::overtaken_owner_is_refused(make().await).await;
    owners::rotation_and_pruning(make().await).await;
    owners::interrupted_prune_is_swept(make().await).await;
    owners::handover_keeps_every_commit(make().await).await;
    for seed in 0..SEEDS {
        let stores = make().await;
        let report = rivals::play(stores, None, seed, rivals::Script::quick()).await;
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:?}",
            report.violations
        );
    }
}

/// How many fights every store has to stand. The memory store stands hundreds, with faults.
const SEEDS: u64 = 4;
