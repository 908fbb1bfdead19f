//! What each adapter makes of its recorded samples, in a small notation.

use super::*;
use ghostlight_sync::frame::{self, ClientFrame, ServerFrame};

fn start(positions: &[(&str, u64)], cursor: Option<&str>) -> Start {
    let at =
        |(stream, offset): &(&str, u64)| (StreamId((*stream).into()), Position::new(5, *offset));
    Start {
        token: Some(Secret("t".into())),
        pattern: "*".into(),
        positions: positions.iter().map(at).collect(),
        cursor: cursor.map(|id| Cursor { id: id.into() }),
        epoch: Epoch(9),
        limits: Limits::default(),
    }
}

/// `stream@epoch.offset ts`, `quarantine: reason`, `cursor id`, `→ text`.
fn drawn(effects: Vec<Effect>) -> Vec<String> {
    let draw = |effect| match effect {
        Effect::Store(Item::Event {
            stream,
            epoch,
            offset,
            ts,
            ..
        }) => {
            let ts = ts.map_or("-".into(), |ts| ts.to_rfc3339()[11..].to_owned());
            format!("{stream}@{}.{} {ts}", epoch.0, offset.0)
        }
        Effect::Store(Item::Quarantined { reason, .. }) => format!("quarantine: {reason}"),
        Effect::Store(Item::Cursor(cursor)) => format!("cursor {}", cursor.id),
        Effect::Send(Outgoing::Text(text)) => format!("→ {text}"),
        other => format!("{other:?}"),
    };
    effects.into_iter().map(draw).collect()
}

fn feed(adapter: &mut dyn Adapter, messages: impl IntoIterator<Item = Message>) -> Vec<String> {
    let messages = messages.into_iter();
    messages
        .flat_map(|message| drawn(adapter.message(message, Millis(0))))
        .collect()
}

fn lines(sample: &str) -> impl Iterator<Item = Message> {
    sample.lines().map(|line| Message::Text(line.to_owned()))
}

#[test]
fn workflow_events() {
    let mut adapter = Kind::Workflow
        .adapter(start(&[("run/nightly-31", 40)], None))
        .unwrap();
    let sample = include_str!("samples/workflow.jsonl");
    assert_eq!(
        feed(&mut *adapter, lines(sample)),
        [
            "run/nightly-31@5.40 08:00:00.000Z",
            "run/nightly-31@5.41 08:00:01.250Z",
            "run/nightly-31@5.42 08:00:02.000Z",
            "run/nightly-32@9.0 08:00:03.500Z",
            "run/32@9.0 08:00:04.000Z",
            "feed/events@9.0 08:00:05.000Z",
        ]
    );
    for (text, reason) in [
        ("{", "quarantine: not JSON"),
        ("7", "quarantine: not an event"),
        ("[[1]]", "quarantine: not an event"),
        (r#"{"run_id":{}}"#, "quarantine: `run_id` is neither"),
    ] {
        let found = feed(&mut *adapter, [Message::Text(text.into())]);
        assert!(
            found.len() == 1 && found[0].starts_with(reason),
            "{text}: {found:?}"
        );
    }
    let binary = feed(&mut *adapter, [Message::Binary(vec![0; 9_000])]);
    assert!(
        binary[0].starts_with("quarantine: a binary message"),
        "{binary:?}"
    );
}

#[test]
fn bodies_stay_as_they_were_written() {
    let text = r#"{ "run_id":"r",  "x": 1.10, "y":"\u00e9" }"#;
    let mut adapter = Kind::Workflow.adapter(start(&[], None)).unwrap();
    let message = format!("[{text} , {text}]");
    for effect in adapter.message(Message::Text(message), Millis(0)) {
        let Effect::Store(Item::Event { body, .. }) = effect else {
            panic!("{effect:?}")
        };
        assert_eq!(body.get(), text);
    }
}

#[test]
fn typed_messages() {
    let mut adapter = Kind::Typed.adapter(start(&[], None)).unwrap();
    assert_eq!(
        feed(&mut *adapter, lines(include_str!("samples/typed.jsonl"))),
        [
            "message/job:recommendation@9.0 08:00:00.000Z",
            "message/application:status_change@9.0 -",
            "message/notification:new@9.0 08:00:01.000Z",
            r#"→ {"type":"pong"}"#,
            r#"→ {"data":{"n":5},"event":"pong"}"#,
            "run/nightly-31@9.0 -",
            "message/theme:changed@9.0 -",
        ]
    );
    for (text, reason) in [
        ("[1]", "quarantine: not a message"),
        ("{}", "quarantine: no `type` and no `event`"),
        (r#"{"type":[]}"#, "quarantine: `type` is no text"),
        (
            r#"{"type":"notification:new"}"#,
            "quarantine: `notification:new` without an object",
        ),
    ] {
        let found = feed(&mut *adapter, [Message::Text(text.into())]);
        assert!(
            found.len() == 1 && found[0].starts_with(reason),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn event_streams() {
    #[derive(Deserialize)]
    struct Line {
        event: String,
        id: Option<String>,
        data: String,
    }
    let events = || {
        include_str!("samples/sse.jsonl").lines().map(|line| {
            let Line { event, id, data } = serde_json::from_str(line).unwrap();
            let kind = event;
            Message::Event { kind, id, data }
        })
    };
    let mut adapter = Kind::Sse.adapter(start(&[], None)).unwrap();
    let all = [
        "run/nightly-31@9.0 08:00:01.000Z",
        "cursor 11",
        "message/metric@9.0 -",
        "cursor 12",
        "message/metric@9.1 -",
        "message/note@9.0 -",
        "cursor 13",
    ];
    assert_eq!(feed(&mut *adapter, events()), all);
    assert_eq!(adapter.last_event_id().as_deref(), Some("13"));
    // What a server sends behind a stored place is new, whether or not it goes on there.
    let stored = [("run/nightly-31", 1), ("message/metric", 2)];
    let mut adapter = Kind::Sse.adapter(start(&stored, Some("11"))).unwrap();
    assert_eq!(adapter.last_event_id().as_deref(), Some("11"));
    assert_eq!(
        feed(&mut *adapter, events().skip(1)),
        [
            "message/metric@5.2 -",
            "cursor 12",
            "message/metric@5.3 -",
            "message/note@9.0 -",
            "cursor 13"
        ]
    );
}

#[test]
fn workflow_events_and_typed_messages_over_an_event_stream_go_on_at_its_last_id() {
    for (kind, body, stream) in [
        (Kind::Workflow, r#"{"run_id":"7","node":"PLAN"}"#, "run/7"),
        (Kind::Typed, r#"{"event":"note","data":1}"#, "message/note"),
    ] {
        let event = |id: Option<&str>| Message::Event {
            kind: "message".into(),
            id: id.map(str::to_owned),
            data: body.to_owned(),
        };
        let mut adapter = kind.adapter(start(&[], Some("20"))).unwrap();
        assert_eq!(adapter.last_event_id().as_deref(), Some("20"));
        let messages = [event(Some("21")), event(None), Message::Place("22".into())];
        let taken = [
            format!("{stream}@9.0 -"),
            "cursor 21".into(),
            format!("{stream}@9.1 -"),
            "cursor 22".into(),
        ];
        assert_eq!(feed(&mut *adapter, messages), taken, "{kind:?}");
        assert_eq!(adapter.last_event_id().as_deref(), Some("22"));
    }
}

/// A message over the limit, its beginning kept.
fn too_long(place: Option<(&str, Position)>) -> Message {
    Message::TooLong {
        id: Some("14".into()),
        place: place.map(|(stream, at)| (StreamId(stream.into()), at)),
        bytes: b"its beginning".to_vec(),
        size: 3_000,
        limit: 2_000,
    }
}

#[test]
fn a_message_over_the_limit_is_set_aside_by_every_adapter() {
    const WORDS: &str = "quarantine: it has 3000 bytes, and the limit is 2000";
    for kind in Kind::ALL {
        let mut adapter = kind.adapter(start(&[], None)).unwrap();
        let taken = feed(&mut *adapter, [too_long(None)]);
        assert_eq!(taken[0], WORDS, "{kind:?}");
        // Its id is where an event stream goes on.
        let place = adapter.last_event_id();
        assert_eq!(
            place.as_deref(),
            (kind != Kind::Hub).then_some("14"),
            "{kind:?}"
        );
    }
}

#[test]
fn the_place_of_a_hubs_event_over_the_limit_is_a_gap() {
    let mut adapter = Kind::Hub.adapter(start(&[("run/1", 3)], None)).unwrap();
    let mut give = |message| {
        let effects = adapter.message(message, Millis(0)).into_iter();
        let short = effects.map(|effect| match effect {
            Effect::Store(Item::Gap {
                from, to, reason, ..
            }) => {
                assert!(
                    reason.contains("3000 bytes") && reason.contains("quarantine"),
                    "{reason}"
                );
                format!("{}-{} gone", from.0, to.0)
            }
            Effect::Store(Item::Event { offset, .. }) => format!("{}", offset.0),
            Effect::Store(Item::Quarantined { .. }) => "set aside".to_owned(),
            other => format!("{other:?}"),
        });
        short.collect::<Vec<_>>()
    };
    let event = |n: u64| {
        let text =
            format!(r#"{{"type":"event","stream":"run/1","epoch":5,"offset":{n},"body":{n}}}"#);
        Message::Text(text)
    };
    let long = |n| too_long(Some(("run/1", Position::new(5, n))));
    assert_eq!(give(event(3)), ["3"]);
    assert_eq!(give(long(4)), ["set aside", "4-4 gone"]);
    assert_eq!(give(event(5)), ["5"]);
    // A server that begins from the start says nothing new.
    assert_eq!(give(long(4)), Vec::<String>::new());
    // Before its turn it waits for what is missing; each replay brings it again.
    assert_eq!(give(long(7)), ["set aside"]);
    assert_eq!(give(long(7)), Vec::<String>::new());
    assert_eq!(give(event(6)), ["6", "7-7 gone"]);
    assert_eq!(give(event(8)), ["8"]);
}

/// What a hub's adapter does, in short, where the events have offsets that begin with 3.
fn in_short(effects: Vec<Effect>) -> Vec<String> {
    let short = effects.into_iter().map(|effect| match effect {
        Effect::Store(Item::Gap {
            from, to, reason, ..
        }) => format!("{}-{} gone: {reason}", from.0, to.0),
        Effect::Store(Item::Event { offset, .. }) => format!("{}", offset.0),
        Effect::Store(Item::Quarantined { .. }) => "set aside".to_owned(),
        Effect::Send(Outgoing::Text(text)) => match frame::parse_client(&text).unwrap() {
            ClientFrame::Subscribe(asked) => {
                format!("asks from {:?}", asked.from.map(|at| at.offset.0))
            }
            ClientFrame::Unsubscribe(_) => "withdraws".to_owned(),
            other => format!("{other:?}"),
        },
        other => format!("{other:?}"),
    });
    short.collect()
}

#[test]
fn an_event_of_a_hub_that_cannot_be_read_is_asked_for_once_more_and_set_aside_once() {
    let mut adapter = Kind::Hub.adapter(start(&[("run/1", 3)], None)).unwrap();
    let text = |text: &str| Message::Text(text.to_owned());
    let event = |n: u64| {
        format!(r#"{{"type":"event","stream":"run/1","epoch":5,"offset":{n},"body":{n}}}"#)
    };
    // Its body is missing, and once the text ends in the middle.
    let bad = |n: u64| format!(r#"{{"type":"event","stream":"run/1","epoch":5,"offset":{n}}}"#);
    let cut = |n: u64| {
        format!(r#"{{"type":"event","stream":"run/1","epoch":5,"offset":{n},"body":{{"a":"#)
    };
    let welcome = r#"{"type":"welcome","heartbeat_ms":9000,"max_frame_bytes":900000}"#;
    adapter.message(text(welcome), Millis(0));
    let mut give = |words: &str, ms: u64| in_short(adapter.message(text(words), Millis(ms)));
    assert_eq!(give(&event(3), 0), ["3"]);
    assert_eq!(give(&bad(4), 1), ["set aside"]);
    assert_eq!(give(&event(5), 2), Vec::<String>::new(), "it waits");
    let asked = in_short(adapter.tick(Millis(300)));
    assert_eq!(asked, ["asks from Some(4)"], "once more");
    let subscribed = r#"{"type":"subscribed","id":2,"stream":"run/1","epoch":5,"next_offset":6,"recovered":true}"#;
    let mut give = |words: &str, ms: u64| in_short(adapter.message(text(words), Millis(ms)));
    give(subscribed, 310);
    let gone = give(&bad(4), 311);
    assert_eq!(gone.len(), 3, "{gone:?}");
    assert!(
        gone[0].starts_with("4-4 gone: its message cannot be read (")
            && gone[0].ends_with("it is in quarantine"),
        "{gone:?}"
    );
    assert_eq!(gone[1..], ["5", "withdraws"]);
    assert_eq!(give(&event(5), 312), Vec::<String>::new());
    // It comes well the second time: nothing is missing.
    assert_eq!(give(&cut(6), 400), ["set aside"]);
    let asked = in_short(adapter.tick(Millis(700)));
    assert_eq!(asked, ["asks from Some(6)"], "though nothing is behind it");
    let mut give = |words: &str, ms: u64| in_short(adapter.message(text(words), Millis(ms)));
    give(
        &subscribed
            .replace("\"id\":2", "\"id\":3")
            .replace(":6,", ":7,"),
        710,
    );
    assert_eq!(give(&event(6), 711), ["6", "withdraws"]);
    // What the next connection replays of it is neither counted nor asked for.
    assert_eq!(give(&bad(4), 720), Vec::<String>::new());
    adapter.closed();
    adapter.message(text(welcome), Millis(800));
    let mut give = |words: &str, ms: u64| in_short(adapter.message(text(words), Millis(ms)));
    assert_eq!(give(&bad(7), 801), ["set aside"]);
    adapter.closed();
    adapter.message(text(welcome), Millis(900));
    let gone = in_short(adapter.message(text(&bad(7)), Millis(901)));
    assert_eq!(
        gone.len(),
        1,
        "a new connection asked for it again: {gone:?}"
    );
    assert!(gone[0].starts_with("7-7 gone"), "{gone:?}");
}

#[test]
fn a_hub_is_greeted_and_followed() {
    let mut adapter = Kind::Hub.adapter(start(&[("run/1", 3)], None)).unwrap();
    let sent = |effects: Vec<Effect>| -> Vec<ClientFrame> {
        let texts = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send(Outgoing::Text(text)) => Some(text),
            _ => None,
        });
        texts
            .map(|text| frame::parse_client(&text).unwrap())
            .collect()
    };
    assert!(
        matches!(&sent(adapter.opened())[..], [ClientFrame::Hello(hello)] if hello.token.is_some())
    );
    let mut message = |text: &str| adapter.message(Message::Text(text.into()), Millis(0));
    let welcomed = message(r#"{"type":"welcome","heartbeat_ms":9000,"max_frame_bytes":900000}"#);
    assert_eq!(welcomed[0], Effect::Welcomed(Some(9_000)));
    // What is published goes by the same connection.
    let max_frame_bytes = 900_000;
    assert_eq!(
        welcomed[1],
        Effect::Outbox(outbox::Input::Connected { max_frame_bytes })
    );
    let [ClientFrame::Subscribe(asked)] = &sent(welcomed)[..] else {
        panic!("one subscription is asked for")
    };
    assert_eq!(
        asked.positions[&StreamId("run/1".into())],
        Position::new(5, 3)
    );
    assert_eq!(
        drawn(message(r#"{"type":"ping","nonce":"a"}"#)),
        [r#"→ {"type":"pong","nonce":"a"}"#]
    );
    assert_eq!(message(r#"{"type":"pong","nonce":4}"#), [Effect::Pong(4)]);
    // The answer to a renewed token: everything goes on.
    assert_eq!(message(r#"{"type":"welcome","heartbeat_ms":9000}"#), []);
    let accepted =
        message(r#"{"type":"accepted","key":"k","epoch":5,"first_offset":0,"last_offset":1}"#);
    assert!(
        matches!(&accepted[..], [Effect::Outbox(outbox::Input::Accepted(one))] if one.key == "k")
    );
    let refused = message(r#"{"type":"refused","key":"k","code":"busy","retry":true}"#);
    assert!(matches!(&refused[..], [Effect::Outbox(outbox::Input::Refused(one))] if one.retry));
    let refused = message(r#"{"type":"error","code":"unauthorized","message":"no","fatal":true}"#);
    assert!(matches!(&refused[..], [Effect::Fail(failure)]
        if failure.class == ghostlight_sync::connection::FailureClass::Credentials));
    let trouble = ServerFrame::Error(frame::Trouble {
        code: "limit".into(),
        message: "too much".into(),
        fatal: false,
        id: None,
    });
    assert!(matches!(
        &message(&trouble.to_text())[..],
        [Effect::Notice(_)]
    ));
}

#[test]
fn quarantine_keeps_the_beginning() {
    let mut adapter = Kind::Hub.adapter(start(&[], None)).unwrap();
    let long = Message::Text("x".repeat(QUARANTINE_BYTES_MAX + 1));
    let effects = adapter.message(long, Millis(0));
    assert!(
        matches!(&effects[..], [Effect::Store(Item::Quarantined { message, .. })]
        if message.len() == QUARANTINE_BYTES_MAX)
    );
}
