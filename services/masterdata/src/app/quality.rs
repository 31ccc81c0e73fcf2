//! Quality figures: what validating showed, by day, unit, entity and rule.

use chrono::NaiveDate;
use governance::Scope;
use serde::{Deserialize, Serialize};

use crate::domain::{Entity, Severity};

/// Which figures are asked for.
#[derive(Debug, Clone)]
pub struct FigureQuery {
    /// This unit and all below it.
    pub scope: Scope,
    /// One entity, or all.
    pub entity: Option<Entity>,
    /// First day.
    pub start: Option<NaiveDate>,
    /// Last day, included.
    pub end: Option<NaiveDate>,
    /// After this one.
    pub after: Option<FigureCursor>,
    /// At most this many.
    pub limit: u64,
}

/// Where a page ended: day, unit and entity of its last figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FigureCursor {
    /// ISO 8601 date.
    pub day: String,
    /// Scope path.
    pub scope: String,
    /// Entity name.
    pub entity: String,
}

/// The figures of one day, unit and entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Day, unit and entity.
    pub at: FigureCursor,
    /// Validations.
    pub records: i64,
    /// Those with an ERROR.
    pub invalid: i64,
    /// Violations by rule, then severity.
    pub rules: Vec<RuleFigure>,
}

/// How often a rule was violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFigure {
    /// Rule id.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// Violations.
    pub count: i64,
}
