//! `orp admin verify`, `backup`, `restore` and `migrate` with the real binary, beside a real server that is played at.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use openrustpoker::{
    client::bots::{self, Control, Options},
    config::Config,
    tree,
};

use crate::node::{Keep, Server};

/// What a command said, and how it ended.
pub struct Said {
    code: i32,
    out: String,
    error: String,
}

/// Runs the real binary.
pub fn orp(args: &[&str]) -> Said {
    let done = Command::new(env!("CARGO_BIN_EXE_orp"))
        .args(args)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
    Said {
        code: done.status.code().expect("it ends by itself"),
        out: text(done.stdout),
        error: text(done.stderr),
    }
}

impl Said {
    /// It ended so, and said so. Answers its output.
    pub fn is(self, code: i32, part: &str) -> String {
        let Self {
            code: found,
            out,
            error,
        } = self;
        assert_eq!(found, code, "{out}\n{error}");
        assert!(
            out.contains(part) || error.contains(part),
            "{part}: {out}\n{error}"
        );
        out
    }
}

/// A folder's configuration, for so many shards.
fn config(folder: &Path, shards: u16) -> String {
    let path = folder.join("config.yaml");
    let text = format!(
        "grpc:\n  port: 0\nops:\n  port: 0\nembedded:\n  path: {}\nserver:\n  shards: {shards}\n  hand_pause_ms: 0\nlog:\n  \
         level: error\n",
        folder.join("data").display()
    );
    fs::create_dir_all(folder).expect("a folder");
    fs::write(&path, text).expect("it is written");
    path.display().to_string()
}

/// Both sides of the chips, from the last line of a check.
pub fn chips(out: &str) -> String {
    let last = out.lines().last().expect("it says something");
    let (_, chips) = last.split_once("chips: ").expect("it counts chips");
    chips.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_checked_copied_brought_back_and_moved() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    fs::create_dir_all(at("one")).expect("a folder");
    let server = Server::start(&at("one"), &Keep::embedded(&at("one")));
    let control = Arc::new(Control::default());
    let options = Options {
        servers: vec![server.address.clone()],
        tables: 6,
        bots: 4,
        hands: u64::MAX,
        rate: None,
        seed: 11,
        keep: false,
        rake_per_10000: 500,
        game: proto::v1::Game::default(),
        moving_button: false,
        patience: Duration::from_secs(60),
    };
    let bots = tokio::spawn(bots::run(options, Arc::clone(&control)));
    played(&control, 300).await;
    // Its own configuration names another port, which does not matter here.
    let one = config(&at("one"), 8);
    let backup = at("orp.backup").display().to_string();
    for _ in 0..3 {
        orp(&["admin", "verify", "--config", &one]).is(0, "sound: 8 shards");
    }
    orp(&["admin", "backup", &backup, "--config", &one]).is(0, "6 tables");
    orp(&["admin", "backup", &backup, "--config", &one])
        .is(1, "is there already: name another file");
    // Moving needs a server that is stopped.
    let far = config(&at("far"), 32);
    let migrate = ["admin", "migrate", "--from", &one, "--to", &far];
    orp(&migrate).is(1, "is in use by another process");
    let hands = control.hands();
    played(&control, hands + 100).await;
    server.kill();
    bots.abort();
    orp(&migrate).is(1, "deck.key");
    fs::create_dir_all(at("far/data")).expect("a folder");
    let key = |folder: &str| at(folder).join("data/deck.key");
    fs::copy(key("one"), key("far")).expect("it is copied");
    let out = orp(&["admin", "verify", "--config", &one]).is(0, "sound: 8 shards");
    let closed = orp(&["admin", "verify", "--config", &one, "--closed"]).is(0, "left closed");
    assert_eq!(chips(&closed), chips(&out));
    let json = orp(&["admin", "verify", "--config", &one, "--json"]).is(0, "\"flaws\":0");
    assert_eq!(json.lines().count(), 9);

    brought_back(&folder, &backup).await;
    damaged(&at("one"), &at("bad"));

    let moved = orp(&migrate).is(0, "and is marked so");
    let sum = moved.lines().next().expect("it says what it moved");
    assert_eq!(chips(sum), chips(&out));
    orp(&["serve", "--config", &one]).is(1, "was moved to");
    orp(&["admin", "verify", "--config", &one]).is(0, "sound: 8 shards");
    orp(&migrate).is(1, "the store is not empty");
    let out = orp(&["admin", "verify", "--config", &far]).is(0, "sound: ");
    assert_eq!(chips(&out), chips(sum));
    serves(&far).await;
}

/// A restored store is sound and is served; nothing else is ever written over.
async fn brought_back(folder: &tempfile::TempDir, backup: &str) {
    let at = |name: &str| folder.path().join(name);
    let two = config(&at("two"), 8);
    let whole = fs::read(backup).expect("it reads");
    let cut = at("cut.backup").display().to_string();
    fs::write(&cut, &whole[..whole.len() / 2]).expect("it is written");
    orp(&["admin", "restore", &cut, "--config", &two]).is(1, "is cut short after");
    let mut bytes = whole;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&cut, &bytes).expect("it is written");
    orp(&["admin", "restore", &cut, "--config", &two]).is(1, "is damaged at byte");
    assert!(!at("two/data").exists());
    let other = config(&at("two"), 9);
    orp(&["admin", "restore", backup, "--config", &other]).is(1, "set server.shards to 8");

    let two = config(&at("two"), 8);
    orp(&["admin", "restore", backup, "--config", &two])
        .is(0, "decks are sealed: put their key file to");
    orp(&["admin", "restore", backup, "--config", &two]).is(1, "the store is not empty");
    fs::copy(at("one/data/deck.key"), at("two/data/deck.key")).expect("it is copied");
    orp(&["admin", "verify", "--config", &two]).is(0, "sound: 8 shards");
    serves(&two).await;
    orp(&["admin", "verify", "--config", &two]).is(0, "sound: 8 shards");
}

/// A byte of a row that changed is found, with its place.
fn damaged(from: &Path, to: &Path) {
    let bad = config(to, 8);
    fs::create_dir_all(to.join("data")).expect("a folder");
    for file in fs::read_dir(from.join("data")).expect("a folder") {
        let file = file.expect("a file");
        fs::copy(file.path(), to.join("data").join(file.file_name())).expect("it is copied");
    }
    let database = rusqlite::Connection::open(to.join("data/orp.db")).expect("it opens");
    let changed = database.execute(
        "UPDATE log_rows SET payload = CAST(payload || x'00' AS BLOB) WHERE at = (SELECT max(at) FROM log_rows)",
        (),
    );
    assert_eq!(changed, Ok(1));
    drop(database);
    let out = orp(&["admin", "verify", "--config", &bad]).is(1, "the checksum is wrong");
    let line = out
        .lines()
        .find(|line| line.starts_with("WRONG"))
        .expect("a line for it");
    assert!(
        line.contains("shard ") && line.contains(", segment ") && line.contains(", row "),
        "{line}"
    );
    assert!(
        out.lines()
            .last()
            .is_some_and(|line| line.starts_with("NOT SOUND")),
        "{out}"
    );
}

/// A node takes the store over, and its chips are conserved.
pub async fn serves(config: &str) {
    let config = Config::load(Some(Path::new(config))).expect("it is sound");
    let node = tree::start(&config).await.expect("it starts");
    let ready = tokio::time::timeout(Duration::from_secs(30), node.ready()).await;
    assert_eq!(ready, Ok(()));
    let sums = node.tables.totals().await.expect("totals").sums;
    assert_eq!(sums.tables, 6);
    assert_eq!(sums.chips_in, sums.chips_out + sums.on_tables + sums.rake);
    assert!(sums.on_tables > 0);
    node.stop().await;
}

/// Waits for so many hands.
pub async fn played(control: &Control, hands: u64) {
    let played = async {
        while control.hands() < hands {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(120), played).await;
    assert_eq!(in_time, Ok(()), "{} of {hands} hands", control.hands());
}
