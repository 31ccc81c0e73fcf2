//! Receipts: signed decisions that an executing system checks without calling back.
//!
//! A receipt is a compact JWS (RFC 7515) with the algorithm EdDSA over Ed25519 (RFC
//! 8037), whose payload is the claims below as canonical JSON (RFC 8785). Decimals are
//! normalised strings, so that no reader takes them for doubles.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use decision::Value;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use governance::{Scope, canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// `typ` of the header: keeps receipts apart from other tokens of the same key.
pub const TYPE: &str = "bylaw-receipt+jwt";
/// Clocks may differ by this much.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);
/// At most this many bytes in a receipt.
pub const MAX_BYTES: usize = 256 * 1024;

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed: the policy service's issuer name.
    pub iss: String,
    /// The executing system.
    pub aud: String,
    /// Unique id; an executor keeps it until `exp` and takes it once.
    pub jti: String,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// When it stops being valid, in seconds since 1970.
    pub exp: i64,
    /// Workflow.
    pub workflow: String,
    /// Scope of the transaction.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// `type/id` of the document acted on.
    pub document: String,
    /// Resource name of the action that was authorized.
    pub action: String,
    /// What the action does in the executing system.
    pub operation: String,
    /// Arguments of the operation; decimals as normalised strings.
    pub arguments: Json,
    /// `decisions/{decision}` it rests on.
    pub decision: String,
    /// Digest of the canonical request: what the approvals were bound to.
    pub digest: String,
    /// Revision of the policies.
    pub revision: u64,
    /// Obligations the executor or its caller takes on.
    pub obligations: Vec<String>,
}

/// Arguments as claims.
#[must_use]
pub fn arguments(arguments: &BTreeMap<String, Value>) -> Json {
    arguments
        .iter()
        .map(|(name, value)| (name.clone(), canonical::value(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A signed receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// `jti`.
    pub id: Uuid,
    /// Compact JWS.
    pub jws: String,
    /// When it stops being valid.
    pub expires: DateTime<Utc>,
    /// `aud`.
    pub audience: String,
}

/// A public key as a JSON Web Key (RFC 7517, RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The public key.
    pub x: String,
    /// Thumbprint (RFC 7638).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `EdDSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The private key; never published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
}

/// A set of public keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// Why a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No JSON Web Key.
    #[error("expected a JSON Web Key with kty OKP, crv Ed25519, x and d")]
    Malformed,
    /// Public and private part don't belong together.
    #[error("x is not the public key of d")]
    Mismatch,
}

/// A key that signs receipts.
#[derive(Clone)]
pub struct Key {
    signing: SigningKey,
    kid: String,
}

impl Key {
    /// A key of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let kid = thumbprint(&encode(signing.verifying_key().as_bytes()));
        Self { signing, kid }
    }

    /// Reads a private JSON Web Key.
    ///
    /// # Errors
    /// If it is none, or its parts don't belong together.
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyError::Malformed)?;
        let d = jwk.d.as_deref().ok_or(KeyError::Malformed)?;
        let seed = decode32(d).ok_or(KeyError::Malformed)?;
        if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
            return Err(KeyError::Malformed);
        }
        let key = Self::from_seed(&seed);
        if key.public().x == jwk.x {
            Ok(key)
        } else {
            Err(KeyError::Mismatch)
        }
    }

    /// The private JSON Web Key.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        let mut jwk = self.public();
        jwk.d = Some(encode(&self.signing.to_bytes()));
        serde_json::to_string(&jwk).unwrap_or_default()
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> Jwk {
        Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: encode(self.signing.verifying_key().as_bytes()),
            kid: Some(self.kid.clone()),
            alg: Some("EdDSA".into()),
            usage: Some("sig".into()),
            d: None,
        }
    }

    /// Signs claims.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.kid, "typ": TYPE});
        let payload = serde_json::to_value(claims).unwrap_or_default();
        let signed = format!(
            "{}.{}",
            encode(canonical::text(&header).as_bytes()),
            encode(canonical::text(&payload).as_bytes())
        );
        let signature = self.signing.sign(signed.as_bytes());
        format!("{signed}.{}", encode(&signature.to_bytes()))
    }
}

/// Keys stay out of logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Why a receipt isn't valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// No receipt at all.
    #[error("not a compact JWS of type {TYPE} with EdDSA")]
    Malformed,
    /// A key that isn't in the set.
    #[error("signed with a key that the key set doesn't hold")]
    UnknownKey,
    /// The signature doesn't fit.
    #[error("the signature doesn't fit")]
    Signature,
    /// Meant for another system.
    #[error("meant for {0:?}")]
    Audience(String),
    /// No longer valid.
    #[error("expired at {0}")]
    Expired(DateTime<Utc>),
    /// Signed in the future.
    #[error("signed in the future")]
    NotYet,
}

/// Checks a receipt as an executing system does: signature with a key of the set,
/// audience, expiry. The executor must also keep `jti` until `exp` and refuse it twice.
///
/// # Errors
/// Why it isn't valid.
pub fn verify(
    jws: &str,
    jwks: &Jwks,
    audience: &str,
    now: DateTime<Utc>,
) -> Result<Claims, Invalid> {
    let (signed, header, payload, signature) = split(jws).ok_or(Invalid::Malformed)?;
    let header: Json = serde_json::from_slice(&header).map_err(|_| Invalid::Malformed)?;
    if header["alg"] != "EdDSA" || header["typ"] != TYPE {
        return Err(Invalid::Malformed);
    }
    let kid = header["kid"].as_str().ok_or(Invalid::Malformed)?;
    let key = jwks
        .keys
        .iter()
        // By what the key is, not by what the set calls it.
        .find(|jwk| jwk.kty == "OKP" && jwk.crv == "Ed25519" && thumbprint(&jwk.x) == kid)
        .and_then(|jwk| VerifyingKey::from_bytes(&decode32(&jwk.x)?).ok())
        .ok_or(Invalid::UnknownKey)?;
    let signature = Signature::from_slice(&signature).map_err(|_| Invalid::Malformed)?;
    key.verify_strict(signed.as_bytes(), &signature)
        .map_err(|_| Invalid::Signature)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Invalid::Malformed)?;
    if claims.aud != audience {
        return Err(Invalid::Audience(claims.aud));
    }
    let expires = DateTime::from_timestamp(claims.exp, 0).ok_or(Invalid::Malformed)?;
    let issued = DateTime::from_timestamp(claims.iat, 0).ok_or(Invalid::Malformed)?;
    if now >= expires {
        return Err(Invalid::Expired(expires));
    }
    if issued - now > CLOCK_SKEW {
        return Err(Invalid::NotYet);
    }
    Ok(claims)
}

/// What is signed, and the decoded header, payload and signature.
type Parts<'a> = (&'a str, Vec<u8>, Vec<u8>, Vec<u8>);

fn split(jws: &str) -> Option<Parts<'_>> {
    if jws.len() > MAX_BYTES {
        return None;
    }
    let (signed, signature) = jws.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    Some((
        signed,
        decode(header)?,
        decode(payload)?,
        decode(signature)?,
    ))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode32(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// RFC 7638, with the members that RFC 8037 names for an octet key pair.
fn thumbprint(x: &str) -> String {
    let form = canonical::text(&json!({"crv": "Ed25519", "kty": "OKP", "x": x}));
    encode(&Sha256::digest(form.as_bytes()))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn time(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn claims() -> Claims {
        let number = Value::Number("12.50".parse().unwrap());
        Claims {
            iss: "bylaw-policy".into(),
            aud: "erp".into(),
            jti: "j".into(),
            iat: 1_000,
            exp: 1_300,
            workflow: "credit_hold_release".into(),
            scope: "acme".parse().unwrap(),
            correlation_id: "C".into(),
            document: "order/1".into(),
            action: "actions/1".into(),
            operation: "release_order".into(),
            arguments: arguments(&BTreeMap::from([("quantity".into(), number)])),
            decision: "decisions/1".into(),
            digest: "sha256:00".into(),
            revision: 1,
            obligations: Vec::new(),
        }
    }

    fn key() -> (Key, Jwks) {
        let key = Key::from_seed(&[7; 32]);
        let jwks = Jwks {
            keys: vec![key.public()],
        };
        (key, jwks)
    }

    #[test]
    fn a_receipt_is_valid_for_its_audience_until_it_expires() {
        let (key, jwks) = key();
        let jws = key.sign(&claims());
        assert_eq!(verify(&jws, &jwks, "erp", time(1_299)), Ok(claims()));
        assert_eq!(claims().arguments["quantity"], "12.5");
        let check =
            |audience: &str, now: i64| verify(&jws, &jwks, audience, time(now)).unwrap_err();
        assert_eq!(check("wms", 1_100), Invalid::Audience("erp".into()));
        assert_eq!(check("erp", 1_300), Invalid::Expired(time(1_300)));
        assert_eq!(check("erp", 900), Invalid::NotYet);
    }

    #[test]
    fn an_altered_receipt_is_refused() {
        let (key, jwks) = key();
        let jws = key.sign(&claims());
        let mut other = claims();
        other.arguments = json!({"quantity": "1250"});
        let forged = key.sign(&other);
        let (signed, _) = forged.rsplit_once('.').unwrap();
        let (_, signature) = jws.rsplit_once('.').unwrap();
        let mixed = format!("{signed}.{signature}");
        assert_eq!(
            verify(&mixed, &jwks, "erp", time(1_100)),
            Err(Invalid::Signature)
        );
        let stranger = Key::from_seed(&[8; 32]).sign(&claims());
        assert_eq!(
            verify(&stranger, &jwks, "erp", time(1_100)),
            Err(Invalid::UnknownKey)
        );
    }

    #[test]
    fn other_algorithms_and_texts_are_refused() {
        let (_, jwks) = key();
        let none = format!("{}.{}.", encode(b"{\"alg\":\"none\"}"), encode(b"{}"));
        for bad in ["", ".", "..", "a.b.c", &none, "é.é.é"] {
            assert_eq!(
                verify(bad, &jwks, "erp", time(1)),
                Err(Invalid::Malformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn keys_survive_the_round_trip_and_are_checked() {
        let (key, _) = key();
        let read = Key::from_jwk(&key.to_jwk()).unwrap();
        assert_eq!(read.public(), key.public());
        let mut mixed: Jwk = serde_json::from_str(&key.to_jwk()).unwrap();
        mixed.x = Key::from_seed(&[8; 32]).public().x;
        let text = serde_json::to_string(&mixed).unwrap();
        assert_eq!(Key::from_jwk(&text).err(), Some(KeyError::Mismatch));
        assert_eq!(Key::from_jwk("{}").err(), Some(KeyError::Malformed));
        assert!(!format!("{key:?}").contains(&encode(&[7; 32])));
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037, appendix A.3.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    proptest::proptest! {
        #[test]
        fn no_damaged_receipt_is_valid(at in 0..400_usize, with in "[A-Za-z0-9._=é-]{0,3}") {
            let (key, jwks) = key();
            let jws = key.sign(&claims());
            let mut text: Vec<char> = jws.chars().collect();
            let at = at.min(text.len());
            let end = (at + 1).min(text.len());
            text.splice(at..end, with.chars());
            let damaged: String = text.into_iter().collect();
            if damaged != jws {
                proptest::prop_assert!(verify(&damaged, &jwks, "erp", time(1_100)).is_err());
            }
        }
    }
}
