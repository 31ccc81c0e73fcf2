//! SHA-256 as RFC 6962 section 2.1 uses it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// A SHA-256 hash of a leaf, a node or a tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The root of the empty tree: the hash of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// `MTH({d}) = SHA-256(0x00 || d)`.
    #[must_use]
    pub fn leaf(entry: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(entry);
        Self(hasher.finalize().into())
    }

    /// `SHA-256(0x01 || left || right)`.
    #[must_use]
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut block = [1_u8; 65];
        block[1..33].copy_from_slice(&left.0);
        block[33..].copy_from_slice(&right.0);
        Self(Sha256::digest(block).into())
    }

    /// Reads the 32 bytes of a hash.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Standard base64 with padding, as checkpoints write hashes.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; 44];
        match STANDARD.encode_slice(self.0, &mut text) {
            Ok(_) => f.write_str(std::str::from_utf8(&text).unwrap_or_default()),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A text that isn't a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hash isn't the base64 of 32 bytes")]
pub struct ParseHashError;

impl FromStr for Hash {
    type Err = ParseHashError;

    /// Reads what [`fmt::Display`] writes, and nothing else: no missing padding, no
    /// stray bits.
    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let mut bytes = [0_u8; 33];
        let len = STANDARD
            .decode_slice(text, &mut bytes)
            .map_err(|_| ParseHashError)?;
        Self::from_slice(&bytes[..len]).ok_or(ParseHashError)
    }
}
