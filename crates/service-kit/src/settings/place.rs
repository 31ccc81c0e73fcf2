//! Where in a settings file something is wrong.

use std::path::Path;

use serde::{Deserialize, de::DeserializeOwned};

use super::Settings;

/// The service's section of the file; the rest is [`Settings`].
#[derive(Deserialize)]
struct Own<T> {
    #[serde(rename = "service")]
    _service: Option<T>,
}

/// What makes the text no TOML, as `file:line:column: problem`.
pub(super) fn malformed(path: &Path, text: &str) -> Option<String> {
    let error = text.parse::<toml::Table>().err()?;
    Some(place(path, text, &error))
}

/// The first key or value of the file that isn't a setting, as
/// `file:line:column: key: problem`. What the file leaves to the defaults is no problem.
pub(super) fn refused<T: DeserializeOwned>(path: &Path, text: &str) -> Option<String> {
    let shared = toml::from_str::<Settings>(text).err();
    let own = || toml::from_str::<Own<T>>(text).err();
    let error = shared.filter(is_told).or_else(own).filter(is_told)?;
    Some(place(path, text, &error))
}

fn is_told(error: &toml::de::Error) -> bool {
    error.span().is_some() && !error.message().starts_with("missing field")
}

fn place(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[begin..].chars().count() + 1;
    let key = key(&before[..begin], text[begin..].lines().next().unwrap_or(""));
    let problem = error.message().replace('\n', ", ");
    format!("{}:{line}:{column}: {key}{problem}", path.display())
}

/// The path of the key on a line, with a colon behind it; nothing where there is none.
fn key(above: &str, line: &str) -> String {
    let Some((key, _)) = line.split_once('=') else {
        return String::new();
    };
    let section = above.lines().rev().find_map(|line| {
        let header = line.split('#').next()?.trim();
        Some(header.strip_prefix('[')?.trim_matches(['[', ']']))
    });
    match section {
        Some(section) => format!("{section}.{}: ", key.trim()),
        None => format!("{}: ", key.trim()),
    }
}
