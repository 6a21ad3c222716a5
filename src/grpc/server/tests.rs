use std::net::{Ipv4Addr, SocketAddr};

use proto::v1::{
    self, admin_service_client::AdminServiceClient, hand_service_client::HandServiceClient,
    session_service_client::SessionServiceClient, table_service_client::TableServiceClient,
    watch_service_client::WatchServiceClient, watch_session_response::Frame,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt;

use super::*;
use crate::{
    grpc::{
        TreeLine, WatchLimits,
        convert::settings,
        options::Origins,
        stage::{self, Node},
    },
    ids::TableId,
};

const PAGE: &str = "https://poker.example";

struct Served {
    node: Node,
    address: SocketAddr,
    ready: watch::Sender<bool>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), ServeError>>,
}

fn options() -> Options {
    Options {
        request_bytes_max: 16 * 1024,
        streams_per_connection: 16,
        calls_per_connection: 64,
        keep_alive: Duration::from_secs(10),
        call_timeout: Duration::from_secs(10),
        drain: Duration::from_secs(60),
        origins: Origins::parse(&[PAGE]).expect("an origin"),
        watch: WatchLimits {
            queue: 64,
            tables: 10,
            per_player: 2,
        },
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

async fn served() -> Served {
    let (node, (listener, address)) = (Node::start().await, listen().await);
    let ((stop, stopped), (ready, follow)) = (oneshot::channel(), watch::channel(true));
    let services = Services {
        tables: node.tables.clone(),
        sessions: node.sessions.clone(),
        store: Arc::clone(&node.store),
        keys: node.keys.clone(),
        ready: follow,
    };
    let shutdown = async move { stopped.await.expect("tests stop what they start") };
    let done = tokio::spawn(serve(listener, services, options(), shutdown));
    Served {
        node,
        address,
        ready,
        stop,
        done,
    }
}

impl Served {
    async fn channel(&self) -> Channel {
        channel(self.address).await
    }

    async fn guest(&self, channel: &Channel, name: &str) -> v1::CreateGuestResponse {
        let request = v1::CreateGuestRequest {
            display_name: name.into(),
        };
        let mut sessions = SessionServiceClient::new(channel.clone());
        sessions
            .create_guest(request)
            .await
            .expect("a guest")
            .into_inner()
    }
}

async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect().await.expect("it listens")
}

fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", value);
    request
}

fn create(table: TableId) -> v1::CreateTableRequest {
    v1::CreateTableRequest {
        name: "The Big Game".into(),
        settings: Some(settings::wire(&stage::settings())),
        table_id: table.to_string(),
    }
}

fn sit(table: TableId, request_id: u64) -> v1::SitRequest {
    let mark = Some(v1::RequestMark {
        request_id,
        first_attempt: true,
    });
    v1::SitRequest {
        table_id: table.to_string(),
        mark,
        seat: None,
        buy_in: 5_000,
        post_now: true,
    }
}

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
async fn a_request_that_is_too_large_is_refused_in_words() {
    let served = served().await;
    let mut sessions = SessionServiceClient::new(served.channel().await);
    let request = v1::CreateGuestRequest {
        display_name: "x".repeat(17 * 1024),
    };
    let refused = sessions.create_guest(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(
        refused.message().contains("the limit is: 16384 bytes"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn health_follows_the_node() {
    let served = served().await;
    let mut health = HealthClient::new(served.channel().await);
    for service in [
        "",
        "poker.v1.SessionService",
        "poker.v1.TableService",
        "poker.v1.WatchService",
        "poker.v1.HandService",
    ] {
        served.ready.send(true).expect("the listener follows");
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let mut states = health.watch(request).await.expect("known").into_inner();
        for serving in [true, false, true] {
            served.ready.send(serving).expect("the listener follows");
            let wanted = if serving {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            };
            let wanted = match wanted {
                ServingStatus::Serving => 1,
                ServingStatus::NotServing => 2,
                ServingStatus::Unknown => 0,
            };
            while states
                .message()
                .await
                .expect("a state")
                .expect("open")
                .status
                != wanted
            {}
        }
    }
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let served = served().await;
    let mut reflection = ServerReflectionClient::new(served.channel().await);
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = reflection
        .server_reflection_info(tokio_stream::iter([ask]))
        .await
        .expect("known")
        .into_inner();
    let answer = answers
        .message()
        .await
        .expect("an answer")
        .expect("open")
        .message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("a list")
    };
    let names: Vec<String> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for name in [
        "SessionService",
        "TableService",
        "WatchService",
        "HandService",
    ] {
        assert!(names.contains(&format!("poker.v1.{name}")), "{names:?}");
    }
}

#[tokio::test]
async fn stopping_closes_streams_with_a_reason_and_ends() {
    let served = served().await;
    let channel = served.channel().await;
    let guest = served.guest(&channel, "Ada").await;
    let mut watches = WatchServiceClient::new(channel);
    let mut stream = watches
        .watch_session(with(&guest.token, v1::WatchSessionRequest::default()))
        .await;
    let stream = stream.as_mut().expect("opened").get_mut();
    assert!(matches!(
        stream
            .message()
            .await
            .expect("a frame")
            .expect("open")
            .frame,
        Some(Frame::Opened(_))
    ));
    served.stop.send(()).expect("it runs");
    let last = stream
        .message()
        .await
        .expect("a frame")
        .expect("open")
        .frame;
    assert_eq!(
        last,
        Some(Frame::Closed(v1::WatchClosed {
            reason: "draining".into()
        }))
    );
    assert_eq!(
        stream.message().await.expect_err("then the status").code(),
        Code::Unavailable
    );
    served.done.await.expect("no panic").expect("ended well");
    assert!(
        TcpStream::connect(served.address).await.is_err(),
        "nobody listens any more"
    );
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

#[tokio::test]
async fn web_pages_of_known_origins_may_call() {
    let served = served().await;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /poker.v1.SessionService/CreateGuest HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\n\
             access-control-request-method: POST\r\naccess-control-request-headers: authorization,x-grpc-web\r\n\
             connection: close\r\n\r\n"
        )
    };
    let allowed = exchange(served.address, preflight(PAGE).as_bytes()).await;
    assert!(
        allowed.contains(&format!("access-control-allow-origin: {PAGE}")),
        "{allowed}"
    );
    let refused = exchange(served.address, preflight("https://evil.example").as_bytes()).await;
    assert!(
        !refused.contains("access-control-allow-origin"),
        "{refused}"
    );

    // A message of one field, `display_name = "Ada"`, framed as gRPC-Web.
    let body = [0, 0, 0, 0, 5, 10, 3, b'A', b'd', b'a'];
    let head = format!(
        "POST /poker.v1.SessionService/CreateGuest HTTP/1.1\r\nhost: x\r\norigin: {PAGE}\r\n\
         content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let answer = exchange(served.address, &[head.as_bytes(), &body].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains("content-type: application/grpc-web+proto"),
        "{answer}"
    );
    assert!(
        answer.contains("Ada") && answer.contains("grpc-status:0"),
        "{answer}"
    );
}

async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn operators_have_their_own_port() {
    let (node, (listener, address)) = (Node::start().await, listen().await);
    node.open(TableId(5)).await;
    let ((stop, stopped), (_ready, follow)) = (oneshot::channel::<()>(), watch::channel(true));
    let line = TreeLine {
        name: "node".into(),
        supervisor: true,
        state: "running",
        restarts: 0,
        depth: 0,
    };
    let tree: Tree = Arc::new(move || {
        let line = line.clone();
        Box::pin(async move { vec![line] })
    });
    let services = OpsServices {
        tables: node.tables.clone(),
        tree,
        operators: Operators::ThisMachine,
        ready: follow,
    };
    let shutdown = async move { stopped.await.expect("tests stop what they start") };
    let done = tokio::spawn(serve_ops(listener, services, options(), shutdown));
    let channel = channel(address).await;
    let mut admin = AdminServiceClient::new(channel.clone());
    let totals = admin
        .get_totals(v1::GetTotalsRequest {})
        .await
        .expect("totals")
        .into_inner();
    assert_eq!((totals.tables, totals.parked), (1, 0));
    let tree = admin
        .get_tree(v1::GetTreeRequest {})
        .await
        .expect("a tree")
        .into_inner();
    assert_eq!(
        (tree.nodes.len(), tree.nodes[0].kind.as_str()),
        (1, "supervisor")
    );
    let list = admin
        .list_admin_tables(v1::ListAdminTablesRequest::default())
        .await
        .expect("a list")
        .into_inner();
    assert_eq!(list.tables.len(), 1);
    let resume = v1::ResumeTableRequest {
        table_id: TableId(5).to_string(),
    };
    let refused = admin.resume_table(resume).await.expect_err("not parked");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let void = v1::VoidHandRequest {
        table_id: TableId(5).to_string(),
        hand: 1,
        reason: String::new(),
    };
    assert_eq!(
        admin.void_hand(void).await.expect_err("why?").code(),
        Code::InvalidArgument
    );
    let mut sessions = SessionServiceClient::new(channel.clone());
    let refused = sessions
        .create_guest(v1::CreateGuestRequest::default())
        .await
        .expect_err("not here");
    assert_eq!(refused.code(), Code::PermissionDenied);
    drop((admin, sessions, channel));
    stop.send(()).expect("it runs");
    done.await.expect("no panic").expect("ended well");
}
