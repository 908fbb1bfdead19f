//! The window as the engine's host: pings and notifications out, dialogs, drops and clicks in.

use crate::{
    Core,
    keychain::SystemKeychain,
    notify::{Notifier, System},
};
use ghostlight_api::{
    ApiError, ErrorCode,
    view::{NOTICE_EVENT, Notice, OPENED_EVENT, Opened, PING_EVENT, Ping},
};
use ghostlight_engine::{Host, Notification, secrets::Keychain};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tauri::{App, AppHandle, DragDropEvent, Emitter, Manager, Runtime, Window, WindowEvent};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

/// The window's name.
pub(crate) const MAIN: &str = "main";

/// Whether the window has the focus, as its events tell. Managed by the application: they come before there is a host.
#[derive(Clone, Default)]
pub(crate) struct Focus(Arc<AtomicBool>);

/// The engine's host inside the application.
pub(crate) struct WindowHost<R: Runtime> {
    app: AppHandle<R>,
    notifier: Notifier,
    /// What the file dialog answers in a test: WebDriver cannot use a native one.
    chosen: Option<Vec<PathBuf>>,
    /// What the dialog for saving answers in a test.
    saved: Option<PathBuf>,
}

impl<R: Runtime> WindowHost<R> {
    pub fn new(app: AppHandle<R>, test: Option<&str>) -> Self {
        let window = app.clone();
        let clicked = Arc::new(move |opened| reveal(&window, opened));
        let system = System::new(&app.config().identifier, clicked);
        Self {
            app,
            notifier: Notifier::start(system),
            chosen: chosen_in_test(test),
            saved: saved_in_test(test),
        }
    }

    fn emit<T: serde::Serialize + Clone>(&self, event: &str, payload: &T) {
        emit(&self.app, event, payload);
    }
}

fn emit<R: Runtime, T: serde::Serialize + Clone>(app: &AppHandle<R>, event: &str, payload: &T) {
    // A window that is closing no longer listens; what it missed it reads again.
    let _ = app.emit_to(MAIN, event, payload);
}

/// What a click on a notification does: the window comes to the front, and shows what it was about.
fn reveal<R: Runtime>(app: &AppHandle<R>, opened: Option<Opened>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        // Where the desktop refuses, the window stays where it is.
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
    if let Some(opened) = opened {
        emit(app, OPENED_EVENT, &opened);
    }
}

fn chosen_in_test(test: Option<&str>) -> Option<Vec<PathBuf>> {
    if !cfg!(feature = "test-hooks") {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(test?).ok()?;
    let paths = json["choose"].as_array()?;
    Some(
        paths
            .iter()
            .filter_map(|path| path.as_str().map(PathBuf::from))
            .collect(),
    )
}

fn saved_in_test(test: Option<&str>) -> Option<PathBuf> {
    if !cfg!(feature = "test-hooks") {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(test?).ok()?;
    json["save"].as_str().map(PathBuf::from)
}

impl<R: Runtime> Host for WindowHost<R> {
    fn ping(&self, ping: &Ping) {
        self.emit(PING_EVENT, ping);
    }

    fn opened(&self, opened: &Opened) {
        self.emit(OPENED_EVENT, opened);
    }

    fn notice(&self, notice: &Notice) {
        self.emit(NOTICE_EVENT, notice);
    }

    fn notifies(&self) -> bool {
        true
    }

    fn notify(&self, notification: &Notification) {
        self.notifier.send(notification.clone());
    }

    fn is_focused(&self) -> bool {
        let focus = self.app.try_state::<Focus>();
        focus.is_some_and(|focus| focus.0.load(Ordering::Relaxed))
    }

    fn keychain(&self) -> Option<Arc<dyn Keychain>> {
        Some(Arc::new(SystemKeychain))
    }

    fn choose_files(&self) -> Result<Vec<PathBuf>, ApiError> {
        if let Some(chosen) = &self.chosen {
            return Ok(chosen.clone());
        }
        let picked = self
            .app
            .dialog()
            .file()
            .set_title("Open postings")
            .add_filter("Postings", &["html", "htm", "json", "txt", "mhtml"])
            .add_filter("All files", &["*"])
            .blocking_pick_files();
        let paths = picked.unwrap_or_default().into_iter();
        Ok(paths.filter_map(|path| path.into_path().ok()).collect())
    }

    fn choose_bundle(&self) -> Result<Option<PathBuf>, ApiError> {
        if let Some(chosen) = &self.chosen {
            return Ok(chosen.first().cloned());
        }
        let dialog = self.app.dialog().file();
        let picked = dialog
            .set_title("Import a bundle")
            .add_filter("Bundles", &["zip"])
            .add_filter("All files", &["*"])
            .blocking_pick_file();
        Ok(picked.and_then(|path| path.into_path().ok()))
    }

    fn choose_target(&self, name: &str) -> Result<Option<PathBuf>, ApiError> {
        if let Some(saved) = &self.saved {
            return Ok(Some(saved.clone()));
        }
        let dialog = self.app.dialog().file();
        let picked = dialog
            .set_title("Export")
            .set_file_name(name)
            .blocking_save_file();
        Ok(picked.and_then(|path| path.into_path().ok()))
    }

    fn reveal(&self, path: &Path) -> Result<(), ApiError> {
        self.app.opener().reveal_item_in_dir(path).map_err(|e| {
            ApiError::new(
                ErrorCode::Unsupported,
                format!("The system could not show {}: {e}", path.display()),
                "Open the folder in a file manager.",
            )
        })
    }

    fn open_external(&self, url: &str) -> Result<(), ApiError> {
        self.app.opener().open_url(url, None::<&str>).map_err(|e| {
            ApiError::new(
                ErrorCode::Unsupported,
                format!("The system could not open {url}: {e}"),
                "Copy the address and open it in a browser.",
            )
        })
    }
}

/// Files dropped on the window are analysed, and the first is shown; the focus is remembered.
pub(crate) fn on_event<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    match event {
        WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => {
            drop_files(window.app_handle(), paths.clone());
        }
        WindowEvent::Focused(focused) => {
            window.state::<Focus>().0.store(*focused, Ordering::Relaxed);
        }
        _ => {}
    }
}

fn drop_files<R: Runtime>(app: &AppHandle<R>, paths: Vec<PathBuf>) {
    let app = app.clone();
    // Accepting a run waits for the disk: not on the window's thread.
    tauri::async_runtime::spawn_blocking(move || {
        // Without an engine the window shows why; there is nothing to drop on.
        if let Some(Ok(engine)) = app.try_state::<Core>().as_deref().map(Core::wait) {
            engine.drop_files(paths);
        }
    });
}

/// With `test-hooks`, the event `test-drop` (a list of paths) does what a drop does, since WebDriver
/// cannot make one, and `interactive` is printed, for measuring the start.
pub(crate) fn install_test_hooks<R: Runtime>(app: &App<R>) {
    if !cfg!(feature = "test-hooks") {
        return;
    }
    use tauri::Listener;
    let handle = app.handle().clone();
    app.listen_any("test-drop", move |event| {
        let paths: Vec<PathBuf> = serde_json::from_str(event.payload()).unwrap_or_default();
        drop_files(&handle, paths);
    });
    app.listen_any("interactive", |_| println!("interactive"));
}
