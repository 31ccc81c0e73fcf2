//! `kind: Workflow`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use decision::{
    Type, is_fact_name,
    temporal::{DaysDuration, Duration, parse_duration},
    yaml::Node,
};
use serde_json::json;

use super::{Diagnostic, Document, Reader, WORKFLOW, digest, relocate};
use crate::workflow::{
    Class, Criticality, Executor, FactSchema, MAX_FACTS, Provenance, Sensitivity, Workflow,
};

/// At most this many systems that a workflow depends on.
const MAX_SYSTEMS: usize = 100;

pub(super) fn read(document: &Document<'_>) -> Result<(Workflow, String), Vec<Diagnostic>> {
    let mut reader = Reader::new(document, &document.node)?;
    reader.one_of("kind", &[(WORKFLOW, ())]);
    let name = reader.name("name");
    let class = reader.one_of("class", Class::NAMES);
    let owner = reader.text("owner");
    let criticality = reader.one_of("criticality", Criticality::NAMES);
    let sensitivity = reader.one_of("control_sensitivity", Sensitivity::NAMES);
    let executed_by = reader.one_of("executed_by", Executor::NAMES);
    let depends_on = reader.texts("depends_on", MAX_SYSTEMS);
    let description = reader.optional_text("description").unwrap_or_default();
    let facts = facts(document, &mut reader);
    reader.finish()?;
    let workflow = (|| {
        Some(Workflow {
            name: name?.1,
            class: class?,
            owner: owner?.to_owned(),
            criticality: criticality?,
            sensitivity: sensitivity?,
            executed_by: executed_by?,
            depends_on,
            description: description.to_owned(),
            facts,
        })
    })()
    .ok_or_else(Vec::new)?;
    let digest = digest(&canonical_form(&workflow));
    Ok((workflow, digest))
}

fn facts(document: &Document<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, FactSchema> {
    let mut facts = BTreeMap::new();
    let Some(list) = reader.required("facts") else {
        return facts;
    };
    for (name, node) in reader.entries("facts", list, MAX_FACTS) {
        if !is_fact_name(name) {
            reader.fail(
                node,
                format!(
                    "fact {name:?}: expected names of letters, digits, `_` and inner spaces, \
                     joined by dots, such as `order.total`"
                ),
            );
        }
        match fact(document, node) {
            Ok(schema) => {
                facts.insert(name.to_owned(), schema);
            }
            Err(mut errors) => reader.errors.append(&mut errors),
        }
    }
    facts
}

fn fact(document: &Document<'_>, node: &Node) -> Result<FactSchema, Vec<Diagnostic>> {
    let mut reader = Reader::new(document, node)?;
    let mut problems = Vec::new();
    let ty = Type::take(&mut reader.fields, &mut problems);
    let located = problems.into_iter().map(|d| relocate(document.source, d));
    reader.errors.extend(located);
    match &ty {
        Some(Type::Money { currency: None }) => {
            reader.fail(node, "money declares its currency, such as `currency: EUR`");
        }
        Some(Type::Any | Type::Context) => {
            reader.fail(
                node,
                "a fact has one of the types that tables can test, or a list",
            );
        }
        _ => {}
    }
    let mut provenance = reader.choices("provenance", Provenance::NAMES);
    provenance.sort_unstable();
    if provenance.is_empty() {
        // A model's word counts only where somebody decided that it does.
        provenance = vec![Provenance::Erp, Provenance::Integration, Provenance::Person];
    }
    let max_age = max_age(&mut reader);
    let binding = reader.flag("binding", false);
    let description = reader.optional_text("description").unwrap_or_default();
    reader.finish()?;
    ty.map(|ty| FactSchema {
        ty,
        provenance,
        max_age,
        binding,
        description: description.to_owned(),
    })
    .ok_or_else(Vec::new)
}

fn max_age(reader: &mut Reader<'_>) -> Option<TimeDelta> {
    let node = reader.fields.take("max_age")?;
    let age = node.as_str().and_then(age);
    if age.is_none() {
        reader.fail(
            node,
            "max_age: expected a positive duration such as `24h`, `30m`, `7d` or `PT24H`",
        );
    }
    age
}

/// `24h`, `90s`, `30m`, `7d`, or an ISO 8601 duration of days and time.
fn age(text: &str) -> Option<TimeDelta> {
    let parsed = match parse_duration(text) {
        Some(Duration::Days(DaysDuration(age))) => age,
        Some(Duration::Months(_)) => return None,
        None => {
            let unit = text.chars().last()?;
            let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
            match unit {
                's' => TimeDelta::try_seconds(count)?,
                'm' => TimeDelta::try_minutes(count)?,
                'h' => TimeDelta::try_hours(count)?,
                'd' => TimeDelta::try_days(count)?,
                _ => return None,
            }
        }
    };
    (parsed > TimeDelta::zero()).then_some(parsed)
}

fn canonical_form(workflow: &Workflow) -> serde_json::Value {
    let facts: BTreeMap<_, _> = workflow
        .facts
        .iter()
        .map(|(name, schema)| {
            let form = json!({
                "type": schema.ty.to_string(),
                "provenance": schema.provenance,
                "max_age": schema.max_age.map(|age| DaysDuration(age).to_string()),
                "binding": schema.binding,
                "description": schema.description,
            });
            (name, form)
        })
        .collect();
    json!({
        "kind": WORKFLOW,
        "name": workflow.name.as_ref(),
        "class": workflow.class,
        "owner": workflow.owner,
        "criticality": workflow.criticality,
        "control_sensitivity": workflow.sensitivity,
        "executed_by": workflow.executed_by,
        "depends_on": workflow.depends_on,
        "description": workflow.description,
        "facts": facts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_forms() {
        assert_eq!(age("24h"), Some(TimeDelta::hours(24)));
        assert_eq!(age("P1DT12H"), Some(TimeDelta::hours(36)));
        for bad in [
            "",
            "h",
            "24",
            "-1h",
            "0s",
            "1w",
            "P1M",
            "1.5h",
            "99999999999999999d",
            "ä",
        ] {
            assert_eq!(age(bad), None, "{bad:?}");
        }
    }
}
