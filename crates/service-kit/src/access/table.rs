//! The access table: a YAML file, compiled to sets.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::Path,
};

use governance::Scope;
use serde::Deserialize;

use super::Methods;
use crate::{
    bootstrap::Problem,
    error::{Error, Result},
    identity::{Principal, Scopes},
};

/// The permission to act for a person, whose token comes along.
pub const REPRESENT: &str = "identity.person.represent";

/// Permissions that no method names.
const EXTRA: [&str; 1] = [REPRESENT];

/// Largest access file.
const MAX_FILE: usize = 1024 * 1024;

/// Prefix of the roles of Bylaw's own services.
const INTERNAL_PREFIX: &str = "bylaw-";

const SHIPPED: &str = include_str!("default.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Kind,
    /// Named sets of permissions, which roles take.
    #[serde(default)]
    sets: BTreeMap<String, Vec<String>>,
    roles: BTreeMap<String, Role>,
    #[serde(default)]
    conflicts: Vec<ConflictRow>,
}

#[derive(Deserialize)]
enum Kind {
    AccessTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    /// What it is, for people.
    #[serde(rename = "description")]
    _description: String,
    #[serde(default)]
    sets: Vec<String>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConflictRow {
    roles: Vec<String>,
    with: Vec<String>,
    reason: String,
}

/// Roles with their permissions, and the conflict matrix. A role that isn't in the table
/// has no permission.
#[derive(Debug)]
pub struct AccessTable {
    roles: HashMap<String, HashSet<String>>,
    conflicts: HashMap<String, BTreeMap<String, String>>,
}

/// Two roles of one principal that must not be held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict<'t> {
    /// One role.
    pub first: &'t str,
    /// The other.
    pub second: &'t str,
    /// Why.
    pub reason: &'t str,
}

/// What is wrong with an access table, and where.
pub(crate) fn check_table(path: &str, text: &str) -> Vec<Problem> {
    let Err(said) = AccessTable::parse(text) else {
        return Vec::new();
    };
    if text.len() <= MAX_FILE
        && let Err(error) = serde_saphyr::from_str::<File>(text)
    {
        return vec![Problem::of_yaml(path, 0, &error)];
    }
    vec![Problem::of_file(path, said)]
}

impl AccessTable {
    /// The table that ships with Bylaw.
    ///
    /// # Errors
    /// If it doesn't fit the contracts, which a test rules out.
    pub fn shipped() -> Result<Self> {
        Self::parse(SHIPPED).map_err(|e| Error::invalid("access table", e))
    }

    /// An operator's table.
    ///
    /// # Errors
    /// If it can't be read, or is wrong anywhere.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong =
            |e: String| Error::invalid("identity.access_file", format!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    /// Reads and compiles a table; every permission, set and role it names must exist.
    ///
    /// # Errors
    /// With what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_FILE {
            return Err(format!(
                "{} bytes, at most {MAX_FILE} are allowed",
                text.len()
            ));
        }
        let file: File =
            serde_saphyr::from_str(text).map_err(|e| e.without_snippet().to_string())?;
        let Kind::AccessTable = file.kind;
        let methods = Methods::of_contracts()?;
        let known: HashSet<&str> = methods.permissions().chain(EXTRA).collect();
        for (name, set) in &file.sets {
            check_permissions(&format!("sets.{name}"), set, &known)?;
        }
        let mut roles = HashMap::new();
        for (name, role) in &file.roles {
            let at = format!("roles.{name}");
            if !crate::identity::is_role(name) {
                return Err(format!(
                    "{at}: not lower-case letters, digits and inner hyphens"
                ));
            }
            check_permissions(&format!("{at}.permissions"), &role.permissions, &known)?;
            let mut held: HashSet<String> = role.permissions.iter().cloned().collect();
            for set in &role.sets {
                let set = file
                    .sets
                    .get(set)
                    .ok_or_else(|| format!("{at}: there is no set {set:?}"))?;
                held.extend(set.iter().cloned());
            }
            roles.insert(name.clone(), held);
        }
        let conflicts = compile_conflicts(&file.conflicts, &roles)?;
        Ok(Self { roles, conflicts })
    }

    /// Whether the role has the permission.
    #[must_use]
    pub fn permits(&self, role: &str, permission: &str) -> bool {
        self.roles
            .get(role)
            .is_some_and(|held| held.contains(permission))
    }

    /// Whether the role is one of Bylaw's own services.
    #[must_use]
    pub fn is_internal(&self, role: &str) -> bool {
        role.starts_with(INTERNAL_PREFIX)
    }

    /// Whether the principal holds the permission at the scope.
    #[must_use]
    pub fn allows(&self, principal: &Principal, permission: &str, scope: &Scope) -> bool {
        principal
            .grants
            .iter()
            .any(|grant| grant.at.covers(scope) && self.permits(&grant.role, permission))
    }

    /// Whether the principal holds the permission at any scope.
    #[must_use]
    pub fn allows_somewhere(&self, principal: &Principal, permission: &str) -> bool {
        let mut grants = principal.grants.iter();
        grants.any(|grant| self.permits(&grant.role, permission))
    }

    /// The scopes at which the principal holds the permission.
    #[must_use]
    pub fn scopes(&self, principal: &Principal, permission: &str) -> Scopes {
        let holding = principal
            .grants
            .iter()
            .filter(|grant| self.permits(&grant.role, permission));
        Scopes::of(holding.map(|grant| &grant.at))
    }

    /// The first conflict among the principal's roles, at whatever scopes they are held.
    #[must_use]
    pub fn conflict(&self, principal: &Principal) -> Option<Conflict<'_>> {
        let held: BTreeSet<&str> = principal
            .grants
            .iter()
            .map(|grant| grant.role.as_str())
            .collect();
        held.iter().find_map(|role| {
            let (first, others) = self.conflicts.get_key_value(*role)?;
            let (second, reason) = others
                .iter()
                .find(|(other, _)| held.contains(other.as_str()))?;
            Some(Conflict {
                first,
                second,
                reason,
            })
        })
    }

    /// Role names, in order.
    #[must_use]
    pub fn roles(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.roles.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

fn check_permissions(at: &str, named: &[String], known: &HashSet<&str>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for permission in named {
        if !known.contains(permission.as_str()) {
            return Err(format!("{at}: no method needs a permission {permission:?}"));
        }
        if !seen.insert(permission) {
            return Err(format!("{at}: permission {permission:?} comes twice"));
        }
    }
    Ok(())
}

fn compile_conflicts(
    rows: &[ConflictRow],
    roles: &HashMap<String, HashSet<String>>,
) -> Result<HashMap<String, BTreeMap<String, String>>, String> {
    let mut matrix: HashMap<String, BTreeMap<String, String>> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        let at = format!("conflicts[{index}]");
        if row.roles.is_empty() || row.with.is_empty() || row.reason.is_empty() {
            return Err(format!("{at}: roles, with and reason must not be empty"));
        }
        if let Some(role) = row
            .roles
            .iter()
            .chain(&row.with)
            .find(|role| !roles.contains_key(*role))
        {
            return Err(format!("{at}: there is no role {role:?}"));
        }
        for first in &row.roles {
            for second in &row.with {
                if first == second {
                    return Err(format!(
                        "{at}: role {first:?} can't be in conflict with itself"
                    ));
                }
                for (a, b) in [(first, second), (second, first)] {
                    matrix
                        .entry(a.clone())
                        .or_default()
                        .entry(b.clone())
                        .or_insert_with(|| row.reason.clone());
                }
            }
        }
    }
    Ok(matrix)
}
