//! `WatchService`: one stream for a session, whatever the number of tables.
//!
//! - [`registry`]: the watches of this node, and what they watch
//! - [`entry`]: one watch, and the list of those that are open
//! - `relay`: tables of other nodes
//! - [`stream`]: the frames of one watch, converted when the client is ready for them
//! - [`presence`]: how many streams of a player watch a table (pure)
//! - [`pulse`]: whether a reader still reads (pure)

mod entry;
mod presence;
mod pulse;
pub mod registry;
mod relay;
mod stream;

use std::time::Duration;

use proto::v1::{self, watch_service_server::WatchService};
use tonic::{Code, Request, Response, Status};

pub use registry::{Origin, WatchError, Watches};
use stream::SessionStream;

use super::{auth, convert::request, status};
use crate::grpc::status::Invalid;

/// How much may be watched; every value comes from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchLimits {
    /// Frames that wait for a client, at least 2. One is about 200 bytes, a snapshot a few KB.
    pub queue: usize,
    /// Tables of one watch.
    pub tables: usize,
    /// Watches of one player: devices, browser tabs, and streams whose end was not noticed yet.
    pub per_player: usize,
}

/// The service.
pub struct WatchApi {
    /// The watches of this node.
    pub watches: Watches,
    /// Whether its callers are other nodes.
    pub for_nodes: bool,
}

#[tonic::async_trait]
impl WatchService for WatchApi {
    type WatchSessionStream = SessionStream;

    async fn watch_session(
        &self,
        request: Request<v1::WatchSessionRequest>,
    ) -> Result<Response<SessionStream>, Status> {
        let caller = auth::caller(&request)?;
        let tables = request
            .get_ref()
            .tables
            .iter()
            .map(|table| request::watch("tables.table_id", table));
        let tables = tables.collect::<Result<Vec<_>, Invalid>>()?;
        let origin = if self.for_nodes {
            Origin::Node
        } else {
            Origin::Client(request.metadata().get("authorization").cloned())
        };
        let opened = self.watches.open(caller.player, origin, tables);
        let stream = opened.map_err(refused)?;
        Ok(Response::new(stream))
    }

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<v1::SubscribeResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let watch = watch_id(&request.watch_id)?;
        let table = request
            .table
            .ok_or_else(|| Invalid::new("table", "MissingTable", "send the table to watch"))?;
        let (table, after) = request::watch("table.table_id", &table)?;
        self.watches
            .subscribe(caller.player, watch, table, after)
            .await
            .map_err(refused)?;
        Ok(Response::new(v1::SubscribeResponse {}))
    }

    async fn unsubscribe(
        &self,
        request: Request<v1::UnsubscribeRequest>,
    ) -> Result<Response<v1::UnsubscribeResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let watch = watch_id(&request.watch_id)?;
        let table = request::table_id("table_id", &request.table_id)?;
        self.watches
            .unsubscribe(caller.player, watch, table)
            .map_err(refused)?;
        Ok(Response::new(v1::UnsubscribeResponse {}))
    }
}

fn watch_id(text: &str) -> Result<registry::WatchId, Invalid> {
    text.parse().map(registry::WatchId).map_err(|cause| {
        Invalid::new(
            "watch_id",
            "BadWatchId",
            format!("send the watch_id of the stream's first frame: {cause}"),
        )
    })
}

fn refused(error: WatchError) -> Status {
    let text = error.to_string();
    match error {
        WatchError::NoSuchWatch => status::answer(Code::NotFound, "NoSuchWatch", text),
        WatchError::NotYours => status::answer(Code::PermissionDenied, "NotYourWatch", text),
        WatchError::TooManyTables { .. } => {
            status::answer(Code::ResourceExhausted, "TooManyTables", text)
        }
        WatchError::TooManyWatches { .. } => {
            status::answer(Code::ResourceExhausted, "TooManyWatches", text)
        }
        WatchError::NodeFull { .. } => status::unknown("NodeFull", text, FULL_PAUSE),
        WatchError::Draining => status::unknown("Draining", text, DRAIN_PAUSE),
        WatchError::Table(error) => status::call(error),
    }
}

/// Streams end at the pace of players who leave.
const FULL_PAUSE: Duration = Duration::from_secs(5);
/// A restart takes about as long.
const DRAIN_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
