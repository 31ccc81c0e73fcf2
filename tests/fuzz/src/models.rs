//! Decision models, in YAML and as DMN XML.

use std::collections::BTreeMap;

use decision::{
    Model, Table, Value, dmn, json,
    model::{Absent, Conclusion, Detail, Options},
};

use crate::text;

/// Inputs that the corpus' models name, so that some of their rows are met.
const KNOWN: &str = r#"{"Age": 25, "Tier of customer": "gold", "Word": "A", "customer": {"rating": "A"},
    "order value": 60000, "Delivery day": "2026-11-24", "Holiday names": ["A"]}"#;

/// DMN XML: what is read is written, and read again as the same.
pub fn dmn(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(import) = dmn::read(text) else { return };
    judged(&import.model);
    match &import.table {
        Some(table) => table_again(table),
        None => model_again(&import.model),
    }
}

/// A decision model in YAML.
pub fn models(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let beside = |name: &str| Err(format!("there is no file {name}"));
    if let Ok(model) = Model::from_yaml(text, &beside) {
        judged(&model);
        model_again(&model);
    }
}

/// A model in both of its forms means what it meant. DMN has no words for some (a name that
/// XML can't hold), which are refused.
fn model_again(model: &Model) {
    let beside = |name: &str| Err(format!("there is no file {name}"));
    let wanted = Ok(model.digest().to_owned());
    let digest = |model: Model| model.digest().to_owned();
    let yaml = model.to_yaml();
    let again = Model::from_yaml(&yaml, &beside).map(digest);
    assert_eq!(again, wanted, "{yaml}");
    if let Ok(xml) = dmn::write(model) {
        let again = dmn::read(&xml).map(|import| digest(import.model));
        assert_eq!(again, wanted, "{xml}");
    }
}

/// A table by itself, as DMN and back.
fn table_again(table: &Table) {
    if let Ok(xml) = dmn::write_table(table) {
        let again = dmn::read(&xml).ok().and_then(|import| import.table);
        let digest = again.as_ref().map(Table::digest);
        assert_eq!(digest, Some(table.digest()), "{xml}");
    }
}

/// Evaluates every decision, with nothing and with something known.
fn judged(model: &Model) {
    let known = json::parse(KNOWN).ok();
    let nothing = Value::Context(BTreeMap::new());
    for facts in [Some(nothing), known].into_iter().flatten() {
        for decision in model.decisions() {
            for absent in [Absent::Null, Absent::Unknown] {
                let found = model.evaluate(
                    decision.name(),
                    &facts,
                    &Options::absent(absent).telling(Detail::Rows),
                );
                assert!(found.is_some(), "a decision of the model's own");
                let Some(Conclusion { value, unknown, .. }) = found else {
                    continue;
                };
                if matches!(absent, Absent::Null) {
                    assert!(value.is_some(), "nothing is unknown: {unknown:?}");
                }
            }
        }
    }
}
