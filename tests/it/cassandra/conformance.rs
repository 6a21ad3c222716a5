//! What every store must pass.

use std::sync::{Arc, Mutex};

use openrustpoker::store::cassandra::CassandraOptions;
use openrustpoker::store::conformance::suite;
use openrustpoker::store::{SerialDomain, Store};

use super::{DATA_CENTRE, fresh_keyspace, open, options, session};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn cassandra_store_conforms() {
    run(|options| options).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn cassandra_store_conforms_in_one_data_centre() {
    run(|options| CassandraOptions {
        domain: SerialDomain::LocalSerial(DATA_CENTRE.into()),
        ..options
    })
    .await;
}

async fn run(change: impl Fn(CassandraOptions) -> CassandraOptions) {
    let past = session().await;
    let before: Mutex<Option<String>> = Mutex::new(None);
    suite(|| async {
        // Each check has a keyspace of its own; the one before is of no more use.
        let name = fresh_keyspace().await;
        let old = before
            .lock()
            .expect("nobody panics in here")
            .replace(name.clone());
        if let Some(old) = old {
            past.query_unpaged(format!("DROP KEYSPACE {old}"), ())
                .await
                .expect("a keyspace can be dropped");
        }
        open(&change(options(&name))).await as Arc<dyn Store>
    })
    .await;
}
