//! What became different in the files since a store was begun with them: it isn't used,
//! and whoever changed it must hear that.

use std::collections::BTreeMap;

use serde::Deserialize;

/// At most this many documents are named.
const MAX_NAMED: usize = 10;

/// What a document is, and a digest of what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Kind and name, such as `Policy order_release.medical`.
    pub name: String,
    /// `sha256:` and hex.
    pub digest: String,
}

/// What documents of all kinds are told apart by.
#[derive(Deserialize)]
struct Names {
    kind: Option<String>,
    name: Option<String>,
    version: Option<String>,
    r#type: Option<String>,
    operation: Option<String>,
}

impl Stamp {
    /// The stamp of a document's text and of the files beside it that it names.
    pub fn of<'a>(text: &str, attachments: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Option<Names> = serde_saphyr::from_str(text).ok();
        let name = names.map_or_else(String::new, |names| {
            let parts = [
                names.kind,
                names.name,
                names.version,
                names.r#type,
                names.operation,
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
        let mut digest = governance::canonical::sha256(text.as_bytes());
        for attachment in attachments {
            let both = format!("{digest}\n{attachment}");
            digest = governance::canonical::sha256(both.as_bytes());
        }
        Self { name, digest }
    }
}

/// How the files differ from what a store was begun with, a line for each document.
fn changes(begun: &[Stamp], offered: &[Stamp]) -> Vec<String> {
    let grouped = |stamps: &[Stamp]| {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for stamp in stamps {
            let group = groups.entry(stamp.name.clone()).or_default();
            group.push(stamp.digest.clone());
        }
        groups.values_mut().for_each(|group| group.sort());
        groups
    };
    let (begun, offered) = (grouped(begun), grouped(offered));
    let mut lines = Vec::new();
    for (name, digests) in &offered {
        match begun.get(name) {
            Some(before) if before == digests => {}
            Some(_) => lines.push(format!(
                "{name} differs from what this store was begun with"
            )),
            None => lines.push(format!("{name} is new since this store was begun")),
        }
    }
    let gone = begun.keys().filter(|name| !offered.contains_key(*name));
    lines.extend(gone.map(|name| format!("{name}, with which this store was begun, is missing")));
    lines
}

/// Warns of every document that differs from what a service's store was begun with.
pub(crate) fn warn(service: &str, begun: &[Stamp], offered: &[Stamp]) {
    let lines = changes(begun, offered);
    let more = lines.len().saturating_sub(MAX_NAMED);
    for line in lines.iter().take(MAX_NAMED) {
        tracing::warn!(
            service,
            "{line}, and the files aren't used any more: what is governed changes through \
             change control, or begin with another data directory or database"
        );
    }
    if more > 0 {
        tracing::warn!(service, "{more} more documents of the files aren't used");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_the_rest_is_not() {
        let stamp = |text: &str| Stamp::of(text, []);
        let begun = [
            stamp("kind: Policy\nname: a\n"),
            stamp("kind: Model\nname: m\nversion: '1'\n"),
            stamp("kind: Taxonomy\n"),
            stamp("kind: EventType\ntype: com.example.x\n"),
        ];
        assert!(changes(&begun, &begun).is_empty());
        let now = [
            stamp("kind: Policy\nname: a\nx: 1\n"),
            stamp("kind: Model\nname: m\nversion: '2'\n"),
            stamp("kind: Taxonomy\n"),
            stamp("kind: EventType\ntype: com.example.x\n"),
        ];
        assert_eq!(
            changes(&begun, &now),
            [
                "Model m 2 is new since this store was begun",
                "Policy a differs from what this store was begun with",
                "Model m 1, with which this store was begun, is missing",
            ]
        );
    }

    #[test]
    fn a_file_beside_a_document_counts() {
        let text = "kind: Policy\nname: a\nrows_csv: a.csv\n";
        assert_ne!(Stamp::of(text, ["x\n1\n"]), Stamp::of(text, ["x\n2\n"]));
        assert_eq!(Stamp::of(text, ["x\n1\n"]).name, "Policy a");
    }
}
