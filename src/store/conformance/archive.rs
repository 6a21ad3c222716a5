//! The archive of hands, sessions, signs of life: plain, idempotent statements.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::ids::{HandNo, PlayerId, TableId};
use crate::store::{HandRecord, HandRef, Incarnation, NodeBeat, SessionRecord, Store, TokenHash};

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

/// Scans answer everything, in pages of any size.
pub async fn scans_see_everything(store: &dyn Store) {
    let mut names = BTreeSet::new();
    let mut tokens = BTreeSet::new();
    for n in 0..SCANNED {
        let hand = hand(u128::from(n % 7), n, 1_000 + n, &[u128::from(n % 3), 99]);
        store
            .archive_hands(std::slice::from_ref(&hand))
            .await
            .expect(ANSWERS);
        names.insert(hand.name());
        let token = TokenHash([n as u8; 32]);
        let session = SessionRecord {
            player: PlayerId(u128::from(n)),
            display_name: format!("player {n}"),
            created_ms: n,
        };
        store.put_session(token, &session).await.expect(ANSWERS);
        tokens.insert(token);
    }
    for limit in [1, 2, 7, 1_000] {
        let (mut seen, mut after) = (BTreeSet::new(), None);
        for _ in 0..PAGES_MAX {
            let page = store
                .scan_hands(after.as_ref(), limit)
                .await
                .expect(ANSWERS);
            assert!(
                page.items.len() <= limit as usize,
                "{} of {limit}",
                page.items.len()
            );
            for found in page.items {
                let whole = store.hand(found.table, found.hand_no).await.expect(ANSWERS);
                assert_eq!(whole.as_ref(), Some(&found));
                seen.insert(found.name());
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen, after), (names.clone(), None), "in pages of {limit}");

        let (mut seen, mut after) = (BTreeSet::new(), None);
        for _ in 0..PAGES_MAX {
            let page = store
                .scan_sessions(after.as_ref(), limit)
                .await
                .expect(ANSWERS);
            assert!(
                page.items.len() <= limit as usize,
                "{} of {limit}",
                page.items.len()
            );
            for (token, found) in page.items {
                assert_eq!(store.session(token).await.expect(ANSWERS), Some(found));
                seen.insert(token);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen, after), (tokens.clone(), None), "in pages of {limit}");
    }
}

/// Hands are forgotten in bounded steps, with their lines in the lists of their players; what ended at that moment or later
/// stays. A store that forgets by itself forgets nothing here.
pub async fn forgetting_spares_what_is_younger(store: &dyn Store) {
    let hands: Vec<HandRecord> = (0..10)
        .map(|n| hand(n % 3, n as u64, 100 + n as u64, &[5, n]))
        .collect();
    store.archive_hands(&hands).await.expect(ANSWERS);
    assert_eq!(store.forget_hands(100, 4).await.expect(ANSWERS), 0);
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(store.forget_hands(106, 4).await.expect(ANSWERS));
    }
    let by_itself = steps == [0, 0, 0];
    assert!(by_itself || steps == [4, 2, 0], "{steps:?}");
    let mut named = Vec::new();
    for hand in &hands {
        let kept = by_itself || hand.ended_ms >= 106;
        let found = store.hand(hand.table, hand.hand_no).await.expect(ANSWERS);
        assert_eq!(found.as_ref(), Some(hand).filter(|_| kept));
        let own = store
            .hands_of_player(PlayerId(hand.hand_no.0.into()), None, 100)
            .await
            .expect(ANSWERS);
        assert_eq!(own.contains(&hand.name()), kept, "{:?}", hand.name());
        named.extend(kept.then(|| hand.name()));
    }
    named.sort_by(|a, b| b.cmp(a));
    assert_eq!(
        store
            .hands_of_player(PlayerId(5), None, 100)
            .await
            .expect(ANSWERS),
        named
    );
}

const SCANNED: u64 = 20;

/// Pages may be short or empty; but a scan ends.
const PAGES_MAX: u32 = 1_000;

/// Of every life of a node the highest beat is seen, in whatever order beats arrive.
pub async fn beats(store: &dyn Store) {
    let sign = |node: &str, incarnation, beat, address: &str| NodeBeat {
        node: node.to_owned(),
        incarnation: Incarnation(incarnation),
        beat,
        address: address.to_owned(),
        // The life that did not say at first says in the end.
        reads: (beat > 0).then_some(3),
    };
    assert_eq!(store.beats().await.expect(ANSWERS), []);
    for beat in [
        sign("b", 1, 0, "b:1"),
        sign("a", 7, 1, "a:1"),
        sign("a", 7, 9, "a:2"),
        sign("a", 7, 8, "a:1"),
        sign("a", 8, 0, "a:3"),
    ] {
        store.put_beat(&beat).await.expect(ANSWERS);
    }
    assert_eq!(
        store.beats().await.expect(ANSWERS),
        [
            sign("a", 7, 9, "a:2"),
            sign("a", 8, 0, "a:3"),
            sign("b", 1, 0, "b:1")
        ]
    );
}
