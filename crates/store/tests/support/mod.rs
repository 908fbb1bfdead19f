//! What the store's tests share: builders for runs, and a gate that decides which jobs share a
//! transaction.
#![allow(dead_code, clippy::unwrap_used)]

pub mod bundles;

use ghostlight_model::{
    Assessment, CaptureId, EventBody, FieldKey, FieldValue, Issue, Method, Micros, Observation,
    Phase, PostingId, RunId, Severity, Source, Step,
    commit::AuthorId,
    event::Fact,
    keys::PostingKey,
    observation::{Confidence, Evidence, Layer},
};
use ghostlight_store::{Changes, FinishedRun, NewCapture, OpenOptions, PersonChange, Store};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Condvar, Mutex},
};

/// 2026-01-05, in microseconds: no test reads the clock.
pub const DAY: i64 = 1_767_571_200_000_000;

/// Opens a store that tells nobody about changes.
pub fn open(folder: &Path) -> Store {
    Store::open(folder, |_| {}).unwrap()
}

/// An event without anything beyond its step.
pub fn event(run: &RunId, step: Step, phase: Phase, ts: i64) -> EventBody {
    EventBody {
        ts: Micros(ts),
        run_id: run.clone(),
        node: step.node().into(),
        phase,
        duration_ms: None,
        metrics: BTreeMap::new(),
        issues: vec![],
        fact: None,
    }
}

/// An event with a fact.
pub fn fact(run: &RunId, step: Step, phase: Phase, ts: i64, fact: Fact) -> EventBody {
    EventBody {
        fact: Some(Box::new(fact)),
        ..event(run, step, phase, ts)
    }
}

/// `FETCH` begins.
pub fn started(run: &RunId, ts: i64) -> EventBody {
    let what = Fact::Started {
        input: format!("page of {run}"),
        location: None,
        index: 0,
        pipeline: "ghostlight 0.1.0".into(),
        process: "process-1".into(),
    };
    fact(run, Step::Fetch, Phase::Start, ts, what)
}

/// `PARSE` ends.
pub fn parsed(
    run: &RunId,
    ts: i64,
    (capture, posting): (CaptureId, PostingId),
    fingerprint: Option<u64>,
) -> EventBody {
    let what = Fact::Parsed {
        capture,
        posting,
        keys: vec![],
        language: Some("en".into()),
        fingerprint,
    };
    fact(run, Step::Parse, Phase::End, ts, what)
}

/// A step fails.
pub fn failed(run: &RunId, step: Step, ts: i64) -> EventBody {
    EventBody {
        issues: vec![Issue {
            code: "login_wall".into(),
            severity: Severity::Error,
            message: "The page asks for a password.".into(),
            hint: None,
        }],
        ..event(run, step, Phase::Fail, ts)
    }
}

/// A value seen in `capture`.
pub fn seen(capture: CaptureId, field: FieldKey, text: &str, confidence: u16) -> Observation {
    Observation {
        field,
        value: FieldValue::Text(text.into()),
        confidence: Confidence::new(confidence),
        source: Source::Parsing,
        method: Method::Pattern,
        evidence: Some(Evidence {
            layer: Layer::Visible,
            start: 0,
            end: text.len() as u32,
            quote: text.into(),
            pointer: None,
        }),
        capture,
        ts: Micros(DAY),
    }
}

/// A page that says `words`, fetched at `ts`.
pub fn page(words: &str, ts: i64) -> NewCapture {
    NewCapture {
        bytes: words.as_bytes().to_vec(),
        fetched_at: Micros(ts),
        name: "page.html".into(),
        url: None,
        final_url: None,
        http_status: Some(200),
        content_type: Some("text/html".into()),
    }
}

/// The key of the posting number `n`.
pub fn key(n: usize) -> PostingKey {
    PostingKey::Url(format!("https://jobs.example/{n}"))
}

/// The end of a run with these winners.
pub fn finished(
    run: &RunId,
    posting: PostingId,
    winners: Vec<Observation>,
    ts: i64,
) -> FinishedRun {
    let what = Fact::Assessed {
        assessment: Assessment::of(&[]),
        commit: None,
    };
    FinishedRun {
        posting,
        winners,
        author: AuthorId("pipeline@0.1.0".into()),
        event: fact(run, Step::Score, Phase::End, ts, what),
    }
}

/// What a person decides.
pub fn decided(
    posting: PostingId,
    field: FieldKey,
    value: Option<FieldValue>,
    (key, ts): (&str, i64),
) -> PersonChange {
    PersonChange {
        posting,
        author: AuthorId("person-7".into()),
        message: "as the employer says".into(),
        field,
        value,
        key: key.into(),
        now: Micros(ts),
    }
}

/// Every row of every table, so that two stores compare as text.
pub fn dump(folder: &Path) -> String {
    let connection = Connection::open(folder.join(ghostlight_store::DATABASE)).unwrap();
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut out = String::new();
    for table in tables.iter().filter(|name| *name != "setting") {
        writeln!(out, "== {table}").unwrap();
        let mut all = connection
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .unwrap();
        let width = all.column_count();
        let mut lines = Vec::new();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let mut line = String::new();
            for column in 0..width {
                write!(line, "{:?}|", row.get_ref(column).unwrap()).unwrap();
            }
            lines.push(line);
        }
        lines.sort();
        out.push_str(&lines.join("\n"));
        out.push('\n');
    }
    out
}

/// Holds the writer thread in its callback, so that what is queued meanwhile is one transaction.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    closed: bool,
    waiting: bool,
}

impl Gate {
    /// The callback for [`Store::open`].
    pub fn callback(&self) -> impl Fn(&Changes) + Send + 'static {
        let gate = self.clone();
        move |_| {
            let (state, changed) = &*gate.0;
            let mut state = state.lock().unwrap();
            while state.closed {
                state.waiting = true;
                changed.notify_all();
                state = changed.wait(state).unwrap();
            }
            state.waiting = false;
        }
    }

    /// Runs `submit` while the writer stands still; all it queues is then one transaction.
    pub fn together<T>(&self, store: &Store, submit: impl FnOnce() -> T) -> T {
        let (state, changed) = &*self.0;
        state.lock().unwrap().closed = true;
        let bait = store.put_setting("gate", String::new());
        let mut standing = state.lock().unwrap();
        while !standing.waiting {
            standing = changed.wait(standing).unwrap();
        }
        drop(standing);
        let submitted = submit();
        state.lock().unwrap().closed = false;
        changed.notify_all();
        bait.wait().unwrap();
        submitted
    }
}

/// Options with a short wait for locks.
pub fn impatient() -> OpenOptions {
    OpenOptions {
        busy_timeout: std::time::Duration::from_millis(50),
        ..OpenOptions::default()
    }
}

/// Numbers that are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// A run that looks at a posting's page from `ts` on and finds `title` there, from its start to its end.
pub fn looked_at(store: &Store, posting: PostingId, run: &str, title: &str, ts: i64) {
    let run = RunId(run.into());
    let capture = store.put_capture(page(title, ts)).wait().unwrap();
    let saw = seen(capture, FieldKey::Title, title, 900);
    let events = vec![
        started(&run, ts),
        parsed(&run, ts + 1, (capture, posting), None),
    ];
    store.append(run.stream(), events).wait().unwrap();
    let ended = finished(&run, posting, vec![saw], ts + 2);
    store.finish_run(ended).wait().unwrap();
}
