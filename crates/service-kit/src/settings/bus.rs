//! Settings of the event stream.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{SecretUrl, duration};

/// Section `[bus]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bus {
    /// Empty for the bus within the process, or `redis://…` or `rediss://…`.
    pub url: SecretUrl,
    /// PEM file with the authorities that a `rediss://` server's certificate is checked
    /// against; absent: the machine's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Consumer groups that must have passed an event before its outbox row goes, also
    /// while a stream that lost everything doesn't know them. Others that read the stream
    /// are reported. With none named, all that read it at the time.
    pub groups: Vec<String>,
    /// Producers whose streams are read.
    pub producers: Vec<String>,
    /// Events of a producer that may wait in the stream; more wait in its outbox.
    pub window: usize,
    /// How long a delivery may rest with a consumer until another takes it over.
    #[serde(with = "duration")]
    pub claim_after: Duration,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            url: SecretUrl::default(),
            ca: None,
            groups: ["exceptions", "aigate"].map(str::to_owned).to_vec(),
            producers: ["policy", "exceptions", "masterdata", "aigate", "audit"]
                .map(str::to_owned)
                .to_vec(),
            window: 10_000,
            claim_after: Duration::from_secs(30),
        }
    }
}

impl Bus {
    /// Checks what no single field can.
    ///
    /// # Errors
    /// The first problem.
    pub fn validate(&self) -> Result<(), String> {
        let url = self.url.expose();
        let known = ["redis://", "rediss://"];
        if !url.is_empty() && !known.iter().any(|scheme| url.starts_with(scheme)) {
            return Err("url is neither redis:// nor rediss://".to_owned());
        }
        if self.window == 0 {
            return Err("window must be at least 1".to_owned());
        }
        if self.claim_after.is_zero() {
            return Err("claim_after must be longer than 0".to_owned());
        }
        Ok(())
    }
}
