//! An order of the statements on one partition.
//!
//! The run is followed line by line. At every moment there is a set of worlds: what the partition may hold, and which of the
//! statements that were asked have not been applied yet. A statement has to be applied when its answer is heard, and in
//! every world that stays possible it then gave that answer. A run without a world left contradicts the model.
//!
//! Plain deletes have no place in the order of conditional statements. So rows are read or not while one may be under way,
//! all of them are read before the first was asked, and none after one was answered.

use std::collections::{BTreeSet, HashSet};

use super::{Appended, Call, Contradiction, Outcome};
use crate::store::{self, Conditions, Segment};
use crate::trace::{Nothing, Recorded};
use crate::words::{Answer, Fixed, Partition, Payload, ShardRow, Statement, Values};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Shard(Option<ShardRow>),
    Segment(Option<Fixed>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    cell: Cell,
    /// Asked, and not applied: places in the list of calls.
    open: BTreeSet<usize>,
}

/// Fails with the first call after which no order is possible.
pub(super) fn find_order(calls: &[&Call], appended: &Appended) -> Result<(), Contradiction> {
    let Some(first) = calls.first() else {
        return Ok(());
    };
    let cell = match first.statement.partition() {
        Partition::Shard => Cell::Shard(None),
        Partition::Segment(_) => Cell::Segment(None),
    };
    let search = Search { calls, appended };
    let mut worlds = HashSet::from([World {
        cell,
        open: BTreeSet::new(),
    }]);
    for (place, is_asked) in search.moments() {
        let call = calls[place];
        worlds = if is_asked {
            worlds
                .into_iter()
                .map(|world| search.ask(world, place))
                .collect()
        } else {
            let reached = search.answer(&worlds, place)?;
            if reached.is_empty() {
                return Err(call.contradicts(told(&worlds)));
            }
            reached
        };
    }
    Ok(())
}

fn told(worlds: &HashSet<World>) -> String {
    let held: BTreeSet<_> = worlds
        .iter()
        .map(|world| format!("{:?}", world.cell))
        .collect();
    let held: Vec<_> = held.into_iter().take(SHOWN).collect();
    let held = held.join(" or ");
    format!("no order of the statements gives this answer; before it the partition held {held}")
}

struct Search<'a> {
    calls: &'a [&'a Call],
    appended: &'a Appended,
}

impl Search<'_> {
    /// Questions and answers in the order of the trace: a place in the list of calls, and whether it is asked there.
    fn moments(&self) -> Vec<(usize, bool)> {
        let mut moments = Vec::new();
        for (place, call) in self.calls.iter().enumerate() {
            let reads = call.statement.is_read();
            match &call.outcome {
                Outcome::Answered(_) => {}
                Outcome::Unknown if !reads => {}
                // It has no effect, and nobody heard what it found.
                Outcome::Unknown | Outcome::Never => continue,
            }
            if matches!(call.statement, Statement::DeleteRows { .. }) {
                continue;
            }
            moments.push((call.asked, place, true));
            moments.extend(call.ended.map(|ended| (ended, place, false)));
        }
        moments.sort_unstable();
        moments
            .into_iter()
            .map(|(_, place, is_asked)| (place, is_asked))
            .collect()
    }

    fn ask(&self, mut world: World, place: usize) -> World {
        world.open.insert(place);
        self.settle(&mut world);
        world
    }

    /// The worlds in which this call has been applied and gave its answer.
    fn answer(
        &self,
        worlds: &HashSet<World>,
        place: usize,
    ) -> Result<HashSet<World>, Contradiction> {
        let mut reached = HashSet::new();
        let mut seen = worlds.clone();
        let mut next: Vec<World> = worlds.iter().cloned().collect();
        while let Some(world) = next.pop() {
            if !world.open.contains(&place) {
                reached.insert(world);
                continue;
            }
            for other in &world.open {
                let Some(cell) = self.changes(&world.cell, *other) else {
                    continue;
                };
                let mut open = world.open.clone();
                open.remove(other);
                let mut world = World { cell, open };
                self.settle(&mut world);
                if seen.insert(world.clone()) {
                    next.push(world);
                }
            }
            if seen.len() > WORLDS {
                let why = format!("more than {WORLDS} orders are possible: too many to look at");
                return Err(self.calls[place].contradicts(why));
            }
        }
        Ok(reached)
    }

    /// Applies what changes nothing and gives the answer that was heard: to do so at the first chance excludes no order.
    /// Forgets what can have no effect any more and was not answered.
    fn settle(&self, world: &mut World) {
        let cell = world.cell;
        world.open.retain(|place| {
            let call = self.calls[*place];
            match &call.outcome {
                Outcome::Answered(heard) => {
                    let (after, answer) = self.apply(&cell, &call.statement);
                    after != cell || !self.is_same(call, &answer, heard)
                }
                Outcome::Unknown | Outcome::Never => !is_spent(&cell, &call.statement),
            }
        });
    }

    /// What the cell holds after this call, if it changes it and answers as heard.
    fn changes(&self, cell: &Cell, place: usize) -> Option<Cell> {
        let call = self.calls[place];
        let (after, answer) = self.apply(cell, &call.statement);
        let fits = match &call.outcome {
            Outcome::Answered(heard) => self.is_same(call, &answer, heard),
            Outcome::Unknown | Outcome::Never => true,
        };
        (fits && after != *cell).then_some(after)
    }

    fn apply(&self, cell: &Cell, statement: &Statement<Recorded>) -> (Cell, Answer<Recorded>) {
        match *cell {
            Cell::Shard(mut row) => {
                let answer = store::on_shard(&mut row, statement);
                (Cell::Shard(row), answer)
            }
            Cell::Segment(fixed) => {
                let mut segment = fixed.map(whole);
                let answer = store::on_segment(&mut segment, statement, &Conditions::SOUND);
                (Cell::Segment(segment.map(|segment| segment.fixed)), answer)
            }
        }
    }

    fn is_same(&self, call: &Call, answer: &Answer<Recorded>, heard: &Answer<Recorded>) -> bool {
        let (
            Statement::Rows { from, .. },
            Answer::Read(Values::Rows(model)),
            Answer::Read(Values::Rows(heard)),
        ) = (&call.statement, answer, heard)
        else {
            return answer == heard;
        };
        match (model, heard) {
            (None, None) => true,
            (Some((model, _)), Some((heard, rows))) => {
                model == heard && self.rows_fit(call, heard, *from, rows)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    /// Whether a read may bring these rows of a segment that stands so.
    fn rows_fit(
        &self,
        read: &Call,
        fixed: &Fixed,
        from: u32,
        rows: &[(u32, Payload<Recorded>)],
    ) -> bool {
        let deletes = || {
            let deletes = |call: &&&Call| matches!(call.statement, Statement::DeleteRows { .. });
            self.calls.iter().filter(deletes)
        };
        let asked = deletes().any(|call| read.ended.is_none_or(|ended| call.asked < ended));
        let done = deletes().any(|call| call.ended.is_some_and(|ended| ended < read.asked));
        if rows.is_empty() {
            return from >= fixed.next_n || asked;
        }
        let Some(appended) = self.appended.rows(fixed.next_n, fixed.last) else {
            return false;
        };
        let mut numbered = (from..).zip(rows);
        !done
            && numbered.all(|(n, (number, row))| {
                let fits = |appended: &&Payload<Recorded>| {
                    appended.kind == row.kind
                        && appended.previous == row.previous
                        && appended.body.digest == row.body.digest
                };
                // A hole is for the reader to find; it may be there only when rows are being deleted.
                (n == *number || asked) && appended.get(*number as usize).is_some_and(fits)
            })
    }
}

fn whole(fixed: Fixed) -> Segment<Recorded> {
    Segment {
        fixed,
        rows: Nothing,
    }
}

fn is_spent(cell: &Cell, statement: &Statement<Recorded>) -> bool {
    match cell {
        Cell::Shard(row) => store::is_spent_on_shard(row.as_ref(), statement),
        Cell::Segment(fixed) => {
            let segment = fixed.map(whole);
            store::is_spent_on_segment(segment.as_ref(), statement, &Conditions::SOUND)
        }
    }
}

/// How many worlds are looked at for one answer. A handful is usual.
const WORLDS: usize = 100_000;
/// How many of them a contradiction names.
const SHOWN: usize = 3;
