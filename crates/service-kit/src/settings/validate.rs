//! Checks that no single field can make.

use std::{fmt, time::Duration};

use super::{ClientTls, Listener, Settings};

/// What is wrong with the settings, by path.
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// Notes a problem: `path` such as `limits.deadline`, `problem` such as `is longer
    /// than limits.max_deadline`.
    pub fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push((path.into(), problem.into()));
    }

    /// Notes a problem where `wrong`.
    pub fn check(&mut self, wrong: bool, path: &str, problem: &str) {
        if wrong {
            self.add(path, problem);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (path, problem)) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{path} {problem}")?;
        }
        Ok(())
    }
}

/// A service's own settings: they are documented, and can say what is wrong with them as a
/// whole.
pub trait Validate {
    /// Section `[service]` as TOML: every key with its default and a comment.
    const DOCUMENTED: &'static str = "";

    /// Adds every problem.
    fn validate(&self, _problems: &mut Problems) {}
}

/// A service without settings of its own.
impl Validate for () {}

impl Validate for Settings {
    fn validate(&self, problems: &mut Problems) {
        listener("grpc", &self.grpc, problems);
        listener("http", &self.http, problems);
        problems.check(
            self.grpc.addr == self.http.addr && self.grpc.addr.port() != 0,
            "http.addr",
            "is grpc.addr too",
        );
        limits(self, problems);
        telemetry(self, problems);
        peers(self, problems);
        problems.check(
            self.drain.notice + self.drain.time > Duration::from_secs(3600),
            "drain",
            "takes longer than an hour",
        );
        for (section, checked) in [
            ("identity", self.identity.validate(self.development)),
            ("database", self.database.validate()),
            ("bus", self.bus.validate()),
        ] {
            // Each says the key, with or without its section, and then what is wrong.
            if let Err(problem) = checked {
                let (key, problem) = problem.split_once(' ').unwrap_or(("", &problem));
                let key = key.strip_prefix(section).unwrap_or(key);
                let key = key.trim_start_matches('.');
                problems.add(format!("{section}.{key}"), problem);
            }
        }
    }
}

fn listener(name: &str, listener: &Listener, problems: &mut Problems) {
    let Some(tls) = &listener.tls else { return };
    for (field, path) in [("cert", &tls.cert), ("key", &tls.key)] {
        problems.check(
            path.as_os_str().is_empty(),
            &format!("{name}.tls.{field}"),
            "is empty",
        );
    }
}

fn limits(settings: &Settings, problems: &mut Problems) {
    let limits = &settings.limits;
    for (path, value) in [
        ("limits.connections", limits.connections),
        ("limits.concurrent_calls", limits.concurrent_calls),
        ("limits.pending_resets", limits.pending_resets),
        ("limits.error_resets", limits.error_resets),
        (
            "limits.streams_per_connection",
            limits.streams_per_connection as usize,
        ),
    ] {
        problems.check(value == 0, path, "must be at least 1");
    }
    problems.check(
        !(1_024..=1_048_576).contains(&limits.header_bytes),
        "limits.header_bytes",
        "must be 1024 to 1048576",
    );
    for (path, value) in [
        ("limits.connection_age", limits.connection_age),
        ("limits.deadline", limits.deadline),
        ("limits.max_deadline", limits.max_deadline),
        ("limits.stream_idle", limits.stream_idle),
        ("limits.keepalive", limits.keepalive),
        ("limits.keepalive_timeout", limits.keepalive_timeout),
        ("limits.tls_handshake", limits.tls_handshake),
    ] {
        problems.check(value.is_zero(), path, "must be longer than 0");
    }
    problems.check(
        limits.deadline > limits.max_deadline,
        "limits.deadline",
        "is longer than limits.max_deadline",
    );
}

fn telemetry(settings: &Settings, problems: &mut Problems) {
    let telemetry = &settings.telemetry;
    problems.check(
        !(0.0..=1.0).contains(&telemetry.sample),
        "telemetry.sample",
        "must be 0 to 1",
    );
    problems.check(
        telemetry.queue == 0,
        "telemetry.queue",
        "must be at least 1",
    );
    problems.check(
        telemetry.metrics_interval.is_zero(),
        "telemetry.metrics_interval",
        "must be longer than 0",
    );
    let endpoint = &telemetry.otlp_endpoint;
    problems.check(
        !endpoint.is_empty() && !is_http(endpoint),
        "telemetry.otlp_endpoint",
        "must be an http:// or https:// address",
    );
    if let Err(problem) = telemetry.log.parse::<tracing_subscriber::EnvFilter>() {
        problems.add("telemetry.log", format!("is no log filter: {problem}"));
    }
}

fn peers(settings: &Settings, problems: &mut Problems) {
    let tls = settings.peers.tls.as_ref();
    for (name, address) in &settings.peers.addresses {
        let path = format!("peers.addresses.{name}");
        problems.check(
            !is_http(address),
            &path,
            "must be an http:// or https:// address",
        );
        problems.check(
            address.starts_with("https://") && tls.is_none(),
            &path,
            "is an https:// address, which needs peers.tls",
        );
    }
    if let Some(ClientTls { cert, key, .. }) = tls {
        problems.check(
            cert.is_some() != key.is_some(),
            "peers.tls",
            "needs both cert and key, or neither",
        );
    }
}

fn is_http(address: &str) -> bool {
    let known = address.starts_with("http://") || address.starts_with("https://");
    known
        && address
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.host().is_some())
}
