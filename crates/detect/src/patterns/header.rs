//! The head of a posting: labelled lines ("Location: …"), and first lines made of segments
//! (`Company | Role | Place | Remote | Pay`), read by what each segment looks like.

use super::{
    employment, location, money,
    phrases::Phrases,
    remote,
    text::{Doc, Line, trim_by},
};
use std::{ops::Range, sync::LazyLock};

/// Segments of one line; what follows is not looked at.
const SEGMENTS_MAX: usize = 24;

/// What a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    Place,
    Remote,
    Employment,
    Pay,
    Link,
    Role,
    Other,
}

/// Words that end or begin the name of a job.
#[rustfmt::skip]
pub(crate) static ROLES: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("engineer", ()), ("engineers", ()), ("engineering", ()), ("developer", ()), ("developers", ()), ("developer(s)", ()), ("designer", ()), ("designers", ()), ("manager", ()), ("managers", ()), ("analyst", ()), ("analysts", ()), ("scientist", ()), ("scientists", ()), ("architect", ()), ("architects", ()), ("administrator", ()), ("consultant", ()), ("consultants", ()), ("specialist", ()), ("lead", ()), ("director", ()), ("intern", ()), ("interns", ()), ("internship", ()), ("mentor", ()), ("positions", ()), ("roles", ()), ("researcher", ()), ("researchers", ()), ("programmer", ()), ("programmers", ()), ("head of", ()), ("cto", ()), ("ceo", ()), ("vp", ()), ("devops", ()), ("sre", ()), ("recruiter", ()), ("writer", ()), ("editor", ()), ("marketer", ()), ("full stack", ()), ("full-stack", ()), ("fullstack", ()), ("frontend", ()), ("front-end", ()), ("front end", ()), ("backend", ()), ("back-end", ()), ("nurse", ()), ("teacher", ()), ("assistant", ()), ("technician", ()), ("officer", ()), ("representative", ()), ("coordinator", ()), ("associate", ()), ("hiring", ()), ("software", ()), ("data", ()), ("product", ()), ("qa", ()), ("ux", ()), ("hacker", ()), ("entwickler", ()), ("ingenieur", ()), ("ingénieur", ()), ("développeur", ()), ("desarrollador", ()), ("ingeniero", ()), ("accountant", ()), ("driver", ()), ("expert", ()), ("advisor", ()), ("supervisor", ()), ("owner", ()), ("sales", ()), ("marketing", ()), ("support", ()), ("operations", ()), ("visa", ()), ("equity", ()),
    ])
});

/// Words that name a job wherever they stand; [`ROLES`] holds fields of work too.
#[rustfmt::skip]
static JOBS: LazyLock<Phrases<()>> = LazyLock::new(|| {
    Phrases::new(&[
        ("engineer", ()), ("engineers", ()), ("developer", ()), ("developers", ()), ("designer", ()), ("designers", ()), ("manager", ()), ("managers", ()), ("analyst", ()), ("scientist", ()), ("scientists", ()), ("architect", ()), ("administrator", ()), ("consultant", ()), ("specialist", ()), ("director", ()), ("intern", ()), ("positions", ()), ("roles", ()), ("researcher", ()), ("programmer", ()), ("head of", ()), ("cto", ()), ("writer", ()), ("hiring", ()), ("technician", ()), ("entwickler", ()), ("développeur", ()), ("desarrollador", ()),
    ])
});

/// The segments of the first line, when it has at least three.
pub(crate) fn segments(doc: &Doc) -> Vec<(Range<usize>, Segment)> {
    let Some(line) = doc.head_line() else {
        return Vec::new();
    };
    let text = doc.line(line);
    if is_navigation(text) {
        return Vec::new();
    }
    let mark = ['|', '•']
        .into_iter()
        .find(|m| text.matches(*m).count() >= 2);
    let Some(mark) = mark else { return Vec::new() };
    let mut out = split(doc, line, |c| c == mark);
    // The first is usually the employer, whose name may hold a place or a condition ("Remote Tales").
    if let Some((span, kind)) = out.first_mut() {
        let whole = |phrase: Option<usize>| phrase == Some(span.len());
        let fold = &doc.fold[span.clone()];
        let named = match kind {
            Segment::Place => location::coverage(doc, span.clone()) < 0.85,
            Segment::Remote => !whole(remote::word_len(fold)),
            Segment::Employment => !whole(employment::word_len(fold)),
            Segment::Role => !JOBS.any(fold),
            _ => false,
        };
        if named {
            *kind = Segment::Other;
        }
    }
    out
}

/// Words of menus. A line of items with one of them is navigation.
const MENU: [&str; 44] = [
    "home",
    "jobs",
    "all jobs",
    "careers",
    "career",
    "about",
    "about us",
    "contact",
    "contact us",
    "login",
    "log in",
    "sign in",
    "sign up",
    "register",
    "blog",
    "news",
    "press",
    "shop",
    "stores",
    "products",
    "services",
    "vacancies",
    "search",
    "menu",
    "help",
    "faq",
    "support",
    "imprint",
    "impressum",
    "datenschutz",
    "privacy",
    "privacy policy",
    "terms",
    "cookies",
    "startseite",
    "kontakt",
    "karriere",
    "über uns",
    "accueil",
    "nous rejoindre",
    "carrières",
    "inicio",
    "contacto",
    "team",
];

/// Whether a word or two are an item of a menu.
pub(crate) fn is_menu_word(text: &str) -> bool {
    let fold = super::text::fold(text.trim().trim_start_matches(['-', '•']).trim());
    MENU.contains(&fold.as_str())
}

/// Whether a line is a menu or a path of links (`Home | Depots | Contact`).
pub(crate) fn is_navigation(text: &str) -> bool {
    /// A longer line is no menu.
    const MENU_BYTES_MAX: usize = 300;
    if text.len() > MENU_BYTES_MAX {
        return false;
    }
    if is_menu_word(text) {
        return true;
    }
    let items: Vec<&str> = text
        .split(['|', '•', '·', '›', '»', '>', '/', '\t'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect();
    let menu = items.iter().filter(|item| is_menu_word(item)).count();
    let short = items
        .iter()
        .all(|item| item.split_whitespace().count() <= 3);
    items.len() >= 2
        && short
        && (menu * 3 >= items.len() || items.first().is_some_and(|i| is_menu_word(i)))
}

/// The parts of a line between marks, trimmed, with what each says.
pub(crate) fn split(
    doc: &Doc,
    line: Line,
    mark: impl Fn(char) -> bool,
) -> Vec<(Range<usize>, Segment)> {
    let (mut out, mut at) = (Vec::new(), line.start);
    for piece in doc.line(line).split(mark).take(SEGMENTS_MAX) {
        let (start, end) = trim_by(doc.raw, at, at + piece.len(), |c| {
            c.is_whitespace() || c == '\u{feff}'
        });
        if start < end {
            out.push((start..end, kind(doc, start..end)));
        }
        // The mark after the piece.
        let next = at + piece.len();
        at = next
            + doc.raw[next..]
                .chars()
                .next()
                .map_or(0, char::len_utf8)
                .min(doc.raw.len() - next);
    }
    out
}

/// The parts of a line between marks; where it has no mark, its elements on a page
/// (`<span>Oriel Bread</span><span>Leeds</span>`).
pub(crate) fn pieces(
    doc: &Doc,
    line: Line,
    mark: impl Fn(char) -> bool,
) -> Vec<(Range<usize>, Segment)> {
    let marked = split(doc, line, mark);
    let Some(page) = doc.page.as_ref().filter(|_| marked.len() < 2) else {
        return marked;
    };
    let first = page.label_ends.partition_point(|at| *at <= line.start);
    let (mut out, mut at) = (Vec::new(), line.start);
    let ends = page.label_ends[first..].iter().copied();
    for end in ends.take_while(|at| *at < line.end).chain([line.end]) {
        let Some(piece) = doc.raw.get(at..end) else {
            continue;
        };
        let (start, stop) = trim_by(doc.raw, at, at + piece.len(), char::is_whitespace);
        if start < stop && out.len() < SEGMENTS_MAX {
            out.push((start..stop, kind(doc, start..stop)));
        }
        at = end;
    }
    if out.len() < 2 { marked } else { out }
}

fn kind(doc: &Doc, span: Range<usize>) -> Segment {
    let fold = &doc.fold[span.clone()];
    let short = fold.len() <= 60;
    let place = location::coverage(doc, span.clone());
    if fold.contains("http") || fold.starts_with("www.") {
        return Segment::Link;
    }
    if short && remote::word(fold).is_some() && place < 0.6 && !ROLES.any(fold) {
        return Segment::Remote;
    }
    if short && employment::word(fold).is_some() && place < 0.6 && !ROLES.any(fold) {
        return Segment::Employment;
    }
    if place >= 0.5 && !ROLES.any(fold) {
        return Segment::Place;
    }
    if money::numbers(fold).iter().any(|n| n.currency.is_some()) {
        return Segment::Pay;
    }
    let domain = !fold.contains(' ') && fold.split('.').count() >= 2 && fold.contains('/');
    match (domain, ROLES.any(fold)) {
        (true, _) => Segment::Link,
        (_, true) => Segment::Role,
        _ => Segment::Other,
    }
}

/// Lines that begin with one of `labels` ("Location: Berlin", or the label as a heading and the
/// value on the next line): the span of each value.
pub(crate) fn labelled(doc: &Doc, labels: &Phrases<()>) -> Vec<Range<usize>> {
    /// Values longer than this are sentences that happen to begin with the word.
    const VALUE_BYTES_MAX: usize = 160;
    let mut out = Vec::new();
    for (index, line) in doc.lines.iter().enumerate() {
        let (start, _) = trim_by(doc.raw, line.start, line.end, |c| {
            !c.is_alphanumeric() && c != '📍'
        });
        let head = &doc.fold[start..super::text::floor(&doc.fold, start + 48).min(line.end)];
        let Some(hit) = labels.find(head).next().filter(|h| h.start == 0) else {
            continue;
        };
        let after = start + hit.end;
        let rest = &doc.raw[after..line.end];
        let value = rest.trim_start_matches(['(', 's', ')', '*', '_', ' ', '\u{a0}', '/']);
        let value_at = line.end - value.len();
        if let Some(marked) = value
            .strip_prefix([':', '：'])
            .or_else(|| value.strip_prefix("- "))
            .or_else(|| value.strip_prefix("– "))
            .or_else(|| value.strip_prefix('\t'))
            .or_else(|| (ends_label(doc, after) && !value.is_empty()).then_some(value))
            .or_else(|| (hit.phrase == "📍").then_some(value))
        {
            let (s, e) = trim_by(doc.raw, line.end - marked.len(), line.end, |c| {
                c.is_whitespace() || c == '*' || c == '_'
            });
            if s < e && e - s <= VALUE_BYTES_MAX {
                out.push(s..e);
                continue;
            }
            if s < e {
                continue;
            }
        }
        let heading = value
            .trim_matches(|c: char| !c.is_alphanumeric())
            .is_empty()
            && value_at <= line.end;
        if let Some(next) = doc
            .lines
            .get(index + 1)
            .filter(|n| heading && n.end - n.start <= VALUE_BYTES_MAX)
        {
            out.push(next.start..next.end);
        }
    }
    out
}

/// Whether an element of the page that may be a label ends at `at` or after a mark there.
fn ends_label(doc: &Doc, at: usize) -> bool {
    let Some(page) = &doc.page else { return false };
    page.label_ends.binary_search(&at).is_ok()
}

/// The lines after the title before the first blank line, at most five; without a blank line in
/// the first six lines, the first three.
pub(crate) fn block<'d>(doc: &'d Doc) -> &'d [Line] {
    const LINES_MAX: usize = 5;
    /// A longer line of a page is a paragraph.
    const PAGE_LINE_BYTES_MAX: usize = 140;
    let rest = doc.lines.get(doc.head + 1..).unwrap_or(&[]);
    // On a page every element has a line of its own, with gaps between them.
    let ends = |line: &Line| match doc.page {
        None => line.gap,
        Some(_) => line.end - line.start > PAGE_LINE_BYTES_MAX,
    };
    let end = rest.iter().position(ends).unwrap_or(rest.len());
    &rest[..end.min(LINES_MAX)]
}
