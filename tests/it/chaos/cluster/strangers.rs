//! Who is let in, and that nobody keeps others from it: real processes, real certificates.

use std::net::TcpListener;

use super::nodes::Cluster;
use super::{NODES, Play, Table};
use crate::recovery::number;

/// A foreign certificate, a wrong cookie, another cluster: kept out by name, and none of the nodes minds. A name that is taken
/// does not even start.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn strangers_are_kept_out() {
    let mut cluster = Cluster::start(NODES, None).await;
    cluster.make_foreign();
    let play = Play::begin(&cluster, number("SEED", 1), &Table::of_environment());
    play.is_busy().await;
    let stranger = NODES;
    for (ours, theirs, who, words) in [
        (
            "certs/node-3",
            "foreign/node-3",
            0,
            ["not let in", "invalid peer certificate"],
        ),
        (
            "certs/authority",
            "foreign/authority",
            3,
            ["not linked", "invalid peer certificate"],
        ),
        (
            "certs/cookie",
            "foreign/cookie",
            3,
            ["not linked", "cluster.cookie_file"],
        ),
        (
            "cluster:\n",
            "cluster:\n  name: elsewhere\n",
            3,
            ["not linked", "cluster.name"],
        ),
    ] {
        cluster.node(stranger).rewrite(ours, theirs);
        cluster.begin(stranger);
        cluster.node(who).says(&words).await;
        play.is_busy().await;
        assert_eq!(cluster.seen_by(0).await.len(), NODES, "{theirs} is let in");
        cluster.node(stranger).kill();
        cluster.node(stranger).rewrite(theirs, ours);
    }
    let stranger = cluster.node(stranger);
    stranger.rewrite("node: node-3", "node: node-1");
    let said = stranger.is_refused();
    assert!(said.contains("node-1"), "{said}");
    let reports = play.end().await;
    assert!(
        reports.iter().all(|report| report.is_clean()),
        "{reports:?}"
    );
}

/// A seed that accepts and says nothing keeps no node from finding the others, also when all of them begin again at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn all_nodes_begin_again_beside_a_silent_seed() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut cluster = Cluster::start(NODES, None).await;
    let play = Play::begin(&cluster, number("SEED", 1), &Table::of_environment());
    play.is_busy().await;
    let seed = format!("seeds: [\"{}\", ", silent.local_addr().expect("it has one"));
    for n in 0..NODES {
        cluster.node(n).rewrite("seeds: [", &seed);
    }
    for _ in 0..number("RESTARTS", 2) {
        (0..NODES).for_each(|n| cluster.node(n).kill());
        (0..NODES).for_each(|n| cluster.begin(n));
        cluster.is_whole().await;
        play.is_busy().await;
    }
    let reports = play.end().await;
    assert!(
        reports.iter().all(|report| report.is_clean()),
        "{reports:?}"
    );
    assert_eq!(cluster.verify().await, [""; 0]);
}
