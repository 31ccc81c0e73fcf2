//! Paths in a record, such as `addresses[0].lines[1]`.

use std::{fmt, str::FromStr};

/// At most this many steps.
const MAX_STEPS: usize = 8;
/// An index is at most this.
pub const MAX_INDEX: usize = 49;

/// One step of a path. Names come before indices in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A field.
    Field(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

/// Where in a record. Orders by name and by number, so that `[2]` comes before `[10]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no path such as `addresses[0].city`, with at most {MAX_STEPS} steps and indices up to {MAX_INDEX}"
)]
pub struct Malformed(String);

impl Path {
    /// The path of a field of the record itself.
    #[must_use]
    pub fn root(name: &str) -> Self {
        Self(vec![Step::Field(name.to_owned())])
    }

    /// This path and a field below it.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Field(name.to_owned()));
        Self(steps)
    }

    /// This path and an element below it.
    #[must_use]
    pub fn index(&self, at: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(at));
        Self(steps)
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is `other` or below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether the last step is an element of a list.
    #[must_use]
    pub fn ends_in_index(&self) -> bool {
        matches!(self.0.last(), Some(Step::Index(_)))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed(text.chars().take(60).collect());
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(named) {
                return Err(malformed());
            }
            steps.push(Step::Field(name.to_owned()));
            let mut rest = indices;
            while let Some(inner) = rest.strip_prefix('[') {
                let (number, after) = inner.split_once(']').ok_or_else(malformed)?;
                let index: usize = number.parse().map_err(|_| malformed())?;
                if index > MAX_INDEX || number.starts_with('+') {
                    return Err(malformed());
                }
                steps.push(Step::Index(index));
                rest = after;
            }
            if !rest.is_empty() || steps.len() > MAX_STEPS {
                return Err(malformed());
            }
        }
        Ok(Self(steps))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_and_order_by_number() {
        let mut paths: Vec<Path> = ["a[10].b", "a[2].c", "a", "a[2].b[1]", "B"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        paths.sort();
        let texts: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["B", "a", "a[2].b[1]", "a[2].c", "a[10].b"]);
    }

    #[test]
    fn malformed_paths_are_refused() {
        for bad in [
            "",
            ".",
            "a.",
            "a[",
            "a[x]",
            "a[1]b",
            "a[+1]",
            "a[50]",
            "ä",
            "a b",
            "a.b.c.d.e.f.g.h.i",
        ] {
            assert!(bad.parse::<Path>().is_err(), "{bad:?}");
        }
    }
}
