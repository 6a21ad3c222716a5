//! Faults between owners and a real three-node Cassandra, and what must hold all the same.
//!
//! Ignored by `cargo test`, which needs nothing but Rust; `tests/chaos/run` starts the nodes and runs them. `SEED`, `CHAOS_SECONDS`
//! and `ROUNDS` say which run and how long.

use std::sync::Arc;
use std::time::Duration;

use openrustpoker::store::Store;
use openrustpoker::store::cassandra::CassandraOptions;

use crate::cassandra::{open, options, told};
use crate::proxy::{Plan, Proxy};

mod broken;
mod cluster;
mod defects;
mod monkey;
mod nodes;
mod report;
mod ring;
mod rivals;
mod server;

/// The proxies before all nodes, and the plan that they follow.
pub struct Proxies {
    pub plan: Arc<Plan>,
    each: Vec<Proxy>,
}

impl Proxies {
    pub async fn start() -> Self {
        let plan = Arc::new(Plan::default());
        let mut each = Vec::new();
        for (at, node) in named().iter().zip(crate::cassandra::hosts()) {
            let address = |text: &str| text.parse().expect("the script gives addresses");
            let proxy = Proxy::start(address(at), address(&node), Arc::clone(&plan)).await;
            each.push(proxy.expect("the address is ours"));
        }
        Self { plan, each }
    }
}

/// The addresses that the nodes name to drivers, where the proxies are.
fn named() -> Vec<String> {
    let hosts = told("CASSANDRA_PROXY_HOSTS");
    hosts.split(',').map(str::to_owned).collect()
}

/// Options that lead through the proxies.
pub fn through_proxies(keyspace: &str) -> CassandraOptions {
    CassandraOptions {
        hosts: named(),
        request_timeout: PATIENCE,
        connect_patience: Duration::from_secs(30),
        ..options(keyspace)
    }
}

/// A store for each owner: a driver of its own, as in a process of its own.
async fn stores<const N: usize>(keyspace: &str) -> [Arc<dyn Store>; N] {
    let mut stores = Vec::<Arc<dyn Store>>::new();
    for _ in 0..N {
        stores.push(open(&through_proxies(keyspace)).await);
    }
    let stores = stores.try_into();
    stores.unwrap_or_else(|_| unreachable!("as many were opened"))
}

/// How long a driver waits for an answer: longer than any statement takes here, shorter than what is late.
const PATIENCE: Duration = Duration::from_millis(1_500);
