//! Tables as Markdown, for people to read.

use std::fmt::Write as _;

use super::{Logic, Model};
use crate::{
    sfeel::Test,
    table::{Table, constant_text, outer},
    value::Value,
};

impl Model {
    /// All decisions, tables as tables and expressions as code.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# {}\n", inline(&self.name));
        paragraph(&mut out, self.description());
        for function in &self.functions {
            let parameters = function.lambda.parameters.iter();
            let parameters: Vec<_> = parameters.map(|(name, _)| name.as_str()).collect();
            let name = inline(&function.name);
            let _ = write!(out, "\n## {name}({})\n", inline(&parameters.join(", ")));
            paragraph(&mut out, function.description.as_deref());
            if let Some(logic) = &function.lambda.body {
                self.logic(&mut out, logic);
            }
        }
        for decision in &self.decisions {
            let _ = write!(out, "\n## {}\n", inline(&decision.name));
            paragraph(&mut out, decision.question.as_deref());
            paragraph(&mut out, decision.description.as_deref());
            if let Some(logic) = &decision.logic {
                self.logic(&mut out, logic);
            }
        }
        out
    }

    fn logic(&self, out: &mut String, logic: &Logic) {
        match logic {
            Logic::Table(table) => table.markdown(out),
            Logic::Expression(formula) => code(out, "feel", &formula.text),
            // Boxed expressions read best as the file has them.
            other => code(
                out,
                "yaml",
                crate::yaml::write(&super::write::logic_node(other)).trim_end(),
            ),
        }
    }
}

impl Table {
    /// The table for people: a heading, the hit policy, and a row a line.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# {}\n", inline(self.name()));
        paragraph(&mut out, self.description());
        self.markdown(&mut out);
        out
    }

    fn markdown(&self, out: &mut String) {
        let policy = self.hit_policy.name().replace('_', " ");
        let aggregator = self.hit_policy.aggregator();
        let aggregator = aggregator.map_or_else(String::new, |a| format!(" {}", a.name()));
        let _ = write!(out, "\nHit policy: {policy}{aggregator}\n\n");
        let described = self
            .rows
            .iter()
            .any(|row| row.notes().is_some_and(|notes| notes.description.is_some()));
        let mut header = vec!["row".to_owned()];
        header.extend(
            self.inputs
                .iter()
                .map(|input| format!("{} ?", inline(&input.key))),
        );
        header.extend(
            self.outputs
                .iter()
                .map(|column| format!("**{}**", inline(&column.name))),
        );
        header.extend(described.then(|| "note".to_owned()));
        header.extend(self.annotations.iter().map(|name| inline(name)));
        line(out, &header);
        line(out, &vec!["---".to_owned(); header.len()]);
        for row in &self.rows {
            let mut cells = vec![inline(&row.id)];
            cells.extend(row.cells.iter().map(|cell| match &cell.test {
                Test::Any => "-".to_owned(),
                test => inline(&format!("{test:#}")),
            }));
            for column in &self.outputs {
                let computed = row.computed.get(&column.name);
                cells.push(match (row.outputs.get(&column.name), computed) {
                    (Some(value), _) => inline(&shown(value)),
                    (None, Some(expression)) => inline(outer(&format!("{expression:#}"))),
                    (None, None) => String::new(),
                });
            }
            let notes = row.notes();
            let note = notes.and_then(|notes| notes.description.as_deref());
            cells.extend(described.then(|| inline(note.unwrap_or_default())));
            for name in &self.annotations {
                let said = notes.and_then(|notes| notes.annotations.get(name));
                cells.push(inline(said.map_or("", String::as_str)));
            }
            line(out, &cells);
        }
        if let Some(default) = &self.default {
            let values = default.iter();
            let values: Vec<_> = values
                .map(|(name, value)| format!("{} = {}", inline(name), inline(&shown(value))))
                .collect();
            let _ = write!(out, "\nWhere no row matches: {}\n", values.join(", "));
        }
    }
}

/// A constant as people read it: texts without quotes, lists as they are written.
fn shown(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Context(_) => crate::yaml::flow(&crate::table::value_node(value)),
        Value::Null => constant_text(value),
        other => other.to_string(),
    }
}

fn paragraph(out: &mut String, text: Option<&str>) {
    if let Some(text) = text {
        let _ = write!(out, "\n{}\n", inline(text));
    }
}

fn code(out: &mut String, language: &str, text: &str) {
    // A fence longer than any in the text.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = write!(out, "\n{fence}{language}\n{text}\n{fence}\n");
}

fn line(out: &mut String, cells: &[String]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

/// A text on one line, without what Markdown takes for its own.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '*' | '`' | '<' | '\\' | '[' | ']' => out.extend(['\\', c]),
            '\n' => out.push_str("<br>"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
