//! [`Fetcher`]: one GET with redirects, limits and address rules.
//!
//! Each hop gets an HTTP client of its own that can reach the checked addresses only and keeps
//! no connection afterwards: no later request can ride on a connection that another one opened.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;
use url::{Host, Url};

use crate::address::{AddressClass, is_localhost, may_be_private_when_typed};
use crate::error::{FetchError, Stage};
use crate::header::{content_type, left_packed, retry_after};
use crate::input::classify;
use crate::network::{Network, Pinned, SystemNetwork};
use crate::redirect::{is_redirect, next_url};
use crate::tls::Tls;

/// Addresses of one host that are dialled, in their order; all are checked, the rest is left.
const ADDRESSES_DIALLED_MAX: usize = 16;
/// Headers in one HTTP/1 reply; more is [`FetchError::BrokenReply`]. Twice hyper's own bound of
/// 100, which some pages behind several proxies come near to. hyper bounds the bytes (400 kB).
const HEADERS_MAX: usize = 200;
/// Bytes of one HTTP/2 header list, after which the stream is refused. Browsers take 256 kB; a
/// page's security policy alone can be above hyper's 16 kB.
const HEADER_LIST_BYTES_MAX: u32 = 64 << 10;
/// What we can read, best first.
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("text/html, application/xhtml+xml, application/json;q=0.9, */*;q=0.5");

/// The bounds of a fetch. At each one the fetch ends with an error that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the call to the last byte, redirects and name look-ups included. Default 20 s: a
    /// person is watching.
    pub timeout: Duration,
    /// For one name look-up, and again for one connection with its TLS handshake. Default 5 s.
    pub connect_timeout: Duration,
    /// The most that is read of a body, after decompression. Default 8 MiB (SPEC A1).
    pub body_bytes_max: usize,
    /// Redirects followed. Default 5 (SPEC A1).
    pub redirects_max: usize,
    /// What we call ourselves. Default `Ghostlight/VERSION`.
    pub user_agent: String,
    /// Whether typed private addresses are fetched. Default [`PrivateAddresses::WhenTyped`].
    pub private_addresses: PrivateAddresses,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            body_bytes_max: 8 << 20,
            redirects_max: 5,
            user_agent: concat!("Ghostlight/", env!("CARGO_PKG_VERSION")).to_owned(),
            private_addresses: PrivateAddresses::WhenTyped,
        }
    }
}

/// Whether an address off the public internet may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// Only on the very host that was typed, and only if that is an IP address or a name that
    /// [means an inner network](crate::is_intranet_name). For a person at their own machine.
    WhenTyped,
    /// Never. For a server that fetches on behalf of others.
    Never,
}

/// What a fetcher stands on, for the shell and for tests to exchange.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Root certificates (X.509, DER) trusted besides the platform's.
    pub extra_roots_der: Vec<Vec<u8>>,
    /// Names to addresses.
    pub network: Arc<dyn Network>,
}

impl Default for Setup {
    /// The platform's certificates and the real network.
    fn default() -> Self {
        Self {
            extra_roots_der: Vec::new(),
            network: Arc::new(SystemNetwork),
        }
    }
}

/// A page as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The URL that was asked for.
    pub requested: Url,
    /// The URL that gave the page.
    pub final_url: Url,
    /// The redirects followed, in order, `final_url` last; empty where there were none.
    pub redirects: Vec<Url>,
    /// 200 to 299.
    pub status: u16,
    /// The media type the header names, in lower case without parameters, for example `text/html`.
    pub content_type: Option<String>,
    /// The charset the header names, in lower case; a label as sent, known or not.
    pub charset: Option<String>,
    /// The body after decompression, not decoded; at most [`Limits::body_bytes_max`].
    pub bytes: Vec<u8>,
    /// From the call to the last byte.
    pub elapsed: Duration,
}

/// Fetches pages. Cheap to clone; clones share the certificates once they are read.
#[derive(Clone, Debug)]
pub struct Fetcher {
    limits: Limits,
    network: Arc<dyn Network>,
    tls: Arc<Tls>,
}

impl Fetcher {
    /// A fetcher for the real network that trusts the platform's certificates.
    ///
    /// # Errors
    /// [`FetchError::Setup`] when the limits can't be used (a user agent with line breaks).
    pub fn new(limits: Limits) -> Result<Self, FetchError> {
        Self::with_setup(limits, Setup::default())
    }

    /// A fetcher with certificates or a network of the caller's.
    ///
    /// # Errors
    /// [`FetchError::Setup`] when the limits can't be used or a root is no certificate.
    pub fn with_setup(limits: Limits, setup: Setup) -> Result<Self, FetchError> {
        HeaderValue::from_str(&limits.user_agent).map_err(|error| FetchError::Setup {
            source: error.into(),
        })?;
        let tls =
            Tls::new(&setup.extra_roots_der).map_err(|source| FetchError::Setup { source })?;
        Ok(Self {
            limits,
            network: setup.network,
            tls: Arc::new(tls),
        })
    }

    /// Fetches `url`, which a person typed or chose: the address rules give its host more
    /// freedom than the host of a redirect (see [`PrivateAddresses`]). For addresses that come
    /// out of a page or a feed, use a fetcher with [`PrivateAddresses::Never`].
    ///
    /// # Errors
    /// A [`FetchError`] for what [`classify`] refuses, for a host that may not be asked, for a
    /// reply that is no success, and at each of the [`Limits`].
    pub async fn get(&self, url: &str) -> Result<Fetched, FetchError> {
        let started = Instant::now();
        let mut trail = Trail::new(classify(url)?);
        let page = match timeout(self.limits.timeout, self.follow(&mut trail)).await {
            Ok(page) => page?,
            Err(_) => return Err(trail.timed_out(self.limits.timeout)),
        };
        let [requested, redirects @ ..] = trail.chain.as_slice() else {
            return Err(no_request());
        };
        Ok(Fetched {
            requested: requested.clone(),
            final_url: trail.current()?.clone(),
            redirects: redirects.to_vec(),
            status: page.status,
            content_type: page.content_type,
            charset: page.charset,
            bytes: page.bytes,
            elapsed: started.elapsed(),
        })
    }

    async fn follow(&self, trail: &mut Trail) -> Result<Page, FetchError> {
        loop {
            let response = self.request(trail).await?;
            let (status, headers) = (response.status(), response.headers());
            if is_redirect(status) {
                let to = next_url(&trail.chain, headers, self.limits.redirects_max)?;
                trail.chain.push(to);
                continue;
            }
            if !status.is_success() {
                return Err(refusal(status, headers, trail.current()?));
            }
            trail.stage = Stage::Body;
            return self.read(response, trail.current()?).await;
        }
    }

    /// One request to the last URL of the trail, up to the headers of the reply.
    async fn request(&self, trail: &mut Trail) -> Result<Response, FetchError> {
        let addresses = self.addresses(trail).await?;
        let url = trail.current()?.clone();
        let client = self.client(&url, &addresses).await?;
        trail.stage = Stage::Reply;
        let reply = client
            .get(url.clone())
            .header(ACCEPT, ACCEPTED)
            .send()
            .await;
        reply.map_err(|error| self.failure(error, &url))
    }

    /// The checked addresses of the hop's host. A host is looked up once per fetch, so a name
    /// can't change its answer between two hops either.
    async fn addresses(&self, trail: &mut Trail) -> Result<Vec<IpAddr>, FetchError> {
        let host = trail.current()?.host().map(|host| host.to_owned());
        trail.stage = Stage::Lookup;
        let addresses = match &host {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(*address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(*address)],
            Some(Host::Domain(name)) if is_localhost(name) => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Some(Host::Domain(name)) => match trail.known.get(name) {
                Some(known) => known.clone(),
                None => {
                    let found = self.lookup(name, trail.current()?).await?;
                    trail.known.insert(name.clone(), found.clone());
                    found
                }
            },
            None => return Err(no_request()),
        };
        self.check(&addresses, trail)?;
        Ok(addresses)
    }

    pub(crate) async fn lookup(&self, name: &str, url: &Url) -> Result<Vec<IpAddr>, FetchError> {
        let none = |source| FetchError::Dns {
            host: name.to_owned(),
            source,
        };
        let after = self.limits.connect_timeout;
        match timeout(after, self.network.lookup(name)).await {
            Err(_) => Err(FetchError::Timeout {
                url: Box::new(url.clone()),
                after,
                stage: Stage::Lookup,
            }),
            Ok(Err(error)) => Err(none(Some(error.into()))),
            Ok(Ok(addresses)) if addresses.is_empty() => Err(none(None)),
            Ok(Ok(addresses)) => Ok(addresses),
        }
    }

    /// The address rules. Every address of a name must pass, since chance decides which of them
    /// answers. An address off the public internet passes only on the very host that was typed.
    fn check(&self, addresses: &[IpAddr], trail: &Trail) -> Result<(), FetchError> {
        let url = trail.current()?;
        let typed = trail.typed()?;
        let allowed = self.limits.private_addresses == PrivateAddresses::WhenTyped
            && url.host() == typed.host()
            && may_be_private_when_typed(url);
        for &address in addresses {
            let class = AddressClass::of(address);
            let host = url.host_str().unwrap_or_default().to_owned();
            if !class.is_host() {
                return Err(FetchError::UnusableAddress {
                    host,
                    address,
                    class,
                });
            }
            if !class.is_public() && !allowed {
                let redirected_from = trail.previous().cloned().map(Box::new);
                return Err(FetchError::PrivateAddress {
                    host,
                    address,
                    class,
                    redirected_from,
                });
            }
        }
        Ok(())
    }

    /// A client that can reach `addresses` and nothing else, follows nothing and keeps nothing.
    pub(crate) async fn client(
        &self,
        url: &Url,
        addresses: &[IpAddr],
    ) -> Result<Client, FetchError> {
        let mut tls = match url.scheme() {
            "https" => {
                let trusting = self.tls.trusting().await;
                trusting.map_err(|source| FetchError::Tls {
                    url: Box::new(url.clone()),
                    source,
                })?
            }
            _ => self.tls.plain(),
        };
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let port = url.port_or_known_default().unwrap_or(0);
        let dialled = addresses.iter().take(ADDRESSES_DIALLED_MAX);
        let dialled: Vec<SocketAddr> = dialled
            .map(|&address| self.network.route(SocketAddr::new(address, port)))
            .collect();
        Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Pinned(dialled))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(&self.limits.user_agent)
            .connect_timeout(self.limits.connect_timeout)
            .pool_max_idle_per_host(0)
            .http1_max_headers(HEADERS_MAX)
            .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
            .build()
            .map_err(|error| FetchError::Setup {
                source: error.into(),
            })
    }

    /// Reads the body up to the cap. The bytes counted are those after decompression, piece by
    /// piece, so a small reply that unpacks without end stops there too.
    async fn read(&self, mut response: Response, url: &Url) -> Result<Page, FetchError> {
        let limit = self.limits.body_bytes_max;
        let too_large = || FetchError::TooLarge {
            limit,
            url: Box::new(url.clone()),
        };
        if response
            .content_length()
            .is_some_and(|length| length > limit as u64)
        {
            return Err(too_large());
        }
        if let Some(packing) = left_packed(response.headers()) {
            let source = format!("it is packed as “{packing}”, which was not offered").into();
            return Err(FetchError::BrokenReply {
                url: Box::new(url.clone()),
                source,
            });
        }
        let (content_type, charset) = content_type(response.headers());
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.failure(error, url))?
        {
            if piece.len() > limit - bytes.len() {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Page {
            status,
            content_type,
            charset,
            bytes,
        })
    }

    /// What the HTTP client's error means.
    pub(crate) fn failure(&self, error: reqwest::Error, url: &Url) -> FetchError {
        let url = Box::new(url.clone());
        let (connecting, timed_out) = (error.is_connect(), error.is_timeout());
        let tls = cause::<rustls::Error>(&error).cloned();
        let io_kind = cause::<io::Error>(&error).map(io::Error::kind);
        // The innermost cause says it best; the outer ones repeat the URL.
        let source = innermost(error);
        match io_kind {
            // The whole fetch has its own clock, so the client's can only be the connection's.
            _ if timed_out => FetchError::Timeout {
                url,
                after: self.limits.connect_timeout,
                stage: Stage::Connect,
            },
            _ if tls.is_some() => FetchError::Tls {
                url,
                source: tls.map_or(source, Into::into),
            },
            Some(io::ErrorKind::ConnectionRefused) if connecting => {
                FetchError::Refused { url, source }
            }
            _ if connecting => FetchError::Unreachable { url, source },
            _ => FetchError::BrokenReply { url, source },
        }
    }
}

/// What a fetch has seen so far; it outlives the time limit, so that the error can say more.
#[derive(Debug)]
struct Trail {
    /// The typed URL, then each redirect; never empty.
    chain: Vec<Url>,
    /// The addresses of each name looked up; at most one name a hop.
    known: HashMap<String, Vec<IpAddr>>,
    stage: Stage,
}

impl Trail {
    fn new(typed: Url) -> Self {
        Self {
            chain: vec![typed],
            known: HashMap::new(),
            stage: Stage::Lookup,
        }
    }

    fn typed(&self) -> Result<&Url, FetchError> {
        self.chain.first().ok_or_else(no_request)
    }

    fn current(&self) -> Result<&Url, FetchError> {
        self.chain.last().ok_or_else(no_request)
    }

    /// The page that redirected to the current URL.
    fn previous(&self) -> Option<&Url> {
        self.chain.iter().rev().nth(1)
    }

    fn timed_out(self, after: Duration) -> FetchError {
        let stage = self.stage;
        match self.current() {
            Ok(url) => FetchError::Timeout {
                url: Box::new(url.clone()),
                after,
                stage,
            },
            Err(error) => error,
        }
    }
}

/// The part of [`Fetched`] that the last hop gives.
struct Page {
    status: u16,
    content_type: Option<String>,
    charset: Option<String>,
    bytes: Vec<u8>,
}

/// What a status that is neither success nor redirect means.
fn refusal(status: StatusCode, headers: &HeaderMap, url: &Url) -> FetchError {
    let url = Box::new(url.clone());
    match status.as_u16() {
        status @ (404 | 410) => FetchError::Gone { status, url },
        status @ (401 | 407) => FetchError::NeedsLogin { status, url },
        403 => FetchError::Forbidden { url },
        429 => FetchError::RateLimited {
            url,
            retry_after: retry_after(headers),
        },
        451 => FetchError::LegallyWithheld { url },
        status @ 500..=599 => FetchError::ServerError {
            status,
            url,
            retry_after: retry_after(headers),
        },
        status => FetchError::Status { status, url },
    }
}

/// The first error of type `E` among the causes. An [`io::Error`] that wraps another error
/// leaves it out of its chain of sources, so it is opened by hand.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = inner(error);
    }
    None
}

fn innermost(error: reqwest::Error) -> Box<dyn Error + Send + Sync> {
    let error = error.without_url();
    let mut last: &(dyn Error + 'static) = &error;
    while let Some(deeper) = inner(last) {
        last = deeper;
    }
    last.to_string().into()
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// Our own mistake: a trail without a URL. Said instead of a panic.
pub(crate) fn no_request() -> FetchError {
    FetchError::Setup {
        source: "a fetch without an address".into(),
    }
}
