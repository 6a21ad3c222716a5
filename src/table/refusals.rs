//! The last refused request of each player, so that a repeat hears the same words.
//!
//! Only words: that a repeated request is refused for good is in the log.

use std::collections::BTreeMap;

use engine::PlayerId;

use super::request::{CallError, Request};

/// The last refusals of a table's actor.
#[derive(Default)]
pub struct Refusals(BTreeMap<PlayerId, (u64, CallError)>);

impl Refusals {
    /// What this request, or a later one of this player, was answered. An older one than
    /// the last is refused as such: the ids of a player rise.
    pub fn of(&self, request: &Request) -> Option<CallError> {
        let (last, refused) = self.0.get(&request.player)?;
        match request.id.cmp(last) {
            std::cmp::Ordering::Less => Some(CallError::stale_request()),
            std::cmp::Ordering::Equal => Some(refused.clone()),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// Keeps a refusal; at the limit some other player's is given up.
    pub fn note(&mut self, request: &Request, refused: &CallError) {
        if self.of(request).is_some() {
            return;
        }
        self.0.insert(request.player, (request.id, refused.clone()));
        if self.0.len() > REFUSALS_MAX {
            let other = self
                .0
                .keys()
                .copied()
                .find(|player| *player != request.player);
            other.map(|player| self.0.remove(&player));
        }
    }

    /// The player's next request was done.
    pub fn forget(&mut self, player: PlayerId) {
        self.0.remove(&player);
    }
}

/// More than can sit, so that players at the table are seldom given up for spectators.
const REFUSALS_MAX: usize = 64;
