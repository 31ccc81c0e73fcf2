//! The canonical form of a table, and digests over it.

use std::{collections::BTreeMap, fmt::Write as _};

use sha2::{Digest, Sha256};

use super::{Row, Table};
use crate::{json, value::Value};

fn text(text: impl ToString) -> Value {
    Value::String(text.to_string())
}

fn context<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Context(
        entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// `sha256:` and the digest of a text.
pub(crate) fn sha256(text: &str) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

impl Table {
    /// All that decides, as RFC 8785 JSON: equal for tables that mean the same cell by
    /// cell, whatever their spacing, quotes, trailing zeros or file form. Neither the name
    /// of the table nor descriptions are part of it.
    #[must_use]
    pub fn canonical(&self) -> String {
        json::canonical(&self.canonical_value())
    }

    pub(crate) fn canonical_value(&self) -> Value {
        let inputs = self.inputs.iter().map(|input| {
            context([
                ("allowed", text(&input.allowed)),
                ("expression", text(&input.expression)),
                ("type", text(&input.ty)),
            ])
        });
        let outputs = self.outputs.iter().map(|output| {
            context([
                ("name", text(&output.name)),
                ("type", text(&output.ty)),
                ("values", Value::List(output.values.clone())),
            ])
        });
        let facts = self.facts().map(|(name, ty)| (name.to_owned(), text(ty)));
        let aggregator = self.hit_policy.aggregator();
        context([
            (
                "aggregation",
                aggregator.map_or(Value::Null, |a| text(a.name())),
            ),
            (
                "default",
                self.default.clone().map_or(Value::Null, Value::Context),
            ),
            ("facts", Value::Context(facts.collect())),
            ("hit_policy", text(self.hit_policy.name())),
            ("inputs", Value::List(inputs.collect())),
            ("outputs", Value::List(outputs.collect())),
            (
                "rows",
                Value::List(
                    self.rows
                        .iter()
                        .map(|row| self.canonical_row(row))
                        .collect(),
                ),
            ),
        ])
    }

    /// The digest of one row: of its id, what it asks of which expression, and its outputs.
    #[must_use]
    pub fn row_digest(&self, row: &Row) -> String {
        sha256(&json::canonical(&self.canonical_row(row)))
    }

    fn canonical_row(&self, row: &Row) -> Value {
        let mut when = BTreeMap::new();
        for (input, cell) in self.inputs.iter().zip(&row.cells) {
            if cell.test == crate::sfeel::Test::Any {
                continue;
            }
            // Two inputs may compute the same.
            let mut name = input.expression.to_string();
            while when.contains_key(&name) {
                name.push('\'');
            }
            when.insert(name, text(&cell.test));
        }
        let mut entries = BTreeMap::from([
            ("id".to_owned(), text(&row.id)),
            ("then".to_owned(), Value::Context(row.outputs.clone())),
            ("when".to_owned(), Value::Context(when)),
        ]);
        // Absent where nothing is computed, so that digests of constant rows stay.
        if !row.computed.is_empty() {
            let computed = row.computed.iter();
            let computed = computed.map(|(name, node)| (name.clone(), text(node)));
            entries.insert("compute".to_owned(), Value::Context(computed.collect()));
        }
        Value::Context(entries)
    }
}
