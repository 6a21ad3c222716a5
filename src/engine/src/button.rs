//! Where the button and the blinds go, who is dealt in, and who missed something (R1, R10, R11).

use alloc::vec::Vec;

use crate::game::Blinds;
use crate::hand::Positions;
use crate::ids::SeatNo;
use crate::seat::{Entry, Owes, Seat};
use crate::settings::ButtonRule;
use crate::table::Table;

/// The seats of the next hand.
pub(crate) struct Layout {
    pub positions: Positions,
    /// From the left of the button clockwise.
    pub dealt: Vec<SeatNo>,
    /// Whether those who owe a blind must post it: not where the game starts, or starts again (R11).
    pub debts: bool,
    /// What players who are not dealt in owe after this hand's blinds passed them, where it changed.
    pub missed: Vec<(SeatNo, Owes)>,
    /// The absent players whom the button passes.
    pub passed: Vec<SeatNo>,
}

/// The next hand's seats; `None` if fewer than two players can be dealt in.
pub(crate) fn layout(table: &Table, first_button: SeatNo) -> Option<Layout> {
    let ring = Ring(table.settings.seats);
    let seats = table.seats().filter(|(_, seat)| seat.ready());
    let mut ready = Vec::with_capacity(table.settings.seats.into());
    ready.extend(seats.map(|(no, _)| no));
    if ready.len() < 2 {
        return None;
    }
    let Some(last) = table.positions else {
        return Some(first_hand(table, ring, &ready, first_button));
    };

    let big_blind = ring.next(&ready, last.big_blind)?;
    let only_button = table.settings.game.blinds == Blinds::Button;
    let positions = match table.settings.button {
        _ if only_button => Positions::of_button(big_blind),
        ButtonRule::Dead => dead_button(ring, &ready, last, big_blind),
        ButtonRule::Moving => {
            moving_button(table, ring, &ready, last).unwrap_or(live_button(ring, &ready, big_blind))
        }
    };
    let mut dealt: Vec<SeatNo> = ready
        .iter()
        .copied()
        .filter(|seat| plays(table, ring, positions, *seat))
        .collect();
    let debts = dealt.len() >= 2;
    if !debts {
        dealt = ready;
    }
    let positions = match dealt.len() {
        _ if only_button => positions,
        0..=2 => live_button(ring, &dealt, ring.next(&dealt, last.big_blind)?),
        _ if !debts => live_button(ring, &dealt, big_blind),
        _ => positions,
    };
    ring.turn(&mut dealt, positions.button);
    let missed = if debts {
        missed(table, ring, last, positions, &dealt)
    } else {
        Vec::new()
    };
    let passed = passed(table, ring, last, positions);
    // Heads-up everybody pays a blind on every hand, so nobody owes one.
    let debts = debts && dealt.len() > 2;
    Some(Layout {
        positions,
        dealt,
        debts,
        missed,
        passed,
    })
}

fn first_hand(table: &Table, ring: Ring, ready: &[SeatNo], first_button: SeatNo) -> Layout {
    let mut dealt = ready.to_vec();
    ring.turn(&mut dealt, first_button);
    // The last in order is the wanted seat or, if nobody is ready there, the player before it; then the first after it.
    if !dealt.contains(&first_button) {
        dealt.rotate_left(1);
    }
    let button = dealt[dealt.len() - 1];
    let positions = match dealt.as_slice() {
        _ if table.settings.game.blinds == Blinds::Button => Positions::of_button(button),
        [big_blind, button] => Positions {
            button: *button,
            small_blind: *button,
            big_blind: *big_blind,
        },
        _ => Positions {
            button,
            small_blind: dealt[0],
            big_blind: dealt[1],
        },
    };
    Layout {
        positions,
        dealt,
        debts: false,
        missed: Vec::new(),
        passed: Vec::new(),
    }
}

/// The small blind is where the big blind was and the button where the small blind was, whoever sits there (R10).
fn dead_button(ring: Ring, ready: &[SeatNo], last: Positions, big_blind: SeatNo) -> Positions {
    let small_blind = last.big_blind;
    let button = last.small_blind;
    if button != big_blind && ring.within(button, small_blind, big_blind) {
        return Positions {
            button,
            small_blind,
            big_blind,
        };
    }
    // After heads-up the button was the small blind, and the seats can come to lie so that the old button is not
    // behind the small blind any more: then it is the player before it.
    let button = ring.previous(ready, small_blind).unwrap_or(small_blind);
    Positions {
        button,
        small_blind,
        big_blind,
    }
}

/// The button is the next player and the blinds are those after him, of those who owe nothing; the big blind may be anybody
/// (R10 a). `None` if that leaves no three different players.
fn moving_button(
    table: &Table,
    ring: Ring,
    ready: &[SeatNo],
    last: Positions,
) -> Option<Positions> {
    let owes_nothing = |no: &SeatNo| {
        table
            .seat(*no)
            .is_some_and(|seat| seat.owes == Owes::Nothing)
    };
    let clear: Vec<SeatNo> = ready.iter().copied().filter(owes_nothing).collect();
    let button = ring.next(&clear, last.button)?;
    let small_blind = ring.next(&clear, button)?;
    let big_blind = ring.next(ready, small_blind)?;
    (big_blind != button && small_blind != button).then_some(Positions {
        button,
        small_blind,
        big_blind,
    })
}

/// Button and small blind are the players before the big blind; heads-up the same one (R1).
fn live_button(ring: Ring, dealt: &[SeatNo], big_blind: SeatNo) -> Positions {
    let small_blind = ring.previous(dealt, big_blind).unwrap_or(big_blind);
    let button = match dealt.len() {
        2 => small_blind,
        _ => ring.previous(dealt, small_blind).unwrap_or(small_blind),
    };
    Positions {
        button,
        small_blind,
        big_blind,
    }
}

/// Whether a ready player is dealt in: who owes is, in the big blind, or by posting now where he may.
fn plays(table: &Table, ring: Ring, positions: Positions, no: SeatNo) -> bool {
    let Some(seat) = table.seat(no) else {
        return false;
    };
    if seat.owes == Owes::Nothing || no == positions.big_blind {
        return true;
    }
    let behind_button = positions.button != positions.big_blind
        && (ring.within(positions.button, no, positions.small_blind)
            || no == positions.small_blind);
    match seat.entry {
        Entry::WaitForBigBlind => false,
        Entry::PostNow => !behind_button,
    }
}

fn missed(
    table: &Table,
    ring: Ring,
    last: Positions,
    now: Positions,
    dealt: &[SeatNo],
) -> Vec<(SeatNo, Owes)> {
    let absent = table.seats().filter(|(no, _)| !dealt.contains(no));
    let only_button = table.settings.game.blinds == Blinds::Button;
    let owes = |no: SeatNo, seat: &Seat| {
        let big = ring.within(last.big_blind, no, now.big_blind);
        match seat.owes {
            Owes::Nothing if big && only_button => Owes::BigBlind,
            Owes::Nothing | Owes::SmallBlind if big => Owes::Both,
            Owes::Nothing if no == last.big_blind && !only_button => Owes::SmallBlind,
            Owes::Nothing | Owes::SmallBlind | Owes::BigBlind | Owes::Both => seat.owes,
        }
    };
    let changed = absent.filter_map(|(no, seat)| {
        let owes = owes(no, seat);
        (owes != seat.owes).then_some((no, owes))
    });
    changed.collect()
}

fn passed(table: &Table, ring: Ring, last: Positions, now: Positions) -> Vec<SeatNo> {
    if last.button == now.button {
        return Vec::new();
    }
    let away = table
        .seats()
        .filter(|(_, seat)| seat.away.is_some())
        .map(|(no, _)| no);
    away.filter(|no| ring.within(last.button, *no, now.button) || *no == now.button)
        .collect()
}

impl Positions {
    /// Where only the button posts: all three are one (see `Blinds::Button`).
    fn of_button(button: SeatNo) -> Positions {
        Positions {
            button,
            small_blind: button,
            big_blind: button,
        }
    }
}

/// The seats in a circle, clockwise.
#[derive(Clone, Copy)]
struct Ring(u8);

impl Ring {
    /// How many seats clockwise from one to the other: 1 to the number of seats.
    fn distance(self, from: SeatNo, to: SeatNo) -> u8 {
        match (to.0 % self.0 + self.0 - from.0 % self.0) % self.0 {
            0 => self.0,
            steps => steps,
        }
    }

    /// Whether a seat is after `from` and before `to`.
    fn within(self, from: SeatNo, seat: SeatNo, to: SeatNo) -> bool {
        self.distance(from, seat) < self.distance(from, to)
    }

    fn next(self, seats: &[SeatNo], after: SeatNo) -> Option<SeatNo> {
        seats
            .iter()
            .copied()
            .min_by_key(|seat| self.distance(after, *seat))
    }

    fn previous(self, seats: &[SeatNo], before: SeatNo) -> Option<SeatNo> {
        let others = seats.iter().copied().filter(|seat| *seat != before);
        others.max_by_key(|seat| self.distance(before, *seat))
    }

    /// From the order of the table into the order of dealing: the button last.
    fn turn(self, seats: &mut [SeatNo], button: SeatNo) {
        let button = SeatNo(button.0 % self.0);
        seats.rotate_left(seats.partition_point(|seat| *seat <= button));
    }
}
