//! An outbox with its disk, in memory; what is sent and what happens to the rows.

use super::*;
use crate::frame::{Accepted, Refused};
use ghostlight_model::{Epoch, Offset};

struct Rig {
    outbox: Outbox,
    rows: BTreeMap<u64, Row>,
    last_seq: u64,
    now: Millis,
    loads: usize,
    /// Loads are answered by hand.
    slow_disk: bool,
}

#[derive(Clone)]
struct Row {
    entry: Entry,
    held: Option<String>,
}

impl Rig {
    fn new(limits: Limits) -> Self {
        Self {
            outbox: Outbox::new(limits),
            rows: BTreeMap::new(),
            last_seq: 0,
            now: Millis(0),
            loads: 0,
            slow_disk: false,
        }
    }

    /// With rows named `stream` and connected: "aab" is two of run/a and one of run/b, keys a1, a2, b3.
    fn connected(rows: &str, limits: Limits) -> Self {
        let mut rig = Self::new(limits);
        rig.add(rows);
        rig
    }

    fn add(&mut self, rows: &str) {
        for name in rows.chars() {
            self.last_seq += 1;
            let seq = self.last_seq;
            let entry = Entry {
                seq,
                key: format!("{name}{seq}"),
                stream: StreamId(format!("run/{name}")),
                before: None,
                bodies: vec![Body::parse(seq.to_string()).unwrap()],
            };
            self.rows.insert(seq, Row { entry, held: None });
        }
    }

    fn row(&mut self, key: &str) -> Option<&mut Row> {
        self.rows.values_mut().find(|row| row.entry.key == key)
    }

    fn connect(&mut self) -> Vec<String> {
        self.give(Input::Connected {
            max_frame_bytes: 1_000,
        })
    }

    fn give(&mut self, input: Input) -> Vec<String> {
        let mut done = Vec::new();
        let mut actions = VecDeque::from(self.outbox.handle(input, self.now, 0));
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Load { .. } if self.slow_disk => self.loads += 1,
                Action::Load {
                    request,
                    after,
                    limit,
                    except,
                } => {
                    self.loads += 1;
                    let answer = self.load(request, after, limit, &except);
                    actions.extend(self.outbox.handle(answer, self.now, 0));
                }
                Action::Send(ClientFrame::Publish(publish)) => done.push(publish.key),
                Action::Send(other) => panic!("{other:?}"),
                Action::Done(accepted) => {
                    self.rows.retain(|_, row| row.entry.key != accepted.key);
                    done.push(format!("done {}", accepted.key));
                }
                Action::Hold { key, code, message } => {
                    assert!(!message.is_empty());
                    // Of a row that somebody discarded nothing is left to mark.
                    if let Some(row) = self.row(&key) {
                        row.held = Some(code.clone());
                    }
                    done.push(format!("hold {key} {code}"));
                }
                Action::Release { key } => {
                    self.row(&key).unwrap().held = None;
                    done.push(format!("release {key}"));
                }
                Action::Delete { key } => {
                    self.rows.retain(|_, row| row.entry.key != key);
                    done.push(format!("delete {key}"));
                }
                Action::CannotDiscard { key } => done.push(format!("cannot discard {key}")),
            }
            assert!(self.outbox.entries().count() <= self.outbox.limits.entries);
        }
        done
    }

    fn load(&self, request: u64, after: u64, limit: usize, except: &[StreamId]) -> Input {
        let held: Vec<_> = self
            .rows
            .values()
            .filter(|row| row.held.is_some())
            .collect();
        let free = |stream: &StreamId| {
            !except.contains(stream) && held.iter().all(|row| row.entry.stream != *stream)
        };
        let mut last = BTreeMap::new();
        let rows = self.rows.values().map(|row| Entry {
            before: last.insert(&row.entry.stream, row.entry.seq),
            ..row.entry.clone()
        });
        let mut rows: Vec<Entry> = rows
            .filter(|one| one.seq > after && free(&one.stream))
            .collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        Input::Loaded {
            request,
            entries: rows,
            more,
        }
    }

    fn accept(&mut self, key: &str) -> Vec<String> {
        self.give(Input::Accepted(Accepted {
            key: key.into(),
            epoch: Epoch(5),
            first_offset: Offset(0),
            last_offset: Offset(0),
            duplicate: false,
        }))
    }

    fn refuse(&mut self, key: &str, retry: bool, retry_after_ms: Option<u64>) -> Vec<String> {
        self.give(Input::Refused(Refused {
            key: key.into(),
            code: "no".into(),
            message: "m".into(),
            retry,
            retry_after_ms,
        }))
    }

    fn after(&mut self, ms: u64) -> Vec<String> {
        self.now = self.now.plus(ms);
        self.give(Input::Tick)
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn one_under_way_in_each_stream_and_in_order() {
    let mut rig = Rig::connected("aabc", Limits::default());
    assert_eq!(rig.give(Input::Added), NOTHING, "not connected");
    assert_eq!(rig.outbox.next_wake(), None);
    assert_eq!(rig.connect(), ["a1", "b3", "c4"]);
    assert_eq!(rig.accept("b3"), ["done b3"]);
    assert_eq!(rig.accept("a1"), ["done a1", "a2"]);
    rig.add("b");
    assert_eq!(rig.give(Input::Added), ["b5"]);
    let standing: Vec<_> = rig.outbox.entries().map(|(_, one)| one.clone()).collect();
    assert_eq!(standing, vec![Standing::InFlight; 3]);
    for key in ["a2", "c4", "b5"] {
        rig.accept(key);
    }
    assert!(rig.rows.is_empty());
    assert_eq!(rig.outbox.entries().count(), 0);
}

#[test]
fn streams_under_way_are_bounded() {
    let limits = Limits {
        in_flight: 2,
        ..Limits::default()
    };
    let mut rig = Rig::connected("abc", limits);
    assert_eq!(rig.connect(), ["a1", "b2"]);
    assert_eq!(rig.refuse("a1", true, Some(10)), ["c3"]);
    // a1 is due, but has to wait for an answer: no wake in the past.
    rig.now = rig.now.plus(20);
    assert!(rig.outbox.next_wake().unwrap() > rig.now);
    assert_eq!(rig.accept("b2"), ["done b2", "a1"]);
}

#[test]
fn a_lost_connection_sends_again_with_the_same_key() {
    let mut rig = Rig::connected("ab", Limits::default());
    assert_eq!(rig.connect(), ["a1", "b2"]);
    assert_eq!(rig.give(Input::Disconnected), NOTHING);
    // An answer that nobody can have given.
    assert_eq!(rig.accept("a1"), NOTHING);
    assert_eq!(rig.refuse("a1", false, None), NOTHING);
    assert_eq!(rig.connect(), ["a1", "b2"]);
}

#[test]
fn no_answer_in_time_sends_again() {
    let mut rig = Rig::connected("aa", Limits::default());
    rig.connect();
    assert_eq!(rig.outbox.next_wake(), Some(Millis(30_000)));
    assert_eq!(rig.after(30_000), NOTHING);
    assert_eq!(rig.outbox.next_wake(), Some(Millis(30_500)));
    assert_eq!(rig.after(500), ["a1"]);
    assert_eq!(rig.after(30_000), NOTHING);
    // The late answer counts.
    assert_eq!(rig.accept("a1"), ["done a1", "a2"]);
    // Large ones are given longer: 5 bytes a ms.
    let mut rig = Rig::connected("a", Limits::default());
    rig.row("a1").unwrap().entry.bodies =
        vec![Body::parse(format!("\"{}\"", "x".repeat(498))).unwrap()];
    rig.connect();
    assert_eq!(rig.outbox.next_wake(), Some(Millis(30_100)));
}

#[test]
fn a_refusal_for_now_waits_and_lets_others_pass() {
    let limits = Limits {
        entries: 4,
        ..Limits::default()
    };
    let mut rig = Rig::connected("aaaaaaab", limits);
    assert_eq!(rig.connect(), ["a1"]);
    // The rest of run/a goes back to disk, so that run/b comes in.
    assert_eq!(rig.refuse("a1", true, Some(5_000)), ["b8"]);
    let standings: Vec<_> = rig.outbox.entries().map(|(_, one)| one.clone()).collect();
    assert!(
        matches!(&standings[0], Standing::Retrying { at: Millis(5_000), code, .. } if code == "no")
    );
    assert_eq!(rig.after(4_999), NOTHING);
    assert_eq!(rig.after(1), ["a1"]);
    assert_eq!(rig.refuse("a1", true, None), NOTHING);
    assert_eq!(rig.outbox.next_wake(), Some(rig.now.plus(500)));
    assert_eq!(rig.after(500), ["a1"]);
    assert_eq!(rig.accept("a1"), ["done a1", "a2"]);
    for seq in 2..7 {
        let next = format!("a{}", seq + 1);
        assert_eq!(
            rig.accept(&format!("a{seq}")),
            [format!("done a{seq}"), next]
        );
    }
    // A server cannot ask for for ever.
    rig.refuse("a7", true, Some(u64::MAX));
    assert_eq!(
        rig.outbox.next_wake().unwrap(),
        Millis(30_000),
        "b8's answer"
    );
    rig.accept("b8");
    assert_eq!(rig.outbox.next_wake().unwrap(), rig.now.plus(3_600_000));
}

#[test]
fn a_refusal_for_good_holds_the_stream_until_a_person_decides() {
    let mut rig = Rig::connected("aaab", Limits::default());
    rig.connect();
    assert_eq!(rig.refuse("a1", false, None), ["hold a1 no"]);
    assert_eq!(rig.accept("b4"), ["done b4"]);
    assert_eq!(rig.outbox.entries().count(), 0);
    rig.add("ac");
    assert_eq!(rig.give(Input::Added), ["c6"]);
    let retry = |key: &str| Input::Retry { key: key.into() };
    let discard = |key: &str| Input::Discard { key: key.into() };
    assert_eq!(rig.give(retry("a1")), ["release a1", "a1"]);
    assert_eq!(rig.give(discard("a1")), ["cannot discard a1"]);
    assert_eq!(rig.refuse("a1", false, None), ["hold a1 no"]);
    assert_eq!(rig.give(discard("a1")), ["delete a1", "a2"]);
    assert_eq!(rig.give(retry("a2")), NOTHING, "under way");
    assert_eq!(rig.give(discard("a3")), ["delete a3"]);
    assert_eq!(rig.accept("a2"), ["done a2", "a5"]);
    // By hand without waiting.
    rig.refuse("a5", true, Some(60_000));
    assert_eq!(rig.give(retry("a5")), ["a5"]);
}

#[test]
fn what_somebody_else_released_is_sent() {
    let mut rig = Rig::connected("aab", Limits::default());
    rig.connect();
    assert_eq!(rig.refuse("a1", false, None), ["hold a1 no"]);
    assert_eq!(rig.accept("b3"), ["done b3"]);
    rig.row("a1").unwrap().held = None;
    assert_eq!(rig.give(Input::Added), NOTHING, "nothing new behind");
    rig.row("a1").unwrap().held = Some("no".into());
    assert_eq!(rig.give(Input::Changed), NOTHING, "still held");
    rig.row("a1").unwrap().held = None;
    assert_eq!(rig.give(Input::Changed), ["a1"]);
    // What is in memory already is neither doubled nor sent again.
    assert_eq!(rig.give(Input::Changed), NOTHING);
    assert_eq!(rig.accept("a1"), ["done a1", "a2"]);
    assert_eq!(rig.outbox.entries().count(), 1);
}

#[test]
fn what_somebody_else_discarded_or_holds_is_not_sent() {
    let mut rig = Rig::connected("aaabbccc", Limits::default());
    rig.connect();
    rig.refuse("c6", true, Some(5_000));
    rig.rows.remove(&2);
    rig.row("b5").unwrap().held = Some("no".into());
    assert_eq!(rig.give(Input::Changed), NOTHING);
    assert_eq!(rig.accept("a1"), ["done a1", "a3"]);
    assert_eq!(rig.accept("b4"), ["done b4"]);
    // What waits for its time keeps it.
    assert_eq!(rig.after(5_000), ["c6"]);
    assert_eq!(rig.accept("c6"), ["done c6", "c7"]);
    rig.give(Input::Disconnected);
    rig.rows.remove(&7);
    assert_eq!(rig.give(Input::Changed), NOTHING);
    assert_eq!(rig.connect(), ["a3", "c8"]);
}

#[test]
fn what_is_behind_an_entry_that_was_discarded_elsewhere_and_is_then_refused_is_sent() {
    let mut rig = Rig::connected("aaa", Limits::default());
    assert_eq!(rig.connect(), ["a1"]);
    rig.rows.remove(&1);
    assert_eq!(rig.give(Input::Changed), NOTHING, "it is under way");
    assert_eq!(rig.refuse("a1", false, None), ["hold a1 no", "a2"]);
    assert_eq!(rig.accept("a2"), ["done a2", "a3"]);
}

#[test]
fn what_was_sent_again_and_cut_off_is_sent_after_a_change_elsewhere() {
    let mut rig = Rig::connected("aa", Limits::default());
    assert_eq!(rig.connect(), ["a1"]);
    rig.refuse("a1", true, Some(1_000));
    assert_eq!(rig.after(1_000), ["a1"]);
    rig.give(Input::Disconnected);
    assert_eq!(rig.give(Input::Changed), NOTHING);
    assert_eq!(rig.connect(), ["a1"]);
    assert_eq!(rig.accept("a1"), ["done a1", "a2"]);
}

#[test]
fn what_is_behind_an_entry_that_was_held_elsewhere_and_is_then_accepted_is_sent() {
    let mut rig = Rig::connected("ab", Limits::default());
    assert_eq!(rig.connect(), ["a1", "b2"]);
    rig.row("a1").unwrap().held = Some("no".into());
    assert_eq!(rig.give(Input::Changed), NOTHING, "it is under way");
    // Read past what the store leaves out meanwhile.
    rig.add("ab");
    assert_eq!(rig.give(Input::Added), NOTHING);
    assert_eq!(rig.accept("b2"), ["done b2", "b4"]);
    assert_eq!(rig.accept("a1"), ["done a1", "a3"]);
}

#[test]
fn what_somebody_else_released_is_sent_before_what_was_added_behind_it() {
    let mut rig = Rig::connected("aab", Limits::default());
    rig.row("a1").unwrap().held = Some("elsewhere".into());
    assert_eq!(rig.connect(), ["b3"]);
    rig.row("a1").unwrap().held = None;
    // Before the change is noticed, more of the stream is read.
    rig.add("a");
    assert_eq!(rig.give(Input::Added), ["a1"]);
    assert_eq!(rig.accept("a1"), ["done a1", "a2"]);
    assert_eq!(rig.accept("a2"), ["done a2", "a4"]);
}

#[test]
fn more_than_memory_stays_on_disk() {
    let limits = Limits {
        entries: 10,
        ..Limits::default()
    };
    let rows: String = (0..97).map(|n| char::from(b'a' + n % 5)).collect();
    let mut rig = Rig::connected(&rows, limits);
    let mut under_way = VecDeque::from(rig.connect());
    let mut sent = Vec::new();
    while let Some(key) = under_way.pop_front() {
        let answers = rig.accept(&key);
        sent.push(key);
        under_way.extend(answers.into_iter().filter(|one| !one.starts_with("done")));
    }
    assert!(rig.rows.is_empty());
    assert!(rig.loads < 30, "{} loads", rig.loads);
    for name in ["a", "b", "c", "d", "e"] {
        let of_one: Vec<u64> = sent
            .iter()
            .filter_map(|key| key.strip_prefix(name)?.parse().ok())
            .collect();
        assert!(of_one.is_sorted() && of_one.len() >= 19, "{of_one:?}");
    }
}

#[test]
fn a_load_that_is_out_of_date_is_not_used() {
    let limits = Limits {
        entries: 4,
        ..Limits::default()
    };
    let mut rig = Rig::connected("aab", limits);
    rig.connect();
    rig.slow_disk = true;
    rig.add("ab");
    // Asked for by the news; answered only after a1 was held and b3 was done.
    let actions = rig.outbox.handle(Input::Added, rig.now, 0);
    assert_eq!(actions, [], "no room");
    assert_eq!(rig.accept("b3"), ["done b3"]);
    assert_eq!(rig.loads, 2);
    let old = rig.load(2, 3, 2, &[]);
    assert_eq!(rig.refuse("a1", false, None), ["hold a1 no"]);
    assert_eq!(rig.give(old), NOTHING);
    assert_eq!(rig.loads, 3);
    let answer = rig.load(3, 3, 3, &[]);
    assert_eq!(rig.give(answer), ["b5"]);
    // A row that was done while the load was under way is not sent again.
    rig.rows.insert(
        6,
        Row {
            entry: Entry {
                seq: 6,
                key: "d6".into(),
                stream: StreamId("run/d".into()),
                before: None,
                bodies: vec![Body::parse("6".into()).unwrap()],
            },
            held: None,
        },
    );
    let Action::Load { request, .. } = rig.outbox.handle(Input::Added, rig.now, 0).remove(0) else {
        panic!()
    };
    let answer = rig.load(request, 3, 3, &[]);
    assert_eq!(rig.accept("b5"), ["done b5"]);
    assert_eq!(rig.give(answer), ["d6"]);
}

#[test]
fn what_no_frame_can_hold_is_held() {
    let mut rig = Rig::connected("aa", Limits::default());
    rig.row("a1").unwrap().entry.bodies =
        vec![Body::parse(format!("\"{}\"", "x".repeat(1_000))).unwrap()];
    assert_eq!(rig.connect(), ["hold a1 too_large"]);
    assert_eq!(
        rig.give(Input::Discard { key: "a1".into() }),
        ["delete a1", "a2"]
    );
}
