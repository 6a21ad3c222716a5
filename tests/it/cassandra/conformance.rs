//! What every store must pass.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use openrustpoker::store::cassandra::CassandraOptions;
use openrustpoker::store::conformance::patient::Patient;
use openrustpoker::store::conformance::rivals::Ring;
use openrustpoker::store::conformance::{suite, suite_amid};
use openrustpoker::store::{SerialDomain, Store};

use super::{DATA_CENTRE, fresh_keyspace, open, options, session};
use crate::chaos::{Proxies, through_proxies};
use crate::proxy::{Plan, Rates, Tally};

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
    let keyspaces = Keyspaces::new().await;
    suite(|| async {
        let name = keyspaces.next().await;
        open(&change(options(&name))).await as Arc<dyn Store>
    })
    .await;
}

/// Behind a proxy that loses requests and answers, cuts connections before and after a statement was applied, and delays.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn cassandra_store_conforms_amid_losses_and_delays() {
    let (keyspaces, proxies) = (Keyspaces::new().await, Proxies::start().await);
    let before = proxies.plan.tally();
    suite_amid(|| async {
        let name = keyspaces.next().await;
        let options = CassandraOptions {
            request_timeout: Duration::from_secs(1),
            ..through_proxies(&name)
        };
        let store = open(&options).await;
        proxies.plan.seed(1, LOSSES);
        let patient = Patient::new(store);
        (Arc::new(patient) as Arc<dyn Store>, Healed(&proxies.plan))
    })
    .await;
    let tally = proxies.plan.tally().since(&before);
    println!("{tally:?}");
    check_that_it_was_hard(&tally);
}

fn check_that_it_was_hard(tally: &Tally) {
    for name in ["request lost", "answer lost", "cut before", "cut after"] {
        let of_name = tally.faults.iter().filter(|((fault, _), _)| *fault == name);
        let times: u64 = of_name.map(|(_, times)| times).sum();
        assert!(times >= 3, "{name} only {times} times: {tally:?}");
    }
    assert!(tally.applied_unheard >= 10, "{tally:?}");
}

/// The plan, healed before a fight's judge looks.
struct Healed<'a>(&'a Plan);

#[async_trait]
impl Ring for Healed<'_> {
    async fn heal(&self) {
        self.0.heal();
    }

    async fn release(&self) {}
}

/// Each check has a keyspace of its own; the one before is of no more use.
struct Keyspaces {
    past: scylla::client::session::Session,
    before: Mutex<Option<String>>,
}

impl Keyspaces {
    async fn new() -> Self {
        Self {
            past: session().await,
            before: Mutex::default(),
        }
    }

    async fn next(&self) -> String {
        let name = fresh_keyspace().await;
        let old = self
            .before
            .lock()
            .expect("nobody panics in here")
            .replace(name.clone());
        if let Some(old) = old {
            self.past
                .query_unpaged(format!("DROP KEYSPACE {old}"), ())
                .await
                .expect("a keyspace can be dropped");
        }
        name
    }
}

/// In ten thousand conditional statements; others meet a fifth of that.
const LOSSES: Rates = Rates {
    lose_request: 400,
    cut_before: 600,
    lose_answer: 500,
    cut_after: 800,
    late: 0,
    hold: 0,
    twice: 0,
    stall: 0,
    longest: Duration::ZERO,
    delay: Duration::from_millis(3),
};
