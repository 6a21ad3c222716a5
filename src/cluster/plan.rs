//! What a node does next about each shard. Pure: all that is known comes in, and what to do comes out.

use std::{collections::BTreeMap, time::Duration};

use super::{
    evidence::Verdict,
    peer::NodeName,
    placement::{self, Candidate},
};
use crate::{ids::ShardId, table::shard::tenure::Phase};

/// All that is known.
#[derive(Clone, Debug)]
pub struct Known {
    /// This node.
    pub me: NodeName,
    /// The settling period after the start is over.
    pub settled: bool,
    /// This node and the nodes that it is linked to.
    pub candidates: Vec<Candidate>,
    /// The shards.
    pub shards: Vec<ShardView>,
    /// Takeovers under way here.
    pub taking: usize,
    /// Shards that this node is asking another one for.
    pub pulling: usize,
}

/// What is known of a shard.
#[derive(Clone, Debug)]
pub struct ShardView {
    /// Which.
    pub id: ShardId,
    /// How far it is here.
    pub phase: Phase,
    /// Who announces it, with the highest epoch.
    pub owner: Option<NodeName>,
    /// Nobody has announced it for so long, since this node is settled.
    pub vacant_for: Duration,
    /// Who had it last.
    pub last: Last,
    /// That was read in the store a moment ago, and not only seen before.
    pub read: bool,
    /// It is served here, and somebody else announces it with a higher epoch.
    pub overtaken: bool,
    /// Something is already under way about it here.
    pub busy: bool,
}

/// Who had a shard last, and what became of him.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// Not looked up yet.
    NotKnown,
    /// Nobody, ever.
    Nobody,
    /// This incarnation of this node.
    Me,
    /// Somebody else.
    Other(Verdict),
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read who had it last.
    LookUp(ShardId),
    /// Start its branch, and take it over.
    Take(ShardId),
    /// Its log here waits: let it take over again.
    Grant(ShardId),
    /// Its log here waits, and somebody else has it: end its branch.
    GiveUp(ShardId),
    /// Ask its owner for it.
    Pull(ShardId, NodeName),
}

/// What to do now.
pub fn next(known: &Known) -> Vec<Step> {
    let mut steps = Vec::new();
    let draining = known
        .candidates
        .iter()
        .any(|candidate| candidate.draining && candidate.name == known.me);
    let mut room = TAKING_MAX.saturating_sub(known.taking);
    for shard in known.shards.iter().filter(|shard| !shard.busy) {
        match about(known, shard, draining) {
            None => {}
            Some(step @ Step::GiveUp(_)) => steps.push(step),
            Some(_) if room == 0 => {}
            Some(step) => {
                room -= 1;
                steps.push(step);
            }
        }
    }
    steps.extend(pull(known));
    steps
}

fn about(known: &Known, shard: &ShardView, draining: bool) -> Option<Step> {
    let other = shard.owner.as_ref().is_some_and(|owner| *owner != known.me);
    match shard.phase {
        // Whoever announces a shard has sealed what was before. The log here may not hear of it: its store may be gone.
        Phase::Here(_) if shard.overtaken => Some(Step::GiveUp(shard.id)),
        Phase::Taking | Phase::Here(_) | Phase::Leaving => None,
        Phase::Waiting if other => Some(Step::GiveUp(shard.id)),
        Phase::Waiting => match shard.last {
            Last::NotKnown => Some(Step::LookUp(shard.id)),
            Last::Me => Some(Step::Grant(shard.id)),
            // Somebody won an epoch since: whether he is gone is judged as for any vacant shard.
            Last::Nobody | Last::Other(_) => Some(Step::GiveUp(shard.id)),
        },
        Phase::Away if other || !known.settled || draining => None,
        Phase::Away => vacant(known, shard),
    }
}

/// Nobody announces it.
fn vacant(known: &Known, shard: &ShardView) -> Option<Step> {
    let gone = match shard.last {
        Last::NotKnown => return Some(Step::LookUp(shard.id)),
        Last::Nobody | Last::Me | Last::Other(Verdict::Gone) => true,
        Last::Other(Verdict::Unsure) => false,
        // He is there and says nothing about it: he is taking it, giving it away, or cannot.
        Last::Other(Verdict::Alive) => shard.vacant_for >= SHIRKED_AFTER,
    };
    let ranked = placement::ranked(shard.id, &known.candidates);
    let rank = ranked.iter().position(|name| **name == known.me)?;
    let turn = RANK_PAUSE * u32::try_from(rank).ok()?;
    if !gone || shard.vacant_for < turn {
        return None;
    }
    // Somebody whose announcement has not come may have won an epoch meanwhile: only the first choice, and only at once,
    // need not look again.
    let at_once = rank == 0 && shard.vacant_for < RANK_PAUSE;
    Some(if shard.read || at_once {
        Step::Take(shard.id)
    } else {
        Step::LookUp(shard.id)
    })
}

/// One at a time to balance; from nodes that leave, a few.
fn pull(known: &Known) -> Option<Step> {
    if !known.settled || known.pulling >= PULLING_MAX {
        return None;
    }
    // What is under way counts as done, so that nobody is asked twice.
    let mut owners = BTreeMap::new();
    for shard in &known.shards {
        // Also one that somebody else overtook, or is given: its log here ends first.
        if shard.busy || shard.phase != Phase::Away {
            owners.insert(shard.id, known.me.clone());
        } else {
            // A vacant shard counts for nobody: who takes it is not known.
            owners.extend(shard.owner.clone().map(|owner| (shard.id, owner)));
        }
    }
    let (shard, from) =
        placement::wanted(&known.me, &known.candidates, &owners, known.shards.len())?;
    let leaves = known
        .candidates
        .iter()
        .any(|candidate| candidate.draining && candidate.name == from);
    (leaves || known.pulling == 0).then_some(Step::Pull(shard, from))
}

/// Takeovers and look-ups at a time: each reads the store, and a cluster that comes back must not read them all at once.
pub const TAKING_MAX: usize = 16;
/// Shards that are pulled at a time from a node that leaves.
pub const PULLING_MAX: usize = 4;
/// The second choice takes over so much later than the first, and so on: longer than a takeover takes on a busy machine, or
/// they take the shard from each other.
pub const RANK_PAUSE: Duration = Duration::from_millis(1_500);
/// An owner that is there and does not announce its shard for so long has lost it.
pub const SHIRKED_AFTER: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Epoch;

    fn name(text: &str) -> NodeName {
        text.parse().expect("a name")
    }

    /// Two nodes, `a` and `b`, and one shard, seen by each of them: what they do.
    fn check(change: impl Fn(&mut Known, &mut ShardView), expected: &[Step]) {
        for me in ["a", "b"] {
            let candidate = |text| Candidate {
                name: name(text),
                draining: false,
            };
            let mut known = Known {
                me: name(me),
                settled: true,
                candidates: vec![candidate("a"), candidate("b")],
                shards: Vec::new(),
                taking: 0,
                pulling: 0,
            };
            let mut shard = ShardView {
                id: ShardId(0),
                phase: Phase::Away,
                owner: None,
                vacant_for: Duration::from_secs(60),
                last: Last::Other(Verdict::Gone),
                read: true,
                overtaken: false,
                busy: false,
            };
            change(&mut known, &mut shard);
            known.shards.push(shard);
            assert_eq!(next(&known), expected, "as {me}: {known:?}");
        }
    }

    const S: ShardId = ShardId(0);

    #[test]
    fn a_vacant_shard_is_taken_if_its_owner_is_gone() {
        let last = |last| move |_: &mut Known, shard: &mut ShardView| shard.last = last;
        check(last(Last::Other(Verdict::Gone)), &[Step::Take(S)]);
        check(last(Last::Nobody), &[Step::Take(S)]);
        check(last(Last::NotKnown), &[Step::LookUp(S)]);
        check(last(Last::Other(Verdict::Unsure)), &[]);
        check(last(Last::Other(Verdict::Alive)), &[Step::Take(S)]);
        let early = |_: &mut Known, shard: &mut ShardView| {
            shard.last = Last::Other(Verdict::Alive);
            shard.vacant_for = Duration::from_secs(9);
        };
        check(early, &[]);
        check(|_, shard| shard.read = false, &[Step::LookUp(S)]);
    }

    #[test]
    fn the_first_choice_takes_at_once_and_the_second_later() {
        let mut takers = Vec::new();
        for me in ["a", "b"] {
            for ms in [0, 1_400, 1_600] {
                let shard = ShardView {
                    id: S,
                    phase: Phase::Away,
                    owner: None,
                    vacant_for: Duration::from_millis(ms),
                    last: Last::Nobody,
                    read: true,
                    overtaken: false,
                    busy: false,
                };
                let candidates = ["a", "b"].map(|text| Candidate {
                    name: name(text),
                    draining: false,
                });
                let known = Known {
                    me: name(me),
                    settled: true,
                    candidates: candidates.to_vec(),
                    shards: vec![shard],
                    taking: 0,
                    pulling: 0,
                };
                if !next(&known).is_empty() {
                    takers.push((ms, me));
                }
            }
        }
        takers.sort_unstable();
        let first = takers[0].1;
        let second = if first == "a" { "b" } else { "a" };
        let mut expected = vec![(0, first), (1_400, first), (1_600, first), (1_600, second)];
        expected.sort_unstable();
        assert_eq!(takers, expected);
    }

    #[test]
    fn nobody_takes_before_he_is_settled_or_while_he_drains() {
        check(|known, _| known.settled = false, &[]);
        let drain = |known: &mut Known, _: &mut ShardView| {
            known.candidates.iter_mut().for_each(|c| c.draining = true);
        };
        check(drain, &[]);
        check(|known, _| known.taking = TAKING_MAX, &[]);
        check(|_, shard| shard.busy = true, &[]);
    }

    #[test]
    fn a_log_that_waits_goes_on_unless_somebody_else_has_the_shard() {
        let waits = |last, owner: Option<&'static str>| {
            move |_: &mut Known, shard: &mut ShardView| {
                shard.phase = Phase::Waiting;
                shard.last = last;
                shard.owner = owner.map(name);
            }
        };
        check(waits(Last::NotKnown, None), &[Step::LookUp(S)]);
        check(waits(Last::Me, None), &[Step::Grant(S)]);
        check(waits(Last::Other(Verdict::Alive), None), &[Step::GiveUp(S)]);
        check(waits(Last::Me, Some("c")), &[Step::GiveUp(S)]);
    }

    #[test]
    fn what_still_runs_here_is_not_asked_for() {
        for phase in [Phase::Here(Epoch(1)), Phase::Taking, Phase::Leaving] {
            let poor = |known: &mut Known, shard: &mut ShardView| {
                let rich = if known.me == name("a") { "b" } else { "a" };
                for n in 1..8 {
                    known.shards.push(ShardView {
                        id: ShardId(n),
                        phase,
                        owner: Some(name(rich)),
                        ..shard.clone()
                    });
                }
                shard.phase = phase;
                shard.owner = Some(name(rich));
            };
            check(poor, &[]);
        }
    }

    #[test]
    fn owners_are_sticky() {
        check(|_, shard| shard.owner = Some(name("c")), &[]);
        check(|_, shard| shard.phase = Phase::Here(Epoch(1)), &[]);
        let overtaken = |_: &mut Known, shard: &mut ShardView| {
            shard.phase = Phase::Here(Epoch(1));
            shard.owner = Some(name("c"));
            shard.overtaken = true;
        };
        check(overtaken, &[Step::GiveUp(S)]);
    }

    #[test]
    fn a_node_that_leaves_is_asked_for_its_shard_by_its_next_owner() {
        let leaves = |known: &mut Known, shard: &mut ShardView| {
            known.candidates.push(Candidate {
                name: name("c"),
                draining: true,
            });
            known
                .candidates
                .retain(|c| c.name == known.me || c.draining);
            shard.owner = Some(name("c"));
        };
        check(leaves, &[Step::Pull(S, name("c"))]);
        let full = move |known: &mut Known, shard: &mut ShardView| {
            leaves(known, shard);
            known.pulling = PULLING_MAX;
        };
        check(full, &[]);
    }
}
