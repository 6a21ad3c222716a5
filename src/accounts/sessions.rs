//! Makes guests and says whose token a token is.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use engine::{Name, NameError, PlayerId};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    cache::Cache,
    display_name::{self, NameProblem},
    limit::{Buckets, GuestLimit},
    token::Token,
};
use crate::store::{SessionRecord, Store, StoreError};

/// The sessions of all players. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

/// What [`Sessions`] are made with; every value comes from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// So many sessions are kept in memory, about 200 bytes each; others cost a read of the store.
    pub cached: usize,
    /// How many guests one address may make.
    pub guests: GuestLimit,
}

/// A proven session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who it is.
    pub player: PlayerId,
    /// What the others call him.
    pub name: Name,
    /// How he proved it.
    pub identity: Identity,
}

/// How a player proves who he is. Accounts with a log-in come as another variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By holding the token; there is no other way back.
    Guest,
}

/// A guest who was just made, with the only copy of his token.
pub struct NewGuest {
    /// The session.
    pub session: Arc<Session>,
    /// To be told to the player, and to nobody else.
    pub token: Token,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The display name is none.
    #[error(transparent)]
    Name(#[from] NameProblem),
    /// The address made too many guests.
    #[error("too many guests from this address")]
    TooManyGuests {
        /// When it may make the next.
        retry_after: Duration,
    },
    /// Nobody has this token.
    #[error("no session has this token")]
    UnknownToken,
    /// The store gave no answer.
    #[error("the store of sessions: {0}")]
    Store(#[from] StoreError),
    /// What the store holds is not a session.
    #[error("the stored session of player {player} is none: {cause}")]
    Corrupt {
        /// Whose.
        player: PlayerId,
        /// What is wrong with its name.
        cause: NameError,
    },
    /// The operating system gave no random bits.
    #[error("the operating system's random generator failed: {0}")]
    NoEntropy(#[from] getrandom::Error),
}

impl Sessions {
    /// The sessions that this store keeps.
    pub fn new(store: Arc<dyn Store>, settings: SessionSettings) -> Self {
        Self(Arc::new(Inner {
            store,
            cache: Mutex::new(Cache::new(settings.cached)),
            buckets: Mutex::new(Buckets::new(settings.guests)),
        }))
    }

    /// Makes a new player with a new token. The session is durable when this answers; after an error there may be a
    /// player whose token nobody knows, which is no harm.
    ///
    /// # Errors
    /// When the name is none, the address made too many guests, or the store gives no answer.
    pub async fn create_guest(&self, name: &str, peer: IpAddr) -> Result<NewGuest, AccountsError> {
        let name = display_name::parse(name)?;
        lock(&self.0.buckets)
            .take(peer, Instant::now())
            .map_err(|retry_after| AccountsError::TooManyGuests { retry_after })?;
        let token = Token::random()?;
        let player = PlayerId(Uuid::new_v4().as_u128());
        let record = SessionRecord {
            player,
            display_name: name.as_str().to_owned(),
            created_ms: now_ms(),
        };
        self.0.store.put_session(token.hash(), &record).await?;
        let session = Arc::new(Session {
            player,
            name,
            identity: Identity::Guest,
        });
        lock(&self.0.cache).keep(token.hash(), Arc::clone(&session));
        Ok(NewGuest { session, token })
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`AccountsError::UnknownToken`] when it is nobody's, whatever is wrong with it; else when the store gives no answer.
    pub async fn authenticate(&self, token: &str) -> Result<Arc<Session>, AccountsError> {
        let hash = Token::parse(token)
            .ok_or(AccountsError::UnknownToken)?
            .hash();
        let known = lock(&self.0.cache).find(hash);
        if let Some(session) = known {
            return Ok(session);
        }
        let record = self
            .0
            .store
            .session(hash)
            .await?
            .ok_or(AccountsError::UnknownToken)?;
        let player = record.player;
        let name = Name::new(&record.display_name)
            .map_err(|cause| AccountsError::Corrupt { player, cause })?;
        let session = Arc::new(Session {
            player,
            name,
            identity: Identity::Guest,
        });
        lock(&self.0.cache).keep(hash, Arc::clone(&session));
        Ok(session)
    }
}

struct Inner {
    store: Arc<dyn Store>,
    cache: Mutex<Cache>,
    buckets: Mutex<Buckets>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds this lock")
}

/// For display only: nothing is decided by it.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests;
