//! The advertised title: the first line, as it stands; in a first line of segments the one that
//! names a role.

use super::{
    Context, Found,
    header::{ROLES, Segment},
    text::{Doc, trim_by},
};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::ops::Range;

/// Confidence in thousandths, measured on the labelled texts.
mod sure {
    /// The first line.
    pub const FIRST_LINE: u16 = 985;
    /// A line that the page's title begins with.
    pub const PAGE_TITLE: u16 = 900;
    /// The first line that is long, a sentence, or not in the page's title.
    pub const DOUBTFUL: u16 = 500;
    /// A page's main heading that its title repeats.
    pub const HEADING_TITLED: u16 = 900;
    /// A page's main heading that names a role, where no title contradicts it.
    pub const HEADING: u16 = 850;
    /// The same where the page's title says something else.
    pub const HEADING_UNTITLED: u16 = 720;
    /// A page's first line, where no heading names the posting.
    pub const PAGE_LINE: u16 = 550;
    /// A segment with a role's name.
    pub const SEGMENT: u16 = 780;
    /// The first segment, when no other names a role.
    pub const FIRST_SEGMENT: u16 = 300;
}

/// Longer lines are paragraphs.
const TITLE_CHARS_MAX: usize = 160;

/// Finds the title and says where it stands (an empty range if nowhere).
pub(crate) fn find(
    doc: &Doc,
    context: Context<'_>,
    segments: &[(Range<usize>, Segment)],
    sink: &mut dyn FnMut(Found),
) -> Range<usize> {
    let (range, thousandths) = match best(doc, context, segments) {
        Some(found) => found,
        None => return 0..0,
    };
    let value = FieldValue::Text(doc.raw[range.clone()].to_owned());
    sink(Found {
        field: FieldKey::Title,
        value,
        confidence: Confidence::new(thousandths),
        start: range.start,
        end: range.end,
    });
    range
}

fn best(
    doc: &Doc,
    context: Context<'_>,
    segments: &[(Range<usize>, Segment)],
) -> Option<(Range<usize>, u16)> {
    if segments.len() >= 3 {
        let role = segments.iter().find(|(_, kind)| *kind == Segment::Role);
        let first = segments
            .first()
            .map(|(span, _)| (span.clone(), sure::FIRST_SEGMENT));
        return role
            .map(|(span, _)| (span.clone(), sure::SEGMENT))
            .or(first);
    }
    if let Some(found) = heading(doc, context) {
        return Some(found);
    }
    let line = doc.head_line()?;
    // Marks of Markdown headings are not part of the title.
    let (start, end) = trim_by(doc.raw, line.start, line.end, |c| {
        matches!(c, '#' | '*' | ' ')
    });
    let words = &doc.raw[start..end];
    if let Some(page) = context.title
        && !page.contains(words)
        && let Some(range) = in_page_title(doc, page)
    {
        return Some((range, sure::PAGE_TITLE));
    }
    let sentence = words.ends_with(['.', '!', '?', ':']) && words.split_whitespace().count() > 8;
    let unsure = words.chars().count() > TITLE_CHARS_MAX
        || sentence
        || context.title.is_some_and(|page| !page.contains(words));
    let end = super::text::floor(doc.raw, end.min(start + 4 * TITLE_CHARS_MAX)).max(start);
    let sure = match &doc.page {
        _ if unsure => sure::DOUBTFUL,
        // The first line of a page may be anything; only the page's title confirms it.
        Some(page) if page.titled(&doc.raw[start..end]) == Some(true) => sure::HEADING_TITLED,
        Some(_) => sure::PAGE_LINE,
        None => sure::FIRST_LINE,
    };
    (start < end).then_some((start..end, sure))
}

/// The page's main heading.
fn heading(doc: &Doc, context: Context<'_>) -> Option<(Range<usize>, u16)> {
    let page = doc.page.as_ref()?;
    let range = page.heading.clone()?;
    let words = doc.raw.get(range.clone())?;
    let fold = &doc.fold[range.clone()];
    let known = context
        .title
        .is_some_and(|title| title.contains(words) || words.contains(title));
    let sure = match page.titled(words) {
        Some(true) => sure::HEADING_TITLED,
        _ if known => sure::HEADING,
        None if ROLES.any(fold) => sure::HEADING,
        _ if ROLES.any(fold) => sure::HEADING_UNTITLED,
        _ => sure::DOUBTFUL,
    };
    // "Baker - Oriel Bread" as the title and a slogan as the heading.
    if sure == sure::DOUBTFUL
        && let Some(title) = context.title
        && let Some(range) = in_page_title(doc, title)
    {
        return Some((range, sure::PAGE_TITLE));
    }
    (!range.is_empty()).then_some((range, sure))
}

/// One of the first lines that the page's title begins with ("Editor - Fable Press").
fn in_page_title(doc: &Doc, page: &str) -> Option<Range<usize>> {
    const LINES_LOOKED_AT: usize = 60;
    const TITLE_BYTES_MIN: usize = 5;
    let lines = doc.lines.iter().take(LINES_LOOKED_AT);
    let fits = |words: &str| {
        words.len() >= TITLE_BYTES_MIN
            && page.starts_with(words)
            && (ROLES.any(&super::text::fold(words)) || words.len() > 12)
    };
    lines
        .map(|line| line.start..line.end)
        .find(|range| fits(&doc.raw[range.clone()]))
}
