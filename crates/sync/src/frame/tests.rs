//! Each frame as text and back; what is not one.

use super::*;

/// One sample of each frame, written as it is sent. These texts are the protocol: changing one breaks old peers.
const CLIENT: &[&str] = &[
    r#"{"type":"hello","version":1,"token":"t","client":"test 1"}"#,
    r#"{"type":"hello","version":1,"client":""}"#,
    r#"{"type":"subscribe","id":"a","stream":"run/1"}"#,
    r#"{"type":"subscribe","id":1,"stream":"run/1","from":{"epoch":5,"offset":7}}"#,
    r#"{"type":"subscribe","id":1.50,"stream":"run/*","positions":{"run/1":{"epoch":5,"offset":7}},"more":true}"#,
    r#"{"type":"unsubscribe","id":"\u0041"}"#,
    r#"{"type":"publish","key":"k","stream":"run/1","body":{"b": 1.0,"a":[ ]}}"#,
    r#"{"type":"publish","key":"k","stream":"run/1","body":null}"#,
    r#"{"type":"publish","key":"k","stream":"run/1","bodies":[1,"two"]}"#,
    r#"{"type":"ping","nonce":18446744073709551616}"#,
    r#"{"type":"pong","nonce":"n"}"#,
];

const SERVER: &[&str] = &[
    r#"{"type":"welcome","server":"s","session":"x","heartbeat_ms":30000,"max_frame_bytes":1048576}"#,
    r#"{"type":"subscribed","id":1,"stream":"run/1","epoch":5,"next_offset":9,"recovered":true}"#,
    r#"{"type":"subscribed","id":1,"stream":"run/1","epoch":5,"next_offset":9,"recovered":false,"gap":{"from":0,"to":3}}"#,
    r#"{"type":"unsubscribed","id":1}"#,
    r#"{"type":"event","stream":"run/1","epoch":5,"offset":7,"ts":1700000000000000,"body":{"a" : 1e2}}"#,
    r#"{"type":"event","stream":"run/1","epoch":5,"offset":7,"ts":null,"body":"x"}"#,
    r#"{"type":"caught_up","id":1,"offset":9}"#,
    r#"{"type":"caught_up","id":1,"stream":"run/1","offset":9}"#,
    r#"{"type":"gap","stream":"run/1","epoch":5,"from":1,"to":2,"reason":"trimmed"}"#,
    r#"{"type":"accepted","key":"k","epoch":5,"first_offset":1,"last_offset":2,"duplicate":false}"#,
    r#"{"type":"refused","key":"k","code":"busy","message":"m","retry":true,"retry_after_ms":5}"#,
    r#"{"type":"refused","key":"k","code":"no","message":"m","retry":false}"#,
    r#"{"type":"ping","nonce":1}"#,
    r#"{"type":"pong","nonce":1}"#,
    r#"{"type":"error","code":"c","message":"m","fatal":true}"#,
    r#"{"type":"error","code":"c","message":"m","fatal":false,"id":1}"#,
];

#[test]
fn frames_are_written_as_they_were_read() {
    for text in CLIENT {
        let frame = parse_client(text).unwrap();
        assert_eq!(frame.to_text(), *text);
        assert!(text.contains(&format!(r#""type":"{}""#, frame.kind())));
    }
    for text in SERVER {
        let frame = parse_server(text).unwrap();
        assert_eq!(frame.to_text(), *text);
        assert!(text.contains(&format!(r#""type":"{}""#, frame.kind())));
    }
}

#[test]
fn unknown_members_and_any_order_are_taken() {
    let frame = parse_client(r#"{"new":[1],"id":1,"stream":"run/1","type":"subscribe"}"#).unwrap();
    assert_eq!(
        frame.to_text(),
        r#"{"type":"subscribe","id":1,"stream":"run/1"}"#
    );
    let welcome = parse_server(r#"{"type":"welcome"}"#).unwrap();
    let ServerFrame::Welcome(welcome) = welcome else {
        panic!("{welcome:?}")
    };
    assert_eq!(
        (welcome.heartbeat_ms, welcome.max_frame_bytes),
        (30_000, 1 << 20)
    );
}

#[test]
fn a_strange_time_costs_no_event() {
    for (ts, expected) in [
        ("12", Some(Micros(12))),
        ("1.7e3", Some(Micros(1_700))),
        (r#""2026-11-21""#, None),
        ("null", None),
        ("{}", None),
    ] {
        let text =
            format!(r#"{{"type":"event","stream":"s","epoch":1,"offset":0,"ts":{ts},"body":1}}"#);
        let ServerFrame::Event(event) = parse_server(&text).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(event.ts, expected, "{ts}");
    }
    let without = r#"{"type":"event","stream":"s","epoch":1,"offset":0,"body":1}"#;
    assert!(parse_server(without).is_ok());
}

#[test]
fn what_is_no_frame_says_why() {
    for text in [
        "",
        "[]",
        "1",
        "{",
        "{}",
        r#"{"type":1}"#,
        "{\"type\":\"ping\"",
        "\u{0}",
    ] {
        let error = parse_client(text).unwrap_err();
        assert!(matches!(error, FrameError::NotAFrame(_)), "{text}: {error}");
    }
    let error = parse_server(r#"{"type":"presence","who":1}"#).unwrap_err();
    assert_eq!(error.to_string(), r#"unknown frame type "presence""#);
    for text in [
        r#"{"type":"hello"}"#,
        r#"{"type":"subscribe","id":null,"stream":"run/1"}"#,
        r#"{"type":"subscribe","id":{},"stream":"run/1"}"#,
        r#"{"type":"subscribe","id":1,"stream":2}"#,
        r#"{"type":"subscribe","id":1,"stream":"s","from":{"epoch":-1,"offset":0}}"#,
        r#"{"type":"publish","key":"k","stream":"run/1"}"#,
        r#"{"type":"publish","key":"k","stream":"run/1","bodies":[]}"#,
        r#"{"type":"publish","key":"k","stream":"run/1","body":1,"bodies":[2]}"#,
        r#"{"type":"ping"}"#,
    ] {
        let error = parse_client(text).unwrap_err();
        assert!(
            matches!(error, FrameError::Malformed { .. }),
            "{text}: {error}"
        );
    }
    let long = format!(r#"{{"type":"ping","nonce":"{}"}}"#, "n".repeat(300));
    assert!(parse_client(&long).is_err());
}

#[test]
fn a_token_does_not_print() {
    let hello = parse_client(CLIENT[0]).unwrap();
    assert!(
        !format!("{hello:?}").contains("\"t\""),
        "the token is in {hello:?}"
    );
}

#[test]
fn echoes_compare_as_written_and_ours_come_back() {
    assert_eq!(Echo::number(7).as_number(), Some(7));
    assert_eq!(Echo::number(7), Echo::number(7));
    assert!(Echo::number(7) < Echo::number(8));
    let foreign: Echo = serde_json::from_str(r#""7""#).unwrap();
    assert_eq!(foreign.as_number(), None);
    assert_eq!(Body::parse("{ }".into()).unwrap().get(), "{ }");
    assert!(Body::parse("{".into()).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = (parse_client(&text), parse_server(&text));
    }

    #[test]
    fn no_damaged_frame_panics(which in 0..27usize, at in 0..200usize, byte in proptest::char::any()) {
        let sample = CLIENT.iter().chain(SERVER).nth(which).unwrap();
        let mut chars: Vec<char> = sample.chars().collect();
        let at = at % chars.len();
        chars[at] = byte;
        let text: String = chars.into_iter().collect();
        let _ = (parse_client(&text), parse_server(&text));
    }

    #[test]
    fn a_body_survives_verbatim(number in proptest::num::f64::NORMAL, spaces in " {0,3}", text in "[a-z é\u{1F600}]{0,20}") {
        let body = format!("{{{spaces}\"n\":{number:e},{spaces}\"t\" :\"{text}\"}}");
        let frame = ServerFrame::Event(Event {
            stream: StreamId("run/1".into()), epoch: Epoch(1), offset: Offset(2), ts: None,
            body: Body::parse(body.clone()).unwrap(),
        });
        let ServerFrame::Event(read) = parse_server(&frame.to_text()).unwrap() else { panic!() };
        proptest::prop_assert_eq!(read.body.get(), body);
    }
}
