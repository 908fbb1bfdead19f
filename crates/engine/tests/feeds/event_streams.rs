//! Event streams: where they go on, and what they hold that is no event.

use super::*;
use ghostlight_engine::feeds::feed::Cursor;
use ghostlight_store::Received;

#[test]
fn an_event_stream_at_an_address_of_a_websocket_is_asked_by_http() {
    let (url, _asked) = event_stream(|_, _| "data: 1\n\n".into());
    let rig = Rig::new(&url.replace("http://", "ws://")).kind(Kind::Sse);
    stored(&rig.watch(), 1);
}

/// A dashboard's event stream: `per` events a connection, then it ends. Tells each `Last-Event-ID`.
pub fn dashboard(events: usize, per: usize) -> (String, mpsc::Receiver<Option<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/dashboard", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let last = last_event_id(&socket).and_then(|id| id.parse().ok());
            if tell.send(last).is_err() {
                return;
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: hello\n\n";
            let _ = socket.write_all(head.as_bytes());
            let begin = last.unwrap_or(0);
            for id in begin + 1..=(begin + per).min(events) {
                let event = match id % 3 {
                    0 => format!("id: {id}\nevent: note\ndata: line {id}\ndata: and one\n\n"),
                    _ => format!("id: {id}\r\ndata: {{\"run_id\":\"r\",\"n\":{id}}}\r\n\r\n"),
                };
                let _ = socket.write_all(event.as_bytes());
            }
        }
    });
    (url, told)
}

#[test]
fn an_event_stream_goes_on_behind_its_last_id() {
    let (url, asked) = dashboard(8, 3);
    let rig = Rig::new(&url).patient();
    let watching = rig.watch();
    stored(&watching, 8);
    let asked: Vec<_> = asked.iter().take(3).collect();
    assert_eq!(asked, [None, Some(3), Some(6)]);
    drop(watching);
    let first = bodies(&rig, Kind::Sse);
    assert_eq!(first[0], r#"run/r 0 {"run_id":"r","n":1}"#);
    assert_eq!(first[2], r#"message/note 0 "line 3\nand one""#);
    assert_eq!(first.len(), 8);
}

/// The place is stored with its event: what is sent behind it is new, also from a server that repeats nothing.
#[test]
fn an_event_and_its_id_are_stored_together() {
    // However it is asked, it sends what it has just then.
    let (url, asked) = hanging_up(&[
        "id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n",
        "id: 3\ndata: 3\n\n",
        "id: 4\ndata: 4\n\n",
        "",
    ]);
    let rig = Rig::new(&url).patient();
    let (endpoint, _) = Endpoint::parse(&url).unwrap();
    let place = || rig.store.feed_cursor(endpoint.url().as_str()).unwrap();
    let watching = rig.watch();
    let mut count = 0;
    until(&watching, "the events", |news| {
        if let News::Stored(stored) = news {
            count += stored.stored;
            // At least as far as the events that are told.
            let id: Cursor = serde_json::from_str(&place().unwrap()).unwrap();
            let stored = bodies(&rig, Kind::Sse).len() as u64;
            assert!(
                id.id.parse::<u64>().unwrap() >= count && stored >= count,
                "{id:?}"
            );
        }
        count == 4
    });
    drop(watching);
    let found: Vec<_> = asked.try_iter().collect();
    assert_eq!(
        found[..3],
        [None, Some("2".to_owned()), Some("3".to_owned())]
    );
    assert_eq!(bodies(&rig, Kind::Sse).len(), 4);
}

/// Older versions noted beside the id how many events they had taken.
#[test]
fn a_place_of_an_older_version_is_read() {
    let (url, asked) = event_stream(|_, last| match last {
        None => b"id: 1\ndata: 1\n\n".to_vec(),
        Some(_) => b"id: 9\ndata: 2\n\n".to_vec(),
    });
    let rig = Rig::new(&url).patient();
    stored(&rig.watch(), 1);
    let (endpoint, _) = Endpoint::parse(&url).unwrap();
    let old = Received::Cursor {
        url: endpoint.url().to_string(),
        cursor: r#"{"id":"8","count":8}"#.into(),
    };
    let kept = rig.store.receive(&rig.feed(Kind::Sse), vec![old]);
    kept.wait().unwrap();
    stored(&rig.watch(), 1);
    let asked: Vec<_> = asked.try_iter().collect();
    assert_eq!(asked, [None, Some("8".to_owned())]);
}

/// It promises no heartbeat, so that its silence says nothing.
#[test]
fn an_event_stream_is_not_cut_because_it_is_quiet() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let (go_on, wait) = mpsc::channel::<()>();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            last_event_id(&socket);
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\ndata: 1\n\n";
            socket.write_all(head.as_bytes()).unwrap();
            let _ = wait.recv();
            socket.write_all(b"data: 2\n\n").unwrap();
        }
    });
    // Its patience is 600 ms.
    let rig = Rig::new(&url);
    let watching = rig.watch();
    stored(&watching, 1);
    let quiet = Instant::now();
    while quiet.elapsed() < Duration::from_millis(1_500) {
        let news = watching.next(Some(Duration::from_millis(100)));
        assert!(!matches!(news, Some(News::Status(_))), "{news:?}");
    }
    go_on.send(()).unwrap();
    stored(&watching, 1);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[test]
fn an_event_over_the_limit_is_set_aside_and_the_stream_goes_on() {
    let (url, asked) = event_stream(|_, last| match last {
        None => {
            let long = "x".repeat(50_000);
            format!("id: 1\ndata: 1\n\ndata: {long}\nid: 2\n\nid: 3\ndata: 3\n\n").into_bytes()
        }
        Some(_) => Vec::new(),
    });
    let mut rig = Rig::new(&url).patient();
    rig.settings.max_frame_bytes = 20_000;
    let watching = rig.watch();
    stored(&watching, 2);
    drop(watching);
    assert_eq!(
        bodies(&rig, Kind::Sse),
        ["message/message 0 1", "message/message 1 3"]
    );
    let kept = rig.store.quarantine(&rig.feed(Kind::Sse), 0, 10).unwrap();
    assert_eq!(kept.total, 1);
    assert!(
        kept.rows[0].reason.contains("the limit is 20000"),
        "{}",
        kept.rows[0].reason
    );
    assert!(kept.rows[0].message.starts_with(b"data: xxx"));
    assert_eq!(asked.try_iter().count(), 1, "one connection");
}

/// An event stream that answers the nth connection, whose `Last-Event-ID` is that, with these bytes, and stays open.
fn event_stream(
    answer: impl Fn(usize, Option<&str>) -> Vec<u8> + Send + 'static,
) -> (String, mpsc::Receiver<Option<String>>) {
    serve(answer, |_| true)
}

/// An event stream that gives one answer a connection and hangs up; the last one stays open. Tells each `Last-Event-ID`.
fn hanging_up(answers: &'static [&'static str]) -> (String, mpsc::Receiver<Option<String>>) {
    let answer = |n: usize, _: Option<&str>| {
        let events = answers.get(n).copied().unwrap_or_default();
        format!(": hello\n\n{events}").into_bytes()
    };
    serve(answer, |n| n + 1 >= answers.len())
}

/// Answers the nth connection, whose `Last-Event-ID` is that, and keeps it open or hangs up. Tells each `Last-Event-ID`.
fn serve(
    answer: impl Fn(usize, Option<&str>) -> Vec<u8> + Send + 'static,
    stays: impl Fn(usize) -> bool + Send + 'static,
) -> (String, mpsc::Receiver<Option<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for (n, socket) in listener.incoming().enumerate() {
            let mut socket = socket.unwrap();
            let last = last_event_id(&socket);
            if tell.send(last.clone()).is_err() {
                return;
            }
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
            let _ = socket.write_all(head.as_bytes());
            // Also what follows is in pieces that no character respects.
            for piece in answer(n, last.as_deref()).chunks(2) {
                let _ = socket.write_all(piece);
            }
            if stays(n) {
                open.push(socket);
            }
        }
    });
    (url, told)
}

#[test]
fn a_byte_order_mark_before_an_event_stream_is_passed_over() {
    let (url, _asked) =
        event_stream(|_, _| "\u{feff}data: {\"n\":1}\n\ndata: {\"n\":2}\n\n".into());
    let rig = Rig::new(&url).patient();
    stored(&rig.watch(), 2);
    assert_eq!(
        bodies(&rig, Kind::Sse),
        [
            r#"message/message 0 {"n":1}"#,
            r#"message/message 1 {"n":2}"#
        ]
    );
}

#[test]
fn an_event_that_is_not_utf_8_is_set_aside_and_the_stream_goes_on() {
    let (url, asked) = event_stream(|_, last| {
        let from = last.map_or(0, |id| id.parse::<u8>().unwrap() + 1);
        let event = |id: u8| match id {
            3 => b"id: 3\ndata: {\"n\":\"\xc3\x28\"}\n\n".to_vec(),
            _ => format!("id: {id}\ndata: {{\"n\":{id}}}\n\n").into_bytes(),
        };
        (from..8).flat_map(event).collect()
    });
    let rig = Rig::new(&url).patient();
    let watching = rig.watch();
    let (mut reasons, mut count) = (Vec::new(), 0);
    until(&watching, "the event behind it", |news| {
        match news {
            News::Quarantined(reason) => reasons.push(reason.clone()),
            News::Stored(stored) => count += stored.stored,
            _ => {}
        }
        count == 7
    });
    drop(watching);
    assert_eq!(reasons, ["not UTF-8"]);
    let kept = rig.store.quarantine(&rig.feed(Kind::Sse), 0, 10).unwrap();
    assert_eq!(kept.rows[0].message, b"id: 3\ndata: {\"n\":\"\xc3\x28\"}\n");
    // A new start goes on behind the last one.
    let again = rig.watch();
    assert_eq!(asked.iter().nth(1).unwrap().as_deref(), Some("7"));
    drop(again);
    assert_eq!(rig.log(Kind::Sse).len(), 7);
}

#[test]
fn an_empty_id_takes_the_last_one_back_and_none_at_all_leaves_it() {
    let (url, asked) = hanging_up(&[
        "id: 7\ndata: 1\n\n",
        // No id, and one that no header could hold: the place stays.
        "data: 2\n\nid: 8\0\ndata: 3\n\n",
        "id\ndata: 4\n\n",
        "data: 5\n\n",
        // Without data it is no event, and an id all the same.
        "id: 9\n\n",
        "id: 9\nid:\n\ndata: 6\n\n",
    ]);
    let rig = Rig::new(&url).patient();
    let watching = rig.watch();
    stored(&watching, 6);
    drop(watching);
    let asked = |count| -> Vec<_> { asked.iter().take(count).collect() };
    let place = |id: &str| Some(id.to_owned());
    assert_eq!(
        asked(6),
        [None, place("7"), place("7"), None, None, place("9")]
    );
    // A new start knows that as well, and takes nothing for a repetition.
    let again = rig.watch();
    assert_eq!(asked(1), [None]);
    drop(again);
    assert_eq!(rig.log(Kind::Sse).len(), 6);
}

/// Reads a request's head; its `Last-Event-ID`.
fn last_event_id(socket: &TcpStream) -> Option<String> {
    let head = BufReader::new(socket.try_clone().unwrap()).lines();
    let mut head = head
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let found = head.find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("last-event-id")
            .then(|| value.to_owned())
    });
    head.for_each(drop);
    found
}
