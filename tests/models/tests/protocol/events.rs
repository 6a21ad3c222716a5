//! What must hold in every state of a world, what has to happen in it at least once, and how a path reads.

use orp_models::owner::{At, Owner};
use orp_models::words::Key;
use stateright::{Model, Path, Property};

use super::judge::judge;
use super::small::KeySet;
use super::world::{Action, Client, Setup, State};

/// What holds in every state; the names of what has to happen at least once.
pub const PROMISES: &str = "P2, P3 and P4 are kept";
const EVERYTHING_DONE: &str = "every request is acknowledged";
const SOMETHING_REFUSED: &str = "a request is refused";
const LAST_REIGNS: &str = "the last incarnation becomes the owner";
const READ_FROM_CHECKPOINT: &str = "an owner reads from another's checkpoint on";
const PRUNE_INHERITED: &str = "an owner finds rows that an interrupted prune left over";
const HANDED_OVER: &str = "an owner hands over";

/// What has to happen at least once, in which setups, and how it is seen.
type Event = (&'static str, bool, fn(&Setup, &State) -> bool);

pub fn properties(setup: &Setup) -> Vec<Property<Setup>> {
    let kept = |setup: &Setup, state: &State| judge(setup, state).is_ok();
    let mut properties = vec![Property::always(PROMISES, kept)];
    if !setup.looks_for_events {
        return properties;
    }
    let events: [Event; 6] = [
        (EVERYTHING_DONE, true, |_, state| {
            let done = |client: &Client| *client == Client::Acknowledged;
            state.clients.iter().all(done)
        }),
        (SOMETHING_REFUSED, true, |_, state| {
            state.clients.contains(&Client::Refused)
        }),
        (LAST_REIGNS, true, |setup, state| {
            let last = state.owners.get(usize::from(setup.incarnations) - 1);
            last.is_some_and(Owner::reigns)
        }),
        (READ_FROM_CHECKPOINT, setup.prunes, |_, state| {
            let mut owners = state.owners.iter().filter(|owner| owner.reigns());
            owners.any(|owner| owner.low != Key::ROOT && owner.low.epoch < owner.epoch)
        }),
        (PRUNE_INHERITED, setup.prunes, |_, state| {
            let mut owners = state.owners.iter().filter(|owner| owner.at == At::Reign);
            owners
                .any(|owner| owner.low.epoch < owner.epoch && owner.leftovers != KeySet::default())
        }),
        (HANDED_OVER, setup.hands_over, |_, state| {
            let mut owners = state.owners.iter().filter(|owner| owner.reigns());
            owners.any(|owner| {
                state.segments.iter().any(|(key, segment)| {
                    segment.fixed.seal.is_some_and(|seal| {
                        seal.by == segment.fixed.writer
                            && seal.next == owner.open
                            && key.epoch < owner.epoch
                    })
                })
            })
        }),
    ];
    let expected = events.into_iter().filter(|(_, expected, _)| *expected);
    properties.extend(expected.map(|(name, _, seen)| Property::sometimes(name, seen)));
    properties
}

impl Setup {
    /// The names of what has to happen in this world.
    pub fn events(&self) -> Vec<&'static str> {
        let properties = self.properties().into_iter().map(|property| property.name);
        properties.filter(|name| *name != PROMISES).collect()
    }

    /// A path in words, a step a line.
    pub fn tell(&self, path: Path<State, Action>) -> String {
        let mut lines = String::new();
        for (i, (state, action)) in path.into_vec().into_iter().enumerate() {
            let Some(action) = action else { break };
            let statement = |i: usize| state.owners[i].statement();
            let said = match &action {
                Action::Begin { .. } => format!("{} begins", state.owners.len()),
                Action::Ask(i) => format!("{i} is answered: {:?}", statement(*i)),
                Action::Lose(i) => format!("{i} is not answered: {:?}", statement(*i)),
                Action::GiveUp(i) => format!("{i} gives up: {:?}", statement(*i)),
                Action::Choose(i, choice, fate) => format!("{i} chooses {choice:?}: {fate:?}"),
                Action::Repeat(i, request) => format!("{i} finds request {request} done"),
                Action::Decline(i, request) => format!("{i} refuses request {request}"),
                Action::Resume(i) => format!("{i} restarts, and goes on where it was"),
                Action::Deliver(statement) => format!("late: {statement:?}"),
            };
            let said = said.replace("Some(", "(");
            lines += &format!("{:4}. {said}\n", i + 1);
        }
        lines
    }
}
