//! What a change would do: compiled, analysed, and compared at every scope.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use decision::{
    Value,
    analyse::{self, FindingKind, Options, Reason as Open},
};
use governance::{
    Bundle,
    analysis::{self, Affected, Difference},
    files::{self, Diagnostic, compile},
};
use serde_json::json;
use service_kit::{
    error::{Error, Result},
    identity::Caller,
};
use uuid::Uuid;

use super::{App, Sent, Shown, items::all_items};
use crate::{
    app::{bootstrap::unsound_tests, permission},
    domain::{
        change::{
            Action, Item, Overlaid, Problem, RegionDifference, Review, ScopeDifference, overlay,
        },
        snapshot::Snapshot,
    },
};

/// Regions of a workflow that are kept.
const MAX_REGIONS: usize = 200;
/// Problems and warnings that are kept.
const MAX_FOUND: usize = 1_000;

/// What would change.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The documents, each with what it does and the version that is there.
    pub items: Vec<(Item, Action, u64)>,
    /// What would differ.
    pub review: Review,
}

/// What a review came to, with the state it is about.
pub(super) struct Reviewed {
    pub(super) review: Review,
    pub(super) items: Vec<Item>,
    pub(super) overlaid: Overlaid,
    /// What would be in force; `None` where it doesn't compile.
    pub(super) after: Option<Bundle>,
}

impl App {
    /// What documents would change, without keeping anything.
    ///
    /// # Errors
    /// If the caller may not write what stands at one of the scopes, or a document can't be
    /// read.
    pub async fn plan(&self, caller: &Caller, sent: Vec<Sent>, complete: bool) -> Result<Plan> {
        let snapshot = self.current()?;
        let items = all_items(&snapshot, sent, complete)?;
        self.may_write(caller, &snapshot, &items)?;
        let reviewed = self.review(snapshot.clone(), items.clone(), None).await?;
        let actions = reviewed.overlaid.actions;
        let items = items.into_iter().zip(actions).map(|(item, action)| {
            let there = snapshot.documents.get(&item.key());
            let version = there.map_or(0, |document| document.version);
            (item, action, version)
        });
        Ok(Plan {
            items: items.collect(),
            review: reviewed.review,
        })
    }

    /// Checks a change.
    ///
    /// # Errors
    /// For a change that is no longer open, or scheduled.
    pub async fn check_change(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Shown> {
        let editor = self.editor(caller)?;
        let mut change = self
            .open(caller, permission::PROPOSE_CHANGE, id, etag)
            .await?;
        let before = change.clone();
        let snapshot = self.current()?;
        let items = change.items.clone();
        let reviewed = self.review(snapshot, items, change.activate).await?;
        change
            .checked(&editor, reviewed.review, self.clock.now())
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "checked", &before, change).await
    }

    /// Reviews items against what is in force.
    pub(super) async fn review(
        &self,
        snapshot: Arc<Snapshot>,
        items: Vec<Item>,
        activate: Option<DateTime<Utc>>,
    ) -> Result<Reviewed> {
        let keys: Vec<_> = items.iter().map(Item::key).collect();
        let versions = self.store.last_versions(&keys).await?;
        let now = self.clock.now();
        let task = tokio::task::spawn_blocking(move || {
            let overlaid = overlay(&snapshot.documents, &items, &versions, now);
            review(&snapshot, items, (activate, now), overlaid)
        });
        task.await.map_err(Error::internal)
    }
}

fn review(
    snapshot: &Snapshot,
    items: Vec<Item>,
    (activate, now): (Option<DateTime<Utc>>, DateTime<Utc>),
    overlaid: Overlaid,
) -> Reviewed {
    let mut review = Review {
        base: snapshot.number(),
        ..Review::default()
    };
    let sources: Vec<_> = overlaid
        .documents
        .iter()
        .map(crate::domain::snapshot::Document::source)
        .collect();
    let after = match compile(&sources) {
        Ok(after) => after,
        Err(found) => {
            review.problems = found
                .into_iter()
                .map(Problem::from)
                .take(MAX_FOUND)
                .collect();
            return Reviewed {
                review,
                items,
                overlaid,
                after: None,
            };
        }
    };
    let unsound = unsound_tests(&sources, &after);
    review
        .problems
        .extend(unsound.into_iter().map(Problem::from));
    tables(&items, &overlaid.actions, &after, &mut review);
    waivers(&items, &overlaid.actions, &after, now, &mut review);
    variations(&items, &overlaid.actions, &after, &mut review);
    let affected = analysis::affected(&snapshot.bundle, &after);
    compare(&snapshot.bundle, &after, &mut review);
    review.workflows = workflows(snapshot, &items, &affected);
    review.problems.truncate(MAX_FOUND);
    review.warnings.truncate(MAX_FOUND);
    if review.problems.is_empty() {
        review.digest = digest(&items, activate, &affected, &review.definitions);
    }
    Reviewed {
        review,
        items,
        overlaid,
        after: Some(after),
    }
}

/// What is wrong in the tables themselves: conflicts keep a change from going on.
fn tables(items: &[Item], actions: &[Action], after: &Bundle, review: &mut Review) {
    for (item, action) in items.iter().zip(actions) {
        if item.kind != files::POLICY || matches!(action, Action::Deleted | Action::Same) {
            continue;
        }
        let Some(policy) = after.policies().get(item.name.as_str()) else {
            continue;
        };
        let options = Options {
            gaps: policy.mode == governance::Mode::Default,
            ..Options::default()
        };
        let report = analyse::check(&policy.table, options);
        for finding in &report.findings {
            let rows = finding.rows.iter().filter_map(|row| policy.rows.get(*row));
            let rows: Vec<_> = rows.map(|row| &*row.id).collect();
            let of = if rows.is_empty() { "" } else { " of " };
            let problem = Problem {
                path: item.path.clone(),
                line: 0,
                column: 0,
                message: format!(
                    "{}{of}{} where {}",
                    finding.kind.as_str(),
                    rows.join(" / "),
                    finding.region
                ),
            };
            match finding.kind {
                FindingKind::Conflict => review.problems.push(problem),
                FindingKind::NullInput => {}
                _ => review.warnings.push(problem),
            }
        }
        review
            .warnings
            .extend(report.undecided.iter().map(|open| Problem {
                path: item.path.clone(),
                line: 0,
                column: 0,
                message: format!("undecided ({}): {}", open.reason.as_str(), open.message),
            }));
    }
}

/// A waiver is proposed for a row as it is, and for a time to come.
fn waivers(
    items: &[Item],
    actions: &[Action],
    after: &Bundle,
    now: DateTime<Utc>,
    review: &mut Review,
) {
    for (item, action) in items.iter().zip(actions) {
        if item.kind != files::WAIVER || matches!(action, Action::Deleted | Action::Same) {
            continue;
        }
        let Some(waiver) = after.waivers().get(item.name.as_str()) else {
            continue;
        };
        let mut problem = |message: String| {
            review.problems.push(Problem {
                path: item.path.clone(),
                line: 0,
                column: 0,
                message,
            });
        };
        if waiver.expires <= now {
            problem("expires: has passed already".to_owned());
        }
        if waiver.stands() {
            continue;
        }
        let policy = after.policies().get(&waiver.policy);
        let row = policy.and_then(|policy| {
            let row = policy
                .table
                .rows()
                .iter()
                .find(|row| row.id() == &*waiver.row)?;
            Some(policy.table.row_digest(row))
        });
        problem(match row {
            Some(digest) => format!("row_digest: row {} is {digest}", waiver.row),
            None => format!("row: {} has no row {}", waiver.policy, waiver.row),
        });
    }
}

/// Whether a default is nowhere looser than the guardrails above it: legal where it is, and
/// said; a problem where it couldn't be settled.
fn variations(items: &[Item], actions: &[Action], after: &Bundle, review: &mut Review) {
    let touched = |name: &str| {
        let changed = items.iter().zip(actions);
        changed
            .filter(|(_, action)| **action != Action::Same)
            .any(|(item, _)| item.kind == files::POLICY && item.name == name)
    };
    for found in analysis::variation(after) {
        let (default, guardrail) = (&found.default.name, &found.guardrail.name);
        if !touched(default) && !touched(guardrail) {
            continue;
        }
        let problem = |message: String| Problem {
            path: default.to_string(),
            line: 0,
            column: 0,
            message,
        };
        review.warnings.extend(found.masked.iter().map(|masked| {
            problem(format!(
                "looser than {guardrail} where {}, and without effect there",
                masked.region
            ))
        }));
        let open = |open: &&analysis::Undecided| matches!(open.reason, Open::Budget | Open::Types);
        review
            .problems
            .extend(found.undecided.iter().filter(open).map(|open| {
                problem(format!(
                    "whether it is looser than {guardrail} is undecided: {}",
                    open.message
                ))
            }));
    }
}

fn compare(before: &Bundle, after: &Bundle, review: &mut Review) {
    let found = analysis::difference(before, after);
    let loose = |scope: &analysis::ScopeDifference| scope.difference.loosens();
    review.loosens = found.scopes.iter().any(loose) || !found.definitions.is_empty();
    review.definitions = found.definitions;
    review.differences = found
        .scopes
        .into_iter()
        .map(|scope| ScopeDifference {
            workflow: scope.workflow.to_string(),
            scopes: scope.scopes,
            count: scope.difference.changes.len(),
            undecided: undecided(&scope.difference),
            regions: regions(&scope.difference),
        })
        .collect();
}

fn regions(difference: &Difference) -> Vec<RegionDifference> {
    let changed = difference.changes.iter().take(MAX_REGIONS);
    let region = |changed: &analysis::Changed| {
        let facts = changed.witness.iter();
        let facts = facts.map(|(name, value)| (name.to_owned(), value.clone()));
        RegionDifference {
            change: changed.change.as_str().to_owned(),
            region: changed.region.to_string(),
            witness: decision::json::write(&Value::Context(facts.collect())),
            before: changed.old.to_string(),
            after: changed.new.to_string(),
        }
    };
    changed.map(region).collect()
}

fn undecided(difference: &Difference) -> Vec<String> {
    let open = difference.undecided.iter().take(MAX_REGIONS);
    open.map(|open| format!("{}: {}", open.reason.as_str(), open.message))
        .collect()
}

/// Workflows whose answers or tests may have changed.
fn workflows(snapshot: &Snapshot, items: &[Item], affected: &[Affected]) -> Vec<String> {
    let own = items
        .iter()
        .flat_map(|item| item.workflows(&snapshot.documents));
    let mut names: Vec<_> = affected
        .iter()
        .map(|affected| affected.workflow.to_string())
        .chain(own)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Over exactly what is reviewed: the documents, the time, and where which policies are
/// replaced by which. Another change that touches neither leaves it as it is.
fn digest(
    items: &[Item],
    activate: Option<DateTime<Utc>>,
    affected: &[Affected],
    definitions: &[String],
) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|item| json!({"kind": item.kind, "name": item.name, "text": item.text, "beside": item.attachments}))
        .collect();
    let layers = |layers: &analysis::Layers| -> Vec<[String; 2]> {
        let layer = |(name, digest): &(Arc<str>, Arc<str>)| [name.to_string(), digest.to_string()];
        layers.iter().map(layer).collect()
    };
    let affected: Vec<_> = affected
        .iter()
        .map(|affected| {
            let scopes: Vec<_> = affected.scopes.iter().map(ToString::to_string).collect();
            json!({
                "workflow": affected.workflow,
                "scopes": scopes,
                "before": layers(&affected.before),
                "after": layers(&affected.after),
            })
        })
        .collect();
    governance::canonical::digest(&json!({
        "items": items,
        "activate": activate,
        "affected": affected,
        "definitions": definitions,
    }))
}

impl From<Diagnostic> for Problem {
    fn from(found: Diagnostic) -> Self {
        Self {
            path: found.path,
            line: found.line,
            column: found.column,
            message: found.message,
        }
    }
}
