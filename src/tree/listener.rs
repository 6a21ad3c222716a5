//! A listener as a child: its socket outlives it, so that a restart loses no address.

use std::{
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisors::{ChildSpec, Shutdown, StartFn};
use tokio::{sync::oneshot, task::JoinHandle};

use super::SetupError;
use crate::grpc::ServeError;

/// A socket that listens.
pub(super) struct Bound {
    socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Bound {
    pub(super) fn to(host: &str, port: u16) -> Result<Self, SetupError> {
        let failed = |cause| SetupError::Listen {
            host: host.into(),
            port,
            cause,
        };
        let socket = TcpListener::bind((host, port)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }
}

/// Serves on a socket until it is told to stop.
type Serve = dyn Fn(tokio::net::TcpListener, Stop) -> Serving + Send + Sync;
type Serving = Pin<Box<dyn Future<Output = Result<(), ServeError>> + Send>>;
/// Ready when the listener is to stop.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The actor.
pub(super) struct Listener;

/// The server ended without having been asked to.
pub(super) struct Ended(Result<(), ServeError>);

pub(super) struct Open {
    name: &'static str,
    server: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

/// Why a listener ends.
#[derive(Debug, thiserror::Error)]
enum ListenerError {
    #[error("the socket cannot be used: {0}")]
    Socket(#[from] std::io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the server ended by itself")]
    Ended,
}

impl Listener {
    pub(super) fn child(
        name: &'static str,
        bound: Bound,
        drain: Duration,
        serve: impl Fn(tokio::net::TcpListener, Stop) -> Serving + Send + Sync + 'static,
    ) -> ChildSpec {
        let (socket, serve): (Arc<TcpListener>, Arc<Serve>) =
            (Arc::new(bound.socket), Arc::new(serve));
        let start =
            StartFn::actor(move || (Listener, (name, Arc::clone(&socket), Arc::clone(&serve))));
        ChildSpec::from_start(name, start).shutdown(Shutdown::Timeout(drain + DRAIN_MARGIN))
    }
}

impl Actor for Listener {
    type Msg = Ended;
    type State = Open;
    type Arguments = (&'static str, Arc<TcpListener>, Arc<Serve>);

    async fn pre_start(
        &self,
        myself: ActorRef<Ended>,
        (name, socket, serve): Self::Arguments,
    ) -> Result<Open, ActorProcessingErr> {
        let socket = socket.try_clone().map_err(ListenerError::Socket)?;
        let socket = tokio::net::TcpListener::from_std(socket).map_err(ListenerError::Socket)?;
        let (stop, stopped) = oneshot::channel();
        let serving = serve(socket, Box::pin(async move { drop(stopped.await) }));
        let server = tokio::spawn(async move {
            let outcome = serving.await;
            if myself.cast(Ended(outcome)).is_err() {
                tracing::trace!(name, "a listener ended after its actor");
            }
        });
        Ok(Open {
            name,
            server,
            stop: Some(stop),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Ended>,
        Ended(outcome): Ended,
        _open: &mut Open,
    ) -> Result<(), ActorProcessingErr> {
        outcome.map_err(ListenerError::Serve)?;
        Err(ListenerError::Ended.into())
    }

    /// Lets what is open end: the server bounds the time for it, and the child spec bounds this.
    async fn post_stop(
        &self,
        _myself: ActorRef<Ended>,
        open: &mut Open,
    ) -> Result<(), ActorProcessingErr> {
        tracing::info!(listener = open.name, "closing");
        drop(open.stop.take());
        if let Err(error) = (&mut open.server).await {
            tracing::error!(listener = open.name, %error, "the server did not end well");
        }
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The server ends within its own time; this is for the rest.
const DRAIN_MARGIN: Duration = Duration::from_secs(1);
