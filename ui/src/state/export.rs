//! What a person chooses to take away, and the form that it makes for the core. Other pages begin one with what is
//! narrowed there: what an export cannot say is said in words, so that no file holds more than was seen without a notice.

use ghostlight_api::{
    export::{ExportForm, ExportKind},
    view::{EventFilter, PostingOrder, RunFilter, TimelineFilter},
};
use ghostlight_model::{
    FieldKey, FieldValue, Micros, PostingId, RunId, Severity,
    export::{Filter, Format, What},
    run::RunStatus,
    time::Day,
    typed,
};
use std::collections::BTreeMap;

const DAY_US: i64 = 86_400_000_000;

/// What can be taken away: a word and a label.
pub const KINDS: [(&str, &str); 4] = [
    ("postings", "Postings, a row each"),
    ("history", "History, a row a change"),
    ("events", "Events of runs"),
    ("bundle", "A bundle, for another Ghostlight"),
];

/// How a part is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Typed; what could be.
    Text(&'static str),
    /// Typed, with what is usual to choose from.
    Usual,
    /// A day, or a moment in UTC.
    Day,
    /// One of these words, each with a label.
    Word(&'static [(&'static str, &'static str)]),
    /// Somebody who changes things.
    Author,
    /// Where runs are from.
    Origin,
    /// A posting or a run that is looked for.
    Found,
}

/// A part of the filter, or how many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its name, as [`Filter::parts`] has it.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// How it is put in.
    pub input: Input,
}

const fn part(name: &'static str, label: &'static str, input: Input) -> Part {
    Part { name, label, input }
}

const FROM: Part = part("from", "From", Input::Day);
const UNTIL: Part = part("until", "Until", Input::Day);
const POSTING: Part = part("posting", "Posting", Input::Found);
const LIMIT: Part = part("limit", "At most", Input::Text("as many as there are"));

/// The parts that fit what is taken away; `None` is a bundle.
pub fn parts_of(what: Option<What>) -> &'static [Part] {
    const POSTINGS: &[Part] = &[
        FROM,
        UNTIL,
        POSTING,
        part(
            "text",
            "With the text",
            Input::Text("in title, employer or place"),
        ),
        part(
            "level",
            "Assessment",
            Input::Word(&[
                ("no_signals", "no signals"),
                ("unclear", "unclear"),
                ("some_doubt", "some doubt"),
                ("strong_doubt", "strong doubt"),
            ]),
        ),
        part(
            "verdict",
            "Verdict",
            Input::Word(&[
                ("open", "open"),
                ("doubtful", "doubtful"),
                ("ghost", "ghost"),
                ("closed", "closed"),
                ("unknown", "unknown"),
            ]),
        ),
        LIMIT,
    ];
    const HISTORY: &[Part] = &[
        FROM,
        UNTIL,
        POSTING,
        part("field", "Field", Input::Usual),
        part("author", "Author", Input::Author),
        part(
            "source",
            "Source",
            Input::Word(&[
                ("user", "typed by people"),
                ("parsing", "found on pages"),
                ("ai", "from the model"),
            ]),
        ),
        LIMIT,
    ];
    const EVENTS: &[Part] = &[
        FROM,
        UNTIL,
        part("run", "Run", Input::Found),
        part("origin", "Runs from", Input::Origin),
        part("named", "Run's name", Input::Text("a part of it")),
        part(
            "status",
            "Run's state",
            Input::Word(&[
                ("running", "under way"),
                ("finished", "done"),
                ("failed", "failed"),
                ("open", "messages"),
            ]),
        ),
        part("node", "Step", Input::Usual),
        part("phase", "Phase", Input::Usual),
        part(
            "severity",
            "Issues",
            Input::Word(&[
                ("info", "with any issue"),
                ("warning", "with warnings or errors"),
                ("error", "with errors"),
            ]),
        ),
        part("text", "With the text", Input::Text("as it was sent")),
        LIMIT,
    ];
    match what {
        Some(What::History) => HISTORY,
        Some(What::Events) => EVENTS,
        Some(What::Postings) | None => POSTINGS,
    }
}

/// What is usually typed into a part.
pub fn usual(name: &str) -> Vec<String> {
    const STEPS: [&str; 7] = [
        "FETCH", "PARSE", "EXTRACT", "DETECT", "ENRICH", "VALIDATE", "SCORE",
    ];
    match name {
        "field" => {
            let own = [FieldKey::Verdict, FieldKey::Outcome];
            let all = FieldKey::DETECTED.into_iter().chain(own);
            all.map(|field| field.name().to_owned()).collect()
        }
        "node" => STEPS.map(str::to_owned).into(),
        "phase" => PHASES.map(str::to_owned).into(),
        _ => Vec::new(),
    }
}

/// What happens to a step, in the words of its events.
const PHASES: [&str; 7] = [
    "start", "end", "fail", "field", "signal", "progress", "message",
];

/// A posting or a run that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub id: String,
    /// What people call it.
    pub words: String,
}

/// What is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What; `None` is a bundle.
    pub what: Option<What>,
    /// As what kind of table.
    pub format: Format,
    /// Columns by name; all if there is none.
    pub fields: Vec<String>,
    /// CSV: a mark for Excel.
    pub bom: bool,
    /// CSV: no text is run as a formula.
    pub guard: bool,
    /// What another page shows and an export cannot say, a sentence each.
    pub notes: Vec<String>,
    parts: BTreeMap<&'static str, String>,
    found: BTreeMap<&'static str, Found>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            what: Some(What::Postings),
            format: Format::Csv,
            fields: Vec::new(),
            bom: false,
            guard: true,
            notes: Vec::new(),
            parts: BTreeMap::new(),
            found: BTreeMap::new(),
        }
    }
}

impl Choice {
    fn of(what: What) -> Self {
        Self {
            what: Some(what),
            ..Self::default()
        }
    }

    /// What the list of postings shows.
    pub fn of_postings(order: PostingOrder) -> Self {
        let order = match order {
            PostingOrder::Recent => None,
            PostingOrder::Doubt => Some("by doubt"),
            PostingOrder::Title => Some("by title"),
        };
        let note =
            |order| format!("The list is ordered {order}; in the file the latest comes first.");
        Self {
            notes: order.map(note).into_iter().collect(),
            ..Self::of(What::Postings)
        }
    }

    /// One posting.
    pub fn of_posting(posting: PostingId, title: &str) -> Self {
        let mut choice = Self::of(What::Postings);
        choice.find("posting", posting.to_string(), title);
        choice
    }

    /// What the history of a posting shows; `wrong` is what is wrong with the days there.
    pub fn of_history(posting: PostingId, filter: &TimelineFilter, wrong: Option<String>) -> Self {
        let mut choice = Self::of(What::History);
        choice.find("posting", posting.to_string(), "");
        choice.set_moment("from", filter.from);
        choice.set_moment("until", filter.before);
        let field = filter.field.as_ref().map(|field| field.name().to_owned());
        choice.take("field", field);
        choice.take("author", filter.author.clone());
        choice.take("source", filter.source.map(|source| source.word().into()));
        if let Some(wrong) = wrong {
            let note = format!("The days in the history narrow nothing. {wrong}");
            choice.notes.push(note);
        }
        if let Some(branch) = &filter.branch {
            let note = format!("The history shows {branch}; the file holds every branch.");
            choice.notes.push(note);
        }
        choice
    }

    /// The events of the runs that the list of runs shows.
    pub fn of_runs(filter: &RunFilter) -> Self {
        let mut choice = Self::of(What::Events);
        choice.take("origin", filter.origin.clone());
        choice.take("status", filter.status.map(|status| status.word().into()));
        choice.take("named", Some(filter.text.clone()));
        choice
    }

    /// What the log of a run shows.
    pub fn of_log(run: &RunId, name: &str, filter: &EventFilter) -> Self {
        let mut choice = Self::of(What::Events);
        choice.find("run", run.0.clone(), name);
        choice.take("node", filter.node.clone());
        choice.take("phase", filter.phase.clone());
        choice.take("severity", filter.severity.map(|one| one.word().into()));
        choice.take("text", Some(filter.text.clone()));
        if filter.after > 0 {
            let note = "What was there when the view of the log was cleared is in the file, too.";
            choice.notes.push(note.into());
        }
        choice
    }

    /// Gives the chosen posting its title, if it has none yet.
    pub fn call(&mut self, posting: PostingId, title: &str) {
        let id = posting.to_string();
        if let Some(found) = self.found.get_mut("posting")
            && found.id == id
            && found.words.is_empty()
        {
            found.words = title.to_owned();
        }
    }

    fn find(&mut self, name: &'static str, id: String, words: &str) {
        let words = words.to_owned();
        self.set_found(name, Some(Found { id, words }));
    }

    fn take(&mut self, name: &'static str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.set_part(name, text);
        }
    }

    /// A moment that begins or ends it: as a day where it is a day's in UTC.
    fn set_moment(&mut self, name: &'static str, at: Option<Micros>) {
        let day = |at: Micros| match name {
            // The last day is the one before.
            "until" => Micros(at.0.saturating_sub(1)).day(),
            _ => at.day(),
        };
        let text = at.map(|at| match at.0.rem_euclid(DAY_US) {
            0 => day(at).to_string(),
            _ => at.to_rfc3339(),
        });
        self.take(name, text);
    }

    /// The word of what is chosen, as [`KINDS`] has it.
    pub fn word(&self) -> &'static str {
        self.what.map_or("bundle", What::word)
    }

    /// Chooses what to take away; columns, notes and filters are those of the one before no more.
    pub fn choose(&mut self, word: &str) {
        let what = What::of_word(word);
        if what != self.what {
            self.what = what;
            self.fields.clear();
            self.notes.clear();
        }
    }

    /// What is typed into a part of the filter.
    pub fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    /// Types into a part of the filter.
    pub fn set_part(&mut self, name: &'static str, text: String) {
        self.parts.insert(name, text);
    }

    /// The posting or run that is chosen.
    pub fn found(&self, name: &str) -> Option<&Found> {
        self.found.get(name)
    }

    /// Chooses a posting or run, or any.
    pub fn set_found(&mut self, name: &'static str, found: Option<Found>) {
        match found {
            Some(found) => self.found.insert(name, found),
            None => self.found.remove(name),
        };
    }

    /// The posting that is chosen, where one can be.
    pub fn posting(&self) -> Option<PostingId> {
        let shown = parts_of(self.what).contains(&POSTING);
        self.found("posting")?.id.parse().ok().filter(|_| shown)
    }

    /// Takes a column in or leaves it out; the last one stays.
    pub fn toggle(&mut self, name: &str, known: &[String]) {
        if self.fields.is_empty() {
            self.fields = known.to_vec();
        }
        match self.fields.iter().position(|field| field == name) {
            Some(at) if self.fields.len() > 1 => {
                self.fields.remove(at);
            }
            Some(_) => {}
            None => {
                // In the order of the file.
                self.fields.push(name.to_owned());
                let place = |field: &String| known.iter().position(|one| one == field);
                self.fields.sort_by_key(place);
            }
        }
        if self.fields.len() == known.len() {
            self.fields.clear();
        }
    }

    /// What deserves a second look, a sentence each: notes, and a field that no card has by itself.
    pub fn remarks(&self) -> Vec<String> {
        let mut all = self.notes.clone();
        let field = self.part("field").trim();
        if self.what == Some(What::History) && !field.is_empty() {
            let own = matches!(FieldKey::from(field), FieldKey::Custom(_));
            let words =
                || format!("No card has a field `{field}` by itself: it must be one of your own.");
            all.extend(own.then(words));
        }
        all
    }

    /// The form for the core, or what is wrong with it in a sentence.
    ///
    /// # Errors
    /// A day that is none, days the wrong way round, a number that is none.
    pub fn form(&self) -> Result<ExportForm, String> {
        let shown = parts_of(self.what);
        let text = |name: &str| -> Option<String> {
            let is_shown = shown.iter().any(|part| part.name == name);
            let found = self.found(name).map_or("", |found| &found.id);
            let text = match found {
                "" => self.part(name).trim(),
                id => id,
            };
            (is_shown && !text.is_empty()).then(|| text.to_owned())
        };
        let day = |name: &str, behind| text(name).map(|typed| moment(&typed, behind)).transpose();
        let filter = Filter {
            from: day("from", 0)?,
            until: day("until", DAY_US)?,
            posting: self.posting(),
            text: text("text"),
            level: text("level"),
            verdict: text("verdict"),
            field: text("field").map(|name| FieldKey::from(name.as_str())),
            author: text("author"),
            source: text("source"),
            run: text("run").map(RunId),
            origin: text("origin"),
            node: text("node"),
            phase: text("phase"),
            severity: text("severity").and_then(|word| Severity::of_word(&word)),
            status: text("status").and_then(|word| RunStatus::of_word(&word)),
            named: text("named"),
        };
        if let (Some(from), Some(until)) = (filter.from, filter.until)
            && from >= until
        {
            return Err("The first day is after the last.".into());
        }
        Ok(ExportForm {
            kind: match self.what {
                Some(what) => ExportKind::Table(what, self.format),
                None => ExportKind::Bundle,
            },
            filter,
            fields: self.fields.clone(),
            limit: text("limit").map(|typed| rows(&typed)).transpose()?,
            bom: self.bom,
            guard: self.guard,
        })
    }
}

/// A number of rows; digits may be grouped.
fn rows(text: &str) -> Result<u64, String> {
    let digits: String = text
        .chars()
        .filter(|c| !" ,'_\u{202f}\u{a0}".contains(*c))
        .collect();
    let number = digits.parse().ok().filter(|n| *n > 0);
    number.ok_or_else(|| format!("“{text}” is not a number of rows: at least 1, in digits."))
}

/// A moment in UTC, or one so long behind the beginning of a day in UTC, in microseconds.
fn moment(text: &str, behind: i64) -> Result<Micros, String> {
    if let Some(at) = Micros::from_rfc3339(text) {
        return Ok(at);
    }
    day(text).map(|day| Micros(day.epoch_days() * DAY_US + behind))
}

/// The day that is typed.
///
/// # Errors
/// Why it is none, in a sentence.
pub fn day(text: &str) -> Result<Day, String> {
    match typed::read(&FieldKey::PostedAt, None, text) {
        Ok(FieldValue::Date(day)) => Ok(day),
        Ok(_) => Err(format!("“{text}” is not a day.")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
