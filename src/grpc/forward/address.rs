//! Which table a request is for, and its mark. Pure: bytes in, bytes out.

use bytes::{Bytes, BytesMut};
use prost::Message;
use proto::Rpc;

use crate::ids::TableId;

/// How a call names its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressed {
    table: Field,
    /// Whether it carries a request mark, in field 2.
    marked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    First,
    Third,
}

impl Addressed {
    /// `None` for calls that are not for one table.
    pub const fn of(rpc: Rpc) -> Option<Self> {
        let (table, marked) = match rpc {
            Rpc::GetTable => (Field::First, false),
            Rpc::CreateTable => (Field::Third, false),
            Rpc::Sit
            | Rpc::Leave
            | Rpc::TopUp
            | Rpc::SitOut
            | Rpc::SitIn
            | Rpc::Straddle
            | Rpc::RunTwice
            | Rpc::Act => (Field::First, true),
            // Watches are forwarded frame by frame; lists are gathered; hands and sessions are in the store, which is one
            // for all; operators talk to the node that they mean.
            Rpc::ListTables
            | Rpc::WatchSession
            | Rpc::Subscribe
            | Rpc::Unsubscribe
            | Rpc::CreateGuest
            | Rpc::GetSession
            | Rpc::ListHands
            | Rpc::GetHand
            | Rpc::ExportHand
            | Rpc::ListAdminTables
            | Rpc::ResumeTable
            | Rpc::VoidHand
            | Rpc::GetTree
            | Rpc::GetTotals
            | Rpc::GetCluster
            | Rpc::DrainNode => return None,
        };
        Some(Self { table, marked })
    }

    /// The table, if the bytes are one uncompressed message that names one.
    pub fn table(self, body: &[u8]) -> Option<TableId> {
        let (header, message) = body.split_at_checked(FRAME_HEADER)?;
        let (flag, length) = header.split_first()?;
        let length = u32::from_be_bytes(length.try_into().ok()?);
        if *flag != 0 || usize::try_from(length).ok()? != message.len() {
            return None;
        }
        let table = match self.table {
            Field::First => First::decode(message).ok()?.table_id,
            Field::Third => Third::decode(message).ok()?.table_id,
        };
        table.parse().ok()
    }

    /// The same request, marked as no first attempt: it may have been done.
    ///
    /// In proto3 a later occurrence of a message field is merged into the earlier one, field by field. So the mark keeps its
    /// request id, and what is added is only `first_attempt: false`.
    pub fn sent_before(self, body: &Bytes) -> Bytes {
        if !self.marked || body.ends_with(&NOT_FIRST) || body.len() < FRAME_HEADER {
            return body.clone();
        }
        let message = &body[FRAME_HEADER..];
        let Ok(length) = u32::try_from(message.len() + NOT_FIRST.len()) else {
            return body.clone();
        };
        let mut again = BytesMut::with_capacity(body.len() + NOT_FIRST.len());
        again.extend_from_slice(&[0]);
        again.extend_from_slice(&length.to_be_bytes());
        again.extend_from_slice(message);
        again.extend_from_slice(&NOT_FIRST);
        again.freeze()
    }
}

#[derive(Clone, PartialEq, Message)]
struct First {
    #[prost(string, tag = "1")]
    table_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct Third {
    #[prost(string, tag = "3")]
    table_id: String,
}

/// A gRPC message comes after a flag and its length.
pub const FRAME_HEADER: usize = 5;
/// Field 2, a message of two bytes: its field 2, `false`.
const NOT_FIRST: [u8; 4] = [0x12, 0x02, 0x10, 0x00];

#[cfg(test)]
mod tests {
    use proto::v1;

    use super::*;

    const TABLE: &str = "01900000-0000-7000-8000-000000000001";

    fn framed(message: &impl Message) -> Bytes {
        let bytes = message.encode_to_vec();
        let length = u32::try_from(bytes.len()).expect("short");
        let mut body = vec![0];
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(&bytes);
        body.into()
    }

    fn act() -> v1::ActRequest {
        v1::ActRequest {
            table_id: TABLE.into(),
            mark: Some(v1::RequestMark {
                request_id: 77,
                first_attempt: true,
            }),
            hand: 3,
            turn: 4,
            action: 2,
            to: 500,
        }
    }

    #[test]
    fn the_table_is_found_where_each_call_has_it() {
        let check = |rpc, body: &Bytes, expected: Option<&str>| {
            let addressed = Addressed::of(rpc).expect("for a table");
            let found = addressed.table(body).map(|table| table.to_string());
            assert_eq!(found.as_deref(), expected, "{rpc:?}");
        };
        check(Rpc::Act, &framed(&act()), Some(TABLE));
        let create = v1::CreateTableRequest {
            name: "01900000-0000-7000-8000-00000000ffff".into(),
            settings: None,
            table_id: TABLE.into(),
        };
        check(Rpc::CreateTable, &framed(&create), Some(TABLE));
        let get = v1::GetTableRequest {
            table_id: "no table".into(),
        };
        check(Rpc::GetTable, &framed(&get), None);
        check(Rpc::GetTable, &Bytes::new(), None);
        check(Rpc::GetTable, &framed(&act()).slice(..9), None);
        assert_eq!(Addressed::of(Rpc::WatchSession), None);
    }

    #[test]
    fn a_repeat_keeps_everything_but_the_first_attempt() {
        let addressed = Addressed::of(Rpc::Act).expect("for a table");
        let again = addressed.sent_before(&framed(&act()));
        assert!(addressed.table(&again).is_some(), "its length is right");
        let read = v1::ActRequest::decode(&again[FRAME_HEADER..]).expect("it reads");
        let mut expected = act();
        expected.mark = Some(v1::RequestMark {
            request_id: 77,
            first_attempt: false,
        });
        assert_eq!(read, expected);
        assert_eq!(addressed.sent_before(&again), again, "once is enough");
    }
}
