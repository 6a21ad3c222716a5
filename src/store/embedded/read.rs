//! The read thread: one query after the other, each of one moment.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

/// A queued read, which answers by itself.
pub(super) type Query = Box<dyn FnOnce(&Connection) + Send>;

/// A read and where its answer arrives.
pub(super) fn query<T: Send + 'static>(
    evaluate: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> (Query, oneshot::Receiver<rusqlite::Result<T>>) {
    let (reply, answer) = oneshot::channel();
    let query = Box::new(move |connection: &Connection| {
        if reply.send(evaluate(connection)).is_err() {
            tracing::debug!("nobody waits for what was read");
        }
    });
    (query, answer)
}

/// Works until every handle is dropped.
pub(super) fn run(connection: &Connection, mut queries: mpsc::Receiver<Query>) {
    while let Some(query) = queries.blocking_recv() {
        query(connection);
    }
}
