//! The records of what happens to changes: each with the state before and after.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use service_kit::{
    identity::{Caller, Principal},
    outbox::{Audit, Entry, Event, Outcome},
};

use crate::domain::{
    change::{Action, Change},
    snapshot::Revision,
};

/// Who did it.
pub(super) struct Author {
    pub(super) actor: Principal,
    pub(super) via: Option<String>,
}

impl Author {
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            actor: caller.actor().clone(),
            via: caller.via().map(str::to_owned),
        }
    }

    /// The service by itself.
    pub(super) fn own() -> Self {
        Self {
            actor: Principal::own("policy"),
            via: None,
        }
    }
}

/// What a caller did to a change; `what` such as `approved`.
pub(super) fn entry(
    caller: &Caller,
    what: &str,
    before: Option<&Change>,
    after: &Change,
    now: DateTime<Utc>,
) -> Entry {
    entry_by(&Author::of(caller), what, before, after, now)
}

/// What somebody did to a change.
pub(super) fn entry_by(
    author: &Author,
    what: &str,
    before: Option<&Change>,
    after: &Change,
    now: DateTime<Utc>,
) -> Entry {
    let step = after.history.last();
    let payload = json!({
        "title": after.title,
        "reason": after.reason,
        "documents": documents(after),
        "scopes": after.scopes,
        "before": before.map(standing),
        "after": standing(after),
        "comment": step.map(|step| &step.comment),
    });
    let resource = after.name();
    let scope = after.scopes.first().map(ToString::to_string);
    Entry::new(Audit {
        r#type: format!("bylaw.policy.change.{what}.v1"),
        action: format!("policy.change.{what}"),
        resource: resource.clone(),
        scope: scope.unwrap_or_default(),
        correlation_id: resource,
        outcome: Outcome::Done,
        actor: author.actor.clone(),
        via: author.via.clone(),
        payload,
        occurred: now,
    })
}

/// The same, and that the policies have another revision.
pub(super) fn activation(
    author: &Author,
    what: &str,
    (before, after): (&Change, &Change),
    actions: &[Action],
    revision: &Revision,
) -> Entry {
    let mut entry = entry_by(author, what, Some(before), after, revision.activated);
    if let Json::Object(payload) = &mut entry.audit.payload {
        payload.insert("revision".into(), json!(revision.number));
        payload.insert("digest".into(), json!(revision.digest));
        let actions: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
        payload.insert("actions".into(), json!(actions));
    }
    let event = Event {
        r#type: "bylaw.policy.revision.activated.v1".to_owned(),
        subject: format!("revisions/{}", revision.number),
        scope: entry.audit.scope.clone(),
        correlation_id: entry.audit.correlation_id.clone(),
        data: json!({
            "revision": revision.number,
            "digest": revision.digest,
            "change": after.name(),
        }),
    };
    entry.with_event(event)
}

fn documents(change: &Change) -> Vec<Json> {
    let sha256 = |text: &String| governance::canonical::sha256(text.as_bytes());
    let each = change.items.iter().map(|item| {
        let beside = item.attachments.iter();
        let beside: BTreeMap<_, _> = beside.map(|(name, text)| (name, sha256(text))).collect();
        json!({
            "kind": item.kind,
            "name": item.name,
            "sha256": item.text.as_ref().map(sha256),
            "beside": beside,
        })
    });
    each.collect()
}

/// Where a change stands.
fn standing(change: &Change) -> Json {
    let approvals: Vec<_> = change
        .approvals
        .iter()
        .map(|given| &given.approval.approver.who.subject)
        .collect();
    let editors: Vec<_> = change.editors.iter().map(|who| &who.subject).collect();
    json!({
        "state": change.state,
        "digest": change.digest(),
        "editors": editors,
        "approvals": approvals,
        "activate_time": change.activate,
        "loosens": change.review.as_ref().map(|review| review.loosens),
    })
}
