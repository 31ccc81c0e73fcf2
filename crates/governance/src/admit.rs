//! Admission of facts: which of those that a caller sent may be used.
//!
//! A fact that isn't admitted is unknown, never a default value; a [`Note`] says why.

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use decision::{Facts, MismatchKind, Type, Value};

use crate::{
    bundle::Effective,
    policy::Policy,
    workflow::{FactSchema, Provenance, Workflow},
};

/// How far an observation may lie in the future, for clocks that differ. A later one
/// would stretch its own `max_age`.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// A fact as somebody asserted it.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    /// Dotted name.
    pub name: &'a str,
    /// The value.
    pub value: &'a Value,
    /// Where it came from, as the receiver knows it.
    pub provenance: Provenance,
    /// When it was true at its source.
    pub observed: DateTime<Utc>,
}

/// Why a fact that was sent is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The workflow doesn't declare it.
    Undeclared,
    /// Not of its declared type.
    Type,
    /// Money in another currency.
    Currency,
    /// A quantity in another unit.
    Unit,
    /// None of the allowed values.
    AllowedValues,
    /// Observed too long ago, or in the future.
    Stale,
    /// From where the workflow doesn't accept it.
    Provenance,
}

impl Rejection {
    /// The name in answers, such as `STALE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undeclared => "UNDECLARED",
            Self::Type => "TYPE",
            Self::Currency => "CURRENCY",
            Self::Unit => "UNIT",
            Self::AllowedValues => "ALLOWED_VALUES",
            Self::Stale => "STALE",
            Self::Provenance => "PROVENANCE",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of a fact that isn't used as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Name of the fact.
    pub name: String,
    /// Why it is unknown.
    pub reason: Rejection,
    /// What was found and what was wanted.
    pub message: String,
}

/// The facts that may be used, and what became of the others.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// What is known.
    pub facts: Facts,
    /// Why the rest isn't.
    pub notes: Vec<Note>,
}

/// Admits facts at `now`. Each name comes at most once; of several the last would count.
///
/// Money in another currency than the declared one is noted, and handed on where a layer
/// tests the currency: that layer compares it as it stands, and to the others it is
/// unknown.
#[must_use]
pub fn admit<'a>(
    effective: &Effective<'_>,
    facts: impl IntoIterator<Item = Assertion<'a>>,
    now: DateTime<Utc>,
) -> Admission {
    let mut admission = Admission::default();
    for fact in facts {
        match admit_one(effective.workflow, &fact, now) {
            Ok(value) => {
                admission.facts.insert(fact.name, value);
            }
            Err((reason, message)) => {
                let tested = |policy: &Arc<Policy>| policy.table.tests_currency(fact.name);
                if reason == Rejection::Currency
                    && effective.layers().any(tested)
                    && let Ok(money) = (Type::Money { currency: None }).coerce(fact.value.clone())
                {
                    admission.facts.insert(fact.name, money);
                }
                admission.notes.push(Note {
                    name: fact.name.to_owned(),
                    reason,
                    message,
                });
            }
        }
    }
    admission
}

fn admit_one(
    workflow: &Workflow,
    fact: &Assertion<'_>,
    now: DateTime<Utc>,
) -> Result<Value, (Rejection, String)> {
    let Some(schema) = workflow.facts.get(fact.name) else {
        let message = format!("workflow {} declares no such fact", workflow.name);
        return Err((Rejection::Undeclared, message));
    };
    check_source(schema, fact)?;
    check_age(schema, fact, now)?;
    schema.ty.coerce(fact.value.clone()).map_err(|mismatch| {
        let reason = match mismatch.kind {
            MismatchKind::Currency => Rejection::Currency,
            MismatchKind::Unit => Rejection::Unit,
            MismatchKind::AllowedValues => Rejection::AllowedValues,
            MismatchKind::Type => Rejection::Type,
        };
        let message = match unreadable(&schema.ty, fact.value) {
            Some(cause) => format!("{}: {cause}", mismatch.message),
            None => mismatch.message,
        };
        (reason, message)
    })
}

/// Why an amount can't be read, or what form is wanted, beyond that it isn't of its type.
fn unreadable(ty: &Type, value: &Value) -> Option<String> {
    match (ty, value) {
        (Type::Money { currency }, Value::Number(number)) => {
            let currency = currency.as_deref().unwrap_or("EUR");
            Some(format!(
                "a number names no currency, expected a text such as `{number} {currency}` or money"
            ))
        }
        (Type::Number { .. } | Type::Money { .. } | Type::Quantity { .. }, Value::String(text)) => {
            let amount = text.split_whitespace().next()?;
            // Whatever doesn't begin like a number was never meant to be one.
            amount
                .starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
                .then_some(())?;
            let error = amount.parse::<decision::Number>().err()?;
            Some(error.to_string())
        }
        _ => None,
    }
}

fn check_source(schema: &FactSchema, fact: &Assertion<'_>) -> Result<(), (Rejection, String)> {
    if schema.provenance.contains(&fact.provenance) {
        return Ok(());
    }
    let accepted: Vec<_> = schema.provenance.iter().map(|p| p.as_str()).collect();
    let message = format!(
        "asserted by {}, expected {}",
        fact.provenance,
        accepted.join(" or ")
    );
    Err((Rejection::Provenance, message))
}

fn check_age(
    schema: &FactSchema,
    fact: &Assertion<'_>,
    now: DateTime<Utc>,
) -> Result<(), (Rejection, String)> {
    let age = now.signed_duration_since(fact.observed);
    if age < -CLOCK_SKEW {
        let message = format!("observed {} s in the future", -age.num_seconds());
        return Err((Rejection::Stale, message));
    }
    match schema.max_age {
        Some(max_age) if age >= max_age => {
            let message = format!(
                "observed {} s ago, expected less than {} s",
                age.num_seconds(),
                max_age.num_seconds()
            );
            Err((Rejection::Stale, message))
        }
        _ => Ok(()),
    }
}

/// The names of facts that are demanded and not there: unknown, known to be null, or in
/// another currency than the workflow declares, which only tables that test the currency
/// can use.
pub(crate) fn missing<'a>(
    workflow: &Workflow,
    demanded: impl Iterator<Item = &'a Arc<str>>,
    facts: &Facts,
) -> Vec<Arc<str>> {
    let there = |name: &Arc<str>| match (facts.get(name), workflow.facts.get(&**name)) {
        (None | Some(Value::Null), _) | (_, None) => false,
        (Some(value), Some(schema)) => schema.ty.coerce(value.clone()).is_ok(),
    };
    demanded.filter(|name| !there(name)).cloned().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::{
        Bundle, Effect,
        files::{Source, compile},
    };

    const WORKFLOW: &str = "kind: Workflow
name: w
class: LOCAL
owner: o
criticality: LOW
control_sensitivity: NONE
executed_by: ERP
facts:
  order.total: {type: money, currency: EUR, provenance: [ERP]}
  overdue: {type: number, unit: d, max_age: 24h}
  grade: {type: string, values: [A, B]}
";

    /// A guardrail that tests the currency.
    const GUARDRAIL: &str = "kind: Policy
name: p
workflow: w
scope: acme
mode: GUARDRAIL
audit_level: SUMMARY
inputs: [order.total.currency]
rows:
  - id: foreign
    when: {order.total.currency: 'not(\"EUR\")'}
    then: {effect: DENY}
";

    fn bundle(guardrail: Option<&str>) -> Bundle {
        let scopes = "kind: ScopeTree\nscopes: {acme: {level: ENTERPRISE}}\n";
        let texts = [Some(scopes), Some(WORKFLOW), guardrail];
        let sources: Vec<_> = texts
            .into_iter()
            .flatten()
            .map(|text| Source {
                path: String::new(),
                lines_before: 0,
                text: text.into(),
                attachments: std::collections::BTreeMap::new(),
                version: 1,
            })
            .collect();
        compile(&sources).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-24T09:00:00Z".parse().unwrap()
    }

    fn one(name: &str, value: Value, provenance: Provenance, age: TimeDelta) -> Admission {
        let fact = Assertion {
            name,
            value: &value,
            provenance,
            observed: now() - age,
        };
        let bundle = bundle(None);
        let effective = bundle.effective("w", &"acme".parse().unwrap()).unwrap();
        admit(&effective, [fact], now())
    }

    fn rejected(name: &str, value: Value, provenance: Provenance, age: TimeDelta) -> &'static str {
        let admission = one(name, value, provenance, age);
        assert!(admission.facts.is_empty());
        admission.notes[0].reason.as_str()
    }

    #[test]
    fn facts_are_admitted_as_their_type() {
        let text = Value::String("18450.00 EUR".into());
        let admission = one("order.total", text, Provenance::Erp, TimeDelta::zero());
        assert!(admission.notes.is_empty());
        assert!(matches!(
            admission.facts.get("order.total"),
            Some(Value::Money { .. })
        ));
        let null = one(
            "order.total",
            Value::Null,
            Provenance::Erp,
            TimeDelta::zero(),
        );
        assert_eq!(null.facts.get("order.total"), Some(&Value::Null));
    }

    #[test]
    fn what_does_not_fit_is_unknown_with_the_reason() {
        let text = |text: &str| Value::String(text.into());
        let (erp, none) = (Provenance::Erp, TimeDelta::zero());
        assert_eq!(rejected("other", Value::Null, erp, none), "UNDECLARED");
        assert_eq!(
            rejected("order.total", Value::Boolean(true), erp, none),
            "TYPE"
        );
        assert_eq!(
            rejected("order.total", text("1 USD"), erp, none),
            "CURRENCY"
        );
        assert_eq!(rejected("overdue", text("3 h"), erp, none), "UNIT");
        assert_eq!(rejected("grade", text("C"), erp, none), "ALLOWED_VALUES");
        assert_eq!(
            rejected("order.total", text("1 EUR"), Provenance::Model, none),
            "PROVENANCE"
        );
    }

    #[test]
    fn an_amount_that_cannot_be_read_says_why() {
        let note = |name: &str, value: Value| {
            let admission = one(name, value, Provenance::Erp, TimeDelta::zero());
            assert!(admission.facts.is_empty());
            let note = &admission.notes[0];
            (note.reason, note.message.clone())
        };
        let text = |text: &str| Value::String(text.into());
        let (reason, long) = note("order.total", text(&format!("{}.00 EUR", "1".repeat(40))));
        assert_eq!(reason, Rejection::Type);
        assert!(
            long.contains("significant digits, at most 34 are exact"),
            "{long}"
        );
        let (_, wide) = note("overdue", text("1e6200"));
        assert!(wide.contains("range"), "{wide}");
        let (reason, bare) = note("order.total", Value::Number(18450.into()));
        assert_eq!(reason, Rejection::Currency);
        assert!(bare.contains("such as `18450 EUR`"), "{bare}");
        // What is no number at all needs no more words.
        let (_, word) = note("order.total", text("plenty"));
        assert!(!word.contains("decimal"), "{word}");
    }

    #[test]
    fn a_model_is_believed_only_where_the_schema_says_so() {
        let grade = Value::String("A".into());
        assert_eq!(
            rejected("grade", grade, Provenance::Model, TimeDelta::zero()),
            "PROVENANCE"
        );
    }

    #[test]
    fn foreign_money_does_not_count_as_a_demanded_fact() {
        let bundle = bundle(Some(GUARDRAIL));
        let effective = bundle.effective("w", &"acme".parse().unwrap()).unwrap();
        let total = |text: &str| {
            let fact = Assertion {
                name: "order.total",
                value: &Value::String(text.into()),
                provenance: Provenance::Erp,
                observed: now(),
            };
            let facts = admit(&effective, [fact], now()).facts;
            assert_eq!(facts.len(), 1, "the guardrail tests the currency");
            let demanded = [Arc::from("order.total")];
            missing(effective.workflow, demanded.iter(), &facts).len()
        };
        assert_eq!(total("1 USD"), 1);
        assert_eq!(total("1 EUR"), 0);
    }

    #[test]
    fn an_observation_lapses_at_its_age_and_is_not_from_the_future() {
        let days = || Value::Number(3.into());
        let age = |age: TimeDelta| one("overdue", days(), Provenance::Person, age);
        assert_eq!(
            age(TimeDelta::hours(24) - TimeDelta::seconds(1))
                .facts
                .len(),
            1
        );
        let stale = |age: TimeDelta| rejected("overdue", days(), Provenance::Person, age);
        assert_eq!(stale(TimeDelta::hours(24)), "STALE");
        assert_eq!(age(-CLOCK_SKEW).facts.len(), 1);
        assert_eq!(stale(-CLOCK_SKEW - TimeDelta::seconds(1)), "STALE");
    }

    #[test]
    fn another_currency_is_known_to_a_layer_that_tests_it() {
        let bundle = bundle(Some(GUARDRAIL));
        let scope = "acme".parse().unwrap();
        let effective = bundle.effective("w", &scope).unwrap();
        let fact = Assertion {
            name: "order.total",
            value: &Value::String("5 USD".into()),
            provenance: Provenance::Erp,
            observed: now(),
        };
        let admission = admit(&effective, [fact], now());
        assert_eq!(admission.notes[0].reason, Rejection::Currency);
        let verdict = crate::decide(&effective, &scope, &admission.facts);
        assert_eq!(verdict.layers[0].effect, Some(Effect::Deny));
        assert_eq!(verdict.layers[0].rows, ["foreign".into()]);
        assert!(verdict.settled);
    }
}
