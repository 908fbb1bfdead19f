//! Live features as a whole: switched off and on again, by a person and by the environment, and how long feeds wait.

use super::{DONE, END, LinkState, Rig, START, Shell, TOKEN, wait_for};
use ghostlight_api::{
    ErrorCode, ViewData, ViewQuery,
    command::{AddFeed, FeedForm, GetAppInfo, Preferences, Reconnect, SetPreferences},
    live::{Environment, LiveSwitch, Reconnecting},
    view::{EventFilter, Health, OutboxRow, Range},
};
use ghostlight_engine::{Engine, FeedDefaults, Handle, Hooks, Input};
use ghostlight_hub::server::Token;
use ghostlight_model::{RunId, run::RunStatus};
use std::sync::{Arc, mpsc};

fn prefer(engine: &Engine, change: impl FnOnce(&mut Preferences)) {
    let mut preferences = engine.handle(GetAppInfo {}).unwrap().preferences;
    change(&mut preferences);
    engine.handle(SetPreferences { preferences }).unwrap();
}

fn health(engine: &Engine) -> Health {
    match engine.view(&ViewQuery::Health) {
        ViewData::Health(health) => health,
        other => panic!("{other:?}"),
    }
}

fn waiting(engine: &Engine, feed: i64) -> Vec<OutboxRow> {
    let range = Range { start: 0, len: 10 };
    match engine.view(&ViewQuery::Outbox { feed, range }) {
        ViewData::Outbox(page) => page.rows,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_live_features_are_switched_off_at_once_and_taken_up_again_where_they_were() {
    let mut rig = Rig::new();
    rig.publish("run/song", &[START]);
    let id = rig.add(Some(TOKEN));
    rig.wait_for_state(id, LinkState::Connected);
    let song = rig.run("song", |run| run.nodes.len() == 1);
    let run = song.row.line.run_id;
    assert_eq!(health(&rig.engine).live, LiveSwitch::On);

    prefer(&rig.engine, |p| p.live_off = true);
    let server = rig.server.as_ref().unwrap();
    let token = Token::new(TOKEN).unwrap();
    wait_for("the end of the connection", || {
        (server.connections_of(&token) == 0).then_some(())
    });
    let off = rig.feed(id).unwrap();
    assert_eq!((off.link.state, off.enabled), (LinkState::LiveOff, true));
    let seen = health(&rig.engine);
    assert_eq!((seen.live, seen.feeds.len()), (LiveSwitch::Off, 0));
    // What is stored stays readable, and its source is not lost: nobody follows it.
    assert_eq!(rig.log(&run, EventFilter::default()).0, 1);
    rig.run("song", |run| run.row.pulse.is_none());

    // Whatever is asked for, nothing is connected.
    let other = FeedForm {
        name: "other".into(),
        url: format!("ws://{}/v1?stream=run/other", rig.address),
        ..rig.form(Some(TOKEN))
    };
    let other = rig.engine.handle(AddFeed { feed: other }).unwrap();
    for wanted in [None, Some(id)] {
        let refused = rig.engine.handle(Reconnect { id: wanted }).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Rule);
        assert!(refused.message.contains("switched off"), "{refused}");
        assert!(refused.hint.unwrap().contains("settings"));
    }
    prefer(&rig.engine, |p| p.utc = true);
    for id in [id, other] {
        let feed = rig.feed(id).unwrap();
        assert_eq!(feed.link.state, LinkState::LiveOff);
        assert_eq!(feed.traffic.connects, (0, 0), "{feed:?}");
    }
    assert_eq!(rig.server.as_ref().unwrap().connections_of(&token), 0);
    rig.publish("run/song", &[END, DONE]);

    prefer(&rig.engine, |p| p.live_off = false);
    rig.wait_for_state(id, LinkState::Connected);
    rig.wait_for_state(other, LinkState::Connected);
    let song = rig.run("song", |run| run.row.line.status == RunStatus::Finished);
    assert_eq!((song.extent.proven, song.extent.missing), (Some(true), 0));
    assert_eq!(rig.log(&run, EventFilter::default()).0, 3);
}

#[test]
fn what_waits_in_the_outbox_waits_on_and_is_sent_when_live_features_are_on_again() {
    let mut rig = Rig::new();
    rig.engine.follow_feeds(FeedDefaults::default()).unwrap();
    let form = FeedForm {
        publish: true,
        ..rig.form(Some(TOKEN))
    };
    let id = rig.engine.handle(AddFeed { feed: form }).unwrap();
    rig.wait_for_state(id, LinkState::Connected);
    drop(rig.server.take());
    rig.wait_for_state(id, LinkState::Reconnecting);
    let bytes = b"Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\nApply by email.";
    let input = Input::Text {
        name: "pasted".into(),
        bytes: bytes.to_vec(),
    };
    let run = rig.engine.start(input).unwrap();
    let there = RunId::of_stream("hub", &run.stream());
    let entry = wait_for("the entry", || waiting(&rig.engine, id).pop());

    prefer(&rig.engine, |p| p.live_off = true);
    rig.serve();
    assert_eq!(waiting(&rig.engine, id)[0].key, entry.key);
    assert_eq!(rig.feed(id).unwrap().link.state, LinkState::LiveOff);
    assert_eq!(
        rig.hub.store().run(&there).unwrap(),
        None,
        "nothing was sent"
    );

    prefer(&rig.engine, |p| p.live_off = false);
    wait_for("the delivery", || {
        waiting(&rig.engine, id).is_empty().then_some(())
    });
    assert!(rig.hub.store().run(&there).unwrap().is_some());
}

#[test]
fn switched_off_stays_off_over_a_restart_unless_the_environment_says_otherwise() {
    let rig = Rig::new();
    let id = rig.add(Some(TOKEN));
    rig.wait_for_state(id, LinkState::Connected);
    prefer(&rig.engine, |p| p.live_off = true);
    let Rig {
        engine,
        server,
        data,
        hub,
        ..
    } = rig;
    drop(engine);
    let token = Token::new(TOKEN).unwrap();
    let connections = || server.as_ref().unwrap().connections_of(&token);
    let until = |count| {
        let what = format!("{count} connections");
        wait_for(&what, || (connections() == count).then_some(()));
    };
    until(0);
    let start = |live| {
        let (send, _) = mpsc::channel();
        let engine = Engine::open(data.path(), Arc::new(Shell(send)), Hooks::default()).unwrap();
        let defaults = FeedDefaults {
            environment: Environment {
                live,
                ..Environment::default()
            },
            ..FeedDefaults::default()
        };
        engine.follow_feeds(defaults).unwrap();
        engine
    };
    let engine = start(None);
    assert_eq!(health(&engine).live, LiveSwitch::Off);
    assert_eq!(connections(), 0);
    drop(engine);

    let engine = start(Some(true));
    assert_eq!(health(&engine).live, LiveSwitch::On);
    until(1);
    prefer(&engine, |p| p.live_off = false);
    drop(engine);

    let engine = start(Some(false));
    assert_eq!(health(&engine).live, LiveSwitch::OffByEnvironment);
    let told = engine.handle(GetAppInfo {}).unwrap().environment.live;
    assert_eq!(told, Some(false));
    let refused = engine.handle(Reconnect { id: None }).unwrap_err();
    assert!(refused.hint.unwrap().contains("GHOSTLIGHT_LIVE"));
    drop((engine, hub));
}

#[test]
fn other_waits_act_on_a_feed_that_waits_and_bad_ones_change_nothing() {
    let mut rig = Rig::new();
    let id = rig.add(Some(TOKEN));
    rig.wait_for_state(id, LinkState::Connected);
    let waits = |base_ms, cap_ms| Reconnecting {
        base_ms,
        factor: 1.0,
        cap_ms,
    };
    // Up to an hour: far longer than this test waits, but for one time in sixty.
    prefer(&rig.engine, |p| {
        p.reconnecting = waits(3_600_000, 3_600_000)
    });
    drop(rig.server.take());
    rig.wait_for_state(id, LinkState::Reconnecting);
    for bad in [waits(0, 1_000), waits(2_000, 1_000), waits(1_000, u32::MAX)] {
        let preferences = Preferences {
            utc: true,
            reconnecting: bad,
            ..Preferences::default()
        };
        let refused = rig.engine.handle(SetPreferences { preferences });
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Input);
        assert!(refused.message.ends_with('.') && refused.hint.is_some());
    }
    let kept = rig.engine.handle(GetAppInfo {}).unwrap().preferences;
    assert!(!kept.utc && kept.reconnecting.cap_ms == 3_600_000);
    rig.serve();
    prefer(&rig.engine, |p| p.reconnecting = waits(500, 500));
    let back = rig.wait_for_state(id, LinkState::Connected);
    assert_eq!(
        back.traffic.connects.1, 2,
        "the same feed, and not begun anew"
    );
}
