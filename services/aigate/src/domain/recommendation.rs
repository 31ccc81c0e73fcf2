//! Recommendations and their states.

use std::collections::BTreeMap;

use approval::Somebody;
use chrono::{DateTime, TimeDelta, Utc};
use decision::{Number, Value};
use governance::Scope;
use serde::{Deserialize, Serialize};

use super::gate::{GateResult, Verdict};

/// Arguments of an operation, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arguments(#[serde(with = "values")] pub BTreeMap<String, Value>);

mod values {
    use std::collections::BTreeMap;

    use decision::{Value, tagged};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<String, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let json: BTreeMap<_, _> = map
            .iter()
            .map(|(name, v)| (name, tagged::encode(v)))
            .collect();
        json.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Value>, D::Error> {
        let json = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        json.into_iter()
            .map(|(name, v)| Some((name, tagged::decode(&v)?)))
            .collect::<Option<_>>()
            .ok_or_else(|| D::Error::custom("malformed value"))
    }
}

/// A confidence: an exact number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confidence(Number);

impl Confidence {
    /// Reads a confidence.
    ///
    /// # Errors
    /// If the text is no exact number from 0 to 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number: Number = text.parse().map_err(|e| format!("{text:?}: {e}"))?;
        if number < Number::ZERO || number > Number::ONE {
            return Err(format!("{text} is not within 0 to 1"));
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> Number {
        self.0
    }
}

impl Serialize for Confidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A proposal the model considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Operation.
    pub operation: String,
    /// Arguments.
    pub arguments: Arguments,
    /// The model's confidence in it; `None` where it gave none.
    pub confidence: Option<Confidence>,
}

/// What a model proposes, as it was submitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Scope of the document.
    pub scope: Scope,
    /// `models/{model}/versions/{version}`, or an alias.
    pub model_version: String,
    /// Use case.
    pub use_case: String,
    /// `exceptions/{exception}`.
    pub exception: String,
    /// Operation proposed.
    pub operation: String,
    /// Arguments proposed.
    pub arguments: Arguments,
    /// The model's confidence.
    pub confidence: Confidence,
    /// Other proposals it considered.
    pub alternatives: Vec<Alternative>,
    /// Why, in its words.
    pub rationale: String,
    /// Digest of what it saw.
    pub input_digest: String,
}

/// The outcome of what was done.
pub const EXECUTED: &str = "EXECUTED";

/// States.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// A person must look.
    InReview,
    /// Acts by itself, with a receipt.
    Auto,
    /// Accepted as proposed.
    Accepted,
    /// Accepted with other arguments.
    Modified,
    /// Refused by the gate or a reviewer.
    Rejected,
    /// Nobody reviewed it in time.
    Expired,
    /// Only observed.
    Shadow,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InReview,
        Self::Auto,
        Self::Accepted,
        Self::Modified,
        Self::Rejected,
        Self::Expired,
        Self::Shadow,
    ];

    /// As records and the store have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InReview => "IN_REVIEW",
            Self::Auto => "AUTO",
            Self::Accepted => "ACCEPTED",
            Self::Modified => "MODIFIED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
            Self::Shadow => "SHADOW",
        }
    }
}

/// Who acted, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `person`, `service` or `model`.
    pub kind: String,
    /// Grants, as `role@scope`.
    pub grants: Vec<String>,
    /// Subject of the service that called for it.
    pub via: Option<String>,
}

impl Party {
    /// Whether both are the same subject.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }
}

/// An acceptance under way: the exceptions service is being asked for the action. Until
/// its answer is known, nothing else may become of the recommendation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Arguments instead; `None`: as proposed.
    pub modified: Option<Arguments>,
    /// In the reviewer's words.
    pub comment: String,
    /// When it was begun.
    pub since: DateTime<Utc>,
}

/// A recommendation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// UUID.
    pub id: String,
    /// What was proposed; its model version is a version, not an alias.
    pub proposal: Proposal,
    /// `documents/{type}/{id}`; empty where the exceptions service didn't say.
    pub document: String,
    /// The business transaction.
    pub correlation_id: String,
    /// State.
    pub state: State,
    /// What the gate answered.
    pub result: GateResult,
    /// Who submitted it.
    pub submitter: Party,
    /// Who must not review it: the model's subjects and its owners.
    pub excluded: Vec<Somebody>,
    /// Who has it in review, or reviewed it.
    pub reviewer: Option<Party>,
    /// When it was taken for review.
    pub claimed: Option<DateTime<Utc>>,
    /// An acceptance under way.
    pub intent: Option<Intent>,
    /// Arguments the reviewer put instead.
    pub modified: Option<Arguments>,
    /// In the reviewer's words.
    pub comment: String,
    /// `exceptions/{exception}/actions/{action}` that came of it.
    pub action: String,
    /// What became of the action.
    pub outcome: String,
    /// When it was submitted.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// When it lapses if nobody reviews it.
    pub expires: DateTime<Utc>,
    /// Counts changes.
    pub version: i64,
}

/// Why a step can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// Its state doesn't allow it.
    #[error("the recommendation is {0}, and only one in review can be {1}")]
    State(&'static str, &'static str),
    /// The time for a review passed.
    #[error("the time for a review has passed")]
    Expired,
    /// Somebody else has it.
    #[error("{0} has it in review")]
    Claimed(String),
    /// An acceptance is under way.
    #[error("{0} is accepting it, and what becomes of that isn't known yet")]
    Underway(String),
}

impl Recommendation {
    /// `recommendations/{recommendation}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("recommendations/{}", self.id)
    }

    /// The state that a verdict leads to.
    #[must_use]
    pub fn state_of(verdict: Verdict, shadow: bool) -> State {
        match verdict {
            Verdict::Reject => State::Rejected,
            _ if shadow => State::Shadow,
            Verdict::Review => State::InReview,
            Verdict::Auto => State::Auto,
        }
    }

    /// Whether `who` may review it now.
    ///
    /// # Errors
    /// If it isn't in review, lapsed, or is somebody else's.
    pub fn may_step(
        &self,
        who: &Party,
        step: &'static str,
        now: DateTime<Utc>,
        claim: TimeDelta,
    ) -> Result<(), Illegal> {
        if self.state != State::InReview {
            return Err(Illegal::State(self.state.name(), step));
        }
        let theirs = |held: &&Party| !held.is(who);
        let other = self.reviewer.as_ref().filter(theirs);
        if let (Some(_), Some(holder)) = (&self.intent, &self.reviewer) {
            return match other {
                Some(_) => Err(Illegal::Underway(holder.subject.clone())),
                None => Ok(()),
            };
        }
        if now >= self.expires {
            return Err(Illegal::Expired);
        }
        match (other, self.claimed) {
            (Some(holder), Some(since)) if now < since + claim => {
                Err(Illegal::Claimed(holder.subject.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Takes it for review.
    pub fn claim(&mut self, who: Party, now: DateTime<Utc>) {
        self.reviewer = Some(who);
        self.claimed = Some(now);
        self.touch(now);
    }

    /// Begins an acceptance.
    pub fn begin(&mut self, who: Party, intent: Intent, now: DateTime<Utc>) {
        if self.claimed.is_none() {
            self.claimed = Some(now);
        }
        self.reviewer = Some(who);
        self.intent = Some(intent);
        self.touch(now);
    }

    /// Finishes an acceptance with the action that came of it.
    pub fn finish(&mut self, action: String, outcome: String, now: DateTime<Utc>) {
        let Some(intent) = self.intent.take() else {
            return;
        };
        self.state = match intent.modified {
            Some(_) => State::Modified,
            None => State::Accepted,
        };
        self.modified = intent.modified;
        self.comment = intent.comment;
        self.action = action;
        self.outcome = outcome;
        self.touch(now);
    }

    /// Gives an acceptance up, of which nothing came.
    pub fn abandon(&mut self, now: DateTime<Utc>) {
        self.intent = None;
        self.touch(now);
    }

    /// Rejects it.
    pub fn reject(&mut self, who: Party, reason: String, now: DateTime<Utc>) {
        self.reviewer = Some(who);
        self.comment = reason;
        self.state = State::Rejected;
        self.touch(now);
    }

    /// Lets it lapse.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        self.state = State::Expired;
        self.touch(now);
    }

    /// Counts a change.
    pub fn touch(&mut self, now: DateTime<Utc>) {
        self.updated = now;
        self.version += 1;
    }

    /// The arguments that count: the reviewer's, or else the model's.
    #[must_use]
    pub fn arguments(&self) -> &Arguments {
        self.modified.as_ref().unwrap_or(&self.proposal.arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidences_are_exact_and_within_bounds() {
        for good in [
            "0",
            "1",
            "0.81",
            "1.000",
            "0.3333333333333333333333333333333333",
            "8.1E-1",
        ] {
            assert!(Confidence::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-0.1",
            "1.0000000000000000000000000000000001",
            "2",
            "NaN",
            "Infinity",
            "81%",
            "0,81",
        ] {
            assert!(Confidence::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shadow_never_acts() {
        assert_eq!(Recommendation::state_of(Verdict::Auto, true), State::Shadow);
        assert_eq!(
            Recommendation::state_of(Verdict::Review, true),
            State::Shadow
        );
        assert_eq!(
            Recommendation::state_of(Verdict::Reject, true),
            State::Rejected
        );
        assert_eq!(Recommendation::state_of(Verdict::Auto, false), State::Auto);
    }
}
