//! The application shell: a window around the engine, and nothing else.
//!
//! [`run`] opens the engine and the window; [`commands`] passes each declared command to the
//! engine; [`window`] is the engine's [`ghostlight_engine::Host`]: pings, dialogs, drops, by [`notify`] what the
//! system shows, and [`keychain`] where it keeps secrets. [`page`] loads the page again when its process died.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commands;
mod keychain;
mod notify;
#[cfg(target_os = "linux")]
mod page;
mod window;

use ghostlight_api::{ApiError, ErrorCode};
use ghostlight_engine::{Engine, Hooks, Input, host::PROJECT, store_error};
pub use ghostlight_engine::{
    FeedDefaults, ModelDefaults,
    environment::{self, RECONNECT_VARIABLE, reconnects},
};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    thread,
};
use tauri::{AppHandle, Manager};
use window::WindowHost;

/// What the program was started with.
#[derive(Debug, Default)]
pub struct Start {
    /// The data folder; the platform's data directory if none is named.
    pub data: Option<PathBuf>,
    /// A file or URL to open.
    pub open: Option<String>,
    /// What the environment says about feeds.
    pub feeds: FeedDefaults,
    /// What the environment and the command line say about the model.
    pub model: ModelDefaults,
    /// The value of `GHOSTLIGHT_TEST`; ignored unless built with `test-hooks`.
    pub test: Option<String>,
}

/// The engine, or why it could not be opened: the window then says so instead of staying away. It opens on a thread of
/// its own while the page loads.
#[derive(Clone, Default)]
pub(crate) struct Core(Arc<OnceLock<Result<Engine, ApiError>>>);

impl Core {
    /// The engine, unless it is still being opened or could not be.
    #[cfg(target_os = "linux")]
    pub(crate) fn opened(&self) -> Option<&Engine> {
        self.0.get()?.as_ref().ok()
    }

    /// Waits until the engine is open; for threads that may block.
    pub(crate) fn wait(&self) -> Result<&Engine, ApiError> {
        self.0.wait().as_ref().map_err(Clone::clone)
    }
}

/// Shows the window and returns when it is closed.
///
/// # Errors
/// When no window can be made, for example without a display.
pub fn run(start: Start) -> tauri::Result<()> {
    tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .manage(window::Focus::default())
        .invoke_handler(commands::handler())
        .on_window_event(window::on_event)
        .setup(move |app| {
            window::install_test_hooks(app);
            let core = Core::default();
            app.manage(core.clone());
            #[cfg(target_os = "linux")]
            page::watch(app.handle());
            let app = app.handle().clone();
            thread::spawn(move || core.0.get_or_init(|| open_engine(app, &start)).is_ok());
            Ok(())
        })
        .run(tauri::generate_context!())
}

fn open_engine(app: AppHandle, start: &Start) -> Result<Engine, ApiError> {
    let folder = match &start.data {
        Some(folder) => folder.clone(),
        None => default_folder()?,
    };
    let host = Arc::new(WindowHost::new(app, start.test.as_deref()));
    let hooks = Hooks::from_env_value(start.test.as_deref());
    let engine = Engine::open(&folder, host, hooks).map_err(|e| store_error(&e))?;
    engine.use_model(start.model.clone());
    engine.welcome()?;
    if let Err(error) = engine.follow_feeds(start.feeds.clone()) {
        // The indicator says so too; everything else works.
        eprintln!("ghostlight-desktop: {error}");
    }
    engine.serve_if_wanted()?;
    if let Some(open) = &start.open {
        engine.start_opening(input(open))?;
    }
    Ok(engine)
}

fn input(text: &str) -> Input {
    if text.starts_with("http://") || text.starts_with("https://") {
        Input::Url(text.to_owned())
    } else {
        Input::File(text.into())
    }
}

fn default_folder() -> Result<PathBuf, ApiError> {
    let (qualifier, organisation, application) = PROJECT;
    let dirs = directories::ProjectDirs::from(qualifier, organisation, application);
    // On Windows the one that does not wander from machine to machine; elsewhere they are the same.
    let folder = dirs.map(|dirs| dirs.data_local_dir().to_owned());
    folder.ok_or_else(|| {
        ApiError::new(
            ErrorCode::Store,
            "There is no home directory to keep data in.",
            "Start Ghostlight with --data and a folder.",
        )
    })
}
