//! `bylaw.policy.v1.PolicyService`.

use contracts::{
    policy::{
        GetPolicyRequest, GetRevisionRequest, GetScopeRequest, GetWorkflowRequest,
        ListPoliciesRequest, ListPoliciesResponse, ListScopesRequest, ListScopesResponse,
        ListWorkflowsRequest, ListWorkflowsResponse, Policy, Revision, Workflow,
        policy_service_server::PolicyService,
    },
    types::Scope,
};
use service_kit::identity::caller;
use tonic::{Request, Response, Status};

use super::{Handler, decode, encode};

#[tonic::async_trait]
impl PolicyService for Handler {
    async fn get_scope(
        &self,
        request: Request<GetScopeRequest>,
    ) -> Result<Response<Scope>, Status> {
        let caller = caller(&request)?;
        let path = decode::scope("path", &request.get_ref().path)?;
        let node = self.0.scope(&caller, &path)?;
        Ok(Response::new(encode::scope(&path, node)))
    }

    async fn list_scopes(
        &self,
        request: Request<ListScopesRequest>,
    ) -> Result<Response<ListScopesResponse>, Status> {
        let caller = caller(&request)?;
        let ListScopesRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let page = self.0.scopes(&caller, page_size, &page_token)?;
        let scopes = page.items.into_iter();
        Ok(Response::new(ListScopesResponse {
            scopes: scopes
                .map(|(path, node)| encode::scope(&path, node))
                .collect(),
            next_page_token: page.next,
        }))
    }

    async fn get_workflow(
        &self,
        request: Request<GetWorkflowRequest>,
    ) -> Result<Response<Workflow>, Status> {
        caller(&request)?;
        let name = decode::resource("name", "workflows/", &request.get_ref().name)?;
        let workflow = self.0.workflow(name)?;
        Ok(Response::new(encode::workflow(&workflow)))
    }

    async fn list_workflows(
        &self,
        request: Request<ListWorkflowsRequest>,
    ) -> Result<Response<ListWorkflowsResponse>, Status> {
        caller(&request)?;
        let ListWorkflowsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let page = self.0.workflows(page_size, &page_token)?;
        Ok(Response::new(ListWorkflowsResponse {
            workflows: page.items.iter().map(|w| encode::workflow(w)).collect(),
            next_page_token: page.next,
        }))
    }

    async fn get_policy(
        &self,
        request: Request<GetPolicyRequest>,
    ) -> Result<Response<Policy>, Status> {
        let caller = caller(&request)?;
        let name = decode::resource("name", "policies/", &request.get_ref().name)?;
        let policy = self.0.policy(&caller, name)?;
        Ok(Response::new(encode::policy(&policy)))
    }

    async fn list_policies(
        &self,
        request: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        let caller = caller(&request)?;
        let ListPoliciesRequest {
            page_size,
            page_token,
            workflow,
        } = request.into_inner();
        let page = self
            .0
            .policies(&caller, &workflow, page_size, &page_token)?;
        Ok(Response::new(ListPoliciesResponse {
            policies: page.items.iter().map(encode::policy).collect(),
            next_page_token: page.next,
        }))
    }

    async fn get_revision(
        &self,
        request: Request<GetRevisionRequest>,
    ) -> Result<Response<Revision>, Status> {
        caller(&request)?;
        Ok(Response::new(encode::revision(&self.0.revision())))
    }
}
