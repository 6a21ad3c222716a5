//! Events as the words that scenarios expect.

use engine::{Card, Event, Fact, Legal, Reject, SeatNo};

/// The event in words; `name` says who sits where.
pub fn tell(event: &Event, name: impl Fn(SeatNo) -> String) -> String {
    let Event::Public(fact) = event else {
        return "cards".into();
    };
    match fact {
        Fact::SeatTaken {
            seat, buy_in, owes, ..
        } => format!("taken {} {buy_in} owes {owes:?}", name(*seat)),
        Fact::SeatLeft {
            seat,
            cash_out,
            reason,
            ..
        } => format!("left {} {cash_out} {reason:?}", name(*seat)),
        Fact::LeaveAsked { seat } => format!("leaving {}", name(*seat)),
        Fact::TopUpQueued { seat, amount } => format!("queued {} {amount}", name(*seat)),
        Fact::ToppedUp {
            seat,
            amount,
            returned,
            ..
        } => format!("topped-up {} {amount} back {returned}", name(*seat)),
        Fact::SatOut { seat, reason } => format!("sat-out {} {reason:?}", name(*seat)),
        Fact::SatIn { seat, entry } => format!("sat-in {} {entry:?}", name(*seat)),
        Fact::ConnectionChanged { seat, connected } => {
            format!(
                "connection {} {}",
                name(*seat),
                if *connected { "back" } else { "lost" }
            )
        }
        Fact::BlindsMissed { seat, owes } => format!("missed {} {owes:?}", name(*seat)),
        Fact::ButtonMissed { seat, times } => format!("absent {} {times}", name(*seat)),
        Fact::HandStarted {
            hand,
            button,
            small_blind,
            big_blind,
            dealt,
        } => {
            let dealt: Vec<String> = dealt.iter().map(|dealt| name(dealt.seat)).collect();
            format!(
                "hand {hand} button {button} small {small_blind} big {big_blind} dealt {}",
                dealt.join(" ")
            )
        }
        Fact::Posted { seat, post, amount } => format!("posts {} {post:?} {amount}", name(*seat)),
        Fact::TurnStarted { seat, turn } => format!("starts {} {turn}", name(*seat)),
        Fact::ReconnectTimeStarted { seat, ms } => format!("reconnect {} {ms}", name(*seat)),
        Fact::TimeBankStarted { seat, ms } => format!("bank {} {ms}", name(*seat)),
        Fact::TimedOut { seat } => format!("timed-out {}", name(*seat)),
        Fact::Acted {
            seat,
            action,
            to,
            added,
            cause,
            ..
        } => {
            let action = format!("{action:?}");
            let verb = action.split(' ').next().unwrap_or_default();
            format!(
                "acts {} {verb} to {to} added {added} {cause:?}",
                name(*seat)
            )
        }
        Fact::UncalledReturned { seat, amount } => format!("returned {} {amount}", name(*seat)),
        Fact::StreetDealt { street, cards } => format!("street {street:?} {}", joined(cards)),
        Fact::Shown { seat, cards } => format!("shows {} {}", name(*seat), joined(cards)),
        Fact::Mucked { seat } => format!("mucks {}", name(*seat)),
        Fact::PotAwarded {
            pot,
            amount,
            rake,
            shares,
            part,
        } => {
            let shares: Vec<String> = shares
                .iter()
                .map(|(seat, share)| format!("{} {share}", name(*seat)))
                .collect();
            let side = part.side.map_or(String::new(), |side| format!(" {side:?}"));
            let run = part.run.map_or(String::new(), |run| format!(" {run:?}"));
            format!(
                "awards {pot}{run}{side} {amount} rake {rake} to {}",
                shares.join(" ")
            )
        }
        Fact::RunTwiceAsked { seats, .. } => {
            let seats: Vec<String> = seats.iter().map(|seat| name(*seat)).collect();
            format!("asks {}", seats.join(" "))
        }
        Fact::RunTwiceAnswered { seat, agree } => {
            let answer = if *agree { "twice" } else { "once" };
            format!("answers {} {answer}", name(*seat))
        }
        Fact::RunTwiceSettled { twice } => {
            format!("runs {}", if *twice { "twice" } else { "once" })
        }
        Fact::SecondBoardDealt { street, cards } => format!("second {street:?} {}", joined(cards)),
        Fact::HandEnded { hand } => format!("ended {hand}"),
        Fact::HandVoided { hand } => format!("voided {hand}"),
        Fact::TableClosed => "closed".into(),
        Fact::StraddleChosen { seat, on } => {
            format!(
                "straddle {} {}",
                name(*seat),
                if *on { "on" } else { "off" }
            )
        }
    }
}

/// What is legal, as `turn` expects it.
pub fn tell_legal(legal: Option<Legal>, name: impl Fn(SeatNo) -> String) -> String {
    let Some(legal) = legal else {
        return "none".into();
    };
    let mut words = vec![name(legal.seat)];
    words.extend(legal.check.then(|| "check".into()));
    words.extend(legal.call.map(|call| format!("call {call}")));
    words.extend(
        legal
            .raise_to
            .map(|raise| format!("raise {}-{}", raise.min_to, raise.max_to)),
    );
    words.join(" ")
}

/// A refusal as its name and its bounds.
pub fn tell_reject(reject: Reject) -> String {
    let newtypes = ["SeatNo(", "HandNo(", "Turn("];
    let debug = newtypes
        .iter()
        .fold(format!("{reject:?}"), |text, newtype| {
            text.replace(newtype, "")
        });
    let debug = debug.replace(['{', '}', ',', ')'], " ").replace(": ", "=");
    let words: Vec<&str> = debug.split_whitespace().collect();
    words.join(" ")
}

fn joined(cards: &[Card]) -> String {
    cards.iter().map(|card| format!("{card}")).collect()
}
