//! What a client is told when a call is not done: a code, a text for people, and details for programs.
//!
//! Every error carries a `google.rpc.ErrorInfo`: its reason is the name of the rule, its domain [`DOMAIN`]. Codes say
//! whether to try again: UNAVAILABLE and DEADLINE_EXCEEDED mean *unknown* (ask again with the same request id; a
//! RetryInfo says when), all others are answers.

use std::{collections::HashMap, time::Duration};

use engine::{GameError, Reject, SettingsError};
use tonic::{Code, Status, metadata::MetadataValue};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{accounts::AccountsError, store::StoreError, table::request::CallError};

/// The domain of every ErrorInfo.
pub const DOMAIN: &str = "openrustpoker";

/// A field of a request that does not have the form it must have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Its name in the message, with dots: `settings.big_blind`.
    pub field: &'static str,
    /// The name of the refusal: `BadTableId`.
    pub reason: &'static str,
    /// What is wrong, and what to send instead.
    pub problem: String,
}

impl Invalid {
    /// A field, the name of what is wrong with it, and what to send instead.
    pub fn new(field: &'static str, reason: &'static str, problem: impl Into<String>) -> Self {
        Self {
            field,
            reason,
            problem: problem.into(),
        }
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        let text = invalid.to_string();
        let mut details = details(invalid.reason);
        details.add_bad_request_violation(invalid.field, invalid.problem);
        Self::with_error_details(Code::InvalidArgument, text, details)
    }
}

/// A call of a table that was not done.
pub fn call(error: CallError) -> Status {
    let text = error.to_string();
    match error {
        CallError::Refused { rule, .. } => answer(Code::FailedPrecondition, rule, text),
        CallError::Rejected(reject) => rejected(&reject),
        CallError::NoSuchTable(_) => answer(Code::NotFound, "NoSuchTable", text),
        CallError::Unknown { retry_after } => unknown("OutcomeUnknown", text, retry_after),
        CallError::Busy { retry_after, .. } => unknown("Busy", text, retry_after),
        CallError::Elsewhere => elsewhere(),
        CallError::Parked => answer(Code::FailedPrecondition, "TableParked", text),
    }
}

/// A command that the rules forbid, with the bound that it missed: `min_to` of a raise, `seat` of whose turn it is.
fn rejected(reject: &Reject) -> Status {
    let bound = bound(reject).map(|(name, bound)| (name.to_owned(), bound.to_string()));
    let metadata: HashMap<String, String> = bound.into_iter().collect();
    let details = ErrorDetails::with_error_info(reject.name(), DOMAIN, metadata);
    Status::with_error_details(Code::FailedPrecondition, reject.to_string(), details)
}

/// A session that was not found or not made.
pub fn accounts(error: AccountsError) -> Status {
    let text = error.to_string();
    match error {
        AccountsError::Name(problem) => {
            Invalid::new("display_name", "BadDisplayName", problem.to_string()).into()
        }
        AccountsError::TooManyGuests { retry_after } => {
            let mut details = details("TooManyGuests");
            details.set_retry_info(Some(retry_after));
            Status::with_error_details(Code::ResourceExhausted, text, details)
        }
        AccountsError::UnknownToken => answer(Code::Unauthenticated, "UnknownToken", text),
        AccountsError::Store(error) => store(&error),
        AccountsError::Corrupt { .. } | AccountsError::NoEntropy(_) => internal("Sessions", &error),
    }
}

/// A store that gave no answer. What it said is for the log, not for the client.
pub fn store(error: &StoreError) -> Status {
    if error.is_transient() {
        tracing::warn!(%error, "store gave no answer to a call");
        return unknown(
            "StoreUnavailable",
            "the store gives no answer now; try again",
            STORE_RETRY,
        );
    }
    if let StoreError::Full { .. } = error {
        tracing::error!(%error, "no room for what a call writes");
        return unknown(
            "StoreFull",
            "the server's disk is full; nothing is lost; try again",
            STORE_RETRY,
        );
    }
    internal("Store", error)
}

/// Something that only an operator can mend.
pub fn internal(reason: &'static str, error: &dyn std::error::Error) -> Status {
    tracing::error!(%error, reason, "call failed");
    answer(
        Code::Internal,
        reason,
        "an error of the server; it was logged",
    )
}

/// A call that names no session.
pub fn no_token() -> Status {
    let text = "send a token as metadata: `authorization: Bearer <token>`; SessionService.CreateGuest makes one";
    answer(Code::Unauthenticated, "NoToken", text)
}

/// A repeat of a Sit whose player left since.
pub fn seat_left() -> Status {
    answer(
        Code::FailedPrecondition,
        "SeatLeft",
        "you sat down with this request and left the table since",
    )
}

/// A call at the wrong port, or by somebody it is not for.
pub fn wrong_door() -> Status {
    let text = "calls of operators are for the ops port only, and all others for the public port";
    answer(Code::PermissionDenied, "WrongDoor", text)
}

/// A call for a table that another node serves, or nobody at this moment. The mark is for the node that forwarded it.
pub fn elsewhere() -> Status {
    let text = CallError::Elsewhere.to_string();
    let mut status = unknown("Elsewhere", text, ELSEWHERE_RETRY);
    status
        .metadata_mut()
        .insert(ELSEWHERE, MetadataValue::from_static("1"));
    status
}

/// A request beyond the limit.
pub fn request_too_large(limit: usize) -> Status {
    let text = format!("the request is too large; the limit is: {limit} bytes");
    answer(Code::OutOfRange, "RequestTooLarge", text)
}

/// A call that took longer than the server lets one: nobody can say what came of it.
pub fn too_late() -> Status {
    let text = "no answer in time; the outcome is not known: ask again with the same request id";
    let mut details = details("OutcomeUnknown");
    details.set_retry_info(Some(Duration::ZERO));
    Status::with_error_details(Code::DeadlineExceeded, text, details)
}

/// An answer with a named reason and nothing else.
pub fn answer(code: Code, reason: &'static str, text: impl Into<String>) -> Status {
    Status::with_error_details(code, text, details(reason))
}

/// The name of what is wrong with settings, and the field that it is about.
pub fn settings(error: &SettingsError) -> Invalid {
    let (field, reason) = match error {
        SettingsError::Seats { .. } => ("settings.seats", "BadSeats"),
        SettingsError::Blinds { .. } => ("settings.small_blind", "BadBlinds"),
        SettingsError::Ante { .. } => ("settings.ante", "BadAnte"),
        SettingsError::BuyIn { .. } => ("settings.buy_in_min", "BadBuyIn"),
        SettingsError::Rake { .. } => ("settings.rake_per_10000", "BadRake"),
        SettingsError::RakeCaps { .. } => ("settings.rake_caps", "BadRakeCaps"),
        SettingsError::Clock => ("settings.action_ms", "BadClock"),
        SettingsError::Rathole { .. } => ("settings.rathole_ms", "BadRathole"),
        SettingsError::Game(error) => game(error),
    };
    Invalid::new(field, reason, error.to_string())
}

fn game(error: &GameError) -> (&'static str, &'static str) {
    match error {
        GameError::Seats { .. } => ("settings.seats", "DeckTooSmall"),
        GameError::LowWithoutOmaha => ("settings.game.low", "LowWithoutOmaha"),
        GameError::BigBet { .. } => ("settings.game.limits.big_bet", "BadBigBet"),
        GameError::Raises { .. } => ("settings.game.limits.raises_max", "BadRaises"),
        GameError::AnteOfNoBigBlind => ("settings.big_blind_ante", "AnteOfNoBigBlind"),
        GameError::CountedAnteMissing => ("settings.game.count_ante", "CountedAnteMissing"),
        GameError::StraddleInLimit => ("settings.game.straddle", "StraddleInLimit"),
        GameError::StraddleWithoutBlinds => ("settings.game.straddle", "StraddleWithoutBlinds"),
        GameError::StraddlePlayers { .. } => ("settings.game.straddle", "BadStraddlePlayers"),
    }
}

/// Nothing to say about the outcome: ask again.
pub fn unknown(reason: &'static str, text: impl Into<String>, retry_after: Duration) -> Status {
    let mut details = details(reason);
    details.set_retry_info(Some(retry_after));
    Status::with_error_details(Code::Unavailable, text, details)
}

fn bound(reject: &Reject) -> Option<(&'static str, u64)> {
    match *reject {
        Reject::AlreadySeated { seat } | Reject::NotYourTurn { seat } => {
            Some(("seat", seat.0.into()))
        }
        Reject::NoSuchSeat { seats } => Some(("seats", seats.into())),
        Reject::BuyInBelowMinimum { min } => Some(("min", min)),
        Reject::BuyInAboveMaximum { max } | Reject::TopUpAboveMaximum { max } => Some(("max", max)),
        Reject::Rathole { must_bring } => Some(("must_bring", must_bring)),
        Reject::HandInProgress { hand } | Reject::StaleHand { hand } => Some(("hand", hand.0)),
        Reject::StaleTurn { turn } => Some(("turn", turn.0.into())),
        Reject::CheckFacingBet { to_call } => Some(("to_call", to_call)),
        Reject::RaiseBelowMinimum { min_to } => Some(("min_to", min_to)),
        Reject::RaiseAboveStack { max_to } | Reject::RaiseAbovePot { max_to } => {
            Some(("max_to", max_to))
        }
        Reject::RaiseNotTheLimit { to } => Some(("to", to)),
        Reject::RaisesCapped { raises_max } => Some(("raises_max", raises_max.into())),
        Reject::WrongDeck { cards } => Some(("cards", cards.into())),
        Reject::TableClosed
        | Reject::NotSeated
        | Reject::SeatOccupied
        | Reject::TopUpOfNothing
        | Reject::Leaving
        | Reject::AlreadySittingOut
        | Reject::AlreadyPlaying
        | Reject::NoChips
        | Reject::ConnectionUnchanged
        | Reject::NoHand
        | Reject::StaleClock { .. }
        | Reject::NothingToCall
        | Reject::RaiseNotReopened
        | Reject::NoStraddles
        | Reject::NeverRunTwice
        | Reject::RunTwiceNotAsked
        | Reject::RunTwiceTooLate
        | Reject::RunTwiceAnswered
        | Reject::RunTwiceNotInvolved
        | Reject::StraddleUnchanged
        | Reject::RaiseUncallable
        | Reject::RaiseBeyondChips
        | Reject::NotEnoughPlayers
        | Reject::DeckMissing => None,
    }
}

fn details(reason: &'static str) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, DOMAIN, HashMap::<String, String>::new())
}

/// A store that lost its quorum takes about this long to find it again.
const STORE_RETRY: Duration = Duration::from_millis(250);
/// A takeover takes about this long.
const ELSEWHERE_RETRY: Duration = Duration::from_millis(100);
/// In the metadata of an answer: the node that was asked does not serve the table.
pub const ELSEWHERE: &str = "orp-elsewhere";

#[cfg(test)]
mod tests;
