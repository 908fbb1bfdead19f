//! `watch --send` as a program: messages from its arguments and from standard input, to a server of typed messages.

use crate::{
    feed_server::FeedServer,
    message_server::MessageServer,
    program::{Done, Ghostlight, finish},
};
use serde_json::Value;

const TOO_LONG: usize = 64 << 10;

fn watch(url: &str, more: &[&str], input: &[u8]) -> Done {
    let ghostlight = Ghostlight::new();
    let mut args = vec!["watch", url, "--json", "--idle", "1"];
    args.extend(more);
    let mut command = ghostlight.command(&args);
    command.env("GHOSTLIGHT_MAX_RECONNECT_DELAY_MS", "5");
    let input = input.to_owned();
    finish(command, move |stdin| stdin.write_all(&input))
}

/// `sent EVENT DATA` or `not_sent EVENT DATA: ERROR`, in the order printed.
fn told(done: &Done) -> Vec<String> {
    let objects = done.objects().into_iter();
    let told = objects.filter_map(|object| {
        let kind = object["type"].as_str().unwrap().to_owned();
        let what = format!("{kind} {} {}", object["event"].as_str()?, object["data"]);
        match kind.as_str() {
            "sent" => Some(what),
            "not_sent" => Some(format!("{what}: {}", object["error"].as_str().unwrap())),
            _ => None,
        }
    });
    told.collect()
}

#[test]
fn messages_are_sent_in_order_when_the_feed_is_connected() {
    let server = MessageServer::start();
    let lines = "{\"event\":\"third\",\"data\":{\"n\": 3.10}}\n\n  {\"event\":\"fourth\"}";
    let more = [
        "--send",
        "application:status_change={\"id\":7,\n\"to\":\"filled\"}",
        "--send",
        "second",
        "--send",
        "-",
    ];
    let done = watch(&server.url(), &more, lines.as_bytes());
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        server.received(),
        [
            "{\"event\":\"application:status_change\",\"data\":{\"id\":7,\n\"to\":\"filled\"}}",
            r#"{"event":"second","data":null}"#,
            r#"{"event":"third","data":{"n": 3.10}}"#,
            r#"{"event":"fourth","data":null}"#,
        ]
    );
    assert_eq!(
        told(&done),
        [
            r#"sent application:status_change {"id":7,"to":"filled"}"#,
            "sent second null",
            r#"sent third {"n":3.1}"#,
            "sent fourth null",
        ]
    );
    assert!(
        done.out.contains(r#""data":{"n": 3.10}}"#),
        "verbatim: {}",
        done.out
    );
    // The server's answers are the feed's events.
    let events = done.objects().into_iter();
    let events: Vec<Value> = events.filter(|one| one["type"] == "event").collect();
    assert_eq!(events.len(), 5, "{done:?}");
    assert_eq!(events[1]["body"]["data"]["of"], "application:status_change");
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_sent() {
    let server = MessageServer::start();
    let mut lines =
        b"{\"event\":\"a\",\"data\":1}\nnonsense\n{\"event\":\"b\",\"date\":2}\n\xff\n".to_vec();
    lines.extend(
        format!(
            "{{\"event\":\"c\",\"data\":\"{}\"}}\n",
            "x".repeat(3 * TOO_LONG)
        )
        .bytes(),
    );
    lines.extend(b"{\"event\":\"d\",\"data\":4}\n");
    let done = watch(&server.url(), &["--send", "-"], &lines);
    let words = [
        "standard input, line 2: A message is {\"event\": NAME, \"data\": JSON}",
        "line 3",
        "unknown field `date`",
        "line 4: A message is {\"event\": NAME, \"data\": JSON}: this is no UTF-8.",
        "line 5: The message has",
        "65536 is the limit.",
    ];
    done.refused("bad lines", 2, &words);
    assert_eq!(told(&done), ["sent a 1", "sent d 4"]);
    assert_eq!(server.received().len(), 2);
}

#[test]
fn what_is_no_message_or_no_feed_for_one_is_bad_usage() {
    let hub = FeedServer::start();
    let long = format!("a=\"{}\"", "x".repeat(TOO_LONG));
    let too_long = (
        "ws://127.0.0.1:9/",
        &["--send", &long][..],
        "65536 is the limit",
    );
    // A command of Windows has at most 32,767 characters.
    let too_long = cfg!(unix).then_some(too_long);
    let refused = [
        (
            "ws://127.0.0.1:9/",
            &["--send", "a={"][..],
            "The data is not JSON",
        ),
        (
            "ws://127.0.0.1:9/",
            &["--send", "=1"],
            "The event has no name",
        ),
        (
            "ws://127.0.0.1:9/",
            &["--send", "a", "--publish"],
            "cannot be used with",
        ),
        (
            "http://127.0.0.1:9/",
            &["--send", "a"],
            "at a ws: or wss: address",
        ),
        (
            &hub.url(),
            &["--send", "a", "--adapter", "hub"],
            "needs a feed of typed messages",
        ),
    ];
    for (url, more, words) in refused.into_iter().chain(too_long) {
        let done = watch(url, more, b"");
        done.refused(words, 2, &[words]);
        assert_eq!(done.out, "", "{words}");
    }
    assert_eq!(hub.connections(), 0);
}

#[test]
fn what_was_not_sent_by_the_end_is_said() {
    // Nobody is there.
    let server = MessageServer::start();
    server.stop();
    let done = watch(&server.url(), &["--send", "a=1", "--send", "b=2"], b"");
    assert_eq!(done.code, 2, "{done:?}");
    let why = "Not sent: the feed is not followed any more.";
    assert_eq!(
        told(&done),
        [
            format!("not_sent a 1: {why}"),
            format!("not_sent b 2: {why}")
        ]
    );
}
