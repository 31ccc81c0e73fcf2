//! Whether documented defaults are the defaults, all of them, each with a comment.

use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value};

/// Checks the documentation of the settings below `section` (`service`; empty for the
/// whole file): read, it gives the defaults; every field of the type is in it, with a
/// comment above; and what is commented out is a setting, too.
///
/// # Errors
/// What is missing or untrue.
pub fn documented<T: Serialize + DeserializeOwned>(
    section: &str,
    text: &str,
    defaults: &T,
) -> Result<(), String> {
    let read = below(section, text)?;
    let wanted = Table::try_from(defaults).map_err(|e| e.to_string())?;
    if read != wanted {
        return Err(format!("the text says\n{read}\nthe defaults are\n{wanted}"));
    }
    let whole = uncommented(text);
    let all = below(section, &whole)?;
    all.clone()
        .try_into::<T>()
        .map_err(|e| format!("what is commented out: {e}"))?;
    fields::<T>(&all, &mut Vec::new())?;
    text.lines().enumerate().try_for_each(|(at, line)| {
        if is_key(line) && !commented(text, at) {
            return Err(format!("line {}: {line:?} has no comment", at + 1));
        }
        Ok(())
    })
}

fn below(section: &str, text: &str) -> Result<Table, String> {
    let mut table: Table = text.parse().map_err(|e| format!("{e}"))?;
    if section.is_empty() {
        return Ok(table);
    }
    match table.remove(section) {
        Some(Value::Table(table)) => Ok(table),
        _ => Err(format!("there is no section [{section}]")),
    }
}

/// The text with what is commented out: `# key = value`, `# [section]`. An empty list gives
/// way to its commented items.
fn uncommented(text: &str) -> String {
    let items: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# [[")?.strip_suffix("]]"))
        .filter_map(|path| Some(format!("{} = []", path.rsplit('.').next()?)))
        .collect();
    let line = |line: &str| match line.strip_prefix("# ") {
        None if items.iter().any(|item| item == line) => String::new(),
        Some(rest) if is_key(rest) || (rest.starts_with('[') && rest.ends_with(']')) => {
            format!("{rest}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    })
}

/// Whether a comment stands above the key, or above the keys or the section it begins.
fn commented(text: &str, at: usize) -> bool {
    let above: Vec<&str> = text.lines().take(at).collect();
    let mut rest = above
        .iter()
        .rev()
        .skip_while(|line| is_key(line))
        .skip_while(|line| line.starts_with('['));
    rest.next().is_some_and(|line| line.starts_with("# "))
}

/// Every field that the type takes is in the table, and so below.
fn fields<T: DeserializeOwned>(table: &Table, path: &mut Vec<String>) -> Result<(), String> {
    for name in taken::<T>(path) {
        // The service's own section is documented by itself.
        let elsewhere = path.is_empty() && name == "service";
        if !elsewhere && !table.contains_key(&name) {
            return Err(format!("{}{name} is missing", prefix(path)));
        }
    }
    for (name, value) in table {
        if let Value::Table(inner) = value {
            path.push(name.clone());
            fields::<T>(inner, path)?;
            path.pop();
        }
    }
    Ok(())
}

fn prefix(path: &[String]) -> String {
    path.iter().map(|name| format!("{name}.")).collect()
}

/// The fields that the type takes at the path, as its refusal of another one names them.
fn taken<T: DeserializeOwned>(path: &[String]) -> Vec<String> {
    let text = format!("{}no_such_key = 0", prefix(path));
    let Ok(table) = text.parse::<Table>() else {
        return Vec::new();
    };
    let Err(refused) = table.try_into::<T>() else {
        return Vec::new();
    };
    let refused = refused.to_string();
    refused
        .lines()
        .next()
        .and_then(|said| said.split_once("expected"))
        .map(|(_, names)| names.split('`').skip(1).step_by(2).map(str::to_owned))
        .map_or_else(Vec::new, Iterator::collect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Own {
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    }

    #[test]
    fn what_isnt_documented_is_found() {
        let check = |text: &str| documented("service", text, &Own::default());
        let good = "[service]\n# How large.\nsize = 0\n# Which.\n# file = \"a\"\n";
        assert_eq!(check(good), Ok(()));
        for (found, wanted, named) in [
            ("size = 0", "size = 1", "the defaults are"),
            ("# How large.\n", "", "no comment"),
            ("# Which.\n# file = \"a\"\n", "", "file is missing"),
            ("# file", "# fill", "fill"),
            ("[service]", "[other]", "no section"),
        ] {
            let problem = check(&good.replace(found, wanted)).expect_err(wanted);
            assert!(problem.contains(named), "{wanted}: {problem}");
        }
    }
}
