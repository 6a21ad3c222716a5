//! Many tables in few shards.

use super::*;

const TABLES: u128 = 10_000;

#[tokio::test(start_paused = true)]
async fn ten_thousand_tables_are_there_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let options = Options {
        log: LogOptions::default(),
        shard_queue: 10_000,
        ..options()
    };
    let first = node_with(store.clone(), 1, options.clone()).await;
    let shared = Arc::new(settings());
    let mut opening = tokio::task::JoinSet::new();
    for n in 0..TABLES {
        let (tables, settings) = (first.tables.clone(), Arc::clone(&shared));
        opening.spawn(async move {
            let name = format!("table {n}").into();
            let table = TableId(1_000 + n);
            let new = NewTable {
                table,
                name,
                settings,
            };
            tables.create(new).await
        });
    }
    for opened in opening.join_all().await {
        opened.expect("opened");
    }
    first.open().await;
    first.play_to(2).await;
    let before = first.look().await;
    first.tree.stop().await;

    let second = node_with(store, 2, options).await;
    let totals = second.tables.totals().await.expect("totals");
    // And the one that is played at.
    assert_eq!(totals.sums.tables, TABLES as u64 + 1);
    assert_eq!(totals.sums.chips_in, 30_000);
    assert_eq!(totals.sums.asleep, TABLES as u64);
    let listed = second.tables.list(None, 20_000, false).await;
    assert_eq!(listed.expect("a list").len() as u128, TABLES + 1);
    assert_eq!(second.look().await.view, before.view);
    second.tree.stop().await;
}
