//! Who may call what.
//!
//! [`rule`] is an exhaustive `match` over every call of the package: one that is missing here does not build (S11).

use std::{net::IpAddr, sync::Arc};

use http::HeaderMap;
use proto::Rpc;
use tonic::{Request, Status};

use super::status;
use crate::{
    accounts::{Session, Sessions, Token},
    store::TokenHash,
};

/// What a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anybody.
    Public,
    /// A player with a session; what he may do with what is his, the tables decide by his id.
    Session,
    /// An operator, on the ops port.
    Operator,
}

/// What the caller of each call must be.
pub const fn rule(rpc: Rpc) -> Rule {
    match rpc {
        Rpc::CreateGuest => Rule::Public,
        Rpc::GetSession
        | Rpc::CreateTable
        | Rpc::ListTables
        | Rpc::GetTable
        | Rpc::Sit
        | Rpc::Leave
        | Rpc::TopUp
        | Rpc::SitOut
        | Rpc::SitIn
        | Rpc::Straddle
        | Rpc::RunTwice
        | Rpc::Act
        | Rpc::WatchSession
        | Rpc::Subscribe
        | Rpc::Unsubscribe
        | Rpc::ListHands
        | Rpc::GetHand
        | Rpc::ExportHand => Rule::Session,
        Rpc::ListAdminTables
        | Rpc::ResumeTable
        | Rpc::VoidHand
        | Rpc::GetTree
        | Rpc::GetTotals
        | Rpc::GetCluster
        | Rpc::DrainNode => Rule::Operator,
    }
}

/// What operators ask of one node about another: the tree, lists, and what is done to a parked table.
pub const fn passed_on(rpc: Rpc) -> bool {
    matches!(
        rpc,
        Rpc::GetTree | Rpc::ListAdminTables | Rpc::ResumeTable | Rpc::VoidHand
    )
}

/// One of the listeners, and how it tells who calls.
#[derive(Clone)]
pub enum Door {
    /// The public port.
    Players(Sessions),
    /// The ops port.
    Operators(Operators),
    /// The port of other nodes: players' calls, and those of operators that a node passes on.
    Nodes(Sessions),
}

/// Who is an operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operators {
    /// Whoever connects from this machine: `orp admin` in the same pod or on the same host.
    ThisMachine,
    /// Whoever has the token with this hash, from anywhere.
    Token(TokenHash),
}

impl Door {
    /// Whether this caller may make this call; with a session if the call needs one.
    pub async fn admit(
        &self,
        rpc: Rpc,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Admitted, Status> {
        match (self, rule(rpc)) {
            (Self::Players(_) | Self::Nodes(_), Rule::Public) => Ok(Admitted::Anybody),
            (Self::Players(sessions) | Self::Nodes(sessions), Rule::Session) => {
                let token = bearer(headers).ok_or_else(status::no_token)?;
                Ok(Admitted::Player(
                    sessions
                        .authenticate(token)
                        .await
                        .map_err(status::accounts)?,
                ))
            }
            (Self::Operators(operators), Rule::Operator) if operators.are(headers, peer) => {
                Ok(Admitted::Anybody)
            }
            // That the other end is a node, its certificate proves. It asked its operator who he is; what it does not pass on,
            // it has no business to ask.
            (Self::Nodes(_), Rule::Operator) if passed_on(rpc) => Ok(Admitted::Anybody),
            (Self::Operators(Operators::Token(_)), Rule::Operator) => Err(status::no_token()),
            (
                Self::Operators(Operators::ThisMachine) | Self::Players(_) | Self::Nodes(_),
                Rule::Operator,
            )
            | (Self::Operators(_), Rule::Public | Rule::Session) => Err(status::wrong_door()),
        }
    }
}

/// Who was let in.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// The call needs no session.
    Anybody,
    /// A player, proven.
    Player(Arc<Session>),
}

impl Operators {
    fn are(self, headers: &HeaderMap, peer: Option<IpAddr>) -> bool {
        match self {
            Self::ThisMachine => peer.is_some_and(|peer| peer.to_canonical().is_loopback()),
            // Hashes are compared, not tokens: how long that takes says nothing about the token.
            Self::Token(hash) => bearer(headers)
                .and_then(Token::parse)
                .is_some_and(|token| token.hash() == hash),
        }
    }
}

/// The session of a call whose rule is [`Rule::Session`].
///
/// # Errors
/// `UNAUTHENTICATED` when the call came past the gate.
pub fn caller<T>(request: &Request<T>) -> Result<Arc<Session>, Status> {
    request
        .extensions()
        .get::<Arc<Session>>()
        .cloned()
        .ok_or_else(status::no_token)
}

/// The token in `authorization: Bearer <token>`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(http::header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
