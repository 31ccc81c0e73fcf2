//! Documents that an empty store begins with: YAML files of a directory or of the
//! binary, each holding documents that name their `kind`.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{Error, Kind, Reason, Result};

/// Largest file, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Most files.
const MAX_FILES: usize = 2_000;

/// Most documents of a file.
const MAX_DOCUMENTS: usize = 1_000;

/// Deepest directory.
const MAX_DEPTH: usize = 8;

/// Files that say who may do what: settings, not something that a store holds.
const SETTINGS: [&str; 2] = ["principals.yaml", "access.yaml"];

/// Files by path relative to their root, with `/` between segments. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Files(Arc<BTreeMap<String, Vec<u8>>>);

/// A YAML document of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Path of its file.
    pub path: String,
    /// Line of the file that `text` begins at, from 1.
    pub line: usize,
    /// Place among the documents of its file, from 0.
    pub index: usize,
    /// What it is: its `kind`.
    pub kind: String,
    /// The document.
    pub text: String,
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
        Self(Arc::new(files.into_iter().map(owned).collect()))
    }

    /// The files of a directory and of those in it. Hidden ones are left out; links to
    /// files are followed, as Kubernetes mounts config maps so.
    ///
    /// # Errors
    /// If a file can't be read, or there are too many, or too large or deep ones.
    pub fn from_dir(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        read_dir(root, "", 0, &mut files)?;
        Ok(Self(Arc::new(files)))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Paths in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A file's bytes.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// A file's text; a path relative to that of the document `beside`.
    ///
    /// # Errors
    /// If there is no such file or it isn't UTF-8.
    pub fn text_beside(&self, beside: &Document, name: &str) -> Result<&str> {
        let dir = beside.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let path = if dir.is_empty() {
            name.to_owned()
        } else {
            format!("{dir}/{name}")
        };
        let bytes = self
            .get(&path)
            .ok_or_else(|| problem(&beside.path, beside.line, format!("no file {path:?}")))?;
        str::from_utf8(bytes).map_err(|_| problem(&path, 1, "is not UTF-8"))
    }

    /// The documents of all YAML files, by path and place. `principals.yaml` and
    /// `access.yaml` at the root are settings of a process ([`crate::identity`]) that may
    /// stand beside them, and are none.
    ///
    /// # Errors
    /// If a file isn't UTF-8, or a document isn't YAML or has no `kind`.
    pub fn documents(&self) -> Result<Vec<Document>> {
        let yaml = |path: &str| {
            (path.ends_with(".yaml") || path.ends_with(".yml")) && !SETTINGS.contains(&path)
        };
        let mut documents = Vec::new();
        for (path, bytes) in self.0.iter().filter(|(path, _)| yaml(path)) {
            let text = str::from_utf8(bytes).map_err(|_| problem(path, 1, "is not UTF-8"))?;
            documents.extend(split(path, text)?);
        }
        Ok(documents)
    }
}

impl Document {
    /// Reads the document as a type.
    ///
    /// # Errors
    /// If it isn't of the type, with the place in the file.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_saphyr::from_str(&self.text)
            .map_err(|error| yaml_problem(&self.path, self.line, &error))
    }

    /// `path:line:column` of a place in the text, counted from 1.
    #[must_use]
    pub fn at(&self, line: usize, column: usize) -> String {
        format!(
            "{}:{}:{column}",
            self.path,
            self.line + line.saturating_sub(1)
        )
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
fn split(path: &str, text: &str) -> Result<Vec<Document>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let (mut begin, mut current) = (1, String::new());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if is_marker(line) {
            push(path, begin, &current, &mut documents)?;
            current.clear();
            begin = number + 1;
        } else {
            current.push_str(line);
        }
    }
    push(path, begin, &current, &mut documents)?;
    Ok(documents)
}

/// `---` alone, or with a comment.
fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .map(str::trim)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

fn push(path: &str, line: usize, text: &str, documents: &mut Vec<Document>) -> Result<()> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Ok(());
    }
    if documents.len() >= MAX_DOCUMENTS {
        return Err(problem(
            path,
            line,
            format!("more than {MAX_DOCUMENTS} documents"),
        ));
    }
    let header: Header =
        serde_saphyr::from_str(text).map_err(|error| yaml_problem(path, line, &error))?;
    documents.push(Document {
        path: path.to_owned(),
        line,
        index: documents.len(),
        kind: header.kind,
        text: text.to_owned(),
    });
    Ok(())
}

fn yaml_problem(path: &str, line: usize, error: &serde_saphyr::Error) -> Error {
    let error = error.without_snippet();
    let (row, column) = error
        .location()
        .map_or((1, 1), |at| (at.line(), at.column()));
    let row = usize::try_from(row).unwrap_or(1);
    let message = format!("{path}:{}:{column}: {error}", line + row.saturating_sub(1));
    Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        message.clone(),
    )
    .with_violation(path, message)
}

fn problem(path: &str, line: usize, what: impl std::fmt::Display) -> Error {
    let message = format!("{path}:{line}: {what}");
    Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        message.clone(),
    )
    .with_violation(path, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        Files::embedded([("a/b.yaml", text.as_bytes()), ("a/t.csv", b"x,y\n")])
    }

    #[test]
    fn documents_keep_their_place() {
        let files =
            files("# header\n\nkind: A\nx: 1\n--- # next\nkind: B\ny: |\n  ----\n---\n# none\n");
        let documents = files.documents().unwrap();
        let places: Vec<_> = documents
            .iter()
            .map(|d| (d.kind.as_str(), d.line, d.index))
            .collect();
        assert_eq!(places, [("A", 1, 0), ("B", 6, 1)]);
        assert_eq!(documents[1].at(2, 3), "a/b.yaml:7:3");
        assert_eq!(files.text_beside(&documents[0], "t.csv").unwrap(), "x,y\n");
        assert!(files.text_beside(&documents[0], "u.csv").is_err());
    }

    #[test]
    fn problems_name_file_and_line() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct B {
            #[serde(rename = "kind")]
            _kind: String,
        }
        let documents = files("kind: A\n---\nkind: B\nz: 1\n").documents().unwrap();
        let error = documents[1].parse::<B>().unwrap_err();
        assert!(
            error.message().starts_with("a/b.yaml:4:"),
            "{}",
            error.message()
        );
        for (bad, place) in [
            ("x: 1\n", "a/b.yaml:"),
            ("kind: A\n---\nkind: [\n", "a/b.yaml:"),
        ] {
            let error = files(bad).documents().unwrap_err();
            assert!(error.message().starts_with(place), "{}", error.message());
        }
    }

    #[test]
    fn directories_are_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/a.yaml"), "kind: A\n").unwrap();
        fs::write(dir.path().join(".hidden"), "x").unwrap();
        fs::write(dir.path().join("z.yaml"), "kind: Z\n").unwrap();
        let files = Files::from_dir(dir.path()).unwrap();
        assert_eq!(files.paths().collect::<Vec<_>>(), ["sub/a.yaml", "z.yaml"]);
        assert!(Files::from_dir(&dir.path().join("none")).is_err());
    }
}
