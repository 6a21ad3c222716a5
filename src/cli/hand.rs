//! `orp hand`: finished hands.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use clap::Subcommand;
use proto::v1::{GetHandResponse, HandEvent, HandFormat, HandSummary, Seat, SeatStatus, TableView};

use super::connect::SessionArgs;
use super::say;
use crate::client::TableModel;

/// Looks at finished hands: the own cards, and cards that were shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp hand list
  orp hand list --table TABLE --limit 20
  orp hand show TABLE 17
  orp hand show TABLE 17 --phh > 17.phh
  orp hand show TABLE 17 --ohh > 17.ohh
  orp hand replay TABLE 17")]
pub struct HandArgs {
    #[command(flatten)]
    session: SessionArgs,
    #[command(subcommand)]
    command: HandCommand,
}

#[derive(Debug, Subcommand)]
enum HandCommand {
    /// List hands, newest first: your own, or those of a table.
    List {
        /// The table's id.
        #[arg(long)]
        table: Option<String>,
        /// As many as this.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print a hand.
    Show {
        #[command(flatten)]
        which: Which,
        /// As one JSON object.
        #[arg(long, conflicts_with_all = ["phh", "ohh"])]
        json: bool,
        /// In the open hand-history format PHH, which other programs read.
        #[arg(long, conflicts_with = "ohh")]
        phh: bool,
        /// In the Open Hand History JSON that trackers read.
        #[arg(long)]
        ohh: bool,
    },
    /// Step through a hand; the enter key goes on.
    Replay {
        #[command(flatten)]
        which: Which,
        /// Do not wait.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The table's id.
    table: String,
    /// The hand's number.
    hand: u64,
}

pub(super) async fn run(args: HandArgs) -> anyhow::Result<ExitCode> {
    let link = args.session.server.link()?;
    let player = args.session.anybody(&link).await?;
    match args.command {
        HandCommand::List { table, limit, json } => {
            let table = table.unwrap_or_default();
            let (mut token, mut left) = (String::new(), limit);
            while left > 0 {
                let page = player.hands(&table, &token, 0).await?;
                for hand in page.hands.into_iter().take(left) {
                    left -= 1;
                    println!(
                        "{}",
                        if json {
                            summary_json(&hand).to_string()
                        } else {
                            summary_line(&hand)
                        }
                    );
                }
                if page.next_page_token.is_empty() {
                    break;
                }
                token = page.next_page_token;
            }
        }
        HandCommand::Show {
            which, phh: true, ..
        } => {
            let text = player.export_hand(&which.table, which.hand, HandFormat::Phh);
            print!("{}", text.await?);
        }
        HandCommand::Show {
            which, ohh: true, ..
        } => {
            let text = player.export_hand(&which.table, which.hand, HandFormat::Ohh);
            println!("{}", text.await?);
        }
        HandCommand::Show { which, json, .. } => {
            let hand = player.hand(&which.table, which.hand).await?;
            if json {
                println!("{}", hand_json(&hand));
            } else {
                for line in told(&hand, player.id())?
                    .into_iter()
                    .flat_map(|step| step.lines)
                {
                    println!("{line}");
                }
            }
        }
        HandCommand::Replay { which, all } => {
            let hand = player.hand(&which.table, which.hand).await?;
            replay(&told(&hand, player.id())?, all)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One step of a hand: what happened, and the table after it.
pub(super) struct Step {
    pub(super) lines: Vec<String>,
    pub(super) after: Vec<String>,
}

/// A hand in words.
pub(super) fn told(hand: &GetHandResponse, me: &str) -> anyhow::Result<Vec<Step>> {
    let mut table = TableModel::new(&before(hand))?;
    let me = table.seat_of(me).map(|(seat, _)| seat);
    let mut steps = vec![Step {
        lines: say::picture(&table, me),
        after: Vec::new(),
    }];
    for HandEvent {
        sequence: _,
        at_ms: _,
        event,
    } in &hand.events
    {
        let Some(event) = event else { continue };
        let sentence = event
            .event
            .as_ref()
            .and_then(|event| say::sentence(&table, event, me));
        table.apply(event)?;
        if let Some(sentence) = sentence {
            steps.push(Step {
                lines: vec![sentence],
                after: say::picture(&table, me),
            });
        }
    }
    let stack = |player: &proto::v1::HandPlayer| {
        format!(
            "  {} {}: {} -> {}",
            player.seat,
            player.display_name,
            say::chips(player.stack_before),
            say::chips(player.stack_after)
        )
    };
    steps.push(Step {
        lines: hand.players.iter().map(stack).collect(),
        after: Vec::new(),
    });
    Ok(steps)
}

/// The table before the hand.
fn before(hand: &GetHandResponse) -> TableView {
    let summary = hand.summary.clone().unwrap_or_default();
    let seat = |player: &proto::v1::HandPlayer| Seat {
        seat: player.seat,
        player_id: player.player_id.clone(),
        display_name: player.display_name.clone(),
        stack: player.stack_before,
        status: SeatStatus::Playing.into(),
        connected: true,
        ..Seat::default()
    };
    TableView {
        name: format!("Table {}", summary.table_id),
        table_id: summary.table_id,
        settings: hand.settings.clone(),
        seats: hand.players.iter().map(seat).collect(),
        hand: summary.hand.saturating_sub(1),
        ..TableView::default()
    }
}

fn replay(steps: &[Step], all: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut input = std::io::stdin().lock();
    for (place, step) in steps.iter().enumerate() {
        if place > 0 && !all {
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 || line.trim() == "q" {
                return Ok(());
            }
        }
        for line in step.lines.iter().chain(&step.after) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn summary_line(hand: &HandSummary) -> String {
    format!(
        "{}  hand {:6}  pot {:>10}  {} players  {}",
        hand.table_id,
        hand.hand,
        say::chips(hand.pot),
        hand.player_ids.len(),
        hand.board.join(" "),
    )
}

fn summary_json(hand: &HandSummary) -> serde_json::Value {
    serde_json::json!({
        "table_id": hand.table_id, "hand": hand.hand, "started_ms": hand.started_ms, "ended_ms": hand.ended_ms,
        "board": hand.board, "pot": hand.pot, "player_ids": hand.player_ids,
    })
}

fn hand_json(hand: &GetHandResponse) -> serde_json::Value {
    let players: Vec<_> = hand
        .players
        .iter()
        .map(|player| {
            serde_json::json!({
                "seat": player.seat, "player_id": player.player_id, "display_name": player.display_name,
                "stack_before": player.stack_before, "stack_after": player.stack_after,
            })
        })
        .collect();
    let events: Vec<_> = hand
        .events
        .iter()
        .map(|one| {
            let event = one.event.as_ref().and_then(|event| event.event.as_ref());
            serde_json::json!({ "sequence": one.sequence, "at_ms": one.at_ms, "event": event.map(event_json) })
        })
        .collect();
    let summary = hand.summary.as_ref().map(summary_json);
    serde_json::json!({ "summary": summary, "players": players, "events": events })
}

fn event_json(event: &proto::v1::table_event::Event) -> serde_json::Value {
    use proto::v1::table_event::Event;
    use serde_json::json;
    match event {
        Event::SeatTaken(e) => {
            json!({ "seat_taken": { "seat": e.seat, "player_id": e.player_id, "stack": e.stack } })
        }
        Event::SeatLeft(e) => {
            json!({ "seat_left": { "seat": e.seat, "player_id": e.player_id, "cash_out": e.cash_out } })
        }
        Event::SeatChanged(e) => {
            json!({ "seat_changed": { "seat": e.seat, "status": e.status().as_str_name(), "reason": e.reason } })
        }
        Event::ChipsAdded(e) => {
            json!({ "chips_added": { "seat": e.seat, "amount": e.amount, "queued": e.queued } })
        }
        Event::HandStarted(e) => {
            let dealt: Vec<_> = e
                .dealt
                .iter()
                .map(|d| json!({ "seat": d.seat, "stack": d.stack }))
                .collect();
            json!({ "hand_started": {
                "hand": e.hand, "button": e.button, "small_blind": e.small_blind, "big_blind": e.big_blind, "dealt": dealt } })
        }
        Event::Posted(e) => {
            json!({ "posted": { "seat": e.seat, "kind": e.kind().as_str_name(), "amount": e.amount } })
        }
        Event::HoleCards(e) => json!({ "hole_cards": { "seat": e.seat, "cards": e.cards } }),
        Event::TurnStarted(e) => json!({ "turn_started": {
            "seat": e.seat, "turn": e.turn, "check": e.check, "call": e.call,
            "raise_to_min": e.raise_to_min, "raise_to_max": e.raise_to_max } }),
        Event::TimeBankStarted(e) => {
            json!({ "time_bank_started": { "seat": e.seat, "bank_ms": e.bank_ms } })
        }
        Event::Acted(e) => json!({ "acted": {
            "seat": e.seat, "turn": e.turn, "action": e.action().as_str_name(), "to": e.to, "added": e.added } }),
        Event::UncalledReturned(e) => {
            json!({ "uncalled_returned": { "seat": e.seat, "amount": e.amount } })
        }
        Event::StreetDealt(e) => {
            json!({ "street_dealt": { "street": e.street().as_str_name(), "cards": e.cards } })
        }
        Event::Shown(e) => {
            json!({ "shown": { "seat": e.seat, "cards": e.cards } })
        }
        Event::Mucked(e) => json!({ "mucked": { "seat": e.seat } }),
        Event::PotAwarded(e) => {
            let shares: Vec<_> = e
                .shares
                .iter()
                .map(|s| json!({ "seat": s.seat, "amount": s.amount, "hand": s.hand }))
                .collect();
            json!({ "pot_awarded": { "pot": e.pot, "amount": e.amount, "rake": e.rake, "shares": shares, "side": side(e.side()), "board": (e.board > 0).then_some(e.board) } })
        }
        Event::HandEnded(e) => json!({ "hand_ended": { "hand": e.hand } }),
        Event::HandVoided(e) => json!({ "hand_voided": { "hand": e.hand } }),
        Event::TableClosed(_) => json!({ "table_closed": {} }),
        Event::TimedOut(e) => json!({ "timed_out": { "seat": e.seat } }),
        Event::BlindsMissed(e) => {
            json!({ "blinds_missed": { "seat": e.seat, "small_blind": e.small_blind, "big_blind": e.big_blind } })
        }
        Event::ReconnectTimeStarted(e) => {
            json!({ "reconnect_time_started": { "seat": e.seat, "reconnect_ms": e.reconnect_ms } })
        }
        Event::RunTwiceAsked(e) => {
            json!({ "run_twice_asked": { "turn": e.turn, "seats": e.seats } })
        }
        Event::RunTwiceAnswered(e) => {
            json!({ "run_twice_answered": { "seat": e.seat, "agree": e.agree } })
        }
        Event::RunTwiceSettled(e) => json!({ "run_twice_settled": { "twice": e.twice } }),
        Event::SecondBoardDealt(e) => {
            json!({ "second_board_dealt": { "street": e.street().as_str_name(), "cards": e.cards } })
        }
        Event::ButtonMissed(e) => json!({ "button_missed": { "seat": e.seat, "times": e.times } }),
    }
}

/// Which half of a pot; nothing of a pot that is not divided.
fn side(side: proto::v1::Side) -> Option<&'static str> {
    match side {
        proto::v1::Side::Unspecified => None,
        proto::v1::Side::High => Some("high"),
        proto::v1::Side::Low => Some("low"),
    }
}
