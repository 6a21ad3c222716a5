//! The two listeners: players, and operators.
//!
//! Both run until they are told to stop, then let what is open end in bounded time: health says NOT_SERVING, streams close
//! with a reason, calls under way are answered.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, Method, header};
use proto::v1::{
    admin_service_server::AdminServiceServer, hand_service_server::HandServiceServer,
    session_service_server::SessionServiceServer, table_service_server::TableServiceServer,
    watch_service_server::WatchServiceServer,
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    time::{Instant, MissedTickBehavior},
};
use tonic::{
    server::NamedService,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_web::GrpcWebLayer;
use tower_http::cors::CorsLayer;

use super::{
    admin::{AdminApi, ClusterView, Tree},
    auth::{Door, Operators},
    connections::Admission,
    forward::{Forward, Ways},
    gate::Gate,
    hand::HandApi,
    options::Options,
    session::SessionApi,
    table::TableApi,
    watch::{WatchApi, Watches},
};
use crate::{
    accounts::Sessions,
    store::Store,
    table::{Tables, seal::Keyring},
};

/// What players are served with.
#[derive(Clone)]
pub struct Services {
    /// The tables.
    pub tables: Tables,
    /// The sessions.
    pub sessions: Sessions,
    /// The archive of hands.
    pub store: Arc<dyn Store>,
    /// What its decks are sealed with.
    pub keys: Keyring,
    /// The watches of this node.
    pub watches: Watches,
    /// Where tables of other nodes are.
    pub ways: Ways,
    /// Whether this node can answer for its tables; health follows it.
    pub ready: watch::Receiver<bool>,
}

/// What operators are served with.
#[derive(Clone)]
pub struct OpsServices {
    /// The tables.
    pub tables: Tables,
    /// The supervision tree.
    pub tree: Tree,
    /// Who is an operator.
    pub operators: Operators,
    /// The other nodes.
    pub cluster: ClusterView,
    /// Whether this node can answer for its tables; health follows it.
    pub ready: watch::Receiver<bool>,
}

/// Why a listener does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("serving gRPC: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors that were built in do not read.
    #[error("the descriptors for reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves players until `shutdown` is ready.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    listener: TcpListener,
    services: Services,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let ready = services.ready.clone();
    let watches = services.watches.clone();
    let (reporter, health) = tonic_health::server::health_reporter();
    let names = PLAYERS_SERVICES;
    let router = builder(&options)
        .layer(cors(&options))
        .layer(GrpcWebLayer::new())
        .layer(gate(&services, &options))
        .layer(forward(&services, &options, false))
        .add_service(health.max_decoding_message_size(options.request_bytes_max))
        .add_service(reflection_v1()?)
        .add_service(reflection_v1alpha()?);
    let apis = Apis::of(services, &options, false);
    let router = router
        .add_service(apis.sessions)
        .add_service(apis.tables)
        .add_service(apis.watches)
        .add_service(apis.hands);

    let (drained, draining) = oneshot::channel();
    let stop = {
        let (reporter, watches) = (reporter.clone(), watches.clone());
        async move {
            shutdown.await;
            report(&reporter, &names, false).await;
            watches.drain();
            begin(drained);
        }
    };
    let server = router.serve_with_incoming_shutdown(incoming(listener, &options), stop);
    tokio::select! {
        served = server => Ok(served?),
        () = follow(ready, &reporter, &names) => Ok(()),
        () = sweep(watches) => Ok(()),
        () = too_long(draining, options.drain) => Ok(()),
    }
}

/// The services of players.
pub(super) struct Apis {
    pub(super) sessions: SessionServiceServer<SessionApi>,
    pub(super) tables: TableServiceServer<TableApi>,
    pub(super) watches: WatchServiceServer<WatchApi>,
    pub(super) hands: HandServiceServer<HandApi>,
}

impl Apis {
    pub(super) fn of(services: Services, options: &Options, for_nodes: bool) -> Self {
        let Services {
            tables,
            sessions,
            store,
            keys,
            watches,
            ways,
            ready: _,
        } = services;
        let limit = options.request_bytes_max;
        let table_api = TableApi {
            tables,
            ways: (!for_nodes).then_some(ways),
        };
        Self {
            sessions: SessionServiceServer::new(SessionApi { sessions })
                .max_decoding_message_size(limit),
            tables: TableServiceServer::new(table_api).max_decoding_message_size(limit),
            watches: WatchServiceServer::new(WatchApi { watches, for_nodes })
                .max_decoding_message_size(limit),
            hands: HandServiceServer::new(HandApi { store, keys }).max_decoding_message_size(limit),
        }
    }
}

const PLAYERS_SERVICES: [&str; 5] = [
    "",
    <SessionServiceServer<SessionApi> as NamedService>::NAME,
    <TableServiceServer<TableApi> as NamedService>::NAME,
    <WatchServiceServer<WatchApi> as NamedService>::NAME,
    <HandServiceServer<HandApi> as NamedService>::NAME,
];

fn gate(services: &Services, options: &Options) -> Gate {
    Gate {
        door: Arc::new(Door::Players(services.sessions.clone())),
        call_timeout: options.call_timeout,
    }
}

pub(super) fn forward(services: &Services, options: &Options, last_stop: bool) -> Forward {
    Forward {
        ways: services.ways.clone(),
        last_stop,
        request_bytes_max: options.request_bytes_max,
        patience: options.call_timeout / 10 * 9,
    }
}

/// Serves operators until `shutdown` is ready: the same shape, another door. No gRPC-Web: no page needs it.
///
/// # Errors
/// When the transport fails.
pub async fn serve_ops(
    listener: TcpListener,
    services: OpsServices,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let OpsServices {
        tables,
        tree,
        operators,
        cluster,
        ready,
    } = services;
    let limit = options.request_bytes_max;
    let admin_api = AdminServiceServer::new(AdminApi {
        tables,
        tree,
        cluster,
        patience: options.call_timeout / 2,
        for_nodes: false,
    })
    .max_decoding_message_size(limit);
    let (reporter, health) = tonic_health::server::health_reporter();
    let names = ["", service_name(&admin_api)];
    let router = builder(&options)
        .layer(Gate {
            door: Arc::new(Door::Operators(operators)),
            call_timeout: options.call_timeout,
        })
        .add_service(health.max_decoding_message_size(limit))
        .add_service(reflection_v1()?)
        .add_service(admin_api);

    let (drained, draining) = oneshot::channel();
    let stop = {
        let reporter = reporter.clone();
        async move {
            shutdown.await;
            report(&reporter, &names, false).await;
            begin(drained);
        }
    };
    let server = router.serve_with_incoming_shutdown(incoming(listener, &options), stop);
    tokio::select! {
        served = server => Ok(served?),
        () = follow(ready, &reporter, &names) => Ok(()),
        () = too_long(draining, options.drain) => Ok(()),
    }
}

fn builder(options: &Options) -> Server {
    Server::builder()
        // gRPC-Web comes over HTTP/1.1 where there is no TLS.
        .accept_http1(true)
        .max_concurrent_streams(options.streams_per_connection)
        .concurrency_limit_per_connection(options.calls_per_connection)
        .load_shed(true)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(options.keep_alive))
        .http2_keepalive_timeout(Some(options.keep_alive))
}

fn incoming(listener: TcpListener, options: &Options) -> Admission {
    let sockets = TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(TCP_KEEP_ALIVE));
    Admission::new(sockets, options.connections, options.keep_alive)
}

fn cors(options: &Options) -> CorsLayer {
    let asked = ["x-grpc-web", "x-user-agent", "grpc-timeout"].map(HeaderName::from_static);
    let told =
        ["grpc-status", "grpc-message", "grpc-status-details-bin"].map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(options.origins.allow())
        .allow_methods([Method::POST])
        .allow_headers(
            asked
                .into_iter()
                .chain([header::CONTENT_TYPE, header::AUTHORIZATION])
                .collect::<Vec<_>>(),
        )
        .expose_headers(told)
        .max_age(PREFLIGHT_AGE)
}

/// Health says SERVING while the node is ready. Ends only when nobody can say any more whether it is.
async fn follow(mut ready: watch::Receiver<bool>, reporter: &HealthReporter, names: &[&str]) {
    loop {
        let now = *ready.borrow_and_update();
        report(reporter, names, now).await;
        if ready.changed().await.is_err() {
            // Whoever knew is gone, and with it the node: the listener goes on until it is told to stop.
            report(reporter, names, false).await;
            std::future::pending::<()>().await;
        }
    }
}

async fn report(reporter: &HealthReporter, names: &[&str], serving: bool) {
    let status = if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for name in names {
        reporter.set_service_status(*name, status).await;
    }
}

async fn sweep(watches: Watches) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        watches.sweep(Instant::now());
    }
}

/// A client that does not go is left behind.
pub(super) async fn too_long(draining: oneshot::Receiver<()>, limit: Duration) {
    if draining.await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(limit).await;
    tracing::warn!("connections were still open when the time to drain was over");
}

pub(super) fn begin(drained: oneshot::Sender<()>) {
    if drained.send(()).is_err() {
        tracing::trace!("the listener ended before it was told to drain");
    }
}

fn service_name<S: NamedService>(_service: &S) -> &'static str {
    S::NAME
}

fn reflection_v1() -> Result<
    tonic_reflection::server::v1::ServerReflectionServer<
        impl tonic_reflection::server::v1::ServerReflection,
    >,
    tonic_reflection::server::Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
}

/// For clients that do not know v1 yet.
fn reflection_v1alpha() -> Result<
    tonic_reflection::server::v1alpha::ServerReflectionServer<
        impl tonic_reflection::server::v1alpha::ServerReflection,
    >,
    tonic_reflection::server::Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1alpha()
}

/// A token, a deadline, and what browsers and proxies add.
const HEADER_BYTES_MAX: u32 = 8 * 1024;
/// Stuck readers are looked for so often.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// For HTTP/1.1 connections, which have no pings of their own.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Browsers ask again after so long whether a page may call.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests;
