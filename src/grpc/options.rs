//! The limits of the edge. Every value comes from the configuration; here is why there is one.

use std::time::Duration;

use http::HeaderValue;
use tower_http::cors::AllowOrigin;

use super::{connections::ConnectionLimits, watch::WatchLimits};

/// What the listeners are made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The largest request; one that is larger is refused before it is read.
    pub request_bytes_max: usize,
    /// Connections that a listener may have open.
    pub connections: ConnectionLimits,
    /// Streams and calls that one connection may have open. A client that multiplexes many sessions over one connection
    /// needs one for each session's stream, and some for calls; what is above waits in the client.
    pub streams_per_connection: u32,
    /// Calls of one connection that are worked on at the same time; more are turned away with RESOURCE_EXHAUSTED.
    pub calls_per_connection: usize,
    /// A quiet connection is asked after so long whether it is still there, and closed when it does not answer for as
    /// long again: both together say how late a vanished player is noticed (R18).
    pub keep_alive: Duration,
    /// A call that takes longer is answered DEADLINE_EXCEEDED: unknown. Longer than the tables' own time for a call,
    /// which ends with a better answer.
    pub call_timeout: Duration,
    /// How long open connections may take to end after the server was asked to stop.
    pub drain: Duration,
    /// Which web pages may call.
    pub origins: Origins,
    /// The limits of watches.
    pub watch: WatchLimits,
}

/// Web pages that may call, by origin (`https://poker.example`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Pages of these origins; none is no page.
    These(Vec<HeaderValue>),
    /// Every page. A token is not sent by browsers on their own, so this gives nobody's session away.
    Any,
}

/// What is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin: write `https://host`, with `:port` if it is not the usual one, or `*` alone for every page"
)]
pub struct BadOrigin(String);

impl Origins {
    /// The origins of a list of texts; `*` alone is every page.
    ///
    /// # Errors
    /// Names the first text that is not an origin.
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, BadOrigin> {
        if let [only] = texts
            && only.as_ref() == "*"
        {
            return Ok(Self::Any);
        }
        texts
            .iter()
            .map(|text| origin(text.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self::These)
    }

    pub(super) fn allow(&self) -> AllowOrigin {
        match self {
            Self::These(origins) => AllowOrigin::list(origins.iter().cloned()),
            Self::Any => AllowOrigin::any(),
        }
    }
}

fn origin(text: &str) -> Result<HeaderValue, BadOrigin> {
    let bad = || BadOrigin(text.to_owned());
    let uri: http::Uri = text.parse().ok().ok_or_else(bad)?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    // A page's origin has no path, not even the empty one, and is compared as text.
    if !web
        || uri
            .authority()
            .is_none_or(|authority| !text.ends_with(authority.as_str()))
    {
        return Err(bad());
    }
    HeaderValue::from_str(text).ok().ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_parsed_or_named() {
        let check = |texts: &[&str], expected: Result<usize, &str>| {
            let parsed = Origins::parse(texts);
            let found = match &parsed {
                Ok(Origins::These(origins)) => Ok(origins.len()),
                Ok(Origins::Any) => Ok(usize::MAX),
                Err(BadOrigin(text)) => Err(text.as_str()),
            };
            assert_eq!(found, expected, "{texts:?}");
        };
        check(&[], Ok(0));
        check(&["*"], Ok(usize::MAX));
        check(&["https://poker.example", "http://localhost:8080"], Ok(2));
        check(&["https://poker.example", "*"], Err("*"));
        check(&["poker.example"], Err("poker.example"));
        check(&["https://poker.example/"], Err("https://poker.example/"));
        check(&["https://poker.example/a"], Err("https://poker.example/a"));
        check(&["ftp://poker.example"], Err("ftp://poker.example"));
        check(&["https://a b"], Err("https://a b"));
        check(&[""], Err(""));
    }
}
