//! Settings of a process: documented defaults, then a TOML file, then environment
//! variables, then flags; each overrides the one before.
//!
//! An environment variable names a setting by its path: `BYLAW_GRPC__ADDR` is
//! `grpc.addr`. Unknown keys are refused wherever they come from.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

mod bus;
mod database;
pub mod duration;
mod load;
mod place;
mod secret;
mod validate;

pub use bus::Bus;
pub use database::Database;
pub use load::{DEFAULTS, Loaded, Overrides, defaults, dump, load};
pub use secret::{HIDDEN, Secret, SecretUrl};
pub use validate::{Problems, Validate};

/// Settings that all services share.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Allows what a development suite needs and a deployment must not have: the issuer
    /// of the process itself, reflection of settings in answers, bootstrap of examples.
    pub development: bool,
    /// Folder of embedded stores and development keys.
    pub data_dir: PathBuf,
    /// The gRPC listener.
    pub grpc: Listener,
    /// The HTTP listener: liveness, readiness, metrics, and read-only pages of services.
    pub http: Listener,
    /// The database.
    pub database: Database,
    /// The event stream.
    pub bus: Bus,
    /// Addresses of the other services.
    pub peers: Peers,
    /// Issuers, principals and access.
    pub identity: crate::identity::Settings,
    /// Logs, traces and metrics.
    pub telemetry: Telemetry,
    /// Limits on what callers may ask.
    pub limits: Limits,
    /// How the process stops.
    pub drain: Drain,
    /// What is loaded into an empty store.
    pub bootstrap: Bootstrap,
    /// The service's own section, which its own type reads; here it is passed over.
    #[serde(skip_serializing)]
    pub service: serde::de::IgnoredAny,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            development: false,
            data_dir: PathBuf::from(".bylaw"),
            grpc: Listener::at(([127, 0, 0, 1], 50051)),
            http: Listener::at(([127, 0, 0, 1], 8080)),
            database: Database::default(),
            bus: Bus::default(),
            peers: Peers::default(),
            identity: crate::identity::Settings::default(),
            telemetry: Telemetry::default(),
            limits: Limits::default(),
            drain: Drain::default(),
            bootstrap: Bootstrap::default(),
            service: serde::de::IgnoredAny,
        }
    }
}

/// A listening socket, in sections `[grpc]` and `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Address and port; port 0 takes a free one.
    pub addr: SocketAddr,
    /// TLS; without it the socket speaks plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ServerTls>,
}

impl Listener {
    fn at(addr: impl Into<SocketAddr>) -> Self {
        Self {
            addr: addr.into(),
            tls: None,
        }
    }
}

/// Files of a TLS server. They are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// PEM file with the certificate chain.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
    /// PEM file with the authorities of client certificates; given, every client must
    /// present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

/// Section `[peers]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peers {
    /// `http://` or `https://` address of each service by its name, such as
    /// `policy = "http://bylaw-policy:50051"`.
    pub addresses: BTreeMap<String, String>,
    /// For `https://` addresses; without it they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
}

/// Files of a TLS client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// PEM file with the authorities that the peers' certificates come from.
    pub ca: PathBuf,
    /// PEM file with this process's certificate chain, for mutual TLS; needs `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// PEM file with this process's private key, for mutual TLS; needs `cert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Name expected in the peers' certificates, where it isn't the host of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// Section `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Filter of log lines, such as `info` or `info,policy=debug`.
    pub log: String,
    /// Form of log lines.
    pub format: LogFormat,
    /// OTLP collector over gRPC, such as `http://collector:4317`; empty sends nothing.
    pub otlp_endpoint: String,
    /// Share of traces kept that start here, 0 to 1; those of callers follow theirs.
    pub sample: f64,
    /// Spans that wait for the collector; more are dropped and counted.
    pub queue: usize,
    /// How often metrics go to the collector.
    #[serde(with = "duration")]
    pub metrics_interval: Duration,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            format: LogFormat::Json,
            otlp_endpoint: String::new(),
            sample: 1.0,
            queue: 16_384,
            metrics_interval: Duration::from_secs(30),
        }
    }
}

/// Section `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections of a listener; more wait in the kernel's queue.
    pub connections: usize,
    /// How long a connection lives until its client is asked to open another, so that
    /// calls spread over replicas that came later.
    #[serde(with = "duration")]
    pub connection_age: Duration,
    /// Calls that one connection may have open.
    pub streams_per_connection: u32,
    /// Calls in work at the same time; more are refused at once.
    pub concurrent_calls: usize,
    /// Bytes of a call's header list.
    pub header_bytes: u32,
    /// Deadline of a unary call that brings none.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Longest deadline of a unary call; longer ones are shortened.
    #[serde(with = "duration")]
    pub max_deadline: Duration,
    /// How long a stream may rest in both directions.
    #[serde(with = "duration")]
    pub stream_idle: Duration,
    /// How often a silent connection is asked for a sign of life.
    #[serde(with = "duration")]
    pub keepalive: Duration,
    /// How long it has for the answer.
    #[serde(with = "duration")]
    pub keepalive_timeout: Duration,
    /// How long a TLS handshake may take.
    #[serde(with = "duration")]
    pub tls_handshake: Duration,
    /// Streams of a connection that the client reset before they were taken up; more end
    /// the connection.
    pub pending_resets: usize,
    /// Streams of a connection that its own errors reset; more end the connection.
    pub error_resets: usize,
    /// Calls a second of a person or a model, on average; 0 doesn't limit.
    pub calls_per_second: u32,
    /// Calls a second of a service, on average; 0 doesn't limit.
    pub service_calls_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            connection_age: Duration::from_secs(600),
            streams_per_connection: 128,
            concurrent_calls: 1_024,
            header_bytes: 16 * 1024,
            deadline: Duration::from_secs(10),
            max_deadline: Duration::from_secs(60),
            stream_idle: Duration::from_secs(300),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            tls_handshake: Duration::from_secs(5),
            pending_resets: 20,
            error_resets: 128,
            calls_per_second: 500,
            service_calls_per_second: 20_000,
        }
    }
}

/// Section `[drain]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    /// How long the process still takes calls after it was told to stop, while it says
    /// that it isn't ready: load balancers need it to look elsewhere.
    #[serde(with = "duration")]
    pub notice: Duration,
    /// How long calls in work may take after that; then their connections are cut.
    #[serde(with = "duration")]
    pub time: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            notice: Duration::ZERO,
            time: Duration::from_secs(20),
        }
    }
}

/// Section `[bootstrap]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bootstrap {
    /// Folder whose YAML documents are loaded into an empty store; a store that isn't
    /// empty is left as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
}
