//! The memory store's cells, and what each statement does to them: no time, no faults, no locks.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use crate::ids::{Epoch, HandNo, PlayerId, ShardId, TableId};
use crate::store::Cas;
use crate::store::records::{
    ClusterRecord, HandRecord, HandRef, Incarnation, NodeBeat, Page, ScanCursor, SessionRecord,
    ShardRow, TokenHash,
};
use crate::store::segment::{
    Append, ReadLimit, Row, Seal, SegmentChunk, SegmentId, SegmentKey, SegmentState, WriterToken,
};

#[derive(Clone, Default)]
pub(super) struct Cells {
    cluster: Option<ClusterRecord>,
    shards: BTreeMap<ShardId, ShardRow>,
    segments: BTreeMap<SegmentId, SegmentState>,
    rows: BTreeMap<(SegmentId, u64), Row>,
    hands: BTreeMap<(TableId, HandNo), HandRecord>,
    hands_of_players: BTreeMap<(PlayerId, HandRef), ()>,
    sessions: BTreeMap<TokenHash, SessionRecord>,
    beats: BTreeMap<(String, Incarnation), NodeBeat>,
}

impl Cells {
    pub(super) fn cluster(&self) -> Option<ClusterRecord> {
        self.cluster.clone()
    }

    pub(super) fn create_cluster(&mut self, record: ClusterRecord) -> Cas<ClusterRecord> {
        if let Some(current) = &self.cluster {
            return Cas::NotApplied(current.clone());
        }
        self.cluster = Some(record);
        Cas::Applied
    }

    pub(super) fn raise_feature_level(&mut self, from: u32, to: u32) -> Cas<Option<ClusterRecord>> {
        match &mut self.cluster {
            Some(record) if record.feature_level == from => {
                record.feature_level = to;
                Cas::Applied
            }
            current => Cas::NotApplied(current.clone()),
        }
    }

    pub(super) fn shard(&self, shard: ShardId) -> Option<ShardRow> {
        self.shards.get(&shard).cloned()
    }

    pub(super) fn win_epoch(
        &mut self,
        shard: ShardId,
        from: Option<Epoch>,
        to: Epoch,
        owner: String,
    ) -> Cas<Option<ShardRow>> {
        let current = self.shards.get(&shard);
        if current.map(|row| row.epoch) != from {
            return Cas::NotApplied(current.cloned());
        }
        let (tail, low) = current.map_or((SegmentKey::ROOT, SegmentKey::ROOT), |row| {
            (row.tail, row.low)
        });
        self.shards.insert(
            shard,
            ShardRow {
                epoch: to,
                owner,
                tail,
                low,
            },
        );
        Cas::Applied
    }

    pub(super) fn set_tail(
        &mut self,
        shard: ShardId,
        epoch: Epoch,
        tail: SegmentKey,
    ) -> Cas<Option<ShardRow>> {
        match self.shards.get_mut(&shard) {
            Some(row) if row.epoch == epoch => {
                row.tail = tail;
                Cas::Applied
            }
            current => Cas::NotApplied(current.cloned()),
        }
    }

    pub(super) fn advance_low(
        &mut self,
        shard: ShardId,
        from: SegmentKey,
        to: SegmentKey,
    ) -> Cas<Option<ShardRow>> {
        match self.shards.get_mut(&shard) {
            Some(row) if row.low == from => {
                row.low = to;
                Cas::Applied
            }
            current => Cas::NotApplied(current.cloned()),
        }
    }

    pub(super) fn create_segment(
        &mut self,
        segment: SegmentId,
        writer: WriterToken,
    ) -> Cas<SegmentState> {
        if let Some(current) = self.segments.get(&segment) {
            return Cas::NotApplied(*current);
        }
        self.segments
            .insert(segment, SegmentState::created_by(writer));
        Cas::Applied
    }

    pub(super) fn append(&mut self, append: Append) -> Cas<Option<SegmentState>> {
        match self.segments.get_mut(&append.segment) {
            Some(state)
                if state.writer == append.writer
                    && state.seal.is_none()
                    && state.next_n == append.row.n
                    && state.last_hash == append.expected_hash =>
            {
                state.next_n += 1;
                state.last_hash = append.new_hash;
                self.rows.insert((append.segment, append.row.n), append.row);
                Cas::Applied
            }
            current => Cas::NotApplied(current.copied()),
        }
    }

    /// An append as a store without conditions would do it.
    pub(super) fn append_unconditionally(&mut self, append: Append) -> Cas<Option<SegmentState>> {
        let Some(state) = self.segments.get_mut(&append.segment) else {
            return Cas::NotApplied(None);
        };
        state.next_n = append.row.n + 1;
        state.last_hash = append.new_hash;
        self.rows.insert((append.segment, append.row.n), append.row);
        Cas::Applied
    }

    pub(super) fn seal(&mut self, segment: SegmentId, seal: Seal) -> Cas<Option<SegmentState>> {
        match self.segments.get_mut(&segment) {
            Some(state) if state.seal.is_none() => {
                state.seal = Some(seal);
                Cas::Applied
            }
            current => Cas::NotApplied(current.copied()),
        }
    }

    pub(super) fn segment(&self, segment: SegmentId) -> Option<SegmentState> {
        self.segments.get(&segment).copied()
    }

    pub(super) fn read_rows(
        &self,
        segment: SegmentId,
        from: u64,
        limit: ReadLimit,
    ) -> Option<SegmentChunk> {
        let state = self.segment(segment)?;
        let mut rows = Vec::new();
        let mut bytes = 0_u64;
        for row in self
            .rows
            .range((segment, from)..=(segment, u64::MAX))
            .map(|(_, row)| row)
        {
            bytes += row.payload.len() as u64;
            rows.push(row.clone());
            if rows.len() as u64 >= u64::from(limit.rows) || bytes >= limit.bytes {
                break;
            }
        }
        Some(SegmentChunk { state, rows })
    }

    pub(super) fn delete_rows(&mut self, segment: SegmentId) {
        self.rows.retain(|(of, _), _| *of != segment);
    }

    pub(super) fn archive_hands(&mut self, hands: Vec<HandRecord>) {
        for hand in hands {
            for player in &hand.players {
                self.hands_of_players.insert((*player, hand.name()), ());
            }
            self.hands.entry((hand.table, hand.hand_no)).or_insert(hand);
        }
    }

    pub(super) fn hand(&self, table: TableId, hand_no: HandNo) -> Option<HandRecord> {
        self.hands.get(&(table, hand_no)).cloned()
    }

    pub(super) fn hands_of_table(
        &self,
        table: TableId,
        before: Option<HandNo>,
        limit: u32,
    ) -> Vec<HandRef> {
        let hands = self
            .hands
            .range((table, HandNo(0))..=(table, HandNo(u64::MAX)))
            .rev();
        let older = hands.filter(|((_, no), _)| before.is_none_or(|before| *no < before));
        older
            .map(|(_, hand)| hand.name())
            .take(limit as usize)
            .collect()
    }

    pub(super) fn hands_of_player(
        &self,
        player: PlayerId,
        before: Option<HandRef>,
        limit: u32,
    ) -> Vec<HandRef> {
        let hands = self
            .hands_of_players
            .keys()
            .rev()
            .filter(|(of, _)| *of == player)
            .map(|(_, hand)| *hand);
        hands
            .filter(|hand| before.is_none_or(|before| *hand < before))
            .take(limit as usize)
            .collect()
    }

    pub(super) fn put_session(&mut self, token: TokenHash, session: SessionRecord) {
        self.sessions.insert(token, session);
    }

    pub(super) fn session(&self, token: TokenHash) -> Option<SessionRecord> {
        self.sessions.get(&token).cloned()
    }

    pub(super) fn scan_hands(&self, after: Option<&ScanCursor>, limit: u32) -> Page<HandRecord> {
        let after = after.and_then(|cursor| {
            let (table, hand_no) = cursor.0.split_first_chunk()?;
            let hand_no = HandNo(u64::from_be_bytes(hand_no.try_into().ok()?));
            Some((TableId::from_bytes(*table), hand_no))
        });
        let rest = (
            after.map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        );
        page(self.hands.range(rest), limit, |(table, hand_no), hand| {
            let name = [&table.to_bytes()[..], &hand_no.0.to_be_bytes()].concat();
            (name, hand.clone())
        })
    }

    pub(super) fn scan_sessions(
        &self,
        after: Option<&ScanCursor>,
        limit: u32,
    ) -> Page<(TokenHash, SessionRecord)> {
        let after = after.and_then(|cursor| Some(TokenHash(cursor.0[..].try_into().ok()?)));
        let rest = (
            after.map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        );
        page(self.sessions.range(rest), limit, |token, session| {
            (token.0.to_vec(), (*token, session.clone()))
        })
    }

    pub(super) fn forget_hands(&mut self, ended_before_ms: u64, limit: u32) -> u32 {
        let old = self
            .hands
            .values()
            .filter(|hand| hand.ended_ms < ended_before_ms);
        let old: Vec<HandRecord> = old.take(limit as usize).cloned().collect();
        for hand in &old {
            self.hands.remove(&(hand.table, hand.hand_no));
            for player in &hand.players {
                self.hands_of_players.remove(&(*player, hand.name()));
            }
        }
        old.len() as u32
    }

    pub(super) fn put_beat(&mut self, beat: NodeBeat) {
        let life = (beat.node.clone(), beat.incarnation);
        let last = self.beats.entry(life).or_insert_with(|| beat.clone());
        if last.beat < beat.beat {
            *last = beat;
        }
    }

    pub(super) fn beats(&self) -> Vec<NodeBeat> {
        self.beats.values().cloned().collect()
    }

    /// Everything that holds bytes or text, by name.
    pub(super) fn raw(&self) -> Vec<(String, Vec<u8>)> {
        let shards = self
            .shards
            .iter()
            .map(|(id, row)| (format!("shards {id} owner"), row.owner.clone().into_bytes()));
        let rows = self
            .rows
            .iter()
            .map(|((segment, n), row)| (format!("shard_log {segment} {n}"), row.payload.to_vec()));
        let hands = self.hands.values().map(|hand| {
            (
                format!("hands {} {}", hand.table, hand.hand_no),
                hand.body.to_vec(),
            )
        });
        let sessions = self.sessions.iter().flat_map(|(token, session)| {
            let player = session.player;
            [
                (format!("sessions {player} token hash"), token.0.to_vec()),
                (
                    format!("sessions {player} name"),
                    session.display_name.clone().into_bytes(),
                ),
            ]
        });
        shards.chain(rows).chain(hands).chain(sessions).collect()
    }

    /// Overwrites a row as no statement could: for tests of what readers do about it.
    pub(super) fn damage(
        &mut self,
        segment: SegmentId,
        n: u64,
        damage: impl FnOnce(Option<Row>) -> Option<Row>,
    ) {
        if let Some(row) = damage(self.rows.remove(&(segment, n))) {
            self.rows.insert((segment, n), row);
        }
    }

    /// Overwrites a segment's static part, as no statement could.
    pub(super) fn damage_segment(
        &mut self,
        segment: SegmentId,
        damage: impl FnOnce(Option<SegmentState>) -> Option<SegmentState>,
    ) {
        if let Some(state) = damage(self.segments.remove(&segment)) {
            self.segments.insert(segment, state);
        }
    }
}

/// At most `limit` of these, and the name of the last one if there are more.
fn page<K, V, T>(
    all: impl Iterator<Item = (K, V)>,
    limit: u32,
    item: impl Fn(K, V) -> (Vec<u8>, T),
) -> Page<T> {
    let mut all = all.peekable();
    let (mut items, mut last) = (Vec::new(), None);
    while items.len() < limit as usize
        && let Some((key, value)) = all.next()
    {
        let (name, value) = item(key, value);
        items.push(value);
        last = Some(ScanCursor(Bytes::from(name)));
    }
    Page {
        items,
        next: last.filter(|_| all.peek().is_some()),
    }
}
