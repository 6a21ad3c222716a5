//! The secret of a session: 256 bits of the operating system's generator.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::store::TokenHash;

/// A session's token. It has no `Debug` and no `Display`: it is told to its owner once, by [`Token::to_text`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<[u8; Token::BYTES]>);

impl Token {
    /// 256 bits: nobody guesses one, so looking one up needs no attempt counter.
    pub const BYTES: usize = 32;
    /// The length of the text.
    pub const TEXT: usize = 43;

    /// A new token.
    ///
    /// # Errors
    /// When the operating system gives no random bits.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The token of a text, if it has the form of one: 43 characters of base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::TEXT {
            return None;
        }
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The text that its owner keeps.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }

    /// What the store keeps. A plain hash is enough: the input has 256 random bits, so there is nothing to guess.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_slice()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_as_it_was_written() {
        let token = Token::random().expect("the test machine has random bits");
        let text = token.to_text();
        assert_eq!(text.len(), Token::TEXT);
        assert!(Token::parse(&text).is_some_and(|read| read == token));
        assert!(Token::random().is_ok_and(|other| other != token));
    }

    #[test]
    fn the_hash_is_sha_256_of_the_bits() {
        let zeros =
            Token::parse(&"A".repeat(Token::TEXT)).expect("43 times A are 32 bytes of nothing");
        // sha256sum of 32 zero bytes.
        let expected = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";
        let hex: String = zeros
            .hash()
            .0
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        let padded = format!("{}=", "A".repeat(42));
        for text in [
            "",
            "A",
            "AAAA",
            &"A".repeat(42),
            &"A".repeat(44),
            &padded,
            &"+".repeat(43),
            &"ä".repeat(43),
        ] {
            assert!(Token::parse(text).is_none(), "{text:?}");
        }
        // The last character carries two spare bits; a text that sets them is not the text of any token.
        assert!(Token::parse(&format!("{}B", "A".repeat(42))).is_none());
    }
}
