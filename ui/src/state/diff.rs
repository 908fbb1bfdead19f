//! What differs between two texts: words where they are few, else lines, else it is not marked at all.
//!
//! The work is bounded by the number of words or lines between what both texts begin and end with, so that it holds up
//! no frame however long the texts are. Whoever draws a [`Diff`] keeps it: it is made once for a pair of texts.

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};
use std::ops::Range;

/// Words or lines of both texts together that are compared at most, those apart that both begin and end with. The worst
/// case, in which nothing is alike, takes the square of it: some 50 ms in the window.
pub const PIECES_MAX: usize = 4_000;

/// A stretch of one of the texts, in bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// In both texts, as it stands in the second.
    Same(Range<usize>),
    /// Only in the first.
    Gone(Range<usize>),
    /// Only in the second.
    New(Range<usize>),
}

/// What is to be read of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first, with what is only there.
    Before,
    /// The second, with what is only there.
    After,
    /// The second, and what went in between.
    Both,
}

/// Two texts, and what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    before: String,
    after: String,
    stretches: Option<Vec<Stretch>>,
}

impl Diff {
    /// Of these texts.
    pub fn of(before: String, after: String) -> Self {
        let stretches = stretches(&before, &after);
        Self {
            before,
            after,
            stretches,
        }
    }

    /// Whether what differs is known: beyond [`PIECES_MAX`] it is not, and both texts stand as they are.
    pub fn is_marked(&self) -> bool {
        self.stretches.is_some()
    }

    /// Whether anything but blanks is in both.
    pub fn has_both(&self) -> bool {
        let mut parts = self.parts(Side::After).into_iter();
        parts.any(|(tag, text)| tag == ChangeTag::Equal && !text.trim().is_empty())
    }

    /// The parts of a side in order; [`ChangeTag::Equal`] for what is in both texts, or not marked.
    pub fn parts(&self, side: Side) -> Vec<(ChangeTag, &str)> {
        let Some(stretches) = &self.stretches else {
            let whole = match side {
                Side::Before => &self.before,
                Side::After | Side::Both => &self.after,
            };
            return vec![(ChangeTag::Equal, whole)];
        };
        let part = |stretch: &Stretch| match stretch {
            Stretch::Same(at) => Some((ChangeTag::Equal, &self.after[at.clone()])),
            Stretch::Gone(at) if side != Side::After => {
                Some((ChangeTag::Delete, &self.before[at.clone()]))
            }
            Stretch::New(at) if side != Side::Before => {
                Some((ChangeTag::Insert, &self.after[at.clone()]))
            }
            Stretch::Gone(_) | Stretch::New(_) => None,
        };
        stretches.iter().filter_map(part).collect()
    }
}

/// The lines that changed, in groups, with so many of their neighbours; `None` beyond [`PIECES_MAX`].
pub fn changed_lines(
    before: &str,
    after: &str,
    around: usize,
) -> Option<Vec<Vec<(ChangeTag, String)>>> {
    let (old, new) = (lines(before), lines(after));
    let (head, tail) = alike(&old, &new);
    let (head, tail) = (head.saturating_sub(around), tail.saturating_sub(around));
    let (old, new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let ops = ops(old, new)?;
    let groups = similar::group_diff_ops(ops, around);
    let lines = |op: &DiffOp| {
        op.iter_changes(old, new)
            .map(|change| (change.tag(), change.value().trim_end().to_owned()))
            .collect::<Vec<_>>()
    };
    let groups = groups.iter().filter(|group| !group.is_empty());
    Some(
        groups
            .map(|group| group.iter().flat_map(lines).collect())
            .collect(),
    )
}

fn stretches(before: &str, after: &str) -> Option<Vec<Stretch>> {
    marked(before, after, words).or_else(|| marked(before, after, lines))
}

/// By these pieces, if there are not too many.
fn marked(before: &str, after: &str, pieces: impl Fn(&str) -> Vec<&str>) -> Option<Vec<Stretch>> {
    // What whole lines have in common goes first: to cut a long text into words costs more than to compare its lines.
    let (old, new) = (lines(before), lines(after));
    let (head, tail) = alike(&old, &new);
    let bytes = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let (head, tail) = (bytes(&new[..head]), bytes(&new[new.len() - tail..]));
    let (old, new) = (
        pieces(&before[head..before.len() - tail]),
        pieces(&after[head..after.len() - tail]),
    );
    let (first, last) = alike(&old, &new);
    let ops = ops(&old[first..old.len() - last], &new[first..new.len() - last])?;
    let mut all = Vec::new();
    let same = head + bytes(&new[..first]);
    push(&mut all, Stretch::Same(0..same));
    let (mut at_old, mut at_new) = (same, same);
    for (alike, from, to) in readable(ops, &new[first..]) {
        let gone = at_old..at_old + bytes(&old[first + from.start..first + from.end]);
        let came = at_new..at_new + bytes(&new[first + to.start..first + to.end]);
        (at_old, at_new) = (gone.end, came.end);
        if alike {
            push(&mut all, Stretch::Same(came));
        } else {
            push(&mut all, Stretch::Gone(gone));
            push(&mut all, Stretch::New(came));
        }
    }
    push(&mut all, Stretch::Same(at_new..after.len()));
    Some(all)
}

/// Whether it is in both, and where in either, in pieces. What is new stands after what is gone, so a blank that happens
/// to be in both between two changes is part of them: else the words of both would stand between each other.
fn readable(ops: Vec<DiffOp>, new: &[&str]) -> Vec<(bool, Range<usize>, Range<usize>)> {
    let last = ops.len().saturating_sub(1);
    let mut all: Vec<(bool, Range<usize>, Range<usize>)> = Vec::new();
    for (at, op) in ops.into_iter().enumerate() {
        let (from, to) = (op.old_range(), op.new_range());
        let blank = new[to.clone()].iter().all(|piece| piece.trim().is_empty());
        let between = at > 0 && at < last;
        let alike = matches!(op, DiffOp::Equal { .. }) && !(blank && between);
        match all.last_mut() {
            Some((false, old, new)) if !alike => (old.end, new.end) = (from.end, to.end),
            _ => all.push((alike, from, to)),
        }
    }
    all
}

/// Adds a stretch that is not empty, to the last one if it goes on from there.
fn push(all: &mut Vec<Stretch>, next: Stretch) {
    let (Stretch::Same(at) | Stretch::Gone(at) | Stretch::New(at)) = &next;
    if at.is_empty() {
        return;
    }
    match (all.last_mut(), &next) {
        (Some(Stretch::Same(last)), Stretch::Same(at)) => last.end = at.end,
        (Some(Stretch::Gone(last)), Stretch::Gone(at)) => last.end = at.end,
        (Some(Stretch::New(last)), Stretch::New(at)) => last.end = at.end,
        _ => all.push(next),
    }
}

/// `None` beyond the bound.
fn ops(old: &[&str], new: &[&str]) -> Option<Vec<DiffOp>> {
    (old.len() + new.len() <= PIECES_MAX).then(|| {
        let mut compare = TextDiff::configure();
        compare.algorithm(Algorithm::Myers);
        compare.diff_slices(old, new).ops().to_vec()
    })
}

/// How many pieces both begin with, and how many more both end with.
fn alike(old: &[&str], new: &[&str]) -> (usize, usize) {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let pairs = old.iter().rev().zip(new.iter().rev());
    (head, pairs.take_while(|(a, b)| a == b).count())
}

/// Lines with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Words, and what stands between them.
fn words(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let blank = first.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != blank);
        let (piece, next) = rest.split_at(end.unwrap_or(rest.len()));
        all.push(piece);
        rest = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides, and both in one: `-…-` is gone, `+…+` is new.
    fn drawn(before: &str, after: &str) -> [String; 3] {
        let diff = Diff::of(before.into(), after.into());
        [Side::Before, Side::After, Side::Both].map(|side| {
            let parts = diff.parts(side).into_iter();
            let part = |(tag, text): (ChangeTag, &str)| match tag {
                ChangeTag::Equal => text.to_owned(),
                ChangeTag::Delete => format!("-{text}-"),
                ChangeTag::Insert => format!("+{text}+"),
            };
            parts.map(part).collect()
        })
    }

    #[test]
    fn words_that_differ_are_marked_on_their_side() {
        assert_eq!(
            drawn("Senior Tide Engineer", "Senior Gauge Engineer"),
            [
                "Senior -Tide- Engineer",
                "Senior +Gauge+ Engineer",
                "Senior -Tide-+Gauge+ Engineer"
            ]
        );
        assert_eq!(
            drawn("", "all\nof it"),
            ["", "+all\nof it+", "+all\nof it+"]
        );
        assert_eq!(drawn("gone", ""), ["-gone-", "", "-gone-"]);
        assert_eq!(drawn("as é was", "as é was"), ["as é was"; 3]);
        assert_eq!(drawn("", ""), [""; 3]);
        // A blank that is in both does not put the words of both between each other.
        assert_eq!(
            drawn("Senior Backend Engineer", "Head of Gauges")[2],
            "-Senior Backend Engineer-+Head of Gauges+"
        );
        assert!(!Diff::of("Senior Engineer".into(), "Tide Keeper".into()).has_both());
        assert!(Diff::of("Senior Engineer".into(), "Engineer".into()).has_both());
        // A line that both end with, after lines of other lengths.
        assert_eq!(
            drawn("één\ntwo\nend", "één\nzwölf\nend")[2],
            "één\n-two-+zwölf+\nend"
        );
    }

    /// Whatever is marked, a side without what is not of it is the text.
    #[test]
    fn no_side_loses_a_byte() {
        let texts = [
            "a b c",
            "a\n\nb  c\n",
            "",
            "\n",
            "x",
            "a b x c",
            "c b a",
            "  a",
            "a b c\nd e f\n",
        ];
        for before in texts {
            for after in texts {
                let diff = Diff::of(before.into(), after.into());
                let all = |side, not: ChangeTag| -> String {
                    let parts = diff.parts(side).into_iter();
                    parts
                        .filter(|part| part.0 != not)
                        .map(|part| part.1)
                        .collect()
                };
                assert_eq!(all(Side::Before, ChangeTag::Insert), before);
                assert_eq!(all(Side::After, ChangeTag::Delete), after);
                assert_eq!(all(Side::Both, ChangeTag::Delete), after);
            }
        }
    }

    fn many(n: usize, word: &str, end: &str) -> String {
        (0..n).map(|i| format!("{word}{i}{end}")).collect()
    }

    #[test]
    fn beyond_the_bound_lines_are_marked_and_then_nothing() {
        // Words and the blanks between them.
        let few = Diff::of(many(900, "a", " "), many(900, "b", " "));
        assert!(few.is_marked());
        let (long, other) = (many(3_000, "a", " "), many(3_000, "b", " "));
        let by_line = Diff::of(format!("{long}\nend"), format!("{other}\nend"));
        assert_eq!(
            by_line.parts(Side::Before),
            [
                (ChangeTag::Delete, format!("{long}\n").as_str()),
                (ChangeTag::Equal, "end")
            ]
        );
        let (long, other) = (many(3_000, "a", "\n"), many(3_000, "b", "\n"));
        let none = Diff::of(long.clone(), other.clone());
        assert!(!none.is_marked());
        assert_eq!(none.parts(Side::Before), [(ChangeTag::Equal, &*long)]);
        assert_eq!(none.parts(Side::Both), [(ChangeTag::Equal, &*other)]);
        assert_eq!(changed_lines(&long, &other, 1), None);
        // However long what both have is: a word of the longest text that can be typed.
        let (head, tail) = (many(90_000, "line ", "\n"), many(50_000, "end ", "\n"));
        let diff = Diff::of(
            format!("{head}one word here\n{tail}"),
            format!("{head}one more word here\n{tail}"),
        );
        let marked = diff.parts(Side::Both).into_iter();
        let marked: Vec<_> = marked.filter(|part| part.0 != ChangeTag::Equal).collect();
        assert_eq!(marked, [(ChangeTag::Insert, "more ")]);
    }

    #[test]
    fn changed_lines_come_in_groups_with_their_neighbours() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let after = "1\n2\nthree\n4\n5\n6\n7\n8\nnine\n";
        let shown = |groups: Vec<Vec<(ChangeTag, String)>>| {
            let line = |(tag, text): &(ChangeTag, String)| match tag {
                ChangeTag::Equal => text.clone(),
                ChangeTag::Delete => format!("-{text}"),
                ChangeTag::Insert => format!("+{text}"),
            };
            let groups = groups.iter();
            let group = |group: &Vec<_>| group.iter().map(line).collect::<Vec<_>>().join(" ");
            groups.map(group).collect::<Vec<_>>()
        };
        let groups = changed_lines(before, after, 1).map(shown);
        assert_eq!(
            groups,
            Some(vec!["2 -3 +three 4".into(), "8 -9 +nine".into()])
        );
        assert_eq!(changed_lines(before, before, 1), Some(Vec::new()));
        assert_eq!(changed_lines("", "", 1), Some(Vec::new()));
    }
}
