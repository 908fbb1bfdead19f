//! One connection, told as a dialogue: what the peer sends, what the log answers, what goes out.

use super::*;
use crate::frame::Secret;
use crate::frame::{Body, parse_server};
use ghostlight_model::Epoch;

/// A log in memory that answers a session at once.
#[derive(Default)]
struct Log {
    streams: BTreeMap<StreamId, Stream>,
    fail: bool,
}

#[derive(Default, Clone)]
struct Stream {
    epoch: u64,
    first: u64,
    events: Vec<u64>,
}

struct Rig {
    session: Session,
    log: Log,
    now: Millis,
    /// Written as soon as it is sent.
    fast: bool,
    asked: Vec<Action>,
    closed: Option<(u16, &'static str)>,
}

fn stream(name: &str) -> StreamId {
    StreamId(name.into())
}

impl Rig {
    fn new(limits: Limits) -> Self {
        let session = Session::new(limits, "test".into(), "s1".into(), true, Millis(0));
        Self {
            session,
            log: Log::default(),
            now: Millis(0),
            fast: true,
            asked: Vec::new(),
            closed: None,
        }
    }

    fn open(limits: Limits) -> Self {
        let mut rig = Self::new(limits);
        let hello = r#"{"type":"hello","version":1,"client":"t"}"#;
        assert_eq!(rig.text(hello)[0], "welcome");
        rig
    }

    fn put(&mut self, name: &str, epoch: u64, first: u64, head: u64) {
        let events = (first..head).collect();
        let content = Stream {
            epoch,
            first,
            events,
        };
        self.log.streams.insert(stream(name), content);
    }

    fn grow(&mut self, name: &str, head: u64) -> Vec<String> {
        let content = self.log.streams.get_mut(&stream(name)).unwrap();
        let from = content.events.last().map_or(content.first, |last| last + 1);
        content.events.extend(from..head);
        let epoch = Epoch(content.epoch);
        let name = stream(name);
        self.handle(Input::Appended {
            stream: &name,
            epoch,
            head: Offset(head),
        })
    }

    fn text(&mut self, text: &str) -> Vec<String> {
        self.handle(Input::Text(text))
    }

    fn tick(&mut self, ms: u64) -> Vec<String> {
        self.now = self.now.plus(ms);
        self.handle(Input::Tick)
    }

    /// Feeds an input and all answers of the log; returns what was sent, in the tests' short notation.
    fn handle(&mut self, input: Input<'_>) -> Vec<String> {
        let mut sent = Vec::new();
        let mut todo = VecDeque::from(self.session.handle(input, self.now));
        while let Some(action) = todo.pop_front() {
            let more = match action {
                Action::Send { text, kind, event } => {
                    assert_eq!(kind == "event", event.is_some());
                    sent.push(short(&text));
                    let bytes = if self.fast { text.len() } else { 0 };
                    self.session.handle(Input::Written(bytes), self.now)
                }
                Action::Read {
                    request,
                    stream,
                    from,
                    max_events,
                    ..
                } => {
                    let page = self.log.page(&stream, from.0, max_events);
                    self.session.handle(Input::Page { request, page }, self.now)
                }
                Action::List {
                    request,
                    prefix,
                    after,
                    ..
                } => {
                    // Two at a time, to see that the rest is asked for.
                    let all = self.log.streams.keys().cloned();
                    let mut streams: Vec<_> = all
                        .filter(|one| one.0.starts_with(&prefix))
                        .filter(|one| after.as_ref().is_none_or(|after| one > after))
                        .collect();
                    let more = streams.len() > 2;
                    streams.truncate(2);
                    let listed = Input::Listed {
                        request,
                        streams,
                        more,
                    };
                    self.session.handle(listed, self.now)
                }
                Action::Close { code, reason } => {
                    self.closed = Some((code, reason));
                    Vec::new()
                }
                other => {
                    self.asked.push(other);
                    Vec::new()
                }
            };
            todo.extend(more);
        }
        sent
    }
}

impl Log {
    fn page(&self, name: &StreamId, from: u64, max: usize) -> Page {
        let Some(content) = self.streams.get(name).filter(|_| !self.fail) else {
            return Page::none();
        };
        let head = content.events.last().map_or(content.first, |last| last + 1);
        let wanted = content.events.iter().filter(|offset| **offset >= from);
        Page {
            epoch: Epoch(content.epoch),
            first_retained: Offset(content.first),
            head: Offset(head),
            events: wanted
                .take(max)
                .map(|offset| LogEvent {
                    offset: Offset(*offset),
                    ts: None,
                    body: Body::parse(format!("\"{offset}\"")).unwrap(),
                })
                .collect(),
        }
    }
}

/// `run/1@5 7` for an event, `sub id run/1@5 head +` for a recovered answer, and so on.
fn short(text: &str) -> String {
    match parse_server(text).unwrap() {
        ServerFrame::Event(e) => format!("{}@{} {}", e.stream, e.epoch.0, e.offset.0),
        ServerFrame::Subscribed(s) => {
            let gap = s.gap.map(|gap| format!(" gap {}-{}", gap.from.0, gap.to.0));
            let sign = if s.recovered { '+' } else { '-' };
            let (id, stream) = (s.id.get(), &s.stream);
            format!(
                "sub {id} {stream}@{} {} {sign}{}",
                s.epoch.0,
                s.next_offset.0,
                gap.unwrap_or_default()
            )
        }
        ServerFrame::CaughtUp(c) => {
            format!("caught {} {} {}", c.id.get(), c.stream.unwrap(), c.offset.0)
        }
        ServerFrame::Gap(g) => format!("gap {}@{} {}-{}", g.stream, g.epoch.0, g.from.0, g.to.0),
        ServerFrame::Error(e) => {
            let fatal = if e.fatal { "fatal" } else { "error" };
            format!("{fatal} {}", e.code)
        }
        ServerFrame::Accepted(a) => format!("accepted {}", a.key),
        ServerFrame::Refused(r) => format!("refused {} {}", r.key, r.code),
        other => other.kind().to_owned(),
    }
}

fn subscribe(id: u64, name: &str, rest: &str) -> String {
    format!(r#"{{"type":"subscribe","id":{id},"stream":"{name}"{rest}}}"#)
}

fn from(epoch: u64, offset: u64) -> String {
    format!(r#","from":{{"epoch":{epoch},"offset":{offset}}}"#)
}

#[test]
fn a_subscription_is_answered_by_what_the_log_holds() {
    // (epoch, first retained, head), what is asked, the answer and how many events follow.
    for (log, asked, answer, events) in [
        ((5, 0, 3), String::new(), "sub 1 run/1@5 3 +", 3),
        ((5, 0, 3), from(5, 2), "sub 1 run/1@5 3 +", 1),
        ((5, 0, 3), from(5, 3), "sub 1 run/1@5 3 +", 0),
        ((5, 0, 3), from(5, 9), "sub 1 run/1@5 3 -", 0),
        ((5, 0, 3), from(4, 2), "sub 1 run/1@5 3 -", 3),
        ((5, 0, 3), from(6, 2), "sub 1 run/1@5 3 -", 3),
        ((5, 2, 3), from(5, 0), "sub 1 run/1@5 3 - gap 0-1", 1),
        ((5, 2, 3), from(5, 2), "sub 1 run/1@5 3 +", 1),
        ((5, 2, 3), String::new(), "sub 1 run/1@5 3 - gap 0-1", 1),
        ((5, 3, 3), from(5, 1), "sub 1 run/1@5 3 - gap 1-2", 0),
        ((5, 2, 4), from(4, 3), "sub 1 run/1@5 4 - gap 0-1", 2),
    ] {
        let mut rig = Rig::open(Limits::default());
        rig.put("run/1", log.0, log.1, log.2);
        let sent = rig.text(&subscribe(1, "run/1", &asked));
        assert_eq!(sent[0], answer, "{log:?} {asked}");
        assert_eq!(sent.len(), events + 2, "{log:?} {asked}: {sent:?}");
        assert_eq!(sent.last().unwrap(), &format!("caught 1 run/1 {}", log.2));
    }
}

#[test]
fn a_stream_that_does_not_exist_comes_later() {
    let mut rig = Rig::open(Limits::default());
    assert_eq!(
        rig.text(&subscribe(1, "run/1", "")),
        ["sub 1 run/1@0 0 +", "caught 1 run/1 0"]
    );
    rig.put("run/1", 5, 0, 0);
    assert_eq!(
        rig.grow("run/1", 1),
        ["sub 1 run/1@5 1 +", "run/1@5 0", "caught 1 run/1 1"]
    );
}

#[test]
fn who_joins_reads_the_log_itself_and_who_follows_may_share() {
    let mut rig = Rig::open(Limits::default());
    let name = stream("run/1");
    let page = |epoch, from, head| Page {
        epoch: Epoch(epoch),
        head: Offset(head),
        events: (from..head)
            .map(|offset| LogEvent {
                offset: Offset(offset),
                ts: None,
                body: Body::parse("1".into()).unwrap(),
            })
            .collect(),
        ..Page::none()
    };
    let read = |actions: Vec<Action>| {
        let mut reads = actions.into_iter().filter_map(|action| match action {
            Action::Read { request, known, .. } => Some((request, known)),
            _ => None,
        });
        reads.next()
    };
    let asked = subscribe(1, "run/1", "");
    let (request, known) = read(rig.session.handle(Input::Text(&asked), rig.now)).unwrap();
    assert_eq!(known, None);
    // The first page was not the last.
    let part = Page {
        head: Offset(5),
        ..page(7, 0, 3)
    };
    let answered = rig.session.handle(
        Input::Page {
            request,
            page: part,
        },
        rig.now,
    );
    let (request, known) = read(answered).unwrap();
    assert_eq!(known, Some(Position::new(7, 5)));
    let rest = page(7, 3, 5);
    assert_eq!(
        read(rig.session.handle(
            Input::Page {
                request,
                page: rest
            },
            rig.now
        )),
        None
    );
    for (epoch, head) in [(7, 6), (8, 2)] {
        let hint = Input::Appended {
            stream: &name,
            epoch: Epoch(epoch),
            head: Offset(head),
        };
        let (request, known) = read(rig.session.handle(hint, rig.now)).unwrap();
        assert_eq!(known, Some(Position::new(epoch, head)));
        let mut next = Some(request);
        while let Some(request) = next.take() {
            // A new epoch is read again from its beginning.
            let page = page(epoch, 0, head);
            let answered = rig.session.handle(Input::Page { request, page }, rig.now);
            next = read(answered).map(|(request, _)| request);
        }
    }
    // Another subscription to the same stream must see what is durable now.
    let asked = subscribe(2, "run/*", "");
    assert_eq!(
        read(rig.session.handle(Input::Text(&asked), rig.now))
            .unwrap()
            .1,
        None
    );
}

#[test]
fn live_events_follow_and_a_new_epoch_begins_again() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 1);
    rig.text(&subscribe(1, "run/1", ""));
    assert_eq!(rig.grow("run/1", 3), ["run/1@5 1", "run/1@5 2"]);
    // A hint that says nothing new reads nothing.
    assert_eq!(rig.grow("run/1", 3), Vec::<String>::new());
    rig.put("run/1", 6, 1, 3);
    assert_eq!(
        rig.grow("run/1", 3),
        [
            "sub 1 run/1@6 3 - gap 0-0",
            "run/1@6 1",
            "run/1@6 2",
            "caught 1 run/1 3"
        ]
    );
}

#[test]
fn holes_of_the_log_are_gaps() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 2);
    rig.text(&subscribe(1, "run/1", ""));
    // Trimmed under the reader, and a hole in the log itself.
    rig.put("run/1", 5, 4, 5);
    let content = rig.log.streams.get_mut(&stream("run/1")).unwrap();
    content.events.push(7);
    assert_eq!(
        rig.grow("run/1", 9),
        [
            "gap run/1@5 2-3",
            "run/1@5 4",
            "gap run/1@5 5-6",
            "run/1@5 7",
            "run/1@5 8"
        ]
    );
    // Nothing there although the head says so.
    let page = Page {
        epoch: Epoch(5),
        first_retained: Offset(4),
        head: Offset(12),
        events: Vec::new(),
    };
    let name = stream("run/1");
    let hint = Input::Appended {
        stream: &name,
        epoch: Epoch(5),
        head: Offset(12),
    };
    let actions = rig.session.handle(hint, rig.now);
    let Action::Read { request, .. } = actions[0] else {
        panic!("{actions:?}")
    };
    let sent = rig.handle(Input::Page { request, page });
    assert_eq!(sent, ["gap run/1@5 9-11"]);
}

#[test]
fn a_prefix_takes_all_streams_now_and_later() {
    let mut rig = Rig::open(Limits::default());
    for (name, head) in [("run/a", 1), ("run/b", 2), ("run/c", 1), ("posting/x", 1)] {
        rig.put(name, 5, 0, head);
    }
    let positions = r#","positions":{"run/b":{"epoch":5,"offset":1},"run/z":{"epoch":5,"offset":4},"posting/x":{"epoch":5,"offset":0}}"#;
    let mut sent = rig.text(&subscribe(1, "run/*", positions));
    assert_eq!(sent.remove(0), "sub 1 run/*@0 0 +");
    assert_eq!(sent.pop().unwrap(), "caught 1 run/* 0");
    sent.sort();
    assert_eq!(
        sent,
        [
            "caught 1 run/a 1",
            "caught 1 run/b 2",
            "caught 1 run/c 1",
            "caught 1 run/z 0",
            "run/a@5 0",
            "run/b@5 1",
            "run/c@5 0",
            "sub 1 run/a@5 1 +",
            "sub 1 run/b@5 2 +",
            "sub 1 run/c@5 1 +",
            "sub 1 run/z@0 0 -",
        ]
    );
    rig.put("run/d", 5, 0, 0);
    assert_eq!(
        rig.grow("run/d", 1),
        ["sub 1 run/d@5 1 +", "run/d@5 0", "caught 1 run/d 1"]
    );
    assert!(rig.session.wants(&stream("run/e")));
    assert!(!rig.session.wants(&stream("posting/x")));
    assert_eq!(rig.session.patterns().count(), 1);
}

#[test]
fn positions_may_come_in_parts() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/a", 5, 0, 2);
    rig.put("run/b", 5, 0, 2);
    let part = |name: &str, more: &str| {
        format!(r#","positions":{{"{name}":{{"epoch":5,"offset":2}}}}{more}"#)
    };
    let sent = rig.text(&subscribe(1, "run/*", &part("run/a", r#","more":true"#)));
    assert_eq!(sent, Vec::<String>::new());
    assert_eq!(rig.grow("run/a", 2), Vec::<String>::new());
    let sent = rig.text(&subscribe(1, "run/*", &part("run/b", "")));
    assert!(sent.iter().all(|one| !one.starts_with("run/")), "{sent:?}");
    assert_eq!(sent.len(), 6, "{sent:?}");
}

#[test]
fn overlapping_subscriptions_get_each_event_once() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 2);
    rig.text(&subscribe(1, "run/*", ""));
    // From the start, but this session was sent it already.
    assert_eq!(
        rig.text(&subscribe(2, "run/1", "")),
        ["sub 2 run/1@5 2 +", "caught 2 run/1 2"]
    );
    assert_eq!(rig.grow("run/1", 3), ["run/1@5 2"]);
    // A position asks for a repetition: so a client fills a hole.
    assert_eq!(
        rig.text(&subscribe(2, "run/1", &from(5, 1))),
        [
            "sub 2 run/1@5 3 +",
            "run/1@5 1",
            "run/1@5 2",
            "caught 2 run/1 3"
        ]
    );
    assert_eq!(
        rig.text(r#"{"type":"unsubscribe","id":2}"#),
        ["unsubscribed"]
    );
    assert_eq!(rig.grow("run/1", 4), ["run/1@5 3"]);
    assert_eq!(
        rig.text(r#"{"type":"unsubscribe","id":1}"#),
        ["unsubscribed"]
    );
    assert_eq!(rig.grow("run/1", 5), Vec::<String>::new());
    assert_eq!(
        rig.text(r#"{"type":"unsubscribe","id":1}"#),
        ["error not_subscribed"]
    );
}

#[test]
fn a_repetition_while_trimmed_names_what_is_between() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 2);
    rig.text(&subscribe(1, "run/1", ""));
    rig.put("run/1", 5, 6, 8);
    // The second one's answer names 4–5, but 2–3 are missing as well.
    assert_eq!(
        rig.text(&subscribe(2, "run/1", &from(5, 4))),
        [
            "sub 2 run/1@5 8 - gap 4-5",
            "gap run/1@5 2-5",
            "run/1@5 6",
            "run/1@5 7",
            "caught 2 run/1 8"
        ]
    );
}

#[test]
fn lost_hints_are_made_up_for() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 1);
    rig.text(&subscribe(1, "run/*", ""));
    rig.put("run/1", 5, 0, 2);
    rig.put("run/2", 5, 0, 1);
    let sent = rig.handle(Input::HintsLost);
    assert_eq!(
        sent,
        [
            "run/1@5 1",
            "sub 1 run/2@5 1 +",
            "run/2@5 0",
            "caught 1 run/2 1"
        ]
    );
}

#[test]
fn a_slow_reader_stops_the_reading_and_is_cut() {
    let limits = Limits {
        window_bytes: 500,
        page_events: 2,
        heartbeat_ms: 90_000,
        ..Limits::default()
    };
    let mut rig = Rig::open(limits);
    rig.fast = false;
    rig.put("run/1", 5, 0, 100);
    let sent = rig.text(&subscribe(1, "run/1", ""));
    assert!((2..10).contains(&sent.len()), "{}", sent.len());
    assert!(rig.session.unwritten() < 1_000);
    // Taking some of it brings more, and time.
    rig.tick(20_000);
    let more = rig.handle(Input::Written(400));
    assert!(!more.is_empty());
    assert_eq!(rig.tick(29_999), Vec::<String>::new());
    assert_eq!(rig.closed, None);
    assert_eq!(rig.session.next_wake(), Some(rig.now.plus(1)));
    rig.tick(1);
    assert_eq!(rig.closed, Some((close::SLOW_READER, "slow_reader")));
    assert_eq!(rig.session.next_wake(), None);
    assert_eq!(rig.text("{}"), Vec::<String>::new());
}

#[test]
fn answers_that_nobody_reads_end_the_connection() {
    let limits = Limits {
        window_bytes: 100,
        max_frame_bytes: 100,
        ..Limits::default()
    };
    let mut rig = Rig::open(limits);
    rig.fast = false;
    for _ in 0..100 {
        rig.text(r#"{"type":"ping","nonce":1}"#);
    }
    assert_eq!(rig.closed, Some((close::SLOW_READER, "slow_reader")));
    assert!(rig.session.unwritten() < 400);
}

#[test]
fn streams_take_turns() {
    let limits = Limits {
        page_events: 1,
        window_bytes: 60,
        ..Limits::default()
    };
    let mut rig = Rig::open(limits);
    rig.put("run/a", 5, 0, 3);
    rig.put("run/b", 5, 0, 3);
    rig.fast = false;
    let mut sent = rig.text(&subscribe(1, "run/a", ""));
    sent.extend(rig.text(&subscribe(2, "run/b", "")));
    rig.fast = true;
    let waiting = rig.session.unwritten();
    sent.extend(rig.handle(Input::Written(waiting)));
    let events: Vec<&String> = sent.iter().filter(|one| one.starts_with("run/")).collect();
    let turns = events
        .windows(2)
        .filter(|pair| pair[0][..5] != pair[1][..5]);
    assert!(turns.count() >= 3, "{events:?}");
}

#[test]
fn silence_is_asked_about_and_then_the_connection_ends() {
    let mut rig = Rig::open(Limits::default());
    assert_eq!(rig.tick(29_999), Vec::<String>::new());
    assert_eq!(rig.tick(1), ["ping"]);
    assert_eq!(rig.session.next_wake(), Some(Millis(35_000)));
    rig.tick(4_999);
    // Any sign of life will do.
    rig.text(r#"{"type":"pong","nonce":1}"#);
    assert_eq!(rig.tick(30_000), ["ping"]);
    assert_eq!(rig.tick(5_000), ["fatal heartbeat"]);
    assert_eq!(rig.closed, Some((close::TIMEOUT, "heartbeat")));
}

/// SPEC C3: what we write says nothing about a peer that is gone.
#[test]
fn writing_does_not_put_off_the_end_of_a_ping_that_is_out() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 1);
    rig.text(&subscribe(1, "run/1", ""));
    // Every second an event, taken at once by a socket whose peer is gone.
    let mut pinged_at = None;
    for head in 2..60 {
        if rig.tick(1_000).contains(&"ping".to_owned()) {
            pinged_at.get_or_insert(rig.now);
        }
        if rig.closed.is_some() {
            break;
        }
        assert_eq!(rig.grow("run/1", head).len(), 1);
    }
    assert_eq!(pinged_at, Some(Millis(30_000)));
    assert_eq!(rig.closed, Some((close::TIMEOUT, "heartbeat")));
    assert_eq!(rig.now, Millis(35_000));
}

/// A peer that sends is there, whether it answers pings or not.
#[test]
fn a_peer_that_sends_and_never_answers_is_kept_until_it_falls_silent() {
    let mut rig = Rig::open(Limits::default());
    for _ in 0..3 {
        assert_eq!(rig.tick(30_000), ["ping"]);
        rig.tick(4_999);
        rig.text(r#"{"type":"unsubscribe","id":9}"#);
        assert_eq!(rig.closed, None);
    }
    assert_eq!(rig.tick(29_999), Vec::<String>::new());
    assert_eq!(rig.tick(1), ["ping"]);
    rig.tick(5_000);
    assert_eq!(rig.closed, Some((close::TIMEOUT, "heartbeat")));
}

#[test]
fn a_ping_that_is_not_out_yet_has_no_deadline() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 5, 0, 1);
    rig.fast = false;
    rig.text(&subscribe(1, "run/1", ""));
    rig.tick(20_000);
    rig.handle(Input::Written(10));
    assert_eq!(rig.tick(10_000), ["ping"]);
    rig.tick(6_000);
    assert_eq!(rig.closed, None);
    let waiting = rig.session.unwritten();
    rig.handle(Input::Written(waiting));
    assert_eq!(rig.session.next_wake(), Some(rig.now.plus(5_000)));
    rig.tick(5_000);
    assert_eq!(rig.closed, Some((close::TIMEOUT, "heartbeat")));
}

/// What a slow link holds before the ping may take its reader longer than the answer's 5 s.
#[test]
fn a_slow_reader_is_there_while_the_socket_takes_pieces() {
    let mut rig = Rig::open(Limits::default());
    rig.put("run/1", 20, 0, 20);
    rig.fast = false;
    rig.text(&subscribe(1, "run/1", ""));
    for _ in 0..29 {
        rig.tick(1_000);
        rig.handle(Input::Written(1));
    }
    assert_eq!(rig.tick(1_000), ["ping"]);
    let before_ping = rig.session.unwritten();
    rig.grow("run/1", 60);
    assert!(rig.session.unwritten() > before_ping + 20);
    rig.handle(Input::Written(before_ping));
    for _ in 0..20 {
        rig.tick(1_000);
        rig.handle(Input::Written(1));
        assert_eq!(rig.closed, None, "at {:?}", rig.now);
    }
    // Nobody takes any more.
    rig.tick(4_999);
    assert_eq!(rig.closed, None);
    rig.tick(1);
    assert_eq!(rig.closed, Some((close::TIMEOUT, "heartbeat")));
}

#[test]
fn too_many_requests_refuse_a_publish_and_end_anything_else() {
    let publish = r#"{"type":"publish","key":"k","stream":"run/1","body":{"n":1}}"#;
    let ping = r#"{"type":"ping","nonce":1}"#;
    fn over(text: &str) -> Input<'_> {
        Input::Over {
            text,
            message: "too many".into(),
            retry_after_ms: 7,
        }
    }
    let mut rig = Rig::open(Limits::default());
    assert_eq!(rig.handle(over(publish)), ["refused k busy"]);
    assert_eq!((rig.asked.len(), rig.closed), (0, None));
    // Nothing was begun: the same key is taken as soon as there is room.
    rig.text(publish);
    assert!(matches!(&rig.asked[..], [Action::Append { .. }]));
    for text in [ping, "nonsense", &subscribe(1, "run/1", "")] {
        let mut rig = Rig::open(Limits::default());
        assert_eq!(rig.handle(over(text)), ["fatal busy"], "{text}");
        assert_eq!(rig.closed, Some((close::BUSY, "busy")));
    }
    // Before the greeting there is nobody to refuse a publish to.
    let session = Session::new(Limits::default(), "s".into(), "n".into(), false, Millis(0));
    let mut rig = Rig {
        session,
        ..Rig::new(Limits::default())
    };
    assert_eq!(rig.handle(over(publish)), ["fatal busy"]);
}

#[test]
fn the_greeting_has_rules() {
    let hello = r#"{"type":"hello","version":1,"token":"t","client":"c"}"#;
    let stranger = || {
        let session = Session::new(Limits::default(), "s".into(), "n".into(), false, Millis(0));
        Rig {
            session,
            ..Rig::new(Limits::default())
        }
    };

    let mut rig = stranger();
    assert_eq!(rig.text(r#"{"type":"ping","nonce":1}"#), ["pong"]);
    rig.put("run/1", 5, 0, 1);
    assert_eq!(rig.text(hello), Vec::<String>::new());
    assert_eq!(rig.asked, [Action::Authenticate(Some(Secret("t".into())))]);
    // Sent ahead of the welcome, answered behind it.
    assert_eq!(rig.text(&subscribe(1, "run/1", "")), Vec::<String>::new());
    assert_eq!(
        rig.handle(Input::Authenticated)[..2],
        ["welcome", "sub 1 run/1@5 1 +"]
    );
    // A renewed token on the same connection; then it expires.
    rig.text(hello);
    assert_eq!(rig.asked.len(), 2);
    assert_eq!(rig.handle(Input::Authenticated), ["welcome"]);
    let message = "expired".to_owned();
    assert_eq!(
        rig.handle(Input::Unauthorized { message }),
        ["fatal unauthorized"]
    );
    assert_eq!(rig.closed, Some((close::UNAUTHORIZED, "unauthorized")));

    for (text, code, close) in [
        (subscribe(1, "run/1", ""), "hello_first", close::PROTOCOL),
        (
            r#"{"type":"hello","version":2}"#.into(),
            "version",
            close::PROTOCOL,
        ),
    ] {
        let mut rig = stranger();
        assert_eq!(rig.text(&text), [format!("fatal {code}")]);
        assert_eq!(rig.closed.unwrap().0, close);
    }

    let mut rig = stranger();
    rig.text(hello);
    for number in 0..EARLY_FRAMES_MAX as u64 {
        assert_eq!(
            rig.text(&subscribe(number, "run/1", "")),
            Vec::<String>::new()
        );
    }
    assert_eq!(rig.text(hello), ["fatal limit"]);

    let mut rig = stranger();
    rig.text(hello);
    assert_eq!(rig.session.next_wake(), Some(Millis(5_000)));
    assert_eq!(rig.tick(5_000), ["fatal hello_first"]);
    assert_eq!(rig.closed.unwrap().0, close::TIMEOUT);
}

#[test]
fn bad_frames_are_answered_and_survived() {
    let limits = Limits {
        max_frame_bytes: 200,
        ..Limits::default()
    };
    let mut rig = Rig::open(limits);
    let long = format!(r#"{{"type":"ping","nonce":"{}"}}"#, "n".repeat(200));
    for (text, answer) in [
        ("{", "error malformed"),
        (r#"{"type":"subscribe"}"#, "error malformed"),
        (r#"{"type":"presence"}"#, "error unknown_type"),
        (long.as_str(), "error too_large"),
        (
            r#"{"type":"subscribe","id":1,"stream":"run"}"#,
            "error bad_stream",
        ),
        (r#"{"type":"ping","nonce":1}"#, "pong"),
    ] {
        assert_eq!(rig.text(text), [answer], "{text}");
    }
    assert_eq!(rig.session.counts().bad_frames, 4);
    assert_eq!(rig.closed, None);
    let message = "the disk is gone".to_owned();
    assert_eq!(rig.handle(Input::Failed { message }), ["fatal unavailable"]);
}

#[test]
fn limits_on_numbers_are_said() {
    let limits = Limits {
        subscriptions: 2,
        streams: 2,
        ..Limits::default()
    };
    let mut rig = Rig::open(limits);
    for name in ["run/a", "run/b", "run/c"] {
        rig.put(name, 5, 0, 1);
    }
    let sent = rig.text(&subscribe(1, "run/*", ""));
    assert_eq!(sent.iter().filter(|one| **one == "error limit").count(), 1);
    assert_eq!(sent.iter().filter(|one| one.starts_with("run/")).count(), 2);
    rig.text(&subscribe(2, "run/a", ""));
    assert_eq!(rig.text(&subscribe(3, "run/b", "")), ["error limit"]);
    // Replacing one is no third.
    assert_eq!(rig.text(&subscribe(2, "run/b", ""))[0], "sub 2 run/b@5 1 +");
}

#[test]
fn publishing_is_checked_appended_and_answered() {
    let limits = Limits {
        publishes: 2,
        max_bodies: 2,
        max_body_bytes: 10,
        ..Limits::default()
    };
    let mut rig = Rig::open(limits);
    let publish = |key: &str, stream: &str, body: &str| {
        format!(r#"{{"type":"publish","key":"{key}","stream":"{stream}",{body}}}"#)
    };
    let long_key = "k".repeat(129);
    for (key, stream, body, code) in [
        ("", "run/1", r#""body":1"#, "bad_key"),
        (long_key.as_str(), "run/1", r#""body":1"#, "bad_key"),
        ("k", "run/*", r#""body":1"#, "bad_stream"),
        ("k", "run/1", r#""bodies":[1,2,3]"#, "limit"),
        ("k", "run/1", r#""body":"0123456789""#, "too_large"),
    ] {
        let sent = rig.text(&publish(key, stream, body));
        assert_eq!(sent, [format!("refused {key} {code}")]);
    }
    assert!(rig.text(&publish("k1", "run/1", r#""body":1"#)).is_empty());
    assert!(
        rig.text(&publish("k2", "run/1", r#""bodies":[2,3]"#))
            .is_empty()
    );
    assert_eq!(
        rig.text(&publish("k1", "run/1", r#""body":1"#)),
        ["refused k1 busy"]
    );
    assert_eq!(
        rig.text(&publish("k3", "run/1", r#""body":1"#)),
        ["refused k3 busy"]
    );
    assert!(
        matches!(&rig.asked[1], Action::Append { key, bodies, .. } if key == "k2" && bodies.len() == 2)
    );
    let accepted = frame::Accepted {
        key: "k1".into(),
        epoch: Epoch(5),
        first_offset: Offset(0),
        last_offset: Offset(0),
        duplicate: false,
    };
    let published = |key: &str, result| Input::Published {
        key: key.to_owned(),
        result,
    };
    assert_eq!(
        rig.handle(published("k1", Ok(accepted.clone()))),
        ["accepted k1"]
    );
    // Not asked for (any more).
    assert!(rig.handle(published("k1", Ok(accepted))).is_empty());
    let refused = frame::Refused {
        key: "k2".into(),
        code: "forbidden".into(),
        message: String::new(),
        retry: false,
        retry_after_ms: None,
    };
    assert_eq!(
        rig.handle(published("k2", Err(refused))),
        ["refused k2 forbidden"]
    );
    assert_eq!(rig.session.counts().refused, 8);
}
