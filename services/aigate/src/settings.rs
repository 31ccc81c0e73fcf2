//! The `[service]` section of the AI gate.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::settings::{Problems, Validate, duration};

/// Options of the AI gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long a claimed recommendation is kept for its reviewer.
    #[serde(with = "duration")]
    pub claim_timeout: Duration,
    /// How often recommendations that nobody reviewed are looked for.
    #[serde(with = "duration")]
    pub sweep_interval: Duration,
    /// How long an acceptance may stay unfinished before the exceptions service is asked
    /// what became of it; longer than any call may take.
    #[serde(with = "duration")]
    pub settle_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            claim_timeout: Duration::from_secs(60 * 60),
            sweep_interval: Duration::from_secs(10),
            settle_after: Duration::from_secs(120),
        }
    }
}

impl Validate for Settings {
    const DOCUMENTED: &'static str = include_str!("settings.toml");

    fn validate(&self, problems: &mut Problems) {
        problems.check(
            self.sweep_interval.is_zero(),
            "service.sweep_interval",
            "is zero, expected a time between two looks such as 10s",
        );
        problems.check(
            self.settle_after < Duration::from_secs(90),
            "service.settle_after",
            "is less than 90s, within which a call may still take effect",
        );
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
