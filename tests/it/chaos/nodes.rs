//! The database's nodes as processes: frozen, killed, started again.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Freeze,
    Thaw,
    Kill,
    /// Starts it on its data, and waits until it answers.
    Restart,
}

/// Does it to the node of this number, from 1.
pub async fn to_node(node: usize, deed: Deed) {
    let verb = match deed {
        Deed::Freeze => "freeze",
        Deed::Thaw => "thaw",
        Deed::Kill => "kill",
        Deed::Restart => "restart",
    };
    script(&[verb, &node.to_string()]).await;
}

/// Runs the script that started the nodes; it knows by its environment which ones are meant.
pub async fn script(arguments: &[&str]) {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassandra/run");
    let done = Command::new(at)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the script is there");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {said}");
}
