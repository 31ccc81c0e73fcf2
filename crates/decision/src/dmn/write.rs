//! From a model to DMN 1.5.

mod boxed;
mod items;
mod names;
mod xml;

use items::Items;
use names::Ids;
use xml::Xml;

use super::{EXTENSIONS, TABLE};
use crate::{
    diagnostic::{Diagnostic, Mark, settle},
    model::{Decision, Function, InputData, Model},
    table::Table,
};

/// DMN 1.5.
const NAMESPACE: &str = "https://www.omg.org/spec/DMN/20230324/MODEL/";

/// Writes a model as DMN 1.5: what [`read`](super::read) reads as the same model. Money, and
/// amounts in units, are numbers there, and say what they are in attributes that other tools
/// ignore. There is no diagram; tools draw one.
///
/// # Errors
/// With what DMN can't say.
pub fn write(model: &Model) -> Result<String, Vec<Diagnostic>> {
    write_as(model, None, model.name.is_empty())
}

/// Writes a table that stands by itself: as a model of one decision, which is read as the
/// table again. Facts such as `order.total` are entries of one input `order`.
///
/// # Errors
/// With what DMN can't say.
pub fn write_table(table: &Table) -> Result<String, Vec<Diagnostic>> {
    let model = Model::of_table_grouped(table);
    write_as(&model, Some(TABLE), table.name.is_empty())
}

/// `form` says what it is, where that is no model in the project's own form; `nameless`, that
/// the name isn't its own: DMN asks for one.
fn write_as(model: &Model, form: Option<&str>, nameless: bool) -> Result<String, Vec<Diagnostic>> {
    let mut writer = Writer {
        model,
        xml: Xml::default(),
        items: Items::new(model),
        ids: Ids::new(model),
        problems: Vec::new(),
    };
    // Types without a name come up on the way, and stand before what refers to them.
    let mut body = Writer {
        model,
        xml: Xml::at(1),
        items: std::mem::take(&mut writer.items),
        ids: std::mem::take(&mut writer.ids),
        problems: Vec::new(),
    };
    body.elements();
    let (content, mut items, mut ids) = (body.xml.finish(), body.items, body.ids);
    writer.problems = body.problems;
    let namespace = model
        .namespace
        .clone()
        .unwrap_or_else(|| format!("urn:bylaw:model:{}", names::slug(&model.name)));
    let id = ids.fresh("definitions");
    let mut attributes = vec![
        ("xmlns", NAMESPACE),
        ("xmlns:bylaw", EXTENSIONS),
        ("id", id.as_str()),
        (
            "name",
            if model.name.is_empty() {
                "model"
            } else {
                &model.name
            },
        ),
        ("namespace", namespace.as_str()),
        ("exporter", "Bylaw"),
    ];
    attributes.extend(form.map(|form| ("bylaw:form", form)));
    attributes.extend(nameless.then_some(("bylaw:nameless", "true")));
    attributes.extend(
        model
            .namespace
            .is_none()
            .then_some(("bylaw:unnamed", "true")),
    );
    writer.xml.open("definitions", &attributes);
    writer
        .xml
        .texts("description", model.description.as_deref());
    items.write(&mut writer.xml, model);
    writer.settle("types", Mark::START);
    writer.xml.raw(&content);
    writer.xml.close("definitions");
    if writer.problems.is_empty() {
        Ok(writer.xml.document())
    } else {
        Err(settle(writer.problems))
    }
}

/// A file being written.
struct Writer<'m> {
    model: &'m Model,
    xml: Xml,
    items: Items,
    ids: Ids,
    problems: Vec<Diagnostic>,
}

impl Writer<'_> {
    fn elements(&mut self) {
        for input in &self.model.inputs {
            self.input(input);
            self.settle(&input.name, Mark::START);
        }
        for function in &self.model.functions {
            self.function(function);
            self.settle(&function.name, function.mark);
        }
        for decision in &self.model.decisions {
            self.decision(decision);
            self.settle(&decision.name, decision.mark);
        }
    }

    /// Says what of an element the file can't hold.
    fn settle(&mut self, name: &str, mark: Mark) {
        let lost = self.xml.take_lost();
        let problem = lost.map(|message| Diagnostic::new(mark, message).in_cell(name));
        self.problems.extend(problem);
    }

    fn input(&mut self, input: &InputData) {
        let id = self.ids.of(&input.name);
        let attributes = [("id", id.as_str()), ("name", input.name.as_str())];
        self.xml.open("inputData", &attributes);
        self.xml.texts("description", input.description.as_deref());
        self.variable("variable", &input.name, &input.declared);
        self.xml.close("inputData");
    }

    fn variable(&mut self, element: &str, name: &str, declared: &crate::model::Declaration) {
        // What is said of a value isn't said of its type.
        let described = crate::model::Declaration {
            description: None,
            ..declared.clone()
        };
        let ty = self.items.reference(&described, name);
        let mut attributes = vec![("name", name)];
        attributes.extend(ty.as_deref().map(|ty| ("typeRef", ty)));
        if declared.description.is_none() {
            self.xml.empty(element, &attributes);
            return;
        }
        self.xml.open(element, &attributes);
        self.xml
            .texts("description", declared.description.as_deref());
        self.xml.close(element);
    }

    fn function(&mut self, function: &Function) {
        let id = self.ids.of(&function.name);
        let attributes = [("id", id.as_str()), ("name", function.name.as_str())];
        self.xml.open("businessKnowledgeModel", &attributes);
        self.xml
            .texts("description", function.description.as_deref());
        self.xml
            .empty("variable", &[("name", function.name.as_str())]);
        let ty = self.items.reference(&function.declared, &function.name);
        let ty: Vec<_> = ty.iter().map(|ty| ("typeRef", ty.as_str())).collect();
        self.lambda("encapsulatedLogic", &ty, &function.lambda, &function.name);
        self.requirements(&function.requires);
        self.xml.close("businessKnowledgeModel");
    }

    fn decision(&mut self, decision: &Decision) {
        let id = self.ids.of(&decision.name);
        let attributes = [("id", id.as_str()), ("name", decision.name.as_str())];
        self.xml.open("decision", &attributes);
        self.xml
            .texts("description", decision.description.as_deref());
        self.xml.texts("question", decision.question.as_deref());
        self.xml
            .texts("allowedAnswers", decision.allowed_answers.as_deref());
        self.variable("variable", &decision.name, &decision.declared);
        self.requirements(&decision.requires);
        if let Some(logic) = &decision.logic {
            self.logic(logic, &decision.name);
        }
        self.xml.close("decision");
    }

    /// Requirements of information stand before those of knowledge.
    fn requirements(&mut self, names: &[String]) {
        let kinds = [
            ("informationRequirement", "requiredDecision"),
            ("informationRequirement", "requiredInput"),
            ("knowledgeRequirement", "requiredKnowledge"),
        ];
        for (requirement, target) in kinds {
            for name in names {
                let kind = if self.model.decision(name).is_some() {
                    "requiredDecision"
                } else if self.model.function(name).is_some() {
                    "requiredKnowledge"
                } else {
                    "requiredInput"
                };
                if kind == target {
                    let href = format!("#{}", self.ids.of(name));
                    let id = self.ids.fresh("requirement");
                    self.xml.open(requirement, &[("id", id.as_str())]);
                    self.xml.empty(target, &[("href", href.as_str())]);
                    self.xml.close(requirement);
                }
            }
        }
    }
}
