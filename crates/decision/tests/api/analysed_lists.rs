//! What the analysis says of lists, whose tests are tried as a whole.

use decision::{
    Outcome, Value,
    analyse::{FindingKind, Options, Reason, check},
    evaluate,
};

use super::table;

fn tags(first: &str, second: &str) -> decision::Table {
    table(&format!(
        "name: t\ninputs: [{{expression: tags, type: list, of: string}}]\nrows:\n  \
         - {{id: a, when: {{tags: '{first}'}}, then: {{y: 1}}}}\n  \
         - {{id: b, when: {{tags: '{second}'}}, then: {{y: 2}}}}\n"
    ))
}

#[test]
fn rows_that_ask_for_members_overlap() {
    let both = tags(r#"list contains(?, "A")"#, r#"list contains(?, "B")"#);
    let report = check(&both, Options::default());
    let conflicts: Vec<_> = report.of(FindingKind::Conflict).collect();
    let [conflict] = conflicts.as_slice() else {
        panic!("{report:?}")
    };
    let witness = conflict.witness.as_ref().expect("a witness");
    assert_eq!(
        witness.get("tags"),
        Some(&Value::List(vec!["A".into(), "B".into()]))
    );
    assert_eq!(
        evaluate(&both, witness).outcomes,
        [Outcome::Conflict(vec![0, 1])]
    );
    // The empty list is a gap, and no null is given for one.
    for gap in report.of(FindingKind::Gap) {
        let shown = gap.witness.as_ref().and_then(|witness| witness.get("tags"));
        assert_eq!(shown, Some(&Value::List(Vec::new())));
    }
    assert_eq!(report.of(FindingKind::Gap).count(), 1);
}

#[test]
fn what_no_list_was_found_for_says_why() {
    let apart = tags(
        r#"list contains(?, "A")"#,
        r#"not(list contains(?, "A") or count(?) < 3)"#,
    );
    let report = check(&apart, Options::default());
    assert_eq!(report.of(FindingKind::Conflict).count(), 0);
    let open: Vec<_> = report
        .undecided
        .iter()
        .filter(|open| open.kind == Some(FindingKind::Conflict))
        .collect();
    let [open] = open.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(open.reason, Reason::NoWitness);
    assert_eq!(
        open.message,
        "no fact set was found in this region; tests of `tags`, a list or tested with `?`, were only tried as a whole"
    );
}
