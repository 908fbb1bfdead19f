//! What the window can do: one table for the keys, the sheet on `?` and the command bar, so that they say the same.

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
    /// What it does; `None` for what a focused part does itself.
    pub action: Option<Action>,
    /// What it is called.
    pub title: &'static str,
    /// Other words that people look for it by.
    pub words: &'static str,
    /// The keys, as `KeyboardEvent.key` gives them, after `Shift` and `Ctrl` if those are held; any of them.
    pub keys: &'static [&'static str],
    /// Where it belongs.
    pub place: Place,
}

const fn line(
    place: Place,
    action: Action,
    keys: &'static [&'static str],
    title: &'static str,
    words: &'static str,
) -> Command {
    Command {
        action: Some(action),
        title,
        words,
        keys,
        place,
    }
}

const fn focused(keys: &'static [&'static str], title: &'static str) -> Command {
    Command {
        action: None,
        title,
        words: "",
        keys,
        place: Place::Focused,
    }
}

use Action as A;
use Place::{Everywhere, Lists, Postings};

/// All of them, in the order of the sheet and of a command bar in which nothing is typed.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    line(Everywhere, A::Bar, &["Ctrl k"], "Find a posting, a run, a field or a command", ""),
    line(Everywhere, A::OpenFile, &["o"], "Open a file", "analyse check page html saved browse"),
    line(Everywhere, A::FocusUrl, &["u"], "Analyse an address", "url web link box check fetch"),
    line(Everywhere, A::Paste, &["p"], "Paste a posting's text", "analyse check clipboard source"),
    focused(&["Ctrl v"], "Analyse the text on the clipboard"),
    line(Postings, A::Again, &[], "Analyse this posting again", "retry rerun repeat capture fetch"),
    line(Lists, A::Next, &["n", "j"], "Next posting or run", "down following"),
    line(Lists, A::Previous, &["k"], "Previous posting or run", "up before"),
    line(Postings, A::Verdict, &["v"], "Give a verdict", "conclusion ghost open doubtful closed"),
    line(Postings, A::Outcome, &[], "Record an outcome", "applied heard back filled reposted result"),
    line(Postings, A::NewField, &[], "Add a field of your own", "new custom user defined name property"),
    line(Postings, A::WebPage, &[], "Open the posting's web page", "browser url link address site"),
    focused(&["↑", "↓"], "Previous or next field, row or tab"),
    focused(&["Enter", "F2"], "Edit a field"),
    focused(&["e"], "Show the words behind a field"),
    focused(&["a"], "Show a field's other answers"),
    focused(&["h"], "Show a field's history"),
    focused(&["Del"], "Dismiss a suggestion (↓ in an editor goes to them)"),
    line(Postings, A::Undo, &["Ctrl z"], "Undo your latest change of the posting", "take back revert"),
    line(Postings, A::Redo, &["Shift Ctrl z", "Ctrl y"], "Redo what you took back", "do again repeat"),
    line(Postings, A::History, &[], "Show the history", "versions timeline changes commits blame compare restore"),
    line(Postings, A::Biography, &[], "Show the biography", "life captures seen again repost closed timeline story"),
    line(Postings, A::EventLog, &[], "Show the event log", "events drawer run details"),
    line(Postings, A::Receipt, &[], "Show the receipt", "looked where found missing drawer"),
    line(Postings, A::NewBranch, &[], "Begin a new branch", "fork try create"),
    line(Postings, A::Merge, &[], "Merge a branch into this one", "join combine bring changes"),
    line(Postings, A::FoldList, &["["], "Fold or unfold the list", "hide show pane collapse"),
    line(Postings, A::FoldEvidence, &["]"], "Fold or unfold the evidence", "hide show pane collapse signals drawer"),
    line(Everywhere, A::GoPostings, &["1"], "Go to the postings", "page cards list"),
    line(Everywhere, A::GoRuns, &["2"], "Go to the runs", "page monitor live"),
    line(Everywhere, A::GoSettings, &["3"], "Go to the settings", "page preferences options feeds"),
    line(Everywhere, A::GoOutbox, &["4"], "Go to the outbox", "page waiting send publish hub"),
    line(Everywhere, A::GoExports, &["5"], "Go to the exports", "page csv json markdown bundle save download report"),
    line(Everywhere, A::Import, &[], "Import a bundle", "take over zip verify colleague merge file"),
    line(Everywhere, A::Connections, &[], "Show the connections", "feeds details hub online status"),
    line(Everywhere, A::Reconnect, &[], "Reconnect the feeds now", "connection retry try hub online"),
    line(Everywhere, A::AddFeed, &[], "Add a feed", "connect hub websocket sse new"),
    line(Everywhere, A::Light, &[], "Light theme", "colours bright appearance day"),
    line(Everywhere, A::Dark, &[], "Dark theme", "colours night appearance"),
    line(Everywhere, A::AsSystem, &[], "Theme as the system has it", "colours automatic appearance"),
    line(Everywhere, A::Still, &[], "Reduce motion", "animation still accessibility"),
    line(Everywhere, A::Utc, &[], "Times in UTC", "local clock time zone"),
    line(Everywhere, A::Quiet, &[], "Quiet: no notifications", "mute silence disturb"),
    line(Everywhere, A::TestNotification, &[], "Send a test notification", "try system message"),
    line(Everywhere, A::Samples, &[], "Load the sample postings", "examples demo try"),
    line(Everywhere, A::Sheet, &["?"], "Show the keyboard shortcuts", "keys help"),
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

impl Press<'_> {
    fn is(&self, keys: &str) -> bool {
        let (held, key) = keys.rsplit_once(' ').unwrap_or(("", keys));
        let shift = !self.ctrl || self.shift == held.contains("Shift");
        self.ctrl == held.contains("Ctrl") && shift && self.key.to_lowercase() == key
    }
}

/// What a key press does, if anything. Only the command bar opens while somebody types, and nothing over a dialog.
pub fn action_of(press: Press<'_>) -> Option<Action> {
    if press.in_dialog || press.other {
        return None;
    }
    let here = |place: Place| match place {
        Place::Everywhere => true,
        Place::Postings => press.on_postings,
        Place::Lists => press.on_postings || press.on_runs,
        Place::Focused => false,
    };
    let mut lines = COMMANDS.iter().filter(|line| here(line.place));
    let line = lines.find(|line| line.keys.iter().any(|keys| press.is(keys)))?;
    line.action
        .filter(|action| !press.typing || *action == Action::Bar)
}

/// How keys are written for people.
pub fn keys_in_words(keys: &str) -> String {
    let mut parts: Vec<String> = keys.split(' ').map(str::to_owned).collect();
    if let Some(key) = parts.last_mut().filter(|key| key.chars().count() == 1) {
        *key = key.to_uppercase();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(key: &str) -> Press<'_> {
        Press {
            key,
            ctrl: false,
            shift: false,
            other: false,
            typing: false,
            in_dialog: false,
            on_postings: true,
            on_runs: false,
        }
    }

    fn ctrl(key: &str) -> Press<'_> {
        Press {
            ctrl: true,
            ..press(key)
        }
    }

    #[test]
    fn keys_act_only_where_they_should() {
        let typing = |press| Press {
            typing: true,
            ..press
        };
        let shift = |press| Press {
            shift: true,
            ..press
        };
        let elsewhere = |press| Press {
            on_postings: false,
            ..press
        };
        let over_a_dialog = |press| Press {
            in_dialog: true,
            ..press
        };
        for (press, expected) in [
            (press("o"), Some(A::OpenFile)),
            (shift(press("O")), Some(A::OpenFile)),
            (shift(press("?")), Some(A::Sheet)),
            (press("x"), None),
            // Handled by the card itself.
            (press("a"), None),
            (typing(press("o")), None),
            (ctrl("p"), None),
            (ctrl("v"), None),
            (elsewhere(press("v")), None),
            (elsewhere(press("o")), Some(A::OpenFile)),
            (
                Press {
                    on_runs: true,
                    ..elsewhere(press("n"))
                },
                Some(A::Next),
            ),
            (ctrl("z"), Some(A::Undo)),
            (shift(ctrl("Z")), Some(A::Redo)),
            (ctrl("y"), Some(A::Redo)),
            (typing(ctrl("z")), None),
            (elsewhere(ctrl("z")), None),
            (ctrl("k"), Some(A::Bar)),
            (typing(ctrl("k")), Some(A::Bar)),
            (elsewhere(ctrl("k")), Some(A::Bar)),
            (over_a_dialog(ctrl("k")), None),
            (over_a_dialog(press("o")), None),
            (
                Press {
                    other: true,
                    ..ctrl("k")
                },
                None,
            ),
            (shift(ctrl("K")), None),
        ] {
            assert_eq!(action_of(press), expected, "{press:?}");
        }
    }

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
    fn keys_are_written_for_people() {
        for (keys, words) in [
            ("o", "O"),
            ("Shift Ctrl z", "Shift Ctrl Z"),
            ("Enter", "Enter"),
            ("?", "?"),
        ] {
            assert_eq!(keys_in_words(keys), words);
        }
    }
}
