//! The example's policies pass their own tests, which reach every row.

use std::{collections::BTreeMap, fs, path::PathBuf};

use decision::{
    analyse::{Finding, FindingKind, Options, Reason, check},
    yaml,
};
use governance::{
    Bundle, Scope,
    files::{self, Source, suite::POLICY_TEST},
    suite::{self, Suite},
};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/distributor")
        .join(name)
}

/// Every YAML file of the folder (or the file itself), with the CSV files beside it.
fn sources(name: &str) -> Vec<Source> {
    let path = folder(name);
    let mut paths: Vec<_> = if path.is_file() {
        vec![path.clone()]
    } else {
        fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    };
    paths.sort();
    let (yaml, others): (Vec<_>, Vec<_>) = paths
        .into_iter()
        .partition(|path| path.extension().is_some_and(|e| e == "yaml"));
    let csv = others
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "csv"));
    let attachments: BTreeMap<_, _> = csv
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let source = |path: &PathBuf| Source {
        path: path.file_name().unwrap().to_str().unwrap().to_owned(),
        lines_before: 0,
        text: fs::read_to_string(path).unwrap().into(),
        attachments: attachments.clone(),
        version: 1,
    };
    yaml.iter().map(source).collect()
}

fn is_test(source: &Source) -> bool {
    let documents = yaml::parse(&source.text).unwrap();
    documents[0].get("kind").and_then(yaml::Node::as_str) == Some(POLICY_TEST)
}

fn example() -> (Bundle, Vec<Suite>) {
    let (tests, policies): (Vec<_>, Vec<_>) = sources("policies").into_iter().partition(is_test);
    let governing: Vec<_> = [sources("scopes.yaml"), sources("workflows"), policies]
        .into_iter()
        .flatten()
        .collect();
    let problems = |found: Vec<files::Diagnostic>| -> String {
        found.iter().map(|problem| format!("{problem}\n")).collect()
    };
    let bundle = files::compile(&governing).unwrap_or_else(|found| panic!("{}", problems(found)));
    let read =
        |source| files::suite::read(source).unwrap_or_else(|found| panic!("{}", problems(found)));
    (bundle, tests.iter().map(read).collect())
}

#[test]
fn the_policies_pass_their_tests() {
    let (bundle, suites) = example();
    let report = suite::run(&bundle, &suites);
    let failed: Vec<_> = report
        .failed()
        .map(|case| {
            format!(
                "{}:{}: {}\n    {}",
                case.path,
                case.line,
                case.name,
                case.failures.join("\n    ")
            )
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(report.uncovered, [], "rows that no test reaches");
    println!("{} policy tests passed", report.results.len());
}

#[test]
fn every_workflow_has_a_default_a_guardrail_a_variation_and_tests() {
    let (bundle, suites) = example();
    let enterprise = Scope::parse("acme").unwrap();
    // Who approves changes is the company's own, and the same for all units.
    let of_the_erp = bundle
        .workflows()
        .keys()
        .filter(|name| &***name != "change_approval");
    assert_eq!(of_the_erp.clone().count(), 8);
    for workflow in of_the_erp {
        let of_it: Vec<_> = bundle
            .policies()
            .values()
            .filter(|policy| policy.workflow == *workflow)
            .collect();
        let default = |policy: &&&std::sync::Arc<governance::Policy>| {
            policy.mode == governance::Mode::Default && policy.scope == enterprise
        };
        assert!(
            of_it.iter().any(|policy| default(&policy)),
            "{workflow}: no enterprise default"
        );
        let guardrail = of_it
            .iter()
            .any(|policy| policy.mode == governance::Mode::Guardrail);
        assert!(guardrail, "{workflow}: no guardrail");
        assert!(
            of_it.iter().any(|policy| policy.scope != enterprise),
            "{workflow}: no variation"
        );
        assert!(
            suites.iter().any(|suite| suite.workflow == *workflow),
            "{workflow}: no tests"
        );
    }
}

#[test]
fn no_policy_contradicts_itself_and_no_default_leaves_a_gap() {
    let (bundle, _) = example();
    for (name, policy) in bundle.policies() {
        let options = Options {
            gaps: policy.mode == governance::Mode::Default,
            ..Options::default()
        };
        let report = check(&policy.table, options);
        // A margin of an order of nothing has no result.
        let open = report.undecided.iter();
        let open: Vec<_> = open.filter(|u| u.reason != Reason::Expression).collect();
        assert!(open.is_empty(), "{name}: {open:?}");
        let note = |finding: &&Finding| finding.kind == FindingKind::NullInput;
        let found: Vec<_> = report.findings.iter().filter(|f| !note(f)).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}
