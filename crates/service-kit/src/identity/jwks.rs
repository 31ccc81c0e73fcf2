//! Key sets (RFC 7517) of issuers: read strictly, cached, refreshed in the background,
//! and used on while their provider is down.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};
use tokio::{sync::Mutex, time::Instant};

use super::{Algorithm, fetch::Fetch, strict};

/// Largest key set in bytes.
pub(super) const MAX_SET: usize = 256 * 1024;

/// Most keys that are looked at.
const MAX_KEYS: usize = 100;

/// An unknown key id makes the set be read again at most this often, over all callers.
const FETCH_INTERVAL: Duration = Duration::from_secs(30);

/// How long an id that wasn't there after a read is taken to be unknown.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// Most unknown ids remembered.
const MAX_UNKNOWN: u64 = 1_000;

/// RSA moduli in bytes.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A key with the algorithms it may be used for.
pub(super) struct Key {
    decoding: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Key {
    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// The usable signature keys of a set, by key id.
#[derive(Default)]
pub(super) struct KeySet(HashMap<String, Arc<Key>>);

impl KeySet {
    /// Reads a set. Keys of other uses and types are left out, as RFC 7517 asks for; a
    /// symmetric or a private key has no place in a published set and fails it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_SET {
            return Err(format!(
                "{} bytes, at most {MAX_SET} are allowed",
                bytes.len()
            ));
        }
        let set = strict::object(bytes).map_err(|e| format!("no JSON object: {e}"))?;
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err("no `keys` array".into());
        };
        if keys.len() > MAX_KEYS {
            return Err(format!(
                "{} keys, at most {MAX_KEYS} are allowed",
                keys.len()
            ));
        }
        let mut known = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            let Value::Object(key) = key else {
                return Err(format!("keys[{index}] is not an object"));
            };
            let read = read_key(key).map_err(|e| format!("keys[{index}]: {e}"))?;
            if let Some((id, key)) = read
                && known.insert(id, Arc::new(key)).is_some()
            {
                return Err(format!("keys[{index}]: its `kid` comes twice"));
            }
        }
        Ok(Self(known))
    }

    fn get(&self, id: &str) -> Option<Arc<Key>> {
        self.0.get(id).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn read_key(key: &Map<String, Value>) -> Result<Option<(String, Key)>, String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let kty = text("kty").ok_or("no `kty`")?;
    if kty == "oct"
        || ["d", "k", "p", "q"]
            .iter()
            .any(|name| key.contains_key(*name))
    {
        return Err("a secret key, which no published set may hold".into());
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let Some(id) = text("kid") else {
        return Ok(None);
    };
    let (decoding, possible): (_, &[Algorithm]) = match (kty, text("crv")) {
        ("RSA", _) => (rsa(key)?, &[Algorithm::RS256, Algorithm::PS256]),
        ("EC", Some("P-256")) => (ec(key)?, &[Algorithm::ES256]),
        ("OKP", Some("Ed25519")) => (ed(key)?, &[Algorithm::EdDSA]),
        _ => return Ok(None),
    };
    let algorithms: Vec<_> = match text("alg") {
        None => possible.to_vec(),
        Some(named) => possible
            .iter()
            .copied()
            .filter(|algorithm| Algorithm::parse(named) == Some(*algorithm))
            .collect(),
    };
    if algorithms.is_empty() {
        return Ok(None);
    }
    let key = Key {
        decoding,
        algorithms,
    };
    Ok(Some((id.to_owned(), key)))
}

fn bytes(key: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let text = key.get(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("no `{name}`"))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| format!("`{name}` is not base64url"))
}

fn rsa(key: &Map<String, Value>) -> Result<DecodingKey, String> {
    let (n, e) = (bytes(key, "n")?, bytes(key, "e")?);
    let length = n.iter().skip_while(|byte| **byte == 0).count();
    if !RSA_BYTES.contains(&length) {
        return Err(format!(
            "an RSA key of {} bits, 2048 to 8192 are wanted",
            length * 8
        ));
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn ec(key: &Map<String, Value>) -> Result<DecodingKey, String> {
    let (x, y) = (bytes(key, "x")?, bytes(key, "y")?);
    if x.len() != 32 || y.len() != 32 {
        return Err("a P-256 point has coordinates of 32 bytes".into());
    }
    Ok(DecodingKey::from_ec_der(&[&[4], x.as_slice(), &y].concat()))
}

fn ed(key: &Map<String, Value>) -> Result<DecodingKey, String> {
    let x = bytes(key, "x")?;
    if x.len() != 32 {
        return Err("an Ed25519 key has 32 bytes".into());
    }
    Ok(DecodingKey::from_ed_der(&x))
}

/// Where a set is read from.
pub(super) enum Location {
    /// Handed over by this process: the development issuer's.
    Memory(Vec<u8>),
    /// A file, read again as it is rotated.
    File(PathBuf),
    /// A URL.
    Url(Fetch),
}

/// The keys of one issuer.
pub(super) struct KeySource {
    issuer: String,
    location: Location,
    keys: ArcSwap<KeySet>,
    last_read: Mutex<Option<Instant>>,
    unknown: moka::sync::Cache<String, ()>,
}

impl KeySource {
    /// Reads the set for the first time. A provider that is down doesn't keep the service
    /// from starting: tokens are refused until it is back. A file that can't be used does.
    pub(super) async fn open(issuer: String, location: Location) -> Result<Self, String> {
        let source = Self {
            issuer,
            location,
            keys: ArcSwap::default(),
            last_read: Mutex::new(None),
            unknown: moka::sync::Cache::builder()
                .max_capacity(MAX_UNKNOWN)
                .time_to_live(UNKNOWN_FOR)
                .build(),
        };
        match (source.read().await, &source.location) {
            (Ok(()), _) => {}
            (Err(error), Location::Url(_)) => source.report(&error),
            (Err(error), Location::File(path)) => {
                return Err(format!("key set {}: {error}", path.display()));
            }
            (Err(error), Location::Memory(_)) => return Err(format!("key set: {error}")),
        }
        Ok(source)
    }

    /// The key as it is cached.
    pub(super) fn cached(&self, id: &str) -> Option<Arc<Key>> {
        self.keys.load().get(id)
    }

    /// The key of this id. One that isn't cached makes the set be read again, unless that
    /// happened a moment ago.
    pub(super) async fn key(&self, id: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.cached(id) {
            return Some(key);
        }
        if self.unknown.contains_key(id) {
            return None;
        }
        // Callers that come meanwhile wait here, and then find what the first one read.
        let mut last_read = self.last_read.lock().await;
        if let Some(key) = self.cached(id) {
            return Some(key);
        }
        if last_read.is_some_and(|at| at.elapsed() < FETCH_INTERVAL) {
            return None;
        }
        *last_read = Some(Instant::now());
        match self.read().await {
            Ok(()) => {}
            Err(error) => self.report(&error),
        }
        let key = self.cached(id);
        if key.is_none() {
            self.unknown.insert(id.to_owned(), ());
        }
        key
    }

    /// Reads the set again, as the background task does; a failure leaves the old one.
    pub(super) async fn refresh(&self) {
        if let Err(error) = self.read().await {
            self.report(&error);
        }
    }

    /// Whether there is no key at all, so that a refresh is urgent.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.load().is_empty()
    }

    async fn read(&self) -> Result<(), String> {
        let bytes = match &self.location {
            Location::Memory(bytes) => bytes.clone(),
            Location::File(path) => read_file(path).await?,
            Location::Url(fetch) => fetch.get(MAX_SET).await?,
        };
        self.keys.store(Arc::new(KeySet::parse(&bytes)?));
        Ok(())
    }

    fn report(&self, error: &str) {
        tracing::warn!(issuer = %self.issuer, error, "key set can't be read, the old one stays");
    }
}

async fn read_file(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let size = tokio::fs::metadata(path)
        .await
        .map_err(|e| e.to_string())?
        .len();
    if size > MAX_SET as u64 {
        return Err(format!("{size} bytes, at most {MAX_SET} are allowed"));
    }
    tokio::fs::read(path).await.map_err(|e| e.to_string())
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

    fn set(key: &str) -> Result<KeySet, String> {
        KeySet::parse(format!("{{\"keys\":[{key}]}}").as_bytes())
    }

    #[test]
    fn other_keys_are_left_out() {
        for other in [
            r#"{"kty":"RSA","kid":"a","use":"enc","n":"AQAB","e":"AQAB"}"#,
            r#"{"kty":"EC","crv":"P-521","kid":"a","x":"AA","y":"AA"}"#,
            r#"{"kty":"PQC","kid":"a"}"#,
            r#"{"kty":"OKP","crv":"X25519","kid":"a","x":"AA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        ] {
            assert!(set(other).unwrap().is_empty(), "{other}");
        }
    }

    #[test]
    fn secret_small_and_broken_keys_fail_the_set() {
        for bad in [
            r#"{"kty":"oct","kid":"a","k":"c2VjcmV0"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AA","d":"AA"}"#,
            r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AA"}"#,
            r#"{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}"#,
            r#"{"kid":"a"}"#,
            "7",
        ] {
            assert!(set(bad).is_err(), "{bad}");
        }
        let key = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
        assert!(!set(key).unwrap().is_empty());
        assert!(set(&format!("{key},{key}")).is_err_and(|e| e.contains("twice")));
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
            assert!(KeySet::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn unknown_ids_read_the_set_again_at_most_every_30_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jwks.json");
        std::fs::write(&path, r#"{"keys":[]}"#).unwrap();
        let source = KeySource::open("i".into(), Location::File(path.clone()))
            .await
            .unwrap();
        assert!(source.key("a").await.is_none());
        let key = |id: &str| {
            format!(
                r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}]}}"#
            )
        };
        std::fs::write(&path, key("b")).unwrap();
        // Within the interval nothing is read, whatever ids are asked for.
        assert!(source.key("b").await.is_none());
        // As if the interval had passed.
        *source.last_read.lock().await = None;
        assert!(source.key("b").await.is_some());
        // Gone and broken sets leave the old keys in use.
        std::fs::write(&path, "broken").unwrap();
        source.refresh().await;
        assert!(source.key("b").await.is_some());
        std::fs::remove_file(&path).unwrap();
        source.refresh().await;
        assert!(source.key("b").await.is_some());
        std::fs::write(&path, key("c")).unwrap();
        source.refresh().await;
        assert!(source.cached("b").is_none());
    }
}
