//! The same harness, pointed at what is broken on purpose: it has to see each defect, or its "0 violations" means nothing.

use std::sync::Arc;
use std::time::Duration;

use openrustpoker::store::Store;
use openrustpoker::store::conformance::rivals::{Defect, Script};
use scylla::client::session_builder::SessionBuilder;

use super::broken::Unfenced;
use super::rivals::{run, script};
use super::{Proxies, named, stores};
use crate::cassandra::fresh_keyspace;
use crate::recovery::number;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn what_is_broken_on_purpose_is_seen() {
    let seed = number("SEED", 1);
    let proxies = Arc::new(Proxies::start().await);
    for defect in [
        Defect::UnfencedAppend,
        Defect::OldSegmentAfterRestart,
        Defect::TimeOutTakenAsFailure,
        Defect::SlotReuse,
    ] {
        let mut seen = 0;
        for seed in (seed..).take(TRIES) {
            let keyspace = fresh_keyspace().await;
            let mut stores = stores(&keyspace).await;
            if defect == Defect::UnfencedAppend {
                stores = unfenced(stores, &keyspace).await;
            }
            let script = Script {
                defect: Some(defect),
                cut_off: 2,
                ..script(ROUND)
            };
            let run = run(&proxies, stores, seed, script).await;
            seen = run.violations().len();
            let shown = run
                .violations()
                .first()
                .copied()
                .unwrap_or("nothing")
                .to_owned();
            let model = match &run.replayed {
                Ok(_) => "allows it".to_owned(),
                Err(contradiction) => format!("contradicts it: {}", contradiction.why),
            };
            println!(
                "{defect:?}, seed {seed}: {seen} violations, such as: {shown}; the model {model}"
            );
            if seen > 0 {
                break;
            }
        }
        assert!(seen > 0, "{defect:?} is not seen");
    }
}

async fn unfenced(stores: [Arc<dyn Store>; 4], keyspace: &str) -> [Arc<dyn Store>; 4] {
    let mut broken = Vec::<Arc<dyn Store>>::new();
    for store in stores {
        let session = SessionBuilder::new().known_nodes(named()).build().await;
        let session = session.expect("the nodes answer");
        broken.push(Arc::new(Unfenced::new(store, session, keyspace).await));
    }
    broken
        .try_into()
        .unwrap_or_else(|_| unreachable!("as many were there"))
}

const ROUND: Duration = Duration::from_secs(10);
const TRIES: usize = 6;
