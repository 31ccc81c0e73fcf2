//! Business data: events, master data records, identifiers.

use std::sync::LazyLock;

use chrono::NaiveDate;
use decision::json;
use governance::Scope;
use identifiers::Kind;
use masterdata::domain::{catalog, mapping::Payload, validate};

use crate::text;

static EXCEPTIONS: LazyLock<exceptions::domain::catalog::Catalog> = LazyLock::new(|| {
    let documents = crate::example::<exceptions::Service>();
    let sources: Vec<_> = documents
        .iter()
        .map(|document| exceptions::domain::catalog::Source {
            path: &document.path,
            line: document.line,
            kind: &document.kind,
            text: &document.text,
        })
        .collect();
    exceptions::domain::catalog::Catalog::compile(&sources).unwrap_or_default()
});

static MASTERDATA: LazyLock<catalog::Catalog> = LazyLock::new(|| {
    let read: Vec<_> = crate::example::<masterdata::Service>()
        .iter()
        .filter_map(|document| catalog::Document::read(&document.kind, &document.text).ok())
        .collect();
    catalog::Catalog::compile(&read).unwrap_or_default()
});

fn medical() -> Option<Scope> {
    Scope::parse("acme/europe/medical").ok()
}

/// The data of an event, after a line with its subject, as every declared type of it.
pub fn events(data: &[u8]) {
    let (Some(text), Some(scope)) = (text(data), medical()) else {
        return;
    };
    let (subject, data) = text.split_once('\n').unwrap_or(("orders/SO-1", text));
    let Ok(data) = json::parse(data) else { return };
    assert!(!EXCEPTIONS.events.is_empty(), "the example is there");
    for kind in EXCEPTIONS.events.values() {
        if let Ok(reading) = kind.read(&scope, subject, &data) {
            let _found = EXCEPTIONS.detect(&scope, &reading.inputs);
        }
    }
}

/// A source system's payload, through every mapping and the rules of a unit.
pub fn records(data: &[u8]) {
    let (Ok(payload), Some(scope)) = (Payload::parse(data), medical()) else {
        return;
    };
    let mut mappings = MASTERDATA.mappings_after("").peekable();
    assert!(mappings.peek().is_some(), "the example is there");
    for mapping in mappings {
        let normalized = mapping.item.normalize(&payload);
        let today = NaiveDate::MIN;
        let judgement = validate::normalized(&MASTERDATA, &scope, &normalized, today);
        let places: Vec<_> = judgement
            .violations
            .iter()
            .map(|violation| (&violation.field, &violation.rule))
            .collect();
        assert!(places.is_sorted(), "violations come by place");
    }
}

/// An identifier of any kind: its normal form is one, and its own normal form.
pub fn identifiers(data: &[u8]) {
    let Some(value) = text(data) else { return };
    for kind in Kind::ALL {
        if let Ok(normalised) = identifiers::check(kind, value) {
            let again = identifiers::check(kind, &normalised.value);
            assert_eq!(again.as_ref(), Ok(&normalised), "{kind:?} {value:?}");
        }
    }
}
