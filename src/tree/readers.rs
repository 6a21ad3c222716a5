//! Which nodes are there, and which feature level each of them reads.
//!
//! A node says so with every beat. It is there if its beat moves between two looks; one that is stopped will read the
//! cluster's record when it starts, and not start where it cannot read what is written.

use std::{fmt, time::Duration};

use crate::store::{Answer, Cas, NodeBeat, Store};

/// A node that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub node: String,
    /// The highest level that it reads; none if it does not say.
    pub reads: Option<u32>,
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reads {
            Some(level) => write!(f, "{} reads level {level}", self.node),
            None => write!(f, "{} does not say what it reads", self.node),
        }
    }
}

/// How a raise ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    /// The level is this now. These began meanwhile, and cannot read it.
    To(u32, Vec<Reader>),
    /// Nothing changed: these are there and cannot read it.
    Refused(Vec<Reader>),
}

/// The nodes that are there: two looks, so far apart.
///
/// # Errors
/// When the store gives no answer.
pub(super) async fn readers(store: &dyn Store, apart: Duration) -> Answer<Vec<Reader>> {
    let before = store.beats().await?;
    tokio::time::sleep(apart).await;
    Ok(moved(&before, &store.beats().await?))
}

/// Raises the level, unless a node that is there cannot read it.
///
/// A node that starts between the look and the raise has read the record before it was raised, and no look at beats can
/// tell it: it is named afterwards. What it does not read it does not serve: it loses no chip, and must be stopped.
///
/// # Errors
/// When the store gives no answer.
pub(super) async fn raise(
    store: &dyn Store,
    from: u32,
    to: u32,
    apart: Duration,
) -> Answer<Raised> {
    let there = readers(store, apart).await?;
    let unfit = unfit(there, to);
    if !unfit.is_empty() {
        return Ok(Raised::Refused(unfit));
    }
    let level = match store.raise_feature_level(from, to).await? {
        Cas::Applied => to,
        // Somebody else did.
        Cas::NotApplied(record) => record.map_or(from, |record| record.feature_level),
    };
    let there = readers(store, apart).await?;
    Ok(Raised::To(level, self::unfit(there, level)))
}

fn unfit(there: Vec<Reader>, level: u32) -> Vec<Reader> {
    let unfit = |reader: &Reader| reader.reads.is_none_or(|reads| reads < level);
    there.into_iter().filter(unfit).collect()
}

fn moved(before: &[NodeBeat], after: &[NodeBeat]) -> Vec<Reader> {
    let stood_still = |now: &NodeBeat| {
        before.iter().any(|then| {
            (&then.node, then.incarnation, then.beat) == (&now.node, now.incarnation, now.beat)
        })
    };
    let there = after.iter().filter(|beat| !stood_still(beat));
    there
        .map(|beat| Reader {
            node: beat.node.clone(),
            reads: beat.reads,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        ids::ShardCount,
        store::{ClusterRecord, Incarnation, SerialDomain, memory::MemoryStore},
    };

    const APART: Duration = Duration::from_secs(2);

    async fn store() -> Arc<MemoryStore> {
        let store = Arc::new(MemoryStore::new());
        let record = ClusterRecord {
            shards: ShardCount::new(2).expect("not zero"),
            serial_domain: SerialDomain::Serial,
            feature_level: 1,
        };
        let created = store.create_cluster(&record).await.expect("it answers");
        assert_eq!(created, Cas::Applied);
        store
    }

    fn sign(node: &str, beat: u64, reads: Option<u32>) -> NodeBeat {
        NodeBeat {
            node: node.into(),
            incarnation: Incarnation(1),
            beat,
            address: String::new(),
            reads,
        }
    }

    /// A node that beats until the test ends, from after so many of its beats on.
    fn beats(store: &Arc<MemoryStore>, node: &'static str, from: u64, reads: Option<u32>) {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(500));
            for beat in 1.. {
                every.tick().await;
                if beat >= from {
                    store
                        .put_beat(&sign(node, beat, reads))
                        .await
                        .expect("it answers");
                }
            }
        });
    }

    async fn level(store: &MemoryStore) -> u32 {
        let record = store.cluster().await.expect("it answers");
        record.expect("it was created").feature_level
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_there_and_cannot_read_it_keeps_the_level_where_it_is() {
        let store = store().await;
        beats(&store, "new", 1, Some(2));
        beats(&store, "old", 1, Some(1));
        beats(&store, "older", 1, None);
        let refused = raise(&*store, 1, 2, APART).await.expect("it answers");
        let reader = |node: &str, reads| Reader {
            node: node.into(),
            reads,
        };
        assert_eq!(
            refused,
            Raised::Refused(vec![reader("old", Some(1)), reader("older", None)])
        );
        assert_eq!(level(&store).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_gone_keeps_nothing() {
        let store = store().await;
        store
            .put_beat(&sign("old", 77, Some(1)))
            .await
            .expect("it answers");
        beats(&store, "new", 1, Some(2));
        let raised = raise(&*store, 1, 2, APART).await.expect("it answers");
        assert_eq!(raised, Raised::To(2, vec![]));
        assert_eq!(level(&store).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_begins_meanwhile_is_named() {
        let store = store().await;
        beats(&store, "late", 6, Some(1));
        let raised = raise(&*store, 1, 2, APART).await.expect("it answers");
        let Raised::To(2, late) = raised else {
            panic!("{raised:?}");
        };
        assert_eq!(late[0].to_string(), "late reads level 1");
    }
}
