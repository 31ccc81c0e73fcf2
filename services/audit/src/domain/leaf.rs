//! Leaves: version 1 of the canonical envelope, fixed with the first record ever
//! written. docs/audit-log.md specifies it.
//!
//! A leaf entry is a CloudEvent without its data, in RFC 8785 form: the metadata, the
//! place in the log, the SHA-256 of the data's canonical form, and commitments to
//! personal fields. Optional members are absent rather than empty. An entry has one
//! reading and a reading has one entry, so that nothing can be changed unseen.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use merkle::Hash;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    Actor, ActorKind, Grant, Outcome, Record,
    json::{self, Json},
};

/// What `leafversion` says.
pub const VERSION: &str = "1";
/// What comes before the producer in `source`.
const SOURCE: &str = "/bylaw/";
const CONTENT_TYPE: &str = "application/json";

/// A record in its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Place in the log, from 0.
    pub index: u64,
    /// When it was appended.
    pub recorded: DateTime<Utc>,
    /// The record. Its payload is empty in a leaf that was read from its entry alone.
    pub record: Record,
    /// SHA-256 of the payload.
    pub data_hash: [u8; 32],
    /// Fields that the entry commits to instead of holding them, by rising pointer.
    pub commitments: Vec<Commitment>,
}

/// A personal field that isn't in the entry: the entry holds a salted hash of it, so
/// that the field can be erased and the log still verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// RFC 6901 pointer to the absent member of the exported line, such as
    /// `/actorsubject` or `/data/customer/name`.
    pub pointer: String,
    /// SHA-256 of 32 bytes of salt and the value's canonical JSON.
    pub hash: [u8; 32],
}

/// Why an entry isn't a leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not canonical JSON at all.
    #[error("entry isn't canonical JSON: {0}")]
    Json(#[from] json::Error),
    /// A member that is missing, unknown or malformed.
    #[error("member {0:?} is missing, unknown or malformed")]
    Member(String),
    /// The same content, written in another way.
    #[error("entry isn't in its canonical form")]
    Form,
}

impl Leaf {
    /// Places a record in the log.
    #[must_use]
    pub fn new(index: u64, recorded: DateTime<Utc>, record: Record) -> Self {
        let data_hash = Sha256::digest(&record.payload).into();
        Self {
            index,
            recorded,
            record,
            data_hash,
            commitments: Vec::new(),
        }
    }

    /// Writes the leaf entry.
    #[must_use]
    pub fn entry(&self) -> Vec<u8> {
        let Self {
            index,
            recorded,
            record,
            data_hash,
            commitments,
        } = self;
        write(*index, *recorded, record, data_hash, commitments)
    }

    /// Reads a leaf entry. The payload stays empty; [`Self::data_hash`] is its hash.
    ///
    /// # Errors
    /// If it isn't byte for byte what [`Self::entry`] writes.
    pub fn parse(entry: &[u8]) -> Result<Self, Error> {
        let Json::Object(members) = json::parse(entry)? else {
            return Err(Error::Form);
        };
        let leaf = Self::from_members(members)?;
        if leaf.entry() == entry {
            Ok(leaf)
        } else {
            Err(Error::Form)
        }
    }

    /// Reads the members of an entry. That it was written canonically is for the
    /// caller to check.
    ///
    /// # Errors
    /// If a member is missing, unknown or malformed.
    pub fn from_members<'a>(
        members: Vec<(std::borrow::Cow<'a, str>, Json<'a>)>,
    ) -> Result<Self, Error> {
        let mut reader = Reader(members);
        reader.fixed("datacontenttype", CONTENT_TYPE)?;
        reader.fixed("specversion", "1.0")?;
        match reader.take("leafversion") {
            Some(Json::Number(version)) if version == VERSION => {}
            _ => return Err(Error::Member("leafversion".to_owned())),
        }
        let commitments = match reader.optional("commitments")? {
            text if text.is_empty() => Vec::new(),
            text => {
                read_commitments(&text).ok_or_else(|| Error::Member("commitments".to_owned()))?
            }
        };
        let subject = if commitments.iter().any(|c| c.pointer == "/actorsubject") {
            String::new()
        } else {
            reader.string("actorsubject")?
        };
        let leaf = Self {
            commitments,
            index: reader.parsed("logindex", read_number)?,
            recorded: reader.parsed("recordedtime", read_time)?,
            data_hash: reader.parsed("datahash", unhex)?,
            record: Record {
                producer: reader.parsed("source", |text| {
                    text.strip_prefix(SOURCE).map(str::to_owned)
                })?,
                producer_sequence: reader.parsed("producersequence", read_number)?,
                event_id: reader.parsed("id", |text| Uuid::try_parse(text).ok())?,
                r#type: reader.string("type")?,
                occurred: reader.parsed("time", read_time)?,
                actor: Actor {
                    issuer: reader.string("actorissuer")?,
                    subject,
                    kind: reader.parsed("actorkind", ActorKind::parse)?,
                    grants: match reader.optional("actorgrants")? {
                        text if text.is_empty() => Vec::new(),
                        text => read_grants(&text)
                            .ok_or_else(|| Error::Member("actorgrants".to_owned()))?,
                    },
                    via: reader.optional("actorvia")?,
                },
                action: reader.string("action")?,
                resource: reader.optional("subject")?,
                scope: reader.optional("scope")?,
                correlation_id: reader.optional("correlationid")?,
                trace_id: reader.optional("traceid")?,
                span_id: reader.optional("spanid")?,
                outcome: reader.parsed("outcome", Outcome::parse)?,
                payload: Vec::new(),
            },
        };
        match reader.0.first() {
            Some((unknown, _)) => Err(Error::Member(unknown.clone().into_owned())),
            None => Ok(leaf),
        }
    }

    /// The same leaf with its payload.
    ///
    /// # Errors
    /// If the payload doesn't have the leaf's hash.
    pub fn with_payload(mut self, payload: Vec<u8>) -> Result<Self, Error> {
        if <[u8; 32]>::from(Sha256::digest(&payload)) != self.data_hash {
            return Err(Error::Member("datahash".to_owned()));
        }
        self.record.payload = payload;
        Ok(self)
    }
}

/// The leaf entry of a record without commitments, in its place in the log.
#[must_use]
pub fn entry(
    index: u64,
    recorded: DateTime<Utc>,
    record: &Record,
    data_hash: &[u8; 32],
) -> Vec<u8> {
    write(index, recorded, record, data_hash, &[])
}

fn write(
    index: u64,
    recorded: DateTime<Utc>,
    record: &Record,
    data_hash: &[u8; 32],
    commitments: &[Commitment],
) -> Vec<u8> {
    let mut out = Members::new();
    out.string("action", &record.action);
    out.optional("actorgrants", &write_grants(&record.actor.grants));
    out.string("actorissuer", &record.actor.issuer);
    out.string("actorkind", record.actor.kind.as_str());
    out.optional("actorsubject", &record.actor.subject);
    out.optional("actorvia", &record.actor.via);
    out.optional("commitments", &write_commitments(commitments));
    out.optional("correlationid", &record.correlation_id);
    out.string("datacontenttype", CONTENT_TYPE);
    out.string("datahash", &hex(data_hash));
    out.string("id", &record.event_id.to_string());
    out.raw("leafversion", VERSION);
    out.string("logindex", &index.to_string());
    out.string("outcome", record.outcome.as_str());
    out.string("producersequence", &record.producer_sequence.to_string());
    out.string("recordedtime", &write_time(recorded));
    out.optional("scope", &record.scope);
    out.string("source", &format!("{SOURCE}{}", record.producer));
    out.optional("spanid", &record.span_id);
    out.string("specversion", "1.0");
    out.optional("subject", &record.resource);
    out.string("time", &write_time(record.occurred));
    out.optional("traceid", &record.trace_id);
    out.string("type", &record.r#type);
    out.finish()
}

/// Hash of a leaf entry in the tree.
#[must_use]
pub fn hash(entry: &[u8]) -> Hash {
    Hash::leaf(entry)
}

/// Writes an object's members; the caller gives them in canonical order.
struct Members(String);

impl Members {
    fn new() -> Self {
        Self(String::with_capacity(768))
    }

    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        json::write_string(&mut self.0, name);
        self.0.push(':');
    }

    fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        json::write_string(&mut self.0, value);
    }

    fn optional(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.string(name, value);
        }
    }

    fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push_str(value);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}

/// Takes members out of an object.
struct Reader<'a>(Vec<(std::borrow::Cow<'a, str>, Json<'a>)>);

impl<'a> Reader<'a> {
    fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(at).1)
    }

    fn string(&mut self, name: &str) -> Result<String, Error> {
        match self.take(name) {
            Some(Json::String(text)) if !text.is_empty() => Ok(text.into_owned()),
            _ => Err(Error::Member(name.to_owned())),
        }
    }

    fn optional(&mut self, name: &str) -> Result<String, Error> {
        if self.0.iter().any(|(key, _)| key == name) {
            self.string(name)
        } else {
            Ok(String::new())
        }
    }

    fn fixed(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.parsed(name, |text| (text == value).then_some(()))
    }

    fn parsed<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        let text = self.string(name)?;
        read(&text).ok_or_else(|| Error::Member(name.to_owned()))
    }
}

/// RFC 3339 in UTC with 0, 3, 6 or 9 digits of the second, whichever is the least.
fn write_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
        .filter(|time| write_time(*time) == text)
}

/// A decimal number without leading zeros or sign.
pub(crate) fn read_number(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == text)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // writing to a string can't fail
        let _ = write!(out, "{byte:02x}");
    }
    out
}

pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    if text.len() != 64
        || text
            .bytes()
            .any(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// `role@scope`, separated by spaces.
fn write_grants(grants: &[Grant]) -> String {
    grants
        .iter()
        .map(|grant| format!("{}@{}", percent(&grant.role), percent(&grant.scope)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn read_grants(text: &str) -> Option<Vec<Grant>> {
    text.split(' ')
        .map(|grant| {
            let (role, scope) = grant.split_once('@')?;
            Some(Grant {
                role: unpercent(role)?,
                scope: unpercent(scope)?,
            })
        })
        .collect()
}

/// `pointer=hash`, separated by spaces.
fn write_commitments(commitments: &[Commitment]) -> String {
    commitments
        .iter()
        .map(|c| format!("{}={}", percent(&c.pointer), hex(&c.hash)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn read_commitments(text: &str) -> Option<Vec<Commitment>> {
    let commitments = text
        .split(' ')
        .map(|commitment| {
            let (pointer, hash) = commitment.split_once('=')?;
            Some(Commitment {
                pointer: unpercent(pointer).filter(|p| p.starts_with('/'))?,
                hash: unhex(hash)?,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    let rising = commitments.windows(2).all(|c| c[0].pointer < c[1].pointer);
    rising.then_some(commitments)
}

/// Percent-encodes all but letters, digits and `-._:/*`.
pub(crate) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._:/*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // writing to a string can't fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Reads what [`percent`] writes, and no other spelling of it.
pub(crate) fn unpercent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (pair, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|read| percent(read) == text)
}
