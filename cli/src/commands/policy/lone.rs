//! A table that is a file by itself.

use std::{fs, path::Path};

use decision::{Schema, Table, yaml};

use crate::{failure::Failure, output::snippet};

/// Whether a document is a table that isn't a policy.
pub(super) fn is_table(text: &str) -> bool {
    let Ok(documents) = yaml::parse(text) else {
        return false;
    };
    documents.iter().any(|node| {
        let has = |key: &str| node.get(key).is_some();
        has("inputs") && (has("rows") || has("rows_csv")) && !has("workflow")
    })
}

/// A table with its name, or its problems, drawn.
type Read = Result<(String, Table), Vec<String>>;

/// The table of a file, with its name; `None` where the path is something else. Problems
/// come drawn.
pub(super) fn table(path: &Path) -> Result<Option<Read>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    let shown = path.display();
    let unreadable = |error: &dyn std::fmt::Display| Failure::usage(format!("{shown}: {error}"));
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    if !is_table(&text) {
        return Ok(None);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let beside = |name: &str| {
        // A table names files beside it only.
        if name.contains(['/', '\\']) {
            return Err(format!("`{name}` is no bare file name"));
        }
        fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
    };
    Ok(Some(
        match Table::from_yaml(&text, &Schema::open(), &beside) {
            Ok(table) => Ok((table.name().to_owned(), table)),
            Err(problems) => Err(problems
                .iter()
                .map(|problem| {
                    let file = problem.file.as_deref();
                    let source = match file {
                        Some(file) => beside(file).unwrap_or_default(),
                        None => text.clone(),
                    };
                    let message = match &problem.cell {
                        Some(cell) => format!("{cell}: {}", problem.message),
                        None => problem.message.clone(),
                    };
                    let at = file.map_or_else(
                        || shown.to_string(),
                        |file| folder.join(file).display().to_string(),
                    );
                    snippet::error(
                        &at,
                        &source,
                        problem.mark.line,
                        problem.mark.column,
                        &message,
                    )
                })
                .collect()),
        },
    ))
}
