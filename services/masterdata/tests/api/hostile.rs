//! Whatever comes, nothing panics, and what is answered keeps its promises.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::NaiveDate;
use decision::Value;
use masterdata::domain::{
    Catalog, Path,
    catalog::Document,
    mapping::{MAX_DEPTH, Payload},
    validate,
};
use proptest::prelude::*;
use service_kit::bootstrap::Files;

use crate::support::example;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let files: Files = example();
    let documents: Vec<_> = files
        .documents()
        .unwrap()
        .iter()
        .filter(|file| masterdata::domain::catalog::KINDS.contains(&file.kind.as_str()))
        .map(|file| Document::read(&file.kind, &file.text).unwrap())
        .collect();
    Catalog::compile(&documents).unwrap()
});

const MAPPINGS: [&str; 5] = [
    "erp-customer",
    "erp-item",
    "northwind-customers",
    "northwind-products",
    "northwind-suppliers",
];

/// A field that some mapping reads, or another one, with a text that looks like something.
fn field() -> impl Strategy<Value = (String, Value)> {
    let name = prop_oneof![
        Just("CustomerID"),
        Just("PostalCode"),
        Just("Country"),
        Just("Phone"),
        Just("UnitPrice"),
        Just("Address"),
        Just("vat"),
        Just("ean"),
        Just("uom"),
        Just("price"),
        Just("currency"),
        Just("regulated"),
        Just("lot_control"),
        Just("credit_limit"),
        Just("number"),
        Just("sku"),
        Just("Ä~/"),
    ];
    let text = prop_oneof![
        ".{0,20}",
        "[A-Z]{2}[0-9+* -]{0,14}",
        "[+(0-9) .-]{0,20}",
        "(UK|USA|Germany|Ireland|Atlantis)?",
        "-?[0-9]{0,40}(\\.[0-9]{0,40})?([eE][0-9]{1,6})?",
    ];
    (name, text).prop_map(|(name, text)| (name.to_owned(), Value::String(text)))
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Payload::parse(&bytes);
    }

    #[test]
    fn any_near_json_is_read_or_refused(text in "[{}\\[\\]\":,a0.eE\\\\ u-]{0,80}") {
        let _ = Payload::parse(text.as_bytes());
    }

    #[test]
    fn nesting_is_refused_where_the_limit_says(levels in 1usize..64) {
        let text = format!("{{\"a\": {}1{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        prop_assert_eq!(Payload::parse(text.as_bytes()).is_ok(), levels <= MAX_DEPTH);
    }

    #[test]
    fn any_rules_or_mapping_compile_or_are_refused(text in "(kind: (RecordRules|RecordMapping)\n)?([a-z]{1,8}: [\\[\\]{}a-z0-9,:'\" -]{0,20}\n){0,8}") {
        let _ = Document::read("RecordRules", &text);
    }

    #[test]
    fn any_payload_is_judged_in_order_without_panic(
        fields in proptest::collection::vec(field(), 0..12),
        mapping in 0usize..MAPPINGS.len(),
    ) {
        let payload = Payload::new(fields.into_iter().collect::<BTreeMap<_, _>>());
        let normalized = CATALOG.mapping(MAPPINGS[mapping]).unwrap().item.normalize(&payload);
        let again = CATALOG.mapping(MAPPINGS[mapping]).unwrap().item.normalize(&payload);
        prop_assert_eq!(&normalized, &again);
        let entity = normalized.record.entity();
        for origin in &normalized.origins {
            prop_assert!(entity.field_at(&origin.field).is_some(), "{}", origin.field);
        }
        let scope = "acme/europe/medical".parse().unwrap();
        let today = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let judgement = validate::normalized(&CATALOG, &scope, &normalized, today);
        let keys: Vec<_> = judgement.violations.iter().map(|v| (&v.field, &v.rule)).collect();
        prop_assert!(keys.is_sorted());
        for violation in &judgement.violations {
            let known = violation.field == Path::default() || entity.field_at(&violation.field).is_some();
            prop_assert!(known, "{} of {}", violation.field, violation.rule);
            let builtin = masterdata::domain::checks::is_rule(&violation.rule);
            let ruled = judgement.rule_sets.iter().any(|set| {
                let name = set.split_once('@').unwrap().0;
                violation.rule.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
            });
            prop_assert!(builtin || ruled, "{}", violation.rule);
        }
    }
}
