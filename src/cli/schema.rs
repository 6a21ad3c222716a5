//! `orp admin schema`: the keyspace and the tables on Cassandra.

use std::path::PathBuf;

use crate::config::Config;
use crate::telemetry;
use crate::tree::stores::{self, Replication};

#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  orp admin schema create --config config/cluster.yaml --replication dc1=3
  orp admin schema check --config config/cluster.yaml")]
pub(super) enum SchemaCommand {
    /// Make what is missing of the keyspace and its tables; change nothing that is there.
    Create {
        /// The configuration of the servers.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Copies in each data centre, for a keyspace that is not there yet; three survive the loss of one.
        #[arg(long, value_name = "DATA_CENTRE=COPIES[,…]")]
        replication: Option<Replication>,
    },
    /// Check all that a server checks before it starts.
    Check {
        /// The configuration of the servers.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

pub(super) async fn run(command: SchemaCommand) -> anyhow::Result<()> {
    match command {
        SchemaCommand::Create {
            config,
            replication,
        } => {
            let config = Config::load(Some(&config))?;
            telemetry::init(&config.log)?;
            let made = stores::create_schema(&config, replication.as_ref()).await?;
            let keyspace = &config.cassandra.keyspace;
            if made.keyspace {
                println!("made keyspace {keyspace}");
            }
            for table in &made.tables {
                println!("made table {table}");
            }
            for column in &made.columns {
                println!("added column {column}");
            }
            println!("keyspace {keyspace} is as it should be");
        }
        SchemaCommand::Check { config } => {
            let config = Config::load(Some(&config))?;
            telemetry::init(&config.log)?;
            stores::check_schema(&config).await?;
            println!("keyspace {} is as it should be", config.cassandra.keyspace);
        }
    }
    Ok(())
}
