//! The table `nodes`: plain statements only.

use std::sync::OnceLock;

use scylla::errors::PrepareError;

use super::driver::{Driver, Read, Write};
use super::found::{Found, bigint};
use crate::store::{Answer, Incarnation, NodeBeat, Statement};

pub(super) struct Nodes {
    put: Write,
    read: Read,
    /// The same with what a node reads, once the table has that column: a keyspace of an earlier release gets it while
    /// nodes of both releases run.
    levelled: OnceLock<(Write, Read)>,
}

impl Nodes {
    pub(super) async fn prepare(driver: &Driver) -> Result<Self, PrepareError> {
        let this = Self {
            put: driver.write(Statement::PutBeat, PUT).await?,
            read: driver.read(Statement::Beats, READ).await?,
            levelled: OnceLock::new(),
        };
        this.levelled(driver).await;
        Ok(this)
    }

    /// Prepares the statements that name the added column, if it is there by now.
    async fn levelled(&self, driver: &Driver) -> Option<&(Write, Read)> {
        if self.levelled.get().is_none() {
            let prepare = async {
                let put = driver.write(Statement::PutBeat, PUT_LEVEL).await?;
                let read = driver.read(Statement::Beats, READ_LEVEL).await?;
                Ok::<_, PrepareError>((put, read))
            };
            match prepare.await {
                Ok(both) => drop(self.levelled.set(both)),
                Err(error) => tracing::debug!(%error, "nodes does not say yet what it reads"),
            }
        }
        self.levelled.get()
    }

    pub(super) async fn put(&self, driver: &Driver, beat: &NodeBeat) -> Answer<()> {
        let number = |n| bigint(Statement::PutBeat, n);
        let again = beat.beat % ASK_EVERY == 1 || self.levelled.get().is_some();
        if let (true, Some(reads)) = (again, beat.reads)
            && let Some((put, _)) = self.levelled(driver).await
        {
            let values = (
                &beat.node,
                number(beat.incarnation.0)?,
                number(beat.beat)?,
                &beat.address,
                number(reads.into())?,
                number(beat.beat)?,
            );
            return driver.put(put, values).await;
        }
        let values = (
            &beat.node,
            number(beat.incarnation.0)?,
            number(beat.beat)?,
            &beat.address,
            number(beat.beat)?,
        );
        driver.put(&self.put, values).await
    }

    pub(super) async fn read(&self, driver: &Driver) -> Answer<Vec<NodeBeat>> {
        let read = self.levelled.get().map_or(&self.read, |(_, read)| read);
        let rows = driver.get(read, ()).await?;
        rows.iter().map(beat).collect()
    }
}

fn beat(found: &Found) -> Answer<NodeBeat> {
    Ok(NodeBeat {
        node: found.text("node")?,
        incarnation: Incarnation(found.number("incarnation")?),
        beat: found.number("beat")?,
        address: found.text("address")?,
        reads: match found.is_null("reads") {
            true => None,
            false => Some(found.small("reads")?),
        },
    })
}

/// The beat is the timestamp: the highest one stays, whatever the clocks of the database's nodes say.
const PUT: &str = "INSERT INTO nodes (one, node, incarnation, beat, address) VALUES (0, ?, ?, ?, ?) \
     USING TIMESTAMP ?";

const PUT_LEVEL: &str = "INSERT INTO nodes (one, node, incarnation, beat, address, reads) VALUES (0, ?, ?, ?, ?, ?) \
     USING TIMESTAMP ?";

const READ: &str = "SELECT node, incarnation, beat, address FROM nodes WHERE one = 0";

const READ_LEVEL: &str = "SELECT node, incarnation, beat, address, reads FROM nodes WHERE one = 0";

/// Beats between two looks whether the column is there: half a minute.
const ASK_EVERY: u64 = 60;
