//! Streams end with their owner: a takeover leaves nobody connected who has no stream here, and gives the time for one (R18).

use tokio::sync::mpsc;

use super::*;
use crate::table::frame::{Frame, WatcherId};

const ACTION: Duration = Duration::from_millis(1_000);
/// By when whoever comes back has come back.
const BACK: Duration = Duration::from_secs(3);
const RECONNECT: Duration = Duration::from_millis(5_000);

/// A table whose players get time to reconnect, with a hand that waits for one of them.
async fn playing(store: Arc<MemoryStore>, action: Duration) -> Node {
    let node = node(store, 1).await;
    let mut settings = settings();
    settings.clock.action_ms = u32::try_from(action.as_millis()).expect("short");
    settings.clock.reconnect_ms = u32::try_from(RECONNECT.as_millis()).expect("short");
    let new = NewTable {
        table: TABLE,
        name: "R18".into(),
        settings: Arc::new(settings),
    };
    node.tables.create(new).await.expect("opened");
    for player in 1..=3 {
        let order = Order::Sit {
            seat: None,
            name: format!("player {player}").into(),
            buy_in: 10_000,
            post_now: true,
        };
        node.order(player, order).await.expect("seated");
    }
    node.turn().await;
    node
}

/// A stream of this player at the table.
async fn stream(node: &Node, player: u128) -> mpsc::Receiver<Frame> {
    let (queue, frames) = mpsc::channel(1_000);
    let (watcher, me) = (WatcherId(player as u64), PlayerId(player));
    let viewer = Viewer::Player(me);
    let watched = node.tables.watch(TABLE, watcher, viewer, None, queue).await;
    watched.expect("watched");
    let told = node.tables.presence(TABLE, me, true).await;
    told.expect("noted");
    frames
}

async fn connected(node: &Node) -> Vec<u128> {
    let seats = node.look().await.view.seats;
    let connected = seats.iter().flatten().filter(|seat| seat.connected);
    connected.map(|seat| seat.player.0).collect()
}

#[tokio::test(start_paused = true)]
async fn who_has_no_stream_here_gets_the_time_to_reconnect() {
    let store = Arc::new(MemoryStore::new());
    let first = playing(store.clone(), ACTION).await;
    let (_, before, player) = first.turn().await;
    let streams = [stream(&first, 1).await, stream(&first, 2).await];
    assert_eq!(connected(&first).await, [1, 2, 3]);
    first.tree.stop().await;
    drop(streams);

    let second = node(store, 2).await;
    let other = 1 + player.0 % 3;
    let _stream = stream(&second, other).await;
    assert_eq!(connected(&second).await, [1, 2, 3], "they may come back");
    let turn = async || second.turn().await.1.turn;
    tokio::time::sleep(ACTION + RECONNECT - Duration::from_millis(500)).await;
    assert_eq!(turn().await, before.turn, "he is still waited for");
    assert_eq!(connected(&second).await, [other]);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(turn().await, before.turn, "now by his time bank");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_ne!(turn().await, before.turn);
    second.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_come_back_is_told_to_the_others() {
    let store = Arc::new(MemoryStore::new());
    let first = playing(store.clone(), 20 * BACK).await;
    let before = first.turn().await.1.turn;
    first.tree.stop().await;

    let second = node(store, 2).await;
    let _stream = stream(&second, 2).await;
    tokio::time::sleep(BACK - Duration::from_millis(500)).await;
    assert_eq!(connected(&second).await, [1, 2, 3]);
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(connected(&second).await, [2]);
    let _another = stream(&second, 1).await;
    assert_eq!(connected(&second).await, [1, 2]);
    assert_eq!(second.turn().await.1.turn, before);
    second.tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn streams_that_outlive_a_log_stay() {
    let node = playing(Arc::new(MemoryStore::new()), 20 * BACK).await;
    let mut frames = Vec::new();
    for player in 1..=3 {
        frames.push(stream(&node, player).await);
    }
    let before = node.look().await.position;
    let shard = crate::ids::ShardId::of(TABLE, ShardCount::new(2).expect("not zero"));
    let log = node.tables.shards()[usize::from(shard.0)].log.find();
    log.expect("a log").kill();
    let taken_over = async {
        while node.look().await.position.epoch == before.epoch {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), taken_over).await;
    in_time.expect("the log is started again");
    tokio::time::sleep(2 * BACK).await;
    assert_eq!(connected(&node).await, [1, 2, 3]);
    assert_eq!(node.look().await.position.seq, before.seq, "nothing to say");
    node.tree.stop().await;
}
