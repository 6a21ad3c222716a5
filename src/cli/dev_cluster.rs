//! `orp dev --nodes N`: several nodes on this machine, each a process that can be killed, and a Cassandra for them.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use proto::v1::ListAdminTablesRequest;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    time::Instant,
};

use super::certs;
use crate::{
    client::{Address, Link, Operator, Patience},
    table::seal::Keyring,
};

/// A Cassandra that runs as long as this lives.
pub(super) struct Database {
    /// Its nodes, `host:port`, separated by commas.
    pub(super) hosts: String,
    /// Copies of everything.
    pub(super) replication: String,
    /// The script that started it ends with its input, however this process ends.
    started: Option<(Child, ChildStdin)>,
}

impl Database {
    /// One that runs elsewhere.
    pub(super) fn at(hosts: String, replication: String) -> Self {
        Self {
            hosts,
            replication,
            started: None,
        }
    }

    /// Starts one node with the script of the checkout.
    ///
    /// # Errors
    /// When there is no checkout here, or Cassandra does not start.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let script = Path::new(SCRIPT);
        if !script.exists() {
            bail!(
                "several nodes need a Cassandra: run this in a checkout of the project, whose {SCRIPT} starts one, \
                 or name one that runs: --cassandra HOST:PORT"
            );
        }
        println!("Starting a Cassandra node (the first time it is fetched, 67 MB) …");
        let mut child = Command::new(script)
            .args(["exec", "--nodes", "1", "--"])
            .args(["sh", "-c", "echo \"$CASSANDRA_HOSTS\"; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A Ctrl-C at the terminal is for this command, which ends the nodes first.
            .process_group(0)
            .spawn()
            .context("cannot run tests/cassandra/run")?;
        let input = child.stdin.take().context("it is piped")?;
        let output = child.stdout.take().context("it is piped")?;
        let Some(hosts) = BufReader::new(output).lines().next_line().await? else {
            bail!("no Cassandra: {}", child.wait().await?);
        };
        Ok(Self {
            hosts,
            replication: "datacenter1=1".into(),
            started: Some((child, input)),
        })
    }

    /// Ends it if it was started here.
    pub(super) async fn stop(self) {
        if let Some((mut script, input)) = self.started {
            drop(input);
            if let Err(error) = script.wait().await {
                tracing::warn!(%error, "whether Cassandra ended is not known");
            }
        }
    }
}

/// The nodes, as long as this lives.
pub(super) struct Nodes {
    nodes: Vec<Node>,
}

struct Node {
    name: String,
    config: PathBuf,
    players: String,
    operators: String,
    state: State,
}

enum State {
    Runs(Child),
    /// Starts again then.
    Away(Instant),
}

impl Nodes {
    /// Makes what the nodes need in a folder, and starts them; returns when every shard is served.
    ///
    /// # Errors
    /// When Cassandra does not answer, or a node does not start.
    pub(super) async fn start(
        folder: &Path,
        count: u8,
        database: &Database,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let names: Vec<String> = (0..count).map(|n| format!("node-{n}")).collect();
        let certificates = folder.join("certs");
        let missing = |name: &&String| !certificates.join(format!("{name}.key")).exists();
        let missing: Vec<String> = names.iter().filter(missing).cloned().collect();
        if !missing.is_empty() {
            certs::make(&certificates, &missing)?;
        }
        Keyring::read_or_create(&folder.join("deck.key"))?;
        let mut nodes = Vec::new();
        for (n, name) in (0_u16..).zip(names) {
            let config = folder.join(format!("{name}.yaml"));
            let text = configuration(folder, &name, (n, count), &database.hosts);
            fs::write(&config, text)
                .with_context(|| format!("cannot write {}", config.display()))?;
            let at = |port: u16| format!("127.0.0.1:{}", port + APART * n);
            nodes.push((name, config, at(PLAYERS), at(OPERATORS)));
        }
        let mut schema = orp()?;
        let replication = ["admin", "schema", "create", "--replication"];
        schema.args(replication).arg(&database.replication);
        schema.arg("--config").arg(&nodes[0].1);
        succeed(schema, "making the keyspace").await?;
        // Side by side: each is ready when the others are.
        let mut starting = Vec::new();
        for (name, config, players, operators) in nodes {
            let state = State::Runs(begin(&config)?);
            starting.push(Node {
                name,
                config,
                players,
                operators,
                state,
            });
        }
        for node in &mut starting {
            node.ready().await?;
        }
        Ok(Self { nodes: starting })
    }

    /// Where players connect, all nodes.
    pub(super) fn players(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.players.clone()).collect()
    }

    /// Where operators connect, all nodes.
    fn operators(&self) -> anyhow::Result<Vec<Address>> {
        let addresses = self.nodes.iter().map(|node| node.operators.parse());
        Ok(addresses.collect::<Result<_, _>>()?)
    }

    /// The shard of a table, as the node says that serves it.
    async fn shard_of(&self, table: &str) -> anyhow::Result<usize> {
        let operator = Operator::new(Link::new(&self.operators()?, Patience::default())?);
        let mut ask = ListAdminTablesRequest::default();
        loop {
            let page = operator.tables(ask.clone()).await?;
            let mut tables = page.tables.into_iter();
            if let Some(found) = tables.find(|known| known.table_id == table) {
                return Ok(usize::try_from(found.shard)?);
            }
            if page.next_page_token.is_empty() {
                bail!("no node serves the table {table}");
            }
            ask.page_token = page.next_page_token;
        }
    }

    /// Says who serves this table whenever that changes, and starts again what ended, after a while in which the others do
    /// without.
    pub(super) async fn watch(&mut self, table: &str) -> anyhow::Result<()> {
        let shard = self.shard_of(table).await?;
        let operator = Operator::new(Link::new(&self.operators()?, Patience::default())?);
        let mut owner = String::new();
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            for node in &mut self.nodes {
                node.look()?;
            }
            let asked = tokio::time::timeout(ANSWER_MAX, operator.cluster()).await;
            let Ok(Ok(cluster)) = asked else { continue };
            let now = cluster.shards.get(shard).map(|shard| shard.node.clone());
            let Some(now) = now.filter(|now| !now.is_empty() && *now != owner) else {
                continue;
            };
            if let Some(node) = self.nodes.iter().find(|node| node.name == now) {
                println!(
                    "  {now} serves the table now; to kill it: {}",
                    node.last_rites()
                );
            }
            owner = now;
        }
    }
}

impl Node {
    /// Whether it ended, or it is time to start it again.
    fn look(&mut self) -> anyhow::Result<()> {
        match &mut self.state {
            State::Runs(process) => {
                if let Some(ended) = process.try_wait()? {
                    let (name, away) = (&self.name, ABSENCE.as_secs());
                    println!(
                        "  {name} ended ({}); it comes back in {away} s",
                        Ended(ended)
                    );
                    self.state = State::Away(Instant::now() + ABSENCE);
                }
            }
            State::Away(until) if Instant::now() >= *until => {
                let mut process = begin(&self.config)?;
                // What it prints is of no use here, and must not stop it.
                if let Some(output) = process.stdout.take() {
                    let mut lines = BufReader::new(output).lines();
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                }
                self.state = State::Runs(process);
                println!("  {} is back; to kill it: {}", self.name, self.last_rites());
            }
            State::Away(_) => {}
        }
        Ok(())
    }

    /// What kills it.
    fn last_rites(&self) -> String {
        match &self.state {
            State::Runs(process) => format!("kill -9 {}", process.id().unwrap_or_default()),
            State::Away(_) => "it is not there".into(),
        }
    }

    /// Returns once it says that every shard is served.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let State::Runs(process) = &mut self.state else {
            bail!("{} does not run", self.name);
        };
        let output = process.stdout.take().context("it is piped")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            if line == "ready" {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(());
            }
        }
        let ended = process.wait().await?;
        bail!(
            "{} does not start ({}); why is above",
            self.name,
            Ended(ended)
        );
    }
}

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.nodes {
            let (name, players) = (&node.name, &node.players);
            writeln!(
                f,
                "  {name}  players {players}  operators {}  {}",
                node.operators,
                node.last_rites()
            )?;
        }
        Ok(())
    }
}

/// How a process ended, in a word.
struct Ended(ExitStatus);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.code() {
            Some(code) => write!(f, "exit code {code}"),
            None => write!(f, "killed"),
        }
    }
}

fn configuration(folder: &Path, name: &str, (n, count): (u16, u8), hosts: &str) -> String {
    let at = |port: u16, n: u16| port + APART * n;
    let seeds: Vec<String> = (0..u16::from(count))
        .map(|n| format!("\"127.0.0.1:{}\"", at(NODES, n)))
        .collect();
    let file = |name: &str| quoted(&folder.join("certs").join(name).display().to_string());
    let hosts: Vec<String> = hosts.split(',').map(quoted).collect();
    format!(
        "grpc:\n  port: {}\nops:\n  port: {}\n\
         cluster:\n  enabled: true\n  port: {}\n  seeds: [{}]\n  authority_file: {}\n  \
         certificate_file: {}\n  key_file: {}\n  cookie_file: {}\n\
         store: cassandra\ncassandra:\n  hosts: [{}]\n  keyspace: orp_dev\n\
         secrets:\n  deck_key_file: {}\n\
         server:\n  node: {name}\n  shards: {}\nlog:\n  level: error\n",
        at(PLAYERS, n),
        at(OPERATORS, n),
        at(NODES, n),
        seeds.join(", "),
        file("authority.pem"),
        file(&format!("{name}.pem")),
        file(&format!("{name}.key")),
        file("cookie"),
        hosts.join(", "),
        quoted(&folder.join("deck.key").display().to_string()),
        SHARDS,
    )
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn orp() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.kill_on_drop(true);
    Ok(command)
}

fn begin(config: &Path) -> anyhow::Result<Child> {
    let mut command = orp()?;
    command.args(["serve", "--config"]).arg(config);
    // A Ctrl-C at the terminal is for this command, which then ends its nodes.
    command.stdout(Stdio::piped()).process_group(0);
    Ok(command.spawn()?)
}

async fn succeed(mut command: Command, what: &str) -> anyhow::Result<()> {
    let output = command.output().await?;
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "{what} failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )
}

/// In the folder of a checkout.
const SCRIPT: &str = "tests/cassandra/run";
/// The ports of the first node, as in config/default.yaml; the next ones are ten apart.
const PLAYERS: u16 = 50_051;
const OPERATORS: u16 = 50_052;
const NODES: u16 = 50_053;
const APART: u16 = 10;
/// A few for each node.
const SHARDS: u16 = 24;
/// Long enough to watch the hand go on.
const ABSENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(300);
const ANSWER_MAX: Duration = Duration::from_secs(2);
