//! Timers, and the end of a table that has nothing to do.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::Instant;

use super::{TableError, TableMsg, TableRun};
use crate::table::shard::{desk::DeskMsg, log::LogMsg};

impl TableRun {
    /// Stops if nothing is going on. The log keeps the state, the registry the
    /// watchers; whoever still has this table's address asks the desk next.
    pub(super) fn drain(&mut self, myself: &ActorRef<TableMsg>) -> Result<(), TableError> {
        let table = self.state.id;
        if self.sleeps_at().is_none() {
            if !self.shard.desk.cast(DeskMsg::Up(table, myself.clone())) {
                tracing::debug!(%table, "no desk to tell");
            }
            return self.go_on(myself);
        }
        if !self.shard.log.cast(LogMsg::Rest(table, self.state.seq)) {
            return Err(TableError::NoLog);
        }
        myself.stop(None);
        Ok(())
    }

    /// When this table may sleep, as things are; never with an open turn, an append
    /// under way or a hand to deal.
    pub(super) fn sleeps_at(&self) -> Option<Instant> {
        let quiet = self.pending.is_none()
            && self.waiting.is_empty()
            && self.clock.is_none()
            && self.deal_at.is_none()
            && self.streams_due.is_none()
            && !self.audience.someone_lags();
        quiet.then(|| self.idle_since + self.shard.options.sleep_after)
    }

    /// One timer for whatever comes first; it never fires too late.
    pub(super) fn set_timer(&mut self, myself: &ActorRef<TableMsg>) {
        let now = Instant::now();
        let clock = self.clock.filter(|_| self.pending.is_none());
        let least = if self.shard.status.is_stalled() {
            STALL_PAUSE
        } else {
            Duration::ZERO
        };
        let turn =
            clock.map(|clock| now + clock.due_in(now, self.shard.status.stalled()).max(least));
        let lag = self.audience.someone_lags().then(|| now + LAG_PAUSE);
        let sleep = self.sleeps_at();
        if sleep.is_some_and(|at| at <= now) {
            if !self.shard.desk.cast(DeskMsg::MaySleep(self.state.id)) {
                tracing::debug!(table = %self.state.id, "no desk to ask");
            }
            self.idle_since = now;
        }
        // A deal that is due while an append is under way waits for it, not for a timer.
        let deal = self.deal_at.filter(|_| self.pending.is_none());
        let streams = self.streams_due.filter(|_| self.pending.is_none());
        let due = [turn, lag, deal, streams, self.sleeps_at()]
            .into_iter()
            .flatten()
            .min();
        let Some(due) = due else { return };
        // A timer that fires too early sets the next one. So an action, which moves the clock away, changes no timer.
        if self.timer.as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
        self.timer_no += 1;
        let (table, no) = (myself.clone(), self.timer_no);
        let timer = tokio::spawn(async move {
            tokio::time::sleep_until(due).await;
            if table.cast(TableMsg::TimerDue(no)).is_err() {
                tracing::trace!("a table ended before its timer");
            }
        });
        self.timer = Some((due, timer));
    }
}

const LAG_PAUSE: Duration = Duration::from_millis(50);
const STALL_PAUSE: Duration = Duration::from_millis(100);
