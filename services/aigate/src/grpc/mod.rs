//! Decode, call, encode: the only place that knows tonic and the contracts.

mod decode;
pub(crate) mod encode;
mod recommendations;

use contracts::aigate::recommendation_service_server::RecommendationServiceServer;
use tonic::service::Routes;

use crate::app::App;
use recommendations::Handler;

/// Full names of the gRPC services.
pub const SERVICES: [&str; 1] = ["bylaw.aigate.v1.RecommendationService"];

/// The gRPC services over the use cases.
pub fn routes(app: App) -> Routes {
    Routes::new(service_kit::limited!(RecommendationServiceServer::new(
        Handler::new(app)
    )))
}
