//! Policies as files: checks and differences.

use std::{fs, path::Path};

use crate::bylaw::{Home, arg};

const TABLE: &str = "name: credit
inputs:
  - {expression: order.total, type: money, currency: EUR}
  - {expression: days, type: number}
hit_policy: UNIQUE
rows:
  - {id: small, when: {order.total: '<= 10000', days: '<= 30'}, then: {queue: none}}
  - {id: medium, when: {order.total: '[10000..100000]', days: '<= 30'}, then: {queue: credit}}
  - {id: large, when: {order.total: '> 100000'}, then: {queue: board}}
";

#[test]
fn a_table_alone_is_checked_with_regions_and_witnesses() {
    let home = Home::new();
    let path = home.file("credit.yaml", TABLE);
    let ran = home
        .run(&["policy", "check", arg(&path), "--output", "json"])
        .exits(3);
    let found = ran.json();
    let findings = found["tables"][0]["findings"].as_array().unwrap().clone();
    let conflict = findings.iter().find(|f| f["kind"] == "CONFLICT").unwrap();
    assert_eq!(conflict["rows"], serde_json::json!(["small", "medium"]));
    assert_eq!(
        conflict["region"][0],
        serde_json::json!({"input": "order.total", "test": "10000"})
    );
    assert!(findings.iter().any(|f| f["kind"] == "GAP"));
    let text = home.run(&["policy", "check", arg(&path)]).exits(3).stdout;
    assert!(text.contains("small / medium"), "{text}");

    let sound = TABLE.replace("'[10000", "']10000");
    let path = home.file("credit.yaml", sound.as_str());
    home.run(&["policy", "check", arg(&path)]).exits(0);
    let wrong = home.file("wrong.yaml", TABLE.replace("<= 30", "<= thirty"));
    let text = home.run(&["policy", "check", arg(&wrong)]).exits(3).stdout;
    assert!(
        text.contains("thirty") && text.contains("wrong.yaml:7"),
        "{text}"
    );
}

#[test]
fn what_does_not_read_in_a_folder_is_an_error_with_its_line() {
    let home = Home::new();
    fs::create_dir(home.path("tables")).unwrap();
    home.file("tables/sound.yaml", format!("kind: DecisionTable\n{TABLE}"));
    home.file(
        "tables/routes.yaml",
        "kind: Routing\nname: not this command's\n",
    );
    let folder = home.path("tables");
    home.run(&["policy", "check", arg(&folder)]).exits(3);
    let sound = format!(
        "kind: DecisionTable\n{}",
        TABLE.replace("'[10000", "']10000")
    );
    home.file("tables/sound.yaml", sound.as_str());
    home.run(&["policy", "check", arg(&folder)]).exits(0);
    // Several documents of a file: lines count from the start of the file.
    let wrong = format!("{sound}---\n{}", sound.replace("<= 30", "<= thirty"));
    let model = "kind: DecisionModel\nname: m\ndecisions:\n  a: {expression: 'nothing + '}\n";
    for (name, text, place) in [
        ("wrong.yaml", wrong.as_str(), "wrong.yaml:19:"),
        ("model.yaml", model, "model.yaml:4:20"),
        (
            "slip.yaml",
            "kind: DecisionTabel\nname: t\n",
            "slip.yaml:1:7",
        ),
    ] {
        let path = home.file(&format!("tables/{name}"), text);
        let ran = home.run(&["policy", "check", arg(&folder)]).exits(3);
        assert!(ran.stdout.contains(place), "{}", ran.stdout);
        let ran = home.run(&["policy", "check", arg(&path)]).exits(3);
        assert!(ran.stdout.contains(place), "{}", ran.stdout);
        let args = ["policy", "check", arg(&folder), "--output", "json"];
        assert_eq!(
            home.run(&args).exits(3).json()["errors"]
                .as_u64()
                .map(|n| n > 0),
            Some(true)
        );
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn tables_in_models_are_checked_by_their_decisions_names() {
    let home = Home::new();
    let model = "kind: DecisionModel
name: terms
inputs: {age: {type: number}}
decisions:
  risk:
    table:
      inputs: [age]
      outputs: [risk]
      rows:
        - {id: a, when: {age: '< 5'}, then: {risk: high}}
        - {id: b, when: {age: '[4..9]'}, then: {risk: low}}
  late: {expression: 'age > 7'}
";
    let path = home.file("terms.yaml", model);
    let found = |args: &[&str], text: &str| {
        let ran = home.feed(&[&["policy", "check"], args].concat(), text);
        let found = ran.exits(3).json()["tables"].clone();
        assert_eq!(found[0]["name"], "terms/risk");
        assert_eq!(found[0]["findings"][0]["kind"], "CONFLICT");
    };
    found(&[arg(&path), "--output", "json"], "");
    found(&["-", "--output", "json"], model);
    let dmn = home.run(&["policy", "export", arg(&path), "--to", "dmn"]);
    let dmn = dmn.exits(0).stdout;
    fs::create_dir(home.path("models")).unwrap();
    home.file("models/terms.dmn", &dmn);
    found(&[arg(&home.path("models")), "--output", "json"], "");

    let plain = model.replace("  risk:\n    table:", "  risk:\n    expression: age\n#");
    let plain = plain.split('#').next().unwrap_or_default();
    let path = home.file("plain.yaml", plain);
    let text = home.run(&["policy", "check", arg(&path)]).exits(0).stdout;
    assert!(text.contains("ok    terms"), "{text}");
    let broken = home.file("models/broken.dmn", dmn.replace("age &gt; 7", "age &gt;"));
    let ran = home.run(&["policy", "check", arg(&home.path("models"))]);
    let ran = ran.exits(3);
    assert!(ran.stdout.contains("broken.dmn:"), "{ran:?}");
    home.run(&["policy", "check", arg(&broken)]).exits(3);
}

#[test]
fn versions_of_a_table_differ_with_status_seven() {
    let home = Home::new();
    let old = home.file("old.yaml", TABLE);
    let new = home.file("new.yaml", TABLE.replace("'[10000", "']10000"));
    home.run(&["policy", "diff", arg(&old), arg(&old)]).exits(0);
    let found = home
        .run(&["policy", "diff", arg(&old), arg(&new), "--output", "json"])
        .exits(7)
        .json();
    assert_eq!(found["changes"].as_array().unwrap().len(), 1);
    assert_eq!(found["changes"][0]["old"]["conflict"], true);
    assert_eq!(
        found["changes"][0]["new"]["result"],
        serde_json::json!({"queue": "none"})
    );
    home.run(&["policy", "diff", arg(&old), "nowhere.yaml"])
        .exits(2);
}

/// What makes a bundle, from one folder to another.
pub fn copy_policies(from: &Path, to: &Path) {
    for folder in ["", "policies", "workflows"] {
        fs::create_dir_all(to.join(folder)).unwrap();
        for entry in fs::read_dir(from.join(folder)).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                fs::copy(&file, to.join(folder).join(file.file_name().unwrap())).unwrap();
            }
        }
    }
}

#[test]
fn the_example_is_sound_and_a_raised_threshold_loosens_it() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/distributor");
    let home = Home::new();
    let copy = home.path("changed");
    copy_policies(&example, &copy);
    let found = home
        .run(&["policy", "check", arg(&copy), "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(found["errors"], 0);
    home.run(&["policy", "diff", arg(&copy), arg(&copy)])
        .exits(0);

    let old = home.path("old");
    copy_policies(&copy, &old);
    let policy = copy.join("policies/credit_hold_release.enterprise.yaml");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(
        &policy,
        text.replace("<= 10000'", "<= 20000'")
            .replace("]10000..", "]20000.."),
    )
    .unwrap();
    let found = home
        .run(&["policy", "diff", arg(&old), arg(&copy), "--output", "json"])
        .exits(7)
        .json();
    assert_eq!(found["loosens"], true);
    let scopes = found["scopes"].as_array().unwrap();
    assert!(
        scopes
            .iter()
            .all(|scope| scope["workflow"] == "credit_hold_release")
    );
    let changes = scopes
        .iter()
        .flat_map(|scope| scope["changes"].as_array().unwrap());
    for change in changes {
        assert_eq!(change["change"], "LOOSER");
        assert!(
            change["region"].to_string().contains("]10000..20000]"),
            "{change}"
        );
    }
}
