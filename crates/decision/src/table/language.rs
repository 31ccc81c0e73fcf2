//! Reading expressions and tests where they stand, against the facts that are declared.

use std::collections::BTreeMap;

use crate::{
    diagnostic::Diagnostic,
    sfeel::{self, Mode, Names, Test},
    types::Type,
    yaml::Node,
};

/// What expressions may name, and of what types.
#[derive(Debug, Clone)]
pub(crate) struct Language<'t> {
    types: &'t BTreeMap<String, Type>,
    names: Names,
    mode: Mode,
}

impl<'t> Language<'t> {
    /// As policies read: what doesn't go together is refused.
    pub(crate) fn new(types: &'t BTreeMap<String, Type>, names: Names) -> Self {
        Self::in_mode(types, names, Mode::Strict)
    }

    pub(crate) fn in_mode(types: &'t BTreeMap<String, Type>, names: Names, mode: Mode) -> Self {
        let names = names.in_mode(mode);
        Self { types, names, mode }
    }

    /// Reads and checks an expression; its type.
    pub(crate) fn expression(&self, node: &Node) -> Result<(sfeel::Node, Type), Diagnostic> {
        let text = text(node, "an S-FEEL expression")?;
        sfeel::parse_expression(text, &self.names)
            .and_then(|mut expression| {
                let ty = sfeel::check_expression_in(&mut expression, self.types, self.mode)?;
                Ok((expression, ty))
            })
            .map_err(|error| located(node, &error))
    }

    /// Reads and checks a test on values of a type.
    pub(crate) fn test(&self, node: &Node, ty: &Type) -> Result<Test, Diagnostic> {
        let text = text(node, "an S-FEEL test such as '<= 10'")?;
        sfeel::parse_test(text, &self.names)
            .and_then(|mut test| {
                sfeel::check_test_in(&mut test, ty, self.types, self.mode)?;
                Ok(test)
            })
            .map_err(|error| located(node, &error))
    }
}

fn text<'n>(node: &'n Node, wanted: &str) -> Result<&'n str, Diagnostic> {
    let text = node.as_str().filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| {
        let found = if node.as_str().is_some() {
            "nothing".to_owned()
        } else {
            node.describe()
        };
        node.problem(format!("found {found}, expected {wanted}"))
    })
}

/// A problem of an expression at its place in the file.
pub(super) fn located(node: &Node, error: &sfeel::Error) -> Diagnostic {
    Diagnostic::new(node.text_mark().right(error.at), error.message.clone())
}
