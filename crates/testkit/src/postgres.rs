//! A PostgreSQL server of the tests' own.

use std::{
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{sys::signal::Signal, unistd::User};
use tempfile::TempDir;

use crate::{free_port, guard::Guarded};

/// What to do where the binaries are missing.
const HELP: &str = "no PostgreSQL binaries found; run scripts/install-test-deps.sh, or set \
                    BYLAW_POSTGRES_BIN to the folder that holds initdb and postgres";

/// Longest start.
const START: Duration = Duration::from_secs(60);

/// A server on a free port with its data in a temporary folder. It doesn't wait for the
/// disk: what is tested are the services' deaths, not the machine's.
pub struct Postgres {
    dir: TempDir,
    bin: PathBuf,
    port: u16,
    server: Mutex<Option<Guarded>>,
    databases: AtomicU32,
}

impl Postgres {
    /// The server that the tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of its own, for tests that stop it.
    #[must_use]
    pub fn start() -> Self {
        let bin = binaries();
        let dir = tempfile::Builder::new()
            .prefix("bylaw-pg-")
            .tempdir()
            .expect("a temporary folder");
        if let Some(user) = other_user() {
            chown(dir.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .expect("root changes owners");
        }
        let data = dir.path().join("data");
        let mut initdb = as_other_user(&bin.join("initdb"));
        initdb
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=bylaw",
                "--encoding=UTF8",
            ])
            .args(["--locale=C", "-D"])
            .arg(&data);
        let output = initdb
            .current_dir(dir.path())
            .output()
            .expect("initdb starts");
        assert!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let postgres = Self {
            dir,
            bin,
            port: free_port(),
            server: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        postgres.resume();
        postgres
    }

    /// Starts the server again.
    ///
    /// # Panics
    /// If it runs, or doesn't start.
    pub fn resume(&self) {
        let mut server = self.server();
        assert!(server.is_none(), "the server runs");
        let data = self.dir.path().join("data");
        // A server that was killed leaves it.
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let mut command = as_other_user(&self.bin.join("postgres"));
        command.arg("-D").arg(&data).current_dir(self.dir.path());
        let port = format!("port={}", self.port);
        let socket = format!("unix_socket_directories={}", self.dir.path().display());
        for setting in [
            port.as_str(),
            &socket,
            "listen_addresses=127.0.0.1",
            "max_connections=400",
            "shared_buffers=64MB",
            "fsync=off",
            "full_page_writes=off",
            "logging_collector=off",
        ] {
            command.args(["-c", setting]);
        }
        let log = self.dir.path().join("log");
        *server = Some(Guarded::spawn(command, &log, Some(self.dir.path())));
        drop(server);
        self.wait_until_ready(&data);
    }

    fn wait_until_ready(&self, data: &Path) {
        let end = Instant::now() + START;
        loop {
            let state = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if state
                .lines()
                .nth(7)
                .is_some_and(|line| line.trim() == "ready")
            {
                return;
            }
            let runs = self.server().as_mut().is_some_and(Guarded::runs);
            let log = || std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(runs, "PostgreSQL ended: {}", log());
            assert!(Instant::now() < end, "PostgreSQL doesn't start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the server at once, breaking all connections; [`Self::resume`] starts it
    /// again with what was committed.
    pub fn stop(&self) {
        if let Some(mut server) = self.server().take() {
            server.signal(Signal::SIGQUIT);
            server.wait();
        }
    }

    /// Freezes the server: connections stay, and nothing answers. All its processes stop.
    pub fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Ends [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    fn signal_all(&self, signal: Signal) {
        let Some(postmaster) = self.server().as_ref().map(Guarded::id) else {
            return;
        };
        for pid in std::iter::once(postmaster).chain(children(postmaster)) {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process id"));
            let _ = nix::sys::signal::kill(pid, signal);
        }
    }

    /// A new, empty database; its URL.
    #[must_use]
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        self.named_database(&format!("test_{number}"))
    }

    /// A new, empty database of this name; its URL.
    ///
    /// # Panics
    /// If there is one.
    #[must_use]
    pub fn named_database(&self, name: &str) -> String {
        let output = Command::new(self.bin.join("psql"))
            .args([
                "-h",
                "127.0.0.1",
                "-U",
                "bylaw",
                "-d",
                "postgres",
                "-qX",
                "-p",
            ])
            .arg(self.port.to_string())
            .args(["-c", &format!("CREATE DATABASE {name}")])
            .output()
            .expect("psql starts");
        assert!(
            output.status.success(),
            "CREATE DATABASE {name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.url(name)
    }

    /// URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://bylaw@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL in a database and answers its output, one line a row, columns separated
    /// by `|`.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn query(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.bin.join("psql"))
            .args(["-h", "127.0.0.1", "-U", "bylaw", "-qXAt", "-p"])
            .arg(self.port.to_string())
            .args(["-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql])
            .output()
            .expect("psql starts");
        assert!(
            output.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<Guarded>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.thaw();
        self.stop();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let tasks = tasks.unwrap_or_default();
    tasks
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// The folder with the newest binaries.
fn binaries() -> PathBuf {
    if let Some(dir) = std::env::var_os("BYLAW_POSTGRES_BIN") {
        return dir.into();
    }
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let newest = versions.into_iter().rev().map(|(_, dir)| dir);
    newest
        .chain(on_path)
        .find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())
        .expect(HELP)
}

/// PostgreSQL refuses to run as root.
fn other_user() -> Option<User> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let user = ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    Some(user.expect("a user to run PostgreSQL as"))
}

fn as_other_user(program: &Path) -> Command {
    let Some(user) = other_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={}", user.uid))
        .arg(format!("--regid={}", user.gid))
        .args(["--clear-groups", "--"])
        .arg(program);
    command
}
