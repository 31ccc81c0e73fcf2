//! Settings of the audit service, section `[service]`.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use service_kit::settings::{Problems, Secret, Validate, duration};

/// Longest time between an append and the checkpoint over it.
const MAX_CHECKPOINT_DELAY: Duration = Duration::from_secs(1);

/// The audit service's own settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which log it is: the first line of its checkpoints and the name of its key, as a
    /// URL without a scheme, such as `audit.example.com/bylaw`. Never changes.
    pub origin: String,
    /// File with the log's private key (`PRIVATE+KEY+name+hash+base64`). With
    /// `development`, `<data_dir>/audit-log.key` where none is named, made on the first
    /// start.
    pub key_file: PathBuf,
    /// The private key itself, in place of a file.
    pub key: Secret,
    /// How long appends are gathered before a checkpoint is signed over them; at most 1s.
    #[serde(with = "duration")]
    pub checkpoint_delay: Duration,
    /// How often every stored record is checked against the log.
    #[serde(with = "duration")]
    pub scrub_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origin: "bylaw.local/audit".to_owned(),
            key_file: PathBuf::new(),
            key: Secret::default(),
            checkpoint_delay: Duration::from_millis(200),
            scrub_interval: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Validate for Settings {
    const DOCUMENTED: &'static str = include_str!("settings.toml");

    fn validate(&self, problems: &mut Problems) {
        if !merkle::note::is_name(&self.origin) {
            problems.add("service.origin", "is empty or has white space or `+`");
        }
        if self.checkpoint_delay > MAX_CHECKPOINT_DELAY {
            problems.add("service.checkpoint_delay", "is more than 1s");
        }
        if self.scrub_interval < Duration::from_secs(60) {
            problems.add("service.scrub_interval", "is less than 1m");
        }
        if !self.key.is_empty() && !self.key_file.as_os_str().is_empty() {
            problems.add(
                "service.key",
                "is given besides service.key_file; one is enough",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented() {
        let checked =
            testkit::settings::documented("service", Settings::DOCUMENTED, &Settings::default());
        assert_eq!(checked, Ok(()));
    }
}
