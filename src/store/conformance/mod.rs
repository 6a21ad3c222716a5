//! What every store must pass, and the checks that prove the log protocol over it.
//!
//! [`suite`] is for all stores: each check gets a fresh one. [`rivals`] plays owners who fight over one shard, and is also
//! run over the memory store with faults, for hundreds of seeds; its checker is shown red on [`rivals::Defect`]s.
//! `record` writes such a fight down, for the model in `tests/models` to replay. [`patient`] is for stores that lose answers.
//! A check that fails panics with what it expected.

use std::future::Future;
use std::sync::Arc;

use super::Store;
use super::memory::MemoryStore;
use rivals::Ring;

pub mod archive;
pub mod owners;
pub mod patient;
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
    suite_amid(|| async { (make().await, None::<MemoryStore>) }).await;
}

/// The same on stores that misbehave, each with what its faults obey. A store that does not answer every statement is made one
/// that does by [`patient::Patient`].
pub async fn suite_amid<F, M, R>(make: F)
where
    F: Fn() -> M,
    M: Future<Output = (Arc<dyn Store>, R)>,
    R: Ring,
{
    let fresh = || async { make().await.0 };
    statements::cluster_record(&*fresh().await).await;
    statements::shard_row(&*fresh().await).await;
    statements::segment_is_created_once(&*fresh().await).await;
    statements::append_names_everything(&*fresh().await).await;
    statements::seal_is_final(&*fresh().await).await;
    statements::reads_are_bounded(&*fresh().await).await;
    statements::pruned_segment_stays_sealed(&*fresh().await).await;
    statements::shards_are_apart(&*fresh().await).await;
    archive::hands(&*fresh().await).await;
    archive::sessions(&*fresh().await).await;
    archive::scans_see_everything(&*fresh().await).await;
    archive::forgetting_spares_what_is_younger(&*fresh().await).await;
    archive::beats(&*fresh().await).await;
    owners::takeover_reads_everything(fresh().await).await;
    owners::overtaken_owner_is_refused(fresh().await).await;
    owners::rotation_and_pruning(fresh().await).await;
    owners::interrupted_prune_is_swept(fresh().await).await;
    owners::handover_keeps_every_commit(fresh().await).await;
    for seed in 0..SEEDS {
        let (store, ring) = make().await;
        let stores = std::array::from_fn(|_| store.clone());
        let report = rivals::fight(stores, &ring, seed, rivals::Script::quick()).await;
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:?}",
            report.violations
        );
    }
}

/// How many fights every store has to stand. The memory store stands hundreds, with faults.
const SEEDS: u64 = 4;
