//! Options of the exceptions service, in section `[service]`.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use service_kit::settings::{Problems, Validate, duration};

use crate::domain::{
    ageing::Bands,
    source::{self, Bringers, Sources},
};

/// Options of the exceptions service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Upper bounds of the ageing report's bands in seconds, rising; what is older than
    /// the last is in a band of its own.
    pub ageing_bands: Vec<i64>,
    /// Whose sources of events are. Events of one that isn't named here are refused; in
    /// development it belongs to the first that brings events of it.
    pub sources: Vec<Source>,
    /// How often actions are looked for that are overdue, or complete without a receipt
    /// because the policy service or this one was away.
    #[serde(with = "duration")]
    pub sweep_interval: Duration,
}

/// Who brings the events of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// CloudEvents source, such as `/erp/medical`.
    pub source: String,
    /// `iss` of their tokens; none: any that the suite trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `sub` of their tokens.
    pub subjects: Vec<String>,
}

impl Settings {
    /// Whose sources are, in development or not.
    pub(crate) fn whose(&self, development: bool) -> Sources {
        let bringers = |source: &Source| Bringers {
            issuer: source.issuer.clone(),
            subjects: source.subjects.clone(),
        };
        let sources = self.sources.iter();
        Sources {
            declared: sources
                .map(|source| (source.source.clone(), bringers(source)))
                .collect(),
            first_use: development,
        }
    }

    fn check_sources(&self, problems: &mut Problems) {
        let mut names = BTreeSet::new();
        for (index, source) in self.sources.iter().enumerate() {
            let key = |field: &str| format!("service.sources[{index}].{field}");
            if source.source.is_empty() || !names.insert(&source.source) {
                problems.add(key("source"), "must be a source, named once");
            }
            if source::of_suite(&source.source).is_some() {
                problems.add(key("source"), "is the suite's own");
            }
            if source.subjects.is_empty() {
                problems.add(key("subjects"), "must name somebody");
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: i64 = 3_600;
        Self {
            ageing_bands: vec![4 * HOUR, 24 * HOUR, 72 * HOUR, 168 * HOUR, 720 * HOUR],
            sources: Vec::new(),
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
        self.check_sources(problems);
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
