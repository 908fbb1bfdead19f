//! Days of posting and last days to apply: a label, then a date in any of the usual spellings.
//!
//! Dates without a year and relative dates ("3 days ago") are left alone: nothing here reads a
//! clock.

use super::{
    Found,
    phrases::Phrases,
    text::{Doc, Lang, ceil},
};
use ghostlight_model::{Confidence, Day, FieldKey, FieldValue};
use std::sync::LazyLock;

/// Confidence in thousandths, measured on the labelled texts.
mod sure {
    /// A label right before the date.
    pub const LABELLED: u16 = 980;
    /// "until", "by" in a sentence about applications.
    pub const SENTENCE: u16 = 940;
    /// A numeric date whose day and month could change places, in a text of no clear country.
    pub const AMBIGUOUS: u16 = 820;
}

/// What a label says about the date after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Posted,
    Through,
    /// "Open & closing dates": the first is the posting, the second the last day.
    Span,
    /// "until": a last day if the sentence is about applying.
    Until,
}

#[rustfmt::skip]
static LABELS: LazyLock<Phrases<Label>> = LazyLock::new(|| {
    use Label::*;
    Phrases::new(&[
        ("posted", Posted), ("posted on", Posted), ("job posted", Posted), ("date posted", Posted), ("posting date", Posted), ("published", Posted), ("published on", Posted), ("publication date", Posted), ("date published", Posted), ("opening date", Posted), ("open date", Posted), ("posted date", Posted), ("posting start date", Posted), ("job posting date", Posted), ("date opened", Posted), ("first posted", Posted), ("originally posted", Posted), ("listed on", Posted), ("date listed", Posted), ("advertised", Posted), ("posted at", Posted),
        ("veröffentlicht", Posted), ("veröffentlicht am", Posted), ("veröffentlichungsdatum", Posted), ("online seit", Posted), ("erschienen am", Posted), ("eingestellt am", Posted), ("erstellt am", Posted), ("inseriert am", Posted), ("ausgeschrieben am", Posted), ("anzeige vom", Posted), ("stand", Posted), ("veröffentlicht seit", Posted),
        ("date de publication", Posted), ("publié le", Posted), ("publiée le", Posted), ("publié", Posted), ("mis en ligne le", Posted), ("mise en ligne le", Posted), ("offre publiée le", Posted), ("date de parution", Posted), ("paru le", Posted), ("date de mise en ligne", Posted),
        ("fecha de publicación", Posted), ("publicado el", Posted), ("publicada el", Posted), ("publicado", Posted), ("publicada", Posted), ("fecha de alta", Posted),
        ("apply by", Through), ("apply before", Through), ("closing date", Through), ("closes", Through), ("closes on", Through), ("closing on", Through), ("close date", Through), ("application deadline", Through), ("deadline", Through), ("deadline to apply", Through), ("deadline for applications", Through), ("applications close", Through), ("applications close on", Through), ("applications due", Through), ("valid through", Through), ("valid until", Through), ("expires", Through), ("expires on", Through), ("expiry date", Through), ("expiration date", Through), ("last day to apply", Through), ("last date to apply", Through), ("open until", Through), ("posting end date", Through), ("will close on", Through), ("will expire on", Through), ("closing", Through), ("application closing date", Through), ("accepted until", Through), ("accepted through", Through), ("end date", Through), ("unposting date", Through), ("expected close date", Through), ("will close automatically on", Through),
        ("bewerbungsfrist", Through), ("bewerbungsschluss", Through), ("bewerbungsende", Through), ("bewerben bis", Through), ("bewirb dich bis", Through), ("bewerbung bis", Through), ("gültig bis", Through), ("bewerben sie sich bis", Through), ("frist", Through), ("bewerbungen bis", Through), ("einsendeschluss", Through), ("endet am", Through),
        ("date limite", Through), ("date limite de candidature", Through), ("candidature avant le", Through), ("candidatures jusqu'au", Through), ("postuler avant le", Through), ("postulez avant le", Through), ("date de clôture", Through), ("clôture des candidatures", Through), ("date limite de dépôt", Through), ("date de fin", Through), ("date d'expiration", Through), ("avant le", Until), ("jusqu'au", Until), ("jusqu’au", Until),
        ("fecha límite", Through), ("fecha de cierre", Through), ("plazo", Through), ("plazo de inscripción", Through), ("plazo de presentación", Through), ("fecha fin", Through), ("cierre", Through), ("hasta el", Until),
        ("open & closing dates", Span), ("open and closing dates", Span), ("opening and closing dates", Span), ("application period", Span), ("posting period", Span), ("application window", Until), ("open period", Span), ("bewerbungszeitraum", Span),
        ("until", Until), ("through", Until), ("by", Until), ("no later than", Until), ("before", Until), ("bis zum", Until), ("bis spätestens", Until), ("bis", Until),
    ])
});

/// Days of posting and last days, in order of the text.
pub(crate) fn find(doc: &Doc, sink: &mut dyn FnMut(Found)) {
    for hit in LABELS.find(&doc.fold) {
        let Some((at, next_line)) = value_at(doc, hit.end) else {
            continue;
        };
        let Some(first) = date_near(doc, at) else {
            continue;
        };
        let direct = first.start - at <= 3 || next_line;
        let confidence = sure(&first, *hit.tag, direct);
        match hit.tag {
            Label::Span => {
                sink(found(FieldKey::PostedAt, &first, confidence));
                if let Some(second) = date_near(doc, first.end) {
                    sink(found(FieldKey::ValidThrough, &second, confidence));
                }
            }
            Label::Until if about_applying(doc, hit.start, at) => {
                sink(found(FieldKey::ValidThrough, &first, confidence))
            }
            Label::Until => {}
            Label::Posted if until_follows(&doc.fold[at..first.start]) => {}
            Label::Posted => sink(found(FieldKey::PostedAt, &first, confidence)),
            Label::Through => sink(found(FieldKey::ValidThrough, &first, confidence)),
        }
    }
}

/// The first date of a short text.
pub(crate) fn only(doc: &Doc, field: &FieldKey) -> Option<Found> {
    let key = if *field == FieldKey::ValidThrough {
        FieldKey::ValidThrough
    } else {
        FieldKey::PostedAt
    };
    let mut at = 0;
    while at < doc.fold.len() {
        if let Some(date) = date_at(doc, at) {
            let confidence = sure(&date, Label::Posted, true);
            return Some(found(key, &date, confidence));
        }
        at = ceil(&doc.fold, at + 1);
    }
    None
}

/// Whether a label of a posting day with a date stands in a line.
pub(crate) fn is_dated(fold: &str) -> bool {
    LABELS
        .find(fold)
        .any(|h| matches!(h.tag, Label::Posted | Label::Through | Label::Span))
        && fold.contains(|c: char| c.is_ascii_digit())
}

#[derive(Debug, Clone, Copy)]
struct Date {
    day: Day,
    start: usize,
    end: usize,
    /// Day and month could change places.
    ambiguous: bool,
}

fn sure(date: &Date, label: Label, direct: bool) -> Confidence {
    Confidence::new(match (date.ambiguous, label, direct) {
        (true, ..) => sure::AMBIGUOUS,
        (_, Label::Until, _) | (_, _, false) => sure::SENTENCE,
        _ => sure::LABELLED,
    })
}

fn found(field: FieldKey, date: &Date, confidence: Confidence) -> Found {
    Found {
        field,
        value: FieldValue::Date(date.day),
        confidence,
        start: date.start,
        end: date.end,
    }
}

/// Where the value of a label begins: after it, or on the next line when nothing follows it.
fn value_at(doc: &Doc, end: usize) -> Option<(usize, bool)> {
    let line = doc.lines.get(doc.line_at(end.saturating_sub(1)))?;
    let rest = doc.fold[end..line.end.max(end)].trim_matches(|c: char| !c.is_alphanumeric());
    if !rest.is_empty() {
        return Some((end, false));
    }
    doc.lines
        .get(doc.line_at(end.saturating_sub(1)) + 1)
        .map(|next| (next.start, true))
}

fn until_follows(gap: &str) -> bool {
    gap.contains("until") || gap.contains("through") || gap.contains(" to ")
}

fn about_applying(doc: &Doc, start: usize, end: usize) -> bool {
    const ABOUT: [&str; 14] = [
        "appl",
        "posting",
        "candidat",
        "bewerb",
        "postul",
        "inscri",
        "resume",
        "submi",
        "position will",
        "role will",
        "job will",
        "vacancy",
        "announcement",
        "open",
    ];
    let around = format!("{} {}", doc.before(start, 110), doc.after(end, 60));
    let not = [
        "starting",
        "start date",
        "graduat",
        "enrolled",
        "degree",
        "available from",
        "internship runs",
    ]
    .iter()
    .any(|w| doc.before(start, 50).contains(w));
    !not && ABOUT.iter().any(|w| around.contains(w))
}

/// The first date within the next 48 bytes of the same line.
fn date_near(doc: &Doc, from: usize) -> Option<Date> {
    const NEAR_BYTES: usize = 48;
    let window = doc.after(from, NEAR_BYTES);
    let mut previous = ' ';
    for (i, c) in window.char_indices() {
        if !previous.is_alphanumeric()
            && c.is_alphanumeric()
            && let Some(date) = date_at(doc, from + i)
        {
            return Some(date);
        }
        previous = c;
    }
    None
}

/// A date that begins right at `at`.
fn date_at(doc: &Doc, at: usize) -> Option<Date> {
    let rest = doc.after(at, 40);
    let (day, len, ambiguous) =
        numeric(rest, doc.lang).or_else(|| named(rest).map(|(d, l)| (d, l, false)))?;
    Some(Date {
        day,
        start: at,
        end: at + len,
        ambiguous,
    })
}

/// "2025-10-20", "20.10.2025", "10/20/2025", "1/5/25".
fn numeric(text: &str, lang: Lang) -> Option<(Day, usize, bool)> {
    let (a, rest) = digits(text)?;
    let mark = rest
        .chars()
        .next()
        .filter(|c| matches!(c, '-' | '.' | '/' | '\u{2010}' | '\u{2011}'))?;
    let (b, rest) = digits(rest[mark.len_utf8()..].trim_start())?;
    let rest = rest.strip_prefix(mark)?.trim_start_matches(' ');
    let (c, tail) = digits(rest)?;
    let len = text.len() - tail.len();
    if a.1 == 4 {
        return day(a.0, b.0, c.0).map(|d| (d, len, false));
    }
    if !matches!(c.1, 2 | 4) || a.1 > 2 || b.1 > 2 {
        return None;
    }
    let year = if c.1 == 2 { 2000 + c.0 } else { c.0 };
    // A point means day first everywhere; a slash means month first in English text (as in the US).
    let month_first = mark != '.' && lang == Lang::En;
    let (month, date) = match (a.0 > 12, b.0 > 12) {
        (true, _) => (b.0, a.0),
        (_, true) => (a.0, b.0),
        _ if month_first => (a.0, b.0),
        _ => (b.0, a.0),
    };
    day(year, month, date).map(|d| (d, len, false))
}

/// "20 octobre 2025", "October 20th, 2025", "1. August 2025", "20 de octubre de 2025".
fn named(text: &str) -> Option<(Day, usize)> {
    let mut words = Words { text, at: 0 };
    let mut first = words.next()?;
    // A weekday may stand first.
    if WEEKDAYS.iter().any(|w| first.starts_with(w)) && month(first).is_none() {
        first = words.next()?;
    }
    if first == "the" || first == "le" || first == "el" || first == "den" {
        first = words.next()?;
    }
    let (date, month_number) = match (ordinal(first), month(first)) {
        (Some(date), _) => {
            let mut next = words.next()?;
            if matches!(next, "of" | "de" | "d") {
                next = words.next()?;
            }
            (date, month(next)?)
        }
        (None, Some(month)) => (ordinal(words.next()?)?, month),
        _ => return None,
    };
    let mut year = words.next()?;
    if matches!(year, "de" | "del" | "of") {
        year = words.next()?;
    }
    let number: u32 = year.parse().ok().filter(|_| year.len() == 4)?;
    day(number, month_number, date).map(|d| (d, words.at))
}

/// Words of letters and digits, one after the other.
struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let rest = &self.text[self.at..];
        let start = rest.find(char::is_alphanumeric)?;
        // More than a few marks between two words: no date.
        if start > 3 {
            return None;
        }
        let tail = &rest[start..];
        let len = tail
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(tail.len());
        self.at += start + len;
        Some(&tail[..len])
    }
}

#[rustfmt::skip]
const WEEKDAYS: [&str; 24] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "lunes", "martes", "miércoles", "jueves", "viernes"];

fn ordinal(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic() || c == 'º');
    let suffix = &word[digits.len()..];
    let fits = matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er" | "º" | "ª");
    digits.parse().ok().filter(|n| fits && (1..=31).contains(n))
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &[
            "january", "jan", "januar", "jänner", "janvier", "janv", "enero", "ene",
        ],
        &[
            "february", "feb", "februar", "feber", "février", "févr", "fév", "febrero",
        ],
        &["march", "mar", "märz", "mrz", "mars", "marzo"],
        &["april", "apr", "avril", "avr", "abril", "abr"],
        &["may", "mai", "mayo"],
        &["june", "jun", "juni", "juin", "junio"],
        &["july", "jul", "juli", "juillet", "juil", "julio"],
        &["august", "aug", "août", "aout", "agosto", "ago"],
        &[
            "september",
            "sep",
            "sept",
            "septembre",
            "septiembre",
            "setiembre",
        ],
        &["october", "oct", "oktober", "okt", "octobre", "octubre"],
        &["november", "nov", "novembre", "noviembre"],
        &[
            "december",
            "dec",
            "dezember",
            "dez",
            "décembre",
            "déc",
            "diciembre",
            "dic",
        ],
    ];
    let at = MONTHS.iter().position(|names| names.contains(&word))?;
    u32::try_from(at + 1).ok()
}

/// A number at the start of `text`: its value and length, and what follows.
fn digits(text: &str) -> Option<((u32, usize), &str)> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let value = text
        .get(..len)?
        .parse()
        .ok()
        .filter(|_| (1..=4).contains(&len))?;
    Some(((value, len), &text[len..]))
}

/// A day of this century up to 2099; other years are no posting dates.
fn day(year: u32, month: u32, day: u32) -> Option<Day> {
    let year = i16::try_from(year)
        .ok()
        .filter(|y| (1995..2100).contains(y))?;
    Day::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}
