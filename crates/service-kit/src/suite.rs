//! One service or several in one process, on one gRPC port and one HTTP port: what a
//! service process, `bylaw dev` and the tests all run.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    bootstrap::{self, Checker, Files},
    bus::{self, Bus},
    client::Peers,
    clock::{self, Clock, Ids},
    db::Db,
    error::{Error, Kind, Reason, Result},
    health::{Health, Status},
    identity::{Guards, TokenSource},
    outbox::{AuditSink, Outbox},
    server::{Listeners, Server},
    service::{Context, Part, Service},
    settings::{Problems, SecretUrl, Settings, Validate},
};

/// Name of the lock in the data directory.
const LOCK: &str = "lock";

/// Component that every part reports.
const DATABASE: &str = "database";

/// How often the database is asked for a sign of life, and how long it has.
const PING: Duration = Duration::from_secs(5);

/// Services to be run in this process.
pub struct Suite {
    settings: Settings,
    files: Option<Files>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    bus: Option<Arc<dyn Bus>>,
    services: Vec<Starter>,
    besides: Option<&'static [&'static str]>,
    checked: bool,
}

/// A service that waits for its context.
struct Starter {
    name: &'static str,
    peers: &'static [&'static str],
    checker: Checker,
    migrations: fn() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>>,
    build: Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<Part>> + Send>,
}

impl Suite {
    /// A suite without services yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            files: None,
            clock: Arc::new(clock::System),
            ids: Arc::new(clock::Uuid7),
            bus: None,
            services: Vec::new(),
            besides: None,
            checked: false,
        }
    }

    /// Documents for empty stores, in place of those in `bootstrap.dir`.
    #[must_use]
    pub fn files(mut self, files: Files) -> Self {
        self.files = Some(files);
        self
    }

    /// Kinds of documents that stand beside those of the services and are none of theirs.
    /// With them, a document of a kind that nobody knows is refused, as a mistyped one is.
    #[must_use]
    pub fn besides(mut self, kinds: &'static [&'static str]) -> Self {
        self.besides = Some(kinds);
        self
    }

    /// Another time than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Other new identifiers than UUIDs of version 7.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn Ids>) -> Self {
        self.ids = ids;
        self
    }

    /// Another event stream than that of the settings.
    #[must_use]
    pub fn bus(mut self, bus: Arc<dyn Bus>) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Adds a service.
    #[must_use]
    pub fn service<S: Service>(mut self, settings: S::Settings) -> Self {
        self.services.push(Starter {
            name: S::NAME,
            peers: S::PEERS,
            checker: Checker {
                kinds: S::DOCUMENTS,
                check: S::check,
            },
            migrations: S::migrations,
            build: Box::new(move |context| Box::pin(S::build(settings, context))),
        });
        self
    }

    /// Checks the documents of every service, and the settings beside them, before anything
    /// is opened or written. A suite of several services does so when it starts, so that
    /// none of them takes its part of files that another will refuse.
    ///
    /// # Errors
    /// With everything that is wrong, each with its place.
    pub fn check(&mut self) -> Result<()> {
        let files = match (&self.files, &self.settings.bootstrap.dir) {
            (Some(files), _) => files.clone(),
            (None, Some(dir)) => Files::from_dir(dir)?,
            (None, None) => Files::none(),
        };
        let checkers: Vec<_> = self.services.iter().map(|s| s.checker).collect();
        let problems = bootstrap::check(&files, &checkers, self.besides);
        if !problems.is_empty() {
            return Err(files.refuse(problems));
        }
        self.files = Some(files);
        self.checked = true;
        Ok(())
    }

    /// Opens stores, migrates them, builds the services and serves. It returns once
    /// calls are answered.
    ///
    /// # Errors
    /// If documents are malformed, the settings contradict each other, the data directory is
    /// in use, or anything can't be opened.
    pub async fn start(mut self) -> Result<Running> {
        if self.services.len() > 1 && !self.checked {
            self.check()?;
        }
        let locks = lock(&self.settings, &self.services)?;
        let listeners = Listeners::bind(&self.settings).await?;
        let (grpc_addr, http_addr) = (listeners.grpc_addr, listeners.http_addr);
        self.know_peers(grpc_addr);
        check(&self.settings, &self.services)?;
        let files = match (self.files.take(), &self.settings.bootstrap.dir) {
            (Some(files), _) => files,
            (None, Some(dir)) => Files::from_dir(dir)?,
            (None, None) => Files::none(),
        };
        let bus = match self.bus.take() {
            Some(bus) => bus,
            None => bus::connect(&self.settings.bus)?,
        };
        let settings = Arc::new(self.settings);
        let shared = Shared {
            guards: Guards::open(
                &settings.identity,
                settings.development,
                &settings.data_dir,
                Arc::clone(&self.clock),
            )
            .await?,
            settings,
            files,
            bus,
            clock: self.clock,
            ids: self.ids,
            health: Health::new(),
            shutdown: CancellationToken::new(),
        };
        // Whatever ends the start ends what was started.
        let started = shared.shutdown.clone().drop_guard();
        let mut parts = Vec::new();
        for (at, starter) in self.services.into_iter().enumerate() {
            let mut part = shared.start(starter).await?;
            if at == 0 {
                part.tasks
                    .push(shared.guards.refresh(shared.shutdown.clone()));
            }
            parts.push(part);
        }
        let (stop, shutdown) = (CancellationToken::new(), started.disarm());
        let server = Server {
            settings: shared.settings,
            listeners,
            parts,
            guards: shared.guards,
            health: shared.health.clone(),
            stop: stop.clone(),
            shutdown: shutdown.clone(),
        };
        // Whatever ends the servers ends everything else.
        let ended = shutdown.drop_guard();
        let open = server.open()?;
        let serving = tokio::spawn(async move {
            let _ended = ended;
            let ended = open.serve().await;
            drop(locks);
            ended
        });
        Ok(Running {
            grpc_addr,
            http_addr,
            health: shared.health,
            stop,
            serving: Some(serving),
        })
    }

    /// Services of this process call each other at the address that was bound.
    fn know_peers(&mut self, bound: SocketAddr) {
        let scheme = if self.settings.grpc.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let mut reachable = bound;
        if bound.ip().is_unspecified() {
            reachable.set_ip(match bound {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        for service in &self.services {
            self.settings
                .peers
                .addresses
                .entry(service.name.to_owned())
                .or_insert_with(|| format!("{scheme}://{reachable}"));
        }
    }
}

/// What settings alone can't show: who is needed.
fn check(settings: &Settings, services: &[Starter]) -> Result<()> {
    let mut problems = Problems::default();
    settings.validate(&mut problems);
    for service in services {
        for peer in service.peers {
            problems.check(
                !settings.peers.addresses.contains_key(*peer),
                &format!("peers.addresses.{peer}"),
                &format!("is not set, and the {} service needs it", service.name),
            );
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!("settings can't be used: {problems}");
    Err(Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        message,
    ))
}

/// Locks on the data directory, held until the process has ended.
type Locks = Vec<File>;

/// Keeps others off embedded stores: a suite has the whole directory, and a single
/// service has its own file, beside other single services.
fn lock(settings: &Settings, services: &[Starter]) -> Result<Locks> {
    let embedded = |service: &&Starter| database(settings, service.name).starts_with("sqlite:");
    let dir = &settings.data_dir;
    let refused = |what: &str| {
        let message = format!("data directory {}: {what}", dir.display());
        Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    };
    let take = |name: &str, shared: bool| {
        let open = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(name));
        let file = open.map_err(|e| refused(&e.to_string()))?;
        let taken = if shared {
            file.try_lock_shared()
        } else {
            file.try_lock()
        };
        match taken {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(refused(
                "another process uses it, stop that or choose another",
            )),
            Err(TryLockError::Error(e)) => Err(refused(&e.to_string())),
        }
    };
    let Some(first) = services.iter().find(embedded) else {
        return Ok(Locks::new());
    };
    std::fs::create_dir_all(dir).map_err(|e| refused(&e.to_string()))?;
    match services.len() {
        1 => Ok(vec![
            take(LOCK, true)?,
            take(&format!("{}.{LOCK}", first.name), false)?,
        ]),
        _ => Ok(vec![take(LOCK, false)?]),
    }
}

/// The URL of a service's database.
fn database(settings: &Settings, service: &str) -> String {
    let url = settings.database.url.expose();
    if url.is_empty() {
        let file = settings.data_dir.join(format!("{service}.db"));
        return format!("sqlite:{}", file.display());
    }
    url.replace("{service}", service)
}

/// What the services of a process share.
struct Shared {
    settings: Arc<Settings>,
    guards: Guards,
    files: Files,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    health: Health,
    shutdown: CancellationToken,
}

impl Shared {
    async fn start(&self, starter: Starter) -> Result<Part> {
        let name = starter.name;
        let settings = self.settings_of(name);
        let health = self.health.part(name);
        let db = Db::connect(&settings.database).await?;
        db.migrate((starter.migrations)()).await?;
        health.set(DATABASE, Status::Serving, "answers");
        let tokens = TokenSource::open(
            &settings.identity,
            settings.development,
            &settings.data_dir,
            name,
            Arc::clone(&self.clock),
        )?;
        let peers = Peers::new(&settings, tokens, &self.shutdown)?;
        let outbox = Outbox::new(name, db.clone(), Arc::clone(&self.clock));
        let sink = AuditSink::new(peers.audit());
        let relay = outbox.relay(
            Arc::new(sink),
            Arc::clone(&self.bus),
            &settings.bus,
            health.clone(),
            self.shutdown.clone(),
        );
        let refusals = self
            .guards
            .audit(name, outbox.clone(), self.shutdown.clone());
        let context = Context {
            name,
            settings: Arc::new(settings),
            db,
            bus: Arc::clone(&self.bus),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            peers,
            guards: self.guards.clone(),
            files: self.files.clone(),
            outbox,
            shutdown: self.shutdown.clone(),
            health,
        };
        let watch = watch(
            context.db.clone(),
            context.health.clone(),
            self.shutdown.clone(),
        );
        let mut part = (starter.build)(context).await?;
        part.tasks.extend([relay, refusals, Box::pin(watch)]);
        Ok(part)
    }

    fn settings_of(&self, service: &str) -> Settings {
        let mut settings = Settings::clone(&self.settings);
        settings.database.url = SecretUrl::new(database(&settings, service));
        settings.database.schema = settings.database.schema.replace("{service}", service);
        settings
    }
}

/// Reports whether the database answers, until `shutdown`.
async fn watch(db: Db, health: Health, shutdown: CancellationToken) {
    let mut every = tokio::time::interval(PING);
    while shutdown.run_until_cancelled(every.tick()).await.is_some() {
        let answered = tokio::time::timeout(PING, db.ping()).await;
        match answered {
            Ok(Ok(())) => health.set(DATABASE, Status::Serving, "answers"),
            Ok(Err(e)) => health.set(DATABASE, Status::NotServing, e.message()),
            Err(_) => health.set(DATABASE, Status::NotServing, "does not answer in time"),
        }
    }
}

/// A suite that serves; it stops when it is dropped.
pub struct Running {
    grpc_addr: SocketAddr,
    http_addr: SocketAddr,
    health: Health,
    stop: CancellationToken,
    /// Gone once it was waited for.
    serving: Option<JoinHandle<Result<()>>>,
}

impl Running {
    /// Address of the gRPC listener, with the port that was taken.
    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    /// Address of the HTTP listener, with the port that was taken.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// What the parts report.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Tells the suite to stop when it is cancelled.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until the suite has ended, by itself or because it was told to. It may be
    /// given up and called again.
    ///
    /// # Errors
    /// If it ended because something failed.
    pub async fn wait(&mut self) -> Result<()> {
        let Some(serving) = &mut self.serving else {
            return Ok(());
        };
        let ended = serving.await;
        self.serving = None;
        ended.map_err(Error::internal)?
    }

    /// Drains and stops.
    ///
    /// # Errors
    /// If the suite had ended because something failed.
    pub async fn shutdown(mut self) -> Result<()> {
        self.stop.cancel();
        self.wait().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
