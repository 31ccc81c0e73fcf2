//! Three-valued logic, with unknown beside null.

use crate::value::Value;

/// FEEL's true, false or null, or what depends on unknown facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    /// True, false, or null for `None`.
    Known(Option<bool>),
    /// Any of them.
    Unknown,
    /// Null, unless the unknown decides: never what is neutral here, so false never comes of
    /// `or`, nor true of `and`.
    NullOr,
}

impl Truth {
    pub(super) const TRUE: Self = Self::Known(Some(true));
    pub(super) const FALSE: Self = Self::Known(Some(false));
    pub(super) const NULL: Self = Self::Known(None);

    /// The truth of a value; what is no boolean is null.
    pub(super) fn of(value: Option<&Value>) -> Self {
        value.map_or(Self::Unknown, |value| Self::Known(value.as_bool()))
    }

    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Known(truth) => Some(truth.map_or(Value::Null, Value::Boolean)),
            Self::Unknown | Self::NullOr => None,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        self.joined(other, false)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.joined(other, true)
    }

    /// `decisive` on either side is the result, whatever the other is.
    fn joined(self, other: Self, decisive: bool) -> Self {
        use Truth::{Known, NullOr, Unknown};
        match (self, other) {
            (Known(Some(a)), _) | (_, Known(Some(a))) if a == decisive => Known(Some(decisive)),
            // What is left of the known ones is neutral.
            (Known(Some(_)), rest) | (rest, Known(Some(_))) => rest,
            (Known(None), Known(None)) => Known(None),
            (Known(None) | NullOr, _) | (_, Known(None) | NullOr) => NullOr,
            (Unknown, Unknown) => Unknown,
        }
    }
}
