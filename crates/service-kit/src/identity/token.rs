//! Verifying one token (RFC 7515, 7519, and the advice of RFC 8725).

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::{
    Algorithm, IssuerSettings, Principal, claims,
    jwks::{Key, KeySource},
    principals::Principals,
    strict,
};

/// Longest token in bytes; a header list may have 16 KiB, and two tokens must fit.
pub(super) const MAX_TOKEN: usize = 7 * 1024;

/// Longest key id in bytes.
const MAX_KEY_ID: usize = 256;

/// Header parameters that let a token bring its own key, or change how it is read.
const REFUSED_HEADERS: [&str; 8] = ["jku", "x5u", "jwk", "x5c", "crit", "b64", "zip", "enc"];

/// Why a token is refused. The texts are public; none quotes what the token holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("longer than {MAX_TOKEN} bytes")]
    TooLong,
    #[error("not three parts in base64url")]
    Form,
    #[error("{0} is no JSON object with each name once")]
    Json(&'static str),
    #[error("header has `{0}`, which is not accepted")]
    Header(&'static str),
    #[error("header `typ` is not an accepted one")]
    Type,
    #[error("algorithm is not one that the issuer uses")]
    Algorithm,
    #[error("issuer is unknown")]
    Issuer,
    #[error("key is unknown")]
    Key,
    #[error("signature does not match")]
    Signature,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` {1}")]
    Claim(&'static str, &'static str),
    #[error("expired")]
    Expired,
    #[error("`{0}` lies in the future")]
    NotYet(&'static str),
    #[error("meant for another audience")]
    Audience,
}

impl Refused {
    /// A short, closed set for metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Form | Self::Json(_) => "malformed",
            Self::Header(_) | Self::Type => "header",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Missing(_) | Self::Claim(..) => "claim",
            Self::Expired => "expired",
            Self::NotYet(_) => "not_yet",
            Self::Audience => "audience",
        }
    }
}

/// An issuer with its keys.
pub(super) struct Issuer {
    pub settings: IssuerSettings,
    pub keys: Arc<KeySource>,
}

/// A token that was verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub principal: Arc<Principal>,
    /// The service that the issuer says acts for the subject (RFC 8693).
    pub act: Option<String>,
    pub key_id: String,
}

/// Verifies tokens of the configured issuers.
pub(super) struct Verifier {
    issuers: HashMap<String, Issuer>,
    principals: Principals,
    skew: TimeDelta,
}

struct Header {
    algorithm: Algorithm,
    key_id: String,
    typ: Option<String>,
}

impl Verifier {
    pub(super) fn new(issuers: Vec<Issuer>, principals: Principals, skew: TimeDelta) -> Self {
        let issuers = issuers
            .into_iter()
            .map(|issuer| (issuer.settings.issuer.clone(), issuer))
            .collect();
        Self {
            issuers,
            principals,
            skew,
        }
    }

    pub(super) fn issuers(&self) -> impl Iterator<Item = &Issuer> {
        self.issuers.values()
    }

    /// How far clocks may differ.
    pub(super) fn skew(&self) -> TimeDelta {
        self.skew
    }

    /// Whether the key that verified a token is still one of its issuer's.
    pub(super) fn still_trusted(&self, verified: &Verified) -> bool {
        self.issuers
            .get(&verified.principal.issuer)
            .is_some_and(|issuer| issuer.keys.cached(&verified.key_id).is_some())
    }

    /// Verifies a compact JWS. Nothing of it is believed before its signature is
    /// checked but the issuer's name and the key's, which only choose among what
    /// settings trust.
    pub(super) async fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Verified, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::Form)?;
        if payload.contains('.') {
            return Err(Refused::Form);
        }
        decode(signature)?;
        let header = read_header(&decode(header)?)?;
        let claims = strict::object(&decode(payload)?).map_err(|_| Refused::Json("payload"))?;

        let issuer = self.issuer(&claims)?;
        check_header(&header, &issuer.settings)?;
        let key = issuer.keys.key(&header.key_id).await.ok_or(Refused::Key)?;
        check_signature(&key, header.algorithm, signed, signature)?;

        let registered = claims::registered(&claims, &issuer.settings.audience, now, self.skew)?;
        let act = registered.act.clone();
        Ok(Verified {
            principal: Arc::new(claims::principal(
                &issuer.settings,
                &self.principals,
                &claims,
                registered,
            )?),
            act,
            key_id: header.key_id,
        })
    }

    fn issuer(&self, claims: &Map<String, Value>) -> Result<&Issuer, Refused> {
        let name = match claims.get("iss") {
            Some(Value::String(name)) => name,
            Some(_) => return Err(Refused::Claim("iss", "is not a string")),
            None => return Err(Refused::Missing("iss")),
        };
        self.issuers.get(name).ok_or(Refused::Issuer)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    if part.is_empty() {
        return Err(Refused::Form);
    }
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Form)
}

fn read_header(bytes: &[u8]) -> Result<Header, Refused> {
    let header = strict::object(bytes).map_err(|_| Refused::Json("header"))?;
    if let Some(name) = REFUSED_HEADERS
        .into_iter()
        .find(|name| header.contains_key(*name))
    {
        return Err(Refused::Header(name));
    }
    let algorithm = header
        .get("alg")
        .and_then(Value::as_str)
        .and_then(Algorithm::parse);
    let key_id = match header.get("kid") {
        None => return Err(Refused::Missing("kid")),
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_KEY_ID => id.clone(),
        Some(_) => return Err(Refused::Key),
    };
    let typ = match header.get("typ") {
        None => None,
        Some(Value::String(typ)) => Some(typ.clone()),
        Some(_) => return Err(Refused::Type),
    };
    Ok(Header {
        algorithm: algorithm.ok_or(Refused::Algorithm)?,
        key_id,
        typ,
    })
}

fn check_header(header: &Header, issuer: &IssuerSettings) -> Result<(), Refused> {
    if !issuer.algorithms.contains(&header.algorithm) {
        return Err(Refused::Algorithm);
    }
    match &header.typ {
        None if issuer.typ_required => Err(Refused::Type),
        None => Ok(()),
        // RFC 7515, 4.1.9: `application/` may be left out.
        Some(typ) => {
            let short = typ
                .get(..12)
                .filter(|p| p.eq_ignore_ascii_case("application/"));
            let typ = if short.is_some() {
                &typ[12..]
            } else {
                typ.as_str()
            };
            let accepted = issuer.typ.iter().any(|t| t.eq_ignore_ascii_case(typ));
            accepted.then_some(()).ok_or(Refused::Type)
        }
    }
}

fn check_signature(
    key: &Key,
    algorithm: Algorithm,
    signed: &str,
    signature: &str,
) -> Result<(), Refused> {
    // The key says what it is for; a token can't have it used for another algorithm.
    if !key.serves(algorithm) {
        return Err(Refused::Algorithm);
    }
    let matches = jsonwebtoken::crypto::verify(
        signature,
        signed.as_bytes(),
        key.decoding(),
        algorithm.to_library(),
    );
    if matches.unwrap_or(false) {
        Ok(())
    } else {
        Err(Refused::Signature)
    }
}

impl Algorithm {
    fn to_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::RS256 => jsonwebtoken::Algorithm::RS256,
            Self::PS256 => jsonwebtoken::Algorithm::PS256,
            Self::ES256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDSA => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}
