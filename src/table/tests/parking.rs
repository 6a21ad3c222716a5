//! A table that fails again and again is parked; its shard lives, and an operator goes on (R25).

use super::*;
use crate::table::{Standing, fault::Fault};

/// Another table of the same shard.
fn neighbour() -> TableId {
    let shards = ShardCount::new(2).expect("not zero");
    let shard = crate::ids::ShardId::of(TABLE, shards);
    (1..)
        .map(TableId)
        .find(|table| crate::ids::ShardId::of(*table, shards) == shard)
        .expect("half of all are")
}

async fn parked(node: &Node) {
    for _ in 0..1_000 {
        let answer = node.tables.view(TABLE, Viewer::Spectator).await;
        if matches!(answer, Err(CallError::Parked)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the table is not parked");
}

async fn node_with_a_bad_table(store: &Arc<MemoryStore>) -> Node {
    let node = node(store.clone(), 1).await;
    node.open().await;
    node.play_to(3).await;
    node.act().await;
    node.tables.put_fault(TABLE, Fault::PanicAlways);
    parked(&node).await;
    node
}

#[tokio::test(start_paused = true)]
async fn a_bad_table_is_parked_and_its_shard_lives() {
    let store = Arc::new(MemoryStore::new());
    let node = node_with_a_bad_table(&store).await;
    let shown = node
        .tables
        .admin_list(Some(Standing::Parked))
        .await
        .expect("a list");
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (shown[0].standing, shown[0].restarts),
        (Standing::Parked, 3)
    );
    assert!(
        shown[0].reason.contains("a fault was put"),
        "{}",
        shown[0].reason
    );

    let new = NewTable {
        table: neighbour(),
        name: "neighbour".into(),
        settings: Arc::new(settings()),
    };
    node.tables
        .create(new)
        .await
        .expect("its shard opens tables");
    let seen = node.tables.view(neighbour(), Viewer::Spectator).await;
    assert_eq!(
        seen.expect("it answers").position.epoch.0,
        1,
        "no new takeover"
    );

    // It stays parked when its shard restarts.
    let shard = crate::ids::ShardId::of(TABLE, ShardCount::new(2).expect("not zero"));
    let log = node.tables.shards()[usize::from(shard.0)].log.find();
    log.expect("a log").kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    parked(&node).await;

    node.tables.put_fault(TABLE, Fault::None);
    node.tables.resume(TABLE).await.expect("it was parked");
    node.play_to(6).await;
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_voids_the_hand_of_a_table_that_cannot_even_start() {
    let store = Arc::new(MemoryStore::new());
    let node = node_with_a_bad_table(&store).await;
    let void = |hand| node.tables.void(TABLE, hand, "support case 7".into());
    let rule = |answer: Result<(), CallError>| match answer {
        Err(CallError::Refused { rule, .. }) => rule,
        Ok(()) | Err(_) => "not refused",
    };
    assert_eq!(rule(void(HandNo(99)).await), "NoSuchHand");
    void(HandNo(3))
        .await
        .expect("voided, though its actor fails");
    parked(&node).await;
    assert_eq!(rule(void(HandNo(3)).await), "NoSuchHand", "not twice");
    node.tables.put_fault(TABLE, Fault::None);
    node.tables.resume(TABLE).await.expect("it was parked");
    let seen = node.look().await.view;
    let open = seen.hand.as_ref().map(|hand| hand.hand);
    assert!(open.is_none() || open > Some(HandNo(3)));
    let chips = node.tables.totals().await.expect("totals").sums;
    assert_eq!(chips.on_tables + chips.rake, 30_000);
    node.play_to(6).await;
    assert_eq!(rule(void(HandNo(6)).await), "NotParked");
    assert_eq!(rule(node.tables.resume(TABLE).await), "NotParked");
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_table_that_fails_once_goes_on() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store, 1).await;
    node.open().await;
    for hands in 2..12 {
        node.tables.put_fault(TABLE, Fault::PanicOnce);
        node.play_to(hands).await;
    }
    assert!(node.tables.totals().await.expect("totals").restarts >= 5);
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_is_restarted_alone_finds_the_tables_that_are_up() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store, 1).await;
    node.open().await;
    let shard = crate::ids::ShardId::of(TABLE, ShardCount::new(2).expect("not zero"));
    for hands in 2..8 {
        node.play_to(hands).await;
        let desk = node.tables.shards()[usize::from(shard.0)].desk.find();
        desk.expect("a desk").kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let seen = node.look().await;
    assert_eq!(seen.position.epoch.0, 1, "no new takeover");
    let shown = node.tables.admin_list(None).await.expect("a list");
    assert_eq!((shown[0].standing, shown[0].restarts), (Standing::Awake, 0));
    node.tree.stop().await;
}
