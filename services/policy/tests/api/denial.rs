//! Every method refuses callers without a token, without the permission, and at scopes
//! where they don't hold it.

use contracts::policy::{
    ActivateChangeRequest, ApproveChangeRequest, AuthorizeActionRequest, BacktestChangeRequest,
    BatchDecideRequest, CheckChangeRequest, ExportStateRequest, GetChangeRequest,
    GetCouncilReportRequest, GetDecisionRequest, GetEffectivePolicyRequest, GetPolicyRequest,
    GetRevisionRequest, GetScopeRequest, GetWaiverRequest, GetWorkflowRequest, ListChangesRequest,
    ListPoliciesRequest, ListScopesRequest, ListWaiversRequest, ListWorkflowsRequest,
    PlanChangeRequest, ProposeChangeRequest, RejectChangeRequest, RollBackChangeRequest,
    ScheduleChangeRequest, TestChangeRequest, UpdateChangeRequest, WatchRevisionsRequest,
    WithdrawChangeRequest, batch_decide_result, change_service_client::ChangeServiceClient,
    decision_service_client::DecisionServiceClient, policy_service_client::PolicyServiceClient,
    report_service_client::ReportServiceClient, waiver_service_client::WaiverServiceClient,
};
use testkit::identity::Calls;
use tonic::Code;

use crate::fixture::{Fixture, MEDICAL, question, refusal};

/// What each method answers to a caller, by the method's name.
async fn answers(calls: Calls) -> Vec<(&'static str, Code)> {
    let mut decisions = DecisionServiceClient::new(calls.clone());
    let mut changes = ChangeServiceClient::new(calls.clone());
    let mut reports = ReportServiceClient::new(calls.clone());
    let mut waivers = WaiverServiceClient::new(calls.clone());
    let mut policies = PolicyServiceClient::new(calls);
    let code = |result: Result<(), tonic::Status>| result.map_or_else(|s| s.code(), |()| Code::Ok);
    let asked = question(MEDICAL, "1 EUR", "1");
    let mut codes = Vec::new();
    macro_rules! call {
        ($client:ident.$method:ident($request:expr)) => {
            codes.push((
                stringify!($method),
                code($client.$method($request).await.map(drop)),
            ));
        };
    }
    call!(decisions.decide(asked.clone()));
    call!(decisions.batch_decide(BatchDecideRequest {
        requests: vec![asked.clone()]
    }));
    call!(decisions.authorize_action(AuthorizeActionRequest {
        request: Some(asked),
        ..AuthorizeActionRequest::default()
    }));
    call!(decisions.get_decision(GetDecisionRequest {
        name: format!("decisions/{}", uuid::Uuid::now_v7())
    }));
    call!(policies.get_scope(GetScopeRequest {
        path: MEDICAL.into()
    }));
    call!(policies.list_scopes(ListScopesRequest::default()));
    call!(policies.get_workflow(GetWorkflowRequest {
        name: "workflows/hold_release".into()
    }));
    call!(policies.list_workflows(ListWorkflowsRequest::default()));
    call!(policies.get_policy(GetPolicyRequest {
        name: "policies/hold_release.medical".into()
    }));
    call!(policies.list_policies(ListPoliciesRequest::default()));
    call!(policies.get_revision(GetRevisionRequest {}));
    call!(policies.watch_revisions(WatchRevisionsRequest {}));
    call!(policies.get_effective_policy(GetEffectivePolicyRequest {
        workflow: "hold_release".into(),
        scope: MEDICAL.into()
    }));
    call!(waivers.get_waiver(GetWaiverRequest {
        name: "waivers/other".into()
    }));
    call!(reports.get_council_report(GetCouncilReportRequest::default()));
    call!(waivers.list_waivers(ListWaiversRequest::default()));
    call!(changes.plan_change(PlanChangeRequest::default()));
    call!(changes.propose_change(ProposeChangeRequest::default()));
    call!(changes.get_change(GetChangeRequest::default()));
    call!(changes.list_changes(ListChangesRequest::default()));
    call!(changes.update_change(UpdateChangeRequest::default()));
    call!(changes.check_change(CheckChangeRequest::default()));
    call!(changes.test_change(TestChangeRequest::default()));
    call!(changes.backtest_change(BacktestChangeRequest::default()));
    call!(changes.approve_change(ApproveChangeRequest::default()));
    call!(changes.reject_change(RejectChangeRequest::default()));
    call!(changes.schedule_change(ScheduleChangeRequest::default()));
    call!(changes.activate_change(ActivateChangeRequest::default()));
    call!(changes.withdraw_change(WithdrawChangeRequest::default()));
    call!(changes.roll_back_change(RollBackChangeRequest::default()));
    call!(changes.export_state(ExportStateRequest {}));
    codes
}

testkit::backends! {
    async fn without_a_token_nothing_is_answered(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        for token in ["", "not-a-token"] {
            for (method, code) in answers(fixture.harness.with_token(token)).await {
                assert_eq!(code, Code::Unauthenticated, "{method}");
            }
        }
    }

    async fn without_a_role_nothing_is_answered(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        for (method, code) in answers(fixture.harness.person("nobody", &["passer-by@corp"])).await {
            assert_eq!(code, Code::PermissionDenied, "{method}");
        }
    }

    async fn a_role_elsewhere_opens_nothing_here(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let grants = ["operator@corp/west/tools", "auditor@corp/west/tools"];
        let codes = answers(fixture.harness.person("elsewhere", &grants)).await;
        let code = |name: &str| codes.iter().find(|(method, _)| *method == name).unwrap().1;
        for method in ["decide", "authorize_action", "get_scope"] {
            assert_eq!(code(method), Code::PermissionDenied, "{method}");
        }
        assert_eq!(code("get_policy"), Code::NotFound);
        let mut client = fixture.person("elsewhere", &grants);
        let requests = vec![question(MEDICAL, "1 EUR", "1")];
        let batch = client.batch_decide(BatchDecideRequest { requests }).await.unwrap();
        match batch.into_inner().results.remove(0).result.unwrap() {
            batch_decide_result::Result::Error(error) => {
                assert_eq!(error.reason, "PERMISSION_DENIED");
            }
            batch_decide_result::Result::Response(_) => panic!("answered"),
        }
    }

    async fn only_two_services_have_actions_authorized(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let request = || AuthorizeActionRequest {
            request: Some(question(MEDICAL, "1 EUR", "1")),
            ..AuthorizeActionRequest::default()
        };
        for service in ["bylaw-masterdata", "bylaw-audit", "bylaw-policy"] {
            let refused = fixture.internal(service).authorize_action(request()).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()), "{service}");
        }
        let mut person = fixture.person("boss", &["credit-manager@corp"]);
        let refused = person.authorize_action(request()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
