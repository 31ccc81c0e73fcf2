//! Workflows: the governed kinds of business steps, and the facts their policies use.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::TimeDelta;
use decision::Type;
use serde::{Deserialize, Serialize};

use crate::tree::Level;

/// At most this many facts of a workflow, and so of a question.
pub const MAX_FACTS: usize = 256;

/// Where a fact came from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provenance {
    /// The ERP, the transactional authority.
    Erp,
    /// Another connected system, such as a WMS, a TMS or middleware.
    Integration,
    /// A person said so.
    Person,
    /// An AI model said so.
    Model,
}

/// How far down a workflow's policy may vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    /// One default at the enterprise; below it guardrails only.
    Global,
    /// Defaults down to the region.
    Regional,
    /// Defaults at any level.
    Local,
}

impl Class {
    /// Whether a default may stand at this level.
    #[must_use]
    pub fn allows_default_at(self, level: Level) -> bool {
        match self {
            Self::Global => level == Level::Enterprise,
            Self::Regional => level <= Level::Region,
            Self::Local => true,
        }
    }
}

/// How much depends on a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Criticality {
    /// An inconvenience when it fails.
    Low,
    /// Costs time.
    Medium,
    /// Stops orders.
    High,
    /// Stops the company.
    Critical,
}

/// What control a workflow is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Sensitivity {
    /// None.
    None,
    /// Operational control.
    Operational,
    /// Financial reporting.
    Financial,
    /// Law and regulation.
    Regulatory,
}

/// The layer that executes a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Executor {
    /// The ERP.
    Erp,
    /// Middleware.
    Middleware,
    /// A warehouse management system.
    Wms,
    /// A transport management system.
    Tms,
    /// A low-code tool.
    LowCode,
}

macro_rules! names {
    ($($type:ty { $($variant:ident => $name:literal),+ $(,)? })+) => {$(
        impl $type {
            /// The name in files, such as the variants' in upper case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Every value by its name in files.
            pub const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),+];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

names! {
    Provenance { Erp => "ERP", Integration => "INTEGRATION", Person => "PERSON", Model => "MODEL" }
    Class { Global => "GLOBAL", Regional => "REGIONAL", Local => "LOCAL" }
    Criticality { Low => "LOW", Medium => "MEDIUM", High => "HIGH", Critical => "CRITICAL" }
    Sensitivity {
        None => "NONE", Operational => "OPERATIONAL", Financial => "FINANCIAL",
        Regulatory => "REGULATORY",
    }
    Executor {
        Erp => "ERP", Middleware => "MIDDLEWARE", Wms => "WMS", Tms => "TMS",
        LowCode => "LOW_CODE",
    }
}

/// A fact that a workflow's policies may use.
#[derive(Debug, Clone, PartialEq)]
pub struct FactSchema {
    /// Its type, with currency, unit and allowed values.
    pub ty: Type,
    /// Provenances accepted, in the order of [`Provenance`].
    pub provenance: Vec<Provenance>,
    /// The age from which on an observation is unknown.
    pub max_age: Option<TimeDelta>,
    /// Whether approvals are bound to it.
    pub binding: bool,
    /// What it is, for people.
    pub description: String,
}

/// A governed kind of business step.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Name, such as `credit_hold_release`.
    pub name: Arc<str>,
    /// How far down a policy may vary.
    pub class: Class,
    /// Subject that owns it.
    pub owner: String,
    /// How much depends on it.
    pub criticality: Criticality,
    /// What control it is part of.
    pub sensitivity: Sensitivity,
    /// The layer that executes it.
    pub executed_by: Executor,
    /// The systems it depends on.
    pub depends_on: Vec<String>,
    /// What it is, for people.
    pub description: String,
    /// The facts its policies may use, by name.
    pub facts: BTreeMap<String, FactSchema>,
}

impl Workflow {
    /// The facts that approvals are bound to, by name.
    pub fn binding_facts(&self) -> impl Iterator<Item = &str> {
        self.facts
            .iter()
            .filter(|(_, schema)| schema.binding)
            .map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_says_how_far_down_defaults_may_stand() {
        let levels = [
            Level::Enterprise,
            Level::Region,
            Level::BusinessUnit,
            Level::Site,
        ];
        let allowed = |class: Class| levels.map(|level| class.allows_default_at(level));
        assert_eq!(allowed(Class::Global), [true, false, false, false]);
        assert_eq!(allowed(Class::Regional), [true, true, false, false]);
        assert_eq!(allowed(Class::Local), [true; 4]);
    }
}
