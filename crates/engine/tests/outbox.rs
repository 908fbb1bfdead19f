//! Finished runs published to a real hub over real sockets: offline, cut, killed, refused and on a full disk, the hub
//! has each body once and in order, or a person is told why not.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../tests/support/feed_server.rs"]
mod feed_server;

use feed_server::{Dice, Proxy};
use ghostlight_engine::{
    StoreError,
    feeds::{
        News, Options, Watching,
        feed::{
            Ended, Endpoint, Kind, Secret, Settings,
            backoff::Backoff,
            connection::{State, Transport, Transports},
        },
    },
    outbox::{self, OutboxCounts, Told, Why},
};
use ghostlight_hub::{
    Hub,
    server::{Config, Limits, Server, Token},
};
use ghostlight_model::{
    EventBody, Micros, Offset, Phase, RunId, Step, StreamId, event::Fact, run::RunStatus,
};
use ghostlight_store::{DATABASE, NewEntry, OpenOptions, Store, read::RunFilter};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than anything here takes; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A hub that others publish to. It keeps its address and its log when it is stopped.
struct Remote {
    _folder: TempDir,
    hub: Hub,
    address: SocketAddr,
    server: Option<Server>,
}

impl Remote {
    /// Not started: nobody answers at its address.
    fn away() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            _folder: folder,
            hub,
            address,
            server: None,
        }
    }

    fn start() -> Self {
        let mut remote = Self::away();
        remote.come(Limits::default());
        remote
    }

    fn come(&mut self, limits: Limits) {
        self.go();
        let token = Token::new(TOKEN).unwrap();
        let mut config = Config::new(self.address, token, || Micros(5_000));
        config.limits = limits;
        self.server = Some(Server::start(self.hub.clone(), config).unwrap());
    }

    fn go(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    fn url(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    /// Bodies of every stream.
    fn log(&self) -> BTreeMap<StreamId, Vec<String>> {
        let streams = self.hub.store().streams("", None, 100_000).unwrap();
        let read = |stream: StreamId| {
            let bodies = bodies(self.hub.store(), &stream);
            (stream, bodies)
        };
        streams.into_iter().map(|info| read(info.stream)).collect()
    }
}

/// All of a stream, which must be dense from 0.
fn bodies(store: &Store, stream: &StreamId) -> Vec<String> {
    let page = store.stream_page(stream, Offset(0), usize::MAX >> 1, usize::MAX);
    let page = page.unwrap().unwrap();
    let events = page.events.into_iter().enumerate();
    let bodies: Vec<String> = events
        .map(|(n, event)| {
            assert_eq!(event.offset.0, n as u64, "{stream}");
            event.body
        })
        .collect();
    assert_eq!(page.head.0, bodies.len() as u64, "{stream}");
    bodies
}

/// A data folder whose runs are published.
struct Local {
    folder: TempDir,
    hub: Hub,
    settings: Settings,
}

impl Local {
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path()).unwrap();
        Self {
            hub,
            folder,
            settings: settings(url),
        }
    }

    fn store(&self) -> &Store {
        self.hub.store()
    }

    fn watch(&self) -> Watching {
        watch(&self.hub, &self.settings)
    }

    fn to(&self) -> String {
        self.settings.endpoint.feed_id(Kind::Hub)
    }

    fn counts(&self) -> OutboxCounts {
        outbox::counts(self.store(), &self.to()).unwrap()
    }

    /// What waits and why, in a small notation.
    fn page(&self, running: Option<&outbox::Running>) -> Vec<String> {
        let page = outbox::page(self.store(), &self.to(), 0, 100, running).unwrap();
        assert_eq!(page.total as usize, page.rows.len());
        let drawn = page.rows.into_iter().map(|row| match row.why {
            Why::Turn => row.what,
            Why::BehindHeld => format!("{} behind", row.what),
            Why::Held(held) => format!("{} held {}", row.what, held.code),
            Why::Retrying(held) => format!("{} retrying {}", row.what, held.code),
        });
        drawn.collect()
    }

    /// Waits until so many entries wait.
    fn queued(&self, count: u64) {
        let begun = Instant::now();
        while self.counts().waiting != count {
            assert!(begun.elapsed() < LIMIT, "{:?}", self.counts());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn settings(url: &str) -> Settings {
    // Nothing is published under this name, so that only what is sent takes the connection's time.
    let (endpoint, _) = Endpoint::parse(&format!("{url}?stream=log/nothing")).unwrap();
    let mut settings = Settings::new(endpoint, Some(Secret(TOKEN.into())));
    settings.kind = Some(Kind::Hub);
    settings.connection.backoff = Backoff::new(1, 1.0, 4).unwrap();
    settings.connection.transports = Transports::only(Transport::WebSocket);
    settings
}

fn watch(hub: &Hub, settings: &Settings) -> Watching {
    let options = Options {
        publish: Some(hub.clone()),
        ..Options::default()
    };
    Watching::start(hub.store(), settings.clone(), options).unwrap()
}

/// A run of so many events of so many bytes, from its start to its end.
fn finish(hub: &Hub, name: &str, events: usize, bytes: usize) -> RunId {
    let run = begin(hub, name, events - 1, bytes);
    let end = event(&run, Step::Score, Phase::End, events);
    hub.publish(run.stream(), vec![end]).wait().unwrap();
    run
}

fn begin(hub: &Hub, name: &str, events: usize, bytes: usize) -> RunId {
    let run = RunId(name.into());
    let mut all = vec![event(&run, Step::Fetch, Phase::Start, 0)];
    all[0].fact = Some(Box::new(Fact::Started {
        input: format!("page {name}"),
        location: None,
        index: 0,
        pipeline: "ghostlight 0.1.0".into(),
        process: "process-1".into(),
    }));
    all.extend((1..events).map(|n| {
        let mut one = event(&run, Step::Detect, Phase::Field, n);
        let text = format!("é\u{7} \"{n}\" {}", "x".repeat(bytes));
        one.metrics.insert("text".into(), json!(text));
        one
    }));
    hub.publish(run.stream(), all).wait().unwrap();
    run
}

fn event(run: &RunId, step: Step, phase: Phase, n: usize) -> EventBody {
    EventBody {
        ts: Micros(1_767_571_200_000_000 + n as i64),
        run_id: run.clone(),
        node: step.node().into(),
        phase,
        duration_ms: None,
        metrics: BTreeMap::new(),
        issues: vec![],
        fact: None,
    }
}

/// Takes news until `done` says so.
fn until(watching: &Watching, what: &str, mut done: impl FnMut(&News) -> bool) {
    let begun = Instant::now();
    let mut seen = Vec::new();
    while begun.elapsed() < LIMIT {
        if let Some(news) = watching.next(Some(Duration::from_millis(100))) {
            if done(&news) {
                return;
            }
            seen.push(format!("{news:?}"));
        }
    }
    let from = seen.len().saturating_sub(20);
    panic!("{what} did not come; the last news: {:#?}", &seen[from..]);
}

/// Waits until so many entries are delivered; what they are, and how many of them the hub had already.
fn delivered(watching: &Watching, count: usize) -> (Vec<String>, usize) {
    let (mut names, mut duplicates) = (Vec::new(), 0);
    until(watching, &format!("{count} deliveries"), |news| {
        if let News::Outbox(Told::Delivered { entry, accepted }) = news {
            names.push(entry.what.clone());
            duplicates += usize::from(accepted.duplicate);
        }
        names.len() >= count
    });
    (names, duplicates)
}

fn told(watching: &Watching, what: &str, mut done: impl FnMut(&Told) -> bool) {
    until(
        watching,
        what,
        |news| matches!(news, News::Outbox(told) if done(told)),
    );
}

/// Every ended run of the folder stands on the hub, body for body, and nothing else does.
fn assert_published(local: &Hub, remote: &Remote) -> usize {
    // What the hub sends back of ours stands in the list as well.
    let own = RunFilter {
        origin: Some("local".into()),
        ..RunFilter::default()
    };
    let runs = local.store().runs(&own, 0, 100_000).unwrap().rows;
    let ended = runs
        .into_iter()
        .filter(|run| run.line.status != RunStatus::Running);
    let ours: BTreeMap<StreamId, Vec<String>> = ended
        .map(|run| {
            let stream = run.line.run_id.stream();
            let bodies = bodies(local.store(), &stream);
            (stream, bodies)
        })
        .collect();
    let theirs = remote.log();
    assert_eq!(
        theirs.keys().collect::<Vec<_>>(),
        ours.keys().collect::<Vec<_>>()
    );
    for (stream, bodies) in &ours {
        assert!(&theirs[stream] == bodies, "{stream} differs");
    }
    assert_eq!(local.store().check().unwrap(), Vec::<String>::new());
    ours.len()
}

#[test]
fn what_ended_offline_is_delivered_in_order_when_the_hub_is_back() {
    let mut remote = Remote::away();
    let local = Local::new(&remote.url());
    // Before anybody watched, and while the hub is away; one is still under way.
    finish(&local.hub, "before", 3, 10);
    let watching = local.watch();
    local.queued(1);
    for n in 0..20 {
        finish(&local.hub, &format!("run-{n:02}"), 2 + n, 50);
    }
    let open = begin(&local.hub, "open", 5, 10);
    local.queued(21);
    assert_eq!(local.page(watching.remote().outbox())[1], "run page run-00");
    until(&watching, "trouble", |news| match news {
        News::Status(status) => status.state == State::Reconnecting,
        _ => false,
    });
    assert_eq!(remote.log(), BTreeMap::new());
    remote.come(Limits::default());
    let (names, duplicates) = delivered(&watching, 21);
    assert_eq!((names.len(), duplicates), (21, 0));
    assert_eq!(local.counts(), OutboxCounts::default());
    assert_eq!(assert_published(&local.hub, &remote), 21);
    // Live from now on.
    let end = event(&open, Step::Score, Phase::End, 9);
    local.hub.publish(open.stream(), vec![end]).wait().unwrap();
    assert_eq!(delivered(&watching, 1).0, ["run page open"]);
    drop(watching);
    // Nothing is queued twice by the next start.
    let watching = local.watch();
    finish(&local.hub, "last", 2, 10);
    assert_eq!(delivered(&watching, 1), (vec!["run page last".into()], 0));
    assert_eq!(assert_published(&local.hub, &remote), 23);
    let place = local.store().outbox_run(&local.to(), &open).unwrap();
    let (_, first, last) = place.unwrap().place.unwrap();
    assert_eq!((first, last), (Offset(0), Offset(5)));
    assert!(!outbox::queue_run(local.store(), &local.to(), &open).unwrap());
}

#[test]
fn cuts_at_any_byte_cost_nothing_and_repeat_nothing() {
    const CUTS: usize = 300;
    const AHEAD: u64 = 20;
    let seed = 11;
    let remote = Remote::start();
    let proxy = Proxy::start(remote.address, seed);
    let mut local = Local::new(&proxy.url());
    local.settings.connection.heartbeat_ms = 300;
    local.settings.connection.pong_ms = 300;
    // Events too, so that cuts hit both ways; and every transport, as one after the other fails.
    local.settings.endpoint = Endpoint::parse(&proxy.url()).unwrap().0;
    local.settings.connection.transports = Transports::auto();
    local.settings.connection.probe_ms = 20;
    local.settings.connection.probe_cap_ms = 20;
    let mut watching = local.watch();
    let (mut dice, mut runs, mut done, mut duplicates) = (Dice(seed), 0, 0, 0);
    let mut restarted = false;
    let mut count = |watching: &Watching| {
        if let Some(News::Outbox(Told::Delivered { accepted, .. })) =
            watching.next(Some(Duration::from_millis(1)))
        {
            done += 1;
            duplicates += usize::from(accepted.duplicate);
        }
        (done, duplicates)
    };
    let begun = Instant::now();
    while proxy.cuts() < CUTS {
        assert!(begun.elapsed() < LIMIT, "{} cuts", proxy.cuts());
        if local.counts().waiting < AHEAD {
            let (events, bytes) = (2 + dice.roll(12) as usize, dice.roll(400) as usize);
            finish(&local.hub, &format!("run-{runs}"), events, bytes);
            runs += 1;
        }
        count(&watching);
        if !restarted && proxy.cuts() > CUTS / 2 {
            restarted = true;
            // As if the program were started again.
            drop(watching);
            watching = local.watch();
        }
    }
    proxy.be_gentle();
    local.queued(0);
    let (_, duplicates) = count(&watching);
    println!(
        "{} cuts, {runs} runs, {duplicates} answers lost, {:?}",
        proxy.cuts(),
        begun.elapsed()
    );
    assert_eq!(assert_published(&local.hub, &remote), runs);
}

/// Passes everything on, but cuts the first `cuts` connections where an answer to a publish begins.
fn without_answers(to: SocketAddr, cuts: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let made = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&made);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut server = TcpStream::connect(to).unwrap();
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let (mut bytes, mut said) = (vec![0; 4_096], String::new());
                while let Ok(read @ 1..) = server.read(&mut bytes) {
                    said += &String::from_utf8_lossy(&bytes[..read]);
                    let cut = said.contains("accepted") && counted.load(Ordering::SeqCst) < cuts;
                    if cut || client.write_all(&bytes[..read]).is_err() {
                        counted.fetch_add(usize::from(cut), Ordering::SeqCst);
                        break;
                    }
                }
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    (address, made)
}

#[test]
fn a_lost_answer_is_asked_for_with_the_same_key() {
    for transport in [Transport::WebSocket, Transport::Sse] {
        let remote = Remote::start();
        let (address, cuts) = without_answers(remote.address, 3);
        let mut local = Local::new(&format!("ws://{address}/v1"));
        local.settings.connection.transports = Transports::only(transport);
        finish(&local.hub, "a", 4, 10);
        let watching = local.watch();
        let (names, duplicates) = delivered(&watching, 1);
        assert_eq!((names.len(), duplicates), (1, 1), "{transport:?}");
        assert_eq!(cuts.load(Ordering::SeqCst), 3, "{transport:?}");
        assert_eq!(assert_published(&local.hub, &remote), 1);
    }
}

#[test]
fn every_transport_publishes() {
    for transport in [Transport::WebSocket, Transport::Sse, Transport::LongPoll] {
        let remote = Remote::start();
        let mut local = Local::new(&remote.url());
        local.settings.connection.transports = Transports::only(transport);
        for n in 0..10 {
            finish(&local.hub, &format!("{n}"), 5, 100);
        }
        let watching = local.watch();
        assert_eq!(delivered(&watching, 10).1, 0, "{transport:?}");
        assert_eq!(assert_published(&local.hub, &remote), 10);
    }
}

#[test]
fn a_long_run_goes_in_parts() {
    let mut remote = Remote::away();
    let local = Local::new(&remote.url());
    // By number: 512, 512, 276. By size: one of 300 kB stands alone.
    let many = finish(&local.hub, "many", 1_300, 10);
    let large = begin(&local.hub, "large", 2, 300_000);
    let end = event(&large, Step::Score, Phase::End, 9);
    local.hub.publish(large.stream(), vec![end]).wait().unwrap();
    let watching = local.watch();
    local.queued(6);
    let mut page = local.page(None);
    page.sort();
    let part = |name: &str, n: u32| format!("run page {name} (part {n} of 3)");
    let expected = [1, 2, 3].map(|n| part("large", n));
    assert_eq!(page[..3], expected);
    assert_eq!(page[3], part("many", 1));
    remote.come(Limits::default());
    let (names, _) = delivered(&watching, 6);
    let of_one: Vec<&String> = names.iter().filter(|name| name.contains("many")).collect();
    assert_eq!(of_one, [1, 2, 3].map(|n| part("many", n)).each_ref());
    assert_eq!(assert_published(&local.hub, &remote), 2);
    let place = local.store().outbox_run(&local.to(), &many).unwrap();
    let place = place.unwrap();
    assert_eq!((place.parts, place.delivered), (3, 3));
    let (_, first, last) = place.place.unwrap();
    assert_eq!((first, last), (Offset(0), Offset(1_299)));
}

const CHILD: &str = "GHOSTLIGHT_TEST_PUBLISHES";

#[test]
fn killed_while_sending_it_sends_the_rest_once() {
    const ROUNDS: usize = 10;
    if let Some(place) = std::env::var_os(CHILD) {
        let (folder, url) = place.to_str().unwrap().split_once('|').unwrap();
        return publish_for_ever(Path::new(folder), url);
    }
    let remote = Remote::start();
    let folder = tempfile::tempdir().unwrap();
    let (mut dice, mut seen) = (Dice(3), 0);
    for _ in 0..ROUNDS {
        let mut child = publishing(folder.path(), &remote.url());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok);
        let said = said.filter(|line| line.contains("delivered "));
        seen += said.take(1 + dice.roll(60) as usize).count();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let hub = Hub::open(folder.path()).unwrap();
    let to = settings(&remote.url()).endpoint.feed_id(Kind::Hub);
    let waiting = outbox::counts(hub.store(), &to).unwrap().waiting;
    let watching = watch(&hub, &settings(&remote.url()));
    finish(&hub, "last", 2, 10);
    let mut duplicates = 0;
    // Each stream's order is its own, so the last run may be there before others.
    until(&watching, "all of it", |news| {
        if let News::Outbox(Told::Delivered { accepted, .. }) = news {
            duplicates += usize::from(accepted.duplicate);
        }
        let (unqueued, _) = hub
            .store()
            .outbox_unqueued(&to, &Default::default(), 1)
            .unwrap();
        unqueued.is_empty() && outbox::counts(hub.store(), &to).unwrap() == OutboxCounts::default()
    });
    let runs = assert_published(&hub, &remote);
    println!("{seen} deliveries seen, {waiting} waited at the end, {duplicates} known already");
    assert!(runs > seen, "{runs} {seen}");
    assert!(seen >= ROUNDS);
}

fn publishing(folder: &Path, url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed_while_sending_it_sends_the_rest_once",
            "--nocapture",
        ])
        .env(CHILD, format!("{}|{url}", folder.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Finishes runs and publishes them; ends by itself should the parent have gone.
fn publish_for_ever(folder: &Path, url: &str) {
    let hub = Hub::open(folder).unwrap();
    let watching = watch(&hub, &settings(url));
    let process = std::process::id();
    for n in 0..5_000 {
        finish(&hub, &format!("{process}-{n}"), 2 + n % 20, 40 * (n % 9));
        // In bursts, so that several wait and are under way.
        if n % 8 > 0 {
            continue;
        }
        while let Some(news) = watching.next(Some(Duration::ZERO)) {
            if let News::Outbox(Told::Delivered { entry, .. }) = news {
                println!("delivered {}", entry.what);
            }
        }
    }
}

#[test]
fn what_is_refused_for_good_is_held_until_a_person_decides() {
    let mut remote = Remote::away();
    let local = Local::new(&remote.url());
    let to = local.to();
    // Three parts each; one run's first part is too long for this hub.
    for name in ["a", "b"] {
        finish(&local.hub, name, 1_300, 10);
    }
    let long = begin(&local.hub, "c", 2, 70_000);
    let rest = (0..600).map(|n| event(&long, Step::Detect, Phase::Start, n));
    local
        .hub
        .publish(long.stream(), rest.collect())
        .wait()
        .unwrap();
    let end = event(&long, Step::Score, Phase::End, 9);
    local.hub.publish(long.stream(), vec![end]).wait().unwrap();
    let strict = Limits {
        max_body_bytes: 50_000,
        ..Limits::default()
    };
    remote.come(strict);
    let watching = local.watch();
    let mut held_key = String::new();
    let mut others = 0;
    told(&watching, "the others and the refusal", |told| {
        match told {
            Told::Delivered { .. } => others += 1,
            Told::Held { key, entry, held } => {
                assert_eq!(held.code, "too_large");
                assert!(held.message.contains("50000 bytes"), "{}", held.message);
                assert_eq!(entry.stream, long.stream());
                held_key.clone_from(key);
            }
            _ => {}
        }
        others == 6 && !held_key.is_empty()
    });
    let held = [
        "run page c (part 1 of 2) held too_large",
        "run page c (part 2 of 2) behind",
    ];
    assert_eq!(local.page(watching.remote().outbox()), held);
    let counts = local.counts();
    assert_eq!((counts.waiting, counts.held), (1, 1));
    assert_eq!(remote.log().len(), 2);
    // Retried, it is refused again; also after a new start nobody has decided yet.
    outbox::retry(local.store(), &to, &held_key, watching.remote().outbox()).unwrap();
    told(&watching, "the second refusal", |told| {
        matches!(told, Told::Held { .. })
    });
    drop(watching);
    let watching = local.watch();
    finish(&local.hub, "d", 2, 10);
    assert_eq!(delivered(&watching, 1).0, ["run page d"]);
    assert_eq!(local.page(watching.remote().outbox()), held);
    // The hub learned better: a retry, and what is behind follows.
    remote.come(Limits::default());
    until(&watching, "the connection", |news| match news {
        News::Status(status) => status.state == State::Connected,
        _ => false,
    });
    outbox::retry(local.store(), &to, &held_key, watching.remote().outbox()).unwrap();
    assert_eq!(
        delivered(&watching, 2).0,
        ["run page c (part 1 of 2)", "run page c (part 2 of 2)"]
    );
    assert_eq!(assert_published(&local.hub, &remote), 4);
}

#[test]
fn a_discarded_entry_goes_and_what_is_behind_it_follows() {
    let remote = Remote::start();
    let local = Local::new(&remote.url());
    let to = local.to();
    // The hub's own run: nobody else may write into it.
    finish(&remote.hub, "own", 2, 10);
    let entry = |key: &str, stream: &str| NewEntry {
        hub: to.clone(),
        key: key.into(),
        stream: StreamId(stream.into()),
        bodies: vec![format!("\"{key}\"")],
        what: key.into(),
        run: None,
        at: Micros(1),
    };
    let entries = ["k1", "k2", "k3"].map(|key| entry(key, "run/own"));
    local.store().outbox_add(entries.to_vec()).wait().unwrap();
    local
        .store()
        .outbox_add(vec![entry("k4", "run/x")])
        .wait()
        .unwrap();
    let watching = local.watch();
    let is_held = |told: &Told, name: &str| match told {
        Told::Held { entry, held, .. } => entry.what == name && held.code == "conflict",
        _ => false,
    };
    told(&watching, "the refusal", |told| is_held(told, "k1"));
    outbox::discard(local.store(), &to, "k1", watching.remote().outbox()).unwrap();
    told(&watching, "the next refusal", |told| is_held(told, "k2"));
    drop(watching);
    // Nothing running: at once.
    outbox::discard(local.store(), &to, "k2", None).unwrap();
    let gone = outbox::discard(local.store(), &to, "k2", None).unwrap_err();
    assert_eq!(gone.code(), "not_found", "{gone}");
    let gone = outbox::retry(local.store(), &to, "k2", None).unwrap_err();
    assert!(gone.to_string().contains("k2"), "{gone}");
    let watching = local.watch();
    told(&watching, "the last refusal", |told| is_held(told, "k3"));
    assert_eq!(local.page(watching.remote().outbox()), ["k3 held conflict"]);
    // Discarded by another program, it is not sent by this one.
    let other = Store::open(local.folder.path(), |_| {}).unwrap();
    outbox::discard(&other, &to, "k3", None).unwrap();
    local.queued(0);
    let log = remote.log();
    assert_eq!(log[&StreamId("run/own".into())].len(), 2);
    assert_eq!(log[&StreamId("run/x".into())], ["\"k4\""]);
}

#[test]
fn what_another_program_releases_is_sent_by_the_one_that_is_connected() {
    let mut remote = Remote::away();
    let local = Local::new(&remote.url());
    let run = finish(&local.hub, "a", 3, 60_000);
    remote.come(Limits {
        max_body_bytes: 50_000,
        ..Limits::default()
    });
    let watching = local.watch();
    let mut held_key = String::new();
    told(&watching, "the refusal", |told| {
        if let Told::Held { key, .. } = told {
            held_key.clone_from(key);
        }
        !held_key.is_empty()
    });
    remote.come(Limits::default());
    let other = Store::open(local.folder.path(), |_| {}).unwrap();
    outbox::retry(&other, &local.to(), &held_key, None).unwrap();
    assert_eq!(delivered(&watching, 1).0, ["run page a"]);
    assert_eq!(remote.log()[&run.stream()].len(), 3);
}

#[test]
fn two_programs_on_one_folder_publish_each_run_once() {
    let remote = Remote::start();
    let local = Local::new(&remote.url());
    let other = Hub::open(local.folder.path()).unwrap();
    let both = [local.watch(), watch(&other, &local.settings)];
    for n in 0..30 {
        let hub = if n % 2 == 0 { &local.hub } else { &other };
        finish(hub, &format!("{n}"), 2 + n, 50);
    }
    let begun = Instant::now();
    let mut told = 0;
    while told < 30 {
        for watching in &both {
            let news = watching.next(Some(Duration::from_millis(5)));
            told += usize::from(matches!(news, Some(News::Outbox(Told::Delivered { .. }))));
        }
        assert!(begun.elapsed() < LIMIT, "{told} of 30");
    }
    assert_eq!(assert_published(&local.hub, &remote), 30);
    assert_eq!(local.counts(), OutboxCounts::default());
}

#[test]
fn what_the_hub_does_not_take_now_is_shown_with_its_words() {
    let mut remote = Remote::away();
    remote.come(Limits {
        publishes: 0,
        ..Limits::default()
    });
    let local = Local::new(&remote.url());
    finish(&local.hub, "a", 3, 10);
    let watching = local.watch();
    told(&watching, "the hub's words", |told| match told {
        Told::Retrying(list) => list
            .iter()
            .any(|one| one.message.contains("without an answer")),
        _ => false,
    });
    assert_eq!(
        local.page(watching.remote().outbox()),
        ["run page a retrying busy"],
        "and nothing is held"
    );
    assert_eq!(local.page(None), ["run page a"]);
    remote.come(Limits::default());
    assert_eq!(delivered(&watching, 1).0, ["run page a"]);
    assert_eq!(assert_published(&local.hub, &remote), 1);
}

#[test]
fn only_a_hub_is_published_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/events", listener.local_addr().unwrap());
    let mut local = Local::new(&url);
    finish(&local.hub, "a", 3, 10);
    for kind in [Kind::Workflow, Kind::Typed] {
        local.settings.kind = Some(kind);
        let watching = local.watch();
        until(&watching, "a refusal in words", |news| match news {
            News::Ended(Ended::Settings(why)) => {
                assert!(why.contains("only a hub"), "{why}");
                assert!(why.contains(kind.word()), "{why}");
                true
            }
            _ => false,
        });
    }
    assert_eq!(local.counts(), OutboxCounts::default());
}

#[test]
fn a_full_disk_is_said_and_the_run_is_queued_when_there_is_room() {
    let mut remote = Remote::away();
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&remote.url());
    let to = settings.endpoint.feed_id(Kind::Hub);
    let run = {
        let hub = Hub::open(folder.path()).unwrap();
        // What following needs is stored.
        drop(watch(&hub, &settings));
        finish(&hub, "a", 3, 400_000)
    };
    let pages = std::fs::metadata(folder.path().join(DATABASE))
        .unwrap()
        .len()
        / 4_096;
    {
        let options = OpenOptions {
            pages_max: Some(pages as u32 + 4),
            ..OpenOptions::default()
        };
        let hub = Hub::open_with(folder.path(), options).unwrap();
        let error = outbox::queue_run(hub.store(), &to, &run).unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(error.hint().contains("Free some space"), "{}", error.hint());
        let watching = watch(&hub, &settings);
        told(&watching, "the full disk", |told| match told {
            Told::NotQueued(why) => {
                let words = why.to_string();
                assert!(words.starts_with("run a waits"), "{words}");
                assert!(words.contains("the disk is full"), "{words}");
                assert!(words.contains("Free some space"), "{words}");
                matches!(why.error, StoreError::DiskFull { .. })
            }
            _ => false,
        });
        assert_eq!(
            outbox::counts(hub.store(), &to).unwrap(),
            OutboxCounts::default()
        );
    }
    remote.come(Limits::default());
    let hub = Hub::open(folder.path()).unwrap();
    let watching = watch(&hub, &settings);
    // Start, the long one, end: each a part.
    delivered(&watching, 3);
    assert_eq!(assert_published(&hub, &remote), 1);
}

#[test]
fn a_locked_database_is_said() {
    let remote = Remote::start();
    let local = Local::new(&remote.url());
    let run = finish(&local.hub, "a", 3, 10);
    let impatient = OpenOptions {
        busy_timeout: Duration::from_millis(50),
        ..OpenOptions::default()
    };
    let hub = Hub::open_with(local.folder.path(), impatient).unwrap();
    let other = rusqlite::Connection::open(local.folder.path().join(DATABASE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = outbox::queue_run(hub.store(), &local.to(), &run).unwrap_err();
    assert!(error.to_string().contains("locked the database"), "{error}");
    assert!(error.hint().contains("nothing is lost"), "{}", error.hint());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(outbox::queue_run(hub.store(), &local.to(), &run).unwrap());
    let early = begin(&local.hub, "b", 2, 10);
    for (run, words) in [
        (early, "has not ended"),
        (RunId("z".into()), "run z is not in the store"),
    ] {
        let error = outbox::queue_run(hub.store(), &local.to(), &run).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_damaged_entry_is_held_and_the_others_go() {
    let mut remote = Remote::away();
    let local = Local::new(&remote.url());
    for name in ["a", "b"] {
        let run = finish(&local.hub, name, 3, 10);
        assert!(outbox::queue_run(local.store(), &local.to(), &run).unwrap());
    }
    let raw = rusqlite::Connection::open(local.folder.path().join(DATABASE)).unwrap();
    raw.execute("UPDATE outbox SET bodies = '[{' WHERE stream = 'run/a'", [])
        .unwrap();
    remote.come(Limits::default());
    let watching = local.watch();
    assert_eq!(delivered(&watching, 1).0, ["run page b"]);
    assert_eq!(
        local.page(watching.remote().outbox()),
        ["run page a held damaged"]
    );
}

#[test]
fn a_hub_that_lets_its_clients_make_few_requests_gets_everything_once() {
    const RUNS: usize = 70;
    let remote = {
        let mut remote = Remote::away();
        let token = Token::new(TOKEN).unwrap();
        let mut config = Config::new(remote.address, token, || Micros(5_000));
        // Some fifty at once, then five a second.
        config.quota.requests_per_s = 5;
        remote.server = Some(Server::start(remote.hub.clone(), config).unwrap());
        remote
    };
    let local = Local::new(&remote.url());
    for n in 0..RUNS {
        finish(&local.hub, &format!("run-{n}"), 2, 10);
    }
    let watching = local.watch();
    let mut busy = false;
    let mut done = 0;
    until(&watching, "the deliveries", |news| {
        match news {
            News::Outbox(Told::Retrying(list)) => busy |= list.iter().any(|one| one.code == "busy"),
            News::Outbox(Told::Delivered { .. }) => done += 1,
            _ => {}
        }
        done >= RUNS
    });
    assert!(busy, "the bound was never met");
    assert_eq!(assert_published(&local.hub, &remote), RUNS);
}
