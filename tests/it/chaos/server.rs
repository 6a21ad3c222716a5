//! The real server and bots over gRPC, while the database fails them: one node away, no quorum, a full disk, a clock that is
//! an hour off.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openrustpoker::client::bots::{self, BotsError, Control, Options, Report};
use openrustpoker::store::memory::SplitMix;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::nodes::{Deed, script, to_node};
use super::report::Spread;
use crate::cassandra::recovery::keep;
use crate::cassandra::told;
use crate::node::{Keep, Server};
use crate::recovery::number;

/// One of three is away: nobody notices. Two are: nothing is acknowledged, nothing is lost, and play goes on by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn play_waits_for_a_quorum_and_goes_on() {
    let seed = number("SEED", 1);
    let mut random = SplitMix(seed);
    let play = Play::begin(seed).await;
    let (mut back, mut while_away) = (Vec::new(), Vec::new());
    for outage in 0..number("OUTAGES", 4) {
        let one = 1 + random.below(3) as usize;
        let other = 1 + one % 3;

        to_node(one, Deed::Kill).await;
        while_away.push(play.goes_on(&format!("without node {one}")).await);
        to_node(one, Deed::Restart).await;

        // Frozen, so that what was on its way arrives when they thaw; or killed, so that it does not.
        let (down, up) = match outage % 2 {
            0 => (Deed::Freeze, Deed::Thaw),
            _ => (Deed::Kill, Deed::Restart),
        };
        to_node(one, down).await;
        to_node(other, down).await;
        sleep(LAST_ACKNOWLEDGEMENTS).await;
        let acknowledged = play.control.actions();
        sleep(Duration::from_millis(2_000 + random.below(3_000))).await;
        assert_eq!(
            play.control.actions(),
            acknowledged,
            "acknowledged without a quorum"
        );
        to_node(one, up).await;
        back.push(play.goes_on("with a quorum again").await);
        to_node(other, up).await;
    }
    back.sort_unstable();
    while_away.sort_unstable();
    println!("seed {seed}: without one of three {}", Spread(&while_away));
    println!("seed {seed}: after a quorum was back {}", Spread(&back));
    play.end().await;
}

/// The clocks of database nodes jump by an hour, forth and back, while hands are played: no promise depends on them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn a_clock_that_is_an_hour_off_changes_nothing() {
    let seed = number("SEED", 1);
    let mut play = Play::begin(seed).await;
    for (node, clock) in [
        ("1", "+3600"),
        ("2", "-3600"),
        ("1", "+0"),
        ("3", "+3600"),
        ("2", "+0"),
    ] {
        script(&["clock", node, clock]).await;
        play.goes_on(&format!("after the clock of node {node} went to {clock} s"))
            .await;
        // The next owner reads what was written before and after the jump.
        play.kill_server();
        play.goes_on(&format!("with a new owner, node {node} at {clock} s"))
            .await;
    }
    play.end().await;
}

/// The database has no room for its commit log: nothing is acknowledged and the server waits; with room, and the node started
/// again, play goes on.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/chaos/run"]
async fn a_full_disk_of_the_database_is_waited_for() {
    let play = Play::begin(number("SEED", 1)).await;
    let disk = PathBuf::from(told("CASSANDRA_HOME")).join("node1/commitlog");
    let filler = disk.join("filler");
    fill(&filler);
    // What is left of the open segment of the commit log still takes some.
    let mut acknowledged = play.control.actions();
    let mut quiet = 0;
    for _ in 0..QUIET_LOOKS_MAX {
        sleep(Duration::from_millis(500)).await;
        let now = play.control.actions();
        quiet = if now == acknowledged { quiet + 1 } else { 0 };
        acknowledged = now;
        if quiet == QUIET_LOOKS {
            break;
        }
    }
    assert_eq!(
        quiet, QUIET_LOOKS,
        "the disk is full, and {acknowledged} actions are acknowledged"
    );
    std::fs::remove_file(&filler).expect("the filler is ours");
    to_node(1, Deed::Restart).await;
    let back = play.goes_on("with room on the disk").await;
    println!("a full disk: back after {} ms", back.as_millis());
    play.end().await;
}

/// Writes until there is no more room.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).expect("the disk is there");
    let block = [0x5a; 4_096];
    for _ in 0..BLOCKS_MAX {
        if file.write_all(&block).is_err() {
            return;
        }
    }
    panic!("a small disk has more than {BLOCKS_MAX} blocks");
}

/// A server on the nodes, and bots that play at it.
struct Play {
    folder: TempDir,
    keep: Keep,
    server: Option<Server>,
    control: Arc<Control>,
    bots: JoinHandle<Result<Report, BotsError>>,
}

impl Play {
    async fn begin(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (keep, _keyspace) = keep(folder.path()).await;
        let server = Server::start(folder.path(), &keep);
        let control = Arc::new(Control::default());
        let options = Options {
            servers: vec![server.address.clone()],
            tables: 6,
            bots: 4,
            hands: u64::MAX,
            rate: None,
            seed,
            keep: false,
            rake_per_10000: 0,
            game: proto::v1::Game::default(),
            moving_button: false,
            patience: Duration::from_secs(180),
        };
        let bots = tokio::spawn(bots::run(options, Arc::clone(&control)));
        let play = Self {
            folder,
            keep,
            server: Some(server),
            control,
            bots,
        };
        play.goes_on("at the beginning").await;
        play
    }

    /// Waits until many more actions are acknowledged; says how long the first one took.
    async fn goes_on(&self, when: &str) -> Duration {
        let (from, before) = (Instant::now(), self.control.actions());
        let mut first = None;
        while self.control.actions() < before + SOME_ACTIONS {
            if first.is_none() && self.control.actions() > before {
                first = Some(from.elapsed());
            }
            assert!(
                from.elapsed() < STUCK && !self.bots.is_finished(),
                "play goes on {when}: {} of {SOME_ACTIONS} actions",
                self.control.actions() - before
            );
            sleep(Duration::from_millis(2)).await;
        }
        first.unwrap_or_else(|| from.elapsed())
    }

    /// `kill -9`, and a new one at the same address.
    fn kill_server(&mut self) {
        let server = self.server.take().expect("there is one");
        let port = server.port();
        server.kill();
        self.server = Some(Server::start_at(self.folder.path(), &self.keep, port));
    }

    /// The bots leave, and have seen no promise broken.
    async fn end(self) {
        self.goes_on("before the end").await;
        self.control.stop();
        let report = self
            .bots
            .await
            .expect("the bots do not panic")
            .expect("the bots can play");
        println!(
            "{}",
            serde_json::to_string(&report).expect("a report is an object")
        );
        assert!(
            report.violations.is_empty(),
            "{:?} {:?}",
            report.violations,
            report.examples
        );
        assert_eq!((report.gaps, report.unknown), (0, 0));
        assert_eq!(
            report.chips_in,
            report.chips_out + report.on_tables + report.rake
        );
    }
}

/// What was committed before a quorum went is acknowledged soon after.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_millis(1_500);
const SOME_ACTIONS: u64 = 60;
/// Longer than any recovery, shorter than the patience of the bots.
const STUCK: Duration = Duration::from_secs(90);
/// Looks, half a second apart, at which nothing was acknowledged.
const QUIET_LOOKS: u32 = 10;
const QUIET_LOOKS_MAX: u32 = 120;
/// 256 MiB.
const BLOCKS_MAX: u32 = 65_536;
