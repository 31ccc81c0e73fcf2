//! A source's text to a canonical value.

use decision::{Number, Value};
use identifiers::country;

use super::{Currency, Kind, Otherwise, Payload, Severity, Target, Type, Violation};

/// The value of a constant, which compiling has checked.
pub(super) fn constant(target: &Target, text: &str) -> Option<Value> {
    typed(target, text, None)
}

/// The value of a source's text; what doesn't fit is reported and left out.
pub(super) fn value(
    target: &Target,
    text: &str,
    payload: &Payload,
    problems: &mut Vec<Violation>,
) -> Option<Value> {
    let mut refuse = |rule: &str, severity, kind, message: &str| {
        problems.push(Violation::new(
            target.path.clone(),
            rule,
            severity,
            kind,
            message,
        ));
    };
    let mut text = text.to_owned();
    if let Some(pattern) = &target.steps.pattern
        && !pattern.is_match(&text)
    {
        let message = format!("doesn't match the pattern {pattern}");
        refuse("mapping.pattern", Severity::Warning, Kind::Format, &message);
    }
    if let Some(map) = &target.steps.map {
        match (map.get(&text), target.steps.otherwise) {
            (Some(mapped), _) => text.clone_from(mapped),
            (None, Otherwise::Keep) => {}
            (None, Otherwise::Drop) => return None,
            (None, Otherwise::Refuse) => {
                let message = "the mapping has no value for what the source gave";
                refuse(
                    "mapping.unknown_value",
                    Severity::Warning,
                    Kind::CodeList,
                    message,
                );
                return None;
            }
        }
    }
    if target.steps.country {
        match country::find(&text) {
            Some(found) => found.alpha2.clone_into(&mut text),
            None => {
                // the name stays in the record, so that validating it names it again
                if let Err(problem) = country::check_alpha2(&text) {
                    problems.push(
                        Violation::new(
                            target.path.clone(),
                            "country.code_list",
                            Severity::Error,
                            problem.kind.into(),
                            problem.message,
                        )
                        .by(problem.standard),
                    );
                }
            }
        }
    }
    let currency = match &target.steps.currency {
        Currency::None => None,
        Currency::Const(code) => Some(code.clone()),
        Currency::Column(column) => payload.scalar(column).map(|code| code.trim().to_owned()),
    };
    let found = typed(target, &text, currency.as_deref());
    if found.is_none() {
        let (rule, wanted) = match target.ty {
            Type::Boolean => ("mapping.boolean", "expected true or false"),
            Type::Number => ("mapping.number", "expected a number"),
            Type::Money => ("mapping.money", "expected an amount and its currency"),
            Type::Text(..) | Type::Texts(_) | Type::List(_) => ("mapping.text", "expected a text"),
        };
        let mut refuse = |severity, kind| {
            problems.push(Violation::new(
                target.path.clone(),
                rule,
                severity,
                kind,
                wanted,
            ));
        };
        refuse(Severity::Error, Kind::Format);
    }
    found
}

fn typed(target: &Target, text: &str, currency: Option<&str>) -> Option<Value> {
    match target.ty {
        Type::Text(..) => Some(Value::from(text)),
        Type::Texts(_) => {
            let separator = target.steps.split.as_deref();
            let lines: Vec<_> = match separator {
                Some(separator) => text.split(separator).map(str::trim).collect(),
                None => vec![text],
            };
            let lines = lines.into_iter().filter(|line| !line.is_empty());
            Some(Value::List(lines.map(Value::from).collect()))
        }
        Type::Boolean => match text {
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            _ => None,
        },
        Type::Number => text.parse::<Number>().ok().map(Value::Number),
        Type::Money => match currency {
            Some(currency) => {
                let amount = text.parse().ok()?;
                let currency = currency.to_owned();
                Some(Value::Money { amount, currency })
            }
            None => decision::Type::Money { currency: None }
                .coerce(Value::from(text))
                .ok(),
        },
        Type::List(_) => None,
    }
}
