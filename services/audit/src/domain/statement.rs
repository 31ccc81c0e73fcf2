//! What the log says about a page of a lineage, as the text of a signed note.
//!
//! Audit paths prove that the records of a lineage are in the log; they can't prove
//! that none was left out. The statement does: it names the transaction, what the
//! reader may see, and the digest of the page's lines, under the log's key. Its first
//! line is not the log's origin and its second no number, so that it can't be taken
//! for a checkpoint.

use std::fmt;

use merkle::{
    Hash,
    note::{self, Note, Signer, Verifier},
};

use super::{
    json::{self, Json},
    leaf::read_number,
};

/// What is said about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Origin of the log.
    pub origin: String,
    /// The business transaction.
    pub correlation_id: String,
    /// Size of the tree that the lines are in.
    pub size: u64,
    /// Scopes whose records the reader sees; none where it sees all.
    pub scopes: Option<Vec<String>>,
    /// How many records the pages before have.
    pub first: u64,
    /// How many records this page has.
    pub count: u64,
    /// Whether more pages follow.
    pub more: bool,
    /// SHA-256 of the page's record lines with their line feeds.
    pub digest: Hash,
}

/// Why a statement can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] note::Error),
    /// The text isn't a statement.
    #[error("malformed statement about the lineage")]
    Malformed,
}

impl Statement {
    /// Writes the signed note.
    ///
    /// # Errors
    /// If a text has characters that a note can't hold.
    pub fn sign(&self, key: &Signer) -> Result<String, note::Error> {
        key.sign(&self.to_string())
    }

    /// Reads a signed statement.
    ///
    /// # Errors
    /// If it isn't signed by the key once and by nobody else, or is malformed.
    pub fn open(note: &str, key: &Verifier) -> Result<Self, Error> {
        let note = Note::parse(note)?;
        let text = note.verify(key)?;
        let statement = Self::parse(text).ok_or(Error::Malformed)?;
        let whole = note.signatures() == 1
            && statement.origin == key.name()
            && statement.to_string() == text;
        whole.then_some(statement).ok_or(Error::Malformed)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next()?.strip_suffix("/lineage")?;
        let correlation = lines.next()?.strip_prefix("correlation ")?;
        let Json::String(correlation_id) = json::parse(correlation.as_bytes()).ok()? else {
            return None;
        };
        let size = read_number(lines.next()?.strip_prefix("tree ")?)?;
        let scopes = match lines.next()?.strip_prefix("scopes ")? {
            "*" => None,
            paths => Some(paths.split(' ').map(str::to_owned).collect()),
        };
        let mut records = lines.next()?.strip_prefix("records ")?.split(' ');
        let statement = Self {
            origin: origin.to_owned(),
            correlation_id: correlation_id.into_owned(),
            size,
            scopes,
            first: read_number(records.next()?)?,
            count: read_number(records.next()?)?,
            more: match records.next()? {
                "more" => true,
                "last" => false,
                _ => return None,
            },
            digest: lines.next()?.strip_prefix("digest ")?.parse().ok()?,
        };
        (lines.next().is_none() && records.next().is_none()).then_some(statement)
    }
}

/// The text that is signed.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut correlation = String::new();
        json::write_string(&mut correlation, &self.correlation_id);
        let scopes = match &self.scopes {
            None => "*".to_owned(),
            Some(paths) => paths.join(" "),
        };
        let more = if self.more { "more" } else { "last" };
        writeln!(f, "{}/lineage", self.origin)?;
        writeln!(f, "correlation {correlation}")?;
        writeln!(f, "tree {}", self.size)?;
        writeln!(f, "scopes {scopes}")?;
        writeln!(f, "records {} {} {more}", self.first, self.count)?;
        writeln!(f, "digest {}", self.digest)
    }
}
