//! What the enterprise and its units have declared: scopes, taxonomy, event types,
//! detection, routing, calendars and actions, compiled from files.

mod event_type;
mod forms;
mod parts;
mod scopes;
mod tables;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use chrono::TimeDelta;
use decision::{Facts, Type, UnaryTest};
use governance::{Scope, files::SCOPE_TREE, tree::ScopeTree};

pub use event_type::{EventType, Executes, Reading, Resolves};
pub use scopes::Home;
pub use tables::{Detection, Route, Routing};

use super::{calendar::Calendar, exception::Severity};

/// Name of the input that holds an event's type.
pub const EVENT_TYPE: &str = "event.type";
/// Name of the input that holds the type of the exception to route.
pub const EXCEPTION_TYPE: &str = "exception.type";

/// The kinds of documents this service reads.
pub const KINDS: [&str; 7] = [
    SCOPE_TREE,
    "Taxonomy",
    "EventType",
    "Detection",
    "Routing",
    "Calendar",
    "ActionDefinition",
];

/// A document of a file.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Path of the file, for messages.
    pub path: &'a str,
    /// Line of the file that the text begins on, from 1.
    pub line: usize,
    /// Its `kind`.
    pub kind: &'a str,
    /// The document.
    pub text: &'a str,
}

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct Problem {
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What was found and what was wanted.
    pub message: String,
}

/// All problems of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// A type of exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionType {
    /// What people call it.
    pub title: String,
    /// Whether the document can't go on, unless the routing says otherwise.
    pub blocking: bool,
    /// Severity where no routing table knows the type.
    pub severity: Severity,
    /// Queue where no routing table knows the type.
    pub queue: String,
    /// Root causes by code, with their meaning.
    pub root_causes: BTreeMap<String, String>,
    /// Resolutions by code, with their meaning.
    pub resolutions: BTreeMap<String, String>,
}

/// An argument of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its type.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// What its value must meet, beside the type.
    pub test: Option<UnaryTest>,
    /// Name of the fact that a policy sees it as.
    pub fact: String,
}

/// An action that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionDefinition {
    /// What it does in the executing system.
    pub operation: String,
    /// Workflow that governs it.
    pub workflow: String,
    /// The executing system.
    pub audience: String,
    /// Types of exceptions it applies to.
    pub applies_to: Vec<String>,
    /// Arguments by name.
    pub arguments: BTreeMap<String, Argument>,
    /// Resolution code with which its execution resolves the exception, if it does.
    pub resolves: Option<String>,
    /// How long approvals are waited for.
    pub approval_ttl: TimeDelta,
}

/// Everything declared.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The units there are, and what is above and below them.
    pub scopes: ScopeTree,
    /// Types of exceptions.
    pub taxonomy: BTreeMap<String, ExceptionType>,
    /// Types of events.
    pub events: HashMap<String, EventType>,
    /// Detection tables by scope.
    pub detections: BTreeMap<Scope, Vec<Detection>>,
    /// Routing tables by scope, one each.
    pub routings: BTreeMap<Scope, Routing>,
    /// Calendars by name.
    pub calendars: BTreeMap<String, Calendar>,
    /// Actions by operation.
    pub actions: BTreeMap<String, ActionDefinition>,
}

/// What the routing of an exception came to, deadlines included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// Queue, severity and the rest.
    pub route: Route,
    /// The calendar that deadlines run by.
    pub calendar: Option<String>,
}

impl Catalog {
    /// Compiles documents, in any order. Those of a kind that isn't in [`KINDS`] are
    /// other services' and left alone.
    ///
    /// # Errors
    /// With every problem found.
    pub fn compile(sources: &[Source<'_>]) -> Result<Self, Problems> {
        forms::compile(sources)
    }

    /// The exception types that an event raises at a scope: what any detection table on
    /// the scope's path says, and with facts unknown, what any of them could say.
    ///
    /// # Errors
    /// If a table has no result for these facts.
    pub fn detect(&self, scope: &Scope, facts: &Facts) -> Result<Vec<&str>, String> {
        let mut found = Vec::new();
        for above in scope.ancestors() {
            for detection in self.detections.get(&above).into_iter().flatten() {
                for kind in detection.raises(facts)? {
                    if let Some((name, _)) = self.taxonomy.get_key_value(&kind)
                        && !found.contains(&name.as_str())
                    {
                        found.push(name.as_str());
                    }
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Queue, severity, deadlines and first action of an exception at a scope: from the
    /// nearest routing table on the path that knows it, else from the taxonomy.
    ///
    /// # Errors
    /// If a table has no result for these facts.
    pub fn route(
        &self,
        scope: &Scope,
        kind: &str,
        facts: &Facts,
    ) -> Result<Option<Routed>, String> {
        let Some(declared) = self.taxonomy.get(kind) else {
            return Ok(None);
        };
        for above in scope.ancestors() {
            if let Some(routing) = self.routings.get(&above)
                && let Some(route) = routing.route(kind, declared, facts)?
            {
                let calendar = Some(routing.calendar.clone());
                return Ok(Some(Routed { route, calendar }));
            }
        }
        Ok(Some(Routed {
            route: Route {
                queue: declared.queue.clone(),
                severity: declared.severity,
                blocking: declared.blocking,
                response: None,
                resolution: None,
                first_action: String::new(),
            },
            calendar: None,
        }))
    }
}
