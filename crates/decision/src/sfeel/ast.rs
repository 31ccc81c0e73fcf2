//! The syntax tree.

use super::functions::Builtin;
use crate::value::Value;

/// An expression and where it stands, in characters from the start of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub at: usize,
    /// Where it ends: the place behind its last character.
    pub end: usize,
    /// What it is.
    pub expression: Expression,
}

/// What an expression is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A constant.
    Literal(Value),
    /// The value of a fact, or a part of it.
    Fact(String, Option<Property>),
    /// The negation of a number or duration.
    Negate(Box<Node>),
    /// Arithmetic on two operands.
    Arithmetic(Operator, Box<Node>, Box<Node>),
    /// A comparison of two operands, with a boolean result.
    Compare(Comparison, Box<Node>, Box<Node>),
    /// `and` or `or` of two operands, in three-valued logic.
    Logic(Connective, Box<Node>, Box<Node>),
    /// `x between low and high`: the operand, and the ends, which belong to it.
    Between(Box<[Node; 3]>),
    /// `x in (…)`: whether the operand meets one of the tests.
    In(Box<Node>, Vec<Unary>),
    /// `x instance of …`.
    InstanceOf(Box<Node>, TypeName),
    /// `if … then … else …`.
    If(Box<[Node; 3]>),
    /// Values in order.
    List(Vec<Node>),
    /// Values by name, in order: an entry may read those before it.
    Context(Vec<(String, Node)>),
    /// An interval, as the functions on ranges take it.
    Range(Box<Bound>, Box<Bound>),
    /// `function(a, b) …`, to be called by its name in a context, or given to a function.
    Lambda(Vec<String>, Box<Node>),
    /// A name that a context, a loop or a function binds, or that of a defined function.
    Local(String),
    /// A name inside a filter: the item's entry, or else what it is outside.
    Item(String, Option<Box<Node>>),
    /// `?`: the value that a test is put on.
    Input,
    /// `value.name`: an entry, or a part of a date, time or duration.
    Path(Box<Node>, String),
    /// `list[…]`: the item at an index, or those that meet a condition.
    Filter(Box<Node>, Box<Node>),
    /// `for … return …`.
    For(Vec<Iteration>, Box<Node>),
    /// `some … satisfies …` or `every … satisfies …`.
    Quantified(Quantifier, Vec<Iteration>, Box<Node>),
    /// A function applied to its arguments.
    Call(Function, Arguments),
}

/// What connects two conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connective {
    /// `and`
    And,
    /// `or`
    Or,
}

/// How many items must meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Some,
    /// All.
    Every,
}

/// A name that runs over the items of a list, or over whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iteration {
    /// The name.
    pub name: String,
    /// The list, or the first number.
    pub from: Node,
    /// The last number; `None` for a list.
    pub to: Option<Node>,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Function {
    /// One that the language has.
    Builtin(Builtin),
    /// One that the model defines.
    Defined(String),
    /// One that a context or function parameter binds.
    Local(String),
}

/// What a function is applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// In the order of the parameters.
    Positional(Vec<Node>),
    /// By the names of the parameters.
    Named(Vec<(String, Node)>),
}

/// What `instance of` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeName {
    /// Any value but null.
    Any,
    /// Null alone.
    Null,
    /// `boolean`
    Boolean,
    /// `string`
    String,
    /// `number`
    Number,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `date and time`
    DateTime,
    /// `days and time duration`
    DaysDuration,
    /// `years and months duration`
    MonthsDuration,
    /// `list`, or `list<…>`
    List(Box<TypeName>),
    /// `context`
    Context,
}

/// A part of a value of money or a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// The bare number.
    Amount,
    /// The ISO 4217 code.
    Currency,
    /// The unit.
    Unit,
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `**`
    Power,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a cell asks of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `-`: nothing.
    Any,
    /// At least one of these.
    Positive(Vec<Unary>),
    /// `not(…)`: none of these.
    Not(Vec<Unary>),
}

/// One alternative of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unary {
    /// Equal to a value, or ordered to it as a comparison says. The value may be a list, one
    /// item of which is meant.
    Compare(Comparison, Node),
    /// A condition of its own, in which `?` is the value that is tested.
    Boolean(Node),
    /// Between two values.
    Interval {
        /// The lower end.
        low: Bound,
        /// The upper end.
        high: Bound,
    },
}

/// An end of an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The value at the end.
    pub value: Node,
    /// Whether the value itself belongs to the interval.
    pub closed: bool,
}

impl Node {
    /// Calls `visit` with the name of every fact in this expression.
    pub fn facts<'n>(&'n self, visit: &mut dyn FnMut(&'n str)) {
        if let Expression::Fact(name, _) = &self.expression {
            visit(name);
        }
        self.children(&mut |child| child.facts(visit));
    }

    /// Calls `visit` with every expression that this one is directly made of.
    pub fn children<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        match &self.expression {
            Expression::Literal(_)
            | Expression::Fact(..)
            | Expression::Local(_)
            | Expression::Input => {}
            Expression::Negate(inner)
            | Expression::InstanceOf(inner, _)
            | Expression::Lambda(_, inner)
            | Expression::Path(inner, _) => visit(inner),
            Expression::Item(_, outside) => outside.iter().for_each(|node| visit(node)),
            Expression::Arithmetic(_, left, right)
            | Expression::Compare(_, left, right)
            | Expression::Logic(_, left, right)
            | Expression::Filter(left, right) => {
                visit(left);
                visit(right);
            }
            Expression::Between(parts) | Expression::If(parts) => parts.iter().for_each(visit),
            Expression::In(operand, tests) => {
                visit(operand);
                tests.iter().flat_map(Unary::operands).for_each(visit);
            }
            Expression::List(items) => items.iter().for_each(visit),
            Expression::Context(entries) => entries.iter().for_each(|(_, entry)| visit(entry)),
            Expression::Range(low, high) => {
                visit(&low.value);
                visit(&high.value);
            }
            Expression::For(iterations, body) | Expression::Quantified(_, iterations, body) => {
                for iteration in iterations {
                    visit(&iteration.from);
                    iteration.to.iter().for_each(&mut *visit);
                }
                visit(body);
            }
            Expression::Call(_, arguments) => arguments.nodes().for_each(visit),
        }
    }

    /// The same, to change them.
    pub(crate) fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        match &mut self.expression {
            Expression::Literal(_)
            | Expression::Fact(..)
            | Expression::Local(_)
            | Expression::Input => {}
            Expression::Negate(inner)
            | Expression::InstanceOf(inner, _)
            | Expression::Lambda(_, inner)
            | Expression::Path(inner, _) => visit(inner),
            Expression::Item(_, outside) => outside.iter_mut().for_each(|node| visit(node)),
            Expression::Arithmetic(_, left, right)
            | Expression::Compare(_, left, right)
            | Expression::Logic(_, left, right)
            | Expression::Filter(left, right) => {
                visit(left);
                visit(right);
            }
            Expression::Between(parts) | Expression::If(parts) => parts.iter_mut().for_each(visit),
            Expression::In(operand, tests) => {
                visit(operand);
                tests
                    .iter_mut()
                    .flat_map(Unary::operands_mut)
                    .for_each(visit);
            }
            Expression::List(items) => items.iter_mut().for_each(visit),
            Expression::Context(entries) => {
                entries.iter_mut().for_each(|(_, entry)| visit(entry));
            }
            Expression::Range(low, high) => {
                visit(&mut low.value);
                visit(&mut high.value);
            }
            Expression::For(iterations, body) | Expression::Quantified(_, iterations, body) => {
                for iteration in iterations {
                    visit(&mut iteration.from);
                    iteration.to.iter_mut().for_each(&mut *visit);
                }
                visit(body);
            }
            Expression::Call(_, arguments) => arguments.nodes_mut().for_each(visit),
        }
    }

    /// Whether `?` stands anywhere in this expression.
    #[must_use]
    pub fn has_input(&self) -> bool {
        let mut found = self.expression == Expression::Input;
        self.children(&mut |child| found |= child.has_input());
        found
    }

    /// The constant, if this is one.
    #[must_use]
    pub fn literal(&self) -> Option<&Value> {
        match &self.expression {
            Expression::Literal(value) => Some(value),
            _ => None,
        }
    }
}

impl Test {
    /// The alternatives, whichever way they count.
    #[must_use]
    pub fn alternatives(&self) -> &[Unary] {
        match self {
            Self::Any => &[],
            Self::Positive(tests) | Self::Not(tests) => tests,
        }
    }

    /// Every end and operand in this test, and every condition of its own.
    pub fn operands(&self) -> impl Iterator<Item = &Node> {
        self.alternatives().iter().flat_map(Unary::operands)
    }

    /// Whether an alternative is a condition of its own, rather than a comparison.
    #[must_use]
    pub fn has_condition(&self) -> bool {
        let condition = |test: &Unary| matches!(test, Unary::Boolean(_));
        self.alternatives().iter().any(condition)
    }
}

impl Unary {
    /// Its ends, its operand, or the condition that it is.
    pub fn operands(&self) -> impl Iterator<Item = &Node> {
        let pair = match self {
            Self::Compare(_, value) | Self::Boolean(value) => [Some(value), None],
            Self::Interval { low, high } => [Some(&low.value), Some(&high.value)],
        };
        pair.into_iter().flatten()
    }

    fn operands_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        let pair = match self {
            Self::Compare(_, value) | Self::Boolean(value) => [Some(value), None],
            Self::Interval { low, high } => [Some(&mut low.value), Some(&mut high.value)],
        };
        pair.into_iter().flatten()
    }
}

impl Arguments {
    /// The arguments, in the order of the text.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let (positional, named) = match self {
            Self::Positional(nodes) => (nodes.as_slice(), &[][..]),
            Self::Named(nodes) => (&[][..], nodes.as_slice()),
        };
        positional.iter().chain(named.iter().map(|(_, node)| node))
    }

    fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        let (positional, named) = match self {
            Self::Positional(nodes) => (nodes.as_mut_slice(), &mut [][..]),
            Self::Named(nodes) => (&mut [][..], nodes.as_mut_slice()),
        };
        positional
            .iter_mut()
            .chain(named.iter_mut().map(|(_, node)| node))
    }
}

impl Connective {
    /// The operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

impl Quantifier {
    /// The keyword.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Some => "some",
            Self::Every => "every",
        }
    }
}

impl TypeName {
    /// The types that are known by a name alone.
    pub(super) const SIMPLE: [Self; 11] = [
        Self::DaysDuration,
        Self::MonthsDuration,
        Self::DateTime,
        Self::Any,
        Self::Boolean,
        Self::String,
        Self::Number,
        Self::Date,
        Self::Time,
        Self::Context,
        Self::Null,
    ];

    /// The name; `list` whatever the items.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Any => "Any",
            Self::Null => "Null",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Number => "number",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::DaysDuration => "days and time duration",
            Self::MonthsDuration => "years and months duration",
            Self::List(_) => "list",
            Self::Context => "context",
        }
    }
}

impl Property {
    /// The name behind the dot.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Unit => "unit",
        }
    }
}

impl Comparison {
    /// The operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }
}

impl Operator {
    /// The operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "**",
        }
    }
}
