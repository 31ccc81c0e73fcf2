//! What approvals of an action are bound to.

use std::collections::BTreeMap;

use decision::Value;
use serde_json::{Map, json};

use crate::{Scope, canonical};

/// The parts of a request that an approval stands for. Other facts may move between an
/// approval and the quorum; these may not.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Workflow that was asked about.
    pub workflow: &'a str,
    /// Scope of the transaction.
    pub scope: &'a Scope,
    /// `type/id` of the document acted on.
    pub document: &'a str,
    /// What the action does in the executing system.
    pub operation: &'a str,
    /// The executing system.
    pub audience: &'a str,
    /// Arguments of the operation.
    pub arguments: &'a BTreeMap<String, Value>,
    /// The facts that the workflow marks as binding, as they were sent; a binding fact
    /// that is unknown is left out.
    pub facts: &'a BTreeMap<String, Value>,
}

/// The digest of a binding: `sha256:` and 64 hexadecimal digits over its canonical form
/// (RFC 8785 with decimals as normalised strings).
#[must_use]
pub fn digest(binding: &Binding<'_>) -> String {
    let values = |values: &BTreeMap<String, Value>| -> Map<String, serde_json::Value> {
        values
            .iter()
            .map(|(name, value)| (name.clone(), canonical::value(value)))
            .collect()
    };
    canonical::digest(&json!({
        "version": 1,
        "workflow": binding.workflow,
        "scope": binding.scope.as_str(),
        "document": binding.document,
        "operation": binding.operation,
        "audience": binding.audience,
        "arguments": values(binding.arguments),
        "facts": values(binding.facts),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn of(quantity: &str, document: &str) -> String {
        let number = Value::Number(quantity.parse().unwrap());
        digest(&Binding {
            workflow: "credit_hold_release",
            scope: &"acme/europe".parse().unwrap(),
            document,
            operation: "release_order",
            audience: "erp",
            arguments: &BTreeMap::from([("quantity".to_owned(), number)]),
            facts: &BTreeMap::new(),
        })
    }

    #[test]
    fn equal_amounts_bind_alike_and_others_do_not() {
        assert_eq!(of("12", "order/1"), of("12.00", "order/1"));
        assert_ne!(of("12", "order/1"), of("13", "order/1"));
        assert_ne!(of("12", "order/1"), of("12", "order/2"));
    }
}
