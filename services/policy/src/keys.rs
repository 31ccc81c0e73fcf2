//! The keys of receipts: where the private one comes from, and the page with the public
//! ones.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use axum::{Router, http::header, routing::get};
use chrono::TimeDelta;
use service_kit::error::{Error, Kind, Reason, Result};

use crate::{
    app::Signer,
    domain::receipt::{Jwk, Jwks, Key},
    settings::Receipts,
};

/// Where executing systems fetch the public keys (RFC 7517).
const PAGE: &str = "/.well-known/jwks.json";
/// The private key that a development suite makes for itself.
const DEVELOPMENT_KEY: &str = "receipt-key.jwk";
/// Executing systems may keep the keys for this long.
const CACHE: &str = "public, max-age=300";
/// At most this many bytes in a key file.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// How receipts are signed.
///
/// # Errors
/// If there is no key, or it can't be used.
pub(crate) fn signer(receipts: &Receipts, shared: &service_kit::Settings) -> Result<Signer> {
    let key = match &receipts.key_file {
        Some(path) => parse(&read(path)?, path)?,
        None if !receipts.key.is_empty() => Key::from_jwk(receipts.key.expose())
            .map_err(|error| unusable("service.receipts.key", &error))?,
        None if shared.development => development(&shared.data_dir.join(DEVELOPMENT_KEY))?,
        None => {
            return Err(refused(
                "service.receipts.key_file or service.receipts.key is needed: \
                 without a key no receipt can be signed",
            ));
        }
    };
    let mut jwks = Jwks {
        keys: vec![key.public()],
    };
    for path in &receipts.published_key_files {
        let mut jwk: Jwk = serde_json::from_str(&read(path)?)
            .map_err(|_| unusable(path.display(), &"no JSON Web Key"))?;
        // Whoever put a private key there: it isn't published.
        jwk.d = None;
        jwks.keys.push(jwk);
    }
    Ok(Signer {
        key,
        jwks,
        issuer: receipts.issuer.clone(),
        ttl: TimeDelta::from_std(receipts.ttl).map_err(Error::internal)?,
    })
}

/// The page with the public keys.
pub(crate) fn published(jwks: &Jwks) -> Result<Router> {
    let body = serde_json::to_string(jwks).map_err(Error::internal)?;
    let headers = [
        (header::CONTENT_TYPE, "application/jwk-set+json"),
        (header::CACHE_CONTROL, CACHE),
    ];
    Ok(Router::new().route(PAGE, get(move || async move { (headers, body) })))
}

/// The key of a development suite, made at the first start. Of several processes that
/// start at once, all take the one that was linked first.
fn development(path: &Path) -> Result<Key> {
    if path.exists() {
        return parse(&read(path)?, path);
    }
    let key = Key::from_seed(&rand::random());
    let made = path.with_extension(format!("jwk.{}", std::process::id()));
    let written =
        write_private(&made, key.to_jwk().as_bytes()).and_then(|()| {
            match fs::hard_link(&made, path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                result => result,
            }
        });
    let removed = fs::remove_file(&made);
    written
        .and(removed)
        .map_err(|error| unusable(path.display(), &error))?;
    parse(&read(path)?, path)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
        .map_err(|error| unusable(path.display(), &error))?;
    Ok(text)
}

fn parse(text: &str, path: &Path) -> Result<Key> {
    Key::from_jwk(text).map_err(|error| unusable(path.display(), &error))
}

fn unusable(what: impl std::fmt::Display, problem: &dyn std::fmt::Display) -> Error {
    refused(format!("{what}: {problem}"))
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
}
