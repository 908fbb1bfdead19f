//! The view of a posting's life (SPEC E5): looks with what changed since the one before, decisions, reposts by the same
//! employer, closings, signals that appeared or went, and how long nobody looked. One line of time, the latest first.

use super::{
    history::{Names, change_row, version_row},
    short,
};
use crate::Engine;
use ghostlight_api::view::{
    BiographyPage, ChangeRow, LifeEvent, LifeRow, LookRow, Page, ROWS_MAX, Range, RepostRow,
    SignalMark, TextChange,
};
use ghostlight_detect::signals::{Fingerprint, SAME_TEXT};
use ghostlight_model::{
    CaptureId, Day, Direction, FieldKey, FieldValue, Layer, Micros, PostingId, RunId, Signal,
    commit::FieldChange, run::RunStatus,
};
use ghostlight_store::{Life, Look, LookMark, OtherPosting, StoreError};
use std::collections::{BTreeMap, HashMap};

/// Nobody looking for so long is worth a row of its own: two weeks, in microseconds.
const QUIET_US: i64 = 14 * 86_400_000_000;
/// So much of a text is compared, in bytes: what a page's text has at most, many times over.
const COMPARED_BYTES_MAX: usize = 128 * 1024;
/// The signal that says that a posting is closed or gone.
const CLOSED: &str = "gone_from_board";
/// The same title under another id counts if it was first seen so long before or after, in microseconds; what is nearer
/// is one publication in several places.
const APART_US: i64 = 7 * 86_400_000_000;

/// What stands in a row, before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The look of this number.
    Look(usize),
    /// The decision of this number.
    Decision(usize),
    /// The other posting of this number, with the likeness of its text.
    Repost(usize, Option<u8>),
    /// Nobody looked since then.
    Quiet(Micros),
}

impl Engine {
    pub(super) fn biography(
        &self,
        posting: PostingId,
        range: Range,
    ) -> Result<BiographyPage, StoreError> {
        let Some(life) = self.store().life(posting)? else {
            return Ok(BiographyPage {
                page: page(0, range.start, Vec::new()),
                partly: false,
            });
        };
        let line = line_of(&life);
        let start = (range.start as usize).min(line.len());
        let end = (start + range.len.min(ROWS_MAX) as usize).min(line.len());
        let mut reader = Reader::new(self, posting, &life, &line[start..end])?;
        let mut rows = Vec::with_capacity(end - start);
        for (place, (at, mark)) in line.iter().enumerate().take(end).skip(start) {
            let above = place.checked_sub(1).map(|above| line[above].0);
            if let Some(what) = reader.read(*mark)? {
                rows.push(LifeRow {
                    at: *at,
                    above,
                    what,
                });
            }
        }
        Ok(BiographyPage {
            page: page(line.len() as u32, start as u32, rows),
            partly: life.partly,
        })
    }
}

fn page(total: u32, start: u32, rows: Vec<LifeRow>) -> Page<LifeRow> {
    Page { total, start, rows }
}

/// The one line of time, the latest first.
fn line_of(life: &Life) -> Vec<(Micros, Mark)> {
    let looks = life.looks.iter().enumerate();
    let looks = looks.map(|(i, look)| (look.at, Mark::Look(i)));
    let decisions = life.decisions.iter().enumerate();
    let decisions = decisions.map(|(i, decision)| (decision.at, Mark::Decision(i)));
    let others = life.others.iter().enumerate();
    let others = others.filter_map(|(i, other)| {
        let alike = is_repost(life, other)?;
        Some((other.first_seen, Mark::Repost(i, alike)))
    });
    let mut line: Vec<(Micros, Mark)> = looks.chain(decisions).chain(others).collect();
    line.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    with_quiet(life, line)
}

/// The line with a row after each look that came after a long time without one.
fn with_quiet(life: &Life, line: Vec<(Micros, Mark)>) -> Vec<(Micros, Mark)> {
    let mut whole = Vec::with_capacity(line.len());
    for (at, mark) in line {
        whole.push((at, mark));
        let Mark::Look(number) = mark else { continue };
        let before = life.looks.get(number + 1).map(|look| look.at);
        if let Some(before) = before.filter(|before| at.0 - before.0 >= QUIET_US) {
            whole.push((at, Mark::Quiet(before)));
        }
    }
    whole
}

/// Whether another posting of the employer is this one published again: nearly the same text, or the same title at the
/// same place at another time. Answers the likeness of the text in percent where the text is what says so.
fn is_repost(life: &Life, other: &OtherPosting) -> Option<Option<u8>> {
    let prints = life.fingerprint.zip(other.fingerprint);
    let alike = prints.map(|(own, other)| Fingerprint(own).similarity(Fingerprint(other)));
    if let Some(alike) = alike.filter(|alike| *alike >= SAME_TEXT) {
        return Some(Some((alike * 100.0) as u8));
    }
    let normal = |text: &str| FieldValue::Text(text.to_owned()).normalised();
    let first_seen = life.looks.last().map_or(0, |look| look.at.0);
    let apart = (other.first_seen.0 - first_seen).abs() >= APART_US;
    let same_title = normal(&other.title) == normal(&life.title);
    let same_place = other.place.is_empty()
        || life.place.is_empty()
        || normal(&other.place) == normal(&life.place);
    (apart && same_title && same_place).then_some(None)
}

/// Reads what the rows of a page are about.
struct Reader<'a> {
    engine: &'a Engine,
    life: &'a Life,
    looks: BTreeMap<RunId, Look>,
    versions: BTreeMap<ghostlight_model::CommitId, ghostlight_model::commit::Commit>,
    names: Names<'a>,
}

impl<'a> Reader<'a> {
    fn new(
        engine: &'a Engine,
        posting: PostingId,
        life: &'a Life,
        rows: &[(Micros, Mark)],
    ) -> Result<Self, StoreError> {
        let mut runs = Vec::new();
        let mut versions = Vec::new();
        for (_, mark) in rows {
            match mark {
                Mark::Look(number) => {
                    runs.push(&life.looks[*number].run);
                    runs.extend(assessed_before(life, *number).map(|mark| &mark.run));
                    runs.extend(captured_before(life, *number).map(|mark| &mark.run));
                }
                Mark::Decision(number) => versions.push(life.decisions[*number].id),
                Mark::Repost(..) | Mark::Quiet(_) => {}
            }
        }
        runs.sort_unstable();
        runs.dedup();
        Ok(Self {
            engine,
            life,
            looks: engine.store().looks(posting, &runs)?,
            versions: engine.store().versions_by_id(posting, &versions)?,
            names: Names::of(engine),
        })
    }

    /// `None` for what went since the marks were read.
    fn read(&mut self, mark: Mark) -> Result<Option<LifeEvent>, StoreError> {
        Ok(match mark {
            Mark::Look(number) => self
                .look(number)?
                .map(|look| LifeEvent::Look(Box::new(look))),
            Mark::Decision(number) => {
                let id = self.life.decisions[number].id;
                let Some(commit) = self.versions.remove(&id) else {
                    return Ok(None);
                };
                let author = self.names.get(&commit.author)?;
                let row = version_row((id, commit), author, Vec::new(), None);
                Some(LifeEvent::Decision(Box::new(row)))
            }
            Mark::Repost(number, alike_percent) => {
                let other = &self.life.others[number];
                Some(LifeEvent::Repost(RepostRow {
                    posting: other.posting,
                    title: other.title.clone(),
                    place: other.place.clone(),
                    alike_percent,
                }))
            }
            Mark::Quiet(since) => Some(LifeEvent::Quiet(since)),
        })
    }

    fn look(&self, number: usize) -> Result<Option<LookRow>, StoreError> {
        let Some(look) = self.looks.get(&self.life.looks[number].run) else {
            return Ok(None);
        };
        let earlier = |mark: Option<&LookMark>| mark.and_then(|mark| self.looks.get(&mark.run));
        let assessed = earlier(assessed_before(self.life, number));
        let captured = earlier(captured_before(self.life, number));
        let run = &look.run;
        let differs = captured.filter(|before| before.run.capture != run.capture);
        let text = match differs {
            Some(before) => self.compare(before, look)?,
            None => None,
        };
        let changes = look.commit.as_ref().map_or(&[][..], |c| &c.changes);
        let (appeared, went) = signals(assessed, look);
        let closed = |signal: &Signal| signal.id == CLOSED;
        let marks = |signals: Vec<&Signal>| {
            let others = signals.into_iter().filter(|signal| !closed(signal));
            others.map(signal_mark).collect()
        };
        Ok(Some(LookRow {
            run: run.run_id.clone(),
            status: run.status,
            input: run.input.clone(),
            url: look.url.clone(),
            capture: run.capture.filter(|_| look.text.is_some()),
            before: differs
                .and_then(|before| before.run.capture)
                .filter(|_| text.is_some()),
            first: number + 1 == self.life.looks.len() && !self.life.partly,
            text,
            changes: changes.iter().map(change_row).collect::<Vec<ChangeRow>>(),
            moved: changes.iter().find_map(moved),
            closed: appeared
                .iter()
                .find(|signal| closed(signal))
                .map(|signal| signal.statement.clone()),
            reopened: went.iter().any(|signal| closed(signal)),
            appeared: marks(appeared),
            went: marks(went),
            failure: run.failure.as_ref().map(|f| f.issue.message.clone()),
        }))
    }

    /// How the texts of two looks differ; `None` if one has none.
    fn compare(&self, before: &Look, after: &Look) -> Result<Option<TextChange>, StoreError> {
        let (Some(old), Some(new)) = (before.text, after.text) else {
            return Ok(None);
        };
        let read = |capture: Option<CaptureId>| match capture {
            Some(capture) => self.engine.store().layer(capture, Layer::Visible),
            None => Ok(None),
        };
        let Some(after_text) = read(after.run.capture)? else {
            return Ok(None);
        };
        // The same bytes need no second look.
        if old == new {
            return Ok(Some(words_changed(&after_text, &after_text)));
        }
        let before_text = read(before.run.capture)?;
        Ok(before_text.map(|before_text| words_changed(&before_text, &after_text)))
    }
}

/// The look before that came to an assessment.
fn assessed_before(life: &Life, number: usize) -> Option<&LookMark> {
    life.looks[number + 1..].iter().find(|look| look.assessed)
}

/// The look before that captured something.
fn captured_before(life: &Life, number: usize) -> Option<&LookMark> {
    let mut before = life.looks[number + 1..].iter();
    before.find(|look| look.capture.is_some())
}

/// The signals that are new, and those that are gone. What was never assessed has none to compare.
fn signals<'a>(before: Option<&'a Look>, look: &'a Look) -> (Vec<&'a Signal>, Vec<&'a Signal>) {
    if look.run.status != RunStatus::Finished {
        return (Vec::new(), Vec::new());
    }
    let earlier = before.map_or(&[][..], |before| &before.run.signals);
    let only = |these: &'a [Signal], those: &'a [Signal]| {
        let new = |signal: &&Signal| !those.iter().any(|other| other.id == signal.id);
        these.iter().filter(new).collect()
    };
    (
        only(&look.run.signals, earlier),
        only(earlier, &look.run.signals),
    )
}

fn signal_mark(signal: &Signal) -> SignalMark {
    SignalMark {
        id: signal.id.clone(),
        statement: short(&signal.statement),
        against: signal.direction == Direction::Against,
    }
}

/// The day of posting, from and to, if it moved on.
fn moved(change: &FieldChange) -> Option<(Day, Day)> {
    match (&change.field, &change.old, &change.new) {
        (FieldKey::PostedAt, Some(FieldValue::Date(old)), Some(FieldValue::Date(new)))
            if new > old =>
        {
            Some((*old, *new))
        }
        _ => None,
    }
}

/// How many words are new and how many are gone, wherever they stand: a paragraph that moved is no change.
fn words_changed(before: &str, after: &str) -> TextChange {
    let cut = |text: &str| text.floor_char_boundary(COMPARED_BYTES_MAX);
    let (old, new) = (&before[..cut(before)], &after[..cut(after)]);
    let mut counts: HashMap<&str, i64> = HashMap::new();
    let (mut old_words, mut new_words) = (0, 0);
    for word in old.split_whitespace() {
        *counts.entry(word).or_default() -= 1;
        old_words += 1;
    }
    for word in new.split_whitespace() {
        *counts.entry(word).or_default() += 1;
        new_words += 1;
    }
    let sum = |sign: i64| counts.values().map(|n| (n * sign).max(0)).sum::<i64>();
    TextChange {
        added: sum(1) as u32,
        removed: sum(-1) as u32,
        words: old_words.max(new_words),
        whole: old.len() == before.len() && new.len() == after.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    fn life(looks: &[i64], others: Vec<OtherPosting>) -> Life {
        let mark = |day: &i64| LookMark {
            at: Micros(day * DAY_US),
            run: RunId(format!("run-{day}")),
            capture: None,
            assessed: true,
        };
        Life {
            title: "Data Engineer (m/f/d)".into(),
            place: "Lyon, FR".into(),
            fingerprint: Some(0),
            looks: looks.iter().map(mark).collect(),
            decisions: Vec::new(),
            others,
            partly: false,
        }
    }

    fn other(title: &str, place: &str, day: i64, fingerprint: Option<u64>) -> OtherPosting {
        OtherPosting {
            posting: PostingId([1; 16]),
            title: title.into(),
            place: place.into(),
            first_seen: Micros(day * DAY_US),
            fingerprint,
        }
    }

    #[test]
    fn the_same_text_or_the_same_title_at_another_time_is_a_repost() {
        let title = "data engineer, (M/F/D)";
        for (other, expected) in [
            (other("Whatever", "Paris", 100, Some(0)), Some(Some(100))),
            (other("Whatever", "Paris", 100, Some(0b111)), Some(Some(95))),
            (other("Whatever", "Lyon, FR", 300, Some(0b1111)), None),
            (other(title, "Lyon, FR", 300, None), Some(None)),
            (other(title, "", 50, Some(u64::MAX)), Some(None)),
            (other(title, "Paris", 300, None), None),
            // Nearly at once: one publication in two places.
            (other(title, "Lyon, FR", 103, None), None),
        ] {
            let life = life(&[100], vec![other.clone()]);
            assert_eq!(is_repost(&life, &other), expected, "{other:?}");
        }
    }

    #[test]
    fn a_long_time_without_a_look_has_a_row_between_the_two() {
        let other = other("x", "", 95, Some(0));
        let life = life(&[101, 100, 86, 73], vec![other]);
        let at = |day: i64| Micros(day * DAY_US);
        assert_eq!(
            line_of(&life),
            [
                (at(101), Mark::Look(0)),
                (at(100), Mark::Look(1)),
                (at(100), Mark::Quiet(at(86))),
                (at(95), Mark::Repost(0, Some(100))),
                (at(86), Mark::Look(2)),
                (at(73), Mark::Look(3)),
            ]
        );
    }

    #[test]
    fn changed_words_are_counted_wherever_they_stand() {
        for (before, after, added, removed, words) in [
            ("a b c", "a b c", 0, 0, 3),
            ("a b c", "c a b", 0, 0, 3),
            ("a b c", "a b d", 1, 1, 3),
            ("a a", "a a a", 1, 0, 3),
            ("", "one two", 2, 0, 2),
            ("one two", "", 0, 2, 2),
        ] {
            let change = TextChange {
                added,
                removed,
                words,
                whole: true,
            };
            assert_eq!(words_changed(before, after), change, "{before:?} {after:?}");
        }
        let long = "ä ".repeat(COMPARED_BYTES_MAX);
        assert!(!words_changed(&long, "ä").whole);
    }
}
