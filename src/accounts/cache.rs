//! The sessions that were used lately, in bounded memory.
//!
//! Two generations: a used entry moves to the young one; when that is full, it becomes the old one and what was old is
//! forgotten. So every operation takes constant time and at most twice `young_max` entries are kept.

use std::{collections::HashMap, sync::Arc};

use super::sessions::Session;
use crate::store::TokenHash;

pub struct Cache {
    young: HashMap<TokenHash, Arc<Session>>,
    old: HashMap<TokenHash, Arc<Session>>,
    young_max: usize,
}

impl Cache {
    /// A cache of at most `entries`.
    pub fn new(entries: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_max: (entries / 2).max(1),
        }
    }

    /// The session of a token, if it was used lately.
    pub fn find(&mut self, token: TokenHash) -> Option<Arc<Session>> {
        if let Some(session) = self.young.get(&token) {
            return Some(Arc::clone(session));
        }
        let session = self.old.remove(&token)?;
        self.keep(token, Arc::clone(&session));
        Some(session)
    }

    /// Remembers a session.
    pub fn keep(&mut self, token: TokenHash, session: Arc<Session>) {
        if self.young.len() >= self.young_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, session);
    }
}

#[cfg(test)]
mod tests {
    use engine::{Name, PlayerId};

    use super::*;
    use crate::accounts::Identity;

    fn hash(n: u8) -> TokenHash {
        TokenHash([n; 32])
    }

    fn session(n: u8) -> Arc<Session> {
        let name = Name::new("Ada").expect("Ada is a name");
        Arc::new(Session {
            player: PlayerId(n.into()),
            name,
            identity: Identity::Guest,
        })
    }

    #[test]
    fn what_is_used_stays_and_memory_is_bounded() {
        let mut cache = Cache::new(8);
        for n in 0..200 {
            cache.keep(hash(n), session(n));
            assert!(
                cache.find(hash(0)).is_some(),
                "0 is used all the time, after {n}"
            );
            assert!(cache.young.len() + cache.old.len() <= 8);
        }
        assert!(cache.find(hash(1)).is_none());
        assert_eq!(
            cache.find(hash(199)).map(|session| session.player),
            Some(PlayerId(199))
        );
    }
}
