//! What a configuration of a cluster must hold together.

use super::{Cluster, Config, StoreKind};

impl Config {
    /// The keys of this section with what each must be, and whether it is.
    pub(super) fn cluster_rules(&self) -> Vec<(&'static str, bool, &'static str)> {
        let cluster = &self.cluster;
        let shared = match self.store {
            StoreKind::Embedded => false,
            StoreKind::Cassandra => true,
        };
        let on = cluster.enabled;
        vec![
            (
                "cluster.enabled",
                !on || shared,
                "a cluster needs a store that its nodes share: the embedded store serves one node; write `store: cassandra`",
            ),
            (
                "server.node",
                !on || self.server.node.chars().all(is_of_a_name),
                "in a cluster: letters, digits, `-`, `_` and `.`",
            ),
            (
                "cluster.name",
                !cluster.name.is_empty() && cluster.name.len() <= 64,
                "1 to 64 bytes",
            ),
            (
                "cluster.advertise",
                !on || is_address(&cluster.advertise)
                    || (cluster.advertise.is_empty() && !is_everywhere(&cluster.host)),
                "other nodes cannot connect to every address: write `host:port`",
            ),
            (
                "cluster.advertise_grpc",
                cluster.advertise_grpc.is_empty() || is_address(&cluster.advertise_grpc),
                "write `host:port`",
            ),
            (
                "cluster.seeds",
                cluster.seeds.iter().all(|seed| is_address(seed)),
                "each is `host:port`",
            ),
            (
                "cluster.authority_file",
                !on || cluster.insecure || cluster.has_files(),
                "nodes prove who they are with cluster.authority_file, certificate_file, key_file and cookie_file: \
                 `orp admin certs` makes all four; on one machine cluster.insecure will do",
            ),
            (
                "cluster.beat_ms",
                (50..=60_000).contains(&cluster.beat_ms),
                "50 to 60000",
            ),
            (
                "cluster.ask_ms",
                (50..=60_000).contains(&cluster.ask_ms),
                "50 to 60000",
            ),
            (
                "cluster.settle_ms",
                cluster.settle_ms <= 60_000,
                "0 to 60000",
            ),
        ]
    }
}

impl Cluster {
    fn has_files(&self) -> bool {
        [
            &self.authority_file,
            &self.certificate_file,
            &self.key_file,
            &self.cookie_file,
        ]
        .iter()
        .all(|file| !file.as_os_str().is_empty())
    }
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// `host:port`.
fn is_address(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn is_everywhere(host: &str) -> bool {
    host.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_unspecified())
}
