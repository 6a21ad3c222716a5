//! `orp admin verify`, `backup`, `restore` and `migrate` on Cassandra, with the real binary, beside a server that is played at.

use std::{fs, path::Path, sync::Arc, time::Duration};

use openrustpoker::client::bots::{self, BotsError, Control, Options, Report};
use tokio::task::JoinHandle;

use super::recovery::{keep, keep_in};
use super::{DATA_CENTRE, fresh_keyspace, fresh_name, hosts};
use crate::keep::{chips, orp, played, serves};
use crate::node::{Keep, Server};

/// Bots that go on until they are told to stop, at as many tables as [`serves`] counts.
pub fn bots_at(
    server: &Server,
    control: &Arc<Control>,
    rake_per_10000: u32,
) -> JoinHandle<Result<Report, BotsError>> {
    let options = Options {
        servers: vec![server.address.clone()],
        tables: 6,
        bots: 4,
        hands: u64::MAX,
        rate: None,
        seed: 11,
        keep: false,
        rake_per_10000,
        game: proto::v1::Game::default(),
        moving_button: false,
        patience: Duration::from_secs(120),
    };
    tokio::spawn(bots::run(options, Arc::clone(control)))
}

fn configure(folder: &Path, keep: &Keep) -> String {
    fs::create_dir_all(folder).expect("a folder");
    Server::configure(folder, keep, 0).display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn a_store_is_checked_copied_and_brought_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (one, _) = keep(folder.path()).await;
    let server = Server::start(folder.path(), &one);
    let control = Arc::new(Control::default());
    let bots = bots_at(&server, &control, 500);
    played(&control, 150).await;
    // As the server's own, which wants a port that is taken; that does not matter here.
    let config = configure(&at("one"), &one);
    for _ in 0..3 {
        orp(&["admin", "verify", "--config", &config]).is(0, "sound: 8 shards");
    }
    let backup = at("orp.backup").display().to_string();
    orp(&["admin", "backup", &backup, "--config", &config]).is(0, "6 tables");
    played(&control, control.hands() + 50).await;
    server.kill();
    bots.abort();
    orp(&["admin", "verify", "--config", &config]).is(0, "sound: 8 shards");

    let other = configure(
        &at("other"),
        &Keep {
            shards: 9,
            ..keep_in(&one_keyspace(&one), &at("deck.key"))
        },
    );
    orp(&["serve", "--config", &other]).is(
        1,
        "the store has 8 shards and the configuration says 9: set server.shards to 8",
    );

    let embedded = Keep::embedded(&at("near"));
    let near = configure(
        &at("near"),
        &Keep {
            config: format!(
                "{}secrets:\n  deck_key_file: {}\n",
                embedded.config,
                at("deck.key").display()
            ),
            ..embedded
        },
    );
    let restored = orp(&["admin", "restore", &backup, "--config", &near]).is(0, "sound: 8 shards");
    let keyspace = fresh_name();
    let far = configure(&at("far"), &keep_in(&keyspace, &at("deck.key")));
    let restore = ["admin", "restore", &backup, "--config", &far];
    orp(&restore).is(1, &format!("there is no keyspace {keyspace}"));
    let copies = format!("{DATA_CENTRE}={}", hosts().len());
    orp(&[
        "admin",
        "schema",
        "create",
        "--config",
        &far,
        "--replication",
        &copies,
    ])
    .is(0, "made table shard_log");
    let brought = orp(&restore).is(0, "sound: 8 shards");
    assert_eq!(chips(&brought), chips(&restored));
    orp(&restore).is(1, "the store is not empty");
    for config in [&far, &near] {
        serves(config).await;
        orp(&["admin", "verify", "--config", config]).is(0, "sound: 8 shards");
    }
    orp(&["admin", "migrate", "--from", &config, "--to", &far])
        .is(1, "a migration moves an embedded store");
}

/// The keyspace that a configuration names.
fn one_keyspace(keep: &Keep) -> String {
    let (_, rest) = keep.config.split_once("keyspace: ").expect("it names one");
    rest.lines().next().unwrap_or_default().to_owned()
}

/// One node with an embedded store becomes nodes on Cassandra, with other shards. The bots go on as if nothing had been.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Cassandra: tests/run cassandra"]
async fn an_embedded_store_moves_and_play_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    fs::create_dir_all(&near).expect("a folder");
    fs::create_dir_all(&far).expect("a folder");
    let server = Server::start(&near, &Keep::embedded(&near));
    let port = server.port();
    let control = Arc::new(Control::default());
    // Bots add the rake up hand by hand, and of the hands that end about now they get to see no more than the result.
    let bots = bots_at(&server, &control, 0);
    played(&control, 150).await;
    server.kill();

    let keys = far.join("deck.key");
    let target = Keep {
        shards: 16,
        ..keep_in(&fresh_keyspace().await, &keys)
    };
    let (from, to) = (
        configure(&near, &Keep::embedded(&near)),
        configure(&far, &target),
    );
    let migrate = ["admin", "migrate", "--from", &from, "--to", &to];
    orp(&migrate).is(1, "deck.key");
    fs::copy(near.join("data/deck.key"), &keys).expect("it is copied");
    let before = orp(&["admin", "verify", "--config", &from]).is(0, "sound: 8 shards");
    let moved = orp(&migrate).is(0, "and is marked so");
    let sum = moved.lines().next().expect("it says what it moved");
    assert_eq!(chips(sum), chips(&before));
    orp(&migrate).is(1, "the store is not empty");
    orp(&["serve", "--config", &from]).is(1, "was moved to keyspace");

    let server = Server::start_at(&far, &target, port);
    let hands = control.hands();
    played(&control, hands + 100).await;
    control.stop();
    let report = bots.await.expect("no bot panics").expect("they can play");
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    assert_eq!((report.gaps, report.unknown), (0, 0));
    assert_eq!(
        report.chips_in,
        report.chips_out + report.on_tables + report.rake
    );
    server.kill();
    orp(&["admin", "verify", "--config", &to]).is(0, "sound: 16 shards");
}
