//! Every example of the language's reference.

use decision::{
    Facts, Value,
    sfeel::{
        Builtin, Mode, Names, Scope, calculate, check_expression, check_expression_in,
        parse_expression,
    },
};

/// The lines of the reference's blocks of examples.
fn examples() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sfeel.md");
    let text = std::fs::read_to_string(path).expect("docs/sfeel.md");
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```feel" => inside = true,
            "```" => inside = false,
            line if inside => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

fn value(text: &str, mode: Mode) -> String {
    let facts = Facts::new();
    let scope = Scope::untyped(&facts).in_mode(mode);
    let node = match parse_expression(text, &Names::default().in_mode(mode)) {
        Ok(node) => node,
        Err(error) => return format!("{}: {}", error.at, error.message),
    };
    match calculate(&node, &scope) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "unknown".to_owned(),
        Err(failure) => format!("{}: {}", failure.at, failure.message),
    }
}

#[test]
fn examples_of_the_reference_are_true() {
    let wrong: Vec<String> = examples()
        .into_iter()
        .filter_map(|line| {
            let value = value(&line, Mode::Spec);
            (value != "true").then(|| format!("{line}  is  {value}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn folding_and_printing_change_no_example() {
    for line in examples() {
        let names = Names::default().in_mode(Mode::Spec);
        let mut node = parse_expression(&line, &names).unwrap();
        let printed = node.to_string();
        let again =
            parse_expression(&printed, &names).unwrap_or_else(|error| panic!("{printed}: {error}"));
        assert_eq!(again.to_string(), printed, "{line}");
        assert_eq!(value(&printed, Mode::Spec), "true", "{line} as {printed}");
        check_expression_in(&mut node, &Default::default(), Mode::Spec).unwrap();
        let facts = Facts::new();
        let scope = Scope::untyped(&facts).in_mode(Mode::Spec);
        assert_eq!(
            calculate(&node, &scope),
            Ok(Some(Value::Boolean(true))),
            "{line} folded"
        );
    }
}

#[test]
fn every_function_has_an_example() {
    let text = examples().join("\n");
    let missing: Vec<_> = Builtin::ALL
        .iter()
        .map(|builtin| builtin.name())
        .filter(|name| *name != "not" && !text.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What policies see: failures at their place, and null only where a value is.
#[test]
fn without_a_result_is_a_failure_for_policies() {
    assert_eq!(value("1 + 1 / 0", Mode::Strict), "4: division by zero");
    assert_eq!(value("1 + 1 / 0", Mode::Spec), "null");
    assert_eq!(
        value("substring(1, 2)", Mode::Strict),
        "0: argument 1 is a number, expected a string"
    );
    assert_eq!(value("substring(null, 2)", Mode::Strict), "null");
    assert_eq!(value("not(null)", Mode::Strict), "null");
    assert_eq!(
        value("substring(\"a\")", Mode::Strict),
        "0: found 1 argument, but `substring` takes \
         (string: string, start position: number, length: number?)"
    );
    assert_eq!(value("substring(\"a\")", Mode::Spec), "null");
    assert_eq!(
        value("matches(\"a\", \"(\")", Mode::Strict),
        "0: pattern `(`: unclosed group"
    );
    assert_eq!(
        value("unheard of(1)", Mode::Strict),
        "0: `unheard` is no fact that is declared here"
    );
    let mut node = parse_expression("\"a\" * 2", &Names::default()).unwrap();
    let error = check_expression(&mut node, &Default::default()).unwrap_err();
    assert_eq!(error.message, "`*` isn't defined for string and number");
    let mut node = parse_expression(
        "upper case(\"a\") + substring(\"b\", \"c\")",
        &Names::default(),
    );
    let error = check_expression(node.as_mut().unwrap(), &Default::default()).unwrap_err();
    assert_eq!(
        (error.at, error.message.as_str()),
        (33, "found string, but `substring` takes a number here")
    );
}

#[test]
fn hostile_expressions_end() {
    let beyond = "the expression takes more work than is allowed";
    for text in [
        "for i in 1..1000000000000 return i",
        "count(for i in 1..100000, j in 1..100000 return i)",
        "some i in 1..1000000000 satisfies i < 0",
        "{a: for i in 1..1000 return i, b: for i in a return a, c: for i in b return b}.c",
        "(for i in 1..100000 return if i = 1 then \"0123456789\" else partial[-1] + partial[-1])[-1]",
        "count(flatten(for i in 1..2000 return for j in 1..2000 return [i, j]))",
        "sort(for i in 1..500000 return -i, function(a, b) a < b)[1]",
    ] {
        for mode in [Mode::Strict, Mode::Spec] {
            let value = value(text, mode);
            assert!(value.ends_with(beyond), "{text}: {value}");
        }
    }
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert!(value(&deep, Mode::Spec).contains("nests deeper"));
    let wide = format!("1{}", " + 1".repeat(300));
    assert!(value(&wide, Mode::Spec).contains("more than 256 operators"));
    let intervals = "1 in (".repeat(60);
    assert!(value(&intervals, Mode::Spec).contains("nests deeper"));
}
