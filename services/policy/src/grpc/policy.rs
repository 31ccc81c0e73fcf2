//! `bylaw.policy.v1.PolicyService`.

use std::time::Duration;

use contracts::{
    policy::{
        EffectivePolicy, GetEffectivePolicyRequest, GetPolicyRequest, GetRevisionRequest,
        GetScopeRequest, GetWorkflowRequest, ListPoliciesRequest, ListPoliciesResponse,
        ListScopesRequest, ListScopesResponse, ListWorkflowsRequest, ListWorkflowsResponse, Policy,
        Revision, WatchRevisionsRequest, Workflow, policy_service_server::PolicyService,
    },
    types::Scope,
};
use futures::{StreamExt as _, stream, stream::BoxStream};
use service_kit::identity::caller;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use super::{Handler, decode, encode};

/// How often a watcher hears that nothing has changed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

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

    async fn get_effective_policy(
        &self,
        request: Request<GetEffectivePolicyRequest>,
    ) -> Result<Response<EffectivePolicy>, Status> {
        let caller = caller(&request)?;
        let request = request.get_ref();
        let scope = decode::scope("scope", &request.scope)?;
        let workflow = &request.workflow;
        let snapshot = self.0.effective_policy(&caller, workflow, &scope)?;
        Ok(Response::new(encode::effective(
            &snapshot, workflow, &scope,
        )))
    }

    type WatchRevisionsStream = BoxStream<'static, Result<Revision, Status>>;

    async fn watch_revisions(
        &self,
        request: Request<WatchRevisionsRequest>,
    ) -> Result<Response<Self::WatchRevisionsStream>, Status> {
        caller(&request)?;
        let revisions = stream::unfold((self.0.watch(), true), |(mut watched, first)| async move {
            if !first {
                match timeout(SIGN_OF_LIFE, watched.changed()).await {
                    Ok(Ok(())) | Err(_) => {}
                    // The service stops.
                    Ok(Err(_)) => return None,
                }
            }
            let revision = encode::revision(&watched.borrow_and_update());
            Some((Ok(revision), (watched, false)))
        });
        Ok(Response::new(revisions.boxed()))
    }

    async fn get_revision(
        &self,
        request: Request<GetRevisionRequest>,
    ) -> Result<Response<Revision>, Status> {
        caller(&request)?;
        Ok(Response::new(encode::revision(&self.0.revision())))
    }
}
