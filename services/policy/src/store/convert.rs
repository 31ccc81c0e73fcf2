//! Rows to and from what use cases have.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::error::{Error, Result};

use super::entity::{count, decision, document, receipt, revision, standing};
use crate::{
    app::store::{Authorized, Claim, CountKey, Kept, Record, Standing},
    domain::{
        receipt::Receipt,
        snapshot::{Document, Revision},
    },
};

/// A number that a column holds; only a broken row has a negative one.
pub(super) fn number(column: i64) -> Result<u64> {
    u64::try_from(column).map_err(Error::internal)
}

pub(super) fn column(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(Error::internal)
}

pub(super) fn time(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| Error::broken("a time is out of range"))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

pub(super) fn revision(row: revision::Model) -> Result<Revision> {
    Ok(Revision {
        number: number(row.number)?,
        digest: row.digest,
        activated: time(row.activate_time)?,
    })
}

pub(super) fn revision_row(revision: &Revision) -> Result<revision::ActiveModel> {
    Ok(revision::ActiveModel {
        number: Set(column(revision.number)?),
        digest: Set(revision.digest.clone()),
        activate_time: Set(revision.activated.timestamp_micros()),
    })
}

pub(super) fn document(row: document::Model) -> Result<Document> {
    Ok(Document {
        kind: row.kind,
        name: row.name,
        version: number(row.version)?,
        path: row.path,
        text: row.text.into(),
        attachments: from_json(&row.attachments)?,
        activated: time(row.activate_time)?,
    })
}

pub(super) fn document_row(document: &Document, first: u64) -> Result<document::ActiveModel> {
    Ok(document::ActiveModel {
        kind: Set(document.kind.clone()),
        name: Set(document.name.clone()),
        version: Set(column(document.version)?),
        path: Set(document.path.clone()),
        text: Set(document.text.to_string()),
        attachments: Set(to_json(&document.attachments)?),
        first_revision: Set(column(first)?),
        end_revision: Set(None),
        activate_time: Set(document.activated.timestamp_micros()),
    })
}

pub(super) fn decision_row(record: &Record) -> Result<decision::ActiveModel> {
    let decided = &record.answer.decision;
    Ok(decision::ActiveModel {
        id: Set(decided.id),
        workflow: Set(decided.workflow.clone()),
        scope: Set(decided.scope.to_string()),
        correlation_id: Set(decided.correlation_id.clone()),
        effect: Set(decided.effect.as_str().to_owned()),
        revision: Set(column(decided.revision)?),
        decide_time: Set(decided.decide_time.timestamp_micros()),
        asker: Set(to_json(&record.asker)?),
        question: Set(to_json(&record.question)?),
        answer: Set(to_json(&record.answer)?),
    })
}

pub(super) fn kept(row: decision::Model) -> Result<Kept> {
    Ok(Kept {
        asker: from_json(&row.asker)?,
        question: from_json(&row.question)?,
        answer: from_json(&row.answer)?,
    })
}

pub(super) fn receipt_row(authorized: &Authorized) -> Result<receipt::ActiveModel> {
    let receipt = &authorized.receipt;
    Ok(receipt::ActiveModel {
        action: Set(authorized.action.clone()),
        digest: Set(authorized.digest.clone()),
        id: Set(receipt.id),
        jws: Set(receipt.jws.clone()),
        audience: Set(receipt.audience.clone()),
        expire_time: Set(receipt.expires.timestamp_micros()),
        answer: Set(to_json(&authorized.answer)?),
    })
}

pub(super) fn authorized(row: receipt::Model) -> Result<Authorized> {
    Ok(Authorized {
        action: row.action,
        digest: row.digest,
        receipt: Receipt {
            id: row.id,
            jws: row.jws,
            expires: time(row.expire_time)?,
            audience: row.audience,
        },
        answer: from_json(&row.answer)?,
    })
}

pub(super) fn standing_row(claim: &Claim, authorized: &Authorized) -> standing::ActiveModel {
    let (target, receipt) = (&claim.target, &authorized.receipt);
    standing::ActiveModel {
        audience: Set(target.audience.clone()),
        document: Set(target.document.clone()),
        line: Set(target.line.clone()),
        operation: Set(target.operation.clone()),
        action: Set(authorized.action.clone()),
        receipt: Set(receipt.id),
        expire_time: Set(receipt.expires.timestamp_micros()),
        stand_until: Set(claim.until.timestamp_micros()),
    }
}

pub(super) fn standing(row: standing::Model) -> Result<Standing> {
    Ok(Standing {
        action: row.action,
        receipt: row.receipt,
        expires: time(row.expire_time)?,
        until: time(row.stand_until)?,
    })
}

pub(super) fn count_row(key: &CountKey, decisions: u64) -> Result<count::ActiveModel> {
    Ok(count::ActiveModel {
        day: Set(key.day.to_string()),
        workflow: Set(key.workflow.clone()),
        scope: Set(key.scope.to_string()),
        effect: Set(key.effect.as_str().to_owned()),
        revision: Set(column(key.revision)?),
        decisions: Set(column(decisions)?),
    })
}
