//! The documents that a path stands for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use governance::{
    Bundle,
    files::{self, Diagnostic, KINDS, POLICY, SCOPE_TREE, Source, suite::POLICY_TEST},
    suite::Suite,
};
use service_kit::bootstrap::Files;

use crate::{
    commands::input,
    failure::Failure,
    output::{self, snippet},
};

/// The file that stands at the root of a folder of policies.
const ROOT: &str = "scopes.yaml";
/// How many folders above a path its root may be.
const MAX_CLIMB: usize = 4;
/// How many problems are drawn.
const MAX_DRAWN: usize = 50;

/// All documents that belong together, and which of them were asked for.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What makes the bundle.
    pub sources: Vec<Source>,
    /// Documents of tests, with their kind.
    pub tests: Vec<Source>,
    /// Other documents by kind, such as tables that stand by themselves.
    pub others: Vec<(String, Source)>,
    /// Paths, as in the documents, of the files that were asked for, with what they are
    /// called within the path that asked for them.
    pub asked: BTreeMap<String, String>,
    /// The folder that has the scopes, where one was found.
    pub root: Option<PathBuf>,
    /// Texts of all files, to draw places in them.
    pub texts: BTreeMap<String, Arc<str>>,
}

impl Loaded {
    /// Reads files and folders. Policies refer to workflows and scopes, which may stand in
    /// a folder above: where one of the next few has a `scopes.yaml`, all of it is read,
    /// and what was asked for is remembered.
    ///
    /// # Errors
    /// If something can't be read.
    pub fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut loaded = Self::default();
        for path in paths {
            if !path.exists() {
                return Err(Failure::usage(format!(
                    "{}: no such file or folder",
                    path.display()
                )));
            }
            loaded.read(path)?;
        }
        Ok(loaded)
    }

    fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let path = fs::canonicalize(path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let root = root_of(&path);
        let folder = root.as_deref().unwrap_or(&path);
        let files = if folder.is_dir() {
            Files::from_dir(folder).map_err(|error| Failure::usage(error.message()))?
        } else {
            lone(&path)?
        };
        let whole = |inside: &str| match folder.is_dir() {
            true => folder.join(inside),
            false => folder.with_file_name(inside),
        };
        for inside in files.paths() {
            let whole = whole(inside);
            if let Ok(below) = whole.strip_prefix(&path) {
                let below = match below.as_os_str().is_empty() {
                    true => Path::new(inside),
                    false => below,
                };
                let below = below.display().to_string();
                self.asked.insert(shown(&whole), below);
            }
        }
        self.take(&files, &|inside| shown(&whole(inside)))?;
        self.root = root;
        Ok(())
    }

    /// The documents of a text that came from standard input.
    ///
    /// # Errors
    /// If it isn't YAML.
    pub fn piped(text: &str) -> Result<Self, Failure> {
        const NAME: &str = "-.yaml";
        let mut loaded = Self::default();
        let shown = input::shown(Path::new("-"));
        loaded.asked.insert(shown.clone(), shown.clone());
        let files = Files::embedded([(NAME, text.as_bytes())]);
        loaded.take(&files, &|_| shown.clone())?;
        Ok(loaded)
    }

    fn take(&mut self, files: &Files, named: &dyn Fn(&str) -> String) -> Result<(), Failure> {
        for inside in files.paths() {
            if let Some(text) = files
                .get(inside)
                .and_then(|bytes| str::from_utf8(bytes).ok())
            {
                self.texts.insert(named(inside), text.into());
            }
        }
        let documents = files
            .documents()
            .map_err(|error| Failure::usage(error.message()))?;
        for found in documents {
            let source = Source {
                path: named(&found.path),
                lines_before: found.line.saturating_sub(1),
                attachments: beside(files, &found.path),
                text: found.text.into(),
                version: 1,
            };
            if KINDS.contains(&found.kind.as_str()) {
                push(&mut self.sources, source);
            } else if found.kind == POLICY_TEST {
                push(&mut self.tests, source);
            } else if !self.others.iter().any(|(_, other)| same(other, &source)) {
                self.others.push((found.kind, source));
            }
        }
        Ok(())
    }

    /// Whether something of a bundle was asked for.
    pub fn governs(&self) -> bool {
        self.asked_sources().next().is_some()
    }

    /// What makes the bundle of what was asked for.
    pub fn asked_sources(&self) -> impl Iterator<Item = &Source> {
        let asked = |source: &&Source| self.asked.contains_key(&source.path);
        self.sources.iter().filter(asked)
    }

    /// The name of the policy that was asked for, if it is the only thing.
    pub fn only_policy(&self) -> Option<String> {
        let mut asked = self.asked_sources();
        let (only, None) = (asked.next()?, asked.next()) else {
            return None;
        };
        let head = files::head(only).ok()?;
        (head.kind == POLICY && self.asked.len() == 1).then_some(head.name)
    }

    /// Makes two versions of one bundle of it and the other. What was asked for on one side
    /// alone is left out on the other, where both are of one folder; and a policy that stands
    /// in no folder of policies takes the place of that by its name in the other's.
    ///
    /// # Errors
    /// If one is a part of the other: there is one version then.
    pub fn versions(&mut self, other: &mut Self) -> Result<(), Failure> {
        if self.root.is_some() && self.root == other.root {
            let mine: BTreeSet<_> = self.asked.keys().cloned().collect();
            let theirs: BTreeSet<_> = other.asked.keys().cloned().collect();
            if mine != theirs && !mine.is_disjoint(&theirs) {
                return Err(Failure::usage(
                    "one of the two is a part of the other; name the two versions",
                ));
            }
            self.sources
                .retain(|source| mine.contains(&source.path) || !theirs.contains(&source.path));
            other
                .sources
                .retain(|source| theirs.contains(&source.path) || !mine.contains(&source.path));
        } else if let (None, Some(_), Some(name)) = (&self.root, &other.root, self.only_policy()) {
            self.join(other, &name);
        } else if let (Some(_), None, Some(name)) = (&self.root, &other.root, other.only_policy()) {
            other.join(self, &name);
        }
        Ok(())
    }

    /// Takes everything from a whole bundle but what its policy, alone, replaces.
    fn join(&mut self, whole: &Self, name: &str) {
        let replaced = whole.only_policy();
        for source in &whole.sources {
            let head = files::head(source).ok();
            let is_replaced = head.is_some_and(|head| {
                head.kind == POLICY && (head.name == name || Some(&head.name) == replaced.as_ref())
            });
            if !is_replaced {
                push(&mut self.sources, source.clone());
            }
        }
        for (path, text) in &whole.texts {
            let known = self.texts.entry(path.clone());
            known.or_insert_with(|| text.clone());
        }
    }

    /// The bundle that the documents make.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn bundle(&self) -> Result<Bundle, Vec<Diagnostic>> {
        files::compile(&self.sources)
    }

    /// The tests that were asked for.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn suites(&self) -> Result<Vec<Suite>, Vec<Diagnostic>> {
        let asked = self
            .tests
            .iter()
            .filter(|source| self.asked.contains_key(&source.path));
        let (mut suites, mut problems) = (Vec::new(), Vec::new());
        for source in asked {
            match files::suite::read(source) {
                Ok(suite) => suites.push(suite),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(suites)
        } else {
            Err(problems)
        }
    }

    /// Draws problems to standard error, and says how many there are.
    pub fn unusable(&self, problems: &[Diagnostic]) -> Failure {
        for problem in problems.iter().take(MAX_DRAWN) {
            eprintln!("{}\n", output::escape::text(&self.draw(problem)));
        }
        let more = problems.len().saturating_sub(MAX_DRAWN);
        if more > 0 {
            eprintln!("and {more} more\n");
        }
        self.say_alone();
        let count = output::count(problems.len() as u64, "problem");
        Failure::usage(format!("{count} in the files; nothing was run"))
    }

    /// Says on standard error that workflow and scopes weren't looked for anywhere else, where
    /// policies stand without a tree of scopes.
    pub fn say_alone(&self) {
        let kinds = || self.sources.iter().filter_map(|s| files::head(s).ok());
        if self.root.is_none() && kinds().all(|head| head.kind != SCOPE_TREE) {
            eprintln!(
                "note: policies are read with their workflow and scopes, those of the nearest \
                 folder that has a `{ROOT}`; found none here nor in the {MAX_CLIMB} folders above"
            );
        }
    }

    /// A problem with the line that it is in.
    #[must_use]
    pub fn draw(&self, problem: &Diagnostic) -> String {
        let text = self.texts.get(&problem.path).map_or("", |text| text);
        snippet::error(
            &problem.path,
            text,
            problem.line,
            problem.column,
            &problem.message,
        )
    }
}

fn same(a: &Source, b: &Source) -> bool {
    a.path == b.path && a.lines_before == b.lines_before
}

/// Adds a document that isn't there from another path already.
fn push(sources: &mut Vec<Source>, source: Source) {
    if !sources.iter().any(|other| same(other, &source)) {
        sources.push(source);
    }
}

/// A path as people read it: from here, where it is below.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let below = here
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.as_deref().unwrap_or(path).display().to_string()
}

/// The folder at or above a whole path that has the scopes.
fn root_of(path: &Path) -> Option<PathBuf> {
    let start = if path.is_dir() { path } else { path.parent()? };
    let root = start
        .ancestors()
        .take(MAX_CLIMB + 1)
        .find(|folder| folder.join(ROOT).is_file());
    root.map(Path::to_owned)
}

/// A file alone, with what stands beside it.
fn lone(path: &Path) -> Result<Files, Failure> {
    let unreadable =
        |path: &Path, error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut files = BTreeMap::new();
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let bytes = fs::read(path).map_err(|error| unreadable(path, error))?;
    files.extend(name(path).map(|name| (name, bytes)));
    let folder = path.parent().unwrap_or(Path::new("/"));
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let beside = entry.map_err(|error| unreadable(folder, error))?.path();
        if beside
            .extension()
            .is_some_and(|extension| extension == "csv")
        {
            let bytes = fs::read(&beside).map_err(|error| unreadable(&beside, error))?;
            files.extend(name(&beside).map(|name| (name, bytes)));
        }
    }
    Ok(Files::embedded(
        files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    ))
}

/// The CSV files beside a document, by bare name.
fn beside(files: &Files, document: &str) -> BTreeMap<String, String> {
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    files
        .paths()
        .filter(|path| path.ends_with(".csv"))
        .filter(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder)
        .filter_map(|path| {
            let text = str::from_utf8(files.get(path)?).ok()?;
            let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
            Some((name.to_owned(), text.to_owned()))
        })
        .collect()
}
