//! What every component may ask of the window as a whole, handed down by context.

pub use crate::state::toasts::ToastKind;
use crate::{
    dom,
    state::{command_bar::Deed, commands::Action, export::Choice, format::Zone, keys::Keymap},
};
use ghostlight_api::{ApiError, command::Preferences, live::Environment, view::Subject};
use ghostlight_model::{CaptureId, CommitId, FieldKey, Micros, PostingId, RunId};
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

/// A tab of the drawer below the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// The events of the latest run.
    EventLog,
    /// The versions of the posting.
    History,
    /// The life of the posting.
    Biography,
    /// Where the latest run looked.
    Receipt,
}

/// The tab of the drawer that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Counts the wishes, so that the same can be asked for again; 0 is none yet.
    pub turn: u32,
    /// Which.
    pub tab: Tab,
    /// In the history, the field whose changes are shown.
    pub field: Option<FieldKey>,
}

/// A dialog over the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialog {
    /// The command bar.
    Bar,
    /// A box for a posting's text.
    Paste,
    /// The analyst's conclusion.
    Verdict,
    /// What became of the posting.
    Outcome,
    /// What differs between two versions of a posting.
    Compare(PostingId, CommitId, CommitId),
    /// A captured text, with what changed since another capture, and when it was looked at.
    Capture(CaptureId, Option<CaptureId>, Micros),
    /// Whether to bring a version back; the other is the current one.
    Restore(PostingId, CommitId, CommitId),
    /// A name for a new branch, at a version or the current one.
    Branch(PostingId, Option<CommitId>),
    /// Merge a branch into the one that is checked out.
    Merge(PostingId),
    /// Take a merge back; the flag says that an undo met it.
    Unmerge(PostingId, CommitId, bool),
    /// A field of the person's own.
    NewField(PostingId),
    /// Accept the surest suggestions of a posting's card.
    Suggestions(PostingId),
    /// The shortcuts.
    Shortcuts,
    /// Another key for a command.
    Key(Action),
    /// Connections in detail; of one feed first.
    Connections(Option<i64>),
    /// Set up a feed, or change one.
    Feed(Option<i64>),
    /// Whether to archive versions older than so many days.
    Archive(u32),
    /// Whether to bring archived history back.
    BringBack,
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
    /// That run.
    pub run: Option<RunId>,
    /// The address of its page, where there is one.
    pub url: Option<String>,
    /// The fields of its card, in order.
    pub fields: Vec<FieldKey>,
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
    /// Show the page of exports with this chosen.
    Export(Box<Choice>),
    /// Show how a field came to be what it is.
    History(FieldKey),
    /// Show a field on the card, with the focus on it.
    Field(FieldKey),
    /// Do what was chosen in the command bar.
    Do(Deed),
    /// The field that was to be edited is being edited.
    Edits,
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
    /// What goes before them: what the environment says of live features.
    pub environment: Environment,
    /// Which key does what, by these preferences.
    pub keys: Rc<Keymap>,
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

    /// How many rows of a log are held while its end is followed.
    pub fn log_rows(&self) -> u32 {
        self.environment.log_rows(self.preferences.log_rows)
    }

    /// Shows an error as a toast.
    pub fn error(&self, error: &ApiError) {
        let body = error.hint.clone().unwrap_or_default();
        let toast = Ask::Toast(ToastKind::Error, error.message.clone(), body);
        self.ask.emit(toast);
    }

    /// Puts `text`, which is `what`, onto the clipboard, and says so with a note; or that the system did not allow it.
    pub async fn copy(&self, text: &str, what: &str, note: &str) {
        let toast = match dom::copy(text).await {
            true => Ask::Toast(
                ToastKind::Success,
                format!("{what} is on the clipboard"),
                note.into(),
            ),
            false => Ask::Toast(
                ToastKind::Error,
                format!("{what} could not be copied"),
                "The system did not let the window use the clipboard.".into(),
            ),
        };
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
        environment: Environment::default(),
        keys: Rc::default(),
        ask: Callback::noop(),
    })
}
