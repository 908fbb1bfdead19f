//! `docs/PROTOCOL.md` shows frames that our own reader takes, and every frame that there is.

use ghostlight_sync::frame::{parse_client, parse_server};
use serde_json::Value;
use std::collections::BTreeSet;

const CLIENT: [&str; 6] = [
    "hello",
    "subscribe",
    "unsubscribe",
    "publish",
    "ping",
    "pong",
];
const SERVER: [&str; 11] = [
    "welcome",
    "subscribed",
    "unsubscribed",
    "event",
    "caught_up",
    "gap",
    "accepted",
    "refused",
    "ping",
    "pong",
    "error",
];

#[test]
fn the_examples_are_frames_and_none_is_missing() {
    let text = include_str!("../../../../docs/PROTOCOL.md");
    let (_, rest) = text.split_once("\n## The hub\n").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    let mut shown = BTreeSet::new();
    // Every other piece between fences is outside of code.
    for block in section
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix("json\n"))
    {
        for line in block.lines() {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let Some(kind) = value["type"].as_str() else {
                continue;
            };
            let (client, server) = (parse_client(line), parse_server(line));
            assert!(
                client.is_ok() || server.is_ok(),
                "{line}\n{client:?}\n{server:?}"
            );
            shown.insert(kind.to_owned());
        }
    }
    let all: BTreeSet<String> = CLIENT
        .iter()
        .chain(&SERVER)
        .map(|kind| (*kind).to_owned())
        .collect();
    assert_eq!(shown, all);
}
