//! `kill -9` in the middle of a hand costs nobody anything: a real server, real bots over gRPC.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use openrustpoker::{
    client::{
        Backoff, ForTurn, Link, Move, Operator, Patience, Player, RequestIds,
        bots::{self, Control, Dice, Options},
    },
    ids::TableId,
};
use proto::v1::{Settings, TableView};

use crate::node::{Keep, Server, until};

#[tokio::test(flavor = "multi_thread")]
async fn bots_go_on_through_fifty_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    bots_go_on(&Keep::embedded(folder.path()), number("KILLS", 50)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hand_is_the_same_after_a_kill_at_every_action() {
    let folder = tempfile::tempdir().expect("a folder");
    the_hand_is_the_same(&Keep::embedded(folder.path()), 3).await;
}

/// The bots play flat out, the server is killed at random busy moments and comes back on the same store and at the same
/// address, and the bots go on by resuming their streams. They check P1, P2, P3, P5, P6, P7 and P8 all the time.
pub async fn bots_go_on(keep: &Keep, kills: u64) {
    let mut dice = Dice::new(number("SEED", 1), 0, 0);
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path(), keep);
    let port = server.port();
    let control = Arc::new(Control::default());
    let options = Options {
        servers: vec![server.address.clone()],
        tables: 6,
        bots: 4,
        game: proto::v1::Game::default(),
        moving_button: false,
        hands: u64::MAX,
        rate: None,
        seed: number("SEED", 1),
        keep: false,
        rake_per_10000: 0,
        patience: Duration::from_secs(60),
    };
    let bots = tokio::spawn(bots::run(options, Arc::clone(&control)));
    for kill in 0..kills {
        // A busy moment: so many more actions were acknowledged, and the next ones are on their way.
        let target = control.actions() + 5 + dice.below(60);
        until(&format!("play goes on after kill {kill}"), || {
            control.actions() >= target
        })
        .await;
        server.kill();
        server = Server::start_at(folder.path(), keep, port);
    }
    let target = control.hands() + 20;
    until("play goes on after the last kill", || {
        control.hands() >= target
    })
    .await;
    control.stop();
    let report = bots
        .await
        .expect("the bots do not panic")
        .expect("the bots can play");
    println!(
        "{kills} kills: {}",
        serde_json::to_string(&report).expect("a report is an object")
    );
    assert!(
        report.violations.is_empty(),
        "{:?} {:?}",
        report.violations,
        report.examples
    );
    assert_eq!((report.gaps, report.unknown), (0, 0));
    // What a checkpoint made unnecessary is no longer there to resume from: then the server says so.
    assert!(report.resets > 0 || (report.unverified, report.unseen) == (0, 0));
    assert_eq!(
        report.chips_in,
        report.chips_out + report.on_tables + report.rake
    );
    assert!(
        report.reconnects >= kills,
        "every kill cut the streams: {}",
        report.reconnects
    );
    // The server's own books say the same, over all that it ever took in.
    let ops = server.ops.parse().expect("an address");
    let operator = Operator::new(Link::new(&[ops], patience()).expect("an address"));
    let totals = operator.totals().await.expect("totals");
    assert_eq!(
        totals.chips_in,
        totals.chips_out + totals.on_tables + totals.rake
    );
    assert_eq!((totals.chips_in, totals.on_tables), (report.chips_in, 0));
}

/// So many hands, and a kill after every answer: what every player may see is the same before and after, the deck included.
pub async fn the_hand_is_the_same(keep: &Keep, hands: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path(), keep);
    let port = server.port();
    let link = Link::new(std::slice::from_ref(&server.address), patience()).expect("an address");
    let mut players = Vec::new();
    for name in ["Ann", "Bob", "Cat"] {
        players.push(Player::guest(&link, name).await.expect("a guest").0);
    }
    let table = TableId(0xabc).to_string();
    players[0]
        .create_table(&table, "scripted", &settings())
        .await
        .expect("a table");
    let mut ids = RequestIds::default();
    for player in &players {
        player
            .sit(&table, ids.next(0), None, 10_000, true)
            .await
            .expect("a seat");
    }
    let mut kills = 0;
    let mut raised = false;
    for _ in 0..200 {
        let views = look(&players, &table).await;
        let deck = start_of_the_deck(&players, &views);
        assert_eq!(
            holding(&keep.files, &deck),
            None,
            "P5: clear cards of a live hand at rest"
        );
        server.kill();
        server = Server::start_at(folder.path(), keep, port);
        kills += 1;
        assert_eq!(look(&players, &table).await, views, "after kill {kills}");
        if views[0].hand > hands {
            break;
        }
        let legal = views[0].legal.as_ref().expect("somebody is to act");
        let to_act = players
            .iter()
            .position(|player| seat_of(&views[0], player) == Some(legal.seat));
        let turn = ForTurn {
            hand: views[0].hand,
            turn: legal.turn,
        };
        // A raise on every street of the second hand, calls and checks elsewhere.
        raised = !raised && turn.hand == 2 && legal.raise_to_min > 0;
        let what = match legal.check {
            _ if raised => Move::RaiseTo(legal.raise_to_min),
            true => Move::Check,
            false => Move::Call,
        };
        let actor = &players[to_act.expect("the player to act sits")];
        actor
            .act(&table, ids.next(0), turn, what)
            .await
            .expect("a legal action");
    }
    assert!(
        kills >= 7 * hands,
        "{hands} hands take more than {kills} actions"
    );
    let last = look(&players, &table).await;
    let chips: u64 = last[0].seats.iter().map(|seat| seat.stack).sum::<u64>() + last[0].pot;
    assert_eq!(chips, 30_000);
}

/// How the deck of the hand begins: the hole cards, one at a time, from the left of the button.
fn start_of_the_deck(players: &[Player], views: &[TableView]) -> Vec<u8> {
    let button = views[0].button.expect("a hand has a button");
    let mut dealt: Vec<_> = players
        .iter()
        .zip(views)
        .filter_map(|(player, view)| {
            let own = view.seats.iter().find(|seat| seat.player_id == player.id());
            own.filter(|seat| seat.dealt)
        })
        .collect();
    dealt.sort_by_key(|seat| (seat.seat + 9 - button) % 10);
    let card = |round: usize| {
        dealt
            .iter()
            .map(move |seat| seat.cards[round].parse::<engine::Card>())
    };
    card(0)
        .chain(card(1))
        .map(|card| card.expect("a card").index())
        .collect()
}

/// The first file in a folder, or in one below it, that holds these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.into_iter().find_map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return holding(&path, bytes);
        }
        // A database may have removed it since it was listed.
        let held = std::fs::read(&path).ok()?;
        memchr::memmem::find(&held, bytes).map(|_at| path)
    })
}

#[test]
fn cards_at_rest_would_be_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orp.db");
    std::fs::write(&file, [9, 9, 51, 4, 17, 30, 9]).expect("it is written");
    assert_eq!(holding(folder.path(), &[51, 4, 17, 30]), Some(file));
    assert_eq!(holding(folder.path(), &[4, 51, 17, 30]), None);
}

/// What each player may see once somebody is to act, when nothing changes by itself; without the clock, which may differ.
async fn look(players: &[Player], table: &str) -> Vec<TableView> {
    for _ in 0..1_000 {
        let mut views = Vec::new();
        let mut sequences = Vec::new();
        for player in players {
            let (at, mut view) = player.table(table).await.expect("a view");
            if let Some(legal) = &mut view.legal {
                legal.time_left_ms = 0;
            }
            sequences.push(at.sequence);
            views.push(view);
        }
        let one = sequences.iter().all(|sequence| *sequence == sequences[0]);
        if one && views[0].legal.is_some() {
            check_cards(players, &views);
            return views;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody is ever to act");
}

/// Each player sees the own cards and no others.
fn check_cards(players: &[Player], views: &[TableView]) {
    for (player, view) in players.iter().zip(views) {
        for seat in &view.seats {
            let own = seat.dealt && seat.player_id == player.id();
            assert_eq!(seat.cards.len(), if own { 2 } else { 0 }, "{seat:?}");
        }
    }
}

fn seat_of(view: &TableView, player: &Player) -> Option<u32> {
    view.seats
        .iter()
        .find(|seat| seat.player_id == player.id())
        .map(|seat| seat.seat)
}

fn settings() -> Settings {
    Settings {
        seats: 3,
        small_blind: 50,
        big_blind: 100,
        buy_in_min: 2_000,
        buy_in_max: 10_000,
        action_ms: 600_000,
        ..Settings::default()
    }
}

fn patience() -> Patience {
    Patience {
        attempt: Duration::from_secs(5),
        overall: Duration::from_secs(60),
        backoff: Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(50),
        },
    }
}

pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
