//! Tables and events in words: the same for playing and for looking at finished hands.

use proto::v1::table_event::Event;
use proto::v1::{self, ActionKind, PostKind};

use crate::client::{
    Card, Options, SeatChange, SeatModel, Status, Street, TableModel, holding, title,
};

/// What an event says to a person, given the table right before it; nothing if it says nothing. `me` is the seat that
/// is called "you".
pub(super) fn sentence(table: &TableModel, event: &Event, me: Option<u32>) -> Option<String> {
    let who = |seat: u32| Who { table, seat, me };
    Some(match event {
        Event::SeatTaken(taken) => {
            format!(
                "{} sits down in seat {} with {}.",
                taken.display_name,
                taken.seat,
                chips(taken.stack)
            )
        }
        Event::SeatLeft(left) => format!(
            "{} with {}.",
            who(left.seat).does("leave", "leaves"),
            chips(left.cash_out)
        ),
        Event::SeatChanged(changed) => return seat_changed(&who(changed.seat), changed),
        Event::ChipsAdded(added) if added.queued => return None,
        Event::ChipsAdded(added) => format!(
            "{} {}.",
            who(added.seat).does("add", "adds"),
            chips(added.amount)
        ),
        Event::HandStarted(started) => {
            let button = who(started.button);
            let button = if table.seat(started.button).is_some() {
                button.name()
            } else {
                format!("empty seat {}", started.button)
            };
            format!(
                "--- Hand {}: {} players, button {button} ---",
                started.hand,
                started.dealt.len()
            )
        }
        Event::Posted(posted) => {
            let post = post_name(posted.kind());
            format!(
                "{} {post} {}.",
                who(posted.seat).does("post", "posts"),
                chips(posted.amount)
            )
        }
        Event::HoleCards(hole) => format!(
            "{} dealt {}.",
            who(hole.seat).does("are", "is"),
            hole.cards.join(" ")
        ),
        Event::TurnStarted(_) => return None,
        Event::TimeBankStarted(bank) => {
            format!(
                "{} into the time bank: {} left.",
                who(bank.seat).does("go", "goes"),
                seconds(bank.bank_ms)
            )
        }
        Event::TimedOut(timed_out) => {
            format!("{} out of time.", who(timed_out.seat).does("are", "is"))
        }
        Event::Acted(acted) => acted_sentence(&who(acted.seat), acted),
        Event::UncalledReturned(returned) => {
            format!(
                "{} {} back, which nobody called.",
                who(returned.seat).does("get", "gets"),
                chips(returned.amount)
            )
        }
        Event::StreetDealt(dealt) => {
            let board: Vec<String> = table
                .board
                .iter()
                .map(Card::to_string)
                .chain(dealt.cards.iter().cloned())
                .collect();
            format!(
                "*** {}: {}   pot {}",
                street_told(dealt.street()),
                board.join(" "),
                chips(table.in_the_middle())
            )
        }
        Event::Shown(shown) => {
            format!(
                "{} {}.",
                who(shown.seat).does("show", "shows"),
                shown.cards.join(" ")
            )
        }
        Event::Mucked(mucked) => format!(
            "{} without showing.",
            who(mucked.seat).does("give up", "gives up")
        ),
        Event::PotAwarded(awarded) => awarded_sentence(table, awarded, me),
        Event::HandEnded(_) => return None,
        Event::HandVoided(voided) => {
            format!(
                "An operator voided hand {}: all stacks are as at its start.",
                voided.hand
            )
        }
        Event::TableClosed(_) => "The table is closed.".into(),
        Event::BlindsMissed(missed) => {
            format!("{} the blinds.", who(missed.seat).does("miss", "misses"))
        }
        Event::ReconnectTimeStarted(started) => format!(
            "{} more time to reconnect: {} seconds.",
            who(started.seat).does("get", "gets"),
            started.reconnect_ms / 1_000
        ),
        Event::ButtonMissed(_) => return None,
        Event::RunTwiceAsked(asked) => {
            let asked: Vec<String> = asked
                .seats
                .iter()
                .map(|seat| who(*seat).does("decide", "decides"))
                .collect();
            format!("Deal the rest of the board twice? {}.", asked.join(", "))
        }
        Event::RunTwiceAnswered(answered) => format!(
            "{} it {}.",
            who(answered.seat).does("want", "wants"),
            if answered.agree { "twice" } else { "once" }
        ),
        Event::RunTwiceSettled(settled) => if settled.twice {
            "The rest of the board is dealt twice."
        } else {
            "The board is dealt once."
        }
        .into(),
        Event::SecondBoardDealt(dealt) => {
            let known = table.second_board.iter().map(Card::to_string);
            let board: Vec<String> = known.chain(dealt.cards.iter().cloned()).collect();
            format!(
                "*** second {}: {}",
                street_told(dealt.street()),
                board.join(" ")
            )
        }
    })
}

/// The table on several lines.
pub(super) fn picture(table: &TableModel, me: Option<u32>) -> Vec<String> {
    let board = if table.board.is_empty() {
        String::new()
    } else {
        format!("   {}", cards(&table.board))
    };
    let hand = match (table.hand, table.running) {
        (0, _) => "no hand yet".into(),
        (hand, false) => format!("after hand {hand}"),
        (hand, true) => format!(
            "hand {hand}, {}{board}   pot {}",
            street_name(table.street),
            chips(table.in_the_middle())
        ),
    };
    let stakes = format!(
        "{}/{} {}",
        chips(table.stakes.small_blind),
        chips(table.stakes.big_blind),
        title(&table.stakes.game)
    );
    let parked = if table.parked {
        "  (waits for an operator; the chips are safe)"
    } else {
        ""
    };
    let mut lines = vec![format!("{} {stakes}: {hand}{parked}", table.name)];
    for (no, seat) in table.taken() {
        lines.push(seat_line(table, no, seat, me));
    }
    if !table.second_board.is_empty() {
        lines.push(format!("  second board {}", cards(&table.second_board)));
    }
    let mine = me.and_then(|no| table.seat(no)).filter(|_| table.running);
    if let Some(held) = mine.and_then(|seat| holding(&table.stakes.game, &seat.cards, &table.board))
    {
        lines.push(format!("  you hold {held}"));
    }
    let empty = table.seats.iter().filter(|seat| seat.is_none()).count();
    if empty > 0 {
        lines.push(format!("  {empty} empty"));
    }
    lines
}

/// What may be done, with the amounts.
pub(super) fn choices(options: Options, stack: u64, bet: u64) -> String {
    let mut choices = vec!["fold".to_owned()];
    if options.check {
        choices[0] = "check".into();
    }
    if let Some(call) = options.call {
        let all = if call >= stack { " (all-in)" } else { "" };
        choices.push(format!("call {}{all}", chips(call)));
    }
    if let Some((min, max)) = options.raise_to {
        let verb = if options.check { "bet" } else { "raise" };
        let all_in = max >= stack.saturating_add(bet);
        choices.push(if min >= max && all_in {
            format!("all-in {}", chips(max))
        } else if min >= max {
            format!("{verb} to {}", chips(max))
        } else {
            format!("{verb} {} to {}", chips(min), chips(max))
        });
    }
    choices.join(", ")
}

/// An amount with its thousands apart: 12,500.
pub(super) fn chips(amount: u64) -> String {
    let digits = amount.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds as whole seconds.
pub(super) fn seconds(ms: u32) -> String {
    format!("{} s", ms.div_ceil(1_000))
}

/// Cards with blanks between.
pub(super) fn cards(cards: &[Card]) -> String {
    let texts: Vec<String> = cards.iter().map(Card::to_string).collect();
    texts.join(" ")
}

struct Who<'a> {
    table: &'a TableModel,
    seat: u32,
    me: Option<u32>,
}

impl Who<'_> {
    fn name(&self) -> String {
        if self.me == Some(self.seat) {
            return "you".into();
        }
        match self.table.seat(self.seat) {
            Some(seat) => seat.name.clone(),
            None => format!("seat {}", self.seat),
        }
    }

    fn does(&self, you: &str, other: &str) -> String {
        if self.me == Some(self.seat) {
            format!("You {you}")
        } else {
            format!("{} {other}", self.name())
        }
    }
}

fn seat_line(table: &TableModel, no: u32, seat: &SeatModel, me: Option<u32>) -> String {
    let acting = table.running && table.turn.is_some_and(|turn| turn.seat == no);
    let name = if me == Some(no) {
        format!("{} (you)", seat.name)
    } else {
        seat.name.clone()
    };
    let mut line = format!(
        "{} {no:2} {name:24} {:>12}",
        if acting { ">" } else { " " },
        chips(seat.stack)
    );
    if seat.bet > 0 {
        line.push_str(&format!("  bet {}", chips(seat.bet)));
    }
    if !seat.cards.is_empty() {
        line.push_str(&format!("  [{}]", cards(&seat.cards)));
    }
    let notes = [
        (table.button == Some(no), "button"),
        (table.running && seat.dealt && !seat.in_hand, "folded"),
        (table.running && seat.all_in, "all-in"),
        (seat.status == Status::SittingOut, "sits out"),
        (seat.status == Status::Waiting, "waits for the blind"),
        (seat.straddles, "straddles"),
        (seat.leaving, "leaves"),
        (!seat.connected, "not connected"),
    ];
    for (_, note) in notes.into_iter().filter(|(holds, _)| *holds) {
        line.push_str("  ");
        line.push_str(note);
    }
    line
}

fn seat_changed(who: &Who<'_>, changed: &v1::SeatChanged) -> Option<String> {
    let before = who.table.seat(changed.seat)?;
    let now = SeatChange::of(changed, before);
    if now.leaving && !before.leaving {
        return Some(format!("{} after the hand.", who.does("leave", "leaves")));
    }
    if now.connected != before.connected {
        return Some(match (now.connected, who.me == Some(changed.seat)) {
            (true, true) => "The table sees you again.".into(),
            (false, true) => "The table lost you.".into(),
            (true, false) => format!("{} is back.", who.name()),
            (false, false) => format!("{} lost the connection.", who.name()),
        });
    }
    if now.straddles != before.straddles {
        return Some(match now.straddles {
            true => format!(
                "{} from the next hand on.",
                who.does("straddle", "straddles")
            ),
            false => format!("{} no more.", who.does("straddle", "straddles")),
        });
    }
    if now.status == before.status {
        return None;
    }
    let reason = if changed.reason.is_empty() {
        String::new()
    } else {
        format!(" ({})", changed.reason)
    };
    match (before.status, now.status) {
        (_, Status::SittingOut) => Some(format!("{} out{reason}.", who.does("sit", "sits"))),
        (Status::SittingOut, Status::Playing | Status::Waiting) => {
            Some(format!("{} in again.", who.does("are", "is")))
        }
        (Status::Playing | Status::Waiting, Status::Playing | Status::Waiting) => None,
    }
}

fn acted_sentence(who: &Who<'_>, acted: &v1::Acted) -> String {
    let stack = who.table.seat(acted.seat).map_or(0, |seat| seat.stack);
    let all_in = if acted.added > 0 && acted.added >= stack {
        " and is all-in"
    } else {
        ""
    };
    let all_in = if who.me == Some(acted.seat) {
        all_in.replace("is", "are")
    } else {
        all_in.to_owned()
    };
    let bet_before = who
        .table
        .taken()
        .map(|(_, seat)| seat.bet)
        .max()
        .unwrap_or(0);
    match acted.action() {
        ActionKind::Fold => format!("{}.", who.does("fold", "folds")),
        ActionKind::Check => format!("{}.", who.does("check", "checks")),
        ActionKind::Call => format!(
            "{} {}{all_in}.",
            who.does("call", "calls"),
            chips(acted.added)
        ),
        ActionKind::RaiseTo if bet_before == 0 => {
            format!("{} {}{all_in}.", who.does("bet", "bets"), chips(acted.to))
        }
        ActionKind::RaiseTo => format!(
            "{} to {}{all_in}.",
            who.does("raise", "raises"),
            chips(acted.to)
        ),
        ActionKind::Unspecified => format!("{} something unheard of.", who.does("do", "does")),
    }
}

fn awarded_sentence(table: &TableModel, awarded: &v1::PotAwarded, me: Option<u32>) -> String {
    let shares: Vec<String> = awarded
        .shares
        .iter()
        .map(|share| {
            let who = Who {
                table,
                seat: share.seat,
                me,
            };
            format!("{} {}", who.does("win", "wins"), chips(share.amount))
        })
        .collect();
    let pot = if awarded.pot == 0 {
        "the pot".into()
    } else {
        format!("side pot {}", awarded.pot)
    };
    let pot = match awarded.side() {
        v1::Side::High => format!("the high half of {pot}"),
        v1::Side::Low => format!("the low half of {pot}"),
        v1::Side::Unspecified => pot,
    };
    let pot = match awarded.board {
        0 => pot,
        1 => format!("{pot}, first board"),
        _ => format!("{pot}, second board"),
    };
    let rake = if awarded.rake > 0 {
        format!(" (rake {})", chips(awarded.rake))
    } else {
        String::new()
    };
    // Who share a pot hold the same.
    let hand = awarded.shares.iter().find(|share| !share.hand.is_empty());
    let hand = hand.map_or_else(String::new, |share| format!(" with {}", share.hand));
    format!("{} of {pot}{rake}{hand}.", shares.join(", "))
}

fn post_name(kind: PostKind) -> &'static str {
    match kind {
        PostKind::SmallBlind => "the small blind,",
        PostKind::BigBlind => "the big blind,",
        PostKind::Ante => "an ante,",
        PostKind::BigBlindAnte => "the ante for all,",
        PostKind::DeadBlind => "a dead blind,",
        PostKind::LiveBlind => "a blind to play at once,",
        PostKind::Straddle => "a straddle,",
        PostKind::Unspecified => "",
    }
}

fn street_name(street: Street) -> &'static str {
    match street {
        Street::Preflop => "before the flop",
        Street::Flop => "flop",
        Street::Turn => "turn",
        Street::River => "river",
    }
}

fn street_told(street: v1::Street) -> &'static str {
    match street {
        v1::Street::Preflop | v1::Street::Unspecified => "Cards",
        v1::Street::Flop => "Flop",
        v1::Street::Turn => "Turn",
        v1::Street::River => "River",
    }
}
