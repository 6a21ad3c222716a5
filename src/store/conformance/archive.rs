//! The archive of hands, and sessions: plain, idempotent statements.

use bytes::Bytes;

use crate::ids::{HandNo, PlayerId, TableId};
use crate::store::{HandRecord, HandRef, SessionRecord, Store, TokenHash};

const ANSWERS: &str = "a store without faults answers";

fn hand(table: u128, no: u64, ended_ms: u64, players: &[u128]) -> HandRecord {
    HandRecord {
        table: TableId(table),
        hand_no: HandNo(no),
        ended_ms,
        players: players.iter().copied().map(PlayerId).collect(),
        body: Bytes::from(format!("hand {no} of table {table}")),
    }
}

/// Written twice is written once; lists go from new to old and continue after a cursor.
pub async fn hands(store: &dyn Store) {
    let hands = [
        hand(1, 1, 100, &[7, 8]),
        hand(1, 2, 300, &[7]),
        hand(1, 3, 500, &[7, 8]),
        hand(2, 1, 300, &[7, 9]),
    ];
    store.archive_hands(&hands).await.expect(ANSWERS);
    store
        .archive_hands(&hands[1..3])
        .await
        .expect("archiving again changes nothing");
    store
        .archive_hands(&[])
        .await
        .expect("archiving nothing is no error");
    for hand in &hands {
        assert_eq!(
            store
                .hand(hand.table, hand.hand_no)
                .await
                .expect(ANSWERS)
                .as_ref(),
            Some(hand)
        );
    }
    assert_eq!(
        store.hand(TableId(1), HandNo(4)).await.expect(ANSWERS),
        None
    );

    let of_table = async |table, before: Option<u64>, limit, expected: &[u64]| {
        let found = store
            .hands_of_table(TableId(table), before.map(HandNo), limit)
            .await
            .expect(ANSWERS);
        let numbers = found.iter().map(|hand| hand.hand_no.0).collect::<Vec<_>>();
        assert_eq!(
            numbers, expected,
            "table {table} before {before:?}, at most {limit}"
        );
    };
    of_table(1, None, 10, &[3, 2, 1]).await;
    of_table(1, None, 2, &[3, 2]).await;
    of_table(1, Some(2), 10, &[1]).await;
    of_table(1, Some(1), 10, &[]).await;
    of_table(3, None, 10, &[]).await;

    let of_player = async |player, before: Option<HandRef>, limit, expected: &[&HandRecord]| {
        let found = store
            .hands_of_player(PlayerId(player), before, limit)
            .await
            .expect(ANSWERS);
        let expected = expected.iter().map(|hand| hand.name()).collect::<Vec<_>>();
        assert_eq!(
            found, expected,
            "player {player} before {before:?}, at most {limit}"
        );
    };
    let [first, second, third, other] = &hands;
    of_player(7, None, 10, &[third, other, second, first]).await;
    of_player(7, None, 2, &[third, other]).await;
    of_player(7, Some(other.name()), 10, &[second, first]).await;
    of_player(8, None, 10, &[third, first]).await;
    of_player(9, Some(other.name()), 10, &[]).await;
    of_player(1, None, 10, &[]).await;
}

/// A session is found by its token's hash; writing it again replaces it.
pub async fn sessions(store: &dyn Store) {
    let session = |name: &str| SessionRecord {
        player: PlayerId(5),
        display_name: name.to_owned(),
        created_ms: 12,
    };
    let token = TokenHash([9; 32]);
    assert_eq!(store.session(token).await.expect(ANSWERS), None);
    store
        .put_session(token, &session("Ada"))
        .await
        .expect(ANSWERS);
    store
        .put_session(token, &session("Ada"))
        .await
        .expect("writing again changes nothing");
    assert_eq!(
        store.session(token).await.expect(ANSWERS),
        Some(session("Ada"))
    );
    store
        .put_session(token, &session("Ada L."))
        .await
        .expect(ANSWERS);
    assert_eq!(
        store.session(token).await.expect(ANSWERS),
        Some(session("Ada L."))
    );
    assert_eq!(
        store.session(TokenHash([8; 32])).await.expect(ANSWERS),
        None
    );
}
