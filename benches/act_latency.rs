//! How long an `Act` over gRPC takes, beside an empty call on the same server and one fdatasync.
//!
//! `cargo bench --bench act_latency [-- ROUNDS]`
//!
//! A node with an embedded store, and a client, in one process over 127.0.0.1. Each round measures, one after the
//! other: an append of a few hundred bytes to a file in the same folder with fdatasync; `GetSession`, which the
//! server answers from memory; and `Act`, which it answers once the action is durable. Nothing else is under way.
//! The aim: an `Act` takes no longer than an empty call, one fdatasync and a millisecond.

use std::{
    fs::File,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use engine::Viewer;
use openrustpoker::{
    client::{Backoff, ForTurn, Link, Move, Patience, Player, RequestIds},
    table::NewTable,
};

use crate::house::at;

#[allow(dead_code, reason = "one benchmark needs less of it than another")]
mod house;

/// What one action costs in the log, about.
const ACTION_BYTES: usize = 300;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rounds = house::number(0, 2_000);
    let folder = house::folder()?;
    let node = house::node(folder.path(), "hand_pause_ms: 0").await?;
    let link = Link::new(&[node.grpc.to_string().parse()?], PATIENCE)?;
    let (ann, session) = Player::guest(&link, "Ann").await?;
    let (bob, _) = Player::guest(&link, "Bob").await?;
    let new = NewTable {
        table: house::table(0),
        name: "latency".into(),
        settings: Arc::new(house::settings(2)),
    };
    node.tables.create(new).await?;
    let table = house::table(0).to_string();
    let mut ids = RequestIds::default();
    let players = [ann, bob];
    for (seat, player) in (0..).zip(&players) {
        let id = ids.next(0);
        player
            .sit(&table, id, Some(seat), 100_000_000, true)
            .await?;
    }

    let mut file = File::create(folder.path().join("floor"))?;
    let line = [7; ACTION_BYTES];
    let (mut syncs, mut empties, mut acts) = (Vec::new(), Vec::new(), Vec::new());
    while acts.len() < rounds {
        let seen = node.tables.view(house::table(0), Viewer::Spectator).await?;
        let open = seen
            .view
            .hand
            .and_then(|hand| Some((hand.hand, hand.legal?)));
        let Some((hand, legal)) = open else {
            // The next hand is on its way into the log.
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };

        let start = Instant::now();
        file.write_all(&line)?;
        file.sync_data()?;
        syncs.push(start.elapsed());

        let start = Instant::now();
        Player::resume(&link, &session).await?;
        empties.push(start.elapsed());

        let turn = ForTurn {
            hand: hand.0,
            turn: legal.turn.0,
        };
        let what = if legal.check { Move::Check } else { Move::Call };
        let player = players
            .get(usize::from(legal.seat.0))
            .context("two sit there")?;
        let start = Instant::now();
        player.act(&table, ids.next(0), turn, what).await?;
        acts.push(start.elapsed());
    }
    node.stop().await;
    println!("{rounds} rounds, one call at a time");
    for (name, times) in [
        ("append + fdatasync", &mut syncs),
        ("empty call (GetSession)", &mut empties),
        ("Act, durable", &mut acts),
    ] {
        times.sort_unstable();
        println!(
            "  {name:<24} p50 {:>10.1?}  p99 {:>10.1?}",
            at(times, 50),
            at(times, 99)
        );
    }
    for percent in [50, 99] {
        let floor = at(&empties, percent) + at(&syncs, percent);
        let over = at(&acts, percent).saturating_sub(floor);
        println!(
            "  p{percent}: Act is {over:.1?} above an empty call and one fdatasync (aim: at most 1 ms)"
        );
    }
    Ok(())
}

/// An attempt that is repeated would be no measurement: one is all there is.
const PATIENCE: Patience = Patience {
    attempt: Duration::from_secs(10),
    overall: Duration::from_secs(10),
    backoff: Backoff {
        first: Duration::from_millis(10),
        max: Duration::from_millis(10),
    },
};
