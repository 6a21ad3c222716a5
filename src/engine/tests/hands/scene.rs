//! One scenario: a table, its players by name, and what happened so far.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

use engine::{
    Action, Ante, ButtonRule, Card, Command, Deck, Entry, Event, Fact, Hand, HandNo, Name,
    PlayerId, Rake, SeatNo, Settings, Table, Turn, Variant, Viewer, check, decide, evolve, legal,
    view,
};

use crate::rules;
use crate::story::{tell, tell_legal, tell_reject};

#[derive(Default)]
pub struct Scene {
    table: Option<Table>,
    players: BTreeMap<String, PlayerId>,
    /// Names by seat, as they were when the seat was last taken.
    seats: BTreeMap<SeatNo, String>,
    events: Vec<Event>,
    /// Of the last command, not yet expected ones.
    story: Vec<String>,
    all_of_last: Vec<String>,
    /// The last question whether to run it twice.
    asked: Option<(HandNo, Turn)>,
}

type Result<T = ()> = std::result::Result<T, String>;

impl Scene {
    /// Plays or checks one line.
    pub fn line(&mut self, line: &str) -> Result {
        let line = line.split('#').next().unwrap_or_default();
        if line.trim().is_empty() {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            self.expect(&words)
        } else {
            self.command(&words)
        }
    }

    /// The events alone must give the same table.
    pub fn finish(self) -> Result {
        let table = self.table.ok_or("no table")?;
        let mut again = Table::new(table.settings().clone()).map_err(text)?;
        for event in &self.events {
            evolve(&mut again, event);
        }
        for player in self.players.values() {
            let viewer = Viewer::Player(*player);
            equal(
                "the replayed view",
                &view(&again, viewer),
                &view(&table, viewer),
            )?;
        }
        equal("the replayed ledger", &again.ledger(), &table.ledger())
    }

    fn command(&mut self, words: &[&str]) -> Result {
        let (words, refusal) = match words.iter().position(|word| *word == "!") {
            Some(at) => (&words[..at], Some(words[at + 1..].join(" "))),
            None => (words, None),
        };
        if let ["table", options @ ..] = words {
            self.table = Some(Table::new(settings(options)?).map_err(text)?);
            return Ok(());
        }
        let command = self.parse(words)?;
        let table = self.table.as_mut().ok_or("no table yet")?;
        let events = match (decide(table, &command), refusal) {
            (Ok(events), None) => events,
            (Err(reject), Some(refusal)) => {
                return equal("the refusal", &tell_reject(reject), &refusal);
            }
            (Err(reject), None) => return Err(format!("refused: {}", tell_reject(reject))),
            (Ok(_), Some(refusal)) => return Err(format!("not refused with {refusal}")),
        };
        self.story.clear();
        for event in events {
            if let Event::Public(Fact::SeatTaken { seat, name, .. }) = &event {
                self.seats.insert(*seat, name.as_str().into());
            }
            let table = self.table.as_mut().ok_or("no table yet")?;
            evolve(table, &event);
            let asked = |hand: &Hand| Some((hand.no(), hand.run_twice_asked()?.1));
            self.asked = table.hand().and_then(asked).or(self.asked);
            check(table).map_err(text)?;
            self.story
                .push(tell(&event, |seat| named(&self.seats, seat)));
            self.events.push(event);
        }
        self.all_of_last = self.story.clone();
        Ok(())
    }

    fn parse(&mut self, words: &[&str]) -> Result<Command> {
        match words {
            ["sit", seat, name, buy_in, options @ ..] => {
                let next = PlayerId(self.players.len() as u128 + 1);
                let player = *self.players.entry((*name).into()).or_insert(next);
                let mut entry = Entry::WaitForBigBlind;
                let mut must_bring = 0;
                for option in options {
                    match option.strip_prefix("must-bring=") {
                        Some(chips) => must_bring = number(chips)?,
                        None => entry = parse_entry(option)?,
                    }
                }
                let name = Name::new(name).map_err(text)?;
                Ok(Command::Sit {
                    player,
                    name,
                    seat: SeatNo(number(seat)?),
                    buy_in: number(buy_in)?,
                    entry,
                    must_bring,
                })
            }
            ["deal", options @ ..] => self.parse_deal(options),
            ["timeout"] => {
                let clock = self.table()?.clock().ok_or("no clock runs")?;
                Ok(Command::TimeOut {
                    hand: clock.hand,
                    turn: clock.turn,
                    phase: clock.phase,
                })
            }
            ["void"] => Ok(Command::Void),
            ["close"] => Ok(Command::Close),
            ["stale", words @ ..] => self.parse_sent(words, |_, turn| turn.0 -= 1),
            ["of-hand", no, words @ ..] => {
                let no = number(no)?;
                self.parse_sent(words, |hand, _| hand.0 = no)
            }
            [name, verb, rest @ ..] => {
                let player = *self
                    .players
                    .get(*name)
                    .ok_or(format!("nobody is called {name}"))?;
                self.parse_player(player, verb, rest)
            }
            [] | [_] => Err(format!("no command: {words:?}")),
        }
    }

    /// An action that names another hand or turn than the open one.
    fn parse_sent(
        &mut self,
        words: &[&str],
        change: impl FnOnce(&mut HandNo, &mut Turn),
    ) -> Result<Command> {
        let mut command = self.parse(words)?;
        let Command::Act { hand, turn, .. } = &mut command else {
            return Err("only an action names a turn".into());
        };
        change(hand, turn);
        Ok(command)
    }

    fn parse_player(&self, player: PlayerId, verb: &str, rest: &[&str]) -> Result<Command> {
        let act = |action, bank_used_ms| {
            let hand = self.table()?.hand();
            let (no, turn) = hand.map_or((HandNo(0), Turn(0)), |hand| {
                (hand.no(), hand.turn().map_or(Turn(0), |t| t.1))
            });
            Ok(Command::Act {
                player,
                hand: no,
                turn,
                action,
                bank_used_ms,
            })
        };
        match (verb, rest) {
            ("folds", []) => act(Action::Fold, 0),
            ("checks", []) => act(Action::Check, 0),
            ("calls", []) => act(Action::Call, 0),
            ("calls", ["bank", ms]) => act(Action::Call, number(ms)?),
            ("bets" | "raises", [to]) => act(Action::RaiseTo { to: number(to)? }, 0),
            ("leaves", []) => Ok(Command::Leave { player }),
            ("tops-up", [amount]) => Ok(Command::TopUp {
                player,
                amount: number(amount)?,
            }),
            ("sits-out", []) => Ok(Command::SitOut { player }),
            ("sits-in", [entry]) => Ok(Command::SitIn {
                player,
                entry: parse_entry(entry)?,
            }),
            ("straddles", [wish @ ("on" | "off")]) => Ok(Command::Straddle {
                player,
                on: *wish == "on",
            }),
            ("runs", [wish @ ("once" | "twice")]) => {
                let hand = self.table()?.hand();
                let asked = hand.and_then(|hand| Some((hand.no(), hand.run_twice_asked()?.1)));
                let (hand, turn) = asked.or(self.asked).unwrap_or((HandNo(1), Turn(99)));
                Ok(Command::RunTwice {
                    player,
                    hand,
                    turn,
                    agree: *wish == "twice",
                })
            }
            ("connects", []) => Ok(Command::Connected { player }),
            ("disconnects", []) => Ok(Command::Disconnected { player }),
            _ => Err(format!("no command: {verb} {rest:?}")),
        }
    }

    /// The deck has the named cards where those players and the board get them. Who is dealt in is found by dealing.
    fn parse_deal(&self, options: &[&str]) -> Result<Command> {
        let mut first_button = SeatNo(0);
        let mut variant = self.table()?.settings().game.variant;
        let mut hands: BTreeMap<&str, Vec<Card>> = BTreeMap::new();
        for option in options {
            match option.split_once('=') {
                Some(("button", seat)) => first_button = SeatNo(number(seat)?),
                // The deck of another game than the table's.
                Some(("deck", of)) => variant = game(of)?.0,
                Some((owner, named)) => drop(hands.insert(owner, cards(named)?)),
                None => return Err(format!("not an option of deal: {option}")),
            }
        }
        let sorted: Vec<Card> = variant.cards().collect();
        let any = Deck::new(&sorted).map_err(text)?;
        let trial = Command::Deal {
            deck: any,
            first_button,
        };
        let Ok(events) = decide(self.table()?, &trial) else {
            return Ok(trial);
        };
        let dealt = events.iter().find_map(|event| match event {
            Event::Public(Fact::HandStarted { dealt, .. }) => Some(dealt),
            Event::Public(_) | Event::Private(_) => None,
        });
        let owners: Vec<String> = dealt
            .ok_or("no hand")?
            .iter()
            .map(|dealt| named(&self.seats, dealt.seat))
            .collect();

        let (players, each) = (owners.len(), usize::from(variant.hole_len()));
        let mut deck: Vec<Option<Card>> = vec![None; sorted.len()];
        for (owner, cards) in &hands {
            let places: Vec<usize> = match owners.iter().position(|name| name == owner) {
                Some(place) => (0..each).map(|round| place + round * players).collect(),
                None if *owner == "board" => (0..5).map(|card| players * each + card).collect(),
                // Those of its cards that the boards do not share.
                None if *owner == "second" => (5..10).map(|card| players * each + card).collect(),
                None => return Err(format!("{owner} is not dealt in: {owners:?}")),
            };
            for (place, card) in places.into_iter().zip(cards) {
                deck[place] = Some(*card);
            }
        }
        let mut rest = sorted
            .into_iter()
            .filter(|card| !hands.values().flatten().any(|named| named == card));
        let deck: Option<Vec<Card>> = deck
            .into_iter()
            .map(|card| card.or_else(|| rest.next()))
            .collect();
        let deck = deck.ok_or("a card is named twice")?;
        Ok(Command::Deal {
            deck: Deck::new(&deck).map_err(text)?,
            first_button,
        })
    }

    fn expect(&mut self, words: &[&str]) -> Result {
        let table = self.table()?;
        match words {
            ["turn", rest @ ..] => equal(
                "the turn",
                &tell_legal(legal(table), |seat| named(&self.seats, seat)),
                &rest.join(" "),
            ),
            ["stacks", rest @ ..] => rest.chunks(2).try_for_each(|pair| {
                let stack = table.stack(self.seat_of(pair[0])?).ok_or("no stack")?;
                equal(
                    &format!("the stack of {}", pair[0]),
                    &stack.to_string().as_str(),
                    &pair[1],
                )
            }),
            ["pots", rest @ ..] => {
                let hand = view(table, Viewer::Spectator).hand.ok_or("no hand")?;
                let mut told = Vec::new();
                for pot in hand.pots {
                    let names: Vec<String> = pot
                        .contenders
                        .iter()
                        .map(|seat| named(&self.seats, *seat))
                        .collect();
                    told.extend([pot.amount.to_string(), names.join(",")]);
                }
                equal("the pots", &told.join(" "), &rest.join(" "))
            }
            ["pot", amount] => equal(
                "the pot",
                &table.hand().map(|hand| hand.pot()),
                &Some(number(amount)?),
            ),
            ["away", name, why] => {
                let away = table.seat(self.seat_of(name)?).and_then(|seat| seat.away);
                equal(
                    "the absence",
                    &away
                        .map_or("no".into(), |away| format!("{away:?}"))
                        .as_str(),
                    why,
                )
            }
            ["owes", name, what] => {
                let owes = table
                    .seat(self.seat_of(name)?)
                    .map(|seat| format!("{:?}", seat.owes));
                equal("the debt", &owes.as_deref(), &Some(*what))
            }
            ["bank-left", name, ms] => {
                let left = table.seat(self.seat_of(name)?).map(|seat| seat.bank_ms);
                equal("the time bank", &left, &Some(number(ms)?))
            }
            ["ledger", rest @ ..] => {
                let ledger = table.ledger();
                let told = format!(
                    "in {} out {} rake {}",
                    ledger.chips_in, ledger.chips_out, ledger.rake
                );
                equal("the ledger", &told, &rest.join(" "))
            }
            ["no", rest @ ..] => {
                let unwanted = rest.join(" ");
                match self
                    .all_of_last
                    .iter()
                    .find(|told| told.starts_with(&unwanted))
                {
                    Some(told) => Err(format!("unwanted: {told}")),
                    None => Ok(()),
                }
            }
            _ => {
                let wanted = words.join(" ");
                let Some(at) = self.story.iter().position(|told| *told == wanted) else {
                    return Err(format!(
                        "no event (left): {wanted}\n    of {:#?}",
                        self.all_of_last
                    ));
                };
                self.story.drain(..=at);
                Ok(())
            }
        }
    }

    fn table(&self) -> Result<&Table> {
        self.table.as_ref().ok_or("no table yet".into())
    }

    fn seat_of(&self, name: &str) -> Result<SeatNo> {
        let player = self
            .players
            .get(name)
            .ok_or(format!("nobody is called {name}"))?;
        self.table()?
            .seat_of(*player)
            .map(|(seat, _)| seat)
            .ok_or(format!("{name} has no seat"))
    }
}

fn settings(options: &[&str]) -> Result<Settings> {
    let mut settings = Settings::new(10, 1, 2);
    for option in options {
        let (key, value) = option
            .split_once('=')
            .ok_or(format!("not an option: {option}"))?;
        match key {
            "seats" => settings.seats = number(value)?,
            "blinds" => {
                let (small, big) = value.split_once('/').ok_or("blinds=small/big")?;
                settings.small_blind = number(small)?;
                settings.big_blind = number(big)?;
                settings.buy_in_min = 1;
                settings.buy_in_max = Settings::CHIPS_MAX;
            }
            "game" => (settings.game.variant, settings.game.low) = game(value)?,
            "ante" => {
                settings.ante = match value.split_once(':') {
                    Some(("each", ante)) => Ante::Each(number(ante)?),
                    Some(("big-blind", ante)) => Ante::BigBlind(number(ante)?),
                    Some(_) | None => return Err("ante=each:1 or ante=big-blind:1".into()),
                }
            }
            "buy-in" => {
                let (min, max) = value.split_once('-').ok_or("buy-in=min-max")?;
                settings.buy_in_min = number(min)?;
                settings.buy_in_max = number(max)?;
            }
            "rake" => {
                let (rate, caps) = value.split_once(':').unwrap_or((value, ""));
                let caps: Result<Vec<u64>> = caps
                    .split(',')
                    .filter(|cap| !cap.is_empty())
                    .map(number)
                    .collect();
                settings.rake = Rake {
                    per_10_000: number(rate)?,
                    caps: caps?,
                };
            }
            "bank" => {
                let (bank, gain) = value.split_once('+').ok_or("bank=ms+gain")?;
                settings.clock.bank_ms = number(bank)?;
                settings.clock.bank_gain_ms = number(gain)?;
            }
            "reconnect" => settings.clock.reconnect_ms = number(value)?,
            "button" => {
                settings.button = match value {
                    "dead" => ButtonRule::Dead,
                    "moving" => ButtonRule::Moving,
                    _ => return Err("button=dead or button=moving".into()),
                }
            }
            "betting" => settings.game.betting = rules::betting(value)?,
            "straddle" => settings.game.straddle = Some(rules::straddle(value)?),
            "blinds-of" => settings.game.blinds = rules::blinds_of(value)?,
            "run-twice" => settings.game.run_twice = value == "yes",
            "show-all-in" => settings.show_all_in = value == "yes",
            "sit-out-buttons" => settings.sit_out_buttons = number(value)?,
            "timeouts" => settings.timeouts_to_sit_out = number(value)?,
            _ => return Err(format!("no option of a table: {key}")),
        }
    }
    Ok(settings)
}

/// The cards of a game, and whether lows count.
fn game(word: &str) -> Result<(Variant, bool)> {
    let (word, low) = match word.strip_suffix("-low") {
        Some(word) => (word, true),
        None => (word, false),
    };
    let variant = match word {
        "holdem" => Variant::Holdem,
        "short-deck" => Variant::ShortDeck,
        "omaha4" => Variant::Omaha4,
        "omaha5" => Variant::Omaha5,
        "omaha6" => Variant::Omaha6,
        _ => return Err(format!("no game: {word}")),
    };
    Ok((variant, low))
}

fn parse_entry(word: &str) -> Result<Entry> {
    match word {
        "wait" => Ok(Entry::WaitForBigBlind),
        "post" => Ok(Entry::PostNow),
        _ => Err(format!("wait or post, not {word}")),
    }
}

fn cards(text: &str) -> Result<Vec<Card>> {
    (0..text.len())
        .step_by(2)
        .map(|at| {
            text.get(at..at + 2)
                .ok_or("half a card")?
                .parse()
                .map_err(self::text)
        })
        .collect()
}

fn named(seats: &BTreeMap<SeatNo, String>, seat: SeatNo) -> String {
    seats
        .get(&seat)
        .cloned()
        .unwrap_or_else(|| seat.to_string())
}

pub fn number<T: FromStr<Err: Debug>>(word: &str) -> Result<T> {
    word.parse()
        .map_err(|error| format!("not a number: {word} ({error:?})"))
}

fn equal<T: PartialEq + Debug>(what: &str, is: &T, should: &T) -> Result {
    if is == should {
        Ok(())
    } else {
        Err(format!("{what} is {is:?}, should be {should:?}"))
    }
}

fn text(error: impl Debug) -> String {
    format!("{error:?}")
}
