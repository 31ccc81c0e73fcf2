//! Properties of the language: printing, folding, and what unknown facts leave open.

use std::collections::BTreeMap;

use decision::{
    Facts, Type, Value,
    sfeel::{
        Mode, Names, Scope, Unary, calculate, check_expression, check_expression_in, check_test_in,
        meets, parse_expression, parse_test,
    },
};
use proptest::prelude::*;

/// The types of the facts that generated expressions name.
fn types() -> BTreeMap<String, Type> {
    let entries = [("x y", Type::number()), ("tag", Type::string())];
    let structure = entries.map(|(name, ty)| (name.to_owned(), ty));
    [
        ("a", Type::Boolean),
        ("b", Type::Boolean),
        ("n", Type::number()),
        ("text", Type::string()),
        ("list", Type::List(Box::new(Type::number()))),
        ("part one", Type::Structure(structure.into())),
    ]
    .map(|(name, ty)| (name.to_owned(), ty))
    .into()
}

fn facts() -> Facts {
    let value = |text: &str| decision::json::parse(text).unwrap();
    [
        ("a", value("true")),
        ("b", value("null")),
        ("n", value("3.5")),
        ("text", value("\"abc\"")),
        ("list", value("[3, 1, 2]")),
        ("part one", value("{\"x y\": 7, \"tag\": \"T\"}")),
    ]
    .into_iter()
    .collect()
}

fn names() -> Names {
    Names::declared(&types()).in_mode(Mode::Spec)
}

/// Texts of expressions, most of which make sense.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "a",
            "b",
            "n",
            "text",
            "list",
            "part one",
            "part one.x y",
            "part one.tag",
            "null",
            "true",
            "false",
            "\"s\"",
            "[]",
            "-1",
            "0",
            "1.50",
            "1E+3",
            "@\"P1D\"",
            "date(\"2026-11-24\")",
            "time(\"10:00:00\")",
            "date and time(\"2026-11-24T10:00:00\")",
            "duration(\"P1Y\")",
        ])
        .prop_map(str::to_owned),
        (0_i64..20).prop_map(|n| n.to_string()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let pair = || (inner.clone(), inner.clone());
        let triple = || (inner.clone(), inner.clone(), inner.clone());
        let operators = vec![
            "+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or",
        ];
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(operators),
                inner.clone()
            )
                .prop_map(|(x, op, y)| format!("({x}) {op} ({y})")),
            pair().prop_map(|(x, y)| format!("({x}) + {y}")),
            inner.clone().prop_map(|x| format!("-({x})")),
            inner.clone().prop_map(|x| format!("not({x})")),
            triple().prop_map(|(x, y, z)| format!("if {x} then {y} else {z}")),
            triple().prop_map(|(x, y, z)| format!("({x}) between ({y}) and ({z})")),
            triple().prop_map(|(x, y, z)| format!("({x}) in (< ({y}), [({z})..9], ({z}))")),
            pair().prop_map(|(x, y)| format!("[{x}, {y}]")),
            pair().prop_map(|(x, y)| format!("{{k: {x}, m n: {y}, o: k}}.m n")),
            pair().prop_map(|(x, y)| format!("[{x}, 2][{y}]")),
            inner.clone().prop_map(|x| format!("list[item > ({x})]")),
            inner
                .clone()
                .prop_map(|x| format!("[part one][x y > ({x})]")),
            pair().prop_map(|(x, y)| format!("for i in [{x}, 1] return [i, {y}]")),
            inner
                .clone()
                .prop_map(|x| format!("some i in list satisfies i = ({x})")),
            inner
                .clone()
                .prop_map(|x| format!("every i in 1..3 satisfies i > ({x})")),
            pair().prop_map(|(x, y)| format!("min({x}, {y})")),
            inner.clone().prop_map(|x| format!("string({x})")),
            inner
                .clone()
                .prop_map(|x| format!("substring(string: {x}, start position: 1)")),
            inner
                .clone()
                .prop_map(|x| format!("{{f: function(p q) p q, r: f({x})}}.r")),
            inner
                .clone()
                .prop_map(|x| format!("({x}) instance of list<number>")),
            pair().prop_map(|(x, y)| format!("includes([({x})..({y})], 2)")),
        ]
    })
}

fn conditions(test: &decision::sfeel::Test) -> usize {
    let is_condition = |test: &&Unary| matches!(test, Unary::Boolean(_));
    test.alternatives().iter().filter(is_condition).count()
}

fn evaluated(node: &decision::sfeel::Node, facts: &Facts) -> Option<Value> {
    let scope = Scope::untyped(facts).in_mode(Mode::Spec);
    calculate(node, &scope).unwrap()
}

proptest! {
    /// The canonical text means the same, and so does what folding makes of it.
    #[test]
    fn printing_and_folding_keep_the_value(text in expressions()) {
        let node = parse_expression(&text, &names());
        let node = node.map_err(|e| TestCaseError::fail(format!("{text}: {} {e}", e.at)))?;
        let facts = facts();
        let value = evaluated(&node, &facts);

        let printed = node.to_string();
        let again = parse_expression(&printed, &names());
        let again = again.map_err(|e| TestCaseError::fail(format!("{printed}: {} {e}", e.at)))?;
        prop_assert_eq!(again.to_string(), printed.clone(), "{}", text);
        prop_assert_eq!(&evaluated(&again, &facts), &value, "{} as {}", text, printed);

        let mut folded = node.clone();
        check_expression_in(&mut folded, &types(), Mode::Spec).unwrap();
        prop_assert_eq!(&evaluated(&folded, &facts), &value, "{} folded", text);
        let refolded = parse_expression(&folded.to_string(), &names());
        prop_assert!(refolded.is_ok(), "{} folded to {}", text, folded);
    }

    /// What policies accept has the type that was found, or fails, or is null.
    #[test]
    fn checked_types_are_those_of_the_values(text in expressions()) {
        let Ok(mut node) = parse_expression(&text, &Names::declared(&types())) else {
            return Ok(());
        };
        let Ok(ty) = check_expression(&mut node, &types()) else {
            return Ok(());
        };
        let facts = facts();
        if let Ok(Some(value)) = calculate(&node, &Scope::untyped(&facts)) {
            prop_assert_eq!(ty.coerce(value.clone()), Ok(value.clone()), "{} is {}, found {}", text, ty, value);
        }
    }

    /// A known value over unknown facts is the one that they all come to.
    #[test]
    fn what_is_known_holds_however_facts_turn_out(text in expressions(), hidden in 0_usize..64) {
        let node = parse_expression(&text, &names()).unwrap();
        let mut partial = facts();
        let all: Vec<String> = types().into_keys().collect();
        for (place, name) in all.iter().enumerate() {
            if hidden & (1 << place) != 0 {
                partial.remove(name);
            }
        }
        let Some(known) = evaluated(&node, &partial) else {
            return Ok(());
        };
        let turns = |text: &str| decision::json::parse(text).unwrap();
        for (place, alternatives) in [
            ("a", [turns("false"), turns("true")]),
            ("b", [turns("false"), turns("true")]),
            ("n", [turns("0"), turns("-3")]),
            ("text", [turns("\"\""), turns("\"s\"")]),
            ("list", [turns("[]"), turns("[1, 9]")]),
            ("part one", [turns("{\"x y\": 0, \"tag\": \"\"}"), turns("{\"x y\": -1, \"tag\": \"s\"}")]),
        ] {
            for value in alternatives {
                let mut whole = facts();
                if partial.get(place).is_none() {
                    whole.insert(place, value);
                }
                // An unknown fact isn't null, and the facts above say null of `b`.
                if partial.get("b").is_none() && place != "b" {
                    whole.insert("b", true);
                }
                prop_assert_eq!(evaluated(&node, &whole), Some(known.clone()), "{} with another {}", text, place);
            }
        }
    }

    /// Tests of cells print and fold alike.
    #[test]
    fn tests_keep_their_meaning(x in expressions(), y in expressions(), n in -2_i64..12) {
        for text in [
            x.clone(),
            format!("({x}), ({y})"),
            format!("not(({x}), > ({y}))"),
            format!("[({x})..({y})]"),
            format!("? > ({x}) or ? in (({y}), 3)"),
            format!("{x}, ? = ({y})"),
        ] {
            let Ok(test) = parse_test(&text, &names()) else {
                return Err(TestCaseError::fail(text));
            };
            let facts = facts();
            let scope = Scope::untyped(&facts).in_mode(Mode::Spec);
            let value = Value::Number(n.into());
            let met = meets(&test, &value, &scope);
            let printed = test.to_string();
            let again = parse_test(&printed, &names());
            prop_assert!(again.is_ok(), "{} as {}", text, printed);
            prop_assert_eq!(&meets(&again.unwrap(), &value, &scope), &met, "{} as {}", text, printed);
            let mut checked = test.clone();
            check_test_in(&mut checked, &Type::number(), &types(), Mode::Spec).unwrap();
            if conditions(&checked) != conditions(&test) {
                // Types show that an expression is a condition, or a list of values.
                continue;
            }
            prop_assert_eq!(&meets(&checked, &value, &scope), &met, "{} checked as {}", text, checked);
        }
    }

    #[test]
    fn any_text_is_read_and_evaluated_without_panic(
        text in "(?s)([-+*/<>=!?.,()\\[\\]{}:@ \"0-9a-e]|for |in |return |some |satisfies |if |then |else |and |or |not\\(|function\\(|sort\\(|list|text|//|/\\*){0,24}"
    ) {
        for mode in [Mode::Strict, Mode::Spec] {
            let names = Names::declared(&types()).in_mode(mode);
            let facts = facts();
            if let Ok(mut node) = parse_expression(&text, &names) {
                let scope = Scope::untyped(&facts).in_mode(mode);
                let _ = calculate(&node, &scope);
                let _ = check_expression_in(&mut node, &types(), mode);
            }
            if let Ok(mut test) = parse_test(&text, &names) {
                let scope = Scope::untyped(&facts).in_mode(mode);
                let _ = meets(&test, &Value::Number(1.into()), &scope);
                let _ = check_test_in(&mut test, &Type::number(), &types(), mode);
            }
        }
    }
}

/// DMN 1.5, tables 49 and 50.
#[test]
fn three_valued_logic_is_that_of_the_specification() {
    let names = Names::new(["x", "y"]);
    let truths = ["true", "false", "null", "17"];
    let known = |text: &str| decision::json::parse(text).unwrap();
    let evaluate = |text: &str, x: &str, y: &str| {
        let facts: Facts = [("x", known(x)), ("y", known(y))].into_iter().collect();
        let node = parse_expression(text, &names).unwrap();
        let value = calculate(&node, &Scope::untyped(&facts));
        value.unwrap().unwrap().to_string()
    };
    let truth = |text: &str| match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    for x in truths {
        for y in truths {
            let and = match (truth(x), truth(y)) {
                (Some(false), _) | (_, Some(false)) => "false",
                (Some(true), Some(true)) => "true",
                _ => "null",
            };
            let or = match (truth(x), truth(y)) {
                (Some(true), _) | (_, Some(true)) => "true",
                (Some(false), Some(false)) => "false",
                _ => "null",
            };
            assert_eq!(evaluate("x and y", x, y), and, "{x} and {y}");
            assert_eq!(evaluate("x or y", x, y), or, "{x} or {y}");
        }
    }
}

/// Names of entries with spaces, in filters and behind points.
#[test]
fn entries_are_names_in_filters() {
    let text = |name: &str, ty| (name.to_owned(), ty);
    let line = Type::Structure(
        [
            text("part no", Type::string()),
            text("days late", Type::number()),
            text("state", Type::string()),
        ]
        .into(),
    );
    let types: BTreeMap<String, Type> = [
        text("open lines", Type::List(Box::new(line.clone()))),
        text("first line", line),
        text("state", Type::string()),
    ]
    .into();
    let facts: Facts = [
        (
            "open lines",
            r#"[{"part no": "A", "days late": 3, "state": "open"},
                {"part no": "B", "days late": 40, "state": "held"},
                {"part no": "A", "days late": 9, "state": "held"}]"#,
        ),
        (
            "first line",
            r#"{"part no": "A", "days late": 5, "state": "open"}"#,
        ),
        ("state", "\"open\""),
    ]
    .into_iter()
    .map(|(name, text)| (name, decision::json::parse(text).unwrap()))
    .collect();
    let value = |text: &str| {
        let mut node = parse_expression(text, &Names::declared(&types)).unwrap();
        check_expression(&mut node, &types).unwrap();
        let value = calculate(&node, &Scope::new(&facts, &types));
        value.unwrap().unwrap().to_string()
    };
    for (text, wanted) in [
        // The entry hides the fact of its name.
        ("open lines[state = \"held\"].part no", "[\"B\",\"A\"]"),
        (
            "open lines[part no = first line.part no and days late > first line.days late][1].days late",
            "9",
        ),
        (
            "count(open lines[days late > 5][item.state = \"held\"])",
            "2",
        ),
        (
            "for line in open lines return line.days late * 2",
            "[6,80,18]",
        ),
        (
            "some line in open lines satisfies line.part no = \"B\" and state = \"open\"",
            "true",
        ),
        (
            "sort(open lines, function(x, y) x.days late > y.days late).days late",
            "[40,9,3]",
        ),
        (
            "max(open lines.days late) - min(open lines.days late)",
            "37",
        ),
        ("open lines[-1].state", "held"),
        (
            "{worst: max(open lines.days late), bad one: open lines[days late = worst][1]}.bad one.part no",
            "B",
        ),
    ] {
        assert_eq!(value(text), wanted, "{text}");
    }
}

#[test]
fn unknown_facts_leave_open_what_depends_on_them() {
    let names = Names::new(["u", "k"]);
    let facts: Facts = [("k", Value::Number(2.into()))].into_iter().collect();
    let evaluate = |text: &str| {
        let node = parse_expression(text, &names).unwrap();
        match calculate(&node, &Scope::untyped(&facts)) {
            Ok(value) => value.map_or("unknown".to_owned(), |value| value.to_string()),
            Err(failure) => failure.message,
        }
    };
    for (text, wanted) in [
        ("u", "unknown"),
        ("u and false", "false"),
        ("u or true", "true"),
        ("u and true", "unknown"),
        ("u and null", "unknown"),
        ("u = null", "unknown"),
        ("u + 1 = null", "unknown"),
        ("null < u", "null"),
        ("if u then 1 else 1", "1"),
        ("if u then 1 else k", "unknown"),
        ("if k = 2 then 1 else u", "1"),
        ("u / 0", "division by zero"),
        ("k in (u, 2)", "true"),
        ("k in (u, 3)", "unknown"),
        ("k between u and 1", "false"),
        ("[k, u][1]", "unknown"),
        ("some x in [u, 2] satisfies x = 2", "unknown"),
        ("some x in [1, 2] satisfies x = 2 or u", "true"),
        ("every x in [1, 2] satisfies x = 2 and u", "false"),
        ("substring(\"abc\", u)", "unknown"),
    ] {
        assert_eq!(evaluate(text), wanted, "{text}");
    }
}
