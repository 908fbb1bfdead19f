//! Exports in the background: begun by a command, watched as a view, stopped by another.
//!
//! Each has a thread of its own, which holds the store and no more of the engine; closing the engine stops them, and
//! what was stopped leaves nothing behind.

use crate::{
    Engine, Handle, Shared, bundle,
    export::{self, Cancel, Export, ExportError, Progress, Style, Target, Watch, Written, columns},
};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{CancelExport, ChooseTarget, RevealExport, StartExport},
    export::{ExportForm, ExportKind},
    view::{EXPORTS_MAX, ExportLook, ExportRow, ExportState, ViewQuery},
};
use ghostlight_model::{
    Micros,
    export::{Format, What},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, JoinHandle},
};

/// Exports under way at a time; further ones are refused with [`ErrorCode::Busy`], since the disk does not get faster.
const RUNNING_MAX: usize = 2;

/// The exports of this session.
#[derive(Default)]
pub(crate) struct Exports {
    list: Arc<Mutex<List>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct List {
    next: u64,
    /// The latest first.
    rows: Vec<(ExportRow, Cancel)>,
}

impl Exports {
    /// The latest first.
    pub fn rows(&self) -> Vec<ExportRow> {
        self.list()
            .rows
            .iter()
            .map(|(row, _)| row.clone())
            .collect()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        locked(&self.list)
    }

    fn row(&self, id: u64) -> Result<(ExportRow, Cancel), ApiError> {
        let found = self
            .list()
            .rows
            .iter()
            .find(|(row, _)| row.id == id)
            .cloned();
        found.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("Export {id} is not in the list."),
                "It ended a while ago; start it again.",
            )
        })
    }

    /// Adds a row; the oldest that ended goes.
    fn add(
        &self,
        kind: ExportKind,
        path: String,
        began: Micros,
    ) -> Result<(u64, Cancel), ApiError> {
        let mut list = self.list();
        let running = list
            .rows
            .iter()
            .filter(|(row, _)| row.state == ExportState::Running);
        if running.count() >= RUNNING_MAX {
            return Err(ApiError::new(
                ErrorCode::Busy,
                format!("{RUNNING_MAX} exports are under way already."),
                "Wait until one is done, or stop it.",
            ));
        }
        list.next += 1;
        let (id, cancel) = (list.next, Cancel::default());
        let row = ExportRow {
            id,
            kind,
            path,
            state: ExportState::Running,
            rows: 0,
            total: 0,
            bytes: 0,
            began,
            ended: None,
        };
        list.rows.insert(0, (row, cancel.clone()));
        if list.rows.len() > EXPORTS_MAX {
            let rows = &mut list.rows;
            let oldest = rows
                .iter()
                .rposition(|(row, _)| row.state != ExportState::Running);
            if let Some(oldest) = oldest {
                rows.remove(oldest);
            }
        }
        Ok((id, cancel))
    }
}

impl Drop for Exports {
    fn drop(&mut self) {
        for (_, cancel) in &self.list().rows {
            cancel.cancel();
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The last owner may be one of them, which cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn locked(list: &Mutex<List>) -> MutexGuard<'_, List> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread of an export changes, and whom it tells.
struct Teller {
    id: u64,
    list: Arc<Mutex<List>>,
    shared: Weak<Shared>,
}

impl Teller {
    fn change(&self, change: impl FnOnce(&mut ExportRow)) {
        if let Some((row, _)) = locked(&self.list)
            .rows
            .iter_mut()
            .find(|(row, _)| row.id == self.id)
        {
            change(row);
        }
        if let Some(shared) = self.shared.upgrade() {
            let ping = shared.desk().turned(&ViewQuery::Exports);
            shared.ping(ping);
        }
    }

    fn progress(&self, now: Progress) {
        self.change(|row| (row.rows, row.total, row.bytes) = (now.rows, now.total, now.bytes));
    }

    fn ended(&self, done: Result<Written, ExportError>, at: Micros) {
        self.change(|row| {
            row.ended = Some(at);
            row.state = match done {
                Ok(written) => {
                    (row.rows, row.total, row.bytes) = (written.rows, written.rows, written.bytes);
                    ExportState::Done
                }
                Err(ExportError::Cancelled) => ExportState::Cancelled,
                Err(error) => ExportState::Failed(error.told()),
            };
        });
    }
}

/// The export of a form; a bundle's is that of its postings.
fn asked(form: &ExportForm) -> Export {
    let (what, format) = match form.kind {
        ExportKind::Table(what, format) => (what, format),
        ExportKind::Bundle => (What::Postings, Format::Csv),
    };
    Export {
        what,
        format,
        filter: form.filter.clone(),
        fields: form.fields.clone(),
        limit: form.limit,
        style: Style {
            bom: form.bom,
            guard: form.guard,
        },
    }
}

impl Engine {
    /// What an export would be.
    pub(crate) fn export_look(&self, form: &ExportForm) -> Result<ExportLook, ApiError> {
        let export = asked(form);
        if form.kind == ExportKind::Bundle {
            let look = self.look_bundle_in_a_moment(&form.filter, form.limit)?;
            return Ok(ExportLook {
                name: self.bundle_name(&form.filter)?,
                known: Vec::new(),
                rows: look.postings,
                whole: look.whole,
                bytes: look.bytes,
                columns: Vec::new(),
                first: Vec::new(),
                text: String::new(),
            });
        }
        let look = self.look_in_a_moment(&export)?;
        Ok(ExportLook {
            name: self.export_name(&export)?,
            known: columns(export.what)
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            rows: look.rows,
            whole: look.whole,
            bytes: look.bytes,
            columns: look.columns,
            first: look.first,
            text: look.text,
        })
    }
}

impl Handle<StartExport> for Engine {
    fn handle(&self, command: StartExport) -> Result<u64, ApiError> {
        let StartExport {
            export: form,
            path,
            overwrite,
        } = command;
        let export = asked(&form);
        export.checked()?;
        let (exports, host) = (&self.shared.exports, Arc::clone(&self.shared.host));
        let (id, cancel) = exports.add(form.kind, path.clone(), host.now())?;
        let teller = Teller {
            id,
            list: Arc::clone(&exports.list),
            shared: Arc::downgrade(&self.shared),
        };
        let target = Target {
            path: PathBuf::from(path),
            overwrite,
        };
        let (store, hooks) = (self.store().clone(), self.shared.pipeline.hooks.clone());
        let work = move || {
            let mut progress = |now: Progress| {
                teller.progress(now);
                hooks.hold_export(id, (now.rows, now.total), || cancel.is_cancelled());
            };
            let mut watch = Watch {
                cancel: &cancel,
                progress: &mut progress,
            };
            let done = match form.kind {
                ExportKind::Table(..) => {
                    export::run(&store, &export, host.now(), &target, &mut watch)
                }
                ExportKind::Bundle => {
                    bundle::run(&store, &form.filter, form.limit, &target, &mut watch)
                        .map(|done| done.0)
                }
            };
            teller.ended(done, host.now());
        };
        let thread = thread::Builder::new()
            .name(format!("export-{id}"))
            .spawn(work);
        let thread = thread.map_err(|e| ApiError::internal(format!("starting an export: {e}")))?;
        let mut threads = exports
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(id)
    }
}

impl Handle<CancelExport> for Engine {
    fn handle(&self, command: CancelExport) -> Result<(), ApiError> {
        let (_, cancel) = self.shared.exports.row(command.id)?;
        cancel.cancel();
        Ok(())
    }
}

impl Handle<RevealExport> for Engine {
    fn handle(&self, command: RevealExport) -> Result<(), ApiError> {
        let (row, _) = self.shared.exports.row(command.id)?;
        match row.state {
            ExportState::Done => self.shared.host.reveal(Path::new(&row.path)),
            _ => Err(ApiError::new(
                ErrorCode::NotFound,
                format!("{} is not there: its export has not ended well.", row.path),
                "Wait until it is done, or start it again.",
            )),
        }
    }
}

impl Handle<ChooseTarget> for Engine {
    fn handle(&self, command: ChooseTarget) -> Result<Option<String>, ApiError> {
        let chosen = self.shared.host.choose_target(&command.name)?;
        Ok(chosen.map(|path| path.display().to_string()))
    }
}
