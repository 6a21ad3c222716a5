//! What an operator sees of a cluster from any one node, also while another one is frozen or gone.

use serde_json::Value;

use super::nodes::Cluster;
use super::{NODES, Play, Table};
use crate::recovery::number;

/// Lines, words on standard error, and the exit code.
struct Told {
    lines: Vec<Value>,
    error: String,
    code: Option<i32>,
}

async fn ask(cluster: &Cluster, n: usize, words: &str) -> Told {
    let words: Vec<&str> = words.split_whitespace().chain(["--json"]).collect();
    let output = cluster.admin(n, &words).await.expect("it answers in time");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = |line: &str| serde_json::from_str(line).expect("it prints objects");
    Told {
        lines: lines.lines().map(read).collect(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code(),
    }
}

fn texts(lines: &[Value], field: &str) -> Vec<String> {
    let text = |line: &Value| line[field].as_str().expect("a text").to_owned();
    let mut texts: Vec<String> = lines.iter().map(text).collect();
    texts.sort_unstable();
    texts
}

/// The list and the trees of the whole cluster at any node; a frozen node is named and the rest is shown; then its tables are
/// listed where they went.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn an_operator_sees_the_cluster_from_any_node() {
    let mut cluster = Cluster::start(NODES, None).await;
    let play = Play::begin(&cluster, number("SEED", 1), &Table::of_environment());
    play.is_busy().await;
    let all = ask(&cluster, 0, "table list").await;
    assert_eq!((all.code, all.error.as_str()), (Some(0), ""));
    let tables = texts(&all.lines, "table_id");
    let mut nodes = texts(&all.lines, "node");
    nodes.dedup();
    assert_eq!(nodes.len(), NODES, "every node serves some: {nodes:?}");
    for n in 1..NODES {
        let same = ask(&cluster, n, "table list").await;
        assert_eq!(texts(&same.lines, "table_id"), tables, "at node {n}");
    }
    let of = ask(&cluster, 0, "table list --node node-2").await;
    let wanted = all.lines.iter().filter(|table| table["node"] == "node-2");
    assert_eq!(of.lines.len(), wanted.count());
    let shard = all.lines[0]["shard"].as_u64().expect("a number");
    let of = ask(&cluster, 1, &format!("table list --shard {shard}")).await;
    assert!(of.lines.iter().all(|table| table["shard"] == shard));
    assert!(!of.lines.is_empty());

    let tree = ask(&cluster, 0, "tree node-2").await;
    assert!(
        texts(&tree.lines, "node")
            .iter()
            .all(|node| node == "node-2")
    );
    let branch = tree
        .lines
        .iter()
        .find(|line| line["strategy"] == "rest_for_one");
    assert_eq!(branch.expect("a branch")["restarts_max"], 10);
    let unknown = ask(&cluster, 0, "tree node-7").await;
    assert_eq!(unknown.code, Some(4));
    assert!(unknown.error.contains("node-0"), "{}", unknown.error);

    cluster.node(2).signal("STOP");
    let frozen = ask(&cluster, 0, "table list").await;
    assert_eq!(frozen.code, Some(3), "{}", frozen.error);
    assert!(frozen.error.contains("MISSING"), "{}", frozen.error);
    let others = all.lines.iter().filter(|table| table["node"] != "node-2");
    assert!(frozen.lines.len() >= others.count(), "the rest is shown");
    cluster.node(2).kill();
    cluster.is_whole().await;
    let again = ask(&cluster, 0, "table list").await;
    assert_eq!((again.code, again.error.as_str()), (Some(0), ""));
    assert_eq!(texts(&again.lines, "table_id"), tables, "all are there");
    let reports = play.end().await;
    assert!(
        reports.iter().all(|report| report.is_clean()),
        "{reports:?}"
    );
}
