//! Bytes that a release wrote are read for ever, and no bytes make a reader panic (S18).
//!
//! `WRITE_EVENTS=1 cargo test --lib table::tests::codec` writes `tests/events/v1` anew; only
//! for a form that no release has written yet.

use std::path::PathBuf;

use engine::{Command, Deck, Entry, Event, Name, SeatNo, Variant};

use super::*;
use crate::ids::Seq;
use crate::table::{
    codec::{self, CodecError, Record},
    shuffle::{Dealer, shuffled},
    state::{Batch, Cause, FinishedHand, Stamped, TableState},
};

fn keys() -> Keyring {
    Keyring::single([7; 32])
}

/// A table that was opened and played at: its records, a state in mid-hand, a finished hand.
struct Story {
    records: Vec<Record>,
    middle: TableState,
    last: TableState,
    hand: FinishedHand,
}

fn story() -> Story {
    let mut state = TableState::new(TABLE, "v1".into(), settings()).expect("sound settings");
    let opened = Record::Opened {
        table: TABLE,
        name: "v1".into(),
        settings: Arc::new(settings()),
        at_ms: 1_700_000_000_000,
    };
    let mut records = vec![opened];
    let mut finished = None;
    let mut middle = None;
    let mut apply = |state: &mut TableState, command: Command, cause: Option<Cause>| {
        let events = engine::decide(&state.table, &command).expect("legal");
        let at_ms = 1_700_000_000_000 + state.seq.0;
        let step = state.step(events, cause, None, at_ms);
        records.push(Record::Batch(step.batch));
        *state = step.next;
        finished = step.applied.finished.or(finished.take());
    };
    for player in 1..=3_u8 {
        let command = Command::Sit {
            player: PlayerId(player.into()),
            name: Name::new(&format!("player {player}")).expect("a name"),
            seat: SeatNo(player),
            buy_in: 5_000,
            entry: Entry::PostNow,
            must_bring: 0,
        };
        let cause = Cause {
            player: PlayerId(player.into()),
            request: 10,
            refused: player == 2,
        };
        apply(&mut state, command, Some(cause));
    }
    let deck = SeededDealer(1)
        .deck(TABLE, HandNo(1), Variant::Holdem)
        .expect("a deck");
    let deal = Command::Deal {
        deck,
        first_button: SeatNo(1),
    };
    apply(&mut state, deal, None);
    while let Some(legal) = engine::legal(&state.table) {
        let (hand, player) = {
            let seat = state.table.seat(legal.seat).expect("taken");
            (state.table.hand().expect("open").no(), seat.player)
        };
        if legal.turn.0 == 5 {
            middle = Some(state.clone());
        }
        let act = Command::Act {
            player,
            hand,
            turn: legal.turn,
            action: if legal.check {
                Action::Check
            } else {
                Action::Call
            },
            bank_used_ms: 0,
        };
        apply(&mut state, act, None);
    }
    records.push(Record::Snapshot(Box::new(state.clone())));
    Story {
        records,
        middle: middle.expect("there is a fifth turn"),
        last: state,
        hand: finished.expect("the hand ended"),
    }
}

fn commit(records: &[Record]) -> Vec<u8> {
    let mut payload = codec::payload();
    for record in records {
        let record = codec::encode(record, &keys()).expect("it encodes");
        codec::push(&mut payload, &record);
    }
    payload
}

/// The name of each file, and what is in it.
fn written(story: &Story) -> [(&'static str, Vec<u8>); 3] {
    [
        ("commit", commit(&story.records)),
        (
            "state",
            codec::encode_state(&story.middle, &keys()).expect("it encodes"),
        ),
        (
            "hand",
            codec::encode_hand(&story.hand, &keys()).expect("it encodes"),
        ),
    ]
}

fn path(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join(format!("tests/events/v1/{name}.bin"))
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("the file is committed")
}

fn same_state(read: &TableState, expected: &TableState) {
    let bytes = |state: &TableState| rmp_serde::to_vec(&state.table).expect("it serialises");
    assert_eq!(bytes(read), bytes(expected));
    let deck = |state: &TableState| state.table.secret().map(Deck::to_bytes);
    assert_eq!(deck(read), deck(expected));
    assert_eq!(read.seq, expected.seq);
    assert_eq!(read.name, expected.name);
    assert_eq!(read.recents, expected.recents);
    assert_eq!(read.departures, expected.departures);
    same_events(&read.hand_log, &expected.hand_log);
}

fn same_events(
    read: &[Arc<crate::table::state::Stamped>],
    expected: &[Arc<crate::table::state::Stamped>],
) {
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(expected) {
        assert_eq!((read.seq, read.at_ms), (expected.seq, expected.at_ms));
        let same = match (&read.event, &expected.event) {
            (Event::Public(read), Event::Public(expected)) => read == expected,
            (Event::Private(engine::Secret::Deck(a)), Event::Private(engine::Secret::Deck(b))) => {
                a == b
            }
            (Event::Public(_), Event::Private(_)) | (Event::Private(_), Event::Public(_)) => false,
        };
        assert!(same, "event {}", read.seq);
    }
}

#[test]
fn the_bytes_of_v1_read() {
    let story = story();
    if std::env::var_os("WRITE_EVENTS").is_some() {
        for (name, bytes) in written(&story) {
            std::fs::write(path(name), bytes).expect("written");
        }
    }
    let mut folded: Option<TableState> = None;
    for record in codec::decode(&golden("commit"), &keys()).expect("it reads") {
        match record {
            Record::Opened {
                table,
                name,
                settings,
                ..
            } => {
                folded = TableState::new(table, name, Settings::clone(&settings)).ok();
            }
            Record::Batch(batch) => {
                folded.as_mut().expect("opened first").apply(&batch);
            }
            Record::Snapshot(state) => same_state(&state, folded.as_ref().expect("opened first")),
        }
    }
    same_state(&folded.expect("opened"), &story.last);
    let state = codec::decode_state(&golden("state"), &keys()).expect("it reads");
    same_state(&state, &story.middle);
    assert!(state.table.secret().is_some());
    let hand = codec::decode_hand(&golden("hand"), &keys()).expect("it reads");
    same_events(&hand.events, &story.hand.events);
    assert_eq!(
        (hand.hand, &hand.names),
        (story.hand.hand, &story.hand.names)
    );
}

#[test]
fn a_sleeping_state_becomes_a_record_without_being_read() {
    let story = story();
    let asleep = codec::encode_state(&story.middle, &keys()).expect("it encodes");
    let mut payload = codec::payload();
    let record = codec::snapshot_record(&asleep).expect("it is a snapshot");
    codec::push(&mut payload, &record);
    let records = codec::decode(&payload, &keys()).expect("it reads");
    let [Record::Snapshot(state)] = &records[..] else {
        panic!("one snapshot");
    };
    same_state(state, &story.middle);
}

#[test]
fn cut_or_altered_bytes_are_errors() {
    type Read = fn(&[u8]) -> bool;
    let readers: [(&str, Read); 3] = [
        ("commit", |bytes| codec::decode(bytes, &keys()).is_ok()),
        ("state", |bytes| codec::decode_state(bytes, &keys()).is_ok()),
        ("hand", |bytes| codec::decode_hand(bytes, &keys()).is_ok()),
    ];
    for (name, reads) in readers {
        let bytes = golden(name);
        assert!(reads(&bytes), "{name}");
        let whole = (0..bytes.len()).filter(|cut| reads(&bytes[..*cut])).count();
        // A commit also ends where a record ends; its checksum and the chain see that.
        let records = if name == "commit" {
            story().records.len()
        } else {
            0
        };
        assert_eq!(whole, records, "{name}");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 8);
            // It may read as something else; it must not panic.
            reads(&altered);
        }
        let mut later = bytes.clone();
        later[0] = 2;
        assert!(!reads(&later), "{name} of a later form");
        let noise = shuffled([3; 32], Variant::Holdem).to_bytes();
        assert!(!reads(&noise), "{name}");
    }
}

/// Event numbers are read as they are stored, and the last of them has none after it.
#[test]
fn numbers_beyond_the_last_are_errors() {
    let first: u64 = 0x1122_3344_5566_7788;
    let read = |count: u64| {
        let events = (0..count).map(|place| Stamped {
            seq: Seq(first + place),
            at_ms: 1,
            event: Event::Public(engine::Fact::TableClosed),
        });
        let batch = Batch {
            table: TABLE,
            cause: None,
            note: None,
            events: events.map(Arc::new).collect(),
        };
        let mut bytes = commit(&[Record::Batch(batch)]);
        let place = bytes.windows(8).position(|at| at == first.to_be_bytes());
        let place = place.expect("the first number is written once for all");
        bytes[place..place + 8].fill(u8::MAX);
        codec::decode(&bytes, &keys())
    };
    assert!(matches!(
        &read(1).expect("one event has the last number")[..],
        [Record::Batch(batch)] if batch.events[0].seq == Seq(u64::MAX)
    ));
    assert!(matches!(read(2), Err(CodecError::Malformed { .. })));
}

#[test]
fn a_state_under_another_key_does_not_read() {
    let other = Keyring::single([8; 32]);
    assert!(codec::decode_state(&golden("state"), &other).is_err());
}

#[test]
fn no_byte_that_is_written_shows_a_deck() {
    let story = story();
    let deck = story
        .middle
        .table
        .secret()
        .expect("an open hand")
        .to_bytes();
    for (name, bytes) in written(&story) {
        let shows = bytes
            .windows(6)
            .any(|window| deck.windows(6).any(|cards| cards == window));
        assert!(!shows, "{name}");
    }
}

/// What only other games need is not written at a table of plain no-limit Hold'em: the release before reads it.
#[test]
fn a_plain_table_is_written_as_before() {
    let table = rmp_serde::to_vec(&story().middle.table).expect("it serialises");
    let settings = rmp_serde::to_vec(&settings()).expect("they serialise");
    assert_eq!(settings.first(), Some(&FIELDS_WITHOUT_GAME));
    assert_eq!(table.get(1..=settings.len()), Some(&settings[..]));
    // Seats, positions, the open hand, the ledger.
    let rest = &table[1 + settings.len()..];
    let whole = golden("state");
    assert!(whole.windows(rest.len()).any(|bytes| bytes == rest));
}

/// MessagePack's header of an array of thirteen.
const FIELDS_WITHOUT_GAME: u8 = 0x9d;
