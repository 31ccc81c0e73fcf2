//! The gRPC services: decode, call a use case, encode. The only place that knows tonic
//! and the contracts.

mod change;
mod change_decode;
mod change_encode;
mod decision;
mod decode;
mod encode;
mod policy;
mod report;
mod waiver;

use std::sync::Arc;

use contracts::policy::{
    change_service_server::ChangeServiceServer, decision_service_server::DecisionServiceServer,
    policy_service_server::PolicyServiceServer, report_service_server::ReportServiceServer,
    waiver_service_server::WaiverServiceServer,
};
use tonic::service::Routes;

use crate::app::App;

/// Full names of the services.
pub const SERVICES: [&str; 5] = [
    "bylaw.policy.v1.ChangeService",
    "bylaw.policy.v1.DecisionService",
    "bylaw.policy.v1.PolicyService",
    "bylaw.policy.v1.ReportService",
    "bylaw.policy.v1.WaiverService",
];

/// The handlers of all services.
#[derive(Clone)]
struct Handler(Arc<App>);

/// The routes of all services.
#[must_use]
pub fn routes(app: Arc<App>) -> Routes {
    let handler = Handler(app);
    Routes::new(service_kit::limited!(DecisionServiceServer::new(
        handler.clone()
    )))
    .add_service(service_kit::limited!(PolicyServiceServer::new(
        handler.clone()
    )))
    .add_service(service_kit::limited!(ChangeServiceServer::new(
        handler.clone()
    )))
    .add_service(service_kit::limited!(WaiverServiceServer::new(
        handler.clone()
    )))
    .add_service(service_kit::limited!(ReportServiceServer::new(handler)))
}
