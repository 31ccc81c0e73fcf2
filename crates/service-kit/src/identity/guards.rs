//! The guards of a server: everything that settings say of identity and access, read
//! and checked before the first request.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{
    Authenticator, DevIssuer, IssuerSettings, Revocations, Settings,
    fetch::Fetch,
    jwks::{KeySource, Location},
    layer::Authenticate,
    principals::Principals,
    revoked::RevocationFile,
    token::{Issuer, Verifier},
};
use crate::{
    access::{AccessTable, Authorize, Methods, RefusalRegistry},
    around::Wrap,
    clock::Clock,
    error::{Error, Result},
    outbox::Outbox,
};

/// How soon a key set that couldn't be read at the start is tried again.
const URGENT: Duration = Duration::from_secs(5);

/// Authentication and access of a server. Cheap to clone.
#[derive(Clone)]
pub struct Guards {
    shared: Arc<Shared>,
    refresh: Duration,
    revoked: Option<Arc<RevocationFile>>,
}

/// What the layers share.
pub(crate) struct Shared {
    pub(crate) authenticator: Authenticator,
    pub(crate) methods: Methods,
    pub(crate) refusals: RefusalRegistry,
}

impl Guards {
    /// Reads the key sets, the principals file, the access table and what each method
    /// needs.
    ///
    /// # Errors
    /// If a file is missing or malformed, a setting can't be, or a method of the
    /// contracts has no access option.
    pub async fn open(
        settings: &Settings,
        development: bool,
        data_dir: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let methods = Methods::of_contracts().map_err(|e| fault(&e))?;
        let access = match &settings.access_file {
            None => AccessTable::shipped()?,
            Some(path) => AccessTable::read(path)?,
        };
        let issuers = issuers(settings, development, data_dir).await?;
        let principals = match &settings.principals_file {
            None => Principals::default(),
            Some(path) => {
                let issuer = settings.subjects_issuer(development).unwrap_or_default();
                Principals::read(path, issuer).map_err(|e| fault(&e))?
            }
        };
        let skew = TimeDelta::from_std(settings.clock_skew).map_err(Error::internal)?;
        let names: Vec<_> = issuers.iter().map(|i| i.settings.issuer.clone()).collect();
        let verifier = Verifier::new(issuers, principals, skew);
        let refusals = RefusalRegistry::new(clock.clone());
        let authenticator =
            Authenticator::new(verifier, settings.token_cache, Arc::new(access), clock);
        let revoked = match &settings.revocations_file {
            None => None,
            Some(path) => {
                let file = RevocationFile::open(path, names, authenticator.revocations());
                Some(Arc::new(file.map_err(|e| fault(&e))?))
            }
        };
        Ok(Self {
            shared: Arc::new(Shared {
                authenticator,
                methods,
                refusals,
            }),
            refresh: settings.refresh,
            revoked,
        })
    }

    /// Reads the key sets and the revocations again and again, until the shutdown.
    pub fn refresh(&self, shutdown: CancellationToken) -> BoxFuture<'static, ()> {
        let (shared, every) = (self.shared.clone(), self.refresh);
        let (revoked, revocations) = (self.revoked.clone(), self.revocations().clone());
        let until = shutdown.clone();
        let follow = async move {
            if let Some(file) = revoked {
                file.follow(&revocations, until).await;
            }
        };
        let keys = async move {
            loop {
                let verifier = shared.authenticator.verifier();
                let urgent = verifier.issuers().any(|issuer| issuer.keys.is_empty());
                let pause = if urgent { URGENT } else { every };
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                for issuer in verifier.issuers() {
                    issuer.keys.refresh().await;
                }
            }
        };
        Box::pin(async move {
            tokio::join!(keys, follow);
        })
    }

    /// Writes the refusals of one part (`policy`) to its outbox, until the shutdown.
    /// Refusals count from this call on, not from the first poll.
    pub fn audit(
        &self,
        service: &'static str,
        outbox: Outbox,
        shutdown: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        self.shared.refusals.audit(service, outbox, shutdown)
    }

    /// The layer that puts an `Arc<Caller>` into the request.
    #[must_use]
    pub(crate) fn authenticate(&self) -> Wrap<Authenticate> {
        Wrap(Authenticate(self.shared.clone()))
    }

    /// The layer that asks for the permission of the method; inside of [`Self::authenticate`].
    #[must_use]
    pub(crate) fn authorize(&self) -> Wrap<Authorize> {
        Wrap(Authorize(self.shared.clone()))
    }

    /// The revocations that every use of a token is checked against.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        self.shared.authenticator.revocations()
    }

    /// What verifies tokens, for those who need it without a server.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator {
        &self.shared.authenticator
    }
}

async fn issuers(settings: &Settings, development: bool, data_dir: &Path) -> Result<Vec<Issuer>> {
    let mut issuers = Vec::new();
    for configured in &settings.issuers {
        let location = location(configured).map_err(|e| fault(&e))?;
        issuers.push(open(configured.clone(), location).await?);
    }
    if development {
        let jwks = DevIssuer::open_or_create(data_dir)?.jwks();
        issuers.push(open(DevIssuer::settings(), Location::Memory(jwks)).await?);
    }
    Ok(issuers)
}

async fn open(settings: IssuerSettings, location: Location) -> Result<Issuer> {
    let keys = KeySource::open(settings.issuer.clone(), location).await;
    let keys = keys.map_err(|e| fault(&format!("issuer {}: {e}", settings.issuer)))?;
    Ok(Issuer {
        settings,
        keys: Arc::new(keys),
    })
}

fn location(settings: &IssuerSettings) -> Result<Location, String> {
    match (&settings.jwks_file, &settings.jwks_url) {
        (Some(path), _) => Ok(Location::File(path.clone())),
        (None, Some(url)) => {
            let fetch = Fetch::new(url, settings.jwks_ca_file.as_deref())?;
            Ok(Location::Url(match &settings.jwks_token_file {
                Some(token) => fetch.with_token_file(token.clone())?,
                None => fetch,
            }))
        }
        (None, None) => Err(format!("issuer {} has no key set", settings.issuer)),
    }
}

/// What keeps a process from starting is told to its operator, who may know it all.
fn fault(problem: &str) -> Error {
    Error::invalid("identity", problem)
}
