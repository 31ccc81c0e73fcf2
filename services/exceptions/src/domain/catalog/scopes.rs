//! The tree of scopes: which units there are, and which documents live in.

use governance::{
    Scope,
    files::{self, SCOPE_TREE},
    tree::{Level, ScopeTree},
};

use super::{Catalog, Problem, Source};

/// Where the documents live of events that name a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// In this business unit: the scope, or the unit that a site belongs to.
    Unit(Scope),
    /// In one of the units below: the scope is a region or the enterprise.
    Below,
}

impl Catalog {
    /// Where the documents live of events that name a scope.
    ///
    /// # Errors
    /// If the company has no such scope, or one that belongs to no business unit.
    pub fn home(&self, named: &Scope) -> Result<Home, String> {
        let Some(node) = self.scopes.get(named) else {
            return Err(format!("scope: there is no unit {named}"));
        };
        if node.level < Level::BusinessUnit {
            return Ok(Home::Below);
        }
        let is_unit = |scope: &Scope| {
            let node = self.scopes.get(scope);
            node.is_some_and(|node| node.level == Level::BusinessUnit)
        };
        let unit = named.ancestors().find(is_unit);
        unit.map(Home::Unit)
            .ok_or_else(|| format!("scope: {named} belongs to no business unit"))
    }
}

/// Reads the tree. Documents that declare anything else need one: without it, nobody
/// could say which units there are.
pub(super) fn read(sources: &[Source<'_>]) -> Result<ScopeTree, Vec<Problem>> {
    let (trees, others): (Vec<&Source<'_>>, Vec<_>) = sources
        .iter()
        .filter(|source| super::KINDS.contains(&source.kind))
        .partition(|source| source.kind == SCOPE_TREE);
    if let (Some(first), true) = (others.first(), trees.is_empty()) {
        return Err(vec![Problem {
            path: first.path.to_owned(),
            line: first.line,
            column: 1,
            message: format!("no document of kind {SCOPE_TREE} says which units there are"),
        }]);
    }
    let documents = trees.into_iter().map(|source| files::Source {
        path: source.path.to_owned(),
        lines_before: source.line.saturating_sub(1),
        text: source.text.into(),
        attachments: Default::default(),
        version: 1,
    });
    let bundle = files::compile(&documents.collect::<Vec<_>>()).map_err(|found| {
        let problem = |found: files::Diagnostic| Problem {
            path: found.path,
            line: found.line,
            column: found.column,
            message: found.message,
        };
        found.into_iter().map(problem).collect::<Vec<_>>()
    })?;
    Ok(bundle.scopes().clone())
}
