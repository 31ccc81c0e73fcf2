//! Approving and rejecting changes.

use service_kit::{
    error::{Error, Result},
    identity::Caller,
};
use uuid::Uuid;

use super::{App, Shown, try_out::outdated, words, words_if_any};
use crate::{
    app::permission,
    domain::change::{Change, Given, MAX_WORDS, State},
};

impl App {
    /// Approves exactly what has the digest.
    ///
    /// # Errors
    /// For whoever may not approve it, another digest, and a change that doesn't wait.
    pub async fn approve_change(
        &self,
        caller: &Caller,
        id: Uuid,
        etag: &str,
        digest: &str,
        comment: &str,
    ) -> Result<Shown> {
        words_if_any("comment", comment, MAX_WORDS)?;
        if digest.is_empty() {
            let problem = "is required: the digest of what was reviewed";
            return Err(Error::invalid("digest", problem));
        }
        let mut change = self.to_judge(caller, id, etag).await?;
        let before = change.clone();
        let snapshot = self.current()?;
        let items = change.items.clone();
        let reviewed = self.review(snapshot, items, change.activate).await?;
        if change.state == State::Backtested && reviewed.review.digest != change.digest() {
            return Err(outdated(&change.name()));
        }
        let now = self.clock.now();
        let token = caller.actor().token_id.clone().unwrap_or_default();
        change
            .approve(
                caller.approver(),
                token,
                (digest, comment),
                &|given| self.is_revoked(given),
                (now, now + self.approval_validity),
            )
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "approved", &before, change).await
    }

    /// Rejects a change for good.
    ///
    /// # Errors
    /// For whoever couldn't approve it, and a change that doesn't wait.
    pub async fn reject_change(
        &self,
        caller: &Caller,
        id: Uuid,
        etag: &str,
        reason: &str,
    ) -> Result<Shown> {
        words("reason", reason, MAX_WORDS)?;
        let mut change = self.to_judge(caller, id, etag).await?;
        let before = change.clone();
        change
            .reject(&caller.approver(), reason, self.clock.now())
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "rejected", &before, change).await
    }

    /// The change that a named person wants to judge. Its editors see it too: that they
    /// can't approve it is said by segregation of duties, and not by hiding it.
    async fn to_judge(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Change> {
        caller.require_person()?;
        caller.require_no_conflict()?;
        self.open(caller, permission::APPROVE_CHANGE, id, etag)
            .await
    }

    /// Whether an approver, or the token of an approval, has been revoked since.
    pub(super) fn is_revoked(&self, given: &Given) -> bool {
        let who = &given.approval.approver.who;
        let token_id = Some(given.token_id.as_str()).filter(|id| !id.is_empty());
        self.revocations.covers(&who.issuer, &who.subject, token_id)
    }
}
