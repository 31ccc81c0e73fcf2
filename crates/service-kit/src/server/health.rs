//! The gRPC health protocol over what the parts report.

use std::pin::Pin;

use futures::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health as Protocol, HealthServer},
};

use crate::{error::Error, health::Health};

/// The health service of a process.
pub(super) fn server(health: Health) -> HealthServer<Service> {
    crate::limited!(HealthServer::new(Service(health)))
}

pub(super) struct Service(Health);

fn answer(works: Option<bool>) -> HealthCheckResponse {
    let status = match works {
        Some(true) => ServingStatus::Serving,
        Some(false) => ServingStatus::NotServing,
        None => ServingStatus::ServiceUnknown,
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl Protocol for Service {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = request.into_inner().service;
        match self.0.service(&name) {
            Some(works) => Ok(Response::new(answer(Some(works)))),
            None => Err(Error::not_found(format!("gRPC service {name:?}")).into()),
        }
    }

    type WatchStream =
        Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = request.into_inner().service;
        let health = self.0.clone();
        let changes = health.changes();
        let start = (health, changes, None::<Option<bool>>);
        // The state after a change, and only where it differs from what was sent.
        let states = stream::unfold(start, move |(health, mut changes, sent)| {
            let name = name.clone();
            async move {
                loop {
                    changes.mark_unchanged();
                    let now = health.service(&name);
                    if sent != Some(now) {
                        return Some((Ok(answer(now)), (health, changes, Some(now))));
                    }
                    changes.changed().await.ok()?;
                }
            }
        });
        Ok(Response::new(states.boxed()))
    }
}
