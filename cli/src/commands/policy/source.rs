//! A file that holds a table or a decision model, in any of its forms.

use std::{fs, io::Read as _, path::Path};

use decision::{Diagnostic, Mark, Model, Schema, Table, dmn, limits, yaml};

use super::load::Loaded;
use crate::{
    commands::input,
    failure::Failure,
    output::{self, snippet},
};

/// What a file holds.
pub enum Content {
    /// A table that stands by itself.
    Table(Box<Table>),
    /// A policy's table, which says more than DMN has words for.
    Policy(Box<Table>, Mark),
    /// Decisions that feed each other.
    Model(Box<Model>),
}

/// A file that was read.
pub struct Read {
    /// What it holds.
    pub content: Content,
    /// What was left out of it, with its place.
    notes: Vec<Diagnostic>,
    text: Text,
}

/// A text and where it comes from.
struct Text {
    path: String,
    text: String,
}

impl Read {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// With status 2, if it can't be read; each problem is drawn.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let limit = limits::TEXT_BYTES as u64 + 1;
        let reader = input::open(path)?;
        reader
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("{}: the text is no UTF-8", path.display())))?;
        let text = Text {
            path: path.display().to_string(),
            text,
        };
        let is_xml = text
            .text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('<');
        if !is_xml {
            return Ok(Self {
                content: text.yaml(path)?,
                notes: Vec::new(),
                text,
            });
        }
        let import = dmn::read(&text.text).map_err(|problems| text.unusable(&problems))?;
        Ok(Self {
            content: match import.table {
                Some(table) => Content::Table(Box::new(table)),
                None => Content::Model(Box::new(import.model)),
            },
            notes: import.notes,
            text,
        })
    }

    /// As a model, whatever it is.
    pub fn model(&self) -> Model {
        match &self.content {
            Content::Model(model) => Model::clone(model),
            Content::Table(table) | Content::Policy(table, _) => Model::of_table(table),
        }
    }

    /// Draws problems to standard error, and says how many there are.
    pub fn unusable(&self, problems: &[Diagnostic]) -> Failure {
        self.text.unusable(problems)
    }

    /// Says on standard error what was left out.
    pub fn say_notes(&self) {
        for note in &self.notes {
            eprintln!("note: {}:{}: {}", self.text.path, note.mark, note.message);
        }
    }
}

impl Text {
    fn yaml(&self, path: &Path) -> Result<Content, Failure> {
        let documents = yaml::parse(&self.text).map_err(|problem| self.unusable(&[problem]))?;
        let [document] = documents.as_slice() else {
            let message = format!("found {} documents, expected one", documents.len());
            return Err(Failure::usage(format!("{}: {message}", self.path)));
        };
        let loader = |name: &str| {
            let beside = path.with_file_name(name);
            fs::read_to_string(beside).map_err(|error| error.to_string())
        };
        let kind = document.get("kind").and_then(yaml::Node::as_str);
        if Model::is_model(document) {
            let model = Model::from_node(document, &loader);
            let model = model.map_err(|problems| self.unusable(&problems))?;
            return Ok(Content::Model(Box::new(model)));
        }
        if kind == Some("Policy") {
            let place = document
                .get("workflow")
                .map_or(Mark::START, yaml::Node::mark);
            return Ok(Content::Policy(Box::new(policy(path)?), place));
        }
        let table = Table::from_node(document, &Schema::open(), &loader);
        let table = table.map_err(|problems| self.unusable(&problems))?;
        Ok(Content::Table(Box::new(table)))
    }

    fn unusable(&self, problems: &[Diagnostic]) -> Failure {
        for problem in problems {
            // Problems of another file can't be drawn from this one's text.
            match &problem.file {
                Some(_) => eprintln!("error: {problem}\n"),
                None => eprintln!("{}\n", self.draw(problem)),
            }
        }
        Failure::usage(output::count(problems.len() as u64, "problem"))
    }

    fn draw(&self, problem: &Diagnostic) -> String {
        let message = match &problem.cell {
            Some(cell) => format!("{cell}: {}", problem.message),
            None => problem.message.clone(),
        };
        let (line, column) = (problem.mark.line, problem.mark.column);
        snippet::error(&self.path, &self.text, line, column, &message)
    }
}

/// The table of a policy, whose facts stand in its workflow's file.
fn policy(path: &Path) -> Result<Table, Failure> {
    let loaded = Loaded::open(&[path.to_owned()])?;
    let bundle = loaded
        .bundle()
        .map_err(|problems| loaded.unusable(&problems))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let policy = bundle.policies().get(name.as_ref());
    policy.map(|policy| policy.table.clone()).ok_or_else(|| {
        Failure::usage(format!(
            "{}: the policy isn't named as its file is",
            path.display()
        ))
    })
}
