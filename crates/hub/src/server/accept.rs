//! Accepting connections: how many, with or without TLS, how long each may stand still, and how they end.

use super::{App, ServerError};
use axum::{Router, body::Body, http::Request};
use ghostlight_model::system;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use std::{
    io,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// Connections above the limit that are told so, at a time; further ones are dropped at once.
const REFUSALS_MAX: usize = 64;
/// Time for a request's head, and for the TLS handshake before it.
const HEAD: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a peer may take no byte at all; a little more than the session's own limit, which says so to the peer.
const STANDSTILL: Duration = Duration::from_secs(35);
/// Time for requests under way when the server stops.
const STOPPING: Duration = Duration::from_secs(1);
/// A pause after the system gave no connection (out of file descriptors).
const PAUSE: Duration = Duration::from_millis(50);

/// Certificate chain and key, both PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What rustls needs of the files.
pub(super) fn tls(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let failed = |path: &PathBuf, detail: String| ServerError::Tls {
        path: path.clone(),
        detail,
    };
    let chain =
        CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|e| failed(&files.cert, pem_words(&e, "CERTIFICATE")))?;
    if chain.is_empty() {
        let why = pem_words(&pem::Error::NoItemsFound, "CERTIFICATE");
        return Err(failed(&files.cert, why));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|e| failed(&files.key, pem_words(&e, "PRIVATE KEY")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| {
            let why = format!(
                "this certificate cannot be used with the key {} ({e}); give the two that belong together",
                files.key.display()
            );
            failed(&files.cert, why)
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Why a file is none of those that a server needs.
fn pem_words(error: &pem::Error, label: &str) -> String {
    match error {
        pem::Error::Io(error) => system::words(error),
        pem::Error::NoItemsFound => format!(
            "nothing of the kind is in it; it has to be PEM, with -----BEGIN {label}----- in it"
        ),
        other => format!("this is no sound PEM file ({other})"),
    }
}

/// Beside each request of a connection, for its handler.
#[derive(Clone)]
pub(super) struct Link {
    pub progress: Progress,
    /// The server has as many connections as it takes; this one is to be told.
    pub full: bool,
}

/// Counts bytes that the system took for a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicUsize>);

impl Progress {
    /// Bytes since the last call.
    pub fn moved(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Accepts until told to stop, then waits for what is under way.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    app: Arc<App>,
    mut stop: watch::Receiver<bool>,
) {
    let all = app.config.connections + REFUSALS_MAX;
    let slots = Arc::new(Semaphore::new(all));
    loop {
        let stream = tokio::select! {
            () = told(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "no connection accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            },
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            continue;
        };
        let full = slots.available_permits() < REFUSALS_MAX;
        let link = Link {
            progress: Progress::default(),
            full,
        };
        // Frames are small and wait for nothing.
        let _ = stream.set_nodelay(true);
        let guarded = Guarded::new(stream, link.progress.clone(), slot);
        tokio::spawn(connection(
            guarded,
            tls.clone(),
            router.clone(),
            link,
            stop.clone(),
        ));
    }
    drop(listener);
    app.board.stop();
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    // Their end shows by the slots they give back.
    let _ = timeout(STOPPING + STOPPING, slots.acquire_many(all)).await;
}

/// Waits until the server is told to stop, or dropped.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: Guarded,
    tls: Option<TlsAcceptor>,
    router: Router,
    link: Link,
    stop: watch::Receiver<bool>,
) {
    match tls {
        None => serve(stream, router, link, stop).await,
        Some(tls) => match timeout(HEAD, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, router, link, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn serve<S>(stream: S, router: Router, link: Link, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let keep_alive = !link.full;
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(link.clone());
        router.clone().call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(keep_alive)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = told(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            match timeout(STOPPING, serving).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// A socket that counts what it takes, ends when its peer takes nothing for [`STANDSTILL`], and holds its slot.
struct Guarded {
    stream: TcpStream,
    progress: Progress,
    standing: Option<Pin<Box<Sleep>>>,
    _slot: OwnedSemaphorePermit,
}

impl Guarded {
    fn new(stream: TcpStream, progress: Progress, slot: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            progress,
            standing: None,
            _slot: slot,
        }
    }

    /// Notes what came of a write.
    fn watch(
        &mut self,
        wrote: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(result) => {
                self.standing = None;
                if let Ok(bytes) = result {
                    self.progress.0.fetch_add(bytes, Ordering::Relaxed);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                let begin = || Box::pin(tokio::time::sleep_until(Instant::now() + STANDSTILL));
                let over = self.standing.get_or_insert_with(begin).as_mut().poll(cx);
                over.map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(wrote, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(wrote, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
