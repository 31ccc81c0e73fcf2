//! Checkpoints (C2SP tlog-checkpoint): origin, tree size and root hash as the text of
//! a signed note.

use std::fmt;

use crate::{
    Hash,
    note::{self, Note, Signer, Verifier},
};

/// A tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Lines after the root, not empty.
    pub extensions: Vec<String>,
}

/// Why a checkpoint can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] note::Error),
    /// The text isn't a checkpoint.
    #[error("malformed checkpoint: {0}")]
    Malformed(&'static str),
    /// It is another log's.
    #[error("checkpoint of {found:?}, expected {expected:?}")]
    Origin {
        /// Its origin.
        found: String,
        /// The key's name.
        expected: String,
    },
}

impl Checkpoint {
    /// A head without extension lines.
    #[must_use]
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Self {
            origin: origin.into(),
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// Reads the text of a checkpoint note.
    ///
    /// # Errors
    /// If it is malformed: an empty origin, a size with leading zeros, a root that
    /// isn't the base64 of 32 bytes, an empty extension line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let body = text
            .strip_suffix('\n')
            .ok_or(Error::Malformed("the text doesn't end with a line feed"))?;
        let mut lines = body.split('\n');
        let origin = lines
            .next()
            .filter(|line| !line.is_empty())
            .ok_or(Error::Malformed("no origin"))?;
        let size = lines
            .next()
            .and_then(parse_size)
            .ok_or(Error::Malformed("the tree size isn't a decimal number"))?;
        let root = lines
            .next()
            .and_then(|line| line.parse().ok())
            .ok_or(Error::Malformed("the root isn't the base64 of 32 bytes"))?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(Error::Malformed("an empty extension line"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions,
        })
    }

    /// Reads a signed checkpoint and verifies that it is of the log of this key.
    ///
    /// # Errors
    /// If the note is malformed or not signed by the key, or the origin isn't the
    /// key's name.
    pub fn open(note: &str, key: &Verifier) -> Result<Self, Error> {
        let checkpoint = Self::parse(Note::parse(note)?.verify(key)?)?;
        if checkpoint.origin == key.name() {
            Ok(checkpoint)
        } else {
            Err(Error::Origin {
                found: checkpoint.origin,
                expected: key.name().to_owned(),
            })
        }
    }

    /// Writes the signed note.
    ///
    /// # Errors
    /// If the origin or an extension has characters that a note can't hold.
    pub fn sign(&self, key: &Signer) -> Result<String, Error> {
        Ok(key.sign(&self.to_string())?)
    }
}

/// A decimal number as Go's `strconv` writes it.
fn parse_size(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}
