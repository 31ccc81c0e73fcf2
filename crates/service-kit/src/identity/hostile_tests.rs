//! Tokens that must not pass, each with the reason it is refused for, and the few that
//! must.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

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

#[tokio::test]
async fn good_tokens_of_every_algorithm_pass() {
    let bench = Bench::new().await;
    let payload = claims().to_string();
    for (how, alg, kid) in [
        (Sign::Rs256, "RS256", "rsa"),
        (Sign::Rs256, "RS256", "rs-only"),
        (Sign::Ps256, "PS256", "rsa"),
        (Sign::Es256, "ES256", "ec"),
        (Sign::Ed, "EdDSA", "ed"),
    ] {
        let token = bench.keys.token(how, &header(alg, kid), &payload);
        let principal = bench.verify(&token).await.unwrap().principal;
        assert_eq!(principal.subject, "order-desk.medical");
        assert_eq!(principal.kind, PrincipalKind::Person);
        assert_eq!(
            principal.grants[0].to_string(),
            "operator@acme/europe/medical"
        );
        assert_eq!(principal.token_id.as_deref(), Some("t-1"));
    }
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let header = json!({"alg": "RS256", "typ": typ, "kid": "rsa"}).to_string();
        assert!(
            bench
                .verify(&bench.keys.token(Sign::Rs256, &header, &payload))
                .await
                .is_ok(),
            "{typ}"
        );
    }
    // Thumbprints and unknown header parameters change nothing.
    let header = r#"{"alg":"RS256","typ":"JWT","kid":"rsa","x5t":"abc","nonce":"n"}"#;
    assert!(
        bench
            .verify(&bench.keys.token(Sign::Rs256, header, &payload))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn algorithms_are_chosen_by_settings_and_keys() {
    let bench = Bench::new().await;
    let payload = claims().to_string();
    for (what, how, alg, kid, why) in [
        ("none", Sign::None, "none", "rsa", Refused::Form),
        (
            "none in other letters",
            Sign::Rs256,
            "NoNe",
            "rsa",
            Refused::Algorithm,
        ),
        (
            "none, signed",
            Sign::Rs256,
            "none",
            "rsa",
            Refused::Algorithm,
        ),
        (
            "HMAC with the public key",
            Sign::HsWithPublicKey,
            "HS256",
            "rsa",
            Refused::Algorithm,
        ),
        (
            "HMAC said to be RSA",
            Sign::HsWithPublicKey,
            "RS256",
            "rsa",
            Refused::Signature,
        ),
        ("RS384", Sign::Rs256, "RS384", "rsa", Refused::Algorithm),
        (
            "small letters",
            Sign::Rs256,
            "rs256",
            "rsa",
            Refused::Algorithm,
        ),
        (
            "PSS said to be PKCS#1",
            Sign::Ps256,
            "RS256",
            "rsa",
            Refused::Signature,
        ),
        (
            "PKCS#1 said to be PSS",
            Sign::Rs256,
            "PS256",
            "rsa",
            Refused::Signature,
        ),
        (
            "PSS with a key for PKCS#1",
            Sign::Ps256,
            "PS256",
            "rs-only",
            Refused::Algorithm,
        ),
        (
            "EC with an RSA key",
            Sign::Es256,
            "ES256",
            "rsa",
            Refused::Algorithm,
        ),
        (
            "RSA with an EC key",
            Sign::Rs256,
            "RS256",
            "ec",
            Refused::Algorithm,
        ),
        (
            "Ed with an EC key",
            Sign::Ed,
            "EdDSA",
            "ec",
            Refused::Algorithm,
        ),
        (
            "EC said to be Ed",
            Sign::Es256,
            "EdDSA",
            "ed",
            Refused::Signature,
        ),
        (
            "signature of another key",
            Sign::Ed,
            "RS256",
            "rsa",
            Refused::Signature,
        ),
    ] {
        let token = bench.keys.token(how, &header(alg, kid), &payload);
        bench.refused(what, &token, why).await;
    }
    // An algorithm of the closed list that this issuer doesn't use.
    let cluster = with(json!({"iss": CLUSTER}));
    bench
        .rs("not this issuer's", RS, &cluster, Refused::Algorithm)
        .await;
    for alg in [json!(7), json!(null), json!(["RS256"])] {
        let header = json!({"alg": alg, "typ": "JWT", "kid": "rsa"}).to_string();
        bench
            .rs("alg of another type", &header, &payload, Refused::Algorithm)
            .await;
    }
    bench
        .rs(
            "no alg",
            r#"{"typ":"JWT","kid":"rsa"}"#,
            &payload,
            Refused::Algorithm,
        )
        .await;
}

#[tokio::test]
async fn tokens_do_not_bring_their_own_keys() {
    let bench = Bench::new().await;
    let payload = claims().to_string();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"});
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", jwk),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ] {
        let mut header = json!({"alg": "RS256", "typ": "JWT", "kid": "rsa"});
        header[name] = value;
        bench
            .rs(name, &header.to_string(), &payload, Refused::Header(name))
            .await;
    }
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "rsa' OR '1'='1",
        "rsa\u{0}",
        "RSA",
        "rsa ",
        "https://evil.example/key",
    ] {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": kid}).to_string();
        bench.rs(kid, &header, &payload, Refused::Key).await;
    }
    for kid in [
        json!(""),
        json!(1),
        json!("k".repeat(300)),
        json!(["rsa"]),
        json!(null),
    ] {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": kid}).to_string();
        bench
            .rs("kid of another form", &header, &payload, Refused::Key)
            .await;
    }
    bench
        .rs(
            "no kid",
            r#"{"alg":"RS256","typ":"JWT"}"#,
            &payload,
            Refused::Missing("kid"),
        )
        .await;
}

#[tokio::test]
async fn types_of_other_tokens_are_refused() {
    let bench = Bench::new().await;
    let payload = claims().to_string();
    for typ in [
        json!("id+jwt"),
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!(""),
        json!(1),
        json!("JWT2"),
    ] {
        let header = json!({"alg": "RS256", "typ": typ, "kid": "rsa"}).to_string();
        bench.rs("typ", &header, &payload, Refused::Type).await;
    }
    bench
        .rs(
            "no typ",
            r#"{"alg":"RS256","kid":"rsa"}"#,
            &payload,
            Refused::Type,
        )
        .await;
}

#[tokio::test]
async fn times_are_numbers_within_the_skew() {
    let bench = Bench::new().await;
    let number = "is not a number of seconds since 1970";
    for name in ["exp", "iat", "nbf"] {
        for value in [
            json!((NOW + 600).to_string()),
            json!("never"),
            json!([NOW]),
            json!({"n": NOW}),
            json!(true),
            json!(-1),
            json!(1e300),
            json!(-1e300),
            json!(u64::MAX),
            json!(i64::MAX),
        ] {
            bench
                .changed(json!({ name: value }), Refused::Claim(name, number))
                .await;
        }
    }
    for (name, why) in [
        ("exp", Refused::Missing("exp")),
        ("iat", Refused::Missing("iat")),
    ] {
        bench.changed(json!({ name: null }), why).await;
    }
    let raw_null = claims()
        .to_string()
        .replace(&format!("\"exp\":{}", NOW + 600), "\"exp\":null");
    bench
        .rs("null exp", RS, &raw_null, Refused::Claim("exp", number))
        .await;

    bench
        .changed(json!({"exp": NOW - 60}), Refused::Expired)
        .await;
    bench
        .changed(json!({"exp": NOW - 3600}), Refused::Expired)
        .await;
    bench
        .changed(json!({"exp": 0, "iat": 0}), Refused::Expired)
        .await;
    bench
        .changed(json!({"nbf": NOW + 61}), Refused::NotYet("nbf"))
        .await;
    bench
        .changed(
            json!({"iat": NOW + 61, "exp": NOW + 600}),
            Refused::NotYet("iat"),
        )
        .await;
    bench
        .changed(
            json!({"iat": NOW, "exp": NOW}),
            Refused::Claim("exp", "is not after iat"),
        )
        .await;
    for edge in [
        json!({"exp": NOW - 59, "iat": NOW - 600}),
        json!({"nbf": NOW + 60}),
        json!({"iat": NOW + 60}),
        json!({"exp": 1_800_000_000.5, "iat": NOW - 1}),
    ] {
        let token = bench.keys.token(Sign::Rs256, RS, &with(edge.clone()));
        assert!(bench.verify(&token).await.is_ok(), "{edge}");
    }
}

#[tokio::test]
async fn issuer_audience_and_subject_are_checked() {
    let bench = Bench::new().await;
    bench
        .changed(json!({"iss": null}), Refused::Missing("iss"))
        .await;
    bench
        .changed(
            json!({"iss": [IDP]}),
            Refused::Claim("iss", "is not a string"),
        )
        .await;
    for name in [
        "https://evil.example",
        "https://idp.example/",
        "HTTPS://IDP.EXAMPLE",
        " https://idp.example",
        "",
    ] {
        bench.changed(json!({"iss": name}), Refused::Issuer).await;
    }
    bench
        .changed(json!({"aud": null}), Refused::Missing("aud"))
        .await;
    for other in [
        json!("other"),
        json!(["other"]),
        json!([]),
        json!("BYLAW"),
        json!(""),
    ] {
        bench
            .changed(json!({"aud": other}), Refused::Audience)
            .await;
    }
    bench
        .changed(
            json!({"aud": ["bylaw", 1]}),
            Refused::Claim("aud", "is not a list of strings"),
        )
        .await;
    bench
        .changed(
            json!({"aud": {"bylaw": 1}}),
            Refused::Claim("aud", "is not a string or a list of strings"),
        )
        .await;
    let token = bench.keys.token(
        Sign::Rs256,
        RS,
        &with(json!({"aud": ["other", "bylaw-api"]})),
    );
    assert!(bench.verify(&token).await.is_ok());

    bench
        .changed(json!({"sub": null}), Refused::Missing("sub"))
        .await;
    bench
        .changed(json!({"sub": 7}), Refused::Claim("sub", "is not a string"))
        .await;
    let unfit = "is empty, too long or has control characters";
    for subject in [json!(""), json!("a\nb"), json!("s".repeat(300))] {
        bench
            .changed(json!({"sub": subject}), Refused::Claim("sub", unfit))
            .await;
    }
    bench
        .changed(json!({"jti": 1}), Refused::Claim("jti", "is not a string"))
        .await;
    bench
        .changed(
            json!({"act": "svc"}),
            Refused::Claim("act", "is not an object"),
        )
        .await;
    bench
        .changed(json!({"act": {}}), Refused::Missing("act.sub"))
        .await;
}

#[tokio::test]
async fn grants_are_what_the_issuer_may_give() {
    let bench = Bench::new().await;
    let form = Refused::Claim("grants", "has an entry that is not role@scope");
    for bad in [
        "operator",
        "operator@",
        "operator@ACME",
        "operator@acme/../x",
        "@acme",
        "op erator@acme",
    ] {
        bench.changed(json!({"roles": [bad]}), form.clone()).await;
    }
    let list = Refused::Claim("grants", "is not a list of strings");
    for bad in [
        json!("operator@acme"),
        json!([1]),
        json!({"a": 1}),
        json!([["operator@acme"]]),
    ] {
        bench.changed(json!({"roles": bad}), list.clone()).await;
    }
    let many: Vec<_> = (0..257).map(|i| format!("r{i}@a")).collect();
    bench
        .changed(
            json!({"roles": many}),
            Refused::Claim("grants", "are too many"),
        )
        .await;
    let theirs = Refused::Claim("grants", "are none that this issuer may give");
    bench
        .changed(
            json!({"kind": "service", "roles": ["bylaw-exceptions@acme"]}),
            theirs.clone(),
        )
        .await;
    bench
        .changed(
            json!({"kind": "service", "roles": ["event-source@*"]}),
            theirs,
        )
        .await;
    let everywhere = Refused::Claim("grants", "hold everywhere, which only a service's may");
    bench
        .changed(json!({"roles": ["operator@*"]}), everywhere)
        .await;
    bench
        .changed(json!({"kind": null}), Refused::Missing("kind"))
        .await;
    bench
        .changed(
            json!({"kind": "god"}),
            Refused::Claim("kind", "is none of person, service, model"),
        )
        .await;
    bench
        .changed(
            json!({"kind": ["person"]}),
            Refused::Claim("kind", "is not a string"),
        )
        .await;
}

#[tokio::test]
async fn claims_and_settings_make_the_principal() {
    let bench = Bench::new().await;
    // Settings know the subject: their word on kind and grants replaces the token's.
    let payload =
        with(json!({"sub": "known-adapter", "roles": ["council@acme"], "kind": "person"}));
    let known = bench
        .verify(&bench.keys.token(Sign::Rs256, RS, &payload))
        .await
        .unwrap()
        .principal;
    assert_eq!(
        (known.kind, known.grants.len()),
        (PrincipalKind::Service, 1)
    );
    assert_eq!(known.grants[0].to_string(), "event-source@acme");
    assert_eq!(known.provenance(), super::Provenance::Erp);
    // What a token says it may assert counts for nothing.
    let payload = with(json!({"asserts": ["ERP"], "owner": "me"}));
    let other = bench
        .verify(&bench.keys.token(Sign::Rs256, RS, &payload))
        .await
        .unwrap()
        .principal;
    assert_eq!(other.provenance(), super::Provenance::Person);
    // The cluster's issuer: no typ, kind by default, roles and units in nested claims,
    // and its own subject of a name that settings know of another issuer.
    let payload = with(json!({
        "iss": CLUSTER, "sub": "known-adapter", "kind": null, "roles": null,
        "bylaw": {"roles": ["bylaw-aigate", "event-source"], "units": ["acme/europe", "acme/asia"]},
    }));
    let token = bench
        .keys
        .token(Sign::Es256, r#"{"alg":"ES256","kid":"ec"}"#, &payload);
    let principal = bench.verify(&token).await.unwrap().principal;
    assert_eq!(principal.kind, PrincipalKind::Service);
    assert_eq!(principal.grants.len(), 4);
    assert!(principal.asserts.is_empty());
    let payload = with(json!({"act": {"sub": "exchange"}}));
    let acted = bench
        .verify(&bench.keys.token(Sign::Rs256, RS, &payload))
        .await
        .unwrap();
    assert_eq!(acted.act.as_deref(), Some("exchange"));
}

#[tokio::test]
async fn malformed_tokens_are_refused() {
    let bench = Bench::new().await;
    let good = bench.keys.token(Sign::Rs256, RS, &claims().to_string());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let form = [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        head.into(),
        format!("{head}.{body}"),
        format!("{head}.{body}."),
        format!("{head}..{signature}"),
        format!("{good}.{signature}"),
        format!("{head}.{body}.{signature}="),
        format!("{head}.{body}.{signature} "),
        format!(" {good}"),
        format!("{head}.{body}.{}+", &signature[1..]),
        format!("{head}\n.{body}.{signature}"),
    ];
    for token in &form {
        bench.refused(token, token, Refused::Form).await;
    }
    for cut in [1, 5, 40, 200] {
        assert!(
            bench.verify(&good[..good.len() - cut]).await.is_err(),
            "cut by {cut}"
        );
    }
    // Another payload under the same signature.
    let other = B64.encode(with(json!({"roles": ["council@acme"]})));
    bench
        .refused(
            "payload swapped",
            &format!("{head}.{other}.{signature}"),
            Refused::Signature,
        )
        .await;
    let other = B64.encode(r#"{"alg":"RS256","typ":"JWT","kid":"rs-only"}"#);
    bench
        .refused(
            "header swapped",
            &format!("{other}.{body}.{signature}"),
            Refused::Signature,
        )
        .await;
    let zeros = B64.encode([0; 256]);
    bench
        .refused(
            "signature of zeros",
            &format!("{head}.{body}.{zeros}"),
            Refused::Signature,
        )
        .await;
    let point = header("ES256", "ec");
    let signed = format!("{}.{body}.{}", B64.encode(point), B64.encode([0; 64]));
    bench
        .refused("ECDSA with r and s of zero", &signed, Refused::Signature)
        .await;

    let payload = claims().to_string();
    let twice = payload.replacen('{', r#"{"roles":["council@acme"],"#, 1);
    bench
        .rs("claim twice", RS, &twice, Refused::Json("payload"))
        .await;
    let escaped = payload.replacen('{', r#"{"r\u006fles":["council@acme"],"#, 1);
    bench
        .rs(
            "claim twice, once escaped",
            RS,
            &escaped,
            Refused::Json("payload"),
        )
        .await;
    bench
        .rs(
            "alg twice",
            r#"{"alg":"none","alg":"RS256","typ":"JWT","kid":"rsa"}"#,
            &payload,
            Refused::Json("header"),
        )
        .await;
    for bad in ["", "[]", "null", "\"x\"", "{", "{}x", "\u{feff}{}"] {
        if !bad.is_empty() {
            bench.rs(bad, RS, bad, Refused::Json("payload")).await;
            bench.rs(bad, bad, &payload, Refused::Json("header")).await;
        }
    }
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    bench.rs("deep", RS, &deep, Refused::Json("payload")).await;
    let huge = with(json!({"x": "x".repeat(20_000)}));
    bench.rs("oversized", RS, &huge, Refused::TooLong).await;
}
