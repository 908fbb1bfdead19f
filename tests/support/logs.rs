//! The log of a hub, and what a client has of a feed, read from their files to be compared.

#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use ghostlight_engine::feeds::{FeedEntry, Mark, Store};
use ghostlight_model::{Offset, StreamId};
use std::collections::BTreeMap;

/// An event as a log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub offset: u64,
    pub ts: i64,
    pub body: String,
}

/// Streams by name, with their epoch.
pub type Log = BTreeMap<String, (u64, Vec<Event>)>;

/// Everything that a hub has in its current epochs.
pub fn hub_log(store: &Store) -> Log {
    let streams = store.streams("", None, 100).unwrap().into_iter();
    streams
        .map(|info| {
            let mut events: Vec<Event> = Vec::new();
            while (events.len() as u64) < info.head.0 {
                let from = Offset(events.len() as u64);
                let page = store.stream_page(&info.stream, from, 512, 1 << 20);
                let page = page.unwrap().unwrap();
                events.extend(page.events.into_iter().map(|event| Event {
                    offset: event.offset.0,
                    ts: event.ts.0,
                    body: event.body,
                }));
            }
            (info.stream.0, (info.epoch.0, events))
        })
        .collect()
}

/// What a client has of a feed, in order of arrival, of the epochs that are wanted; there must be no gap.
pub fn received_log(store: &Store, feed: &str, wanted: impl Fn(&StreamId, u64) -> bool) -> Log {
    let (mut at, mut ours) = (Mark::default(), Log::new());
    loop {
        let page = at.read(store, feed, 500).unwrap();
        let Some(last) = page.last() else { return ours };
        at = last.behind;
        for told in page {
            let FeedEntry::Event {
                stream,
                epoch,
                event,
                ..
            } = told.entry
            else {
                panic!("{:?}", told.entry)
            };
            if wanted(&stream, epoch.0) {
                let (_, events) = ours.entry(stream.0).or_insert((epoch.0, Vec::new()));
                events.push(Event {
                    offset: event.offset.0,
                    ts: event.ts.0,
                    body: event.body,
                });
            }
        }
    }
}
