//! `SessionService`.

use std::net::{IpAddr, Ipv4Addr};

use proto::v1::{self, session_service_server::SessionService};
use tonic::{Request, Response, Status};

use super::{auth, status};
use crate::accounts::Sessions;

/// Makes guests and says who one is.
pub struct SessionApi {
    /// The sessions.
    pub sessions: Sessions,
}

#[tonic::async_trait]
impl SessionService for SessionApi {
    async fn create_guest(
        &self,
        request: Request<v1::CreateGuestRequest>,
    ) -> Result<Response<v1::CreateGuestResponse>, Status> {
        let peer = request.remote_addr().map_or(NOWHERE, |peer| peer.ip());
        let guest = self
            .sessions
            .create_guest(&request.get_ref().display_name, peer)
            .await
            .map_err(status::accounts)?;
        Ok(Response::new(v1::CreateGuestResponse {
            player_id: guest.session.player.to_string(),
            display_name: guest.session.name.as_str().to_owned(),
            token: guest.token.to_text(),
        }))
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let session = auth::caller(&request)?;
        Ok(Response::new(v1::GetSessionResponse {
            player_id: session.player.to_string(),
            display_name: session.name.as_str().to_owned(),
        }))
    }
}

/// All callers whose address is not known share one limit.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
