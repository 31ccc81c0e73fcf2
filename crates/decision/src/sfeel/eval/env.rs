//! Values of expressions, in what is bound around them.

use super::{Given, Scope, Truth, fail, holds, part, path, sort::Precedes};
use crate::{
    number::ArithmeticError,
    sfeel::{
        self, Arguments, Builtin, Comparison, Connective, Expression, Failure, Function, Node,
        Operator, TypeName, Unary,
        arithmetic::{is_zero, negate, operate},
        functions::{range, within},
    },
    value::Value,
};

/// The value of an expression; `None` where it is unknown.
pub(super) type Known = Result<Option<Value>, Failure>;

/// Levels of nesting that a call of a function counts as: what it needs of the stack.
const CALL_LEVELS: usize = 8;

/// How many parts of a value are copied or looked at in one step.
const COPIED: usize = 8;

/// A scope, what is bound within it, and the value under test.
#[derive(Clone, Copy)]
pub(super) struct Env<'e> {
    pub(super) scope: &'e Scope<'e>,
    pub(super) locals: Option<&'e Binding<'e>>,
    pub(super) input: Option<&'e Value>,
}

/// A name that is bound, and what is bound around it.
#[derive(Clone, Copy)]
pub(super) struct Binding<'e> {
    pub(super) name: &'e str,
    pub(super) bound: Bound<'e>,
    pub(super) outer: Option<&'e Binding<'e>>,
}

/// What a name is bound to.
#[derive(Clone, Copy)]
pub(super) enum Bound<'e> {
    /// A value; `None` where it is unknown.
    Value(Option<&'e Value>),
    /// The item that a filter looks at, whose entries are names too.
    Item(&'e Value),
    /// A function: its parameters, its body, and what was bound around it.
    Lambda(&'e [String], &'e Node, Option<&'e Binding<'e>>),
}

impl<'e> Env<'e> {
    pub(super) fn new(scope: &'e Scope<'e>, input: Option<&'e Value>) -> Self {
        scope.work().begin();
        Self {
            scope,
            locals: None,
            input,
        }
    }

    /// The same with one more name.
    pub(super) fn with<'s>(&'s self, binding: &'s Binding<'s>) -> Env<'s> {
        Env {
            scope: self.scope,
            locals: Some(binding),
            input: self.input,
        }
    }

    fn testing<'s>(&'s self, input: &'s Value) -> Env<'s> {
        Env {
            input: Some(input),
            ..*self
        }
    }

    pub(super) fn value(&self, node: &'e Node) -> Known {
        match &node.expression {
            Expression::Literal(value) => Ok(Some(value.clone())),
            Expression::Fact(name, property) => {
                let value = self.scope.get(name).map(|value| part(value, *property));
                self.copied(node.at, value)
            }
            Expression::Input => self.copied(node.at, self.input.cloned()),
            Expression::Local(name) => self.copied(node.at, self.local(node.at, name)?),
            _ => {
                let work = self.scope.work();
                let _level = work.descend(1, node.at)?;
                work.settle(self.scope.mode(), self.composed(node))
            }
        }
    }

    fn composed(&self, node: &'e Node) -> Known {
        match &node.expression {
            Expression::Literal(_)
            | Expression::Fact(..)
            | Expression::Input
            | Expression::Local(_) => self.value(node),
            Expression::Negate(inner) => match self.value(inner)? {
                Some(value) => negate(node.at, value).map(Some),
                None => Ok(None),
            },
            Expression::Arithmetic(operator, left, right) => {
                self.arithmetic(node.at, *operator, left, right)
            }
            Expression::Compare(comparison, left, right) => {
                Ok(self.compare(*comparison, left, right)?.value())
            }
            Expression::Logic(connective, left, right) => self.logic(*connective, left, right),
            Expression::Between(parts) => self.between(parts),
            Expression::In(value, tests) => match self.value(value)? {
                Some(value) => Ok(self.testing(&value).any_holds(tests)?.value()),
                None => Ok(None),
            },
            Expression::InstanceOf(value, ty) => {
                let value = self.value(value)?;
                Ok(value.map(|value| Value::Boolean(ty.has(&value))))
            }
            Expression::If(parts) => self.conditional(parts),
            Expression::List(items) => self.list(items),
            Expression::Context(entries) => self.context(entries),
            Expression::Range(low, high) => self.range(node.at, low, high),
            Expression::Lambda(..) => Err(fail(node.at, "a function is no value here")),
            Expression::Item(name, outside) => {
                let value = self.item(name, outside.as_deref())?;
                self.copied(node.at, value)
            }
            Expression::Path(value, name) => match self.value(value)? {
                Some(value) => {
                    self.take(node.at, value.size())?;
                    let part = path::of(value, name).map_err(|message| fail(node.at, message))?;
                    Ok(Some(part))
                }
                None => Ok(None),
            },
            Expression::Filter(list, condition) => self.filter(node.at, list, condition),
            Expression::For(iterations, body) => self.each(node.at, iterations, body),
            Expression::Quantified(quantifier, iterations, condition) => {
                self.quantified(node.at, *quantifier, iterations, condition)
            }
            Expression::Call(function, arguments) => self.call(node.at, function, arguments),
        }
    }

    /// A value that was copied: large ones count.
    fn copied(&self, at: usize, value: Option<Value>) -> Known {
        if let Some(value @ (Value::List(_) | Value::Context(_) | Value::String(_))) = &value {
            self.take(at, value.size() / COPIED)?;
        }
        Ok(value)
    }

    /// Counts steps of work.
    pub(super) fn take(&self, at: usize, steps: usize) -> Result<(), Failure> {
        let taken = self.scope.work().take(steps);
        taken.map_err(|message| fail(at, message))
    }

    fn binding(&self, name: &str) -> Option<&'e Binding<'e>> {
        let mut next = self.locals;
        while let Some(binding) = next {
            if binding.name == name {
                return Some(binding);
            }
            next = binding.outer;
        }
        None
    }

    fn local(&self, at: usize, name: &str) -> Known {
        match self.binding(name).map(|binding| binding.bound) {
            Some(Bound::Value(value)) => Ok(value.cloned()),
            Some(Bound::Item(value)) => Ok(Some(value.clone())),
            Some(Bound::Lambda(..)) | None => {
                self.without_value(fail(at, format!("function `{name}` is no value here")))
            }
        }
    }

    fn without_value(&self, failure: Failure) -> Known {
        let scope = self.scope;
        scope.work().settle(scope.mode(), Err(failure))
    }

    /// An entry of the innermost item that has one by this name.
    fn item(&self, name: &str, outside: Option<&'e Node>) -> Known {
        let mut next = self.locals;
        while let Some(binding) = next {
            if let Bound::Item(Value::Context(entries)) = binding.bound
                && let Some(entry) = entries.get(name)
            {
                return Ok(Some(entry.clone()));
            }
            next = binding.outer;
        }
        outside.map_or(Ok(Some(Value::Null)), |node| self.value(node))
    }

    fn arithmetic(&self, at: usize, operator: Operator, left: &'e Node, right: &'e Node) -> Known {
        match (self.value(left)?, self.value(right)?) {
            (Some(Value::Null), _) | (_, Some(Value::Null)) => Ok(Some(Value::Null)),
            (Some(a), Some(b)) => {
                self.take(at, (a.size() + b.size()) / 64)?;
                operate(at, operator, &a, &b).map(Some)
            }
            // Whatever the dividend turns out to be.
            (None, Some(b)) if operator == Operator::Divide && is_zero(&b) => {
                Err(fail(at, ArithmeticError::DivisionByZero.to_string()))
            }
            _ => Ok(None),
        }
    }

    fn compare(
        &self,
        comparison: Comparison,
        left: &'e Node,
        right: &'e Node,
    ) -> Result<Truth, Failure> {
        let (a, b) = (self.value(left)?, self.value(right)?);
        Ok(compared(comparison, a.as_ref(), b.as_ref()))
    }

    fn logic(&self, connective: Connective, left: &'e Node, right: &'e Node) -> Known {
        let a = Truth::of(self.value(left)?.as_ref());
        let decisive = connective == Connective::Or;
        if a == Truth::Known(Some(decisive)) {
            return Ok(a.value());
        }
        let b = Truth::of(self.value(right)?.as_ref());
        let joined = match connective {
            Connective::And => a.and(b),
            Connective::Or => a.or(b),
        };
        Ok(joined.value())
    }

    fn between(&self, parts: &'e [Node; 3]) -> Known {
        let [value, low, high] = parts;
        let (value, low, high) = (self.value(value)?, self.value(low)?, self.value(high)?);
        let above = compared(Comparison::GreaterOrEqual, value.as_ref(), low.as_ref());
        let below = compared(Comparison::LessOrEqual, value.as_ref(), high.as_ref());
        Ok(above.and(below).value())
    }

    /// What is no true condition is as good as a false one. Where it is unknown, the branches
    /// decide if they agree.
    fn conditional(&self, parts: &'e [Node; 3]) -> Known {
        let [condition, then, otherwise] = parts;
        match Truth::of(self.value(condition)?.as_ref()) {
            Truth::Known(Some(true)) => self.value(then),
            Truth::Known(_) => self.value(otherwise),
            _ => match (self.value(then), self.value(otherwise)) {
                (Err(failure), Err(_)) => Err(failure),
                (Ok(Some(a)), Ok(Some(b))) if a == b => Ok(Some(a)),
                _ => Ok(None),
            },
        }
    }

    /// Whether one of the tests holds for the input.
    pub(super) fn any_holds(&self, tests: &'e [Unary]) -> Result<Truth, Failure> {
        let mut any = Truth::FALSE;
        for test in tests {
            any = any.or(self.holds(test)?);
            if any == Truth::TRUE {
                break;
            }
        }
        Ok(any)
    }

    fn holds(&self, test: &'e Unary) -> Result<Truth, Failure> {
        match test {
            Unary::Compare(comparison, operand) => match (self.input, self.value(operand)?) {
                (Some(input), Some(operand)) => {
                    self.meets(operand_at(test), *comparison, input, &operand)
                }
                (input, operand) => Ok(compared(*comparison, input, operand.as_ref())),
            },
            Unary::Boolean(condition) => Ok(match Truth::of(self.value(condition)?.as_ref()) {
                // A condition that is null isn't met, nor is its negation.
                truth @ Truth::Known(_) => truth,
                _ => Truth::Unknown,
            }),
            Unary::Interval { low, high } => {
                let lower = match low.closed {
                    true => Comparison::GreaterOrEqual,
                    false => Comparison::Greater,
                };
                let upper = match high.closed {
                    true => Comparison::LessOrEqual,
                    false => Comparison::Less,
                };
                let end =
                    |comparison, end: Option<Value>| compared(comparison, self.input, end.as_ref());
                let above = end(lower, self.value(&low.value)?);
                Ok(above.and(end(upper, self.value(&high.value)?)))
            }
        }
    }

    /// A value against an operand, which may be a list that one item of is meant.
    fn meets(
        &self,
        at: usize,
        comparison: Comparison,
        input: &Value,
        operand: &Value,
    ) -> Result<Truth, Failure> {
        let (Comparison::Equal, Value::List(items)) = (comparison, operand) else {
            let within = match comparison {
                Comparison::Equal => within(input, operand),
                _ => None,
            };
            return Ok(Truth::Known(
                within.unwrap_or_else(|| holds(comparison, input, operand)),
            ));
        };
        self.take(at, items.len() / COPIED)?;
        let among = items.iter().any(|item| {
            let within = within(input, item);
            within.unwrap_or_else(|| item.equals(input)) == Some(true)
        });
        Ok(Truth::Known(Some(among || input == operand)))
    }

    fn call(&self, at: usize, function: &'e Function, arguments: &'e Arguments) -> Known {
        match function {
            Function::Builtin(builtin) => self.builtin(at, *builtin, arguments),
            Function::Defined(name) => {
                let _level = self.scope.work().descend(CALL_LEVELS, at)?;
                self.take(at, 1)?;
                let given = match arguments {
                    Arguments::Positional(nodes) => {
                        let values = nodes.iter().map(|node| self.value(node));
                        Given::Positional(values.collect::<Result<_, _>>()?)
                    }
                    Arguments::Named(nodes) => {
                        let values = nodes
                            .iter()
                            .map(|(name, node)| Ok((name.clone(), self.value(node)?)));
                        Given::Named(values.collect::<Result<_, _>>()?)
                    }
                };
                self.scope.call(name, given, at)
            }
            Function::Local(name) => {
                let _level = self.scope.work().descend(CALL_LEVELS, at)?;
                self.take(at, 1)?;
                match self.binding(name).map(|binding| binding.bound) {
                    Some(Bound::Lambda(parameters, body, outer)) => {
                        self.applied(at, parameters, body, outer, arguments)
                    }
                    _ => Err(fail(at, format!("`{name}` is no function"))),
                }
            }
        }
    }

    fn range(&self, at: usize, low: &'e sfeel::Bound, high: &'e sfeel::Bound) -> Known {
        match (self.value(&low.value)?, self.value(&high.value)?) {
            (Some(Value::Null), _) | (_, Some(Value::Null)) => Ok(Some(Value::Null)),
            (Some(a), Some(b)) => {
                let made = range(a, b, low.closed, high.closed);
                made.map(Some).map_err(|message| fail(at, message))
            }
            _ => Ok(None),
        }
    }

    /// A function that a list is sorted by, where one is given.
    fn precedes(&self, node: &'e Node) -> Option<Precedes<'e>> {
        match &node.expression {
            Expression::Lambda(parameters, body) => Some(Precedes::Lambda {
                parameters,
                body,
                outer: self.locals,
            }),
            Expression::Local(name) => match self.binding(name).map(|binding| binding.bound) {
                Some(Bound::Lambda(parameters, body, outer)) => Some(Precedes::Lambda {
                    parameters,
                    body,
                    outer,
                }),
                Some(_) => None,
                None => Some(Precedes::Defined(name)),
            },
            _ => None,
        }
    }

    fn builtin(&self, at: usize, builtin: Builtin, arguments: &'e Arguments) -> Known {
        let arranged = builtin
            .arrange(arguments)
            .map_err(|message| fail(at, message))?;
        if let (Builtin::Sort, [Some(list), Some(function)]) = (builtin, arranged.as_slice())
            && let Some(precedes) = self.precedes(function)
        {
            return match self.value(list)? {
                Some(Value::List(items)) => {
                    let sorted = self.sorted(at, items, &precedes)?;
                    Ok(sorted.map(Value::List))
                }
                other => Ok(other),
            };
        }
        let mut values = Vec::with_capacity(arranged.len());
        let mut known = true;
        for argument in arranged {
            match argument {
                None => values.push(Value::Null),
                Some(node) => match self.value(node)? {
                    Some(value) => values.push(value),
                    None => known = false,
                },
            }
        }
        if !known {
            return Ok(None);
        }
        let work = self.scope.work();
        let steps = values.iter().map(Value::size).sum::<usize>() / COPIED;
        let result = work.take(steps).and_then(|()| builtin.apply(&values, work));
        result.map(Some).map_err(|message| fail(at, message))
    }
}

fn operand_at(test: &Unary) -> usize {
    test.operands().next().map_or(0, |node| node.at)
}

/// FEEL's comparison where either side may be unknown.
fn compared(comparison: Comparison, a: Option<&Value>, b: Option<&Value>) -> Truth {
    let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    match (a, b) {
        (Some(a), Some(b)) => Truth::Known(holds(comparison, a, b)),
        // Nothing has an order with null.
        (Some(Value::Null), None) | (None, Some(Value::Null)) if ordered => Truth::NULL,
        _ => Truth::Unknown,
    }
}

impl TypeName {
    fn has(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, value) => *value == Value::Null,
            (_, Value::Null) => false,
            (Self::Any, _)
            | (Self::Boolean, Value::Boolean(_))
            | (Self::String, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Date, Value::Date(_))
            | (Self::Time, Value::Time(_))
            | (Self::DateTime, Value::DateTime(_) | Value::LocalDateTime(_))
            | (Self::DaysDuration, Value::DaysDuration(_))
            | (Self::MonthsDuration, Value::MonthsDuration(_))
            | (Self::Context, Value::Context(_)) => true,
            (Self::List(of), Value::List(items)) => {
                items.iter().all(|item| **of == Self::Any || of.has(item))
            }
            _ => false,
        }
    }
}
