//! The branch of the tree that makes a node one of several.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use supervisors::{Backoff, Intensity, Strategy, SupervisorSpec};
use tokio::sync::{Notify, mpsc};

use super::{SetupError, listener::Bound, patient::patiently};
use crate::{
    cluster::{
        Branches, Outlook, Peer, Steward, StewardOptions, StewardSlot,
        links::{
            LinkOptions,
            dialer::Dialer,
            door::{Door, DoorOptions},
            heralds::Announcements,
            net::{Envoy, Net},
            node::Sessions,
            tls::Tls,
        },
    },
    config::Config,
    grpc::{Incoming, Ways},
    store::{Incarnation, Store},
    table::Tables,
};

/// What the rest of the tree needs of it.
pub(super) struct Cluster {
    /// Its branch.
    pub(super) branch: SupervisorSpec,
    /// Where tables are.
    pub(super) ways: Ways,
    /// Whether every shard is served somewhere.
    pub(super) outlook: Outlook,
    /// Who decides.
    pub(super) steward: StewardSlot,
    /// Calls that other nodes forward.
    pub(super) incoming: Incoming,
}

/// Who this node is, and the files that prove it.
pub(super) struct Identity {
    pub(super) me: Peer,
    pub(super) news: Arc<Notify>,
    tls: Option<Tls>,
    cookie: String,
}

impl Identity {
    /// Reads the files, and makes sure that no other node has this one's name.
    pub(super) async fn of(
        config: &Config,
        store: &dyn Store,
        now_ms: u64,
        patience: Duration,
    ) -> Result<Self, SetupError> {
        let section = &config.cluster;
        let (tls, cookie) = if section.insecure {
            (None, INSECURE_COOKIE.into())
        } else {
            let files = (
                &section.authority_file,
                &section.certificate_file,
                &section.key_file,
            );
            (
                Some(Tls::read(files.0, files.1, files.2)?),
                cookie(&section.cookie_file)?,
            )
        };
        let name = config.server.node.parse().map_err(SetupError::Name)?;
        let lives = |beats: Vec<crate::store::NodeBeat>| {
            let mine = beats
                .into_iter()
                .filter(|beat| beat.node == config.server.node);
            mine.map(|beat| (beat.incarnation, beat.beat))
                .collect::<Vec<_>>()
        };
        let beats = async || store.beats().await;
        let before = lives(patiently(patience, beats).await?);
        if !before.is_empty() {
            // One of these lives may not be over.
            tokio::time::sleep(Duration::from_millis(section.beat_ms) * 2 + BEAT_MARGIN).await;
            if lives(patiently(patience, beats).await?)
                .iter()
                .any(|life| !before.contains(life))
            {
                return Err(SetupError::NameTaken(config.server.node.clone()));
            }
        }
        // Higher than any before, also when the clock went back.
        let last = before.iter().map(|(life, _)| life.0).max().unwrap_or(0);
        let incarnation = Incarnation(now_ms.max(last + 1));
        Ok(Self {
            me: Peer { name, incarnation },
            news: Arc::default(),
            tls,
            cookie,
        })
    }
}

impl Cluster {
    pub(super) fn of(
        config: &Config,
        identity: Identity,
        store: Arc<dyn Store>,
        tables: &Tables,
        (door, players, operators): (Bound, SocketAddr, SocketAddr),
    ) -> Self {
        let section = &config.cluster;
        let Identity {
            me,
            news,
            tls,
            cookie,
        } = identity;
        let or_else = |told: &str, bound: SocketAddr| {
            if told.is_empty() {
                bound.to_string()
            } else {
                told.to_owned()
            }
        };
        let links = LinkOptions {
            me: me.clone(),
            cluster: section.name.clone(),
            address: or_else(&section.advertise, door.address),
            seeds: section.seeds.clone(),
            cookie,
            tls: tls.clone(),
            news: Arc::clone(&news),
        };
        let (sessions, branches) = (Sessions::default(), Branches::default());
        let (steward, outlook) = (StewardSlot::default(), Outlook::default());
        let net = Net::new(me.clone(), sessions.clone(), Arc::clone(&news));
        let announcements = Announcements::new(me.clone());
        let (calls, incoming) = mpsc::channel(CALLS_MAX);
        let options = StewardOptions {
            me: me.clone(),
            tables: tables.clone(),
            branches: branches.clone(),
            registry: Arc::new(announcements.clone()),
            fabric: Arc::new(net.clone()),
            store,
            news,
            nodes: links.address.clone(),
            players: or_else(&section.advertise_grpc, players),
            operators: operators.to_string(),
            beat_every: Duration::from_millis(section.beat_ms),
            ask_every: Duration::from_millis(section.ask_ms),
            settle: Duration::from_millis(section.settle_ms),
        };
        let door = DoorOptions {
            links: links.clone(),
            sessions: sessions.clone(),
            net: net.clone(),
            calls,
            socket: Arc::clone(&door.socket),
        };
        let ways = Ways::new(outlook.routes(tables), tls);
        let branch = SupervisorSpec::new(Strategy::RestForOne)
            .intensity(RESTARTS)
            .backoff(BACKOFF)
            .child(branches.child(tables))
            .child(sessions.child(&links))
            .child(announcements.child(net.clone()))
            .child(Envoy::child(&me, steward.clone()))
            .child(Door::child(door))
            .child(Dialer::child(links, sessions, net))
            .child(Steward::child(options, steward.clone(), outlook.clone()));
        Self {
            branch,
            ways,
            outlook,
            steward,
            incoming: Incoming::new(incoming),
        }
    }
}

fn cookie(path: &PathBuf) -> Result<String, SetupError> {
    let failed = |cause: std::io::Error| SetupError::Cookie {
        path: path.clone(),
        cause: cause.to_string(),
    };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let cookie = text.lines().next().unwrap_or_default().trim();
    if cookie.len() < COOKIE_MIN {
        return Err(SetupError::Cookie {
            path: path.clone(),
            cause: format!("a secret has at least {COOKIE_MIN} characters"),
        });
    }
    Ok(cookie.to_owned())
}

/// The links and the steward hold no truth, so starting them again is cheap; a node that cannot keep them cannot help itself.
const RESTARTS: Intensity = Intensity::new(10, Duration::from_secs(60));
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
/// Beside two beats, for the store.
const BEAT_MARGIN: Duration = Duration::from_millis(100);
/// Connections of other nodes that wait to be served.
const CALLS_MAX: usize = 64;
/// Compared, but no secret.
const INSECURE_COOKIE: &str = "insecure";
const COOKIE_MIN: usize = 16;
