//! Settings of the masterdata service: section `[service]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::{
    Validate,
    settings::{Problems, duration},
};

/// Settings of the masterdata service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long validations can be read; quality figures and the audit log keep what they
    /// counted and recorded. Default 400 days; at least 1 day.
    #[serde(with = "duration")]
    pub keep_validations: Duration,
    /// How often older ones are looked for. Default 10 min.
    #[serde(with = "duration")]
    pub sweep_interval: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_validations: DAY * 400,
            sweep_interval: Duration::from_mins(10),
        }
    }
}

impl Validate for Settings {
    const DOCUMENTED: &'static str = include_str!("settings.toml");

    fn validate(&self, problems: &mut Problems) {
        problems.check(
            self.keep_validations < DAY || self.keep_validations > DAY * 36_500,
            "service.keep_validations",
            "must be 1 to 36500 days",
        );
        problems.check(
            self.sweep_interval < Duration::from_secs(1),
            "service.sweep_interval",
            "must be 1 s or more",
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
