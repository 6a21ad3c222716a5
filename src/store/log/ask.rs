//! Asking until an answer decides: the identical statement, again and again, with growing pauses.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{LogOptions, Progress};
use crate::store::{Answer, Statement, StoreError};

/// An answer, and whether the statement may have been applied before it.
pub(in crate::store) struct Asked<T> {
    pub(in crate::store) answer: T,
    /// An earlier attempt of this statement ended without an answer: it may have been applied, or may be applied later.
    pub(in crate::store) doubt: bool,
}

/// No answer.
pub(in crate::store) enum Unanswered {
    /// Every attempt promised that it never applies.
    Never(StoreError),
    /// Some attempt may have been applied, or may be applied later.
    Unknown(StoreError),
}

impl Unanswered {
    pub(in crate::store) fn into_error(self) -> StoreError {
        match self {
            Self::Never(error) | Self::Unknown(error) => error,
        }
    }
}

/// Makes the statement until it is answered.
///
/// A definite failure says nothing about an earlier attempt of unknown outcome, so doubt, once there, stays until an
/// answer comes. Ends without an answer when the time is used up or trying again cannot help.
pub(in crate::store) async fn ask<T, F, A>(
    options: &LogOptions,
    statement: Statement,
    attempt: F,
) -> Result<Asked<T>, Unanswered>
where
    F: Fn() -> A + Send,
    A: Future<Output = Answer<T>> + Send,
{
    let deadline = Instant::now() + options.give_up_after;
    let mut pause = options.first_pause;
    let mut doubt = false;
    loop {
        let error = match timeout(options.statement_timeout, attempt()).await {
            Ok(Ok(answer)) => return Ok(Asked { answer, doubt }),
            Ok(Err(error)) => error,
            Err(elapsed) => StoreError::Unknown {
                statement,
                source: elapsed.into(),
            },
        };
        doubt |= error.is_unknown();
        // With doubt a full disk is worth waiting for: only an answer can say what became of the earlier attempt.
        let try_again = error.is_transient() || (doubt && matches!(error, StoreError::Full { .. }));
        if !try_again || Instant::now() + pause > deadline {
            return Err(if doubt {
                Unanswered::Unknown(error)
            } else {
                Unanswered::Never(error)
            });
        }
        tracing::debug!(%statement, doubt, error = %error, "asking again");
        sleep(pause).await;
        pause = (pause * 2).min(options.longest_pause);
    }
}

/// Makes a statement that may be made again without harm until it is answered. An attempt that was not answered may have
/// been applied, which a conditional statement's answer shows as "not applied".
///
/// # Errors
/// When the time is used up or trying again cannot help.
pub async fn repeat<T, F, A>(
    options: &LogOptions,
    statement: Statement,
    attempt: F,
) -> Result<T, StoreError>
where
    F: Fn() -> A + Send,
    A: Future<Output = Answer<T>> + Send,
{
    match ask(options, statement, attempt).await {
        Ok(asked) => Ok(asked.answer),
        Err(unanswered) => Err(unanswered.into_error()),
    }
}

/// Runs `work`, and shows [`Progress::Stalled`] to watchers from the moment it has taken longer than `patience`.
pub(super) async fn watched<T>(
    progress: &watch::Sender<Progress>,
    patience: Duration,
    work: impl Future<Output = T> + Send,
) -> T {
    let mut work = std::pin::pin!(work);
    let done = tokio::select! {
        biased;
        done = &mut work => done,
        () = sleep(patience) => {
            progress.send_replace(Progress::Stalled);
            work.await
        }
    };
    progress.send_if_modified(|progress| {
        std::mem::replace(progress, Progress::Running) != Progress::Running
    });
    done
}
