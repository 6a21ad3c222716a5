//! The table at which a person plays: updates become lines, commands become calls. No input or output here.

use std::time::Duration;

use super::command::{Command, HELP};
use crate::cli::say;
use crate::client::{ForTurn, Move, Refusal, SeatModel, TableModel, Turn, Update, notes, title};

/// What a command asks of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    Act(ForTurn, Move),
    SitOut,
    SitIn,
    TopUp(u64),
    Straddle(bool),
    RunTwice(ForTurn, bool),
    Leave,
}

/// What a command comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// Ask the server.
    Ask(Call),
    /// Say this.
    Say(Vec<String>),
    /// Leave the seat and end.
    Quit,
}

/// A line to print, and what it is, for colours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Event,
    Table,
    Prompt,
    Trouble,
}

/// The table, and what was said of it.
pub(super) struct Game {
    me: String,
    table: Option<TableModel>,
    /// Whether the player had a seat at the last update.
    seated: bool,
    lost: bool,
    /// Something was missed: the next snapshot is shown.
    missed: Option<String>,
}

impl Game {
    pub(super) fn new(me: &str) -> Game {
        Game {
            me: me.into(),
            table: None,
            seated: false,
            lost: false,
            missed: None,
        }
    }

    /// The player's seat.
    pub(super) fn seat(&self) -> Option<(u32, &SeatModel)> {
        self.table.as_ref()?.seat_of(&self.me)
    }

    /// Whether he has a seat.
    pub(super) fn seated(&self) -> bool {
        self.seated
    }

    /// Whether the table is known.
    pub(super) fn known(&self) -> bool {
        self.table.is_some()
    }

    /// The player's open turn.
    pub(super) fn my_turn(&self) -> Option<Turn> {
        let table = self.table.as_ref()?;
        let (no, _) = table.seat_of(&self.me)?;
        table.turn.filter(|turn| turn.seat == no && table.running)
    }

    /// Takes an update; gives what is to be said.
    pub(super) fn update(&mut self, update: &Update) -> Vec<Line> {
        match update {
            Update::Connected { reconnects: 0, .. } => Vec::new(),
            Update::Connected { after, .. } => {
                self.lost = false;
                vec![trouble(format!(
                    "Connected again after {} s. What happened meanwhile:",
                    after.as_secs()
                ))]
            }
            Update::Lost { reason } if !self.lost => {
                self.lost = true;
                vec![trouble(format!(
                    "The connection is lost ({reason}); trying again. Your seat and your chips are kept."
                ))]
            }
            Update::Lost { .. } => Vec::new(),
            Update::Snapshot { view, .. } => self.snapshot(view),
            Update::Event { event, .. } => self.event(event),
            Update::Reset { reason, .. } => {
                self.missed = Some(reason.clone());
                Vec::new()
            }
            Update::Gap { missing, .. } => {
                self.missed = Some(format!("{missing} events did not arrive"));
                Vec::new()
            }
            Update::Rewound { by, .. } => vec![trouble(format!(
                "The server lost {by} events of this table."
            ))],
            Update::Refused { refusal, .. } | Update::Over { refusal } => {
                vec![trouble(format!("The server shows nothing: {refusal}"))]
            }
        }
    }

    fn snapshot(&mut self, view: &proto::v1::TableView) -> Vec<Line> {
        let first = self.table.is_none();
        match TableModel::new(view) {
            Ok(table) => self.table = Some(table),
            Err(error) => {
                return vec![trouble(format!(
                    "The server's table makes no sense: {error}"
                ))];
            }
        }
        self.seated = self.seat().is_some();
        let mut lines = Vec::new();
        match self.missed.take() {
            Some(reason) => lines.push(trouble(format!(
                "What happened meanwhile is not kept ({reason}). The table now:"
            ))),
            None if !first => lines.push(trouble("The table now:".into())),
            None => {
                let game = self.table.as_ref().map(|table| table.stakes.game);
                lines.extend(game.as_ref().map(rules));
            }
        }
        lines.extend(self.picture());
        lines.extend(self.prompt());
        lines
    }

    fn event(&mut self, event: &proto::v1::TableEvent) -> Vec<Line> {
        let Some(table) = &mut self.table else {
            return Vec::new();
        };
        let me = table.seat_of(&self.me).map(|(no, _)| no);
        let sentence = event
            .event
            .as_ref()
            .and_then(|event| say::sentence(table, event, me));
        let mut lines: Vec<Line> = sentence
            .into_iter()
            .map(|text| Line {
                kind: Kind::Event,
                text,
            })
            .collect();
        let turn_before = table.turn;
        let asked_before = table.run_twice.is_some();
        if let Err(error) = table.apply(event) {
            lines.push(trouble(format!("This makes no sense: {error}")));
        }
        let turn_now = table.turn;
        let asked_now = table.run_twice.is_some();
        let seated = self.seat().is_some();
        if self.seated && !seated {
            lines.push(Line {
                kind: Kind::Table,
                text: "Your seat is free now.".into(),
            });
        }
        self.seated = seated;
        if asked_now && !asked_before {
            lines.extend(self.prompt());
        }
        if turn_now != turn_before && self.my_turn().is_some() {
            lines.extend(self.picture());
            lines.extend(self.prompt());
        }
        lines
    }

    /// The table in lines.
    pub(super) fn picture(&self) -> Vec<Line> {
        let Some(table) = &self.table else {
            return Vec::new();
        };
        let me = table.seat_of(&self.me).map(|(no, _)| no);
        say::picture(table, me)
            .into_iter()
            .map(|text| Line {
                kind: Kind::Table,
                text,
            })
            .collect()
    }

    /// The question whether to run it twice, if the player has to answer.
    fn question(&self) -> Option<ForTurn> {
        let (no, _) = self.seat()?;
        self.table.as_ref()?.asks_to_run_twice(no)
    }

    /// The number of the turn or question that waits for the player, and what was left of its clock when he heard of it.
    pub(super) fn clock(&self) -> Option<(u32, Duration)> {
        let asked = self.question().and(self.table.as_ref()?.run_twice.as_ref());
        let asked = asked.map(|asked| (asked.turn, asked.time_left_ms));
        let turn = || self.my_turn().map(|turn| (turn.turn, turn.time_left_ms));
        let (number, ms) = asked.or_else(turn)?;
        Some((number, Duration::from_millis(ms.into())))
    }

    /// What the player may do now, if it is his turn.
    pub(super) fn prompt(&self) -> Option<Line> {
        if self.question().is_some() {
            let clock = self.clock().map_or(Duration::ZERO, |(_, left)| left);
            return Some(Line {
                kind: Kind::Prompt,
                text: format!(
                    "Deal the rest of the board twice ({})? twice or once",
                    say::seconds(u32::try_from(clock.as_millis()).unwrap_or(u32::MAX))
                ),
            });
        }
        let turn = self.my_turn()?;
        let (_, seat) = self.seat()?;
        let choices = say::choices(turn.options, seat.stack, seat.bet);
        let bank = if turn.bank_ms > 0 {
            format!(" + {}", say::seconds(turn.bank_ms))
        } else {
            String::new()
        };
        let text = format!(
            "Your turn ({}{bank}): {choices}",
            say::seconds(turn.time_left_ms)
        );
        Some(Line {
            kind: Kind::Prompt,
            text,
        })
    }

    /// What a command comes to now.
    pub(super) fn command(&self, command: Command) -> Deed {
        let say = |text: &str| Deed::Say(vec![text.to_owned()]);
        let what = match command {
            Command::Nothing => {
                return Deed::Say(self.prompt().into_iter().map(|line| line.text).collect());
            }
            Command::Help => return Deed::Say(HELP.lines().map(str::to_owned).collect()),
            Command::Table => {
                let lines = self.picture().into_iter().chain(self.prompt());
                return Deed::Say(lines.map(|line| line.text).collect());
            }
            Command::Quit => return Deed::Quit,
            Command::SitOut => return Deed::Ask(Call::SitOut),
            Command::Back => return Deed::Ask(Call::SitIn),
            Command::TopUp(amount) => return Deed::Ask(Call::TopUp(amount)),
            Command::Straddle(on) => return Deed::Ask(Call::Straddle(on)),
            Command::RunTwice(agree) => {
                return match self.question() {
                    Some(question) => Deed::Ask(Call::RunTwice(question, agree)),
                    None => say("You are not asked how often to deal the board."),
                };
            }
            Command::Leave => return Deed::Ask(Call::Leave),
            Command::Fold => Some(Move::Fold),
            Command::Check => Some(Move::Check),
            Command::Call => Some(Move::Call),
            Command::RaiseTo(to) => Some(Move::RaiseTo(to)),
            Command::AllIn | Command::Raise => None,
        };
        let (Some(table), Some(turn), Some((_, seat))) = (&self.table, self.my_turn(), self.seat())
        else {
            return say("It is not your turn.");
        };
        let what = match (what, turn.options.raise_to, turn.options.call) {
            (Some(what), _, _) => what,
            (None, Some((min, max)), _) if command == Command::Raise => match min == max {
                true => Move::RaiseTo(max),
                false => return say("Raise needs an amount: raise 500."),
            },
            (None, None, _) if command == Command::Raise => return say("You cannot raise now."),
            // No more than the pot, or than the limit.
            (None, Some((_, max)), _) if max < seat.stack.saturating_add(seat.bet) => {
                return say("You cannot go all-in: that would be more than the rules allow.");
            }
            (None, Some((_, max)), _) => Move::RaiseTo(max),
            (None, None, Some(call)) if call >= seat.stack => Move::Call,
            (None, None, _) => return say("You cannot raise now, so you cannot go all-in."),
        };
        Deed::Ask(Call::Act(
            ForTurn {
                hand: table.hand,
                turn: turn.turn,
            },
            what,
        ))
    }

    /// What a refusal means to the player.
    pub(super) fn refused(&self, refusal: &Refusal) -> Vec<Line> {
        let mut lines = Vec::new();
        if refusal.repeated && refusal.is_stale() {
            lines.push(trouble(format!(
                "{refusal}. It was asked before, and may have counted then: the table says."
            )));
        } else {
            let facts: Vec<String> = refusal
                .facts
                .iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect();
            let facts = if facts.is_empty() {
                String::new()
            } else {
                format!(" [{}]", facts.join(", "))
            };
            lines.push(trouble(format!("Refused: {refusal}{facts}")));
        }
        lines.extend(self.prompt());
        lines
    }
}

/// The game, and what is not the same everywhere.
fn rules(game: &proto::v1::Game) -> Line {
    let told: Vec<String> = std::iter::once(title(game))
        .chain(notes(game).into_iter().map(str::to_owned))
        .collect();
    Line {
        kind: Kind::Table,
        text: format!("The game is {}.", told.join("; ")),
    }
}

pub(super) fn trouble(text: String) -> Line {
    Line {
        kind: Kind::Trouble,
        text,
    }
}
