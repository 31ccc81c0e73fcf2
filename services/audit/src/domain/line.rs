//! Lines of an export or a lineage: CloudEvents in RFC 8785 form, one a line.
//! docs/audit-log.md specifies them.

use std::borrow::Cow;

use merkle::Hash;
use sha2::{Digest as _, Sha256};

use super::{
    json::{self, Json},
    leaf::{self, Leaf, read_number, unpercent},
};

/// Longest line that is read, in bytes: payload, entry and proof with room to spare.
pub const MAX_LEN: usize = 512 * 1024;
/// Type of the line that ends an export.
pub const CHECKPOINT: &str = "bylaw.audit.checkpoint.v1";
/// Type of the line that begins an export from a later index than 0.
pub const RANGE: &str = "bylaw.audit.range.v1";
/// Type of the line that ends a page of a lineage.
pub const LINEAGE: &str = "bylaw.audit.lineage.v1";
/// Types that no record may have, since a line of that type is no record.
pub const RESERVED_TYPES: [&str; 3] = [CHECKPOINT, RANGE, LINEAGE];

/// Member with a lineage's proof: the whole audit path.
const INCLUSION: &str = "inclusionproof";
/// Member with an export's proof: what [`merkle::chain`] says the leaf brings.
const TREE: &str = "treeproof";

/// How a record line proves its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofKind {
    /// By its audit path.
    Inclusion,
    /// By the lines before it.
    Tree,
}

/// Hashes in a tree of some size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Tree size.
    pub size: u64,
    /// The hashes.
    pub hashes: Vec<Hash>,
}

impl Proof {
    /// Size and hashes, separated by spaces.
    fn write(&self) -> String {
        let mut out = self.size.to_string();
        for hash in &self.hashes {
            out.push(' ');
            out.push_str(&hash.to_string());
        }
        out
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        Some(Self {
            size: read_number(parts.next()?)?,
            hashes: parts.map(|hash| hash.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// Writes the line of a record, with its line feed.
#[must_use]
pub fn record(entry: &[u8], payload: &[u8], kind: ProofKind, proof: &Proof) -> Vec<u8> {
    let (name, before) = match kind {
        ProofKind::Inclusion => (INCLUSION, ",\"leafversion\":"),
        ProofKind::Tree => (TREE, ",\"type\":"),
    };
    let proof = proof.write();
    let mut line = Vec::with_capacity(entry.len() + payload.len() + proof.len() + 40);
    let mut rest = entry;
    // a quote inside a string is escaped, so that these can only be members
    rest = copy_to(&mut line, rest, ",\"datacontenttype\":");
    line.extend_from_slice(b",\"data\":");
    line.extend_from_slice(payload);
    rest = copy_to(&mut line, rest, before);
    line.extend_from_slice(format!(",\"{name}\":\"{proof}\"").as_bytes());
    line.extend_from_slice(rest);
    line.push(b'\n');
    line
}

/// Copies up to a pattern, and gives what begins with it.
fn copy_to<'a>(out: &mut Vec<u8>, text: &'a [u8], pattern: &str) -> &'a [u8] {
    let at = text
        .windows(pattern.len())
        .position(|window| window == pattern.as_bytes())
        .unwrap_or(text.len());
    out.extend_from_slice(&text[..at]);
    &text[at..]
}

/// Writes the line that ends an export.
#[must_use]
pub fn checkpoint(size: u64, note: &str) -> Vec<u8> {
    let data = vec![("checkpoint", note.to_owned())];
    special(CHECKPOINT, &format!("checkpoint-{size}"), data)
}

/// Writes the line that begins an export from a later index than 0: the hashes of what
/// lies to the left, and of the subtrees that follow.
#[must_use]
pub fn range(first: u64, size: u64, left: &[Hash], right: &[Hash]) -> Vec<u8> {
    let join = |hashes: &[Hash]| {
        let texts: Vec<_> = hashes.iter().map(Hash::to_string).collect();
        texts.join(" ")
    };
    let data = vec![
        ("first", first.to_string()),
        ("left", join(left)),
        ("right", join(right)),
        ("treesize", size.to_string()),
    ];
    special(RANGE, &format!("range-{first}-{size}"), data)
}

/// Writes the line that ends a page of a lineage.
#[must_use]
pub fn lineage(note: &str, consistency: Option<&Proof>, statement: &str) -> Vec<u8> {
    let mut data = vec![("checkpoint", note.to_owned())];
    if let Some(proof) = consistency {
        data.push(("consistencyproof", proof.write()));
    }
    data.push(("statement", statement.to_owned()));
    let id = leaf::hex(&Sha256::digest(statement));
    special(LINEAGE, &format!("lineage-{id}"), data)
}

/// Writes a line that is no record; the data's members come in canonical order.
fn special(kind: &str, id: &str, data: Vec<(&'static str, String)>) -> Vec<u8> {
    let string = |text: &str| Json::String(Cow::Owned(text.to_owned()));
    let data = data
        .into_iter()
        .map(|(name, text)| (Cow::Borrowed(name), Json::String(Cow::Owned(text))))
        .collect();
    let members = [
        ("data", Json::Object(data)),
        ("datacontenttype", string("application/json")),
        ("id", string(id)),
        ("source", string("/bylaw/audit")),
        ("specversion", string("1.0")),
        ("type", string(kind)),
    ]
    .map(|(name, value)| (Cow::Borrowed(name), value));
    let mut line = String::new();
    json::write_object(&mut line, &members);
    line.push('\n');
    line.into_bytes()
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A record.
    Record(Box<RecordLine>),
    /// The end of an export.
    Checkpoint {
        /// The signed note.
        note: String,
    },
    /// The beginning of an export from a later index than 0.
    Range {
        /// First index.
        first: u64,
        /// Tree size.
        size: u64,
        /// Subtrees to the left.
        left: Vec<Hash>,
        /// Subtrees that follow.
        right: Vec<Hash>,
    },
    /// The end of a page of a lineage.
    Lineage {
        /// The signed checkpoint.
        note: String,
        /// From the checkpoint that the caller holds.
        consistency: Option<Proof>,
        /// The signed statement about the page.
        statement: String,
    },
}

/// A record's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLine {
    /// The leaf.
    pub leaf: Leaf,
    /// Its hash in the tree.
    pub hash: Hash,
    /// How it proves its place.
    pub kind: ProofKind,
    /// The proof.
    pub proof: Proof,
}

/// Why a line isn't one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No line feed at the end.
    #[error("line isn't ended by a line feed")]
    Unended,
    /// Longer than any line can be.
    #[error("line is longer than {MAX_LEN} bytes")]
    TooLong,
    /// Not JSON.
    #[error("line isn't JSON: {0}")]
    Json(#[from] json::Error),
    /// JSON that is written in another way than an export does.
    #[error("line isn't in its canonical form")]
    Form,
    /// Not a leaf.
    #[error(transparent)]
    Leaf(#[from] leaf::Error),
    /// The payload isn't the one recorded.
    #[error("data doesn't have the hash that its record holds")]
    Data,
    /// A personal field isn't the one recorded.
    #[error("personal field {0:?} doesn't have the hash that its record holds")]
    Personal(String),
}

type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Reads a line with its line feed.
///
/// # Errors
/// If it has a byte that an export would not write, as far as the line alone shows it.
pub fn parse(line: &[u8]) -> Result<Line, Error> {
    if line.len() > MAX_LEN {
        return Err(Error::TooLong);
    }
    let text = line.strip_suffix(b"\n").ok_or(Error::Unended)?;
    let value = json::parse(text)?;
    if value.canonical().as_bytes() != text {
        return Err(Error::Form);
    }
    let Json::Object(mut members) = value else {
        return Err(Error::Form);
    };
    let kind = match members.iter().find(|(name, _)| name == "type") {
        Some((_, Json::String(kind))) => kind.as_ref(),
        _ => return Err(leaf::Error::Member("type".to_owned()).into()),
    };
    if !RESERVED_TYPES.contains(&kind) {
        return parse_record(members).map(|line| Line::Record(Box::new(line)));
    }
    let kind = kind.to_owned();
    let data = match take(&mut members, "data") {
        Some(Json::Object(data)) => data,
        _ => return Err(Error::Form),
    };
    let special = parse_special(&kind, data).ok_or(Error::Form)?;
    // whatever else the line holds follows from what was read
    if write_special(&special) == line {
        Ok(special)
    } else {
        Err(Error::Form)
    }
}

fn take<'a>(members: &mut Members<'a>, name: &str) -> Option<Json<'a>> {
    let at = members.iter().position(|(key, _)| key == name)?;
    Some(members.remove(at).1)
}

fn take_string(members: &mut Members<'_>, name: &str) -> Option<String> {
    match take(members, name)? {
        Json::String(text) => Some(text.into_owned()),
        _ => None,
    }
}

fn parse_special(kind: &str, mut data: Members<'_>) -> Option<Line> {
    let hashes = |text: String| -> Option<Vec<Hash>> {
        if text.is_empty() {
            return Some(Vec::new());
        }
        text.split(' ').map(|hash| hash.parse().ok()).collect()
    };
    if kind == RANGE {
        return Some(Line::Range {
            first: read_number(&take_string(&mut data, "first")?)?,
            size: read_number(&take_string(&mut data, "treesize")?)?,
            left: hashes(take_string(&mut data, "left")?)?,
            right: hashes(take_string(&mut data, "right")?)?,
        });
    }
    let note = take_string(&mut data, "checkpoint")?;
    if kind == CHECKPOINT {
        return Some(Line::Checkpoint { note });
    }
    Some(Line::Lineage {
        note,
        consistency: match take_string(&mut data, "consistencyproof") {
            Some(text) => Some(Proof::read(&text)?),
            None => None,
        },
        statement: take_string(&mut data, "statement")?,
    })
}

fn write_special(line: &Line) -> Vec<u8> {
    match line {
        Line::Record(_) => Vec::new(),
        Line::Checkpoint { note } => checkpoint(note_size(note).unwrap_or(0), note),
        Line::Range {
            first,
            size,
            left,
            right,
        } => range(*first, *size, left, right),
        Line::Lineage {
            note,
            consistency,
            statement,
        } => lineage(note, consistency.as_ref(), statement),
    }
}

/// The tree size that a checkpoint note says.
fn note_size(note: &str) -> Option<u64> {
    read_number(note.split('\n').nth(1)?)
}

fn parse_record(mut members: Members<'_>) -> Result<RecordLine, Error> {
    let mut data = String::new();
    match take(&mut members, "data") {
        Some(value @ Json::Object(_)) => value.write(&mut data),
        _ => return Err(leaf::Error::Member("data".to_owned()).into()),
    }
    let inclusion = take_string(&mut members, INCLUSION);
    let tree = take_string(&mut members, TREE);
    let personal = take_string(&mut members, "personal");
    let (kind, proof) = match (inclusion, tree) {
        (Some(text), None) => (ProofKind::Inclusion, text),
        (None, Some(text)) => (ProofKind::Tree, text),
        _ => return Err(leaf::Error::Member(TREE.to_owned()).into()),
    };
    let proof = Proof::read(&proof).ok_or_else(|| leaf::Error::Member(TREE.to_owned()))?;
    let mut entry = String::new();
    json::write_object(&mut entry, &members);
    let hash = leaf::hash(entry.as_bytes());
    let leaf = Leaf::from_members(members)?;
    if let Some(personal) = personal {
        check_personal(&leaf, &personal)?;
    }
    let leaf = leaf
        .with_payload(data.into_bytes())
        .map_err(|_| Error::Data)?;
    Ok(RecordLine {
        leaf,
        hash,
        kind,
        proof,
    })
}

/// Checks the fields that the line brings for the leaf's commitments:
/// `pointer=salt=value`, separated by spaces, by rising pointer.
fn check_personal(leaf: &Leaf, personal: &str) -> Result<(), Error> {
    let mut last = String::new();
    for opening in personal.split(' ') {
        let bad = || Error::Personal(opening.chars().take(80).collect());
        let mut parts = opening.splitn(3, '=');
        let (Some(pointer), Some(salt), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let pointer = unpercent(pointer).ok_or_else(bad)?;
        let salt = leaf::unhex(salt).ok_or_else(bad)?;
        let value = unpercent(value).ok_or_else(bad)?;
        let hash: [u8; 32] = Sha256::new()
            .chain_update(salt)
            .chain_update(&value)
            .finalize()
            .into();
        let committed = leaf
            .commitments
            .iter()
            .any(|c| c.pointer == pointer && c.hash == hash);
        if !committed || pointer <= last {
            return Err(bad());
        }
        last = pointer;
    }
    Ok(())
}
