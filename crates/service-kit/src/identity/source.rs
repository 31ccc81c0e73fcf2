//! This service's own token, for its calls of other services.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{DevIssuer, Grant, GrantScope, PrincipalKind, Settings};
use crate::{
    clock::Clock,
    error::{Error, Kind, Reason, Result},
};

/// A projected token is rotated by the platform; the file is read again this often.
const READ_AGAIN: TimeDelta = TimeDelta::seconds(30);

/// How long a token of the development issuer holds, and how long it is used.
const DEV_TTL: Duration = Duration::from_secs(15 * 60);
const DEV_USE: TimeDelta = TimeDelta::minutes(10);

/// Longest token file.
const MAX_FILE: u64 = 16 * 1024;

/// Where this service's token comes from. Cheap to clone.
#[derive(Clone)]
pub struct TokenSource(Arc<Inner>);

struct Inner {
    origin: Origin,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Current>>,
}

enum Origin {
    File(PathBuf),
    Development {
        issuer: Box<DevIssuer>,
        subject: String,
    },
}

struct Current {
    token: Arc<str>,
    until: DateTime<Utc>,
}

impl TokenSource {
    /// The source that settings name: a file, or in development the issuer of the data
    /// directory, with subject and role `bylaw-<service>`.
    ///
    /// # Errors
    /// If there is neither, or it can't be read.
    pub fn open(
        settings: &Settings,
        development: bool,
        data_dir: &Path,
        service: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let origin = match &settings.token_file {
            Some(path) => Origin::File(path.clone()),
            None if development => Origin::Development {
                issuer: Box::new(DevIssuer::open_or_create(data_dir)?),
                subject: format!("bylaw-{service}"),
            },
            None => {
                return Err(Error::invalid(
                    "identity.token_file",
                    "is missing: this service needs a token of its own to call the others",
                ));
            }
        };
        let source = Self(Arc::new(Inner {
            origin,
            clock,
            current: Mutex::new(None),
        }));
        source.token()?;
        Ok(source)
    }

    /// The token to send now.
    ///
    /// # Errors
    /// `PEER_UNAVAILABLE` if there is none, since no peer can be called without.
    pub fn token(&self) -> Result<Arc<str>> {
        let now = self.0.clock.now();
        // A poisoned lock only means that another thread stopped between two reads.
        let mut current = self
            .0
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = &*current
            && now < held.until
        {
            return Ok(held.token.clone());
        }
        match (self.0.origin.fresh(now), &mut *current) {
            (Ok(fresh), _) => Ok(current.insert(fresh).token.clone()),
            (Err(error), Some(held)) => {
                // While a file is swapped, what was read before may still hold.
                tracing::warn!(%error, "own token can't be read again, the old one stays");
                Ok(held.token.clone())
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl Origin {
    fn fresh(&self, now: DateTime<Utc>) -> Result<Current> {
        match self {
            Self::File(path) => {
                let token = read(path).map_err(|e| {
                    let message = "this service has no token of its own";
                    Error::new(Kind::Unavailable, Reason::PeerUnavailable, message)
                        .with_source(format!("{}: {e}", path.display()))
                })?;
                Ok(Current {
                    token,
                    until: now + READ_AGAIN,
                })
            }
            Self::Development { issuer, subject } => {
                let grant = Grant::new(subject.clone(), GrantScope::All);
                let token = issuer.mint(subject, PrincipalKind::Service, &[grant], DEV_TTL, now)?;
                Ok(Current {
                    token: token.into(),
                    until: now + DEV_USE,
                })
            }
        }
    }
}

fn read(path: &Path) -> Result<Arc<str>, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_FILE {
        return Err(format!("{size} bytes, at most {MAX_FILE} are allowed"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("no token in it".into());
    }
    Ok(token.into())
}
