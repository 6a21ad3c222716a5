//! What others may see of the table.

use std::sync::Arc;

use engine::Viewer;
use tokio::time::Instant;

use super::TableRun;
#[cfg(feature = "faults")]
use crate::table::fault::Defect;
use crate::table::{
    clock::TurnClock,
    request::{Position, TableView},
    shard::Shard,
    state::TableState,
    watch::Stage,
};

impl TableRun {
    pub(super) fn refresh_watchers(&mut self) {
        self.audience.refresh(self.shard.watchers.of(self.state.id));
        self.tell_watchers();
    }

    pub(super) fn tell_watchers(&mut self) {
        if self.audience.is_empty() {
            return;
        }
        let (state, shard, clock) = (&self.state, &self.shard, self.clock);
        let stage = Stage {
            table: state.id,
            epoch: shard.status.epoch(),
            seq: state.seq,
            ring: &self.ring,
            snapshot: &|viewer| view(state, shard, clock, viewer),
            #[cfg(feature = "faults")]
            skips: shard.faults.makes(Defect::SkipsFrames),
        };
        for gone in self.audience.catch_up(&stage) {
            self.shard.watchers.forget(self.state.id, &gone);
        }
    }

    pub(super) fn view(&self, viewer: Viewer) -> TableView {
        view(&self.state, &self.shard, self.clock, viewer)
    }
}

fn view(state: &TableState, shard: &Shard, clock: Option<TurnClock>, viewer: Viewer) -> TableView {
    let left = |clock: TurnClock| clock.left(Instant::now(), shard.status.stalled());
    TableView {
        table: state.id,
        name: Arc::clone(&state.name),
        position: Position {
            epoch: shard.status.epoch(),
            seq: state.seq,
        },
        view: engine::view(&state.table, viewer),
        time_left: clock.map(left),
        parked: false,
    }
}
