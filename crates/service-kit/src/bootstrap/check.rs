//! Everything in the files is checked before anything of them is stored.

use std::collections::BTreeSet;

use super::{Document, Files, Problem};
use crate::{access, identity};

/// What a service says of its documents.
#[derive(Clone, Copy)]
pub(crate) struct Checker {
    /// Kinds of its documents.
    pub kinds: &'static [&'static str],
    /// Finds what is wrong with them.
    pub check: fn(&Files, &[Document]) -> Vec<Problem>,
}

/// Everything that is wrong: with files that can't be read, with the documents of each
/// service, with the settings beside them, and, where `besides` names the kinds of
/// documents that are no service's, with those of a kind that nobody knows.
pub(crate) fn check(files: &Files, checkers: &[Checker], besides: Option<&[&str]>) -> Vec<Problem> {
    let reading = files.read();
    let mut problems = Vec::new();
    for checker in checkers {
        // With one of its documents missing, a service would report those that name it.
        let unread = |kind: Option<&str>| kind.is_none_or(|kind| checker.kinds.contains(&kind));
        if reading
            .unread
            .iter()
            .any(|(kind, _)| unread(kind.as_deref()))
        {
            continue;
        }
        let own = of_kinds(&reading.documents, checker.kinds);
        problems.extend((checker.check)(files, &own));
    }
    if let Some(besides) = besides {
        let known: BTreeSet<_> = checkers
            .iter()
            .flat_map(|checker| checker.kinds)
            .chain(besides)
            .copied()
            .collect();
        problems.extend(strangers(&reading.documents, &known));
    }
    problems.extend(reading.unread.into_iter().map(|(_, problem)| problem));
    problems.extend(settings(files));
    problems
}

/// The documents of these kinds.
pub(crate) fn of_kinds(documents: &[Document], kinds: &[&str]) -> Vec<Document> {
    documents
        .iter()
        .filter(|document| kinds.contains(&document.kind.as_str()))
        .cloned()
        .collect()
}

fn strangers(documents: &[Document], known: &BTreeSet<&str>) -> Vec<Problem> {
    let listed = known.iter().copied().collect::<Vec<_>>().join(", ");
    documents
        .iter()
        .filter(|document| !known.contains(document.kind.as_str()))
        .map(|document| {
            let mut lines = document.text.lines();
            let line = lines.position(|line| line.starts_with("kind:"));
            let found = &document.kind;
            let message = format!("kind: found {found:?}, expected one of {listed}");
            document.problem(line.map_or(1, |line| line + 1), 1, message)
        })
        .collect()
}

/// The principals and the access table that may stand beside the documents.
fn settings(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, read) in [
        (
            super::PRINCIPALS,
            identity::check_principals as fn(&str, &str) -> Vec<Problem>,
        ),
        (super::ACCESS, access::check_table),
    ] {
        match files.get(path).map(str::from_utf8) {
            None => {}
            Some(Ok(text)) => problems.extend(read(path, text)),
            Some(Err(_)) => problems.push(Problem::of_file(path, "is not UTF-8")),
        }
    }
    problems
}
