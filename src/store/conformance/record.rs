//! Runs as data: what owners asked of a store, and what they heard, for the model to replay.
//!
//! A [`Recorder`] stands before any store. Its trace goes to [`replay`], which says whether the model allows it: whether the
//! statements on each partition have an order in which the model's store gives exactly these answers (those without an
//! answer at any later time, or never), and whether each client asked only what the model's owner would have asked, having
//! heard what it heard. So neither the code nor a database can drift away from the model that is explored exhaustively
//! (`tests/models`).
//!
//! How a chaos run against real Cassandra uses it:
//!
//! ```ignore
//! let recorder = Recorder::new(cassandra);                  // before anything is asked: the shards must be empty
//! let stores = from_fn(|_| Arc::new(recorder.client()));    // one for each owner: its statements come one after the other
//! …                                                         // faults, rivals, proxies between this process and the database
//! let trace = recorder.trace();                             // also while owners still run; open calls count as unanswered
//! trace::write(File::create("run.jsonl")?, &trace)?;        // a line for each question and each answer
//! replay(&trace, Delivery::Twice)?;                         // names the first call that the model does not allow
//! ```
//!
//! All owners of a run must be in one process, since the order of the lines is what says which calls overlapped. The order is
//! by this process's clock of events, not by time, so clock jumps change nothing. Only statements on logs are recorded.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
pub use orp_models::replay::{Contradiction, Delivery, Report, replay};
pub use orp_models::trace;
use orp_models::trace::{Body, Chain, Event, Line, Recorded};
use orp_models::words::{self, Fixed, Key, Kind, Link, Payload, Statement, Token, Values};

use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};
use crate::store::log::{Frame, RowType};
use crate::store::{
    Answer, Append, Cas, ChainHash, ClusterRecord, HandRecord, HandRef, NodeBeat, Page, ReadLimit,
    Row, ScanCursor, Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, SessionRecord,
    ShardRow, Store, TokenHash, WriterToken,
};

/// A store that writes down what passes through. See the module.
pub struct Recorder {
    store: Arc<dyn Store>,
    tape: Arc<Mutex<Tape>>,
    client: u64,
}

#[derive(Default)]
struct Tape {
    lines: Vec<Line>,
    calls: u64,
    clients: u64,
}

impl Recorder {
    /// Stands before this store, on whose shards nothing was written yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            tape: Arc::default(),
            client: 0,
        }
    }

    /// The same, for one more owner. What one client asks must come one after the other; a call may be dropped.
    pub fn client(&self) -> Self {
        self.client_of(self.store.clone())
    }

    /// The same, for an owner who has his own way to the database, by a proxy for instance.
    pub fn client_of(&self, store: Arc<dyn Store>) -> Self {
        let mut tape = self.tape();
        tape.clients += 1;
        Self {
            store,
            tape: self.tape.clone(),
            client: tape.clients,
        }
    }

    /// What was asked and answered until now.
    pub fn trace(&self) -> Vec<Line> {
        self.tape().lines.clone()
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call: its question before it begins, its answer when it is there, nothing if it is dropped before.
    async fn record<T>(
        &self,
        shard: ShardId,
        statement: Statement<Recorded>,
        call: impl Future<Output = Answer<T>> + Send,
        answered: impl FnOnce(&T) -> words::Answer<Recorded> + Send,
    ) -> Answer<T> {
        let number = self.asks(shard, statement);
        let answer = call.await;
        let event = match &answer {
            Ok(answer) => Event::Answered(answered(answer)),
            Err(error) if error.is_unknown() => Event::Unknown,
            Err(_) => Event::Never,
        };
        self.tape().lines.push(Line {
            call: number,
            client: self.client,
            shard: shard.0,
            event,
        });
        answer
    }

    fn asks(&self, shard: ShardId, statement: Statement<Recorded>) -> u64 {
        let mut tape = self.tape();
        tape.calls += 1;
        let call = tape.calls;
        tape.lines.push(Line {
            call,
            client: self.client,
            shard: shard.0,
            event: Event::Asked(statement, link(ChainHash::genesis(shard))),
        });
        call
    }
}

fn cas<T>(answer: &Cas<T>, values: impl FnOnce(&T) -> Values<Recorded>) -> words::Answer<Recorded> {
    match answer {
        Cas::Applied => words::Answer::Applied,
        Cas::NotApplied(found) => words::Answer::NotApplied(values(found)),
    }
}

/// No run of a test wins so many epochs.
fn epoch(epoch: Epoch) -> u32 {
    u32::try_from(epoch.0).unwrap_or(u32::MAX)
}

fn number(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn key(key: SegmentKey) -> Key {
    Key {
        epoch: epoch(key.epoch),
        k: key.k,
    }
}

fn first_bytes(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

fn token(token: WriterToken) -> Token {
    Token(first_bytes(&token.0))
}

fn link(hash: ChainHash) -> Link {
    Link(first_bytes(&hash.0))
}

fn shard_row(row: &Option<ShardRow>) -> Values<Recorded> {
    Values::Shard(row.as_ref().map(|row| words::ShardRow {
        epoch: epoch(row.epoch),
        tail: key(row.tail),
        low: key(row.low),
    }))
}

fn fixed(state: &SegmentState) -> Fixed {
    Fixed {
        writer: token(state.writer),
        next_n: number(state.next_n),
        last: link(state.last_hash),
        seal: state.seal.map(sealed),
    }
}

fn sealed(seal: Seal) -> words::Seal {
    words::Seal {
        by: token(seal.by),
        next: key(seal.next),
    }
}

fn segment(state: &Option<SegmentState>) -> Values<Recorded> {
    Values::Segment(state.as_ref().map(fixed))
}

fn chunk(chunk: &Option<SegmentChunk>) -> Values<Recorded> {
    Values::Rows(chunk.as_ref().map(|chunk| {
        let rows = chunk.rows.iter();
        let rows = rows.map(|row| (number(row.n), payload(row, None)));
        (fixed(&chunk.state), rows.collect())
    }))
}

/// What the protocol wrote into a row. With the hash before the row, what the row's hash has to be.
fn payload(row: &Row, expected: Option<ChainHash>) -> Payload<Recorded> {
    let frame = Frame::decode(row.n, row.payload.clone());
    let (kind, previous) = frame.map_or((Kind::Commit, None), |frame| {
        let kind = match frame.kind {
            RowType::Commit => Kind::Commit,
            RowType::CheckpointPart => Kind::Part,
            RowType::CheckpointEnd { replaced } => {
                Kind::End(Chain(replaced.into_iter().map(key).collect()))
            }
        };
        (kind, frame.previous)
    });
    let next = |before: ChainHash| link(before.then(row.n, &row.payload));
    Payload {
        kind,
        previous: previous.map(link),
        body: Body {
            digest: first_bytes(&ChainHash::EMPTY.then(0, &row.payload).0),
            link: expected.map(|expected| next(previous.unwrap_or(expected))),
        },
    }
}

#[async_trait]
impl Store for Recorder {
    async fn shard(&self, shard: ShardId) -> Answer<Option<ShardRow>> {
        let call = self.store.shard(shard);
        let answered = |row: &_| words::Answer::Read(shard_row(row));
        self.record(shard, Statement::Shard, call, answered).await
    }

    async fn win_epoch(
        &self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: &str,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let statement = Statement::WinEpoch {
            from: from.map(epoch),
            to: epoch(to),
        };
        let call = self.store.win_epoch(shard, from, to, owner);
        self.record(shard, statement, call, |answer| cas(answer, shard_row))
            .await
    }

    async fn set_tail(
        &self,
        shard: ShardId,
        of: Epoch,
        tail: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let statement = Statement::SetTail {
            epoch: epoch(of),
            tail: key(tail),
        };
        let call = self.store.set_tail(shard, of, tail);
        self.record(shard, statement, call, |answer| cas(answer, shard_row))
            .await
    }

    async fn advance_low(
        &self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Answer<Cas<Option<ShardRow>>> {
        let statement = Statement::AdvanceLow {
            from: key(from),
            to: key(to),
        };
        let call = self.store.advance_low(shard, from, to);
        self.record(shard, statement, call, |answer| cas(answer, shard_row))
            .await
    }

    async fn create_segment(
        &self,
        id: SegmentId,
        writer: WriterToken,
    ) -> Answer<Cas<SegmentState>> {
        let statement = Statement::Create {
            segment: key(id.key),
            writer: token(writer),
        };
        let call = self.store.create_segment(id, writer);
        let found = |state: &SegmentState| Values::Segment(Some(fixed(state)));
        self.record(id.shard, statement, call, |answer| cas(answer, found))
            .await
    }

    async fn append(&self, append: &Append) -> Answer<Cas<Option<SegmentState>>> {
        let statement = Statement::Append {
            segment: key(append.segment.key),
            writer: token(append.writer),
            n: number(append.row.n),
            expected: link(append.expected_hash),
            row: payload(&append.row, Some(append.expected_hash)),
            link: link(append.new_hash),
        };
        let call = self.store.append(append);
        self.record(append.segment.shard, statement, call, |answer| {
            cas(answer, segment)
        })
        .await
    }

    async fn seal(&self, id: SegmentId, seal: Seal) -> Answer<Cas<Option<SegmentState>>> {
        let statement = Statement::Seal {
            segment: key(id.key),
            seal: sealed(seal),
        };
        let call = self.store.seal(id, seal);
        self.record(id.shard, statement, call, |answer| cas(answer, segment))
            .await
    }

    async fn segment(&self, id: SegmentId) -> Answer<Option<SegmentState>> {
        let statement = Statement::Segment {
            segment: key(id.key),
        };
        let answered = |state: &_| words::Answer::Read(segment(state));
        self.record(id.shard, statement, self.store.segment(id), answered)
            .await
    }

    async fn read_rows(
        &self,
        id: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Answer<Option<SegmentChunk>> {
        let statement = Statement::Rows {
            segment: key(id.key),
            from: number(from),
        };
        let call = self.store.read_rows(id, from, limit);
        let answered = |found: &_| words::Answer::Read(chunk(found));
        self.record(id.shard, statement, call, answered).await
    }

    async fn delete_rows(&self, id: SegmentId) -> Answer<()> {
        let statement = Statement::DeleteRows {
            segment: key(id.key),
        };
        let call = self.store.delete_rows(id);
        self.record(id.shard, statement, call, |()| words::Answer::Applied)
            .await
    }

    async fn cluster(&self) -> Answer<Option<ClusterRecord>> {
        self.store.cluster().await
    }

    async fn create_cluster(&self, record: &ClusterRecord) -> Answer<Cas<ClusterRecord>> {
        self.store.create_cluster(record).await
    }

    async fn raise_feature_level(&self, from: u32, to: u32) -> Answer<Cas<Option<ClusterRecord>>> {
        self.store.raise_feature_level(from, to).await
    }

    async fn archive_hands(&self, hands: &[HandRecord]) -> Answer<()> {
        self.store.archive_hands(hands).await
    }

    async fn hand(&self, table: TableId, hand_no: HandNo) -> Answer<Option<HandRecord>> {
        self.store.hand(table, hand_no).await
    }

    async fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.store.hands_of_table(table, before, limit).await
    }

    async fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Answer<Vec<HandRef>> {
        self.store.hands_of_player(player, before, limit).await
    }

    async fn put_session(&self, token: TokenHash, session: &SessionRecord) -> Answer<()> {
        self.store.put_session(token, session).await
    }

    async fn session(&self, token: TokenHash) -> Answer<Option<SessionRecord>> {
        self.store.session(token).await
    }

    async fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Answer<Page<HandRecord>> {
        self.store.scan_hands(after, limit).await
    }

    async fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Answer<Page<(TokenHash, SessionRecord)>> {
        self.store.scan_sessions(after, limit).await
    }

    async fn forget_hands(&self, ended_before_ms: u64, limit: u32) -> Answer<u32> {
        self.store.forget_hands(ended_before_ms, limit).await
    }

    async fn put_beat(&self, beat: &NodeBeat) -> Answer<()> {
        self.store.put_beat(beat).await
    }

    async fn beats(&self) -> Answer<Vec<NodeBeat>> {
        self.store.beats().await
    }
}

#[cfg(test)]
mod tests;
