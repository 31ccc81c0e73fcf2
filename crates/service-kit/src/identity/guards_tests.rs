//! The guards as a server has them: callers of metadata, acting for a person,
//! revocation, and both layers in a row.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use contracts::policy::{DecideRequest, GetRevisionRequest};
use governance::Scope;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use prost::Message;
use tempfile::TempDir;
use tonic::body::Body;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::*;
use crate::{
    access::AccessTable,
    clock::{Clock as _, Manual},
    error::{Error, Kind, Reason},
};

struct Bench {
    dir: TempDir,
    clock: Arc<Manual>,
    guards: Guards,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Manual::new(Utc::now()));
        let guards = Guards::open(&Settings::default(), true, dir.path(), clock.clone())
            .await
            .unwrap();
        Self { dir, clock, guards }
    }

    fn token(&self, subject: &str, kind: PrincipalKind, grant: &str) -> String {
        let issuer = DevIssuer::open(self.dir.path()).unwrap();
        let grants = [grant.parse().unwrap()];
        let ttl = Duration::from_secs(600);
        issuer
            .mint(subject, kind, &grants, ttl, self.clock.now())
            .unwrap()
    }

    fn person(&self, grant: &str) -> String {
        self.token("ann", PrincipalKind::Person, grant)
    }

    fn aigate(&self) -> String {
        self.token("bylaw-aigate", PrincipalKind::Service, "bylaw-aigate@*")
    }

    async fn caller(&self, headers: &[(&'static str, String)]) -> Result<Caller, Error> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        self.guards.authenticator().authenticate(&map).await
    }

    async fn reason(&self, headers: &[(&'static str, String)]) -> Reason {
        self.caller(headers).await.unwrap_err().reason()
    }
}

fn auth(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

fn behalf(token: &str) -> (&'static str, String) {
    ("on-behalf-of", token.to_owned())
}

#[tokio::test]
async fn the_header_is_one_bearer_token() {
    let bench = Bench::new().await;
    let token = bench.person("operator@acme");
    assert_eq!(
        bench.caller(&[auth(&token)]).await.unwrap().actor().subject,
        "ann"
    );
    let lower = ("authorization", format!("bearer {token}"));
    assert!(bench.caller(&[lower]).await.is_ok());
    assert_eq!(bench.reason(&[]).await, Reason::TokenMissing);
    for bad in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer  {token}"),
        "Bearer ".into(),
        String::new(),
    ] {
        assert_eq!(
            bench.reason(&[("authorization", bad.clone())]).await,
            Reason::TokenInvalid,
            "{bad}"
        );
    }
    assert_eq!(
        bench.reason(&[auth(&token), auth(&token)]).await,
        Reason::TokenInvalid
    );
    let shown = format!("{:?}", bench.caller(&[auth(&token)]).await.unwrap());
    assert!(!shown.contains(&token), "tokens stay out of logs");
}

#[tokio::test]
async fn only_internal_services_act_for_a_person() {
    let bench = Bench::new().await;
    let person = bench.person("reviewer@acme/europe/medical");
    let caller = bench
        .caller(&[auth(&bench.aigate()), behalf(&person)])
        .await
        .unwrap();
    assert_eq!(caller.principal().subject, "bylaw-aigate");
    assert_eq!(caller.actor().subject, "ann");
    assert_eq!(caller.via(), Some("bylaw-aigate"));
    assert_eq!(caller.person_token(), Some(person.as_str()));
    assert!(caller.is_service("bylaw-aigate"));
    // Both must hold what is asked for.
    let at = |scope: &str| Scope::parse(scope).unwrap();
    let request = "exceptions.action.request";
    assert!(caller.require(request, &at("acme/europe/medical")).is_ok());
    assert!(
        caller
            .require(request, &at("acme/europe/industrial"))
            .is_err()
    );
    assert!(
        caller
            .require("policy.action.authorize", &at("acme/europe/medical"))
            .is_err()
    );
    assert!(
        caller
            .require("aigate.recommendation.review", &at("acme/europe/medical"))
            .is_err()
    );

    let adapter = bench.token("erp", PrincipalKind::Service, "event-source@acme");
    let policy = bench.token("bylaw-policy", PrincipalKind::Service, "bylaw-policy@*");
    for other in [&person, &adapter, &policy] {
        let reason = bench.reason(&[auth(other), behalf(&person)]).await;
        assert_eq!(reason, Reason::PermissionDenied);
    }
    for bad in [
        adapter.clone(),
        bench.aigate(),
        "x.y.z".into(),
        String::new(),
    ] {
        let reason = bench.reason(&[auth(&bench.aigate()), behalf(&bad)]).await;
        assert_eq!(reason, Reason::TokenInvalid, "{bad}");
    }
    let twice = [auth(&bench.aigate()), behalf(&person), behalf(&person)];
    assert_eq!(bench.reason(&twice).await, Reason::TokenInvalid);
}

#[tokio::test]
async fn revocations_hold_at_once_and_for_cached_tokens() {
    let bench = Bench::new().await;
    let token = bench.person("reviewer@acme");
    let caller = bench.caller(&[auth(&token)]).await.unwrap();
    let id = caller.principal().token_id.clone().unwrap();
    let revocations = bench.guards.revocations();
    revocations.revoke_token(DEVELOPMENT_ISSUER, "another");
    revocations.revoke_subject("https://elsewhere", "ann");
    assert!(bench.caller(&[auth(&token)]).await.is_ok());
    revocations.revoke_token(DEVELOPMENT_ISSUER, &id);
    assert_eq!(bench.reason(&[auth(&token)]).await, Reason::TokenRevoked);
    let other = bench.person("reviewer@acme");
    assert!(bench.caller(&[auth(&other)]).await.is_ok());
    revocations.revoke_subject(DEVELOPMENT_ISSUER, "ann");
    assert_eq!(bench.reason(&[auth(&other)]).await, Reason::TokenRevoked);
    let for_ann = [auth(&bench.aigate()), behalf(&other)];
    assert_eq!(bench.reason(&for_ann).await, Reason::TokenRevoked);
    revocations.replace(RevocationSet::default());
    assert!(bench.caller(&[auth(&token)]).await.is_ok());
}

#[tokio::test]
async fn a_cached_token_expires_too() {
    let bench = Bench::new().await;
    let token = bench.person("operator@acme");
    assert!(bench.caller(&[auth(&token)]).await.is_ok());
    bench.clock.advance(TimeDelta::seconds(600 + 59));
    assert!(bench.caller(&[auth(&token)]).await.is_ok());
    bench.clock.advance(TimeDelta::seconds(1));
    assert_eq!(bench.reason(&[auth(&token)]).await, Reason::TokenInvalid);
}

#[tokio::test]
async fn revocations_come_from_a_file_that_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revocations.yaml");
    let write = |items: &str| std::fs::write(&path, format!("revocations: {items}")).unwrap();
    write("[]");
    let settings = Settings {
        revocations_file: Some(path.clone()),
        ..Settings::default()
    };
    let clock = Arc::new(Manual::new(Utc::now()));
    let guards = Guards::open(&settings, true, dir.path(), clock.clone())
        .await
        .unwrap();
    let bench = Bench { dir, clock, guards };
    let shutdown = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(bench.guards.refresh(shutdown.clone()));
    let token = bench.person("operator@acme");
    let caller = bench.caller(&[auth(&token)]).await.unwrap();
    let (revocations, ann) = (bench.guards.revocations(), caller.principal());
    let becomes = async |revoked: bool| {
        let until = async {
            while revocations.contains(ann) != revoked {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), until).await;
        assert!(waited.is_ok(), "revoked: {revoked}");
    };
    write(&format!(
        "[{{issuer: '{DEVELOPMENT_ISSUER}', subject: ann}}]"
    ));
    becomes(true).await;
    assert_eq!(bench.reason(&[auth(&token)]).await, Reason::TokenRevoked);
    let jti = ann.token_id.clone().unwrap();
    write(&format!(
        "[{{issuer: '{DEVELOPMENT_ISSUER}', token: other}}]"
    ));
    becomes(false).await;
    write(&format!(
        "[{{issuer: '{DEVELOPMENT_ISSUER}', token: '{jti}'}}]"
    ));
    becomes(true).await;
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn the_development_issuer_is_for_development() {
    let bench = Bench::new().await;
    let settings = Settings::default();
    assert!(settings.validate(false).is_err());
    assert!(settings.validate(true).is_ok());
    let closed = Guards::open(&settings, false, bench.dir.path(), bench.clock.clone())
        .await
        .unwrap();
    let mut headers = HeaderMap::new();
    let token = bench.person("operator@acme");
    headers.insert(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    );
    let error = closed
        .authenticator()
        .authenticate(&headers)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (Kind::Unauthenticated, Reason::TokenInvalid)
    );
}

#[tokio::test]
async fn a_service_has_a_token_of_its_own() {
    let bench = Bench::new().await;
    let clock: Arc<Manual> = bench.clock.clone();
    let open = |settings: &Settings, development| {
        TokenSource::open(
            settings,
            development,
            bench.dir.path(),
            "aigate",
            clock.clone(),
        )
    };
    let source = open(&Settings::default(), true).unwrap();
    let first = source.token().unwrap();
    let caller = bench.caller(&[auth(&first)]).await.unwrap();
    assert!(caller.is_service("bylaw-aigate"));
    assert_eq!(caller.scopes("audit.record.append"), Scopes::All);
    bench.clock.advance(TimeDelta::minutes(9));
    assert_eq!(source.token().unwrap(), first);
    bench.clock.advance(TimeDelta::minutes(2));
    assert_ne!(source.token().unwrap(), first);
    // A projected file is read again; while it is gone, what was read stays.
    assert!(open(&Settings::default(), false).is_err());
    let path = bench.dir.path().join("token");
    let settings = Settings {
        token_file: Some(path.clone()),
        ..Settings::default()
    };
    assert!(open(&settings, false).is_err());
    std::fs::write(&path, "one\n").unwrap();
    let source = open(&settings, false).unwrap();
    assert_eq!(&*source.token().unwrap(), "one");
    std::fs::write(&path, "two").unwrap();
    assert_eq!(&*source.token().unwrap(), "one");
    bench.clock.advance(TimeDelta::seconds(31));
    assert_eq!(&*source.token().unwrap(), "two");
    std::fs::remove_file(&path).unwrap();
    bench.clock.advance(TimeDelta::seconds(31));
    assert_eq!(&*source.token().unwrap(), "two");
}

const DECIDE: &str = "/bylaw.policy.v1.DecisionService/Decide";

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

impl Bench {
    /// The status code that both layers and a handler that always says yes answer, and
    /// the bytes the handler got.
    async fn call(&self, path: &str, token: Option<&str>, body: Vec<u8>) -> (String, usize) {
        let handler = service_fn(|request: Request<Body>| async move {
            let got = request.into_body().collect().await.unwrap().to_bytes();
            let mut answer = Response::new(Body::empty());
            answer.headers_mut().insert("got", got.len().into());
            Ok::<_, Infallible>(answer)
        });
        let stack = self
            .guards
            .authenticate()
            .layer(self.guards.authorize().layer(handler));
        let mut request = Request::post(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request
            .body(Body::new(Full::new(Bytes::from(body))))
            .unwrap();
        let answer = stack.oneshot(request).await.unwrap();
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.map(|v| v.to_str().unwrap().to_owned())
        };
        let got = header("got").map_or(0, |got| got.parse().unwrap());
        (header("grpc-status").unwrap_or_else(|| "0".into()), got)
    }
}

#[tokio::test]
async fn the_layers_ask_for_the_permission_where_the_request_says() {
    let bench = Bench::new().await;
    let operator = bench.person("operator@acme/europe/medical");
    let at = |scope: &str| {
        let request = DecideRequest {
            scope: scope.into(),
            workflow: "w".repeat(5_000),
            ..Default::default()
        };
        framed(&request.encode_to_vec())
    };
    let code = async |path: &str, token: Option<&str>, body: Vec<u8>| {
        bench.call(path, token, body).await.0
    };
    let body = at("acme/europe/medical/basel");
    let whole = body.len();
    assert_eq!(
        bench.call(DECIDE, Some(&operator), body.clone()).await,
        ("0".into(), whole)
    );
    assert_eq!(code(DECIDE, None, body.clone()).await, "16");
    assert_eq!(code(DECIDE, Some("a.b.c"), body.clone()).await, "16");
    let auditor = bench.person("auditor@acme");
    assert_eq!(code(DECIDE, Some(&auditor), body.clone()).await, "7");
    for outside in [
        "acme",
        "acme/europe",
        "acme/europe/industrial",
        "acme/europe/medical-devices",
    ] {
        assert_eq!(
            code(DECIDE, Some(&operator), at(outside)).await,
            "7",
            "{outside}"
        );
    }
    for malformed in ["", "*", "ACME", "acme/../acme"] {
        assert_eq!(
            code(DECIDE, Some(&operator), at(malformed)).await,
            "3",
            "{malformed}"
        );
    }
    assert_eq!(code(DECIDE, Some(&operator), Vec::new()).await, "3");
    assert_eq!(
        code(DECIDE, Some(&operator), body[..whole - 1].to_vec()).await,
        "3"
    );
    // Two scopes: what the handler would read is what is checked.
    let mut two = DecideRequest {
        scope: "acme/europe/medical".into(),
        ..Default::default()
    }
    .encode_to_vec();
    two.extend(
        DecideRequest {
            scope: "acme".into(),
            ..Default::default()
        }
        .encode_to_vec(),
    );
    assert_eq!(code(DECIDE, Some(&operator), framed(&two)).await, "7");

    let revision = framed(&GetRevisionRequest::default().encode_to_vec());
    let path = "/bylaw.policy.v1.PolicyService/GetRevision";
    assert_eq!(code(path, Some(&auditor), revision.clone()).await, "0");
    assert_eq!(
        code(
            path,
            Some(&bench.person("recommender@acme")),
            revision.clone()
        )
        .await,
        "7"
    );
    assert_eq!(
        code("/grpc.health.v1.Health/Check", None, revision.clone()).await,
        "0"
    );
    assert_eq!(code("/unknown.Service/Method", None, revision).await, "16");
}

#[tokio::test]
async fn public_words_of_a_caller_are_its_own() {
    let table = Arc::new(AccessTable::shipped().unwrap());
    let principal = |subject: &str, kind, grants: &[&str]| Principal {
        issuer: "i".into(),
        subject: subject.into(),
        kind,
        grants: grants.iter().map(|g| g.parse().unwrap()).collect(),
        token_id: None,
        expires: Utc::now(),
        asserts: Vec::new(),
        owner: None,
    };
    let person = principal(
        "ann",
        PrincipalKind::Person,
        &["policy-editor@acme", "council@acme"],
    );
    let caller = Caller::new(person.clone(), None, table.clone());
    let error = caller.require_no_conflict().unwrap_err();
    assert_eq!(error.reason(), Reason::SodConflictingRoles);
    assert!(caller.require_person().is_ok());
    assert!(caller.person_token().is_none());
    let model = principal("bot", PrincipalKind::Model, &["recommender@acme"]);
    let caller = Caller::new(model, None, table.clone());
    assert_eq!(
        caller.require_person().unwrap_err().reason(),
        Reason::RequesterUnknown
    );
    assert!(caller.require_no_conflict().is_ok());
    let service = principal("bylaw-aigate", PrincipalKind::Service, &["bylaw-aigate@*"]);
    let caller = Caller::new(service, Some(Arc::new(person)), table);
    assert!(
        caller.require_no_conflict().is_err(),
        "the person's roles count too"
    );
    assert!(caller.require_somewhere("policy.policy.read").is_err());
    let error = caller.out_of_scope("exceptions/1", &Scope::parse("acme").unwrap());
    assert_eq!(error.kind(), Kind::NotFound);
}
