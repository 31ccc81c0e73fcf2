//! Which argument is which parameter.

use super::Builtin;
use crate::sfeel::{Arguments, Node};

/// A parameter of a signature.
struct Parameter {
    name: &'static str,
    optional: bool,
    repeated: bool,
}

fn parameters(signature: &'static str) -> impl Iterator<Item = Parameter> {
    signature
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(|text| {
            let name = text.trim_end_matches(['?', '.']);
            Parameter {
                name,
                optional: text.ends_with('?'),
                repeated: text.ends_with("..."),
            }
        })
}

pub(super) fn arrange(
    builtin: Builtin,
    arguments: &Arguments,
) -> Result<Vec<Option<&Node>>, String> {
    let fitting = builtin
        .signatures()
        .iter()
        .find_map(|signature| match arguments {
            Arguments::Positional(nodes) => positional(signature, nodes),
            Arguments::Named(nodes) => named(signature, nodes),
        });
    fitting.ok_or_else(|| {
        let name = builtin.name();
        let ways: Vec<_> = builtin
            .signatures()
            .iter()
            .map(|signature| format!("({signature})"))
            .collect();
        let found = match arguments {
            Arguments::Positional(nodes) if nodes.len() == 1 => "1 argument".to_owned(),
            Arguments::Positional(nodes) => format!("{} arguments", nodes.len()),
            Arguments::Named(nodes) => {
                let names: Vec<_> = nodes.iter().map(|(name, _)| name.as_str()).collect();
                format!("`{}`", names.join("`, `"))
            }
        };
        format!("found {found}, but `{name}` takes {}", ways.join(" or "))
    })
}

fn positional<'n>(signature: &'static str, nodes: &'n [Node]) -> Option<Vec<Option<&'n Node>>> {
    let mut least = 0;
    let mut most = 0_usize;
    for parameter in parameters(signature) {
        least += usize::from(!parameter.optional);
        most = if parameter.repeated {
            usize::MAX
        } else {
            most.saturating_add(1)
        };
    }
    (least..=most)
        .contains(&nodes.len())
        .then(|| nodes.iter().map(Some).collect())
}

fn named<'n>(
    signature: &'static str,
    nodes: &'n [(String, Node)],
) -> Option<Vec<Option<&'n Node>>> {
    let mut found = 0;
    let mut arranged = Vec::new();
    for parameter in parameters(signature) {
        let argument = nodes.iter().find(|(name, _)| name == parameter.name);
        if argument.is_none() && !parameter.optional {
            return None;
        }
        found += usize::from(argument.is_some());
        arranged.push(argument.map(|(_, node)| node));
    }
    // None may be left over.
    (found == nodes.len()).then_some(arranged)
}
