//! The governed documents of files and folders.

use std::path::PathBuf;

use contracts::policy::ChangeItem;
use governance::files;

use crate::{commands::policy::load::Loaded, failure::Failure};

/// The documents of the files that were asked for, with what each names beside it.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<ChangeItem>, Failure> {
    let loaded = Loaded::open(paths)?;
    let asked = loaded
        .sources
        .iter()
        .chain(&loaded.tests)
        .filter(|source| loaded.asked.contains_key(&source.path));
    let mut items = Vec::new();
    for source in asked {
        let head = files::head(source).map_err(|problem| loaded.unusable(&[problem]))?;
        let beside = source
            .attachments
            .iter()
            .filter(|(name, _)| head.attachments.contains(name));
        items.push(ChangeItem {
            kind: head.kind.to_owned(),
            name: head.name,
            source: source.text.to_string(),
            attachments: beside.map(|(k, v)| (k.clone(), v.clone())).collect(),
            path: source.path.clone(),
            ..ChangeItem::default()
        });
    }
    if items.is_empty() {
        let kinds = files::GOVERNED.join(", ");
        return Err(Failure::usage(format!(
            "found no document that is governed ({kinds}) in these paths"
        )));
    }
    Ok(items)
}
