//! For tests only: a server that answers as it is told, and the frames of a small table.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::v1::session_service_server::{SessionService, SessionServiceServer};
use proto::v1::table_event::Event;
use proto::v1::table_service_server::{TableService, TableServiceServer};
use proto::v1::watch_service_server::{WatchService, WatchServiceServer};
use proto::v1::watch_session_response::Frame;
use proto::v1::{self, ActionKind, Position, PostKind};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::address::Address;
use super::backoff::{Backoff, Patience};
use super::link::Link;
use super::session::Player;

/// What the server says to the next Act.
pub(crate) enum Say {
    Done(u64, u64),
    Refused(&'static str),
    Busy(Option<Duration>),
    Code(Code),
    /// Does not answer in time.
    Nothing,
}

/// What the server was asked.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) acts: Vec<v1::ActRequest>,
    pub(crate) tokens: Vec<String>,
    pub(crate) watches: Vec<v1::WatchSessionRequest>,
    pub(crate) subscribed: Vec<v1::WatchTable>,
}

type Frames = mpsc::Sender<Result<v1::WatchSessionResponse, Status>>;

#[derive(Clone, Default)]
pub(crate) struct Script {
    says: Arc<Mutex<VecDeque<Say>>>,
    streams: Arc<Mutex<VecDeque<Vec<Frame>>>>,
    /// Sent when somebody subscribes.
    on_subscribe: Arc<Mutex<VecDeque<Vec<Frame>>>>,
    open: Arc<Mutex<Option<Frames>>>,
    pub(crate) asked: Arc<Mutex<Asked>>,
}

impl Script {
    pub(crate) fn acts(says: Vec<Say>) -> Script {
        let script = Script::default();
        script.says.lock().unwrap().extend(says);
        script
    }

    /// Each stream sends its frames and ends; the last one stays open.
    pub(crate) fn streams(streams: Vec<Vec<Frame>>) -> Script {
        let script = Script::default();
        script.streams.lock().unwrap().extend(streams);
        script
    }

    pub(crate) fn on_subscribe(self, frames: Vec<Frame>) -> Script {
        self.on_subscribe.lock().unwrap().push_back(frames);
        self
    }

    /// Serves until the test ends.
    pub(crate) async fn serve(&self) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let server = tonic::transport::Server::builder()
            .add_service(SessionServiceServer::new(self.clone()))
            .add_service(TableServiceServer::new(self.clone()))
            .add_service(WatchServiceServer::new(self.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        address
    }

    pub(crate) async fn player(&self) -> Player {
        let link = Link::new(&[self.serve().await], patience()).unwrap();
        Player::guest(&link, "Ann").await.unwrap().0
    }
}

/// Nobody listens here: the port was free a moment ago and is not given out again so soon.
pub(crate) async fn nobody() -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string().parse().unwrap()
}

/// Short enough for a test, with room for a slow machine.
pub(crate) fn patience() -> Patience {
    Patience {
        attempt: Duration::from_secs(5),
        overall: Duration::from_secs(30),
        backoff: quick(),
    }
}

pub(crate) fn quick() -> Backoff {
    Backoff {
        first: Duration::from_millis(1),
        max: Duration::from_millis(2),
    }
}

#[tonic::async_trait]
impl SessionService for Script {
    async fn create_guest(
        &self,
        request: Request<v1::CreateGuestRequest>,
    ) -> Result<Response<v1::CreateGuestResponse>, Status> {
        Ok(Response::new(v1::CreateGuestResponse {
            player_id: ME.into(),
            display_name: request.into_inner().display_name,
            token: "secret".into(),
        }))
    }

    async fn get_session(
        &self,
        _: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        Ok(Response::new(v1::GetSessionResponse {
            player_id: ME.into(),
            display_name: "Ann".into(),
        }))
    }
}

#[tonic::async_trait]
impl TableService for Script {
    async fn act(
        &self,
        request: Request<v1::ActRequest>,
    ) -> Result<Response<v1::ActResponse>, Status> {
        let token = request
            .metadata()
            .get("authorization")
            .map(|token| token.to_str().unwrap().to_owned());
        let say = {
            let mut asked = self.asked.lock().unwrap();
            asked.tokens.extend(token);
            asked.acts.push(request.into_inner());
            self.says.lock().unwrap().pop_front()
        };
        match say {
            Some(Say::Done(epoch, sequence)) => Ok(Response::new(v1::ActResponse {
                position: Some(Position { epoch, sequence }),
            })),
            Some(Say::Refused(rule)) => {
                let facts = [("min_to".to_owned(), "200".to_owned())];
                let details = ErrorDetails::with_error_info(rule, "openrustpoker", facts);
                Err(Status::with_error_details(
                    Code::FailedPrecondition,
                    "not so",
                    details,
                ))
            }
            Some(Say::Busy(retry)) => {
                let mut details = ErrorDetails::with_error_info("Busy", "openrustpoker", []);
                details.set_retry_info(retry);
                Err(Status::with_error_details(
                    Code::Unavailable,
                    "busy",
                    details,
                ))
            }
            Some(Say::Code(code)) => Err(Status::new(code, "trouble")),
            Some(Say::Nothing) | None => std::future::pending().await,
        }
    }

    async fn create_table(
        &self,
        _: Request<v1::CreateTableRequest>,
    ) -> Result<Response<v1::CreateTableResponse>, Status> {
        Err(not_asked())
    }

    async fn list_tables(
        &self,
        _: Request<v1::ListTablesRequest>,
    ) -> Result<Response<v1::ListTablesResponse>, Status> {
        Err(not_asked())
    }

    async fn get_table(
        &self,
        _: Request<v1::GetTableRequest>,
    ) -> Result<Response<v1::GetTableResponse>, Status> {
        Err(not_asked())
    }

    async fn sit(&self, _: Request<v1::SitRequest>) -> Result<Response<v1::SitResponse>, Status> {
        Err(not_asked())
    }

    async fn leave(
        &self,
        _: Request<v1::LeaveRequest>,
    ) -> Result<Response<v1::LeaveResponse>, Status> {
        Err(not_asked())
    }

    async fn top_up(
        &self,
        _: Request<v1::TopUpRequest>,
    ) -> Result<Response<v1::TopUpResponse>, Status> {
        Err(not_asked())
    }

    async fn sit_out(
        &self,
        _: Request<v1::SitOutRequest>,
    ) -> Result<Response<v1::SitOutResponse>, Status> {
        Err(not_asked())
    }

    async fn sit_in(
        &self,
        _: Request<v1::SitInRequest>,
    ) -> Result<Response<v1::SitInResponse>, Status> {
        Err(not_asked())
    }

    async fn straddle(
        &self,
        _: Request<v1::StraddleRequest>,
    ) -> Result<Response<v1::StraddleResponse>, Status> {
        Err(not_asked())
    }

    async fn run_twice(
        &self,
        _: Request<v1::RunTwiceRequest>,
    ) -> Result<Response<v1::RunTwiceResponse>, Status> {
        Err(not_asked())
    }
}

fn not_asked() -> Status {
    Status::unimplemented("not in this script")
}

#[tonic::async_trait]
impl WatchService for Script {
    type WatchSessionStream = ReceiverStream<Result<v1::WatchSessionResponse, Status>>;

    async fn watch_session(
        &self,
        request: Request<v1::WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        self.asked
            .lock()
            .unwrap()
            .watches
            .push(request.into_inner());
        let (frames, last) = {
            let mut streams = self.streams.lock().unwrap();
            (streams.pop_front(), streams.is_empty())
        };
        let frames = frames.ok_or_else(|| Status::unavailable("no more streams in this script"))?;
        let (send, receive) = mpsc::channel(64);
        send.send(response(Frame::Opened(v1::WatchOpened {
            watch_id: "w".into(),
        })))
        .await
        .unwrap();
        for frame in frames {
            send.send(response(frame)).await.unwrap();
        }
        *self.open.lock().unwrap() = last.then_some(send);
        Ok(Response::new(ReceiverStream::new(receive)))
    }

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<v1::SubscribeResponse>, Status> {
        let request = request.into_inner();
        if request.watch_id != "w" {
            return Err(Status::not_found("no such watch"));
        }
        self.asked.lock().unwrap().subscribed.extend(request.table);
        let frames = self
            .on_subscribe
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_default();
        let open = self.open.lock().unwrap().clone();
        if let Some(open) = open {
            for frame in frames {
                open.send(response(frame)).await.unwrap();
            }
        }
        Ok(Response::new(v1::SubscribeResponse {}))
    }

    async fn unsubscribe(
        &self,
        _: Request<v1::UnsubscribeRequest>,
    ) -> Result<Response<v1::UnsubscribeResponse>, Status> {
        Ok(Response::new(v1::UnsubscribeResponse {}))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a stream carries")]
fn response(frame: Frame) -> Result<v1::WatchSessionResponse, Status> {
    Ok(v1::WatchSessionResponse { frame: Some(frame) })
}

/// The player of the tests, in seat 0.
pub(crate) const ME: &str = "ann";
/// The other one, in seat 1.
pub(crate) const OTHER: &str = "bob";
/// The table of the tests.
pub(crate) const TABLE: &str = "t";

/// Ann and Bob with 1,000 each, blinds 5/10, before the first hand.
pub(crate) fn view() -> v1::TableView {
    v1::TableView {
        table_id: TABLE.into(),
        name: "Tuesday".into(),
        settings: Some(v1::Settings {
            seats: 3,
            small_blind: 5,
            big_blind: 10,
            buy_in_min: 200,
            buy_in_max: 1_000,
            action_ms: 20_000,
            ..v1::Settings::default()
        }),
        seats: vec![seat(0, ME, "Ann"), seat(1, OTHER, "Bob")],
        ..v1::TableView::default()
    }
}

fn seat(no: u32, player: &str, name: &str) -> v1::Seat {
    v1::Seat {
        seat: no,
        player_id: player.into(),
        display_name: name.into(),
        stack: 1_000,
        status: v1::SeatStatus::Playing.into(),
        connected: true,
        ..v1::Seat::default()
    }
}

pub(crate) fn event(event: Event) -> v1::TableEvent {
    v1::TableEvent { event: Some(event) }
}

pub(crate) fn started(hand: u64, ann: u64, bob: u64) -> Event {
    Event::HandStarted(v1::HandStarted {
        hand,
        button: 0,
        small_blind: Some(0),
        big_blind: 1,
        dealt: vec![
            v1::DealtSeat {
                seat: 0,
                stack: ann,
            },
            v1::DealtSeat {
                seat: 1,
                stack: bob,
            },
        ],
    })
}

pub(crate) fn hole(seat: u32, cards: &str) -> Event {
    Event::HoleCards(v1::HoleCards {
        seat,
        cards: words(cards),
    })
}

pub(crate) fn post(seat: u32, kind: PostKind, amount: u64) -> Event {
    Event::Posted(v1::Posted {
        seat,
        kind: kind.into(),
        amount,
    })
}

pub(crate) fn turn(seat: u32, turn: u32) -> Event {
    Event::TurnStarted(v1::Legal {
        seat,
        turn,
        check: false,
        call: 5,
        raise_to_min: 20,
        raise_to_max: 1_000,
        time_left_ms: 20_000,
        ..v1::Legal::default()
    })
}

pub(crate) fn acted(seat: u32, turn: u32, action: ActionKind, to: u64, added: u64) -> Event {
    Event::Acted(v1::Acted {
        seat,
        turn,
        action: action.into(),
        to,
        added,
        ..v1::Acted::default()
    })
}

pub(crate) fn back(seat: u32, amount: u64) -> Event {
    Event::UncalledReturned(v1::UncalledReturned { seat, amount })
}

pub(crate) fn street(street: v1::Street, cards: &str) -> Event {
    Event::StreetDealt(v1::StreetDealt {
        street: street.into(),
        cards: words(cards),
    })
}

pub(crate) fn shown(seat: u32, cards: &str) -> Event {
    Event::Shown(made(|shown: &mut v1::Shown| {
        shown.seat = seat;
        shown.cards = words(cards);
    }))
}

pub(crate) fn award(amount: u64, rake: u64, seat: u32, share: u64) -> Event {
    let shares = vec![v1::PotShare {
        seat,
        amount: share,
        hand: String::new(),
    }];
    Event::PotAwarded(v1::PotAwarded {
        pot: 0,
        amount,
        rake,
        shares,
        side: v1::Side::Unspecified.into(),
        board: 0,
    })
}

pub(crate) fn added(seat: u32, amount: u64, queued: bool) -> Event {
    Event::ChipsAdded(made(|added: &mut v1::ChipsAdded| {
        added.seat = seat;
        added.amount = amount;
        added.queued = queued;
    }))
}

pub(crate) fn left(seat: u32, player: &str, cash_out: u64) -> Event {
    Event::SeatLeft(made(|left: &mut v1::SeatLeft| {
        left.seat = seat;
        left.player_id = player.into();
        left.cash_out = cash_out;
    }))
}

pub(crate) fn ended(hand: u64) -> Event {
    Event::HandEnded(v1::HandEnded { hand })
}

/// The first events of a hand: Ann has the small blind and is to act.
pub(crate) fn opening(hand: u64, ann: u64, bob: u64) -> Vec<Event> {
    vec![
        started(hand, ann, bob),
        hole(0, "As Kd"),
        post(0, PostKind::SmallBlind, 5),
        post(1, PostKind::BigBlind, 10),
        turn(0, 1),
    ]
}

/// A whole hand: Ann folds, Bob gets his uncalled chips and the pot.
pub(crate) fn short_hand(hand: u64, ann: u64, bob: u64) -> Vec<Event> {
    let mut events = opening(hand, ann, bob);
    events.extend([
        acted(0, 1, ActionKind::Fold, 5, 0),
        back(1, 5),
        award(10, 0, 1, 10),
        ended(hand),
    ]);
    events
}

/// A message of which only some fields matter: the wire may get more.
fn made<T: Default>(set: impl FnOnce(&mut T)) -> T {
    let mut message = T::default();
    set(&mut message);
    message
}

pub(crate) fn snapshot_frame(epoch: u64, sequence: u64, view: v1::TableView) -> Frame {
    Frame::Snapshot(v1::TableSnapshot {
        position: Some(Position { epoch, sequence }),
        view: Some(view),
    })
}

pub(crate) fn event_frame(epoch: u64, sequence: u64, of: Event) -> Frame {
    Frame::Event(v1::TableEventFrame {
        table_id: TABLE.into(),
        position: Some(Position { epoch, sequence }),
        at_ms: 1,
        event: Some(event(of)),
    })
}

pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
