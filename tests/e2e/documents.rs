//! What docs/api.md and docs/errors.md say is what the protos and the sources say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::directions::{root, sources};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What the protos have after a keyword, such as the methods after `rpc`.
fn declared(keyword: &str) -> BTreeSet<String> {
    let services = ["policy", "exceptions", "masterdata", "aigate", "audit"];
    let mut found = BTreeSet::new();
    for service in services {
        let dir = root().join("proto/bylaw").join(service).join("v1");
        for entry in fs::read_dir(dir).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let lines = text.lines().map(str::trim);
            found.extend(
                lines
                    .filter_map(|line| line.strip_prefix(keyword)?.split(['(', ' ']).next())
                    .map(str::to_owned),
            );
        }
    }
    found
}

#[test]
fn the_api_page_marks_what_is_served() {
    let page = read("docs/api.md");
    let bold: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split("**").skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    assert_eq!(bold, declared("rpc "));
    for service in declared("service ") {
        assert!(page.contains(&service), "{service} isn't on the page");
    }
}

/// The codes of each reason, as the table of docs/errors.md has them.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    read("docs/errors.md")
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let reason = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            let codes = cells.next()?.split(", ").map(str::to_owned).collect();
            Some((reason.to_owned(), codes))
        })
        .collect()
}

/// `PeerUnavailable` as the contracts write it: `PEER_UNAVAILABLE`.
fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// The name that a text begins with after a prefix, white space aside.
fn name_after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = text.trim_start().strip_prefix(prefix)?;
    let end = rest.find(|c: char| !c.is_alphanumeric())?;
    Some(&rest[..end])
}

/// Every code and reason that stand together where an error is made.
fn thrown(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (maker, kind) in [
        ("Error::new(", None),
        ("Self::new(", None),
        ("Error::unavailable(", Some("Unavailable")),
        ("Self::unavailable(", Some("Unavailable")),
        ("Error::sod(", Some("PermissionDenied")),
    ] {
        for (at, _) in code.match_indices(maker) {
            let arguments = &code[at + maker.len()..];
            let (kind, rest) = match (kind, arguments.split_once(',')) {
                (Some(kind), _) => (kind, arguments),
                (None, Some((first, rest))) => match name_after(&format!("{first},"), "Kind::") {
                    Some(_) => (first.trim().trim_start_matches("Kind::"), rest),
                    None => continue,
                },
                (None, None) => continue,
            };
            // A reason that is computed is some other service's, or named beside it.
            if let Some(reason) = name_after(rest, "Reason::") {
                found.push((upper_snake(reason), upper_snake(kind)));
            }
        }
    }
    found
}

#[test]
fn the_error_page_has_every_reason_with_its_codes() {
    let documented = documented();
    let reasons: BTreeSet<String> = read("proto/bylaw/type/v1/error_reason.proto")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("ERROR_REASON_")?.split(' ').next())
        .filter(|reason| *reason != "UNSPECIFIED")
        .map(str::to_owned)
        .collect();
    assert_eq!(documented.keys().cloned().collect::<BTreeSet<_>>(), reasons);

    let mut files = Vec::new();
    for dir in ["crates/service-kit/src", "services"] {
        sources(&root().join(dir), &mut files);
    }
    let mut seen = 0;
    for file in files {
        // What a bootstrap refuses stops a start, and no caller sees it.
        if file.ends_with("bootstrap.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (reason, kind) in thrown(code) {
            seen += 1;
            assert!(
                documented[&reason].contains(&kind),
                "{}: {reason} comes with {kind}, docs/errors.md says {:?}",
                file.display(),
                documented[&reason]
            );
        }
    }
    assert!(seen > 40, "only {seen} places found where errors are made");
}
