//! Subscribing and publishing over the WebSocket.

use crate::rig::{Client, Rig, clock, events};
use ghostlight_hub::Hub;
use ghostlight_model::StreamId;
use serde_json::json;

const EPOCH: u64 = 1_700_000_000_000_000;

#[tokio::test]
async fn a_stream_is_replayed_and_then_followed() {
    let rig = Rig::start();
    rig.count("run/1", 0..3);
    let mut client = rig.client().await;
    client.subscribe(1, "run/1", None).await;
    let frames = client.until("caught_up").await;
    assert_eq!(
        frames[0],
        json!({"type": "subscribed", "id": 1, "stream": "run/1", "epoch": EPOCH, "next_offset": 3, "recovered": true})
    );
    assert_eq!(events(&frames), [(0, 0), (1, 1), (2, 2)]);
    assert_eq!(frames[1]["ts"], clock().0);
    assert_eq!(
        frames[4],
        json!({"type": "caught_up", "id": 1, "stream": "run/1", "epoch": EPOCH, "offset": 3})
    );
    rig.count("run/1", 3..5);
    assert_eq!(
        events(&[client.next().await, client.next().await]),
        [(3, 3), (4, 4)]
    );

    client.send(json!({"type": "unsubscribe", "id": 1})).await;
    assert_eq!(
        client.next().await,
        json!({"type": "unsubscribed", "id": 1})
    );
    rig.count("run/1", 5..6);
    client.send(json!({"type": "ping", "nonce": "x"})).await;
    assert_eq!(client.next().await, json!({"type": "pong", "nonce": "x"}));
}

#[tokio::test]
async fn a_place_is_resumed_and_another_epoch_is_not() {
    let rig = Rig::start();
    rig.count("run/1", 0..4);
    for (from, recovered, expected) in [
        ((EPOCH, 2), true, &[(2, 2), (3, 3)][..]),
        ((EPOCH, 4), true, &[]),
        ((EPOCH, 9), false, &[]),
        ((7, 2), false, &[(0, 0), (1, 1), (2, 2), (3, 3)]),
    ] {
        let mut client = rig.client().await;
        client.subscribe(1, "run/1", Some(from)).await;
        let frames = client.until("caught_up").await;
        assert_eq!(frames[0]["recovered"], recovered, "{from:?}");
        assert_eq!(events(&frames), expected, "{from:?}");
    }
}

#[tokio::test]
async fn a_pattern_takes_streams_now_and_later() {
    let rig = Rig::start();
    rig.count("run/a", 0..2);
    rig.count("run/b", 0..2);
    rig.count("posting/x", 0..2);
    let mut client = rig.client().await;
    let positions = json!({"run/a": {"epoch": EPOCH, "offset": 1}});
    client
        .send(json!({"type": "subscribe", "id": "all", "stream": "run/*", "positions": positions}))
        .await;
    let mut frames = client.until("caught_up").await;
    while frames.last().unwrap()["stream"] != "run/*" {
        frames.extend(client.until("caught_up").await);
    }
    let of = |stream: &str| {
        let of: Vec<_> = frames
            .iter()
            .filter(|frame| frame["stream"] == stream)
            .cloned()
            .collect();
        events(&of)
    };
    assert_eq!(of("run/a"), [(1, 1)]);
    assert_eq!(of("run/b"), [(0, 0), (1, 1)]);
    assert_eq!(of("posting/x"), []);
    rig.count("run/c", 0..1);
    let frames = client.until("caught_up").await;
    assert_eq!(frames[0]["type"], "subscribed");
    assert_eq!(
        (&frames[1]["stream"], events(&frames)),
        (&json!("run/c"), vec![(0, 0)])
    );
}

#[tokio::test]
async fn a_stream_that_is_not_there_yet_is_waited_for() {
    let rig = Rig::start();
    let mut client = rig.client().await;
    client.subscribe(1, "run/later", None).await;
    let frames = client.until("caught_up").await;
    assert_eq!(
        (&frames[0]["epoch"], &frames[0]["next_offset"]),
        (&json!(0), &json!(0))
    );
    rig.count("run/later", 0..1);
    let frames = client.until("caught_up").await;
    assert_eq!(
        (&frames[0]["epoch"], &frames[0]["recovered"]),
        (&json!(EPOCH), &json!(true))
    );
    assert_eq!(events(&frames), [(0, 0)]);
}

#[tokio::test]
async fn a_publish_is_applied_once_a_key() {
    let rig = Rig::start();
    let mut client = rig.client().await;
    let publish =
        |bodies| json!({"type": "publish", "key": "k1", "stream": "run/p", "bodies": bodies});
    client.send(publish(json!([{"n": 0}, {"n": 1}]))).await;
    let accepted = |duplicate| {
        json!({"type": "accepted", "key": "k1", "epoch": EPOCH, "first_offset": 0, "last_offset": 1,
               "duplicate": duplicate})
    };
    assert_eq!(client.next().await, accepted(false));
    // Again, from another connection, as after a cut.
    let mut other = rig.client().await;
    other.send(publish(json!([{"n": 0}, {"n": 1}]))).await;
    assert_eq!(other.next().await, accepted(true));
    other.send(publish(json!([{"n": 5}]))).await;
    let refused = other.next().await;
    assert_eq!(
        (&refused["type"], &refused["key"]),
        (&json!("refused"), &json!("k1"))
    );
    assert_eq!(
        (&refused["code"], &refused["retry"]),
        (&json!("conflict"), &json!(false))
    );
    other.subscribe(1, "run/p", None).await;
    assert_eq!(events(&other.until("caught_up").await), [(0, 0), (1, 1)]);
}

#[tokio::test]
async fn bodies_come_back_as_they_were_written() {
    let rig = Rig::start();
    let mut client = rig.client().await;
    let body = r#"{"b": 1.50,  "a":	"é\u00e9", "n":12345678901234567890}"#;
    client
        .text(&format!(
            r#"{{"type":"publish","key":"k","stream":"run/v","body":{body}}}"#
        ))
        .await;
    assert_eq!(client.next().await["type"], "accepted");
    let page =
        rig.hub
            .store()
            .stream_page(&StreamId("run/v".into()), ghostlight_model::Offset(0), 1, 1);
    assert_eq!(page.unwrap().unwrap().events[0].body, body);
}

#[tokio::test]
async fn two_readers_see_the_same_order_of_two_writers() {
    let rig = Rig::start();
    let (mut first, mut second) = (rig.client().await, rig.client().await);
    first.subscribe(1, "run/o", None).await;
    second.subscribe(1, "run/*", None).await;
    let (mut left, mut right) = (rig.client().await, rig.client().await);
    for n in 0..50 {
        for (writer, name) in [(&mut left, "l"), (&mut right, "r")] {
            let body = json!({"n": n, "by": name});
            let key = format!("{name}{n}");
            writer
                .send(json!({"type": "publish", "key": key, "stream": "run/o", "body": body}))
                .await;
        }
    }
    let mut seen = [Vec::new(), Vec::new()];
    for (reader, seen) in [&mut first, &mut second].into_iter().zip(&mut seen) {
        while seen.len() < 100 {
            let frame = reader.skip_to("event").await;
            seen.push((frame["offset"].as_u64().unwrap(), frame["body"].clone()));
        }
    }
    assert_eq!(seen[0], seen[1]);
    assert!(
        seen[0]
            .iter()
            .enumerate()
            .all(|(at, (offset, _))| *offset == at as u64)
    );
    for name in ["l", "r"] {
        let own = seen[0].iter().filter(|(_, body)| body["by"] == name);
        assert!(
            own.enumerate().all(|(n, (_, body))| body["n"] == n),
            "{name} in the order of its writer"
        );
    }
}

#[tokio::test]
async fn a_broadcast_is_read_once_for_all() {
    let rig = Rig::start();
    let mut clients = followers(&rig, 30).await;
    // What is there from the beginning is found by the first of them.
    rig.count("run/b", 0..1);
    expect(&mut clients, &[(0, 0)]).await;
    for n in 1..4 {
        let before = pages_read(&rig);
        rig.count("run/b", n..n + 1);
        expect(&mut clients, &[(n.into(), n.into())]).await;
        assert_eq!(pages_read(&rig), before + 1, "event {n}");
    }
    // Many at once, and a client from further back, who reads the log itself.
    let bodies: Vec<String> = (4..504).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let before = pages_read(&rig);
    rig.put("run/b", "many", &bodies);
    let many: Vec<(u64, u64)> = (4..504).map(|n| (n, n)).collect();
    expect(&mut clients, &many).await;
    assert_eq!(pages_read(&rig), before + 1);
    let mut late = rig.client().await;
    late.subscribe(1, "run/b", Some((EPOCH, 2))).await;
    let frames = late.until("caught_up").await;
    assert_eq!(events(&frames)[..2], [(2, 2), (3, 3)]);
    assert_eq!(events(&frames).len(), 502);
}

#[tokio::test]
async fn what_another_process_adds_is_read_by_few_and_seen_by_all() {
    let rig = Rig::start();
    let mut clients = followers(&rig, 30).await;
    rig.count("run/b", 0..1);
    expect(&mut clients, &[(0, 0)]).await;
    let before = pages_read(&rig);
    let folder = rig.hub.store().path().parent().unwrap();
    let other = Hub::open(folder).unwrap();
    let bodies = vec![r#"{"n":1}"#.to_owned()];
    let stream = StreamId("run/b".into());
    other
        .publish_keyed("other".into(), stream, bodies, clock())
        .wait()
        .unwrap();
    expect(&mut clients, &[(1, 1)]).await;
    let read = pages_read(&rig) - before;
    assert!(read < 30, "{read} reads for 30 connections");
    // And then as before.
    rig.count("run/b", 2..3);
    expect(&mut clients, &[(2, 2)]).await;
}

/// Clients that follow `run/b`, from before there is any, half of them by a pattern.
async fn followers(rig: &Rig, count: u64) -> Vec<Client> {
    let mut clients = Vec::new();
    for n in 0..count {
        let mut client = rig.client().await;
        let stream = if n % 2 == 0 { "run/b" } else { "run/*" };
        client.subscribe(n, stream, None).await;
        client.until("caught_up").await;
        clients.push(client);
    }
    clients
}

/// The next events of each client.
async fn expect(clients: &mut [Client], wanted: &[(u64, u64)]) {
    for (n, client) in clients.iter_mut().enumerate() {
        let mut frames = Vec::new();
        while events(&frames).len() < wanted.len() {
            frames.push(client.next().await);
        }
        assert_eq!(events(&frames), wanted, "client {n}");
    }
}

fn pages_read(rig: &Rig) -> u64 {
    rig.server.as_ref().unwrap().pages_read()
}

#[tokio::test]
async fn a_reader_that_stops_is_cut_and_resumes() {
    let rig = Rig::with_limits(|limits| limits.stall_ms = 300);
    let body = format!(r#"{{"n":0,"text":"{}"}}"#, "x".repeat(200_000));
    let total = 100;
    for n in 0..total {
        rig.put("run/slow", &format!("k{n}"), &[&body]);
    }
    // 20 MB, more than the buffers of the system take.
    let mut client = rig.client().await;
    client.subscribe(1, "run/slow", None).await;
    assert_eq!(client.next().await["type"], "subscribed");
    // Until it is gone on the server's side.
    let gone = async {
        while rig.get("/health/ready").await.0 == 200 && client_is_served(&rig) {
            tokio::task::yield_now().await;
        }
    };
    crate::rig::soon("the cut", gone).await;
    let mut next = 0;
    while let Ok(frame) = client.frame().await {
        assert_eq!(frame["offset"], next);
        next += 1;
    }
    assert!(next < total, "all {next} came, so nothing was cut");
    let mut client = rig.client().await;
    client.subscribe(1, "run/slow", Some((EPOCH, next))).await;
    let frames = client.until("caught_up").await;
    let offsets: Vec<u64> = events(&frames)
        .into_iter()
        .map(|(offset, _)| offset)
        .collect();
    assert_eq!(offsets, (next..total).collect::<Vec<_>>());
}

/// Whether any session is open, as the server counts.
fn client_is_served(rig: &Rig) -> bool {
    rig.server.as_ref().unwrap().sessions() > 0
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let mut rig = Rig::start();
    let mut client = rig.client().await;
    client.subscribe(1, "run/*", None).await;
    client.until("caught_up").await;
    let server = rig.server.take().unwrap();
    let stopping = std::thread::spawn(move || server.stop());
    let error = client.next().await;
    assert_eq!(
        (&error["code"], &error["fatal"]),
        (&json!("unavailable"), &json!(true))
    );
    assert_eq!(client.closed().await, Some((1011, "unavailable".into())));
    stopping.join().unwrap();
}
