//! Bytes of the log and the archive: read or refused. What reads is folded as its owner would, and is written again.

use std::sync::Arc;

use engine::{
    Event, Fact, HandNo, Name, PlayerId, Settings, Table, Viewer, check, evolve, legal, view,
};
use openrustpoker::ids::{Seq, TableId};
use openrustpoker::table::codec::{self, Record};
use openrustpoker::table::seal::Keyring;
use openrustpoker::table::state::{Batch, Cause, FinishedHand, Stamped, TableState};

use super::rules::Game;

/// The first byte says as what the others are read.
pub fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % 3 {
        0 => commit(bytes),
        1 => snapshot(bytes),
        _ => archived(bytes),
    }
}

/// Commits, a snapshot in mid-hand or between hands, and a finished hand, of some games.
pub fn seeds() -> Vec<Vec<u8>> {
    let plain = (1..=4).flat_map(|seed| of_a_game(seed, Game::settings(0)));
    // Of every variant, with one board or two.
    let numbers = (1..=8u8).flat_map(|number| [number, number | 32]);
    let others = numbers.flat_map(|number| of_a_game(number.into(), Game::settings(number)));
    plain.chain(others).collect()
}

fn commit(bytes: &[u8]) {
    let Ok(records) = codec::decode(bytes, &keys()) else {
        return;
    };
    let mut state = fresh(Settings::new(6, 5, 10));
    for record in records {
        codec::encode(&record, &keys()).expect("what was read can be written");
        match record {
            Record::Opened { name, settings, .. } => {
                if let Ok(opened) = TableState::new(TABLE, name, Settings::clone(&settings)) {
                    state = opened;
                }
            }
            Record::Batch(batch) => drop(state.apply(&batch)),
            Record::Snapshot(snapshot) => inspect(&snapshot),
        }
    }
}

fn snapshot(bytes: &[u8]) {
    if let Ok(state) = codec::decode_state(bytes, &keys()) {
        codec::encode_state(&state, &keys()).expect("what was read can be written");
        inspect(&state);
    }
}

fn archived(bytes: &[u8]) {
    let Ok(hand) = codec::decode_hand(bytes, &keys()) else {
        return;
    };
    codec::encode_hand(&hand, &keys()).expect("what was read can be written");
    if let Ok(mut table) = Table::new(hand.settings) {
        for stamped in &hand.events {
            evolve(&mut table, &stamped.event);
        }
    }
}

/// A state that holds is one that can be played and looked at.
fn inspect(state: &TableState) {
    if check(&state.table).is_ok() {
        legal(&state.table);
        view(&state.table, Viewer::Spectator);
        view(&state.table, Viewer::Player(PlayerId(1)));
    }
}

fn of_a_game(seed: u64, settings: Settings) -> Vec<Vec<u8>> {
    let game = Game::played(seed, settings.clone());
    let events: Vec<Arc<Stamped>> = (1..)
        .zip(&game.events)
        .map(|(seq, event)| {
            Arc::new(Stamped {
                seq: Seq(seq),
                at_ms: seq * 1_000,
                event: event.clone(),
            })
        })
        .collect();
    let batch = Batch {
        table: TABLE,
        cause: Some(Cause {
            player: PlayerId(1),
            request: 7,
            refused: false,
        }),
        note: None,
        // One deck at most: a batch belongs to one hand.
        events: events
            .iter()
            .take_while(|stamped| !ends_hand(stamped))
            .cloned()
            .collect(),
    };
    let mut state = fresh(settings.clone());
    state.apply(&batch);
    let hand = FinishedHand {
        table: TABLE,
        name: "a table".into(),
        hand: HandNo(1),
        settings: Arc::new(settings.clone()),
        names: vec![(PlayerId(1), Name::new("someone").expect("a name"))],
        events: batch.events.clone(),
    };
    let opened = Record::Opened {
        table: TABLE,
        name: "a table".into(),
        settings: Arc::new(settings),
        at_ms: 1,
    };
    let mut payload = codec::payload();
    for record in [
        opened,
        Record::Batch(batch),
        Record::Snapshot(Box::new(state.clone())),
    ] {
        codec::push(
            &mut payload,
            &codec::encode(&record, &keys()).expect("it is sealed"),
        );
    }
    let state = codec::encode_state(&state, &keys()).expect("it is sealed");
    let hand = codec::encode_hand(&hand, &keys()).expect("it is sealed");
    [payload, state, hand]
        .into_iter()
        .zip(0u8..)
        .map(|(bytes, kind)| [vec![kind], bytes].concat())
        .collect()
}

fn ends_hand(stamped: &Stamped) -> bool {
    matches!(stamped.event, Event::Public(Fact::HandEnded { .. }))
}

fn fresh(settings: Settings) -> TableState {
    TableState::new(TABLE, "a table".into(), settings).expect("sound settings")
}

fn keys() -> Keyring {
    Keyring::single([7; 32])
}

const TABLE: TableId = TableId(1);
