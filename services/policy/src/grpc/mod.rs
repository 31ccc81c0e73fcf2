//! The gRPC services: decode, call a use case, encode. The only place that knows tonic
//! and the contracts.

mod decision;
mod decode;
mod encode;
mod policy;

use std::sync::Arc;

use contracts::policy::{
    decision_service_server::DecisionServiceServer, policy_service_server::PolicyServiceServer,
};
use tonic::service::Routes;

use crate::app::App;

/// Full names of the services.
pub const SERVICES: [&str; 2] = [
    "bylaw.policy.v1.DecisionService",
    "bylaw.policy.v1.PolicyService",
];

/// The handlers of both services.
#[derive(Clone)]
struct Handler(Arc<App>);

/// The routes of both services.
#[must_use]
pub fn routes(app: Arc<App>) -> Routes {
    let handler = Handler(app);
    Routes::new(service_kit::limited!(DecisionServiceServer::new(
        handler.clone()
    )))
    .add_service(service_kit::limited!(PolicyServiceServer::new(handler)))
}
