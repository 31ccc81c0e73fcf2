//! The policy service, behind what the use cases need of it.

use approval::Requirement;
use async_trait::async_trait;
use contracts::{
    policy::{self, decision_service_client::DecisionServiceClient},
    time::{instant, timestamp},
    types,
};
use governance::Scope;
use service_kit::{
    client::{PeerChannel, Peers},
    error::{Error, Result},
};

use crate::{
    app::ports::{Authorization, Authorized, Policy, Question},
    domain::{
        action::{Decision, Effect, Given, Layer, Receipt},
        document::Fact,
    },
    grpc::wire,
};

const PEER: &str = "policy";

/// The policy service over gRPC.
pub struct PolicyPeer {
    client: DecisionServiceClient<PeerChannel>,
}

impl PolicyPeer {
    /// The policy service at its address in the settings.
    pub fn new(peers: &Peers) -> Self {
        let client = DecisionServiceClient::new(peers.channel(PEER));
        Self {
            client: service_kit::limited!(client),
        }
    }
}

#[async_trait]
impl Policy for PolicyPeer {
    async fn decide(&self, question: &Question) -> Result<Decision> {
        let answer = self
            .client
            .clone()
            .decide(decide_request(question)?)
            .await
            .map_err(|status| Error::from_status(status, PEER))?;
        decision(answer.into_inner().decision)
    }

    async fn authorize(&self, authorization: &Authorization) -> Result<Authorized> {
        let request = policy::AuthorizeActionRequest {
            action: authorization.action.clone(),
            operation: authorization.operation.clone(),
            document: authorization.document.clone(),
            arguments: wire_facts(&authorization.arguments)?,
            audience: authorization.audience.clone(),
            request: Some(decide_request(&authorization.question)?),
            requester: Some(wire::party(&authorization.requester)),
            excluded_subjects: Vec::new(),
            excluded: authorization.excluded.iter().map(wire::somebody).collect(),
            approvals: authorization.approvals.iter().map(record).collect(),
            approved_digest: authorization.digest.clone(),
            line: authorization.line.clone(),
            finished_actions: authorization.finished.clone(),
            used_receipts: authorization.used.clone(),
        };
        let answer = self
            .client
            .clone()
            .authorize_action(request)
            .await
            .map_err(|status| Error::from_status(status, PEER))?
            .into_inner();
        let missing = answer.missing_approvals.into_iter().map(requirement);
        Ok(Authorized {
            missing: missing.collect::<Result<_>>()?,
            decision: decision(answer.decision)?,
            receipt: answer.receipt.map(receipt),
        })
    }
}

fn decide_request(question: &Question) -> Result<policy::DecideRequest> {
    Ok(policy::DecideRequest {
        workflow: question.workflow.clone(),
        scope: question.scope.to_string(),
        correlation_id: question.correlation_id.clone(),
        facts: wire_facts(&question.facts)?,
        ..policy::DecideRequest::default()
    })
}

fn wire_facts(facts: &[Fact]) -> Result<Vec<types::Fact>> {
    facts.iter().map(wire::fact).collect()
}

fn record(given: &Given) -> policy::ApprovalRecord {
    policy::ApprovalRecord {
        approver: Some(wire::party(&given.party)),
        approve_time: Some(timestamp(given.time)),
        expire_time: Some(timestamp(given.expires)),
        token_id: given.token_id.clone(),
        digest: given.digest.clone(),
    }
}

/// An answer that doesn't hold what the contract promises.
fn malformed(what: &str) -> Error {
    Error::broken(format!("the policy service answered {what}"))
}

fn decision(answer: Option<types::Decision>) -> Result<Decision> {
    let answer = answer.ok_or_else(|| malformed("no decision"))?;
    let effect = effect(answer.effect()).ok_or_else(|| malformed("a decision without effect"))?;
    let required = answer.approvals.iter().any(|needed| needed.count > 0);
    if effect == Effect::RequireApproval && !required {
        // Nobody to wait for would mean that nobody has to approve.
        return Err(malformed("that an approval is required of nobody"));
    }
    let approvals = answer.approvals.into_iter().map(requirement);
    Ok(Decision {
        effect,
        recorded_in_full: answer.audit_level == i32::from(types::AuditLevel::Full),
        approvals: approvals.collect::<Result<_>>()?,
        layers: answer.layers.into_iter().map(layer).collect(),
        decided: answer.decide_time.as_ref().and_then(instant),
        id: answer.id,
        workflow: answer.workflow,
        scope: answer.scope,
        correlation_id: answer.correlation_id,
        settled: answer.settled,
        reasons: answer.reasons,
        obligations: answer.obligations,
        required_facts: answer.required_facts,
        unknown_facts: answer.unknown_facts,
        waivers: answer.waivers,
        revision: answer.revision,
        binding_facts: answer.binding_facts,
    })
}

fn effect(effect: types::Effect) -> Option<Effect> {
    match effect {
        types::Effect::Unspecified => None,
        types::Effect::Allow => Some(Effect::Allow),
        types::Effect::RequireApproval => Some(Effect::RequireApproval),
        types::Effect::Deny => Some(Effect::Deny),
    }
}

fn requirement(requirement: types::ApprovalRequirement) -> Result<Requirement> {
    Ok(Requirement {
        at: Scope::parse(&requirement.at).map_err(|_| malformed("a malformed scope"))?,
        role: requirement.role,
        count: requirement.count,
    })
}

fn layer(layer: types::DecisionLayer) -> Layer {
    Layer {
        guardrail: layer.mode == i32::from(types::PolicyMode::Guardrail),
        effect: effect(layer.effect()),
        policy: layer.policy,
        version: layer.version,
        digest: layer.digest,
        scope: layer.scope,
        rows: layer.rows,
    }
}

fn receipt(receipt: types::Receipt) -> Receipt {
    Receipt {
        expires: receipt.expire_time.as_ref().and_then(instant),
        id: receipt.id,
        jws: receipt.jws,
        audience: receipt.audience,
        renewed: Vec::new(),
    }
}
