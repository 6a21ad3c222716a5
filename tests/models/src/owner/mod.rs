//! The owner half: one incarnation of a shard's log, from the first read of its takeover to its end.
//!
//! An owner is always about to make one statement, or it waits for a choice. It hears an answer, or none; both are
//! transitions here, and nothing else changes it. What it leaves open (how often it asks again, when it gives up,
//! what it does next) is for whoever runs it to decide in every possible way.

use std::fmt::Debug;

use crate::words::{Key, Keys, Kind, Link, Payload, Seal, Statement, Token, Words};

mod read;
mod reign;
mod takeover;

/// The rules of the protocol that a variant may break, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// A plain append is acknowledged only after the segment was read once more, and was open.
    pub rechecks: bool,
    /// An append that was not answered leaves its slot to another payload, and a grown `next_n` counts as success.
    pub reuses_slots: bool,
    /// An append that was not answered is told as never written.
    pub time_out_is_failure: bool,
    /// Whoever finds that "his" epoch stands in the shard's row has won it, and shares its segment and token.
    pub shares_segments: bool,
    /// After a restart the writer reads its open segment and goes on there.
    pub resumes: bool,
    /// A takeover seals whatever the chain leads to, a higher epoch too.
    pub seals_higher: bool,
    /// A segment that is not there is the end of the chain, and no root is created.
    pub missing_is_tail: bool,
    /// `low` is moved from the value that was read just before.
    pub fresh_low: bool,
    /// A checkpoint counts as complete with its first row.
    pub trusts_parts: bool,
    /// Rows are deleted before `low` moves.
    pub deletes_first: bool,
}

impl Rules {
    /// The protocol.
    pub const SOUND: Self = Self {
        rechecks: false,
        reuses_slots: false,
        time_out_is_failure: false,
        shares_segments: false,
        resumes: false,
        seals_higher: false,
        missing_is_tail: false,
        fresh_low: false,
        trusts_parts: false,
        deletes_first: false,
    };
}

/// What an owner finds wrong with the log. The shard is not served then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "they are the findings of src/store/log/replay.rs"
)]
pub enum Finding {
    MissingShard,
    MissingSegment,
    MissingRow,
    ExtraRow,
    BrokenChain,
    WrongEnd,
    BadFrame,
    NoCheckpoint,
    OpenSegment,
    ChainFalls,
    ForeignState,
    DoesNotFold,
}

/// How an incarnation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Its epoch is not won, or of no use.
    Outrun,
    /// A statement was not answered, and it cannot go on without.
    Unanswered,
    /// Its segment was sealed by another.
    Refused,
    /// It cannot tell what became of a statement.
    Undetermined,
    /// Its segment was sealed before it had read the log.
    Superseded,
    /// It handed over.
    HandedOver,
    /// The log is damaged, or seems so.
    Damaged(Finding),
}

/// How far a segment's checkpoint was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "see src/store/log/replay.rs")]
pub enum Checkpoint {
    Open,
    Complete,
    None,
}

/// Where an incarnation stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each variant says what comes next")]
pub enum At<W: Words> {
    /// Reads the shard's row.
    Start,
    /// Creates the root.
    CreateRoot,
    /// Wins its epoch.
    Win { from: Option<u32> },
    /// Creates the first segment of its epoch.
    Create,
    /// A claim: waits, or reads the shard's row to find where the chain ends.
    Claimed,
    /// Seals this segment in favour of its own.
    Link { tail: Key },
    /// Writes the hint after a takeover.
    Hint,
    /// Reads `low`, again after damage was found from that value on.
    ReadLow { damage: Option<(Key, Finding)> },
    /// Reads rows.
    Read {
        segment: Key,
        n: u32,
        known: Option<Link>,
        checkpoint: Checkpoint,
    },
    /// Owns the shard; waits for a choice.
    Reign,
    /// Appends a row. With doubt an attempt of it is not answered.
    Append { row: Payload<W>, doubt: bool },
    /// Variant: reads the segment once more before it acknowledges.
    Recheck { row: Payload<W> },
    /// Creates the segment that a rotation goes on in.
    CreateNext,
    /// Seals its own segment naming that one.
    SealNext { doubt: bool },
    /// Waits for the next row of a checkpoint.
    Checkpoint,
    /// Writes the hint after a rotation.
    HintNext,
    /// Variant: reads the shard's row to see where `low` is.
    FreshLow { to: Key },
    /// Moves `low`.
    Advance { from: Key, to: Key },
    /// Deletes the rows of what is left over.
    Sweep,
    /// Variant: deletes these first.
    DeleteFirst { to: Key, left: W::Keys },
    /// Looks whether there is such a claim.
    FindClaim { next: Key },
    /// Seals its own segment in favour of another's claim.
    HandOver { next: Key, doubt: bool },
    /// Asks whether it still owns the shard.
    Confirm,
    /// Has ended.
    Ended(End),
}

/// What an owner may choose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice<W: Words> {
    /// Commit this.
    Commit(W::Body),
    /// Begin a new segment.
    Rotate,
    /// Write a part of its checkpoint.
    Part(W::Body),
    /// Write the last row of its checkpoint.
    End(W::Body),
    /// Forget what comes before this segment.
    Prune(Key),
    /// Delete what an interrupted prune left over.
    Sweep,
    /// Hand the shard over to this claim.
    HandOver(Key),
    /// Ask whether the shard is still one's own.
    Confirm,
}

/// What an owner can tell its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told<B> {
    /// Nothing.
    Nothing,
    /// The commit is durable.
    Acknowledged(B),
    /// The attempt is not in the log, and never will be.
    Never(B),
    /// The shard has been read: this incarnation owns it.
    Reigns,
}

/// One incarnation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner<W: Words> {
    /// Its unique name.
    pub token: Token,
    /// What the shard's first row hashes over.
    pub genesis: Link,
    /// Where it stands.
    pub at: At<W>,
    /// The epoch that it tries to win, or has won.
    pub epoch: u32,
    /// It looks for the end of the chain from `low` on, not from the hint.
    pub from_low: bool,
    /// The open segment.
    pub open: Key,
    /// The number of its next row.
    pub n: u32,
    /// What its static part's hash is.
    pub stored: Link,
    /// What the next row hashes over.
    pub link: Link,
    /// Where the log begins.
    pub low: Key,
    /// The segments from there to the open one.
    pub chain: W::Keys,
    /// Those of them that begin with a complete checkpoint.
    pub checkpoints: W::Keys,
    /// Those before, whose rows may not be deleted yet.
    pub leftovers: W::Keys,
    /// Where it tried to move `low` without hearing whether it did.
    pub unheard: W::Keys,
    /// What the log amounts to.
    pub fold: W::Fold,
}

impl<W: Words> Owner<W>
where
    W::Fold: Ord,
{
    /// Begins a takeover.
    pub fn new(token: Token, genesis: Link, from_low: bool) -> Self {
        Self {
            token,
            genesis,
            at: At::Start,
            epoch: 0,
            from_low,
            open: Key::ROOT,
            n: 0,
            stored: Link::EMPTY,
            link: Link::EMPTY,
            low: Key::ROOT,
            chain: W::Keys::default(),
            checkpoints: W::Keys::default(),
            leftovers: W::Keys::default(),
            unheard: W::Keys::default(),
            fold: W::Fold::default(),
        }
    }

    /// Whether it may append.
    pub fn reigns(&self) -> bool {
        match self.at {
            At::Reign
            | At::Append { .. }
            | At::Recheck { .. }
            | At::CreateNext
            | At::SealNext { .. }
            | At::Checkpoint
            | At::HintNext
            | At::FreshLow { .. }
            | At::Advance { .. }
            | At::Sweep
            | At::DeleteFirst { .. }
            | At::FindClaim { .. }
            | At::HandOver { .. }
            | At::Confirm => true,
            At::Start
            | At::CreateRoot
            | At::Win { .. }
            | At::Create
            | At::Claimed
            | At::Link { .. }
            | At::Hint
            | At::ReadLow { .. }
            | At::Read { .. }
            | At::Ended(_) => false,
        }
    }

    /// The statement that it is about to make, again if it was not answered; `None` while it waits for a choice.
    pub fn statement(&self) -> Option<Statement<W>> {
        let seal = |segment, next| Statement::Seal {
            segment,
            seal: Seal {
                by: self.token,
                next,
            },
        };
        let hint = Statement::SetTail {
            epoch: self.epoch,
            tail: self.open,
        };
        let create = |segment, writer| Statement::Create { segment, writer };
        Some(match &self.at {
            At::Start | At::Claimed | At::ReadLow { .. } | At::FreshLow { .. } => Statement::Shard,
            At::CreateRoot => create(Key::ROOT, Token::ROOT),
            At::Win { from } => Statement::WinEpoch {
                from: *from,
                to: self.epoch,
            },
            At::Create => create(self.open, self.token),
            At::Link { tail } => seal(*tail, self.open),
            At::Hint | At::HintNext => hint,
            At::Read { segment, n, .. } => Statement::Rows {
                segment: *segment,
                from: *n,
            },
            At::Append { row, .. } => Statement::Append {
                segment: self.open,
                writer: self.token,
                n: self.n,
                expected: self.stored,
                row: row.clone(),
                link: W::link(self.link, self.n, row),
            },
            At::CreateNext => create(self.open.rotated(), self.token),
            At::SealNext { .. } => seal(self.open, self.open.rotated()),
            At::Advance { from, to } => Statement::AdvanceLow {
                from: *from,
                to: *to,
            },
            At::Sweep => Statement::DeleteRows {
                segment: self.leftovers.last()?,
            },
            At::DeleteFirst { left, .. } => Statement::DeleteRows {
                segment: left.last()?,
            },
            At::FindClaim { next } => Statement::Segment { segment: *next },
            At::HandOver { next, .. } => seal(self.open, *next),
            At::Recheck { .. } | At::Confirm => Statement::Segment { segment: self.open },
            At::Reign | At::Checkpoint | At::Ended(_) => return None,
        })
    }

    /// An attempt of the statement was not answered: it may be applied, now, later or never.
    pub fn doubts(&mut self) {
        match &mut self.at {
            At::Append { doubt, .. } | At::SealNext { doubt } | At::HandOver { doubt, .. } => {
                *doubt = true;
            }
            At::Start
            | At::CreateRoot
            | At::Win { .. }
            | At::Create
            | At::Claimed
            | At::Link { .. }
            | At::Hint
            | At::ReadLow { .. }
            | At::Read { .. }
            | At::Reign
            | At::Recheck { .. }
            | At::CreateNext
            | At::Checkpoint
            | At::HintNext
            | At::FreshLow { .. }
            | At::Sweep
            | At::DeleteFirst { .. }
            | At::FindClaim { .. }
            | At::Confirm
            | At::Ended(_) => {}
            At::Advance { to, .. } => {
                let to = *to;
                if !self.unheard.has(to) {
                    self.unheard.push(to);
                }
            }
        }
    }

    /// It stops asking.
    pub fn gives_up(&mut self, rules: &Rules) -> Told<W::Body> {
        let mut told = Told::Nothing;
        self.at = match std::mem::replace(&mut self.at, At::Reign) {
            At::Hint => At::ReadLow { damage: None },
            At::Append { row, doubt: false } => {
                if row.kind == Kind::Commit {
                    told = Told::Never(row.body);
                }
                At::Reign
            }
            At::Append { row, doubt: true } if row.kind == Kind::Commit => {
                if rules.time_out_is_failure {
                    told = Told::Never(row.body);
                }
                if rules.reuses_slots {
                    At::Reign
                } else {
                    At::Ended(End::Undetermined)
                }
            }
            At::SealNext { doubt: false } | At::HandOver { doubt: false, .. } => At::Reign,
            At::Append { .. } | At::SealNext { .. } | At::HandOver { .. } => {
                At::Ended(End::Undetermined)
            }
            At::Reign
            | At::CreateNext
            | At::Checkpoint
            | At::HintNext
            | At::FreshLow { .. }
            | At::Advance { .. }
            | At::Sweep
            | At::DeleteFirst { .. }
            | At::FindClaim { .. }
            | At::Confirm => At::Reign,
            At::Win { .. } => At::Ended(End::Outrun),
            At::Start
            | At::CreateRoot
            | At::Create
            | At::Claimed
            | At::Link { .. }
            | At::ReadLow { .. }
            | At::Read { .. }
            | At::Recheck { .. } => At::Ended(End::Unanswered),
            At::Ended(end) => At::Ended(end),
        };
        told
    }

    /// It does this next. The caller keeps to [`Owner::may`].
    pub fn chooses(&mut self, choice: Choice<W>, rules: &Rules) {
        self.at = match choice {
            Choice::Commit(body) => self.row(Kind::Commit, body),
            Choice::Part(body) => self.row(Kind::Part, body),
            Choice::End(body) => {
                let mut before = self.chain.clone();
                before.pop();
                self.row(Kind::End(before), body)
            }
            Choice::Rotate => At::CreateNext,
            Choice::Prune(to) if rules.fresh_low => At::FreshLow { to },
            Choice::Prune(to) if rules.deletes_first => At::DeleteFirst {
                to,
                left: self.chain.clone().take_before(to),
            },
            Choice::Prune(to) => At::Advance { from: self.low, to },
            Choice::Sweep => At::Sweep,
            Choice::HandOver(next) => At::FindClaim { next },
            Choice::Confirm => At::Confirm,
        };
    }

    /// Whether the protocol lets it choose so now.
    pub fn may(&self, choice: &Choice<W>) -> bool {
        match (&self.at, choice) {
            (At::Reign, Choice::Commit(_) | Choice::Rotate | Choice::Confirm) => true,
            (At::Reign, Choice::Prune(to)) => *to > self.low && self.checkpoints.has(*to),
            (At::Reign, Choice::Sweep) => self.leftovers.last().is_some(),
            (At::Reign, Choice::HandOver(next)) => next.epoch > self.epoch,
            (At::Checkpoint, Choice::Part(_) | Choice::End(_)) => true,
            (_, _) => false,
        }
    }

    fn row(&self, kind: Kind<W::Keys>, body: W::Body) -> At<W> {
        let previous = (self.n == 0).then_some(self.link);
        At::Append {
            row: Payload {
                kind,
                previous,
                body,
            },
            doubt: false,
        }
    }
}
