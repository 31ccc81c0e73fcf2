//! `kind: ScopeTree`.

use std::collections::BTreeMap;

use decision::yaml::Node;
use serde_json::json;

use super::{Diagnostic, Document, Reader, SCOPE_TREE, digest};
use crate::{
    Scope,
    tree::{Level, Node as ScopeNode, ScopeTree},
};

const LEVELS: [(&str, Level); 4] = [
    ("ENTERPRISE", Level::Enterprise),
    ("REGION", Level::Region),
    ("BUSINESS_UNIT", Level::BusinessUnit),
    ("SITE", Level::Site),
];

/// At most this many scopes.
const MAX_SCOPES: usize = 100_000;

pub(super) fn read(document: &Document<'_>) -> Result<(ScopeTree, String), Vec<Diagnostic>> {
    let mut reader = Reader::new(document, &document.node)?;
    reader.one_of("kind", &[(SCOPE_TREE, ())]);
    let mut nodes = BTreeMap::new();
    let mut places: BTreeMap<Scope, &Node> = BTreeMap::new();
    if let Some(list) = reader.required("scopes") {
        let entries = reader.entries("scopes", list, MAX_SCOPES);
        for (key, node) in entries {
            match (Scope::parse(key), scope(document, node)) {
                (Ok(path), Ok(found)) => {
                    places.insert(path.clone(), node);
                    nodes.insert(path, found);
                }
                (path, found) => {
                    if let Err(error) = path {
                        reader.fail(node, error.to_string());
                    }
                    reader.errors.extend(found.err().into_iter().flatten());
                }
            }
        }
    }
    reader.finish()?;
    let form = canonical_form(&nodes);
    let tree = ScopeTree::new(nodes).map_err(|errors| {
        errors
            .into_iter()
            .map(|error| {
                let node = places.get(error.scope()).copied();
                document.error(node.unwrap_or(&document.node), error.to_string())
            })
            .collect::<Vec<_>>()
    })?;
    Ok((tree, digest(&form)))
}

fn scope(document: &Document<'_>, node: &Node) -> Result<ScopeNode, Vec<Diagnostic>> {
    let mut reader = Reader::new(document, node)?;
    let level = reader.one_of("level", &LEVELS);
    let display_name = reader.optional_text("display_name").unwrap_or_default();
    let found = level.map(|level| ScopeNode {
        level,
        display_name: display_name.to_owned(),
    });
    reader.finish()?;
    found.ok_or_else(Vec::new)
}

fn canonical_form(nodes: &BTreeMap<Scope, ScopeNode>) -> serde_json::Value {
    let scopes: BTreeMap<_, _> = nodes
        .iter()
        .map(|(scope, node)| {
            let form = json!({"level": node.level.as_str(), "display_name": node.display_name});
            (scope.as_str(), form)
        })
        .collect();
    json!({"kind": SCOPE_TREE, "scopes": scopes})
}
