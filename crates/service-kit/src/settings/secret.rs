//! Settings that no log and no dump may show.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What is shown in place of a secret.
pub const HIDDEN: &str = "[hidden]";

/// A URL whose password is never shown: `postgres://bylaw:[hidden]@db/policy`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Wraps a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URL with password and query values hidden: drivers take secrets in both.
    #[must_use]
    pub fn redacted(&self) -> String {
        let (base, query) = match self.0.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (self.0.as_str(), None),
        };
        let mut out = redact_userinfo(base);
        if let Some(query) = query {
            let hide = |pair: &str| match pair.split_once('=') {
                Some((key, _)) if is_secret_key(key) => format!("{key}={HIDDEN}"),
                _ => pair.to_owned(),
            };
            let pairs: Vec<_> = query.split('&').map(hide).collect();
            out.push('?');
            out.push_str(&pairs.join("&"));
        }
        out
    }
}

fn redact_userinfo(base: &str) -> String {
    let Some((scheme, rest)) = base.split_once("://") else {
        return base.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    // A password may hold an unescaped `/` or `@`: everything up to the last `@` counts.
    let at = rest.rfind('@').or_else(|| rest[..end].rfind('@'));
    match at {
        Some(at) => match rest[..at].split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}{}", &rest[at..]),
            None => base.to_owned(),
        },
        None => base.to_owned(),
    }
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["pass", "secret", "token", "key"]
        .iter()
        .any(|part| key.contains(part))
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { HIDDEN }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_drivers_take_them() {
        for (url, shown) in [
            ("sqlite:.bylaw/policy.db", "sqlite:.bylaw/policy.db"),
            ("postgres://u:p@db/x", "postgres://u:[hidden]@db/x"),
            ("postgres://u:p/q@r@db/x", "postgres://u:[hidden]@db/x"),
            ("postgres://u@db/x", "postgres://u@db/x"),
            ("redis://:p@r:6379/0", "redis://:[hidden]@r:6379/0"),
            (
                "postgres://db/x?password=p&sslmode=require",
                "postgres://db/x?password=[hidden]&sslmode=require",
            ),
        ] {
            assert_eq!(SecretUrl::new(url).redacted(), shown);
            assert_eq!(format!("{:?}", SecretUrl::new(url)), shown);
        }
    }
}
