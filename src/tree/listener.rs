//! A listener as a child: its socket outlives it, so that a restart loses no address.

use std::{
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{ChildSpec, Shutdown, StartFn};
use tokio::{sync::oneshot, task::JoinHandle};

use super::SetupError;
use crate::grpc::ServeError;

/// A socket that listens.
#[derive(Clone)]
pub(super) struct Bound {
    pub(super) socket: Arc<TcpListener>,
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
        Ok(Self {
            socket: Arc::new(socket),
            address,
        })
    }
}

/// Serves on a socket until it is told to stop.
type Serve = dyn Fn(Option<tokio::net::TcpListener>, Stop) -> Serving + Send + Sync;
type Serving = Pin<Box<dyn Future<Output = Result<(), ServeError>> + Send>>;
/// Ready when the listener is to stop.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The actor.
pub(super) struct Listener;

/// The server ended without having been asked to.
pub(super) struct Ended(Result<(), ServeError>);

impl Message for Ended {}

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
    /// One whose connections come some other way.
    pub(super) fn without_socket(
        name: &'static str,
        drain: Duration,
        serve: impl Fn(Stop) -> Serving + Send + Sync + 'static,
    ) -> ChildSpec {
        let serve: Arc<Serve> = Arc::new(move |_none, stop| serve(stop));
        Self::spec(name, None, drain, serve)
    }

    pub(super) fn child(
        name: &'static str,
        bound: Bound,
        drain: Duration,
        serve: impl Fn(tokio::net::TcpListener, Stop) -> Serving + Send + Sync + 'static,
    ) -> ChildSpec {
        let serve: Arc<Serve> = Arc::new(move |socket: Option<tokio::net::TcpListener>, stop| {
            serve(socket.expect("a listener with a socket gets it"), stop)
        });
        Self::spec(name, Some(bound.socket), drain, serve)
    }

    fn spec(
        name: &'static str,
        socket: Option<Arc<TcpListener>>,
        drain: Duration,
        serve: Arc<Serve>,
    ) -> ChildSpec {
        let start = StartFn::actor(move || (Listener, (name, socket.clone(), Arc::clone(&serve))));
        ChildSpec::from_start(name, start).shutdown(Shutdown::Timeout(drain + DRAIN_MARGIN))
    }
}

impl Actor for Listener {
    type Msg = Ended;
    type State = Open;
    type Arguments = (&'static str, Option<Arc<TcpListener>>, Arc<Serve>);

    async fn pre_start(
        &self,
        myself: ActorRef<Ended>,
        (name, socket, serve): Self::Arguments,
    ) -> Result<Open, ActorProcessingErr> {
        let open = |socket: Arc<TcpListener>| {
            let socket = socket.try_clone()?;
            tokio::net::TcpListener::from_std(socket)
        };
        let socket = socket
            .map(open)
            .transpose()
            .map_err(ListenerError::Socket)?;
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
