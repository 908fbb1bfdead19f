//! SSE, long poll, publishing by POST, the list of streams.

use crate::rig::{Rig, TOKEN, soon};
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use serde_json::{Value, json};

const EPOCH: u64 = 1_700_000_000_000_000;

/// One event of an SSE stream.
#[derive(Debug)]
struct SseEvent {
    id: Option<String>,
    event: String,
    data: Value,
}

struct Sse {
    body: Incoming,
    text: String,
}

impl Sse {
    async fn open(rig: &Rig, query: &str, last: Option<&str>) -> Self {
        let token = format!("Bearer {TOKEN}");
        let mut headers = vec![("authorization", token.as_str())];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let path = format!("/v1/sse?{query}");
        Self::of(rig.http("GET", &path, &headers, "").await)
    }

    /// Subscribes by the frames of a WebSocket.
    async fn post(rig: &Rig, frames: &str) -> Self {
        Self::of(posted(rig, frames).await)
    }

    fn of(response: Response<Incoming>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next event; `None` at the stream's end.
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let lines = |name: &'static str| {
                    let lines = block
                        .lines()
                        .filter_map(move |line| line.strip_prefix(name));
                    lines.map(str::to_owned).collect::<Vec<_>>()
                };
                if let Some(event) = lines("event: ").pop() {
                    let data = serde_json::from_str(&lines("data: ").join("\n")).unwrap();
                    return Some(SseEvent {
                        id: lines("id: ").pop(),
                        event,
                        data,
                    });
                }
                continue;
            }
            let frame = soon("a piece of the body", self.body.frame()).await?.ok()?;
            self.text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
    }

    async fn until(&mut self, event: &str) -> Vec<SseEvent> {
        let mut events = Vec::new();
        loop {
            events.push(self.next().await.unwrap());
            if events.last().unwrap().event == event {
                return events;
            }
        }
    }
}

#[tokio::test]
async fn sse_replays_follows_and_resumes_by_its_id() {
    let rig = Rig::start();
    rig.count("run/1", 0..3);
    let mut sse = Sse::open(&rig, "stream=run/1", None).await;
    let events = sse.until("caught_up").await;
    let kinds: Vec<&str> = events.iter().map(|one| one.event.as_str()).collect();
    assert_eq!(
        kinds,
        ["subscribed", "event", "event", "event", "caught_up"]
    );
    assert_eq!(events[3].id, Some(format!("{EPOCH}.2")));
    assert_eq!(events[3].data["body"], json!({"n": 2}));
    rig.count("run/1", 3..5);
    assert_eq!(sse.next().await.unwrap().data["offset"], 3);
    assert_eq!(sse.next().await.unwrap().data["offset"], 4);
    drop(sse);
    for (query, last, expected) in [
        (
            "stream=run/1".to_owned(),
            Some(format!("{EPOCH}.3")),
            &[4][..],
        ),
        (format!("stream=run/1&from={EPOCH}.3"), None, &[3, 4]),
        // The browser's own place is newer than the address.
        (
            format!("stream=run/1&from={EPOCH}.0"),
            Some(format!("{EPOCH}.4")),
            &[],
        ),
    ] {
        let events = Sse::open(&rig, &query, last.as_deref())
            .await
            .until("caught_up")
            .await;
        let events = events.iter().filter(|one| one.event == "event");
        let offsets: Vec<u64> = events
            .map(|one| one.data["offset"].as_u64().unwrap())
            .collect();
        assert_eq!(offsets, expected, "{query} {last:?}");
    }
}

#[tokio::test]
async fn sse_of_several_streams_has_no_ids() {
    let rig = Rig::start();
    rig.count("run/1", 0..1);
    rig.count("run/2", 0..1);
    let mut sse = Sse::open(&rig, "stream=run/*", None).await;
    let mut events = Vec::new();
    while events
        .iter()
        .filter(|one: &&SseEvent| one.event == "event")
        .count()
        < 2
    {
        events.push(sse.next().await.unwrap());
    }
    assert!(events.iter().all(|one| one.id.is_none()), "{events:?}");
}

async fn posted(rig: &Rig, frames: &str) -> Response<Incoming> {
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    rig.http("POST", "/v1/sse", &headers, frames).await
}

/// A `subscribe` from these places of the streams.
fn from_places(pattern: &str, places: &[(&str, u64, u64)], more: bool) -> String {
    let places = places.iter().map(|(stream, epoch, offset)| {
        let place = json!({"epoch": epoch, "offset": offset});
        ((*stream).to_owned(), place)
    });
    let places: serde_json::Map<String, Value> = places.collect();
    json!({"type": "subscribe", "id": "w", "stream": pattern, "positions": places, "more": more})
        .to_string()
}

#[tokio::test]
async fn sse_of_several_streams_goes_on_from_the_places_in_its_body() {
    let rig = Rig::start();
    for (stream, count) in [("run/1", 5), ("run/2", 4), ("run/3", 1), ("note/1", 1)] {
        rig.count(stream, 0..count);
    }
    // In one frame, in two with an empty line between, with the place of a stream that there is not, and of another epoch.
    let one = from_places("run/*", &[("run/1", EPOCH, 3), ("run/2", EPOCH, 4)], false);
    let first = from_places("run/*", &[("run/1", EPOCH, 3)], true);
    let last = from_places("run/*", &[("run/2", EPOCH, 4), ("run/9", 1, 1)], false);
    let other = from_places("run/*", &[("run/1", 1, 3), ("run/2", EPOCH, 3)], false);
    for (frames, expected) in [
        (one, &["run/1 3", "run/1 4", "run/3 0"][..]),
        (
            format!("{first}\n\n{last}\n"),
            &["run/1 3", "run/1 4", "run/3 0"],
        ),
        (
            other,
            &[
                "run/1 0", "run/1 1", "run/1 2", "run/1 3", "run/1 4", "run/2 3", "run/3 0",
            ],
        ),
    ] {
        let mut sse = Sse::post(&rig, &frames).await;
        let mut told = Vec::new();
        loop {
            let event = sse.next().await.unwrap();
            let data = event.data;
            match event.event.as_str() {
                "event" => told.push(format!(
                    "{} {}",
                    data["stream"].as_str().unwrap(),
                    data["offset"]
                )),
                "caught_up" if data["stream"] == "run/*" => break,
                _ => assert_eq!(data["id"], "w", "{data}"),
            }
        }
        told.sort();
        assert_eq!(told, expected, "{frames}");
    }
    // Of one stream as well, with the ids that the query gives it.
    let frame = json!({"type": "subscribe", "id": 4, "stream": "run/1", "from": {"epoch": EPOCH, "offset": 4}});
    let events = Sse::post(&rig, &frame.to_string())
        .await
        .until("caught_up")
        .await;
    assert_eq!(events[1].id, Some(format!("{EPOCH}.4")));
    assert_eq!(events[2].data["id"], 4);
}

#[tokio::test]
async fn a_body_that_is_no_subscription_is_refused_in_words() {
    let rig = Rig::with_limits(|limits| limits.max_frame_bytes = 2_000);
    let long = from_places(&format!("run/{}*", "x".repeat(2_000)), &[], false);
    let other = from_places("run/2", &[], false);
    for (body, status, code) in [
        (String::new(), 400, "bad_request"),
        ("no frame".to_owned(), 400, "malformed"),
        (r#"{"type":"ping","nonce":1}"#.to_owned(), 400, "malformed"),
        (from_places("bad", &[], false), 400, "bad_stream"),
        (from_places("run/1", &[], true), 400, "bad_request"),
        (
            format!("{}\n{other}", from_places("run/1", &[], true)),
            400,
            "bad_request",
        ),
        (format!("{other}\n{other}"), 400, "bad_request"),
        (
            format!(
                "{}\n{}",
                from_places("run/2", &[], true),
                other.replace("\"w\"", "\"v\"")
            ),
            400,
            "bad_request",
        ),
        (long, 413, "too_large"),
        // Nothing but empty lines, and too many of them.
        (
            format!("{}\n", " ".repeat(1_999)).repeat(16_778),
            413,
            "too_large",
        ),
    ] {
        let response = posted(&rig, &body).await;
        assert_eq!(response.status(), status, "{body:.200}");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(answer["code"], code, "{body:.200}: {answer}");
    }
}

#[tokio::test]
async fn sse_ends_with_the_server() {
    let mut rig = Rig::start();
    let mut sse = Sse::open(&rig, "stream=run/1", None).await;
    sse.until("caught_up").await;
    let server = rig.server.take().unwrap();
    let stopping = std::thread::spawn(move || server.stop());
    assert_eq!(sse.next().await.unwrap().data["code"], "unavailable");
    assert!(sse.next().await.is_none());
    stopping.join().unwrap();
}

#[tokio::test]
async fn a_poll_gives_pages_and_then_waits() {
    let rig = Rig::start();
    rig.count("run/1", 0..5);
    let (status, first) = rig.get("/v1/poll?stream=run/1&max=3").await;
    assert_eq!(status, 200, "{first}");
    let offsets = |polled: &Value| -> Vec<u64> {
        let events = polled["events"].as_array().unwrap().iter();
        events.map(|one| one["offset"].as_u64().unwrap()).collect()
    };
    assert_eq!(offsets(&first), [0, 1, 2]);
    assert_eq!(first["subscribed"]["type"], "subscribed");
    assert_eq!(first["next"], json!({"epoch": EPOCH, "offset": 3}));
    assert_eq!(
        (&first["caught_up"], &first["subscribed"]["next_offset"]),
        (&json!(false), &json!(5))
    );
    let (_, second) = rig
        .get(&format!("/v1/poll?stream=run/1&from={EPOCH}.3"))
        .await;
    assert_eq!(
        (offsets(&second), &second["caught_up"]),
        (vec![3, 4], &json!(true))
    );
    let at_head = format!("/v1/poll?stream=run/1&from={EPOCH}.5");
    let (_, none) = rig.get(&format!("{at_head}&wait_ms=0")).await;
    assert_eq!(
        (offsets(&none), &none["next"]["offset"]),
        (vec![], &json!(5))
    );

    let waiting = async { rig.get(&at_head).await.1 };
    let publishing = async {
        tokio::task::yield_now().await;
        rig.post(
            "/v1/publish",
            r#"{"key":"k","stream":"run/1","body":{"n":5}}"#,
        )
        .await
    };
    let (woken, (status, accepted)) = tokio::join!(waiting, publishing);
    assert_eq!((status, &accepted["first_offset"]), (200, &json!(5)));
    assert_eq!(
        (offsets(&woken), &woken["next"]["offset"]),
        (vec![5], &json!(6))
    );
}

/// A client reads 16 MiB, so there are fewer events in an answer where they are long, and at least one.
#[tokio::test]
async fn the_answer_of_a_poll_is_bounded_in_bytes() {
    const MIB: usize = 1 << 20;
    let rig = Rig::start();
    let long = |bytes: usize| format!(r#"{{"long":"{}"}}"#, "x".repeat(bytes));
    // In process nothing bounds them; a publish over a socket is a frame.
    let sizes = [400 << 10, 400 << 10, 400 << 10, 15 * MIB, 9, 17 * MIB, 9];
    for (n, size) in sizes.iter().enumerate() {
        rig.put("run/1", &format!("k{n}"), &[long(*size).as_str()]);
    }
    let (mut from, mut answers) = (0, Vec::new());
    loop {
        let ask = format!("/v1/poll?stream=run/1&from={EPOCH}.{from}&wait_ms=0");
        let (status, polled) = rig.get(&ask).await;
        assert_eq!(status, 200);
        let bytes = polled.to_string().len();
        assert!(bytes < 16 * MIB, "{bytes} bytes from {from} on");
        let events = polled["events"].as_array().unwrap();
        let kinds = events
            .iter()
            .map(|one| match one["type"].as_str().unwrap() {
                "event" => one["offset"].to_string(),
                "gap" => {
                    assert!(one["reason"].as_str().unwrap().contains("17825"), "{one}");
                    format!("gap {}-{}", one["from"], one["to"])
                }
                other => panic!("{other}"),
            });
        answers.push(kinds.collect::<Vec<_>>().join(" "));
        from = polled["next"]["offset"].as_u64().unwrap();
        if polled["caught_up"] == json!(true) {
            break;
        }
        assert!(answers.len() < 9, "{answers:?}");
    }
    assert_eq!(answers[..3], ["0 1", "2", "3"]);
    assert_eq!(answers.join(" "), "0 1 2 3 4 gap 5-5 6");
}

#[tokio::test]
async fn a_poll_says_what_could_not_be_resumed_and_what_is_not_there() {
    let rig = Rig::start();
    let (_, none) = rig.get("/v1/poll?stream=run/1&wait_ms=0").await;
    assert_eq!(
        (&none["next"], &none["events"], &none["caught_up"]),
        (&Value::Null, &json!([]), &json!(true))
    );
    rig.count("run/1", 0..1);
    let (_, reset) = rig.get("/v1/poll?stream=run/1&from=7.9").await;
    assert_eq!(
        (&reset["subscribed"]["recovered"], &reset["next"]["offset"]),
        (&json!(false), &json!(1))
    );
    for query in [
        "",
        "stream=run/1&from=x",
        "stream=run",
        "stream=run/*",
        "stream=run/1&max=-1",
    ] {
        let (status, error) = rig.get(&format!("/v1/poll?{query}")).await;
        assert_eq!((status, &error["type"]), (400, &json!("error")), "{query}");
    }
}

#[tokio::test]
async fn a_publish_by_post_is_answered_by_status_too() {
    let rig = Rig::with_limits(|limits| limits.max_frame_bytes = 2_000);
    let publish = r#"{"type":"publish","key":"k","stream":"run/1","body":{"n":0}}"#;
    assert_eq!(rig.post("/v1/publish", publish).await.1["duplicate"], false);
    assert_eq!(rig.post("/v1/publish", publish).await.1["duplicate"], true);
    let long = format!(
        r#"{{"key":"l","stream":"run/1","body":"{}"}}"#,
        "x".repeat(2_000)
    );
    for (body, status, code) in [
        (
            r#"{"key":"k","stream":"run/1","body":{"n":1}}"#,
            409,
            "conflict",
        ),
        (r#"{"key":"","stream":"run/1","body":1}"#, 400, "bad_key"),
        (r#"{"key":"k","stream":"run/1"}"#, 400, "malformed"),
        (
            r#"{"type":"hello","key":"n","stream":"run/1","body":1}"#,
            400,
            "malformed",
        ),
        (r#"["n","run/1",1]"#, 400, "malformed"),
        ("", 400, "malformed"),
        (long.as_str(), 413, "too_large"),
    ] {
        let (got, answer) = rig.post("/v1/publish", body).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{body}");
    }
    // Other methods, and queries that are no text, are refused in the same way.
    let (status, answer) = rig.get("/v1/publish").await;
    assert_eq!((status, &answer["code"]), (405, &json!("bad_request")));
    let (status, answer) = rig.get("/v1/poll?stream=run/%ff").await;
    assert_eq!((status, &answer["code"]), (400, &json!("bad_request")));
}

#[tokio::test]
async fn streams_are_listed_in_pages() {
    let rig = Rig::start();
    for name in ["run/a", "run/b", "run/c", "posting/x"] {
        rig.count(name, 0..2);
    }
    let (_, page) = rig.get("/v1/streams?prefix=run/&limit=2").await;
    let row = |name: &str| json!({"stream": name, "epoch": EPOCH, "next_offset": 2});
    assert_eq!(
        page,
        json!({"streams": [row("run/a"), row("run/b")], "more": true})
    );
    let (_, page) = rig.get("/v1/streams?prefix=run/&after=run/b").await;
    assert_eq!(page, json!({"streams": [row("run/c")], "more": false}));
}
