//! The desk: which table of the shard is awake, asleep, down or parked.
//!
//! Calls go straight to tables that are awake. All others come here: the desk wakes
//! the table and keeps what arrives meanwhile, in a bounded queue.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use engine::HandNo;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{ChildSpec, Echo, HandleError, Probe, StartFn};
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinSet,
};

use super::{
    Shard,
    log::{LogMsg, VoidError},
};
use crate::{
    ids::TableId,
    table::{
        actor::{TableActor, TableMsg},
        request::CallError,
    },
};

/// The actor.
pub struct Desk;

impl Message for DeskMsg {}

/// What the desk is told.
pub enum DeskMsg {
    /// For a table that is not known to be awake.
    Ask(TableId, TableMsg),
    /// A table is up, or stays up.
    Up(TableId, ActorRef<TableMsg>),
    /// A table's actor ended.
    Ended(TableId, Ended),
    /// A table did not start.
    NotStarted(TableId, NotStarted),
    /// A table has nothing to do.
    MaySleep(TableId),
    /// These tables have something to do without being asked.
    Start(Vec<TableId>),
    /// An operator gives a parked table another chance.
    Resume(TableId, oneshot::Sender<bool>),
    /// An operator voids the open hand of a parked table.
    Void(
        TableId,
        HandNo,
        String,
        oneshot::Sender<Result<(), VoidError>>,
    ),
    /// Somebody looks how busy it is: how many tables are being started.
    Probe(Echo),
}

/// How a table's actor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with nothing to do.
    Asleep,
    /// It failed and is started again after a pause.
    Restarting,
    /// It failed too often where it stands.
    Parked,
}

/// Why a table did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStarted {
    /// The log knows no such table.
    NoSuchTable,
    /// The start failed.
    Failed(String),
    /// The shard's log is gone; the shard is restarting.
    NoLog,
}

/// What the desk knows of a table. A table it does not know is asleep or not there.
enum Record {
    Starting(VecDeque<TableMsg>),
    Live(ActorRef<TableMsg>),
    Draining(VecDeque<TableMsg>),
    Parked,
}

/// The actor's state.
pub struct DeskState {
    shard: Arc<Shard>,
    records: BTreeMap<TableId, Record>,
    /// How many tables start at a time.
    starts: Arc<Semaphore>,
    /// They end with this state.
    tasks: JoinSet<()>,
}

impl Desk {
    /// The child spec.
    pub(super) fn child(shard: Arc<Shard>) -> ChildSpec {
        ChildSpec::from_start("desk", StartFn::actor(move || (Desk, Arc::clone(&shard))))
            .probe(Probe::new(DeskMsg::Probe))
    }
}

impl Actor for Desk {
    type Msg = DeskMsg;
    type State = DeskState;
    type Arguments = Arc<Shard>;

    async fn pre_start(
        &self,
        myself: ActorRef<DeskMsg>,
        shard: Arc<Shard>,
    ) -> Result<DeskState, ActorProcessingErr> {
        shard.routes.pin().clear();
        shard.desk.set(myself.clone());
        let (reply, busy) = oneshot::channel();
        if !shard.log.cast(LogMsg::Busy(reply)) {
            tracing::debug!(shard = %shard.id, "no log yet");
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Ok(tables) = busy.await
                && myself.cast(DeskMsg::Start(tables)).is_err()
            {
                tracing::debug!("a desk ended before its shard was read");
            }
        });
        let starts = Arc::new(Semaphore::new(shard.options.recover_concurrency));
        Ok(DeskState {
            shard,
            records: BTreeMap::new(),
            starts,
            tasks,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<DeskMsg>,
        message: DeskMsg,
        state: &mut DeskState,
    ) -> Result<(), ActorProcessingErr> {
        state.handle(&myself, message);
        Ok(())
    }
}

impl DeskState {
    fn handle(&mut self, myself: &ActorRef<DeskMsg>, message: DeskMsg) {
        match message {
            DeskMsg::Ask(table, message) => self.ask(myself, table, message),
            DeskMsg::Up(table, actor) => self.up(table, actor),
            DeskMsg::Ended(table, ended) => self.ended(myself, table, ended),
            DeskMsg::NotStarted(table, why) => self.not_started(myself, table, why),
            DeskMsg::MaySleep(table) => self.may_sleep(table),
            DeskMsg::Start(tables) => {
                for table in tables {
                    if !self.records.contains_key(&table) {
                        self.start(myself, table, VecDeque::new());
                    }
                }
            }
            DeskMsg::Resume(table, reply) => {
                let parked = self.is_parked(table);
                if parked {
                    self.shard.falls.forgive(table);
                    self.start(myself, table, VecDeque::new());
                }
                if reply.send(parked).is_err() {
                    tracing::trace!("nobody waited for the answer");
                }
            }
            DeskMsg::Void(table, hand, note, reply) => self.void(table, hand, note, reply),
            DeskMsg::Probe(echo) => {
                while self.tasks.try_join_next().is_some() {}
                echo.answer(self.tasks.len());
            }
        }
    }

    fn is_parked(&self, table: TableId) -> bool {
        matches!(self.records.get(&table), Some(Record::Parked)) || self.shard.falls.parked(table)
    }

    fn void(
        &self,
        table: TableId,
        hand: HandNo,
        note: String,
        reply: oneshot::Sender<Result<(), VoidError>>,
    ) {
        if self.is_parked(table) {
            let void = LogMsg::Void(table, hand, note, reply);
            if !self.shard.log.cast(void) {
                tracing::debug!(%table, "no log to void with");
            }
        } else if reply.send(Err(VoidError::NotParked(table))).is_err() {
            tracing::trace!("nobody waited for the answer");
        }
    }

    fn ask(&mut self, myself: &ActorRef<DeskMsg>, table: TableId, message: TableMsg) {
        let limit = self.shard.options.table_queue;
        match self.records.get_mut(&table) {
            None => self.start(myself, table, VecDeque::from([message])),
            Some(Record::Parked) => message.turn_away(CallError::Parked),
            Some(Record::Starting(queue) | Record::Draining(queue)) if queue.len() < limit => {
                queue.push_back(message)
            }
            Some(Record::Starting(_) | Record::Draining(_)) => {
                message.turn_away(CallError::starting())
            }
            // The caller may not have found the way that was there in the meantime. Should the
            // actor have ended, its end is on the way here and the caller asks again.
            Some(Record::Live(actor)) => {
                if actor.cast(message).is_err() {
                    tracing::trace!(%table, "asked a table that just ended");
                }
            }
        }
    }

    fn up(&mut self, table: TableId, actor: ActorRef<TableMsg>) {
        if let Some(Record::Starting(queue) | Record::Draining(queue)) =
            self.records.insert(table, Record::Live(actor.clone()))
        {
            for message in queue {
                if actor.cast(message).is_err() {
                    tracing::trace!(%table, "a table ended as it came up");
                }
            }
        }
        self.shard.routes.pin().insert(table, actor);
    }

    fn ended(&mut self, myself: &ActorRef<DeskMsg>, table: TableId, ended: Ended) {
        let queue = match self.records.remove(&table) {
            Some(Record::Starting(queue) | Record::Draining(queue)) => queue,
            Some(Record::Live(_) | Record::Parked) | None => VecDeque::new(),
        };
        match ended {
            Ended::Asleep if queue.is_empty() => {}
            Ended::Asleep => self.start(myself, table, queue),
            Ended::Restarting => {
                self.records.insert(table, Record::Starting(queue));
            }
            Ended::Parked => self.park(table, queue),
        }
    }

    fn not_started(&mut self, myself: &ActorRef<DeskMsg>, table: TableId, why: NotStarted) {
        let Some(Record::Starting(queue)) = self.records.remove(&table) else {
            return;
        };
        match why {
            NotStarted::NoSuchTable => queue
                .into_iter()
                .for_each(|message| message.turn_away(CallError::NoSuchTable(table))),
            NotStarted::NoLog => queue
                .into_iter()
                .for_each(|message| message.turn_away(CallError::starting())),
            NotStarted::Failed(reason) => {
                tracing::error!(%table, %reason, "table did not start");
                match self.shard.falls.fell(table, reason) {
                    Some(pause) => {
                        self.records.insert(table, Record::Starting(queue));
                        self.spawn_start(myself, table, pause);
                    }
                    None => self.park(table, queue),
                }
            }
        }
    }

    fn park(&mut self, table: TableId, queue: VecDeque<TableMsg>) {
        tracing::error!(%table, "table parked; its chips are safe; see `orp admin table list`");
        self.records.insert(table, Record::Parked);
        queue
            .into_iter()
            .for_each(|message| message.turn_away(CallError::Parked));
    }

    /// Cuts the way to the table, then asks it to end: what still reaches it is
    /// answered or dropped, and whoever is dropped comes here next.
    fn may_sleep(&mut self, table: TableId) {
        let Some(Record::Live(actor)) = self.records.get(&table) else {
            return;
        };
        let actor = actor.clone();
        self.shard.routes.pin().remove(&table);
        if actor.cast(TableMsg::Drain).is_ok() {
            self.records
                .insert(table, Record::Draining(VecDeque::new()));
        }
    }

    fn start(&mut self, myself: &ActorRef<DeskMsg>, table: TableId, queue: VecDeque<TableMsg>) {
        // Also after a restart of the shard, which begins with an empty desk.
        if self.shard.falls.parked(table) {
            return self.park(table, queue);
        }
        self.records.insert(table, Record::Starting(queue));
        self.spawn_start(myself, table, std::time::Duration::ZERO);
    }

    fn spawn_start(
        &mut self,
        myself: &ActorRef<DeskMsg>,
        table: TableId,
        pause: std::time::Duration,
    ) {
        let (shard, starts, desk) = (
            Arc::clone(&self.shard),
            Arc::clone(&self.starts),
            myself.clone(),
        );
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let turn = starts.acquire().await;
            if let Err(why) = start_table(&shard, table).await
                && desk.cast(DeskMsg::NotStarted(table, why)).is_err()
            {
                tracing::debug!(%table, "a desk ended before its table started");
            }
            drop(turn);
        });
    }
}

async fn start_table(shard: &Arc<Shard>, table: TableId) -> Result<(), NotStarted> {
    let (reply, found) = oneshot::channel();
    if !shard.log.cast(LogMsg::Find(table, reply)) {
        return Err(NotStarted::NoLog);
    }
    if found.await.or(Err(NotStarted::NoLog))?.is_none() {
        return Err(NotStarted::NoSuchTable);
    }
    let tables = shard.tables().ok_or(NotStarted::NoLog)?;
    loop {
        let start = TableActor::start(Arc::clone(shard), table);
        match tables.start_child_from(table, start).await {
            Ok(_announces_itself) => return Ok(()),
            Err(HandleError::Gone) => return Err(NotStarted::NoLog),
            // A desk that was restarted alone does not know the tables that are up.
            Err(HandleError::AlreadyPresent(_)) => match tables.find(table).await {
                Ok(Some(actor)) => {
                    let up = DeskMsg::Up(table, ActorRef::from(actor));
                    return if shard.desk.cast(up) {
                        Ok(())
                    } else {
                        Err(NotStarted::NoLog)
                    };
                }
                // On its way up, and announces itself.
                Ok(None) => return Ok(()),
                Err(HandleError::Gone) => return Err(NotStarted::NoLog),
                Err(ended) => tracing::debug!(%table, %ended, "it just ended; starting it"),
            },
            Err(error) => return Err(NotStarted::Failed(error.to_string())),
        }
    }
}
