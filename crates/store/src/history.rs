//! A posting's history: branches, merges, restoring (SPEC E2, E3); undo and redo are in `reversal.rs`, its timeline in
//! `timeline.rs`, branches that come with a bundle in `branches.rs`.
//!
//! A branch is a name for a head; it moves in the transaction of the commit. The card shows the branch
//! that is checked out, and edits and runs go there; without a word about it that is [`MAIN`]. What is
//! merged and undone, and why not, is `model::history`'s to say.

use crate::{
    archive,
    error::StoreError,
    open::Store,
    outline::Outlines,
    read,
    reversal::reverse,
    sql,
    write::{find_commit_by_key, insert_commit, posting_exists},
    writer::{Batch, Pending},
};
use ghostlight_model::{
    CommitId, FieldKey, FieldValue, Micros, PostingId,
    card::Standing,
    commit::{AuthorId, Clock, Commit, FieldChange, Purpose},
    history::{
        BRANCHES_MAX, Dag, Difference, Merge, Resolution, Reversal, Stacks, check_branch_name,
        compare, merge, restore, stacks,
    },
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// The branch of a posting that nobody branched.
pub const MAIN: &str = "main";
pub(crate) const RELOAD: &str = "Look at the history as it is now, and choose again.";

/// A branch of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub head: CommitId,
    /// When it was made.
    pub created: Micros,
    /// When its head was made.
    pub updated: Micros,
    /// Who made its head.
    pub author: AuthorId,
    /// Whether it is checked out.
    pub current: bool,
}

/// A branch to make.
#[derive(Debug, Clone)]
pub struct NewBranch {
    /// Of which posting.
    pub posting: PostingId,
    /// Its name.
    pub name: String,
    /// Where it begins; `None` is the checked-out head.
    pub at: Option<CommitId>,
    /// Whether to check it out.
    pub switch: bool,
    /// When.
    pub now: Micros,
}

/// What merging a branch into the checked-out one comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct MergePreview {
    /// The checked-out branch.
    pub ours: Branch,
    /// The branch to merge.
    pub theirs: Branch,
    /// What it comes to.
    pub merge: Merge,
}

/// A merge into the checked-out branch.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// Of which posting.
    pub posting: PostingId,
    /// The branch to merge.
    pub from: String,
    /// The heads that were looked at, ours and theirs; refused if one has moved. `None` takes them as
    /// they are.
    pub looked_at: Option<(CommitId, CommitId)>,
    /// What is decided about conflicts.
    pub resolutions: BTreeMap<FieldKey, MergeChoice>,
    /// The person, of a merge with conflicts.
    pub author: AuthorId,
    /// Why, of a merge with conflicts.
    pub message: String,
    /// Made by the caller; the same key twice is one merge.
    pub key: String,
    /// When.
    pub now: Micros,
}

/// What is decided about a field in conflict.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeChoice {
    /// The checked-out branch's value.
    Ours,
    /// The other branch's value.
    Theirs,
    /// What it was before both.
    Base,
    /// This value, or none.
    Value(Option<FieldValue>),
}

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// Where the checked-out branch stands now.
    pub head: CommitId,
    /// Whether that is a commit that joins two; else the branch only moved forward.
    pub joined: bool,
}

/// Going back to a version.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// Of which posting.
    pub posting: PostingId,
    /// The version.
    pub version: CommitId,
    /// The head that was looked at; refused if it has moved. `None` takes it as it is.
    pub looked_at: Option<CommitId>,
    /// The person.
    pub author: AuthorId,
    /// Why.
    pub message: String,
    /// Made by the caller; the same key twice is one commit.
    pub key: String,
    /// When.
    pub now: Micros,
}

/// Where the checked-out branch of a posting stands.
pub(crate) struct Tip {
    pub posting: PostingId,
    pub branch: String,
    pub head: Option<CommitId>,
    /// All branches' commits, by their outlines but for what was asked for.
    pub dag: Dag,
}

impl Tip {
    /// The version's commits, parents before children; most of them by their outlines.
    pub fn line(&self) -> Vec<(CommitId, &Commit)> {
        self.dag.line(self.head.as_slice())
    }

    /// What an author can undo and redo there.
    pub fn stacks(&self, author: &AuthorId) -> Stacks {
        let at = self.head.map(|head| stacks(&self.dag, head, author));
        at.unwrap_or_default()
    }

    /// What stands in the version's fields.
    pub fn values(&mut self, c: &Connection) -> rusqlite::Result<BTreeMap<FieldKey, Standing>> {
        let needs = self.head.map(|head| self.dag.needs_of_values(head));
        self.fill(c, needs.unwrap_or_default())?;
        Ok(self.dag.state(self.head.as_slice()).values)
    }

    /// Reads the bodies of these commits.
    pub fn fill(
        &mut self,
        c: &Connection,
        needs: impl IntoIterator<Item = CommitId>,
    ) -> rusqlite::Result<()> {
        fill(c, self.posting, &mut self.dag, needs)
    }

    /// What the field's latest change gave it; `None` if that withdrew it.
    pub fn latest_value(
        &self,
        c: &Connection,
        field: &FieldKey,
    ) -> rusqlite::Result<Option<FieldValue>> {
        let line = self.line().into_iter().rev();
        let mut ids = line.map(|(id, _)| id);
        let changes = |id: &CommitId| self.dag.touches(*id).iter().any(|t| t.0 == *field);
        let latest = ids.find(changes);
        let Some(commit) = latest
            .map(|id| commit_of(c, self.posting, id))
            .transpose()?
        else {
            return Ok(None);
        };
        let changes = commit.into_iter().flat_map(|commit| commit.changes);
        let latest = changes.into_iter().find(|change| change.field == *field);
        Ok(latest.and_then(|change| change.new))
    }

    /// An edit's or a run's commit on top.
    pub fn next(
        &self,
        posting: PostingId,
        (author, message): (AuthorId, String),
        changes: Vec<FieldChange>,
        now: Micros,
    ) -> Commit {
        let latest = self.dag.commits().map(|(_, commit)| commit.clock).max();
        Commit {
            posting,
            parents: self.head.into_iter().collect(),
            author,
            clock: Clock::next(latest, now),
            message,
            changes,
            purpose: Purpose::Plain,
            settled: Vec::new(),
        }
    }

    /// Stores a commit and moves the branch to it.
    pub fn advance(
        &self,
        batch: &Batch<'_>,
        commit: &Commit,
        key: Option<&str>,
    ) -> rusqlite::Result<CommitId> {
        let id = commit.id();
        // A merge without conflict may be here already, made elsewhere.
        if !batch
            .tx
            .prepare_cached(sql::COMMIT)?
            .exists(params![id.0, commit.posting.0])?
        {
            insert_commit(batch, commit, key)?;
        }
        move_branch(batch, (commit.posting, &self.branch), id, commit.clock.wall)?;
        Ok(id)
    }
}

pub(crate) fn move_branch(
    batch: &Batch<'_>,
    (posting, name): (PostingId, &str),
    head: CommitId,
    now: Micros,
) -> rusqlite::Result<()> {
    batch
        .tx
        .prepare_cached(
            "INSERT INTO branch (posting, name, head, created) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (posting, name) DO UPDATE SET head = ?3",
        )?
        .execute(params![posting.0, name, head.0, now.0])?;
    Ok(())
}

fn commits(c: &Connection, posting: PostingId) -> rusqlite::Result<Vec<(CommitId, Commit)>> {
    read::collect(c, sql::COMMITS, params![posting.0], |row| {
        let id = CommitId(row.get(0)?);
        Ok((id, archive::content::commit(c, id, row, 1)?))
    })
}

/// The checked-out branch of a posting with all of its commits.
pub(crate) fn tip(
    c: &Connection,
    outlines: &Outlines,
    posting: PostingId,
) -> rusqlite::Result<Tip> {
    let branch = checked_out(c, posting)?;
    Ok(Tip {
        posting,
        head: head_of(c, posting, &branch)?,
        branch,
        dag: outlines.dag(c, posting)?,
    })
}

/// Reads the bodies of these commits where only the outline is there.
fn fill(
    c: &Connection,
    posting: PostingId,
    dag: &mut Dag,
    needs: impl IntoIterator<Item = CommitId>,
) -> rusqlite::Result<()> {
    for id in needs {
        if !dag.is_whole(id) {
            // An outline without its commit is a damaged file, and no answer is better than a wrong one.
            let commit = commit_of(c, posting, id)?;
            dag.fill(id, commit.ok_or(rusqlite::Error::QueryReturnedNoRows)?);
        }
    }
    Ok(())
}

fn checked_out(c: &Connection, posting: PostingId) -> rusqlite::Result<String> {
    let found = c
        .prepare_cached(sql::CHECKOUT)?
        .query_row([posting.0], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_else(|| MAIN.to_owned()))
}

pub(crate) fn head_of(
    c: &Connection,
    posting: PostingId,
    name: &str,
) -> rusqlite::Result<Option<CommitId>> {
    c.prepare_cached(sql::BRANCH)?
        .query_row(params![posting.0, name], |row| row.get(0).map(CommitId))
        .optional()
}

pub(crate) fn branches(c: &Connection, posting: PostingId) -> rusqlite::Result<Vec<Branch>> {
    let current = checked_out(c, posting)?;
    read::collect(c, sql::BRANCHES, params![posting.0], |row| {
        let name: String = row.get(0)?;
        Ok(Branch {
            current: name == current,
            name,
            head: CommitId(row.get(1)?),
            created: Micros(row.get(2)?),
            updated: Micros(row.get(3)?),
            author: AuthorId(row.get(4)?),
        })
    })
}

pub(crate) fn declined(message: String, hint: &'static str) -> StoreError {
    StoreError::Declined { message, hint }
}

pub(crate) fn no_branch(name: &str) -> StoreError {
    StoreError::NotFound(format!("branch {name:?}"))
}

pub(crate) fn no_version(version: CommitId) -> StoreError {
    StoreError::NotFound(format!("version {version} of this posting"))
}

impl Store {
    /// A posting's branches by name; none while it has no commit.
    pub fn branches(&self, posting: PostingId) -> Result<Vec<Branch>, StoreError> {
        self.reading(|c| branches(c, posting))
    }

    /// The fields in which two versions of a posting differ.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown version.
    pub fn compare(
        &self,
        posting: PostingId,
        before: CommitId,
        after: CommitId,
    ) -> Result<Vec<Difference>, StoreError> {
        let dag = self.reading(|c| {
            let mut dag = self.outlines().dag(c, posting)?;
            let needs = [before, after].map(|version| dag.needs_of_values(version));
            fill(c, posting, &mut dag, needs.into_iter().flatten())?;
            Ok(dag)
        })?;
        for version in [before, after] {
            dag.get(version).ok_or_else(|| no_version(version))?;
        }
        Ok(compare(&dag.state(&[before]), &dag.state(&[after])))
    }

    /// The versions on the checked-out branch, oldest first: the first is number 1.
    pub fn versions(&self, posting: PostingId) -> Result<Vec<(CommitId, Commit)>, StoreError> {
        self.reading(|c| {
            let head = head_of(c, posting, &checked_out(c, posting)?)?;
            let dag = Dag::new(commits(c, posting)?);
            let line = dag.line(head.as_slice()).into_iter();
            Ok(line.map(|(id, commit)| (id, commit.clone())).collect())
        })
    }

    /// The same versions with their authors, without what they say: of a long history from its outlines alone.
    pub fn version_ids(&self, posting: PostingId) -> Result<Vec<(CommitId, AuthorId)>, StoreError> {
        self.reading(|c| {
            let tip = tip(c, self.outlines(), posting)?;
            let line = tip.line().into_iter();
            Ok(line
                .map(|(id, commit)| (id, commit.author.clone()))
                .collect())
        })
    }

    /// A commit of a posting.
    pub fn commit(&self, posting: PostingId, id: CommitId) -> Result<Option<Commit>, StoreError> {
        self.reading(|c| commit_of(c, posting, id))
    }

    /// What merging `from` into the checked-out branch comes to; nothing is changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown branch, [`StoreError::Declined`] for the checked-out one.
    pub fn merge_preview(
        &self,
        posting: PostingId,
        from: &str,
    ) -> Result<MergePreview, StoreError> {
        let (tip, all) = self.reading(|c| {
            let (mut tip, all) = (tip(c, self.outlines(), posting)?, branches(c, posting)?);
            let theirs = all.iter().find(|branch| branch.name == from);
            if let Some((ours, theirs)) = tip.head.zip(theirs) {
                let needs = tip.dag.needs_of_merge(ours, theirs.head);
                tip.fill(c, needs)?;
            }
            Ok((tip, all))
        })?;
        let theirs = all.iter().find(|branch| branch.name == from);
        let theirs = theirs.cloned().ok_or_else(|| no_branch(from))?;
        let ours = all.into_iter().find(|branch| branch.current);
        let ours = ours.ok_or_else(|| no_branch(&tip.branch))?;
        not_itself(&ours.name, from)?;
        Ok(MergePreview {
            merge: merge(&tip.dag, ours.head, theirs.head),
            ours,
            theirs,
        })
    }

    /// Makes a branch. One of that name at that place is no error.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a name that is none, [`StoreError::Declined`] if the name is taken
    /// or there are [`BRANCHES_MAX`], [`StoreError::NotFound`] for an unknown version.
    pub fn create_branch(&self, new: NewBranch) -> Pending<CommitId> {
        self.writer()
            .submit(move |batch| create_branch(batch, &new))
    }

    /// Checks a branch out: the card shows it, and edits and runs go there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown branch.
    pub fn switch_branch(&self, posting: PostingId, name: String) -> Pending<()> {
        self.writer().submit(move |batch| {
            let sqlite = |e: rusqlite::Error| StoreError::sqlite(batch.path, &e);
            head_of(batch.tx, posting, &name)
                .map_err(sqlite)?
                .ok_or_else(|| no_branch(&name))?;
            switch(batch, posting, &name).map_err(sqlite)?;
            batch.touched.posting(posting);
            Ok(())
        })
    }

    /// Deletes a branch whose commits are all on another one. The commits stay.
    ///
    /// # Errors
    /// [`StoreError::Declined`] for [`MAIN`], the checked-out branch, and one that is not merged.
    pub fn delete_branch(&self, posting: PostingId, name: String) -> Pending<()> {
        self.writer()
            .submit(move |batch| delete_branch(batch, posting, &name))
    }

    /// Merges a branch into the checked-out one.
    ///
    /// # Errors
    /// [`StoreError::Declined`] if there is nothing to merge or a conflict is not decided,
    /// [`StoreError::Stale`] if a head has moved, [`StoreError::Refused`] for a decision that breaks a
    /// rule of its field.
    pub fn merge(&self, request: MergeRequest) -> Pending<Merged> {
        self.writer()
            .submit(move |batch| merge_branch(batch, request))
    }

    /// Brings back the values of a version by a new commit.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown version, [`StoreError::Declined`] if nothing differs,
    /// [`StoreError::Stale`] if the head has moved.
    pub fn restore(&self, request: RestoreRequest) -> Pending<CommitId> {
        self.writer()
            .submit(move |batch| restore_version(batch, request))
    }

    /// Takes back an author's latest commit that is not taken back.
    ///
    /// # Errors
    /// [`StoreError::Declined`] with who changed which field since, or that there is nothing to undo.
    pub fn undo(&self, posting: PostingId, by: (AuthorId, String, Micros)) -> Pending<CommitId> {
        self.writer()
            .submit(move |batch| reverse(batch, posting, by, false))
    }

    /// Does again what an author took back last.
    ///
    /// # Errors
    /// As [`Store::undo`].
    pub fn redo(&self, posting: PostingId, by: (AuthorId, String, Micros)) -> Pending<CommitId> {
        self.writer()
            .submit(move |batch| reverse(batch, posting, by, true))
    }
}

pub(crate) fn commit_of(
    c: &Connection,
    posting: PostingId,
    id: CommitId,
) -> rusqlite::Result<Option<Commit>> {
    c.prepare_cached(sql::COMMIT)?
        .query_row(params![id.0, posting.0], |row| {
            archive::content::commit(c, id, row, 0)
        })
        .optional()
}

fn not_itself(ours: &str, from: &str) -> Result<(), StoreError> {
    match ours == from {
        true => Err(declined(
            format!("branch {from:?} is the one that is checked out; there is nothing to merge"),
            "Choose another branch to merge into it.",
        )),
        false => Ok(()),
    }
}

pub(crate) fn switch(batch: &Batch<'_>, posting: PostingId, name: &str) -> rusqlite::Result<()> {
    batch
        .tx
        .prepare_cached("INSERT OR REPLACE INTO checkout (posting, branch) VALUES (?1, ?2)")?
        .execute(params![posting.0, name])?;
    Ok(())
}

fn create_branch(batch: &mut Batch<'_>, new: &NewBranch) -> Result<CommitId, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    check_branch_name(&new.name).map_err(|e| StoreError::Refused(e.to_string()))?;
    if !posting_exists(batch, new.posting).map_err(sqlite)? {
        return Err(StoreError::NotFound(format!("posting {}", new.posting)));
    }
    let tip = tip(batch.tx, batch.touched.outlines(), new.posting).map_err(sqlite)?;
    let head = new.at.or(tip.head).ok_or_else(|| {
        declined(
            "this posting has no version yet to branch from".into(),
            "Analyse it or edit a field first.",
        )
    })?;
    tip.dag.get(head).ok_or_else(|| no_version(head))?;
    let standing = head_of(batch.tx, new.posting, &new.name).map_err(sqlite)?;
    let count = read::count(batch.tx, sql::BRANCHES_COUNT, params![new.posting.0]);
    match standing {
        Some(other) if other != head => {
            return Err(declined(
                format!("there is a branch {:?} already", new.name),
                "Choose another name, or switch to it.",
            ));
        }
        Some(_) => {}
        None if count.map_err(sqlite)? as usize >= BRANCHES_MAX => {
            return Err(declined(
                format!("this posting has {BRANCHES_MAX} branches already"),
                "Delete one that is merged.",
            ));
        }
        None => {
            move_branch(batch, (new.posting, &new.name), head, new.now).map_err(sqlite)?;
        }
    }
    if new.switch {
        switch(batch, new.posting, &new.name).map_err(sqlite)?;
    }
    batch.touched.posting(new.posting);
    Ok(head)
}

fn delete_branch(batch: &mut Batch<'_>, posting: PostingId, name: &str) -> Result<(), StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let all = branches(batch.tx, posting).map_err(sqlite)?;
    let gone = all.iter().find(|branch| branch.name == name);
    let gone = gone.ok_or_else(|| no_branch(name))?;
    if name == MAIN {
        return Err(declined(
            format!("branch {MAIN:?} stays: it is what a posting begins with"),
            "Delete another branch.",
        ));
    }
    if gone.current {
        return Err(declined(
            format!("branch {name:?} is checked out"),
            "Switch to another branch first.",
        ));
    }
    let dag = tip(batch.tx, batch.touched.outlines(), posting)
        .map_err(sqlite)?
        .dag;
    let mut others = all.iter().filter(|branch| branch.name != name);
    if !others.any(|branch| dag.is_ancestor(gone.head, branch.head)) {
        return Err(declined(
            format!("branch {name:?} has versions that are on no other branch"),
            "Merge it first; nothing was deleted.",
        ));
    }
    batch
        .tx
        .prepare_cached("DELETE FROM branch WHERE posting = ?1 AND name = ?2")
        .and_then(|mut s| s.execute(params![posting.0, name]))
        .map_err(sqlite)?;
    batch.touched.posting(posting);
    Ok(())
}

fn merge_branch(batch: &mut Batch<'_>, request: MergeRequest) -> Result<Merged, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    let MergeRequest {
        posting,
        from,
        looked_at,
        resolutions,
        author,
        message,
        key,
        now,
    } = request;
    if let Some(head) = find_commit_by_key(batch, &key).map_err(sqlite)? {
        return Ok(Merged { head, joined: true });
    }
    let mut tip = tip(batch.tx, batch.touched.outlines(), posting).map_err(sqlite)?;
    let theirs = head_of(batch.tx, posting, &from).map_err(sqlite)?;
    let theirs = theirs.ok_or_else(|| no_branch(&from))?;
    let ours = tip.head.ok_or_else(|| no_branch(&tip.branch))?;
    not_itself(&tip.branch, &from)?;
    let mut needs = tip.dag.needs_of_merge(ours, theirs);
    needs.insert(ours);
    tip.fill(batch.tx, needs).map_err(sqlite)?;
    if let Some(heads) = looked_at
        && is_done(&tip, ours, heads)
    {
        return Ok(Merged {
            head: ours,
            joined: ours != heads.1,
        });
    }
    if looked_at.is_some_and(|heads| heads != (ours, theirs)) {
        return Err(stale());
    }
    let (head, joined) = match merge(&tip.dag, ours, theirs) {
        Merge::Nothing => {
            return Err(declined(
                format!(
                    "everything on branch {from:?} is on {:?} already; there is nothing to merge",
                    tip.branch
                ),
                "Nothing has to be done.",
            ));
        }
        Merge::Forward => {
            move_branch(batch, (posting, &tip.branch), theirs, now).map_err(sqlite)?;
            (theirs, false)
        }
        Merge::Join(join) => {
            let choices = resolutions.into_iter();
            let mut decided = BTreeMap::new();
            for (field, choice) in choices {
                decided.insert(field.clone(), resolution(&field, choice, (ours, theirs))?);
            }
            let by = (author, message, now);
            let commit = join
                .resolve(&tip.dag, posting, &decided, by)
                .map_err(|e| declined(e.to_string(), "Decide each conflict, and only those."))?;
            (
                tip.advance(batch, &commit, Some(&key)).map_err(sqlite)?,
                true,
            )
        }
    };
    batch.touched.posting(posting);
    Ok(Merged { head, joined })
}

/// Whether the merge that was looked at is done already, by a retry or elsewhere, without a decision.
fn is_done(tip: &Tip, head: CommitId, (ours, theirs): (CommitId, CommitId)) -> bool {
    let joins = |commit: &Commit| {
        commit.purpose == Purpose::Merge
            && commit.settled.is_empty()
            && [ours, theirs]
                .iter()
                .all(|side| commit.parents.contains(side))
    };
    let forward = head == theirs && ours != theirs && tip.dag.is_ancestor(ours, theirs);
    forward || tip.dag.get(head).is_some_and(joins)
}

pub(crate) fn stale() -> StoreError {
    StoreError::Stale("the history went on since it was looked at; nothing was changed".into())
}

fn resolution(
    field: &FieldKey,
    choice: MergeChoice,
    (ours, theirs): (CommitId, CommitId),
) -> Result<Resolution, StoreError> {
    Ok(match choice {
        MergeChoice::Ours => Resolution::Side(ours),
        MergeChoice::Theirs => Resolution::Side(theirs),
        MergeChoice::Base => Resolution::Base,
        MergeChoice::Value(value) => {
            if let Some(value) = &value {
                ghostlight_model::typed::check(field, value)
                    .map_err(|e| StoreError::Refused(e.to_string()))?;
            }
            Resolution::Value(value)
        }
    })
}

fn restore_version(batch: &mut Batch<'_>, request: RestoreRequest) -> Result<CommitId, StoreError> {
    let path = batch.path;
    let sqlite = |e: rusqlite::Error| StoreError::sqlite(path, &e);
    if let Some(done) = find_commit_by_key(batch, &request.key).map_err(sqlite)? {
        return Ok(done);
    }
    let mut tip = tip(batch.tx, batch.touched.outlines(), request.posting).map_err(sqlite)?;
    let version = request.version;
    let head = tip.head.ok_or_else(|| no_version(version))?;
    tip.dag.get(version).ok_or_else(|| no_version(version))?;
    let needs = tip.dag.needs_of_restore(head, version);
    tip.fill(batch.tx, needs).map_err(sqlite)?;
    if request.looked_at.is_some_and(|looked_at| looked_at != head) {
        return Err(stale());
    }
    let back = restore(&tip.dag, head, version, &request.message).ok_or_else(|| {
        declined(
            "the card holds just what that version held".into(),
            "Nothing has to be done.",
        )
    })?;
    let by = (request.author, request.key, request.now);
    write_reversal(batch, &tip, request.posting, back, by)
}

pub(crate) fn write_reversal(
    batch: &mut Batch<'_>,
    tip: &Tip,
    posting: PostingId,
    back: Reversal,
    (author, key, now): (AuthorId, String, Micros),
) -> Result<CommitId, StoreError> {
    let commit = Commit {
        purpose: back.purpose,
        ..tip.next(posting, (author, back.message), back.changes, now)
    };
    let id = tip.advance(batch, &commit, Some(&key));
    let id = id.map_err(|e| batch.sqlite(&e))?;
    batch.touched.posting(posting);
    Ok(id)
}
