//! The index agrees with trying every row, whatever the columns, cells and facts are.

use decision::{Facts, Schema, Table, Value, evaluate, evaluate_joint, json, twin};
use proptest::{prelude::*, sample::Index};

/// A kind of column: the facts it needs, its input, cells, and values of the facts.
struct Kind {
    facts: &'static [(&'static str, &'static str)],
    input: &'static str,
    cells: &'static [&'static str],
    /// JSON, for each fact; absent from a case it is unknown.
    values: &'static [&'static [&'static str]],
}

const NUMBERS: &[&str] = &[
    "0",
    "5",
    "9.999",
    "10",
    "10.00",
    "10.0000000001",
    "15",
    "20",
    "-3",
    "1E+30",
    "-1E+30",
    "0.00000000000000000001",
    "null",
    "\"7\"",
    "\"x\"",
];

const KINDS: &[Kind] = &[
    Kind {
        facts: &[("n", "{type: number}")],
        input: "n",
        cells: &[
            "10",
            "< 10",
            "<= 10",
            "> 10",
            ">= 10.5",
            "[5..15]",
            "]5..15[",
            "(5..10]",
            "[10..10]",
            "not(10)",
            "not(< 5, [10..12])",
            "5, 10, > 20",
            "null",
            "not(null)",
            "null, < 0",
            "not(null, 10)",
            "< 1E+33",
            "> -0.0001",
            "[10..20[",
        ],
        values: &[NUMBERS],
    },
    Kind {
        facts: &[("w", "{type: number, unit: d}")],
        input: "{expression: w, allowed: '[0..20]'}",
        cells: &[
            "< 10",
            "[0..30]",
            "not(5)",
            "15",
            "> 1E-30",
            "9E+6000",
            "< -9E+6000, 0",
        ],
        values: &[NUMBERS],
    },
    Kind {
        facts: &[("m", "{type: money, currency: EUR}")],
        input: "m",
        cells: &[
            "<= 10",
            "> 10",
            "]10..20]",
            "\"10 EUR\"",
            "not(\"10.00 EUR\", > 15)",
            "null",
        ],
        values: &[&[
            "\"10 EUR\"",
            "\"10.001 EUR\"",
            "\"5 EUR\"",
            "\"5 USD\"",
            "20",
            "null",
        ]],
    },
    Kind {
        facts: &[("a", "{type: money}")],
        input: "a",
        cells: &[
            "<= 10",
            "]10..20]",
            "\"10 EUR\"",
            "> \"5 USD\"",
            "not(12)",
            "10, \"11 USD\"",
        ],
        values: &[&[
            "\"10 EUR\"",
            "\"11 USD\"",
            "\"5 GBP\"",
            "\"12.0 EUR\"",
            "3",
            "null",
        ]],
    },
    Kind {
        facts: &[("c", "{type: money, currency: EUR}")],
        input: "c.currency",
        cells: &[
            "\"EUR\"",
            "\"USD\", \"GBP\"",
            "not(\"EUR\")",
            "null",
            "> \"F\"",
        ],
        values: &[&["\"1 EUR\"", "\"2 USD\"", "\"3 CHF\"", "null"]],
    },
    Kind {
        facts: &[("q", "{type: quantity, unit: KGM}")],
        input: "q",
        cells: &["< 2.5", "\"2.5 KGM\"", "[2..3]", "not(1)"],
        values: &[&["\"2.5 KGM\"", "\"2 KGM\"", "\"2 GRM\"", "2", "null"]],
    },
    Kind {
        facts: &[("b", "{type: boolean}")],
        input: "b",
        cells: &[
            "true",
            "false",
            "true, false",
            "not(true)",
            "null",
            "not(null)",
        ],
        values: &[&["true", "false", "null", "\"true\""]],
    },
    Kind {
        facts: &[("s", "{type: string}")],
        input: "s",
        cells: &[
            "\"a\"",
            "\"a\", \"b\"",
            "not(\"a\")",
            "\"\"",
            "null",
            "not(null)",
        ],
        values: &[&["\"a\"", "\"b\"", "\"c\"", "\"\"", "null", "1"]],
    },
    Kind {
        facts: &[("t", "{type: string}")],
        input: "{expression: t, allowed: 'not(\"c\")'}",
        cells: &[
            "< \"b\"",
            "[\"a\"..\"b\"]",
            "\"b\"",
            "not(> \"a\")",
            "\"a\"",
        ],
        values: &[&["\"a\"", "\"aa\"", "\"b\"", "\"c\"", "\"\"", "null"]],
    },
    Kind {
        facts: &[("k", "{type: string, values: [A, B, C]}")],
        input: "k",
        cells: &["\"A\"", "\"A\", \"B\"", "not(\"C\")", "not(\"A\", \"B\")"],
        values: &[&["\"A\"", "\"B\"", "\"C\"", "\"D\"", "null"]],
    },
    Kind {
        facts: &[("d", "{type: date}")],
        input: "d",
        cells: &[
            "< date(\"2026-01-10\")",
            "[date(\"2026-01-10\")..date(\"2026-01-12\")]",
            "not(date(\"2026-01-11\"))",
            "date(\"0001-01-01\")",
        ],
        values: &[&[
            "\"2026-01-09\"",
            "\"2026-01-11\"",
            "\"2026-01-12\"",
            "\"9999-12-31\"",
            "null",
        ]],
    },
    Kind {
        facts: &[("i", "{type: date and time}")],
        input: "i",
        cells: &[
            "< date and time(\"2026-01-10T00:00:00Z\")",
            ">= date and time(\"2026-01-10T01:00:00+01:00\")",
            "date and time(\"2016-12-31T23:59:60Z\")",
            "not(> date and time(\"2017-01-01T00:00:00Z\"))",
        ],
        values: &[&[
            "\"2026-01-10T00:00:00Z\"",
            "\"2016-12-31T23:59:60Z\"",
            "\"2017-01-01T00:00:00Z\"",
            "\"2016-12-31T23:59:60.5Z\"",
            "null",
        ]],
    },
    Kind {
        facts: &[("h", "{type: time}")],
        input: "h",
        cells: &[
            "< time(\"10:00:00\")",
            "[time(\"08:00:00\")..time(\"17:30:00\")]",
            "time(\"10:00:00.5\")",
            "not(time(\"12:00:00\"), > time(\"18:00:00\"))",
            "> time(\"10:00:00+01:00\")",
            "time(\"10:00:00@Europe/Paris\")",
            "null",
        ],
        values: &[&[
            "\"10:00:00\"",
            "\"10:00:00.5\"",
            "\"23:59:60\"",
            "\"09:30:00Z\"",
            "\"10:00:00@Europe/Paris\"",
            "\"12:00:00@UTC\"",
            "null",
            "\"noon\"",
        ]],
    },
    Kind {
        facts: &[("u", "{type: time}")],
        input: "u",
        cells: &[
            "< time(\"10:00:00+01:00\")",
            "[time(\"08:00:00Z\")..time(\"17:30:00Z\")]",
            "time(\"00:30:00+02:00\")",
            "not(time(\"22:30:00Z\"))",
            "time(\"10:00:00\")",
        ],
        values: &[&[
            "\"10:00:00+01:00\"",
            "\"09:00:00Z\"",
            "\"00:30:00+02:00\"",
            "\"22:30:00Z\"",
            "\"12:00:00@UTC\"",
            "\"10:00:00\"",
            "null",
        ]],
    },
    Kind {
        facts: &[("j", "{type: any date and time}")],
        input: "j",
        cells: &[
            "< date and time(\"2026-01-10T00:00:00\")",
            "[date and time(\"2026-01-10T00:00:00\")..date and time(\"2026-01-11T00:00:00\")[",
            "date and time(\"2026-01-10T12:00:00\")",
            "not(date and time(\"2026-01-10T12:00:00\"))",
            ">= date and time(\"2026-01-10T00:00:00Z\")",
        ],
        values: &[&[
            "\"2026-01-09T23:59:59.999\"",
            "\"2026-01-10T12:00:00\"",
            "\"2026-01-11T00:00:00\"",
            "\"2026-01-10T00:00:00Z\"",
            "\"2026-01-10T01:00:00@Europe/Paris\"",
            "null",
        ]],
    },
    Kind {
        facts: &[("g", "{type: any date and time}")],
        input: "g",
        cells: &[
            "< date and time(\"2026-01-10T00:00:00Z\")",
            "date and time(\"2026-01-10T01:00:00@Europe/Paris\")",
            "not(date and time(\"2026-01-10T00:00:00Z\"))",
            "> date and time(\"2026-01-10T00:00:00\")",
        ],
        values: &[&[
            "\"2026-01-09T23:59:59Z\"",
            "\"2026-01-10T00:00:00Z\"",
            "\"2026-01-10T01:00:00@Europe/Paris\"",
            "\"2026-01-10T00:00:00\"",
            "null",
        ]],
    },
    Kind {
        facts: &[("v", "{type: any}")],
        input: "v",
        cells: &[
            "\"a\"",
            "\"a\", \"b\"",
            "not(\"a\")",
            "1",
            "> 5",
            "true",
            "null",
            "not(null)",
            "[1..3]",
        ],
        values: &[&[
            "\"a\"",
            "\"c\"",
            "1",
            "7",
            "true",
            "[\"a\"]",
            "[]",
            "null",
            "{\"a\": 1}",
        ]],
    },
    Kind {
        facts: &[("e", "{type: list, of: number}")],
        input: "e",
        cells: &[
            "list contains(?, 1)",
            "list contains(?, 2.50) or list contains(?, 3)",
            "list contains(?, 1) and not(list contains(?, 2))",
            "list contains(?, 1), list contains(?, null)",
            "count(?) = 2",
            "not(list contains(?, 3))",
        ],
        values: &[&[
            "[]",
            "[1.0]",
            "[1, 2]",
            "[2.5]",
            "[3, null]",
            "[\"1\"]",
            "null",
        ]],
    },
    Kind {
        facts: &[("days", "{type: list, of: date}")],
        input: "days",
        cells: &[
            "list contains(?, date(\"2026-01-10\"))",
            "list contains(?, date(\"2026-01-10\")) or list contains(?, date(\"2026-01-11\"))",
        ],
        values: &[&[
            "[]",
            "[\"2026-01-10\"]",
            "[\"2026-01-11\", \"2026-01-12\"]",
            "[\"x\"]",
            "null",
        ]],
    },
    Kind {
        facts: &[("p", "{type: days and time duration}")],
        input: "p",
        cells: &[
            "<= duration(\"PT1H\")",
            "duration(\"P1D\")",
            "> duration(\"-PT0.5S\")",
        ],
        values: &[&["\"PT1H\"", "\"PT24H\"", "\"-PT0.5S\"", "\"-PT1S\"", "null"]],
    },
    Kind {
        facts: &[("y", "{type: years and months duration}")],
        input: "y",
        cells: &[
            "< duration(\"P1Y\")",
            "duration(\"P12M\")",
            "not(duration(\"P2Y\"))",
        ],
        values: &[&["\"P11M\"", "\"P1Y\"", "\"-P1Y\"", "null"]],
    },
    Kind {
        facts: &[("x", "{type: number}"), ("z", "{type: number}")],
        input: "x / z",
        cells: &["< 2", "[2..3]", "> z", "not(z)", "1 / x", "2", "null"],
        values: &[&["0", "1", "4", "null"], &["0", "2", "null"]],
    },
    Kind {
        facts: &[("tags", "{type: list, of: string}")],
        input: "tags",
        cells: &[
            "list contains(?, \"a\")",
            "list contains(?, \"b\") or list contains(?, \"c\")",
            "list contains(?, \"d\"), list contains(?, \"e\")",
            "list contains(?, \"a\") and not(list contains(?, \"b\"))",
            "not(list contains(?, \"a\"))",
            "not(list contains(?, \"a\"), list contains(?, \"c\"))",
            "count(?) > 1 and list contains(?, \"a\")",
            "list contains(?, null)",
            "null",
            "not(null)",
            "[\"a\"]",
        ],
        values: &[&[
            "[]",
            "[\"a\"]",
            "[\"a\", \"b\", \"a\"]",
            "[\"x\", \"c\"]",
            "[\"e\", null]",
            "[1]",
            "null",
        ]],
    },
    Kind {
        facts: &[("l", "{type: number}"), ("r", "{type: number}")],
        input: "l",
        cells: &["< r", "[0..r]", "r, 5", "not(> r)", "1 / r", "< 3", "> 3"],
        values: &[&["0", "2", "3", "null", "\"2\""], &["0", "2", "5", "null"]],
    },
];

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
fn config() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: if asked { config.cases } else { 192 },
        ..config
    }
}

fn picks() -> impl Strategy<Value = Vec<Vec<Index>>> {
    let one = proptest::collection::vec(any::<Index>(), 8);
    proptest::collection::vec(one, 24)
}

proptest! {
    #![proptest_config(config())]

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
