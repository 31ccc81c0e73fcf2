//! The documents that are sent with a change.

use std::collections::BTreeMap;

use governance::files::{self, Diagnostic};
use service_kit::error::{Error, Result};

use crate::domain::{
    change::{Action, Item, Key, MAX_BYTES, MAX_ITEMS},
    snapshot::Snapshot,
};

/// A document as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Kind; of one that is put, its text says it.
    pub kind: String,
    /// Name; of one that is put, its text says it.
    pub name: String,
    /// Path of its file.
    pub path: String,
    /// The document; empty: it is taken away.
    pub text: String,
    /// Files beside it that it names.
    pub attachments: BTreeMap<String, String>,
}

/// The documents of a change: those that stay as they are left out.
pub(super) fn items(snapshot: &Snapshot, sent: Vec<Sent>, complete: bool) -> Result<Vec<Item>> {
    let mut items = all_items(snapshot, sent, complete)?;
    items.retain(|item| item.action(&snapshot.documents) != Action::Same);
    if items.is_empty() {
        return Err(
            Error::invalid("items", "nothing would change").with_metadata("unchanged", "true")
        );
    }
    Ok(items)
}

pub(super) fn all_items(snapshot: &Snapshot, sent: Vec<Sent>, complete: bool) -> Result<Vec<Item>> {
    if !(1..=MAX_ITEMS).contains(&sent.len()) {
        let problem = format!("{} documents, expected 1 to {MAX_ITEMS}", sent.len());
        return Err(Error::invalid("items", problem));
    }
    let sizes = sent.iter().map(|sent| {
        let beside: usize = sent
            .attachments
            .iter()
            .map(|(k, v)| k.len() + v.len())
            .sum();
        sent.text.len() + beside
    });
    if sizes.sum::<usize>() > MAX_BYTES {
        let problem = format!("more than {MAX_BYTES} bytes together");
        return Err(Error::too_large("items", problem));
    }
    let mut items: BTreeMap<Key, Item> = BTreeMap::new();
    for (index, sent) in sent.into_iter().enumerate() {
        let field = format!("items[{index}]");
        let item = item(snapshot, sent, &field)?;
        if items.contains_key(&item.key()) {
            let problem = format!("{} {} comes twice", item.kind, item.name);
            return Err(Error::invalid(field, problem));
        }
        items.insert(item.key(), item);
    }
    if complete {
        for (key, document) in &snapshot.documents {
            items.entry(key.clone()).or_insert_with(|| Item {
                kind: document.kind.clone(),
                name: document.name.clone(),
                path: document.path.clone(),
                text: None,
                attachments: BTreeMap::new(),
            });
        }
    }
    Ok(items.into_values().collect())
}

fn item(snapshot: &Snapshot, sent: Sent, field: &str) -> Result<Item> {
    if sent.text.is_empty() {
        let kind = files::GOVERNED.into_iter().find(|kind| *kind == sent.kind);
        let kind = kind.ok_or_else(|| {
            let problem = format!("expected {}", files::GOVERNED.join(", "));
            Error::invalid(format!("{field}.kind"), problem)
        })?;
        let item = Item {
            kind: kind.to_owned(),
            name: sent.name,
            path: sent.path,
            text: None,
            attachments: BTreeMap::new(),
        };
        if !snapshot.documents.contains_key(&item.key()) {
            let problem = format!("there is no {} {:?} to take away", item.kind, item.name);
            return Err(Error::invalid(format!("{field}.name"), problem));
        }
        return Ok(item);
    }
    let path = match sent.path.as_str() {
        "" => field.to_owned(),
        path => path.to_owned(),
    };
    Item::put(path, sent.text, sent.attachments)
        .map_err(|found: Diagnostic| Error::invalid(format!("{field}.source"), found.to_string()))
}
