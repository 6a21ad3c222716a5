//! The action clock: pauses while the shard cannot commit, and a tie goes to the player.
//!
//! It runs in the owner's monotonic time from the moment the turn is durable, so a
//! restart, a takeover or a stall gives the player at least the promised time
//! (promise P6, R19).

use std::time::Duration;

use engine::RunningClock;
use tokio::time::Instant;

/// A clock that runs for one phase of one turn.
#[derive(Clone, Copy, Debug)]
pub struct TurnClock {
    /// What it measures.
    pub running: RunningClock,
    /// When it began to run.
    pub started: Instant,
    /// The shard's sum of stalls at that time.
    stalled_before: Duration,
}

impl TurnClock {
    /// Starts a clock.
    pub fn start(running: RunningClock, now: Instant, stalled: Duration) -> Self {
        Self {
            running,
            started: now,
            stalled_before: stalled,
        }
    }

    /// Whether it measures this phase of this turn.
    pub fn measures(&self, running: &RunningClock) -> bool {
        let of = |clock: &RunningClock| (clock.hand, clock.turn, clock.phase);
        of(&self.running) == of(running)
    }

    /// What is left of it. `stalled` is the shard's sum of stalls now.
    pub fn left(&self, now: Instant, stalled: Duration) -> Duration {
        let promised = Duration::from_millis(self.running.ms.into());
        (promised + stalled.saturating_sub(self.stalled_before))
            .saturating_sub(now.saturating_duration_since(self.started))
    }

    /// How long it ran until `now`, in milliseconds, stalls excluded.
    pub fn used_ms(&self, now: Instant, stalled: Duration) -> u32 {
        let ran = now
            .saturating_duration_since(self.started)
            .saturating_sub(stalled.saturating_sub(self.stalled_before));
        u32::try_from(ran.as_millis()).unwrap_or(u32::MAX)
    }

    /// After how long to look whether it ran out: a little after its end, so that an
    /// action that was received in time and is still on its way to the table is first.
    pub fn due_in(&self, now: Instant, stalled: Duration) -> Duration {
        let promised = Duration::from_millis(self.running.ms.into()) + GRACE;
        (promised + stalled.saturating_sub(self.stalled_before))
            .saturating_sub(now.saturating_duration_since(self.started))
    }
}

/// From the receipt of a call to its table's mailbox takes microseconds; this is
/// long for that and short for a player.
const GRACE: Duration = Duration::from_millis(30);

#[cfg(test)]
mod tests {
    use engine::{HandNo, Phase, SeatNo, Turn};

    use super::*;

    fn clock(now: Instant) -> TurnClock {
        let running = RunningClock {
            seat: SeatNo(1),
            hand: HandNo(2),
            turn: Turn(3),
            phase: Phase::Action,
            ms: 1_000,
        };
        TurnClock::start(running, now, Duration::from_secs(7))
    }

    #[test]
    fn a_stall_is_not_the_players_time() {
        let start = Instant::now();
        let clock = clock(start);
        let at = |ms| start + Duration::from_millis(ms);
        let stalled = |ms| Duration::from_secs(7) + Duration::from_millis(ms);
        assert_eq!(clock.left(at(400), stalled(0)), Duration::from_millis(600));
        assert_eq!(
            clock.left(at(400), stalled(300)),
            Duration::from_millis(900)
        );
        assert_eq!(clock.left(at(2_000), stalled(300)), Duration::ZERO);
        assert_eq!(clock.used_ms(at(400), stalled(300)), 100);
        assert_eq!(clock.due_in(at(1_000), stalled(0)), GRACE);
        assert_eq!(clock.due_in(at(2_000), stalled(0)), Duration::ZERO);
    }

    #[test]
    fn another_phase_is_another_clock() {
        let clock = clock(Instant::now());
        assert!(clock.measures(&RunningClock {
            ms: 5,
            ..clock.running
        }));
        assert!(!clock.measures(&RunningClock {
            phase: Phase::Bank,
            ..clock.running
        }));
        assert!(!clock.measures(&RunningClock {
            turn: Turn(4),
            ..clock.running
        }));
    }
}
