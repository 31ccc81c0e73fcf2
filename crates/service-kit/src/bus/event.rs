//! Events as they are in the stream: CloudEvents 1.0.2 in JSON.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use contracts::{time, types};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// Version of CloudEvents.
const SPEC: &str = "1.0";

/// Largest event that is read from a stream, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// An event of a service or of a connected system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique within `source`.
    pub id: String,
    /// URI reference of where it happened, such as `/bylaw/policy`.
    pub source: String,
    /// Type, such as `bylaw.policy.revision.activated.v1`.
    pub r#type: String,
    /// What it is about.
    pub subject: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Scope of the transaction; empty where the producer gave none.
    pub scope: String,
    /// The business transaction.
    pub correlation_id: String,
    /// W3C trace context; empty outside of a trace.
    pub trace_parent: String,
    /// Schema of the data; empty where the producer gave none.
    pub data_schema: String,
    /// JSON value, with numbers as they were written; empty where there is none.
    pub data: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    specversion: std::borrow::Cow<'a, str>,
    id: String,
    source: String,
    r#type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    time: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    correlationid: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    traceparent: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    dataschema: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<String>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl Event {
    /// The payload. Numbers that `serde_json` would round are refused by
    /// [`Self::decode_data`]'s types only where those ask for text; read facts with
    /// [`crate::facts`].
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        self.decode_data()
    }

    /// The payload as a type.
    ///
    /// # Errors
    /// If it isn't of the type.
    pub fn decode_data<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.data)
            .map_err(|e| Error::invalid("event.data", format!("of type {}: {e}", self.r#type)))
    }

    /// As the stream has it.
    ///
    /// # Errors
    /// If the data isn't JSON.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let data: Option<&RawValue> = if self.data.is_empty() {
            None
        } else {
            Some(serde_json::from_slice(&self.data).map_err(Error::internal)?)
        };
        let envelope = Envelope {
            specversion: SPEC.into(),
            id: self.id.clone(),
            source: self.source.clone(),
            r#type: self.r#type.clone(),
            subject: self.subject.clone(),
            time: self.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            scope: self.scope.clone(),
            correlationid: self.correlation_id.clone(),
            traceparent: self.trace_parent.clone(),
            dataschema: self.data_schema.clone(),
            datacontenttype: data.map(|_| "application/json".to_owned()),
            data,
        };
        serde_json::to_vec(&envelope).map_err(Error::internal)
    }

    /// Reads what the stream has.
    ///
    /// # Errors
    /// If it is no CloudEvent of version 1 with JSON data.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > MAX_BYTES {
            let problem = format!("has {} bytes, at most {MAX_BYTES} are allowed", json.len());
            return Err(Error::invalid("event", problem));
        }
        let envelope: Envelope<'_> = serde_json::from_slice(json)
            .map_err(|e| Error::invalid("event", format!("is no CloudEvent in JSON: {e}")))?;
        if envelope.specversion != SPEC {
            let problem = format!("is {:?}, expected {SPEC:?}", envelope.specversion);
            return Err(Error::invalid("event.specversion", problem));
        }
        let time = match envelope.time.as_str() {
            "" => Utc::now(),
            text => DateTime::parse_from_rfc3339(text)
                .map_err(|e| Error::invalid("event.time", format!("{text:?}: {e}")))?
                .to_utc(),
        };
        Ok(Self {
            id: envelope.id,
            source: envelope.source,
            r#type: envelope.r#type,
            subject: envelope.subject,
            time,
            scope: envelope.scope,
            correlation_id: envelope.correlationid,
            trace_parent: envelope.traceparent,
            data_schema: envelope.dataschema,
            data: envelope
                .data
                .map(|data| Bytes::copy_from_slice(data.get().as_bytes()))
                .unwrap_or_default(),
        })
    }

    /// As the contracts have it.
    #[must_use]
    pub fn to_proto(&self) -> types::CloudEvent {
        types::CloudEvent {
            id: self.id.clone(),
            source: self.source.clone(),
            r#type: self.r#type.clone(),
            subject: self.subject.clone(),
            time: Some(time::timestamp(self.time)),
            scope: self.scope.clone(),
            correlation_id: self.correlation_id.clone(),
            trace_parent: self.trace_parent.clone(),
            data_schema: self.data_schema.clone(),
            data: self.data.clone(),
        }
    }

    /// From the contracts; an absent time is the epoch's.
    #[must_use]
    pub fn from_proto(event: types::CloudEvent) -> Self {
        Self {
            time: event
                .time
                .as_ref()
                .and_then(time::instant)
                .unwrap_or_default(),
            id: event.id,
            source: event.source,
            r#type: event.r#type,
            subject: event.subject,
            scope: event.scope,
            correlation_id: event.correlation_id,
            trace_parent: event.trace_parent,
            data_schema: event.data_schema,
            data: event.data,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn events_survive_the_stream_with_exact_numbers() {
        let event = Event {
            id: "1".into(),
            source: "/bylaw/test".into(),
            r#type: "a.b.v1".into(),
            subject: "orders/1".into(),
            time: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
            scope: "acme".into(),
            correlation_id: "SO-1".into(),
            trace_parent: String::new(),
            data_schema: String::new(),
            data: Bytes::from_static(b"{\"n\":12345678901234567890.123}"),
        };
        let json = event.to_json().unwrap();
        assert_eq!(Event::from_json(&json).unwrap(), event);
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#,
            r#"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"yesterday"}"#,
            r#"{"specversion":"1.0","id":1,"source":"s","type":"t"}"#,
        ] {
            assert!(Event::from_json(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
