//! Finding fixed phrases in a text, with the sentence around them as evidence.

use crate::structured::evidence;
use ghostlight_model::{Evidence, Layer};
use std::ops::Range;

/// Bytes of a sentence quoted around a phrase.
const SENTENCE_BYTES_MAX: usize = 240;

/// A text prepared for looking up phrases: ASCII letters in lower case, so that offsets stay.
pub(crate) struct Phrases<'a> {
    text: &'a str,
    lower: String,
}

impl<'a> Phrases<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            lower: text.to_ascii_lowercase(),
        }
    }

    /// The first of `phrases` (in lower case) that stands in the text, at word boundaries.
    pub fn first(&self, phrases: &[&str]) -> Option<Range<usize>> {
        phrases
            .iter()
            .filter_map(|phrase| self.find(phrase, 0))
            .min_by_key(|range| range.start)
    }

    /// Like [`Phrases::first`], without those that stand in a condition ("until the position has
    /// been filled").
    pub fn first_stated(&self, phrases: &[&str]) -> Option<Range<usize>> {
        phrases
            .iter()
            .filter_map(|phrase| {
                let mut from = 0;
                while let Some(range) = self.find(phrase, from) {
                    if !self.is_conditional(&range) {
                        return Some(range);
                    }
                    from = range.end;
                }
                None
            })
            .min_by_key(|range| range.start)
    }

    /// How many different ones of `phrases` stand in the text.
    pub fn count(&self, phrases: &[&str]) -> usize {
        phrases
            .iter()
            .filter(|phrase| self.find(phrase, 0).is_some())
            .count()
    }

    /// The sentence around `range`, as evidence.
    pub fn sentence(&self, range: Range<usize>) -> Option<Evidence> {
        let ends = |c: char| matches!(c, '\n' | '.' | '!' | '?' | '•');
        let before = &self.text[..range.start];
        let start = before.rfind(ends).map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
        let after = &self.text[range.end..];
        let end = after
            .find(['\n', '.', '!', '?'])
            .map_or(self.text.len(), |at| range.end + at + 1);
        let sentence = if end - start > SENTENCE_BYTES_MAX {
            range
        } else {
            start..end
        };
        let raw = &self.text[sentence.clone()];
        let start = sentence.start + (raw.len() - raw.trim_start().len());
        evidence(
            self.text,
            Layer::Visible,
            start..start + raw.trim().len(),
            None,
        )
    }

    fn find(&self, phrase: &str, from: usize) -> Option<Range<usize>> {
        let mut at = from;
        while let Some(found) = self.lower.get(at..)?.find(phrase) {
            let range = at + found..at + found + phrase.len();
            let before = self.lower[..range.start].chars().next_back();
            let after = self.lower[range.end..].chars().next();
            let first = phrase.chars().next().is_some_and(char::is_alphanumeric);
            let last = phrase
                .chars()
                .next_back()
                .is_some_and(char::is_alphanumeric);
            let open = !(first && before.is_some_and(char::is_alphanumeric));
            let closed = !(last && after.is_some_and(char::is_alphanumeric));
            if open && closed {
                return Some(range);
            }
            at = range.end;
        }
        None
    }

    fn is_conditional(&self, range: &Range<usize>) -> bool {
        const WORDS: [&str; 14] = [
            "if", "once", "until", "when", "unless", "may", "wenn", "falls", "sobald", "bis", "si",
            "lorsque", "cuando", "hasta",
        ];
        let before = &self.lower[..range.start];
        let line = before.rsplit(['\n', '.', '!', '?']).next().unwrap_or("");
        line.split(|c: char| !c.is_alphanumeric())
            .rev()
            .take(8)
            .any(|word| WORDS.contains(&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_stand_at_word_boundaries_and_outside_conditions() {
        let phrases = Phrases::new("We bake. This POSITION has been filled! Thanks.");
        let range = phrases.first(&["position has been filled"]).unwrap();
        assert_eq!(
            phrases.sentence(range).unwrap().quote,
            "This POSITION has been filled!"
        );
        assert_eq!(Phrases::new("interposition").first(&["position"]), None);
        let text = "The advert stays up until the position has been filled.";
        assert_eq!(
            Phrases::new(text).first_stated(&["position has been filled"]),
            None
        );
    }
}
