//! Requests to what the use cases take.

use chrono::NaiveDate;
use contracts::masterdata::{
    BatchValidateRecordsRequest, ListQualityFiguresRequest, RecordInput, SourceRecord,
    ValidateRecordRequest, record_input,
};
use governance::Scope;
use prost::Message;
use service_kit::{
    error::{Error, Result},
    violations::Violations,
};
use uuid::Uuid;

use super::records;
use crate::app::{self, FigureCursor, FigureQuery, Input, Request, RequestId, SourceInput};

/// Correlation ids have at most this many characters.
const MAX_CORRELATION: usize = 256;

fn scope(text: &str) -> Result<Scope> {
    Scope::parse(text).map_err(|error| Error::invalid("scope", error.to_string()))
}

/// What a request asks for.
pub(super) fn validate(mut request: ValidateRecordRequest) -> Result<Request> {
    let id = request_id(std::mem::take(&mut request.request_id), &request);
    let mut wrong = Violations::default();
    let input = wrong.take(input(request.record, "record"));
    let parts = Parts {
        scope: request.scope,
        correlation_id: request.correlation_id,
        inputs: input.into_iter().collect(),
        id,
    };
    parts.whole(wrong)
}

/// As [`validate`], of several records.
pub(super) fn batch(mut request: BatchValidateRecordsRequest) -> Result<Request> {
    let id = request_id(std::mem::take(&mut request.request_id), &request);
    let mut wrong = Violations::default();
    let mut inputs = Vec::new();
    if wrong
        .take(app::check_batch(request.records.len()))
        .is_some()
    {
        let records = request.records.into_iter().enumerate();
        inputs.extend(
            records.filter_map(|(at, record)| {
                wrong.take(input(Some(record), &format!("records[{at}]")))
            }),
        );
    }
    let parts = Parts {
        scope: request.scope,
        correlation_id: request.correlation_id,
        inputs,
        id,
    };
    parts.whole(wrong)
}

/// What is left to read of a request.
struct Parts {
    scope: String,
    correlation_id: String,
    inputs: Vec<Input>,
    id: Result<Option<RequestId>>,
}

impl Parts {
    /// The request, if nothing was wrong with it.
    fn whole(self, mut wrong: Violations) -> Result<Request> {
        let scope = wrong.take(scope(&self.scope));
        let correlation_id = wrong.take(correlation_id(&self.correlation_id));
        let id = wrong.take(self.id);
        wrong.finish(|| {
            Some(Request {
                scope: scope?,
                correlation_id: correlation_id?.to_owned(),
                inputs: self.inputs,
                id: id?,
            })
        })
    }
}

/// The id of a request, with a digest of all else that it says.
fn request_id<M: Message>(text: String, rest: &M) -> Result<Option<RequestId>> {
    if text.is_empty() {
        return Ok(None);
    }
    let id = Uuid::try_parse(&text)
        .ok()
        .filter(|id| id.to_string() == text);
    let id = id.ok_or_else(|| Error::invalid("request_id", "is not a UUID in lower case"))?;
    let digest = governance::canonical::sha256(&rest.encode_to_vec());
    Ok(Some(RequestId { id, digest }))
}

fn correlation_id(text: &str) -> Result<&str> {
    if text.chars().count() > MAX_CORRELATION {
        let problem = format!("is longer than {MAX_CORRELATION} characters");
        return Err(Error::invalid("correlation_id", problem));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(
            "correlation_id",
            "holds a control character",
        ));
    }
    Ok(text)
}

/// A record to judge. Every problem of it is named, not only the first.
fn input(input: Option<RecordInput>, field: &str) -> Result<Input> {
    let missing = || {
        Error::invalid(
            field,
            "is missing, expected customer, item, supplier or source",
        )
    };
    let record = input.and_then(|input| input.record).ok_or_else(missing)?;
    match record {
        record_input::Record::Source(record) => {
            let source = source(record, &format!("{field}.source"))?;
            Ok(Input::Source(source))
        }
        record_input::Record::Customer(customer) => {
            records::customer(customer, &format!("{field}.customer")).map(Input::Canonical)
        }
        record_input::Record::Item(item) => {
            records::item(item, &format!("{field}.item")).map(Input::Canonical)
        }
        record_input::Record::Supplier(supplier) => {
            records::supplier(supplier, &format!("{field}.supplier")).map(Input::Canonical)
        }
    }
}

pub(super) fn source(record: SourceRecord, field: &str) -> Result<SourceInput> {
    let mapping = mapping_name(&record.mapping, &format!("{field}.mapping"))?.to_owned();
    if record.payload.is_empty() {
        return Err(Error::invalid(format!("{field}.payload"), "is missing"));
    }
    Ok(SourceInput {
        field: field.to_owned(),
        mapping,
        payload: record.payload.into(),
    })
}

pub(super) fn mapping_name<'a>(name: &'a str, field: &str) -> Result<&'a str> {
    name.strip_prefix("mappings/")
        .filter(|rest| !rest.is_empty())
        .ok_or_else(|| Error::invalid(field, "expected `mappings/{mapping}`"))
}

pub(super) fn validation_name(name: &str) -> Result<Uuid> {
    let id = name.strip_prefix("validations/");
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| Error::invalid("name", "expected `validations/{uuid}`"))
}

pub(super) fn figure_query(
    request: &ListQualityFiguresRequest,
    after: Option<FigureCursor>,
    limit: u64,
) -> Result<FigureQuery> {
    let day = |field: &str, text: &str| match text {
        "" => Ok(None),
        text => decision::temporal::parse_date(text)
            .map(Some)
            .ok_or_else(|| Error::invalid(field, "expected a date such as 2026-11-24")),
    };
    let entity = match request.entity.as_str() {
        "" => Ok(None),
        name => name
            .parse()
            .map(Some)
            .map_err(|error| Error::invalid("entity", format!("{error}"))),
    };
    let mut wrong = Violations::default();
    let scope = wrong.take(scope(&request.scope));
    let entity = wrong.take(entity);
    let start: Option<Option<NaiveDate>> = wrong.take(day("start_date", &request.start_date));
    let end = wrong.take(day("end_date", &request.end_date));
    if let (Some(Some(start)), Some(Some(end))) = (start, end)
        && end < start
    {
        wrong.take::<()>(Err(Error::invalid("end_date", "is before start_date")));
    }
    wrong.finish(|| {
        Some(FigureQuery {
            scope: scope?,
            entity: entity?,
            start: start?,
            end: end?,
            after,
            limit,
        })
    })
}
