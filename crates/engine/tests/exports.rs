//! Exports as the window asks for them: looked at, begun, watched, stopped, shown; and what is not possible is said.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ApiError, ErrorCode, ViewData, ViewId, ViewQuery,
    command::{CancelExport, ChooseTarget, PullViews, RegisterViews, RevealExport, StartExport},
    export::{ExportForm, ExportKind},
    view::{ExportLook, ExportRow, ExportState, Ping},
};
use ghostlight_engine::{
    Engine, Handle, Hooks, Host, Input,
    bundle::Imported,
    export::{Cancel, ExportError, Progress, Target, Watch},
};
use ghostlight_model::{
    Micros, RunId, StreamId,
    export::{Filter, Format, What},
};
use ghostlight_store::{LogEvent, Received};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};
use tempfile::TempDir;

/// A host that hands on the pings, and remembers what it should show.
struct Window {
    pings: Mutex<Sender<Ping>>,
    shown: Arc<Mutex<Vec<PathBuf>>>,
}

impl Host for Window {
    fn ping(&self, ping: &Ping) {
        let _ = self.pings.lock().unwrap().send(ping.clone());
    }

    fn reveal(&self, path: &Path) -> Result<(), ApiError> {
        self.shown.lock().unwrap().push(path.to_owned());
        Ok(())
    }
}

struct Rig {
    engine: Engine,
    pings: Receiver<Ping>,
    shown: Arc<Mutex<Vec<PathBuf>>>,
    data: TempDir,
    files: TempDir,
}

const LIST: ViewId = ViewId(7);

impl Rig {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (tell, pings) = mpsc::channel();
        let shown = Arc::<Mutex<Vec<PathBuf>>>::default();
        let host = Window {
            pings: Mutex::new(tell),
            shown: Arc::clone(&shown),
        };
        let engine = Engine::open(data.path(), Arc::new(host), Hooks::default()).unwrap();
        let text = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
            Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
            Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";
        let input = Input::Text {
            name: "pasted".into(),
            bytes: text.into(),
        };
        engine.analyze(input, &mut |_| {}).unwrap();
        engine
            .handle(RegisterViews {
                views: vec![(LIST, ViewQuery::Exports)],
            })
            .unwrap();
        let rig = Self {
            engine,
            pings,
            shown,
            data,
            files: tempfile::tempdir().unwrap(),
        };
        assert_eq!(rig.rows(), []);
        rig
    }

    fn rows(&self) -> Vec<ExportRow> {
        let views = self.engine.handle(PullViews { ids: vec![LIST] }).unwrap();
        match views.into_iter().next() {
            Some((LIST, ViewData::Exports(rows))) => rows,
            other => panic!("no list: {other:?}"),
        }
    }

    fn path(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    fn start(&self, form: &ExportForm, name: &str) -> Result<u64, ApiError> {
        let path = self.path(name);
        self.engine.handle(StartExport {
            export: form.clone(),
            path,
            overwrite: false,
        })
    }

    /// The row once it has ended, as the pings tell.
    fn ended(&self, id: u64) -> ExportRow {
        loop {
            let row = self.rows().into_iter().find(|row| row.id == id).unwrap();
            if row.state != ExportState::Running {
                return row;
            }
            self.pings.recv_timeout(Duration::from_secs(30)).unwrap();
        }
    }

    fn look(&self, form: &ExportForm) -> Result<ExportLook, ApiError> {
        match self
            .engine
            .view(&ViewQuery::ExportLook(Box::new(form.clone())))
        {
            ViewData::ExportLook(look) => Ok(look),
            ViewData::Failed(error) => Err(error),
            other => panic!("no look: {other:?}"),
        }
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.files.path()).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Many events, so that an export takes a moment.
    fn crowd(&self, events: u64) {
        let many = (0..events).map(|n| Received::Event {
            stream: StreamId("run/many".into()),
            epoch: ghostlight_model::Epoch(1),
            event: LogEvent {
                offset: ghostlight_model::Offset(n),
                ts: Micros(n as i64),
                body: format!("{{\"run_id\":\"many\",\"node\":\"N\",\"phase\":\"end\",\"n\":{n}}}"),
            },
        });
        self.engine
            .hub()
            .store()
            .receive("x", many.collect())
            .wait()
            .unwrap();
    }
}

fn import(engine: &Engine, path: &Path) -> Imported {
    let tell = Arc::new(|_| {});
    engine
        .import_bundle(path, &Cancel::default(), tell)
        .unwrap()
}

fn form(what: What, format: Format) -> ExportForm {
    ExportForm {
        kind: ExportKind::Table(what, format),
        filter: Filter::default(),
        fields: Vec::new(),
        limit: None,
        bom: false,
        guard: true,
    }
}

#[test]
fn an_export_is_looked_at_begun_watched_and_shown() {
    let rig = Rig::new();
    let form = ExportForm {
        fields: vec!["title".into(), "salary_min".into()],
        ..form(What::Postings, Format::Csv)
    };
    let look = rig.look(&form).unwrap();
    assert_eq!((look.rows, look.columns.len()), (1, 2));
    assert_eq!(look.first, [["Lamp Keeper", "42000"]]);
    assert_eq!(look.text, "title,salary_min\r\nLamp Keeper,42000\r\n");
    assert_eq!(look.bytes, look.text.len() as u64);
    assert!(look.known.contains(&"description".to_owned()));
    assert!(
        look.name.starts_with("ghostlight-postings-") && look.name.ends_with(".csv"),
        "{}",
        look.name
    );
    let id = rig.start(&form, &look.name).unwrap();
    let row = rig.ended(id);
    assert_eq!(
        (&row.state, row.rows, row.bytes),
        (&ExportState::Done, 1, look.text.len() as u64)
    );
    assert_eq!(fs::read_to_string(&row.path).unwrap(), look.text);
    rig.engine.handle(RevealExport { id }).unwrap();
    assert_eq!(*rig.shown.lock().unwrap(), [PathBuf::from(&row.path)]);
    // The same name again is refused in the list, and the file stays.
    let again = rig.start(&form, &look.name).unwrap();
    let refused = rig.ended(again);
    assert!(
        matches!(&refused.state, ExportState::Failed(e) if e.code == ErrorCode::Input && e.hint.is_some()),
        "{refused:?}"
    );
    assert_eq!(
        rig.rows().iter().map(|row| row.id).collect::<Vec<_>>(),
        [again, id]
    );
}

#[test]
fn what_breaks_a_rule_is_refused_at_once() {
    let rig = Rig::new();
    let events = form(What::Events, Format::Csv);
    for wrong in [
        ExportForm {
            fields: vec!["title".into()],
            ..events.clone()
        },
        ExportForm {
            filter: Filter {
                level: Some("unclear".into()),
                ..Filter::default()
            },
            ..events.clone()
        },
        ExportForm {
            kind: ExportKind::Bundle,
            filter: Filter {
                run: Some(RunId("x".into())),
                ..Filter::default()
            },
            ..events.clone()
        },
    ] {
        assert_eq!(
            rig.look(&wrong).unwrap_err().code,
            ErrorCode::Rule,
            "{wrong:?}"
        );
        assert_eq!(
            rig.start(&wrong, "out").unwrap_err().code,
            ErrorCode::Rule,
            "{wrong:?}"
        );
    }
    assert_eq!(rig.rows(), []);
    for id in [0, 9] {
        assert_eq!(
            rig.engine.handle(CancelExport { id }).unwrap_err().code,
            ErrorCode::NotFound
        );
        assert_eq!(
            rig.engine.handle(RevealExport { id }).unwrap_err().code,
            ErrorCode::NotFound
        );
    }
    let dialog = rig.engine.handle(ChooseTarget {
        name: "a.csv".into(),
    });
    assert_eq!(dialog.unwrap_err().code, ErrorCode::Unsupported);
    assert_eq!(rig.files(), [""; 0]);
}

#[test]
fn a_stopped_export_leaves_nothing_and_is_not_shown() {
    let rig = Rig::new();
    rig.crowd(30_000);
    let form = form(What::Events, Format::Json);
    let (first, second) = (
        rig.start(&form, "a.json").unwrap(),
        rig.start(&form, "b.json").unwrap(),
    );
    // Two at a time; which of them is still under way is decided by the disk.
    if let Err(busy) = rig.start(&form, "c.json") {
        assert_eq!(busy.code, ErrorCode::Busy);
    }
    rig.engine.handle(CancelExport { id: first }).unwrap();
    let row = rig.ended(first);
    match row.state {
        ExportState::Cancelled => {
            assert!(!rig.files().contains(&"a.json".to_owned()));
            assert_eq!(
                rig.engine
                    .handle(RevealExport { id: first })
                    .unwrap_err()
                    .code,
                ErrorCode::NotFound
            );
        }
        // It was done before.
        other => assert_eq!(other, ExportState::Done),
    }
    let row = rig.ended(second);
    assert_eq!(row.state, ExportState::Done);
    assert!(row.rows > 30_000 && row.total == row.rows, "{row:?}");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&row.path).unwrap()).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len() as u64, row.rows);
}

#[test]
fn closing_the_engine_stops_exports_and_leaves_no_half_file() {
    let rig = Rig::new();
    rig.crowd(30_000);
    rig.start(&form(What::Events, Format::Csv), "a.csv")
        .unwrap();
    let Rig {
        engine,
        files,
        data,
        ..
    } = rig;
    drop(engine);
    // A thread of the engine may be its last owner for a moment.
    let begun = std::time::Instant::now();
    let half = || {
        let mut left = fs::read_dir(files.path()).unwrap();
        left.any(|entry| entry.unwrap().file_name() != "a.csv")
    };
    while half() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "a half file was left"
        );
        std::thread::yield_now();
    }
    drop(data);
}

#[test]
fn a_bundle_goes_the_same_way() {
    let rig = Rig::new();
    let form = ExportForm {
        kind: ExportKind::Bundle,
        ..form(What::Postings, Format::Csv)
    };
    let look = rig.look(&form).unwrap();
    assert_eq!(look.rows, 1);
    assert!(look.name.ends_with(".ghostlight.zip"), "{}", look.name);
    let row = rig.ended(rig.start(&form, &look.name).unwrap());
    assert_eq!((&row.state, row.rows), (&ExportState::Done, 1));
    // All of so few pages is packed to see how large the file will be.
    assert_eq!(look.bytes, row.bytes);
    assert_eq!(fs::metadata(&row.path).unwrap().len(), row.bytes);
    let counts = ghostlight_engine::bundle::verify(Path::new(&row.path)).unwrap();
    assert_eq!((counts.postings, counts.commits), (1, 1));
    let other = Rig::new();
    let before = other.engine.hub().store().counts().unwrap();
    let done = import(&other.engine, Path::new(&row.path));
    // The same text is the same posting: two histories of it now, both kept.
    assert_eq!((done.new_postings, done.forked.len()), (0, 1));
    assert_eq!(other.engine.hub().store().counts().unwrap(), before);
}

#[test]
fn a_bundle_tells_how_far_it_is_and_is_stopped_at_each_tenth() {
    let rig = Rig::new();
    for n in 0..12 {
        let text = format!(
            "Lamp Keeper {n}\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
            Responsibilities: trim wick {n}, keep log {n}. Requirements: a steady hand. Apply by email."
        );
        let input = Input::Text {
            name: "pasted".into(),
            bytes: text.into(),
        };
        rig.engine.analyze(input, &mut |_| {}).unwrap();
    }
    let target = Target {
        path: rig.files.path().join("a.zip"),
        overwrite: false,
    };
    let export = |cancel: &Cancel, progress: &mut dyn FnMut(Progress)| {
        let mut watch = Watch { cancel, progress };
        let filter = Filter::default();
        rig.engine.export_bundle(&filter, None, &target, &mut watch)
    };
    for tenth in 0..=10 {
        let cancel = Cancel::default();
        let stopped = export(&cancel, &mut |now| {
            if now.rows * 10 >= now.total * tenth {
                cancel.cancel();
            }
        });
        assert_eq!(stopped.unwrap_err(), ExportError::Cancelled, "{tenth}");
        assert_eq!(rig.files(), [""; 0]);
    }
    let mut told: Vec<Progress> = Vec::new();
    let (written, counts) = export(&Cancel::default(), &mut |now| told.push(now)).unwrap();
    assert_eq!((written.rows, counts.postings), (13, 13));
    assert!(told.is_sorted_by(|a, b| a.rows <= b.rows && a.bytes <= b.bytes));
    // It follows what is written, and what it counts to is about what that is in the end.
    assert!(told.len() > 50, "{}", told.len());
    let last = told.last().unwrap();
    assert_eq!(last.rows, last.total);
    let share = last.total as f64 / last.bytes as f64;
    assert!((0.8..1.25).contains(&share), "{last:?}");
}
