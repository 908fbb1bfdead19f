//! Imports as the window asks for them: watched while a bundle is verified and taken over, told by name what came, and
//! refused with the entry at fault.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ApiError, ViewData, ViewId, ViewQuery,
    command::{EditField, FieldInput, PullViews, RegisterViews, StartImport},
    view::{ImportDone, ImportRow, ImportState, Opened, Ping},
};
use ghostlight_engine::{
    Engine, Handle, Hooks, Host, Input,
    export::{Cancel, Target, Watch},
};
use ghostlight_model::{FieldKey, PostingId, export::Filter};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};
use tempfile::TempDir;

const LIST: ViewId = ViewId(7);
const TEXT: &str = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
    Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
    Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";

/// A host that hands on pings and what the window should show.
struct Window {
    pings: Mutex<Sender<Ping>>,
    opened: Arc<Mutex<Vec<Opened>>>,
}

impl Host for Window {
    fn ping(&self, ping: &Ping) {
        let _ = self.pings.lock().unwrap().send(ping.clone());
    }

    fn opened(&self, opened: &Opened) {
        self.opened.lock().unwrap().push(opened.clone());
    }
}

struct Rig {
    engine: Engine,
    pings: Receiver<Ping>,
    opened: Arc<Mutex<Vec<Opened>>>,
    _data: TempDir,
}

impl Rig {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (tell, pings) = mpsc::channel();
        let opened = Arc::<Mutex<Vec<Opened>>>::default();
        let host = Window {
            pings: Mutex::new(tell),
            opened: Arc::clone(&opened),
        };
        let engine = Engine::open(data.path(), Arc::new(host), Hooks::default()).unwrap();
        let views = vec![(LIST, ViewQuery::Imports)];
        engine.handle(RegisterViews { views }).unwrap();
        let rig = Self {
            engine,
            pings,
            opened,
            _data: data,
        };
        assert_eq!(rig.rows(), []);
        rig
    }

    fn rows(&self) -> Vec<ImportRow> {
        let views = self.engine.handle(PullViews { ids: vec![LIST] }).unwrap();
        match views.into_iter().next() {
            Some((LIST, ViewData::Imports(rows))) => rows,
            other => panic!("no list: {other:?}"),
        }
    }

    /// The latest row once it has ended, as the pings tell.
    fn ended(&self) -> ImportRow {
        loop {
            let row = self.rows().remove(0);
            if row.state.has_ended() {
                return row;
            }
            self.pings.recv_timeout(Duration::from_secs(30)).unwrap();
        }
    }

    fn import(&self, path: &Path) -> ImportRow {
        let path = path.display().to_string();
        self.engine.handle(StartImport { path }).unwrap();
        self.ended()
    }

    fn analysed(&self) -> PostingId {
        let input = Input::Text {
            name: "pasted".into(),
            bytes: TEXT.into(),
        };
        let runs = self.engine.analyze(input, &mut |_| {}).unwrap();
        let run = self.engine.hub().store().run(&runs[0]).unwrap().unwrap();
        run.posting.unwrap()
    }

    fn titled(&self, posting: PostingId, title: &str) {
        let edit = EditField {
            posting,
            field: FieldKey::Title,
            input: FieldInput::Text(title.into()),
            message: String::new(),
            override_warnings: true,
            key: title.into(),
        };
        self.engine.handle(edit).unwrap();
    }

    fn bundle(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        let target = Target {
            path: path.clone(),
            overwrite: false,
        };
        let mut watch = Watch {
            cancel: &Cancel::default(),
            progress: &mut |_| {},
        };
        self.engine
            .export_bundle(&Filter::default(), None, &target, &mut watch)
            .unwrap();
        path
    }
}

fn done(row: ImportRow) -> ImportDone {
    assert!(row.pieces <= row.total && row.total > 10, "{row:?}");
    match row.state {
        ImportState::Done(done) => *done,
        other => panic!("{other:?}"),
    }
}

fn refused(row: ImportRow) -> ApiError {
    match row.state {
        ImportState::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_came_is_told_by_name_and_so_is_the_branch_of_what_went_on_in_both_places() {
    let (here, there, files) = (Rig::new(), Rig::new(), tempfile::tempdir().unwrap());
    let posting = here.analysed();
    let first = here.bundle(files.path(), "first.zip");
    let came = done(there.import(&first));
    assert_eq!((came.postings, came.new_postings, came.commits), (1, 1, 1));
    assert!(came.captures == 1 && came.events > 10 && came.observations > 3);
    assert_eq!(came.listed.len(), 1);
    assert_eq!(came.listed[0].posting, posting);
    assert!(came.listed[0].title.contains("Lamp Keeper") && came.listed[0].branches.is_empty());
    let again = done(there.import(&first));
    assert_eq!((again.postings, again.new_postings), (1, 0));
    assert_eq!((again.commits, again.captures, again.events), (0, 0, 0));

    here.titled(posting, "Tide Keeper");
    there.titled(posting, "Gauge Keeper");
    let second = here.bundle(files.path(), "second.zip");
    // Dropped, as the window does it.
    there.engine.drop_files(vec![second]);
    let forked = done(there.ended());
    assert_eq!(forked.listed[0].title, "Gauge Keeper");
    assert_eq!(forked.listed[0].branches, ["imported"]);
    assert_eq!(*there.opened.lock().unwrap(), [Opened::Imports]);
    assert_eq!(there.rows().len(), 3);
}

#[test]
fn what_is_no_sound_bundle_is_refused_with_the_entry_at_fault() {
    let (here, there, files) = (Rig::new(), Rig::new(), tempfile::tempdir().unwrap());
    here.analysed();
    let sound = here.bundle(files.path(), "sound.zip");
    let mut bytes = std::fs::read(&sound).unwrap();
    bytes[140] ^= 0x55;
    let changed = files.path().join("changed.zip");
    std::fs::write(&changed, &bytes).unwrap();
    let error = refused(there.import(&changed));
    assert!(error.message.contains("content/"), "{error}");
    assert!(error.hint.is_some());
    std::fs::write(&changed, &bytes[..bytes.len() / 2]).unwrap();
    refused(there.import(&changed));
    std::fs::write(&changed, "no bundle").unwrap();
    refused(there.import(&changed));
    let error = refused(there.import(&files.path().join("gone.zip")));
    assert!(error.message.contains("gone.zip"), "{error}");
    assert_eq!(there.engine.hub().store().counts().unwrap(), (0, 0));
    // After all that a sound one is taken.
    assert_eq!(done(there.import(&sound)).new_postings, 1);
}
