//! Reviewing: claim, accept, modify, reject. Whoever accepts becomes the requester of the
//! action, so nobody reviews what their own model recommends.

use approval::Somebody;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Found, Provenance},
};

use super::{
    App,
    gate::Said,
    id_in, illegal, misfits, party, permission,
    ports::{Action, ActionRequest},
    records::Author,
    required, words,
};
use crate::domain::{
    gate::{GateResult, Verdict},
    model::Autonomy,
    recommendation::{Arguments, Intent, Recommendation},
};

impl App {
    /// Takes a recommendation for review.
    ///
    /// # Errors
    /// If it isn't in review, somebody else has it, or the caller may not review it.
    pub async fn claim(&self, caller: &Caller, name: &str, etag: &str) -> Result<Recommendation> {
        let mut taken = self.reviewable(caller, name, etag, "claimed").await?;
        if taken.intent.is_some() {
            return Err(Error::illegal_state(
                "it is being accepted, and what becomes of that isn't known yet",
            ));
        }
        let (now, version) = (self.now(), taken.version);
        taken.claim(party(caller), now);
        let entry = Author::of(caller, now).changed("claimed", "claim", &taken);
        self.keep(taken, version, entry).await
    }

    /// Accepts a recommendation as proposed.
    ///
    /// # Errors
    /// If it can't be reviewed by the caller, or the exceptions service refuses the action.
    pub async fn accept(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        comment: &str,
    ) -> Result<Recommendation> {
        words("comment", comment)?;
        let recommendation = self.reviewable(caller, name, etag, "accepted").await?;
        self.carry_out(caller, recommendation, None, comment).await
    }

    /// Accepts a recommendation with other arguments, which are checked again.
    ///
    /// # Errors
    /// As for [`Self::accept`], and if the gate refuses the other arguments.
    pub async fn modify(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        arguments: &Arguments,
        comment: &str,
    ) -> Result<Recommendation> {
        required("comment", comment)?;
        let recommendation = self.reviewable(caller, name, etag, "modified").await?;
        let (_, operation) = self.operation(&recommendation.proposal).ok_or_else(gone)?;
        let arguments = operation
            .read(&arguments.0)
            .map_err(|wrong| misfits(&wrong))?;
        self.check_again(caller, &recommendation, &arguments)
            .await?;
        self.carry_out(caller, recommendation, Some(arguments), comment)
            .await
    }

    /// Rejects a recommendation.
    ///
    /// # Errors
    /// If it can't be reviewed by the caller.
    pub async fn reject(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        reason: &str,
    ) -> Result<Recommendation> {
        required("reason", reason)?;
        let mut rejected = self.reviewable(caller, name, etag, "rejected").await?;
        if rejected.intent.is_some() {
            return Err(Error::illegal_state(
                "it is being accepted, and what becomes of that isn't known yet",
            ));
        }
        let (now, version) = (self.now(), rejected.version);
        rejected.reject(party(caller), reason.to_owned(), now);
        let entry = Author::of(caller, now).changed("rejected", "reject", &rejected);
        self.keep(rejected, version, entry).await
    }

    /// The recommendation, if the caller may take the step.
    async fn reviewable(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        step: &'static str,
    ) -> Result<Recommendation> {
        let id = id_in(name)?;
        let scopes = caller.scopes(permission::REVIEW);
        let found = self.store.find(id, &scopes).await?;
        let recommendation = found.for_caller(caller, name)?;
        caller.require_no_conflict()?;
        let reviewer = caller.require_person()?;
        let scope = &recommendation.proposal.scope;
        let refuse = |error: Error| {
            error
                .with_metadata("resource", name)
                .with_metadata("scope", scope.as_str())
        };
        let (issuer, subject) = (&reviewer.issuer, &reviewer.subject);
        let counts = |who: &Somebody| who.may_be(issuer, subject);
        let submitter = &recommendation.submitter;
        if recommendation.excluded.iter().any(counts)
            || Somebody::of(&submitter.issuer, &submitter.subject).is(issuer, subject)
        {
            return Err(refuse(Error::sod(
                Reason::SodModelOwner,
                "the model's owner counts as the model, and doesn't review it",
            )));
        }
        let wanted = recommendation.result.reviewers();
        let held = |set: &&[String]| set.iter().any(|role| reviewer.holds(role, scope));
        if !wanted.iter().all(held) {
            let sets: Vec<_> = wanted.iter().map(|set| set.join(" or ")).collect();
            let message = format!("a review takes the role {}", sets.join(", and "));
            let error = Error::new(Kind::PermissionDenied, Reason::NotAnApprover, message);
            return Err(refuse(error));
        }
        if !etag.is_empty() && etag != recommendation.version.to_string() {
            return Err(Error::etag_mismatch(name));
        }
        recommendation
            .may_step(&party(caller), step, self.now(), self.times.claim)
            .map_err(|why| illegal(&why))?;
        Ok(recommendation)
    }

    /// Puts other arguments through the gate. What the gate refuses isn't asked for.
    async fn check_again(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        arguments: &Arguments,
    ) -> Result<()> {
        let proposal = &recommendation.proposal;
        let (use_case, operation) = self.operation(proposal).ok_or_else(gone)?;
        let model = self
            .catalog
            .model(&proposal.model_version)
            .ok_or_else(gone)?;
        let now = self.now();
        let situation = self
            .situation(
                caller,
                &proposal.scope,
                &proposal.exception,
                permission::REVIEW,
            )
            .await?;
        let said = Said {
            arguments,
            provenance: Provenance::Person,
            by: &caller.actor().subject,
            now,
        };
        let mut result = GateResult::default();
        let gated = (use_case, operation, model);
        self.check(
            gated,
            proposal.confidence,
            &proposal.scope,
            &situation,
            &said,
            &mut result,
        )
        .await;
        if result.verdict() != Verdict::Reject {
            return Ok(());
        }
        let reasons = result.reasons();
        let mut refused = recommendation.clone();
        refused.touch(now);
        let entry = Author::of(caller, now).refused("modify", &refused, &reasons);
        let message = format!("the other arguments are refused: {}", reasons.join("; "));
        self.keep(refused, recommendation.version, entry).await?;
        Err(Error::new(
            Kind::FailedPrecondition,
            Reason::PolicyDenied,
            message,
        ))
    }

    /// Asks for the action. What is intended is kept before, so that after a crash the
    /// same reviewer can go on, or the exceptions service can be asked what came of it.
    async fn carry_out(
        &self,
        caller: &Caller,
        mut recommendation: Recommendation,
        modified: Option<Arguments>,
        comment: &str,
    ) -> Result<Recommendation> {
        let verb = if modified.is_some() {
            "modify"
        } else {
            "accept"
        };
        let now = self.now();
        self.still_released(&recommendation)?;
        let author = Author::of(caller, now);
        match &recommendation.intent {
            Some(held) if held.modified != modified => {
                return Err(Error::illegal_state(
                    "it is being accepted with other arguments",
                ));
            }
            Some(_) => {}
            None => {
                let version = recommendation.version;
                let intent = Intent {
                    modified,
                    comment: comment.to_owned(),
                    since: now,
                };
                recommendation.begin(party(caller), intent, now);
                let entry = author.begun(verb, &recommendation);
                recommendation = self.keep(recommendation, version, entry).await?;
            }
        }
        let advice = self
            .operation(&recommendation.proposal)
            .is_some_and(|(_, operation)| operation.execution.is_none());
        let answer = if advice {
            Ok(None)
        } else {
            let request = request_of(&recommendation);
            self.exceptions.request(caller, &request).await.map(Some)
        };
        match answer {
            Ok(action) => self.accepted(&author, recommendation, action).await,
            Err(error) if is_final(error.kind()) => {
                // A refusal may be of what followed once the action was there, or of a
                // retry: only where there is no action, nothing was done.
                let exception = &recommendation.proposal.exception;
                let name = recommendation.name();
                if let Some(action) = self.exceptions.action_of(exception, &name).await? {
                    return self.accepted(&author, recommendation, Some(action)).await;
                }
                let version = recommendation.version;
                recommendation.abandon(self.now());
                let entry = author.refused(verb, &recommendation, &[error.message()]);
                self.keep(recommendation, version, entry).await?;
                Err(error)
            }
            // It may have taken effect: the intent stays until that is known.
            Err(error) => Err(error),
        }
    }

    /// Finishes an acceptance.
    pub(super) async fn accepted(
        &self,
        author: &Author,
        mut recommendation: Recommendation,
        action: Option<Action>,
    ) -> Result<Recommendation> {
        let version = recommendation.version;
        let (name, state) = action.map_or_else(Default::default, |a| (a.name, a.state));
        let outcome = super::outcomes::outcome(&state).to_owned();
        recommendation.finish(name, outcome, self.now());
        let (what, verb) = match recommendation.modified {
            Some(_) => ("modified", "modify"),
            None => ("accepted", "accept"),
        };
        let entry = author.changed(what, verb, &recommendation);
        let kept = recommendation.clone();
        if self
            .store
            .update(&recommendation, version, &[entry])
            .await?
        {
            return Ok(kept);
        }
        // The event of the action came first and finished it.
        let scopes = service_kit::identity::Scopes::All;
        match self.store.find(&recommendation.id, &scopes).await? {
            Found::Here(now) if now.action == kept.action => Ok(now),
            _ => Err(Error::etag_mismatch(recommendation.name())),
        }
    }

    /// A version that was stopped since it recommended this isn't followed any more.
    fn still_released(&self, recommendation: &Recommendation) -> Result<()> {
        let proposal = &recommendation.proposal;
        let model = self.catalog.model(&proposal.model_version);
        let runs = model.is_some_and(|model| {
            let autonomy = model.autonomy.get(&proposal.use_case);
            model.released && autonomy.is_some_and(|a| *a != Autonomy::Off)
        });
        if runs { Ok(()) } else { Err(gone()) }
    }

    pub(super) async fn keep(
        &self,
        recommendation: Recommendation,
        version: i64,
        entry: service_kit::outbox::Entry,
    ) -> Result<Recommendation> {
        if self
            .store
            .update(&recommendation, version, &[entry])
            .await?
        {
            return Ok(recommendation);
        }
        Err(Error::etag_mismatch(recommendation.name()))
    }
}

fn gone() -> Error {
    Error::new(
        Kind::FailedPrecondition,
        Reason::ModelNotReleased,
        "the model version may not act in this use case any more",
    )
}

fn request_of(recommendation: &Recommendation) -> ActionRequest {
    let intent = recommendation.intent.as_ref();
    let modified = intent.and_then(|intent| intent.modified.as_ref());
    let proposal = &recommendation.proposal;
    ActionRequest {
        exception: proposal.exception.clone(),
        operation: proposal.operation.clone(),
        arguments: modified.unwrap_or(&proposal.arguments).clone(),
        request_id: recommendation.id.clone(),
        recommendation: recommendation.name(),
        excluded: recommendation.excluded.clone(),
        comment: intent
            .map(|intent| intent.comment.clone())
            .unwrap_or_default(),
    }
}

/// Whether an answer of this kind means that nothing was done.
fn is_final(kind: Kind) -> bool {
    match kind {
        Kind::InvalidArgument
        | Kind::Unauthenticated
        | Kind::PermissionDenied
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::FailedPrecondition
        | Kind::ResourceExhausted
        | Kind::OutOfRange => true,
        Kind::Aborted | Kind::Unavailable | Kind::DeadlineExceeded | Kind::Internal => false,
    }
}
