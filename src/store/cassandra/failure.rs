//! What an error of the driver says about a statement: never applied, or unknown. In doubt it is unknown.

use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::statement::Consistency;

use crate::store::{Statement, StoreError};

/// What a statement does, and so what its failure may leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: a read.
    None,
    /// One plain, idempotent mutation.
    Plain,
    /// A lightweight transaction.
    Conditional,
}

/// The error of a statement as its caller has to see it.
pub(super) fn judge(statement: Statement, effect: Effect, error: ExecutionError) -> StoreError {
    let never = match effect {
        // Also a read that timed out while it finished somebody else's transaction applies nothing of its own.
        Effect::None => true,
        Effect::Plain | Effect::Conditional => never_applied(effect, &error),
    };
    let source = error.into();
    if never {
        StoreError::Unavailable { statement, source }
    } else {
        StoreError::Unknown { statement, source }
    }
}

/// Whether the error proves that this attempt changed nothing and never will.
///
/// The driver neither repeats nor speculates, so its error is of the one attempt; and it goes on to the next node only
/// where it had no connection to send anything on.
fn never_applied(effect: Effect, error: &ExecutionError) -> bool {
    if let ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) = error {
        return refused_before_it_began(effect, error);
    }
    // Nothing was sent. Lost connections, time-outs, answers that do not read, and errors of drivers to come leave doubt.
    matches!(
        error,
        ExecutionError::BadQuery(_)
            | ExecutionError::EmptyPlan
            | ExecutionError::PrepareError(_)
            | ExecutionError::ConnectionPoolError(_)
            | ExecutionError::LastAttemptError(
                RequestAttemptError::SerializationError(_)
                    | RequestAttemptError::CqlRequestSerialization(_)
                    | RequestAttemptError::UnableToAllocStreamId
            )
    )
}

/// Whether Cassandra answers so only before anything of the statement reached a replica.
fn refused_before_it_began(effect: Effect, error: &DbError) -> bool {
    // A transaction counts its live voters before each of its rounds, at the serial level, and goes on to another round only
    // if nobody accepted its proposal (a partial acceptance is a time-out). A count at the plain level comes with the commit,
    // after the proposal was accepted: there it may well be applied (so does paxos v1; v2 calls it a time-out).
    if let DbError::Unavailable { consistency, .. } = error {
        let serial = matches!(consistency, Consistency::Serial | Consistency::LocalSerial);
        return serial || effect != Effect::Conditional;
    }
    // Found while the statement is looked at, before it is executed. Overload is told before a statement begins, but also
    // for want of hints while it commits; and whatever else leaves doubt.
    matches!(
        error,
        DbError::SyntaxError
            | DbError::Invalid
            | DbError::Unauthorized
            | DbError::ConfigError
            | DbError::Unprepared { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scylla::errors::{ConnectionPoolError, WriteType};

    use super::*;

    fn db(error: DbError) -> ExecutionError {
        RequestAttemptError::DbError(error, String::new()).into()
    }

    fn unavailable(consistency: Consistency) -> ExecutionError {
        db(DbError::Unavailable {
            consistency,
            required: 2,
            alive: 1,
        })
    }

    fn cas_time_out() -> ExecutionError {
        db(DbError::WriteTimeout {
            consistency: Consistency::Serial,
            received: 1,
            required: 2,
            write_type: WriteType::Cas,
        })
    }

    #[test]
    fn doubt_is_told_as_doubt() {
        let check = |effect, error: ExecutionError, unknown: bool| {
            let text = format!("{effect:?}: {error}");
            let judged = judge(Statement::Append, effect, error);
            assert_eq!(judged.is_unknown(), unknown, "{text}: {judged}");
            assert!(judged.is_transient(), "{text}: {judged}");
        };
        let conditional = Effect::Conditional;
        check(conditional, cas_time_out(), true);
        check(conditional, db(DbError::Overloaded), true);
        check(conditional, db(DbError::IsBootstrapping), true);
        check(conditional, db(DbError::ServerError), true);
        check(conditional, db(DbError::ProtocolError), true);
        check(conditional, db(DbError::Other(0x1700)), true);
        check(conditional, unavailable(Consistency::Quorum), true);
        check(conditional, unavailable(Consistency::LocalQuorum), true);
        check(conditional, unavailable(Consistency::Serial), false);
        check(conditional, unavailable(Consistency::LocalSerial), false);
        check(conditional, db(DbError::Invalid), false);
        check(conditional, db(DbError::Unauthorized), false);
        let waited = ExecutionError::RequestTimeout(Duration::from_secs(1));
        check(conditional, waited.clone(), true);
        check(conditional, ConnectionPoolError::Initializing.into(), false);
        check(conditional, ExecutionError::EmptyPlan, false);
        check(
            conditional,
            RequestAttemptError::UnableToAllocStreamId.into(),
            false,
        );
        check(
            conditional,
            RequestAttemptError::NonfinishedPagingState.into(),
            true,
        );
        check(Effect::Plain, unavailable(Consistency::Quorum), false);
        check(Effect::Plain, cas_time_out(), true);
        check(Effect::Plain, waited.clone(), true);
        check(Effect::None, cas_time_out(), false);
        check(Effect::None, waited, false);
    }
}
