//! The Northwind sample database, which everybody knows: the report must be what somebody
//! who knows the data would say.

use std::{collections::BTreeMap, path::PathBuf};

use contracts::masterdata::{
    BatchValidateRecordsRequest, RecordInput, Validation, record_input::Record,
};

use crate::support::{Client, INDUSTRIAL, MEDICAL, input, lines, source, start, steward};

/// The rows of a file as JSON objects; None where the data isn't on this machine.
fn rows(file: &str) -> Option<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(file);
    if !path.exists() {
        eprintln!("skipped: {} isn't there", path.display());
        return None;
    }
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        let fields: serde_json::Map<_, _> = header
            .iter()
            .zip(row.iter())
            .map(|(k, v)| (k.to_owned(), v.into()))
            .collect();
        serde_json::Value::Object(fields).to_string()
    };
    Some(reader.records().map(|r| row(r.unwrap())).collect())
}

async fn report(
    client: &mut Client,
    scope: &str,
    mapping: &str,
    rows: &[String],
) -> Vec<Validation> {
    let record = |row: &String| -> RecordInput { input(Record::Source(source(mapping, row))) };
    let asked = BatchValidateRecordsRequest {
        scope: scope.into(),
        records: rows.iter().map(record).collect(),
        correlation_id: "northwind".into(),
        ..Default::default()
    };
    client
        .batch_validate_records(asked)
        .await
        .unwrap()
        .into_inner()
        .validations
}

/// Violations by severity and rule.
fn counts(validations: &[Validation]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in validations.iter().flat_map(lines) {
        let (severity, rest) = line.split_once(' ').unwrap();
        let rule = rest.rsplit_once(' ').unwrap().1;
        *counts.entry(format!("{severity} {rule}")).or_default() += 1;
    }
    counts
}

/// Ids of the records that violate a rule.
fn violating<'a>(validations: &'a [Validation], rule: &str) -> Vec<&'a str> {
    let violates = |v: &&Validation| v.violations.iter().any(|violation| violation.rule == rule);
    validations
        .iter()
        .filter(violates)
        .map(|v| v.record_id.as_str())
        .collect()
}

fn table(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter()
        .map(|(rule, count)| ((*rule).to_owned(), *count))
        .collect()
}

testkit::backends! {
    async fn customers(backend: Backend) {
        let Some(rows) = rows("northwind-customers.csv") else { return };
        let harness = start(backend).await;
        let found = report(&mut steward(&harness), INDUSTRIAL, "northwind-customers", &rows).await;
        assert_eq!(found.len(), 93);
        let invalid: Vec<_> = found.iter().filter(|v| !v.valid).map(|v| v.record_id.as_str()).collect();
        assert_eq!(invalid, ["Val2", "VALON"], "two rows somebody left behind, without any address");
        assert_eq!(
            counts(&found),
            table(&[
                ("ERROR acme.customer.address", 2),
                ("WARNING acme.customer-address.postal_code", 1),
                ("WARNING acme.customer-contact.reachable", 2),
                ("WARNING acme.customer.currency", 93),
                ("WARNING acme.customer.vat", 44),
                ("WARNING phone.length", 33),
                ("WARNING postal_code.code_list", 2),
                ("WARNING postal_code.format", 4),
                ("INFO acme.customer.credit_limit", 93),
                ("INFO acme.customer.vat_gb", 7),
                ("INFO mapping.trimmed", 1),
                ("INFO phone.national", 91),
                ("INFO postal_code.normal_form", 4),
                ("INFO text.blanks", 4),
            ])
        );
        assert_eq!(violating(&found, "acme.customer-address.postal_code"), ["HUNGO"], "Ireland has postal codes");
        assert_eq!(violating(&found, "postal_code.code_list"), ["CONSH", "EASTC"], "there is no postcode area WX");
        assert_eq!(
            violating(&found, "postal_code.format"),
            ["BOTTM", "FURIB", "LAUGB", "PRINI"],
            "no F in Canadian codes, and Portugal's have seven digits"
        );
        assert_eq!(violating(&found, "postal_code.normal_form"), ["BERGS", "FOLKO", "MAISD", "SUPRD"], "S-958 22, B-1180");
        let phone = violating(&found, "phone.length");
        assert!(phone.contains(&"SUPRD"), "a digit pair too many: (071) 23 67 22 20");
        assert!(phone.contains(&"BLONP"), "eight digits, as in France before 1996");
        assert!(!phone.contains(&"ALFKI") && !phone.contains(&"GREAL") && !phone.contains(&"AROUT"));
        let trimmed = found.iter().find(|v| v.record_id == "Val2").unwrap();
        assert!(trimmed.violations.iter().any(|v| v.rule == "mapping.trimmed" && v.source_field == "CustomerID"));
    }

    async fn products_are_usable_in_industrial_and_none_is_in_medical(backend: Backend) {
        let Some(rows) = rows("northwind-products.csv") else { return };
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let found = report(&mut client, INDUSTRIAL, "northwind-products", &rows).await;
        assert_eq!(found.len(), 77);
        assert!(found.iter().all(|v| v.valid));
        assert_eq!(
            counts(&found),
            table(&[
                ("WARNING acme.item.base_unit", 77),
                ("WARNING acme.item.gtin", 77),
                ("WARNING mapping.pattern", 1),
                ("INFO text.blanks", 1),
            ])
        );
        assert_eq!(violating(&found, "mapping.pattern"), ["45"], "`1k pkg.` means 1 kg");
        assert_eq!(violating(&found, "text.blanks"), ["36"], "`24 - 250 g  jars`");
        let found = report(&mut client, MEDICAL, "northwind-products", &rows).await;
        assert!(found.iter().all(|v| !v.valid));
        assert_eq!(
            counts(&found),
            table(&[
                ("ERROR acme.item.base_unit", 77),
                ("ERROR acme.item.gtin", 77),
                ("ERROR medical.item.regulated", 77),
                ("WARNING mapping.pattern", 1),
                ("INFO text.blanks", 1),
            ])
        );
    }

    async fn suppliers(backend: Backend) {
        let Some(rows) = rows("northwind-suppliers.csv") else { return };
        let harness = start(backend).await;
        let found = report(&mut steward(&harness), INDUSTRIAL, "northwind-suppliers", &rows).await;
        assert!(found.iter().all(|v| v.valid));
        assert_eq!(
            counts(&found),
            table(&[
                ("WARNING acme.supplier.bank_account", 29),
                ("WARNING acme.supplier.currency", 29),
                ("WARNING acme.supplier.vat", 14),
                ("WARNING phone.length", 7),
                ("WARNING postal_code.format", 5),
                ("INFO mapping.trimmed", 2),
                ("INFO phone.national", 29),
                ("INFO postal_code.normal_form", 2),
            ])
        );
        assert_eq!(violating(&found, "postal_code.format"), ["4", "6", "8", "10", "20"], "Japan, `M14 GSD`, Brazil, Singapore");
    }
}
