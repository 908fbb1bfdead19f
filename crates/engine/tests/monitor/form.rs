//! What a person sets of one feed: it is kept, shown again, and acted upon.

use super::{END, FeedForm, LIMIT, LinkState, Rig, START, TOKEN, wait_for};
use ghostlight_api::{
    ViewId, ViewQuery,
    command::{AddFeed, ChangeFeed, PullViews, RegisterViews},
    view::{Ping, Range, RunFilter},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host};
use ghostlight_model::{Micros, StreamId};
use std::sync::{
    Arc,
    mpsc::{self, Sender},
};

#[test]
fn transports_that_are_switched_off_are_not_used() {
    let rig = Rig::new();
    let id = rig.add(Some(TOKEN));
    for (without, used) in [
        (&["websocket"][..], "sse"),
        (&["websocket", "sse"], "poll"),
        (&["poll"], "websocket"),
        (&[], "websocket"),
    ] {
        let without: Vec<String> = without.iter().map(|word| (*word).to_owned()).collect();
        let feed = FeedForm {
            without: without.clone(),
            ..rig.form(None)
        };
        rig.engine.handle(ChangeFeed { id, feed }).unwrap();
        let state = match used {
            "poll" => LinkState::Polling,
            _ => LinkState::Connected,
        };
        let row = rig.wait_for_state(id, state);
        assert_eq!((row.without, row.link.transport.as_str()), (without, used));
    }
}

struct Pings(Sender<Ping>);

impl Host for Pings {
    fn ping(&self, ping: &Ping) {
        let _ = self.0.send(ping.clone());
    }
}

/// How long is the desk's own affair, and tested there; here that the feed's time reaches it.
#[test]
fn a_feeds_own_time_holds_back_what_moves_by_its_events_alone() {
    let mut rig = Rig::new();
    let folder = tempfile::tempdir().unwrap();
    let (send, pings) = mpsc::channel();
    rig.engine = Engine::open(folder.path(), Arc::new(Pings(send)), Hooks::default()).unwrap();
    rig.publish("run/song", &[START]);
    let feed = FeedForm {
        refresh_ms: Some(60_000),
        ..rig.form(Some(TOKEN))
    };
    let id = rig.engine.handle(AddFeed { feed }).unwrap();
    let song = rig.run("song", |run| run.nodes.len() == 1);
    // What the connection itself changes on screen is over then.
    let row = wait_for("its event", || {
        rig.feed(id).filter(|feed| feed.traffic.events == 1)
    });
    assert_eq!(row.refresh_ms, Some(60_000));
    let list = ViewQuery::Runs {
        filter: RunFilter::default(),
        range: Range { start: 0, len: 10 },
    };
    let run = ViewQuery::Run(song.row.line.run_id);
    let views = vec![(ViewId(1), list), (ViewId(2), run)];
    let pull = || {
        let ids = vec![ViewId(1), ViewId(2)];
        rig.engine.handle(PullViews { ids }).unwrap();
    };
    rig.engine.handle(RegisterViews { views }).unwrap();
    pull();
    while pings.try_recv().is_ok() {}
    let stored = |count| {
        wait_for("the next event", || {
            rig.feed(id).filter(|feed| feed.traffic.events == count)
        });
    };
    rig.hub
        .publish_keyed(
            "next".into(),
            StreamId("run/song".into()),
            vec![END.into()],
            Micros(1),
        )
        .wait()
        .unwrap();
    stored(2);
    // A run of this computer changes the list at once, and not the view of the feed's run.
    let own = rig.engine.hub().publish_keyed(
        "own".into(),
        StreamId("run/own".into()),
        vec![START.into()],
        Micros(1),
    );
    own.wait().unwrap();
    let ping = pings.recv_timeout(LIMIT).unwrap();
    assert_eq!(ping.views, Some(vec![ViewId(1)]));
}
