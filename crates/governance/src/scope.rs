//! Scopes: places in the tree enterprise > region > business unit > site, named by
//! their path from the root.

use std::{fmt, str::FromStr, sync::Arc};

/// At most this many segments.
pub const MAX_SEGMENTS: usize = 8;
/// At most this many bytes in a segment.
pub const MAX_SEGMENT_LEN: usize = 63;

/// A scope path such as `acme/europe/medical`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

/// Why a text is no scope path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No segment at all.
    #[error("scope is empty, expected a path such as `acme/europe/medical`")]
    Empty,
    /// More than [`MAX_SEGMENTS`].
    #[error("scope has {0} segments, at most {MAX_SEGMENTS} are allowed")]
    TooDeep(usize),
    /// A segment that isn't lower-case letters, digits and inner hyphens.
    #[error(
        "scope segment {0:?} is not lower-case letters, digits and inner hyphens, \
         1 to {MAX_SEGMENT_LEN} characters"
    )]
    Segment(String),
}

impl Scope {
    /// Reads a path.
    ///
    /// # Errors
    /// If it is empty, too deep, or has a malformed segment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let segments = text.split('/').count();
        if segments > MAX_SEGMENTS {
            return Err(Error::TooDeep(segments));
        }
        match text.split('/').find(|segment| !is_segment(segment)) {
            Some(bad) => Err(Error::Segment(
                bad.chars().take(MAX_SEGMENT_LEN + 1).collect(),
            )),
            None => Ok(Self(text.into())),
        }
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this scope or below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other
            .0
            .strip_prefix(&*self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The scope above, if this isn't the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(above, _)| Self(above.into()))
    }

    /// This scope, then the one above it, up to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// The paths of the ancestors: this one's, then those above, up to the root.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |path| {
            path.rsplit_once('/').map(|(above, _)| above)
        })
    }

    /// Number of segments: 1 for the root.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }
}

fn is_segment(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=MAX_SEGMENT_LEN).contains(&bytes.len())
        && bytes.iter().all(|&b| inner(b) || b == b'-')
        && bytes.first().is_some_and(|&b| inner(b))
        && bytes.last().is_some_and(|&b| inner(b))
}

/// A scope is looked up by its path: both hash and compare alike.
impl std::borrow::Borrow<str> for Scope {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.0)
    }
}

impl serde::Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn a_scope_contains_itself_and_what_is_below() {
        assert!(scope("acme").contains(&scope("acme/europe/medical")));
        assert!(scope("acme/europe").contains(&scope("acme/europe")));
        assert!(!scope("acme/europe").contains(&scope("acme/europe-west")));
        assert!(!scope("acme/europe").contains(&scope("acme")));
    }

    #[test]
    fn ancestors_go_up_to_the_root() {
        let up: Vec<_> = scope("a/b/c").ancestors().map(|s| s.to_string()).collect();
        assert_eq!(up, ["a/b/c", "a/b", "a"]);
    }

    #[test]
    fn malformed_paths_are_refused() {
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a b",
            "-a",
            "a-",
            "a/b/c/d/e/f/g/h/i",
            "ä",
            "*",
        ] {
            assert!(Scope::parse(bad).is_err(), "{bad:?}");
        }
    }
}
