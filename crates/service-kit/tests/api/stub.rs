//! A service that answers under the audit service's name and does what the request says:
//! the kit alone is what these tests look at.

use std::{
    convert::Infallible,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Polling, Poll},
    time::Duration,
};

use bytes::Bytes;
use contracts::audit::{
    BatchAppendRecordsRequest, BatchAppendRecordsResponse, ExportRecordsRequest,
    ExportRecordsResponse, GetRecordRequest, Record, audit_service_client::AuditServiceClient,
};
use futures::{StreamExt as _, future::BoxFuture, stream, stream::BoxStream};
use serde::{Deserialize, Serialize};
use service_kit::{
    Context, Part, Service, Settings, Validate,
    client::{OnBehalf, Peers},
    identity::{DevIssuer, Grant, GrantScope, PrincipalKind},
    suite::{Running, Suite},
    telemetry,
};
use tempfile::TempDir;
use tonic::{
    Request, Response, Status,
    body::Body,
    metadata::MetadataValue,
    server::NamedService,
    transport::{Channel, Endpoint},
};

/// Handlers that run now, by test.
static RUNNING: LazyLock<Mutex<std::collections::HashMap<u64, Arc<AtomicUsize>>>> =
    LazyLock::new(Mutex::default);

pub fn running(test: u64) -> Arc<AtomicUsize> {
    RUNNING.lock().unwrap().entry(test).or_default().clone()
}

/// Counts a handler for as long as it is there.
struct Here(Arc<AtomicUsize>);

impl Here {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(counter))
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StubSettings {
    pub test: u64,
    pub task_panics: bool,
}

impl Validate for StubSettings {
    const DOCUMENTED: &'static str = "\
[service]
# What the test says of itself.
test = 0
# Whether a task panics.
task_panics = false
";

    fn validate(&self, problems: &mut service_kit::settings::Problems) {
        problems.check(self.test == 13, "service.test", "is unlucky");
    }
}

pub struct Stub;

impl Service for Stub {
    const NAME: &'static str = "audit";
    type Settings = StubSettings;

    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        Vec::new()
    }

    async fn build(settings: StubSettings, context: Context) -> service_kit::Result<Part> {
        let handlers = Handlers {
            running: running(settings.test),
            peers: context.peers.clone(),
            trace: Arc::default(),
        };
        let mut tasks: Vec<BoxFuture<'static, ()>> = Vec::new();
        if settings.task_panics {
            tasks.push(Box::pin(async { panic!("as told") }));
        }
        Ok(Part {
            name: context.name,
            routes: tonic::service::Routes::new(handlers),
            grpc_services: vec![Handlers::NAME],
            http: axum::Router::new(),
            tasks,
        })
    }
}

#[derive(Clone)]
struct Handlers {
    running: Arc<AtomicUsize>,
    peers: Peers,
    /// Where the last handler stood that was asked nothing else.
    trace: Arc<Mutex<String>>,
}

impl NamedService for Handlers {
    const NAME: &'static str = "bylaw.audit.v1.AuditService";
}

impl tower::Service<http::Request<Body>> for Handlers {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let path = request.uri().path();
            Ok(if path.ends_with("/GetRecord") {
                let mut grpc = tonic::server::Grpc::new(tonic_prost::ProstCodec::default());
                grpc.unary(Unary(this), request).await
            } else if path.ends_with("/BatchAppendRecords") {
                let mut grpc = tonic::server::Grpc::new(tonic_prost::ProstCodec::default());
                grpc.unary(Append(this), request).await
            } else {
                let mut grpc = tonic::server::Grpc::new(tonic_prost::ProstCodec::default());
                grpc.server_streaming(Streaming(this), request).await
            })
        })
    }
}

struct Unary(Handlers);

impl tonic::server::UnaryService<GetRecordRequest> for Unary {
    type Response = Record;
    type Future = BoxFuture<'static, Result<Response<Record>, Status>>;

    fn call(&mut self, request: Request<GetRecordRequest>) -> Self::Future {
        let this = self.0.clone();
        Box::pin(async move {
            let _here = Here::new(&this.running);
            let name = request.into_inner().name;
            let mut record = Record::default();
            match name.strip_prefix("peer ") {
                Some(what) => ask(&this.peers, what).await?,
                None => this.act(&name).await?,
            }
            record.trace_id = this.trace.lock().unwrap().clone();
            record.name = name;
            Ok(Response::new(record))
        })
    }
}

/// What the kit's own client calls: every service may.
struct Append(Handlers);

impl tonic::server::UnaryService<BatchAppendRecordsRequest> for Append {
    type Response = BatchAppendRecordsResponse;
    type Future = BoxFuture<'static, Result<Response<Self::Response>, Status>>;

    fn call(&mut self, request: Request<BatchAppendRecordsRequest>) -> Self::Future {
        let this = self.0.clone();
        Box::pin(async move {
            let _here = Here::new(&this.running);
            let records = request.into_inner().records;
            this.act(&records[0].action).await?;
            let results = vec![Default::default(); records.len()];
            Ok(Response::new(BatchAppendRecordsResponse { results }))
        })
    }
}

impl Handlers {
    async fn act(&self, what: &str) -> service_kit::Result<()> {
        match what {
            "panic" => panic!("as told"),
            "nap" => tokio::time::sleep(Duration::from_millis(700)).await,
            "sleep" => tokio::time::sleep(Duration::from_secs(30)).await,
            "broken" => return Err(service_kit::Error::broken("postgres://u:p@secret")),
            _ => *self.trace.lock().unwrap() = telemetry::current_trace().traceparent,
        }
        Ok(())
    }
}

async fn ask(peers: &Peers, what: &str) -> service_kit::Result<()> {
    let mut client = service_kit::limited!(AuditServiceClient::new(peers.channel("audit")));
    let record = Record {
        action: what.to_owned(),
        ..Default::default()
    };
    let request = OnBehalf::default().apply(BatchAppendRecordsRequest {
        records: vec![record],
    });
    let answer = client.batch_append_records(request).await;
    answer
        .map(|_| ())
        .map_err(|status| service_kit::Error::from_status(status, "audit"))
}

struct Streaming(Handlers);

impl tonic::server::ServerStreamingService<ExportRecordsRequest> for Streaming {
    type Response = ExportRecordsResponse;
    type ResponseStream = BoxStream<'static, Result<ExportRecordsResponse, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<ExportRecordsRequest>) -> Self::Future {
        let here = Here::new(&self.0.running);
        let lines = |size: usize| {
            Ok(ExportRecordsResponse {
                lines: Bytes::from(vec![b'x'; size]),
            })
        };
        Box::pin(async move {
            let parts: BoxStream<'static, _> = match request.into_inner().start_index {
                0 => stream::iter(0..3).map(move |_| lines(3)).boxed(),
                1 => stream::pending().boxed(),
                2 => stream::iter(0..2)
                    .map(move |n| if n == 0 { lines(3) } else { panic!("as told") })
                    .boxed(),
                _ => stream::repeat_with(move || lines(1 << 16)).boxed(),
            };
            let kept = parts.map(move |part| {
                let _ = &here;
                part
            });
            Ok(Response::new(kept.boxed()))
        })
    }
}

/// A process with the stub, for as long as a test needs it.
pub struct World {
    pub running: Running,
    pub dir: TempDir,
    pub test: u64,
}

impl World {
    /// Starts it; `test` is the test's own number.
    pub async fn start(test: u64, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let running = suite(&dir, test, change).start().await.unwrap();
        Self { running, dir, test }
    }

    pub fn token(&self, role: &str) -> String {
        let grant = Grant {
            role: role.to_owned(),
            at: GrantScope::Under("acme".parse().unwrap()),
        };
        let now = chrono::Utc::now();
        let ttl = Duration::from_secs(600);
        DevIssuer::open(self.dir.path())
            .unwrap()
            .mint("auditor", PrincipalKind::Person, &[grant], ttl, now)
            .unwrap()
    }

    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.running.grpc_addr()))
            .unwrap()
            .connect_lazy()
    }

    pub fn client(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.channel()).max_decoding_message_size(usize::MAX)
    }

    /// A request of an auditor.
    pub fn request<T>(&self, message: T) -> Request<T> {
        self.request_of("auditor", message)
    }

    pub fn request_of<T>(&self, role: &str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer: MetadataValue<_> = format!("Bearer {}", self.token(role)).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    pub fn get(&self, name: &str) -> Request<GetRecordRequest> {
        self.request(record(name))
    }

    pub fn export(&self, start_index: i64) -> Request<ExportRecordsRequest> {
        self.request(ExportRecordsRequest {
            start_index,
            ..Default::default()
        })
    }

    /// Waits until so many handlers run.
    pub async fn handlers(&self, wanted: usize) {
        let counter = running(self.test);
        eventually("handlers", || counter.load(Ordering::SeqCst) == wanted).await;
    }

    pub async fn page(&self, path: &str) -> (u16, String) {
        super::raw::http(self.running.http_addr(), path).await
    }
}

pub fn record(name: &str) -> GetRecordRequest {
    GetRecordRequest {
        name: name.to_owned(),
    }
}

pub fn suite(dir: &TempDir, test: u64, change: impl FnOnce(&mut Settings)) -> Suite {
    let mut settings = Settings {
        development: true,
        data_dir: dir.path().to_owned(),
        ..Settings::default()
    };
    settings.grpc.addr.set_port(0);
    settings.http.addr.set_port(0);
    settings.drain.time = Duration::from_millis(500);
    change(&mut settings);
    let own = StubSettings {
        test,
        ..StubSettings::default()
    };
    Suite::new(settings).service::<Stub>(own)
}

/// Waits for a condition, for at most ten seconds.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not so within ten seconds");
}

/// The reason in an error's details.
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

/// Runs the named test in a process of its own, with these variables: what it needs is
/// there once for a process.
pub fn alone(name: &str, variables: &[(&str, &str)]) -> Option<String> {
    const CHILD: &str = "TEST_IN_A_PROCESS_OF_ITS_OWN";
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{printed}");
    Some(printed.into_owned())
}
