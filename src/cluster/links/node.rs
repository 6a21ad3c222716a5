//! `ractor_cluster`'s server of sessions, with its own listener locked.
//!
//! Sessions come in through [`door`](super::door) and [`dialer`](super::dialer), after their handshake. The listener that
//! the server insists on gets a port of this machine that nobody is told, and a TLS configuration without a certificate:
//! whoever finds it is refused before the first byte of a session.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use ractor::{Actor, ActorRef};
use ractor_cluster::{
    BoxRead, BoxWrite, ClusterBidiStream, IncomingEncryptionMode, NodeServer, NodeServerMessage,
    node::NodeConnectionMode,
};
use supervisors::{ChildSpec, StartError};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

use super::{LinkOptions, Stream};

/// The way to the present server of sessions.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<Option<ActorRef<NodeServerMessage>>>>);

/// A connection on its way to `ractor_cluster`.
struct Carried(Stream);

impl ClusterBidiStream for Carried {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.0);
        (Box::new(read), Box::new(write))
    }
}

impl Sessions {
    /// The child spec.
    pub fn child(&self, options: &LinkOptions) -> ChildSpec {
        let (sessions, options) = (self.clone(), options.clone());
        ChildSpec::new("sessions", move |supervisor| {
            let (sessions, server) = (sessions.clone(), server(&options));
            async move {
                let (actor, _) = Actor::spawn_linked(None, server, (), supervisor).await?;
                *sessions.lock() = Some(actor.clone());
                Ok::<_, StartError>(actor)
            }
        })
    }

    /// Hands a connection over, after its handshake. `accepted`: the other side dialled.
    pub(super) fn open(&self, stream: Stream, accepted: bool) {
        let opened = NodeServerMessage::ConnectionOpenedExternal {
            stream: Box::new(Carried(stream)),
            is_server: accepted,
        };
        if self
            .find()
            .is_none_or(|server| server.cast(opened).is_err())
        {
            tracing::warn!("a link came in and there is no server of sessions");
        }
    }

    pub(super) fn find(&self) -> Option<ActorRef<NodeServerMessage>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ActorRef<NodeServerMessage>>> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

fn server(options: &LinkOptions) -> NodeServer {
    NodeServer::new(
        0,
        options.cookie.clone(),
        options.me.name.to_string(),
        // Sessions are told apart by name and host: a node that starts again is another one.
        options.me.incarnation.0.to_string(),
        Some(IncomingEncryptionMode::Tls(locked())),
        Some(NodeConnectionMode::Isolated),
    )
    .with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
    .with_max_inbound_frame_size(FRAME_MAX)
}

/// Accepts nobody.
fn locked() -> TlsAcceptor {
    #[derive(Debug)]
    struct NoCertificate;

    impl ResolvesServerCert for NoCertificate {
        fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            None
        }
    }

    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the usual protocol versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(NoCertificate));
    TlsAcceptor::from(Arc::new(config))
}

/// A list of 2,048 announcements is 200 KB.
const FRAME_MAX: u64 = 4 << 20;
