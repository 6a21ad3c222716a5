//! The table `cluster`: conditional statements only.

use scylla::errors::PrepareError;

use super::driver::{Conditional, Driver, SerialRead};
use super::found::Found;
use crate::ids::ShardCount;
use crate::store::{Answer, Cas, ClusterRecord, SerialDomain, Statement};

pub(super) struct Cluster {
    read: SerialRead,
    create: Conditional,
    raise: Conditional,
}

impl Cluster {
    pub(super) async fn prepare(driver: &Driver) -> Result<Self, PrepareError> {
        Ok(Self {
            read: driver.serial_read(Statement::Cluster, READ).await?,
            create: driver.conditional(Statement::CreateCluster, CREATE).await?,
            raise: driver
                .conditional(Statement::RaiseFeatureLevel, RAISE)
                .await?,
        })
    }

    pub(super) async fn read(&self, driver: &Driver) -> Answer<Option<ClusterRecord>> {
        let rows = driver.look(&self.read, ()).await?;
        rows.first().map(record).transpose()
    }

    pub(super) async fn create(
        &self,
        driver: &Driver,
        created: &ClusterRecord,
    ) -> Answer<Cas<ClusterRecord>> {
        let domain = match &created.serial_domain {
            SerialDomain::Serial => "",
            SerialDomain::LocalSerial(data_centre) => data_centre,
        };
        let values = (
            i32::from(created.shards.value()),
            domain,
            i64::from(created.feature_level),
        );
        match driver.decide(&self.create, values).await? {
            Cas::Applied => Ok(Cas::Applied),
            Cas::NotApplied(found) => record(&found).map(Cas::NotApplied),
        }
    }

    pub(super) async fn raise(
        &self,
        driver: &Driver,
        from: u32,
        to: u32,
    ) -> Answer<Cas<Option<ClusterRecord>>> {
        match driver
            .decide(&self.raise, (i64::from(to), i64::from(from)))
            .await?
        {
            Cas::Applied => Ok(Cas::Applied),
            Cas::NotApplied(found) if found.is_bare() => Ok(Cas::NotApplied(None)),
            Cas::NotApplied(found) => Ok(Cas::NotApplied(Some(record(&found)?))),
        }
    }
}

fn record(found: &Found) -> Answer<ClusterRecord> {
    let domain = found.text("serial_domain")?;
    let shards = ShardCount::new(found.small("shards")?);
    Ok(ClusterRecord {
        shards: shards.ok_or_else(|| found.strange("shards", "zero"))?,
        serial_domain: if domain.is_empty() {
            SerialDomain::Serial
        } else {
            SerialDomain::LocalSerial(domain)
        },
        feature_level: found.small("feature_level")?,
    })
}

const READ: &str = "SELECT shards, serial_domain, feature_level FROM cluster WHERE one = 0";

const CREATE: &str = "INSERT INTO cluster (one, shards, serial_domain, feature_level) VALUES (0, ?, ?, ?) IF NOT EXISTS";

/// The conditions that always hold are there for the answer, which names the columns of the conditions.
const RAISE: &str = "UPDATE cluster SET feature_level = ? WHERE one = 0 \
     IF feature_level = ? AND shards != null AND serial_domain != null";
