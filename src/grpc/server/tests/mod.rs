//! A real server on a free port, and clients of it.

mod line;
mod play;

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
};

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
        Mailbox, TreeKind, TreeLine, WatchLimits,
        convert::settings,
        options::Origins,
        tests::stage::{self, Node},
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
        connections: crate::grpc::ConnectionLimits {
            total: NonZeroUsize::new(100).expect("not zero"),
            per_address: NonZeroUsize::new(20).expect("not zero"),
        },
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
        watches: Watches::new(
            node.tables.clone(),
            Ways::alone(node.tables.count()),
            options().watch,
        ),
        ways: Ways::alone(node.tables.count()),
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
