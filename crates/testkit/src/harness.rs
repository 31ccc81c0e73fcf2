//! One service in this process, with all of its layers.

use std::{net::SocketAddr, path::Path, sync::Arc};

use service_kit::{
    Service,
    bootstrap::Files,
    bus::{self, Bus},
    clock::{self, Clock},
    health::Health,
    identity::PrincipalKind,
    settings::{SecretUrl, Settings},
    suite::{Running, Suite},
};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::{
    Backend, Store,
    identity::{Bearer, Calls, Tokens},
    sink::AuditLog,
};

/// How a service is started; see [`Harness::with`].
pub struct Options {
    /// Settings that all services share; ports, database, peers and data directory are
    /// the harness's.
    pub settings: Settings,
    /// Documents for the empty store.
    pub files: Files,
    /// The time; tokens are minted by it.
    pub clock: Arc<dyn Clock>,
    /// The event stream.
    pub bus: Arc<dyn Bus>,
    /// Addresses of peers beside the log, such as `("policy", "http://127.0.0.1:1")`.
    pub peers: Vec<(String, String)>,
    /// Whether it runs as deployed: `settings` name an issuer and the service's own token.
    pub deployed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            files: Files::none(),
            clock: Arc::new(clock::System),
            bus: bus::memory(),
            peers: Vec::new(),
            deployed: false,
        }
    }
}

/// A service that serves on free ports until dropped. Its records go to a log that
/// remembers them.
pub struct Harness {
    /// Where its records go.
    pub log: AuditLog,
    /// Its event stream.
    pub bus: Arc<dyn Bus>,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Mints tokens that it accepts.
    pub tokens: Tokens,
    running: Running,
    channel: Channel,
    dir: TempDir,
    store: Store,
}

impl Harness {
    /// Starts a service with these documents in its empty store.
    pub async fn start<S: Service>(backend: Backend, settings: S::Settings, files: Files) -> Self {
        let options = Options {
            files,
            ..Options::default()
        };
        Self::with::<S>(backend, settings, options).await
    }

    /// Starts a service.
    ///
    /// # Panics
    /// If it doesn't start.
    pub async fn with<S: Service>(
        backend: Backend,
        service: S::Settings,
        options: Options,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (store, log) = (backend.store(), AuditLog::new());
        let mut settings = options.settings;
        settings.development = !options.deployed;
        settings.data_dir = dir.path().to_owned();
        settings.grpc.addr = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.http.addr = settings.grpc.addr;
        settings.database.url = SecretUrl::new(store.url());
        let addresses = &mut settings.peers.addresses;
        addresses.extend(options.peers);
        // A peer that nobody listens for: calls to it end as unavailable.
        for peer in S::PEERS.iter().filter(|peer| **peer != S::NAME) {
            let nobody = || format!("http://127.0.0.1:{}", crate::free_port());
            addresses.entry((*peer).to_owned()).or_insert_with(nobody);
        }
        if S::NAME != "audit" {
            addresses.insert("audit".to_owned(), log.serve().await);
        }
        let tokens = Tokens::of(dir.path());
        let running = Suite::new(settings)
            .files(options.files)
            .clock(Arc::clone(&options.clock))
            .bus(Arc::clone(&options.bus))
            .service::<S>(service)
            .start()
            .await
            .unwrap_or_else(|error| panic!("{} doesn't start: {error:?}", S::NAME));
        let channel = Endpoint::from_shared(format!("http://{}", running.grpc_addr()))
            .expect("an address")
            .connect_lazy();
        Self {
            log,
            bus: options.bus,
            clock: options.clock,
            tokens,
            running,
            channel,
            dir,
            store,
        }
    }

    /// A token for a subject; `grants` such as `operator@acme/europe/medical`.
    #[must_use]
    pub fn token(&self, subject: &str, kind: PrincipalKind, grants: &[&str]) -> String {
        self.tokens.mint(subject, kind, grants, self.clock.now())
    }

    /// A channel without a token.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A channel that calls with a token, for a generated client.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Calls {
        Calls::new(self.channel.clone(), Bearer::new(token))
    }

    /// A channel of a subject.
    #[must_use]
    pub fn calls(&self, subject: &str, kind: PrincipalKind, grants: &[&str]) -> Calls {
        self.with_token(&self.token(subject, kind, grants))
    }

    /// A channel of a person.
    #[must_use]
    pub fn person(&self, subject: &str, grants: &[&str]) -> Calls {
        self.calls(subject, PrincipalKind::Person, grants)
    }

    /// A channel of a program.
    #[must_use]
    pub fn program(&self, subject: &str, grants: &[&str]) -> Calls {
        self.calls(subject, PrincipalKind::Service, grants)
    }

    /// Address of the gRPC listener.
    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.running.grpc_addr()
    }

    /// Address of the HTTP listener.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.running.http_addr()
    }

    /// What the service reports.
    #[must_use]
    pub fn health(&self) -> &Health {
        self.running.health()
    }

    /// URL of its database, for tests that look behind its back.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.store.url()
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Drains and stops.
    ///
    /// # Panics
    /// If it had ended because something failed.
    pub async fn shutdown(self) {
        self.running
            .shutdown()
            .await
            .expect("the service ends well");
    }
}
