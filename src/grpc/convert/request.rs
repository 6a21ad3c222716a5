//! What clients ask: ids, request marks, orders, pages.

use std::{str::FromStr, sync::Arc};

use engine::{Action, HandNo, Name, SeatNo, Turn};
use proto::v1;

use crate::{
    grpc::status::Invalid,
    ids::{Seq, ShardCount, ShardId, TableId},
    table::{
        Standing,
        request::{Order, Position},
    },
};

/// A request id with what is known of earlier attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Rises with each new request of this player at this table.
    pub id: u64,
    /// False when an earlier attempt may have arrived.
    pub first_attempt: bool,
}

/// A table's id.
pub fn table_id(field: &'static str, text: &str) -> Result<TableId, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(
            field,
            "MissingTableId",
            "send the table's id, a UUID",
        ));
    }
    TableId::from_str(text).map_err(|cause| {
        Invalid::new(
            field,
            "BadTableId",
            format!("a table's id is a UUID: {cause}"),
        )
    })
}

/// A table's name.
pub fn table_name(text: &str) -> Result<Arc<str>, Invalid> {
    let name = text.trim();
    let fits = (1..=TABLE_NAME_BYTES_MAX).contains(&name.len());
    if fits && !name.chars().any(char::is_control) {
        return Ok(name.into());
    }
    let problem =
        format!("a table's name has 1 to {TABLE_NAME_BYTES_MAX} bytes and no control characters");
    Err(Invalid::new("name", "BadTableName", problem))
}

/// The mark that every changing call carries.
pub fn mark(mark: Option<v1::RequestMark>) -> Result<Mark, Invalid> {
    let Some(v1::RequestMark {
        request_id,
        first_attempt,
    }) = mark
    else {
        return Err(Invalid::new(
            "mark",
            "MissingMark",
            "send a request mark; its id rises with each new request",
        ));
    };
    if request_id == 0 {
        return Err(Invalid::new(
            "mark.request_id",
            "BadRequestId",
            "request ids begin at 1",
        ));
    }
    Ok(Mark {
        id: request_id,
        first_attempt,
    })
}

/// A seat to sit down in. Whether the table has it, the rules say.
pub fn seat(seat: u32) -> Result<SeatNo, Invalid> {
    let no = u8::try_from(seat).map_err(|cause| {
        Invalid::new(
            "seat",
            "BadSeat",
            format!("seats are counted from 0 and a table has 10 at most: {cause}"),
        )
    })?;
    Ok(SeatNo(no))
}

/// What to sit down with.
pub fn sit(request: &v1::SitRequest, name: &Name) -> Result<Order, Invalid> {
    Ok(Order::Sit {
        seat: request.seat.map(seat).transpose()?,
        name: name.as_str().into(),
        buy_in: request.buy_in,
        post_now: request.post_now,
    })
}

/// What to do at one's turn. An amount where none belongs is refused: nobody can tell what was meant.
pub fn act(request: &v1::ActRequest) -> Result<Order, Invalid> {
    let kind = v1::ActionKind::try_from(request.action).map_err(|cause| {
        Invalid::new(
            "action",
            "BadAction",
            format!("FOLD, CHECK, CALL or RAISE_TO: {cause}"),
        )
    })?;
    let action = match kind {
        v1::ActionKind::Fold => Action::Fold,
        v1::ActionKind::Check => Action::Check,
        v1::ActionKind::Call => Action::Call,
        v1::ActionKind::RaiseTo => Action::RaiseTo { to: request.to },
        v1::ActionKind::Unspecified => {
            return Err(Invalid::new(
                "action",
                "MissingAction",
                "FOLD, CHECK, CALL or RAISE_TO",
            ));
        }
    };
    if kind != v1::ActionKind::RaiseTo && request.to != 0 {
        return Err(Invalid::new(
            "to",
            "AmountWithoutRaise",
            "only RAISE_TO has an amount; leave it 0",
        ));
    }
    Ok(Order::Act {
        hand: HandNo(request.hand),
        turn: Turn(request.turn),
        action,
    })
}

/// A hand's number.
pub fn hand(hand: u64) -> Result<HandNo, Invalid> {
    if hand == 0 {
        return Err(Invalid::new(
            "hand",
            "MissingHand",
            "send the hand's number; a table's first hand is 1",
        ));
    }
    Ok(HandNo(hand))
}

/// The format to export a hand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML that solvers and PokerKit read.
    Phh,
    /// JSON that trackers read.
    Ohh,
}

/// The format to export a hand in.
pub fn format(format: i32) -> Result<Format, Invalid> {
    match v1::HandFormat::try_from(format) {
        Ok(v1::HandFormat::Phh) => Ok(Format::Phh),
        Ok(v1::HandFormat::Ohh) => Ok(Format::Ohh),
        Ok(v1::HandFormat::Unspecified) | Err(_) => Err(Invalid::new(
            "format",
            "BadFormat",
            "HAND_FORMAT_PHH and HAND_FORMAT_OHH are the formats there are",
        )),
    }
}

/// A table to watch, and the event to go on after.
pub fn watch(
    field: &'static str,
    table: &v1::WatchTable,
) -> Result<(TableId, Option<Seq>), Invalid> {
    Ok((
        table_id(field, &table.table_id)?,
        table.after_sequence.map(Seq),
    ))
}

/// How many lines of a list to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// When the caller does not say.
    pub usual: u32,
    /// At most.
    pub most: u32,
}

impl Pages {
    /// The size of a page; more than the most is the most, as lists of Google's APIs have it.
    pub fn size(self, asked: u32) -> u32 {
        if asked == 0 {
            self.usual
        } else {
            asked.min(self.most)
        }
    }
}

/// Where a list of tables goes on.
pub fn after_table(token: &str) -> Result<Option<TableId>, Invalid> {
    if token.is_empty() {
        return Ok(None);
    }
    TableId::from_str(token).map(Some).map_err(|cause| {
        Invalid::new(
            "page_token",
            "BadPageToken",
            format!("send next_page_token of the page before: {cause}"),
        )
    })
}

/// Where a list of tables by shard and id goes on: at this shard, after this table.
pub fn after_in_shard(token: &str) -> Result<(ShardId, Option<TableId>), Invalid> {
    if token.is_empty() {
        return Ok((ShardId(0), None));
    }
    let parsed = token.split_once('/').and_then(|(shard, table)| {
        let after = match table {
            "" => None,
            table => Some(table.parse().ok()?),
        };
        Some((ShardId(shard.parse().ok()?), after))
    });
    let problem = "send next_page_token of the page before";
    parsed.ok_or_else(|| Invalid::new("page_token", "BadPageToken", problem))
}

/// The token that [`after_in_shard`] reads.
pub fn in_shard((shard, after): (ShardId, Option<TableId>)) -> String {
    let after = after.map_or_else(String::new, |table| table.to_string());
    format!("{}/{after}", shard.0)
}

/// A shard of this cluster.
pub fn shard(shard: u32, count: ShardCount) -> Result<ShardId, Invalid> {
    let id = u16::try_from(shard).ok().map(ShardId);
    id.filter(|id| id.0 < count.value()).ok_or_else(|| {
        let problem = format!("there are {count} shards, counted from 0");
        Invalid::new("shard", "BadShard", problem)
    })
}

/// How the tables of a list have to be.
pub fn standing(state: &str, parked_only: bool) -> Result<Option<Standing>, Invalid> {
    match state {
        "" => Ok(parked_only.then_some(Standing::Parked)),
        state => Standing::from_str(state)
            .map(Some)
            .map_err(|bad| Invalid::new("state", "BadState", bad.to_string())),
    }
}

/// Where in a table's log an answer stands.
pub fn position(position: Position) -> v1::Position {
    v1::Position {
        epoch: position.epoch.0,
        sequence: position.seq.0,
    }
}

/// Long enough for a sentence, short enough for a list.
const TABLE_NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests;
