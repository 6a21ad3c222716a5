//! A table of a game that the release before does not know is opened only once the cluster's record allows it.

use super::*;
use crate::table::level::{self, Level};

async fn level_of(store: &MemoryStore) -> u32 {
    let record = store.cluster().await.expect("an answer");
    record.expect("it was made").feature_level
}

/// Tables that need it.
fn of_a_game() -> [Settings; 3] {
    let [mut omaha, mut twice, mut moving] = [(); 3].map(|()| settings());
    omaha.game.variant = engine::Variant::Omaha4;
    twice.game.run_twice = true;
    moving.button = engine::ButtonRule::Moving;
    [omaha, twice, moving]
}

async fn open(node: &Node, table: u128, settings: Settings) -> Result<(), CallError> {
    let new = NewTable {
        table: TableId(table),
        name: "level".into(),
        settings: Arc::new(settings),
    };
    node.tables.create(new).await
}

fn refused(answer: Result<(), CallError>) -> bool {
    matches!(answer, Err(CallError::Refused { rule: "FeatureLevel", text }) if text.contains("--raise"))
}

#[tokio::test]
async fn a_cluster_waits_until_its_level_is_raised() {
    let store = recorded(1).await;
    let level = Level::default();
    let allow = |settings: &Settings| {
        let (level, store, needed) = (level.clone(), store.clone(), level::needed(settings));
        async move { level.allow(needed, &*store, false).await }
    };
    allow(&settings()).await.expect("plain Hold'em");
    for settings in of_a_game() {
        assert!(refused(allow(&settings).await));
    }
    assert_eq!(level_of(&store).await, 1, "nobody raised it");
    let raised = store.raise_feature_level(1, level::KNOWN).await;
    assert_eq!(raised.expect("an answer"), Cas::Applied);
    // The node hears of it without a restart.
    for settings in of_a_game() {
        allow(&settings).await.expect("allowed now");
    }
}

#[tokio::test]
async fn a_store_without_a_record_allows_nothing_new() {
    let store = MemoryStore::new();
    let [omaha, ..] = of_a_game();
    for alone in [false, true] {
        let level = Level::default();
        let allowed = level.allow(level::needed(&omaha), &store, alone).await;
        assert!(refused(allowed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_alone_raises_it_when_it_needs_to() {
    let store = recorded(1).await;
    let node = node(store.clone(), 1).await;
    open(&node, 1, settings()).await.expect("plain Hold'em");
    assert_eq!(level_of(&store).await, 1, "an upgrade can be taken back");
    let [omaha, ..] = of_a_game();
    open(&node, 2, omaha).await.expect("it is alone");
    assert_eq!(level_of(&store).await, level::KNOWN);
    node.tree.stop().await;
}
