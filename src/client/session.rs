//! Who plays: a guest's token, kept in a file or in memory only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use proto::v1::session_service_client::SessionServiceClient;
use proto::v1::{CreateGuestRequest, GetSessionRequest};
use serde::{Deserialize, Serialize};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use super::error::CallError;
use super::link::Link;

/// What is kept of a guest. It has no `Debug`: the token is the only way back to the seat, and whoever has it is the
/// player.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The player's id.
    pub player_id: String,
    /// What the others see.
    pub display_name: String,
    token: String,
}

/// A session that cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The file cannot be read or written.
    #[error("session file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not one that `save` wrote.
    #[error("session file {path} is damaged: {source}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The server gave a token that cannot be sent back.
    #[error("the token holds characters that cannot be sent")]
    Token,
    /// The server was asked and did not do it.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SessionError {
    /// Whether the server answered that it knows no such session.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Call(CallError::Refused(refusal)) if refusal.rule == "UnknownToken")
    }
}

/// A player's side of a link: every call names him. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    link: Link,
    id: String,
    name: String,
    bearer: MetadataValue<Ascii>,
}

impl Session {
    /// Reads a session; `None` if there is no such file.
    pub fn load(path: &Path) -> Result<Option<Session>, SessionError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(SessionError::File {
                    path: path.into(),
                    source,
                });
            }
        };
        let session = serde_json::from_str(&text);
        session.map(Some).map_err(|source| SessionError::Damaged {
            path: path.into(),
            source,
        })
    }

    /// Writes a session so that only its owner can read it, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), SessionError> {
        self.write(path).map_err(|source| SessionError::File {
            path: path.into(),
            source,
        })
    }

    /// Moves a session's file out of the way, to a name beside it that is not taken: another server may know the token. Answers
    /// that name.
    pub fn set_aside(path: &Path) -> Result<PathBuf, SessionError> {
        let named = |n: u32| path.with_extension(format!("unknown-{n}.json"));
        let free = (1..).map(named).find(|aside| !aside.exists());
        let aside = free.expect("a folder does not hold four billion files");
        match fs::rename(path, &aside) {
            Ok(()) => Ok(aside),
            Err(source) => Err(SessionError::File {
                path: path.into(),
                source,
            }),
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let fresh = path.with_extension("new");
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(OWNER_ONLY);
        let mut file = options.open(&fresh)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(fresh, path)
    }
}

impl Player {
    /// Makes a new guest. Repeated if the answer was lost: then there is one guest more that nobody uses.
    pub async fn guest(link: &Link, display_name: &str) -> Result<(Player, Session), SessionError> {
        let message = CreateGuestRequest {
            display_name: display_name.into(),
        };
        let answer = link
            .repeat(|channel, _first| {
                let message = message.clone();
                async move {
                    SessionServiceClient::new(channel)
                        .create_guest(message)
                        .await
                }
            })
            .await?;
        let guest = answer.message;
        let session = Session {
            player_id: guest.player_id,
            display_name: guest.display_name,
            token: guest.token,
        };
        Ok((Player::known(link, &session)?, session))
    }

    /// Comes back as the player of a session. Asks the server whether it still knows him.
    pub async fn resume(link: &Link, session: &Session) -> Result<Player, SessionError> {
        let mut player = Player::known(link, session)?;
        let answer = link
            .repeat(|channel, _first| {
                let request = player.request(GetSessionRequest {});
                async move {
                    SessionServiceClient::new(channel)
                        .get_session(request)
                        .await
                }
            })
            .await?;
        player.id = answer.message.player_id;
        player.name = answer.message.display_name;
        Ok(player)
    }

    fn known(link: &Link, session: &Session) -> Result<Player, SessionError> {
        let Ok(mut bearer) = format!("Bearer {}", session.token).parse::<MetadataValue<Ascii>>()
        else {
            return Err(SessionError::Token);
        };
        bearer.set_sensitive(true);
        Ok(Player {
            link: link.clone(),
            id: session.player_id.clone(),
            name: session.display_name.clone(),
            bearer,
        })
    }

    /// His id on this server.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the others see.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The way to the server.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The message with his token on it.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.bearer.clone());
        request
    }

    /// The same, with the time that one attempt has.
    pub(super) fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = self.request(message);
        request.set_timeout(self.link.patience().attempt);
        request
    }
}

/// Read and write for the owner, nothing for anybody else.
const OWNER_ONLY: u32 = 0o600;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Session, SessionError};

    #[test]
    fn a_session_survives_in_a_file_that_only_its_owner_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/session.json");
        assert!(Session::load(&path).unwrap().is_none());
        let session = Session {
            player_id: "p".into(),
            display_name: "Ann".into(),
            token: "secret".into(),
        };
        session.save(&path).unwrap();
        session.save(&path).unwrap();
        assert!(Session::load(&path).unwrap() == Some(session));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_session_that_is_set_aside_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.json");
        for n in 1..=2 {
            std::fs::write(&path, n.to_string()).unwrap();
            let aside = Session::set_aside(&path).unwrap();
            let name = format!("session.unknown-{n}.json");
            assert_eq!(aside, directory.path().join(name));
            assert_eq!(std::fs::read_to_string(aside).unwrap(), n.to_string());
            assert!(Session::load(&path).unwrap().is_none());
        }
        assert!(matches!(
            Session::set_aside(&path),
            Err(SessionError::File { .. })
        ));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.json");
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(
            Session::load(&path),
            Err(SessionError::Damaged { .. })
        ));
    }
}
