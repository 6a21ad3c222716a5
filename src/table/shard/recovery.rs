//! The fold of a shard's log: every table as the log says it is.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use engine::{HandNo, Ledger, Settings};

use crate::{
    ids::{Seq, TableId},
    store::{
        Cause, SegmentKey,
        log::{Fold, Position, RowKind},
    },
    table::{
        codec::{self, Record},
        seal::Keyring,
        state::{FinishedHand, TableState, Told},
    },
};

/// All tables of a shard as their log says they are, with the latest events of each.
#[derive(Default)]
pub struct Book {
    tables: BTreeMap<TableId, Committed>,
}

/// A table as its log says it is.
pub struct Committed {
    /// Its state.
    pub held: Held,
    /// Its latest events, for watchers that resume.
    pub ring: VecDeque<Arc<Told>>,
    /// When its last event was, in milliseconds since 1970 by its owner's clock; none if only a snapshot was read.
    pub last_ms: Option<u64>,
    /// As another owner left it: nothing was committed to it since the takeover.
    inherited: bool,
}

/// A state that is held in the form that costs least.
pub enum Held {
    /// Some actor uses it.
    Awake(Arc<TableState>),
    /// Encoded; nobody uses it.
    Asleep(Box<Asleep>),
}

/// A sleeping table: its bytes, and what lists and sums need.
pub struct Asleep {
    /// The encoded state.
    pub bytes: Bytes,
    /// What lists and sums need.
    pub brief: Brief,
}

/// What lists and sums need of a table.
#[derive(Clone)]
pub struct Brief {
    /// Its name.
    pub name: Arc<str>,
    /// What it plays.
    pub settings: Arc<Settings>,
    /// Its last event.
    pub seq: Seq,
    /// Seats taken.
    pub players: u8,
    /// The current or last hand.
    pub hand: HandNo,
    /// Whether that hand is being played.
    pub playing: bool,
    /// Where its chips came from and went.
    pub ledger: Ledger,
    /// The chips on it.
    pub chips: u64,
}

/// A line of a list.
pub struct Listed {
    /// The table.
    pub table: TableId,
    /// What lists need of it.
    pub brief: Brief,
    /// As [`Committed::last_ms`].
    pub last_ms: Option<u64>,
}

/// What a takeover found.
pub struct Recovered {
    /// Every table.
    pub book: Book,
    /// Hands that may not be archived yet.
    pub outbox: Vec<FinishedHand>,
    /// The bytes that were read after the last complete checkpoint began.
    pub bytes: u64,
}

/// What a record says that cannot follow from what is before it.
#[derive(Debug, thiserror::Error)]
enum Misfit {
    #[error("table {0} is opened twice")]
    OpenedTwice(TableId),
    #[error("table {0} goes on without having been opened")]
    NotOpened(TableId),
    #[error("table {table} goes on with event {found} after event {last}")]
    Gap {
        table: TableId,
        last: Seq,
        found: Seq,
    },
    #[error("table {table}: {error}")]
    Settings {
        table: TableId,
        error: engine::SettingsError,
    },
}

impl Brief {
    /// Of a table's state.
    pub fn of(state: &TableState) -> Self {
        Self {
            name: Arc::clone(&state.name),
            settings: Arc::clone(state.table.settings()),
            seq: state.seq,
            players: u8::try_from(state.table.seats().count())
                .expect("a table has at most ten seats"),
            hand: state.table.hands_started(),
            playing: state.table.hand().is_some(),
            ledger: state.table.ledger(),
            chips: state.table.chips(),
        }
    }
}

impl Committed {
    /// A table as the log has it.
    pub fn new(state: Arc<TableState>) -> Self {
        Self {
            held: Held::Awake(state),
            ring: VecDeque::new(),
            last_ms: None,
            inherited: true,
        }
    }

    /// What lists and sums need.
    pub fn brief(&self) -> Brief {
        match &self.held {
            Held::Awake(state) => Brief::of(state),
            Held::Asleep(asleep) => asleep.brief.clone(),
        }
    }

    /// Takes in what a commit brought.
    pub fn advance(&mut self, state: Arc<TableState>, told: impl IntoIterator<Item = Arc<Told>>) {
        self.held = Held::Awake(state);
        self.inherited = false;
        self.remember(told);
    }

    fn remember(&mut self, told: impl IntoIterator<Item = Arc<Told>>) {
        self.ring.extend(told);
        self.last_ms = self
            .ring
            .back()
            .map(|told| told.stamped.at_ms)
            .or(self.last_ms);
        let surplus = self.ring.len().saturating_sub(RING_EVENTS);
        self.ring.drain(..surplus);
    }
}

impl Book {
    /// The tables, by id.
    pub fn tables(&self) -> &BTreeMap<TableId, Committed> {
        &self.tables
    }

    /// One table.
    pub fn get_mut(&mut self, table: TableId) -> Option<&mut Committed> {
        self.tables.get_mut(&table)
    }

    /// Takes in what a commit brought to a table.
    pub fn advance(&mut self, state: &Arc<TableState>, told: impl IntoIterator<Item = Arc<Told>>) {
        self.tables
            .entry(state.id)
            .or_insert_with(|| Committed::new(Arc::clone(state)))
            .advance(Arc::clone(state), told);
    }

    /// Puts a table's state into its small form. Does nothing if it went on meanwhile.
    ///
    /// # Errors
    /// When it cannot be encoded; it stays as it is then.
    pub fn rest(
        &mut self,
        table: TableId,
        at: Seq,
        keys: &Keyring,
    ) -> Result<(), codec::CodecError> {
        let Some(committed) = self.tables.get_mut(&table) else {
            return Ok(());
        };
        let Held::Awake(state) = &committed.held else {
            return Ok(());
        };
        if state.seq != at {
            return Ok(());
        }
        let bytes = Bytes::from(codec::encode_state(state, keys)?);
        committed.held = Held::Asleep(Box::new(Asleep {
            bytes,
            brief: Brief::of(state),
        }));
        committed.ring = VecDeque::new();
        Ok(())
    }

    /// A table's state, in its large form from now on.
    ///
    /// # Errors
    /// When its bytes do not read.
    pub fn wake(
        &mut self,
        table: TableId,
        keys: &Keyring,
    ) -> Result<Option<Woken>, codec::CodecError> {
        let Some(committed) = self.tables.get_mut(&table) else {
            return Ok(None);
        };
        let state = match &committed.held {
            Held::Awake(state) => Arc::clone(state),
            Held::Asleep(asleep) => {
                let state = Arc::new(codec::decode_state(&asleep.bytes, keys)?);
                committed.held = Held::Awake(Arc::clone(&state));
                state
            }
        };
        Ok(Some(Woken {
            state,
            ring: committed.ring.clone(),
            inherited: committed.inherited,
        }))
    }
}

/// What a table actor starts with.
pub struct Woken {
    /// Its state.
    pub state: Arc<TableState>,
    /// Its latest events.
    pub ring: VecDeque<Arc<Told>>,
    /// It is as another owner left it.
    pub inherited: bool,
}

/// Reads a log into a [`Book`].
pub(super) struct Reader<'a> {
    keys: &'a Keyring,
    book: Book,
    outbox: Vec<FinishedHand>,
    bytes: u64,
    segment: Option<SegmentKey>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(keys: &'a Keyring) -> Self {
        Self {
            keys,
            book: Book::default(),
            outbox: Vec::new(),
            bytes: 0,
            segment: None,
        }
    }

    pub(super) fn finish(self) -> Recovered {
        Recovered {
            book: self.book,
            outbox: self.outbox,
            bytes: self.bytes,
        }
    }

    fn record(&mut self, record: Record) -> Result<(), Misfit> {
        match record {
            Record::Opened {
                table,
                name,
                settings,
                at_ms,
                ..
            } => {
                let state = TableState::new(table, name, Settings::clone(&settings))
                    .map_err(|error| Misfit::Settings { table, error })?;
                let mut opened = Committed::new(Arc::new(state));
                opened.last_ms = Some(at_ms);
                match self.book.tables.insert(table, opened) {
                    None => Ok(()),
                    Some(_) => Err(Misfit::OpenedTwice(table)),
                }
            }
            Record::Batch(batch) => {
                let table = batch.table;
                let committed = self
                    .book
                    .tables
                    .get_mut(&table)
                    .ok_or(Misfit::NotOpened(table))?;
                let Held::Awake(state) = &mut committed.held else {
                    return Err(Misfit::NotOpened(table));
                };
                if let Some(first) = batch.events.first()
                    && first.seq.0 != state.seq.0 + 1
                {
                    return Err(Misfit::Gap {
                        table,
                        last: state.seq,
                        found: first.seq,
                    });
                }
                // Nobody else holds it while the log is read, so this does not copy.
                let applied = Arc::make_mut(state).apply(&batch);
                committed.remember(applied.told);
                self.outbox.extend(applied.finished);
                Ok(())
            }
            // What its writer acknowledged is the truth at this position. The fold before
            // it, where it was read, says the same and has the latest events, too.
            Record::Snapshot(state) => {
                let known = self.book.tables.get(&state.id).map(Committed::brief);
                if known.as_ref().is_none_or(|known| known.seq != state.seq) {
                    self.book
                        .tables
                        .insert(state.id, Committed::new(Arc::from(state)));
                } else if let Some(committed) = self.book.tables.get_mut(&state.id) {
                    committed.held = Held::Awake(Arc::from(state));
                }
                Ok(())
            }
        }
    }
}

impl Fold for Reader<'_> {
    fn begin(&mut self) {
        self.book = Book::default();
        self.outbox.clear();
        self.bytes = 0;
        self.segment = None;
    }

    fn row(&mut self, at: Position, kind: RowKind, body: Bytes) -> Result<(), Cause> {
        // A checkpoint begins its segment; what is before it is not read again once it is pruned.
        if kind == RowKind::Checkpoint && self.segment != Some(at.segment) {
            self.bytes = 0;
        }
        self.segment = Some(at.segment);
        self.bytes += body.len() as u64;
        for record in codec::decode(&body, self.keys)? {
            self.record(record)?;
        }
        Ok(())
    }
}

/// Events kept for watchers that resume: the last few hands at a full table.
pub const RING_EVENTS: usize = 256;
