//! `TableService`.

use std::sync::Arc;

use engine::{Turn, Viewer};
use proto::v1::{self, table_service_server::TableService};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{
    auth,
    convert::{
        request::{self, Pages},
        settings, view,
    },
    forward::Ways,
    status,
};
use crate::{
    accounts::Session,
    table::{
        NewTable, Tables,
        request::{Done, Order, Request as TableRequest},
    },
};

/// Tables and what is done at them.
pub struct TableApi {
    /// The tables.
    pub tables: Tables,
    /// Where tables of other nodes are; `None` for calls of other nodes.
    pub ways: Option<Ways>,
}

impl TableApi {
    async fn order(
        &self,
        caller: &Session,
        table_id: &str,
        mark: Option<v1::RequestMark>,
        order: Order,
    ) -> Result<Done, Status> {
        let received = Instant::now();
        let table = request::table_id("table_id", table_id)?;
        let mark = request::mark(mark)?;
        let request = TableRequest {
            player: caller.player,
            id: mark.id,
            first_attempt: mark.first_attempt,
            order,
            received,
        };
        self.tables.call(table, request).await.map_err(status::call)
    }
}

#[tonic::async_trait]
impl TableService for TableApi {
    async fn create_table(
        &self,
        request: Request<v1::CreateTableRequest>,
    ) -> Result<Response<v1::CreateTableResponse>, Status> {
        let request = request.into_inner();
        let table = request::table_id("table_id", &request.table_id)?;
        let name = request::table_name(&request.name)?;
        let settings = Arc::new(settings::parse(request.settings)?);
        self.tables
            .create(NewTable {
                table,
                name,
                settings,
            })
            .await
            .map_err(status::call)?;
        Ok(Response::new(v1::CreateTableResponse {
            table_id: table.to_string(),
        }))
    }

    async fn list_tables(
        &self,
        request: Request<v1::ListTablesRequest>,
    ) -> Result<Response<v1::ListTablesResponse>, Status> {
        let proof = request.metadata().get("authorization").cloned();
        let request = request.into_inner();
        let after = request::after_table(&request.page_token)?;
        let size = TABLES_PAGE.size(request.page_size) as usize;
        let found = self.tables.list(after, size, request.open_seats);
        let found = found.await.map_err(status::call)?;
        let mut tables: Vec<v1::TableSummary> = found.iter().map(view::summary).collect();
        if let Some(ways) = &self.ways {
            tables.extend(ways.tables_of_others(&request, proof).await?);
            // As text an id has the order that it has as a number.
            tables.sort_by(|a, b| a.table_id.cmp(&b.table_id));
            tables.dedup_by(|a, b| a.table_id == b.table_id);
            tables.truncate(size);
        }
        let next_page_token = match tables.last() {
            Some(last) if tables.len() >= size => last.table_id.clone(),
            Some(_) | None => String::new(),
        };
        Ok(Response::new(v1::ListTablesResponse {
            tables,
            next_page_token,
        }))
    }

    async fn get_table(
        &self,
        request: Request<v1::GetTableRequest>,
    ) -> Result<Response<v1::GetTableResponse>, Status> {
        let caller = auth::caller(&request)?;
        let table = request::table_id("table_id", &request.get_ref().table_id)?;
        let seen = self
            .tables
            .view(table, Viewer::Player(caller.player))
            .await
            .map_err(status::call)?;
        let position = Some(request::position(seen.position));
        Ok(Response::new(v1::GetTableResponse {
            position,
            view: Some(view::table(&seen)),
        }))
    }

    async fn sit(
        &self,
        request: Request<v1::SitRequest>,
    ) -> Result<Response<v1::SitResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let order = request::sit(&request, &caller.name)?;
        let done = self
            .order(&caller, &request.table_id, request.mark, order)
            .await?;
        // A repeat that comes after the player left again has no seat to name.
        let seat = done.seat.ok_or_else(status::seat_left)?;
        Ok(Response::new(v1::SitResponse {
            position: Some(request::position(done.position)),
            seat: seat.0.into(),
        }))
    }

    async fn leave(
        &self,
        request: Request<v1::LeaveRequest>,
    ) -> Result<Response<v1::LeaveResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let done = self
            .order(&caller, &request.table_id, request.mark, Order::Leave)
            .await?;
        Ok(Response::new(v1::LeaveResponse {
            position: Some(request::position(done.position)),
        }))
    }

    async fn top_up(
        &self,
        request: Request<v1::TopUpRequest>,
    ) -> Result<Response<v1::TopUpResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let order = Order::TopUp {
            amount: request.amount,
        };
        let done = self
            .order(&caller, &request.table_id, request.mark, order)
            .await?;
        Ok(Response::new(v1::TopUpResponse {
            position: Some(request::position(done.position)),
        }))
    }

    async fn sit_out(
        &self,
        request: Request<v1::SitOutRequest>,
    ) -> Result<Response<v1::SitOutResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let done = self
            .order(&caller, &request.table_id, request.mark, Order::SitOut)
            .await?;
        Ok(Response::new(v1::SitOutResponse {
            position: Some(request::position(done.position)),
        }))
    }

    async fn sit_in(
        &self,
        request: Request<v1::SitInRequest>,
    ) -> Result<Response<v1::SitInResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let order = Order::SitIn {
            post_now: request.post_now,
        };
        let done = self
            .order(&caller, &request.table_id, request.mark, order)
            .await?;
        Ok(Response::new(v1::SitInResponse {
            position: Some(request::position(done.position)),
        }))
    }

    async fn straddle(
        &self,
        request: Request<v1::StraddleRequest>,
    ) -> Result<Response<v1::StraddleResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let order = Order::Straddle { on: request.on };
        let done = self
            .order(&caller, &request.table_id, request.mark, order)
            .await?;
        Ok(Response::new(v1::StraddleResponse {
            position: Some(request::position(done.position)),
        }))
    }

    async fn run_twice(
        &self,
        request: Request<v1::RunTwiceRequest>,
    ) -> Result<Response<v1::RunTwiceResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let order = Order::RunTwice {
            hand: request::hand(request.hand)?,
            turn: Turn(request.turn),
            agree: request.agree,
        };
        let done = self
            .order(&caller, &request.table_id, request.mark, order)
            .await?;
        Ok(Response::new(v1::RunTwiceResponse {
            position: Some(request::position(done.position)),
        }))
    }

    async fn act(
        &self,
        request: Request<v1::ActRequest>,
    ) -> Result<Response<v1::ActResponse>, Status> {
        let caller = auth::caller(&request)?;
        let request = request.into_inner();
        let order = request::act(&request)?;
        let done = self
            .order(&caller, &request.table_id, request.mark, order)
            .await?;
        Ok(Response::new(v1::ActResponse {
            position: Some(request::position(done.position)),
        }))
    }
}

/// A lobby shows a screenful; a page of 200 is about 40 KB.
const TABLES_PAGE: Pages = Pages {
    usual: 50,
    most: 200,
};
