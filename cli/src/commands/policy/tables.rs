//! Tests of tables and models that stand by themselves: `kind: TableTest`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use decision::{
    Model,
    model::suite::{KIND, Suite},
    yaml,
};
use governance::{
    files::{Diagnostic, Source},
    suite::CaseResult,
};

use super::{load::Loaded, source::Read};
use crate::failure::Failure;

/// What became of the tests.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The tests that ran, in order.
    pub(super) results: Vec<CaseResult>,
    /// Rows that no test reaches whose result is known.
    pub(super) uncovered: Vec<Row>,
    /// All rows of the tables in the files that are tested.
    pub(super) rows: usize,
}

/// A row of a table in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) table: String,
    pub(super) row: String,
}

/// A file that is tested, and the rows that answered.
struct Tested {
    model: Model,
    reached: BTreeSet<(String, String)>,
}

/// Runs the tests that were asked for; `None` where there are none.
///
/// # Errors
/// If a document or the file that it names can't be read.
pub(super) fn run(loaded: &Loaded) -> Result<Option<Report>, Failure> {
    let of_tables = loaded.others.iter().filter(|(kind, _)| kind == KIND);
    let asked = of_tables.filter(|(_, source)| loaded.asked.contains_key(&source.path));
    let (mut suites, mut problems) = (Vec::new(), Vec::new());
    for (_, source) in asked {
        match read(source) {
            Ok(suite) => suites.push((source, suite)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(loaded.unusable(&problems));
    }
    if suites.is_empty() {
        return Ok(None);
    }
    let mut report = Report::default();
    let mut files: BTreeMap<PathBuf, Tested> = BTreeMap::new();
    for (source, suite) in suites {
        let path = Path::new(&source.path).with_file_name(suite.file());
        let tested = match files.entry(path) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                if !new.key().is_file() {
                    let message = format!("there is no file `{}` beside this one", suite.file());
                    return Err(loaded.unusable(&[problem(source, &suite, message)]));
                }
                let model = Read::open(new.key())?.model();
                new.insert(Tested {
                    model,
                    reached: BTreeSet::new(),
                })
            }
        };
        for result in suite.run(&tested.model) {
            tested.reached.extend(result.reached);
            report.results.push(CaseResult {
                path: source.path.clone(),
                line: result.line,
                name: result.name,
                failures: result.failures,
            });
        }
    }
    for (path, tested) in files {
        report.cover(&path.display().to_string(), &tested);
    }
    Ok(Some(report))
}

fn read(source: &Source) -> Result<Suite, Vec<Diagnostic>> {
    let here = |found: decision::Diagnostic| Diagnostic {
        path: source.path.clone(),
        line: found.mark.line,
        column: found.mark.column,
        message: found.message,
    };
    let documents = yaml::parse_at(&source.text, source.lines_before + 1);
    let documents = documents.map_err(|found| vec![here(found)])?;
    // A file was split into its documents before.
    let Some(document) = documents.first() else {
        return Err(Vec::new());
    };
    Suite::from_node(document).map_err(|found| found.into_iter().map(here).collect())
}

fn problem(source: &Source, suite: &Suite, message: String) -> Diagnostic {
    let mark = suite.file_mark();
    Diagnostic {
        path: source.path.clone(),
        line: mark.line,
        column: mark.column,
        message,
    }
}

impl Report {
    fn cover(&mut self, file: &str, tested: &Tested) {
        for (table, found) in tested.model.tables() {
            self.rows += found.rows().len();
            for row in found.rows() {
                let row = (table.clone(), row.id().to_owned());
                if !tested.reached.contains(&row) {
                    self.uncovered.push(Row {
                        file: file.to_owned(),
                        table: row.0,
                        row: row.1,
                    });
                }
            }
        }
    }
}
