//! https: whom the fetcher believes, and no way back to http.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::support::MadeUpNetwork;
use ghostlight_fetch::{FetchError, Fetched, Fetcher, Limits, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// A TLS server that answers every request with `reply`, and the certificate to trust it by.
async fn server(reply: &'static str) -> (SocketAddr, Vec<u8>) {
    serve(&[], move |mut stream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(reply.as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await
}

/// The same by HTTP/2 only.
async fn server_h2(body: &'static [u8]) -> (SocketAddr, Vec<u8>) {
    serve(&[b"h2"], move |stream| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            assert_eq!(request.uri().to_string(), "https://jobs.example.test/");
            let head = http::Response::builder()
                .header("content-type", "text/html")
                .body(())
                .unwrap();
            respond
                .send_response(head, false)
                .unwrap()
                .send_data(body.into(), true)
                .unwrap();
        }
    })
    .await
}

/// One connection after the other: shakes hands, then leaves the stream to `talk`.
async fn serve<F: Future<Output = ()> + Send>(
    alpn: &[&[u8]],
    talk: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
) -> (SocketAddr, Vec<u8>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["jobs.example.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(cert.der().to_vec())], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us hangs up in the handshake.
            if let Ok(stream) = acceptor.accept(stream).await {
                talk(stream).await;
            }
        }
    });
    (address, cert.der().to_vec())
}

async fn get(
    server: SocketAddr,
    extra_roots_der: Vec<Vec<u8>>,
    url: &str,
) -> Result<Fetched, FetchError> {
    let names: &[(&str, &[&str])] = &[
        ("jobs.example.test", &["8.8.8.8"]),
        ("other.example.test", &["8.8.4.4"]),
    ];
    let network = MadeUpNetwork::new(server, names);
    Fetcher::with_setup(
        Limits::default(),
        Setup {
            extra_roots_der,
            network,
        },
    )?
    .get(url)
    .await
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nthe page";

#[tokio::test]
async fn an_added_root_is_trusted_for_its_name_only() {
    let (address, root) = server(PAGE).await;
    let page = get(address, vec![root.clone()], "https://jobs.example.test/")
        .await
        .unwrap();
    assert_eq!(page.bytes, b"the page");
    for (roots, url) in [
        (vec![], "https://jobs.example.test/"),
        (vec![root], "https://other.example.test/"),
    ] {
        let error = get(address, roots, url).await.unwrap_err();
        assert_eq!(error.code(), "tls", "{error:?}");
        assert!(
            error.is_permanent() && error.to_string().contains(url),
            "{error}"
        );
        // In words for people.
        let why = match url.contains("other.") {
            true => "issued for another name",
            false => "does not know the authority that issued it",
        };
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn http2_is_spoken_where_the_server_does() {
    let (address, root) = server_h2(b"the page").await;
    let page = get(address, vec![root], "https://jobs.example.test/")
        .await
        .unwrap();
    assert_eq!(
        (page.bytes.as_slice(), page.content_type.as_deref()),
        (&b"the page"[..], Some("text/html"))
    );
}

#[tokio::test]
async fn https_to_a_plain_server_is_a_tls_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let error = get(address, vec![], "https://jobs.example.test/")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "tls", "{error:?}");
}

#[tokio::test]
async fn https_does_not_lead_back_to_http() {
    let (address, root) = server(
        "HTTP/1.1 302 Found\r\nLocation: http://jobs.example.test/\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let error = get(address, vec![root], "https://jobs.example.test/")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "downgrade");
    let text = error.to_string();
    assert!(
        text.contains("https://jobs.example.test/ redirects to http://jobs.example.test/"),
        "{text}"
    );
}

#[test]
fn bad_settings_are_told_at_the_start() {
    let setup = Setup {
        extra_roots_der: vec![b"no certificate".to_vec()],
        ..Setup::default()
    };
    assert_eq!(
        Fetcher::with_setup(Limits::default(), setup)
            .unwrap_err()
            .code(),
        "setup"
    );
    let limits = Limits {
        user_agent: "a\r\nb".into(),
        ..Limits::default()
    };
    assert_eq!(Fetcher::new(limits).unwrap_err().code(), "setup");
}
