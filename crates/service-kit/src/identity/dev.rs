//! The development issuer: one EdDSA key in the data directory, readable by its owner
//! alone. Only settings with `development` accept its tokens.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Algorithm, ClaimMapping, Grant, IssuerSettings, PrincipalKind, strict};
use crate::error::{Error, Result};

/// `iss` of the development issuer's tokens.
pub const ISSUER: &str = "urn:bylaw:development";

/// Audience of the development issuer's tokens.
const AUDIENCE: &str = "bylaw";

/// The longest time a development token may hold.
const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Mints tokens with the key of a data directory.
pub struct DevIssuer {
    key: SigningKey,
    key_id: String,
}

impl DevIssuer {
    /// The issuer of a data directory; its key is made if there is none. Processes that
    /// start at once agree on one key.
    ///
    /// # Errors
    /// If the key can't be read or written, is malformed, or others may read it.
    pub fn open_or_create(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("issuer.jwk");
        if !path.exists() {
            create(data_dir, &path).map_err(|e| fault(&path, &e))?;
        }
        let issuer = Self::open(data_dir)?;
        let set = data_dir.join("jwks.json");
        write_new(&set, &issuer.jwks(), 0o644)
            .and_then(|temporary| fs::rename(temporary, &set).map_err(|e| e.to_string()))
            .map_err(|e| fault(&set, &e))?;
        Ok(issuer)
    }

    /// The issuer of a data directory that has a key.
    ///
    /// # Errors
    /// If the key can't be read, is malformed, or others may read it.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("issuer.jwk");
        Self::read(&path).map_err(|e| fault(&path, &e))
    }

    fn read(path: &Path) -> Result<Self, String> {
        check_mode(path)?;
        let bytes = fs::read(path).map_err(|e| e.to_string())?;
        let jwk = strict::object(&bytes).map_err(|e| e.to_string())?;
        let seed = jwk.get("d").and_then(Value::as_str).ok_or("no `d`")?;
        let seed = URL_SAFE_NO_PAD.decode(seed).map_err(|e| e.to_string())?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| "`d` is not 32 bytes")?;
        Ok(Self::from_seed(&seed))
    }

    fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let digest = Sha256::digest(key.verifying_key().as_bytes());
        let key_id = format!("dev-{}", URL_SAFE_NO_PAD.encode(&digest[..9]));
        Self { key, key_id }
    }

    /// `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &'static str {
        ISSUER
    }

    /// Its public key set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> Vec<u8> {
        let x = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({"keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": self.key_id, "x": x,
        }]})
        .to_string()
        .into_bytes()
    }

    /// A token for a subject, valid from `now` for `ttl`, at most 24 hours.
    ///
    /// # Errors
    /// If `ttl` is too long or not positive.
    pub fn mint(
        &self,
        subject: &str,
        kind: PrincipalKind,
        grants: &[Grant],
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<String> {
        if ttl.is_zero() || ttl > MAX_TTL {
            return Err(Error::invalid(
                "ttl",
                "a development token holds up to 24 hours",
            ));
        }
        let grants: Vec<String> = grants.iter().map(Grant::to_string).collect();
        Ok(self.sign(&json!({
            "iss": ISSUER, "sub": subject, "aud": AUDIENCE,
            "iat": now.timestamp(), "exp": (now + ttl).timestamp(),
            "jti": Uuid::new_v4(), "kind": kind.as_str(), "roles": grants,
        })))
    }

    /// Signs any claims, for tests of what is refused.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": self.key_id});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// How the issuer is trusted: as if it were configured.
    pub(super) fn settings() -> IssuerSettings {
        IssuerSettings {
            issuer: ISSUER.into(),
            jwks_file: None,
            jwks_url: None,
            jwks_ca_file: None,
            jwks_token_file: None,
            audience: vec![AUDIENCE.into()],
            algorithms: vec![Algorithm::EdDSA],
            typ: vec!["JWT".into()],
            typ_required: true,
            internal: true,
            default_kind: None,
            claims: ClaimMapping::default(),
        }
    }
}

fn fault(path: &Path, error: &str) -> Error {
    Error::internal(std::io::Error::other(format!(
        "{}: {error}",
        path.display()
    )))
}

fn create(data_dir: &Path, path: &Path) -> Result<(), String> {
    fs::create_dir_all(data_dir).map_err(|e| e.to_string())?;
    let seed: [u8; 32] = rand::random();
    let key = SigningKey::from_bytes(&seed);
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "x": URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
        "d": URL_SAFE_NO_PAD.encode(seed),
    });
    let temporary = write_new(path, jwk.to_string().as_bytes(), 0o600)?;
    // A link fails where another process came first; then that one's key holds.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary).map_err(|e| e.to_string())?;
    match linked {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e.to_string()),
        _ => Ok(()),
    }
}

/// Writes a new file beside `path`, to be moved there whole.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<PathBuf, String> {
    let temporary = path.with_extension(format!("{}.tmp", Uuid::new_v4()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&temporary).map_err(|e| e.to_string())?;
    file.write_all(bytes).map_err(|e| e.to_string())?;
    file.sync_all().map_err(|e| e.to_string())?;
    Ok(temporary)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)
        .map_err(|e| e.to_string())?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "mode is {mode:o}, but only its owner may read it (0600)"
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;

    #[test]
    fn the_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = DevIssuer::open_or_create(dir.path()).unwrap();
        let again = DevIssuer::open_or_create(dir.path()).unwrap();
        assert_eq!(first.key_id, again.key_id);
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn processes_that_start_at_once_agree() {
        let dir = tempfile::tempdir().unwrap();
        let ids: Vec<String> = std::thread::scope(|scope| {
            let start = || DevIssuer::open_or_create(dir.path()).unwrap().key_id;
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        DevIssuer::open_or_create(dir.path()).unwrap();
        let path = dir.path().join("issuer.jwk");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(DevIssuer::open_or_create(dir.path()).is_err());
    }
}
