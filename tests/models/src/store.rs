//! The store half: what each statement does to its partition, and what it answers.

use crate::words::{Answer, Fixed, Key, Link, Payload, Rows, ShardRow, Statement, Values, Words};

/// What a store checks. A sound one checks everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// Appends name the writer.
    pub writer: bool,
    /// Appends name the last hash.
    pub hash: bool,
    /// Appends are conditional at all.
    pub fenced: bool,
    /// A delete keeps the static part.
    pub keeps_static: bool,
    /// How many rows one read brings.
    pub rows_a_read: u32,
}

impl Conditions {
    /// Everything is checked, and a read brings all.
    pub const SOUND: Self = Self {
        writer: true,
        hash: true,
        fenced: true,
        keeps_static: true,
        rows_a_read: u32::MAX,
    };
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment<W: Words> {
    /// The static part.
    pub fixed: Fixed,
    /// The rows.
    pub rows: W::Rows,
}

const OTHER_PARTITION: &str = "a statement is made on the partition that it touches";

/// A statement on the shard's row.
pub fn on_shard<W: Words>(row: &mut Option<ShardRow>, statement: &Statement<W>) -> Answer<W> {
    let changed = match *statement {
        Statement::Shard => return Answer::Read(Values::Shard(*row)),
        Statement::WinEpoch { from, to } => {
            if row.map(|row| row.epoch) != from {
                return Answer::NotApplied(Values::Shard(*row));
            }
            let (tail, low) = row.map_or((Key::ROOT, Key::ROOT), |row| (row.tail, row.low));
            Some(ShardRow {
                epoch: to,
                tail,
                low,
            })
        }
        Statement::SetTail { epoch, tail } => row
            .filter(|row| row.epoch == epoch)
            .map(|row| ShardRow { tail, ..row }),
        Statement::AdvanceLow { from, to } => row
            .filter(|row| row.low == from)
            .map(|row| ShardRow { low: to, ..row }),
        Statement::Create { .. }
        | Statement::Append { .. }
        | Statement::Seal { .. }
        | Statement::Segment { .. }
        | Statement::Rows { .. }
        | Statement::DeleteRows { .. } => unreachable!("{OTHER_PARTITION}"),
    };
    match changed {
        Some(changed) => {
            *row = Some(changed);
            Answer::Applied
        }
        None => Answer::NotApplied(Values::Shard(*row)),
    }
}

/// A statement on a segment.
pub fn on_segment<W: Words>(
    segment: &mut Option<Segment<W>>,
    statement: &Statement<W>,
    conditions: &Conditions,
) -> Answer<W> {
    let found = segment.as_ref().map(|segment| segment.fixed);
    let refused = Answer::NotApplied(Values::Segment(found));
    match statement {
        Statement::Create { writer, .. } => {
            if segment.is_some() {
                return refused;
            }
            *segment = Some(Segment {
                fixed: Fixed {
                    writer: *writer,
                    next_n: 0,
                    last: Link::EMPTY,
                    seal: None,
                },
                rows: W::Rows::default(),
            });
        }
        Statement::Append {
            writer,
            n,
            expected,
            row,
            link,
            ..
        } => {
            let Some(segment) = segment else {
                return refused;
            };
            let fixed = &mut segment.fixed;
            let holds = (!conditions.writer || fixed.writer == *writer)
                && (!conditions.hash || fixed.last == *expected)
                && fixed.seal.is_none()
                && fixed.next_n == *n;
            if conditions.fenced && !holds {
                return refused;
            }
            fixed.next_n = n + 1;
            fixed.last = *link;
            segment.rows.write(*n, row.clone());
        }
        Statement::Seal { seal, .. } => match segment {
            Some(segment) if segment.fixed.seal.is_none() => segment.fixed.seal = Some(*seal),
            Some(_) | None => return refused,
        },
        Statement::DeleteRows { .. } => {
            if !conditions.keeps_static {
                *segment = None;
            } else if let Some(segment) = segment {
                segment.rows.clear();
            }
        }
        Statement::Segment { .. } => return Answer::Read(Values::Segment(found)),
        Statement::Rows { from, .. } => {
            let rows = segment.as_ref().map(|segment| {
                let rows =
                    rows_from::<W>(&segment.rows, *from).take(conditions.rows_a_read as usize);
                (segment.fixed, rows.collect())
            });
            return Answer::Read(Values::Rows(rows));
        }
        Statement::Shard
        | Statement::WinEpoch { .. }
        | Statement::SetTail { .. }
        | Statement::AdvanceLow { .. } => unreachable!("{OTHER_PARTITION}"),
    }
    Answer::Applied
}

fn rows_from<W: Words>(rows: &W::Rows, from: u32) -> impl Iterator<Item = (u32, Payload<W>)> {
    (from..).map_while(|n| Some((n, rows.row(n)?.clone())))
}

/// Whether this statement can never again change its partition, whatever else is applied there: then it does not matter
/// whether a copy of it is still under way. `false` where it is not known.
pub fn is_spent_on_shard<W: Words>(row: Option<&ShardRow>, statement: &Statement<W>) -> bool {
    // Epochs only rise, and a row never goes away.
    match statement {
        Statement::WinEpoch { from, .. } => match (row, from) {
            (Some(row), Some(from)) => row.epoch > *from,
            (Some(_), None) => true,
            (None, _) => false,
        },
        Statement::SetTail { epoch, .. } => row.is_some_and(|row| row.epoch > *epoch),
        Statement::Shard => true,
        Statement::AdvanceLow { .. }
        | Statement::Create { .. }
        | Statement::Append { .. }
        | Statement::Seal { .. }
        | Statement::Segment { .. }
        | Statement::Rows { .. }
        | Statement::DeleteRows { .. } => false,
    }
}

/// The same on a segment.
pub fn is_spent_on_segment<W: Words>(
    segment: Option<&Segment<W>>,
    statement: &Statement<W>,
    conditions: &Conditions,
) -> bool {
    if statement.is_read() {
        return true;
    }
    let Some(segment) = segment.filter(|_| conditions.keeps_static) else {
        return false;
    };
    // Static parts never go away, seals are never taken back, row counts only rise.
    match statement {
        Statement::Create { .. } => true,
        Statement::Seal { .. } => segment.fixed.seal.is_some(),
        Statement::Append { n, .. } => {
            conditions.fenced && (segment.fixed.seal.is_some() || segment.fixed.next_n > *n)
        }
        // Nobody appends to a sealed segment, so what is deleted there stays so.
        Statement::DeleteRows { .. } => {
            conditions.fenced
                && segment.fixed.seal.is_some()
                && (0..segment.fixed.next_n).all(|n| segment.rows.row(n).is_none())
        }
        Statement::Shard
        | Statement::WinEpoch { .. }
        | Statement::SetTail { .. }
        | Statement::AdvanceLow { .. }
        | Statement::Segment { .. }
        | Statement::Rows { .. } => false,
    }
}
