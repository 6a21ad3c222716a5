//! The listener for other nodes: the services of players, and what operators ask, for calls that were forwarded here.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use proto::v1::admin_service_server::AdminServiceServer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{Mutex, mpsc, oneshot},
};
use tokio_stream::Stream;
use tonic::transport::{Server, server::Connected};

use super::{
    OpsServices, Options, Services,
    admin::AdminApi,
    auth::Door,
    gate::Gate,
    server::{self, Apis, ServeError},
};
use crate::cluster::links;

/// Connections of other nodes, as the door lets them in. Clones are the same: a listener that is restarted goes on.
#[derive(Clone)]
pub struct Incoming(Arc<Mutex<mpsc::Receiver<links::Stream>>>);

impl Incoming {
    /// What the door sends here.
    pub fn new(calls: mpsc::Receiver<links::Stream>) -> Self {
        Self(Arc::new(Mutex::new(calls)))
    }
}

/// A connection, for tonic.
struct Connection(links::Stream);

impl Connected for Connection {
    /// Who calls is proven by the token of each call; the other end of this connection is a node.
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Serves other nodes until `shutdown` is ready.
///
/// # Errors
/// When the transport fails.
pub async fn serve_peers(
    incoming: Incoming,
    services: Services,
    operators: OpsServices,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let connections = Connections {
        calls: Arc::clone(&incoming.0).lock_owned().await,
    };
    let router = Server::builder()
        // One connection carries the calls and streams of all clients of a node.
        .max_concurrent_streams(STREAMS_MAX)
        .http2_keepalive_interval(Some(options.keep_alive))
        .http2_keepalive_timeout(Some(options.keep_alive))
        .layer(Gate {
            door: Arc::new(Door::Nodes(services.sessions.clone())),
            call_timeout: options.call_timeout,
        })
        .layer(server::forward(&services, &options, true));
    let apis = Apis::of(services, &options, true);
    let admin = AdminApi {
        tables: operators.tables,
        tree: operators.tree,
        cluster: operators.cluster,
        patience: options.call_timeout / 2,
        for_nodes: true,
    };
    let admin = AdminServiceServer::new(admin).max_decoding_message_size(options.request_bytes_max);
    let mut router = router;
    let router = router
        .add_service(admin)
        .add_service(apis.sessions)
        .add_service(apis.tables)
        .add_service(apis.watches)
        .add_service(apis.hands);
    let (drained, draining) = oneshot::channel();
    let stop = async move {
        shutdown.await;
        server::begin(drained);
    };
    tokio::select! {
        served = router.serve_with_incoming_shutdown(connections, stop) => Ok(served?),
        () = server::too_long(draining, options.drain) => Ok(()),
    }
}

struct Connections {
    calls: tokio::sync::OwnedMutexGuard<mpsc::Receiver<links::Stream>>,
}

impl Stream for Connections {
    type Item = std::io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.calls
            .poll_recv(cx)
            .map(|next| next.map(|stream| Ok(Connection(stream))))
    }
}

/// Each is a call under way, or a table that is watched; the watches of a node have their own limit.
const STREAMS_MAX: u32 = 1 << 20;
