//! The directions of dependency that ARCHITECTURE.md names, read from the manifests and
//! the sources.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const SERVICES: [&str; 5] = ["policy", "exceptions", "masterdata", "aigate", "audit"];
const PURE: [&str; 5] = [
    "decision",
    "governance",
    "approval",
    "merkle",
    "identifiers",
];

/// What does I/O, keeps time or speaks a protocol: nothing of it in a pure crate.
const IMPURE: [&str; 15] = [
    "axum",
    "contracts",
    "hyper",
    "moka",
    "prost",
    "rand",
    "redis",
    "sea-orm",
    "sea-orm-migration",
    "service-kit",
    "tokio",
    "tonic",
    "tower",
    "tracing",
    "uuid",
];

/// Crates that a room of a service may not name, by room.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    (
        "domain",
        &[
            "tonic",
            "prost",
            "prost_types",
            "contracts",
            "sea_orm",
            "sea_orm_migration",
            "redis",
            "tokio",
            "axum",
            "crate::app",
            "crate::grpc",
            "crate::store",
            "crate::peers",
        ],
    ),
    (
        "app",
        &[
            "tonic",
            "prost",
            "prost_types",
            "contracts",
            "sea_orm",
            "sea_orm_migration",
            "redis",
            "axum",
            "crate::grpc",
            "crate::store",
            "crate::peers",
        ],
    ),
    (
        "store",
        &[
            "tonic",
            "prost",
            "contracts",
            "axum",
            "crate::grpc",
            "crate::peers",
        ],
    ),
    (
        "grpc",
        &[
            "sea_orm",
            "sea_orm_migration",
            "redis",
            "crate::store",
            "crate::peers",
        ],
    ),
];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Names under `[dependencies]` of a manifest.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).unwrap();
    text.lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

pub fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Lines of code that name `krate` as the head of a path, comments and the modules of
/// unit tests aside.
fn names(text: &str, krate: &str) -> Option<usize> {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    code.lines().position(|line| {
        let line = line.split("//").next().unwrap_or("");
        line.match_indices(krate).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + krate.len()..];
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
                && (after.starts_with("::") || after.starts_with(';') || after.starts_with(" as "))
        })
    })
}

#[test]
fn pure_crates_depend_on_no_runtime() {
    for krate in PURE {
        let found = dependencies(&root().join("crates").join(krate).join("Cargo.toml"));
        let wrong: Vec<_> = found
            .iter()
            .filter(|d| IMPURE.contains(&d.as_str()))
            .collect();
        assert!(
            wrong.is_empty(),
            "crates/{krate} is pure but depends on {wrong:?}"
        );
    }
}

#[test]
fn no_service_depends_on_another() {
    for service in SERVICES {
        let found = dependencies(&root().join("services").join(service).join("Cargo.toml"));
        let wrong: Vec<_> = found
            .iter()
            .filter(|d| SERVICES.contains(&d.as_str()) || *d == "testkit" || *d == "bylaw")
            .collect();
        assert!(wrong.is_empty(), "services/{service} depends on {wrong:?}");
    }
}

#[test]
fn libraries_depend_on_no_service() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let found = dependencies(&path.join("Cargo.toml"));
        let wrong: Vec<_> = found
            .iter()
            .filter(|d| SERVICES.contains(&d.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{} depends on {wrong:?}", path.display());
    }
}

#[test]
fn the_command_line_opens_no_database() {
    let found = dependencies(&root().join("cli/Cargo.toml"));
    assert!(
        !found.contains("sea-orm"),
        "cli talks to a suite over gRPC only"
    );
}

#[test]
fn every_service_has_the_same_rooms() {
    for service in SERVICES {
        let src = root().join("services").join(service).join("src");
        for file in ["main.rs", "lib.rs", "settings.rs"] {
            assert!(src.join(file).is_file(), "{service} has no src/{file}");
        }
        for room in ["domain", "app", "store", "grpc"] {
            assert!(
                src.join(room).join("mod.rs").is_file(),
                "{service} has no src/{room}/"
            );
        }
        let lines = fs::read_to_string(src.join("main.rs"))
            .unwrap()
            .lines()
            .count();
        assert!(lines <= 20, "{service}'s main.rs isn't dull: {lines} lines");
    }
}

#[test]
fn rooms_name_only_what_they_may() {
    for service in SERVICES {
        for (room, forbidden) in FORBIDDEN {
            let mut files = Vec::new();
            sources(
                &root().join("services").join(service).join("src").join(room),
                &mut files,
            );
            for file in files {
                let text = fs::read_to_string(&file).unwrap();
                for krate in forbidden {
                    if let Some(line) = names(&text, krate) {
                        panic!(
                            "{}:{}: {room} may not name {krate}",
                            file.display(),
                            line + 1
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn files_stay_under_500_lines() {
    let mut files = Vec::new();
    for dir in ["crates", "services", "cli", "tests"] {
        sources(&root().join(dir), &mut files);
    }
    let long: Vec<_> = files
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().lines().count() > 500)
        .collect();
    assert!(long.is_empty(), "over 500 lines: {long:?}");
}
