//! What is written is read as the same: YAML and DMN, tables and models made of choices.

use decision::{
    Model, Schema, Table, dmn, evaluate, json,
    model::{Absent, Conclusion, Detail, Options},
};
use proptest::prelude::*;

use super::made::{self, Choices, Doc};

/// A short run, unless the environment asks for so many cases.
fn config() -> ProptestConfig {
    ProptestConfig {
        max_shrink_iters: 50_000,
        ..super::cases(96)
    }
}

fn choices(most: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..most)
}

/// A file as YAML, and facts as JSON.
struct Case {
    yaml: String,
    facts: Vec<String>,
}

/// What a failure shows.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.yaml)?;
        self.facts
            .iter()
            .try_for_each(|facts| writeln!(f, "{facts}"))
    }
}

fn models() -> impl Strategy<Value = Case> {
    (choices(400), choices(60)).prop_map(|(choices, more)| {
        let (yaml, given) = made::model(&mut Choices::new(choices));
        let mut more = Choices::new(more);
        let facts = |_| {
            let facts = given.iter().filter_map(|given| given.fact(&mut more));
            Doc::Map(facts.collect()).flow()
        };
        Case {
            yaml,
            facts: (0..4).map(facts).collect(),
        }
    })
}

fn tables() -> impl Strategy<Value = Case> {
    (choices(300), choices(60)).prop_map(|(choices, more)| {
        let (yaml, sorts) = made::lone_table(&mut Choices::new(choices));
        let mut more = Choices::new(more);
        let facts = (0..6).map(|_| made::lone_facts(&mut more, &sorts));
        Case {
            facts: facts.collect(),
            yaml,
        }
    })
}

fn failed<E: std::fmt::Display>(problems: &[E], text: &str) -> TestCaseError {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    TestCaseError::fail(format!("{}\n{text}", lines.join("\n")))
}

fn read(yaml: &str) -> Result<Model, TestCaseError> {
    let no_files = |name: &str| Err(format!("there is no {name}"));
    Model::from_yaml(yaml, &no_files).map_err(|problems| failed(&problems, yaml))
}

fn read_table(yaml: &str) -> Result<Table, TestCaseError> {
    let no_files = |name: &str| Err(format!("there is no {name}"));
    Table::from_yaml(yaml, &Schema::open(), &no_files).map_err(|problems| failed(&problems, yaml))
}

/// All that a model comes to on some facts.
fn conclusions(model: &Model, facts: &[String]) -> Vec<Option<Conclusion>> {
    let mut all = Vec::new();
    for facts in facts {
        let facts = json::parse(facts).unwrap();
        for decision in model.decisions() {
            for absent in [Absent::Null, Absent::Unknown] {
                all.push(model.evaluate(
                    decision.name(),
                    &facts,
                    &Options::absent(absent).telling(Detail::Rows),
                ));
            }
        }
    }
    all
}

/// A file as other tools may have it: without what the project says beyond DMN, with blank
/// entries, and without labels and identifiers of rules.
fn foreign(xml: &str, choices: &mut Choices) -> String {
    let mut out = String::new();
    let mut entry = false;
    let bare = choices.once_in(2);
    for line in xml.lines() {
        let mut line = line.to_owned();
        if entry && choices.once_in(4) {
            line = "<text/>".to_owned();
        }
        entry = line.contains("<inputEntry>") || line.contains("<outputEntry>");
        // Amounts in any currency are no numbers to anybody.
        let bare = bare && (line.contains("bylaw:currency") || !line.contains("\"money\""));
        let mut forget = |attribute: &str| {
            while let Some(start) = line.find(attribute) {
                let value = start + attribute.len();
                let end = line[value..]
                    .find('"')
                    .map_or(line.len(), |end| value + end + 1);
                line.replace_range(start..end, "");
            }
        };
        if bare {
            for name in [
                "absent", "optional", "row", "type", "currency", "unit", "inline",
            ] {
                forget(&format!(" bylaw:{name}=\""));
            }
        }
        for name in [" id=\"r", " label=\""] {
            if choices.once_in(3) {
                forget(name);
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn files_of_other_tools_survive_every_form(case in models(), choices in choices(400)) {
        let Case { yaml, facts } = &case;
        let xml = dmn::write(&read(yaml)?).map_err(|problems| failed(&problems, yaml))?;
        let xml = foreign(&xml, &mut Choices::new(choices));
        let model = dmn::read(&xml).map_err(|problems| failed(&problems, &xml))?.model;
        let concluded = conclusions(&model, facts);

        let written = model.to_yaml();
        let again = read(&written)?;
        prop_assert_eq!(again.canonical(), model.canonical(), "{}", xml);
        prop_assert_eq!(&again.to_yaml(), &written);
        prop_assert_eq!(conclusions(&again, facts), concluded.clone(), "{}", xml);

        let own = dmn::write(&again).map_err(|problems| failed(&problems, &written))?;
        let back = dmn::read(&own).map_err(|problems| failed(&problems, &own))?.model;
        prop_assert_eq!(back.digest(), model.digest(), "{}\n{}", xml, own);
        prop_assert_eq!(back.to_yaml(), written, "{}\n{}", xml, own);
        prop_assert_eq!(conclusions(&back, facts), concluded, "{}", own);
    }

    #[test]
    fn tables_in_models_agree_with_every_row(case in models()) {
        let Case { yaml, facts } = &case;
        let model = read(yaml)?;
        for facts in facts {
            let facts = json::parse(facts).unwrap();
            for decision in model.decisions() {
                for (absent, detail) in [(Absent::Null, Detail::Rows), (Absent::Unknown, Detail::Hits)] {
                    let options = Options::absent(absent).telling(detail);
                    let name = decision.name();
                    let found = model.evaluate(name, &facts, &options).unwrap();
                    let naive = model.evaluate_naively(name, &facts, &options).unwrap();
                    prop_assert_eq!(&found.value, &naive.value, "{}: {}", name, yaml);
                    prop_assert_eq!(&found.unknown, &naive.unknown);
                    prop_assert_eq!(&found.traces, &naive.traces);
                    // Cells that needn't be tried say nothing of what has no result.
                    prop_assert!(found.problems.iter().all(|problem| naive.problems.contains(problem)));
                }
            }
        }
    }

    #[test]
    fn models_survive_every_form(case in models()) {
        let Case { yaml, facts } = &case;
        let model = read(yaml)?;
        let concluded = conclusions(&model, facts);

        let written = model.to_yaml();
        let again = read(&written)?;
        prop_assert_eq!(again.canonical(), model.canonical(), "{}", written);
        prop_assert_eq!(&again.to_yaml(), &written);
        prop_assert_eq!(conclusions(&again, facts), concluded.clone(), "{}", written);

        let xml = dmn::write(&model).map_err(|problems| failed(&problems, &written))?;
        let import = dmn::read(&xml).map_err(|problems| failed(&problems, &xml))?;
        prop_assert!(import.notes.is_empty(), "{:?}", import.notes);
        prop_assert_eq!(import.model.canonical(), model.canonical(), "{}\n{}", written, xml);
        prop_assert_eq!(import.model.digest(), model.digest());
        prop_assert_eq!(import.model.to_yaml(), written, "{}", xml);
        prop_assert_eq!(conclusions(&import.model, facts), concluded, "{}", xml);
        prop_assert_eq!(dmn::write(&import.model), Ok(xml));
    }

    #[test]
    fn tables_survive_every_form(case in tables()) {
        let Case { yaml, facts } = &case;
        let facts = facts.iter().map(|facts| json::parse(facts).unwrap());
        let facts: Vec<_> = facts.map(decision::Facts::flatten).collect();
        let table = read_table(yaml)?;
        let answers = |table: &Table| -> Vec<_> {
            facts.iter().map(|facts| (evaluate(table, facts), table.answer(facts))).collect()
        };

        let written = table.to_yaml();
        let again = read_table(&written)?;
        prop_assert_eq!(again.canonical(), table.canonical(), "{}", written);
        prop_assert_eq!(again.to_yaml(), written.clone());
        prop_assert_eq!(answers(&again), answers(&table), "{}", written);

        let xml = dmn::write_table(&table).map_err(|problems| failed(&problems, &written))?;
        let import = dmn::read(&xml).map_err(|problems| failed(&problems, &xml))?;
        let back = import.table.ok_or_else(|| TestCaseError::fail("no table"))?;
        prop_assert_eq!(back.canonical(), table.canonical(), "{}", xml);
        prop_assert_eq!(back.to_yaml(), written, "{}", xml);
        prop_assert_eq!(answers(&back), answers(&table), "{}", xml);
        prop_assert_eq!(dmn::write_table(&back), Ok(xml));
    }
}
