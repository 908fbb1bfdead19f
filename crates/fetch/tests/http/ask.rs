//! Questions to a model's endpoint, against a server that streams, stalls, breaks off and refuses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ghostlight_fetch::{Ask, AskError, Fetcher, Limits, Setup, model_url};

use crate::support::{MadeUpNetwork, Reply, Server, redirect, reply};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const LINES: &str = "data: {\"choices\": []}\n\ndata: Köln\n\ndata: [DONE]\n\n";

/// In chunks of HTTP of this many bytes each.
fn chunked(body: &str, size: usize) -> Vec<u8> {
    let mut out = HEAD.as_bytes().to_vec();
    for piece in body.as_bytes().chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn whole(body: &str, size: usize) -> Vec<u8> {
    [chunked(body, size), b"0\r\n\r\n".to_vec()].concat()
}

async fn ask(
    fetcher: &Fetcher,
    url: &str,
    key: Option<&str>,
    timeout_ms: u64,
) -> (Result<(), AskError>, Vec<u8>) {
    let url = model_url(url).unwrap();
    let mut got = Vec::new();
    let ask = Ask {
        url: &url,
        key,
        body: "{\"model\": \"small\"}",
        timeout: Duration::from_millis(timeout_ms),
    };
    let mut piece = |bytes: &[u8]| {
        got.extend_from_slice(bytes);
        true
    };
    let done = fetcher.ask(ask, &mut piece).await;
    (done, got)
}

fn fetcher() -> Fetcher {
    Fetcher::new(Limits::default()).unwrap()
}

/// The code and the words of what a reply leads to, and how many requests there were.
async fn refused(
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> (&'static str, String, usize) {
    let server = Server::start(move |_| answer()).await;
    let (done, _) = ask(&fetcher(), &server.url("/v1"), Some("k-1"), 20_000).await;
    let error = done.unwrap_err();
    assert!(!error.hint().is_empty());
    let words = error.to_string();
    assert!(!words.contains("k-1"), "{words}");
    let named = words.replace(&server.address.to_string(), "HOST");
    (error.code(), named, server.requests().len())
}

#[tokio::test]
async fn an_answer_comes_in_whatever_pieces_it_is_sent() {
    for (chunk, piece) in [(1, 1), (3, 7), (1_000, 2), (5, 1_000)] {
        let server = Server::start(move |_| Reply::Pieces(whole(LINES, chunk), piece)).await;
        let (done, got) = ask(&fetcher(), &server.url("/v1/"), Some("k-1"), 20_000).await;
        done.unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), LINES);
        let request = &server.requests()[0];
        assert!(
            request.starts_with("post /v1/chat/completions http/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("\r\nauthorization: bearer k-1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("\r\ncontent-type: application/json\r\n"),
            "{request}"
        );
        assert_eq!(server.bodies(), ["{\"model\": \"small\"}"]);
    }
    let server = Server::start(|_| Reply::Bytes(whole(LINES, 9))).await;
    ask(&fetcher(), &server.url("/v1"), None, 20_000)
        .await
        .0
        .unwrap();
    assert!(!server.requests()[0].contains("authorization"));
}

#[tokio::test]
async fn who_has_enough_stops_it() {
    let server = Server::start(|_| Reply::Stalls(chunked(LINES, 5))).await;
    let url = model_url(&server.url("/v1")).unwrap();
    let ask = Ask {
        url: &url,
        key: None,
        body: "{}",
        timeout: Duration::from_secs(20),
    };
    fetcher().ask(ask, &mut |_| false).await.unwrap();
}

#[tokio::test]
async fn a_refusal_says_why_in_words() {
    let json = "Content-Type: application/json\r\n";
    let error = |status: &'static str| {
        move || reply(status, json, "{\"error\": {\"message\": \"it is so\"}}")
    };
    let (code, words, asked) = refused(error("401 Unauthorized")).await;
    assert_eq!((code, asked), ("model_key", 1));
    assert_eq!(words, "HOST refuses the key (401): “it is so”");
    assert_eq!(refused(error("403 Forbidden")).await.0, "model_key");
    let (code, words, _) = refused(error("404 Not Found")).await;
    assert_eq!(code, "model_unknown");
    assert_eq!(
        words,
        "HOST knows no such model or address (404): “it is so”"
    );
    let (code, words, asked) = refused(error("422 Unprocessable")).await;
    assert_eq!((code, asked), ("model_refused", 1));
    assert!(words.ends_with("“it is so”"));
    let (code, words, asked) = refused(error("429 Too Many Requests")).await;
    assert_eq!(
        (code, asked),
        ("model_busy", 1),
        "without a time to wait it is not asked again"
    );
    assert_eq!(
        words,
        "HOST takes no more questions for now (429): “it is so”"
    );
    let later = || reply("429 Too Many Requests", "Retry-After: 3600\r\n", "");
    let (_, words, asked) = refused(later).await;
    assert_eq!(
        (words.as_str(), asked),
        (
            "HOST takes no more questions for now (429), try again in 3600 s",
            1
        )
    );
    let (code, _, asked) = refused(|| reply("503 Busy", "Retry-After: 0\r\n", "<html>")).await;
    assert_eq!(
        (code, asked),
        ("model_status", 2),
        "asked once more and no oftener"
    );
    let (code, _, asked) = refused(|| redirect("http://127.0.0.1:1/")).await;
    assert_eq!((code, asked), ("model_moved", 1));
    assert_eq!(
        refused(|| Reply::Bytes(b"hello\r\n\r\n".to_vec())).await.0,
        "broken_reply"
    );
}

#[tokio::test]
async fn a_server_with_trouble_of_its_own_is_asked_once_more() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => reply("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        _ => Reply::Bytes(whole(LINES, 50)),
    })
    .await;
    let (done, got) = ask(&fetcher(), &server.url("/v1"), None, 20_000).await;
    done.unwrap();
    assert_eq!(got, LINES.as_bytes());
}

#[tokio::test]
async fn what_stalls_or_breaks_off_ends_with_the_reason() {
    let silent = Server::start(|_| Reply::Silence).await;
    let (done, _) = ask(&fetcher(), &silent.url("/v1"), None, 50).await;
    let error = done.unwrap_err();
    assert_eq!(error.code(), "model_timeout");
    assert!(
        error
            .to_string()
            .ends_with("gave no whole answer within 0.05 s"),
        "{error}"
    );

    let stalled = Server::start(|_| Reply::Stalls(chunked(LINES, 5))).await;
    let (done, got) = ask(&fetcher(), &stalled.url("/v1"), None, 2_000).await;
    let error = done.unwrap_err();
    assert!(error.to_string().contains("though it began one"), "{error}");
    assert_eq!(got, LINES.as_bytes(), "what came is handed on");

    let cut = Server::start(|_| Reply::Bytes(chunked(LINES, 5))).await;
    let (done, got) = ask(&fetcher(), &cut.url("/v1"), None, 20_000).await;
    assert_eq!(done.unwrap_err().code(), "broken_reply");
    assert!(LINES.as_bytes().starts_with(&got));
    assert_eq!(
        cut.requests().len(),
        1,
        "an answer that began is not asked for again"
    );

    let endless = "x".repeat(5 << 20);
    let long = Server::start(move |_| Reply::Bytes(whole(&endless, 1 << 16))).await;
    let (done, _) = ask(&fetcher(), &long.url("/v1"), None, 20_000).await;
    assert_eq!(done.unwrap_err().code(), "model_answer_long");

    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (done, _) = ask(&fetcher(), &format!("http://{gone}/v1"), None, 20_000).await;
    let error = done.unwrap_err();
    assert_eq!(error.code(), "refused");
    assert!(error.hint().contains("server runs"), "{}", error.hint());
}

#[tokio::test]
async fn a_private_name_is_asked_and_a_key_does_not_cross_the_internet_in_the_open() {
    let server = Server::start(|_| Reply::Bytes(whole(LINES, 50))).await;
    let names: [(&str, &[&str]); 2] = [
        ("llm.corp.example", &["10.1.2.3"]),
        ("llm.example", &["8.8.8.8"]),
    ];
    let setup = Setup {
        network: MadeUpNetwork::new(server.address, &names),
        ..Setup::default()
    };
    let fetcher = Fetcher::with_setup(Limits::default(), setup).unwrap();
    ask(&fetcher, "http://llm.corp.example/v1", Some("k-1"), 20_000)
        .await
        .0
        .unwrap();
    ask(&fetcher, "http://llm.example/v1", None, 20_000)
        .await
        .0
        .unwrap();
    let (done, _) = ask(&fetcher, "http://llm.example/v1", Some("k-1"), 20_000).await;
    assert_eq!(done.unwrap_err().code(), "model_key_open");
    assert_eq!(server.requests().len(), 2);
}
