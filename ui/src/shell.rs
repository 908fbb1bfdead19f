//! What every component may ask of the window as a whole, handed down by context.

use crate::{dom, state::format::Zone};
use ghostlight_api::{ApiError, command::Preferences, view::Subject};
use ghostlight_model::{CommitId, FieldKey, PostingId, RunId};
use std::rc::Rc;
use yew::{Callback, hook, use_context};

/// A page of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The postings list with card and evidence.
    Postings,
    /// The runs list.
    Runs,
    /// What waits to be sent.
    Outbox,
    /// What is taken away as a file.
    Exports,
    /// The settings.
    Settings,
}

/// A part of the postings page; narrow windows show one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// The list.
    List,
    /// The card.
    Card,
    /// Evidence and signals.
    Evidence,
}

/// How a toast looks and how long it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToastKind {
    /// Worth knowing.
    Info,
    /// Done.
    Success,
    /// Worth a look.
    Warning,
    /// Stays until dismissed.
    Error,
}

/// A message for the notifications region.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// Given by the window.
    pub id: u32,
    /// How it looks.
    pub kind: ToastKind,
    /// What happened.
    pub title: String,
    /// What it means and what to do.
    pub body: String,
}

/// A dialog over the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialog {
    /// A box for a posting's text.
    Paste,
    /// The analyst's conclusion.
    Verdict,
    /// What became of the posting.
    Outcome,
    /// What differs between two versions of a posting.
    Compare(PostingId, CommitId, CommitId),
    /// Whether to bring a version back; the other is the current one.
    Restore(PostingId, CommitId, CommitId),
    /// A name for a new branch, at a version or the current one.
    Branch(PostingId, Option<CommitId>),
    /// Merge a branch into the one that is checked out.
    Merge(PostingId),
    /// Accept the surest suggestions of a posting's card.
    Suggestions(PostingId),
    /// The shortcuts.
    Shortcuts,
    /// Connections in detail; of one feed first.
    Connections(Option<i64>),
    /// Set up a feed, or change one.
    Feed(Option<i64>),
    /// Whether to discard an entry of the outbox: feed, key, what it is.
    Discard(i64, String, String),
}

/// What to analyse.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// An address, as typed.
    Url(String),
    /// Text or a page's source.
    Text(String),
    /// A run's input once more.
    Again(RunId),
    /// The sample postings.
    Samples,
    /// What the system's file dialog gives.
    Files,
}

/// The posting on screen, as far as dialogs and announcements care.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// What was selected.
    pub subject: Subject,
    /// The posting, once known.
    pub posting: Option<PostingId>,
    /// Its title.
    pub title: String,
    /// The verdict that stands, with its note.
    pub verdict: Option<(String, String)>,
    /// Whether its latest run has ended.
    pub ended: bool,
}

/// A wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Show a page.
    Go(Page),
    /// Show a run's or posting's card.
    Select(Subject),
    /// Show a run in the monitor.
    Monitor(RunId),
    /// Show a feed's connection in detail.
    Feed(i64),
    /// In a narrow window, show this part.
    Panel(Panel),
    /// Show how a field came to be what it is.
    History(FieldKey),
    /// Begin an analysis.
    Analyse(Input),
    /// Show a toast.
    Toast(ToastKind, String, String),
    /// Say something to screen readers, politely.
    Announce(String),
    /// Open a dialog.
    Open(Dialog),
    /// Close the dialog.
    Close,
    /// Keep these preferences.
    Prefer(Preferences),
    /// Let the system show a test notification.
    TestNotification,
    /// The card on screen is of this posting.
    Showing(Current),
    /// Open a web page outside.
    Browse(String),
}

/// The window as components see it.
#[derive(Clone, PartialEq)]
pub struct Shell {
    /// The preferences.
    pub preferences: Rc<Preferences>,
    /// Takes wishes.
    pub ask: Callback<Ask>,
}

impl Shell {
    /// The time zone to show times in.
    pub fn zone(&self) -> Zone {
        let minutes = if self.preferences.utc {
            0
        } else {
            dom::local_offset_minutes()
        };
        Zone { minutes }
    }

    /// Shows an error as a toast.
    pub fn error(&self, error: &ApiError) {
        let body = error.hint.clone().unwrap_or_default();
        let toast = Ask::Toast(ToastKind::Error, error.message.clone(), body);
        self.ask.emit(toast);
    }

    /// A callback that asks for the same thing each time.
    pub fn asks<E>(&self, wish: Ask) -> Callback<E> {
        let ask = self.ask.clone();
        Callback::from(move |_| ask.emit(wish.clone()))
    }
}

/// The window, from any component.
#[hook]
pub fn use_shell() -> Shell {
    use_context::<Shell>().unwrap_or_else(|| Shell {
        preferences: Rc::default(),
        ask: Callback::noop(),
    })
}
