//! Tokens that must not pass, each with the reason it is refused for, and the few that
//! must.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod claims;
mod keys;

use std::sync::Arc;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Algorithm, ClaimMapping, IssuerSettings, PrincipalKind,
    jwks::{KeySource, Location},
    principals::Principals,
    token::{Issuer, Refused, Verified, Verifier},
};

const NOW: i64 = 1_800_000_000;
const IDP: &str = "https://idp.example";
const CLUSTER: &str = "https://cluster.example";

struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

#[derive(Clone, Copy)]
enum Sign {
    Rs256,
    Ps256,
    Es256,
    Ed,
    /// HMAC with the bytes of the RSA public key as the secret.
    HsWithPublicKey,
    None,
}

impl Keys {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn jwks(&self) -> Vec<u8> {
        // RSAPublicKey of RFC 8017: a header of 9 bytes, a modulus of 256, exponent 65537.
        let n = &self.rsa.public_key().as_ref()[9..265];
        let point = self.ec.public_key().as_ref();
        let keys = json!({"keys": [
            {"kty": "RSA", "kid": "rsa", "use": "sig", "n": B64.encode(n), "e": "AQAB"},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "x": B64.encode(&point[1..33]), "y": B64.encode(&point[33..])},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": B64.encode(self.ed.public_key().as_ref())},
            {"kty": "RSA", "kid": "rs-only", "alg": "RS256", "n": B64.encode(n), "e": "AQAB"},
        ]});
        keys.to_string().into_bytes()
    }

    fn sign(&self, how: Sign, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let mut rsa = vec![0; self.rsa.public_modulus_len()];
        match how {
            Sign::Rs256 => {
                self.rsa
                    .sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut rsa)
                    .unwrap();
                rsa
            }
            Sign::Ps256 => {
                self.rsa
                    .sign(&signature::RSA_PSS_SHA256, &random, message, &mut rsa)
                    .unwrap();
                rsa
            }
            Sign::Es256 => self.ec.sign(&random, message).unwrap().as_ref().to_vec(),
            Sign::Ed => self.ed.sign(message).as_ref().to_vec(),
            Sign::HsWithPublicKey => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.rsa.public_key().as_ref());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Sign::None => Vec::new(),
        }
    }

    fn token(&self, how: Sign, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", B64.encode(header), B64.encode(payload));
        let signature = B64.encode(self.sign(how, signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

fn issuer(name: &str, algorithms: &[Algorithm]) -> IssuerSettings {
    IssuerSettings {
        issuer: name.into(),
        jwks_file: None,
        jwks_url: None,
        jwks_ca_file: None,
        jwks_token_file: None,
        audience: vec!["bylaw".into(), "bylaw-api".into()],
        algorithms: algorithms.to_vec(),
        typ: vec!["JWT".into(), "at+jwt".into()],
        typ_required: true,
        internal: false,
        default_kind: None,
        claims: ClaimMapping::default(),
    }
}

async fn verifier(keys: &Keys) -> Verifier {
    let idp = issuer(
        IDP,
        &[
            Algorithm::RS256,
            Algorithm::PS256,
            Algorithm::ES256,
            Algorithm::EdDSA,
        ],
    );
    let cluster = IssuerSettings {
        typ_required: false,
        internal: true,
        default_kind: Some(PrincipalKind::Service),
        claims: ClaimMapping {
            grants: "/bylaw/roles".into(),
            scopes: Some("/bylaw/units".into()),
            ..ClaimMapping::default()
        },
        ..issuer(CLUSTER, &[Algorithm::ES256])
    };
    let mut issuers = Vec::new();
    for settings in [idp, cluster] {
        let location = Location::Memory(keys.jwks());
        let keys = Arc::new(
            KeySource::open(settings.issuer.clone(), location)
                .await
                .unwrap(),
        );
        issuers.push(Issuer { settings, keys });
    }
    let principals = Principals::parse(
        "principals.yaml",
        "principals: {known-adapter: {kind: service, grants: [event-source@acme], asserts: [ERP]}}",
        IDP,
    );
    Verifier::new(issuers, principals.unwrap(), TimeDelta::seconds(60))
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": IDP, "sub": "order-desk.medical", "aud": "bylaw", "jti": "t-1",
        "iat": NOW - 10, "exp": NOW + 600, "kind": "person",
        "roles": ["operator@acme/europe/medical"],
    })
}

/// The good claims with some changed; null takes one away.
fn with(changes: Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    claims.to_string()
}

fn header(alg: &str, kid: &str) -> String {
    json!({"alg": alg, "typ": "JWT", "kid": kid}).to_string()
}

const RS: &str = r#"{"alg":"RS256","typ":"JWT","kid":"rsa"}"#;

struct Bench {
    keys: Keys,
    verifier: Verifier,
}

impl Bench {
    async fn new() -> Self {
        let keys = Keys::new();
        let verifier = verifier(&keys).await;
        Self { keys, verifier }
    }

    async fn verify(&self, token: &str) -> Result<Verified, Refused> {
        self.verifier.verify(token, now()).await
    }

    async fn refused(&self, what: &str, token: &str, why: Refused) {
        match self.verify(token).await {
            Ok(_) => panic!("{what}: accepted"),
            Err(refused) => assert_eq!(refused, why, "{what}"),
        }
    }

    /// Signed well, with these header and payload.
    async fn rs(&self, what: &str, header: &str, payload: &str, why: Refused) {
        let token = self.keys.token(Sign::Rs256, header, payload);
        self.refused(what, &token, why).await;
    }

    /// Signed well, with the good claims changed.
    async fn changed(&self, changes: Value, why: Refused) {
        self.rs(&changes.to_string(), RS, &with(changes.clone()), why)
            .await;
    }
}
