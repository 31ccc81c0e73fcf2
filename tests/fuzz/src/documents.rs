//! The documents that stores begin with, and the settings beside them.

use std::{collections::BTreeMap, sync::LazyLock};

use service_kit::{
    Service, Settings,
    bootstrap::{Document, Files, Problem},
    suite::Suite,
};

/// What other documents refer to.
const AROUND: [&str; 6] = [
    "ScopeTree",
    "Workflow",
    "Taxonomy",
    "Calendar",
    "ActionDefinition",
    "UseCase",
];

/// The files of those.
static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let documents = [
        crate::example::<policy::Service>(),
        crate::example::<exceptions::Service>(),
        crate::example::<aigate::Service>(),
    ];
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (at, document) in documents.into_iter().flatten().enumerate() {
        let once = document.kind != "ScopeTree" || !files.contains_key("scopes.yaml");
        if AROUND.contains(&document.kind.as_str()) && once {
            let name = match document.kind.as_str() {
                "ScopeTree" => "scopes.yaml".to_owned(),
                kind => format!("{kind}{at}.yaml"),
            };
            files.insert(name, document.text);
        }
    }
    files.into_iter().collect()
});

/// A file of documents of any service.
pub fn documents(data: &[u8]) {
    let around = FILES
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_bytes()));
    let files = Files::embedded(around.chain([("z.yaml", data)]));
    let Ok(documents) = files.documents() else {
        return;
    };
    check::<policy::Service>(&files, &documents);
    check::<exceptions::Service>(&files, &documents);
    check::<masterdata::Service>(&files, &documents);
    check::<aigate::Service>(&files, &documents);
}

fn check<S: Service>(files: &Files, documents: &[Document]) {
    let own: Vec<_> = documents
        .iter()
        .filter(|document| S::DOCUMENTS.contains(&document.kind.as_str()))
        .cloned()
        .collect();
    for problem in S::check(files, &own) {
        placed(files, &problem);
    }
}

/// A problem names a file that is there, and a line of it.
fn placed(files: &Files, problem: &Problem) {
    let text = files.get(&problem.path).unwrap_or_default();
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(
        (1..=lines).contains(&problem.line) && problem.column > 0,
        "{problem} isn't a place"
    );
    assert_eq!(problem.to_string().lines().count(), 1);
}

/// A principals file, and an access table.
pub fn principals(data: &[u8]) {
    for name in ["principals.yaml", "access.yaml"] {
        let files = Files::embedded([(name, data)]);
        let _checked = Suite::new(Settings::default()).files(files).check();
    }
}
