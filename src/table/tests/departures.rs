//! Who left comes back with what he took (R17), whoever owns the table by then.

use engine::{Command, Entry, Name, Reject, SeatNo};

use super::*;
use crate::table::{codec, departures::Departures, state::TableState};

fn ratholes(rathole_ms: u32) -> Settings {
    Settings {
        rathole_ms,
        ..settings()
    }
}

/// What players must bring who sat down with so much and left again at that time.
fn left(state: &mut TableState, player: u128, chips: u64, at_ms: u64) {
    let sit = Command::Sit {
        player: PlayerId(player),
        name: Name::new("someone").expect("a name"),
        seat: SeatNo(0),
        buy_in: chips,
        entry: Entry::PostNow,
        must_bring: 0,
    };
    let leave = Command::Leave {
        player: PlayerId(player),
    };
    for command in [sit, leave] {
        let events = engine::decide(&state.table, &command).expect("legal");
        *state = state.step(events, None, None, at_ms).next;
    }
}

fn empty(rathole_ms: u32) -> TableState {
    TableState::new(TABLE, "R17".into(), ratholes(rathole_ms)).expect("sound settings")
}

#[test]
fn a_departure_holds_for_its_time() {
    let mut state = empty(1_000);
    left(&mut state, 1, 5_000, 10_000);
    let check = |now_ms, chips| assert_eq!(state.must_bring(PlayerId(1), now_ms), chips);
    check(10_000, 5_000);
    check(10_999, 5_000);
    check(11_000, 0);
    // A clock that went back.
    check(0, 5_000);
    assert_eq!(state.must_bring(PlayerId(2), 10_000), 0);
}

#[test]
fn the_last_departure_of_a_player_counts() {
    let mut state = empty(1_000);
    left(&mut state, 1, 5_000, 10_000);
    left(&mut state, 1, 2_000, 10_500);
    assert_eq!(state.must_bring(PlayerId(1), 10_500), 2_000);
    assert_eq!(state.departures.iter().count(), 1);
}

#[test]
fn no_more_is_kept_than_is_asked_for() {
    let mut without = empty(0);
    left(&mut without, 1, 5_000, 10_000);
    assert_eq!(without.departures, Departures::default());

    let mut state = empty(1_000);
    for player in 1..=70 {
        left(&mut state, player, 5_000, 10_000);
    }
    assert_eq!(state.departures.iter().count(), 64);
    assert_eq!(state.must_bring(PlayerId(6), 10_000), 0);
    assert_eq!(state.must_bring(PlayerId(7), 10_000), 5_000);
    left(&mut state, 71, 5_000, 20_000);
    assert_eq!(
        state.departures.iter().count(),
        1,
        "the others' time is over"
    );
}

#[test]
fn a_snapshot_has_the_departures() {
    let keys = Keyring::single([7; 32]);
    let mut state = empty(1_000);
    left(&mut state, 1, 5_000, 10_000);
    left(&mut state, 2, 6_000, 10_100);
    let bytes = codec::encode_state(&state, &keys).expect("it encodes");
    let read = codec::decode_state(&bytes, &keys).expect("it reads");
    assert_eq!(read.departures, state.departures);
    assert_eq!(read.departures.iter().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_soon_brings_what_he_took() {
    let store = Arc::new(MemoryStore::new());
    let first = node(store.clone(), 1).await;
    let new = NewTable {
        table: TABLE,
        name: "R17".into(),
        settings: Arc::new(ratholes(3_600_000)),
    };
    first.tables.create(new).await.expect("opened");
    let sit = |buy_in| Order::Sit {
        seat: None,
        name: "again".into(),
        buy_in,
        post_now: true,
    };
    let short = Err(CallError::Rejected(Reject::Rathole { must_bring: 9_000 }));
    first.order(1, sit(9_000)).await.expect("seated");
    first.order(1, Order::Leave).await.expect("gone");
    assert_eq!(first.order(1, sit(8_999)).await, short);
    first.order(2, sit(1_000)).await.expect("another may");
    first.tree.stop().await;

    let second = node(store, 2).await;
    assert_eq!(second.order(1, sit(1_000)).await, short);
    second.order(1, sit(9_000)).await.expect("all of it");
    second.order(1, Order::Leave).await.expect("gone");
    tokio::time::sleep(Duration::from_millis(3_600_000)).await;
    second.order(1, sit(1_000)).await.expect("in time");
    second.tree.stop().await;
}
