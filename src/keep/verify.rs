//! Checks a whole store without owning anything of it, beside a running server or without one.
//!
//! The archive is read before the logs: what it has, the logs must have, too. A hand that is missed may have been archived
//! since, so it is looked for once more.

use serde::Serialize;

use super::{
    archive::ArchiveAudit,
    audit::{Counts, ShardAudit},
    flaw::{Flaw, Place, Wrong},
};
use crate::{
    ids::{ShardCount, ShardId},
    store::{
        ClusterRecord, ScanCursor, Statement, Store, StoreError,
        log::{self, LogOptions, WalkError, repeat},
    },
    table::seal::Keyring,
};

/// How to check.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How statements are repeated, and how much is read at a time.
    pub log: LogOptions,
    /// The keys of the decks; without any they stay closed.
    pub keys: Option<Keyring>,
    /// Whether archived hands are forgotten by age, so that old ones may be missing.
    pub forgets: bool,
    /// Whether the store is being filled, and may say that it is half filled.
    pub filling: bool,
}

/// What a check says, as it goes on.
#[derive(Debug)]
pub enum Line {
    /// A shard was read.
    Shard(ShardLine),
    /// Something is wrong.
    Flaw(Flaw),
    /// Something could not be read.
    Unread {
        /// What.
        what: String,
        /// Why.
        cause: String,
    },
}

/// A shard in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ShardLine {
    pub shard: u16,
    pub epoch: u64,
    pub segments: u64,
    pub rows: u64,
    pub tables: u64,
    pub open_hands: u64,
    pub events: u64,
    pub snapshots: u64,
    pub chips_in: u64,
    pub chips_out: u64,
    pub on_tables: u64,
    pub rake: u64,
    pub flaws: u64,
}

/// A whole store in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Summary {
    pub shards: u64,
    pub rows: u64,
    pub tables: u64,
    pub open_hands: u64,
    pub events: u64,
    pub snapshots: u64,
    pub unproven_snapshots: u64,
    pub chips_in: u64,
    pub chips_out: u64,
    pub on_tables: u64,
    pub rake: u64,
    pub archived_hands: u64,
    pub sessions: u64,
    pub decks_opened: u64,
    pub decks_closed: u64,
    pub flaws: u64,
    pub unread: u64,
}

/// Why a store cannot be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The store does not answer.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// No server has used it.
    #[error("the store is empty: no server has used it yet")]
    Empty,
}

impl Summary {
    /// Whether everything was read and nothing is wrong.
    pub fn sound(&self) -> bool {
        self.flaws == 0 && self.unread == 0
    }
}

/// Checks everything, and tells as it goes on.
///
/// # Errors
/// When there is nothing to check, or the store does not even say how many shards there are. What cannot be read later
/// is told as [`Line::Unread`].
pub async fn verify(
    store: &dyn Store,
    options: &Options,
    tell: &mut (dyn FnMut(Line) + Send),
) -> Result<Summary, VerifyError> {
    let cluster = repeat(&options.log, Statement::Cluster, || store.cluster()).await?;
    let cluster = cluster.ok_or(VerifyError::Empty)?;
    let mut check = Check {
        store,
        options,
        archive: ArchiveAudit::new(options.keys.as_ref()),
        summary: Summary::default(),
        tell,
    };
    if cluster.feature_level == ClusterRecord::HALF_FILLED && !options.filling {
        let (place, what) = (Place::Cluster, Wrong::HalfFilled);
        check.flaw(Flaw { place, what });
    }
    let archive_read = check.archive().await;
    for shard in cluster.shards.shards() {
        check.shard(shard, cluster.shards, archive_read).await;
    }
    check.end_archive(archive_read);
    check.sessions().await;
    Ok(check.summary)
}

struct Check<'a> {
    store: &'a dyn Store,
    options: &'a Options,
    archive: ArchiveAudit<'a>,
    summary: Summary,
    tell: &'a mut (dyn FnMut(Line) + Send),
}

impl Check<'_> {
    fn flaw(&mut self, flaw: Flaw) {
        self.summary.flaws += 1;
        (self.tell)(Line::Flaw(flaw));
    }

    fn unread(&mut self, what: String, cause: &dyn std::error::Error) {
        self.summary.unread += 1;
        let cause = with_causes(cause);
        (self.tell)(Line::Unread { what, cause });
    }

    async fn archive(&mut self) -> bool {
        let mut after: Option<ScanCursor> = None;
        loop {
            let scan = || self.store.scan_hands(after.as_ref(), PAGE);
            let page = match repeat(&self.options.log, Statement::ScanHands, scan).await {
                Ok(page) => page,
                Err(error) => {
                    self.unread("the archive".into(), &error);
                    return false;
                }
            };
            page.items.iter().for_each(|hand| self.archive.hand(hand));
            after = page.next;
            if after.is_none() {
                return true;
            }
        }
    }

    async fn shard(&mut self, shard: ShardId, shards: ShardCount, archive_read: bool) {
        let mut audit = ShardAudit::new(shard, shards, self.options.keys.as_ref());
        let walked = log::walk(self.store, &self.options.log, shard, &mut audit).await;
        let walked = match walked {
            Ok(Some(walked)) => walked,
            // No server has owned it yet; so it holds nothing.
            Ok(None) => return,
            Err(error) => {
                if !matches!(error, WalkError::Pruned { .. }) {
                    audit
                        .take_flaws()
                        .into_iter()
                        .for_each(|flaw| self.flaw(flaw));
                }
                return self.unread(format!("shard {shard}"), &error);
            }
        };
        let flaws = audit.take_flaws();
        let mut line = ShardLine {
            shard: shard.0,
            epoch: walked.row.epoch.0,
            segments: walked.segments,
            rows: walked.rows,
            tables: audit.tables().len() as u64,
            open_hands: 0,
            events: audit.counts().events,
            snapshots: audit.counts().snapshots,
            chips_in: 0,
            chips_out: 0,
            on_tables: 0,
            rake: 0,
            flaws: flaws.len() as u64,
        };
        for audited in audit.tables().values() {
            let (table, ledger) = (&audited.state.table, audited.state.table.ledger());
            line.open_hands += u64::from(table.hand().is_some());
            line.chips_in = line.chips_in.saturating_add(ledger.chips_in);
            line.chips_out = line.chips_out.saturating_add(ledger.chips_out);
            line.on_tables = line.on_tables.saturating_add(table.chips());
            line.rake = line.rake.saturating_add(ledger.rake);
        }
        self.add(&line, audit.counts());
        flaws.into_iter().for_each(|flaw| self.flaw(flaw));
        (self.tell)(Line::Shard(line));
        if archive_read {
            self.compare(&audit).await;
        }
    }

    fn add(&mut self, line: &ShardLine, counts: Counts) {
        let all = &mut self.summary;
        all.shards += 1;
        all.rows += line.rows;
        all.tables += line.tables;
        all.open_hands += line.open_hands;
        all.events += line.events;
        all.snapshots += line.snapshots;
        all.unproven_snapshots += counts.unproven;
        all.chips_in = all.chips_in.saturating_add(line.chips_in);
        all.chips_out = all.chips_out.saturating_add(line.chips_out);
        all.on_tables = all.on_tables.saturating_add(line.on_tables);
        all.rake = all.rake.saturating_add(line.rake);
        all.decks_opened += counts.decks_opened;
        all.decks_closed += counts.decks_closed;
    }

    async fn compare(&mut self, audit: &ShardAudit<'_>) {
        for (table, audited) in audit.tables() {
            for hand in self.archive.compare(*table, audited, self.options.forgets) {
                let read = || self.store.hand(*table, hand);
                match repeat(&self.options.log, Statement::Hand, read).await {
                    Ok(Some(since)) => self.archive.hand_again(&since),
                    Ok(None) => self.archive.missing(*table, hand),
                    Err(error) => self.unread(format!("hand {hand} of table {table}"), &error),
                }
            }
        }
    }

    fn end_archive(&mut self, archive_read: bool) {
        // With a shard unread nobody knows whose the hands that are left are.
        if archive_read && self.summary.unread == 0 {
            self.archive.finish();
        }
        self.archive
            .take_flaws()
            .into_iter()
            .for_each(|flaw| self.flaw(flaw));
        self.summary.archived_hands = self.archive.hands;
        self.summary.decks_opened += self.archive.decks_opened;
        self.summary.decks_closed += self.archive.decks_closed;
    }

    async fn sessions(&mut self) {
        let mut after: Option<ScanCursor> = None;
        loop {
            let scan = || self.store.scan_sessions(after.as_ref(), PAGE);
            let page = match repeat(&self.options.log, Statement::ScanSessions, scan).await {
                Ok(page) => page,
                Err(error) => return self.unread("the sessions".into(), &error),
            };
            self.summary.sessions += page.items.len() as u64;
            after = page.next;
            if after.is_none() {
                return;
            }
        }
    }
}

/// An error with what is behind it, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Records in one page of a scan: about a megabyte of hands.
const PAGE: u32 = 256;
