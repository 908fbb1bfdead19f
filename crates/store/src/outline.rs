//! The projection `outline`: a posting's history without its bodies, in chunks side by side in the file.
//!
//! A history of 20,000 versions is read from here in milliseconds, and then the few bodies that its answer needs
//! (`model::history`, `outline.rs`). The long ones that were read last are kept ([`Outlines`]): the next question about
//! one reads its last chunk, which tells whether all is as it was and what came since.

use crate::{archive, read, sql};
use ghostlight_model::{
    CommitId, PostingId,
    commit::Commit,
    history::{
        Dag, Outline,
        packed::{self, PackError},
    },
};
use rusqlite::{Connection, OptionalExtension, params, types::Type};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Commits of all histories that are kept, about 400 bytes each; beyond that the history asked for longest ago goes. One
/// that has more by itself is kept alone.
const COMMITS_KEPT: usize = 100_000;
/// Shorter histories are read faster than anybody notices; they are not kept.
const KEPT_LEAST: usize = 250;

/// The long histories that were read last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outlines(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    histories: BTreeMap<PostingId, History>,
    /// How often one was asked for.
    asked: u64,
}

/// A history as it was when it was read.
#[derive(Debug, Clone)]
struct History {
    dag: Dag,
    last: Chunk,
    /// When it was asked for, by [`Kept::asked`].
    asked: u64,
}

/// The last chunk that was read. It names those before it by their hash, so where it stands there still, so do they.
#[derive(Debug, Clone, Default)]
struct Chunk {
    number: i64,
    body: Arc<[u8]>,
    outlines: usize,
}

impl Outlines {
    /// All of a posting's commits, by their outlines.
    pub fn dag(&self, c: &Connection, posting: PostingId) -> rusqlite::Result<Dag> {
        let history = match self.get(posting) {
            Some(kept) => match self.onward(c, posting, kept)? {
                Some(history) => history,
                None => all_of(c, posting)?,
            },
            None => all_of(c, posting)?,
        };
        let dag = history.dag.clone();
        self.keep(posting, history);
        Ok(dag)
    }

    /// What was kept, with what came since; `None` if it is not what stands there now.
    fn onward(
        &self,
        c: &Connection,
        posting: PostingId,
        mut kept: History,
    ) -> rusqlite::Result<Option<History>> {
        let mut rows = c.prepare_cached(sql::OUTLINES)?;
        let mut rows = rows.query(params![posting.0, kept.last.number])?;
        let first = match rows.next()? {
            Some(row) => (row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?),
            None => return Ok(None),
        };
        if first.0 != kept.last.number || !first.1.starts_with(&kept.last.body) {
            return Ok(None);
        }
        let mut new = Vec::new();
        if first.1.len() > kept.last.body.len() {
            new = packed::unpack(&first.1, kept.last.outlines).map_err(damaged)?;
            kept.last.outlines += new.len();
            kept.last.body = first.1.into();
        }
        while let Some(row) = rows.next()? {
            kept.last = Chunk::take(row, &mut new)?;
        }
        if !new.is_empty() {
            // As a rule nobody else holds it then, and it grows where it is.
            self.lock().histories.remove(&posting);
            kept.dag.add_outlines(posting, new);
        }
        Ok(Some(kept))
    }

    fn get(&self, posting: PostingId) -> Option<History> {
        self.lock().histories.get(&posting).cloned()
    }

    fn keep(&self, posting: PostingId, mut history: History) {
        if history.dag.len() < KEPT_LEAST {
            return;
        }
        let mut kept = self.lock();
        kept.asked += 1;
        history.asked = kept.asked;
        kept.histories.insert(posting, history);
        let commits = |kept: &Kept| kept.histories.values().map(|h| h.dag.len()).sum::<usize>();
        while kept.histories.len() > 1 && commits(&kept) > COMMITS_KEPT {
            let oldest = kept.histories.iter().min_by_key(|(_, h)| h.asked);
            let Some(oldest) = oldest.map(|(posting, _)| *posting) else {
                break;
            };
            kept.histories.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Each change of it is one insertion or removal: a panic leaves it sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chunk {
    /// The chunk of a row; its outlines go to the others.
    fn take(
        row: &rusqlite::Row<'_>,
        outlines: &mut Vec<(CommitId, Outline)>,
    ) -> rusqlite::Result<Self> {
        let body = row.get_ref(1)?.as_blob()?;
        let here = packed::unpack(body, 0).map_err(damaged)?;
        let chunk = Self {
            number: row.get(0)?,
            body: body.into(),
            outlines: here.len(),
        };
        outlines.extend(here);
        Ok(chunk)
    }
}

/// A history as the file has it, for who goes through all of them once.
pub(crate) fn dag(c: &Connection, posting: PostingId) -> rusqlite::Result<Dag> {
    all_of(c, posting).map(|history| history.dag)
}

/// A history as the file has it.
fn all_of(c: &Connection, posting: PostingId) -> rusqlite::Result<History> {
    let (mut dag, mut last) = (Dag::default(), Chunk::default());
    let chunks = c
        .prepare_cached(sql::OUTLINE_CHUNKS)?
        .query_row([posting.0], |row| row.get::<_, u32>(0))?;
    let mut rows = c.prepare_cached(sql::OUTLINES)?;
    let mut rows = rows.query(params![posting.0, 0])?;
    while let Some(row) = rows.next()? {
        let mut outlines = Vec::new();
        last = Chunk::take(row, &mut outlines)?;
        if dag.is_empty() {
            // All chunks hold about as many.
            dag.reserve(chunks as usize * outlines.len());
        }
        dag.add_outlines(posting, outlines);
    }
    Ok(History {
        dag,
        last,
        asked: 0,
    })
}

/// Keeps the outline of a commit.
pub(crate) fn insert(c: &Connection, id: CommitId, commit: &Commit) -> rusqlite::Result<()> {
    let (posting, outline) = (commit.posting, Outline::of(commit));
    let last = c
        .prepare_cached(sql::LAST_OUTLINES)?
        .query_row([posting.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        });
    let last: Option<(i64, i64, Vec<u8>)> = last.optional()?;
    let (number, mut chunk) = match last {
        None => (0, packed::begin(None)),
        Some((row, number, mut chunk)) => {
            if packed::append(&mut chunk, id, &outline).map_err(damaged)? {
                c.prepare_cached("UPDATE outline SET body = ?2 WHERE rowid = ?1")?
                    .execute(params![row, chunk])?;
                return Ok(());
            }
            (number + 1, packed::begin(Some(&chunk)))
        }
    };
    packed::append(&mut chunk, id, &outline).map_err(damaged)?;
    insert_chunk(c, posting, number, &chunk)
}

fn insert_chunk(
    c: &Connection,
    posting: PostingId,
    number: i64,
    chunk: &[u8],
) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO outline (posting, chunk, body) VALUES (?1, ?2, ?3)")?
        .execute(params![posting.0, number, chunk])?;
    Ok(())
}

/// Makes the outlines of a posting's commits anew; there are none.
fn rebuild(c: &Connection, posting: PostingId) -> rusqlite::Result<()> {
    let mut commits = c.prepare_cached(sql::COMMITS_BY_ARRIVAL)?;
    let mut rows = commits.query([posting.0])?;
    let (mut number, mut chunk) = (0, packed::begin(None));
    while let Some(row) = rows.next()? {
        let id = CommitId(row.get(0)?);
        let outline = Outline::of(&archive::content::commit(c, id, row, 1)?);
        if !packed::append(&mut chunk, id, &outline).map_err(damaged)? {
            insert_chunk(c, posting, number, &chunk)?;
            (number, chunk) = (number + 1, packed::begin(Some(&chunk)));
            packed::append(&mut chunk, id, &outline).map_err(damaged)?;
        }
    }
    match packed::is_empty(&chunk) {
        true => Ok(()),
        false => insert_chunk(c, posting, number, &chunk),
    }
}

/// Makes the outlines of all commits anew; there are none.
pub(crate) fn rebuild_all(c: &Connection) -> rusqlite::Result<()> {
    let postings = read::postings_with_commits(c)?;
    postings
        .into_iter()
        .try_for_each(|posting| rebuild(c, posting))
}

fn damaged(error: PackError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DATABASE, Store};
    use ghostlight_model::{
        FieldKey, FieldValue, Micros,
        commit::{AuthorId, Clock, FieldChange, Purpose},
        observation::{Confidence, Method, Source},
    };
    use proptest::{prelude::*, sample::Index};
    use std::collections::BTreeSet;

    const POSTING: PostingId = PostingId([7; 16]);
    /// So many are there at first: enough to be kept.
    const BEFORE: usize = KEPT_LEAST + 30;
    const ALL: usize = BEFORE + 120;

    /// What happens to the table between two questions.
    #[derive(Debug, Clone)]
    enum Deed {
        /// Commits of the pool that are not there come.
        Come(Vec<Index>),
        TakenBack,
        Durable,
        Rebuilt,
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            6 => prop::collection::vec(any::<Index>(), 1..40).prop_map(Deed::Come),
            3 => Just(Deed::TakenBack),
            3 => Just(Deed::Durable),
            1 => Just(Deed::Rebuilt),
        ]
    }

    /// Commits that go on from each other, some from an earlier one, some by a clock that is behind.
    fn pool() -> Vec<(CommitId, Commit)> {
        let mut pool: Vec<(CommitId, Commit)> = Vec::new();
        for n in 0..ALL {
            let from = if n % 11 == 10 { n - 7 } else { n.max(1) - 1 };
            let parent = pool.get(from).map(|(id, _)| *id);
            let change = FieldChange {
                field: FieldKey::Title,
                old: None,
                new: Some(FieldValue::Text(format!("Oriel {n}"))),
                confidence: Confidence::FULL,
                source: Source::User,
                method: Method::Manual,
                observation: None,
            };
            let skew = if n % 17 == 16 { 5_500 } else { 0 };
            let commit = Commit {
                posting: POSTING,
                parents: parent.into_iter().collect(),
                author: AuthorId(format!("person-{}", n % 3)),
                clock: Clock {
                    wall: Micros(n as i64 * 1_000 - skew),
                    counter: 0,
                },
                message: String::new(),
                changes: vec![change],
                purpose: Purpose::Plain,
                settled: Vec::new(),
            };
            pool.push((commit.id(), commit));
        }
        pool
    }

    fn begin(c: &Connection) {
        c.execute_batch("BEGIN").unwrap();
    }

    /// Whether what is kept answers as the file does.
    fn agrees(kept: &Outlines, c: &Connection) -> Result<(), TestCaseError> {
        let wanted = all_of(c, POSTING).unwrap().dag;
        let found = kept.dag(c, POSTING).unwrap();
        let seen = |dag: &Dag| -> Vec<_> {
            let ids: Vec<CommitId> = dag.commits().map(|(id, _)| id).collect();
            let before = |n: usize, id| match n % 29 {
                0 => dag.ancestors(&[id]).len(),
                _ => 0,
            };
            let ids = ids.into_iter().enumerate();
            ids.map(|(n, id)| (before(n, id), id, dag.touches(id).into_owned()))
                .collect()
        };
        prop_assert_eq!(seen(&found), seen(&wanted));
        let again = kept.dag(c, POSTING).unwrap();
        prop_assert_eq!(seen(&again), seen(&wanted));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        /// Whatever comes, goes back or is made anew, and whoever asks meanwhile, also of an older moment.
        #[test]
        fn what_is_kept_is_what_the_file_says(deeds in prop::collection::vec(deed(), 1..14)) {
            let folder = tempfile::tempdir().unwrap();
            drop(Store::open(folder.path(), |_| {}).unwrap());
            let open = || Connection::open(folder.path().join(DATABASE)).unwrap();
            let (writer, reader, kept) = (open(), open(), Outlines::default());
            writer.pragma_update(None, "synchronous", "OFF").unwrap();
            let pool = pool();
            let mut here: BTreeSet<usize> = (0..BEFORE).collect();
            begin(&writer);
            for (id, commit) in &pool[..BEFORE] {
                insert(&writer, *id, commit).unwrap();
            }
            let mut durable = BTreeSet::new();
            for deed in deeds {
                match deed {
                    Deed::Come(which) => {
                        for n in which.into_iter().map(|which| which.index(ALL)) {
                            if here.insert(n) {
                                insert(&writer, pool[n].0, &pool[n].1).unwrap();
                            }
                        }
                    }
                    Deed::TakenBack => {
                        writer.execute_batch("ROLLBACK").unwrap();
                        begin(&writer);
                        here.clone_from(&durable);
                    }
                    Deed::Durable => {
                        writer.execute_batch("COMMIT").unwrap();
                        begin(&writer);
                        durable.clone_from(&here);
                    }
                    Deed::Rebuilt => {
                        writer.execute_batch("DELETE FROM outline").unwrap();
                        for n in &here {
                            insert(&writer, pool[*n].0, &pool[*n].1).unwrap();
                        }
                    }
                }
                agrees(&kept, &writer)?;
                agrees(&kept, &reader)?;
            }
        }
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes() {
        let (kept, commit) = (Outlines::default(), pool().swap_remove(0).1);
        let history = |commits: usize| {
            let outlines = (0..commits).map(|n| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&n.to_be_bytes());
                (CommitId(id), Outline::of(&commit))
            });
            History {
                dag: Dag::of_outlines(POSTING, outlines),
                last: Chunk::default(),
                asked: 0,
            }
        };
        let posting = |n: u8| PostingId([n; 16]);
        let long = history(KEPT_LEAST);
        kept.keep(posting(1), history(KEPT_LEAST - 1));
        for n in [2, 3, 2] {
            kept.keep(posting(n), long.clone());
        }
        kept.keep(posting(4), history(COMMITS_KEPT - KEPT_LEAST));
        let here = |n: u8| kept.get(posting(n)).is_some();
        assert_eq!([1, 2, 3, 4].map(here), [false, true, false, true]);
        kept.keep(posting(5), history(COMMITS_KEPT + 1));
        assert_eq!([2, 4, 5].map(here), [false, false, true]);
    }
}
