//! What the relay says about itself.

use std::time::Duration;

use super::{Office, in_time};
use crate::{
    error::Result,
    health::Status,
    outbox::{Lag, lag},
    telemetry::{self, KeyValue},
};

/// How often the lag is read.
const EVERY: Duration = Duration::from_secs(2);

/// A record that waits longer than this is worth a word.
const LATE: i64 = 30;

/// What keeps rows from being delivered.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// Why the log doesn't take records.
    pub log: Option<String>,
    /// Why the stream doesn't take events.
    pub stream: Option<String>,
    /// Who doesn't read them.
    pub readers: Option<String>,
}

impl Office<'_> {
    /// Reports the lag as metrics and as health.
    pub(super) async fn report(&self) -> Result<()> {
        let meter = telemetry::meter();
        let rows = meter
            .u64_gauge("bylaw.outbox.rows")
            .with_description("rows of the outbox by what they wait for")
            .build();
        let age = meter
            .f64_gauge("bylaw.outbox.age")
            .with_unit("s")
            .with_description("age of the oldest record that the audit log doesn't have")
            .build();
        let service = || KeyValue::new(telemetry::names::SERVICE, self.producer());
        let waiting = |what| [service(), KeyValue::new("bylaw.outbox.waiting_for", what)];
        loop {
            let now = self.relay.outbox.clock.now();
            let lag = in_time("database", lag::read(self.session.conn(), now)).await?;
            rows.record(lag.unaudited, &waiting("audit"));
            rows.record(lag.rows, &waiting("any"));
            let seconds = lag.oldest.map_or(0.0, |age| age.as_seconds_f64());
            age.record(seconds, &[service()]);
            let (status, detail) = self.verdict(&lag);
            self.relay.health.set("outbox", status, detail);
            tokio::time::sleep(EVERY).await;
        }
    }

    fn verdict(&self, lag: &Lag) -> (Status, String) {
        let age = lag.oldest.map_or(0, |age| age.num_seconds());
        let waiting = format!(
            "{} records wait for the audit log, the oldest for {age} s; {} rows in all",
            lag.unaudited, lag.rows
        );
        let troubles = self.troubles();
        let named = [
            ("audit log", &troubles.log),
            ("event stream", &troubles.stream),
            ("event stream's readers", &troubles.readers),
        ];
        let trouble: Vec<_> = named
            .iter()
            .filter_map(|(name, trouble)| Some(format!("{name}: {}", trouble.as_ref()?)))
            .collect();
        let trouble = (!trouble.is_empty()).then(|| trouble.join("; "));
        match trouble {
            Some(trouble) => (Status::Degraded, format!("{waiting}; {trouble}")),
            None if age > LATE => (Status::Degraded, waiting),
            None if lag.refused > 0 => {
                let detail = format!("the audit log refused {} records", lag.refused);
                (Status::Degraded, detail)
            }
            None => (
                Status::Serving,
                "records and events are delivered".to_owned(),
            ),
        }
    }
}
