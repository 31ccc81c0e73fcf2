//! Claims, grants and malformed texts.

use super::*;
use crate::identity::Provenance;

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
    assert_eq!(known.provenance(), Provenance::Erp);
    // What a token says it may assert counts for nothing.
    let payload = with(json!({"asserts": ["ERP"], "owner": "me"}));
    let other = bench
        .verify(&bench.keys.token(Sign::Rs256, RS, &payload))
        .await
        .unwrap()
        .principal;
    assert_eq!(other.provenance(), Provenance::Person);
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
