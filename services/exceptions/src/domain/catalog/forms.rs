//! The documents of the files, and what must hold between them.

use std::collections::BTreeMap;

use decision::{
    Diagnostic, Type,
    yaml::{self, Fields, Node},
};

use governance::files::SCOPE_TREE;

use super::{
    ActionDefinition, Catalog, Problem, Problems, Source,
    event_type::{EventType, Field, Resolves},
    parts::{
        arguments, documents, entries, exception_type, executes, flag, header, hold_source,
        holidays, mapping, name_and_scope, name_of, path, portable, provenance, shifts, ttl,
    },
    scopes,
    tables::{self, Detection, Routing},
};
use crate::domain::{calendar::Calendar, document};

/// Reads every document, then what refers to others.
pub(super) fn compile(sources: &[Source<'_>]) -> Result<Catalog, Problems> {
    let mut compiler = Compiler::default();
    match scopes::read(sources) {
        Ok(tree) => compiler.catalog.scopes = tree,
        Err(mut problems) => compiler.problems.append(&mut problems),
    }
    let documents = compiler.parse(sources);
    for pass in [Compiler::first, Compiler::second, Compiler::third] {
        for (source, node) in &documents {
            let mut problems = Vec::new();
            pass(&mut compiler, source.kind, node, &mut problems);
            compiler.report(source, problems);
        }
    }
    if compiler.problems.is_empty() {
        Ok(compiler.catalog)
    } else {
        let mut problems = compiler.problems;
        problems.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        problems.dedup();
        Err(Problems(problems))
    }
}

#[derive(Default)]
struct Compiler {
    catalog: Catalog,
    /// Types of all fields of events, by the name that tables see.
    fields: BTreeMap<String, Type>,
    problems: Vec<Problem>,
}

impl Compiler {
    fn parse<'s>(&mut self, sources: &'s [Source<'s>]) -> Vec<(&'s Source<'s>, Node)> {
        let mut documents = Vec::new();
        for source in sources {
            if !super::KINDS.contains(&source.kind) || source.kind == SCOPE_TREE {
                continue;
            }
            match yaml::parse(source.text) {
                Ok(nodes) => documents.extend(nodes.into_iter().map(|node| (source, node))),
                Err(problem) => self.report(source, vec![problem]),
            }
        }
        documents
    }

    fn report(&mut self, source: &Source<'_>, problems: Vec<Diagnostic>) {
        self.problems.extend(problems.into_iter().map(|problem| {
            let own = problem.file.is_none();
            let message = match &problem.cell {
                Some(cell) => format!("{cell}: {}", problem.message),
                None => problem.message.clone(),
            };
            Problem {
                path: problem.file.unwrap_or_else(|| source.path.to_owned()),
                line: problem.mark.line + if own { source.line - 1 } else { 0 },
                column: problem.mark.column,
                message,
            }
        }));
    }

    /// What refers to nothing else.
    fn first(&mut self, kind: &str, node: &Node, problems: &mut Vec<Diagnostic>) {
        match kind {
            "Taxonomy" => self.taxonomy(node, problems),
            "Calendar" => self.calendar(node, problems),
            _ => {}
        }
    }

    /// What refers to the taxonomy.
    fn second(&mut self, kind: &str, node: &Node, problems: &mut Vec<Diagnostic>) {
        match kind {
            "ActionDefinition" => self.action(node, problems),
            "EventType" => self.event_type(node, problems),
            _ => {}
        }
    }

    /// What refers to actions, fields and calendars.
    fn third(&mut self, kind: &str, node: &Node, problems: &mut Vec<Diagnostic>) {
        match kind {
            "Detection" => self.detection(node, problems),
            "Routing" => self.routing(node, problems),
            "EventType" => self.check_operations(node, problems),
            _ => {}
        }
    }

    fn taxonomy(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(mut fields) = header(node, problems) else {
            return;
        };
        let types = fields.require("exceptions", problems);
        for (key, value) in types.and_then(Node::as_mapping).unwrap_or_default() {
            let name = key.as_str().unwrap_or_default();
            if !document::is_kind(name) {
                problems.push(key.problem("expected lower-case letters, digits and `_`"));
            } else if let Some(kind) = exception_type(value, problems)
                && self
                    .catalog
                    .taxonomy
                    .insert(name.to_owned(), kind)
                    .is_some()
            {
                problems.push(key.problem(format!("exception type `{name}` is declared twice")));
            }
        }
        fields.finish(problems);
    }

    fn calendar(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(mut fields) = header(node, problems) else {
            return;
        };
        let name = fields.require("name", problems);
        let zone = fields.require("time_zone", problems);
        let shifts = fields
            .require("shifts", problems)
            .map(|node| shifts(node, problems));
        let holidays = fields
            .take("holidays")
            .map(|node| holidays(node, problems))
            .unwrap_or_default();
        fields.finish(problems);
        let (Some(name), Some(zone), Some(shifts)) = (name, zone, shifts) else {
            return;
        };
        let Some(text) = name.text(problems, "a name").map(str::to_owned) else {
            return;
        };
        let zone = zone.text(problems, "a time zone").unwrap_or_default();
        match Calendar::new(zone, shifts, holidays) {
            Ok(calendar) => {
                if self.catalog.calendars.insert(text, calendar).is_some() {
                    problems.push(name.problem("calendar of this name is declared twice"));
                }
            }
            Err(error) => problems.push(node.problem(error.to_string())),
        }
    }

    fn action(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(mut fields) = header(node, problems) else {
            return;
        };
        let operation = name_of(&mut fields, "operation", problems);
        let workflow = name_of(&mut fields, "workflow", problems);
        let audience = name_of(&mut fields, "audience", problems);
        let applies_to = self.exception_types(&mut fields, "applies_to", problems);
        let arguments = fields
            .take("arguments")
            .map(|node| arguments(node, problems))
            .unwrap_or_default();
        let resolves = fields.take("resolves");
        let approval_ttl = ttl(&mut fields, problems);
        fields.finish(problems);
        let resolves = resolves.and_then(|node| {
            let code = node.text(problems, "a resolution code")?.to_owned();
            self.check_resolution(&applies_to, &code, node, problems);
            Some(code)
        });
        if let (Some(operation), Some(workflow), Some(audience)) = (operation, workflow, audience) {
            let action = ActionDefinition {
                operation: operation.clone(),
                workflow,
                audience,
                applies_to,
                arguments,
                resolves,
                approval_ttl,
            };
            if self.catalog.actions.insert(operation, action).is_some() {
                problems.push(node.problem("an action of this operation is declared twice"));
            }
        }
    }

    fn event_type(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(mut fields) = header(node, problems) else {
            return;
        };
        let name = fields.require("type", problems);
        let documents = fields
            .require("document", problems)
            .map(|node| documents(node, problems))
            .unwrap_or_default();
        let line = fields.take("line").and_then(|node| path(node, problems));
        let data = fields
            .take("data")
            .map(|node| self.data(node, problems))
            .unwrap_or_default();
        let hold_source = fields
            .take("hold_source")
            .map(|node| hold_source(node, problems))
            .unwrap_or_default();
        let resolves = fields
            .take("resolves")
            .and_then(|node| self.resolves(node, problems));
        let executes = fields
            .take("executes")
            .and_then(|node| executes(node, problems));
        let provenance = provenance(node, &mut fields, problems);
        fields.finish(problems);
        let Some(text) = name.and_then(|node| node.text(problems, "a type")) else {
            return;
        };
        let event = EventType {
            name: text.to_owned(),
            documents,
            line,
            fields: data,
            hold_source,
            resolves,
            executes,
            provenance,
        };
        if self.catalog.events.insert(text.to_owned(), event).is_some() {
            problems.push(node.problem(format!("event type `{text}` is declared twice")));
        }
    }

    fn data(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Field> {
        let mut found = Vec::new();
        for (key, value) in entries(node, problems) {
            let Some(path) = path(key, problems) else {
                continue;
            };
            let Some(mut fields) = mapping(value, problems) else {
                continue;
            };
            let ty = Type::take(&mut fields, problems);
            let required = flag(&mut fields, "required", problems).unwrap_or(false);
            let kept = flag(&mut fields, "kept", problems).unwrap_or(true);
            let name = fields.text("fact", problems);
            fields.finish(problems);
            let Some(ty) = ty.filter(|ty| portable(ty, value, problems)) else {
                continue;
            };
            let name = name.unwrap_or_else(|| key.as_str().unwrap_or_default().to_owned());
            self.declare(&name, &ty, value, problems);
            found.push(Field {
                path,
                ty,
                required,
                name,
                kept,
            });
        }
        found
    }

    /// One name means one type, whichever event brings it.
    fn declare(&mut self, name: &str, ty: &Type, node: &Node, problems: &mut Vec<Diagnostic>) {
        match self.fields.get(name) {
            Some(other) if other != ty => problems.push(node.problem(format!(
                "`{name}` is declared as {ty} here and as {other} by another event type"
            ))),
            _ => {
                self.fields.insert(name.to_owned(), ty.clone());
            }
        }
    }

    fn resolves(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Resolves> {
        let mut fields = mapping(node, problems)?;
        let exceptions = self.exception_types(&mut fields, "exceptions", problems);
        let code = fields.require("code", problems);
        fields.finish(problems);
        let node = code?;
        let code = node.text(problems, "a resolution code")?.to_owned();
        self.check_resolution(&exceptions, &code, node, problems);
        Some(Resolves { exceptions, code })
    }

    fn exception_types(
        &self,
        fields: &mut Fields<'_>,
        key: &'static str,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<String> {
        let Some(node) = fields.require(key, problems) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in node.items(problems, "a sequence of exception types") {
            let Some(name) = item.text(problems, "an exception type") else {
                continue;
            };
            if self.catalog.taxonomy.contains_key(name) {
                found.push(name.to_owned());
            } else {
                problems.push(item.problem(format!("no exception type `{name}` in the taxonomy")));
            }
        }
        found
    }

    fn check_resolution(
        &self,
        exceptions: &[String],
        code: &str,
        node: &Node,
        problems: &mut Vec<Diagnostic>,
    ) {
        for kind in exceptions {
            let declared = self.catalog.taxonomy.get(kind);
            if declared.is_some_and(|declared| !declared.resolutions.contains_key(code)) {
                problems.push(node.problem(format!("`{kind}` has no resolution code `{code}`")));
            }
        }
    }

    fn check_operations(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let operations = node.get("executes").and_then(|node| node.get("operations"));
        for item in operations.and_then(Node::as_sequence).unwrap_or_default() {
            let name = item.as_str().unwrap_or_default();
            if !self.catalog.actions.contains_key(name) {
                problems.push(item.problem(format!("no action `{name}` in the inventory")));
            }
        }
    }

    fn detection(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(mut fields) = header(node, problems) else {
            return;
        };
        let (name, scope) = name_and_scope(&mut fields, &self.catalog.scopes, problems);
        let taxonomy = self.catalog.taxonomy.keys().cloned().collect::<Vec<_>>();
        let (input, ty) = tables::detection_inputs();
        let outputs = tables::detection_outputs(&taxonomy);
        let table = self.table(&name, &mut fields, (input, ty), outputs, problems);
        fields.finish(problems);
        if let (Some(scope), Some(table)) = (scope, table) {
            let at = self.catalog.detections.entry(scope).or_default();
            at.push(Detection { table });
        }
    }

    fn routing(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(mut fields) = header(node, problems) else {
            return;
        };
        let (name, scope) = name_and_scope(&mut fields, &self.catalog.scopes, problems);
        let calendar = fields.require("calendar", problems).and_then(|node| {
            let name = node.text(problems, "a calendar")?.to_owned();
            if !self.catalog.calendars.contains_key(&name) {
                problems.push(node.problem(format!("no calendar `{name}`")));
            }
            Some(name)
        });
        let taxonomy = self.catalog.taxonomy.keys().cloned().collect::<Vec<_>>();
        let operations = self.catalog.actions.keys().cloned().collect::<Vec<_>>();
        let input = tables::routing_inputs(&taxonomy);
        let outputs = tables::routing_outputs(&operations);
        let table = self.table(&name, &mut fields, input, outputs, problems);
        fields.finish(problems);
        if let (Some(scope), Some(calendar), Some(table)) = (scope, calendar, table) {
            let routing = Routing { calendar, table };
            if self
                .catalog
                .routings
                .insert(scope.clone(), routing)
                .is_some()
            {
                problems.push(node.problem(format!("{scope} has two routing tables")));
            }
        }
    }

    fn table(
        &self,
        name: &str,
        fields: &mut Fields<'_>,
        input: (&str, Type),
        outputs: Vec<(&'static str, Type, bool)>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<decision::Table> {
        let mut facts = self.fields.clone();
        facts.insert(input.0.to_owned(), input.1);
        let outputs = outputs
            .into_iter()
            .map(|(name, ty, required)| decision::OutputColumn {
                name: name.to_owned(),
                ty,
                values: Vec::new(),
                required,
            })
            .collect();
        let schema = decision::Schema {
            facts,
            outputs: Some(outputs),
            open: false,
        };
        // The catalog is kept as one text in the store, so rows stand in the file itself.
        let loader = |file: &str| Err(format!("`{file}`: rows must stand in this file"));
        match decision::Table::from_fields(name, fields, &schema, &loader) {
            Ok(table) => Some(table),
            Err(found) => {
                problems.extend(found);
                None
            }
        }
    }
}
