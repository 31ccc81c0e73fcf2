//! Tables and models that stand by themselves: as files, as documents in a folder, as DMN.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use decision::{Mark, Schema, Table, yaml};
use governance::files::{GOVERNED, Source};
use service_kit::Service;

use super::{
    load::Loaded,
    source::{self, Content},
};
use crate::{commands::input, failure::Failure};

/// What a table by itself says under `kind`; a file that is one may also say nothing.
const TABLE: &str = "DecisionTable";
/// What a model says under `kind`.
const MODEL: &str = "DecisionModel";
/// Further kinds of documents that stand in folders and are nobody's policies.
const BESIDES: [&str; 3] = ["TableTest", "EventMapping", "AccessTable"];

/// A table or model and where it stands.
pub(super) struct Lone {
    /// Path of its file, for people.
    pub(super) path: String,
    /// What it is called within the path that was asked for.
    pub(super) below: String,
    pub(super) content: Content,
}

/// Something that reads, or its problems, drawn.
type Drawn<T> = Result<T, Vec<String>>;

impl Lone {
    /// Its name, which may be empty.
    pub(super) fn name(&self) -> &str {
        match &self.content {
            Content::Table(table) | Content::Policy(table, _) => table.name(),
            Content::Model(model) => model.name(),
        }
    }

    /// Its tables with their names: those of a model behind the model's.
    pub(super) fn tables(&self) -> Vec<(String, &Table)> {
        match &self.content {
            Content::Table(table) | Content::Policy(table, _) => {
                vec![(table.name().to_owned(), table)]
            }
            Content::Model(model) => {
                let whole = model.name();
                let named = |path: String| match whole {
                    "" => path,
                    whole => format!("{whole}/{path}"),
                };
                let tables = model.tables().into_iter();
                tables.map(|(path, table)| (named(path), table)).collect()
            }
        }
    }
}

/// The table or model that a file, or standard input for `-`, is by itself; `None` where the
/// path is something else.
///
/// # Errors
/// If the file can't be read.
pub(super) fn file(path: &Path) -> Result<Option<Drawn<Lone>>, Failure> {
    if path != Path::new("-") && !path.is_file() {
        return Ok(None);
    }
    let text = source::text(path)?;
    Ok(of_text(path, &text))
}

/// The same of a text that was read.
pub(super) fn of_text(path: &Path, text: &str) -> Option<Drawn<Lone>> {
    let shown = input::shown(path);
    let beside = |name: &str| beside(path, name);
    let read = if source::is_xml(text) {
        source::dmn(text).map(|(content, _)| content)
    } else {
        match yaml::parse(text).as_deref() {
            Ok([document]) if is_lone(document) => source::content(document, &beside),
            // Where a document can't be read, those around it may be.
            Err(problem) if !is_yaml(path) => Err(vec![problem.clone()]),
            _ => return None,
        }
    };
    let below = path.file_name().map(|name| name.to_string_lossy());
    Some(match read {
        Ok(content) => Ok(Lone {
            below: below.map_or_else(|| shown.clone(), Into::into),
            path: shown,
            content,
        }),
        Err(problems) => Err(source::draw_all(&shown, text, &problems, &beside)),
    })
}

/// Whether a path is read as documents.
fn is_yaml(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml"))
}

/// A file that a document names, which stands beside it.
pub(super) fn beside(document: &Path, name: &str) -> Result<String, String> {
    if name.contains(['/', '\\']) {
        return Err(format!("`{name}` is no bare file name"));
    }
    fs::read_to_string(document.with_file_name(name)).map_err(|error| format!("{name}: {error}"))
}

/// Whether a document is a table or a model by itself. One without a kind is a table if it
/// has a table's keys and no policy's.
fn is_lone(document: &yaml::Node) -> bool {
    match document.get("kind") {
        None => has_rows(document),
        Some(kind) => matches!(kind.as_str(), Some(TABLE | MODEL)),
    }
}

fn has_rows(document: &yaml::Node) -> bool {
    let has = |key: &str| document.get(key).is_some();
    has("inputs") && (has("rows") || has("rows_csv")) && !has("workflow")
}

/// The tables and models among the documents that were asked for, and what is wrong with
/// those that don't read or that are of a kind that nobody knows, drawn.
pub(super) fn documents(loaded: &Loaded) -> (Vec<Lone>, Vec<String>) {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (kind, source) in &loaded.others {
        let Some(below) = loaded.asked.get(&source.path) else {
            continue;
        };
        let read = match kind.as_str() {
            TABLE | MODEL => document(loaded, source),
            other if is_known(other) => other_kind(source).map(Ok),
            other => Some(Err(vec![stranger(loaded, source, other)])),
        };
        match read {
            None => {}
            Some(Err(drawn)) => wrong.extend(drawn),
            Some(Ok(content)) => found.push(Lone {
                path: source.path.clone(),
                below: below.clone(),
                content,
            }),
        }
    }
    for (path, below) in loaded
        .asked
        .iter()
        .filter(|(path, _)| path.ends_with(".dmn"))
    {
        let Some(text) = loaded.texts.get(path) else {
            wrong.push(format!("error: {path}: the text is no UTF-8"));
            continue;
        };
        match source::dmn(text) {
            Ok((content, _)) => found.push(Lone {
                path: path.clone(),
                below: below.clone(),
                content,
            }),
            Err(problems) => {
                let nothing = |name: &str| Err(format!("there is no file {name} beside it"));
                wrong.extend(source::draw_all(path, text, &problems, &nothing));
            }
        }
    }
    several_of_a_file(&mut found);
    (found, wrong)
}

fn document(loaded: &Loaded, source: &Source) -> Option<Drawn<Content>> {
    let beside = |name: &str| attached(source, name);
    let documents = yaml::parse_at(&source.text, source.lines_before + 1);
    let read = documents.map_err(|problem| vec![problem]);
    let read = read.and_then(|documents| match documents.first() {
        Some(document) => source::content(document, &beside).map(Some),
        None => Ok(None),
    });
    let text = loaded.texts.get(&source.path).map_or("", |text| text);
    read.map_err(|problems| source::draw_all(&source.path, text, &problems, &beside))
        .transpose()
}

fn attached(source: &Source, name: &str) -> Result<String, String> {
    let found = source.attachments.get(name).cloned();
    found.ok_or_else(|| format!("there is no file {name} beside it"))
}

/// A document of another kind that is a table as well. Most of them take their facts and
/// outputs from elsewhere: those that can't be read alone aren't the command's business.
fn other_kind(source: &Source) -> Option<Content> {
    let documents = yaml::parse(&source.text).ok()?;
    let document = documents.first().filter(|document| has_rows(document))?;
    let beside = |name: &str| attached(source, name);
    let table = Table::from_node(document, &Schema::open(), &beside).ok()?;
    Some(Content::Table(Box::new(table)))
}

/// Whether somebody reads documents of the kind: this command, or a service.
fn is_known(kind: &str) -> bool {
    known().contains(kind)
}

fn known() -> BTreeSet<&'static str> {
    let services = [
        <policy::Service as Service>::DOCUMENTS,
        <exceptions::Service as Service>::DOCUMENTS,
        <masterdata::Service as Service>::DOCUMENTS,
        <aigate::Service as Service>::DOCUMENTS,
        <audit::Service as Service>::DOCUMENTS,
    ];
    let own = GOVERNED.iter().chain(&BESIDES).chain(&[TABLE, MODEL]);
    services.into_iter().flatten().chain(own).copied().collect()
}

/// A kind that nobody knows: a slip of the pen there would leave the document unchecked.
fn stranger(loaded: &Loaded, source: &Source, kind: &str) -> String {
    let kinds = known().into_iter().collect::<Vec<_>>().join(", ");
    let documents = yaml::parse_at(&source.text, source.lines_before + 1).unwrap_or_default();
    let said = documents.first().and_then(|document| document.get("kind"));
    let mark = said.map_or(Mark::START, yaml::Node::mark);
    loaded.draw(&governance::files::Diagnostic {
        path: source.path.clone(),
        line: mark.line,
        column: mark.column,
        message: format!("kind: found `{kind}`, expected one of {kinds}"),
    })
}

/// Of several in one file each is called by its name, too.
fn several_of_a_file(found: &mut [Lone]) {
    let mut seen = BTreeSet::new();
    let several: BTreeSet<String> = found
        .iter()
        .filter(|lone| !seen.insert(lone.below.clone()))
        .map(|lone| lone.below.clone())
        .collect();
    for lone in found.iter_mut().filter(|l| several.contains(&l.below)) {
        lone.below = format!("{}: {}", lone.below, lone.name());
    }
    tell_apart(found);
}

/// Numbers those that are called alike, so that none is taken for another.
pub(super) fn tell_apart(found: &mut [Lone]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for lone in found {
        let count = seen.entry(lone.below.clone()).or_default();
        *count += 1;
        if *count > 1 {
            lone.below = format!("{} ({count})", lone.below);
        }
    }
}
