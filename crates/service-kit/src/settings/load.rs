//! Puts the settings together from their sources.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Problems, Settings, Validate, place};
use crate::error::{Error, Kind, Reason, Result};

/// The default settings with a comment on each, as TOML.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Prefix of environment variables.
const PREFIX: &str = "BYLAW_";

/// Settings that stand in no section, by the name of their variable without prefix.
const TOP_LEVEL: [&str; 2] = ["data_dir", "development"];

/// What flags override; `None` leaves a setting as it is.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// `grpc.addr`.
    pub grpc_addr: Option<String>,
    /// `http.addr`.
    pub http_addr: Option<String>,
    /// `data_dir`.
    pub data_dir: Option<PathBuf>,
    /// `development`.
    pub development: Option<bool>,
}

/// The settings of a process.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// What all services share.
    pub settings: Settings,
    /// The service's own.
    pub service: T,
}

/// Reads the settings: defaults, then `file`, then the environment, then `flags`.
///
/// # Errors
/// If the file can't be read, a key is unknown, a value is malformed, or settings
/// contradict each other; the message names file, key and value.
pub fn load<T>(file: Option<&Path>, flags: &Overrides) -> Result<Loaded<T>>
where
    T: Serialize + DeserializeOwned + Default + Validate,
{
    let mut figment = Figment::from(Serialized::defaults(Settings::default()))
        .merge(Serialized::default("service", T::default()));
    let mut read = None;
    if let Some(path) = file {
        // Figment passes over a file that isn't there.
        let text = std::fs::read_to_string(path)
            .map_err(|e| refused(format!("can't read {}: {e}", path.display())))?;
        if let Some(problem) = place::malformed(path, &text) {
            return Err(refused(problem));
        }
        figment = figment.merge(Toml::file_exact(path));
        read = Some((path, text));
    }
    let explain = |error: &figment::Error| {
        let in_file = read
            .as_ref()
            .filter(|_| is_of_file(error))
            .and_then(|(path, text)| place::refused::<T>(path, text));
        in_file.map_or_else(|| explain(error), refused)
    };
    figment = figment.merge(environment());
    figment = apply(figment, flags);

    let settings: Settings = figment.extract().map_err(|e| explain(&e))?;
    let service: T = figment.extract_inner("service").map_err(|e| explain(&e))?;
    let mut problems = Problems::default();
    settings.validate(&mut problems);
    service.validate(&mut problems);
    if problems.is_empty() {
        Ok(Loaded { settings, service })
    } else {
        Err(refused(format!("settings can't be used: {problems}")))
    }
}

/// Only names with a section are settings: Kubernetes puts addresses of every service
/// into the environment, such as `BYLAW_POLICY_PORT`, and the command line has variables
/// of its own.
fn environment() -> Env {
    Env::prefixed(PREFIX)
        .filter(|name| {
            let name = name.as_str().to_ascii_lowercase();
            name.contains("__") || TOP_LEVEL.contains(&name.as_str())
        })
        .split("__")
}

fn apply(mut figment: Figment, flags: &Overrides) -> Figment {
    if let Some(addr) = &flags.grpc_addr {
        figment = figment.merge(Serialized::default("grpc.addr", addr));
    }
    if let Some(addr) = &flags.http_addr {
        figment = figment.merge(Serialized::default("http.addr", addr));
    }
    if let Some(dir) = &flags.data_dir {
        figment = figment.merge(Serialized::default("data_dir", dir));
    }
    if let Some(on) = flags.development {
        figment = figment.merge(Serialized::default("development", on));
    }
    figment
}

fn is_of_file(error: &figment::Error) -> bool {
    let metadata = error.metadata.as_ref();
    let source = metadata.and_then(|metadata| metadata.source.as_ref());
    matches!(source, Some(figment::Source::File(_)))
}

fn explain(error: &figment::Error) -> Error {
    let lines: Vec<_> = error.clone().into_iter().map(|e| e.to_string()).collect();
    refused(lines.join("; "))
}

fn refused(message: String) -> Error {
    Error::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
}

/// The default settings with a comment on each, and the service's own below.
#[must_use]
pub fn defaults<T: Validate>() -> String {
    let mut text = DEFAULTS.to_owned();
    if !T::DOCUMENTED.is_empty() {
        text.push('\n');
        text.push_str(T::DOCUMENTED);
    }
    text
}

/// A service's own settings; a service without any has the unit type for them.
fn section<T: Serialize>(service: &T) -> Result<toml::Table> {
    let value = serde_json::to_value(service).map_err(Error::internal)?;
    if value.is_null() {
        return Ok(toml::Table::new());
    }
    toml::Table::try_from(service).map_err(Error::internal)
}

/// The effective settings as TOML, secrets hidden.
///
/// # Errors
/// If a setting has no TOML form.
pub fn dump<T: Serialize>(settings: &Settings, service: &T) -> Result<String> {
    let mut tree = toml::Table::try_from(settings).map_err(Error::internal)?;
    let own = section(service)?;
    if !own.is_empty() {
        tree.insert("service".to_owned(), toml::Value::Table(own));
    }
    toml::to_string(&tree).map_err(Error::internal)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let documented: toml::Table = DEFAULTS.parse().unwrap();
        let effective: toml::Table = dump(&Settings::default(), &()).unwrap().parse().unwrap();
        assert_eq!(documented, effective);
    }
}
