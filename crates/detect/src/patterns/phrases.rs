//! Many phrases found in one pass: [`Phrases`] wraps an Aho-Corasick automaton over a table of
//! (phrase, meaning). Phrases are written in lower case and match whole words of folded text.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// A table of phrases and the automaton that finds them.
pub(crate) struct Phrases<T: 'static> {
    automaton: Option<AhoCorasick>,
    table: &'static [(&'static str, T)],
}

/// A phrase found.
#[derive(Debug)]
pub(crate) struct Hit<T: 'static> {
    pub start: usize,
    pub end: usize,
    pub phrase: &'static str,
    pub tag: &'static T,
}

impl<T> Phrases<T> {
    /// The automaton reports overlapping matches, so that a phrase inside a longer one that is cut
    /// by a letter ("is full-time" in "this full-time role") is not lost.
    pub fn new(table: &'static [(&'static str, T)]) -> Self {
        // The contiguous automaton is built several times faster than a DFA; building counts,
        // since every file analysed on the command line is a new process.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(table.iter().map(|(phrase, _)| phrase))
            .ok();
        Self { automaton, table }
    }

    /// Every phrase that stands in `fold` as whole words, in order, without overlap; where two
    /// begin at the same place, the longer.
    pub fn find(&self, fold: &str) -> std::vec::IntoIter<Hit<T>> {
        let matches = self
            .automaton
            .iter()
            .flat_map(|a| a.find_overlapping_iter(fold));
        let whole = matches.filter(|m| is_whole(fold, m.start(), m.end()));
        let mut hits: Vec<Hit<T>> = whole
            .map(|m| {
                let (phrase, tag) = &self.table[m.pattern().as_usize()];
                Hit {
                    start: m.start(),
                    end: m.end(),
                    phrase,
                    tag,
                }
            })
            .collect();
        hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        let mut free = 0;
        hits.retain(|hit| {
            let apart = hit.start >= free;
            free = if apart { hit.end } else { free };
            apart
        });
        hits.into_iter()
    }

    /// Whether any phrase stands in `fold`.
    pub fn any(&self, fold: &str) -> bool {
        self.find(fold).len() > 0
    }
}

/// Whether `start..end` is bounded by something else than letters and digits, where it begins and
/// ends with one itself.
pub(crate) fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let inner = &text[start..end];
    let head = word(inner.chars().next()) && word(text[..start].chars().next_back());
    let tail = word(inner.chars().next_back()) && word(text[end..].chars().next());
    !head && !tail
}

impl<T> Clone for Hit<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Hit<T> {}
