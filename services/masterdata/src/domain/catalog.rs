//! The rule sets and mappings in force, and the scopes they hold in.

use std::{collections::BTreeMap, ops::Bound};

use decision::{
    Diagnostic, Mark,
    yaml::{self, Fields},
};
use governance::{Scope, files::SCOPE_TREE, tree::ScopeTree};
use sha2::{Digest as _, Sha256};

use super::{checks, mapping::Mapping, rules::RuleSet, schema::Entity};

/// The kinds of documents that make a catalog.
pub const KINDS: [&str; 3] = [RULES, MAPPING, SCOPE_TREE];
const RULES: &str = "RecordRules";
const MAPPING: &str = "RecordMapping";
/// A name is at most this long.
const MAX_NAME: usize = 64;
/// At most this many scopes are named beside one that isn't there.
const MAX_NAMED: usize = 10;

/// A governed document of this service, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// One of [`KINDS`].
    pub kind: String,
    /// Name, one of its kind.
    pub name: String,
    /// Where it holds; empty for what holds everywhere.
    pub scope: String,
    /// Version, counted from 1.
    pub version: i64,
    /// The document in YAML.
    pub source: String,
}

impl Document {
    /// The first version of a document of one of [`KINDS`], which must compile.
    ///
    /// # Errors
    /// With every problem and its place in the text.
    pub fn read(kind: &str, source: &str) -> Result<Self, Vec<Diagnostic>> {
        let (name, scope) = match compile(source)? {
            Compiled::Rules(rules) => (rules.name, rules.scope.to_string()),
            Compiled::Mapping(mapping) => (mapping.name, String::new()),
            Compiled::Scopes(_) => ("scopes".to_owned(), String::new()),
        };
        Ok(Self {
            kind: kind.to_owned(),
            name,
            scope,
            version: 1,
            source: source.to_owned(),
        })
    }

    /// Resource name, such as `mappings/northwind-customers`.
    #[must_use]
    pub fn resource(&self) -> String {
        let collection = match self.kind.as_str() {
            MAPPING => "mappings",
            SCOPE_TREE => "scopeTrees",
            _ => "recordRules",
        };
        format!("{collection}/{}", self.name)
    }

    /// `sha256:` and the hex digest of the source.
    #[must_use]
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(self.source.as_bytes());
        hash.iter().fold("sha256:".to_owned(), |text, byte| {
            format!("{text}{byte:02x}")
        })
    }
}

/// Something compiled, with the version it has.
#[derive(Debug)]
pub struct Versioned<T> {
    /// The compiled form.
    pub item: T,
    /// Version, counted from 1.
    pub version: i64,
    /// Digest of the source.
    pub digest: String,
    /// The source.
    pub source: String,
}

/// All rule sets and mappings, compiled.
#[derive(Debug, Default)]
pub struct Catalog {
    rules: Vec<Versioned<RuleSet>>,
    mappings: BTreeMap<String, Versioned<Mapping>>,
    /// The company's scopes, where they are declared.
    scopes: Option<ScopeTree>,
}

/// A document that doesn't compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}: {problem}")]
pub struct Problem {
    /// Its resource name.
    pub document: String,
    /// What is wrong, with line and column.
    pub problem: Diagnostic,
}

impl Catalog {
    /// Compiles documents.
    ///
    /// # Errors
    /// With every problem of every document.
    pub fn compile(documents: &[Document]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self::default();
        let mut problems = Vec::new();
        for document in documents {
            let refuse = |problem| Problem {
                document: document.resource(),
                problem,
            };
            match compile(&document.source) {
                Ok(compiled) => catalog.add(compiled, document),
                Err(found) => problems.extend(found.into_iter().map(refuse)),
            }
        }
        catalog.rules.sort_by(|a, b| {
            (a.item.scope.depth(), &a.item.name).cmp(&(b.item.scope.depth(), &b.item.name))
        });
        if problems.is_empty() {
            problems = catalog.raised_in_vain();
            problems.extend(catalog.nowhere());
        }
        if problems.is_empty() {
            Ok(catalog)
        } else {
            Err(problems)
        }
    }

    fn raised_in_vain(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for set in &self.rules {
            let holding = self.rule_sets(set.item.entity, &set.item.scope);
            let known =
                |id: &str| checks::is_rule(id) || holding.iter().any(|set| set.item.has_rule(id));
            let document = format!("recordRules/{}", set.item.name);
            let found = set.item.raised_in_vain(known).into_iter();
            problems.extend(found.map(|problem| Problem {
                document: document.clone(),
                problem,
            }));
        }
        problems
    }

    /// Rule sets of scopes that there aren't.
    fn nowhere(&self) -> Vec<Problem> {
        let Some(scopes) = &self.scopes else {
            return Vec::new();
        };
        let nowhere = |set: &&Versioned<RuleSet>| scopes.get(&set.item.scope).is_none();
        self.rules
            .iter()
            .filter(nowhere)
            .map(|set| Problem {
                document: format!("recordRules/{}", set.item.name),
                problem: Diagnostic::new(set.item.place, missing(scopes, &set.item.scope)),
            })
            .collect()
    }

    fn add(&mut self, compiled: Compiled, document: &Document) {
        let (version, digest, source) =
            (document.version, document.digest(), document.source.clone());
        match compiled {
            Compiled::Rules(item) => self.rules.push(Versioned {
                item: *item,
                version,
                digest,
                source,
            }),
            Compiled::Scopes(scopes) => self.scopes = Some(scopes),
            Compiled::Mapping(item) => {
                let name = item.name.clone();
                self.mappings.insert(
                    name,
                    Versioned {
                        item,
                        version,
                        digest,
                        source,
                    },
                );
            }
        }
    }

    /// The rule sets that hold for an entity in a unit, from the enterprise down, then by
    /// name.
    #[must_use]
    pub fn rule_sets(&self, entity: Entity, scope: &Scope) -> Vec<&Versioned<RuleSet>> {
        let applies =
            |set: &&Versioned<RuleSet>| set.item.entity == entity && set.item.scope.contains(scope);
        self.rules.iter().filter(applies).collect()
    }

    /// A scope in which records can be judged: one of the tree. Where no tree is declared,
    /// one of an enterprise that has rules, or any where there are none.
    ///
    /// # Errors
    /// With what is there instead.
    pub fn check_scope(&self, scope: &Scope) -> Result<(), String> {
        if let Some(scopes) = &self.scopes {
            return match scopes.get(scope) {
                Some(_) => Ok(()),
                None => Err(missing(scopes, scope)),
            };
        }
        let enterprise = |scope: &Scope| scope.as_str().split('/').next().map(str::to_owned);
        let wanted = enterprise(scope);
        let known = |set: &Versioned<RuleSet>| enterprise(&set.item.scope) == wanted;
        if self.rules.is_empty() || self.rules.iter().any(known) {
            return Ok(());
        }
        Err(format!("no rules hold in the enterprise of {scope}"))
    }

    /// The mapping of this name.
    #[must_use]
    pub fn mapping(&self, name: &str) -> Option<&Versioned<Mapping>> {
        self.mappings.get(name)
    }

    /// All mappings after a name, by name.
    pub fn mappings_after<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = &'a Versioned<Mapping>> + use<'a> {
        let after = (Bound::Excluded(name), Bound::Unbounded);
        self.mappings
            .range::<str, _>(after)
            .map(|(_, mapping)| mapping)
    }
}

/// A compiled document.
enum Compiled {
    Rules(Box<RuleSet>),
    Mapping(Mapping),
    Scopes(ScopeTree),
}

/// That there is no such scope, and which ones there are below the nearest that is there.
fn missing(scopes: &ScopeTree, scope: &Scope) -> String {
    let mut above = scope.parent();
    while let Some(near) = above.as_ref().filter(|near| scopes.get(near).is_none()) {
        above = near.parent();
    }
    let mut there: Vec<_> = scopes
        .iter()
        .map(|(scope, _)| scope)
        .filter(|known| known.parent() == above)
        .take(MAX_NAMED + 1)
        .map(ToString::to_string)
        .collect();
    if there.len() > MAX_NAMED {
        there[MAX_NAMED] = "…".to_owned();
    }
    let place = above.map_or_else(String::new, |near| format!(" below {near}"));
    match there.as_slice() {
        [] => format!("there is no scope {scope}, and none{place}"),
        there => format!(
            "there is no scope {scope};{place} there are {}",
            there.join(", ")
        ),
    }
}

fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let documents = yaml::parse(source).map_err(|problem| vec![problem])?;
    let [node] = documents.as_slice() else {
        let mark = documents.get(1).map_or(Mark::START, yaml::Node::mark);
        return Err(vec![Diagnostic::new(mark, "expected one YAML document")]);
    };
    match node.get("kind").and_then(yaml::Node::as_str) {
        Some(RULES) => RuleSet::compile(node).map(|rules| Compiled::Rules(Box::new(rules))),
        Some(MAPPING) => Mapping::compile(node).map(Compiled::Mapping),
        Some(SCOPE_TREE) => scopes(source).map(Compiled::Scopes),
        _ => Err(vec![node.problem(format!(
            "key `kind` must be one of {}",
            KINDS.join(", ")
        ))]),
    }
}

fn scopes(source: &str) -> Result<ScopeTree, Vec<Diagnostic>> {
    let source = governance::files::Source {
        path: String::new(),
        lines_before: 0,
        text: source.into(),
        attachments: BTreeMap::new(),
        version: 1,
    };
    match governance::files::compile(&[source]) {
        Ok(bundle) => Ok(bundle.scopes().clone()),
        Err(problems) => Err(problems
            .into_iter()
            .map(|problem| {
                let (line, column) = (problem.line, problem.column);
                Diagnostic::new(Mark { line, column }, problem.message)
            })
            .collect()),
    }
}

/// Takes the name of a document: lower-case letters, digits, hyphens and full stops.
pub(super) fn name(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let node = fields.require("name", problems)?;
    let text = node.text(problems, "a name")?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(allowed) {
        let message = format!(
            "found {}, expected a name of lower-case letters, digits, `-`, `_` and `.`, \
             at most {MAX_NAME} characters",
            node.describe()
        );
        problems.push(node.problem(message));
        return None;
    }
    Some(text.to_owned())
}
