//! What a player asks of a server. Each call is repeated with the same request id until it is answered or the link's
//! patience is over.

use proto::v1::hand_service_client::HandServiceClient;
use proto::v1::table_service_client::TableServiceClient;
use proto::v1::{
    ActRequest, ActionKind, CreateTableRequest, ExportHandRequest, GetHandRequest, GetHandResponse,
    GetTableRequest, HandFormat, LeaveRequest, ListHandsRequest, ListHandsResponse,
    ListTablesRequest, ListTablesResponse, Position, RequestMark, RunTwiceRequest, Settings,
    SitInRequest, SitOutRequest, SitRequest, StraddleRequest, TableView, TopUpRequest,
};

use super::error::CallError;
use super::link::Reached;
use super::model::Move;
use super::session::Player;
use super::track::At;

/// A durable answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The place in the table's log after what was asked.
    pub at: At,
    /// How many attempts it took.
    pub attempts: u32,
}

/// The turn that a move is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForTurn {
    /// The hand.
    pub hand: u64,
    /// The turn in it.
    pub turn: u32,
}

/// Request ids of a player at one table: each is above the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestIds {
    last: u64,
}

impl RequestIds {
    /// The next id, at least `floor`. A client that starts again under an old name takes the time as floor, one that
    /// made its player itself takes 0.
    pub fn next(&mut self, floor: u64) -> u64 {
        self.last = self.last.saturating_add(1).max(floor);
        self.last
    }
}

/// One unary call with repeats; the message is made for each attempt, since its mark says whether it is the first.
macro_rules! ask {
    ($player:expr, $client:ident, $method:ident, |$first:ident| $message:expr) => {
        $player
            .link()
            .repeat(|channel, $first| {
                let request = $player.timed($message);
                async move {
                    $client::new(channel)
                        .max_decoding_message_size(ANSWER_BYTES_MAX)
                        .$method(request)
                        .await
                }
            })
            .await
    };
}

impl Player {
    /// Makes a table. The id is the caller's choice, a UUID, so that a repeat makes nothing twice.
    pub async fn create_table(
        &self,
        id: &str,
        name: &str,
        settings: &Settings,
    ) -> Result<String, CallError> {
        let reached = ask!(self, TableServiceClient, create_table, |_first| {
            CreateTableRequest {
                name: name.into(),
                settings: Some(settings.clone()),
                table_id: id.into(),
            }
        })?;
        Ok(reached.message.table_id)
    }

    /// A page of tables; an empty token is the first page.
    pub async fn tables(
        &self,
        page_token: &str,
        page_size: u32,
        open_seats: bool,
    ) -> Result<ListTablesResponse, CallError> {
        let reached = ask!(self, TableServiceClient, list_tables, |_first| {
            ListTablesRequest {
                page_size,
                page_token: page_token.into(),
                open_seats,
            }
        })?;
        Ok(reached.message)
    }

    /// The table as this player may see it now.
    pub async fn table(&self, table: &str) -> Result<(At, TableView), CallError> {
        let reached = ask!(self, TableServiceClient, get_table, |_first| {
            GetTableRequest {
                table_id: table.into(),
            }
        })?;
        let position = reached
            .message
            .position
            .ok_or(CallError::Malformed("a position"))?;
        let view = reached
            .message
            .view
            .ok_or(CallError::Malformed("the table"))?;
        Ok((At::from(&position), view))
    }

    /// Takes a seat, the first empty one if none is named. Gives its number.
    pub async fn sit(
        &self,
        table: &str,
        id: u64,
        seat: Option<u32>,
        buy_in: u64,
        post_now: bool,
    ) -> Result<(Answer, u32), CallError> {
        let reached = ask!(self, TableServiceClient, sit, |first| SitRequest {
            table_id: table.into(),
            mark: mark(id, first),
            seat,
            buy_in,
            post_now,
        })?;
        let seat = reached.message.seat;
        Ok((answer(&reached, reached.message.position.as_ref())?, seat))
    }

    /// Leaves, at once or after the hand.
    pub async fn leave(&self, table: &str, id: u64) -> Result<Answer, CallError> {
        let reached = ask!(self, TableServiceClient, leave, |first| LeaveRequest {
            table_id: table.into(),
            mark: mark(id, first),
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Brings chips, at once or after the hand.
    pub async fn top_up(&self, table: &str, id: u64, amount: u64) -> Result<Answer, CallError> {
        let reached = ask!(self, TableServiceClient, top_up, |first| TopUpRequest {
            table_id: table.into(),
            mark: mark(id, first),
            amount,
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Is not dealt in any more.
    pub async fn sit_out(&self, table: &str, id: u64) -> Result<Answer, CallError> {
        let reached = ask!(self, TableServiceClient, sit_out, |first| SitOutRequest {
            table_id: table.into(),
            mark: mark(id, first),
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Is dealt in again.
    pub async fn sit_in(&self, table: &str, id: u64, post_now: bool) -> Result<Answer, CallError> {
        let reached = ask!(self, TableServiceClient, sit_in, |first| SitInRequest {
            table_id: table.into(),
            mark: mark(id, first),
            post_now,
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Straddles where the rules let one, or stops it.
    pub async fn straddle(&self, table: &str, id: u64, on: bool) -> Result<Answer, CallError> {
        let reached = ask!(self, TableServiceClient, straddle, |first| {
            StraddleRequest {
                table_id: table.into(),
                mark: mark(id, first),
                on,
            }
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Answers whether the rest of the board is to be dealt twice.
    pub async fn run_twice(
        &self,
        table: &str,
        id: u64,
        turn: ForTurn,
        agree: bool,
    ) -> Result<Answer, CallError> {
        let reached = ask!(self, TableServiceClient, run_twice, |first| {
            RunTwiceRequest {
                table_id: table.into(),
                mark: mark(id, first),
                hand: turn.hand,
                turn: turn.turn,
                agree,
            }
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Acts. Done once durable.
    pub async fn act(
        &self,
        table: &str,
        id: u64,
        turn: ForTurn,
        what: Move,
    ) -> Result<Answer, CallError> {
        let (action, to) = match what {
            Move::Fold => (ActionKind::Fold, 0),
            Move::Check => (ActionKind::Check, 0),
            Move::Call => (ActionKind::Call, 0),
            Move::RaiseTo(to) => (ActionKind::RaiseTo, to),
        };
        let reached = ask!(self, TableServiceClient, act, |first| ActRequest {
            table_id: table.into(),
            mark: mark(id, first),
            hand: turn.hand,
            turn: turn.turn,
            action: action.into(),
            to,
        })?;
        answer(&reached, reached.message.position.as_ref())
    }

    /// Finished hands, newest first; an empty table means this player's own hands everywhere.
    pub async fn hands(
        &self,
        table: &str,
        page_token: &str,
        page_size: u32,
    ) -> Result<ListHandsResponse, CallError> {
        let reached = ask!(self, HandServiceClient, list_hands, |_first| {
            ListHandsRequest {
                table_id: table.into(),
                page_size,
                page_token: page_token.into(),
            }
        })?;
        Ok(reached.message)
    }

    /// A finished hand as this player may see it.
    pub async fn hand(&self, table: &str, hand: u64) -> Result<GetHandResponse, CallError> {
        let reached = ask!(self, HandServiceClient, get_hand, |_first| GetHandRequest {
            table_id: table.into(),
            hand
        })?;
        Ok(reached.message)
    }

    /// A finished hand as a text of this format.
    pub async fn export_hand(
        &self,
        table: &str,
        hand: u64,
        format: HandFormat,
    ) -> Result<String, CallError> {
        let reached = ask!(self, HandServiceClient, export_hand, |_first| {
            ExportHandRequest {
                table_id: table.into(),
                hand,
                format: format.into(),
            }
        })?;
        Ok(reached.message.text)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a message field of proto3 is an Option"
)]
fn mark(request_id: u64, first_attempt: bool) -> Option<RequestMark> {
    Some(RequestMark {
        request_id,
        first_attempt,
    })
}

fn answer<T>(reached: &Reached<T>, position: Option<&Position>) -> Result<Answer, CallError> {
    let position = position.ok_or(CallError::Malformed("a position"))?;
    Ok(Answer {
        at: At::from(position),
        attempts: reached.attempts,
    })
}

/// A page of 200 tables or a long hand fits; a broken server cannot fill the memory.
const ANSWER_BYTES_MAX: usize = 4 << 20;
