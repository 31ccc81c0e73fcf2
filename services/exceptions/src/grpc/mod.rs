//! Decode, call, encode.

mod decode;
mod event_service;
mod exception_service;
pub(crate) mod wire;

use contracts::exceptions::{
    event_service_server::EventServiceServer, exception_service_server::ExceptionServiceServer,
};
use tonic::service::Routes;

use crate::app::App;

/// Full names of the gRPC services.
pub const SERVICES: [&str; 2] = [
    "bylaw.exceptions.v1.EventService",
    "bylaw.exceptions.v1.ExceptionService",
];

/// The gRPC services over the use cases.
pub fn routes(app: App) -> Routes {
    let events = EventServiceServer::new(event_service::Handler(app.clone()));
    let exceptions = ExceptionServiceServer::new(exception_service::Handler(app));
    Routes::new(service_kit::limited!(events)).add_service(service_kit::limited!(exceptions))
}
