//! Actors that do what a test tells them, and a journal of what they did.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use supervisors::{ChildSpec, Echo, StartFn};
use tokio::sync::watch;

/// Longer than all limits in these tests together; of paused time, so it costs nothing.
const DAY: Duration = Duration::from_secs(86_400);

/// How an incarnation comes up.
#[derive(Debug, Clone, Copy)]
pub enum Birth {
    Fine,
    Slow(Duration),
    Fails,
    Panics,
    /// Comes up, and its start function never returns.
    Lost,
    /// Comes up and panics before anybody can speak to it.
    PanicsAtOnce,
}

/// How it takes a stop.
#[derive(Debug, Clone, Copy)]
pub enum Death {
    Fine,
    Slow(Duration),
    Panics,
}

/// What the actor is told to do next.
#[derive(Debug)]
pub enum Do {
    Panic,
    Fail,
    /// Stays in its handler for ever, deaf to a stop.
    Hang,
    /// Is busy so long.
    Work(Duration),
    /// Answers.
    Probe(Echo),
}

#[cfg(feature = "cluster")]
impl ractor::Message for Do {}

#[derive(Debug, thiserror::Error)]
#[error("told to fail")]
struct ToldToFail;

/// What every actor here says of itself when it is probed.
pub const WAITING: usize = 7;

type Births = Arc<dyn Fn(u32) -> Birth + Send + Sync>;

/// What all actors of a test share.
#[derive(Clone)]
pub struct Stage {
    journal: watch::Sender<Vec<String>>,
    incarnations: Arc<Mutex<HashMap<String, u32>>>,
}

impl Stage {
    pub fn new() -> Self {
        Self {
            journal: watch::Sender::new(Vec::new()),
            incarnations: Arc::default(),
        }
    }

    pub fn note(&self, line: String) {
        self.journal.send_modify(|lines| lines.push(line));
    }

    /// Waits until the journal has so many lines, and returns it.
    pub async fn lines(&self, count: usize) -> Vec<String> {
        let mut journal = self.journal.subscribe();
        let enough = journal.wait_for(|lines| lines.len() >= count);
        let Ok(lines) = tokio::time::timeout(DAY, enough).await else {
            panic!("never {count} lines: {:?}", self.journal.borrow());
        };
        let lines = lines.expect("the stage lives").clone();
        assert_eq!(lines.len(), count, "too many lines: {lines:?}");
        lines
    }

    /// The whole journal once nothing more happens for a (virtual) day.
    pub async fn quiet(&self) -> Vec<String> {
        tokio::time::sleep(DAY).await;
        self.journal.borrow().clone()
    }

    /// Forgets what was noted so far.
    pub fn clear(&self) {
        self.journal.send_modify(Vec::clear);
    }

    /// A child that behaves.
    pub fn good(&self, name: &str) -> ChildSpec {
        self.child(name, |_| Birth::Fine, Death::Fine)
    }

    /// A child whose n-th incarnation (from 0) comes up as `births` says.
    pub fn child(
        &self,
        name: &str,
        births: impl Fn(u32) -> Birth + Send + Sync + 'static,
        death: Death,
    ) -> ChildSpec {
        ChildSpec::from_start(name.to_owned(), self.start(name, births, death))
    }

    pub fn start(
        &self,
        name: &str,
        births: impl Fn(u32) -> Birth + Send + Sync + 'static,
        death: Death,
    ) -> StartFn {
        let (stage, name, births): (_, _, Births) =
            (self.clone(), name.to_owned(), Arc::new(births));
        StartFn::new(move |supervisor| {
            let birth = births(stage.next_incarnation(&name));
            let arguments = Role {
                stage: stage.clone(),
                name: name.clone(),
                birth,
                death,
            };
            async move {
                let (actor, _) = Player::spawn_linked(None, Player, arguments, supervisor).await?;
                match birth {
                    Birth::Lost => pending().await,
                    Birth::PanicsAtOnce => {
                        // Its panic is known to its supervisor before the start function returns.
                        actor.wait(None).await.expect("it ends");
                        Ok(actor)
                    }
                    Birth::Fine | Birth::Slow(_) | Birth::Fails | Birth::Panics => Ok(actor),
                }
            }
        })
    }

    fn next_incarnation(&self, name: &str) -> u32 {
        let mut incarnations = self
            .incarnations
            .lock()
            .expect("no test thread panics with it");
        let next = incarnations.entry(name.to_owned()).or_default();
        *next += 1;
        *next - 1
    }
}

pub fn tell(cell: &ActorCell, what: Do) {
    cell.send_message(what).expect("it is alive");
}

pub struct Player;

pub struct Role {
    stage: Stage,
    name: String,
    birth: Birth,
    death: Death,
}

impl Actor for Player {
    type Msg = Do;
    type State = Role;
    type Arguments = Role;

    async fn pre_start(&self, _: ActorRef<Do>, role: Role) -> Result<Role, ActorProcessingErr> {
        match role.birth {
            Birth::Fine | Birth::Lost | Birth::PanicsAtOnce => {}
            Birth::Slow(time) => tokio::time::sleep(time).await,
            Birth::Fails => {
                role.stage.note(format!("{} fails", role.name));
                return Err(ToldToFail.into());
            }
            Birth::Panics => {
                role.stage.note(format!("{} panics", role.name));
                panic!("born to panic");
            }
        }
        role.stage.note(format!("{} up", role.name));
        Ok(role)
    }

    async fn post_start(&self, _: ActorRef<Do>, role: &mut Role) -> Result<(), ActorProcessingErr> {
        assert!(!matches!(role.birth, Birth::PanicsAtOnce), "panics at once");
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Do>,
        what: Do,
        role: &mut Role,
    ) -> Result<(), ActorProcessingErr> {
        match what {
            Do::Panic => panic!("told to panic"),
            Do::Fail => Err(ToldToFail.into()),
            Do::Hang => {
                role.stage.note(format!("{} hangs", role.name));
                pending().await
            }
            Do::Work(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Do::Probe(echo) => {
                echo.answer(WAITING);
                Ok(())
            }
        }
    }

    async fn post_stop(&self, _: ActorRef<Do>, role: &mut Role) -> Result<(), ActorProcessingErr> {
        match role.death {
            Death::Fine => {}
            Death::Slow(time) => tokio::time::sleep(time).await,
            Death::Panics => {
                role.stage.note(format!("{} panics", role.name));
                panic!("dies as it lived");
            }
        }
        role.stage.note(format!("{} down", role.name));
        Ok(())
    }
}
