//! Documents that an empty store begins with: YAML files of a directory or of the
//! binary, each holding documents that name their `kind`.

mod changes;
mod check;
mod kept;
mod problem;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde::Deserialize;

use crate::error::{Error, Kind, Reason, Result};

pub use changes::Stamp;
pub(crate) use changes::warn;
pub(crate) use check::{Checker, check, of_kinds};
pub(crate) use kept::{keep, kept};
pub use problem::Problem;

/// Largest file, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Most files.
const MAX_FILES: usize = 2_000;

/// Most documents of a file.
const MAX_DOCUMENTS: usize = 1_000;

/// Deepest directory.
const MAX_DEPTH: usize = 8;

/// Subjects and what they may do: a setting, not something that a store holds.
pub const PRINCIPALS: &str = "principals.yaml";

/// The access table, a setting too.
pub const ACCESS: &str = "access.yaml";

/// Files by path relative to their root, with `/` between segments. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Arc<BTreeMap<String, Vec<u8>>>,
    /// What a path is told with in front of it, so that its reader finds it.
    root: Arc<str>,
}

/// A YAML document of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Path of its file.
    pub path: String,
    /// Line of the file that `text` begins at, from 1.
    pub line: usize,
    /// What it is: its `kind`.
    pub kind: String,
    /// The document.
    pub text: String,
}

/// The documents of all files, and what can't be read.
struct Reading {
    documents: Vec<Document>,
    /// Problems, with the kind of the document that can't be read where that can be told.
    unread: Vec<(Option<String>, Problem)>,
}

#[derive(Deserialize)]
struct Header {
    kind: String,
}

impl Files {
    /// No files.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Files that are part of the binary.
    pub fn embedded<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let owned = |(path, bytes): (&str, &[u8])| (path.to_owned(), bytes.to_vec());
        Self {
            files: Arc::new(files.into_iter().map(owned).collect()),
            root: "".into(),
        }
    }

    /// The files of a directory and of those in it. Hidden ones are left out; links to
    /// files are followed, as Kubernetes mounts config maps so.
    ///
    /// # Errors
    /// If a file can't be read, or there are too many, or too large or deep ones.
    pub fn from_dir(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        read_dir(root, "", 0, &mut files)?;
        let shown = root.display().to_string();
        Ok(Self {
            files: Arc::new(files),
            root: format!("{}/", shown.trim_end_matches('/')).into(),
        })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Paths in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A file's bytes.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// A file beside another, which names it.
    #[must_use]
    pub fn beside(&self, path: &str, name: &str) -> Option<&[u8]> {
        match path.rsplit_once('/') {
            Some((folder, _)) => self.get(&format!("{folder}/{name}")),
            None => self.get(name),
        }
    }

    /// The documents of all YAML files, by path and place. `principals.yaml` and
    /// `access.yaml` at the root are settings of a process ([`crate::identity`]) that may
    /// stand beside them, and are none.
    ///
    /// # Errors
    /// With every file that isn't UTF-8, and every document that isn't YAML or has no
    /// `kind`.
    pub fn documents(&self) -> Result<Vec<Document>> {
        let Reading { documents, unread } = self.read();
        if unread.is_empty() {
            return Ok(documents);
        }
        Err(self.refuse(unread.into_iter().map(|(_, problem)| problem).collect()))
    }

    /// One error of all problems, each on a line that names the file as its reader knows
    /// it.
    #[must_use]
    pub fn refuse(&self, mut problems: Vec<Problem>) -> Error {
        for problem in &mut problems {
            problem.path.insert_str(0, &self.root);
        }
        problem::refuse(problems)
    }

    fn read(&self) -> Reading {
        let yaml = |path: &str| {
            let document = path.ends_with(".yaml") || path.ends_with(".yml");
            document && path != PRINCIPALS && path != ACCESS
        };
        let mut reading = Reading {
            documents: Vec::new(),
            unread: Vec::new(),
        };
        for (path, bytes) in self.files.iter().filter(|(path, _)| yaml(path)) {
            match str::from_utf8(bytes) {
                Ok(text) => split(path, text, &mut reading),
                Err(_) => {
                    let problem = Problem::of_file(path, "is not UTF-8");
                    reading.unread.push((None, problem));
                }
            }
        }
        reading
    }
}

impl Document {
    /// What it is and says, without files beside it.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp::of(&self.text, [])
    }

    /// The problem at a place of the text, counted from 1.
    #[must_use]
    pub fn problem(&self, line: usize, column: usize, message: impl Into<String>) -> Problem {
        Problem {
            path: self.path.clone(),
            line: self.line + line.saturating_sub(1),
            column,
            message: message.into(),
        }
    }
}

fn read_dir(
    dir: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<()> {
    let failed = |error: std::io::Error| unreadable(dir, &error.to_string());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let path = entry.path();
        let metadata = fs::metadata(&path).map_err(|e| unreadable(&path, &e.to_string()))?;
        if metadata.is_dir() {
            if depth >= MAX_DEPTH {
                return Err(unreadable(&path, "is too deep"));
            }
            read_dir(&path, &format!("{prefix}{name}/"), depth + 1, files)?;
        } else {
            if metadata.len() > MAX_FILE_BYTES {
                return Err(unreadable(
                    &path,
                    &format!("is larger than {MAX_FILE_BYTES} bytes"),
                ));
            }
            if files.len() >= MAX_FILES {
                return Err(unreadable(
                    dir,
                    &format!("there are more than {MAX_FILES} files"),
                ));
            }
            let bytes = fs::read(&path).map_err(|e| unreadable(&path, &e.to_string()))?;
            files.insert(format!("{prefix}{name}"), bytes);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, what: &str) -> Error {
    Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        format!("{}: {what}", path.display()),
    )
}

/// Splits at `---` lines, so that each document keeps its own text and place.
fn split(path: &str, text: &str, reading: &mut Reading) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parts: Vec<(usize, String)> = vec![(1, String::new())];
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if is_marker(line) {
            parts.push((number + 1, String::new()));
        } else if let Some((_, current)) = parts.last_mut() {
            current.push_str(line);
        }
    }
    parts.retain(|(_, text)| !text.lines().all(is_blank));
    if let Some((line, _)) = parts.get(MAX_DOCUMENTS) {
        let mut problem = Problem::of_file(path, format!("more than {MAX_DOCUMENTS} documents"));
        problem.line = *line;
        reading.unread.push((None, problem));
        return;
    }
    for (line, text) in parts {
        match serde_saphyr::from_str::<Header>(&text) {
            Ok(header) => reading.documents.push(Document {
                path: path.to_owned(),
                line,
                kind: header.kind,
                text,
            }),
            Err(error) => {
                let problem = Problem::of_yaml(path, line - 1, &error);
                reading.unread.push((kind(&text), problem));
            }
        }
    }
}

/// `---` alone, or with a comment.
fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .map(str::trim)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

/// The kind of a document that isn't YAML as a whole, by the line that says it.
fn kind(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("kind:"))?;
    let word = value.split('#').next().unwrap_or_default().trim();
    let word = word.trim_matches(['"', '\'']);
    (!word.is_empty()).then(|| word.to_owned())
}
