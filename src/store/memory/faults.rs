//! What a memory store is told to do wrong: by script, call by call, or by a seed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::store::Statement;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing wrong.
    None,
    /// Answered as unavailable; never applied.
    Refuse,
    /// Answered as full; never applied.
    Full,
    /// Never applied, and answered as unknown: the request was lost.
    LoseRequest,
    /// Applied, and answered as unknown: the answer was lost.
    LoseAnswer,
    /// Answered as unknown now, applied after this many more calls of any kind: a zombie.
    Late {
        /// How many calls come first.
        calls: u32,
    },
    /// Answered as unknown now, applied when [`MemoryStore::release`](super::MemoryStore::release) is called: a zombie.
    Hold,
    /// Applied and answered, each after a time.
    Delay {
        /// Before it is applied.
        before: Duration,
        /// Between being applied and being answered.
        after: Duration,
    },
}

/// How often a seeded plan does what, in calls of a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FaultRates {
    /// [`Fault::Refuse`].
    pub refuse: u16,
    /// [`Fault::LoseRequest`].
    pub lose_request: u16,
    /// [`Fault::LoseAnswer`].
    pub lose_answer: u16,
    /// [`Fault::Late`], with up to [`Self::late_calls`] calls between.
    pub late: u16,
    /// The longest that a late statement waits, in calls.
    pub late_calls: u32,
    /// Every call takes up to this long before and up to this long after it is applied: what shuffles rivals.
    pub max_delay: Duration,
}

/// SplitMix64: small, seeded by the test, replayable.
#[derive(Clone, Debug)]
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `bound`, which is above zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }
}

/// The plan that a store follows.
#[derive(Debug, Default)]
pub(super) struct Plan {
    script: VecDeque<(Statement, Fault)>,
    seeded: Option<(SplitMix, FaultRates)>,
}

impl Plan {
    pub(super) fn script(&mut self, statement: Statement, fault: Fault) {
        self.script.push_back((statement, fault));
    }

    pub(super) fn seed(&mut self, seed: u64, rates: FaultRates) {
        self.seeded = Some((SplitMix(seed), rates));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The script's first entry for this statement, or the seed's next choice: its fault and its delays.
    pub(super) fn next(&mut self, statement: Statement) -> (Fault, Duration, Duration) {
        if let Some(at) = self.script.iter().position(|(of, _)| *of == statement) {
            let fault = self
                .script
                .remove(at)
                .map_or(Fault::None, |(_, fault)| fault);
            return match fault {
                Fault::Delay { before, after } => (Fault::None, before, after),
                Fault::None
                | Fault::Refuse
                | Fault::Full
                | Fault::LoseRequest
                | Fault::LoseAnswer
                | Fault::Late { .. }
                | Fault::Hold => (fault, Duration::ZERO, Duration::ZERO),
            };
        }
        let Some((random, rates)) = &mut self.seeded else {
            return (Fault::None, Duration::ZERO, Duration::ZERO);
        };
        let micros = rates.max_delay.as_micros() as u64 + 1;
        let before = Duration::from_micros(random.below(micros));
        let after = Duration::from_micros(random.below(micros));
        let calls = 1 + random.below(u64::from(rates.late_calls) + 1) as u32;
        let mut dice = random.below(1_000) as u16;
        for (rate, fault) in [
            (rates.refuse, Fault::Refuse),
            (rates.lose_request, Fault::LoseRequest),
            (rates.lose_answer, Fault::LoseAnswer),
            (rates.late, Fault::Late { calls }),
        ] {
            if dice < rate {
                return (fault, before, after);
            }
            dice -= rate;
        }
        (Fault::None, before, after)
    }
}
