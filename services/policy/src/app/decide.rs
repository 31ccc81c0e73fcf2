//! Decisions.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use decision::{Facts, Met, explain};
use futures::future::join_all;
use governance::{AuditLevel, admit::admit, bundle::Effective};
use serde_json::json;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
    outbox::{Audit, Entry, Outcome},
    telemetry,
};

use super::{
    App, permission,
    store::{CountKey, Earlier, Record, Recorded},
};
use crate::domain::{
    decision::{Answer, Decision, FactNote, RowExplanation},
    question::{Asker, MAX_BATCH, Question},
    snapshot::Snapshot,
};

/// At most this many rows are explained; those that match, or could, come first.
const MAX_EXPLAINED: usize = 2_000;
/// After this many evaluations of a batch, others have a turn.
const BATCH_TURN: usize = 16;

impl App {
    /// Decides a question.
    ///
    /// # Errors
    /// If the caller may not ask at this scope, if there is no such workflow or scope, or
    /// if a decision that is kept in full can't be.
    pub async fn decide(&self, caller: &Caller, question: Question) -> Result<Answer> {
        caller.require(permission::DECIDE, &question.scope)?;
        if let Some(answer) = self.earlier(caller, &question).await? {
            return Ok(answer);
        }
        let snapshot = self.snapshot_at(question.min_revision).await?;
        let answer = self.answer(&snapshot, &question)?;
        self.keep(caller, question, answer).await
    }

    /// Decides several questions at one revision, each for itself.
    ///
    /// # Errors
    /// If there are none or too many, or the highest revision they ask for isn't reached.
    pub async fn batch_decide(
        &self,
        caller: &Caller,
        questions: Vec<Result<Question>>,
    ) -> Result<Vec<Result<Answer>>> {
        if !(1..=MAX_BATCH).contains(&questions.len()) {
            let problem = format!("{} requests, expected 1 to {MAX_BATCH}", questions.len());
            return Err(Error::invalid("requests", problem));
        }
        let least = questions
            .iter()
            .flatten()
            .map(|question| question.min_revision);
        let snapshot = self.snapshot_at(least.max().unwrap_or(0)).await?;
        let mut answers = Vec::with_capacity(questions.len());
        let mut kept = Vec::new();
        let mut counted = BTreeMap::new();
        for (index, question) in questions.into_iter().enumerate() {
            if index % BATCH_TURN == BATCH_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let answered = match question {
                Ok(question) => self.answer_one(caller, &snapshot, question).await,
                Err(error) => Err(error),
            };
            answers.push(match answered {
                Ok((question, answer, false)) if must_keep(&question, &answer) => {
                    kept.push(async move { (index, self.keep(caller, question, answer).await) });
                    // Its place, until it is kept.
                    Err(Error::broken("a decision wasn't kept"))
                }
                Ok((_, answer, again)) => {
                    if !again {
                        *counted.entry(CountKey::of(&answer)).or_default() += 1;
                    }
                    Ok(answer)
                }
                Err(error) => Err(error),
            });
        }
        for (key, count) in counted {
            self.count(key, count);
        }
        for (index, answer) in join_all(kept).await {
            if let Some(place) = answers.get_mut(index) {
                *place = answer;
            }
        }
        Ok(answers)
    }

    /// One of a batch, and whether its answer was kept before.
    async fn answer_one(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        question: Question,
    ) -> Result<(Question, Answer, bool)> {
        caller.require(permission::DECIDE, &question.scope)?;
        if let Some(answer) = self.earlier(caller, &question).await? {
            return Ok((question, answer, true));
        }
        let answer = self.answer(snapshot, &question)?;
        Ok((question, answer, false))
    }

    /// What was answered to the question's request id.
    async fn earlier(&self, caller: &Caller, question: &Question) -> Result<Option<Answer>> {
        let Some(request_id) = question.request_id else {
            return Ok(None);
        };
        let earlier = self
            .store
            .answered(&asker(caller).key(), request_id, self.remembered())
            .await?;
        earlier
            .map(|earlier| again(earlier, &question.digest(), question.min_revision))
            .transpose()
    }

    /// Evaluates a question; nothing is kept.
    pub(super) fn answer(&self, snapshot: &Snapshot, question: &Question) -> Result<Answer> {
        let now = self.clock.now();
        let effective = effective(snapshot, question, now)?;
        let admission = admit(&effective, question.assertions(now), now);
        let verdict = governance::decide(&effective, &question.scope, &admission.facts);
        let explanation = if question.explain {
            explained(&effective, &admission.facts)
        } else {
            Vec::new()
        };
        let id = self.ids.uuid7();
        let workflow = effective.workflow;
        let number = snapshot.number();
        Ok(Answer {
            decision: Decision::new(id, question, workflow, verdict, number, now),
            notes: admission.notes.into_iter().map(FactNote::from).collect(),
            explanation,
        })
    }

    /// Keeps an answer as its audit level says, and gives it back once that is done.
    async fn keep(&self, caller: &Caller, question: Question, answer: Answer) -> Result<Answer> {
        let counted = CountKey::of(&answer);
        if must_keep(&question, &answer) {
            let full = answer.decision.audit_level == AuditLevel::Full;
            let min_revision = question.min_revision;
            let since = self.remembered();
            let record = decision_record(caller, question, answer, since, full);
            let (digest, answer) = (record.digest.clone(), record.answer.clone());
            match self.recorder.record(record).await? {
                Recorded::New => self.count(counted, 1),
                Recorded::Earlier(earlier) => return again(*earlier, &digest, min_revision),
            }
            return Ok(answer);
        }
        self.count(counted, 1);
        Ok(answer)
    }

    /// Counts decisions, for the store and for metrics.
    pub(super) fn count(&self, key: CountKey, decisions: u64) {
        self.metrics.decided(&key, decisions);
        self.counts.add(key, decisions);
    }
}

/// Whether a decision is kept by itself: in full, or for retries.
fn must_keep(question: &Question, answer: &Answer) -> bool {
    answer.decision.audit_level == AuditLevel::Full || question.request_id.is_some()
}

/// The answer to a retry. One of before the revision that is asked for isn't given, since
/// it may be looser than the policy of then on.
fn again(earlier: Earlier, digest: &str, min_revision: u64) -> Result<Answer> {
    let revision = earlier.answer.decision.revision;
    if earlier.digest == digest && revision < min_revision {
        return Err(Error::new(
            Kind::AlreadyExists,
            Reason::IdempotencyConflict,
            format!("the request id was answered at revision {revision}, before {min_revision}"),
        )
        .with_violation("request_id", "was answered at an earlier revision"));
    }
    if earlier.digest == digest {
        return Ok(earlier.answer);
    }
    Err(Error::new(
        Kind::AlreadyExists,
        Reason::IdempotencyConflict,
        "the request id came with another question before",
    )
    .with_violation("request_id", "was used for another question"))
}

/// The layers that decide a question, with the waivers that hold now.
pub(super) fn effective<'a>(
    snapshot: &'a Snapshot,
    question: &Question,
    now: DateTime<Utc>,
) -> Result<Effective<'a>> {
    let effective = snapshot
        .bundle
        .waived(&question.workflow, &question.scope, now)
        .ok_or_else(|| Error::not_found(format!("workflows/{}", question.workflow)))?;
    if snapshot.bundle.scopes().get(&question.scope).is_none() {
        let problem = format!("there is no scope {}", question.scope);
        return Err(Error::invalid("scope", problem));
    }
    Ok(effective)
}

fn explained(effective: &Effective<'_>, facts: &Facts) -> Vec<RowExplanation> {
    let mut rows = Vec::new();
    for policy in effective.layers() {
        for row in explain(&policy.table, facts) {
            let Some(answer) = policy.rows.get(row.row) else {
                continue;
            };
            let failed = row
                .failed
                .iter()
                .filter_map(|&input| policy.table.inputs().get(input));
            rows.push(RowExplanation {
                policy: policy.name.to_string(),
                row: answer.id.to_string(),
                matched: match row.matched {
                    Met::Yes => Some(true),
                    Met::No => Some(false),
                    Met::Unknown => None,
                },
                failed_inputs: failed.map(|input| input.key().to_owned()).collect(),
            });
        }
    }
    if rows.len() > MAX_EXPLAINED {
        // Stable: within both groups the order of layers and rows stays.
        rows.sort_by_key(|row| row.matched == Some(false));
        rows.truncate(MAX_EXPLAINED);
    }
    rows
}

/// Who asks.
pub(super) fn asker(caller: &Caller) -> Asker {
    let actor = caller.actor();
    Asker {
        issuer: actor.issuer.clone(),
        subject: actor.subject.clone(),
        kind: actor.kind.as_str().to_owned(),
        grants: actor.grants.iter().map(ToString::to_string).collect(),
        via: caller.via().map(str::to_owned),
    }
}

/// A decision to keep, with its record for the audit log where it is one in full.
pub(super) fn decision_record(
    caller: &Caller,
    question: Question,
    answer: Answer,
    since: DateTime<Utc>,
    full: bool,
) -> Record {
    let entries = if full {
        vec![decision_entry(
            caller,
            &question,
            &answer,
            answer.decision.decide_time,
        )]
    } else {
        Vec::new()
    };
    Record {
        asker: asker(caller),
        // Only retries compare it.
        digest: question
            .request_id
            .map(|_| question.digest())
            .unwrap_or_default(),
        question,
        answer,
        since,
        entries,
    }
}

fn decision_entry(
    caller: &Caller,
    question: &Question,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Entry {
    let decision = &answer.decision;
    let facts: Vec<_> = question
        .facts
        .iter()
        .map(|fact| {
            json!({
                "name": fact.name,
                "value": governance::canonical::value(&fact.value),
                "provenance": fact.provenance,
                "asserted_by": fact.asserted_by,
                "observe_time": fact.observed,
            })
        })
        .collect();
    let audit = Audit {
        r#type: "bylaw.policy.decision.recorded.v1".to_owned(),
        action: permission::DECIDE.to_owned(),
        resource: decision.name(),
        scope: decision.scope.to_string(),
        correlation_id: decision.correlation_id.clone(),
        outcome: Outcome::Done,
        actor: caller.actor().clone(),
        via: caller.via().map(str::to_owned),
        payload: json!({"decision": decision, "facts": facts, "fact_notes": answer.notes}),
        occurred: now,
    };
    // Committed together with others, in a span that isn't the call's.
    Entry::new(audit).in_trace(telemetry::current_trace())
}

/// Figures of decisions.
pub(super) struct Metrics {
    decisions: opentelemetry::metrics::Counter<u64>,
}

impl Metrics {
    pub(super) fn new() -> Arc<Self> {
        let decisions = telemetry::meter()
            .u64_counter("bylaw.policy.decisions")
            .with_description("Decisions by workflow and effect")
            .build();
        Arc::new(Self { decisions })
    }

    fn decided(&self, key: &CountKey, decisions: u64) {
        let attributes = [
            opentelemetry::KeyValue::new("bylaw.workflow", key.workflow.clone()),
            opentelemetry::KeyValue::new("bylaw.effect", key.effect.as_str()),
        ];
        self.decisions.add(decisions, &attributes);
    }
}

#[cfg(test)]
mod tests;
