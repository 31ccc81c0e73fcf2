//! `bylaw dev`: the five services in one process on embedded stores.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
};

use service_kit::{
    bootstrap::{self, Files},
    error::Kind,
    identity::DEVELOPMENT_ISSUER,
    settings::{self, LogFormat, Overrides, Settings},
    suite::{Running as Suite, Suite as Builder},
    telemetry,
};

use super::{demo, replay};
use crate::{
    args::{Common, Demo, Dev, Output},
    connect::{Development, Running, Session, Wants},
    example,
    failure::Failure,
    log::Log,
    output,
};

pub async fn run(common: &Common, args: &Dev) -> Result<(), Failure> {
    let settings = adjusted(common, args)?;
    let guard = telemetry::init(&settings.telemetry, "bylaw").map_err(kit)?;
    let files = files(&args.example)?;
    let mut suite = start(settings, files, &args.example).await?;
    let ran = serve(common, args, &mut suite).await;
    let stopped = suite.shutdown().await.map_err(kit);
    // A later command would only wait for a suite that is gone.
    let _gone = std::fs::remove_file(common.data_dir.join(Running::FILE));
    guard.shutdown().await;
    ran.and(stopped)
}

/// Settings and files that are wrong are the user's; all else failed.
fn kit(error: service_kit::Error) -> Failure {
    match error.kind() {
        Kind::InvalidArgument => Failure::usage(error.message()),
        _ => Failure::failed(error.message()),
    }
}

/// What a development suite differs in from the defaults.
fn adjusted(common: &Common, args: &Dev) -> Result<Settings, Failure> {
    let flags = Overrides {
        grpc_addr: Some(listen("--grpc-addr", &args.grpc_addr, args.any_port)?.to_string()),
        http_addr: Some(listen("--http-addr", &args.http_addr, args.any_port)?.to_string()),
        data_dir: Some(common.data_dir.clone()),
        development: Some(true),
    };
    let mut settings = settings::load::<()>(None, &flags).map_err(kit)?.settings;
    settings.identity.principals_issuer = Some(DEVELOPMENT_ISSUER.to_owned());
    settings.identity.principals_file = Some(common.data_dir.join(bootstrap::PRINCIPALS));
    // Files of one's own may bring their access table along.
    let access = common.data_dir.join(bootstrap::ACCESS);
    if access.exists() {
        settings.identity.access_file = Some(access);
    }
    // On a terminal the greeting counts; what goes wrong is shown between its lines.
    settings.telemetry.format = LogFormat::Text;
    if std::env::var_os("BYLAW_TELEMETRY__LOG").is_none() {
        "warn".clone_into(&mut settings.telemetry.log);
    }
    if let Some(endpoint) = &args.otlp_endpoint {
        settings.telemetry.otlp_endpoint.clone_from(endpoint);
    }
    Ok(settings)
}

/// The address asked for; any free port of it where it is taken and any will do.
fn listen(option: &str, text: &str, any_port: bool) -> Result<SocketAddr, Failure> {
    let mut addr: SocketAddr = text
        .parse()
        .map_err(|error| Failure::usage(format!("{option} {text}: {error}")))?;
    match TcpListener::bind(addr) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && any_port => addr.set_port(0),
        Err(error) => {
            return Err(Failure::failed(format!(
                "{option} {addr}: {error}; name another address, or take any free port with --any-port"
            )));
        }
        Ok(_) => {}
    }
    Ok(addr)
}

/// The example of the binary.
const DISTRIBUTOR: &str = "distributor";

/// No example: stores stay empty.
const NONE: &str = "none";

/// The files that empty stores are filled with.
fn files(example: &str) -> Result<Files, Failure> {
    match example {
        DISTRIBUTOR => {
            let files = example::files();
            Ok(Files::embedded(
                files
                    .iter()
                    .map(|(path, content)| (path.as_str(), *content)),
            ))
        }
        NONE => Ok(Files::none()),
        folder => Files::from_dir(Path::new(folder)).map_err(|error| {
            let message = error.message();
            Failure::usage(format!(
                "--example: {message}; expected `distributor`, `none` or a folder"
            ))
        }),
    }
}

/// Kinds of documents that stand beside those of the services: the command line's own.
const BESIDES: [&str; 5] = [
    "PolicyTest",
    "TableTest",
    "DecisionTable",
    "DecisionModel",
    "EventMapping",
];

/// Starts the five services and writes down where they listen. Before anything is written,
/// every file of the example is checked, so that a mistake in one leaves nothing behind
/// that a mended one would come too late for.
async fn start(settings: Settings, files: Files, example: &str) -> Result<Suite, Failure> {
    let data_dir = settings.data_dir.clone();
    let mut suite = Builder::new(settings)
        .files(files.clone())
        .besides(&BESIDES)
        .service::<policy::Service>(Default::default())
        .service::<exceptions::Service>(Default::default())
        .service::<masterdata::Service>(Default::default())
        .service::<aigate::Service>(Default::default())
        .service::<audit::Service>(Default::default());
    suite.check().map_err(kit)?;
    std::fs::create_dir_all(&data_dir)
        .map_err(|error| Failure::failed(format!("{}: {error}", data_dir.display())))?;
    principals(&data_dir, &files, example)?;
    let suite = suite.start().await.map_err(kit)?;
    let running = Running {
        grpc_addr: suite.grpc_addr().to_string(),
        http_addr: suite.http_addr().to_string(),
        pid: std::process::id(),
    };
    let text = serde_json::to_string_pretty(&running)
        .map_err(|error| Failure::failed(error.to_string()))?;
    std::fs::write(data_dir.join(Running::FILE), text + "\n")?;
    Ok(suite)
}

/// The operator's own principals stay; the example's are a start.
fn principals(data_dir: &Path, files: &Files, example: &str) -> Result<(), Failure> {
    let offered = files.get(bootstrap::PRINCIPALS);
    let path = data_dir.join(bootstrap::PRINCIPALS);
    if !path.exists() {
        std::fs::write(&path, offered.unwrap_or(b"principals: {}\n"))?;
        return Ok(());
    }
    // Those of the binary were given to be changed; a folder's are somebody's own.
    let own = !matches!(example, DISTRIBUTOR | NONE);
    if let Some(offered) = offered
        && own
        && std::fs::read(&path)? != offered
    {
        eprintln!(
            "warning: {example}/{} isn't used: it differs from {}, which is in force",
            bootstrap::PRINCIPALS,
            path.display()
        );
    }
    Ok(())
}

/// Says where the suite is, plays what was asked for, and waits to be stopped.
async fn serve(common: &Common, args: &Dev, suite: &mut Suite) -> Result<(), Failure> {
    let mut common = common.clone();
    common.addr = Some(suite.grpc_addr().to_string());
    greet(&common, suite)?;
    if args.play {
        tokio::select! {
            played = play(&common) => played?,
            () = interrupted() => return Ok(()),
        }
        hints(&common, suite)?;
    }
    tokio::select! {
        () = interrupted() => {
            eprintln!("stopping");
            Ok(())
        }
        ended = suite.wait() => ended.map_err(kit),
    }
}

fn greet(common: &Common, suite: &Suite) -> Result<(), Failure> {
    let data_dir = common.data_dir.display();
    if common.output == Output::Json {
        return output::json(&serde_json::json!({
            "grpc_addr": suite.grpc_addr().to_string(),
            "http_addr": suite.http_addr().to_string(),
            "data_dir": data_dir.to_string(),
        }));
    }
    output::line(&format!(
        "gRPC on {}, HTTP on {}, data in {data_dir}",
        suite.grpc_addr(),
        suite.http_addr()
    ))?;
    let development = Development::open(&common.data_dir)?;
    match development.token(None, Wants::erp("policy.decision.decide")) {
        Ok((token, subject)) => {
            output::line(&format!("a token of {subject}, for an hour:\n{token}"))
        }
        Err(_) => output::line("no principals yet: make a token with `bylaw token`"),
    }
}

/// The story, then the example's stream of events.
async fn play(common: &Common) -> Result<(), Failure> {
    output::line("\nThe story of one order:")?;
    let demo = Demo {
        scope: "acme/europe/medical".to_owned(),
        http_addr: None,
    };
    demo::run(common, &demo).await?;
    output::line("\nThe example's events:")?;
    let stream = example::files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("events/") && path.ends_with(".jsonl"));
    for (path, content) in stream {
        let file = common.data_dir.join("example-events.jsonl");
        std::fs::write(&file, content)?;
        let log = Log::open(&file, None)?;
        let rows = u64::try_from(log.events()?.count()).unwrap_or(u64::MAX);
        let session = Session::open(common, Wants::erp("exceptions.event.ingest")).await?;
        let started = std::time::Instant::now();
        let counts = replay::send(&session, log.events()?, rows).await?;
        output::line(&path)?;
        replay::print(&counts, started.elapsed().as_secs_f64())?;
        std::fs::remove_file(&file)?;
    }
    Ok(())
}

fn hints(common: &Common, suite: &Suite) -> Result<(), Failure> {
    let exe = std::env::current_exe()
        .map_or_else(|_| "bylaw".to_owned(), |path| path.display().to_string());
    let dir = common.data_dir.display();
    output::line(&format!(
        "\nThe suite goes on running; Ctrl-C stops it. To try next, in another terminal:
  {exe} exception list
  {exe} exception report
  {exe} decide credit_hold_release --scope acme/europe/medical --facts '{{\"order.total\": \"18450.00 EUR\", \"customer.days_overdue\": 12, \"item.regulated\": true, \"customer.licence_valid\": true}}'
  {exe} audit export > log.jsonl && {exe} audit verify log.jsonl --key {dir}/audit-log.pub
  grpcurl -plaintext -H \"authorization: Bearer $({exe} token --subject me --kind person --grant auditor@acme)\" {} bylaw.audit.v1.AuditService/GetCheckpoint
  curl http://{}/readyz",
        suite.grpc_addr(),
        suite.http_addr(),
    ))
}

/// Ends when the process is asked to stop, by Ctrl-C or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
