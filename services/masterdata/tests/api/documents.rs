//! Rules and mappings as files: what is refused, with its place, and how they come into an
//! empty store.

use std::time::Duration;

use contracts::masterdata::{ListMappingsRequest, record_input::Record};
use masterdata::domain::catalog::Document;
use service_kit::{bootstrap::Files, suite::Suite};
use testkit::eventually;

use crate::support::{INDUSTRIAL, item, lines, start, steward, validate};

/// The problems of a document.
fn problems(kind: &str, text: &str) -> String {
    match Document::read(kind, text) {
        Ok(_) => String::new(),
        Err(problems) => problems.iter().map(|p| format!("{p}\n")).collect(),
    }
}

#[test]
fn rules_that_cannot_be_meant_are_refused_with_their_place() {
    let rules = |body: &str| {
        problems(
            "RecordRules",
            &format!("kind: RecordRules\nname: x\nentity: item\nscope: acme\n{body}"),
        )
    };
    let row = "rows:\n  - {id: a, when: {gtin.present: 'false'}, then: {field: gtin, severity: ERROR, message: m}}\n";
    let good = format!("hit_policy: COLLECT\ninputs: [gtin.present]\n{row}");
    assert_eq!(rules(&good), "");
    for (body, wanted) in [
        ("", "says nothing"),
        (
            &format!("hit_policy: UNIQUE\ninputs: [gtin.present]\n{row}"),
            "`hit_policy` must be COLLECT",
        ),
        (
            &good.replace("[gtin.present]", "[gtin.present, colour]"),
            "6:24: no record of entity item has a fact `colour`",
        ),
        (&good.replace("field: gtin,", "field: gtins,"), "8:"),
        (
            &good.replace("severity: ERROR", "severity: FATAL"),
            "expected one of INFO, WARNING, ERROR",
        ),
        (&good.replace("severity: ERROR, ", ""), "severity"),
        (
            &good.replace("then: {", "then: {kind: BAD, "),
            "expected one of MISSING",
        ),
        (
            &format!("{good}each: addresses\n"),
            "expected one of packaging, classifications",
        ),
        (&format!("{good}colour: red\n"), "unknown key `colour`"),
        ("raise: {gtin.checksum: LOUD}\n", "5:24: found `LOUD`"),
        (
            &format!("{good}default: {{field: gtin, severity: INFO, message: m}}\n"),
            "default",
        ),
    ] {
        let found = rules(body);
        assert!(found.contains(wanted), "{body}\n{found}");
    }
    assert!(problems("RecordRules", "kind: RecordRules\n").contains("key `name` is missing"));
    let malformed = problems("RecordRules", "a: [");
    assert!(malformed.contains("malformed YAML"), "{malformed}");
}

#[test]
fn mappings_that_cannot_be_meant_are_refused_with_their_place() {
    let mapping = |fields: &str, rest: &str| {
        let text = format!(
            "kind: RecordMapping\nname: x\nentity: item\nfields:\n  id: {{column: A}}\n{fields}{rest}"
        );
        problems("RecordMapping", &text)
    };
    let example = "examples: [{given: {A: '1'}, expect: {id: '1'}}]\n";
    assert_eq!(mapping("", example), "");
    for (fields, rest, wanted) in [
        ("", "", "key `examples` is missing"),
        ("", "examples: []\n", "a mapping needs an example"),
        (
            "",
            "examples: [{given: {A: '1'}, expect: {id: '2'}}]\n",
            "example 1: id: expected \"2\", found \"1\"",
        ),
        (
            "",
            "examples: [{given: {A: '1', B: '2'}, expect: {id: '1'}}]\n",
            "found [\"mapping.unmapped\"]",
        ),
        (
            "",
            "examples: [{given: {A: '1'}, expect: {colour: red}}]\n",
            "no field `colour`",
        ),
        (
            "  colour: {column: B}\n",
            example,
            "6:3: no record of entity item has a field `colour`",
        ),
        (
            "  packaging: {column: B}\n",
            example,
            "`packaging` is a list",
        ),
        ("  packaging[99].unit: {column: B}\n", example, "is no path"),
        (
            "  name: {column: B, const: C}\n",
            example,
            "expected one of `column`, `first` and `const`",
        ),
        (
            "  name: {column: B, pattern: '('}\n",
            example,
            "no regular expression",
        ),
        (
            "  name: {column: B, otherwise: keep}\n",
            example,
            "stands beside `map`",
        ),
        (
            "  name: {column: B, currency: EUR}\n",
            example,
            "fields that hold money only",
        ),
        (
            "  list_price: {column: B, currency: DEM}\n",
            example,
            "`DEM` is no ISO 4217 code",
        ),
        (
            "  regulated: {const: maybe}\n",
            example,
            "constant `maybe` doesn't fit `regulated`",
        ),
        (
            "  name: {column: B}\n",
            "match: {csv_header: [A]}\nexamples: [{given: {A: '1'}, expect: {id: '1'}}]\n",
            "column `B` isn't in csv_header",
        ),
        (
            "",
            "match: {csv_header: [A, Z]}\nexamples: [{given: {A: '1'}, expect: {id: '1'}}]\n",
            "column `Z` of csv_header is neither mapped nor ignored",
        ),
    ] {
        let found = mapping(fields, rest);
        assert!(found.contains(wanted), "{fields}{rest}\n{found}");
    }
}

testkit::backends! {
    async fn an_empty_store_is_filled_from_files_and_recorded(backend: Backend) {
        let harness = start(backend).await;
        let log = harness.log.clone();
        let loaded = |name: &str| {
            log.records().iter().any(|r| r.r#type == "bylaw.masterdata.document.bootstrapped.v1" && r.resource == name)
        };
        eventually(Duration::from_secs(20), || async {
            loaded("mappings/northwind-customers") && loaded("recordRules/medical.item")
        })
        .await;
        let record = log.records().into_iter().find(|r| r.resource == "recordRules/medical.item").unwrap();
        assert_eq!(record.scope, "acme/europe/medical");
        assert_eq!(record.actor.unwrap().subject, "bylaw-masterdata");
    }

    async fn without_files_there_are_only_the_checks_that_hold_everywhere(backend: Backend) {
        let harness = testkit::Harness::start::<masterdata::Service>(backend, Default::default(), Files::none()).await;
        let mut client = steward(&harness);
        let mut bad = item();
        bad.gtin = "1".into();
        let found = validate(&mut client, INDUSTRIAL, Record::Item(bad)).await;
        assert_eq!((lines(&found), found.rule_sets), (vec!["ERROR gtin gtin.length".to_owned()], Vec::new()));
        let mappings = client.list_mappings(ListMappingsRequest::default()).await.unwrap().into_inner();
        assert!(mappings.mappings.is_empty());
    }

    async fn a_broken_file_stops_the_start_with_its_place(backend: Backend) {
        let rules = "kind: RecordRules\nname: x\nentity: item\nscope: acme\n";
        for (body, wanted) in [
            ("hit_policy: COLLECT\ninputs: [colour]\nrows: []\n", "masterdata/x.yaml:8:10: no record of entity item has a fact `colour`"),
            ("raise: {gtin.checksum: ERROR, acme.item.gtn: ERROR}\n", "masterdata/x.yaml:7:31: no check and no rule at acme has the id `acme.item.gtn`"),
            ("raise: {gtin.checksum: ERROR}\n---\nkind: RecordRules\nname: x\nentity: item\nscope: acme\nraise: {gtin.length: ERROR}\n", "masterdata/x.yaml:9:1: recordRules/x stands in masterdata/x.yaml:3:1 too"),
        ] {
            let text = format!("kind: Taxonomy\n---\n{rules}{body}");
            let store = backend.store();
            let dir = tempfile::tempdir().unwrap();
            let mut settings = service_kit::Settings { development: true, data_dir: dir.path().to_owned(), ..Default::default() };
            settings.grpc.addr = ([127, 0, 0, 1], 0).into();
            settings.http.addr = settings.grpc.addr;
            settings.database.url = service_kit::settings::SecretUrl::new(store.url());
            settings.peers.addresses.insert("audit".to_owned(), "http://127.0.0.1:1".to_owned());
            let files = Files::embedded([("masterdata/x.yaml", text.as_bytes())]);
            let started = Suite::new(settings).files(files).service::<masterdata::Service>(Default::default()).start().await;
            let error = started.err().expect("it doesn't start").to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
