//! Tokens and cursors that callers send.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use service_kit::{
    clock,
    identity::{Guards, Settings},
};

struct Verifier {
    runtime: tokio::runtime::Runtime,
    guards: Guards,
    /// The issuer's key is in it.
    _dir: tempfile::TempDir,
}

static VERIFIER: LazyLock<Option<Verifier>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().ok()?;
    service_kit::identity::DevIssuer::open_or_create(dir.path()).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let settings = Settings::default();
    let open = Guards::open(&settings, true, dir.path(), Arc::new(clock::System));
    let guards = runtime.block_on(open).ok()?;
    Some(Verifier {
        runtime,
        guards,
        _dir: dir,
    })
});

/// A token, alone and as that of a person a service acts for: no stranger's is taken.
pub fn tokens(data: &[u8]) {
    let bearer = [b"Bearer ", data].concat();
    let (Ok(value), Some(verifier)) = (HeaderValue::from_bytes(&bearer), &*VERIFIER) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value.clone());
    headers.insert(service_kit::identity::ON_BEHALF_OF, value);
    let authenticated = verifier.guards.authenticator().authenticate(&headers);
    let answer = verifier.runtime.block_on(authenticated);
    assert!(answer.is_err(), "nobody signed this");
}

/// A page token: what is taken was given.
pub fn pages(data: &[u8]) {
    let Some(token) = crate::text(data) else {
        return;
    };
    let params: [&[u8]; 2] = [b"ListExceptions", b"acme"];
    if let Ok(Some(cursor)) = service_kit::page::decode::<(i64, String)>(token, &params) {
        assert_eq!(service_kit::page::encode(&cursor, &params), token);
    }
}
