//! What is wrong is said, and nothing of it ends more than its own connection.

use crate::rig::{Rig, TOKEN, events, soon};
use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn bad_frames_are_answered_and_survived() {
    let rig = Rig::with_limits(|limits| limits.max_frame_bytes = 2_000);
    let mut client = rig.client().await;
    let long = format!(r#"{{"type":"ping","nonce":"{}"}}"#, "n".repeat(2_000));
    for (text, code) in [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "malformed"),
        (r#"["ping", 1]"#, "malformed"),
        (r#"{"type":7}"#, "malformed"),
        (r#"{"type":"subscribe","id":1}"#, "malformed"),
        (r#"{"type":"presence","id":1}"#, "unknown_type"),
        (
            r#"{"type":"subscribe","id":1,"stream":"nothing"}"#,
            "bad_stream",
        ),
        (r#"{"type":"unsubscribe","id":99}"#, "not_subscribed"),
        (long.as_str(), "too_large"),
    ] {
        client.text(text).await;
        let error = client.next().await;
        assert_eq!(
            (&error["type"], &error["code"], &error["fatal"]),
            (&json!("error"), &json!(code), &json!(false)),
            "{text}"
        );
    }
    client
        .socket
        .send(Message::binary(vec![1, 2, 3]))
        .await
        .unwrap();
    let error = client.next().await;
    assert_eq!(
        (&error["code"], &error["fatal"]),
        (&json!("malformed"), &json!(false))
    );
    assert!(
        error["message"].as_str().unwrap().contains("binary"),
        "{error}"
    );
    client
        .send(json!({"type": "ping", "nonce": 1, "surplus": true}))
        .await;
    assert_eq!(client.next().await, json!({"type": "pong", "nonce": 1}));
}

#[tokio::test]
async fn a_message_far_over_the_limit_ends_its_connection_only() {
    let rig = Rig::with_limits(|limits| limits.max_frame_bytes = 2_000);
    let mut other = rig.client().await;
    let mut client = rig.client().await;
    client.text(&"x".repeat(1_000_000)).await;
    let error = client.next().await;
    assert_eq!(
        (&error["code"], &error["fatal"]),
        (&json!("too_large"), &json!(true))
    );
    assert_eq!(client.closed().await, Some((1009, "too_large".into())));
    other.send(json!({"type": "ping", "nonce": 1})).await;
    assert_eq!(other.next().await["type"], "pong");
}

#[tokio::test]
async fn publishes_that_break_a_rule_are_refused() {
    let rig = Rig::with_limits(|limits| {
        limits.max_body_bytes = 10;
        limits.max_bodies = 2;
    });
    let mut client = rig.client().await;
    let long = "k".repeat(129);
    for (key, stream, bodies, code) in [
        ("", "run/1", json!([1]), "bad_key"),
        (long.as_str(), "run/1", json!([1]), "bad_key"),
        ("k", "run/*", json!([1]), "bad_stream"),
        ("k", "Run/1", json!([1]), "bad_stream"),
        ("k", "run/1", json!([1, 2, 3]), "limit"),
        ("k", "run/1", json!(["0123456789"]), "too_large"),
    ] {
        client
            .send(json!({"type": "publish", "key": key, "stream": stream, "bodies": bodies}))
            .await;
        let refused = client.next().await;
        assert_eq!(
            (&refused["type"], &refused["code"]),
            (&json!("refused"), &json!(code)),
            "{key} {stream}"
        );
        assert_eq!(
            (&refused["key"], &refused["retry"]),
            (&json!(key), &json!(false))
        );
    }
}

#[tokio::test]
async fn a_run_of_the_hub_itself_takes_no_publish() {
    let rig = Rig::start();
    let run = ghostlight_model::RunId("own".into());
    let event = ghostlight_model::EventBody {
        ts: ghostlight_model::Micros(1),
        run_id: run.clone(),
        node: "FETCH".into(),
        phase: ghostlight_model::Phase::Start,
        duration_ms: None,
        metrics: Default::default(),
        issues: vec![],
        fact: None,
    };
    rig.hub
        .publish(run.stream(), vec![event.clone()])
        .wait()
        .unwrap();
    let mut client = rig.client().await;
    client
        .send(json!({"type": "publish", "key": "k", "stream": "run/own", "body": 1}))
        .await;
    assert_eq!(client.next().await["code"], "conflict");
    // But everybody may follow it.
    client.subscribe(1, "run/*", None).await;
    client.until("event").await;
    client.skip_to("caught_up").await;
    rig.hub.publish(run.stream(), vec![event]).wait().unwrap();
    assert_eq!(client.skip_to("event").await["offset"], 1);
}

#[tokio::test]
async fn garbage_on_the_socket_harms_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rig = Rig::start();
    for garbage in [
        &b"\0\x01\x02"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        &[b'a'; 40_000],
    ] {
        let mut socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
        // It may be closed before all was written.
        let _ = socket.write_all(garbage).await;
        let _ = socket.shutdown().await;
        let mut answer = Vec::new();
        let _ = soon("the end", socket.read_to_end(&mut answer)).await;
        assert!(!String::from_utf8_lossy(&answer).contains("200"));
    }
    // Frames without a mask, and with reserved bits, break the WebSocket's own rules (RFC 6455).
    for (bytes, close) in [
        (&[0x81, 0x01, b'x'][..], 1002),
        (&[0xf1, 0x80, 0, 0, 0, 0], 1002),
        (&[0x83, 0x80, 0, 0, 0, 0], 1002),
        // Text that is not UTF-8.
        (&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007),
    ] {
        let mut client = rig.client().await;
        client.socket.get_mut().write_all(bytes).await.unwrap();
        let error = client.next().await;
        assert_eq!(
            (&error["code"], &error["fatal"]),
            (&json!("malformed"), &json!(true)),
            "{bytes:?}"
        );
        let closed = client.closed().await;
        assert_eq!(closed, Some((close, "malformed".into())), "{bytes:?}");
    }
    rig.count("run/1", 0..1);
    let mut client = rig.client().await;
    client.subscribe(1, "run/1", None).await;
    assert_eq!(events(&client.until("caught_up").await), [(0, 0)]);
    assert!(!format!("{:?}", rig.server.as_ref().map(|server| server.url())).contains(TOKEN));
}
