//! What an operator sees of the tables of a shard.

use std::{fmt, str::FromStr, sync::Arc};

use engine::HandNo;

use super::{
    handle::Tables,
    request::CallError,
    shard::{Listed, Shard, log::LogMsg},
};
use crate::ids::{Epoch, Seq, ShardId, TableId};

/// A table as an operator sees it: no card, ever.
#[derive(Clone, Debug)]
pub struct AdminTable {
    /// The table.
    pub table: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// Its shard.
    pub shard: ShardId,
    /// The epoch of the shard's owner.
    pub epoch: Epoch,
    /// Its last event.
    pub seq: Seq,
    /// How long ago that was, in milliseconds by this node's clock; none if it was read in a snapshot, which does not say.
    pub age_ms: Option<u64>,
    /// The current or last hand.
    pub hand: HandNo,
    /// Whether that hand is being played.
    pub hand_running: bool,
    /// Seats taken.
    pub players: u8,
    /// Seats there are.
    pub seats: u8,
    /// How it is.
    pub standing: Standing,
    /// Why it is parked, or failed last.
    pub reason: String,
    /// How often it was restarted since the process started.
    pub restarts: u32,
}

/// How a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has an actor.
    Awake,
    /// It has none until somebody asks for it.
    Asleep,
    /// It failed too often where it stands, and waits for an operator.
    Parked,
}

/// What is no [`Standing`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of a table: awake, asleep or parked")]
pub struct BadStanding(String);

impl Standing {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awake => "awake",
            Self::Asleep => "asleep",
            Self::Parked => "parked",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Standing {
    type Err = BadStanding;

    fn from_str(text: &str) -> Result<Self, BadStanding> {
        [Self::Awake, Self::Asleep, Self::Parked]
            .into_iter()
            .find(|standing| standing.as_str() == text)
            .ok_or_else(|| BadStanding(text.into()))
    }
}

/// A part of a shard's tables.
#[derive(Clone, Debug)]
pub struct AdminPage {
    /// By id.
    pub tables: Vec<AdminTable>,
    /// Where the list goes on; none when it is complete.
    pub next: Option<TableId>,
}

impl Tables {
    /// Tables of a shard that is served here, after the given one by id; at most `limit`, and only those that are `standing`
    /// so. The log is asked for a bounded number at a time: a list of 100,000 tables keeps no commit waiting.
    ///
    /// # Errors
    /// `Elsewhere` for a shard of another node; else when the shard does not answer in time.
    pub async fn admin_page(
        &self,
        shard: ShardId,
        after: Option<TableId>,
        limit: usize,
        standing: Option<Standing>,
    ) -> Result<AdminPage, CallError> {
        let shard = self
            .shards()
            .get(usize::from(shard.0))
            .ok_or(CallError::Elsewhere)?;
        let now_ms = (shard.world.wall_ms)();
        let (mut tables, mut after) = (Vec::new(), after);
        loop {
            let list = |reply| shard.log.cast(LogMsg::List(after, LISTED_MAX, reply));
            let listed = self.until_answered(shard, list).await?;
            let complete = listed.len() < LISTED_MAX;
            for listed in listed {
                if tables.len() == limit {
                    return Ok(AdminPage {
                        tables,
                        next: after,
                    });
                }
                after = Some(listed.table);
                let table = seen(shard, listed, now_ms);
                if standing.is_none_or(|standing| table.standing == standing) {
                    tables.push(table);
                }
            }
            if complete {
                return Ok(AdminPage { tables, next: None });
            }
        }
    }

    /// All tables here that are `standing` so, for tests and small nodes.
    ///
    /// # Errors
    /// As [`Tables::admin_page`].
    pub async fn admin_list(
        &self,
        standing: Option<Standing>,
    ) -> Result<Vec<AdminTable>, CallError> {
        let mut found = Vec::new();
        for shard in self.here() {
            let page = self.admin_page(shard.id, None, usize::MAX, standing);
            found.extend(page.await?.tables);
        }
        Ok(found)
    }
}

fn seen(shard: &Shard, listed: Listed, now_ms: u64) -> AdminTable {
    let Listed {
        table,
        brief,
        last_ms,
    } = listed;
    let fall = shard.falls.of(table);
    let standing = match &fall {
        Some(fall) if fall.parked => Standing::Parked,
        Some(_) | None if shard.routes.pin().contains_key(&table) => Standing::Awake,
        Some(_) | None => Standing::Asleep,
    };
    AdminTable {
        table,
        name: brief.name,
        shard: shard.id,
        epoch: shard.status.epoch(),
        seq: brief.seq,
        age_ms: last_ms.map(|at_ms| now_ms.saturating_sub(at_ms)),
        hand: brief.hand,
        hand_running: brief.playing,
        players: brief.players,
        seats: brief.settings.seats,
        standing,
        restarts: fall.as_ref().map_or(0, |fall| fall.total),
        reason: fall.map_or_else(String::new, |fall| fall.reason),
    }
}

/// Asked of a log at a time: a tenth of a millisecond of its time.
const LISTED_MAX: usize = 512;
