//! A few incarnations over one shard, and everything that may happen between their statements and the store.
//!
//! Each step is one statement that takes effect, or is lost, or one choice. What was lost stays under way for ever: it may be
//! applied at any later time, any number of times, or never. That covers time-outs, lost answers, zombies, duplicates
//! and crashes: a crashed, frozen or cut-off incarnation is one that makes no more steps.

use orp_models::owner::{At, Choice, End, Owner, Rules, Told};
use orp_models::store::{self, Conditions, Segment};
use orp_models::words::{Answer, Key, Link, Partition, ShardRow, Statement, Token};
use stateright::{Model, Property};

use super::small::{Body, Few, Small};

/// How large the world is, and which rules hold in it.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many incarnations there are at most: takeovers, restarts, rivals.
    pub incarnations: u8,
    /// How many requests clients make.
    pub requests: u8,
    /// How often an incarnation rotates at most.
    pub rotations: u32,
    /// How often all of them together rotate at most.
    pub rotations_in_all: usize,
    /// The rows of a checkpoint.
    pub checkpoint_rows: u32,
    /// Whether owners prune.
    pub prunes: bool,
    /// Whether owners hand over to claims.
    pub hands_over: bool,
    /// Whether reading the log is one step. Only pruning can come between, so otherwise it makes no difference.
    pub reads_at_once: bool,
    /// Whether hints where the chain ends are lost and late, too.
    pub loses_hints: bool,
    /// How many lost statements may be under way at once.
    pub under_way: usize,
    /// Forget what is under way once it can have no effect any more.
    pub forgets_spent: bool,
    /// Whether a client hears "refused" also of a request that was tried before.
    pub refuses_repeats: bool,
    /// Whether an owner may decide against a request that is repeated.
    pub declines: bool,
    /// Whether to look also for what has to happen at least once.
    pub looks_for_events: bool,
    /// Count only what a client can notice: P2 and P3.
    pub only_harm: bool,
    /// What the store checks.
    pub conditions: Conditions,
    /// What the owners keep to.
    pub rules: Rules,
}

impl Setup {
    /// The protocol, in a small world.
    pub const SOUND: Self = Self {
        incarnations: 3,
        requests: 2,
        rotations: 0,
        rotations_in_all: usize::MAX,
        checkpoint_rows: 2,
        prunes: false,
        hands_over: false,
        reads_at_once: true,
        loses_hints: true,
        under_way: usize::MAX,
        forgets_spent: true,
        refuses_repeats: false,
        declines: true,
        looks_for_events: true,
        only_harm: false,
        conditions: Conditions::SOUND,
        rules: Rules::SOUND,
    };
}

/// What a client knows of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// Not made yet.
    Idle,
    /// Made once, to this incarnation.
    First(u8),
    /// Made again after no answer came.
    Repeated,
    /// Told: it is done.
    Acknowledged,
    /// Told: it never will be.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub shard: Option<ShardRow>,
    pub segments: Vec<(Key, Segment<Small>)>,
    /// Lost statements, in some fixed order.
    pub under_way: Vec<Statement<Small>>,
    pub owners: Vec<Owner<Small>>,
    pub clients: Vec<Client>,
    /// Attempts that were said never to be: bit `request × 8 + incarnation`.
    pub never: u32,
    /// Acknowledged requests that somebody who just became the owner does not know of.
    pub unknown_to_owner: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An incarnation reads the shard's row.
    Begin { from_low: bool },
    /// An incarnation's statement is applied, and answered.
    Ask(usize),
    /// An incarnation's statement is not answered.
    Lose(usize),
    /// An incarnation goes on without an answer.
    GiveUp(usize),
    /// An incarnation decides what to do, and what becomes of the statement that this means.
    Choose(usize, Choice<Small>, Fate),
    /// A client asks again, and the owner finds in its state that it is done.
    Repeat(usize, u8),
    /// A client asks again; the owner's state forbids it, and the owner is confirmed.
    Decline(usize, u8),
    /// Variant: an incarnation restarts, and goes on where it was.
    Resume(usize),
    /// A lost statement is applied.
    Deliver(Statement<Small>),
}

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Applied, and answered.
    Answered,
    /// Not answered.
    Lost,
    /// Refused by the store before it could have any effect.
    Never,
}

pub const GENESIS: Link = Link(1);

impl State {
    fn segment(&self, key: Key) -> Option<&Segment<Small>> {
        let place = self.segments.binary_search_by_key(&key, |(key, _)| *key);
        place.ok().map(|place| &self.segments[place].1)
    }

    fn apply(&mut self, statement: &Statement<Small>, conditions: &Conditions) -> Answer<Small> {
        let key = match statement.partition() {
            Partition::Shard => return store::on_shard(&mut self.shard, statement),
            Partition::Segment(key) => key,
        };
        match self.segments.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(place) => {
                if statement.is_read() {
                    let mut copy = Some(self.segments[place].1.clone());
                    return store::on_segment(&mut copy, statement, conditions);
                }
                let (_, segment) = self.segments.remove(place);
                let mut segment = Some(segment);
                let answer = store::on_segment(&mut segment, statement, conditions);
                if let Some(segment) = segment {
                    self.segments.insert(place, (key, segment));
                }
                answer
            }
            Err(place) => {
                let mut segment = None;
                let answer = store::on_segment(&mut segment, statement, conditions);
                if let Some(segment) = segment {
                    self.segments.insert(place, (key, segment));
                }
                answer
            }
        }
    }

    fn is_spent(&self, statement: &Statement<Small>, setup: &Setup) -> bool {
        if let Statement::AdvanceLow { from, .. } = statement {
            // Every advance goes up, unless the variant makes one that does not.
            return !setup.rules.fresh_low && self.shard.is_some_and(|row| row.low > *from);
        }
        match statement.partition() {
            Partition::Shard => store::is_spent_on_shard(self.shard.as_ref(), statement),
            Partition::Segment(key) => {
                store::is_spent_on_segment(self.segment(key), statement, &setup.conditions)
            }
        }
    }

    fn hear(&mut self, i: usize, told: Told<Body>, setup: &Setup) {
        match told {
            Told::Nothing => {}
            Told::Acknowledged(Body::Request { request, .. }) => {
                let client = &mut self.clients[usize::from(request)];
                if *client != Client::Refused {
                    *client = Client::Acknowledged;
                }
            }
            Told::Never(Body::Request { request, by }) => {
                self.never |= never_bit(request, by);
                let client = &mut self.clients[usize::from(request)];
                let first = *client == Client::First(by);
                let repeat = setup.refuses_repeats && *client == Client::Repeated;
                if first || repeat {
                    *client = Client::Refused;
                }
            }
            Told::Acknowledged(Body::Snapshot { .. }) | Told::Never(Body::Snapshot { .. }) => {
                unreachable!("only commits are told")
            }
            Told::Reigns => {
                let fold = self.owners[i].fold;
                let acknowledged = self.clients.iter().zip(0..);
                self.unknown_to_owner |= acknowledged
                    .filter(|(client, _)| **client == Client::Acknowledged)
                    .any(|(_, request)| !fold.has(request));
            }
        }
    }

    /// An answered statement of this incarnation, or several where reading is one step.
    fn ask(&mut self, i: usize, setup: &Setup) {
        self.answer(i, setup);
        self.read(i, setup);
    }

    fn answer(&mut self, i: usize, setup: &Setup) {
        let statement = self.owners[i].statement().expect("actions() looked");
        let answer = self.apply(&statement, &setup.conditions);
        let told = self.owners[i].hears(answer, &setup.rules);
        self.hear(i, told, setup);
    }

    fn read(&mut self, i: usize, setup: &Setup) {
        while setup.reads_at_once
            && matches!(self.owners[i].at, At::ReadLow { .. } | At::Read { .. })
        {
            self.answer(i, setup);
        }
    }

    fn lose(&mut self, i: usize) {
        let statement = self.owners[i].statement().expect("actions() looked");
        self.owners[i].doubts();
        let place = self.under_way.partition_point(|other| *other < statement);
        self.under_way.insert(place, statement);
    }

    fn give_up(&mut self, i: usize, setup: &Setup) {
        let told = self.owners[i].gives_up(&setup.rules);
        self.hear(i, told, setup);
        self.read(i, setup);
    }

    /// One form for states that no difference can come from.
    fn settle(&mut self, setup: &Setup) {
        for owner in &mut self.owners {
            if let At::Ended(end) = owner.at {
                let end = match end {
                    End::Damaged(_) => end,
                    End::Outrun
                    | End::Unanswered
                    | End::Refused
                    | End::Undetermined
                    | End::Superseded
                    | End::HandedOver => End::Outrun,
                };
                *owner = Owner::new(owner.token, GENESIS, false);
                owner.at = At::Ended(end);
            }
            if owner.at == At::Checkpoint {
                // What comes next is no choice, and no statement.
                let body = owner.fold.piece(owner.n, setup.checkpoint_rows);
                let choice = if owner.n + 1 < setup.checkpoint_rows {
                    Choice::Part(body)
                } else {
                    Choice::End(body)
                };
                owner.chooses(choice, &setup.rules);
            }
        }
        if setup.forgets_spent {
            let mut under_way = std::mem::take(&mut self.under_way);
            under_way.retain(|statement| !self.is_spent(statement, setup));
            self.under_way = under_way;
        }
    }
}

pub fn never_bit(request: u8, by: u8) -> u32 {
    1 << (request * 8 + by)
}

impl Setup {
    fn choices(&self, state: &State, i: usize, actions: &mut Vec<Action>) {
        let owner = &state.owners[i];
        let by = i as u8;
        let mut add = |choice| {
            if !owner.may(&choice) {
                return;
            }
            if matches!(choice, Choice::Commit(_)) {
                actions.push(Action::Choose(i, choice.clone(), Fate::Never));
            }
            let mut after = owner.clone();
            after.chooses(choice.clone(), &self.rules);
            if after
                .statement()
                .is_some_and(|statement| self.can_lose(state, &statement))
            {
                actions.push(Action::Choose(i, choice.clone(), Fate::Lost));
            }
            actions.push(Action::Choose(i, choice, Fate::Answered));
        };
        for (request, client) in (0..).zip(&state.clients) {
            let waits = match client {
                Client::Idle => {
                    request == 0 || state.clients[usize::from(request) - 1] != Client::Idle
                }
                Client::First(_) | Client::Repeated => true,
                Client::Acknowledged | Client::Refused => false,
            };
            // An incarnation tries a request once; what it could not write, the next one may.
            let tried = *client == Client::First(by) || state.never & never_bit(request, by) != 0;
            if waits && !tried && !owner.fold.has(request) {
                add(Choice::Commit(Body::Request { request, by }));
            }
        }
        let rotated = state.segments.iter().filter(|(key, _)| key.k > 0);
        let another = rotated.count() < self.rotations_in_all
            || state.segment(owner.open.rotated()).is_some();
        if owner.open.k < self.rotations && another {
            add(Choice::Rotate);
        }
        if self.prunes {
            owner
                .checkpoints
                .iter()
                .for_each(|key| add(Choice::Prune(key)));
            add(Choice::Sweep);
        }
        if self.hands_over {
            // To whoever may have asked for it, whatever became of him.
            for claim in &state.owners {
                add(Choice::HandOver(claim.open));
            }
        }
    }

    fn can_lose(&self, state: &State, statement: &Statement<Small>) -> bool {
        let spared = matches!(statement, Statement::SetTail { .. }) && !self.loses_hints;
        let forgotten = self.forgets_spent && state.is_spent(statement, self);
        let room = state.under_way.len() < self.under_way && !state.under_way.contains(statement);
        room && !statement.is_read() && !spared && !forgotten
    }

    fn answers(&self, state: &State, i: usize, actions: &mut Vec<Action>) {
        let owner = &state.owners[i];
        if owner.at != At::Reign {
            return;
        }
        for (request, client) in (0..).zip(&state.clients) {
            if !matches!(client, Client::First(_) | Client::Repeated) {
                continue;
            }
            if owner.fold.has(request) {
                actions.push(Action::Repeat(i, request));
            } else if self.declines {
                actions.push(Action::Decline(i, request));
            }
        }
    }

    /// Whether giving up leads anywhere but to the end, which is as good as making no more steps.
    fn goes_on(&self, owner: &Owner<Small>) -> bool {
        match owner.at {
            At::Hint
            | At::HintNext
            | At::CreateNext
            | At::Advance { .. }
            | At::Sweep
            | At::DeleteFirst { .. }
            | At::SealNext { doubt: false }
            | At::HandOver { doubt: false, .. }
            | At::Append { doubt: false, .. } => true,
            At::Append { doubt: true, .. } => {
                self.rules.time_out_is_failure || self.rules.reuses_slots
            }
            At::Start
            | At::CreateRoot
            | At::Win { .. }
            | At::Create
            | At::Claimed
            | At::Link { .. }
            | At::ReadLow { .. }
            | At::Read { .. }
            | At::Reign
            | At::Recheck { .. }
            | At::SealNext { doubt: true }
            | At::Checkpoint
            | At::FreshLow { .. }
            | At::FindClaim { .. }
            | At::HandOver { doubt: true, .. }
            | At::Confirm
            | At::Ended(_) => false,
        }
    }
}

impl Model for Setup {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            shard: None,
            segments: Vec::new(),
            under_way: Vec::new(),
            owners: Vec::new(),
            clients: vec![Client::Idle; usize::from(self.requests)],
            never: 0,
            unknown_to_owner: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // After a violation nothing is worth exploring.
        if state.owners.len() < usize::from(self.incarnations) {
            actions.push(Action::Begin { from_low: false });
            if state.shard.is_some_and(|row| row.low != row.tail) {
                actions.push(Action::Begin { from_low: true });
            }
        }
        for (i, owner) in state.owners.iter().enumerate() {
            if let Some(statement) = owner.statement() {
                actions.push(Action::Ask(i));
                if self.can_lose(state, &statement) {
                    actions.push(Action::Lose(i));
                }
                if self.goes_on(owner) {
                    actions.push(Action::GiveUp(i));
                }
                if self.rules.resumes && matches!(owner.at, At::Append { doubt: true, .. }) {
                    actions.push(Action::Resume(i));
                }
            } else if !matches!(owner.at, At::Ended(_)) {
                self.choices(state, i, actions);
                self.answers(state, i, actions);
            }
        }
        actions.extend(state.under_way.iter().cloned().map(Action::Deliver));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Begin { from_low } => {
                let token = Token(state.owners.len() as u64 + 1);
                state.owners.push(Owner::new(token, GENESIS, from_low));
                state.ask(state.owners.len() - 1, self);
            }
            Action::Ask(i) => state.ask(i, self),
            Action::Lose(i) => state.lose(i),
            Action::GiveUp(i) => state.give_up(i, self),
            Action::Choose(i, choice, fate) => {
                if let Choice::Commit(Body::Request { request, .. }) = choice {
                    let client = &mut state.clients[usize::from(request)];
                    *client = match client {
                        Client::Idle => Client::First(i as u8),
                        Client::First(_)
                        | Client::Repeated
                        | Client::Acknowledged
                        | Client::Refused => Client::Repeated,
                    };
                }
                state.owners[i].chooses(choice, &self.rules);
                match fate {
                    Fate::Answered => state.ask(i, self),
                    Fate::Lost => state.lose(i),
                    Fate::Never => state.give_up(i, self),
                }
            }
            Action::Repeat(_, request) => {
                state.clients[usize::from(request)] = Client::Acknowledged;
            }
            Action::Decline(i, request) => {
                let owner = &state.owners[i];
                let found = state.segment(owner.open)?.fixed;
                if !owner.expects(&found) || found.seal.is_some() {
                    return None;
                }
                state.clients[usize::from(request)] = Client::Refused;
            }
            Action::Resume(i) => {
                let open = state.owners[i].open;
                let segment = state.segment(open)?.clone();
                if segment.fixed.seal.is_some() {
                    return None;
                }
                let rows = rows(&segment.rows, segment.fixed.next_n);
                state.owners[i].resumes(&segment.fixed, &rows);
            }
            Action::Deliver(statement) => {
                // Nobody hears the answer.
                drop(state.apply(&statement, &self.conditions));
            }
        }
        state.settle(self);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        super::events::properties(self)
    }
}

fn rows(rows: &Few, end: u32) -> Vec<(u32, orp_models::words::Payload<Small>)> {
    use orp_models::words::Rows;
    (0..end)
        .filter_map(|n| Some((n, rows.row(n)?.clone())))
        .collect()
}
