//! TLS from files, read again when they change. What can't be read stops the start, and
//! later leaves in force what was read before; plain text is never the answer.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, Kind, Reason, Result},
    settings::{ClientTls, ServerTls},
};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// A configuration that follows its files.
#[derive(Debug)]
pub(crate) struct Reloading<C> {
    current: ArcSwap<C>,
    files: Vec<PathBuf>,
    /// Of the files as they were just before they were first read.
    first: Stamps,
}

/// Time and size of each file.
type Stamps = Vec<Option<(SystemTime, u64)>>;

impl<C: Send + Sync + 'static> Reloading<C> {
    fn new(files: Vec<PathBuf>, read: impl FnOnce() -> Result<C>) -> Result<Arc<Self>> {
        let first = stamps(&files);
        Ok(Arc::new(Self {
            current: ArcSwap::from_pointee(read()?),
            files,
            first,
        }))
    }

    /// The configuration in force.
    pub(crate) fn current(&self) -> Arc<C> {
        self.current.load_full()
    }

    /// Looks at the files this often and reads them again whenever one changes, until
    /// `shutdown`.
    async fn follow(
        self: Arc<Self>,
        look: Duration,
        read: impl Fn() -> Result<C>,
        shutdown: CancellationToken,
    ) {
        let mut seen = self.first.clone();
        let mut every = tokio::time::interval(look);
        while shutdown.run_until_cancelled(every.tick()).await.is_some() {
            let stamps = stamps(&self.files);
            if stamps == seen {
                continue;
            }
            match read() {
                Ok(config) => {
                    self.current.store(Arc::new(config));
                    seen = stamps;
                    tracing::info!(files = ?self.files, "TLS files read again");
                }
                // They may be half written: the next look tries again.
                Err(cause) => {
                    tracing::error!(%cause, "TLS files can't be read, the earlier ones stay");
                }
            }
        }
    }
}

fn stamps(files: &[PathBuf]) -> Stamps {
    let stamp = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(stamp).collect()
}

/// Accepts TLS connections by files that may change.
#[derive(Debug, Clone)]
pub(crate) struct Server(Arc<Reloading<ServerConfig>>);

impl Server {
    /// Reads the files; `alpn` is what the listener speaks, such as `h2`.
    pub(crate) fn open(
        files: &ServerTls,
        alpn: &'static [u8],
        shutdown: CancellationToken,
    ) -> Result<Self> {
        let paths = [
            Some(&files.cert),
            Some(&files.key),
            files.client_ca.as_ref(),
        ];
        let paths = paths.into_iter().flatten().cloned().collect();
        let config = Reloading::new(paths, || server_config(files, alpn))?;
        let files = files.clone();
        let following = Arc::clone(&config);
        let read = move || server_config(&files, alpn);
        tokio::spawn(following.follow(LOOK, read, shutdown));
        Ok(Self(config))
    }

    /// An acceptor by the files as they are now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.current())
    }
}

/// Opens TLS connections by files that may change.
#[derive(Debug, Clone)]
pub(crate) struct Client(Arc<Reloading<ClientConfig>>);

impl Client {
    /// Reads the files.
    pub(crate) fn open(files: &ClientTls, shutdown: CancellationToken) -> Result<Self> {
        let paths = [Some(&files.ca), files.cert.as_ref(), files.key.as_ref()];
        let paths = paths.into_iter().flatten().cloned().collect();
        let config = Reloading::new(paths, || client_config(files))?;
        let files = files.clone();
        let following = Arc::clone(&config);
        let read = move || client_config(&files);
        tokio::spawn(following.follow(LOOK, read, shutdown));
        Ok(Self(config))
    }

    /// The configuration as it is now.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        self.0.current()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn server_config(files: &ServerTls, alpn: &[u8]) -> Result<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| refused(&files.cert, &e))?;
    let builder = match &files.client_ca {
        Some(path) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider())
                    .build()
                    .map_err(|e| refused(path, &e))?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(certificates(&files.cert)?, key(&files.key)?)
        .map_err(|e| refused(&files.cert, &e))?;
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(config)
}

fn client_config(files: &ClientTls) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| refused(&files.ca, &e))?
        .with_root_certificates(roots(&files.ca)?);
    let mut config = match (&files.cert, &files.key) {
        (Some(cert), Some(path)) => builder
            .with_client_auth_cert(certificates(cert)?, key(path)?)
            .map_err(|e| refused(cert, &e))?,
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|e| refused(path, &e))?;
    if found.is_empty() {
        return Err(refused(path, &"holds no certificate"));
    }
    Ok(found)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|e| refused(path, &e))
}

fn roots(path: &Path) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|e| refused(path, &e))?;
    }
    Ok(store)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e: io::Error| refused(path, &e))
}

fn refused(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    let message = format!("TLS file {}: {cause}", path.display());
    Error::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Waits until the configuration is this, for at most ten seconds.
    async fn becomes(reloading: &Reloading<String>, wanted: &str) {
        for _ in 0..1_000 {
            if *reloading.current() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(*reloading.current(), wanted);
    }

    #[tokio::test]
    async fn files_that_change_are_read_again_and_broken_ones_are_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tls.crt");
        std::fs::write(&path, "first").unwrap();
        let reloading = Reloading::new(vec![path.clone()], || Ok("first".to_owned())).unwrap();
        let shutdown = CancellationToken::new();
        let attempts = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (from, counting) = (path.clone(), Arc::clone(&attempts));
        let read = move || {
            counting.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let text = String::from_utf8(super::read(&from)?).map_err(|e| refused(&from, &e))?;
            if text.contains("broken") {
                return Err(refused(&from, &"is broken"));
            }
            Ok(text)
        };
        let following = Arc::clone(&reloading);
        let look = Duration::from_millis(10);
        let task = tokio::spawn(following.follow(look, read, shutdown.clone()));
        std::fs::write(&path, "the second").unwrap();
        becomes(&reloading, "the second").await;
        let before = attempts.load(std::sync::atomic::Ordering::SeqCst);
        std::fs::write(&path, "a broken one").unwrap();
        for _ in 0..1_000 {
            if attempts.load(std::sync::atomic::Ordering::SeqCst) > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(attempts.load(std::sync::atomic::Ordering::SeqCst) > before);
        assert_eq!(*reloading.current(), "the second");
        std::fs::write(&path, "the third").unwrap();
        becomes(&reloading, "the third").await;
        shutdown.cancel();
        task.await.unwrap();
    }
}
