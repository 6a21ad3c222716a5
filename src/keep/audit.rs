//! The fold of one shard's log by somebody who does not own it, checking everything on the way.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use engine::{HandNo, Settings};

use super::flaw::{Flaw, Place, Wrong};
use crate::{
    ids::{ShardCount, ShardId, TableId},
    store::{
        Cause, Row, SegmentKey, SegmentState, ShardRow,
        log::{Corruption, Position, RowKind, Visitor},
    },
    table::{
        codec::{self, Record},
        seal::{Keyring, SealError},
        state::{Batch, FinishedHand, TableState},
    },
};

/// A shard's tables as its log says they are, and what is wrong with it.
pub struct ShardAudit<'a> {
    shard: ShardId,
    shards: ShardCount,
    keys: Option<&'a Keyring>,
    filling: bool,
    low: SegmentKey,
    tables: BTreeMap<TableId, Audited>,
    /// Tables of the checkpoint that is being read.
    in_checkpoint: BTreeSet<TableId>,
    finished: Vec<FinishedHand>,
    counts: Counts,
    flaws: Vec<Flaw>,
    more_flaws: u64,
}

/// A table as its log says it is.
pub struct Audited {
    /// Its state; an open hand lacks its deck if no key opened it.
    pub state: TableState,
    /// The last hand that ended before `low`: up to there the archive is the only witness.
    pub archived: HandNo,
    /// Its deck did not open, so that snapshots of it cannot be compared.
    deckless: bool,
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events of tables.
    pub events: u64,
    /// Snapshots that were compared with the fold at their position.
    pub snapshots: u64,
    /// Snapshots at the beginning of the log, which nothing before them can prove.
    pub unproven: u64,
    /// Decks that were opened.
    pub decks_opened: u64,
    /// Decks that were left closed, since no key was given.
    pub decks_closed: u64,
    /// Hands that ended since `low`.
    pub hands_ended: u64,
}

impl<'a> ShardAudit<'a> {
    /// Of this shard. Without keys decks stay closed.
    pub fn new(shard: ShardId, shards: ShardCount, keys: Option<&'a Keyring>) -> Self {
        Self {
            shard,
            shards,
            keys,
            filling: false,
            low: SegmentKey::ROOT,
            tables: BTreeMap::new(),
            in_checkpoint: BTreeSet::new(),
            finished: Vec::new(),
            counts: Counts::default(),
            flaws: Vec::new(),
            more_flaws: 0,
        }
    }

    /// The same of a shard that a migration fills: a checkpoint brings tables that were never opened there.
    #[must_use]
    pub fn filling(self) -> Self {
        let filling = true;
        Self { filling, ..self }
    }

    /// The tables, by id.
    pub fn tables(&self) -> &BTreeMap<TableId, Audited> {
        &self.tables
    }

    /// Takes the tables out, for a copy of them.
    pub fn into_tables(self) -> (BTreeMap<TableId, Audited>, Vec<FinishedHand>) {
        (self.tables, self.finished)
    }

    /// How much was checked.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What is wrong, in the order of the log.
    pub fn take_flaws(&mut self) -> Vec<Flaw> {
        let mut flaws = std::mem::take(&mut self.flaws);
        if let Some(last) = flaws.last().filter(|_| self.more_flaws > 0) {
            let (place, what) = (last.place, Wrong::More(self.more_flaws));
            flaws.push(Flaw { place, what });
        }
        self.more_flaws = 0;
        flaws
    }

    fn flaw(&mut self, at: Position, what: Wrong) {
        let place = Place::Log {
            shard: self.shard,
            segment: at.segment,
            row: at.n,
        };
        self.note(Flaw { place, what });
    }

    fn note(&mut self, flaw: Flaw) {
        if self.flaws.len() < FLAWS_MAX {
            self.flaws.push(flaw);
        } else {
            self.more_flaws += 1;
        }
    }

    /// Reads a row's records. Decks that do not open are flaws of their tables, not of the row.
    fn records(&mut self, at: Position, body: &[u8]) -> Vec<Record> {
        let (keys, counts) = (self.keys, &mut self.counts);
        let mut closed: Vec<(TableId, SealError)> = Vec::new();
        let records = codec::decode_with(body, &mut |sealed, place| {
            let Some(keys) = keys else {
                counts.decks_closed += 1;
                return Ok(None);
            };
            Ok(match keys.open(sealed, place) {
                Ok(deck) => {
                    counts.decks_opened += 1;
                    Some(deck)
                }
                Err(cause) => {
                    closed.push((place.table, cause));
                    None
                }
            })
        });
        for (table, cause) in closed {
            if let Some(audited) = self.tables.get_mut(&table) {
                audited.deckless = true;
            }
            self.flaw(at, Wrong::Deck { table, cause });
        }
        records.unwrap_or_else(|cause| {
            self.flaw(at, Wrong::Unreadable(cause));
            Vec::new()
        })
    }

    fn record(&mut self, at: Position, kind: RowKind, record: Record) {
        let table = match &record {
            Record::Opened { table, .. } => *table,
            Record::Batch(batch) => batch.table,
            Record::Snapshot(state) => state.id,
        };
        let home = ShardId::of(table, self.shards);
        if home != self.shard {
            self.flaw(at, Wrong::Astray { table, home });
        }
        match record {
            Record::Opened { name, settings, .. } => {
                match TableState::new(table, name, Settings::clone(&settings)) {
                    Ok(_) if self.tables.contains_key(&table) => {
                        self.flaw(at, Wrong::OpenedTwice(table));
                    }
                    Ok(state) => self.adopt(state, HandNo(0)),
                    Err(cause) => self.flaw(at, Wrong::Settings { table, cause }),
                }
            }
            Record::Batch(batch) => self.batch(at, &batch),
            Record::Snapshot(state) => self.snapshot(at, kind, *state),
        }
    }

    fn batch(&mut self, at: Position, batch: &Batch) {
        let table = batch.table;
        let Some(audited) = self.tables.get_mut(&table) else {
            return self.flaw(at, Wrong::NotOpened(table));
        };
        let state = &mut audited.state;
        let last = state.seq;
        self.counts.events += batch.events.len() as u64;
        let applied = state.apply(batch);
        let seq = state.seq;
        let broken = engine::check(&state.table);
        if let Some(hand) = applied.finished {
            self.counts.hands_ended += 1;
            self.finished.push(hand);
        }
        if let Some(first) = batch.events.first()
            && first.seq.0 != last.0 + 1
        {
            let found = first.seq;
            self.flaw(at, Wrong::Gap { table, last, found });
        }
        if let Err(cause) = broken {
            self.flaw(at, Wrong::Broken { table, seq, cause });
        }
    }

    /// What its writer acknowledged is the truth at this position for every later owner, so the fold goes on from it.
    fn snapshot(&mut self, at: Position, kind: RowKind, state: TableState) {
        let (table, seq) = (state.id, state.seq);
        if kind == RowKind::Checkpoint {
            self.in_checkpoint.insert(table);
        }
        if let Err(cause) = engine::check(&state.table) {
            self.flaw(at, Wrong::Broken { table, seq, cause });
        }
        let begins = kind == RowKind::Checkpoint && (at.segment == self.low || self.filling);
        match self.tables.get_mut(&table) {
            Some(known) => {
                self.counts.snapshots += 1;
                let differs = !known.deckless && !known.state.same_as(&state);
                known.state = state;
                if differs {
                    self.flaw(at, Wrong::Snapshot { table, seq });
                }
            }
            None if begins => {
                self.counts.unproven += 1;
                let archived = state.hands_ended();
                self.adopt(state, archived);
            }
            None => {
                self.flaw(at, Wrong::NotOpened(table));
                let archived = state.hands_ended();
                self.adopt(state, archived);
            }
        }
    }

    fn adopt(&mut self, state: TableState, archived: HandNo) {
        let deckless = self.keys.is_some() && state.table.wants_secret();
        let audited = Audited {
            state,
            archived,
            deckless,
        };
        self.tables.insert(audited.state.id, audited);
    }
}

impl Visitor for ShardAudit<'_> {
    fn begin(&mut self, shard: &ShardRow) -> Result<(), Cause> {
        let filling = self.filling;
        *self = Self::new(self.shard, self.shards, self.keys);
        (self.filling, self.low) = (filling, shard.low);
        Ok(())
    }

    fn segment(&mut self, _key: SegmentKey, _state: &SegmentState) -> Result<(), Cause> {
        self.in_checkpoint.clear();
        Ok(())
    }

    fn row(&mut self, at: Position, kind: RowKind, _row: &Row, body: Bytes) -> Result<(), Cause> {
        for record in self.records(at, &body) {
            self.record(at, kind, record);
        }
        Ok(())
    }

    fn checkpoint(&mut self, key: SegmentKey) -> Result<(), Cause> {
        let forgotten = self
            .tables
            .keys()
            .filter(|table| !self.in_checkpoint.contains(table));
        let forgotten: Vec<TableId> = forgotten.copied().collect();
        for table in forgotten {
            let at = Position { segment: key, n: 0 };
            self.flaw(at, Wrong::Forgotten(table));
        }
        Ok(())
    }

    fn segment_end(&mut self, _key: SegmentKey, _state: &SegmentState) -> Result<(), Cause> {
        Ok(())
    }

    fn damage(&mut self, damage: Corruption) -> Result<(), Cause> {
        self.note(damage.into());
        Ok(())
    }
}

/// Flaws of one shard that get a line each: a log that is damaged throughout says so in fewer.
const FLAWS_MAX: usize = 200;
