//! A unary test on its own, such as the bounds of an argument.

use std::{collections::BTreeMap, fmt};

use crate::{
    Diagnostic, Facts, Met, Type, Value,
    sfeel::{self, Names, Test},
    table::Language,
    yaml::Node,
};

/// An S-FEEL unary test of values of one type, such as `> 0`. It refers to no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnaryTest {
    text: String,
    test: Test,
}

impl UnaryTest {
    /// Reads and checks the test in a node.
    ///
    /// # Errors
    /// With the place, if it is no test or doesn't fit the type.
    pub fn read(node: &Node, ty: &Type) -> Result<Self, Diagnostic> {
        let nothing = BTreeMap::new();
        let test = Language::new(&nothing, Names::new([])).test(node, ty)?;
        Ok(Self {
            text: node.as_str().unwrap_or_default().trim().to_owned(),
            test,
        })
    }

    /// Whether a value of the type meets it. What can't be compared doesn't.
    #[must_use]
    pub fn met(&self, value: &Value) -> Met {
        let nothing = Facts::default();
        let scope = sfeel::Scope::untyped(&nothing);
        sfeel::meets(&self.test, value, &scope).unwrap_or(Met::No)
    }
}

impl fmt::Display for UnaryTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str, ty: &Type) -> Result<UnaryTest, Diagnostic> {
        let nodes = yaml::parse(&format!("test: '{text}'\n")).unwrap();
        UnaryTest::read(nodes[0].get("test").unwrap(), ty)
    }

    fn number(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    #[test]
    fn values_meet_it_or_not() {
        let ty = Type::Number { unit: None };
        let test = read("(0..1000]", &ty).unwrap();
        assert_eq!(test.to_string(), "(0..1000]");
        for (value, met) in [
            ("0", Met::No),
            ("0.001", Met::Yes),
            ("1000", Met::Yes),
            ("1000.01", Met::No),
        ] {
            assert_eq!(test.met(&number(value)), met, "{value}");
        }
        assert_ne!(test.met(&Value::Null), Met::Yes);
        assert_ne!(test.met(&Value::String("1".to_owned())), Met::Yes);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_place() {
        let ty = Type::Number { unit: None };
        for bad in ["", "> \"a\"", "> other", "> ", "not(1"] {
            assert!(read(bad, &ty).is_err(), "{bad}");
        }
    }
}
