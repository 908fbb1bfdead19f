//! Linux: the notification service on the session's D-Bus (<https://specifications.freedesktop.org/notification-spec/>).

use super::{Clicked, Desktop};
use ghostlight_engine::{Notification, attention::Kind, notification::Urgency};
use notify_rust::{Hint, NotificationHandle, NotificationResponse};
use std::{collections::VecDeque, future::Future, sync::Arc, time::Duration};
use tauri::async_runtime;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// How long the service may take to answer; a D-Bus that hangs costs one notification.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Notifications that stand on the desktop at a time, each with a connection that waits for the click. One more takes
/// the oldest away; what it was about stands in the window.
const STANDING_MAX: usize = 16;
/// The name that people see, and that of the desktop file in our packages.
const APP_NAME: &str = "Ghostlight";
/// The icon of our packages, by its name in the icon theme.
const ICON: &str = "ghostlight-desktop";
/// What a click on a notification is called.
const DEFAULT_ACTION: &str = "default";

/// The notification service.
pub(crate) struct System {
    clicked: Clicked,
    abilities: Option<Abilities>,
    /// The question for them, while it is not answered: a service that hangs is not asked twice.
    asking: Option<JoinHandle<notify_rust::error::Result<Vec<String>>>>,
    standing: VecDeque<Standing>,
}

/// What the service can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Abilities {
    /// It reads a body as markup, so plain text must be escaped.
    markup: bool,
    /// It tells of clicks.
    actions: bool,
}

/// A notification on the desktop.
struct Standing {
    id: u32,
    replaces: Option<String>,
    /// Waits for the click.
    waiting: async_runtime::JoinHandle<()>,
    /// Takes it away. Dropped without a word, only the waiting ends.
    withdraw: oneshot::Sender<()>,
}

impl System {
    pub fn new(_identifier: &str, clicked: Clicked) -> Self {
        Self {
            clicked,
            abilities: None,
            asking: None,
            standing: VecDeque::new(),
        }
    }

    async fn abilities(&mut self) -> Result<Abilities, String> {
        if let Some(known) = self.abilities {
            return Ok(known);
        }
        let ask = || tokio::task::spawn_blocking(notify_rust::get_capabilities);
        let answer = in_time(self.asking.get_or_insert_with(ask)).await?;
        self.asking = None;
        let words = answer
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())?;
        let has = |word: &str| words.iter().any(|other| other == word);
        let abilities = Abilities {
            markup: has("body-markup"),
            actions: has("actions"),
        };
        self.abilities = Some(abilities);
        Ok(abilities)
    }

    async fn send(&mut self, notification: &Notification) -> Result<(), String> {
        let abilities = self.abilities().await?;
        self.standing
            .retain(|one| !one.waiting.inner().is_finished());
        let same = |one: &Standing| {
            notification.replaces.is_some() && one.replaces == notification.replaces
        };
        let replaced = self.standing.iter().position(same);
        let id = replaced
            .and_then(|at| self.standing.get(at))
            .map(|one| one.id);
        let built = built(notification, abilities, id);
        let handle = in_time(built.show_async())
            .await?
            .map_err(|e| e.to_string())?;
        // Whoever waited for the click on the former one waits no more.
        replaced.and_then(|at| self.standing.remove(at));
        if abilities.actions {
            self.wait_for_click(handle, notification);
        }
        Ok(())
    }

    fn wait_for_click(&mut self, handle: NotificationHandle, notification: &Notification) {
        let id = handle.id();
        let (withdraw, withdrawn) = oneshot::channel();
        let (clicked, opens) = (Arc::clone(&self.clicked), notification.opens.clone());
        let waiting = async_runtime::spawn(async move {
            let close = tokio::select! {
                hit = is_clicked(&handle) => {
                    if hit {
                        clicked(opens);
                    }
                    // Some services leave it standing, and a second click would be heard by nobody.
                    hit
                }
                asked = withdrawn => asked.is_ok(),
            };
            if close {
                // One that cannot be taken away stays: no harm.
                let _ = timeout(ANSWER_LIMIT, handle.close_async()).await;
            }
        });
        self.standing.push_back(Standing {
            id,
            replaces: notification.replaces.clone(),
            waiting,
            withdraw,
        });
        if self.standing.len() > STANDING_MAX
            && let Some(oldest) = self.standing.pop_front()
        {
            // Otherwise it is gone already.
            let _ = oldest.withdraw.send(());
        }
    }
}

impl Desktop for System {
    fn show(&mut self, notification: &Notification) -> Result<(), String> {
        let sent = async_runtime::block_on(self.send(notification));
        if sent.is_err() {
            // The next one may meet another service.
            self.abilities = None;
        }
        sent
    }
}

/// Waits until a notification is clicked, or closed in another way.
async fn is_clicked(handle: &NotificationHandle) -> bool {
    let mut hit = false;
    let on_response = |response: &NotificationResponse| {
        hit = *response == NotificationResponse::Default;
    };
    handle.wait_for_action_async(on_response).await;
    hit
}

async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, String> {
    let late = |_| {
        format!(
            "the service did not answer within {} s",
            ANSWER_LIMIT.as_secs()
        )
    };
    timeout(ANSWER_LIMIT, answer).await.map_err(late)
}

fn built(
    notification: &Notification,
    abilities: Abilities,
    id: Option<u32>,
) -> notify_rust::Notification {
    let mut built = notify_rust::Notification::new();
    built
        .appname(APP_NAME)
        .icon(ICON)
        .hint(Hint::DesktopEntry(APP_NAME.into()))
        .summary(&notification.title)
        .body(&body(&notification.body, abilities))
        .urgency(match notification.urgency {
            Urgency::Low => notify_rust::Urgency::Low,
            Urgency::Normal => notify_rust::Urgency::Normal,
        });
    if let Some(category) = category(notification.kind) {
        built.hint(Hint::Category(category.into()));
    }
    if abilities.actions {
        built.action(DEFAULT_ACTION, "Open");
    }
    if let Some(id) = id {
        built.id(id);
    }
    built
}

/// The categories that the specification has a word for.
fn category(kind: Option<Kind>) -> Option<&'static str> {
    match kind? {
        Kind::ConnectionLost => Some("network.disconnected"),
        Kind::ConnectionFailing => Some("network.error"),
        Kind::ConnectionRestored => Some("network.connected"),
        Kind::RunFinished | Kind::RunFailed | Kind::CriticalIssue | Kind::StatusChanged => None,
    }
}

fn body(text: &str, abilities: Abilities) -> String {
    if !abilities.markup {
        return text.to_owned();
    }
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_no_markup() {
        let with = |markup| Abilities {
            markup,
            actions: true,
        };
        let text = "<a href='x'>R&D</a>";
        assert_eq!(
            body(text, with(true)),
            "&lt;a href='x'&gt;R&amp;D&lt;/a&gt;"
        );
        assert_eq!(body(text, with(false)), text);
    }

    #[test]
    fn a_notification_names_the_application_and_can_be_clicked_where_the_service_can() {
        let can = Abilities {
            markup: true,
            actions: true,
        };
        let sent = built(&Notification::test(), can, Some(7));
        assert_eq!(sent.appname, "Ghostlight");
        assert!(
            sent.hints
                .contains(&Hint::DesktopEntry("Ghostlight".into()))
        );
        assert!(
            sent.hints
                .contains(&Hint::Urgency(notify_rust::Urgency::Normal))
        );
        assert_eq!(sent.actions, ["default", "Open"]);
        let cannot = Abilities {
            markup: false,
            actions: false,
        };
        assert!(
            built(&Notification::test(), cannot, None)
                .actions
                .is_empty()
        );
    }
}
