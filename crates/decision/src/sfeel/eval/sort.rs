//! Sorting by a function that says which of two comes first.

use super::{
    Given, Truth,
    env::{Binding, Env},
    fail,
};
use crate::{
    sfeel::{Failure, Node},
    value::Value,
};

/// What says which of two comes first.
pub(super) enum Precedes<'e> {
    /// A function of the text: two parameters, the body, and what is bound around.
    Lambda {
        parameters: &'e [String],
        body: &'e Node,
        outer: Option<&'e Binding<'e>>,
    },
    /// One that the model defines.
    Defined(&'e str),
}

impl Env<'_> {
    /// A stable merge sort; `None` where the order is unknown.
    pub(super) fn sorted(
        &self,
        at: usize,
        mut items: Vec<Value>,
        precedes: &Precedes<'_>,
    ) -> Result<Option<Vec<Value>>, Failure> {
        if items.len() < 2 {
            return Ok(Some(items));
        }
        let _level = self.scope.work().descend(1, at)?;
        let rest = items.split_off(items.len() / 2);
        let (Some(left), Some(right)) = (
            self.sorted(at, items, precedes)?,
            self.sorted(at, rest, precedes)?,
        ) else {
            return Ok(None);
        };
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        let mut merged = Vec::with_capacity(left.len() + right.len());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            self.take(at, 1 + (a.size() + b.size()) / 8)?;
            match self.comes_first(at, b, a, precedes)? {
                Truth::Known(Some(true)) => merged.extend(right.next()),
                Truth::Known(_) => merged.extend(left.next()),
                _ => return Ok(None),
            }
        }
        merged.extend(left);
        merged.extend(right);
        Ok(Some(merged))
    }

    fn comes_first(
        &self,
        at: usize,
        a: &Value,
        b: &Value,
        precedes: &Precedes<'_>,
    ) -> Result<Truth, Failure> {
        let values = vec![Some(a.clone()), Some(b.clone())];
        let first = match precedes {
            Precedes::Lambda {
                parameters,
                body,
                outer,
            } if parameters.len() == 2 => self.bound_to(parameters, &values, body, *outer)?,
            Precedes::Lambda { .. } => {
                return Err(fail(at, "expected a function of two parameters"));
            }
            Precedes::Defined(name) => self.scope.call(name, Given::Positional(values), at)?,
        };
        Ok(Truth::of(first.as_ref()))
    }
}
