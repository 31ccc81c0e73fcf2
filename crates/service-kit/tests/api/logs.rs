//! Log lines, as an operator's collector reads them.

use service_kit::{
    settings::{LogFormat, Telemetry},
    telemetry,
};

use super::stub::alone;

/// Logs in a process of its own, and gives its lines.
fn lines(name: &str, format: LogFormat) -> Option<String> {
    let printed = alone(name, &[]);
    if printed.is_none() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let settings = Telemetry {
                format,
                // Nobody listens there; it costs the spans and nothing else.
                otlp_endpoint: "http://127.0.0.1:1".to_owned(),
                ..Telemetry::default()
            };
            let guard = telemetry::init(&settings, "stub").unwrap();
            let span = tracing::info_span!("work");
            span.in_scope(|| {
                let token = "hunter2";
                tracing::info!(token, level = "forged", count = 3, "one\nline");
            });
            let started = std::time::Instant::now();
            guard.shutdown().await;
            assert!(started.elapsed() < std::time::Duration::from_secs(15));
        });
    }
    printed
}

#[test]
fn json_lines_carry_the_trace_and_no_secret() {
    let Some(printed) = lines(
        "logs::json_lines_carry_the_trace_and_no_secret",
        LogFormat::Json,
    ) else {
        return;
    };
    assert!(!printed.contains("hunter2"), "{printed}");
    let line = printed
        .lines()
        .find(|line| line.contains(r"one\nline"))
        .unwrap();
    assert!(line.starts_with(r#"{"time":""#), "{line}");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["token"], "[hidden]");
    assert_eq!(line["count"], 3);
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
}

#[test]
fn text_lines_stay_lines() {
    let Some(printed) = lines("logs::text_lines_stay_lines", LogFormat::Text) else {
        return;
    };
    assert!(!printed.contains("hunter2"), "{printed}");
    let line = printed
        .lines()
        .find(|line| line.contains("one\\nline"))
        .unwrap();
    assert!(
        line.contains("count=3") && line.contains("trace_id="),
        "{line}"
    );
}
