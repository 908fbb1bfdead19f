//! Who may come in: tokens, origins, versions, numbers of connections, addresses.

use crate::rig::{Client, Rig, TOKEN, clock, json_of, soon};
use ghostlight_hub::{
    Hub,
    server::{Config, Server, ServerError, TlsFiles, Token},
};
use serde_json::json;
use std::sync::Arc;
use tokio_rustls::{TlsConnector, rustls};
use tokio_tungstenite::{client_async, tungstenite::Error};

#[tokio::test]
async fn a_token_comes_in_the_hello_or_in_the_header() {
    let rig = Rig::start();
    let good = format!("Bearer {TOKEN}");
    let header = ("authorization", good.as_str());

    let mut client = rig.dial(&[header]).await.unwrap();
    assert_eq!(client.protocol, None);
    client
        .send(json!({"type": "hello", "version": 1, "client": "test"}))
        .await;
    let welcome = client.next().await;
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(welcome["heartbeat_ms"], 30_000);
    assert_eq!(welcome["max_frame_bytes"], 1 << 20);
    assert!(welcome["session"].is_string() && welcome["server"].is_string());

    for hello in [
        json!({"type": "hello", "version": 1, "client": "test"}),
        json!({"type": "hello", "version": 1, "client": "test", "token": "wrong"}),
    ] {
        let mut client = rig.connect().await;
        assert_eq!(client.protocol.as_deref(), Some("ghostlight.v1"));
        client.send(hello).await;
        let error = client.next().await;
        assert_eq!(
            (&error["code"], &error["fatal"]),
            (&json!("unauthorized"), &json!(true))
        );
        assert_eq!(client.closed().await, Some((4401, "unauthorized".into())));
    }
    // A good header does not excuse a wrong token.
    let mut client = rig.dial(&[header]).await.unwrap();
    client
        .send(json!({"type": "hello", "version": 1, "client": "test", "token": "wrong"}))
        .await;
    assert_eq!(client.next().await["code"], "unauthorized");
}

#[tokio::test]
async fn the_door_answers_by_status() {
    let rig = Rig::start();
    let good = format!("Bearer {TOKEN}");
    let good = ("authorization", good.as_str());
    let own = format!("http://{}", rig.address);
    for (headers, status) in [
        (vec![("authorization", "Bearer wrong")], 401),
        (vec![("authorization", "Basic eDp5")], 401),
        (vec![good, ("origin", "https://evil.example")], 403),
        (vec![good, ("origin", "null")], 403),
        (
            vec![good, ("sec-websocket-protocol", "ghostlight.v2, chat")],
            400,
        ),
    ] {
        match rig.dial(&headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status, "{headers:?}"),
            other => panic!("{headers:?}: {:?}", other.err()),
        }
    }
    for headers in [
        vec![good, ("origin", own.as_str())],
        vec![good, ("sec-websocket-protocol", "chat, ghostlight.v1")],
    ] {
        assert!(rig.dial(&headers).await.is_ok(), "{headers:?}");
    }
    for (method, path) in [
        ("GET", "/v1/sse?stream=run/1"),
        ("GET", "/v1/poll?stream=run/1"),
        ("GET", "/v1/streams"),
        ("POST", "/v1/publish"),
        ("GET", "/health/ready"),
        ("GET", "/nowhere"),
    ] {
        let response = rig.http(method, path, &[], "").await;
        let challenge = response.headers().get("www-authenticate").cloned();
        let (status, body) = json_of(response).await;
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("unauthorized")),
            "{path}"
        );
        assert!(
            challenge.is_some_and(|value| value.to_str().unwrap().starts_with("Bearer")),
            "{path}"
        );
    }
    assert_eq!(
        json_of(rig.http("GET", "/health/live", &[], "").await)
            .await
            .0,
        200
    );
    assert_eq!(
        rig.get("/health/ready").await,
        (200, json!({"status": "ready"}))
    );
    assert_eq!(rig.get("/nowhere").await.0, 404);
    assert_eq!(rig.get("/v1").await.0, 426);
}

#[tokio::test]
async fn sites_can_be_allowed() {
    let rig = Rig::with(|config| config.origins.push("https://monitor.example".into()));
    assert!(
        rig.dial(&[("origin", "https://monitor.example")])
            .await
            .is_ok()
    );
    assert!(
        rig.dial(&[("origin", "https://monitor.example.evil.example")])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn pages_of_an_allowed_site_may_ask_and_read() {
    let site = "https://monitor.example";
    let rig = Rig::with(|config| config.origins.push(site.into()));
    let good = format!("Bearer {TOKEN}");
    // As a browser asks before: without the token.
    let asks = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "authorization,content-type",
            ),
        ]
    };
    for path in ["/v1/publish", "/v1/streams", "/v1/sse?stream=run/1"] {
        let response = rig.http("OPTIONS", path, &asks(site), "").await;
        let says = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(response.status(), 204, "{path}");
        assert_eq!(says("access-control-allow-origin"), site);
        assert_eq!(says("access-control-allow-methods"), "GET, POST");
        assert!(says("access-control-allow-headers").contains("authorization"));
        assert_eq!(says("vary"), "Origin");
    }
    let with = [("origin", site), ("authorization", good.as_str())];
    let response = rig.http("GET", "/v1/streams", &with, "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], site);
    // Also what is wrong with it, whatever that is; but nothing without the token.
    let response = rig.http("GET", "/v1/streams?prefix=%zz", &with, "").await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["access-control-allow-origin"], site);
    let response = rig
        .http("GET", "/v1/streams", &[("origin", site)], "")
        .await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["access-control-allow-origin"], site);
    let evil = "https://evil.example";
    let response = rig.http("OPTIONS", "/v1/publish", &asks(evil), "").await;
    assert_eq!(response.status(), 403);
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_waited_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rig = Rig::start();
    let mut socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
    let head = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{{",
        rig.address
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let read = soon("the answer", socket.read(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_when_to_come_again() {
    let rig = Rig::with(|config| config.connections = 2);
    let first = rig.client().await;
    let _second = rig.client().await;
    match rig.dial(&[]).await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"));
        }
        other => panic!("{:?}", other.err()),
    }
    drop(first);
    let room = async {
        while rig.dial(&[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("room", room).await;
}

#[tokio::test]
async fn a_stranger_has_to_greet() {
    let rig = Rig::with_limits(|limits| limits.hello_ms = 200);
    let mut client = rig.connect().await;
    assert_eq!(client.next().await["code"], "hello_first");
    assert_eq!(client.closed().await, Some((4408, "hello_first".into())));

    let mut client = rig.connect().await;
    client.subscribe(1, "run/1", None).await;
    assert_eq!(client.next().await["code"], "hello_first");
    assert_eq!(client.closed().await, Some((1002, "hello_first".into())));

    let mut client = rig.connect().await;
    client
        .send(json!({"type": "hello", "version": 2, "token": TOKEN}))
        .await;
    assert_eq!(client.next().await["code"], "version");
}

#[tokio::test]
async fn a_silent_client_is_asked_and_then_cut() {
    let rig = Rig::with_limits(|limits| {
        limits.heartbeat_ms = 200;
        limits.pong_ms = 200;
    });
    let mut client = rig.client().await;
    for _ in 0..3 {
        let ping = client.skip_to("ping").await;
        client
            .send(json!({"type": "pong", "nonce": ping["nonce"]}))
            .await;
    }
    assert_eq!(client.skip_to("error").await["code"], "heartbeat");
    assert_eq!(client.closed().await, Some((4408, "heartbeat".into())));
}

#[test]
fn other_machines_need_a_certificate_or_permission() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::open(folder.path()).unwrap();
    let token = Token::new(TOKEN).unwrap();
    let mut config = Config::new(([0, 0, 0, 0], 0).into(), token, clock);
    let refused = Server::start(hub.clone(), config.clone()).err();
    assert!(
        matches!(refused, Some(ServerError::Insecure(_))),
        "{refused:?}"
    );
    config.tls = Some(TlsFiles {
        cert: folder.path().join("none"),
        key: folder.path().join("none"),
    });
    let refused = Server::start(hub.clone(), config.clone()).err();
    assert!(
        matches!(refused, Some(ServerError::Tls { .. })),
        "{refused:?}"
    );
    config.tls = None;
    config.insecure_listen = true;
    let first = Server::start(hub.clone(), config.clone()).unwrap();
    config.listen = first.address();
    let refused = Server::start(hub, config).err();
    assert!(
        matches!(refused, Some(ServerError::InUse(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_certificate_makes_it_wss() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        cert: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let rig = Rig::with(|config| config.tls = Some(files));
    assert!(
        rig.server
            .as_ref()
            .unwrap()
            .url()
            .starts_with("wss://127.0.0.1:")
    );

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(rig.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = soon(
        "TLS",
        connector.connect("localhost".try_into().unwrap(), stream),
    )
    .await
    .unwrap();
    let url = format!("wss://localhost:{}/v1", rig.address.port());
    let (socket, _) = soon("the handshake", client_async(url, stream))
        .await
        .unwrap();
    let mut client = Client {
        socket,
        protocol: None,
    };
    client
        .send(json!({"type": "hello", "version": 1, "token": TOKEN}))
        .await;
    assert_eq!(client.next().await["type"], "welcome");
    // Plaintext is not answered.
    assert!(rig.dial(&[]).await.is_err());
}

/// Connects as soon as there is room: what ended before may still be leaving.
async fn room(rig: &Rig, headers: &[(&str, &str)]) -> Client {
    let dial = async {
        loop {
            match rig.dial(headers).await {
                Ok(client) => return client,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    soon("room", dial).await
}

/// A refusal by status, with the time to come again.
fn too_many(answer: Result<Client, Error>) -> u64 {
    match answer {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 429);
            let wait = response.headers().get("retry-after").unwrap();
            wait.to_str().unwrap().parse().unwrap()
        }
        other => panic!("{:?}", other.err()),
    }
}

#[tokio::test]
async fn a_principal_has_so_many_connections_and_others_have_theirs() {
    const OTHER: &str = "another-token-for-tests";
    let rig = Rig::with(|config| config.quota.connections = 2);
    rig.server
        .as_ref()
        .unwrap()
        .allow(Token::new(OTHER).unwrap());
    let (good, other) = (format!("Bearer {TOKEN}"), format!("Bearer {OTHER}"));
    let (good, other) = (
        [("authorization", good.as_str())],
        [("authorization", other.as_str())],
    );
    let first = rig.client().await;
    let _second = rig.dial(&good).await.unwrap();
    // By status where the header shows the token, in whatever way it comes.
    assert_eq!(too_many(rig.dial(&good).await), 5);
    for (method, path) in [
        ("GET", "/v1/sse?stream=run/1"),
        ("GET", "/v1/poll?stream=run/1"),
        ("GET", "/v1/streams"),
        ("POST", "/v1/publish"),
    ] {
        let response = rig.http(method, path, &good, "").await;
        assert!(response.headers().contains_key("retry-after"), "{path}");
        let (status, body) = json_of(response).await;
        assert_eq!((status, &body["code"]), (429, &json!("busy")), "{path}");
    }
    // By a frame where `hello` does.
    let mut late = rig.connect().await;
    late.send(json!({"type": "hello", "version": 1, "token": TOKEN, "client": "test"}))
        .await;
    let error = late.next().await;
    assert_eq!(
        (&error["code"], &error["fatal"]),
        (&json!("busy"), &json!(true))
    );
    assert_eq!(late.closed().await, Some((4429, "busy".into())));
    // The other principal, and those who are nobody yet, have their own.
    assert!(rig.dial(&other).await.is_ok());
    let (_one, _two) = (room(&rig, &[]).await, room(&rig, &[]).await);
    too_many(rig.dial(&[]).await);
    drop(first);
    room(&rig, &good).await;
}

#[tokio::test]
async fn a_principal_makes_so_many_requests() {
    // Ten at once, and then one a second.
    let rig = Rig::with(|config| config.quota.requests_per_s = 1);
    let mut client = rig.client().await;
    let mut sent = 0;
    let refused = loop {
        let key = format!("k{sent}");
        client
            .send(json!({"type": "publish", "key": key, "stream": "run/1", "body": {"n": sent}}))
            .await;
        sent += 1;
        let answer = client.next().await;
        if answer["type"] == "refused" {
            break answer;
        }
        assert_eq!(answer["type"], "accepted");
        assert!(sent < 1_000, "nothing bounds it");
    };
    assert_eq!(
        (&refused["code"], &refused["retry"]),
        (&json!("busy"), &json!(true))
    );
    let wait_ms = refused["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_000).contains(&wait_ms), "{refused}");
    // Anything else has no answer that says so, and ends the connection.
    let error = loop {
        client
            .send(json!({"type": "subscribe", "id": 1, "stream": "log/nothing"}))
            .await;
        let answer = client.next().await;
        match answer["type"].as_str() {
            Some("error") => break answer,
            Some("subscribed" | "caught_up") => {}
            _ => panic!("{answer}"),
        }
    };
    assert_eq!(
        (&error["code"], &error["fatal"]),
        (&json!("busy"), &json!(true))
    );
    assert!(
        error["message"].as_str().unwrap().contains("come again in"),
        "{error}"
    );
    assert_eq!(client.closed().await, Some((4429, "busy".into())));
    // Also by HTTP; what was over the limit was not done, and what was under it is there.
    let good = format!("Bearer {TOKEN}");
    let good = [("authorization", good.as_str())];
    let asking = async { while rig.http("GET", "/v1/streams", &good, "").await.status() != 429 {} };
    soon("the end of asking", asking).await;
    let stored = rig.hub.store().streams("", None, 10).unwrap();
    assert_eq!(stored[0].head.0, sent - 1);
    // Guessing tokens is bounded likewise, and whether the server lives is always told.
    let guess = [("authorization", "Bearer a-guessed-token-0001")];
    let guessing =
        async { while rig.http("GET", "/v1/streams", &guess, "").await.status() != 429 {} };
    soon("the end of guessing", guessing).await;
    let live = rig.http("GET", "/health/live", &guess, "").await;
    assert_eq!(live.status(), 200);
}

#[tokio::test]
async fn a_token_that_is_revoked_is_cut_and_a_renewed_one_goes_on() {
    const OTHER: &str = "another-token-for-tests";
    let rig = Rig::start();
    rig.count("run/1", 0..2);
    let server = rig.server.as_ref().unwrap();
    let (old, new) = (Token::new(TOKEN).unwrap(), Token::new(OTHER).unwrap());
    server.allow(new.clone());
    let (mut stays, mut goes, _greets) =
        (rig.client().await, rig.client().await, rig.connect().await);
    let from = json!({"epoch": clock().0, "offset": 0});
    stays
        .send(json!({"type": "subscribe", "id": 1, "stream": "run/1", "from": from}))
        .await;
    while stays.next().await["type"] != "caught_up" {}
    // A later `hello` renews the token; the subscription goes on.
    stays
        .send(json!({"type": "hello", "version": 1, "token": OTHER, "client": "test"}))
        .await;
    assert_eq!(stays.next().await["type"], "welcome");
    assert_eq!(
        (server.connections_of(&old), server.connections_of(&new)),
        (1, 1)
    );
    server.revoke(&old);
    let error = goes.next().await;
    assert_eq!(error["code"], "unauthorized");
    assert_eq!(goes.closed().await, Some((4401, "unauthorized".into())));
    rig.count("run/1", 2..3);
    let event = stays.next().await;
    assert_eq!(
        (&event["type"], &event["offset"]),
        (&json!("event"), &json!(2))
    );
    let good = format!("Bearer {TOKEN}");
    match rig.dial(&[("authorization", good.as_str())]).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 401),
        other => panic!("{:?}", other.err()),
    }
}
