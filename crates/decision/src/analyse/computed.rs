//! What computed outputs come to for a fact set, as decision models have it: what has no
//! result is null.

use std::collections::BTreeMap;

use crate::{
    evaluate::{Outcome, Output, add, extreme},
    sfeel::{Comparison, Mode, Scope, calculate},
    table::{Aggregator, HitPolicy, Row, Table},
    value::{Facts, Value},
};

type Outputs = BTreeMap<String, Value>;

/// The output of a settled outcome; `None` where facts that outputs are computed from are
/// unknown.
pub(super) fn output(table: &Table, outcome: &Outcome, facts: &Facts) -> Option<Output> {
    let (Outcome::Hits(rows) | Outcome::Conflict(rows)) = outcome else {
        return Some(table.output(outcome));
    };
    let conflict = matches!(outcome, Outcome::Conflict(_));
    if !table.computes() || conflict && table.hit_policy == HitPolicy::Unique {
        return Some(table.output(outcome));
    }
    let found = rows.iter().filter_map(|&row| table.rows.get(row));
    let all: Vec<Outputs> = found
        .map(|row| outputs(table, row, facts))
        .collect::<Option<_>>()?;
    Some(match table.hit_policy {
        HitPolicy::Any if all.windows(2).any(|pair| pair[0] != pair[1]) => {
            Output::Conflict(rows.clone())
        }
        HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None) => {
            Output::Many(all)
        }
        HitPolicy::Collect(Some(Aggregator::Count)) => table.output(outcome),
        HitPolicy::Collect(Some(aggregator)) => {
            let name = &table.outputs.first()?.name;
            let value = aggregate(
                aggregator,
                all.iter().filter_map(|outputs| outputs.get(name)),
            );
            Output::One(BTreeMap::from([(name.clone(), value)]))
        }
        _ => all.into_iter().next().map_or(Output::None, Output::One),
    })
}

fn outputs(table: &Table, row: &Row, facts: &Facts) -> Option<Outputs> {
    let scope = Scope::new(facts, &table.types).in_mode(Mode::Spec);
    let mut outputs = row.outputs.clone();
    for (name, expression) in &row.computed {
        let value = calculate(expression, &scope).ok()??;
        let column = table.outputs.iter().find(|column| column.name == *name);
        let fitted = match column {
            Some(column) => column.ty.coerce(value).unwrap_or(Value::Null),
            None => value,
        };
        outputs.insert(name.clone(), fitted);
    }
    Some(outputs)
}

fn aggregate<'v>(aggregator: Aggregator, mut values: impl Iterator<Item = &'v Value>) -> Value {
    let found = match aggregator {
        Aggregator::Min => extreme(values, Comparison::Less),
        Aggregator::Max => extreme(values, Comparison::Greater),
        Aggregator::Sum | Aggregator::Count => values
            .next()
            .cloned()
            .and_then(|first| values.try_fold(first, |sum, value| add(&sum, value)).ok()),
    };
    found.unwrap_or(Value::Null)
}

/// Whether the values of computed outputs decide more than what is answered: which rows agree,
/// which comes first, or what they sum up to.
pub(super) fn decides_more(table: &Table) -> bool {
    let computed = |name: &str| table.rows.iter().any(|row| row.computed.contains_key(name));
    match table.hit_policy {
        HitPolicy::Any => table.computes(),
        HitPolicy::Priority | HitPolicy::OutputOrder => table
            .outputs
            .iter()
            .any(|output| !output.values.is_empty() && computed(&output.name)),
        HitPolicy::Collect(Some(Aggregator::Count) | None) => false,
        HitPolicy::Collect(Some(_)) => table.computes(),
        HitPolicy::Unique | HitPolicy::First | HitPolicy::RuleOrder => false,
    }
}
