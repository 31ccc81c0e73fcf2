//! A Redis server of the tests' own.

use std::{
    net::TcpStream,
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{free_port, guard::Guarded};

/// What to do where the binary is missing.
const HELP: &str = "no redis-server found; run scripts/install-test-deps.sh, or set \
                    BYLAW_REDIS_SERVER to its path";

/// A server on a free port that keeps nothing: one that restarts is empty.
pub struct Redis {
    dir: TempDir,
    port: u16,
    tls: Option<Tls>,
    server: Mutex<Option<Guarded>>,
}

/// Files of a server that speaks TLS only.
#[derive(Debug, Clone)]
pub struct Tls {
    /// PEM file with its certificate, for `localhost`.
    pub cert: PathBuf,
    /// PEM file with its key.
    pub key: PathBuf,
}

impl Redis {
    /// The server that the tests of this process share; keep apart by names.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of its own, for tests that stop it.
    #[must_use]
    pub fn start() -> Self {
        Self::with(None)
    }

    /// A server of its own that speaks TLS only.
    #[must_use]
    pub fn start_tls(tls: Tls) -> Self {
        Self::with(Some(tls))
    }

    fn with(tls: Option<Tls>) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("bylaw-redis-")
            .tempdir()
            .expect("a temporary folder");
        let redis = Self {
            dir,
            port: free_port(),
            tls,
            server: Mutex::new(None),
        };
        redis.resume();
        redis
    }

    /// Starts the server again, empty.
    ///
    /// # Panics
    /// If it runs, or doesn't start.
    pub fn resume(&self) {
        let mut server = self.server();
        assert!(server.is_none(), "the server runs");
        let mut command = Command::new(binary());
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.dir.path());
        let port = self.port.to_string();
        match &self.tls {
            None => command.args(["--port", &port]),
            Some(tls) => command
                .args([
                    "--port",
                    "0",
                    "--tls-port",
                    &port,
                    "--tls-auth-clients",
                    "no",
                ])
                .arg("--tls-cert-file")
                .arg(&tls.cert)
                .arg("--tls-key-file")
                .arg(&tls.key),
        };
        let log = self.dir.path().join("log");
        let mut guarded = Guarded::spawn(command, &log, Some(self.dir.path()));
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(guarded.runs(), "Redis ended: {}", log());
            assert!(Instant::now() < end, "Redis doesn't start: {}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
        *server = Some(guarded);
    }

    /// Kills the server; what it held is gone.
    pub fn stop(&self) {
        self.server().take();
    }

    /// URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        match self.tls {
            None => format!("redis://127.0.0.1:{}/", self.port),
            Some(_) => format!("rediss://localhost:{}/", self.port),
        }
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<Guarded>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("BYLAW_REDIS_SERVER") {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/bin".into()]);
    places
        .flat_map(|dir| [dir.join("redis-server"), dir.join("valkey-server")])
        .find(|path| path.exists())
        .expect(HELP)
}
