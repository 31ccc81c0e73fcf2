//! Listeners and their connections: capped in number, in age and in what they may send,
//! and cut when the drain time is over.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use opentelemetry::{KeyValue, metrics::UpDownCounter};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    error::{Error, Kind, Reason, Result},
    settings::{Limits, Settings},
    telemetry::{self, names},
    tls,
};

/// How long to wait when the system has no socket to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

static CONNECTIONS: LazyLock<UpDownCounter<i64>> = LazyLock::new(|| {
    telemetry::meter()
        .i64_up_down_counter(names::CONNECTIONS)
        .with_description("open connections")
        .build()
});

/// The address of a call's client, in the extensions of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) SocketAddr);

/// The sockets of a process, bound before anything else so that their addresses are
/// known.
#[derive(Debug)]
pub struct Listeners {
    pub(super) grpc: TcpListener,
    pub(super) http: TcpListener,
    /// Address of the gRPC listener.
    pub grpc_addr: SocketAddr,
    /// Address of the HTTP listener.
    pub http_addr: SocketAddr,
}

impl Listeners {
    /// Binds both sockets.
    ///
    /// # Errors
    /// If an address can't be bound.
    pub async fn bind(settings: &Settings) -> Result<Self> {
        let (grpc, grpc_addr) = bind("grpc.addr", settings.grpc.addr).await?;
        let (http, http_addr) = bind("http.addr", settings.http.addr).await?;
        Ok(Self {
            grpc,
            http,
            grpc_addr,
            http_addr,
        })
    }
}

async fn bind(path: &str, addr: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let refused = |e: io::Error| {
        let message = format!("can't listen on {path} {addr}: {e}");
        Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    };
    let listener = TcpListener::bind(addr).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// When connections end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    /// No new connections; those there are finish what they have begun.
    pub(super) closing: CancellationToken,
    /// At once, whatever is going on.
    pub(super) cut: CancellationToken,
}

/// One listener and what its connections have in common.
pub(super) struct Accept {
    pub(super) name: &'static str,
    pub(super) listener: TcpListener,
    pub(super) tls: Option<tls::Server>,
    pub(super) limits: Arc<Limits>,
    pub(super) ends: Ends,
    pub(super) connections: TaskTracker,
}

impl Accept {
    /// Takes connections until closing, and hands each to `serve`.
    pub(super) async fn run<F>(self, serve: F)
    where
        F: Fn(Accepted) -> BoxFuture<'static, ()> + Clone + Send + Sync + 'static,
    {
        let permits = Arc::new(Semaphore::new(self.limits.connections));
        let closing = self.ends.closing.clone();
        loop {
            let next = closing.run_until_cancelled(next(&self.listener, &permits));
            let Some((stream, addr, permit)) = next.await else {
                return;
            };
            let (tls, ends) = (self.tls.clone(), self.ends.clone());
            let (handshake, name, serve) = (self.limits.tls_handshake, self.name, serve.clone());
            self.connections.spawn(async move {
                let _permit = permit;
                let _counted = Counted::new(name);
                match secure(stream, tls, handshake).await {
                    Ok(stream) => {
                        let (stream, received) = Watched::new(stream);
                        let ends = ends.clone();
                        serve(Accepted {
                            stream,
                            addr,
                            received,
                            ends,
                        })
                        .await;
                    }
                    Err(cause) => tracing::debug!(%cause, client = %addr, "handshake failed"),
                }
            });
        }
    }
}

/// The next connection, once there is room for it.
async fn next(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (
    TcpStream,
    SocketAddr,
    Option<tokio::sync::OwnedSemaphorePermit>,
) {
    // The semaphore is never closed.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, addr)) => return (stream, addr, permit),
            Err(cause) => {
                tracing::warn!(%cause, "no connection could be accepted");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

async fn secure(
    stream: TcpStream,
    tls: Option<tls::Server>,
    handshake: Duration,
) -> io::Result<Box<dyn Duplex>> {
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(stream)),
        Some(tls) => {
            let secured = tokio::time::timeout(handshake, tls.acceptor().accept(stream));
            let secured = secured.await.map_err(|_| io::ErrorKind::TimedOut)??;
            Ok(Box::new(secured))
        }
    }
}

/// A connection that is ready to speak.
pub(super) struct Accepted {
    pub(super) stream: Watched,
    pub(super) addr: SocketAddr,
    /// Bytes that came in so far.
    pub(super) received: Arc<AtomicUsize>,
    pub(super) ends: Ends,
}

/// What all kinds of connection are.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that counts what comes in.
pub(super) struct Watched {
    inner: Box<dyn Duplex>,
    received: Arc<AtomicUsize>,
}

impl Watched {
    fn new(inner: Box<dyn Duplex>) -> (Self, Arc<AtomicUsize>) {
        let received = Arc::new(AtomicUsize::new(0));
        let watched = Self {
            inner,
            received: Arc::clone(&received),
        };
        (watched, received)
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let read = buffer.filled().len() - before;
        if read > 0 {
            self.received.fetch_add(read, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Counts a connection for as long as it is there.
struct Counted([KeyValue; 1]);

impl Counted {
    fn new(listener: &'static str) -> Self {
        let attributes = [KeyValue::new("bylaw.listener", listener)];
        CONNECTIONS.add(1, &attributes);
        Self(attributes)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        CONNECTIONS.add(-1, &self.0);
    }
}
