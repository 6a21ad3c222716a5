use std::time::Duration;

use engine::PlayerId;
use proto::v1::watch_session_response::Frame as Wire;
use tokio::time::Instant;
use tokio_stream::StreamExt;

use super::*;
use crate::{
    cluster::Outlook,
    grpc::{
        forward::Ways,
        tests::stage::{Node, TABLE},
        watch::registry::{SLOW_AFTER, WatchId},
    },
    ids::{Seq, TableId},
    table::{
        frame::WatcherId,
        request::{CallError, Order},
    },
};

const ME: PlayerId = PlayerId(1);
const OTHER: PlayerId = PlayerId(2);
const NOWHERE: TableId = TableId(404);
const LIMITS: WatchLimits = WatchLimits {
    queue: 8,
    tables: 2,
    per_player: 2,
};

async fn stage() -> (Node, Watches) {
    let node = Node::start().await;
    node.open(TABLE).await;
    let watches = Watches::new(
        node.tables.clone(),
        Ways::alone(node.tables.count()),
        LIMITS,
    );
    (node, watches)
}

/// The next frame; none comes as an error of the test, not as a hang.
async fn next(stream: &mut SessionStream) -> Result<Wire, Status> {
    let frame = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
    let frame = frame.expect("a frame in time").expect("the stream goes on");
    frame.map(|frame| frame.frame.expect("a frame has content"))
}

async fn opened(stream: &mut SessionStream) {
    let first = next(stream).await.expect("a frame");
    let Wire::Opened(opened) = first else {
        panic!("first comes Opened, not {first:?}")
    };
    assert_eq!(opened.watch_id.parse().map(WatchId), Ok(stream.id()));
}

async fn snapshot(stream: &mut SessionStream) -> u64 {
    let frame = next(stream).await.expect("a frame");
    let Wire::Snapshot(snapshot) = frame else {
        panic!("a snapshot, not {frame:?}")
    };
    snapshot.position.expect("always there").sequence
}

async fn closed(stream: &mut SessionStream, reason: &str, code: Code) {
    let last = next(stream).await.expect("a frame");
    assert_eq!(
        last,
        Wire::Closed(v1::WatchClosed {
            reason: reason.into()
        })
    );
    assert_eq!(
        next(stream).await.expect_err("then the status").code(),
        code
    );
    assert!(stream.next().await.is_none());
}

async fn connected(node: &Node, expected: bool) {
    let holds = |seen: &crate::table::request::TableView| {
        seen.view
            .seats
            .iter()
            .flatten()
            .any(|seat| seat.player == ME && seat.connected == expected)
    };
    node.until(TABLE, &format!("connected is {expected}"), holds)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_then_every_event_once() {
    let (node, watches) = stage().await;
    let mut stream = watches
        .open(ME, Origin::Client(None), vec![(TABLE, None)])
        .expect("opened");
    opened(&mut stream).await;
    let first = snapshot(&mut stream).await;
    let seated = node.sit(TABLE, ME).await.position.seq.0;
    assert!(seated > first);
    for expected in first + 1..=seated {
        let frame = next(&mut stream).await.expect("a frame");
        let Wire::Event(event) = frame else {
            panic!("an event, not {frame:?}")
        };
        assert_eq!(event.position.expect("always there").sequence, expected);
    }
    // Another stream goes on after what this one has seen first.
    let mut resumed = watches
        .open(ME, Origin::Client(None), vec![(TABLE, Some(Seq(first)))])
        .expect("opened");
    opened(&mut resumed).await;
    let frame = next(&mut resumed).await.expect("a frame");
    let Wire::Event(event) = frame else {
        panic!("an event, not {frame:?}")
    };
    assert_eq!(event.position.expect("always there").sequence, first + 1);
}

#[tokio::test(start_paused = true)]
async fn the_table_knows_whether_a_player_has_a_stream() {
    let (node, watches) = stage().await;
    node.sit(TABLE, ME).await;
    let mut one = watches
        .open(ME, Origin::Client(None), vec![(TABLE, None)])
        .expect("opened");
    opened(&mut one).await;
    snapshot(&mut one).await;
    let two = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("opened");
    watches
        .subscribe(ME, two.id(), TABLE, None)
        .await
        .expect("subscribed");
    watches
        .subscribe(ME, two.id(), TABLE, None)
        .await
        .expect("a repeat begins again");
    drop(one);
    connected(&node, true).await;
    drop(two);
    connected(&node, false).await;
    let mut three = watches
        .open(ME, Origin::Client(None), vec![(TABLE, None)])
        .expect("opened");
    opened(&mut three).await;
    snapshot(&mut three).await;
    connected(&node, true).await;
    watches
        .unsubscribe(ME, three.id(), TABLE)
        .expect("unsubscribed");
    watches
        .unsubscribe(ME, three.id(), TABLE)
        .expect("a repeat changes nothing");
    connected(&node, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_its_players_only() {
    let (_node, watches) = stage().await;
    let mine = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("opened");
    let id = mine.id();
    assert_eq!(
        watches.subscribe(OTHER, id, TABLE, None).await,
        Err(WatchError::NotYours)
    );
    assert_eq!(
        watches.unsubscribe(OTHER, id, TABLE),
        Err(WatchError::NotYours)
    );
    let made_up = WatchId(uuid::Uuid::new_v4());
    assert_eq!(
        watches.subscribe(ME, made_up, TABLE, None).await,
        Err(WatchError::NoSuchWatch)
    );
    assert_eq!(watches.subscribe(ME, id, TABLE, None).await, Ok(()));
    drop(mine);
    assert_eq!(
        watches.subscribe(ME, id, TABLE, None).await,
        Err(WatchError::NoSuchWatch)
    );
    assert_eq!(
        watches.unsubscribe(ME, id, TABLE),
        Err(WatchError::NoSuchWatch)
    );
}

#[tokio::test(start_paused = true)]
async fn limits_hold_and_are_given_back() {
    let (node, watches) = stage().await;
    let many = vec![(TABLE, None); LIMITS.tables + 1];
    assert_eq!(
        watches.open(ME, Origin::Client(None), many).err(),
        Some(WatchError::TooManyTables { max: 2 })
    );
    let one = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("opened");
    let two = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("opened");
    assert_eq!(
        watches.open(ME, Origin::Client(None), Vec::new()).err(),
        Some(WatchError::TooManyWatches { max: 2 })
    );
    assert!(
        watches
            .open(OTHER, Origin::Client(None), Vec::new())
            .is_ok(),
        "each player has his own"
    );
    drop(one);
    let _three = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("there is room again");

    for table in [TableId(78), TableId(79)] {
        node.open(table).await;
    }
    let add = |table| watches.subscribe(ME, two.id(), table, None);
    assert_eq!(add(TABLE).await, Ok(()));
    assert_eq!(
        add(NOWHERE).await,
        Err(WatchError::Table(CallError::NoSuchTable(NOWHERE)))
    );
    assert_eq!(add(TableId(78)).await, Ok(()), "what failed takes no room");
    assert_eq!(
        add(TableId(79)).await,
        Err(WatchError::TooManyTables { max: 2 })
    );
    watches
        .unsubscribe(ME, two.id(), TABLE)
        .expect("unsubscribed");
    assert_eq!(add(TableId(79)).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_not_there_shows_as_a_reset() {
    let (_node, watches) = stage().await;
    let mut stream = watches
        .open(
            ME,
            Origin::Client(None),
            vec![(NOWHERE, None), (TABLE, None)],
        )
        .expect("opened");
    opened(&mut stream).await;
    let reset = v1::TableReset {
        table_id: NOWHERE.to_string(),
        reason: "unknown_table".into(),
    };
    assert_eq!(
        next(&mut stream).await.expect("a frame"),
        Wire::Reset(reset)
    );
    snapshot(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_told_so_and_let_go() {
    let (node, watches) = stage().await;
    node.sit(TABLE, ME).await;
    let mut slow = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("opened");
    watches
        .subscribe(ME, slow.id(), TABLE, None)
        .await
        .expect("subscribed");
    connected(&node, true).await;
    for _ in 0..LIMITS.queue {
        node.order(TABLE, ME, Order::SitOut).await.expect("out");
        node.order(TABLE, ME, Order::SitIn { post_now: true })
            .await
            .expect("in");
    }
    let start = Instant::now();
    watches.sweep(start);
    watches.sweep(start + SLOW_AFTER / 2);
    assert_eq!(
        watches.subscribe(ME, slow.id(), TABLE, None).await,
        Ok(()),
        "not yet"
    );
    watches.sweep(start + SLOW_AFTER);
    assert_eq!(
        watches.subscribe(ME, slow.id(), TABLE, None).await,
        Err(WatchError::NoSuchWatch)
    );
    connected(&node, false).await;
    opened(&mut slow).await;
    closed(&mut slow, "slow", Code::ResourceExhausted).await;
}

#[tokio::test(start_paused = true)]
async fn readers_are_left_alone() {
    let (node, watches) = stage().await;
    node.sit(TABLE, ME).await;
    let mut stream = watches
        .open(ME, Origin::Client(None), vec![(TABLE, None)])
        .expect("opened");
    opened(&mut stream).await;
    let mut seen = snapshot(&mut stream).await;
    let mut now = Instant::now();
    for _ in 0..4 * LIMITS.queue {
        node.order(TABLE, ME, Order::SitOut).await.expect("out");
        let done = node
            .order(TABLE, ME, Order::SitIn { post_now: true })
            .await
            .expect("in");
        while seen < done.position.seq.0 {
            let frame = next(&mut stream).await.expect("a frame");
            let Wire::Event(event) = frame else {
                panic!("an event, not {frame:?}")
            };
            seen += 1;
            assert_eq!(event.position.expect("always there").sequence, seen);
        }
        now += SLOW_AFTER;
        watches.sweep(now);
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_says_so() {
    let (node, watches) = stage().await;
    node.sit(TABLE, ME).await;
    let mut stream = watches
        .open(ME, Origin::Client(None), Vec::new())
        .expect("opened");
    watches
        .subscribe(ME, stream.id(), TABLE, None)
        .await
        .expect("subscribed");
    watches.drain();
    opened(&mut stream).await;
    closed(&mut stream, "draining", Code::Unavailable).await;
    assert_eq!(
        watches.open(ME, Origin::Client(None), Vec::new()).err(),
        Some(WatchError::Draining)
    );
    drop(stream);
    connected(&node, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_that_lets_go_ends_the_stream() {
    let (node, watches) = stage().await;
    node.open(TableId(78)).await;
    let mut stream = watches
        .open(
            ME,
            Origin::Client(None),
            vec![(TABLE, None), (TableId(78), None)],
        )
        .expect("opened");
    opened(&mut stream).await;
    snapshot(&mut stream).await;
    snapshot(&mut stream).await;
    let now = Instant::now();
    for _ in 0..3 {
        watches.sweep(now);
    }
    let sweeps_over = tokio::time::timeout(Duration::from_secs(1), stream.next()).await;
    assert!(sweeps_over.is_err(), "all is well: nothing to say");

    // As a table does with a watcher that was too slow: the first watch is number 1.
    node.tables.unwatch(TABLE, WatcherId(1));
    node.until(TABLE, "the table heard of it", |_| true).await;
    watches.sweep(now);
    watches.sweep(now);
    closed(&mut stream, "lost", Code::Unavailable).await;
}

/// A node that is cut off from a table's owner holds nobody who could watch it elsewhere.
#[tokio::test(start_paused = true)]
async fn a_watch_whose_owner_is_not_found_is_let_go() {
    let node = Node::start().await;
    let nobody_known = Ways::new(Outlook::default().routes(&node.tables), None);
    let watches = Watches::new(node.tables.clone(), nobody_known, LIMITS);
    let proof = "Bearer token".parse().expect("a proof");
    let mut stream = watches
        .open(ME, Origin::Client(Some(proof)), vec![(TABLE, None)])
        .expect("opened");
    opened(&mut stream).await;
    let takeover = tokio::time::timeout(Duration::from_secs(9), stream.next()).await;
    assert!(takeover.is_err(), "a failover is waited for");
    closed(&mut stream, "lost", Code::Unavailable).await;
}
