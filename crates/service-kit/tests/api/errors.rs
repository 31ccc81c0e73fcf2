//! What callers and peers see of an error.

use std::time::Duration;

use service_kit::{Error, Kind, Reason};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

#[test]
fn an_error_tells_its_reason_and_keeps_its_cause() {
    let cause = std::io::Error::other("password is hunter2");
    let error = Error::unavailable(Reason::StoreUnavailable, "the store can't be reached")
        .with_metadata("store", "policy")
        .with_source(cause);
    let status = Status::from(error);
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "the store can't be reached");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(
        (info.domain.as_str(), info.reason.as_str()),
        ("bylaw", "STORE_UNAVAILABLE")
    );
    assert_eq!(info.metadata["store"], "policy");
    let wait = details.retry_info().unwrap().retry_delay;
    assert_eq!(wait, Some(Duration::from_secs(1)));
    assert!(!format!("{status:?}").contains("hunter2"));
}

#[test]
fn violations_name_their_fields() {
    let error = Error::invalid("scope", "is empty").with_violation("facts[3]", "is no number");
    let status = Status::from(error);
    let details = status.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|v| (v.field.as_str(), v.description.as_str()))
        .collect();
    assert_eq!(
        fields,
        [("scope", "is empty"), ("facts[3]", "is no number")]
    );
}

#[test]
fn an_error_stays_within_what_headers_hold() {
    let mut error = Error::invalid("field", "x".repeat(10_000));
    for n in 0..1_000 {
        error = error
            .with_violation(format!("facts[{n}]"), "is no number".repeat(100))
            .with_metadata(format!("key {n}"), "ä".repeat(1_000));
    }
    let status = Status::from(error);
    assert!(status.details().len() > 1_024);
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let bytes: usize = headers
        .iter()
        .map(|(k, v)| k.as_str().len() + v.len() + 32)
        .sum();
    assert!(bytes < 12 * 1024, "{bytes}");
}

#[test]
fn a_peers_error_keeps_its_reason() {
    let sent = Error::sod(Reason::SodRequester, "who requested it can't approve it")
        .with_metadata("change", "changes/1");
    let error = Error::from_status(sent.into(), "policy");
    assert_eq!(error.kind(), Kind::PermissionDenied);
    assert_eq!(error.reason(), Reason::SodRequester);
    assert_eq!(error.message(), "who requested it can't approve it");
    assert_eq!(error.metadata("change"), Some("changes/1"));
    let sent = Error::invalid("scope", "is empty");
    let error = Error::from_status(sent.into(), "policy");
    assert_eq!(error.violations()[0].field, "scope");
}

#[test]
fn a_peer_that_fails_is_unavailable_and_its_words_stay_here() {
    for status in [
        Status::unavailable("tcp connect error to 10.0.0.1"),
        Status::unknown("h2 protocol error"),
        Status::cancelled("operation was canceled"),
        Status::unimplemented("no such method"),
        Error::new(Kind::Unauthenticated, Reason::TokenInvalid, "expired").into(),
    ] {
        let error = Error::from_status(status, "policy");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.reason(), Reason::PeerUnavailable);
        assert_eq!(error.metadata("peer"), Some("policy"));
        assert_eq!(error.message(), "the policy service can't be used");
        assert!(error.retryable());
    }
    let error = Error::from_status(Error::broken("secret").into(), "policy");
    assert_eq!(error.kind(), Kind::Internal);
}
