//! Submitting a recommendation.

use approval::Somebody;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, PrincipalKind, Provenance},
};
use sha2::{Digest as _, Sha256};

use super::{
    App,
    gate::{Said, Situation},
    misfits, party, permission,
    ports::{Authorization, Request},
    records::Author,
};
use crate::domain::{
    gate::{Check, GateResult, Verdict},
    model::ModelVersion,
    recommendation::{Proposal, Recommendation},
    use_case::UseCase,
};

/// Most executed recommendations that the policy service is told of, the last first.
const FINISHED: u64 = 100;

/// What is submitted.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The proposal.
    pub proposal: Proposal,
    /// UUID that makes a retry return the first answer; empty: none.
    pub request_id: String,
}

/// What the gate found of a proposal.
struct Gated {
    result: GateResult,
    shadow: bool,
    situation: Situation,
}

impl App {
    /// Submits a recommendation and returns it gated.
    ///
    /// # Errors
    /// If the caller doesn't speak for the model, the model, use case or exception isn't
    /// there, or an argument isn't as the use case declares it.
    pub async fn submit(&self, caller: &Caller, submission: Submission) -> Result<Recommendation> {
        let Submission {
            mut proposal,
            request_id,
        } = submission;
        caller.require(permission::SUBMIT, &proposal.scope)?;
        caller.require_no_conflict()?;
        let model = self.spoken_for(caller, &proposal.model_version)?;
        let use_case = self.catalog.use_case(&proposal.use_case).ok_or_else(|| {
            let problem = format!("there is no use case {:?}", proposal.use_case);
            Error::invalid("use_case", problem)
        })?;
        let request = Request {
            digest: digest(&proposal)?,
            id: request_id,
        };
        let submitter = party(caller);
        if !request.id.is_empty()
            && let Some(first) = self.store.submitted(&submitter, &request.id).await?
        {
            return same(first, &request);
        }
        proposal.model_version = model.resource();
        if let Some(operation) = use_case.operations.get(&proposal.operation) {
            proposal.arguments = operation
                .read(&proposal.arguments.0)
                .map_err(|wrong| misfits(&wrong))?;
        }
        let id = self.id_of(caller, &request);
        let gated = self.gate(caller, &proposal, model, use_case, &id).await?;
        let recommendation = self.recommendation(caller, id, proposal, model, use_case, gated);
        let entries =
            [Author::of(caller, recommendation.created).submitted(&recommendation, model)];
        if self
            .store
            .insert(&recommendation, &request, &entries)
            .await?
        {
            return Ok(recommendation);
        }
        // The same request came twice at once, and the other was kept first.
        match self.store.submitted(&submitter, &request.id).await? {
            Some(first) => same(first, &request),
            None => Err(Error::etag_mismatch(recommendation.name())),
        }
    }

    fn spoken_for(&self, caller: &Caller, name: &str) -> Result<&ModelVersion> {
        let model = self
            .catalog
            .model(name)
            .ok_or_else(|| Error::not_found(name))?;
        let actor = caller.actor();
        if actor.kind != PrincipalKind::Person
            && model.is_spoken_for_by(&actor.issuer, &actor.subject)
        {
            return Ok(model);
        }
        let message = format!("{} doesn't speak for {}", actor.subject, model.resource());
        let denied = Error::new(Kind::PermissionDenied, Reason::PermissionDenied, message);
        Err(denied.with_metadata("resource", model.resource()))
    }

    /// The id of a recommendation. It follows from the request, content included, so that
    /// a retry after a crash asks for the same receipt, and another content never does.
    fn id_of(&self, caller: &Caller, request: &Request) -> String {
        if request.id.is_empty() {
            return self.ids.uuid7().to_string();
        }
        let actor = caller.actor();
        let mut hash = Sha256::new();
        for part in [&actor.issuer, &actor.subject, &request.id, &request.digest] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    async fn gate(
        &self,
        caller: &Caller,
        proposal: &Proposal,
        model: &ModelVersion,
        use_case: &UseCase,
        id: &str,
    ) -> Result<Gated> {
        let mut result = GateResult::default();
        let shadow = Self::admit(model, use_case, &proposal.operation, &mut result);
        let situation = self
            .situation(
                caller,
                &proposal.scope,
                &proposal.exception,
                permission::SUBMIT,
            )
            .await?;
        let operation = use_case.operations.get(&proposal.operation);
        if let Some(operation) = operation.filter(|_| !result.is_rejected()) {
            let said = Said {
                arguments: &proposal.arguments,
                provenance: Provenance::Model,
                by: &caller.actor().subject,
                now: self.now(),
            };
            let gated = (use_case, operation, model);
            let question = self
                .check(
                    gated,
                    proposal.confidence,
                    &proposal.scope,
                    &situation,
                    &said,
                    &mut result,
                )
                .await;
            if let Some(question) = question.filter(|_| result.verdict() == Verdict::Auto)
                && let Some(execution) = &operation.execution
            {
                let mut finished = situation.finished();
                finished.extend(self.store.executed(&situation.document, FINISHED).await?);
                let action = Authorization {
                    action: format!("recommendations/{id}"),
                    operation: proposal.operation.clone(),
                    document: situation
                        .document
                        .trim_start_matches("documents/")
                        .to_owned(),
                    line: situation.line.clone(),
                    finished,
                    arguments: said.arguments(),
                    audience: execution.audience.clone(),
                    question,
                    requester: caller.actor().clone(),
                    excluded: excluded(caller, model),
                };
                self.authorize(&action, &mut result).await;
            }
        }
        Ok(Gated {
            result,
            shadow,
            situation,
        })
    }

    /// Has an action signed that may happen by itself. Without a receipt, a person looks.
    async fn authorize(&self, action: &Authorization, result: &mut GateResult) {
        match self.policy.authorize(action).await {
            Ok((decision, Some(receipt))) => {
                result.decision = Some(decision);
                result.receipt = Some(receipt);
            }
            Ok((decision, None)) => {
                let found = decision.check();
                let verdict = found.verdict.max(Verdict::Review);
                let reason = format!("NOT_AUTHORIZED: {}", found.reason);
                result.add(Check::new("policy", verdict, reason));
                result.decision = Some(decision);
            }
            Err(error) if error.reason() == Reason::ReceiptStands => {
                let reason = format!("RECEIPT_STANDS: {}", error.message());
                result.add(Check::new("policy", Verdict::Review, reason));
            }
            Err(error) => {
                tracing::warn!(?error, "no receipt can be had, a person must look");
                let reason = format!("POLICY_UNAVAILABLE: {}", error.message());
                result.add(Check::new("policy", Verdict::Review, reason));
            }
        }
    }

    fn recommendation(
        &self,
        caller: &Caller,
        id: String,
        proposal: Proposal,
        model: &ModelVersion,
        use_case: &UseCase,
        gated: Gated,
    ) -> Recommendation {
        let now = self.now();
        Recommendation {
            id,
            proposal,
            document: gated.situation.document,
            correlation_id: gated.situation.correlation_id,
            state: Recommendation::state_of(gated.result.verdict(), gated.shadow),
            result: gated.result,
            submitter: party(caller),
            excluded: excluded(caller, model),
            reviewer: None,
            claimed: None,
            intent: None,
            modified: None,
            comment: String::new(),
            action: String::new(),
            outcome: String::new(),
            created: now,
            updated: now,
            expires: now + use_case.review_timeout,
            version: 1,
        }
    }
}

/// Who counts as the model: what speaks for it, and who owns it by the registry and by
/// settings, which don't say of which issuer the owner is.
fn excluded(caller: &Caller, model: &ModelVersion) -> Vec<Somebody> {
    let actor = caller.actor();
    let mut subjects = model.subjects.clone();
    subjects.push(model.owner.clone());
    subjects.push(Somebody::of(&actor.issuer, &actor.subject));
    let owner = actor.owner.iter().map(|owner| Somebody::of("", owner));
    subjects.extend(owner);
    subjects.sort();
    subjects.dedup();
    subjects
}

/// `sha256:` and hex over what is proposed, before anything is looked up.
fn digest(proposal: &Proposal) -> Result<String> {
    let value = serde_json::to_value(proposal).map_err(Error::internal)?;
    Ok(governance::canonical::digest(&value))
}

fn same(first: (String, Recommendation), request: &Request) -> Result<Recommendation> {
    let (digest, recommendation) = first;
    if digest == request.digest {
        return Ok(recommendation);
    }
    Err(Error::new(
        Kind::AlreadyExists,
        Reason::IdempotencyConflict,
        format!("request {} came before with other content", request.id),
    ))
}
