//! One bounded GET over HTTP/1.1, with TLS where the URL says so: what reading a key set
//! takes, and no more. No redirects: the URL is the one that settings trust.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

/// How long connecting, asking and reading may take together.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A URL and how it is reached.
#[derive(Clone)]
pub struct Fetch {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    token_file: Option<PathBuf>,
}

impl Fetch {
    /// Checks the URL and reads the authorities' file.
    ///
    /// # Errors
    /// If the URL is no HTTP URL or the file can't be read.
    pub fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|e| format!("{url}: {e}"))?;
        let host = uri
            .host()
            .ok_or_else(|| format!("{url} has no host"))?
            .to_owned();
        let bare = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let (default_port, tls) = match uri.scheme_str() {
            Some("https") => {
                let name = ServerName::try_from(bare.clone())
                    .map_err(|e| format!("{url}: host can't be checked by TLS: {e}"))?;
                (443, Some((connector(ca_file)?, name)))
            }
            Some("http") => (80, None),
            _ => return Err(format!("{url} is no http or https URL")),
        };
        Ok(Self {
            port: uri.port_u16().unwrap_or(default_port),
            host: bare,
            uri,
            tls,
            token_file: None,
        })
    }

    /// Asks with the token in a file, read again each time since it is rotated.
    ///
    /// # Errors
    /// If the URL isn't `https`: a token isn't sent in plain text.
    pub fn with_token_file(mut self, path: PathBuf) -> Result<Self, String> {
        if self.tls.is_none() {
            return Err(format!(
                "{} is no https URL, and a token needs one",
                self.uri
            ));
        }
        self.token_file = Some(path);
        Ok(self)
    }

    /// The body of a 200 answer of at most `limit` bytes.
    ///
    /// # Errors
    /// If there is no such answer in time.
    pub async fn get(&self, limit: usize) -> Result<Vec<u8>, String> {
        tokio::time::timeout(TIMEOUT, self.exchange(limit))
            .await
            .map_err(|_| format!("{} did not answer within {TIMEOUT:?}", self.uri))?
            .map_err(|e| format!("{}: {e}", self.uri))
    }

    async fn exchange(&self, limit: usize) -> Result<Vec<u8>, String> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|e| e.to_string())?;
        match &self.tls {
            None => self.request(tcp, limit).await,
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await;
                self.request(tls.map_err(|e| e.to_string())?, limit).await
            }
        }
    }

    async fn request<I>(&self, io: I, limit: usize) -> Result<Vec<u8>, String>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io))
            .await
            .map_err(|e| e.to_string())?;
        // Ends with the sender, which this function drops.
        let driver = tokio::spawn(connection);
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self
            .uri
            .authority()
            .map_or(self.host.as_str(), |a| a.as_str());
        let mut request = Request::get(path)
            .header(header::HOST, authority)
            .header(header::ACCEPT, "application/jwk-set+json, application/json");
        if let Some(file) = &self.token_file {
            request = request.header(header::AUTHORIZATION, authorization(file).await?);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|e| e.to_string())?;
        let answer = sender
            .send_request(request)
            .await
            .map_err(|e| e.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("status {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), limit).collect().await;
        driver.abort();
        Ok(body.map_err(|e| e.to_string())?.to_bytes().to_vec())
    }
}

async fn authorization(file: &Path) -> Result<HeaderValue, String> {
    let token = tokio::fs::read_to_string(file).await;
    let token = token.map_err(|e| format!("{}: {e}", file.display()))?;
    let value = HeaderValue::try_from(format!("Bearer {}", token.trim()));
    let mut value = value.map_err(|_| format!("{}: no token in it", file.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(&e))? {
                let certificate = certificate.map_err(|e| wrong(&e))?;
                roots.add(certificate).map_err(|e| wrong(&e))?;
            }
            if roots.is_empty() {
                return Err(wrong(&"no certificate in it"));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn answer(text: &'static str) -> Fetch {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(text.as_bytes()).await;
        });
        Fetch::new(&format!("http://127.0.0.1:{port}/keys"), None).unwrap()
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(answer(ok).await.get(10).await.unwrap(), b"{}");
        assert!(answer(ok).await.get(1).await.is_err());
        let moved =
            "HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n";
        assert!(
            answer(moved)
                .await
                .get(10)
                .await
                .unwrap_err()
                .contains("302")
        );
    }

    #[tokio::test]
    async fn a_tls_url_is_not_asked_in_plain_text() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fetch = Fetch::new(&format!("https://127.0.0.1:{port}/keys"), None).unwrap();
        let seen = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0; 1];
            stream.read_exact(&mut first).await.unwrap();
            first[0]
        });
        assert!(fetch.get(10).await.is_err());
        assert_eq!(seen.await.unwrap(), 0x16, "a TLS handshake record");
    }

    #[test]
    fn urls_are_checked() {
        for bad in ["", "/keys", "ftp://host/keys", "https:///keys"] {
            assert!(Fetch::new(bad, None).is_err(), "{bad:?}");
        }
        let plain = Fetch::new("http://host/keys", None).unwrap();
        assert!(plain.with_token_file("token".into()).is_err());
        let tls = Fetch::new("https://host/keys", None).unwrap();
        assert!(tls.with_token_file("token".into()).is_ok());
    }
}
