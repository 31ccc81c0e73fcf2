//! Files that nobody vouches for: each is taken, or refused soon with its place.

use std::fmt::Write as _;

use decision::{Facts, Model, Schema, Table, dmn, evaluate, json, limits, yaml};

fn nothing(name: &str) -> Result<String, String> {
    Err(format!("there is no {name}"))
}

fn first(problems: &[decision::Diagnostic]) -> String {
    assert!(
        problems.len() <= limits::DIAGNOSTICS + 1,
        "{}",
        problems.len()
    );
    let longest = problems
        .iter()
        .map(|problem| problem.to_string().len())
        .max();
    assert!(longest.unwrap_or(0) < 8_192, "{longest:?}");
    problems[0].to_string()
}

/// What is refused of a table.
fn table(text: &str) -> String {
    first(&Table::from_yaml(text, &Schema::open(), &nothing).unwrap_err())
}

fn model(text: &str) -> String {
    first(&Model::from_yaml(text, &nothing).unwrap_err())
}

/// What is refused of a DMN file of these elements.
fn file(elements: &str) -> String {
    first(&dmn::read(&definitions(elements)).unwrap_err())
}

fn definitions(elements: &str) -> String {
    format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">{elements}</definitions>"
    )
}

/// So many pieces, each by its number.
fn repeated(count: usize, piece: impl Fn(usize) -> String) -> String {
    let mut all = String::new();
    for at in 0..count {
        all.push_str(&piece(at));
    }
    all
}

#[test]
fn wide_tables_are_taken_up_to_a_thousand_columns() {
    let wide = |count: usize| {
        let facts = repeated(count, |at| format!("  f{at}: {{type: number}}\n"));
        let inputs = repeated(count, |at| format!("f{at}, "));
        let when = repeated(count, |at| format!("f{at}: '< {at}', "));
        format!(
            "facts:\n{facts}inputs: [{inputs}]\nrows:\n  - {{id: a, when: {{{when}}}, then: {{y: 1}}}}\n"
        )
    };
    let taken = Table::from_yaml(&wide(1_000), &Schema::open(), &nothing).unwrap();
    let facts: Facts = (0..1_000)
        .map(|at| (format!("f{at}"), decision::Number::from(-1)))
        .collect();
    assert_eq!(evaluate(&taken, &facts).outcomes.len(), 1);
    assert_eq!(
        table(&wide(1_001)),
        "1003:9: found 1001 inputs, at most 1000 are allowed"
    );
    assert!(table(&wide(10_001)).contains("found 10001 facts, at most 10000 are allowed"));
    let outputs = repeated(1_001, |at| format!("o{at}, "));
    let text =
        format!("inputs: [{{expression: x, type: number}}]\noutputs: [{outputs}]\nrows: []\n");
    assert_eq!(
        table(&text),
        "2:10: found 1001 outputs, at most 1000 are allowed"
    );
    let notes = repeated(100_000, |at| format!("n{at}, "));
    let text =
        format!("inputs: [{{expression: x, type: number}}]\nannotations: [{notes}]\nrows: []\n");
    assert_eq!(
        table(&text),
        "1:1: found 100000 annotations, at most 1000 are allowed"
    );
    let values = repeated(5_001, |at| format!("v{at}, "));
    let text = format!("inputs: [{{expression: x, type: string, values: [{values}]}}]\nrows: []\n");
    assert!(
        table(&text).contains("found 5001 values, at most 5000 are allowed"),
        "{}",
        table(&text)
    );
}

#[test]
fn long_tables_are_taken_up_to_their_cells() {
    let rows = repeated(200_001, |at| format!("  - {{id: r{at}, then: {{y: 1}}}}\n"));
    let text = format!("inputs: [{{expression: x, type: number}}]\nrows:\n{rows}");
    assert!(
        table(&text).starts_with("3:3: found 200001 rows of 1 cells, at most 200000 rows"),
        "{}",
        table(&text)
    );
    let inputs = repeated(500, |at| format!("{{expression: f{at}, type: number}}, "));
    let rows = repeated(8_001, |at| format!("  - {{id: r{at}, then: {{y: 1}}}}\n"));
    let text = format!("inputs: [{inputs}]\nrows:\n{rows}");
    assert!(
        table(&text).contains("found 8001 rows of 500 cells"),
        "{}",
        table(&text)
    );
}

#[test]
fn a_million_cells_of_csv_are_read_or_refused() {
    let yaml = |columns: usize| {
        let inputs = repeated(columns, |at| {
            format!("{{expression: f{at}, type: number}}, ")
        });
        format!("inputs: [{inputs}]\nrows_csv: rows.csv\n")
    };
    let csv = |columns: usize, rows: usize, cell: &str| {
        let mut csv = format!("id,{}y\n", repeated(columns, |at| format!("f{at},")));
        for row in 0..rows {
            let cells = format!("{cell},").repeat(columns);
            let _ = writeln!(csv, "r{row},{cells}1");
        }
        csv
    };
    let read = |yaml: &str, csv: String| {
        Table::from_yaml(yaml, &Schema::open(), &move |_| Ok(csv.clone()))
    };
    let taken = read(&yaml(100), csv(100, 10_000, "< 5")).unwrap();
    assert_eq!(taken.rows().len(), 10_000);
    // Every cell is wrong.
    let wrong = first(&read(&yaml(100), csv(100, 10_000, "<")).unwrap_err());
    assert_eq!(
        wrong,
        "rows.csv:2:5: row r0, f0: found the end, expected a value"
    );
    let header = first(&read(&yaml(1), csv(1_000_000, 1, "1")).unwrap_err());
    assert_eq!(
        header,
        "rows.csv:1:1: found 1000002 columns, at most 1003 are asked for"
    );
    let quoted = first(
        &read(
            &yaml(1),
            format!("id,f0,y\na,\"{}", "\"\"x\n".repeat(1_000_000)),
        )
        .unwrap_err(),
    );
    assert!(quoted.starts_with("rows.csv:2:"), "{quoted}");
    let long = first(&read(&yaml(1), "x".repeat(limits::TEXT_BYTES + 1)).unwrap_err());
    assert!(
        long.contains("`rows.csv` is longer than 33554432 bytes"),
        "{long}"
    );
}

#[test]
fn huge_literals_and_texts_are_refused_with_their_place() {
    let digits = "7".repeat(1_000_000);
    let one = |row: &str| format!("inputs: [{{expression: x, type: number}}]\nrows:\n  - {row}\n");
    let output = table(&one(&format!("{{id: a, then: {{y: {digits}}}}}")));
    assert!(output.starts_with("3:23: row a, y: "), "{output}");
    let cell = table(&one(&format!(
        "{{id: a, when: {{x: '{digits}'}}, then: {{y: 1}}}}"
    )));
    assert_eq!(cell, "3:24: row a, x: expression is longer than 4096 bytes");
    let cell = table(&one(&format!(
        "{{id: a, when: {{x: '{}'}}, then: {{y: 1}}}}",
        "7".repeat(4_000)
    )));
    assert!(cell.contains("4000 significant digits"), "{cell}");
    let cell = table(&one(
        "{id: a, when: {x: 'matches(\"a\", \"(a{1000}){1000}\")'}, then: {y: 1}}",
    ));
    assert!(cell.contains("row a, x: "), "{cell}");
    let name = "n".repeat(10_000_000);
    assert!(table(&one(&format!("{{id: {name}, then: {{y: 1}}}}"))).contains("is no row id"));
    let key = table(&format!("inputs: [x]\n{name}: 1\nrows: []\n"));
    assert!(key.starts_with("2:1: "), "{key}");
    assert!(
        table(&format!(
            "inputs: [{{expression: x, type: number}}]\noutputs: [{name}]\nrows: []\n"
        ))
        .contains("too long")
    );
    let twice = format!("{name}: 1\n{name}: 2\n");
    let refused = table(&twice);
    assert!(refused.starts_with("1:10000001: "), "{refused}");
    let long = " ".repeat(limits::TEXT_BYTES + 1);
    assert!(table(&long).contains("longer than 33554432 bytes"));
    assert!(
        yaml::parse(&long).is_err() && json::parse(&long).is_err() && dmn::read(&long).is_err()
    );
    assert!(json::parse(&digits).is_err());
}

#[test]
fn what_is_wrong_everywhere_is_told_a_few_times() {
    let inputs = repeated(1_000, |at| {
        format!("{{expression: input{at}, type: number}}, ")
    });
    let when = repeated(1_000, |at| format!("wrong{at}: '1', "));
    let rows = repeated(50, |at| {
        format!("  - {{id: r{at}, when: {{{when}}}, then: {{y: 1}}}}\n")
    });
    let all = table(&format!("inputs: [{inputs}]\nrows:\n{rows}"));
    assert!(
        all.contains("unknown input `wrong0`, expected one of input0, input1, "),
        "{all}"
    );
    let keys = repeated(300_000, |at| format!("key{at}: 1\n"));
    let all = table(&format!(
        "inputs: [{{expression: x, type: number}}]\nrows: []\n{keys}"
    ));
    assert!(all.contains("unknown key"), "{all}");
    let decisions = repeated(5_000, |at| format!("  d{at}: {{expression: 'nobody'}}\n"));
    assert_eq!(
        model(&format!("decisions:\n{decisions}")),
        "2:21: `nobody` is no fact that is declared here"
    );
    let broken = repeated(20_000, |at| {
        format!("<decision name=\"d{at}\"><filter/></decision>")
    });
    assert!(file(&broken).contains("boxed `filter` isn't supported"));
}

#[test]
fn deep_texts_are_refused() {
    let deep = |open: &str, close: &str, count: usize| open.repeat(count) + &close.repeat(count);
    let refused = table(&deep("[", "]", 1_000_000));
    assert!(
        refused.contains("nest") || refused.contains("recursion limit"),
        "{refused}"
    );
    let refused = table(&deep("{a: ", "}", 1_000_000));
    assert!(
        refused.contains("nest") || refused.contains("recursion limit"),
        "{refused}"
    );
    let refused = table(&"- ".repeat(1_000_000));
    assert!(
        refused.contains("nest") || refused.contains("recursion limit"),
        "{refused}"
    );
    assert!(json::parse(&deep("[", "]", 1_000_000)).is_err());
    assert!(dmn::read(&deep("<a>", "</a>", 1_000_000)).is_err());
    let one = |text: &str| format!("decisions: {{d: {{expression: '{text}'}}}}\n");
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("-", ""),
        ("not(", ")"),
        ("1 in (", ")"),
        ("if ", ""),
        ("function() ", ""),
        ("a[", "]"),
    ] {
        for count in [65, 500] {
            let text = format!("{}1{}", open.repeat(count), close.repeat(count));
            let refused = model(&one(&text));
            assert!(refused.starts_with("1:"), "{refused}");
        }
        // As deep as it may be, it costs what its length says.
        let text = format!("{}1{}", open.repeat(12), close.repeat(12));
        let _ = Model::from_yaml(&one(&text), &nothing);
    }
    let cells = deep("1 in (", ")", 20);
    let rows = repeated(2_000, |at| {
        format!("  - {{id: r{at}, when: {{x: '{cells}'}}, then: {{y: 1}}}}\n")
    });
    let _ = Table::from_yaml(
        &format!("inputs: [{{expression: x, type: any}}]\nrows:\n{rows}"),
        &Schema::open(),
        &nothing,
    );
}

#[test]
fn what_unfolds_is_bounded() {
    let yaml_bomb = "a: &a [1, 1]\nb: [*a, *a]\n";
    assert!(table(yaml_bomb).contains("anchors are not supported"));
    let xml_bomb =
        "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><d>&b;</d>";
    assert!(first(&dmn::read(xml_bomb).unwrap_err()).contains("document type declaration"));
    // Types that use each other twice, in each form.
    let types = repeated(60, |at| match at {
        0 => "  t0: {type: number}\n".to_owned(),
        at => format!("  t{at}: {{components: {{a: t{0}, b: t{0}}}}}\n", at - 1),
    });
    assert!(model(&format!("types:\n{types}decisions: {{}}\n")).contains("more than 10000 parts"));
    let inline = repeated(60, |at| match at {
        0 => "<itemDefinition name=\"t0\"><typeRef>number</typeRef></itemDefinition>".to_owned(),
        at => {
            let part = |name| {
                format!(
                    "<itemComponent name=\"{name}\"><typeRef>t{}</typeRef></itemComponent>",
                    at - 1
                )
            };
            format!(
                "<itemDefinition name=\"t{at}\" b:inline=\"true\" xmlns:b=\"urn:bylaw:dmn\">{}{}</itemDefinition>",
                part("a"),
                part("b")
            )
        }
    });
    assert!(
        file(&inline).contains("unfold to too many parts"),
        "{}",
        file(&inline)
    );
    // A large type, used by many.
    let parts = repeated(5_000, |at| format!("c{at}: number, "));
    let inputs = repeated(1_000, |at| format!("  i{at}: T\n"));
    let many =
        format!("types: {{T: {{components: {{{parts}}}}}}}\ninputs:\n{inputs}decisions: {{}}\n");
    assert!(
        model(&many).contains("types have more than 1000000 parts"),
        "{}",
        model(&many)
    );
}

#[test]
fn large_models_are_read_or_refused() {
    // Everything is visible to all, and each uses the one before.
    let decisions = repeated(4_999, |at| match at {
        0 => "  d0: {expression: '1'}\n".to_owned(),
        at => format!("  d{at}: {{expression: 'd{} + 1'}}\n", at - 1),
    });
    let taken = Model::from_yaml(&format!("decisions:\n{decisions}"), &nothing).unwrap();
    assert_eq!(taken.decisions().len(), 4_999);
    let more = format!(
        "decisions:\n{}",
        repeated(5_001, |at| format!("  d{at}: {{expression: '1'}}\n"))
    );
    assert!(model(&more).contains("found 5001 inputs, functions and decisions"));
    // One decision that names all, in as many places.
    let inputs = repeated(2_000, |at| format!("  i{at}: number\n"));
    let items = repeated(2_000, |at| format!("i{at} + {{a: i{at}}}.a, "));
    let entries = repeated(3_000, |at| {
        format!(
            "- {{context: [{{name: x, expression: 'i{0}'}}, {{expression: x}}]}}\n      ",
            at % 2_000
        )
    });
    let text =
        format!("inputs:\n{inputs}decisions:\n  d:\n    list:\n      {entries}- '[{items}1]'\n");
    let refused = model(&text);
    assert!(
        refused.contains("too many expressions see too many names"),
        "{refused}"
    );
}

#[test]
fn files_of_one_line_have_places_soon() {
    let rules = repeated(20_000, |at| {
        format!(
            "<rule><inputEntry><text>&lt; {at}</text></inputEntry><outputEntry><text>{at}</text></outputEntry></rule>"
        )
    });
    let one = |input: &str, rules: &str| {
        format!(
            "<decision name=\"d\"><decisionTable hitPolicy=\"FIRST\"><input{input}><inputExpression><text>1</text></inputExpression></input><output/>{rules}</decisionTable></decision>"
        )
    };
    let import = dmn::read(&definitions(&one("", &rules))).unwrap();
    assert_eq!(
        import.model.decisions()[0].table().unwrap().rows().len(),
        20_000
    );
    let last = "<rule><inputEntry><text>é &lt;</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>";
    let refused = file(&one("", &format!("{rules}{last}")));
    let place: Vec<_> = refused.split(':').take(2).collect();
    let text = definitions(&one("", &format!("{rules}{last}")));
    let column: usize = place[1].parse().unwrap();
    assert_eq!(
        text.chars().skip(column - 1).take(1).collect::<String>(),
        "é",
        "{refused}"
    );
    let inputs = "<input label=\"x\"><inputExpression><text>1</text></inputExpression></input>"
        .repeat(1_500);
    let table = format!("<decision name=\"d\"><decisionTable>{inputs}</decisionTable></decision>");
    assert!(
        file(&table).contains("at most 1000 columns"),
        "{}",
        file(&table)
    );
}
