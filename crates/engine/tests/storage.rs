//! Old history archived and brought back as the window asks for it: watched, one at a time, told what came of it.
#![allow(clippy::unwrap_used)]

use ghostlight_api::{
    ErrorCode, ViewData, ViewId, ViewQuery,
    command::{
        BringArchiveBack, EditField, FieldInput, PullViews, RegisterViews, StartArchive,
        StopArchive,
    },
    view::{Ping, StorageDone, StorageKind, StorageState, StorageView},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input};
use ghostlight_model::FieldKey;
use std::{
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};
use tempfile::TempDir;

const VIEW: ViewId = ViewId(7);
const TEXT: &str = "Lamp Keeper\nQuillmarsh Instruments\nLocation: Dublin, Ireland\n\
    Full-time, on site. Salary: €42,000 to €48,000 per year.\n\
    Responsibilities: trim the wicks, keep the log. Requirements: a steady hand. Apply by email.";

/// A host that hands on pings.
struct Window(Mutex<Sender<Ping>>);

impl Host for Window {
    fn ping(&self, ping: &Ping) {
        let _ = self.0.lock().unwrap().send(ping.clone());
    }
}

struct Rig {
    engine: Engine,
    pings: Receiver<Ping>,
    data: TempDir,
}

impl Rig {
    /// With a posting that was edited so often.
    fn new(edits: usize) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (tell, pings) = mpsc::channel();
        let host = Window(Mutex::new(tell));
        let engine =
            Engine::open(data.path(), std::sync::Arc::new(host), Hooks::default()).unwrap();
        let input = Input::Text {
            name: "pasted".into(),
            bytes: TEXT.into(),
        };
        let run = engine.analyze(input, &mut |_| {}).unwrap().remove(0);
        let posting = engine.hub().store().run(&run).unwrap().unwrap();
        let posting = posting.posting.unwrap();
        for n in 0..edits {
            let edit = EditField {
                posting,
                field: FieldKey::Title,
                input: FieldInput::Text(format!("Lamp Keeper {n}")),
                message: String::new(),
                override_warnings: true,
                key: format!("k{n}"),
            };
            engine.handle(edit).unwrap();
        }
        let views = vec![(VIEW, ViewQuery::Storage)];
        engine.handle(RegisterViews { views }).unwrap();
        let rig = Self {
            engine,
            pings,
            data,
        };
        assert_eq!(rig.view().work, None);
        rig
    }

    fn view(&self) -> StorageView {
        let views = self.engine.handle(PullViews { ids: vec![VIEW] }).unwrap();
        match views.into_iter().next() {
            Some((VIEW, ViewData::Storage(view))) => *view,
            other => panic!("no view: {other:?}"),
        }
    }

    /// Pulls at each ping, until it has ended.
    fn ended(&self) -> StorageView {
        loop {
            let view = self.view();
            if view
                .work
                .as_ref()
                .is_some_and(|work| work.state.has_ended())
            {
                return view;
            }
            let ping = self.pings.recv_timeout(Duration::from_secs(60));
            ping.expect("a ping for each change");
        }
    }

    fn done(&self) -> (StorageView, StorageDone) {
        let view = self.ended();
        match view.work.clone().unwrap().state {
            StorageState::Done(done) => (view, *done),
            other => panic!("{other:?}"),
        }
    }

    fn archive(&self, older_than_days: u32) -> (StorageView, StorageDone) {
        self.engine
            .handle(StartArchive { older_than_days })
            .unwrap();
        self.done()
    }
}

#[test]
fn what_is_done_is_watched_and_told() {
    let rig = Rig::new(20);
    for days in [30, u32::MAX] {
        let (_, young) = rig.archive(days);
        assert_eq!((young.versions, young.files), (0, 0));
    }
    let (view, done) = rig.archive(0);
    assert_eq!((done.versions, done.files, done.stopped), (19, 1, false));
    assert_eq!((done.kept, &done.not_compacted), (2, &None));
    assert_eq!((view.archives.versions, view.archives.files), (19, 1));
    assert!(view.archives.bytes > 0 && view.database > 0);
    assert!(view.archives.oldest <= view.archives.latest);
    assert_eq!(view.work.unwrap().kind, StorageKind::Archive);
    rig.engine.handle(BringArchiveBack {}).unwrap();
    let (view, done) = rig.done();
    assert_eq!((done.versions, done.files), (19, 1));
    assert_eq!(view.archives.files, 0);
    assert_eq!(view.work.unwrap().kind, StorageKind::BringBack);
}

#[test]
fn a_file_at_fault_is_told_with_the_way_out() {
    let rig = Rig::new(5);
    rig.archive(0);
    let store = rig.engine.hub().store();
    let name = store.archives().unwrap().remove(0).name;
    std::fs::remove_file(rig.data.path().join("archive").join(&name)).unwrap();
    rig.engine.handle(BringArchiveBack {}).unwrap();
    match rig.ended().work.unwrap().state {
        StorageState::Failed(error) => {
            assert!(error.message.contains(&name), "{error}");
            assert!(error.hint.unwrap().contains("copy of the data folder"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_at_a_time_and_stopped_when_asked() {
    let rig = Rig::new(3);
    // Nothing to stop is no error.
    rig.engine.handle(StopArchive {}).unwrap();
    // Somebody else has the folder: another window, or the command line.
    let folder = rig.data.path().join("archive");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let start = StartArchive { older_than_days: 0 };
    rig.engine.handle(start.clone()).unwrap();
    match rig.ended().work.unwrap().state {
        StorageState::Failed(error) => assert_eq!(error.code, ErrorCode::Declined, "{error}"),
        other => panic!("{other:?}"),
    }
    drop(lock);
    // The writer is held until both are asked for.
    let (go, held) = mpsc::channel::<()>();
    let pour = move |_: &mut dyn FnMut(_) -> _| {
        let _ = held.recv();
        Ok(())
    };
    let import = rig.engine.hub().store().import(Box::new(pour));
    rig.engine.handle(start.clone()).unwrap();
    let second = rig.engine.handle(start).unwrap_err();
    assert_eq!(second.code, ErrorCode::Busy);
    drop(go);
    import.wait().unwrap();
    let (_, done) = rig.done();
    assert_eq!(done.versions, 2);
}
