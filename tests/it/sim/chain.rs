//! The log as it stands in the store, read byte by byte and folded by nothing but the
//! engine: what every owner's state and every answer are compared with.

use std::collections::BTreeMap;

use engine::{Event, Fact, PlayerId, Secret, Table, View, Viewer};
use openrustpoker::{
    ids::{Seq, ShardId, TableId},
    store::{ChainHash, SegmentKey, WriterToken},
    table::{
        codec::{self, Record},
        seal::Keyring,
        state::Stamped,
    },
};

use super::tape::Tape;

/// One event of a table with who wrote it.
pub struct Step {
    pub stamped: std::sync::Arc<Stamped>,
    pub writer: WriterToken,
    /// The table right after it.
    pub table: Table,
}

/// A table's whole history.
#[derive(Default)]
pub struct History {
    /// The table before its first event.
    pub opened: Option<Table>,
    pub steps: Vec<Step>,
    /// Requests: (player, id, refused, the table's last event after it).
    pub causes: Vec<(PlayerId, u64, bool, Seq)>,
}

/// All tables.
#[derive(Default)]
pub struct Histories {
    pub tables: BTreeMap<TableId, History>,
    pub takeovers: usize,
}

impl History {
    pub fn table(&self) -> &Table {
        self.steps.last().map_or_else(
            || self.opened.as_ref().expect("a table is opened first"),
            |step| &step.table,
        )
    }

    pub fn seq(&self) -> Seq {
        Seq(self.steps.len() as u64)
    }

    pub fn at(&self, seq: Seq) -> Option<&Step> {
        self.steps.get(usize::try_from(seq.0).ok()?.checked_sub(1)?)
    }

    /// What a viewer should have seen of the table after this event.
    pub fn view(&self, seq: Seq, viewer: Viewer) -> Option<View> {
        if seq == Seq(0) {
            return self
                .opened
                .as_ref()
                .map(|table| engine::view(table, viewer));
        }
        self.at(seq).map(|step| engine::view(&step.table, viewer))
    }
}

impl Histories {
    /// Reads the chains of all shards. Everything that is not as it must be is a violation (P4, P6).
    pub async fn read(
        tape: &Tape,
        shards: impl Iterator<Item = ShardId>,
        keys: &Keyring,
    ) -> Result<Self, String> {
        let mut all = Self::default();
        for shard in shards {
            all.read_shard(tape, shard, keys).await?;
        }
        Ok(all)
    }

    async fn read_shard(
        &mut self,
        tape: &Tape,
        shard: ShardId,
        keys: &Keyring,
    ) -> Result<(), String> {
        let mut hash = ChainHash::genesis(shard);
        let mut last: Option<SegmentKey> = None;
        for (id, state, rows) in tape.chain(shard).await {
            if last.is_some_and(|last| last >= id.key) {
                return Err(format!("P4: the chain does not rise at {id}"));
            }
            if last.is_none_or(|last| last.epoch != id.key.epoch) {
                self.takeovers += 1;
            }
            last = Some(id.key);
            if rows.len() as u64 != state.next_n {
                let (has, says) = (rows.len(), state.next_n);
                return Err(format!("P4: {id} has {has} rows and says {says}"));
            }
            for (n, row) in (0..).zip(&rows) {
                if row.n != n || crc32fast::hash(&row.payload) != row.crc {
                    return Err(format!("P4: row {n} of {id} is not what was written"));
                }
                if n == 0 && row.payload.get(1..33) != Some(&hash.0[..]) {
                    return Err(format!("P4: {id} does not go on from what is before it"));
                }
                hash = hash.then(n, &row.payload);
                let body = body(n, &row.payload).ok_or(format!("P4: row {n} of {id} is cut"))?;
                let records =
                    codec::decode(body, keys).map_err(|e| format!("P4: {id} {n}: {e}"))?;
                for record in records {
                    self.record(record, state.writer)?;
                }
            }
            if !rows.is_empty() && state.last_hash != hash {
                return Err(format!("P4: {id} does not end with its last row"));
            }
        }
        Ok(())
    }

    fn record(&mut self, record: Record, writer: WriterToken) -> Result<(), String> {
        match record {
            Record::Opened {
                table, settings, ..
            } => {
                let history = self.tables.entry(table).or_default();
                if history.opened.is_some() {
                    return Err(format!("P4: table {table} is opened twice"));
                }
                history.opened = Some(Table::new(settings).map_err(|e| e.to_string())?);
            }
            Record::Batch(batch) => {
                let id = batch.table;
                let history = self.tables.entry(id).or_default();
                for stamped in batch.events {
                    if stamped.seq.0 != history.seq().0 + 1 {
                        let (found, last) = (stamped.seq, history.seq());
                        return Err(format!("P4: table {id}: event {found} after {last}"));
                    }
                    let mut table = history.table().clone();
                    engine::evolve(&mut table, &stamped.event);
                    engine::check(&table).map_err(|e| format!("P1: table {id}: {e}"))?;
                    history.steps.push(Step {
                        stamped,
                        writer,
                        table,
                    });
                }
                if let Some(cause) = batch.cause {
                    let seq = history.seq();
                    let cause = (cause.player, cause.request, cause.refused, seq);
                    history.causes.push(cause);
                }
            }
            Record::Snapshot(state) => {
                let id = state.id;
                let history = self.tables.entry(id).or_default();
                if state.seq != history.seq() {
                    let (found, last) = (state.seq, history.seq());
                    return Err(format!(
                        "P6: snapshot of table {id} at {found}, not at {last}"
                    ));
                }
                let folded = history.table();
                if bytes(&state.table) != bytes(folded) {
                    return Err(format!("P6: snapshot of table {id} is not the fold"));
                }
                let deck = |table: &Table| table.secret().map(engine::Deck::to_bytes);
                if deck(&state.table) != deck(folded) {
                    return Err(format!("P6: snapshot of table {id} has another deck"));
                }
            }
        }
        Ok(())
    }
}

/// The clear decks of all hands, as bytes.
pub fn decks(histories: &Histories) -> Vec<Vec<u8>> {
    let steps = histories.tables.values().flat_map(|history| &history.steps);
    steps
        .filter_map(|step| match &step.stamped.event {
            Event::Private(Secret::Deck(deck)) => Some(deck.to_bytes()),
            Event::Public(_) => None,
        })
        .collect()
}

/// The public part of an event.
pub fn fact(stamped: &Stamped) -> Option<&Fact> {
    match &stamped.event {
        Event::Public(fact) => Some(fact),
        Event::Private(_) => None,
    }
}

fn bytes(table: &Table) -> Vec<u8> {
    rmp_serde::to_vec(table).expect("a table serialises")
}

/// What the log protocol writes around a commit, taken off again.
fn body(n: u64, payload: &[u8]) -> Option<&[u8]> {
    let (kind, mut rest) = payload.split_first()?;
    if n == 0 {
        rest = rest.get(32..)?;
    }
    if *kind == 3 {
        let (count, tail) = rest.split_first_chunk::<4>()?;
        rest = tail.get(12 * u32::from_be_bytes(*count) as usize..)?;
    }
    Some(rest)
}
