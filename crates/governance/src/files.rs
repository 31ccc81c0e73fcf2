//! The files that scopes, workflows and policies are written in, and their checks.
//!
//! Strict: a key that nobody knows, a value outside its list, a reference to what isn't
//! there, are errors with file, line and column; all errors of all files are reported at
//! once. The forms are `kind: ScopeTree`, `kind: Workflow`, `kind: Policy` and
//! `kind: Waiver`.

mod policy;
mod reader;
mod scopes;
pub mod suite;
mod waiver;
mod workflow;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt,
    sync::Arc,
};

use decision::{
    Mark,
    yaml::{self, Node},
};

use reader::Reader;

use crate::{Scope, bundle::Bundle, canonical, policy::Mode, tree::ScopeTree, workflow::Workflow};

/// The kinds of documents that make a bundle.
pub const KINDS: [&str; 4] = [SCOPE_TREE, WORKFLOW, POLICY, WAIVER];
/// The kinds of documents that are governed: those of a bundle, and their tests.
pub const GOVERNED: [&str; 5] = [SCOPE_TREE, WORKFLOW, POLICY, WAIVER, suite::POLICY_TEST];
/// The tree of scopes.
pub const SCOPE_TREE: &str = "ScopeTree";
/// A workflow.
pub const WORKFLOW: &str = "Workflow";
/// A policy.
pub const POLICY: &str = "Policy";
/// A waiver of a policy's row.
pub const WAIVER: &str = "Waiver";

/// At most this many documents.
pub const MAX_DOCUMENTS: usize = 20_000;
/// At most this many bytes in a name.
pub const MAX_NAME: usize = 128;
/// At most this many bytes in a text for people.
pub const MAX_TEXT: usize = 2_000;

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path of the file, for errors.
    pub path: String,
    /// How many lines of the file stand before the document.
    pub lines_before: usize,
    /// The document, YAML.
    pub text: Arc<str>,
    /// Files beside it that it names (`rows_csv`), by name.
    pub attachments: BTreeMap<String, String>,
    /// Its version, counted from 1.
    pub version: u64,
}

/// What is wrong in a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was found and what was wanted.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            column,
            message,
        } = self;
        write!(f, "{path}:{line}:{column}: {message}")
    }
}

/// What a document is: enough to keep it, before others are there to check it against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// One of [`GOVERNED`].
    pub kind: &'static str,
    /// Its name; `scopes` for the tree.
    pub name: String,
    /// Names of the files beside it that it needs.
    pub attachments: Vec<String>,
}

/// Reads kind, name and attachments of a document.
///
/// # Errors
/// If it is no YAML mapping of a known kind with a name.
pub fn head(source: &Source) -> Result<Head, Diagnostic> {
    let node = parse(source)?;
    let at = |found: Option<&Node>, message: String| {
        diagnostic(source, found.unwrap_or(&node).mark(), message)
    };
    if node.as_mapping().is_none() {
        return Err(at(
            None,
            format!("found {}, expected a mapping", node.describe()),
        ));
    }
    let kind_node = node.get("kind");
    let kind = GOVERNED
        .into_iter()
        .find(|kind| kind_node.and_then(Node::as_str) == Some(kind))
        .ok_or_else(|| {
            at(
                kind_node,
                format!("kind: expected {}", GOVERNED.join(" or ")),
            )
        })?;
    let name = match (kind, node.get("name")) {
        (SCOPE_TREE, _) => "scopes".to_owned(),
        (_, Some(name)) if name.as_str().is_some_and(is_name) => {
            name.as_str().unwrap_or_default().to_owned()
        }
        (_, found) => return Err(at(found, format!("name: {NAME_RULE}"))),
    };
    let csv = node.get("rows_csv").and_then(Node::as_str);
    Ok(Head {
        kind,
        name,
        attachments: csv.into_iter().map(str::to_owned).collect(),
    })
}

const NAME_RULE: &str =
    "expected lower-case letters, digits, `_`, `-` and `.`, beginning with a letter";

/// Compiles documents into the bundle they make together.
///
/// # Errors
/// Everything that is wrong, in the order of the documents.
pub fn compile(sources: &[Source]) -> Result<Bundle, Vec<Diagnostic>> {
    let mut compiler = Compiler::default();
    if sources.len() > MAX_DOCUMENTS {
        let message = format!(
            "{} documents, at most {MAX_DOCUMENTS} are allowed",
            sources.len()
        );
        return Err(vec![diagnostic(&sources[0], Mark::START, message)]);
    }
    // References go from policies to workflows to scopes, wherever the documents stand.
    for kind in KINDS {
        for source in sources {
            compiler.read(kind, source);
        }
    }
    compiler.finish(sources)
}

/// A document's tree with where it comes from, for errors.
struct Document<'a> {
    source: &'a Source,
    node: Node,
}

#[derive(Default)]
struct Compiler {
    scopes: Option<ScopeTree>,
    workflows: BTreeMap<Arc<str>, Arc<Workflow>>,
    policies: BTreeMap<Arc<str>, Arc<crate::policy::Policy>>,
    waivers: BTreeMap<Arc<str>, Arc<crate::waiver::Waiver>>,
    /// The default of each workflow at a scope.
    defaults: BTreeMap<(Arc<str>, Scope), Arc<str>>,
    digests: BTreeMap<String, String>,
    diagnostics: Vec<Diagnostic>,
    /// What is there and wrong (`Workflow/order_release`): that is said once, and not again
    /// of everything that refers to it.
    broken: BTreeSet<String>,
}

impl Compiler {
    fn read(&mut self, kind: &'static str, source: &Source) {
        let (head, node) = match (head(source), parse(source)) {
            (Ok(head), Ok(node)) => (head, node),
            (Err(diagnostic), _) | (_, Err(diagnostic)) => {
                if kind == SCOPE_TREE {
                    self.diagnostics.push(diagnostic);
                }
                return;
            }
        };
        if head.kind != kind {
            return;
        }
        if kind == POLICY && self.refers_to_broken(&node) {
            return;
        }
        let document = Document { source, node };
        let digest = match kind {
            SCOPE_TREE => self.scope_tree(&document),
            WORKFLOW => self.workflow(&document),
            WAIVER => self.waiver(&document),
            _ => self.policy(&document),
        };
        match digest {
            Ok(digest) => {
                self.digests.insert(format!("{kind}/{}", head.name), digest);
            }
            Err(mut diagnostics) => {
                self.diagnostics.append(&mut diagnostics);
                self.broken.insert(format!("{kind}/{}", head.name));
            }
        }
    }

    fn refers_to_broken(&self, policy: &Node) -> bool {
        let workflow = policy.get("workflow").and_then(Node::as_str);
        let workflow = format!("{WORKFLOW}/{}", workflow.unwrap_or_default());
        self.broken.contains(&workflow) || self.broken.contains(&format!("{SCOPE_TREE}/scopes"))
    }

    fn scope_tree(&mut self, document: &Document<'_>) -> Result<String, Vec<Diagnostic>> {
        let (tree, digest) = scopes::read(document)?;
        if self.scopes.replace(tree).is_some() {
            let message = "a second scope tree: all scopes stand in one document".to_owned();
            return Err(vec![document.error(&document.node, message)]);
        }
        Ok(digest)
    }

    fn workflow(&mut self, document: &Document<'_>) -> Result<String, Vec<Diagnostic>> {
        let (workflow, digest) = workflow::read(document)?;
        match self.workflows.entry(workflow.name.clone()) {
            Entry::Occupied(entry) => {
                let message = format!("a second workflow {}", entry.key());
                return Err(vec![document.error(&document.node, message)]);
            }
            Entry::Vacant(entry) => entry.insert(Arc::new(workflow)),
        };
        Ok(digest)
    }

    fn policy(&mut self, document: &Document<'_>) -> Result<String, Vec<Diagnostic>> {
        let none = ScopeTree::default();
        let scopes = self.scopes.as_ref().unwrap_or(&none);
        let policy = policy::read(document, scopes, &self.workflows)?;
        let digest = policy.digest.to_string();
        if policy.mode == Mode::Default {
            let place = (policy.workflow.clone(), policy.scope.clone());
            if let Some(other) = self.defaults.insert(place, policy.name.clone()) {
                let message = format!(
                    "a second default of {} at {}, beside {other}",
                    policy.workflow, policy.scope
                );
                return Err(vec![document.error(&document.node, message)]);
            }
        }
        match self.policies.entry(policy.name.clone()) {
            Entry::Occupied(entry) => {
                let message = format!("a second policy {}", entry.key());
                return Err(vec![document.error(&document.node, message)]);
            }
            Entry::Vacant(entry) => entry.insert(Arc::new(policy)),
        };
        Ok(digest)
    }

    fn waiver(&mut self, document: &Document<'_>) -> Result<String, Vec<Diagnostic>> {
        let scopes = self.scopes.clone().unwrap_or_default();
        let waiver = waiver::read(document, &scopes, &self.workflows, &self.policies)?;
        let digest = waiver.digest.to_string();
        match self.waivers.entry(waiver.name.clone()) {
            Entry::Occupied(entry) => {
                let message = format!("a second waiver {}", entry.key());
                return Err(vec![document.error(&document.node, message)]);
            }
            Entry::Vacant(entry) => entry.insert(Arc::new(waiver)),
        };
        Ok(digest)
    }

    fn finish(mut self, sources: &[Source]) -> Result<Bundle, Vec<Diagnostic>> {
        if self.diagnostics.is_empty() {
            let scopes = self.scopes.unwrap_or_default();
            return Ok(Bundle::new(
                scopes,
                self.workflows,
                self.policies,
                self.waivers,
                &self.digests,
            ));
        }
        let position = |path: &str| sources.iter().position(|source| source.path == path);
        self.diagnostics
            .sort_by_key(|d| (position(&d.path), d.line, d.column));
        self.diagnostics.dedup();
        Err(self.diagnostics)
    }
}

impl Document<'_> {
    fn error(&self, node: &Node, message: impl Into<String>) -> Diagnostic {
        diagnostic(self.source, node.mark(), message.into())
    }
}

fn parse(source: &Source) -> Result<Node, Diagnostic> {
    let mut documents = yaml::parse(&source.text).map_err(|d| relocate(source, d))?;
    match (documents.len(), documents.pop()) {
        (1, Some(node)) => Ok(node),
        (count, _) => Err(diagnostic(
            source,
            Mark::START,
            format!("{count} documents, expected one"),
        )),
    }
}

fn diagnostic(source: &Source, mark: Mark, message: String) -> Diagnostic {
    Diagnostic {
        path: source.path.clone(),
        line: source.lines_before + mark.line,
        column: mark.column,
        message,
    }
}

fn relocate(source: &Source, found: decision::Diagnostic) -> Diagnostic {
    let message = match found.cell {
        Some(cell) => format!("{cell}: {}", found.message),
        None => found.message,
    };
    let Some(file) = found.file else {
        return diagnostic(source, found.mark, message);
    };
    // In a file beside the document, whose lines count from its own start.
    let path = match source.path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{file}"),
        None => file,
    };
    Diagnostic {
        path,
        line: found.mark.line,
        column: found.mark.column,
        message,
    }
}

/// Whether a text can name a workflow or a policy.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(inner)
        && text.as_bytes()[0].is_ascii_lowercase()
        && !text.contains("..")
        && !text.ends_with('.')
}

/// The digest over a canonical form.
fn digest(form: &serde_json::Value) -> String {
    canonical::digest(form)
}

#[cfg(test)]
mod tests;
