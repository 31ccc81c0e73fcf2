//! A process's servers from their start to their end.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Status, service::Routes};
use tower::Service;

use super::{
    connection::{Accept, Ends, Listeners},
    health, http, speak, stack,
};
use crate::{
    around::{Request, Response},
    error::{Error, Kind, Reason, Result},
    health::Health,
    identity::Guards,
    service::Part,
    settings::Settings,
    tls,
};

/// How long what was cut may take to notice.
const CUT: std::time::Duration = std::time::Duration::from_secs(2);

/// How long tasks may take to end once no call is left.
const TASKS: std::time::Duration = std::time::Duration::from_millis(250);

/// Everything a process serves.
pub(crate) struct Server {
    pub(crate) settings: Arc<Settings>,
    pub(crate) listeners: Listeners,
    pub(crate) parts: Vec<Part>,
    pub(crate) guards: Guards,
    pub(crate) health: Health,
    /// Tells the server to stop.
    pub(crate) stop: CancellationToken,
    /// Cancelled by the server when the parts must end their tasks and streams.
    pub(crate) shutdown: CancellationToken,
}

/// gRPC services by their full names.
pub(super) struct Services(BTreeMap<String, Routes>);

impl Services {
    fn new(parts: &[Part], health: Health) -> Result<Self> {
        let mut services = BTreeMap::new();
        let mut add = |name: &str, routes: Routes| {
            let earlier = services.insert(name.to_owned(), routes.prepare());
            match earlier {
                None => Ok(()),
                Some(_) => Err(broken(format!("two parts serve {name}"))),
            }
        };
        for part in parts {
            for name in &part.grpc_services {
                add(name, part.routes.clone())?;
            }
        }
        add("grpc.health.v1.Health", Routes::new(health::server(health)))?;
        let reflection = || {
            let builder = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(contracts::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("grpc.health.v1.Health");
            parts
                .iter()
                .flat_map(|part| &part.grpc_services)
                .fold(builder, |builder, name| builder.with_service_name(*name))
        };
        let current = reflection().build_v1().map_err(Error::internal)?;
        add(
            "grpc.reflection.v1.ServerReflection",
            Routes::new(crate::limited!(current)),
        )?;
        // Tools in use still ask for the version before it.
        let earlier = reflection().build_v1alpha().map_err(Error::internal)?;
        add(
            "grpc.reflection.v1alpha.ServerReflection",
            Routes::new(crate::limited!(earlier)),
        )?;
        Ok(Self(services))
    }

    /// The innermost service: finds the handler of a call.
    pub(super) fn dispatch(self: Arc<Self>) -> Dispatch {
        Dispatch(self)
    }
}

#[derive(Clone)]
pub(super) struct Dispatch(Arc<Services>);

impl Service<Request> for Dispatch {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let path = request.uri().path();
        let name = path
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        match self.0.0.get(name) {
            Some(routes) => {
                let mut routes = routes.clone();
                Box::pin(async move { routes.call(request).await })
            }
            None => {
                Box::pin(async { Ok(Status::unimplemented("no such service here").into_http()) })
            }
        }
    }
}

/// Servers that are ready to take calls.
pub(crate) struct Open {
    settings: Arc<Settings>,
    health: Health,
    stop: CancellationToken,
    shutdown: CancellationToken,
    ends: Ends,
    connections: TaskTracker,
    calls: (Accept, stack::Stack),
    pages: (Accept, axum::Router),
    tasks: Vec<(&'static str, BoxFuture<'static, ()>)>,
}

impl Server {
    /// Reads TLS files and puts services and layers together.
    ///
    /// # Errors
    /// If a file can't be read, or two parts serve the same.
    pub(crate) fn open(self) -> Result<Open> {
        let Self {
            settings,
            listeners,
            parts,
            guards,
            health,
            stop,
            shutdown,
        } = self;
        let limits = Arc::new(settings.limits.clone());
        let (ends, connections) = (Ends::default(), TaskTracker::new());
        for part in &parts {
            health.part(part.name).serve(&part.grpc_services);
        }
        let services = Services::new(&parts, health.clone())?;
        let stack = stack::build(services, &guards, &limits, &ends.closing);
        let router = http::router(health.clone(), parts.iter().map(|part| part.http.clone()));
        let accept = |name, listener, tls: &Option<_>, alpn| {
            let tls = match tls {
                Some(files) => Some(tls::Server::open(files, alpn, shutdown.clone())?),
                None => None,
            };
            Ok::<_, Error>(Accept {
                name,
                listener,
                tls,
                limits: Arc::clone(&limits),
                ends: ends.clone(),
                connections: connections.clone(),
            })
        };
        let calls = accept("grpc", listeners.grpc, &settings.grpc.tls, b"h2")?;
        let pages = accept("http", listeners.http, &settings.http.tls, b"http/1.1")?;
        Ok(Open {
            calls: (calls, stack),
            pages: (pages, router),
            tasks: parts
                .into_iter()
                .flat_map(|part| part.tasks.into_iter().map(move |task| (part.name, task)))
                .collect(),
            settings,
            health,
            stop,
            shutdown,
            ends,
            connections,
        })
    }
}

impl Open {
    /// Serves until told to stop, then drains.
    ///
    /// # Errors
    /// If a part's task fails while the process should run.
    pub(crate) async fn serve(self) -> Result<()> {
        // However this ends, no connection outlives it.
        let _cut = self.ends.cut.clone().drop_guard();
        let limits = Arc::clone(&self.calls.0.limits);
        let (accept, stack) = self.calls;
        self.connections.spawn(accept.run(move |accepted| {
            let (stack, limits) = (stack.clone(), Arc::clone(&limits));
            Box::pin(async move { speak::calls(accepted, stack, &limits).await })
        }));
        let limits = Arc::clone(&self.pages.0.limits);
        let (accept, router) = self.pages;
        self.connections.spawn(accept.run(move |accepted| {
            let (router, limits) = (router.clone(), Arc::clone(&limits));
            Box::pin(async move { speak::pages(accepted, router, &limits).await })
        }));

        let mut tasks = spawn(self.tasks);
        let failed = tokio::select! {
            () = self.stop.cancelled() => None,
            failed = failure(&mut tasks) => Some(failed),
        };
        self.health.drain();
        if failed.is_none() {
            tracing::info!("stopping");
            tokio::time::sleep(self.settings.drain.notice).await;
        }
        self.shutdown.cancel();
        self.ends.closing.cancel();
        self.connections.close();
        let drained = tokio::time::timeout(self.settings.drain.time, self.connections.wait());
        if drained.await.is_err() {
            tracing::warn!("calls were cut, since the drain time is over");
        }
        self.ends.cut.cancel();
        // Those that consume events don't end by themselves; what they leave is delivered
        // again.
        let _ = tokio::time::timeout(TASKS, async { while tasks.next().await.is_some() {} }).await;
        // What was cut ends at its next await; a thread that blocks isn't waited for.
        let _ = tokio::time::timeout(CUT, self.connections.wait()).await;
        match failed {
            Some(name) => Err(broken(format!("a task of {name} failed"))),
            None => Ok(()),
        }
    }
}

/// Tasks of the parts, each in a task of the runtime; the flag tells of a panic.
type Tasks = FuturesUnordered<BoxFuture<'static, (&'static str, bool)>>;

fn spawn(tasks: Vec<(&'static str, BoxFuture<'static, ()>)>) -> Tasks {
    tasks
        .into_iter()
        .map(|(name, task)| {
            let handle = AbortOnDrop(tokio::spawn(task));
            handle.map(move |panicked| (name, panicked)).boxed()
        })
        .collect()
}

/// A task that ends with whoever waits for it.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Future for AbortOnDrop {
    type Output = bool;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        self.0.poll_unpin(context).map(|joined| joined.is_err())
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends when a task panics; tasks may end by themselves.
async fn failure(tasks: &mut Tasks) -> &'static str {
    while let Some((name, panicked)) = tasks.next().await {
        if panicked {
            tracing::error!(part = name, "a task panicked, the process stops");
            return name;
        }
    }
    std::future::pending().await
}

fn broken(message: String) -> Error {
    Error::new(Kind::Internal, Reason::Internal, message)
}
