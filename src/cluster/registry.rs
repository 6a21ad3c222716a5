//! Who announces which shard.

use crate::{
    cluster::peer::Peer,
    ids::{Epoch, ShardId},
};

/// A node that says that it serves a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Herald {
    /// The shard.
    pub shard: ShardId,
    /// Since this epoch. Of two heralds of one shard the higher one counts.
    pub epoch: Epoch,
    /// The node.
    pub peer: Peer,
}

/// The announcements of all nodes that there is a link to. In a server this is ractor's process groups, which are one for
/// the whole process; behind this trait a simulation has several nodes in one.
pub trait Registry: Send + Sync + 'static {
    /// Announces that this node serves a shard.
    fn announce(&self, shard: ShardId, epoch: Epoch);

    /// Takes back what this node announced of a shard.
    fn retract(&self, shard: ShardId);

    /// Every announcement that is seen from here, this node's own included.
    fn heralds(&self) -> Vec<Herald>;
}
