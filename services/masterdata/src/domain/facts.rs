//! What rules can ask of a record: facts by name, with their types.
//!
//! | name | type | what |
//! |---|---|---|
//! | `gtin` | the field's | the value; unknown where the record has none |
//! | `gtin.present` | boolean | whether the record has a value; always known |
//! | `addresses.count` | number | elements of a list; always known |
//! | `tax_identifiers.EU_VAT.present` | boolean | whether the list has an element of that scheme or kind |
//! | `licences.REGULATED_GOODS.valid_until` | the field's | a field of the first such element |
//! | `addresses.city`, `addresses.city.present` | | of one element, in rules with `each: addresses` |
//! | `addresses.postal_code_expected` | boolean | whether the element's country has postal codes |
//! | `seat.country_code`, `seat.eu` | string, boolean | where the party sits, and whether that is in the EU |
//! | `today` | date | the day of the validation, in UTC |

use std::collections::BTreeMap;

use chrono::NaiveDate;
use decision::{Number, Value};

use super::{
    path::Path,
    record::Record,
    schema::{Entity, Field, Form, Type},
};

/// A fact that a rule asks for.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its type in decision tables.
    pub ty: decision::Type,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Value(&'static str),
    Present(&'static str),
    Count(&'static str),
    ElementValue(&'static str, &'static str),
    ElementPresent(&'static str),
    PostalCodeExpected,
    Keyed(&'static str, String, Option<&'static str>),
    SeatCountry,
    SeatInEu,
    Today,
}

/// One element of a list, for rules that look at each.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    /// Its place in the list.
    pub at: usize,
    /// Its fields.
    pub values: &'a BTreeMap<String, Value>,
}

/// The fact of this name; `each` names the list whose elements a rule looks at.
#[must_use]
pub fn resolve(entity: Entity, each: Option<&str>, name: &str) -> Option<Fact> {
    let fact = |ty, source| Some(Fact { ty, source });
    let boolean = |source| fact(decision::Type::Boolean, source);
    let party = entity != Entity::Item;
    match name {
        "today" => return fact(decision::Type::Date, Source::Today),
        "seat.country_code" if party => return fact(decision::Type::string(), Source::SeatCountry),
        "seat.eu" if party => return boolean(Source::SeatInEu),
        _ => {}
    }
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let field = entity.fields().iter().find(|field| field.name == first)?;
    match field.ty {
        Type::List(below) => list(field.name, below, each, rest),
        _ if rest == "present" => boolean(Source::Present(field.name)),
        _ if rest.is_empty() => fact(scalar(field)?, Source::Value(field.name)),
        _ => None,
    }
}

fn list(
    name: &'static str,
    below: &'static [Field],
    each: Option<&str>,
    rest: &str,
) -> Option<Fact> {
    let fact = |ty, source| Some(Fact { ty, source });
    if rest == "count" {
        return fact(decision::Type::number(), Source::Count(name));
    }
    let (first, last) = rest.split_once('.').unwrap_or((rest, ""));
    let of = |wanted: &str| below.iter().find(|field| field.name == wanted);
    if each == Some(name) {
        if rest == "postal_code_expected" && name == "addresses" {
            return fact(decision::Type::Boolean, Source::PostalCodeExpected);
        }
        if let Some(field) = of(first) {
            return match last {
                "" => fact(scalar(field)?, Source::ElementValue(name, field.name)),
                "present" => fact(decision::Type::Boolean, Source::ElementPresent(field.name)),
                _ => None,
            };
        }
    }
    // keys of lists are upper case, so that no field is mistaken for one
    let keyed = ["scheme", "kind"].into_iter().any(|key| of(key).is_some());
    let is_key = !first.is_empty()
        && first
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !keyed || !is_key {
        return None;
    }
    match last {
        "present" => fact(
            decision::Type::Boolean,
            Source::Keyed(name, first.to_owned(), None),
        ),
        other => {
            let field = of(other)?;
            fact(
                scalar(field)?,
                Source::Keyed(name, first.to_owned(), Some(field.name)),
            )
        }
    }
}

fn scalar(field: &Field) -> Option<decision::Type> {
    Some(match field.ty {
        Type::Text(Form::Date, _) => decision::Type::Date,
        Type::Text(..) => decision::Type::string(),
        Type::Boolean => decision::Type::Boolean,
        Type::Number => decision::Type::number(),
        Type::Money => decision::Type::Money { currency: None },
        Type::Texts(_) | Type::List(_) => return None,
    })
}

impl Fact {
    /// The value in a record; `None` where it isn't known.
    #[must_use]
    pub fn value(
        &self,
        record: &Record,
        element: Option<Element<'_>>,
        today: NaiveDate,
    ) -> Option<Value> {
        let known = |value: Option<&Value>| value.and_then(|v| self.ty.coerce(v.clone()).ok());
        let here = |name: &str| element.and_then(|e| e.values.get(name));
        match &self.source {
            Source::Value(name) => known(record.fields().get(*name)),
            Source::Present(name) => Some(Value::Boolean(record.fields().contains_key(*name))),
            Source::Count(name) => {
                let count = record.elements(name).count();
                count.to_string().parse::<Number>().ok().map(Value::Number)
            }
            Source::ElementValue(_, name) => known(here(name)),
            Source::ElementPresent(name) => Some(Value::Boolean(here(name).is_some())),
            Source::PostalCodeExpected => {
                let country = here("country_code")?.as_str()?;
                Some(Value::Boolean(identifiers::postal::expected(country)))
            }
            Source::Keyed(list, key, field) => {
                let has_key = |element: &&BTreeMap<String, Value>| {
                    ["scheme", "kind"]
                        .into_iter()
                        .any(|name| element.get(name).and_then(Value::as_str) == Some(key))
                };
                let found = record.elements(list).find(has_key);
                match field {
                    None => Some(Value::Boolean(found.is_some())),
                    Some(field) => known(found?.get(*field)),
                }
            }
            Source::SeatCountry => record.seat().map(Value::from),
            Source::SeatInEu => record
                .seat()
                .map(|code| Value::Boolean(identifiers::country::in_eu(code))),
            Source::Today => Some(Value::Date(today)),
        }
    }

    /// Where its value would stand, for the message that it isn't known.
    #[must_use]
    pub fn path(&self, element: Option<Element<'_>>) -> Path {
        match &self.source {
            Source::Value(name) | Source::Present(name) | Source::Count(name) => Path::root(name),
            Source::Keyed(list, ..) => Path::root(list),
            Source::ElementValue(list, name) => match element {
                Some(element) => Path::root(list).index(element.at).field(name),
                None => Path::root(list),
            },
            Source::PostalCodeExpected => match element {
                Some(element) => Path::root("addresses")
                    .index(element.at)
                    .field("country_code"),
                None => Path::root("addresses"),
            },
            Source::ElementPresent(name) => Path::root(name),
            Source::SeatCountry | Source::SeatInEu => Path::root("addresses"),
            Source::Today => Path::default(),
        }
    }
}
