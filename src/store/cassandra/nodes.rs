//! The table `nodes`: plain statements only.

use scylla::errors::PrepareError;

use super::driver::{Driver, Read, Write};
use super::found::{Found, bigint};
use crate::store::{Answer, Incarnation, NodeBeat, Statement};

pub(super) struct Nodes {
    put: Write,
    read: Read,
}

impl Nodes {
    pub(super) async fn prepare(driver: &Driver) -> Result<Self, PrepareError> {
        Ok(Self {
            put: driver.write(Statement::PutBeat, PUT).await?,
            read: driver.read(Statement::Beats, READ).await?,
        })
    }

    pub(super) async fn put(&self, driver: &Driver, beat: &NodeBeat) -> Answer<()> {
        let number = |n| bigint(Statement::PutBeat, n);
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
        let rows = driver.get(&self.read, ()).await?;
        rows.iter().map(beat).collect()
    }
}

fn beat(found: &Found) -> Answer<NodeBeat> {
    Ok(NodeBeat {
        node: found.text("node")?,
        incarnation: Incarnation(found.number("incarnation")?),
        beat: found.number("beat")?,
        address: found.text("address")?,
    })
}

/// The beat is the timestamp: the highest one stays, whatever the clocks of the database's nodes say.
const PUT: &str = "INSERT INTO nodes (one, node, incarnation, beat, address) VALUES (0, ?, ?, ?, ?) \
     USING TIMESTAMP ?";

const READ: &str = "SELECT node, incarnation, beat, address FROM nodes WHERE one = 0";
