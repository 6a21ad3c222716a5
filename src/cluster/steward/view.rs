//! What the steward knows of each shard.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::StewardState;
use crate::{
    cluster::{
        evidence::Verdict,
        peer::Peer,
        placement::Candidate,
        plan::{Known, Last, ShardView},
        registry::Herald,
        routes::{Neighbour, Owner, Place, Table},
    },
    ids::{Epoch, ShardId},
    store::{ShardRow, StoreError},
    table::shard::tenure::Phase,
};

/// What is known of a shard.
pub(super) struct View {
    /// Who announces it, with the highest epoch.
    owner: Option<Herald>,
    /// Since when nobody does.
    vacant_since: Instant,
    /// Who had it last.
    last: Had,
    /// When that was read in the store.
    read: Option<Instant>,
    /// The highest epoch that was read there.
    epoch: Epoch,
    /// How far it was here when last looked at.
    phase: Phase,
    /// Something is under way about it here.
    pub(super) busy: bool,
    /// Not before then: the store did not answer.
    not_before: Option<Instant>,
}

#[derive(Clone)]
enum Had {
    NotKnown,
    Nobody,
    By(Peer),
}

impl View {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            owner: None,
            vacant_since: now,
            last: Had::NotKnown,
            read: None,
            epoch: Epoch(0),
            phase: Phase::Away,
            busy: false,
            not_before: None,
        }
    }

    pub(super) fn owner(&self) -> Option<&Herald> {
        self.owner.as_ref()
    }
}

impl StewardState {
    /// Says what is served here, and takes back what is not, or cannot be for now.
    pub(super) fn announce(&mut self) {
        for shard in self.options.tables.shards() {
            match (shard.tenure.phase(), self.announced.get(&shard.id)) {
                (Phase::Here(epoch), Some(said)) if !self.mute && *said == epoch => {}
                (Phase::Here(epoch), _) if !self.mute => {
                    self.options.registry.announce(shard.id, epoch);
                    self.announced.insert(shard.id, epoch);
                }
                (_, Some(_)) => {
                    self.options.registry.retract(shard.id);
                    self.announced.remove(&shard.id);
                }
                (_, None) => {}
            }
        }
    }

    /// Brings the views up to date.
    pub(super) fn look_around(&mut self) {
        let now = Instant::now();
        let mut heralds: BTreeMap<ShardId, Herald> = BTreeMap::new();
        for herald in self.options.registry.heralds() {
            if herald.peer == self.options.me && !self.announced.contains_key(&herald.shard) {
                // Taken back, and on its way out.
                continue;
            }
            let higher = heralds
                .get(&herald.shard)
                .is_none_or(|known| known.epoch < herald.epoch);
            if higher {
                heralds.insert(herald.shard, herald);
            }
        }
        for shard in self.options.tables.shards() {
            let Some(view) = self.views.get_mut(&shard.id) else {
                continue;
            };
            let owner = heralds.remove(&shard.id);
            if owner.is_none() && view.owner.is_some() {
                view.vacant_since = now;
                view.read = None;
            }
            let phase = shard.tenure.phase();
            if matches!(phase, Phase::Waiting | Phase::Away) && view.phase != phase {
                // Its log ended: somebody may have won an epoch, or was given the shard and has not announced it yet.
                view.last = Had::NotKnown;
            }
            if let Some(herald) = &owner {
                view.last = Had::By(herald.peer.clone());
            }
            view.phase = phase;
            view.owner = owner;
        }
    }

    pub(super) fn looked_up(&mut self, shard: ShardId, row: Result<Option<ShardRow>, StoreError>) {
        let Some(view) = self.views.get_mut(&shard) else {
            return;
        };
        view.busy = false;
        let (had, epoch) = match row {
            Ok(None) => (Had::Nobody, Epoch(0)),
            // What does not read was written by something that is no node of this release: it is as good as gone.
            Ok(Some(row)) => (row.owner.parse().map_or(Had::Nobody, Had::By), row.epoch),
            Err(error) => {
                tracing::warn!(%shard, %error, "who had the shard is not known yet");
                view.not_before = Some(Instant::now() + super::PULL_PAUSE);
                return;
            }
        };
        if epoch > view.epoch {
            // Somebody won it, and is on his way: from now on he has his time, and turns begin anew.
            view.vacant_since = Instant::now();
            view.epoch = epoch;
        }
        view.last = had;
        view.read = Some(Instant::now());
    }

    pub(super) fn known(&self) -> Known {
        let now = Instant::now();
        // Turns are taken from then on, not from the start of the process.
        let since = self.settled.unwrap_or(now);
        let shards = self.views.iter().map(|(id, view)| ShardView {
            id: *id,
            phase: view.phase,
            owner: view.owner.as_ref().map(|herald| herald.peer.name.clone()),
            vacant_for: now.saturating_duration_since(view.vacant_since.max(since)),
            last: self.last(&view.last),
            read: view.read.is_some_and(|at| now.duration_since(at) < FRESH),
            overtaken: matches!((view.phase, &view.owner), (Phase::Here(mine), Some(herald)) if herald.epoch > mine),
            busy: view.busy || view.not_before.is_some_and(|at| now < at),
        });
        let shards: Vec<ShardView> = shards.collect();
        let taking = shards
            .iter()
            .filter(|shard| shard.phase == Phase::Taking || shard.busy)
            .count();
        let me = Candidate {
            name: self.options.me.name.clone(),
            draining: self.draining,
        };
        let others = self.peers.iter().filter_map(|(peer, about)| {
            Some(Candidate {
                name: peer.name.clone(),
                draining: about.status.as_ref()?.draining,
            })
        });
        Known {
            me: self.options.me.name.clone(),
            settled: self.settled.is_some(),
            candidates: std::iter::once(me).chain(others).collect(),
            taking,
            pulling: if now < self.pull_after {
                usize::MAX
            } else {
                self.pulling
            },
            shards,
        }
    }

    fn last(&self, had: &Had) -> Last {
        match had {
            Had::NotKnown => Last::NotKnown,
            Had::Nobody => Last::Nobody,
            Had::By(peer) if *peer == self.options.me => Last::Me,
            // Names are unique: an earlier incarnation of this node is gone.
            Had::By(peer) if peer.name == self.options.me.name => Last::Other(Verdict::Gone),
            Had::By(peer) => Last::Other(self.beats.judge(peer, self.options.fabric.link(peer))),
        }
    }

    /// Tells everybody on this node where shards are.
    pub(super) fn publish(&mut self) {
        let neighbours: BTreeMap<&Peer, Arc<Neighbour>> = self
            .peers
            .iter()
            .map(|(peer, about)| {
                let status = about.status.as_ref();
                let neighbour = Neighbour {
                    peer: peer.clone(),
                    nodes: self.options.fabric.address(peer).unwrap_or_default(),
                    players: status.map_or_else(String::new, |s| s.players.clone()),
                    operators: status.map_or_else(String::new, |s| s.operators.clone()),
                    draining: status.is_some_and(|status| status.draining),
                };
                (peer, Arc::new(neighbour))
            })
            .collect();
        let owners = self.views.iter().filter_map(|(shard, view)| {
            let herald = view.owner.as_ref()?;
            let place = if herald.peer == self.options.me {
                matches!(view.phase, Phase::Here(_)).then_some(Place::Here)?
            } else {
                Place::There(Arc::clone(neighbours.get(&herald.peer)?))
            };
            let epoch = herald.epoch;
            Some((*shard, Owner { place, epoch }))
        });
        let table = Table {
            owners: owners.collect(),
            neighbours: neighbours.into_values().collect(),
            me: Some(Arc::new(Neighbour {
                peer: self.options.me.clone(),
                nodes: self.options.nodes.clone(),
                players: self.options.players.clone(),
                operators: self.options.operators.clone(),
                draining: self.draining,
            })),
        };
        let ready = self.settled.is_some() && table.owners.len() == self.views.len();
        self.outlook.routes.send_if_modified(|before| {
            let news = **before != table;
            if news {
                *before = Arc::new(table);
            }
            news
        });
        self.outlook
            .ready
            .send_if_modified(|before| std::mem::replace(before, ready) != ready);
    }
}

/// What was read in the store is worth that long: less than it takes to win an epoch and announce it.
const FRESH: Duration = Duration::from_millis(500);
