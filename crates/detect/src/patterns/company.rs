//! The employer: header lines, the first of a line of segments, labels, "About …", and sentences
//! that say who is hiring.

use super::{
    Found,
    gazetteer::Kind,
    header::{self, ROLES, Segment},
    phrases::Phrases,
    text::{Doc, Line, trim_by},
};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

/// Confidence in thousandths, measured on the labelled texts.
mod sure {
    /// "Company: …".
    pub const LABEL: u16 = 930;
    /// First of a line of segments.
    pub const SEGMENT: u16 = 970;
    /// First of a line of segments that looks like a role or place, so the next was taken.
    pub const LATER_SEGMENT: u16 = 650;
    /// The agency under the department of a public posting.
    pub const AGENCY: u16 = 980;
    /// The line under the title.
    pub const SECOND_LINE: u16 = 940;
    /// The same, doubtful by its looks.
    pub const SECOND_LINE_DOUBTFUL: u16 = 550;
    /// First of a line under a page's heading whose other parts are place and conditions.
    pub const BEFORE_CONDITION: u16 = 900;
    /// "Name, place" under a page's heading.
    pub const BEFORE_PLACE: u16 = 820;
    /// The line under a page's heading, repeated in the text or the page's title.
    pub const PAGE_REPEATED: u16 = 850;
    /// "About …" whose name the text repeats.
    pub const ABOUT: u16 = 780;
    /// "… is hiring".
    pub const SENTENCE: u16 = 700;
    /// A sentence with a name and nothing to confirm it.
    pub const WEAK: u16 = 450;
}

/// Names longer than this are sentences.
const NAME_BYTES_MAX: usize = 70;

#[rustfmt::skip]
static LABELS: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("company", ()), ("company name", ()), ("employer", ()), ("organization", ()), ("organisation", ()), ("hiring organization", ()), ("agency", ()), ("client", ()), ("hiring company", ()), ("department", ()),
        ("unternehmen", ()), ("arbeitgeber", ()), ("firma", ()), ("entreprise", ()), ("société", ()), ("employeur", ()), ("empresa", ()), ("empleador", ()),
    ])
});

/// Every name with what speaks for it.
pub(crate) fn find(doc: &Doc, segments: &[(Range<usize>, Segment)], sink: &mut dyn FnMut(Found)) {
    let mut emit = |range: Range<usize>, thousandths: u16| {
        let name = &doc.raw[range.clone()];
        if !name.is_empty() && name.len() <= NAME_BYTES_MAX {
            let value = FieldValue::Text(name.to_owned());
            sink(Found {
                field: FieldKey::Company,
                value,
                confidence: Confidence::new(thousandths),
                start: range.start,
                end: range.end,
            });
        }
    };
    if let Some((range, thousandths)) = in_segments(doc, segments) {
        emit(range, thousandths);
        return;
    }
    for value in header::labelled(doc, &LABELS).into_iter().take(2) {
        let name = &doc.raw[value.clone()];
        let capital = name.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
        if value.len() <= NAME_BYTES_MAX
            && (capital || doc.page.is_some() && !name.contains(' '))
            && !header::is_navigation(name)
            && is_employer(doc, &value)
        {
            emit(value, sure::LABEL);
        }
    }
    let beneath = match doc.page {
        Some(_) => in_page_block(doc),
        None => in_block(doc),
    };
    if let Some((range, thousandths)) = beneath {
        emit(range, thousandths);
    }
    for (range, thousandths) in in_sentences(doc) {
        emit(range, thousandths);
    }
}

/// Whether a labelled value names an employer: a "Department" is one only of a public body.
fn is_employer(doc: &Doc, value: &Range<usize>) -> bool {
    let line = doc.line_at(value.start);
    let label = doc.lines.get(line).map_or("", |l| {
        if l.start < value.start {
            &doc.fold[l.start..value.start]
        } else {
            doc.heading_before(value.start)
        }
    });
    let name = &doc.raw[value.clone()];
    !label
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .starts_with("department")
        || is_department(name)
        || name.contains(" of ")
}

/// The employer in the lines under a page's heading: before marks and a place or condition
/// (`Oriel Bread · Leeds · Full-time`), before a comma and a place, or a name the page repeats.
fn in_page_block(doc: &Doc) -> Option<(Range<usize>, u16)> {
    const LINES_LOOKED_AT: usize = 3;
    let block = header::block(doc);
    doc.page.as_ref()?.heading.as_ref()?;
    for (index, line) in block.iter().take(LINES_LOOKED_AT).enumerate() {
        let (start, end) = trim_by(doc.raw, line.start, line.end, |c| {
            c.is_whitespace() || matches!(c, '-' | '•' | '*')
        });
        let line = Line {
            start,
            end,
            gap: line.gap,
        };
        if start == end || header::is_navigation(doc.line(line)) {
            continue;
        }
        if let Some(found) = before_condition(doc, line).or_else(|| before_place(doc, line)) {
            return Some(found);
        }
        if index == 0 && looks_like_name(doc, line) && !ROLES.any(&doc.fold[start..end]) {
            let words = doc.line(line);
            let repeats = doc.raw[end..].matches(words).take(3).count();
            let titled = doc.page.as_ref().and_then(|p| p.titled(words)) == Some(true);
            let sure = match (titled, repeats) {
                (true, 1..) | (_, 2..) => sure::PAGE_REPEATED,
                (true, _) | (_, 1) => sure::ABOUT,
                _ => sure::WEAK,
            };
            return Some((start..end, sure));
        }
    }
    None
}

/// `Oriel Bread | Leeds, UK | Full-time`: the first of a line whose others say where and how.
fn before_condition(doc: &Doc, line: Line) -> Option<(Range<usize>, u16)> {
    let parts = header::pieces(doc, line, |c| {
        matches!(c, '|' | '•' | '·' | '–' | '—' | '\t')
    });
    let ((first, kind), rest) = parts.split_first()?;
    let told = rest.iter().any(|(_, kind)| {
        matches!(
            kind,
            Segment::Place | Segment::Employment | Segment::Remote | Segment::Pay
        )
    });
    let line = Line {
        start: first.start,
        end: first.end,
        gap: false,
    };
    let named = *kind == Segment::Other && looks_like_name(doc, line);
    (told && named).then(|| (first.clone(), sure::BEFORE_CONDITION))
}

/// `Oriel Bread, Leeds`: a name, a comma, and nothing but a place.
fn before_place(doc: &Doc, line: Line) -> Option<(Range<usize>, u16)> {
    let comma = doc.line(line).find(", ")?;
    let name = Line {
        start: line.start,
        end: line.start + comma,
        gap: false,
    };
    let rest = name.end + 2..line.end;
    let place = super::location::coverage(doc, rest) > 0.8
        && super::location::coverage(doc, name.start..name.end) < 0.5;
    (place && looks_like_name(doc, name)).then_some((name.start..name.end, sure::BEFORE_PLACE))
}

/// The first segment, cleaned; or the next that is neither role, place nor condition.
fn in_segments(doc: &Doc, segments: &[(Range<usize>, Segment)]) -> Option<(Range<usize>, u16)> {
    let (first, kind) = segments.first()?;
    let name = |span: &Range<usize>| clean(doc, span.clone());
    let later = segments
        .iter()
        .skip(1)
        .find(|(_, kind)| *kind == Segment::Other)
        .map(|(span, _)| (name(span), sure::LATER_SEGMENT));
    match kind {
        Segment::Other | Segment::Link => Some((name(first), sure::SEGMENT)),
        // A company may be called like a role ("Northwind Engineering"): it is one if a role follows.
        Segment::Role => {
            let role_follows = segments
                .iter()
                .skip(1)
                .any(|(_, kind)| *kind == Segment::Role);
            if role_follows || later.is_none() {
                Some((name(first), 780))
            } else {
                later
            }
        }
        Segment::Place => later.or(Some((name(first), sure::WEAK))),
        _ => later,
    }
}

/// Without "(YC S17)", links and marks around the name.
fn clean(doc: &Doc, span: Range<usize>) -> Range<usize> {
    let text = &doc.raw[span.clone()];
    let cuts = [
        " (", " http", " - ", " – ", " — ", " [", "(http", ": http", ", http",
    ];
    let cut = cuts
        .iter()
        .filter_map(|c| text.find(c))
        .filter(|i| *i > 0)
        .min()
        .unwrap_or(text.len());
    let (start, end) = trim_by(doc.raw, span.start, span.start + cut, |c| {
        c.is_whitespace() || matches!(c, '#' | '*' | '-' | '–' | ':' | ',' | '\u{feff}')
    });
    start..end
}

/// The line under the title; under a department the line after it.
fn in_block(doc: &Doc) -> Option<(Range<usize>, u16)> {
    let block = header::block(doc);
    let second = *block.first()?;
    let text = doc.line(second);
    if is_department(text)
        && let Some(third) = block.get(1)
        && looks_like_name(doc, *third)
    {
        return Some((third.start..third.end, sure::AGENCY));
    }
    // The overview of a public posting in the United States: the agency stands last.
    let overview = doc
        .lines
        .get(doc.head + block.len() + 1)
        .is_some_and(|line| doc.fold[line.start..line.end].starts_with("open & closing dates"));
    if let Some(last) = block
        .last()
        .filter(|last| overview && block.len() >= 2 && looks_like_name(doc, **last))
    {
        return Some((last.start..last.end, sure::AGENCY));
    }
    if !looks_like_name(doc, second) {
        return None;
    }
    let mentions = doc.raw[second.end..].matches(text).take(3).count();
    let tight = block.len() <= 4 && doc.lines.len() > block.len() + 1;
    let sure = match (tight, mentions) {
        (true, _) => sure::SECOND_LINE,
        (false, 1..) => sure::SECOND_LINE - 60,
        _ => sure::SECOND_LINE_DOUBTFUL,
    };
    Some((second.start..second.end, sure))
}

/// Parent bodies that stand above the agency in public postings of the United States.
fn is_department(text: &str) -> bool {
    [
        "Department of",
        "Legislative Branch",
        "Judicial Branch",
        "Executive Office",
        "Other Agencies",
        "Court Services",
        "General Services Administration",
        "National Aeronautics",
        "Executive Branch",
        "Ministry of",
        "Independent Agencies",
    ]
    .iter()
    .any(|w| text.starts_with(w))
}

fn looks_like_name(doc: &Doc, line: Line) -> bool {
    let text = doc.line(line);
    let fold = &doc.fold[line.start..line.end];
    let words = text.split_whitespace().count();
    let heading = HEADINGS.find(fold).next().is_some_and(|h| h.start == 0);
    let marks = text.ends_with(['.', ':', '!', '?', ','])
        && !text.ends_with("Inc.")
        && !text.ends_with("Ltd.")
        && !text.ends_with("Co.");
    let list = text.starts_with(['-', '•', '*', '–', '#'])
        || text.contains(" | ")
        || text.contains(" · ")
        || text.contains(':');
    let starts = text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) || words == 1;
    let place = super::location::coverage(doc, line.start..line.end) > 0.8;
    let condition = super::employment::word(fold).is_some()
        || super::remote::word(fold).is_some()
        || super::dates::is_dated(fold);
    starts
        && !heading
        && !marks
        && !list
        && !place
        && !condition
        && words <= 8
        && text.len() <= NAME_BYTES_MAX
        && text != doc.head_line().map_or("", |l| doc.line(l))
}

/// Lines that begin a section, not a name.
#[rustfmt::skip]
static HEADINGS: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("about", ()), ("role", ()), ("the role", ()), ("overview", ()), ("description", ()), ("job description", ()), ("summary", ()), ("job summary", ()), ("position", ()), ("who we are", ()), ("who are we", ()), ("what we do", ()), ("what you'll do", ()), ("what you will do", ()), ("the opportunity", ()), ("opportunity", ()), ("our mission", ()), ("mission", ()), ("our story", ()), ("the company", ()), ("company", ()), ("location", ()), ("salary", ()), ("compensation", ()), ("responsibilities", ()), ("requirements", ()), ("why", ()), ("tl;dr", ()), ("tldr", ()), ("introduction", ()), ("welcome", ()), ("join", ()), ("we", ()), ("our", ()), ("hi", ()), ("hello", ()), ("hey", ()), ("note", ()), ("please note", ()), ("this", ()), ("job", ()), ("team", ()), ("the team", ()), ("background", ()), ("reports to", ()), ("is this you", ()), ("are you", ()), ("your", ()), ("meet", ()), ("at a glance", ()), ("who is", ()), ("what is", ()), ("apply", ()), ("remote", ()), ("posted", ()), ("you", ()), ("in this role", ()), ("as a", ()), ("as an", ()), ("a", ()), ("the", ()), ("intro", ()),
        ("über", ()), ("wir", ()), ("deine", ()), ("ihre", ()), ("aufgaben", ()), ("warum", ()), ("einleitung", ()), ("unser", ()), ("unsere", ()), ("stellenbeschreibung", ()), ("hey du", ()), ("das", ()), ("die", ()), ("der", ()), ("zur verstärkung", ()), ("wer wir sind", ()), ("vergütung", ()),
        ("à propos", ()), ("description du poste", ()), ("le poste", ()), ("missions", ()), ("votre", ()), ("qui sommes", ()), ("contexte", ()), ("présentation", ()), ("résumé", ()), ("notre", ()), ("nous", ()), ("l'entreprise", ()),
        ("sobre", ()), ("descripción", ()), ("quiénes somos", ()), ("nuestra", ()), ("el puesto", ()), ("resumen", ()), ("acerca de", ()),
    ])
});

/// Names that sentences and headings give, the likeliest first.
fn in_sentences(doc: &Doc) -> Vec<(Range<usize>, u16)> {
    let mut votes: BTreeMap<String, (u16, Range<usize>, usize)> = BTreeMap::new();
    let mut vote = |range: Range<usize>, weight: u16| {
        let name = doc.raw[range.clone()].to_lowercase();
        let slot = votes.entry(name).or_insert((0, range, 0));
        slot.0 = slot.0.max(weight);
        slot.2 += 1;
    };
    const LINES_LOOKED_AT: usize = 400;
    for line in doc.lines.iter().skip(1).take(LINES_LOOKED_AT) {
        if let Some(range) = about(doc, *line) {
            vote(range, sure::ABOUT);
        }
        for (range, weight) in openers(doc, *line) {
            vote(range, weight);
        }
    }
    let mut names: Vec<(usize, Range<usize>, u16)> = votes
        .into_values()
        .map(|(weight, range, _)| {
            let said = doc.raw.matches(&doc.raw[range.clone()]).take(9).count();
            let weight = if said >= 3 {
                weight
            } else {
                weight.min(sure::WEAK)
            };
            (said, range, weight)
        })
        .collect();
    names.sort_by_key(|(said, range, weight)| {
        (
            std::cmp::Reverse(*weight),
            std::cmp::Reverse(*said),
            range.start,
        )
    });
    names
        .into_iter()
        .take(2)
        .map(|(_, range, weight)| (range, weight))
        .collect()
}

/// "About Fable Press", "ÜBER FABLE": the name after the word.
fn about(doc: &Doc, line: Line) -> Option<Range<usize>> {
    const LINE_BYTES_MAX: usize = 60;
    if line.end - line.start > LINE_BYTES_MAX {
        return None;
    }
    let (start, end) = trim_by(doc.raw, line.start, line.end, |c| !c.is_alphanumeric());
    let fold = &doc.fold[start..end];
    let opener = [
        "about ",
        "über ",
        "à propos de ",
        "à propos d'",
        "sobre ",
        "acerca de ",
        "who is ",
        "why ",
        "at ",
        "working at ",
        "life at ",
    ]
    .iter()
    .find(|o| fold.starts_with(**o))?;
    let rest = &fold[opener.len()..];
    const GENERIC: [&str; 34] = [
        "us", "the", "you", "your", "our", "this", "role", "job", "we", "a ", "an ", "me", "team",
        "uns", "die", "das", "den", "dich", "dir", "position", "nous", "vous", "poste", "l'",
        "nosotros", "la ", "el ", "tu", "join", "work", "it", "company", "working", "unser",
    ];
    let generic = GENERIC.iter().any(|w| {
        rest.starts_with(w) && !rest[w.len()..].starts_with(|c: char| c.is_alphanumeric())
            || rest.starts_with(&format!("{} ", w.trim()))
    });
    let from = start + opener.len();
    let capital = doc.raw[from..end].starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    (!generic && capital && rest.split_whitespace().count() <= 5).then_some(from..end)
}

/// "Fable Press is hiring", "At Fable Press, we", "Join Fable Press": names at the start of a line.
fn openers(doc: &Doc, line: Line) -> Vec<(Range<usize>, u16)> {
    let mut out = Vec::new();
    let text = doc.line(line);
    let (skip, after_at) = match text {
        t if t.starts_with("At ") => (3, true),
        t if t.starts_with("Join ") => (5, true),
        t if t.starts_with("Bei ") => (4, true),
        t if t.starts_with("Chez ") => (5, true),
        t if t.starts_with("En ") => (3, true),
        _ => (0, false),
    };
    let Some(range) = name_at(doc, line.start + skip, line.end) else {
        return out;
    };
    let place = doc
        .mentions
        .iter()
        .any(|m| m.start == range.start && m.end == range.end && m.kind != Kind::City);
    if place {
        return out;
    }
    let tail = doc.after(range.end, 40);
    let tail = tail.trim_start_matches(['’', '\'']);
    const HIRING: [&str; 12] = [
        " is hiring",
        " is looking for",
        " is seeking",
        " is searching",
        " seeks",
        " sucht",
        " recherche",
        " recrute",
        " busca",
        " is growing",
        " is expanding",
        " are looking for",
    ];
    const IS: [&str; 14] = [
        " is a",
        " is the",
        " is an",
        " is building",
        " was founded",
        " is on a mission",
        " builds",
        " provides",
        " helps",
        " ist ein",
        " est un",
        " is one of",
        " makes ",
        " develops",
    ];
    if HIRING.iter().any(|w| tail.starts_with(w)) {
        out.push((range, sure::SENTENCE));
    } else if after_at
        && (tail.starts_with(',')
            || tail.starts_with(" we")
            || tail.starts_with(" as ")
            || tail.starts_with(" and "))
        || IS.iter().any(|w| tail.starts_with(w))
    {
        out.push((range, sure::SENTENCE - 100));
    }
    out
}

/// Up to four capitalised words from `at`.
fn name_at(doc: &Doc, at: usize, end: usize) -> Option<Range<usize>> {
    const WORDS_MAX: usize = 4;
    let text = doc.raw.get(at..end)?;
    let (mut stop, mut count) = (0, 0);
    for word in text.split_inclusive(' ').take(WORDS_MAX) {
        let bare = word.trim_end();
        let core = bare.trim_end_matches([',', ':', ';', ')']);
        let core = core
            .strip_suffix("'s")
            .or_else(|| core.strip_suffix("’s"))
            .unwrap_or(core);
        let named = core.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
            || (count > 0 && matches!(core, "&" | "of" | "and" | "de"));
        if !named {
            break;
        }
        count += 1;
        stop = text.len() - text[stop_of(text, word)..].len() + core.len();
        if core.len() < bare.len() {
            break;
        }
    }
    const COMMON: [&str; 32] = [
        "we", "you", "the", "our", "this", "as", "if", "in", "at", "a", "an", "your", "what", "it",
        "join", "about", "for", "and", "is", "who", "with", "wir", "du", "sie", "nous", "vous",
        "he", "she", "they", "there", "that", "he/she",
    ];
    let (start, stop) = trim_by(doc.raw, at, at + stop, |c| c.is_whitespace() || c == ',');
    let name = &doc.fold[start..stop];
    let first = name.split_whitespace().next().unwrap_or("");
    (count > 0
        && !name.is_empty()
        && !COMMON.contains(&first)
        && !ROLES.find(name).any(|h| h.end == name.len()))
    .then_some(start..stop)
}

/// Where a word (a slice of `text`) begins in it.
fn stop_of(text: &str, word: &str) -> usize {
    (word.as_ptr() as usize)
        .saturating_sub(text.as_ptr() as usize)
        .min(text.len())
}
