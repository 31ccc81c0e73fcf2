//! Putting changes into force: by a person, or by the service at the time that was set.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Found, Scopes},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    App, Shown,
    records::{self, Author},
    review::Reviewed,
    store::Activation,
};
use crate::{
    app::permission,
    domain::{
        change::{Action, Activated, Change, Item, State, demand},
        snapshot::{Revision, Snapshot},
    },
};

/// How often an activation is tried where another makes the same revision.
const ATTEMPTS: usize = 5;

impl App {
    /// Sets an approved change to come into force at its time.
    ///
    /// # Errors
    /// For whoever edited or approved it, and a change that isn't approved or has no time.
    pub async fn schedule_change(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Shown> {
        let mut change = self.to_activate(caller, id, etag).await?;
        let before = change.clone();
        change
            .schedule(&caller.approver(), self.clock.now())
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "scheduled", &before, change).await
    }

    /// Puts a change into force.
    ///
    /// # Errors
    /// For whoever edited or approved it; for a change that isn't approved, whose time
    /// hasn't come, that would do something else by now, or whose approvals don't count any
    /// more.
    pub async fn activate_change(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Shown> {
        for _ in 0..ATTEMPTS {
            let change = self.to_activate(caller, id, etag).await?;
            let author = Author::of(caller);
            if let Some(change) = self.activate(Some(caller), &author, change).await? {
                return Ok(self.shown(&self.snapshot(), change));
            }
        }
        Err(Error::etag_mismatch(format!("changes/{id}")))
    }

    async fn to_activate(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Change> {
        caller.require_person()?;
        caller.require_no_conflict()?;
        let change = self
            .open(caller, permission::ACTIVATE_CHANGE, id, etag)
            .await?;
        for scope in &change.scopes {
            caller.require(permission::ACTIVATE_CHANGE, scope)?;
        }
        Ok(change)
    }

    /// One attempt. `None`: somebody else was first with the revision or the change.
    async fn activate(
        &self,
        caller: Option<&Caller>,
        author: &Author,
        mut change: Change,
    ) -> Result<Option<Change>> {
        self.refresh().await?;
        let snapshot = self.current()?;
        let before = change.clone();
        let reviewed = self
            .review(snapshot.clone(), change.items.clone(), change.activate)
            .await?;
        let demanded = match &reviewed.after {
            Some(after) => {
                let bundles = (&snapshot.bundle, after);
                demand(&change, bundles, &snapshot.documents, &self.council_role)
            }
            None => Default::default(),
        };
        let now = self.clock.now();
        let activator = caller.map(Caller::approver);
        let revoked = |given: &_| self.is_revoked(given);
        let step = change
            .activate(
                activator.as_ref(),
                &reviewed.review.digest,
                demanded,
                &revoked,
                now,
            )
            .map_err(|why| Self::refuse_change(&before, why))?;
        let undone = match step {
            Activated::Now => {
                let by = activator.map(|activator| activator.who);
                change.activated(by.as_ref(), snapshot.number() + 1, now);
                return self
                    .put(author, "activated", &snapshot, reviewed, before, change)
                    .await;
            }
            Activated::Outdated => Error::new(
                Kind::FailedPrecondition,
                Reason::ApprovalLapsed,
                "what the change would do is no longer what was reviewed: it starts over",
            ),
            Activated::Lapsed(missing) => {
                let each = missing
                    .iter()
                    .map(|r| format!("{} {} at {}", r.count, r.role, r.at));
                Error::new(
                    Kind::FailedPrecondition,
                    Reason::ApprovalLapsed,
                    "approvals of the change don't count any more: it waits for them again",
                )
                .with_metadata("approvals", each.collect::<Vec<_>>().join(", "))
            }
        };
        let entry = records::entry_by(author, "lapsed", Some(&before), &change, now);
        if self.store.save(&change, before.version, &[entry]).await? {
            return Err(undone.with_metadata("resource", change.name()));
        }
        Ok(None)
    }

    /// Makes the next revision of what was reviewed, and puts it into force here.
    pub(super) async fn put(
        &self,
        author: &Author,
        what: &str,
        snapshot: &Snapshot,
        reviewed: Reviewed,
        before: Change,
        change: Change,
    ) -> Result<Option<Change>> {
        let Some(after) = &reviewed.after else {
            return Err(Error::broken("what doesn't compile can't come into force"));
        };
        let revision = Revision {
            number: snapshot.number() + 1,
            digest: after.digest().to_owned(),
            activated: change.updated,
        };
        let entry = records::activation(
            author,
            what,
            (&before, &change),
            &reviewed.overlaid.actions,
            &revision,
        );
        let mut changes = self.superseded(&change, &revision).await?;
        let mut entries: Vec<_> = changes
            .iter()
            .map(|(new, _)| records::entry_by(&Author::own(), "superseded", None, new, new.updated))
            .collect();
        entries.insert(0, entry);
        changes.insert(0, (change.clone(), before.version));
        let items = reviewed.items.iter().zip(&reviewed.overlaid.actions);
        let ends = items
            .filter(|(_, action)| matches!(action, Action::Changed | Action::Deleted))
            .map(|(item, _)| item.key())
            .collect();
        let puts = reviewed
            .overlaid
            .documents
            .into_iter()
            .filter(|document| {
                let key = (document.kind.clone(), document.name.clone());
                let there = snapshot.documents.get(&key);
                there.is_none_or(|there| there.version != document.version)
            })
            .map(|mut document| {
                document.activated = revision.activated;
                document
            })
            .collect();
        let activation = Activation {
            revision,
            changes,
            puts,
            ends,
            entries,
        };
        if !self.store.activate(&activation).await? {
            return Ok(None);
        }
        self.refresh().await?;
        Ok(Some(change))
    }

    /// Active changes of which this one replaces something.
    async fn superseded(&self, new: &Change, revision: &Revision) -> Result<Vec<(Change, u64)>> {
        let everything = Scopes::All;
        let active = self
            .store
            .changes(&everything, &[State::Active], None, usize::MAX)
            .await?;
        let keys: BTreeSet<_> = new.items.iter().map(Item::key).collect();
        let replaced = active
            .into_iter()
            .filter(|change| change.id != new.id)
            .filter(|change| change.items.iter().any(|item| keys.contains(&item.key())));
        Ok(replaced
            .map(|mut change| {
                let version = change.version;
                change.superseded(revision.number, revision.activated);
                (change, version)
            })
            .collect())
    }

    /// Activates scheduled changes when their time comes, until the process stops. Every
    /// replica looks; the store lets one of them do it.
    pub(in crate::app) async fn activate_due(
        self: Arc<Self>,
        every: Duration,
        shutdown: CancellationToken,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.cancelled() => return,
            }
            if let Err(error) = self.activate_all_due().await {
                tracing::warn!(%error, "scheduled changes wait to be activated");
            }
        }
    }

    async fn activate_all_due(&self) -> Result<()> {
        for id in self.store.due(self.clock.now()).await? {
            let everything = Scopes::All;
            let found = self.store.change(id, &everything).await?;
            let Found::Here(change) = found else {
                continue;
            };
            match self.activate(None, &Author::own(), change).await {
                Ok(_) => {}
                // What keeps it from coming into force is kept with it.
                Err(error) => {
                    tracing::warn!(%error, change = %id, "a scheduled change isn't activated")
                }
            }
        }
        Ok(())
    }
}
