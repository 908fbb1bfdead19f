//! Windows and macOS, as `notify-rust` has them: no replacing of an earlier notification. Written from its documents
//! and its source; not run by us.

use super::{Clicked, Desktop};
use ghostlight_engine::Notification;
use notify_rust::NotificationResponse;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Notifications whose click is waited for at a time, each by a thread. Further ones are shown, and a click on them
/// does what the system does by itself.
const STANDING_MAX: usize = 16;

/// The system's notifications.
pub(crate) struct System {
    #[cfg_attr(
        not(target_os = "windows"),
        expect(dead_code, reason = "macOS is told at the start")
    )]
    identifier: String,
    clicked: Clicked,
    standing: Arc<AtomicUsize>,
}

impl System {
    pub fn new(identifier: &str, clicked: Clicked) -> Self {
        #[cfg(target_os = "macos")]
        if let Err(error) = notify_rust::set_application(identifier) {
            tracing::info!(%error, "notifications come under another name");
        }
        Self {
            identifier: identifier.to_owned(),
            clicked,
            standing: Arc::default(),
        }
    }

    fn built(&self, notification: &Notification) -> notify_rust::Notification {
        let mut built = notify_rust::Notification::new();
        built.summary(&notification.title).body(&notification.body);
        // Windows knows the name of an installed application only; without one the library borrows another.
        #[cfg(target_os = "windows")]
        if is_installed() {
            built.app_id(&self.identifier);
        }
        built
    }
}

impl Desktop for System {
    fn show(&mut self, notification: &Notification) -> Result<(), String> {
        let handle = self.built(notification).show().map_err(|e| e.to_string())?;
        if self.standing.load(Ordering::Relaxed) >= STANDING_MAX {
            // On macOS this is what shows it.
            drop(handle);
            return Ok(());
        }
        self.standing.fetch_add(1, Ordering::Relaxed);
        let (clicked, opens) = (Arc::clone(&self.clicked), notification.opens.clone());
        let standing = Arc::clone(&self.standing);
        let wait = move || {
            let on_response = |response: &NotificationResponse| {
                if *response == NotificationResponse::Default {
                    clicked(opens);
                }
            };
            // An error says that nobody clicked.
            let _ = handle.wait_for_response(on_response);
            standing.fetch_sub(1, Ordering::Relaxed);
        };
        let thread = thread::Builder::new().name("notification".into());
        thread.spawn(wait).map(drop).map_err(|e| {
            self.standing.fetch_sub(1, Ordering::Relaxed);
            e.to_string()
        })
    }
}

/// Not started from cargo's folder.
#[cfg(target_os = "windows")]
fn is_installed() -> bool {
    let program = std::env::current_exe().unwrap_or_default();
    let mut folders = program.components().rev().skip(1);
    let profile = folders.next().map(|part| part.as_os_str().to_owned());
    let target = folders.next().map(|part| part.as_os_str().to_owned());
    let built = profile.is_some_and(|name| name == "debug" || name == "release");
    !(built && target.is_some_and(|name| name == "target"))
}
