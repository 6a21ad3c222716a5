//! The limits of the edge. Every value comes from the configuration; here is why there is one.

use std::time::Duration;

use http::HeaderValue;
use tower_http::cors::AllowOrigin;

use super::watch::WatchLimits;

/// What the listeners are made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The largest request. The largest one that means anything is a WatchSession with a few hundred tables.
    pub request_bytes_max: usize,
    /// Streams and calls that one connection may have open; a client with 24 tables needs a stream and a few calls. A
    /// client that multiplexes many sessions over one connection needs one for each session, and one more.
    pub streams_per_connection: u32,
    /// Calls of one connection that are worked on at the same time; more are turned away with RESOURCE_EXHAUSTED.
    pub calls_per_connection: usize,
    /// The headers of one call.
    pub header_bytes_max: u32,
    /// A quiet connection is asked after so long whether it is still there.
    pub keep_alive_every: Duration,
    /// And closed when it does not answer for so long. Both together say how late a vanished player is noticed (R18).
    pub keep_alive_timeout: Duration,
    /// A call that takes longer is answered DEADLINE_EXCEEDED: unknown. Longer than the tables' own time for a call.
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

impl Default for Options {
    /// What `config/default.yaml` says.
    fn default() -> Self {
        Self {
            request_bytes_max: 16 * 1024,
            streams_per_connection: 16,
            calls_per_connection: 64,
            header_bytes_max: 8 * 1024,
            keep_alive_every: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(5),
            origins: Origins::These(Vec::new()),
            watch: WatchLimits::default(),
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
