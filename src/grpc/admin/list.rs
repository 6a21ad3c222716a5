//! The tables of the whole cluster, shard by shard.
//!
//! Every shard is asked of whoever serves it at that moment, so a shard that moves while somebody turns pages is neither
//! left out nor listed twice. A page ends when it is full or when its time is over, whichever is first; shards that gave no
//! answer are named in it, and the list goes on behind them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proto::v1::{self, admin_service_client::AdminServiceClient};
use tokio::time::Instant;
use tonic::Status;

use super::{AdminApi, admin_table};
use crate::{
    cluster::{Place, routes::Neighbour},
    grpc::{
        convert::request::{self, Pages},
        status::{self, Invalid},
    },
    ids::{ShardId, TableId},
    table::Standing,
};

/// What is asked.
struct Wanted {
    size: usize,
    from: (ShardId, Option<TableId>),
    shard: Option<ShardId>,
    /// Empty: of any node.
    node: String,
    standing: Option<Standing>,
}

/// A part of one shard's tables, whoever gave it.
struct Part {
    tables: Vec<v1::AdminTable>,
    next: Option<TableId>,
}

/// Shards without an answer, by who serves them and why there was none.
type Missing = BTreeMap<(String, String), Vec<u32>>;

impl AdminApi {
    pub(super) async fn list(
        &self,
        request: v1::ListAdminTablesRequest,
    ) -> Result<v1::ListAdminTablesResponse, Status> {
        let count = self.tables.count();
        let wanted = Wanted {
            size: TABLES_PAGE.size(request.page_size) as usize,
            from: request::after_in_shard(&request.page_token)?,
            shard: request
                .shard
                .map(|shard| request::shard(shard, count))
                .transpose()?,
            standing: request::standing(&request.state, request.parked_only)?,
            node: request.node,
        };
        if !wanted.node.is_empty() {
            self.known(&wanted.node)?;
        }
        self.gather(&wanted).await
    }

    async fn gather(&self, wanted: &Wanted) -> Result<v1::ListAdminTablesResponse, Status> {
        let began = Instant::now();
        let deadline = began + self.patience;
        let on_its_way = || began.elapsed() < self.patience / 2 && !self.for_nodes;
        let (mut tables, mut missing) = (Vec::new(), Missing::new());
        let mut silent: BTreeMap<String, String> = BTreeMap::new();
        let shards = self.tables.shards().iter().map(|shard| shard.id);
        let shards = shards.filter(|shard| {
            *shard >= wanted.from.0 && wanted.shard.is_none_or(|only| only == *shard)
        });
        for shard in shards {
            let mut after = wanted.from.1.filter(|_| shard == wanted.from.0);
            let mut miss = |node: &str, reason: &str| {
                let key = (node.to_owned(), reason.to_owned());
                missing.entry(key).or_default().push(shard.0.into());
            };
            loop {
                let room = wanted.size - tables.len();
                if room == 0 || Instant::now() >= deadline {
                    return Ok(response(tables, missing, Some((shard, after))));
                }
                let place = self.place(shard);
                let served_by = match &place {
                    Place::Here => self.cluster.name.as_str(),
                    Place::There(neighbour) => neighbour.peer.name.as_str(),
                    Place::Nowhere => "",
                };
                if !wanted.node.is_empty() && wanted.node != served_by {
                    break;
                }
                if let Some(reason) = silent.get(served_by) {
                    // It keeps nobody waiting once for each of its shards.
                    miss(served_by, reason);
                    break;
                }
                let part = match &place {
                    Place::Here => self.here(shard, after, room, wanted.standing).await,
                    Place::There(neighbour) => {
                        let part = self.there(neighbour, shard, after, room, wanted.standing);
                        match tokio::time::timeout(NODE_PATIENCE, part).await {
                            Ok(part) => part,
                            Err(_elapsed) => {
                                Err(Status::deadline_exceeded("it did not answer in time"))
                            }
                        }
                    }
                    Place::Nowhere => Err(status::elsewhere()),
                };
                match part {
                    // It moves, or its node is gone: somebody will have it in a moment.
                    Err(error) if is_elsewhere(&error) && on_its_way() => {
                        tokio::time::sleep(LOOK_AGAIN).await;
                        continue;
                    }
                    Err(error) if self.for_nodes => return Err(error),
                    Ok(part) => {
                        tables.extend(part.tables);
                        after = part.next;
                    }
                    Err(error) if is_elsewhere(&error) => {
                        miss("", "nobody serves them now");
                        after = None;
                    }
                    Err(error) => {
                        if let Place::There(_) = &place {
                            silent.insert(served_by.to_owned(), error.message().to_owned());
                        }
                        miss(served_by, error.message());
                        after = None;
                    }
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(response(tables, missing, None))
    }

    fn place(&self, shard: ShardId) -> Place {
        let routes = &self.cluster.ways.routes;
        if routes.is_alone() || self.for_nodes {
            // Whether it is here, its log knows.
            return Place::Here;
        }
        let table = routes.table();
        let owner = table.owners.get(&shard);
        owner.map_or(Place::Nowhere, |owner| owner.place.clone())
    }

    async fn here(
        &self,
        shard: ShardId,
        after: Option<TableId>,
        limit: usize,
        standing: Option<Standing>,
    ) -> Result<Part, Status> {
        let page = self.tables.admin_page(shard, after, limit, standing);
        let page = page.await.map_err(status::call)?;
        let name = &self.cluster.name;
        Ok(Part {
            tables: page
                .tables
                .into_iter()
                .map(|table| admin_table(table, name))
                .collect(),
            next: page.next,
        })
    }

    async fn there(
        &self,
        neighbour: &Arc<Neighbour>,
        shard: ShardId,
        after: Option<TableId>,
        limit: usize,
        standing: Option<Standing>,
    ) -> Result<Part, Status> {
        let ask = v1::ListAdminTablesRequest {
            page_size: u32::try_from(limit).unwrap_or(u32::MAX),
            page_token: request::in_shard((shard, after)),
            parked_only: false,
            node: String::new(),
            shard: Some(shard.0.into()),
            state: standing.map_or_else(String::new, |standing| standing.as_str().into()),
        };
        let mut node = AdminServiceClient::new(self.cluster.ways.channel(neighbour));
        let answer = node.list_admin_tables(ask).await?.into_inner();
        let next = match answer.next_page_token.as_str() {
            "" => None,
            token => request::after_in_shard(token)?.1,
        };
        Ok(Part {
            tables: answer.tables,
            next,
        })
    }

    /// Whether there is a node of this name.
    pub(super) fn known(&self, name: &str) -> Result<Option<Arc<Neighbour>>, Invalid> {
        if name.is_empty() || name == self.cluster.name {
            return Ok(None);
        }
        let table = self.cluster.ways.routes.table();
        let named = |neighbour: &&Arc<Neighbour>| neighbour.peer.name.as_str() == name;
        if let Some(neighbour) = table.neighbours.iter().find(named) {
            return Ok(Some(Arc::clone(neighbour)));
        }
        let others = table
            .neighbours
            .iter()
            .map(|neighbour| neighbour.peer.name.as_str());
        let known: Vec<&str> = std::iter::once(self.cluster.name.as_str())
            .chain(others)
            .collect();
        let problem = format!(
            "no node `{name}` is linked to this one; there are {}",
            known.join(", ")
        );
        Err(Invalid::new("node", "UnknownNode", problem))
    }
}

fn is_elsewhere(error: &Status) -> bool {
    error.metadata().contains_key(status::ELSEWHERE)
}

fn response(
    tables: Vec<v1::AdminTable>,
    missing: Missing,
    next: Option<(ShardId, Option<TableId>)>,
) -> v1::ListAdminTablesResponse {
    let missing = missing
        .into_iter()
        .map(|((node, reason), shards)| v1::MissingShards {
            node,
            shards,
            reason,
        });
    v1::ListAdminTablesResponse {
        tables,
        next_page_token: next.map_or_else(String::new, request::in_shard),
        missing: missing.collect(),
    }
}

const TABLES_PAGE: Pages = Pages {
    usual: 100,
    most: 1_000,
};
/// A shard that moves is looked for so often.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A node that lists a thousand tables answers in milliseconds; one that is frozen is known as gone after a second or two.
const NODE_PATIENCE: Duration = Duration::from_secs(1);
