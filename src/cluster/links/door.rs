//! Accepts connections of other nodes, and sorts them: links, and forwarded calls.
//!
//! Each connection is looked after by a task of its own, in bounded time and number: one that says nothing keeps nobody
//! else from coming in.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{ChildSpec, StartFn};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use super::{
    HELLO_MAX, LINK, LinkOptions, Rewound, Stream,
    hello::{self, Hello, Welcome},
    net::Net,
    node::Sessions,
    preface,
};

/// The actor.
pub struct Door;

/// What the door works with.
#[derive(Clone)]
pub struct DoorOptions {
    /// How this node meets others.
    pub links: LinkOptions,
    /// Where links go.
    pub sessions: Sessions,
    /// Who is linked already.
    pub net: Net,
    /// Where forwarded calls go.
    pub calls: mpsc::Sender<Stream>,
    /// The socket: it outlives the door, so that a restart loses no address.
    pub socket: Arc<std::net::TcpListener>,
}

/// The door is told nothing.
pub struct Nothing;

impl Message for Nothing {}

impl Door {
    /// The child spec.
    pub fn child(options: DoorOptions) -> ChildSpec {
        ChildSpec::from_start("door", StartFn::actor(move || (Door, options.clone())))
    }
}

impl Actor for Door {
    type Msg = Nothing;
    /// Ends with the door.
    type State = JoinSet<()>;
    type Arguments = DoorOptions;

    async fn pre_start(
        &self,
        myself: ActorRef<Nothing>,
        options: DoorOptions,
    ) -> Result<JoinSet<()>, ActorProcessingErr> {
        let socket = TcpListener::from_std(options.socket.try_clone()?)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            accept(socket, options).await;
            myself.stop(Some("the door's socket failed".into()));
        });
        Ok(tasks)
    }
}

async fn accept(socket: TcpListener, options: DoorOptions) {
    let guests = Arc::new(Semaphore::new(GUESTS_MAX));
    let mut tasks = JoinSet::new();
    let mut failures = 0;
    while failures < ACCEPT_FAILURES_MAX {
        while tasks.try_join_next().is_some() {}
        // More than so many wait in the socket's own queue until one of those inside is sorted.
        let Ok(turn) = Arc::clone(&guests).acquire_owned().await else {
            return;
        };
        match socket.accept().await {
            Ok((guest, from)) => {
                failures = 0;
                let options = options.clone();
                tasks.spawn(async move {
                    let sorted = tokio::time::timeout(2 * HELLO_MAX, sort(guest, &options)).await;
                    drop(turn);
                    match sorted {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => tracing::info!(%from, %error, "not let in"),
                        Err(_elapsed) => tracing::info!(%from, "said nothing; not let in"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a node failed");
                failures += 1;
            }
        }
    }
}

async fn sort(guest: TcpStream, options: &DoorOptions) -> std::io::Result<()> {
    guest.set_nodelay(true)?;
    let mut stream: Stream = match &options.links.tls {
        Some(tls) => Box::new(tls.accept(guest).await?),
        None => Box::new(guest),
    };
    let first = preface(&mut stream).await?;
    if first == LINK {
        return link(stream, options).await;
    }
    // HTTP/2 checks the rest of its own preface.
    let call = Rewound {
        first,
        read: 0,
        inner: stream,
    };
    let full = |error: mpsc::error::SendError<Stream>| std::io::Error::other(error.to_string());
    options.calls.send(Box::new(call)).await.map_err(full)
}

async fn link(mut stream: Stream, options: &DoorOptions) -> std::io::Result<()> {
    let theirs: Hello = hello::read(&mut stream).await?;
    let ours = options.links.hello();
    match hello::judge(&ours, &theirs, &options.net.known()) {
        Ok(peer) if ours.node < theirs.node => {
            hello::write(&mut stream, &Welcome::CallsBack(ours)).await?;
            options.net.call_back(&peer, &theirs.address);
            Ok(())
        }
        Ok(peer) => {
            hello::write(&mut stream, &Welcome::Yes(ours)).await?;
            options.net.met(&peer, &theirs.address);
            options.sessions.open(stream, true);
            Ok(())
        }
        Err(why) => {
            hello::write(&mut stream, &Welcome::No(why.to_string())).await?;
            Err(std::io::Error::other(why))
        }
    }
}

/// Connections that have not said yet what they are.
const GUESTS_MAX: usize = 64;
/// In a row: then the supervisor tries anew.
const ACCEPT_FAILURES_MAX: u32 = 10;
