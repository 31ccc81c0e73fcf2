//! Connections to peers.

use std::{io, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tonic::transport::{Channel, Endpoint};

use crate::{
    error::{Error, Result},
    settings::Limits,
    tls,
};

/// How long a connection may take to come about, its TLS handshake included.
const CONNECT: Duration = Duration::from_secs(5);

/// Streams that errors of this side may reset before the connection goes.
const ERROR_RESETS: usize = 1_024;

/// Whether an address speaks TLS.
pub(super) fn secure(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// A channel that connects with its first call, and again after every loss.
pub(super) fn lazy(
    uri: Uri,
    tls: Option<tls::Client>,
    server_name: Option<String>,
    limits: &Limits,
) -> Result<Channel> {
    let tls = match (secure(&uri), tls) {
        (true, Some(tls)) => Some(tls),
        (true, None) => {
            let problem = format!("{uri} needs peers.tls");
            return Err(Error::invalid("peers.addresses", problem));
        }
        (false, _) => None,
    };
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    // The connector below does the TLS, by files that may change; the endpoint would
    // insist on doing it itself.
    let endpoint = Endpoint::from_shared(format!("http://{authority}"))
        .map_err(|e| Error::invalid("peers.addresses", e.to_string()))?
        .origin(uri.clone())
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive_timeout)
        .http2_max_header_list_size(limits.header_bytes)
        .http2_max_local_error_reset_streams(ERROR_RESETS);
    let name = server_name
        .or_else(|| uri.host().map(str::to_owned))
        .unwrap_or_default();
    let name: Arc<str> = name.into();
    let connector = tower::service_fn(move |target: Uri| -> BoxFuture<'static, io::Result<_>> {
        Box::pin(open(target, tls.clone(), Arc::clone(&name)))
    });
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// What both kinds of connection are.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

async fn open(
    target: Uri,
    tls: Option<tls::Client>,
    name: Arc<str>,
) -> io::Result<TokioIo<Box<dyn Duplex>>> {
    let host = target.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = target
        .port_u16()
        .unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Duplex> = match tls {
        None => Box::new(stream),
        Some(tls) => {
            let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned())
                .map_err(io::Error::other)?;
            Box::new(
                TlsConnector::from(tls.config())
                    .connect(name, stream)
                    .await?,
            )
        }
    };
    Ok(TokioIo::new(stream))
}
