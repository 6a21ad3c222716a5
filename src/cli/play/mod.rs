//! `orp play`: a seat for a person, line by line.

mod command;
mod game;
mod input;
mod paint;

#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::v1::TableSummary;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::connect::SessionArgs;
use super::exit::Failure;
use super::game::title_of;
use super::say;
use crate::client::{Answer, CallError, Player, RequestIds, Update, Watch, WatchOptions};
use command::{Command, parse};
use game::{Call, Deed, Game, Kind, Line, trouble};
use input::Lines;
use paint::Paint;

/// Sits down at a table and plays. Everything is typed in lines; `help` lists the commands. A lost connection is made
/// again, and the seat is kept. Lines may come from a pipe: then a move waits for its turn, and the end of the input
/// leaves the seat.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orp play --name Ann
  orp play --name Ann --server 10.0.0.1:50051,10.0.0.2:50051 --buy-in 5000
  printf 'call\\ncheck\\nfold\\n' | orp play --name Ann --table TABLE")]
pub struct PlayArgs {
    #[command(flatten)]
    session: SessionArgs,
    /// Your name at the table. Needed the first time; the session remembers it.
    #[arg(long)]
    name: Option<String>,
    /// The table's id [default: choose from a list].
    #[arg(long)]
    table: Option<String>,
    /// Chips to sit down with [default: as many as the table allows].
    #[arg(long, value_name = "CHIPS")]
    buy_in: Option<u64>,
    /// Seat number [default: the first empty one].
    #[arg(long, value_name = "N")]
    seat: Option<u32>,
    /// Wait for the big blind instead of posting one to play at once.
    #[arg(long)]
    wait: bool,
    /// No colours. Without it they are used on a terminal only.
    #[arg(long, env = "NO_COLOR", num_args = 0..=1, require_equals = true, default_missing_value = "1", hide_env_values = true)]
    no_color: Option<String>,
}

pub(super) async fn run(args: PlayArgs) -> anyhow::Result<ExitCode> {
    let plain = args
        .no_color
        .as_deref()
        .is_some_and(|value| !value.is_empty());
    let paint = Paint::new(std::io::stdout().is_terminal() && !plain);
    let link = args.session.server.link()?;
    let known = crate::client::Session::load(&args.session.file()?)?.is_some();
    let mut lines = Lines::stdin();
    let name = match (&args.name, known) {
        (None, false) => {
            paint.line(&Line {
                kind: Kind::Prompt,
                text: "Your name?".into(),
            })?;
            lines.next().await.map(|name| name.trim().to_owned())
        }
        (name, _) => name.clone(),
    };
    let player = args.session.player(&link, name.as_deref()).await?;
    let table = match &args.table {
        Some(table) => table.clone(),
        None => choose(&player, &mut lines, &paint).await?,
    };
    let mut seat = Seat {
        player,
        table,
        ids: RequestIds::default(),
        paint,
    };
    seat.sit(&args).await?;
    seat.play(lines).await
}

/// Lets the player choose a table.
async fn choose(player: &Player, lines: &mut Lines, paint: &Paint) -> anyhow::Result<String> {
    let tables = player.tables("", 0, true).await?.tables;
    if tables.is_empty() {
        return Err(Failure::NoTable.into());
    }
    if let [only] = tables.as_slice() {
        return Ok(only.table_id.clone());
    }
    for (place, table) in (1..).zip(&tables) {
        paint.line(&Line {
            kind: Kind::Table,
            text: offer(place, table),
        })?;
    }
    paint.line(&Line {
        kind: Kind::Prompt,
        text: format!("Which table? 1 to {}, or q to end.", tables.len()),
    })?;
    while let Some(line) = lines.next().await {
        if let Ok(Command::Quit) = parse(&line) {
            break;
        }
        let chosen = line
            .trim()
            .parse::<usize>()
            .ok()
            .and_then(|place| tables.get(place.checked_sub(1)?));
        match chosen {
            Some(table) => return Ok(table.table_id.clone()),
            None => paint.line(&trouble(format!(
                "Type the number of a table, 1 to {}, or q to end.",
                tables.len()
            )))?,
        }
    }
    Err(Failure::NotChosen.into())
}

fn offer(place: usize, table: &TableSummary) -> String {
    let settings = table.settings.clone().unwrap_or_default();
    format!(
        "{place:3}  {:24}  {}/{} {}  {} of {} seats taken  buy-in {} to {}",
        table.name,
        say::chips(settings.small_blind),
        say::chips(settings.big_blind),
        title_of(&settings),
        table.players,
        settings.seats,
        say::chips(settings.buy_in_min),
        say::chips(settings.buy_in_max),
    )
}

/// A player at a table.
struct Seat {
    player: Player,
    table: String,
    ids: RequestIds,
    paint: Paint,
}

/// How far the end of the play is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// Asked to leave; over when the seat is free, or then.
    Leaving(Instant),
}

impl Seat {
    /// Takes a seat, or comes back to the one that was kept.
    async fn sit(&mut self, args: &PlayArgs) -> anyhow::Result<()> {
        let (_, view) = self.player.table(&self.table).await?;
        if let Some(seat) = view
            .seats
            .iter()
            .find(|seat| seat.player_id == self.player.id())
        {
            let text = format!(
                "You are back in seat {} with {}.",
                seat.seat,
                say::chips(seat.stack)
            );
            return self.paint.line(&Line {
                kind: Kind::Event,
                text,
            });
        }
        let most = view.settings.map_or(0, |settings| settings.buy_in_max);
        let buy_in = args.buy_in.unwrap_or(most);
        let id = self.next_id();
        let (_, seat) = self
            .player
            .sit(&self.table, id, args.seat, buy_in, !args.wait)
            .await?;
        let text = format!(
            "You sit in seat {seat} with {}. Type help for the commands.",
            say::chips(buy_in)
        );
        self.paint.line(&Line {
            kind: Kind::Event,
            text,
        })
    }

    async fn play(mut self, mut lines: Lines) -> anyhow::Result<ExitCode> {
        let mut watch = Watch::open(
            self.player.clone(),
            vec![self.table.clone()],
            WatchOptions::default(),
        );
        let mut game = Game::new(self.player.id());
        let mut call: Option<JoinHandle<Result<Answer, CallError>>> = None;
        let mut waiting: Option<Command> = None;
        let mut ending = Ending::No;
        let mut timed: Option<u32> = None;
        let mut hurry: Option<Instant> = None;
        loop {
            if let Some(command) = waiting.filter(|_| call.is_none() && game.my_turn().is_some()) {
                waiting = None;
                call = self.obey(&game, command)?;
            }
            let reading =
                call.is_none() && waiting.is_none() && game.known() && ending == Ending::No;
            tokio::select! {
                update = watch.next() => {
                    let Some(update) = update else { anyhow::bail!(Failure::Over("the stream is closed".into())) };
                    self.paint.lines(&game.update(&update))?;
                    if let Update::Over { refusal } | Update::Refused { refusal, .. } = update {
                        anyhow::bail!(Failure::Over(refusal.to_string()));
                    }
                    let clock = game.clock();
                    if clock.map(|(number, _)| number) != timed {
                        timed = clock.map(|(number, _)| number);
                        hurry = clock.and_then(|(_, left)| Some(Instant::now() + left.checked_sub(HURRY)?));
                    }
                    if ending != Ending::No && !game.seated() {
                        return Ok(ExitCode::SUCCESS);
                    }
                }
                done = async { match &mut call { Some(call) => call.await, None => std::future::pending().await } } => {
                    call = None;
                    self.answered(&game, done?)?;
                }
                line = lines.next(), if reading => match line.as_deref().map(parse) {
                    Some(Err(error)) => self.paint.line(&trouble(error.to_string()))?,
                    Some(Ok(command)) => {
                        if command.is_move() && !lines.is_terminal() && game.my_turn().is_none() && game.seated() {
                            waiting = Some(command);
                            continue;
                        }
                        if command == Command::Quit {
                            ending = Ending::Leaving(Instant::now() + LEAVE_LIMIT);
                        }
                        call = self.obey(&game, command)?;
                    }
                    None => {
                        ending = Ending::Leaving(Instant::now() + LEAVE_LIMIT);
                        call = self.obey(&game, Command::Quit)?;
                    }
                },
                () = until(hurry) => {
                    hurry = None;
                    self.paint.line(&trouble(format!("{} s left.", HURRY.as_secs())))?;
                }
                () = until(if let Ending::Leaving(end) = ending { Some(end) } else { None }) => {
                    self.paint.line(&trouble("The hand still goes on; you leave after it.".into()))?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
            if ending != Ending::No && call.is_none() && game.known() && !game.seated() {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    /// Starts what a command asks for, or says what it says.
    fn obey(
        &mut self,
        game: &Game,
        command: Command,
    ) -> anyhow::Result<Option<JoinHandle<Result<Answer, CallError>>>> {
        match game.command(command) {
            Deed::Say(lines) => {
                for text in lines {
                    self.paint.line(&Line {
                        kind: Kind::Table,
                        text,
                    })?;
                }
                Ok(None)
            }
            Deed::Ask(call) => Ok(Some(self.ask(call))),
            Deed::Quit if game.seat().is_some_and(|(_, seat)| !seat.leaving) => {
                Ok(Some(self.ask(Call::Leave)))
            }
            Deed::Quit => Ok(None),
        }
    }

    fn ask(&mut self, call: Call) -> JoinHandle<Result<Answer, CallError>> {
        let id = self.next_id();
        let (player, table) = (self.player.clone(), self.table.clone());
        tokio::spawn(async move {
            match call {
                Call::Act(turn, what) => player.act(&table, id, turn, what).await,
                Call::SitOut => player.sit_out(&table, id).await,
                Call::SitIn => player.sit_in(&table, id, true).await,
                Call::TopUp(amount) => player.top_up(&table, id, amount).await,
                Call::Straddle(on) => player.straddle(&table, id, on).await,
                Call::RunTwice(question, agree) => {
                    player.run_twice(&table, id, question, agree).await
                }
                Call::Leave => player.leave(&table, id).await,
            }
        })
    }

    fn answered(&self, game: &Game, answer: Result<Answer, CallError>) -> anyhow::Result<()> {
        match answer {
            // What it did is told by the stream.
            Ok(_) => Ok(()),
            Err(CallError::Refused(refusal)) => self.paint.lines(&game.refused(&refusal)),
            Err(error @ CallError::Unknown { .. }) => self.paint.line(&trouble(format!(
                "{error}. Look at the table before you try again."
            ))),
            Err(error @ (CallError::Unreachable { .. } | CallError::Malformed(_))) => {
                self.paint.line(&trouble(error.to_string()))
            }
        }
    }

    /// The time is the floor, so that ids rise from one run of the program to the next.
    fn next_id(&mut self) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.ids
            .next(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// When the player is told to hurry.
const HURRY: Duration = Duration::from_secs(5);
/// How long the end of a hand is waited for after leaving.
const LEAVE_LIMIT: Duration = Duration::from_secs(30);
