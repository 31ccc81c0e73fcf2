//! Parts of the forms: each reads one shape of YAML and says what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use decision::{
    Diagnostic, Type, UnaryTest,
    temporal::{Duration, parse_duration},
    yaml::{Fields, Node},
};
use governance::{Provenance, Scope, tree::ScopeTree};

use super::{
    Argument, ExceptionType,
    event_type::{DocumentRule, Executes, Path},
};
use crate::domain::{calendar::Shift, document, exception::Severity};

/// How long approvals are waited for where an action doesn't say.
const APPROVAL_TTL: TimeDelta = TimeDelta::days(3);
/// The longest wait for approvals.
const MAX_APPROVAL_TTL: TimeDelta = TimeDelta::days(90);

/// Starts on a document, its `kind` and `description` taken.
pub(super) fn header<'n>(node: &'n Node, problems: &mut Vec<Diagnostic>) -> Option<Fields<'n>> {
    let mut fields = mapping(node, problems)?;
    fields.take("kind");
    fields.text("description", problems);
    Some(fields)
}

pub(super) fn mapping<'n>(node: &'n Node, problems: &mut Vec<Diagnostic>) -> Option<Fields<'n>> {
    Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()
}

pub(super) fn entries<'n>(node: &'n Node, problems: &mut Vec<Diagnostic>) -> &'n [(Node, Node)] {
    node.as_mapping().unwrap_or_else(|| {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        &[]
    })
}

pub(super) fn flag(
    fields: &mut Fields<'_>,
    key: &'static str,
    problems: &mut Vec<Diagnostic>,
) -> Option<bool> {
    fields.take(key)?.boolean(problems)
}

pub(super) fn name_of(
    fields: &mut Fields<'_>,
    key: &'static str,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    let node = fields.require(key, problems)?;
    let text = node.text(problems, "a name")?;
    if text.len() > decision::limits::NAME_BYTES {
        problems.push(node.problem("name is too long"));
    }
    Some(text.to_owned())
}

pub(super) fn name_and_scope(
    fields: &mut Fields<'_>,
    scopes: &ScopeTree,
    problems: &mut Vec<Diagnostic>,
) -> (String, Option<Scope>) {
    let name = name_of(fields, "name", problems).unwrap_or_default();
    let scope = fields.require("scope", problems).and_then(|node| {
        let scope = Scope::parse(node.text(problems, "a scope")?)
            .map_err(|error| problems.push(node.problem(error.to_string())))
            .ok()?;
        if !scopes.is_empty() && scopes.get(&scope).is_none() {
            problems.push(node.problem(format!("there is no scope {scope}")));
        }
        Some(scope)
    });
    (name, scope)
}

pub(super) fn path(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Path> {
    let text = node.text(problems, "a path such as `order.total`")?;
    let path = Path::parse(text);
    if path.is_none() {
        problems.push(node.problem(format!("`{text}` is no path such as `order.total`")));
    }
    path
}

pub(super) fn exception_type(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<ExceptionType> {
    let mut fields = mapping(node, problems)?;
    let title = name_of(&mut fields, "title", problems);
    let blocking = flag(&mut fields, "blocking", problems).unwrap_or(true);
    let queue = name_of(&mut fields, "queue", problems);
    let severity = fields.require("severity", problems).and_then(|node| {
        let name = node.text(problems, "a severity")?;
        let severity = Severity::from_name(name);
        if severity.is_none() {
            let names = Severity::ALL.map(Severity::name).join(", ");
            problems.push(node.problem(format!("found `{name}`, expected one of {names}")));
        }
        severity
    });
    let root_causes = codes(fields.take("root_causes"), problems);
    let resolutions = codes(fields.take("resolutions"), problems);
    fields.finish(problems);
    Some(ExceptionType {
        title: title?,
        blocking,
        severity: severity?,
        queue: queue?,
        root_causes,
        resolutions,
    })
}

pub(super) fn codes(
    node: Option<&Node>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let Some(node) = node else {
        return BTreeMap::new();
    };
    let mut codes = BTreeMap::new();
    for (key, value) in entries(node, problems) {
        let code = key.as_str().unwrap_or_default();
        if !document::is_kind(code) {
            problems.push(key.problem("expected lower-case letters, digits and `_`"));
        }
        if let Some(meaning) = value.text(problems, "the code's meaning") {
            codes.insert(code.to_owned(), meaning.to_owned());
        }
    }
    codes
}

pub(super) fn shifts(node: &Node, problems: &mut Vec<Diagnostic>) -> [Vec<Shift>; 7] {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let mut week: [Vec<Shift>; 7] = Default::default();
    for (key, value) in entries(node, problems) {
        let day = DAYS.iter().position(|day| key.as_str() == Some(day));
        let Some(day) = day else {
            problems.push(key.problem(format!("expected one of {}", DAYS.join(", "))));
            continue;
        };
        for item in value.items(problems, "a sequence of shifts") {
            let Some(text) = item.text(problems, "a shift such as 08:00-17:00") else {
                continue;
            };
            match Shift::parse(text) {
                Ok(shift) => week[day].push(shift),
                Err(error) => problems.push(item.problem(error.to_string())),
            }
        }
    }
    week
}

pub(super) fn holidays(node: &Node, problems: &mut Vec<Diagnostic>) -> BTreeSet<NaiveDate> {
    let mut dates = BTreeSet::new();
    for (key, _) in entries(node, problems) {
        let text = key.as_str().unwrap_or_default();
        match decision::temporal::parse_date(text) {
            Some(date) => {
                dates.insert(date);
            }
            None => problems.push(key.problem(format!("`{text}` is no date such as 2026-12-25"))),
        }
    }
    dates
}

pub(super) fn arguments(node: &Node, problems: &mut Vec<Diagnostic>) -> BTreeMap<String, Argument> {
    let mut found = BTreeMap::new();
    for (key, value) in entries(node, problems) {
        let Some(mut fields) = mapping(value, problems) else {
            continue;
        };
        let name = key.as_str().unwrap_or_default().to_owned();
        if !document::is_kind(&name) {
            problems.push(key.problem("expected lower-case letters, digits and `_`"));
        }
        let ty = Type::take(&mut fields, problems);
        let required = flag(&mut fields, "required", problems).unwrap_or(false);
        let test = fields.take("test");
        let fact = fields.text("fact", problems);
        fields.finish(problems);
        let Some(ty) = ty.filter(|ty| portable(ty, value, problems)) else {
            continue;
        };
        let test = test.and_then(|node| {
            let test = UnaryTest::read(node, &ty);
            test.map_err(|problem| problems.push(problem)).ok()
        });
        let argument = Argument {
            ty,
            required,
            test,
            fact: fact.unwrap_or_else(|| format!("argument.{name}")),
        };
        found.insert(name, argument);
    }
    found
}

pub(super) fn ttl(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> TimeDelta {
    let Some(node) = fields.take("approval_ttl") else {
        return APPROVAL_TTL;
    };
    let text = node.text(problems, "a duration").unwrap_or_default();
    match parse_duration(text) {
        Some(Duration::Days(time)) if time.0 > TimeDelta::zero() && time.0 <= MAX_APPROVAL_TTL => {
            time.0
        }
        _ => {
            let message = format!("`{text}` is no duration such as PT72H, at most P90D");
            problems.push(node.problem(message));
            APPROVAL_TTL
        }
    }
}

pub(super) fn hold_source(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<(String, Path)> {
    let mut found = Vec::new();
    for item in node.items(problems, "a sequence of prefixes and paths") {
        let Some(mut fields) = mapping(item, problems) else {
            continue;
        };
        let prefix = fields.text("prefix", problems).unwrap_or_default();
        let source = fields.require("path", problems);
        fields.finish(problems);
        if let Some(path) = source.and_then(|node| path(node, problems)) {
            found.push((prefix, path));
        }
    }
    found
}

pub(super) fn executes(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Executes> {
    let mut fields = mapping(node, problems)?;
    let operations = fields.texts("operations", problems);
    let receipt = fields.take("receipt").and_then(|node| path(node, problems));
    fields.finish(problems);
    if operations.is_empty() {
        problems.push(node.problem("names no operation"));
    }
    Some(Executes {
        operations,
        receipt,
    })
}

/// Whose word events of a type must be.
pub(super) fn provenance(
    node: &Node,
    fields: &mut Fields<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Provenance> {
    let known = [
        Provenance::Erp,
        Provenance::Integration,
        Provenance::Person,
        Provenance::Model,
    ];
    let mut named = Vec::new();
    for text in fields.texts("provenance", problems) {
        match known.iter().find(|one| one.as_str() == text) {
            Some(one) => named.push(*one),
            None => problems.push(node.problem(format!(
                "no provenance `{text}`, expected ERP, INTEGRATION, PERSON or MODEL"
            ))),
        }
    }
    named
}

/// Whether values of a type can be handed to others: the contracts have no form for
/// contexts.
pub(super) fn portable(ty: &Type, node: &Node, problems: &mut Vec<Diagnostic>) -> bool {
    let plain = match ty {
        Type::Any | Type::Context => false,
        Type::List(of) => !matches!(**of, Type::Any | Type::Context | Type::List(_)),
        _ => true,
    };
    if !plain {
        problems.push(node.problem(format!(
            "{ty} can't be kept, expected plain values or a list of them"
        )));
    }
    plain
}

/// One kind of document with its prefix, or a sequence of them.
pub(super) fn documents(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<DocumentRule> {
    let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
    let mut found = Vec::new();
    for item in items {
        let Some(mut fields) = mapping(item, problems) else {
            continue;
        };
        let kind = fields.require("type", problems);
        let prefix = fields.text("prefix", problems).unwrap_or_default();
        let per_scope = flag(&mut fields, "per_scope", problems).unwrap_or(false);
        fields.finish(problems);
        let Some(node) = kind else { continue };
        let Some(kind) = node.text(problems, "a kind of document") else {
            continue;
        };
        if !document::is_kind(kind) {
            problems.push(node.problem("expected lower-case letters, digits and `_`"));
        }
        found.push(DocumentRule {
            kind: kind.to_owned(),
            prefix,
            per_scope,
        });
    }
    found
}
