//! The layer in front of every service: admits the caller, and answers in time.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use proto::Rpc;
use tonic::{body::Body, transport::server::TcpConnectInfo};
use tower::{Layer, Service};

use super::{
    auth::{Admitted, Door},
    status,
};

/// Makes a [`Guarded`] of a service.
#[derive(Clone)]
pub struct Gate {
    /// Which rule set holds.
    pub door: Arc<Door>,
    /// How long a call may take to answer; a stream, to begin.
    pub call_timeout: Duration,
}

/// A service behind a gate.
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    gate: Gate,
}

impl<S> Layer<S> for Gate {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            gate: self.clone(),
        }
    }
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to call; a clone of it waits for the next call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let Gate { door, call_timeout } = self.gate.clone();
        // Behind a path that is no call of the package there are only health and reflection, which are for everybody.
        let Some(rpc) = Rpc::of_path(request.uri().path()) else {
            return Box::pin(inner.call(request));
        };
        Box::pin(async move {
            let answer = async {
                match door.admit(rpc, request.headers(), peer(&request)).await {
                    Ok(Admitted::Anybody) => {}
                    Ok(Admitted::Player(session)) => {
                        request.extensions_mut().insert(session);
                    }
                    Err(refused) => return Ok(refused.into_http()),
                }
                inner.call(request).await
            };
            match tokio::time::timeout(call_timeout, answer).await {
                Ok(answer) => answer,
                Err(_elapsed) => Ok(status::too_late().into_http()),
            }
        })
    }
}

fn peer(request: &Request<Body>) -> Option<IpAddr> {
    request
        .extensions()
        .get::<TcpConnectInfo>()?
        .remote_addr()
        .map(|address| address.ip())
}
