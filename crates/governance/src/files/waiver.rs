//! `kind: Waiver`.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use decision::temporal::parse_date_time;
use serde_json::json;

use super::{Diagnostic, Document, Reader, WAIVER, digest, policy};
use crate::{
    Policy, Scope, answer::Answer, policy::RowAnswer, tree::ScopeTree, waiver::Waiver,
    workflow::Workflow,
};

pub(super) fn read(
    document: &Document<'_>,
    scopes: &ScopeTree,
    workflows: &BTreeMap<Arc<str>, Arc<Workflow>>,
    policies: &BTreeMap<Arc<str>, Arc<Policy>>,
) -> Result<Waiver, Vec<Diagnostic>> {
    let mut reader = Reader::new(document, &document.node)?;
    reader.one_of("kind", &[(WAIVER, ())]);
    let name = reader.name("name");
    let target = reader.name("policy");
    let row = reader.text("row");
    let row_digest = reader.text("row_digest");
    let scope = reader.scope("scope");
    let beneficiary = reader.text("beneficiary");
    let reason = reader.text("reason");
    let expires_node = reader.required("expires");
    let expires = expires_node
        .and_then(|node| node.as_str())
        .and_then(parse_date_time);
    if let (Some(node), None) = (expires_node, &expires) {
        reader.fail(
            node,
            "expires: expected an instant such as 2026-12-31T00:00:00Z",
        );
    }
    let (Some((target_node, target)), Some((scope_node, scope))) = (target, scope) else {
        return Err(reader.errors);
    };
    let Some(found) = policies.get(&target).cloned() else {
        reader.fail(target_node, format!("policy: there is no policy {target}"));
        return Err(reader.errors);
    };
    let Some(workflow) = workflows.get(&found.workflow) else {
        return Err(reader.errors);
    };
    if !found.waivable {
        reader.fail(
            target_node,
            format!("policy: {target} can't be waived (`waivable: false`)"),
        );
    }
    if scopes.get(&scope).is_none() {
        reader.fail(scope_node, format!("scope: there is no scope {scope}"));
    } else if !found.scope.contains(&scope) {
        reader.fail(
            scope_node,
            format!(
                "scope: {target} stands at {} and doesn't bind {scope}",
                found.scope
            ),
        );
    }
    let Some((table, rows)) = policy::table_of(&mut reader, workflow, &scope, scopes) else {
        return Err(reader.errors);
    };
    let mut errors = Vec::new();
    let checked = (|| Some((name?.1, row?, row_digest?, beneficiary?, reason?, expires?)))();
    if let Err(found) = reader.finish() {
        errors.extend(found);
    }
    let Some((name, row, row_digest, beneficiary, reason, expires)) = checked else {
        return Err(errors);
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let expires: DateTime<Utc> = expires.into();
    let mut waiver = Waiver {
        name,
        policy: target,
        row: row.into(),
        row_digest: row_digest.to_owned(),
        scope,
        beneficiary: beneficiary.into(),
        expires,
        reason: reason.to_owned(),
        version: document.source.version,
        digest: "".into(),
        table,
        rows,
        target: None,
    };
    waiver.target = waiver.find(&found);
    waiver.digest = digest(&json!({
        "kind": WAIVER,
        "policy": waiver.policy,
        "row": waiver.row,
        "row_digest": waiver.row_digest,
        "scope": waiver.scope.as_str(),
        "beneficiary": waiver.beneficiary,
        "expires": waiver.expires,
        "table": waiver.table.canonical(),
    }))
    .into();
    if let Some(own) = waiver.target.and_then(|index| found.rows.get(index)) {
        let stricter = waiver
            .rows
            .iter()
            .find(|row| exceeds(row, own, &waiver.scope));
        if let Some(row) = stricter {
            let message = format!(
                "row {}: demands more than row {} of {}, which it is to replace: that is a \
                 change of the policy",
                row.id, own.id, found.name
            );
            return Err(vec![document.error(&document.node, message)]);
        }
    }
    Ok(waiver)
}

/// Whether some part of what a row gives is more than another gives.
fn exceeds(row: &RowAnswer, other: &RowAnswer, scope: &Scope) -> bool {
    let answer: Answer = other.at(scope);
    let mut joined = answer.clone();
    joined.join(&row.at(scope));
    joined != answer
}
