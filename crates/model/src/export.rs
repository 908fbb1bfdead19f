//! What is taken out of Ghostlight as a file, and which rows of it: the words that the store, the writers of files and
//! the edge share.

use crate::{
    event::Severity,
    ids::{PostingId, RunId},
    run::RunStatus,
    time::Micros,
    value::FieldKey,
};
use serde::{Deserialize, Serialize};

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A row a posting: the values of its card.
    Postings,
    /// A row a changed field.
    History,
    /// A row an event of a run.
    Events,
}

impl What {
    /// All, in the order of the screen.
    pub const ALL: [What; 3] = [What::Postings, What::History, What::Events];

    /// The word used on the command line and in files.
    pub fn word(self) -> &'static str {
        match self {
            What::Postings => "postings",
            What::History => "history",
            What::Events => "events",
        }
    }

    /// The kind of a word.
    pub fn of_word(word: &str) -> Option<What> {
        What::ALL.into_iter().find(|what| what.word() == word)
    }
}

/// As what kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// RFC 4180, UTF-8.
    Csv,
    /// One document: metadata and rows.
    Json,
    /// A row a line.
    Jsonl,
    /// For people: a section a row.
    Md,
}

impl Format {
    /// All, in the order of the screen.
    pub const ALL: [Format; 4] = [Format::Csv, Format::Json, Format::Jsonl, Format::Md];

    /// The word used on the command line, which is also the ending of file names.
    pub fn word(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Md => "md",
        }
    }

    /// The format of a word.
    pub fn of_word(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// Which rows; the default is all. A part that says nothing of what is exported is refused by [`Filter::stray`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Not before: the posting's latest activity, the change, the event.
    pub from: Option<Micros>,
    /// Before, itself not included.
    pub until: Option<Micros>,
    /// Only of this posting (postings, history).
    pub posting: Option<PostingId>,
    /// Only with this text, ignoring case (ASCII): in title, employer or place (postings), in the body (events).
    pub text: Option<String>,
    /// Only with this level of the assessment (postings).
    pub level: Option<String>,
    /// Only with this verdict (postings).
    pub verdict: Option<String>,
    /// Only of this field (history).
    pub field: Option<FieldKey>,
    /// Only by this author (history).
    pub author: Option<String>,
    /// Only from `user`, `ai` or `parsing` (history).
    pub source: Option<String>,
    /// Only of this run (events).
    pub run: Option<RunId>,
    /// Only of runs from here: `local`, `hub`, `feed:ID` (events).
    pub origin: Option<String>,
    /// Only of this step (events).
    pub node: Option<String>,
    /// Only of this phase (events).
    pub phase: Option<String>,
    /// Only with an issue so bad or worse; a step that failed counts as [`Severity::Error`] (events).
    pub severity: Option<Severity>,
    /// Only of runs with this status (events).
    pub status: Option<RunStatus>,
    /// Only of runs with this text in their name, ignoring case (ASCII) (events).
    pub named: Option<String>,
}

impl Filter {
    /// The parts that are set, by name, as people read them.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let text = |part: &Option<String>| part.clone();
        let parts = [
            ("from", self.from.map(Micros::to_rfc3339)),
            ("until", self.until.map(Micros::to_rfc3339)),
            ("posting", self.posting.map(|id| id.to_string())),
            ("text", text(&self.text)),
            ("level", text(&self.level)),
            ("verdict", text(&self.verdict)),
            (
                "field",
                self.field.as_ref().map(|key| key.name().to_owned()),
            ),
            ("author", text(&self.author)),
            ("source", text(&self.source)),
            ("run", self.run.as_ref().map(|run| run.0.clone())),
            ("origin", text(&self.origin)),
            ("node", text(&self.node)),
            ("phase", text(&self.phase)),
            ("severity", self.severity.map(|one| one.word().to_owned())),
            ("status", self.status.map(|one| one.word().to_owned())),
            ("named", text(&self.named)),
        ];
        let set = parts.into_iter();
        set.filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// A part that is set and says nothing of `what`: leaving it out in silence would give other rows than asked for.
    pub fn stray(&self, what: What) -> Option<&'static str> {
        let fitting: &[&str] = match what {
            What::Postings => &["from", "until", "posting", "text", "level", "verdict"],
            What::History => &["from", "until", "posting", "field", "author", "source"],
            What::Events => &[
                "from", "until", "text", "run", "origin", "node", "phase", "severity", "status",
                "named",
            ],
        };
        let set = self.parts().into_iter().map(|(name, _)| name);
        set.into_iter().find(|name| !fitting.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back() {
        for what in What::ALL {
            assert_eq!(What::of_word(what.word()), Some(what));
        }
        for format in Format::ALL {
            assert_eq!(Format::of_word(format.word()), Some(format));
        }
        assert_eq!(Format::of_word("xls"), None);
        for severity in Severity::ALL {
            assert_eq!(Severity::of_word(severity.word()), Some(severity));
        }
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::of_word(status.word()), Some(status));
        }
    }

    #[test]
    fn a_part_that_does_not_fit_is_named() {
        let filter = Filter {
            from: Some(Micros(0)),
            node: Some("PARSE".into()),
            ..Filter::default()
        };
        assert_eq!(filter.stray(What::Events), None);
        assert_eq!(filter.stray(What::Postings), Some("node"));
        assert_eq!(Filter::default().stray(What::History), None);
        let filter_of_runs = Filter {
            text: Some("tide".into()),
            severity: Some(Severity::Warning),
            status: Some(RunStatus::Failed),
            named: Some("nightly".into()),
            ..Filter::default()
        };
        assert_eq!(filter_of_runs.stray(What::Events), None);
        assert_eq!(filter_of_runs.stray(What::Postings), Some("severity"));
        assert_eq!(filter_of_runs.stray(What::History), Some("text"));
        let parts = filter.parts();
        assert_eq!(parts[0], ("from", "1970-01-01T00:00:00.000Z".to_owned()));
        assert_eq!(parts[1], ("node", "PARSE".to_owned()));
    }
}
