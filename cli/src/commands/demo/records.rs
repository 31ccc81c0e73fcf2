//! The master data of the story's order.

use contracts::{
    masterdata::{Address, Contact, Customer, Item, Licence, TaxIdentifier},
    types::{Decimal, Money},
};

/// The customer of the order.
pub fn customer() -> Customer {
    Customer {
        id: "C-1017".to_owned(),
        name: "Clinique du Lac SA".to_owned(),
        addresses: vec![Address {
            kind: "BILLING".to_owned(),
            lines: vec!["12 quai des Bateliers".to_owned()],
            city: "Strasbourg".to_owned(),
            postal_code: "67000".to_owned(),
            country_code: "FR".to_owned(),
            ..Address::default()
        }],
        contacts: vec![Contact {
            name: "Purchasing".to_owned(),
            phone: "+33388000000".to_owned(),
            email: "purchasing@clinique.example".to_owned(),
            ..Contact::default()
        }],
        tax_identifiers: vec![TaxIdentifier {
            scheme: "EU_VAT".to_owned(),
            value: "FR40303265045".to_owned(),
        }],
        currency_code: "EUR".to_owned(),
        credit_limit: money("15000.00"),
        payment_terms: "N30".to_owned(),
        licences: vec![Licence {
            kind: "REGULATED_GOODS".to_owned(),
            number: "FR-PH-2291".to_owned(),
            valid_until: "2099-12-31".to_owned(),
        }],
        language_code: "fr".to_owned(),
        ..Customer::default()
    }
}

/// What is ordered.
pub fn item() -> Item {
    Item {
        id: "I-2044".to_owned(),
        name: "Infusion set, sterile".to_owned(),
        gtin: "4006381333931".to_owned(),
        base_unit: "EA".to_owned(),
        list_price: money("461.25"),
        regulated: Some(true),
        lot_tracked: Some(true),
        licence_number: "MD-0478".to_owned(),
        origin_country: "DE".to_owned(),
        hs_code: "901839".to_owned(),
        export_controlled: Some(false),
        discontinued: Some(false),
        ..Item::default()
    }
}

fn money(amount: &str) -> Option<Money> {
    Some(Money {
        amount: Some(Decimal {
            value: amount.to_owned(),
        }),
        currency_code: "EUR".to_owned(),
    })
}
