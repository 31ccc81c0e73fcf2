//! The reference of the file forms, and the JSON Schema: examples are what they say.

use std::collections::BTreeMap;

use decision::{
    Model, Schema, Table, json,
    model::{Options, suite::Suite},
    yaml,
};
use serde_json::Value as Json;

const REFERENCE: &str = include_str!("../../../../docs/decision-tables.md");
const SCHEMA: &str = include_str!("../../../../docs/schema/decision.schema.json");

/// The fenced blocks of a Markdown text: what they say they are, and their text.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((kind.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

fn model(text: &str, files: &BTreeMap<String, String>) -> Model {
    let loader = |name: &str| files.get(name).cloned().ok_or_else(|| "missing".to_owned());
    let document = &yaml::parse(text).unwrap()[0];
    if Model::is_model(document) {
        let model = Model::from_node(document, &loader);
        return model.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    }
    let table = Table::from_node(document, &Schema::open(), &loader);
    Model::of_table(&table.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")))
}

#[test]
fn the_reference_says_what_is() {
    let blocks = blocks(REFERENCE);
    let files: BTreeMap<String, String> = blocks
        .iter()
        .filter_map(|(kind, text)| Some((kind.strip_prefix("csv ")?.to_owned(), text.clone())))
        .collect();
    let (mut current, mut answered) = (None, 0);
    let mut models: Vec<Model> = Vec::new();
    for (kind, text) in &blocks {
        match kind.as_str() {
            "yaml" if text.contains("kind: TableTest") => {
                let suite = Suite::from_node(&yaml::parse(text).unwrap()[0]).unwrap();
                let named = |model: &&Model| suite.file() == format!("{}.yaml", model.name());
                for result in suite.run(models.iter().find(named).unwrap()) {
                    assert!(result.failures.is_empty(), "{result:?}");
                    answered += 1;
                }
            }
            "yaml" => {
                models.push(model(text, &files));
                current = models.last().cloned();
            }
            "answers" => {
                for line in text.lines() {
                    let (asked, wanted) = line.split_once(" -> ").unwrap();
                    let (decision, facts) = asked.split_at(asked.find('{').unwrap());
                    let facts = json::parse(facts).unwrap();
                    let model = current.as_ref().unwrap();
                    let found = model.evaluate(decision.trim(), &facts, &Options::dmn());
                    let found = found.unwrap().value.unwrap();
                    assert_eq!(found, json::parse(wanted).unwrap(), "{line}");
                    answered += 1;
                }
            }
            _ => {}
        }
    }
    assert!(answered >= 12, "{answered}");
}

/// The few keywords of JSON Schema that the schema uses. Where an instance fails.
fn fault(root: &Json, schema: &Json, value: &Json, path: &str) -> Option<String> {
    let Json::Object(schema) = schema else {
        return (schema == &Json::Bool(false)).then(|| format!("{path}: nothing is allowed"));
    };
    let check = |schema: &Json, value: &Json| fault(root, schema, value, path);
    for (keyword, said) in schema {
        let wrong = match (keyword.as_str(), value) {
            ("$ref", _) => {
                let name = said.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(&root["$defs"][name], value)
            }
            ("type", _) => {
                let is = |name: &Json| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                };
                let fits = said
                    .as_array()
                    .map_or_else(|| is(said), |names| names.iter().any(is));
                (!fits).then(|| format!("{path}: expected {said}"))
            }
            ("const", _) => (value != said).then(|| format!("{path}: expected {said}")),
            ("enum", _) => {
                let fits = said.as_array().unwrap().contains(value);
                (!fits).then(|| format!("{path}: expected one of {said}"))
            }
            ("required", Json::Object(entries)) => {
                let names = said.as_array().unwrap().iter();
                names
                    .map(|name| name.as_str().unwrap())
                    .find(|name| !entries.contains_key(*name))
                    .map(|name| format!("{path}: {name} is missing"))
            }
            ("properties", Json::Object(entries)) => entries.iter().find_map(|(name, entry)| {
                fault(root, said.get(name)?, entry, &format!("{path}.{name}"))
            }),
            ("additionalProperties", Json::Object(entries)) => {
                let known = schema.get("properties");
                let known = |name: &str| known.is_some_and(|known| known.get(name).is_some());
                let mut more = entries.iter().filter(|(name, _)| !known(name));
                more.find_map(|(name, entry)| fault(root, said, entry, &format!("{path}.{name}")))
            }
            ("items", Json::Array(items)) => {
                let mut items = items.iter().enumerate();
                items.find_map(|(at, item)| fault(root, said, item, &format!("{path}[{at}]")))
            }
            ("anyOf", _) => {
                let faults = said.as_array().unwrap().iter().map(|one| check(one, value));
                let faults: Option<Vec<_>> = faults.collect();
                faults.map(|faults| faults.join(" or "))
            }
            ("allOf", _) => said
                .as_array()
                .unwrap()
                .iter()
                .find_map(|one| check(one, value)),
            ("not", _) => check(said, value)
                .is_none()
                .then(|| format!("{path}: is excluded")),
            ("if", _) if check(said, value).is_none() => check(&schema["then"], value),
            ("pattern", Json::String(_)) | ("if" | "then", _) => None,
            ("$schema" | "$id" | "title" | "description" | "$defs", _) => None,
            ("required" | "properties" | "additionalProperties" | "items" | "pattern", _) => None,
            (other, _) => panic!("keyword {other}"),
        };
        if wrong.is_some() {
            return wrong;
        }
    }
    None
}

fn judged(text: &str) -> Option<String> {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let document = yaml::parse(text).unwrap()[0].to_value().unwrap();
    let instance = serde_json::from_str(&json::write(&document)).unwrap();
    fault(&schema, &schema, &instance, "")
}

#[test]
fn the_schema_takes_every_example() {
    let reference = blocks(REFERENCE);
    let mut texts: Vec<String> = reference
        .into_iter()
        .filter(|(kind, _)| kind == "yaml")
        .map(|(_, text)| text)
        .collect();
    for dmn in ["credit-terms", "hit-policies", "times"] {
        let path = format!("{}/tests/dmn/{dmn}.dmn", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        texts.push(decision::dmn::read(&text).unwrap().model.to_yaml());
    }
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/distributor");
    for folder in ["policies", "decisions"] {
        for file in std::fs::read_dir(format!("{example}/{folder}")).unwrap() {
            let path = file.unwrap().path();
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).unwrap();
            if name.ends_with(".yaml") && !text.contains("kind: PolicyTest") {
                texts.push(text);
            }
        }
    }
    assert!(texts.len() > 10);
    for text in &texts {
        assert_eq!(judged(text), None, "{text}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    for text in [
        "kind: DecisionTable\ninputs: [a]\nhit_policy: FRIST\nrows: []\n",
        "inputs: [a]\nrows: [{when: {a: '1'}}]\n",
        "inputs: [a]\nrows: [{id: a, wen: {}}]\n",
        "kind: DecisionModel\ndecisions: {a: {expresion: '1'}}\n",
        "kind: DecisionModel\nname: a\n",
        "kind: TableTest\ntests: []\n",
        "kind: TableTest\nfile: a\ntests: [{name: a, expect: {effect: ALLOW}}]\n",
        "kind: Policy\nname: a\nworkflow: b\nscope: c\nmode: DEFAULT\ninputs: []\nrows: []\nscopes: c\n",
    ] {
        assert!(judged(text).is_some(), "{text}");
    }
}
