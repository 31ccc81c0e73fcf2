//! Where the log's key comes from.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use merkle::note::{Signer, Verifier};
use rand::Rng as _;
use service_kit::error::{Error, Kind, Reason, Result};

use crate::settings::Settings;

/// Name of a development suite's private key in its data directory.
const KEY: &str = "audit-log.key";
/// Name of the public key beside it.
const PUBLIC: &str = "audit-log.pub";
/// Largest key file that is read.
const MAX_LEN: u64 = 4_096;

/// The log's key: from the settings, from a file, or made for development.
///
/// # Errors
/// If there is none, it is malformed, or of another origin.
pub fn open(settings: &Settings, shared: &service_kit::Settings) -> Result<Signer> {
    let key = if !settings.key.is_empty() {
        parse(settings.key.expose(), "service.key")?
    } else if !settings.key_file.as_os_str().is_empty() {
        read(&settings.key_file)?
    } else if shared.development {
        development(&settings.origin, &shared.data_dir)?
    } else {
        return Err(unusable(
            "the log has no key: name a file in service.key_file or give it in service.key",
        ));
    };
    if key.name() != settings.origin {
        return Err(unusable(format!(
            "the log's key is named {:?}, expected the origin {:?}",
            key.name(),
            settings.origin
        )));
    }
    Ok(key)
}

fn unusable(message: impl Into<String>) -> Error {
    Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
}

fn parse(text: &str, from: &str) -> Result<Signer> {
    Signer::parse(text).map_err(|e| unusable(format!("{from}: {e}")))
}

fn read(path: &Path) -> Result<Signer> {
    let failed = |e: std::io::Error| unusable(format!("{}: {e}", path.display()));
    if fs::metadata(path).map_err(failed)?.len() > MAX_LEN {
        return Err(unusable(format!(
            "{}: is no key, it is too large",
            path.display()
        )));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    parse(&text, &path.display().to_string())
}

/// The key in the data directory; made where there is none. The public half is written
/// beside it each time.
fn development(origin: &str, data_dir: &Path) -> Result<Signer> {
    let path = data_dir.join(KEY);
    let failed = |e: std::io::Error| unusable(format!("{}: {e}", path.display()));
    let mut seed = [0_u8; 32];
    rand::rng().fill_bytes(&mut seed);
    let made = Signer::from_seed(origin, &seed).map_err(|e| unusable(e.to_string()))?;
    fs::create_dir_all(data_dir).map_err(failed)?;
    let mut options = OpenOptions::new();
    let key = match options.write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            writeln!(file, "{}", made.to_secret_text()).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            made
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => read(&path)?,
        Err(e) => return Err(failed(e)),
    };
    publish(&key.verifier(), &data_dir.join(PUBLIC))?;
    Ok(key)
}

fn publish(key: &Verifier, path: &Path) -> Result<()> {
    fs::write(path, format!("{key}\n")).map_err(|e| unusable(format!("{}: {e}", path.display())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use service_kit::settings::Secret;

    use super::*;

    #[expect(
        clippy::field_reassign_with_default,
        reason = "the settings have a private field, so that no literal can be written"
    )]
    fn shared(development: bool, dir: &Path) -> service_kit::Settings {
        let mut shared = service_kit::Settings::default();
        shared.development = development;
        shared.data_dir = dir.to_owned();
        shared
    }

    #[test]
    fn a_development_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let (settings, shared) = (Settings::default(), shared(true, dir.path()));
        let made = open(&settings, &shared).unwrap();
        let again = open(&settings, &shared).unwrap();
        assert_eq!(made.verifier(), again.verifier());
        let public = fs::read_to_string(dir.path().join(PUBLIC)).unwrap();
        assert_eq!(Verifier::parse(&public).unwrap(), made.verifier());
    }

    #[test]
    fn a_deployment_brings_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let shared = shared(false, dir.path());
        let mut settings = Settings::default();
        let refused = open(&settings, &shared).unwrap_err();
        assert!(refused.message().contains("service.key_file"));
        let key = Signer::from_seed(&settings.origin, &[3; 32]).unwrap();
        settings.key = Secret::new(key.to_secret_text());
        assert_eq!(open(&settings, &shared).unwrap().verifier(), key.verifier());
        settings.origin = "example.com/other".to_owned();
        assert!(
            open(&settings, &shared)
                .unwrap_err()
                .message()
                .contains("origin")
        );
        settings.key = Secret::default();
        settings.key_file = dir.path().join("key");
        assert!(open(&settings, &shared).is_err(), "no such file");
        fs::write(&settings.key_file, "nonsense").unwrap();
        let refused = open(&settings, &shared).unwrap_err();
        assert!(
            !refused.message().contains("nonsense"),
            "no key in an error"
        );
    }
}
