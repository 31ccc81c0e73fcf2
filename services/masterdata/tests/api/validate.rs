//! What validating finds, in which order, and what is recorded of it.

use std::time::Duration;

use contracts::masterdata::{
    Address, BankAccount, BatchValidateRecordsRequest, Contact, Customer, GetValidationRequest,
    Identifier, Item, Packaging, Supplier, TaxIdentifier, ViolationKind, record_input::Record,
};
use testkit::eventually;

use crate::support::{
    INDUSTRIAL, MEDICAL, customer, input, item, lines, money, request, source, start, steward,
    validate,
};

testkit::backends! {
    async fn a_good_record_has_no_violation_and_names_its_rule_sets(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let found = validate(&mut client, MEDICAL, Record::Customer(customer())).await;
        assert_eq!(lines(&found), Vec::<String>::new());
        assert!(found.valid);
        assert_eq!((found.entity.as_str(), found.record_id.as_str()), ("customer", "C-1017"));
        assert_eq!(
            found.rule_sets,
            ["acme.customer@1", "acme.customer-address@1", "acme.customer-contact@1", "medical.customer@1"]
        );
        let item = validate(&mut client, MEDICAL, Record::Item(item())).await;
        assert_eq!(lines(&item), Vec::<String>::new());
    }

    async fn all_violations_come_at_once_by_field_then_rule(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut record = customer();
        record.id = String::new();
        record.addresses[0].country_code = "Germany".into();
        record.addresses[0].city = String::new();
        for at in 1..11 {
            record.addresses.push(Address { kind: "HOME".into(), country_code: "FR".into(), city: "Lyon".into(), lines: vec!["a  b".into()], postal_code: if at == 10 { "1".into() } else { "69001".into() }, ..Address::default() });
        }
        record.contacts.push(Contact { phone: "call me".into(), email: "nobody".into(), ..Contact::default() });
        record.tax_identifiers[0].value = "DE136695977".into();
        record.tax_identifiers.push(TaxIdentifier { scheme: "EU_VAT".into(), value: "GB980780684".into() });
        record.identifiers.push(Identifier { scheme: "GLN".into(), value: "1234567890123".into() });
        record.bank_accounts.push(BankAccount { iban: "DE89370400440532013001".into(), bic: "DEUTDEFF".into() });
        record.currency_code = "DEM".into();
        record.credit_limit = money("-1", "XYZ");
        record.language_code = "xx".into();
        record.licences[0].valid_until = "2020-01-01".into();
        let found = validate(&mut client, MEDICAL, Record::Customer(record)).await;
        assert!(!found.valid);
        let got = lines(&found);
        for wanted in [
            "ERROR addresses[0].city acme.customer-address.city",
            "ERROR addresses[0].country_code country.code_list",
            "ERROR addresses[2].kind address_kind.code_list",
            "INFO addresses[2].lines[0] text.blanks",
            "WARNING addresses[10].postal_code postal_code.format",
            "ERROR bank_accounts[0].iban iban.checksum",
            "WARNING contacts[1].email email.format",
            "WARNING contacts[1].phone phone.national",
            "ERROR credit_limit currency.code_list",
            "ERROR credit_limit money.negative",
            "ERROR currency_code currency.code_list",
            "ERROR id id.missing",
            "ERROR identifiers[0].value gln.checksum",
            "ERROR language_code language.code_list",
            "WARNING licences[0].valid_until licence.ended",
            "ERROR tax_identifiers[0].value vat.checksum",
            "ERROR tax_identifiers[1].value tax_identifier.scheme",
        ] {
            assert!(got.iter().any(|line| line == wanted), "{wanted} is missing in {got:#?}");
        }
        let second = got.iter().position(|line| line.contains("addresses[2].kind")).unwrap();
        let tenth = got.iter().position(|line| line.contains("addresses[10].kind")).unwrap();
        assert!(second < tenth, "list elements are in order of their number");
        let iban = found.violations.iter().find(|v| v.rule == "iban.checksum").unwrap();
        assert_eq!((iban.kind(), iban.standard.as_str()), (ViolationKind::Checksum, "ISO 13616-1"));
        assert!(!iban.message.contains("DE8937"), "personal values are not quoted: {}", iban.message);
        // and the same again
        let mut again = customer();
        again.addresses[0].city = String::new();
        let first = validate(&mut client, MEDICAL, Record::Customer(again.clone())).await;
        let second = validate(&mut client, MEDICAL, Record::Customer(again)).await;
        assert_eq!(first.violations, second.violations);
    }

    async fn a_unit_adds_to_the_rules_above_and_takes_nothing_away(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut bare = item();
        bare.gtin = String::new();
        bare.lot_tracked = Some(false);
        bare.licence_number = String::new();
        let industrial = validate(&mut client, INDUSTRIAL, Record::Item(bare.clone())).await;
        assert_eq!(lines(&industrial), ["WARNING gtin acme.item.gtin"]);
        assert!(industrial.valid);
        let medical = validate(&mut client, MEDICAL, Record::Item(bare.clone())).await;
        assert_eq!(
            lines(&medical),
            ["ERROR gtin acme.item.gtin", "ERROR licence_number medical.item.licence", "ERROR lot_tracked medical.item.lot_tracking"]
        );
        let site = validate(&mut client, "acme/europe/medical/basel", Record::Item(bare)).await;
        assert_eq!(lines(&site), lines(&medical), "a site has the rules of its unit");
    }

    async fn unknown_is_not_false(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut unknown = item();
        unknown.regulated = None;
        let found = validate(&mut client, MEDICAL, Record::Item(unknown)).await;
        assert_eq!(lines(&found), ["ERROR regulated medical.item.regulated"]);
        // whether lots are tracked matters as soon as the item is regulated
        let mut untold = item();
        untold.lot_tracked = None;
        let found = validate(&mut client, MEDICAL, Record::Item(untold)).await;
        assert_eq!(lines(&found), ["ERROR lot_tracked medical.item.lot_tracking"]);
        assert_eq!(found.violations[0].kind(), ViolationKind::Missing);
        assert!(found.violations[0].message.contains("isn't known"), "{}", found.violations[0].message);
        let mut unregulated = item();
        unregulated.regulated = Some(false);
        unregulated.lot_tracked = None;
        unregulated.licence_number = String::new();
        let found = validate(&mut client, MEDICAL, Record::Item(unregulated)).await;
        assert_eq!(lines(&found), Vec::<String>::new());
    }

    async fn items_and_suppliers_are_checked_too(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut bad = item();
        bad.gtin = "4006381333932".into();
        bad.base_unit = "PCS".into();
        bad.hs_code = "12".into();
        bad.list_price = money("0", "EUR");
        bad.discontinued = Some(true);
        bad.reorder_level = Some(contracts::types::Decimal { value: "-3".into() });
        bad.packaging = vec![Packaging { unit: "XBX".into(), base_units: Some(contracts::types::Decimal { value: "0".into() }), gtin: "123".into() }];
        let found = validate(&mut client, INDUSTRIAL, Record::Item(bad)).await;
        assert_eq!(
            lines(&found),
            [
                "ERROR base_unit unit.code_list",
                "ERROR gtin gtin.checksum",
                "WARNING hs_code hs.format",
                "WARNING list_price acme.item.free",
                "ERROR packaging[0].base_units quantity.range",
                "ERROR packaging[0].gtin gtin.length",
                "ERROR reorder_level quantity.range",
            ]
        );
        let supplier = Supplier { id: "V-9".into(), name: "Acme".into(), incoterm: "DDU".into(), ..Supplier::default() };
        let found = validate(&mut client, INDUSTRIAL, Record::Supplier(supplier)).await;
        assert_eq!(
            lines(&found),
            [
                "ERROR addresses acme.supplier.address",
                "WARNING bank_accounts acme.supplier.bank_account",
                "WARNING currency_code acme.supplier.currency",
                "ERROR incoterm incoterm.code_list",
            ]
        );
    }

    async fn a_batch_judges_each_record_by_itself(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut bad = item();
        bad.gtin = "1".into();
        let mut records = vec![input(Record::Item(item())), input(Record::Item(bad)), input(Record::Customer(customer()))];
        records.extend((0..497).map(|_| input(Record::Item(item()))));
        let answer = client
            .batch_validate_records(BatchValidateRecordsRequest { scope: MEDICAL.into(), records, correlation_id: "SO-4711".into(), ..Default::default() })
            .await
            .unwrap()
            .into_inner();
        let valid: Vec<_> = answer.validations.iter().map(|v| v.valid).collect();
        assert_eq!((valid.len(), valid.iter().filter(|v| !**v).count(), valid[1]), (500, 1, false));
        assert_eq!(answer.validations[2].entity, "customer");
        let names: std::collections::BTreeSet<_> = answer.validations.iter().map(|v| &v.name).collect();
        assert_eq!(names.len(), 500);
    }

    async fn a_validation_is_stored_recorded_and_told_of(backend: Backend) {
        let harness = start(backend).await;
        let mut subscription = harness.bus.subscribe("test");
        let mut client = steward(&harness);
        let mut bad = item();
        bad.gtin = "4006381333932".into();
        let good = validate(&mut client, MEDICAL, Record::Item(item())).await;
        let mut asked = request(MEDICAL, Record::Item(bad));
        asked.correlation_id = "SO-4711".into();
        let found = client.validate_record(asked).await.unwrap().into_inner();
        let read = client.get_validation(GetValidationRequest { name: found.name.clone() }).await.unwrap().into_inner();
        assert_eq!(read, found);

        let log = harness.log.clone();
        eventually(Duration::from_secs(20), || async {
            log.records().iter().any(|r| r.resource == found.name)
        })
        .await;
        let records = log.records();
        let of = |name: &str| records.iter().find(|r| r.resource == name).unwrap();
        let record = of(&found.name);
        assert_eq!(record.r#type, "bylaw.masterdata.record.validated.v1");
        assert_eq!((record.scope.as_str(), record.correlation_id.as_str()), (MEDICAL, "SO-4711"));
        assert_eq!(record.actor.as_ref().unwrap().subject, "data-steward");
        let payload: serde_json::Value = serde_json::from_slice(&record.payload).unwrap();
        assert_eq!(payload["valid"], false);
        assert_eq!(payload["violations"][0]["rule"], "gtin.checksum");
        assert_eq!(of(&good.name).correlation_id, "item/I-2044");

        let event = loop {
            let deliveries = tokio::time::timeout(Duration::from_secs(20), subscription.next()).await.unwrap().unwrap();
            if let Some(delivery) = deliveries.first() {
                break delivery.event.clone().unwrap();
            }
        };
        assert_eq!(event.r#type, "bylaw.masterdata.record.invalid.v1");
        assert_eq!((event.subject.as_str(), event.correlation_id.as_str()), ("item/I-2044", "SO-4711"));
        let data = event.json().unwrap();
        assert_eq!(data["validation"], found.name.as_str());
        assert_eq!(data["violations"][0], serde_json::json!({"field": "gtin", "rule": "gtin.checksum", "kind": "CHECKSUM", "severity": "ERROR"}));
    }

    async fn a_record_without_an_id_is_the_same_however_often_it_is_validated(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut about = async |scope: &str, record: Record| {
            let validation = client.validate_record(request(scope, record)).await.unwrap().into_inner();
            assert!(!validation.valid, "{validation:?}");
            let recorded = || harness.log.records().into_iter().find(|r| r.resource == validation.name);
            eventually(Duration::from_secs(20), || async { recorded().is_some() }).await;
            recorded().unwrap().correlation_id
        };
        let nameless = |gtin: &str| Record::Item(Item { id: String::new(), gtin: gtin.into(), ..item() });
        let mapped = |payload: &str| Record::Source(source("erp-item", payload));
        let first = about(MEDICAL, nameless("1")).await;
        assert!(first.starts_with("records/"), "{first}");
        assert_eq!(about(MEDICAL, nameless("1")).await, first);
        // Another content, another unit and another source are another record.
        let mut others = vec![first];
        for (scope, record) in [
            (MEDICAL, nameless("2")),
            (INDUSTRIAL, nameless("1")),
            (MEDICAL, Record::Item(Item::default())),
            (MEDICAL, Record::Customer(Customer::default())),
            (MEDICAL, mapped("{}")),
        ] {
            let other = about(scope, record).await;
            assert!(!others.contains(&other), "{other} of {others:?}");
            others.push(other);
        }
        // How a payload is written makes no difference.
        assert_eq!(about(MEDICAL, mapped(" { } ")).await, others[5]);
    }
}
