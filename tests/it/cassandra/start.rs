//! What a start says when something is wrong, and what it leaves alone.

use std::time::Duration;

use openrustpoker::store::cassandra::schema::{self, Made, check_schema};
use openrustpoker::store::cassandra::{CassandraOptions, CassandraStore};
use openrustpoker::store::{Incarnation, NodeBeat, SerialDomain, Store as _};

use super::{DATA_CENTRE, everywhere, fresh_keyspace, fresh_name, open, options, session};

async fn refusal(options: &CassandraOptions) -> String {
    let checked = check_schema(options)
        .await
        .expect_err("it is refused")
        .to_string();
    let Err(opened) = CassandraStore::open(options).await else {
        panic!("a server starts where the check says: {checked}");
    };
    assert_eq!(opened.to_string(), checked);
    checked
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn a_schema_is_made_by_command_and_only_what_is_missing() {
    let name = fresh_name();
    let options = options(&name);
    assert_eq!(
        refusal(&options).await,
        format!(
            "there is no keyspace {name}: `orp admin schema create --replication DATA_CENTRE=COPIES` makes it; or correct \
             cassandra.keyspace"
        )
    );
    let unsaid = schema::create(&options, None)
        .await
        .expect_err("nobody said how many copies");
    assert_eq!(
        unsaid.to_string(),
        format!(
            "there is no keyspace {name}: say how it shall be replicated, --replication DATA_CENTRE=COPIES; the cluster has \
             {DATA_CENTRE}"
        )
    );
    let made = schema::create(&options, Some(&everywhere()))
        .await
        .expect("it is made");
    assert_eq!((made.keyspace, made.tables.len()), (true, 9));
    check_schema(&options).await.expect("it is whole");
    let again = schema::create(&options, Some(&everywhere()))
        .await
        .expect("nothing is wrong");
    assert_eq!(again, Made::default());

    let past = session().await;
    let run = async |cql: String| past.query_unpaged(cql, ()).await.expect("it is done");
    run(format!("DROP TABLE {name}.nodes")).await;
    assert_eq!(
        refusal(&options).await,
        format!(
            "keyspace {name} has no table nodes: `orp admin schema create` makes what is missing"
        )
    );
    let made = schema::create(&options, None).await.expect("it is mended");
    assert_eq!(made.tables, ["nodes"]);
    // As the release before made it. (Not by dropping the column: what is dropped takes what is written later with it, since
    // the timestamps of this table are beats.)
    run(format!("DROP TABLE {name}.nodes")).await;
    run(format!(
        "CREATE TABLE {name}.nodes (one int, node text, incarnation bigint, beat bigint, address text, \
         PRIMARY KEY (one, node, incarnation)) WITH default_time_to_live = 86400"
    ))
    .await;
    let lacking = check_schema(&options).await.expect_err("it is said");
    assert_eq!(
        lacking.to_string(),
        format!(
            "keyspace {name} is of an earlier release, and has no column nodes.reads: `orp admin schema create` adds it, beside \
             running servers of either release; servers go on without it, and `orp admin level --raise` refuses until it is there"
        )
    );
    let earlier = CassandraStore::open(&options).await;
    let earlier = earlier.expect("a server goes on without it");
    let beat = |beat| NodeBeat {
        node: "a".into(),
        incarnation: Incarnation(1),
        beat,
        address: "a:1".into(),
        reads: Some(2),
    };
    earlier.put_beat(&beat(1)).await.expect("it is written");
    let unsaid = NodeBeat {
        reads: None,
        ..beat(1)
    };
    assert_eq!(earlier.beats().await.expect("they are read"), [unsaid]);
    let made = schema::create(&options, None).await.expect("it is mended");
    assert_eq!(
        (made.tables, made.columns),
        (vec![], vec!["nodes.reads".to_owned()])
    );
    // One that runs finds it by and by.
    earlier.put_beat(&beat(61)).await.expect("it is written");
    assert_eq!(earlier.beats().await.expect("they are read"), [beat(61)]);

    run(format!("ALTER TABLE {name}.shards ADD later text")).await;
    check_schema(&options)
        .await
        .expect("more columns are a later release's");

    run(format!("ALTER KEYSPACE {name} WITH durable_writes = false")).await;
    assert_eq!(
        refusal(&options).await,
        format!("keyspace {name} has durable_writes = false: alter it")
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn foreign_tables_and_copies_are_refused() {
    let name = fresh_name();
    let past = session().await;
    let run = async |cql: String| past.query_unpaged(cql, ()).await.expect("it is done");
    run(format!(
        "CREATE KEYSPACE {name} WITH replication = {{'class': 'NetworkTopologyStrategy', '{DATA_CENTRE}': 1}}"
    ))
    .await;
    run(format!(
        "CREATE TABLE {name}.shard_log (id int PRIMARY KEY)"
    ))
    .await;
    let options = options(&name);
    let seven = format!("{DATA_CENTRE}=7").parse().expect("a replication");
    let other = schema::create(&options, Some(&seven))
        .await
        .expect_err("it has one copy");
    assert_eq!(
        other.to_string(),
        format!(
            "keyspace {name} is there with the replication {{'class': 'NetworkTopologyStrategy', '{DATA_CENTRE}': 1}}, not \
             {{'class': 'NetworkTopologyStrategy', '{DATA_CENTRE}': 7}}: alter it by hand, and repair, or leave the option out"
        )
    );
    let foreign = schema::create(&options, None)
        .await
        .expect_err("the table is not ours");
    assert_eq!(
        foreign.to_string(),
        format!(
            "table shard_log of keyspace {name} is not this server's: it has no column shard; configure another keyspace, or \
             a release that fits"
        )
    );
    assert_eq!(refusal(&options).await, foreign.to_string());
}

/// A log that expires row by row would be found damaged when it is too late.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn tables_that_forget_by_themselves_are_refused() {
    let name = fresh_keyspace().await;
    let (past, options) = (session().await, options(&name));
    let lives = async |table: &str, seconds: u32| {
        let cql = format!("ALTER TABLE {name}.{table} WITH default_time_to_live = {seconds}");
        past.query_unpaged(cql, ()).await.expect("it is done");
    };
    for table in [
        "cluster",
        "shards",
        "shard_log",
        "hands",
        "hands_of_players",
        "buckets_of_tables",
        "buckets_of_players",
        "sessions",
    ] {
        lives(table, 864_000).await;
        assert_eq!(
            refusal(&options).await,
            format!(
                "table {table} of keyspace {name} forgets what is 864000 s old: `ALTER TABLE {name}.{table} WITH \
                 default_time_to_live = 0`; what was written before that may still go, so back up at once, and restore into \
                 another keyspace"
            )
        );
        lives(table, 0).await;
    }
    // Signs of life are meant to go.
    lives("nodes", 3_600).await;
    check_schema(&options).await.expect("it is whole");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn another_data_centre_is_refused() {
    let name = fresh_keyspace().await;
    let elsewhere = CassandraOptions {
        domain: SerialDomain::LocalSerial("atlantis".into()),
        ..options(&name)
    };
    assert_eq!(
        refusal(&elsewhere).await,
        format!("cassandra.data_centre is atlantis, the cluster has {DATA_CENTRE}")
    );
}

/// Hosts that are down are named, one by one; one that is up is enough.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn hosts_that_are_down_are_named() {
    let name = fresh_keyspace().await;
    let nobody = |port| format!("127.0.0.1:{port}");
    let down = CassandraOptions {
        hosts: vec![nobody(1), nobody(2)],
        connect_patience: Duration::from_millis(600),
        ..options(&name)
    };
    let told = refusal(&down).await;
    assert!(
        told.starts_with(
            "Cassandra does not answer: 127.0.0.1:1: Connection refused (os error 111); 127.0.0.1:2: Connection refused (os \
             error 111): "
        ) && told.ends_with("; start it, or correct cassandra.hosts"),
        "{told}"
    );
    let mut hosts = vec![nobody(1)];
    hosts.extend(super::hosts());
    open(&CassandraOptions {
        hosts,
        ..options(&name)
    })
    .await;
}
