//! The line itself: sizes, health, reflection, web pages, the ops port, the end.

use super::*;

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
        kind: TreeKind::Worker,
        restart: "permanent",
        state: "running",
        restarts: 2,
        age: Some(Duration::from_secs(3)),
        mailbox: Mailbox::Silent(Duration::from_millis(4)),
        waiting: Some(5),
        depth: 0,
    };
    let tree: Tree = Arc::new(move |_shard| {
        let line = line.clone();
        Box::pin(async move { vec![line] })
    });
    let services = OpsServices {
        tables: node.tables.clone(),
        tree,
        operators: Operators::ThisMachine,
        cluster: ClusterView {
            name: "node-0".into(),
            ways: Ways::alone(node.tables.count()),
            steward: None,
        },
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
        .get_tree(v1::GetTreeRequest::default())
        .await
        .expect("a tree")
        .into_inner();
    assert_eq!((tree.nodes.len(), tree.node.as_str()), (1, "node-0"));
    let shown = &tree.nodes[0];
    assert_eq!((shown.kind.as_str(), shown.age_ms), ("worker", Some(3_000)));
    assert_eq!((shown.mailbox_us, shown.silent), (Some(4_000), true));
    let other = v1::GetTreeRequest {
        node: "node-7".into(),
        shard: None,
    };
    let unknown = admin.get_tree(other).await.expect_err("there is none");
    assert!(unknown.message().contains("there are node-0"), "{unknown}");
    let list = admin
        .list_admin_tables(v1::ListAdminTablesRequest::default())
        .await
        .expect("a list")
        .into_inner();
    assert_eq!(list.tables.len(), 1);
    assert_eq!(list.tables[0].node, "node-0");
    for (state, count) in [("awake", 0), ("asleep", 1), ("parked", 0)] {
        let ask = v1::ListAdminTablesRequest {
            state: state.into(),
            ..v1::ListAdminTablesRequest::default()
        };
        let list = admin.list_admin_tables(ask).await.expect("a list");
        assert_eq!(list.into_inner().tables.len(), count, "{state}");
    }
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

#[tokio::test]
async fn one_address_has_so_many_connections_and_hears_so() {
    let served = served().await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(served.channel().await);
    }
    served.guest(&open[0], "Ada").await;
    let mut one_more = TcpStream::connect(served.address).await.expect("accepted");
    let mut said = Vec::new();
    one_more.read_to_end(&mut said).await.expect("it is closed");
    let text = String::from_utf8_lossy(&said);
    assert!(text.contains("too many connections"), "{text:?}");
    let endpoint = Channel::from_shared(format!("http://{}", served.address)).expect("an address");
    let request = v1::CreateGuestRequest {
        display_name: "Bob".into(),
    };
    let refused = SessionServiceClient::new(endpoint.connect_lazy())
        .create_guest(request)
        .await;
    refused.expect_err("turned away");
    // Those who are there notice nothing, and a place that is given back is another's.
    served.guest(&open[1], "Cyd").await;
    drop(open.pop());
    let next = async {
        loop {
            let mut socket = TcpStream::connect(served.address).await.expect("accepted");
            let mut byte = [0];
            let listens = Duration::from_millis(50);
            match tokio::time::timeout(listens, socket.read(&mut byte)).await {
                Err(_it_waits_for_us) => return,
                Ok(_turned_away) => tokio::task::yield_now().await,
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), next).await;
    in_time.expect("the place is given back");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let served = served().await;
    let mut silent = TcpStream::connect(served.address).await.expect("accepted");
    let mut said = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut said));
    closed.await.expect("in time").expect("closed");
}
