//! Rows to and from what the use cases know.

use chrono::DateTime;
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use service_kit::error::{Error, Result};
use uuid::Uuid;

use super::schema::{document, request, validation};
use crate::{
    app::{Retry, Validation},
    domain::{Violation, catalog::Document, validate::Judgement},
};

/// A violation, as its row has it.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    field: String,
    rule: String,
    severity: String,
    kind: String,
    message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    standard: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source_field: String,
}

pub(super) fn row(validation: &Validation) -> Result<validation::ActiveModel> {
    let stored: Vec<_> = validation.judgement.violations.iter().map(stored).collect();
    let json = |value: serde_json::Result<String>| value.map_err(Error::internal);
    Ok(validation::ActiveModel {
        id: Set(validation.id),
        entity: Set(validation.entity.name().to_owned()),
        record_id: Set(validation.record_id.clone()),
        scope: Set(validation.scope.to_string()),
        correlation_id: Set(validation.correlation_id.clone()),
        valid: Set(validation.judgement.is_valid()),
        violations: Set(json(serde_json::to_string(&stored))?),
        rule_sets: Set(json(serde_json::to_string(
            &validation.judgement.rule_sets,
        ))?),
        validate_time: Set(validation.validate_time.timestamp_micros()),
    })
}

pub(super) fn request_row(
    retry: &Retry,
    validations: &[Validation],
) -> Result<request::ActiveModel> {
    let ids: Vec<_> = validations.iter().map(|validation| validation.id).collect();
    let time = validations
        .first()
        .map(|validation| validation.validate_time);
    Ok(request::ActiveModel {
        issuer: Set(retry.issuer.clone()),
        subject: Set(retry.subject.clone()),
        id: Set(retry.request.id),
        digest: Set(retry.request.digest.clone()),
        validations: Set(serde_json::to_string(&ids).map_err(Error::internal)?),
        validate_time: Set(time.unwrap_or_default().timestamp_micros()),
    })
}

/// The ids of the validations that a request was answered with, in order.
pub(super) fn answered_ids(row: &request::Model) -> Result<Vec<Uuid>> {
    serde_json::from_str(&row.validations).map_err(Error::internal)
}

fn stored(violation: &Violation) -> Stored {
    Stored {
        field: violation.field.to_string(),
        rule: violation.rule.clone(),
        severity: violation.severity.name().to_owned(),
        kind: violation.kind.name().to_owned(),
        // PostgreSQL's texts hold no NUL
        message: violation.message.replace('\0', "\u{fffd}"),
        standard: violation.standard.clone(),
        source_field: violation.source_field.replace('\0', "\u{fffd}"),
    }
}

pub(super) fn validation(row: validation::Model) -> Result<Validation> {
    let broken = || Error::broken(format!("validation {} can't be read from its row", row.id));
    let stored: Vec<Stored> = serde_json::from_str(&row.violations).map_err(Error::internal)?;
    let violations = stored.into_iter().map(read);
    Ok(Validation {
        id: row.id,
        entity: row.entity.parse().map_err(Error::internal)?,
        scope: row.scope.parse().map_err(Error::internal)?,
        judgement: Judgement {
            violations: violations.collect::<Option<_>>().ok_or_else(broken)?,
            rule_sets: serde_json::from_str(&row.rule_sets).map_err(Error::internal)?,
        },
        validate_time: DateTime::from_timestamp_micros(row.validate_time).ok_or_else(broken)?,
        record_id: row.record_id,
        correlation_id: row.correlation_id,
    })
}

fn read(stored: Stored) -> Option<Violation> {
    Some(Violation {
        field: match stored.field.as_str() {
            "" => crate::domain::Path::default(),
            field => field.parse().ok()?,
        },
        rule: stored.rule,
        severity: stored.severity.parse().ok()?,
        kind: stored.kind.parse().ok()?,
        message: stored.message,
        standard: stored.standard,
        source_field: stored.source_field,
    })
}

pub(super) fn document(row: document::Model) -> Document {
    Document {
        kind: row.kind,
        name: row.name,
        scope: row.scope,
        version: row.version,
        source: row.source,
    }
}

pub(super) fn document_row(document: &Document) -> document::ActiveModel {
    document::ActiveModel {
        kind: Set(document.kind.clone()),
        name: Set(document.name.clone()),
        version: Set(document.version),
        scope: Set(document.scope.clone()),
        source: Set(document.source.clone()),
    }
}
