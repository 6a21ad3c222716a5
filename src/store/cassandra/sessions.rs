//! The table `sessions`: plain, idempotent statements only.

use scylla::errors::PrepareError;

use super::driver::{Driver, Read, Write};
use super::found::{Found, bigint};
use crate::ids::PlayerId;
use crate::store::{Answer, Page, ScanCursor, SessionRecord, Statement, TokenHash};

pub(super) struct Sessions {
    put: Write,
    read: Read,
    scan: Read,
}

impl Sessions {
    pub(super) async fn prepare(driver: &Driver) -> Result<Self, PrepareError> {
        Ok(Self {
            put: driver.write(Statement::PutSession, PUT).await?,
            read: driver.read(Statement::Session, READ).await?,
            scan: driver.read(Statement::ScanSessions, SCAN).await?,
        })
    }

    pub(super) async fn put(
        &self,
        driver: &Driver,
        token: TokenHash,
        session: &SessionRecord,
    ) -> Answer<()> {
        let SessionRecord {
            player,
            display_name,
            created_ms,
        } = session;
        let values = (
            &token.0[..],
            &player.to_bytes()[..],
            display_name,
            bigint(Statement::PutSession, *created_ms)?,
        );
        driver.put(&self.put, values).await
    }

    pub(super) async fn read(
        &self,
        driver: &Driver,
        token: TokenHash,
    ) -> Answer<Option<SessionRecord>> {
        let rows = driver.get(&self.read, (&token.0[..],)).await?;
        rows.first().map(record).transpose()
    }

    pub(super) async fn scan(
        &self,
        driver: &Driver,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        let item = |found: Found| Ok((TokenHash(found.array("token_hash")?), record(&found)?));
        driver.scan(&self.scan, after, limit, item).await
    }
}

fn record(found: &Found) -> Answer<SessionRecord> {
    Ok(SessionRecord {
        player: PlayerId::from_bytes(found.array("player")?),
        display_name: found.text("display_name")?,
        created_ms: found.number("created_ms")?,
    })
}

const PUT: &str =
    "INSERT INTO sessions (token_hash, player, display_name, created_ms) VALUES (?, ?, ?, ?)";

const READ: &str = "SELECT player, display_name, created_ms FROM sessions WHERE token_hash = ?";

const SCAN: &str = "SELECT token_hash, player, display_name, created_ms FROM sessions";
