//! Breaking a long text into lines of a given width, so that a window of lines can be drawn.
//!
//! A page of two megabytes is some 30,000 lines; drawing only those seen needs lines of one height,
//! so the breaking is done here, with glyph widths measured by the screen and passed in.

/// A line on screen: bytes `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// First byte.
    pub start: u32,
    /// One past the last byte drawn (line breaks and trailing blanks are left out).
    pub end: u32,
}

/// Lines at most; a text that needs more is shown up to there. (2 MB at 20 characters a line.)
pub const LINES_MAX: usize = 120_000;

/// Breaks `text` into lines no wider than `width`, at blanks where there are any.
///
/// `advance` is the width of a character in the unit of `width`.
pub fn wrap(text: &str, width: f32, advance: impl Fn(char) -> f32) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut blank_before = true;
    let mut at = 0;
    for paragraph in text.split('\n') {
        let is_blank = paragraph.trim().is_empty();
        // Several empty lines in a row say no more than one.
        if !(is_blank && blank_before) {
            wrap_paragraph(paragraph, at, width, &advance, &mut lines);
        }
        blank_before = is_blank;
        at += paragraph.len() + 1;
        if lines.len() >= LINES_MAX {
            lines.truncate(LINES_MAX);
            break;
        }
    }
    lines
}

/// The line that shows byte `at`, or the nearest before it.
pub fn line_of(lines: &[Line], at: u32) -> usize {
    lines
        .partition_point(|line| line.start <= at)
        .saturating_sub(1)
}

fn wrap_paragraph(
    paragraph: &str,
    base: usize,
    width: f32,
    advance: &impl Fn(char) -> f32,
    lines: &mut Vec<Line>,
) {
    let mut start = 0;
    let mut used = 0.0;
    // The end of the last blank seen on this line and the width used up to there.
    let mut break_at: Option<(usize, f32)> = None;
    for (i, c) in paragraph.char_indices() {
        let w = advance(c);
        if used + w > width && i > start && !c.is_whitespace() {
            let (next, kept) = break_at.unwrap_or((i, used));
            push(paragraph, base, start, next, lines);
            start = next;
            used -= kept;
            break_at = None;
        }
        used += w;
        if c.is_whitespace() {
            break_at = Some((i + c.len_utf8(), used));
        }
    }
    push(paragraph, base, start, paragraph.len(), lines);
}

fn push(paragraph: &str, base: usize, start: usize, end: usize, lines: &mut Vec<Line>) {
    let drawn = paragraph[start..end].trim_end().len();
    lines.push(Line {
        start: (base + start) as u32,
        end: (base + start + drawn) as u32,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: f32) -> Vec<&str> {
        wrap(text, width, |_| 1.0)
            .into_iter()
            .map(|line| &text[line.start as usize..line.end as usize])
            .collect()
    }

    #[test]
    fn lines_break_at_blanks_and_inside_words_that_are_too_long() {
        for (text, expected) in [
            ("", vec![]),
            ("one two three", vec!["one two", "three"]),
            ("exactly8 x", vec!["exactly8", "x"]),
            ("abcdefghijkl", vec!["abcdefgh", "ijkl"]),
            ("größer größer", vec!["größer", "größer"]),
            ("a\n\n\n\nb", vec!["a", "", "b"]),
            ("a   \nb", vec!["a", "b"]),
        ] {
            assert_eq!(wrapped(text, 8.0), expected, "{text:?}");
        }
    }

    #[test]
    fn every_letter_is_on_a_line_and_can_be_found() {
        let text =
            "We offer 48k to 55k a year, depending on experience.\nTwo days a week in Lyon. "
                .repeat(50);
        for width in [1.0, 7.0, 23.0, 400.0] {
            let lines = wrap(&text, width, |_| 1.0);
            for (i, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
                let line = lines[line_of(&lines, i as u32)];
                assert!(
                    (line.start..line.end).contains(&(i as u32)),
                    "{c} at {i}, width {width}"
                );
            }
        }
    }

    #[test]
    fn a_single_line_of_two_megabytes_is_cut_into_many() {
        let text = "x".repeat(2 << 20);
        assert_eq!(wrap(&text, 64.0, |_| 1.0).len(), (2 << 20) / 64);
        assert_eq!(wrap(&text, 1.0, |_| 1.0).len(), LINES_MAX);
    }
}
