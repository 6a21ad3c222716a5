//! Opening a table.

use std::sync::Arc;

use engine::{Settings, SettingsError};
use tokio::sync::oneshot;

use super::{LogState, Proposal, Proposer, answer};
use crate::{
    ids::TableId,
    table::{
        codec::{self, CodecError, Record},
        state::TableState,
    },
};

/// A table to be.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// Its id, chosen by the caller, so that a repeat opens nothing twice.
    pub table: TableId,
    /// Its name.
    pub name: Arc<str>,
    /// What it plays.
    pub settings: Arc<Settings>,
}

/// Why a table is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is a table with this id that is not the same.
    #[error("there is another table with this id")]
    Taken,
    /// Settings that contradict themselves.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The record cannot be written.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl LogState {
    pub(super) fn open(&mut self, new: NewTable, reply: oneshot::Sender<Result<(), OpenError>>) {
        let same =
            |name: &str, settings: &Settings| *name == *new.name && *settings == *new.settings;
        if let Some(known) = self.book.tables().get(&new.table) {
            let brief = known.brief();
            let known = same(&brief.name, &brief.settings);
            answer(reply, if known { Ok(()) } else { Err(OpenError::Taken) });
            return;
        }
        let queued = self.queue.iter_mut().map(AsMut::as_mut);
        let mut under_way = queued.chain(&mut self.flying);
        if let Some(proposal) = under_way.find(|proposal| proposal.next.id == new.table) {
            match &mut proposal.from {
                Proposer::Opening(waiting)
                    if same(&proposal.next.name, proposal.next.table.settings()) =>
                {
                    waiting.push(reply)
                }
                Proposer::Opening(_) | Proposer::Table(_) | Proposer::Voiding(_) => {
                    answer(reply, Err(OpenError::Taken))
                }
            }
            return;
        }
        match self.opening(&new) {
            Ok((next, record)) => self.enqueue(Box::new(Proposal {
                next,
                records: vec![record],
                told: Vec::new(),
                finished: None,
                requested: false,
                from: Proposer::Opening(vec![reply]),
                done: None,
            })),
            Err(error) => answer(reply, Err(error)),
        }
    }

    fn opening(&self, new: &NewTable) -> Result<(Arc<TableState>, Vec<u8>), OpenError> {
        let next = TableState::new(
            new.table,
            Arc::clone(&new.name),
            Settings::clone(&new.settings),
        )?;
        let record = Record::Opened {
            table: new.table,
            name: Arc::clone(&new.name),
            settings: Arc::clone(&new.settings),
            at_ms: (self.shard.world.wall_ms)(),
        };
        Ok((
            Arc::new(next),
            codec::encode(&record, &self.shard.world.keys)?,
        ))
    }
}
