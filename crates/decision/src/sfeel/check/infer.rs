//! The static type of an expression.

use super::{
    Types,
    compare::{common, comparable, has_order, result_of, type_of},
};
use crate::{
    sfeel::{
        Arguments, Comparison, Error, Expression, Function, Iteration, Mode, Node, Unary,
        functions::Kind,
    },
    types::Type,
};

/// A type; `None` for null.
type Inferred = Result<Option<Type>, Error>;

/// The declared types, and those of what is bound.
pub(super) struct Checker<'t> {
    types: &'t Types,
    mode: Mode,
    locals: Vec<(String, Option<Type>)>,
    input: Option<Type>,
}

impl<'t> Checker<'t> {
    pub(super) fn new(types: &'t Types, mode: Mode) -> Self {
        Self {
            types,
            mode,
            locals: Vec::new(),
            input: None,
        }
    }

    /// With `?` of a type.
    pub(super) fn testing(self, input: &Type) -> Self {
        Self {
            input: Some(input.clone()),
            ..self
        }
    }

    pub(super) fn infer(&mut self, node: &Node) -> Inferred {
        let bound = self.locals.len();
        let inferred = self.typed(node);
        self.locals.truncate(bound);
        match inferred {
            Err(_) if self.mode == Mode::Spec => Ok(Some(Type::Any)),
            inferred => inferred,
        }
    }

    fn typed(&mut self, node: &Node) -> Inferred {
        let at = node.at;
        Ok(Some(match &node.expression {
            Expression::Literal(value) => return Ok(type_of(value)),
            Expression::Fact(name, property) => {
                let Some(ty) = self.types.get(name) else {
                    let message = format!("`{name}` is no fact that is declared here");
                    return Err(Error::new(at, message));
                };
                match property {
                    None => ty.clone(),
                    Some(property) => part(at, ty, property.name(), || format!("`{name}`"))?,
                }
            }
            Expression::Local(name) => return Ok(self.local(name)),
            Expression::Item(name, outside) => return self.item(name, outside.as_deref()),
            Expression::Input => match &self.input {
                Some(ty) => ty.clone(),
                None => return Err(Error::new(at, "`?` stands for nothing outside a test")),
            },
            Expression::Negate(inner) => return self.negated(at, inner),
            Expression::Arithmetic(operator, left, right) => {
                let (a, b) = (self.infer(left)?, self.infer(right)?);
                let both = a.as_ref().zip(b.as_ref());
                match both.and_then(|(a, b)| result_of(*operator, a, b)) {
                    Some(ty) => ty,
                    None => return Err(undefined(at, operator.symbol(), &a, &b)),
                }
            }
            Expression::Compare(comparison, left, right) => {
                let (a, b) = (self.infer(left)?, self.infer(right)?);
                check_comparison(*comparison, &a, &b, at)?;
                Type::Boolean
            }
            Expression::Logic(connective, left, right) => {
                for side in [left, right] {
                    self.condition(side, connective.symbol())?;
                }
                Type::Boolean
            }
            Expression::Between(parts) => {
                let [value, low, high] = parts.as_ref();
                let ty = self.infer(value)?;
                for end in [low, high] {
                    let end_ty = self.infer(end)?;
                    check_comparison(Comparison::LessOrEqual, &ty, &end_ty, end.at)?;
                }
                Type::Boolean
            }
            Expression::In(value, tests) => {
                let ty = self.infer(value)?;
                self.tests(ty, tests)?;
                Type::Boolean
            }
            Expression::InstanceOf(value, _) => {
                self.infer(value)?;
                Type::Boolean
            }
            Expression::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                self.condition(condition, "if")?;
                let (a, b) = (self.infer(then)?, self.infer(otherwise)?);
                common([a, b].into_iter())
            }
            Expression::List(items) => {
                let types: Result<Vec<_>, _> = items.iter().map(|item| self.infer(item)).collect();
                Type::List(Box::new(common(types?.into_iter())))
            }
            Expression::Context(entries) => self.context(entries)?,
            Expression::Range(low, high) => {
                self.infer(&low.value)?;
                self.infer(&high.value)?;
                Type::Any
            }
            Expression::Lambda(parameters, body) => {
                let parameters = parameters.iter().cloned();
                self.locals
                    .extend(parameters.map(|name| (name, Some(Type::Any))));
                self.infer(body)?;
                Type::Any
            }
            Expression::Path(value, name) => match self.infer(value)? {
                None => return Ok(None),
                Some(ty) => part(at, &ty, name, || format!("`{value}`"))?,
            },
            Expression::Filter(list, condition) => return self.filter(list, condition),
            Expression::For(iterations, body) => {
                self.locals.push(("partial".to_owned(), Some(Type::Any)));
                self.iterations(iterations)?;
                let ty = self.infer(body)?;
                Type::List(Box::new(ty.unwrap_or(Type::Any)))
            }
            Expression::Quantified(quantifier, iterations, condition) => {
                self.iterations(iterations)?;
                self.condition(condition, quantifier.keyword())?;
                Type::Boolean
            }
            Expression::Call(function, arguments) => self.call(function, arguments)?,
        }))
    }

    fn local(&self, name: &str) -> Option<Type> {
        let mut bound = self.locals.iter().rev();
        let found = bound.find(|(local, _)| local == name);
        found.map_or(Some(Type::Any), |(_, ty)| ty.clone())
    }

    /// An entry of the item that is filtered, where its type has one; else what it is outside.
    fn item(&mut self, name: &str, outside: Option<&Node>) -> Inferred {
        match (self.local("item"), outside) {
            (Some(Type::Structure(fields)), _) if fields.contains_key(name) => {
                Ok(fields.get(name).cloned())
            }
            // Only when it is there does it show whether it has such an entry.
            (Some(Type::Any | Type::Context), _) | (_, None) => Ok(Some(Type::Any)),
            (_, Some(outside)) => self.infer(outside),
        }
    }

    fn negated(&mut self, at: usize, inner: &Node) -> Inferred {
        match self.infer(inner)? {
            Some(
                ty @ (Type::Number { .. }
                | Type::Money { .. }
                | Type::Quantity { .. }
                | Type::DaysDuration
                | Type::MonthsDuration
                | Type::Any),
            ) => Ok(Some(ty)),
            other => {
                let message = format!("no negative of {}", shown(other.as_ref()));
                Err(Error::new(at, message))
            }
        }
    }

    /// Checks that an expression is true or false, or may be.
    fn condition(&mut self, node: &Node, of: &str) -> Result<(), Error> {
        match self.infer(node)? {
            None | Some(Type::Boolean | Type::Any) => Ok(()),
            Some(found) => {
                let message = format!("found {found}, but `{of}` needs a condition");
                Err(Error::new(node.at, message))
            }
        }
    }

    fn tests(&mut self, ty: Option<Type>, tests: &[Unary]) -> Result<(), Error> {
        let input = self.input.replace(ty.clone().unwrap_or(Type::Any));
        for test in tests {
            for operand in test.operands() {
                let found = self.infer(operand)?;
                let comparison = match test {
                    Unary::Compare(comparison, _) => *comparison,
                    Unary::Interval { .. } => Comparison::LessOrEqual,
                    Unary::Boolean(_) => continue,
                };
                // One item of a list may be meant.
                let found = match (comparison, &ty, found) {
                    (_, Some(Type::List(_)), found) => found,
                    (Comparison::Equal, _, Some(Type::List(of))) => Some(*of),
                    (_, _, found) => found,
                };
                check_comparison(comparison, &ty, &found, operand.at)?;
            }
        }
        self.input = input;
        Ok(())
    }

    fn context(&mut self, entries: &[(String, Node)]) -> Result<Type, Error> {
        let mut fields = std::collections::BTreeMap::new();
        for (name, entry) in entries {
            let ty = self.infer(entry)?;
            if !matches!(entry.expression, Expression::Lambda(..)) {
                fields.insert(name.clone(), ty.clone().unwrap_or(Type::Any));
            }
            self.locals.push((name.clone(), ty));
        }
        Ok(Type::Structure(fields))
    }

    fn filter(&mut self, list: &Node, condition: &Node) -> Inferred {
        let Some(ty) = self.infer(list)? else {
            return Ok(None);
        };
        let of = match ty {
            Type::List(of) => *of,
            single => single,
        };
        self.locals.push(("item".to_owned(), Some(of.clone())));
        match self.infer(condition)? {
            Some(Type::Number { .. }) if condition.literal().is_some() => Ok(Some(of)),
            // An index that is null keeps no item, as a condition does.
            Some(Type::Number { .. }) => Ok(Some(Type::Any)),
            Some(Type::Boolean) => Ok(Some(Type::List(Box::new(of)))),
            None | Some(Type::Any) => Ok(Some(Type::Any)),
            Some(found) => {
                let message = format!("found {found}, expected a condition or an index");
                Err(Error::new(condition.at, message))
            }
        }
    }

    fn iterations(&mut self, iterations: &[Iteration]) -> Result<(), Error> {
        for iteration in iterations {
            let from = self.infer(&iteration.from)?;
            let ty = match (&iteration.to, from) {
                (Some(to), from) => {
                    self.infer(to)?;
                    from
                }
                (None, Some(Type::List(of))) => Some(*of),
                (None, _) => Some(Type::Any),
            };
            self.locals.push((iteration.name.clone(), ty));
        }
        Ok(())
    }

    fn call(&mut self, function: &Function, arguments: &Arguments) -> Result<Type, Error> {
        let mut found = Vec::new();
        for argument in arguments.nodes() {
            found.push((argument, self.infer(argument)?));
        }
        if let Function::Builtin(builtin) = function {
            for (argument, wanted) in builtin.typed(arguments) {
                let of_argument = |(node, ty): &(&Node, Option<Type>)| {
                    let same = std::ptr::eq(*node, argument);
                    ty.clone().filter(|ty| same && !wanted.takes(ty))
                };
                if let Some(found) = found.iter().find_map(of_argument) {
                    let (name, wanted) = (builtin.name(), wanted.name());
                    let message = format!("found {found}, but `{name}` takes a {wanted} here");
                    return Err(Error::new(argument.at, message));
                }
            }
        }
        Ok(match function {
            Function::Builtin(builtin) => match builtin.kind() {
                Kind::Boolean => Type::Boolean,
                Kind::Number => Type::number(),
                Kind::String => Type::string(),
                Kind::Months => Type::MonthsDuration,
                Kind::List => Type::List(Box::new(Type::Any)),
                Kind::Context => Type::Context,
                Kind::Date => Type::Date,
                Kind::Time => Type::Time,
                Kind::DateTime => Type::AnyDateTime,
                Kind::Any => Type::Any,
            },
            Function::Defined(_) | Function::Local(_) => Type::Any,
        })
    }
}

fn check_comparison(
    comparison: Comparison,
    left: &Option<Type>,
    right: &Option<Type>,
    at: usize,
) -> Result<(), Error> {
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let fits = match (left, right) {
        (Some(a), Some(b)) => comparable(a, b) && (equality || has_order(a)),
        _ => equality,
    };
    if fits {
        return Ok(());
    }
    Err(undefined(at, comparison.symbol(), left, right))
}

fn undefined(at: usize, symbol: &str, a: &Option<Type>, b: &Option<Type>) -> Error {
    let (a, b) = (shown(a.as_ref()), shown(b.as_ref()));
    Error::new(at, format!("`{symbol}` isn't defined for {a} and {b}"))
}

pub(super) fn shown(ty: Option<&Type>) -> String {
    ty.map_or_else(|| "null".to_owned(), Type::to_string)
}

/// The type of a part of a value.
fn part(at: usize, ty: &Type, name: &str, whole: impl Fn() -> String) -> Result<Type, Error> {
    let of_day = matches!(name, "year" | "month" | "day" | "weekday");
    let of_clock = matches!(name, "hour" | "minute" | "second");
    let of_zone = matches!(name, "time offset" | "timezone");
    Ok(match (ty, name) {
        (Type::Money { .. } | Type::Quantity { .. }, "amount") => Type::number(),
        (Type::Money { .. }, "currency") | (Type::Quantity { .. }, "unit") => Type::string(),
        (Type::Structure(fields), name) if fields.contains_key(name) => {
            fields.get(name).cloned().unwrap_or(Type::Any)
        }
        (Type::Context | Type::Any, _) => Type::Any,
        (Type::List(of), name) => Type::List(Box::new(part(at, of, name, whole)?)),
        (Type::Date | Type::DateTime | Type::AnyDateTime, _) if of_day => Type::number(),
        (Type::Time | Type::DateTime | Type::AnyDateTime, _) if of_clock => Type::number(),
        (Type::Time | Type::DateTime | Type::AnyDateTime, _) if of_zone => Type::Any,
        (Type::DaysDuration, "days" | "hours" | "minutes" | "seconds")
        | (Type::MonthsDuration, "years" | "months") => Type::number(),
        (ty, name) => {
            let message = format!("{} is a {ty}, which has no `{name}`", whole());
            return Err(Error::new(at, message));
        }
    })
}
