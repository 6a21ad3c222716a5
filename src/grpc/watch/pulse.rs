//! Whether a reader still reads.
//!
//! Pure: a sweep looks at each queue now and then and brings the time along.

use std::time::Duration;

use tokio::time::Instant;

/// What earlier sweeps saw of one queue.
#[derive(Default)]
pub struct Pulse {
    /// Since when the queue has been full with nothing taken out, and how much had been taken out by then.
    stuck: Option<(Instant, u64)>,
    /// Whether the last sweep missed a table's sender.
    missed: bool,
}

/// What one sweep sees of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Frames that have room.
    pub room: usize,
    /// Frames that wait.
    pub waiting: usize,
    /// Frames that were taken out so far.
    pub taken: u64,
    /// Tables that are watched and for which there should be a sender at least, ...
    pub tables: usize,
    /// ... and the senders that there are.
    pub senders: usize,
}

/// What is wrong with a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Full, and nothing was taken out for too long.
    Slow,
    /// A table let go of its sender: its events are not coming any more.
    Lost,
}

impl Pulse {
    /// Looks once more.
    pub fn look(&mut self, look: Look, now: Instant, slow_after: Duration) -> Option<Finding> {
        if self.is_slow(look, now, slow_after) {
            return Some(Finding::Slow);
        }
        // While frames wait, one of them may be the last word of the table that let go; and a sender that is on its way
        // from hand to hand is there again at the next sweep.
        let missing = look.senders < look.tables && look.waiting == 0;
        if missing && std::mem::replace(&mut self.missed, missing) {
            return Some(Finding::Lost);
        }
        self.missed = missing;
        None
    }

    fn is_slow(&mut self, look: Look, now: Instant, slow_after: Duration) -> bool {
        if look.room >= ROOM_MIN {
            self.stuck = None;
            return false;
        }
        match self.stuck {
            Some((since, taken)) if taken == look.taken => now.duration_since(since) >= slow_after,
            Some(_) | None => {
                self.stuck = Some((now, look.taken));
                false
            }
        }
    }
}

/// A reset and its snapshot need two places: with fewer a table that has something to say cannot say it.
const ROOM_MIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Look = Look {
        room: 9,
        waiting: 0,
        taken: 0,
        tables: 3,
        senders: 3,
    };
    const FULL: Look = Look {
        room: 1,
        waiting: 9,
        ..FINE
    };
    const LESS: Look = Look { senders: 2, ..FINE };

    /// One sweep a second; slow after three.
    fn check(looks: &[Look], expected: Option<(usize, Finding)>) {
        let (mut pulse, start) = (Pulse::default(), Instant::now());
        let found = (0..).zip(looks).find_map(|(second, look)| {
            let now = start + Duration::from_secs(second);
            Some((
                usize::try_from(second).ok()?,
                pulse.look(*look, now, Duration::from_secs(3))?,
            ))
        });
        assert_eq!(found, expected, "{looks:?}");
    }

    #[test]
    fn full_without_progress_is_slow() {
        check(&[FINE; 9], None);
        check(&[FULL; 9], Some((3, Finding::Slow)));
        check(&[FULL, FULL, FULL, FINE, FULL, FULL, FULL], None);
        let taken = |taken| Look { taken, ..FULL };
        check(
            &[taken(0), taken(1), taken(2), taken(3), taken(4), taken(5)],
            None,
        );
        check(
            &[taken(0), taken(1), taken(1), taken(1), taken(1)],
            Some((4, Finding::Slow)),
        );
    }

    #[test]
    fn a_sender_that_stays_away_is_lost() {
        check(&[LESS, LESS], Some((1, Finding::Lost)));
        check(&[LESS, FINE, LESS, FINE], None);
        let waiting = Look { waiting: 1, ..LESS };
        check(&[LESS, waiting, LESS, FINE], None);
        check(&[waiting, waiting, waiting], None);
        check(&[Look { senders: 6, ..FINE }; 3], None);
    }
}
