//! A small internet: every name has a public address, and every connection to it, http or https,
//! ends at a server of the test.

use ghostlight_fetch::{Fetcher, Limits, Lookup, Network, Setup};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// The names its certificate stands for.
const NAMES: [&str; 6] = [
    "boards.greenhouse.io",
    "boards-api.greenhouse.io",
    "jobs.lever.co",
    "api.lever.co",
    "jobs.ashbyhq.com",
    "api.ashbyhq.com",
];

/// The small internet; it answers until the test's process ends.
pub struct World {
    network: Arc<Led>,
    root: Vec<u8>,
}

impl World {
    /// `reply` gets the host and the path of each https request, and gives the answer's bytes.
    pub fn start(reply: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let names = NAMES.map(str::to_owned);
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(cert.der().to_vec())], key)
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        std::thread::spawn(move || serve(listener, &acceptor, &reply));
        Self {
            network: Arc::new(Led(server)),
            root: cert.der().to_vec(),
        }
    }

    /// A fetcher that knows no other internet.
    pub fn fetcher(&self) -> Fetcher {
        let setup = Setup {
            extra_roots_der: vec![self.root.clone()],
            network: self.network.clone(),
        };
        Fetcher::with_setup(Limits::default(), setup).unwrap()
    }
}

/// Leads everything to one server.
#[derive(Debug)]
struct Led(SocketAddr);

impl Network for Led {
    fn lookup<'a>(&'a self, _: &'a str) -> Lookup<'a> {
        Box::pin(async { Ok(vec![IpAddr::from([8, 8, 8, 8])]) })
    }

    fn route(&self, _: SocketAddr) -> SocketAddr {
        self.0
    }
}

fn serve(
    listener: std::net::TcpListener,
    acceptor: &TlsAcceptor,
    reply: &impl Fn(&str, &str) -> Vec<u8>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            // A client may hang up in the middle.
            let _ = answer(stream, acceptor, reply).await;
        }
    });
}

async fn answer(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    reply: &impl Fn(&str, &str) -> Vec<u8>,
) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let path = head.split(' ').nth(1).unwrap_or("/");
    let host = head.lines().find_map(|line| line.strip_prefix("host: "));
    stream
        .write_all(&reply(host.unwrap_or_default(), path))
        .await?;
    stream.shutdown().await
}

/// An answer of a job system.
pub fn json(status: &str, body: &serde_json::Value) -> Vec<u8> {
    bytes(
        status,
        "Content-Type: application/json\r\n",
        &body.to_string(),
    )
}

/// A web page.
pub fn page(body: &str) -> Vec<u8> {
    bytes("200 OK", "Content-Type: text/html\r\n", body)
}

/// A redirect.
pub fn redirect(to: &str) -> Vec<u8> {
    bytes("302 Found", &format!("Location: {to}\r\n"), "")
}

fn bytes(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
