//! Expressions that bind names: contexts, filters, loops and functions.

use super::{
    Truth,
    env::{Binding, Bound, Env, Known},
    fail,
};
use crate::{
    number::Number,
    sfeel::{Arguments, Expression, Failure, Iteration, Node, Quantifier},
    value::Value,
};

/// What a loop does with one combination of items; false ends it.
type Visit<'v> = dyn FnMut(&Env<'_>) -> Result<bool, Failure> + 'v;

impl<'e> Env<'e> {
    pub(super) fn list(&self, items: &'e [Node]) -> Known {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.value(item)?);
        }
        Ok(values
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(Value::List))
    }

    /// Each entry sees those before it. An entry that is a function is only there to be
    /// called by them.
    pub(super) fn context(&self, entries: &'e [(String, Node)]) -> Known {
        fn next(
            env: &Env<'_>,
            entries: &[(String, Node)],
            found: &mut Vec<(String, Option<Value>)>,
        ) -> Result<(), Failure> {
            let [(name, node), rest @ ..] = entries else {
                return Ok(());
            };
            let _level = env.scope.work().descend(1, node.at)?;
            let value;
            let bound = if let Expression::Lambda(parameters, body) = &node.expression {
                Bound::Lambda(parameters, body, env.locals)
            } else {
                value = env.value(node)?;
                found.push((name.clone(), value.clone()));
                Bound::Value(value.as_ref())
            };
            let binding = Binding {
                name,
                bound,
                outer: env.locals,
            };
            next(&env.with(&binding), rest, found)
        }
        let mut found = Vec::with_capacity(entries.len());
        next(self, entries, &mut found)?;
        let known = found
            .into_iter()
            .map(|(name, value)| Some((name, value?)))
            .collect::<Option<_>>();
        Ok(known.map(Value::Context))
    }

    /// The item at an index from 1, or from the end below 0; or those that meet a condition.
    pub(super) fn filter(&self, at: usize, list: &'e Node, condition: &'e Node) -> Known {
        let items = match self.value(list)? {
            None => return Ok(None),
            Some(Value::Null) => return Ok(Some(Value::Null)),
            Some(Value::List(items)) => items,
            Some(single) => vec![single],
        };
        let mut kept = Vec::new();
        let mut known = true;
        for (place, item) in items.iter().enumerate() {
            self.take(at, 1)?;
            match self.for_item(item, condition)? {
                Some(Value::Number(index)) if place == 0 => return self.indexed(at, &items, index),
                Some(Value::Boolean(true)) => kept.push(item.clone()),
                Some(_) => {}
                None => known = false,
            }
        }
        if items.is_empty()
            && let Some(Value::Number(index)) = self.for_item(&Value::Null, condition)?
        {
            return self.indexed(at, &items, index);
        }
        Ok(known.then_some(Value::List(kept)))
    }

    fn for_item(&self, item: &Value, condition: &Node) -> Known {
        let binding = Binding {
            name: "item",
            bound: Bound::Item(item),
            outer: self.locals,
        };
        self.with(&binding).value(condition)
    }

    fn indexed(&self, at: usize, items: &[Value], index: Number) -> Known {
        let Some(index) = index.to_i64() else {
            return Err(fail(
                at,
                format!("`{index}` is no index: expected a whole number"),
            ));
        };
        let place = if index < 0 {
            usize::try_from(index.unsigned_abs())
                .ok()
                .and_then(|back| items.len().checked_sub(back))
        } else {
            usize::try_from(index)
                .ok()
                .and_then(|index| index.checked_sub(1))
        };
        let item = place.and_then(|place| items.get(place)).cloned();
        Ok(Some(item.unwrap_or(Value::Null)))
    }

    pub(super) fn each(&self, at: usize, iterations: &'e [Iteration], body: &'e Node) -> Known {
        let partial = reads(body, "partial");
        let mut results = Vec::new();
        let mut known = true;
        let complete = self.combinations(at, iterations, &mut |env| {
            let value = if partial {
                env.take(at, results.len())?;
                let so_far = Value::List(results.clone());
                let binding = Binding {
                    name: "partial",
                    bound: Bound::Value(Some(&so_far)),
                    outer: env.locals,
                };
                env.with(&binding).value(body)?
            } else {
                env.value(body)?
            };
            match value {
                Some(value) => {
                    env.take(at, value.size())?;
                    results.push(value);
                }
                None => known = false,
            }
            Ok(known || !partial)
        })?;
        Ok((known && complete).then_some(Value::List(results)))
    }

    pub(super) fn quantified(
        &self,
        at: usize,
        quantifier: Quantifier,
        iterations: &'e [Iteration],
        condition: &'e Node,
    ) -> Known {
        let decisive = quantifier == Quantifier::Some;
        let mut truth = Truth::Known(Some(!decisive));
        let complete = self.combinations(at, iterations, &mut |env| {
            let next = Truth::of(env.value(condition)?.as_ref());
            truth = if decisive {
                truth.or(next)
            } else {
                truth.and(next)
            };
            Ok(truth != Truth::Known(Some(decisive)))
        })?;
        Ok(if complete { truth.value() } else { None })
    }

    /// Visits every combination of items; false where a list is unknown.
    fn combinations(
        &self,
        at: usize,
        iterations: &[Iteration],
        visit: &mut Visit<'_>,
    ) -> Result<bool, Failure> {
        let mut go_on = true;
        self.combine(at, iterations, visit, &mut go_on)
    }

    fn combine(
        &self,
        at: usize,
        iterations: &[Iteration],
        visit: &mut Visit<'_>,
        go_on: &mut bool,
    ) -> Result<bool, Failure> {
        let [iteration, rest @ ..] = iterations else {
            *go_on = visit(self)?;
            return Ok(true);
        };
        let Some(items) = self.items(iteration)? else {
            return Ok(false);
        };
        for item in items {
            let _level = self.scope.work().descend(1, at)?;
            self.take(at, 1)?;
            let item = item.map_err(|message| fail(iteration.from.at, message))?;
            let binding = Binding {
                name: &iteration.name,
                bound: Bound::Value(Some(&item)),
                outer: self.locals,
            };
            if !self.with(&binding).combine(at, rest, visit, go_on)? {
                return Ok(false);
            }
            if !*go_on {
                break;
            }
        }
        Ok(true)
    }

    /// What a name runs over; `None` where that is unknown.
    fn items(&self, iteration: &Iteration) -> Result<Option<Items>, Failure> {
        let ends = match (&iteration.to, &iteration.from.expression) {
            (Some(to), _) => Some((&iteration.from, to)),
            (None, Expression::Range(low, high)) if low.closed && high.closed => {
                Some((&low.value, &high.value))
            }
            _ => None,
        };
        if let Some((from, to)) = ends {
            let (Some(first), Some(last)) = (self.value(from)?, self.value(to)?) else {
                return Ok(None);
            };
            let bad = || fail(from.at, format!("no loop runs from `{first}` to `{last}`"));
            return Items::between(&first, &last).map(Some).ok_or_else(bad);
        }
        Ok(match self.value(&iteration.from)? {
            None => None,
            Some(Value::List(items)) => Some(Items::List(items.into_iter())),
            Some(Value::Null) => {
                return Err(fail(iteration.from.at, "found null, expected a list"));
            }
            Some(single) => Some(Items::List(vec![single].into_iter())),
        })
    }

    /// A function of a context applied to arguments.
    pub(super) fn applied(
        &self,
        at: usize,
        parameters: &[String],
        body: &Node,
        outer: Option<&Binding<'_>>,
        arguments: &Arguments,
    ) -> Known {
        let count = arguments.nodes().count();
        if count != parameters.len() {
            let wanted = parameters.len();
            return Err(fail(
                at,
                format!("found {count} arguments, expected {wanted}"),
            ));
        }
        let mut values = Vec::with_capacity(count);
        for (place, parameter) in parameters.iter().enumerate() {
            let node = match arguments {
                Arguments::Positional(nodes) => nodes.get(place),
                Arguments::Named(nodes) => nodes
                    .iter()
                    .find_map(|(name, node)| (name == parameter).then_some(node)),
            };
            let Some(node) = node else {
                return Err(fail(at, format!("argument `{parameter}` is missing")));
            };
            values.push(self.value(node)?);
        }
        self.bound_to(parameters, &values, body, outer)
    }

    /// The value of a function's body, whose parameters have these values.
    pub(super) fn bound_to(
        &self,
        parameters: &[String],
        values: &[Option<Value>],
        body: &Node,
        outer: Option<&Binding<'_>>,
    ) -> Known {
        let env = Env {
            locals: outer,
            ..*self
        };
        match (parameters, values) {
            ([name, parameters @ ..], [value, values @ ..]) => {
                let binding = Binding {
                    name,
                    bound: Bound::Value(value.as_ref()),
                    outer,
                };
                env.bound_to(parameters, values, body, Some(&binding))
            }
            _ => env.value(body),
        }
    }
}

/// What a name runs over.
enum Items {
    List(std::vec::IntoIter<Value>),
    /// Whole numbers or days, the next and the last.
    Numbers(Option<(i64, i64)>),
    Days(Option<(chrono::NaiveDate, chrono::NaiveDate)>),
}

impl Items {
    fn between(first: &Value, last: &Value) -> Option<Self> {
        match (first, last) {
            (Value::Number(first), Value::Number(last)) => {
                Some(Self::Numbers(Some((first.to_i64()?, last.to_i64()?))))
            }
            (Value::Date(first), Value::Date(last)) => Some(Self::Days(Some((*first, *last)))),
            _ => None,
        }
    }
}

impl Iterator for Items {
    type Item = Result<Value, String>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::List(items) => items.next().map(Ok),
            Self::Numbers(ends) => {
                let (next, last) = (*ends)?;
                *ends = match next.cmp(&last) {
                    std::cmp::Ordering::Less => Some((next + 1, last)),
                    std::cmp::Ordering::Greater => Some((next - 1, last)),
                    std::cmp::Ordering::Equal => None,
                };
                Some(Ok(Value::Number(Number::from(next))))
            }
            Self::Days(ends) => {
                let (next, last) = (*ends)?;
                let following = match next.cmp(&last) {
                    std::cmp::Ordering::Less => next.succ_opt(),
                    std::cmp::Ordering::Greater => next.pred_opt(),
                    std::cmp::Ordering::Equal => None,
                };
                *ends = following.map(|following| (following, last));
                Some(Ok(Value::Date(next)))
            }
        }
    }
}

/// Whether an expression reads a local name.
fn reads(node: &Node, name: &str) -> bool {
    let mut found = matches!(&node.expression, Expression::Local(local) if local == name);
    node.children(&mut |child| found |= reads(child, name));
    found
}
