//! Bytes of the log: records in, records out. Every form carries a version.
//!
//! A commit's payload is `FORM`, then records, each with its length before it;
//! so a commit is put together from records that its tables encoded. A deck is
//! sealed before it is bytes, and no other event has anything to hide.
//!
//! Facts are written by name (externally tagged), structs by position with
//! defaults for fields that came later: what a release wrote, the next reads.
//! `tests/events/v1` holds bytes that must read for ever.

use std::sync::Arc;

use engine::{Deck, Event, Fact, HandNo, PlayerId, SeatNo, Secret, Settings, Table};
use serde::{Deserialize, Serialize};

use super::{
    departures::{Departure, Departures},
    seal::{Keyring, SealError, SealedFor},
    state::{Batch, Cause, FinishedHand, Recent, Recents, Stamped, TableState},
};
use crate::ids::{Seq, TableId};

/// One record of a commit.
#[derive(Clone)]
pub enum Record {
    /// A table was opened.
    Opened {
        /// The table.
        table: TableId,
        /// Its name.
        name: Arc<str>,
        /// What it plays.
        settings: Arc<Settings>,
        /// When, milliseconds since 1970.
        at_ms: u64,
    },
    /// A table went on.
    Batch(Batch),
    /// A table's whole state.
    Snapshot(Box<TableState>),
}

/// Why bytes cannot be written or read. Says where, never what.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The bytes do not have the form they claim.
    #[error("the bytes of a {what} do not read: {cause}")]
    Malformed {
        /// What they should be.
        what: &'static str,
        /// The decoder's words.
        cause: String,
    },
    /// Written by a later release.
    #[error("a {what} has form {found}; this release reads up to {known}")]
    LaterForm {
        /// What it is.
        what: &'static str,
        /// Its form.
        found: u8,
        /// The newest form known here.
        known: u8,
    },
    /// A deck does not seal or open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A table whose open hand has no deck: written down so, its hand could never go on.
    #[error("table {0} has an open hand without its deck")]
    NoDeck(TableId),
}

/// Opens a sealed deck, or leaves it closed: `None`. What is read then lacks the deck, is good for checks, and
/// [`encode`] refuses it.
pub type Opener<'a> = dyn FnMut(&[u8], SealedFor) -> Result<Option<Deck>, SealError> + Send + 'a;

/// Starts the payload of a commit.
pub fn payload() -> Vec<u8> {
    vec![FORM]
}

/// Appends a record's bytes to a payload.
pub fn push(payload: &mut Vec<u8>, record: &[u8]) {
    let length =
        u32::try_from(record.len()).expect("a record is smaller than the segment that bounds it");
    payload.extend_from_slice(&length.to_be_bytes());
    payload.extend_from_slice(record);
}

/// Encodes one record.
///
/// # Errors
/// When a deck cannot be sealed.
pub fn encode(record: &Record, keys: &Keyring) -> Result<Vec<u8>, CodecError> {
    let wire = match record {
        Record::Opened {
            table,
            name,
            settings,
            at_ms,
        } => RecordForm::Opened(
            *table,
            name.as_ref().into(),
            Settings::clone(settings),
            *at_ms,
        ),
        Record::Batch(batch) => RecordForm::Batch(batch_form(batch, keys)?),
        Record::Snapshot(state) => RecordForm::Snapshot(Box::new(snapshot_form(state, keys)?)),
    };
    write("record", &wire)
}

/// Reads the records of a commit's payload, in order.
///
/// # Errors
/// When the bytes are not whole, were written by a later release, or a deck does not open.
pub fn decode(payload: &[u8], keys: &Keyring) -> Result<Vec<Record>, CodecError> {
    decode_with(payload, &mut with(keys))
}

/// The same with decks opened, or not, by the caller.
///
/// # Errors
/// As [`decode`].
pub fn decode_with(payload: &[u8], open: &mut Opener<'_>) -> Result<Vec<Record>, CodecError> {
    let mut rest = versioned("commit", payload)?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (record, tail) = split_record(rest)?;
        records.push(decode_record(record, open)?);
        rest = tail;
    }
    Ok(records)
}

/// A table's state as bytes, for a sleeping table.
///
/// # Errors
/// When a deck cannot be sealed.
pub fn encode_state(state: &TableState, keys: &Keyring) -> Result<Vec<u8>, CodecError> {
    let mut bytes = payload();
    bytes.extend(write("snapshot", &snapshot_form(state, keys)?)?);
    Ok(bytes)
}

/// Reads what [`encode_state`] wrote.
///
/// # Errors
/// As [`decode`].
pub fn decode_state(bytes: &[u8], keys: &Keyring) -> Result<TableState, CodecError> {
    let form: SnapshotForm = read("snapshot", versioned("snapshot", bytes)?)?;
    state_of(form, &mut with(keys))
}

/// What [`encode_state`] wrote, as a record of a checkpoint: nothing is read or opened.
///
/// # Errors
/// When the bytes are of another form.
pub fn snapshot_record(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    let snapshot = versioned("snapshot", bytes)?;
    // An externally tagged variant of one value: a map of one pair, name and value.
    let mut record = write("record", &RecordName::Snapshot)?;
    record.insert(0, ONE_PAIR);
    record.extend_from_slice(snapshot);
    Ok(record)
}

/// A finished hand as bytes, for the archive.
///
/// # Errors
/// When a deck cannot be sealed.
pub fn encode_hand(hand: &FinishedHand, keys: &Keyring) -> Result<Vec<u8>, CodecError> {
    let form = HandForm {
        table: hand.table,
        name: hand.name.as_ref().into(),
        hand: hand.hand,
        settings: Settings::clone(&hand.settings),
        names: hand.names.clone(),
        events: events_form(hand.table, Some(hand.hand), &hand.events, keys)?,
    };
    let mut bytes = payload();
    bytes.extend(write("hand", &form)?);
    Ok(bytes)
}

/// Reads what [`encode_hand`] wrote.
///
/// # Errors
/// As [`decode`].
pub fn decode_hand(bytes: &[u8], keys: &Keyring) -> Result<FinishedHand, CodecError> {
    decode_hand_with(bytes, &mut with(keys))
}

/// The same with its deck opened, or not, by the caller.
///
/// # Errors
/// As [`decode`].
pub fn decode_hand_with(bytes: &[u8], open: &mut Opener<'_>) -> Result<FinishedHand, CodecError> {
    let form: HandForm = read("hand", versioned("hand", bytes)?)?;
    Ok(FinishedHand {
        table: form.table,
        name: form.name.into(),
        hand: form.hand,
        settings: Arc::new(form.settings),
        names: form.names,
        events: events_of(form.table, form.events, open)?,
    })
}

#[derive(Serialize, Deserialize)]
enum RecordForm {
    Opened(TableId, String, Settings, u64),
    Batch(BatchForm),
    Snapshot(Box<SnapshotForm>),
}

/// The name of a variant of [`RecordForm`], written as it writes it.
#[derive(Serialize)]
enum RecordName {
    Snapshot,
}

#[derive(Serialize, Deserialize)]
struct BatchForm {
    table: TableId,
    cause: Option<(PlayerId, u64, bool)>,
    note: Option<String>,
    events: EventsForm,
}

/// Events of one decision have one stamp and follow each other.
#[derive(Serialize, Deserialize)]
struct EventsForm {
    runs: Vec<RunForm>,
    /// The hand that a sealed deck among them belongs to.
    hand: Option<HandNo>,
}

#[derive(Serialize, Deserialize)]
struct RunForm {
    first: Seq,
    at_ms: u64,
    events: Vec<EventForm>,
}

#[derive(Serialize, Deserialize)]
enum EventForm {
    #[serde(rename = "P")]
    Public(Fact),
    #[serde(rename = "D")]
    SealedDeck(#[serde(with = "bytes_form")] Vec<u8>),
}

#[derive(Serialize, Deserialize)]
struct SnapshotForm {
    id: TableId,
    name: String,
    seq: Seq,
    table: Table,
    recents: Vec<(PlayerId, u64, Seq, Option<SeatNo>, bool)>,
    hand_log: EventsForm,
    /// Player, what he took, when.
    #[serde(default)]
    departures: Vec<(PlayerId, u64, u64)>,
}

#[derive(Serialize, Deserialize)]
struct HandForm {
    table: TableId,
    name: String,
    hand: HandNo,
    settings: Settings,
    names: Vec<(PlayerId, engine::Name)>,
    events: EventsForm,
}

/// Bytes as bytes: serde would write a vector of numbers.
mod bytes_form {
    use serde::{Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl de::Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Bytes)
    }
}

fn batch_form(batch: &Batch, keys: &Keyring) -> Result<BatchForm, CodecError> {
    let hand = batch
        .events
        .iter()
        .find_map(|stamped| match &stamped.event {
            Event::Public(Fact::HandStarted { hand, .. }) => Some(*hand),
            Event::Public(_) | Event::Private(_) => None,
        });
    Ok(BatchForm {
        table: batch.table,
        cause: batch
            .cause
            .map(|cause| (cause.player, cause.request, cause.refused)),
        note: batch.note.clone(),
        events: events_form(batch.table, hand, &batch.events, keys)?,
    })
}

fn snapshot_form(state: &TableState, keys: &Keyring) -> Result<SnapshotForm, CodecError> {
    if state.table.wants_secret() {
        return Err(CodecError::NoDeck(state.id));
    }
    let hand = state.table.hand().map(|hand| hand.no());
    Ok(SnapshotForm {
        id: state.id,
        name: state.name.as_ref().into(),
        seq: state.seq,
        table: state.table.clone(),
        recents: state
            .recents
            .iter()
            .map(|(player, r)| (player, r.request, r.seq, r.seat, r.refused))
            .collect(),
        hand_log: events_form(state.id, hand, &state.hand_log, keys)?,
        departures: state
            .departures
            .iter()
            .map(|left| (left.player, left.cash_out, left.at_ms))
            .collect(),
    })
}

fn events_form(
    table: TableId,
    hand: Option<HandNo>,
    events: &[Arc<Stamped>],
    keys: &Keyring,
) -> Result<EventsForm, CodecError> {
    let mut runs: Vec<RunForm> = Vec::new();
    for stamped in events {
        let form = match &stamped.event {
            Event::Public(fact) => EventForm::Public(fact.clone()),
            Event::Private(Secret::Deck(deck)) => {
                let place = SealedFor {
                    table,
                    hand: hand.unwrap_or(HandNo(0)),
                    seq: stamped.seq,
                };
                EventForm::SealedDeck(keys.seal(deck, place)?)
            }
        };
        let follows = |run: &&mut RunForm| {
            run.at_ms == stamped.at_ms
                && run.first.0.checked_add(run.events.len() as u64) == Some(stamped.seq.0)
        };
        match runs.last_mut().filter(follows) {
            Some(run) => run.events.push(form),
            None => runs.push(RunForm {
                first: stamped.seq,
                at_ms: stamped.at_ms,
                events: vec![form],
            }),
        }
    }
    Ok(EventsForm { runs, hand })
}

fn with(keys: &Keyring) -> impl FnMut(&[u8], SealedFor) -> Result<Option<Deck>, SealError> + Send {
    |sealed, place| keys.open(sealed, place).map(Some)
}

fn events_of(
    table: TableId,
    form: EventsForm,
    open: &mut Opener<'_>,
) -> Result<Vec<Arc<Stamped>>, CodecError> {
    let hand = form.hand.unwrap_or(HandNo(0));
    let mut events = Vec::new();
    for run in form.runs {
        for (place, event) in (0_u64..).zip(run.events) {
            let seq = run.first.0.checked_add(place).map(Seq);
            let seq = seq.ok_or_else(|| CodecError::Malformed {
                what: "run of events",
                cause: format!("event {place} after {} has no number", run.first),
            })?;
            let event = match event {
                EventForm::Public(fact) => Event::Public(fact),
                EventForm::SealedDeck(sealed) => {
                    match open(&sealed, SealedFor { table, hand, seq })? {
                        Some(deck) => Event::Private(Secret::Deck(deck)),
                        None => continue,
                    }
                }
            };
            events.push(Arc::new(Stamped {
                seq,
                at_ms: run.at_ms,
                event,
            }));
        }
    }
    Ok(events)
}

fn state_of(form: SnapshotForm, open: &mut Opener<'_>) -> Result<TableState, CodecError> {
    let mut recents = Recents::default();
    for (player, request, seq, seat, refused) in form.recents {
        recents.insert(
            player,
            Recent {
                request,
                seq,
                seat,
                refused,
            },
        );
    }
    let left = form.departures.into_iter();
    let departures = Departures::new(left.map(|(player, cash_out, at_ms)| Departure {
        player,
        cash_out,
        at_ms,
    }));
    let hand_log = events_of(form.id, form.hand_log, open)?;
    let mut table = form.table;
    if table.wants_secret()
        && let Some(deck) = deck_in(&hand_log)
    {
        table.restore_secret(deck.clone());
    }
    Ok(TableState {
        id: form.id,
        name: form.name.into(),
        seq: form.seq,
        snapshot_seq: form.seq,
        table,
        recents,
        departures,
        hand_log,
    })
}

fn deck_in(events: &[Arc<Stamped>]) -> Option<&Deck> {
    events.iter().find_map(|stamped| match &stamped.event {
        Event::Private(Secret::Deck(deck)) => Some(deck),
        Event::Public(_) => None,
    })
}

fn decode_record(bytes: &[u8], open: &mut Opener<'_>) -> Result<Record, CodecError> {
    Ok(match read("record", bytes)? {
        RecordForm::Opened(table, name, settings, at_ms) => Record::Opened {
            table,
            name: name.into(),
            settings: Arc::new(settings),
            at_ms,
        },
        RecordForm::Batch(form) => Record::Batch(Batch {
            table: form.table,
            cause: form.cause.map(|(player, request, refused)| Cause {
                player,
                request,
                refused,
            }),
            note: form.note,
            events: events_of(form.table, form.events, open)?,
        }),
        RecordForm::Snapshot(form) => Record::Snapshot(Box::new(state_of(*form, open)?)),
    })
}

fn split_record(bytes: &[u8]) -> Result<(&[u8], &[u8]), CodecError> {
    let short = || CodecError::Malformed {
        what: "commit",
        cause: "a record is cut short".into(),
    };
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
        .ok_or_else(short)
}

fn versioned<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a [u8], CodecError> {
    match bytes.split_first() {
        Some((&FORM, rest)) => Ok(rest),
        Some((&found, _)) if found > FORM => Err(CodecError::LaterForm {
            what,
            found,
            known: FORM,
        }),
        Some((found, _)) => Err(CodecError::Malformed {
            what,
            cause: format!("there is no form {found}"),
        }),
        None => Err(CodecError::Malformed {
            what,
            cause: "there are no bytes".into(),
        }),
    }
}

fn write<T: Serialize>(what: &'static str, form: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    rmp_serde::encode::write(&mut bytes, form).map_err(|error| CodecError::Malformed {
        what,
        cause: error.to_string(),
    })?;
    Ok(bytes)
}

fn read<'a, T: Deserialize<'a>>(what: &'static str, bytes: &'a [u8]) -> Result<T, CodecError> {
    rmp_serde::from_slice(bytes).map_err(|error| CodecError::Malformed {
        what,
        cause: error.to_string(),
    })
}

/// MessagePack's header of a map with one pair.
const ONE_PAIR: u8 = 0x81;
/// Most records are below this, so that their bytes are not moved while they grow.
const USUAL_BYTES: usize = 512;
/// The form that this release writes.
const FORM: u8 = 1;
