//! What the analysis says of tables as people write them.

use decision::{
    Facts, Outcome, Output, Schema, Table,
    analyse::{Finding, FindingKind, Options, Reason, Report, check, difference},
    evaluate,
};

use crate::table;

fn of(text: &str) -> (Table, Report) {
    let table = table(text);
    let report = check(&table, Options::default());
    (table, report)
}

fn regions(report: &Report, kind: FindingKind) -> Vec<String> {
    let texts = report.of(kind).map(|finding| finding.region.to_string());
    texts.collect()
}

fn witness(finding: &Finding) -> &Facts {
    finding.witness.as_ref().expect("a witness")
}

const CREDIT: &str = "
name: credit
inputs:
  - {expression: order.total, type: money, currency: EUR}
  - {expression: days, type: number, unit: d}
hit_policy: UNIQUE
rows:
  - {id: small, when: {order.total: '<= 10000', days: '<= 30'}, then: {queue: none}}
  - {id: medium, when: {order.total: '[10000..100000]', days: '<= 30'}, then: {queue: credit}}
  - {id: large, when: {order.total: '> 100000'}, then: {queue: board}}
";

#[test]
fn gaps_and_conflicts_come_in_the_tables_own_terms() {
    let (table, report) = of(CREDIT);
    assert_eq!(
        regions(&report, FindingKind::Gap),
        ["order.total <= 100000; days > 30"]
    );
    assert_eq!(
        regions(&report, FindingKind::Conflict),
        ["order.total 10000; days <= 30"]
    );
    let gap = report.of(FindingKind::Gap).next().expect("a gap");
    assert_eq!(evaluate(&table, witness(gap)).outcomes, [Outcome::NoHit]);
    let conflict = report.of(FindingKind::Conflict).next().expect("a conflict");
    assert_eq!(conflict.rows, [0, 1]);
    assert_eq!(
        evaluate(&table, witness(conflict)).outcomes,
        [Outcome::Conflict(vec![0, 1])]
    );
    assert_eq!(
        regions(&report, FindingKind::NullInput),
        ["order.total null", "days null"]
    );
    assert_eq!(report.undecided, []);
}

#[test]
fn days_are_discrete_and_numbers_are_dense() {
    let days = |cells: [&str; 2]| {
        let (_, report) = of(&format!(
            "name: t\ninputs: [{{expression: d, type: date}}]\nrows:\n  \
             - {{id: a, when: {{d: '{}'}}, then: {{x: 1}}}}\n  - {{id: b, when: {{d: '{}'}}, then: {{x: 2}}}}\n",
            cells[0], cells[1]
        ));
        regions(&report, FindingKind::Gap)
    };
    let none: [&str; 0] = [];
    assert_eq!(
        days(["<= date(\"2026-02-28\")", ">= date(\"2026-03-01\")"]),
        none
    );
    assert_eq!(
        days(["< date(\"2026-02-28\")", ">= date(\"2026-03-01\")"]),
        ["d date(\"2026-02-28\")"]
    );
    let (_, report) = of(
        "name: t\ninputs: [{expression: n, type: number}]\nrows:\n  \
         - {id: a, when: {n: '<= 10'}, then: {x: 1}}\n  - {id: b, when: {n: '>= 11'}, then: {x: 2}}\n",
    );
    assert_eq!(regions(&report, FindingKind::Gap), ["n ]10..11["]);
}

#[test]
fn an_amount_and_its_currency_are_one_fact() {
    let (table, report) = of("
name: t
facts: {total: {type: money, currency: EUR}}
inputs: [total, total.currency]
hit_policy: FIRST
rows:
  - {id: small, when: {total: '<= 100', total.currency: '\"EUR\"'}, then: {x: 1}}
  - {id: foreign, when: {total.currency: 'not(\"EUR\", \"USD\")'}, then: {x: 2}}
");
    let gaps = regions(&report, FindingKind::Gap);
    assert_eq!(
        gaps,
        [
            "total > 100; total.currency \"EUR\"",
            "total.currency \"USD\""
        ]
    );
    for gap in report.of(FindingKind::Gap) {
        assert_eq!(evaluate(&table, witness(gap)).outcomes, [Outcome::NoHit]);
    }
    assert_eq!(report.undecided, []);
}

#[test]
fn computed_columns_are_shown_or_undecided() {
    let (table, report) = of("
name: t
facts: {total: {type: number}, limit: {type: number}}
inputs: [total, total - limit]
hit_policy: UNIQUE
rows:
  - {id: within, when: {total - limit: '<= 0'}, then: {x: 1}}
  - {id: over, when: {total: '> 100', total - limit: '>= 0'}, then: {x: 2}}
");
    let conflict = report.of(FindingKind::Conflict).next().expect("a conflict");
    assert_eq!(
        conflict.region.to_string(),
        "total > 100; (total - limit) 0"
    );
    assert_eq!(
        evaluate(&table, witness(conflict)).outcomes,
        [Outcome::Conflict(vec![0, 1])]
    );
    assert_eq!(
        regions(&report, FindingKind::Gap),
        ["total <= 100; (total - limit) > 0"]
    );

    // Twice a number above ten isn't below ten.
    let (_, report) = of("
name: t
facts: {n: {type: number}}
inputs: [n, n * 2]
hit_policy: UNIQUE
rows:
  - {id: a, when: {n: '> 10'}, then: {x: 1}}
  - {id: b, when: {n * 2: '< 10'}, then: {x: 2}}
  - {id: c, when: {n: '[5..10]'}, then: {x: 3}}
");
    assert_eq!(
        report
            .findings
            .iter()
            .filter(|f| f.kind != FindingKind::NullInput)
            .count(),
        0
    );
    assert!(
        report
            .undecided
            .iter()
            .any(|u| u.reason == Reason::NoWitness
                && u.kind == Some(FindingKind::Conflict)
                && u.rows == [0, 1])
    );
}

#[test]
fn tests_against_other_facts_are_shown() {
    let (table, report) = of("
name: t
facts: {total: {type: money, currency: EUR}, limit: {type: money, currency: EUR}}
inputs: [total]
hit_policy: FIRST
rows:
  - {id: within, when: {total: '<= limit'}, then: {x: 1}}
  - {id: small, when: {total: '< 10'}, then: {x: 2}}
");
    let gap = report.of(FindingKind::Gap).next().expect("a gap");
    assert_eq!(gap.region.to_string(), "total >= 10; total > limit");
    assert_eq!(evaluate(&table, witness(gap)).outcomes, [Outcome::NoHit]);
    assert_eq!(
        regions(&report, FindingKind::NullInput),
        ["total null", "limit null"]
    );
    assert_eq!(report.undecided, []);
}

/// A table of two columns that are compared, by the tests of the first.
fn compared(types: &str, cells: &[&str]) -> (Table, Report) {
    let mut text = format!("name: t\nfacts: {{{types}}}\ninputs: [a]\nhit_policy: UNIQUE\nrows:\n");
    for (at, cell) in cells.iter().enumerate() {
        text += &format!("  - {{id: r{at}, when: {{a: '{cell}'}}, then: {{x: {at}}}}}\n");
    }
    of(&text)
}

#[test]
fn opposite_tests_against_an_expression_leave_nothing_open() {
    let (_, report) = compared(
        "a: {type: date}, b: {type: date}",
        &[
            "< b + duration(\"P3M\")",
            ">= b + duration(\"P3M\")",
            "null",
        ],
    );
    assert_eq!(report.undecided, []);
    assert_eq!(regions(&report, FindingKind::NullInput), ["b null"]);
    assert_eq!(report.findings.len(), 1);

    let (table, report) = compared(
        "a: {type: date}, b: {type: date}",
        &[
            "<= b + duration(\"P3M\")",
            ">= b + duration(\"P3M\")",
            "null",
        ],
    );
    let conflict = report.of(FindingKind::Conflict).next().expect("a conflict");
    let equal = "(b + duration(\"P3M\"))";
    assert_eq!(conflict.region.to_string(), format!("a [{equal}..{equal}]"));
    assert_eq!(
        evaluate(&table, witness(conflict)).outcomes,
        [Outcome::Conflict(vec![0, 1])]
    );

    let (table, report) = compared(
        "a: {type: number}, b: {type: number}, c: {type: number}",
        &["< b * 2 - c", "> b * 2 - c"],
    );
    let gap = report.of(FindingKind::Gap).next().expect("a gap");
    assert_eq!(gap.region.to_string(), "a ((b * 2) - c)");
    assert_eq!(evaluate(&table, witness(gap)).outcomes, [Outcome::NoHit]);
    assert_eq!(report.undecided, []);
}

#[test]
fn what_is_compared_is_told_apart_as_its_type_is() {
    let (_, report) = compared(
        "a: {type: boolean}, b: {type: boolean}",
        &["b", "not(b, null)"],
    );
    assert_eq!(report.undecided, []);
    assert_eq!(regions(&report, FindingKind::Gap), [""; 0]);
    let (_, report) = compared("a: {type: string}, b: {type: string}", &["b"]);
    assert_eq!(regions(&report, FindingKind::Gap), ["a not(b)"]);
    assert_eq!(report.undecided, []);

    // Amounts in two currencies are neither less nor more.
    let (table, report) = compared("a: {type: money}, b: {type: money}", &["< b", ">= b"]);
    assert_eq!(
        regions(&report, FindingKind::Gap),
        ["a a.currency != b.currency"]
    );
    let gap = report.of(FindingKind::Gap).next().expect("a gap");
    assert_eq!(evaluate(&table, witness(gap)).outcomes, [Outcome::NoHit]);
    assert_eq!(report.undecided, []);
}

#[test]
fn what_can_not_be_less_than_itself_is_dead() {
    let (_, report) = compared(
        "a: {type: number}, b: {type: number}",
        &["[b..a[", ">= b", "< b"],
    );
    let dead: Vec<_> = report.of(FindingKind::DeadRow).map(|f| f.rows[0]).collect();
    assert_eq!(dead, [0]);
    assert_eq!(report.of(FindingKind::Conflict).count(), 0);
    assert_eq!(report.undecided, []);
}

#[test]
fn dead_and_redundant_rows_name_who_answers_instead() {
    let (_, report) = of("
name: t
inputs: [{expression: n, type: number}]
hit_policy: FIRST
rows:
  - {id: a, when: {n: '<= 10'}, then: {x: 1}}
  - {id: b, when: {n: '> 5'}, then: {x: 2}}
  - {id: c, when: {n: '[3..20]'}, then: {x: 3}}
  - {id: d, when: {n: 'null'}, then: {x: 2}}
  - {id: e, then: {x: 2}}
");
    let rows = |kind| report.of(kind).map(|f| f.rows[0]).collect::<Vec<_>>();
    assert_eq!(rows(FindingKind::DeadRow), [2, 4]);
    assert_eq!(rows(FindingKind::RedundantRow), [3]);
    let dead = report.of(FindingKind::DeadRow).next().expect("a dead row");
    assert_eq!(dead.instead, [0]);
}

#[test]
fn versions_differ_where_outputs_do() {
    let new = CREDIT
        .replace("[10000..100000]", "]10000..100000]")
        .replace("- {id: large", "- {id: overdue, when: {order.total: '<= 100000', days: '> 30'}, then: {queue: credit}}\n  - {id: large");
    let found = difference(&table(CREDIT), &table(&new));
    let texts: Vec<_> = found.changes.iter().map(|c| c.region.to_string()).collect();
    assert_eq!(
        texts,
        [
            "order.total 10000; days <= 30",
            "order.total <= 100000; days > 30"
        ]
    );
    assert_eq!(found.undecided, []);
    assert!(difference(&table(&new), &table(&new)).changes.is_empty());
    // The same rows in another order, cut otherwise.
    let split = new.replace(
        "- {id: large, when: {order.total: '> 100000'}, then: {queue: board}}",
        "- {id: huge, when: {order.total: '> 900000'}, then: {queue: board}}\n  - {id: large, when: {order.total: ']100000..900000]'}, then: {queue: board}}",
    );
    assert!(difference(&table(&new), &table(&split)).changes.is_empty());
}

#[test]
fn other_allowed_values_are_said() {
    let of = |values: &str| {
        table(&format!(
            "name: t\ninputs: [{{expression: g, type: string, values: [{values}]}}]\nrows:\n  \
             - {{id: a, when: {{g: '\"A\"'}}, then: {{x: 1}}}}\n"
        ))
    };
    let found = difference(&of("A, B"), &of("A, B, C"));
    assert!(found.changes.is_empty());
    assert_eq!(found.undecided[0].reason, Reason::Types);
}

fn csv(header: &str, csv: String) -> Table {
    let text = format!("name: t\n{header}\nrows_csv: rows.csv\n");
    match Table::from_yaml(&text, &Schema::open(), &|_| Ok(csv.clone())) {
        Ok(table) => table,
        Err(problems) => panic!("{}", problems[0]),
    }
}

#[test]
fn a_large_partition_has_no_finding_and_one_overlap_is_found() {
    let header = "inputs: [{expression: n, type: number}, {expression: g, type: number}]";
    let mut rows = String::from("id,n,g,x\n");
    for row in 0..4_000 {
        let (band, group) = (row / 10, row % 10);
        let low = if band == 77 && group == 3 {
            band * 10 - 1
        } else {
            band * 10
        };
        rows += &format!("r{row},]{low}..{}],{group},{row}\n", band * 10 + 10);
    }
    let report = check(&csv(header, rows), Options::default());
    let conflicts: Vec<_> = report
        .of(FindingKind::Conflict)
        .map(|f| f.rows.clone())
        .collect();
    assert_eq!(conflicts, [vec![763, 773]]);
    assert!(
        report.of(FindingKind::Gap).count() > 0,
        "between the groups"
    );
    assert_eq!(report.of(FindingKind::DeadRow).count(), 0);
}

#[test]
fn conflicts_beyond_the_list_are_counted_exactly() {
    // Any two of these rows overlap, in a column of values apart from each other.
    let header = "inputs: [{expression: g, type: string}]";
    let mut rows = String::from("id,g,x\n");
    for row in 0..2_000 {
        rows += &format!("r{row},\"\"\"all\"\", \"\"g{row}\"\"\",{row}\n");
    }
    let report = check(&csv(header, rows), Options::default());
    let kind = FindingKind::Conflict;
    assert_eq!(report.of(kind).count(), 1_000);
    assert_eq!(report.unlisted(kind), 2_000 * 1_999 / 2 - 1_000);
    assert!(
        report
            .undecided
            .iter()
            .all(|u| u.reason == Reason::Unlisted)
    );
}

#[test]
fn hostile_tables_end_and_say_what_was_left_out() {
    // Each row excludes one value of one of many columns: gaps take all combinations.
    let columns = 24;
    let inputs: Vec<_> = (0..columns)
        .map(|c| format!("{{expression: c{c}, type: number}}"))
        .collect();
    let header = format!("inputs: [{}]\nhit_policy: FIRST", inputs.join(", "));
    let names: Vec<_> = (0..columns).map(|c| format!("c{c}")).collect();
    let mut rows = format!("id,{},x\n", names.join(","));
    for row in 0..150_usize {
        let cell = |column: usize| match (row * 7 + column * 13) % 5 {
            0 => format!("> {}", (row * 31 + column) % 50),
            1 => format!("< {}", (row * 17 + column) % 50),
            _ => "-".to_owned(),
        };
        let cells: Vec<_> = (0..columns).map(cell).collect();
        rows += &format!("r{row},{},{}\n", cells.join(","), row % 3);
    }
    let table = csv(&header, rows);
    let options = Options {
        work: 200_000,
        ..Options::default()
    };
    let report = check(&table, options);
    assert!(
        report
            .undecided
            .iter()
            .any(|u| u.reason == Reason::Budget && u.count > 0)
    );
}

#[test]
fn hundreds_of_columns_are_looked_at() {
    let inputs: Vec<_> = (0..300)
        .map(|c| format!("{{expression: c{c}, type: boolean}}"))
        .collect();
    let header = format!("inputs: [{}]", inputs.join(", "));
    let names: Vec<_> = (0..300).map(|c| format!("c{c}")).collect();
    let mut rows = format!("id,{},x\n", names.join(","));
    for row in 0..3 {
        let cell = |column: usize| if column % 3 == row { "true" } else { "-" };
        let cells: Vec<_> = (0..300).map(cell).collect();
        rows += &format!("r{row},{},{row}\n", cells.join(","));
    }
    let report = check(
        &csv(&header, rows),
        Options {
            gaps: false,
            ..Options::default()
        },
    );
    assert_eq!(report.of(FindingKind::Conflict).count(), 3);
}

#[test]
fn computed_outputs_differ_where_their_values_do() {
    let computing = |expression: &str| {
        table(&format!(
            "name: fee\ninputs: [{{expression: x, type: number}}]\noutputs: [{{name: fee, type: number}}]\nrows:\n  \
             - {{id: small, when: {{x: '<= 5'}}, then: {{fee: 1}}}}\n  \
             - {{id: large, when: {{x: '> 5'}}, compute: {{fee: '{expression}'}}}}\n"
        ))
    };
    let (double, triple, sum) = (computing("x * 2"), computing("x * 3"), computing("x + x"));
    let same = difference(&double, &double);
    assert_eq!((same.changes.len(), same.undecided.len()), (0, 0));
    let found = difference(&double, &triple);
    assert!(found.undecided.is_empty(), "{:?}", found.undecided);
    let [change] = found.changes.as_slice() else {
        panic!("{:?}", found.changes)
    };
    assert_eq!(change.region.to_string(), "x > 5");
    let witness = change.witness.get("x").expect("a witness");
    assert_eq!(witness.to_string(), "6");
    let shown = [&change.old.0, &change.new.0].map(|output| match output {
        Output::One(outputs) => outputs["fee"].to_string(),
        other => format!("{other:?}"),
    });
    assert_eq!(shown, ["12", "18"]);
    // Written otherwise, and the same: not known to differ.
    let found = difference(&double, &sum);
    assert!(found.changes.is_empty());
    let reasons: Vec<_> = found.undecided.iter().map(|u| u.reason).collect();
    assert_eq!(reasons, [Reason::Expression]);
}

#[test]
fn times_have_classes_as_dates_do() {
    let (shifts, report) = of("
name: shift
inputs: [{expression: at, type: time}]
rows:
  - {id: early, when: {at: '[time(\"06:00:00\")..time(\"14:00:00\")]'}, then: {shift: 1}}
  - {id: late, when: {at: '[time(\"14:00:00\")..time(\"22:00:00\")['}, then: {shift: 2}}
");
    assert_eq!(report.undecided, []);
    assert_eq!(
        regions(&report, FindingKind::Conflict),
        [r#"at time("14:00:00")"#]
    );
    let conflict = report.of(FindingKind::Conflict).next().expect("a conflict");
    assert_eq!(
        evaluate(&shifts, witness(conflict)).outcomes,
        [Outcome::Conflict(vec![0, 1])]
    );
    // Values by another clock than the rows name are no gap, as null is none.
    assert_eq!(
        regions(&report, FindingKind::Gap),
        [r#"at < time("06:00:00"), >= time("22:00:00")"#]
    );
}
