//! Dials: seeds, nodes that beat, and links that were lost, with back-off.

use std::{collections::BTreeMap, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisors::{ChildSpec, StartFn};
use tokio::{io::AsyncWriteExt as _, task::JoinSet, time::Instant};
use tokio_rustls::rustls;

use super::{
    ConnectError, HELLO_MAX, LINK, LinkOptions, connect,
    door::Nothing,
    hello::{self, Welcome},
    net::Net,
    node::Sessions,
};
use crate::cluster::peer::Peer;

/// The actor.
pub struct Dialer;

/// When to dial an address again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    failures: u32,
    due: Instant,
}

impl Turn {
    /// At once.
    pub fn now(now: Instant) -> Self {
        Self {
            failures: 0,
            due: now,
        }
    }

    /// Whether it is time.
    pub fn is_due(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// A link is on its way, from here or from there: not before it must have come.
    pub fn met(&mut self, now: Instant) {
        self.failures = 0;
        self.due = now + LONGEST_PAUSE;
    }

    /// It failed: later, and later each time.
    pub fn failed(&mut self, now: Instant) {
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.failures.min(DOUBLINGS_MAX));
        self.failures = self.failures.saturating_add(1);
        self.due = now + pause.min(LONGEST_PAUSE);
    }
}

impl Dialer {
    /// The child spec.
    pub fn child(options: LinkOptions, sessions: Sessions, net: Net) -> ChildSpec {
        let start =
            StartFn::actor(move || (Dialer, (options.clone(), sessions.clone(), net.clone())));
        ChildSpec::from_start("dialer", start)
    }
}

impl Actor for Dialer {
    type Msg = Nothing;
    /// Ends with the dialer.
    type State = JoinSet<()>;
    type Arguments = (LinkOptions, Sessions, Net);

    async fn pre_start(
        &self,
        myself: ActorRef<Nothing>,
        (options, sessions, net): Self::Arguments,
    ) -> Result<JoinSet<()>, ActorProcessingErr> {
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            dial_all(options, sessions, net).await;
            myself.stop(None);
        });
        Ok(tasks)
    }
}

async fn dial_all(options: LinkOptions, sessions: Sessions, net: Net) {
    let mut turns: BTreeMap<String, Turn> = BTreeMap::new();
    let mut dials: JoinSet<(String, Dialled)> = JoinSet::new();
    let mut under_way: Vec<String> = Vec::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = net.lost() => {}
            Some(done) = dials.join_next() => {
                let Ok((address, dialled)) = done else { continue };
                under_way.retain(|known| *known != address);
                let now = Instant::now();
                let turn = turns.entry(address.clone()).or_insert(Turn::now(now));
                match dialled {
                    Dialled::Linked | Dialled::Myself => {
                        turn.met(now);
                        // What was heard of it meanwhile led to this very link.
                        net.take_lost(&address);
                    }
                    Dialled::Failed => turn.failed(now),
                }
            }
        }
        let now = Instant::now();
        for address in net.to_dial(&options.seeds) {
            if under_way.contains(&address) {
                continue;
            }
            let fresh = net.take_lost(&address);
            let turn = turns.entry(address.clone()).or_insert(Turn::now(now));
            if fresh {
                *turn = Turn::now(now);
            }
            if !turn.is_due(now) {
                continue;
            }
            under_way.push(address.clone());
            let (options, sessions, net) = (options.clone(), sessions.clone(), net.clone());
            dials.spawn(async move {
                let dialled = dial(&address, &options, &sessions, &net).await;
                (address, dialled)
            });
        }
    }
}

enum Dialled {
    Linked,
    Myself,
    Failed,
}

async fn dial(address: &str, options: &LinkOptions, sessions: &Sessions, net: &Net) -> Dialled {
    match greet(address, options, sessions, net).await {
        Ok(peer) if peer == options.me => {
            net.myself(address);
            Dialled::Myself
        }
        Ok(peer) => {
            net.alias(address, &peer);
            tracing::debug!(peer = %peer.name, address, "met a node");
            Dialled::Linked
        }
        Err(ConnectError::Refused(_)) => {
            net.refused(address);
            Dialled::Failed
        }
        Err(error) if error.is_for_an_operator() => {
            tracing::warn!(%error, "a node is not linked");
            Dialled::Failed
        }
        Err(error) => {
            tracing::debug!(%error, "a node is not linked");
            Dialled::Failed
        }
    }
}

async fn greet(
    address: &str,
    options: &LinkOptions,
    sessions: &Sessions,
    net: &Net,
) -> Result<Peer, ConnectError> {
    let mut stream = connect(address, options.tls.as_ref()).await?;
    let ours = options.hello();
    let greeting = async {
        stream.write_all(&LINK).await?;
        hello::write(&mut stream, &ours).await?;
        hello::read::<Welcome>(&mut stream).await
    };
    let welcome = match tokio::time::timeout(HELLO_MAX, greeting).await {
        Ok(Ok(welcome)) => welcome,
        Ok(Err(cause)) if is_nonsense(&cause) => {
            return Err(ConnectError::NoNode(address.into()));
        }
        Ok(Err(cause)) => {
            let address = address.into();
            return Err(ConnectError::Io { address, cause });
        }
        Err(_elapsed) => return Err(ConnectError::Late(address.into())),
    };
    let not_welcome = |reason: String| ConnectError::NotWelcome {
        address: address.into(),
        reason,
    };
    let (theirs, calls_back) = match welcome {
        Welcome::Yes(theirs) => (theirs, false),
        Welcome::CallsBack(theirs) => (theirs, true),
        Welcome::No(reason) if reason == hello::Unwelcome::Myself.to_string() => {
            return Ok(options.me.clone());
        }
        Welcome::No(reason) => return Err(not_welcome(reason)),
    };
    let peer =
        hello::judge(&ours, &theirs, &net.known()).map_err(|why| not_welcome(why.to_string()))?;
    net.met(&peer, &theirs.address);
    if !calls_back {
        net.opened(&peer);
        sessions.open(stream, false);
    }
    Ok(peer)
}

/// What came is no frame. What TLS refuses, a certificate above all, is told as TLS says it.
fn is_nonsense(cause: &std::io::Error) -> bool {
    let of_tls = cause
        .get_ref()
        .is_some_and(|cause| cause.is::<rustls::Error>());
    cause.kind() == std::io::ErrorKind::InvalidData && !of_tls
}

const LOOK_EVERY: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
const DOUBLINGS_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dials_come_later_each_time_up_to_a_limit() {
        let start = Instant::now();
        let mut turn = Turn::now(start);
        assert!(turn.is_due(start));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            turn.failed(start);
            pauses.push(turn.due.duration_since(start).as_millis());
        }
        assert_eq!(pauses, [200, 400, 800, 1_600, 3_000, 3_000, 3_000]);
    }
}
