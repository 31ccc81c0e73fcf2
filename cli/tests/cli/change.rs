//! `bylaw change`: what a process owner, an approver and an activator do.

use std::fs;

use serde_json::Value;

use crate::bylaw::{Ran, Suite, arg};

/// What a command printed holds all of it.
#[track_caller]
fn tells(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(ran.stdout.contains(part), "no {part:?} in {}", ran.stdout);
    }
}

const EDITOR: &str = "process-owner.order-to-cash";

/// The enterprise's policy of credit holds with another threshold, as a file.
fn policy(suite: &Suite, threshold: &str) -> std::path::PathBuf {
    let source =
        include_str!("../../../examples/distributor/policies/credit_hold_release.enterprise.yaml");
    let source = source.replace("10000'", &format!("{threshold}'"));
    let source = source.replace("]10000..", &format!("]{threshold}.."));
    suite.home.file("policy.yaml", source)
}

fn propose<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["change", "propose", file, "--title", "another threshold"];
    args.extend(["--reason", "small orders wait", "--as", EDITOR]);
    args.extend(more);
    args
}

#[test]
fn a_change_goes_from_files_into_force() {
    let suite = Suite::start();
    let file = policy(&suite, "12000");
    let planned = suite
        .run(&["change", "plan", arg(&file), "--as", EDITOR])
        .exits(0);
    tells(
        &planned,
        &[
            "~ Policy credit_hold_release.enterprise (version 1)",
            "LOOSER",
            "]10000..12000]",
            "1 to change",
        ],
    );
    let change = suite.json(&propose(arg(&file), &[]));
    assert_eq!(change["state"], "BACKTESTED", "{change:#}");
    // A build that runs twice makes one change.
    let again = suite.json(&propose(arg(&file), &[]));
    assert_eq!(again["name"], change["name"]);
    let name = change["name"].as_str().unwrap();
    let list = suite
        .run(&["change", "list", "--state", "backtested", "--as", "auditor"])
        .exits(0);
    tells(&list, &["another threshold", "1 council@acme", "1 change"]);
    suite
        .run(&["change", "approve", name, "--as", EDITOR])
        .exits(1)
        .says(&["SOD_EDITOR"]);
    suite
        .run(&[
            "change",
            "approve",
            name,
            "--digest",
            "sha256:00",
            "--as",
            "council-member",
        ])
        .exits(2)
        .says(&["digest"]);
    tells(
        &suite
            .run(&["change", "approve", name, "--as", "council-member"])
            .exits(0),
        &["APPROVED", "bylaw change activate"],
    );
    tells(
        &suite
            .run(&["change", "activate", name, "--as", "erp-platform-owner"])
            .exits(0),
        &["ACTIVE", "revision 2"],
    );
    // The same files are what is in force now.
    suite
        .run(&propose(arg(&file), &["--backtest-limit", "10"]))
        .exits(0);
    let shown = suite.json(&["change", "show", name, "--as", "auditor"]);
    assert_eq!(shown["revision"], 2, "{shown:#}");

    let out = suite.home.path("exported");
    suite
        .run(&["change", "export", arg(&out), "--as", "auditor"])
        .exits(0);
    let exported =
        fs::read_to_string(out.join("policies/credit_hold_release.enterprise.yaml")).unwrap();
    assert!(exported.contains("'<= 12000'"));
    // What was exported is the whole state: nothing would change.
    let planned = suite
        .run(&["change", "plan", arg(&out), "--complete", "--as", EDITOR])
        .exits(0);
    tells(&planned, &["Plan: 0 to add, 0 to change, 0 to take away"]);
    suite
        .run(&["change", "export", arg(&out), "--as", "auditor"])
        .exits(2)
        .says(&["isn't empty"]);

    tells(
        &suite
            .run(&[
                "change",
                "rollback",
                name,
                "--reason",
                "a mistake",
                "--as",
                "erp-platform-owner",
            ])
            .exits(0),
        &["ROLLED_BACK"],
    );
}

#[test]
fn what_is_not_sound_has_its_status() {
    let suite = Suite::start();
    // The policy's own tests don't pass with it.
    let file = policy(&suite, "20000");
    let ran = suite.run(&propose(arg(&file), &[])).exits(4);
    tells(
        &ran,
        &[
            "failed: policies/credit_hold_release_test.yaml",
            "bylaw change edit",
        ],
    );
    let conflict =
        include_str!("../../../examples/distributor/policies/credit_hold_release.enterprise.yaml")
            .replace("']10000..", "']9000..");
    let file = suite.home.file("conflict.yaml", conflict);
    tells(
        &suite.run(&propose(arg(&file), &[])).exits(3),
        &["CONFLICT", "DRAFT"],
    );
    let nothing = suite.home.file("nothing.yaml", "kind: Calendar\nname: c\n");
    suite
        .run(&propose(arg(&nothing), &[]))
        .exits(2)
        .says(&["no document that is governed"]);
    suite
        .run(&["change", "list", "--state", "lost", "--as", "auditor"])
        .exits(2);
    let listed: Value = suite.json(&["change", "list", "--as", "auditor"]);
    assert_eq!(listed["changes"].as_array().unwrap().len(), 2);
}
