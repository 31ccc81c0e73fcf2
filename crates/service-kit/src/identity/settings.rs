//! The `[identity]` section.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::PrincipalKind;

/// Whose tokens are accepted, and what is known of their subjects.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Issuers of tokens. May be empty only in development, where the development
    /// issuer of the data directory is added.
    pub issuers: Vec<IssuerSettings>,
    /// How far clocks may differ, at most five minutes.
    #[serde(with = "crate::settings::duration")]
    pub clock_skew: Duration,
    /// File that says of subjects their kind, grants, what they may assert, and owner.
    pub principals_file: Option<PathBuf>,
    /// Issuer of the subjects in that file that name none; may be absent where only one
    /// issuer is configured.
    pub principals_issuer: Option<String>,
    /// File that says which subjects and tokens are revoked; read again when it changes.
    pub revocations_file: Option<PathBuf>,
    /// Access table instead of the shipped one.
    pub access_file: Option<PathBuf>,
    /// File with this service's own token, such as a projected service-account token.
    pub token_file: Option<PathBuf>,
    /// Verified tokens remembered.
    pub token_cache: u64,
    /// How often key sets are read again, at least every 30 seconds apart.
    #[serde(with = "crate::settings::duration")]
    pub refresh: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            clock_skew: Duration::from_secs(60),
            principals_file: None,
            principals_issuer: None,
            revocations_file: None,
            access_file: None,
            token_file: None,
            token_cache: 10_000,
            refresh: Duration::from_secs(300),
        }
    }
}

/// An issuer of tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// `iss`, compared exactly.
    pub issuer: String,
    /// Key set (RFC 7517) in a file; or else `jwks_url`.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// Key set at an `https` URL (`http` only in development).
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// PEM file with the authorities that the URL's certificate is checked against;
    /// absent: the public ones.
    #[serde(default)]
    pub jwks_ca_file: Option<PathBuf>,
    /// File with a token that the URL is asked with, as Kubernetes wants it; sent over
    /// TLS only.
    #[serde(default)]
    pub jwks_token_file: Option<PathBuf>,
    /// Audiences, one of which a token must name.
    #[serde(default = "default_audience")]
    pub audience: Vec<String>,
    /// Algorithms accepted, from the closed list.
    pub algorithms: Vec<Algorithm>,
    /// Header types accepted, compared without case.
    #[serde(default = "default_typ")]
    pub typ: Vec<String>,
    /// Whether a token must carry a type; Kubernetes' tokens carry none.
    #[serde(default = "yes")]
    pub typ_required: bool,
    /// Whether this issuer may speak for Bylaw's own services (roles `bylaw-…`) and grant
    /// roles everywhere (`role@*`).
    #[serde(default)]
    pub internal: bool,
    /// Kind of subjects whose token names none; absent: such a token is refused unless
    /// the principals file knows the subject.
    #[serde(default)]
    pub default_kind: Option<PrincipalKind>,
    /// Which claims hold what.
    #[serde(default)]
    pub claims: ClaimMapping,
}

/// Which claims hold what: a top-level name, or a JSON pointer such as
/// `/realm_access/roles`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimMapping {
    /// Array of `role@scope`; with `scopes`, array of roles.
    pub grants: String,
    /// `person`, `service` or `model`.
    pub kind: String,
    /// Array of scopes, each of which every role in `grants` holds at.
    pub scopes: Option<String>,
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            grants: "roles".into(),
            kind: "kind".into(),
            scopes: None,
        }
    }
}

/// Signature algorithms that can be chosen. There is no symmetric one and no `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "RS256" => Some(Self::RS256),
            "PS256" => Some(Self::PS256),
            "ES256" => Some(Self::ES256),
            "EdDSA" => Some(Self::EdDSA),
            _ => None,
        }
    }
}

fn default_audience() -> Vec<String> {
    vec!["bylaw".into()]
}

fn default_typ() -> Vec<String> {
    vec!["JWT".into(), "at+jwt".into()]
}

fn yes() -> bool {
    true
}

impl Settings {
    /// Issuer of the subjects that files name without one: `principals_issuer`, or else
    /// the only issuer there is. `None` where there are several, and it isn't said.
    #[must_use]
    pub fn subjects_issuer(&self, development: bool) -> Option<&str> {
        if let Some(issuer) = &self.principals_issuer {
            return Some(issuer);
        }
        match (self.issuers.as_slice(), development) {
            ([only], false) => Some(&only.issuer),
            ([], true) => Some(super::DEVELOPMENT_ISSUER),
            _ => None,
        }
    }

    /// Checks the section as a whole.
    ///
    /// # Errors
    /// With the first setting that can't be, and why.
    pub fn validate(&self, development: bool) -> Result<(), String> {
        if self.issuers.is_empty() && !development {
            return Err("identity.issuers is empty: name at least one issuer of tokens".into());
        }
        if self.clock_skew > Duration::from_secs(300) {
            return Err("identity.clock_skew is more than 5m".into());
        }
        if self.refresh < Duration::from_secs(30) {
            return Err("identity.refresh is less than 30s".into());
        }
        if self.token_cache == 0 {
            return Err("identity.token_cache is 0, at least 1 is wanted".into());
        }
        for (index, issuer) in self.issuers.iter().enumerate() {
            issuer
                .validate(development)
                .map_err(|e| format!("identity.issuers[{index}] ({}): {e}", issuer.issuer))?;
            if self.issuers[..index]
                .iter()
                .any(|other| other.issuer == issuer.issuer)
            {
                return Err(format!("identity.issuers names {:?} twice", issuer.issuer));
            }
        }
        if self.principals_file.is_some() && self.subjects_issuer(development).is_none() {
            return Err(
                "identity.principals_issuer is missing: with several issuers it must say whose \
                 subjects identity.principals_file speaks of"
                    .into(),
            );
        }
        Ok(())
    }
}

impl IssuerSettings {
    fn validate(&self, development: bool) -> Result<(), String> {
        if self.issuer.is_empty() {
            return Err("issuer is empty".into());
        }
        if self.issuer == super::DEVELOPMENT_ISSUER {
            return Err("this is the development issuer, which can't be configured".into());
        }
        if self.algorithms.is_empty() {
            return Err(
                "algorithms is empty: name at least one of RS256, PS256, ES256, EdDSA".into(),
            );
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return Err("audience needs at least one name, none of them empty".into());
        }
        match (&self.jwks_file, &self.jwks_url) {
            (Some(_), None) => Ok(()),
            (None, Some(url)) if url.starts_with("https://") => Ok(()),
            (None, Some(url)) if url.starts_with("http://") && development => Ok(()),
            (None, Some(_)) => Err("jwks_url is no https URL".into()),
            (None, None) => Err("neither jwks_file nor jwks_url is given".into()),
            (Some(_), Some(_)) => Err("both jwks_file and jwks_url are given".into()),
        }
    }
}
