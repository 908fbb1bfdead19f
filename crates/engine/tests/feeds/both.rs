//! A system that has JSON and, now and then, an event stream at the same address: polled while it has none, streamed
//! while it has, and each event stored once.

use super::*;

/// What it has now.
#[derive(Default)]
struct Now {
    list: Vec<String>,
    /// What its event stream says to whoever opens it; without one it has no event stream.
    stream: Option<Vec<String>>,
    open: Vec<TcpStream>,
}

struct Both {
    url: String,
    now: Arc<Mutex<Now>>,
}

impl Both {
    fn start(list: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jobs", listener.local_addr().unwrap());
        let now = Arc::new(Mutex::new(Now::default()));
        now.lock().unwrap().list = list.iter().map(|one| (*one).to_owned()).collect();
        let served = Arc::clone(&now);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                serve(socket.unwrap(), &mut served.lock().unwrap());
            }
        });
        Self { url, now }
    }

    /// From now on it has this, and what was open is over.
    fn has(&self, list: &[&str], stream: Option<&[&str]>) {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let mut now = self.now.lock().unwrap();
        now.list = owned(list);
        now.stream = stream.map(owned);
        for socket in now.open.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Says this on the event stream that is open.
    fn says(&self, event: &str) {
        let mut now = self.now.lock().unwrap();
        for socket in &mut now.open {
            // A probe's is among them, and over.
            let _ = write!(socket, "data: {event}\n\n");
        }
    }
}

fn serve(mut socket: TcpStream, now: &mut Now) {
    let head = BufReader::new(socket.try_clone().unwrap()).lines();
    let head: Vec<String> = head
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let wants_stream = head.iter().any(|line| line.contains("text/event-stream"));
    // Whoever asked may be gone.
    match (&now.stream, wants_stream) {
        (Some(events), true) => {
            let mut text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_owned();
            for event in events {
                text += &format!("data: {event}\n\n");
            }
            let _ = socket.write_all(text.as_bytes());
            now.open.push(socket);
        }
        _ => {
            let list = format!("[{}]", now.list.join(","));
            let _ = write!(
                socket,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{list}",
                list.len()
            );
        }
    }
}

const A: &str = r#"{"run_id":"r","node":"a","phase":"start"}"#;
const B: &str = r#"{"run_id":"r","node":"a","phase":"end"}"#;
const C: &str = r#"{"run_id":"r","node":"b","phase":"start"}"#;
const D: &str = r#"{"run_id":"r","node":"b","phase":"end"}"#;
const E: &str = r#"{"run_id":"r","node":"c","phase":"start"}"#;

#[test]
fn a_polled_system_whose_event_stream_comes_back_is_streamed_again_and_nothing_is_lost_or_repeated()
{
    let server = Both::start(&[A, B]);
    let mut rig = Rig::new(&server.url).patient();
    rig.settings.poll_every = Duration::from_millis(10);
    rig.settings.connection.probe_ms = 5;
    rig.settings.connection.probe_cap_ms = 5;
    let watching = rig.watch();
    let mut polling = false;
    until(&watching, "two events", |news| {
        polling |= is_state(news, State::Polling);
        matches!(news, News::Stored(count) if count.stored == 2)
    });
    assert!(polling);
    // The stream shows an old event again; C happened before it was opened, and is in the list alone.
    server.has(&[A, B, C], Some(&[B]));
    until(&watching, "the event stream", |news| {
        is_state(news, State::Connected)
    });
    stored_or_before(&rig, &watching, 3);
    server.says(D);
    stored_or_before(&rig, &watching, 4);
    // It has none any more: polled again, and later streamed again.
    server.has(&[C, D, E], None);
    until(&watching, "polling again", |news| {
        is_state(news, State::Polling)
    });
    stored_or_before(&rig, &watching, 5);
    server.has(&[D, E], Some(&[A, B, C, D, E]));
    until(&watching, "the event stream again", |news| {
        is_state(news, State::Connected)
    });
    server.says(r#"{"run_id":"r","node":"run","phase":"end"}"#);
    stored_or_before(&rig, &watching, 6);
    drop(watching);
    let nodes: Vec<String> = bodies(&rig, Kind::Workflow);
    let expected = [
        A,
        B,
        C,
        D,
        E,
        r#"{"run_id":"r","node":"run","phase":"end"}"#,
    ];
    let expected: Vec<String> = (0..)
        .zip(expected)
        .map(|(n, body)| format!("run/r {n} {body}"))
        .collect();
    assert_eq!(nodes, expected);
}

/// Waits until so many events are in the log, whenever they were stored.
fn stored_or_before(rig: &Rig, watching: &Watching, count: usize) {
    if rig.log(Kind::Workflow).len() < count {
        until(watching, &format!("{count} events"), |_| {
            rig.log(Kind::Workflow).len() >= count
        });
    }
}

#[test]
fn an_event_stream_that_names_its_events_is_never_polled() {
    let server = Both::start(&[]);
    let mut rig = Rig::new(&server.url).patient();
    rig.settings.poll_every = Duration::from_millis(10);
    rig.settings.connection.probe_ms = 5;
    rig.settings.connection.probe_cap_ms = 5;
    rig.settings.connection.fallback_after = 1;
    let watching = rig.watch();
    until(&watching, "an empty list", |news| {
        is_state(news, State::Polling)
    });
    // Nothing said yet which system it is, so its event stream says it.
    server.has(&[], Some(&[A]));
    stored(&watching, 1);
    server.has(&[A], None);
    let mut tries = 0;
    until(&watching, "some tries", |news| {
        tries += usize::from(is_state(news, State::Reconnecting));
        assert!(!is_state(news, State::Polling));
        tries > 3
    });
    drop(watching);
    assert_eq!(rig.log(Kind::Sse).len(), 1);
}
