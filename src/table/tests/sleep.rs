//! A table with nothing to do sleeps, and wakes as it was.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_table_sleeps_and_wakes_as_it_was() {
    let store = Arc::new(MemoryStore::new());
    let node = node(store, 1).await;
    node.open().await;
    node.play_to(3).await;
    node.sit_all_out().await;
    while node.look().await.view.hand.is_some() {
        node.act().await;
    }
    let before = node.look().await;
    assert_eq!(node.tables.totals().await.expect("totals").live, 1);

    tokio::time::sleep(Duration::from_secs(200)).await;
    let asleep = node.tables.totals().await.expect("totals");
    assert_eq!((asleep.live, asleep.sums.asleep), (0, 1));

    let after = node.look().await;
    assert_eq!(after.position, before.position);
    assert_eq!(after.view, before.view);
    assert_eq!(node.tables.totals().await.expect("totals").live, 1);
    for player in 1..=3 {
        let order = Order::SitIn { post_now: true };
        node.order(player, order).await.expect("they sit in again");
    }
    node.play_to(6).await;
    node.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_table_with_an_open_turn_does_not_sleep() {
    let store = Arc::new(MemoryStore::new());
    let options = Options {
        sleep_after: Duration::from_millis(1),
        ..options()
    };
    let node = node_with(store, 1, options).await;
    node.open().await;
    node.play_to(20).await;
    node.turn().await;
    assert_eq!(node.tables.totals().await.expect("totals").live, 1);
    node.tree.stop().await;
}
