//! How nodes talk: small questions with small answers. Game traffic goes another way.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    evidence::Link,
    peer::{NodeName, Peer},
};
use crate::ids::{Epoch, ShardId};

/// What one node asks another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Are you there, and how are you?
    Status,
    /// Hand this shard over to the claim of segment `(epoch, k)`.
    HandOver {
        /// Which.
        shard: ShardId,
        /// The claim's epoch.
        epoch: Epoch,
        /// The claim's segment number within it.
        k: u32,
    },
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To [`Ask::Status`].
    Status(Status),
    /// Sealed in favour of the claim.
    HandedOver,
    /// Not now, or not mine.
    StillHere,
    /// Nobody can tell.
    Unknown,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// On its way out.
    pub draining: bool,
    /// Where players connect, `host:port`.
    pub players: String,
    /// Where operators connect, `host:port`.
    pub operators: String,
}

/// Why there is no answer. Whether the question arrived is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is no link to that node.
    #[error("no link to {0}")]
    NoLink(NodeName),
    /// It did not answer in time.
    #[error("{0} did not answer in time")]
    Late(NodeName),
    /// Its answer does not read: another release, most likely.
    #[error("{0} answered something that this release does not read")]
    Unreadable(NodeName),
}

/// The links to the other nodes.
#[async_trait]
pub trait Fabric: Send + Sync + 'static {
    /// The nodes that there is a link to.
    fn linked(&self) -> Vec<Peer>;

    /// What is known of the link to an incarnation.
    fn link(&self, peer: &Peer) -> Link;

    /// Asks a node.
    async fn ask(&self, peer: &Peer, ask: Ask, within: Duration) -> Result<Answer, AskError>;

    /// Closes the link to a node that does not answer. It is dialled again by and by.
    fn cut(&self, peer: &Peer);

    /// Where other nodes connect to it, `host:port`.
    fn address(&self, peer: &Peer) -> Option<String>;

    /// Nodes that beat, and where: they are dialled if there is no link.
    fn suggest(&self, peer: &Peer, address: &str);
}
