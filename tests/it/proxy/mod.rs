//! A proxy between the server and Cassandra that loses, cuts, delays and repeats, statement by statement.
//!
//! It stands at an address of its own before each node; the nodes name these addresses to drivers
//! (`tests/cassandra/run … --proxied`), so that no connection goes around it. It reads frames and knows which statement is
//! which, so that it can cut an answer *after* the database applied what was asked. [`Plan`] says what happens to which
//! statement, by script or by a seed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

mod connection;
mod frame;
mod plan;
mod statements;
#[cfg(test)]
mod tests;

pub use plan::{Fault, Plan, Rates, Tally};
pub use statements::Kind;

/// The proxy before one node. Dropped, it is gone with all its connections.
pub struct Proxy {
    gate: watch::Sender<Gate>,
    address: SocketAddr,
    accepting: AbortHandle,
}

/// Whether connections pass. One that saw another state than it began with ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gate {
    open: bool,
    times: u64,
}

impl Proxy {
    /// Listens at `address` and passes on to `node` what the plan leaves of it.
    pub async fn start(address: SocketAddr, node: SocketAddr, plan: Arc<Plan>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let gate = watch::Sender::new(Gate {
            open: true,
            times: 0,
        });
        let seen = gate.subscribe();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                if seen.borrow().open {
                    let (plan, gate) = (Arc::clone(&plan), seen.clone());
                    connections.spawn(connection::serve(client, node, plan, gate));
                }
            }
        });
        Ok(Self {
            gate,
            address,
            accepting: accepting.abort_handle(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections, and new ones until [`Self::let_through`].
    pub fn cut_off(&self) {
        self.turn(false);
    }

    /// Lets new connections pass again.
    pub fn let_through(&self) {
        self.turn(true);
    }

    fn turn(&self, open: bool) {
        self.gate.send_modify(|gate| {
            gate.open = open;
            gate.times += 1;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections are its task's, and go with it.
        self.accepting.abort();
    }
}
