//! Algorithms, keys, types and times.

use super::*;

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
