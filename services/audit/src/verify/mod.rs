//! Verifies an export or a lineage offline: no service, no database, only the log's
//! public key and, if at hand, an older checkpoint.
//!
//! The file is read once, line by line, in memory that doesn't grow with it. Whatever
//! was edited, deleted, reordered, inserted or cut off is found, as is another key or
//! origin, a fork from the older checkpoint, and any byte that the service would not
//! have written. docs/audit-log.md says what each line holds and proves.

mod export;
mod lineage;
mod lines;

use std::{fmt, io::BufRead};

use merkle::{
    Checkpoint, checkpoint,
    note::{self, Verifier},
};
use serde::Serialize;

use crate::domain::line::{Line, ProofKind};
use lines::Lines;

/// How many records pass between two calls of the progress callback.
const PROGRESS_EVERY: u64 = 1_024;

/// What a file was shown to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// What it holds.
    pub content: Content,
    /// How many records it has.
    pub records: u64,
    /// The log: name of its key.
    pub origin: String,
    /// Size of the tree that the records are in.
    pub tree_size: u64,
    /// Root of the tree, in base64.
    pub root: String,
    /// Size of the older checkpoint that the tree continues, where one was given.
    pub continues: Option<u64>,
}

/// What a verified file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// All records of the log from an index to its end.
    Export {
        /// The first record.
        first: u64,
    },
    /// The records of one business transaction.
    Lineage {
        /// The transaction.
        correlation_id: String,
        /// Scopes that the reader was limited to; none where it saw all.
        scopes: Option<Vec<String>>,
    },
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.records == 1 { "" } else { "s" };
        match &self.content {
            Content::Export { first: 0 } => {
                write!(
                    f,
                    "verified: {} record{plural}, the whole log",
                    self.records
                )?;
            }
            Content::Export { first } => {
                write!(
                    f,
                    "verified: {} record{plural} from index {first}",
                    self.records
                )?;
            }
            Content::Lineage {
                correlation_id,
                scopes,
            } => {
                write!(
                    f,
                    "verified: {} record{plural} of {correlation_id}",
                    self.records
                )?;
                if let Some(scopes) = scopes {
                    write!(f, " in the scopes {}", scopes.join(", "))?;
                }
            }
        }
        write!(
            f,
            ", in {} at size {} with root {}",
            self.origin, self.tree_size, self.root
        )?;
        match self.continues {
            Some(size) => write!(f, ", continuing the checkpoint at size {size}"),
            None => Ok(()),
        }
    }
}

/// The first thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The first record that isn't as the log has it, where that can be told.
    pub index: Option<u64>,
    /// The line, from 1; 0 where it is no line's fault.
    pub line: u64,
    /// What is wrong.
    pub what: What,
}

/// What can be wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// The file can't be read.
    #[error("can't be read: {0}")]
    Io(String),
    /// The public key can't be used.
    #[error("{0}")]
    Key(String),
    /// The older checkpoint isn't a signed checkpoint.
    #[error("no signed checkpoint: {0}")]
    HeldForm(String),
    /// The older checkpoint is another log's, or isn't signed by the key.
    #[error("the older checkpoint can't be used: {0}")]
    Held(String),
    /// The line isn't one that the log would write.
    #[error("{0}")]
    Line(String),
    /// The line isn't the one that belongs there.
    #[error("the record isn't the one that the log has there")]
    Record,
    /// Another record, or none, is due here.
    #[error("expected {expected}, found {found}")]
    Order {
        /// What belongs there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The file ends too early.
    #[error("the file is cut off")]
    Truncated,
    /// The signature, or what it covers.
    #[error("{0}")]
    Signature(String),
    /// The log had another history when the older checkpoint was signed.
    #[error("the log forked: the checkpoint at size {0} isn't one of its earlier states")]
    Forked(u64),
    /// The log had more records when the older checkpoint was signed.
    #[error("the log was cut: it has {size} records, and had {held} at the older checkpoint")]
    Shrunk {
        /// The file's tree.
        size: u64,
        /// The older checkpoint's.
        held: u64,
    },
    /// The file has nothing that links it to the older checkpoint.
    #[error("the file doesn't show whether it continues the checkpoint at size {held}: {hint}")]
    Unlinked {
        /// The older checkpoint's size.
        held: u64,
        /// What to fetch instead.
        hint: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "index {index}: ")?;
        }
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{}", self.what)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    fn new(index: Option<u64>, line: u64, what: What) -> Self {
        Self { index, line, what }
    }
}

/// Verifies an export or a lineage.
///
/// `key` is the log's verifier key (`name+hash+base64`); `held` an older checkpoint, as
/// a signed note; `progress` is told the number of records now and then.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(
    reader: impl BufRead,
    key: &str,
    held: Option<&str>,
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, Problem> {
    let key = Verifier::parse(key.trim_end())
        .map_err(|e| Problem::new(None, 0, What::Key(e.to_string())))?;
    let held = held
        .map(|note| Checkpoint::open(note, &key))
        .transpose()
        .map_err(|e| Problem::new(None, 0, held_problem(&e)))?;
    let mut lines = Lines::new(reader, progress);
    let verified = match lines.peek()? {
        Some(Line::Lineage { .. }) => lineage::verify(&mut lines, &key, held.as_ref())?,
        Some(Line::Record(record)) if record.kind == ProofKind::Inclusion => {
            lineage::verify(&mut lines, &key, held.as_ref())?
        }
        _ => export::verify(&mut lines, &key, held.as_ref())?,
    };
    lines.finish(verified.records);
    Ok(verified)
}

/// A note that is none is a mistake in the call; one that somebody else signed is a finding.
fn held_problem(error: &checkpoint::Error) -> What {
    match error {
        checkpoint::Error::Note(note::Error::Malformed(_)) | checkpoint::Error::Malformed(_) => {
            What::HeldForm(error.to_string())
        }
        _ => What::Held(error.to_string()),
    }
}

/// Opens a checkpoint note that a line holds: signed by the key, once, and by nobody
/// else, without extension lines, since the log writes it so.
fn open_checkpoint(note: &str, key: &Verifier) -> Result<Checkpoint, String> {
    let checkpoint = Checkpoint::open(note, key).map_err(|e| match e {
        checkpoint::Error::Note(e) => format!("the checkpoint can't be trusted: {e}"),
        other => other.to_string(),
    })?;
    let alone = merkle::note::Note::parse(note).is_ok_and(|note| note.signatures() == 1);
    if alone && checkpoint.extensions.is_empty() {
        Ok(checkpoint)
    } else {
        Err("the checkpoint has lines that the log doesn't write".to_owned())
    }
}
