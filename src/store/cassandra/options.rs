//! How to reach Cassandra, and what to ask of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use scylla::statement::{Consistency, SerialConsistency};
use zeroize::Zeroizing;

use crate::store::SerialDomain;

/// Where Cassandra is, who we are there, and how long things may take.
#[derive(Clone, Debug)]
pub struct CassandraOptions {
    /// Nodes to ask for the others, `host` or `host:port`.
    pub hosts: Vec<String>,
    /// The keyspace. It is there before a server starts.
    pub keyspace: String,
    /// Who logs in, where Cassandra asks for it.
    pub login: Option<Login>,
    /// Encryption to the nodes; `None` is none.
    pub tls: Option<TlsFiles>,
    /// Whether all data centres or one decide.
    pub domain: SerialDomain,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long a statement may take before its outcome counts as unknown.
    pub request_timeout: Duration,
    /// How long hosts that do not answer are tried again at the start; zero is once.
    pub connect_patience: Duration,
    /// Connections to each node.
    pub connections_per_host: usize,
    /// How long archived hands are kept, by Cassandra's own time to live; `None` is for ever.
    pub hands_kept: Option<Duration>,
}

/// A name and a password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The role.
    pub user: String,
    /// Its password.
    pub password: Password,
}

/// A password: kept from logs, and wiped when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The text of a password file, without the line's end.
    pub fn of_file(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ))
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The files of TLS, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authorities that nodes' certificates come from.
    pub ca: PathBuf,
    /// Our own certificate (with what leads to its authority) and its key, where Cassandra asks for one.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// The levels of a domain. Quorums of reads and plain writes meet, and conditional statements have one order, only if nobody
/// in the cluster uses others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    /// For plain statements, and for the commit of conditional ones.
    pub(super) plain: Consistency,
    /// For the decision of conditional ones.
    pub(super) serial: SerialConsistency,
    /// For reads that see every statement that was answered before.
    pub(super) serial_read: Consistency,
}

impl Levels {
    pub(super) fn of(domain: &SerialDomain) -> Self {
        match domain {
            SerialDomain::Serial => Self {
                plain: Consistency::Quorum,
                serial: SerialConsistency::Serial,
                serial_read: Consistency::Serial,
            },
            SerialDomain::LocalSerial(_) => Self {
                plain: Consistency::LocalQuorum,
                serial: SerialConsistency::LocalSerial,
                serial_read: Consistency::LocalSerial,
            },
        }
    }
}
