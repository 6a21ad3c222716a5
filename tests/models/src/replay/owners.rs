//! What each client asks, against what the owner half asks.
//!
//! A trace does not say what an owner decided, nor when it stopped asking; so every owner is followed that fits. A client
//! whose next statement none of them makes does something that the model did not prove safe.

use std::collections::BTreeSet;

use super::{Call, Contradiction, Outcome};
use crate::owner::{At, Choice, End, Owner, Rules};
use crate::trace::Recorded;
use crate::words::{Kind, Statement, Token};

/// Follows one client, and answers how many epochs it won and claimed.
pub(super) fn follow(
    calls: &[&Call],
    tokens: &mut BTreeSet<Token>,
) -> Result<usize, Contradiction> {
    let mut incarnations = 0;
    let mut owners: Vec<Owner<Recorded>> = Vec::new();
    for call in calls {
        let mut next = Vec::new();
        for owner in owners {
            reach(owner, call, &mut next, GIVES_UP);
        }
        if call.statement == Statement::Shard {
            // The one before may be over, whatever it was about to do: then this begins anew.
            next.extend(
                [false, true].map(|from_low| Owner::new(Token::ROOT, call.genesis, from_low)),
            );
        }
        next.sort_unstable();
        next.dedup();
        let Some(owner) = next.first() else {
            return Err(call.contradicts("no owner that keeps to the protocol asks this now"));
        };
        if owner.at == At::Create
            && let Statement::Create { writer, .. } = call.statement
            && !is_repeated(calls, call)
        {
            incarnations += 1;
            if !tokens.insert(writer) {
                return Err(call.contradicts("another incarnation has this token"));
            }
        }
        for owner in &mut next {
            match &call.outcome {
                Outcome::Answered(answer) => {
                    owner.hears(answer.clone(), &Rules::SOUND);
                }
                Outcome::Unknown => owner.doubts(),
                Outcome::Never => {}
            }
        }
        next.sort_unstable();
        next.dedup();
        if let At::Ended(End::Damaged(finding)) = next[0].at
            && next.iter().all(|owner| owner.at == next[0].at)
        {
            return Err(call.contradicts(format!("the log that it reads is damaged: {finding:?}")));
        }
        owners = next;
    }
    Ok(incarnations)
}

/// Whether an earlier call of the same client is the identical statement.
fn is_repeated(calls: &[&Call], call: &Call) -> bool {
    let mut earlier = calls.iter().take_while(|other| other.number != call.number);
    earlier.any(|other| other.statement == call.statement)
}

/// The owners that this one may have become, without a statement in between, that ask this.
fn reach(owner: Owner<Recorded>, call: &Call, found: &mut Vec<Owner<Recorded>>, gives_up: u32) {
    let statement = &call.statement;
    if let (At::Create, Statement::Create { segment, writer }) = (&owner.at, statement)
        && owner.open == *segment
    {
        // Its name is known only now, and it never has another one.
        if owner.token == Token::ROOT || owner.token == *writer {
            found.push(Owner {
                token: *writer,
                ..owner.clone()
            });
        }
    } else if owner.statement().as_ref() == Some(statement) {
        found.push(owner.clone());
    }
    if let Some(choice) = choice(&owner, statement)
        && owner.may(&choice)
    {
        let mut chosen = owner.clone();
        chosen.chooses(choice, &Rules::SOUND);
        if chosen.statement().as_ref() == Some(statement) {
            found.push(chosen);
        }
    }
    if gives_up > 0 && !matches!(owner.at, At::Reign | At::Ended(_)) {
        let mut without = owner;
        without.gives_up(&Rules::SOUND);
        reach(without, call, found, gives_up - 1);
    }
}

/// What an owner that waits must have chosen to ask this.
fn choice(owner: &Owner<Recorded>, statement: &Statement<Recorded>) -> Option<Choice<Recorded>> {
    Some(match statement {
        Statement::Append { row, .. } => match row.kind {
            Kind::Commit => Choice::Commit(row.body),
            Kind::Part => Choice::Part(row.body),
            Kind::End(_) => Choice::End(row.body),
        },
        Statement::Create { .. } => Choice::Rotate,
        Statement::AdvanceLow { to, .. } => Choice::Prune(*to),
        Statement::DeleteRows { .. } => Choice::Sweep,
        Statement::Segment { segment } if *segment == owner.open => Choice::Confirm,
        Statement::Segment { segment } => Choice::HandOver(*segment),
        Statement::Shard
        | Statement::WinEpoch { .. }
        | Statement::SetTail { .. }
        | Statement::Seal { .. }
        | Statement::Rows { .. } => return None,
    })
}

/// How many statements in a row an owner goes on from without an answer: a hint, then what follows.
const GIVES_UP: u32 = 2;
