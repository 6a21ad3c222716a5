//! `orp admin tree`.

use proto::v1::{GetTreeResponse, TreeNode};

use super::age;

pub(super) fn say(tree: &GetTreeResponse, json: bool) {
    if json {
        tree.nodes
            .iter()
            .for_each(|line| println!("{}", as_json(&tree.node, line)));
        return;
    }
    println!("{}", tree.node);
    println!(
        "{:44} {:12} {:9} {:10} {:>8}  {:20} {:>8} {:>10} {:>7}",
        "NAME",
        "STRATEGY",
        "RESTART",
        "STATE",
        "RESTARTS",
        "IN PERIOD",
        "AGE",
        "MAILBOX_MS",
        "WAITING"
    );
    tree.nodes.iter().for_each(|line| println!("{}", row(line)));
}

fn row(line: &TreeNode) -> String {
    let dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    let indent = "  ".repeat(usize::try_from(line.depth).unwrap_or(0).min(DEPTH_MAX));
    let name = if line.stands_for > 0 {
        format!("{indent}{} {}", line.stands_for, line.name)
    } else {
        format!("{indent}{}", line.name)
    };
    let period = if line.restarts_period_ms == 0 {
        String::new()
    } else {
        format!(
            "{} of {}/{} s, {} ever",
            line.restarts_recent,
            line.restarts_max,
            line.restarts_period_ms / 1_000,
            line.restarts_below
        )
    };
    let mut mailbox = line.mailbox_us.map_or_else(|| "-".to_owned(), millis);
    if line.silent {
        mailbox = format!(">{mailbox}");
    }
    let waiting = line
        .waiting
        .map_or_else(|| "-".to_owned(), |n| n.to_string());
    let probed = if line.stands_for > 0 {
        format!("  worst of {} probed, sum", line.probed)
    } else {
        String::new()
    };
    format!(
        "{name:44} {:12} {:9} {:10} {:>8}  {period:20} {:>8} {mailbox:>10} {waiting:>7}{probed}",
        dash(&line.strategy),
        dash(&line.restart),
        dash(&line.state),
        line.restarts,
        line.age_ms.map_or_else(|| "-".to_owned(), age),
    )
}

/// Microseconds as milliseconds with two digits.
fn millis(micros: u64) -> String {
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}

fn as_json(node: &str, line: &TreeNode) -> serde_json::Value {
    serde_json::json!({
        "node": node, "name": line.name, "kind": line.kind, "depth": line.depth, "state": line.state,
        "strategy": line.strategy, "restart": line.restart, "restarts": line.restarts,
        "restarts_recent": line.restarts_recent, "restarts_max": line.restarts_max,
        "restarts_period_ms": line.restarts_period_ms, "restarts_below": line.restarts_below,
        "age_ms": line.age_ms, "mailbox_us": line.mailbox_us, "silent": line.silent, "waiting": line.waiting,
        "stands_for": line.stands_for, "probed": line.probed,
    })
}

/// A tree as deep as this is not a tree.
const DEPTH_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_known_and_no_more() {
        let log = TreeNode {
            name: "log".into(),
            state: "running".into(),
            restart: "permanent".into(),
            depth: 2,
            age_ms: Some(61_000),
            mailbox_us: Some(1_234),
            waiting: Some(3),
            ..TreeNode::default()
        };
        let words = |line: &TreeNode| -> Vec<String> {
            row(line).split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(
            words(&log),
            [
                "log",
                "-",
                "permanent",
                "running",
                "0",
                "1m",
                "01s",
                "1.23",
                "3"
            ]
        );
        let silent = TreeNode {
            silent: true,
            waiting: None,
            ..log.clone()
        };
        assert_eq!(words(&silent)[7..], [">1.23", "-"]);
        let sum = TreeNode {
            name: "children".into(),
            stands_for: 300,
            probed: 256,
            ..log
        };
        assert_eq!(words(&sum)[..2], ["300", "children"]);
        assert!(row(&sum).ends_with("worst of 256 probed, sum"));
    }
}
