//! A network of its own for each node: what is cut off hears nothing, and nobody tells it so.
//!
//! `tests/cassandra/run --apart` makes a namespace with a bridge, and one beside it for each database node; these are for our
//! nodes. Packets to a neighbour vanish when its hardware address is one that nobody has: silently, each way by itself.

use std::process::Command;

/// The namespaces of our nodes, beside those of the database. They end with this.
pub struct Wires {
    /// The namespace with the bridge, in which the tests run.
    hub: String,
    ends: Vec<String>,
}

impl Wires {
    /// If the script that started the database made networks.
    pub fn find() -> Option<Self> {
        let hub = std::env::var("CASSANDRA_HUB").ok()?;
        let ends = Vec::new();
        Some(Self { hub, ends })
    }

    /// A namespace with this address, a cable into the bridge.
    pub fn plug(&mut self, address: &str) {
        let n = self.ends.len();
        let (name, cable) = (format!("{}-node-{n}", self.hub), format!("node{n}"));
        // What an earlier run left that was killed.
        drop(Command::new("ip").args(["netns", "del", &name]).output());
        ip(&["netns", "add", &name]);
        self.ends.push(name.clone());
        ip(&[
            "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &name,
        ]);
        ip(&["link", "set", &cable, "master", "bridge", "up"]);
        ip(&["-n", &name, "link", "set", "lo", "up"]);
        ip(&[
            "-n",
            &name,
            "addr",
            "add",
            &format!("{address}/24"),
            "dev",
            "eth0",
        ]);
        ip(&["-n", &name, "link", "set", "eth0", "up"]);
    }

    /// A command that runs in the namespace of this node.
    pub fn inside(&self, n: usize, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.ends[n]))
            .arg(program);
        command
    }

    /// The namespace of one of our nodes, of a database node, or the one of the tests.
    fn namespace(&self, end: End) -> Option<String> {
        match end {
            End::Node(n) => Some(self.ends[n].clone()),
            End::Database(n) => Some(format!("{}-{n}", self.hub)),
            End::Tests => None,
        }
    }

    /// What the first sends to this address vanishes from now on.
    pub fn cut(&self, from: End, to: &str) {
        self.neighbour(from, &["replace", to, "lladdr", NOBODY, "nud", "permanent"]);
    }

    /// It arrives again.
    pub fn mend(&self, from: End, to: &str) {
        self.neighbour(from, &["del", to]);
    }

    fn neighbour(&self, from: End, what: &[&str]) {
        let namespace = self.namespace(from);
        let mut arguments = Vec::new();
        let device = match &namespace {
            Some(name) => {
                arguments.extend(["-n", name.as_str()]);
                "eth0"
            }
            None => "bridge",
        };
        arguments.push("neigh");
        arguments.extend(what);
        arguments.extend(["dev", device]);
        ip(&arguments);
    }

    /// Connections that players have open to a node, as `ss` tells of them.
    pub fn players(&self, n: usize, port: u16) -> Vec<String> {
        let mut command = self.inside(n, "ss");
        let filter = format!("sport = :{port}");
        let output = command
            .args([
                "-H",
                "-t",
                "-n",
                "-o",
                "-i",
                "-O",
                "state",
                "established",
                &filter,
            ])
            .output()
            .expect("ss is there, beside ip");
        let lines = String::from_utf8_lossy(&output.stdout);
        lines.lines().map(str::to_owned).collect()
    }
}

/// One end of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// One of our nodes, from 0.
    Node(usize),
    /// A node of the database, from 1.
    Database(usize),
    /// The tests, and so the players.
    Tests,
}

impl Drop for Wires {
    fn drop(&mut self) {
        for name in &self.ends {
            drop(Command::new("ip").args(["netns", "del", name]).output());
        }
    }
}

fn ip(arguments: &[&str]) {
    let done = Command::new("ip").args(arguments).output();
    let done = done.expect("ip is there: the script used it");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "ip {arguments:?}: {said}");
}

/// A hardware address that nobody has.
const NOBODY: &str = "02:00:00:00:00:01";
