//! Changes with several replicas and several people at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use contracts::{
    policy::{
        ApproveChangeRequest, ChangeState, GetChangeRequest, GetEffectivePolicyRequest,
        GetRevisionRequest, WatchRevisionsRequest, change_service_client::ChangeServiceClient,
        decision_service_client::DecisionServiceClient,
    },
    types::{Effect, PolicyMode},
};
use futures::future::join_all;
use service_kit::identity::PrincipalKind;
use testkit::eventually;
use tonic::Code;

use crate::{
    bootstrap::{calls, replica},
    changes::{People, activate, approve, client, in_force, proposal, reviewed, threshold},
    fixture::{Fixture, GUARDRAIL, MEDICAL, TOOLS, files, question, refusal},
};

const PATIENCE: Duration = Duration::from_secs(20);

testkit::backends! {
    async fn it_comes_into_force_whole_and_everywhere(backend: Backend) {
        let (store, log) = (backend.store(), testkit::sink::AuditLog::new());
        let address = log.serve().await;
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let first = replica(store.url(), folders[0].path(), &address, files()).await.unwrap();
        let second = replica(store.url(), folders[1].path(), &address, files()).await.unwrap();
        let person = |name: &str, grant: &str| {
            ChangeServiceClient::new(calls(&first, folders[0].path(), name, PrincipalKind::Person, grant))
        };
        let mut people = People {
            editor: person("owner", "policy-editor@corp"),
            council: person("council", "council@corp"),
            activator: person("platform", "activator@corp"),
        };
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let change = approve(&mut people.council, &change).await.unwrap();

        let over = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..16)
            .map(|caller| {
                let (replica, folder) = if caller % 2 == 0 { (&first, &folders[0]) } else { (&second, &folders[1]) };
                let grant = "event-source@corp";
                let calls = calls(replica, folder.path(), "erp-adapter", PrincipalKind::Service, grant);
                let (mut client, over) = (DecisionServiceClient::new(calls), over.clone());
                tokio::spawn(async move {
                    let mut seen = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        let answer = client.decide(question(TOOLS, "1500 EUR", "1")).await.unwrap();
                        let decision = answer.into_inner().decision.unwrap();
                        seen.push((decision.revision, decision.effect(), decision.layers[0].version));
                    }
                    seen
                })
            })
            .collect();
        let began = Instant::now();
        let change = activate(&mut people.activator, &change).await.unwrap();
        assert_eq!(change.revision, 2);
        let here = began.elapsed();
        let policies = crate::bootstrap::editor(&second, folders[1].path());
        eventually(PATIENCE, || {
            let mut policies = policies.clone();
            async move {
                let now = policies.get_revision(GetRevisionRequest {}).await.unwrap();
                now.into_inner().revision == 2
            }
        })
        .await;
        println!("in force after {here:?}, on the other replica after {:?}", began.elapsed());
        // Who asks for the revision gets it, from either.
        for (replica, folder) in [(&first, &folders[0]), (&second, &folders[1])] {
            let calls = calls(replica, folder.path(), "erp-adapter", PrincipalKind::Service, "event-source@corp");
            let mut asked = question(TOOLS, "1500 EUR", "1");
            asked.min_revision = 2;
            let decided = DecisionServiceClient::new(calls).decide(asked).await.unwrap().into_inner();
            assert_eq!(decided.decision.unwrap().revision, 2);
        }
        over.store(true, Ordering::Relaxed);
        let mut revisions = std::collections::BTreeSet::new();
        for caller in callers {
            let seen = caller.await.unwrap();
            assert!(seen.is_sorted_by_key(|(revision, ..)| *revision), "a replica went back");
            for (revision, effect, version) in seen {
                let whole = match revision {
                    1 => (Effect::RequireApproval, 1),
                    _ => (Effect::Allow, 2),
                };
                assert_eq!((effect, version), whole, "half of two revisions");
                revisions.insert(revision);
            }
        }
        assert!(revisions.contains(&2));
        first.shutdown().await.unwrap();
        second.shutdown().await.unwrap();
    }

    async fn of_two_at_once_one_is_first(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let mut members: Vec<_> = ["ann", "ben", "cem"].map(|name| client(&fixture, name, "council@corp")).into();
        let given = join_all(members.iter_mut().map(|member| approve(member, &change))).await;
        let (done, refused): (Vec<_>, Vec<_>) = given.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1, "{refused:?}");
        for refused in refused {
            let (code, reason) = refusal(&refused.unwrap_err());
            assert!(matches!((code, &*reason), (Code::Aborted, "ETAG_MISMATCH") | (Code::FailedPrecondition, "ILLEGAL_STATE")), "{code:?} {reason}");
        }
        let mut activators: Vec<_> = ["x", "y", "z"].map(|name| client(&fixture, name, "activator@corp")).into();
        let put = join_all(activators.iter_mut().map(|activator| activate(activator, &change))).await;
        assert_eq!(put.iter().filter(|result| result.is_ok()).count(), 1, "{put:?}");
        let mut policies = fixture.policies("owner", &["policy-editor@corp"]);
        let now = policies.get_revision(GetRevisionRequest {}).await.unwrap().into_inner();
        assert_eq!(now.revision, 2);
        let name = change.name;
        let change = people.editor.get_change(GetChangeRequest { name }).await.unwrap().into_inner();
        assert_eq!((change.state(), change.approvals.len()), (ChangeState::Active, 1));
    }

    async fn who_was_revoked_has_not_approved(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("revocations.yaml");
        std::fs::write(&file, "revocations: []\n").unwrap();
        let fixture = Fixture::with(backend, |settings| {
            settings.identity.revocations_file = Some(file.clone());
        })
        .await;
        let mut people = People::of(&fixture);
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let change = approve(&mut people.council, &change).await.unwrap();
        let issuer = change.approvals[0].approver.clone().unwrap().issuer;
        let revoked = format!("revocations:\n  - {{issuer: '{issuer}', subject: council}}\n");
        std::fs::write(&file, revoked).unwrap();
        eventually(PATIENCE, || {
            let mut council = people.council.clone();
            let request = ApproveChangeRequest { name: change.name.clone(), digest: change.digest.clone(), ..ApproveChangeRequest::default() };
            async move { council.approve_change(request).await.unwrap_err().code() == Code::Unauthenticated }
        })
        .await;
        let refused = activate(&mut people.activator, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "APPROVAL_LAPSED".into()));
        // It waits for another, who then is enough.
        let mut other = client(&fixture, "deputy", "council@corp");
        let change = approve(&mut other, &change).await.unwrap();
        assert_eq!(change.state(), ChangeState::Approved);
        assert_eq!(activate(&mut people.activator, &change).await.unwrap().state(), ChangeState::Active);
    }

    async fn what_decides_is_shown_with_its_origin(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut leader = fixture.policies("leader", &["unit-leader@corp/west/medical"]);
        let request = |scope: &str| GetEffectivePolicyRequest { workflow: "hold_release".into(), scope: scope.into() };
        let found = leader.get_effective_policy(request(MEDICAL)).await.unwrap().into_inner();
        let layers: Vec<_> = found.layers.iter().map(|l| (&*l.policy, l.mode(), &*l.scope, l.rows.len())).collect();
        assert_eq!(layers, [
            ("policies/hold_release.enterprise", PolicyMode::Default, "corp", 3),
            ("policies/hold_release.medical", PolicyMode::Guardrail, MEDICAL, 1),
        ]);
        let large = &found.layers[0].rows[1];
        assert_eq!((&*large.id, large.tests.len(), large.effect()), ("large", 2, Effect::RequireApproval));
        // For a transaction there, the approver is the unit's.
        assert_eq!((&*large.approvals[0].role, &*large.approvals[0].at), ("credit-lead", MEDICAL));
        assert_eq!(leader.get_effective_policy(request(TOOLS)).await.unwrap_err().code(), Code::PermissionDenied);
        let mut editor = fixture.policies("owner", &["policy-editor@corp"]);
        assert_eq!(editor.get_effective_policy(request("corp/east")).await.unwrap_err().code(), Code::NotFound);
        let other = GetEffectivePolicyRequest { workflow: "other".into(), scope: MEDICAL.into() };
        assert_eq!(editor.get_effective_policy(other).await.unwrap_err().code(), Code::NotFound);
    }

    async fn a_watcher_hears_of_each(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let mut watcher = fixture.policies("owner", &["policy-editor@corp"]);
        let mut told = watcher.watch_revisions(WatchRevisionsRequest {}).await.unwrap().into_inner();
        assert_eq!(told.message().await.unwrap().unwrap().revision, 1);
        let guardrail = GUARDRAIL.replace("keep_evidence", "keep_all_evidence");
        in_force(&mut people, proposal(&guardrail)).await;
        let next = told.message().await.unwrap().unwrap();
        assert_eq!(next.revision, 2);
        assert!(next.digest.starts_with("sha256:"));
    }
}
