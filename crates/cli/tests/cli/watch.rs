//! `watch` as a program: each event once and in order, whatever ends it, and what it says when it cannot go on.

use crate::{
    feed_server::{Dice, FeedServer, Proxy},
    hub::Running,
    program::{Done, Ghostlight, finish, fixture},
    server::{Reply, Server},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::{self, Message};

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn watch(ghostlight: &Ghostlight, url: &str, more: &[&str]) -> Command {
    let mut args = vec!["watch", url, "--json"];
    args.extend(more);
    let mut command = ghostlight.command(&args);
    command.env("GHOSTLIGHT_MAX_RECONNECT_DELAY_MS", "5");
    command
}

fn run(ghostlight: &Ghostlight, url: &str, more: &[&str]) -> Done {
    finish(watch(ghostlight, url, more), |_| Ok(()))
}

pub fn objects<'a>(text: &'a str, kind: &'a str) -> impl Iterator<Item = Value> + 'a {
    // The last line of a killed run may be torn.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let objects = whole
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    objects.filter(move |object| object["type"] == kind)
}

/// `stream epoch.offset`, in the order printed.
pub fn printed(text: &str) -> Vec<String> {
    let events = objects(text, "event");
    events
        .map(|event| {
            format!(
                "{} {}.{}",
                event["stream"].as_str().unwrap(),
                event["epoch"],
                event["offset"]
            )
        })
        .collect()
}

/// What the server has, as it is printed.
fn served(server: &FeedServer) -> Vec<String> {
    let mut all = Vec::new();
    for (name, stream) in server.snapshot() {
        let offsets = stream.first..stream.bodies.len();
        all.extend(offsets.map(|offset| format!("{name} {}.{offset}", stream.epoch)));
    }
    all.sort();
    all
}

/// Offsets of each stream in order, none twice.
fn assert_in_order(events: &[String]) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        let (stream, place) = event.rsplit_once('.').unwrap();
        let offset: u64 = place.parse().unwrap();
        let next = last.get(stream).map_or(0, |last| last + 1);
        assert_eq!(offset, next, "{event}");
        last.insert(stream, offset);
    }
}

#[test]
fn a_new_start_prints_only_what_is_new() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    server.append("run/1", 5);
    let first = run(&ghostlight, &server.url(), &["--count", "3"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(
        printed(&first.out),
        ["run/1 1000.0", "run/1 1000.1", "run/1 1000.2"]
    );
    let event = objects(&first.out, "event").next().unwrap();
    let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "body", "epoch", "node", "offset", "phase", "run_id", "stream", "ts", "type"
        ]
    );
    assert_eq!(
        (&event["run_id"], &event["node"], &event["phase"]),
        (&"1".into(), &"n0".into(), &"start".into())
    );
    // The body is as the server had it, its spaces and escapes included.
    let body = server.snapshot()["run/1"].bodies[0].clone();
    assert!(
        first.out.contains(&format!("\"body\":{body}}}")),
        "{}",
        first.out
    );
    let status = objects(&first.out, "status").next().unwrap();
    assert_eq!(
        (&status["state"], &status["attempt"], &status["error"]),
        (&"connecting".into(), &1.into(), &Value::Null)
    );
    let second = run(&ghostlight, &server.url(), &["--count", "2"]);
    assert_eq!(printed(&second.out), ["run/1 1000.3", "run/1 1000.4"]);
    let third = run(&ghostlight, &server.url(), &["--idle", "0.3"]);
    assert_eq!((third.code, printed(&third.out).len()), (0, 0), "{third:?}");
    let all = run(
        &ghostlight,
        &server.url(),
        &["--from-start", "--count", "5"],
    );
    assert_eq!(printed(&all.out), served(&server));
    ghostlight.healthy();
}

#[test]
fn a_trimmed_history_is_printed_as_a_gap() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    server.append("run/1", 6);
    server.trim("run/1", 4);
    for more in [&["--count", "2"][..], &["--count", "2", "--from-start"]] {
        let done = run(&ghostlight, &server.url(), more);
        let gap = objects(&done.out, "gap").next().unwrap();
        assert_eq!(
            (&gap["stream"], &gap["from"], &gap["to"]),
            (&"run/1".into(), &0.into(), &3.into())
        );
        assert_eq!(printed(&done.out), ["run/1 1000.4", "run/1 1000.5"]);
    }
    let text = finish(
        ghostlight.command(&["watch", &server.url(), "--from-start", "--count", "1"]),
        |_| Ok(()),
    );
    assert!(text.out.starts_with("gap: run/1 offsets 0–3: "), "{text:?}");
}

#[test]
fn the_history_that_is_printed_again_can_be_bounded() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    server.append("run/1", 700);
    server.append("run/2", 2);
    let first = run(&ghostlight, &server.url(), &["--count", "702"]);
    let all = printed(&first.out);
    for (limit, shown) in [("1", 1), ("3", 3), ("650", 650), ("1000000", 702)] {
        let mut command = watch(
            &ghostlight,
            &server.url(),
            &["--from-start", "--idle", "0.2"],
        );
        command.env("GHOSTLIGHT_EVENT_HISTORY_LIMIT", limit);
        let done = finish(command, |_| Ok(()));
        assert_eq!(printed(&done.out), all[702 - shown..], "{limit}");
    }
    // What is new is printed whatever the limit is.
    server.append("run/1", 5);
    let mut command = watch(&ghostlight, &server.url(), &["--count", "5"]);
    command.env("GHOSTLIGHT_EVENT_HISTORY_LIMIT", "1");
    assert_eq!(printed(&finish(command, |_| Ok(())).out).len(), 5);
    for bad in ["0", "-1", "many", "1000001"] {
        let mut command = watch(&ghostlight, &server.url(), &["--count", "1"]);
        command.env("GHOSTLIGHT_EVENT_HISTORY_LIMIT", bad);
        let done = finish(command, |_| Ok(()));
        done.refused(bad, 2, &["GHOSTLIGHT_EVENT_HISTORY_LIMIT", "1 to 1000000"]);
    }
}

#[test]
fn without_reconnecting_the_end_of_a_connection_is_the_end() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    server.append("run/1", 400);
    // Every connection is cut at some byte below 12,000, and 400 events are more.
    let proxy = Proxy::start(server.address, 3);
    for off in ["0", "false", "off"] {
        let mut command = watch(&ghostlight, &proxy.url(), &[]);
        command.env("GHOSTLIGHT_RECONNECT", off);
        let done = finish(command, |_| Ok(()));
        done.refused(off, 2, &["GHOSTLIGHT_RECONNECT is off"]);
        let states: Vec<Value> = objects(&done.out, "status")
            .map(|status| status["state"].clone())
            .collect();
        assert_eq!(states.last().unwrap(), "disconnected", "{done:?}");
        assert!(!states.contains(&"reconnecting".into()), "{done:?}");
    }
    let mut command = watch(
        &ghostlight,
        &proxy.url(),
        &["--from-start", "--count", "400"],
    );
    command.env("GHOSTLIGHT_RECONNECT", "on");
    let done = finish(command, |_| Ok(()));
    assert_eq!((done.code, printed(&done.out).len()), (0, 400), "{done:?}");
    let mut command = watch(&ghostlight, &server.url(), &[]);
    command.env("GHOSTLIGHT_RECONNECT", "maybe");
    finish(command, |_| Ok(())).refused("maybe", 2, &["GHOSTLIGHT_RECONNECT", "off"]);
}

#[test]
fn the_waits_come_from_the_environment_and_live_features_can_be_switched_off_there() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    server.append("run/1", 1);
    for (name, bad, part) in [
        ("GHOSTLIGHT_MAX_RECONNECT_DELAY_MS", "soon", "milliseconds"),
        ("GHOSTLIGHT_RECONNECT_DELAY_MS", "-1", "milliseconds"),
        // Longer than the 5 ms that every test sets as the longest.
        (
            "GHOSTLIGHT_RECONNECT_DELAY_MS",
            "6",
            "GHOSTLIGHT_MAX_RECONNECT_DELAY_MS",
        ),
        ("GHOSTLIGHT_RECONNECT_FACTOR", "11", "from 1 to 10"),
        ("GHOSTLIGHT_LIVE", "perhaps", "off"),
        ("GHOSTLIGHT_LIVE", "off", "no feed is followed"),
    ] {
        let mut command = watch(&ghostlight, &server.url(), &["--count", "1"]);
        command.env(name, bad);
        finish(command, |_| Ok(())).refused(bad, 2, &[name, part]);
    }
    // Nothing was connected, so this is all new.
    let mut command = watch(&ghostlight, &server.url(), &["--count", "1"]);
    command.env("GHOSTLIGHT_LIVE", "on");
    command.env("GHOSTLIGHT_RECONNECT_DELAY_MS", "1");
    command.env("GHOSTLIGHT_RECONNECT_FACTOR", "1.5");
    assert_eq!(printed(&finish(command, |_| Ok(())).out).len(), 1);
}

#[test]
fn a_transport_of_a_hub_can_be_left_out_and_one_has_to_be_left() {
    let served = Ghostlight::new();
    let done = served.run(&["analyze", &fixture("full.html"), "--jsonl"]);
    assert_eq!(done.code, 0, "{done:?}");
    let hub = Running::start(served.command(&["hub"]));
    for (without, used) in [
        ("websocket", "sse"),
        ("websocket,sse", "poll"),
        ("sse,poll", "websocket"),
    ] {
        let ghostlight = Ghostlight::new();
        let args = ["--from-start", "--count", "1", "--without", without];
        let mut command = watch(&ghostlight, &hub.url, &args);
        command.env("GHOSTLIGHT_FEED_TOKEN", &hub.token);
        let done = finish(command, |_| Ok(()));
        assert_eq!(done.code, 0, "{done:?}");
        let used_ones: Vec<Value> = objects(&done.out, "status")
            .map(|status| status["transport"].clone())
            .collect();
        assert!(!used_ones.is_empty(), "{done:?}");
        assert!(used_ones.iter().all(|one| one == used), "{done:?}");
    }
    for (bad, part) in [
        ("websocket,sse,poll", "allow at least one"),
        ("pigeon", "websocket, sse, poll"),
    ] {
        let command = watch(&served, &hub.url, &["--without", bad]);
        finish(command, |_| Ok(())).refused(bad, 2, &["--without", part]);
    }
}

#[test]
fn killed_while_receiving_it_loses_nothing() {
    const KILLS: usize = 12;
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    let proxy = Proxy::start(server.address, 7);
    let folder = tempfile::tempdir().unwrap();
    let (mut dice, mut union, mut round) = (Dice(7), Vec::new(), 0);
    server.append("run/0", 50);
    let begun = Instant::now();
    for kill in 0..=KILLS {
        let path = folder.path().join(kill.to_string());
        let mut child = watch(&ghostlight, &proxy.url(), &[])
            .stdin(Stdio::null())
            .stdout(File::create(&path).unwrap())
            .spawn()
            .unwrap();
        let read = || String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let last = kill == KILLS;
        if last {
            proxy.be_gentle();
        }
        // Killed behind some printed line, in the middle of receiving more.
        let wanted = if last {
            usize::MAX
        } else {
            1 + dice.roll(60) as usize
        };
        let all = served(&server).len();
        loop {
            let text = read();
            let events = printed(&text).len();
            if events >= wanted || (last && union.len() + events >= all) {
                break;
            }
            if !last {
                server.append(&format!("run/{}", round % 4), 1 + round % 9);
                round += 1;
            }
            assert!(begun.elapsed() < PATIENCE, "{events} of {wanted}: {text}");
            std::thread::sleep(Duration::from_millis(2));
        }
        if last {
            terminate(&mut child)
        } else {
            child.kill().unwrap()
        }
        let status = child.wait().unwrap();
        // Where there are no signals, the last is killed as the others are.
        assert_eq!(status.success(), last && cfg!(unix));
        union.extend(printed(&read()));
    }
    // A kill between a write and its mark may print a piece again; an event is never lost, and stored once.
    let again = run(
        &ghostlight,
        &server
            .url()
            .replace(&server.address.to_string(), &proxy.address.to_string()),
        &["--from-start", "--idle", "0.3"],
    );
    let stored = printed(&again.out);
    assert_in_order(&stored);
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(stored), served(&server));
    let mut union = sorted(union);
    union.dedup();
    assert_eq!(union, served(&server));
    ghostlight.healthy();
}

#[cfg(unix)]
pub fn terminate(child: &mut Child) {
    let done = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}

#[cfg(not(unix))]
pub fn terminate(child: &mut Child) {
    child.kill().unwrap();
}

#[test]
fn what_stops_it_is_said() {
    let (server, ghostlight) = (
        FeedServer::with(Some("right"), Vec::new()),
        Ghostlight::new(),
    );
    server.append("run/1", 1);
    for (url, token, code, words) in [
        (server.url(), "wrong", 2, "unauthorized"),
        (
            server.url().replace("ws://", "ws://me:hush@"),
            "right",
            2,
            "unauthorized",
        ),
        ("gopher://x/".into(), "right", 2, "ws://"),
    ] {
        let mut command = watch(&ghostlight, &url, &["--count", "1"]);
        command.env("GHOSTLIGHT_FEED_TOKEN", token);
        let done = finish(command, |_| Ok(()));
        done.refused(&url, code, &[words]);
        assert!(
            !done.err.contains("hush") && !done.out.contains("hush"),
            "{done:?}"
        );
        if let Some(last) = objects(&done.out, "status").last() {
            let told = (&last["state"], &last["attempt"]);
            assert_eq!(told, (&"disconnected".into(), &1.into()), "{done:?}");
            assert!(last["error"].as_str().unwrap().contains(words), "{last}");
        }
    }
    let mut command = watch(&ghostlight, &server.url(), &["--count", "1"]);
    command.env("GHOSTLIGHT_FEED_TOKEN", "right");
    let done = finish(command, |_| Ok(()));
    assert_eq!((done.code, printed(&done.out).len()), (0, 1), "{done:?}");
    // Nobody there: it keeps trying until it is told to end.
    let done = run(&ghostlight, "ws://127.0.0.1:1/v1", &["--idle", "0.4"]);
    assert_eq!(done.code, 0, "{done:?}");
    let tries = objects(&done.out, "status").filter(|status| status["state"] == "reconnecting");
    assert!(
        tries
            .map(|status| status["attempt"].as_u64().unwrap())
            .max()
            > Some(1),
        "{done:?}"
    );
}

#[test]
fn an_address_that_can_never_work_is_refused_before_anything_is_connected() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    for bad in ["bad", "run/a*b", "", "RUN/x", "run/a%00b"] {
        let url = format!("{}?stream={bad}", server.url());
        for more in [&[][..], &["--adapter", "hub"]] {
            let done = run(&ghostlight, &url, more);
            done.refused(bad, 2, &["?stream=", "run/*"]);
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_version_that_the_server_does_not_speak_ends_it() {
    let rude =
        r#"{"type":"error","code":"version","message":"only 2 is spoken here","fatal":true}"#;
    let server = FeedServer::with(None, vec![Message::text(rude)]);
    server.append("run/1", 1);
    let ghostlight = Ghostlight::new();
    let done = run(&ghostlight, &server.url(), &[]);
    done.refused("version", 2, &["only 2 is spoken here", "Update"]);
    let states: Vec<Value> = objects(&done.out, "status")
        .map(|status| status["state"].clone())
        .collect();
    assert_eq!(
        states,
        ["connecting", "connected", "disconnected"],
        "{done:?}"
    );
    assert_eq!(printed(&done.out).len(), 1, "{done:?}");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let (server, ghostlight) = (FeedServer::start(), Ghostlight::new());
    server.append("run/1", 2_000);
    let mut child = watch(&ghostlight, &server.url(), &[])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !line.contains("\"event\"") {
        line.clear();
        out.read_line(&mut line).unwrap();
    }
    drop(out);
    server.append("run/1", 2_000);
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE);
        server.append("run/1", 1);
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Follows a hub with `--publish` until it printed a line of this kind; the line.
fn publishing(ghostlight: &Ghostlight, hub: &Running, kind: &str) -> Value {
    let url = format!("{}?stream=log/nothing", hub.url);
    let mut child = watch(ghostlight, &url, &["--publish", "--idle", "60"])
        .env("GHOSTLIGHT_FEED_TOKEN", &hub.token)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut objects = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let found = objects.find(|object| object["type"] == kind);
    terminate(&mut child);
    child.wait().unwrap();
    found.unwrap_or_else(|| panic!("no line of the kind {kind}"))
}

#[test]
fn finished_runs_are_published_once() {
    let (ghostlight, served, third) = (Ghostlight::new(), Ghostlight::new(), Ghostlight::new());
    let done = ghostlight.run(&["analyze", &fixture("full.html"), "--jsonl"]);
    let mut events = done.objects();
    let result = events.pop().unwrap();
    let run = result["run_id"].as_str().unwrap();
    let hub = Running::start(served.command(&["hub"]));
    let line = publishing(&ghostlight, &hub, "published");
    assert_eq!(line["stream"], format!("run/{run}"), "{line}");
    assert_eq!(
        (&line["first_offset"], &line["last_offset"]),
        (&0.into(), &(events.len() - 1).into()),
        "{line}"
    );
    // A second start sends only what ended since.
    let failed = ghostlight.run(&["analyze", &fixture("empty.html"), "--json"]);
    let failed = failed.objects().remove(0);
    let line = publishing(&ghostlight, &hub, "published");
    let stream = format!("run/{}", failed["run_id"].as_str().unwrap());
    assert_eq!(line["stream"], stream, "{line}");
    // Whoever follows that hub has the run's events as they are.
    let mut follow = watch(
        &third,
        &format!("{}?stream=run/{run}", hub.url),
        &["--count", &events.len().to_string()],
    );
    follow.env("GHOSTLIGHT_FEED_TOKEN", &hub.token);
    let followed = finish(follow, |_| Ok(()));
    let bodies: Vec<Value> = objects(&followed.out, "event")
        .map(|event| event["body"].clone())
        .collect();
    assert_eq!(bodies, events);
}

#[test]
fn a_refused_run_is_said_and_kept() {
    let (ghostlight, served) = (Ghostlight::new(), Ghostlight::new());
    let done = ghostlight.run(&["analyze", &fixture("full.html"), "--json"]);
    let run = done.objects().remove(0)["run_id"].clone();
    // A copy of the folder, its runs included: what a hub wrote itself nobody else writes.
    for name in ["ghostlight.db", "ghostlight.db-wal"] {
        let from = ghostlight.data.path().join(name);
        std::fs::copy(from, served.data.path().join(name)).unwrap();
    }
    let hub = Running::start(served.command(&["hub"]));
    let line = publishing(&ghostlight, &hub, "held");
    assert_eq!(
        (&line["stream"], &line["code"]),
        (
            &format!("run/{}", run.as_str().unwrap()).into(),
            &"conflict".into()
        ),
        "{line}"
    );
    ghostlight.healthy();
}

#[test]
fn only_a_hub_is_published_to() {
    let ghostlight = Ghostlight::new();
    let done = run(
        &ghostlight,
        "ws://127.0.0.1:1/events",
        &["--publish", "--adapter", "workflow"],
    );
    done.refused("a foreign feed", 2, &["workflow", "only a hub"]);
}

/// Another system at the path of a hub: what it does when it is greeted.
fn foreign(then: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        listener.incoming().map_while(Result::ok).for_each(then);
    });
    address.to_string()
}

#[test]
fn another_system_at_the_path_of_a_hub_is_told_with_the_way_out() {
    let event = r#"{"run_id":"r","node":"n","phase":"start"}"#;
    let says_its_own = foreign(move |socket| {
        let Ok(mut socket) = tungstenite::accept(socket) else {
            return;
        };
        let _ = socket.send(Message::text(event));
        // Until the client has had enough.
        while socket.read().is_ok() {}
    });
    let hangs_up = foreign(|socket| {
        if let Ok(mut socket) = tungstenite::accept(socket) {
            let _ = socket.read();
            let _ = socket.close(None);
            let _ = socket.flush();
        }
    });
    let has_no_websocket = Server::start(|_| Reply::status("404 Not Found"));
    let ghostlight = Ghostlight::new();
    for url in [
        format!("ws://{says_its_own}/v1"),
        format!("ws://{hangs_up}/v1"),
        has_no_websocket.url("/api/v1"),
    ] {
        let mut command = watch(&ghostlight, &url, &["--count", "1"]);
        command.env("GHOSTLIGHT_RECONNECT", "0");
        let done = finish(command, |_| Ok(()));
        let hint = "--adapter workflow, typed or sse";
        done.refused(&url, 2, &[&url, hint]);
        let last = objects(&done.out, "status").last().unwrap();
        assert!(last["error"].as_str().unwrap().contains(hint), "{last}");
    }
    // It is the way out.
    let url = format!("ws://{says_its_own}/v1");
    let done = run(
        &ghostlight,
        &url,
        &["--adapter", "workflow", "--count", "1"],
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(objects(&done.out, "event").count(), 1, "{done:?}");
    // A server that is not there at all may be a hub as well as anything.
    let mut command = watch(&ghostlight, "ws://127.0.0.1:1/v1", &[]);
    command.env("GHOSTLIGHT_RECONNECT", "0");
    let done = finish(command, |_| Ok(()));
    assert!(!done.err.contains("--adapter"), "{done:?}");
}
