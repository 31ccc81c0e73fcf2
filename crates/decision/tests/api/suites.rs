//! Tests of tables and models by themselves: `kind: TableTest`.

use decision::{Model, model::suite::Suite, yaml};

const MODEL: &str = include_str!("../../../../examples/distributor/decisions/delivery.yaml");
const TESTS: &str = include_str!("../../../../examples/distributor/decisions/delivery_test.yaml");

fn model() -> Model {
    Model::from_yaml(MODEL, &|_| Err(String::new())).unwrap()
}

fn read(text: &str) -> Result<Suite, String> {
    let problems = match Suite::from_node(&yaml::parse(text).unwrap()[0]) {
        Ok(suite) => return Ok(suite),
        Err(problems) => problems,
    };
    Err(problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect())
}

/// The failures of a test of `charge` with these keys.
fn failures(keys: &str) -> Vec<String> {
    let head = "file: delivery.yaml\ndecision: charge\nfacts:\n  parcel: {shipment: {weight: 4, zone: domestic, cooled: false, lift: false}}\n  retail: {order value: 180, agreement: none}\n";
    let suite = read(&format!("{head}tests: [{{name: t, {keys}}}]\n")).unwrap();
    let results = suite.run(&model());
    assert_eq!(results.len(), 1);
    results[0].failures.clone()
}

#[test]
fn the_example_passes_and_reaches_every_row() {
    let model = model();
    let suite = read(TESTS).unwrap();
    assert_eq!((suite.name(), suite.file()), ("delivery", "delivery.yaml"));
    let results = suite.run(&model);
    for result in &results {
        assert!(result.failures.is_empty(), "{result:?}");
    }
    for (table, found) in model.tables() {
        for row in found.rows() {
            let row = (table.clone(), row.id().to_owned());
            assert!(results.iter().any(|r| r.reached.contains(&row)), "{row:?}");
        }
    }
}

#[test]
fn what_comes_out_otherwise_is_said() {
    let known = "facts: [parcel, retail]";
    assert!(failures(&format!("{known}, expect: {{result: 6.9}}")).is_empty());
    assert_eq!(
        failures(&format!(
            "{known}, expect: {{result: 7, rows: {{freight: [pallet], surcharges: []}}}}"
        )),
        [
            "result: found 6.90, expected 7",
            "rows of freight: found [parcel], expected [pallet]"
        ]
    );
    assert_eq!(
        failures(&format!(
            "{known}, decision: freight, expect: {{rows: [eu]}}"
        )),
        ["rows: found [parcel], expected [eu]"]
    );
    assert_eq!(
        failures(&format!(
            "{known}, unset: [shipment], expect: {{result: 1}}"
        )),
        [
            "result: found unknown, expected 1",
            "unknown_facts: found [shipment], expected []"
        ]
    );
    assert_eq!(
        failures(&format!(
            "{known}, expect: {{unknown_facts: [shipment.weight]}}"
        )),
        [
            "result: found 6.90, expected unknown",
            "unknown_facts: found [], expected [shipment.weight]"
        ]
    );
    assert_eq!(
        failures(&format!(
            "{known}, set: {{shipment.wieght: 3, colour: red}}, expect: {{result: 6.90}}"
        )),
        ["fact `colour` is no input of the file, those are shipment, order value, agreement"]
    );
    let slip = failures(&format!(
        "{known}, set: {{order value: much}}, expect: {{result: 6.90}}"
    ));
    assert!(
        slip.iter()
            .any(|f| f.starts_with("fact order value: found string")),
        "{slip:?}"
    );
    let many = failures("decision: nobody, expect: {result: 1}");
    assert_eq!(many, ["`nobody` is no decision of the file"]);
}

#[test]
fn absent_inputs_are_null_where_the_document_says_so() {
    let text = "file: a.yaml\nabsent: null\ndecision: surcharges\ntests: [{name: t, expect: {result: 0}}]\n";
    assert!(read(text).unwrap().run(&model())[0].failures.is_empty());
    let unknown = text.replace("absent: null\n", "");
    assert_eq!(read(&unknown).unwrap().run(&model())[0].failures.len(), 2);
}

#[test]
fn malformed_documents_are_refused_with_their_places() {
    let refused = |text: &str| read(text).unwrap_err();
    assert_eq!(
        refused("tests: []\n"),
        "1:1: key `file` is missing\n1:8: found 0 tests, expected 1 to 10000\n"
    );
    let one = |head: &str, test: &str| refused(&format!("file: a\n{head}tests: [{test}]\n"));
    assert_eq!(
        one("", "{name: t, expect: {}}"),
        "2:27: expected `result`, `unknown_facts` or `rows`\n"
    );
    assert!(
        one("", "{name: t, facts: [x], expect: {result: 1}}").contains("2:27: there is no set `x`")
    );
    assert!(
        one("absent: zero\n", "{name: t, expect: {result: 1}}")
            .contains("expected unknown or null")
    );
    assert!(one("", "{name: t, expects: 1}").contains("unknown key `expects`"));
    assert!(
        one("", "{name: t, expect: {result: 1, unknown_facts: [a]}}")
            .contains("depends on no unknown facts")
    );
    assert!(
        refused("file: ../a\ntests: [{name: t, expect: {result: 1}}]\n")
            .contains("no bare file name")
    );
    let sets = "facts: {all: {".to_owned()
        + &(0..1_000).map(|n| format!("f{n}: 1, ")).collect::<String>()
        + "}}\n";
    let tests = "{name: t, facts: [all], expect: {result: 1}}, ".repeat(1_001);
    assert!(one(&sets, &tests).contains("more than 1000000 facts"));
}
