//! Simulated sessions: they watch, fast and slowly, drop their stream and resume.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::Viewer;
use openrustpoker::{
    ids::{Seq, TableId},
    store::memory::SplitMix,
    table::frame::{Frame, WatcherId},
};
use tokio::sync::mpsc;

use super::UNBROKEN;
use super::run::Room;

/// One stream of one session, from its beginning to its end.
pub struct Stream {
    pub table: TableId,
    pub viewer: Viewer,
    /// The last event that the session had seen before.
    pub after: Option<Seq>,
    pub frames: Vec<Frame>,
}

/// All streams of a run.
#[derive(Default)]
pub struct Streams(pub Mutex<Vec<Stream>>);

/// Watches a table until the room closes, stream after stream.
pub async fn watch(
    room: Arc<Room>,
    table: TableId,
    viewer: Viewer,
    id: WatcherId,
    mut random: SplitMix,
) {
    let mut seen: Option<Seq> = None;
    while !room.is_closing() {
        let pause = Duration::from_millis(random.below(300));
        tokio::time::sleep(pause).await;
        let Some(node) = room.at(table, &mut random) else {
            continue;
        };
        let after = seen.filter(|_| random.below(4) > 0);
        let (queue, mut frames) = mpsc::channel(3 + random.below(30) as usize);
        let watched = node.tables.watch(table, id, viewer, after, queue);
        if !matches!(node.or_dead(watched).await, Some(Ok(()))) {
            continue;
        }
        let mut stream = Stream {
            table,
            viewer,
            after,
            frames: Vec::new(),
        };
        let slow = random.below(3) == 0;
        for _ in 0..random.below(200) {
            if slow {
                let pause = Duration::from_millis(random.below(80));
                tokio::time::sleep(pause).await;
            }
            let next = tokio::time::timeout(Duration::from_secs(2), frames.recv());
            let Some(Ok(Some(frame))) = node.or_dead(next).await else {
                break;
            };
            match &frame {
                Frame::Snapshot(view) => seen = Some(view.position.seq),
                Frame::Event(event) => seen = Some(event.position.seq),
                Frame::Reset { .. } => {}
            }
            stream.frames.push(frame);
        }
        if random.below(2) == 0 {
            node.tables.unwatch(table, id);
        }
        room.streams.0.lock().expect(UNBROKEN).push(stream);
    }
}
