//! The table `shards`: conditional statements only.

use scylla::errors::PrepareError;

use super::driver::{Conditional, Driver, SerialRead};
use super::found::{Found, bigint};
use crate::ids::{Epoch, ShardId};
use crate::store::{Answer, Cas, SegmentKey, ShardRow, Statement};

pub(super) struct Shards {
    read: SerialRead,
    win_first: Conditional,
    win: Conditional,
    set_tail: Conditional,
    advance_low: Conditional,
}

impl Shards {
    pub(super) async fn prepare(driver: &Driver) -> Result<Self, PrepareError> {
        Ok(Self {
            read: driver.serial_read(Statement::Shard, READ).await?,
            win_first: driver.conditional(Statement::WinEpoch, WIN_FIRST).await?,
            win: driver.conditional(Statement::WinEpoch, WIN).await?,
            set_tail: driver.conditional(Statement::SetTail, SET_TAIL).await?,
            advance_low: driver
                .conditional(Statement::AdvanceLow, ADVANCE_LOW)
                .await?,
        })
    }

    pub(super) async fn read(&self, driver: &Driver, shard: ShardId) -> Answer<Option<ShardRow>> {
        let rows = driver.look(&self.read, (i32::from(shard.0),)).await?;
        rows.first().map(row).transpose()
    }

    pub(super) async fn win(
        &self,
        driver: &Driver,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let shard = i32::from(shard.0);
        let to = bigint(Statement::WinEpoch, to.0)?;
        let decided = match from {
            None => {
                let SegmentKey { epoch, k } = SegmentKey::ROOT;
                let (epoch, k) = (bigint(Statement::WinEpoch, epoch.0)?, i64::from(k));
                let values = (shard, to, owner, epoch, k, epoch, k);
                driver.decide(&self.win_first, values).await?
            }
            Some(from) => {
                let from = bigint(Statement::WinEpoch, from.0)?;
                driver.decide(&self.win, (to, owner, shard, from)).await?
            }
        };
        verdict(decided)
    }

    pub(super) async fn set_tail(
        &self,
        driver: &Driver,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let number = |n| bigint(Statement::SetTail, n);
        let values = (
            number(tail.epoch.0)?,
            i64::from(tail.k),
            i32::from(shard.0),
            number(epoch.0)?,
        );
        verdict(driver.decide(&self.set_tail, values).await?)
    }

    pub(super) async fn advance_low(
        &self,
        driver: &Driver,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let number = |n| bigint(Statement::AdvanceLow, n);
        let values = (
            number(to.epoch.0)?,
            i64::from(to.k),
            i32::from(shard.0),
            number(from.epoch.0)?,
            i64::from(from.k),
        );
        verdict(driver.decide(&self.advance_low, values).await?)
    }
}

fn verdict(decided: Cas<Found>) -> Answer<Cas<Option<ShardRow>>> {
    match decided {
        Cas::Applied => Ok(Cas::Applied),
        Cas::NotApplied(found) if found.is_bare() => Ok(Cas::NotApplied(None)),
        Cas::NotApplied(found) => Ok(Cas::NotApplied(Some(row(&found)?))),
    }
}

fn row(found: &Found) -> Answer<ShardRow> {
    Ok(ShardRow {
        epoch: Epoch(found.number("epoch")?),
        owner: found.text("owner")?,
        tail: SegmentKey {
            epoch: Epoch(found.number("tail_epoch")?),
            k: found.small("tail_k")?,
        },
        low: SegmentKey {
            epoch: Epoch(found.number("low_epoch")?),
            k: found.small("low_k")?,
        },
    })
}

const READ: &str =
    "SELECT epoch, owner, tail_epoch, tail_k, low_epoch, low_k FROM shards WHERE shard = ?";

const WIN_FIRST: &str = "INSERT INTO shards (shard, epoch, owner, tail_epoch, tail_k, low_epoch, low_k) \
     VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS";

// In each of these the conditions after the first line always hold for a row that is there. They are there for the answer,
// which names the columns of the conditions.

const WIN: &str = "UPDATE shards SET epoch = ?, owner = ? WHERE shard = ? IF epoch = ? \
     AND owner != null AND tail_epoch >= 0 AND tail_k >= 0 AND low_epoch >= 0 AND low_k >= 0";

const SET_TAIL: &str = "UPDATE shards SET tail_epoch = ?, tail_k = ? WHERE shard = ? IF epoch = ? \
     AND owner != null AND tail_epoch >= 0 AND tail_k >= 0 AND low_epoch >= 0 AND low_k >= 0";

const ADVANCE_LOW: &str = "UPDATE shards SET low_epoch = ?, low_k = ? WHERE shard = ? IF low_epoch = ? AND low_k = ? \
     AND epoch >= 0 AND owner != null AND tail_epoch >= 0 AND tail_k >= 0";
