//! Who is let in, and that nobody keeps others from it: real processes, real certificates.

use std::net::TcpListener;
use std::sync::Arc;

use openrustpoker::cluster::Peer;
use openrustpoker::cluster::links::hello::{self, Hello, VERSION, Welcome};
use openrustpoker::cluster::links::tls::Tls;
use openrustpoker::cluster::links::{LINK, LinkOptions};
use openrustpoker::store::Incarnation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::nodes::{Cluster, LINKS};
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

/// One that has a node's certificate and its cookie, and speaks another version, or says more than anybody reads: refused or cut
/// off with a clear line, and the others do not mind.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn who_speaks_otherwise_is_cut_off() {
    let mut cluster = Cluster::start(NODES, None).await;
    let play = Play::begin(&cluster, number("SEED", 1), &Table::of_environment());
    play.is_busy().await;

    let older = VERSION - 1;
    let mut stream = dial(&mut cluster).await;
    let outdated = Hello {
        version: older,
        ..hello_of(&cluster, 1)
    };
    hello::write(&mut stream, &outdated)
        .await
        .expect("it goes out");
    let answer: Welcome = hello::read(&mut stream).await.expect("it is told why");
    let spoken = format!("version {older} of the link protocol");
    assert!(
        matches!(&answer, Welcome::No(why) if why.contains(&spoken)),
        "{answer:?}"
    );
    cluster.node(0).says(&["not let in", &spoken]).await;

    let mut stream = dial(&mut cluster).await;
    stream.write_u16(u16::MAX).await.expect("it goes out");
    is_closed(&mut stream).await;
    cluster.node(0).says(&["not let in", "65535 bytes"]).await;

    // One that is let in, and then sends a frame of a gigabyte; what it says of its length is enough.
    let mut stream = dial(&mut cluster).await;
    let ours = hello_of(&cluster, 2);
    hello::write(&mut stream, &ours).await.expect("it goes out");
    let answer: Welcome = hello::read(&mut stream).await.expect("it is let in");
    assert!(matches!(answer, Welcome::Yes(_)), "{answer:?}");
    stream.write_u64(1 << 30).await.expect("it goes out");
    is_closed(&mut stream).await;
    cluster.node(0).says(&["exceeds configured limit"]).await;

    play.is_busy().await;
    assert_eq!(cluster.seen_by(0).await.len(), NODES);
    cluster.is_whole().await;
    let reports = play.end().await;
    assert!(
        reports.iter().all(|report| report.is_clean()),
        "{reports:?}"
    );
}

/// Clocks of our nodes that are an hour off, each its own way, and jump while they run.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra with movable clocks: tests/chaos/run"]
async fn a_node_whose_clock_is_an_hour_off_changes_nothing() {
    const HOUR: i64 = 3_600;
    let mut cluster = Cluster::start(NODES, None).await;
    let play = Play::begin(&cluster, number("SEED", 1), &Table::of_environment());
    play.is_busy().await;
    for (n, seconds) in [(0, HOUR), (1, -HOUR)] {
        cluster.node(n).clock(seconds);
        cluster.restart(n).await;
        play.is_busy().await;
    }
    let lives = cluster.incarnations(2).await;
    assert!(
        lives[0] > lives[2] + 3_000_000 && lives[1] < lives[2],
        "{lives:?} are not apart by an hour"
    );
    for (n, seconds) in [(0, -HOUR), (1, HOUR), (0, 0)] {
        cluster.node(n).clock(seconds);
        play.is_busy().await;
    }
    let epochs = super::rows::epochs(&cluster).await;
    // As long as it takes to find a node gone whose beats do not move.
    tokio::time::sleep(10 * BEAT).await;
    play.is_busy().await;
    assert_eq!(super::rows::epochs(&cluster).await, epochs, "shards moved");
    // Who is killed is known by his word, not by an hour.
    cluster.restart(1).await;
    play.is_busy().await;
    let reports = play.end().await;
    assert!(
        reports.iter().all(|report| report.is_clean()),
        "{reports:?}"
    );
    assert_eq!(cluster.verify().await, [""; 0]);
}

/// A connection to the first node, as one that has a node's certificate, that begins like a link.
async fn dial(cluster: &mut Cluster) -> TlsStream<TcpStream> {
    let certificates = cluster.certificates();
    let file = |name: &str| certificates.join(name);
    let tls = Tls::read(
        &file("authority.pem"),
        &file("node-3.pem"),
        &file("node-3.key"),
    );
    let address = format!("{}:{LINKS}", cluster.node(0).host);
    let socket = TcpStream::connect(address).await.expect("it listens");
    let tls = tls.expect("the certificates read");
    let mut stream = tls.connect(socket).await.expect("it is trusted");
    stream.write_all(&LINK).await.expect("it goes out");
    stream
}

/// What such a one says. Its name comes first, so that the other one does not dial back.
fn hello_of(cluster: &Cluster, incarnation: u64) -> Hello {
    let cookie = std::fs::read_to_string(cluster.certificates().join("cookie"));
    let options = LinkOptions {
        me: Peer {
            name: "a-stranger".parse().expect("a name"),
            incarnation: Incarnation(incarnation),
        },
        cluster: "orp".into(),
        address: "127.0.0.1:1".into(),
        seeds: Vec::new(),
        cookie: cookie.expect("it was made").trim().into(),
        tls: None,
        news: Arc::default(),
    };
    options.hello()
}

async fn is_closed(stream: &mut TlsStream<TcpStream>) {
    let mut left = Vec::new();
    let read = tokio::time::timeout(super::STUCK, stream.read_to_end(&mut left)).await;
    // With or without a word of farewell.
    drop(read.expect("the connection is closed"));
}

/// How often nodes beat.
const BEAT: std::time::Duration = std::time::Duration::from_millis(500);
