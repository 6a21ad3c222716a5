//! Every game and every house rule on a real server, over gRPC.

mod archive;
mod bots;
mod duel;
mod house;
mod refused;

use std::{process::Command, time::Duration};

use openrustpoker::client::{
    Answer, Backoff, CallError, ForTurn, Link, Move, Patience, Player, RequestIds,
};
use proto::v1::{Game, Settings, TableView};

use crate::node::{Keep, Server};

/// A server, and players at one table of it.
struct Stage {
    server: Server,
    players: Vec<Player>,
    table: String,
    ids: RequestIds,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// So many players sit at a table of these settings, in the order of their seats.
    async fn open(settings: &Settings, players: usize) -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path(), &Keep::embedded(folder.path()));
        let link = Link::new(std::slice::from_ref(&server.address), patience()).expect("a link");
        let mut stage = Stage {
            server,
            players: Vec::new(),
            table: openrustpoker::ids::TableId(0xabc).to_string(),
            ids: RequestIds::default(),
            _folder: folder,
        };
        for name in ["Ann", "Bob", "Cat", "Dan"].into_iter().take(players) {
            let (player, _session) = Player::guest(&link, name).await.expect("a guest");
            stage.players.push(player);
        }
        let made = stage.players[0].create_table(&stage.table, "one", settings);
        made.await.expect("a table");
        Box::pin(stage.sit(settings.buy_in_max)).await;
        stage
    }

    /// All sit down, each in his seat.
    async fn sit(&mut self, buy_in: u64) {
        for (seat, player) in (0..).zip(&self.players) {
            let id = self.ids.next(0);
            let sat = player.sit(&self.table, id, Some(seat), buy_in, true).await;
            sat.expect("a seat");
        }
    }

    async fn look(&self, player: usize) -> TableView {
        let seen = self.players[player].table(&self.table).await;
        seen.expect("a view").1
    }

    /// Looks as a player until it is as it should be.
    async fn until(
        &self,
        player: usize,
        what: &str,
        holds: impl Fn(&TableView) -> bool,
    ) -> TableView {
        for _ in 0..10_000 {
            let seen = self.look(player).await;
            if holds(&seen) {
                return seen;
            }
        }
        panic!("it never came to be that {what}");
    }

    /// The table once somebody is to act in this hand.
    async fn turn(&self, hand: u64) -> TableView {
        self.until(0, "somebody is to act", |seen| {
            seen.hand == hand && seen.legal.is_some()
        })
        .await
    }

    /// Everybody gives up until this hand begins.
    async fn fold_until(&mut self, hand: u64) {
        for _ in 0..100 {
            let seen = self
                .until(0, "the hand goes on", |seen| {
                    seen.legal.is_some() || seen.hand >= hand
                })
                .await;
            if seen.hand >= hand {
                return;
            }
            let folded = self.act(&seen, Move::Fold).await;
            folded.expect("folding is legal");
        }
        panic!("hand {hand} does not begin");
    }

    /// Acts for whoever is to act.
    async fn act(&mut self, seen: &TableView, what: Move) -> Result<Answer, CallError> {
        let legal = seen.legal.as_ref().expect("somebody is to act");
        let player = &self.players[usize::try_from(legal.seat).expect("a seat is small")];
        let turn = ForTurn {
            hand: seen.hand,
            turn: legal.turn,
        };
        player.act(&self.table, self.ids.next(0), turn, what).await
    }
}

/// The name of a refusal, and its facts.
fn refused<T: std::fmt::Debug>(answer: Result<T, CallError>) -> (String, Vec<(String, String)>) {
    match answer {
        Err(CallError::Refused(refusal)) => (refusal.rule, refusal.facts.into_iter().collect()),
        other => panic!("it is not refused: {other:?}"),
    }
}

/// Six seats, blinds of 50 and 100, a clock that nobody waits for.
fn settings(game: Game) -> Settings {
    Settings {
        seats: 6,
        small_blind: 50,
        big_blind: 100,
        buy_in_min: 2_000,
        buy_in_max: 10_000,
        action_ms: 600_000,
        game: Some(game),
        ..Settings::default()
    }
}

fn game(name: &str) -> Game {
    let name: openrustpoker::client::GameName = name.parse().expect("a game");
    name.game()
}

/// Runs `orp`; what it prints, if it ends with this code.
fn orp(args: &[&str], code: i32) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_orp"))
        .args(args)
        .output()
        .expect("it runs");
    let [out, error] =
        [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert_eq!(done.status.code(), Some(code), "{args:?}: {out}{error}");
    out + &error
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
