//! `orp admin`.

mod tables;
mod tree;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Subcommand;

use super::connect::ServerArgs;
use super::keep::{self, KeepCommand};
use super::schema::{self, SchemaCommand};
use crate::client::{Address, Operator};

/// Talks to the ops address of a node. No command shows a card of a hand that is being played.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp admin totals
  orp admin nodes --watch
  orp admin tree node-1 --shard 17 --watch=5
  orp admin certs certs node-0 node-1 node-2
  orp admin table list --state parked
  orp admin table list --node node-1 --shard 17 --json
  orp admin verify --config FILE
  orp admin backup orp-monday.backup --config FILE
  orp admin table void TABLE 17 --reason 'ann: dealt twice, ticket 4711'")]
pub struct AdminArgs {
    /// The ops address of a node, host:port; several of one cluster with commas or by repeating it.
    #[arg(
        long,
        value_name = "ADDR",
        global = true,
        value_delimiter = ',',
        default_value = "http://127.0.0.1:50052"
    )]
    ops: Vec<Address>,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Tables, above all those that wait for an operator.
    Table {
        #[command(subcommand)]
        command: AdminTable,
    },
    /// Counts of the whole node, its chips included.
    Totals {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// The supervision tree of a node: who is up, since when, how often it was restarted, and how long a message waits at it.
    #[command(after_help = "\
RESTARTS is how often the line's actor was restarted; IN PERIOD how many restarts below it count towards what its strategy
allows before it gives up. MAILBOX_MS is measured now: so long a small message waited in the mailbox; `>` in front says that
it was not taken in yet. WAITING is what was taken in and is not finished: proposals at a log, requests at a table. Tables are
summed up where there are many, and shards too; --shard shows one in full.

Examples:
  orp admin tree
  orp admin tree node-1 --shard 17 --watch=5
  orp admin tree --json")]
    Tree {
        /// The node; without it the one that is asked.
        #[arg(value_name = "NODE")]
        node: Option<String>,
        /// Show the tables of this shard.
        #[arg(long, value_name = "NUMBER")]
        shard: Option<u16>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        watch: Watch,
    },
    /// The nodes of the cluster.
    Nodes {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        watch: Watch,
    },
    /// The shards of the cluster, and who serves them.
    Shards {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        watch: Watch,
    },
    /// Give all shards of this node to the others, in mid-hand. It serves on as their door.
    Drain,
    /// Make certificates and a cookie for the nodes of a cluster, for development.
    Certs {
        /// Where they go; made if it is not there. Files that are there stay.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// The nodes that get one.
        #[arg(value_name = "NODE", required = true)]
        nodes: Vec<String>,
    },
    /// The tables on Cassandra. Talks to Cassandra, not to a node.
    Schema {
        #[command(subcommand)]
        command: SchemaCommand,
    },
    #[command(flatten)]
    Keep(KeepCommand),
}

#[derive(Debug, clap::Args)]
struct Watch {
    /// Again every second, or every so many seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = clap::value_parser!(u64).range(1..=3_600)
    )]
    watch: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum AdminTable {
    /// List the tables of the whole cluster, by shard and id.
    #[command(after_help = "\
Exit codes: 0 all are listed; 3 some are missing, because a node did not answer: it is named on standard error.")]
    List {
        #[command(flatten)]
        filter: tables::Filter,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        watch: Watch,
    },
    /// Start a parked table again.
    Resume {
        /// The table's id.
        table: String,
    },
    /// Void the hand of a parked table: stacks as at its start. Goes into the log.
    Void {
        /// The table's id.
        table: String,
        /// The hand's number.
        hand: u64,
        /// Who does it, and why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(super) async fn run(args: AdminArgs) -> anyhow::Result<ExitCode> {
    if let AdminCommand::Certs { folder, nodes } = &args.command {
        super::certs::make(folder, nodes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let operator = Operator::new(ServerArgs { server: args.ops }.link()?);
    match args.command {
        AdminCommand::Schema { command } => schema::run(command).await?,
        AdminCommand::Table {
            command:
                AdminTable::List {
                    filter,
                    json,
                    watch,
                },
        } => {
            let show = || tables::list(&operator, &filter, json);
            return again(&watch, json, show).await;
        }
        AdminCommand::Table {
            command: AdminTable::Resume { table },
        } => {
            operator.resume(&table).await?;
            println!("table {table} is resumed");
        }
        AdminCommand::Table {
            command:
                AdminTable::Void {
                    table,
                    hand,
                    reason,
                },
        } => {
            operator.void(&table, hand, &reason).await?;
            println!("hand {hand} of table {table} is void: the stacks are as at its start");
        }
        AdminCommand::Totals { json } => totals(&operator, json).await?,
        AdminCommand::Tree {
            node,
            shard,
            json,
            watch,
        } => {
            let (node, shard) = (node.unwrap_or_default(), shard.map(u32::from));
            let show = async || {
                tree::say(&operator.tree(&node, shard).await?, json);
                Ok(ExitCode::SUCCESS)
            };
            return again(&watch, json, show).await;
        }
        AdminCommand::Nodes { json, watch } => {
            return again(&watch, json, || nodes(&operator, json)).await;
        }
        AdminCommand::Shards { json, watch } => {
            return again(&watch, json, || shards(&operator, json)).await;
        }
        AdminCommand::Drain => match operator.drain().await? {
            0 => println!("drained: the other nodes serve all tables"),
            left => anyhow::bail!("{left} shards are still here: no other node took them"),
        },
        AdminCommand::Keep(command) => return keep::run(command).await,
        AdminCommand::Certs { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Once, or again and again until it is interrupted. A node that is killed while somebody looks ends the picture, not the
/// looking.
async fn again(
    watch: &Watch,
    json: bool,
    show: impl AsyncFn() -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let Some(seconds) = watch.watch else {
        return show().await;
    };
    loop {
        if !json {
            // Up to the left corner, and clear.
            print!("\x1b[H\x1b[2J");
        }
        if let Err(error) = show().await {
            eprintln!("orp: {error:#}");
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// Milliseconds as a person says them.
fn age(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}.{}s", ms % 1_000 / 100),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        (_, _, _) => format!("{days}d {:02}h", hours % 24),
    }
}

async fn nodes(operator: &Operator, json: bool) -> anyhow::Result<ExitCode> {
    for node in operator.cluster().await?.nodes {
        if json {
            let line = serde_json::json!({
                "name": node.name, "incarnation": node.incarnation, "shards": node.shards,
                "draining": node.draining, "nodes": node.nodes_address, "players": node.players_address,
                "operators": node.operators_address, "answers": node.answers,
            });
            println!("{line}");
            continue;
        }
        let state = match (node.answers, node.draining) {
            (_, true) => "draining",
            (true, false) => "answers",
            (false, false) => "linked",
        };
        println!(
            "{:20}  {state:8}  {:4} shards  nodes {}  players {}  operators {}",
            node.name,
            node.shards,
            node.nodes_address,
            node.players_address,
            node.operators_address
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn shards(operator: &Operator, json: bool) -> anyhow::Result<ExitCode> {
    for shard in operator.cluster().await?.shards {
        if json {
            let line = serde_json::json!({
                "shard": shard.shard, "node": shard.node, "epoch": shard.epoch,
            });
            println!("{line}");
        } else if shard.node.is_empty() {
            println!("{:5}  nobody", shard.shard);
        } else {
            println!("{:5}  epoch {:6}  {}", shard.shard, shard.epoch, shard.node);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn totals(operator: &Operator, json: bool) -> anyhow::Result<()> {
    let totals = operator.totals().await?;
    let lines = [
        ("tables", totals.tables),
        ("live", totals.live),
        ("asleep", totals.asleep),
        ("parked", totals.parked),
        ("chips_in", totals.chips_in),
        ("chips_out", totals.chips_out),
        ("on_tables", totals.on_tables),
        ("rake", totals.rake),
        ("actions", totals.actions),
        ("hands", totals.hands),
        ("commits", totals.commits),
    ];
    if json {
        let object: serde_json::Map<String, serde_json::Value> = lines
            .into_iter()
            .map(|(name, count)| (name.into(), count.into()))
            .collect();
        println!("{}", serde_json::Value::Object(object));
        return Ok(());
    }
    for (name, count) in lines {
        println!("{name:10} {count}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_short() {
        let check = |ms, text: &str| assert_eq!(age(ms), text, "{ms}");
        check(0, "0.0s");
        check(59_999, "59.9s");
        check(61_000, "1m 01s");
        check(3_600_000 * 5 + 61_000, "5h 01m");
        check(86_400_000 * 3 + 3_600_000, "3d 01h");
    }
}
