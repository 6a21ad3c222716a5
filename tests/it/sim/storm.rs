//! Trouble for several nodes: kills, freezes, partitions, restarts, and shards that move all the time.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use openrustpoker::{
    ids::TableId,
    store::memory::{FaultRates, SplitMix},
    table::{fault::Fault, shard::tenure::Phase},
};

use super::{
    node::{Node, SHARDS_OF_MANY},
    run::{Room, rates},
};

/// Three nodes, and every shard served.
pub async fn begin(room: &Arc<Room>) -> Result<(), String> {
    for name in NAMES {
        room.start_named(name).await;
    }
    served(room, "at the start").await
}

/// One thing after the other, and several at a time.
pub async fn rage(room: &Arc<Room>, tables: &[TableId], random: &mut SplitMix) -> usize {
    let memory = &room.cluster.tape.memory;
    let net = room.cluster.net.as_ref().expect("there are several nodes");
    let mut kills = 0;
    for _ in 0..10 + random.below(10) {
        tokio::time::sleep(Duration::from_millis(random.below(1_500))).await;
        match random.below(12) {
            0 | 1 => memory.seed(random.number(), rates(random)),
            2 => {
                let mut all = FaultRates::default();
                match random.below(3) {
                    0 => all.refuse = 1_000,
                    1 => all.lose_request = 1_000,
                    _ => all.lose_answer = 1_000,
                }
                memory.seed(random.number(), all);
                tokio::time::sleep(Duration::from_millis(random.below(1_500))).await;
                memory.seed(random.number(), rates(random));
            }
            3 => {
                let table = tables[random.below(tables.len() as u64) as usize];
                if let Some(node) = room.at(table, random) {
                    node.tables.put_fault(table, Fault::PanicOnce);
                    room.panics.fetch_add(1, Relaxed);
                }
            }
            4 => {
                if let Some(node) = room.node(random) {
                    let shard = random.below(u64::from(SHARDS_OF_MANY)) as usize;
                    let log = node.tables.shards()[shard].log.find();
                    log.inspect(|log| log.kill());
                    kills += 1;
                }
            }
            5 | 6 if room.size() > 1 => {
                // kill -9, one or two of them; the platform starts them again.
                for _ in 0..1 + random.below(2) {
                    if room.size() > 1
                        && let Some(node) = room.take(random)
                    {
                        node.kill();
                        kills += 1;
                        let down = Duration::from_millis(random.below(1_000));
                        start_again(room, node, down);
                    }
                }
            }
            7 => {
                let Some(peer) = peer(room, random) else {
                    continue;
                };
                let long = Duration::from_millis(random.below(3_000));
                net.freeze(&peer, true);
                let net = net.clone();
                room.spawn(async move {
                    tokio::time::sleep(long).await;
                    net.freeze(&peer, false);
                });
            }
            8 => {
                let (Some(a), Some(b)) = (peer(room, random), peer(room, random)) else {
                    continue;
                };
                let long = Duration::from_millis(random.below(4_000));
                net.part(&a, &b, true);
                let net = net.clone();
                room.spawn(async move {
                    tokio::time::sleep(long).await;
                    net.part(&a, &b, false);
                });
            }
            9 => {
                let Some(peer) = peer(room, random) else {
                    continue;
                };
                let long = Duration::from_millis(random.below(3_000));
                net.cut_off_store(&peer, true);
                let net = net.clone();
                room.spawn(async move {
                    tokio::time::sleep(long).await;
                    net.cut_off_store(&peer, false);
                });
            }
            10 if room.size() > 1 => {
                // An orderly stop, as in a rolling restart.
                if let Some(node) = room.take(random) {
                    let room = Arc::clone(room);
                    let guest = Arc::clone(&room);
                    room.spawn(async move {
                        node.stop().await;
                        start_again(&guest, node, Duration::from_millis(100));
                    });
                }
            }
            _ => {
                // One more joins, and takes its share; or one of four goes.
                if room.size() < 4 {
                    let name = format!("guest-{}", random.below(1_000_000_000));
                    room.start_named(&name).await;
                } else if let Some(node) = room.take(random) {
                    room.spawn(async move { node.stop().await });
                }
            }
        }
    }
    kills
}

/// Everything is healed; then every shard is served by somebody, and nobody has more than a fair share and one.
pub async fn end(room: &Arc<Room>) -> Result<(), String> {
    let memory = &room.cluster.tape.memory;
    memory.heal();
    memory.release();
    room.cluster
        .net
        .as_ref()
        .expect("there are several nodes")
        .heal();
    served(room, "after the storm").await
}

async fn served(room: &Arc<Room>, when: &str) -> Result<(), String> {
    let mut owners = Vec::new();
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let nodes = room.all();
        let here = |node: &Node| {
            let shards = node.tables.shards().iter();
            shards
                .filter(|shard| matches!(shard.tenure.phase(), Phase::Here(_)))
                .count()
        };
        owners = nodes.iter().map(here).collect();
        let complete = nodes.iter().all(|node| {
            let member = node.member.as_ref();
            member.is_some_and(|member| member.routes.complete())
        });
        let shards = usize::from(SHARDS_OF_MANY);
        let fair = owners.iter().all(|count| *count >= shards / nodes.len());
        if complete && fair && owners.iter().sum::<usize>() == shards {
            return Ok(());
        }
    }
    Err(format!(
        "P7: the shards are not served and balanced {when}: {owners:?}"
    ))
}

fn start_again(room: &Arc<Room>, node: Node, after: Duration) {
    let (room, name) = (Arc::clone(room), name_of(&node).expect("it has one"));
    let guest = Arc::clone(&room);
    room.spawn(async move {
        tokio::time::sleep(after).await;
        guest.start_named(&name).await;
    });
}

fn peer(room: &Room, random: &mut SplitMix) -> Option<openrustpoker::cluster::Peer> {
    Some(room.node(random)?.member?.peer)
}

fn name_of(node: &Node) -> Option<String> {
    Some(node.member.as_ref()?.peer.name.to_string())
}

const NAMES: [&str; 3] = ["node-a", "node-b", "node-c"];
