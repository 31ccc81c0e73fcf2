//! What the governance council looks at.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use service_kit::{error::Result, identity::Caller};

use super::{App, change, permission, waivers};
use crate::domain::council::{Record, record};

/// How far back, where it isn't said.
const USUAL: TimeDelta = TimeDelta::days(90);

/// What the governance council looks at.
#[derive(Debug)]
pub struct Report {
    /// Changes that may still come into force.
    pub open: Vec<change::Shown>,
    /// Waivers that hold.
    pub waivers: Vec<waivers::Shown>,
    /// How changes went.
    pub record: Record,
    /// What each owner answers for.
    pub owners: BTreeMap<String, Owned>,
    /// Start of the period.
    pub from: DateTime<Utc>,
}

/// What an owner answers for.
#[derive(Debug, Default)]
pub struct Owned {
    /// Workflows.
    pub workflows: usize,
    /// Their policies.
    pub policies: usize,
    /// Since when the oldest of them is in force as it is.
    pub oldest: Option<DateTime<Utc>>,
}

impl App {
    /// The report, of the scopes that the caller sees.
    ///
    /// # Errors
    /// If the store can't be reached.
    pub async fn council_report(
        &self,
        caller: &Caller,
        from: Option<DateTime<Utc>>,
    ) -> Result<Report> {
        let scopes = caller.scopes(permission::READ_REPORT);
        let now = self.clock.now();
        let from = from.unwrap_or(now - USUAL);
        let snapshot = self.snapshot();
        let changes = self.store.changes(&scopes, &[], None, usize::MAX).await?;
        let record = record(&changes, from, now);
        let open = changes.into_iter().filter(|change| change.state.is_open());
        let open = open.map(|mut change| {
            change::hide(caller, &mut change);
            self.shown(&snapshot, change)
        });
        let open = open.collect();
        let holds = |waiver: &&Arc<governance::Waiver>| {
            waiver.stands() && now < waiver.expires && scopes.contains(&waiver.scope)
        };
        let waivers = snapshot.bundle.waivers().values().filter(holds).cloned();
        let mut owners: BTreeMap<String, Owned> = BTreeMap::new();
        for workflow in snapshot.bundle.workflows().values() {
            owners.entry(workflow.owner.clone()).or_default().workflows += 1;
        }
        for policy in snapshot.bundle.policies().values() {
            let workflow = snapshot.bundle.workflows().get(&policy.workflow);
            let Some(workflow) = workflow.filter(|_| scopes.contains(&policy.scope)) else {
                continue;
            };
            let owned = owners.entry(workflow.owner.clone()).or_default();
            owned.policies += 1;
            let since = snapshot
                .policy(&policy.name)
                .map(|document| document.activated);
            owned.oldest = owned.oldest.into_iter().chain(since).min();
        }
        Ok(Report {
            open,
            waivers: self.shown_waivers(waivers.collect()).await?,
            record,
            owners,
            from,
        })
    }
}
