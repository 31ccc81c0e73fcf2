//! Canonical records: contracts to the domain's tree and back.

use contracts::{masterdata as proto, types};
use decision::{Number, Value};
use service_kit::error::{Error, Result};

use crate::domain::{Entity, Path, Record, record::MAX_ELEMENTS};

/// Reads a message's fields into a record.
struct Reader<'a> {
    record: Record,
    field: &'a str,
    problems: Option<Error>,
}

impl<'a> Reader<'a> {
    fn new(entity: Entity, field: &'a str) -> Self {
        Self {
            record: Record::new(entity),
            field,
            problems: None,
        }
    }

    fn refuse(&mut self, path: &Path, problem: impl Into<String>) {
        let field = format!("{}.{path}", self.field);
        let problem = problem.into();
        self.problems = Some(match self.problems.take() {
            None => Error::invalid(field, problem),
            Some(error) => error.with_violation(field, problem),
        });
    }

    /// An empty text is one that isn't given.
    fn text(&mut self, path: Path, text: String) {
        if !text.is_empty() {
            self.record.set(&path, Value::String(text));
        }
    }

    fn flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.record.set(&Path::root(name), Value::Boolean(flag));
        }
    }

    fn number(&mut self, path: &Path, number: Option<types::Decimal>) -> Option<Number> {
        let number = number?;
        match number.value.parse() {
            Ok(number) => Some(number),
            Err(error) => {
                self.refuse(&path.field("value"), format!("{error}"));
                None
            }
        }
    }

    fn decimal(&mut self, path: Path, number: Option<types::Decimal>) {
        if let Some(number) = self.number(&path, number) {
            self.record.set(&path, Value::Number(number));
        }
    }

    fn money(&mut self, name: &str, money: Option<types::Money>) {
        let Some(money) = money else { return };
        let path = Path::root(name);
        if money.amount.is_none() {
            self.refuse(&path.field("amount"), "is missing");
        }
        if money.currency_code.is_empty() {
            self.refuse(&path.field("currency_code"), "is missing");
        }
        if let Some(amount) = self.number(&path.field("amount"), money.amount) {
            let currency = money.currency_code;
            self.record.set(&path, Value::Money { amount, currency });
        }
    }

    /// The elements of a list. One without any value keeps its place.
    fn list<T>(&mut self, name: &str, items: Vec<T>, mut read: impl FnMut(&mut Self, Path, T)) {
        let path = Path::root(name);
        if items.len() > MAX_ELEMENTS {
            let problem = format!(
                "found {} elements, expected at most {MAX_ELEMENTS}",
                items.len()
            );
            return self.refuse(&path, problem);
        }
        for (at, item) in items.into_iter().enumerate() {
            let at = path.index(at);
            self.record
                .set(&at, Value::Context(std::collections::BTreeMap::new()));
            read(self, at, item);
        }
    }

    fn address(&mut self, at: Path, address: proto::Address) {
        self.text(at.field("kind"), address.kind);
        let lines = at.field("lines");
        if address.lines.len() > MAX_ELEMENTS {
            let problem = format!(
                "found {} lines, expected at most {MAX_ELEMENTS}",
                address.lines.len()
            );
            self.refuse(&lines, problem);
        } else if !address.lines.is_empty() {
            let texts = address.lines.into_iter().map(Value::String).collect();
            self.record.set(&lines, Value::List(texts));
        }
        self.text(at.field("city"), address.city);
        self.text(at.field("region"), address.region);
        self.text(at.field("postal_code"), address.postal_code);
        self.text(at.field("country_code"), address.country_code);
    }

    fn contact(&mut self, at: Path, contact: proto::Contact) {
        self.text(at.field("name"), contact.name);
        self.text(at.field("title"), contact.title);
        self.text(at.field("phone"), contact.phone);
        self.text(at.field("email"), contact.email);
    }

    fn pair(&mut self, at: &Path, [(first, a), (second, b)]: [(&str, String); 2]) {
        self.text(at.field(first), a);
        self.text(at.field(second), b);
    }

    fn party(&mut self, party: Party) {
        self.text(Path::root("id"), party.id);
        self.text(Path::root("name"), party.name);
        self.list("addresses", party.addresses, Self::address);
        self.list("contacts", party.contacts, Self::contact);
        self.list(
            "tax_identifiers",
            party.tax_identifiers,
            |reader, at, tax| {
                reader.pair(&at, [("scheme", tax.scheme), ("value", tax.value)]);
            },
        );
        self.list(
            "identifiers",
            party.identifiers,
            |reader, at, identifier| {
                reader.pair(
                    &at,
                    [("scheme", identifier.scheme), ("value", identifier.value)],
                );
            },
        );
        self.list(
            "bank_accounts",
            party.bank_accounts,
            |reader, at, account| {
                reader.pair(&at, [("iban", account.iban), ("bic", account.bic)]);
            },
        );
        self.text(Path::root("currency_code"), party.currency_code);
        self.classifications(party.classifications);
    }

    fn classifications(&mut self, classifications: Vec<proto::Classification>) {
        self.list("classifications", classifications, |reader, at, class| {
            reader.pair(&at, [("scheme", class.scheme), ("code", class.code)]);
        });
    }

    fn finish(self) -> Result<Record> {
        match self.problems {
            None => Ok(self.record),
            Some(error) => Err(error),
        }
    }
}

/// What customers and suppliers have in common.
struct Party {
    id: String,
    name: String,
    addresses: Vec<proto::Address>,
    contacts: Vec<proto::Contact>,
    tax_identifiers: Vec<proto::TaxIdentifier>,
    identifiers: Vec<proto::Identifier>,
    bank_accounts: Vec<proto::BankAccount>,
    currency_code: String,
    classifications: Vec<proto::Classification>,
}

pub(super) fn customer(customer: proto::Customer, field: &str) -> Result<Record> {
    let mut reader = Reader::new(Entity::Customer, field);
    reader.party(Party {
        id: customer.id,
        name: customer.name,
        addresses: customer.addresses,
        contacts: customer.contacts,
        tax_identifiers: customer.tax_identifiers,
        identifiers: customer.identifiers,
        bank_accounts: customer.bank_accounts,
        currency_code: customer.currency_code,
        classifications: customer.classifications,
    });
    reader.money("credit_limit", customer.credit_limit);
    reader.text(Path::root("payment_terms"), customer.payment_terms);
    reader.list("licences", customer.licences, |reader, at, licence| {
        reader.pair(&at, [("kind", licence.kind), ("number", licence.number)]);
        reader.text(at.field("valid_until"), licence.valid_until);
    });
    reader.text(Path::root("language_code"), customer.language_code);
    reader.finish()
}

pub(super) fn supplier(supplier: proto::Supplier, field: &str) -> Result<Record> {
    let mut reader = Reader::new(Entity::Supplier, field);
    reader.party(Party {
        id: supplier.id,
        name: supplier.name,
        addresses: supplier.addresses,
        contacts: supplier.contacts,
        tax_identifiers: supplier.tax_identifiers,
        identifiers: supplier.identifiers,
        bank_accounts: supplier.bank_accounts,
        currency_code: supplier.currency_code,
        classifications: supplier.classifications,
    });
    reader.text(Path::root("incoterm"), supplier.incoterm);
    reader.finish()
}

pub(super) fn item(item: proto::Item, field: &str) -> Result<Record> {
    let mut reader = Reader::new(Entity::Item, field);
    for (name, text) in [
        ("id", item.id),
        ("name", item.name),
        ("gtin", item.gtin),
        ("base_unit", item.base_unit),
        ("licence_number", item.licence_number),
        ("origin_country", item.origin_country),
        ("hs_code", item.hs_code),
        ("supplier_id", item.supplier_id),
        ("pack_description", item.pack_description),
    ] {
        reader.text(Path::root(name), text);
    }
    reader.list("packaging", item.packaging, |reader, at, packaging| {
        reader.pair(&at, [("unit", packaging.unit), ("gtin", packaging.gtin)]);
        reader.decimal(at.field("base_units"), packaging.base_units);
    });
    reader.money("list_price", item.list_price);
    reader.flag("regulated", item.regulated);
    reader.flag("lot_tracked", item.lot_tracked);
    reader.flag("export_controlled", item.export_controlled);
    reader.flag("discontinued", item.discontinued);
    reader.decimal(Path::root("reorder_level"), item.reorder_level);
    reader.classifications(item.classifications);
    reader.finish()
}
