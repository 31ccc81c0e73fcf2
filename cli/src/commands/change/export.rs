//! `bylaw change export`: the files that what is in force could have come from.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

use contracts::policy::{ChangeItem, ExportStateRequest};

use crate::{
    args::{Common, Output},
    connect::Session,
    failure::Failure,
    output,
};

/// Folders that kinds are written to.
const FOLDERS: [(&str, &str); 5] = [
    ("ScopeTree", ""),
    ("Workflow", "workflows"),
    ("Policy", "policies"),
    ("PolicyTest", "policies"),
    ("Waiver", "waivers"),
];

pub(super) async fn run(common: &Common, session: &Session, dir: &Path) -> Result<(), Failure> {
    let taken = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Failure::usage(format!("{}: isn't empty", dir.display())));
    }
    let mut stream = session
        .changes()
        .export_state(ExportStateRequest {})
        .await?
        .into_inner();
    let (mut written, mut revision) = (BTreeMap::new(), 0);
    while let Some(message) = stream.message().await? {
        revision = message.revision;
        let Some(item) = message.item else { continue };
        let path = place(&item);
        write(&dir.join(&path), &item.source)?;
        for (name, text) in &item.attachments {
            let beside = path.with_file_name(file_name(name));
            write(&dir.join(beside), text)?;
        }
        written.insert(path, message.version);
    }
    if common.output == Output::Json {
        let files: BTreeMap<_, _> = written
            .iter()
            .map(|(path, version)| (path.display().to_string(), version))
            .collect();
        return output::json(&serde_json::json!({"revision": revision, "files": files}));
    }
    let count = output::count(i64::try_from(written.len()).unwrap_or(i64::MAX), "document");
    output::line(&format!(
        "{count} of revision {revision} written to {}",
        dir.display()
    ))
}

/// Where a document goes, whatever path it came from: never outside the folder.
fn place(item: &ChangeItem) -> PathBuf {
    let folder = FOLDERS.iter().find(|(kind, _)| *kind == item.kind);
    let folder = folder.map_or("other", |(_, folder)| folder);
    let suffix = if item.kind == "PolicyTest" {
        "_test"
    } else {
        ""
    };
    Path::new(folder).join(format!("{}{suffix}.yaml", file_name(&item.name)))
}

/// The last part of a name, so that none leads elsewhere.
fn file_name(name: &str) -> String {
    let last = Path::new(name).components().next_back();
    match last {
        Some(Component::Normal(part)) => part.to_string_lossy().into_owned(),
        _ => "unnamed".to_owned(),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
