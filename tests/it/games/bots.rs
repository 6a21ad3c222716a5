//! `orp bots --game` for each game, with and without what not every house has.

use openrustpoker::client::{GameName, Link, Operator};
use serde_json::Value;

use super::{orp, patience};
use crate::node::{Keep, Server};

#[tokio::test(flavor = "multi_thread")]
async fn bots_play_every_game() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &Keep::embedded(folder.path()));
    // Mostly they wait for each other: so all games are played at once.
    let chips_in: u64 = std::thread::scope(|scope| {
        let games = GameName::all().map(GameName::name);
        let server = &server;
        let both = move |name| play(server, name, &[]) + play(server, name, house_rules(name));
        let played: Vec<_> = games.map(|name| scope.spawn(move || both(name))).collect();
        let chips =
            |thread: std::thread::ScopedJoinHandle<'_, u64>| thread.join().expect("it passes");
        played.into_iter().map(chips).sum()
    });
    // The server's own books say the same.
    let ops = server.ops.parse().expect("an address");
    let operator = Operator::new(Link::new(&[ops], patience()).expect("a link"));
    let totals = operator.totals().await.expect("totals");
    assert_eq!((totals.chips_in, totals.on_tables), (chips_in, 0));
    assert_eq!(totals.chips_in, totals.chips_out + totals.rake);
}

/// What the game allows of straddles, second boards, a moving button.
fn house_rules(game: &str) -> &'static [&'static str] {
    match game {
        "flhe" | "flo8" => &[
            "--run-twice",
            "--moving-button",
            "--raises",
            "3",
            "--cap-off",
            "never",
        ],
        "short-deck" => &["--run-twice", "--moving-button"],
        _ => &["--run-twice", "--moving-button", "--straddle", "either"],
    }
}

/// Some hands at two tables of four; how many chips came in. Every promise is checked by the bots.
fn play(server: &Server, game: &str, more: &[&str]) -> u64 {
    let place = ["bots", "--server", server.address.as_str(), "--game", game];
    let what = [
        "--tables", "2", "--bots", "4", "--hands", "24", "--rake", "500", "--json",
    ];
    let printed = orp(&[&place[..], &what, more].concat(), 0);
    let report = printed.lines().find(|line| line.starts_with('{'));
    let report: Value = serde_json::from_str(report.expect("a report")).expect("it is JSON");
    let number = |name: &str| report[name].as_u64().expect("a number");
    assert_eq!(
        report["violations"],
        serde_json::json!({}),
        "{game} {more:?}: {report}"
    );
    assert_eq!((number("gaps"), number("unknown")), (0, 0), "{game}");
    assert!(number("hands") >= 24, "{game}: {report}");
    let out = number("chips_out") + number("rake") + number("on_tables");
    assert_eq!(number("chips_in"), out, "{game}");
    number("chips_in")
}

#[test]
fn more_bots_than_the_deck_has_cards_for() {
    let said = orp(&["bots", "--game", "plo6", "--bots", "8"], 1);
    assert!(
        said.contains("pot-limit six-card Omaha has seats for 7 players, not for 8 bots"),
        "{said}"
    );
}
