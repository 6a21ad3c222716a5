//! What players do, over the wire.

use super::*;

#[tokio::test]
async fn a_guest_sits_down_and_watches() {
    let served = served().await;
    let channel = served.channel().await;
    let guest = served.guest(&channel, " Ada ").await;
    assert_eq!(guest.display_name, "Ada");
    let mut sessions = SessionServiceClient::new(channel.clone());
    let session = sessions
        .get_session(with(&guest.token, v1::GetSessionRequest {}))
        .await
        .expect("known");
    assert_eq!(session.into_inner().player_id, guest.player_id);

    let mut tables = TableServiceClient::new(channel.clone());
    let table = TableId(5);
    for _ in 0..2 {
        let created = tables
            .create_table(with(&guest.token, create(table)))
            .await
            .expect("created");
        assert_eq!(created.into_inner().table_id, table.to_string());
    }
    let mut watches = WatchServiceClient::new(channel.clone());
    let tables_to_watch = vec![v1::WatchTable {
        table_id: table.to_string(),
        after_sequence: None,
    }];
    let watch = with(
        &guest.token,
        v1::WatchSessionRequest {
            tables: tables_to_watch,
        },
    );
    let mut stream = watches
        .watch_session(watch)
        .await
        .expect("opened")
        .into_inner();
    let mut next = async || {
        stream
            .message()
            .await
            .expect("a frame")
            .expect("not over")
            .frame
            .expect("content")
    };
    assert!(matches!(next().await, Frame::Opened(_)));
    let Frame::Snapshot(snapshot) = next().await else {
        panic!("first a snapshot")
    };

    // The same request twice: one seat, one answer.
    let first = tables
        .sit(with(&guest.token, sit(table, 1)))
        .await
        .expect("seated")
        .into_inner();
    let again = tables
        .sit(with(&guest.token, sit(table, 1)))
        .await
        .expect("seated")
        .into_inner();
    assert_eq!(first, again);
    let Frame::Event(event) = next().await else {
        panic!("then the events")
    };
    let (at, before) = (
        event.position.expect("there"),
        snapshot.position.expect("there"),
    );
    assert_eq!(at.sequence, before.sequence + 1);

    let view = tables
        .get_table(with(
            &guest.token,
            v1::GetTableRequest {
                table_id: table.to_string(),
            },
        ))
        .await;
    let view = view.expect("a view").into_inner().view.expect("there");
    assert_eq!(view.your_seat, Some(first.seat));
    let list = v1::ListTablesRequest {
        page_size: 1,
        ..v1::ListTablesRequest::default()
    };
    let list = tables
        .list_tables(with(&guest.token, list))
        .await
        .expect("a list")
        .into_inner();
    assert_eq!(list.tables.len(), 1);
    let rest = v1::ListTablesRequest {
        page_token: list.next_page_token,
        ..v1::ListTablesRequest::default()
    };
    let rest = tables
        .list_tables(with(&guest.token, rest))
        .await
        .expect("a list")
        .into_inner();
    assert_eq!((rest.tables.len(), rest.next_page_token.as_str()), (0, ""));
}

#[tokio::test]
async fn a_finished_hand_is_read_by_who_may() {
    let served = served().await;
    let channel = served.channel().await;
    let mut tables = TableServiceClient::new(channel.clone());
    let mut hands = HandServiceClient::new(channel.clone());
    let table = TableId(5);
    let guests = [
        served.guest(&channel, "Ada").await,
        served.guest(&channel, "Bob").await,
        served.guest(&channel, "Eve").await,
    ];
    let [ada, bob, eve] = &guests;
    let created = tables.create_table(with(&ada.token, create(table))).await;
    created.expect("created");
    for player in [ada, bob] {
        let seated = tables.sit(with(&player.token, sit(table, 1))).await;
        seated.expect("seated");
    }
    let played = |seen: &crate::table::request::TableView| seen.view.hand.is_some();
    let seen = served.node.until(table, "a hand is played", played).await;
    let legal = seen
        .view
        .hand
        .and_then(|hand| hand.legal)
        .expect("somebody is to act");
    let actor = &guests[usize::from(legal.seat.0)];
    let act = |mark: u64, hand: u64| v1::ActRequest {
        table_id: table.to_string(),
        mark: Some(v1::RequestMark {
            request_id: mark,
            first_attempt: true,
        }),
        hand,
        turn: legal.turn.0,
        action: v1::ActionKind::Fold.into(),
        to: 0,
    };
    let stale = tables
        .act(with(&actor.token, act(2, 7)))
        .await
        .expect_err("another hand");
    let details = stale.get_error_details();
    let info = details.error_info().expect("always there");
    assert_eq!(
        (
            info.reason.as_str(),
            info.metadata.get("hand").map(String::as_str)
        ),
        ("StaleHand", Some("1"))
    );
    tables
        .act(with(&actor.token, act(3, 1)))
        .await
        .expect("folded");

    // The archive comes after the answer.
    let list = v1::ListHandsRequest {
        page_size: 1,
        ..v1::ListHandsRequest::default()
    };
    let mut mine = v1::ListHandsResponse::default();
    for _ in 0..10_000 {
        mine = hands
            .list_hands(with(&ada.token, list.clone()))
            .await
            .expect("a list")
            .into_inner();
        if !mine.hands.is_empty() {
            break;
        }
    }
    assert_eq!(mine.hands.first().map(|hand| hand.hand), Some(1));
    assert_eq!(mine.hands[0].player_ids.len(), 2);
    let none = hands
        .list_hands(with(&eve.token, list))
        .await
        .expect("a list")
        .into_inner();
    assert_eq!(none.hands, []);
    let of_table = v1::ListHandsRequest {
        table_id: table.to_string(),
        ..v1::ListHandsRequest::default()
    };
    let public = hands
        .list_hands(with(&eve.token, of_table))
        .await
        .expect("a list")
        .into_inner();
    assert_eq!(public.hands, mine.hands);

    let hand = v1::GetHandRequest {
        table_id: table.to_string(),
        hand: 1,
    };
    for (viewer, cards) in [(ada, 1), (bob, 1), (eve, 0)] {
        let whole = hands
            .get_hand(with(&viewer.token, hand.clone()))
            .await
            .expect("a hand")
            .into_inner();
        let own = |event: &&v1::HandEvent| {
            let event = event.event.as_ref().and_then(|event| event.event.as_ref());
            matches!(event, Some(v1::table_event::Event::HoleCards(_)))
        };
        assert_eq!(whole.events.iter().filter(own).count(), cards);
        let format = v1::HandFormat::Phh.into();
        let export = v1::ExportHandRequest {
            table_id: table.to_string(),
            hand: 1,
            format,
        };
        let text = hands
            .export_hand(with(&viewer.token, export))
            .await
            .expect("a text")
            .into_inner()
            .text;
        assert_eq!(text.matches("????").count(), 2 - cards, "{text}");
    }
    let later = v1::GetHandRequest { hand: 2, ..hand };
    let missing = hands
        .get_hand(with(&ada.token, later))
        .await
        .expect_err("not finished");
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test]
async fn refusals_are_named() {
    let served = served().await;
    let channel = served.channel().await;
    let mut tables = TableServiceClient::new(channel.clone());
    let check = |status: tonic::Status, code: Code, reason: &str| {
        let details = status.get_error_details();
        let found = details.error_info().map(|info| info.reason.as_str());
        assert_eq!((status.code(), found), (code, Some(reason)), "{status:?}");
    };
    let table = TableId(5);
    check(
        tables.sit(sit(table, 1)).await.expect_err("refused"),
        Code::Unauthenticated,
        "NoToken",
    );
    let nobody = with(&"A".repeat(43), sit(table, 1));
    check(
        tables.sit(nobody).await.expect_err("refused"),
        Code::Unauthenticated,
        "UnknownToken",
    );
    let ada = served.guest(&channel, "Ada").await;
    check(
        tables
            .sit(with(&ada.token, sit(table, 1)))
            .await
            .expect_err("refused"),
        Code::NotFound,
        "NoSuchTable",
    );
    tables
        .create_table(with(&ada.token, create(table)))
        .await
        .expect("created");
    let poor = v1::SitRequest {
        buy_in: 1,
        ..sit(table, 1)
    };
    let refused = tables
        .sit(with(&ada.token, poor))
        .await
        .expect_err("refused");
    check(refused, Code::FailedPrecondition, "BuyInBelowMinimum");
    let unmarked = v1::SitRequest {
        mark: None,
        ..sit(table, 1)
    };
    let refused = tables
        .sit(with(&ada.token, unmarked))
        .await
        .expect_err("refused");
    check(refused, Code::InvalidArgument, "MissingMark");
    // The admin service is not here, whoever asks.
    let mut admin = AdminServiceClient::new(channel.clone());
    let refused = admin
        .get_totals(with(&ada.token, v1::GetTotalsRequest {}))
        .await
        .expect_err("refused");
    check(refused, Code::PermissionDenied, "WrongDoor");
    // Another's watch.
    let mut watches = WatchServiceClient::new(channel.clone());
    let mut stream = watches
        .watch_session(with(&ada.token, v1::WatchSessionRequest::default()))
        .await;
    let stream = stream.as_mut().expect("opened").get_mut();
    let Some(Frame::Opened(opened)) = stream
        .message()
        .await
        .expect("a frame")
        .expect("open")
        .frame
    else {
        panic!("first comes Opened")
    };
    let bob = served.guest(&channel, "Bob").await;
    let table = Some(v1::WatchTable {
        table_id: table.to_string(),
        after_sequence: None,
    });
    let foreign = v1::SubscribeRequest {
        watch_id: opened.watch_id,
        table,
    };
    let refused = watches
        .subscribe(with(&bob.token, foreign))
        .await
        .expect_err("refused");
    check(refused, Code::PermissionDenied, "NotYourWatch");
}

#[tokio::test]
async fn a_client_that_vanishes_is_noticed() {
    let served = served().await;
    let channel = served.channel().await;
    let guest = served.guest(&channel, "Ada").await;
    let mut tables = TableServiceClient::new(channel.clone());
    let table = TableId(5);
    tables
        .create_table(with(&guest.token, create(table)))
        .await
        .expect("created");
    tables
        .sit(with(&guest.token, sit(table, 1)))
        .await
        .expect("seated");
    let mut watches = WatchServiceClient::new(channel.clone());
    let watched = vec![v1::WatchTable {
        table_id: table.to_string(),
        after_sequence: None,
    }];
    let watch = with(&guest.token, v1::WatchSessionRequest { tables: watched });
    let mut stream = watches
        .watch_session(watch)
        .await
        .expect("opened")
        .into_inner();
    for _ in 0..2 {
        stream.message().await.expect("a frame").expect("open");
    }
    let connected = |expected: bool| {
        move |seen: &crate::table::request::TableView| {
            seen.view
                .seats
                .iter()
                .flatten()
                .any(|seat| seat.connected == expected)
        }
    };
    served
        .node
        .until(table, "he is there", connected(true))
        .await;
    drop((stream, watches, tables, channel));
    served
        .node
        .until(table, "he is gone", connected(false))
        .await;
}
