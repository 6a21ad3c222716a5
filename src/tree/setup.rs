//! What a node needs before its tree can start, from its configuration.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use supervisors::StartError;

use super::{cluster::Identity, patient::patiently, stores};
use crate::{
    accounts::{GuestLimit, SessionSettings, Sessions},
    cluster::{links::tls::TlsError, peer::BadName},
    config::Config,
    grpc::{self, ConnectionLimits, Origins, WatchLimits, options::BadOrigin},
    ids::ShardCount,
    store::{Cas, ClusterRecord, SerialDomain, Store, StoreError, log::LogOptions},
    table::{
        Tables, level,
        seal::{Keyring, SealError},
        shard::{Options, World},
        shuffle::OsDealer,
    },
};

/// Why a node does not start. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A socket cannot be opened.
    #[error(
        "cannot listen on {host}:{port}: {cause}; stop what uses it, or configure another port"
    )]
    Listen {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Why.
        cause: std::io::Error,
    },
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] stores::StoreError),
    /// The store gave no answer.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The store was made for another number of shards.
    #[error(
        "the store has {stored} shards and the configuration says {configured}: set server.shards to {stored}; it is fixed when a store is made"
    )]
    Shards {
        /// What the store was made with.
        stored: ShardCount,
        /// What the configuration says.
        configured: ShardCount,
    },
    /// The store was made for another order of conditional statements.
    #[error(
        "the store was made with {}, the configuration says {}: set cassandra.consistency and cassandra.data_centre accordingly; it is fixed when a store is made",
        words(stored),
        words(configured)
    )]
    SerialDomain {
        /// What the store was made with.
        stored: SerialDomain,
        /// What the configuration says.
        configured: SerialDomain,
    },
    /// The store does not hold everything yet.
    #[error(
        "the store is half filled by a restore or a migration that did not end: end the migration by the same command, or empty the store and restore again"
    )]
    HalfFilled,
    /// The store holds forms that this release does not read.
    #[error(
        "the store is at feature level {stored}, this release reads up to {known}: start the newer release"
    )]
    FeatureLevel {
        /// The store's.
        stored: u32,
        /// Ours.
        known: u32,
    },
    /// The keys do not read.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// An origin is none.
    #[error("grpc.cors_origins: {0}")]
    Origin(#[from] BadOrigin),
    /// The certificates do not read.
    #[error("cluster: {0}")]
    Tls(#[from] TlsError),
    /// The cookie does not read.
    #[error("cluster.cookie_file: {}: {cause}", path.display())]
    Cookie {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The node's name is none.
    #[error("server.node: {0}")]
    Name(#[source] BadName),
    /// Another node has this one's name.
    #[error("another node with the name `{0}` is running: give each node its own, see server.node")]
    NameTaken(String),
    /// The tree does not start.
    #[error("the node does not start: {0}")]
    Start(#[from] StartError),
}

/// What a node's tree is made of.
pub(super) struct Setup {
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: Keyring,
    pub(super) tables: Tables,
    pub(super) sessions: Sessions,
    pub(super) grpc_options: grpc::Options,
    pub(super) drain: Duration,
    /// `None`: the node is alone.
    pub(super) identity: Option<Identity>,
}

impl Setup {
    pub(super) async fn of(config: &Config) -> Result<Self, SetupError> {
        let grpc_options = grpc_options(config)?;
        let store = stores::open(config).await?;
        let patience = Duration::from_millis(config.cassandra.connect_patience_ms);
        let shards = claim_cluster(store.as_ref(), config, patience).await?;
        let keys = keys(config)?;
        let identity = match config.cluster.enabled {
            true => Some(Identity::of(config, store.as_ref(), wall_ms(), patience).await?),
            false => None,
        };
        let world = World {
            store: Arc::clone(&store),
            keys: keys.clone(),
            dealer: Box::new(OsDealer),
            wall_ms: Box::new(wall_ms),
            token: Box::new(token),
            node: identity
                .as_ref()
                .map_or_else(|| config.server.node.clone(), |who| who.me.to_string()),
            steward: identity.as_ref().map(|who| Arc::clone(&who.news)),
        };
        let settings = SessionSettings {
            cached: SESSIONS_CACHED,
            guests: guest_limit(config),
        };
        Ok(Self {
            tables: Tables::new(shards, table_options(config), world),
            sessions: Sessions::new(Arc::clone(&store), settings),
            store,
            keys,
            grpc_options,
            identity,
            drain: Duration::from_millis(config.server.drain_timeout_ms),
        })
    }
}

/// Makes the cluster's record, or refuses a store that was made otherwise.
async fn claim_cluster(
    store: &dyn Store,
    config: &Config,
    patience: Duration,
) -> Result<ShardCount, SetupError> {
    let configured = ShardCount(config.shards());
    let ours = ClusterRecord {
        shards: configured,
        serial_domain: stores::serial_domain(config),
        feature_level: level::KNOWN,
    };
    // Several nodes that start together get in each other's way here; whoever asks again finds the record, whoever made it.
    let made = patiently(patience, async || store.create_cluster(&ours).await);
    let stored = match made.await? {
        Cas::Applied => return Ok(configured),
        Cas::NotApplied(stored) => stored,
    };
    if stored.feature_level == ClusterRecord::HALF_FILLED {
        return Err(SetupError::HalfFilled);
    }
    if stored.feature_level > level::KNOWN {
        return Err(SetupError::FeatureLevel {
            stored: stored.feature_level,
            known: level::KNOWN,
        });
    }
    if stored.shards != configured {
        return Err(SetupError::Shards {
            stored: stored.shards,
            configured,
        });
    }
    if stored.serial_domain != ours.serial_domain {
        return Err(SetupError::SerialDomain {
            stored: stored.serial_domain,
            configured: ours.serial_domain,
        });
    }
    Ok(configured)
}

fn words(domain: &SerialDomain) -> String {
    match domain {
        SerialDomain::Serial => "`consistency: quorum`".into(),
        SerialDomain::LocalSerial(data_centre) => {
            format!("`consistency: local_quorum` in data centre {data_centre}")
        }
    }
}

/// The keys of the configured file, or of one that is made beside the embedded store.
fn keys(config: &Config) -> Result<Keyring, SealError> {
    let path = config.deck_key_file();
    if config.secrets.deck_key_file.as_os_str().is_empty() {
        Keyring::read_or_create(&path)
    } else {
        Keyring::read(&path)
    }
}

fn table_options(config: &Config) -> Options {
    let server = &config.server;
    Options {
        snapshot_interval: server.snapshot_interval,
        snapshot_every_hand: server.every_hand,
        commit_interval: Duration::from_millis(server.commit_interval_ms),
        commit_tables: server.commit_tables,
        commit_bytes: server.commit_max_bytes,
        shard_queue: server.shard_queue,
        table_queue: server.table_queue,
        hand_pause: Duration::from_millis(server.hand_pause_ms),
        sleep_after: Duration::from_millis(server.sleep_after_ms),
        recover_concurrency: server.recover_concurrency,
        park_after: server.park_after,
        call_timeout: Duration::from_millis(server.call_timeout_ms),
        log: LogOptions {
            rotate_bytes: server.segment_max_bytes,
            ..LogOptions::default()
        },
    }
}

fn grpc_options(config: &Config) -> Result<grpc::Options, BadOrigin> {
    let grpc = &config.grpc;
    Ok(grpc::Options {
        request_bytes_max: grpc.request_max_bytes,
        connections: ConnectionLimits {
            total: at_least_one(grpc.connections_max),
            per_address: at_least_one(grpc.connections_per_address),
        },
        streams_per_connection: grpc.streams_per_connection,
        calls_per_connection: grpc.calls_per_connection,
        keep_alive: Duration::from_millis(grpc.keep_alive_ms),
        // The tables answer within their own time; this is for what hangs elsewhere.
        call_timeout: Duration::from_millis(config.server.call_timeout_ms) * 2,
        drain: Duration::from_millis(config.server.drain_timeout_ms),
        origins: Origins::parse(&grpc.cors_origins)?,
        watch: WatchLimits {
            queue: grpc.watch_queue_frames,
            tables: grpc.watch_tables,
            per_player: grpc.watches_per_player,
        },
    })
}

/// The configuration was checked.
fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

fn guest_limit(config: &Config) -> GuestLimit {
    let per_minute = config.grpc.guests_per_minute.max(1);
    let burst = NonZeroU32::new(config.grpc.guests_at_once).unwrap_or(NonZeroU32::MIN);
    GuestLimit {
        burst,
        every: Duration::from_secs(60) / per_minute,
    }
}

/// Names an incarnation of a writer.
pub(super) fn token() -> [u8; 16] {
    uuid::Uuid::new_v4().into_bytes()
}

pub(super) fn wall_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// About 200 bytes each.
const SESSIONS_CACHED: usize = 100_000;
