//! The index agrees with trying every row, whatever the columns, cells and facts are.

use decision::{Facts, Schema, Table, Value, evaluate, evaluate_joint, json, twin};
use proptest::{prelude::*, sample::Index};

use crate::columns::{KINDS, Kind};

const POLICIES: [&str; 7] = [
    "UNIQUE",
    "ANY",
    "FIRST",
    "PRIORITY",
    "RULE_ORDER",
    "OUTPUT_ORDER",
    "COLLECT",
];

/// A table over a few of the kinds; rows pick cells by index, past the end of which a cell
/// asks nothing.
fn tables() -> impl Strategy<Value = (Table, Vec<usize>)> {
    let kinds = proptest::collection::btree_set(0..KINDS.len(), 1..4);
    let rows = proptest::collection::vec(
        ([any::<Index>(), any::<Index>(), any::<Index>()], 0..3_i32),
        0..12,
    );
    (kinds, rows, 0..POLICIES.len()).prop_map(|(kinds, rows, policy)| {
        let kinds: Vec<usize> = kinds.into_iter().collect();
        (build(&kinds, &rows, POLICIES[policy]), kinds)
    })
}

fn build(kinds: &[usize], rows: &[([Index; 3], i32)], policy: &str) -> Table {
    let kinds: Vec<&Kind> = kinds.iter().map(|&kind| &KINDS[kind]).collect();
    let facts: Vec<_> = kinds.iter().flat_map(|kind| kind.facts).collect();
    let facts: String = facts
        .iter()
        .map(|(name, ty)| format!("  {name}: {ty}\n"))
        .collect();
    let inputs: Vec<_> = kinds.iter().map(|kind| kind.input).collect();
    let mut text = format!(
        "name: t\nfacts:\n{facts}inputs: [{}]\noutputs: [{{name: y, type: number, values: [2, 1, 0]}}]\nhit_policy: {policy}\nrows:\n",
        inputs.join(", ")
    );
    for (id, (picks, y)) in rows.iter().enumerate() {
        let cell = |(kind, pick): (&&Kind, &Index)| {
            let cell = kind.cells.get(pick.index(kind.cells.len() + 2))?;
            Some(format!("{}: '{cell}'", key(kind)))
        };
        let cells: Vec<_> = kinds.iter().zip(picks).filter_map(cell).collect();
        text += &format!(
            "  - {{id: r{id}, when: {{{}}}, then: {{y: {y}}}}}\n",
            cells.join(", ")
        );
    }
    if rows.is_empty() {
        text = text.replace("rows:\n", "rows: []\n");
    }
    super::table(&text)
}

/// The name that rows use for a column.
fn key(kind: &Kind) -> &str {
    match kind.input.strip_prefix("{expression: ") {
        Some(rest) => rest.split(',').next().unwrap_or(rest),
        None => kind.input,
    }
}

/// Facts for the kinds: each unknown, or one of its values.
fn facts(kinds: &[usize], picks: &[Index]) -> Facts {
    let mut facts = Facts::new();
    let mut picks = picks.iter();
    for kind in kinds.iter().map(|&kind| &KINDS[kind]) {
        for ((name, _), values) in kind.facts.iter().zip(kind.values) {
            let pick = picks.next().map_or(0, |pick| pick.index(values.len() + 1));
            if let Some(text) = values.get(pick) {
                facts.insert(*name, json::parse(text).expect("json"));
            }
        }
    }
    facts
}

/// A short run, unless the environment asks for so many cases.
fn picks() -> impl Strategy<Value = Vec<Vec<Index>>> {
    let one = proptest::collection::vec(any::<Index>(), 8);
    proptest::collection::vec(one, 24)
}

proptest! {
    #![proptest_config(super::cases(192))]

    #[test]
    fn the_index_agrees_with_every_row((table, kinds) in tables(), picks in picks()) {
        let coarse = twin::Coarse::new(&table, 4);
        for pick in &picks {
            let facts = facts(&kinds, pick);
            let naive = twin::evaluate(&table, &facts);
            prop_assert_eq!(&evaluate(&table, &facts), &naive, "{:?} in {}", facts, table.canonical());
            prop_assert_eq!(&coarse.evaluate(&facts), &naive, "{:?} in {}", facts, table.canonical());
        }
    }

    #[test]
    fn indices_agree_jointly(
        (one, mut kinds) in tables(),
        (other, more) in tables(),
        picks in picks(),
    ) {
        kinds.extend(more);
        kinds.sort_unstable();
        kinds.dedup();
        for pick in picks.iter().take(8) {
            let facts = facts(&kinds, pick);
            let tables = [&one, &other];
            prop_assert_eq!(evaluate_joint(&tables, &facts), twin::evaluate_joint(&tables, &facts));
        }
    }
}

/// So many rows over a category and a range, and a flag that most rows leave open.
fn large(rows: usize, policy: &str) -> Table {
    let yaml = format!(
        "name: l\nfacts:\n  c: {{type: string}}\n  m: {{type: money, currency: EUR}}\n  f: {{type: boolean}}\n\
         inputs: [c, m, f]\noutputs: [{{name: y, type: number, values: [3, 2, 1, 0]}}]\nhit_policy: {policy}\nrows_csv: r.csv\n"
    );
    let mut csv = String::from("id,c,m,f,y\n");
    for row in 0..rows {
        let category = ["\"\"\"a\"\"\"", "\"\"\"b\"\"\"", "\"not(\"\"a\"\")\"", ""][row % 4];
        let (from, width) = (row * 7 % rows, row * 13 % 97);
        let flag = ["true", "", "", "", "false"][row % 5];
        csv += &format!(
            "r{row},{category},[{from}.25..{}],{flag},{}\n",
            from + width + 1,
            row % 4
        );
    }
    Table::from_yaml(&yaml, &Schema::open(), &|_| Ok(csv.clone())).unwrap()
}

#[test]
fn large_tables_share_sets_and_stay_exact_and_within_their_memory() {
    for (rows, policy) in [
        (3_000, "COLLECT"),
        (1_500, "FIRST"),
        (1_500, "PRIORITY"),
        (2_000, "UNIQUE"),
        (900, "ANY"),
        (900, "OUTPUT_ORDER"),
    ] {
        let table = large(rows, policy);
        for at in 0..60 {
            let amount = format!("{}.{} EUR", at * rows / 50, at % 10 * 5);
            let mut facts: Facts = [
                ("c", Value::from(["a", "b", "z"][at % 3])),
                ("m", Value::from(amount)),
            ]
            .into_iter()
            .collect();
            if at % 4 > 0 {
                facts.insert("f", at % 4 == 1);
            }
            assert_eq!(
                evaluate(&table, &facts),
                twin::evaluate(&table, &facts),
                "{facts:?}"
            );
        }
        let bytes = twin::index_bytes(&table);
        assert!(
            bytes <= 3 * (rows * (64 + 12 + 16) + 128 * 1024),
            "{bytes} bytes for {rows} rows"
        );
    }
}
