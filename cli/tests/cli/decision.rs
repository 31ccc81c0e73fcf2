//! Tables and decision models by themselves: `policy eval`, `import` and `export`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::bylaw::{Home, arg};

const TABLE: &str = "name: fee
inputs:
  - {expression: weight, type: number}
  - {expression: tier, type: string, allowed: '\"gold\", \"none\"'}
outputs:
  - {name: fee, type: number}
  - {name: carrier, type: string}
annotations: [source]
rows:
  - {id: light, when: {weight: '<= 10'}, then: {fee: 4.90, carrier: post}, annotations: {source: tariff}}
  - {id: heavy, when: {weight: '> 10', tier: '\"none\"'}, then: {fee: 12, carrier: freight}}
  - {id: gold, when: {weight: '> 10', tier: '\"gold\"'}, then: {fee: 0, carrier: freight}}
";

/// A DMN model of the decision crate's tests.
fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/decision/tests/dmn")
        .join(name)
}

#[test]
fn a_table_is_evaluated_with_its_trace() {
    let home = Home::new();
    let path = home.file("fee.yaml", TABLE);
    let facts = r#"{"weight": 11, "tier": "none"}"#;
    let eval = ["policy", "eval", arg(&path), "--facts", facts];
    let found = home
        .run(&[&eval[..], &["--output", "json"]].concat())
        .exits(0);
    assert_eq!(
        found.json(),
        json!({"result": {"carrier": "freight", "fee": 12}})
    );

    let traced = [&eval[..], &["--trace", "--output", "json"]].concat();
    let found = home.run(&traced).exits(0).json();
    assert_eq!(found["trace"][0]["decision"], "fee");
    let rows = found["trace"][0]["rows"].as_array().unwrap();
    assert_eq!(
        rows[0],
        json!({"row": "light", "matched": "no", "failed_inputs": ["weight"], "unknown_inputs": []})
    );
    assert_eq!(rows[1]["matched"], "yes");
    assert_eq!(rows[2]["failed_inputs"], json!(["tier"]));

    let text = home.run(&[&eval[..], &["--trace"]].concat()).exits(0);
    assert!(text.stdout.contains("freight"), "{text:?}");
    assert!(text.stdout.contains("light"), "{text:?}");

    let piped = ["policy", "eval", "-", "--facts", facts];
    let piped = home.feed(&piped, TABLE).exits(0);
    assert!(piped.stdout.contains("freight"), "{piped:?}");
}

#[test]
fn what_is_absent_is_null_or_unknown() {
    let home = Home::new();
    let path = home.file("fee.yaml", TABLE);
    let eval = |facts: &str, more: &[&str]| {
        let eval = ["policy", "eval", arg(&path), "--facts", facts];
        let args = [&eval[..], more, &["--output", "json"]].concat();
        home.run(&args).exits(0).json()
    };
    let heavy = r#"{"weight": 11}"#;
    assert_eq!(eval(heavy, &[]), json!({"result": null}));
    assert_eq!(
        eval(heavy, &["--unknown"]),
        json!({"result": null, "settled": false, "unknown_facts": ["tier"]})
    );
    // The tier is no matter for what is light.
    assert_eq!(
        eval(r#"{"weight": 3}"#, &["--unknown"]),
        json!({"result": {"carrier": "post", "fee": 4.90}, "settled": true, "unknown_facts": []})
    );
    let asked = ["policy", "eval", arg(&path), "--facts", heavy, "--unknown"];
    let text = home.run(&asked).exits(0).stdout;
    assert!(text.contains("unknown; it depends on tier"), "{text}");
}

#[test]
fn facts_of_no_input_are_named() {
    let home = Home::new();
    let table = TABLE.replace("weight", "parcel.weight");
    let path = home.file("fee.yaml", table);
    let eval = |facts: &str| {
        let eval = ["policy", "eval", arg(&path), "--output", "json"];
        let ran = home.run(&[&eval[..], &["--facts", facts]].concat());
        ran.exits(0)
    };
    let used = eval(r#"{"parcel": {"weight": 3}, "tier": "gold"}"#);
    assert_eq!(used.stderr, "");
    let ran = eval(r#"{"parcel": {"weight": 3, "wieght": 4}, "teir": "gold"}"#);
    assert_eq!(ran.json()["result"]["carrier"], "post");
    for name in ["`parcel.wieght`", "`teir`"] {
        assert!(ran.stderr.contains(name), "{ran:?}");
    }
    assert!(ran.stderr.contains("parcel.weight, tier"), "{ran:?}");
    // A table without inputs has no use for any.
    let bare = "name: bare\ninputs: []\nrows:\n  - {id: a, then: {x: 1}}\n";
    let ran = home.feed(&["policy", "eval", "-", "--facts", "{\"y\": 1}"], bare);
    assert!(ran.exits(0).stderr.contains("`y`"));
}

#[test]
fn a_decision_of_a_model_is_named() {
    let home = Home::new();
    let path = model("credit-terms.dmn");
    let facts = home.file(
        "facts.json",
        r#"{"Customer": {"name": "Meier", "rating": "A", "since": "2019-02-01", "open amount": 100},
            "Order value": 2000}"#,
    );
    let facts = format!("@{}", arg(&facts));
    let eval = ["policy", "eval", arg(&path), "--facts", facts.as_str()];
    let letter = [&eval[..], &["--decision", "Letter", "--output", "json"]].concat();
    assert_eq!(
        home.run(&letter).exits(0).json()["result"],
        "Dear Meier, pay 1960 in 60 days (2% off)"
    );
    let unnamed = home.run(&eval).exits(2);
    assert!(unnamed.stderr.contains("Risk, Discount"), "{unnamed:?}");
    let wrong = [&eval[..], &["--decision", "Nothing"]].concat();
    let wrong = home.run(&wrong).exits(2);
    assert!(wrong.stderr.contains("`Nothing` is no decision"));

    let times = model("times.dmn");
    let sum = ["policy", "eval", arg(&times), "--facts", "{}"];
    let sum = [&sum[..], &["--decision", "Bad sum", "--output", "json"]].concat();
    let found = home.run(&sum).exits(0).json();
    assert!(found["result"].is_null());
    assert_eq!(found["problems"].as_array().unwrap().len(), 1, "{found}");
    let listed = ["policy", "eval", arg(&times), "--decision", "Late"];
    let listed = home.run(&[&listed[..], &["--facts", "[]"]].concat());
    listed.exits(2).says(&["--facts", "expected an object"]);
}

#[test]
fn models_go_to_the_own_form_and_back() {
    let home = Home::new();
    for name in ["credit-terms.dmn", "hit-policies.dmn", "times.dmn"] {
        let path = model(name);
        let yaml = home.path("model.yaml");
        let import = ["policy", "import", arg(&path), "-o", arg(&yaml)];
        assert_eq!(home.run(&import).exits(0).stdout, "");
        let export = ["policy", "export", arg(&yaml), "--to", "dmn"];
        let dmn = home.file("again.dmn", home.run(&export).exits(0).stdout);
        let again = home.run(&["policy", "import", arg(&dmn)]).exits(0);
        assert_eq!(again.stdout, fs::read_to_string(&yaml).unwrap(), "{name}");
    }
    // Diagrams decide nothing; that they are left out is said where they stand.
    let noted = home.run(&["policy", "import", arg(&model("credit-terms.dmn"))]);
    let noted = noted.exits(0).stderr;
    assert!(noted.contains("note: ") && noted.contains("credit-terms.dmn:"));
}

#[test]
fn a_table_goes_to_every_form() {
    let home = Home::new();
    let path = home.file("fee.yaml", TABLE);
    let export = |path: &Path, form: &str| {
        let args = ["policy", "export", arg(path), "--to", form];
        home.run(&args).exits(0).stdout
    };
    let dmn = home.file("fee.dmn", export(&path, "dmn"));
    let facts = r#"{"weight": 11, "tier": "gold"}"#;
    let eval = ["policy", "eval", arg(&dmn), "--facts", facts];
    let found = home.run(&[&eval[..], &["--output", "json"]].concat());
    assert_eq!(
        found.exits(0).json()["result"],
        json!({"carrier": "freight", "fee": 0})
    );
    // What comes back is the table, not a model around it.
    let back = home.run(&["policy", "import", arg(&dmn)]).exits(0).stdout;
    let back = home.file("back.yaml", back);
    let same = ["policy", "diff", arg(&path), arg(&back)];
    home.run(&same).exits(0);

    let csv = export(&path, "csv");
    assert!(csv.starts_with("id,weight,tier,fee,carrier"), "{csv}");
    let out = home.path("out.csv");
    let to_file = [
        "policy",
        "export",
        arg(&path),
        "--to",
        "csv",
        "-o",
        arg(&out),
    ];
    assert_eq!(home.run(&to_file).exits(0).stdout, "");
    assert_eq!(fs::read_to_string(&out).unwrap(), csv);
    let json = [
        "policy",
        "export",
        arg(&path),
        "--to",
        "csv",
        "--output",
        "json",
    ];
    home.run(&json).exits(2).says(&["--output json"]);
    let json = ["policy", "import", arg(&dmn), "--output", "json"];
    home.run(&json).exits(2).says(&["--output json"]);
    let (head, _) = TABLE.split_once("rows:").unwrap();
    home.file("fee.csv", &csv);
    let beside = home.file("beside.yaml", format!("{head}rows_csv: fee.csv\n"));
    home.run(&["policy", "diff", arg(&path), arg(&beside)])
        .exits(0);
    assert_eq!(export(&beside, "csv"), csv);

    let markdown = export(&path, "md");
    assert!(markdown.contains("| light |"), "{markdown}");
    let terms = model("credit-terms.dmn");
    let export = ["policy", "export", arg(&terms), "--to", "csv", "--decision"];
    let letter = home.run(&[&export[..], &["Letter"]].concat());
    letter.exits(2).says(&["`Letter` is no table"]);
    let risk = home.run(&[&export[..], &["Risk"]].concat()).exits(0).stdout;
    assert!(risk.contains("board, 2025"), "{risk}");
}

#[test]
fn what_cant_be_carried_is_refused_with_its_place() {
    let home = Home::new();
    let service = "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">
  <decisionService id=\"s\" name=\"S\"/>
</definitions>
";
    let path = home.file("service.dmn", service);
    for command in ["import", "export", "eval"] {
        let more: &[&str] = match command {
            "export" => &["--to", "md"],
            "eval" => &["--facts", "{}"],
            _ => &[],
        };
        let args = [&["policy", command, arg(&path)], more].concat();
        let refused = home.run(&args).exits(2);
        assert!(refused.stderr.contains("service.dmn:2:3"), "{refused:?}");
        assert!(refused.stderr.contains("decisionService"), "{refused:?}");
    }
    let doctype = home.file("doctype.dmn", "<!DOCTYPE d []><definitions/>");
    let refused = home.run(&["policy", "import", arg(&doctype)]).exits(2);
    assert!(refused.stderr.contains("document type"), "{refused:?}");

    let example = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/distributor/policies/credit_hold_release.enterprise.yaml");
    let export = ["policy", "export", arg(&example), "--to"];
    let refused = home.run(&[&export[..], &["dmn"]].concat()).exits(2);
    assert!(refused.stderr.contains("workflow"), "{refused:?}");
    home.run(&[&export[..], &["md"]].concat()).exits(0);
    let missing = home.path("missing.yaml");
    home.run(&["policy", "import", arg(&missing)]).exits(2);
}

#[test]
fn tables_by_themselves_are_tested_with_row_coverage() {
    let home = Home::new();
    home.file("fee.yaml", TABLE);
    let tests = "kind: TableTest
file: fee.yaml
facts:
  heavy: {weight: 11}
tests:
  - name: light parcels go by post
    set: {weight: 3}
    expect: {result: {fee: 4.9, carrier: post}, rows: [light]}
  - name: heavy ones cost
    facts: [heavy]
    set: {tier: none}
    expect: {rows: [heavy]}
  - name: what a heavy one costs depends on the tier
    facts: [heavy]
    expect: {unknown_facts: [tier]}
";
    let path = home.file("fee_test.yaml", tests);
    let found = home
        .run(&["policy", "test", arg(&path), "--output", "json"])
        .exits(0)
        .json();
    assert_eq!((&found["passed"], &found["failed"]), (&json!(3), &json!(0)));
    let coverage = &found["coverage"];
    assert_eq!(
        (&coverage["rows"], &coverage["reached"]),
        (&json!(3), &json!(2))
    );
    let unreached = &coverage["unreached"][0];
    assert_eq!(
        (&unreached["table"], &unreached["row"]),
        (&json!("fee"), &json!("gold"))
    );
    let text = home.run(&["policy", "test", arg(&path)]).exits(0).stdout;
    assert!(text.contains("fee.yaml: fee  gold"), "{text}");
    assert!(
        text.contains("3 passed, 0 failed; 2 of 3 rows reached"),
        "{text}"
    );

    let piped = ["policy", "test", "-", "--output", "json"];
    assert_eq!(home.feed(&piped, tests).exits(0).json()["passed"], json!(3));
    let policies = "kind: PolicyTest\nname: a\nworkflow: a\nnow: 2026-11-24T09:14:00Z\ntests: []\n";
    home.feed(&["policy", "test", "-"], policies).exits(2);
    home.feed(&["policy", "test", "-"], "kind: Workflow\n")
        .exits(4);

    let path = home.file("fee_test.yaml", tests.replace("fee: 4.9,", "fee: 5,"));
    let ran = home.run(&["policy", "test", arg(&path)]).exits(4);
    assert!(
        ran.stdout.contains("FAIL light parcels go by post"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("line 6: result: found"),
        "{}",
        ran.stdout
    );
    let junit = home
        .run(&["policy", "test", arg(&path), "--output", "junit"])
        .exits(4);
    assert!(junit.stdout.contains("failures=\"1\""), "{}", junit.stdout);

    let path = home.file("fee_test.yaml", tests.replace("fee.yaml", "fees.yaml"));
    let ran = home.run(&["policy", "test", arg(&path)]).exits(2);
    assert!(ran.stderr.contains("fee_test.yaml:2:7"), "{}", ran.stderr);
    let path = home.file(
        "fee_test.yaml",
        tests.replace("rows: [heavy]", "effect: ALLOW"),
    );
    let ran = home.run(&["policy", "test", arg(&path)]).exits(2);
    assert!(
        ran.stderr.contains("unknown key `effect`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_examples_decisions_pass_their_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/distributor/decisions");
    let home = Home::new();
    let found = home
        .run(&["policy", "test", arg(&folder), "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(found["failed"], json!(0));
    assert_eq!(found["coverage"]["unreached"], json!([]));
}
