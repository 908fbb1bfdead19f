//! Messages that a person sends to a feed (SPEC C12 b): who waits for the answer to which, and how it is told.

use crate::feeds::Remote;
use ghostlight_api::{ApiError, ErrorCode};
use ghostlight_model::message::Message;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

/// How long a message may take into the socket. A server that stopped reading is found out before that by the
/// connection itself (35 s), so this only bounds what is nobody's fault: a disk that takes no more.
const SEND_WAIT: Duration = Duration::from_secs(60);

type Outcome = Result<(), String>;

/// Messages on their way, by feed and number.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    waiting: Mutex<BTreeMap<(i64, u64), SyncSender<Outcome>>>,
    last: AtomicU64,
}

impl Sending {
    /// Sends a message and waits until the system has taken it. The error is a sentence.
    pub fn send(&self, feed: i64, remote: Option<Remote>, message: Message) -> Outcome {
        let Some(remote) = remote else {
            return Err("Not sent: the feed is not connected.".into());
        };
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = sync_channel(1);
        self.waiting().insert((feed, id), tell);
        let outcome = match remote.send(id, message) {
            Ok(()) => told.recv_timeout(SEND_WAIT),
            Err(why) => Ok(Err(why)),
        };
        self.waiting().remove(&(feed, id));
        match outcome {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                Err("The connection does not answer; whether this was sent is not known.".into())
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err("The feed ended meanwhile; whether this was sent is not known.".into())
            }
        }
    }

    /// What became of a message.
    pub fn answered(&self, feed: i64, id: u64, outcome: Outcome) {
        if let Some(tell) = self.waiting().remove(&(feed, id)) {
            // There is room for the one answer; if nobody waits any more, it was told as unknown.
            let _ = tell.try_send(outcome);
        }
    }

    /// A feed is not followed any more: nobody will answer.
    pub fn ended(&self, feed: i64) {
        self.waiting().retain(|(of, _), _| *of != feed);
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(i64, u64), SyncSender<Outcome>>> {
        // Entries come and go in single steps.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As the window is told.
pub(crate) fn not_sent(why: &str) -> ApiError {
    ApiError::new(
        ErrorCode::Declined,
        why,
        "What you typed still stands here; nothing sends it later by itself.",
    )
}
