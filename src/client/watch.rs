//! One stream for any number of tables, kept open.
//!
//! A task reads the stream, drops what is old, resumes each table where it was when the connection is lost, and asks for
//! a snapshot when something is missing. What it passes on is for each table: a snapshot, then every event once and in
//! order, until the next snapshot.

use std::collections::HashMap;
use std::time::Duration;

use proto::v1::watch_service_client::WatchServiceClient;
use proto::v1::watch_session_response::Frame;
use proto::v1::{
    SubscribeRequest, TableEvent, TableView, UnsubscribeRequest, WatchSessionRequest, WatchTable,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;
use tonic::transport::Channel;

use super::backoff::{Backoff, jitter};
use super::error::Refusal;
use super::session::Player;
use super::status::{Verdict, judge};
use super::track::{At, Step, Track};

/// What a watch tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Update {
    /// The stream is open.
    Connected {
        /// How often it was opened before.
        reconnects: u64,
        /// How long there was none.
        after: Duration,
    },
    /// The stream is lost; it will be opened again.
    Lost {
        /// Why.
        reason: String,
    },
    /// A table from the beginning.
    Snapshot {
        /// Which.
        table: String,
        /// Where in its log.
        at: At,
        /// What this player may see.
        view: Box<TableView>,
    },
    /// The next event of a table.
    Event {
        /// Which.
        table: String,
        /// Where in its log.
        at: At,
        /// When its owner recorded it, in milliseconds since 1970.
        at_ms: u64,
        /// What happened.
        event: TableEvent,
    },
    /// The server cannot go on where the client was; a snapshot follows.
    Reset {
        /// Which.
        table: String,
        /// Why, by name.
        reason: String,
    },
    /// Events of a table are missing; a snapshot follows.
    Gap {
        /// Which.
        table: String,
        /// How many.
        missing: u64,
    },
    /// The log of a table is shorter than it was; a snapshot follows.
    Rewound {
        /// Which.
        table: String,
        /// By how many events.
        by: u64,
    },
    /// The server does not show this table; it is not watched any more.
    Refused {
        /// Which.
        table: String,
        /// The rule.
        refusal: Refusal,
    },
    /// The server refuses the stream itself; the watch is over.
    Over {
        /// The rule.
        refusal: Refusal,
    },
}

/// How a watch behaves.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// Between attempts to connect.
    pub backoff: Backoff,
    /// How many updates wait for a slow reader before the stream is not read any more.
    pub queue: usize,
}

/// A stream that is kept open until this is dropped.
pub struct Watch {
    updates: mpsc::Receiver<Update>,
    /// Unbounded: only the owner of the watch gives orders, and a full queue here could wait for a full queue there.
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    Add(String),
    Remove(String),
}

impl Watch {
    /// Opens a watch of these tables.
    pub fn open(player: Player, tables: Vec<String>, options: WatchOptions) -> Watch {
        let (updates_in, updates) = mpsc::channel(options.queue);
        let (orders, orders_out) = mpsc::unbounded_channel();
        let tables = tables
            .into_iter()
            .map(|table| (table, Track::default()))
            .collect();
        let keeper = Keeper {
            player,
            options,
            tables,
            updates: updates_in,
            reconnects: 0,
            failed: 0,
        };
        tokio::spawn(keeper.run(orders_out));
        Watch { updates, orders }
    }

    /// The next update; `None` when the watch is over. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Update> {
        self.updates.recv().await
    }

    /// Watches one more table.
    pub fn add(&self, table: &str) {
        self.order(Order::Add(table.into()));
    }

    /// Watches a table no more.
    pub fn remove(&self, table: &str) {
        self.order(Order::Remove(table.into()));
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::debug!("the watch is over");
        }
    }
}

impl Default for WatchOptions {
    fn default() -> WatchOptions {
        WatchOptions {
            backoff: Backoff::default(),
            queue: 1_024,
        }
    }
}

struct Keeper {
    player: Player,
    options: WatchOptions,
    tables: HashMap<String, Track>,
    updates: mpsc::Sender<Update>,
    reconnects: u64,
    failed: u32,
}

/// Why a stream was left.
enum End {
    Lost(String),
    Refused(Refusal),
    /// Nobody reads the updates any more.
    Unread,
}

/// An open stream and the calls that belong to it.
struct Open {
    channel: Channel,
    watch_id: String,
    calls: JoinSet<Option<(String, Status)>>,
    waiting: Vec<SubscribeRequest>,
}

impl Keeper {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut lost_at = Instant::now();
        loop {
            let (number, channel) = self.player.link().channel();
            let since = lost_at;
            let end = self.stream(channel, since, &mut orders).await;
            let reason = match end {
                End::Unread => return,
                End::Refused(refusal) => {
                    self.tell(Update::Over { refusal }).await;
                    return;
                }
                End::Lost(reason) => reason,
            };
            self.player.link().turn_from(number);
            if self.failed == 0 {
                lost_at = Instant::now();
            }
            self.failed = self.failed.saturating_add(1);
            if !self.tell(Update::Lost { reason }).await {
                return;
            }
            sleep(self.options.backoff.wait(self.failed, jitter())).await;
        }
    }

    async fn stream(
        &mut self,
        channel: Channel,
        since: Instant,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) -> End {
        let mut wanted: Vec<WatchTable> = self
            .tables
            .iter()
            .map(|(table, track)| watch_table(table, track))
            .collect();
        let later = wanted.split_off(wanted.len().min(OPEN_WITH));
        let mut client =
            WatchServiceClient::new(channel.clone()).max_decoding_message_size(FRAME_BYTES_MAX);
        let request = self.player.request(WatchSessionRequest { tables: wanted });
        let mut frames = match timeout(OPEN_LIMIT, client.watch_session(request)).await {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => return ended(&status),
            Err(_elapsed) => return End::Lost("the stream does not open".into()),
        };
        let first = match timeout(OPEN_LIMIT, frames.message()).await {
            Ok(Ok(Some(response))) => response.frame,
            Ok(Ok(None)) => return End::Lost("the stream ended".into()),
            Ok(Err(status)) => return ended(&status),
            Err(_elapsed) => return End::Lost("the stream is silent".into()),
        };
        let Some(Frame::Opened(opened)) = first else {
            return End::Lost("the stream does not name its watch".into());
        };
        let subscribe = |table| SubscribeRequest {
            watch_id: opened.watch_id.clone(),
            table: Some(table),
        };
        let waiting = later.into_iter().map(subscribe).collect();
        let mut open = Open {
            channel,
            watch_id: opened.watch_id.clone(),
            calls: JoinSet::new(),
            waiting,
        };
        let connected = Update::Connected {
            reconnects: self.reconnects,
            after: since.elapsed(),
        };
        self.reconnects = self.reconnects.saturating_add(1);
        self.failed = 0;
        if !self.tell(connected).await {
            return End::Unread;
        }
        loop {
            self.start_waiting(&mut open);
            tokio::select! {
                frame = frames.message() => match frame {
                    Ok(Some(response)) => {
                        if let Some(frame) = response.frame
                            && let Some(end) = self.frame(frame, &mut open).await
                        {
                            return end;
                        }
                    }
                    Ok(None) => return End::Lost("the stream ended".into()),
                    Err(status) => return ended(&status),
                },
                order = orders.recv() => match order {
                    Some(order) => self.order(order, &mut open),
                    None => return End::Unread,
                },
                Some(done) = open.calls.join_next() => {
                    if let Ok(Some((table, status))) = done
                        && let Some(end) = self.not_subscribed(table, &status).await
                    {
                        return end;
                    }
                }
            }
        }
    }

    /// Passes a frame on, or says why the stream is over.
    async fn frame(&mut self, frame: Frame, open: &mut Open) -> Option<End> {
        let update = match frame {
            Frame::Opened(_) => return None,
            Frame::Closed(closed) => {
                return Some(End::Lost(format!(
                    "closed by the server: {}",
                    closed.reason
                )));
            }
            Frame::Snapshot(snapshot) => {
                let (Some(position), Some(view)) = (snapshot.position, snapshot.view) else {
                    return Some(End::Lost("a snapshot without its content".into()));
                };
                let at = At::from(&position);
                let table = view.table_id.clone();
                let step = self.tables.get_mut(&table)?.snapshot(at);
                match step {
                    Step::Next => {}
                    Step::Rewound { by } => {
                        if !self
                            .tell(Update::Rewound {
                                table: table.clone(),
                                by,
                            })
                            .await
                        {
                            return Some(End::Unread);
                        }
                    }
                    Step::Old | Step::Gap { .. } | Step::Unasked => return None,
                }
                Update::Snapshot {
                    table,
                    at,
                    view: Box::new(view),
                }
            }
            Frame::Event(event) => {
                let Some(position) = event.position else {
                    return Some(End::Lost("an event without its position".into()));
                };
                let at = At::from(&position);
                let table = event.table_id;
                match self.tables.get_mut(&table)?.event(at) {
                    Step::Next => {
                        let event_itself = event.event.unwrap_or_default();
                        Update::Event {
                            table,
                            at,
                            at_ms: event.at_ms,
                            event: event_itself,
                        }
                    }
                    Step::Old => return None,
                    Step::Unasked => {
                        self.again(&table, open);
                        return None;
                    }
                    Step::Gap { missing } => {
                        self.again(&table, open);
                        Update::Gap { table, missing }
                    }
                    Step::Rewound { by } => {
                        self.again(&table, open);
                        Update::Rewound { table, by }
                    }
                }
            }
            Frame::Reset(reset) => {
                let gone = reset.reason == UNKNOWN_TABLE;
                if gone {
                    self.tables.remove(&reset.table_id)?;
                } else {
                    self.tables.get_mut(&reset.table_id)?.reset();
                }
                Update::Reset {
                    table: reset.table_id,
                    reason: reset.reason,
                }
            }
        };
        if self.tell(update).await {
            None
        } else {
            Some(End::Unread)
        }
    }

    /// Asks for a table from the beginning.
    fn again(&mut self, table: &str, open: &mut Open) {
        if let Some(track) = self.tables.get_mut(table) {
            track.reset();
        }
        let (channel, player) = (open.channel.clone(), self.player.clone());
        let (watch_id, table) = (open.watch_id.clone(), table.to_owned());
        open.calls.spawn(async move {
            let mut client = WatchServiceClient::new(channel);
            let off = UnsubscribeRequest {
                watch_id: watch_id.clone(),
                table_id: table.clone(),
            };
            if let Err(status) = client.unsubscribe(player.timed(off)).await {
                return Some((table, status));
            }
            let from_start = WatchTable {
                table_id: table.clone(),
                after_sequence: None,
            };
            let on = SubscribeRequest {
                watch_id,
                table: Some(from_start),
            };
            client
                .subscribe(player.timed(on))
                .await
                .err()
                .map(|status| (table, status))
        });
    }

    fn order(&mut self, order: Order, open: &mut Open) {
        match order {
            Order::Add(table) => {
                if self.tables.contains_key(&table) {
                    return;
                }
                let wanted = watch_table(&table, &Track::default());
                self.tables.insert(table, Track::default());
                open.waiting.push(SubscribeRequest {
                    watch_id: open.watch_id.clone(),
                    table: Some(wanted),
                });
            }
            Order::Remove(table) => {
                if self.tables.remove(&table).is_none() {
                    return;
                }
                let (channel, player) = (open.channel.clone(), self.player.clone());
                let off = UnsubscribeRequest {
                    watch_id: open.watch_id.clone(),
                    table_id: table,
                };
                open.calls.spawn(async move {
                    let answer = WatchServiceClient::new(channel)
                        .unsubscribe(player.timed(off))
                        .await;
                    if let Err(status) = answer {
                        tracing::debug!(%status, "not unsubscribed");
                    }
                    None
                });
            }
        }
    }

    /// Keeps a bounded number of subscriptions under way.
    fn start_waiting(&self, open: &mut Open) {
        while open.calls.len() < SUBSCRIBING_AT_ONCE {
            let Some(request) = open.waiting.pop() else {
                return;
            };
            let table = request
                .table
                .as_ref()
                .map(|table| table.table_id.clone())
                .unwrap_or_default();
            // Taken off or already reset in the meantime.
            if !self.tables.contains_key(&table) {
                continue;
            }
            let (channel, player) = (open.channel.clone(), self.player.clone());
            open.calls.spawn(async move {
                let answer = WatchServiceClient::new(channel)
                    .subscribe(player.timed(request))
                    .await;
                answer.err().map(|status| (table, status))
            });
        }
    }

    /// A subscription failed: for good, or the stream is opened again, which subscribes to everything.
    async fn not_subscribed(&mut self, table: String, status: &Status) -> Option<End> {
        match judge(status, false) {
            Verdict::Again { reason, .. } => Some(End::Lost(reason)),
            // The stream that it was for is gone: the next one subscribes to everything.
            Verdict::Refused(refusal) if refusal.rule.contains("Watch") => {
                Some(End::Lost(refusal.text))
            }
            Verdict::Refused(refusal) => {
                self.tables.remove(&table);
                let told = self.tell(Update::Refused { table, refusal }).await;
                if told { None } else { Some(End::Unread) }
            }
        }
    }

    /// Waits while the reader is slow: the server then sees a slow reader, and nobody's memory grows.
    async fn tell(&self, update: Update) -> bool {
        self.updates.send(update).await.is_ok()
    }
}

fn watch_table(table: &str, track: &Track) -> WatchTable {
    WatchTable {
        table_id: table.into(),
        after_sequence: track.resume_after(),
    }
}

fn ended(status: &Status) -> End {
    match judge(status, false) {
        Verdict::Again { reason, .. } => End::Lost(reason),
        Verdict::Refused(refusal) => End::Refused(refusal),
    }
}

/// Tables named in the request itself: a request stays small, the others are subscribed to one by one.
const OPEN_WITH: usize = 100;
/// Subscriptions under way at once: half of the streams that a connection may have.
const SUBSCRIBING_AT_ONCE: usize = 8;
/// An owner answers well within this; a stream that does not open by then is opened elsewhere.
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// A snapshot of ten seats is a hundredth of it.
const FRAME_BYTES_MAX: usize = 1 << 20;
/// A reset after which no snapshot follows.
const UNKNOWN_TABLE: &str = "unknown_table";
