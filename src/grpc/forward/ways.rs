//! The routes, and one channel to each node that is reached over them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use proto::v1::{self, table_service_client::TableServiceClient};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint, Uri},
};

use crate::cluster::{
    Peer, Routes,
    links::{self, tls::Tls},
    routes::Neighbour,
};
use crate::grpc::status;
use crate::ids::ShardCount;

/// Where tables are, and the way there. Clones are the same.
#[derive(Clone)]
pub struct Ways {
    /// Where tables are.
    pub routes: Routes,
    tls: Option<Tls>,
    channels: Arc<Mutex<BTreeMap<Peer, Channel>>>,
}

impl Ways {
    /// Over these routes, encrypted or not.
    pub fn new(routes: Routes, tls: Option<Tls>) -> Self {
        Self {
            routes,
            tls,
            channels: Arc::default(),
        }
    }

    /// Of a node that is alone.
    pub fn alone(count: ShardCount) -> Self {
        Self::new(Routes::alone(count), None)
    }

    /// The channel to a node: one for all calls and streams, connected when it is first used.
    pub fn channel(&self, neighbour: &Neighbour) -> Channel {
        let mut channels = self
            .channels
            .lock()
            .expect("no code panics while it holds this lock");
        if let Some(channel) = channels.get(&neighbour.peer) {
            return channel.clone();
        }
        // A node that is gone keeps no channel.
        let table = self.routes.table();
        channels.retain(|peer, _| table.neighbours.iter().any(|known| known.peer == *peer));
        let channel = self.connected_when_used(neighbour.nodes.clone());
        channels.insert(neighbour.peer.clone(), channel.clone());
        channel
    }

    /// A page of the tables of every other node that serves some.
    ///
    /// # Errors
    /// When one of them does not answer: a list that leaves out a node would look complete.
    pub async fn tables_of_others(
        &self,
        request: &v1::ListTablesRequest,
        proof: Option<MetadataValue<Ascii>>,
    ) -> Result<Vec<v1::TableSummary>, Status> {
        let mut tables = Vec::new();
        for neighbour in self.routes.serving() {
            let mut request = Request::new(request.clone());
            if let Some(proof) = &proof {
                request
                    .metadata_mut()
                    .insert("authorization", proof.clone());
            }
            let mut client = TableServiceClient::new(self.channel(&neighbour));
            let page = client.list_tables(request).await.map_err(|error| {
                tracing::info!(node = %neighbour.peer.name, %error, "a node does not list its tables");
                status::elsewhere()
            })?;
            tables.extend(page.into_inner().tables);
        }
        Ok(tables)
    }

    fn connected_when_used(&self, address: String) -> Channel {
        let tls = self.tls.clone();
        let connector = tower::service_fn(move |_: Uri| {
            let (address, tls) = (address.clone(), tls.clone());
            async move {
                links::connect(&address, tls.as_ref())
                    .await
                    .map(TokioIo::new)
            }
        });
        Endpoint::from_static("http://orp-node")
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_MAX)
            .keep_alive_while_idle(true)
            // A stream that nobody reads holds this much, and must not use up what all share.
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_with_connector_lazy(connector)
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(1);
const KEEP_ALIVE_MAX: Duration = Duration::from_secs(2);
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;
