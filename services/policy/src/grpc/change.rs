//! `bylaw.policy.v1.ChangeService`.

use contracts::policy::{
    ActivateChangeRequest, ApproveChangeRequest, BacktestChangeRequest, BacktestChangeResponse,
    Change, CheckChangeRequest, ExportStateRequest, ExportStateResponse, GetChangeRequest,
    ListChangesRequest, ListChangesResponse, PlanChangeRequest, PlanChangeResponse,
    ProposeChangeRequest, RejectChangeRequest, RollBackChangeRequest, ScheduleChangeRequest,
    TestChangeRequest, UpdateChangeRequest, WithdrawChangeRequest,
    change_service_server::ChangeService,
};
use futures::{StreamExt as _, stream, stream::BoxStream};
use service_kit::{error::Result as AppResult, identity::caller};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::{Handler, change_decode as decode, change_encode as encode};
use crate::app::change::{BacktestOptions, Shown};

/// Messages of progress that wait to be sent.
const WAITING: usize = 4;

fn answer(shown: AppResult<Shown>) -> Result<Response<Change>, Status> {
    Ok(Response::new(encode::change(shown?)))
}

#[tonic::async_trait]
impl ChangeService for Handler {
    async fn plan_change(
        &self,
        request: Request<PlanChangeRequest>,
    ) -> Result<Response<PlanChangeResponse>, Status> {
        let caller = caller(&request)?;
        let PlanChangeRequest { items, complete } = request.into_inner();
        let plan = self.0.plan(&caller, decode::items(items), complete).await?;
        Ok(Response::new(encode::plan(plan)))
    }

    async fn propose_change(
        &self,
        request: Request<ProposeChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let draft = decode::draft(request.into_inner())?;
        answer(self.0.propose(&caller, draft).await)
    }

    async fn get_change(
        &self,
        request: Request<GetChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let id = decode::id(&request.get_ref().name)?;
        answer(self.0.get_change(&caller, id).await)
    }

    async fn list_changes(
        &self,
        request: Request<ListChangesRequest>,
    ) -> Result<Response<ListChangesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let states = decode::states(&request.states)?;
        let page = self
            .0
            .list_changes(&caller, &states, request.page_size, &request.page_token)
            .await?;
        let changes = page.items.into_iter().map(encode::listed);
        Ok(Response::new(ListChangesResponse {
            changes: changes.collect(),
            next_page_token: page.next,
        }))
    }

    async fn update_change(
        &self,
        request: Request<UpdateChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (id, etag) = decode::id_and_etag(&request.name, &request.etag)?;
        let edit = decode::edit(request)?;
        answer(self.0.edit(&caller, id, &etag, edit).await)
    }

    async fn check_change(
        &self,
        request: Request<CheckChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.get_ref();
        let id = decode::id(&request.name)?;
        answer(self.0.check_change(&caller, id, &request.etag).await)
    }

    async fn test_change(
        &self,
        request: Request<TestChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.get_ref();
        let id = decode::id(&request.name)?;
        answer(self.0.test_change(&caller, id, &request.etag).await)
    }

    type BacktestChangeStream = BoxStream<'static, Result<BacktestChangeResponse, Status>>;

    async fn backtest_change(
        &self,
        request: Request<BacktestChangeRequest>,
    ) -> Result<Response<Self::BacktestChangeStream>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = decode::id(&request.name)?;
        let options = BacktestOptions {
            from: decode::time("from_time", request.from_time)?,
            most: decode::count("max_decisions", request.max_decisions)?,
        };
        let begun = self
            .0
            .begin_backtest(&caller, id, &request.etag, options)
            .await?;
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let app = self.0.clone();
        let work = async move {
            let (progress, mut so_far) = mpsc::channel(WAITING);
            let told = sender.clone();
            // Ends with its sender; when nobody listens, so does the work.
            let tell = async move {
                while let Some(message) = so_far.recv().await {
                    let message: AppResult<_> = message;
                    let message = message.map(encode::progress).map_err(Status::from);
                    if told.send(message).await.is_err() {
                        so_far.close();
                    }
                }
            };
            let run = async {
                let done = app.backtest(&caller, begun, &progress).await;
                drop(progress);
                done
            };
            let (done, ()) = tokio::join!(run, tell);
            let last = done.map(encode::backtested).map_err(Status::from);
            // A caller that is gone hears nothing of it.
            let _ = sender.send(last).await;
        };
        tokio::spawn(work.in_current_span());
        let messages = stream::poll_fn(move |context| receiver.poll_recv(context));
        Ok(Response::new(messages.boxed()))
    }

    async fn approve_change(
        &self,
        request: Request<ApproveChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = decode::id(&request.name)?;
        let approved = self.0.approve_change(
            &caller,
            id,
            &request.etag,
            &request.digest,
            &request.comment,
        );
        answer(approved.await)
    }

    async fn reject_change(
        &self,
        request: Request<RejectChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = decode::id(&request.name)?;
        let rejected = self
            .0
            .reject_change(&caller, id, &request.etag, &request.reason);
        answer(rejected.await)
    }

    async fn schedule_change(
        &self,
        request: Request<ScheduleChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.get_ref();
        let id = decode::id(&request.name)?;
        answer(self.0.schedule_change(&caller, id, &request.etag).await)
    }

    async fn activate_change(
        &self,
        request: Request<ActivateChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.get_ref();
        let id = decode::id(&request.name)?;
        answer(self.0.activate_change(&caller, id, &request.etag).await)
    }

    async fn withdraw_change(
        &self,
        request: Request<WithdrawChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.get_ref();
        let id = decode::id(&request.name)?;
        answer(self.0.withdraw(&caller, id, &request.etag).await)
    }

    async fn roll_back_change(
        &self,
        request: Request<RollBackChangeRequest>,
    ) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = decode::id(&request.name)?;
        let rolled_back = self
            .0
            .roll_back(&caller, id, &request.etag, &request.reason);
        answer(rolled_back.await)
    }

    type ExportStateStream = BoxStream<'static, Result<ExportStateResponse, Status>>;

    async fn export_state(
        &self,
        request: Request<ExportStateRequest>,
    ) -> Result<Response<Self::ExportStateStream>, Status> {
        let caller = caller(&request)?;
        let (revision, documents) = self.0.export(&caller);
        let documents = documents
            .into_iter()
            .map(move |document| Ok(encode::exported(document, revision)));
        Ok(Response::new(stream::iter(documents).boxed()))
    }
}
