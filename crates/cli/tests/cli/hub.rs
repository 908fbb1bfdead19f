//! `hub` and `demo-feed` as programs: the line they print, what survives kill -9, how they end.

use crate::program::{Done, Ghostlight, finish};
use ghostlight_model::{Micros, StreamId};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A hub under way.
pub struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    pub url: String,
    pub token: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        assert_eq!(ready.as_object().unwrap().len(), 2, "{line}");
        Self {
            child,
            out,
            url: text("listening"),
            token: text("token"),
        }
    }

    pub fn client(&self) -> Client {
        let mut client = self.greet(&self.token);
        assert_eq!(client.next()["type"], "welcome");
        client
    }

    /// A client that has shown this token; the answer is still to come.
    pub fn greet(&self, token: &str) -> Client {
        let address = self
            .url
            .strip_prefix("ws://")
            .and_then(|rest| rest.strip_suffix("/v1"))
            .unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = self.url.as_str().into_client_request().unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut client = Client(socket);
        client.send(json!({"type": "hello", "version": 1, "token": token, "client": "test"}));
        client
    }

    /// Gives the process this signal.
    #[cfg(unix)]
    pub fn tell(&self, name: &str) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-s", name, &id]).status();
        assert!(told.unwrap().success());
    }

    /// At once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it by this signal; its exit code, and what else it printed.
    #[cfg(unix)]
    pub fn signal(mut self, name: &str) -> (Option<i32>, String) {
        self.tell(name);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} does not end it");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (status.code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Client(WebSocket<TcpStream>);

impl Client {
    pub fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).unwrap();
    }

    pub fn next(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    pub fn skip_to(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next();
            if frame["type"] == kind {
                return frame;
            }
        }
    }
}

#[test]
fn what_was_accepted_survives_kill_9() {
    let ghostlight = Ghostlight::new();
    let mut accepted = Vec::new();
    for round in 0..3 {
        let hub = Running::start(ghostlight.command(&["hub"]));
        let mut client = hub.client();
        let key = format!("round {round}");
        client.send(
            json!({"type": "publish", "key": key, "stream": "run/k", "body": {"round": round}}),
        );
        let answer = client.next();
        hub.kill();
        assert_eq!(
            (&answer["type"], &answer["duplicate"]),
            (&json!("accepted"), &json!(false)),
            "{answer}"
        );
        accepted.push(answer);
    }
    let hub = Running::start(ghostlight.command(&["hub"]));
    let mut client = hub.client();
    let epoch = &accepted[0]["epoch"];
    client.send(json!({"type": "subscribe", "id": 1, "stream": "run/k", "from": {"epoch": epoch, "offset": 0}}));
    let subscribed = client.next();
    assert_eq!(
        (&subscribed["recovered"], &subscribed["next_offset"]),
        (&json!(true), &json!(3)),
        "{subscribed}"
    );
    for (round, accepted) in accepted.iter().enumerate() {
        let event = client.next();
        assert_eq!(
            (&event["epoch"], &event["offset"]),
            (epoch, &accepted["first_offset"])
        );
        assert_eq!(event["body"], json!({"round": round}));
    }
    // Whoever did not hear the answer sends the same again.
    client.send(
        json!({"type": "publish", "key": "round 2", "stream": "run/k", "body": {"round": 2}}),
    );
    let again = client.skip_to("accepted");
    assert_eq!(
        (&again["duplicate"], &again["first_offset"]),
        (&json!(true), &json!(2))
    );
}

#[cfg(unix)]
#[test]
fn it_prints_one_line_and_ends_at_a_signal() {
    let ghostlight = Ghostlight::new();
    let mut tokens = Vec::new();
    for name in ["TERM", "INT"] {
        let hub = Running::start(ghostlight.command(&["hub"]));
        tokens.push(hub.token.clone());
        let mut client = hub.client();
        assert_eq!(hub.signal(name), (Some(0), String::new()));
        let error = client.skip_to("error");
        assert_eq!(
            (&error["code"], &error["fatal"]),
            (&json!("unavailable"), &json!(true))
        );
    }
    assert_eq!(tokens[0], tokens[1], "the folder keeps its token");
}

#[test]
fn a_token_of_ones_own_comes_by_the_environment() {
    let ghostlight = Ghostlight::new();
    let mut command = ghostlight.command(&["hub"]);
    command.env("GHOSTLIGHT_HUB_TOKEN", "a-token-of-my-own-42");
    let hub = Running::start(command);
    assert_eq!(hub.token, "a-token-of-my-own-42");
    hub.client();
    hub.kill();
    let mut command = ghostlight.command(&["hub"]);
    command.env("GHOSTLIGHT_HUB_TOKEN", "short");
    let done: Done = finish(command, |_| Ok(()));
    done.refused("short token", 2, &["GHOSTLIGHT_HUB_TOKEN", "16"]);
}

#[test]
fn an_address_that_cannot_be_used_is_named() {
    let ghostlight = Ghostlight::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (listen, words) in [
        (
            address.as_str(),
            &[address.as_str(), "in use", "--listen"][..],
        ),
        (
            "0.0.0.0:0",
            &["other machines", "--tls-cert", "--insecure-listen"],
        ),
        ("nonsense", &["nonsense"]),
    ] {
        let done = ghostlight.run(&["hub", "--listen", listen]);
        done.refused(listen, 2, words);
        assert_eq!(done.out, "");
    }
}

#[cfg(unix)]
#[test]
fn the_demo_feed_invents_runs_that_can_be_followed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostlight"));
    command
        .env_remove("GHOSTLIGHT_DATA")
        .args(["demo-feed", "--rate", "500"]);
    let hub = Running::start(command);
    let mut client = hub.client();
    client.send(json!({"type": "subscribe", "id": 1, "stream": "run/*"}));
    let mut next = std::collections::BTreeMap::new();
    for _ in 0..300 {
        let event = client.skip_to("event");
        let next: &mut u64 = next.entry(event["stream"].to_string()).or_default();
        assert_eq!(event["offset"], *next, "{event}");
        *next += 1;
        assert!(event["body"]["node"].is_string(), "{event}");
    }
    assert!(next.len() > 4, "several runs");
    assert_eq!(hub.signal("INT"), (Some(0), String::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn it_lets_itself_open_as_many_files_as_it_needs() {
    let ghostlight = Ghostlight::new();
    let limited = |limits: &str, more: &[&str]| {
        let program = ghostlight.command(more);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{limits}; exec \"$0\" \"$@\""));
        shell.arg(program.get_program()).args(program.get_args());
        shell
    };
    let open_files = |hub: &Running| -> String {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", hub.child.id())).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max open files"));
        line.unwrap().split_whitespace().nth(3).unwrap().to_owned()
    };
    let hub = Running::start(limited(
        "ulimit -S -n 200",
        &["hub", "--connections", "500"],
    ));
    assert_eq!(open_files(&hub), "628");
    hub.client();
    hub.kill();
    // What the system does not allow is said, and the hub runs all the same.
    for (more, said) in [(&["hub"][..], true), (&["hub", "--quiet"], false)] {
        let mut command = limited("ulimit -n 300", more);
        command.stderr(Stdio::piped());
        let mut hub = Running::start(command);
        let mut err = hub.child.stderr.take().unwrap();
        hub.client();
        hub.kill();
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        let words = "300 open files, enough for about 172 connections and not for 10000";
        assert_eq!(text.contains(words), said, "{text}");
    }
}

#[test]
fn our_client_follows_our_hub_over_tls() {
    let ghostlight = Ghostlight::new();
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    for name in ["ours", "other"] {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(file(&format!("{name}.pem")), made.cert.pem()).unwrap();
        std::fs::write(
            file(&format!("{name}.key")),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
    }
    let (cert, key) = (file("ours.pem"), file("ours.key"));
    let hub = Running::start(ghostlight.command(&["hub", "--tls-cert", &cert, "--tls-key", &key]));
    assert!(hub.url.starts_with("wss://127.0.0.1:"), "{}", hub.url);
    let bodies = (0..3).map(|n| json!({ "n": n }).to_string()).collect();
    let store = ghostlight_hub::Hub::open(ghostlight.data.path()).unwrap();
    let published = store.publish_keyed(
        "k".into(),
        StreamId("run/s".into()),
        bodies,
        Micros(1_700_000_000_000_000),
    );
    published.wait().unwrap();

    let watch = |url: &str, trusted: &str| {
        let client = Ghostlight::new();
        let mut command = client.command(&["watch", url, "--json", "--count", "3"]);
        command
            .env("SSL_CERT_FILE", file(trusted))
            .env("GHOSTLIGHT_FEED_TOKEN", &hub.token)
            .env("GHOSTLIGHT_RECONNECT", "off");
        finish(command, |_| Ok(()))
    };
    for url in [hub.url.clone(), hub.url.replace("wss:", "https:")] {
        let done = watch(&url, "ours.pem");
        assert_eq!(done.code, 0, "{url}: {done:?}");
        let events = done.objects().into_iter();
        let events = events.filter(|object| object["type"] == "event");
        let numbers: Vec<Value> = events.map(|event| event["body"]["n"].clone()).collect();
        assert_eq!(numbers, [0, 1, 2], "{url}");
        // A certificate that nobody vouches for ends it before the token is shown.
        let done = watch(&url, "other.pem");
        done.refused(&url, 2, &["certificate", "GHOSTLIGHT_RECONNECT is off"]);
        assert!(
            done.objects()
                .iter()
                .all(|object| object["type"] == "status")
        );
    }
    // Nor does it take plaintext for what was to be safe.
    let done = watch(&hub.url.replace("wss:", "ws:"), "ours.pem");
    assert_eq!(done.code, 2, "{done:?}");
    hub.kill();
}
