//! Notifications: alerts in the words that the system shows.
//!
//! Names and messages come from outside. They are cut to a length, and stay on one line; a system that reads markup in
//! a body must be given it escaped ([`Notification::body`] is plain text).

use crate::attention::{Alert, Fact, Kind};
use ghostlight_api::view::{Opened, Subject};

/// A name is cut to so many characters.
const NAME_CHARS_MAX: usize = 80;
/// A message is cut to so many characters.
const MESSAGE_CHARS_MAX: usize = 240;

/// What the system is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What happened, in one line of plain text.
    pub title: String,
    /// What it means and what to do; plain text.
    pub body: String,
    /// Its kind; `None` for the test that a person asks for.
    pub kind: Option<Kind>,
    /// How much it matters.
    pub urgency: Urgency,
    /// What a click opens besides the window.
    pub opens: Option<Opened>,
    /// A notification with the same word here takes the place of this one.
    pub replaces: Option<String>,
}

/// How much a notification matters. There is nothing above normal: systems let that through although a person asked
/// not to be disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Good to know.
    Low,
    /// Worth a look.
    Normal,
}

impl Notification {
    /// The one behind *Send a test notification*.
    pub fn test() -> Self {
        Self {
            title: "Ghostlight can reach you".into(),
            body: "This is the test notification you asked for. A click on it shows the window."
                .into(),
            kind: None,
            urgency: Urgency::Normal,
            opens: None,
            replaces: Some("test".into()),
        }
    }
}

impl From<&Alert> for Notification {
    fn from(alert: &Alert) -> Self {
        let (title, body) = match alert.facts.as_slice() {
            [fact] if alert.count == 1 => one(fact),
            facts => several(alert.kind, facts, alert.count),
        };
        let urgency = match alert.kind {
            Kind::ConnectionRestored => Urgency::Low,
            _ => Urgency::Normal,
        };
        let first = alert.facts.first();
        let run = first.and_then(Fact::run).cloned();
        // Lost, failing and restored take each other's place.
        let feed = first.and_then(Fact::feed);
        let replaces = feed.map(|feed| match alert.count {
            1 => format!("feed/{}", feed.id),
            _ => "feeds".to_owned(),
        });
        Self {
            title,
            body,
            kind: Some(alert.kind),
            urgency,
            opens: match (run, feed) {
                (Some(run), _) => Some(Opened::Subject(Subject::Run(run))),
                (None, Some(feed)) => Some(Opened::Feed(feed.id)),
                (None, None) => None,
            },
            replaces,
        }
    }
}

const KEEPS_TRYING: &str =
    "What was received is kept, and Ghostlight goes on trying; what is missing is fetched then.";

/// Title and body of a fact alone.
fn one(fact: &Fact) -> (String, String) {
    match fact {
        Fact::ConnectionLost { feed, before, why } => {
            let title = match before {
                true => format!("Connection lost: {}", name(&feed.name)),
                false => format!("No connection: {}", name(&feed.name)),
            };
            (title, format!("{}{KEEPS_TRYING}", reason(why.as_deref())))
        }
        Fact::ConnectionFailing {
            feed,
            refused: true,
            why,
            ..
        } => (
            format!("Token refused: {}", name(&feed.name)),
            format!(
                "{}What was received is kept. Ghostlight tries again when it is given another token.",
                reason(why.as_deref())
            ),
        ),
        Fact::ConnectionFailing {
            feed, tries, why, ..
        } => (
            format!("Connecting fails: {}", name(&feed.name)),
            format!(
                "{tries} tries failed. {}{KEEPS_TRYING}",
                reason(why.as_deref())
            ),
        ),
        Fact::ConnectionRestored { feed, away_ms } => (
            format!("Connected again: {}", name(&feed.name)),
            format!(
                "After {}. What was missed is being fetched.",
                duration(*away_ms)
            ),
        ),
        Fact::RunFinished {
            name: run, outcome, ..
        } => (
            format!("Run finished: {}", name(run)),
            outcome.clone().unwrap_or_default(),
        ),
        Fact::RunFailed { name: run, why, .. } => {
            (format!("Run failed: {}", name(run)), message(why))
        }
        Fact::CriticalIssue {
            name: run, what, ..
        } => (format!("Error in a run: {}", name(run)), message(what)),
        Fact::StatusChanged {
            name: what,
            from,
            to,
            ..
        } => (
            format!("Status changed: {}", name(what)),
            match (from, to) {
                (Some(from), Some(to)) => format!("From {} to {}.", name(from), name(to)),
                (None, Some(to)) => format!("Now {}.", name(to)),
                (_, None) => String::new(),
            },
        ),
    }
}

/// Title and body of facts of a kind.
fn several(kind: Kind, facts: &[Fact], count: usize) -> (String, String) {
    let title = match kind {
        Kind::ConnectionLost => format!("{count} connections lost"),
        Kind::ConnectionFailing => format!("Connecting fails for {count} feeds"),
        Kind::ConnectionRestored => format!("{count} feeds connected again"),
        Kind::RunFinished => format!("{count} runs finished"),
        Kind::RunFailed => format!("{count} runs failed"),
        Kind::CriticalIssue => format!("{count} errors in runs"),
        Kind::StatusChanged => format!("{count} changes of status"),
    };
    let named: Vec<String> = facts.iter().map(|fact| name(called(fact))).collect();
    let body = match count.saturating_sub(named.len()) {
        0 => match named.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => named.join(", "),
        },
        more => format!("{} and {more} more", named.join(", ")),
    };
    (title, body)
}

fn called(fact: &Fact) -> &str {
    match fact {
        Fact::ConnectionLost { feed, .. }
        | Fact::ConnectionFailing { feed, .. }
        | Fact::ConnectionRestored { feed, .. } => &feed.name,
        Fact::RunFinished { name, .. }
        | Fact::RunFailed { name, .. }
        | Fact::CriticalIssue { name, .. }
        | Fact::StatusChanged { name, .. } => name,
    }
}

/// The failure as a sentence before others, if one is known.
fn reason(why: Option<&str>) -> String {
    let said = message(why.unwrap_or_default());
    if said.is_empty() {
        return said;
    }
    format!("{} ", ghostlight_model::sentence(&said))
}

fn name(text: &str) -> String {
    one_line(text, NAME_CHARS_MAX)
}

fn message(text: &str) -> String {
    one_line(text, MESSAGE_CHARS_MAX)
}

/// At most `max` characters, without line ends and other controls.
fn one_line(text: &str, max: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    // As much as can matter, before a long text is put together.
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > max * 4 {
            break;
        }
    }
    if line.chars().count() <= max {
        return line;
    }
    let cut: String = line.chars().take(max - 1).collect();
    format!("{}\u{2026}", cut.trim_end())
}

/// `12 s`, `4 min`, `3 h`.
fn duration(ms: u64) -> String {
    match ms / 1_000 {
        s @ ..90 => format!("{s} s"),
        s @ 90..5_400 => format!("{} min", (s + 30) / 60),
        s => format!("{} h", (s + 1_800) / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::FeedName;
    use ghostlight_model::RunId;

    fn finished(name: &str) -> Fact {
        Fact::RunFinished {
            run: RunId(format!("run of {name}")),
            name: name.into(),
            outcome: Some("Some doubt, 9 fields found.".into()),
        }
    }

    fn said(kind: Kind, facts: Vec<Fact>, count: usize) -> Notification {
        Notification::from(&Alert { kind, facts, count })
    }

    #[test]
    fn one_is_named_in_the_title_and_several_in_the_body() {
        let one = said(Kind::RunFinished, vec![finished("Baker")], 1);
        assert_eq!(one.title, "Run finished: Baker");
        assert_eq!(one.body, "Some doubt, 9 fields found.");
        let run = RunId("run of Baker".into());
        let opens = Some(Opened::Subject(Subject::Run(run)));
        assert_eq!(one.opens, opens);
        assert_eq!(one.replaces, None);

        let three = ["Baker", "Nurse", "Smith"].map(finished).to_vec();
        let all = said(Kind::RunFinished, three.clone(), 3);
        assert_eq!(all.title, "3 runs finished");
        assert_eq!(all.body, "Baker, Nurse and Smith");
        assert_eq!(all.opens, opens, "the first one named");
        let many = said(Kind::RunFinished, three, 500);
        assert_eq!(many.title, "500 runs finished");
        assert_eq!(many.body, "Baker, Nurse, Smith and 497 more");
    }

    #[test]
    fn the_states_of_a_feed_take_each_others_place() {
        let feed = || FeedName {
            id: 7,
            name: "Prefect".to_owned(),
        };
        let why = || Some("the server did not answer".to_owned());
        let lost = Fact::ConnectionLost {
            feed: feed(),
            before: true,
            why: why(),
        };
        let failing = Fact::ConnectionFailing {
            feed: feed(),
            tries: 3,
            refused: false,
            why: why(),
        };
        let refused = Fact::ConnectionFailing {
            feed: feed(),
            tries: 1,
            refused: true,
            why: None,
        };
        let restored = Fact::ConnectionRestored {
            feed: feed(),
            away_ms: 125_000,
        };
        let shown = [lost, failing, refused, restored].map(|fact| said(fact.kind(), vec![fact], 1));
        let titles = shown.each_ref().map(|one| one.title.as_str());
        assert_eq!(
            titles,
            [
                "Connection lost: Prefect",
                "Connecting fails: Prefect",
                "Token refused: Prefect",
                "Connected again: Prefect",
            ]
        );
        assert_eq!(
            shown[1].body,
            format!("3 tries failed. The server did not answer. {KEEPS_TRYING}")
        );
        assert_eq!(
            shown[3].body,
            "After 2 min. What was missed is being fetched."
        );
        assert_eq!(shown[3].urgency, Urgency::Low);
        assert!(
            shown
                .iter()
                .all(|one| one.replaces.as_deref() == Some("feed/7")
                    && one.opens == Some(Opened::Feed(7)))
        );
        let never = Fact::ConnectionLost {
            feed: feed(),
            before: false,
            why: None,
        };
        let never = said(Kind::ConnectionLost, vec![never], 1);
        assert_eq!(
            (never.title.as_str(), never.body.as_str()),
            ("No connection: Prefect", KEEPS_TRYING)
        );
    }

    #[test]
    fn a_change_of_status_says_from_where_to_where() {
        let text = |text: &str| Some(text.to_owned());
        for (from, to, body) in [
            (text("sent"), text("interview"), "From sent to interview."),
            (None, text("offer"), "Now offer."),
            (text("sent"), None, ""),
        ] {
            let run = RunId("feed:1/message/application:status_change".into());
            let fact = Fact::StatusChanged {
                run: run.clone(),
                name: "Baker \u{b7} Mill".into(),
                from,
                to,
            };
            let shown = said(Kind::StatusChanged, vec![fact], 1);
            assert_eq!(shown.title, "Status changed: Baker \u{b7} Mill");
            assert_eq!(shown.body, body);
            assert_eq!(shown.opens, Some(Opened::Subject(Subject::Run(run))));
        }
    }

    #[test]
    fn what_comes_from_outside_is_short_and_on_one_line() {
        let long = format!("Baker\n\u{7}\r\nof {}", "bread ".repeat(100_000));
        let shown = said(
            Kind::RunFailed,
            vec![Fact::RunFailed {
                run: RunId("r".into()),
                name: long.clone(),
                why: long,
            }],
            1,
        );
        assert!(
            shown.title.starts_with("Run failed: Baker of bread"),
            "{}",
            shown.title
        );
        assert!(shown.title.chars().count() <= NAME_CHARS_MAX + 12);
        assert!(
            shown.body.chars().count() <= MESSAGE_CHARS_MAX && shown.body.ends_with('\u{2026}')
        );
        let one_word = one_line(&"\u{e4}".repeat(1_000), NAME_CHARS_MAX);
        assert_eq!(one_word.chars().count(), NAME_CHARS_MAX);
    }

    #[test]
    fn durations_are_rounded() {
        let cases = [
            (0, "0 s"),
            (89_999, "89 s"),
            (90_000, "2 min"),
            (5_399_000, "90 min"),
            (5_400_000, "2 h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(duration(ms), expected, "{ms}");
        }
    }
}
