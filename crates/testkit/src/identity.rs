//! Tokens of the development issuer, and of issuers that settings name.

use std::{path::Path, time::Duration};

use chrono::{DateTime, Utc};
use service_kit::identity::{
    Algorithm, ClaimMapping, DevIssuer, Grant, IssuerSettings, PrincipalKind,
};
use tempfile::TempDir;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// How long tokens hold.
const TTL: Duration = Duration::from_secs(12 * 60 * 60);

/// Mints tokens that suites with this data directory accept.
pub struct Tokens(DevIssuer);

impl Tokens {
    /// The issuer of a data directory.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self(DevIssuer::open_or_create(data_dir).expect("the development issuer opens"))
    }

    /// A token; `grants` such as `operator@acme/europe/medical`.
    #[must_use]
    pub fn mint(
        &self,
        subject: &str,
        kind: PrincipalKind,
        grants: &[&str],
        now: DateTime<Utc>,
    ) -> String {
        let grants: Vec<Grant> = grants
            .iter()
            .map(|grant| grant.parse().unwrap_or_else(|e| panic!("{grant}: {e}")))
            .collect();
        self.0
            .mint(subject, kind, &grants, TTL, now)
            .expect("a token is minted")
    }

    /// The issuer itself, for tokens that are refused.
    #[must_use]
    pub fn issuer(&self) -> &DevIssuer {
        &self.0
    }
}

/// An issuer that settings name, with a folder that must outlive the suite.
pub struct Provider {
    name: &'static str,
    issuer: DevIssuer,
    dir: TempDir,
}

impl Provider {
    /// A new one, with a key of its own.
    ///
    /// # Panics
    /// If its folder can't be made.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let issuer = DevIssuer::open_or_create(dir.path()).expect("an issuer opens");
        Self { name, issuer, dir }
    }

    /// How settings name it.
    #[must_use]
    pub fn settings(&self) -> IssuerSettings {
        IssuerSettings {
            issuer: self.name.to_owned(),
            jwks_file: Some(self.dir.path().join("jwks.json")),
            jwks_url: None,
            jwks_ca_file: None,
            jwks_token_file: None,
            audience: vec!["bylaw".to_owned()],
            algorithms: vec![Algorithm::EdDSA],
            typ: vec!["JWT".to_owned()],
            typ_required: true,
            internal: false,
            default_kind: None,
            claims: ClaimMapping::default(),
        }
    }

    /// A token; `grants` such as `operator@acme/europe/medical`.
    #[must_use]
    pub fn mint(
        &self,
        subject: &str,
        kind: PrincipalKind,
        grants: &[&str],
        now: DateTime<Utc>,
    ) -> String {
        self.issuer.sign(&serde_json::json!({
            "iss": self.name, "sub": subject, "aud": "bylaw",
            "kind": kind.as_str(), "roles": grants,
            "iat": now.timestamp(), "exp": now.timestamp() + 3_600,
            "jti": uuid::Uuid::new_v4(),
        }))
    }
}

/// Adds a token to every call, and that of the person acted for.
#[derive(Clone, Default)]
pub struct Bearer {
    token: Option<MetadataValue<Ascii>>,
    on_behalf_of: Option<MetadataValue<Ascii>>,
}

impl Bearer {
    /// Calls with this token; an empty one is left out.
    #[must_use]
    pub fn new(token: &str) -> Self {
        let value = || format!("Bearer {token}").parse().expect("a token is ASCII");
        Self {
            token: (!token.is_empty()).then(value),
            on_behalf_of: None,
        }
    }

    /// Acts for the person with this token.
    #[must_use]
    pub fn on_behalf_of(mut self, token: &str) -> Self {
        self.on_behalf_of = Some(token.parse().expect("a token is ASCII"));
        self
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(token) = &self.token {
            metadata.insert("authorization", token.clone());
        }
        if let Some(token) = &self.on_behalf_of {
            metadata.insert(service_kit::client::ON_BEHALF_OF, token.clone());
        }
        Ok(request)
    }
}

/// A channel with a token: what generated clients take.
pub type Calls = InterceptedService<Channel, Bearer>;
