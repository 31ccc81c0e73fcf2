//! Where settings come from, and what is refused.

use std::{path::PathBuf, time::Duration};

use service_kit::{
    Settings,
    settings::{self, Overrides, SecretUrl, Validate as _},
};

use super::stub::{StubSettings, alone};

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bylaw.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

fn problem(text: &str) -> String {
    let (_dir, path) = file(text);
    let flags = Overrides {
        development: Some(true),
        ..Overrides::default()
    };
    let loaded = settings::load::<StubSettings>(Some(&path), &flags);
    loaded.unwrap_err().message().to_owned()
}

#[test]
fn a_file_overrides_defaults_and_flags_override_it() {
    let (_dir, path) = file(
        "data_dir = '/file'\n[grpc]\naddr = '127.0.0.1:1'\n[http]\naddr = '127.0.0.1:2'\n\
         [limits]\ndeadline = '3s'\n[service]\ntest = 7\n",
    );
    let flags = Overrides {
        grpc_addr: Some("127.0.0.1:3".to_owned()),
        development: Some(true),
        ..Overrides::default()
    };
    let loaded = settings::load::<StubSettings>(Some(&path), &flags).unwrap();
    let settings = loaded.settings;
    assert_eq!(settings.grpc.addr.port(), 3);
    assert_eq!(settings.http.addr.port(), 2);
    assert_eq!(settings.data_dir, PathBuf::from("/file"));
    assert_eq!(settings.limits.deadline, Duration::from_secs(3));
    assert_eq!(settings.limits.max_deadline, Duration::from_secs(60));
    assert_eq!(loaded.service.test, 7);
}

#[test]
fn what_is_wrong_is_named() {
    for (text, named) in [
        ("[limits]\ndeadlin = '1s'", "deadlin"),
        ("colour = 'red'", "colour"),
        ("[service]\ncolour = 'red'", "colour"),
        ("[limits]\ndeadline = '10 seconds'", "limits.deadline"),
        ("[grpc]\naddr = 'here'", "grpc.addr"),
        (
            "[limits]\ndeadline = '2m'",
            "longer than limits.max_deadline",
        ),
        ("[service]\ntest = 13", "service.test is unlucky"),
        (
            "[peers.addresses]\naudit = 'audit:1'",
            "peers.addresses.audit",
        ),
        (
            "[peers.addresses]\naudit = 'https://audit:1'",
            "needs peers.tls",
        ),
        ("[peers.tls]\nca = 'a'\ncert = 'b'", "both cert and key"),
        ("[grpc.tls]\ncert = 'a'", "key"),
        ("[telemetry]\nsample = 2.0", "telemetry.sample"),
        (
            "[telemetry]\notlp_endpoint = 'collector'",
            "telemetry.otlp_endpoint",
        ),
        (
            "[database]\nurl = 'mysql://x'",
            "settings can't be used: database.url is neither",
        ),
        (
            "[database]\nacquire_timeout = '0s'",
            "used: database.acquire_timeout must",
        ),
        (
            "[identity]\ntoken_cache = 0",
            "used: identity.token_cache is 0",
        ),
        // File, line and column, and the key.
        ("[grpc]\naddr = 5", "bylaw.toml:2:8: grpc.addr: "),
        (
            "# first\n[limits] # of calls\nconnections = 'x'",
            "bylaw.toml:3:15: limits.connections: ",
        ),
        (
            "[limits]\ndeadlin = '1s'",
            "bylaw.toml:2:1: limits.deadlin: ",
        ),
        ("[service]\ntest = 'x'", "bylaw.toml:2:8: service.test: "),
        ("[grpc\naddr = 5", "bylaw.toml:1:6: "),
        ("[limits]\ndeadline = \"1s", "bylaw.toml:2:"),
    ] {
        let message = problem(text);
        assert!(message.contains(named), "{text:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{text:?}: {message}");
    }
    let missing = settings::load::<()>(Some("/nowhere/bylaw.toml".as_ref()), &Overrides::default());
    assert!(
        missing
            .unwrap_err()
            .message()
            .contains("/nowhere/bylaw.toml")
    );
}

#[test]
fn a_dump_hides_secrets_and_can_be_read_back() {
    let mut settings = Settings {
        development: true,
        ..Settings::default()
    };
    settings.database.url = SecretUrl::new("postgres://bylaw:hunter2@db/policy");
    settings.bus.url = SecretUrl::new("redis://:hunter2@redis:6379");
    let text = settings::dump(&settings, &StubSettings::default()).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(
        text.contains("postgres://bylaw:[hidden]@db/policy"),
        "{text}"
    );
    assert!(!format!("{settings:?}").contains("hunter2"));
    let (_dir, path) = file(&text);
    settings::load::<StubSettings>(Some(&path), &Overrides::default()).unwrap();
}

#[test]
fn documented_defaults_can_be_read_back() {
    let text = settings::defaults::<StubSettings>();
    assert!(text.contains("[service]"), "{text}");
    testkit::settings::documented("", settings::DEFAULTS, &Settings::default()).unwrap();
    testkit::settings::documented(
        "service",
        StubSettings::DOCUMENTED,
        &StubSettings::default(),
    )
    .unwrap();
    let (_dir, path) = file(&text);
    let flags = Overrides {
        development: Some(true),
        ..Overrides::default()
    };
    settings::load::<StubSettings>(Some(&path), &flags).unwrap();
}

#[test]
fn the_environment_overrides_the_file() {
    let name = "settings::the_environment_overrides_the_file";
    let variables = [
        ("BYLAW_DEVELOPMENT", "true"),
        ("BYLAW_GRPC__ADDR", "127.0.0.1:2"),
        ("BYLAW_SERVICE__TEST", "5"),
        // What Kubernetes and the command line put there.
        ("BYLAW_POLICY_PORT", "tcp://10.0.0.1:50051"),
        ("BYLAW_ADDR", "127.0.0.1:50051"),
    ];
    if alone(name, &variables).is_some() {
        return;
    }
    let (_dir, path) = file("[grpc]\naddr = '127.0.0.1:1'\n");
    let loaded = settings::load::<StubSettings>(Some(&path), &Overrides::default()).unwrap();
    assert_eq!(loaded.settings.grpc.addr.port(), 2);
    assert_eq!(loaded.service.test, 5);
}
