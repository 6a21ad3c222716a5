//! Simulated players: they sit, act well and badly, lose patience, repeat themselves,
//! come back with old copies, and leave.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::{Action, PlayerId, SeatNo, Viewer};
use openrustpoker::{
    ids::TableId,
    store::memory::SplitMix,
    table::request::{CallError, Done, Order, Request, TableView},
};
use tokio::time::Instant;

use super::UNBROKEN;
use super::{node::Node, run::Room};

/// What a player was told in the end.
#[derive(Clone, Debug)]
pub enum Told {
    Done(Done),
    Refused(&'static str),
    /// Turned away, and never asked again.
    Busy,
    Unknown,
}

/// One request and what became of it, as its player knows it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub table: TableId,
    pub player: PlayerId,
    pub id: u64,
    pub told: Told,
}

/// A state that some owner showed.
pub struct Shown {
    pub viewer: Viewer,
    pub view: TableView,
}

/// What all players of a run heard and saw.
#[derive(Default)]
pub struct Ears {
    pub heard: Mutex<Vec<Heard>>,
    pub shown: Mutex<Vec<Shown>>,
}

/// A player at one table.
pub struct Player {
    pub room: Arc<Room>,
    pub table: TableId,
    pub me: PlayerId,
    pub random: SplitMix,
    pub last_id: u64,
}

impl Player {
    /// Plays until the room closes.
    pub async fn play(mut self) {
        while !self.room.is_closing() {
            let rest = self.random.below(60);
            tokio::time::sleep(Duration::from_millis(rest)).await;
            if self.random.below(40) == 0 {
                // Away for a while: the clock runs out.
                let away = Duration::from_millis(self.random.below(3_000));
                tokio::time::sleep(away).await;
            }
            let Some(node) = self.room.at(self.table, &mut self.random) else {
                continue;
            };
            let Some(order) = self.wish(&node).await else {
                continue;
            };
            self.last_id += 1;
            self.insist(order).await;
        }
    }

    async fn wish(&mut self, node: &Node) -> Option<Order> {
        let viewer = Viewer::Player(self.me);
        let seen = node.or_dead(node.tables.view(self.table, viewer)).await;
        let Some(Ok(seen)) = seen else { return None };
        let view = seen.view.clone();
        self.room
            .ears
            .shown
            .lock()
            .expect(UNBROKEN)
            .push(Shown { viewer, view: seen });
        let Some(seat) = view.you else {
            return Some(self.sit());
        };
        let dice = self.random.below(100);
        match dice {
            0 => return Some(Order::Leave),
            1 => return Some(Order::SitOut),
            2 | 3 => return Some(Order::SitIn { post_now: true }),
            4 | 5 => {
                let amount = self.random.below(3_000);
                return Some(Order::TopUp { amount });
            }
            6 => return Some(self.sit()),
            7 => return self.presence(node).await,
            8 | 9 => {
                // Nonsense.
                let hand = engine::HandNo(self.random.below(30));
                let turn = engine::Turn(self.random.below(12) as u32);
                return Some(self.act(hand, turn, None));
            }
            _ => {}
        }
        let me = view.seats[usize::from(seat.0)].as_ref()?;
        if me.away.is_some() && self.random.below(4) == 0 {
            return Some(Order::SitIn { post_now: true });
        }
        let hand = view.hand.as_ref()?;
        let legal = hand.legal?;
        if legal.seat != seat && self.random.below(30) > 0 {
            return None;
        }
        Some(self.act(hand.hand, legal.turn, Some(legal)))
    }

    async fn presence(&mut self, node: &Node) -> Option<Order> {
        let there = self.random.below(2) == 0;
        let told = node.tables.presence(self.table, self.me, there);
        let _heard = node.or_dead(told).await;
        None
    }

    fn sit(&mut self) -> Order {
        let any = self.random.below(3) > 0;
        Order::Sit {
            seat: (!any).then(|| SeatNo(self.random.below(6) as u8)),
            name: format!("player {}", self.me.0).into(),
            buy_in: 900 + self.random.below(9_000),
            post_now: self.random.below(4) > 0,
        }
    }

    fn act(
        &mut self,
        hand: engine::HandNo,
        turn: engine::Turn,
        legal: Option<engine::Legal>,
    ) -> Order {
        let raise = legal.and_then(|legal| legal.raise_to);
        let action = match self.random.below(20) {
            0 | 1 => Action::Fold,
            2 => Action::RaiseTo {
                to: self.random.below(12_000),
            },
            3..=5 if raise.is_some() => {
                let bounds = raise.expect("just seen");
                let room = (bounds.max_to - bounds.min_to).min(600) + 1;
                Action::RaiseTo {
                    to: bounds.min_to + self.random.below(room),
                }
            }
            6 if raise.is_some() => Action::RaiseTo {
                to: raise.expect("just seen").max_to,
            },
            _ if legal.is_some_and(|legal| legal.check) => Action::Check,
            _ => Action::Call,
        };
        Order::Act { hand, turn, action }
    }

    /// Asks until there is an answer, or gives up without knowing.
    async fn insist(&mut self, order: Order) {
        let mut request = Request {
            player: self.me,
            id: self.last_id,
            first_attempt: true,
            order,
            received: Instant::now(),
        };
        let attempts = 1 + self.random.below(8);
        let mut told = Told::Unknown;
        for attempt in 0..attempts {
            let Some(node) = self.room.at(self.table, &mut self.random) else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            request.received = Instant::now();
            let patience = Duration::from_millis(match self.random.below(6) {
                0 => self.random.below(12),
                1 => self.random.below(200),
                _ => 3_000,
            });
            let answer = self.ask(&node, &request, patience).await;
            told = match answer {
                Some(Ok(done)) => Told::Done(done),
                Some(Err(CallError::Refused { rule, .. })) => Told::Refused(rule),
                Some(Err(CallError::Rejected(reject))) => Told::Refused(reject.name()),
                Some(Err(CallError::Busy { .. })) if attempt == 0 && attempts == 1 => Told::Busy,
                Some(Err(
                    CallError::Busy { .. }
                    | CallError::Parked
                    | CallError::Unknown { .. }
                    | CallError::Elsewhere
                    | CallError::NoSuchTable(_),
                ))
                | None => Told::Unknown,
            };
            if !matches!(told, Told::Unknown) {
                break;
            }
            self.freeze(&request);
            request.first_attempt = false;
            let pause = Duration::from_millis(self.random.below(150));
            tokio::time::sleep(pause).await;
        }
        self.hear(&request, told.clone());
        // Who does not sit must not ask again after a refusal of his first attempt.
        let final_for_all = match &told {
            Told::Done(_) => true,
            Told::Refused("AlreadySeated") => true,
            Told::Refused("NotSeated") => !request.first_attempt,
            Told::Refused(_) => {
                !request.first_attempt || !matches!(request.order, Order::Sit { .. })
            }
            Told::Busy | Told::Unknown => false,
        };
        if final_for_all && self.random.below(4) == 0 {
            self.repeat_later(request);
        }
    }

    async fn ask(
        &self,
        node: &Node,
        request: &Request,
        patience: Duration,
    ) -> Option<Result<Done, CallError>> {
        let call = node.tables.call(self.table, request.clone());
        let call = tokio::time::timeout(patience, call);
        node.or_dead(call).await?.ok()
    }

    /// A copy of an attempt without an answer hangs somewhere, and thaws later. Nobody
    /// hears what becomes of it.
    fn freeze(&mut self, request: &Request) {
        if self.random.below(3) > 0 {
            return;
        }
        let (room, table, copy) = (Arc::clone(&self.room), self.table, request.clone());
        let mut random = SplitMix(self.random.number());
        let thaw = Duration::from_millis(random.below(4_000));
        self.room.spawn(async move {
            tokio::time::sleep(thaw).await;
            if let Some(node) = room.at(table, &mut random) {
                let _nobody = node.or_dead(node.tables.call(table, copy)).await;
            }
        });
    }

    /// The same request again, seconds later: it must be answered as before.
    fn repeat_later(&mut self, mut request: Request) {
        request.first_attempt = false;
        let (room, table) = (Arc::clone(&self.room), self.table);
        let mut random = SplitMix(self.random.number());
        let later = Duration::from_millis(random.below(3_000));
        self.room.spawn(async move {
            tokio::time::sleep(later).await;
            let Some(node) = room.at(table, &mut random) else {
                return;
            };
            let told = match node.or_dead(node.tables.call(table, request.clone())).await {
                Some(Ok(done)) => Told::Done(done),
                Some(Err(CallError::Refused { rule, .. })) => Told::Refused(rule),
                Some(Err(CallError::Rejected(reject))) => Told::Refused(reject.name()),
                Some(Err(_)) | None => Told::Unknown,
            };
            room.ears.heard.lock().expect(UNBROKEN).push(Heard {
                table,
                player: request.player,
                id: request.id,
                told,
            });
        });
    }

    fn hear(&self, request: &Request, told: Told) {
        self.room.ears.heard.lock().expect(UNBROKEN).push(Heard {
            table: self.table,
            player: request.player,
            id: request.id,
            told,
        });
    }
}
