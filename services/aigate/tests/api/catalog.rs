//! The registry and the use cases from files.

use aigate::domain::catalog::{Catalog, Source};
use contracts::aigate as wire;

use crate::world::*;

fn read(text: &str) -> Result<Catalog, String> {
    let source = Source {
        path: "ai.yaml".into(),
        line: 1,
        text: text.into(),
    };
    Catalog::read(&[source]).map_err(|problems| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

const MODEL: &str = "kind: Model
name: m
version: '1'
artifact_digest: sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
risk_tier: LOW
owner: o
subjects: [s]
autonomy: {}
released: true
";

const USE_CASE: &str = "kind: UseCase
name: u
review_timeout: 4h
operations: {act: {workflow: w, audience: erp, arguments: {n: {type: number}}}}
gate:
  inputs: [confidence]
  hit_policy: UNIQUE
  rows:
    - {id: all, then: {verdict: REVIEW}}
";

#[test]
fn whose_subjects_speak_for_a_model_is_known_or_it_does_not_start() {
    let named = |text: &str, issuer: Option<&str>| {
        let mut catalog = read(text).unwrap();
        catalog.name_issuer(issuer).map(|()| {
            let model = catalog.model("models/m/versions/1").unwrap();
            let issuers = ["https://a", "https://b"];
            issuers.map(|issuer| model.is_spoken_for_by(issuer, "s"))
        })
    };
    assert_eq!(named(MODEL, Some("https://a")), Ok([true, false]));
    let other = MODEL.replace("[s]", "[{issuer: 'https://b', subject: s}]");
    assert_eq!(named(&other, Some("https://a")), Ok([false, true]));
    assert_eq!(named(&other, None), Ok([false, true]));
    let error = named(MODEL, None).unwrap_err();
    assert!(error.contains("models/m/versions/1"), "{error}");
    assert!(error.contains("principals_issuer"), "{error}");
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    assert_eq!(read(MODEL).map(|_| ()), Ok(()));
    assert_eq!(read(USE_CASE).map(|_| ()), Ok(()));
    for (from, to, why) in [
        ("risk_tier: LOW", "risk_tier: NONE", "NONE"),
        ("owner: o", "owner: s", "owner"),
        ("owner: o", "owner: ''", "owner"),
        ("subjects: [s]", "subjects: []", "subjects"),
        (
            "subjects: [s]",
            "subjects: [a, b, c, d, e, f, g, h, i, j, k, l, m]",
            "subjects",
        ),
        ("sha256:5f", "sha256:zz", "artifact_digest"),
        ("owner: o", "owner: s", "owner"),
        ("owner: o", "owner: {issuer: i, subject: s}", "owner"),
        ("owner: o", "owner: {issuer: i}", "subject"),
        (
            "owner: o",
            "owner: {issuer: i, subject: s, kind: person}",
            "kind",
        ),
        ("name: m", "name: M", "name"),
        ("version: '1'", "version: 'a b'", "version"),
        ("autonomy: {}", "autonomy: {x: FULL}", "FULL"),
        ("autonomy: {}", "autonomy: {x: OFF}", "no use case"),
        ("released: true", "released: true\nspeed: fast", "speed"),
        ("released: true\n", "", "released"),
        (
            "autonomy: {}",
            "autonomy: {}\nevaluation: {accuracy: high}",
            "accuracy",
        ),
    ] {
        let error = read(&MODEL.replace(from, to)).map(|_| ()).unwrap_err();
        assert!(
            error.contains(why) && error.starts_with("ai.yaml:"),
            "{to}: {error}"
        );
    }
    for (from, to, why) in [
        ("review_timeout: 4h", "review_timeout: 4x", "4x"),
        ("review_timeout: 4h", "review_timeout: 0h", "0h"),
        ("review_timeout: 4h", "review_timeout: 31d", "31d"),
        ("workflow: w, ", "", "workflow"),
        ("type: number", "type: numeral", "numeral"),
        (
            "type: number",
            "type: number, fact: order.margin",
            "`argument.`",
        ),
        ("verdict: REVIEW", "verdict: MAYBE", "MAYBE"),
        ("verdict: REVIEW", "outcome: REVIEW", "outcome"),
        ("inputs: [confidence]", "inputs: [certainty]", "certainty"),
        ("name: u", "name: u\ncolour: red", "colour"),
    ] {
        let error = read(&USE_CASE.replace(from, to)).map(|_| ()).unwrap_err();
        assert!(
            error.contains(why) && error.starts_with("ai.yaml:"),
            "{to}: {error}"
        );
    }
    let twice = format!("{MODEL}---\n{MODEL}");
    assert!(read(&twice).is_err_and(|e| e.contains("twice")));
    let champions = MODEL.replace("released: true", "aliases: [champion]\nreleased: true");
    let second = champions.replace("version: '1'", "version: '2'");
    assert!(read(&format!("{champions}---\n{second}")).is_err_and(|e| e.contains("champion")));
}

testkit::backends! {
    async fn the_registry_is_read(backend: Backend) {
        let world = World::start(backend).await;
        let name = "models/fulfilment-advisor/aliases/champion".to_owned();
        let request = wire::GetModelVersionRequest { name };
        let model = world
            .reviewer()
            .get_model_version(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(model.name, "models/fulfilment-advisor/versions/3");
        assert_eq!(model.owner, "model-owner.medical");
        assert_eq!(model.owner_principal.unwrap().issuer, "", "of whatever issuer");
        let development = service_kit::identity::DEVELOPMENT_ISSUER;
        assert_eq!(model.principals[0].issuer, development);
        assert_eq!(model.evaluation["accuracy"], "0.943");
        let missing = wire::GetModelVersionRequest {
            name: "models/none/versions/1".into(),
        };
        refused(
            world.reviewer().get_model_version(missing).await,
            tonic::Code::NotFound,
            "NOT_FOUND",
        );
        let mut names = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = wire::ListModelVersionsRequest {
                page_size: 2,
                page_token,
            };
            let page = world
                .reviewer()
                .list_model_versions(request)
                .await
                .unwrap()
                .into_inner();
            names.extend(page.model_versions.into_iter().map(|m| m.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(names.len(), 6);
        assert!(names.is_sorted(), "{names:?}");
        let bootstrapped = || async {
            world
                .harness
                .log
                .records()
                .iter()
                .any(|r| r.r#type == "bylaw.aigate.catalog.bootstrapped.v1")
        };
        testkit::eventually(std::time::Duration::from_secs(20), bootstrapped).await;
        // The log takes no record of nobody.
        let named =
            |r: &contracts::audit::Record| r.actor.as_ref().is_some_and(|a| !a.issuer.is_empty());
        assert!(world.harness.log.records().iter().all(named));
    }
}
