//! What an owner wrote and cannot be true is found: rows that are whole and chained, and wrong.

use std::sync::Arc;

use bytes::Bytes;
use engine::{Event, Fact, SeatNo};

use super::{stage::*, verify::seen};
use crate::{
    ids::{Seq, ShardId, TableId},
    store::{
        Cas, Cause, ClusterRecord, Store, WriterToken,
        log::{Fold, LogOptions, Position, RowKind, ShardLog},
        memory::MemoryStore,
    },
    table::{
        codec::{self, Record},
        state::{Batch, Stamped, TableState},
    },
};

/// Whoever owns a log may write anything.
async fn forge(store: &MemoryStore, shard: ShardId, records: &[Record]) {
    let mut log = own(store, shard).await;
    let mut payload = codec::payload();
    for record in records {
        let record = codec::encode(record, &keys()).expect("it is sealed");
        codec::push(&mut payload, &record);
    }
    log.append(Bytes::from(payload)).await.expect("no faults");
}

async fn own(store: &MemoryStore, shard: ShardId) -> ShardLog {
    struct Blind;
    impl Fold for Blind {
        fn begin(&mut self) {}
        fn row(&mut self, _: Position, _: RowKind, _: Bytes) -> Result<(), Cause> {
            Ok(())
        }
    }
    let (store, mut token, mut blind) = (Arc::new(store.clone()), || WriterToken([9; 16]), Blind);
    let taken = ShardLog::take_over(
        store,
        shard,
        "forger",
        &mut token,
        &mut blind,
        LogOptions::default(),
    );
    taken.await.expect("no faults")
}

/// A table's last state, and its shard.
async fn state(store: &MemoryStore, id: TableId) -> (ShardId, TableState) {
    let shards = crate::ids::ShardCount::new(SHARDS).expect("not zero");
    let (shard, keys) = (ShardId::of(id, shards), keys());
    let mut audit = crate::keep::audit::ShardAudit::new(shard, shards, Some(&keys));
    let walked = crate::store::log::walk(store, &LogOptions::default(), shard, &mut audit).await;
    walked.expect("it is sound").expect("it was owned");
    let (mut tables, _) = audit.into_tables();
    (shard, tables.remove(&id).expect("it is there").state)
}

fn batch(table: TableId, seq: u64, fact: Fact) -> Record {
    let (event, at_ms) = (Event::Public(fact), BEGIN_MS);
    let stamped = Stamped {
        seq: Seq(seq),
        at_ms,
        event,
    };
    Record::Batch(Batch {
        table,
        cause: None,
        note: None,
        events: vec![Arc::new(stamped)],
    })
}

#[tokio::test(start_paused = true)]
async fn what_was_written_and_cannot_be_true_is_found() {
    let store = played(24).await;
    let id = table(0);
    let (shard, before) = state(&store, id).await;
    let next = before.seq.0 + 1;
    let back = Fact::UncalledReturned {
        seat: before
            .table
            .hand()
            .and_then(|hand| hand.turn())
            .expect("a turn")
            .0,
        amount: 500,
    };
    let out = Fact::SatOut {
        seat: SeatNo(0),
        reason: engine::Away::Asked,
    };

    let wrong =
        format!("table {id} at event {next}: 30000 chips came in, but 30500 are accounted for");
    let chips = [batch(id, next, back.clone())];
    seen(&store, &wrong, async |store| {
        forge(store, shard, &chips).await
    })
    .await;

    let mut rich = before.clone();
    engine::evolve(&mut rich.table, &Event::Public(back));
    let snapshot = [Record::Snapshot(Box::new(rich))];
    let wrong = format!(
        "the snapshot of table {id} at event {} is not what",
        before.seq
    );
    seen(&store, &wrong, async |store| {
        forge(store, shard, &snapshot).await
    })
    .await;

    // Sound in itself, and another table's chips.
    let mut other = before.clone();
    engine::evolve(&mut other.table, &Event::Public(out.clone()));
    let snapshot = [Record::Snapshot(Box::new(other))];
    seen(&store, &wrong, async |store| {
        forge(store, shard, &snapshot).await
    })
    .await;

    let wrong = format!(
        "table {id} goes on with event {} after event {}",
        next + 1,
        before.seq
    );
    let gap = [batch(id, next + 1, out.clone())];
    seen(&store, &wrong, async |store| {
        forge(store, shard, &gap).await
    })
    .await;

    let unknown = TableId(3);
    let wrong = format!("table {unknown} goes on without having been opened");
    let batches = [batch(unknown, 1, out)];
    seen(&store, &wrong, async |store| {
        forge(store, shard, &batches).await
    })
    .await;

    let opened = [Record::Opened {
        table: id,
        name: "again".into(),
        settings: Arc::new(settings()),
        at_ms: BEGIN_MS,
    }];
    let wrong = format!("table {id} is opened twice");
    seen(&store, &wrong, async |store| {
        forge(store, shard, &opened).await
    })
    .await;
    let other_shard = ShardId(1 - shard.0);
    let wrong = format!("table {id} belongs to shard {shard}");
    seen(&store, &wrong, async |store| {
        forge(store, other_shard, &opened).await
    })
    .await;

    let wrong = format!("the checkpoint forgets table {id}");
    let forget = async |store: &MemoryStore| {
        let mut log = own(store, shard).await;
        let empty = Bytes::from(codec::payload());
        log.rotate([empty]).await.expect("no faults");
    };
    seen(&store, &wrong, forget).await;

    let wrong = "the bytes of a record do not read";
    let rubbish = async |store: &MemoryStore| {
        let mut payload = codec::payload();
        codec::push(&mut payload, b"rubbish");
        own(store, shard)
            .await
            .append(Bytes::from(payload))
            .await
            .expect("no faults");
    };
    seen(&store, wrong, rubbish).await;

    let wrong = "cluster record: the store is half filled";
    let half = async |store: &MemoryStore| {
        let raised = store
            .raise_feature_level(1, ClusterRecord::HALF_FILLED)
            .await;
        assert_eq!(raised.expect("no faults"), Cas::Applied);
    };
    seen(&store, wrong, half).await;
}
