//! The layers of every call, outermost first. A test asserts their order by what a call
//! that several would refuse is answered.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use super::{
    admit::Admit, deadlines::Deadlines, observe::Observe, panics::Panics, rate::Rate, words::Words,
};
use crate::{
    around::{Request, Response},
    identity::Guards,
    settings::Limits,
};

/// A call from its headers to its last trailer.
pub(super) type Stack = BoxCloneSyncService<Request, Response, std::convert::Infallible>;

/// Puts the layers around the services.
pub(super) fn build(
    services: super::run::Services,
    guards: &Guards,
    limits: &Limits,
    draining: &CancellationToken,
) -> Stack {
    let layers = ServiceBuilder::new()
        // First, since refusing must cost least when there is most to do.
        .layer(Admit::layer(limits.concurrent_calls, draining.clone()))
        // Around all that can fail, so that every end of a call is on its span and in
        // the metrics.
        .layer(Observe::layer())
        // Around all that isn't ours to trust, so that a defect ends a call and not the
        // connection.
        .layer(Panics::layer())
        // Before the caller is known: finding that out takes time, too.
        .layer(Deadlines::layer(limits))
        // Before anything that depends on who calls.
        .layer(guards.authenticate())
        // By principal, and before its permissions are looked at: refusals count.
        .layer(Rate::layer(limits))
        // The last before the handlers: the request is read here.
        .layer(guards.authorize())
        // Around the handlers alone: what tonic itself refuses gets a documented reason.
        .layer(Words::layer());
    BoxCloneSyncService::new(layers.service(Arc::new(services).dispatch()))
}
