//! FEEL expressions over the names that are visible.

use super::{Choices, sorts::SORTS};

/// What an expression may name.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Values, by names or paths, with their sort where it is known.
    pub values: Vec<(String, Option<usize>)>,
    /// Functions with their parameters.
    pub functions: Vec<(String, Vec<String>)>,
}

impl Scope {
    /// Forgets a name that something else is about to get, and the paths through it.
    pub fn hide(&mut self, name: &str) {
        let path = format!("{name}.");
        let hidden = |known: &str| known == name || known.starts_with(&path);
        self.values.retain(|(known, _)| !hidden(known));
        self.functions.retain(|(known, _)| known != name);
    }
}

/// A constant, or one that is calculated.
pub fn constant(c: &mut Choices) -> String {
    let sort = &SORTS[c.below(SORTS.len())];
    c.pick(sort.feel).to_owned()
}

/// An expression, of so many levels at most.
pub fn expression(c: &mut Choices, scope: &Scope, levels: usize) -> String {
    let kinds = if levels == 0 { 2 } else { 18 };
    let inner = |c: &mut Choices| expression(c, scope, levels.saturating_sub(1));
    match c.below(kinds) {
        0 => constant(c),
        1 => match scope.values.len() {
            0 => constant(c),
            count => scope.values[c.below(count)].0.clone(),
        },
        2 => {
            let operator = c.pick(&["+", "-", "*", "/", "**"]);
            format!("({}) {operator} ({})", inner(c), inner(c))
        }
        3 => {
            let operator = c.pick(&["=", "!=", "<", "<=", ">", ">="]);
            format!("({}) {operator} ({})", inner(c), inner(c))
        }
        4 => {
            let connective = c.pick(&["and", "or"]);
            format!("({}) {connective} ({})", inner(c), inner(c))
        }
        5 => format!("if ({}) then {} else {}", inner(c), inner(c), inner(c)),
        6 => format!("[{}, {}]", inner(c), inner(c)),
        7 => format!("{{a: {}, \"b c\": [a, {}]}}", inner(c), inner(c)),
        8 => format!("for x in [{}, 2] return [x, {}]", inner(c), inner(c)),
        9 => {
            let quantifier = c.pick(&["some", "every"]);
            format!(
                "{quantifier} y in [{}] satisfies y = ({})",
                inner(c),
                inner(c)
            )
        }
        10 => format!("[{}, {}][item = ({})]", inner(c), inner(c), inner(c)),
        11 => format!(
            "({}) instance of {}",
            inner(c),
            c.pick(&["number", "list<string>", "date and time", "Any"])
        ),
        12 => format!("({}) between ({}) and ({})", inner(c), inner(c), inner(c)),
        13 => format!("({}) in (1, > ({}), [\"a\"..\"b\"])", inner(c), inner(c)),
        14 => {
            let function = c.pick(&[
                "string",
                "count",
                "max",
                "not",
                "abs",
                "upper case",
                "flatten",
            ]);
            format!("{function}({})", inner(c))
        }
        15 => match scope.functions.len() {
            0 => format!("-({})", inner(c)),
            count => {
                let (name, parameters) = &scope.functions[c.below(count)].clone();
                let arguments: Vec<_> = parameters.iter().map(|_| inner(c)).collect();
                format!("{name}({})", arguments.join(", "))
            }
        },
        16 => format!(
            "{{f: function(a) a = ({}), r: f({})}}.r",
            inner(c),
            inner(c)
        ),
        _ => format!(
            "[{}, {{a: 1}}].a[{}]",
            inner(c),
            c.pick(&["1", "-1", "item > 0"])
        ),
    }
}
