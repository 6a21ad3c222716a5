//! What must hold in every state, by somebody who sees all partitions at once.

use orp_models::owner::{At, End, Finding};
use orp_models::words::{Fold, Key, Kind, Link, Rows, Words};

use super::small::{Body, Small, Story};
use super::world::{Client, GENESIS, Setup, State, never_bit};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// P2: an acknowledged request is not in the log.
    Lost,
    /// P2: a request is in the log twice.
    Twice,
    /// P2: somebody became the owner without knowing of an acknowledged request.
    UnknownToOwner,
    /// P2: an owner's state is not what the log amounts to at its position.
    StateDiffers,
    /// P3: a request that was told as refused is in the log.
    RefusedIsThere,
    /// P3: an attempt that was told as never written is in the log.
    NeverIsThere,
    /// P4: the rows of one segment come from two incarnations.
    TwoWriters,
    /// P4: the log is damaged.
    Log(Finding),
    /// P4: an owner found the log damaged.
    Found(Finding),
}

impl Violation {
    /// Whether a client can notice it; the others make trouble for operators first.
    fn is_harm(self) -> bool {
        match self {
            Self::Lost
            | Self::Twice
            | Self::UnknownToOwner
            | Self::StateDiffers
            | Self::RefusedIsThere
            | Self::NeverIsThere => true,
            Self::TwoWriters | Self::Log(_) | Self::Found(_) => false,
        }
    }
}

/// Looks at everything.
pub fn judge(setup: &Setup, state: &State) -> Result<(), Violation> {
    match look(setup, state) {
        Err(violation) if setup.only_harm && !violation.is_harm() => Ok(()),
        verdict => verdict,
    }
}

fn look(setup: &Setup, state: &State) -> Result<(), Violation> {
    for owner in &state.owners {
        if let At::Ended(End::Damaged(finding)) = owner.at
            && !setup.only_harm
        {
            return Err(Violation::Found(finding));
        }
    }
    if state.unknown_to_owner {
        return Err(Violation::UnknownToOwner);
    }
    let Some(row) = state.shard else {
        return Ok(());
    };
    if setup.rules.missing_is_tail {
        // Without a root there is no one log to compare with.
        return Ok(());
    }
    if setup.conditions.keeps_static {
        chain_rises(state, row.low)?;
    }
    let story = log(state, row.low)?;
    for (request, client) in (0..).zip(&state.clients) {
        let times = story.iter().filter(|one| *one == request).count();
        match client {
            _ if times > 1 => return Err(Violation::Twice),
            Client::Acknowledged if times == 0 => return Err(Violation::Lost),
            Client::Refused if times > 0 => return Err(Violation::RefusedIsThere),
            Client::Idle
            | Client::First(_)
            | Client::Repeated
            | Client::Acknowledged
            | Client::Refused => {}
        }
    }
    Ok(())
}

/// The static parts lead from the root to `low`, and rise.
fn chain_rises(state: &State, low: Key) -> Result<(), Violation> {
    let mut key = Key::ROOT;
    while key < low {
        let segment = segment(state, key)?;
        let Some(seal) = segment.fixed.seal else {
            return Err(Violation::Log(Finding::OpenSegment));
        };
        if seal.next <= key {
            return Err(Violation::Log(Finding::ChainFalls));
        }
        key = seal.next;
    }
    if key == low {
        Ok(())
    } else {
        Err(Violation::Log(Finding::MissingSegment))
    }
}

fn segment(state: &State, key: Key) -> Result<&orp_models::store::Segment<Small>, Violation> {
    let place = state.segments.binary_search_by_key(&key, |(key, _)| *key);
    let place = place.map_err(|_absent| Violation::Log(Finding::MissingSegment))?;
    Ok(&state.segments[place].1)
}

/// The log from `low` on: checked row by row, with every owner compared where it stands.
fn log(state: &State, low: Key) -> Result<Story, Violation> {
    let mut story = Story::default();
    let mut known = (low == Key::ROOT).then_some(GENESIS);
    let mut key = low;
    loop {
        let segment = segment(state, key)?;
        let mut last = Link::EMPTY;
        let mut by = None;
        let mut complete = false;
        compare(state, key, 0, story)?;
        for n in 0..segment.fixed.next_n {
            let row = segment
                .rows
                .row(n)
                .ok_or(Violation::Log(Finding::MissingRow))?;
            if row.previous.is_some() != (n == 0)
                || row
                    .previous
                    .is_some_and(|previous| known.is_some_and(|known| known != previous))
            {
                return Err(Violation::Log(Finding::BrokenChain));
            }
            last = Small::link(row.previous.unwrap_or(last), n, row);
            known = Some(last);
            if let Body::Request {
                request,
                by: writer,
            } = row.body
            {
                if state.never & never_bit(request, writer) != 0 {
                    return Err(Violation::NeverIsThere);
                }
                if by.is_some_and(|by| by != writer) {
                    return Err(Violation::TwoWriters);
                }
                by = Some(writer);
            }
            complete |= matches!(row.kind, Kind::End(_));
            if !story.row(row) {
                return Err(Violation::Log(Finding::DoesNotFold));
            }
            // A checkpoint that is where the log begins is known only as a whole.
            if key > low || complete || key == Key::ROOT {
                compare(state, key, n + 1, story)?;
            }
        }
        if segment.rows.row(segment.fixed.next_n).is_some() {
            return Err(Violation::Log(Finding::ExtraRow));
        }
        if segment.fixed.last != last {
            return Err(Violation::Log(Finding::WrongEnd));
        }
        if key == low && key != Key::ROOT && !complete {
            return Err(Violation::Log(Finding::NoCheckpoint));
        }
        let Some(seal) = segment.fixed.seal else {
            return Ok(story);
        };
        if seal.next <= key {
            return Err(Violation::Log(Finding::ChainFalls));
        }
        key = seal.next;
    }
}

fn compare(state: &State, key: Key, n: u32, story: Story) -> Result<(), Violation> {
    let here = state
        .owners
        .iter()
        .filter(|owner| owner.reigns() && owner.open == key && owner.n == n);
    // Where the log begins with a checkpoint, nothing is known before its end.
    let known = |_: &&orp_models::owner::Owner<Small>| {
        key == Key::ROOT || n > 0 || state.shard.is_none_or(|row| row.low != key)
    };
    for owner in here.filter(known) {
        if owner.fold != story {
            return Err(Violation::StateDiffers);
        }
    }
    Ok(())
}
