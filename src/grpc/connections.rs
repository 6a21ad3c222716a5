//! How many connections there may be, in all and from one address (S16): a place each, taken when a connection is accepted
//! and given back when it ends.
//!
//! A connection without a place is told so in HTTP/2, before it said anything, and closed. One that has not said the first
//! words of either protocol after [`FIRST_WORDS_MAX`] is closed too, so that a silent one keeps no place; later silence is
//! noticed by pings and by the time for the headers of a request.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::IpAddr,
    num::NonZeroUsize,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo, TcpIncoming};

use crate::accounts::network;

/// How many connections a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub total: NonZeroUsize,
    /// From one address; from one /64 for IPv6.
    pub per_address: NonZeroUsize,
}

/// Accepts connections while there are places for them.
pub(super) struct Admission {
    sockets: TcpIncoming,
    places: Arc<Places>,
    unacknowledged_max: Duration,
}

/// The places of a listener.
struct Places {
    limits: ConnectionLimits,
    taken: Mutex<Taken>,
    refused: AtomicU64,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// A connection's place; given back when it is dropped.
struct Place {
    places: Arc<Places>,
    network: IpAddr,
}

/// What a client has to say first, and by when.
struct Greeting {
    missing: usize,
    due: Pin<Box<Sleep>>,
}

/// A connection that has a place.
pub(super) struct Connection {
    socket: TcpStream,
    /// Until it has said so many bytes.
    greeting: Option<Greeting>,
    _place: Place,
}

impl Admission {
    /// A connection whose peer acknowledges nothing of what was sent for `unacknowledged_max` is broken off: HTTP/2's pings
    /// notice that too, but then the server wants to say goodbye first, and that is stuck behind what is not acknowledged.
    pub(super) fn new(
        sockets: TcpIncoming,
        limits: ConnectionLimits,
        unacknowledged_max: Duration,
    ) -> Self {
        let places = Places {
            limits,
            taken: Mutex::default(),
            refused: AtomicU64::new(0),
        };
        Self {
            sockets,
            places: Arc::new(places),
            unacknowledged_max,
        }
    }

    fn admit(&self, socket: TcpStream) -> Option<Connection> {
        // Who is gone already has no address and needs no place.
        let address = socket.peer_addr().ok()?.ip();
        let Some(place) = Places::take(&self.places, network(address)) else {
            self.refuse(&socket, address);
            return None;
        };
        let limit = Some(self.unacknowledged_max);
        if let Err(error) = SockRef::from(&socket).set_tcp_user_timeout(limit) {
            tracing::debug!(%error, "a connection without a limit to what is not acknowledged");
        }
        Some(Connection {
            socket,
            greeting: Some(Greeting {
                missing: FIRST_WORDS,
                due: Box::pin(tokio::time::sleep(FIRST_WORDS_MAX)),
            }),
            _place: place,
        })
    }

    /// Best effort: what fits into an empty socket's buffer goes out with the end of the connection.
    fn refuse(&self, socket: &TcpStream, address: IpAddr) {
        let refused = self.places.refused.fetch_add(1, Relaxed) + 1;
        // A flood must not become a flood of log lines.
        if refused.is_power_of_two() {
            tracing::warn!(%address, refused, "too many connections: turned away");
        }
        if let Err(error) = socket.try_write(&goodbye()) {
            tracing::trace!(%error, "a connection that is turned away does not hear why");
        }
    }
}

impl Stream for Admission {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.sockets).poll_next(context)) {
                Some(Ok(socket)) => {
                    if let Some(connection) = self.admit(socket) {
                        return Poll::Ready(Some(Ok(connection)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Places {
    fn take(places: &Arc<Self>, network: IpAddr) -> Option<Place> {
        let mut taken = places.lock();
        let here = taken.by_network.get(&network).copied().unwrap_or(0);
        if taken.total >= places.limits.total.get() || here >= places.limits.per_address.get() {
            return None;
        }
        taken.total += 1;
        taken.by_network.insert(network, here + 1);
        drop(taken);
        Some(Place {
            places: Arc::clone(places),
            network,
        })
    }

    fn give_back(&self, network: IpAddr) {
        let mut taken = self.lock();
        taken.total = taken.total.saturating_sub(1);
        match taken.by_network.get_mut(&network) {
            Some(here) if *here > 1 => *here -= 1,
            Some(_) | None => {
                taken.by_network.remove(&network);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.network);
    }
}

impl Greeting {
    /// What is missing after so many bytes more; `None`: nothing.
    fn after(self, said: usize) -> Option<Self> {
        let missing = self
            .missing
            .checked_sub(said)
            .filter(|missing| *missing > 0)?;
        Some(Self { missing, ..self })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.socket).poll_read(context, buffer) {
            let said = buffer.filled().len() - before;
            self.greeting = self
                .greeting
                .take()
                .and_then(|greeting| greeting.after(said));
            return Poll::Ready(read);
        }
        match &mut self.greeting {
            Some(greeting) => {
                ready!(greeting.due.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.socket.connect_info()
    }
}

/// An HTTP/2 server's first words, no settings, and its last ones: GOAWAY with ENHANCE_YOUR_CALM and a text (RFC 9113, 6.8).
fn goodbye() -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const ENHANCE_YOUR_CALM: u32 = 0xb;
    let payload = 8 + GOODBYE.len() as u32;
    let [_, length @ ..] = payload.to_be_bytes();
    let mut bytes = SETTINGS.to_vec();
    bytes.extend(length);
    bytes.extend([7, 0, 0, 0, 0, 0]);
    bytes.extend(0u32.to_be_bytes());
    bytes.extend(ENHANCE_YOUR_CALM.to_be_bytes());
    bytes.extend(GOODBYE.bytes());
    bytes
}

const GOODBYE: &str = "too many connections; close some, or try again later";
/// The length of HTTP/2's preface (RFC 9113, 3.4); no request of HTTP/1.1, which has to name its host, is shorter. Which of the
/// two it is cannot be told before, so that nobody else watches the time until then.
const FIRST_WORDS: usize = 24;
/// A client speaks first, so this is the time of a handshake over a bad line.
const FIRST_WORDS_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn places(total: usize, per_address: usize) -> Arc<Places> {
        let number = |number| NonZeroUsize::new(number).expect("not zero");
        Arc::new(Places {
            limits: ConnectionLimits {
                total: number(total),
                per_address: number(per_address),
            },
            taken: Mutex::default(),
            refused: AtomicU64::new(0),
        })
    }

    #[test]
    fn places_are_taken_and_given_back() {
        let places = places(3, 2);
        let ip = |text: &str| text.parse().expect("tests write addresses");
        let take = |text: &str| Places::take(&places, ip(text));
        let first = take("192.0.2.1").expect("a place");
        let _second = take("192.0.2.1").expect("a place");
        assert!(take("192.0.2.1").is_none(), "the address has its places");
        let _other = take("192.0.2.2").expect("a place");
        assert!(take("192.0.2.3").is_none(), "the listener has its places");
        drop(first);
        let _third = take("192.0.2.3").expect("a place");
        assert_eq!(places.lock().by_network.len(), 3);
    }

    /// What a client says, then silence: whether the server still listens after a minute.
    async fn outlives_a_minute(says: &[u8]) -> bool {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        use tokio_stream::StreamExt as _;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut client = TcpStream::connect(address).await.expect("a connection");
        let mut admission = Admission::new(
            TcpIncoming::from(listener),
            places(1, 1).limits,
            Duration::from_secs(10),
        );
        let server = admission.next().await.expect("it listens");
        let mut server = server.expect("a place");
        client.write_all(says).await.expect("sent");
        let mut heard = vec![0; says.len()];
        server.read_exact(&mut heard).await.expect("heard");
        tokio::time::pause();
        let minute = Duration::from_secs(60);
        let outcome = tokio::time::timeout(minute, server.read_u8()).await;
        tokio::time::resume();
        match outcome {
            Err(_elapsed) => true,
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => false,
            Ok(other) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn who_does_not_say_the_first_words_in_time_is_left() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        assert_eq!(preface.len(), FIRST_WORDS);
        assert!(!outlives_a_minute(b"").await);
        assert!(!outlives_a_minute(b"PRI").await);
        assert!(!outlives_a_minute(&preface[..FIRST_WORDS - 1]).await);
        assert!(outlives_a_minute(preface).await);
    }
}
