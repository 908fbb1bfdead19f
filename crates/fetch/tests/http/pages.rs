//! Pages, limits, bad replies, time.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{MadeUpNetwork, Reply, Server, redirect, reply};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use ghostlight_fetch::{FetchError, Fetched, Fetcher, Limits, Setup, Stage};
use tokio::net::TcpListener;

/// Small enough to be sent quickly, large enough not to fit one read.
const CAP: usize = 300_000;

fn fetcher() -> Fetcher {
    Fetcher::new(Limits {
        body_bytes_max: CAP,
        ..Limits::default()
    })
    .unwrap()
}

fn impatient() -> Fetcher {
    let limits = Limits {
        timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    Fetcher::new(limits).unwrap()
}

/// One request to a server that always answers so.
async fn get(answer: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Fetched, FetchError> {
    let server = Server::start(move |_| answer()).await;
    fetcher().get(&server.url("/job")).await
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_page_arrives_with_its_facts() {
    let server = Server::start(|_| {
        reply(
            "200 OK",
            "Content-Type: text/HTML; charset=ISO-8859-1\r\n",
            b"caf\xe9",
        )
    })
    .await;
    let page = fetcher().get(&server.url("/job?x=1#part")).await.unwrap();
    assert_eq!(page.requested.as_str(), server.url("/job?x=1#part"));
    assert_eq!(page.final_url, page.requested);
    assert_eq!((page.status, page.redirects.len()), (200, 0));
    assert_eq!(page.content_type.as_deref(), Some("text/html"));
    assert_eq!(page.charset.as_deref(), Some("iso-8859-1"));
    assert_eq!(page.bytes, b"caf\xe9");
    assert!(page.elapsed > Duration::ZERO);
    let requests = server.requests();
    assert!(
        requests[0].starts_with("get /job?x=1 http/1.1\r\n"),
        "{requests:?}"
    );
    assert!(
        requests[0].contains("\r\nuser-agent: ghostlight/"),
        "{requests:?}"
    );
    assert!(
        !requests[0].contains("cookie:") && !requests[0].contains("referer:"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_page_may_say_nothing_about_itself() {
    let page = get(|| Reply::Bytes(b"HTTP/1.0 200 OK\r\n\r\n<p>old".to_vec()))
        .await
        .unwrap();
    assert_eq!((page.content_type, page.charset), (None, None));
    assert_eq!(page.bytes, b"<p>old");
    assert_eq!(
        get(|| reply("204 No Content", "", "")).await.unwrap().bytes,
        b""
    );
}

#[tokio::test]
async fn compressed_pages_are_unpacked() {
    let brotli = b"\x0b\x02\x80hello\x03".to_vec();
    let identity = ("identity", b"hello".to_vec());
    for (encoding, body) in [
        identity,
        ("gzip", gzip(b"hello")),
        ("deflate", zlib(b"hello")),
        ("br", brotli),
    ] {
        let page = get(move || {
            reply(
                "200 OK",
                &format!("Content-Encoding: {encoding}\r\n"),
                &body,
            )
        })
        .await;
        assert_eq!(page.unwrap().bytes, b"hello", "{encoding}");
    }
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    for (status, headers, code, wait_s, permanent) in [
        ("404 Not Found", "", "not_found", None, true),
        ("410 Gone", "", "gone", None, true),
        ("401 Unauthorized", "", "needs_login", None, true),
        (
            "407 Proxy Authentication Required",
            "",
            "needs_login",
            None,
            true,
        ),
        ("403 Forbidden", "", "forbidden", None, true),
        ("451 Unavailable", "", "legally_withheld", None, true),
        (
            "429 Too Many Requests",
            "Retry-After: 120\r\n",
            "rate_limited",
            Some(120),
            false,
        ),
        ("429 Too Many Requests", "", "rate_limited", None, false),
        ("500 Internal Server Error", "", "server_error", None, false),
        (
            "503 Service Unavailable",
            "Retry-After: 7\r\n",
            "server_error",
            Some(7),
            false,
        ),
        ("418 Teapot", "", "http_status", None, true),
        ("408 Request Timeout", "", "http_status", None, false),
        (
            "300 Multiple Choices",
            "Location: /x\r\n",
            "http_status",
            None,
            true,
        ),
        ("304 Not Modified", "", "http_status", None, true),
    ] {
        let error = get(move || reply(status, headers, "body"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{status}");
        assert_eq!(
            error.retry_after(),
            wait_s.map(Duration::from_secs),
            "{status}"
        );
        assert_eq!(error.is_permanent(), permanent, "{status}");
        assert!(error.to_string().contains(&status[..3]), "{error}");
        assert!(error.to_string().contains("http://127.0.0.1:"), "{error}");
        assert!(error.hint().ends_with('.'), "{status}");
    }
}

#[tokio::test]
async fn gone_names_the_page_behind_the_redirects() {
    let server = Server::start(|path| match path {
        "/job" => redirect("/closed"),
        _ => reply("410 Gone", "", ""),
    })
    .await;
    let error = fetcher().get(&server.url("/job")).await.unwrap_err();
    let FetchError::Gone { status: 410, url } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(url.as_str(), server.url("/closed"));
}

/// `/N` redirects to `/N-1`, and `/0` is the page.
async fn stairs() -> Server {
    Server::start(
        |path| match path.trim_start_matches('/').parse::<u32>().unwrap() {
            0 => reply("200 OK", "", "ground"),
            step => redirect(&format!("/{}", step - 1)),
        },
    )
    .await
}

#[tokio::test]
async fn five_redirects_are_followed() {
    let server = stairs().await;
    let page = fetcher().get(&server.url("/5")).await.unwrap();
    assert_eq!(page.bytes, b"ground");
    assert_eq!(page.final_url.as_str(), server.url("/0"));
    let redirects: Vec<_> = page.redirects.iter().map(|url| url.path()).collect();
    assert_eq!(redirects, ["/4", "/3", "/2", "/1", "/0"]);
}

#[tokio::test]
async fn the_sixth_redirect_is_not() {
    let server = stairs().await;
    let error = fetcher().get(&server.url("/6")).await.unwrap_err();
    assert_eq!(error.code(), "too_many_redirects");
    for path in ["/6 → ", "/5 → ", "/1 → ", "/0"] {
        assert!(error.to_string().contains(path), "{error}");
    }
    assert_eq!(
        server.requests().len(),
        6,
        "the last target is named, not asked for"
    );
}

#[tokio::test]
async fn every_kind_of_redirect_is_followed() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let server = Server::start(move |path| match path {
            "/a" => reply(status, "Location: /b\r\n", "not the page"),
            _ => reply("200 OK", "", "the page"),
        })
        .await;
        assert_eq!(
            fetcher().get(&server.url("/a")).await.unwrap().bytes,
            b"the page",
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_circle_is_found_at_once() {
    let server = Server::start(|path| redirect(if path == "/a" { "/b" } else { "/a" })).await;
    let error = fetcher().get(&server.url("/a")).await.unwrap_err();
    assert_eq!(error.code(), "redirect_loop");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_out_of_the_web_is_refused() {
    for location in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
    ] {
        let error = get(move || redirect(location)).await.unwrap_err();
        assert_eq!(error.code(), "bad_redirect", "{location}");
        assert!(error.to_string().contains(location), "{error}");
    }
    assert_eq!(
        get(|| reply("302 Found", "", "")).await.unwrap_err().code(),
        "bad_redirect"
    );
}

#[tokio::test]
async fn the_cap_is_exact_with_and_without_a_length() {
    let counted = |size: usize| move || reply("200 OK", "", vec![b'x'; size]);
    let uncounted = |size: usize| {
        move || Reply::Bytes([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; size]].concat())
    };
    let chunked = |size: usize| {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n")
            .into_bytes();
        move || Reply::Bytes([head.clone(), vec![b'x'; size], b"\r\n0\r\n\r\n".to_vec()].concat())
    };
    for page in [
        get(counted(CAP)).await,
        get(uncounted(CAP)).await,
        get(chunked(CAP)).await,
    ] {
        assert_eq!(page.unwrap().bytes.len(), CAP);
    }
    for page in [
        get(counted(CAP + 1)).await,
        get(uncounted(CAP + 1)).await,
        get(chunked(CAP + 1)).await,
    ] {
        let error = page.unwrap_err();
        assert!(
            matches!(error, FetchError::TooLarge { limit: CAP, .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_cap_of_the_specification_is_the_default() {
    let cap = 8 * 1024 * 1024;
    let server = Server::start(move |path| {
        let size = if path == "/fits" { cap } else { cap + 1 };
        Reply::Bytes([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; size]].concat())
    })
    .await;
    let fetcher = Fetcher::new(Limits::default()).unwrap();
    assert_eq!(
        fetcher.get(&server.url("/fits")).await.unwrap().bytes.len(),
        cap
    );
    let error = fetcher.get(&server.url("/one-more")).await.unwrap_err();
    assert_eq!(error.code(), "too_large");
    assert!(error.to_string().contains("8 MiB"), "{error}");
}

#[tokio::test]
async fn a_declared_length_above_the_cap_is_refused_unread() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", CAP + 1);
    // The body never comes, so only the header can have told.
    let server =
        Server::start(move |_| Reply::Drip(head.clone().into_bytes(), Duration::from_secs(3600)))
            .await;
    assert_eq!(
        fetcher().get(&server.url("/")).await.unwrap_err().code(),
        "too_large"
    );
}

#[tokio::test]
async fn a_zip_bomb_stops_at_the_cap() {
    let bomb = gzip(&vec![0; 200 * CAP]);
    assert!(bomb.len() < CAP / 2, "a bomb is small: {}", bomb.len());
    let error = get(move || reply("200 OK", "Content-Encoding: gzip\r\n", &bomb))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "too_large");
}

#[tokio::test]
async fn broken_replies_are_errors() {
    let many: String = (0..10_000).map(|at| format!("X-{at}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(1 << 20));
    for (name, bytes) in [
        (
            "breaks off",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_vec(),
        ),
        (
            "breaks off in a chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort".to_vec(),
        ),
        (
            "no gzip",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nplain".to_vec(),
        ),
        (
            "an unknown packing",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\n\r\nplain".to_vec(),
        ),
        (
            "two layers",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\nplain".to_vec(),
        ),
        ("no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ("nothing", Vec::new()),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_vec(),
        ),
        (
            "many headers",
            format!("HTTP/1.1 200 OK\r\n{many}\r\n").into_bytes(),
        ),
        (
            "a long header",
            format!("HTTP/1.1 200 OK\r\n{long}\r\n").into_bytes(),
        ),
    ] {
        let error = get(move || Reply::Bytes(bytes.clone())).await.unwrap_err();
        assert_eq!(error.code(), "broken_reply", "{name}: {error}");
        assert!(!error.is_permanent(), "{name}");
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = fetcher()
        .get(&format!("http://{address}/"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "refused", "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let server = Server::start(|_| Reply::Silence).await;
    let started = Instant::now();
    let error = impatient().get(&server.url("/")).await.unwrap_err();
    assert!(
        matches!(
            error,
            FetchError::Timeout {
                stage: Stage::Reply,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("within 0.2 s"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_drip_does_not_outlive_the_whole_limit() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let server = Server::start(move |_| Reply::Drip(head.clone(), Duration::from_millis(10))).await;
    let error = impatient().get(&server.url("/")).await.unwrap_err();
    assert!(
        matches!(
            error,
            FetchError::Timeout {
                stage: Stage::Body,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_silent_name_server_and_a_silent_handshake_end_early() {
    let server = Server::start(|_| Reply::Silence).await;
    let network = MadeUpNetwork::new(server.address, &[("jobs.example.test", &["8.8.8.8"])]);
    let limits = Limits {
        connect_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let fetcher = Fetcher::with_setup(
        limits,
        Setup {
            network,
            ..Setup::default()
        },
    )
    .unwrap();
    for (url, expected) in [
        ("https://never.example.test/", Stage::Lookup),
        ("https://jobs.example.test/", Stage::Connect),
    ] {
        let error = fetcher.get(url).await.unwrap_err();
        let FetchError::Timeout { stage, after, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (stage, after),
            (expected, Duration::from_millis(100)),
            "{url}"
        );
    }
}
