//! Names of nodes and of their incarnations.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::store::Incarnation;

/// A node's name, as its configuration gives it: letters, digits, `-`, `_` and `.`, so that it can be part of other names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeName(String);

/// One start of a node's process. What the store's `owner` column holds, as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// The node.
    pub name: NodeName,
    /// Which start of it.
    pub incarnation: Incarnation,
}

/// What is not the name of a node, or of an incarnation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a node's name: use 1 to {NAME_MAX} letters, digits, `-`, `_` and `.`")]
pub struct BadName(String);

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.is_empty() || text.len() > NAME_MAX || !text.chars().all(fits) {
            return Err(BadName(text.into()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.incarnation.0)
    }
}

impl FromStr for Peer {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = || BadName(text.into());
        let (name, incarnation) = text.split_once('/').ok_or_else(bad)?;
        Ok(Self {
            name: name.parse()?,
            incarnation: Incarnation(incarnation.parse().ok().ok_or_else(bad)?),
        })
    }
}

const NAME_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_print_and_parse() {
        let peer = Peer {
            name: "node-0.example".parse().expect("a name"),
            incarnation: Incarnation(7),
        };
        assert_eq!(peer.to_string().parse(), Ok(peer));
        for bad in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad:?}");
        }
        assert!("node-0".parse::<Peer>().is_err());
        assert!("node-0/zero".parse::<Peer>().is_err());
    }
}
