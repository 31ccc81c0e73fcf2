//! Everything that is wrong with a request at once, so that whoever sent it mends it once.

use crate::error::{Error, Kind, Result};

/// At most this many fields are listed.
const MAX: usize = 64;

/// Collects what is wrong with the parts of a request.
#[derive(Debug, Default)]
pub struct Violations {
    first: Option<Error>,
    more: usize,
}

impl Violations {
    /// The part, if it is right. Otherwise what is wrong with it is kept, and the next
    /// part is looked at.
    pub fn take<T>(&mut self, part: Result<T>) -> Option<T> {
        match part {
            Ok(part) => Some(part),
            Err(error) => {
                self.add(error);
                None
            }
        }
    }

    fn add(&mut self, error: Error) {
        let Some(mut first) = self.first.take() else {
            self.first = Some(error);
            return;
        };
        // A request that is malformed is so whatever else it is refused for.
        if first.kind() != Kind::InvalidArgument && error.kind() == Kind::InvalidArgument {
            self.first = Some(error);
            return;
        }
        if error.kind() == Kind::InvalidArgument {
            for violation in error.violations() {
                if first.violations().len() < MAX {
                    first = first.with_violation(&violation.field, &violation.problem);
                }
                self.more += 1;
            }
        }
        self.first = Some(first);
    }

    /// The whole of the parts, if all of them were right.
    ///
    /// # Errors
    /// With everything that was wrong: the message is of the first, with the number of the
    /// others.
    pub fn finish<T>(self, whole: impl FnOnce() -> Option<T>) -> Result<T> {
        match self.first {
            None => whole().ok_or_else(|| Error::broken("a part of a request is missing")),
            Some(first) if self.more == 0 => Err(first),
            Some(first) => {
                let message = format!("{}; and {} more", first.message(), self.more);
                let all = Error::new(first.kind(), first.reason(), message);
                let violations = first.violations().iter();
                Err(violations.fold(all, |all, violation| {
                    all.with_violation(&violation.field, &violation.problem)
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_right_is_given_and_what_is_wrong_is_listed() {
        let mut wrong = Violations::default();
        let one = wrong.take(Ok(1));
        assert_eq!(wrong.finish(|| one).unwrap(), 1);

        let mut wrong = Violations::default();
        let none: Option<u8> = wrong.take(Err(Error::invalid("a", "is missing")));
        let nested = Error::invalid("b", "is long").with_violation("c", "is short");
        wrong.take::<u8>(Err(nested));
        wrong.take::<u8>(Err(Error::denied("x")));
        let error = wrong.finish(|| none).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidArgument);
        assert_eq!(error.message(), "a: is missing; and 2 more");
        let fields: Vec<_> = error
            .violations()
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(fields, ["a", "b", "c"]);
    }

    #[test]
    fn a_malformed_field_comes_before_another_refusal_and_the_list_has_an_end() {
        let mut wrong = Violations::default();
        wrong.take::<u8>(Err(Error::denied("x")));
        for index in 0..1_000 {
            wrong.take::<u8>(Err(Error::invalid(format!("f[{index}]"), "is wrong")));
        }
        let error = wrong.finish(|| Some(0)).unwrap_err();
        assert_eq!(error.violations().len(), MAX);
        assert_eq!(error.message(), "f[0]: is wrong; and 999 more");
    }
}
