//! Decks at rest: sealed, so that no stored byte shows a card of a live hand.
//!
//! XChaCha20-Poly1305 with a random nonce; the associated data names the table,
//! the hand, the event and the key, so that a sealed deck moved elsewhere does
//! not open. The blob names its key: an old key stays in the file until nothing
//! under it is left (design.md §6).

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use engine::{Deck, HandNo};
use zeroize::Zeroizing;

use crate::ids::{Seq, TableId};

/// The keys that decks are sealed with: the highest id seals, all open.
#[derive(Clone)]
pub struct Keyring {
    keys: BTreeMap<u32, Zeroizing<[u8; KEY_BYTES]>>,
}

/// Which event a sealed deck belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedFor {
    /// The table.
    pub table: TableId,
    /// The hand.
    pub hand: HandNo,
    /// The event that carries the deck.
    pub seq: Seq,
}

/// Why a key file or a sealed deck cannot be used. Says nothing about content.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file cannot be read or written.
    #[error("cannot use the key file {path}: {cause}")]
    File {
        /// Where.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A line of the key file is not `id:64 hex digits`.
    #[error("line {line} of the key file is not `id:` and 64 hex digits")]
    Line {
        /// Which line, from 1.
        line: usize,
    },
    /// The key file has no key.
    #[error("the key file holds no key")]
    Empty,
    /// The key of a sealed deck is not in the file.
    #[error("a deck is sealed with key {0}, which is not in the key file")]
    NoSuchKey(u32),
    /// The sealed bytes do not open for this event: altered, or moved.
    #[error("a sealed deck does not open for {0:?}")]
    Broken(SealedFor),
    /// The operating system gave no random bits.
    #[error("the operating system's random generator failed: {0}")]
    NoEntropy(#[from] getrandom::Error),
}

impl Keyring {
    /// A ring with one key; for tests and simulations.
    pub fn single(key: [u8; KEY_BYTES]) -> Self {
        Self {
            keys: BTreeMap::from([(1, Zeroizing::new(key))]),
        }
    }

    /// Reads a key file: one `id:64 hex digits` a line, `#` begins a comment.
    ///
    /// # Errors
    /// When it cannot be read or a line is wrong.
    pub fn read(path: &Path) -> Result<Self, SealError> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|cause| file_error(path, cause))?;
        text.parse()
    }

    /// Reads a key file, or makes one with a fresh key (mode 0600) when there is none.
    ///
    /// # Errors
    /// As [`Self::read`], and when it cannot be written.
    pub fn read_or_create(path: &Path) -> Result<Self, SealError> {
        match std::fs::symlink_metadata(path) {
            Ok(_) => return Self::read(path),
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(file_error(path, cause)),
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(key.as_mut_slice())?;
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = Zeroizing::new(format!(
            "# seals the decks at rest; keep it, and keep it secret\n1:{hex}\n"
        ));
        write_private(path, text.as_bytes()).map_err(|cause| file_error(path, cause))?;
        Ok(Self {
            keys: BTreeMap::from([(1, key)]),
        })
    }

    /// Seals a deck for one event.
    ///
    /// # Errors
    /// When the operating system has no random bits for a nonce.
    pub fn seal(&self, deck: &Deck, place: SealedFor) -> Result<Vec<u8>, SealError> {
        let (id, key) = self.keys.last_key_value().ok_or(SealError::Empty)?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let plain = Zeroizing::new(deck.to_bytes());
        let aad = associated(place, *id);
        let sealed = XChaCha20Poly1305::new((&**key).into())
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: plain.as_slice(),
                    aad: &aad,
                },
            )
            .map_err(|chacha20poly1305::Error| SealError::Broken(place))?;
        Ok([id.to_be_bytes().as_slice(), &nonce, &sealed].concat())
    }

    /// Opens what [`Self::seal`] made for the same event.
    ///
    /// # Errors
    /// When the key is missing, or the bytes were altered or belong elsewhere.
    pub fn open(&self, sealed: &[u8], place: SealedFor) -> Result<Deck, SealError> {
        let (id, rest) = sealed
            .split_first_chunk::<4>()
            .ok_or(SealError::Broken(place))?;
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Broken(place))?;
        let id = u32::from_be_bytes(*id);
        let key = self.keys.get(&id).ok_or(SealError::NoSuchKey(id))?;
        let aad = associated(place, id);
        let plain = XChaCha20Poly1305::new((&**key).into())
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: sealed,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|chacha20poly1305::Error| SealError::Broken(place))?;
        Deck::from_bytes(&plain).map_err(|_not_a_deck| SealError::Broken(place))
    }
}

impl FromStr for Keyring {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, key) = parse_line(line).ok_or(SealError::Line { line: index + 1 })?;
            keys.insert(id, key);
        }
        if keys.is_empty() {
            return Err(SealError::Empty);
        }
        Ok(Self { keys })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("keys", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

fn parse_line(line: &str) -> Option<(u32, Zeroizing<[u8; KEY_BYTES]>)> {
    let (id, hex) = line.split_once(':')?;
    let hex = hex.trim();
    if hex.len() != KEY_BYTES * 2 || !hex.is_ascii() {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (byte, digits) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some((id.trim().parse().ok()?, key))
}

fn associated(place: SealedFor, key: u32) -> [u8; 36] {
    let mut aad = [0; 36];
    aad[..16].copy_from_slice(&place.table.0.to_be_bytes());
    aad[16..24].copy_from_slice(&place.hand.0.to_be_bytes());
    aad[24..32].copy_from_slice(&place.seq.0.to_be_bytes());
    aad[32..].copy_from_slice(&key.to_be_bytes());
    aad
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // The name must survive a power loss as well, or the decks sealed from now on would not.
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn file_error(path: &Path, cause: std::io::Error) -> SealError {
    SealError::File {
        path: path.display().to_string(),
        cause,
    }
}

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use engine::Variant;

    use super::*;
    use crate::table::shuffle::shuffled;

    const PLACE: SealedFor = SealedFor {
        table: TableId(7),
        hand: HandNo(3),
        seq: Seq(41),
    };

    #[test]
    fn a_sealed_deck_opens_for_its_event_only() {
        let ring = Keyring::single([9; 32]);
        let deck = shuffled([1; 32], Variant::ShortDeck);
        let sealed = ring.seal(&deck, PLACE).expect("the system has entropy");
        assert!(ring.open(&sealed, PLACE).expect("it opens").to_bytes() == deck.to_bytes());
        for other in [
            SealedFor {
                table: TableId(8),
                ..PLACE
            },
            SealedFor {
                hand: HandNo(4),
                ..PLACE
            },
            SealedFor {
                seq: Seq(42),
                ..PLACE
            },
        ] {
            assert!(matches!(
                ring.open(&sealed, other),
                Err(SealError::Broken(_))
            ));
        }
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(ring.open(&altered, PLACE).is_err(), "byte {index}");
            assert!(
                ring.open(&sealed[..index], PLACE).is_err(),
                "cut at {index}"
            );
        }
    }

    #[test]
    fn an_old_key_opens_and_the_newest_seals() {
        let old: Keyring = format!("1:{}", "ab".repeat(32)).parse().expect("a ring");
        let both: Keyring = format!("# two\n1:{}\n2:{}\n", "ab".repeat(32), "cd".repeat(32))
            .parse()
            .expect("a ring");
        let deck = shuffled([2; 32], Variant::Holdem);
        let sealed = old.seal(&deck, PLACE).expect("sealed");
        assert!(both.open(&sealed, PLACE).is_ok());
        let newer = both.seal(&deck, PLACE).expect("sealed");
        assert!(matches!(
            old.open(&newer, PLACE),
            Err(SealError::NoSuchKey(2))
        ));
    }

    #[test]
    fn a_wrong_key_file_is_named() {
        let check = |text: &str, wrong: &str| {
            let error = text.parse::<Keyring>().expect_err(wrong);
            assert_eq!(error.to_string(), wrong);
        };
        check("", "the key file holds no key");
        check("# only words\n", "the key file holds no key");
        check(
            "1:abc",
            "line 1 of the key file is not `id:` and 64 hex digits",
        );
        check(
            &format!("# x\nx:{}", "ab".repeat(32)),
            "line 2 of the key file is not `id:` and 64 hex digits",
        );
    }
}
