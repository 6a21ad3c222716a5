//! Broken promises, by name.

use std::fmt;

/// A promise that a server broke, as far as one client can see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Violation {
    /// P1: the chips of a hand, a pot or a seat do not add up.
    ChipsNotConserved,
    /// P1: what players brought is not what was paid out, raked and is left on the tables.
    ChipDifference,
    /// P2: an acknowledged action is not in the log.
    AcknowledgedLost,
    /// P2: chips brought by acknowledged calls are not those in the log.
    ChipsInDiffer,
    /// P2: one turn was acted twice.
    ActedTwice,
    /// P3: what was refused happened.
    RefusedHappened,
    /// P5: another player's cards came before they were shown.
    ForeignCards,
    /// P5, P6: the own cards of a hand changed.
    CardsChanged,
    /// P6: the same place in the log shows another table.
    StateChanged,
    /// P6: somebody acted whose turn it was not.
    OutOfTurn,
    /// P7: a hand was voided.
    HandVoided,
    /// P7: nothing went on for longer than the bots wait.
    Stalled,
    /// P8: events were left out.
    Gap,
    /// P8: the log lost events that were seen.
    Rewound,
    /// P8: hands do not follow each other.
    HandOutOfOrder,
    /// The server said something that has no meaning.
    Malformed,
    /// The server does not know the player or the table any more.
    Forgotten,
}

/// One broken promise, with the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which promise.
    pub violation: Violation,
    /// At which table.
    pub table: String,
    /// What was seen.
    pub detail: String,
}

impl Violation {
    /// Its name, as reports count it.
    pub fn name(self) -> &'static str {
        match self {
            Violation::ChipsNotConserved => "P1.ChipsNotConserved",
            Violation::ChipDifference => "P1.ChipDifference",
            Violation::AcknowledgedLost => "P2.AcknowledgedLost",
            Violation::ChipsInDiffer => "P2.ChipsInDiffer",
            Violation::ActedTwice => "P2.ActedTwice",
            Violation::RefusedHappened => "P3.RefusedHappened",
            Violation::ForeignCards => "P5.ForeignCards",
            Violation::CardsChanged => "P6.CardsChanged",
            Violation::StateChanged => "P6.StateChanged",
            Violation::OutOfTurn => "P6.OutOfTurn",
            Violation::HandVoided => "P7.HandVoided",
            Violation::Stalled => "P7.Stalled",
            Violation::Gap => "P8.Gap",
            Violation::Rewound => "P8.Rewound",
            Violation::HandOutOfOrder => "P8.HandOutOfOrder",
            Violation::Malformed => "Malformed",
            Violation::Forgotten => "Forgotten",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at table {}: {}",
            self.violation.name(),
            self.table,
            self.detail
        )
    }
}
