//! Judging a record: the checks that hold everywhere, then the rules of every scope on
//! the way from the enterprise to the unit.

use chrono::NaiveDate;
use governance::Scope;

use super::{
    catalog::Catalog,
    checks,
    mapping::{self, Normalized},
    record::Record,
    violation::{self, Severity, Violation},
};

/// What was found about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Every violation, by field, then rule.
    pub violations: Vec<Violation>,
    /// The rule sets that applied, from the enterprise down, such as `acme.customer@1`.
    pub rule_sets: Vec<String>,
}

impl Judgement {
    /// Whether nothing of severity ERROR was found.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// Violations of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.violations
            .iter()
            .filter(|v| v.severity == severity)
            .count()
    }
}

/// Judges a canonical record in a unit.
#[must_use]
pub fn record(catalog: &Catalog, scope: &Scope, record: &Record, today: NaiveDate) -> Judgement {
    judge(catalog, scope, record, today, Vec::new())
}

/// Judges a record that a mapping made: what the mapping found counts too, and every
/// violation names the source field its value came from.
#[must_use]
pub fn normalized(
    catalog: &Catalog,
    scope: &Scope,
    source: &Normalized,
    today: NaiveDate,
) -> Judgement {
    let mut judgement = judge(
        catalog,
        scope,
        &source.record,
        today,
        source.violations.clone(),
    );
    for violation in &mut judgement.violations {
        if violation.source_field.is_empty() {
            violation.source_field = mapping::origin_of(&source.origins, &violation.field);
        }
    }
    judgement
}

fn judge(
    catalog: &Catalog,
    scope: &Scope,
    record: &Record,
    today: NaiveDate,
    mut violations: Vec<Violation>,
) -> Judgement {
    violations.extend(checks::run(record, today));
    let sets = catalog.rule_sets(record.entity(), scope);
    for set in &sets {
        set.item.apply(record, today, &mut violations);
    }
    for set in &sets {
        set.item.raise(&mut violations);
    }
    violation::settle(&mut violations);
    let rule_sets = sets
        .iter()
        .map(|set| format!("{}@{}", set.item.name, set.version));
    Judgement {
        rule_sets: rule_sets.collect(),
        violations,
    }
}
