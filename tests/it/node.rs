//! A real server in a process of its own, to be killed.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use openrustpoker::client::Address;

pub const SHARDS: u16 = 8;
pub const SEGMENT_BYTES: u64 = 262_144;

/// What a server keeps its truth in.
pub struct Keep {
    /// The part of its configuration that says so.
    pub config: String,
    /// Where the store's files are.
    pub files: PathBuf,
    /// Shards: few, so that they all have something to do.
    pub shards: u16,
    /// How long segments grow: not long, so that there are some.
    pub segment_bytes: u64,
}

impl Keep {
    /// The embedded store, in a folder.
    pub fn embedded(folder: &Path) -> Self {
        let files = folder.join("data");
        Self {
            config: format!("embedded:\n  path: {}\n", files.display()),
            files,
            shards: SHARDS,
            segment_bytes: SEGMENT_BYTES,
        }
    }
}

/// A running `orp serve`. Dropped, it is killed.
pub struct Server {
    process: Process,
    /// Where players connect.
    pub address: Address,
    /// Where operators connect.
    pub ops: String,
}

impl Server {
    /// Starts a server, at a port that it chooses. Its configuration is written to `folder`.
    pub fn start(folder: &Path, keep: &Keep) -> Self {
        Self::start_at(folder, keep, 0)
    }

    /// Writes its configuration to `folder`; answers the file.
    pub fn configure(folder: &Path, keep: &Keep, port: u16) -> PathBuf {
        let config = folder.join("config.yaml");
        let text = format!(
            "grpc:\n  port: {port}\nops:\n  port: 0\n{}server:\n  shards: {}\n  hand_pause_ms: 0\n  \
             snapshot_interval: 60\n  segment_max_bytes: {}\nlog:\n  level: error\n",
            keep.config, keep.shards, keep.segment_bytes
        );
        std::fs::write(&config, text).expect("the folder can be written");
        config
    }

    /// The same at a port that is free because the server before it was killed.
    pub fn start_at(folder: &Path, keep: &Keep, port: u16) -> Self {
        let config = Self::configure(folder, keep, port);
        let child = Command::new(env!("CARGO_BIN_EXE_orp"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        // Before anything is expected of it: a server that never comes up has to end with its test, too.
        let mut process = Process(child);
        let output = process.0.stdout.take().expect("it is piped");
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let next = || {
            lines
                .recv_timeout(START_MAX)
                .expect("the server says that it is up")
        };
        let up = next();
        let (players, ops) = up
            .strip_prefix("players connect to ")
            .and_then(|rest| rest.split_once(", operators to "))
            .expect("the server says where it is");
        assert_eq!(next(), "ready");
        Self {
            process,
            address: players.parse().expect("an address"),
            ops: ops.into(),
        }
    }

    /// The port for players.
    pub fn port(&self) -> u16 {
        let text = self.address.as_str();
        text.rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("an address has a port")
    }

    /// Kills it as a power failure of the process would: no handler runs. Returns when it is gone.
    pub fn kill(mut self) {
        self.process.0.kill().expect("it can be killed");
        self.process.0.wait().expect("it ends");
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Either it runs, or it was killed before; both are fine here.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits until something holds, with one look a millisecond, for a minute at most.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let look = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(60), look)
            .await
            .is_ok(),
        "{what}"
    );
}

/// Long for a start that takes 50 ms, short for a test that hangs.
const START_MAX: Duration = Duration::from_secs(30);
