//! What the tests share: the example's rules and mappings, a steward, records.

use std::path::PathBuf;

use contracts::{
    masterdata::{
        Customer, Item, RecordInput, Severity, SourceRecord, ValidateRecordRequest, Validation,
        record_input::Record, validation_service_client::ValidationServiceClient,
    },
    types,
};
use service_kit::bootstrap::Files;
use testkit::{Backend, Harness, identity::Calls};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

pub type Client = ValidationServiceClient<Calls>;

pub const MEDICAL: &str = "acme/europe/medical";
pub const INDUSTRIAL: &str = "acme/europe/industrial";

/// The example's files.
pub fn example() -> Files {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/distributor");
    let scopes = std::fs::read(root.join("scopes.yaml")).unwrap();
    let mut files = vec![("scopes.yaml".to_owned(), scopes)];
    for folder in ["masterdata", "mappings"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
            files.push((name, std::fs::read(path).unwrap()));
        }
    }
    Files::embedded(
        files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    )
}

pub async fn start(backend: Backend) -> Harness {
    Harness::start::<masterdata::Service>(backend, masterdata::Settings::default(), example()).await
}

pub fn steward(harness: &Harness) -> Client {
    Client::new(harness.person("data-steward", &["data-steward@acme"]))
}

/// A customer that nothing is wrong with.
pub fn customer() -> Customer {
    use contracts::masterdata::{Address, Contact, Licence, TaxIdentifier};
    Customer {
        id: "C-1017".into(),
        name: "Klinik am See GmbH".into(),
        addresses: vec![Address {
            kind: "BILLING".into(),
            lines: vec!["Seestr. 4".into()],
            city: "Konstanz".into(),
            postal_code: "78464".into(),
            country_code: "DE".into(),
            ..Address::default()
        }],
        contacts: vec![Contact {
            name: "Jana Roth".into(),
            phone: "+49 7531 900 1234".into(),
            email: "einkauf@klinik-am-see.example".into(),
            ..Contact::default()
        }],
        tax_identifiers: vec![TaxIdentifier {
            scheme: "EU_VAT".into(),
            value: "DE136695976".into(),
        }],
        currency_code: "EUR".into(),
        credit_limit: money("15000.00", "EUR"),
        payment_terms: "N30".into(),
        licences: vec![Licence {
            kind: "REGULATED_GOODS".into(),
            number: "BTM-4711".into(),
            valid_until: "2999-12-31".into(),
        }],
        language_code: "de".into(),
        ..Customer::default()
    }
}

/// A regulated item that nothing is wrong with.
pub fn item() -> Item {
    Item {
        id: "I-2044".into(),
        name: "Morphine sulphate 10 mg ampoules".into(),
        gtin: "4006381333931".into(),
        base_unit: "H87".into(),
        list_price: money("41.50", "EUR"),
        regulated: Some(true),
        lot_tracked: Some(true),
        licence_number: "BTM-77".into(),
        origin_country: "CH".into(),
        hs_code: "300340".into(),
        export_controlled: Some(false),
        supplier_id: "V-9".into(),
        reorder_level: Some(types::Decimal { value: "20".into() }),
        discontinued: Some(false),
        ..Item::default()
    }
}

pub fn money(amount: &str, currency: &str) -> Option<types::Money> {
    Some(types::Money {
        amount: Some(types::Decimal {
            value: amount.into(),
        }),
        currency_code: currency.into(),
    })
}

pub fn input(record: Record) -> RecordInput {
    RecordInput {
        record: Some(record),
    }
}

pub fn source(mapping: &str, payload: &str) -> SourceRecord {
    SourceRecord {
        mapping: format!("mappings/{mapping}"),
        payload: payload.as_bytes().to_vec().into(),
    }
}

pub fn request(scope: &str, record: Record) -> ValidateRecordRequest {
    ValidateRecordRequest {
        scope: scope.into(),
        record: Some(input(record)),
        ..Default::default()
    }
}

pub async fn validate(client: &mut Client, scope: &str, record: Record) -> Validation {
    client
        .validate_record(request(scope, record))
        .await
        .unwrap()
        .into_inner()
}

/// Violations as `SEVERITY field rule`, in the order of the answer.
pub fn lines(validation: &Validation) -> Vec<String> {
    let line = |v: &contracts::masterdata::Violation| {
        let severity = Severity::try_from(v.severity).unwrap().as_str_name();
        let severity = severity.trim_start_matches("SEVERITY_");
        format!("{severity} {} {}", v.field, v.rule)
    };
    validation.violations.iter().map(line).collect()
}

/// The documented reason of a refusal, without its domain.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

/// Asserts a refusal, and answers the fields it names.
pub fn fields(status: &Status, code: Code) -> Vec<String> {
    assert_eq!(status.code(), code, "{status:?}");
    let details = status.get_error_details();
    let bad = details
        .bad_request()
        .map(|bad| bad.field_violations.clone());
    bad.unwrap_or_default()
        .into_iter()
        .map(|v| v.field)
        .collect()
}
