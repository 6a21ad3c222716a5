//! The keyspace and its tables: made by an operator's command, checked by every server.
//!
//! `schema.cql` says what has to be there. What is there and not in it, is left alone: a later release may have added it.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use scylla::client::session::Session;
use scylla::deserialize::row::DeserializeRow;
use scylla::errors::{ExecutionError, SchemaAgreementError};
use scylla::statement::Statement;

use super::connect::{self, OpenError};
use super::options::CassandraOptions;
use crate::store::{Cause, SerialDomain};
use declared::{Column, Table};

mod declared;

/// How many copies each data centre keeps. Given by a person: nothing is created with a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication(BTreeMap<String, u32>);

/// Why a replication is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no replication: write DATA_CENTRE=COPIES, for example dc1=3")]
pub struct BadReplication(String);

impl FromStr for Replication {
    type Err = BadReplication;

    fn from_str(text: &str) -> Result<Self, BadReplication> {
        let bad = || BadReplication(text.to_owned());
        let pair = |pair: &str| {
            let (name, copies) = pair.split_once('=').ok_or_else(bad)?;
            // The name goes into a statement as it is.
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
            let copies = copies.parse().ok().filter(|copies| *copies > 0);
            if name.is_empty() || !name.chars().all(plain) {
                return Err(bad());
            }
            Ok((name.to_owned(), copies.ok_or_else(bad)?))
        };
        text.split(',')
            .map(pair)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Replication {
    fn cql(&self) -> String {
        let copies = self
            .0
            .iter()
            .map(|(name, copies)| format!(", '{name}': {copies}"));
        format!(
            "{{'class': 'NetworkTopologyStrategy'{}}}",
            copies.collect::<String>()
        )
    }
}

/// What is wrong with a keyspace. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is not there.
    #[error(
        "there is no keyspace {keyspace}: `orp admin schema create --replication DATA_CENTRE=COPIES` makes it; or correct cassandra.keyspace"
    )]
    NoKeyspace {
        /// Which.
        keyspace: String,
    },
    /// Tables are not there.
    #[error("keyspace {keyspace} has no table {}: `orp admin schema create` makes what is missing", tables.join(", "))]
    NoTable {
        /// Where.
        keyspace: String,
        /// Which.
        tables: Vec<String>,
    },
    /// Columns that this release added are not there.
    #[error(
        "keyspace {keyspace} is of an earlier release, and has no column {}: `orp admin schema create` adds it, beside running servers of either release; servers go on without it, and `orp admin level --raise` refuses until it is there", columns.join(", ")
    )]
    NoColumn {
        /// Where.
        keyspace: String,
        /// Which, as `table.column`.
        columns: Vec<String>,
    },
    /// A table is not as this release writes it.
    #[error(
        "table {table} of keyspace {keyspace} is not this server's: {finding}; configure another keyspace, or a release that fits"
    )]
    Foreign {
        /// Where.
        keyspace: String,
        /// Which.
        table: String,
        /// What differs.
        finding: String,
    },
    /// The keyspace has no copies where they are needed.
    #[error(
        "keyspace {keyspace} has no copies in {data_centre}, which cassandra.data_centre names: alter its replication"
    )]
    NoCopies {
        /// Where.
        keyspace: String,
        /// Which data centre.
        data_centre: String,
    },
    /// What is written goes by itself after a while, the log as well.
    #[error(
        "table {table} of keyspace {keyspace} forgets what is {seconds} s old: `ALTER TABLE {keyspace}.{table} WITH default_time_to_live = 0`; what was written before that may still go, so back up at once, and restore into another keyspace"
    )]
    Expires {
        /// Where.
        keyspace: String,
        /// Which.
        table: String,
        /// Its `default_time_to_live`.
        seconds: i32,
    },
    /// What is written is not kept.
    #[error("keyspace {keyspace} has durable_writes = false: alter it")]
    NotDurable {
        /// Where.
        keyspace: String,
    },
    /// The keyspace is there with other copies.
    #[error(
        "keyspace {keyspace} is there with the replication {found}, not {wanted}: alter it by hand, and repair, or leave the option out"
    )]
    OtherReplication {
        /// Where.
        keyspace: String,
        /// What it has.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// It was to be made without saying how many copies there shall be.
    #[error("there is no keyspace {keyspace}: say how it shall be replicated, --replication DATA_CENTRE=COPIES; the cluster has {}", known.join(", "))]
    SayReplication {
        /// Where.
        keyspace: String,
        /// The data centres.
        known: Vec<String>,
    },
    /// Cassandra does not tell, or does not do it.
    #[error("Cassandra refuses: {0}")]
    Refused(Box<ExecutionError>),
    /// The nodes do not come to the same tables.
    #[error("the nodes of Cassandra do not agree on the tables yet ({0}): try again")]
    Disagreement(Box<SchemaAgreementError>),
    /// Cassandra's own tables are not as they are known.
    #[error("Cassandra describes its tables in a way that is not known here: {0}")]
    Undescribed(Cause),
}

impl From<ExecutionError> for SchemaError {
    fn from(error: ExecutionError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<SchemaAgreementError> for SchemaError {
    fn from(error: SchemaAgreementError) -> Self {
        Self::Disagreement(Box::new(error))
    }
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Whether the keyspace was.
    pub keyspace: bool,
    /// Which tables were.
    pub tables: Vec<String>,
    /// Which columns were added to tables of an earlier release, as `table.column`.
    pub columns: Vec<String>,
}

/// Makes what is missing of the keyspace and its tables, and nothing else.
///
/// # Errors
/// As for [`check_schema`]; also when the keyspace is missing and `replication` is, or differs from what is there.
pub async fn create(
    options: &CassandraOptions,
    replication: Option<&Replication>,
) -> Result<Made, OpenError> {
    let session = connect::connect(options).await?;
    connect::check_nodes(&session, options).await?;
    let made = make(&session, &options.keyspace, replication).await?;
    connect::check(&session, options).await?;
    Ok(made)
}

/// Checks everything that a server checks before it starts, and changes nothing.
///
/// # Errors
/// Names what is wrong and what to do.
pub async fn check_schema(options: &CassandraOptions) -> Result<(), OpenError> {
    let session = connect::connect(options).await?;
    connect::check(&session, options).await?;
    let columns = lacking(&session, &options.keyspace).await?;
    if columns.is_empty() {
        return Ok(());
    }
    let keyspace = options.keyspace.clone();
    Err(SchemaError::NoColumn { keyspace, columns }.into())
}

/// Columns that a later release added and that are not there, as `table.column`.
pub(super) async fn lacking(session: &Session, name: &str) -> Result<Vec<String>, SchemaError> {
    let there = columns(session, name).await?;
    let tables = declared::tables();
    let lacking = tables.iter().flat_map(|table| {
        let lacks = there.get(&table.name).map(|there| table.lacks(there));
        let named = |column: &Column| format!("{}.{}", table.name, column.name);
        lacks
            .unwrap_or_default()
            .into_iter()
            .map(named)
            .collect::<Vec<_>>()
    });
    Ok(lacking.collect())
}

async fn make(
    session: &Session,
    name: &str,
    replication: Option<&Replication>,
) -> Result<Made, SchemaError> {
    let mut made = Made::default();
    match (keyspace(session, name).await?, replication) {
        (None, None) => {
            return Err(SchemaError::SayReplication {
                keyspace: name.to_owned(),
                known: connect::data_centres(session),
            });
        }
        (None, Some(replication)) => {
            let cql = format!(
                "CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = {}",
                replication.cql()
            );
            change(session, cql).await?;
            made.keyspace = true;
        }
        (Some(found), Some(replication)) if found.copies != replication.0 => {
            return Err(SchemaError::OtherReplication {
                keyspace: name.to_owned(),
                found: Replication(found.copies).cql(),
                wanted: replication.cql(),
            });
        }
        (Some(_), Some(_) | None) => {}
    }
    let there = columns(session, name).await?;
    for table in declared::tables() {
        if let Some(there) = there.get(&table.name) {
            for column in table.lacks(there) {
                let (table, name_of, cql_type) = (&table.name, &column.name, &column.cql_type);
                change(
                    session,
                    format!("ALTER TABLE {name}.{table} ADD {name_of} {cql_type}"),
                )
                .await?;
                made.columns.push(format!("{table}.{name_of}"));
            }
        } else {
            let cql = table.cql.replacen(
                "CREATE TABLE ",
                &format!("CREATE TABLE IF NOT EXISTS {name}."),
                1,
            );
            change(session, cql).await?;
            made.tables.push(table.name);
        }
    }
    if made != Made::default() {
        session.await_schema_agreement().await?;
    }
    Ok(made)
}

/// Changes the schema. Always through the same node, which has the change before it when it makes the next one; the others
/// need to agree only at the end.
async fn change(session: &Session, cql: String) -> Result<(), ExecutionError> {
    let state = session.get_cluster_state();
    let mut statement = Statement::new(cql);
    let node = state
        .get_nodes_info()
        .iter()
        .find(|node| node.is_connected());
    statement.set_execution_profile_handle(node.map(connect::only_on));
    session.query_unpaged(statement, ()).await.map(drop)
}

/// Whether the keyspace is what a server can rely on.
pub(super) async fn check(
    session: &Session,
    name: &str,
    domain: &SerialDomain,
) -> Result<(), SchemaError> {
    let owned = || name.to_owned();
    let Some(found) = keyspace(session, name).await? else {
        return Err(SchemaError::NoKeyspace { keyspace: owned() });
    };
    if !found.durable {
        return Err(SchemaError::NotDurable { keyspace: owned() });
    }
    if let SerialDomain::LocalSerial(data_centre) = domain
        && !found.copies.is_empty()
        && !found.copies.contains_key(data_centre)
    {
        return Err(SchemaError::NoCopies {
            keyspace: owned(),
            data_centre: data_centre.clone(),
        });
    }
    let there = columns(session, name).await?;
    let wanted = declared::tables();
    let missing = |table: &&Table| !there.contains_key(&table.name);
    let tables: Vec<String> = wanted
        .iter()
        .filter(missing)
        .map(|table| table.name.clone())
        .collect();
    if !tables.is_empty() {
        return Err(SchemaError::NoTable {
            keyspace: owned(),
            tables,
        });
    }
    let lives = lives(session, name).await?;
    for table in wanted {
        if let Some(finding) = table.differs(&there[&table.name]) {
            return Err(SchemaError::Foreign {
                keyspace: owned(),
                table: table.name,
                finding,
            });
        }
        let seconds = lives.get(&table.name).copied().unwrap_or_default();
        if seconds != 0 && !table.expires {
            return Err(SchemaError::Expires {
                keyspace: owned(),
                table: table.name,
                seconds,
            });
        }
    }
    Ok(())
}

struct Keyspace {
    durable: bool,
    /// By data centre; empty for the simple strategy.
    copies: BTreeMap<String, u32>,
}

async fn keyspace(session: &Session, name: &str) -> Result<Option<Keyspace>, SchemaError> {
    type Row = (bool, HashMap<String, String>);
    let cql =
        "SELECT durable_writes, replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let found: Vec<Row> = described(session, cql, name).await?;
    // `class` is no number, nor is the factor of the simple strategy a data centre's.
    let copies = |replication: HashMap<String, String>| {
        replication
            .into_iter()
            .filter(|(key, _)| key != "replication_factor")
            .filter_map(|(key, value)| Some((key, value.parse().ok()?)))
            .collect()
    };
    Ok(found
        .into_iter()
        .next()
        .map(|(durable, replication)| Keyspace {
            durable,
            copies: copies(replication),
        }))
}

/// The columns of each table of a keyspace.
async fn columns(
    session: &Session,
    keyspace: &str,
) -> Result<HashMap<String, Vec<Column>>, SchemaError> {
    type Row = (String, String, String, String, i32, String);
    let cql = "SELECT table_name, column_name, type, kind, position, clustering_order \
         FROM system_schema.columns WHERE keyspace_name = ?";
    let found: Vec<Row> = described(session, cql, keyspace).await?;
    let mut tables: HashMap<String, Vec<Column>> = HashMap::new();
    for (table, name, cql_type, kind, position, order) in found {
        tables.entry(table).or_default().push(Column {
            name,
            cql_type,
            kind,
            position,
            order,
        });
    }
    Ok(tables)
}

/// After how many seconds what is written to each table of a keyspace goes by itself; 0 is never.
async fn lives(session: &Session, keyspace: &str) -> Result<HashMap<String, i32>, SchemaError> {
    let cql =
        "SELECT table_name, default_time_to_live FROM system_schema.tables WHERE keyspace_name = ?";
    let found: Vec<(String, i32)> = described(session, cql, keyspace).await?;
    Ok(found.into_iter().collect())
}

/// What Cassandra's own tables say about a keyspace.
async fn described<R>(session: &Session, cql: &str, keyspace: &str) -> Result<Vec<R>, SchemaError>
where
    R: for<'f> DeserializeRow<'f, 'f>,
{
    let result = session.query_unpaged(cql, (keyspace,)).await?;
    let read = || -> Result<Vec<R>, Cause> {
        let rows = result.into_rows_result()?;
        let rows = rows.rows::<R>()?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    read().map_err(SchemaError::Undescribed)
}
