//! The text as the detectors see it: bounded, folded to lower case without moving a byte, cut into
//! lines, its language guessed. [`Doc`] is made once for each text and shared by all detectors.

use super::{
    gazetteer::{self, Mention},
    phrases::Phrases,
};
use std::sync::LazyLock;

/// Patterns read the first 256 kB of a text; what follows is not looked at. The longest posting
/// seen has 60 kB.
pub(crate) const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Language of a text, as far as patterns care (order of day and month, meaning of "CDI").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    De,
    Fr,
    Es,
}

/// A line that is not blank, without the blanks around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub start: usize,
    pub end: usize,
    /// Whether a blank line stands before it.
    pub gap: bool,
}

/// A text ready for detection. Offsets into `raw` and `fold` are the same.
pub(crate) struct Doc<'a> {
    pub raw: &'a str,
    /// `raw` in lower case, byte for byte as long.
    pub fold: String,
    pub lines: Vec<Line>,
    pub lang: Lang,
    /// Every place named in the text, in order.
    pub mentions: Vec<Mention>,
    /// Index of the line that opens the posting: the first, or a page's main heading.
    pub head: usize,
    /// What is known of the page the text was read from.
    pub page: Option<super::page::Seen>,
}

impl<'a> Doc<'a> {
    pub fn new(text: &'a str, language: Option<&str>) -> Self {
        let raw = &text[..floor(text, TEXT_BYTES_MAX)];
        let fold = fold(raw);
        let lines = lines(raw);
        let lang = match language.and_then(|l| l.get(..2)) {
            Some("de") => Lang::De,
            Some("fr") => Lang::Fr,
            Some("es") => Lang::Es,
            Some("en") => Lang::En,
            _ => guess(&fold),
        };
        let mut mentions = gazetteer::mentions(raw);
        mentions.retain(|m| !is_month(&fold, m));
        Self {
            raw,
            fold,
            lines,
            lang,
            mentions,
            head: 0,
            page: None,
        }
    }

    /// The line that opens the posting: the title, or a line of segments.
    pub fn head_line(&self) -> Option<Line> {
        self.lines.get(self.head).copied()
    }

    /// Where the text after the opening line begins.
    pub fn below_head(&self) -> usize {
        self.head_line().map_or(0, |line| line.end)
    }

    /// The words of a line.
    pub fn line(&self, line: Line) -> &'a str {
        &self.raw[line.start..line.end]
    }

    /// Index of the line that holds byte `at`.
    pub fn line_at(&self, at: usize) -> usize {
        self.lines
            .partition_point(|line| line.end <= at)
            .min(self.lines.len().saturating_sub(1))
    }

    /// At most `bytes` of folded text before `at`, not beyond its line.
    pub fn before(&self, at: usize, bytes: usize) -> &str {
        let from = ceil(&self.fold, at.saturating_sub(bytes));
        let window = &self.fold[from.min(at)..at];
        window.rfind('\n').map_or(window, |i| &window[i + 1..])
    }

    /// At most `bytes` of folded text after `at`, not beyond its line.
    pub fn after(&self, at: usize, bytes: usize) -> &str {
        let window = &self.fold[at..floor(&self.fold, at + bytes)];
        window.find('\n').map_or(window, |i| &window[..i])
    }

    /// The line before `at`'s line, folded, when it is short enough to be a heading or a label.
    pub fn heading_before(&self, at: usize) -> &str {
        const HEADING_BYTES_MAX: usize = 90;
        let index = self.line_at(at);
        match index.checked_sub(1).map(|i| self.lines[i]) {
            Some(line) if line.end - line.start <= HEADING_BYTES_MAX => {
                &self.fold[line.start..line.end]
            }
            _ => "",
        }
    }

    /// The sentence around `start..end`, at most `bytes` to each side.
    pub fn sentence(&self, start: usize, end: usize, bytes: usize) -> (usize, usize) {
        let line = self.lines.get(self.line_at(start)).copied();
        let (first, last) = line.map_or((0, self.raw.len()), |l| (l.start, l.end));
        let from = ceil(self.raw, start.saturating_sub(bytes))
            .max(first)
            .min(start);
        let to = floor(self.raw, end + bytes).min(last.max(end)).max(end);
        let stops = [". ", "! ", "? ", "; "];
        let head = &self.raw[from..start];
        let begin = stops
            .iter()
            .filter_map(|s| head.rfind(s).map(|i| from + i + 2))
            .max();
        let tail = &self.raw[end..to];
        let stop = stops
            .iter()
            .filter_map(|s| tail.find(s).map(|i| end + i + 1))
            .min();
        (begin.unwrap_or(from).min(start), stop.unwrap_or(to))
    }
}

/// Whether the town of March is the month: "1 March", "March 2026".
fn is_month(fold: &str, mention: &Mention) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    fold[mention.start..mention.end].starts_with("march")
        && (fold[..mention.start].trim_end().ends_with(digit)
            || fold[mention.end..].trim_start().starts_with(digit))
}

/// `at` or the char boundary before it.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// `at` or the char boundary after it.
pub(crate) fn ceil(text: &str, at: usize) -> usize {
    (at..text.len())
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(text.len())
}

/// Lower case where that keeps a character's length in bytes, so that offsets stay true.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(l), None) if l.len_utf8() == c.len_utf8() => out.push(l),
            _ => out.push(c),
        }
    }
    out
}

/// `start..end` without blanks and marks that carry no meaning (byte-order mark, zero-width).
pub(crate) fn trim(text: &str, start: usize, end: usize) -> (usize, usize) {
    trim_by(text, start, end, |c| {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200d}')
    })
}

/// `start..end` without the characters for which `drop` holds at both ends.
pub(crate) fn trim_by(
    text: &str,
    start: usize,
    end: usize,
    drop: impl Fn(char) -> bool,
) -> (usize, usize) {
    let part = &text[start..end];
    let tail = part.trim_end_matches(&drop);
    let head = tail.trim_start_matches(&drop);
    (start + tail.len() - head.len(), start + tail.len())
}

fn lines(text: &str) -> Vec<Line> {
    let (mut out, mut start, mut gap) = (Vec::new(), 0, false);
    for piece in text.split_inclusive('\n') {
        let (s, e) = trim(text, start, start + piece.len());
        start += piece.len();
        if s == e {
            gap = true;
        } else {
            out.push(Line {
                start: s,
                end: e,
                gap,
            });
            gap = false;
        }
    }
    out
}

/// Words that are frequent in one of the languages and absent from the others.
#[rustfmt::skip]
static STOP_WORDS: LazyLock<Phrases<Lang>> = LazyLock::new(|| {
    use Lang::*;
    Phrases::new(&[
        ("the", En), ("and", En), ("with", En), ("you", En), ("our", En), ("of", En), ("to", En),
        ("und", De), ("der", De), ("die", De), ("mit", De), ("für", De), ("wir", De), ("du", De),
        ("bei", De), ("sie", De), ("ist", De), ("im", De), ("m/w/d", De),
        ("et", Fr), ("les", Fr), ("des", Fr), ("vous", Fr), ("pour", Fr), ("nous", Fr), ("une", Fr),
        ("dans", Fr), ("du poste", Fr), ("h/f", Fr), ("f/h", Fr), ("au", Fr),
        ("y", Es), ("los", Es), ("las", Es), ("para", Es), ("con", Es), ("una", Es), ("nuestro", Es),
        ("el", Es), ("del", Es), ("por", Es),
    ])
});

/// The language most of whose frequent words stand in the first 4 kB.
fn guess(fold: &str) -> Lang {
    const SAMPLE_BYTES: usize = 4096;
    let mut counts = [0usize; 4];
    for hit in STOP_WORDS.find(&fold[..floor(fold, SAMPLE_BYTES)]) {
        counts[*hit.tag as usize] += 1;
    }
    let best = [Lang::De, Lang::Fr, Lang::Es]
        .into_iter()
        .max_by_key(|l| counts[*l as usize]);
    match best {
        Some(lang) if counts[lang as usize] > counts[Lang::En as usize] => lang,
        _ => Lang::En,
    }
}
