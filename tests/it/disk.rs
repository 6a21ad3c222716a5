//! A full file system under a running server: play pauses, everybody hears why, nothing is lost, and it goes on when there
//! is room. The file system is a small one in memory that the test mounts and removes itself.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use openrustpoker::client::{
    Backoff, Link, Operator, Patience, Player,
    bots::{self, Control, Options},
};
use proto::v1::Settings;

use crate::node::{Keep, Server, until};

/// Twice: the server is there all the time, and the server is killed while there is no room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_pauses_play_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::mount(folder.path()) else {
        println!("skipped: this user may not mount a file system (it takes root)");
        return;
    };
    let mut server = Server::start(&disk.0, &Keep::embedded(&disk.0));
    let port = server.port();
    let control = Arc::new(Control::default());
    let options = Options {
        servers: vec![server.address.clone()],
        tables: 4,
        bots: 3,
        hands: u64::MAX,
        rate: None,
        seed: 1,
        keep: false,
        rake_per_10000: 0,
        game: proto::v1::Game::default(),
        moving_button: false,
        patience: Duration::from_secs(60),
    };
    let link = Link::new(std::slice::from_ref(&server.address), short()).expect("an address");
    let (guest, _) = Player::guest(&link, "Ann").await.expect("a guest");
    let bots = tokio::spawn(bots::run(options, Arc::clone(&control)));
    for killed in [false, true] {
        let target = control.hands() + 20;
        until("the bots play", || control.hands() >= target).await;
        let filler = disk.fill();
        let told = told_that_it_is_full(&guest).await;
        assert!(told.contains("nothing is lost"), "{told}");
        let paused = control.hands();
        let ops = server.ops.parse().expect("an address");
        let operator = Operator::new(Link::new(&[ops], short()).expect("an address"));
        operator.totals().await.expect("looking goes on");
        if killed {
            server.kill();
            std::fs::remove_file(&filler).expect("it was there");
            server = Server::start_at(&disk.0, &Keep::embedded(&disk.0), port);
        } else {
            std::fs::remove_file(&filler).expect("it was there");
        }
        until("play goes on", || control.hands() >= paused + 20).await;
    }
    control.stop();
    let report = bots
        .await
        .expect("the bots do not panic")
        .expect("the bots can play");
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

/// Opens tables until the server says that it has no room; answers its words.
async fn told_that_it_is_full(guest: &Player) -> String {
    for table in 1..10_000_u128 {
        let id = openrustpoker::ids::TableId(table << 64).to_string();
        if let Err(error) = guest.create_table(&id, "one more", &settings()).await {
            let words = format!("{error:#}");
            if words.contains("disk is full") {
                return words;
            }
        }
    }
    panic!("the server never says that its disk is full");
}

fn settings() -> Settings {
    Settings {
        seats: 6,
        small_blind: 50,
        big_blind: 100,
        buy_in_min: 2_000,
        buy_in_max: 10_000,
        action_ms: 30_000,
        ..Settings::default()
    }
}

fn short() -> Patience {
    Patience {
        attempt: Duration::from_secs(1),
        overall: Duration::from_secs(1),
        backoff: Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(50),
        },
    }
}

/// A file system of its own.
struct Disk(PathBuf);

impl Disk {
    /// None where mounting is not allowed.
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "orp-test"])
            .arg(at)
            .output()
            .ok()?;
        mounted.status.success().then(|| Self(at.to_owned()))
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).expect("there is room for a name");
        for size in [65_536, 4_096, 1] {
            loop {
                match file.write_all(&vec![0; size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: files of a server that was just killed may still be open.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "unmounted");
    }
}
