//! Getting a session with the cluster, and what has to hold before anything is built on it.

use std::error::Error;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::PoolSize;
use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::cluster::Node;
use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, MetadataError,
    NewSessionError, PrepareError, UseKeyspaceError,
};
use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::{Consistency, Statement};
use tokio::net::TcpStream;
use tokio::time::{Instant, error::Elapsed, sleep, timeout};

use super::driver::{Begin, KEEP_ALIVE, profile};
use super::options::CassandraOptions;
use super::schema::{self, SchemaError};
use super::tls::{self, TlsError};
use crate::store::{Cause, SerialDomain};

/// Why the store on Cassandra does not open. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No host answers.
    #[error("Cassandra does not answer: {}: {cause}; {hint}", hosts.join("; "))]
    Unreachable {
        /// What each host says.
        hosts: Vec<String>,
        /// What to do.
        hint: &'static str,
        /// What the driver says.
        cause: Cause,
    },
    /// The name or the password is wrong.
    #[error(
        "Cassandra refuses the login of {user}: correct cassandra.user and the file of cassandra.password_file"
    )]
    Login {
        /// Who.
        user: String,
    },
    /// A login is asked for and none is configured.
    #[error("Cassandra asks for a login: set cassandra.user and cassandra.password_file")]
    NoLogin,
    /// TLS does not come about.
    #[error(
        "no TLS with Cassandra: {cause}; cassandra.tls_ca_file has to hold the authority of its certificates, which name the nodes' addresses"
    )]
    Tls {
        /// Why.
        cause: String,
    },
    /// The files of TLS cannot be used.
    #[error(transparent)]
    TlsFiles(#[from] TlsError),
    /// A node decides conditional statements in a way that the log protocol cannot rely on, or that is slow.
    #[error(
        "the Cassandra node {node} has paxos_variant {found}: set `paxos_variant: v2` in cassandra.yaml of every node (Cassandra 4.1 or later)"
    )]
    PaxosVariant {
        /// Which.
        node: String,
        /// Its setting.
        found: String,
    },
    /// The configured data centre does not exist.
    #[error("cassandra.data_centre is {configured}, the cluster has {}", known.join(", "))]
    NoDataCentre {
        /// The configured one.
        configured: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The keyspace or its tables are not there, or are not ours.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A statement of ours is refused.
    #[error("Cassandra refuses a statement of this server: {0}")]
    Prepare(Box<PrepareError>),
    /// The keyspace cannot be used.
    #[error("Cassandra refuses the keyspace: {0}")]
    Keyspace(Box<UseKeyspaceError>),
    /// A node froze in the middle of the start.
    #[error("Cassandra stopped answering during the start: start again")]
    Silent(#[from] Elapsed),
    /// Something answers that is not Cassandra.
    #[error(
        "what answers does not tell its settings (system_views.settings): Cassandra 4.1 or later is needed: {cause}"
    )]
    NotCassandra {
        /// What it said.
        cause: Cause,
    },
}

impl From<PrepareError> for OpenError {
    fn from(error: PrepareError) -> Self {
        Self::Prepare(Box::new(error))
    }
}

impl From<UseKeyspaceError> for OpenError {
    fn from(error: UseKeyspaceError) -> Self {
        Self::Keyspace(Box::new(error))
    }
}

/// Connects. Hosts that do not answer are tried again, with growing pauses; what does not mend itself is told at once.
pub(super) async fn connect(options: &CassandraOptions) -> Result<Session, OpenError> {
    let builder = builder(options)?;
    let deadline = Instant::now() + options.connect_patience;
    let mut pause = FIRST_PAUSE;
    loop {
        let cause: Cause = match timeout(ATTEMPT_MAX, builder.build()).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => match not_mending(&error, options) {
                Some(refused) => return Err(refused),
                None => error.into(),
            },
            Err(elapsed) => elapsed.into(),
        };
        let hosts = ask_each(&options.hosts, options.connect_timeout).await;
        if Instant::now() + pause > deadline {
            let open = hosts.iter().any(|told| told.ends_with(OPEN));
            let hint = if open { CLOSES } else { DOWN };
            return Err(OpenError::Unreachable { hosts, hint, cause });
        }
        tracing::warn!(
            hosts = hosts.join("; "),
            cause,
            again_in_ms = pause.as_millis(),
            "cassandra does not answer; trying again"
        );
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Checks what the log protocol relies on, and chooses the keyspace.
pub(super) async fn check(session: &Session, options: &CassandraOptions) -> Result<(), OpenError> {
    check_nodes(session, options).await?;
    schema::check(session, &options.keyspace, &options.domain).await?;
    session.use_keyspace(&options.keyspace, true).await?;
    Ok(())
}

/// Checks the cluster, whatever keyspaces it has.
pub(super) async fn check_nodes(
    session: &Session,
    options: &CassandraOptions,
) -> Result<(), OpenError> {
    data_centre(session, options)?;
    paxos(session).await
}

/// The names of the data centres.
pub(super) fn data_centres(session: &Session) -> Vec<String> {
    let state = session.get_cluster_state();
    let nodes = state.get_nodes_info().iter();
    let mut known: Vec<String> = nodes.filter_map(|node| node.datacenter.clone()).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// Executes on one node and no other.
pub(super) fn only_on(node: &Arc<Node>) -> ExecutionProfileHandle {
    let node = NodeIdentifier::Node(Arc::clone(node));
    ExecutionProfile::builder()
        .load_balancing_policy(SingleTargetLoadBalancingPolicy::new(node, None))
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .request_timeout(Some(ATTEMPT_MAX))
        .build()
        .into_handle()
}

fn builder(options: &CassandraOptions) -> Result<SessionBuilder, OpenError> {
    let per_host = NonZeroUsize::new(options.connections_per_host).unwrap_or(NonZeroUsize::MIN);
    let (silent, answer) = KEEP_ALIVE;
    let mut builder = SessionBuilder::new()
        .known_nodes(options.hosts.iter().map(|host| with_port(host)))
        .connection_timeout(options.connect_timeout)
        .keepalive_interval(silent)
        .keepalive_timeout(answer)
        .tcp_nodelay(true)
        .pool_size(PoolSize::PerHost(per_host))
        // Token-aware routing needs to know how this keyspace is replicated; nothing here needs the others.
        .keyspaces_to_fetch([options.keyspace.clone()])
        .fetch_full_schema_metadata(false)
        // Only `schema` changes tables, and waits once for all of them.
        .auto_await_schema_agreement(false)
        .default_execution_profile_handle(profile(options, Begin::AtFirstReplica));
    if let Some(login) = &options.login {
        builder = builder.user(login.user.clone(), login.password.reveal());
    }
    if let Some(files) = &options.tls {
        builder = builder.tls_context(Some(tls::config(files)?));
    }
    Ok(builder)
}

fn with_port(host: &str) -> String {
    // An address of IPv6 has colons of its own, and then brackets around them.
    match host.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => host.to_owned(),
        Some(_) | None => format!("{host}:{PORT}"),
    }
}

/// What each host says to a connection: nothing wrong, or why not.
async fn ask_each(hosts: &[String], patience: Duration) -> Vec<String> {
    let mut told = Vec::new();
    for host in hosts.iter().map(|host| with_port(host)) {
        told.push(match timeout(patience, TcpStream::connect(&host)).await {
            Ok(Ok(_)) => format!("{host}{OPEN}"),
            Ok(Err(error)) => format!("{host}: {error}"),
            Err(_elapsed) => format!("{host}: no answer in {} ms", patience.as_millis()),
        });
    }
    told
}

/// The error that waiting does not mend, if it is one.
fn not_mending(error: &NewSessionError, options: &CassandraOptions) -> Option<OpenError> {
    if options.tls.is_some()
        && let Some(cause) = tls_cause(error)
    {
        return Some(OpenError::Tls { cause });
    }
    let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(
        ConnectionPoolError::Broken {
            last_connection_error: ConnectionError::ConnectionSetupRequestError(setup),
        },
    )) = error
    else {
        return None;
    };
    if matches!(
        setup.error,
        ConnectionSetupRequestErrorKind::MissingAuthentication
    ) {
        return Some(OpenError::NoLogin);
    }
    let refused = matches!(
        setup.error,
        ConnectionSetupRequestErrorKind::DbError(DbError::AuthenticationError, _)
    );
    let user = options.login.as_ref().map(|login| login.user.clone());
    user.filter(|_| refused)
        .map(|user| OpenError::Login { user })
}

/// What TLS says, if it is what failed.
fn tls_cause(error: &NewSessionError) -> Option<String> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    if let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(
        ConnectionPoolError::Broken {
            last_connection_error: ConnectionError::IoError(error),
        },
    )) = error
    {
        next = Some(&**error);
    }
    while let Some(error) = next {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(tls) = inner.or_else(|| error.downcast_ref::<rustls::Error>()) {
            return Some(tls.to_string());
        }
        next = error.source();
    }
    None
}

fn data_centre(session: &Session, options: &CassandraOptions) -> Result<(), OpenError> {
    let SerialDomain::LocalSerial(configured) = &options.domain else {
        return Ok(());
    };
    let known = data_centres(session);
    if known.contains(configured) {
        return Ok(());
    }
    Err(OpenError::NoDataCentre {
        configured: configured.clone(),
        known,
    })
}

/// Asks every node that answers how it decides. Under v1 a transaction takes four round trips in place of two, and the other
/// variants give up that a refusal or a read has its place in the one order.
async fn paxos(session: &Session) -> Result<(), OpenError> {
    let state = session.get_cluster_state();
    for node in state.get_nodes_info() {
        let address = node.address.to_string();
        if !node.is_connected() {
            tracing::warn!(
                node = address,
                "not connected: its paxos_variant is not checked"
            );
            continue;
        }
        let mut statement = Statement::new(SETTINGS);
        statement.set_consistency(Consistency::One);
        statement.set_execution_profile_handle(Some(only_on(node)));
        let settings = match session.query_unpaged(statement, ()).await {
            Ok(settings) => settings,
            Err(error) => {
                return Err(OpenError::NotCassandra {
                    cause: error.into(),
                });
            }
        };
        let told = |cause: Cause| OpenError::NotCassandra { cause };
        let rows = settings
            .into_rows_result()
            .map_err(|error| told(error.into()))?;
        let (mut variant, mut sync) = ("v1".to_owned(), String::new());
        for row in rows
            .rows::<(String, Option<String>)>()
            .map_err(|error| told(error.into()))?
        {
            match row.map_err(|error| told(error.into()))? {
                (name, Some(value)) if name == "paxos_variant" => variant = value,
                (name, Some(value)) if name == "commitlog_sync" => sync = value,
                (_, Some(_) | None) => {}
            }
        }
        if variant != "v2" {
            return Err(OpenError::PaxosVariant {
                node: address,
                found: variant,
            });
        }
        if sync == "periodic" {
            tracing::warn!(
                node = address,
                "commitlog_sync is periodic: what this node acknowledged in the last seconds is lost with its power; set it to group or batch"
            );
        }
    }
    Ok(())
}

const PORT: u16 = 9_042;

const OPEN: &str = " takes connections";
const DOWN: &str = "start it, or correct cassandra.hosts";
/// With TLS 1.3 a client hears nothing but the end of the connection when its certificate is missing or not trusted.
const CLOSES: &str = "what listens there may want TLS (cassandra.tls_ca_file) or a client's certificate \
     (cassandra.tls_cert_file), or be something else";

const SETTINGS: &str = "SELECT name, value FROM system_views.settings";

/// One attempt to connect, with several hosts that do not answer.
const ATTEMPT_MAX: Duration = Duration::from_secs(10);

/// Preparing has no time-out of its own in the driver.
pub(super) const PREPARE_MAX: Duration = Duration::from_secs(20);

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
