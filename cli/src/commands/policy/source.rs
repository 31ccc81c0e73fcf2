//! A file that holds a table or a decision model, in any of its forms.

use std::{io::Read as _, path::Path};

use decision::{Diagnostic, Loader, Mark, Model, Schema, Table, dmn as xml, limits, yaml};

use super::{load::Loaded, lone};
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

impl Content {
    /// As a model, whatever it is.
    pub fn model(&self) -> Model {
        match self {
            Self::Model(model) => Model::clone(model),
            Self::Table(table) | Self::Policy(table, _) => Model::of_table(table),
        }
    }
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

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// If it can't be read or is no UTF-8.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    let shown = input::shown(path);
    let mut bytes = Vec::new();
    let limit = limits::TEXT_BYTES as u64 + 1;
    let reader = input::open(path)?;
    reader
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{shown}: the text is no UTF-8")))
}

/// Whether a text is XML rather than YAML.
pub(super) fn is_xml(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<')
}

/// What DMN XML holds, with notes of what was left out.
///
/// # Errors
/// With everything that can't be carried over.
pub(super) fn dmn(text: &str) -> Result<(Content, Vec<Diagnostic>), Vec<Diagnostic>> {
    let import = xml::read(text)?;
    let content = match import.table {
        Some(table) => Content::Table(Box::new(table)),
        None => Content::Model(Box::new(import.model)),
    };
    Ok((content, import.notes))
}

/// What a document holds that is a table or model by itself.
///
/// # Errors
/// With everything that is wrong in it.
pub(super) fn content(
    document: &yaml::Node,
    loader: &Loader<'_>,
) -> Result<Content, Vec<Diagnostic>> {
    if Model::is_model(document) {
        let model = Model::from_node(document, loader)?;
        return Ok(Content::Model(Box::new(model)));
    }
    let table = Table::from_node(document, &Schema::open(), loader)?;
    Ok(Content::Table(Box::new(table)))
}

/// Problems with the lines that they are in, those of a file beside the text drawn from it.
pub(super) fn draw_all(
    path: &str,
    text: &str,
    problems: &[Diagnostic],
    beside: &Loader<'_>,
) -> Vec<String> {
    let draw = |problem: &Diagnostic| {
        let message = match &problem.cell {
            Some(cell) => format!("{cell}: {}", problem.message),
            None => problem.message.clone(),
        };
        let (line, column) = (problem.mark.line, problem.mark.column);
        match &problem.file {
            None => snippet::error(path, text, line, column, &message),
            Some(file) => {
                let whole = Path::new(path).with_file_name(file);
                let text = beside(file).unwrap_or_default();
                snippet::error(&whole.display().to_string(), &text, line, column, &message)
            }
        }
    };
    problems.iter().map(draw).collect()
}

/// Prints problems that were drawn to standard error, and says how many there are.
pub(super) fn unusable(drawn: &[String]) -> Failure {
    for problem in drawn {
        eprintln!("{}\n", output::escape::text(problem));
    }
    Failure::usage(output::count(drawn.len() as u64, "problem"))
}

impl Read {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// With status 2, if it can't be read; each problem is drawn.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let text = Text {
            text: text(path)?,
            path: input::shown(path),
        };
        if !is_xml(&text.text) {
            return Ok(Self {
                content: text.yaml(path)?,
                notes: Vec::new(),
                text,
            });
        }
        let (content, notes) = dmn(&text.text).map_err(|problems| text.unusable(&problems))?;
        Ok(Self {
            content,
            notes,
            text,
        })
    }

    /// As a model, whatever it is.
    pub fn model(&self) -> Model {
        self.content.model()
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
        let kind = document.get("kind").and_then(yaml::Node::as_str);
        if kind == Some("Policy") {
            let place = document
                .get("workflow")
                .map_or(Mark::START, yaml::Node::mark);
            return Ok(Content::Policy(Box::new(policy(path, &self.text)?), place));
        }
        let beside = |name: &str| lone::beside(path, name);
        content(document, &beside).map_err(|problems| self.unusable(&problems))
    }

    fn unusable(&self, problems: &[Diagnostic]) -> Failure {
        let beside = |name: &str| lone::beside(Path::new(&self.path), name);
        unusable(&draw_all(&self.path, &self.text, problems, &beside))
    }
}

/// The table of a policy, whose facts stand in its workflow's file.
fn policy(path: &Path, text: &str) -> Result<Table, Failure> {
    let loaded = match path == Path::new("-") {
        true => Loaded::piped(text)?,
        false => Loaded::open(&[path.to_owned()])?,
    };
    let bundle = loaded
        .bundle()
        .map_err(|problems| loaded.unusable(&problems))?;
    let name = loaded.only_policy().unwrap_or_default();
    let policy = bundle.policies().get(name.as_str());
    policy.map(|policy| policy.table.clone()).ok_or_else(|| {
        let shown = input::shown(path);
        Failure::usage(format!("{shown}: found no policy, or several"))
    })
}
