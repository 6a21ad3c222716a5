//! The store that a configuration names.

use std::{fs, path::Path, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    config::{Config, Consistency, StoreKind},
    store::{
        SerialDomain, Store,
        cassandra::{
            self, CassandraOptions, CassandraStore, Login, Password, TlsFiles,
            schema::{self, Made},
        },
        embedded::{self, EmbeddedOptions, EmbeddedStore},
    },
};

#[cfg(feature = "faults")]
use crate::store::sabotage::Sabotaged;

pub use crate::store::cassandra::schema::Replication;

/// Why a store does not open. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the embedded store cannot be made.
    #[error("cannot make the folder {}: {cause}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The embedded store does not open.
    #[error(transparent)]
    Embedded(#[from] embedded::OpenError),
    /// The password cannot be read. Its text is in no message.
    #[error("cassandra.password_file: cannot read {}: {cause}", path.display())]
    Password {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Cassandra does not open.
    #[error(transparent)]
    Cassandra(#[from] cassandra::OpenError),
    /// A schema is asked for where there is none.
    #[error(
        "the configuration says `store: embedded`, which makes its tables by itself; a schema is for `store: cassandra`"
    )]
    NoSchema,
    /// A test wants something else.
    #[cfg(feature = "faults")]
    #[error(transparent)]
    Sabotage(#[from] crate::store::sabotage::BadSabotage),
}

/// Opens the configured store.
///
/// # Errors
/// Names what is wrong and what to do.
pub async fn open(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    let store = open_plain(config).await?;
    #[cfg(feature = "faults")]
    let store = sabotaged(store)?;
    Ok(store)
}

/// With what a test does to it.
#[cfg(feature = "faults")]
fn sabotaged(store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> {
    let Some(sabotage) = crate::config::sabotage() else {
        return Ok(store);
    };
    tracing::warn!(sabotage, "this node is sabotaged");
    let sabotage = sabotage.parse()?;
    Ok(Arc::new(Sabotaged::new(store, sabotage)))
}

async fn open_plain(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    match config.store {
        StoreKind::Embedded => {
            let path = &config.embedded.path;
            fs::create_dir_all(path).map_err(|cause| StoreError::Folder {
                path: path.clone(),
                cause,
            })?;
            let max_bytes = Some(config.embedded.max_bytes).filter(|limit| *limit > 0);
            let options = EmbeddedOptions { max_bytes };
            Ok(Arc::new(EmbeddedStore::open(database(config), &options)?))
        }
        StoreKind::Cassandra => Ok(CassandraStore::open(&cassandra_options(config)?).await?),
    }
}

/// The file of the embedded store.
pub(super) fn database(config: &Config) -> PathBuf {
    config.embedded.path.join(DATABASE)
}

/// Where conditional statements are ordered, by the configuration.
pub fn serial_domain(config: &Config) -> SerialDomain {
    match (config.store, config.cassandra.consistency) {
        (StoreKind::Embedded, _) | (StoreKind::Cassandra, Consistency::Quorum) => {
            SerialDomain::Serial
        }
        (StoreKind::Cassandra, Consistency::LocalQuorum) => {
            SerialDomain::LocalSerial(config.cassandra.data_centre.clone())
        }
    }
}

/// Makes what is missing of the schema. A keyspace is made only with the copies that are named.
///
/// # Errors
/// As [`open`], and when the keyspace is missing and no copies are named, or has others.
pub async fn create_schema(
    config: &Config,
    replication: Option<&Replication>,
) -> Result<Made, StoreError> {
    Ok(schema::create(&schema_options(config)?, replication).await?)
}

/// Checks what a server checks, and changes nothing.
///
/// # Errors
/// As [`open`].
pub async fn check_schema(config: &Config) -> Result<(), StoreError> {
    Ok(schema::check_schema(&schema_options(config)?).await?)
}

fn schema_options(config: &Config) -> Result<CassandraOptions, StoreError> {
    match config.store {
        StoreKind::Embedded => Err(StoreError::NoSchema),
        StoreKind::Cassandra => cassandra_options(config),
    }
}

fn cassandra_options(config: &Config) -> Result<CassandraOptions, StoreError> {
    let cassandra = &config.cassandra;
    let named = |path: &Path| !path.as_os_str().is_empty();
    let login = if cassandra.user.is_empty() {
        None
    } else {
        let path = &cassandra.password_file;
        let text = fs::read_to_string(path).map_err(|cause| StoreError::Password {
            path: path.clone(),
            cause,
        })?;
        Some(Login {
            user: cassandra.user.clone(),
            password: Password::of_file(text),
        })
    };
    let client = (
        cassandra.tls_cert_file.clone(),
        cassandra.tls_key_file.clone(),
    );
    let tls = named(&cassandra.tls_ca_file).then(|| TlsFiles {
        ca: cassandra.tls_ca_file.clone(),
        client: Some(client).filter(|(cert, _)| named(cert)),
    });
    Ok(CassandraOptions {
        hosts: cassandra.hosts.clone(),
        keyspace: cassandra.keyspace.clone(),
        login,
        tls,
        domain: serial_domain(config),
        connect_timeout: Duration::from_millis(cassandra.connect_timeout_ms),
        request_timeout: Duration::from_millis(cassandra.request_timeout_ms),
        connect_patience: Duration::from_millis(cassandra.connect_patience_ms),
        connections_per_host: cassandra.connections_per_host,
        hands_kept: Some(config.archive.retention_days)
            .filter(|days| *days > 0)
            .map(|days| Duration::from_secs(u64::from(days) * 86_400)),
    })
}

const DATABASE: &str = "orp.db";
