//! What a client makes of what it is told, in a small notation; see [`short`].

use super::*;
use crate::frame::{Body, CaughtUp, Gap, Missing};

struct Rig {
    receiver: Receiver,
    now: Millis,
}

fn stream(name: &str) -> StreamId {
    StreamId(name.into())
}

impl Rig {
    /// Connected, subscribed to `patterns` (ids 1, 2 …), with positions of run/1.
    fn with(limits: Limits, patterns: &[&str], position: Option<(u64, u64)>) -> Self {
        let known = position.map(|(epoch, offset)| (stream("run/1"), Position::new(epoch, offset)));
        let mut receiver = Receiver::new(limits, known).unwrap();
        for pattern in patterns {
            assert_eq!(receiver.subscribe(pattern), [], "not connected yet");
        }
        receiver.connected(1 << 20, Millis(0));
        Self {
            receiver,
            now: Millis(0),
        }
    }

    fn new(position: Option<(u64, u64)>) -> Self {
        Self::with(Limits::default(), &["run/1"], position)
    }

    fn feed(&mut self, frame: ServerFrame) -> Vec<String> {
        short(self.receiver.frame(frame, self.now))
    }

    fn event(&mut self, epoch: u64, offset: u64) -> Vec<String> {
        self.feed(event("run/1", epoch, offset))
    }

    /// An answer to the subscription `id` of run/1.
    fn subscribed(&mut self, id: u64, epoch: u64, head: u64) -> Vec<String> {
        self.feed(subscribed(id, "run/1", epoch, head, None))
    }

    fn gap(&mut self, epoch: u64, from: u64, to: u64) -> Vec<String> {
        self.feed(ServerFrame::Gap(Gap {
            stream: stream("run/1"),
            epoch: Epoch(epoch),
            from: Offset(from),
            to: Offset(to),
            reason: "trimmed".into(),
        }))
    }

    fn caught_up(&mut self, id: u64, name: Option<&str>, offset: u64) -> Vec<String> {
        self.feed(ServerFrame::CaughtUp(CaughtUp {
            id: Echo::number(id),
            stream: name.map(stream),
            epoch: None,
            offset: Offset(offset),
        }))
    }

    fn after(&mut self, ms: u64) -> Vec<String> {
        self.now = self.now.plus(ms);
        short(self.receiver.tick(self.now))
    }
}

fn event(name: &str, epoch: u64, offset: u64) -> ServerFrame {
    ServerFrame::Event(Event {
        stream: stream(name),
        epoch: Epoch(epoch),
        offset: Offset(offset),
        ts: None,
        body: Body::parse(format!("\"{offset:08}\"")).unwrap(),
    })
}

fn subscribed(id: u64, name: &str, epoch: u64, head: u64, gap: Option<(u64, u64)>) -> ServerFrame {
    ServerFrame::Subscribed(Subscribed {
        id: Echo::number(id),
        stream: stream(name),
        epoch: Epoch(epoch),
        next_offset: Offset(head),
        recovered: gap.is_none(),
        gap: gap.map(|(from, to)| Missing {
            from: Offset(from),
            to: Offset(to),
        }),
    })
}

use crate::frame::Subscribed;

/// `7` delivered, `gap 3-4`, `epoch 6 after 5.8`, `sub 2 run/1 5.3`, `unsub 2`, `caught`, or the anomaly's kind.
fn short(actions: Vec<Action>) -> Vec<String> {
    actions.into_iter().map(short_one).collect()
}

fn at(position: Option<Position>) -> String {
    position.map_or("-".into(), |position| {
        format!("{}.{}", position.epoch.0, position.offset.0)
    })
}

fn short_one(action: Action) -> String {
    match action {
        Action::Deliver(event) => {
            assert_eq!(event.body.get(), format!("\"{:08}\"", event.offset.0));
            event.offset.0.to_string()
        }
        Action::Gap {
            from, to, reason, ..
        } => {
            assert!(!reason.to_string().is_empty());
            format!("gap {}-{}", from.0, to.0)
        }
        Action::EpochStarted { old, epoch, .. } => format!("epoch {} after {}", epoch.0, at(old)),
        Action::Send(ClientFrame::Subscribe(subscribe)) => format!(
            "sub {} {} {}{}{}",
            subscribe.id.get(),
            subscribe.stream,
            at(subscribe.from),
            subscribe
                .positions
                .iter()
                .map(|(name, position)| format!(" {name}={}", at(Some(*position))))
                .collect::<String>(),
            if subscribe.more { " more" } else { "" },
        ),
        Action::Send(ClientFrame::Unsubscribe(unsubscribe)) => {
            format!("unsub {}", unsubscribe.id.get())
        }
        Action::Send(other) => panic!("{other:?}"),
        Action::SetAside(event) => format!("aside {}", event.offset.0),
        Action::CaughtUp { .. } => "caught".into(),
        Action::AllCaughtUp { pattern } => format!("caught {pattern}"),
        Action::Anomaly(anomaly) => {
            assert!(!anomaly.to_string().is_empty());
            let name = format!("{anomaly:?}");
            name.split([' ', '{']).next().unwrap().to_owned()
        }
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn each_event_once_and_in_order() {
    let mut rig = Rig::new(None);
    assert_eq!(rig.event(5, 0), ["epoch 5 after -", "0"]);
    assert_eq!(rig.event(5, 1), ["1"]);
    assert_eq!(rig.event(5, 1), NOTHING);
    assert_eq!(rig.event(5, 0), NOTHING);
    assert_eq!(rig.event(5, 3), NOTHING);
    assert_eq!(rig.event(5, 3), NOTHING);
    assert_eq!(rig.event(5, 4), NOTHING);
    assert!(rig.receiver.early_bytes() > 0);
    assert_eq!(rig.event(5, 2), ["2", "3", "4"]);
    assert_eq!(rig.receiver.early_bytes(), 0);
    assert_eq!(rig.receiver.next_wake(), None);
    let counts = rig.receiver.counts();
    assert_eq!(
        (counts.delivered, counts.duplicates, counts.early),
        (5, 3, 2)
    );
    let name = stream("run/1");
    assert_eq!(rig.receiver.position(&name), Some(Position::new(5, 5)));
    assert_eq!(rig.receiver.positions().count(), 1);
}

#[test]
fn epochs_go_forward_only() {
    let mut rig = Rig::new(Some((5, 3)));
    assert_eq!(rig.event(5, 5), NOTHING);
    assert_eq!(rig.event(6, 1), ["epoch 6 after 5.3"]);
    assert_eq!(rig.event(5, 3), NOTHING);
    assert_eq!(rig.gap(5, 3, 3), NOTHING);
    assert_eq!(rig.event(6, 0), ["0", "1"]);
    assert_eq!(rig.receiver.counts().stale, 2);
    assert_eq!(rig.receiver.early_bytes(), 0);
    assert_eq!(rig.subscribed(1, 7, 4), ["epoch 7 after 6.2"]);
}

#[test]
fn gaps_are_recorded_for_what_is_not_held_only() {
    let mut rig = Rig::new(Some((5, 3)));
    // Already here.
    assert_eq!(rig.gap(5, 0, 2), NOTHING);
    assert_eq!(rig.event(5, 5), NOTHING);
    assert_eq!(rig.event(5, 7), NOTHING);
    assert_eq!(
        rig.gap(5, 1, 8),
        ["gap 3-4", "5", "gap 6-6", "7", "gap 8-8"]
    );
    // One that lies ahead waits until the stream is there.
    assert_eq!(rig.gap(5, 11, 12), NOTHING);
    assert_eq!(rig.event(5, 9), ["9"]);
    assert_eq!(rig.event(5, 10), ["10", "gap 11-12"]);
    assert_eq!(rig.event(5, 13), ["13"]);
    assert_eq!(rig.receiver.counts().missing, 6);
    assert_eq!(rig.receiver.next_wake(), None);
}

#[test]
fn the_answer_to_a_subscription_is_judged() {
    for (position, epoch, head, gap, expected) in [
        (None, 5, 0, None, vec![]),
        (None, 5, 2, None, vec!["epoch 5 after -"]),
        (None, 5, 4, Some((0, 1)), vec!["epoch 5 after -", "gap 0-1"]),
        (Some((5, 3)), 5, 3, None, vec![]),
        (Some((5, 3)), 5, 9, Some((3, 6)), vec!["gap 3-6"]),
        (Some((5, 3)), 5, 2, None, vec!["ServerLostEvents"]),
        (Some((5, 3)), 4, 9, None, vec!["OlderEpoch"]),
        (Some((5, 3)), 0, 0, None, vec!["NoSuchStream"]),
        (
            Some((5, 3)),
            6,
            9,
            Some((0, 1)),
            vec!["epoch 6 after 5.3", "gap 0-1"],
        ),
        (Some((5, 3)), 6, 0, None, vec!["epoch 6 after 5.3"]),
        (Some((5, 3)), 5, 9, Some((6, 3)), vec!["Nonsense"]),
        (Some((5, 3)), 5, 9, Some((3, 9)), vec!["Nonsense"]),
    ] {
        let mut rig = Rig::new(position);
        let sent = rig.feed(subscribed(1, "run/1", epoch, head, gap));
        assert_eq!(sent, expected, "{position:?} {epoch} {head} {gap:?}");
    }
}

#[test]
fn what_a_server_puts_in_the_place_of_its_lost_end_is_set_aside() {
    let mut rig = Rig::new(Some((5, 10)));
    assert_eq!(rig.subscribed(1, 5, 6), ["ServerLostEvents"]);
    assert_eq!(rig.event(5, 5), NOTHING, "had already");
    assert_eq!(rig.event(5, 6), ["aside 6"]);
    assert_eq!(rig.event(5, 6), NOTHING, "the same again");
    for offset in 7..10 {
        assert_eq!(rig.event(5, offset), [format!("aside {offset}")]);
    }
    assert_eq!(rig.event(5, 10), ["10"]);
    assert_eq!(rig.receiver.counts().reused, 4);
    // A connection later nothing is known of it.
    rig.receiver.disconnected();
    rig.receiver.connected(1 << 20, rig.now);
    assert_eq!(rig.subscribed(2, 5, 11), NOTHING);
    assert_eq!(rig.event(5, 9), NOTHING);
}

#[test]
fn nonsense_is_ignored_and_said() {
    let mut rig = Rig::new(Some((5, 3)));
    assert_eq!(rig.gap(5, 9, 8), ["Nonsense"]);
    for beyond in [i64::MAX as u64, u64::MAX] {
        assert_eq!(rig.gap(5, 3, beyond), ["Nonsense"]);
        assert_eq!(rig.event(5, beyond), ["Nonsense"]);
    }
    assert_eq!(rig.event(1 << 63, 0), ["Nonsense"]);
    assert_eq!(rig.gap(1 << 63, 0, 2), ["Nonsense"]);
    assert_eq!(rig.event(5, 3), ["3"]);
    let mut rig = Rig::with(Limits::default(), &["run/*"], None);
    let long = format!("run/{}", "x".repeat(1_021));
    assert_eq!(rig.feed(event(&long, 5, 0)), ["Nonsense"]);
}

#[test]
fn a_hole_is_fetched_by_subscribing_again() {
    let mut rig = Rig::new(Some((5, 3)));
    assert_eq!(rig.event(5, 5), NOTHING);
    assert_eq!(rig.receiver.next_wake(), Some(Millis(250)));
    assert_eq!(rig.after(249), NOTHING);
    assert_eq!(rig.after(1), ["unsub 1", "sub 2 run/1 5.3"]);
    assert_eq!(rig.subscribed(2, 5, 6), NOTHING);
    assert_eq!(rig.event(5, 3), ["3"]);
    assert_eq!(rig.event(5, 4), ["4", "5"]);
    assert_eq!(rig.receiver.next_wake(), None);
    assert_eq!(rig.caught_up(2, None, 6), ["caught"]);
}

#[test]
fn a_hole_seen_by_caught_up_is_fetched_too() {
    let mut rig = Rig::new(Some((5, 3)));
    assert_eq!(rig.subscribed(1, 5, 5), NOTHING);
    assert_eq!(rig.event(5, 3), ["3"]);
    assert_eq!(rig.caught_up(1, Some("run/1"), 5), NOTHING);
    assert_eq!(rig.after(250), ["unsub 1", "sub 2 run/1 5.4"]);
    // That was a caught_up of another time: the server has no more than we do.
    assert_eq!(rig.subscribed(2, 5, 4), NOTHING);
    assert_eq!(rig.receiver.next_wake(), None);
}

#[test]
fn a_hole_beside_a_prefix_is_fetched_beside_it() {
    let mut rig = Rig::with(Limits::default(), &["run/*"], Some((5, 3)));
    assert_eq!(rig.event(5, 4), NOTHING);
    assert_eq!(rig.after(250), ["sub 2 run/1 5.3"]);
    assert_eq!(rig.subscribed(2, 5, 5), NOTHING);
    assert_eq!(rig.event(5, 3), ["3", "4", "unsub 2"]);
}

#[test]
fn what_the_server_skips_again_and_again_becomes_a_gap() {
    let mut rig = Rig::new(Some((5, 3)));
    rig.event(5, 6);
    let mut id = 1;
    let mut fetches = 0;
    for _ in 0..100 {
        let Some(wake) = rig.receiver.next_wake() else {
            break;
        };
        let sent = rig.after(wake.since(rig.now));
        if sent.iter().any(|one| one.starts_with("gap")) {
            assert_eq!(sent, ["gap 3-5", "6"]);
            break;
        }
        if sent.is_empty() {
            continue;
        }
        fetches += 1;
        id += 1;
        let said = (fetches == 2).then(|| "Overdue".to_owned());
        let asked = [format!("unsub {}", id - 1), format!("sub {id} run/1 5.3")];
        let expected: Vec<String> = said.into_iter().chain(asked).collect();
        assert_eq!(sent, expected);
        rig.subscribed(id, 5, 7);
        rig.event(5, 6);
    }
    assert_eq!(fetches, 5);
    // 250 ms of grace, then 1, 2, 4, 8 and 16 s.
    assert_eq!(rig.now, Millis(31_250));
    assert_eq!(rig.receiver.next_wake(), None);
}

#[test]
fn fetches_without_an_answer_prove_nothing() {
    let mut rig = Rig::new(Some((5, 3)));
    rig.event(5, 6);
    let mut told = Vec::new();
    for _ in 0..20 {
        told.extend(rig.after(40_000));
    }
    assert!(told.iter().all(|one| !one.starts_with("gap")), "{told:?}");
    assert_eq!(told.iter().filter(|one| *one == "Stalled").count(), 1);
    assert!(told.iter().filter(|one| one.starts_with("sub")).count() > 10);
}

#[test]
fn a_fetch_is_not_waited_for_for_ever_while_other_things_come() {
    let mut rig = Rig::with(Limits::default(), &["run/*"], Some((5, 3)));
    rig.event(5, 6);
    let mut told = Vec::new();
    for offset in 0..60 {
        rig.feed(event("run/2", 5, offset));
        told.extend(rig.after(10_000));
    }
    let asked = told.iter().filter(|one| one.starts_with("sub")).count();
    // At once, and every 160 s.
    assert_eq!(asked, 4, "{told:?}");
    assert_eq!(told.iter().filter(|one| *one == "Stalled").count(), 1);
}

#[test]
fn names_that_no_stream_may_have_are_not_taken() {
    let long = format!("run/{}", "x".repeat(300));
    for name in ["Nope", "", "run/a*", "run/\u{1}", &long] {
        let mut rig = Rig::with(Limits::default(), &["*"], None);
        assert_eq!(rig.feed(event(name, 5, 0)), ["Nonsense"], "{name:?}");
        assert_eq!(rig.receiver.positions().count(), 0);
    }
}

#[test]
fn a_promised_replay_that_stops_is_asked_for_again() {
    let mut rig = Rig::new(Some((5, 3)));
    rig.subscribed(1, 5, 9);
    rig.event(5, 3);
    assert_eq!(rig.after(20_000), NOTHING);
    // Anything heard shows that the connection is only slow.
    rig.event(5, 4);
    assert_eq!(rig.after(39_999), NOTHING);
    assert_eq!(rig.after(1), ["unsub 1", "sub 2 run/1 5.5"]);
}

#[test]
fn early_events_are_bounded_and_come_again() {
    let limits = Limits {
        early_events: 2,
        early_bytes: 40,
        early_bytes_all: 30,
        ..Limits::default()
    };
    let mut rig = Rig::with(limits, &["run/1"], Some((5, 0)));
    for offset in [4, 3, 2, 1] {
        assert_eq!(rig.event(5, offset), NOTHING);
    }
    assert!(rig.receiver.early_bytes() <= 30);
    assert_eq!(rig.receiver.counts().early_dropped, 2);
    // The nearest were kept; the others are missed and fetched.
    assert_eq!(rig.event(5, 0), ["0", "1", "2"]);
    assert_eq!(rig.after(250), ["unsub 1", "sub 2 run/1 5.3"]);
    rig.subscribed(2, 5, 5);
    assert_eq!(rig.event(5, 3), ["3"]);
    assert_eq!(rig.event(5, 4), ["4"]);
    assert_eq!(rig.receiver.next_wake(), None);
}

#[test]
fn a_skip_in_front_of_events_too_large_to_hold_is_no_gap_over_them() {
    let limits = Limits {
        early_bytes: 5,
        attempts: 1,
        ..Limits::default()
    };
    let mut rig = Rig::with(limits, &["run/1"], Some((5, 0)));
    rig.event(5, 1);
    rig.event(5, 2);
    rig.after(250);
    rig.subscribed(2, 5, 3);
    rig.event(5, 1);
    rig.event(5, 2);
    assert_eq!(rig.after(1_000), ["gap 0-0"]);
}

#[test]
fn fetches_take_turns() {
    let limits = Limits {
        fetches: 1,
        ..Limits::default()
    };
    let mut rig = Rig::with(limits, &["run/*"], None);
    for name in ["run/a", "run/b"] {
        rig.feed(event(name, 5, 1));
    }
    assert_eq!(rig.after(250), ["sub 2 run/a 5.0"]);
    assert_eq!(rig.after(250), NOTHING);
    rig.feed(subscribed(2, "run/a", 5, 2, None));
    assert_eq!(rig.feed(event("run/a", 5, 0)), ["0", "1", "unsub 2"]);
    assert_eq!(rig.after(250), ["sub 3 run/b 5.0"]);
}

#[test]
fn a_reconnection_asks_from_where_we_are() {
    let mut rig = Rig::new(Some((5, 3)));
    rig.event(5, 3);
    rig.event(5, 9);
    rig.receiver.disconnected();
    assert_eq!(rig.receiver.early_bytes(), 0);
    assert_eq!(rig.receiver.next_wake(), None);
    assert_eq!(
        short(rig.receiver.connected(1 << 20, rig.now)),
        ["sub 2 run/1 5.4"]
    );
    assert_eq!(short(rig.receiver.subscribe("run/2")), ["sub 3 run/2 -"]);
    assert_eq!(rig.receiver.subscribe("run/2"), []);
    assert_eq!(short(rig.receiver.unsubscribe("run/1")), ["unsub 2"]);
    assert_eq!(rig.receiver.unsubscribe("run/1"), []);
}

#[test]
fn many_positions_take_several_frames() {
    let positions = (0..5).map(|n| (stream(&format!("run/{n}")), Position::new(5, n)));
    let mut receiver = Receiver::new(Limits::default(), positions).unwrap();
    receiver.subscribe("run/*");
    let frames = receiver.connected(600, Millis(0));
    for action in &frames {
        let Action::Send(frame) = action else {
            panic!()
        };
        assert!(frame.to_text().len() <= 600);
    }
    assert_eq!(
        short(frames),
        [
            "sub 1 run/* - run/0=5.0 run/1=5.1 more",
            "sub 1 run/* - run/2=5.2 run/3=5.3 more",
            "sub 1 run/* - run/4=5.4",
        ]
    );
}

#[test]
fn catching_up_is_told_for_one_and_for_all() {
    let mut rig = Rig::with(Limits::default(), &["run/*"], None);
    assert_eq!(rig.feed(subscribed(1, "run/*", 0, 0, None)), NOTHING);
    rig.feed(subscribed(1, "run/1", 5, 1, None));
    assert_eq!(rig.event(5, 0), ["0"]);
    assert_eq!(rig.caught_up(1, Some("run/1"), 1), ["caught"]);
    assert_eq!(rig.caught_up(1, Some("run/2"), 0), ["caught"]);
    assert_eq!(rig.caught_up(1, Some("run/*"), 0), ["caught run/*"]);
    // Without a name it belongs to a single stream, and this id does not.
    assert_eq!(rig.caught_up(1, None, 9), NOTHING);
    assert_eq!(rig.caught_up(77, None, 9), NOTHING);
    // Of another epoch.
    let other = ServerFrame::CaughtUp(CaughtUp {
        id: Echo::number(1),
        stream: Some(stream("run/1")),
        epoch: Some(Epoch(4)),
        offset: Offset(90),
    });
    assert_eq!(rig.feed(other), NOTHING);
    assert_eq!(rig.receiver.next_wake(), None);
}

#[test]
fn too_many_streams_are_said_once_each() {
    let limits = Limits {
        streams: 1,
        ..Limits::default()
    };
    let mut rig = Rig::with(limits, &["run/*"], Some((5, 0)));
    assert_eq!(rig.feed(event("run/2", 5, 0)), ["TooManyStreams"]);
    assert_eq!(rig.feed(event("run/2", 5, 1)), NOTHING);
    assert_eq!(rig.event(5, 0), ["0"]);
    let two = [1, 2].map(|n| (stream(&format!("run/{n}")), Position::new(5, 0)));
    let error = Receiver::new(limits, two).unwrap_err();
    assert!(error.to_string().contains("2 streams"), "{error}");
}

#[test]
fn what_nobody_wants_is_dropped() {
    let mut rig = Rig::new(None);
    assert_eq!(rig.feed(event("run/2", 5, 0)), NOTHING);
    assert_eq!(rig.receiver.counts().unrequested, 1);
    rig.event(5, 2);
    assert!(rig.receiver.next_wake().is_some());
    rig.receiver.unsubscribe("run/1");
    assert_eq!(rig.receiver.next_wake(), None);
    assert_eq!(rig.receiver.early_bytes(), 0);
    // A hole that shows up later is of no interest either.
    rig.event(5, 2);
    assert_eq!(rig.after(250), NOTHING);
    assert_eq!(rig.receiver.next_wake(), None);
}

#[test]
fn refusals_are_told_and_not_repeated_at_once() {
    let refuse = |id| {
        ServerFrame::Error(Trouble {
            code: "limit".into(),
            message: "m".into(),
            fatal: false,
            id: Some(Echo::number(id)),
        })
    };
    let mut rig = Rig::new(None);
    assert_eq!(rig.feed(refuse(1)), ["Refused"]);
    assert_eq!(rig.feed(refuse(1)), NOTHING);
    let mut rig = Rig::with(Limits::default(), &["run/*"], Some((5, 3)));
    rig.event(5, 4);
    assert_eq!(rig.after(250), ["sub 2 run/1 5.3"]);
    assert_eq!(rig.feed(refuse(2)), ["Refused"]);
    assert_eq!(rig.after(39_999), NOTHING);
    assert_eq!(rig.after(1), ["sub 3 run/1 5.3"]);
}

#[test]
fn many_gaps_ahead_are_bounded() {
    let mut rig = Rig::new(Some((5, 0)));
    for number in (1..200u64).rev() {
        assert_eq!(rig.gap(5, 2 * number, 2 * number), NOTHING);
    }
    rig.event(5, 0);
    rig.event(5, 1);
    // The nearest were kept.
    assert_eq!(rig.receiver.position(&stream("run/1")).unwrap().offset.0, 3);
}

#[test]
fn frames_of_no_concern_are_ignored() {
    let mut rig = Rig::new(None);
    for text in [
        r#"{"type":"welcome"}"#,
        r#"{"type":"unsubscribed","id":1}"#,
        r#"{"type":"error","code":"x","fatal":false}"#,
    ] {
        let frame = crate::frame::parse_server(text).unwrap();
        assert_eq!(rig.feed(frame), NOTHING);
    }
}

proptest::proptest! {
    /// Any order, any duplicates: each once, in order, as soon as it can be.
    #[test]
    fn any_order_is_put_right(order in proptest::collection::vec(0..12u64, 0..60)) {
        let mut rig = Rig::new(Some((5, 0)));
        let mut seen = std::collections::BTreeSet::new();
        let mut delivered = Vec::new();
        for offset in order {
            seen.insert(offset);
            delivered.extend(rig.event(5, offset));
            let whole = (0..).take_while(|one| seen.contains(one)).count();
            proptest::prop_assert_eq!(delivered.len(), whole);
        }
        let expected: Vec<String> = (0..delivered.len()).map(|one| one.to_string()).collect();
        proptest::prop_assert_eq!(delivered, expected);
    }

    /// Whatever a server says, events and gaps together cover each offset once, and nothing panics.
    #[test]
    fn nothing_twice_whatever_is_said(said in proptest::collection::vec((0..5u8, 1..4u64, 0..9u64, 0..9u64, 0..40_000u64), 0..80)) {
        let mut rig = Rig::with(Limits { early_events: 3, attempts: 2, ..Limits::default() }, &["run/*"], None);
        let mut next = (0, 0);
        for (what, epoch, a, b, ms) in said {
            rig.now = rig.now.plus(ms);
            let frame = match what {
                0 => event("run/1", epoch, a),
                1 => subscribed(b, "run/1", epoch, a, (b % 2 == 0).then_some((b / 2, b))),
                2 => ServerFrame::Gap(Gap { stream: stream("run/1"), epoch: Epoch(epoch), from: Offset(a), to: Offset(b), reason: String::new() }),
                _ => ServerFrame::CaughtUp(CaughtUp { id: Echo::number(b), stream: Some(stream("run/1")), epoch: None, offset: Offset(a) }),
            };
            let mut actions = rig.receiver.frame(frame, rig.now);
            actions.extend(rig.receiver.tick(rig.now));
            for action in actions {
                match action {
                    Action::EpochStarted { epoch, .. } => {
                        proptest::prop_assert!(epoch.0 > next.0);
                        next = (epoch.0, 0);
                    }
                    Action::Deliver(event) => {
                        proptest::prop_assert_eq!((event.epoch.0, event.offset.0), next);
                        next.1 += 1;
                    }
                    Action::Gap { epoch, from, to, .. } => {
                        proptest::prop_assert_eq!((epoch.0, from.0), next);
                        proptest::prop_assert!(to >= from);
                        next.1 = to.0 + 1;
                    }
                    _ => {}
                }
            }
        }
    }
}
