#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn files(text: &str) -> Files {
    Files::embedded([("a/b.yaml", text.as_bytes()), ("a/t.csv", b"x,y\n")])
}

fn told(files: &Files, checkers: &[Checker], besides: Option<&[&str]>) -> Vec<String> {
    let mut found = check(files, checkers, besides);
    found.sort();
    found.iter().map(ToString::to_string).collect()
}

/// Complains of every document it is given.
fn complain(_: &Files, documents: &[Document]) -> Vec<Problem> {
    let found = documents
        .iter()
        .map(|document| document.problem(1, 1, "bad"));
    found.collect()
}

#[test]
fn documents_keep_their_place() {
    let files =
        files("# header\n\nkind: A\nx: 1\n--- # next\nkind: B\ny: |\n  ----\n---\n# none\n");
    let documents = files.documents().unwrap();
    let places: Vec<_> = documents
        .iter()
        .map(|d| (d.kind.as_str(), d.line))
        .collect();
    assert_eq!(places, [("A", 1), ("B", 6)]);
    let problem = documents[1].problem(2, 3, "is\n  no good");
    assert_eq!(problem.to_string(), "a/b.yaml:7:3: is no good");
    assert_eq!(files.beside("a/b.yaml", "t.csv"), Some(&b"x,y\n"[..]));
    assert_eq!(files.beside("a/b.yaml", "u.csv"), None);
    assert_eq!(files.beside("b.yaml", "a/t.csv"), Some(&b"x,y\n"[..]));
}

#[test]
fn all_that_cannot_be_read_is_told_at_once_with_its_place() {
    let files = Files::embedded([
        ("a.yaml", &b"kind: A\n---\nkind: [\n"[..]),
        ("b.yaml", b"x: 1\n"),
        ("c.yaml", b"\xff"),
        ("d.yaml", b"kind: D\n"),
    ]);
    let error = files.documents().unwrap_err();
    let lines: Vec<_> = error.message().lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("a.yaml:"), "{lines:?}");
    assert!(lines[1].starts_with("b.yaml:1:1: "), "{lines:?}");
    assert_eq!(lines[2], "c.yaml:1:1: is not UTF-8");
}

#[test]
fn a_service_whose_document_cannot_be_read_is_not_asked_of_the_others() {
    let checkers = [
        Checker {
            kinds: &["A"],
            check: complain,
        },
        Checker {
            kinds: &["B"],
            check: complain,
        },
    ];
    let files = Files::embedded([
        (
            "a.yaml",
            &b"kind: A\nx: 1\n---\nkind: A # broken\nx: [\n"[..],
        ),
        ("b.yaml", b"kind: B\n"),
    ]);
    let found = told(&files, &checkers, None);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a.yaml:"), "{found:?}");
    assert_eq!(found[1], "b.yaml:1:1: bad");
}

#[test]
fn a_kind_that_nobody_knows_is_refused_where_all_are_there_to_know_it() {
    let checkers = [Checker {
        kinds: &["A"],
        check: |_, _| Vec::new(),
    }];
    let files = Files::embedded([("a.yaml", &b"kind: A\n---\nkind: Test\n---\nkind: Aa\n"[..])]);
    assert!(told(&files, &checkers, None).is_empty());
    assert_eq!(
        told(&files, &checkers, Some(&["Test"])),
        ["a.yaml:5:1: kind: found \"Aa\", expected one of A, Test"]
    );
}

#[test]
fn settings_beside_the_documents_are_checked_too() {
    let files = Files::embedded([
        (
            "principals.yaml",
            &b"principals:\n  a:\n    kind: robot\n"[..],
        ),
        ("access.yaml", b"kind: AccessTable\nroles: []\n"),
    ]);
    let found = told(&files, &[], None);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("access.yaml:2:"), "{found:?}");
    assert!(found[1].starts_with("principals.yaml:3:"), "{found:?}");
    assert!(found[1].contains("robot"), "{found:?}");
}

#[test]
fn directories_are_read_in_order_and_named_in_problems() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    fs::write(dir.path().join("sub/a.yaml"), "kind: A\n").unwrap();
    fs::write(dir.path().join(".hidden"), "x").unwrap();
    fs::write(dir.path().join("z.yaml"), "kind: Z\n").unwrap();
    let files = Files::from_dir(dir.path()).unwrap();
    assert_eq!(files.paths().collect::<Vec<_>>(), ["sub/a.yaml", "z.yaml"]);
    let error = files.refuse(vec![Problem::of_file("z.yaml", "is bad")]);
    let file = dir.path().join("z.yaml");
    assert_eq!(error.message(), format!("{}:1:1: is bad", file.display()));
    assert!(Files::from_dir(&dir.path().join("none")).is_err());
}
