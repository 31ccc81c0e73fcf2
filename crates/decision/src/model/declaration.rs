//! What inputs, parameters and results declare: types by name, structures, allowed values.

use std::collections::BTreeMap;

use crate::{
    diagnostic::Diagnostic,
    limits,
    sfeel::{self, Names, Test},
    table::Language,
    types::{Type, is_built_in, take_values},
    value::Value,
    yaml::{Fields, Kind, Node, Style},
};

/// A declared type, as written and as it resolves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    pub(crate) form: Form,
    pub(crate) ty: Type,
    pub(crate) allowed: Test,
    pub(crate) description: Option<String>,
}

/// How a type was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// By what it is.
    Basic,
    /// By the name of a definition.
    Named(String),
    /// A list of another one.
    List(Box<Declaration>),
    /// Named components, in the order of the file.
    Structure(Vec<(String, Declaration)>),
}

/// Most parts that one type resolves to: definitions that use each other twice grow fast.
const TYPE_PARTS: usize = 10_000;

impl Declaration {
    /// Any value.
    pub(crate) fn any() -> Self {
        Self::basic(Type::Any)
    }

    /// A type without restrictions.
    pub(crate) fn basic(ty: Type) -> Self {
        Self {
            form: Form::Basic,
            ty,
            allowed: Test::Any,
            description: None,
        }
    }

    /// The type that values have.
    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// How the type was written.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The values that are allowed.
    #[must_use]
    pub fn allowed(&self) -> &Test {
        &self.allowed
    }

    /// Whether nothing is declared.
    pub(crate) fn is_any(&self) -> bool {
        self.form == Form::Basic && self.ty == Type::Any && self.allowed == Test::Any
    }
}

/// The named types of a model, resolved on first use.
#[derive(Debug, Default)]
pub(crate) struct Definitions<'n> {
    drafts: BTreeMap<&'n str, &'n Node>,
    done: BTreeMap<String, Option<Declaration>>,
    /// Those being resolved, outermost first.
    open: Vec<String>,
    /// How many parts all that were declared so far resolve to.
    parts: usize,
}

impl<'n> Definitions<'n> {
    /// Reads all types of a model, in the order of the file.
    pub(crate) fn read(
        node: Option<&'n Node>,
        problems: &mut Vec<Diagnostic>,
    ) -> (Self, Vec<(String, Declaration)>) {
        let mut definitions = Self::default();
        let entries = node.map_or(&[][..], |node| super::file::entries(node, problems));
        for (key, value) in entries {
            let name = key.as_str().unwrap_or_default();
            if is_built_in(name) {
                problems.push(key.problem(format!("`{name}` is a type of its own already")));
            } else if super::file::check_name(key, problems) {
                definitions.drafts.insert(name, value);
            }
        }
        let mut found = Vec::new();
        for (key, _) in entries {
            let name = key.as_str().unwrap_or_default();
            if let Some(declared) = definitions.resolve(name, key, problems) {
                found.push((name.to_owned(), declared));
            }
        }
        (definitions, found)
    }

    fn resolve(
        &mut self,
        name: &str,
        place: &Node,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        let draft = self.drafts.get(name).copied()?;
        let ring = self.open.iter().any(|open| open == name);
        if ring || self.open.len() > limits::VALUE_DEPTH {
            let what = if ring { "in a ring" } else { "too deeply" };
            let chain = [self.open.join(" -> ").as_str(), name].join(" -> ");
            problems.push(place.problem(format!("types refer to each other {what}: {chain}")));
            return None;
        }
        self.open.push(name.to_owned());
        let declared = self.whole(draft, problems);
        self.open.pop();
        self.done.insert(name.to_owned(), declared.clone());
        declared
    }

    /// A node that declares a type and nothing else: a mapping, or the name of a type.
    pub(crate) fn whole(
        &mut self,
        node: &Node,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        if node.as_str().is_some() && !node.is_null() {
            let declared = self.by_name(node, problems)?;
            return self.counted(declared, node, problems);
        }
        let mut fields = Fields::new(node)
            .map_err(|problem| problems.push(problem))
            .ok()?;
        let description = fields.note("description", problems);
        let declared = self.take(&mut fields, problems);
        fields.finish(problems);
        Some(Declaration {
            description,
            ..declared?
        })
    }

    /// A type that needs nothing but its name.
    fn by_name(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Declaration> {
        let name = node.as_str().unwrap_or_default();
        if self.knows(name) {
            // Each use is a copy.
            if self.parts > limits::ALL_TYPE_PARTS {
                return None;
            }
            let ty = self.resolve(name, node, problems)?.ty;
            return Some(Declaration {
                form: Form::Named(name.to_owned()),
                ..Declaration::basic(ty)
            });
        }
        let key = Node::new(node.mark(), Kind::Scalar("type".to_owned(), Style::Plain));
        let mapping = Node::new(node.mark(), Kind::Mapping(vec![(key, node.clone())]));
        let mut fields = Fields::new(&mapping).ok()?;
        Type::take(&mut fields, problems).map(Declaration::basic)
    }

    fn knows(&self, name: &str) -> bool {
        self.drafts.contains_key(name) || self.done.contains_key(name)
    }

    /// Takes the keys that declare a type out of a mapping: those of [`Self::base`], and
    /// `values` or `allowed`.
    pub(crate) fn take(
        &mut self,
        fields: &mut Fields<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        let mut declared = self.base(fields, problems)?;
        declared.allowed = take_allowed(fields, &declared.ty, problems)?;
        Some(declared)
    }

    /// Takes `type`, `currency`, `unit`, `of` and `components` out of a mapping.
    pub(crate) fn base(
        &mut self,
        fields: &mut Fields<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        let node = fields.node();
        let name = fields.take("type").and_then(Node::as_str);
        let components = fields.take("components");
        let declared = match name {
            None if components.is_none() => Declaration::any(),
            Some(name) if self.knows(name) => self.by_name(node.get("type")?, problems)?,
            Some("list") => self.list(fields, problems)?,
            None | Some("context") => self.structure(components, problems)?,
            Some("string") => Declaration::basic(Type::string()),
            Some(_) => Declaration::basic(Type::take(fields, problems)?),
        };
        if let (Some(node), false) = (components, matches!(declared.form, Form::Structure(_))) {
            problems.push(node.problem("only a context has components"));
        }
        self.counted(declared, node, problems)
    }

    /// A declaration, if its type and all before it don't grow beyond what is allowed.
    fn counted(
        &mut self,
        declared: Declaration,
        node: &Node,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        let count = parts(&declared.ty);
        self.parts = self.parts.saturating_add(count);
        let message = if count > TYPE_PARTS {
            format!("type has more than {TYPE_PARTS} parts")
        } else if self.parts > limits::ALL_TYPE_PARTS {
            format!("types have more than {} parts", limits::ALL_TYPE_PARTS)
        } else {
            return Some(declared);
        };
        problems.push(node.problem(message));
        None
    }

    fn list(
        &mut self,
        fields: &mut Fields<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        let of = match fields.take("of") {
            Some(of) => self.whole(of, problems)?,
            None => Declaration::any(),
        };
        let ty = Type::List(Box::new(of.ty.clone()));
        Some(Declaration {
            form: Form::List(Box::new(of)),
            ..Declaration::basic(ty)
        })
    }

    fn structure(
        &mut self,
        components: Option<&Node>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Declaration> {
        let Some(components) = components else {
            return Some(Declaration::basic(Type::Context));
        };
        let mut found = Vec::new();
        let mut types = BTreeMap::new();
        let entries = super::file::entries(components, problems);
        if entries.len() > TYPE_PARTS {
            let message = format!("type has more than {TYPE_PARTS} parts");
            problems.push(components.problem(message));
            return None;
        }
        for (key, value) in entries {
            if !super::file::check_name(key, problems) {
                continue;
            }
            let name = key.as_str().unwrap_or_default().to_owned();
            let declared = self.whole(value, problems)?;
            types.insert(name.clone(), declared.ty.clone());
            found.push((name, declared));
        }
        Some(Declaration {
            form: Form::Structure(found),
            ..Declaration::basic(Type::Structure(types))
        })
    }

    /// What the definition behind a declaration allows.
    pub(crate) fn allowed<'d>(&'d self, declared: &'d Declaration) -> &'d Test {
        match &declared.form {
            Form::Named(name) if declared.allowed == Test::Any => {
                let definition = self.done.get(name).and_then(Option::as_ref);
                definition.map_or(&declared.allowed, |definition| self.allowed(definition))
            }
            _ => &declared.allowed,
        }
    }
}

fn parts(ty: &Type) -> usize {
    match ty {
        Type::List(of) => 1 + parts(of),
        Type::Structure(fields) => 1 + fields.values().map(parts).sum::<usize>(),
        _ => 1,
    }
}

/// The test under `allowed`, or one of the texts under `values`.
fn take_allowed(
    fields: &mut Fields<'_>,
    ty: &Type,
    problems: &mut Vec<Diagnostic>,
) -> Option<Test> {
    let node = match (fields.take("allowed"), fields.take("values")) {
        (Some(node), Some(_)) => {
            problems.push(node.problem("found both `allowed` and `values`, expected one of them"));
            return None;
        }
        (None, None) => return Some(Test::Any),
        (Some(node), None) => node.clone(),
        (None, Some(_)) => {
            let place = fields.node();
            let texts = take_values(fields, problems);
            let texts: Vec<String> = texts
                .into_iter()
                .map(|text| crate::json::write(&Value::String(text)))
                .collect();
            Node::new(place.mark(), Kind::Scalar(texts.join(", "), Style::Block))
        }
    };
    let types = BTreeMap::new();
    let language = Language::new(&types, Names::default());
    let test = language.test(&node, ty);
    test.map_err(|problem| problems.push(problem)).ok()
}

impl Declaration {
    /// A value that comes from outside, as the type has it: ISO texts become dates.
    ///
    /// # Errors
    /// With what doesn't fit.
    pub(crate) fn admit(
        &self,
        value: Value,
        named: &BTreeMap<String, Declaration>,
    ) -> Result<Value, String> {
        let value = self.ty.coerce(value).map_err(|mismatch| mismatch.message)?;
        self.check(&value, named)?;
        Ok(value)
    }

    /// A value that an expression gave, as the type has it (DMN 1.5, 10.3.2.9.4): a single
    /// value stands for a list of it, and a list of one for its item.
    ///
    /// # Errors
    /// With what doesn't fit.
    pub(crate) fn conform(
        &self,
        value: Value,
        named: &BTreeMap<String, Declaration>,
    ) -> Result<Value, String> {
        let value = match (&self.ty, value) {
            (_, Value::Null) => return Ok(Value::Null),
            (Type::Any | Type::List(_), value @ Value::List(_)) => value,
            (Type::List(_), value) => Value::List(vec![value]),
            (_, Value::List(mut items)) if items.len() == 1 => items.remove(0),
            (_, value) => value,
        };
        // A text is never taken for a date here.
        if !text_fits(&self.ty, &value) {
            return Err(format!("found string `{value}`, expected {}", self.ty));
        }
        self.admit(value, named)
    }

    fn check(&self, value: &Value, named: &BTreeMap<String, Declaration>) -> Result<(), String> {
        if *value == Value::Null {
            return Ok(());
        }
        match (&self.form, value) {
            (Form::Named(name), value) => {
                if let Some(definition) = named.get(name) {
                    definition.check(value, named)?;
                }
            }
            (Form::List(of), Value::List(items)) => {
                for item in items {
                    of.check(item, named)?;
                }
            }
            (Form::Structure(components), Value::Context(entries)) => {
                for (name, component) in components {
                    if let Some(entry) = entries.get(name) {
                        component
                            .check(entry, named)
                            .map_err(|message| format!("{name}: {message}"))?;
                    }
                }
            }
            _ => {}
        }
        let facts = crate::value::Facts::new();
        let scope = sfeel::Scope::untyped(&facts);
        match sfeel::meets(&self.allowed, value, &scope) {
            Ok(sfeel::Met::Yes) => Ok(()),
            _ => Err(format!("found `{value}`, allowed are {}", self.allowed)),
        }
    }
}

/// Whether every text in a value stands where a type has texts.
fn text_fits(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Any | Type::Context | Type::String { .. }, _) => true,
        (Type::Structure(fields), Value::Context(entries)) => fields
            .iter()
            .all(|(name, ty)| entries.get(name).is_none_or(|entry| text_fits(ty, entry))),
        (Type::List(of), Value::List(items)) => items.iter().all(|item| text_fits(of, item)),
        (_, value) => !matches!(value, Value::String(_)),
    }
}
