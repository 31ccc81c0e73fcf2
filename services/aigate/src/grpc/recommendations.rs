//! The handlers.

use contracts::aigate::{self as wire, recommendation_service_server::RecommendationService};
use service_kit::identity::caller;
use tonic::{Request, Response, Status};

use super::{decode, encode};
use crate::app::App;

/// Serves the recommendation service.
pub struct Handler {
    app: App,
}

impl Handler {
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl RecommendationService for Handler {
    async fn submit_recommendation(
        &self,
        request: Request<wire::SubmitRecommendationRequest>,
    ) -> Result<Response<wire::Recommendation>, Status> {
        let caller = caller(&request)?;
        let submission = decode::submission(request.into_inner())?;
        let recommendation = self.app.submit(&caller, submission).await?;
        Ok(Response::new(encode::recommendation(&recommendation)?))
    }

    async fn get_recommendation(
        &self,
        request: Request<wire::GetRecommendationRequest>,
    ) -> Result<Response<wire::Recommendation>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let recommendation = self.app.recommendation_named(&caller, &name).await?;
        Ok(Response::new(encode::recommendation(&recommendation)?))
    }

    async fn list_recommendations(
        &self,
        request: Request<wire::ListRecommendationsRequest>,
    ) -> Result<Response<wire::ListRecommendationsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let filter = decode::filter(&request)?;
        let page = self
            .app
            .recommendations(&caller, &filter, request.page_size, &request.page_token)
            .await?;
        let found = page.items.iter().map(encode::recommendation);
        Ok(Response::new(wire::ListRecommendationsResponse {
            recommendations: found.collect::<service_kit::Result<_>>()?,
            next_page_token: page.next,
        }))
    }

    async fn claim_recommendation(
        &self,
        request: Request<wire::ClaimRecommendationRequest>,
    ) -> Result<Response<wire::Recommendation>, Status> {
        let caller = caller(&request)?;
        let wire::ClaimRecommendationRequest { name, etag } = request.into_inner();
        let recommendation = self.app.claim(&caller, &name, &etag).await?;
        Ok(Response::new(encode::recommendation(&recommendation)?))
    }

    async fn accept_recommendation(
        &self,
        request: Request<wire::AcceptRecommendationRequest>,
    ) -> Result<Response<wire::Recommendation>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        decode::accept(&request)?;
        let recommendation = self
            .app
            .accept(&caller, &request.name, &request.etag, &request.comment)
            .await?;
        Ok(Response::new(encode::recommendation(&recommendation)?))
    }

    async fn modify_recommendation(
        &self,
        request: Request<wire::ModifyRecommendationRequest>,
    ) -> Result<Response<wire::Recommendation>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let arguments = decode::modify(&request)?;
        let recommendation = self
            .app
            .modify(
                &caller,
                &request.name,
                &request.etag,
                &arguments,
                &request.comment,
            )
            .await?;
        Ok(Response::new(encode::recommendation(&recommendation)?))
    }

    async fn reject_recommendation(
        &self,
        request: Request<wire::RejectRecommendationRequest>,
    ) -> Result<Response<wire::Recommendation>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        decode::reject(&request)?;
        let recommendation = self
            .app
            .reject(&caller, &request.name, &request.etag, &request.reason)
            .await?;
        Ok(Response::new(encode::recommendation(&recommendation)?))
    }

    async fn get_model_version(
        &self,
        request: Request<wire::GetModelVersionRequest>,
    ) -> Result<Response<wire::ModelVersion>, Status> {
        let model = self.app.model(&request.into_inner().name)?;
        Ok(Response::new(encode::model(model)))
    }

    async fn list_model_versions(
        &self,
        request: Request<wire::ListModelVersionsRequest>,
    ) -> Result<Response<wire::ListModelVersionsResponse>, Status> {
        let request = request.into_inner();
        let page = self.app.models(request.page_size, &request.page_token)?;
        Ok(Response::new(wire::ListModelVersionsResponse {
            model_versions: page.items.into_iter().map(encode::model).collect(),
            next_page_token: page.next,
        }))
    }
}
