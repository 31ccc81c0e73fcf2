//! Declarations: facts, inputs and outputs.

use std::collections::{BTreeMap, HashSet};

use super::{Input, OutputColumn};
use crate::{
    diagnostic::Diagnostic,
    limits,
    sfeel::{self, Expression, Names, Property, Test},
    types::Type,
    value::Value,
    yaml::{Fields, Node},
};

/// Adds the facts of a mapping from names to types.
pub(super) fn take_facts(
    node: &Node,
    types: &mut BTreeMap<String, Type>,
    problems: &mut Vec<Diagnostic>,
) {
    let Some(entries) = node.as_mapping() else {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        return;
    };
    for (key, value) in entries {
        let Some(name) = fact_name(key, problems) else {
            continue;
        };
        let mut fields = match Fields::new(value) {
            Ok(fields) => fields,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let ty = Type::take(&mut fields, problems);
        fields.finish(problems);
        if let Some(ty) = ty
            && types.insert(name.to_owned(), ty).is_some()
        {
            problems.push(key.problem(format!("fact `{name}` is declared already")));
        }
    }
}

/// The name of a fact that a key declares: not empty, not too long, no reserved word.
fn fact_name<'n>(key: &'n Node, problems: &mut Vec<Diagnostic>) -> Option<&'n str> {
    let name = key.as_str().unwrap_or_default();
    let starts = name
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    let clean = !name
        .chars()
        .any(|c| c.is_control() || matches!(c, '"' | ',' | '(' | ')' | '[' | ']'));
    if Names::is_reserved(name) || !starts || !clean || name.len() > limits::NAME_BYTES {
        problems.push(key.problem(format!("{} can't be the name of a fact", key.describe())));
        return None;
    }
    Some(name)
}

/// An input as the file has it, before facts are all known.
struct Draft<'n> {
    node: &'n Node,
    expression: &'n Node,
    text: &'n str,
    key: String,
    ty: Option<Type>,
    allowed: Option<&'n Node>,
}

pub(super) fn take_inputs(
    node: &Node,
    types: &mut BTreeMap<String, Type>,
    open: bool,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<Input>> {
    let before = problems.len();
    let items = node.items(problems, "a sequence of input expressions");
    if items.len() > limits::COLUMNS {
        let message = format!(
            "found {} inputs, at most {} are allowed",
            items.len(),
            limits::COLUMNS
        );
        problems.push(node.problem(message));
        return None;
    }
    let drafts: Vec<_> = items
        .iter()
        .filter_map(|item| draft(item, open, problems))
        .collect();
    declare(&drafts, types);
    let names = Names::new(types.keys().map(String::as_str));
    let mut seen = HashSet::new();
    let mut parsed = Vec::new();
    for draft in drafts {
        if !seen.insert(draft.key.clone()) {
            problems.push(
                draft
                    .node
                    .problem(format!("input `{}` stands twice", draft.key)),
            );
        }
        match sfeel::parse_expression(draft.text, &names) {
            Ok(expression) => parsed.push((draft, expression)),
            Err(error) => problems.push(located(draft.expression, &error)),
        }
    }
    // An input on a fact's currency lets amounts in every currency through.
    for (_, expression) in &parsed {
        if let Expression::Fact(name, Some(Property::Currency)) = &expression.expression
            && let Some(Type::Money { currency }) = types.get_mut(name)
        {
            *currency = None;
        }
    }
    let inputs: Vec<_> = parsed
        .into_iter()
        .filter_map(|(draft, expression)| finish(draft, expression, types, &names, problems))
        .collect();
    (problems.len() == before).then_some(inputs)
}

fn draft<'n>(item: &'n Node, open: bool, problems: &mut Vec<Diagnostic>) -> Option<Draft<'n>> {
    if let Some(text) = item.as_str() {
        let key = text.trim().to_owned();
        return Some(Draft {
            node: item,
            expression: item,
            text,
            key,
            ty: None,
            allowed: None,
        });
    }
    let mut fields = Fields::new(item)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let expression = fields.require("expression", problems)?;
    let text = expression.text(problems, "an S-FEEL expression")?;
    let key = fields
        .text("name", problems)
        .unwrap_or_else(|| text.trim().to_owned());
    let allowed = fields.take("allowed");
    let ty = if fields.node().get("type").is_none() {
        None
    } else if open {
        Some(Type::take(&mut fields, problems)?)
    } else {
        let at = fields.take("type")?;
        problems.push(at.problem("types come from the workflow's facts here, not from inputs"));
        return None;
    };
    fields.finish(problems);
    Some(Draft {
        node: item,
        expression,
        text,
        key,
        ty,
        allowed,
    })
}

/// An input with a type whose expression is a bare name that nobody declared declares it.
fn declare(drafts: &[Draft<'_>], types: &mut BTreeMap<String, Type>) {
    for draft in drafts {
        let name = draft.text.trim();
        let plain = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ' '))
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.len() <= limits::NAME_BYTES
            && !Names::is_reserved(name);
        if let (Some(ty), true) = (&draft.ty, plain) {
            let names = Names::new(types.keys().map(String::as_str));
            if sfeel::parse_expression(name, &names).is_err() {
                types.insert(name.to_owned(), ty.clone());
            }
        }
    }
}

fn finish(
    draft: Draft<'_>,
    mut expression: sfeel::Node,
    types: &BTreeMap<String, Type>,
    names: &Names,
    problems: &mut Vec<Diagnostic>,
) -> Option<Input> {
    let ty = sfeel::check_expression(&mut expression, types)
        .map_err(|error| problems.push(located(draft.expression, &error)))
        .ok()?;
    if draft.ty.as_ref().is_some_and(|declared| *declared != ty) && !widened(draft.ty.as_ref(), &ty)
    {
        problems.push(
            draft
                .node
                .problem(format!("input is declared otherwise, but is {ty}")),
        );
    }
    let allowed = match draft.allowed {
        None => Test::Any,
        Some(node) => parse_cell(node, &ty, types, names)
            .map_err(|problem| problems.push(problem.in_cell("allowed")))
            .ok()?,
    };
    let mark = draft.node.mark();
    Some(Input {
        key: draft.key,
        expression,
        ty,
        allowed,
        mark,
    })
}

/// Whether a type differs only since its currency is tested by an input of its own.
fn widened(declared: Option<&Type>, ty: &Type) -> bool {
    matches!(
        (declared, ty),
        (Some(Type::Money { .. }), Type::Money { currency: None })
    )
}

/// A problem of an expression at its place in the file.
pub(super) fn located(node: &Node, error: &sfeel::Error) -> Diagnostic {
    Diagnostic::new(node.text_mark().right(error.at), error.message.clone())
}

/// Reads and checks the test in a node.
pub(super) fn parse_cell(
    node: &Node,
    ty: &Type,
    types: &BTreeMap<String, Type>,
    names: &Names,
) -> Result<Test, Diagnostic> {
    let text = node.as_str().filter(|text| !text.trim().is_empty());
    let Some(text) = text else {
        let found = if node.as_str().is_some() {
            "nothing".to_owned()
        } else {
            node.describe()
        };
        return Err(node.problem(format!(
            "found {found}, expected an S-FEEL test such as '<= 10'"
        )));
    };
    let checked = sfeel::parse_test(text, names).and_then(|mut test| {
        sfeel::check_test(&mut test, ty, types)?;
        Ok(test)
    });
    checked.map_err(|error| located(node, &error))
}

/// Output columns: names, or mappings with a type, `values` and `optional`.
pub(super) fn take_outputs(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<OutputColumn> {
    let items = node.items(problems, "a sequence of outputs");
    if items.len() > limits::COLUMNS {
        let message = format!(
            "found {} outputs, at most {} are allowed",
            items.len(),
            limits::COLUMNS
        );
        problems.push(node.problem(message));
        return Vec::new();
    }
    let mut outputs: Vec<OutputColumn> = Vec::new();
    for item in items {
        let Some(output) = take_output(item, problems) else {
            continue;
        };
        if outputs.iter().any(|other| other.name == output.name) {
            problems.push(item.problem(format!("output `{}` stands twice", output.name)));
        }
        outputs.push(output);
    }
    outputs
}

fn take_output(item: &Node, problems: &mut Vec<Diagnostic>) -> Option<OutputColumn> {
    if let Some(name) = item.as_str() {
        let name = name.to_owned();
        return Some(OutputColumn {
            name,
            ty: Type::Any,
            values: Vec::new(),
            required: true,
        });
    }
    let mut fields = Fields::new(item)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let name = fields
        .require("name", problems)?
        .text(problems, "a name")?
        .to_owned();
    let values_node = fields.take("values");
    let optional = fields
        .take("optional")
        .map_or(Some(false), |node| node.boolean(problems))?;
    let ty = match item.get("type") {
        Some(_) => Type::take(&mut fields, problems)?,
        None => Type::Any,
    };
    fields.finish(problems);
    let mut values = Vec::new();
    for value in values_node.map_or(&[][..], |node| node.items(problems, "a sequence of values")) {
        match output_value(value, &ty) {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    Some(OutputColumn {
        name,
        ty,
        values,
        required: !optional,
    })
}

/// The value of an output, as its type has it. A text output takes a bare scalar as it stands.
pub(super) fn output_value(node: &Node, ty: &Type) -> Result<Value, Diagnostic> {
    let value = match (ty, node.as_str()) {
        (Type::String { .. }, Some(text)) if !node.is_null() => Value::String(text.to_owned()),
        _ => node.to_value()?,
    };
    ty.coerce(value)
        .map_err(|mismatch| node.problem(mismatch.message))
}
