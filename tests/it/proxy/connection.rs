//! One connection of a driver, and the one to the node behind it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::Gate;
use super::frame::{self, Frame};
use super::plan::{Fault, Plan};
use super::statements::Kind;

/// What becomes of an answer.
enum Fate {
    Deliver,
    DeliverAfter(Duration),
    /// Under the stream of the request that it repeats.
    DeliverAs(i16),
    Swallow,
    Cut,
}

struct Connection {
    plan: Arc<Plan>,
    /// Statements that the node has not answered, by stream.
    asked: Mutex<HashMap<i16, (Kind, Fate)>>,
    /// The texts of statements that are being prepared, by stream.
    preparing: Mutex<HashMap<i16, String>>,
    /// The client's side is over; the node's goes on until it has answered.
    cut: watch::Sender<bool>,
    /// The next stream for a request that is sent twice.
    spare: Mutex<i16>,
}

type Queue = mpsc::UnboundedSender<Frame>;

/// Streams that no driver uses: it takes the lowest free one of 32,768.
const SPARE_STREAMS: std::ops::Range<i16> = 30_000..32_000;
/// How long the node has for answers that nobody waits for.
const LAST_ANSWERS: Duration = Duration::from_secs(15);
const UNPOISONED: &str = "nobody panics while it holds this";

/// Passes frames until one side ends, the plan cuts, or the gate turns.
pub(super) async fn serve(
    client: TcpStream,
    node: SocketAddr,
    plan: Arc<Plan>,
    mut gate: watch::Receiver<Gate>,
) {
    gate.mark_unchanged();
    let Ok(node) = TcpStream::connect(node).await else {
        return;
    };
    if client
        .set_nodelay(true)
        .and(node.set_nodelay(true))
        .is_err()
    {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_node, to_node) = node.into_split();
    let connection = Arc::new(Connection {
        plan,
        asked: Mutex::default(),
        preparing: Mutex::default(),
        cut: watch::Sender::new(false),
        spare: Mutex::new(SPARE_STREAMS.start),
    });
    let (requests, request_queue) = mpsc::unbounded_channel();
    let (answers, answer_queue) = mpsc::unbounded_channel();

    let mut cut = connection.cut.subscribe();
    let client_side = async {
        tokio::select! {
            () = connection.requests(from_client, requests) => {}
            _ = write_all(to_client, answer_queue) => {}
            _ = cut.wait_for(|cut| *cut) => {}
            _ = gate.changed() => {}
        }
        // Both halves of the client's connection are dropped with the two futures above, which closes it.
        connection.cut.send_replace(true);
    };
    let node_side = async {
        let reading = connection.answers(from_node, answers);
        let writing = async {
            let node = write_all(to_node, request_queue).await;
            // The node closes a connection that is closed to it, so it stays open until the last answer.
            let answered = async {
                while !connection.asked.lock().expect(UNPOISONED).is_empty() {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            drop(timeout(LAST_ANSWERS, answered).await);
            drop(node);
        };
        tokio::select! {
            () = reading => {}
            () = writing => {}
        }
        connection.cut.send_replace(true);
    };
    tokio::join!(client_side, node_side);
    for (kind, _) in std::mem::take(&mut *connection.asked.lock().expect(UNPOISONED)).into_values()
    {
        connection.plan.answered(kind);
    }
}

/// Writes what comes until nobody can send any more. Dropping what it gives back closes the connection.
async fn write_all(
    mut to: OwnedWriteHalf,
    mut queue: mpsc::UnboundedReceiver<Frame>,
) -> OwnedWriteHalf {
    while let Some(frame) = queue.recv().await {
        if to.write_all(&frame.encode()).await.is_err() {
            break;
        }
    }
    to
}

impl Connection {
    /// Takes the client's requests, and does to each what the plan says.
    async fn requests(self: &Arc<Self>, mut from: OwnedReadHalf, node: Queue) {
        while let Ok(Some(frame)) = Frame::read(&mut from).await {
            let kind = match frame.opcode {
                frame::PREPARE => {
                    if let Some(text) = frame.text() {
                        let mut preparing = self.preparing.lock().expect(UNPOISONED);
                        preparing.insert(frame.stream, text);
                    }
                    Kind::Other
                }
                frame::QUERY => frame.text().map_or(Kind::Other, |text| Kind::of(&text)),
                frame::EXECUTE => frame
                    .executed()
                    .map_or(Kind::Other, |name| self.plan.kind_of(name)),
                frame::BATCH => Kind::PlainWrite,
                _ => Kind::Other,
            };
            match self.plan.next(kind) {
                Fault::None => self.ask(&node, frame, kind, Fate::Deliver),
                Fault::LoseRequest => {}
                Fault::CutBefore => return,
                Fault::LoseAnswer => self.ask(&node, frame, kind, Fate::Swallow),
                Fault::CutAfter => self.ask(&node, frame, kind, Fate::Cut),
                Fault::Late(time) => {
                    self.ask_after(sleep(time), &node, frame, kind, || Fate::Swallow);
                }
                Fault::Hold => {
                    let mut releases = self.plan.releases();
                    let released = async move { drop(releases.changed().await) };
                    self.ask_after(released, &node, frame, kind, || Fate::Swallow);
                }
                Fault::Twice(time) => {
                    let stream = frame.stream;
                    let again = frame.on(self.spare_stream());
                    self.ask(&node, frame, kind, Fate::Swallow);
                    self.ask_after(sleep(time), &node, again, kind, move || {
                        Fate::DeliverAs(stream)
                    });
                }
                Fault::Delay(before, after) if before.is_zero() => {
                    self.ask(&node, frame, kind, Fate::DeliverAfter(after));
                }
                Fault::Delay(before, after) => {
                    let fate = move || Fate::DeliverAfter(after);
                    self.ask_after(sleep(before), &node, frame, kind, fate);
                }
                Fault::Stall(time) => {
                    sleep(time).await;
                    self.ask(&node, frame, kind, Fate::Deliver);
                }
            }
        }
    }

    fn ask(&self, node: &Queue, frame: Frame, kind: Kind, fate: Fate) {
        // The answer finds its fate, so the lock is held until the request is on its way.
        let mut asked = self.asked.lock().expect(UNPOISONED);
        let stream = frame.stream;
        // A node that is gone answers nothing; the client hears of it when its side is closed.
        if node.send(frame).is_ok() {
            asked.insert(stream, (kind, fate));
            self.plan.sent(kind);
        }
    }

    /// Also after the client is gone: that is what makes a zombie.
    fn ask_after(
        self: &Arc<Self>,
        moment: impl Future<Output = ()> + Send + 'static,
        node: &Queue,
        frame: Frame,
        kind: Kind,
        fate: impl FnOnce() -> Fate + Send + 'static,
    ) {
        let (connection, node, waiting) = (Arc::clone(self), node.clone(), self.plan.wait());
        tokio::spawn(async move {
            moment.await;
            connection.ask(&node, frame, kind, fate());
            drop(waiting);
        });
    }

    /// Takes the node's answers, and does to each what was decided when its request came by.
    async fn answers(self: &Arc<Self>, mut from: OwnedReadHalf, client: Queue) {
        while let Ok(Some(frame)) = Frame::read(&mut from).await {
            let text = self
                .preparing
                .lock()
                .expect(UNPOISONED)
                .remove(&frame.stream);
            if let (Some(text), Some(name)) = (text, frame.prepared()) {
                self.plan.learn(name, &text);
            }
            // Without an entry it is an event, which nobody asked for.
            let asked = self.asked.lock().expect(UNPOISONED).remove(&frame.stream);
            let (kind, fate) = asked.unwrap_or((Kind::Other, Fate::Deliver));
            self.plan.answered(kind);
            let heard = match fate {
                Fate::Deliver => client.send(frame.clone()).is_ok(),
                Fate::DeliverAs(stream) => client.send(frame.on(stream)).is_ok(),
                Fate::DeliverAfter(time) if time.is_zero() => client.send(frame.clone()).is_ok(),
                Fate::DeliverAfter(time) => {
                    let (client, frame) = (client.clone(), frame.clone());
                    tokio::spawn(async move {
                        sleep(time).await;
                        // The client may be gone by now.
                        drop(client.send(frame));
                    });
                    true
                }
                Fate::Swallow => false,
                Fate::Cut => {
                    self.cut.send_replace(true);
                    false
                }
            };
            if !heard && kind.is_conditional() && frame.says_applied() {
                self.plan.applied_unheard();
            }
        }
    }

    fn spare_stream(&self) -> i16 {
        let mut spare = self.spare.lock().expect(UNPOISONED);
        let stream = *spare;
        *spare = if stream + 1 < SPARE_STREAMS.end {
            stream + 1
        } else {
            SPARE_STREAMS.start
        };
        stream
    }
}
