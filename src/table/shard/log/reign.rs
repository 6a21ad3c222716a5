//! The takeover, and what it means for clocks.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use ractor::ActorRef;
use tokio::time::Instant;

use super::{
    super::{
        Shard,
        recovery::{Held, Reader, Recovered},
        tenure::{Grant, Phase},
    },
    LogMsg, LogState, report,
};
use crate::{
    ids::{Seq, TableId},
    store::{
        WriterToken,
        log::{Progress, ShardLog},
    },
    table::state::TableState,
};

impl LogState {
    /// Takes the shard over, or waits for the word that it may.
    pub(super) fn start_takeover(&mut self, myself: &ActorRef<LogMsg>) {
        let grant = self.shard.tenure.begin();
        self.waits = grant.is_none();
        if let Some(grant) = grant {
            let shard = Arc::clone(&self.shard);
            self.spawn(take_over(shard, grant, myself.clone()));
        }
    }

    pub(super) fn taken_over(
        &mut self,
        myself: &ActorRef<LogMsg>,
        log: ShardLog,
        recovered: Recovered,
    ) {
        let head = log.head();
        self.shard.status.reign(head.segment.epoch);
        self.shard.status.set_stalled(None);
        self.follow_progress(myself, &log);
        tracing::info!(
            shard = %self.shard.id,
            segment = %head.segment,
            tables = recovered.book.tables().len(),
            hands_to_archive = recovered.outbox.len(),
            "shard taken over"
        );
        self.log = Some(Box::new(log));
        self.book = recovered.book;
        self.backlog = recovered.bytes;
        self.outbox.refill(recovered.outbox);
        self.last_confirmed = Some(Instant::now());
        self.ready = true;
        self.rest_idle();
        self.shard.status.ready.store(true, Relaxed);
        self.shard.tenure.enter(Phase::Here(head.segment.epoch));
    }

    /// Tables without anything to do are held in their small form from the start.
    fn rest_idle(&mut self) {
        let idle: Vec<(TableId, Seq)> = self
            .book
            .tables()
            .iter()
            .filter_map(|(table, committed)| match &committed.held {
                Held::Awake(state) if !has_work(state) => Some((*table, state.seq)),
                Held::Awake(_) | Held::Asleep(_) => None,
            })
            .collect();
        for (table, at) in idle {
            self.rest(table, at);
        }
    }

    /// Which tables have something to do without being asked: open hands first.
    pub(super) fn busy(&self) -> Vec<TableId> {
        let mut busy: Vec<(bool, TableId)> = self
            .book
            .tables()
            .iter()
            .filter_map(|(table, committed)| match &committed.held {
                Held::Awake(state) if has_work(state) => {
                    Some((state.table.hand().is_none(), *table))
                }
                Held::Awake(_) | Held::Asleep(_) => None,
            })
            .collect();
        busy.sort_unstable();
        busy.into_iter().map(|(_, table)| table).collect()
    }

    fn follow_progress(&mut self, myself: &ActorRef<LogMsg>, log: &ShardLog) {
        let (mut progress, log_actor) = (log.progress(), myself.clone());
        self.spawn(async move {
            while progress.changed().await.is_ok() {
                let now = *progress.borrow_and_update();
                if log_actor.cast(LogMsg::Progress(now)).is_err() {
                    return;
                }
            }
        });
    }

    pub(super) fn progress(&self, progress: Progress) {
        match progress {
            // An answer in time that says that there is no room is no progress.
            Progress::Running if self.shard.status.full.load(Relaxed) => {}
            Progress::Running => self.shard.status.set_stalled(None),
            Progress::Stalled | Progress::Stopped => {
                if self.shard.tenure.phase() == Phase::Leaving {
                    tracing::debug!(shard = %self.shard.id, ?progress, "it was handed over");
                } else {
                    tracing::warn!(shard = %self.shard.id, ?progress, "the shard cannot commit");
                }
                // It is told so late; the players get that time back, too.
                let now = Instant::now();
                let patience = self.shard.options.log.stalled_after;
                let since = now.checked_sub(patience).unwrap_or(now);
                self.shard.status.set_stalled(Some(since));
            }
        }
    }
}

async fn take_over(shard: Arc<Shard>, grant: Grant, log: ActorRef<LogMsg>) {
    let world = Arc::clone(&shard.world);
    let mut reader = Reader::new(&world.keys);
    let taken = match grant {
        Grant::TakeOver => {
            let mut token = || WriterToken((world.token)());
            ShardLog::take_over(
                Arc::clone(&world.store),
                shard.id,
                &world.node,
                &mut token,
                &mut reader,
                shard.options.log.clone(),
            )
            .await
        }
        Grant::Complete(claim) => claim.complete(&mut reader).await,
    };
    let recovered = reader.finish();
    report(
        &log,
        LogMsg::TakenOver(Box::new(taken.map(|taken| (taken, recovered)))),
    );
}

/// Whether a table has something to do without being asked.
fn has_work(state: &TableState) -> bool {
    state.table.hand().is_some() || state.table.can_deal()
}
