//! The use cases: authorize, judge, store and record in one transaction.

mod bootstrap;
mod ports;
mod quality;
mod record;
mod retry;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use governance::Scope;
use service_kit::{
    clock::{Clock, Ids},
    error::{Error, Result},
    identity::Caller,
};
use uuid::Uuid;

use crate::domain::{
    Catalog, Entity, Record,
    catalog::Versioned,
    mapping::{Mapping, Normalized, Payload, PayloadError},
    validate::{self, Judgement},
};

pub use bootstrap::{catalog, check};
pub use ports::Store;
pub use quality::{Figure, FigureCursor, FigureQuery, RuleFigure};
pub use retry::{Answered, RequestId, Retry};

/// Permissions, as the contract's access options name them.
pub mod permission {
    /// Validating records in a unit.
    pub const VALIDATE: &str = "masterdata.record.validate";
    /// Reading recorded validations.
    pub const READ_VALIDATION: &str = "masterdata.validation.read";
    /// Reading quality figures.
    pub const READ_QUALITY: &str = "masterdata.quality.read";
}

/// At most this many records in one call.
pub const MAX_BATCH: usize = 500;
/// At most this many violations in one answer; beyond, it would not fit into a message.
const MAX_VIOLATIONS: usize = 10_000;
/// Batches above this size leave the runtime's threads to others while they are judged.
const SMALL_BATCH: usize = 16;

/// A record to judge.
#[derive(Debug, Clone)]
pub enum Input {
    /// A canonical record.
    Canonical(Record),
    /// A source system's payload.
    Source(SourceInput),
}

/// Records to judge in a unit.
#[derive(Debug, Clone)]
pub struct Request {
    /// The unit.
    pub scope: Scope,
    /// The records.
    pub inputs: Vec<Input>,
    /// The business transaction; empty: one for each record.
    pub correlation_id: String,
    /// What a retry is known by.
    pub id: Option<RequestId>,
}

/// A source system's payload and the mapping that reads it.
#[derive(Debug, Clone)]
pub struct SourceInput {
    /// Path of this in the request, for errors.
    pub field: String,
    /// Name of the mapping, without `mappings/`.
    pub mapping: String,
    /// JSON.
    pub payload: Vec<u8>,
}

/// A validation, as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Its id.
    pub id: Uuid,
    /// What the record is about.
    pub entity: Entity,
    /// The record's id at its source.
    pub record_id: String,
    /// Unit whose rules applied.
    pub scope: Scope,
    /// What was found.
    pub judgement: Judgement,
    /// The business transaction.
    pub correlation_id: String,
    /// When.
    pub validate_time: DateTime<Utc>,
}

impl Validation {
    /// Resource name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("validations/{}", self.id)
    }
}

/// The use cases of this service. Cheap to clone.
#[derive(Clone)]
pub struct App {
    store: Arc<dyn Store>,
    catalog: Arc<Catalog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl App {
    /// The use cases over a store and the rules and mappings in force.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        catalog: Arc<Catalog>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        Self {
            store,
            catalog,
            clock,
            ids,
        }
    }

    /// Judges records in a unit, and records the outcomes. A retry of a request that names
    /// itself is answered as it was.
    ///
    /// # Errors
    /// If the caller may not, the unit isn't there, a payload can't be read or names no
    /// mapping, the request's id came before with other content, or the store can't be
    /// reached; then nothing is recorded.
    pub async fn validate(&self, caller: &Caller, request: Request) -> Result<Vec<Validation>> {
        let Request {
            scope,
            inputs,
            correlation_id,
            id,
        } = request;
        caller.require(permission::VALIDATE, &scope)?;
        let retry = id.map(|id| Retry::new(caller, id));
        if let Some(retry) = &retry
            && let Some(first) = self.store.answered(retry).await?
        {
            return retry.again(first);
        }
        self.catalog
            .check_scope(&scope)
            .map_err(|problem| Error::invalid("scope", problem))?;
        let now = self.clock.now();
        let judged = self.judge_all(&scope, inputs, now).await?;
        let violations: usize = judged.iter().map(|j| j.judgement.violations.len()).sum();
        if violations > MAX_VIOLATIONS {
            return Err(Error::too_large(
                "records",
                format!("{violations} violations don't fit into an answer, send fewer records"),
            ));
        }
        let (mut validations, mut entries) = (Vec::new(), Vec::new());
        for judged in judged {
            let subject = judged.subject(&scope);
            let validation = self.validation(judged, &subject, &scope, &correlation_id, now);
            entries.push(record::entry(&validation, subject, caller));
            validations.push(validation);
        }
        let first = self
            .store
            .record(&validations, retry.as_ref(), entries)
            .await?;
        match (first, retry) {
            (Some(first), Some(retry)) => retry.again(first),
            _ => Ok(validations),
        }
    }

    async fn judge_all(
        &self,
        scope: &Scope,
        inputs: Vec<Input>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Judged>> {
        let (catalog, scope) = (Arc::clone(&self.catalog), scope.clone());
        let many = inputs.len() > SMALL_BATCH;
        let work = move || {
            let judged = inputs
                .into_iter()
                .map(|input| judge(&catalog, &scope, input, now));
            judged.collect::<Result<Vec<_>>>()
        };
        if many {
            tokio::task::spawn_blocking(work)
                .await
                .map_err(Error::internal)?
        } else {
            work()
        }
    }

    fn validation(
        &self,
        judged: Judged,
        subject: &str,
        scope: &Scope,
        correlation_id: &str,
        now: DateTime<Utc>,
    ) -> Validation {
        let correlation_id = match correlation_id {
            "" => subject,
            given => given,
        };
        Validation {
            id: self.ids.uuid7(),
            entity: judged.record.entity(),
            record_id: record::clipped(judged.record.id()),
            scope: scope.clone(),
            judgement: judged.judgement,
            correlation_id: correlation_id.to_owned(),
            validate_time: now,
        }
    }

    /// Turns a payload into the canonical record, without judging it.
    ///
    /// # Errors
    /// If the payload can't be read or names no mapping.
    pub fn normalize(&self, input: &SourceInput) -> Result<Normalized> {
        normalized(&self.catalog, input)
    }

    /// A recorded validation.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or none in the caller's scopes.
    pub async fn get_validation(&self, caller: &Caller, id: Uuid) -> Result<Validation> {
        let name = format!("validations/{id}");
        let scopes = caller.scopes(permission::READ_VALIDATION);
        let found = self.store.validation(id, &scopes).await?;
        found.for_caller(caller, &name)
    }

    /// A mapping in force.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name.
    pub fn get_mapping(&self, name: &str) -> Result<&Versioned<Mapping>> {
        self.catalog
            .mapping(name)
            .ok_or_else(|| Error::not_found(format!("mappings/{name}")))
    }

    /// At most `limit` mappings after a name, by name, and whether there are more.
    #[must_use]
    pub fn list_mappings<'a>(
        &'a self,
        after: &str,
        limit: usize,
    ) -> (Vec<&'a Versioned<Mapping>>, bool) {
        let mut found: Vec<_> = self.catalog.mappings_after(after).take(limit + 1).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }

    /// Quality figures of a unit and those below it, and whether there are more.
    ///
    /// # Errors
    /// If the caller may not, or the store can't be reached.
    pub async fn list_figures(
        &self,
        caller: &Caller,
        query: &FigureQuery,
    ) -> Result<(Vec<Figure>, bool)> {
        caller.require(permission::READ_QUALITY, &query.scope)?;
        let mut found = self.store.figures(query).await?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }
}

/// A record with what was found of it.
struct Judged {
    record: Record,
    /// The mapping it was read by; empty for one that came canonical.
    mapping: String,
    judgement: Judgement,
}

impl Judged {
    /// What is judged, the same however often it is. A record without an id is known by
    /// what it holds, which mapping read it and the unit.
    fn subject(&self, scope: &Scope) -> String {
        match record::clipped(self.record.id()) {
            id if id.is_empty() => record::anonymous(&self.record, &self.mapping, scope),
            id => format!("{}/{id}", self.record.entity()),
        }
    }
}

fn judge(catalog: &Catalog, scope: &Scope, input: Input, now: DateTime<Utc>) -> Result<Judged> {
    let today = now.date_naive();
    match input {
        Input::Canonical(record) => Ok(Judged {
            judgement: validate::record(catalog, scope, &record, today),
            record,
            mapping: String::new(),
        }),
        Input::Source(source) => {
            let normalized = normalized(catalog, &source)?;
            Ok(Judged {
                judgement: validate::normalized(catalog, scope, &normalized, today),
                record: normalized.record,
                mapping: source.mapping,
            })
        }
    }
}

fn normalized(catalog: &Catalog, input: &SourceInput) -> Result<Normalized> {
    let mapping = catalog.mapping(&input.mapping).ok_or_else(|| {
        let shown: String = input.mapping.chars().take(64).collect();
        Error::invalid(
            format!("{}.mapping", input.field),
            format!("there is no mappings/{shown}"),
        )
    })?;
    let payload = Payload::parse(&input.payload).map_err(|error| {
        let field = format!("{}.payload", input.field);
        match error {
            PayloadError::TooLarge(_) => Error::too_large(field, error.to_string()),
            _ => Error::invalid(field, error.to_string()),
        }
    })?;
    Ok(mapping.item.normalize(&payload))
}

/// The refusal of a batch that is empty or too long.
///
/// # Errors
/// Always, where it is.
pub fn check_batch(count: usize) -> Result<()> {
    match count {
        0 => Err(Error::invalid(
            "records",
            format!("found none, expected 1 to {MAX_BATCH}"),
        )),
        1..=MAX_BATCH => Ok(()),
        _ => Err(Error::too_large(
            "records",
            format!("found {count}, expected at most {MAX_BATCH}"),
        )),
    }
}
