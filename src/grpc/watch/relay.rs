//! Watching tables of other nodes: one stream from their owner for each, and the next owner's when it moves.
//!
//! The owner sees an ordinary watch of the same player, with his own token. What comes is passed on as it is; the client's
//! stream goes on across a failover, and has every event once.

use std::{sync::Arc, time::Duration};

use proto::v1::{self, watch_service_client::WatchServiceClient, watch_session_response::Frame};
use tokio::time::Instant;
use tonic::{Code, Request, metadata::MetadataValue};

use super::{
    WatchError, Watches,
    entry::{Watch, lock},
    stream::Ending,
};
use crate::{
    cluster::{Place, Routes, routes::Neighbour},
    ids::{Seq, TableId},
    table::request::CallError,
};

/// The words of a player's proof, as they came.
pub type Proof = MetadataValue<tonic::metadata::Ascii>;

/// Frames of other nodes that wait for a client; beyond it the owner waits, and then its own queue fills.
pub const RELAYED_MAX: usize = 64;

/// Why a stream from an owner ended.
enum End {
    /// The table has another owner, or its node is gone: go on there.
    Moved,
    /// The client is gone.
    Over,
    /// The client does not keep up.
    Slow,
}

impl Watches {
    /// Relays a table to a watch until either is gone. Restarting it begins again after the given event.
    pub(super) fn relay(&self, watch: &Arc<Watch>, table: TableId, after: Option<Seq>) {
        let (watches, relayed) = (self.clone(), Arc::clone(watch));
        let mut watched = lock(&watch.watched);
        if watched.over {
            return;
        }
        let task = self
            .runtime()
            .spawn(async move { watches.relay_on(&relayed, table, after).await });
        if let Some(before) = watched.relays.insert(table, task.abort_handle()) {
            before.abort();
        }
    }

    async fn relay_on(&self, watch: &Arc<Watch>, table: TableId, mut after: Option<Seq>) {
        let mut routes = self.ways().routes.clone();
        let mut blind_since = None;
        loop {
            let ended = match routes.of(table) {
                Place::Here => match self.come_home(watch, table, after).await {
                    Ok(()) | Err(WatchError::NoSuchWatch) => return,
                    Err(WatchError::Table(CallError::NoSuchTable(_))) => {
                        return self.unknown(watch, table).await;
                    }
                    Err(error) => {
                        tracing::debug!(%table, %error, "a watch does not come home yet");
                        End::Moved
                    }
                },
                Place::There(owner) => {
                    let (opened, end) = self.from(&owner, watch, table, &mut after).await;
                    if opened {
                        blind_since = None;
                    }
                    end
                }
                Place::Nowhere => End::Moved,
            };
            match ended {
                End::Moved => {
                    let since = *blind_since.get_or_insert_with(Instant::now);
                    // Another node may see the owner that this one does not: the client is better off there.
                    if since.elapsed() >= BLIND_MAX {
                        tracing::info!(%table, "its owner is not found: the watch is let go");
                        watch.end(Ending::Lost);
                        return self.gone(watch);
                    }
                }
                End::Over => return,
                End::Slow => {
                    watch.end(Ending::Slow);
                    return self.gone(watch);
                }
            }
            tokio::select! {
                () = routes.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// One stream from one owner: whether there was one, and why it ended.
    async fn from(
        &self,
        owner: &Arc<Neighbour>,
        watch: &Arc<Watch>,
        table: TableId,
        after: &mut Option<Seq>,
    ) -> (bool, End) {
        let mut request = Request::new(v1::WatchSessionRequest {
            tables: vec![v1::WatchTable {
                table_id: table.to_string(),
                after_sequence: after.map(|seq| seq.0),
            }],
        });
        if let Some(proof) = &watch.proof {
            request
                .metadata_mut()
                .insert("authorization", proof.clone());
        }
        let mut client = WatchServiceClient::new(self.ways().channel(owner))
            .max_decoding_message_size(FRAME_BYTES_MAX);
        let mut routes = self.ways().routes.clone();
        let opened = tokio::select! {
            opened = client.watch_session(request) => opened,
            () = moved(&mut routes, table, owner) => return (false, End::Moved),
        };
        let mut stream = match opened {
            Ok(answer) => answer.into_inner(),
            Err(error) => {
                tracing::debug!(%table, owner = %owner.peer.name, %error, "no stream from the owner");
                return (false, End::Moved);
            }
        };
        loop {
            let message = tokio::select! {
                message = stream.message() => message,
                () = moved(&mut routes, table, owner) => return (true, End::Moved),
            };
            let frame = match message {
                Ok(Some(v1::WatchSessionResponse { frame: Some(frame) })) => frame,
                Ok(Some(_) | None) => return (true, End::Moved),
                Err(error) if error.code() == Code::ResourceExhausted => return (true, End::Slow),
                Err(_lost) => return (true, End::Moved),
            };
            let gone = match &frame {
                Frame::Opened(_) | Frame::Closed(_) => continue,
                Frame::Snapshot(snapshot) => {
                    *after = seq(snapshot.position.as_ref()).or(*after);
                    false
                }
                Frame::Event(event) => {
                    *after = seq(event.position.as_ref()).or(*after);
                    false
                }
                Frame::Reset(reset) => reset.reason == UNKNOWN,
            };
            let frame = v1::WatchSessionResponse { frame: Some(frame) };
            if watch.relayed.send(frame).await.is_err() {
                return (true, End::Over);
            }
            if gone {
                lock(&watch.watched).relays.remove(&table);
                return (true, End::Over);
            }
        }
    }

    async fn unknown(&self, watch: &Arc<Watch>, table: TableId) {
        lock(&watch.watched).relays.remove(&table);
        let reset = v1::TableReset {
            table_id: table.to_string(),
            reason: UNKNOWN.into(),
        };
        let frame = v1::WatchSessionResponse {
            frame: Some(Frame::Reset(reset)),
        };
        if watch.relayed.send(frame).await.is_err() {
            tracing::trace!(%table, "a stream ended before it heard of a table that is none");
        }
    }
}

/// Returns when a table is no longer where it was: a frozen owner says nothing itself.
async fn moved(routes: &mut Routes, table: TableId, owner: &Arc<Neighbour>) {
    while routes.of(table) == Place::There(Arc::clone(owner)) {
        routes.changed().await;
    }
}

fn seq(position: Option<&v1::Position>) -> Option<Seq> {
    position.map(|position| Seq(position.sequence))
}

/// As [`ResetReason::UnknownTable`](crate::table::frame::ResetReason) says it.
const UNKNOWN: &str = "unknown_table";
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Longer than any takeover: an owner that is not found by then is cut off from this node, or there is none.
const BLIND_MAX: Duration = Duration::from_secs(10);
/// A snapshot of ten seats is some KB.
const FRAME_BYTES_MAX: usize = 1 << 20;
