//! `HandService`: finished hands out of the archive.
//!
//! Any player may read what was public at any table; own cards go to whose they were.

use std::sync::Arc;

use engine::HandNo;
use proto::v1::{self, hand_service_server::HandService};
use tonic::{Code, Request, Response, Status};

use super::{
    auth,
    convert::{
        hand::{self as convert, Cursor},
        request::{self, Pages},
    },
    status,
};
use crate::{
    ids::TableId,
    store::{HandRef, Store},
    table::{codec, seal::Keyring, state::FinishedHand},
};

/// The archive of hands.
pub struct HandApi {
    /// Where it is.
    pub store: Arc<dyn Store>,
    /// What the decks in it are sealed with.
    pub keys: Keyring,
}

impl HandApi {
    async fn find(&self, table: TableId, hand: HandNo) -> Result<FinishedHand, Status> {
        let record = self
            .store
            .hand(table, hand)
            .await
            .map_err(|error| status::store(&error))?;
        let record = record.ok_or_else(|| {
            status::answer(
                Code::NotFound,
                "NoSuchHand",
                format!("there is no finished hand {hand} of table {table}"),
            )
        })?;
        codec::decode_hand(&record.body, &self.keys)
            .map_err(|error| status::internal("HandUnreadable", &error))
    }

    async fn named(&self, table_id: &str, hand: u64) -> Result<FinishedHand, Status> {
        self.find(
            request::table_id("table_id", table_id)?,
            request::hand(hand)?,
        )
        .await
    }
}

#[tonic::async_trait]
impl HandService for HandApi {
    async fn list_hands(
        &self,
        request: Request<v1::ListHandsRequest>,
    ) -> Result<Response<v1::ListHandsResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let cursor = Cursor::parse(&request.page_token)?.map(|Cursor(before)| before);
        let limit = HANDS_PAGE.size(request.page_size);
        let found: Vec<HandRef> = if request.table_id.is_empty() {
            self.store
                .hands_of_player(caller.player, cursor, limit)
                .await
        } else {
            let table = request::table_id("table_id", &request.table_id)?;
            self.store
                .hands_of_table(table, cursor.map(|before| before.hand_no), limit)
                .await
        }
        .map_err(|error| status::store(&error))?;
        let next_page_token = match found.last() {
            Some(last) if found.len() >= limit as usize => Cursor(*last).token(),
            Some(_) | None => String::new(),
        };
        let mut hands = Vec::with_capacity(found.len());
        for HandRef { table, hand_no, .. } in found {
            hands.push(convert::summary(&self.find(table, hand_no).await?));
        }
        Ok(Response::new(v1::ListHandsResponse {
            hands,
            next_page_token,
        }))
    }

    async fn get_hand(
        &self,
        request: Request<v1::GetHandRequest>,
    ) -> Result<Response<v1::GetHandResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let hand = self.named(&request.table_id, request.hand).await?;
        Ok(Response::new(convert::whole(&hand, caller.player)))
    }

    async fn export_hand(
        &self,
        request: Request<v1::ExportHandRequest>,
    ) -> Result<Response<v1::ExportHandResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let format = request::format(request.format)?;
        let hand = self.named(&request.table_id, request.hand).await?;
        let text = convert::export(&hand, caller.player, format).map_err(|error| {
            status::answer(Code::FailedPrecondition, "NotExportable", error.to_string())
        })?;
        Ok(Response::new(v1::ExportHandResponse { text }))
    }
}

/// Each line is a read of the archive.
const HANDS_PAGE: Pages = Pages {
    usual: 50,
    most: 200,
};
