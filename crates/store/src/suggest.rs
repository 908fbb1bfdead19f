//! What suggestions are made from (SPEC B6), accepting and dismissing them, and the statistics that come of it.
//!
//! An acceptance is an edit: one commit, whose message says which kind of source suggested each field. From the commits
//! `judgement` and `accuracy` are projected: a person's value that stands beside what the machines had said. A dismissal
//! is state. What is read for one card is bounded by the constants here, whatever the store holds.

use crate::{
    error::StoreError,
    history,
    open::Store,
    read, sql,
    write::{find_commit_by_key, json, posting_exists},
    writer::{Batch, Pending},
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Method, Micros, PostingId, Source,
    card::FieldState,
    commit::{AuthorId, Commit, FieldChange},
    observation::Confidence,
    rules,
    suggest::{
        ANSWERS_MAX, Accuracy, Judgement, Origin, Precedent, Tally, is_shared, judgements, message,
        value_key,
    },
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

/// Other postings of an employer that are looked at, the latest; older ones have no say.
pub const EMPLOYER_POSTINGS_MAX: u32 = 50;
/// Earlier judgements of a value that are looked at, the latest; older ones have no say.
pub const PRECEDENTS_MAX: u32 = 100;
/// Dismissals that are kept of a posting; the oldest goes, and its suggestion may come again.
pub const DISMISSALS_MAX: u32 = 500;
/// A value of more bytes, as JSON, is not suggested to other postings: a description is nobody else's.
pub const VALUE_BYTES_MAX: usize = 2_000;

/// What is known besides the card itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// By field what stands in the employer's other postings, one each.
    pub employer: BTreeMap<FieldKey, Vec<FieldValue>>,
    /// By field how persons judged the machines' value elsewhere, the latest first.
    pub precedents: BTreeMap<FieldKey, Vec<Precedent>>,
    /// By field the answers to suggestions so far.
    pub tallies: BTreeMap<FieldKey, BTreeMap<Origin, Tally>>,
    /// By field the keys of dismissed values.
    pub dismissed: BTreeMap<FieldKey, BTreeSet<[u8; 16]>>,
    /// How right the methods were, of the fields asked about.
    pub accuracy: Vec<Accuracy>,
}

/// What is asked about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which field.
    pub field: FieldKey,
    /// What the machines say of it.
    pub machine: Option<(FieldValue, Method)>,
}

/// Suggestions that a person accepts: one commit.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Of which posting.
    pub posting: PostingId,
    /// The person.
    pub author: AuthorId,
    /// What is accepted.
    pub accepted: Vec<Accepted>,
    /// Made by the caller; the same key twice is one commit.
    pub key: String,
    /// When.
    pub now: Micros,
}

/// An accepted suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which field; each at most once.
    pub field: FieldKey,
    /// What it is to be.
    pub value: FieldValue,
    /// What stood there when it was accepted.
    pub stood: Option<FieldValue>,
    /// The kind of source that suggested it.
    pub origin: Origin,
}

/// A suggestion that is not to be shown again, or shown again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissal {
    /// Of which posting.
    pub posting: PostingId,
    /// Which field.
    pub field: FieldKey,
    /// The value.
    pub value: FieldValue,
    /// The kind of source that suggested it first.
    pub origin: Origin,
    /// Whether it was dismissed before and may come again.
    pub again: bool,
    /// When.
    pub now: Micros,
}

impl Store {
    /// What is known about these fields of a posting, as of one moment. `employer` is the company's name on its card,
    /// or empty; names are the same if they differ in case only (ASCII).
    pub fn heard(
        &self,
        posting: PostingId,
        employer: &str,
        asked: &[Asked],
    ) -> Result<Heard, StoreError> {
        self.reading(|c| {
            let mut heard = Heard {
                dismissed: dismissed(c, posting)?,
                ..Heard::default()
            };
            if !employer.is_empty() {
                heard.employer = of_employer(c, posting, employer, asked)?;
            }
            for asked in asked {
                let field = &asked.field;
                heard.tallies.insert(field.clone(), tallies(c, field)?);
                heard.accuracy.extend(read::collect(
                    c,
                    sql::ACCURACY_OF,
                    params![field.name()],
                    accuracy,
                )?);
                if let Some((value, method)) = &asked.machine {
                    let known = precedents(c, posting, field, (value, *method))?;
                    heard.precedents.insert(field.clone(), known);
                }
            }
            Ok(heard)
        })
    }

    /// How right the methods were, by field and method; as many rows as there are fields and methods.
    pub fn accuracy(&self) -> Result<Vec<Accuracy>, StoreError> {
        self.reading(|c| read::collect(c, sql::ACCURACY, params![], accuracy))
    }

    /// Accepts suggestions; answers the commit, or `None` if all of it stood already.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a value that breaks a rule, [`StoreError::Stale`] if a person changed one of the
    /// fields since it was looked at, [`StoreError::NotFound`] for an unknown posting; nothing is changed then.
    pub fn accept(&self, acceptance: Acceptance) -> Pending<Option<CommitId>> {
        self.writer()
            .submit(move |batch| accept(batch, &acceptance))
    }

    /// Dismisses a suggestion, or takes that back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown posting.
    pub fn dismiss(&self, dismissal: Dismissal) -> Pending<()> {
        self.writer()
            .submit(move |batch| dismiss(batch, &dismissal))
    }
}

fn dismissed(
    c: &Connection,
    posting: PostingId,
) -> rusqlite::Result<BTreeMap<FieldKey, BTreeSet<[u8; 16]>>> {
    let mut by_field: BTreeMap<FieldKey, BTreeSet<[u8; 16]>> = BTreeMap::new();
    let rows = read::collect(c, sql::DISMISSED, params![posting.0], |row| {
        Ok((field_of(row, 0)?, row.get(1)?))
    })?;
    for (field, value) in rows {
        by_field.entry(field).or_default().insert(value);
    }
    Ok(by_field)
}

fn of_employer(
    c: &Connection,
    posting: PostingId,
    employer: &str,
    asked: &[Asked],
) -> rusqlite::Result<BTreeMap<FieldKey, Vec<FieldValue>>> {
    let limits = params![employer, posting.0, EMPLOYER_POSTINGS_MAX];
    let others: Vec<[u8; 16]> = read::collect(c, sql::OF_EMPLOYER, limits, |row| row.get(0))?;
    let mut by_field: BTreeMap<FieldKey, Vec<FieldValue>> = BTreeMap::new();
    let mut fields = c.prepare_cached(sql::EXPORT_FIELDS)?;
    for other in others {
        let mut rows = fields.query([other])?;
        while let Some(row) = rows.next()? {
            let field = field_of(row, 0)?;
            if !is_shared(&field) || !asked.iter().any(|asked| asked.field == field) {
                continue;
            }
            let said: crate::snapshot::FieldExport = read::from_json(row, 1)?;
            if let (FieldState::Found, Some(chosen)) = (said.state, said.chosen) {
                by_field.entry(field).or_default().push(chosen.value);
            }
        }
    }
    Ok(by_field)
}

fn tallies(c: &Connection, field: &FieldKey) -> rusqlite::Result<BTreeMap<Origin, Tally>> {
    let count = |sql: &str, origin: Origin| {
        let of_it = params![field.name(), origin.word(), ANSWERS_MAX];
        let rows = read::collect(c, sql, of_it, |_| Ok(()))?;
        Ok::<u32, rusqlite::Error>(rows.len() as u32)
    };
    let mut tallies = BTreeMap::new();
    for origin in Origin::ALL {
        let tally = Tally {
            accepted: count(sql::ACCEPTED, origin)?,
            dismissed: count(sql::DISMISSED_OF_KIND, origin)?,
        };
        tallies.insert(origin, tally);
    }
    Ok(tallies)
}

fn precedents(
    c: &Connection,
    posting: PostingId,
    field: &FieldKey,
    (value, method): (&FieldValue, Method),
) -> rusqlite::Result<Vec<Precedent>> {
    let wanted = params![
        field.name(),
        method.word(),
        value_key(value),
        posting.0,
        PRECEDENTS_MAX
    ];
    read::collect(c, sql::PRECEDENTS, wanted, |row| {
        let is_kept = row.get_ref(0)? != rusqlite::types::ValueRef::Null;
        Ok(Precedent {
            value: is_kept.then(|| read::from_json(row, 0)).transpose()?,
            correct: row.get(1)?,
        })
    })
}

fn field_of(row: &Row<'_>, column: usize) -> rusqlite::Result<FieldKey> {
    Ok(FieldKey::from(row.get_ref(column)?.as_str()?))
}

fn accuracy(row: &Row<'_>) -> rusqlite::Result<Accuracy> {
    let word: String = row.get(1)?;
    let mut methods = Method::AUTOMATIC.into_iter();
    Ok(Accuracy {
        field: field_of(row, 0)?,
        // What a commit of an import may name besides is a person's.
        method: methods.find(|m| m.word() == word).unwrap_or(Method::Manual),
        correct: row.get(2)?,
        wrong: row.get(3)?,
    })
}

fn accept(batch: &mut Batch<'_>, wanted: &Acceptance) -> Result<Option<CommitId>, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let refused = |why: String| Err(StoreError::Refused(why));
    for (at, one) in wanted.accepted.iter().enumerate() {
        if let Err(error) = rules::check(&one.field, &one.value) {
            return refused(error.to_string());
        }
        if wanted.accepted[..at]
            .iter()
            .any(|other| other.field == one.field)
        {
            return refused(format!("{} is to be two things at once", one.field.label()));
        }
        if matches!(one.field, FieldKey::Verdict | FieldKey::Outcome) {
            return refused(format!("{} is nothing to suggest", one.field.label()));
        }
    }
    if let Some(done) = find_commit_by_key(batch, &wanted.key).map_err(sqlite)? {
        return Ok(Some(done));
    }
    if !posting_exists(batch, wanted.posting).map_err(sqlite)? {
        return Err(StoreError::NotFound(format!("posting {}", wanted.posting)));
    }
    let mut tip =
        history::tip(batch.tx, batch.touched.outlines(), wanted.posting).map_err(sqlite)?;
    let standing = tip.values(batch.tx).map_err(sqlite)?;
    let mut accepted = Vec::new();
    let mut changes = Vec::new();
    for one in &wanted.accepted {
        let by_person = standing
            .get(&one.field)
            .filter(|s| s.source == Source::User);
        match by_person {
            Some(theirs) if theirs.value == one.value => continue,
            Some(theirs) if Some(&theirs.value) != one.stood.as_ref() => {
                return Err(StoreError::Stale(format!(
                    "{} was changed since the suggestions were shown",
                    one.field.label()
                )));
            }
            _ => {}
        }
        accepted.push((one.field.clone(), one.origin));
        changes.push(FieldChange {
            field: one.field.clone(),
            old: tip.latest_value(batch.tx, &one.field).map_err(sqlite)?,
            new: Some(one.value.clone()),
            confidence: Confidence::FULL,
            source: Source::User,
            method: Method::Manual,
            observation: None,
        });
    }
    if changes.is_empty() {
        return Ok(None);
    }
    let by = (wanted.author.clone(), message(&accepted));
    let commit = tip.next(wanted.posting, by, changes, wanted.now);
    let id = tip.advance(batch, &commit, Some(&wanted.key));
    let id = id.map_err(sqlite)?;
    for (field, _) in &accepted {
        crate::drafts::end(batch, wanted.posting, field).map_err(sqlite)?;
    }
    batch.touched.posting(wanted.posting);
    Ok(Some(id))
}

fn dismiss(batch: &mut Batch<'_>, wanted: &Dismissal) -> Result<(), StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if !posting_exists(batch, wanted.posting).map_err(sqlite)? {
        return Err(StoreError::NotFound(format!("posting {}", wanted.posting)));
    }
    let (posting, field) = (wanted.posting.0, wanted.field.name());
    let value = value_key(&wanted.value);
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<(), StoreError> {
        let mut statement = batch.tx.prepare_cached(sql).map_err(sqlite)?;
        statement.execute(values).map(|_| ()).map_err(sqlite)
    };
    if wanted.again {
        run(
            "DELETE FROM dismissal WHERE posting = ?1 AND field = ?2 AND value = ?3",
            params![posting, field, value],
        )?;
    } else {
        run(
            "INSERT INTO dismissal (posting, field, value, origin, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params![posting, field, value, wanted.origin.word(), wanted.now.0],
        )?;
        run(sql::DISMISSALS_TRIM, params![posting, DISMISSALS_MAX])?;
    }
    // Who shows the card reads its suggestions again.
    batch.touched.posting(wanted.posting);
    Ok(())
}

/// A row of `judgement`.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    field: String,
    method: Option<String>,
    machine: Option<[u8; 16]>,
    value: Option<String>,
    correct: bool,
    origin: Option<String>,
    wall: i64,
}

impl Judged {
    fn of(judgement: &Judgement) -> rusqlite::Result<Self> {
        let machine = judgement.machine.as_ref();
        let value = json(&judgement.value)?;
        Ok(Self {
            field: judgement.field.name().to_owned(),
            method: machine.map(|(_, method)| method.word().to_owned()),
            machine: machine.map(|(value, _)| value_key(value)),
            value: Some(value).filter(|value| value.len() <= VALUE_BYTES_MAX),
            correct: judgement.is_correct(),
            origin: judgement.origin.map(|origin| origin.word().to_owned()),
            wall: judgement.at.0,
        })
    }
}

/// Writes how persons judged a posting's fields: `commits` are the version that its card shows.
pub(crate) fn project<'a>(
    tx: &Transaction<'_>,
    posting: PostingId,
    commits: impl IntoIterator<Item = &'a Commit>,
) -> rusqlite::Result<()> {
    let now: rusqlite::Result<Vec<Judged>> = judgements(commits).iter().map(Judged::of).collect();
    let mut now = now?;
    now.sort_by(|a, b| a.field.cmp(&b.field));
    let before = read::collect(tx, sql::JUDGEMENTS, params![posting.0], |row| {
        Ok(Judged {
            field: row.get(0)?,
            method: row.get(1)?,
            machine: row.get(2)?,
            value: row.get(3)?,
            correct: row.get(4)?,
            origin: row.get(5)?,
            wall: row.get(6)?,
        })
    })?;
    for gone in before.iter().filter(|row| !now.contains(row)) {
        tx.prepare_cached("DELETE FROM judgement WHERE posting = ?1 AND field = ?2")?
            .execute(params![posting.0, gone.field])?;
        count(tx, gone, -1)?;
    }
    for new in now.iter().filter(|row| !before.contains(row)) {
        tx.prepare_cached(
            "INSERT INTO judgement (posting, field, method, machine, value, correct, origin, wall)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            posting.0,
            new.field,
            new.method,
            new.machine,
            new.value,
            new.correct,
            new.origin,
            new.wall
        ])?;
        count(tx, new, 1)?;
    }
    Ok(())
}

/// Counts a judgement of a machine's value, or takes it off; a row that counts nothing goes.
fn count(tx: &Transaction<'_>, judged: &Judged, by: i64) -> rusqlite::Result<()> {
    let Some(method) = &judged.method else {
        return Ok(());
    };
    let (correct, wrong) = if judged.correct { (by, 0) } else { (0, by) };
    let left: Option<(i64, i64)> = tx
        .prepare_cached(
            "INSERT INTO accuracy (field, method, correct, wrong) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (field, method) DO UPDATE SET correct = correct + ?3, wrong = wrong + ?4
             RETURNING correct, wrong",
        )?
        .query_row(params![judged.field, method, correct, wrong], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if left == Some((0, 0)) {
        tx.prepare_cached("DELETE FROM accuracy WHERE field = ?1 AND method = ?2")?
            .execute(params![judged.field, method])?;
    }
    Ok(())
}
