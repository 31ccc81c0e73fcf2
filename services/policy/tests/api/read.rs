//! Reading what is in force.

use contracts::{
    policy::{
        GetDecisionRequest, GetPolicyRequest, GetRevisionRequest, GetScopeRequest,
        GetWorkflowRequest, ListPoliciesRequest, ListScopesRequest, ListWorkflowsRequest,
        WorkflowClass,
    },
    types::{PolicyMode, ScopeLevel},
};
use tonic::Code;

use crate::fixture::{Fixture, MEDICAL, TOOLS, fields, question, refusal};

testkit::backends! {
    async fn scopes_workflows_and_policies_are_as_in_the_files(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut editor = fixture.policies("owner", &["policy-editor@corp"]);
        let path = "corp".to_owned();
        let scope = editor.get_scope(GetScopeRequest { path }).await.unwrap().into_inner();
        assert_eq!((scope.level(), &*scope.display_name), (ScopeLevel::Enterprise, "The corporation"));

        let name = "workflows/hold_release".to_owned();
        let workflow = editor.get_workflow(GetWorkflowRequest { name }).await.unwrap().into_inner();
        assert_eq!(workflow.class(), WorkflowClass::Global);
        assert_eq!(workflow.depends_on, ["erp"]);
        let overdue = &workflow.facts[0];
        assert_eq!(
            (overdue.name.as_str(), overdue.r#type.as_str(), overdue.unit.as_str(), overdue.max_age.as_str()),
            ("customer.days_overdue", "number", "d", "P1D")
        );
        let total = &workflow.facts[2];
        assert_eq!((total.currency.as_str(), total.binding), ("EUR", true));
        let all = editor.list_workflows(ListWorkflowsRequest::default()).await.unwrap();
        assert_eq!(all.into_inner().workflows, [workflow]);

        let name = "policies/hold_release.medical".to_owned();
        let policy = editor.get_policy(GetPolicyRequest { name }).await.unwrap().into_inner();
        assert_eq!((policy.mode(), policy.waivable, policy.version), (PolicyMode::Guardrail, false, 1));
        assert_eq!(policy.source, crate::fixture::GUARDRAIL);
        assert!(policy.digest.starts_with("sha256:"));

        let revision = editor.get_revision(GetRevisionRequest {}).await.unwrap().into_inner();
        assert_eq!(revision.revision, 1);
        assert!(revision.digest.starts_with("sha256:") && revision.activate_time.is_some());
    }

    async fn lists_come_in_pages(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut editor = fixture.policies("owner", &["policy-editor@corp"]);
        let (mut token, mut paths) = (String::new(), Vec::new());
        loop {
            let request = ListScopesRequest { page_size: 3, page_token: token };
            let page = editor.list_scopes(request).await.unwrap().into_inner();
            paths.extend(page.scopes.into_iter().map(|scope| scope.path));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paths, ["corp", "corp/west", MEDICAL, TOOLS]);

        let first = ListPoliciesRequest { page_size: 1, ..ListPoliciesRequest::default() };
        let page = editor.list_policies(first.clone()).await.unwrap().into_inner();
        assert_eq!(page.policies.len(), 1);
        let other = ListPoliciesRequest {
            workflow: "hold_release".into(),
            page_token: page.next_page_token,
            ..first
        };
        let refused = editor.list_policies(other.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "PAGE_TOKEN_INVALID");
        let negative = ListPoliciesRequest { page_size: -1, ..ListPoliciesRequest::default() };
        let refused = editor.list_policies(negative).await.unwrap_err();
        assert_eq!(fields(&refused), ["page_size"]);
    }

    async fn nobody_sees_another_unit(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut tools = fixture.policies("leader", &["unit-leader@corp/west/tools"]);
        let scopes = tools.list_scopes(ListScopesRequest::default()).await.unwrap().into_inner();
        assert_eq!(scopes.scopes.len(), 1);
        // The policy above binds the unit, so its people may read it.
        let policies = tools.list_policies(ListPoliciesRequest::default()).await.unwrap();
        let names: Vec<_> = policies.into_inner().policies.into_iter().map(|p| p.name).collect();
        assert_eq!(names, ["policies/hold_release.enterprise"]);
        let name = "policies/hold_release.medical".to_owned();
        let refused = tools.get_policy(GetPolicyRequest { name }).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::NotFound, "NOT_FOUND".into()));

        let asked = question(MEDICAL, "5000 EUR", "1");
        let decision = fixture.erp().decide(asked).await.unwrap().into_inner().decision.unwrap();
        let read = GetDecisionRequest { name: format!("decisions/{}", decision.id) };
        let mut stranger = fixture.person("leader", &["unit-leader@corp/west/tools"]);
        let refused = stranger.get_decision(read.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::NotFound, "NOT_FOUND".into()));
        let mut own = fixture.person("other", &["unit-leader@corp/west/medical"]);
        assert!(own.get_decision(read).await.is_ok());
    }

    async fn what_is_not_there_is_not_found(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut editor = fixture.policies("owner", &["policy-editor@corp"]);
        let name = "workflows/other".to_owned();
        let refused = editor.get_workflow(GetWorkflowRequest { name }).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let name = "policies/other".to_owned();
        let refused = editor.get_policy(GetPolicyRequest { name }).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let path = "corp/east".to_owned();
        let refused = editor.get_scope(GetScopeRequest { path }).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        for name in ["hold_release", "workflows/", "workflows/A"] {
            let request = GetWorkflowRequest { name: name.into() };
            let refused = editor.get_workflow(request).await.unwrap_err();
            assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["name".into()]));
        }
        let mut auditor = fixture.person("auditor", &["auditor@corp"]);
        let name = format!("decisions/{}", uuid::Uuid::now_v7());
        let refused = auditor.get_decision(GetDecisionRequest { name }).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let name = "decisions/x".to_owned();
        let refused = auditor.get_decision(GetDecisionRequest { name }).await.unwrap_err();
        assert_eq!(fields(&refused), ["name"]);
    }
}
