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

/// A text that is being broken into lines, a part at a time: two megabytes take longer than a frame.
#[derive(Debug, Clone, Default)]
pub struct Wrapping {
    lines: Vec<Line>,
    /// The next byte to look at.
    at: usize,
    /// Where the present line begins.
    start: usize,
    /// Its width so far.
    used: f32,
    /// The end of the last blank seen on this line and the width used up to there.
    break_at: Option<(usize, f32)>,
    /// Whether the present paragraph has any letter.
    has_letters: bool,
    /// Whether the paragraph before had one.
    had_letters: bool,
    over: bool,
}

impl Wrapping {
    /// Goes on for about so many bytes of `text`, with lines no wider than `width`, broken at blanks where there are any.
    /// `advance` is the width of a character in the unit of `width`. All three are the same each time.
    pub fn go_on(&mut self, text: &str, bytes: usize, width: f32, advance: impl Fn(char) -> f32) {
        let end = text.ceil_char_boundary(self.at.saturating_add(bytes).min(text.len()));
        let part = text.get(self.at..end).unwrap_or_default();
        let from = self.at;
        for (i, c) in part.char_indices() {
            let i = from + i;
            if c == '\n' {
                self.end_paragraph(text, i);
                self.start = i + 1;
            } else {
                self.take(text, (i, c), width, advance(c));
            }
            if self.over {
                return;
            }
        }
        self.at = end;
        if end == text.len() {
            self.end_paragraph(text, end);
            self.over = true;
        }
    }

    /// Whether that was all of it.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The lines so far.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    fn take(&mut self, text: &str, (i, c): (usize, char), width: f32, advance: f32) {
        let is_blank = c.is_whitespace();
        self.has_letters |= !is_blank;
        if !is_blank && self.used + advance > width && i > self.start {
            let (next, kept) = self.break_at.unwrap_or((i, self.used));
            self.push(text, next);
            self.start = next;
            self.used -= kept;
            self.break_at = None;
        }
        self.used += advance;
        if is_blank {
            self.break_at = Some((i + c.len_utf8(), self.used));
        }
    }

    fn end_paragraph(&mut self, text: &str, end: usize) {
        // Several empty lines in a row say no more than one.
        if self.has_letters || self.had_letters {
            self.push(text, end);
        }
        self.had_letters = self.has_letters;
        self.has_letters = false;
        (self.used, self.break_at) = (0.0, None);
    }

    fn push(&mut self, text: &str, end: usize) {
        let line = text.get(self.start..end).unwrap_or_default();
        self.lines.push(Line {
            start: self.start as u32,
            end: (self.start + line.trim_end().len()) as u32,
        });
        self.over |= self.lines.len() >= LINES_MAX;
    }
}

/// The line that shows byte `at`, or the nearest before it.
pub fn line_of(lines: &[Line], at: u32) -> usize {
    lines
        .partition_point(|line| line.start <= at)
        .saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(text: &str, width: f32, advance: impl Fn(char) -> f32) -> Vec<Line> {
        let mut wrapping = Wrapping::default();
        wrapping.go_on(text, text.len(), width, advance);
        assert!(wrapping.is_over());
        wrapping.into_lines()
    }

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
    fn in_parts_it_is_the_same() {
        let text = "We offer größere 48k.\n\n\nTwo days\na week, in   Lyon \n \n \nand\n".repeat(9);
        let whole = wrap(&text, 8.0, |_| 1.0);
        for bytes in 1..40 {
            let mut wrapping = Wrapping::default();
            while !wrapping.is_over() {
                let before = wrapping.lines().len();
                wrapping.go_on(&text, bytes, 8.0, |_| 1.0);
                assert!(wrapping.lines().len() - before <= bytes + 4, "{bytes}");
            }
            assert_eq!(wrapping.into_lines(), whole, "{bytes}");
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
