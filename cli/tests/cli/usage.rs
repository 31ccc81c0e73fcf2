//! What goes wrong before anything is asked.

use crate::bylaw::{Home, arg};

#[test]
fn usage_errors_end_with_two_and_say_what_is_expected() {
    let home = Home::new();
    for wrong in [
        &[][..],
        &["frobnicate"],
        &["decide"],
        &["exception", "list", "--output", "yaml"],
        &["exception", "list", "--limit", "0"],
        &["exception", "list", "--limit", "many"],
        &["exception", "reject", "exceptions/1/actions/2"],
        &["token", "--subject", "x", "--kind", "robot"],
        &[
            "token",
            "--subject",
            "x",
            "--kind",
            "person",
            "--ttl",
            "99d",
        ],
        &["masterdata", "validate", "--entity", "planet", "x.csv"],
        &["audit", "verify", "log.jsonl"],
        &["audit", "lineage", "SO-1", "--checkpoint", "c"],
    ] {
        let ran = home.run(wrong).exits(2);
        assert!(
            ran.stderr.contains("error:") || ran.stderr.contains("Usage:"),
            "{ran:?}"
        );
        assert!(ran.stdout.is_empty(), "{ran:?}");
    }
    let help = home.run(&["--help"]).exits(0).stdout;
    for verb in [
        "dev",
        "demo",
        "replay",
        "token",
        "decide",
        "exception",
        "review",
        "masterdata",
        "audit",
    ] {
        assert!(help.contains(verb), "{verb}: {help}");
    }
    assert!(
        home.run(&["--version"])
            .exits(0)
            .stdout
            .starts_with("bylaw ")
    );
}

#[test]
fn without_a_suite_it_is_said_what_to_do() {
    let home = Home::new();
    for args in [
        &["exception", "list"][..],
        &["demo"],
        &["audit", "checkpoint"],
        &["review", "list"],
    ] {
        home.run(args)
            .exits(1)
            .says(&["no token was given", "bylaw dev", "--token"]);
    }
    home.run(&["token", "--subject", "x", "--kind", "person"])
        .exits(1)
        .says(&["bylaw dev"]);
    // Port 1 of this machine is nobody's.
    home.run(&["exception", "list", "--token", "x", "--addr", "127.0.0.1:1"])
        .exits(1)
        .says(&["127.0.0.1:1", "bylaw dev", "--addr"]);
    let mut by_environment = home.command(&["exception", "list", "--token", "x"]);
    crate::bylaw::ran(by_environment.env("BYLAW_ADDR", "127.0.0.1:1"))
        .exits(1)
        .says(&["127.0.0.1:1"]);
}

#[test]
fn facts_that_cannot_be_read_are_refused_with_their_place() {
    let home = Home::new();
    let file = home.file("facts.json", "{\"order.total\": 1,\n}");
    let decide = |facts: &str| home.run(&["decide", "w", "--scope", "acme", "--facts", facts]);
    decide("[1").exits(2).says(&["--facts: ", "line 1"]);
    decide("[1]").exits(2).says(&["--facts: ", "an object"]);
    decide(&format!("@{}", arg(&file)))
        .exits(2)
        .says(&["facts.json: ", "line 2"]);
    home.feed(
        &["decide", "w", "--scope", "acme", "--facts", "-"],
        "{\"a\":",
    )
    .exits(2)
    .says(&["standard input: "]);
}

#[test]
fn addresses_that_are_none_are_refused() {
    let home = Home::new();
    for (addr, said) in [
        ("nowhere", "HOST:PORT"),
        ("127.0.0.1", "HOST:PORT"),
        ("127.0.0.1:0", "HOST:PORT"),
        ("::::", "HOST:PORT"),
        ("audit=127.0.0.1:1", "no address of policy"),
        ("127.0.0.1:1,ledger=127.0.0.1:1", "ledger"),
        ("127.0.0.1:1,127.0.0.1:2", "two addresses"),
    ] {
        home.run(&["exception", "list", "--token", "x", "--addr", addr])
            .exits(2)
            .says(&["--addr", said]);
    }
    for option in ["--grpc-addr", "--http-addr"] {
        home.run(&["dev", option, "nowhere"])
            .exits(2)
            .says(&[option, "nowhere"]);
    }
}

/// Whether a HEADERS frame (RFC 9113) is among what a client sent: the call has begun.
fn has_headers(came: &[u8]) -> bool {
    const PREFACE: usize = 24;
    let mut rest = came.get(PREFACE..).unwrap_or_default();
    while let [a, b, c, kind, ..] = *rest {
        if kind == 1 {
            return true;
        }
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    false
}

/// Whoever listens and hangs up is no suite; it is said where it was and what to do.
#[test]
fn a_suite_that_goes_away_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        // An empty SETTINGS frame, as HTTP/2 begins; then the call comes, and nobody is there.
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
        let mut came = Vec::new();
        while !has_headers(&came) {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).unwrap();
            assert_ne!(read, 0, "the client left first: {came:?}");
            came.extend_from_slice(&part[..read]);
        }
    });
    Home::new()
        .run(&["exception", "list", "--token", "x", "--addr", &addr])
        .exits(1)
        .says(&[&format!("the suite at {addr} went away"), "bylaw dev"]);
    server.join().unwrap();
}

const HEADER: &str = "ocel:eid,ocel:activity,ocel:timestamp,ocel:type:customers,ocel:type:items,ocel:type:orders,ocel:type:packages,ocel:type:products,weight,price\n";
const ROW: &str = "1.0,place order,2019-05-20 07:07:47.000Z, ,,\"['990001']\", , ,3.52,524.96\n";

#[test]
fn logs_that_cannot_be_read_are_refused_with_their_line_before_a_suite_is_asked() {
    let home = Home::new();
    let csv = |rows: &str| format!("{HEADER}{ROW}{rows}");
    for (name, content, line, said) in [
        ("empty.csv", String::new(), 1, "found nothing"),
        (
            "stranger.csv",
            "a,b\n1,2\n".to_owned(),
            0,
            "no mapping fits",
        ),
        ("twice.csv", "a,a\n1,2\n".to_owned(), 1, "stands twice"),
        ("short.csv", csv("2.0,pay\n"), 3, "field"),
        (
            "time.csv",
            csv(&ROW.replace("2019-05-20", "20.5.2019")),
            3,
            "time",
        ),
        (
            "list.csv",
            csv(&ROW.replace("['990001']", "['990001'")),
            3,
            "list",
        ),
        (
            "many.csv",
            csv(&ROW.replace("['990001']", "['1','2']")),
            3,
            "2 values",
        ),
        (
            "nobody.csv",
            csv(&ROW.replace("['990001']", " ")),
            3,
            "subject: no value",
        ),
        ("price.csv", csv(&ROW.replace("524.96", "much")), 3, "price"),
        (
            "text.jsonl",
            "{\"specversion\":\"1.0\"\n".to_owned(),
            1,
            "column",
        ),
        (
            "other.jsonl",
            "{\"id\":\"1\"}\n".to_owned(),
            1,
            "specversion",
        ),
        ("array.jsonl", "{}\n[]\n".to_owned(), 1, "specversion"),
        ("attribute.jsonl", event("\"colour\":\"red\""), 2, "colour"),
        ("number.jsonl", event("\"subject\":7"), 2, "subject"),
        ("data.jsonl", event("\"data\":[1]"), 2, "data"),
        ("time.jsonl", event("\"time\":\"yesterday\""), 2, "time"),
    ] {
        let file = home.file(name, content);
        let place = if line == 0 {
            format!("{name}: ")
        } else {
            format!("{name}:{line}: ")
        };
        home.run(&["replay", arg(&file)])
            .exits(2)
            .says(&[&place, said]);
    }
    home.run(&["replay", "missing.csv"])
        .exits(2)
        .says(&["missing.csv"]);
    home.feed(&["replay", "-"], "a,b\n1,2\n")
        .exits(2)
        .says(&["standard input", "no mapping fits"]);
}

/// A good event, then one with this more in it.
fn event(more: &str) -> String {
    let good = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","scope":"acme"}"#;
    format!("{good}\n{},{more}}}\n", &good[..good.len() - 1])
}

#[test]
fn mappings_that_cannot_be_read_are_refused_with_their_place() {
    let home = Home::new();
    let log = home.file("log.csv", format!("{HEADER}{ROW}"));
    let shipped = include_str!("../../../examples/distributor/mappings/order-log.yaml");
    for (content, said) in [
        ("kind: EventMapping\n  name: [", "line"),
        (
            &shipped.replace("EventMapping", "RecordMapping"),
            "RecordMapping",
        ),
        (&shipped.replace("  source: ", "  colour: "), "colour"),
        (
            &shipped.replace("{const: /examples/order-log}", "{const: /a, column: b}"),
            "event.source",
        ),
        (
            &shipped.replace("{same: subject}", "{same: scope}"),
            "event.correlationid",
        ),
    ] {
        let mapping = home.file("mapping.yaml", content);
        home.run(&["replay", arg(&log), "--mapping", arg(&mapping)])
            .exits(2)
            .says(&["mapping.yaml", said]);
    }
    home.run(&["replay", arg(&log), "--mapping", "none"])
        .exits(2)
        .says(&["order-log", "none"]);
    let missing = home.file(
        "mapping.yaml",
        shipped.replace("{column: price, type", "{column: fee, type"),
    );
    home.run(&["replay", arg(&log), "--mapping", arg(&missing)])
        .exits(2)
        .says(&["log.csv:2: ", "fee"]);
}

#[test]
fn exports_are_verified_without_any_suite() {
    let home = Home::new();
    let log = home.file("log.jsonl", "{}\n");
    let key = home.file("key.pub", "no key\n");
    home.run(&["audit", "verify", arg(&log), "--key", arg(&key)])
        .exits(2)
        .says(&["key.pub: malformed verifier key"]);
    home.run(&["audit", "verify", arg(&log), "--key", "missing.pub"])
        .exits(2)
        .says(&["missing.pub"]);
    home.run(&["audit", "verify", "missing.jsonl", "--key", arg(&key)])
        .exits(2)
        .says(&["missing.jsonl"]);
}
