//! Settings of the policy service: section `[service]`.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use service_kit::{
    Validate,
    settings::{Problems, Secret, duration},
};

/// Settings of the policy service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How often a replica looks for a new revision of the policies, and for scheduled
    /// changes whose time has come; it also looks when a request asks for a revision it
    /// doesn't have. Default 250 ms.
    #[serde(with = "duration")]
    pub follow_interval: Duration,
    /// How often counts of SUMMARY decisions are written. Default 5 s.
    #[serde(with = "duration")]
    pub count_interval: Duration,
    /// At most this many decisions are committed in one transaction. Default 256.
    pub commit_batch: usize,
    /// At most this many decisions wait to be committed; more wait for a place, within
    /// their deadline. Default 4096.
    pub commit_queue: usize,
    /// How long a request id makes a retry return the first answer, 1 min to 30 days;
    /// then it is forgotten, with decisions that were kept for its sake alone. Default 24 h.
    #[serde(with = "duration")]
    pub request_retention: Duration,
    /// How often what is no longer needed is forgotten. Default 60 s.
    #[serde(with = "duration")]
    pub sweep_interval: Duration,
    /// How long an approval of a change counts, 1 h to 90 days. Default 14 days.
    #[serde(with = "duration")]
    pub change_approval_validity: Duration,
    /// Role that must approve every change of the workflow `change_approval`, beside whom it
    /// demands itself. Default `council`.
    pub council_role: String,
    /// Receipts.
    pub receipts: Receipts,
}

/// How receipts are signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receipts {
    /// `iss` of receipts. Default `bylaw-policy`.
    pub issuer: String,
    /// How long a receipt is valid, 1 s to 1 h. Default 5 min.
    #[serde(with = "duration")]
    pub ttl: Duration,
    /// File with the private key, a JSON Web Key (OKP, Ed25519). Every replica has the
    /// same. Without one, and without `key`, a development suite makes
    /// `receipt-key.jwk` in its data directory, and any other doesn't start.
    pub key_file: Option<PathBuf>,
    /// The private key itself, where it comes from the environment
    /// (`BYLAW_SERVICE__RECEIPTS__KEY`).
    pub key: Secret,
    /// Files with public keys that are published beside it: of the key before, until its
    /// last receipt has expired, or of the next.
    pub published_key_files: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            follow_interval: Duration::from_millis(250),
            count_interval: Duration::from_secs(5),
            commit_batch: 256,
            commit_queue: 4_096,
            request_retention: Duration::from_hours(24),
            sweep_interval: Duration::from_secs(60),
            change_approval_validity: Duration::from_hours(14 * 24),
            council_role: "council".to_owned(),
            receipts: Receipts::default(),
        }
    }
}

impl Default for Receipts {
    fn default() -> Self {
        Self {
            issuer: "bylaw-policy".to_owned(),
            ttl: Duration::from_secs(300),
            key_file: None,
            key: Secret::default(),
            published_key_files: Vec::new(),
        }
    }
}

impl Validate for Settings {
    const DOCUMENTED: &'static str = include_str!("settings.toml");

    fn validate(&self, problems: &mut Problems) {
        let minute = Duration::from_secs(60);
        for (path, value) in [
            ("service.follow_interval", self.follow_interval),
            ("service.count_interval", self.count_interval),
        ] {
            problems.check(
                value.is_zero() || value > minute,
                path,
                "must be up to 60 s",
            );
        }
        problems.check(
            !(60..=30 * 24 * 3_600).contains(&self.request_retention.as_secs()),
            "service.request_retention",
            "must be 1 min to 30 days",
        );
        problems.check(
            self.sweep_interval.is_zero() || self.sweep_interval > Duration::from_hours(1),
            "service.sweep_interval",
            "must be up to 1 h",
        );
        problems.check(
            !(3_600..=90 * 24 * 3_600).contains(&self.change_approval_validity.as_secs()),
            "service.change_approval_validity",
            "must be 1 h to 90 days",
        );
        problems.check(
            self.council_role.is_empty() || self.council_role.len() > 128,
            "service.council_role",
            "must have 1 to 128 bytes",
        );
        problems.check(
            !(1..=10_000).contains(&self.commit_batch),
            "service.commit_batch",
            "must be 1 to 10000",
        );
        problems.check(
            !(1..=1_000_000).contains(&self.commit_queue),
            "service.commit_queue",
            "must be 1 to 1000000",
        );
        let receipts = &self.receipts;
        problems.check(
            receipts.issuer.is_empty() || receipts.issuer.len() > 256,
            "service.receipts.issuer",
            "must have 1 to 256 bytes",
        );
        problems.check(
            !(1..=3_600).contains(&receipts.ttl.as_secs()),
            "service.receipts.ttl",
            "must be 1 s to 1 h",
        );
        problems.check(
            receipts.key_file.is_some() && !receipts.key.is_empty(),
            "service.receipts.key_file",
            "is given beside service.receipts.key: one of them is enough",
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
