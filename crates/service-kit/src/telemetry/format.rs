//! Log lines that carry the trace they belong to, and no secret.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::current_trace;
use crate::settings::{HIDDEN, LogFormat};

/// Fields whose values no log may show, by a part of their name.
const SECRETS: [&str; 5] = [
    "password",
    "secret",
    "token",
    "authorization",
    "private_key",
];

/// Writes events as text or as JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines(pub(super) LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let mut fields = fields.0;
        let message = fields.remove("message");
        let message = message.as_ref().and_then(Value::as_str).unwrap_or_default();
        let trace = current_trace();
        if !trace.trace_id.is_empty() {
            fields.insert("trace_id".to_owned(), trace.trace_id.into());
            fields.insert("span_id".to_owned(), trace.span_id.into());
        }
        let metadata = event.metadata();
        let time = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        match self.0 {
            LogFormat::Text => {
                let (level, target) = (metadata.level(), metadata.target());
                write!(writer, "{time} {level:>5} {target}: {}", Line(message))?;
                for (name, value) in &fields {
                    write!(writer, " {name}=")?;
                    match value {
                        Value::String(text) => write!(writer, "{}", Line(text))?,
                        other => write!(writer, "{other}")?,
                    }
                }
                writeln!(writer)
            }
            LogFormat::Json => {
                let head = [
                    ("time", time.as_str()),
                    ("level", metadata.level().as_str()),
                    ("target", metadata.target()),
                    ("message", message),
                ];
                let head = head.map(|(name, value)| (name, Value::from(value)));
                // A field can't take the place of what every line has.
                let taken = |name: &str| head.iter().any(|(taken, _)| *taken == name);
                let rest = fields.iter().filter(|(name, _)| !taken(name));
                let rest = rest.map(|(name, value)| (name.as_str(), value));
                let all = head.iter().map(|(name, value)| (*name, value)).chain(rest);
                for (at, (name, value)) in all.enumerate() {
                    let before = if at == 0 { '{' } else { ',' };
                    write!(writer, "{before}{}:{value}", Value::from(name))?;
                }
                writeln!(writer, "}}")
            }
        }
    }
}

/// A text without line breaks and control characters, so that what a caller sent can't
/// forge a line.
struct Line<'a>(&'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                fmt::Write::write_char(f, c)?;
            }
        }
        Ok(())
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let secret = SECRETS.iter().any(|part| name.contains(part));
        let value = if secret { HIDDEN.into() } else { value };
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }
}
