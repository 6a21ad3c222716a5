//! The store on real Cassandra. Ignored by `cargo test`, which needs nothing but Rust; `tests/run cassandra` starts the nodes
//! and runs them. Each asks for its nodes by name, and fails where they are not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use openrustpoker::store::SerialDomain;
use openrustpoker::store::cassandra::schema::{self, Replication};
use openrustpoker::store::cassandra::{CassandraOptions, CassandraStore};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

mod conformance;
mod damage;
mod growth;
mod keep;
mod locked;
mod paxos_v1;
pub mod recovery;
mod start;

/// What the script that started the nodes says about them.
pub fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: these tests want real nodes; run `tests/run cassandra`")
    })
}

/// The nodes.
pub fn hosts() -> Vec<String> {
    told("CASSANDRA_HOSTS")
        .split(',')
        .map(str::to_owned)
        .collect()
}

/// A name that nobody else uses.
pub fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "t_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Options for a keyspace on the nodes, quick to give up.
pub fn options(keyspace: &str) -> CassandraOptions {
    CassandraOptions {
        hosts: hosts(),
        keyspace: keyspace.to_owned(),
        login: None,
        tls: None,
        domain: SerialDomain::Serial,
        connect_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_secs(4),
        connect_patience: Duration::ZERO,
        connections_per_host: 1,
        hands_kept: None,
    }
}

/// A copy on every node.
pub fn everywhere() -> Replication {
    format!("{DATA_CENTRE}={}", hosts().len())
        .parse()
        .expect("a replication")
}

/// A new keyspace with our tables.
pub async fn fresh_keyspace() -> String {
    let name = fresh_name();
    schema::create(&options(&name), Some(&everywhere()))
        .await
        .expect("a keyspace can be made");
    name
}

/// The store on it.
pub async fn open(options: &CassandraOptions) -> std::sync::Arc<CassandraStore> {
    CassandraStore::open(options)
        .await
        .expect("the store opens")
}

/// A session of our own, past the store.
pub async fn session() -> Session {
    SessionBuilder::new()
        .known_nodes(hosts())
        .build()
        .await
        .expect("the nodes answer")
}

/// What the nodes' snitch calls the only data centre.
pub const DATA_CENTRE: &str = "datacenter1";
