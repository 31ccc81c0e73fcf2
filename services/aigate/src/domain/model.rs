//! Models and what their versions may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use approval::Somebody;

/// Most principals that speak for a version: all of them count as the requester of what it
/// recommends, and an action takes 16 such subjects.
const MAX_SUBJECTS: usize = 12;

/// How much can go wrong with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RiskTier {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl RiskTier {
    /// As files and tables have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

/// How far a model version may act by itself in a use case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Autonomy {
    /// Not at all: the kill switch.
    Off,
    /// Observed only.
    Shadow,
    /// A person looks at each recommendation.
    ReviewOnly,
    /// By itself within the policy.
    AutoWithinPolicy,
}

impl Autonomy {
    /// As files and tables have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Shadow => "SHADOW",
            Self::ReviewOnly => "REVIEW_ONLY",
            Self::AutoWithinPolicy => "AUTO_WITHIN_POLICY",
        }
    }
}

/// A name that stands for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alias {
    /// The version in use.
    Champion,
    /// The version tried against it.
    Challenger,
}

impl Alias {
    /// As files and resource names have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
        }
    }
}

/// A version of a model in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// Model, such as `fulfilment-advisor`.
    pub name: String,
    /// Version, such as `3`.
    pub version: String,
    /// What it is, for people.
    pub description: String,
    /// `sha256:` and hex of the artifact.
    pub artifact_digest: String,
    /// How much can go wrong.
    pub risk_tier: RiskTier,
    /// Who owns it, and counts as the model; of whatever issuer, unless one is named.
    pub owner: Somebody,
    /// The principals that speak for it.
    pub subjects: Vec<Somebody>,
    /// Names that stand for it.
    pub aliases: Vec<Alias>,
    /// What it may do, by use case.
    pub autonomy: BTreeMap<String, Autonomy>,
    /// Evaluation figures by name, exact decimals.
    pub evaluation: BTreeMap<String, String>,
    /// Whether its release was approved.
    pub released: bool,
}

impl ModelVersion {
    /// `models/{model}/versions/{version}`.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("models/{}/versions/{}", self.name, self.version)
    }

    /// Whether the subject of this issuer speaks for the model.
    #[must_use]
    pub fn is_spoken_for_by(&self, issuer: &str, subject: &str) -> bool {
        self.subjects.iter().any(|known| known.is(issuer, subject))
    }

    /// Says of subjects that are named without an issuer whose they are. Of the owner it
    /// isn't said: people often have another issuer than programs, and whoever may be the
    /// owner is kept out.
    ///
    /// # Errors
    /// With the first of whom it isn't known.
    pub(super) fn name_issuer(&mut self, issuer: Option<&str>) -> Result<(), String> {
        for who in &mut self.subjects {
            if who.issuer.is_none() {
                who.issuer = issuer.map(str::to_owned);
            }
            if who.issuer.as_deref().is_none_or(str::is_empty) {
                return Err(format!(
                    "which issuer the subject {:?} is of isn't said: with several, set \
                     identity.principals_issuer or write {{issuer: …, subject: …}}",
                    who.subject
                ));
            }
        }
        Ok(())
    }

    /// What can't be, in the form of the file.
    pub(super) fn problem(&self) -> Option<String> {
        if !super::is_name(&self.name) {
            return Some(format!(
                "name {:?} is not lower-case letters, digits, `_` and `-`",
                self.name
            ));
        }
        let version = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        if self.version.is_empty() || self.version.len() > 64 || !self.version.bytes().all(version)
        {
            return Some(format!(
                "version {:?} is not letters, digits, `.`, `-` and `_`",
                self.version
            ));
        }
        if !super::is_digest(&self.artifact_digest) {
            return Some("artifact_digest is not `sha256:` and 64 hexadecimal digits".to_owned());
        }
        if self.owner.subject.is_empty() {
            return Some("owner is empty, but somebody must answer for a model".to_owned());
        }
        if self.subjects.is_empty() || self.subjects.iter().any(|s| s.subject.is_empty()) {
            return Some("subjects needs at least one subject, none of them empty".to_owned());
        }
        if self.subjects.len() > MAX_SUBJECTS {
            return Some(format!("more than {MAX_SUBJECTS} subjects speak for it"));
        }
        if self
            .subjects
            .iter()
            .any(|subject| subject.overlaps(&self.owner))
        {
            return Some("owner is one of the subjects, but a person must own a model".to_owned());
        }
        let number = |text: &String| text.parse::<decision::Number>().is_err();
        if let Some((name, figure)) = self.evaluation.iter().find(|(_, figure)| number(figure)) {
            return Some(format!("evaluation.{name} {figure:?} is no exact number"));
        }
        None
    }
}
