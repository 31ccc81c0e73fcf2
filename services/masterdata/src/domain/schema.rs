//! The canonical model: the fields of each entity, as `bylaw.masterdata.v1` has them, with
//! what every value of a field must look like.

use std::{fmt, str::FromStr};

use super::path::{Path, Step};

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// Somebody the company sells to.
    Customer,
    /// Something it sells.
    Item,
    /// Somebody it buys from.
    Supplier,
}

/// A text that names no entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found `{0}`, expected customer, item or supplier")]
pub struct UnknownEntity(String);

impl Entity {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Item => "item",
            Self::Supplier => "supplier",
        }
    }

    /// The fields of its record.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Customer => CUSTOMER,
            Self::Item => ITEM,
            Self::Supplier => SUPPLIER,
        }
    }

    /// The field at a path; indices stand behind lists and nowhere else.
    #[must_use]
    pub fn field_at(self, path: &Path) -> Option<&'static Field> {
        let mut fields = self.fields();
        let mut found = None;
        let mut steps = path.steps().iter().peekable();
        while let Some(step) = steps.next() {
            let Step::Field(name) = step else { return None };
            let field = fields.iter().find(|field| field.name == name)?;
            let indexed = matches!(steps.peek(), Some(Step::Index(_)));
            match field.ty {
                Type::List(below) => {
                    if indexed {
                        steps.next();
                    }
                    if !indexed && steps.peek().is_some() {
                        return None;
                    }
                    fields = below;
                }
                Type::Texts(_) if indexed => {
                    steps.next();
                    fields = &[];
                }
                _ if indexed => return None,
                _ => fields = &[],
            }
            found = Some(field);
        }
        found
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Entity {
    type Err = UnknownEntity;

    fn from_str(text: &str) -> Result<Self, UnknownEntity> {
        [Self::Customer, Self::Item, Self::Supplier]
            .into_iter()
            .find(|entity| entity.name() == text)
            .ok_or_else(|| UnknownEntity(text.chars().take(40).collect()))
    }
}

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Name, as in the contract.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// Whether its values may be personal: messages never quote them.
    pub personal: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// A text of this many characters at most.
    Text(Form, usize),
    /// Texts in order.
    Texts(usize),
    /// A flag; absent is unknown.
    Boolean,
    /// An exact number.
    Number,
    /// An exact amount with its currency.
    Money,
    /// Elements with fields of their own.
    List(&'static [Field]),
}

/// What a text must look like; [`super::checks`] knows how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Anything printable.
    Free,
    /// A trade item number.
    Gtin,
    /// A unit of Recommendation 20.
    Unit,
    /// An alpha-2 country code.
    Country,
    /// A currency code.
    Currency,
    /// An ISO 639-1 language code.
    Language,
    /// An Incoterms 2020 rule.
    Incoterm,
    /// A Harmonized System code.
    HsCode,
    /// A postal code of the address's country.
    PostalCode,
    /// The purpose of an address.
    AddressKind,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A scheme of tax identifiers.
    TaxScheme,
    /// A tax identifier of the element's scheme.
    TaxValue,
    /// An identifier of the element's scheme.
    IdentifierValue,
    /// A class of the element's scheme.
    ClassCode,
    /// An account number.
    Iban,
    /// A bank's code.
    Bic,
    /// An ISO 8601 date.
    Date,
}

const fn field(name: &'static str, ty: Type) -> Field {
    Field {
        name,
        ty,
        personal: false,
    }
}

const fn personal(name: &'static str, ty: Type) -> Field {
    Field {
        name,
        ty,
        personal: true,
    }
}

const fn text(name: &'static str, max: usize) -> Field {
    field(name, Type::Text(Form::Free, max))
}

const fn coded(name: &'static str, form: Form) -> Field {
    field(name, Type::Text(form, 64))
}

const NAME: Field = personal("name", Type::Text(Form::Free, 256));
const ADDRESSES: Field = field("addresses", Type::List(ADDRESS));
const CONTACTS: Field = field("contacts", Type::List(CONTACT));
const TAX_IDENTIFIERS: Field = field("tax_identifiers", Type::List(TAX_IDENTIFIER));
const IDENTIFIERS: Field = field("identifiers", Type::List(IDENTIFIER));
const BANK_ACCOUNTS: Field = field("bank_accounts", Type::List(BANK_ACCOUNT));
const CLASSIFICATIONS: Field = field("classifications", Type::List(CLASSIFICATION));

/// Customers.
const CUSTOMER: &[Field] = &[
    text("id", 64),
    NAME,
    ADDRESSES,
    CONTACTS,
    TAX_IDENTIFIERS,
    IDENTIFIERS,
    BANK_ACCOUNTS,
    coded("currency_code", Form::Currency),
    field("credit_limit", Type::Money),
    text("payment_terms", 32),
    field("licences", Type::List(LICENCE)),
    CLASSIFICATIONS,
    coded("language_code", Form::Language),
];

/// Items.
const ITEM: &[Field] = &[
    text("id", 64),
    text("name", 256),
    coded("gtin", Form::Gtin),
    coded("base_unit", Form::Unit),
    field("packaging", Type::List(PACKAGING)),
    field("list_price", Type::Money),
    field("regulated", Type::Boolean),
    field("lot_tracked", Type::Boolean),
    text("licence_number", 64),
    coded("origin_country", Form::Country),
    coded("hs_code", Form::HsCode),
    field("export_controlled", Type::Boolean),
    text("supplier_id", 64),
    field("reorder_level", Type::Number),
    CLASSIFICATIONS,
    field("discontinued", Type::Boolean),
    text("pack_description", 128),
];

/// Suppliers.
const SUPPLIER: &[Field] = &[
    text("id", 64),
    NAME,
    ADDRESSES,
    CONTACTS,
    TAX_IDENTIFIERS,
    IDENTIFIERS,
    BANK_ACCOUNTS,
    coded("currency_code", Form::Currency),
    coded("incoterm", Form::Incoterm),
    CLASSIFICATIONS,
];

const ADDRESS: &[Field] = &[
    coded("kind", Form::AddressKind),
    personal("lines", Type::Texts(256)),
    text("city", 128),
    text("region", 128),
    field("postal_code", Type::Text(Form::PostalCode, 32)),
    coded("country_code", Form::Country),
];

const CONTACT: &[Field] = &[
    personal("name", Type::Text(Form::Free, 256)),
    text("title", 128),
    personal("phone", Type::Text(Form::Phone, 64)),
    personal("email", Type::Text(Form::Email, 254)),
];

const TAX_IDENTIFIER: &[Field] = &[
    coded("scheme", Form::TaxScheme),
    coded("value", Form::TaxValue),
];

const IDENTIFIER: &[Field] = &[text("scheme", 32), coded("value", Form::IdentifierValue)];

const BANK_ACCOUNT: &[Field] = &[
    personal("iban", Type::Text(Form::Iban, 64)),
    coded("bic", Form::Bic),
];

const LICENCE: &[Field] = &[
    text("kind", 64),
    text("number", 64),
    coded("valid_until", Form::Date),
];

const CLASSIFICATION: &[Field] = &[text("scheme", 32), coded("code", Form::ClassCode)];

const PACKAGING: &[Field] = &[
    coded("unit", Form::Unit),
    field("base_units", Type::Number),
    coded("gtin", Form::Gtin),
];
