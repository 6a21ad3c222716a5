//! Frames of a watch. Converted one at a time, when the client is ready for the next.

use engine::{Event, Phase};
use proto::v1::{self, watch_session_response::Frame as Wire};

use super::{fact, request, view};
use crate::table::frame::{EventFrame, Frame, Sight};

/// One frame.
pub fn wire(frame: Frame) -> v1::WatchSessionResponse {
    respond(match frame {
        Frame::Snapshot(table) => Wire::Snapshot(v1::TableSnapshot {
            position: Some(request::position(table.position)),
            view: Some(view::table(&table)),
        }),
        Frame::Event(event) => Wire::Event(event_frame(&event)),
        Frame::Reset { table, reason } => Wire::Reset(v1::TableReset {
            table_id: table.to_string(),
            reason: reason.name().to_owned(),
        }),
    })
}

/// The first frame of a stream.
pub fn opened(watch_id: String) -> v1::WatchSessionResponse {
    respond(Wire::Opened(v1::WatchOpened { watch_id }))
}

/// The last frame of a stream that the server ends.
pub fn closed(reason: &str) -> v1::WatchSessionResponse {
    respond(Wire::Closed(v1::WatchClosed {
        reason: reason.to_owned(),
    }))
}

fn event_frame(frame: &EventFrame) -> v1::TableEventFrame {
    v1::TableEventFrame {
        table_id: frame.table.to_string(),
        position: Some(request::position(frame.position)),
        at_ms: frame.at_ms,
        event: Some(sight(&frame.sight)),
    }
}

fn sight(sight: &Sight) -> v1::TableEvent {
    match sight {
        Sight::Public(stamped) => match &stamped.event {
            Event::Public(public) => fact::event(public),
            // Not to be seen, whoever put it there.
            Event::Private(_) => fact::hidden(),
        },
        Sight::Won { stamped, hands } => match &stamped.event {
            Event::Public(public) => fact::won(public, hands),
            Event::Private(_) => fact::hidden(),
        },
        Sight::Timed { stamped, clock_ms } => match &stamped.event {
            Event::Public(public) => fact::timed(public, *clock_ms),
            Event::Private(_) => fact::hidden(),
        },
        Sight::Turn {
            legal,
            action_ms,
            bank_ms,
        } => {
            let legal = view::legal(*legal, Phase::Action, *action_ms, *bank_ms);
            v1::TableEvent {
                event: Some(v1::table_event::Event::TurnStarted(legal)),
            }
        }
        Sight::Own { seat, cards } => fact::own(*seat, cards.cards()),
        Sight::Hidden => fact::hidden(),
    }
}

fn respond(frame: Wire) -> v1::WatchSessionResponse {
    v1::WatchSessionResponse { frame: Some(frame) }
}

#[cfg(test)]
mod tests;
