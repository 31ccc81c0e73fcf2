//! `policy diff`: whatever it is given is compared or refused, never taken for the same.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    bylaw::{Home, arg},
    policy::copy_policies,
};

const TABLE: &str = "kind: DecisionTable
name: fee
inputs: [{expression: weight, type: number}]
rows:
  - {id: light, when: {weight: '<= 10'}, then: {fee: 5}}
  - {id: heavy, when: {weight: '> 10'}, then: {fee: 9}}
";

const MODEL: &str = "kind: DecisionModel
name: terms
inputs: {age: {type: number}}
functions:
  older: {parameters: {age: number}, type: number, expression: age + 1}
decisions:
  risk:
    type: string
    table:
      inputs: [age]
      outputs: [{name: risk, type: string}]
      rows:
        - {id: low, when: {age: '> 5'}, then: {risk: low}}
        - {id: high, when: {age: '<= 5'}, then: {risk: high}}
  late: {type: boolean, expression: age > 7}
";

#[test]
fn models_and_dmn_are_compared_table_by_table() {
    let home = Home::new();
    let old = home.file("old.yaml", MODEL);
    let dmn = |path: &Path| {
        let export = ["policy", "export", arg(path), "--to", "dmn"];
        home.run(&export).exits(0).stdout
    };
    let changed = MODEL.replace("'> 5'", "'> 8'").replace("'<= 5'", "'<= 8'");
    let new = home.file("new.yaml", changed);
    let (old_dmn, new_dmn) = (dmn(&old), dmn(&new));
    let old_dmn = home.file("old.dmn", old_dmn);
    let new_dmn = home.file("new.dmn", new_dmn);
    for (old, new) in [(&old, &new), (&old_dmn, &new_dmn), (&old, &new_dmn)] {
        home.run(&["policy", "diff", arg(old), arg(old)]).exits(0);
        let args = ["policy", "diff", arg(old), arg(new), "--output", "json"];
        let found = home.run(&args).exits(7).json();
        assert_eq!(found["different"], true);
        let tables = found["tables"].as_array().unwrap();
        assert_eq!((tables.len(), &tables[0]["name"]), (1, &json!("risk")));
        let changes = tables[0]["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(
            changes[0]["region"],
            json!([{"input": "age", "test": "]5..8]"}])
        );
        let text = home.run(&["policy", "diff", arg(old), arg(new)]).exits(7);
        assert!(text.stdout.contains("]5..8]"), "{text:?}");
    }
    // Beside other documents, and a table by itself against the one of a model.
    let several = |table: &str| format!("{TABLE}---\n{table}---\nkind: TableTest\nfile: x\n");
    let one = home.file(
        "one.yaml",
        several(&TABLE.replace("name: fee", "name: other")),
    );
    let two = TABLE
        .replace("name: fee", "name: other")
        .replace("10'", "11'");
    let two = home.file("two.yaml", several(&two));
    let args = ["policy", "diff", arg(&one), arg(&two), "--output", "json"];
    let found = home.run(&args).exits(7).json();
    assert_eq!(found["definitions"], json!([]));
    assert_eq!(found["tables"][0]["name"], "other");
    home.file("two.yaml", several(TABLE));
    let found = home.run(&args).exits(7).json();
    assert_eq!(
        found["definitions"],
        json!(["other is gone", "fee (2) is new"])
    );
    let model = "kind: DecisionModel
inputs: {weight: {type: number}}
decisions:
  cost:
    table:
      inputs: [weight]
      outputs: [fee]
      rows:
        - {id: light, when: {weight: '<= 10'}, then: {fee: 5}}
        - {id: heavy, when: {weight: '> 10'}, then: {fee: 9}}
";
    let one_table = home.file("table.yaml", TABLE);
    let diff = |model: &str| {
        let args = ["policy", "diff", arg(&one_table), "-"];
        home.feed(&args, model)
    };
    diff(model).exits(0);
    diff(&model.replace("<= 10", "<= 9")).exits(7);
    diff(&model.replace("  cost:", "  cost:\n    type: string")).exits(7);
    diff("kind: [").exits(2);
    let one_table = home.file("table.yaml", TABLE);
    let ran = home.run(&["policy", "diff", arg(&old), arg(&one_table)]);
    assert!(
        ran.exits(7)
            .stdout
            .contains("a table and the other a model")
    );
}

#[test]
fn other_expressions_types_and_decisions_are_differences() {
    let home = Home::new();
    let old = home.file("old.yaml", MODEL);
    let diff = |new: &str| {
        let new = home.file("new.yaml", new);
        let args = ["policy", "diff", arg(&old), arg(&new), "--output", "json"];
        home.run(&args).exits(7).json()
    };
    for (from, to, name) in [
        ("age > 7", "age > 8", "late"),
        ("age + 1", "age + 2", "older"),
    ] {
        let found = diff(&MODEL.replace(from, to));
        assert_eq!(found["tables"][0]["name"], name);
        let open = &found["tables"][0]["undecided"][0];
        assert_eq!(open["reason"], "EXPRESSION");
        let message = open["message"].as_str().unwrap();
        assert!(message.contains(from) && message.contains(to), "{message}");
    }
    for (from, to, said) in [
        ("  late:", "  too late:", "decision late is gone"),
        ("type: boolean", "type: any", "decision late was"),
        (
            "inputs: {age: {",
            "inputs: {age: {allowed: '> 0', ",
            "input age was",
        ),
    ] {
        let found = diff(&MODEL.replace(from, to));
        let definitions = found["definitions"].to_string();
        assert!(definitions.contains(said), "{found}");
    }
    // Spacing and notes decide nothing.
    let same = MODEL.replace("age > 7", "age  >  7, question: 'how late?'");
    let same = home.file("same.yaml", same);
    home.run(&["policy", "diff", arg(&old), arg(&same)])
        .exits(0);
}

#[test]
fn what_cannot_be_settled_is_no_difference_of_a_table_from_itself() {
    let home = Home::new();
    let table = TABLE.replace("then: {fee: 9}", "compute: {fee: 90 / weight}");
    let path = home.file("fee.yaml", &table);
    let ran = home.feed(&["policy", "diff", arg(&path), "-"], &table);
    assert!(ran.exits(0).stdout.contains("no difference"));
    // What computes another value is a difference with a case that shows it.
    let other = table.replace("90 /", "80 /");
    let ran = home.feed(&["policy", "diff", arg(&path), "-"], &other);
    assert!(ran.exits(7).stdout.contains("OTHER"));
    // What is only written otherwise isn't told from it.
    let other = table.replace("90 / weight", "90 / (weight + 0)");
    let ran = home.feed(&["policy", "diff", arg(&path), "-"], &other);
    assert!(ran.exits(7).stdout.contains("undecided (EXPRESSION)"));
}

#[test]
fn folders_of_tables_are_compared_file_by_file() {
    let home = Home::new();
    for (folder, table) in [
        ("old", TABLE.to_owned()),
        ("new", TABLE.replace("10'", "11'")),
    ] {
        fs::create_dir(home.path(folder)).unwrap();
        home.file(&format!("{folder}/fee.yaml"), table);
        home.file(&format!("{folder}/terms.yaml"), MODEL);
    }
    let (old, new) = (home.path("old"), home.path("new"));
    let args = ["policy", "diff", arg(&old), arg(&new), "--output", "json"];
    let found = home.run(&args).exits(7).json();
    assert_eq!(found["tables"].as_array().unwrap().len(), 1);
    assert_eq!(found["tables"][0]["name"], "fee.yaml");
    home.run(&["policy", "diff", arg(&old), arg(&old)]).exits(0);
    fs::remove_file(home.path("new/terms.yaml")).unwrap();
    let found = home.run(&args).exits(7).json();
    assert_eq!(found["definitions"], json!(["terms.yaml is gone"]));
}

#[test]
fn what_holds_nothing_to_compare_is_refused() {
    let home = Home::new();
    let garbage = home.file("garbage.txt", "garbage");
    let table = home.file("fee.yaml", TABLE);
    fs::create_dir(home.path("empty")).unwrap();
    let empty = home.path("empty");
    for (old, new) in [
        (arg(&garbage), arg(&garbage)),
        (arg(&empty), arg(&empty)),
        (arg(&table), arg(&empty)),
        (arg(&garbage), arg(&table)),
        ("-", "-"),
    ] {
        let ran = home.run(&["policy", "diff", old, new]).exits(2);
        assert_eq!(ran.stdout, "", "{ran:?}");
    }
    // Problems are drawn as they are for every other command.
    let wrong = home.file("wrong.yaml", TABLE.replace("> 10", "> ten"));
    let ran = home.run(&["policy", "diff", arg(&wrong), arg(&table)]);
    let ran = ran.exits(2).stderr;
    assert!(ran.contains("\n --> "), "{ran}");
    let piped = home.feed(&["policy", "diff", "-", arg(&table)], TABLE);
    piped.exits(0);
}

#[test]
fn versions_of_a_policy_are_compared_within_the_folder_it_belongs_to() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/distributor");
    let home = Home::new();
    let root = home.path("suite");
    copy_policies(&example, &root);
    let policy = root.join("policies/credit_hold_release.enterprise.yaml");
    let text = fs::read_to_string(&policy).unwrap();
    let looser = text
        .replace("<= 10000'", "<= 20000'")
        .replace("]10000..", "]20000..");
    let beside = root.join("policies/raised.yaml");
    fs::write(&beside, &looser).unwrap();
    fs::create_dir_all(home.path("a/b/c/d/e/f")).unwrap();
    let elsewhere = home.file("a/b/c/d/e/f/raised.yaml", &looser);
    let diff = |new: &str, piped: &str| {
        let args = ["policy", "diff", arg(&policy), new, "--output", "json"];
        home.feed(&args, piped)
    };
    // Two versions stand in one folder: each is read without the other.
    let found = diff(arg(&beside), "").exits(7).json();
    assert_eq!(found["loosens"], true);
    assert_eq!(found["scopes"][0]["changes"][0]["change"], "LOOSER");
    let text = home.run(&["policy", "diff", arg(&policy), arg(&beside)]);
    assert!(text.exits(7).stdout.contains("| such as"));
    fs::remove_file(&beside).unwrap();
    // A version that stands alone takes the place of the other.
    for (new, piped) in [(arg(&elsewhere), ""), ("-", looser.as_str())] {
        assert_eq!(diff(new, piped).exits(7).json(), found);
    }
    diff("-", &fs::read_to_string(&policy).unwrap()).exits(0);
    diff(arg(&policy), "").exits(0);
    let part = diff(arg(&root), "").exits(2);
    part.says(&["a part of the other"]);
    // Where there is no folder of policies at all, it is said what is missing.
    for args in [
        &["diff", arg(&elsewhere), arg(&elsewhere)][..],
        &["eval", arg(&elsewhere), "--facts", "{}"],
        &["check", arg(&elsewhere)],
    ] {
        let ran = home.run(&[&["policy"], args].concat());
        assert!(matches!(ran.status, 2 | 3), "{ran:?}");
        assert!(ran.stderr.contains("has a `scopes.yaml`"), "{ran:?}");
    }
    // A policy is evaluated whatever its file is called.
    let named = root.join("policies/named-otherwise.yaml");
    fs::rename(&policy, &named).unwrap();
    let facts = r#"{"order.total": "100 EUR", "customer.days_overdue": 3}"#;
    let ran = home.run(&["policy", "eval", arg(&named), "--facts", facts]);
    assert!(ran.exits(0).stdout.contains("ALLOW"));
    fs::rename(&named, &policy).unwrap();
    // Two policies are compared as tables.
    let other = root.join("policies/credit_hold_release.medical.yaml");
    let found = diff(arg(&other), "").exits(7).json();
    assert!(
        found["changes"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
}
