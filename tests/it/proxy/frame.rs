//! Frames of CQL's binary protocol, version 4: what a proxy has to know of them.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

pub const QUERY: u8 = 0x07;
pub const RESULT: u8 = 0x08;
pub const PREPARE: u8 = 0x09;
pub const EXECUTE: u8 = 0x0a;
pub const BATCH: u8 = 0x0d;

const COMPRESSED: u8 = 0x01;
const HEADER_BYTES: usize = 9;
/// Cassandra refuses larger ones.
const BODY_BYTES_MAX: usize = 256 << 20;

/// A request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub version: u8,
    pub flags: u8,
    /// Which of a connection's requests this is, or answers.
    pub stream: i16,
    pub opcode: u8,
    pub body: Bytes,
}

impl Frame {
    /// The next frame; `None` at the end.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER_BYTES];
        if let Err(error) = from.read_exact(&mut header).await {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                return Ok(None);
            }
            return Err(error);
        }
        let mut header = &header[..];
        let (version, flags) = (header.get_u8(), header.get_u8());
        let (stream, opcode) = (header.get_i16(), header.get_u8());
        let length = header.get_u32() as usize;
        if length > BODY_BYTES_MAX {
            return Err(io::Error::other(format!("a frame of {length} bytes")));
        }
        let mut body = BytesMut::zeroed(length);
        from.read_exact(&mut body).await?;
        Ok(Some(Self {
            version,
            flags,
            stream,
            opcode,
            body: body.freeze(),
        }))
    }

    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER_BYTES + self.body.len());
        out.put_u8(self.version);
        out.put_u8(self.flags);
        out.put_i16(self.stream);
        out.put_u8(self.opcode);
        out.put_u32(u32::try_from(self.body.len()).expect("it was read from as many bits"));
        out.put_slice(&self.body);
        out.freeze()
    }

    /// The same on another stream.
    pub fn on(&self, stream: i16) -> Self {
        Self {
            stream,
            ..self.clone()
        }
    }

    /// The text of a QUERY or a PREPARE.
    pub fn text(&self) -> Option<String> {
        let mut body = self.plain()?;
        let length = body.try_get_u32().ok()? as usize;
        let text = body.get(..length)?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// Which prepared statement an EXECUTE names.
    pub fn executed(&self) -> Option<&[u8]> {
        short_bytes(self.plain()?)
    }

    /// The name that a RESULT gives to a statement that was prepared.
    pub fn prepared(&self) -> Option<&[u8]> {
        const PREPARED: u32 = 4;
        let mut body = self.plain()?;
        (body.try_get_u32().ok()? == PREPARED).then(|| short_bytes(body))?
    }

    /// Whether this is the answer `[applied] = true` of a conditional statement: one row of one column of one byte.
    pub fn says_applied(&self) -> bool {
        const ROWS: u32 = 2;
        const ONE_TRUE: [u8; 9] = [0, 0, 0, 1, 0, 0, 0, 1, 1];
        let Some(mut body) = self.plain() else {
            return false;
        };
        let head = (body.try_get_u32(), body.try_get_u32(), body.try_get_u32());
        self.opcode == RESULT
            && matches!(head, (Ok(ROWS), Ok(_), Ok(1)))
            && body.ends_with(&ONE_TRUE)
    }

    /// The body, if it is not compressed.
    fn plain(&self) -> Option<&[u8]> {
        (self.flags & COMPRESSED == 0).then_some(&self.body[..])
    }
}

fn short_bytes(mut body: &[u8]) -> Option<&[u8]> {
    let length = usize::from(body.try_get_u16().ok()?);
    body.get(..length)
}
