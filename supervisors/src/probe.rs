//! How long a message waits at an actor, and how much it has taken in: what can be known of a mailbox.
//!
//! ractor tells nobody how long a mailbox is. Counting what is sent and handled would cost every message two writes to memory
//! that several threads share; a probe costs nothing until somebody looks, and then one small message, which waits behind
//! whatever is there already. The actor itself stops the clock when it takes the probe in, so that what is measured is what a
//! message of its callers waits, and not how busy the one is who looks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorCell, ActorRef, Message};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What a probe carries; the actor answers it when it takes it in.
#[derive(Debug)]
pub struct Echo {
    sent: Instant,
    reply: oneshot::Sender<Pulse>,
}

impl Echo {
    /// Answers: so many requests were taken in and are not finished. Whoever looked may have given up, which changes nothing.
    pub fn answer(self, waiting: usize) {
        let pulse = Pulse {
            delay: self.sent.elapsed(),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        };
        if self.reply.send(pulse).is_err() {
            tracing::trace!("nobody waited for the pulse");
        }
    }
}

/// A message that makes an actor tell its pulse.
#[derive(Clone)]
pub struct Probe(Arc<SendIt>);

/// Whether it was sent.
type SendIt = dyn Fn(&ActorCell, Echo) -> bool + Send + Sync;

impl Probe {
    /// `message` makes the message, which the actor answers by [`Echo::answer`] and else does nothing about. To an actor of other
    /// messages it is not sent.
    pub fn new<M: Message>(message: impl Fn(Echo) -> M + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |actor, echo| {
            let actor = ActorRef::<M>::from(actor.clone());
            actor.send_message(message(echo)).is_ok()
        }))
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How long the probe waited until the actor took it in.
    pub delay: Duration,
    /// Requests that the actor has taken in and not finished.
    pub waiting: u32,
}

/// Takes the pulse of one incarnation of a child.
#[derive(Debug, Clone)]
pub struct Prober {
    actor: ActorCell,
    probe: Probe,
}

impl Prober {
    pub(crate) fn new(actor: ActorCell, probe: Probe) -> Self {
        Self { actor, probe }
    }

    /// Sends the probe and waits for its answer. None: it did not come within the limit, or the actor has ended.
    pub async fn pulse(&self, within: Duration) -> Option<Pulse> {
        let (reply, answer) = oneshot::channel();
        let sent = Instant::now();
        if !(self.probe.0)(&self.actor, Echo { sent, reply }) {
            return None;
        }
        tokio::time::timeout(within, answer).await.ok()?.ok()
    }
}
