//! Mappings: listed, read, and what they make of payloads.

use contracts::masterdata::{
    FieldOrigin, GetMappingRequest, ListMappingsRequest, NormalizeRecordRequest,
    record_input::Record,
};

use crate::support::{INDUSTRIAL, lines, source, start, steward, validate};

testkit::backends! {
    async fn mappings_are_listed_by_name_page_by_page(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let asked = ListMappingsRequest { page_size: 2, page_token: token };
            let page = client.list_mappings(asked).await.unwrap().into_inner();
            assert!(page.mappings.len() <= 2);
            names.extend(page.mappings.into_iter().map(|m| m.name));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(
            names,
            ["mappings/erp-customer", "mappings/erp-item", "mappings/northwind-customers", "mappings/northwind-products", "mappings/northwind-suppliers"]
        );
        let name = "mappings/northwind-customers".to_owned();
        let mapping = client.get_mapping(GetMappingRequest { name }).await.unwrap().into_inner();
        assert_eq!((mapping.entity.as_str(), mapping.version), ("customer", 1));
        assert_eq!(mapping.csv_header.first().map(String::as_str), Some("CustomerID"));
        assert!(mapping.source.contains("kind: RecordMapping"));
        assert_eq!(mapping.digest.len(), "sha256:".len() + 64);
    }

    async fn a_payload_becomes_a_record_and_every_value_has_its_origin(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let payload = r#"{"number": "C-1017", "name": {"legal": " Klinik am See GmbH"},
            "billing": {"street": "Seestr. 4", "street2": "2. OG", "city": "Konstanz", "zip": "78464", "country": "Germany"},
            "shipping": {"city": "-"}, "contact_name": "Jana Roth",
            "credit_limit": 12345678901234567890.1230, "currency": "EUR", "terms": 45, "fax": "1"}"#;
        let asked = NormalizeRecordRequest { source: Some(source("erp-customer", payload)) };
        let found = client.normalize_record(asked).await.unwrap().into_inner();
        let Some(Record::Customer(customer)) = found.record.and_then(|input| input.record) else {
            panic!("a customer");
        };
        assert_eq!(customer.name, "Klinik am See GmbH");
        assert_eq!(customer.addresses.len(), 1, "a blank shipping address is none");
        assert_eq!(customer.addresses[0].lines, ["Seestr. 4", "2. OG"]);
        assert_eq!(customer.addresses[0].country_code, "DE");
        assert!(customer.tax_identifiers.is_empty(), "a scheme without a number is none");
        let limit = customer.credit_limit.unwrap();
        assert_eq!(limit.amount.unwrap().value, "12345678901234567890.1230");
        assert_eq!(limit.currency_code, "EUR");
        let origin = |field: &str| {
            let of_field = |o: &&FieldOrigin| o.field == field;
            found.origins.iter().find(of_field).map(|o| o.source_field.as_str())
        };
        assert_eq!(origin("addresses[0].lines[1]"), Some("/billing/street2"));
        assert_eq!(origin("contacts[0].name"), Some("contact_name"));
        assert_eq!(origin("addresses[0].kind"), None, "a constant has no source field");
        let rules: Vec<_> = found.violations.iter().map(|v| (v.rule.as_str(), v.source_field.as_str())).collect();
        assert_eq!(
            rules,
            [("mapping.unmapped", "fax"), ("mapping.trimmed", "/name/legal"), ("mapping.unknown_value", "terms")]
        );
    }

    async fn violations_name_the_source_field(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let payload = r#"{"sku": "I-1", "description": "Gloves", "ean": "4006381333932", "uom": "PR", "price": "cheap", "vendor": "V-1"}"#;
        let found = validate(&mut client, INDUSTRIAL, Record::Source(source("erp-item", payload))).await;
        assert_eq!(
            lines(&found),
            [
                "WARNING base_unit acme.item.base_unit",
                "WARNING base_unit mapping.unknown_value",
                "ERROR gtin gtin.checksum",
                "WARNING list_price acme.item.list_price",
                "ERROR list_price mapping.money",
            ]
        );
        let fields: Vec<_> = found.violations.iter().map(|v| v.source_field.as_str()).collect();
        assert_eq!(fields, ["uom", "uom", "ean", "price", "price"]);
    }
}
