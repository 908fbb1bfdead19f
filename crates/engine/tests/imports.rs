//! Imports as the window asks for them: watched while a bundle is verified and taken over, told by name what came, and
//! refused with the entry at fault.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ApiError, ErrorCode, ViewData, ViewId, ViewQuery,
    command::{CancelImport, EditField, FieldInput, PullViews, RegisterViews, StartImport},
    view::{ImportDone, ImportRow, ImportState, Opened, Ping},
};
use ghostlight_engine::{
    Engine, Handle, Hooks, Host, Input,
    bundle::{BundleError, ImportError, Reading},
    export::{Cancel, Target, Watch},
};
use ghostlight_model::{CommitId, FieldKey, Micros, PostingId, bundle::Piece, export::Filter};
use ghostlight_report::bundle::write;
use ghostlight_store::history::NewBranch;
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
        Self::with(Hooks::default())
    }

    fn with(hooks: Hooks) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (tell, pings) = mpsc::channel();
        let opened = Arc::<Mutex<Vec<Opened>>>::default();
        let host = Window {
            pings: Mutex::new(tell),
            opened: Arc::clone(&opened),
        };
        let engine = Engine::open(data.path(), Arc::new(host), hooks).unwrap();
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
        self.row_that(|row| row.state.has_ended())
    }

    /// The latest row once it is like that.
    fn row_that(&self, is: impl Fn(&ImportRow) -> bool) -> ImportRow {
        loop {
            let row = self.rows().remove(0);
            if is(&row) {
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

    fn branch(&self, posting: PostingId, name: &str) {
        let new = NewBranch {
            posting,
            name: name.into(),
            at: None,
            switch: true,
            now: Micros(1),
        };
        let store = self.engine.hub().store();
        store.create_branch(new).wait().unwrap();
    }

    /// The branches by name, and whether each is checked out.
    fn branches(&self, posting: PostingId) -> Vec<(String, bool)> {
        let all = self.engine.hub().store().branches(posting).unwrap();
        let all = all.into_iter();
        all.map(|branch| (branch.name, branch.current)).collect()
    }

    fn title(&self, posting: PostingId) -> String {
        let found = self.engine.hub().store().posting(posting).unwrap();
        found.unwrap().summary.title
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

#[test]
fn branches_come_along_and_a_card_shows_what_it_showed() {
    let (here, there, files) = (Rig::new(), Rig::new(), tempfile::tempdir().unwrap());
    let posting = here.analysed();
    let came = done(there.import(&here.bundle(files.path(), "first.zip")));
    assert_eq!(came.new_postings, 1);
    here.branch(posting, "try");
    here.titled(posting, "Tide Keeper");
    // An unmerged branch there is one here, and moves no other.
    let second = here.bundle(files.path(), "second.zip");
    let came = done(there.import(&second));
    assert!(came.commits == 1 && came.listed[0].branches.is_empty());
    let both = |tried: bool| vec![("main".to_owned(), !tried), ("try".to_owned(), tried)];
    assert_eq!(there.branches(posting), both(false));
    assert!(there.title(posting).contains("Lamp Keeper"));
    // Where nothing was, the card is theirs.
    let empty = Rig::new();
    done(empty.import(&second));
    assert_eq!(empty.branches(posting), both(true));
    assert_eq!(empty.title(posting), "Tide Keeper");
    // What goes on in both places is told by the branch that it is on.
    here.titled(posting, "Tide Warden");
    empty.titled(posting, "Gauge Keeper");
    let forked = done(empty.import(&here.bundle(files.path(), "third.zip")));
    assert_eq!(forked.listed[0].branches, ["imported-try"]);
    assert_eq!(empty.title(posting), "Gauge Keeper");
}

#[test]
fn a_branch_on_a_version_that_is_missing_is_refused_with_its_line() {
    let (here, there, files) = (Rig::new(), Rig::new(), tempfile::tempdir().unwrap());
    let posting = here.analysed();
    let target = Target {
        path: files.path().join("wrong.zip"),
        overwrite: false,
    };
    let mut watch = Watch {
        cancel: &Cancel::default(),
        progress: &mut |_| {},
    };
    let snapshot = here.engine.hub().store().snapshot().unwrap();
    let pour = |take: &mut dyn FnMut(Piece) -> std::ops::ControlFlow<()>| {
        snapshot.pieces(&[posting], &mut |mut piece| {
            if let Piece::Branches(branches) = &mut piece {
                branches.branches[0].head = CommitId([9; 32]);
            }
            take(piece)
        })
    };
    write(&target, "0.1.0", 1, &mut watch, pour).unwrap();
    let refused = there
        .engine
        .import_bundle(&target.path, &Cancel::default(), Arc::new(|_| {}))
        .unwrap_err();
    match &refused {
        ImportError::Bundle(BundleError::Entry { entry, detail, .. }) => {
            assert_eq!(entry, "branches.jsonl");
            assert!(
                detail.starts_with("line 1: ") && detail.contains("\"main\""),
                "{detail}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(there.engine.hub().store().counts().unwrap(), (0, 0));
}

#[test]
fn an_import_that_is_stopped_at_any_tenth_leaves_nothing() {
    let (here, there, files) = (Rig::new(), Rig::new(), tempfile::tempdir().unwrap());
    here.analysed();
    let bundle = here.bundle(files.path(), "a.zip");
    let store = there.engine.hub().store();
    for (taking, tenth) in [false, true]
        .into_iter()
        .flat_map(|taking| (0..=10).map(move |n| (taking, n)))
    {
        let cancel = Cancel::default();
        let asked = cancel.clone();
        let reached = Arc::new(Mutex::new(false));
        let told = Arc::clone(&reached);
        let tell = Arc::new(move |now: Reading| {
            if now.taking == taking && now.pieces * 10 >= now.total * tenth {
                *told.lock().unwrap() = true;
                asked.cancel();
            }
        });
        let stopped = there.engine.import_bundle(&bundle, &cancel, tell);
        assert_eq!(stopped, Err(ImportError::Cancelled), "{taking} {tenth}");
        assert!(*reached.lock().unwrap());
        assert_eq!(store.counts().unwrap(), (0, 0));
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        assert!(!store.rebuild().wait().unwrap().drift);
    }
    assert_eq!(done(there.import(&bundle)).new_postings, 1);
}

#[test]
fn the_window_stops_an_import_at_each_tenth() {
    let here = Rig::new();
    let there = Rig::with(Hooks::default().with_held_imports());
    let files = tempfile::tempdir().unwrap();
    here.analysed();
    let bundle = here.bundle(files.path(), "a.zip");
    let path = bundle.display().to_string();
    for tenth in 1..=10 {
        let start = StartImport { path: path.clone() };
        let id = there.engine.handle(start.clone()).unwrap();
        assert_eq!(id, tenth);
        there.row_that(|row| {
            row.state == ImportState::Taking && row.pieces * 10 >= row.total * tenth
        });
        // One at a time.
        let busy = there.engine.handle(start).unwrap_err();
        assert_eq!(busy.code, ErrorCode::Busy);
        there.engine.handle(CancelImport { id }).unwrap();
        assert_eq!(there.ended().state, ImportState::Cancelled);
        assert_eq!(there.engine.hub().store().counts().unwrap(), (0, 0));
    }
    let unknown = there.engine.handle(CancelImport { id: 99 }).unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    let row = there.import(&bundle);
    // What has ended stays as it is.
    there.engine.handle(CancelImport { id: row.id }).unwrap();
    assert_eq!(done(there.rows().remove(0)).new_postings, 1);
}
