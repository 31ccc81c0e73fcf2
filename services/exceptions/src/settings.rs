//! Options of the exceptions service, in section `[service]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::settings::{Problems, Validate, duration};

use crate::domain::ageing::Bands;

/// Options of the exceptions service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Upper bounds of the ageing report's bands in seconds, rising; what is older than
    /// the last is in a band of its own.
    pub ageing_bands: Vec<i64>,
    /// How often actions are looked for that are overdue, or complete without a receipt
    /// because the policy service or this one was away.
    #[serde(with = "duration")]
    pub sweep_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: i64 = 3_600;
        Self {
            ageing_bands: vec![4 * HOUR, 24 * HOUR, 72 * HOUR, 168 * HOUR, 720 * HOUR],
            sweep_interval: Duration::from_secs(5),
        }
    }
}

impl Validate for Settings {
    const DOCUMENTED: &'static str = include_str!("settings.toml");

    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = Bands::new(&self.ageing_bands) {
            problems.add("service.ageing_bands", error.to_string());
        }
        problems.check(
            self.sweep_interval.is_zero(),
            "service.sweep_interval",
            "must be longer than 0",
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
