//! Which argument is which parameter.

use super::Builtin;
use crate::{
    sfeel::{Arguments, Node},
    types::Type,
};

/// A parameter of a signature.
struct Parameter {
    name: &'static str,
    /// The type that it takes; `None`: several.
    wanted: Option<Wanted>,
    optional: bool,
    repeated: bool,
}

/// The one kind of value that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sfeel) struct Wanted(&'static str);

impl Wanted {
    /// For messages.
    pub(in crate::sfeel) fn name(self) -> &'static str {
        self.0
    }

    /// Whether values of a type can be taken: a list of one may stand for it, and it for a
    /// list of one.
    pub(in crate::sfeel) fn takes(self, ty: &Type) -> bool {
        let fits = |ty: &Type| match self.0 {
            "string" => matches!(ty, Type::String { .. }),
            "number" => matches!(ty, Type::Number { .. }),
            "boolean" => *ty == Type::Boolean,
            "date" => matches!(ty, Type::Date | Type::DateTime | Type::AnyDateTime),
            "time" => *ty == Type::Time,
            "duration" => *ty == Type::DaysDuration,
            "context" => matches!(ty, Type::Context | Type::Structure(_)),
            _ => true,
        };
        match ty {
            Type::Any => true,
            Type::List(of) => self.0 == "list" || **of == Type::Any || fits(of),
            ty => fits(ty),
        }
    }
}

fn parameters(signature: &'static str) -> impl Iterator<Item = Parameter> {
    signature
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(|text| {
            let plain = text.trim_end_matches(['?', '.']);
            let (name, wanted) = match plain.split_once(": ") {
                Some((name, wanted)) => (name, Some(Wanted(wanted))),
                None => (plain, None),
            };
            Parameter {
                name,
                wanted,
                optional: text.ends_with('?'),
                repeated: text.ends_with("..."),
            }
        })
}

/// The arguments whose parameters take one kind of value, with those.
pub(super) fn typed(builtin: Builtin, arguments: &Arguments) -> Vec<(&Node, Wanted)> {
    let fitting = builtin
        .signatures()
        .iter()
        .find(|signature| match arguments {
            Arguments::Positional(nodes) => positional(signature, nodes).is_some(),
            Arguments::Named(nodes) => named(signature, nodes).is_some(),
        });
    let Some(signature) = fitting else {
        return Vec::new();
    };
    let mut typed = Vec::new();
    match arguments {
        Arguments::Positional(nodes) => {
            let mut wanted = parameters(signature);
            let mut last = None;
            for node in nodes {
                let parameter = wanted.next();
                last = parameter.map_or(last, |parameter| parameter.wanted);
                typed.extend(last.map(|wanted| (node, wanted)));
            }
        }
        Arguments::Named(nodes) => {
            for parameter in parameters(signature) {
                let node = nodes.iter().find(|(name, _)| name == parameter.name);
                let pair = node.zip(parameter.wanted);
                typed.extend(pair.map(|((_, node), wanted)| (node, wanted)));
            }
        }
    }
    typed
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
