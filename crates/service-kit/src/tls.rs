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
}

impl<C: Send + Sync + 'static> Reloading<C> {
    fn new(current: C, files: Vec<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwap::from_pointee(current),
            files,
        })
    }

    /// The configuration in force.
    pub(crate) fn current(&self) -> Arc<C> {
        self.current.load_full()
    }

    /// Reads the files again whenever one changes, until `shutdown`.
    async fn follow(self: Arc<Self>, read: impl Fn() -> Result<C>, shutdown: CancellationToken) {
        let mut seen = self.stamps();
        let mut every = tokio::time::interval(LOOK);
        while shutdown.run_until_cancelled(every.tick()).await.is_some() {
            let stamps = self.stamps();
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

    fn stamps(&self) -> Vec<Option<(SystemTime, u64)>> {
        let stamp = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        self.files.iter().map(stamp).collect()
    }
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
        let config = Reloading::new(server_config(files, alpn)?, paths);
        let files = files.clone();
        let following = Arc::clone(&config);
        let read = move || server_config(&files, alpn);
        tokio::spawn(following.follow(read, shutdown));
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
        let config = Reloading::new(client_config(files)?, paths);
        let files = files.clone();
        let following = Arc::clone(&config);
        tokio::spawn(following.follow(move || client_config(&files), shutdown));
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
