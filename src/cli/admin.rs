//! `orp admin`.

use std::{path::PathBuf, process::ExitCode};

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
  orp admin certs certs node-0 node-1 node-2
  orp admin table list --parked
  orp admin verify --config FILE
  orp admin backup orp-monday.backup --config FILE
  orp admin table void TABLE 17 --reason 'ann: dealt twice, ticket 4711'")]
pub struct AdminArgs {
    /// The node's ops address.
    #[arg(
        long,
        value_name = "ADDR",
        global = true,
        default_value = "http://127.0.0.1:50052"
    )]
    ops: Address,
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
    /// The supervision tree.
    Tree {
        /// Again every second.
        #[arg(long)]
        watch: bool,
    },
    /// The nodes of the cluster.
    Nodes {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Again every second.
        #[arg(long)]
        watch: bool,
    },
    /// The shards of the cluster, and who serves them.
    Shards {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Again every second.
        #[arg(long)]
        watch: bool,
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

#[derive(Debug, Subcommand)]
enum AdminTable {
    /// List tables.
    List {
        /// Only those that are parked.
        #[arg(long)]
        parked: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
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
    let operator = Operator::new(
        ServerArgs {
            server: vec![args.ops],
        }
        .link()?,
    );
    match args.command {
        AdminCommand::Schema { command } => schema::run(command).await?,
        AdminCommand::Table {
            command: AdminTable::List { parked, json },
        } => list(&operator, parked, json).await?,
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
        AdminCommand::Tree { watch } => again(watch, || tree(&operator)).await?,
        AdminCommand::Nodes { json, watch } => again(watch, || nodes(&operator, json)).await?,
        AdminCommand::Shards { json, watch } => again(watch, || shards(&operator, json)).await?,
        AdminCommand::Drain => match operator.drain().await? {
            0 => println!("drained: the other nodes serve all tables"),
            left => anyhow::bail!("{left} shards are still here: no other node took them"),
        },
        AdminCommand::Keep(command) => return keep::run(command).await,
        AdminCommand::Certs { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Once, or every second until it is interrupted.
async fn again<F: Future<Output = anyhow::Result<()>>>(
    watch: bool,
    show: impl Fn() -> F,
) -> anyhow::Result<()> {
    if !watch {
        return show().await;
    }
    loop {
        // Up to the left corner, and clear.
        print!("\x1b[H\x1b[2J");
        show().await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

async fn tree(operator: &Operator) -> anyhow::Result<()> {
    for node in operator.tree().await? {
        let indent = "  ".repeat(usize::try_from(node.depth).unwrap_or(0).min(DEPTH_MAX));
        println!(
            "{indent}{} ({}) {}, {} restarts",
            node.name, node.kind, node.state, node.restarts
        );
    }
    Ok(())
}

async fn nodes(operator: &Operator, json: bool) -> anyhow::Result<()> {
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
    Ok(())
}

async fn shards(operator: &Operator, json: bool) -> anyhow::Result<()> {
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
    Ok(())
}

async fn list(operator: &Operator, parked: bool, json: bool) -> anyhow::Result<()> {
    let mut token = String::new();
    loop {
        let page = operator.tables(&token, parked).await?;
        for table in page.tables {
            if json {
                let line = serde_json::json!({
                    "table_id": table.table_id, "name": table.name, "shard": table.shard, "epoch": table.epoch,
                    "sequence": table.sequence, "hand": table.hand, "hand_running": table.hand_running,
                    "players": table.players, "state": table.state, "reason": table.reason, "restarts": table.restarts,
                });
                println!("{line}");
                continue;
            }
            let hand = if table.hand_running {
                "running"
            } else {
                "over"
            };
            let reason = if table.reason.is_empty() {
                String::new()
            } else {
                format!(": {}", table.reason)
            };
            println!(
                "{}  {:8}  shard {:4}  epoch {:4}  event {:8}  hand {} {hand}  {} players  {} restarts  {}{reason}",
                table.table_id,
                table.state,
                table.shard,
                table.epoch,
                table.sequence,
                table.hand,
                table.players,
                table.restarts,
                table.name,
            );
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        token = page.next_page_token;
    }
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

/// A tree as deep as this is not a tree.
const DEPTH_MAX: usize = 16;
