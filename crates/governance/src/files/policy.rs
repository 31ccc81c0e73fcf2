//! `kind: Policy`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use decision::{HitPolicy, OutputColumn, Row, Schema, Table, Type, Value, yaml::Node};
use serde_json::json;

use super::{Diagnostic, Document, POLICY, Reader, digest, is_name, relocate};
use crate::{
    Scope,
    answer::Effect,
    policy::{AuditLevel, Mode, Policy, RowAnswer, RowApproval},
    tree::ScopeTree,
    workflow::Workflow,
};

const MODES: [(&str, Mode); 2] = [("DEFAULT", Mode::Default), ("GUARDRAIL", Mode::Guardrail)];
const AUDIT_LEVELS: [(&str, AuditLevel); 2] =
    [("SUMMARY", AuditLevel::Summary), ("FULL", AuditLevel::Full)];

/// At most this many people of one role.
const MAX_COUNT: i64 = 100;
/// At most this many approvals, obligations or required facts in a row.
const MAX_LIST: usize = 50;

/// What of a policy stands beside its table.
struct Header {
    name: Arc<str>,
    workflow: Arc<Workflow>,
    scope: Scope,
    mode: Mode,
    waivable: bool,
    audit_level: AuditLevel,
    description: String,
}

pub(super) fn read(
    document: &Document<'_>,
    scopes: &ScopeTree,
    workflows: &BTreeMap<Arc<str>, Arc<Workflow>>,
) -> Result<Policy, Vec<Diagnostic>> {
    let mut reader = Reader::new(document, &document.node)?;
    let header = header(&mut reader, scopes, workflows);
    let Some(header) = header else {
        // Without the workflow the table can't be read; its keys aren't unknown ones.
        return Err(reader.errors);
    };
    let read = table_of(&mut reader, &header.workflow, &header.scope, scopes);
    let Some((table, rows)) = read else {
        return Err(reader.errors);
    };
    reader.finish()?;
    let digest = digest(&canonical_form(&header, &table));
    Ok(Policy {
        name: header.name,
        workflow: header.workflow.name.clone(),
        scope: header.scope,
        mode: header.mode,
        waivable: header.waivable,
        audit_level: header.audit_level,
        description: header.description,
        version: document.source.version,
        digest: digest.into(),
        table,
        rows,
    })
}

fn header(
    reader: &mut Reader<'_>,
    scopes: &ScopeTree,
    workflows: &BTreeMap<Arc<str>, Arc<Workflow>>,
) -> Option<Header> {
    reader.one_of("kind", &[(POLICY, ())]);
    let name = reader.name("name");
    let workflow = reader.name("workflow");
    let scope = reader.scope("scope");
    let mode_node = reader.node.get("mode");
    let mode = reader.one_of("mode", &MODES);
    let audit_level = reader.one_of("audit_level", &AUDIT_LEVELS);
    let waivable = reader.flag("waivable", true);
    let description = reader.optional_text("description").unwrap_or_default();
    let workflow = workflow.and_then(|(node, name)| {
        let found = workflows.get(&name).cloned();
        if found.is_none() {
            reader.fail(node, format!("workflow: there is no workflow {name}"));
        }
        found
    });
    let (scope_node, scope) = scope?;
    let Some(place) = scopes.get(&scope) else {
        reader.fail(scope_node, format!("scope: there is no scope {scope}"));
        return None;
    };
    let (workflow, mode) = (workflow?, mode?);
    if mode == Mode::Default && !workflow.class.allows_default_at(place.level) {
        reader.fail(
            mode_node.unwrap_or(scope_node),
            format!(
                "a default of the {} workflow {} can't stand at {scope}, a {}: {}",
                workflow.class,
                workflow.name,
                place.level,
                "below the levels its class allows there are guardrails only"
            ),
        );
    }
    Some(Header {
        name: name?.1,
        workflow,
        scope,
        mode,
        waivable,
        audit_level: audit_level?,
        description: description.to_owned(),
    })
}

/// A table with the outputs that a policy has, over a workflow's facts, and what its rows
/// give at a scope; `None` where it can't be read.
pub(super) fn table_of(
    reader: &mut Reader<'_>,
    workflow: &Workflow,
    scope: &Scope,
    scopes: &ScopeTree,
) -> Option<(Table, Vec<RowAnswer>)> {
    let table = table(reader, workflow)?;
    let rows = rows(reader, &table, (workflow, scope), scopes);
    Some((table, rows))
}

fn table(reader: &mut Reader<'_>, workflow: &Workflow) -> Option<Table> {
    let facts = workflow
        .facts
        .iter()
        .map(|(name, schema)| (name.clone(), schema.ty.clone()))
        .collect();
    let schema = Schema {
        facts,
        outputs: Some(outputs()),
        open: false,
    };
    let attachments = &reader.document.source.attachments;
    let loader = |name: &str| {
        attachments
            .get(name)
            .cloned()
            .ok_or_else(|| format!("there is no file {name} beside the policy"))
    };
    let name = reader.node.get("name").and_then(Node::as_str);
    let name = name.unwrap_or_default();
    let found = Table::from_fields(name, &mut reader.fields, &schema, &loader);
    match found {
        Ok(table) => Some(table),
        Err(problems) => {
            let source = reader.document.source;
            reader
                .errors
                .extend(problems.into_iter().map(|d| relocate(source, d)));
            None
        }
    }
}

fn outputs() -> Vec<OutputColumn> {
    let list = |of: Type| Type::List(Box::new(of));
    let output = |name: &str, ty: Type, required: bool| OutputColumn {
        name: name.to_owned(),
        ty,
        values: Vec::new(),
        required,
    };
    // PRIORITY takes the output values in the order they are declared: strictest first.
    let effects = [Effect::Deny, Effect::RequireApproval, Effect::Allow];
    let effect = OutputColumn {
        values: effects.iter().map(|e| e.as_str().into()).collect(),
        ..output("effect", Type::string(), true)
    };
    vec![
        effect,
        output("approvals", list(Type::Context), false),
        output("obligations", list(Type::string()), false),
        output("required_facts", list(Type::string()), false),
        output("reason", Type::string(), false),
    ]
}

fn rows(
    reader: &mut Reader<'_>,
    table: &Table,
    at: (&Workflow, &Scope),
    scopes: &ScopeTree,
) -> Vec<RowAnswer> {
    match table.hit_policy() {
        HitPolicy::Unique | HitPolicy::First | HitPolicy::Any | HitPolicy::Priority => {}
        HitPolicy::Collect(None) => {}
        HitPolicy::Collect(Some(_)) | HitPolicy::RuleOrder | HitPolicy::OutputOrder => {
            let message = format!(
                "hit_policy: found {}, expected UNIQUE, FIRST, ANY, PRIORITY, or COLLECT without \
                 aggregation",
                table.hit_policy().name()
            );
            reader.fail(
                reader.node.get("hit_policy").unwrap_or(reader.node),
                message,
            );
        }
    }
    if let (Some(_), Some(node)) = (table.default_outputs(), reader.node.get("default")) {
        let message = "a policy has no default outputs: a default policy without a hit denies, \
                       a guardrail without a hit adds nothing";
        reader.fail(node, message);
    }
    let mut rows = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        match row_answer(row, at, scopes) {
            Ok(answer) => rows.push(answer),
            Err(message) => {
                let message = format!("row {}: {message}", row.id());
                let mut found = decision::Diagnostic::new(row.mark(), message);
                if let Some(csv) = reader.node.get("rows_csv").and_then(Node::as_str) {
                    found = found.in_file(csv);
                }
                let source = reader.document.source;
                reader.errors.push(relocate(source, found));
            }
        }
    }
    rows
}

fn row_answer(
    row: &Row,
    (workflow, scope): (&Workflow, &Scope),
    scopes: &ScopeTree,
) -> Result<RowAnswer, String> {
    let outputs = row.outputs();
    let text = |name: &str| outputs.get(name).and_then(Value::as_str);
    let effect = text("effect")
        .and_then(Effect::from_name)
        .ok_or("effect: expected ALLOW, REQUIRE_APPROVAL or DENY")?;
    let approvals = approvals(outputs.get("approvals"), scope, scopes)?;
    match (effect, approvals.is_empty()) {
        (Effect::RequireApproval, true) => {
            return Err("REQUIRE_APPROVAL without approvals: nobody could give one".to_owned());
        }
        (Effect::Allow | Effect::Deny, false) => {
            return Err(format!("{effect} with approvals: use REQUIRE_APPROVAL"));
        }
        _ => {}
    }
    let required_facts = names(outputs.get("required_facts"), "required_facts")?;
    for fact in &required_facts {
        if !workflow.facts.contains_key(fact.as_ref()) {
            return Err(format!(
                "required_facts: workflow {} declares no fact {fact}",
                workflow.name
            ));
        }
    }
    Ok(RowAnswer {
        id: row.id().into(),
        effect,
        approvals,
        obligations: names(outputs.get("obligations"), "obligations")?,
        required_facts,
        reason: text("reason").map(Into::into),
    })
}

fn list<'a>(value: Option<&'a Value>, key: &str) -> Result<&'a [Value], String> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::List(items)) if items.len() <= MAX_LIST => Ok(items),
        Some(_) => Err(format!(
            "{key}: expected a list of at most {MAX_LIST} items"
        )),
    }
}

/// Names without repetition.
fn names(value: Option<&Value>, key: &str) -> Result<Vec<Arc<str>>, String> {
    let mut seen = BTreeSet::new();
    list(value, key)?
        .iter()
        .map(|item| {
            let name = item
                .as_str()
                .filter(|text| !text.is_empty() && text.len() <= super::MAX_NAME)
                .ok_or_else(|| format!("{key}: expected names"))?;
            if seen.insert(name) {
                Ok(name.into())
            } else {
                Err(format!("{key}: {name} twice"))
            }
        })
        .collect()
}

fn approvals(
    value: Option<&Value>,
    scope: &Scope,
    scopes: &ScopeTree,
) -> Result<Vec<RowApproval>, String> {
    let mut approvals: Vec<RowApproval> = Vec::new();
    for item in list(value, "approvals")? {
        let approval = approval(item, scope, scopes)?;
        let twice = approvals
            .iter()
            .any(|other| other.role == approval.role && other.at == approval.at);
        if twice {
            return Err(format!("approvals: {} twice at one scope", approval.role));
        }
        approvals.push(approval);
    }
    Ok(approvals)
}

fn approval(item: &Value, scope: &Scope, scopes: &ScopeTree) -> Result<RowApproval, String> {
    let fields = item
        .as_context()
        .ok_or("approvals: expected {role: …, count: …}, and `at` where it matters")?;
    if let Some(key) = fields
        .keys()
        .find(|key| !["role", "at", "count"].contains(&key.as_str()))
    {
        return Err(format!(
            "approvals: unknown key {key}, expected role, at and count"
        ));
    }
    let role = fields
        .get("role")
        .and_then(Value::as_str)
        .filter(|role| is_name(role))
        .ok_or("approvals: role is missing or no role name")?;
    let count = match fields.get("count") {
        None => 1,
        Some(value) => value
            .as_number()
            .and_then(decision::Number::to_i64)
            .filter(|count| (1..=MAX_COUNT).contains(count))
            .ok_or_else(|| format!("approvals: count is a whole number of 1 to {MAX_COUNT}"))?,
    };
    let at = match fields.get("at") {
        None => None,
        Some(value) => {
            let at = Scope::parse(value.as_str().unwrap_or_default())
                .map_err(|error| format!("approvals: at: {error}"))?;
            if scopes.get(&at).is_none() {
                return Err(format!("approvals: at: there is no scope {at}"));
            }
            // Elsewhere it would lie outside of some transaction's path to the root.
            if !at.contains(scope) {
                return Err(format!(
                    "approvals: at: {at} is neither the policy's scope {scope} nor above it"
                ));
            }
            Some(at)
        }
    };
    Ok(RowApproval {
        role: role.into(),
        at,
        count: u32::try_from(count).unwrap_or(1),
    })
}

fn canonical_form(header: &Header, table: &Table) -> serde_json::Value {
    json!({
        "kind": POLICY,
        "workflow": header.workflow.name.as_ref(),
        "scope": header.scope.as_str(),
        "mode": header.mode,
        "waivable": header.waivable,
        "audit_level": header.audit_level,
        "table": table.canonical(),
    })
}
