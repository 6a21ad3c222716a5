//! Becoming the owner: win an epoch, create a segment, seal the tail naming it, read.
//!
//! Every start of a shard log is this, a restart on the same machine included. Two rivals may do it at the same time, any
//! step may be applied late or twice, and at most one of them ends up as the writer of the chain's last segment.

use std::sync::Arc;

use super::ask::{Unanswered, ask};
use super::replay::{Corruption, Finding, Replayed};
use super::{Fold, LogOptions, Position, ShardLog, hint_tail};
use crate::ids::{Epoch, ShardId};
use crate::store::{
    Cas, Cause, ChainHash, Seal, SegmentId, SegmentKey, Statement, Store, StoreError, WriterToken,
};

/// Why a takeover did not succeed. The log is as good as it was; trying again is always safe.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// The store did not answer, or cannot.
    #[error("store gave no answer")]
    Store(#[source] StoreError),
    /// A rival with a higher epoch sealed the new segment already: the shard is his.
    #[error("superseded: epoch {epoch} was overtaken")]
    Superseded {
        /// The epoch that was won here.
        epoch: Epoch,
    },
    /// This epoch cannot be used any more: a rival's is higher, or a step's outcome is not known. Another one can be won.
    #[error("outrun: epoch not won, or won and of no use")]
    Outrun,
    /// Rivals were quicker, again and again.
    #[error("outrun {attempts} times")]
    Contended {
        /// How many epochs were tried.
        attempts: u32,
    },
    /// The log is damaged. The shard must not be served; see the finding.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The reader refused a row.
    #[error("row {n} of segment {segment} does not fold")]
    Fold {
        /// The row's segment.
        segment: SegmentId,
        /// Its number.
        n: u64,
        /// Why.
        source: Cause,
    },
}

/// An epoch that was won, and the segment created under it, not yet linked to the chain.
///
/// [`ShardLog::take_over`] goes all the way. A planned handover stops here first, and tells the owner to seal his
/// segment naming [`Claim::segment`] ([`ShardLog::hand_over`]).
pub struct Claim {
    store: Arc<dyn Store>,
    options: LogOptions,
    shard: ShardId,
    token: WriterToken,
    segment: SegmentKey,
    /// Look for the tail from `low` on, which must exist, and not from the hint.
    from_low: bool,
}

/// How many epochs one takeover tries to win. Rivals collide seldom: placement spreads them by back-off.
const EPOCHS: u32 = 8;

/// How many segments a takeover follows from the tail's hint. A chain rises in `(epoch, k)`, so this only bounds the work.
const CHAIN: u32 = 1_000_000;

impl ShardLog {
    /// Takes the shard over: wins an epoch, creates its segment, seals the tail and reads the log into `fold`.
    ///
    /// `token` must give a fresh random token at each call: it names this incarnation. `owner` is a hint for others.
    pub async fn take_over(
        store: Arc<dyn Store>,
        shard: ShardId,
        owner: &str,
        token: &mut (dyn FnMut() -> WriterToken + Send),
        fold: &mut dyn Fold,
        options: LogOptions,
    ) -> Result<Self, TakeoverError> {
        for attempt in 0..EPOCHS {
            // An epoch that led nowhere is never used again: its segment may be named by a statement of ours that is
            // still under way, so creating it or naming it anew would give one name to two attempts.
            let mut claim =
                match Claim::win(store.clone(), shard, owner, token(), options.clone()).await {
                    Err(TakeoverError::Outrun) => continue,
                    claim => claim?,
                };
            claim.from_low = attempt > 0;
            match claim.complete(fold).await {
                Err(TakeoverError::Outrun) => {}
                log => return log,
            }
        }
        Err(TakeoverError::Contended { attempts: EPOCHS })
    }
}

impl Claim {
    /// Wins the next epoch and creates its first segment. Changes nothing for the present owner.
    pub async fn win(
        store: Arc<dyn Store>,
        shard: ShardId,
        owner: &str,
        token: WriterToken,
        options: LogOptions,
    ) -> Result<Self, TakeoverError> {
        let row = ask(&options, Statement::Shard, || store.shard(shard))
            .await
            .map_err(no_answer)?
            .answer;
        let from = row.map(|row| row.epoch);
        if from.is_none() {
            // The root comes before the shard's row, so that whoever sees the row finds the root. All rivals create the
            // same root, so "exists already" and "unknown, then exists" are as good as "created".
            let root = SegmentKey::ROOT.of(shard);
            let create = || store.create_segment(root, WriterToken::ROOT);
            ask(&options, Statement::CreateSegment, create)
                .await
                .map_err(no_answer)?;
        }
        let Some(epoch) = from.map_or(0, |epoch| epoch.0).checked_add(1).map(Epoch) else {
            // Only something that is not this code writes such a number.
            return Err(TakeoverError::Store(StoreError::Corrupt {
                statement: Statement::WinEpoch,
                finding: "the shard's epoch is the last that there is: restore the shard's row"
                    .to_owned(),
            }));
        };
        match ask(&options, Statement::WinEpoch, || {
            store.win_epoch(shard, from, epoch, owner)
        })
        .await
        {
            Ok(asked) if asked.answer == Cas::Applied => {}
            // "Not applied" after doubt may hide that an attempt of mine won; nothing in the row tells incarnations of
            // one owner apart, so the epoch is nobody's and the next one is won instead.
            Ok(_) | Err(Unanswered::Unknown(_)) => return Err(TakeoverError::Outrun),
            Err(Unanswered::Never(error)) => return Err(TakeoverError::Store(error)),
        }

        // Only the winner of an epoch creates segments under it. So a segment that exists already with my token is mine,
        // from an attempt that was not answered; with another token it cannot be, and I do not argue.
        let segment = SegmentKey::first_of(epoch);
        let id = segment.of(shard);
        match ask(&options, Statement::CreateSegment, || {
            store.create_segment(id, token)
        })
        .await
        {
            Ok(asked) => match asked.answer {
                Cas::Applied => {}
                Cas::NotApplied(found) if asked.doubt && found.writer == token => {}
                Cas::NotApplied(_) => return Err(TakeoverError::Outrun),
            },
            Err(unanswered) => return Err(no_answer(unanswered)),
        }
        Ok(Self {
            store,
            options,
            shard,
            token,
            segment,
            from_low: false,
        })
    }

    /// The segment that the chain's tail must be sealed in favour of.
    pub fn segment(&self) -> SegmentKey {
        self.segment
    }

    /// Seals the tail naming the claimed segment, and reads the log into `fold`.
    pub async fn complete(self, fold: &mut dyn Fold) -> Result<ShardLog, TakeoverError> {
        self.link().await?;
        // On the chain from here on, by proof: so it may serve as a hint. The hint comes before the reading, for rivals.
        hint_tail(&*self.store, &self.options, self.segment.of(self.shard)).await;
        let replayed = Replayed::read(
            &*self.store,
            &self.options,
            self.shard,
            self.segment,
            self.token,
            fold,
        )
        .await?;
        Ok(self.open(replayed))
    }

    fn open(self, replayed: Replayed) -> ShardLog {
        ShardLog {
            store: self.store,
            options: self.options,
            shard: self.shard,
            token: self.token,
            head: Position {
                segment: self.segment,
                n: 0,
            },
            stored_hash: ChainHash::EMPTY,
            chain_hash: replayed.hash,
            bytes: 0,
            low: replayed.low,
            chain: replayed.chain,
            checkpoints: replayed.checkpoints,
            leftovers: replayed.leftovers,
            unheard_lows: Vec::new(),
            stopped: None,
            progress: tokio::sync::watch::Sender::new(super::Progress::Running),
        }
    }

    /// Makes the claimed segment the end of the chain: seals the tail naming it.
    ///
    /// The seal is conditional on the tail being open, so of all rivals who try one tail one wins, and the others learn
    /// from the refusal where the chain goes on. An open segment that the chain names is the tail: only its writer and
    /// whoever seals it change it. So "applied" means that the chain now ends in my segment.
    async fn link(&self) -> Result<(), TakeoverError> {
        let row = ask(&self.options, Statement::Shard, || {
            self.store.shard(self.shard)
        })
        .await
        .map_err(no_answer)?
        .answer;
        let low_missing = Corruption {
            segment: SegmentKey::ROOT.of(self.shard),
            n: 0,
            finding: Finding::MissingShard,
        };
        let row = row.ok_or(low_missing)?;
        let start = if self.from_low { row.low } else { row.tail };
        let Some(absent) = self.link_from(start).await? else {
            return Ok(());
        };
        // An absent segment answers nothing: should it appear, a seal of mine may yet be applied there. So my segment is
        // never named again; another epoch looks from `low`, and there absence is damage.
        if !self.from_low {
            return Err(TakeoverError::Outrun);
        }
        let segment = absent.of(self.shard);
        Err(Corruption {
            segment,
            n: 0,
            finding: Finding::MissingSegment,
        }
        .into())
    }

    /// Follows the chain from here and seals its end. `Some` is a segment that the chain names and that does not exist.
    async fn link_from(&self, start: SegmentKey) -> Result<Option<SegmentKey>, TakeoverError> {
        let seal = Seal {
            by: self.token,
            next: self.segment,
        };
        let mut tail = start;
        for _ in 0..CHAIN {
            if tail == self.segment {
                // The chain leads to my segment: an attempt of mine won after all, or an owner handed over to me.
                return Ok(None);
            }
            if tail.epoch >= self.segment.epoch {
                // Sealing a higher epoch in favour of mine would let `(epoch, k)` fall along the chain, and a chain that
                // falls can close to a circle. The higher reign stands; I win a new epoch or leave it.
                return Err(TakeoverError::Outrun);
            }
            let segment = tail.of(self.shard);
            let asked = ask(&self.options, Statement::Seal, || {
                self.store.seal(segment, seal)
            })
            .await;
            let found = match asked.map_err(no_answer)?.answer {
                Cas::Applied => return Ok(None),
                Cas::NotApplied(found) => found,
            };
            let Some(found) = found else {
                return Ok(Some(tail));
            };
            match found.seal {
                Some(theirs) if theirs == seal => return Ok(None),
                Some(theirs) if theirs.next > tail => tail = theirs.next,
                Some(_) => {
                    return Err(Corruption {
                        segment,
                        n: found.next_n,
                        finding: Finding::ChainFalls,
                    }
                    .into());
                }
                // Open, and yet not sealed: no store answers so.
                None => return Err(TakeoverError::Outrun),
            }
        }
        Err(TakeoverError::Outrun)
    }
}

fn no_answer(unanswered: Unanswered) -> TakeoverError {
    TakeoverError::Store(unanswered.into_error())
}
