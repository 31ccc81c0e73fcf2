//! Use cases: what models may be asked for, and the gate table of each.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use decision::{Facts, Output, Table, Type, Value};

use super::{
    gate::{Check, Verdict},
    recommendation::Arguments,
};

/// An operation that may be recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Name, such as `release_partial`.
    pub name: String,
    /// How it is executed; `None` for advice, of which nothing follows by itself.
    pub execution: Option<Execution>,
    /// Arguments by name.
    pub arguments: BTreeMap<String, Argument>,
}

/// How an operation is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Workflow whose policy decides on it.
    pub workflow: String,
    /// The executing system.
    pub audience: String,
}

impl Operation {
    /// The arguments as they are declared.
    ///
    /// # Errors
    /// With each argument that isn't, and why.
    pub fn read(&self, given: &BTreeMap<String, Value>) -> Result<Arguments, Vec<Misfit>> {
        let absent = |name: &String| given.get(name).is_none_or(|value| *value == Value::Null);
        let missing = self
            .arguments
            .iter()
            .filter(|(name, declared)| declared.required && absent(name));
        let mut wrong: Vec<Misfit> = missing
            .map(|(name, declared)| {
                (
                    name.clone(),
                    format!("is missing, expected {}", declared.ty),
                )
            })
            .collect();
        let mut read = BTreeMap::new();
        for (name, value) in given {
            match self.argument(name, value) {
                Ok(value) => {
                    read.insert(name.clone(), value);
                }
                Err(problem) => wrong.push((name.clone(), problem)),
            }
        }
        if wrong.is_empty() {
            Ok(Arguments(read))
        } else {
            Err(wrong)
        }
    }

    fn argument(&self, name: &str, value: &Value) -> Result<Value, String> {
        let declared = self.arguments.get(name).ok_or_else(|| {
            let known: Vec<_> = self.arguments.keys().map(String::as_str).collect();
            format!("is no argument of it, expected {}", known.join(", "))
        })?;
        let coerced = declared.ty.coerce(value.clone());
        coerced.map_err(|mismatch| mismatch.to_string())
    }
}

/// An argument that isn't as it is declared, and why.
pub type Misfit = (String, String);

/// An argument of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// Its type.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// The fact that the policy knows it as, such as `argument.quantity`.
    pub fact: String,
}

/// What models may be asked for.
#[derive(Debug, Clone)]
pub struct UseCase {
    /// Name, such as `alternate_fulfilment`.
    pub name: String,
    /// Operations that may be recommended, by name.
    pub operations: BTreeMap<String, Operation>,
    /// How long a review may take.
    pub review_timeout: TimeDelta,
    /// Verdict and reviewers by confidence, risk and what is known of the document.
    pub gate: Table,
}

/// What a gate table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gated {
    /// Its check.
    pub check: Check,
    /// Sets of roles, of each of which a reviewer holds one.
    pub reviewers: Vec<Vec<String>>,
}

impl UseCase {
    /// Asks the gate table. Where unknown facts leave several answers open, the strictest
    /// holds, and never AUTO, and whoever reviews it satisfies all of them; no answer or a
    /// contradiction is refused.
    #[must_use]
    pub fn ask(&self, facts: &Facts) -> Gated {
        let answer = self.gate.answer(facts);
        let mut verdict = Verdict::Auto;
        let mut reasons = Vec::new();
        let mut reviewers = Vec::new();
        let mut refused_always = true;
        for output in &answer.outputs {
            let (one, reason) = match output {
                Output::One(row) => {
                    reviewers.push(roles(row));
                    read(row)
                }
                Output::None => (Verdict::Reject, "NO_ROW".to_owned()),
                Output::Many(_) | Output::Conflict(_) => {
                    (Verdict::Reject, "GATE_CONFLICT".to_owned())
                }
                Output::Failed(_) => (Verdict::Reject, "GATE_FAILED".to_owned()),
            };
            verdict = verdict.max(one);
            refused_always &= one == Verdict::Reject;
            if !reason.is_empty() && !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if answer.outputs.is_empty() {
            verdict = Verdict::Reject;
        }
        if answer.outputs.len() > 1 {
            // What isn't known isn't held against the model for good: a person looks, unless
            // every way it could turn out is refused.
            verdict = if refused_always {
                Verdict::Reject
            } else {
                Verdict::Review
            };
            reasons.push(format!("UNKNOWN_FACTS: {}", answer.unknown.join(", ")));
        }
        if reasons.is_empty() {
            reasons.push("GATE_TABLE".to_owned());
        }
        Gated {
            check: Check::new("gate_table", verdict, reasons.join("; ")),
            reviewers: join(reviewers),
        }
    }
}

fn read(row: &BTreeMap<String, Value>) -> (Verdict, String) {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let verdict = match text("verdict") {
        "AUTO" => Verdict::Auto,
        "REVIEW" => Verdict::Review,
        // The catalog admits no other; whatever it were, refusing is safe.
        _ => Verdict::Reject,
    };
    (verdict, text("reason").to_owned())
}

fn roles(row: &BTreeMap<String, Value>) -> Vec<String> {
    let named = row
        .get("reviewer_roles")
        .and_then(Value::as_list)
        .unwrap_or_default();
    let mut roles: Vec<String> = Vec::new();
    for role in named.iter().filter_map(Value::as_str) {
        if !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    roles
}

/// The sets that matter: none that names nobody, and none that another one implies.
fn join(sets: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let implies = |one: &[String], other: &[String]| one.iter().all(|role| other.contains(role));
    let mut kept: Vec<Vec<String>> = Vec::new();
    for set in sets.into_iter().filter(|set| !set.is_empty()) {
        if kept.iter().any(|known| implies(known, &set)) {
            continue;
        }
        kept.retain(|known| !implies(&set, known));
        kept.push(set);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reviewer_satisfies_every_way_it_could_turn_out() {
        let sets = |texts: &[&str]| -> Vec<Vec<String>> {
            let words = |text: &&str| text.split_whitespace().map(str::to_owned).collect();
            texts.iter().map(words).collect()
        };
        for (given, want) in [
            (&[][..], &[][..]),
            (&["", "ops"], &["ops"]),
            (&["ops", "ops"], &["ops"]),
            (&["ops compliance", "compliance"], &["compliance"]),
            (&["compliance", "ops compliance"], &["compliance"]),
            (&["ops", "compliance"], &["ops", "compliance"]),
            (&["a b", "b c", "c"], &["a b", "c"]),
        ] {
            assert_eq!(join(sets(given)), sets(want), "{given:?}");
        }
    }
}
