//! Our nodes, in processes of their own, and what they say.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use openrustpoker::client::Address;
use openrustpoker::ids::{ShardCount, ShardId, TableId};
use serde_json::Value;
use tempfile::TempDir;

use super::wires::{End, Wires};
use crate::cassandra::{fresh_keyspace, hosts};
use crate::chaos::{Proxies, named};
use crate::recovery::number;

/// The cluster under test: places for nodes, of which the first ones are taken at the beginning.
pub struct Cluster {
    nodes: Vec<Node>,
    shards: ShardCount,
    /// Before the database, if statements are to be cut.
    pub proxies: Option<Proxies>,
    /// If each node has a network of its own.
    pub wires: Option<Wires>,
    net: String,
    folder: TempDir,
}

/// One node: a process, or the place where one was.
pub struct Node {
    pub name: String,
    pub host: String,
    /// Where operators connect: only from the same machine, and a network of its own is one.
    ops: String,
    config: PathBuf,
    log: PathBuf,
    process: Option<Child>,
    sabotage: Option<String>,
    /// A library that moves its clock, and the file that says how far.
    clock: Option<(PathBuf, PathBuf)>,
    program: PathBuf,
}

/// Chips over all nodes, as they say it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub tables: u64,
    pub parked: u64,
    pub chips_in: u64,
    pub chips_out: u64,
    pub on_tables: u64,
    pub rake: u64,
}

impl Cluster {
    /// Makes a keyspace, certificates and configurations, and starts so many nodes side by side.
    pub async fn start(count: usize, proxies: Option<Proxies>) -> Self {
        Self::start_as(count, proxies, &program()).await
    }

    /// The same with nodes of this release.
    pub async fn start_as(count: usize, proxies: Option<Proxies>, release: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut wires = Wires::find();
        let names: Vec<String> = (0..PLACES).map(|n| format!("node-{n}")).collect();
        let certs = folder.path().join("certs");
        let mut make = orp();
        make.args(["admin", "certs"]).arg(&certs).args(&names);
        assert!(
            make.output().expect("it runs").status.success(),
            "no certificates"
        );
        let keyspace = fresh_keyspace().await;
        std::fs::write(
            folder.path().join("deck.key"),
            format!("1:{}\n", "5a".repeat(32)),
        )
        .expect("the folder can be written");
        let shards = u16::try_from(number("SHARDS", 24)).expect("so many");
        // The script that started the database has claimed this net.
        let first = hosts().remove(0);
        let (net, _) = first.rsplit_once('.').expect("an address");
        let host = |n: usize| format!("{net}.{}", FIRST_HOST + n);
        let apart = wires.is_some();
        let ops = |n: usize| {
            if apart {
                "127.0.0.1".to_owned()
            } else {
                host(n)
            }
        };
        let database = if proxies.is_some() { named() } else { hosts() };
        let mut nodes = Vec::new();
        for (n, name) in names.iter().enumerate() {
            if let Some(wires) = &mut wires {
                wires.plug(&host(n));
            }
            let seeds: Vec<String> = (0..PLACES)
                .map(|n| format!("\"{}:{LINKS}\"", host(n)))
                .collect();
            let text = configuration(
                (&host(n), &ops(n)),
                name,
                &seeds,
                &database,
                &keyspace,
                shards,
            );
            let file = |end: &str| folder.path().join(format!("{name}.{end}"));
            std::fs::write(file("yaml"), text).expect("the folder can be written");
            nodes.push(Node {
                name: name.clone(),
                host: host(n),
                ops: ops(n),
                config: file("yaml"),
                log: std::env::var_os("LOGS").map_or_else(
                    || file("log"),
                    |folder| PathBuf::from(folder).join(format!("{name}.log")),
                ),
                process: None,
                sabotage: None,
                clock: None,
                program: release.into(),
            });
        }
        let mut cluster = Self {
            nodes,
            shards: ShardCount::new(shards).expect("not zero"),
            proxies,
            wires,
            net: net.to_owned(),
            folder,
        };
        (0..count).for_each(|n| cluster.begin(n));
        cluster.is_whole().await;
        // Once each, and some of them again to share them fairly: nodes that fight over shards win epochs without end.
        let epochs: u64 = cluster.shards().await.iter().map(|(_, epoch)| epoch).sum();
        let most = 3 * u64::from(shards);
        assert!(
            epochs <= most,
            "{epochs} epochs at the start\n{}",
            cluster.tails()
        );
        cluster
    }

    /// Starts a node; returns when its ports are open.
    pub fn begin(&mut self, n: usize) {
        let program = self.nodes[n].program.clone();
        let mut command = match &self.wires {
            Some(wires) => wires.inside(n, program.to_str().expect("a path of this machine")),
            None => Command::new(program),
        };
        command.current_dir(self.folder.path());
        let node = &mut self.nodes[n];
        tokio::task::block_in_place(|| node.begin(command));
    }

    /// kill -9, and start again.
    pub async fn restart(&mut self, n: usize) {
        self.nodes[n].kill();
        self.begin(n);
        self.is_whole().await;
    }

    /// Where players connect: the nodes of the beginning.
    pub fn addresses(&self) -> Vec<Address> {
        let nodes = self.nodes.iter().take(super::NODES);
        let at = |node: &Node| format!("{}:{PLAYERS}", node.host).parse();
        nodes.map(at).collect::<Result<_, _>>().expect("addresses")
    }

    pub fn node(&mut self, n: usize) -> &mut Node {
        &mut self.nodes[n]
    }

    /// What these nodes are called.
    pub fn names(&self, nodes: &[usize]) -> Vec<String> {
        nodes.iter().map(|n| self.nodes[*n].name.clone()).collect()
    }

    /// Which nodes run.
    pub fn running(&self) -> Vec<usize> {
        let runs = |n: &usize| self.nodes[*n].process.is_some();
        (0..self.nodes.len()).filter(runs).collect()
    }

    /// Which node serves each shard and in which epoch, as the first node says that answers.
    pub async fn shards(&self) -> Vec<(String, u64)> {
        for n in self.running() {
            if let Some(shards) = self.ask(n, "shards").await {
                let owner = |shard: &Value| (text(shard, "node"), count(shard, "epoch"));
                return shards.iter().map(owner).collect();
            }
        }
        panic!("no node answers\n{}", self.tails());
    }

    /// What `orp admin` says of a node, line by line; nothing if it does not answer.
    async fn ask(&self, n: usize, what: &str) -> Option<Vec<Value>> {
        let output = self.admin(n, &[what, "--json"]).await?;
        output.status.success().then_some(())?;
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let read = |line: &str| serde_json::from_str(line).expect("it prints objects");
        Some(lines.lines().map(read).collect())
    }

    /// Runs `orp admin` beside a node; nothing if it does not end in time.
    pub async fn admin(&self, n: usize, words: &[&str]) -> Option<Output> {
        let program = program();
        let mut command = match &self.wires {
            Some(wires) => wires.inside(n, program.to_str().expect("a path of this machine")),
            None => Command::new(program),
        };
        let host = &self.nodes[n].ops;
        command.args(["admin", "--ops", &format!("{host}:50052")]);
        command.args(words);
        let mut command = tokio::process::Command::from(command);
        let output = command.kill_on_drop(true).output();
        let output = tokio::time::timeout(ANSWER_MAX, output).await.ok()?;
        Some(output.expect("it runs"))
    }

    /// Where an end of a cable is.
    pub fn address_of(&self, end: End) -> String {
        match end {
            End::Node(n) => self.nodes[n].host.clone(),
            End::Database(n) => format!("{}.{n}", self.net),
            End::Tests => format!("{}.{TESTS_HOST}", self.net),
        }
    }

    /// The names of the nodes that a node sees, itself included.
    pub async fn seen_by(&self, n: usize) -> Vec<String> {
        let nodes = self.ask(n, "nodes").await.expect("it answers");
        let mut names: Vec<String> = nodes.iter().map(|node| text(node, "name")).collect();
        names.sort_unstable();
        names
    }

    /// Where its certificates and its cookie are.
    pub fn certificates(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    /// Which starts of the nodes this node sees, by their names.
    pub async fn incarnations(&self, n: usize) -> Vec<u64> {
        let nodes = self.ask(n, "nodes").await.expect("it answers");
        let lives = nodes
            .iter()
            .map(|node| (text(node, "name"), count(node, "incarnation")));
        let lives: BTreeMap<String, u64> = lives.collect();
        lives.into_values().collect()
    }

    /// Certificates of another authority, and another cookie, beside those of the cluster.
    pub fn make_foreign(&self) {
        let mut make = orp();
        make.current_dir(self.folder.path())
            .args(["admin", "certs", "foreign"]);
        make.args(self.nodes.iter().map(|node| &node.name));
        assert!(
            make.output().expect("it runs").status.success(),
            "no certificates"
        );
    }

    /// The shard of a table.
    pub fn shard_of(&self, table: &str) -> usize {
        let table: TableId = table.parse().expect("the bots know ids of tables");
        usize::from(ShardId::of(table, self.shards).0)
    }

    /// Returns when every node that runs sees all others and every shard served, and shards are spread evenly.
    pub async fn is_whole(&self) {
        let until = tokio::time::Instant::now() + WHOLE_MAX;
        for n in self.running() {
            while !self.is_whole_at(n).await {
                if tokio::time::Instant::now() > until {
                    let (nodes, name) = (self.ask(n, "nodes").await, &self.nodes[n].name);
                    panic!("{name} is not whole: {nodes:?}\n{}", self.tails());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn is_whole_at(&self, n: usize) -> bool {
        let running = self.running().len();
        let (nodes, shards) = tokio::join!(self.ask(n, "nodes"), self.ask(n, "shards"));
        let (Some(nodes), Some(shards)) = (nodes, shards) else {
            return false;
        };
        // Half of a fair share: enough to be hit by the next fault. The rest moves meanwhile.
        let enough = u64::from(self.shards.value()) / running as u64 / 2;
        nodes.len() == running
            && shards.iter().all(|shard| !text(shard, "node").is_empty())
            && nodes.iter().all(|node| count(node, "shards") >= enough)
    }

    /// The sums over all nodes.
    pub async fn totals(&self) -> Totals {
        let mut sums = Totals::default();
        for n in self.running() {
            let totals = self.ask(n, "totals").await.expect("it answers").remove(0);
            sums.tables += count(&totals, "tables");
            sums.parked += count(&totals, "parked");
            sums.chips_in += count(&totals, "chips_in");
            sums.chips_out += count(&totals, "chips_out");
            sums.on_tables += count(&totals, "on_tables");
            sums.rake += count(&totals, "rake");
        }
        sums
    }

    /// What is wrong with the logs: chains, gaps, snapshots of owners against the fold, chips.
    pub async fn verify(&self) -> Vec<String> {
        let mut command = orp();
        command.current_dir(self.folder.path());
        command
            .args(["admin", "verify", "--config"])
            .arg(&self.nodes[0].config);
        let checked = tokio::task::block_in_place(|| command.output()).expect("it runs");
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        println!("logs: {}", said.lines().last().unwrap_or_default());
        if checked.status.success() {
            return Vec::new();
        }
        let wrong = said
            .lines()
            .filter(|line| line.starts_with("WRONG") || line.starts_with("UNREAD"));
        let wrong: Vec<String> = wrong.map(|line| format!("log: {line}")).collect();
        if wrong.is_empty() {
            return vec![format!("log: {}", String::from_utf8_lossy(&checked.stderr))];
        }
        wrong
    }

    /// Lets nodes write what this release knows; what the command said.
    pub fn raise_level(&self) -> String {
        let mut command = orp();
        command.current_dir(self.folder.path());
        command.args(["admin", "level", "--raise", "--config"]);
        command.arg(&self.nodes[0].config);
        let raised = tokio::task::block_in_place(|| command.output()).expect("it runs");
        let said = String::from_utf8_lossy(&raised.stdout).trim().to_owned();
        assert!(raised.status.success(), "{raised:?}");
        said
    }

    /// What nodes must never say.
    pub fn complaints(&self) -> Vec<String> {
        let mut found = Vec::new();
        for node in &self.nodes {
            let log = std::fs::read_to_string(&node.log).unwrap_or_default();
            let bad = |line: &&str| {
                line.contains(" panic ") || line.contains("corrupt") || line.contains("parked")
            };
            let first = log.lines().find(bad);
            found.extend(first.map(|line| format!("{} said: {line}", node.name)));
        }
        found
    }

    fn tails(&self) -> String {
        let tail = |node: &Node| format!("== {}\n{}\n", node.name, node.tail());
        self.nodes.iter().map(tail).collect()
    }
}

impl Node {
    fn begin(&mut self, mut command: Command) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        command.args(["serve", "--config"]).arg(&self.config);
        command
            .stdout(Stdio::piped())
            .stderr(log.expect("the folder can be written"));
        if let Some(sabotage) = &self.sabotage {
            command.env("SABOTAGE", sabotage);
        }
        if let Some((library, file)) = &self.clock {
            command.env("LD_PRELOAD", library).env("CLOCK_FILE", file);
        }
        let mut child = command.spawn().expect("a node starts");
        let output = child.stdout.take().expect("it is piped");
        self.process = Some(child);
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Whoever waited may have heard enough.
                drop(told.send(line));
            }
        });
        let up = lines.recv_timeout(START_MAX);
        assert!(up.is_ok(), "{} does not start:\n{}", self.name, self.tail());
    }

    /// kill -9; returns when it is gone.
    pub fn kill(&mut self) {
        let mut child = self.process.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// SIGSTOP, SIGCONT, SIGTERM.
    pub fn signal(&self, name: &str) {
        let child = self.process.as_ref().expect("it runs");
        let sent = Command::new("kill")
            .args(["-s", name, &child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success(), "kill -s {name}");
    }

    /// An orderly stop; returns when it has ended.
    pub fn terminate(&mut self) {
        self.signal("TERM");
        let mut child = self.process.take().expect("it runs");
        let ended = tokio::task::block_in_place(|| child.wait()).expect("it ends");
        assert!(ended.success(), "{}: {ended}\n{}", self.name, self.tail());
    }

    /// Whether its process is still there; if not, its place is free.
    pub fn runs(&mut self) -> bool {
        let there = self
            .process
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if !there {
            self.process = None;
        }
        there
    }

    /// From its next start on, its configuration says something else.
    pub fn rewrite(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.config).expect("it was written");
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(&self.config, text.replace(from, to)).expect("the folder can be written");
    }

    /// Returns when its log has a line with all of these words, from then on that it was asked.
    pub async fn says(&self, words: &[&str]) {
        let said = || {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            log.lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
        };
        let what = format!("{} says {words:?}", self.name);
        super::until(&what, SAYS_MAX, said).await;
    }

    /// A start that is refused: what it says.
    pub fn is_refused(&self) -> String {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--config"]).arg(&self.config);
        command.current_dir(self.config.parent().expect("it is in a folder"));
        let output = tokio::task::block_in_place(|| command.output()).expect("it runs");
        assert!(!output.status.success(), "{} starts", self.name);
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// From its next start on, this goes wrong.
    pub fn sabotage(&mut self, what: &str) {
        self.sabotage = Some(what.into());
    }

    /// Its clock is off by so many seconds: from its next start on, or from now on if it was before.
    pub fn clock(&mut self, seconds: i64) {
        let home = std::env::var_os("CASSANDRA_HOME").expect("the script names it");
        let library = Path::new(&home).join("clock.so");
        let file = self.config.with_extension("clock");
        let written = std::fs::write(file.with_extension("new"), format!("{seconds:+}\n"))
            .and_then(|()| std::fs::rename(file.with_extension("new"), &file));
        written.expect("the folder can be written");
        self.clock = Some((library, file));
    }

    /// From its next start on, nothing goes wrong by itself.
    pub fn relent(&mut self) {
        self.sabotage = None;
    }

    /// From its next start on, it is another release.
    pub fn becomes(&mut self, program: &Path) {
        self.program = program.into();
    }

    /// The end of its log.
    fn tail(&self) -> String {
        let mut text = Vec::new();
        if let Ok(mut file) = File::open(&self.log) {
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            let from = SeekFrom::Start(length.saturating_sub(TAIL_BYTES));
            if file
                .seek(from)
                .and_then(|_| file.read_to_end(&mut text))
                .is_err()
            {
                return "its log does not read".into();
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.process {
            // Either it runs, or it ended before; a frozen process does not mind.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn configuration(
    (host, ops): (&str, &str),
    name: &str,
    seeds: &[String],
    database: &[String],
    keyspace: &str,
    shards: u16,
) -> String {
    format!(
        "grpc:\n  host: {host}\n  port: {PLAYERS}\n  guests_at_once: 100000\n  guests_per_minute: 100000\n\
         ops:\n  host: {ops}\n\
         cluster:\n  enabled: true\n  host: {host}\n  seeds: [{}]\n  authority_file: certs/authority.pem\n  \
         certificate_file: certs/{name}.pem\n  key_file: certs/{name}.key\n  cookie_file: certs/cookie\n\
         store: cassandra\ncassandra:\n  hosts: [\"{}\"]\n  keyspace: {keyspace}\n\
         secrets:\n  deck_key_file: deck.key\n\
         server:\n  node: {name}\n  shards: {shards}\n  hand_pause_ms: 50\n  snapshot_interval: 20\n  \
         segment_max_bytes: 65536\n  drain_timeout_ms: 15000\n",
        seeds.join(", "),
        database.join("\", \""),
    )
}

fn orp() -> Command {
    Command::new(program())
}

/// The server: the one that was built with these tests, or the one that `ORP` names.
pub fn program() -> PathBuf {
    std::env::var_os("ORP").map_or_else(|| env!("CARGO_BIN_EXE_orp").into(), PathBuf::from)
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

fn count(object: &Value, field: &str) -> u64 {
    object[field].as_u64().unwrap_or_default()
}

/// Places for nodes: those of the beginning, and two to grow by.
pub const PLACES: usize = 5;
/// The last part of the first node's address; the database has 1 to 3, proxies before it 11 to 13.
const FIRST_HOST: usize = 21;
/// Where the tests are, and so the players, if nodes have networks.
const TESTS_HOST: usize = 254;
/// Where players connect.
pub const PLAYERS: u16 = 50_051;
/// Where nodes connect.
pub const LINKS: u16 = 50_053;
/// Dials come every few seconds.
const SAYS_MAX: Duration = Duration::from_secs(30);
/// For a question to an operator's port.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A start waits for Cassandra, and for what an earlier life of the node left in it.
const START_MAX: Duration = Duration::from_secs(60);
/// Links, takeovers and moves of shards after a fault.
const WHOLE_MAX: Duration = Duration::from_secs(90);
const TAIL_BYTES: u64 = 4_096;
