//! `orp admin`.

use std::process::ExitCode;

use clap::Subcommand;

use super::connect::ServerArgs;
use crate::client::{Address, Operator};

/// Talks to the ops address of a node. No command shows a card of a hand that is being played.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp admin totals
  orp admin table list --parked
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
    Tree,
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
    let operator = Operator::new(
        ServerArgs {
            server: vec![args.ops],
        }
        .link()?,
    );
    match args.command {
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
        AdminCommand::Tree => {
            for node in operator.tree().await? {
                let indent = "  ".repeat(usize::try_from(node.depth).unwrap_or(0).min(DEPTH_MAX));
                println!(
                    "{indent}{} ({}) {}, {} restarts",
                    node.name, node.kind, node.state, node.restarts
                );
            }
        }
    }
    Ok(ExitCode::SUCCESS)
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
