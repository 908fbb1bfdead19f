//! Single-key shortcuts: one table for the key handler and for the sheet on `?`.

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Shows the file dialog.
    OpenFile,
    /// Puts the cursor into the URL box.
    FocusUrl,
    /// Opens the paste dialog.
    Paste,
    /// Opens the verdict dialog.
    Verdict,
    /// Selects the posting after this one.
    Next,
    /// Selects the posting before this one.
    Previous,
    /// Folds or unfolds the list.
    FoldList,
    /// Folds or unfolds evidence and drawer.
    FoldEvidence,
    /// Shows the shortcuts.
    Sheet,
    /// Goes to the postings.
    GoPostings,
    /// Goes to the runs.
    GoRuns,
    /// Goes to the outbox.
    GoOutbox,
    /// Goes to the exports.
    GoExports,
    /// Goes to the settings.
    GoSettings,
}

/// Where a shortcut works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On every page.
    Everywhere,
    /// On the postings page.
    Postings,
    /// On the postings page and in the monitor.
    Lists,
    /// On a list or the card while it has the focus; handled there, listed here.
    Focused,
}

/// A line of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct Shortcut {
    /// The keys, as `KeyboardEvent.key` gives them; any of them.
    pub keys: &'static [&'static str],
    /// What they do; `None` for those that a focused part handles itself.
    pub action: Option<Action>,
    /// Where they work.
    pub place: Place,
    /// The line's text.
    pub text: &'static str,
}

const fn global(keys: &'static [&'static str], action: Action, text: &'static str) -> Shortcut {
    Shortcut {
        keys,
        action: Some(action),
        place: Place::Everywhere,
        text,
    }
}

const fn postings(keys: &'static [&'static str], action: Action, text: &'static str) -> Shortcut {
    Shortcut {
        keys,
        action: Some(action),
        place: Place::Postings,
        text,
    }
}

const fn lists(keys: &'static [&'static str], action: Action, text: &'static str) -> Shortcut {
    Shortcut {
        keys,
        action: Some(action),
        place: Place::Lists,
        text,
    }
}

const fn focused(keys: &'static [&'static str], text: &'static str) -> Shortcut {
    Shortcut {
        keys,
        action: None,
        place: Place::Focused,
        text,
    }
}

/// All shortcuts, in the order of the sheet.
pub const SHORTCUTS: &[Shortcut] = &[
    global(&["o"], Action::OpenFile, "Open a file"),
    global(&["u"], Action::FocusUrl, "Go to the address box"),
    global(&["p"], Action::Paste, "Paste a posting's text"),
    lists(&["n", "j"], Action::Next, "Next posting or run"),
    lists(&["k"], Action::Previous, "Previous posting or run"),
    postings(&["v"], Action::Verdict, "Give a verdict"),
    focused(&["↑", "↓"], "Previous or next field, row or tab"),
    focused(&["Enter", "F2"], "Edit a field"),
    focused(&["e"], "Show the words behind a field"),
    focused(&["a"], "Show a field's other answers"),
    focused(&["h"], "Show a field's history"),
    focused(
        &["Del"],
        "Dismiss a suggestion (↓ in an editor goes to them)",
    ),
    focused(&["Ctrl Z"], "Undo your latest change of the posting"),
    focused(&["Shift Ctrl Z"], "Do it again"),
    postings(&["["], Action::FoldList, "Fold or unfold the list"),
    postings(&["]"], Action::FoldEvidence, "Fold or unfold the evidence"),
    global(&["1"], Action::GoPostings, "Postings"),
    global(&["2"], Action::GoRuns, "Runs"),
    global(&["3"], Action::GoSettings, "Settings"),
    global(&["4"], Action::GoOutbox, "Outbox"),
    global(&["5"], Action::GoExports, "Exports"),
    global(&["?"], Action::Sheet, "Show these shortcuts"),
];

/// A key press, as far as shortcuts care.
#[derive(Debug, Clone, Copy)]
pub struct Press<'a> {
    /// `KeyboardEvent.key`.
    pub key: &'a str,
    /// Whether Ctrl, Alt or Meta is held.
    pub modified: bool,
    /// Whether the focus is where letters are typed or a dialog is open.
    pub typing: bool,
    /// Whether the postings page is shown.
    pub on_postings: bool,
    /// Whether the runs page is shown.
    pub on_runs: bool,
}

/// What a key press does, if anything.
pub fn action_of(press: Press<'_>) -> Option<Action> {
    if press.typing || press.modified {
        return None;
    }
    let key = press.key.to_lowercase();
    SHORTCUTS
        .iter()
        .filter(|s| {
            let on_list = press.on_postings || press.on_runs;
            s.place == Place::Everywhere
                || (s.place == Place::Postings && press.on_postings)
                || (s.place == Place::Lists && on_list)
        })
        .find(|s| s.keys.contains(&key.as_str()))
        .and_then(|s| s.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(key: &str) -> Press<'_> {
        Press {
            key,
            modified: false,
            typing: false,
            on_postings: true,
            on_runs: false,
        }
    }

    #[test]
    fn keys_act_only_where_they_should() {
        for (press, expected) in [
            (press("o"), Some(Action::OpenFile)),
            (press("O"), Some(Action::OpenFile)),
            (press("?"), Some(Action::Sheet)),
            (press("x"), None),
            // Handled by the card itself.
            (press("a"), None),
            (
                Press {
                    typing: true,
                    ..press("o")
                },
                None,
            ),
            (
                Press {
                    modified: true,
                    ..press("p")
                },
                None,
            ),
            (
                Press {
                    on_postings: false,
                    ..press("v")
                },
                None,
            ),
            (
                Press {
                    on_postings: false,
                    on_runs: true,
                    ..press("n")
                },
                Some(Action::Next),
            ),
            (
                Press {
                    on_postings: false,
                    ..press("o")
                },
                Some(Action::OpenFile),
            ),
        ] {
            assert_eq!(action_of(press), expected, "{press:?}");
        }
    }

    #[test]
    fn no_key_means_two_things() {
        let mut seen = Vec::new();
        for key in SHORTCUTS.iter().flat_map(|s| s.keys) {
            assert!(!seen.contains(key), "{key}");
            seen.push(key);
        }
    }
}
