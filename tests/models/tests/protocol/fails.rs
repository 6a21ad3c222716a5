//! Each rule is needed: without it a promise is broken, and the search finds how.

use orp_models::owner::{Finding, Rules};
use orp_models::store::Conditions;
use stateright::{Checker, HasDiscoveries, Model};

use super::events::PROMISES;
use super::judge::{Violation, judge};
use super::world::Setup;

/// Finds the shortest way to break a promise.
fn fails(name: &str, setup: Setup, expected: Violation) {
    let first = HasDiscoveries::AnyFailures;
    // With one thread, and one thing to look for, the first way that is found is a shortest one, and always the same.
    let checker = setup.checker().finish_when(first).spawn_bfs().join();
    let path = checker.discovery(PROMISES).unwrap_or_else(|| {
        panic!(
            "{name}: {} states break nothing",
            checker.unique_state_count()
        )
    });
    let broken = judge(&setup, path.last_state());
    let (steps, states) = (
        path.clone().into_actions().len(),
        checker.unique_state_count(),
    );
    println!(
        "{name}: {broken:?} after {steps} steps, found in {states} states\n{}",
        setup.tell(path)
    );
    assert_eq!(broken, Err(expected), "{name}");
}

const TAKEOVERS: Setup = Setup {
    incarnations: 2,
    requests: 1,
    only_harm: true,
    looks_for_events: false,
    ..Setup::SOUND
};

const PRUNING: Setup = Setup {
    rotations: 1,
    checkpoint_rows: 1,
    prunes: true,
    loses_hints: false,
    ..TAKEOVERS
};

/// Rows that carry their epoch, and no conditions: the next owner has read the log when the old one writes on.
#[test]
fn plain_writes_with_an_epoch() {
    let conditions = Conditions {
        fenced: false,
        ..Conditions::SOUND
    };
    let setup = Setup {
        conditions,
        ..TAKEOVERS
    };
    fails("plain writes", setup, Violation::StateDiffers);
}

/// The same, acknowledged only if the segment is still open after the write: a late row changes what is read next.
#[test]
fn a_recheck_before_the_acknowledgement() {
    let setup = Setup {
        conditions: Conditions {
            fenced: false,
            ..Conditions::SOUND
        },
        rules: Rules {
            rechecks: true,
            ..Rules::SOUND
        },
        ..TAKEOVERS
    };
    fails("re-check", setup, Violation::StateDiffers);
}

#[test]
fn a_slot_used_again() {
    let setup = Setup {
        incarnations: 1,
        requests: 2,
        declines: false,
        rules: Rules {
            reuses_slots: true,
            ..Rules::SOUND
        },
        ..TAKEOVERS
    };
    fails("slot reuse", setup, Violation::StateDiffers);
}

#[test]
fn a_time_out_taken_as_failure() {
    let setup = Setup {
        rules: Rules {
            time_out_is_failure: true,
            ..Rules::SOUND
        },
        ..TAKEOVERS
    };
    fails("time-out is failure", setup, Violation::NeverIsThere);
}

/// The owner that refuses is right about its own attempt; the other one of the same request is in the log.
#[test]
fn refused_told_for_a_repeated_request() {
    let setup = Setup {
        refuses_repeats: true,
        ..TAKEOVERS
    };
    fails("refused for a repeat", setup, Violation::RefusedIsThere);
}

#[test]
fn a_shared_segment_id() {
    let rules = Rules {
        shares_segments: true,
        ..Rules::SOUND
    };
    let setup = Setup { rules, ..TAKEOVERS };
    fails("shared segment", setup, Violation::RefusedIsThere);
    let setup = Setup {
        only_harm: false,
        requests: 2,
        declines: false,
        ..setup
    };
    fails("shared segment, by its rows", setup, Violation::TwoWriters);
}

#[test]
fn going_on_in_the_old_segment() {
    let setup = Setup {
        rules: Rules {
            resumes: true,
            ..Rules::SOUND
        },
        ..TAKEOVERS
    };
    fails("old segment", setup, Violation::RefusedIsThere);
}

/// The chain falls, and a chain that falls can close to a circle.
#[test]
fn a_lower_epoch_that_seals_a_higher_one() {
    let setup = Setup {
        only_harm: false,
        rules: Rules {
            seals_higher: true,
            ..Rules::SOUND
        },
        ..TAKEOVERS
    };
    fails(
        "lower seals higher",
        setup,
        Violation::Log(Finding::ChainFalls),
    );
}

#[test]
fn a_missing_segment_taken_as_the_tail() {
    let setup = Setup {
        rules: Rules {
            missing_is_tail: true,
            ..Rules::SOUND
        },
        ..TAKEOVERS
    };
    fails("missing is tail", setup, Violation::UnknownToOwner);
}

/// A late create revives a pruned segment, whose writer woke up and acknowledges into it.
#[test]
fn whole_partitions_deleted() {
    let setup = Setup {
        rotations_in_all: 1,
        under_way: 1,
        conditions: Conditions {
            keeps_static: false,
            ..Conditions::SOUND
        },
        ..PRUNING
    };
    fails("partitions deleted", setup, Violation::Lost);
}

/// An old owner moves `low` back to rows that are gone.
#[test]
fn low_moved_by_a_fresh_read() {
    let setup = Setup {
        only_harm: false,
        rules: Rules {
            fresh_low: true,
            ..Rules::SOUND
        },
        ..PRUNING
    };
    fails("fresh low", setup, Violation::Log(Finding::MissingRow));
}

/// An owner that ended in the middle of a checkpoint left less than everything.
#[test]
fn an_incomplete_checkpoint_used() {
    let setup = Setup {
        only_harm: false,
        rotations_in_all: 1,
        checkpoint_rows: 2,
        rules: Rules {
            trusts_parts: true,
            ..Rules::SOUND
        },
        ..PRUNING
    };
    fails(
        "incomplete checkpoint",
        setup,
        Violation::Log(Finding::NoCheckpoint),
    );
}

#[test]
fn rows_deleted_before_low_moves() {
    let setup = Setup {
        only_harm: false,
        rotations_in_all: 1,
        rules: Rules {
            deletes_first: true,
            ..Rules::SOUND
        },
        ..PRUNING
    };
    fails(
        "rows deleted first",
        setup,
        Violation::Log(Finding::MissingRow),
    );
}

/// The rules hold where they are not broken: the search is not one that always finds something.
#[test]
fn nothing_is_found_without_a_defect() {
    for setup in [TAKEOVERS, PRUNING] {
        let setup = Setup {
            only_harm: false,
            rotations_in_all: 1,
            ..setup
        };
        let checker = setup.checker().spawn_bfs().join();
        assert!(checker.discovery(PROMISES).is_none());
    }
}
