//! Item definitions: those of the model, and those made of types without a name.

use std::collections::BTreeSet;

use super::xml::Xml;
use crate::{
    model::{Declaration, Form, Model},
    sfeel::Test,
    types::Type,
};

/// The definitions that were made so far.
#[derive(Default)]
pub(super) struct Items {
    made: Vec<(String, Declaration)>,
    taken: BTreeSet<String>,
}

/// What a built-in type is called, and what the project says of it beyond DMN.
struct BuiltIn {
    name: &'static str,
    extensions: Vec<(&'static str, String)>,
}

impl Items {
    pub(super) fn new(model: &Model) -> Self {
        Self {
            made: Vec::new(),
            taken: model.types.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// What refers to a type; `None` where nothing is declared.
    pub(super) fn reference(&mut self, declared: &Declaration, called: &str) -> Option<String> {
        if declared.is_any() {
            return None;
        }
        if declared.allowed == Test::Any {
            match &declared.form {
                Form::Named(name) => return Some(name.clone()),
                Form::Basic => {
                    let built_in = built_in(&declared.ty);
                    if let Some(built_in) = built_in.filter(|found| found.extensions.is_empty())
                        && !self.taken.contains(built_in.name)
                    {
                        return Some(built_in.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Some(self.make(declared, called))
    }

    /// What refers to a type of a column.
    pub(super) fn reference_of(&mut self, ty: &Type, called: &str) -> Option<String> {
        self.reference(&spelled(ty), called)
    }

    /// The name of a definition made of a type, after what it was met at.
    fn make(&mut self, declared: &Declaration, called: &str) -> String {
        let known = self.made.iter().find(|(_, made)| made == declared);
        if let Some((name, _)) = known {
            return name.clone();
        }
        let wanted = match &declared.ty {
            Type::Money {
                currency: Some(code),
            } => format!("money_{code}"),
            Type::Money { .. } => "money_any".to_owned(),
            Type::Quantity { unit } | Type::Number { unit: Some(unit) } => {
                format!("number_{}", super::names::slug(unit))
            }
            _ => format!("t_{}", super::names::slug(called)),
        };
        let mut name = wanted.clone();
        let mut count = 1;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}_{count}");
        }
        self.made.push((name.clone(), declared.clone()));
        name
    }

    /// A type by the name of a definition made of it.
    fn named(&mut self, declared: &Declaration, called: &str) -> Declaration {
        let name = self.make(declared, called);
        Declaration {
            form: Form::Named(name),
            ..Declaration::basic(declared.ty.clone())
        }
    }

    /// Writes all definitions. What they need of others is made on the way.
    pub(super) fn write(&mut self, xml: &mut Xml, model: &Model) {
        for (name, declared) in &model.types {
            self.definition(xml, "itemDefinition", name, declared, false);
        }
        let mut next = 0;
        while let Some((name, declared)) = self.made.get(next).cloned() {
            self.definition(xml, "itemDefinition", &name, &declared, true);
            next += 1;
        }
    }

    fn definition(
        &mut self,
        xml: &mut Xml,
        element: &str,
        name: &str,
        declared: &Declaration,
        inline: bool,
    ) {
        let mut attributes = vec![("name", name.to_owned())];
        if inline {
            attributes.push(("bylaw:inline", "true".to_owned()));
        }
        // A collection's own restriction isn't one of its items: it stands around it.
        let restricted = declared.allowed != Test::Any;
        let made;
        let of = match &declared.form {
            Form::List(of) if !restricted => {
                attributes.push(("isCollection", "true".to_owned()));
                if can_repeat(of) {
                    of.as_ref()
                } else {
                    made = self.named(of, name);
                    &made
                }
            }
            _ => declared,
        };
        let content = self.content(of, name);
        if let Content::Reference(_, extensions) = &content {
            let extensions = extensions.iter();
            attributes.extend(extensions.map(|(key, value)| (*key, value.clone())));
        }
        let borrowed: Vec<_> = attributes.iter().map(|(k, v)| (*k, v.as_str())).collect();
        xml.open(element, &borrowed);
        xml.texts("description", declared.description.as_deref());
        match content {
            Content::Reference(ty, _) => xml.text("typeRef", &ty),
            Content::Components => {}
        }
        if of.allowed != Test::Any {
            xml.expression("allowedValues", &[], &format!("{:#}", of.allowed));
        }
        if let (Form::Structure(components), false) = (&of.form, restricted) {
            for (name, component) in components {
                self.definition(xml, "itemComponent", name, component, false);
            }
        }
        xml.close(element);
    }

    /// What a definition says its type with.
    fn content(&mut self, declared: &Declaration, called: &str) -> Content {
        let bare = Declaration {
            allowed: Test::Any,
            description: None,
            ..declared.clone()
        };
        match &declared.form {
            Form::Structure(_) if declared.allowed == Test::Any => Content::Components,
            Form::Structure(_) => Content::Reference(self.make(&bare, called), Vec::new()),
            Form::List(_) => Content::Reference(self.make(&bare, called), Vec::new()),
            Form::Named(name) => Content::Reference(name.clone(), Vec::new()),
            Form::Basic => match built_in(&declared.ty) {
                Some(found) => Content::Reference(found.name.to_owned(), found.extensions),
                None => Content::Reference(self.make(&spelled(&declared.ty), called), Vec::new()),
            },
        }
    }
}

enum Content {
    Reference(String, Vec<(&'static str, String)>),
    Components,
}

/// Whether a collection can say its items' type itself, and needn't say more of them.
fn can_repeat(of: &Declaration) -> bool {
    match &of.form {
        _ if of.description.is_some() => false,
        Form::List(_) => false,
        Form::Structure(_) => of.allowed == Test::Any,
        Form::Basic | Form::Named(_) => true,
    }
}

/// A type of a column as a declaration.
fn spelled(ty: &Type) -> Declaration {
    let form = match ty {
        Type::List(of) => Form::List(Box::new(spelled(of))),
        Type::Structure(fields) => {
            let fields = fields.iter();
            Form::Structure(
                fields
                    .map(|(name, ty)| (name.clone(), spelled(ty)))
                    .collect(),
            )
        }
        _ => Form::Basic,
    };
    Declaration {
        form,
        ..Declaration::basic(ty.clone())
    }
}

/// The type of DMN that values of a type have; `None` for one that is made of others.
fn built_in(ty: &Type) -> Option<BuiltIn> {
    let plain = |name| {
        Some(BuiltIn {
            name,
            extensions: Vec::new(),
        })
    };
    let with = |name, ty: &str, more: Option<(&'static str, &String)>| {
        let mut extensions = vec![("bylaw:type", ty.to_owned())];
        extensions.extend(more.map(|(key, value)| (key, value.clone())));
        Some(BuiltIn { name, extensions })
    };
    match ty {
        Type::Any => plain("Any"),
        Type::Boolean => plain("boolean"),
        Type::String { .. } => plain("string"),
        Type::Number { unit: None } => plain("number"),
        Type::Number { unit: Some(unit) } => with("number", "number", Some(("bylaw:unit", unit))),
        Type::Money { currency } => {
            let currency = currency.as_ref().map(|code| ("bylaw:currency", code));
            with("number", "money", currency)
        }
        Type::Quantity { unit } => with("number", "quantity", Some(("bylaw:unit", unit))),
        Type::Date => plain("date"),
        Type::Time => plain("time"),
        Type::AnyDateTime => plain("date and time"),
        Type::DateTime => with("date and time", "date and time", None),
        Type::DaysDuration => plain("days and time duration"),
        Type::MonthsDuration => plain("years and months duration"),
        Type::Context => plain("context"),
        Type::List(_) | Type::Structure(_) => None,
    }
}
