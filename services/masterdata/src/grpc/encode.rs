//! What the use cases answer, as the contract has it.

use std::collections::BTreeMap;

use contracts::{masterdata as proto, time::timestamp, types};
use decision::Value;

use crate::{
    app::{Figure, Validation},
    domain::{
        Entity, Record, Severity, Violation,
        catalog::Versioned,
        mapping::{Mapping, Normalized},
        violation::Kind,
    },
};

pub(super) fn validation(validation: &Validation) -> proto::Validation {
    proto::Validation {
        name: validation.name(),
        entity: validation.entity.name().to_owned(),
        record_id: validation.record_id.clone(),
        scope: validation.scope.to_string(),
        valid: validation.judgement.is_valid(),
        violations: validation
            .judgement
            .violations
            .iter()
            .map(violation)
            .collect(),
        rule_sets: validation.judgement.rule_sets.clone(),
        validate_time: Some(timestamp(validation.validate_time)),
    }
}

fn violation(violation: &Violation) -> proto::Violation {
    proto::Violation {
        field: violation.field.to_string(),
        rule: violation.rule.clone(),
        severity: severity(violation.severity).into(),
        kind: kind(violation.kind).into(),
        message: violation.message.clone(),
        standard: violation.standard.clone(),
        source_field: violation.source_field.clone(),
    }
}

fn severity(severity: Severity) -> proto::Severity {
    match severity {
        Severity::Info => proto::Severity::Info,
        Severity::Warning => proto::Severity::Warning,
        Severity::Error => proto::Severity::Error,
    }
}

fn kind(kind: Kind) -> proto::ViolationKind {
    match kind {
        Kind::Missing => proto::ViolationKind::Missing,
        Kind::Format => proto::ViolationKind::Format,
        Kind::Length => proto::ViolationKind::Length,
        Kind::Checksum => proto::ViolationKind::Checksum,
        Kind::CodeList => proto::ViolationKind::CodeList,
        Kind::CrossField => proto::ViolationKind::CrossField,
        Kind::Duplicate => proto::ViolationKind::Duplicate,
        Kind::Policy => proto::ViolationKind::Policy,
    }
}

pub(super) fn mapping(mapping: &Versioned<Mapping>) -> proto::Mapping {
    proto::Mapping {
        name: format!("mappings/{}", mapping.item.name),
        entity: mapping.item.entity.name().to_owned(),
        version: mapping.version,
        digest: mapping.digest.clone(),
        source: mapping.source.clone(),
        csv_header: mapping.item.csv_header.clone(),
    }
}

pub(super) fn figure(figure: &Figure) -> proto::QualityFigure {
    proto::QualityFigure {
        date: figure.at.day.clone(),
        scope: figure.at.scope.clone(),
        entity: figure.at.entity.clone(),
        record_count: figure.records,
        invalid_record_count: figure.invalid,
        rules: figure
            .rules
            .iter()
            .map(|rule| proto::RuleFigure {
                rule: rule.rule.clone(),
                severity: severity(rule.severity).into(),
                violation_count: rule.count,
            })
            .collect(),
    }
}

pub(super) fn normalized(normalized: &Normalized) -> proto::NormalizeRecordResponse {
    let origins = normalized.origins.iter().filter(|origin| origin.given);
    proto::NormalizeRecordResponse {
        record: Some(proto::RecordInput {
            record: Some(record(&normalized.record)),
        }),
        origins: origins
            .map(|origin| proto::FieldOrigin {
                field: origin.field.to_string(),
                source_field: origin.source.clone(),
            })
            .collect(),
        violations: normalized.violations.iter().map(violation).collect(),
    }
}

fn record(record: &Record) -> proto::record_input::Record {
    let values = Values(record.fields());
    match record.entity() {
        Entity::Customer => proto::record_input::Record::Customer(customer(&values)),
        Entity::Item => proto::record_input::Record::Item(item(&values)),
        Entity::Supplier => proto::record_input::Record::Supplier(supplier(&values)),
    }
}

/// Fields of a record or of an element.
struct Values<'a>(&'a BTreeMap<String, Value>);

impl Values<'_> {
    fn text(&self, name: &str) -> String {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let items = self
            .0
            .get(name)
            .and_then(Value::as_list)
            .unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    fn decimal(&self, name: &str) -> Option<types::Decimal> {
        let value = self.0.get(name)?.as_number()?.to_string();
        Some(types::Decimal { value })
    }

    fn money(&self, name: &str) -> Option<types::Money> {
        match self.0.get(name)? {
            Value::Money { amount, currency } => Some(types::Money {
                amount: Some(types::Decimal {
                    value: amount.to_string(),
                }),
                currency_code: currency.clone(),
            }),
            _ => None,
        }
    }

    fn list<T>(&self, name: &str, encode: impl Fn(&Values<'_>) -> T) -> Vec<T> {
        let items = self
            .0
            .get(name)
            .and_then(Value::as_list)
            .unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_context)
            .map(|fields| encode(&Values(fields)))
            .collect()
    }
}

fn customer(values: &Values<'_>) -> proto::Customer {
    proto::Customer {
        id: values.text("id"),
        name: values.text("name"),
        addresses: values.list("addresses", address),
        contacts: values.list("contacts", contact),
        tax_identifiers: values.list("tax_identifiers", tax_identifier),
        identifiers: values.list("identifiers", identifier),
        bank_accounts: values.list("bank_accounts", bank_account),
        currency_code: values.text("currency_code"),
        credit_limit: values.money("credit_limit"),
        payment_terms: values.text("payment_terms"),
        licences: values.list("licences", |licence| proto::Licence {
            kind: licence.text("kind"),
            number: licence.text("number"),
            valid_until: licence.text("valid_until"),
        }),
        classifications: values.list("classifications", classification),
        language_code: values.text("language_code"),
    }
}

fn supplier(values: &Values<'_>) -> proto::Supplier {
    proto::Supplier {
        id: values.text("id"),
        name: values.text("name"),
        addresses: values.list("addresses", address),
        contacts: values.list("contacts", contact),
        tax_identifiers: values.list("tax_identifiers", tax_identifier),
        identifiers: values.list("identifiers", identifier),
        bank_accounts: values.list("bank_accounts", bank_account),
        currency_code: values.text("currency_code"),
        incoterm: values.text("incoterm"),
        classifications: values.list("classifications", classification),
    }
}

fn item(values: &Values<'_>) -> proto::Item {
    proto::Item {
        id: values.text("id"),
        name: values.text("name"),
        gtin: values.text("gtin"),
        base_unit: values.text("base_unit"),
        packaging: values.list("packaging", |packaging| proto::Packaging {
            unit: packaging.text("unit"),
            base_units: packaging.decimal("base_units"),
            gtin: packaging.text("gtin"),
        }),
        list_price: values.money("list_price"),
        regulated: values.flag("regulated"),
        lot_tracked: values.flag("lot_tracked"),
        licence_number: values.text("licence_number"),
        origin_country: values.text("origin_country"),
        hs_code: values.text("hs_code"),
        export_controlled: values.flag("export_controlled"),
        supplier_id: values.text("supplier_id"),
        reorder_level: values.decimal("reorder_level"),
        classifications: values.list("classifications", classification),
        discontinued: values.flag("discontinued"),
        pack_description: values.text("pack_description"),
    }
}

fn address(values: &Values<'_>) -> proto::Address {
    proto::Address {
        kind: values.text("kind"),
        lines: values.texts("lines"),
        city: values.text("city"),
        region: values.text("region"),
        postal_code: values.text("postal_code"),
        country_code: values.text("country_code"),
    }
}

fn contact(values: &Values<'_>) -> proto::Contact {
    proto::Contact {
        name: values.text("name"),
        title: values.text("title"),
        phone: values.text("phone"),
        email: values.text("email"),
    }
}

fn tax_identifier(values: &Values<'_>) -> proto::TaxIdentifier {
    proto::TaxIdentifier {
        scheme: values.text("scheme"),
        value: values.text("value"),
    }
}

fn identifier(values: &Values<'_>) -> proto::Identifier {
    proto::Identifier {
        scheme: values.text("scheme"),
        value: values.text("value"),
    }
}

fn bank_account(values: &Values<'_>) -> proto::BankAccount {
    proto::BankAccount {
        iban: values.text("iban"),
        bic: values.text("bic"),
    }
}

fn classification(values: &Values<'_>) -> proto::Classification {
    proto::Classification {
        scheme: values.text("scheme"),
        code: values.text("code"),
    }
}
