//! Commits: content-addressed sets of field changes that form a DAG per posting (DESIGN *The data*).
//!
//! A commit's id is BLAKE3 of [`Commit::encode`]. The encoding is versioned and canonical: each
//! part is preceded by its length, lists are in the order given, numbers are little-endian,
//! confidence is whole thousandths, amounts are ten-thousandths; no float takes part.

use crate::{
    ids::{CommitId, ObservationId, PostingId},
    observation::{Confidence, Method, Source},
    time::Micros,
    value::{FieldKey, FieldValue},
};
use serde::{Deserialize, Serialize};

/// A set of field changes with parents, author, time and message. Stored in the log, hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The posting whose fields change.
    pub posting: PostingId,
    /// Sorted; empty for the first.
    pub parents: Vec<CommitId>,
    /// Who, as an opaque id; names stand in `person`.
    pub author: AuthorId,
    /// Hybrid logical clock.
    pub clock: Clock,
    /// Why, in the author's words.
    pub message: String,
    /// What changes, at most once per field.
    pub changes: Vec<FieldChange>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Purpose::is_plain")]
    pub purpose: Purpose,
    /// Of a merge: what its sides did not agree on and its author settled, sorted by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Conflict>,
}

/// What a commit is for. Stored and hashed as a part of it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A person's edit, or what a run found.
    #[default]
    Plain,
    /// Joins its parents: it names each field in which they differ.
    Merge,
    /// Takes back what this commit did.
    Undo(CommitId),
    /// Does again what this commit did, after it was taken back.
    Redo(CommitId),
    /// Brings back the values of this version.
    Restore(CommitId),
}

impl Purpose {
    /// Whether it is an edit or a run.
    pub fn is_plain(&self) -> bool {
        *self == Purpose::Plain
    }

    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Plain => "edit",
            Purpose::Merge => "merge",
            Purpose::Undo(_) => "undo",
            Purpose::Redo(_) => "redo",
            Purpose::Restore(_) => "restore",
        }
    }

    /// The commit it is about, where it is about one.
    pub fn about(self) -> Option<CommitId> {
        match self {
            Purpose::Plain | Purpose::Merge => None,
            Purpose::Undo(id) | Purpose::Redo(id) | Purpose::Restore(id) => Some(id),
        }
    }
}

/// A field whose sides differ: a set, the same from whichever side it is looked at. Which of them is
/// *ours* is a view of it ([`Conflict::side`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Which field.
    pub field: FieldKey,
    /// What it was in each common ancestor, in order of their ids.
    pub bases: Vec<Option<FieldValue>>,
    /// What it is in each head, in order of their ids.
    pub sides: Vec<(CommitId, Option<FieldValue>)>,
}

impl Conflict {
    /// What `head` says.
    pub fn side(&self, head: CommitId) -> Option<&Option<FieldValue>> {
        let side = self.sides.iter().find(|(id, _)| *id == head);
        side.map(|(_, value)| value)
    }
}

/// An opaque author: `pipeline@0.1.0`, or a random id of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorId(pub String);

impl AuthorId {
    /// The author of a merge that nobody had to decide anything about.
    pub fn of_merges() -> Self {
        Self("merge".into())
    }

    /// Whether the author is a person.
    pub fn is_person(&self) -> bool {
        !self.is_pipeline() && *self != Self::of_merges()
    }

    /// Whether the author is the pipeline.
    pub fn is_pipeline(&self) -> bool {
        self.0.starts_with("pipeline@")
    }
}

/// Hybrid logical clock (Kulkarni et al. 2014): wall time, and a counter for equal times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Clock {
    /// UTC microseconds.
    pub wall: Micros,
    /// Greater for the later of two commits with the same `wall`.
    pub counter: u32,
}

impl Clock {
    /// A foreign clock further ahead than this does not advance ours (microseconds, 5 minutes).
    pub const SKEW_MAX_US: i64 = 300_000_000;

    /// The next clock after `latest`, given the wall clock `now`.
    pub fn next(latest: Option<Clock>, now: Micros) -> Clock {
        match latest {
            Some(latest) if latest.wall.0 - now.0 > Self::SKEW_MAX_US => Clock {
                wall: now,
                counter: 0,
            },
            Some(latest) if latest.wall >= now => Clock {
                wall: latest.wall,
                counter: latest.counter + 1,
            },
            _ => Clock {
                wall: now,
                counter: 0,
            },
        }
    }
}

/// One field's change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Which field.
    pub field: FieldKey,
    /// What it was.
    pub old: Option<FieldValue>,
    /// What it is; `None` withdraws the value.
    pub new: Option<FieldValue>,
    /// How sure.
    pub confidence: Confidence,
    /// Who says so.
    pub source: Source,
    /// By which method.
    pub method: Method,
    /// The observation it rests on, where it rests on one.
    pub observation: Option<ObservationId>,
}

/// Version of [`Commit::encode`] for edits and runs; part of what is hashed.
const ENCODING: u8 = 1;
/// The version that says what a commit is for; only of commits that are no edit and no run, so that
/// ids given before stay.
const ENCODING_WITH_PURPOSE: u8 = 2;

impl Commit {
    /// The commit's id.
    pub fn id(&self) -> CommitId {
        CommitId(*blake3::hash(&self.encode()).as_bytes())
    }

    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        let plain = self.purpose.is_plain() && self.settled.is_empty();
        let version = if plain {
            ENCODING
        } else {
            ENCODING_WITH_PURPOSE
        };
        let mut out = vec![version];
        out.extend(self.posting.0);
        out.extend((self.parents.len() as u32).to_le_bytes());
        self.parents.iter().for_each(|parent| out.extend(parent.0));
        put(&mut out, self.author.0.as_bytes());
        out.extend(self.clock.wall.0.to_le_bytes());
        out.extend(self.clock.counter.to_le_bytes());
        put(&mut out, self.message.as_bytes());
        out.extend((self.changes.len() as u32).to_le_bytes());
        self.changes
            .iter()
            .for_each(|change| change.encode(&mut out));
        if !plain {
            put(&mut out, self.purpose.word().as_bytes());
            put(
                &mut out,
                self.purpose.about().as_ref().map_or(&[][..], |id| &id.0),
            );
            out.extend((self.settled.len() as u32).to_le_bytes());
            self.settled.iter().for_each(|c| c.encode(&mut out));
        }
        out
    }
}

impl Conflict {
    fn encode(&self, out: &mut Vec<u8>) {
        put(out, self.field.name().as_bytes());
        out.extend((self.bases.len() as u32).to_le_bytes());
        self.bases
            .iter()
            .for_each(|base| put_value(out, base.as_ref()));
        out.extend((self.sides.len() as u32).to_le_bytes());
        for (head, value) in &self.sides {
            out.extend(head.0);
            put_value(out, value.as_ref());
        }
    }
}

impl FieldChange {
    fn encode(&self, out: &mut Vec<u8>) {
        put(out, self.field.name().as_bytes());
        put_value(out, self.old.as_ref());
        put_value(out, self.new.as_ref());
        out.extend(self.confidence.thousandths().to_le_bytes());
        put(out, self.source.word().as_bytes());
        put(out, self.method.word().as_bytes());
        put(out, self.observation.as_ref().map_or(&[][..], |id| &id.0));
    }
}

impl FieldValue {
    /// A hash of the value: the first eight bytes of the BLAKE3 of its part of [`Commit::encode`], little-endian.
    pub fn tag(&self) -> u64 {
        let mut out = Vec::new();
        put_value(&mut out, Some(self));
        let mut first = [0; 8];
        first.copy_from_slice(&blake3::hash(&out).as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(bytes);
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    put(out, text.unwrap_or("").as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: Option<&FieldValue>) {
    let Some(value) = value else {
        return out.push(0);
    };
    match value {
        FieldValue::Text(text) => tagged(out, 1, text),
        FieldValue::Choice(word) => tagged(out, 2, word),
        FieldValue::List(items) => {
            out.push(3);
            out.extend((items.len() as u32).to_le_bytes());
            items.iter().for_each(|item| put(out, item.as_bytes()));
        }
        FieldValue::Places(places) => {
            out.push(4);
            out.extend((places.len() as u32).to_le_bytes());
            for place in places {
                put_text(out, place.city.as_deref());
                put_text(out, place.region.as_deref());
                put_text(out, place.country.as_deref());
                put(out, place.text.as_bytes());
            }
        }
        FieldValue::Salary(salary) => {
            out.push(5);
            for amount in [salary.min, salary.max] {
                out.push(u8::from(amount.is_some()));
                out.extend(amount.unwrap_or_default().ten_thousandths().to_le_bytes());
            }
            put_text(out, salary.currency.as_deref());
            put_text(out, salary.period.map(|p| p.word()));
            for text in [&salary.bonus, &salary.equity, &salary.on_target] {
                put_text(out, text.as_deref());
            }
        }
        FieldValue::Date(day) => tagged(out, 6, &day.to_string()),
        FieldValue::Url(url) => tagged(out, 7, url),
        FieldValue::Number(n) => {
            out.push(8);
            out.extend(n.ten_thousandths().to_le_bytes());
        }
    }
}

fn tagged(out: &mut Vec<u8>, tag: u8, text: &str) {
    out.push(tag);
    put(out, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Amount, Place, Salary};

    fn commit() -> Commit {
        let change = |field, new| FieldChange {
            field,
            old: None,
            new: Some(new),
            confidence: Confidence::new(930),
            source: Source::Parsing,
            method: Method::JsonLd,
            observation: Some(ObservationId([7; 16])),
        };
        Commit {
            posting: PostingId([1; 16]),
            parents: vec![CommitId([2; 32])],
            author: AuthorId("pipeline@0.1.0".into()),
            clock: Clock {
                wall: Micros(1_700_000_000_000_000),
                counter: 0,
            },
            message: "first reading".into(),
            changes: vec![
                change(FieldKey::Title, FieldValue::Text("Lamplighter".into())),
                change(
                    FieldKey::Location,
                    FieldValue::Places(vec![Place {
                        city: Some("Lyon".into()),
                        region: None,
                        country: Some("FR".into()),
                        text: "Lyon, France".into(),
                    }]),
                ),
                change(
                    FieldKey::Salary,
                    FieldValue::Salary(Salary {
                        min: Amount::from_units(48_000),
                        max: Amount::from_units(55_000),
                        currency: Some("EUR".into()),
                        ..Salary::default()
                    }),
                ),
            ],
            purpose: Purpose::Plain,
            settled: Vec::new(),
        }
    }

    fn merge() -> Commit {
        Commit {
            parents: vec![CommitId([2; 32]), CommitId([3; 32])],
            author: AuthorId("person-7".into()),
            purpose: Purpose::Merge,
            settled: vec![Conflict {
                field: FieldKey::Title,
                bases: vec![None],
                sides: vec![
                    (
                        CommitId([2; 32]),
                        Some(FieldValue::Text("Lamplighter".into())),
                    ),
                    (CommitId([3; 32]), None),
                ],
            }],
            ..commit()
        }
    }

    /// Golden: of commits that say what they are for, as [`the_encoding_is_fixed`].
    #[test]
    fn the_encoding_with_a_purpose_is_fixed() {
        let undo = Commit {
            purpose: Purpose::Undo(CommitId([2; 32])),
            ..commit()
        };
        assert_eq!((undo.encode().len(), merge().encode().len()), (527, 629));
        assert_eq!(
            [undo.id().to_string(), merge().id().to_string()],
            [
                "a5078ee2e16e81ddd7e43f54463d5a30d8c727bd20f8e8464267ccaedb1957bc",
                "20ec0d1abee06303d0879f905926e902de21a568d034c5f7fbc5b3ea0e21c158"
            ]
        );
        let mut ids: Vec<CommitId> = [
            Purpose::Plain,
            Purpose::Merge,
            Purpose::Undo(CommitId([2; 32])),
            Purpose::Redo(CommitId([2; 32])),
            Purpose::Restore(CommitId([2; 32])),
            Purpose::Restore(CommitId([3; 32])),
        ]
        .map(|purpose| {
            Commit {
                purpose,
                ..commit()
            }
            .id()
        })
        .into();
        ids.push(merge().id());
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 7);
    }

    /// Golden: a change here changes every id on every disk and needs a new encoding version.
    #[test]
    fn the_encoding_is_fixed() {
        assert_eq!(commit().encode().len(), 471);
        assert_eq!(
            commit().id().to_string(),
            "dab20d07a8c7262c90e1b1c7f1ec6c37f856034eb6f53e4d4b843644419b2b25"
        );
    }

    #[test]
    fn every_part_counts() {
        let base = commit().id();
        let edits: [fn(&mut Commit); 6] = [
            |c| c.parents.clear(),
            |c| c.author.0.push('x'),
            |c| c.clock.counter += 1,
            |c| c.message.push('x'),
            |c| c.changes[0].new = None,
            |c| c.changes.swap(0, 1),
        ];
        for edit in edits {
            let mut other = commit();
            edit(&mut other);
            assert_ne!(other.id(), base);
        }
    }

    #[test]
    fn clocks_only_grow_and_a_wild_one_is_not_followed() {
        let at = |wall, counter| Clock {
            wall: Micros(wall),
            counter,
        };
        assert_eq!(Clock::next(None, Micros(5)), at(5, 0));
        assert_eq!(Clock::next(Some(at(5, 0)), Micros(5)), at(5, 1));
        assert_eq!(Clock::next(Some(at(9, 2)), Micros(5)), at(9, 3));
        assert_eq!(Clock::next(Some(at(400_000_000, 0)), Micros(5)), at(5, 0));
    }
}
