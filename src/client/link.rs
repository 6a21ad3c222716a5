//! The way to a server: one of several addresses, and the next one when it fails.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};

use super::address::{Address, AddressError};
use super::backoff::{Patience, jitter};
use super::error::CallError;
use super::status::{Verdict, judge};

/// Connections to the addresses of one server or cluster, made when needed and again when lost. Cheap to clone; clones
/// share the connections.
#[derive(Clone, Debug)]
pub struct Link {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    addresses: Vec<Address>,
    channels: Vec<Channel>,
    current: AtomicUsize,
    patience: Patience,
}

/// The answer to an attempt that was answered, and what it took.
pub(super) struct Reached<T> {
    pub(super) message: T,
    pub(super) attempts: u32,
}

impl Link {
    /// Does not connect yet. There must be at least one address.
    pub fn new(addresses: &[Address], patience: Patience) -> Result<Link, AddressError> {
        let endpoint = |address: &Address| -> Result<Channel, AddressError> {
            let endpoint = Endpoint::from_shared(address.as_str().to_owned());
            let Ok(endpoint) = endpoint else {
                return Err(AddressError::HostAndPort(address.to_string()));
            };
            Ok(endpoint
                .connect_timeout(CONNECT_LIMIT)
                .tcp_nodelay(true)
                .http2_keep_alive_interval(KEEP_ALIVE)
                .keep_alive_timeout(2 * KEEP_ALIVE)
                .keep_alive_while_idle(true)
                .connect_lazy())
        };
        let channels = addresses
            .iter()
            .map(endpoint)
            .collect::<Result<Vec<_>, _>>()?;
        if channels.is_empty() {
            return Err(AddressError::HostAndPort(String::new()));
        }
        let addresses = addresses.to_vec();
        let current = AtomicUsize::new(0);
        Ok(Link {
            inner: Arc::new(Inner {
                addresses,
                channels,
                current,
                patience,
            }),
        })
    }

    /// The same addresses over connections of its own.
    pub fn another(&self) -> Result<Link, AddressError> {
        Link::new(&self.inner.addresses, self.inner.patience)
    }

    /// How long its calls go on.
    pub fn patience(&self) -> Patience {
        self.inner.patience
    }

    /// The addresses, for a person.
    pub fn addresses(&self) -> String {
        let texts: Vec<&str> = self.inner.addresses.iter().map(Address::as_str).collect();
        texts.join(", ")
    }

    /// The connection in use and its number, for `turn_from`.
    pub(super) fn channel(&self) -> (usize, Channel) {
        let current = self.inner.current.load(Ordering::Relaxed) % self.inner.channels.len();
        (current, self.inner.channels[current].clone())
    }

    /// Goes on to the next address, unless somebody did already.
    pub(super) fn turn_from(&self, number: usize) {
        let next = (number + 1) % self.inner.channels.len();
        // Losing the race means that another call turned away from the same address.
        let turned =
            self.inner
                .current
                .compare_exchange(number, next, Ordering::Relaxed, Ordering::Relaxed);
        if turned.is_ok() && next != number {
            tracing::debug!(address = %self.inner.addresses[next], "turned to another address");
        }
    }

    /// Attempts until there is an answer or the patience is over. The attempt hears whether it is the first that can
    /// have arrived anywhere.
    pub(super) async fn repeat<T, A, F>(&self, mut attempt: A) -> Result<Reached<T>, CallError>
    where
        A: FnMut(Channel, bool) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let patience = self.inner.patience;
        let end = Instant::now() + patience.overall;
        let (mut attempts, mut arrived) = (0_u32, 0_u32);
        loop {
            let (number, channel) = self.channel();
            attempts = attempts.saturating_add(1);
            let status = match timeout(patience.attempt, attempt(channel, arrived == 0)).await {
                Ok(Ok(response)) => {
                    return Ok(Reached {
                        message: response.into_inner(),
                        attempts,
                    });
                }
                Ok(Err(status)) => status,
                Err(_elapsed) => Status::deadline_exceeded("no answer in time"),
            };
            let (after, reason) = match judge(&status, arrived > 0) {
                Verdict::Refused(refusal) => return Err(CallError::Refused(refusal)),
                Verdict::Again {
                    after,
                    reason,
                    arrived: sent,
                } => {
                    arrived = arrived.saturating_add(u32::from(sent));
                    (after, reason)
                }
            };
            self.turn_from(number);
            let own = patience.backoff.wait(attempts, jitter());
            let wait = after.map_or(own, |after| after.clamp(own, RETRY_INFO_MAX.max(own)));
            if Instant::now() + wait >= end {
                return Err(if arrived > 0 {
                    CallError::Unknown { attempts, reason }
                } else {
                    CallError::Unreachable {
                        addresses: self.addresses(),
                        reason,
                    }
                });
            }
            sleep(wait).await;
        }
    }
}

/// A server on the same continent answers within this; a dead one must not hold up the next address.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// A half-open connection, and a frozen server, is noticed after three times this.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// A server cannot send a client to sleep for longer.
const RETRY_INFO_MAX: Duration = Duration::from_secs(10);
