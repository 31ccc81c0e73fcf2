//! Taking back what is in force: at once where that tightens, with a second person where it
//! loosens (break-glass).

use service_kit::{
    error::{Error, Result},
    identity::Caller,
};
use uuid::Uuid;

use super::{App, MAX_WORDS, Shown, records::Author, words};
use crate::{
    app::{permission, read::sees},
    domain::change::{Change, Documents, Item, RollbackStep, State, scopes_of},
};

impl App {
    /// Takes back a change that is in force.
    ///
    /// # Errors
    /// For a change that isn't in force; for who asked, where it takes a second person; and
    /// where what was before can't be in force beside what came since.
    pub async fn roll_back(
        &self,
        caller: &Caller,
        id: Uuid,
        etag: &str,
        reason: &str,
    ) -> Result<Shown> {
        words("reason", reason, MAX_WORDS)?;
        caller.require_person()?;
        caller.require_no_conflict()?;
        let mut change = self
            .open(caller, permission::ACTIVATE_CHANGE, id, etag)
            .await?;
        for scope in &change.scopes {
            caller.require(permission::ACTIVATE_CHANGE, scope)?;
        }
        let before = change.clone();
        self.refresh().await?;
        let snapshot = self.current()?;
        let items = self.restored(&change).await?;
        let reviewed = self.review(snapshot.clone(), items, None).await?;
        if let Some(problem) = reviewed.review.problems.first() {
            let message = format!(
                "what was before can't come back beside what came since: {}",
                problem.message
            );
            return Err(Error::illegal_state(message).with_metadata("resource", change.name()));
        }
        let loosens = reviewed.review.loosens;
        let digest = reviewed.review.digest.clone();
        let person = caller.approver();
        let now = self.clock.now();
        let step = change
            .roll_back(&person, reason, loosens, &digest, now)
            .map_err(|why| Self::refuse_change(&before, why))?;
        match step {
            RollbackStep::Asked => {
                self.keep_change(caller, "rollback-asked", &before, change)
                    .await
            }
            RollbackStep::Due => {
                change.rolled_back((&person.who, reason), snapshot.number() + 1, now);
                let author = Author::of(caller);
                let name = change.name();
                let done = self
                    .put(&author, "rolled-back", &snapshot, reviewed, before, change)
                    .await?;
                let done = done.ok_or_else(|| Error::etag_mismatch(name))?;
                Ok(self.shown(&self.snapshot(), done))
            }
        }
    }

    /// The documents as they were before a change.
    async fn restored(&self, change: &Change) -> Result<Vec<Item>> {
        let Some(revision) = change.revision.filter(|_| change.state == State::Active) else {
            let state = change.state.as_str();
            let message = format!("the change is {state}: only what is in force is rolled back");
            return Err(Error::illegal_state(message).with_metadata("state", state));
        };
        let documents = self.store.at_revision(revision - 1).await?;
        let were: Documents = documents
            .into_iter()
            .map(|document| ((document.kind.clone(), document.name.clone()), document))
            .collect();
        let restored = change.items.iter().map(|item| {
            let was = were.get(&item.key());
            Item {
                kind: item.kind.clone(),
                name: item.name.clone(),
                path: was.map_or_else(|| item.path.clone(), |was| was.path.clone()),
                text: was.map(|was| was.text.to_string()),
                attachments: was.map(|was| was.attachments.clone()).unwrap_or_default(),
            }
        });
        Ok(restored.collect())
    }

    /// Every document in force that the caller sees.
    #[must_use]
    pub fn export(&self, caller: &Caller) -> (u64, Vec<crate::domain::snapshot::Document>) {
        let snapshot = self.snapshot();
        let allowed = caller.scopes(permission::READ_POLICY);
        // What stands at no scope of its own is the whole company's.
        let seen = snapshot.documents.values().filter(|document| {
            let at = scopes_of(&document.kind, &document.text);
            at.is_empty() || at.iter().any(|scope| sees(&allowed, scope))
        });
        (snapshot.number(), seen.cloned().collect())
    }
}
