//! The command bar (SPEC K2): what it offers for what is typed, in which order, and why something cannot be done now.

use crate::{
    shell::{Current, Page},
    state::{
        commands::{Action, COMMANDS, Command, Place},
        keys::Keymap,
    },
};
use ghostlight_api::{
    command::{Preferences, Theme},
    view::{BranchesView, FeedRow, FoundRow, ReversalView, Subject},
};
use ghostlight_model::{FieldKey, fuzzy::Wanted};

/// Lines shown at most; what is typed further makes them fewer.
pub const LINES_MAX: usize = 50;
/// What answers by its other words only comes behind what answers by its name.
const BY_OTHER_WORDS: u32 = 40;
/// A command that is called so comes before the card's many fields.
const OF_A_FIELD: u32 = 60;
/// What cannot be done now comes behind what can.
const BLOCKED: u32 = 30;

/// What a line does.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A command of the table.
    Do(Action),
    /// Edits a field of the card on screen.
    Edit(FieldKey),
    /// Shows a field's history.
    FieldHistory(FieldKey),
    /// Checks a branch out.
    Switch(String),
    /// Shows a feed's connection.
    Feed(i64),
    /// Shows a posting, or a run.
    Show(Subject),
}

/// What a line is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Something to do.
    Command,
    /// A field of the card.
    Field,
    /// A posting.
    Posting,
    /// A run.
    Run,
    /// A branch.
    Branch,
    /// A feed.
    Feed,
}

impl Group {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Group::Command => "command",
            Group::Field => "field",
            Group::Posting => "posting",
            Group::Run => "run",
            Group::Branch => "branch",
            Group::Feed => "feed",
        }
    }
}

/// A line of the bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it does.
    pub deed: Deed,
    /// What it is.
    pub group: Group,
    /// What it is called.
    pub title: String,
    /// More about it; may be empty.
    pub detail: String,
    /// The keys that do the same.
    pub keys: Vec<String>,
    /// Why it cannot be done now.
    pub blocked: Option<String>,
}

/// What the window shows, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// The page.
    pub page: Page,
    /// The posting on screen, or selected on its page.
    pub current: Option<&'a Current>,
    /// Its branches, once known.
    pub branches: Option<&'a BranchesView>,
    /// The feeds.
    pub feeds: &'a [FeedRow],
    /// The preferences.
    pub preferences: &'a Preferences,
    /// Which key does what.
    pub keys: &'a Keymap,
}

/// The lines for what is typed, the best first, at most [`LINES_MAX`]; and how many there are in all. With nothing typed
/// they are the commands of the table, those that can be done before the others.
pub fn lines(typed: &str, now: &Now<'_>, found: &[FoundRow]) -> (Vec<Line>, usize) {
    let wanted = Wanted::of(typed);
    let mut scored: Vec<(u32, Line)> = Vec::new();
    for command in COMMANDS {
        scored.extend(command_line(&wanted, command, now));
    }
    if !wanted.is_empty() {
        let named = |line: Line| Some((wanted.score(&line.title)?, line));
        let fields = field_lines(now).into_iter().filter_map(named);
        scored.extend(fields.map(|(score, line)| (score.saturating_sub(OF_A_FIELD), line)));
        let other = branch_lines(now).into_iter().chain(feed_lines(now));
        scored.extend(other.filter_map(named));
        scored.extend(found.iter().map(|row| (row.score, found_line(row))));
    }
    for (score, line) in &mut scored {
        if line.blocked.is_some() {
            *score = score.saturating_sub(BLOCKED);
        }
    }
    // Stable: what is equally good stays in the order of the table.
    scored.sort_by_key(|(score, line)| (std::cmp::Reverse(*score), line.group));
    let all = scored.len();
    let lines = scored.into_iter().map(|(_, line)| line);
    (lines.take(LINES_MAX).collect(), all)
}

fn command_line(wanted: &Wanted, command: &Command, now: &Now<'_>) -> Option<(u32, Line)> {
    let action = command.action.filter(|action| *action != Action::Bar)?;
    if command.place == Place::Focused {
        return None;
    }
    let by_name = wanted.score(command.title);
    let by_words = wanted.score(&format!("{} {}", command.title, command.words));
    let by_words = by_words.map(|score| score.saturating_sub(BY_OTHER_WORDS));
    let score = match wanted.is_empty() {
        // The order of the table.
        true => BLOCKED,
        false => by_name.max(by_words)?,
    };
    let line = Line {
        deed: Deed::Do(action),
        group: Group::Command,
        title: command.title.to_owned(),
        detail: state_of(action, now).to_owned(),
        keys: now.keys.words(action),
        blocked: blocked(action, command.place, now),
    };
    Some((score, line))
}

/// What a switch is set to.
fn state_of(action: Action, now: &Now<'_>) -> &'static str {
    let on = |on: bool| if on { "is on" } else { "is off" };
    let preferences = now.preferences;
    match action {
        Action::Still => on(preferences.reduce_motion),
        Action::Utc => on(preferences.utc),
        Action::Quiet => on(preferences.notifications.quiet),
        _ => "",
    }
}

/// Why something cannot be done now.
fn blocked(action: Action, place: Place, now: &Now<'_>) -> Option<String> {
    let known = now.current.filter(|current| current.posting.is_some());
    let others = now.branches.map_or(0, |view| view.branches.len());
    let theme = now.preferences.theme;
    let reason = match action {
        Action::Next | Action::Previous if !matches!(now.page, Page::Postings | Page::Runs) => {
            "Only among the postings and the runs."
        }
        Action::FoldList | Action::FoldEvidence => return None,
        Action::EventLog | Action::Receipt | Action::Again if now.current.is_none() => NOTHING,
        Action::EventLog | Action::Receipt => return None,
        Action::Again if now.current.is_some_and(|current| !current.ended) => {
            "Its analysis is under way."
        }
        _ if place == Place::Postings && now.current.is_none() => NOTHING,
        Action::Again => return None,
        _ if place == Place::Postings && known.is_none() => "The page is being read.",
        Action::WebPage if known.is_some_and(|current| current.url.is_none()) => {
            "It did not come from a web address."
        }
        Action::Undo | Action::Redo => return not_reversed(action, now.branches),
        Action::NewBranch if others == 0 => "There is no version yet.",
        Action::Merge if others < 2 => "There is no other branch.",
        Action::Reconnect if now.feeds.is_empty() => "No feed is set up.",
        Action::Light if theme == Theme::Light => "It is light.",
        Action::Dark if theme == Theme::Dark => "It is dark.",
        Action::AsSystem if theme == Theme::System => "It is so.",
        _ => return None,
    };
    Some(reason.to_owned())
}

const NOTHING: &str = "No posting is selected.";

fn not_reversed(action: Action, branches: Option<&BranchesView>) -> Option<String> {
    let view = branches?;
    if action == Action::Undo && view.merge_above.is_some() {
        return None;
    }
    let reversal = match action {
        Action::Undo => &view.undo,
        _ => &view.redo,
    };
    match reversal {
        ReversalView::Ready(_) => None,
        ReversalView::No(error) => Some(error.message.clone()),
    }
}

fn line(deed: Deed, group: Group, title: String, detail: String) -> Line {
    Line {
        deed,
        group,
        title,
        detail,
        keys: Vec::new(),
        blocked: None,
    }
}

/// Editing and the history of each field of the posting on screen.
fn field_lines(now: &Now<'_>) -> Vec<Line> {
    let Some(current) = now.current else {
        return Vec::new();
    };
    let waits = current.posting.is_none();
    let lines = current.fields.iter().flat_map(|field| {
        let label = field.label();
        let edit = format!("Edit {label}");
        let history = format!("History of {label}");
        [
            line(Deed::Edit(field.clone()), Group::Field, edit, String::new()),
            line(
                Deed::FieldHistory(field.clone()),
                Group::Field,
                history,
                String::new(),
            ),
        ]
    });
    let lines = lines.map(|line| Line {
        detail: current.title.clone(),
        blocked: waits.then(|| "The page is being read.".to_owned()),
        ..line
    });
    lines.collect()
}

fn branch_lines(now: &Now<'_>) -> Vec<Line> {
    let branches = now.branches.map_or(&[][..], |view| &view.branches);
    let lines = branches.iter().map(|branch| Line {
        blocked: branch
            .current
            .then(|| "The card shows it already.".to_owned()),
        ..line(
            Deed::Switch(branch.name.clone()),
            Group::Branch,
            format!("Switch to branch {}", branch.name),
            String::new(),
        )
    });
    lines.collect()
}

fn feed_lines(now: &Now<'_>) -> Vec<Line> {
    let lines = now.feeds.iter().map(|feed| {
        let title = format!("Connection of {}", feed.name);
        line(Deed::Feed(feed.id), Group::Feed, title, feed.url.clone())
    });
    lines.collect()
}

fn found_line(row: &FoundRow) -> Line {
    let group = match &row.subject {
        Subject::Posting(_) => Group::Posting,
        Subject::Run(_) => Group::Run,
    };
    line(
        Deed::Show(row.subject.clone()),
        group,
        row.title.clone(),
        row.detail.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_api::{ApiError, ErrorCode, view::BranchRow};
    use ghostlight_model::{CommitId, Micros, PostingId, RunId};

    fn current() -> Current {
        let posting = PostingId([7; 16]);
        Current {
            subject: Subject::Posting(posting),
            posting: Some(posting),
            title: "Data engineer".into(),
            verdict: None,
            ended: true,
            run: Some(RunId("r1".into())),
            url: None,
            fields: vec![FieldKey::Salary, FieldKey::Location],
        }
    }

    fn branch(name: &str, current: bool) -> BranchRow {
        BranchRow {
            name: name.into(),
            head: CommitId([1; 32]),
            updated: Micros(0),
            author: "You".into(),
            current,
        }
    }

    fn branches() -> BranchesView {
        let no = ApiError::new(ErrorCode::Rule, "There is nothing to redo.", "");
        BranchesView {
            branches: vec![branch("main", true), branch("try", false)],
            undo: ReversalView::Ready(Vec::new()),
            redo: ReversalView::No(no),
            merge_above: None,
        }
    }

    fn now<'a>(
        current: Option<&'a Current>,
        branches: Option<&'a BranchesView>,
        preferences: &'a Preferences,
    ) -> Now<'a> {
        Now {
            page: Page::Postings,
            current,
            branches,
            feeds: &[],
            preferences,
            keys: keys(),
        }
    }

    /// Those of the table.
    fn keys() -> &'static Keymap {
        static KEYS: std::sync::OnceLock<Keymap> = std::sync::OnceLock::new();
        KEYS.get_or_init(Keymap::default)
    }

    fn titles(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.title.as_str()).collect()
    }

    #[test]
    fn with_nothing_typed_all_commands_stand_there_and_what_cannot_be_done_last() {
        let preferences = Preferences::default();
        let (lines, all) = lines("", &now(None, None, &preferences), &[]);
        let in_the_bar =
            |command: &&Command| command.action.is_some() && command.place != Place::Focused;
        let commands = COMMANDS.iter().filter(in_the_bar).count();
        assert_eq!((lines.len(), all), (commands - 1, commands - 1));
        assert_eq!(lines[0].title, "Open a file");
        assert_eq!(lines[0].keys, ["O"]);
        let first_blocked = lines.iter().position(|line| line.blocked.is_some());
        let first_blocked = first_blocked.expect("nothing is selected");
        assert!(lines[first_blocked..].iter().all(|l| l.blocked.is_some()));
        let verdict = lines.iter().find(|line| line.title == "Give a verdict");
        assert_eq!(
            verdict.and_then(|line| line.blocked.as_deref()),
            Some("No posting is selected.")
        );
    }

    #[test]
    fn what_is_typed_finds_commands_fields_branches_and_what_the_store_found() {
        let (preferences, current, branches) = (Preferences::default(), current(), branches());
        let now = now(Some(&current), Some(&branches), &preferences);
        let first = |typed: &str| {
            let (lines, _) = lines(typed, &now, &[]);
            lines.into_iter().next()
        };
        for (typed, title) in [
            ("edit sal", "Edit Salary"),
            ("salary", "Edit Salary"),
            ("hist loc", "History of Location"),
            ("try", "Switch to branch try"),
            ("dark", "Dark theme"),
            ("mute", "Quiet: no notifications"),
            ("history", "Show the history"),
            ("keys", "Show the keyboard shortcuts"),
            ("undo", "Undo your latest change of the posting"),
            ("csv", "Go to the exports"),
            ("merg", "Merge a branch into this one"),
        ] {
            let line = first(typed);
            assert_eq!(
                line.as_ref().map(|l| l.title.as_str()),
                Some(title),
                "{typed}"
            );
        }
        let found = FoundRow {
            subject: current.subject.clone(),
            title: "Dark matter analyst".into(),
            detail: "Acme".into(),
            at: Micros(0),
            score: Wanted::of("dark")
                .score("Dark matter analyst Acme")
                .unwrap_or(0),
        };
        let (lines, _) = lines("dark", &now, &[found]);
        assert_eq!(titles(&lines)[..2], ["Dark theme", "Dark matter analyst"]);
        assert_eq!(super::lines("zzzz", &now, &[]), (Vec::new(), 0));
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let (preferences, mut current, branches) = (Preferences::default(), current(), branches());
        let reason = |typed: &str, current: Option<&Current>| {
            let (lines, _) = lines(typed, &now(current, Some(&branches), &preferences), &[]);
            lines[0].blocked.clone()
        };
        let said = Some("There is nothing to redo.".to_owned());
        assert_eq!(reason("redo", Some(&current)), said);
        assert_eq!(reason("undo", Some(&current)), None);
        let no = ApiError::new(ErrorCode::Declined, "There is nothing to undo.", "");
        let mut below = branches.clone();
        below.undo = ReversalView::No(no);
        assert_eq!(
            not_reversed(Action::Undo, Some(&below)).as_deref(),
            Some("There is nothing to undo.")
        );
        below.merge_above = Some(CommitId([2; 32]));
        assert_eq!(not_reversed(Action::Undo, Some(&below)), None);
        assert_eq!(reason("merge a branch", Some(&current)), None);
        assert_eq!(
            reason("web page open", Some(&current)).as_deref(),
            Some("It did not come from a web address.")
        );
        assert_eq!(
            reason("reconnect", Some(&current)).as_deref(),
            Some("No feed is set up.")
        );
        assert_eq!(
            reason("switch branch main", Some(&current)).as_deref(),
            Some("The card shows it already.")
        );
        current.posting = None;
        current.ended = false;
        for typed in ["verdict", "edit salary", "begin branch"] {
            let said = reason(typed, Some(&current));
            assert_eq!(said.as_deref(), Some("The page is being read."), "{typed}");
        }
        assert_eq!(reason("receipt", Some(&current)), None);
        assert_eq!(
            reason("analyse again", Some(&current)).as_deref(),
            Some("Its analysis is under way.")
        );
    }

    #[test]
    fn there_are_never_more_lines_than_fit() {
        let (preferences, current) = (Preferences::default(), current());
        let found = |n: u32| FoundRow {
            subject: Subject::Run(RunId(format!("r{n}"))),
            title: format!("a {n}"),
            detail: String::new(),
            at: Micros(0),
            score: 100,
        };
        let found: Vec<FoundRow> = (0..200).map(found).collect();
        let (lines, all) = lines("a", &now(Some(&current), None, &preferences), &found);
        assert_eq!(lines.len(), LINES_MAX);
        assert!(all >= 200);
    }
}
