//! The words that a value rests on: where a quote stands in the text, and whether it bears the value out.

use super::values::Answer;
use crate::patterns;
use ghostlight_model::{Day, FieldKey, FieldValue, Place, Salary};
use std::ops::Range;

/// A longer quote bears nothing out: it is the posting, not the words.
const QUOTE_CHARS_MAX: usize = 500;

/// A text in which quotes are looked for.
#[derive(Debug)]
pub(super) struct Words<'a> {
    text: &'a str,
    /// The text with blanks as single spaces and typographic marks as plain ones.
    plain: String,
    /// Of each byte of `plain` where its character stands in `text`.
    places: Vec<u32>,
}

impl<'a> Words<'a> {
    pub fn of(text: &'a str) -> Self {
        let (plain, places) = plain(text);
        Self {
            text,
            plain,
            places,
        }
    }

    /// The value, and where the words are that bear it out; without them it is ungrounded.
    ///
    /// Of a list what is not in the text at all is left out, as long as something is.
    pub fn ground(&self, field: &FieldKey, answer: Answer) -> (FieldValue, Option<Range<usize>>) {
        let Answer { value, quote } = answer;
        let quoted = self.find(&quote);
        match value {
            FieldValue::List(items) if *field != FieldKey::EmploymentType => {
                self.ground_list(items, quoted)
            }
            FieldValue::Text(text) => {
                let holds = |span: &Range<usize>| says(&self.text[span.clone()], &text);
                let span = quoted.filter(holds).or_else(|| self.find(&text));
                (FieldValue::Text(text), span)
            }
            value => {
                let bears = |span: &Range<usize>| bears_out(&self.text[span.clone()], &value);
                let span = quoted.filter(bears);
                (value, span)
            }
        }
    }

    fn ground_list(
        &self,
        items: Vec<String>,
        quoted: Option<Range<usize>>,
    ) -> (FieldValue, Option<Range<usize>>) {
        let there: Vec<(String, Range<usize>)> = items
            .iter()
            .filter_map(|item| Some((item.clone(), self.find(item)?)))
            .collect();
        let Some((_, first)) = there.first() else {
            return (FieldValue::List(items), None);
        };
        let holds = |span: &Range<usize>| {
            there
                .iter()
                .any(|(item, _)| says(&self.text[span.clone()], item))
        };
        let span = quoted.filter(holds).unwrap_or(first.clone());
        let kept = there.into_iter().map(|(item, _)| item).collect();
        (FieldValue::List(kept), Some(span))
    }

    /// Where `quote` stands: letter by letter, else whatever its blanks and typographic marks.
    fn find(&self, quote: &str) -> Option<Range<usize>> {
        let quote = quote.trim();
        let letters = quote.chars().filter(|c| c.is_alphanumeric()).count();
        if letters == 0 || quote.chars().count() > QUOTE_CHARS_MAX {
            return None;
        }
        if let Some(start) = whole(self.text, quote) {
            return Some(start..start + quote.len());
        }
        let (wanted, _) = plain(quote);
        let start = whole(&self.plain, &wanted)?;
        let last = start + wanted.char_indices().next_back()?.0;
        let from = *self.places.get(start)? as usize;
        let to = *self.places.get(last)? as usize;
        let to = to + self.text.get(to..)?.chars().next()?.len_utf8();
        Some(from..to)
    }
}

/// Where `part` stands in `text` with no letter or digit running on at its ends: "Java" is not in "JavaScript".
fn whole(text: &str, part: &str) -> Option<usize> {
    let runs_on = |inside: Option<char>, outside: Option<char>| {
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        word(inside) && word(outside)
    };
    text.match_indices(part)
        .find(|(start, part)| {
            let before = text[..*start].chars().next_back();
            let behind = text[start + part.len()..].chars().next();
            !runs_on(part.chars().next(), before) && !runs_on(part.chars().next_back(), behind)
        })
        .map(|(start, _)| start)
}

fn plain(text: &str) -> (String, Vec<u32>) {
    let mut plain = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let c = match c {
            _ if c.is_whitespace() => ' ',
            '’' | '‘' => '\'',
            '“' | '”' | '„' => '"',
            '–' | '—' | '‑' => '-',
            c => c,
        };
        if c == ' ' && plain.ends_with(' ') {
            continue;
        }
        plain.push(c);
        // The text is cut to a bound far below 4 GiB.
        places.resize(plain.len(), at as u32);
    }
    (plain, places)
}

/// Whether `words` say `part` as whole words, whatever case and punctuation.
fn says(words: &str, part: &str) -> bool {
    let normal = |text: &str| format!(" {} ", FieldValue::Text(text.to_owned()).normalised());
    let part = normal(part);
    !part.trim().is_empty() && normal(words).contains(&part)
}

/// Whether the quoted words bear a value out, as far as a program can tell.
fn bears_out(words: &str, value: &FieldValue) -> bool {
    match value {
        FieldValue::Salary(salary) => names_amounts(words, salary),
        FieldValue::Date(day) => names_day(words, *day),
        FieldValue::Places(places) => places.iter().all(|place| names_place(words, place)),
        // Words of a closed list need not stand there: what implies them is why a model is asked.
        _ => true,
    }
}

/// Every amount stands there in digits, whatever separates them and however many zeros a "k" stands for.
fn names_amounts(words: &str, salary: &Salary) -> bool {
    let named: Vec<String> = numbers(words).iter().map(|n| significant(n)).collect();
    let amounts = [salary.min, salary.max];
    amounts.into_iter().flatten().all(|amount| {
        let digits = significant(&amount.ten_thousandths().unsigned_abs().to_string());
        named.contains(&digits)
    })
}

fn names_day(words: &str, day: Day) -> bool {
    let text = day.to_string();
    let of_month = text.rsplit('-').next().unwrap_or_default();
    let of_month = of_month.trim_start_matches('0');
    let runs = words.split(|c: char| !c.is_ascii_digit());
    let mut runs = runs.map(|run| run.trim_start_matches('0'));
    runs.any(|run| run == of_month)
}

fn names_place(words: &str, place: &Place) -> bool {
    if let Some(named) = place.city.as_ref().or(place.region.as_ref()) {
        return says(words, named);
    }
    let Some(country) = &place.country else {
        return says(words, &place.text);
    };
    let read = patterns::detect_one(&FieldKey::Location, words, None);
    let read = read.map(|found| found.value);
    let named = matches!(&read, Some(FieldValue::Places(places))
        if places.iter().any(|p| p.country.as_ref() == Some(country)));
    named || says(words, country)
}

/// Runs of digits; a separator between two digits belongs to them.
fn numbers(words: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let chars: Vec<char> = words.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let digit = |at: Option<usize>| {
            at.and_then(|at| chars.get(at))
                .is_some_and(char::is_ascii_digit)
        };
        let between = digit(at.checked_sub(1)) && digit(Some(at + 1));
        let separates = matches!(c, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}');
        match c {
            c if c.is_ascii_digit() => found.last_mut().into_iter().for_each(|n| n.push(*c)),
            _ if separates && between => {}
            _ => found.push(String::new()),
        }
    }
    found.retain(|number| !number.is_empty());
    found
}

/// Without zeros at the ends: 45, 45.000 and 45k are the same.
fn significant(digits: &str) -> String {
    digits.trim_matches('0').to_owned()
}
