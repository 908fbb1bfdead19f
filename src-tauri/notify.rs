//! Notifications by the system, and what a click on one does.
//!
//! [`Notifier`] takes notifications and never waits: a thread of its own gives them to the [`Desktop`], one after the
//! other. That nobody shows notifications is a normal state; everything they say stands in the window as well.

#[cfg(target_os = "linux")]
#[path = "notify/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "notify/other.rs"]
mod system;

use ghostlight_api::view::Opened;
use ghostlight_engine::Notification;
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};
pub(crate) use system::System;

/// Notifications that wait for a desktop which does not answer. At the bound the oldest is dropped and counted: what
/// it was about stands in the window.
const WAITING_MAX: usize = 32;

/// Called when a person clicks on a notification, with what to show besides the window.
pub(crate) type Clicked = Arc<dyn Fn(Option<Opened>) + Send + Sync>;

/// Where notifications are shown.
pub(crate) trait Desktop: Send + 'static {
    /// Shows one. May wait, but not for ever; the error says what the desktop said.
    fn show(&mut self, notification: &Notification) -> Result<(), String>;
}

/// See the module. Dropping it lets the thread end after what it is showing.
pub(crate) struct Notifier(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    notifications: VecDeque<Notification>,
    dropped: u64,
    closed: bool,
}

impl Notifier {
    pub fn start(desktop: impl Desktop) -> Self {
        let waiting = Arc::new(Waiting::default());
        let taking = Arc::clone(&waiting);
        let deliver = move || deliver(&taking, desktop);
        let thread = thread::Builder::new().name("notifications".into());
        if let Err(error) = thread.spawn(deliver) {
            tracing::error!(%error, "the thread for notifications could not be started; the system shows none");
        }
        Self(waiting)
    }

    /// Takes a notification; one that waits and that it replaces goes.
    pub fn send(&self, notification: Notification) {
        let mut queue = self.0.lock();
        if notification.replaces.is_some() {
            let replaced = |other: &Notification| other.replaces == notification.replaces;
            queue.notifications.retain(|other| !replaced(other));
        }
        queue.notifications.push_back(notification);
        if queue.notifications.len() > WAITING_MAX {
            queue.notifications.pop_front();
            queue.dropped += 1;
            let dropped = queue.dropped;
            tracing::warn!(
                dropped,
                "the desktop does not take notifications; the oldest were dropped"
            );
        }
        drop(queue);
        self.0.arrived.notify_one();
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.arrived.notify_one();
    }
}

impl Waiting {
    /// The queue is valid whatever a panicking holder left in it.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next notification; `None` when there will be no more.
    fn next(&self) -> Option<Notification> {
        let idle = |queue: &mut Queue| queue.notifications.is_empty() && !queue.closed;
        let waited = self.arrived.wait_while(self.lock(), idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return None;
        }
        queue.notifications.pop_front()
    }
}

fn deliver(waiting: &Waiting, mut desktop: impl Desktop) {
    let mut troubled = false;
    while let Some(notification) = waiting.next() {
        // A panic below costs one notification.
        let shown = catch_unwind(AssertUnwindSafe(|| desktop.show(&notification)));
        let shown = shown.unwrap_or_else(|_| Err("it stopped in the middle".into()));
        if let Err(trouble) = &shown
            && !troubled
        {
            tracing::info!(%trouble, "no notifications are shown; said once until one is");
        }
        troubled = shown.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Duration;

    const SOON: Duration = Duration::from_secs(30);

    /// Says what it shows, and waits until the test lets it go on.
    struct Slow {
        showing: Sender<String>,
        go_on: Receiver<Result<(), String>>,
    }

    impl Desktop for Slow {
        fn show(&mut self, notification: &Notification) -> Result<(), String> {
            self.showing.send(notification.title.clone()).unwrap();
            match self.go_on.recv() {
                Ok(answer) => answer,
                Err(_) => panic!("a fault of the desktop"),
            }
        }
    }

    fn slow() -> (Notifier, Receiver<String>, Sender<Result<(), String>>) {
        let (showing, shown) = mpsc::channel();
        let (answers, go_on) = mpsc::channel();
        (Notifier::start(Slow { showing, go_on }), shown, answers)
    }

    fn titled(title: &str, replaces: Option<&str>) -> Notification {
        Notification {
            title: title.into(),
            replaces: replaces.map(str::to_owned),
            ..Notification::test()
        }
    }

    #[test]
    fn a_desktop_that_does_not_answer_blocks_nobody_and_loses_the_oldest() {
        let (notifier, shown, answers) = slow();
        notifier.send(titled("first", None));
        assert_eq!(shown.recv_timeout(SOON).unwrap(), "first");
        // It hangs in the first one; the sender does not.
        for n in 0..WAITING_MAX + 10 {
            notifier.send(titled(&n.to_string(), None));
        }
        assert_eq!(notifier.0.lock().notifications.len(), WAITING_MAX);
        assert_eq!(notifier.0.lock().dropped, 10);
        for n in 10..WAITING_MAX + 10 {
            // Nor does it stop at an error.
            answers.send(Err("nobody is there".into())).unwrap();
            assert_eq!(shown.recv_timeout(SOON).unwrap(), n.to_string());
        }
    }

    #[test]
    fn the_latest_state_of_a_feed_is_the_one_that_waits() {
        let (notifier, shown, answers) = slow();
        notifier.send(titled("first", None));
        assert_eq!(shown.recv_timeout(SOON).unwrap(), "first");
        notifier.send(titled("lost", Some("feed/a")));
        notifier.send(titled("another", Some("feed/b")));
        notifier.send(titled("restored", Some("feed/a")));
        for expected in ["another", "restored"] {
            answers.send(Ok(())).unwrap();
            assert_eq!(shown.recv_timeout(SOON).unwrap(), expected);
        }
    }

    #[test]
    fn a_panic_costs_one_notification_and_the_end_ends_the_thread() {
        let (notifier, shown, answers) = slow();
        drop(answers);
        for title in ["a", "b"] {
            notifier.send(titled(title, None));
            assert_eq!(shown.recv_timeout(SOON).unwrap(), title);
        }
        drop(notifier);
        assert_eq!(
            shown.recv_timeout(SOON),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
