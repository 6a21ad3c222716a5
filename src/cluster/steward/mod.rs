//! The steward: carries out what [`plan`](super::plan) decides, and answers other nodes.
//!
//! One actor, which never waits: everything that takes time runs beside it and comes back as a message. It holds no truth;
//! restarted, it finds the shards' phases, the announcements and the store as they are, and goes on.
//!
//! - `view`: what is known of each shard
//! - `deeds`: take, pull, hand over, give up
//! - `signs`: beats, and calls that a peer must answer

mod deeds;
mod signs;
mod view;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef, Message};
use supervisors::{ChildSpec, Decision, DynamicHandle, DynamicSpec, Echo, Probe, Restart, StartFn};
use tokio::{
    sync::{Notify, oneshot, watch},
    task::JoinSet,
    time::Instant,
};

use self::view::View;
use super::{
    evidence::{Beats, Link, Missed},
    fabric::{Answer, Ask, AskError, Fabric, Status},
    peer::Peer,
    plan::{self, Step},
    registry::Registry,
    routes::{Routes, Table},
};
use crate::{
    ids::{Epoch, ShardId},
    store::{NodeBeat, ShardRow, Store, StoreError},
    table::Tables,
};

/// What a steward works with.
#[derive(Clone)]
pub struct StewardOptions {
    /// This node.
    pub me: Peer,
    /// Its tables, whose shards it grants.
    pub tables: Tables,
    /// The supervisor of the shards' branches.
    pub branches: Branches,
    /// Who announces what.
    pub registry: Arc<dyn Registry>,
    /// The other nodes.
    pub fabric: Arc<dyn Fabric>,
    /// Where beats and the last owners are kept.
    pub store: Arc<dyn Store>,
    /// Woken when a shard's phase, an announcement or a link changed.
    pub news: Arc<Notify>,
    /// Where other nodes connect to this one, `host:port`.
    pub nodes: String,
    /// Where players connect, `host:port`.
    pub players: String,
    /// Where operators connect, `host:port`.
    pub operators: String,
    /// Beats are written, and looked at, so often.
    pub beat_every: Duration,
    /// Peers are asked how they are so often, and have as long to answer.
    pub ask_every: Duration,
    /// A node that starts takes nothing for so long: first it sees who is there.
    pub settle: Duration,
}

/// The supervisor of the shards' branches, once it is up.
#[derive(Clone, Default)]
pub struct Branches(Arc<Mutex<Option<DynamicHandle<ShardId>>>>);

impl Branches {
    fn keep(&self, handle: DynamicHandle<ShardId>) {
        *self
            .0
            .lock()
            .expect("no code panics while it holds this lock") = Some(handle);
    }

    /// The child spec of the supervisor.
    pub fn child(&self, tables: &Tables) -> ChildSpec {
        let (tables, branches) = (tables.clone(), self.clone());
        DynamicSpec::<ShardId>::new(Restart::Temporary)
            .supervisors()
            .name(|shard| format!("shard-{:04}", shard.0))
            .on_exit(move |exit| {
                tracing::info!(shard = %exit.key, reason = %exit.reason, "a shard's branch ended");
                if let Some(shard) = tables.shards().get(usize::from(exit.key.0)) {
                    shard.closed();
                }
                Decision::BySpec
            })
            .into_child("shards", move |handle| branches.keep(handle))
    }

    fn find(&self) -> Option<DynamicHandle<ShardId>> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
            .clone()
    }
}

/// The actor.
pub struct Steward;

/// What a steward is told.
pub enum StewardMsg {
    /// Something may have changed, or it is time to look.
    Look,
    /// What the store says of a shard's last owner.
    LookedUp(ShardId, Result<Option<ShardRow>, StoreError>),
    /// What was under way about a shard here is over.
    Over(ShardId),
    /// A pull is over.
    Pulled(ShardId, bool),
    /// Another node asks.
    Asked(Ask, oneshot::Sender<Answer>),
    /// One look at all beats.
    Beats(Vec<NodeBeat>),
    /// The store takes this node's beats no more, or again.
    Mute(bool),
    /// A peer answered how it is, or did not.
    Answered(Peer, Result<Answer, AskError>),
    /// Give everything away; answered when nothing is left, or nobody takes it.
    Drain(oneshot::Sender<()>),
    /// Somebody looks how busy it is: about how many shards something is under way.
    Probe(Echo),
}

impl Message for StewardMsg {}

/// The way to the steward's present incarnation, for whoever hears other nodes ask.
#[derive(Clone, Default)]
pub struct StewardSlot(Arc<Mutex<Option<ActorRef<StewardMsg>>>>);

impl StewardSlot {
    /// Asks the steward. `None` if there is none, or it ended over the question.
    pub async fn ask(&self, ask: Ask) -> Option<Answer> {
        let (reply, answer) = oneshot::channel();
        self.cast(StewardMsg::Asked(ask, reply)).then_some(())?;
        answer.await.ok()
    }

    /// Has this node give all its shards away; returns when that is done, or nobody takes them.
    pub async fn drain(&self) {
        let (reply, drained) = oneshot::channel();
        if !self.cast(StewardMsg::Drain(reply)) || drained.await.is_err() {
            tracing::warn!("no steward to drain this node");
        }
    }

    fn cast(&self, message: StewardMsg) -> bool {
        let steward = self
            .0
            .lock()
            .expect("no code panics while it holds this lock")
            .clone();
        steward.is_some_and(|steward| steward.cast(message).is_ok())
    }
}

/// What a steward says without being asked.
#[derive(Clone)]
pub struct Outlook {
    routes: watch::Sender<Arc<Table>>,
    ready: watch::Sender<bool>,
}

impl Default for Outlook {
    fn default() -> Self {
        Self {
            routes: watch::Sender::default(),
            ready: watch::Sender::new(false),
        }
    }
}

impl Outlook {
    /// The routes of this node.
    pub fn routes(&self, tables: &Tables) -> Routes {
        Routes::new(self.routes.subscribe(), tables.count())
    }

    /// Whether this node is settled and every shard is served somewhere.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }
}

/// The actor's state.
pub struct StewardState {
    options: StewardOptions,
    outlook: Outlook,
    started: Instant,
    /// Since when.
    settled: Option<Instant>,
    draining: bool,
    drained: Vec<oneshot::Sender<()>>,
    views: BTreeMap<ShardId, View>,
    announced: BTreeMap<ShardId, Epoch>,
    beats: Beats,
    looked_at_beats: bool,
    /// The store is out of reach: nothing can be decided here, and others may take over.
    mute: bool,
    peers: BTreeMap<Peer, Neighbourhood>,
    pulling: usize,
    pull_after: Instant,
    /// They end with this state.
    tasks: JoinSet<()>,
}

/// What is known of a linked peer.
#[derive(Default)]
struct Neighbourhood {
    status: Option<Status>,
    missed: Missed,
    asking: bool,
}

impl Steward {
    /// The child spec.
    pub fn child(options: StewardOptions, slot: StewardSlot, outlook: Outlook) -> ChildSpec {
        let start =
            StartFn::actor(move || (Steward, (options.clone(), slot.clone(), outlook.clone())));
        ChildSpec::from_start("steward", start).probe(Probe::new(StewardMsg::Probe))
    }
}

impl Actor for Steward {
    type Msg = StewardMsg;
    type State = StewardState;
    type Arguments = (StewardOptions, StewardSlot, Outlook);

    async fn pre_start(
        &self,
        myself: ActorRef<StewardMsg>,
        (options, slot, outlook): Self::Arguments,
    ) -> Result<StewardState, ActorProcessingErr> {
        let now = Instant::now();
        let shards = options.tables.shards();
        let views = shards.iter().map(|shard| (shard.id, View::new(now)));
        let mut state = StewardState {
            views: views.collect(),
            outlook,
            started: now,
            settled: None,
            draining: false,
            drained: Vec::new(),
            announced: BTreeMap::new(),
            beats: Beats::default(),
            looked_at_beats: false,
            mute: false,
            peers: BTreeMap::new(),
            pulling: 0,
            pull_after: now,
            tasks: JoinSet::new(),
            options,
        };
        state.sweep().await;
        state
            .tasks
            .spawn(look(state.options.news.clone(), myself.clone()));
        state
            .tasks
            .spawn(signs::beat(state.options.clone(), myself.clone()));
        *slot
            .0
            .lock()
            .expect("no code panics while it holds this lock") = Some(myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<StewardMsg>,
        message: StewardMsg,
        state: &mut StewardState,
    ) -> Result<(), ActorProcessingErr> {
        if let StewardMsg::Probe(echo) = message {
            echo.answer(state.views.values().filter(|view| view.busy).count());
            return Ok(());
        }
        state.take_in(&myself, message);
        state.go_on(&myself);
        Ok(())
    }
}

impl StewardState {
    fn take_in(&mut self, myself: &ActorRef<StewardMsg>, message: StewardMsg) {
        match message {
            StewardMsg::Look => self.ask_peers(myself),
            StewardMsg::LookedUp(shard, row) => self.looked_up(shard, row),
            StewardMsg::Over(shard) => self.over(shard),
            StewardMsg::Pulled(shard, done) => {
                self.over(shard);
                self.pulling -= 1;
                if !done {
                    self.pull_after = Instant::now() + PULL_PAUSE;
                }
            }
            StewardMsg::Asked(Ask::Status, reply) => answer(reply, Answer::Status(self.status())),
            StewardMsg::Asked(Ask::HandOver { shard, epoch, k }, reply) => {
                self.hand_over(myself, shard, (epoch, k), reply);
            }
            StewardMsg::Beats(found) => {
                self.looked_at_beats = true;
                self.beats.look(&found);
                for (peer, address) in self.beats.moving() {
                    if peer.name != self.options.me.name {
                        self.options.fabric.suggest(peer, address);
                    }
                }
            }
            StewardMsg::Mute(mute) => {
                tracing::warn!(mute, "whether the store takes this node's beats");
                self.mute = mute;
            }
            StewardMsg::Answered(peer, answer) => self.answered(peer, answer),
            StewardMsg::Drain(reply) => {
                tracing::info!("draining: this node gives its shards away");
                self.draining = true;
                self.drained.push(reply);
            }
            // Answered before anything is looked at.
            StewardMsg::Probe(_) => {}
        }
    }

    fn go_on(&mut self, myself: &ActorRef<StewardMsg>) {
        if self.settled.is_none() && self.settles() {
            self.settled = Some(Instant::now());
        }
        self.announce();
        self.look_around();
        for step in plan::next(&self.known()) {
            match step {
                Step::LookUp(shard) => self.look_up(myself, shard),
                Step::Take(shard) => self.take(myself, shard),
                Step::Grant(shard) => self.grant(shard),
                Step::GiveUp(shard) => self.give_up(myself, shard),
                Step::Pull(shard, from) => self.pull(myself, shard, &from),
            }
        }
        self.publish();
        if self.draining && self.is_empty() {
            self.drained.drain(..).for_each(|reply| answer(reply, ()));
        }
    }

    /// Who is there is known: every node that beats is linked, or nobody listens where it was; or it took too long.
    fn settles(&self) -> bool {
        let waited = self.started.elapsed();
        let known = |(peer, _): (&Peer, &str)| {
            peer.name == self.options.me.name || self.options.fabric.link(peer) != Link::Unknown
        };
        self.looked_at_beats
            && waited >= self.options.settle
            && (waited >= SETTLE_MAX * self.options.settle || self.beats.moving().all(known))
    }

    fn status(&self) -> Status {
        Status {
            draining: self.draining,
            players: self.options.players.clone(),
            operators: self.options.operators.clone(),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task);
    }
}

/// Wakes the steward for news, and now and then without.
async fn look(news: Arc<Notify>, steward: ActorRef<StewardMsg>) {
    loop {
        if steward.cast(StewardMsg::Look).is_err() {
            return;
        }
        // Without news there is only time to look at.
        if tokio::time::timeout(LOOK_EVERY, news.notified())
            .await
            .is_err()
        {
            tracing::trace!("the steward looks around");
        }
    }
}

fn tell(steward: &ActorRef<StewardMsg>, message: StewardMsg) {
    if steward.cast(message).is_err() {
        tracing::debug!("a steward ended before what it began");
    }
}

fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::trace!("nobody waited for the answer");
    }
}

/// Vacancies become old, and beats stand still, without anybody saying so.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Times the settling period: then a node that beats and cannot be reached is waited for no longer.
const SETTLE_MAX: u32 = 5;
/// After a pull that did not succeed.
const PULL_PAUSE: Duration = Duration::from_millis(500);
