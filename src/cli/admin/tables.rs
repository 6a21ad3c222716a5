//! `orp admin table list`: of the whole cluster, page by page.

use std::{collections::BTreeMap, process::ExitCode};

use proto::v1::{AdminTable, ListAdminTablesRequest, MissingShards};

use super::age;
use crate::{cli::exit, client::Operator};

/// Which tables.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Only those that this node serves.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Only those of this shard.
    #[arg(long, value_name = "NUMBER")]
    shard: Option<u16>,
    /// Only those that are awake, asleep or parked.
    #[arg(long, conflicts_with = "parked", value_parser = ["awake", "asleep", PARKED])]
    state: Option<String>,
    /// Only those that are parked: the same as `--state parked`.
    #[arg(long)]
    parked: bool,
}

/// Says each page as it comes; then, on standard error, what is missing.
pub(super) async fn list(
    operator: &Operator,
    filter: &Filter,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let parked = || filter.parked.then(|| PARKED.to_owned());
    let mut ask = ListAdminTablesRequest {
        page_size: PAGE,
        node: filter.node.clone().unwrap_or_default(),
        shard: filter.shard.map(u32::from),
        state: filter.state.clone().or_else(parked).unwrap_or_default(),
        ..ListAdminTablesRequest::default()
    };
    let mut missing = BTreeMap::<(String, String), Vec<u32>>::new();
    loop {
        let page = operator.tables(ask.clone()).await?;
        for table in &page.tables {
            if json {
                println!("{}", as_json(table));
            } else {
                println!("{}", row(table));
            }
        }
        for MissingShards {
            node,
            shards,
            reason,
        } in page.missing
        {
            missing.entry((node, reason)).or_default().extend(shards);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        ask.page_token = page.next_page_token;
    }
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for ((node, reason), shards) in missing {
        eprintln!("{}", lack(&node, &reason, &shards));
    }
    Ok(ExitCode::from(exit::UNREACHABLE))
}

fn lack(node: &str, reason: &str, shards: &[u32]) -> String {
    let listed: Vec<String> = shards
        .iter()
        .take(SHARDS_SAID)
        .map(u32::to_string)
        .collect();
    let more = if shards.len() > SHARDS_SAID {
        ", …"
    } else {
        ""
    };
    let whose = match node {
        "" => "of no node".to_owned(),
        node => format!("of node {node}"),
    };
    format!(
        "MISSING: the tables of {} shards {whose} ({}{more}): {reason}",
        shards.len(),
        listed.join(", ")
    )
}

fn row(table: &AdminTable) -> String {
    let hand = if table.hand_running {
        "running"
    } else {
        "over"
    };
    let reason = match table.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!(
        "{}  {:6}  {:12}  shard {:4}  epoch {:4}  event {:8}, {:>8} ago  hand {} {hand}  {}/{} seats  {} restarts  {}{reason}",
        table.table_id,
        table.state,
        table.node,
        table.shard,
        table.epoch,
        table.sequence,
        table.age_ms.map_or_else(|| "?".to_owned(), age),
        table.hand,
        table.players,
        table.seats,
        table.restarts,
        table.name,
    )
}

fn as_json(table: &AdminTable) -> serde_json::Value {
    serde_json::json!({
        "table_id": table.table_id, "name": table.name, "node": table.node, "shard": table.shard, "epoch": table.epoch,
        "sequence": table.sequence, "age_ms": table.age_ms, "hand": table.hand, "hand_running": table.hand_running,
        "players": table.players, "seats": table.seats, "state": table.state, "reason": table.reason,
        "restarts": table.restarts,
    })
}

const PARKED: &str = "parked";
/// The most that a server sends at a time.
const PAGE: u32 = 1_000;
/// Numbers of missing shards that are said.
const SHARDS_SAID: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let many: Vec<u32> = (0..85).collect();
        assert_eq!(
            lack("node-2", "it did not answer in time", &many),
            "MISSING: the tables of 85 shards of node node-2 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …): it did not answer in time"
        );
        assert_eq!(
            lack("", "nobody serves them now", &[7]),
            "MISSING: the tables of 1 shards of no node (7): nobody serves them now"
        );
    }
}
