//! Which key does what, as the person has it (SPEC B5, WCAG 2.1.4): the keys of [`COMMANDS`], with those in their place
//! that a person chose. What is stored and means nothing here is passed over; own keys come before those of the table.

use super::commands::{Action, COMMANDS, Command, Place, Press};
use ghostlight_api::command::Preferences;
use std::collections::BTreeMap;

/// What a person chose, as [`Preferences::keys`] holds it.
pub type Own = BTreeMap<String, String>;

/// Presses that say nothing yet: a held key, or one that waits for the next.
const WAITING: [&str; 13] = [
    "Shift",
    "Control",
    "Alt",
    "AltGraph",
    "Meta",
    "OS",
    "Fn",
    "CapsLock",
    "NumLock",
    "ScrollLock",
    "Dead",
    "Process",
    "Unidentified",
];
/// What a dialog needs while a key is being chosen in it.
const OF_THE_DIALOG: [&str; 3] = ["Tab", "Escape", "Enter"];
/// With Ctrl: copying, cutting, all text, closing, quitting, reloading, zoom.
const OF_THE_SYSTEM: [&str; 10] = ["a", "c", "x", "w", "q", "r", "+", "-", "=", "0"];
/// Function keys that are free: not reloading, the full screen, or the tools of the web view.
const FUNCTION_KEYS: [&str; 9] = ["F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10"];

/// The keys of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// The keys of each line of [`COMMANDS`], in its order.
    lines: Vec<Vec<String>>,
    /// Whether keys that are a single character act.
    single: bool,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::of(&Preferences::default())
    }
}

impl Keymap {
    /// As the preferences have them. An own key that is no key here, that the window needs itself, or that another line
    /// has, is passed over.
    pub fn of(preferences: &Preferences) -> Self {
        let fixed = COMMANDS.iter().filter(|line| line.action.is_none());
        let mut taken: Vec<&str> = fixed.flat_map(|line| line.keys.iter().copied()).collect();
        let mut own = Vec::with_capacity(COMMANDS.len());
        for line in COMMANDS {
            // One that rests would leave the command bar without any.
            let rests = !preferences.single_keys && line.action == Some(Action::Bar);
            let keys = own_key(&preferences.keys, line).filter(|keys| !rests || !is_single(keys));
            let keys = keys.filter(|keys| keys.is_empty() || !taken.contains(keys));
            taken.extend(keys.filter(|keys| !keys.is_empty()));
            own.push(keys);
        }
        let lines = COMMANDS.iter().zip(own).map(|(line, own)| match own {
            Some("") => Vec::new(),
            Some(keys) => vec![keys.to_owned()],
            None => {
                let free = |keys: &&&str| line.action.is_none() || !taken.contains(*keys);
                let keys = line.keys.iter().filter(free);
                keys.map(|keys| (*keys).to_owned()).collect()
            }
        });
        Self {
            lines: lines.collect(),
            single: preferences.single_keys,
        }
    }

    /// The lines of the table with the keys that act now.
    pub fn lines(&self) -> impl Iterator<Item = (&'static Command, Vec<&str>)> {
        COMMANDS.iter().zip(&self.lines).map(|(line, keys)| {
            let acts = |keys: &&str| self.single || line.action.is_none() || !is_single(keys);
            (line, keys.iter().map(String::as_str).filter(acts).collect())
        })
    }

    /// The lines of the table with all their keys, and of each whether it acts now.
    pub fn all(&self) -> impl Iterator<Item = (&'static Command, Vec<(&str, bool)>)> {
        COMMANDS.iter().zip(&self.lines).map(|(line, keys)| {
            let acts = |keys: &str| self.single || !is_single(keys);
            let keys = keys.iter().map(|keys| (keys.as_str(), acts(keys)));
            (line, keys.collect())
        })
    }

    /// The keys of a command, for people.
    pub fn words(&self, action: Action) -> Vec<String> {
        let mut lines = self.lines();
        let line = lines.find(|(line, _)| line.action == Some(action));
        let keys = line.map(|(_, keys)| keys).unwrap_or_default();
        keys.into_iter().map(in_words).collect()
    }

    /// A hint that ends with the first key of a command, where it has one.
    pub fn hint(&self, words: &str, action: Action) -> String {
        match self.words(action).first() {
            Some(keys) => format!("{words} ({keys})"),
            None => words.to_owned(),
        }
    }

    /// What a key press does, if anything. Only the command bar opens while somebody types, by a key that types nothing,
    /// and nothing over a dialog.
    pub fn action_of(&self, press: Press<'_>) -> Option<Action> {
        if press.in_dialog || press.other {
            return None;
        }
        let here = |place: Place| match place {
            Place::Everywhere => true,
            Place::Postings => press.on_postings,
            Place::Lists => press.on_postings || press.on_runs,
            Place::Focused => false,
        };
        let mut lines = self.lines().filter(|(line, _)| here(line.place));
        let types = press.key.chars().count() == 1 && !press.ctrl;
        let (line, _) = lines.find(|(_, keys)| keys.iter().any(|keys| is(press, keys)))?;
        line.action
            .filter(|action| !press.typing || (*action == Action::Bar && !types))
    }

    /// What a key press does where a field has the focus.
    pub fn of_a_field(&self, press: Press<'_>) -> Option<Action> {
        let mut lines = self
            .lines()
            .filter(|(line, _)| line.place == Place::Focused);
        let line = lines.find(|(_, keys)| keys.iter().any(|keys| is(press, keys)));
        line.and_then(|(line, _)| line.action)
    }

    /// Whether a press is a key of this command.
    pub fn is(&self, press: Press<'_>, action: Action) -> bool {
        let mut lines = self.lines();
        let line = lines.find(|(line, _)| line.action == Some(action));
        line.is_some_and(|(_, keys)| keys.iter().any(|keys| is(press, keys)))
    }

    /// The line that has these keys, also where single keys rest.
    fn owner(&self, keys: &str) -> Option<&'static Command> {
        let mut lines = COMMANDS.iter().zip(&self.lines);
        let line = lines.find(|(_, own)| own.iter().any(|own| own == keys));
        line.map(|(line, _)| line)
    }

    /// What comes of a press while a key for `action` is being chosen.
    pub fn record(&self, press: Press<'_>, action: Action) -> Recorded {
        if WAITING.contains(&press.key) {
            return Recorded::Waiting;
        }
        if OF_THE_DIALOG.contains(&press.key) && !press.ctrl && !press.other {
            return Recorded::OfTheDialog;
        }
        if press.other {
            return Recorded::Refused(
                "Keys with Alt are the system's: they type characters.".into(),
            );
        }
        let keys = written(press);
        if let Err(why) = allowed(&keys) {
            return Recorded::Refused(why);
        }
        if !self.single && is_single(&keys) {
            let why = "Single keys are off: hold Ctrl too, or turn them on.";
            return Recorded::Refused(why.into());
        }
        match self.owner(&keys).filter(|line| line.action != Some(action)) {
            Some(other) => Recorded::Refused(taken(&keys, other)),
            None => Recorded::Keys(keys),
        }
    }

    /// The person's keys without a choice for `action`.
    ///
    /// # Errors
    /// A sentence, where another command has one of its keys now.
    pub fn reset(&self, own: &Own, action: Action) -> Result<Own, String> {
        let Some(line) = line_of(action) else {
            return Ok(own.clone());
        };
        let other = |keys: &&&str| self.owner(keys).is_some_and(|other| other.id != line.id);
        if let Some(keys) = line.keys.iter().find(other)
            && let Some(other) = self.owner(keys)
        {
            return Err(taken(keys, other));
        }
        let mut own = own.clone();
        own.remove(line.id);
        Ok(own)
    }
}

/// What came of a press while a key is being chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Nothing yet: Shift is held, for example.
    Waiting,
    /// The press is for the dialog: Tab, Esc, Enter.
    OfTheDialog,
    /// The key cannot be had; the sentence says why.
    Refused(String),
    /// The key, as it is stored.
    Keys(String),
}

/// The person's keys with another for `action`; an empty one is none at all.
pub fn with(own: &Own, action: Action, keys: &str) -> Own {
    let mut own = own.clone();
    if let Some(line) = line_of(action) {
        own.insert(line.id.to_owned(), keys.to_owned());
    }
    own
}

/// Whether a command can be left without a key. The command bar leads to everything else, so it keeps one.
pub fn can_go_without(action: Action) -> bool {
    action != Action::Bar
}

/// The line of a command.
pub fn line_of(action: Action) -> Option<&'static Command> {
    COMMANDS.iter().find(|line| line.action == Some(action))
}

/// What a person stored for a line, as far as it is a key that can be had; empty for none at all.
fn own_key<'a>(own: &'a Own, line: &Command) -> Option<&'a str> {
    let action = line.action?;
    let keys = own.get(line.id)?.as_str();
    match keys {
        "" => can_go_without(action).then_some(keys),
        keys => allowed(keys).is_ok().then_some(keys),
    }
}

/// Whether keys, as they are stored, can be chosen at all.
fn allowed(keys: &str) -> Result<(), String> {
    let words = in_words(keys);
    let needed = || format!("{words} is needed to move about and to edit.");
    let (held, key) = keys.rsplit_once(' ').unwrap_or(("", keys));
    let mut chars = key.chars();
    let (first, rest) = (chars.next(), chars.next());
    let is_character =
        rest.is_none() && first.is_some_and(|c| !c.is_whitespace() && !c.is_control());
    if !["", "Ctrl", "Shift Ctrl"].contains(&held)
        || key != key_name(key)
        || !(is_character || is_function_key(key))
    {
        return Err(needed());
    }
    if (held == "Ctrl" && OF_THE_SYSTEM.contains(&key))
        || (!is_character && !FUNCTION_KEYS.contains(&key))
    {
        return Err(format!(
            "{words} is the system's: copying, zoom, closing, reloading."
        ));
    }
    Ok(())
}

fn is_function_key(key: &str) -> bool {
    let number = key
        .strip_prefix('F')
        .and_then(|number| number.parse::<u8>().ok());
    number.is_some_and(|number| (1..=12).contains(&number))
}

/// Whether keys are a single character, which WCAG 2.1.4 lets people turn off.
fn is_single(keys: &str) -> bool {
    keys.chars().count() == 1
}

fn taken(keys: &str, by: &Command) -> String {
    format!(
        "{} does something already: “{}”. Give that another key first.",
        in_words(keys),
        by.title
    )
}

/// A press as the table writes it. Without Ctrl, Shift is in the character already.
fn written(press: Press<'_>) -> String {
    let held = match (press.ctrl, press.shift) {
        (true, true) => "Shift Ctrl ",
        (true, false) => "Ctrl ",
        (false, _) => "",
    };
    format!("{held}{}", key_name(press.key))
}

/// Letters are stored small; names of keys as they are.
fn key_name(key: &str) -> String {
    match key.chars().count() {
        1 => key.to_lowercase(),
        _ => key.to_owned(),
    }
}

fn is(press: Press<'_>, keys: &str) -> bool {
    !press.other && written(press) == keys
}

/// How keys are written for people.
pub fn in_words(keys: &str) -> String {
    let mut parts: Vec<String> = keys.split(' ').map(str::to_owned).collect();
    if let Some(key) = parts.last_mut().filter(|key| key.chars().count() == 1) {
        *key = key.to_uppercase();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action as A;

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
            assert_eq!(Keymap::default().action_of(press), expected, "{press:?}");
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
            assert_eq!(in_words(keys), words);
        }
    }

    fn map(own: &[(&str, &str)], single_keys: bool) -> (Keymap, Own) {
        let entry = |(id, keys): &(&str, &str)| ((*id).to_owned(), (*keys).to_owned());
        let keys: Own = own.iter().map(entry).collect();
        let preferences = Preferences {
            keys: keys.clone(),
            single_keys,
            ..Preferences::default()
        };
        (Keymap::of(&preferences), keys)
    }

    #[test]
    fn own_keys_stand_in_the_place_of_those_of_the_table() {
        let (keys, _) = map(
            &[("open_file", "g"), ("verdict", ""), ("field_words", "w")],
            true,
        );
        assert_eq!(keys.action_of(press("g")), Some(A::OpenFile));
        assert_eq!(keys.action_of(press("o")), None);
        assert_eq!(keys.action_of(press("v")), None);
        assert_eq!(keys.words(A::OpenFile), ["G"]);
        assert_eq!(keys.hint("Open", A::OpenFile), "Open (G)");
        assert_eq!(keys.hint("Give a verdict", A::Verdict), "Give a verdict");
        assert_eq!(keys.of_a_field(press("W")), Some(A::FieldWords));
        assert_eq!(keys.of_a_field(press("e")), None);
        assert_eq!(keys.of_a_field(press("h")), Some(A::FieldHistory));
        // An own key comes before that of the table, whatever their order.
        let (keys, _) = map(&[("sheet", "o")], true);
        assert_eq!(keys.action_of(press("o")), Some(A::Sheet));
        assert!(keys.words(A::OpenFile).is_empty());
    }

    #[test]
    fn single_keys_rest_when_they_are_turned_off_and_others_do_not() {
        let (keys, _) = map(&[("open_file", "F9")], false);
        for key in ["u", "?", "1", "n", "["] {
            assert_eq!(keys.action_of(press(key)), None, "{key}");
        }
        assert_eq!(keys.of_a_field(press("e")), None);
        assert_eq!(keys.action_of(press("F9")), Some(A::OpenFile));
        assert_eq!(keys.action_of(ctrl("k")), Some(A::Bar));
        assert_eq!(keys.action_of(ctrl("z")), Some(A::Undo));
        // The command bar has a key at any time.
        let (bar, _) = map(&[("bar", "b")], false);
        assert_eq!(bar.action_of(ctrl("k")), Some(A::Bar));
        // They are still theirs, for when they come back.
        let (_, shown) = keys.all().find(|(line, _)| line.id == "focus_url").unwrap();
        assert_eq!(shown, [("u", false)]);
        let refused = keys.record(ctrl("v"), A::Next);
        assert!(matches!(refused, Recorded::Refused(_)), "{refused:?}");
        assert_eq!(
            keys.record(press("g"), A::Next),
            Recorded::Refused("Single keys are off: hold Ctrl too, or turn them on.".into())
        );
    }

    #[test]
    fn the_command_bar_opens_while_somebody_types_by_a_key_that_types_nothing() {
        let typing = |press: Press<'static>| Press {
            typing: true,
            ..press
        };
        let (keys, _) = map(&[("bar", "b")], true);
        assert_eq!(keys.action_of(press("b")), Some(A::Bar));
        assert_eq!(keys.action_of(typing(press("b"))), None);
        let (keys, _) = map(&[("bar", "F8")], true);
        assert_eq!(keys.action_of(typing(press("F8"))), Some(A::Bar));
    }

    #[test]
    fn what_is_stored_and_means_nothing_is_passed_over() {
        let foreign = [
            ("bar", ""),
            ("open_file", "Escape"),
            ("paste", "Ctrl"),
            ("focus_url", "Alt x"),
            ("verdict", "O O"),
            ("next", "Ctrl c"),
            ("previous", "Ctrl v"),
            ("sheet", " "),
            ("undo", "\u{1}"),
            ("redo", "Tab"),
            ("again", "G"),
            ("no_such_command", "x"),
            ("", "y"),
        ];
        assert_eq!(map(&foreign, true).0, Keymap::default());
        // The same key twice: the first line of the table has it.
        let (keys, _) = map(&[("paste", "x"), ("open_file", "x")], true);
        assert_eq!(keys.action_of(press("x")), Some(A::OpenFile));
        assert_eq!(keys.words(A::Paste), ["P"]);
    }

    #[test]
    fn a_key_is_recorded_or_refused_in_a_sentence() {
        let (keys, _) = map(&[("open_file", "g")], true);
        let shift = |press: Press<'static>| Press {
            shift: true,
            ..press
        };
        let alt = Press {
            other: true,
            ..press("q")
        };
        for (press, kept) in [
            (press("x"), "x"),
            (shift(press("X")), "x"),
            (shift(press("!")), "!"),
            (ctrl("G"), "Ctrl g"),
            (shift(ctrl("C")), "Shift Ctrl c"),
            (press("F9"), "F9"),
            // Its own, old and new.
            (press("p"), "p"),
        ] {
            assert_eq!(keys.record(press, A::Paste), Recorded::Keys(kept.into()));
        }
        for (press, said) in [
            (
                press("g"),
                "G does something already: “Open a file”. Give that another key first.",
            ),
            (press("e"), "“Show the words behind a field”"),
            (press("F2"), "“Edit a field”"),
            (ctrl("v"), "“Analyse the text on the clipboard”"),
            (ctrl("c"), "the system's"),
            (press("F5"), "the system's"),
            (
                press("ArrowDown"),
                "ArrowDown is needed to move about and to edit.",
            ),
            (press(" "), "needed"),
            (press("Delete"), "needed"),
            (ctrl("Enter"), "needed"),
            (alt, "Alt"),
        ] {
            match keys.record(press, A::Paste) {
                Recorded::Refused(why) => assert!(why.contains(said), "{why}"),
                other => panic!("{press:?}: {other:?}"),
            }
        }
        for key in ["Shift", "Control", "Dead", "AltGraph"] {
            assert_eq!(keys.record(press(key), A::Paste), Recorded::Waiting);
        }
        for key in ["Tab", "Escape", "Enter"] {
            assert_eq!(keys.record(press(key), A::Paste), Recorded::OfTheDialog);
        }
    }

    #[test]
    fn a_key_goes_back_to_that_of_the_table_unless_another_command_has_it_now() {
        let (keys, own) = map(&[("open_file", "g"), ("paste", "o"), ("newer", "z")], true);
        let why = keys.reset(&own, A::OpenFile).unwrap_err();
        assert!(
            why.starts_with("O does something already: “Paste a posting's text”"),
            "{why}"
        );
        let own = keys.reset(&own, A::Paste).unwrap();
        let (keys, own) = map(
            &own.iter().map(|(id, k)| (&**id, &**k)).collect::<Vec<_>>(),
            true,
        );
        let own = keys.reset(&own, A::OpenFile).unwrap();
        // What a newer version knows is not thrown away.
        assert_eq!(
            own.into_iter().collect::<Vec<_>>(),
            [("newer".into(), "z".into())]
        );
        let own = with(&Own::new(), A::Sheet, "Ctrl h");
        assert_eq!(own.get("sheet").map(String::as_str), Some("Ctrl h"));
        assert!(can_go_without(A::Sheet) && !can_go_without(A::Bar));
    }
}
