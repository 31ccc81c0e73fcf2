//! Services as processes of their own, as they are deployed: PostgreSQL, Redis, tokens
//! in files.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;
use nix::sys::signal::Signal;
use service_kit::identity::PrincipalKind;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::{
    free_port,
    guard::Guarded,
    identity::{Bearer, Calls, Tokens},
};

/// Longest start of a service.
const START: Duration = Duration::from_secs(90);

/// All services, in the order in which they are started: the log first.
pub const ALL: [&str; 5] = ["audit", "policy", "exceptions", "masterdata", "aigate"];

/// Services that know each other, one process each. They trust one issuer, whose key the
/// tests hold.
pub struct Processes {
    dir: TempDir,
    plan: Plan,
    tokens: Tokens,
    ports: BTreeMap<&'static str, (u16, u16)>,
    services: BTreeMap<&'static str, Service>,
}

/// How the services of a [`Processes`] are set up.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Names, such as `policy`; binaries are `bylaw-<name>`.
    pub services: Vec<&'static str>,
    /// Database URL of each, with `{service}` for its name.
    pub database_url: String,
    /// Redis URL.
    pub redis_url: String,
    /// Consumer groups of the event stream.
    pub groups: Vec<String>,
    /// Folder with documents for empty stores.
    pub bootstrap: Option<PathBuf>,
    /// Principals file.
    pub principals: Option<PathBuf>,
    /// OTLP endpoint; empty for none.
    pub otlp: String,
    /// More settings: lines of environment variables such as `BYLAW_TELEMETRY__LOG`.
    pub env: Vec<(String, String)>,
}

impl Processes {
    /// Starts all and waits until they are ready.
    ///
    /// # Panics
    /// If one doesn't start.
    #[must_use]
    pub fn start(plan: &Plan) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("bylaw-e2e-")
            .tempdir()
            .expect("a temporary folder");
        let tokens = Tokens::of(dir.path());
        // All have an address; those that aren't started don't answer.
        let ports: BTreeMap<_, _> = ALL
            .iter()
            .map(|name| (*name, (free_port(), free_port())))
            .collect();
        let services = plan
            .services
            .iter()
            .map(|name| {
                let home = dir.path().join(name);
                (*name, Service::new(name, plan, home, &tokens, &ports))
            })
            .collect();
        let processes = Self {
            dir,
            plan: plan.clone(),
            tokens,
            ports,
            services,
        };
        for service in processes.services.values() {
            service.launch();
        }
        for service in processes.services.values() {
            service.wait_until_ready();
        }
        processes
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> &Service {
        self.services.get(name).expect("a service of the plan")
    }

    /// Starts one more replica of a service, on the same database, and waits until it is
    /// ready. The other services don't call it.
    ///
    /// # Panics
    /// If it doesn't start.
    #[must_use]
    pub fn replica(&self, name: &'static str) -> Service {
        let mut ports = self.ports.clone();
        ports.insert(name, (free_port(), free_port()));
        let home = self.dir.path().join(format!("{name}-{}", ports[name].0));
        let service = Service::new(name, &self.plan, home, &self.tokens, &ports);
        service.launch();
        service.wait_until_ready();
        service
    }

    /// A token for a subject.
    #[must_use]
    pub fn token(&self, subject: &str, kind: PrincipalKind, grants: &[&str]) -> String {
        self.tokens.mint(subject, kind, grants, Utc::now())
    }

    /// A file in a service's data directory.
    #[must_use]
    pub fn file(&self, service: &str, name: &str) -> PathBuf {
        self.dir.path().join(service).join(name)
    }

    /// The folder with everything; it goes with this.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// A service's process, which can be killed and started again.
pub struct Service {
    name: &'static str,
    binary: PathBuf,
    config: PathBuf,
    log: PathBuf,
    env: Vec<(String, String)>,
    grpc: u16,
    http: u16,
    process: Mutex<Option<Guarded>>,
}

impl Service {
    fn new(
        name: &'static str,
        plan: &Plan,
        home: PathBuf,
        tokens: &Tokens,
        ports: &BTreeMap<&'static str, (u16, u16)>,
    ) -> Self {
        let dir = home.parent().expect("a folder of all");
        std::fs::create_dir_all(&home).expect("a folder");
        let token = home.join("token");
        let role = format!("bylaw-{name}@*");
        let subject = format!("bylaw-{name}");
        let minted = tokens.mint(&subject, PrincipalKind::Service, &[&role], Utc::now());
        std::fs::write(&token, minted).expect("a file");
        // Each process has a data directory of its own, and all trust the same issuer.
        std::fs::copy(dir.join("issuer.jwk"), home.join("issuer.jwk")).expect("a file");
        let (grpc, http) = ports[name];
        let config = home.join("settings.toml");
        let text = settings(name, plan, &home, ports);
        std::fs::write(&config, text).expect("a file");
        Self {
            name,
            binary: binary(&format!("bylaw-{name}")),
            config,
            log: home.join("log"),
            env: plan.env.clone(),
            grpc,
            http,
            process: Mutex::new(None),
        }
    }

    /// Starts the process.
    ///
    /// # Panics
    /// If it runs.
    pub fn launch(&self) {
        let mut process = self.process();
        assert!(process.is_none(), "{} runs", self.name);
        let mut command = Command::new(&self.binary);
        command
            .arg("--config")
            .arg(&self.config)
            .envs(self.env.clone());
        *process = Some(Guarded::spawn(command, &self.log, None));
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// If it ends, or isn't ready in time.
    pub fn wait_until_ready(&self) {
        let end = Instant::now() + START;
        while self.page("/readyz").is_none_or(|(status, _)| status != 200) {
            let runs = self.process().as_mut().is_some_and(Guarded::runs);
            assert!(runs, "{} ended: {}", self.name, self.log_tail());
            assert!(
                Instant::now() < end,
                "{} isn't ready: {}",
                self.name,
                self.log_tail()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process().as_mut().is_some_and(Guarded::runs)
    }

    /// Kills it (SIGKILL).
    pub fn kill(&self) {
        self.process().take();
    }

    /// Asks it to stop (SIGTERM) and waits; its exit status.
    pub fn stop(&self) -> Option<i32> {
        let mut process = self.process().take()?;
        process.signal(Signal::SIGTERM);
        process.wait().code()
    }

    /// Where it speaks gRPC.
    #[must_use]
    pub fn grpc_addr(&self) -> String {
        format!("127.0.0.1:{}", self.grpc)
    }

    /// Where it speaks HTTP.
    #[must_use]
    pub fn http_addr(&self) -> String {
        format!("127.0.0.1:{}", self.http)
    }

    /// A channel without a token.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://127.0.0.1:{}", self.grpc))
            .expect("an address")
            .connect_timeout(Duration::from_secs(2))
            .connect_lazy()
    }

    /// A channel with a token, for a generated client.
    #[must_use]
    pub fn calls(&self, token: &str) -> Calls {
        Calls::new(self.channel(), Bearer::new(token))
    }

    /// Status and body of a page of the HTTP listener; `None` where nobody answers.
    #[must_use]
    pub fn page(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// Everything it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Guarded>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn settings(
    name: &str,
    plan: &Plan,
    home: &Path,
    ports: &BTreeMap<&'static str, (u16, u16)>,
) -> String {
    let (grpc, http) = ports[name];
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let mut text = format!(
        "development = true\ndata_dir = {}\n\
         [grpc]\naddr = \"127.0.0.1:{grpc}\"\n\
         [http]\naddr = \"127.0.0.1:{http}\"\n\
         [database]\nurl = {:?}\n\
         [bus]\nurl = {:?}\ngroups = {:?}\nclaim_after = \"1s\"\n\
         [telemetry]\nformat = \"json\"\notlp_endpoint = {:?}\n",
        quoted(home),
        plan.database_url.replace("{service}", name),
        plan.redis_url,
        plan.groups,
        plan.otlp,
    );
    let mut add = |line: std::fmt::Arguments<'_>| writeln!(text, "{line}").expect("a string grows");
    if let Some(bootstrap) = &plan.bootstrap {
        add(format_args!("[bootstrap]\ndir = {}", quoted(bootstrap)));
    }
    add(format_args!(
        "[identity]\ntoken_file = {}",
        quoted(&home.join("token"))
    ));
    if let Some(principals) = &plan.principals {
        add(format_args!("principals_file = {}", quoted(principals)));
    }
    add(format_args!("[peers.addresses]"));
    for (peer, (grpc, _)) in ports {
        add(format_args!("{peer} = \"http://127.0.0.1:{grpc}\""));
    }
    text
}

/// A binary of the workspace, beside the test's own; `make` and CI build them first.
///
/// # Panics
/// If it isn't built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its path");
    let target = test
        .ancestors()
        .nth(2)
        .expect("tests are in target/<profile>/deps");
    let path = target.join(name);
    assert!(
        path.exists(),
        "{} is missing; build it first: cargo build --bins",
        path.display()
    );
    path
}
