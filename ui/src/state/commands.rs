//! What the window can do: one table for the keys, the sheet on `?` and the command bar, so that they say the same.
//! Which key does what is up to the person: [`super::keys`].

/// A thing the window does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Opens the command bar.
    Bar,
    /// Shows the file dialog.
    OpenFile,
    /// Puts the cursor into the URL box.
    FocusUrl,
    /// Opens the paste dialog.
    Paste,
    /// Analyses what is shown once more.
    Again,
    /// Loads the sample postings.
    Samples,
    /// Selects the posting after this one.
    Next,
    /// Selects the posting before this one.
    Previous,
    /// Opens the verdict dialog.
    Verdict,
    /// Opens the outcome dialog.
    Outcome,
    /// Shows the words behind the field that has the focus.
    FieldWords,
    /// Unfolds what else was found for it.
    FieldAnswers,
    /// Shows its changes.
    FieldHistory,
    /// Asks the model for what the card leaves open.
    AskModel,
    /// Opens the dialog for a field of the person's own.
    NewField,
    /// Opens the posting's page in the browser.
    WebPage,
    /// Takes back the latest change.
    Undo,
    /// Does it again.
    Redo,
    /// Shows the event log of what is selected.
    EventLog,
    /// Shows the versions of the posting.
    History,
    /// Shows the life of the posting.
    Biography,
    /// Shows the receipt of what is selected.
    Receipt,
    /// Opens the dialog for a new branch.
    NewBranch,
    /// Opens the dialog for a merge.
    Merge,
    /// Folds or unfolds the list.
    FoldList,
    /// Folds or unfolds evidence and drawer.
    FoldEvidence,
    /// Goes to the postings.
    GoPostings,
    /// Goes to the runs.
    GoRuns,
    /// Goes to the outbox.
    GoOutbox,
    /// Goes to the exports.
    GoExports,
    /// Asks for a bundle and takes it over.
    Import,
    /// Goes to the settings.
    GoSettings,
    /// Shows how the feeds are connected.
    Connections,
    /// Does not wait for the next try to connect.
    Reconnect,
    /// Opens the dialog for a new feed.
    AddFeed,
    /// Light colours.
    Light,
    /// Dark colours.
    Dark,
    /// Colours as the system has them.
    AsSystem,
    /// Motion off or on.
    Still,
    /// Times in UTC or local.
    Utc,
    /// No notifications at all, or those that are chosen.
    Quiet,
    /// Lets the system show a notification.
    TestNotification,
    /// Shows the shortcuts.
    Sheet,
}

/// Where a line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To every page.
    Everywhere,
    /// To the postings page; from elsewhere the command bar goes there first.
    Postings,
    /// To the postings page and the monitor.
    Lists,
    /// To a list or the card while it has the focus; handled there, listed here.
    Focused,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// What it does; `None` for keys that a focused part needs as they are.
    pub action: Option<Action>,
    /// What a person's own key for it is stored under; never changes. Empty where `action` is `None`.
    pub id: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Other words that people look for it by.
    pub words: &'static str,
    /// The keys it has until a person chooses another ([`super::keys`]), as `KeyboardEvent.key` gives them, after `Shift`
    /// and `Ctrl` if those are held; any of them.
    pub keys: &'static [&'static str],
    /// Where it belongs.
    pub place: Place,
}

const fn line(
    place: Place,
    action: Action,
    id: &'static str,
    keys: &'static [&'static str],
    title: &'static str,
    words: &'static str,
) -> Command {
    Command {
        action: Some(action),
        id,
        title,
        words,
        keys,
        place,
    }
}

const fn focused(keys: &'static [&'static str], title: &'static str) -> Command {
    Command {
        action: None,
        id: "",
        title,
        words: "",
        keys,
        place: Place::Focused,
    }
}

use Action as A;
use Place::{Everywhere, Focused, Lists, Postings};

/// All of them, in the order of the sheet and of a command bar in which nothing is typed.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    line(Everywhere, A::Bar, "bar", &["Ctrl k", "/"], "Find a posting, a run, a field or a command", ""),
    line(Everywhere, A::OpenFile, "open_file", &["o"], "Open a file", "analyse check page html saved browse"),
    line(Everywhere, A::FocusUrl, "focus_url", &["u"], "Analyse an address", "url web link box check fetch"),
    line(Everywhere, A::Paste, "paste", &["p"], "Paste a posting's text", "analyse check clipboard source"),
    focused(&["Ctrl v"], "Analyse the text on the clipboard"),
    line(Postings, A::Again, "again", &[], "Analyse this posting again", "retry rerun repeat capture fetch"),
    line(Lists, A::Next, "next", &["n", "j"], "Next posting or run", "down following"),
    line(Lists, A::Previous, "previous", &["k"], "Previous posting or run", "up before"),
    line(Postings, A::Verdict, "verdict", &["v"], "Give a verdict", "conclusion ghost open doubtful closed"),
    line(Postings, A::Outcome, "outcome", &[], "Record an outcome", "applied heard back filled reposted result"),
    line(Postings, A::AskModel, "ask_model", &[], "Ask the model about this posting", "ai llm suggest missing fields enrich"),
    line(Postings, A::NewField, "new_field", &[], "Add a field of your own", "new custom user defined name property"),
    line(Postings, A::WebPage, "web_page", &[], "Open the posting's web page", "browser url link address site"),
    focused(&["↑", "↓"], "Previous or next field, row or tab"),
    focused(&["Enter", "F2"], "Edit a field"),
    line(Focused, A::FieldWords, "field_words", &["e"], "Show the words behind a field", ""),
    line(Focused, A::FieldAnswers, "field_answers", &["a"], "Show a field's other answers", ""),
    line(Focused, A::FieldHistory, "field_history", &["h"], "Show a field's history", ""),
    focused(&["Del"], "Dismiss a suggestion (↓ in an editor goes to them)"),
    line(Postings, A::Undo, "undo", &["Ctrl z"], "Undo your latest change of the posting", "take back revert"),
    line(Postings, A::Redo, "redo", &["Shift Ctrl z", "Ctrl y"], "Redo what you took back", "do again repeat"),
    line(Postings, A::History, "history", &[], "Show the history", "versions timeline changes commits blame compare restore"),
    line(Postings, A::Biography, "biography", &[], "Show the biography", "life captures seen again repost closed timeline story"),
    line(Postings, A::EventLog, "event_log", &[], "Show the event log", "events drawer run details"),
    line(Postings, A::Receipt, "receipt", &[], "Show the receipt", "looked where found missing drawer"),
    line(Postings, A::NewBranch, "new_branch", &[], "Begin a new branch", "fork try create"),
    line(Postings, A::Merge, "merge", &[], "Merge a branch into this one", "join combine bring changes"),
    line(Postings, A::FoldList, "fold_list", &["["], "Fold or unfold the list", "hide show pane collapse"),
    line(Postings, A::FoldEvidence, "fold_evidence", &["]"], "Fold or unfold the evidence", "hide show pane collapse signals drawer"),
    line(Everywhere, A::GoPostings, "go_postings", &["1"], "Go to the postings", "page cards list"),
    line(Everywhere, A::GoRuns, "go_runs", &["2"], "Go to the runs", "page monitor live"),
    line(Everywhere, A::GoSettings, "go_settings", &["3"], "Go to the settings", "page preferences options feeds"),
    line(Everywhere, A::GoOutbox, "go_outbox", &["4"], "Go to the outbox", "page waiting send publish hub"),
    line(Everywhere, A::GoExports, "go_exports", &["5"], "Go to the exports", "page csv json markdown bundle save download report"),
    line(Everywhere, A::Import, "import", &[], "Import a bundle", "take over zip verify colleague merge file"),
    line(Everywhere, A::Connections, "connections", &[], "Show the connections", "feeds details hub online status"),
    line(Everywhere, A::Reconnect, "reconnect", &[], "Reconnect the feeds now", "connection retry try hub online"),
    line(Everywhere, A::AddFeed, "add_feed", &[], "Add a feed", "connect hub websocket sse new"),
    line(Everywhere, A::Light, "light", &[], "Light theme", "colours bright appearance day"),
    line(Everywhere, A::Dark, "dark", &[], "Dark theme", "colours night appearance"),
    line(Everywhere, A::AsSystem, "as_system", &[], "Theme as the system has it", "colours automatic appearance"),
    line(Everywhere, A::Still, "still", &[], "Reduce motion", "animation still accessibility"),
    line(Everywhere, A::Utc, "utc", &[], "Times in UTC", "local clock time zone"),
    line(Everywhere, A::Quiet, "quiet", &[], "Quiet: no notifications", "mute silence disturb"),
    line(Everywhere, A::TestNotification, "test_notification", &[], "Send a test notification", "try system message"),
    line(Everywhere, A::Samples, "samples", &[], "Load the sample postings", "examples demo try"),
    line(Everywhere, A::Sheet, "sheet", &["?"], "Show the keyboard shortcuts", "keys help"),
];

/// A key press, as far as shortcuts care.
#[derive(Debug, Clone, Copy)]
pub struct Press<'a> {
    /// `KeyboardEvent.key`.
    pub key: &'a str,
    /// Whether Ctrl is held, or the key that takes its place (Meta on macOS), and not both.
    pub ctrl: bool,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether Alt is held, or Ctrl and Meta at once: then the press is none of ours.
    pub other: bool,
    /// Whether the focus is where letters are typed.
    pub typing: bool,
    /// Whether a dialog is open.
    pub in_dialog: bool,
    /// Whether the postings page is shown.
    pub on_postings: bool,
    /// Whether the runs page is shown.
    pub on_runs: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_and_no_title_means_two_things() {
        let mut seen = Vec::new();
        let keys = COMMANDS.iter().flat_map(|line| line.keys);
        for word in keys.chain(COMMANDS.iter().map(|line| &line.title)) {
            assert!(!seen.contains(word), "{word}");
            seen.push(word);
        }
    }

    #[test]
    fn what_a_person_can_choose_a_key_for_has_a_name_of_its_own() {
        let mut seen = Vec::new();
        for line in COMMANDS.iter().filter(|line| line.action.is_some()) {
            assert!(
                !line.id.is_empty() && !seen.contains(&line.id),
                "{}",
                line.id
            );
            seen.push(line.id);
        }
        // Stored by people: these stay as they are.
        for id in ["bar", "open_file", "next", "field_words", "undo", "sheet"] {
            assert!(seen.contains(&id), "{id}");
        }
    }
}
