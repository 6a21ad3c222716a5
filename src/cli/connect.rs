//! Which server, and as whom: arguments that several commands share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit::Failure;
use crate::client::{Address, Backoff, Link, Patience, Player, Session};

/// The server.
#[derive(Debug, clap::Args)]
pub struct ServerArgs {
    /// The server's address, host:port; several of one cluster with commas or by repeating it.
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        value_delimiter = ',',
        default_value = "127.0.0.1:50051"
    )]
    pub server: Vec<Address>,
}

/// The server and the player.
#[derive(Debug, clap::Args)]
pub struct SessionArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Where the player's token is kept [default: one file for each server in the state directory].
    #[arg(long, global = true, value_name = "FILE")]
    session: Option<PathBuf>,
    #[arg(long, hide = true, env = "XDG_STATE_HOME", hide_env = true)]
    state_home: Option<PathBuf>,
    #[arg(long, hide = true, env = "HOME", hide_env = true)]
    home: Option<PathBuf>,
}

impl ServerArgs {
    /// A way to the server that gives up after ten seconds: a person is waiting.
    pub fn link(&self) -> anyhow::Result<Link> {
        let patience = Patience {
            attempt: Duration::from_secs(5),
            overall: Duration::from_secs(10),
            backoff: Backoff::default(),
        };
        Ok(Link::new(&self.server, patience)?)
    }
}

impl SessionArgs {
    /// The file with the token.
    pub fn file(&self) -> anyhow::Result<PathBuf> {
        if let Some(file) = &self.session {
            return Ok(file.clone());
        }
        let set = |path: &&PathBuf| !path.as_os_str().is_empty();
        let in_home = |home: &PathBuf| home.join(".local").join("state");
        let state = self.state_home.as_ref().filter(set).cloned();
        let state = state.or_else(|| self.home.as_ref().filter(set).map(in_home));
        let directory = state
            .ok_or(Failure::NoStateDirectory)?
            .join("openrustpoker");
        let server = self
            .server
            .server
            .first()
            .map(Address::file_name)
            .unwrap_or_default();
        Ok(directory.join(format!("session-{server}.json")))
    }

    /// The player who played from here before; a new guest if there is none and a name is given. Also a new guest, and words
    /// about it on standard error, if the server does not know the one before: his session is kept beside.
    pub async fn player(&self, link: &Link, name: Option<&str>) -> anyhow::Result<Player> {
        let file = self.file()?;
        let Some(session) = Session::load(&file)? else {
            let missing = || Failure::NoSession(file.display().to_string());
            return new_guest(link, name.ok_or_else(missing)?, &file).await;
        };
        let known = &session.display_name;
        if let Some(name) = name
            && name != known
        {
            anyhow::bail!(
                "{} is the session of {known}; for {name} name another file with --session",
                file.display()
            );
        }
        match Player::resume(link, &session).await {
            Ok(player) => Ok(player),
            Err(error) if error.is_unknown() => {
                let aside = Session::set_aside(&file)?;
                eprintln!(
                    "this server does not know the session of {known}, it may have another store by now; you are a new guest, \
                     and the old session is kept in {}",
                    aside.display()
                );
                new_guest(link, known, &file).await
            }
            Err(error) => {
                let coming = format!("coming back as {known} with {}", file.display());
                Err(anyhow::Error::new(error).context(coming))
            }
        }
    }

    /// The player who played from here before, or a new guest who is not remembered: for looking only.
    pub async fn anybody(&self, link: &Link) -> anyhow::Result<Player> {
        let file = self.file().ok();
        let known = file.map(|file| Session::load(&file)).transpose()?.flatten();
        if let Some(session) = known {
            match Player::resume(link, &session).await {
                Err(error) if error.is_unknown() => {}
                known => return Ok(known?),
            }
        }
        Ok(Player::guest(link, "guest").await?.0)
    }
}

async fn new_guest(link: &Link, name: &str, file: &Path) -> anyhow::Result<Player> {
    let (player, session) = Player::guest(link, name).await?;
    session.save(file)?;
    Ok(player)
}
