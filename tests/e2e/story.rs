//! The story in a company that no service has heard of: in one process on embedded
//! stores, and in five on PostgreSQL and Redis.

use std::{
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;
use testkit::{
    eventually_ok,
    guard::Guarded,
    process::{ALL, binary},
};

use crate::{
    renamed::{Company, UNIT},
    suite::{Suite, assert_complete},
};

/// The command line against a suite of the company.
struct Cli<'a> {
    company: &'a Company,
    /// Options that every command is given.
    options: Vec<String>,
}

impl Cli<'_> {
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(binary("bylaw"));
        for name in ["BYLAW_ADDR", "BYLAW_TOKEN"] {
            command.env_remove(name);
        }
        command.args(args).args(&self.options);
        command.arg("--data-dir").arg(self.company.data_dir());
        command.output().unwrap()
    }

    #[track_caller]
    fn text(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let text = self.text(&[args, &["--output", "json"]].concat());
        serde_json::from_str(&text).unwrap()
    }
}

/// The story in the fourth unit, and in it the company's own roles and rules.
fn told(cli: &Cli<'_>, more: &[&str]) {
    let story = cli.json(&[&["demo", "--scope", UNIT], more].concat());
    assert_eq!(story["failed"], 0, "{story:#}");
    assert_eq!(story["passed"], 6, "{story:#}");
    let steps = story["steps"].as_array().unwrap();
    let said: Vec<&Value> = steps
        .iter()
        .flat_map(|step| step["said"].as_array().unwrap())
        .collect();
    let who = |name: &str| said.iter().any(|s| s["who"] == name);
    for name in [
        "bro",
        "agent.dyr",
        "anne",
        "bjorn",
        "carla",
        "dag",
        "frida",
        "gunnar",
        "heidi",
    ] {
        assert!(who(name), "{name} has no part: {story:#}");
    }
    // Who accepted could approve, but for being the requester.
    let refused = said.iter().find(|s| s["got"] == "REFUSED").unwrap();
    assert!(
        refused["why"].to_string().contains("SOD_REQUESTER"),
        "{refused}"
    );

    let holds = cli.json(&["exception", "list", "--all", "--scope", UNIT]);
    assert_eq!(holds["total_size"], 1);
    let hold = &holds["exceptions"][0];
    assert_eq!(hold["queue"], "dyr-kreditt");
    assert_eq!(hold["severity"], "CRITICAL");
    assert_eq!(hold["state"], "RESOLVED");
    let shown = cli.json(&["exception", "show", hold["name"].as_str().unwrap()]);
    let action = &shown["actions"][0];
    assert_eq!(action["state"], "EXECUTED");
    assert_eq!(action["requester"]["subject"], "anne");
    assert_eq!(action["decision"]["obligations"][0], "oppbevar_resept");
    let mut roles: Vec<_> = action["decision"]["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|approval| approval["role"].as_str().unwrap())
        .collect();
    roles.sort_unstable();
    assert_eq!(roles, ["dyrlege", "kreditleitung"]);
}

/// The example's events reach the company's other units, once.
fn replayed(cli: &Cli<'_>) {
    let events = cli.company.bootstrap().join("events/working-day.jsonl");
    let events = events.to_str().unwrap();
    let first = cli.json(&["replay", events]);
    assert_eq!(first["rows"], first["accepted"], "{first}");
    assert_eq!(first["exceptions"].as_object().unwrap().len(), 6, "{first}");
    let again = cli.json(&["replay", events]);
    assert_eq!(again["duplicates"], first["rows"], "{again}");
    let listed = cli.json(&["exception", "list", "--limit", "1"]);
    let report = cli.json(&["exception", "report"]);
    let rows = report["rows"].as_array().unwrap();
    let total: u64 = rows.iter().map(|row| row["total"].as_u64().unwrap()).sum();
    assert_eq!(listed["total_size"], total);
}

/// The log verifies with its public key alone.
fn verified(cli: &Cli<'_>) {
    let log = cli.company.path("log.jsonl");
    std::fs::write(&log, cli.text(&["audit", "export"])).unwrap();
    let key = cli.company.data_dir().join("audit-log.pub");
    let (log, key) = (log.to_str().unwrap(), key.to_str().unwrap());
    let said = cli.text(&["audit", "verify", log, "--key", key]);
    assert!(said.contains("the whole log"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_passes_in_a_fourth_unit_with_renamed_roles() {
    let company = Company::found();
    let data_dir = company.data_dir();
    std::fs::copy(company.access(), data_dir.join("access.yaml")).unwrap();
    let mut command = Command::new(binary("bylaw"));
    command.args([
        "dev",
        "--grpc-addr",
        "127.0.0.1:0",
        "--http-addr",
        "127.0.0.1:0",
    ]);
    command.arg("--example").arg(company.bootstrap());
    command.arg("--data-dir").arg(&data_dir);
    let log = company.path("dev.log");
    let mut suite = Guarded::spawn(command, &log, None);
    eventually_ok(Duration::from_secs(60), || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let (up, runs) = (data_dir.join("suite.json").exists(), suite.runs());
        async move {
            assert!(runs, "the suite ended: {log}");
            if up { Ok(()) } else { Err(log) }
        }
    })
    .await;
    let cli = Cli {
        company: &company,
        options: Vec::new(),
    };
    told(&cli, &[]);
    replayed(&cli);
    verified(&cli);
    assert_eq!(suite.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_passes_in_separate_processes_on_postgres_and_redis() {
    let company = Company::found();
    let access = company.access().display().to_string();
    let suite = Suite::of(
        &ALL,
        "",
        &company.bootstrap(),
        company.principals(),
        vec![("BYLAW_IDENTITY__ACCESS_FILE".to_owned(), access)],
    );
    // What the command line needs: the issuer, who there is, and the log's key.
    let data_dir = company.data_dir();
    let into = |from, name: &str| std::fs::copy(from, data_dir.join(name)).unwrap();
    into(suite.processes.dir().join("issuer.jwk"), "issuer.jwk");
    into(company.principals(), "principals.yaml");
    into(company.access(), "access.yaml");
    into(
        suite.processes.file("audit", "audit-log.pub"),
        "audit-log.pub",
    );
    let addresses = ALL.map(|name| {
        let service = suite.processes.service(name);
        format!("{name}={}", service.grpc_addr())
    });
    let cli = Cli {
        company: &company,
        options: vec!["--addr".to_owned(), addresses.join(",")],
    };
    let http = suite.processes.service("policy").http_addr();
    told(&cli, &["--http-addr", &http]);
    replayed(&cli);
    suite.delivered(&ALL).await;
    verified(&cli);
    assert_complete(&suite.log_as("dag").await);
}
