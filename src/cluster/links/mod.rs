//! The links between nodes: our own door, handshake and dialling around `ractor_cluster`.
//!
//! What `ractor_cluster` brings is the link itself: process groups and calls over one connection. What it lacks is done
//! here: a TLS accept that cannot block the next one, a handshake that names the cluster, the release and the node before
//! anything else is read, dialling again, and a deadline for every call. Its own listener stays locked ([`node`]).
//!
//! - [`tls`]: mutual TLS out of three files
//! - [`hello`]: the first frame each way (pure)
//! - [`door`]: accepts: links for `ractor_cluster`, HTTP/2 for forwarded calls
//! - [`dialer`]: seeds, nodes that beat, links that were lost; back-off
//! - [`node`], [`net`], [`heralds`]: the server of sessions, the [`Fabric`](super::Fabric), the
//!   [`Registry`](super::Registry)

pub mod dialer;
pub mod door;
pub mod hello;
pub mod heralds;
pub mod net;
pub mod node;
pub mod tls;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

use self::{hello::Hello, tls::Tls};
use super::peer::Peer;

/// How this node meets others.
#[derive(Clone)]
pub struct LinkOptions {
    /// This node.
    pub me: Peer,
    /// The cluster's name: nodes of another one are refused.
    pub cluster: String,
    /// Where other nodes connect to this one, `host:port`.
    pub address: String,
    /// Nodes to begin with. They may be down, or this node itself.
    pub seeds: Vec<String>,
    /// The secret that `ractor_cluster` compares, beside TLS and never instead of it.
    pub cookie: String,
    /// `None`: in clear, for development.
    pub tls: Option<Tls>,
    /// Woken when a link or an announcement changed.
    pub news: Arc<Notify>,
}

impl LinkOptions {
    /// What this node says first.
    pub fn hello(&self) -> Hello {
        Hello {
            version: hello::VERSION,
            cluster: self.cluster.clone(),
            node: self.me.name.to_string(),
            incarnation: self.me.incarnation,
            address: self.address.clone(),
            cookie: digest(&self.cookie),
        }
    }
}

/// Says whether two nodes have the same cookie, and not which one. Its holders only see it after mutual TLS.
fn digest(cookie: &str) -> String {
    let digest = Sha256::digest(format!("{COOKIE}{cookie}"));
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Both halves of a connection.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection between nodes, encrypted or not.
pub type Stream = Box<dyn Io>;

/// Why a connection is not made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there: the process is gone.
    #[error("refused by {0}: nobody listens there")]
    Refused(String),
    /// Anything else on the way.
    #[error("cannot connect to {address}: {cause}")]
    Io {
        /// Where.
        address: String,
        /// Why.
        cause: std::io::Error,
    },
    /// No answer.
    #[error("{0} does not answer")]
    Late(String),
    /// It is a node, and does not let this one in.
    #[error("{address} does not let this node in: {reason}")]
    NotWelcome {
        /// Where.
        address: String,
        /// Its words.
        reason: String,
    },
    /// What answers is no node.
    #[error("what listens at {0} is no node of a cluster")]
    NoNode(String),
}

impl ConnectError {
    /// Whether somebody has to do something about it: the other one is there, and there will be no link.
    fn is_for_an_operator(&self) -> bool {
        match self {
            Self::NotWelcome { .. } | Self::NoNode(_) => true,
            // What TLS refuses, a certificate above all.
            Self::Io { cause, .. } => cause.kind() == std::io::ErrorKind::InvalidData,
            Self::Refused(_) | Self::Late(_) => false,
        }
    }
}

/// Connects to another node, with TLS if there is to be any.
///
/// # Errors
/// See [`ConnectError`]; in bounded time.
pub async fn connect(address: &str, tls: Option<&Tls>) -> Result<Stream, ConnectError> {
    let failed = |cause: std::io::Error| {
        let address = address.into();
        if cause.kind() == std::io::ErrorKind::ConnectionRefused {
            ConnectError::Refused(address)
        } else {
            ConnectError::Io { address, cause }
        }
    };
    let connecting = async {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(match tls {
            Some(tls) => Box::new(tls.connect(socket).await?) as Stream,
            None => Box::new(socket) as Stream,
        })
    };
    match tokio::time::timeout(CONNECT_MAX, connecting).await {
        Ok(connected) => connected.map_err(failed),
        Err(_elapsed) => Err(ConnectError::Late(address.into())),
    }
}

/// Reads the bytes that say what a connection is for.
async fn preface(stream: &mut Stream) -> std::io::Result<[u8; PREFACE]> {
    let mut first = [0; PREFACE];
    stream.read_exact(&mut first).await?;
    Ok(first)
}

/// A connection whose first bytes were looked at, and are read again.
struct Rewound {
    first: [u8; PREFACE],
    read: usize,
    inner: Stream,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        let left = &this.first[this.read..];
        if left.is_empty() {
            return Pin::new(&mut this.inner).poll_read(cx, buffer);
        }
        let taken = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..taken]);
        this.read += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// How a connection for links begins. Forwarded calls are HTTP/2, which begins with `PRI `.
pub const LINK: [u8; PREFACE] = *b"ORP1";
const PREFACE: usize = 4;
/// So that the digest of a cookie is of no use elsewhere.
const COOKIE: &str = "orp cluster cookie ";
/// For a dial, TLS included. A frozen process accepts and says nothing.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// For the handshake after that.
const HELLO_MAX: Duration = Duration::from_secs(2);
