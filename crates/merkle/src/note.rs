//! Signed notes (C2SP signed-note) with Ed25519 signatures: a text that people can
//! read, followed by signature lines.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Longest note that is read, in bytes.
pub const MAX_LEN: usize = 64 * 1024;
/// Most signatures that a note may have.
pub const MAX_SIGNATURES: usize = 64;
/// Algorithm byte of plain Ed25519.
const ED25519: u8 = 1;
/// What begins a signature line: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Why a note or a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key text is malformed.
    #[error("malformed {kind} key: {problem}")]
    Key {
        /// `verifier` or `signer`.
        kind: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// The note is malformed.
    #[error("malformed note: {0}")]
    Malformed(&'static str),
    /// No signature is by the key.
    #[error("the note isn't signed by {0}")]
    Unsigned(String),
    /// A signature that claims to be by the key isn't valid.
    #[error("the note's signature by {0} is invalid")]
    Invalid(String),
}

fn key_id(name: &str, public: &[u8; 32]) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ED25519]);
    hasher.update(public);
    let digest = hasher.finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// Whether a text can be the name of a key: not empty, no white space, no plus sign.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// A public key with its name: `name+hash+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl Verifier {
    /// Reads `name+hash+base64`, with a line feed after it or not.
    ///
    /// # Errors
    /// If it is malformed, of another algorithm, or its hash isn't that of the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |problem| Error::Key {
            kind: "verifier",
            problem,
        };
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (name, rest) = text
            .split_once('+')
            .ok_or(bad("expected name+hash+base64"))?;
        let (hash, key) = rest
            .split_once('+')
            .ok_or(bad("expected name+hash+base64"))?;
        if !is_name(name) {
            return Err(bad("the name is empty or has white space"));
        }
        let public = decode_key(key).ok_or(bad("not an Ed25519 key in base64"))?;
        let id = key_id(name, &public);
        if hash != format!("{id:08x}") {
            return Err(bad("the hash isn't that of name and key"));
        }
        let key = VerifyingKey::from_bytes(&public).map_err(|_| bad("no point of the curve"))?;
        if key.is_weak() {
            return Err(bad("the key is weak"));
        }
        Ok(Self {
            name: name.to_owned(),
            id,
            key,
        })
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: what signature lines begin with.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        let key = STANDARD.encode(bytes);
        write!(f, "{}+{:08x}+{key}", self.name, self.id)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({self})")
    }
}

/// A private key with its name. Never printed by `Debug`.
#[derive(Clone)]
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// Makes a key of 32 random bytes.
    ///
    /// # Errors
    /// If the name can't be a key's.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(Error::Key {
                kind: "signer",
                problem: "the name is empty or has white space",
            });
        }
        Ok(Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        })
    }

    /// Reads `PRIVATE+KEY+name+hash+base64`, with a line feed after it or not: the
    /// form that Go's `golang.org/x/mod/sumdb/note` writes.
    ///
    /// # Errors
    /// If it is malformed, of another algorithm, or its hash isn't that of the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |problem| Error::Key {
            kind: "signer",
            problem,
        };
        let text = text.strip_suffix('\n').unwrap_or(text);
        let rest = text
            .strip_prefix("PRIVATE+KEY+")
            .ok_or(bad("expected PRIVATE+KEY+name+hash+base64"))?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("expected PRIVATE+KEY+name+hash+base64"));
        };
        let seed = decode_key(key).ok_or(bad("not an Ed25519 key in base64"))?;
        let signer = Self::from_seed(name, &seed)?;
        if hash != format!("{:08x}", signer.verifier().id) {
            return Err(bad("the hash isn't that of name and key"));
        }
        Ok(signer)
    }

    /// The key as [`Self::parse`] reads it. Secret.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        let id = self.verifier().id;
        format!(
            "PRIVATE+KEY+{}+{id:08x}+{}",
            self.name,
            STANDARD.encode(bytes)
        )
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let key = self.key.verifying_key();
        Verifier {
            name: self.name.clone(),
            id: key_id(&self.name, key.as_bytes()),
            key,
        }
    }

    /// Signs a text and writes the note. Ed25519 is deterministic: the same text gives
    /// the same note.
    ///
    /// # Errors
    /// If the text is empty, doesn't end with a line feed, or has control characters.
    pub fn sign(&self, text: &str) -> Result<String, Error> {
        check_text(text)?;
        let mut bytes = self.verifier().id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        let signature = STANDARD.encode(bytes);
        Ok(format!("{text}\n{DASH}{} {signature}\n", self.name))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.name)
    }
}

/// Algorithm byte and 32 bytes of a key.
fn decode_key(text: &str) -> Option<[u8; 32]> {
    let bytes = STANDARD.decode(text).ok()?;
    match bytes.split_first()? {
        (&ED25519, key) => key.try_into().ok(),
        _ => None,
    }
}

fn check_text(text: &str) -> Result<(), Error> {
    if !text.ends_with('\n') {
        return Err(Error::Malformed("the text doesn't end with a line feed"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Error::Malformed("the text has control characters"));
    }
    Ok(())
}

/// A signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line<'a> {
    name: &'a str,
    id: u32,
    signature: Vec<u8>,
}

/// A note that was read; its signatures are verified by [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    lines: Vec<Line<'a>>,
}

impl<'a> Note<'a> {
    /// Reads a note.
    ///
    /// # Errors
    /// If it is malformed or beyond the limits.
    pub fn parse(note: &'a str) -> Result<Self, Error> {
        if note.len() > MAX_LEN {
            return Err(Error::Malformed("longer than 64 KiB"));
        }
        let split = note
            .rfind("\n\n")
            .ok_or(Error::Malformed("no blank line before the signatures"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        check_text(text)?;
        let body = signatures
            .strip_suffix('\n')
            .ok_or(Error::Malformed("the last signature line isn't ended"))?;
        let lines = body
            .split('\n')
            .map(parse_line)
            .collect::<Option<Vec<_>>>()
            .ok_or(Error::Malformed("malformed signature line"))?;
        if lines.len() > MAX_SIGNATURES {
            return Err(Error::Malformed("more than 64 signatures"));
        }
        Ok(Self { text, lines })
    }

    /// The text, which ends with a line feed. Not yet verified.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// How many signatures it has, of whomever.
    #[must_use]
    pub fn signatures(&self) -> usize {
        self.lines.len()
    }

    /// Gives the text if the key has signed it. Signatures by other keys are ignored.
    ///
    /// # Errors
    /// If there is no signature by the key, or an invalid one.
    pub fn verify(&self, key: &Verifier) -> Result<&'a str, Error> {
        let mut signed = false;
        for line in &self.lines {
            if line.name != key.name || line.id != key.id {
                continue;
            }
            let valid = Signature::from_slice(&line.signature).is_ok_and(|signature| {
                key.key
                    .verify_strict(self.text.as_bytes(), &signature)
                    .is_ok()
            });
            if !valid {
                return Err(Error::Invalid(key.name.clone()));
            }
            signed = true;
        }
        if signed {
            Ok(self.text)
        } else {
            Err(Error::Unsigned(key.name.clone()))
        }
    }
}

fn parse_line(line: &str) -> Option<Line<'_>> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    if !is_name(name) {
        return None;
    }
    let bytes = STANDARD.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    if signature.is_empty() {
        return None;
    }
    Some(Line {
        name,
        id: u32::from_be_bytes(*id),
        signature: signature.to_vec(),
    })
}
