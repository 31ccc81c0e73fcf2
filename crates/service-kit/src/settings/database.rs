//! Settings of the database.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{SecretUrl, duration};

/// Section `[database]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Empty for an SQLite file `<service>.db` in the data directory, or `sqlite:…` or
    /// `postgres://…`. `{service}` stands for the service's name.
    pub url: SecretUrl,
    /// PostgreSQL: schema of the service's tables, made if it isn't there; empty leaves it
    /// to the server's search path. `{service}` stands for the service's name.
    pub schema: String,
    /// Connections that read at the same time; PostgreSQL writes through them too.
    pub connections: u32,
    /// How long a call waits for a connection before it is refused as unavailable.
    #[serde(with = "duration")]
    pub acquire_timeout: Duration,
    /// PostgreSQL: how long a statement may take; below the deadline of calls, so that
    /// the caller hears the reason.
    #[serde(with = "duration")]
    pub statement_timeout: Duration,
    /// How long the start waits for a database that can't be reached.
    #[serde(with = "duration")]
    pub startup_timeout: Duration,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: SecretUrl::default(),
            schema: String::new(),
            connections: 16,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(8),
            startup_timeout: Duration::from_secs(60),
        }
    }
}

impl Database {
    /// Checks what no single field can.
    ///
    /// # Errors
    /// The first problem.
    pub fn validate(&self) -> Result<(), String> {
        let url = self.url.expose();
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !url.is_empty() && !known.iter().any(|scheme| url.starts_with(scheme)) {
            return Err("url is neither sqlite: nor postgres://".to_owned());
        }
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !self.schema.replace("{service}", "").chars().all(name) {
            return Err("schema is not lower-case letters, digits and underscores".to_owned());
        }
        if !(1..=1_000).contains(&self.connections) {
            return Err("connections must be 1 to 1000".to_owned());
        }
        for (key, timeout) in [
            ("acquire_timeout", self.acquire_timeout),
            ("statement_timeout", self.statement_timeout),
        ] {
            if timeout.is_zero() {
                return Err(format!("{key} must be longer than 0"));
            }
        }
        Ok(())
    }
}
