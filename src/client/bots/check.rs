//! The checker: what one player sees of one table, compared with what the server promised and answered.
//!
//! It only knows frames and answers, so it can be shown any history, broken ones too: see its tests.

use proto::v1::table_event::Event;
use proto::v1::{self, ActionKind};

use super::violation::{Finding, Violation};
use crate::client::card::Card;
use crate::client::model::{FoldError, Move, Status, TableModel};
use crate::client::track::At;
use crate::client::watch::Update;

/// What a player did, or tried to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deed {
    /// The hand.
    pub hand: u64,
    /// The turn in it.
    pub turn: u32,
    /// The move.
    pub what: Move,
}

/// One player's view of one table, under suspicion.
#[derive(Debug)]
pub struct Checker {
    table: String,
    me: String,
    model: Option<TableModel>,
    at: At,
    own_in: u64,
    /// Events up to here may not have been seen one by one.
    unseen_until: u64,
    jumps: u64,
    /// Chips may have left the table unseen: rake, or a player who went.
    leaked: bool,
    hole: Option<(u64, Vec<Card>)>,
    timed_out: bool,
    done: Vec<Done>,
    expected: Vec<(Deed, At)>,
    refused: Vec<Deed>,
    unverified: u64,
    needs_snapshot: bool,
    findings: Vec<Finding>,
}

/// An action of the player that is in the log.
#[derive(Clone, Copy, Debug)]
struct Done {
    deed: Deed,
    by_rules: bool,
}

impl Checker {
    /// For one player at one table.
    pub fn new(table: &str, me: &str) -> Checker {
        Checker {
            table: table.into(),
            me: me.into(),
            model: None,
            at: At::default(),
            own_in: 0,
            unseen_until: 0,
            jumps: 0,
            leaked: false,
            hole: None,
            timed_out: false,
            done: Vec::new(),
            expected: Vec::new(),
            refused: Vec::new(),
            unverified: 0,
            needs_snapshot: false,
            findings: Vec::new(),
        }
    }

    /// The table as far as it is known; nothing before the first snapshot and after a contradiction.
    pub fn model(&self) -> Option<&TableModel> {
        self.model.as_ref()
    }

    /// The last place seen.
    pub fn at(&self) -> At {
        self.at
    }

    /// Chips that this player brought, as the log says.
    pub fn own_in(&self) -> u64 {
        self.own_in
    }

    /// How often a snapshot replaced events.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Whether rake or a leaving player may have been missed in such a jump.
    pub fn leaked(&self) -> bool {
        self.leaked
    }

    /// Acknowledged actions whose events were replaced by a snapshot, or have not come yet.
    pub fn unverified(&self) -> u64 {
        let open = u64::try_from(self.expected.len()).unwrap_or(u64::MAX);
        self.unverified.saturating_add(open)
    }

    /// True once after a contradiction: what is known is thrown away, and a snapshot is to be asked for.
    pub fn takes_snapshot(&mut self) -> bool {
        std::mem::take(&mut self.needs_snapshot)
    }

    /// What was found since the last time.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Takes the next update of this table.
    pub fn update(&mut self, update: &Update) {
        match update {
            Update::Snapshot { at, view, .. } => self.snapshot(*at, view),
            Update::Event { at, event, .. } => self.event(*at, event),
            Update::Gap { missing, .. } => self.found(
                Violation::Gap,
                format!("{missing} events are missing after {:?}", self.at),
            ),
            Update::Rewound { by, .. } => self.found(
                Violation::Rewound,
                format!("{by} events were lost after {:?}", self.at),
            ),
            Update::Refused { refusal, .. } => {
                self.found(Violation::Forgotten, refusal.to_string())
            }
            Update::Connected { .. }
            | Update::Lost { .. }
            | Update::Reset { .. }
            | Update::Over { .. } => {}
        }
    }

    /// The server said that this is done, at this place of the log.
    pub fn acknowledged(&mut self, deed: Deed, at: At) {
        if at.sequence > self.at.sequence {
            self.expected.push((deed, at));
        } else {
            self.must_be_done(deed, at);
        }
    }

    /// The server said that this is refused. It must not be in the log, now or later.
    pub fn refused(&mut self, deed: Deed) {
        if self
            .done
            .iter()
            .any(|done| done.deed == deed && !done.by_rules)
        {
            self.found(
                Violation::RefusedHappened,
                format!("{deed:?} was in the log and then refused"),
            );
        }
        self.refused.push(deed);
    }

    fn must_be_done(&mut self, deed: Deed, at: At) {
        if self.done.iter().any(|done| done.deed == deed) {
            return;
        }
        if at.sequence <= self.unseen_until {
            self.unverified = self.unverified.saturating_add(1);
            return;
        }
        self.found(
            Violation::AcknowledgedLost,
            format!("{deed:?} was acknowledged at {at:?} and is not in the log"),
        );
    }

    fn expected_by_now(&mut self) {
        let passed = |(_, at): &(Deed, At)| at.sequence <= self.at.sequence;
        let (due, open) = self.expected.drain(..).partition::<Vec<_>, _>(passed);
        self.expected = open;
        for (deed, at) in due {
            self.must_be_done(deed, at);
        }
    }

    fn snapshot(&mut self, at: At, view: &v1::TableView) {
        let mut model = match TableModel::new(view) {
            Ok(model) => model,
            Err(error) => return self.contradiction(&error),
        };
        if let Some(before) = self.model.take() {
            model.carry_over(&before);
            self.compare(&before, &model, at);
        } else if self.jumps > 0 || self.at != At::default() {
            // What happened since the contradiction is not known.
            self.leaked = true;
        }
        self.own_cards_of(&model);
        if at.sequence != self.at.sequence {
            self.unseen_until = at.sequence;
        }
        self.at = at;
        self.model = Some(model);
        self.expected_by_now();
    }

    fn compare(&mut self, before: &TableModel, now: &TableModel, at: At) {
        let same_hand = before.running && now.running && before.hand == now.hand;
        if at.sequence == self.at.sequence {
            if let Some(what) = difference(before, now) {
                self.found(
                    Violation::StateChanged,
                    format!("{what} is another at {at:?}"),
                );
            }
            return;
        }
        self.jumps = self.jumps.saturating_add(1);
        let gone = before.taken().any(|(no, seat)| {
            now.seat(no)
                .is_none_or(|other| other.player_id != seat.player_id)
        });
        self.leaked |= gone || now.stakes.rake_per_10000 > 0;
        if !same_hand {
            return;
        }
        if in_play(before) != in_play(now) {
            let (was, is) = (in_play(before), in_play(now));
            self.found(
                Violation::ChipsNotConserved,
                format!("hand {} had {was} chips and has {is}", now.hand),
            );
        }
        if !now.board.starts_with(&before.board) {
            self.found(
                Violation::StateChanged,
                format!("the board of hand {} changed", now.hand),
            );
        }
    }

    /// Cards in a snapshot: the own ones as before, nobody else's while a player is to act.
    fn own_cards_of(&mut self, model: &TableModel) {
        if !model.running {
            return;
        }
        for (_, seat) in model.taken() {
            if seat.cards.is_empty() || !seat.dealt {
                continue;
            }
            if seat.player_id == self.me {
                self.own_cards(model.hand, &seat.cards);
            } else if model.turn.is_some() {
                self.found(
                    Violation::ForeignCards,
                    format!("cards of {} in hand {}", seat.player_id, model.hand),
                );
            }
        }
    }

    fn own_cards(&mut self, hand: u64, cards: &[Card]) {
        match &self.hole {
            Some((known, before)) if *known == hand && before != cards => {
                let detail = format!("hand {hand}: other cards than before");
                self.found(Violation::CardsChanged, detail);
            }
            Some(_) | None => self.hole = Some((hand, cards.to_vec())),
        }
    }

    fn event(&mut self, at: At, event: &v1::TableEvent) {
        self.at = at;
        let Some(mut model) = self.model.take() else {
            return;
        };
        if let Some(event) = &event.event {
            self.before(&model, event);
        }
        let before = balance(&model);
        if let Err(error) = model.apply(event) {
            return self.contradiction(&error);
        }
        if balance(&model) != before {
            self.found(
                Violation::ChipsNotConserved,
                format!("the table's chips do not add up at {at:?}"),
            );
        }
        if let Some(Event::HandStarted(_)) = &event.event {
            let last = model.hand.saturating_sub(HANDS_KEPT);
            self.done.retain(|done| done.deed.hand >= last);
            self.refused.retain(|deed| deed.hand >= last);
        }
        self.model = Some(model);
        self.expected_by_now();
    }

    /// What an event must not be, given what is known before it.
    fn before(&mut self, model: &TableModel, event: &Event) {
        let my_seat = model.seat_of(&self.me).map(|(no, _)| no);
        match event {
            Event::HoleCards(hole) if Some(hole.seat) == my_seat => {
                self.told_cards(model.hand, &hole.cards)
            }
            Event::HoleCards(hole) => {
                self.found(
                    Violation::ForeignCards,
                    format!("cards of seat {} in hand {}", hole.seat, model.hand),
                );
            }
            Event::Shown(shown) if Some(shown.seat) == my_seat => {
                self.told_cards(model.hand, &shown.cards)
            }
            Event::HandVoided(voided) => {
                self.found(Violation::HandVoided, format!("hand {}", voided.hand))
            }
            Event::TurnStarted(_) => self.timed_out = false,
            Event::TimedOut(timed_out) => self.timed_out |= Some(timed_out.seat) == my_seat,
            Event::Acted(acted) => self.acted(model, acted, my_seat),
            Event::SeatTaken(taken) if taken.player_id == self.me => {
                self.own_in = self.own_in.saturating_add(taken.stack);
            }
            Event::ChipsAdded(added) if Some(added.seat) == my_seat => {
                let queued = model.seat(added.seat).map_or(0, |seat| seat.queued);
                // Chips that join the stack were counted when they were queued.
                let new = if added.queued {
                    added.amount
                } else {
                    added.amount.saturating_sub(queued)
                };
                self.own_in = self.own_in.saturating_add(new);
            }
            Event::SeatTaken(_)
            | Event::ChipsAdded(_)
            | Event::Shown(_)
            | Event::SeatLeft(_)
            | Event::SeatChanged(_)
            | Event::HandStarted(_)
            | Event::Posted(_)
            | Event::TimeBankStarted(_)
            | Event::UncalledReturned(_)
            | Event::StreetDealt(_)
            | Event::Mucked(_)
            | Event::PotAwarded(_)
            | Event::HandEnded(_)
            | Event::TableClosed(_)
            | Event::BlindsMissed(_)
            | Event::ReconnectTimeStarted(_)
            | Event::ButtonMissed(_)
            | Event::RunTwiceAsked(_)
            | Event::RunTwiceAnswered(_)
            | Event::RunTwiceSettled(_)
            | Event::SecondBoardDealt(_) => {}
        }
    }

    fn told_cards(&mut self, hand: u64, texts: &[String]) {
        let cards = texts.iter().map(|text| text.parse());
        match cards.collect::<Result<Vec<Card>, _>>() {
            Ok(cards) => self.own_cards(hand, &cards),
            Err(error) => self.found(Violation::Malformed, error.to_string()),
        }
    }

    fn acted(&mut self, model: &TableModel, acted: &v1::Acted, my_seat: Option<u32>) {
        let told = (acted.seat, acted.turn);
        match model.turn {
            Some(turn) if (turn.seat, turn.turn) == told => {}
            // A snapshot in mid-hand may have left the turn out.
            None if !model.whole_hand()
                || self.unseen_until >= self.at.sequence.saturating_sub(1) => {}
            turn => {
                let detail = format!(
                    "seat {} acted in turn {} of hand {}: {turn:?} is open",
                    told.0, told.1, model.hand
                );
                self.found(Violation::OutOfTurn, detail);
            }
        }
        if Some(acted.seat) != my_seat {
            return;
        }
        let Some(what) = what(acted) else {
            return self.found(Violation::Malformed, "an action without a kind".into());
        };
        let deed = Deed {
            hand: model.hand,
            turn: acted.turn,
            what,
        };
        let away = model
            .seat(acted.seat)
            .is_some_and(|seat| seat.leaving || seat.status == Status::SittingOut);
        let by_rules = self.timed_out || away;
        self.timed_out = false;
        if self
            .done
            .iter()
            .any(|done| (done.deed.hand, done.deed.turn) == (deed.hand, deed.turn))
        {
            self.found(Violation::ActedTwice, format!("{deed:?}"));
        }
        if !by_rules && self.refused.contains(&deed) {
            self.found(
                Violation::RefusedHappened,
                format!("{deed:?} was refused and is in the log"),
            );
        }
        self.done.push(Done { deed, by_rules });
    }

    fn contradiction(&mut self, error: &FoldError) {
        let violation = match error {
            FoldError::StackDiffers { .. }
            | FoldError::NotEnough { .. }
            | FoldError::BetDiffers { .. }
            | FoldError::PotDiffers { .. }
            | FoldError::LeftInTheMiddle(_)
            | FoldError::CashOutDiffers { .. }
            | FoldError::Overflow => Violation::ChipsNotConserved,
            FoldError::HandDiffers { .. } => Violation::HandOutOfOrder,
            FoldError::NoSuchSeat(_)
            | FoldError::SeatTaken(_)
            | FoldError::Seats(_)
            | FoldError::Meaningless(_)
            | FoldError::Card(_)
            | FoldError::CardTwice => Violation::Malformed,
        };
        self.found(violation, format!("{error} at {:?}", self.at));
        self.model = None;
        self.needs_snapshot = true;
    }

    fn found(&mut self, violation: Violation, detail: String) {
        // A table that is broken is broken at every event: a few are enough to find out why.
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                violation,
                table: self.table.clone(),
                detail,
            });
        }
    }
}

/// What is the same before and after every event.
fn balance(model: &TableModel) -> Option<u64> {
    let out = model.chips_out.checked_add(model.rake)?;
    model
        .on_table()
        .checked_add(out)?
        .checked_sub(model.chips_in)
}

/// The chips of the hand: stacks and bets of everybody dealt in, and the pots.
fn in_play(model: &TableModel) -> u64 {
    let dealt = model.taken().filter(|(_, seat)| seat.dealt);
    dealt.fold(model.pot, |sum, (_, seat)| {
        sum.saturating_add(seat.stack).saturating_add(seat.bet)
    })
}

/// What differs between two pictures of the same place in the log.
fn difference(before: &TableModel, now: &TableModel) -> Option<&'static str> {
    if (before.hand, before.running) != (now.hand, now.running) {
        return Some("the hand");
    }
    let chips = |model: &TableModel| -> Vec<_> {
        model
            .taken()
            .map(|(no, seat)| (no, seat.player_id.clone(), seat.stack, seat.bet))
            .collect()
    };
    if chips(before) != chips(now) || before.pot != now.pot {
        return Some("a stack, bet or pot");
    }
    if !now.running {
        return None;
    }
    if before.board != now.board || before.street != now.street {
        return Some("the board");
    }
    let playing = |model: &TableModel| -> Vec<_> {
        model
            .taken()
            .filter(|(_, seat)| seat.in_hand)
            .map(|(no, _)| no)
            .collect()
    };
    if playing(before) != playing(now) {
        return Some("who is in the hand");
    }
    match (before.turn, now.turn) {
        (Some(was), Some(is))
            if (was.seat, was.turn, was.options) != (is.seat, is.turn, is.options) =>
        {
            Some("the turn")
        }
        (Some(_) | None, Some(_) | None) => None,
    }
}

fn what(acted: &v1::Acted) -> Option<Move> {
    match acted.action() {
        ActionKind::Fold => Some(Move::Fold),
        ActionKind::Check => Some(Move::Check),
        ActionKind::Call => Some(Move::Call),
        ActionKind::RaiseTo => Some(Move::RaiseTo(acted.to)),
        ActionKind::Unspecified => None,
    }
}

/// Findings of one table that are kept until they are taken.
const FINDINGS_MAX: usize = 16;

/// An answer may come many hands late: its caller asked again only after a pause, while the others went on.
const HANDS_KEPT: u64 = 500;
