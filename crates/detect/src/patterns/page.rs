//! What a page's layout adds to its text: which heading names the posting, what is navigation, and
//! where labels end.

use super::{
    Layout,
    header::{self, ROLES},
    text::{Doc, floor, fold},
};
use std::ops::Range;

/// What is known of the page a text was read from.
pub(crate) struct Seen {
    /// The heading that names the posting.
    pub heading: Option<Range<usize>>,
    /// Ends of short elements that may be labels, in order.
    pub label_ends: Vec<usize>,
    /// The page's titles, folded.
    pub titles: Vec<String>,
}

impl Seen {
    /// Whether one of the page's titles holds `words`, or is held by them but for the site's name.
    pub fn titled(&self, words: &str) -> Option<bool> {
        let words = squeezed(words);
        if self.titles.is_empty() || words.is_empty() {
            return None;
        }
        Some(self.titles.iter().any(|title| title.contains(&words)))
    }
}

/// Takes navigation out of the document and lets it begin at the heading that names the posting.
pub(crate) fn apply(doc: &mut Doc, layout: Layout<'_>) {
    let titles = [layout.page_title, layout.preview_title];
    let mut seen = Seen {
        heading: None,
        label_ends: layout.label_ends.to_vec(),
        titles: titles
            .into_iter()
            .flatten()
            .map(squeezed)
            .filter(|t| !t.is_empty())
            .collect(),
    };
    leave_out(doc, layout.frames);
    let fits = |range: &&Range<usize>| {
        doc.raw.get((*range).clone()).is_some_and(names_a_job)
            && !layout.frames.iter().any(|f| f.contains(&range.start))
    };
    let titled = |range: &&Range<usize>| seen.titled(&doc.raw[(*range).clone()]) == Some(true);
    let all: Vec<&Range<usize>> = layout.headings.iter().filter(fits).collect();
    // Most second headings name sections: only the page's title makes one of them the posting's.
    let section = || layout.subheadings.iter().filter(fits).find(titled);
    let heading = all
        .iter()
        .copied()
        .find(titled)
        .or_else(section)
        .or_else(|| {
            let mut roles = all.iter().copied();
            roles.find(|r| ROLES.any(&doc.fold[(*r).clone()]))
        })
        .or(all.first().copied())
        .cloned();
    if let Some(range) = &heading {
        doc.head = doc.line_at(range.start);
    } else {
        let first = doc
            .lines
            .iter()
            .position(|line| !header::is_navigation(doc.line(*line)));
        doc.head = first.unwrap_or(0);
    }
    // A heading broken over lines is named by its first.
    seen.heading = heading.map(|range| {
        let end = doc.head_line().map_or(range.end, |line| line.end);
        range.start..range.end.min(end).max(range.start)
    });
    doc.page = Some(seen);
}

/// Blanks the frame, so that nothing is read from it; a page that is nothing else is kept.
fn leave_out(doc: &mut Doc, frames: &[Range<usize>]) {
    let inside = |at: usize| frames.iter().any(|f| f.contains(&at));
    if frames.is_empty() || doc.lines.iter().all(|line| inside(line.start)) {
        return;
    }
    let mut blank = String::with_capacity(doc.fold.len());
    let mut at = 0;
    for frame in frames {
        let (start, end) = (
            floor(&doc.fold, frame.start).max(at),
            floor(&doc.fold, frame.end),
        );
        if start >= end {
            continue;
        }
        blank.push_str(&doc.fold[at..start]);
        blank.extend(
            doc.fold[start..end]
                .bytes()
                .map(|b| if b == b'\n' { '\n' } else { ' ' }),
        );
        at = end;
    }
    blank.push_str(&doc.fold[at..]);
    doc.fold = blank;
    doc.lines.retain(|line| !inside(line.start));
    doc.mentions.retain(|m| !inside(m.start));
}

/// Whether a heading may name a posting: not a section of the site.
fn names_a_job(words: &str) -> bool {
    /// Longer headings are slogans.
    const HEADING_CHARS_MAX: usize = 160;
    let fold = squeezed(words);
    let generic = [
        "career",
        "careers",
        "jobs",
        "our jobs",
        "job",
        "job details",
        "job description",
        "join us",
        "join our team",
        "work with us",
        "vacancies",
        "vacancy",
        "open positions",
        "current openings",
        "job openings",
        "all jobs",
        "apply",
        "apply now",
        "home",
        "menu",
        "search",
        "search jobs",
        "karriere",
        "stellenangebot",
        "stellenangebote",
        "offres d'emploi",
        "offre d'emploi",
        "empleo",
        "nos offres",
        "about us",
        "contact",
        "similar jobs",
        "related jobs",
        "cookies",
        "privacy",
    ];
    !fold.is_empty()
        && words.chars().count() <= HEADING_CHARS_MAX
        && !generic.contains(&fold.as_str())
        && !fold.starts_with("careers at ")
        && !fold.starts_with("jobs at ")
        && !fold.starts_with("about ")
        && !fold.ends_with(" careers")
}

/// Lower case, blanks collapsed.
fn squeezed(text: &str) -> String {
    fold(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::header::is_navigation;

    #[test]
    fn menus_are_told_from_header_lines() {
        for (line, want) in [
            ("Home | Depots | Vacancies | Contact", true),
            ("Jobs > Berlin > Baker", true),
            ("Home", true),
            ("About us · Blog · Login", true),
            ("Oriel Bread | Night Baker | Leeds | Onsite", false),
            ("Oriel Bread · Leeds · Full-time", false),
            ("Night Baker", false),
        ] {
            assert_eq!(is_navigation(line), want, "{line}");
        }
    }
}
