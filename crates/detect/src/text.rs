//! Text as a reader sees it: blanks collapsed, blocks as lines, list items with a dash.

/// Builds text from pieces and breaks. Never grows beyond its bound; says whether it met it.
#[derive(Debug)]
pub(crate) struct TextWriter {
    out: String,
    bytes_max: usize,
    full: bool,
    breaks: u8,
    space: bool,
    tab: bool,
    bullet: bool,
    inline_edge: bool,
}

impl TextWriter {
    pub fn new(bytes_max: usize) -> Self {
        Self {
            out: String::new(),
            bytes_max,
            full: false,
            breaks: 0,
            space: false,
            tab: false,
            bullet: false,
            inline_edge: false,
        }
    }

    /// Bytes written so far, without breaks that wait for the next word.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written so far.
    pub fn written(&self) -> &str {
        &self.out
    }

    /// Whether something was left out.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// A line break (1) or a blank line (2) before what follows.
    pub fn line(&mut self, breaks: u8) {
        // The first block of a list item stands behind its dash.
        if !self.bullet {
            self.breaks = self.breaks.max(breaks);
        }
    }

    /// A list item begins.
    pub fn item(&mut self) {
        self.bullet = false;
        self.line(1);
        self.bullet = true;
    }

    /// A list item ends; the next one follows on the next line, however it ended.
    pub fn end_item(&mut self) {
        self.bullet = false;
        self.breaks = 1;
    }

    /// A table cell begins.
    pub fn cell(&mut self) {
        self.tab = true;
    }

    /// A blank before what follows.
    pub fn space(&mut self) {
        self.space = true;
    }

    /// An inline element ended: `Berlin</span><span>Full-time` are two words.
    pub fn edge(&mut self) {
        self.inline_edge = true;
    }

    /// Text with blanks collapsed.
    pub fn text(&mut self, text: &str) {
        if self.full {
            return;
        }
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if is_blank(first) {
                self.space = true;
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let end = rest.find(is_blank).unwrap_or(rest.len());
            self.word(&rest[..end]);
            rest = &rest[end..];
        }
        self.inline_edge = false;
    }

    /// Text with its line breaks kept (`<pre>`).
    pub fn preformatted(&mut self, text: &str) {
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.breaks = (self.breaks + 1).min(2);
            }
            self.text(line);
        }
    }

    /// The text, without blanks at its ends.
    pub fn finish(self) -> String {
        self.out
    }

    fn word(&mut self, word: &str) {
        if self.out.len() + word.len() + 4 > self.bytes_max {
            self.full = true;
            return;
        }
        if !self.out.is_empty() {
            if self.breaks > 0 {
                self.out
                    .push_str(if self.breaks == 1 { "\n" } else { "\n\n" });
            } else if self.tab {
                self.out.push('\t');
            } else if self.space || (self.inline_edge && runs_together(&self.out, word)) {
                self.out.push(' ');
            }
        }
        if self.bullet {
            self.out.push_str("- ");
        }
        (
            self.breaks,
            self.space,
            self.tab,
            self.bullet,
            self.inline_edge,
        ) = (0, false, false, false, false);
        self.out.push_str(word);
    }
}

/// A small letter, digit or bracket before a capital: a gap that only style sheets show.
fn runs_together(before: &str, word: &str) -> bool {
    let last = before.chars().next_back().unwrap_or(' ');
    let first = word.chars().next().unwrap_or(' ');
    (last.is_lowercase() || last.is_ascii_digit() || last == ')') && first.is_uppercase()
}

pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{2060}' | '\u{0}')
}

/// Cuts `text` to at most `bytes_max` bytes, on a character boundary.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds() {
        let mut writer = TextWriter::new(20);
        writer.text("one two three four five six");
        assert!(writer.is_full());
        assert!(writer.finish().len() <= 20);
    }
}
