//! What a person chooses to take away, and the form that it makes for the core.

use ghostlight_api::command::{ExportForm, ExportKind};
use ghostlight_model::{
    FieldKey, FieldValue, Micros,
    export::{Filter, Format, What},
    time::Day,
    typed,
};
use std::collections::BTreeMap;

/// What can be taken away: a word and a label.
pub const KINDS: [(&str, &str); 4] = [
    ("postings", "Postings, a row each"),
    ("history", "History, a row a change"),
    ("events", "Events of runs"),
    ("bundle", "A bundle, for another Ghostlight"),
];

/// A part of the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its name, as [`Filter::parts`] has it.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// What could be typed.
    pub example: &'static str,
}

const fn part(name: &'static str, label: &'static str, example: &'static str) -> Part {
    Part {
        name,
        label,
        example,
    }
}

const FROM: Part = part("from", "From", "2026-03-05");
const UNTIL: Part = part("until", "Before", "2026-04-01");

/// The parts that fit what is taken away; `None` is a bundle.
pub fn parts_of(what: Option<What>) -> &'static [Part] {
    const POSTINGS: &[Part] = &[
        FROM,
        UNTIL,
        part("text", "With the text", "in title, employer or place"),
        part(
            "verdict",
            "Verdict",
            "open, doubtful, ghost, closed, unknown",
        ),
    ];
    const HISTORY: &[Part] = &[
        FROM,
        UNTIL,
        part("field", "Field", "salary"),
        part("source", "Source", "user, parsing or ai"),
    ];
    const EVENTS: &[Part] = &[
        FROM,
        UNTIL,
        part("node", "Step", "DETECT"),
        part("phase", "Phase", "fail"),
    ];
    match what {
        Some(What::History) => HISTORY,
        Some(What::Events) => EVENTS,
        Some(What::Postings) | None => POSTINGS,
    }
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
    parts: BTreeMap<&'static str, String>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            what: Some(What::Postings),
            format: Format::Csv,
            fields: Vec::new(),
            bom: false,
            guard: true,
            parts: BTreeMap::new(),
        }
    }
}

impl Choice {
    /// The word of what is chosen, as [`KINDS`] has it.
    pub fn word(&self) -> &'static str {
        self.what.map_or("bundle", What::word)
    }

    /// Chooses what to take away; columns and filters are those of the one before no more.
    pub fn choose(&mut self, word: &str) {
        let what = What::of_word(word);
        if what != self.what {
            self.what = what;
            self.fields.clear();
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

    /// The form for the core, or what is wrong with it in a sentence.
    pub fn form(&self) -> Result<ExportForm, String> {
        let shown = parts_of(self.what);
        let text = |name: &str| -> Option<String> {
            let is_shown = shown.iter().any(|part| part.name == name);
            let text = self.part(name).trim();
            (is_shown && !text.is_empty()).then(|| text.to_owned())
        };
        let filter = Filter {
            from: text("from").map(|text| midnight(&text)).transpose()?,
            until: text("until").map(|text| midnight(&text)).transpose()?,
            text: text("text"),
            verdict: text("verdict"),
            field: text("field").map(|name| FieldKey::from(name.as_str())),
            source: text("source"),
            node: text("node"),
            phase: text("phase"),
            ..Filter::default()
        };
        Ok(ExportForm {
            kind: match self.what {
                Some(what) => ExportKind::Table(what, self.format),
                None => ExportKind::Bundle,
            },
            filter,
            fields: self.fields.clone(),
            limit: None,
            bom: self.bom,
            guard: self.guard,
        })
    }
}

/// The beginning of a day in UTC.
fn midnight(text: &str) -> Result<Micros, String> {
    match typed::read(&FieldKey::PostedAt, None, text) {
        Ok(FieldValue::Date(day)) => Ok(begin_of(day)),
        Ok(_) => Err(format!("{text:?} is not a day.")),
        Err(error) => Err(error.to_string()),
    }
}

fn begin_of(day: Day) -> Micros {
    Micros(day.epoch_days() * 86_400_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_holds_what_fits_and_says_what_is_wrong() {
        let mut choice = Choice::default();
        choice.set_part("from", "2026-03-05".into());
        choice.set_part("text", " Lyon ".into());
        let form = choice.form().unwrap();
        assert_eq!(form.kind, ExportKind::Table(What::Postings, Format::Csv));
        assert_eq!(
            form.filter.from.map(Micros::to_rfc3339).as_deref(),
            Some("2026-03-05T00:00:00.000Z")
        );
        assert_eq!(form.filter.text.as_deref(), Some("Lyon"));
        // What was typed for another kind says nothing here.
        choice.choose("events");
        let form = choice.form().unwrap();
        assert_eq!(form.filter.text, None);
        assert_eq!(form.filter.stray(What::Events), None);
        choice.set_part("until", "soon".into());
        assert!(choice.form().unwrap_err().contains("not a day"));
        choice.choose("bundle");
        choice.set_part("until", String::new());
        assert_eq!(
            (choice.word(), choice.form().unwrap().kind),
            ("bundle", ExportKind::Bundle)
        );
    }

    #[test]
    fn columns_go_and_come_in_the_order_of_the_file() {
        let known: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let mut choice = Choice::default();
        choice.toggle("a", &known);
        assert_eq!(choice.fields, ["b", "c"]);
        choice.toggle("c", &known);
        choice.toggle("b", &known);
        assert_eq!(choice.fields, ["b"], "the last one stays");
        choice.toggle("a", &known);
        assert_eq!(choice.fields, ["a", "b"]);
        choice.toggle("c", &known);
        assert!(choice.fields.is_empty(), "all of them");
    }
}
