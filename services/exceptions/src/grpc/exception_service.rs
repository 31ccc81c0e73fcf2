//! `bylaw.exceptions.v1.ExceptionService`.

use contracts::{
    exceptions::{
        Action, AgeingReport, ApproveActionRequest, ClaimExceptionRequest, Exception,
        GetActionRequest, GetAgeingReportRequest, GetExceptionRequest, ListActionsRequest,
        ListActionsResponse, ListExceptionsRequest, ListExceptionsResponse, RejectActionRequest,
        RequestActionRequest, ResolveExceptionRequest, exception_service_server::ExceptionService,
    },
    time::timestamp,
};
use service_kit::{error::Result as KitResult, identity::caller};
use tonic::{Request, Response, Status};

use super::{decode, wire};
use crate::app::{App, approve::Verdict, exceptions::Resolution};

/// Its methods over the use cases.
pub(super) struct Handler(pub(super) App);

#[tonic::async_trait]
impl ExceptionService for Handler {
    async fn get_exception(
        &self,
        request: Request<GetExceptionRequest>,
    ) -> Result<Response<Exception>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let (exception, evidence) = self.0.exception(&caller, &name).await?;
        Ok(Response::new(wire::exception(
            exception,
            evidence,
            self.0.now(),
        )))
    }

    async fn list_exceptions(
        &self,
        request: Request<ListExceptionsRequest>,
    ) -> Result<Response<ListExceptionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let filter = decode::filter(&request)?;
        let page = self
            .0
            .exceptions(&caller, &filter, request.page_size, &request.page_token)
            .await?;
        let now = self.0.now();
        let exceptions = page.items.into_iter();
        Ok(Response::new(ListExceptionsResponse {
            exceptions: exceptions
                .map(|exception| wire::exception(exception, Vec::new(), now))
                .collect(),
            next_page_token: page.next,
            total_size: page.total,
        }))
    }

    async fn claim_exception(
        &self,
        request: Request<ClaimExceptionRequest>,
    ) -> Result<Response<Exception>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let exception = self.0.claim(&caller, &request.name, &request.etag).await?;
        Ok(Response::new(wire::exception(
            exception,
            Vec::new(),
            self.0.now(),
        )))
    }

    async fn resolve_exception(
        &self,
        request: Request<ResolveExceptionRequest>,
    ) -> Result<Response<Exception>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let resolution = Resolution {
            code: request.resolution_code,
            root_cause: request.root_cause_code,
            comment: request.comment,
        };
        let exception = self
            .0
            .resolve(&caller, &request.name, &request.etag, &resolution)
            .await?;
        Ok(Response::new(wire::exception(
            exception,
            Vec::new(),
            self.0.now(),
        )))
    }

    async fn request_action(
        &self,
        request: Request<RequestActionRequest>,
    ) -> Result<Response<Action>, Status> {
        let caller = caller(&request)?;
        let wanted = decode::request(request.into_inner())?;
        let action = self.0.request(&caller, &wanted).await?;
        Ok(Response::new(wire::action(&action, self.0.now())?))
    }

    async fn get_action(
        &self,
        request: Request<GetActionRequest>,
    ) -> Result<Response<Action>, Status> {
        let caller = caller(&request)?;
        let action = self.0.action(&caller, &request.into_inner().name).await?;
        Ok(Response::new(wire::action(&action, self.0.now())?))
    }

    async fn list_actions(
        &self,
        request: Request<ListActionsRequest>,
    ) -> Result<Response<ListActionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let page = self
            .0
            .actions(
                &caller,
                &request.parent,
                request.page_size,
                &request.page_token,
            )
            .await?;
        let now = self.0.now();
        let actions = page.items.iter();
        Ok(Response::new(ListActionsResponse {
            actions: actions
                .map(|action| wire::action(action, now))
                .collect::<KitResult<_>>()?,
            next_page_token: page.next,
        }))
    }

    async fn approve_action(
        &self,
        request: Request<ApproveActionRequest>,
    ) -> Result<Response<Action>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let verdict = Verdict {
            etag: request.etag,
            digest: request.digest,
            words: request.comment,
        };
        let action = self.0.approve(&caller, &request.name, &verdict).await?;
        Ok(Response::new(wire::action(&action, self.0.now())?))
    }

    async fn reject_action(
        &self,
        request: Request<RejectActionRequest>,
    ) -> Result<Response<Action>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let verdict = Verdict {
            etag: request.etag,
            digest: String::new(),
            words: request.reason,
        };
        let action = self.0.reject(&caller, &request.name, &verdict).await?;
        Ok(Response::new(wire::action(&action, self.0.now())?))
    }

    async fn get_ageing_report(
        &self,
        request: Request<GetAgeingReportRequest>,
    ) -> Result<Response<AgeingReport>, Status> {
        let caller = caller(&request)?;
        let scope = request.into_inner().scope;
        let (now, band_seconds, rows) = self.0.ageing(&caller, &scope).await?;
        Ok(Response::new(AgeingReport {
            report_time: Some(timestamp(now)),
            band_seconds,
            rows: rows.into_iter().map(wire::ageing_row).collect(),
        }))
    }
}
