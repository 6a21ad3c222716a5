//! Several nodes: who they are, which shard is whose, and who takes over.
//!
//! Nothing here is needed for safety: the log protocol refuses whoever is not the owner. What is decided here is only
//! *when* somebody takes a shard, and being wrong costs time. So decisions are pure functions over what is known,
//! [`placement`], [`evidence`] and [`plan`], and one actor, the [`steward`], carries them out.
//!
//! - [`peer`]: names of nodes and of their incarnations
//! - [`placement`]: which node should have a shard (pure)
//! - [`evidence`]: whether an owner is gone (pure)
//! - [`plan`]: what to do next (pure)
//! - [`registry`], [`fabric`]: who announces which shard, and how nodes talk: two small traits
//! - [`links`]: both over `ractor_cluster`
//! - [`steward`]: the actor that takes, pulls, hands over and gives up shards
//! - [`routes`]: where a table is served, for whoever forwards calls

pub mod evidence;
pub mod fabric;
pub mod links;
pub mod peer;
pub mod placement;
pub mod plan;
pub mod registry;
pub mod routes;
pub mod steward;

pub use fabric::{Answer, Ask, AskError, Fabric, Status};
pub use peer::{NodeName, Peer};
pub use registry::{Herald, Registry};
pub use routes::{Place, Routes};
pub use steward::{Branches, Outlook, Steward, StewardOptions, StewardSlot};
