//! What `bylaw dev` does with a folder of documents: everything is checked before anything
//! is stored, and what changes in it afterwards is told.

use std::path::{Path, PathBuf};

use crate::bylaw::{Home, Ran, Suite};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/distributor");

/// A file for each part of a bootstrap, with a mistake in it and the place that is told.
const MISTAKES: [(&str, &str, &str, &str); 12] = [
    ("scopes.yaml", "level: REGION", "level: COUNTY", ":5:"),
    (
        "workflows/order_release.yaml",
        "kind: Workflow",
        "kind: Workflow\ncolour: red",
        ":",
    ),
    (
        "policies/credit_hold_release.enterprise.yaml",
        "mode: DEFAULT",
        "mode: MAYBE",
        ":5:",
    ),
    (
        "policies/pricing_variance_approval.enterprise.csv",
        "<= 20000",
        "<= cheap",
        ":3:",
    ),
    (
        "exceptions/taxonomy.yaml",
        "severity: HIGH",
        "severity: LOUD",
        ":8:",
    ),
    (
        "exceptions/routing.yaml",
        "calendar: industrial",
        "calendar: lunar",
        ":6:",
    ),
    (
        "masterdata/item.yaml",
        "entity: item",
        "entity: thing",
        ":4:",
    ),
    (
        "mappings/erp-customer.yaml",
        "entity: customer",
        "entity: client",
        ":",
    ),
    (
        "ai/models.yaml",
        "risk_tier: MEDIUM",
        "risk_tier: HUGE",
        ":8:",
    ),
    (
        "ai/use-cases.yaml",
        "review_timeout: 4h",
        "review_timeout: [",
        ":",
    ),
    ("principals.yaml", "kind: service", "kind: alien", ":4:"),
    (
        "exceptions/calendars.yaml",
        "kind: Calendar",
        "kind: Calender",
        ":3:1: kind",
    ),
];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn folder(home: &Home) -> PathBuf {
    let folder = home.path("company");
    copy(Path::new(EXAMPLE), &folder);
    folder
}

/// Replaces the first of a text in a file, and gives what stood there before.
fn edit(file: &Path, from: &str, to: &str) -> String {
    let before = std::fs::read_to_string(file).unwrap();
    assert!(before.contains(from), "{} has no {from}", file.display());
    std::fs::write(file, before.replacen(from, to, 1)).unwrap();
    before
}

fn refused(home: &Home) -> Ran {
    let ran = home.run(&[
        "dev",
        "--grpc-addr",
        "127.0.0.1:0",
        "--http-addr",
        "127.0.0.1:0",
        "--example",
        "company",
    ]);
    assert!(!home.data_dir().exists(), "nothing is written: {ran:?}");
    ran.exits(2)
}

#[test]
fn a_mistake_anywhere_leaves_nothing_behind_and_its_mending_counts() {
    let home = Home::new();
    let folder = folder(&home);
    for (name, from, to, place) in MISTAKES {
        let file = folder.join(name);
        let before = edit(&file, from, to);
        let ran = refused(&home);
        let place = format!("error: company/{name}{place}");
        // What refers to it may be named too.
        let mut lines = ran.stderr.lines();
        assert!(
            lines.any(|line| line.starts_with(&place)),
            "{place} {ran:?}"
        );
        std::fs::write(&file, before).unwrap();
    }
    all_at_once(&home, &folder);

    // What was mended is what counts.
    edit(
        &folder.join("policies/credit_hold_release.enterprise.yaml"),
        "'<= 10000'",
        "'<= 12000'",
    );
    edit(
        &folder.join("policies/credit_hold_release.enterprise.yaml"),
        "']10000..100000]'",
        "']12000..100000]'",
    );
    edit(
        &folder.join("principals.yaml"),
        "principals:\n",
        "principals:\n  night-desk: {kind: person, grants: [operator@acme]}\n",
    );
    let suite = Suite::on(home, &["--example", "company"]);
    assert!(!suite.log().contains("WARN"), "{}", suite.log());
    suite
        .run(&["exception", "list", "--as", "night-desk"])
        .exits(0);
    decide(&suite).exits(0);
    let home = suite.stop();
    later_changes_are_told(home, &folder);
}

/// What others refer to or can't be read at all: the others wait until it is mended.
const FIRST: [&str; 3] = [
    "scopes.yaml",
    "exceptions/taxonomy.yaml",
    "ai/use-cases.yaml",
];

fn all_at_once(home: &Home, folder: &Path) {
    let mistakes = MISTAKES.iter().filter(|(name, ..)| !FIRST.contains(name));
    let broken: Vec<_> = mistakes
        .map(|(name, from, to, _)| (*name, edit(&folder.join(name), from, to)))
        .collect();
    let ran = refused(home);
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert!(
        lines.iter().all(|line| line.starts_with("error: company/")),
        "{ran:?}"
    );
    for (name, text) in broken {
        let place = format!("error: company/{name}:");
        assert!(
            lines.iter().any(|line| line.starts_with(&place)),
            "{name}: {ran:?}"
        );
        std::fs::write(folder.join(name), text).unwrap();
    }
}

fn decide(suite: &Suite) -> Ran {
    suite.run(&[
        "decide",
        "credit_hold_release",
        "--scope",
        "acme/europe/industrial/hamburg",
        "--facts",
        r#"{"order.total": "11000 EUR", "customer.days_overdue": 0}"#,
    ])
}

fn later_changes_are_told(home: Home, folder: &Path) {
    for (name, from, to) in [
        (
            "policies/credit_hold_release.enterprise.yaml",
            "12000",
            "13000",
        ),
        (
            "policies/pricing_variance_approval.enterprise.csv",
            "20000",
            "25000",
        ),
        (
            "exceptions/taxonomy.yaml",
            "title: Credit hold",
            "title: Held credit",
        ),
        (
            "masterdata/item.yaml",
            "description: ",
            "description: surely ",
        ),
        ("ai/models.yaml", "description: ", "description: surely "),
        ("principals.yaml", "night-desk", "day-desk"),
    ] {
        edit(&folder.join(name), from, to);
    }
    let suite = Suite::on(home, &["--example", "company"]);
    let log = suite.log();
    for name in [
        "Policy credit_hold_release.enterprise differs",
        "Policy pricing_variance_approval.enterprise differs",
        "Taxonomy differs",
        "RecordRules acme.item differs",
        "Model fulfilment-advisor 3 differs",
        "company/principals.yaml isn't used",
    ] {
        assert!(log.contains(name), "{name}: {log}");
    }
    assert_eq!(log.matches(" differs from what ").count(), 5, "{log}");
    // The store's own is in force.
    decide(&suite).exits(0);
    suite
        .run(&["exception", "list", "--as", "night-desk"])
        .exits(0);
}
