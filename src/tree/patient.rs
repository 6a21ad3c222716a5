//! Questions to the store before there is a tree that could wait for it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::StoreError;

/// Asks until the store answers, with growing pauses: nodes of a database come and go, also while one of ours starts.
///
/// # Errors
/// What asking again does not mend, at once; the last answer, when the next question would come later than `patience` allows.
pub(super) async fn patiently<T>(
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        match ask().await {
            Err(error) if error.is_transient() && Instant::now() + pause <= deadline => {
                let again_in_ms = pause.as_millis();
                tracing::warn!(%error, again_in_ms, "the store does not answer; asking again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Statement;

    fn unavailable() -> StoreError {
        StoreError::Unavailable {
            statement: Statement::Beats,
            source: "a connection broke".into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_comes_back_is_waited_for() {
        let mut asked = 0;
        let answer = patiently(Duration::from_secs(60), async || {
            asked += 1;
            if asked < 10 {
                Err(unavailable())
            } else {
                Ok(asked)
            }
        });
        assert_eq!(answer.await.expect("it answers in the end"), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_stays_away_is_told_in_time() {
        let (begun, longest) = (Instant::now(), Duration::from_secs(60));
        let answer = patiently(longest, async || Err::<(), _>(unavailable())).await;
        assert!(matches!(answer, Err(StoreError::Unavailable { .. })));
        let waited = begun.elapsed();
        assert!(
            waited <= longest && waited + LONGEST_PAUSE >= longest,
            "{waited:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_mend_is_told_at_once() {
        let closed = || StoreError::Closed {
            statement: Statement::Beats,
            reason: "over".into(),
        };
        let begun = Instant::now();
        let answer = patiently(Duration::from_secs(60), async || Err::<(), _>(closed())).await;
        assert!(matches!(answer, Err(StoreError::Closed { .. })));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
