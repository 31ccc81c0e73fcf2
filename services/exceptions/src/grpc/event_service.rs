//! `bylaw.exceptions.v1.EventService`.

use contracts::exceptions::{
    BatchIngestEventsRequest, BatchIngestEventsResponse, Document, GetDocumentRequest,
    IngestEventRequest, IngestResult, ListDeadLettersRequest, ListDeadLettersResponse,
    ReplayDeadLetterRequest, event_service_server::EventService,
};
use service_kit::{identity::caller, violations::Violations};
use tonic::{Request, Response, Status};

use super::{decode, wire};
use crate::app::App;

/// Its methods over the use cases.
pub(super) struct Handler(pub(super) App);

#[tonic::async_trait]
impl EventService for Handler {
    async fn ingest_event(
        &self,
        request: Request<IngestEventRequest>,
    ) -> Result<Response<IngestResult>, Status> {
        let caller = caller(&request)?;
        let mut violations = Violations::default();
        let event = decode::event("event", request.into_inner().event, &mut violations);
        let event = violations.finish(|| event)?;
        let outcome = self.0.ingest(&caller, event).await?;
        Ok(Response::new(wire::outcome(outcome)))
    }

    async fn batch_ingest_events(
        &self,
        request: Request<BatchIngestEventsRequest>,
    ) -> Result<Response<BatchIngestEventsResponse>, Status> {
        let caller = caller(&request)?;
        let mut violations = Violations::default();
        let events = request.into_inner().events.into_iter().enumerate();
        let events = events.filter_map(|(index, event)| {
            let field = format!("events[{index}]");
            decode::event(&field, Some(event), &mut violations)
        });
        let events = events.collect();
        let events = violations.finish(|| Some(events))?;
        let outcomes = self.0.ingest_all(&caller, events).await?;
        Ok(Response::new(BatchIngestEventsResponse {
            results: outcomes.into_iter().map(wire::outcome).collect(),
        }))
    }

    async fn get_document(
        &self,
        request: Request<GetDocumentRequest>,
    ) -> Result<Response<Document>, Status> {
        let caller = caller(&request)?;
        let document = self.0.document(&caller, &request.into_inner().name).await?;
        Ok(Response::new(wire::document(document)?))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let page = self
            .0
            .dead_letters(&caller, request.page_size, &request.page_token)
            .await?;
        Ok(Response::new(ListDeadLettersResponse {
            dead_letters: page.items.into_iter().map(wire::dead_letter).collect(),
            next_page_token: page.next,
        }))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<ReplayDeadLetterRequest>,
    ) -> Result<Response<IngestResult>, Status> {
        let caller = caller(&request)?;
        let outcome = self.0.replay(&caller, &request.into_inner().name).await?;
        Ok(Response::new(wire::outcome(outcome)))
    }
}
