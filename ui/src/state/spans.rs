//! Which words of a layer are quoted by which fields and signals, cut into pieces that can be drawn.
//!
//! Spans may nest and overlap; a line is drawn as a row of [`Piece`]s, each with the spans that
//! cover it.

use ghostlight_model::{Evidence, FieldKey, Layer};

/// A quote longer than this many bytes is a passage (a description): drawn only when selected, or
/// it would drown the others.
const PASSAGE_BYTES: u32 = 400;

/// Who quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A field's value that stands.
    Field(FieldKey),
    /// A signal, by its id.
    Signal(String),
}

/// A quoted span of the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Who quotes it.
    pub owner: Owner,
}

impl Span {
    /// Whether it is too long to be marked unless selected.
    pub fn is_passage(&self) -> bool {
        self.end - self.start > PASSAGE_BYTES
    }
}

/// A piece of a line: bytes `start..end`, and the spans that cover it (indices, shortest first).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Indices of covering spans, shortest first.
    pub spans: Vec<usize>,
}

/// The spans of `layer` among `quotes`, in order of their start; those that do not hold in `text`
/// are left out (they would mark the wrong words).
pub fn spans_of<'a>(
    quotes: impl Iterator<Item = (Owner, &'a Evidence)>,
    layer: Layer,
    text: &str,
) -> Vec<Span> {
    let mut spans: Vec<Span> = quotes
        .filter(|(_, evidence)| evidence.layer == layer && evidence.start < evidence.end)
        .filter(|(_, evidence)| {
            text.get(evidence.start as usize..evidence.end as usize)
                == Some(evidence.quote.as_str())
        })
        .map(|(owner, evidence)| Span {
            start: evidence.start,
            end: evidence.end,
            owner,
        })
        .collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    spans
}

/// Cuts `start..end` where spans begin and end.
pub fn pieces(spans: &[Span], start: u32, end: u32) -> Vec<Piece> {
    let near: Vec<usize> = (0..spans.len())
        .filter(|&i| spans[i].start < end && spans[i].end > start)
        .collect();
    let mut cuts = vec![start, end];
    for &i in &near {
        cuts.extend([spans[i].start, spans[i].end].map(|cut| cut.clamp(start, end)));
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|cut| piece(spans, &near, cut[0], cut[1]))
        .collect()
}

fn piece(spans: &[Span], near: &[usize], start: u32, end: u32) -> Piece {
    let mut covering: Vec<usize> = near
        .iter()
        .copied()
        .filter(|&i| spans[i].start <= start && spans[i].end >= end)
        .collect();
    covering.sort_by_key(|&i| spans[i].end - spans[i].start);
    Piece {
        start,
        end,
        spans: covering,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u32, end: u32, name: &str) -> Span {
        Span {
            start,
            end,
            owner: Owner::Field(FieldKey::from(name)),
        }
    }

    /// Pieces as text: `2-5:1,0` are bytes 2 to 5, covered by spans 1 and 0.
    fn cut(spans: &[Span], start: u32, end: u32) -> String {
        let piece = |p: &Piece| {
            let covering: Vec<String> = p.spans.iter().map(usize::to_string).collect();
            format!("{}-{}:{}", p.start, p.end, covering.join(","))
        };
        let all: Vec<String> = pieces(spans, start, end).iter().map(piece).collect();
        all.join(" ")
    }

    #[test]
    fn lines_are_cut_where_spans_begin_and_end() {
        let nested = [span(2, 10, "salary"), span(4, 6, "title")];
        let overlapping = [span(2, 6, "title"), span(4, 9, "company")];
        for (spans, start, end, expected) in [
            (&[][..], 0, 8, "0-8:"),
            (&nested, 0, 12, "0-2: 2-4:0 4-6:1,0 6-10:0 10-12:"),
            (&overlapping, 0, 10, "0-2: 2-4:0 4-6:0,1 6-9:1 9-10:"),
            // A span that began on an earlier line and goes on.
            (&nested, 5, 8, "5-6:1,0 6-8:0"),
            (&nested, 20, 30, "20-30:"),
            (&nested, 3, 3, ""),
        ] {
            assert_eq!(cut(spans, start, end), expected);
        }
    }

    #[test]
    fn only_spans_that_hold_in_this_layer_are_marked() {
        let text = "größer";
        let evidence = |layer, start: u32, end: u32| Evidence {
            layer,
            start,
            end,
            quote: text.get(start as usize..end as usize).unwrap_or("?").into(),
            pointer: None,
        };
        // Bytes that exist, and hold other words than those quoted from an earlier capture.
        let of_an_earlier_capture = Evidence {
            quote: "Größe".into(),
            ..evidence(Layer::Visible, 0, 4)
        };
        let quotes = [
            evidence(Layer::Visible, 0, 4),
            evidence(Layer::Source, 0, 2),
            // In the middle of a letter, beyond the end, and empty.
            evidence(Layer::Visible, 0, 3),
            evidence(Layer::Visible, 0, 99),
            evidence(Layer::Visible, 1, 1),
            of_an_earlier_capture,
        ];
        let owned = quotes.iter().map(|e| (Owner::Signal("s".into()), e));
        let spans = spans_of(owned, Layer::Visible, text);
        assert_eq!(spans.len(), 1);
        assert_eq!((spans[0].start, spans[0].end), (0, 4));
    }
}
