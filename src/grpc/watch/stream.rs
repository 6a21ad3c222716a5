//! The frames of one watch. Each is converted when the client is ready for it, so what waits is small and shared.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
};

use proto::v1;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tonic::{Code, Status};

use super::{
    entry::Watch,
    registry::{WatchId, Watches},
};
use crate::{
    grpc::{convert::frame, status},
    table::frame::{Frame, ResetReason},
};

/// One client's stream. When it is dropped, for whatever reason, its watch ends.
pub struct SessionStream {
    watches: Watches,
    watch: Arc<Watch>,
    frames: mpsc::Receiver<Frame>,
    relayed: mpsc::Receiver<v1::WatchSessionResponse>,
    ending: oneshot::Receiver<Ending>,
    stage: Stage,
}

/// Why the server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client did not keep up.
    Slow,
    /// The node stops.
    Draining,
    /// A table let go of the watch.
    Lost,
}

enum Stage {
    Opening,
    Open,
    Closing(Ending),
    Over,
}

impl Ending {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Draining => "draining",
            Self::Lost => "lost",
        }
    }

    fn status(self) -> Status {
        match self {
            Self::Slow => status::answer(
                Code::ResourceExhausted,
                "SlowReader",
                "frames waited too long to be read; open a new stream and resume after the last sequence seen",
            ),
            Self::Draining => status::answer(
                Code::Unavailable,
                "Draining",
                "this node stops; connect again",
            ),
            Self::Lost => status::answer(
                Code::Unavailable,
                "WatchLost",
                "a table let go of this watch; open a new stream and resume after the last sequence seen",
            ),
        }
    }
}

impl SessionStream {
    pub(super) fn new(
        watches: Watches,
        watch: Arc<Watch>,
        (frames, relayed): (
            mpsc::Receiver<Frame>,
            mpsc::Receiver<v1::WatchSessionResponse>,
        ),
        ending: oneshot::Receiver<Ending>,
    ) -> Self {
        Self {
            watches,
            watch,
            frames,
            relayed,
            ending,
            stage: Stage::Opening,
        }
    }

    /// The watch's id, as the first frame says it.
    pub fn id(&self) -> WatchId {
        self.watch.id
    }

    fn take(&self, frame: Frame) -> v1::WatchSessionResponse {
        self.watch.taken.fetch_add(1, Relaxed);
        if let Frame::Reset {
            table,
            reason: ResetReason::UnknownTable,
        } = frame
        {
            self.watches.forget(&self.watch, table);
        }
        frame::wire(frame)
    }
}

impl Stream for SessionStream {
    type Item = Result<v1::WatchSessionResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match this.stage {
            Stage::Opening => {
                this.stage = Stage::Open;
                return Poll::Ready(Some(Ok(frame::opened(this.watch.id.0.to_string()))));
            }
            Stage::Open => {}
            Stage::Closing(ending) => {
                this.stage = Stage::Over;
                return Poll::Ready(Some(Err(ending.status())));
            }
            Stage::Over => return Poll::Ready(None),
        }
        if let Poll::Ready(ending) = Pin::new(&mut this.ending).poll(cx) {
            // The sender lives in the watch, which lives as long as this stream: it is not dropped unused.
            let ending = ending.unwrap_or(Ending::Lost);
            this.stage = Stage::Closing(ending);
            return Poll::Ready(Some(Ok(frame::closed(ending.name()))));
        }
        match this.frames.poll_recv(cx) {
            Poll::Ready(Some(frame)) => Poll::Ready(Some(Ok(this.take(frame)))),
            // The watch holds a sender, and this stream the watch.
            Poll::Ready(None) => Poll::Ready(None),
            // What this node sent of a table before it left comes before what the next owner sends of it.
            Poll::Pending => this.relayed.poll_recv(cx).map(|frame| frame.map(Ok)),
        }
    }
}

impl Drop for SessionStream {
    fn drop(&mut self) {
        self.watches.gone(&self.watch);
    }
}
