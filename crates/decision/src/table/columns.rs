//! Declarations: facts, inputs and outputs.

use std::collections::{BTreeMap, HashSet};

use super::{
    Input, OutputColumn,
    file::Surroundings,
    language::Language,
    names::{collapsed, name_problem},
};
use crate::{
    diagnostic::Diagnostic,
    limits,
    sfeel::{self, Comparison, Expression, Names, Property, Test, Unary},
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
    if entries.len() > limits::FACTS {
        let (count, most) = (entries.len(), limits::FACTS);
        problems.push(node.problem(format!("found {count} facts, at most {most} are allowed")));
        return;
    }
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
    surroundings: &mut Surroundings<'_, '_>,
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
        .filter_map(|item| draft(item, surroundings, problems))
        .collect();
    if surroundings.open {
        declare(&drafts, types);
    }
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
        parsed.push(draft);
    }
    // An input on a fact's currency lets amounts in every currency through.
    let language = surroundings.language(types);
    let tested = parsed.iter().filter_map(|draft| {
        let (expression, _) = language.expression(draft.expression).ok()?;
        match expression.expression {
            Expression::Fact(name, Some(Property::Currency)) => Some(name),
            _ => None,
        }
    });
    for name in tested.collect::<Vec<_>>() {
        if let Some(Type::Money { currency }) = types.get_mut(&name) {
            *currency = None;
        }
    }
    let language = surroundings.language(types);
    let lenient = surroundings.in_model();
    let inputs: Vec<_> = parsed
        .into_iter()
        .filter_map(|draft| finish(draft, &language, lenient, problems))
        .collect();
    (problems.len() == before).then_some(inputs)
}

fn draft<'n>(
    item: &'n Node,
    surroundings: &mut Surroundings<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Draft<'n>> {
    if let Some(text) = item.as_str() {
        let key = collapsed(text);
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
        .map_or_else(|| collapsed(text), |name| collapsed(&name));
    let allowed = fields.take("allowed");
    let ty = if fields.node().get("type").is_none() {
        None
    } else if surroundings.open || surroundings.in_model() {
        Some(surroundings.take_type(&mut fields, problems)?.0)
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
    let known: Vec<String> = types.keys().cloned().collect();
    let mut names = Names::new(known.iter().map(String::as_str));
    for draft in drafts {
        let name = draft.text.trim();
        let plain = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ' '))
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.len() <= limits::NAME_BYTES
            && !Names::is_reserved(name);
        if let (Some(ty), true) = (&draft.ty, plain)
            && sfeel::parse_expression(name, &names).is_err()
        {
            types.insert(name.to_owned(), ty.clone());
            names.add(name);
        }
    }
}

fn finish(
    draft: Draft<'_>,
    language: &Language<'_>,
    lenient: bool,
    problems: &mut Vec<Diagnostic>,
) -> Option<Input> {
    let (expression, mut ty) = language
        .expression(draft.expression)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    if let Some(declared) = draft.ty {
        // In a model, what an expression is counts more than what its column says.
        if lenient {
            ty = if ty == Type::Any { declared } else { ty };
        } else if declared != ty && !widened(&declared, &ty) {
            let message = format!("input is declared otherwise, but is {ty}");
            problems.push(draft.node.problem(message));
        }
    }
    let allowed = match draft.allowed {
        None => Test::Any,
        Some(node) => language
            .test(node, &ty)
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
fn widened(declared: &Type, ty: &Type) -> bool {
    matches!(
        (declared, ty),
        (Type::Money { .. }, Type::Money { currency: None })
    )
}

/// Output columns: names, or mappings with a type, `values` or `allowed`, `optional` and
/// `default`. The defaults by name.
pub(super) fn take_outputs(
    node: &Node,
    surroundings: &mut Surroundings<'_, '_>,
    defaults: &mut BTreeMap<String, Value>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<OutputColumn> {
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
        let Some(output) = take_output(item, surroundings, defaults, problems) else {
            continue;
        };
        if outputs.iter().any(|other| other.name == output.name) {
            problems.push(item.problem(format!("output `{}` stands twice", output.name)));
        }
        outputs.push(output);
    }
    outputs
}

fn take_output(
    item: &Node,
    surroundings: &mut Surroundings<'_, '_>,
    defaults: &mut BTreeMap<String, Value>,
    problems: &mut Vec<Diagnostic>,
) -> Option<OutputColumn> {
    if item.as_str().is_some() {
        return Some(OutputColumn {
            name: output_name(item, problems)?,
            ty: Type::Any,
            values: Vec::new(),
            required: true,
        });
    }
    let mut fields = Fields::new(item)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let name = output_name(fields.require("name", problems)?, problems)?;
    let values_node = fields.take("values");
    let allowed_node = fields.take("allowed");
    let default = fields.take("default");
    let optional = fields
        .take("optional")
        .map_or(Some(false), |node| node.boolean(problems))?;
    let (ty, allowed) = match item.get("type") {
        Some(_) => surroundings.take_type(&mut fields, problems)?,
        None => (Type::Any, Test::Any),
    };
    fields.finish(problems);
    let values = match (values_node, allowed_node) {
        (Some(node), None) => output_values(node, &ty, problems),
        (None, Some(node)) => allowed_values(node, &ty, problems)?,
        (Some(_), Some(node)) => {
            problems.push(node.problem("found both `allowed` and `values`, expected one of them"));
            return None;
        }
        (None, None) => {
            let values = constants(&allowed).unwrap_or_default().into_iter();
            values.map(|value| ty.measure(value)).collect()
        }
    };
    let ty = if surroundings.in_model() {
        ty
    } else {
        of_values(ty, &values)
    };
    if let Some(node) = default {
        let value = constant(node, &ty).map_err(|problem| problems.push(problem));
        defaults.insert(name.clone(), value.ok()?);
    }
    Some(OutputColumn {
        name,
        ty,
        values,
        required: !optional,
    })
}

fn output_name(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let name = node.text(problems, "a name")?;
    if let Some(reason) = name_problem(name) {
        problems.push(node.problem(format!("{} can't be a name: {reason}", node.describe())));
        return None;
    }
    Some(name.to_owned())
}

/// A table by itself says what texts there are in the type.
fn of_values(ty: Type, values: &[Value]) -> Type {
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
    match (&ty, texts.collect::<Option<Vec<_>>>()) {
        (Type::String { .. }, Some(values)) => Type::String { values },
        _ => ty,
    }
}

fn output_values(node: &Node, ty: &Type, problems: &mut Vec<Diagnostic>) -> Vec<Value> {
    let mut values = Vec::new();
    let items = node.items(problems, "a sequence of values");
    if items.len() > limits::VALUES {
        let (count, most) = (items.len(), limits::VALUES);
        problems.push(node.problem(format!("found {count} values, at most {most} are allowed")));
        return values;
    }
    for value in items {
        match output_value(value, ty) {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    values
}

/// The values of an S-FEEL list of constants such as `"HIGH", "LOW"`.
fn allowed_values(node: &Node, ty: &Type, problems: &mut Vec<Diagnostic>) -> Option<Vec<Value>> {
    let types = BTreeMap::new();
    let language = Language::new(&types, Names::default());
    let values = language.test(node, ty).and_then(|test| {
        let message = "found a test, expected constants in the order of their priority";
        constants(&test).ok_or_else(|| node.problem(message))
    });
    let values = values.map(|values| values.into_iter().map(|v| ty.measure(v)).collect());
    values.map_err(|problem| problems.push(problem)).ok()
}

/// The constants that a test lists, if it does nothing else.
fn constants(test: &Test) -> Option<Vec<Value>> {
    let Test::Positive(alternatives) = test else {
        return None;
    };
    let constant = |unary: &Unary| match unary {
        Unary::Compare(Comparison::Equal, node) => node.literal().cloned(),
        _ => None,
    };
    alternatives.iter().map(constant).collect()
}

/// The value of a constant S-FEEL expression.
fn constant(node: &Node, ty: &Type) -> Result<Value, Diagnostic> {
    let types = BTreeMap::new();
    let read = Language::new(&types, Names::default()).expression(node);
    let (expression, _) = read.map_err(|problem| {
        if !problem.message.ends_with("is declared here") {
            return problem;
        }
        let message =
            "found an expression over facts, expected a constant: a default is one, a text in quotes";
        Diagnostic {
            message: message.to_owned(),
            ..problem
        }
    })?;
    let value = expression.literal().cloned();
    let value = value.ok_or_else(|| node.problem("found an expression, expected a constant"))?;
    ty.coerce(ty.measure(value))
        .map_err(|mismatch| node.problem(mismatch.message))
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
