//! `bylaw dev`: one suite a data directory, which outlives its process.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::bylaw::{Home, Suite, ran};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// A page of the HTTP listener.
fn page(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    answer
}

#[test]
fn a_suite_keeps_everything_over_a_restart_and_shares_its_directory_with_nobody() {
    let suite = Suite::on(Home::new(), &["--output", "json"]);
    let written = suite.written().unwrap();
    greeting(&suite, &written);
    others_are_refused(&suite, &written);
    addresses(&suite, &written);

    suite.run(&["demo"]).exits(0);
    let exceptions = suite.json(&["exception", "list", "--all"]);
    let order = text(&exceptions["exceptions"][0], "correlation_id").to_owned();
    let lineage = suite.json(&["audit", "lineage", &order])["records"].clone();
    let checkpoint = suite.run(&["audit", "checkpoint"]).exits(0).stdout;
    let held = suite.home.file("held.checkpoint", checkpoint);

    let home = suite.stop();
    assert!(!home.data_dir().join("suite.json").exists());
    home.run(&["exception", "list"])
        .exits(1)
        .says(&["nothing answers at", "bylaw dev"]);

    // Its principals are the operator's now, and stay as they are.
    let principals = home.data_dir().join("principals.yaml");
    let more = "\n  night-desk: {kind: person, grants: [operator@acme]}\n";
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(principals)
        .unwrap();
    file.write_all(more.as_bytes()).unwrap();

    let suite = Suite::on(home, &[]);
    assert_eq!(
        suite.json(&["exception", "list", "--all", "--as", "night-desk"]),
        exceptions
    );
    assert_eq!(
        suite.json(&["audit", "lineage", &order])["records"],
        lineage
    );
    suite.run(&["demo"]).exits(0);
    let log = suite.run(&["audit", "export"]).exits(0).stdout;
    suite.home.file("log.jsonl", log);
    let key = suite.home.data_dir().join("audit-log.pub");
    let (key, held) = (crate::bylaw::arg(&key), crate::bylaw::arg(&held));
    suite
        .run(&[
            "audit",
            "verify",
            "log.jsonl",
            "--key",
            key,
            "--checkpoint",
            held,
        ])
        .exits(0);
}

fn greeting(suite: &Suite, written: &Value) {
    let log = suite.log();
    let mut documents = serde_json::Deserializer::from_str(&log).into_iter::<Value>();
    let greeting = documents
        .by_ref()
        .filter_map(Result::ok)
        .find(|document| document.get("grpc_addr").is_some());
    let greeting = greeting.expect("a greeting");
    for addr in ["grpc_addr", "http_addr"] {
        assert_eq!(greeting[addr], written[addr]);
    }
    assert_eq!(
        text(&greeting, "data_dir"),
        suite.home.data_dir().display().to_string()
    );
    let http = text(written, "http_addr");
    assert!(page(http, "/readyz").contains("audit"));
    assert!(page(http, "/livez").ends_with('}') || !page(http, "/livez").is_empty());
    assert!(page(http, "/metrics").contains("# TYPE"));
    assert!(page(http, "/.well-known/jwks.json").contains("\"keys\""));
}

fn others_are_refused(suite: &Suite, written: &Value) {
    let dev = [
        "dev",
        "--grpc-addr",
        "127.0.0.1:0",
        "--http-addr",
        "127.0.0.1:0",
    ];
    let ran = suite.run(&dev).exits(1);
    let last = ran.stderr.trim_end().lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error: ") && last.contains("data"),
        "{ran:?}"
    );
    // It took nothing away from the one that runs.
    assert_eq!(suite.written().as_ref(), Some(written));
    let other = Home::new();
    let taken = other.run(&[
        "dev",
        "--grpc-addr",
        text(written, "grpc_addr"),
        "--http-addr",
        "127.0.0.1:0",
    ]);
    taken.exits(1).says(&["--grpc-addr", "--any-port"]);
}

fn addresses(suite: &Suite, written: &Value) {
    let addr = text(written, "grpc_addr");
    let token = suite.json(&[
        "token",
        "--subject",
        "me",
        "--kind",
        "person",
        "--grant",
        "auditor@acme",
    ]);
    // From elsewhere, an address and a token are all that is needed, by option or environment.
    let elsewhere = Home::new();
    let list = ["exception", "list", "--output", "json"];
    let by_option = [
        &list[..],
        &["--addr", addr, "--token", text(&token, "token")],
    ]
    .concat();
    assert_eq!(
        elsewhere.run(&by_option).exits(0).json(),
        json!({"exceptions": [], "total_size": 0})
    );
    let mut by_environment = elsewhere.command(&list);
    by_environment
        .env("BYLAW_ADDR", addr)
        .env("BYLAW_TOKEN", text(&token, "token"));
    ran(&mut by_environment).exits(0);
    let each: Vec<_> = ["policy", "exceptions", "masterdata", "aigate", "audit"]
        .iter()
        .map(|s| format!("{s}={addr}"))
        .collect();
    suite
        .run(&["audit", "checkpoint", "--addr", &each.join(",")])
        .exits(0);
    // Options stand before or after the verb.
    suite
        .run(&["--output", "json", "--as", "auditor", "exception", "list"])
        .exits(0);
    suite
        .run(&["exception", "list", "--as", "nobody"])
        .exits(2)
        .says(&["nobody", "auditor"]);
    // A token of another suite's issuer is nobody's here.
    let stranger = Suite::on(Home::new(), &["--example", "none"]);
    let token = stranger.json(&[
        "token",
        "--subject",
        "me",
        "--kind",
        "person",
        "--grant",
        "auditor@acme",
    ]);
    suite
        .run(&["exception", "list", "--token", text(&token, "token")])
        .exits(1)
        .says(&["TOKEN_INVALID"]);
    assert_eq!(
        stranger.json(&["exception", "list", "--token", text(&token, "token")])["total_size"],
        0
    );
    stranger
        .run(&["exception", "list"])
        .exits(2)
        .says(&["--token"]);
}

#[test]
fn an_example_that_cannot_be_read_stops_the_start_with_its_place() {
    for (name, content, said) in [
        ("broken.yaml", "kind: Policy\nname: [\n", "broken.yaml:"),
        ("stranger.yaml", "name: x\n", "stranger.yaml:"),
        (
            "policies/p.yaml",
            "kind: Policy\nname: p\nworkflow: none\nscope: nowhere\nmode: DEFAULT\n",
            "p.yaml:",
        ),
    ] {
        let home = Home::new();
        let example = home.path("example");
        std::fs::create_dir_all(example.join("policies")).unwrap();
        std::fs::write(example.join(name), content).unwrap();
        let dev = [
            "dev",
            "--grpc-addr",
            "127.0.0.1:0",
            "--http-addr",
            "127.0.0.1:0",
            "--example",
            "example",
        ];
        let ran = home.run(&dev);
        assert_eq!(ran.status, 2, "{name}: {ran:?}");
        assert!(ran.stderr.contains(said), "{name}: {ran:?}");
        assert!(!home.data_dir().join("suite.json").exists());
    }
    let home = Home::new();
    home.run(&[
        "dev",
        "--example",
        "missing",
        "--grpc-addr",
        "127.0.0.1:0",
        "--http-addr",
        "127.0.0.1:0",
    ])
    .exits(2)
    .says(&["--example", "distributor"]);
}
