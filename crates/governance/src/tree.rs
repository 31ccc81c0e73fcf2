//! The tree of scopes that a company has.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::Scope;

/// How high in the tree a scope stands. The enterprise is the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// The whole company: the root.
    Enterprise,
    /// A region of the enterprise.
    Region,
    /// A business unit.
    BusinessUnit,
    /// A site (warehouse, plant, branch) of a business unit.
    Site,
}

impl Level {
    /// The name in files, such as `BUSINESS_UNIT`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "ENTERPRISE",
            Self::Region => "REGION",
            Self::BusinessUnit => "BUSINESS_UNIT",
            Self::Site => "SITE",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// How high it stands.
    pub level: Level,
    /// What people call it; empty: nothing but its path.
    pub display_name: String,
}

/// All scopes, each with the scope above it: one root, the enterprise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeTree(BTreeMap<Scope, Node>);

/// Why scopes form no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The scope above is missing.
    #[error("the scope above {0}, {1}, is not listed")]
    Orphan(Scope, Scope),
    /// A root that isn't the enterprise.
    #[error("the root {0} has level {1}, expected ENTERPRISE")]
    Root(Scope, Level),
    /// A second root.
    #[error("{0} is a second root beside {1}: all scopes stand under one enterprise")]
    SecondRoot(Scope, Scope),
    /// A scope that isn't lower than the one above it.
    #[error("{0} has level {1}, expected one below {2}, the level of the scope above it")]
    Level(Scope, Level, Level),
}

impl Error {
    /// The scope at fault.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Orphan(scope, _)
            | Self::Root(scope, _)
            | Self::SecondRoot(scope, _)
            | Self::Level(scope, _, _) => scope,
        }
    }
}

impl ScopeTree {
    /// Makes a tree of scopes. Levels fall from the root on; a level may be left out.
    ///
    /// # Errors
    /// Every scope that has no place in the tree, with why.
    pub fn new(scopes: BTreeMap<Scope, Node>) -> Result<Self, Vec<Error>> {
        let mut errors = Vec::new();
        let mut root: Option<&Scope> = None;
        for (scope, node) in &scopes {
            let Some(above) = scope.parent() else {
                if node.level != Level::Enterprise {
                    errors.push(Error::Root(scope.clone(), node.level));
                }
                if let Some(first) = root {
                    errors.push(Error::SecondRoot(scope.clone(), first.clone()));
                }
                root = root.or(Some(scope));
                continue;
            };
            match scopes.get(&above) {
                None => errors.push(Error::Orphan(scope.clone(), above)),
                Some(parent) if node.level <= parent.level => {
                    errors.push(Error::Level(scope.clone(), node.level, parent.level));
                }
                Some(_) => {}
            }
        }
        if errors.is_empty() {
            Ok(Self(scopes))
        } else {
            Err(errors)
        }
    }

    /// What is known of a scope.
    #[must_use]
    pub fn get(&self, scope: &Scope) -> Option<&Node> {
        self.0.get(scope)
    }

    /// All scopes, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, &Node)> {
        self.0.iter()
    }

    /// How many scopes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no scope at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn tree(scopes: &[(&str, Level)]) -> Result<ScopeTree, Vec<Error>> {
        ScopeTree::new(
            scopes
                .iter()
                .map(|(path, level)| {
                    let node = Node {
                        level: *level,
                        display_name: String::new(),
                    };
                    (path.parse().unwrap(), node)
                })
                .collect(),
        )
    }

    #[test]
    fn levels_fall_and_may_be_left_out() {
        let scopes = [
            ("acme", Level::Enterprise),
            ("acme/tools", Level::BusinessUnit),
            ("acme/tools/bern", Level::Site),
        ];
        assert_eq!(tree(&scopes).unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_tree_is_refused_with_every_fault() {
        let errors = tree(&[
            ("acme", Level::Enterprise),
            ("acme/europe/medical", Level::BusinessUnit),
            ("acme/north", Level::Enterprise),
            ("other", Level::Region),
        ])
        .unwrap_err();
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "the scope above acme/europe/medical, acme/europe, is not listed",
                "acme/north has level ENTERPRISE, expected one below ENTERPRISE, \
                 the level of the scope above it",
                "the root other has level REGION, expected ENTERPRISE",
                "other is a second root beside acme: all scopes stand under one enterprise",
            ]
        );
    }
}
