//! Authorizing actions: segregation of duties and the policy in force are checked again,
//! then a receipt is signed.

use std::collections::BTreeMap;

use approval::{Approval, Approver, Case, Exclusion, Part, Requirement, Somebody, VoidReason};
use chrono::{DateTime, Utc};
use decision::Value;
use governance::{
    AuditLevel, Effect,
    binding::{self, Binding},
    canonical,
};
use serde::Serialize;
use serde_json::json;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Found, Revocations},
    outbox::{Audit, Entry, Outcome},
    telemetry,
};
use uuid::Uuid;

mod refusals;

use refusals::{other_content, segregation, stands};

use super::{
    App,
    decide::{decision_record, effective},
    permission,
    store::{Authorized, Claim, CountKey, Recorded, Signed, Target},
};
use crate::domain::{
    decision::{self as decided, Answer, Decision},
    question::Question,
    receipt::{self, Claims, Receipt},
};

/// The internal services that actions are authorized for, and that forward facts of others
/// with where they came from.
pub const INTERNAL_CALLERS: [&str; 2] = ["bylaw-exceptions", "bylaw-aigate"];

/// An action to sign.
#[derive(Debug, Clone)]
pub struct Action {
    /// Resource name; makes the call idempotent.
    pub name: String,
    /// What it does in the executing system.
    pub operation: String,
    /// `type/id` of the document acted on.
    pub document: String,
    /// Line of the document; empty: all of it.
    pub line: String,
    /// Actions on the document that were executed.
    pub finished: Vec<String>,
    /// Receipts for the operation on the document that were used.
    pub used: Vec<Uuid>,
    /// Arguments of the operation.
    pub arguments: BTreeMap<String, Value>,
    /// The executing system.
    pub audience: String,
    /// The question that the policy is asked again.
    pub question: Question,
    /// Who requested it.
    pub requester: Requester,
    /// Others who count as the requester.
    pub excluded: Vec<Somebody>,
    /// The approvals given.
    pub approvals: Vec<GivenApproval>,
    /// What the approvals are bound to; empty where none was needed.
    pub approved_digest: String,
}

/// Who requested an action.
#[derive(Debug, Clone, Serialize)]
pub struct Requester {
    /// `iss`.
    pub issuer: String,
    /// `sub`; never empty.
    pub subject: String,
}

/// An approval as it was given.
#[derive(Debug, Clone)]
pub struct GivenApproval {
    /// Who, with the roles held then.
    pub approver: Approver,
    /// When.
    pub given: DateTime<Utc>,
    /// From when on it doesn't count.
    pub expires: DateTime<Utc>,
    /// `jti` of the token it came with.
    pub token_id: String,
    /// What it is bound to.
    pub digest: String,
}

/// The outcome of an authorization.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The decision in force now.
    pub decision: Decision,
    /// Where the decision, with these approvals, allows the action.
    pub receipt: Option<Receipt>,
    /// The approvals still missing.
    pub missing: Vec<decided::Approval>,
}

impl App {
    /// Authorizes an action.
    ///
    /// # Errors
    /// If the caller isn't one of the two services, if an approver may not approve, if the
    /// approvals are bound to something else, if the action was authorized with other
    /// content before, or if another action's receipt stands for the same operation.
    pub async fn authorize(&self, caller: &Caller, action: Action) -> Result<Authorization> {
        if !INTERNAL_CALLERS.iter().any(|role| caller.is_service(role)) {
            return Err(Error::denied(permission::AUTHORIZE));
        }
        let scope = &action.question.scope;
        caller.require(permission::AUTHORIZE, scope)?;
        let snapshot = self.snapshot_at(action.question.min_revision).await?;
        let effective = effective(&snapshot, &action.question, self.clock.now())?;
        let binding = action.binding(effective.workflow.binding_facts());
        let content = action.content(&binding);
        let now = self.clock.now();
        let scopes = caller.scopes(permission::AUTHORIZE);
        let before = match self.store.receipt(&action.name, &scopes).await? {
            Found::Here(before) => Some(before),
            Found::Missing => None,
            Found::Elsewhere(_) => return Err(other_content(&action.name)),
        };
        if let Some(before) = &before
            && now < before.receipt.expires
        {
            return same(before.clone(), &content);
        }
        action.check_binding(&binding)?;
        let mut answer = self.answer(&snapshot, &action.question)?;
        // A decision that a receipt or approvals hang on is always kept.
        answer.decision.audit_level = AuditLevel::Full;
        let revoked = |given: &GivenApproval| given.is_revoked(&self.revocations);
        let missing = missing(&action, &answer.decision, now, revoked)?;
        if answer.decision.effect == Effect::Deny || !missing.is_empty() {
            return self.refuse(caller, action, answer, missing).await;
        }
        let authorized = self.sign(&action, answer, binding, content, now)?;
        let replaces = before.map(|before| before.receipt.id);
        self.store_receipt(caller, action, authorized, replaces)
            .await
    }

    /// Keeps the decision that doesn't allow the action.
    async fn refuse(
        &self,
        caller: &Caller,
        action: Action,
        answer: Answer,
        missing: Vec<decided::Approval>,
    ) -> Result<Authorization> {
        let decision = answer.decision.clone();
        self.count(CountKey::of(&answer), 1);
        let question = action.asked();
        match self
            .recorder
            .record(decision_record(
                caller,
                question,
                answer,
                self.remembered(),
                true,
            ))
            .await?
        {
            Recorded::New | Recorded::Earlier(_) => {}
        }
        Ok(Authorization {
            decision,
            receipt: None,
            missing,
        })
    }

    fn sign(
        &self,
        action: &Action,
        answer: Answer,
        binding: String,
        content: String,
        now: DateTime<Utc>,
    ) -> Result<Authorized> {
        let decision = &answer.decision;
        let id = self.ids.uuid7();
        // Expiry counts in whole seconds, never longer than the settings say.
        let expires = (now + self.signer.ttl).timestamp();
        let claims = Claims {
            iss: self.signer.issuer.clone(),
            aud: action.audience.clone(),
            jti: id.to_string(),
            iat: now.timestamp(),
            exp: expires,
            workflow: decision.workflow.clone(),
            scope: decision.scope.clone(),
            correlation_id: decision.correlation_id.clone(),
            document: action.document.clone(),
            action: action.name.clone(),
            operation: action.operation.clone(),
            arguments: receipt::arguments(&action.arguments),
            decision: decision.name(),
            digest: binding,
            revision: decision.revision,
            obligations: decision.obligations.clone(),
        };
        let jws = self.signer.key.sign(&claims);
        if jws.len() > receipt::MAX_BYTES {
            let problem = "make the receipt larger than executing systems take";
            return Err(Error::too_large("arguments", problem));
        }
        let receipt = Receipt {
            id,
            jws,
            expires: DateTime::from_timestamp(expires, 0).unwrap_or(now),
            audience: action.audience.clone(),
        };
        Ok(Authorized {
            action: action.name.clone(),
            digest: content,
            receipt,
            answer,
        })
    }

    async fn store_receipt(
        &self,
        caller: &Caller,
        action: Action,
        authorized: Authorized,
        replaces: Option<Uuid>,
    ) -> Result<Authorization> {
        let entry = receipt_entry(caller, &action, &authorized);
        let claim = action.claim(&authorized);
        let answer = authorized.answer.clone();
        let since = self.remembered();
        let mut record = decision_record(caller, action.asked(), answer, since, true);
        record.entries.push(entry);
        let signed = self
            .store
            .authorize(&authorized, &claim, replaces, &record)
            .await?;
        match signed {
            Signed::Earlier(other) => same(*other, &authorized.digest),
            Signed::Standing(other) => Err(stands(&other, claim.now)),
            Signed::New => {
                self.count(CountKey::of(&authorized.answer), 1);
                Ok(authorization(authorized))
            }
        }
    }
}

impl GivenApproval {
    /// Whether the approver, or the token that the approval came with, has been revoked.
    fn is_revoked(&self, revocations: &Revocations) -> bool {
        let who = &self.approver.who;
        let token_id = Some(self.token_id.as_str()).filter(|id| !id.is_empty());
        revocations.covers(&who.issuer, &who.subject, token_id)
    }
}

impl Action {
    /// The digest that approvals must be bound to: of this request, as it is now.
    fn binding<'a>(&self, binding_facts: impl Iterator<Item = &'a str>) -> String {
        let facts: BTreeMap<String, Value> = binding_facts
            .filter_map(|name| {
                let fact = self.question.facts.iter().find(|fact| fact.name == name)?;
                Some((name.to_owned(), fact.value.clone()))
            })
            .collect();
        binding::digest(&Binding {
            workflow: &self.question.workflow,
            scope: &self.question.scope,
            document: &self.document,
            operation: &self.operation,
            audience: &self.audience,
            arguments: &self.arguments,
            facts: &facts,
        })
    }

    /// What a repeated call must agree in.
    fn content(&self, binding: &str) -> String {
        let mut content = json!({
            "action": self.name,
            "binding": binding,
            "requester": self.requester,
            "correlation_id": self.question.correlation_id,
        });
        if !self.line.is_empty() {
            content["line"] = json!(self.line);
        }
        canonical::digest(&content)
    }

    /// What the receipt stands for. Executing systems' clocks may be late, so it stands for
    /// longer than it is valid.
    fn claim(&self, authorized: &Authorized) -> Claim {
        Claim {
            target: Target {
                audience: self.audience.clone(),
                document: self.document.clone(),
                line: self.line.clone(),
                operation: self.operation.clone(),
            },
            finished: self.finished.clone(),
            used: self.used.clone(),
            now: authorized.answer.decision.decide_time,
            until: authorized.receipt.expires + receipt::CLOCK_SKEW,
        }
    }

    fn check_binding(&self, binding: &str) -> Result<()> {
        let unbound = self.approvals.is_empty() && self.approved_digest.is_empty();
        if unbound || self.approved_digest == binding {
            return Ok(());
        }
        Err(Error::new(
            Kind::FailedPrecondition,
            Reason::ApprovalLapsed,
            "the approvals were given for other arguments or binding facts",
        )
        .with_metadata("action", &self.name))
    }

    /// The question as it is kept: a receipt has an idempotency of its own.
    fn asked(self) -> Question {
        Question {
            request_id: None,
            ..self.question
        }
    }

    fn case(&self, decision: &Decision) -> Case {
        let requester = Exclusion {
            who: Somebody::of(&self.requester.issuer, &self.requester.subject),
            part: Part::Requester,
        };
        let others = self.excluded.iter().map(|who| Exclusion {
            who: who.clone(),
            part: Part::ModelOwner,
        });
        Case {
            requirements: decision
                .approvals
                .iter()
                .map(|required| Requirement {
                    role: required.role.clone(),
                    at: required.at.clone(),
                    count: required.count,
                })
                .collect(),
            excluded: std::iter::once(requester).chain(others).collect(),
            digest: self.approved_digest.clone(),
            ordered: false,
        }
    }
}

/// The approvals that the decision demands and that aren't given.
fn missing(
    action: &Action,
    decision: &Decision,
    now: DateTime<Utc>,
    revoked: impl Fn(&GivenApproval) -> bool,
) -> Result<Vec<decided::Approval>> {
    let approvals: Vec<_> = action
        .approvals
        .iter()
        .map(|given| Approval {
            approver: given.approver.clone(),
            given: given.given,
            expires: given.expires,
            digest: given.digest.clone(),
            revoked: revoked(given),
        })
        .collect();
    let status = action.case(decision).status(&approvals, now);
    for (index, reason) in &status.void {
        if let VoidReason::Excluded(refusal) = reason {
            return Err(segregation(
                *refusal,
                &action.approvals[*index].approver.who,
            ));
        }
    }
    let missing = status
        .missing
        .into_iter()
        .map(|requirement| decided::Approval {
            role: requirement.role,
            at: requirement.at,
            count: requirement.count,
        });
    Ok(missing.collect())
}

/// The answer to a repeated call.
fn same(before: Authorized, content: &str) -> Result<Authorization> {
    if before.digest == content {
        return Ok(authorization(before));
    }
    Err(other_content(&before.action))
}

fn authorization(authorized: Authorized) -> Authorization {
    Authorization {
        decision: authorized.answer.decision,
        receipt: Some(authorized.receipt),
        missing: Vec::new(),
    }
}

fn receipt_entry(caller: &Caller, action: &Action, authorized: &Authorized) -> Entry {
    let receipt = &authorized.receipt;
    let approvals: Vec<_> = action
        .approvals
        .iter()
        .map(|given| {
            json!({
                "issuer": given.approver.who.issuer,
                "subject": given.approver.who.subject,
                "approve_time": given.given,
                "expire_time": given.expires,
                "token_id": given.token_id,
                "digest": given.digest,
            })
        })
        .collect();
    let decision = &authorized.answer.decision;
    let audit = Audit {
        r#type: "bylaw.policy.action.authorized.v1".to_owned(),
        action: permission::AUTHORIZE.to_owned(),
        resource: action.name.clone(),
        scope: decision.scope.to_string(),
        correlation_id: decision.correlation_id.clone(),
        outcome: Outcome::Done,
        actor: caller.actor().clone(),
        via: caller.via().map(str::to_owned),
        payload: json!({
            "receipt": receipt.id,
            "receipt_sha256": canonical::sha256(receipt.jws.as_bytes()),
            "audience": receipt.audience,
            "expire_time": receipt.expires,
            "operation": action.operation,
            "document": action.document,
            "line": action.line,
            "arguments": receipt::arguments(&action.arguments),
            "approved_digest": action.approved_digest,
            "decision": decision.name(),
            "revision": decision.revision,
            "requester": action.requester,
            "excluded": action.excluded,
            "approvals": approvals,
        }),
        occurred: decision.decide_time,
    };
    Entry::new(audit).in_trace(telemetry::current_trace())
}

#[cfg(test)]
mod tests;
