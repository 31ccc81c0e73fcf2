//! Decision models: decisions that feed each other, in one file (DMN 1.5, chapters 6, 7 and
//! 10).
//!
//! A decision is a table, an expression, or one of DMN's boxed expressions over inputs, the
//! results of other decisions and functions (DMN's business knowledge). What requires what
//! is a graph without cycles.

mod canonical;
mod conclusion;
mod declaration;
mod evaluate;
mod file;
mod frame;
mod graph;
mod invoke;
mod logic;
mod markdown;
mod standalone;
pub mod suite;
mod table;
mod visible;
mod write;

pub use conclusion::{Absent, Conclusion, Detail, Options, Problem, RowTrace, Trace};
pub(crate) use declaration::Definitions;
pub use declaration::{Declaration, Form};
pub(crate) use visible::Visible;

use crate::{diagnostic::Mark, sfeel, table::Table};

/// A checked decision model.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) types: Vec<(String, Declaration)>,
    pub(crate) inputs: Vec<InputData>,
    pub(crate) functions: Vec<Function>,
    pub(crate) decisions: Vec<Decision>,
    /// The indices of the decisions, each behind those it requires.
    pub(crate) order: Vec<usize>,
    pub(crate) digest: String,
}

/// A fact, or a structure of them, that is given from outside.
#[derive(Debug, Clone)]
pub struct InputData {
    pub(crate) name: String,
    pub(crate) declared: Declaration,
    pub(crate) description: Option<String>,
}

/// What is decided.
#[derive(Debug, Clone)]
pub struct Decision {
    pub(crate) name: String,
    pub(crate) declared: Declaration,
    pub(crate) description: Option<String>,
    pub(crate) question: Option<String>,
    pub(crate) allowed_answers: Option<String>,
    pub(crate) requires: Vec<String>,
    pub(crate) logic: Option<Logic>,
    pub(crate) mark: Mark,
}

/// Logic with parameters that decisions and other functions call: DMN's business knowledge
/// model.
#[derive(Debug, Clone)]
pub struct Function {
    pub(crate) name: String,
    pub(crate) declared: Declaration,
    pub(crate) description: Option<String>,
    pub(crate) requires: Vec<String>,
    pub(crate) lambda: Lambda,
    pub(crate) mark: Mark,
}

/// Parameters and what is made of them.
#[derive(Debug, Clone)]
pub struct Lambda {
    pub(crate) parameters: Vec<(String, Declaration)>,
    pub(crate) body: Option<Logic>,
}

/// How a value comes about: one of DMN's boxed expressions.
#[derive(Debug, Clone)]
pub enum Logic {
    /// A FEEL expression.
    Expression(Formula),
    /// A decision table.
    Table(Box<Table>),
    /// Values by name, each of which may use those before it. The value is that of the entry
    /// without a name, where there is one.
    Context(Vec<Entry>),
    /// A function applied to arguments by name.
    Invocation(Invocation),
    /// Values in order.
    List(Vec<Logic>),
    /// A list of contexts, written as rows of columns.
    Relation {
        /// The names of the entries.
        columns: Vec<String>,
        /// The values, for each row as many as there are columns.
        rows: Vec<Vec<Logic>>,
    },
    /// `if`, `then` and `else`.
    Conditional(Box<[Logic; 3]>),
}

/// A FEEL expression as it was written, and as it was understood.
#[derive(Debug, Clone)]
pub struct Formula {
    pub(crate) text: String,
    pub(crate) node: sfeel::Node,
}

/// An entry of a context.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(crate) name: Option<String>,
    pub(crate) declared: Declaration,
    pub(crate) content: Content,
}

/// What an entry of a context holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// A value.
    Value(Logic),
    /// A function, for the entries behind it to call.
    Function(Lambda),
}

/// A function applied to arguments by name.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub(crate) function: String,
    pub(crate) bindings: Vec<(String, Logic)>,
}

impl Model {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What is given from outside, in the order of the file.
    #[must_use]
    pub fn inputs(&self) -> &[InputData] {
        &self.inputs
    }

    /// What is decided, in the order of the file.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// A decision by its name.
    #[must_use]
    pub fn decision(&self, name: &str) -> Option<&Decision> {
        self.decisions.iter().find(|decision| decision.name == name)
    }

    /// The functions, in the order of the file.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// `sha256:` and 64 hexadecimal digits over the canonical form.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// All tables in it by their paths, in the order of the file: the name of the decision or
    /// function, and where the table is only a part of it, that part's name behind a slash.
    #[must_use]
    pub fn tables(&self) -> Vec<(String, &Table)> {
        let mut found = Vec::new();
        for function in &self.functions {
            let body = function.lambda.body.iter();
            body.for_each(|body| body.tables(&function.name, &mut found));
        }
        for decision in &self.decisions {
            let logic = decision.logic.iter();
            logic.for_each(|logic| logic.tables(&decision.name, &mut found));
        }
        found
    }

    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}

impl Logic {
    fn tables<'m>(&'m self, path: &str, found: &mut Vec<(String, &'m Table)>) {
        let mut inner =
            |name: &str, logic: &'m Self| logic.tables(&format!("{path}/{name}"), found);
        match self {
            Self::Expression(_) => {}
            Self::Table(table) => found.push((path.to_owned(), table)),
            Self::Context(entries) => {
                for entry in entries {
                    let name = entry.name.as_deref().unwrap_or("result");
                    let logic = match &entry.content {
                        Content::Value(logic) => Some(logic),
                        Content::Function(lambda) => lambda.body.as_ref(),
                    };
                    logic.into_iter().for_each(|logic| inner(name, logic));
                }
            }
            Self::Invocation(invocation) => {
                let bindings = invocation.bindings.iter();
                bindings.for_each(|(name, logic)| inner(name, logic));
            }
            Self::List(items) => {
                let items = items.iter().zip(1..);
                items.for_each(|(item, at)| inner(&format!("{at}"), item));
            }
            Self::Relation { rows, .. } => {
                for (row, at) in rows.iter().zip(1..) {
                    row.iter().for_each(|cell| inner(&format!("{at}"), cell));
                }
            }
            Self::Conditional(parts) => {
                for (name, part) in ["if", "then", "else"].into_iter().zip(parts.iter()) {
                    inner(name, part);
                }
            }
        }
    }
}

impl InputData {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its value.
    #[must_use]
    pub fn declared(&self) -> &Declaration {
        &self.declared
    }
}

impl Decision {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its result.
    #[must_use]
    pub fn declared(&self) -> &Declaration {
        &self.declared
    }

    /// The names of the inputs, decisions and functions it uses.
    #[must_use]
    pub fn requires(&self) -> &[String] {
        &self.requires
    }

    /// How it comes about; `None` where that isn't said yet.
    #[must_use]
    pub fn logic(&self) -> Option<&Logic> {
        self.logic.as_ref()
    }

    /// Its table, where it is one.
    #[must_use]
    pub fn table(&self) -> Option<&Table> {
        match &self.logic {
            Some(Logic::Table(table)) => Some(table),
            _ => None,
        }
    }
}

impl Function {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
