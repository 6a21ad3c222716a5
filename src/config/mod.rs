//! The configuration: one file, the environment over it, and nothing else.
//!
//! `config/default.yaml` is built in. It *is* the defaults, and its keys and types
//! are what a configuration may say: so code, file and docs cannot differ. This
//! module is the only reader of the environment.

mod cluster;
mod merge;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub use merge::Place;

/// The default configuration, as the server prints it.
pub const DEFAULT: &str = include_str!("../../config/default.yaml");

/// What the server is told. Each knob is explained in `config/default.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "config/default.yaml explains each knob, and a test keeps the two in step"
)]
pub struct Config {
    pub grpc: Grpc,
    pub ops: Ops,
    pub cluster: Cluster,
    pub store: StoreKind,
    pub embedded: Embedded,
    pub cassandra: Cassandra,
    pub secrets: Secrets,
    pub archive: Archive,
    pub server: Server,
    pub log: Log,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Grpc {
    pub host: String,
    pub port: u16,
    pub cors_origins: Vec<String>,
    pub request_max_bytes: usize,
    pub connections_max: usize,
    pub connections_per_address: usize,
    pub streams_per_connection: u32,
    pub calls_per_connection: usize,
    pub keep_alive_ms: u64,
    pub watch_queue_frames: usize,
    pub watch_tables: usize,
    pub watches_per_player: usize,
    pub guests_at_once: u32,
    pub guests_per_minute: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Ops {
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Cluster {
    pub enabled: bool,
    pub name: String,
    pub host: String,
    pub port: u16,
    pub advertise: String,
    pub advertise_grpc: String,
    pub seeds: Vec<String>,
    pub insecure: bool,
    pub authority_file: PathBuf,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub cookie_file: PathBuf,
    pub beat_ms: u64,
    pub ask_ms: u64,
    pub settle_ms: u64,
}

/// The stores that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// SQLite in this process.
    Embedded,
    /// Apache Cassandra.
    Cassandra,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Embedded {
    pub path: PathBuf,
    pub max_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Cassandra {
    pub hosts: Vec<String>,
    pub keyspace: String,
    pub user: String,
    pub password_file: PathBuf,
    pub tls_ca_file: PathBuf,
    pub tls_cert_file: PathBuf,
    pub tls_key_file: PathBuf,
    pub consistency: Consistency,
    pub data_centre: String,
    pub connect_timeout_ms: u64,
    pub request_timeout_ms: u64,
    pub connect_patience_ms: u64,
    pub connections_per_host: usize,
}

/// Whose copies decide on Cassandra. Never mixed within a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consistency {
    /// A majority of all: QUORUM and SERIAL.
    Quorum,
    /// A majority of those in one data centre: LOCAL_QUORUM and LOCAL_SERIAL.
    LocalQuorum,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Secrets {
    pub deck_key_file: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Archive {
    pub retention_days: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Server {
    pub node: String,
    pub shards: u16,
    pub snapshot_interval: u64,
    pub every_hand: bool,
    pub commit_interval_ms: u64,
    pub commit_tables: usize,
    pub commit_max_bytes: usize,
    pub segment_max_bytes: u64,
    pub shard_queue: usize,
    pub table_queue: usize,
    pub hand_pause_ms: u64,
    pub sleep_after_ms: u64,
    pub recover_concurrency: usize,
    pub park_after: u32,
    pub call_timeout_ms: u64,
    pub drain_timeout_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "see Config")]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Why a configuration is refused. Each text says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// It is not YAML.
    #[error("{place}: not YAML: {cause}")]
    Syntax {
        /// Where.
        place: Place,
        /// The parser's words.
        cause: String,
    },
    /// A key that does not exist.
    #[error("{place}: unknown key `{key}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The nearest key that exists.
        nearest: Option<String>,
    },
    /// A value of another type.
    #[error("{place}: `{key}` is {found}; wanted {wanted}")]
    WrongType {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// What stands there.
        found: &'static str,
        /// What should.
        wanted: &'static str,
    },
    /// A variable that is no text.
    #[error("environment variable {0} is not UTF-8")]
    NotText(String),
    /// A value that cannot be.
    #[error("{place}: `{key}`: {cause}")]
    BadValue {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl Config {
    /// The defaults, with this file over them, if one is named, and the environment over both.
    ///
    /// # Errors
    /// Names the file, the line or the variable, and what to do.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match file {
            Some(path) => {
                let read = std::fs::read_to_string(path);
                let name = path.display().to_string();
                Some((
                    name.clone(),
                    read.map_err(|cause| ConfigError::File { path: name, cause })?,
                ))
            }
            None => None,
        };
        Self::from_parts(
            text.as_ref()
                .map(|(name, text)| (name.as_str(), text.as_str())),
            &variables(std::env::vars_os())?,
        )
    }

    /// The same from texts.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_parts(
        file: Option<(&str, &str)>,
        variables: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let mut merged = merge::Merged::new(DEFAULT);
        if let Some((name, text)) = file {
            merged.file(name, text)?;
        }
        for (name, value) in variables {
            merged.variable(name, value)?;
        }
        let config: Self = merged.typed()?;
        config.check(&merged)?;
        Ok(config)
    }

    /// Where the keys of decks are.
    pub fn deck_key_file(&self) -> PathBuf {
        if self.secrets.deck_key_file.as_os_str().is_empty() {
            self.embedded.path.join("deck.key")
        } else {
            self.secrets.deck_key_file.clone()
        }
    }

    /// The same with these nodes to begin with, which makes it a cluster.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn with_seeds(mut self, seeds: Vec<String>) -> Result<Self, ConfigError> {
        if !seeds.is_empty() {
            self.cluster.enabled = true;
            self.cluster.seeds = seeds;
            self.check(&merge::Merged::new(DEFAULT))?;
        }
        Ok(self)
    }

    /// Shards that tables hash to.
    pub fn shards(&self) -> NonZeroU16 {
        let by_store = match self.store {
            StoreKind::Embedded => SHARDS_EMBEDDED,
            StoreKind::Cassandra => SHARDS_CASSANDRA,
        };
        NonZeroU16::new(self.server.shards).unwrap_or(by_store)
    }

    fn check(&self, merged: &merge::Merged) -> Result<(), ConfigError> {
        let server = &self.server;
        let rules = [
            (
                "server.snapshot_interval",
                server.snapshot_interval > 0,
                "at least 1",
            ),
            (
                "server.commit_interval_ms",
                server.commit_interval_ms <= 25,
                "0 to 25: players wait for it",
            ),
            (
                "server.commit_tables",
                server.commit_tables > 0,
                "at least 1",
            ),
            (
                "server.commit_max_bytes",
                (4_096..=4 << 20).contains(&server.commit_max_bytes),
                "4096 to 4194304",
            ),
            (
                "server.segment_max_bytes",
                (65_536..=10_000_000).contains(&server.segment_max_bytes),
                "65536 to 10000000: a partition stays small",
            ),
            ("server.shard_queue", server.shard_queue > 0, "at least 1"),
            ("server.table_queue", server.table_queue > 0, "at least 1"),
            (
                "server.recover_concurrency",
                server.recover_concurrency > 0,
                "at least 1",
            ),
            ("server.park_after", server.park_after > 0, "at least 1"),
            (
                "server.call_timeout_ms",
                server.call_timeout_ms >= 100,
                "at least 100",
            ),
            (
                "server.node",
                !server.node.is_empty() && server.node.len() <= 64,
                "1 to 64 bytes",
            ),
            (
                "grpc.request_max_bytes",
                (1_024..=4 << 20).contains(&self.grpc.request_max_bytes),
                "1024 to 4194304",
            ),
            (
                "grpc.connections_max",
                self.grpc.connections_max > 0,
                "at least 1",
            ),
            (
                "grpc.connections_per_address",
                self.grpc.connections_per_address > 0,
                "at least 1",
            ),
            (
                "grpc.streams_per_connection",
                self.grpc.streams_per_connection > 0,
                "at least 1",
            ),
            (
                "grpc.calls_per_connection",
                self.grpc.calls_per_connection > 0,
                "at least 1",
            ),
            (
                "grpc.keep_alive_ms",
                self.grpc.keep_alive_ms >= 100,
                "at least 100",
            ),
            (
                "grpc.watch_queue_frames",
                self.grpc.watch_queue_frames >= 16,
                "at least 16",
            ),
            (
                "grpc.watch_tables",
                self.grpc.watch_tables > 0,
                "at least 1",
            ),
            (
                "grpc.watches_per_player",
                self.grpc.watches_per_player > 0,
                "at least 1",
            ),
            (
                "grpc.guests_at_once",
                self.grpc.guests_at_once > 0,
                "at least 1",
            ),
            (
                "grpc.guests_per_minute",
                self.grpc.guests_per_minute > 0,
                "at least 1",
            ),
            (
                "ops.port",
                self.ops.port == 0
                    || self.ops.port != self.grpc.port
                    || self.ops.host != self.grpc.host,
                "not the port of grpc",
            ),
            (
                "log.level",
                self.log.level.split(',').all(is_filter),
                "write error, warn, info, debug, trace or off, or part=level; a single word that is \
                 no level would silence the rest",
            ),
        ];
        let rules = rules.into_iter().chain(self.cluster_rules());
        let mut rules = rules.chain(self.cassandra_rules());
        match rules.find(|(_, holds, _)| !holds) {
            None => Ok(()),
            Some((key, _, cause)) => Err(ConfigError::BadValue {
                place: merged.place(key),
                key: key.into(),
                cause: cause.into(),
            }),
        }
    }
}

impl Config {
    /// What has to hold on Cassandra; without it nothing of this is looked at.
    fn cassandra_rules(&self) -> impl Iterator<Item = (&'static str, bool, &'static str)> {
        let cassandra = &self.cassandra;
        let named = |path: &Path| !path.as_os_str().is_empty();
        let (tls, cert, key) = (
            named(&cassandra.tls_ca_file),
            named(&cassandra.tls_cert_file),
            named(&cassandra.tls_key_file),
        );
        let mut letters = cassandra.keyspace.bytes();
        let keyspace = cassandra.keyspace.len() <= 48
            && letters
                .next()
                .is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        let rules = [
            (
                "secrets.deck_key_file",
                named(&self.secrets.deck_key_file),
                "with `store: cassandra` every node opens every deck, so a file with the same keys has to be named for all",
            ),
            (
                "cassandra.hosts",
                !cassandra.hosts.is_empty() && !cassandra.hosts.iter().any(String::is_empty),
                "at least one host, none of them empty",
            ),
            (
                "cassandra.keyspace",
                keyspace,
                "1 to 48 small letters, digits and underlines, a letter first",
            ),
            (
                "cassandra.password_file",
                cassandra.user.is_empty() != named(&cassandra.password_file),
                "cassandra.user and cassandra.password_file go together",
            ),
            (
                "cassandra.tls_key_file",
                cert == key,
                "cassandra.tls_cert_file and cassandra.tls_key_file go together",
            ),
            (
                "cassandra.tls_ca_file",
                tls || !cert,
                "needed with cassandra.tls_cert_file: whose certificates are trusted",
            ),
            (
                "cassandra.data_centre",
                (cassandra.consistency == Consistency::LocalQuorum)
                    != cassandra.data_centre.is_empty(),
                "named with `consistency: local_quorum`, and only then",
            ),
            (
                "cassandra.connect_timeout_ms",
                cassandra.connect_timeout_ms >= 100,
                "at least 100",
            ),
            (
                "cassandra.request_timeout_ms",
                (100..=5_000).contains(&cassandra.request_timeout_ms),
                "100 to 5000: a table waits for it",
            ),
            (
                "cassandra.connections_per_host",
                (1..=64).contains(&cassandra.connections_per_host),
                "1 to 64",
            ),
        ];
        let used = self.store == StoreKind::Cassandra;
        rules.into_iter().filter(move |_| used)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::from_parts(None, &[]).expect("a test reads the built-in defaults")
    }
}

/// The variables of the environment that are ours, in the order of their names, so that what is wrong is always
/// told of the same one. A variable of somebody else may be any bytes.
fn variables(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut ours = Vec::new();
    for (name, value) in all {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        match value.into_string() {
            Ok(value) => ours.push((name.to_owned(), value)),
            Err(_bytes) => return Err(ConfigError::NotText(name.to_owned())),
        }
    }
    ours.sort_unstable();
    Ok(ours)
}

/// What a test does to this node; never in a server that is built for play.
#[cfg(feature = "faults")]
pub fn sabotage() -> Option<String> {
    std::env::var("SABOTAGE").ok()
}

/// Whether a part of `log.level` says how much is logged: the filter itself takes a misspelt level for the name
/// of a part of the program, and logs nothing else.
fn is_filter(part: &str) -> bool {
    let part = part.trim();
    let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
    LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known))
}

/// Each is a log with commits of its own.
const SHARDS_EMBEDDED: NonZeroU16 = NonZeroU16::new(8).expect("not zero");
/// So that a node more or less moves a small part, and many nodes find work.
const SHARDS_CASSANDRA: NonZeroU16 = NonZeroU16::new(256).expect("not zero");

/// Variables that override a key: `ORP_SECTION__KEY`.
const PREFIX: &str = "ORP_";

/// How much is logged, the least first.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
