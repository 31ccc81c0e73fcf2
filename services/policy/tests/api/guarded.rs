//! Ways around change control that are none.

use contracts::policy::{
    BacktestChangeRequest, ChangeItem, ChangeState, CheckChangeRequest, PlanChangeRequest,
    UpdateChangeRequest,
};
use tonic::Code;

use crate::{
    changes::{People, approve, backtested, client, in_force, proposal, put, reviewed, threshold},
    fixture::{Fixture, GUARDRAIL, TOOLS, WORKFLOW, fields, question, refusal},
};

fn needed(change: &contracts::policy::Change) -> Vec<(&str, u32)> {
    let required = change.required_approvals.iter();
    required
        .map(|needed| (&*needed.role, needed.count))
        .collect()
}

testkit::backends! {
    async fn a_control_is_not_made_light_of_unseen(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        for (from, to) in [
            ("criticality: HIGH", "criticality: LOW"),
            ("control_sensitivity: FINANCIAL", "control_sensitivity: NONE"),
            ("owner: process-owner", "owner: somebody"),
            ("executed_by: ERP", "executed_by: LOW_CODE"),
        ] {
            let change = reviewed(&mut people.editor, proposal(&WORKFLOW.replace(from, to))).await;
            let review = change.review.as_ref().unwrap();
            assert!(review.loosens && !review.definitions.is_empty(), "{to}");
            assert!(needed(&change).contains(&("council", 1)), "{to}: {:?}", needed(&change));
        }
        // A guardrail that can't be waived doesn't come back as one that can.
        let renamed = GUARDRAIL.replace("hold_release.medical", "hold_release.clinic");
        let renamed = renamed.replace("waivable: false\n", "");
        let gone = ChangeItem {
            kind: "Policy".into(),
            name: "hold_release.medical".into(),
            ..ChangeItem::default()
        };
        let request = PlanChangeRequest { items: vec![put(&renamed), gone], complete: false };
        let plan = people.editor.plan_change(request).await.unwrap().into_inner();
        let review = plan.review.unwrap();
        assert!(review.loosens && review.definitions[0].contains("can't be waived"), "{review:?}");
    }

    async fn a_shorter_backtest_takes_no_fewer_approvals(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        for total in ["1500 EUR", "3000 EUR", "1700 EUR"] {
            fixture.erp().decide(question(TOOLS, total, "1")).await.unwrap();
        }
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        assert_eq!(needed(&change), [("council", 1)]);
        let some = BacktestChangeRequest { name: change.name.clone(), max_decisions: 1, ..BacktestChangeRequest::default() };
        let mut told = people.editor.backtest_change(some).await.unwrap().into_inner();
        let mut short = None;
        while let Some(message) = told.message().await.unwrap() {
            short = message.change;
        }
        let short = short.unwrap();
        assert!(short.backtest.as_ref().unwrap().truncated);
        assert!(needed(&short).contains(&("council", 2)), "{:?}", needed(&short));
        let later = fixture.harness.clock.now() + chrono::TimeDelta::days(1);
        let none = BacktestChangeRequest {
            name: change.name.clone(),
            from_time: Some(contracts::time::timestamp(later)),
            ..BacktestChangeRequest::default()
        };
        let refused = people.editor.backtest_change(none).await.unwrap_err();
        assert_eq!(fields(&refused), ["from_time"]);
        let whole = backtested(&mut people.editor, &change).await.unwrap();
        assert_eq!(needed(&whole), [("council", 1)]);
    }

    async fn who_sees_a_change_from_below_does_not_work_on_it(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        fixture.erp().decide(question(TOOLS, "1500 EUR", "1")).await.unwrap();
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        assert_eq!(change.backtest.as_ref().unwrap().samples.len(), 1);
        let mut leader = client(&fixture, "leader", "unit-leader@corp/west/medical");
        let check = CheckChangeRequest { name: change.name.clone(), ..CheckChangeRequest::default() };
        let refused = leader.check_change(check).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
        assert_eq!(backtested(&mut leader, &change).await.unwrap_err().code(), Code::PermissionDenied);
        // Nor reads single decisions of another unit in it.
        let read = contracts::policy::GetChangeRequest { name: change.name };
        let seen = leader.get_change(read).await.unwrap().into_inner();
        assert!(seen.backtest.unwrap().samples.is_empty());
    }

    async fn what_is_outdated_is_not_approved(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let change = reviewed(&mut people.editor, proposal(&threshold("2000"))).await;
        let guardrail = GUARDRAIL.replace("keep_evidence", "keep_all_evidence");
        in_force(&mut people, proposal(&guardrail)).await;
        let refused = approve(&mut people.council, &change).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_STATE".into()));
        // Checked again it starts over, and is approved for what it does now.
        let check = CheckChangeRequest { name: change.name.clone(), ..CheckChangeRequest::default() };
        let again = people.editor.check_change(check).await.unwrap().into_inner();
        assert_eq!(again.state(), ChangeState::Checked);
        assert_ne!(again.digest, change.digest);
    }

    async fn an_editor_gets_no_benefit_later(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut people = People::of(&fixture);
        let waiver = |beneficiary: &str| crate::waivers::waiver("sha256:00").replace("sales", beneficiary);
        let change = people.editor.propose_change(proposal(&waiver("sales"))).await.unwrap().into_inner();
        let edit = UpdateChangeRequest {
            name: change.name,
            etag: change.etag,
            items: vec![put(&waiver("owner"))],
            ..UpdateChangeRequest::default()
        };
        let mut peer = client(&fixture, "peer", "policy-editor@corp");
        let refused = peer.update_change(edit).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "SOD_BENEFICIARY".into()));
    }
}
