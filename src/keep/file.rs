//! The file of a backup: what is in it, and how it is read and written, one record after the other.
//!
//! ```text
//! magic     16 bytes, the last two of them the version
//! record    u32 length of kind and body, u8 kind, body, u32 CRC-32 (IEEE) of kind and body
//! …
//! end       a record of its own kind: how many records come before, and the SHA-256 of all bytes before it
//! ```
//!
//! Integers are big-endian. A shard's records come in the order of its log: the shard, then for each segment its beginning,
//! its rows and its end, then the shard's end. A file without its end, with bytes after it or with another hash is refused.
//! The keys of decks are never in it; decks are as they are in the store, sealed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use crate::ids::{Epoch, HandNo, PlayerId, ShardCount, ShardId, TableId};
use crate::store::{
    ChainHash, ClusterRecord, HandRecord, Row, Seal, SegmentKey, SegmentState, SerialDomain,
    SessionRecord, ShardRow, TokenHash, WriterToken,
};

/// One record of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The cluster's record. The first of all.
    Cluster(ClusterRecord),
    /// A shard begins.
    Shard(ShardId, ShardRow),
    /// A segment begins.
    Segment(SegmentKey, WriterToken),
    /// A row of it.
    Row(Row),
    /// The segment ends, sealed or, the last one, where it stood.
    SegmentEnd(SegmentState),
    /// The shard ends.
    ShardEnd,
    /// An archived hand.
    Hand(HandRecord),
    /// A session.
    Session(TokenHash, SessionRecord),
}

/// Why a file is no backup, or cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// There is a file of that name.
    #[error("{} is there already: name another file", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{} is not a backup of this server", path.display())]
    NotABackup {
        /// Which file.
        path: PathBuf,
    },
    /// A later release wrote it.
    #[error("{} is a backup of version {found}, this release reads version {VERSION}: use the newer release", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u16,
    },
    /// It has no end.
    #[error("the backup {} is cut short after {at} bytes: use another copy", path.display())]
    CutShort {
        /// Which file.
        path: PathBuf,
        /// Where it stops.
        at: u64,
    },
    /// It is not as it was written.
    #[error("the backup {} is damaged at byte {at}: {finding}; use another copy", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        at: u64,
        /// What was found.
        finding: &'static str,
    },
}

/// Writes a backup under a name of its own; only [`Writer::finish`] gives it the name that was asked for.
pub struct Writer {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    at: u64,
    records: u64,
    finished: bool,
}

/// A place in a file that is being written, to go back to.
#[derive(Clone)]
pub struct Mark {
    hash: Sha256,
    at: u64,
    records: u64,
}

impl Writer {
    /// Begins a file that does not exist yet. It is for its owner only: it holds names and the hashes of tokens.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        if path.exists() {
            let path = path.to_owned();
            return Err(FileError::Exists { path });
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(|cause| FileError::File {
            path: partial.clone(),
            cause,
        })?;
        let mut writer = Self {
            path: path.to_owned(),
            partial,
            file: BufWriter::with_capacity(BUFFER, file),
            hash: Sha256::new(),
            at: 0,
            records: 0,
            finished: false,
        };
        writer.put(&magic(VERSION))?;
        Ok(writer)
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    /// Adds a record.
    pub fn write(&mut self, entry: &Entry) -> Result<(), FileError> {
        let record = encode(entry);
        self.records += 1;
        self.record(&record)
    }

    /// Where it is now.
    pub fn mark(&self) -> Mark {
        Mark {
            hash: self.hash.clone(),
            at: self.at,
            records: self.records,
        }
    }

    /// Forgets what was written since the mark.
    pub fn rewind(&mut self, mark: &Mark) -> Result<(), FileError> {
        let back = |file: &mut BufWriter<File>| {
            file.flush()?;
            file.get_ref().set_len(mark.at)?;
            file.seek(SeekFrom::Start(mark.at)).map(drop)
        };
        back(&mut self.file).map_err(|cause| self.refused(cause))?;
        let Mark { hash, at, records } = mark.clone();
        (self.hash, self.at, self.records) = (hash, at, records);
        Ok(())
    }

    /// Writes the end, waits for the disk, and gives the file its name.
    pub fn finish(mut self) -> Result<u64, FileError> {
        let mut end = BytesMut::new();
        end.put_u8(END);
        end.put_u64(self.records);
        end.put_slice(&self.hash.clone().finalize());
        self.record(&end)?;
        let done = |file: &mut BufWriter<File>| {
            file.flush()?;
            file.get_ref().sync_all()
        };
        done(&mut self.file).map_err(|cause| self.refused(cause))?;
        std::fs::rename(&self.partial, &self.path).map_err(|cause| self.refused(cause))?;
        self.finished = true;
        // The name must survive a power loss as well.
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| self.refused(cause))?;
        Ok(self.at)
    }

    fn record(&mut self, record: &[u8]) -> Result<(), FileError> {
        let length = u32::try_from(record.len()).expect("a row is far below four gigabytes");
        self.put(&length.to_be_bytes())?;
        self.put(record)?;
        self.put(&crc32fast::hash(record).to_be_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all(bytes)
            .map_err(|cause| self.refused(cause))?;
        self.hash.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn refused(&self, cause: io::Error) -> FileError {
        let path = self.partial.clone();
        FileError::File { path, cause }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A backup that did not end is of no use to anybody.
        if !self.finished
            && let Err(error) = std::fs::remove_file(&self.partial)
        {
            tracing::debug!(%error, "the part of a backup was not removed");
        }
    }
}

/// Reads a backup from its beginning to its end.
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    hash: Sha256,
    at: u64,
    records: u64,
    ended: bool,
}

impl Reader {
    /// Opens a file, and refuses what is no backup.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(|cause| FileError::File {
            path: path.to_owned(),
            cause,
        })?;
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(BUFFER, file),
            hash: Sha256::new(),
            at: 0,
            records: 0,
            ended: false,
        };
        let path = || path.to_owned();
        let mut head = [0; MAGIC_BYTES];
        match reader.take(&mut head) {
            Ok(()) => {}
            Err(FileError::CutShort { .. }) => return Err(FileError::NotABackup { path: path() }),
            Err(error) => return Err(error),
        }
        let [.., high, low] = head;
        let found = u16::from_be_bytes([high, low]);
        if head != magic(found) {
            return Err(FileError::NotABackup { path: path() });
        }
        if found != VERSION {
            let path = path();
            return Err(FileError::Newer { path, found });
        }
        Ok(reader)
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    /// The next record; `None` once the end was read and is right.
    pub fn entry(&mut self) -> Result<Option<Entry>, FileError> {
        if self.ended {
            return Ok(None);
        }
        let begin = self.at;
        let before = self.hash.clone();
        let mut length = [0; 4];
        self.take(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(1..=RECORD_MAX).contains(&length) {
            return Err(self.damaged(begin, "a record's length cannot be"));
        }
        let mut record = vec![0; length];
        self.take(&mut record)?;
        let mut crc = [0; 4];
        self.take(&mut crc)?;
        if u32::from_be_bytes(crc) != crc32fast::hash(&record) {
            return Err(self.damaged(begin, "a record's checksum is wrong"));
        }
        if record[0] == END {
            self.end(begin, &record[1..], before)?;
            return Ok(None);
        }
        self.records += 1;
        match decode(Bytes::from(record)) {
            Some(entry) => Ok(Some(entry)),
            None => Err(self.damaged(begin, "a record does not read")),
        }
    }

    fn end(&mut self, begin: u64, mut body: &[u8], before: Sha256) -> Result<(), FileError> {
        let records = body.try_get_u64().ok();
        if records != Some(self.records) || *body != *before.finalize() {
            return Err(self.damaged(begin, "its end belongs to another backup"));
        }
        let mut more = [0];
        let read = self
            .file
            .read(&mut more)
            .map_err(|cause| self.refused(cause))?;
        if read != 0 {
            return Err(self.damaged(self.at, "something follows its end"));
        }
        self.ended = true;
        Ok(())
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        if let Err(cause) = self.file.read_exact(bytes) {
            if cause.kind() != io::ErrorKind::UnexpectedEof {
                return Err(self.refused(cause));
            }
            return Err(FileError::CutShort {
                path: self.path.clone(),
                at: self.at,
            });
        }
        self.hash.update(&bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// For what a record says that cannot follow from those before it.
    pub fn damaged(&self, at: u64, finding: &'static str) -> FileError {
        FileError::Damaged {
            path: self.path.clone(),
            at,
            finding,
        }
    }

    fn refused(&self, cause: io::Error) -> FileError {
        let path = self.path.clone();
        FileError::File { path, cause }
    }
}

fn magic(version: u16) -> [u8; MAGIC_BYTES] {
    let mut magic = *b"orp backup\r\n\x1a\n\0\0";
    magic[MAGIC_BYTES - 2..].copy_from_slice(&version.to_be_bytes());
    magic
}

fn encode(entry: &Entry) -> Bytes {
    let mut out = BytesMut::new();
    match entry {
        Entry::Cluster(record) => {
            out.put_u8(CLUSTER);
            out.put_u16(record.shards.value());
            out.put_u32(record.feature_level);
            if let SerialDomain::LocalSerial(data_centre) = &record.serial_domain {
                out.put_slice(data_centre.as_bytes());
            }
        }
        Entry::Shard(shard, row) => {
            out.put_u8(SHARD);
            out.put_u16(shard.0);
            out.put_u64(row.epoch.0);
            put_key(&mut out, row.tail);
            put_key(&mut out, row.low);
            out.put_slice(row.owner.as_bytes());
        }
        Entry::Segment(key, writer) => {
            out.put_u8(SEGMENT);
            put_key(&mut out, *key);
            out.put_slice(&writer.0);
        }
        Entry::Row(row) => {
            out.put_u8(ROW);
            out.put_u64(row.n);
            out.put_u32(row.crc);
            out.put_slice(&row.payload);
        }
        Entry::SegmentEnd(state) => {
            out.put_u8(SEGMENT_END);
            out.put_slice(&state.writer.0);
            out.put_u64(state.next_n);
            out.put_slice(&state.last_hash.0);
            if let Some(seal) = state.seal {
                out.put_slice(&seal.by.0);
                put_key(&mut out, seal.next);
            }
        }
        Entry::ShardEnd => out.put_u8(SHARD_END),
        Entry::Hand(hand) => {
            out.put_u8(HAND);
            out.put_slice(&hand.table.to_bytes());
            out.put_u64(hand.hand_no.0);
            out.put_u64(hand.ended_ms);
            out.put_u16(u16::try_from(hand.players.len()).expect("a table has at most ten seats"));
            hand.players
                .iter()
                .for_each(|player| out.put_slice(&player.to_bytes()));
            out.put_slice(&hand.body);
        }
        Entry::Session(token, session) => {
            out.put_u8(SESSION);
            out.put_slice(&token.0);
            out.put_slice(&session.player.to_bytes());
            out.put_u64(session.created_ms);
            out.put_slice(session.display_name.as_bytes());
        }
    }
    out.freeze()
}

fn put_key(out: &mut BytesMut, key: SegmentKey) {
    out.put_u64(key.epoch.0);
    out.put_u32(key.k);
}

/// `None` if no version of this code wrote these bytes.
fn decode(mut bytes: Bytes) -> Option<Entry> {
    let from = &mut bytes;
    let kind = from.try_get_u8().ok()?;
    let entry = match kind {
        CLUSTER => {
            let shards = ShardCount::new(from.try_get_u16().ok()?)?;
            let feature_level = from.try_get_u32().ok()?;
            let data_centre = text(from)?;
            Entry::Cluster(ClusterRecord {
                shards,
                feature_level,
                serial_domain: match data_centre.is_empty() {
                    true => SerialDomain::Serial,
                    false => SerialDomain::LocalSerial(data_centre),
                },
            })
        }
        SHARD => Entry::Shard(
            ShardId(from.try_get_u16().ok()?),
            ShardRow {
                epoch: Epoch(from.try_get_u64().ok()?),
                tail: key(from)?,
                low: key(from)?,
                owner: text(from)?,
            },
        ),
        SEGMENT => Entry::Segment(key(from)?, WriterToken(array(from)?)),
        ROW => Entry::Row(Row {
            n: from.try_get_u64().ok()?,
            crc: from.try_get_u32().ok()?,
            payload: std::mem::take(from),
        }),
        SEGMENT_END => Entry::SegmentEnd(SegmentState {
            writer: WriterToken(array(from)?),
            next_n: from.try_get_u64().ok()?,
            last_hash: ChainHash(array(from)?),
            seal: match from.is_empty() {
                true => None,
                false => Some(Seal {
                    by: WriterToken(array(from)?),
                    next: key(from)?,
                }),
            },
        }),
        SHARD_END => Entry::ShardEnd,
        HAND => {
            let table = TableId::from_bytes(array(from)?);
            let hand_no = HandNo(from.try_get_u64().ok()?);
            let ended_ms = from.try_get_u64().ok()?;
            let players = from.try_get_u16().ok()?;
            let players = (0..players).map(|_| Some(PlayerId::from_bytes(array(from)?)));
            Entry::Hand(HandRecord {
                table,
                hand_no,
                ended_ms,
                players: players.collect::<Option<_>>()?,
                body: std::mem::take(from),
            })
        }
        SESSION => {
            let (token, player) = (TokenHash(array(from)?), PlayerId::from_bytes(array(from)?));
            let created_ms = from.try_get_u64().ok()?;
            let display_name = text(from)?;
            Entry::Session(
                token,
                SessionRecord {
                    player,
                    display_name,
                    created_ms,
                },
            )
        }
        _ => return None,
    };
    bytes.is_empty().then_some(entry)
}

fn key(from: &mut Bytes) -> Option<SegmentKey> {
    Some(SegmentKey {
        epoch: Epoch(from.try_get_u64().ok()?),
        k: from.try_get_u32().ok()?,
    })
}

fn array<const N: usize>(from: &mut Bytes) -> Option<[u8; N]> {
    let mut array = [0; N];
    from.try_copy_to_slice(&mut array).ok()?;
    Some(array)
}

fn text(from: &mut Bytes) -> Option<String> {
    String::from_utf8(std::mem::take(from).into()).ok()
}

/// The version that this release writes and reads.
const VERSION: u16 = 1;
const MAGIC_BYTES: usize = 16;
const BUFFER: usize = 1 << 18;
/// Rows are at most four megabytes, hands a few thousand bytes.
const RECORD_MAX: usize = 32 << 20;

const CLUSTER: u8 = 1;
const SHARD: u8 = 2;
const SEGMENT: u8 = 3;
const ROW: u8 = 4;
const SEGMENT_END: u8 = 5;
const SHARD_END: u8 = 6;
const HAND: u8 = 7;
const SESSION: u8 = 8;
const END: u8 = 9;
