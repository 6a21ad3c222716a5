//! Any node answers for any table: calls for tables of other nodes go to their owner, and come back as its answer.
//!
//! A layer behind the gate. It passes the request's bytes on as they are, with the caller's own token: the owner asks the
//! store who that is, so no node has to believe another one. Where an attempt led to nothing, a shard that moved or a node
//! that died, the call is made again at the next owner, marked as no first attempt, until the gate's time is over. So a
//! caller sees a failover as a pause.
//!
//! - [`ways`]: the routes, and one pooled channel to each node
//! - [`address`]: which table a request is for, and its mark (pure)

pub mod address;
pub mod ways;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, request::Parts};
use http_body_util::{BodyExt as _, Full, Limited};
use proto::Rpc;
use tokio::time::Instant;
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt as _};

use self::address::Addressed;
pub use self::ways::Ways;
use super::status;
use crate::cluster::{Place, routes::Neighbour};

/// Makes a [`Forwarding`] of a service.
#[derive(Clone)]
pub struct Forward {
    /// Where tables are.
    pub ways: Ways,
    /// Calls come from another node, which knew where the table is: they are not passed on again.
    pub last_stop: bool,
    /// The largest request.
    pub request_bytes_max: usize,
    /// How long an owner is looked for. Less than the gate's time, which ends without a reason.
    pub patience: Duration,
}

/// A service that passes on what is for others.
#[derive(Clone)]
pub struct Forwarding<S> {
    inner: S,
    forward: Forward,
}

impl<S> Layer<S> for Forward {
    type Service = Forwarding<S>;

    fn layer(&self, inner: S) -> Forwarding<S> {
        Forwarding {
            inner,
            forward: self.clone(),
        }
    }
}

impl<S> Service<Request<Body>> for Forwarding<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let forward = self.forward.clone();
        let addressed = Rpc::of_path(request.uri().path()).and_then(Addressed::of);
        match addressed {
            Some(addressed) if !forward.ways.routes.is_alone() => {
                Box::pin(forward.carry(inner, request, addressed))
            }
            Some(_) | None => Box::pin(inner.call(request)),
        }
    }
}

impl Forward {
    async fn carry<S>(
        self,
        inner: S,
        request: Request<Body>,
        addressed: Addressed,
    ) -> Result<Response<Body>, Infallible>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send,
        S::Future: Send,
    {
        let (parts, body) = request.into_parts();
        let limited = Limited::new(body, self.request_bytes_max + address::FRAME_HEADER);
        let body = match limited.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_too_large) => {
                return Ok(status::request_too_large(self.request_bytes_max).into_http());
            }
        };
        // What names no table is refused in the usual words, here as anywhere.
        let Some(table) = addressed.table(&body) else {
            return inner.oneshot(rebuilt(&parts, body)).await;
        };
        let deadline = Instant::now() + self.patience;
        let mut routes = self.ways.routes.clone();
        let mut body = body;
        loop {
            let place = routes.of(table);
            let answer = match &place {
                Place::Here => Some(inner.clone().oneshot(rebuilt(&parts, body.clone())).await?),
                Place::There(owner) if !self.last_stop => {
                    self.pass_on(owner, table, &parts, &body).await
                }
                Place::There(_) | Place::Nowhere if self.last_stop => {
                    return Ok(status::elsewhere().into_http());
                }
                Place::There(_) | Place::Nowhere => None,
            };
            match answer {
                Some(answer) if !is_elsewhere(&answer) => return Ok(told(answer, &place)),
                Some(answer) if self.last_stop => return Ok(answer),
                Some(_) | None => {}
            }
            if Instant::now() >= deadline {
                return Ok(status::elsewhere().into_http());
            }
            if !matches!(place, Place::Nowhere) {
                // What was sent may have been done, whatever came back.
                body = addressed.sent_before(&body);
            }
            let pause = tokio::time::sleep(LOOK_AGAIN);
            tokio::select! {
                () = routes.changed() => {}
                () = pause => {}
            }
        }
    }

    /// One attempt at another node. `None`: no answer, or the table is not there any more.
    async fn pass_on(
        &self,
        owner: &Arc<Neighbour>,
        table: crate::ids::TableId,
        parts: &Parts,
        body: &Bytes,
    ) -> Option<Response<Body>> {
        let mut channel = self.ways.channel(owner);
        let sent = async {
            channel.ready().await?;
            channel.call(outbound(parts, body.clone())).await
        };
        let mut routes = self.ways.routes.clone();
        let moved = async {
            while routes.of(table) == Place::There(Arc::clone(owner)) {
                routes.changed().await;
            }
        };
        tokio::select! {
            answered = sent => match answered {
                Ok(answer) => Some(answer),
                Err(error) => {
                    tracing::debug!(owner = %owner.peer.name, %error, "a call was not answered");
                    None
                }
            },
            // Its node is gone, frozen, or gave the table away: nobody waits for its answer any more.
            () = moved => None,
        }
    }
}

fn rebuilt(parts: &Parts, body: Bytes) -> Request<Body> {
    Request::from_parts(parts.clone(), Body::new(Full::new(body)))
}

/// What goes to another node: the call and the caller's token, and nothing that is between this connection's two ends.
fn outbound(parts: &Parts, body: Bytes) -> Request<Body> {
    let mut request = Request::new(Body::new(Full::new(body)));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = http::Version::HTTP_2;
    for name in [
        http::header::AUTHORIZATION,
        http::header::CONTENT_TYPE,
        http::header::TE,
    ] {
        if let Some(value) = parts.headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    if let Some(timeout) = parts.headers.get(TIMEOUT) {
        request.headers_mut().insert(TIMEOUT, timeout.clone());
    }
    request
}

fn is_elsewhere(answer: &Response<Body>) -> bool {
    answer.headers().contains_key(status::ELSEWHERE)
}

/// Tells a client where the owner is: it may connect there.
fn told(mut answer: Response<Body>, place: &Place) -> Response<Body> {
    if let Place::There(owner) = place
        && let Ok(address) = HeaderValue::from_str(&owner.players)
    {
        answer.headers_mut().insert(OWNER, address);
    }
    answer
}

/// In the metadata of an answer that came from another node: where players connect to it, `host:port`.
pub const OWNER: &str = "orp-owner";
const TIMEOUT: &str = "grpc-timeout";
/// Owners are looked for so often, beside every change of the routes.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
