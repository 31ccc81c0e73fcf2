//! From outcomes to output values.

use std::collections::BTreeMap;

use super::{Outcome, evaluate};
use crate::{
    number::Number,
    sfeel::{Comparison, Failure, holds},
    table::{Aggregator, HitPolicy, Table},
    value::{Facts, Value},
};

/// The outputs of one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// No row matched, and the table has no default.
    None,
    /// One answer: outputs by name.
    One(BTreeMap<String, Value>),
    /// An answer for each row, where the hit policy gives all.
    Many(Vec<BTreeMap<String, Value>>),
    /// Rows, by index, that contradict each other.
    Conflict(Vec<usize>),
    /// There is no result.
    Failed(Failure),
}

/// Every answer that the facts leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The distinct ones. One: it is settled.
    pub outputs: Vec<Output>,
    /// The unknown facts that it can depend on.
    pub unknown: Vec<String>,
}

impl Answer {
    /// The answer, where it is settled and is one set of outputs.
    #[must_use]
    pub fn settled(&self) -> Option<&BTreeMap<String, Value>> {
        match self.outputs.as_slice() {
            [Output::One(outputs)] => Some(outputs),
            _ => None,
        }
    }
}

impl Table {
    /// Evaluates, and gives outputs instead of rows.
    #[must_use]
    pub fn answer(&self, facts: &Facts) -> Answer {
        let evaluation = evaluate(self, facts);
        let mut outputs: Vec<Output> = Vec::new();
        for outcome in &evaluation.outcomes {
            let output = self.output(outcome);
            if !outputs.contains(&output) {
                outputs.push(output);
            }
        }
        let unknown = if outputs.len() > 1 {
            evaluation.unknown
        } else {
            Vec::new()
        };
        Answer { outputs, unknown }
    }

    /// The outputs of one outcome, collected or aggregated as the hit policy says.
    #[must_use]
    pub fn output(&self, outcome: &Outcome) -> Output {
        let rows = match outcome {
            Outcome::Hits(rows) => rows,
            Outcome::NoHit => return self.no_hit(),
            Outcome::Conflict(rows) => return Output::Conflict(rows.clone()),
            Outcome::Failed(failure) => return Output::Failed(failure.clone()),
        };
        let mut found = rows
            .iter()
            .filter_map(|&row| self.rows.get(row))
            .map(|row| &row.outputs);
        match self.hit_policy {
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None) => {
                Output::Many(found.cloned().collect())
            }
            HitPolicy::Collect(Some(aggregator)) => self.aggregate(aggregator, rows),
            _ => found.next().cloned().map_or(Output::None, Output::One),
        }
    }

    fn no_hit(&self) -> Output {
        match (&self.default, self.hit_policy) {
            (
                Some(default),
                HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None),
            ) => Output::Many(vec![default.clone()]),
            (Some(default), _) => Output::One(default.clone()),
            (None, HitPolicy::Collect(Some(Aggregator::Count))) => {
                self.aggregate(Aggregator::Count, &[])
            }
            (None, _) => Output::None,
        }
    }

    fn aggregate(&self, aggregator: Aggregator, rows: &[usize]) -> Output {
        let name = match (self.outputs.first(), aggregator) {
            (Some(output), _) => output.name.clone(),
            (None, _) => return Output::None,
        };
        let mut values = rows
            .iter()
            .filter_map(|&row| self.rows.get(row)?.outputs.get(&name));
        let result = match aggregator {
            Aggregator::Count => Ok(Some(Value::Number(Number::from(
                u64::try_from(rows.len()).unwrap_or(u64::MAX),
            )))),
            Aggregator::Sum => match values.next().cloned() {
                None => Ok(None),
                Some(first) => values
                    .try_fold(first, |sum, value| add(&sum, value))
                    .map(Some),
            },
            Aggregator::Min => Ok(extreme(values, Comparison::Less)),
            Aggregator::Max => Ok(extreme(values, Comparison::Greater)),
        };
        match result {
            Ok(Some(value)) => Output::One(BTreeMap::from([(name, value)])),
            Ok(None) => Output::None,
            Err(message) => {
                let row = rows.first().copied();
                Output::Failed(Failure {
                    input: 0,
                    row,
                    at: 0,
                    message,
                })
            }
        }
    }
}

/// The smallest or largest of values.
pub(crate) fn extreme<'v>(
    values: impl Iterator<Item = &'v Value>,
    wanted: Comparison,
) -> Option<Value> {
    values
        .reduce(|best, value| {
            if holds(wanted, value, best) == Some(true) {
                value
            } else {
                best
            }
        })
        .cloned()
}

/// The sum of two values of one kind.
pub(crate) fn add(sum: &Value, value: &Value) -> Result<Value, String> {
    let number = |a: &Number, b: &Number| a.checked_add(*b).map_err(|error| error.to_string());
    match (sum, value) {
        (Value::Number(a), Value::Number(b)) => Ok(Value::Number(number(a, b)?)),
        (
            Value::Money {
                amount: a,
                currency,
            },
            Value::Money {
                amount: b,
                currency: other,
            },
        ) if currency == other => Ok(Value::Money {
            amount: number(a, b)?,
            currency: currency.clone(),
        }),
        (
            Value::Quantity { amount: a, unit },
            Value::Quantity {
                amount: b,
                unit: other,
            },
        ) if unit == other => Ok(Value::Quantity {
            amount: number(a, b)?,
            unit: unit.clone(),
        }),
        _ => Err(format!(
            "no sum of {} `{sum}` and {} `{value}`",
            sum.kind(),
            value.kind()
        )),
    }
}
