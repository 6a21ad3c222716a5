//! Whether what a client sees of a table is a prefix of its log (promise P8).

use proto::v1::Position;

/// A place in a table's log, as its owner of that epoch tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct At {
    /// The owner's epoch.
    pub epoch: u64,
    /// The table's event number.
    pub sequence: u64,
}

/// What a frame is to one who has seen the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The next one.
    Next,
    /// Seen before, or from an owner that is none any more: to be dropped.
    Old,
    /// Events are missing in between.
    Gap {
        /// How many.
        missing: u64,
    },
    /// A newer owner tells a number that was seen already: the log lost what it had.
    Rewound {
        /// How many events it went back.
        by: u64,
    },
    /// An event of a table of which no snapshot was seen.
    Unasked,
}

/// What was seen of one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Track {
    seen: Option<At>,
    resetting: bool,
}

impl Track {
    /// The last place seen.
    pub fn seen(&self) -> Option<At> {
        self.seen
    }

    /// Where to resume; nothing if a snapshot is to be asked for.
    pub fn resume_after(&self) -> Option<u64> {
        self.seen.filter(|_| !self.resetting).map(|at| at.sequence)
    }

    /// The server said that a snapshot follows, or one must be asked for.
    pub fn reset(&mut self) {
        self.resetting = true;
    }

    /// Whether a snapshot is being waited for.
    pub fn resetting(&self) -> bool {
        self.resetting
    }

    /// A snapshot came. It may be behind what was seen only if its owner is an old one.
    pub fn snapshot(&mut self, at: At) -> Step {
        let step = match self.seen {
            Some(seen) if at.epoch < seen.epoch => Step::Old,
            Some(seen) if at.sequence < seen.sequence && at.epoch == seen.epoch => Step::Old,
            Some(seen) if at.sequence < seen.sequence => Step::Rewound {
                by: seen.sequence - at.sequence,
            },
            Some(_) | None => Step::Next,
        };
        if step != Step::Old {
            self.seen = Some(at);
            self.resetting = false;
        }
        step
    }

    /// An event came. After a gap nothing is taken until a snapshot came.
    pub fn event(&mut self, at: At) -> Step {
        let Some(seen) = self.seen else {
            return Step::Unasked;
        };
        if self.resetting || at.epoch < seen.epoch {
            return Step::Old;
        }
        let next = seen.sequence.saturating_add(1);
        if at.sequence == next {
            self.seen = Some(at);
            return Step::Next;
        }
        if at.sequence > next {
            self.resetting = true;
            return Step::Gap {
                missing: at.sequence - next,
            };
        }
        if at.epoch == seen.epoch {
            return Step::Old;
        }
        self.resetting = true;
        Step::Rewound {
            by: next - at.sequence,
        }
    }
}

impl From<&Position> for At {
    fn from(position: &Position) -> At {
        At {
            epoch: position.epoch,
            sequence: position.sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{At, Step, Track};

    enum Frame {
        Snapshot(u64, u64),
        Event(u64, u64),
        Reset,
    }
    use Frame::{Event, Reset, Snapshot};

    fn check(frames: &[Frame], last: Step, resume: Option<u64>) {
        let mut track = Track::default();
        let mut step = Step::Next;
        for frame in frames {
            step = match *frame {
                Snapshot(epoch, sequence) => track.snapshot(At { epoch, sequence }),
                Event(epoch, sequence) => track.event(At { epoch, sequence }),
                Reset => {
                    track.reset();
                    Step::Next
                }
            };
        }
        assert_eq!((step, track.resume_after()), (last, resume));
    }

    #[test]
    fn frames_in_and_out_of_order() {
        check(&[Event(1, 1)], Step::Unasked, None);
        check(&[Snapshot(1, 7)], Step::Next, Some(7));
        check(
            &[Snapshot(1, 7), Event(1, 8), Event(2, 9)],
            Step::Next,
            Some(9),
        );
        check(&[Snapshot(1, 7), Event(1, 7)], Step::Old, Some(7));
        check(&[Snapshot(2, 7), Event(1, 8)], Step::Old, Some(7));
        check(
            &[Snapshot(1, 7), Event(1, 10)],
            Step::Gap { missing: 2 },
            None,
        );
        check(
            &[Snapshot(1, 7), Event(1, 10), Event(1, 11)],
            Step::Old,
            None,
        );
        check(
            &[Snapshot(1, 7), Event(1, 10), Snapshot(1, 11), Event(1, 12)],
            Step::Next,
            Some(12),
        );
        check(
            &[Snapshot(1, 7), Event(2, 7)],
            Step::Rewound { by: 1 },
            None,
        );
        check(&[Snapshot(1, 7), Reset], Step::Next, None);
        check(
            &[Snapshot(1, 7), Reset, Snapshot(2, 5)],
            Step::Rewound { by: 2 },
            Some(5),
        );
        check(&[Snapshot(2, 7), Reset, Snapshot(1, 9)], Step::Old, None);
        check(&[Snapshot(1, 7), Snapshot(1, 6)], Step::Old, Some(7));
    }
}
