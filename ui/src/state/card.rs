//! What a card's rows say: words for states, sources and places looked, and values ready to draw.

use crate::state::{format, spans::Owner};
use ghostlight_api::view::CardView;
use ghostlight_model::{
    Evidence, FieldKey, FieldValue, Layer, Method, PostingId, RunId, Source,
    card::{CardField, FieldState},
    fuse::LostBecause,
    receipt::{LookResult, Looked},
    run::RunStatus,
};

/// A value ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A line of text.
    Line(String),
    /// An amount with its unit, in tabular figures; the second part is said more quietly.
    Amount(String, String),
    /// Short items, as many as fit.
    Chips(Vec<String>),
    /// A web address.
    Link(String),
    /// A long text.
    Long(String),
}

/// Which card is on screen. It is the same one while it is of the same run or the same posting, so that a posting that
/// becomes known, or is analysed again, leaves what is typed and unfolded as it is.
#[derive(Debug, Default)]
pub struct OnScreen {
    number: u32,
    run: Option<RunId>,
    posting: Option<PostingId>,
}

impl OnScreen {
    /// Another number for each other card.
    pub fn number(&mut self, card: &CardView) -> u32 {
        let same_run = card.run.is_some() && card.run == self.run;
        let same_posting = card.posting.is_some() && card.posting == self.posting;
        if !same_run && !same_posting {
            self.number += 1;
            self.posting = None;
        }
        self.run.clone_from(&card.run);
        // A look back at a run does not say whose it is.
        self.posting = card.posting.or(self.posting);
        self.number
    }
}

/// How `value` of `key` is drawn.
pub fn shown(key: &FieldKey, value: &FieldValue) -> Shown {
    match (key, value) {
        (FieldKey::Description, FieldValue::Text(text)) => Shown::Long(text.clone()),
        (FieldKey::EmploymentType, FieldValue::List(items)) => {
            Shown::Line(joined(items.iter().map(|item| format::words(item))))
        }
        (_, FieldValue::List(items)) => Shown::Chips(items.clone()),
        (_, FieldValue::Places(places)) if places.len() > 1 => {
            Shown::Chips(places.iter().map(|place| place.name()).collect())
        }
        (_, FieldValue::Salary(salary)) => {
            let line = salary.display();
            let (amount, period) = line.split_once(" / ").unwrap_or((&line, ""));
            let extras = [&salary.bonus, &salary.equity, &salary.on_target];
            let extras = joined(extras.into_iter().flatten().cloned());
            let quiet = [period.to_owned(), extras]
                .into_iter()
                .filter(|s| !s.is_empty());
            let quiet: Vec<String> = quiet.collect();
            let slash = if period.is_empty() { "" } else { "/ " };
            Shown::Amount(amount.to_owned(), format!("{slash}{}", quiet.join(" · ")))
        }
        (_, FieldValue::Date(day)) => Shown::Line(format::date(*day)),
        (_, FieldValue::Url(url)) => Shown::Link(url.clone()),
        (_, value) => Shown::Line(value.display()),
    }
}

/// How many of `items` fit into `characters`, counting a chip's border as three; at least one.
pub fn chips_that_fit(items: &[String], characters: usize) -> usize {
    let mut used = 0;
    let fitting = items.iter().take_while(|item| {
        used += item.chars().count() + 3;
        used <= characters
    });
    fitting.count().max(1).min(items.len())
}

/// The state in words.
pub fn state_words(state: FieldState) -> &'static str {
    match state {
        FieldState::Looking => "looking",
        FieldState::Found => "found",
        FieldState::NotFound => "not found",
        FieldState::Failed => "failed",
        FieldState::Conflict => "two answers",
    }
}

/// Who says so, in a word.
pub fn source_word(source: Source, method: Method) -> &'static str {
    match (source, method) {
        (Source::User, _) => "you",
        (Source::Ai, _) => "AI",
        (Source::Parsing, Method::Pattern) => "text",
        (Source::Parsing, _) => "page",
    }
}

/// Who says so, in full.
pub fn source_title(source: Source, method: Method) -> String {
    match source {
        Source::User => "Typed by you".into(),
        Source::Ai => "Found by the model".into(),
        Source::Parsing => format!("Found in the {}", method.label().trim_start_matches("the ")),
    }
}

/// Where a field that was not found was looked for, or what the text says instead.
pub fn not_found_words(field: &CardField) -> String {
    if let Some(reason) = &field.reason {
        return format!(
            "not found — the text says “{}”",
            reason.trim_end_matches('.')
        );
    }
    let looked = field
        .looked
        .iter()
        .filter(|l| l.result == LookResult::Nothing);
    let places = places_looked(looked.map(|l| l.method.label()));
    if places.is_empty() {
        "not found — nothing to look at".into()
    } else {
        format!("not found — looked in {places}")
    }
}

/// `page data (JSON-LD), page data (RDFa), text` as `page data (JSON-LD, RDFa), text`.
fn places_looked<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    let mut open: Option<&str> = None;
    for label in labels {
        let (head, inner) = match label.split_once(" (") {
            Some((head, inner)) => (head, inner.strip_suffix(')')),
            None => (label, None),
        };
        let same = open.is_some() && open == inner.and(Some(head));
        if same {
            // Into the brackets that the last one opened.
            out.pop();
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        match inner {
            Some(inner) if same => out.push_str(&format!("{inner})")),
            _ => out.push_str(label),
        }
        open = inner.map(|_| head);
    }
    out
}

/// One method's result in words.
pub fn look_words(looked: &Looked) -> String {
    match &looked.result {
        LookResult::Found(1) => "one answer".into(),
        LookResult::Found(n) => format!("{n} answers"),
        LookResult::Nothing => "looked, nothing there".into(),
        LookResult::Skipped(reason) => format!("not looked: {}", reason.trim_end_matches('.')),
        LookResult::Failed(reason) => format!("failed: {}", reason.trim_end_matches('.')),
    }
}

/// The quotes of a card: those of the values that stand, first the words they rest on, then those
/// that say the same; and those of the signals.
pub fn quotes(card: &CardView) -> impl Iterator<Item = (Owner, &Evidence)> {
    let fields = card.fields.iter().flat_map(|field| {
        let same = field
            .alternatives
            .iter()
            .filter(|other| other.because == LostBecause::SaysTheSame)
            .filter_map(|other| other.observation.evidence.as_ref());
        let all = evidence_of(field).into_iter().chain(same);
        all.map(|evidence| (Owner::Field(field.key.clone()), evidence))
    });
    let signals = card.signals.iter().filter_map(|signal| {
        let evidence = signal.evidence.as_ref()?;
        Some((Owner::Signal(signal.id.clone()), evidence))
    });
    fields.chain(signals)
}

/// The words a field's value rests on.
pub fn evidence_of(field: &CardField) -> Option<&Evidence> {
    field
        .chosen
        .as_ref()?
        .observation
        .as_ref()?
        .evidence
        .as_ref()
}

/// The layer to show as long as none was chosen: what a reader sees, unless only the source is quoted. While a run goes on
/// that is not known: it quotes the source first.
pub fn first_layer(card: &CardView) -> Layer {
    let is_quoted = |layer| quotes(card).any(|(_, evidence)| evidence.layer == layer);
    let ended = card.status != Some(RunStatus::Running);
    match ended && is_quoted(Layer::Source) && !is_quoted(Layer::Visible) {
        true => Layer::Source,
        false => Layer::Visible,
    }
}

/// The layer in which to show an owner's words: `shown` if it has some, else where they are.
pub fn layer_for(card: &CardView, owner: &Owner, shown: Layer) -> Option<Layer> {
    let mut layers = quotes(card)
        .filter(|(o, _)| o == owner)
        .map(|(_, evidence)| evidence.layer);
    let first = layers.next()?;
    let has_shown = first == shown || layers.any(|layer| layer == shown);
    Some(if has_shown { shown } else { first })
}

/// Fields with a value, and fields in all.
pub fn fields_found(card: &CardView) -> (usize, usize) {
    let found = card.fields.iter().filter(|field| field.chosen.is_some());
    (found.count(), card.fields.len())
}

/// Verdicts as the dialog offers them: the stored word, the label, and what it says.
pub const VERDICTS: [(&str, &str, &str); 5] = [
    ("open", "Open", "The employer means to fill this position."),
    (
        "doubtful",
        "Doubtful",
        "Something does not fit; worth another look.",
    ),
    ("ghost", "Ghost", "I conclude that nobody means to fill it."),
    (
        "closed",
        "Closed",
        "It was real, and is filled or withdrawn.",
    ),
    ("unknown", "Unknown", "I looked and cannot tell."),
];

/// Outcomes as the menu offers them: the stored word, the label, and what it says.
pub const OUTCOMES: [(&str, &str, &str); 4] = [
    ("applied", "Applied", "An application was sent."),
    ("heard_back", "Heard back", "The employer answered."),
    ("filled", "Filled", "Somebody was hired."),
    (
        "reposted",
        "Reposted",
        "The same position was advertised again.",
    ),
];

/// The label of a stored verdict or outcome.
pub fn label_of(word: &str) -> String {
    VERDICTS
        .iter()
        .chain(OUTCOMES.iter())
        .find(|(stored, ..)| *stored == word)
        .map_or_else(|| format::words(word), |(_, label, _)| (*label).to_owned())
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghostlight_model::{Amount, Period, Place, Salary, rules};

    fn list(items: &[&str]) -> FieldValue {
        FieldValue::List(items.iter().map(|s| (*s).into()).collect())
    }

    #[test]
    fn a_posting_that_becomes_known_or_is_analysed_again_is_the_same_card() {
        let card = |run: &str, posting: Option<u8>| CardView {
            run: Some(RunId(run.into())),
            posting: posting.map(|n| PostingId([n; 16])),
            ..CardView::default()
        };
        let mut on_screen = OnScreen::default();
        let mut number = |run, posting| on_screen.number(&card(run, posting));
        assert_eq!(number("a", None), 1);
        assert_eq!(number("a", Some(1)), 1);
        assert_eq!(number("b", Some(1)), 1, "analysed again");
        assert_eq!(number("b", None), 1, "looked back at");
        assert_eq!(number("c", Some(1)), 1);
        assert_eq!(number("d", Some(2)), 2);
        assert_eq!(number("e", None), 3);
        assert_eq!(number("d", Some(2)), 4);
    }

    #[test]
    fn values_are_drawn_by_their_kind() {
        let place = |city: &str| Place {
            city: Some(city.into()),
            country: Some("FR".into()),
            ..Place::default()
        };
        let salary = Salary {
            min: Amount::from_units(48_000),
            max: Amount::from_units(55_000),
            currency: Some("EUR".into()),
            period: Some(Period::Year),
            bonus: Some("10 % bonus".into()),
            ..Salary::default()
        };
        for (key, value, expected) in [
            (
                FieldKey::EmploymentType,
                list(&["FULL_TIME", "CONTRACTOR"]),
                Shown::Line("full time, contractor".into()),
            ),
            (
                FieldKey::Skills,
                list(&["dbt"]),
                Shown::Chips(vec!["dbt".into()]),
            ),
            (
                FieldKey::Location,
                FieldValue::Places(vec![place("Lyon")]),
                Shown::Line("Lyon, FR".into()),
            ),
            (
                FieldKey::Location,
                FieldValue::Places(vec![place("Lyon"), place("Lille")]),
                Shown::Chips(vec!["Lyon, FR".into(), "Lille, FR".into()]),
            ),
            (
                FieldKey::Salary,
                FieldValue::Salary(salary),
                Shown::Amount(
                    "48\u{202f}000–55\u{202f}000 EUR".into(),
                    "/ year · 10 % bonus".into(),
                ),
            ),
            (
                FieldKey::Description,
                FieldValue::Text("long".into()),
                Shown::Long("long".into()),
            ),
        ] {
            assert_eq!(shown(&key, &value), expected, "{key}");
        }
    }

    #[test]
    fn chips_stop_where_the_row_ends() {
        let items: Vec<String> = ["Python", "dbt", "Airflow", "SQL"].map(String::from).into();
        for (characters, expected) in [(0, 1), (9, 1), (14, 1), (15, 2), (25, 3), (99, 4)] {
            assert_eq!(chips_that_fit(&items, characters), expected, "{characters}");
        }
        assert_eq!(chips_that_fit(&[], 40), 0);
    }

    #[test]
    fn a_field_that_was_not_found_says_where_it_was_looked_for() {
        let looked = |method, result| Looked { method, result };
        let mut field = CardField {
            key: FieldKey::PostedAt,
            state: FieldState::NotFound,
            chosen: None,
            alternatives: vec![],
            looked: vec![
                looked(Method::JsonLd, LookResult::Nothing),
                looked(
                    Method::Microdata,
                    LookResult::Skipped("the page has none.".into()),
                ),
                looked(Method::Pattern, LookResult::Nothing),
            ],
            reason: None,
        };
        assert_eq!(
            not_found_words(&field),
            "not found — looked in page data (JSON-LD), text"
        );
        assert_eq!(
            look_words(&field.looked[1]),
            "not looked: the page has none"
        );
        field.reason = Some("Competitive salary.".into());
        assert_eq!(
            not_found_words(&field),
            "not found — the text says “Competitive salary”"
        );
        field.reason = None;
        field.looked.clear();
        assert_eq!(not_found_words(&field), "not found — nothing to look at");
    }

    #[test]
    fn places_of_one_kind_share_their_brackets() {
        for (labels, expected) in [
            (&[][..], ""),
            (&["text"], "text"),
            (
                &[
                    "page data (JSON-LD)",
                    "page data (microdata)",
                    "page data (RDFa)",
                    "page header",
                    "text",
                ],
                "page data (JSON-LD, microdata, RDFa), page header, text",
            ),
            (
                &["page data (JSON-LD)", "text", "page data (RDFa)"],
                "page data (JSON-LD), text, page data (RDFa)",
            ),
        ] {
            assert_eq!(places_looked(labels.iter().copied()), expected);
        }
    }

    #[test]
    fn verdicts_and_outcomes_are_those_of_the_model() {
        assert_eq!(VERDICTS.map(|(word, ..)| word), rules::VERDICTS);
        assert_eq!(OUTCOMES.map(|(word, ..)| word), rules::OUTCOMES);
        assert_eq!(label_of("heard_back"), "Heard back");
        assert_eq!(label_of("something_else"), "something else");
    }
}
