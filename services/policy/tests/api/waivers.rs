//! Waivers: asked for and approved as changes, used, counted, and gone when their time or
//! their row is.

use contracts::{
    policy::{
        ChangeState, CheckChangeRequest, GetWaiverRequest, ListWaiversRequest, Waiver, WaiverState,
        waiver_service_client::WaiverServiceClient,
    },
    types::Effect,
};
use tonic::Code;

use crate::{
    changes::{People, activate, approve, client, in_force, proposal, reviewed},
    fixture::{ENTERPRISE, Fixture, MEDICAL, TOOLS, question, refusal},
};

pub fn waiver(digest: &str) -> String {
    format!(
        "kind: Waiver\nname: quarter-end\npolicy: hold_release.enterprise\nrow: large\n\
         row_digest: '{digest}'\nscope: corp/west/tools\nbeneficiary: sales\n\
         expires: 2099-01-01T00:00:00Z\nreason: the quarter ends\ninputs: [order.total]\n\
         hit_policy: UNIQUE\nrows:\n  - {{id: waived, when: {{order.total: '<= 5000'}}, then: {{effect: ALLOW}}}}\n"
    )
}

/// What a check says the row's digest is.
async fn digest(people: &mut People) -> String {
    let change = people
        .editor
        .propose_change(proposal(&waiver("sha256:00")))
        .await
        .unwrap();
    let name = change.into_inner().name;
    let request = CheckChangeRequest {
        name,
        ..CheckChangeRequest::default()
    };
    let change = people
        .editor
        .check_change(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(change.state(), ChangeState::Draft);
    let problems = change.review.unwrap().problems;
    let told = problems[0]
        .message
        .strip_prefix("row_digest: row large is ");
    told.unwrap_or_else(|| panic!("{problems:?}")).to_owned()
}

async fn decided(fixture: &Fixture, scope: &str, total: &str) -> (Effect, Vec<String>) {
    let answer = fixture
        .erp()
        .decide(question(scope, total, "1"))
        .await
        .unwrap();
    let decision = answer.into_inner().decision.unwrap();
    (decision.effect(), decision.waivers)
}

async fn shown(fixture: &Fixture, grant: &str) -> Result<Waiver, tonic::Status> {
    let mut waivers = WaiverServiceClient::new(fixture.harness.person("reader", &[grant]));
    let name = "waivers/quarter-end".to_owned();
    Ok(waivers
        .get_waiver(GetWaiverRequest { name })
        .await?
        .into_inner())
}

testkit::backends! {
    async fn a_waiver_is_approved_used_and_counted(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let digest = digest(&mut people).await;
        // Who has the benefit neither asks for it nor approves it.
        let mut sales = client(&fixture, "sales", "policy-editor@corp");
        let refused = sales.propose_change(proposal(&waiver(&digest))).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "SOD_BENEFICIARY".into()));
        let change = reviewed(&mut people.editor, proposal(&waiver(&digest))).await;
        assert!(change.review.as_ref().unwrap().loosens);
        assert_eq!(change.scopes, [TOOLS]);
        let needed: Vec<_> = change.required_approvals.iter().map(|r| (&*r.role, &*r.at)).collect();
        assert_eq!(needed, [("council", "corp")]);
        let mut sales = client(&fixture, "sales", "council@corp");
        let refused = approve(&mut sales, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "SOD_BENEFICIARY".into()));
        let change = approve(&mut people.council, &change).await.unwrap();
        activate(&mut people.activator, &change).await.unwrap();

        let used = vec!["waivers/quarter-end".to_owned()];
        assert_eq!(decided(&fixture, TOOLS, "4000 EUR").await, (Effect::Allow, used.clone()));
        assert_eq!(decided(&fixture, TOOLS, "5000 EUR").await, (Effect::Allow, used));
        assert_eq!(decided(&fixture, TOOLS, "5001 EUR").await, (Effect::RequireApproval, vec![]));
        assert_eq!(decided(&fixture, MEDICAL, "4000 EUR").await, (Effect::RequireApproval, vec![]));
        let found = shown(&fixture, "auditor@corp").await.unwrap();
        assert_eq!((found.state(), found.uses), (WaiverState::Active, 2));
        assert!(found.last_use_time.is_some() && found.source.contains("the quarter ends"));
        // Another unit doesn't see it.
        let hidden = shown(&fixture, "unit-leader@corp/west/medical").await.unwrap_err();
        assert_eq!(hidden.code(), Code::NotFound);
        let mut waivers = WaiverServiceClient::new(fixture.harness.person("l", &["unit-leader@corp/west/medical"]));
        let none = waivers.list_waivers(ListWaiversRequest::default()).await.unwrap().into_inner();
        assert!(none.waivers.is_empty());

        // Its row changes: it lapses, and says so.
        let other = ENTERPRISE.replace("{role: credit-lead, count: 1}", "{role: credit-lead, count: 2}");
        let change = reviewed(&mut people.editor, proposal(&other)).await;
        let mut peer = client(&fixture, "peer", "policy-editor@corp");
        let change = approve(&mut peer, &change).await.unwrap();
        activate(&mut people.activator, &change).await.unwrap();
        assert_eq!(decided(&fixture, TOOLS, "4000 EUR").await, (Effect::RequireApproval, vec![]));
        assert_eq!(shown(&fixture, "auditor@corp").await.unwrap().state(), WaiverState::Lapsed);
    }

    async fn its_time_ends_it(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let digest = digest(&mut people).await;
        let until = fixture.harness.clock.now() + chrono::TimeDelta::hours(3);
        let until = until.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let short = waiver(&digest).replace("2099-01-01T00:00:00Z", &until);
        in_force(&mut people, proposal(&short)).await;
        assert_eq!(decided(&fixture, TOOLS, "4000 EUR").await.0, Effect::Allow);
        fixture.clock.advance(chrono::TimeDelta::hours(3));
        assert_eq!(decided(&fixture, TOOLS, "4000 EUR").await.0, Effect::RequireApproval);
        assert_eq!(shown(&fixture, "auditor@corp").await.unwrap().state(), WaiverState::Expired);
        // One that is over is not asked for.
        let renamed = short.replace("quarter-end", "too-late");
        let change = people.editor.propose_change(proposal(&renamed)).await.unwrap().into_inner();
        let request = CheckChangeRequest { name: change.name, ..CheckChangeRequest::default() };
        let change = people.editor.check_change(request).await.unwrap().into_inner();
        assert!(change.review.unwrap().problems[0].message.contains("has passed"));
    }
}
