//! The first frame each way. A node says which cluster and which release it belongs to, and who it is; the other lets it in
//! or says why not, before anything else is read.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::{cluster::peer::Peer, store::Incarnation};

/// What is spoken after the handshake. Raised when a release can no longer talk to the one before.
pub const VERSION: u32 = 1;

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// The cluster's name.
    pub cluster: String,
    /// The node's name.
    pub node: String,
    /// Which start of it.
    pub incarnation: Incarnation,
    /// Where other nodes connect to it.
    pub address: String,
    /// A digest of the secret that all nodes have, so that a wrong one is named. Its comparison is `ractor_cluster`'s.
    #[serde(default)]
    pub cookie: String,
}

/// Whether a node is let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Welcome {
    /// By this node.
    Yes(Hello),
    /// By this node, which dials back: of two nodes the one whose name comes first dials, so that there is one link.
    CallsBack(Hello),
    /// And why not.
    No(String),
}

/// Why a node is not let in. The other one reads it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// Another release.
    #[error(
        "it speaks version {theirs} of the link protocol, this node {VERSION}: upgrade the older one"
    )]
    Version {
        /// The version of the other.
        theirs: u32,
    },
    /// Another cluster.
    #[error("it belongs to the cluster `{theirs}`, this node to `{ours}`: see cluster.name")]
    Cluster {
        /// The name that the other said.
        theirs: String,
        /// The name that is configured here.
        ours: String,
    },
    /// Another secret.
    #[error("its cookie is not this node's: all nodes have the same, see cluster.cookie_file")]
    Cookie,
    /// Not a name.
    #[error(transparent)]
    Name(#[from] crate::cluster::peer::BadName),
    /// It is this very process.
    #[error("it is this node itself")]
    Myself,
    /// Somebody else has the name.
    #[error("there is another node with the name `{0}`: every node needs its own, see server.node")]
    NameTaken(String),
}

/// Who says hello, if that node is welcome. `linked` are the nodes that there is a link to.
///
/// # Errors
/// Names what is wrong, and what to do.
pub fn judge(ours: &Hello, theirs: &Hello, linked: &[Peer]) -> Result<Peer, Unwelcome> {
    if theirs.version != ours.version {
        let theirs = theirs.version;
        return Err(Unwelcome::Version { theirs });
    }
    if theirs.cluster != ours.cluster {
        return Err(Unwelcome::Cluster {
            theirs: theirs.cluster.clone(),
            ours: ours.cluster.clone(),
        });
    }
    if theirs.cookie != ours.cookie {
        return Err(Unwelcome::Cookie);
    }
    let peer = Peer {
        name: theirs.node.parse()?,
        incarnation: theirs.incarnation,
    };
    if peer.incarnation == ours.incarnation {
        return Err(Unwelcome::Myself);
    }
    let namesake = linked
        .iter()
        .any(|known| known.name == peer.name && known.incarnation != peer.incarnation);
    if namesake || theirs.node == ours.node {
        return Err(Unwelcome::NameTaken(theirs.node.clone()));
    }
    Ok(peer)
}

/// Writes one frame.
///
/// # Errors
/// When the connection fails.
pub async fn write<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &T,
) -> std::io::Result<()> {
    let bytes = rmp_serde::to_vec_named(frame).map_err(std::io::Error::other)?;
    let length = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
    stream.write_u16(length).await?;
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Reads one frame.
///
/// # Errors
/// When the connection fails, or what comes is too long or no such frame.
pub async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> std::io::Result<T> {
    let invalid = |text: String| std::io::Error::new(std::io::ErrorKind::InvalidData, text);
    let length = stream.read_u16().await?;
    if length > FRAME_MAX {
        return Err(invalid(format!(
            "a frame of {length} bytes, at most {FRAME_MAX} are read"
        )));
    }
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).await?;
    rmp_serde::from_slice(&bytes).map_err(|error| invalid(error.to_string()))
}

/// Names and addresses are short.
const FRAME_MAX: u16 = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(node: &str, incarnation: u64) -> Hello {
        Hello {
            version: VERSION,
            cluster: "orp".into(),
            node: node.into(),
            incarnation: Incarnation(incarnation),
            address: "127.0.0.1:7000".into(),
            cookie: "a digest".into(),
        }
    }

    fn check(theirs: &Hello, linked: &[(&str, u64)], expected: Result<(), &str>) {
        let linked: Vec<Peer> = linked
            .iter()
            .map(|(name, incarnation)| Peer {
                name: name.parse().expect("a name"),
                incarnation: Incarnation(*incarnation),
            })
            .collect();
        let judged = judge(&hello("a", 1), theirs, &linked);
        let found = judged.map(drop).map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(found, Ok(())),
            Err(word) => {
                let text = found.expect_err("it is not welcome");
                assert!(text.contains(word), "{text}");
            }
        }
    }

    #[test]
    fn who_is_welcome_and_who_is_not() {
        check(&hello("b", 2), &[("c", 3)], Ok(()));
        check(&hello("b", 2), &[("b", 2)], Ok(()));
        check(
            &hello("b", 2),
            &[("b", 9)],
            Err("another node with the name `b`"),
        );
        check(&hello("a", 2), &[], Err("another node with the name `a`"));
        check(&hello("a", 1), &[], Err("this node itself"));
        check(&hello("b/c", 2), &[], Err("not a node's name"));
        let foreign = Hello {
            cluster: "other".into(),
            ..hello("b", 2)
        };
        check(&foreign, &[], Err("cluster `other`"));
        let other = Hello {
            cookie: "another".into(),
            ..hello("b", 2)
        };
        check(&other, &[], Err("cluster.cookie_file"));
        let newer = Hello {
            version: VERSION + 1,
            ..hello("b", 2)
        };
        check(&newer, &[], Err("version 2"));
    }

    #[tokio::test]
    async fn frames_read_as_written_and_no_others_do() {
        let mut bytes = Vec::new();
        write(&mut bytes, &hello("b", 2))
            .await
            .expect("it is written");
        let read_back: Hello = read(&mut bytes.as_slice()).await.expect("it reads");
        assert_eq!(read_back, hello("b", 2));
        for cut in 0..bytes.len() {
            assert!(read::<Hello>(&mut &bytes[..cut]).await.is_err(), "{cut}");
        }
        let long = [0xff; 70_000];
        assert!(read::<Hello>(&mut long.as_slice()).await.is_err());
    }
}
