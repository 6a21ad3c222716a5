//! A node as it comes, without `paxos_variant: v2`: `--paxos v1`.

use openrustpoker::store::cassandra::CassandraStore;
use openrustpoker::store::cassandra::schema;

use super::{everywhere, fresh_name, hosts, options};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn paxos_v1_is_refused() {
    let options = options(&fresh_name());
    let made = schema::create(&options, Some(&everywhere())).await;
    let made = made.expect_err("no server could start there").to_string();
    let Err(opened) = CassandraStore::open(&options).await else {
        panic!("a server starts there");
    };
    assert_eq!(opened.to_string(), made);
    assert_eq!(
        made,
        format!(
            "the Cassandra node {} has paxos_variant v1: set `paxos_variant: v2` in cassandra.yaml of every node (Cassandra \
             4.1 or later)",
            hosts()[0]
        )
    );
}
