//! The stream is kept open, resumed, and never believed when something is missing.

use proto::v1;
use proto::v1::watch_session_response::Frame;

use super::testing::{
    Script, TABLE, ended, event_frame, quick, snapshot_frame, started, turn, view,
};
use super::track::At;
use super::watch::{Update, Watch, WatchOptions};

/// The updates as short words.
async fn updates(script: &Script, count: usize) -> Vec<String> {
    let player = script.player().await;
    let options = WatchOptions {
        backoff: quick(),
        ..WatchOptions::default()
    };
    let mut watch = Watch::open(player, vec![TABLE.into()], options);
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(match watch.next().await.unwrap() {
            Update::Connected { reconnects, .. } => format!("connected {reconnects}"),
            Update::Lost { .. } => "lost".into(),
            Update::Snapshot {
                at: At { epoch, sequence },
                ..
            } => format!("snapshot {epoch}:{sequence}"),
            Update::Event {
                at: At { epoch, sequence },
                ..
            } => format!("event {epoch}:{sequence}"),
            Update::Reset { reason, .. } => format!("reset {reason}"),
            Update::Gap { missing, .. } => format!("gap {missing}"),
            Update::Rewound { by, .. } => format!("rewound {by}"),
            Update::Refused { .. } => "refused".into(),
            Update::Over { .. } => "over".into(),
        });
    }
    words
}

async fn check(streams: Vec<Vec<Frame>>, on_subscribe: Vec<Frame>, expected: &[&str]) -> Script {
    let script = Script::streams(streams).on_subscribe(on_subscribe);
    assert_eq!(updates(&script, expected.len()).await, expected);
    script
}

fn reset(reason: &str) -> Frame {
    Frame::Reset(v1::TableReset {
        table_id: TABLE.into(),
        reason: reason.into(),
    })
}

fn closed() -> Frame {
    Frame::Closed(v1::WatchClosed {
        reason: "draining".into(),
    })
}

#[tokio::test]
async fn a_lost_stream_is_resumed_after_the_last_event_seen() {
    let first = vec![
        snapshot_frame(1, 5, view()),
        event_frame(1, 6, started(1, 1_000, 1_000)),
        closed(),
    ];
    let second = vec![event_frame(2, 7, turn(0, 1))];
    let script = check(
        vec![first, second],
        vec![],
        &[
            "connected 0",
            "snapshot 1:5",
            "event 1:6",
            "lost",
            "connected 1",
            "event 2:7",
        ],
    )
    .await;
    let asked = script.asked.lock().unwrap();
    let after: Vec<_> = asked
        .watches
        .iter()
        .map(|watch| watch.tables[0].after_sequence)
        .collect();
    assert_eq!(after, [None, Some(6)]);
}

#[tokio::test]
async fn old_frames_are_dropped() {
    let frames = vec![
        snapshot_frame(2, 5, view()),
        event_frame(2, 5, turn(0, 1)),
        event_frame(1, 6, turn(0, 1)),
        event_frame(2, 6, turn(0, 1)),
    ];
    check(
        vec![frames],
        vec![],
        &["connected 0", "snapshot 2:5", "event 2:6"],
    )
    .await;
}

#[tokio::test]
async fn after_a_gap_a_snapshot_is_asked_for() {
    let frames = vec![
        snapshot_frame(1, 5, view()),
        event_frame(1, 8, turn(0, 1)),
        event_frame(1, 9, ended(1)),
    ];
    let fresh = vec![snapshot_frame(1, 9, view()), event_frame(1, 10, turn(0, 1))];
    let expected = [
        "connected 0",
        "snapshot 1:5",
        "gap 2",
        "snapshot 1:9",
        "event 1:10",
    ];
    let script = check(vec![frames], fresh, &expected).await;
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked.subscribed.len(), 1);
    assert_eq!(asked.subscribed[0].after_sequence, None);
}

#[tokio::test]
async fn a_log_that_is_shorter_than_before_is_told() {
    let frames = vec![snapshot_frame(1, 5, view()), event_frame(2, 4, turn(0, 1))];
    let fresh = vec![snapshot_frame(2, 4, view())];
    check(
        vec![frames],
        fresh,
        &[
            "connected 0",
            "snapshot 1:5",
            "rewound 2",
            "rewound 1",
            "snapshot 2:4",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_reset_is_followed_by_a_snapshot() {
    let frames = vec![
        snapshot_frame(1, 5, view()),
        reset("compacted"),
        event_frame(1, 6, turn(0, 1)),
        snapshot_frame(2, 20, view()),
        event_frame(2, 21, turn(0, 1)),
    ];
    let expected = [
        "connected 0",
        "snapshot 1:5",
        "reset compacted",
        "snapshot 2:20",
        "event 2:21",
    ];
    check(vec![frames], vec![], &expected).await;
}

#[tokio::test]
async fn many_tables_are_subscribed_to_one_by_one() {
    let script = Script::streams(vec![vec![]]);
    let player = script.player().await;
    let tables: Vec<String> = (0..130).map(|no| format!("t{no}")).collect();
    let mut watch = Watch::open(player, tables, WatchOptions::default());
    assert!(matches!(watch.next().await, Some(Update::Connected { .. })));
    // The server tells when a subscription has come; nothing else is waited for.
    loop {
        {
            let asked = script.asked.lock().unwrap();
            assert_eq!(asked.watches[0].tables.len(), 100);
            if asked.subscribed.len() == 30 {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
}
